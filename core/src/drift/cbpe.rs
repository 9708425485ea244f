//! How many predictions are right, without labels: confidence-based performance estimation.
//!
//! `NannyML`'s method (<https://github.com/NannyML/nannyml>, 0.13.1): certainties are made chances by isotonic calibration,
//! and each prediction is right with its chance: expected true positives are the sum of chances over what is called
//! positive, and so on. The class comes from the *raw* certainty, the chance from the calibrated one.
//!
//! It assumes that a certainty of today means what it meant where it was calibrated. It cannot see errors that the model
//! is sure about, and whatever shows its number says so.

use super::sieve::Reference;
use super::{DriftError, demand};
use crate::metrics::calibration::{Edges, Reliability};
use crate::metrics::isotonic::Isotonic;
use crate::metrics::ranking::Ranking;
use crate::metrics::{Evaluator, MetricError};
use crate::statistics::distributions::normal_quantile;
use crate::statistics::{Interval, Moments, Random};
use serde::{Deserialize, Serialize};

/// Certainties that rank right and wrong worse than this are no ground for an estimate.
pub const LEAST_AUROC: f64 = 0.65;
/// An estimate of fewer predictions is not shown.
pub const LEAST_PREDICTIONS: u64 = 300;
/// Fewer labels do not correct an estimate.
pub const LEAST_LABELS: usize = 30;
/// Parts of a cross-validation, and bins of its calibration error, which are `NannyML`'s.
const FOLDS: usize = 10;
const BINS: usize = 10;

/// How certainties become chances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certainty {
    /// The calibration; none where the certainties are no worse than what calibrating makes of them.
    pub calibration: Option<Isotonic>,
    /// Expected calibration error of the certainties as they are, on parts that were left out.
    pub raw_error: f64,
    /// The same of calibrated ones.
    pub calibrated_error: f64,
    /// How well they rank right above wrong.
    pub auroc: f64,
}

impl Certainty {
    /// Learns from predictions that are known to be right or wrong. Isotonic calibration is kept only if it lowers the
    /// error on parts that it was not fitted to.
    ///
    /// # Errors
    /// There are fewer than [`LEAST_PREDICTIONS`]; a certainty is not in 0 to 1; all are right, or all wrong; or the
    /// certainties rank worse than [`LEAST_AUROC`], so that nothing can be told from them.
    pub fn learn(scores: &[f64], is_right: &[bool], seed: u64) -> Result<Self, DriftError> {
        if scores.len() != is_right.len() {
            return Err(DriftError::Mismatch {
                what: "certainties and outcomes of another number",
            });
        }
        if (scores.len() as u64) < LEAST_PREDICTIONS {
            return Err(DriftError::TooFew {
                what: "predictions that are known to be right or wrong",
                found: scores.len(),
                needed: LEAST_PREDICTIONS as usize,
            });
        }
        let mut ranking = Ranking::default();
        for (score, right) in scores.iter().zip(is_right) {
            demand_chance(*score)?;
            ranking.observe(*score, *right)?;
        }
        let auroc = ranking.finish()?.auroc()?;
        demand(
            auroc >= LEAST_AUROC,
            "the estimate",
            "AUROC",
            auroc,
            "at least .65, or certainties tell nothing",
        )?;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        Random::new(seed).shuffle(&mut order);
        let mut raw = Reliability::new(BINS, Edges::RightClosed)?;
        let mut calibrated = raw.clone();
        for fold in 0..FOLDS {
            let is_left_out = |rank: usize| rank % FOLDS == fold;
            let kept = |wanted: bool| {
                order
                    .iter()
                    .enumerate()
                    .filter(move |(rank, _)| is_left_out(*rank) == wanted)
            };
            let fit = fitted(kept(false).map(|(_, &place)| (scores[place], is_right[place])))?;
            for (_, &place) in kept(true) {
                raw.observe(scores[place], is_right[place])?;
                calibrated.observe(chance(Some(&fit), scores[place]), is_right[place])?;
            }
        }
        let (raw_error, calibrated_error) = (raw.finish()?.ece(), calibrated.finish()?.ece());
        let calibration = if calibrated_error < raw_error {
            Some(fitted(scores.iter().copied().zip(is_right.iter().copied()))?)
        } else {
            None
        };
        Ok(Self {
            calibration,
            raw_error,
            calibrated_error,
            auroc,
        })
    }

