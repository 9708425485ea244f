//! Operators on integers that stand for floats: an integer without its zero point, times a scale.
//!
//! They are computed in f32, which holds every integer up to 2^24: products of 8-bit integers are summed in parts that
//! stay below it.

use rten_onnx::onnx::DataType;

use super::convolutions;
use super::places::number;
use crate::builder::{Part, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::onnx::tensors;
use crate::ops::{Binary, Fold, Unary};
use crate::tensor::Scalar;

/// As many products of 8-bit integers without their zero points, 255 times 255 at most, are below 2^24 together.
const EXACT: usize = 256;

/// The value in f32.
fn float(call: &mut Call<'_>, x: &Symbol) -> Result<Symbol, ModelError> {
    call.builder.map(Unary::Cast(FileType::F32), x, &call.place)
}

/// A scale or a zero point as it stretches over x: one for all, one for each place along an axis, or one for each block of
/// places.
fn stretched(
    call: &mut Call<'_>,
    parameter: &Symbol,
    x: &Symbol,
    axis: Option<usize>,
    block: usize,
) -> Result<Symbol, ModelError> {
    let parameter = float(call, parameter)?;
    let shape = parameter.shape().to_vec();
    let place = call.place.clone();
    match (&*shape, axis) {
        ([] | [1], _) => call.builder.reshape(&parameter, vec![], &place),
        (&[size], Some(axis)) if block == 0 && x.shape().get(axis) == Some(&size) => {
            let mut stretched = vec![1; x.shape().len()];
            stretched[axis] = size;
            call.builder.reshape(&parameter, stretched, &place)
        }
        (_, Some(axis)) if block > 0 && shape.len() == x.shape().len() => {
            let mut repeats = vec![1; shape.len()];
            repeats[axis] = block;
            let repeated = call.builder.repeat(&parameter, &repeats, &place)?;
            if repeated.shape()[axis] < x.shape()[axis] {
                return Err(call.invalid(format!("blocks of {block} over {:?}", x.shape())));
            }
            let mut parts: Vec<Part> = repeated.shape().iter().map(|&size| Part::of(0, size)).collect();
            parts[axis] = Part::of(0, x.shape()[axis]);
            call.builder.slice(&repeated, &parts, &place)
        }
        _ => Err(call.invalid(format!("a parameter of shape {shape:?} for {:?}", x.shape()))),
    }
}

/// Along which axis the parameters differ, and for how many places each stands.
fn blocks(call: &mut Call<'_>, x: &Symbol) -> Result<(Option<usize>, usize), ModelError> {
    let axis = call.attributes.int("axis")?.unwrap_or(1);
    let block = call.attributes.int("block_size")?.unwrap_or(0);
    let block = usize::try_from(block).map_err(|_| call.invalid(format!("blocks of {block}")))?;
    // One for all needs no axis.
    Ok((call.axis(axis, x.shape().len()).ok(), block))
}

/// The type that an attribute names.
fn output_type(call: &mut Call<'_>) -> Result<Option<FileType>, ModelError> {
    match call.attributes.int("output_dtype")? {
        None | Some(0) => Ok(None),
        Some(number) => {
            let number =
                i32::try_from(number).map_err(|_| call.invalid(format!("there is no type {number}")))?;
            tensors::file_type(DataType(number), &call.place).map(Some)
        }
    }
}

/// Floats, scaled already, as integers of a type: rounded, moved, and cut off at its ends.
fn rounded(
    call: &mut Call<'_>,
    x: &Symbol,
    zero: Option<&Symbol>,
    to: FileType,
) -> Result<Symbol, ModelError> {
    let Some((low, high)) = to
        .range()
        .filter(|(low, high)| *low >= -(1 << 16) && *high < 1 << 16)
    else {
        return Err(call.unsupported(format!("quantisation to {to}")));
    };
    let place = call.place.clone();
    let mut y = call.builder.map(Unary::Round, x, &place)?;
    if let Some(zero) = zero {
        y = call.builder.zip(Binary::Add, &y, zero, &place)?;
    }
    let clip = Unary::Clip {
        low: low as f32,
        high: high as f32,
    };
    let y = call.builder.map(clip, &y, &place)?;
    call.builder.map(Unary::Cast(to), &y, &place)
}

pub fn quantize_linear(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, scale, zero) = (call.operand(0)?, call.operand(1)?, call.optional(2));
    // Of floats of 8 bits, which are refused by their type.
    call.attributes.int("saturate")?;
    let (axis, block) = blocks(call, &x)?;
    let named = output_type(call)?;
    let to = match &zero {
        Some(zero) => zero.file_type(),
        None => named.unwrap_or(FileType::U8),
    };
    let scale = stretched(call, &scale, &x, axis, block)?;
    let zero = match zero {
        Some(zero) => Some(stretched(call, &zero, &x, axis, block)?),
        None => None,
    };
    let x = float(call, &x)?;
    let scaled = call.builder.zip(Binary::Div, &x, &scale, &call.place)?;
    Ok(vec![rounded(call, &scaled, zero.as_ref(), to)?])
}

