"""The steps of random graphs: each adds one node or a few to a net, of values that are there.

A step that finds no value of its kind raises NothingFits; one whose node is dropped leaves what it had added before.
"""

import numpy as np
from onnx import TensorProto

from onnx_net import Net, Value, ints

# Steps on images.


def window(net: Net, kernel: int, dilation: int = 1) -> dict[str, object]:
    """Strides and borders of a window that is `kernel` wide in both directions."""
    stride = int(net.pick(1, 1, 1, 2, 2, 3))
    attributes: dict[str, object] = {"kernel_shape": [kernel, kernel], "strides": [stride, stride]}
    reach = dilation * (kernel - 1)
    if net.chance(0.25):
        attributes["auto_pad"] = net.pick("SAME_UPPER", "SAME_LOWER", "VALID")
    else:
        half = reach // 2
        attributes["pads"] = net.pick([half] * 4, [0] * 4, [0, half, half, 0], [half, 0, 0, half])
    return attributes


def conv(net: Net) -> None:
    x = net.image()
    channels = x.shape[1]
    kernel = int(net.pick(1, 1, 3, 3, 3, 5))
    dilation = int(net.pick(1, 1, 1, 2)) if kernel > 1 else 1
    kind = net.pick("dense", "dense", "dense", "depthwise", "grouped")
    groups, out = 1, net.size(1, 12)
    if kind == "depthwise":
        groups, out = channels, channels * int(net.pick(1, 1, 2))
    elif kind == "grouped":
        groups = int(net.pick(*(g for g in range(1, channels + 1) if channels % g == 0)))
        out = groups * net.size(1, 4)
    attributes = window(net, kernel, dilation)
    if dilation > 1:
        if attributes.get("auto_pad", "VALID") != "VALID":
            del attributes["auto_pad"]
        attributes["dilations"] = [dilation, dilation]
    weights = net.normal(out, channels // groups, kernel, kernel, scale=(2 / (channels // groups * kernel**2)) ** 0.5)
    bias = [net.normal(out, scale=0.3)] if net.chance(0.6) else []
    y = net.add("Conv", x, weights, *bias, group=groups, **attributes)
    if y and net.chance(0.4):
        scale, shift, mean = (net.normal(out, scale=0.3) for _ in range(3))
        y = net.add("BatchNormalization", y, scale + 1, shift, mean, np.abs(net.normal(out)) + 0.5, epsilon=1e-3)
    if y and net.chance(0.6):
        activate(net, y)


def conv_1d(net: Net) -> None:
    x = net.image()
    n, channels, rows, columns = x.shape
    row = net.add("Reshape", x, ints(n, channels, rows * columns), exact=x.is_exact)
    if not row:
        return
    out, kernel = net.size(1, 8), int(net.pick(1, 3, 5))
    dilation = int(net.pick(1, 1, 2, 4))
    weights = net.normal(out, channels, kernel, scale=(1 / (channels * kernel)) ** 0.5)
    pads = net.pick([0, 0], [kernel // 2 * dilation] * 2, [(kernel - 1) * dilation, 0])
    y = net.add("Conv", row, weights, net.normal(out), pads=pads, dilations=[dilation], strides=[net.pick(1, 2)])
    if y:
        net.add("Reshape", y, ints(n, out, 1, y.shape[2]))


def conv_transpose(net: Net) -> None:
    x = net.image()
    channels, out = x.shape[1], net.size(1, 6)
    kernel = int(net.pick(2, 2, 3, 4))
    stride = int(net.pick(kernel, 1, 2))
    weights = net.normal(channels, out, kernel, kernel, scale=(1 / (channels * kernel)) ** 0.5)
    attributes: dict[str, object] = {"strides": [stride, stride]}
    if net.chance(0.3):
        attributes["pads"] = net.pick([1, 1, 1, 1], [0, 1, 1, 0])
    if stride > 1 and net.chance(0.3):
        attributes["output_padding"] = [1, 1]
    net.add("ConvTranspose", x, weights, net.normal(out, scale=0.3), **attributes)


def activate(net: Net, x: Value | None = None) -> None:
    x = x or net.floats()
    op = net.pick("Relu", "Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Elu", "Tanh",
                  "Softplus", "PRelu", "Silu", "Erf", "Gelu", "Mish")  # fmt: skip
    match op:
        case "Clip" if net.since(11):
            net.add("Clip", x, np.float32(0), np.float32(6))
        case "Clip":
            net.add("Clip", x, min=0.0, max=6.0)
        case "LeakyRelu" | "Elu":
            net.add(str(op), x, alpha=0.2)
        case "PRelu":
            net.add("PRelu", x, net.normal(x.shape[1], 1, 1) if x.rank == 4 else net.normal(1))
        case "Silu":
            gate = net.add("Sigmoid", x)
            if gate:
                net.add("Mul", x, gate)
        case "HardSwish" | "Gelu" | "Mish" if not net.since({"HardSwish": 14, "Gelu": 20, "Mish": 18}[str(op)]):
            net.add("Sigmoid", x)
        case _:
            net.add(str(op), x)


def max_pool(net: Net) -> None:
    x = net.image()
    kernel = int(net.pick(2, 3, 3))
    attributes = window(net, kernel)
    if net.since(11) and "auto_pad" not in attributes and net.chance(0.3):
        attributes["ceil_mode"] = 1
    net.add("MaxPool", x, exact=x.is_exact, **attributes)


def average_pool(net: Net) -> None:
    attributes = window(net, int(net.pick(2, 3, 3, 5)))
    attributes["count_include_pad"] = int(net.chance(0.5))
    if net.since(11) and "auto_pad" not in attributes and net.chance(0.2):
        attributes["ceil_mode"] = 1
    net.add("AveragePool", net.image(), **attributes)


def global_pool(net: Net) -> None:
    net.add(str(net.pick("GlobalAveragePool", "GlobalMaxPool")), net.image())


def residual(net: Net) -> None:
    a = net.floats()
    b = net.value(lambda value: value.shape == a.shape and value.array.dtype == np.float32)
    y = net.add(str(net.pick("Add", "Add", "Mul", "Sub")), a, b)
    if y and net.chance(0.4):
        net.add("Relu", y)


def squeeze_and_excite(net: Net) -> None:
    x = net.image()
    channels = x.shape[1]
    inner = max(1, channels // 2)
    y = net.add("GlobalAveragePool", x)
    y = y and net.add("Conv", y, net.normal(inner, channels, 1, 1), net.normal(inner))
    y = y and net.add("Relu", y)
    y = y and net.add("Conv", y, net.normal(channels, inner, 1, 1), net.normal(channels))
    y = y and net.add(str(net.pick("Sigmoid", "HardSigmoid")), y)
    if y:
        net.add("Mul", *net.pick((x, y), (y, x)))


def channel_shuffle(net: Net) -> None:
    x = net.image()
    n, channels, rows, columns = x.shape
    groups = int(net.pick(*(g for g in range(1, channels + 1) if channels % g == 0)))
    y = net.add("Reshape", x, ints(n, groups, channels // groups, rows, columns), exact=x.is_exact)
    y = y and net.add("Transpose", y, perm=[0, 2, 1, 3, 4], exact=x.is_exact)
    if y:
        net.add("Reshape", y, ints(n, -1, rows, columns), exact=x.is_exact)


def to_channels_last(net: Net) -> None:
    """As converters leave it behind: something between two transposes."""
    x = net.image()
    y = net.add("Transpose", x, perm=[0, 2, 3, 1], exact=x.is_exact)
    y = y and net.add(str(net.pick("Add", "Mul")), y, net.quarters(x.shape[1]), exact=False)
    if y and net.chance(0.7):
        net.add("Transpose", y, perm=[0, 3, 1, 2])


def concat(net: Net) -> None:
    a = net.floats(1)
    axis = int(net.random.integers(a.rank)) if a.rank != 4 or net.chance(0.3) else 1
    b = net.value(
        lambda value: (
            value.array.dtype == np.float32
            and value.rank == a.rank
            and all(i == axis or s == t for i, (s, t) in enumerate(zip(value.shape, a.shape, strict=True)))
        )
    )
    parts = [a, b, net.quarters(*a.shape)] if net.chance(0.2) else [a, b]
    net.add("Concat", *parts, axis=int(net.pick(axis, axis - a.rank)), exact=all(
        isinstance(part, np.ndarray) or part.is_exact for part in parts))  # fmt: skip


def split(net: Net) -> None:
    x = net.floats(1)
    axes = [axis for axis, size in enumerate(x.shape) if size > 1]
    if not axes:
        return
    axis = 1 if 1 in axes and x.rank == 4 and net.chance(0.7) else int(net.pick(*axes))
    first = int(net.random.integers(1, x.shape[axis]))
    sizes = [first, x.shape[axis] - first]
    if net.since(13):
        net.add("Split", x, ints(*sizes), axis=axis, n=2, exact=x.is_exact)
    else:
        net.add("Split", x, split=sizes, axis=axis, n=2, exact=x.is_exact)


def resize(net: Net) -> None:
    x = net.image()
    up = [float(net.pick(1, 2, 2, 3)), float(net.pick(1, 2, 2))]
    scales = np.array([1, 1, *up], dtype=np.float32)
    if not net.since(11):
        net.add("Upsample", x, scales, mode=str(net.pick("nearest", "linear")))
        return
    mode = str(net.pick("nearest", "linear", "linear", "cubic"))
    where = str(net.pick("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"))
    rounding = str(net.pick("round_prefer_floor", "floor")) if mode == "nearest" else None
    roi = None if net.since(13) else np.zeros(0, dtype=np.float32)
    if net.chance(0.5):
        sizes = ints(*x.shape[:2], net.size(2, 2 * x.shape[2] + 1), net.size(2, 2 * x.shape[3] + 1))
        empty = None if net.since(13) else np.zeros(0, dtype=np.float32)
        operands = [x, roi, empty, sizes]
    else:
        operands = [x, roi, scales]
    net.add("Resize", *operands, mode=mode, coordinate_transformation_mode=where, nearest_mode=rounding)


def pad(net: Net) -> None:
    x = net.floats(1)
    before, after = (net.random.integers(0, 3, x.rank) for _ in range(2))
    if x.rank == 4:
        before[:2] = after[:2] = 0
    mode = str(net.pick("constant", "constant", "reflect", "edge"))
    amounts = [int(amount) for amount in (*before, *after)]
    if net.since(11):
        net.add("Pad", x, ints(*amounts), mode=mode, exact=x.is_exact)
    else:
        net.add("Pad", x, pads=amounts, mode=mode, exact=x.is_exact)


def depth_to_space(net: Net) -> None:
    x = net.image()
    if x.shape[1] % 4 == 0:
        mode = str(net.pick("DCR", "CRD")) if net.since(11) else None
        net.add("DepthToSpace", x, blocksize=2, mode=mode, exact=x.is_exact)
    else:
        net.add("SpaceToDepth", x, blocksize=2, exact=x.is_exact)


def classify(net: Net) -> None:
    x = net.image()
    y = net.add("Flatten", x, axis=1, exact=x.is_exact)
    if not y:
        return
    k, n = y.shape[1], net.size(2, 10)
    if net.chance(0.5):
        weights, is_transposed = net.normal(n, k, scale=k**-0.5), 1
    else:
        weights, is_transposed = net.normal(k, n, scale=k**-0.5), 0
    alpha = float(net.pick(1.0, 1.0, 0.5))
    y = net.add("Gemm", y, weights, net.normal(n), transB=is_transposed, alpha=alpha)
    if y and net.chance(0.6):
        net.add(str(net.pick("Softmax", "LogSoftmax", "Sigmoid")), y)


def local_norm(net: Net) -> None:
    x = net.image()
    channels = x.shape[1]
    op = net.pick("LRN", "InstanceNormalization", "BatchNormalization")
    if op == "LRN":
        net.add("LRN", x, size=int(net.pick(1, 3, 5)), alpha=0.05, beta=0.75, bias=1.5)
    elif op == "InstanceNormalization":
        net.add("InstanceNormalization", x, net.normal(channels), net.normal(channels), epsilon=1e-2)
    else:
        scale, shift, mean = (net.normal(channels, scale=0.3) for _ in range(3))
        net.add("BatchNormalization", x, scale + 1, shift, mean, np.abs(net.normal(channels)) + 0.5)


# Steps on tensors of any rank.


def transpose(net: Net) -> None:
    x = net.floats(2)
    net.add("Transpose", x, perm=[int(axis) for axis in net.random.permutation(x.rank)], exact=x.is_exact)


def reshape(net: Net) -> None:
    x = net.floats(1)
    sizes = list(x.shape)
    for _ in range(2):
        at = int(net.random.integers(len(sizes)))
        if net.chance(0.5) and at + 1 < len(sizes):
            sizes[at : at + 2] = [sizes[at] * sizes[at + 1]]
        else:
            factors = [f for f in range(1, sizes[at] + 1) if sizes[at] % f == 0]
            first = int(net.pick(*factors))
            sizes[at : at + 1] = [first, sizes[at] // first]
    if net.chance(0.3):
        sizes[int(net.random.integers(len(sizes)))] = -1
    if len(sizes) <= 6:
        net.add("Reshape", x, ints(*sizes), exact=x.is_exact)


def squeeze(net: Net) -> None:
    x = net.floats()
    ones = [axis for axis, size in enumerate(x.shape) if size == 1]
    if ones and net.chance(0.5):
        op, axis = "Squeeze", int(net.pick(*ones))
    elif x.rank < 5:
        op, axis = "Unsqueeze", int(net.random.integers(x.rank + 1))
    else:
        return
    if net.since(13):
        net.add(op, x, ints(axis), exact=x.is_exact)
    else:
        net.add(op, x, axes=[axis], exact=x.is_exact)


def part(net: Net) -> None:
    x = net.floats(1)
    axis = int(net.random.integers(x.rank))
    size = x.shape[axis]
    start = int(net.random.integers(size))
    if net.since(11) and net.chance(0.4):
        net.add("Slice", x, ints(-1), ints(-(2**31)), ints(axis), ints(-int(net.pick(1, 2))), exact=x.is_exact)
    elif net.since(11):
        end = int(net.pick(size, 2**31 - 1, start + 1 + int(net.random.integers(size - start))))
        net.add("Slice", x, ints(start), ints(end), ints(axis), ints(int(net.pick(1, 1, 2))), exact=x.is_exact)
    else:
        net.add("Slice", x, axes=[axis], starts=[start], ends=[size], exact=x.is_exact)


def expand(net: Net) -> None:
    x = net.floats(1)
    if net.chance(0.5):
        shape = [net.size(2, 4) if size == 1 else 1 for size in x.shape]
        net.add("Expand", x, ints(*shape), exact=x.is_exact)
    else:
        net.add("Tile", x, ints(*(int(net.pick(1, 1, 2)) for _ in x.shape)), exact=x.is_exact)


def reduce(net: Net) -> None:
    x = net.floats(1)
    op = str(net.pick("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare", "ReduceL1"))
    n_axes = int(net.random.integers(1, x.rank + 1))
    axes = [int(axis) for axis in net.random.permutation(x.rank)[:n_axes]]
    keep = int(net.chance(0.5))
    if net.since(18) or (op == "ReduceSum" and net.since(13)):
        net.add(op, x, ints(*axes), keepdims=keep)
    else:
        net.add(op, x, axes=axes, keepdims=keep)


def matmul(net: Net) -> None:
    a = net.floats(2)
    fits = [value for value in net.values if value.rank >= 2 and value.shape[-2] == a.shape[-1]]
    live = [value for value in fits if value.array.dtype == np.float32]
    known = net.normal(a.shape[-1], net.size(1, 7), scale=a.shape[-1] ** -0.5)
    net.add("MatMul", a, net.pick(*live) if live and net.chance(0.6) else known)


def gemm(net: Net) -> None:
    a = net.value(lambda value: value.array.dtype == np.float32 and value.rank == 2)
    is_transposed = int(net.chance(0.5))
    k, n = a.shape[0 if is_transposed else 1], net.size(1, 6)
    bias = net.pick(net.normal(n), net.normal(1, n), net.normal(1))
    net.add("Gemm", a, net.normal(k, n, scale=k**-0.5), bias, transA=is_transposed, beta=0.5)


def choose(net: Net) -> None:
    a = net.exact(1)
    b = net.value(lambda value: value.shape == a.shape and value.array.dtype == np.float32)
    mask = net.add(str(net.pick("Greater", "Less")), a, np.float32(0.125))
    if mask:
        net.add("Where", mask, *net.pick((a, b), (b, np.float32(-1))))


def gather(net: Net) -> None:
    x = net.floats(1)
    axis = int(net.random.integers(x.rank))
    n = int(net.random.integers(1, 4))
    places = net.random.integers(-x.shape[axis] if net.since(11) else 0, x.shape[axis], n)
    net.add("Gather", x, places.astype(np.int64), axis=axis, exact=x.is_exact)


def running_sum(net: Net) -> None:
    x = net.floats(1)
    if net.since(11):
        axis = np.int64(net.random.integers(x.rank))
        net.add("CumSum", x, axis, exclusive=int(net.chance(0.3)), reverse=int(net.chance(0.3)))


def extreme(net: Net) -> None:
    x = net.exact(1)
    axis = int(net.random.integers(x.rank))
    y = net.add(str(net.pick("ArgMax", "ArgMin")), x, axis=axis, keepdims=int(net.chance(0.5)))
    if y and net.chance(0.7):
        net.add("Cast", y, to=TensorProto.FLOAT, exact=True)


def stepwise(net: Net) -> None:
    net.add(str(net.pick("Floor", "Ceil", "Sign", "Abs", "Neg")), net.exact(), exact=True)


def normalise(net: Net) -> None:
    x = net.floats(1)
    op = str(net.pick("Softmax", "LogSoftmax", "LayerNormalization"))
    if op == "LayerNormalization" and net.since(17):
        net.add(op, x, net.normal(x.shape[-1]), net.normal(x.shape[-1]), axis=-1, epsilon=1e-2)
    elif op != "LayerNormalization":
        net.add(op, x, axis=int(net.random.integers(x.rank)))


def einsum(net: Net) -> None:
    x = net.floats(2)
    if not net.since(13):
        return
    last = x.shape[-1]
    if x.rank == 4 and net.chance(0.5):
        # The graph convolution of skeletons.
        net.add("Einsum", x, net.normal(last, last, scale=last**-0.5), equation="nctv,vw->nctw")
    elif x.rank == 2:
        other = net.normal(last, 3, scale=last**-0.5)
        net.add("Einsum", x, other, equation=str(net.pick("ij,jk->ik", "ij,jk->ki", "ij,jk", "ij,jk->i")))
    elif x.rank == 3:
        other = net.normal(x.shape[0], last, 2, scale=last**-0.5)
        net.add("Einsum", x, other, equation=str(net.pick("bij,bjk->bik", "bij,bjk->ibk", "bij,bjk->ik")))


def arithmetic(net: Net) -> None:
    x = net.floats()
    shape = [size if net.chance(0.6) else 1 for size in x.shape][int(net.random.integers(x.rank + 1)) :]
    op = str(net.pick("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"))
    if op in ("Div", "Pow"):
        other = (net.random.integers(1, 4, size=shape) / (2 if op == "Div" else 1)).astype(np.float32)
    else:
        other = net.quarters(*shape)
    net.add(op, *(net.pick((x, other), (other, x)) if op in ("Add", "Sub", "Mul") else (x, other)))


def function(net: Net) -> None:
    x = net.floats()
    op = str(net.pick("Exp", "Sqrt", "Reciprocal", "Log", "Sin", "Cos", "Atan", "Abs", "activate"))
    if op == "activate":
        activate(net, x)
    elif op in ("Sqrt", "Reciprocal", "Log"):
        y = net.add("Abs", x)
        y = y and net.add("Add", y, np.float32(0.5))
        if y:
            net.add(op, y)
    else:
        net.add(op, x)


IMAGE_STEPS = [
    *[conv] * 6, conv_1d, conv_transpose, activate, *[max_pool] * 2, *[average_pool] * 2, global_pool, *[residual] * 3,
    squeeze_and_excite, channel_shuffle, to_channels_last, *[concat] * 2, split, *[resize] * 2, pad, depth_to_space,
    classify, *[local_norm] * 2, arithmetic, reduce,
]  # fmt: skip
TENSOR_STEPS = [
    *[transpose] * 3, *[reshape] * 3, squeeze, *[part] * 2, expand, *[reduce] * 2, *[matmul] * 2, gemm, *[choose] * 2,
    gather, running_sum, extreme, stepwise, *[normalise] * 2, *[einsum] * 2, *[arithmetic] * 3, *[function] * 2, concat,
    split, pad, residual,
]  # fmt: skip
