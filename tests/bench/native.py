"""Times Plumbline's CPU backend beside its native peers on this machine, one thread each, in turns: LiteRT (XNNPACK) on the
models of the manifest, onnxruntime on ONNX files.

Usage (any Python 3.11+, after `cargo xtask models` and `cargo build --release -p plumb`):
    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 numpy onnx==1.23.2 onnxruntime==1.31.1
    venv/bin/python tests/bench/native.py [--models lite,full,heavy,detector,selfie,selfie-landscape] [--rounds 10] [--frames 20]
    venv/bin/python tests/bench/networks.py FOLDER
    venv/bin/python tests/bench/native.py --models FOLDER/resnet18.onnx,FOLDER/squeezenet.onnx

Both get the same picture, and their outputs are compared before anything is timed. A round times every entrant, in
turns forwards and backwards; what is compared is the median frame of each round. Printed is the median over the rounds
and its ratio to the peer with the 95 % bootstrap interval of that ratio, drawn by rounds with a fixed seed. A peer runs
what the file holds; Plumbline once the same and, of landmark models, once without the person mask, which its product
computes only where somebody asks for it.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# Largest allowed difference as a part of the tensor's largest magnitude.
TOLERANCE = 1e-3
WARM_UP = 5
LANDMARK_MODELS = ["lite", "full", "heavy"]


def read_model(name: str) -> bytes:
    manifest = tomllib.loads((ROOT / "models/manifest.toml").read_text())
    entry = next(entry for entry in manifest["model"] if entry["name"] == name)
    data = (ROOT / "models/node_modules" / entry["package"] / entry["file"]).read_bytes()
    start, end = entry.get("byte_range", (0, len(data)))
    return data[start:end]


def picture(shape: list[int]) -> np.ndarray:
    """That of `plumb bench`."""
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((index * 31 % 256).astype(np.float32) / np.float32(255.0)).reshape(shape)


class Peer:
    """A runtime inside of this process."""

    def run(self) -> None:
        raise NotImplementedError

    def outputs(self) -> dict[str, np.ndarray]:
        raise NotImplementedError

    def median(self, frames: int) -> float:
        for _ in range(WARM_UP):
            self.run()
        times = []
        for _ in range(frames):
            start = time.perf_counter()
            self.run()
            times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)


class LiteRt(Peer):
    """The interpreter with its default delegate."""

    def __init__(self, model: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(model_content=model, num_threads=1)
        self.interpreter.allocate_tensors()
        [entry] = self.interpreter.get_input_details()
        self.interpreter.set_tensor(entry["index"], picture(entry["shape"]))

    def run(self) -> None:
        self.interpreter.invoke()

    def outputs(self) -> dict[str, np.ndarray]:
        self.run()
        details = self.interpreter.get_output_details()
        return {detail["name"]: self.interpreter.get_tensor(detail["index"]).ravel() for detail in details}


class OnnxRuntime(Peer):
    """Its CPU provider, with all optimisations."""

    def __init__(self, file: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        [entry] = self.session.get_inputs()
        self.inputs = {entry.name: picture(entry.shape)}

    def run(self) -> None:
        self.found = self.session.run(None, self.inputs)

    def outputs(self) -> dict[str, np.ndarray]:
        self.run()
        names = [output.name for output in self.session.get_outputs()]
        return {name: values.ravel() for name, values in zip(names, self.found, strict=True)}


class Plumbline:
    """`plumb bench`, a process for each turn."""

    def __init__(self, plumb: Path, model: str, outputs: list[str], instructions: str | None) -> None:
        self.command = [str(plumb), "bench", model, "--json"]
        if outputs:
            self.command += ["--outputs", ",".join(outputs)]
        if instructions:
            self.command += ["--instructions", instructions]

    def run(self, *arguments: str) -> dict:
        found = subprocess.run([*self.command, *arguments], cwd=ROOT, capture_output=True, text=True)
        if found.returncode:
            sys.exit(found.stderr)
        return json.loads(found.stdout)

    def outputs(self) -> dict[str, np.ndarray]:
        with tempfile.TemporaryDirectory() as folder:
            self.run("--rounds", "1", "--save-outputs", folder)
            files = Path(folder).glob("*.f32")
            return {file.stem: np.fromfile(file, dtype="<f4") for file in files}

    def median(self, frames: int) -> float:
        return self.run("--rounds", str(frames))["median_ms"]


def compare(model: str, expected: dict[str, np.ndarray], actual: dict[str, np.ndarray]) -> float:
    """The largest difference over the magnitude, of the outputs that both have."""
    worst = 0.0
    for name, values in actual.items():
        if values.shape != expected[name].shape:
            sys.exit(f"{model}: {name} has {values.size} values instead of {expected[name].size}")
        magnitude = float(np.abs(expected[name]).max())
        worst = max(worst, float(np.abs(values - expected[name]).max()) / magnitude)
    if not actual or not worst <= TOLERANCE:
        sys.exit(f"{model}: outputs differ by {worst:.1e} of their magnitude; nothing is timed")
    return worst


def interval(values: list[float], base: list[float]) -> tuple[float, float]:
    """The middle 95 % of the ratio of medians, over rounds drawn with replacement."""
    draw = random.Random(1)
    rounds = range(len(values))
    ratios = []
    for _ in range(2000):
        picked = draw.choices(rounds, k=len(values))
        ratios.append(statistics.median(values[k] for k in picked) / statistics.median(base[k] for k in picked))
    ratios.sort()
    return ratios[49], ratios[1949]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--models", default="lite,full,heavy,detector,selfie,selfie-landscape", help="names, and paths of .onnx files"
    )
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--frames", type=int, default=20)
    arguments.add_argument("--plumb", type=Path, default=ROOT / "target/release/plumb")
    arguments.add_argument("--instructions", default="", help="names for `plumb bench`, each an entrant of its own")
    options = arguments.parse_args()

    print(f"{'model':19}{'runtime':38}{'median ms':>10}{'ratio':>8}  interval")
    for model in options.models.split(","):
        is_onnx = model.endswith(".onnx")
        peer = OnnxRuntime(Path(model)) if is_onnx else LiteRt(read_model(model))
        expected = peer.outputs()
        first = f"{'onnxruntime' if is_onnx else 'LiteRT'}, all outputs"
        entrants: dict[str, Peer | Plumbline] = {first: peer}
        for instructions in options.instructions.split(","):
            note = f", {instructions}" if instructions else ""
            path = str(Path(model).resolve()) if is_onnx else model
            plumbline = Plumbline(options.plumb, path, list(expected), instructions or None)
            entrants[f"Plumbline, all outputs{note}"] = plumbline
            if model in LANDMARK_MODELS:
                entrants[f"Plumbline, no mask{note}"] = Plumbline(options.plumb, model, [], instructions or None)
        worst = max(compare(model, expected, entrant.outputs()) for entrant in list(entrants.values())[1:])
        times: dict[str, list[float]] = {name: [] for name in entrants}
        for turn in range(options.rounds):
            for name in list(entrants)[:: -1 if turn % 2 else 1]:
                times[name].append(entrants[name].median(options.frames))
        base, shown = times[first], Path(model).stem
        for name, values in times.items():
            ratio = statistics.median(values) / statistics.median(base)
            low, high = interval(values, base)
            print(f"{shown:19}{name:38}{statistics.median(values):10.2f}{ratio:8.2f}  [{low:.2f}, {high:.2f}]")
        print(f"{'':19}outputs agree within {worst:.1e} of their magnitude", flush=True)


if __name__ == "__main__":
    main()
