"""Vision networks as ONNX files, for the benches: published architectures at their published sizes, with random weights.

Usage (Python with the packages of tests/reference/requirements.txt):
    python tests/bench/networks.py FOLDER [NAME...]

Writes FOLDER/NAME.onnx for each name, all of `NETWORKS` where none is given. What a network computes means nothing; what
counts is that each layer has the shape, and each pattern of nodes the form, that exporters give the real one. Weights are
drawn so that values keep their magnitude, and batch normalisations are part of convolutions, as exporters leave them.
`cargo xtask bench --networks` times them in a browser, `native.py --models NAME.onnx` natively.
"""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx

sys.path.append(str(Path(__file__).resolve().parents[1] / "reference"))
from onnx_families import Built, Network
from onnx_net import Value, ints

CLASSES = 1000


def block(net: Network, x: Value, out: int, kernel: int = 1, stride: int = 1) -> Value:
    """YOLO's and RTMPose's convolution."""
    return net.silu(net.conv(x, out, kernel, stride))


def depthwise(net: Network, x: Value, kernel: int, stride: int = 1) -> Value:
    return net.conv(x, x.shape[1], kernel, stride, groups=x.shape[1])


def damped(net: Network, x: Value, out: int, kernel: int = 1) -> Value:
    """A convolution whose result is added to what it was made of: small, so that sums do not grow from block to block."""
    k = x.shape[1]
    weights = net.normal(out, k, kernel, kernel, scale=0.3 / math.sqrt(k * kernel * kernel))
    bias = net.normal(out, scale=0.1)
    return net("Conv", x, weights, bias, pads=[kernel // 2] * 4, kernel_shape=[kernel] * 2)


def max_pool(net: Network, x: Value, kernel: int, stride: int, padding: int, ceil: int = 0) -> Value:
    window = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4}
    return net("MaxPool", x, ceil_mode=ceil, **window)


def enlarged(net: Network, x: Value) -> Value:
    """Twice as many rows and columns, as PyTorch writes it."""
    scales = np.array([1, 1, 2, 2], np.float32)
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return net("Resize", x, None, scales, mode="nearest", **how)


def resnet18(net: Network) -> Built:
    """He et al., 2015, without bottlenecks."""
    x = max_pool(net, net("Relu", net.conv(net.picture(3, 224, 224), 64, 7, 2)), 3, 2, 1)
    for out, first in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for stride in (first, 1):
            y = damped(net, net("Relu", net.conv(x, out, 3, stride)), out, 3)
            same = x.shape[1] == out and stride == 1
            x = net("Relu", net("Add", y, x if same else net.conv(x, out, 1, stride)))
    return [net.classify(x, CLASSES)]


def resnet50(net: Network) -> Built:
    """He et al., 2015, as torchvision has it: the stride is in the 3x3 convolution."""
    x = max_pool(net, net("Relu", net.conv(net.picture(3, 224, 224), 64, 7, 2)), 3, 2, 1)
    for width, count, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(count):
            stride = first if index == 0 else 1
            y = net("Relu", net.conv(net("Relu", net.conv(x, width)), width, 3, stride))
            y = damped(net, y, 4 * width)
            x = net("Relu", net("Add", y, x if index > 0 else net.conv(x, 4 * width, 1, stride)))
    return [net.classify(x, CLASSES)]


def inverted(net: Network, x: Value, out: int, stride: int, expand: int) -> Value:
    """MobileNet v2's block."""
    y = net.relu6(net.conv(x, x.shape[1] * expand)) if expand > 1 else x
    y = net.relu6(depthwise(net, y, 3, stride))
    if stride == 1 and out == x.shape[1]:
        return net("Add", x, damped(net, y, out))
    return net.conv(y, out)


def mobilenet_v2(net: Network) -> Built:
    """Sandler et al., 2018, width 1."""
    x = net.relu6(net.conv(net.picture(3, 224, 224), 32, 3, 2))
    blocks = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expand, out, count, first in blocks:
        for index in range(count):
            x = inverted(net, x, out, first if index == 0 else 1, expand)
    return [net.classify(net.relu6(net.conv(x, 1280)), CLASSES)]


# Kernel, expanded channels, output channels, whether channels are weighed, whether it is hard swish, stride.
MOBILENET_V3 = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)


