//! Isotonic calibration: the rising staircase that fits outcomes best, read between its steps by straight lines.
//!
//! Pool adjacent violators (Ayer et al. 1955; Barlow et al. 1972): equal scores are joined by their weighted mean first,
//! then neighbours that fall are joined until none does. Equals scikit-learn 1.9.1's
//! `IsotonicRegression(out_of_bounds="clip")`: scores within 1e-15 count as equal, and beyond the ends the ends hold.

use serde::{Deserialize, Serialize};

use super::{MetricError, finite};

/// Scores this near are one.
const RESOLUTION: f64 = 1e-15;

/// A rising function from scores to outcomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Steps", into = "Steps")]
pub struct Isotonic {
    x: Vec<f64>,
    y: Vec<f64>,
}

/// As it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct Steps {
    scores: Vec<f64>,
    outcomes: Vec<f64>,
}

impl From<Isotonic> for Steps {
    fn from(fit: Isotonic) -> Self {
        Self {
            scores: fit.x,
            outcomes: fit.y,
        }
    }
}

impl TryFrom<Steps> for Isotonic {
    type Error = String;

    fn try_from(Steps { scores, outcomes }: Steps) -> Result<Self, String> {
        let rises = |numbers: &[f64], strictly: bool| {
            numbers.iter().all(|number| number.is_finite())
                && numbers
                    .windows(2)
                    .all(|pair| pair[0] < pair[1] || (!strictly && pair[0] == pair[1]))
        };
        if scores.is_empty() || scores.len() != outcomes.len() {
            return Err(
                "an isotonic calibration has as many outcomes as scores, and at least one".to_owned(),
            );
        }
        if !rises(&scores, true) || !rises(&outcomes, false) {
            return Err("the scores and outcomes of an isotonic calibration rise".to_owned());
        }
        Ok(Self {
            x: scores,
            y: outcomes,
        })
    }
}

impl Isotonic {
    /// Fits outcomes `y` at scores `x`; `weights` are 1 without.
    ///
    /// # Errors
    /// Nothing to fit, lists of other lengths, numbers that are not finite, weights that are not above 0.
    pub fn fit(x: &[f64], y: &[f64], weights: Option<&[f64]>) -> Result<Self, MetricError> {
        if x.is_empty() {
            return Err(MetricError::Empty { what: "scores" });
        }
        for (what, n) in [
            ("outcomes", Some(y.len())),
            ("weights", weights.map(<[f64]>::len)),
        ] {
            if let Some(n) = n.filter(|n| *n != x.len()) {
                return Err(MetricError::Mismatch {
                    what: format!("number of {what}"),
                    expected: x.len() as u64,
                    found: n as u64,
                });
            }
        }
        let mut points = Vec::with_capacity(x.len());
        for place in 0..x.len() {
            let row = place as u64 + 1;
            let weight = finite(weights.map_or(1.0, |weights| weights[place]), "the weight", row)?;
            if weight <= 0.0 {
                return Err(MetricError::OutOfRange {
                    what: "the weight".to_owned(),
                    row,
                    value: weight,
                    range: "above 0",
                });
            }
            let x = finite(x[place], "the score", row)?;
            points.push((x, finite(y[place], "the outcome", row)?, weight));
        }
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let joined = joined_scores(&points);
        let y = rising(&joined);
        let x: Vec<f64> = joined.iter().map(|point| point.0).collect();
        // Inside of a step, a straight line needs its ends only.
        let is_inside = |place: usize| {
            place > 0 && place + 1 < y.len() && y[place] == y[place - 1] && y[place] == y[place + 1]
        };
        let kept: Vec<usize> = (0..x.len()).filter(|&place| !is_inside(place)).collect();
        Ok(Self {
            x: kept.iter().map(|&place| x[place]).collect(),
            y: kept.iter().map(|&place| y[place]).collect(),
        })
    }

    /// The outcome at a score; none for NaN.
    pub fn predict(&self, score: f64) -> Option<f64> {
        if score.is_nan() {
            return None;
        }
        let last = self.x.len() - 1;
        let above = self.x.partition_point(|x| *x < score);
        Some(if above == 0 {
            self.y[0]
        } else if above > last {
            self.y[last]
        } else {
            let (x0, x1) = (self.x[above - 1], self.x[above]);
            let (y0, y1) = (self.y[above - 1], self.y[above]);
            (y1 - y0) / (x1 - x0) * (score - x0) + y0
        })
    }

