//! Functions of each element that have parameters. Those without stand in the table of operators.

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::Unary;

pub fn leaky_relu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let alpha = call.float_or("alpha", 0.01)?;
    call.map(Unary::LeakyRelu(alpha))
}

pub fn elu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let alpha = call.float_or("alpha", 1.0)?;
    call.map(Unary::Elu(alpha))
}

pub fn celu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let alpha = call.float_or("alpha", 1.0)?;
    call.map(Unary::Celu(alpha))
}

pub fn selu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let alpha = call.float_or("alpha", 1.673_263_2)?;
    let gamma = call.float_or("gamma", 1.050_701)?;
    call.map(Unary::Selu { alpha, gamma })
}

pub fn thresholded_relu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let alpha = call.float_or("alpha", 1.0)?;
    call.map(Unary::ThresholdedRelu(alpha))
}

pub fn hard_sigmoid(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let alpha = call.float_or("alpha", 0.2)?;
    let beta = call.float_or("beta", 0.5)?;
    call.map(Unary::HardSigmoid { alpha, beta })
}

pub fn swish(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let alpha = call.float_or("alpha", 1.0)?;
    call.map(Unary::Swish(alpha))
}

pub fn shrink(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let bias = call.float_or("bias", 0.0)?;
    let lambda = call.float_or("lambd", 0.5)?;
    call.map(Unary::Shrink { bias, lambda })
}

pub fn gelu(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    match call.attributes.text("approximate")?.as_deref() {
        None | Some("none") => call.map(Unary::Gelu),
        Some("tanh") => call.map(Unary::GeluTanh),
        Some(other) => Err(call.invalid(format!("there is no approximation '{other}'"))),
    }
}

pub fn is_inf(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let negative = call.attributes.int("detect_negative")?.unwrap_or(1) != 0;
    let positive = call.attributes.int("detect_positive")?.unwrap_or(1) != 0;
    call.map(Unary::IsInf { negative, positive })
}
