"""Says whether a change left the known models alone: compares two builds of `plumb`, one from before it, one from after.

Usage (any Python 3.10+, after `cargo xtask models`; keep a copy of `plumb` before the change):
    cargo build --release -p plumb && cp target/release/plumb before
    # ..the change..
    cargo build --release -p plumb && python3 tests/bench/same.py before target/release/plumb [--rounds 10]

For every model of the manifest it compares
- the bits of all outputs on the CPU, unfused and folded, with each instruction set that this machine has,
- the WGSL of the GPU's kernels, byte for byte, and what `plumb inspect` says of the plans,
and with --rounds the time of a frame in turns forwards and backwards. Exit status 0: bits, texts and plans are the same.
"""

import argparse
import hashlib
import json
import re
import statistics
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The mask of a landmark model, which `plumb bench` leaves out unless it is asked for.
MASK = "Identity_2"
LANDMARK_MODELS = ["lite", "full", "heavy"]


def plumb(binary: Path, *arguments: str) -> bytes:
    done = subprocess.run([binary, *arguments], cwd=ROOT, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{binary} {' '.join(arguments)}:\n{done.stderr.decode()}")
    return done.stdout


def instruction_sets(binary: Path) -> list[str]:
    """Those of this machine, from the sentence that a wrong name is answered with."""
    wrong = [binary, "bench", "detector", "--instructions", "none"]
    message = subprocess.run(wrong, cwd=ROOT, capture_output=True).stderr.decode()
    found = re.search(r"this machine has (.+)", message)
    return found[1].split(", ") if found else sys.exit(message)


def digests(binary: Path, model: str, sets: list[str]) -> dict[str, str]:
    """SHA-256 of everything that must stay, by what it is."""
    found = {"WGSL": plumb(binary, "inspect", model, "--kernels"), "plans": plumb(binary, "inspect", model, "--json")}
    for name in sets:
        for level in ["L0", "L1"]:
            for outputs in [[], ["--outputs", MASK]] if model in LANDMARK_MODELS else [[]]:
                with tempfile.TemporaryDirectory() as folder:
                    options = ["--instructions", name, "--level", level, "--rounds", "1", "--save-outputs", folder]
                    plumb(binary, "bench", model, *options, *outputs)
                    for file in sorted(Path(folder).iterdir()):
                        found[f"{file.stem}, {name}, {level}"] = file.read_bytes()
    return {what: hashlib.sha256(content).hexdigest() for what, content in found.items()}


def ratio(before: Path, after: Path, model: str, rounds: int) -> str:
    times: dict[Path, list[float]] = {before: [], after: []}
    for turn in range(rounds):
        for binary in [before, after][:: -1 if turn % 2 else 1]:
            report = json.loads(plumb(binary, "bench", model, "--rounds", "20", "--json"))
            times[binary].append(report["median_ms"])
    of_rounds = sorted(new / old for old, new in zip(times[before], times[after]))
    low, high = of_rounds[len(of_rounds) // 4], of_rounds[-1 - len(of_rounds) // 4]
    return f"time {statistics.median(of_rounds):.3f} of before, half of the rounds within {low:.3f} to {high:.3f}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("before", type=Path)
    arguments.add_argument("after", type=Path)
    arguments.add_argument("--rounds", type=int, default=0)
    options = arguments.parse_args()
    before, after = options.before.resolve(), options.after.resolve()

    models = [entry["name"] for entry in tomllib.loads((ROOT / "models/manifest.toml").read_text())["model"]]
    sets = instruction_sets(after)
    differs = False
    for model in models:
        if subprocess.run([before, "inspect", model], cwd=ROOT, capture_output=True).returncode != 0:
            print(f"{model}: the build from before does not read it")
            continue
        old, new = digests(before, model, sets), digests(after, model, sets)
        different = [what for what in sorted(old | new) if old.get(what) != new.get(what)]
        differs |= bool(different)
        print(f"{model}: {len(new)} compared, " + ("different: " + "; ".join(different) if different else "all the same"))
        if options.rounds:
            print(f"{model}: {ratio(before, after, model, options.rounds)}", flush=True)
    sys.exit(1 if differs else 0)


if __name__ == "__main__":
    main()
