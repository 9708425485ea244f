//! Operators that read elements at places which another operand says.

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::Names;

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
