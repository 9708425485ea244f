//! Layers along a sequence that hand a state on, so that a sequence may come in parts.

use super::places::number;
use crate::builder::{Convolved, Part, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Binary, Convolve, ConvolveAxis, Fold, Unary};
use crate::tensor::{Data, Scalar, Tensor};

/// Zeros of the type that `like` has.
fn zeros(call: &Call<'_>, like: FileType, shape: Vec<usize>) -> Result<Symbol, ModelError> {
    let tensor = Tensor::new(like, shape, Data::Splat(Scalar::Float(0.0)));
    tensor
        .map(Symbol::Known)
        .map_err(|message| call.unsupported(message))
}

/// A convolution of each channel along a sequence by elements that came before; the state is the last of them.
pub fn causal_conv_with_state(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, weights) = (call.operand(0)?, call.operand(1)?);
    let (bias, past) = (call.optional(2), call.optional(3));
    let is_silu = match call.attributes.text("activation")?.as_deref() {
        None | Some("none") => false,
        Some("silu" | "swish") => true,
        Some(other) => return Err(call.invalid(format!("there is no activation '{other}'"))),
    };
    let (&[batch, channels, length], &[filters, 1, taps]) = (x.shape(), weights.shape()) else {
        let message = format!("weights {:?} along a sequence {:?}", weights.shape(), x.shape());
        return Err(call.invalid(message));
    };
    let fits_bias = bias.as_ref().is_none_or(|bias| bias.shape() == [channels]);
    if filters != channels || taps == 0 || channels == 0 || !fits_bias {
        let message = format!("weights {:?} for {channels} channels", weights.shape());
        return Err(call.invalid(message));
    }
    let before = vec![batch, channels, taps - 1];
    let past = match past {
        Some(past) if *past.shape() == *before => past,
        Some(past) => return Err(call.invalid(format!("a state {:?}, not {before:?}", past.shape()))),
        None => zeros(call, x.file_type(), before)?,
    };
    let place = call.place.clone();
    let whole = match taps {
        1 => x.clone(),
        _ => call.builder.concat(&[past, x.clone()], 2, &place)?,
    };
    let op = Convolve {
        axes: vec![ConvolveAxis {
            stride: 1,
            dilation: 1,
            before: 0,
            size: length,
        }],
        groups: channels,
        transposed: false,
    };
    let operands = Convolved {
        x: &whole,
        weights: &weights,
        bias: bias.as_ref(),
    };
    let mut y = call.builder.convolve(&op, operands, &place)?;
    if is_silu {
        let share = call.builder.map(Unary::Sigmoid, &y, &place)?;
        y = call.builder.zip(Binary::Mul, &y, &share, &place)?;
    }
    let last = [
        Part::of(0, batch),
        Part::of(0, channels),
        Part::of(length, taps - 1),
    ];
    let state = call.builder.slice(&whole, &last, &place)?;
    Ok(vec![y, state])
}

/// Steps that are written out one by one; each is a few nodes.
const MAX_STEPS: usize = 1 << 12;

