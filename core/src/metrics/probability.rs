//! How good probabilities are: log-loss and the Brier score. Merges to rounding: compensated sums.
//!
//! Equal scikit-learn 1.9.1's `log_loss` on f64 and `brier_score_loss`: probabilities are kept at least 2⁻⁵² away from 0 and
//! 1 before the logarithm; the Brier score is summed over classes, and halved for two (so that it is `(p - y)²`).

use super::{Evaluator, MetricError, agree, finite};
use crate::statistics::sums::Sum;

/// How far from 1 the probabilities of a row may add up: files round them.
pub const SUM_TOLERANCE: f64 = 1e-3;

/// Takes rows of probabilities with their true class.
#[derive(Clone, Debug, PartialEq)]
pub struct Probabilities {
    n_classes: usize,
    n: u64,
    log: Sum,
    squares: Sum,
}

/// Means over the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbabilityScores {
    /// The mean of -ln of the true class's probability.
    pub log_loss: f64,
    /// The mean squared distance from certainty of the truth.
    pub brier: f64,
    /// How many rows.
    pub n: u64,
}

/// Checks that numbers are the probabilities of a row.
///
/// # Errors
/// What is not finite, not in 0 to 1, or does not add up to 1 within [`SUM_TOLERANCE`].
pub fn check_row(probabilities: &[f64], row: u64) -> Result<(), MetricError> {
    let mut sum = 0.0;
    for p in probabilities {
        if !(0.0..=1.0).contains(&finite(*p, "a probability", row)?) {
            return Err(MetricError::OutOfRange {
                what: "a probability".to_owned(),
                row,
                value: *p,
                range: "in 0 to 1",
            });
        }
        sum += p;
    }
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(MetricError::OutOfRange {
            what: "the sum of the probabilities".to_owned(),
            row,
            value: sum,
            range: "1 (within 0.001); apply a softmax to logits first",
        });
    }
    Ok(())
}

impl Probabilities {
    /// No rows of so many classes.
    ///
    /// # Errors
    /// [`MetricError::Empty`] for fewer than two.
    pub fn new(n_classes: usize) -> Result<Self, MetricError> {
        if n_classes < 2 {
            return Err(MetricError::Empty {
                what: "pairs of classes",
            });
        }
        Ok(Self {
            n_classes,
            n: 0,
            log: Sum::default(),
            squares: Sum::default(),
        })
    }

    /// Takes one row.
    ///
    /// # Errors
    /// As [`check_row`]; another number of classes; a class that there is not.
    pub fn observe(&mut self, probabilities: &[f64], truth: usize) -> Result<(), MetricError> {
        let row = self.n + 1;
        if probabilities.len() != self.n_classes || truth >= self.n_classes {
            return Err(MetricError::Mismatch {
                what: format!("row {row}: number of classes"),
                expected: self.n_classes as u64,
                found: probabilities.len().max(truth + 1) as u64,
            });
        }
        check_row(probabilities, row)?;
        self.add(probabilities, truth);
        Ok(())
    }

    /// The same for a row that was checked.
    pub(crate) fn add(&mut self, probabilities: &[f64], truth: usize) {
        let squared: f64 = if self.n_classes == 2 {
            let right = f64::from(u8::from(truth == 1));
            (probabilities[1] - right) * (probabilities[1] - right)
        } else {
            let of_class = |(class, p): (usize, &f64)| {
                let distance = p - f64::from(u8::from(class == truth));
                distance * distance
            };
            probabilities.iter().enumerate().map(of_class).sum()
        };
        self.squares.add(squared);
        let own = probabilities[truth].clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        self.log.add(-own.ln());
        self.n += 1;
    }
}

impl Evaluator for Probabilities {
    type Result = ProbabilityScores;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        agree("number of classes", self.n_classes, other.n_classes)?;
        self.n += other.n;
        self.log.merge(&other.log);
        self.squares.merge(&other.squares);
        Ok(())
    }

    fn finish(&self) -> Result<ProbabilityScores, MetricError> {
        if self.n == 0 {
            return Err(MetricError::Empty { what: "rows" });
        }
        Ok(ProbabilityScores {
            log_loss: self.log.value() / self.n as f64,
            brier: self.squares.value() / self.n as f64,
            n: self.n,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sure_mistake_costs_36_nats() {
        let mut scores = Probabilities::new(2).unwrap();
        scores.observe(&[1.0, 0.0], 1).unwrap();
        let found = scores.finish().unwrap();
        assert!((found.log_loss - 52.0 * 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(found.brier, 1.0);
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        let mut scores = Probabilities::new(2).unwrap();
        for bad in [[0.5, 0.4], [1.2, -0.2], [f64::NAN, 0.5], [0.5, 0.502]] {
            assert!(scores.observe(&bad, 0).is_err(), "{bad:?}");
        }
        assert!(scores.observe(&[0.5, 0.5], 2).is_err());
        assert!(scores.observe(&[1.0], 0).is_err());
        assert!(scores.finish().is_err());
        assert!(Probabilities::new(1).is_err());
    }
}
