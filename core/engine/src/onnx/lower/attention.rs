//! Attention: `softmax(scale * Q K^T + bias) V`, head by head.
//!
//! Definition: the ONNX operator `Attention`, operator sets 23 to 25 (onnx.ai/onnx/operators), after Vaswani et al.,
//! *Attention is all you need* (2017). Heads of queries that share keys are rows of one product, so that no key is
//! repeated. What may not be looked at is chosen away rather than added up to an infinity, as far as the file says it by
//! truth values; where all that a query may look at is nothing, its result is 0.

use super::places::{integers, number};
use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Binary, Border, Fold, Measure, Unary};
use crate::tensor::Scalar;

/// Sizes that all parts need.
struct Sizes {
    batch: usize,
    heads: usize,
    kv_heads: usize,
    queries: usize,
    keys: usize,
}

/// `[batch, length, heads * size]` as `[batch, heads, length, size]`; what has four axes is that already.
fn by_heads(call: &mut Call<'_>, x: &Symbol, heads: Option<usize>) -> Result<Symbol, ModelError> {
    match (x.shape(), heads) {
        ([_, _, _, _], _) => Ok(x.clone()),
        (&[batch, length, width], Some(heads)) if heads > 0 && width.is_multiple_of(heads) => {
            let shape = vec![batch, length, heads, width / heads];
            let split = call.builder.reshape(x, shape, &call.place)?;
            call.builder.transpose(&split, &[0, 2, 1, 3], &call.place)
        }
        _ => Err(call.invalid(format!("shape {:?} with {heads:?} heads", x.shape()))),
    }
}

/// A number of heads.
fn heads(call: &mut Call<'_>, name: &str) -> Result<Option<usize>, ModelError> {
    let Some(heads) = call.attributes.int(name)? else {
        return Ok(None);
    };
    let heads = usize::try_from(heads).map_err(|_| call.invalid(format!("{name} is {heads}")))?;
    Ok((heads > 0).then_some(heads))
}

/// One condition and another, where there are any.
fn both(call: &mut Call<'_>, a: Option<Symbol>, b: Symbol) -> Result<Option<Symbol>, ModelError> {
    Ok(Some(match a {
        None => b,
        Some(a) => call.builder.zip(Binary::And, &a, &b, &call.place)?,
    }))
}

/// Which keys which query may look at by the place of both; `None` when it is all of them. `before` is how many keys come
/// before the first query.
fn allowed_by_place(
    call: &mut Call<'_>,
    sizes: &Sizes,
    past: usize,
    lengths: Option<&Symbol>,
) -> Result<Option<Symbol>, ModelError> {
    let is_causal = call.attributes.int("is_causal")?.unwrap_or(0) != 0;
    let window = |call: &mut Call<'_>, name: &str| -> Result<Option<i64>, ModelError> {
        match call.attributes.int(name)?.unwrap_or(-1) {
            -1 => Ok(None),
            size @ 0..=0x3fff_ffff => Ok(Some(size)),
            size => Err(call.invalid(format!("{name} is {size}"))),
        }
    };
    let (left, right) = (
        window(call, "left_window_size")?,
        window(call, "right_window_size")?,
    );
    let &Sizes {
        queries, keys, batch, ..
    } = sizes;
    let place = call.place.clone();
    // How far each key lies behind each query, both counted from their first.
    let distance = |call: &mut Call<'_>, more: i64| {
        let count = queries.saturating_mul(keys);
        call.builder.compute(count, &call.place)?;
        let distances = (0..count).map(|at| (at % keys) as i64 - (at / keys) as i64 + more);
        integers(call, vec![queries, keys], distances.collect())
    };
    let before = match lengths {
        None => integers(call, vec![], vec![past as i64])?,
        Some(lengths) => {
            let lengths = call.builder.reshape(lengths, vec![batch, 1, 1, 1], &place)?;
            let queries = integers(call, vec![], vec![queries as i64])?;
            call.builder.zip(Binary::Sub, &lengths, &queries, &place)?
        }
    };
    let mut allowed = None;
    if is_causal {
        let distance = distance(call, 0)?;
        let is_past = call
            .builder
            .zip(Binary::LessOrEqual, &distance, &before, &place)?;
        allowed = both(call, allowed, is_past)?;
    }
    if let Some(left) = left {
        let reach = distance(call, left)?;
        let is_near = call.builder.zip(Binary::LessOrEqual, &before, &reach, &place)?;
        allowed = both(call, allowed, is_near)?;
    }
    if let Some(right) = right {
        let reach = distance(call, -right)?;
        let is_near = call.builder.zip(Binary::LessOrEqual, &reach, &before, &place)?;
        allowed = both(call, allowed, is_near)?;
    }
    if let Some(lengths) = lengths {
        let lengths = call.builder.reshape(lengths, vec![batch, 1, 1, 1], &place)?;
        let along = integers(call, vec![keys], (0..keys as i64).collect())?;
        let is_there = call.builder.zip(Binary::Less, &along, &lengths, &place)?;
        allowed = both(call, allowed, is_there)?;
    }
    Ok(allowed)
}

