//! Functions of two operands or more that stretch over each other. Those of two that have no attributes, and chains of
//! them, stand in the table of operators.

use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Binary, Unary};
use crate::tensor::{Data, Scalar, Tensor};

/// What is left after a division: with the sign of the divisor, or of what is divided.
pub fn modulo(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    match call.attributes.int("fmod")?.unwrap_or(0) {
        0 => call.zip(Binary::Mod),
        1 => call.zip(Binary::Fmod),
        other => Err(call.invalid(format!("fmod is {other}; it can be 0 or 1"))),
    }
}

/// The power has the type of the base, whatever that of the exponent.
pub fn pow(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (base, exponent) = (call.operand(0)?, call.operand(1)?);
    let (of, by) = (base.file_type(), exponent.file_type());
    let exponent = match (of.range(), by.range()) {
        _ if of == by => exponent,
        (None, _) => call.builder.map(Unary::Cast(of), &exponent, &call.place)?,
        // Rounded powers of floats are no powers of integers, so a float has to be known to be one.
        (Some(range), _) => match (&exponent, by.range()) {
            (Symbol::Live(_), Some((low, high))) if range.0 <= low && high <= range.1 => {
                call.builder.map(Unary::Cast(of), &exponent, &call.place)?
            }
            _ => {
                let known = call.known(1)?;
                let cast = known.and_then(|known| whole(&known, of));
                let message = || call.unsupported(format!("a {of} to the power of a {by} that is no {of}"));
                Symbol::Known(cast.ok_or_else(message)?)
            }
        },
    };
    Ok(vec![call.builder.zip(
        Binary::Pow,
        &base,
        &exponent,
        &call.place,
    )?])
}

/// The same numbers as integers of a type; `None` when one of them is none.
fn whole(tensor: &Tensor, to: FileType) -> Option<Tensor> {
    let ints: Vec<i64> = match tensor.floats() {
        Some(floats) => {
            let is_whole = |value: &f32| value.fract() == 0.0 && value.abs() < 1e9;
            floats.iter().all(is_whole).then_some(())?;
            floats.iter().map(|&value| value as i64).collect()
        }
        None => tensor.ints()?.into_owned(),
    };
    Tensor::new(to, tensor.shape().to_vec(), Data::Int(ints.into())).ok()
}

/// The sum of the operands by their number.
pub fn mean(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let sum = call.chain(Binary::Add)?;
    let count = Data::Splat(Scalar::Float(call.operands.len() as f32));
    match &sum[..] {
        [sum] if call.operands.len() > 1 => {
            let count = Tensor::new(sum.file_type(), vec![], count);
            let count = Symbol::Known(count.map_err(|message| call.unsupported(message))?);
            Ok(vec![call.builder.zip(Binary::Div, sum, &count, &call.place)?])
        }
        _ => Ok(sum),
    }
}

pub fn bit_shift(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    match call.attributes.text("direction")?.as_deref() {
        Some("LEFT") => call.zip(Binary::ShiftLeft),
        Some("RIGHT") => call.zip(Binary::ShiftRight),
        Some(other) => Err(call.invalid(format!("there is no direction '{other}'"))),
        None => Err(call.invalid("attribute 'direction' is missing")),
    }
}

/// The slope stretches to the data, which stay as they are.
pub fn prelu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let y = call.zip(Binary::PRelu)?;
    if y.iter().any(|y| y.shape() != x.shape()) {
        let slope = call.operand(1)?;
        let (slope, x) = (slope.shape(), x.shape());
        return Err(call.invalid(format!("a slope of shape {slope:?} does not stretch to {x:?}")));
    }
    Ok(y)
}

pub fn select(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let [condition, a, b] = [call.operand(0)?, call.operand(1)?, call.operand(2)?];
    Ok(vec![call.builder.select(&condition, &a, &b, &call.place)?])
}

/// Swish of the gate, by the value.
pub fn swiglu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let alpha = call.float_or("alpha", 1.0)?;
    let (gate, value) = (call.operand(0)?, call.operand(1)?);
    if gate.shape() != value.shape() {
        let (gate, value) = (gate.shape(), value.shape());
        return Err(call.invalid(format!("a gate of shape {gate:?} for values of {value:?}")));
    }
    let gate = call.builder.map(Unary::Swish(alpha), &gate, &call.place)?;
    Ok(vec![call.builder.zip(Binary::Mul, &gate, &value, &call.place)?])
}

/// The bounds are attributes until operator set 10, then operands, each of one element. Where the greater one comes
/// first, it is the lesser one that counts.
pub fn clip(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let is_known = |bound: &Option<Symbol>| !matches!(bound, Some(Symbol::Live(_)));
    let (low, high) = (call.optional(1), call.optional(2));
    let (low, high) = if call.opset < 11 {
        (call.attributes.float("min")?, call.attributes.float("max")?)
    } else if x.file_type().range().is_none() && is_known(&low) && is_known(&high) {
        (call.known_float(1)?, call.known_float(2)?)
    } else {
        let mut y = x;
        for (f, bound) in [(Binary::Max, low), (Binary::Min, high)] {
            let Some(bound) = bound else { continue };
            let bound = call.builder.reshape(&bound, vec![], &call.place)?;
            y = call.builder.zip(f, &y, &bound, &call.place)?;
        }
        return Ok(vec![y]);
    };
    if (low, high) == (None, None) {
        return Ok(vec![x]);
    }
    call.map(Unary::Clip {
        low: low.unwrap_or(f32::NEG_INFINITY),
        high: high.unwrap_or(f32::INFINITY),
    })
}
