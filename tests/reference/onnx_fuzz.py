"""Random ONNX graphs, each made of its seed, with what two independent runtimes agree that they give.

`onnx_cases.py` writes them as its group `fuzz`. Usage by itself, to look at one graph and to make it smaller:
    venv/bin/python tests/reference/onnx_fuzz.py SEED [N_STEPS]     prints the nodes of that graph, or of its first steps

Three of five graphs are nets on images, with channels before rows as ONNX has them: convolutions of all kinds, pools,
normalisation, residual sums, squeeze and excite, channel shuffles, parts and concatenations. The others are on tensors of
any rank: shapes, parts, sums, products, choices, places. A step takes any values that are there, so that values are used
twice and paths join again. Odd sizes are the rule, and the operator set is one of OPSETS, each of which writes some
operands as attributes and others as inputs.

What is added is computed at once, and stays only where two runtimes agree on it (`onnx_net.py`). Functions that jump
(rounding, comparisons, places of extremes) are only asked of values that are exact multiples of a quarter.
"""

import sys

from onnx import helper

from onnx_fuzz_steps import IMAGE_STEPS, TENSOR_STEPS
from onnx_net import Net, NothingFits

N_GRAPHS = 500


def build(seed: int, n_steps: int | None = None) -> Net:
    """The graph of a seed; of its first steps only, where it is told how many."""
    net = Net(seed)
    if net.is_image:
        batch = 2 if net.chance(0.1) else 1
        net.input(net.quarters(batch, net.size(1, 8), net.size(5, 15), net.size(5, 15)))
        steps = IMAGE_STEPS
    else:
        shape = [net.size(2, 7) for _ in range(int(net.random.integers(1, 5)))]
        net.input(net.quarters(*shape))
        if net.chance(0.6):
            net.input(net.quarters(*(size if net.chance(0.7) else 1 for size in shape)))
        steps = TENSOR_STEPS
    drawn = int(net.random.integers(3, 13))
    for _ in range(drawn if n_steps is None else n_steps):
        step = steps[int(net.random.integers(len(steps)))]
        try:
            step(net)
        except NothingFits:
            continue
    return net


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    net = build(*(int(argument) for argument in sys.argv[1:]))
    print(f"operator set {net.opset}")
    shapes = {value.name: f"{value.array.dtype}{list(value.shape)}" for value in net.values}
    shapes |= {tensor.name: f"weights{list(tensor.dims)}" for tensor in net.weights}
    for node in net.nodes:
        named = ", ".join(f"{name} {shapes.get(name, '')}" for name in node.input)
        given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        results = ", ".join(f"{name} {shapes[name]}" for name in node.output)
        print(f"{node.op_type}({named}) {given} -> {results}")


if __name__ == "__main__":
    main()
