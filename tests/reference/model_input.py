"""Writes what OpenCV and Pillow make of a small picture, for tests/fixtures/model_input.json.

    python tests/reference/model_input.py tests/fixtures/model_input.json

Needs what requirements-pictures.txt names. Sizes and places follow
Ultralytics' LetterBox, YOLOX's preproc, torchvision's Resize and CenterCrop, and MMPose's TopdownAffine; resizing is
done by the libraries, and the numbers by numpy.
"""

import json
import sys

import cv2
import numpy as np
from PIL import Image


def picture(width, height):
    """Levels that a test can compute as well: slopes with sharp edges between them."""
    x, y, c = np.meshgrid(np.arange(width), np.arange(height), np.arange(3), indexing="xy")
    return ((x * 7 + y * 13 + c * 50 + (x * y) % 17 * 9) % 256).astype(np.uint8)


def resized(image, size, interpolation):
    if interpolation == "antialiased":
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    flag = {"bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}[interpolation]
    return cv2.resize(image, size, interpolation=flag)


def placed(image, case):
    """The picture in the input, and (scaled width, scaled height, left, top)."""
    height, width = image.shape[:2]
    to_width, to_height = case["size"]
    border = tuple(case["border"])
    if case["resize"] == "stretch":
        return resized(image, (to_width, to_height), case["interpolation"]), (to_width, to_height, 0, 0)
    if case["resize"] in ("letterbox", "letterbox-corner"):
        factor = min(to_height / height, to_width / width)
        scaled = round(width * factor), round(height * factor)
        left = top = 0
        if case["resize"] == "letterbox":
            left = round((to_width - scaled[0]) / 2 - 0.1)
            top = round((to_height - scaled[1]) / 2 - 0.1)
        if case["interpolation"] == "warp":
            matrix = np.float64([[scaled[0] / width, 0, left], [0, scaled[1] / height, top]])
            found = cv2.warpAffine(image, matrix, (to_width, to_height), flags=cv2.INTER_LINEAR)
        else:
            found = np.full((to_height, to_width, 3), border, np.uint8)
            part = resized(image, scaled, case["interpolation"])
            found[top : top + scaled[1], left : left + scaled[0]] = part
        return found, (*scaled, left, top)
    shorter = case["shorter_side_px"]
    short, long = min(width, height), max(width, height)
    other = int(shorter * long / short)
    scaled = (shorter, other) if width <= height else (other, shorter)
    left = int(round((scaled[0] - to_width) / 2.0))
    top = int(round((scaled[1] - to_height) / 2.0))
    whole = resized(image, scaled, case["interpolation"])
    return whole[top : top + to_height, left : left + to_width], (*scaled, -left, -top)


PLAIN = {
    "size": [16, 12],
    "resize": "stretch",
    "shorter_side_px": None,
    "border": [0, 0, 0],
    "interpolation": "bilinear",
    "colours": "rgb",
    "range": [0, 1],
    "mean": [0, 0, 0],
    "std": [1, 1, 1],
    "planes": False,
}
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
LEVELS = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "range": [0, 255]}
CASES = [
    ([41, 23], {}),
    ([9, 7], {}),
    ([16, 12], {}),
    ([41, 23], {"interpolation": "nearest"}),
    ([9, 7], {"interpolation": "nearest", "range": [-1, 1]}),
    ([41, 23], {"resize": "letterbox", "border": [114, 114, 114]}),
    ([23, 41], {"resize": "letterbox", "border": [114, 114, 114], "planes": True, "colours": "bgr"}),
    ([9, 5], {"resize": "letterbox-corner", "border": [114, 113, 112], "colours": "bgr", "range": [0, 255]}),
    ([41, 23], {"resize": "letterbox", "interpolation": "warp", "size": [12, 16], "planes": True, **LEVELS}),
    ([57, 44], {"resize": "centre-crop", "shorter_side_px": 14, "size": [12, 12], "interpolation": "antialiased",
                "planes": True, **IMAGENET}),
    ([44, 57], {"resize": "centre-crop", "shorter_side_px": 14, "size": [12, 12], "interpolation": "antialiased",
                **IMAGENET}),
    ([10, 13], {"resize": "centre-crop", "shorter_side_px": 18, "size": [12, 16], "interpolation": "antialiased"}),
    ([44, 57], {"resize": "centre-crop", "shorter_side_px": 14, "size": [12, 12]}),
]


def main():
    cases = []
    for (width, height), changes in CASES:
        case = {**PLAIN, **changes}
        levels, placement = placed(picture(width, height), case)
        if case["colours"] == "bgr":
            levels = levels[:, :, ::-1]
        low, high = case["range"]
        values = levels.astype(np.float64) / 255 * (high - low) + low
        values = (values - np.float64(case["mean"])) / np.float64(case["std"])
        if case["planes"]:
            values = values.transpose(2, 0, 1)
        cases.append({
            **case,
            "picture": [width, height],
            "placement": placement,
            "values": [round(value, 5) for value in values.flatten().tolist()],
        })
    with open(sys.argv[1], "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")


main()
