//! Layers along sequences: `RNN`, `GRU` and `LSTM`.
//!
//! The products of all steps' inputs are one; what goes along the sequence is one node for each direction.

use super::places::{integers, number};
use crate::builder::{Part, Symbol};
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Binary, Cell, Gate, Recurrent};
use crate::tensor::Scalar;

/// An activation by its name; the lists have the parameters of those before it no more.
fn activation(
    call: &Call<'_>,
    name: &str,
    alphas: &mut impl Iterator<Item = f32>,
    betas: &mut impl Iterator<Item = f32>,
) -> Result<Gate, ModelError> {
    let mut alpha = |default: f32| alphas.next().unwrap_or(default);
    let mut beta = |default: f32| betas.next().unwrap_or(default);
    Ok(match name.to_ascii_lowercase().as_str() {
        "sigmoid" => Gate::Sigmoid,
        "tanh" => Gate::Tanh,
        "relu" => Gate::Relu,
        "softsign" => Gate::Softsign,
        "softplus" => Gate::Softplus,
        "affine" => Gate::Affine(alpha(1.0), beta(0.0)),
        "scaledtanh" => Gate::ScaledTanh(alpha(1.0), beta(1.0)),
        "hardsigmoid" => Gate::HardSigmoid(alpha(0.2), beta(0.5)),
        "leakyrelu" => Gate::LeakyRelu(alpha(0.01)),
        "thresholdedrelu" => Gate::ThresholdedRelu(alpha(1.0)),
        "elu" => Gate::Elu(alpha(1.0)),
        _ => return Err(call.invalid(format!("there is no activation '{name}'"))),
    })
}

/// The activations of each direction.
fn activations(call: &mut Call<'_>, cell: Cell, directions: usize) -> Result<Vec<[Gate; 3]>, ModelError> {
    let (each, default) = match cell {
        Cell::Plain => (1, [Gate::Tanh; 3]),
        Cell::Gru { .. } => (2, [Gate::Sigmoid, Gate::Tanh, Gate::Tanh]),
        Cell::Lstm { .. } => (3, [Gate::Sigmoid, Gate::Tanh, Gate::Tanh]),
    };
    let alphas = call.attributes.floats("activation_alpha")?.unwrap_or_default();
    let betas = call.attributes.floats("activation_beta")?.unwrap_or_default();
    let Some(names) = call.attributes.texts("activations")? else {
        return Ok(vec![default; directions]);
    };
    if names.len() != each * directions {
        return Err(call.invalid(format!(
            "{} activations of {each} for each direction",
            names.len()
        )));
    }
    let (mut alphas, mut betas) = (alphas.into_iter(), betas.into_iter());
    let mut found = Vec::with_capacity(directions);
    for names in names.chunks(each) {
        let mut own = default;
        for (gate, name) in own.iter_mut().zip(names) {
            *gate = activation(call, name, &mut alphas, &mut betas)?;
        }
        found.push(own);
    }
    Ok(found)
}

/// The part of an operand that belongs to a direction, without that axis.
fn of_direction(call: &mut Call<'_>, x: &Symbol, direction: usize) -> Result<Symbol, ModelError> {
    let mut parts: Vec<Part> = x.shape().iter().map(|&size| Part::of(0, size)).collect();
    match parts.first_mut() {
        Some(first) if first.size > direction => *first = Part::of(direction, 1),
        _ => return Err(call.invalid(format!("shape {:?} has no direction {direction}", x.shape()))),
    }
    let own = call.builder.slice(x, &parts, &call.place)?;
    call.builder.reshape(&own, x.shape()[1..].to_vec(), &call.place)
}

/// The sizes of a layer.
#[derive(Clone, Copy)]
struct Sizes {
    steps: usize,
    batch: usize,
    inputs: usize,
    units: usize,
    gates: usize,
}

