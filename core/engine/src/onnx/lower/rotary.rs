//! Positions in a sequence as rotations: `RotaryEmbedding`.
//!
//! Definition: the ONNX operator, operator set 23 (onnx.ai/onnx/operators), after Su et al., *RoFormer: enhanced transformer
//! with rotary position embedding* (2021).

use crate::builder::{Part, Symbol};
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Binary, Names};

/// A part of the last axis.
fn part(call: &mut Call<'_>, x: &Symbol, last: Part) -> Result<Symbol, ModelError> {
    let mut parts: Vec<Part> = x.shape().iter().map(|&size| Part::of(0, size)).collect();
    if let Some(part) = parts.last_mut() {
        *part = last;
    }
    call.builder.slice(x, &parts, &call.place)
}

/// Cosines or sines, `[batch, length, 1, half]`: those of the named positions, or one for each place.
fn angles(
    call: &mut Call<'_>,
    index: usize,
    positions: Option<&Symbol>,
    half: usize,
) -> Result<Symbol, ModelError> {
    let cache = call.operand(index)?;
    let found = match positions {
        None => cache,
        Some(positions) => call
            .builder
            .gather(&cache, positions, 0, Names::Slices, &call.place)?,
    };
    match *found.shape() {
        [batch, length, size] if size == half => {
            let shape = vec![batch, length, 1, half];
            call.builder.reshape(&found, shape, &call.place)
        }
        _ => Err(call.invalid(format!("angles of shape {:?} for {half} pairs", found.shape()))),
    }
}

/// Pairs of elements of each head, turned by an angle for each place in the sequence. A pair is two neighbours, or one of
/// the first half and one of the second.
pub fn rotary_embedding(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let place = call.place.clone();
    let x = call.operand(0)?;
    let heads = call.attributes.int("num_heads")?.unwrap_or(0);
    let are_neighbours = call.attributes.int("interleaved")?.unwrap_or(0) != 0;
    let by_place = match (x.shape(), usize::try_from(heads)) {
        ([_, _, _, _], _) => call.builder.transpose(&x, &[0, 2, 1, 3], &place)?,
        (&[batch, length, width], Ok(heads)) if heads > 0 && width.is_multiple_of(heads) => {
            let shape = vec![batch, length, heads, width / heads];
            call.builder.reshape(&x, shape, &place)?
        }
        _ => return Err(call.invalid(format!("shape {:?} with {heads} heads", x.shape()))),
    };
    let shape = by_place.shape().to_vec();
    let size = shape[3];
    let turned = match call.attributes.int("rotary_embedding_dim")?.unwrap_or(0) {
        0 => Some(size),
        turned => usize::try_from(turned).ok().filter(|&turned| turned <= size),
    };
    let turned = turned.filter(|turned| turned.is_multiple_of(2));
    let turned = turned.ok_or_else(|| call.invalid(format!("no pairs among {size} elements")))?;
    let half = turned / 2;
    let positions = call.optional(3);
    let cosine = angles(call, 1, positions.as_ref(), half)?;
    let sine = angles(call, 2, positions.as_ref(), half)?;
    let of_pair = |second: usize| match are_neighbours {
        true => Part {
            start: second,
            step: 2,
            size: half,
        },
        false => Part::of(second * half, half),
    };
    let (a, b) = (
        part(call, &by_place, of_pair(0))?,
        part(call, &by_place, of_pair(1))?,
    );
    let mut products = Vec::new();
    for (x, angle) in [(&a, &cosine), (&b, &sine), (&a, &sine), (&b, &cosine)] {
        products.push(call.builder.zip(Binary::Mul, x, angle, &place)?);
    }
    let mut pair = [
        call.builder
            .zip(Binary::Sub, &products[0], &products[1], &place)?,
        call.builder
            .zip(Binary::Add, &products[2], &products[3], &place)?,
    ];
    let mut whole = shape.clone();
    whole[3] = turned;
    let mut axis = 3;
    if are_neighbours {
        let apart = [&whole[..3], &[half, 1]].concat();
        for one in &mut pair {
            *one = call.builder.reshape(one, apart.clone(), &place)?;
        }
        axis = 4;
    }
    let mut y = call.builder.concat(&pair, axis, &place)?;
    y = call.builder.reshape(&y, whole, &place)?;
    if turned < size {
        let rest = part(call, &by_place, Part::of(turned, size - turned))?;
        y = call.builder.concat(&[y, rest], 3, &place)?;
    }
    let y = match x.shape().len() {
        4 => call.builder.transpose(&y, &[0, 2, 1, 3], &place)?,
        _ => call.builder.reshape(&y, x.shape().to_vec(), &place)?,
    };
    Ok(vec![y])
}