/// Attention whose state is a matrix for each head: keys and values are added to it as they come, queries read it.
///
/// Definition: the operator `LinearAttention`, after Katharopoulos et al., *Transformers are RNNs* (2020), and Yang et al.,
/// *Gated delta networks* (2025), for the rules that let it fade and that write what is new only.
pub fn linear_attention(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let rule = call.attributes.text("update_rule")?;
    let (fades, corrects) = match rule.as_deref().unwrap_or("gated_delta") {
        "linear" => (false, false),
        "gated" => (true, false),
        "delta" => (false, true),
        "gated_delta" => (true, true),
        other => return Err(call.invalid(format!("there is no update_rule '{other}'"))),
    };
    // How many steps a kernel may take at once; it changes no result.
    call.attributes.int("chunk_size")?;
    let mut heads = |name: &str| -> Result<usize, ModelError> {
        let heads = call
            .attributes
            .int(name)?
            .and_then(|heads| usize::try_from(heads).ok());
        heads
            .filter(|&heads| heads > 0)
            .ok_or_else(|| call.invalid(format!("it does not say {name}")))
    };
    let (heads, states) = (heads("q_num_heads")?, heads("kv_num_heads")?);
    let scale = call.float_or("scale", 0.0)?;
    let (query, key, value) = (call.operand(0)?, call.operand(1)?, call.operand(2)?);
    let (past, decay, beta) = (call.optional(3), call.optional(4), call.optional(5));
    let (&[batch, steps, of_queries], &[_, _, of_keys], &[_, _, of_values]) =
        (query.shape(), key.shape(), value.shape())
    else {
        return Err(call.invalid("operands that are no sequences"));
    };
    let (width, depth) = (of_keys / states, of_values / states);
    let is_sequence = |x: &Symbol, sizes: &[usize]| matches!(*x.shape(), [own, long, size] if own == batch && long == steps && sizes.contains(&size));
    let fits = heads.is_multiple_of(states)
        && of_queries == heads * width
        && is_sequence(&key, &[states * width])
        && is_sequence(&value, &[states * depth])
        && past
            .as_ref()
            .is_none_or(|past| past.shape() == [batch, states, width, depth])
        && decay.is_some() == fades
        && decay
            .as_ref()
            .is_none_or(|decay| is_sequence(decay, &[states, states * width]))
        && beta.is_some() == corrects
        && beta.as_ref().is_none_or(|beta| is_sequence(beta, &[states, 1]));
    if !fits || width == 0 {
        let message = format!(
            "{heads} heads on {states} of {:?} and {:?}",
            query.shape(),
            value.shape()
        );
        return Err(call.invalid(message));
    }
    if steps > MAX_STEPS {
        return Err(call.unsupported(format!("{steps} steps; at most {MAX_STEPS} are written out")));
    }
    let place = call.place.clone();
    let of = query.file_type();
    let scale = if scale == 0.0 {
        1.0 / (width as f32).sqrt()
    } else {
        scale
    };
    let scale = number(call, of, Scalar::Float(scale))?;
    let query = call.builder.zip(Binary::Mul, &query, &scale, &place)?;
    // The step of a sequence, as a matrix for each state.
    let step =
        |call: &mut Call<'_>, x: &Symbol, at: usize, shape: [usize; 2]| -> Result<Symbol, ModelError> {
            let own = x.shape()[2];
            let parts = [Part::of(0, batch), Part::of(at, 1), Part::of(0, own)];
            let one = call.builder.slice(x, &parts, &place)?;
            let count = own / (shape[0] * shape[1]).max(1);
            call.builder
                .reshape(&one, vec![batch, count, shape[0], shape[1]], &place)
        };
    let state_type = past.as_ref().map_or(of, Symbol::file_type);
    let mut state = match past {
        Some(past) => call.builder.map(Unary::Cast(of), &past, &place)?,
        None => zeros(call, of, vec![batch, states, width, depth])?,
    };
    let mut results = Vec::with_capacity(steps);
    for at in 0..steps {
        let keys = step(call, &key, at, [width, 1])?;
        let mut values = step(call, &value, at, [1, depth])?;
        if let Some(decay) = &decay {
            let rows = decay.shape()[2] / states;
            let decay = step(call, decay, at, [rows, 1])?;
            let left = call.builder.map(Unary::Exp, &decay, &place)?;
            state = call.builder.zip(Binary::Mul, &state, &left, &place)?;
        }
        if let Some(beta) = &beta {
            let said = call.builder.zip(Binary::Mul, &state, &keys, &place)?;
            let said = call.builder.reduce(Fold::Sum, &said, &[2], &place)?;
            let new = call.builder.zip(Binary::Sub, &values, &said, &place)?;
            let beta = step(call, beta, at, [1, 1])?;
            values = call.builder.zip(Binary::Mul, &new, &beta, &place)?;
        }
        let written = call.builder.zip(Binary::Mul, &keys, &values, &place)?;
        state = call.builder.zip(Binary::Add, &state, &written, &place)?;
        // Queries that share a state are rows of one product.
        let queries = step(call, &query, at, [heads / states, width])?;
        let read = call.builder.matmul(&queries, &state, &place)?;
        results.push(
            call.builder
                .reshape(&read, vec![batch, 1, heads * depth], &place)?,
        );
    }
    let y = match results.is_empty() {
        true => zeros(call, of, vec![batch, 0, heads * depth])?,
        false => call.builder.concat(&results, 1, &place)?,
    };
    let state = call.builder.map(Unary::Cast(state_type), &state, &place)?;
    Ok(vec![y, state])
}
