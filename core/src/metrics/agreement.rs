//! How well two ways of measuring the same thing agree: Bland and Altman's limits, and the intraclass correlation
//! ICC(2,1). Keeps its rows; merges exactly.
//!
//! Limits are the mean difference plus and minus 1.96 standard deviations (Bland and Altman 1986). ICC(2,1): two-way random
//! effects, absolute agreement, one measurement (Shrout and Fleiss 1979), which McGraw and Wong (1996) and pingouin call
//! ICC(A,1), with their interval.

use super::{Evaluator, MAX_ROWS, MetricError, agree, finite};
use crate::statistics::distributions::t_quantile;
use crate::statistics::moments::Moments;
use crate::statistics::special::incomplete_beta;

/// What limits of agreement span, in standard deviations.
const LIMITS_SD: f64 = 1.96;

/// Takes measurements of the same subjects by several methods.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    n_methods: usize,
    /// Subjects one after the other.
    values: Vec<f64>,
}

/// Bland and Altman's limits, in the unit of the measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The mean of second less first.
    pub bias: f64,
    /// Both ends of its 95 % interval.
    pub bias_interval: [f64; 2],
    /// Standard deviation of the differences (n - 1).
    pub sd: f64,
    /// The lower limit of agreement.
    pub low: f64,
    /// The upper one.
    pub high: f64,
    /// The mean absolute difference.
    pub mean_absolute: f64,
    /// Subjects.
    pub n: u64,
}

/// An intraclass correlation with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Icc {
    /// 1 is perfect; below 0 is possible.
    pub value: f64,
    /// Lower end; none where the error is 0.
    pub interval: Option<[f64; 2]>,
    /// Subjects.
    pub n: u64,
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub struct AgreementFigures {
    /// Between the first two methods; none where there are more than two.
    pub limits: Option<Limits>,
    /// Over all methods; none where nothing varies.
    pub icc: Option<Icc>,
}

impl Agreement {
    /// No subjects, so many methods.
    ///
    /// # Errors
    /// Fewer than two methods.
    pub fn new(n_methods: usize) -> Result<Self, MetricError> {
        if n_methods < 2 {
            return Err(MetricError::Empty {
                what: "pairs of methods",
            });
        }
        Ok(Self {
            n_methods,
            values: Vec::new(),
        })
    }

    /// Takes one subject, a value for each method.
    ///
    /// # Errors
    /// Another number of values, numbers that are not finite, too many rows.
    pub fn observe(&mut self, values: &[f64]) -> Result<(), MetricError> {
        let row = self.n() as u64 + 1;
        if values.len() != self.n_methods {
            return Err(MetricError::Mismatch {
                what: format!("row {row}: number of values"),
                expected: self.n_methods as u64,
                found: values.len() as u64,
            });
        }
        for value in values {
            finite(*value, "a value", row)?;
        }
        self.room(1)?;
        self.values.extend_from_slice(values);
        Ok(())
    }

    /// Mean and difference (second less first) of each subject, for a plot.
    pub fn differences(&self) -> impl Iterator<Item = [f64; 2]> + '_ {
        let pairs = self.values.chunks(self.n_methods);
        pairs.map(|pair| [f64::midpoint(pair[0], pair[1]), pair[1] - pair[0]])
    }

    /// How many subjects were taken.
    pub fn n(&self) -> usize {
        self.values.len() / self.n_methods
    }

    fn room(&self, more: usize) -> Result<(), MetricError> {
        if (self.n() + more) as u64 > MAX_ROWS {
            return Err(MetricError::TooMany {
                what: "rows",
                limit: MAX_ROWS,
            });
        }
        Ok(())
    }

    fn limits(&self) -> Option<Limits> {
        let moments: Moments = self.differences().map(|[_, difference]| difference).collect();
        let (bias, sd) = (moments.mean()?, moments.sd()?);
        let n = moments.n();
        let half = t_quantile(0.975, (n - 1) as f64)? * sd / (n as f64).sqrt();
        let absolute: Moments = self
            .differences()
            .map(|[_, difference]| difference.abs())
            .collect();
        Some(Limits {
            bias,
            bias_interval: [bias - half, bias + half],
            sd,
            low: bias - LIMITS_SD * sd,
            high: bias + LIMITS_SD * sd,
            mean_absolute: absolute.mean()?,
            n,
        })
    }

    fn icc(&self) -> Option<Icc> {
        let (n, k) = (self.n() as f64, self.n_methods as f64);
        let whole: Moments = self.values.iter().copied().collect();
        let middle = whole.mean()?;
        // Of subjects and of methods, from means around the middle.
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            values
                .map(|value| value - middle)
                .collect::<Moments>()
                .mean()
                .unwrap_or(0.0)
        };
        let subjects: Vec<f64> = self
            .values
            .chunks(self.n_methods)
            .map(|values| mean(&mut values.iter().copied()))
            .collect();
        let methods: Vec<f64> = (0..self.n_methods)
            .map(|method| mean(&mut self.values.iter().skip(method).step_by(self.n_methods).copied()))
            .collect();
        let residual = |place: usize, value: f64| {
            value - middle - subjects[place / self.n_methods] - methods[place % self.n_methods]
        };
        let errors = self.values.iter().enumerate();
        let squares = |values: &mut dyn Iterator<Item = f64>| {
            values
                .map(|value| value * value)
                .collect::<crate::statistics::sums::Sum>()
                .value()
        };
        let of_subjects = k * squares(&mut subjects.iter().copied()) / (n - 1.0);
        let of_methods = n * squares(&mut methods.iter().copied()) / (k - 1.0);
        let of_error =
            squares(&mut errors.map(|(place, value)| residual(place, *value))) / ((n - 1.0) * (k - 1.0));
        // What rounding leaves of values that do not vary.
        let largest = self
            .values
            .iter()
            .fold(0.0, |largest: f64, value| largest.max((value - middle).abs()));
        let scale = middle.abs().max(largest) * f64::EPSILON;
        if largest <= 8.0 * scale {
            return None;
        }
        let of_error = if of_error <= scale * scale { 0.0 } else { of_error };
        let spread = of_subjects + (k - 1.0) * of_error + k * (of_methods - of_error) / n;
        let value = (of_subjects - of_error) / spread;
        (spread > 0.0 && value.is_finite()).then(|| Icc {
            value,
            interval: interval(of_subjects, of_methods, of_error, n, k, value),
            n: self.n() as u64,
        })
    }
}

