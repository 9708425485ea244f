//! Which rows of its operands a node reads for some rows of its result.
//!
//! Every image has its rows at axis 1; any other tensor counts as one row.

use std::ops::Range;

use crate::graph::{Bilinear, Conv2d, Graph, Node, Op, element_count};

/// Rows of a tensor of this shape.
pub fn row_count(shape: &[usize]) -> usize {
    match *shape {
        [1, height, _, _] => height,
        _ => 1,
    }
}

/// Where rows lie in a dense tensor, in elements.
pub fn elements_of_rows(shape: &[usize], rows: Range<usize>) -> Range<usize> {
    let row = element_count(shape) / row_count(shape).max(1);
    rows.start * row..rows.end * row
}

/// Whether the node can compute some rows of its result without the others.
pub fn is_divisible(graph: &Graph, node: &Node) -> bool {
    match node.op {
        Op::Conv2d(_)
        | Op::DepthwiseConv2d(_)
        | Op::Add(_)
        | Op::Activation(_)
        | Op::MaxPool2d(_)
        | Op::ResizeBilinear(_)
        | Op::ScaleChannels => row_count(graph.shape(node.output)) > 1,
        Op::Dequantize
        | Op::Densify
        | Op::Pad(_)
        | Op::Reshape
        | Op::Concat { .. }
        | Op::DepthToSpace { .. }
        | Op::GlobalAveragePool
        | Op::Tensor(_) => false,
    }
}

/// The rows of operand number `index` that a node reads to compute these rows of its result; all of them where it is
/// not divisible. The operand is frame data, not a weight.
pub fn operand_rows(graph: &Graph, node: &Node, index: usize, rows: &Range<usize>) -> Range<usize> {
    let available = row_count(graph.shape(node.inputs[index]));
    if rows.is_empty() {
        return 0..0;
    }
    if !is_divisible(graph, node) {
        return 0..available;
    }
    let to = row_count(graph.shape(node.output));
    let enlarged = |bilinear: Bilinear| {
        let first = bilinear.source(rows.start, available, to).0;
        first..bilinear.source(rows.end - 1, available, to).1 + 1
    };
    let addend = |upsample: Option<Bilinear>| upsample.map_or(rows.clone(), enlarged);
    match &node.op {
        Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => match (index, conv.residual) {
            (0, _) => {
                let kernel = graph.shape(node.inputs[1])[1];
                window(conv, kernel, rows, available)
            }
            (_, Some(residual)) => addend(residual.upsample),
            (_, None) => 0..available,
        },
        Op::Add(_) if index == 0 => rows.clone(),
        Op::Add(residual) => addend(residual.upsample),
        Op::Activation(_) => rows.clone(),
        Op::ScaleChannels if index == 0 => rows.clone(),
        Op::MaxPool2d(pool) => span(rows, pool.stride[0], pool.window[0], pool.padding.top, available),
        Op::ResizeBilinear(bilinear) => enlarged(*bilinear),
        Op::Dequantize
        | Op::Densify
        | Op::Pad(_)
        | Op::Reshape
        | Op::Concat { .. }
        | Op::DepthToSpace { .. }
        | Op::GlobalAveragePool
        | Op::ScaleChannels
        | Op::Tensor(_) => 0..available,
    }
}

/// Input rows under the kernel of a convolution.
fn window(conv: &Conv2d, kernel: usize, rows: &Range<usize>, available: usize) -> Range<usize> {
    let reach = (kernel - 1) * conv.dilation[0] + 1;
    span(rows, conv.stride[0], reach, conv.padding.top, available)
}

/// Rows that windows of `reach` rows touch, `stride` apart, the first of them `before` rows above the image.
fn span(rows: &Range<usize>, stride: usize, reach: usize, before: usize, available: usize) -> Range<usize> {
    let first = (rows.start * stride).saturating_sub(before).min(available);
    let end = ((rows.end - 1) * stride + reach).saturating_sub(before);
    first..end.clamp(first, available)
}
