//! Frequencies of signals.

use std::f64::consts::TAU;

use crate::builder::Symbol;
use crate::element::FileType;
use crate::error::ModelError;
use crate::onnx::call::Call;
use crate::ops::Unary;
use crate::tensor::{Data, Tensor};

/// No transform is longer: its factors are a matrix.
const MAX_LENGTH: i64 = 1 << 14;

/// The discrete Fourier transform along an axis, one product by the factors of all elements. The last axis is the real
/// part of a number, or that and the imaginary part; they are rows of the matrix like any others.
///
/// Both directions: sum of x_j e^(-+2 pi i j k / n), that from frequencies divided by n. A signal that is shorter than n is
/// followed by zeros, which have no rows. Of a real signal the frequencies up to half say everything (`onesided`).
pub fn dft(call: &mut Call<'_>) -> Result<Vec<Symbol>, ModelError> {
    let x = call.operand(0)?;
    let is_inverse = call.attributes.int("inverse")?.unwrap_or(0) != 0;
    let is_onesided = call.attributes.int("onesided")?.unwrap_or(0) != 0;
    if is_inverse && !is_onesided {
        let message = "an inverse transform to complex numbers; that of half a spectrum (onesided) is read";
        return Err(call.unsupported(message));
    }
    let number = match call.opset {
        // Since then it is an operand, as it may be left out.
        20.. => one(call, 2)?.unwrap_or(-2),
        _ => call.attributes.int("axis")?.unwrap_or(1),
    };
    let rank = x.shape().len();
    let axis = call.axis(number, rank)?;
    let parts = x.shape()[rank - 1];
    if axis + 1 == rank || !matches!(parts, 1 | 2) {
        let message = format!("a transform along axis {axis} of shape {:?}", x.shape());
        return Err(call.invalid(message));
    }
    let size = x.shape()[axis];
    let length = match one(call, 1)? {
        Some(length) => length,
        None if is_inverse => 2 * (size as i64 - 1),
        None => size as i64,
    };
    if length < 1 {
        return Err(call.invalid(format!("a transform of length {length}")));
    }
    if length > MAX_LENGTH {
        return Err(call.unsupported(format!(
            "a transform of length {length}; the longest is {MAX_LENGTH}"
        )));
    }
    let n = length as usize;
    let half = n / 2 + 1;
    // What is read, and what comes out: how many numbers, and how many parts each has.
    let (read, given, given_parts) = match (is_inverse, is_onesided) {
        (false, false) => (size.min(n), n, 2),
        (false, true) => (size.min(n), half, 2),
        (true, _) => (size.min(half), n, 1),
    };
    let (rows, columns) = (size * parts, given * given_parts);
    call.builder.compute(rows.saturating_mul(columns), &call.place)?;
    let way = if is_inverse { TAU } else { -TAU };
    let factors = (0..rows * columns).map(|at| {
        let (row, column) = (at / columns, at % columns);
        let (from, of_imaginary) = (row / parts, row % parts == 1);
        let (to, to_imaginary) = (column / given_parts, column % given_parts == 1);
        if from >= read {
            return 0.0;
        }
        let angle = way * ((from * to) % n) as f64 / n as f64;
        let (sine, cosine) = angle.sin_cos();
        let factor = match (of_imaginary, to_imaginary) {
            (false, false) | (true, true) => cosine,
            (false, true) => sine,
            (true, false) => -sine,
        };
        // Frequencies above half are the others once more, mirrored; those at both ends stand alone.
        let is_twice = is_inverse && from != 0 && 2 * from != n;
        let times = if is_twice { 2.0 } else { 1.0 };
        let by = if is_inverse { n as f64 } else { 1.0 };
        (factor * times / by) as f32
    });
    let factors: Vec<f32> = factors.collect();
    let factors = Tensor::new(FileType::F32, vec![rows, columns], Data::Float(factors.into()));
    let factors = Symbol::Known(factors.map_err(|message| call.unsupported(message))?);
    let place = call.place.clone();
    let factors = call.builder.map(Unary::Cast(x.file_type()), &factors, &place)?;
    // The axis next to the parts, and back.
    let others: Vec<usize> = (0..rank - 1).filter(|&other| other != axis).collect();
    let there = [&*others, &[axis, rank - 1]].concat();
    let mut back: Vec<usize> = (0..rank).collect();
    for (position, &old) in there.iter().enumerate() {
        back[old] = position;
    }
    let turned = call.builder.transpose(&x, &there, &place)?;
    let mut shape: Vec<usize> = others.iter().map(|&other| x.shape()[other]).collect();
    let lines = [&*shape, &[rows]].concat();
    let lines = call.builder.reshape(&turned, lines, &place)?;
    let product = call.builder.matmul(&lines, &factors, &place)?;
    shape.extend([given, given_parts]);
    let product = call.builder.reshape(&product, shape, &place)?;
    Ok(vec![call.builder.transpose(&product, &back, &place)?])
}

/// The one integer of an operand that decides what the graph is; `None` where it is left out.
fn one(call: &Call<'_>, index: usize) -> Result<Option<i64>, ModelError> {
    match call.known_ints(index)?.as_deref() {
        None => Ok(None),
        Some(&[value]) => Ok(Some(value)),
        Some(other) => Err(call.invalid(format!("operand {index} has {} elements", other.len()))),
    }
}
