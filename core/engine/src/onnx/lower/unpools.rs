//! Operators that put what windows gave back to where it came from.

use super::places::{along, integers, number};
use crate::builder::{Part, Symbol};
use crate::error::ModelError;
use crate::graph::{bounded_element_count, element_count};
use crate::onnx::call::Call;
use crate::ops::{Border, Combine};
use crate::tensor::Scalar;

/// Numbers for each axis, none below `least`.
fn numbers(
    call: &mut Call<'_>,
    name: &str,
    n: usize,
    default: usize,
    least: usize,
) -> Result<Vec<usize>, ModelError> {
    let Some(numbers) = call.attributes.ints(name)? else {
        return Ok(vec![default; n]);
    };
    let sizes: Option<Vec<usize>> = numbers
        .iter()
        .map(|&number| usize::try_from(number).ok())
        .collect();
    let fits =
        |sizes: &Vec<usize>| sizes.len() == n && sizes.iter().all(|&size| (least..1 << 26).contains(&size));
    sizes
        .filter(fits)
        .ok_or_else(|| call.invalid(format!("attribute '{name}' is {numbers:?}, for {n} axes")))
}

/// Sizes of an operand.
fn sizes(call: &Call<'_>, index: usize) -> Result<Option<Vec<usize>>, ModelError> {
    let Some(numbers) = call.known_ints(index)? else {
        return Ok(None);
    };
    let sizes = numbers.iter().map(|&number| usize::try_from(number).ok());
    let sizes: Option<Vec<usize>> = sizes.collect();
    let sizes = sizes.filter(|sizes| bounded_element_count(sizes).is_some());
    sizes
        .map(Some)
        .ok_or_else(|| call.invalid(format!("sizes {numbers:?}")))
}

/// Zeros of a shape, of the type of x.
fn zeros(call: &mut Call<'_>, x: &Symbol, shape: &[usize]) -> Result<Symbol, ModelError> {
    let zero = number(call, x.file_type(), Scalar::Float(0.0))?;
    call.builder.expand(&zero, shape, &call.place)
}

/// Elements at the places that a pool has named, zeros elsewhere.
pub fn max_unpool(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, indices) = (call.operand(0)?, call.operand(1)?);
    let n = x.shape().len().saturating_sub(2);
    let windows = numbers(call, "kernel_shape", n, 1, 1)?;
    let strides = numbers(call, "strides", n, 1, 1)?;
    let pads = numbers(call, "pads", 2 * n, 0, 0)?;
    let mut shape = x.shape().to_vec();
    for (axis, size) in shape.iter_mut().skip(2).enumerate() {
        let reach = size
            .saturating_sub(1)
            .saturating_mul(strides[axis])
            .saturating_add(windows[axis]);
        let cut = pads[axis] + pads[n + axis];
        *size = reach
            .checked_sub(cut)
            .ok_or_else(|| call.invalid(format!("{reach} places without {cut}")))?;
    }
    let len = bounded_element_count(&shape).filter(|&len| len > 0 && n > 0);
    let len = len.ok_or_else(|| call.unsupported(format!("a result of shape {shape:?}")))?;
    let count = element_count(x.shape());
    if indices.shape() != x.shape() {
        return Err(call.invalid(format!(
            "places of shape {:?} for {:?}",
            indices.shape(),
            x.shape()
        )));
    }
    let place = call.place.clone();
    let places = along(call, &indices, len, 1)?;
    let places = call.builder.reshape(&places, vec![count], &place)?;
    let updates = call.builder.reshape(&x, vec![count], &place)?;
    let nothing = zeros(call, &x, &[len])?;
    let y = call
        .builder
        .scatter(Combine::Replace, [&nothing, &places, &updates], &place)?;
    let y = call.builder.reshape(&y, shape.clone(), &place)?;
    let wanted = sizes(call, 2)?.unwrap_or_else(|| shape.clone());
    let amounts = shape
        .iter()
        .zip(&wanted)
        .map(|(&size, &wanted)| (0, wanted as i64 - size as i64));
    let amounts: Vec<(i64, i64)> = amounts.collect();
    if wanted.len() != shape.len() {
        return Err(call.invalid(format!("{wanted:?} instead of {shape:?}")));
    }
    Ok(vec![call.builder.pad(
        &y,
        Border::Value,
        &amounts,
        None,
        &place,
    )?])
}

/// Columns of windows, each added to where it lies in an image.
pub fn col2im(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let (Some(image), Some(block)) = (sizes(call, 1)?, sizes(call, 2)?) else {
        return Err(call.invalid("it does not say how large image and windows are"));
    };
    let n = image.len();
    let dilations = numbers(call, "dilations", n, 1, 1)?;
    let strides = numbers(call, "strides", n, 1, 1)?;
    let pads = numbers(call, "pads", 2 * n, 0, 0)?;
    let (&[batch, depth, columns], taps) = (x.shape(), element_count(&block)) else {
        return Err(call.invalid(format!("shape {:?} is no columns of windows", x.shape())));
    };
    let (mut padded, mut counts) = (Vec::new(), Vec::new());
    for axis in 0..n {
        let size = image[axis] + pads[axis] + pads[n + axis];
        let reach = block.get(axis).and_then(|size| size.checked_sub(1));
        let reach = reach.and_then(|reach| reach.checked_mul(dilations[axis]));
        let room = reach.and_then(|reach| size.checked_sub(reach)?.checked_sub(1));
        let room = room.ok_or_else(|| call.invalid(format!("windows of {block:?} over {image:?}")))?;
        padded.push(size);
        counts.push(room / strides[axis] + 1);
    }
    let len = bounded_element_count(&padded).filter(|&len| len > 0);
    let len = len.filter(|_| {
        let is_whole = taps > 0 && depth.is_multiple_of(taps);
        block.len() == n && is_whole && columns == element_count(&counts)
    });
    let len = len.ok_or_else(|| {
        let message = format!("{:?} as windows of {block:?} over {image:?}", x.shape());
        call.invalid(message)
    })?;
    let place = call.place.clone();
    call.builder.compute(taps.saturating_mul(columns), &place)?;
    let places = (0..taps * columns).map(|at| {
        let (mut tap, mut column, mut place, mut step) = (at / columns, at % columns, 0, 1);
        for axis in (0..n).rev() {
            let along = column % counts[axis] * strides[axis] + tap % block[axis] * dilations[axis];
            tap /= block[axis];
            column /= counts[axis];
            place += along * step;
            step *= padded[axis];
        }
        place as i64
    });
    let places = places.collect();
    let places = integers(call, vec![taps * columns], places)?;
    let channels = depth / taps;
    let split = call
        .builder
        .reshape(&x, vec![batch, channels, taps, columns], &place)?;
    let turned = call.builder.transpose(&split, &[2, 3, 0, 1], &place)?;
    let updates = call
        .builder
        .reshape(&turned, vec![taps * columns, batch * channels], &place)?;
    let nothing = zeros(call, &x, &[len, batch * channels])?;
    let sums = call
        .builder
        .scatter(Combine::Add, [&nothing, &places, &updates], &place)?;
    let whole = [&*padded, &[batch, channels]].concat();
    let whole = call.builder.reshape(&sums, whole, &place)?;
    let mut parts: Vec<Part> = (0..n).map(|axis| Part::of(pads[axis], image[axis])).collect();
    parts.extend([Part::of(0, batch), Part::of(0, channels)]);
    let cut = call.builder.slice(&whole, &parts, &place)?;
    let axes: Vec<usize> = [n, n + 1].into_iter().chain(0..n).collect();
    Ok(vec![call.builder.transpose(&cut, &axes, &place)?])
}
