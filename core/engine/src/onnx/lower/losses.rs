//! Losses: what training makes small. They are sums over elements that a target picks.

use super::places::{integer, number, summed};
use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Binary, Fold, Measure, Names, Unary};
use crate::tensor::Scalar;

/// The negative of the element that the target names among the channels, times the weight of its class.
fn picked(call: &mut Call<'_>, x: &Symbol) -> Result<Symbol, ModelError> {
    let (target, weights) = (call.operand(1)?, call.optional(2));
    let ignored = call.attributes.int("ignore_index")?;
    let reduction = call.attributes.text("reduction")?;
    let shape = target.shape().to_vec();
    let mut expected = x.shape().to_vec();
    if expected.len() < 2 || expected.remove(1) == 0 || expected != shape {
        return Err(call.invalid(format!("targets of shape {shape:?} for {:?}", x.shape())));
    }
    let place = call.place.clone();
    let mut along = shape.clone();
    along.insert(1, 1);
    let target = call.builder.map(Unary::Cast(FileType::I64), &target, &place)?;
    let mut target = call.builder.reshape(&target, along, &place)?;
    let zero = number(call, x.file_type(), Scalar::Float(0.0))?;
    let is_ignored = match ignored {
        None => None,
        Some(index) => {
            let (index, first) = (integer(call, index)?, integer(call, 0)?);
            let is_ignored = call.builder.zip(Binary::Equal, &target, &index, &place)?;
            target = call.builder.select(&is_ignored, &first, &target, &place)?;
            Some(is_ignored)
        }
    };
    let found = call.builder.gather(x, &target, 1, Names::Elements, &place)?;
    let mut loss = call.builder.map(Unary::Neg, &found, &place)?;
    let mut weight = match weights {
        None => None,
        Some(weights) => Some(call.builder.gather(&weights, &target, 0, Names::Slices, &place)?),
    };
    if let Some(weight) = &weight {
        loss = call.builder.zip(Binary::Mul, &loss, weight, &place)?;
    }
    if let Some(is_ignored) = &is_ignored {
        loss = call.builder.select(is_ignored, &zero, &loss, &place)?;
        let one = number(call, x.file_type(), Scalar::Float(1.0))?;
        let kept = weight.unwrap_or(one);
        weight = Some(call.builder.select(is_ignored, &zero, &kept, &place)?);
    }
    let axes: Vec<usize> = (0..loss.shape().len()).collect();
    match (reduction.as_deref(), weight) {
        (Some("none"), _) => call.builder.reshape(&loss, shape, &place),
        (Some("sum"), _) => summed(call, &loss, &axes),
        (None | Some("mean"), None) => {
            let mean = call.builder.reduce(Fold::Mean, &loss, &axes, &place)?;
            call.builder.reshape(&mean, vec![], &place)
        }
        (None | Some("mean"), Some(weight)) => {
            let (loss, weight) = (summed(call, &loss, &axes)?, summed(call, &weight, &axes)?);
            call.builder.zip(Binary::Div, &loss, &weight, &place)
        }
        (Some(other), _) => Err(call.invalid(format!("there is no reduction '{other}'"))),
    }
}

pub fn negative_log_likelihood(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    Ok(vec![picked(call, &x)?])
}

/// The second result is what the target picks from.
pub fn softmax_cross_entropy(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let logarithms = call.builder.norm(Measure::LogSoftmax, &x, &[1], &call.place)?;
    Ok(vec![picked(call, &logarithms)?, logarithms])
}
