//! Outputs that are computed where somebody looks: a last 1x1 convolution that the plan leaves to the reader.
//!
//! A head that ends in a 1x1 convolution computes every pixel from one pixel of its input. Who reads few pixels of few
//! channels, as the refinement of landmarks does, saves the rest: the plan's output is then the convolution's input,
//! and [`Deferred`] says how to go on from there. The CPU goes on with the kernel that it would have used
//! ([`crate::cpu::Session::deferred`]), a GPU in the shader that reads ([`crate::gpu::DeferredPort`]).

use crate::graph::{Activation, Graph, Op, Padding, ValueId};

/// An output that is left to its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferred {
    /// Name of the output.
    pub name: String,
    /// Its shape, `[1, height, width, channels]`.
    pub shape: Vec<usize>,
    /// What it is computed from, an output of the plan: `[1, height, width, channels of the input]`.
    pub source: ValueId,
    /// Weights, `[channels, 1, 1, channels of the input]`.
    pub weights: ValueId,
    /// Bias, `[channels]`.
    pub bias: ValueId,
}

/// Takes the convolution behind an output out of the graph and puts its input in the output's place. `None`, and the
/// graph as it was, where the output is anything else than a 1x1 convolution without residual and activation that
/// nobody else reads, or one of a constant.
pub fn defer(graph: &mut Graph, name: &str) -> Option<Deferred> {
    let output = graph.output_named(name)?;
    let position = graph.producers()[output.index()]?;
    let node = &graph.nodes[position];
    let Op::Conv2d(conv) = &node.op else { return None };
    let window = graph.shape(node.inputs[1]);
    let usable = window[1..3] == [1, 1]
        && conv.stride == [1, 1]
        && conv.padding == Padding::default()
        && conv.activation == Activation::None
        && conv.residual.is_none()
        && graph.value(node.inputs[0]).constant.is_none()
        // The caller is the only reader.
        && graph.reader_counts()[output.index()] == 1;
    if !usable {
        return None;
    }
    let node = graph.nodes.remove(position);
    let source = node.inputs[0];
    let is_output = graph.outputs.contains(&source);
    graph.outputs.retain(|&id| id != output || !is_output);
    for id in &mut graph.outputs {
        if *id == output {
            *id = source;
        }
    }
    Some(Deferred {
        name: name.to_owned(),
        shape: graph.shape(output).to_vec(),
        source,
        weights: node.inputs[1],
        bias: node.inputs[2],
    })
}
