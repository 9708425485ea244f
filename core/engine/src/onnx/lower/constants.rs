//! Operators that compute nothing in a frame: values that are named, given or counted.

use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{Shape, element_count};
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

/// The sizes of the operand from `start` to before `end`, which count from behind below zero and stop at the ends.
pub fn shape(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let rank = x.shape().len() as i64;
    let place_of = |axis: i64| {
        let from_front = if axis < 0 { axis.saturating_add(rank) } else { axis };
        from_front.clamp(0, rank)
    };
    let start = place_of(call.attributes.int("start")?.unwrap_or(0));
    let end = place_of(call.attributes.int("end")?.unwrap_or(rank));
    let sizes = x.shape().iter().map(|&size| size as i64);
    let sizes: Vec<i64> = (0..)
        .zip(sizes)
        .filter(|(axis, _)| (start..end).contains(axis))
        .map(|(_, size)| size)
        .collect();
    let tensor = Tensor::new(FileType::I64, vec![sizes.len()], Data::Int(sizes.into()));
    Ok(vec![Symbol::Known(
        tensor.map_err(|message| call.invalid(message))?,
    )])
}

/// The number of elements of the operand.
pub fn size(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let len = element_count(call.operand(0)?.shape()) as i64;
    let tensor = Tensor::new(FileType::I64, vec![], Data::Splat(Scalar::Int(len)));
    Ok(vec![Symbol::Known(
        tensor.map_err(|message| call.invalid(message))?,
    )])
}

/// One element as often as a shape asks.
pub fn constant_of_shape(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let sizes = call
        .known_ints(0)?
        .ok_or_else(|| call.invalid("the shape is missing"))?;
    let shape: Result<Shape, _> = sizes.iter().map(|&size| usize::try_from(size)).collect();
    let shape = shape.map_err(|_| call.invalid(format!("shape {sizes:?} has a size below zero")))?;
    let (file_type, scalar) = match call.attributes.tensor("value")? {
        None => (FileType::F32, Scalar::Float(0.0)),
        Some(tensor) => match (tensor.get(0), tensor.len()) {
            (Some(scalar), 1) => (tensor.file_type(), scalar),
            (_, len) => return Err(call.invalid(format!("its value has {len} elements"))),
        },
    };
    let tensor = Tensor::new(file_type, shape, Data::Splat(scalar));
    Ok(vec![Symbol::Known(
        tensor.map_err(|message| call.unsupported(message))?,
    )])
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
    // Before operator set 10 the mask has the type of the data, and is what these are multiplied by.
    let (file_type, kept) = match call.opset {
        ..10 => (x.file_type(), Scalar::Float(1.0)),
        10.. => (FileType::Bool, Scalar::Bool(true)),
    };
    let mask = Tensor::new(file_type, x.shape().to_vec(), Data::Splat(kept));
    let mask = mask.map_err(|message| call.invalid(message))?;
    Ok(vec![x, Symbol::Known(mask)])
}
