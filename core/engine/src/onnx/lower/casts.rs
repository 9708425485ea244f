//! Operators that change the type of elements.

use rten_onnx::onnx::DataType;

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::onnx::tensors;
use crate::ops::Unary;

/// How floats of 8 bits saturate and round. They are refused by their type, and nothing else asks.
fn ignore_short_floats(call: &mut Call<'_>) -> Result<(), ModelError> {
    call.attributes.int("saturate")?;
    call.attributes.text("round_mode")?;
    Ok(())
}

pub fn cast(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    ignore_short_floats(call)?;
    let to = call.attributes.int("to")?;
    let to = to.ok_or_else(|| call.invalid("attribute 'to' is missing"))?;
    let to = i32::try_from(to).map_err(|_| call.invalid(format!("there is no type {to}")))?;
    let to = tensors::file_type(DataType(to), &call.place)?;
    call.map(Unary::Cast(to))
}

pub fn cast_like(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    ignore_short_floats(call)?;
    let to = call.operand(1)?.file_type();
    call.map(Unary::Cast(to))
}
