//! Operators that give the same elements another shape.

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::graph::{Shape, element_count};
use crate::onnx::call::Call;

/// The axes that the node names: an attribute until operator set 12, then an operand.
fn axes(call: &mut Call<'_>) -> Result<Option<Vec<i64>>, ModelError> {
    if call.opset < 13 {
        call.attributes.ints("axes")
    } else {
        call.known_ints(1)
    }
}

fn with_shape(call: &mut Call<'_>, x: &Symbol, shape: Shape) -> Result<Vec<Symbol>, ModelError> {
    Ok(vec![call.builder.reshape(x, shape, &call.place)?])
}

pub fn reshape(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let keeps_zero = call.attributes.int("allowzero")?.unwrap_or(0) != 0;
    let x = call.operand(0)?;
    let sizes = call
        .known_ints(1)?
        .ok_or_else(|| call.invalid("the shape is missing"))?;
    let mut shape = Shape::new();
    let mut open = None;
    for (axis, &size) in sizes.iter().enumerate() {
        let copied = x.shape().get(axis).copied();
        shape.push(match usize::try_from(size) {
            Ok(0) if !keeps_zero => copied.ok_or_else(|| call.invalid(format!("no axis {axis} to copy")))?,
            Ok(size) => size,
            Err(_) if size == -1 && open.is_none() => {
                open = Some(axis);
                1
            }
            Err(_) => return Err(call.invalid(format!("shape {sizes:?}"))),
        });
    }
    if let Some(axis) = open {
        let others = shape
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size));
        let len = element_count(x.shape());
        let size = others.filter(|&others| others != 0 && len.is_multiple_of(others));
        shape[axis] = len / size.ok_or_else(|| call.invalid(format!("{len} elements as {sizes:?}")))?;
    }
    with_shape(call, &x, shape)
}

pub fn flatten(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let rank = x.shape().len();
    let number = call.attributes.int("axis")?.unwrap_or(1);
    // The cut may be behind the last axis.
    let cut = if usize::try_from(number) == Ok(rank) {
        rank
    } else {
        call.axis(number, rank)?
    };
    let (outer, inner) = x.shape().split_at(cut);
    let shape = vec![element_count(outer), element_count(inner)];
    with_shape(call, &x, shape)
}

pub fn squeeze(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let named = axes(call)?;
    let dropped = match named {
        Some(axes) => call.axes(&axes, x.shape().len())?,
        None => (0..x.shape().len())
            .filter(|&axis| x.shape()[axis] == 1)
            .collect(),
    };
    if let Some(axis) = dropped.iter().find(|&&axis| x.shape()[axis] != 1) {
        return Err(call.invalid(format!("axis {axis} of {:?} is not of size 1", x.shape())));
    }
    let kept = (0..x.shape().len()).filter(|axis| !dropped.contains(axis));
    let shape = kept.map(|axis| x.shape()[axis]).collect();
    with_shape(call, &x, shape)
}

pub fn unsqueeze(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let named = axes(call)?.ok_or_else(|| call.invalid("the axes are missing"))?;
    let mut added = call.axes(&named, x.shape().len() + named.len())?;
    added.sort_unstable();
    let mut shape = x.shape().to_vec();
    for axis in added {
        // Ascending, so that each place is that in the result.
        shape.insert(axis, 1);
    }
    with_shape(call, &x, shape)
}
