//! Operators that bring elements to a common measure, with what they scale and add after.

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::graph::{MAX_ELEMENTS, Shape, element_count};
use crate::onnx::call::Call;
use crate::ops::{ArgReduce, Binary, Fold, LocalNorm, Measure, Unary};
use crate::tensor::{Data, Scalar, Tensor};

/// The axes that are measured together: until operator set 12 all from the one that is named, 1 unless the node says
/// otherwise; then that one, the last.
fn axes(call: &mut Call<'_>, rank: usize) -> Result<Vec<usize>, ModelError> {
    let number = call.attributes.int("axis")?;
    if call.opset >= 13 {
        return Ok(vec![call.axis(number.unwrap_or(-1), rank)?]);
    }
    // Flattened behind the last axis, each element is its own.
    let number = number.unwrap_or(1);
    let first = if usize::try_from(number) == Ok(rank) {
        rank
    } else {
        call.axis(number, rank)?
    };
    Ok((first..rank).collect())
}

fn measured(call: &mut Call<'_>, f: Measure) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let axes = axes(call, x.shape().len())?;
    Ok(vec![call.builder.norm(f, &x, &axes, &call.place)?])
}

pub fn softmax(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    measured(call, Measure::Softmax)
}

pub fn log_softmax(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    measured(call, Measure::LogSoftmax)
}

/// 1 at the first of the greatest elements, 0 at all others.
pub fn hardmax(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let shape = x.shape().to_vec();
    let axes = axes(call, shape.len())?;
    let Some((&first, &last)) = axes.first().zip(axes.last()) else {
        return Err(call.unsupported("a maximum of each element alone"));
    };
    let sizes = [&shape[..first], &shape[first..=last], &shape[last + 1..]].map(element_count);
    let lines = call.builder.reshape(&x, sizes.to_vec(), &call.place)?;
    let op = ArgReduce {
        greatest: true,
        axis: 1,
        last: false,
    };
    let place = call.builder.arg_reduce(op, &lines, &call.place)?;
    let places = (0..sizes[1] as i64).collect();
    let places = Tensor::new(
        crate::element::FileType::I64,
        vec![sizes[1], 1],
        Data::Int(places),
    );
    let places = Symbol::Known(places.map_err(|message| call.unsupported(message))?);
    let is_it = call.builder.zip(Binary::Equal, &place, &places, &call.place)?;
    let one = call
        .builder
        .map(Unary::Cast(x.file_type()), &is_it, &call.place)?;
    Ok(vec![call.builder.reshape(&one, shape, &call.place)?])
}

/// In which type the measure is taken: it is f32, whatever a file asks for.
fn ignore_stash_type(call: &mut Call<'_>) -> Result<(), ModelError> {
    match call.attributes.int("stash_type")? {
        None | Some(1) => Ok(()),
        Some(other) => Err(call.unsupported(format!("statistics of type {other}"))),
    }
}

/// y times a scale, and a bias added to it, where there are such operands; `shape` is theirs.
fn scaled(
    call: &mut Call<'_>,
    y: &Symbol,
    scale: Option<&Symbol>,
    bias: Option<&Symbol>,
    shape: Option<&[usize]>,
) -> Result<Symbol, ModelError> {
    let mut y = y.clone();
    for (f, operand) in [(Binary::Mul, scale), (Binary::Add, bias)] {
        let Some(operand) = operand else { continue };
        let operand = match shape {
            Some(shape) => call.builder.reshape(operand, shape.to_vec(), &call.place)?,
            None => operand.clone(),
        };
        y = call.builder.zip(f, &y, &operand, &call.place)?;
    }
    Ok(y)
}

/// Over all axes from one on; also the mean and the inverse of the deviation, where somebody reads them.
pub fn layer_normalization(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    ignore_stash_type(call)?;
    let x = call.operand(0)?;
    let axis = call.attributes.int("axis")?.unwrap_or(-1);
    let axes: Vec<usize> = (call.axis(axis, x.shape().len())?..x.shape().len()).collect();
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let y = call
        .builder
        .norm(Measure::Standard(epsilon), &x, &axes, &call.place)?;
    let (scale, bias) = (call.operand(1)?, call.optional(2));
    let mut results = vec![scaled(call, &y, Some(&scale), bias.as_ref(), None)?];
    if call.n_results > 1 {
        let (mean, variance) = moments(call, &x, &axes)?;
        let deviation = deviation(call, &variance, epsilon)?;
        results.extend([
            mean,
            call.builder.map(Unary::Reciprocal, &deviation, &call.place)?,
        ]);
    }
    Ok(results)
}

