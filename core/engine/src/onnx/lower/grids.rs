//! Operators that read images at places which are computed.

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::{Between, Beyond, GridSample};

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
