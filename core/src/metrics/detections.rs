//! Mean average precision of actions that are found in time, at overlaps (tIoU). Keeps its rows; merges exactly.
//!
//! By class, predictions of all videos in falling order of score take the truth of their video that they overlap most and
//! that is free, if the overlap is at least the threshold; the area under the monotone precision-recall curve (all points,
//! VOC 2011) is the average precision; the mean goes over classes that the truth has. Source: `eval_detection.py` of
//! ActivityNet, and mmaction2 1.2.0's `average_precision_at_temporal_iou`. Of equal scores the earlier row goes first, of
//! equal overlaps the earlier truth; the references leave both to chance.

use std::collections::{BTreeMap, BTreeSet};

use super::{Evaluator, MAX_ROWS, MetricError, finite};

/// ActivityNet's overlaps: .50, .55 to .95.
pub const ACTIVITYNET_OVERLAPS: [f64; 10] = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// THUMOS' overlaps.
pub const THUMOS_OVERLAPS: [f64; 5] = [0.3, 0.4, 0.5, 0.6, 0.7];

/// An action in a video.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Which video.
    pub video: String,
    /// Which action.
    pub label: String,
    /// When it begins.
    pub start_secs: f64,
    /// When it ends; later than it begins.
    pub end_secs: f64,
    /// Place in the file.
    pub row: u64,
}

/// Collects actions, true and predicted.
#[derive(Clone, Debug, Default)]
pub struct TemporalAp {
    overlaps: Vec<f64>,
    truths: Vec<Action>,
    predictions: Vec<(Action, f64)>,
}

/// The average precisions of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassAp {
    /// The class.
    pub label: String,
    /// By overlap.
    pub average_precision: Vec<f64>,
    /// How often it happens.
    pub n_truths: u64,
    /// How often it was predicted.
    pub n_predictions: u64,
}

/// What follows from all actions.
#[derive(Clone, Debug, PartialEq)]
pub struct TemporalFigures {
    /// As they were given.
    pub overlaps: Vec<f64>,
    /// Classes that the truth has, by name.
    pub classes: Vec<ClassAp>,
    /// By overlap, over classes.
    pub map: Vec<f64>,
    /// The mean over overlaps.
    pub mean_map: f64,
    /// Predictions of classes that the truth does not have, which no number here sees.
    pub n_other_classes: u64,
    /// Predictions with the score of another one of their class: file order decides.
    pub n_tied: u64,
}

impl TemporalAp {
    /// No actions.
    ///
    /// # Errors
    /// No overlaps, or some that are not above 0 and at most 1.
    pub fn new(overlaps: &[f64]) -> Result<Self, MetricError> {
        // The bounds are those of segments.
        super::segments::Segmental::new(overlaps, None, false)?;
        Ok(Self {
            overlaps: overlaps.to_vec(),
            ..Self::default()
        })
    }

    /// Something that happens.
    ///
    /// # Errors
    /// Times that are not finite, an end that is not after its start.
    pub fn add_truth(&mut self, action: Action) -> Result<(), MetricError> {
        check(&action, self.truths.len())?;
        self.truths.push(action);
        Ok(())
    }

    /// Something that was predicted, and how sure the model was.
    ///
    /// # Errors
    /// As of truths; a score that is not finite.
    pub fn add_prediction(&mut self, action: Action, score: f64) -> Result<(), MetricError> {
        check(&action, self.predictions.len())?;
        finite(score, "the score", action.row + 1)?;
        self.predictions.push((action, score));
        Ok(())
    }
}

fn check(action: &Action, n: usize) -> Result<(), MetricError> {
    let row = action.row + 1;
    finite(action.start_secs, "the start", row)?;
    if finite(action.end_secs, "the end", row)? <= action.start_secs {
        return Err(MetricError::OutOfRange {
            what: "the end".to_owned(),
            row,
            value: action.end_secs,
            range: "after the start",
        });
    }
    if n as u64 >= MAX_ROWS {
        return Err(MetricError::TooMany {
            what: "actions",
            limit: MAX_ROWS,
        });
    }
    Ok(())
}

impl Evaluator for TemporalAp {
    type Result = TemporalFigures;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.overlaps != other.overlaps {
            return Err(MetricError::Mismatch {
                what: "overlaps".to_owned(),
                expected: self.overlaps.len() as u64,
                found: other.overlaps.len() as u64,
            });
        }
        let n =
            (self.truths.len() + other.truths.len()).max(self.predictions.len() + other.predictions.len());
        if n as u64 > MAX_ROWS {
            return Err(MetricError::TooMany {
                what: "actions",
                limit: MAX_ROWS,
            });
        }
        self.truths.extend_from_slice(&other.truths);
        self.predictions.extend_from_slice(&other.predictions);
        Ok(())
    }

    fn finish(&self) -> Result<TemporalFigures, MetricError> {
        if self.truths.is_empty() {
            return Err(MetricError::Empty { what: "true actions" });
        }
        let labels: BTreeSet<&str> = self.truths.iter().map(|truth| truth.label.as_str()).collect();
        let mut by_label: BTreeMap<&str, Vec<&(Action, f64)>> = BTreeMap::new();
        for prediction in &self.predictions {
            by_label.entry(&prediction.0.label).or_default().push(prediction);
        }
        let mut truths: Vec<&Action> = self.truths.iter().collect();
        truths.sort_by_key(|truth| (&truth.label, &truth.video, truth.row));
        let mut truths = &truths[..];
        let mut n_tied = 0;
        let mut classes = Vec::with_capacity(labels.len());
        for label in &labels {
            let (these, rest) = truths.split_at(truths.partition_point(|truth| truth.label == *label));
            truths = rest;
            let mut predicted = by_label.remove(label).unwrap_or_default();
            predicted.sort_by(|a, b| {
                let by_score = b.1.partial_cmp(&a.1).unwrap_or(std::cmp::Ordering::Equal);
                by_score.then(a.0.row.cmp(&b.0.row))
            });
            n_tied += predicted.windows(2).filter(|pair| pair[0].1 == pair[1].1).count() as u64;
            classes.push(ClassAp {
                label: (*label).to_owned(),
                average_precision: average_precisions(these, &predicted, &self.overlaps),
                n_truths: these.len() as u64,
                n_predictions: predicted.len() as u64,
            });
        }
        let map: Vec<f64> = (0..self.overlaps.len())
            .map(|at| {
                classes
                    .iter()
                    .map(|class| class.average_precision[at])
                    .sum::<f64>()
                    / classes.len() as f64
            })
            .collect();
        Ok(TemporalFigures {
            mean_map: map.iter().sum::<f64>() / map.len() as f64,
            overlaps: self.overlaps.clone(),
            classes,
            map,
            n_other_classes: by_label.values().map(|others| others.len() as u64).sum(),
            n_tied,
        })
    }
}

