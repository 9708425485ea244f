"""Writes models with inputs and expected outputs, by which an importer of ONNX and both backends are held to the format.

Usage (Python 3.11+):
    python3 -m venv venv && venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/onnx_cases.py target/conformance [node] [light] [random] [families] [fuzz]
        [published]

Comes out, for each group, GROUP/index.json and for each of its cases the layout in which the ONNX project keeps its own:
GROUP/CASE/model.onnx, GROUP/CASE/test_data_set_0/input_I.pb and output_I.pb, one for each input and output of the graph
in its order, initialisers left out. A group appears when it is complete; what was there before is replaced.

    node    the cases of the ONNX backend test suite for single operators, with the outputs that the suite gives
    light   nine known architectures of the suite with all weights 0.02 and the outputs that come with them; most give
            the same number a thousand times, so they show that a network runs and little more
    random  the same architectures with random weights, and what onnxruntime without optimisations makes of a random
            picture; vgg19 and zfnet512 are left out for their size
    families
            small networks of `onnx_families.py`, one of each kind that vision and movement models are made of, with
            what onnxruntime without optimisations makes of random weights and inputs
    fuzz    500 small graphs of `onnx_fuzz.py`, with what onnxruntime without optimisations makes of random inputs; steps
            on which the ONNX reference evaluator says otherwise are left out and counted
    published
            networks that people publish, with their weights (`onnx_published.py`), and what onnxruntime without
            optimisations makes of drawn lines of text or of noise

index.json has the versions of all packages and, for each case, how far results may be off: |a - b| <= atol + rtol * |b|.
With these versions, a group is the same every time that it is made on a machine.
"""

import importlib.metadata
import itertools
import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
NO_RANDOM_WEIGHTS = {"light_vgg19", "light_zfnet512"}
# What the suite allows unless a case says otherwise.
RTOL, ATOL = 1e-3, 1e-7
# Fifty layers of f32 in another order of summation, on logits with a standard deviation of LOGITS.
RANDOM_ATOL = 1e-4
LOGITS = 2.0
# Some dozen layers, in units of the largest element of all outputs.
FAMILY_ATOL = 1e-4


def versions() -> dict[str, str]:
    """The versions that are asked for; ends with a sentence when others are installed."""
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")]
    wanted = dict(line.split("==") for line in lines)
    for name, version in wanted.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "not installed"
        if found != version:
            sys.exit(f"{name} must be {version} and is {found}; install {REQUIREMENTS} into a virtual environment")
    return wanted


VERSIONS = versions()

import numpy as np  # noqa: E402
import onnx  # noqa: E402
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper  # noqa: E402
from onnx.backend.test.case.node import collect_testcases  # noqa: E402

import onnx_families  # noqa: E402
import onnx_fuzz  # noqa: E402
import onnx_net  # noqa: E402
import onnx_published  # noqa: E402

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"


@dataclass
class Case:
    name: str
    model: ModelProto
    inputs: list
    outputs: list
    rtol: float = RTOL
    atol: float = ATOL


def message(info: ValueInfoProto, value: object) -> bytes:
    """A value in the message that its type asks for."""
    if hasattr(value, "SerializeToString"):
        return value.SerializeToString()
    if info.type.HasField("sequence_type"):
        return numpy_helper.from_list(value, info.name).SerializeToString()
    if info.type.HasField("optional_type"):
        return numpy_helper.from_optional(value, info.name).SerializeToString()
    if info.type.HasField("map_type"):
        return numpy_helper.from_dict(value, info.name).SerializeToString()
    return numpy_helper.from_array(np.asarray(value), info.name).SerializeToString()


def free_inputs(model: ModelProto) -> list[ValueInfoProto]:
    """Inputs without a value in the file: old files name initialisers among the inputs."""
    known = {tensor.name for tensor in model.graph.initializer}
    return [info for info in model.graph.input if info.name not in known]


