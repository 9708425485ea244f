//! Which class was taken for which, and what follows: accuracy, precision, recall, F1 and their means, balanced accuracy,
//! Matthews' correlation, Cohen's kappa. Merges exactly: counts.
//!
//! Formulas and conventions are those of scikit-learn 1.9.1 (`precision_recall_fscore_support`, `zero_division=0`), with
//! one difference: where scikit-learn gives 0 or NaN for what is not defined, single figures here have no value. In means
//! over classes such a figure counts as 0, as there. Means go over classes that occur, as truth or as prediction.

use super::{Evaluator, MAX_CLASSES, MetricError, agree, share};

/// Counts of truth against prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    n_classes: usize,
    /// By truth, then by prediction.
    counts: Vec<u64>,
}

/// One class against all others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneClass {
    /// Of those that were taken for the class, how many are of it; none where none was.
    pub precision: Option<f64>,
    /// Of those of the class, how many were taken for it; none where there is none.
    pub recall: Option<f64>,
    /// The harmonic mean of both, `2·tp / (2·tp + fp + fn)`; none for a class that does not occur.
    pub f1: Option<f64>,
    /// How many are of the class.
    pub support: u64,
    /// How many were taken for it.
    pub predicted: u64,
}

/// A way to one number for all classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// Of the precisions.
    pub precision: f64,
    /// Of the recalls.
    pub recall: f64,
    /// Of the F1s.
    pub f1: f64,
}

/// What follows from the counts.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassFigures {
    /// How many rows.
    pub n: u64,
    /// How many of them are right.
    pub right: u64,
    /// Share of rows that are right.
    pub accuracy: f64,
    /// By class.
    pub classes: Vec<OneClass>,
    /// Each class that occurs counts the same.
    pub macro_mean: Mean,
    /// Each class counts as often as it is true.
    pub weighted_mean: Mean,
    /// Each row counts the same: with one label a row, all three are the accuracy.
    pub micro_mean: Mean,
    /// The mean recall of the classes that are true somewhere.
    pub balanced_accuracy: f64,
    /// Matthews' correlation of truth and prediction; none where either is one class only.
    pub mcc: Option<f64>,
    /// Cohen's kappa: agreement beyond chance; none where both are one and the same class.
    pub kappa: Option<f64>,
}

impl Confusion {
    /// No rows of so many classes.
    ///
    /// # Errors
    /// [`MetricError::Empty`] without classes, [`MetricError::TooMany`].
    pub fn new(n_classes: usize) -> Result<Self, MetricError> {
        if n_classes == 0 {
            return Err(MetricError::Empty { what: "classes" });
        }
        if n_classes as u64 > MAX_CLASSES {
            return Err(MetricError::TooMany {
                what: "classes",
                limit: MAX_CLASSES,
            });
        }
        Ok(Self {
            n_classes,
            counts: vec![0; n_classes * n_classes],
        })
    }

    /// Takes one row.
    ///
    /// # Errors
    /// [`MetricError::OutOfRange`] for a class that there is not.
    pub fn observe(&mut self, truth: usize, predicted: usize) -> Result<(), MetricError> {
        for (what, class) in [("the true class", truth), ("the predicted class", predicted)] {
            if class >= self.n_classes {
                return Err(MetricError::OutOfRange {
                    what: what.to_owned(),
                    row: self.counts.iter().sum::<u64>() + 1,
                    value: class as f64,
                    range: "below the number of classes",
                });
            }
        }
        self.add(truth, predicted);
        Ok(())
    }

    /// The same for classes that were checked.
    pub(crate) fn add(&mut self, truth: usize, predicted: usize) {
        self.counts[truth * self.n_classes + predicted] += 1;
    }

    /// How many classes there are.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// How many rows of class `truth` were taken for class `predicted`; 0 for classes that there are not.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        if truth < self.n_classes && predicted < self.n_classes {
            self.counts[truth * self.n_classes + predicted]
        } else {
            0
        }
    }

    /// All counts, a row for each true class.
    pub fn rows(&self) -> Vec<Vec<u64>> {
        self.counts.chunks(self.n_classes).map(<[u64]>::to_vec).collect()
    }

    fn one_class(&self, class: usize) -> OneClass {
        let right = self.count(class, class);
        let support: u64 = (0..self.n_classes).map(|other| self.count(class, other)).sum();
        let predicted: u64 = (0..self.n_classes).map(|other| self.count(other, class)).sum();
        OneClass {
            precision: share(right, predicted),
            recall: share(right, support),
            f1: share(2 * right, support + predicted),
            support,
            predicted,
        }
    }
}

