//! Constant folding: spreads sparse weights, widens f16 weights, reshapes constants.

use std::sync::Arc;

use crate::error::ModelError;
use crate::graph::{Constant, Graph, Op, element_count};
use crate::half::f32_from_f16;

/// Replaces every node whose operands are known by its result.
///
/// # Errors
/// *Unsupported* for a `Dequantize` or `Densify` whose operand depends on the frame.
pub fn fold_constants(graph: &mut Graph) -> Result<(), ModelError> {
    let nodes = std::mem::take(&mut graph.nodes);
    for node in nodes {
        let folded = match (&node.op, &graph.value(node.inputs[0]).constant) {
            (Op::Dequantize, Some(Constant::F16(data))) => Some(Constant::F32(
                data.iter().map(|&bits| f32_from_f16(bits)).collect(),
            )),
            (Op::Densify, Some(Constant::SparseF16 { values, positions })) => {
                let mut dense = vec![0u16; element_count(graph.shape(node.output))];
                for (&value, &position) in values.iter().zip(positions.iter()) {
                    // The importer guarantees that positions lie inside the tensor.
                    if let Some(element) = dense.get_mut(position as usize) {
                        *element = value;
                    }
                }
                Some(Constant::F16(dense.into()))
            }
            (Op::Reshape, Some(constant)) => Some(constant.clone()),
            (Op::Dequantize | Op::Densify, _) => {
                let message = "its operand is not a constant f16 tensor; only weights may be stored so";
                return Err(ModelError::unsupported(&node.origin, message));
            }
            (
                Op::Conv2d(_)
                | Op::DepthwiseConv2d(_)
                | Op::Pad(_)
                | Op::Add(_)
                | Op::Activation(_)
                | Op::MaxPool2d(_)
                | Op::ResizeBilinear(_)
                | Op::Reshape
                | Op::Concat { .. }
                | Op::DepthToSpace { .. }
                | Op::GlobalAveragePool
                | Op::ScaleChannels
                // Importers fold what they know as they read it.
                | Op::Tensor(_),
                _,
            ) => None,
        };
        match folded {
            Some(constant) => graph.values[node.output.index()].constant = Some(constant),
            None => graph.nodes.push(node),
        }
    }
    release_sources(graph);
    Ok(())
}

/// Frees the contents of constants that no node reads any more: a folded model would otherwise hold its weights twice.
fn release_sources(graph: &mut Graph) {
    let readers = graph.reader_counts();
    for (value, readers) in graph.values.iter_mut().zip(readers) {
        if readers == 0 && value.constant.is_some() {
            value.constant = Some(Constant::F32(Arc::new([])));
        }
    }
}
