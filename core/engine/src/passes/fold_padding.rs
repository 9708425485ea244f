//! Zero padding of rows and columns becomes the padding of the convolutions that read it.

use super::prune;
use crate::error::ModelError;
use crate::graph::{Graph, Op, Padding, ValueId};

/// Folds every spatial `Pad` whose readers are all convolutions, whose zeros mean the same thing.
pub fn fold_padding(graph: &mut Graph) -> Result<(), ModelError> {
    for position in 0..graph.nodes.len() {
        let node = &graph.nodes[position];
        let Some(extra) = spatial(&node.op) else { continue };
        let (padded, source) = (node.output, node.inputs[0]);
        if graph.outputs.contains(&padded) || !only_convolutions_read(graph, padded) {
            continue;
        }
        for node in &mut graph.nodes {
            let (Op::Conv2d(conv) | Op::DepthwiseConv2d(conv)) = &mut node.op else {
                continue;
            };
            if node.inputs[0] == padded {
                node.inputs[0] = source;
                conv.padding.top += extra.top;
                conv.padding.bottom += extra.bottom;
                conv.padding.left += extra.left;
                conv.padding.right += extra.right;
            }
        }
    }
    prune(graph);
    Ok(())
}

/// The padding of a `Pad` node that touches only rows and columns.
fn spatial(op: &Op) -> Option<Padding> {
    let Op::Pad(amounts) = op else { return None };
    match amounts.as_slice() {
        [(0, 0), (top, bottom), (left, right), (0, 0)] => Some(Padding {
            top: *top,
            bottom: *bottom,
            left: *left,
            right: *right,
        }),
        _ => None,
    }
}

/// Whether each use of the value is the data operand of a convolution.
fn only_convolutions_read(graph: &Graph, value: ValueId) -> bool {
    graph.nodes.iter().all(|node| {
        let is_convolution = matches!(node.op, Op::Conv2d(_) | Op::DepthwiseConv2d(_));
        let others = if is_convolution {
            &node.inputs[1..]
        } else {
            &node.inputs[..]
        };
        !others.contains(&value)
    })
}
