//! Operators that read images at places which are computed, and that compute such places.

use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::bounded_element_count;
use crate::onnx::call::Call;
use crate::ops::{Between, Beyond, GridSample, Unary};
use crate::tensor::{Data, Tensor};

pub fn grid_sample(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (x, grid) = (call.operand(0)?, call.operand(1)?);
    // The longer names are those of operator set 16.
    let between = match call.attributes.text("mode")?.as_deref() {
        None | Some("linear" | "bilinear") => Between::Linear,
        Some("nearest") => Between::Nearest,
        Some("cubic" | "bicubic") => Between::Cubic,
        Some(other) => return Err(call.invalid(format!("there is no mode '{other}'"))),
    };
    let beyond = match call.attributes.text("padding_mode")?.as_deref() {
        None | Some("zeros") => Beyond::Zeros,
        Some("border") => Beyond::Edge,
        Some("reflection") => Beyond::Reflection,
        Some(other) => return Err(call.invalid(format!("there is no padding '{other}'"))),
    };
    let op = GridSample {
        between,
        beyond,
        align_corners: call.attributes.int("align_corners")?.unwrap_or(0) != 0,
    };
    Ok(vec![call.builder.grid_sample(op, &x, &grid, &call.place)?])
}

/// The places of an image that a matrix for each of them turns, moves and scales.
pub fn affine_grid(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let matrices = call.operand(0)?;
    let sizes = call
        .known_ints(1)?
        .ok_or_else(|| call.invalid("the size is missing"))?;
    let align_corners = call.attributes.int("align_corners")?.unwrap_or(0) != 0;
    let sizes: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
    let sizes = sizes.filter(|sizes| bounded_element_count(sizes).is_some());
    let (batch, sizes) = match sizes.as_deref() {
        Some(&[batch, _, ref sizes @ ..]) if matches!(sizes.len(), 2 | 3) => (batch, sizes.to_vec()),
        other => return Err(call.invalid(format!("an image of size {other:?}"))),
    };
    let n = sizes.len();
    if matrices.shape() != [batch, n, n + 1] {
        return Err(call.invalid(format!("matrices of shape {:?}", matrices.shape())));
    }
    let pixels: usize = sizes.iter().product();
    call.builder.compute(pixels * (n + 1), &call.place)?;
    let place_of = |at: usize, size: usize| match (align_corners, size) {
        (true, 1) => -1.0,
        (true, size) => 2.0 * at as f32 / (size - 1) as f32 - 1.0,
        (false, size) => (2 * at + 1) as f32 / size as f32 - 1.0,
    };
    let mut places = Vec::with_capacity(pixels * (n + 1));
    for pixel in 0..pixels {
        let mut rest = pixel;
        // The last axis is the first number.
        for &size in sizes.iter().rev() {
            places.push(place_of(rest % size, size));
            rest /= size;
        }
        places.push(1.0);
    }
    let places = Tensor::new(FileType::F32, vec![pixels, n + 1], Data::Float(places.into()));
    let places = Symbol::Known(places.map_err(|message| call.unsupported(message))?);
    let places = call
        .builder
        .map(Unary::Cast(matrices.file_type()), &places, &call.place)?;
    let turned = call.builder.transpose(&matrices, &[0, 2, 1], &call.place)?;
    let grid = call.builder.matmul(&places, &turned, &call.place)?;
    let shape = [&[batch], &*sizes, &[n]].concat();
    Ok(vec![call.builder.reshape(&grid, shape, &call.place)?])
}
