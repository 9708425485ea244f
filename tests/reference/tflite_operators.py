"""Writes small TFLite models, one for each operator that Plumbline reads, with what LiteRT computes of them.

Usage (any Python 3.10+):
    python3 -m venv venv && venv/bin/pip install ai-edge-litert==2.3.0 numpy flatbuffers
    venv/bin/python tests/reference/tflite_operators.py tests/fixtures/tflite_operators.json

Comes out: a list of cases. Each has the model's bytes in hexadecimal digits, the shapes and types of its inputs, and the
values of its outputs as LiteRT's reference kernels give them. Inputs are made by `pattern`, whose twin stands in
tests/tests/tflite_operators.rs. Models are written with the schema's own generated code.
"""

import json
import sys
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

TYPES = {np.float32: 0, np.float16: 1, np.int32: 2, np.int64: 4, np.bool_: 6}
Ops = schema.BuiltinOperator


def pattern(shape, dtype=np.float32, seed=0) -> np.ndarray:
    """Multiples of 1/8 between -3.75 and 3.75, whole numbers for integers; exact in every language."""
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    number = (index * 37 + 11 + 17 * seed) % 61 - 30
    if dtype == np.float32:
        return (number.astype(np.float32) / np.float32(8.0)).reshape(shape)
    return (number > 0 if dtype == np.bool_ else number).astype(dtype).reshape(shape)


class Input:
    """A tensor that the caller fills."""

    def __init__(self, *shape, dtype=np.float32):
        self.shape, self.dtype = shape, dtype


def constant(*values, dtype=np.int32, shape=None):
    array = np.array(values, dtype=dtype)
    return array if shape is None else array.reshape(shape)


def weights(*shape, seed=3, dtype=np.float32):
    return pattern(shape, seed=seed).astype(dtype)


def options(kind, **fields):
    table = getattr(schema, kind + "T")()
    for name, value in fields.items():
        assert hasattr(table, name), name
        setattr(table, name, value)
    return getattr(schema.BuiltinOptions, kind), table


class Builder:
    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators, self.graph.inputs, self.graph.outputs = [], [], [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, shape, dtype, data=None) -> int:
        tensor = schema.TensorT()
        tensor.name = f"t{len(self.graph.tensors)}"
        tensor.shape = list(shape)
        tensor.hasRank = True
        tensor.type = TYPES[np.dtype(dtype).type]
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), dtype=np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operand(self, operand) -> int:
        if operand is None:
            return -1
        if isinstance(operand, int):
            return operand
        if isinstance(operand, Input):
            index = self.tensor(operand.shape, operand.dtype)
            self.graph.inputs.append(index)
            return index
        return self.tensor(operand.shape, operand.dtype, operand)

    def operator(self, code, operands, outputs, option=None):
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), VERSIONS.get(code, 1)
        self.model.operatorCodes.append(entry)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs = [self.operand(operand) for operand in operands]
        operator.outputs = outputs
        if option is not None:
            operator.builtinOptionsType, operator.builtinOptions = option
        self.graph.operators.append(operator)

    def bytes(self) -> bytes:
        self.model.description = ""
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


# Versions that say which variant of an operator is meant, where the first does not.
VERSIONS = {Ops.FULLY_CONNECTED: 9, Ops.RESIZE_NEAREST_NEIGHBOR: 3, Ops.TRANSPOSE_CONV: 3, Ops.GELU: 2}

RELU6, TANH, RELU_N1 = 3, 4, 2
SAME, VALID = 0, 1


def pool(padding, stride, window, activation=0):
    return options(
        "Pool2DOptions", padding=padding, strideH=stride[0], strideW=stride[1], filterHeight=window[0],
        filterWidth=window[1], fusedActivationFunction=activation,
    )


def strided(begin=0, end=0, shrink=0):
    return options("StridedSliceOptions", beginMask=begin, endMask=end, shrinkAxisMask=shrink)