/// What is added to the products, and which keys may be looked at, by the mask of the node.
fn mask(
    call: &mut Call<'_>,
    sizes: &Sizes,
    of: FileType,
) -> Result<(Option<Symbol>, Option<Symbol>), ModelError> {
    let Some(mask) = call.optional(3) else {
        return Ok((None, None));
    };
    let place = call.place.clone();
    let length = mask.shape().last().copied().unwrap_or(1);
    // A mask that is too short says nothing of keys that may not be looked at.
    let missing = match length {
        1 => 0,
        length => sizes.keys.saturating_sub(length) as i64,
    };
    let is_truth = mask.file_type() == FileType::Bool;
    let mask = match is_truth {
        true => mask,
        false => call.builder.map(Unary::Cast(of), &mask, &place)?,
    };
    let mut amounts = vec![(0, 0); mask.shape().len()];
    if let Some(last) = amounts.last_mut() {
        *last = (0, missing);
    }
    let beyond = match is_truth {
        true => number(call, FileType::Bool, Scalar::Bool(false))?,
        false => number(call, of, Scalar::Float(f32::NEG_INFINITY))?,
    };
    let mask = call
        .builder
        .pad(&mask, Border::Value, &amounts, Some(&beyond), &place)?;
    Ok(match is_truth {
        true => (None, Some(mask)),
        false => (Some(mask), None),
    })
}

/// Keys or values behind those of the past, which may be none.
fn with_past(call: &mut Call<'_>, past: Option<Symbol>, x: &Symbol) -> Result<Symbol, ModelError> {
    match past {
        None => Ok(x.clone()),
        Some(past) => call.builder.concat(&[past, x.clone()], 2, &call.place),
    }
}

/// A product of each head of queries, or of what came of them, with the head of keys or values that it shares.
fn shared_product(call: &mut Call<'_>, a: &Symbol, b: &Symbol, sizes: &Sizes) -> Result<Symbol, ModelError> {
    let &Sizes {
        batch,
        heads,
        kv_heads,
        queries,
        ..
    } = sizes;
    let width = |x: &Symbol| x.shape().last().copied().unwrap_or(0);
    let rows = vec![batch, kv_heads, heads / kv_heads * queries, width(a)];
    let rows = call.builder.reshape(a, rows, &call.place)?;
    let product = call.builder.matmul(&rows, b, &call.place)?;
    let shape = vec![batch, heads, queries, width(&product)];
    call.builder.reshape(&product, shape, &call.place)
}

