//! The naive interpreter: every operator as its definition reads, one scalar at a time, on the graph before any pass.
//!
//! It is the yardstick for the fused and vectorised backends and is far too slow for anything else.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{Bilinear, Constant, Conv2d, Graph, Node, Op, Residual, ValueId, element_count};
use crate::tensor::{Data, Tensor};

/// Runs a graph on one tensor per graph input; returns every value that was computed, and every output, by id.
///
/// # Errors
/// *Unsupported* when constants have not been folded; *Invalid* when an input or a constant is of another shape or type.
pub fn run(graph: &Graph, inputs: &[Tensor]) -> Result<HashMap<ValueId, Tensor>, ModelError> {
    let mut values: HashMap<ValueId, Tensor> = HashMap::new();
    for (&id, tensor) in graph.inputs.iter().zip(inputs) {
        let expected = graph.type_of(id);
        if tensor.shape() != expected.shape || tensor.file_type().element() != Some(expected.element) {
            let message = format!(
                "{} of shape {:?} for {} of shape {:?}",
                tensor.file_type(),
                tensor.shape(),
                expected.element,
                expected.shape
            );
            return Err(ModelError::invalid("inputs", message));
        }
        values.insert(id, tensor.clone());
    }
    let on_tensors = graph.nodes.iter().filter(|node| matches!(node.op, Op::Tensor(_)));
    for &id in on_tensors.flat_map(|node| &node.inputs).chain(&graph.outputs) {
        let value = graph.value(id);
        if let Some(words) = value.constant.as_ref().and_then(Constant::to_words) {
            let tensor = Tensor::from_words(value.element.file_type(), &value.shape, &words);
            let tensor = tensor.map_err(|message| ModelError::invalid(&value.name, message))?;
            values.insert(id, tensor);
        }
    }
    for node in &graph.nodes {
        let at = |message: String| ModelError::invalid(&node.origin, message);
        let result = match &node.op {
            Op::Tensor(op) => {
                let known = node.inputs.iter().map(|id| values.get(id).cloned());
                let operands: Vec<Tensor> = known
                    .collect::<Option<_>>()
                    .ok_or_else(|| ModelError::unsupported(&node.origin, "constants must be folded first"))?;
                op.evaluate(&operands).map_err(at)?
            }
            Op::Reshape if values.contains_key(&node.inputs[0]) => {
                let shape = graph.shape(node.output).to_vec();
                values[&node.inputs[0]].clone().reshaped(shape).map_err(at)?
            }
            _ => {
                let data = evaluate(graph, node, &values)?;
                let shape = graph.shape(node.output).to_vec();
                Tensor::new(FileType::F32, shape, Data::Float(data.into())).map_err(at)?
            }
        };
        values.insert(node.output, result);
    }
    Ok(values)
}

/// The result of an operator on images.
fn evaluate(graph: &Graph, node: &Node, values: &HashMap<ValueId, Tensor>) -> Result<Vec<f32>, ModelError> {
    let operand = |index: usize| -> Result<Cow<'_, [f32]>, ModelError> {
        let id = node.inputs[index];
        let constant = graph.value(id).constant.as_ref().and_then(Constant::to_f32);
        constant
            .or_else(|| values.get(&id).and_then(Tensor::floats))
            .ok_or_else(|| ModelError::unsupported(&node.origin, "an operand is not f32"))
    };
    let shape = |index: usize| graph.shape(node.inputs[index]);
    let out_shape = graph.shape(node.output);
    Ok(match &node.op {
        Op::Tensor(_) => {
            let message = "only operators on images are computed here";
            return Err(ModelError::unsupported(&node.origin, message));
        }
        Op::Dequantize | Op::Densify => {
            return Err(ModelError::unsupported(
                &node.origin,
                "constants must be folded first",
            ));
        }
        Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => {
            let depthwise = matches!(node.op, Op::DepthwiseConv2d(_));
            let (x, weights, bias) = (&operand(0)?, &operand(1)?, &operand(2)?);
            let mut result = convolve(x, shape(0), weights, shape(1), bias, out_shape, conv, depthwise);
            if let Some(residual) = conv.residual {
                add(&mut result, out_shape, &operand(3)?, shape(3), residual);
            }
            result
        }
        Op::Add(residual) => {
            let mut result = operand(0)?.to_vec();
            add(&mut result, out_shape, &operand(1)?, shape(1), *residual);
            result
        }
        Op::Activation(activation) => operand(0)?.iter().map(|&x| activation.apply(x)).collect(),
        Op::Reshape => operand(0)?.to_vec(),
        Op::Pad(amounts) => {
            let (x, from) = (operand(0)?, shape(0));
            let mut result = vec![0.0; element_count(out_shape)];
            for (index, &value) in x.iter().enumerate() {
                let mut place = 0;
                for (axis, coordinate) in coordinates(index, from).into_iter().enumerate() {
                    place = place * out_shape[axis] + coordinate + amounts[axis].0;
                }
                result[place] = value;
            }
            result
        }
        Op::MaxPool2d(pool) => {
            let (x, from) = (operand(0)?, shape(0));
            by_pixel(out_shape, |y, x_out, c| {
                let mut best = f32::NEG_INFINITY;
                for ky in 0..pool.window[0] {
                    for kx in 0..pool.window[1] {
                        let row = (y * pool.stride[0] + ky).checked_sub(pool.padding.top);
                        let column = (x_out * pool.stride[1] + kx).checked_sub(pool.padding.left);
                        if let (Some(row), Some(column)) = (row, column)
                            && row < from[1]
                            && column < from[2]
                        {
                            best = best.max(x[(row * from[2] + column) * from[3] + c]);
                        }
                    }
                }
                pool.activation.apply(best)
            })
        }
        Op::ResizeBilinear(bilinear) => resize(&operand(0)?, shape(0), out_shape, *bilinear),
        Op::Concat { axis } => {
            let inner: usize = out_shape[axis + 1..].iter().product();
            let outer: usize = out_shape[..*axis].iter().product();
            let mut result = Vec::with_capacity(element_count(out_shape));
            for row in 0..outer {
                for index in 0..node.inputs.len() {
                    let run = shape(index)[*axis] * inner;
                    result.extend_from_slice(&operand(index)?[row * run..(row + 1) * run]);
                }
            }
            result
        }
        Op::GlobalAveragePool => {
            let (x, channels) = (operand(0)?, out_shape[3]);
            let mean = |channel: usize| {
                let of_channel = x.iter().skip(channel).step_by(channels);
                let sum: f64 = of_channel.map(|&x| f64::from(x)).sum();
                (sum * channels as f64 / x.len() as f64) as f32
            };
            (0..channels).map(mean).collect()
        }
        Op::ScaleChannels => {
            let (x, scale) = (operand(0)?, operand(1)?);
            let scaled = x.iter().zip(scale.iter().cycle());
            scaled.map(|(x, scale)| x * scale).collect()
        }
        Op::DepthToSpace { block } => {
            let (x, from) = (operand(0)?, shape(0));
            by_pixel(out_shape, |y, x_out, c| {
                let inner = (y % block * block + x_out % block) * out_shape[3] + c;
                x[(y / block * from[2] + x_out / block) * from[3] + inner]
            })
        }
    })
}