def write_case(folder: Path, case: Case) -> None:
    data = folder / case.name / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / case.name / "model.onnx").write_bytes(case.model.SerializeToString())
    sides = [("input", free_inputs(case.model), case.inputs), ("output", case.model.graph.output, case.outputs)]
    for side, infos, values in sides:
        for index, (info, value) in enumerate(zip(infos, values, strict=True)):
            (data / f"{side}_{index}.pb").write_bytes(message(info, value))


def node_cases() -> Iterator[Case]:
    with warnings.catch_warnings():
        # Some expected values are infinite or NaN on purpose.
        warnings.simplefilter("ignore")
        cases = collect_testcases(None)
    for case in cases:
        for inputs, outputs in case.data_sets:
            yield Case(case.name, case.model, list(inputs), list(outputs), case.rtol, case.atol)


def shape_of(info: ValueInfoProto) -> list[int]:
    return [dimension.dim_value for dimension in info.type.tensor_type.shape.dim]


def light_cases() -> Iterator[Case]:
    for path in sorted(LIGHT.glob("light_*.onnx")):
        model = onnx.load(path)
        shapes = [shape_of(info) for info in free_inputs(model)]
        # The suite's own input for these models: its places, divided by their number.
        inputs = [(np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)).astype(np.float32) for shape in shapes]
        expected = TensorProto.FromString((LIGHT / f"{path.stem}_output_0.pb").read_bytes())
        yield Case(path.stem, model, inputs, [expected])


def role(model: ModelProto, name: str) -> tuple[NodeProto, int]:
    """The node that computes with a parameter, and as which operand. Reshapes of parameters are looked through."""
    for node in model.graph.node:
        if name in node.input:
            if node.op_type in ("Reshape", "Unsqueeze"):
                return role(model, node.output[0])
            return node, list(node.input).index(name)
    raise LookupError(f"no node reads {name}")


def random_parameter(random: np.random.Generator, node: NodeProto, operand: int, shape: list[int]) -> np.ndarray:
    """Weights as He et al. (2015) begin with them, scales and variances around one, everything else around zero."""
    if node.op_type == "Conv" and operand == 1:
        values = random.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
    elif node.op_type == "Gemm" and operand == 1:
        is_transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        values = random.normal(size=shape) * np.sqrt(2 / (shape[-1] if is_transposed else shape[-2]))
    elif (node.op_type, operand) in (("BatchNormalization", 1), ("BatchNormalization", 4), ("Mul", 1), ("Mul", 0)):
        values = random.uniform(0.5, 1.5, size=shape)
    else:
        values = random.normal(size=shape) * 0.1
    return values.astype(np.float32)


def with_random_weights(model: ModelProto, random: np.random.Generator) -> None:
    """Gives every parameter random numbers, those included that the file computes with ConstantOfShape."""
    graph = model.graph
    fixed = {tensor.name: tensor for tensor in graph.initializer}
    shapes = {name: list(tensor.dims) for name, tensor in fixed.items() if tensor.data_type == TensorProto.FLOAT}
    filled = [node for node in graph.node if node.op_type == "ConstantOfShape"]
    for node in filled:
        shapes[node.output[0]] = numpy_helper.to_array(fixed[node.input[0]]).tolist()
        graph.node.remove(node)
    read = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in read and tensor.name not in shapes]
    inputs = free_inputs(model)
    del graph.initializer[:], graph.input[:]
    graph.input.extend(inputs)
    graph.initializer.extend(kept)
    for name in sorted(read & shapes.keys()):
        values = random_parameter(random, *role(model, name), shapes[name])
        graph.initializer.append(numpy_helper.from_array(values, name))


def run(model: ModelProto, inputs: list[np.ndarray]) -> list[np.ndarray]:
    names = [info.name for info in free_inputs(model)]
    return onnx_net.run_onnxruntime(model, dict(zip(names, inputs, strict=True)))