pub fn dequantize_linear(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, scale, zero) = (call.operand(0)?, call.operand(1)?, call.optional(2));
    let (axis, block) = blocks(call, &x)?;
    let to = output_type(call)?.unwrap_or(scale.file_type());
    let scale = stretched(call, &scale, &x, axis, block)?;
    let mut y = float(call, &x)?;
    if let Some(zero) = zero {
        let zero = stretched(call, &zero, &x, axis, block)?;
        y = call.builder.zip(Binary::Sub, &y, &zero, &call.place)?;
    }
    let y = call.builder.zip(Binary::Mul, &y, &scale, &call.place)?;
    Ok(vec![call.builder.map(Unary::Cast(to), &y, &call.place)?])
}

/// To the 256 steps between the least and the greatest element, 0 among them.
pub fn dynamic_quantize_linear(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let place = call.place.clone();
    let axes: Vec<usize> = (0..x.shape().len()).collect();
    let zero = number(call, x.file_type(), Scalar::Float(0.0))?;
    let steps = number(call, x.file_type(), Scalar::Float(255.0))?;
    let mut ends = Vec::new();
    for (fold, f) in [(Fold::Min, Binary::Min), (Fold::Max, Binary::Max)] {
        let end = call.builder.reduce(fold, &x, &axes, &place)?;
        let end = call.builder.reshape(&end, vec![], &place)?;
        ends.push(call.builder.zip(f, &end, &zero, &place)?);
    }
    let span = call.builder.zip(Binary::Sub, &ends[1], &ends[0], &place)?;
    let scale = call.builder.zip(Binary::Div, &span, &steps, &place)?;
    let low = call.builder.map(Unary::Neg, &ends[0], &place)?;
    let first = call.builder.zip(Binary::Div, &low, &scale, &place)?;
    let first = rounded(call, &first, None, FileType::U8)?;
    let moved = float(call, &first)?;
    let scaled = call.builder.zip(Binary::Div, &x, &scale, &place)?;
    let y = rounded(call, &scaled, Some(&moved), FileType::U8)?;
    Ok(vec![y, scale, first])
}

/// An operand of a product in f32, without its zero point, which may differ by row of the first and column of the second.
fn factor(call: &mut Call<'_>, x: &Symbol, zero: Option<&Symbol>, axis: usize) -> Result<Symbol, ModelError> {
    let y = float(call, x)?;
    let Some(zero) = zero else { return Ok(y) };
    let zero = along_factor(call, zero, x, axis)?;
    call.builder.zip(Binary::Sub, &y, &zero, &call.place)
}

/// A parameter of a product's operand in f32: one for all, one for each row or column, or as it stretches by itself.
fn along_factor(
    call: &mut Call<'_>,
    parameter: &Symbol,
    x: &Symbol,
    axis: usize,
) -> Result<Symbol, ModelError> {
    if parameter.shape().len() > 1 {
        return float(call, parameter);
    }
    let axis = x.shape().len().checked_sub(axis);
    stretched(call, parameter, x, axis, 0)
}

/// The parts of a product along what is summed, each of which is exact in f32.
fn exact_products(call: &mut Call<'_>, a: &Symbol, b: &Symbol) -> Result<Vec<Symbol>, ModelError> {
    let (of_a, of_b) = (
        a.shape().len().saturating_sub(1),
        b.shape().len().saturating_sub(2),
    );
    let lengths = a.shape().get(of_a).zip(b.shape().get(of_b));
    let length = lengths
        .filter(|(of_a, of_b)| of_a == of_b)
        .map(|(&length, _)| length);
    let Some(length) = length else {
        return Err(call.invalid(format!("a product of {:?} and {:?}", a.shape(), b.shape())));
    };
    let whole = |x: &Symbol| -> Vec<Part> { x.shape().iter().map(|&size| Part::of(0, size)).collect() };
    let mut products = Vec::new();
    for first in (0..length.max(1)).step_by(EXACT) {
        let part = Part::of(first, EXACT.min(length - first));
        let (mut parts_a, mut parts_b) = (whole(a), whole(b));
        (parts_a[of_a], parts_b[of_b]) = (part, part);
        let part_a = call.builder.slice(a, &parts_a, &call.place)?;
        let part_b = call.builder.slice(b, &parts_b, &call.place)?;
        products.push(call.builder.matmul(&part_a, &part_b, &call.place)?);
    }
    Ok(products)
}

pub fn matmul_integer(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (a, b) = (call.operand(0)?, call.operand(1)?);
    let (zero_a, zero_b) = (call.optional(2), call.optional(3));
    let a = factor(call, &a, zero_a.as_ref(), 2)?;
    let b = factor(call, &b, zero_b.as_ref(), 1)?;
    let mut sum = None;
    for product in exact_products(call, &a, &b)? {
        let product = call
            .builder
            .map(Unary::Cast(FileType::I32), &product, &call.place)?;
        sum = Some(match sum {
            None => product,
            Some(sum) => call.builder.zip(Binary::Add, &sum, &product, &call.place)?,
        });
    }
    sum.map(|sum| vec![sum])
        .ok_or_else(|| call.invalid("a product of nothing"))
}