/// McGraw and Wong's, as pingouin 0.7.0 computes it.
fn interval(subjects: f64, methods: f64, error: f64, n: f64, k: f64, icc: f64) -> Option<[f64; 2]> {
    let ratio = methods / error;
    let common = n * (1.0 + (k - 1.0) * icc) - k * icc;
    let above = (n - 1.0) * (k - 1.0) * (k * icc * ratio + common).powi(2);
    let below = (n - 1.0) * k * k * icc * icc * ratio * ratio + common * common;
    let degrees = above / below;
    let upper = f_quantile(0.975, n - 1.0, degrees)?;
    let lower = f_quantile(0.975, degrees, n - 1.0)?;
    let other = k * methods + (k * n - k - n) * error;
    let low = n * (subjects - upper * error) / (upper * other + n * subjects);
    let high = n * (lower * subjects - error) / (other + n * lower * subjects);
    (low.is_finite() && high.is_finite()).then_some([low, high])
}

/// Where the F distribution has a share of `p` below it.
fn f_quantile(p: f64, above: f64, below: f64) -> Option<f64> {
    if !(above > 0.0 && below > 0.0 && above.is_finite() && below.is_finite()) {
        return None;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if incomplete_beta(above / 2.0, below / 2.0, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    let x = f64::midpoint(low, high);
    (x < 1.0).then(|| below * x / (above * (1.0 - x)))
}

impl Evaluator for Agreement {
    type Result = AgreementFigures;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        agree("number of methods", self.n_methods, other.n_methods)?;
        self.room(other.n())?;
        self.values.extend_from_slice(&other.values);
        Ok(())
    }

    fn finish(&self) -> Result<AgreementFigures, MetricError> {
        if self.values.is_empty() {
            return Err(MetricError::Empty { what: "subjects" });
        }
        if self.n() < 3 {
            return Err(MetricError::Mismatch {
                what: "number of subjects (limits of agreement need three at least)".to_owned(),
                expected: 3,
                found: self.n() as u64,
            });
        }
        // In one order, whichever parts came first.
        let mut sorted = self.clone();
        let mut rows: Vec<&[f64]> = self.values.chunks(self.n_methods).collect();
        rows.sort_by(|a, b| {
            a.iter()
                .zip(*b)
                .map(|(a, b)| a.total_cmp(b))
                .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        sorted.values = rows.concat();
        Ok(AgreementFigures {
            limits: if self.n_methods == 2 {
                sorted.limits()
            } else {
                None
            },
            icc: sorted.icc(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&[f64]]) -> Result<AgreementFigures, MetricError> {
        let mut agreement = Agreement::new(rows[0].len()).unwrap();
        for row in rows {
            agreement.observe(row).unwrap();
        }
        agreement.finish()
    }

    /// Shrout and Fleiss (1979), table 2: six targets, four judges; ICC(2,1) is .29.
    #[test]
    fn the_published_example() {
        let figures = of(&[
            &[9.0, 2.0, 5.0, 8.0],
            &[6.0, 1.0, 3.0, 2.0],
            &[8.0, 4.0, 6.0, 8.0],
            &[7.0, 1.0, 2.0, 6.0],
            &[10.0, 5.0, 6.0, 9.0],
            &[6.0, 2.0, 4.0, 7.0],
        ])
        .unwrap();
        let icc = figures.icc.unwrap();
        assert!((icc.value - 0.289_763_779_527_559).abs() < 1e-12, "{}", icc.value);
        let [low, high] = icc.interval.unwrap();
        assert!(
            (low - 0.02).abs() < 0.005 && (high - 0.76).abs() < 0.005,
            "{low} {high}"
        );
        assert!(figures.limits.is_none());
    }

    #[test]
    fn nothing_that_varies_has_no_correlation() {
        let figures = of(&[&[0.1, 0.1], &[0.1, 0.1], &[0.1, 0.1]]).unwrap();
        assert_eq!(figures.icc, None);
        let limits = figures.limits.unwrap();
        assert_eq!((limits.bias, limits.sd), (0.0, 0.0));
        // Perfect agreement of what varies.
        let icc = of(&[&[1.0, 1.0], &[2.0, 2.0], &[4.0, 4.0]]).unwrap().icc.unwrap();
        assert_eq!((icc.value, icc.interval), (1.0, None));
    }

    #[test]
    fn bad_rows_are_refused() {
        assert!(Agreement::new(1).is_err());
        let mut agreement = Agreement::new(2).unwrap();
        assert!(agreement.finish().is_err());
        assert!(agreement.observe(&[1.0]).is_err());
        assert!(agreement.observe(&[1.0, f64::NAN]).is_err());
        agreement.observe(&[1.0, 2.0]).unwrap();
        assert!(agreement.finish().is_err());
        assert!(agreement.merge(&Agreement::new(3).unwrap()).is_err());
    }
}