/// One direction: all rows that [`Recurrent`] gives.
fn direction(
    call: &mut Call<'_>,
    op: Recurrent,
    x: &Symbol,
    lengths: &Symbol,
    sizes: Sizes,
    at: usize,
) -> Result<Symbol, ModelError> {
    let place = call.place.clone();
    let Sizes {
        steps,
        batch,
        inputs,
        units,
        gates,
    } = sizes;
    let width = gates * units;
    let weights = call.operand(1)?;
    let weights = of_direction(call, &weights, at)?;
    let weights = call.builder.transpose(&weights, &[1, 0], &place)?;
    let rows = call.builder.reshape(x, vec![steps * batch, inputs], &place)?;
    let mut products = call.builder.matmul(&rows, &weights, &place)?;
    let recurrent = call.operand(2)?;
    let recurrent = of_direction(call, &recurrent, at)?;
    let zero = number(call, x.file_type(), Scalar::Float(0.0))?;
    let zeros = |call: &mut Call<'_>, shape: &[usize]| call.builder.expand(&zero, shape, &place);
    let mut biases = match call.optional(3) {
        None => zeros(call, &[gates, units])?,
        Some(both) => {
            let both = of_direction(call, &both, at)?;
            let both = call.builder.reshape(&both, vec![2, width], &place)?;
            let of_input = of_direction(call, &both, 0)?;
            products = call.builder.zip(Binary::Add, &products, &of_input, &place)?;
            let own = of_direction(call, &both, 1)?;
            call.builder.reshape(&own, vec![gates, units], &place)?
        }
    };
    let mut states = Vec::new();
    let n_states = 1 + usize::from(matches!(op.cell, Cell::Lstm { .. }));
    for index in [5, 6].into_iter().take(n_states) {
        states.push(match call.optional(index) {
            None => zeros(call, &[1, batch, units])?,
            Some(state) => {
                let own = of_direction(call, &state, at)?;
                call.builder.reshape(&own, vec![1, batch, units], &place)?
            }
        });
    }
    let state = call.builder.concat(&states, 0, &place)?;
    if let Cell::Lstm { .. } = op.cell {
        let peepholes = match call.optional(7) {
            None => zeros(call, &[3, units])?,
            Some(peepholes) => {
                let own = of_direction(call, &peepholes, at)?;
                call.builder.reshape(&own, vec![3, units], &place)?
            }
        };
        biases = call.builder.concat(&[biases, peepholes], 0, &place)?;
    }
    let products = call
        .builder
        .reshape(&products, vec![steps, batch, width], &place)?;
    let operands = [&products, &recurrent, &biases, &state, lengths];
    call.builder.recurrent(op, operands, &place)
}

/// All directions. Results are the units after each step, those after the last, and the cell.
fn layer(call: &mut Call<'_>, cell: Cell, gates: usize) -> Result<Vec<Symbol>, ModelError> {
    let place = call.place.clone();
    let reversed: &[bool] = match call.attributes.text("direction")?.as_deref() {
        None | Some("forward") => &[false],
        Some("reverse") => &[true],
        Some("bidirectional") => &[false, true],
        Some(other) => return Err(call.invalid(format!("there is no direction '{other}'"))),
    };
    let activations = activations(call, cell, reversed.len())?;
    let clip = call.attributes.float("clip")?;
    let is_batch_first = call.attributes.int("layout")?.unwrap_or(0) != 0;
    let mut x = call.operand(0)?;
    if x.shape().len() != 3 {
        return Err(call.invalid(format!("shape {:?} is no sequence", x.shape())));
    }
    if is_batch_first {
        x = call.builder.transpose(&x, &[1, 0, 2], &place)?;
        for index in [5, 6] {
            let Some(state) = call.optional(index) else {
                continue;
            };
            let turned = call.builder.transpose(&state, &[1, 0, 2], &place)?;
            call.operands[index] = Some(turned);
        }
    }
    let weights = call.operand(2)?;
    let (&[steps, batch, inputs], &[_, _, units]) = (x.shape(), weights.shape()) else {
        return Err(call.invalid(format!("weights of shape {:?}", weights.shape())));
    };
    let named = call.attributes.int("hidden_size")?;
    if named.is_some_and(|named| usize::try_from(named) != Ok(units)) {
        return Err(call.invalid(format!("{named:?} units with weights of {units}")));
    }
    let sizes = Sizes {
        steps,
        batch,
        inputs,
        units,
        gates,
    };
    let lengths = match call.optional(4) {
        Some(lengths) => lengths,
        None => integers(call, vec![batch], vec![steps as i64; batch])?,
    };
    let (mut along, mut ends) = (Vec::new(), [Vec::new(), Vec::new()]);
    for (at, (&reverse, activations)) in reversed.iter().zip(activations).enumerate() {
        let op = Recurrent {
            cell,
            reverse,
            clip,
            activations,
        };
        let rows = direction(call, op, &x, &lengths, sizes, at)?;
        let mut part = |first: usize, size: usize| {
            let parts = [Part::of(first, size), Part::of(0, batch), Part::of(0, units)];
            call.builder.slice(&rows, &parts, &place)
        };
        let (after_each, after_all, kept) = (part(0, steps)?, part(steps, 1)?, part(steps + 1, 1)?);
        along.push(
            call.builder
                .reshape(&after_each, vec![steps, 1, batch, units], &place)?,
        );
        ends[0].push(after_all);
        ends[1].push(kept);
    }
    let mut results = vec![call.builder.concat(&along, 1, &place)?];
    for end in ends {
        results.push(call.builder.concat(&end, 0, &place)?);
    }
    if is_batch_first {
        results[0] = call.builder.transpose(&results[0], &[2, 0, 1, 3], &place)?;
        for end in &mut results[1..] {
            *end = call.builder.transpose(end, &[1, 0, 2], &place)?;
        }
    }
    Ok(results)
}

pub fn rnn(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    layer(call, Cell::Plain, 1)
}

pub fn gru(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let linear_before_reset = call.attributes.int("linear_before_reset")?.unwrap_or(0) != 0;
    layer(call, Cell::Gru { linear_before_reset }, 3)
}

pub fn lstm(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let couples = call.attributes.int("input_forget")?.unwrap_or(0) != 0;
    layer(call, Cell::Lstm { couples }, 4)
}
