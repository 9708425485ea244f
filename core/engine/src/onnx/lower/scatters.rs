//! Operators that write elements at places which another operand says.

use super::places::{along, flat, integer, integers};
use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::element_count;
use crate::onnx::call::Call;
use crate::ops::{Binary, Combine, Unary};

/// What becomes of an element and an update.
fn reduction(call: &mut Call<'_>) -> Result<Combine, ModelError> {
    Ok(match call.attributes.text("reduction")?.as_deref() {
        None | Some("none") => Combine::Replace,
        Some("add") => Combine::Add,
        Some("mul") => Combine::Mul,
        Some("max") => Combine::Max,
        Some("min") => Combine::Min,
        Some(other) => return Err(call.invalid(format!("there is no reduction '{other}'"))),
    })
}

/// Rows of x, as a list of `rows`, combined with updates at places; in the shape of x.
fn rows(
    call: &mut Call<'_>,
    f: Combine,
    [x, places, updates]: [&Symbol; 3],
    rows: usize,
) -> Result<Vec<Symbol>, ModelError> {
    let n = element_count(places.shape());
    if element_count(x.shape()) == 0 || n == 0 {
        return Ok(vec![x.clone()]);
    }
    let row = element_count(x.shape()) / rows;
    let place = &call.place;
    let list = call.builder.reshape(x, vec![rows, row], place)?;
    let places = call.builder.reshape(places, vec![n], place)?;
    let updates = call.builder.reshape(updates, vec![n, row], place)?;
    let result = call.builder.scatter(f, [&list, &places, &updates], place)?;
    Ok(vec![call.builder.reshape(&result, x.shape().to_vec(), place)?])
}

pub fn scatter_nd(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let f = reduction(call)?;
    let (x, indices, updates) = (call.operand(0)?, call.operand(1)?, call.operand(2)?);
    let n_axes = indices.shape().last().copied().unwrap_or(0);
    let Some((outer, inner)) = x.shape().split_at_checked(n_axes) else {
        return Err(call.invalid(format!("indices of {n_axes} axes into shape {:?}", x.shape())));
    };
    let (outer, mut expected) = (outer.to_vec(), indices.shape().to_vec());
    expected.pop();
    expected.extend(inner);
    if expected != updates.shape() || indices.shape().is_empty() {
        let message = format!("updates of shape {:?} instead of {expected:?}", updates.shape());
        return Err(call.invalid(message));
    }
    let places = flat(call, &indices, &outer)?;
    rows(call, f, [&x, &places, &updates], element_count(&outer))
}

/// Each update goes to its own place but for one axis, where an index says the place.
pub fn scatter_elements(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let f = reduction(call)?;
    let (x, indices, updates) = (call.operand(0)?, call.operand(1)?, call.operand(2)?);
    let axis = call.attributes.int("axis")?.unwrap_or(0);
    let axis = call.axis(axis, x.shape().len())?;
    let shape = indices.shape().to_vec();
    let mut sizes = shape.iter().zip(x.shape()).enumerate();
    let are_within = sizes.all(|(own, (index, x))| own == axis || index <= x);
    if shape != updates.shape() || shape.len() != x.shape().len() || !are_within {
        let message = format!(
            "updates of shape {:?} at {shape:?} of shape {:?}",
            updates.shape(),
            x.shape()
        );
        return Err(call.invalid(message));
    }
    let len = element_count(&shape);
    call.builder.compute(len, &call.place)?;
    let step = |axis: usize| element_count(&x.shape()[axis + 1..]);
    let base = (0..len).map(|index| {
        let (mut rest, mut base) = (index, 0);
        for own in (0..shape.len()).rev() {
            if own != axis {
                base += rest % shape[own] * step(own);
            }
            rest /= shape[own];
        }
        base as i64
    });
    let base = base.collect();
    let base = integers(call, shape.clone(), base)?;
    let places = along(call, &indices, x.shape()[axis], step(axis))?;
    let places = call.builder.zip(Binary::Add, &places, &base, &call.place)?;
    rows(call, f, [&x, &places, &updates], element_count(x.shape()))
}

/// A part of a cache, which begins where another operand says, and may go on at the first place behind the last.
pub fn tensor_scatter(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, update) = (call.operand(0)?, call.operand(1)?);
    let axis = call.attributes.int("axis")?.unwrap_or(-2);
    let axis = call.axis(axis, x.shape().len())?;
    let is_circular = match call.attributes.text("mode")?.as_deref() {
        None | Some("linear") => false,
        Some("circular") => true,
        Some(other) => return Err(call.invalid(format!("there is no mode '{other}'"))),
    };
    let mut same = x.shape().to_vec();
    let &size = same
        .get(axis)
        .filter(|_| axis > 0)
        .ok_or_else(|| call.invalid(format!("axis {axis} of {:?} holds no sequences", x.shape())))?;
    same[axis] = update.shape().get(axis).copied().unwrap_or(0);
    if same != update.shape() || same[axis] > size {
        let message = format!("an update of {:?} into {:?}", update.shape(), x.shape());
        return Err(call.invalid(message));
    }
    let (batch, between, steps) = (same[0], element_count(&same[1..axis]), same[axis]);
    let place = call.place.clone();
    let begin = match call.optional(2) {
        Some(begin) => call.builder.map(Unary::Cast(FileType::I64), &begin, &place)?,
        None => integers(call, vec![batch], vec![0; batch])?,
    };
    let begin = call.builder.reshape(&begin, vec![batch, 1, 1], &place)?;
    let along = integers(call, vec![1, 1, steps], (0..steps as i64).collect())?;
    let at = call.builder.zip(Binary::Add, &begin, &along, &place)?;
    let within = if is_circular {
        let size = integer(call, size as i64)?;
        call.builder.zip(Binary::Mod, &at, &size, &place)?
    } else {
        let (first, last) = (integer(call, 0)?, integer(call, size as i64 - 1)?);
        if at.known().and_then(|at| {
            at.ints()
                .map(|at| at.iter().any(|at| !(0..size as i64).contains(at)))
        }) == Some(true)
        {
            return Err(call.invalid("its update goes beyond the end of the cache"));
        }
        let low = call.builder.zip(Binary::Max, &at, &first, &place)?;
        call.builder.zip(Binary::Min, &low, &last, &place)?
    };
    let lines = (0..batch * between).map(|line| (line * size) as i64).collect();
    let lines = integers(call, vec![batch, between, 1], lines)?;
    let places = call.builder.zip(Binary::Add, &within, &lines, &place)?;
    let n_rows = batch * between * size;
    rows(call, Combine::Replace, [&x, &places, &update], n_rows)
}
