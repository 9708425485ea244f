//! Operators that move elements: orders, parts, repetitions, borders, and tensors one behind the other.

use crate::builder::{Part, Symbol};
use crate::error::ModelError;
use crate::graph::Shape;
use crate::onnx::call::Call;
use crate::ops::Border;
use crate::tensor::{Data, Scalar, Tensor};

pub fn transpose(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let rank = x.shape().len();
    let axes = match call.attributes.ints("perm")? {
        Some(axes) => call.axes(&axes, rank)?,
        None => (0..rank).rev().collect(),
    };
    Ok(vec![call.builder.transpose(&x, &axes, &call.place)?])
}

/// Which part of an axis lies between two ends, one of every `step`. Ends below zero count from behind; ends outside, up
/// to the smallest and largest of 64 bits, stand for what is there.
fn part(size: usize, start: i64, end: i64, step: i64) -> Option<Part> {
    let (size, step) = (size as i128, i128::from(step));
    let (low, high) = match step {
        0 => return None,
        _ if size == 0 => return Some(Part::of(0, 0)),
        1.. => (0, size),
        _ => (-1, size - 1),
    };
    let place = |end: i64| {
        let end = i128::from(end);
        let from_front = if end < 0 { end + size } else { end };
        from_front.clamp(low, high)
    };
    // Backwards, what begins before the first element begins there.
    let (start, end) = (place(start).max(0), place(end));
    let count = (end - start + step - step.signum()) / step;
    Some(Part {
        start: usize::try_from(start).ok()?,
        step: isize::try_from(step.clamp(-size, size)).ok()?,
        size: usize::try_from(count.max(0)).ok()?,
    })
}

/// Until operator set 9 its ends are attributes, then operands, with steps.
pub fn slice(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let (starts, ends, axes, steps) = if call.opset < 10 {
        let mut ints = |name| call.attributes.ints(name);
        (ints("starts")?, ints("ends")?, ints("axes")?, None)
    } else {
        let ints = |index| call.known_ints(index);
        (ints(1)?, ints(2)?, ints(3)?, ints(4)?)
    };
    let (Some(starts), Some(ends)) = (starts, ends) else {
        return Err(call.invalid("it does not say from where to where"));
    };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let axes = call.axes(&axes, x.shape().len())?;
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(call.invalid("its starts, ends, axes and steps are not equally many"));
    }
    let mut parts: Vec<Part> = x.shape().iter().map(|&size| Part::of(0, size)).collect();
    for (place, &axis) in axes.iter().enumerate() {
        let found = part(x.shape()[axis], starts[place], ends[place], steps[place]);
        parts[axis] = found.ok_or_else(|| call.invalid(format!("a step of {}", steps[place])))?;
    }
    Ok(vec![call.builder.slice(&x, &parts, &call.place)?])
}

/// Sizes are an attribute until operator set 12, then an operand; without them all parts are equal, or, since operator
/// set 18, all but the last.
pub fn split(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let axis = call.attributes.int("axis")?.unwrap_or(0);
    let axis = call.axis(axis, x.shape().len())?;
    let size = x.shape()[axis];
    let (named, n_parts) = if call.opset < 13 {
        (call.attributes.ints("split")?, None)
    } else {
        (call.known_ints(1)?, call.attributes.int("num_outputs")?)
    };
    let n_parts = match n_parts {
        None => call.n_results,
        Some(n) if usize::try_from(n) == Ok(call.n_results) => call.n_results,
        Some(n) => return Err(call.invalid(format!("{} results of {n} parts", call.n_results))),
    };
    let sizes = match named {
        Some(sizes) => sizes.iter().map(|&size| usize::try_from(size).ok()).collect(),
        None => equal_parts(size, n_parts, call.opset >= 18),
    };
    let sizes: Option<Vec<usize>> = sizes;
    let sum = |sizes: &Vec<usize>| sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size));
    let sizes = sizes.filter(|sizes| sum(sizes) == Some(size) && sizes.len() == call.n_results);
    let sizes = sizes.ok_or_else(|| {
        let message = format!("an axis of {size} is not split so into {} parts", call.n_results);
        call.invalid(message)
    })?;
    let mut parts: Vec<Part> = x.shape().iter().map(|&size| Part::of(0, size)).collect();
    let mut start = 0;
    let mut results = Vec::with_capacity(sizes.len());
    for size in sizes {
        parts[axis] = Part::of(start, size);
        start += size;
        results.push(call.builder.slice(&x, &parts, &call.place)?);
    }
    Ok(results)
}