pub fn q_linear_matmul(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let operands = (0..8).map(|index| call.operand(index));
    let operands = operands.collect::<Result<Vec<_>, _>>()?;
    let [a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero] = &*operands else {
        return Err(call.invalid("it has not eight operands"));
    };
    let (of_a, of_b) = (
        factor(call, a, Some(a_zero), 2)?,
        factor(call, b, Some(b_zero), 1)?,
    );
    let place = call.place.clone();
    let mut sum = None;
    for product in exact_products(call, &of_a, &of_b)? {
        sum = Some(match sum {
            None => product,
            Some(sum) => call.builder.zip(Binary::Add, &sum, &product, &place)?,
        });
    }
    let mut y = sum.ok_or_else(|| call.invalid("a product of nothing"))?;
    for (f, scale, x, axis) in [(Binary::Mul, a_scale, a, 2), (Binary::Mul, b_scale, b, 1)] {
        let scale = along_factor(call, scale, x, axis)?;
        y = call.builder.zip(f, &y, &scale, &place)?;
    }
    let scale = along_factor(call, y_scale, &y, 2)?;
    let y = call.builder.zip(Binary::Div, &y, &scale, &place)?;
    let zero = along_factor(call, y_zero, &y, 2)?;
    Ok(vec![rounded(call, &y, Some(&zero), y_zero.file_type())?])
}

/// One number for each output channel, or one for all, as it stretches over `[batch, channels, ..]`, or over weights
/// `[channels, ..]` where there is `of_weights`.
fn over_outputs(
    call: &mut Call<'_>,
    parameter: &Symbol,
    rank: usize,
    of_weights: bool,
) -> Result<Symbol, ModelError> {
    let parameter = float(call, parameter)?;
    let mut shape = vec![1; rank];
    match (parameter.shape(), rank.checked_sub(usize::from(!of_weights) + 1)) {
        ([] | [1], _) => shape.clear(),
        ([channels], Some(_)) => shape[usize::from(!of_weights)] = *channels,
        (_, _) => return Err(call.invalid(format!("a parameter of shape {:?}", parameter.shape()))),
    }
    call.builder.reshape(&parameter, shape, &call.place)
}

/// The sums of products of an image and weights, both without their zero points.
fn convolved(
    call: &mut Call<'_>,
    [x, weights]: [&Symbol; 2],
    [zero_x, zero_w]: [Option<&Symbol>; 2],
) -> Result<Symbol, ModelError> {
    let place = call.place.clone();
    let mut factors = Vec::new();
    for (x, zero, of_weights) in [(x, zero_x, false), (weights, zero_w, true)] {
        let mut y = float(call, x)?;
        if let Some(zero) = zero {
            let zero = over_outputs(call, zero, x.shape().len(), of_weights)?;
            y = call.builder.zip(Binary::Sub, &y, &zero, &place)?;
        }
        factors.push(Some(y));
    }
    call.operands = factors;
    convolutions::conv(call)?
        .pop()
        .ok_or_else(|| call.invalid("a convolution without a result"))
}

pub fn conv_integer(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, weights) = (call.operand(0)?, call.operand(1)?);
    let (zero_x, zero_w) = (call.optional(2), call.optional(3));
    let products: usize = weights.shape().iter().skip(1).product();
    if products > EXACT {
        return Err(call.unsupported(format!("sums of {products} products; {EXACT} are exact")));
    }
    let y = convolved(call, [&x, &weights], [zero_x.as_ref(), zero_w.as_ref()])?;
    Ok(vec![call.builder.map(
        Unary::Cast(FileType::I32),
        &y,
        &call.place,
    )?])
}

pub fn q_linear_conv(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let operands = (0..8).map(|index| call.operand(index));
    let operands = operands.collect::<Result<Vec<_>, _>>()?;
    let bias = call.optional(8);
    let [x, x_scale, x_zero, weights, w_scale, w_zero, y_scale, y_zero] = &*operands else {
        return Err(call.invalid("it has not eight operands"));
    };
    let mut y = convolved(call, [x, weights], [Some(x_zero), Some(w_zero)])?;
    let (rank, place) = (y.shape().len(), call.place.clone());
    for (f, parameter) in [
        (Binary::Add, bias.as_ref()),
        (Binary::Mul, Some(x_scale)),
        (Binary::Mul, Some(w_scale)),
        (Binary::Div, Some(y_scale)),
    ] {
        let Some(parameter) = parameter else { continue };
        let parameter = over_outputs(call, parameter, rank, false)?;
        y = call.builder.zip(f, &y, &parameter, &place)?;
    }
    let zero = over_outputs(call, y_zero, rank, false)?;
    Ok(vec![rounded(call, &y, Some(&zero), y_zero.file_type())?])
}
