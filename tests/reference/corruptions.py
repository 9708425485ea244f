"""Writes what Pillow and NumPy make of a picture under each corruption, for tests/fixtures/corruptions.json.

    python tests/reference/corruptions.py tests/fixtures/corruptions.json
    python tests/reference/corruptions.py tests/fixtures/corruptions.json --check

Needs what requirements-pictures.txt names. Blur, JPEG and rotation are Pillow's own, the others the formula of
core/src/corrupt as NumPy computes it. The picture is odd on both sides, so that borders are met, and made by a formula
that the test repeats: `seed = seed * 1664525 + 1013904223`, of which the upper bits are taken.
"""

import io
import json
import sys

import numpy as np
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 31, 27


def picture():
    seed = 7
    values = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            for channel in range(3):
                seed = (seed * 1664525 + 1013904223) % 2**32
                edge = 90 if (x // 9 + y // 7) % 2 else 0
                values[y, x, channel] = 20 + 2 * x + 2 * y * (channel == 1) + edge + seed // 2**27
    return values


def levels(values):
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(file).convert("RGB"))


def area_weights(side, small):
    """Row i: which share of each old pixel the i-th new one shows."""
    edges = np.arange(small + 1) * side / small
    pixel = np.arange(side)
    low, high = edges[:-1, None], edges[1:, None]
    return np.clip(np.minimum(pixel + 1, high) - np.maximum(pixel, low), 0, None) * small / side


def shrunk(values, factor):
    height, width = (int(side * factor + 0.5) for side in values.shape[:2])
    rows, columns = area_weights(HEIGHT, height), area_weights(WIDTH, width)
    out = np.zeros_like(values)
    top, left = (HEIGHT - height) // 2, (WIDTH - width) // 2
    out[top : top + height, left : left + width] = levels(np.einsum("iy,yxc,jx->ijc", rows, values.astype(float), columns))
    return out


def occluded(values, level):
    out = values.copy()
    bar = int(HEIGHT * level / 10 + 0.5)
    top = (HEIGHT - bar) // 2
    out[top : top + bar, WIDTH // 4 : WIDTH - WIDTH // 4] = 128
    return out


def cases():
    clean = picture()
    real = clean.astype(float)
    image = Image.fromarray(clean)
    means = real.mean((0, 1))
    cast = np.array([[1.0, f, f] for f in (0.95, 0.9, 0.85, 0.8, 0.75)])
    for index in range(5):
        level = index + 1
        yield "blur", level, np.asarray(image.filter(ImageFilter.GaussianBlur((1, 2, 3, 4, 6)[index])))
        yield "jpeg", level, jpeg(image, (25, 18, 15, 10, 7)[index])
        yield "rotation", level, np.asarray(image.rotate((5, 10, 20, 30, 45)[index], Image.Resampling.BILINEAR))
        yield "dark", level, levels(real * (0.8, 0.6, 0.45, 0.3, 0.2)[index])
        yield "bright", level, levels(real + 25.5 * level)
        yield "contrast", level, levels((real - means) * (0.4, 0.3, 0.2, 0.1, 0.05)[index] + means)
        yield "occlusion", level, occluded(clean, level)
        yield "scale", level, shrunk(clean, (0.8, 0.6, 0.45, 0.3, 0.2)[index])
        yield "colour-cast", level, levels(real * cast[index])
    yield "mirrored", 1, clean[:, ::-1]


def main():
    rows = [{"corruption": kind, "severity": level, "rgb": out.tobytes().hex()} for kind, level, out in cases()]
    fixture = {"width": WIDTH, "height": HEIGHT, "clean": picture().tobytes().hex(), "cases": rows}
    text = json.dumps(fixture, indent=0) + "\n"
    if "--check" in sys.argv:
        with open(sys.argv[1], encoding="utf-8") as file:
            same = file.read() == text
        print("the fixture is what Pillow and NumPy make" if same else "the fixture differs")
        sys.exit(not same)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(text)


main()