/// Sizes of equal parts; the last one may be smaller where `may_differ`.
fn equal_parts(size: usize, n_parts: usize, may_differ: bool) -> Option<Vec<usize>> {
    let last = n_parts.checked_sub(1)?;
    let each = size.div_ceil(n_parts);
    let rest = size.checked_sub(each.checked_mul(last)?)?;
    let mut sizes = vec![each; last];
    sizes.push(rest);
    (may_differ || rest == each).then_some(sizes)
}

/// The shape and that of the operand stretch over each other.
pub fn expand(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let shape = sizes(call, 1)?;
    Ok(vec![call.builder.expand(&x, &shape, &call.place)?])
}

pub fn tile(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    if call.opset < 6 {
        return Err(call.unsupported("as operator sets before 6 have it"));
    }
    let x = call.operand(0)?;
    let repeats = sizes(call, 1)?;
    Ok(vec![call.builder.tile(&x, &repeats, &call.place)?])
}

/// Numbers of operand number `index` that are none below zero.
fn sizes(call: &Call<'_>, index: usize) -> Result<Shape, ModelError> {
    let sizes = call.known_ints(index)?;
    let sizes = sizes.ok_or_else(|| call.invalid(format!("operand {index} is missing")))?;
    let shape: Result<Shape, _> = sizes.iter().map(|&size| usize::try_from(size)).collect();
    shape.map_err(|_| call.invalid(format!("{sizes:?} has a size below zero")))
}

pub fn concat(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let number = call.attributes.int("axis")?;
    let number = match number {
        Some(number) => number,
        None if call.opset < 4 => 1,
        None => return Err(call.invalid("attribute 'axis' is missing")),
    };
    let parts = (0..call.operands.len()).map(|index| call.operand(index));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let rank = parts.first().map_or(0, |part| part.shape().len());
    let axis = call.axis(number, rank)?;
    Ok(vec![call.builder.concat(&parts, axis, &call.place)?])
}

/// Amounts and value are attributes until operator set 10, then operands.
pub fn pad(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let rank = x.shape().len();
    let border = match call.attributes.text("mode")?.as_deref() {
        None | Some("constant") => Border::Value,
        Some("reflect") => Border::Reflect,
        Some("edge") => Border::Edge,
        Some("wrap") => Border::Wrap,
        Some(other) => return Err(call.invalid(format!("there is no mode '{other}'"))),
    };
    let (numbers, value) = match call.opset {
        ..2 => return Err(call.unsupported("as operator sets before 2 have it")),
        2..=10 => {
            let numbers = call.attributes.ints("pads")?;
            let value = call.float_or("value", 0.0)?;
            let value = Tensor::new(x.file_type(), vec![], Data::Splat(Scalar::Float(value)));
            let value = value.map_err(|message| call.unsupported(message))?;
            (numbers, Some(Symbol::Known(value)))
        }
        _ => (call.known_ints(1)?, call.optional(2)),
    };
    let numbers = numbers.ok_or_else(|| call.invalid("the amounts are missing"))?;
    let axes = match call.known_ints(3)? {
        Some(axes) => call.axes(&axes, rank)?,
        None => (0..rank).collect(),
    };
    if numbers.len() != 2 * axes.len() {
        let message = format!("{} amounts for {} axes", numbers.len(), axes.len());
        return Err(call.invalid(message));
    }
    let mut amounts = vec![(0, 0); rank];
    for (index, &axis) in axes.iter().enumerate() {
        amounts[axis] = (numbers[index], numbers[axes.len() + index]);
    }
    let padded = call
        .builder
        .pad(&x, border, &amounts, value.as_ref(), &call.place)?;
    Ok(vec![padded])
}