def mobilenet_v3(net: Network) -> Built:
    """Howard et al., 2019, large."""
    x = net("HardSwish", net.conv(net.picture(3, 224, 224), 16, 3, 2))
    for kernel, expanded, out, weighs, swishes, stride in MOBILENET_V3:
        act = "HardSwish" if swishes else "Relu"
        y = net(act, net.conv(x, expanded)) if expanded != x.shape[1] else x
        y = net(act, depthwise(net, y, kernel, stride))
        if weighs:
            squeezed = -(-expanded // 32) * 8
            gate = net("Relu", net.conv(net("GlobalAveragePool", y), squeezed))
            y = net("Mul", y, net("HardSigmoid", net.conv(gate, expanded), alpha=1 / 6))
        same = stride == 1 and out == x.shape[1]
        x = net("Add", x, damped(net, y, out)) if same else net.conv(y, out)
    x = net("HardSwish", net.conv(x, 960))
    x = net("Flatten", net("GlobalAveragePool", x), axis=1)
    x = net("HardSwish", net("Gemm", x, net.normal(1280, 960, scale=0.04), net.normal(1280, scale=0.1), transB=1))
    return [net("Gemm", x, net.normal(CLASSES, 1280, scale=0.03), net.normal(CLASSES, scale=0.1), transB=1)]


def efficientnet_lite0(net: Network) -> Built:
    """The size 0 as converters from TensorFlow leave it: channels last outside, borders that are not symmetric."""

    def conv(x: Value, out: int, kernel: int, stride: int, groups: int = 1, magnitude: float = 2) -> Value:
        k = x.shape[1] // groups
        weights = net.normal(out, k, kernel, kernel, scale=math.sqrt(magnitude / (k * kernel * kernel)))
        bias = net.normal(out, scale=0.1)
        return net("Conv", x, weights, bias, group=groups, strides=[stride] * 2, auto_pad="SAME_UPPER")

    x = net("Transpose", net.input(net.normal(1, 224, 224, 3)), perm=[0, 3, 1, 2])
    x = net.relu6(conv(x, 32, 3, 2))
    blocks = (
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    )
    for expand, kernel, first, out, count in blocks:
        for index in range(count):
            stride = first if index == 0 else 1
            y = net.relu6(conv(x, x.shape[1] * expand, 1, 1)) if expand > 1 else x
            y = net.relu6(conv(y, y.shape[1], kernel, stride, groups=y.shape[1]))
            same = stride == 1 and out == x.shape[1]
            y = conv(y, out, 1, 1, magnitude=0.1 if same else 2)
            x = net("Add", x, y) if same else y
    y = net("Transpose", net.relu6(conv(x, 1280, 1, 1)), perm=[0, 2, 3, 1])
    y = net("ReduceMean", y, axes=[1, 2], keepdims=0)
    y = net("Add", net("MatMul", y, net.normal(1280, CLASSES, scale=0.03)), net.normal(CLASSES))
    return [net("Softmax", y, axis=-1)]


def shufflenet_v2(net: Network) -> Built:
    """Ma et al., 2018, width 1, as torchvision has it."""

    def branch(x: Value, out: int, stride: int) -> Value:
        x = depthwise(net, net("Relu", net.conv(x, out)), 3, stride)
        return net("Relu", net.conv(x, out))

    def shuffled(x: Value) -> Value:
        n, channels, rows, columns = x.shape
        x = net("Reshape", x, ints(n, 2, channels // 2, rows, columns))
        return net("Reshape", net("Transpose", x, perm=[0, 2, 1, 3, 4]), ints(n, channels, rows, columns))

    x = max_pool(net, net("Relu", net.conv(net.picture(3, 224, 224), 24, 3, 2)), 3, 2, 1)
    for channels, count in ((116, 4), (232, 8), (464, 4)):
        half = channels // 2
        left = net("Relu", net.conv(depthwise(net, x, 3, 2), half))
        x = shuffled(net("Concat", left, branch(x, half, 2), axis=1))
        for _ in range(count - 1):
            left, right = net.all_of(2, "Split", x, ints(half, half), axis=1)
            x = shuffled(net("Concat", left, branch(right, half, 1), axis=1))
    x = net("Relu", net.conv(x, 1024))
    mean = net("ReduceMean", x, axes=[2, 3], keepdims=0)
    return [net("Gemm", mean, net.normal(CLASSES, 1024, scale=0.03), net.normal(CLASSES, scale=0.1), transB=1)]


def squeezenet(net: Network) -> Built:
    """Iandola et al., 2016, version 1.1."""

    def fire(x: Value, squeezed: int, out: int) -> Value:
        x = net("Relu", net.conv(x, squeezed))
        return net("Concat", net("Relu", net.conv(x, out)), net("Relu", net.conv(x, out, 3)), axis=1)

    picture = net.picture(3, 224, 224)
    weights = net.normal(64, 3, 3, 3, scale=0.27)
    x = net("Relu", net("Conv", picture, weights, net.normal(64, scale=0.1), strides=[2, 2], kernel_shape=[3, 3]))
    for sizes in (((16, 64), (16, 64)), ((32, 128), (32, 128)), ((48, 192), (48, 192), (64, 256), (64, 256))):
        x = max_pool(net, x, 3, 2, 0, ceil=1)
        for squeezed, out in sizes:
            x = fire(x, squeezed, out)
    x = net("GlobalAveragePool", net("Relu", net.conv(x, CLASSES)))
    return [net("Flatten", x, axis=1)]


def yolo_pose(net: Network) -> Built:
    """YOLOv8n-pose at 640 x 640: three sizes, boxes from distributions, points beside anchors."""

    def cross_stage(x: Value, out: int, count: int, adds: bool) -> Value:
        half = out // 2
        parts = net.all_of(2, "Split", block(net, x, out), ints(half, half), axis=1)
        for _ in range(count):
            y = block(net, block(net, parts[-1], half, 3), half, 3)
            parts = [*parts, net("Add", parts[-1], y) if adds else y]
        return block(net, net("Concat", *parts, axis=1), out)

    x = block(net, block(net, net.picture(3, 640, 640), 16, 3, 2), 32, 3, 2)
    x = cross_stage(x, 32, 1, True)
    third = cross_stage(block(net, x, 64, 3, 2), 64, 2, True)
    fourth = cross_stage(block(net, third, 128, 3, 2), 128, 2, True)
    x = cross_stage(block(net, fourth, 256, 3, 2), 256, 1, True)
    pools = [block(net, x, 128)]
    for _ in range(3):
        pools.append(max_pool(net, pools[-1], 5, 1, 2))
    fifth = block(net, net("Concat", *pools, axis=1), 256)
    fourth = cross_stage(net("Concat", enlarged(net, fifth), fourth, axis=1), 128, 1, False)
    third = cross_stage(net("Concat", enlarged(net, fourth), third, axis=1), 64, 1, False)
    fourth = cross_stage(net("Concat", block(net, third, 64, 3, 2), fourth, axis=1), 128, 1, False)
    fifth = cross_stage(net("Concat", block(net, fourth, 128, 3, 2), fifth, axis=1), 256, 1, False)

    n_points, reach = 17, 16
    boxes, points, anchors, strides = [], [], [], []
    for level, stride in ((third, 8), (fourth, 16), (fifth, 32)):
        rows, columns = level.shape[2:]
        sides, score, point = (
            net.conv(block(net, block(net, level, width, 3), width, 3), out)
            for width, out in ((64, 4 * reach), (64, 1), (51, 3 * n_points))
        )
        boxes.append(net("Reshape", net("Concat", sides, score, axis=1), ints(1, 4 * reach + 1, -1)))
        points.append(net("Reshape", point, ints(1, 3 * n_points, -1)))
        at = np.stack(np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)).reshape(1, 2, -1)
        anchors.append(at.astype(np.float32))
        strides.append(np.full((1, rows * columns), stride, np.float32))
    anchor, stride = np.concatenate(anchors, axis=2), np.concatenate(strides, axis=1)
    distribution, score = net.all_of(2, "Split", net("Concat", *boxes, axis=2), ints(4 * reach, 1), axis=1)
    total = anchor.shape[2]
    sides = net("Transpose", net("Reshape", distribution, ints(1, 4, reach, total)), perm=[0, 2, 1, 3])
    sides = net("Conv", net("Softmax", sides, axis=1), np.arange(reach, dtype=np.float32).reshape(1, reach, 1, 1))
    sides = net("Reshape", sides, ints(1, 4, total))
    first = net("Sub", anchor, net("Slice", sides, ints(0), ints(2), ints(1)))
    last = net("Add", anchor, net("Slice", sides, ints(2), ints(4), ints(1)))
    centre = net("Div", net("Add", first, last), np.float32(2))
    box = net("Mul", net("Concat", centre, net("Sub", last, first), axis=1), stride)
    point = net("Reshape", net("Concat", *points, axis=2), ints(1, n_points, 3, total))
    place = net("Slice", point, ints(0), ints(2), ints(2))
    place = net("Add", net("Mul", place, np.float32(2)), anchor.reshape(1, 1, 2, -1) - np.float32(0.5))
    place = net("Mul", place, stride.reshape(1, 1, 1, -1))
    sure = net("Sigmoid", net("Slice", point, ints(2), ints(3), ints(2)))
    point = net("Reshape", net("Concat", place, sure, axis=2), ints(1, 3 * n_points, total))
    return [net("Concat", box, net("Sigmoid", score), point, axis=1)]


def simcc(net: Network) -> Built:
    """RTMPose-s at 256 x 192: CSPNeXt, and a coordinate from two distributions behind one unit of gated attention."""

    def depthwise_block(x: Value, out: int) -> Value:
        return block(net, net.silu(depthwise(net, x, 5)), out)

    def cross_stage(x: Value, out: int, count: int, adds: bool) -> Value:
        half = out // 2
        short, main = block(net, x, half), block(net, x, half)
        for _ in range(count):
            y = depthwise_block(block(net, main, half, 3), half)
            main = net("Add", y, main) if adds else y
        x = net("Concat", main, short, axis=1)
        gate = net("HardSigmoid", net.conv(net("GlobalAveragePool", x), out), alpha=1 / 6)
        return block(net, net("Mul", x, gate), out)

    x = block(net, net.picture(3, 256, 192), 16, 3, 2)
    x = block(net, block(net, x, 16, 3), 32, 3)
    for out, count, adds in ((64, 1, True), (128, 2, True), (256, 2, True), (512, 1, False)):
        x = block(net, x, out, 3, 2)
        if out == 512:
            pools = [block(net, x, 256)]
            pools += [max_pool(net, pools[0], kernel, 1, kernel // 2) for kernel in (5, 9, 13)]
            x = block(net, net("Concat", *pools, axis=1), 512)
        x = cross_stage(x, out, count, adds)

    n_points, width = 17, 256
    x = net.conv(x, n_points, 7)
    x = net("Reshape", x, ints(1, n_points, -1))

    def scale_norm(x: Value) -> Value:
        length = net("ReduceL2", x, axes=[2], keepdims=1)
        length = net("Clip", net("Mul", length, np.float32(x.shape[2] ** -0.5)), np.float32(1e-5), None)
        return net("Mul", net("Div", x, length), net.normal(1, scale=0.1) + 1)

    x = net("MatMul", scale_norm(x), net.normal(x.shape[2], width, scale=0.15))
    units, keys = 2 * width, 128
    both = net.silu(net("MatMul", scale_norm(x), net.normal(width, 2 * units + keys, scale=0.06)))
    gates, values, base = net.all_of(3, "Split", both, ints(units, units, keys), axis=2)
    pairs = net("Mul", net("Unsqueeze", base, ints(2)), net.normal(1, 1, 2, keys))
    query, key = net.all_of(2, "Split", net("Add", pairs, net.normal(2, keys, scale=0.1)), axis=2)
    query, key = net("Squeeze", query, ints(2)), net("Squeeze", key, ints(2))
    kernel = net("MatMul", query, net("Transpose", key, perm=[0, 2, 1]))
    kernel = net("Pow", net("Relu", net("Div", kernel, np.float32(keys**0.5))), np.float32(2))
    y = net("MatMul", net("Mul", gates, net("MatMul", kernel, values)), net.normal(units, width, scale=0.05))
    x = net("Add", net("Mul", x, net.normal(width, scale=0.1) + 1), y)
    return [net("MatMul", x, net.normal(width, 2 * size, scale=0.06)) for size in (192, 256)]


def unet(net: Network) -> Built:
    """Ronneberger et al., 2015, a quarter as wide, with borders: a mask of 256 x 256."""

    def twice(x: Value, out: int) -> Value:
        return net("Relu", net.conv(net("Relu", net.conv(x, out, 3)), out, 3))

    x, skips = net.picture(3, 256, 256), []
    for out in (16, 32, 64, 128):
        x = twice(x, out)
        skips.append(x)
        x = max_pool(net, x, 2, 2, 0)
    x = twice(x, 256)
    for skip in reversed(skips):
        out, k = skip.shape[1], x.shape[1]
        x = net("ConvTranspose", x, net.normal(k, out, 2, 2, scale=k**-0.5), net.normal(out, scale=0.1), strides=[2, 2])
        x = twice(net("Concat", skip, x, axis=1), out)
    return [net("Sigmoid", net.conv(x, 1))]


# With the operator set that exporters use for each.
NETWORKS: dict[str, tuple[int, Callable[[Network], Built]]] = {
    "resnet18": (17, resnet18),
    "resnet50": (17, resnet50),
    "mobilenet-v2": (12, mobilenet_v2),
    "mobilenet-v3": (14, mobilenet_v3),
    "efficientnet-lite0": (13, efficientnet_lite0),
    "shufflenet-v2": (17, shufflenet_v2),
    "squeezenet": (17, squeezenet),
    "yolo-pose": (17, yolo_pose),
    "simcc": (17, simcc),
    "unet": (17, unet),
}


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or NETWORKS:
        opset, build = NETWORKS[name]
        net = Network(1, opset)
        outputs = build(net)
        worst = max(float(np.abs(output.array).max()) for output in outputs)
        if not math.isfinite(worst):
            sys.exit(f"{name}: its outputs are not finite")
        file = folder / f"{name}.onnx"
        onnx.save(net.model(outputs), str(file))
        print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB, outputs up to {worst:.1f}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
