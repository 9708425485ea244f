"""Small networks of the kinds that vision and movement models are made of, as their exporters write them.

Each is built from the published architecture, thin and with random weights: what counts is that every pattern of nodes is
there. `onnx_cases.py` writes them as its group `families`.
"""

import math
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto

from onnx_net import Net, Operand, Value, ints, run_onnxruntime, single


class Network(Net):
    """A net that is built on purpose: each node is what onnxruntime makes of it, and nothing is dropped."""

    def __init__(self, seed: int, opset: int) -> None:
        super().__init__(seed)
        self.opset = opset

    def evaluate(self, node: onnx.NodeProto, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        return run_onnxruntime(single(node, feeds, self.opset), feeds)

    def __call__(self, op: str, *operands: Operand, **attributes: object) -> Value:
        value = self.add(op, *operands, **attributes)
        assert value is not None
        return value

    def all_of(self, n: int, op: str, *operands: Operand, **attributes: object) -> list[Value]:
        self.add(op, *operands, n=n, **attributes)
        return self.values[-n:]

    def picture(self, channels: int, rows: int, columns: int) -> Value:
        return self.input(self.normal(1, channels, rows, columns))

    def conv(self, x: Value, out: int, kernel: int = 1, stride: int = 1, groups: int = 1, bias: bool = True) -> Value:
        channels = x.shape[1] // groups
        weights = self.normal(out, channels, kernel, kernel, scale=math.sqrt(2 / (channels * kernel * kernel)))
        more = [self.normal(out, scale=0.1)] if bias else []
        return self(
            "Conv",
            x,
            weights,
            *more,
            group=groups,
            strides=[stride] * 2,
            pads=[kernel // 2] * 4,
            kernel_shape=[kernel] * 2,
        )

    def norm(self, x: Value) -> Value:
        n = x.shape[1]
        spread = np.abs(self.normal(n, scale=0.2)) + 0.8
        return self(
            "BatchNormalization",
            x,
            self.normal(n, scale=0.1) + 1,
            *(self.normal(n, scale=0.1) for _ in range(2)),
            spread,
        )

    def relu6(self, x: Value) -> Value:
        return self("Clip", x, np.float32(0), np.float32(6))

    def silu(self, x: Value) -> Value:
        return self("Mul", x, self("Sigmoid", x))

    def linear(self, x: Value, out: int) -> Value:
        """As exporters write it for tensors of three axes."""
        k = x.shape[-1]
        return self("Add", self.normal(out, scale=0.1), self("MatMul", x, self.normal(k, out, scale=k**-0.5)))

    def classify(self, x: Value, n: int = 10) -> Value:
        flat = self("Flatten", self("GlobalAveragePool", x), axis=1)
        k = flat.shape[1]
        return self("Gemm", flat, self.normal(n, k, scale=k**-0.5), self.normal(n, scale=0.1), transB=1)


Built = list[Value]


def mobilenet_v1(net: Network) -> Built:
    x = net("Relu", net.norm(net.conv(net.picture(3, 64, 64), 8, 3, 2, bias=False)))
    for out, stride in ((16, 1), (24, 2), (24, 1), (32, 2)):
        x = net.relu6(net.norm(net.conv(x, x.shape[1], 3, stride, groups=x.shape[1], bias=False)))
        x = net.relu6(net.norm(net.conv(x, out, bias=False)))
    return [net("Softmax", net.classify(x), axis=1)]


def mobilenet_v2(net: Network) -> Built:
    x = net.relu6(net.conv(net.picture(3, 64, 48), 8, 3, 2))
    for out, stride, expand in ((8, 1, 1), (12, 2, 6), (12, 1, 6), (16, 2, 6), (16, 1, 6)):
        y = net.relu6(net.conv(x, x.shape[1] * expand)) if expand > 1 else x
        y = net.relu6(net.conv(y, y.shape[1], 3, stride, groups=y.shape[1]))
        y = net.conv(y, out)
        x = net("Add", x, y) if stride == 1 and out == x.shape[1] else y
    return [net.classify(net.relu6(net.conv(x, 48)))]


def squeeze_and_excite(net: Network, x: Value, gate: Callable[[Value], Value]) -> Value:
    y = net("ReduceMean", x, axes=[2, 3], keepdims=1) if not net.since(18) else net("GlobalAveragePool", x)
    y = net("Relu", net.conv(y, max(4, x.shape[1] // 4)))
    return net("Mul", x, gate(net.conv(y, x.shape[1])))


def mobilenet_v3(net: Network) -> Built:
    x = net("HardSwish", net.conv(net.picture(3, 65, 49), 8, 3, 2))
    for out, kernel, stride, expand, has_gate in (
        (8, 3, 2, 2, True),
        (12, 3, 1, 4, False),
        (12, 5, 2, 4, True),
        (12, 5, 1, 6, True),
    ):
        y = net("HardSwish", net.conv(x, x.shape[1] * expand))
        y = net("HardSwish", net.conv(y, y.shape[1], kernel, stride, groups=y.shape[1]))
        if has_gate:
            y = squeeze_and_excite(net, y, lambda z: net("HardSigmoid", z, alpha=1 / 6))
        y = net.conv(y, out)
        x = net("Add", x, y) if stride == 1 and out == x.shape[1] else y
    # The same function as older exporters write it.
    y = net.conv(x, 48)
    y = net("Div", net("Mul", y, net.relu6(net("Add", y, np.float32(3)))), np.float32(6))
    return [net.classify(y)]


def efficientnet_lite(net: Network) -> Built:
    """As converters from TensorFlow leave it: channels last outside, borders that are not symmetric."""

    def conv(x: Value, out: int, kernel: int, stride: int, groups: int = 1) -> Value:
        channels = x.shape[1] // groups
        weights = net.normal(out, channels, kernel, kernel, scale=math.sqrt(2 / (channels * kernel * kernel)))
        bias = net.normal(out, scale=0.1)
        return net("Conv", x, weights, bias, group=groups, strides=[stride] * 2, auto_pad="SAME_UPPER")

    picture = net.input(net.normal(1, 56, 56, 3))
    x = net.relu6(conv(net("Transpose", picture, perm=[0, 3, 1, 2]), 8, 3, 2))
    for out, kernel, stride in ((12, 3, 2), (12, 5, 1), (16, 5, 2), (16, 3, 1)):
        y = net.relu6(conv(x, x.shape[1] * 4, 1, 1))
        y = net.relu6(conv(y, y.shape[1], kernel, stride, groups=y.shape[1]))
        y = conv(y, out, 1, 1)
        x = net("Add", x, y) if stride == 1 and out == x.shape[1] else y
    y = net("Transpose", net.relu6(conv(x, 40, 1, 1)), perm=[0, 2, 3, 1])
    y = net("ReduceMean", y, axes=[1, 2], keepdims=0)
    y = net("Add", net("MatMul", y, net.normal(40, 7, scale=0.15)), net.normal(7))
    return [net("Softmax", y, axis=-1)]


def resnet(net: Network) -> Built:
    x = net("Relu", net.norm(net.conv(net.picture(3, 71, 55), 8, 7, 2, bias=False)))
    x = net("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for out, stride in ((16, 1), (16, 1), (32, 2), (32, 1)):
        y = net("Relu", net.norm(net.conv(x, out // 4, bias=False)))
        y = net("Relu", net.norm(net.conv(y, out // 4, 3, stride, bias=False)))
        y = net.norm(net.conv(y, out, bias=False))
        same = x.shape[1] == out and stride == 1
        x = net("Relu", net("Add", y, x if same else net.norm(net.conv(x, out, 1, stride, bias=False))))
    return [net.classify(x)]


def resnext(net: Network) -> Built:
    x = net("Relu", net.conv(net.picture(3, 40, 40), 16, 3, 2))
    for out, groups in ((32, 8), (32, 4), (32, 2)):
        y = net("Relu", net.conv(x, 16))
        y = net("Relu", net.conv(y, 16, 3, groups=groups))
        x = net("Relu", net("Add", net.conv(y, out), net.conv(x, out)))
    return [net.classify(x)]


def shufflenet_v2(net: Network) -> Built:
    x = net("Relu", net.conv(net.picture(3, 64, 64), 16, 3, 2))
    for _ in range(3):
        n, channels, rows, columns = x.shape
        half = channels // 2
        left, right = net.all_of(2, "Split", x, ints(half, half), axis=1)
        right = net("Relu", net.conv(right, half))
        right = net("Relu", net.conv(net.conv(right, half, 3, groups=half), half))
        x = net("Concat", left, right, axis=1)
        x = net("Reshape", x, ints(n, 2, half, rows, columns))
        x = net("Reshape", net("Transpose", x, perm=[0, 2, 1, 3, 4]), ints(n, -1, rows, columns))
    return [net.classify(x)]


def unet(net: Network) -> Built:
    x = net.picture(3, 48, 64)
    skips = []
    for out in (8, 12, 16):
        x = net("Relu", net.conv(net("Relu", net.conv(x, out, 3)), out, 3))
        skips.append(x)
        x = net("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = net("Relu", net.conv(x, 20, 3))
    for index, skip in enumerate(reversed(skips)):
        out = skip.shape[1]
        if index == 1:
            x = net(
                "Resize",
                x,
                None,
                np.array([1, 1, 2, 2], np.float32),
                mode="linear",
                coordinate_transformation_mode="half_pixel",
            )
        else:
            k = x.shape[1]
            x = net("ConvTranspose", x, net.normal(k, out, 2, 2, scale=(1 / k) ** 0.5), net.normal(out), strides=[2, 2])
        x = net("Relu", net.conv(net("Concat", x, skip, axis=1), out, 3))
    return [net("Sigmoid", net.conv(x, 1)), net("ArgMax", net.conv(x, 3), axis=1, keepdims=0)]


def deeplab(net: Network) -> Built:
    """Dilated convolutions side by side, the picture's mean among them."""
    x = net("Relu", net.conv(net("Relu", net.conv(net.picture(3, 65, 65), 8, 3, 2)), 12, 3, 2))
    parts = [net("Relu", net.conv(x, 8))]
    for rate in (2, 4):
        weights = net.normal(8, 12, 3, 3, scale=0.1)
        parts.append(net("Relu", net("Conv", x, weights, net.normal(8), dilations=[rate] * 2, pads=[rate] * 4)))
    mean = net("Relu", net.conv(net("GlobalAveragePool", x), 8))
    rows, columns = x.shape[2:]
    parts.append(
        net(
            "Resize",
            mean,
            None,
            None,
            ints(1, 8, rows, columns),
            mode="linear",
            coordinate_transformation_mode="align_corners",
        )
    )
    y = net.conv(net("Concat", *parts, axis=1), 5)
    return [
        net("Resize", y, None, None, ints(1, 5, 65, 65), mode="linear", coordinate_transformation_mode="align_corners")
    ]


def hrnet(net: Network) -> Built:
    """Heatmaps of key points from two sizes that exchange what they know."""
    high = net("Relu", net.conv(net("Relu", net.conv(net.picture(3, 64, 48), 8, 3, 2)), 8, 3, 2))
    low = net("Relu", net.conv(high, 16, 3, 2))
    for _ in range(2):
        high = net("Relu", net("Add", high, net.conv(net("Relu", net.conv(high, 8, 3)), 8, 3)))
        low = net("Relu", net("Add", low, net.conv(net("Relu", net.conv(low, 16, 3)), 16, 3)))
        up = net(
            "Resize",
            net.conv(low, 8),
            None,
            np.array([1, 1, 2, 2], np.float32),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        down = net.conv(high, 16, 3, 2)
        high, low = net("Relu", net("Add", high, up)), net("Relu", net("Add", low, down))
    return [net.conv(high, 17)]


def yolo_pose(net: Network) -> Built:
    """YOLOv8-pose: split and concatenate, pyramid pools, two sizes, boxes from distributions, points beside anchors."""

    def block(x: Value, out: int, kernel: int = 1, stride: int = 1) -> Value:
        return net.silu(net.conv(x, out, kernel, stride))

    def cross_stage(x: Value, out: int) -> Value:
        a, b = net.all_of(2, "Split", block(x, out), ints(out // 2, out // 2), axis=1)
        c = net("Add", b, block(block(b, out // 2, 3), out // 2, 3))
        return block(net("Concat", a, b, c, axis=1), out)

    x = cross_stage(block(block(net.picture(3, 64, 96), 8, 3, 2), 12, 3, 2), 12)
    small = cross_stage(block(x, 16, 3, 2), 16)
    large = block(small, 16, 3, 2)
    y = block(large, 8)
    pools = [y]
    for _ in range(3):
        pools.append(net("MaxPool", pools[-1], kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4))
    large = block(net("Concat", *pools, axis=1), 16)
    up = net(
        "Resize",
        large,
        None,
        np.array([1, 1, 2, 2], np.float32),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    small = cross_stage(net("Concat", up, small, axis=1), 16)
    n_points, reach = 17, 16
    boxes, points, anchors, strides = [], [], [], []
    for level, stride in ((small, 8), (large, 16)):
        rows, columns = level.shape[2:]
        both = net("Concat", net.conv(block(level, 16, 3), 4 * reach), net.conv(block(level, 16, 3), 1), axis=1)
        boxes.append(net("Reshape", both, ints(1, 4 * reach + 1, -1)))
        points.append(net("Reshape", net.conv(block(level, 16, 3), 3 * n_points), ints(1, 3 * n_points, -1)))
        at = np.stack(np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)).reshape(1, 2, -1)
        anchors.append(at.astype(np.float32))
        strides.append(np.full((1, rows * columns), stride, np.float32))
    anchor, stride = np.concatenate(anchors, axis=2), np.concatenate(strides, axis=1)
    distribution, score = net.all_of(2, "Split", net("Concat", *boxes, axis=2), ints(4 * reach, 1), axis=1)
    total = anchor.shape[2]
    sides = net("Transpose", net("Reshape", distribution, ints(1, 4, reach, total)), perm=[0, 2, 1, 3])
    sides = net("Softmax", sides, axis=1)
    sides = net("Conv", sides, np.arange(reach, dtype=np.float32).reshape(1, reach, 1, 1))
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
    """RTMPose: a head that reads a coordinate from two distributions, behind one unit of gated attention."""
    n_points = 17
    x = net.silu(net.conv(net.picture(3, 64, 48), 12, 3, 2))
    for out in (16, 24):
        x = net.silu(net.conv(x, out, 3, 2))
        y = net.silu(net.conv(net.silu(net.conv(x, out)), out, 5, groups=out))
        gate = net("HardSigmoid", net.conv(net("GlobalAveragePool", y), out), alpha=1 / 6)
        x = net("Add", x, net("Mul", y, gate))
    x = net.conv(x, n_points, 7)
    x = net("Reshape", x, ints(1, n_points, -1))

    def scale_norm(x: Value) -> Value:
        length = net("ReduceL2", x, axes=[2], keepdims=1)
        length = net("Clip", net("Mul", length, np.float32(x.shape[2] ** -0.5)), np.float32(1e-5), None)
        return net("Mul", net("Div", x, length), net.normal(1, scale=0.1) + 1)

    x = net("MatMul", scale_norm(x), net.normal(x.shape[2], 32, scale=0.2))
    skip = x
    gates, values, base = net.all_of(
        3,
        "Split",
        net.silu(net("MatMul", scale_norm(x), net.normal(32, 2 * 48 + 16, scale=0.2))),
        ints(48, 48, 16),
        axis=2,
    )
    pairs = net(
        "Add", net("Mul", net("Unsqueeze", base, ints(2)), net.normal(1, 1, 2, 16)), net.normal(2, 16, scale=0.1)
    )
    query, key = net.all_of(2, "Split", pairs, axis=2)
    query, key = net("Squeeze", query, ints(2)), net("Squeeze", key, ints(2))
    kernel = net("MatMul", query, net("Transpose", key, perm=[0, 2, 1]))
    kernel = net("Pow", net("Relu", net("Div", kernel, np.float32(4))), np.float32(2))
    x = net("MatMul", net("Mul", gates, net("MatMul", kernel, values)), net.normal(48, 32, scale=0.15))
    x = net("Add", net("Mul", skip, net.normal(32, scale=0.1) + 1), x)
    return [net("MatMul", x, net.normal(32, 2 * size, scale=0.2)) for size in (48, 64)]


def movenet(net: Network) -> Built:
    """MoveNet single pose: the decoder is part of the graph, with whole numbers for places."""
    picture = net.input(net.random.integers(0, 256, (1, 64, 64, 3)).astype(np.int32))
    x = net("Cast", picture, to=TensorProto.FLOAT)
    x = net("Sub", net("Mul", x, np.float32(2 / 255)), np.float32(1))
    x = net("Transpose", x, perm=[0, 3, 1, 2])
    x = net.relu6(net.conv(net.relu6(net.conv(x, 8, 3, 2)), 16, 3, 2))
    low = net.relu6(net.conv(x, 24, 3, 2))
    up = net(
        "Resize",
        net.conv(low, 16),
        None,
        None,
        ints(1, 16, 16, 16),
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    x = net("Relu", net("Add", x, up))
    n_points, side = 17, 16

    def head(out: int) -> Value:
        y = net("Relu", net.conv(net.conv(x, 16, 3, groups=16), 24))
        return net("Transpose", net.conv(y, out), perm=[0, 2, 3, 1])

    heat, centre = net("Sigmoid", head(n_points)), net("Sigmoid", head(1))
    shifts, offsets = head(2 * n_points), head(2 * n_points)
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1)
    weight = np.exp(-((places - side / 2) ** 2).sum(-1) / 60).astype(np.float32).reshape(1, side, side, 1)
    best = net("ArgMax", net("Reshape", net("Mul", centre, weight), ints(-1)), axis=0, keepdims=0)
    row, column = net("Div", best, np.int64(side)), net("Mod", best, np.int64(side))
    at = net("Add", net("Mul", row, np.int64(side)), column)
    shift = net("Reshape", net("Gather", net("Reshape", shifts, ints(side * side, -1)), at, axis=0), ints(n_points, 2))
    begin = net(
        "Concat",
        *(net("Unsqueeze", net("Cast", part, to=TensorProto.FLOAT), ints(0)) for part in (row, column)),
        axis=0,
    )
    expected = net("Add", shift, begin)
    # Each point is looked for near where it is expected.
    grid = places.reshape(side, side, 1, 2).astype(np.float32)
    away = net("Sub", grid, net("Reshape", expected, ints(1, 1, n_points, 2)))
    distance = net("Sqrt", net("ReduceSum", net("Mul", away, away), ints(3), keepdims=0))
    near = net("Div", net("Squeeze", heat, ints(0)), net("Add", distance, np.float32(1.8)))
    found = net("ArgMax", net("Reshape", near, ints(side * side, n_points)), axis=0, keepdims=0)
    flat = net("Add", net("Mul", found, np.int64(n_points)), np.arange(n_points, dtype=np.int64))
    offset = net("Gather", net("Reshape", offsets, ints(side * side * n_points, 2)), flat, axis=0)
    score = net("Gather", net("Reshape", heat, ints(side * side * n_points)), flat, axis=0)
    cells = net(
        "Concat",
        *(
            net("Unsqueeze", net("Cast", net(op, found, np.int64(side)), to=TensorProto.FLOAT), ints(1))
            for op in ("Div", "Mod")
        ),
        axis=1,
    )
    point = net("Div", net("Add", cells, offset), np.float32(side))
    return [net("Reshape", net("Concat", point, net("Unsqueeze", score, ints(1)), axis=1), ints(1, 1, n_points, 3))]


def tcn(net: Network) -> Built:
    """A temporal convolutional network on key points: causal, dilated, residual."""
    x = net.input(net.normal(1, 34, 50))
    for out, dilation in ((16, 1), (16, 2), (16, 4), (16, 8)):
        k = x.shape[1]
        y = net(
            "Conv",
            x,
            net.normal(out, k, 3, scale=(2 / (3 * k)) ** 0.5),
            net.normal(out, scale=0.1),
            dilations=[dilation],
            pads=[2 * dilation, 0],
        )
        y = net("Relu", y)
        skip = x if k == out else net("Conv", x, net.normal(out, k, 1, scale=k**-0.5))
        x = net("Relu", net("Add", y, skip))
    last = net("Gather", x, np.int64(-1), axis=2)
    return [
        net("Gemm", last, net.normal(5, 16, scale=0.25), net.normal(5), transB=1),
        net("Conv", x, net.normal(5, 16, 1, scale=0.25)),
    ]


def st_gcn(net: Network) -> Built:
    """A graph convolution over joints, then one over time."""

    def project(x: Value, out: int, stride: int) -> Value:
        k = x.shape[1]
        return net("Conv", x, net.normal(out, k, 1, 1, scale=k**-0.5), strides=[stride, 1])

    joints, parts = 17, 3
    x = net.input(net.normal(1, 3, 24, joints))
    n, c, t, v = x.shape
    y = net("Reshape", net("Transpose", x, perm=[0, 3, 1, 2]), ints(n, v * c, t))
    y = net.norm(y)
    x = net("Transpose", net("Reshape", y, ints(n, v, c, t)), perm=[0, 2, 3, 1])
    adjacency = np.abs(net.normal(parts, joints, joints, scale=0.2))
    for out, stride in ((8, 1), (8, 1), (16, 2)):
        y = net.conv(x, out * parts)
        n, _, t, v = y.shape
        y = net("Einsum", net("Reshape", y, ints(n, parts, out, t, v)), adjacency, equation="nkctv,kvw->nctw")
        y = net("Relu", net.norm(y))
        weights = net.normal(out, out, 9, 1, scale=(2 / (9 * out)) ** 0.5)
        y = net.norm(net("Conv", y, weights, net.normal(out, scale=0.1), pads=[4, 0, 4, 0], strides=[stride, 1]))
        same = stride == 1 and x.shape[1] == out
        x = net("Relu", net("Add", y, x if same else net.norm(project(x, out, stride))))
    return [net("Flatten", net.conv(net("GlobalAveragePool", x), 6), axis=1)]


def transformer(net: Network) -> Built:
    """ViTPose: patches, attention, and heatmaps by transposed convolutions."""
    width, heads = 32, 4
    x = net("Conv", net.picture(3, 64, 48), net.normal(width, 3, 8, 8, scale=0.1), net.normal(width), strides=[8, 8])
    rows, columns = x.shape[2:]
    n = rows * columns
    x = net("Transpose", net("Reshape", x, ints(1, width, n)), perm=[0, 2, 1])
    x = net("Add", x, net.normal(1, n, width, scale=0.2))
    for _ in range(2):
        y = net("LayerNormalization", x, net.normal(width, scale=0.1) + 1, net.normal(width, scale=0.1), axis=-1)
        y = net("Reshape", net.linear(y, 3 * width), ints(1, n, 3, heads, width // heads))
        y = net("Transpose", y, perm=[2, 0, 3, 1, 4])
        query, key, value = (net("Gather", y, np.int64(index), axis=0) for index in range(3))
        query = net("Mul", query, np.float32((width // heads) ** -0.5))
        weight = net("Softmax", net("MatMul", query, net("Transpose", key, perm=[0, 1, 3, 2])), axis=-1)
        y = net("Transpose", net("MatMul", weight, value), perm=[0, 2, 1, 3])
        x = net("Add", x, net.linear(net("Reshape", y, ints(1, n, width)), width))
        y = net.linear(
            net("LayerNormalization", x, net.normal(width, scale=0.1) + 1, net.normal(width, scale=0.1), axis=-1),
            2 * width,
        )
        y = net(
            "Mul",
            net("Mul", y, net("Add", net("Erf", net("Div", y, np.float32(2**0.5))), np.float32(1))),
            np.float32(0.5),
        )
        x = net("Add", x, net.linear(y, width))
    x = net("Reshape", net("Transpose", x, perm=[0, 2, 1]), ints(1, width, rows, columns))
    for out in (16, 16):
        k = x.shape[1]
        x = net("ConvTranspose", x, net.normal(k, out, 4, 4, scale=(1 / (4 * k)) ** 0.5), strides=[2, 2], pads=[1] * 4)
        x = net("Relu", net.norm(x))
    return [net.conv(x, 17)]


def recurrent(net: Network) -> Built:
    """Actions from key points over time, one frame after the other."""
    frames, width, hidden = 20, 34, 12
    x = net("Transpose", net.input(net.normal(1, frames, width)), perm=[1, 0, 2])
    for op, gates, directions in (("LSTM", 4, 2), ("GRU", 3, 1)):
        k = x.shape[2]
        weights = [net.normal(directions, gates * hidden, size, scale=size**-0.5) for size in (k, hidden)]
        more = {"direction": "bidirectional"} if directions == 2 else {"linear_before_reset": 1}
        n_outputs = 3 if op == "LSTM" else 2
        y, *_ = net.all_of(
            n_outputs,
            op,
            x,
            *weights,
            net.normal(directions, 2 * gates * hidden, scale=0.1),
            hidden_size=hidden,
            **more,
        )
        y = net("Transpose", y, perm=[0, 2, 1, 3])
        x = net("Reshape", y, ints(frames, 1, directions * hidden))
    last = net("Gather", x, np.int64(-1), axis=0)
    return [net("Softmax", net("Gemm", last, net.normal(hidden, 5, scale=0.3), net.normal(5)), axis=1)]


# With the operator set that exporters use for each.
FAMILIES: dict[str, tuple[int, Callable[[Network], Built]]] = {
    "mobilenet_v1": (11, mobilenet_v1),
    "mobilenet_v2": (12, mobilenet_v2),
    "mobilenet_v3": (14, mobilenet_v3),
    "efficientnet_lite": (13, efficientnet_lite),
    "resnet": (17, resnet),
    "resnext": (17, resnext),
    "shufflenet_v2": (17, shufflenet_v2),
    "unet": (17, unet),
    "deeplab": (13, deeplab),
    "hrnet": (13, hrnet),
    "yolo_pose": (17, yolo_pose),
    "simcc": (17, simcc),
    "movenet": (13, movenet),
    "tcn": (17, tcn),
    "st_gcn": (13, st_gcn),
    "transformer": (17, transformer),
    "recurrent": (17, recurrent),
}


def network(seed: int, family: tuple[int, Callable[[Network], Built]]) -> tuple[Network, Built]:
    """A network of a family, and its outputs."""
    opset, build = family
    net = Network(seed, opset)
    return net, build(net)
