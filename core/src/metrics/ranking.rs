//! How well scores put examples of a class before others: ROC and precision-recall curves, the area under the one and the
//! average precision of the other. Keeps its rows; merges exactly.
//!
//! The area under the ROC curve is the chance that a positive example outscores a negative one, ties counting half; it is
//! counted in integers and divided once. Average precision is the sum over distinct scores of the step in recall times the
//! precision there, without interpolation. Both equal scikit-learn 1.9.1's `roc_auc_score` and `average_precision_score`;
//! curves are those of `roc_curve(drop_intermediate=False)` and `precision_recall_curve`.

use super::{Evaluator, MAX_ROWS, MetricError, finite};

/// Collects scores and whether each is of a positive example.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    rows: Vec<(f64, bool)>,
}

impl Ranking {
    /// Takes one example.
    ///
    /// # Errors
    /// A score that is not finite; too many rows.
    pub fn observe(&mut self, score: f64, is_positive: bool) -> Result<(), MetricError> {
        let row = self.rows.len() as u64 + 1;
        if row > MAX_ROWS {
            return Err(MetricError::TooMany {
                what: "rows",
                limit: MAX_ROWS,
            });
        }
        self.rows.push((finite(score, "the score", row)?, is_positive));
        Ok(())
    }
}

impl Evaluator for Ranking {
    type Result = Ranked;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if (self.rows.len() + other.rows.len()) as u64 > MAX_ROWS {
            return Err(MetricError::TooMany {
                what: "rows",
                limit: MAX_ROWS,
            });
        }
        self.rows.extend_from_slice(&other.rows);
        Ok(())
    }

    fn finish(&self) -> Result<Ranked, MetricError> {
        if self.rows.is_empty() {
            return Err(MetricError::Empty { what: "rows" });
        }
        let mut rows = self.rows.clone();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut steps: Vec<Step> = Vec::new();
        let (mut positives, mut negatives) = (0, 0);
        for (score, is_positive) in rows {
            positives += u64::from(is_positive);
            negatives += u64::from(!is_positive);
            match steps.last_mut() {
                Some(last) if last.score == score => {
                    (last.positives, last.negatives) = (positives, negatives)
                }
                _ => steps.push(Step {
                    score,
                    positives,
                    negatives,
                }),
            }
        }
        Ok(Ranked {
            steps,
            positives,
            negatives,
        })
    }
}

/// Distinct scores, falling, with how many examples lie at or above each.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    steps: Vec<Step>,
    positives: u64,
    negatives: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    score: f64,
    positives: u64,
    negatives: u64,
}

impl Ranked {
    /// How many examples are positive.
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// How many are not.
    pub fn negatives(&self) -> u64 {
        self.negatives
    }

    /// The distinct scores, falling: the thresholds of both curves.
    pub fn thresholds(&self) -> impl Iterator<Item = f64> + '_ {
        self.steps.iter().map(|step| step.score)
    }

    /// The area under the ROC curve.
    ///
    /// # Errors
    /// [`MetricError::OneClass`] where all examples are positive, or none is.
    pub fn auroc(&self) -> Result<f64, MetricError> {
        self.both_classes()?;
        // Twice the wins of positives over negatives, ties once.
        let mut doubled: u128 = 0;
        let (mut positives, mut negatives) = (0_u64, 0_u64);
        for step in &self.steps {
            let of_step = step.negatives - negatives;
            doubled += u128::from(of_step) * u128::from(positives + step.positives);
            (positives, negatives) = (step.positives, step.negatives);
        }
        let pairs = 2 * u128::from(self.positives) * u128::from(self.negatives);
        Ok(doubled as f64 / pairs as f64)
    }

    /// Average precision; none without positive examples (scikit-learn says 0 there).
    pub fn average_precision(&self) -> Option<f64> {
        let mut sum = crate::statistics::sums::Sum::default();
        let mut before = 0.0;
        for step in &self.steps {
            let [recall, precision] = self.recall_and_precision(step)?;
            sum.add((recall - before) * precision);
            before = recall;
        }
        Some(sum.value())
    }

    /// Points of false and true positive rate from (0, 0) to (1, 1), one for each distinct score.
    ///
    /// # Errors
    /// As [`Self::auroc`].
    pub fn roc(&self) -> Result<Vec<[f64; 2]>, MetricError> {
        self.both_classes()?;
        let rates = |step: &Step| {
            [
                step.negatives as f64 / self.negatives as f64,
                step.positives as f64 / self.positives as f64,
            ]
        };
        Ok(std::iter::once([0.0; 2])
            .chain(self.steps.iter().map(rates))
            .collect())
    }

    /// Points of recall and precision, from (0, 1), one for each distinct score; none without positive examples.
    pub fn precision_recall(&self) -> Option<Vec<[f64; 2]>> {
        let points = self.steps.iter().map(|step| self.recall_and_precision(step));
        std::iter::once(Some([0.0, 1.0])).chain(points).collect()
    }

    fn recall_and_precision(&self, step: &Step) -> Option<[f64; 2]> {
        let taken = step.positives + step.negatives;
        (self.positives > 0).then(|| {
            [
                step.positives as f64 / self.positives as f64,
                step.positives as f64 / taken as f64,
            ]
        })
    }

    fn both_classes(&self) -> Result<(), MetricError> {
        let only = match (self.positives, self.negatives) {
            (0, _) => "negative",
            (_, 0) => "positive",
            _ => return Ok(()),
        };
        Err(MetricError::OneClass {
            class: only.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(f64, bool)]) -> Ranked {
        let mut ranking = Ranking::default();
        for (score, is_positive) in rows {
            ranking.observe(*score, *is_positive).unwrap();
        }
        ranking.finish().unwrap()
    }

    /// scikit-learn's own example of both curves.
    #[test]
    fn curves_are_those_of_the_example() {
        let ranked = of(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]);
        assert_eq!(ranked.auroc(), Ok(0.75));
        assert!((ranked.average_precision().unwrap() - 5.0 / 6.0).abs() < 1e-15);
        assert_eq!(
            ranked.roc().unwrap(),
            [[0.0, 0.0], [0.0, 0.5], [0.5, 0.5], [0.5, 1.0], [1.0, 1.0]]
        );
        assert_eq!(
            ranked.precision_recall().unwrap(),
            [[0.0, 1.0], [0.5, 1.0], [0.5, 0.5], [1.0, 2.0 / 3.0], [1.0, 0.5]]
        );
    }

    #[test]
    fn ties_count_half() {
        let ranked = of(&[(0.3, true), (0.3, false), (0.3, true)]);
        assert_eq!(ranked.auroc(), Ok(0.5));
        assert_eq!(ranked.average_precision(), Some(2.0 / 3.0));
        // Both zeros are one score.
        assert_eq!(of(&[(0.0, true), (-0.0, false)]).auroc(), Ok(0.5));
        assert_eq!(of(&[(-0.0, true), (0.0, false)]).auroc(), Ok(0.5));
    }

    #[test]
    fn one_class_cannot_be_ranked() {
        let ranked = of(&[(0.2, false), (0.1, false)]);
        assert!(matches!(ranked.auroc(), Err(MetricError::OneClass { .. })));
        assert!(ranked.roc().is_err());
        assert_eq!(
            (ranked.average_precision(), ranked.precision_recall()),
            (None, None)
        );
        assert!(of(&[(0.2, true)]).auroc().is_err());
        assert!(Ranking::default().finish().is_err());
        assert!(Ranking::default().observe(f64::NAN, true).is_err());
    }
}
