//! What a step computes and moves, for tables of measured times.

use crate::graph::{Graph, Op, element_count};

/// One step of a session, in words and counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFacts {
    /// Where it stood in the model file.
    pub origin: String,
    /// What it computes, with kernel and stride: `Conv2d 3x3/2`.
    pub operator: String,
    /// From the shape of its first input to the shape of its output: `128x128x16 > 64x64x24`.
    pub shape: String,
    /// Multiply-accumulates of the dense definition.
    pub macs: u64,
    /// Bytes of activations that it reads and writes, and of weights as f32.
    pub bytes: u64,
}

impl StepFacts {
    /// The facts of the node at `position`.
    pub(super) fn of(graph: &Graph, position: usize) -> Self {
        let node = &graph.nodes[position];
        let outputs = element_count(graph.shape(node.output));
        let (operator, macs) = match &node.op {
            Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => {
                let weights = graph.shape(node.inputs[1]);
                let residual = match conv.residual {
                    None => "",
                    Some(residual) if residual.upsample.is_some() => " + resize",
                    Some(_) => " + residual",
                };
                let text = format!(
                    "{} {}x{}/{}{residual}",
                    node.op.name(),
                    weights[1],
                    weights[2],
                    conv.stride[0]
                );
                let depth = match node.op {
                    Op::Conv2d(_) => element_count(&weights[1..]),
                    _ => weights[1] * weights[2],
                };
                (text, outputs * depth)
            }
            op => (op.name().to_owned(), 0),
        };
        let elements: usize = node
            .inputs
            .iter()
            .map(|&input| element_count(graph.shape(input)))
            .sum();
        let image = |shape: &[usize]| {
            let sizes: Vec<String> = shape.iter().skip(1).map(usize::to_string).collect();
            sizes.join("x")
        };
        Self {
            origin: node.origin.clone(),
            operator,
            shape: format!(
                "{} > {}",
                image(graph.shape(node.inputs[0])),
                image(graph.shape(node.output))
            ),
            macs: macs as u64,
            bytes: 4 * (elements + outputs) as u64,
        }
    }
}
