//! Operators that read elements at places which another operand says.

use super::places::{flat, integer, integers};
use crate::builder::{Part, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{MAX_ELEMENTS, element_count};
use crate::onnx::call::Call;
use crate::ops::{Binary, Names, Sort, Unary};

pub fn gather(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    along_axis(call, Names::Slices)
}

pub fn gather_elements(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    along_axis(call, Names::Elements)
}

fn along_axis(call: &mut Call<'_>, names: Names) -> Result<Vec<Symbol>, ModelError> {
    let number = call.attributes.int("axis")?.unwrap_or(0);
    let (x, indices) = (call.operand(0)?, call.operand(1)?);
    let axis = call.axis(number, x.shape().len())?;
    Ok(vec![call.builder.gather(
        &x,
        &indices,
        axis,
        names,
        &call.place,
    )?])
}

/// Parts of the operand, each named by an index into its first axes, behind those that both operands share.
pub fn gather_nd(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, indices) = (call.operand(0)?, call.operand(1)?);
    let shared = call.attributes.int("batch_dims")?.unwrap_or(0);
    let n_axes = indices.shape().last().copied().unwrap_or(0);
    let shared = usize::try_from(shared).ok().filter(|&shared| {
        shared < indices.shape().len()
            && shared.saturating_add(n_axes) <= x.shape().len()
            && indices.shape()[..shared] == x.shape()[..shared]
    });
    let shared = shared.ok_or_else(|| {
        let message = format!("indices of shape {:?} into {:?}", indices.shape(), x.shape());
        call.invalid(message)
    })?;
    let (batch, rest) = x.shape().split_at(shared);
    let (named, row) = rest.split_at(n_axes);
    let (batch, named, row) = (batch.to_vec(), named.to_vec(), row.to_vec());
    let mut shape = indices.shape().to_vec();
    shape.pop();
    let lines = shape[shared..].to_vec();
    shape.extend(&row);
    let (n_batches, n_named) = (element_count(&batch), element_count(&named));
    let mut places = flat(call, &indices, &named)?;
    let place = call.place.clone();
    if n_batches > 1 {
        let count = element_count(&lines);
        places = call.builder.reshape(&places, vec![n_batches, count], &place)?;
        let first = (0..n_batches).map(|batch| (batch * n_named) as i64).collect();
        let first = integers(call, vec![n_batches, 1], first)?;
        places = call.builder.zip(Binary::Add, &places, &first, &place)?;
    }
    let rows = vec![n_batches * n_named, element_count(&row)];
    let rows = call.builder.reshape(&x, rows, &place)?;
    let found = call.builder.gather(&rows, &places, 0, Names::Slices, &place)?;
    Ok(vec![call.builder.reshape(&found, shape, &place)?])
}

/// One value where the index along a new axis is the operand's, another elsewhere.
pub fn one_hot(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (indices, values) = (call.operand(0)?, call.operand(2)?);
    let depth = call
        .known(1)?
        .ok_or_else(|| call.invalid("the depth is missing"))?;
    let depth = match (depth.ints(), depth.floats()) {
        (Some(ints), _) if ints.len() == 1 => Some(ints[0]),
        (_, Some(floats)) if floats.len() == 1 && floats[0].fract() == 0.0 => Some(floats[0] as i64),
        _ => None,
    };
    let depth = depth.and_then(|depth| usize::try_from(depth).ok());
    let depth = depth.filter(|&depth| depth <= MAX_ELEMENTS);
    let depth = depth.ok_or_else(|| call.invalid("its depth is no size"))?;
    if values.shape() != [2] {
        return Err(call.invalid(format!("values of shape {:?}", values.shape())));
    }
    call.builder.compute(depth, &call.place)?;
    let axis = call.attributes.int("axis")?.unwrap_or(-1);
    let mut shape = indices.shape().to_vec();
    let axis = call.axis(axis, shape.len() + 1)?;
    shape.insert(axis, 1);
    let place = call.place.clone();
    let indices = call.builder.map(Unary::Cast(FileType::I64), &indices, &place)?;
    let indices = call.builder.reshape(&indices, shape.clone(), &place)?;
    shape.fill(1);
    shape[axis] = depth;
    let depth = depth as i64;
    let from_front = integers(call, shape.clone(), (0..depth).collect())?;
    let from_behind = integers(call, shape, (-depth..0).collect())?;
    let a = call.builder.zip(Binary::Equal, &indices, &from_front, &place)?;
    let b = call.builder.zip(Binary::Equal, &indices, &from_behind, &place)?;
    let is_it = call.builder.zip(Binary::Or, &a, &b, &place)?;
    let value = |call: &mut Call<'_>, at: usize| {
        let value = call.builder.slice(&values, &[Part::of(at, 1)], &place)?;
        call.builder.reshape(&value, vec![], &place)
    };
    let (off, on) = (value(call, 0)?, value(call, 1)?);
    Ok(vec![call.builder.select(&is_it, &on, &off, &place)?])
}

