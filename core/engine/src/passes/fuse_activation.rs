//! An activation that follows a convolution, an addition or a pooling alone becomes part of it, also where the result is
//! spread over space before.

use crate::error::ModelError;
use crate::graph::{Activation, Graph, Op};

/// Fuses every activation whose operand has no other reader and no activation of its own. An activation does not mind where
/// an element lies: behind a depth-to-space it becomes part of the convolution before it.
pub fn fuse_activations(graph: &mut Graph) -> Result<(), ModelError> {
    let readers = graph.reader_counts();
    let producers = graph.producers();
    let mut fused = vec![false; graph.nodes.len()];
    for position in 0..graph.nodes.len() {
        let Op::Activation(activation) = graph.nodes[position].op else {
            continue;
        };
        let (source, output) = (graph.nodes[position].inputs[0], graph.nodes[position].output);
        let Some(producer) = producers[source.index()] else {
            continue;
        };
        if readers[source.index()] != 1 || fused[producer] {
            continue;
        }
        let computes = match graph.nodes[producer].op {
            Op::DepthToSpace { .. } => {
                let before = graph.nodes[producer].inputs[0];
                let node = producers[before.index()].filter(|&node| !fused[node]);
                node.filter(|_| readers[before.index()] == 1)
            }
            _ => Some(producer),
        };
        let slot = computes.and_then(|node| free_activation(&mut graph.nodes[node].op));
        let Some(slot) = slot else {
            continue;
        };
        *slot = activation;
        graph.nodes[producer].output = output;
        fused[position] = true;
    }
    let mut fused = fused.into_iter();
    graph.nodes.retain(|_| fused.next() == Some(false));
    Ok(())
}

/// The place for an activation at the very end of an operator, when it is still empty.
fn free_activation(op: &mut Op) -> Option<&mut Activation> {
    let slot = match op {
        Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => match &mut conv.residual {
            Some(residual) => &mut residual.activation,
            None => &mut conv.activation,
        },
        Op::Add(residual) => &mut residual.activation,
        Op::MaxPool2d(pool) => &mut pool.activation,
        Op::Dequantize
        | Op::Densify
        | Op::Pad(_)
        | Op::Activation(_)
        | Op::ResizeBilinear(_)
        | Op::Reshape
        | Op::Concat { .. }
        | Op::DepthToSpace { .. }
        | Op::GlobalAveragePool
        | Op::ScaleChannels
        | Op::Tensor(_) => return None,
    };
    (*slot == Activation::None).then_some(slot)
}