def scale_last_layer(model: ModelProto, factor: float) -> None:
    last = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm")][-1]
    # Behind it there are only functions with f(factor * x) = factor * f(x), and the softmax.
    behind = {node.op_type for node in list(model.graph.node)[list(model.graph.node).index(last) + 1 :]}
    assert behind <= {"Relu", "GlobalAveragePool", "Softmax"}, behind
    producers = {node.output[0]: node for node in model.graph.node}
    for name in last.input[1:]:
        while name in producers:
            name = producers[name].input[0]
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(factor), name))


def random_cases() -> Iterator[Case]:
    for seed, path in enumerate(sorted(LIGHT.glob("light_*.onnx"))):
        if path.stem in NO_RANDOM_WEIGHTS:
            continue
        random = np.random.default_rng(seed)
        model = onnx.load(path)
        with_random_weights(model, random)
        inputs = [random.uniform(-1, 1, shape_of(info)).astype(np.float32) for info in free_inputs(model)]
        last = model.graph.node[-1]
        if last.op_type == "Softmax":
            # A softmax hides what is small: its operand is an output as well.
            model.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], TensorProto.FLOAT, None))
        scale_last_layer(model, LOGITS / run(model, inputs)[-1].std())
        yield Case(path.stem.replace("light", "random"), model, inputs, run(model, inputs), RTOL, RANDOM_ATOL)


def fuzz_cases() -> Iterator[Case]:
    n_cases = 0
    for seed in itertools.count():
        net = onnx_fuzz.build(seed)
        if not net.nodes:
            continue
        model = net.model(net.ends())
        inputs = [value.array for value in net.inputs]
        outputs = onnx_net.run_onnxruntime(model, {value.name: value.array for value in net.inputs})
        atol = onnx_net.RELATIVE_ATOL * max(float(np.abs(value).max()) for value in outputs)
        yield Case(f"fuzz_{seed:04}", model, inputs, outputs, onnx_net.RTOL, atol)
        n_cases += 1
        if n_cases == onnx_fuzz.N_GRAPHS:
            break
    for what, counts in (("refused by a runtime", onnx_net.refused), ("disputed", onnx_net.disputed)):
        print(f"fuzz: steps left out, {what}: {dict(counts.most_common())}")


def family_cases() -> Iterator[Case]:
    for seed, (name, build) in enumerate(onnx_families.FAMILIES.items()):
        net, outputs = onnx_families.network(seed, build)
        inputs = [value.array for value in net.inputs]
        expected = [value.array for value in outputs]
        atol = FAMILY_ATOL * max(float(np.abs(value).max()) for value in expected)
        yield Case(f"family_{name}", net.model(outputs), inputs, expected, RTOL, atol)


def published_cases() -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder)
        onnx_published.fetch(wheels)
        for seed, (name, network) in enumerate(onnx_published.NETWORKS.items()):
            model = onnx_published.read(wheels, network)
            inputs = list(onnx_published.inputs(model, network, np.random.default_rng(seed)))
            outputs = run(model, inputs)
            atol = FAMILY_ATOL * max(float(np.abs(value).max()) for value in outputs)
            yield Case(f"published_{name}", model, inputs, outputs, RTOL, atol)


GROUPS: dict[str, Callable[[], Iterator[Case]]] = {
    "node": node_cases,
    "light": light_cases,
    "random": random_cases,
    "families": family_cases,
    "fuzz": fuzz_cases,
    "published": published_cases,
}


def write_group(out: Path, group: str) -> None:
    part = out / f"{group}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    entries = []
    for case in GROUPS[group]():
        write_case(part, case)
        entries.append({"name": case.name, "rtol": case.rtol, "atol": case.atol})
    entries.sort(key=lambda entry: entry["name"])
    index = {"versions": VERSIONS, "cases": entries}
    (part / "index.json").write_text(json.dumps(index, indent=0) + "\n")
    shutil.rmtree(out / group, ignore_errors=True)
    part.rename(out / group)
    print(f"{group}: {len(entries)} cases")


def main() -> None:
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= GROUPS.keys():
        sys.exit(__doc__)
    for group in sys.argv[2:] or GROUPS:
        write_group(Path(sys.argv[1]), group)


if __name__ == "__main__":
    main()
