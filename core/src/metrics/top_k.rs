//! How often the true class is among the k that score highest. Merges exactly: counts by rank.
//!
//! Of equal scores the higher class index goes first, as scikit-learn 1.9.1's `top_k_accuracy_score` has it.

use super::{Evaluator, MetricError, agree, finite, share};

/// Counts at which rank the true class stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopK {
    /// By rank from 0.
    counts: Vec<u64>,
}

impl TopK {
    /// No rows of so many classes.
    ///
    /// # Errors
    /// [`MetricError::Empty`] without classes.
    pub fn new(n_classes: usize) -> Result<Self, MetricError> {
        if n_classes == 0 {
            return Err(MetricError::Empty { what: "classes" });
        }
        Ok(Self {
            counts: vec![0; n_classes],
        })
    }

    /// Takes the scores of all classes and the true one.
    ///
    /// # Errors
    /// Scores of another number of classes, scores that are not finite, a class that there is not.
    pub fn observe(&mut self, scores: &[f64], truth: usize) -> Result<(), MetricError> {
        let row = self.counts.iter().sum::<u64>() + 1;
        if scores.len() != self.counts.len() {
            return Err(MetricError::Mismatch {
                what: format!("row {row}: number of scores"),
                expected: self.counts.len() as u64,
                found: scores.len() as u64,
            });
        }
        for score in scores {
            finite(*score, "a score", row)?;
        }
        let Some(&own) = scores.get(truth) else {
            return Err(MetricError::OutOfRange {
                what: "the true class".to_owned(),
                row,
                value: truth as f64,
                range: "below the number of classes",
            });
        };
        self.count(scores, own, truth);
        Ok(())
    }

    /// The same for a row that was checked.
    pub(crate) fn count(&mut self, scores: &[f64], own: f64, truth: usize) {
        let better = scores.iter().enumerate();
        let rank = better
            .filter(|&(class, &score)| score > own || (score == own && class > truth))
            .count();
        self.counts[rank] += 1;
    }
}

impl Evaluator for TopK {
    type Result = TopKShares;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        agree("number of classes", self.counts.len(), other.counts.len())?;
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
        Ok(())
    }

    fn finish(&self) -> Result<TopKShares, MetricError> {
        if self.counts.iter().all(|count| *count == 0) {
            return Err(MetricError::Empty { what: "rows" });
        }
        Ok(TopKShares {
            counts: self.counts.clone(),
        })
    }
}

/// The result for every k.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopKShares {
    counts: Vec<u64>,
}

impl TopKShares {
    /// How many rows there are.
    pub fn n(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Of how many the true class is among the first `k`. All, where there are no more classes than that.
    pub fn right(&self, k: usize) -> u64 {
        self.counts.iter().take(k).sum()
    }

    /// The same as a share.
    pub fn share(&self, k: usize) -> Option<f64> {
        share(self.right(k), self.n())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_scores_the_higher_class_goes_first() {
        let mut top = TopK::new(3).unwrap();
        for truth in 0..3 {
            top.observe(&[0.5; 3], truth).unwrap();
        }
        let shares = top.finish().unwrap();
        assert_eq!([1, 2, 3, 4].map(|k| shares.right(k)), [1, 2, 3, 3]);
        let mut top = TopK::new(3).unwrap();
        top.observe(&[0.5; 3], 2).unwrap();
        assert_eq!(top.finish().unwrap().right(1), 1);
    }

    #[test]
    fn bad_rows_are_refused() {
        let mut top = TopK::new(2).unwrap();
        assert!(top.observe(&[0.1], 0).is_err());
        assert!(top.observe(&[0.1, f64::NAN], 0).is_err());
        assert!(top.observe(&[0.1, 0.2], 2).is_err());
        assert!(top.finish().is_err());
    }
}
