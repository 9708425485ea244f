"""Writes where river 0.23.0's detectors alarm, for tests/fixtures/monitor_river.json.

    python tests/reference/monitor_river.py [--check]

Needs what requirements-metrics.txt names, on x86-64 (elsewhere a compiler may join a product and a sum). Streams are
seeds of a 64-bit linear congruential generator and need additions and products only, so that a test draws the same
ones to the last bit. `--check` computes everything again and compares with the fixture.
"""

import json
import pathlib
import sys

from river import drift
from river.drift import binary

FIXTURE = pathlib.Path(__file__).parents[1] / "fixtures" / "monitor_river.json"
N_VALUES = 3000
SEEDS = range(101, 141)


class Uniform:
    """x = 6364136223846793005 x + 1442695040888963407 mod 2^64, u = (x >> 11) / 2^53."""

    def __init__(self, seed):
        self.x = seed

    def __call__(self):
        self.x = (6364136223846793005 * self.x + 1442695040888963407) % 2**64
        return (self.x >> 11) / 2**53


def real(seed):
    """Five kinds, with a change in the middle."""
    u = Uniform(seed)
    values, memory = [], 0.0
    for i in range(N_VALUES):
        shift = 1.0 if i >= N_VALUES // 2 else 0.0
        bell = 0.0
        for _ in range(12):
            bell += u()
        bell -= 6.0
        kind = seed % 5
        if kind == 0:
            values.append(bell + shift)
        elif kind == 1:
            memory = 0.9 * memory + bell
            values.append(memory + shift)
        elif kind == 2:
            values.append(u() * (0.6 + 0.4 * shift))
        elif kind == 3:
            values.append(float(int(u() * 6.0)) - 2.0 * shift)
        else:
            # A slow rise without a jump.
            values.append(bell + i * 0.001)
    return values


def errors(seed):
    """0 and 1 with two chances of an error, the second from the middle on."""
    u = Uniform(seed)
    before = (0.02, 0.1, 0.3, 0.5)[seed % 4]
    after = (0.05, 0.2, 0.6, 0.9, 0.02)[seed % 5]
    return [int(u() < (before if i < N_VALUES // 2 else after)) for i in range(N_VALUES)]


CASES = [
    ("adwin", drift.ADWIN, real, [
        {},
        {"delta": 0.05, "clock": 1, "max_buckets": 3, "min_window_length": 1, "grace_period": 2},
        {"delta": 0.3, "clock": 7, "max_buckets": 2, "min_window_length": 20, "grace_period": 100},
    ]),
    ("page-hinkley", drift.PageHinkley, real, [
        {"threshold": 8.0},
        {"threshold": 3.0, "mode": "up", "min_instances": 5, "delta": 0.0},
        {"threshold": 12.5, "mode": "down", "alpha": 0.99, "delta": 0.1},
    ]),
    ("ddm", binary.DDM, errors, [
        {},
        {"warm_start": 5, "warning_threshold": 1.0, "drift_threshold": 1.5},
        {"warm_start": 100, "warning_threshold": 2.5, "drift_threshold": 4.0},
    ]),
    ("eddm", binary.EDDM, errors, [
        {},
        {"warm_start": 5, "alpha": 0.9, "beta": 0.7},
        {"warm_start": 60, "alpha": 0.99, "beta": 0.97},
    ]),
    ("hddm-a", binary.HDDM_A, errors, [
        {},
        {"two_sided_test": True},
        {"drift_confidence": 0.05, "warning_confidence": 0.2, "two_sided_test": True},
    ]),
    ("hddm-w", binary.HDDM_W, errors, [
        {},
        {"two_sided_test": True},
        {"drift_confidence": 0.01, "warning_confidence": 0.1, "lambda_val": 0.2, "two_sided_test": True},
    ]),
    ("fhddm", binary.FHDDM, errors, [
        {"confidence_level": 1e-3},
        {"confidence_level": 1e-3, "short_window_size": 25},
        {"sliding_window_size": 40, "confidence_level": 0.05, "short_window_size": 10},
    ]),
]


def run(make, settings, values):
    detector = make(**settings)
    found = {"drifts": [], "n_warnings": 0}
    for i, x in enumerate(values):
        detector.update(x)
        if detector.drift_detected:
            found["drifts"].append(i)
        found["n_warnings"] += getattr(detector, "warning_detected", False)
    if hasattr(detector, "width"):
        found["width"] = int(detector.width)
        found["estimation"] = detector.estimation
    return found


def main():
    cases = []
    for name, make, stream, all_settings in CASES:
        streams = {seed: stream(seed) for seed in SEEDS}
        for settings in all_settings:
            runs = [{"seed": seed} | run(make, settings, streams[seed]) for seed in SEEDS]
            named = [[key, str(value)] for key, value in settings.items()]
            n_drifts = sum(len(found["drifts"]) for found in runs)
            print(f"{name} {settings}: {n_drifts} drifts")
            cases.append({"detector": name, "settings": named, "runs": runs})
    made = {"n_values": N_VALUES, "cases": cases}
    if "--check" in sys.argv[1:]:
        assert json.loads(FIXTURE.read_text()) == made, f"{FIXTURE} holds other values than this river gives"
        print("the fixture holds what this river gives")
        return
    FIXTURE.write_text(json.dumps(made, separators=(",", ":")).replace('{"seed"', '\n{"seed"') + "\n")
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
