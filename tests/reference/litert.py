"""Writes what LiteRT computes for a fixed input, tensor by tensor, as small JSON fixtures.

Usage (any Python 3.10+):
    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 numpy
    venv/bin/python tests/reference/litert.py models/node_modules/@mediapipe/pose tests/fixtures

Goes in: the four BlazePose files of the npm package @mediapipe/pose. Comes out: litert_{detector,lite,full,heavy}.json
with, for each tensor that an operator writes: its index in the file, name, shape, minimum, maximum, mean, mean absolute
value and samples at evenly spaced positions (more of them for the model's outputs).

The input is made of integers so that Rust and Python agree to the last bit: a bright disc on a ramp with noise, see
`pattern`; the twin is `pattern` in tests/tests/litert_parity.rs.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

MODELS = {
    "detector": ("pose_solution_packed_assets.data", -1.0, 1.0),
    "lite": ("pose_landmark_lite.tflite", 0.0, 1.0),
    "full": ("pose_landmark_full.tflite", 0.0, 1.0),
    "heavy": ("pose_landmark_heavy.tflite", 0.0, 1.0),
}
SAMPLES = 16
OUTPUT_SAMPLES = 256


def pattern(size: int, low: float, high: float) -> np.ndarray:
    """[1, size, size, 3] f32 in [low, high]; element i is made from integers below 2**24 alone."""
    index = np.arange(size * size * 3, dtype=np.uint64)
    y, x, c = index // (size * 3), index // 3 % size, index % 3
    noise = (index * 2654435761 % 2**32) >> 26
    ramp = (x + 2 * y + 40 * c) % 256
    inside = (x.astype(np.int64) - size // 2) ** 2 + (y.astype(np.int64) - size // 3) ** 2 < (size // 5) ** 2
    level = np.where(inside, 220 - noise // 2, ramp // 2 + noise).astype(np.float32)
    unit = level / np.float32(256.0)
    return (unit * np.float32(high - low) + np.float32(low)).reshape(1, size, size, 3)


def short(value: float) -> float:
    """Seven significant digits: all that f32 holds."""
    return float(f"{value:.7g}")


def describe(detail: dict, data: np.ndarray, samples: int) -> dict:
    flat = data.astype(np.float64).ravel()
    count = min(samples, flat.size)
    positions = [int(k * flat.size // count) for k in range(count)]
    return {
        "tensor": detail["index"],
        "name": detail["name"],
        "shape": [int(n) for n in data.shape],
        "min": short(flat.min()),
        "max": short(flat.max()),
        "mean": short(flat.mean()),
        "mean_abs": short(np.abs(flat).mean()),
        "samples": [short(flat[p]) for p in positions],
    }


def main(weights: Path, out: Path) -> None:
    for name, (file, low, high) in MODELS.items():
        # The reference kernels: XNNPACK fuses operators and leaves no intermediate tensors to compare with.
        interpreter = Interpreter(
            model_content=(weights / file).read_bytes(),
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
        [entry] = interpreter.get_input_details()
        interpreter.set_tensor(entry["index"], pattern(int(entry["shape"][1]), low, high))
        interpreter.invoke()
        outputs = {detail["index"] for detail in interpreter.get_output_details()}
        written = {int(t) for op in interpreter._get_ops_details() if op["op_name"] not in ("DEQUANTIZE", "DENSIFY") for t in op["outputs"]}
        tensors = []
        for detail in sorted(interpreter.get_tensor_details(), key=lambda d: d["index"]):
            if detail["index"] in written:
                samples = OUTPUT_SAMPLES if detail["index"] in outputs else SAMPLES
                tensors.append(describe(detail, interpreter.get_tensor(detail["index"]), samples))
        lines = ",\n".join(json.dumps(tensor) for tensor in tensors)
        header = json.dumps({"model": name, "file": file, "low": low, "high": high})[:-1]
        (out / f"litert_{name}.json").write_text(f'{header}, "tensors": [\n{lines}\n]}}\n')
        print(f"{name}: {len(tensors)} tensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
