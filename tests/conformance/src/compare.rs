//! Whether a result is the expected one, as NumPy's `assert_allclose` and the ONNX backend test suite see it.
//!
//! Types and shapes must be the same. A float may be off by `atol + rtol * |expected|`; NaN is expected where NaN is, and
//! infinity where it has that sign. Two neighbours of a bfloat16 are as far apart as the suite allows for that type.
//! Integers and truth values must be equal: the suite would let large integers be off by `rtol` too.

use plumbline_engine::element::FileType;
use plumbline_engine::tensor::{Scalar, Tensor};

/// How far a float may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// In units of the expected value.
    pub rtol: f64,
    /// In units of its own, beside that.
    pub atol: f64,
}

/// Two steps of the seven bits that a bfloat16 has behind its point.
const BF16_RTOL: f64 = 1.0 / 64.0;

/// Compares a result with what was expected.
///
/// # Errors
/// A sentence with the first difference.
pub fn compare(actual: &Tensor, expected: &Tensor, tolerance: Tolerance) -> Result<(), String> {
    if actual.file_type() != expected.file_type() {
        return Err(format!(
            "type {} instead of {}",
            actual.file_type(),
            expected.file_type()
        ));
    }
    if actual.shape() != expected.shape() {
        return Err(format!(
            "shape {:?} instead of {:?}",
            actual.shape(),
            expected.shape()
        ));
    }
    let rtol = match expected.file_type() {
        FileType::BF16 => tolerance.rtol.max(BF16_RTOL),
        _ => tolerance.rtol,
    };
    let is_off = |index: &usize| match (actual.get(*index), expected.get(*index)) {
        (Some(Scalar::Float(actual)), Some(Scalar::Float(expected))) => {
            let (actual, expected) = (f64::from(actual), f64::from(expected));
            let is_near = (actual - expected).abs() <= tolerance.atol + rtol * expected.abs();
            let is_same = actual == expected || (actual.is_nan() && expected.is_nan());
            !is_same && (!is_near || actual.is_infinite() || expected.is_infinite())
        }
        (actual, expected) => actual != expected,
    };
    let off: Vec<usize> = (0..expected.len()).filter(is_off).collect();
    let Some(&first) = off.first() else {
        return Ok(());
    };
    Err(format!(
        "{} of {} elements are off; the one at {:?} is {} instead of {}",
        off.len(),
        expected.len(),
        coordinates(first, expected.shape()),
        text(actual.get(first)),
        text(expected.get(first))
    ))
}

/// Where an element stands, from its place in row-major order.
fn coordinates(mut index: usize, shape: &[usize]) -> Vec<usize> {
    let mut coordinates = vec![0; shape.len()];
    for (coordinate, &size) in coordinates.iter_mut().zip(shape).rev() {
        *coordinate = index % size;
        index /= size;
    }
    coordinates
}

fn text(scalar: Option<Scalar>) -> String {
    match scalar {
        Some(Scalar::Float(value)) => value.to_string(),
        Some(Scalar::Int(value)) => value.to_string(),
        Some(Scalar::Bool(value)) => value.to_string(),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use plumbline_engine::tensor::Data;

    use super::*;

    const SUITE: Tolerance = Tolerance {
        rtol: 1e-3,
        atol: 1e-7,
    };

    fn float(file_type: FileType, value: f32) -> Tensor {
        Tensor::new(file_type, vec![], Data::Float([value].into())).expect("a scalar")
    }

    /// Verdicts as `numpy.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-7)` gives them.
    #[test]
    fn floats_are_near_as_numpy_sees_it() {
        let (nan, infinity) = (f32::NAN, f32::INFINITY);
        let cases = [
            (1.0, 1.0, true),
            (1.000_9, 1.0, true),
            (1.001_1, 1.0, false),
            (0.998_9, 1.0, false),
            (-0.0, 0.0, true),
            (0.9e-7, 0.0, true),
            (1.1e-7, 0.0, false),
            (nan, nan, true),
            (nan, 1.0, false),
            (1.0, nan, false),
            (infinity, infinity, true),
            (infinity, -infinity, false),
            (f32::MAX, infinity, false),
            (infinity, f32::MAX, false),
        ];
        for (actual, expected, is_same) in cases {
            let outcome = compare(
                &float(FileType::F32, actual),
                &float(FileType::F32, expected),
                SUITE,
            );
            assert_eq!(outcome.is_ok(), is_same, "{actual} for {expected}: {outcome:?}");
        }
    }

    #[test]
    fn short_floats_may_be_two_steps_off() {
        let [one, two_steps, three_steps] =
            [1.0, 1.015_625, 1.023_437_5].map(|value| float(FileType::BF16, value));
        assert_eq!(compare(&two_steps, &one, SUITE), Ok(()));
        assert!(compare(&three_steps, &one, SUITE).is_err());
        assert!(
            compare(
                &float(FileType::F16, 1.015_625),
                &float(FileType::F16, 1.0),
                SUITE
            )
            .is_err()
        );
    }

    #[test]
    fn a_difference_is_named() {
        let ints = |file_type, shape: &[usize], values: &[i64]| {
            Tensor::new(file_type, shape.to_vec(), Data::Int(values.into())).expect("in range")
        };
        let expected = ints(FileType::I32, &[2, 3], &[1, 2, 3, 4, 5, 100_000]);
        let cases = [
            (
                ints(FileType::I64, &[2, 3], &[1, 2, 3, 4, 5, 6]),
                "type int64 instead of int32",
            ),
            (
                ints(FileType::I32, &[3, 2], &[1, 2, 3, 4, 5, 6]),
                "shape [3, 2] instead of [2, 3]",
            ),
            (
                ints(FileType::I32, &[2, 3], &[1, 2, 3, 4, 6, 100_001]),
                "2 of 6 elements are off; the one at [1, 1] is 6 instead of 5",
            ),
        ];
        assert_eq!(compare(&expected, &expected, SUITE), Ok(()));
        for (actual, message) in cases {
            assert_eq!(compare(&actual, &expected, SUITE), Err(message.to_owned()));
        }
        let flag =
            |value| Tensor::new(FileType::Bool, vec![1], Data::Splat(Scalar::Bool(value))).expect("a tensor");
        let message = "1 of 1 elements are off; the one at [0] is true instead of false";
        assert_eq!(compare(&flag(true), &flag(false), SUITE), Err(message.to_owned()));
        let empty = ints(FileType::I8, &[0, 4], &[]);
        assert_eq!(compare(&empty, &empty, SUITE), Ok(()));
    }
}
