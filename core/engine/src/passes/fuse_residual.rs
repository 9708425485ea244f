//! `convolution(x) + residual` becomes one convolution that adds the residual before it writes.

use crate::error::ModelError;
use crate::graph::{Graph, Op};

/// Fuses every addition one side of which is a convolution that nothing else reads.
///
/// The fused node takes the place of the addition, where both operands are known. When both sides qualify, the later
/// convolution is taken, so that the other has been written by then.
pub fn fuse_residuals(graph: &mut Graph) -> Result<(), ModelError> {
    let readers = graph.reader_counts();
    let mut position = 0;
    while position < graph.nodes.len() {
        let node = &graph.nodes[position];
        let Op::Add(residual) = node.op else {
            position += 1;
            continue;
        };
        let producers = graph.producers();
        let candidate = |side: usize| {
            // An enlarged operand is not what the convolution wrote.
            let usable = side == 0 || residual.upsample.is_none();
            let value = node.inputs[side];
            let producer = producers[value.index()].filter(|_| usable && readers[value.index()] == 1)?;
            let (Op::Conv2d(conv) | Op::DepthwiseConv2d(conv)) = &graph.nodes[producer].op else {
                return None;
            };
            conv.residual.is_none().then_some((producer, side))
        };
        let Some((producer, side)) = candidate(0).max(candidate(1)) else {
            position += 1;
            continue;
        };
        let (other, output) = (node.inputs[1 - side], node.output);
        let mut fused = graph.nodes[producer].clone();
        if let Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) = &mut fused.op {
            conv.residual = Some(residual);
        }
        fused.inputs.push(other);
        fused.output = output;
        graph.nodes[position] = fused;
        // The fused node now stands one place earlier, and the next one is at `position`.
        graph.nodes.remove(producer);
    }
    Ok(())
}
