//! `a + resize(b)` becomes an addition that enlarges `b` while it adds: the enlarged tensor is never written. An
//! activation between the two comes along.

use crate::error::ModelError;
use crate::graph::{Activation, Graph, Op, ValueId};

/// Fuses every bilinear resize whose only reader is an addition of equal shapes.
pub fn fuse_resize_adds(graph: &mut Graph) -> Result<(), ModelError> {
    let readers = graph.reader_counts();
    let producers = graph.producers();
    let mut fused = vec![false; graph.nodes.len()];
    for position in 0..graph.nodes.len() {
        let Op::Add(residual) = graph.nodes[position].op else {
            continue;
        };
        if residual.upsample.is_some() {
            continue;
        }
        // The node that writes a value which nobody else reads.
        let only_source = |value: ValueId| producers[value.index()].filter(|_| readers[value.index()] == 1);
        for side in [1, 0] {
            let Some(mut producer) = only_source(graph.nodes[position].inputs[side]) else {
                continue;
            };
            let mut inner = (Activation::None, None);
            if let Op::Activation(activation) = graph.nodes[producer].op {
                inner = (activation, Some(producer));
                match only_source(graph.nodes[producer].inputs[0]) {
                    Some(before) => producer = before,
                    None => continue,
                }
            }
            let Op::ResizeBilinear(bilinear) = graph.nodes[producer].op else {
                continue;
            };
            let other = graph.nodes[position].inputs[1 - side];
            let small = graph.nodes[producer].inputs[0];
            let node = &mut graph.nodes[position];
            node.inputs = vec![other, small];
            if let Op::Add(residual) = &mut node.op {
                residual.upsample = Some(bilinear);
                residual.inner = inner.0;
            }
            fused[producer] = true;
            inner
                .1
                .into_iter()
                .for_each(|activation| fused[activation] = true);
            break;
        }
    }
    let mut fused = fused.into_iter();
    graph.nodes.retain(|_| fused.next() == Some(false));
    Ok(())
}
