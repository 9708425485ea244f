//! What the whole picture shows: from a number for each class to the most probable ones.
//!
//! Some models end in a softmax and some leave it out. Numbers that are all in 0 to 1 and sum up to 1 within
//! [`SUM_TOLERANCE`] are taken for a distribution; numbers that are all in 0 to 1 and do not are taken for independent
//! probabilities, as a sigmoid gives them; all others get a softmax. A manifest's `scores` overrules this: two numbers
//! before the softmax may happen to look like a distribution.

use serde::{Deserialize, Serialize};

use super::tensor::{DecodeError, Tensor};

/// How far the sum of a distribution in f32 or binary16 may be from 1.
pub const SUM_TOLERANCE: f32 = 5e-3;
/// No model has more classes.
const MAX_CLASSES: usize = 1 << 20;

/// What a model's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreForm {
    /// Before softmax or sigmoid, which is applied to them.
    Logits,
    /// Probabilities that exclude each other and sum up to 1; left as they are.
    Distribution,
    /// Probabilities of their own, which do not sum up to 1; left as they are.
    Independent,
}

impl ScoreForm {
    /// As it is written in a manifest.
    pub fn id(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Distribution => "distribution",
            Self::Independent => "independent",
        }
    }

    /// By the numbers alone.
    pub fn of(values: &[f32]) -> Self {
        if !values.iter().all(|value| (0.0..=1.0).contains(value)) {
            return Self::Logits;
        }
        let sum: f64 = values.iter().copied().map(f64::from).sum();
        if (sum - 1.0).abs() <= f64::from(SUM_TOLERANCE) {
            Self::Distribution
        } else {
            Self::Independent
        }
    }
}

/// A probability for each class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassScores {
    /// By class.
    pub probabilities: Vec<f32>,
    /// What the model gave; after [`ScoreForm::Logits`] a softmax was applied here.
    pub form: ScoreForm,
}

impl ClassScores {
    /// The `count` most probable classes with their probabilities, the most probable first, of equals the lower index.
    pub fn top(&self, count: usize) -> Vec<(usize, f32)> {
        let mut order: Vec<(usize, f32)> = self.probabilities.iter().copied().enumerate().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        order.truncate(count);
        order
    }
}

/// Probabilities from a row of numbers, `[1, N]` or with other axes of size 1; `form` overrules what they look like.
///
/// # Errors
/// [`DecodeError`] for other shapes and for what is no number.
pub fn decode(output: &Tensor<'_>, form: Option<ScoreForm>) -> Result<ClassScores, DecodeError> {
    match output.row_length() {
        Some(1..=MAX_CLASSES) => {}
        _ => return Err(output.unexpected("a classifier", "[1, classes]")),
    }
    let values = output.finite()?;
    let form = form.unwrap_or_else(|| ScoreForm::of(values));
    let mut probabilities = values.to_vec();
    if form == ScoreForm::Logits {
        softmax(&mut probabilities);
    }
    Ok(ClassScores { probabilities, form })
}

/// exp(x - max) over its sum, in place.
pub(super) fn softmax(values: &mut [f32]) {
    let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in values.iter_mut() {
        *value = (*value - greatest).exp();
        sum += *value;
    }
    for value in values.iter_mut() {
        *value /= sum;
    }
}