def cases():
    """Name, operator code, operands, shapes of the results, options, type of the results."""
    image = Input(1, 4, 6, 5)
    one = lambda name, code, option=None, x=image: (name, code, [x], [x.shape], option)
    yield one("hard swish", Ops.HARD_SWISH)
    yield one("hard swish of a batch", Ops.HARD_SWISH, x=Input(2, 3, 5))
    yield one("logistic", Ops.LOGISTIC)
    yield one("logistic of a batch", Ops.LOGISTIC, x=Input(3, 7))
    yield one("relu of a batch", Ops.RELU, x=Input(3, 7))
    yield one("relu6 of a batch", Ops.RELU6, x=Input(3, 7))
    yield one("relu from -1 to 1", Ops.RELU_N1_TO_1)
    yield one("tanh", Ops.TANH)
    yield one("elu", Ops.ELU)
    yield one("leaky relu", Ops.LEAKY_RELU, options("LeakyReluOptions", alpha=0.125))
    yield one("gelu", Ops.GELU, options("GeluOptions", approximate=False))
    yield one("gelu by tanh", Ops.GELU, options("GeluOptions", approximate=True))
    for code in ["ABS", "CEIL", "FLOOR", "ROUND", "NEG", "EXP", "SIN", "COS", "SQUARE"]:
        yield one(code.lower(), getattr(Ops, code))
    for code in ["SQRT", "RSQRT", "LOG"]:
        # The square of what is no root of a negative number.
        yield one(code.lower() + " of squares", getattr(Ops, code))

    add = lambda name, activation=0: options(name, fusedActivationFunction=activation)
    row, pixel = Input(1, 1, 1, 5), Input(1, 4, 6, 1)
    two = lambda name, code, a, b, option=None: (
        name, code, [a, b], [np.broadcast_shapes(a.shape, b.shape)], option,
    )
    yield two("add", Ops.ADD, image, Input(1, 4, 6, 5), add("AddOptions"))
    yield two("add a constant row", Ops.ADD, image, weights(5), add("AddOptions", RELU6))
    yield two("multiply by a row", Ops.MUL, image, row, add("MulOptions"))
    yield two("multiply a row", Ops.MUL, row, image, add("MulOptions", 1))
    yield two("multiply by a pixel", Ops.MUL, image, pixel, add("MulOptions"))
    yield two("multiply by a scalar", Ops.MUL, image, weights(1), add("MulOptions", RELU6))
    yield two("subtract", Ops.SUB, image, row, add("SubOptions", RELU_N1))
    yield two("subtract from a constant", Ops.SUB, weights(1, 4, 6, 5), image, add("SubOptions"))
    yield two("divide", Ops.DIV, image, constant(2, 4, 0.5, -1, 8, dtype=np.float32), add("DivOptions"))
    yield two("maximum", Ops.MAXIMUM, image, row)
    yield two("minimum", Ops.MINIMUM, image, row)
    yield two("squared difference", Ops.SQUARED_DIFFERENCE, image, row)
    yield two("floor division", Ops.FLOOR_DIV, image, constant(2, 0.75, -1.5, 1, 3, dtype=np.float32))
    yield two("floor modulo", Ops.FLOOR_MOD, image, constant(2, 0.75, -1.5, 1, 3, dtype=np.float32))
    yield two("prelu", Ops.PRELU, image, weights(1, 1, 5))
    for code in ["LESS", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL"]:
        yield (code.lower(), getattr(Ops, code), [image, row], [image.shape], None, np.bool_)
    yield ("select", Ops.SELECT_V2, [Input(1, 4, 6, 1, dtype=np.bool_), image, row], [image.shape], None)
    yield ("cast", Ops.CAST, [image], [image.shape], options("CastOptions", inDataType=0, outDataType=2), np.int32)

    for name, axes, shape in [("rows and columns", [1, 2], (1, 5)), ("channels", [-1], (1, 4, 6))]:
        yield (f"mean of {name}", Ops.MEAN, [image, constant(*axes)], [shape], options("ReducerOptions", keepDims=False))
    kept = options("ReducerOptions", keepDims=True)
    yield ("mean, axes kept", Ops.MEAN, [image, constant(1, 2)], [(1, 1, 1, 5)], kept)
    yield ("sum", Ops.SUM, [image, constant(2)], [(1, 4, 1, 5)], kept)
    yield ("greatest", Ops.REDUCE_MAX, [image, constant(1)], [(1, 1, 6, 5)], kept)
    yield ("least", Ops.REDUCE_MIN, [image, constant(3)], [(1, 4, 6, 1)], kept)
    which = options("ArgMaxOptions", outputType=2)
    yield ("place of the greatest", Ops.ARG_MAX, [image, constant(3)], [(1, 4, 6)], which, np.int32)
    yield one("softmax", Ops.SOFTMAX, options("SoftmaxOptions", beta=1.0))
    yield one("softmax with beta", Ops.SOFTMAX, options("SoftmaxOptions", beta=0.5))
    yield one("logarithm of softmax", Ops.LOG_SOFTMAX, options("LogSoftmaxOptions"))
    yield one("l2 normalization", Ops.L2_NORMALIZATION, options("L2NormOptions", fusedActivationFunction=0))

    average = Ops.AVERAGE_POOL_2D
    yield ("average of all", average, [image], [(1, 1, 1, 5)], pool(VALID, (1, 1), (4, 6)))
    yield ("average of windows", average, [image], [(1, 2, 3, 5)], pool(VALID, (2, 2), (2, 2), 1))
    yield ("average beyond the border", average, [image], [(1, 2, 3, 5)], pool(SAME, (2, 2), (3, 3)))
    yield ("average of odd windows", average, [image], [(1, 4, 6, 5)], pool(SAME, (1, 1), (2, 3), RELU6))
    fully = lambda activation=0, keep=False: options(
        "FullyConnectedOptions", fusedActivationFunction=activation, keepNumDims=keep
    )
    dense = Ops.FULLY_CONNECTED
    yield ("fully connected", dense, [Input(1, 12), weights(7, 12), weights(7, seed=5)], [(1, 7)], fully())
    yield ("fully connected rows", dense, [Input(3, 12), weights(7, 12), weights(7, seed=5)], [(3, 7)], fully(RELU6))
    yield ("fully connected, no bias", dense, [Input(1, 12), weights(7, 12), None], [(1, 7)], fully(1))
    yield ("fully connected, live weights", dense, [Input(2, 12), Input(7, 12), weights(7, seed=5)], [(2, 7)], fully())
    yield ("fully connected image", dense, [Input(1, 2, 2, 3), weights(4, 12), weights(4)], [(1, 4)], fully())
    yield ("product of matrices", Ops.BATCH_MATMUL, [Input(2, 3, 4), Input(2, 5, 4)], [(2, 3, 5)],
           options("BatchMatMulOptions", adjX=False, adjY=True))

    yield ("transpose", Ops.TRANSPOSE, [image, constant(0, 3, 1, 2)], [(1, 5, 4, 6)], options("TransposeOptions"))
    yield ("squeeze", Ops.SQUEEZE, [Input(1, 1, 6, 5)], [(6, 5)], options("SqueezeOptions", squeezeDims=[0, 1]))
    yield ("expand", Ops.EXPAND_DIMS, [Input(6, 5), constant(1)], [(6, 1, 5)], options("ExpandDimsOptions"))
    yield ("slice", Ops.SLICE, [image, constant(0, 1, 2, 0), constant(1, 2, -1, 3)], [(1, 2, 4, 3)], options("SliceOptions"))
    yield ("slice by steps", Ops.STRIDED_SLICE, [image, constant(0, 0, 1, 0), constant(1, 4, 6, 5), constant(1, 2, 2, 1)],
           [(1, 2, 3, 5)], strided())
    yield ("slice backwards", Ops.STRIDED_SLICE, [image, constant(0, -1, -2, 0), constant(0, 0, -5, 0), constant(1, -1, -2, 1)],
           [(1, 4, 2, 5)], strided(begin=0b1001, end=0b1011))
    yield ("slice without an axis", Ops.STRIDED_SLICE, [image, constant(0, -2, 0), constant(1, 0, 6), constant(1, 1, 1)],
           [(1, 6, 5)], strided(shrink=0b010))
    split = options("SplitOptions", numSplits=3)
    yield ("split", Ops.SPLIT, [constant(2, shape=()), image], [(1, 4, 2, 5)] * 3, split)
    yield ("split by sizes", Ops.SPLIT_V, [image, constant(1, 3, 1), constant(3, shape=())],
           [(1, 4, 6, 1), (1, 4, 6, 3), (1, 4, 6, 1)], options("SplitVOptions", numSplits=3))
    yield ("unpack", Ops.UNPACK, [Input(2, 3, 5)], [(2, 5)] * 3, options("UnpackOptions", num=3, axis=1))
    yield ("pack", Ops.PACK, [Input(2, 5), Input(2, 5)], [(2, 2, 5)], options("PackOptions", valuesCount=2, axis=1))
    join = lambda axis, activation=0: options("ConcatenationOptions", axis=axis, fusedActivationFunction=activation)
    yield ("join images", Ops.CONCATENATION, [image, Input(1, 4, 6, 3)], [(1, 4, 6, 8)], join(3))
    yield ("join with a constant", Ops.CONCATENATION, [Input(2, 3), weights(2, 4)], [(2, 7)], join(-1))
    yield ("join a batch", Ops.CONCATENATION, [Input(2, 3), Input(1, 3)], [(3, 3)], join(0))
    yield ("gather", Ops.GATHER, [image, constant(3, 0, 1)], [(1, 4, 6, 3)], options("GatherOptions", axis=3))
    yield ("tile", Ops.TILE, [Input(2, 3), constant(2, 3)], [(4, 9)], options("TileOptions"))
    yield ("space to depth", Ops.SPACE_TO_DEPTH, [image], [(1, 2, 3, 20)], options("SpaceToDepthOptions", blockSize=2))
    yield ("depth to space", Ops.DEPTH_TO_SPACE, [Input(1, 2, 3, 8)], [(1, 4, 6, 2)], options("DepthToSpaceOptions", blockSize=2))
    around = constant(0, 0, 1, 2, 0, 1, 0, 0, shape=(4, 2))
    yield ("pad", Ops.PAD, [image, around], [(1, 7, 7, 5)], options("PadOptions"))
    yield ("pad a batch", Ops.PAD, [Input(2, 3), constant(0, 1, 1, 0, shape=(2, 2))], [(3, 4)], options("PadOptions"))
    yield ("pad with a value", Ops.PADV2, [image, around, constant(0.5, dtype=np.float32, shape=())], [(1, 7, 7, 5)],
           options("PadV2Options"))
    yield ("mirror", Ops.MIRROR_PAD, [image, around], [(1, 7, 7, 5)], options("MirrorPadOptions", mode=0))
    near = lambda align=False, half=False: options("ResizeNearestNeighborOptions", alignCorners=align, halfPixelCenters=half)
    for name, size, option in [
        ("twice", (8, 12), near()), ("by odd steps", (5, 9), near()), ("smaller", (3, 4), near()),
        ("corners", (7, 9), near(align=True)), ("pixel centres", (6, 9), near(half=True)),
        ("twice by pixel centres", (8, 12), near(half=True)),
    ]:
        yield (f"nearest, {name}", Ops.RESIZE_NEAREST_NEIGHBOR, [image, constant(*size)], [(1, *size, 5)], option)
    enlarge = lambda size, activation=0: options(
        "TransposeConvOptions", padding=SAME, strideW=size, strideH=size, fusedActivationFunction=activation
    )
    yield ("transposed convolution", Ops.TRANSPOSE_CONV,
           [constant(1, 8, 12, 3), weights(3, 2, 2, 5), image, weights(3, seed=7)], [(1, 8, 12, 3)], enlarge(2, 1))
    yield ("transposed convolution, no bias", Ops.TRANSPOSE_CONV,
           [constant(1, 12, 18, 1), weights(1, 3, 3, 5), image], [(1, 12, 18, 1)], enlarge(3))


def read_shape():
    """A file that computes the shape of a reshape, as Keras writes it, and that stores weights in halves."""
    builder = Builder()
    x = builder.operand(Input(1, 2, 3, 4))
    shape = builder.tensor([4], np.int32)
    builder.operator(Ops.SHAPE, [x], [shape], options("ShapeOptions", outType=2))
    batch = builder.tensor([], np.int32)
    builder.operator(Ops.STRIDED_SLICE, [shape, constant(0), constant(1), constant(1)], [batch], strided(shrink=1))
    target = builder.tensor([2], np.int32)
    builder.operator(Ops.PACK, [batch, constant(24, shape=())], [target], options("PackOptions", valuesCount=2, axis=0))
    flat = builder.tensor([1, 24], np.float32)
    builder.operator(Ops.RESHAPE, [x, target], [flat], options("ReshapeOptions", newShape=[-1, 24]))
    wide = builder.tensor([5, 24], np.float32)
    builder.operator(Ops.DEQUANTIZE, [weights(5, 24, dtype=np.float16)], [wide], options("DequantizeOptions"))
    result = builder.tensor([1, 5], np.float32)
    builder.operator(Ops.FULLY_CONNECTED, [flat, wide, None], [result], options("FullyConnectedOptions"))
    builder.graph.outputs = [result]
    return "a shape that the file computes", builder


def main(out: Path) -> None:
    built = []
    for name, code, operands, shapes, option, *dtype in cases():
        builder = Builder()
        if name.endswith("of squares"):
            x = builder.operand(operands[0])
            squares = builder.tensor(operands[0].shape, np.float32)
            builder.operator(Ops.MUL, [x, x], [squares], options("MulOptions"))
            above = builder.tensor(operands[0].shape, np.float32)
            builder.operator(Ops.ADD, [squares, constant(0.25, dtype=np.float32)], [above], options("AddOptions"))
            operands = [above]
        outputs = [builder.tensor(shape, *(dtype or [np.float32])) for shape in shapes]
        builder.operator(code, operands, outputs, option)
        builder.graph.outputs = outputs
        built.append((name, builder))
    built.append(read_shape())

    lines = []
    for name, builder in built:
        model = builder.bytes()
        interpreter = Interpreter(
            model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )
        interpreter.allocate_tensors()
        inputs = []
        for seed, detail in enumerate(interpreter.get_input_details()):
            shape = [int(size) for size in detail["shape"]]
            interpreter.set_tensor(detail["index"], pattern(shape, detail["dtype"], seed))
            inputs.append(shape)
        interpreter.invoke()
        outputs = [
            [float(f"{float(value):.7g}") for value in interpreter.get_tensor(detail["index"]).ravel()]
            for detail in interpreter.get_output_details()
        ]
        lines.append(json.dumps({"name": name, "inputs": inputs, "outputs": outputs, "model": model.hex()}))
    out.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{len(lines)} cases")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
