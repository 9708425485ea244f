//! A convolution of one tap that each channel has for itself, a scale and a shift, becomes part of the weights of the
//! convolution before it: what normalisations of batches leave behind.

use crate::error::ModelError;
use crate::graph::{Activation, Constant, Conv2d, Graph, Op, Padding};

/// Folds every scale whose operand is what a convolution gives and nobody else reads.
pub fn fold_scales(graph: &mut Graph) -> Result<(), ModelError> {
    let mut producers = graph.producers();
    let readers = graph.reader_counts();
    let mut is_folded = vec![false; graph.nodes.len()];
    for (position, is_folded) in is_folded.iter_mut().enumerate() {
        let node = &graph.nodes[position];
        let (source, output) = (node.inputs[0], node.output);
        let Some(producer) = producers[source.index()].filter(|_| readers[source.index()] == 1) else {
            continue;
        };
        let Some((weights, bias)) = folded(graph, producer, position) else {
            continue;
        };
        for (index, data) in [(1, weights), (2, bias)] {
            let old = graph.nodes[producer].inputs[index];
            let (name, shape) = (graph.value(old).name.clone(), graph.shape(old).to_vec());
            // What an earlier scale has made of it is not counted.
            if readers.get(old.index()).is_none_or(|&readers| readers == 1) {
                // Nobody reads it any more, and it may be large.
                graph.values[old.index()].constant = Some(Constant::F32([].into()));
            }
            graph.nodes[producer].inputs[index] =
                graph.add_value(name, shape, Some(Constant::F32(data.into())));
        }
        graph.nodes[producer].output = output;
        producers[output.index()] = Some(producer);
        *is_folded = true;
    }
    let mut is_folded = is_folded.into_iter();
    graph.nodes.retain(|_| is_folded.next() == Some(false));
    Ok(())
}

/// Weights and bias of the convolution at `producer` with the scale at `position` in them; `None` where they are none.
fn folded(graph: &Graph, producer: usize, position: usize) -> Option<(Vec<f32>, Vec<f32>)> {
    let (convolution, scaling) = (&graph.nodes[producer], &graph.nodes[position]);
    let Op::DepthwiseConv2d(own) = &scaling.op else {
        return None;
    };
    let is_scale = graph.shape(scaling.inputs[1])[1..3] == [1, 1]
        && is_plain(own)
        && (own.stride, own.padding) == ([1, 1], Padding::default());
    let (Op::Conv2d(before) | Op::DepthwiseConv2d(before)) = &convolution.op else {
        return None;
    };
    if !is_scale || !is_plain(before) {
        return None;
    }
    let numbers = |position: usize, index: usize| {
        let node = &graph.nodes[position];
        graph.value(node.inputs[index]).constant.as_ref()?.to_f32()
    };
    let (scale, shift) = (numbers(position, 1)?, numbers(position, 2)?);
    let (mut weights, bias) = (numbers(producer, 1)?.into_owned(), numbers(producer, 2)?);
    if scale.is_empty() || weights.is_empty() {
        return None;
    }
    // Weights of an output lie one behind the other, those of a channel of its own as many apart as there are.
    let each = weights.len() / scale.len();
    let is_dense = matches!(convolution.op, Op::Conv2d(_));
    for (index, weight) in weights.iter_mut().enumerate() {
        *weight *= scale[if is_dense {
            index / each
        } else {
            index % scale.len()
        }];
    }
    let bias = bias.iter().zip(&*scale).zip(&*shift);
    let bias = bias.map(|((bias, scale), shift)| bias * scale + shift).collect();
    Some((weights, bias))
}

/// Whether nothing happens to the sums. What follows a scale stays behind what it becomes part of.
fn is_plain(conv: &Conv2d) -> bool {
    conv.activation == Activation::None && conv.residual.is_none()
}
