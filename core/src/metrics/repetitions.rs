//! How well repetitions are counted: mean absolute error, mean error relative to the truth, and the share of sets that
//! are off by at most one. Absolute errors and shares merge exactly (integers), relative errors to rounding.
//!
//! The field's measures are MAE (relative, as in RepNet, Dwibedi et al. 2020) and OBO. A set of no repetitions has no
//! relative error; such sets are counted apart.

use super::{Evaluator, MetricError, share};
use crate::statistics::sums::Sum;

/// Takes counts of sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepetitionErrors {
    n: u64,
    absolute: u64,
    off_by_one: u64,
    relative: Sum,
    n_relative: u64,
    surplus: i64,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RepetitionFigures {
    /// How many sets.
    pub n: u64,
    /// Mean of the absolute differences, in repetitions.
    pub mean_absolute: f64,
    /// Mean of prediction less truth, in repetitions.
    pub mean_surplus: f64,
    /// Mean of the absolute difference by the true count; none where no set has a repetition.
    pub mean_relative: Option<f64>,
    /// Sets that have a repetition.
    pub n_relative: u64,
    /// Sets that are off by one repetition or none.
    pub off_by_one: u64,
}

impl RepetitionFigures {
    /// The share of sets that are off by one repetition or none.
    pub fn off_by_one_share(&self) -> f64 {
        self.off_by_one as f64 / self.n as f64
    }
}

impl RepetitionErrors {
    /// Takes one set.
    ///
    /// # Errors
    /// Counts beyond a billion.
    pub fn observe(&mut self, truth: u64, predicted: u64) -> Result<(), MetricError> {
        for (what, count) in [("the true count", truth), ("the predicted count", predicted)] {
            if count > 1_000_000_000 {
                return Err(MetricError::OutOfRange {
                    what: what.to_owned(),
                    row: self.n + 1,
                    value: count as f64,
                    range: "at most a billion",
                });
            }
        }
        let error = truth.abs_diff(predicted);
        self.n += 1;
        self.absolute += error;
        self.surplus += predicted as i64 - truth as i64;
        self.off_by_one += u64::from(error <= 1);
        if let Some(relative) = share(error, truth) {
            self.relative.add(relative);
            self.n_relative += 1;
        }
        Ok(())
    }
}

impl Evaluator for RepetitionErrors {
    type Result = RepetitionFigures;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        self.n += other.n;
        self.absolute += other.absolute;
        self.surplus += other.surplus;
        self.off_by_one += other.off_by_one;
        self.relative.merge(&other.relative);
        self.n_relative += other.n_relative;
        Ok(())
    }

    fn finish(&self) -> Result<RepetitionFigures, MetricError> {
        if self.n == 0 {
            return Err(MetricError::Empty { what: "sets" });
        }
        let n = self.n as f64;
        Ok(RepetitionFigures {
            n: self.n,
            mean_absolute: self.absolute as f64 / n,
            mean_surplus: self.surplus as f64 / n,
            mean_relative: (self.n_relative > 0).then(|| self.relative.value() / self.n_relative as f64),
            n_relative: self.n_relative,
            off_by_one: self.off_by_one,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_in_repetitions_and_one_off_is_near() {
        let mut errors = RepetitionErrors::default();
        assert!(errors.finish().is_err());
        for (truth, predicted) in [(10, 9), (4, 6), (0, 1)] {
            errors.observe(truth, predicted).unwrap();
        }
        let figures = errors.finish().unwrap();
        assert_eq!((figures.mean_absolute, figures.off_by_one), (4.0 / 3.0, 2));
        assert!((figures.mean_surplus - 2.0 / 3.0).abs() < 1e-15);
        assert!((figures.mean_relative.unwrap() - 0.3).abs() < 1e-15);
        assert_eq!(figures.n_relative, 2);
        assert!(errors.observe(2_000_000_000, 0).is_err());
    }

    #[test]
    fn sets_without_repetitions_have_no_relative_error() {
        let mut errors = RepetitionErrors::default();
        errors.observe(0, 0).unwrap();
        assert_eq!(errors.finish().unwrap().mean_relative, None);
    }
}
