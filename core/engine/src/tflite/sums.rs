//! Numbers of many: pools, reductions, norms and products.

use super::call::Call;
use super::codes::*;
use super::images::pool_window;
use crate::error::ModelError;
use crate::graph::{Conv2d, Op, Padding, ValueId, element_count};
use crate::ops::{ArgReduce, Binary, Fold, MatMul, Measure, Norm, Reduce, TensorOp, Zip};

/// Windows of more pixels than this are summed by reductions or not at all.
const MAX_WINDOW: usize = 1024;

/// Adds the operator's nodes, where it is of this kind; says whether it is.
pub fn translate(code: i32, call: &mut Call<'_, '_>) -> Result<bool, ModelError> {
    let is_of_this_kind = matches!(
        code,
        AVERAGE_POOL_2D
            | MEAN
            | SUM
            | REDUCE_MAX
            | REDUCE_MIN
            | REDUCE_PROD
            | ARG_MAX
            | ARG_MIN
            | SOFTMAX
            | LOG_SOFTMAX
            | L2_NORMALIZATION
            | FULLY_CONNECTED
            | BATCH_MATMUL
    );
    if !is_of_this_kind {
        return Ok(false);
    }
    let x = call.operand(0)?;
    let result = match code {
        AVERAGE_POOL_2D => average_pool(call, x)?,
        MEAN => reduced(call, x, Fold::Mean)?,
        SUM => reduced(call, x, Fold::Sum)?,
        REDUCE_MAX => reduced(call, x, Fold::Max)?,
        REDUCE_MIN => reduced(call, x, Fold::Min)?,
        REDUCE_PROD => reduced(call, x, Fold::Prod)?,
        ARG_MAX | ARG_MIN => {
            let axis = call.constant_i32(call.operand(1)?)?;
            let &[axis] = axis else {
                return Err(call.invalid("its axis is not one number"));
            };
            let op = ArgReduce {
                greatest: code == ARG_MAX,
                axis: call.axis_of(axis, call.shape(x).len())?,
                last: false,
            };
            call.tensor(TensorOp::ArgReduce(op), vec![x])?
        }
        SOFTMAX => {
            let beta = call.float(0, 0.0, "beta")?;
            let scaled = if beta == 1.0 {
                x
            } else {
                let beta = call.floats("beta", vec![], vec![beta]);
                call.tensor(TensorOp::Zip(Zip { f: Binary::Mul }), vec![x, beta])?
            };
            normed(call, scaled, Measure::Softmax)?
        }
        LOG_SOFTMAX => normed(call, x, Measure::LogSoftmax)?,
        L2_NORMALIZATION => {
            let result = normed(call, x, Measure::L2)?;
            call.activated(result, 0)?
        }
        FULLY_CONNECTED => {
            let weights = call.operand(1)?;
            if call.byte(1, "weights_format")? != 0 {
                return Err(call.unsupported("shuffled weights"));
            }
            let channels = call.shape(weights).last().copied().unwrap_or(1);
            let rows = element_count(call.shape(x)) / channels.max(1);
            let x = call.reshaped(x, &[rows, channels])?;
            let product = TensorOp::MatMul(MatMul {
                transposed: [false, true],
            });
            let mut result = call.tensor(product, vec![x, weights])?;
            if let Some(&bias) = call.inputs.get(2) {
                result = call.tensor(TensorOp::Zip(Zip { f: Binary::Add }), vec![result, bias])?;
            }
            call.activated(result, 0)?
        }
        _ => {
            let transposed = [call.flag(0, "adj_x")?, call.flag(1, "adj_y")?];
            let operands = vec![x, call.operand(1)?];
            call.tensor(TensorOp::MatMul(MatMul { transposed }), operands)?
        }
    };
    call.give(0, result)?;
    Ok(true)
}

fn normed(call: &mut Call<'_, '_>, x: ValueId, f: Measure) -> Result<ValueId, ModelError> {
    let Some(last) = call.shape(x).len().checked_sub(1) else {
        return Err(call.invalid("its operand is a scalar"));
    };
    call.tensor(TensorOp::Norm(Norm { f, axes: vec![last] }), vec![x])
}

/// The reduced axes have size 1, or are none of the file's result, whose shape holds.
fn reduced(call: &mut Call<'_, '_>, x: ValueId, f: Fold) -> Result<ValueId, ModelError> {
    let axes = call.constant_i32(call.operand(1)?)?.to_vec();
    let rank = call.shape(x).len();
    let axes: Result<Vec<usize>, ModelError> = axes.iter().map(|&axis| call.axis_of(axis, rank)).collect();
    let mut axes = axes?;
    axes.sort_unstable();
    axes.dedup();
    call.tensor(TensorOp::Reduce(Reduce { f, axes }), vec![x])
}

/// The mean of the pixels of a window that are in the image.
fn average_pool(call: &mut Call<'_, '_>, x: ValueId) -> Result<ValueId, ModelError> {
    let (window, stride) = pool_window(call)?;
    let padding = call.padding(x, window, stride, [1, 1])?;
    let [_, height, width, channels] = call.image_shape(x)?;
    let is_padded = padding != Padding::default();
    if window == [height, width] && !is_padded {
        let (f, axes) = (Fold::Mean, vec![1, 2]);
        let result = call.tensor(TensorOp::Reduce(Reduce { f, axes }), vec![x])?;
        return call.activated(result, 5);
    }
    let taps = window[0] * window[1];
    if taps > MAX_WINDOW || window[0] > height + padding.top || window[1] > width + padding.left {
        let message = format!("a window of {window:?} on {height} x {width} pixels");
        return Err(call.unsupported(message));
    }
    let [_, out_height, out_width, _] = call.image_shape(call.outputs[0])?;
    // Where all windows are whole, one weight serves; else sums are divided by how many pixels each window has.
    let weight = if is_padded { 1.0 } else { 1.0 / taps as f32 };
    let weights = call.floats(
        "weights",
        vec![1, window[0], window[1], channels],
        vec![weight; taps * channels],
    );
    let bias = call.floats("bias", vec![channels], vec![0.0; channels]);
    let conv = Conv2d {
        stride,
        dilation: [1, 1],
        padding,
        activation: crate::graph::Activation::None,
        residual: None,
    };
    let sums = call.image(
        Op::DepthwiseConv2d(conv),
        vec![x, weights, bias],
        vec![1, out_height, out_width, channels],
    )?;
    if !is_padded {
        return call.activated(sums, 5);
    }
    let pixels = |axis: usize, output: usize, size: usize| {
        let taps = 0..window[axis];
        taps.filter(|&tap| conv.input_at(axis, output, tap, size).is_some())
            .count()
    };
    let rows: Vec<usize> = (0..out_height).map(|row| pixels(0, row, height)).collect();
    let columns: Vec<usize> = (0..out_width).map(|column| pixels(1, column, width)).collect();
    let shares = rows.iter().flat_map(|rows| {
        columns
            .iter()
            .map(move |columns| 1.0 / (rows * columns).max(1) as f32)
    });
    let shares = shares.collect();
    let shares = call.floats("shares", vec![1, out_height, out_width, 1], shares);
    let means = call.tensor(TensorOp::Zip(Zip { f: Binary::Mul }), vec![sums, shares])?;
    call.activated(means, 5)
}