/// Mean and variance along axes, which stay as axes of size 1.
fn moments(call: &mut Call<'_>, x: &Symbol, axes: &[usize]) -> Result<(Symbol, Symbol), ModelError> {
    let mean = call.builder.reduce(Fold::Mean, x, axes, &call.place)?;
    let difference = call.builder.zip(Binary::Sub, x, &mean, &call.place)?;
    let square = call
        .builder
        .zip(Binary::Mul, &difference, &difference, &call.place)?;
    let variance = call.builder.reduce(Fold::Mean, &square, axes, &call.place)?;
    Ok((mean, variance))
}

/// The square root of a variance and a small number.
fn deviation(call: &mut Call<'_>, variance: &Symbol, epsilon: f32) -> Result<Symbol, ModelError> {
    let epsilon = Tensor::new(
        variance.file_type(),
        Shape::new(),
        Data::Splat(Scalar::Float(epsilon)),
    );
    let epsilon = Symbol::Known(epsilon.map_err(|message| call.unsupported(message))?);
    let sum = call.builder.zip(Binary::Add, variance, &epsilon, &call.place)?;
    call.builder.map(Unary::Sqrt, &sum, &call.place)
}

pub fn rms_normalization(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    ignore_stash_type(call)?;
    let x = call.operand(0)?;
    let axis = call.attributes.int("axis")?.unwrap_or(-1);
    let axes: Vec<usize> = (call.axis(axis, x.shape().len())?..x.shape().len()).collect();
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let f = Measure::RootMeanSquare(epsilon);
    let y = call.builder.norm(f, &x, &axes, &call.place)?;
    let scale = call.operand(1)?;
    Ok(vec![scaled(call, &y, Some(&scale), None, None)?])
}

/// One number for each channel, as it stretches over `[batch, channels, ..]`.
fn over_channels(call: &Call<'_>, x: &Symbol) -> Result<Vec<usize>, ModelError> {
    let mut shape = vec![1; x.shape().len()];
    match x.shape().get(1) {
        Some(&channels) => shape[1] = channels,
        None => return Err(call.invalid(format!("shape {:?} has no channels", x.shape()))),
    }
    // The first axis need not be named.
    shape.remove(0);
    Ok(shape)
}

pub fn instance_normalization(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let shape = over_channels(call, &x)?;
    let axes: Vec<usize> = (2..x.shape().len()).collect();
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let y = call
        .builder
        .norm(Measure::Standard(epsilon), &x, &axes, &call.place)?;
    let (scale, bias) = (call.operand(1)?, call.operand(2)?);
    Ok(vec![scaled(call, &y, Some(&scale), Some(&bias), Some(&shape))?])
}

/// Scale and bias are of each group until operator set 20, then of each channel.
pub fn group_normalization(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    ignore_stash_type(call)?;
    let x = call.operand(0)?;
    let shape = x.shape().to_vec();
    let of_channels = over_channels(call, &x)?;
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let groups = call.attributes.int("num_groups")?;
    let groups = groups
        .and_then(|groups| usize::try_from(groups).ok())
        .filter(|&groups| groups > 0);
    let groups = groups.filter(|&groups| shape[1].is_multiple_of(groups));
    let groups = groups.ok_or_else(|| call.invalid(format!("its groups of {} channels", shape[1])))?;
    let inner = shape[1] / groups * element_count(&shape[2..]);
    let grouped = call
        .builder
        .reshape(&x, vec![shape[0], groups, inner], &call.place)?;
    let f = Measure::Standard(epsilon);
    let mut y = call.builder.norm(f, &grouped, &[2], &call.place)?;
    let (scale, bias) = (call.operand(1)?, call.operand(2)?);
    if call.opset < 21 {
        y = scaled(call, &y, Some(&scale), Some(&bias), Some(&[groups, 1]))?;
        return Ok(vec![call.builder.reshape(&y, shape, &call.place)?]);
    }
    let y = call.builder.reshape(&y, shape, &call.place)?;
    Ok(vec![scaled(
        call,
        &y,
        Some(&scale),
        Some(&bias),
        Some(&of_channels),
    )?])
}