    /// The chance that a prediction of this certainty is right.
    #[must_use]
    pub fn chance(&self, score: f64) -> f64 {
        chance(self.calibration.as_ref(), score)
    }
}

fn chance(calibration: Option<&Isotonic>, score: f64) -> f64 {
    calibration
        .and_then(|fit| fit.predict(score))
        .unwrap_or(score)
        .clamp(0.0, 1.0)
}

fn fitted(outcomes: impl Iterator<Item = (f64, bool)>) -> Result<Isotonic, MetricError> {
    let (scores, outcomes): (Vec<f64>, Vec<f64>) = outcomes
        .map(|(score, right)| (score, f64::from(u8::from(right))))
        .unzip();
    Isotonic::fit(&scores, &outcomes, None)
}

fn demand_chance(score: f64) -> Result<(), DriftError> {
    if (0.0..=1.0).contains(&score) {
        return Ok(());
    }
    Err(DriftError::OutOfRange {
        detector: "the estimate of how many are right",
        value: score,
        must: "from 0 to 1",
    })
}

/// Expected counts of a confusion matrix. Joins to rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectedCounts {
    n: u64,
    true_positives: f64,
    false_positives: f64,
    false_negatives: f64,
    true_negatives: f64,
}

/// What is expected of some predictions. None is what is not defined: the precision of none that are called positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// The share that is right.
    pub accuracy: Option<f64>,
    /// The share of those called positive that are.
    pub precision: Option<f64>,
    /// The share of positives that are called so.
    pub recall: Option<f64>,
    /// `TP / (TP + (FP + FN)/2)`.
    pub f1: Option<f64>,
}

impl ExpectedCounts {
    /// Takes a prediction: called positive where its raw score is .5 or more, positive with this chance.
    ///
    /// # Errors
    /// A number is not in 0 to 1.
    pub fn add(&mut self, raw: f64, chance: f64) -> Result<(), DriftError> {
        demand_chance(raw)?;
        demand_chance(chance)?;
        self.n += 1;
        if raw >= 0.5 {
            self.true_positives += chance;
            self.false_positives += 1.0 - chance;
        } else {
            self.false_negatives += chance;
            self.true_negatives += 1.0 - chance;
        }
        Ok(())
    }

    /// Takes the predictions of another.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
        self.true_negatives += other.true_negatives;
    }

    /// Predictions.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// What is expected.
    #[must_use]
    pub fn expected(&self) -> Expected {
        let (tp, fp, fn_, tn) = (
            self.true_positives,
            self.false_positives,
            self.false_negatives,
            self.true_negatives,
        );
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        Expected {
            accuracy: share(tp + tn, self.n as f64),
            precision: share(tp, tp + fp),
            recall: share(tp, tp + fn_),
            f1: share(tp, tp + 0.5 * (fp + fn_)),
        }
    }
}

/// The expected area under the ROC curve: chances take the place of outcomes, in the order of raw scores; equal scores are
/// one step. (`NannyML` rounds to five digits and leaves ties in any order.) None where one class is not expected at all.
///
/// # Errors
/// Lists differ in length, or a number is not in 0 to 1.
pub fn expected_auroc(raw: &[f64], chances: &[f64]) -> Result<Option<f64>, DriftError> {
    if raw.len() != chances.len() {
        return Err(DriftError::Mismatch {
            what: "scores and chances of another number",
        });
    }
    raw.iter().chain(chances).try_for_each(|x| demand_chance(*x))?;
    let mut order: Vec<usize> = (0..raw.len()).collect();
    order.sort_unstable_by(|&a, &b| raw[b].total_cmp(&raw[a]));
    let (mut right, mut wrong, mut area) = (0.0, 0.0, 0.0);
    for step in order.chunk_by(|&a, &b| raw[a] == raw[b]) {
        let more: f64 = step.iter().map(|&place| chances[place]).sum();
        let fewer = step.len() as f64 - more;
        area += fewer * (right + more / 2.0);
        right += more;
        wrong += fewer;
    }
    Ok((right > 0.0 && wrong > 0.0).then(|| area / (right * wrong)))
}