/// Position along each axis of an element, outermost first.
fn coordinates(mut index: usize, shape: &[usize]) -> Vec<usize> {
    let mut result = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        result[axis] = index % shape[axis];
        index /= shape[axis];
    }
    result
}

fn by_pixel(shape: &[usize], mut value: impl FnMut(usize, usize, usize) -> f32) -> Vec<f32> {
    let mut result = Vec::with_capacity(element_count(shape));
    for y in 0..shape[1] {
        for x in 0..shape[2] {
            for c in 0..shape[3] {
                result.push(value(y, x, c));
            }
        }
    }
    result
}

#[expect(
    clippy::too_many_arguments,
    reason = "one parameter an operand of the definition"
)]
fn convolve(
    x: &[f32],
    from: &[usize],
    weights: &[f32],
    kernel: &[usize],
    bias: &[f32],
    to: &[usize],
    conv: &Conv2d,
    depthwise: bool,
) -> Vec<f32> {
    let [_, height, width, channels] = *from else {
        unreachable!("validated: four dimensions")
    };
    by_pixel(to, |y, x_out, o| {
        let mut sum = f64::from(bias[o]);
        for ky in 0..kernel[1] {
            for kx in 0..kernel[2] {
                let row = (y * conv.stride[0] + ky * conv.dilation[0]).checked_sub(conv.padding.top);
                let column = (x_out * conv.stride[1] + kx * conv.dilation[1]).checked_sub(conv.padding.left);
                let (Some(row), Some(column)) = (row, column) else {
                    continue;
                };
                if row >= height || column >= width {
                    continue;
                }
                let pixel = &x[(row * width + column) * channels..][..channels];
                let tap = ky * kernel[2] + kx;
                if depthwise {
                    sum += f64::from(pixel[o]) * f64::from(weights[tap * channels + o]);
                } else {
                    let taps = kernel[1] * kernel[2];
                    let row = &weights[(o * taps + tap) * channels..][..channels];
                    sum += pixel
                        .iter()
                        .zip(row)
                        .map(|(a, b)| f64::from(*a) * f64::from(*b))
                        .sum::<f64>();
                }
            }
        }
        conv.activation.apply(sum as f32)
    })
}

fn add(result: &mut [f32], shape: &[usize], other: &[f32], other_shape: &[usize], residual: Residual) {
    let enlarged;
    let other = match residual.upsample {
        Some(bilinear) => {
            enlarged = resize(other, other_shape, shape, bilinear);
            &enlarged
        }
        None => other,
    };
    for (value, other) in result.iter_mut().zip(other) {
        *value = residual.activation.apply(*value + residual.inner.apply(*other));
    }
}

fn resize(x: &[f32], from: &[usize], to: &[usize], bilinear: Bilinear) -> Vec<f32> {
    let (width, channels) = (from[2], from[3]);
    by_pixel(to, |y, x_out, c| {
        let (top, bottom, fy) = bilinear.source(y, from[1], to[1]);
        let (left, right, fx) = bilinear.source(x_out, width, to[2]);
        let at = |row: usize, column: usize| x[(row * width + column) * channels + c];
        let upper = at(top, left) * (1.0 - fx) + at(top, right) * fx;
        let lower = at(bottom, left) * (1.0 - fx) + at(bottom, right) * fx;
        upper * (1.0 - fy) + lower * fy
    })
}