    /// The corners of the function: scores and outcomes, both rising.
    pub fn thresholds(&self) -> (&[f64], &[f64]) {
        (&self.x, &self.y)
    }
}

/// Equal scores as one, with the mean outcome and the sum of weights. `points` are sorted.
fn joined_scores(points: &[(f64, f64, f64)]) -> Vec<(f64, f64, f64)> {
    let mut joined: Vec<(f64, f64, f64)> = Vec::new();
    let (mut weight, mut sum) = (0.0, 0.0);
    for (place, &(x, y, w)) in points.iter().enumerate() {
        let is_new = joined.last().is_none_or(|last| x - last.0 >= RESOLUTION);
        if is_new {
            (weight, sum) = (0.0, 0.0);
            joined.push((x, y, w));
        }
        weight += w;
        sum += y * w;
        let is_last = points.get(place + 1).is_none_or(|next| {
            let start = joined.last().map_or(x, |last| last.0);
            next.0 - start >= RESOLUTION
        });
        if is_last && let Some(last) = joined.last_mut() {
            (last.1, last.2) = (sum / weight, weight);
        }
    }
    joined
}

/// The rising outcomes nearest to the given ones by weighted squares.
fn rising(points: &[(f64, f64, f64)]) -> Vec<f64> {
    // Blocks of equal outcome: sum of weighted outcomes, weight, how many points.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(points.len());
    for &(_, y, weight) in points {
        let mut block = (y * weight, weight, 1);
        while let Some(&(sum, weight, n)) = blocks.last() {
            if sum / weight < block.0 / block.1 {
                break;
            }
            blocks.pop();
            block = (sum + block.0, weight + block.1, n + block.2);
        }
        blocks.push(block);
    }
    blocks
        .iter()
        .flat_map(|&(sum, weight, n)| std::iter::repeat_n(sum / weight, n))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.9.1 on the same points.
    #[test]
    fn falling_neighbours_are_joined_and_equal_scores_are_one() {
        let fit = Isotonic::fit(&[0.1, 0.2, 0.2, 0.5, 0.9], &[0.0, 1.0, 0.0, 0.0, 1.0], None).unwrap();
        let third = 1.0 / 3.0;
        assert_eq!(fit.thresholds().0, [0.1, 0.2, 0.5, 0.9]);
        for (x, y) in [
            (0.0, 0.0),
            (0.15, third / 2.0),
            (0.2, third),
            (0.35, third),
            (0.7, (1.0 + third) / 2.0),
            (1.0, 1.0),
            (f64::INFINITY, 1.0),
        ] {
            assert!((fit.predict(x).unwrap() - y).abs() < 1e-15, "{x}");
        }
        assert_eq!(fit.predict(f64::NAN), None);
    }

    #[test]
    fn one_score_is_a_constant() {
        let fit = Isotonic::fit(&[0.3; 3], &[0.0, 1.0, 1.0], None).unwrap();
        for x in [0.1, 0.3, 0.9] {
            assert_eq!(fit.predict(x), Some(2.0 / 3.0));
        }
    }

    #[test]
    fn bad_points_are_refused() {
        assert!(Isotonic::fit(&[], &[], None).is_err());
        assert!(Isotonic::fit(&[0.1], &[], None).is_err());
        assert!(Isotonic::fit(&[f64::NAN], &[1.0], None).is_err());
        assert!(Isotonic::fit(&[0.1], &[f64::NAN], None).is_err());
        assert!(Isotonic::fit(&[0.1], &[1.0], Some(&[0.0])).is_err());
        assert!(Isotonic::fit(&[0.1], &[1.0], Some(&[])).is_err());
    }

    #[test]
    fn stored_steps_must_rise() {
        let steps = |scores: &[f64], outcomes: &[f64]| {
            Isotonic::try_from(Steps {
                scores: scores.to_vec(),
                outcomes: outcomes.to_vec(),
            })
        };
        assert!(steps(&[0.1, 0.2], &[0.5, 0.5]).is_ok());
        assert!(steps(&[0.2, 0.1], &[0.5, 0.6]).is_err());
        assert!(steps(&[0.1, 0.1], &[0.5, 0.6]).is_err());
        assert!(steps(&[0.1, 0.2], &[0.6, 0.5]).is_err());
        assert!(steps(&[0.1], &[]).is_err() && steps(&[], &[]).is_err());
        assert!(steps(&[0.1], &[f64::NAN]).is_err());
    }
}