/// The mean of estimates by block with its interval, from how blocks scatter and agree with their neighbours: joints of a
/// frame are right or wrong together, so their number says nothing.
///
/// # Errors
/// There are too few blocks, or one is not finite.
pub fn block_interval(blocks: &[f64], level: f64) -> Result<(f64, Interval), DriftError> {
    super::demand_share("an interval", "level", level)?;
    let reference = Reference::of(blocks, 0.0)?;
    let half = normal_quantile(0.5 + level / 2.0).unwrap_or(0.0) * reference.mean_sd();
    let (low, high) = (reference.mean() - half, reference.mean() + half);
    Ok((reference.mean(), Interval { low, high }))
}

/// A mean of estimates put right by some labels: `mean f(all) + mean (y - f)(labelled)`, with the scatter of both parts.
/// Angelopoulos and others, *Prediction-powered inference*, Science 382 (2023). Each number is one independent unit: a clip.
///
/// # Errors
/// There are fewer than [`LEAST_LABELS`] labels, no estimates, or a number is not finite.
pub fn prediction_powered(
    estimates: &[f64],
    labelled: &[(f64, f64)],
    level: f64,
) -> Result<(f64, Interval), DriftError> {
    super::demand_share("an interval", "level", level)?;
    if labelled.len() < LEAST_LABELS {
        return Err(DriftError::TooFew {
            what: "labels",
            found: labelled.len(),
            needed: LEAST_LABELS,
        });
    }
    let all = estimates
        .iter()
        .map(|f| super::finite(*f))
        .collect::<Result<Moments, _>>()?;
    let off = labelled
        .iter()
        .map(|(f, y)| super::finite(y - f))
        .collect::<Result<Moments, _>>()?;
    let (Some(mean), Some(correction), Some(of_all), Some(of_off)) =
        (all.mean(), off.mean(), all.variance(), off.variance())
    else {
        return Err(DriftError::TooFew {
            what: "estimates",
            found: estimates.len(),
            needed: 2,
        });
    };
    let sd = (of_all / all.n() as f64 + of_off / off.n() as f64).sqrt();
    let half = normal_quantile(0.5 + level / 2.0).unwrap_or(0.0) * sd;
    let value = mean + correction;
    Ok((
        value,
        Interval {
            low: value - half,
            high: value + half,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Certainties that are a bent copy of the chance, as networks give them.
    fn predictions(n: usize, seed: u64) -> (Vec<f64>, Vec<bool>, f64) {
        let mut random = Random::new(seed);
        let (mut scores, mut right, mut sum) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..n {
            let truth = random.uniform();
            scores.push(truth.sqrt());
            right.push(random.uniform() < truth);
            sum += truth;
        }
        (scores, right, sum / n as f64)
    }

    #[test]
    fn calibration_is_kept_where_it_helps_and_the_estimate_is_near_the_truth() {
        let (scores, right, _) = predictions(4000, 1);
        let certainty = Certainty::learn(&scores, &right, 1).unwrap();
        assert!(certainty.calibration.is_some());
        assert!(
            certainty.raw_error > 0.1 && certainty.calibrated_error < 0.04,
            "{certainty:?}"
        );
        let (scores, _, truth) = predictions(4000, 2);
        let estimate = scores.iter().map(|score| certainty.chance(*score)).sum::<f64>() / 4000.0;
        assert!((estimate - truth).abs() < 0.03, "{estimate} {truth}");
        // Honest certainties are left as they are: fitting them again adds noise.
        let mut random = Random::new(3);
        let honest: Vec<f64> = (0..400).map(|_| random.uniform()).collect();
        let right: Vec<bool> = honest.iter().map(|p| random.uniform() < *p).collect();
        let certainty = Certainty::learn(&honest, &right, 1).unwrap();
        assert_eq!(
            certainty.calibration.is_none(),
            certainty.calibrated_error >= certainty.raw_error
        );
    }

    #[test]
    fn certainties_that_tell_nothing_are_refused() {
        let mut random = Random::new(5);
        let scores: Vec<f64> = (0..1000).map(|_| random.uniform()).collect();
        let blind: Vec<bool> = (0..1000).map(|_| random.uniform() < 0.5).collect();
        let error = Certainty::learn(&scores, &blind, 1).unwrap_err().to_string();
        assert!(error.contains("AUROC"), "{error}");
        assert!(Certainty::learn(&scores, &[true; 1000], 1).is_err());
        assert!(Certainty::learn(&scores[..299], &blind[..299], 1).is_err());
        assert!(Certainty::learn(&scores, &blind[1..], 1).is_err());
        let mut bad = scores.clone();
        bad[7] = f64::NAN;
        assert!(Certainty::learn(&bad, &blind, 1).is_err());
    }

    #[test]
    fn what_is_not_expected_is_none() {
        let none = ExpectedCounts::default().expected();
        assert_eq!(
            (none.accuracy, none.precision, none.recall, none.f1),
            (None, None, None, None)
        );
        let mut counts = ExpectedCounts::default();
        counts.add(0.2, 0.0).unwrap();
        assert_eq!(
            (counts.expected().accuracy, counts.expected().precision),
            (Some(1.0), None)
        );
        assert!(counts.add(1.2, 0.5).is_err() && counts.add(0.5, f64::NAN).is_err());
        assert_eq!(counts.n(), 1);
        assert_eq!(expected_auroc(&[0.1, 0.9], &[0.0, 0.0]), Ok(None));
        assert_eq!(expected_auroc(&[0.1, 0.9], &[0.0, 1.0]), Ok(Some(1.0)));
        assert_eq!(expected_auroc(&[0.4, 0.4], &[0.0, 1.0]), Ok(Some(0.5)));
    }

    #[test]
    fn labels_put_a_wrong_estimate_right() {
        let mut random = Random::new(9);
        let (mut n_held, mut n_held_alone) = (0, 0);
        for _ in 0..200 {
            // The estimate is .1 too high everywhere.
            let mut clip = || {
                let truth = 0.7 + 0.1 * random.normal();
                (
                    truth + 0.1 + 0.02 * random.normal(),
                    truth + 0.05 * random.normal(),
                )
            };
            let all: Vec<f64> = (0..400).map(|_| clip().0).collect();
            let labelled: Vec<(f64, f64)> = (0..60).map(|_| clip()).collect();
            let (value, interval) = prediction_powered(&all, &labelled, 0.95).unwrap();
            n_held += i32::from(interval.holds(0.7));
            n_held_alone += i32::from((all.iter().sum::<f64>() / 400.0 - 0.7).abs() < 0.05);
            assert!((value - 0.7).abs() < 0.06, "{value}");
        }
        // 190 expected; four binomial sd are 12.
        assert!(n_held > 178 && n_held_alone == 0, "{n_held} {n_held_alone}");
        assert!(prediction_powered(&[0.5; 9], &[(0.5, 0.5); 29], 0.95).is_err());
        assert!(prediction_powered(&[], &[(0.5, 0.4); 30], 0.95).is_err());
        assert!(prediction_powered(&[0.5; 9], &[(0.5, f64::NAN); 30], 0.95).is_err());
    }

    #[test]
    fn intervals_of_blocks_know_that_blocks_agree() {
        let mut random = Random::new(12);
        let mut n_held = 0;
        for _ in 0..300 {
            let mut x = random.normal();
            let blocks: Vec<f64> = (0..120)
                .map(|_| {
                    x = 0.4 * x + 0.84f64.sqrt() * random.normal();
                    0.8 + 0.05 * x
                })
                .collect();
            n_held += i32::from(block_interval(&blocks, 0.95).unwrap().1.holds(0.8));
        }
        // 285 expected; intervals for independent blocks would hold in 240.
        assert!((270..=297).contains(&n_held), "{n_held} of 300");
        assert!(block_interval(&[0.5; 3], 0.95).is_err());
    }
}