/// Around the middle: of an odd difference, the larger half lies behind.
pub fn center_crop_pad(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let rank = x.shape().len();
    let sizes = sizes(call, 1)?;
    let axes = match call.attributes.ints("axes")? {
        Some(axes) => call.axes(&axes, rank)?,
        None => (0..rank).collect(),
    };
    if sizes.len() != axes.len() {
        return Err(call.invalid(format!("{} sizes for {} axes", sizes.len(), axes.len())));
    }
    let mut amounts = vec![(0, 0); rank];
    for (&size, &axis) in sizes.iter().zip(&axes) {
        let added = i64::try_from(size).map_err(|_| call.unsupported(format!("a size of {size}")))?;
        let added = added - x.shape()[axis] as i64;
        let before = added / 2;
        amounts[axis] = (before, added - before);
    }
    let padded = call.builder.pad(&x, Border::Value, &amounts, None, &call.place)?;
    Ok(vec![padded])
}

/// The edge of a block, and whether its places come before the channels in depth.
fn blocks(call: &mut Call<'_>) -> Result<(usize, bool), ModelError> {
    let edge = call.attributes.int("blocksize")?;
    let edge = edge
        .and_then(|edge| usize::try_from(edge).ok())
        .filter(|&edge| edge > 0);
    let edge = edge.ok_or_else(|| call.invalid("it has no size of a block"))?;
    match call.attributes.text("mode")?.as_deref() {
        None | Some("DCR") => Ok((edge, true)),
        Some("CRD") => Ok((edge, false)),
        Some(other) => Err(call.invalid(format!("there is no mode '{other}'"))),
    }
}

pub fn depth_to_space(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let (edge, is_first) = blocks(call)?;
    let &[batch, depth, rows, columns] = x.shape() else {
        return Err(call.invalid(format!("shape {:?} has no depth and space", x.shape())));
    };
    let block = edge
        .checked_mul(edge)
        .filter(|&block| depth.is_multiple_of(block));
    let channels =
        depth / block.ok_or_else(|| call.invalid(format!("{depth} channels in blocks of {edge}")))?;
    let (split, axes) = if is_first {
        ([batch, edge, edge, channels, rows, columns], [0, 3, 4, 1, 5, 2])
    } else {
        ([batch, channels, edge, edge, rows, columns], [0, 1, 4, 2, 5, 3])
    };
    let shape = vec![batch, channels, rows * edge, columns * edge];
    blocked(call, &x, &split, &axes, shape)
}

pub fn space_to_depth(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let (edge, is_first) = blocks(call)?;
    let &[batch, channels, rows, columns] = x.shape() else {
        return Err(call.invalid(format!("shape {:?} has no depth and space", x.shape())));
    };
    if !rows.is_multiple_of(edge) || !columns.is_multiple_of(edge) {
        return Err(call.invalid(format!("{rows} x {columns} in blocks of {edge}")));
    }
    let split = [batch, channels, rows / edge, edge, columns / edge, edge];
    let axes = if is_first {
        [0, 3, 5, 1, 2, 4]
    } else {
        [0, 1, 3, 5, 2, 4]
    };
    // An empty image may have blocks of any size.
    let depth = edge
        .checked_mul(edge)
        .and_then(|block| block.checked_mul(channels));
    let depth = depth.ok_or_else(|| call.unsupported(format!("blocks of {edge}")))?;
    let shape = vec![batch, depth, rows / edge, columns / edge];
    blocked(call, &x, &split, &axes, shape)
}

/// Axes split, ordered and joined.
fn blocked(
    call: &mut Call<'_>,
    x: &Symbol,
    split: &[usize],
    axes: &[usize],
    shape: Shape,
) -> Result<Vec<Symbol>, ModelError> {
    let split = call.builder.reshape(x, split.to_vec(), &call.place)?;
    let ordered = call.builder.transpose(&split, axes, &call.place)?;
    Ok(vec![call.builder.reshape(&ordered, shape, &call.place)?])
}
