"""A random ONNX graph in the making, with the contents of all its values, and what two independent runtimes say of a node.

Each node is computed as it is added, by the ONNX reference evaluator and by onnxruntime without optimisations. It is
dropped where one of them refuses or both differ (counted in `refused` and `disputed`), and where a value would be
infinite, too large or of no elements.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

OPSETS = (9, 11, 13, 17, 18, 21)
# IR versions that old runtimes of these operator sets know as well.
IR_VERSION = 8
MAX_ELEMENTS = 20_000
MAX_MAGNITUDE = 1_000.0
# How far results may be off: in units of the element, and of the largest element, because what cancels is as uncertain as
# what it is made of.
RTOL = 1e-3
RELATIVE_ATOL = 1e-5

# Of these the reference evaluator of onnx 1.23 knows less than the node cases of the same package: batch normalisation
# before operator set 14 takes the statistics of its operand, local response normalisation walks over the batch.
REFERENCE_IS_WRONG = {"BatchNormalization", "LRN"}

# Steps that were dropped, by operator.
refused: Counter[str] = Counter()
disputed: Counter[str] = Counter()


@dataclass
class Value:
    name: str
    array: np.ndarray
    # Whether its elements are small multiples of a quarter: then every runtime has the same bits.
    is_exact: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def rank(self) -> int:
        return self.array.ndim


Operand = Value | np.ndarray | np.generic | None


class NothingFits(Exception):
    """No value of the graph is what a step looks for."""


class Net:
    """A graph in the making, with the contents of all its values."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.opset = int(self.random.choice(OPSETS))
        self.is_image = bool(self.random.random() < 0.6)
        self.inputs: list[Value] = []
        self.values: list[Value] = []
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[TensorProto] = []

    # What a step is made of.

    def pick(self, *choices: object) -> object:
        return choices[int(self.random.integers(len(choices)))]

    def chance(self, probability: float) -> bool:
        return bool(self.random.random() < probability)

    def size(self, low: int, high: int) -> int:
        """A size, odd more often than not."""
        value = int(self.random.integers(low, high + 1))
        return value - 1 if value % 2 == 0 and value > low and self.chance(0.5) else value

    def normal(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        return (self.random.normal(size=shape) * scale).astype(np.float32)

    def quarters(self, *shape: int) -> np.ndarray:
        return (self.random.integers(-8, 9, size=shape) / 4).astype(np.float32)

    def value(self, wanted: Callable[[Value], bool]) -> Value:
        """A value that is there, a late one more often than an early one."""
        found = [value for value in self.values if wanted(value)]
        if not found:
            raise NothingFits
        return found[max(int(self.random.integers(len(found))), int(self.random.integers(len(found))))]

    def image(self) -> Value:
        return self.value(lambda value: value.rank == 4 and value.array.dtype == np.float32)

    def floats(self, min_rank: int = 0) -> Value:
        return self.value(lambda value: value.rank >= min_rank and value.array.dtype == np.float32)

    def exact(self, min_rank: int = 0) -> Value:
        return self.value(lambda value: value.rank >= min_rank and value.is_exact and value.array.dtype == np.float32)

    def input(self, array: np.ndarray) -> Value:
        value = Value(f"x{len(self.inputs)}", array, is_exact=True)
        self.inputs.append(value)
        self.values.append(value)
        return value

    def add(self, op: str, *operands: Operand, n: int = 1, exact: bool = False, **attributes: object) -> Value | None:
        """A node; the first of its `n` results, or none where it has no place in a test."""
        names: list[str] = []
        weights: list[TensorProto] = []
        feeds: dict[str, np.ndarray] = {}
        for operand in operands:
            if operand is None:
                names.append("")
                continue
            if isinstance(operand, np.ndarray | np.generic):
                name = f"w{len(self.weights) + len(weights)}"
                feeds[name] = np.asarray(operand)
                weights.append(numpy_helper.from_array(feeds[name], name))
            else:
                name = operand.name
                feeds[name] = operand.array
            names.append(name)
        given = {name: value for name, value in attributes.items() if value is not None}
        outputs = [f"v{len(self.nodes)}" + (f"_{index}" if n > 1 else "") for index in range(n)]
        node = helper.make_node(op, names, outputs, name=f"{op}_{len(self.nodes)}", **given)
        arrays = self.evaluate(node, feeds)
        if arrays is None:
            return None
        self.nodes.append(node)
        self.weights.extend(weights)
        results = [Value(name, array, exact) for name, array in zip(outputs, arrays, strict=True)]
        self.values.extend(results)
        return results[0]

    def evaluate(self, node: onnx.NodeProto, feeds: dict[str, np.ndarray]) -> list[np.ndarray] | None:
        """The results of a node, or none where both runtimes do not give the same or it has no place in a test."""
        arrays = evaluate(node, feeds, self.opset)
        return arrays if arrays is not None and all(map(is_tame, arrays)) else None

    def since(self, opset: int) -> bool:
        return self.opset >= opset

    def ends(self) -> list[Value]:
        """The last value, and others that nothing reads."""
        used = {name for node in self.nodes for name in node.input}
        ends = [value for value in self.values if value.name not in used and value not in self.inputs]
        return [self.values[-1], *(value for value in ends[:2] if value is not self.values[-1])]

    def model(self, outputs: list[Value]) -> ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "net",
            [port(value) for value in self.inputs],
            [port(value) for value in outputs],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model


def port(value: Value) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(value.name, helper.np_dtype_to_tensor_dtype(value.array.dtype), value.shape)


def run_onnxruntime(model: ModelProto, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What onnxruntime computes node by node, in one thread."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"]).run(None, feeds)


def are_alike(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return bool(np.allclose(a, b, rtol=RTOL, atol=RELATIVE_ATOL * np.abs(b).max(initial=0)))


def is_tame(array: np.ndarray) -> bool:
    """Whether a value is neither empty nor large, in number or magnitude."""
    if not 0 < array.size <= MAX_ELEMENTS:
        return False
    return array.dtype.kind != "f" or bool(np.isfinite(array).all() and np.abs(array).max() <= MAX_MAGNITUDE)


def single(node: onnx.NodeProto, feeds: dict[str, np.ndarray], opset: int) -> ModelProto:
    """A model of one node."""
    inputs = [port(Value(name, array, True)) for name, array in feeds.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], "node", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION)


def evaluate(node: onnx.NodeProto, feeds: dict[str, np.ndarray], opset: int) -> list[np.ndarray] | None:
    """The results of a node, or none where one of the runtimes does not take it or both differ."""
    model = single(node, feeds, opset)
    try:
        with np.errstate(all="ignore"):
            ours = [np.asarray(array) for array in ReferenceEvaluator(model).run(None, feeds)]
        theirs = run_onnxruntime(model, feeds)
    except Exception:  # both have many kinds of them
        refused[node.op_type] += 1
        return None
    if node.op_type not in REFERENCE_IS_WRONG and not all(are_alike(a, b) for a, b in zip(ours, theirs, strict=True)):
        disputed[node.op_type] += 1
        return None
    return theirs


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)
