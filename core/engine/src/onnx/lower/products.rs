//! Products of matrices.

use crate::builder::Symbol;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::Binary;
use crate::tensor::{Data, Scalar, Tensor};

pub fn matmul(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let (a, b) = (call.operand(0)?, call.operand(1)?);
    Ok(vec![call.builder.matmul(&a, &b, &call.place)?])
}

/// alpha A B + beta C, where A and B may be transposed, and C stretches to the product.
pub fn gemm(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    if call.opset < 7 {
        // Since then, C stretches without being told to.
        call.attributes.int("broadcast")?;
    }
    let mut factors = Vec::new();
    for (index, name) in ["transA", "transB"].into_iter().enumerate() {
        let x = call.operand(index)?;
        if x.shape().len() != 2 {
            return Err(call.invalid(format!("operand {index} of shape {:?} is no matrix", x.shape())));
        }
        factors.push(match call.attributes.int(name)?.unwrap_or(0) {
            0 => x,
            _ => call.builder.transpose(&x, &[1, 0], &call.place)?,
        });
    }
    let alpha = call.float_or("alpha", 1.0)?;
    let beta = call.float_or("beta", 1.0)?;
    if let Some(product) = dense(call, &factors, [alpha, beta])? {
        return Ok(vec![product]);
    }
    let product = call.builder.matmul(&factors[0], &factors[1], &call.place)?;
    let product = times(call, &product, alpha)?;
    let Some(c) = call.optional(2) else {
        return Ok(vec![product]);
    };
    let c = times(call, &c, beta)?;
    let sum = call.builder.zip(Binary::Add, &product, &c, &call.place)?;
    if sum.shape() != product.shape() {
        let message = format!("{:?} does not stretch to {:?}", c.shape(), product.shape());
        return Err(call.invalid(message));
    }
    Ok(vec![sum])
}

/// The same where B and a C of each column, or none, are known; `None` where it is not so.
fn dense(
    call: &mut Call<'_>,
    factors: &[Symbol],
    [alpha, beta]: [f32; 2],
) -> Result<Option<Symbol>, ModelError> {
    let ([a, b], c) = (factors, call.optional(2)) else {
        return Ok(None);
    };
    let (&[_, columns], true) = (b.shape(), b.known().is_some() && a.known().is_none()) else {
        return Ok(None);
    };
    let is_of_columns =
        |c: &Symbol| c.known().is_some() && matches!(*c.shape(), [n] | [1, n] if n == columns);
    if !c.as_ref().is_none_or(is_of_columns) {
        return Ok(None);
    }
    let b = times(call, b, alpha)?;
    let bias = match c {
        Some(c) => {
            let c = call.builder.reshape(&c, vec![columns], &call.place)?;
            Some(times(call, &c, beta)?)
        }
        None => None,
    };
    call.builder.dense(a, &b, bias.as_ref(), &call.place)
}

/// The value times a number.
fn times(call: &mut Call<'_>, x: &Symbol, factor: f32) -> Result<Symbol, ModelError> {
    if factor == 1.0 {
        return Ok(x.clone());
    }
    let factor = Tensor::new(x.file_type(), vec![], Data::Splat(Scalar::Float(factor)));
    let factor = Symbol::Known(factor.map_err(|message| call.unsupported(message))?);
    call.builder.zip(Binary::Mul, x, &factor, &call.place)
}