/// Of one class, by overlap. `truths` are by video, `predicted` by falling score.
fn average_precisions(truths: &[&Action], predicted: &[&(Action, f64)], overlaps: &[f64]) -> Vec<f64> {
    let mut is_taken = vec![vec![false; truths.len()]; overlaps.len()];
    let mut is_right: Vec<Vec<bool>> = vec![Vec::with_capacity(predicted.len()); overlaps.len()];
    for (action, _) in predicted {
        let first = truths.partition_point(|truth| truth.video < action.video);
        let after = first + truths[first..].partition_point(|truth| truth.video == action.video);
        let mut nearest: Vec<(f64, usize)> = (first..after)
            .map(|place| (overlap(truths[place], action), place))
            .collect();
        nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (at, threshold) in overlaps.iter().enumerate() {
            let may_take = nearest.iter().take_while(|(overlap, _)| overlap >= threshold);
            let taken = may_take
                .map(|(_, place)| *place)
                .find(|&place| !is_taken[at][place]);
            if let Some(place) = taken {
                is_taken[at][place] = true;
            }
            is_right[at].push(taken.is_some());
        }
    }
    is_right
        .iter()
        .map(|is_right| area(is_right, truths.len()))
        .collect()
}

/// Intersection over union in time.
fn overlap(a: &Action, b: &Action) -> f64 {
    let shared = (a.end_secs.min(b.end_secs) - a.start_secs.max(b.start_secs)).max(0.0);
    shared / ((a.end_secs - a.start_secs) + (b.end_secs - b.start_secs) - shared)
}

/// The area under precision, made to fall from the right, over recall.
fn area(is_right: &[bool], n_truths: usize) -> f64 {
    let mut right = 0;
    let mut precisions: Vec<f64> = Vec::with_capacity(is_right.len());
    for (place, &is) in is_right.iter().enumerate() {
        right += usize::from(is);
        precisions.push(right as f64 / (place + 1) as f64);
    }
    for place in (1..precisions.len()).rev() {
        precisions[place - 1] = precisions[place - 1].max(precisions[place]);
    }
    // Recall steps by one truth at each right prediction.
    let steps = precisions.iter().zip(is_right).filter(|(_, is)| **is);
    steps.map(|(precision, _)| precision).sum::<f64>() / n_truths as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(label: &str, start_secs: f64, end_secs: f64, row: u64) -> Action {
        Action {
            video: "a".to_owned(),
            label: label.to_owned(),
            start_secs,
            end_secs,
            row,
        }
    }

    #[test]
    fn a_truth_is_taken_once_and_the_overlap_may_equal_the_threshold() {
        let mut ap = TemporalAp::new(&[0.5, 0.51]).unwrap();
        ap.add_truth(action("x", 0.0, 10.0, 0)).unwrap();
        ap.add_truth(action("x", 20.0, 30.0, 1)).unwrap();
        ap.add_prediction(action("x", 0.0, 5.0, 0), 0.9).unwrap();
        ap.add_prediction(action("x", 0.0, 10.0, 1), 0.8).unwrap();
        ap.add_prediction(action("x", 20.0, 30.0, 2), 0.7).unwrap();
        ap.add_prediction(action("y", 20.0, 30.0, 3), 0.7).unwrap();
        let figures = ap.finish().unwrap();
        // At .5 the first is right, the second comes too late; at .51 the first is wrong.
        assert!((figures.map[0] - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-15);
        assert!((figures.map[1] - (2.0 / 3.0 + 2.0 / 3.0) / 2.0).abs() < 1e-15);
        assert_eq!((figures.n_other_classes, figures.n_tied), (1, 0));
    }

    #[test]
    fn bad_actions_are_refused() {
        let mut ap = TemporalAp::new(&[0.5]).unwrap();
        for (start, end) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(ap.add_truth(action("x", start, end, 0)).is_err());
        }
        assert!(ap.add_prediction(action("x", 0.0, 1.0, 0), f64::NAN).is_err());
        assert!(ap.finish().is_err());
        assert!(TemporalAp::new(&[]).is_err());
        assert!(ap.merge(&TemporalAp::new(&[0.6]).unwrap()).is_err());
    }
}