/// The operator adds 1e-9 to the deviation; its square under the root does the same to a deviation of 0, and nothing to
/// others.
pub fn mean_variance_normalization(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let axes = call.attributes.ints("axes")?.unwrap_or_else(|| vec![0, 2, 3]);
    let axes = call.axes(&axes, x.shape().len())?;
    let f = Measure::Standard(1e-18);
    Ok(vec![call.builder.norm(f, &x, &axes, &call.place)?])
}

/// Over channels near each other.
pub fn local_response_normalization(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    over_channels(call, &x)?;
    let size = call.attributes.int("size")?;
    let size = size.and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| (1..=MAX_ELEMENTS).contains(size));
    let op = LocalNorm {
        axis: 1,
        size: size.ok_or_else(|| call.unsupported("its number of neighbours"))?,
        alpha: call.float_or("alpha", 1e-4)?,
        beta: call.float_or("beta", 0.75)?,
        bias: call.float_or("bias", 1.0)?,
    };
    Ok(vec![call.builder.local_norm(op, &x, &call.place)?])
}

pub fn lp_normalization(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let axis = call.attributes.int("axis")?.unwrap_or(-1);
    let axis = call.axis(axis, x.shape().len())?;
    let f = match call.attributes.int("p")?.unwrap_or(2) {
        1 => Measure::L1,
        2 => Measure::L2,
        p => return Err(call.invalid(format!("a norm of order {p}"))),
    };
    Ok(vec![call.builder.norm(f, &x, &[axis], &call.place)?])
}

/// In training, by the statistics of the batch, whose moving averages are results too.
pub fn batch_normalization(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let of_old_sets = call.opset < 9 && call.attributes.int("spatial")?.unwrap_or(1) == 0;
    let of_older_sets = call.opset < 7 && call.attributes.int("is_test")?.unwrap_or(0) == 0;
    if of_old_sets || of_older_sets {
        return Err(
            call.unsupported("statistics of each place, or training as operator sets before 7 have it")
        );
    }
    let x = call.operand(0)?;
    let shape = over_channels(call, &x)?;
    let epsilon = call.float_or("epsilon", 1e-5)?;
    let momentum = call.float_or("momentum", 0.9)?;
    let training = call.attributes.int("training_mode")?.unwrap_or(0) != 0;
    let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|index| call.operand(index));
    let (scale, bias, mean, variance) = (scale?, bias?, mean?, variance?);
    if !training && call.n_results > 1 {
        return Err(call.unsupported("statistics as operator sets before 14 give them"));
    }
    if !training {
        let numbers = [&scale, &bias, &mean, &variance];
        let image = call
            .builder
            .standardised_image(&x, numbers, epsilon, &call.place)?;
        if let Some(image) = image {
            return Ok(vec![image]);
        }
        let [mean, variance] =
            [&mean, &variance].map(|x| call.builder.reshape(x, shape.clone(), &call.place));
        let y = standardised(call, &x, &mean?, &variance?, epsilon)?;
        return Ok(vec![scaled(call, &y, Some(&scale), Some(&bias), Some(&shape))?]);
    }
    let axes: Vec<usize> = (0..x.shape().len()).filter(|&axis| axis != 1).collect();
    let (new_mean, new_variance) = moments(call, &x, &axes)?;
    let y = standardised(call, &x, &new_mean, &new_variance, epsilon)?;
    let y = scaled(call, &y, Some(&scale), Some(&bias), Some(&shape))?;
    let mut results = vec![y];
    for (old, new) in [(&mean, &new_mean), (&variance, &new_variance)] {
        let new = call.builder.reshape(new, old.shape().to_vec(), &call.place)?;
        let mut sum = None;
        for (part, weight) in [(old, momentum), (&new, 1.0 - momentum)] {
            let weight = Tensor::new(part.file_type(), Shape::new(), Data::Splat(Scalar::Float(weight)));
            let weight = Symbol::Known(weight.map_err(|message| call.unsupported(message))?);
            let part = call.builder.zip(Binary::Mul, part, &weight, &call.place)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => call.builder.zip(Binary::Add, &sum, &part, &call.place)?,
            });
        }
        results.extend(sum);
    }
    Ok(results)
}

/// x less a mean, divided by a deviation.
fn standardised(
    call: &mut Call<'_>,
    x: &Symbol,
    mean: &Symbol,
    variance: &Symbol,
    epsilon: f32,
) -> Result<Symbol, ModelError> {
    let difference = call.builder.zip(Binary::Sub, x, mean, &call.place)?;
    let deviation = deviation(call, variance, epsilon)?;
    call.builder
        .zip(Binary::Div, &difference, &deviation, &call.place)
}
