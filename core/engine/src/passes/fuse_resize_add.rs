//! `a + resize(b)` becomes an addition that enlarges `b` while it adds: the enlarged tensor is never written.

use crate::error::ModelError;
use crate::graph::{Graph, Op};

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
        for side in [1, 0] {
            let enlarged = graph.nodes[position].inputs[side];
            let Some(producer) = producers[enlarged.index()] else {
                continue;
            };
            let Op::ResizeBilinear(bilinear) = graph.nodes[producer].op else {
                continue;
            };
            if readers[enlarged.index()] != 1 {
                continue;
            }
            let other = graph.nodes[position].inputs[1 - side];
            let small = graph.nodes[producer].inputs[0];
            let node = &mut graph.nodes[position];
            node.inputs = vec![other, small];
            if let Op::Add(residual) = &mut node.op {
                residual.upsample = Some(bilinear);
            }
            fused[producer] = true;
            break;
        }
    }
    let mut fused = fused.into_iter();
    graph.nodes.retain(|_| fused.next() == Some(false));
    Ok(())
}