impl Evaluator for Confusion {
    type Result = ClassFigures;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        agree("number of classes", self.n_classes, other.n_classes)?;
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
        Ok(())
    }

    fn finish(&self) -> Result<ClassFigures, MetricError> {
        let n: u64 = self.counts.iter().sum();
        if n == 0 {
            return Err(MetricError::Empty { what: "rows" });
        }
        let classes: Vec<OneClass> = (0..self.n_classes).map(|class| self.one_class(class)).collect();
        let right: u64 = (0..self.n_classes).map(|class| self.count(class, class)).sum();
        let accuracy = right as f64 / n as f64;
        let recalls: Vec<f64> = classes.iter().filter_map(|class| class.recall).collect();
        Ok(ClassFigures {
            n,
            right,
            accuracy,
            macro_mean: mean(&classes, |class| {
                f64::from(u8::from(class.support + class.predicted > 0))
            }),
            weighted_mean: mean(&classes, |class| class.support as f64),
            micro_mean: Mean {
                precision: accuracy,
                recall: accuracy,
                f1: accuracy,
            },
            balanced_accuracy: recalls.iter().sum::<f64>() / recalls.len() as f64,
            mcc: correlation(&classes, right, n),
            kappa: kappa(&classes, right, n),
            classes,
        })
    }
}

/// Means with weights, what is not defined as 0. Some class has a weight, because there is a row.
fn mean(classes: &[OneClass], weight: impl Fn(&OneClass) -> f64) -> Mean {
    let total: f64 = classes.iter().map(&weight).sum();
    let of = |figure: fn(&OneClass) -> Option<f64>| {
        let terms = classes
            .iter()
            .map(|class| weight(class) * figure(class).unwrap_or(0.0));
        terms.sum::<f64>() / total
    };
    Mean {
        precision: of(|class| class.precision),
        recall: of(|class| class.recall),
        f1: of(|class| class.f1),
    }
}

/// `cov(t, p) / sqrt(cov(t, t) · cov(p, p))` of classes as indicator vectors (Gorodkin 2004), in integers up to the root.
fn correlation(classes: &[OneClass], right: u64, n: u64) -> Option<f64> {
    let sum = |term: fn(&OneClass) -> u128| classes.iter().map(term).sum::<u128>();
    let (right, n) = (i128::from(right), i128::from(n));
    let both = sum(|class| u128::from(class.support) * u128::from(class.predicted)) as i128;
    let truth = sum(|class| u128::from(class.support).pow(2)) as i128;
    let predicted = sum(|class| u128::from(class.predicted).pow(2)) as i128;
    let spread = ((n * n - truth) as f64).sqrt() * ((n * n - predicted) as f64).sqrt();
    (spread > 0.0).then(|| (right * n - both) as f64 / spread)
}

/// `1 - disagreement / expected disagreement` (Cohen 1960).
fn kappa(classes: &[OneClass], right: u64, n: u64) -> Option<f64> {
    let by_chance: u128 = classes
        .iter()
        .map(|class| u128::from(class.support) * u128::from(class.predicted))
        .sum();
    let n = u128::from(n);
    let expected = n * n - by_chance;
    let found = (n - u128::from(right)) * n;
    (expected > 0).then(|| 1.0 - found as f64 / expected as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n_classes: usize, truth: &[usize], predicted: &[usize]) -> ClassFigures {
        let mut counts = Confusion::new(n_classes).unwrap();
        for (t, p) in truth.iter().zip(predicted) {
            counts.observe(*t, *p).unwrap();
        }
        counts.finish().unwrap()
    }

    /// scikit-learn 1.9.1 on the same rows.
    #[test]
    fn a_class_that_is_only_predicted_counts_in_the_macro_mean() {
        let figures = of(4, &[0, 1, 0], &[0, 1, 2]);
        assert!((figures.macro_mean.f1 - 5.0 / 9.0).abs() < 1e-15);
        assert_eq!(figures.classes[2].precision, Some(0.0));
        assert_eq!(figures.classes[2].recall, None);
        assert_eq!(figures.classes[3].f1, None);
        assert!((figures.weighted_mean.f1 - 7.0 / 9.0).abs() < 1e-15);
        assert_eq!(figures.balanced_accuracy, 0.75);
    }

    #[test]
    fn one_class_only_has_no_correlation() {
        let figures = of(2, &[1, 1], &[1, 1]);
        assert_eq!((figures.accuracy, figures.mcc, figures.kappa), (1.0, None, None));
        let figures = of(2, &[1, 1], &[0, 1]);
        assert_eq!((figures.mcc, figures.kappa), (None, Some(0.0)));
    }

    #[test]
    fn bad_rows_and_other_settings_are_refused() {
        let mut counts = Confusion::new(2).unwrap();
        assert_eq!(counts.finish(), Err(MetricError::Empty { what: "rows" }));
        assert!(counts.observe(2, 0).is_err());
        assert!(counts.observe(0, 2).is_err());
        assert!(counts.merge(&Confusion::new(3).unwrap()).is_err());
        assert!(Confusion::new(0).is_err() && Confusion::new(4_097).is_err());
    }
}