/// The first elements along one axis in the other direction; how many is said for each place of another axis.
pub fn reverse_sequence(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, lengths) = (call.operand(0)?, call.operand(1)?);
    let rank = x.shape().len();
    let batch = call.attributes.int("batch_axis")?.unwrap_or(1);
    let time = call.attributes.int("time_axis")?.unwrap_or(0);
    let axes = call.axes(&[batch, time], rank)?;
    let (batch, time) = (axes[0], axes[1]);
    let (n_batches, n_steps) = (x.shape()[batch], x.shape()[time]);
    if lengths.shape() != [n_batches] {
        return Err(call.invalid(format!("lengths of shape {:?}", lengths.shape())));
    }
    if x.shape().contains(&0) {
        return Ok(vec![x]);
    }
    let place = call.place.clone();
    let lengths = call.builder.map(Unary::Cast(FileType::I64), &lengths, &place)?;
    let lengths = call.builder.reshape(&lengths, vec![n_batches, 1], &place)?;
    let (none, all) = (integer(call, 0)?, integer(call, n_steps as i64)?);
    let low = call.builder.zip(Binary::Max, &lengths, &none, &place)?;
    let lengths = call.builder.zip(Binary::Min, &low, &all, &place)?;
    let steps = integers(call, vec![1, n_steps], (0..n_steps as i64).collect())?;
    let is_within = call.builder.zip(Binary::Less, &steps, &lengths, &place)?;
    let one = integer(call, 1)?;
    let last = call.builder.zip(Binary::Sub, &lengths, &one, &place)?;
    let turned = call.builder.zip(Binary::Sub, &last, &steps, &place)?;
    let at = call.builder.select(&is_within, &turned, &steps, &place)?;
    let lines = (0..n_batches).map(|batch| (batch * n_steps) as i64).collect();
    let lines = integers(call, vec![n_batches, 1], lines)?;
    let places = call.builder.zip(Binary::Add, &at, &lines, &place)?;
    let places = call.builder.reshape(&places, vec![n_batches * n_steps], &place)?;
    // Both axes in front, as one.
    let others = (0..rank).filter(|axis| !axes.contains(axis));
    let front: Vec<usize> = axes.iter().copied().chain(others).collect();
    let turned = call.builder.transpose(&x, &front, &place)?;
    let shape = turned.shape().to_vec();
    let rows = vec![n_batches * n_steps, element_count(&shape[2..])];
    let rows = call.builder.reshape(&turned, rows, &place)?;
    let found = call.builder.gather(&rows, &places, 0, Names::Slices, &place)?;
    let found = call.builder.reshape(&found, shape, &place)?;
    let mut back = vec![0; rank];
    front.iter().enumerate().for_each(|(at, &axis)| back[axis] = at);
    Ok(vec![call.builder.transpose(&found, &back, &place)?])
}

/// The greatest or least elements along an axis, and where they stand. How many is an attribute until operator set 9, then
/// an operand.
pub fn top_k(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let count = if call.opset < 10 {
        call.attributes.int("k")?
    } else {
        match call.known_ints(1)?.as_deref() {
            Some(&[count]) => Some(count),
            _ => None,
        }
    };
    let axis = call.attributes.int("axis")?.unwrap_or(-1);
    let axis = call.axis(axis, x.shape().len())?;
    let greatest = call.attributes.int("largest")?.unwrap_or(1) != 0;
    // In whichever order is in this order as well.
    call.attributes.int("sorted")?;
    let count = count.and_then(|count| usize::try_from(count).ok());
    let op = Sort {
        greatest,
        axis,
        count: count.ok_or_else(|| call.invalid("it does not say how many"))?,
    };
    let places = call.builder.sort(op, &x, &call.place)?;
    let values = call
        .builder
        .gather(&x, &places, axis, Names::Elements, &call.place)?;
    Ok(vec![values, places])
}
