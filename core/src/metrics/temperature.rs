//! Temperature scaling: one number that all logits are divided by, so that a model is as sure as it is right.
//!
//! Guo et al., *On calibration of modern neural networks* (2017): the temperature with the least negative log-likelihood.
//! That likelihood is convex in 1/T, so the zero of its derivative is searched by Newton's steps inside a bracket. Equals
//! scipy's bounded `minimize_scalar` to 1e-6 in T. The rank of classes never changes.

use serde::{Deserialize, Serialize};

use super::{MetricError, finite};
use crate::statistics::sums::Sum;

/// Temperatures that are tried. A model whose best lies beyond is of no use, or its data is separable.
pub const LIMITS: [f64; 2] = [0.05, 20.0];

/// What logits are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f64);

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        temperature.0
    }
}

impl TryFrom<f64> for Temperature {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        if (LIMITS[0]..=LIMITS[1]).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("a temperature lies in {} to {}", LIMITS[0], LIMITS[1]))
        }
    }
}

/// The best temperature of some rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// It.
    pub temperature: Temperature,
    /// Mean negative log-likelihood with it, in nats.
    pub nll: f64,
    /// The same at a temperature of 1.
    pub nll_before: f64,
    /// Whether the best temperature lies at or beyond [`LIMITS`]: the rows are separable, or say nothing.
    pub at_limit: bool,
}

impl Temperature {
    /// Changes nothing: logits become probabilities by a plain softmax.
    pub const ONE: Self = Self(1.0);

    /// It, as a number.
    pub fn value(self) -> f64 {
        self.0
    }

    /// Fits `n_classes` logits a row, rows one after the other, to their true classes.
    ///
    /// # Errors
    /// No rows, fewer than two classes, logits that are no whole rows or not finite, a class that there is not.
    pub fn fit(n_classes: usize, logits: &[f64], truth: &[usize]) -> Result<Fit, MetricError> {
        if truth.is_empty() || n_classes < 2 {
            return Err(MetricError::Empty { what: "rows" });
        }
        if logits.len() != n_classes * truth.len() {
            return Err(MetricError::Mismatch {
                what: "number of logits".to_owned(),
                expected: (n_classes * truth.len()) as u64,
                found: logits.len() as u64,
            });
        }
        for (row, (logits, truth)) in logits.chunks(n_classes).zip(truth).enumerate() {
            let row = row as u64 + 1;
            for logit in logits {
                finite(*logit, "a logit", row)?;
            }
            if *truth >= n_classes {
                return Err(MetricError::OutOfRange {
                    what: "the true class".to_owned(),
                    row,
                    value: *truth as f64,
                    range: "below the number of classes",
                });
            }
        }
        let rows = Rows {
            n_classes,
            logits,
            truth,
        };
        let (mut low, mut high) = (1.0 / LIMITS[1], 1.0 / LIMITS[0]);
        let inverse = if rows.at(low).slope >= 0.0 {
            low
        } else if rows.at(high).slope <= 0.0 {
            high
        } else {
            let mut inverse = 1.0;
            for _ in 0..200 {
                let Likelihood { slope, curvature, .. } = rows.at(inverse);
                if slope == 0.0 {
                    break;
                }
                if slope < 0.0 {
                    low = inverse;
                } else {
                    high = inverse;
                }
                let newton = inverse - slope / curvature;
                let next = if newton > low && newton < high {
                    newton
                } else {
                    f64::midpoint(low, high)
                };
                let is_still = (next - inverse).abs() <= 1e-15 * inverse;
                inverse = next;
                if is_still {
                    break;
                }
            }
            inverse
        };
        let value = (1.0 / inverse).clamp(LIMITS[0], LIMITS[1]);
        Ok(Fit {
            temperature: Self(value),
            nll: rows.at(1.0 / value).nll,
            nll_before: rows.at(1.0).nll,
            at_limit: inverse == 1.0 / LIMITS[0] || inverse == 1.0 / LIMITS[1],
        })
    }

    /// Turns the logits of a row into probabilities, in place.
    pub fn apply(self, logits: &mut [f64]) {
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for logit in &mut *logits {
            *logit = ((*logit - highest) / self.0).exp();
            sum += *logit;
        }
        for p in logits {
            *p /= sum;
        }
    }
}

struct Rows<'a> {
    n_classes: usize,
    logits: &'a [f64],
    truth: &'a [usize],
}

/// The mean negative log-likelihood at an inverse temperature, and its first two derivatives by it.
struct Likelihood {
    nll: f64,
    slope: f64,
    curvature: f64,
}

impl Rows<'_> {
    fn at(&self, inverse: f64) -> Likelihood {
        let (mut nll, mut slope, mut curvature) = (Sum::default(), Sum::default(), Sum::default());
        for (logits, &truth) in self.logits.chunks(self.n_classes).zip(self.truth) {
            let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
            for logit in logits {
                let from_highest = logit - highest;
                let weight = (from_highest * inverse).exp();
                sum += weight;
                first += weight * from_highest;
                second += weight * from_highest * from_highest;
            }
            let mean = first / sum;
            let own = logits[truth] - highest;
            nll.add(sum.ln() - own * inverse);
            slope.add(mean - own);
            curvature.add(second / sum - mean * mean);
        }
        let n = self.truth.len() as f64;
        Likelihood {
            nll: nll.value() / n,
            slope: slope.value() / n,
            curvature: curvature.value() / n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_too_sure_is_cooled_to_what_is_true() {
        // Sure by 4 nats, and right three times in four: ln 3 is what it may be sure by.
        let logits = [0.0, 4.0].repeat(4);
        let fit = Temperature::fit(2, &logits, &[1, 1, 1, 0]).unwrap();
        assert!((fit.temperature.value() - 4.0 / 3.0_f64.ln()).abs() < 1e-12);
        assert!(fit.nll < fit.nll_before && !fit.at_limit);
        let mut row = [0.0, 4.0];
        fit.temperature.apply(&mut row);
        assert!((row[1] - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_limit_is_said() {
        let separable = Temperature::fit(2, &[0.0, 1.0, 1.0, 0.0], &[1, 0]).unwrap();
        assert!(separable.at_limit && separable.temperature.value() == LIMITS[0]);
        let wrong = Temperature::fit(2, &[0.0, 1.0, 1.0, 0.0], &[0, 1]).unwrap();
        assert!(wrong.at_limit && wrong.temperature.value() == LIMITS[1]);
        let silent = Temperature::fit(2, &[1.0, 1.0], &[0]).unwrap();
        assert!(silent.at_limit, "{silent:?}");
    }

    #[test]
    fn bad_rows_are_refused() {
        assert!(Temperature::fit(2, &[], &[]).is_err());
        assert!(Temperature::fit(1, &[0.0], &[0]).is_err());
        assert!(Temperature::fit(2, &[0.0], &[0]).is_err());
        assert!(Temperature::fit(2, &[0.0, f64::NAN], &[0]).is_err());
        assert!(Temperature::fit(2, &[0.0, 1.0], &[2]).is_err());
        assert!(Temperature::try_from(0.0).is_err() && Temperature::try_from(f64::NAN).is_err());
    }
}
