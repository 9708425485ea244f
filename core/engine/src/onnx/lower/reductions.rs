//! Operators that make one number of many.

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{ArgReduce, Fold, Scan};

/// The result without the axes that were reduced, which are of size 1, unless they are kept.
fn kept(
    call: &mut Call<'_>,
    result: &Symbol,
    axes: &[usize],
    keeps: bool,
) -> Result<Vec<Symbol>, ModelError> {
    let sizes = result.shape().iter().enumerate();
    let left = sizes.filter(|(axis, _)| keeps || !axes.contains(axis));
    let shape = left.map(|(_, &size)| size).collect();
    Ok(vec![call.builder.reshape(result, shape, &call.place)?])
}

/// Axes are an attribute until operator set 12 for sums and 17 for the others, then an operand. Without any, all are meant,
/// unless the node says that none is; then each element is its own.
pub fn reduce(call: &mut Call<'_>, f: Fold) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let rank = x.shape().len();
    let is_operand = call.opset >= if f == Fold::Sum { 13 } else { 18 };
    let named = if is_operand {
        call.known_ints(1)?
    } else {
        call.attributes.ints("axes")?
    };
    let keeps = call.attributes.int("keepdims")?.unwrap_or(1) != 0;
    let means_none = is_operand && call.attributes.int("noop_with_empty_axes")?.unwrap_or(0) != 0;
    let axes = match named {
        Some(axes) if !axes.is_empty() => call.axes(&axes, rank)?,
        _ if means_none => Vec::new(),
        _ => (0..rank).collect(),
    };
    let result = call.builder.reduce(f, &x, &axes, &call.place)?;
    kept(call, &result, &axes, keeps)
}

/// Over everything behind batch and channels.
fn global_pool(call: &mut Call<'_>, f: Fold) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let axes: Vec<usize> = (2..x.shape().len()).collect();
    Ok(vec![call.builder.reduce(f, &x, &axes, &call.place)?])
}

pub fn global_average_pool(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    global_pool(call, Fold::Mean)
}

pub fn global_max_pool(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    global_pool(call, Fold::Max)
}

fn arg_reduce(call: &mut Call<'_>, greatest: bool) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let axis = call.attributes.int("axis")?.unwrap_or(0);
    let axis = call.axis(axis, x.shape().len())?;
    let keeps = call.attributes.int("keepdims")?.unwrap_or(1) != 0;
    let last = call.attributes.int("select_last_index")?.unwrap_or(0) != 0;
    let op = ArgReduce { greatest, axis, last };
    let result = call.builder.arg_reduce(op, &x, &call.place)?;
    kept(call, &result, &[axis], keeps)
}

pub fn arg_max(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    arg_reduce(call, true)
}

pub fn arg_min(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    arg_reduce(call, false)
}

fn scan(call: &mut Call<'_>, product: bool) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let axis = match call.known_ints(1)?.as_deref() {
        Some(&[axis]) => call.axis(axis, x.shape().len())?,
        _ => return Err(call.invalid("it does not name one axis")),
    };
    let exclusive = call.attributes.int("exclusive")?.unwrap_or(0) != 0;
    let reverse = call.attributes.int("reverse")?.unwrap_or(0) != 0;
    let op = Scan {
        product,
        axis,
        exclusive,
        reverse,
    };
    Ok(vec![call.builder.scan(op, &x, &call.place)?])
}

pub fn cum_sum(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    scan(call, false)
}

pub fn cum_prod(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    scan(call, true)
}