pub fn attention(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let place = call.place.clone();
    let (q_heads, kv_heads) = (heads(call, "q_num_heads")?, heads(call, "kv_num_heads")?);
    let q = call.operand(0)?;
    let is_flat = q.shape().len() == 3;
    let (k, v) = (call.operand(1)?, call.operand(2)?);
    let q = by_heads(call, &q, q_heads)?;
    let (k, v) = (by_heads(call, &k, kv_heads)?, by_heads(call, &v, kv_heads)?);
    let past = call.optional(4);
    let n_past = past
        .as_ref()
        .map_or(0, |past| past.shape().get(2).copied().unwrap_or(0));
    let has_past = past.is_some();
    let k = with_past(call, past, &k)?;
    let past = call.optional(5);
    let v = with_past(call, past, &v)?;
    let (&[batch, heads, queries, size], &[_, kv_heads, keys, _]) = (q.shape(), k.shape()) else {
        return Err(call.invalid(format!("queries of {:?} and keys of {:?}", q.shape(), k.shape())));
    };
    let fits = kv_heads > 0
        && heads.is_multiple_of(kv_heads)
        && k.shape() == [batch, kv_heads, keys, size]
        && v.shape().len() == 4
        && v.shape()[..3] == [batch, kv_heads, keys];
    if !fits || size == 0 || keys == 0 {
        let message = format!(
            "queries {:?}, keys {:?}, values {:?}",
            q.shape(),
            k.shape(),
            v.shape()
        );
        return Err(call.invalid(message));
    }
    let sizes = Sizes {
        batch,
        heads,
        kv_heads,
        queries,
        keys,
    };
    let of = q.file_type();
    let lengths = match call.optional(6) {
        Some(_) if has_past => {
            return Err(call.invalid("it has a past, and lengths of keys that are not padded"));
        }
        Some(lengths) => Some(call.builder.map(Unary::Cast(FileType::I64), &lengths, &place)?),
        None => None,
    };
    let (bias, by_mask) = mask(call, &sizes, of)?;
    let mut allowed = allowed_by_place(call, &sizes, n_past, lengths.as_ref())?;
    if let Some(by_mask) = by_mask {
        allowed = both(call, allowed, by_mask)?;
    }

    let scale = call.attributes.float("scale")?.filter(|&scale| scale != 0.0);
    let scale = scale.unwrap_or(1.0 / (size as f32).sqrt());
    let scale = number(call, of, Scalar::Float(scale))?;
    let scaled = call.builder.zip(Binary::Mul, &q, &scale, &place)?;
    let turned = call.builder.transpose(&k, &[0, 1, 3, 2], &place)?;
    let products = shared_product(call, &scaled, &turned, &sizes)?;
    let softcap = call.float_or("softcap", 0.0)?;
    let capped = if softcap > 0.0 {
        let cap = number(call, of, Scalar::Float(softcap))?;
        let small = call.builder.zip(Binary::Div, &products, &cap, &place)?;
        let small = call.builder.map(Unary::Tanh, &small, &place)?;
        call.builder.zip(Binary::Mul, &small, &cap, &place)?
    } else {
        products.clone()
    };
    let nothing = number(call, of, Scalar::Float(f32::NEG_INFINITY))?;
    let mut biased = capped.clone();
    if let Some(bias) = &bias {
        biased = call.builder.zip(Binary::Add, &biased, bias, &place)?;
    }
    if let Some(allowed) = &allowed {
        biased = call.builder.select(allowed, &biased, &nothing, &place)?;
    }
    // In f32, whatever precision the node asks for.
    call.attributes.int("softmax_precision")?;
    let weights = call.builder.norm(Measure::Softmax, &biased, &[3], &place)?;
    let weights = looking(call, &weights, bias.as_ref(), allowed.as_ref(), of)?;
    let y = shared_product(call, &weights, &v, &sizes)?;
    let y = if is_flat {
        let turned = call.builder.transpose(&y, &[0, 2, 1, 3], &place)?;
        let shape = vec![batch, queries, heads * v.shape()[3]];
        call.builder.reshape(&turned, shape, &place)?
    } else {
        y
    };
    let seen = match call.attributes.int("qk_matmul_output_mode")?.unwrap_or(0) {
        0 => products,
        1 => capped,
        2 => biased,
        3 => weights,
        mode => return Err(call.invalid(format!("there is no output {mode} of its products"))),
    };
    Ok(vec![y, k, v, seen])
}

/// The weights, and 0 for queries that may look at nothing.
fn looking(
    call: &mut Call<'_>,
    weights: &Symbol,
    bias: Option<&Symbol>,
    allowed: Option<&Symbol>,
    of: FileType,
) -> Result<Symbol, ModelError> {
    let place = call.place.clone();
    let last = |x: &Symbol| x.shape().len().saturating_sub(1);
    let sees_nothing = match (bias, allowed) {
        (None, None) => return Ok(weights.clone()),
        (None, Some(allowed)) if allowed.shape().is_empty() => {
            call.builder.map(Unary::Not, allowed, &place)?
        }
        (None, Some(allowed)) => {
            let any = call
                .builder
                .reduce(Fold::Max, allowed, &[last(allowed)], &place)?;
            if any
                .known()
                .and_then(|any| any.bools().map(|any| any.iter().all(|&any| any)))
                == Some(true)
            {
                return Ok(weights.clone());
            }
            call.builder.map(Unary::Not, &any, &place)?
        }
        (Some(bias), allowed) => {
            let mut bias = bias.clone();
            if let Some(allowed) = allowed {
                let nothing = number(call, of, Scalar::Float(f32::NEG_INFINITY))?;
                bias = call.builder.select(allowed, &bias, &nothing, &place)?;
            }
            if !bias.shape().is_empty() {
                bias = call.builder.reduce(Fold::Max, &bias, &[last(&bias)], &place)?;
            }
            let is_low = Unary::IsInf {
                negative: true,
                positive: false,
            };
            call.builder.map(is_low, &bias, &place)?
        }
    };
    let zero = number(call, of, Scalar::Float(0.0))?;
    call.builder.select(&sees_nothing, &zero, weights, &place)
}
