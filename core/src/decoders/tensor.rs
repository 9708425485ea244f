//! An output of a model as decoders read it, and why one cannot be read.

use std::fmt;

use crate::task::Role;

/// Numbers of a known shape, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensor<'a> {
    shape: &'a [usize],
    values: &'a [f32],
}

impl<'a> Tensor<'a> {
    /// A view of `values`, the last axis of `shape` innermost.
    ///
    /// # Errors
    /// When there are not as many values as the shape has elements.
    pub fn new(shape: &'a [usize], values: &'a [f32]) -> Result<Self, DecodeError> {
        let count = shape
            .iter()
            .try_fold(1_usize, |count, &size| count.checked_mul(size));
        if count == Some(values.len()) {
            Ok(Self { shape, values })
        } else {
            Err(DecodeError::new(format!(
                "an output of shape {shape:?} has {} values",
                values.len()
            )))
        }
    }

    /// Sizes from the outermost axis to the innermost.
    pub fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// All numbers.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The same, where all of them are finite.
    ///
    /// # Errors
    /// Names the first place where one is not.
    pub fn finite(&self) -> Result<&'a [f32], DecodeError> {
        match self.values.iter().position(|value| !value.is_finite()) {
            None => Ok(self.values),
            Some(place) => Err(DecodeError::new(format!(
                "value {place} of an output of shape {:?} is {}; the model gives no usable numbers for this picture",
                self.shape, self.values[place]
            ))),
        }
    }

    /// The length of a row, where all axes but one have size 1.
    pub fn row_length(&self) -> Option<usize> {
        let mut sizes = self.shape.iter().filter(|&&size| size != 1);
        let length = sizes.next().copied().unwrap_or(1);
        sizes.next().is_none().then_some(length)
    }

    /// An error about its shape: what the family has instead.
    pub(crate) fn unexpected(&self, family: &str, expected: &str) -> DecodeError {
        DecodeError::new(format!(
            "an output of shape {:?} is not {family}'s, which is {expected}; choose another task for the model",
            self.shape
        ))
    }
}

/// Why outputs could not be read: what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    message: String,
}

impl DecodeError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }

    pub(crate) fn missing(role: Role) -> Self {
        Self::new(format!(
            "no output is named as {}; the manifest's [outputs] says which is which",
            role.id()
        ))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_values_belong_together() {
        for (shape, count, fits) in [
            (&[1, 2, 3][..], 6, true),
            (&[], 1, true),
            (&[1, 0], 0, true),
            (&[1, 2, 3], 5, false),
            (&[usize::MAX, usize::MAX], 1, false),
        ] {
            assert_eq!(Tensor::new(shape, &vec![0.0; count]).is_ok(), fits, "{shape:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_named() {
        let values = [0.0, f32::NAN];
        let error = Tensor::new(&[2], &values)
            .and_then(|tensor| tensor.finite())
            .expect_err("not a number");
        assert!(
            error
                .to_string()
                .starts_with("value 1 of an output of shape [2] is NaN"),
            "{error}"
        );
    }
}
