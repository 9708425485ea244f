//! `conv1x1(resize(x))` becomes `resize(conv1x1(x))` where the resize enlarges: the convolution then runs on the small
//! image.
//!
//! A 1x1 convolution mixes channels and a bilinear resize mixes pixels with weights that sum to one, so the two
//! commute, bias included, and differ in nothing but rounding. An activation does not commute with the mixing of
//! pixels: it moves behind the resize, where the next pass takes it into an addition.

use crate::error::ModelError;
use crate::graph::{Activation, Graph, Node, Op, Padding, element_count};

/// Swaps every bilinear enlargement with the 1x1 convolution that alone reads it.
pub fn commute_upsamples(graph: &mut Graph) -> Result<(), ModelError> {
    let mut position = 0;
    while position < graph.nodes.len() {
        if let Some(resize) = enlargement_before(graph, position) {
            swap(graph, resize, position);
        }
        position += 1;
    }
    Ok(())
}

/// Position of the resize whose result the 1x1 convolution at `position` alone reads, if it enlarges.
fn enlargement_before(graph: &Graph, position: usize) -> Option<usize> {
    let node = &graph.nodes[position];
    let Op::Conv2d(conv) = &node.op else { return None };
    let kernel = graph.shape(node.inputs[1]);
    let pointwise = kernel[1..3] == [1, 1] && conv.stride == [1, 1] && conv.padding == Padding::default();
    let enlarged = node.inputs[0];
    let resize = graph.producers()[enlarged.index()]?;
    let small = *graph.nodes[resize].inputs.first()?;
    let usable = pointwise
        && conv.residual.is_none()
        && matches!(graph.nodes[resize].op, Op::ResizeBilinear(_))
        && graph.reader_counts()[enlarged.index()] == 1
        && element_count(graph.shape(enlarged)) > element_count(graph.shape(small));
    usable.then_some(resize)
}

/// Lets the convolution run before the resize; each takes the other's place in the order of execution.
fn swap(graph: &mut Graph, resize: usize, position: usize) {
    let small = graph.nodes[resize].inputs[0];
    let output = graph.nodes[position].output;
    let name = graph.value(output).name.clone();
    let mut shape = graph.shape(small).to_vec();
    if let (Some(to), Some(from)) = (shape.last_mut(), graph.shape(output).last()) {
        *to = *from;
    }
    let mixed = graph.add_value(format!("{name}, before it is enlarged"), shape, None);
    graph.nodes.swap(resize, position);
    let mut activation = Activation::None;
    let node = &mut graph.nodes[resize];
    node.inputs[0] = small;
    node.output = mixed;
    if let Op::Conv2d(conv) = &mut node.op {
        activation = std::mem::take(&mut conv.activation);
    }
    graph.nodes[position].inputs[0] = mixed;
    graph.nodes[position].output = output;
    if activation != Activation::None {
        let shape = graph.shape(output).to_vec();
        let enlarged = graph.add_value(format!("{name}, before its activation"), shape, None);
        graph.nodes[position].output = enlarged;
        let node = Node {
            origin: graph.nodes[resize].origin.clone(),
            op: Op::Activation(activation),
            inputs: vec![enlarged],
            output,
        };
        graph.nodes.insert(position + 1, node);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::element::FileType;
    use crate::graph::{Bilinear, Constant, Conv2d, Residual, ValueId};
    use crate::passes::{fuse_residuals, fuse_resize_adds};
    use crate::reference;
    use crate::tensor::{Data, Tensor};
    use crate::validate::validate;

    /// Shape of the resized image, kernel, whether somebody else reads it, and whether the two may be swapped.
    const CASES: [([usize; 2], usize, bool, bool); 4] = [
        ([8, 6], 1, false, true),
        ([2, 6], 1, false, false),
        ([8, 6], 2, false, false),
        ([8, 6], 1, true, false),
    ];

    /// `added + relu6(conv(resize(x)))`
    fn graph([height, width]: [usize; 2], kernel: usize, has_other_reader: bool) -> Graph {
        let mut graph = Graph::default();
        let values = |len: usize| (0..len).map(|index| (index * 37 % 64) as f32 / 16.0 - 2.0);
        let out = vec![1, height + 1 - kernel, width + 1 - kernel, 2];
        let x = graph.add_value("x", vec![1, 4, 3, 5], None);
        let added = graph.add_value("added", out.clone(), None);
        let mut constant = |shape: &[usize]| {
            let data = Constant::F32(values(element_count(shape)).collect());
            graph.add_value("constant", shape.to_vec(), Some(data))
        };
        let (weights, bias) = (constant(&[2, kernel, kernel, 5]), constant(&[2]));
        let large = graph.add_value("large", vec![1, height, width, 5], None);
        let mixed = graph.add_value("mixed", out.clone(), None);
        let sum = graph.add_value("sum", out, None);
        let mut node = |op: Op, inputs: &[ValueId], output: ValueId| {
            graph.nodes.push(Node {
                origin: op.name().to_owned(),
                op,
                inputs: inputs.to_vec(),
                output,
            });
        };
        let bilinear = Bilinear {
            align_corners: false,
            half_pixel_centers: true,
        };
        let conv = Conv2d {
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::default(),
            activation: Activation::Relu6,
            residual: None,
        };
        let add = Residual {
            upsample: None,
            inner: Activation::None,
            activation: Activation::None,
        };
        node(Op::ResizeBilinear(bilinear), &[x], large);
        node(Op::Conv2d(conv), &[large, weights, bias], mixed);
        node(Op::Add(add), &[added, mixed], sum);
        graph.inputs = vec![x, added];
        graph.outputs = vec![sum];
        if has_other_reader {
            graph.outputs.push(large);
        }
        graph
    }

    #[test]
    fn swaps_only_what_commutes_and_keeps_the_result() {
        for (size, kernel, has_other_reader, swaps) in CASES {
            let before = graph(size, kernel, has_other_reader);
            let inputs: Vec<Tensor> = before
                .inputs
                .iter()
                .map(|&id| {
                    let shape = before.shape(id);
                    let data = (0..element_count(shape)).map(|index| (index * 29 % 32) as f32 / 8.0 - 2.0);
                    Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.collect())).expect("it fits")
                })
                .collect();
            let mut after = before.clone();
            commute_upsamples(&mut after).expect("the pass takes it");
            validate(&after).expect("still valid");
            let first = after.nodes.first().map(|node| node.op.name());
            assert_eq!(first == Some("Conv2d"), swaps, "{size:?}, kernel {kernel}");
            // What follows takes the resize and the activation into the addition.
            fuse_resize_adds(&mut after).expect("the pass takes it");
            fuse_residuals(&mut after).expect("the pass takes it");
            validate(&after).expect("still valid");
            let names: Vec<&str> = after.nodes.iter().map(|node| node.op.name()).collect();
            let expected = if swaps {
                ["Conv2d", "Add"]
            } else {
                ["ResizeBilinear", "Conv2d"]
            };
            assert_eq!(names, expected, "{size:?}, kernel {kernel}");
            let [expected, actual] =
                [&before, &after].map(|graph| reference::run(graph, &inputs).expect("the reference runs it"));
            for id in &before.outputs {
                let floats =
                    |values: &HashMap<ValueId, Tensor>| values[id].floats().expect("f32").into_owned();
                for (expected, actual) in floats(&expected).iter().zip(floats(&actual)) {
                    assert!((expected - actual).abs() < 1e-5, "{actual} instead of {expected}");
                }
            }
        }
    }
}
