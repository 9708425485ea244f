"""Writes what LiteRT computes for a fixed input, tensor by tensor, as small JSON fixtures.

Usage (any Python 3.10+):
    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 numpy flatbuffers
    venv/bin/python tests/reference/litert.py models/node_modules/@mediapipe tests/fixtures [NAME...]

Goes in: the four BlazePose files of the npm package @mediapipe/pose and the two of @mediapipe/selfie_segmentation. Comes
out: litert_NAME.json with, for each tensor that an operator writes: its index in the file, name, shape, minimum, maximum,
mean, mean absolute value and samples at evenly spaced positions (more of them for the model's outputs).

The selfie models end in an operator that only XNNPACK knows, which leaves no intermediate tensors to compare with. Their
outputs are XNNPACK's; all other tensors are the reference kernels' on a copy that ends before that operator.

The input is made of integers so that Rust and Python agree to the last bit: a bright disc on a ramp with noise, see
`pattern`; the twin is `pattern` in tests/tests/litert_parity.rs.
"""

import json
import sys
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

MODELS = {
    "detector": ("pose/pose_solution_packed_assets.data", -1.0, 1.0),
    "lite": ("pose/pose_landmark_lite.tflite", 0.0, 1.0),
    "full": ("pose/pose_landmark_full.tflite", 0.0, 1.0),
    "heavy": ("pose/pose_landmark_heavy.tflite", 0.0, 1.0),
    "selfie": ("selfie_segmentation/selfie_segmentation.tflite", 0.0, 1.0),
    "selfie-landscape": ("selfie_segmentation/selfie_segmentation_landscape.tflite", 0.0, 1.0),
}
SAMPLES = 16
OUTPUT_SAMPLES = 256


def pattern(height: int, width: int, low: float, high: float) -> np.ndarray:
    """[1, height, width, 3] f32 in [low, high]; element i is made from integers below 2**24 alone."""
    index = np.arange(height * width * 3, dtype=np.uint64)
    y, x, c = index // (width * 3), index // 3 % width, index % 3
    noise = (index * 2654435761 % 2**32) >> 26
    ramp = (x + 2 * y + 40 * c) % 256
    radius = min(height, width) // 5
    inside = (x.astype(np.int64) - width // 2) ** 2 + (y.astype(np.int64) - height // 3) ** 2 < radius**2
    level = np.where(inside, 220 - noise // 2, ramp // 2 + noise).astype(np.float32)
    unit = level / np.float32(256.0)
    return (unit * np.float32(high - low) + np.float32(low)).reshape(1, height, width, 3)


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


def before_custom(content: bytes) -> bytes | None:
    """The same model without its first operator that is not in the schema and those behind it; None where all are."""
    model = schema.ModelT.InitFromPackedBuf(content)
    [graph] = model.subgraphs
    custom = schema.BuiltinOperator.CUSTOM
    codes = [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators]
    if custom not in codes:
        return None
    first = codes.index(custom)
    graph.outputs = [graph.operators[first].inputs[0]]
    graph.operators = graph.operators[:first]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run(content: bytes, low: float, high: float, resolver: OpResolverType) -> Interpreter:
    interpreter = Interpreter(
        model_content=content,
        # XNNPACK fuses operators and leaves no intermediate tensors to compare with.
        experimental_preserve_all_tensors=resolver != OpResolverType.AUTO,
        experimental_op_resolver_type=resolver,
    )
    interpreter.allocate_tensors()
    [entry] = interpreter.get_input_details()
    _, height, width, _ = (int(size) for size in entry["shape"])
    interpreter.set_tensor(entry["index"], pattern(height, width, low, high))
    interpreter.invoke()
    return interpreter


def main(weights: Path, out: Path, names: list[str]) -> None:
    for name in names or MODELS:
        file, low, high = MODELS[name]
        content = (weights / file).read_bytes()
        cut = before_custom(content)
        interpreter = run(cut or content, low, high, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        whole = run(content, low, high, OpResolverType.AUTO) if cut else interpreter
        outputs = {detail["index"] for detail in whole.get_output_details()}
        written = {int(t) for op in interpreter._get_ops_details() if op["op_name"] not in ("DEQUANTIZE", "DENSIFY") for t in op["outputs"]}
        tensors = []
        for detail in sorted(interpreter.get_tensor_details(), key=lambda d: d["index"]):
            if detail["index"] in written - (outputs if cut else set()):
                samples = OUTPUT_SAMPLES if detail["index"] in outputs else SAMPLES
                tensors.append(describe(detail, interpreter.get_tensor(detail["index"]), samples))
        for detail in whole.get_output_details() if cut else []:
            tensors.append(describe(detail, whole.get_tensor(detail["index"]), OUTPUT_SAMPLES))
        lines = ",\n".join(json.dumps(tensor) for tensor in tensors)
        header = json.dumps({"model": name, "file": Path(file).name, "low": low, "high": high})[:-1]
        (out / f"litert_{name}.json").write_text(f'{header}, "tensors": [\n{lines}\n]}}\n')
        print(f"{name}: {len(tensors)} tensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
