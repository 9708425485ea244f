//! Operators that compute nothing in a frame: values that are named, given or counted.

use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::tensor::{Data, Scalar, Tensor};

pub fn identity(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    Ok(vec![call.operand(0)?])
}

pub fn constant(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let mut found = Vec::new();
    found.extend(call.attributes.tensor("value")?);
    let mut add = |file_type, shape, data| {
        Tensor::new(file_type, shape, data)
            .map(|tensor| found.push(tensor))
            .map_err(|message| ModelError::invalid(&call.place, message))
    };
    if let Some(value) = call.attributes.float("value_float")? {
        add(FileType::F32, vec![], Data::Splat(Scalar::Float(value)))?;
    }
    if let Some(values) = call.attributes.floats("value_floats")? {
        add(FileType::F32, vec![values.len()], Data::Float(values.into()))?;
    }
    if let Some(value) = call.attributes.int("value_int")? {
        add(FileType::I64, vec![], Data::Splat(Scalar::Int(value)))?;
    }
    if let Some(values) = call.attributes.ints("value_ints")? {
        add(FileType::I64, vec![values.len()], Data::Int(values.into()))?;
    }
    match (found.pop(), found.pop()) {
        (Some(tensor), None) => Ok(vec![Symbol::Known(tensor)]),
        (None, _) => Err(call.unsupported("its value is of no kind that is read")),
        (Some(_), Some(_)) => Err(call.invalid("it has two values")),
    }
}

/// Without training, the data as they are, and a mask that drops nothing.
pub fn dropout(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    call.attributes.int("seed")?;
    if call.opset < 12 {
        call.attributes.float("ratio")?;
    }
    let training = match call.known(2)? {
        Some(mode) => mode.bools().is_none_or(|modes| modes.contains(&true)),
        None => false,
    };
    if training && call.known_float(1)?.unwrap_or(0.5) != 0.0 {
        return Err(call.unsupported("random numbers: it drops elements as in training"));
    }
    let x = call.operand(0)?;
    if call.n_results < 2 {
        return Ok(vec![x]);
    }
    if call.opset < 10 {
        return Err(call.unsupported("the mask as operator sets before 10 have it"));
    }
    let mask = Tensor::new(
        FileType::Bool,
        x.shape().to_vec(),
        Data::Splat(Scalar::Bool(true)),
    );
    let mask = mask.map_err(|message| call.invalid(message))?;
    Ok(vec![x, Symbol::Known(mask)])
}
