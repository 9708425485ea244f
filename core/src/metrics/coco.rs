//! COCO's average precision and recall of keypoints: the ten numbers of pycocotools, to 1e-9. Keeps its rows; merges
//! exactly.
//!
//! By image, predictions in falling order of score (20 at most) take the truth that they are most alike, each truth once,
//! at ten thresholds of similarity ([`super::oks`]); over all images, precision is made monotone and read at 101 recalls.
//! Source: `cocoeval.py` of pycocotools 2.0.11 with `Params` for keypoints.
//!
//! What differs, because there a number would come out of something undefined: truths are matched by their place and not by
//! their id (there one with id 0 counts as unmatched), two truths with one id are an error, so is a number that is not
//! finite, and no predictions at all give zeros. `ignore` in an annotation has no effect, as there.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::oks::{SIGMAS_COCO, TruthPose, oks};
use super::{Evaluator, MAX_ROWS, MetricError, finite};

/// Predictions of an image that count, the surest.
pub const MAX_DETECTIONS: usize = 20;

/// Which of BlazePose's 33 landmarks ([`crate::skeleton`]) is which of COCO's 17 points.
pub const BLAZEPOSE_LANDMARKS: [usize; 17] = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28];

const N_POINTS: usize = 17;
const N_THRESHOLDS: usize = 10;
const N_RECALLS: usize = 101;

/// Square pixels, both ends inside: all people, those of medium size, large ones.
const AREAS: [[f64; 2]; 3] = [[0.0, 1e10], [32.0 * 32.0, 96.0 * 96.0], [96.0 * 96.0, 1e10]];

/// A labelled person of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Unique in a data set.
    pub id: i64,
    /// The image that shows the person.
    pub image: i64,
    /// Points, area and box in pixels.
    pub pose: TruthPose<N_POINTS>,
    /// A crowd may be taken by any number of predictions, and counts neither for nor against.
    pub is_crowd: bool,
    /// COCO's `num_keypoints`; counted from the points where a file does not say. Without points, a person does not count.
    pub n_labelled: u32,
    /// Place in the file: equal similarities go to the later one.
    pub row: u64,
}

/// A predicted person of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The image.
    pub image: i64,
    /// Pixels from the left and upper edge.
    pub points: [[f64; 2]; N_POINTS],
    /// How sure the model is.
    pub score: f64,
    /// Place in the file: of equal scores, the earlier counts first.
    pub row: u64,
}

impl Detection {
    /// Of the box around all points, in square pixels: what COCO takes for the size of a prediction.
    fn area(&self) -> f64 {
        let extent = |axis: usize| {
            let values = self.points.iter().map(|point| point[axis]);
            let high = values.clone().fold(f64::NEG_INFINITY, f64::max);
            high - values.fold(f64::INFINITY, f64::min)
        };
        extent(0) * extent(1)
    }
}

/// The ten numbers; none where there is nobody of that size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeypointScores {
    /// Average precision over the thresholds .50, .55 to .95.
    pub ap: Option<f64>,
    /// At similarity .50.
    pub ap50: Option<f64>,
    /// At similarity .75.
    pub ap75: Option<f64>,
    /// Of people of 32² to 96² square pixels.
    pub ap_medium: Option<f64>,
    /// Of larger people.
    pub ap_large: Option<f64>,
    /// Average recall over the thresholds.
    pub ar: Option<f64>,
    /// At similarity .50.
    pub ar50: Option<f64>,
    /// At similarity .75.
    pub ar75: Option<f64>,
    /// Of people of medium size.
    pub ar_medium: Option<f64>,
    /// Of larger people.
    pub ar_large: Option<f64>,
}

/// Ids and names of the ten numbers, in pycocotools' order.
pub const SCORE_NAMES: [(&str, &str); 10] = [
    ("ap", "AP"),
    ("ap50", "AP50"),
    ("ap75", "AP75"),
    ("ap_medium", "AP medium"),
    ("ap_large", "AP large"),
    ("ar", "AR"),
    ("ar50", "AR50"),
    ("ar75", "AR75"),
    ("ar_medium", "AR medium"),
    ("ar_large", "AR large"),
];

impl KeypointScores {
    /// In pycocotools' order, which [`SCORE_NAMES`] has too.
    pub fn in_order(&self) -> [Option<f64>; 10] {
        [
            self.ap,
            self.ap50,
            self.ap75,
            self.ap_medium,
            self.ap_large,
            self.ar,
            self.ar50,
            self.ar75,
            self.ar_medium,
            self.ar_large,
        ]
    }

    /// As pycocotools' `stats`: -1 for what is not defined.
    pub fn as_pycocotools(&self) -> [f64; 10] {
        self.in_order().map(|score| score.unwrap_or(-1.0))
    }
}

/// How well one labelled person was found.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonFound {
    /// [`Truth::id`].
    pub id: i64,
    /// [`Truth::image`].
    pub image: i64,
    /// Similarity of the prediction that took the person at threshold .50; 0 where none did.
    pub similarity: f64,
}

/// All that the evaluator finds.
#[derive(Clone, Debug, PartialEq)]
pub struct KeypointResult {
    /// The ten numbers.
    pub scores: KeypointScores,
    /// Labelled people that count, by image and file order.
    pub people: Vec<PersonFound>,
    /// Precision at [`recalls`], of people of all sizes at similarities .50, .75 and as the mean of all thresholds; none
    /// where nobody counts.
    pub curves: Option<[[f64; N_RECALLS]; 3]>,
    /// Predictions that were evaluated, 20 an image at most.
    pub n_detections: u64,
    /// Predictions beyond the 20 surest of their image.
    pub n_cut: u64,
    /// Images with people that count and no prediction.
    pub n_silent_images: u64,
    /// Predictions of an image with the score of another one there: file order decides.
    pub n_tied: u64,
}

/// Collects people, labelled and predicted, by image.
#[derive(Clone, Debug, Default)]
pub struct CocoKeypoints {
    images: BTreeSet<i64>,
    ids: BTreeSet<i64>,
    truths: Vec<Truth>,
    detections: Vec<Detection>,
}

impl CocoKeypoints {
    /// An image of the data set, with or without people. An image that is there already stays as it is.
    pub fn add_image(&mut self, image: i64) {
        self.images.insert(image);
    }

    /// A labelled person. Its image may come later.
    ///
    /// # Errors
    /// Numbers that are not finite, an area or count below zero, an id that was there already.
    pub fn add_truth(&mut self, truth: Truth) -> Result<(), MetricError> {
        let row = truth.row + 1;
        for number in truth.pose.points.iter().flatten() {
            finite(*number, "a coordinate of 'keypoints'", row)?;
        }
        for number in truth.pose.bbox {
            finite(number, "a number of 'bbox'", row)?;
        }
        if finite(truth.pose.area, "'area'", row)? < 0.0 {
            return Err(MetricError::OutOfRange {
                what: "'area'".to_owned(),
                row,
                value: truth.pose.area,
                range: "0 or more square pixels",
            });
        }
        if !self.ids.insert(truth.id) {
            return Err(MetricError::Duplicate {
                what: "annotation id",
                id: truth.id.to_string(),
            });
        }
        room(self.truths.len(), "annotations")?;
        self.truths.push(truth);
        Ok(())
    }

    /// A predicted person. Its image may come later.
    ///
    /// # Errors
    /// Numbers that are not finite.
    pub fn add_detection(&mut self, detection: Detection) -> Result<(), MetricError> {
        let row = detection.row + 1;
        for number in detection.points.iter().flatten() {
            finite(*number, "a coordinate of 'keypoints'", row)?;
        }
        finite(detection.score, "'score'", row)?;
        room(self.detections.len(), "predictions")?;
        self.detections.push(detection);
        Ok(())
    }

    /// The labelled people, in the order in which they came.
    pub fn truths(&self) -> &[Truth] {
        &self.truths
    }

    /// Rows by image, file order inside; refuses images that are not of the set.
    fn by_image<'a, T>(
        &self,
        rows: &'a [T],
        key: fn(&T) -> (i64, u64),
        what: &str,
    ) -> Result<Vec<&'a T>, MetricError> {
        let mut sorted: Vec<&T> = rows.iter().collect();
        sorted.sort_by_key(|row| key(row));
        let unknown = sorted.iter().find(|row| !self.images.contains(&key(row).0));
        match unknown {
            Some(row) => Err(MetricError::Unknown {
                what: format!("{what} names an image that the truth does not list"),
                name: format!("image id {}", key(row).0),
            }),
            None => Ok(sorted),
        }
    }
}

fn room(n: usize, what: &'static str) -> Result<(), MetricError> {
    if n as u64 >= MAX_ROWS {
        return Err(MetricError::TooMany {
            what,
            limit: MAX_ROWS,
        });
    }
    Ok(())
}

impl Evaluator for CocoKeypoints {
    type Result = KeypointResult;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if let Some(id) = self.ids.intersection(&other.ids).next() {
            return Err(MetricError::Duplicate {
                what: "annotation id",
                id: id.to_string(),
            });
        }
        room(self.truths.len() + other.truths.len(), "annotations")?;
        room(self.detections.len() + other.detections.len(), "predictions")?;
        self.images.extend(&other.images);
        self.ids.extend(&other.ids);
        self.truths.extend_from_slice(&other.truths);
        self.detections.extend_from_slice(&other.detections);
        Ok(())
    }

    fn finish(&self) -> Result<KeypointResult, MetricError> {
        if self.images.is_empty() {
            return Err(MetricError::Empty { what: "images" });
        }
        if self.truths.is_empty() {
            return Err(MetricError::Empty {
                what: "labelled people",
            });
        }
        let truths = self.by_image(&self.truths, |truth| (truth.image, truth.row), "an annotation")?;
        let detections = self.by_image(&self.detections, |found| (found.image, found.row), "a prediction")?;
        let mut all = Matching::default();
        let (mut truths, mut detections) = (&truths[..], &detections[..]);
        for &image in &self.images {
            let of_image = truths.partition_point(|truth| truth.image == image);
            let found = detections.partition_point(|found| found.image == image);
            let (these, rest) = truths.split_at(of_image);
            truths = rest;
            let (found, rest) = detections.split_at(found);
            detections = rest;
            if !(these.is_empty() && found.is_empty()) {
                all.add_image(these, found);
            }
        }
        Ok(all.finish())
    }
}

/// What became of one prediction in one range of sizes: a bit for each threshold.
#[derive(Clone, Copy, Default)]
struct Outcome {
    matched: u16,
    ignored: u16,
}

/// Predictions of all images so far, image by image in rising order of id.
#[derive(Default)]
struct Matching {
    scores: Vec<f64>,
    /// By range of sizes, a place for each score.
    outcomes: [Vec<Outcome>; 3],
    n_people: [u64; 3],
    people: Vec<PersonFound>,
    n_cut: u64,
    n_silent_images: u64,
    n_tied: u64,
}

impl Matching {
    fn add_image(&mut self, truths: &[&Truth], found: &[&Detection]) {
        let mut found = found.to_vec();
        found.sort_by(|a, b| falling(a.score, b.score));
        self.n_tied += found
            .windows(2)
            .filter(|pair| pair[0].score == pair[1].score)
            .count() as u64;
        self.n_cut += found.len().saturating_sub(MAX_DETECTIONS) as u64;
        found.truncate(MAX_DETECTIONS);
        let similarities: Vec<Vec<f64>> = found
            .iter()
            .map(|found| {
                let to = |truth: &&Truth| oks(&found.points, &truth.pose, &SIGMAS_COCO);
                truths.iter().map(to).collect()
            })
            .collect();
        self.scores.extend(found.iter().map(|found| found.score));
        let mut counts_anywhere = false;
        for (range, area) in AREAS.iter().enumerate() {
            let is_outside = |size: f64| size < area[0] || size > area[1];
            let is_ignored: Vec<bool> = truths
                .iter()
                .map(|truth| truth.is_crowd || truth.n_labelled == 0 || is_outside(truth.pose.area))
                .collect();
            let mut order: Vec<usize> = (0..truths.len()).collect();
            order.sort_by_key(|&truth| is_ignored[truth]);
            let n_counted = is_ignored.iter().filter(|is| !**is).count();
            self.n_people[range] += n_counted as u64;
            counts_anywhere |= n_counted > 0;
            let mut outcomes = vec![Outcome::default(); found.len()];
            for threshold in 0..N_THRESHOLDS {
                let bit = 1 << threshold;
                let mut is_taken = vec![false; truths.len()];
                let mut similarity_of = vec![0.0; truths.len()];
                for (detection, outcome) in outcomes.iter_mut().enumerate() {
                    let alike = &similarities[detection];
                    let taken = best_truth(alike, &order, &is_ignored, threshold_of(threshold), |truth| {
                        is_taken[truth] && !truths[truth].is_crowd
                    });
                    match taken {
                        Some(truth) => {
                            is_taken[truth] = true;
                            similarity_of[truth] = alike[truth];
                            outcome.matched |= bit;
                            outcome.ignored |= if is_ignored[truth] { bit } else { 0 };
                        }
                        None if is_outside(found[detection].area()) => outcome.ignored |= bit,
                        None => {}
                    }
                }
                if range == 0 && threshold == 0 {
                    let counted = (0..truths.len()).filter(|&truth| !is_ignored[truth]);
                    self.people.extend(counted.map(|truth| PersonFound {
                        id: truths[truth].id,
                        image: truths[truth].image,
                        similarity: similarity_of[truth],
                    }));
                }
            }
            self.outcomes[range].extend(outcomes);
        }
        self.n_silent_images += u64::from(counts_anywhere && found.is_empty());
    }

    fn finish(self) -> KeypointResult {
        // Of equal scores, the one of the earlier image counts first.
        let mut order: Vec<usize> = (0..self.scores.len()).collect();
        order.sort_by(|&a, &b| falling(self.scores[a], self.scores[b]));
        let [all, medium, large] = [0, 1, 2].map(|range| {
            (self.n_people[range] > 0)
                .then(|| Accumulated::new(&self.outcomes[range], &order, self.n_people[range]))
        });
        let precision =
            |of: &Option<Accumulated>| of.as_ref().map(|of| mean(&of.precision.map(|at| mean(&at))));
        let recall = |of: &Option<Accumulated>| of.as_ref().map(|of| mean(&of.recall));
        let at = |threshold: usize| all.as_ref().map(|all| mean(&all.precision[threshold]));
        KeypointResult {
            scores: KeypointScores {
                ap: precision(&all),
                ap50: at(0),
                ap75: at(5),
                ap_medium: precision(&medium),
                ap_large: precision(&large),
                ar: recall(&all),
                ar50: all.as_ref().map(|all| all.recall[0]),
                ar75: all.as_ref().map(|all| all.recall[5]),
                ar_medium: recall(&medium),
                ar_large: recall(&large),
            },
            people: self.people,
            curves: all.as_ref().map(|all| {
                let means = std::array::from_fn(|place| {
                    mean(&std::array::from_fn::<_, N_THRESHOLDS, _>(|at| {
                        all.precision[at][place]
                    }))
                });
                [all.precision[0], all.precision[5], means]
            }),
            n_detections: self.scores.len() as u64,
            n_cut: self.n_cut,
            n_silent_images: self.n_silent_images,
            n_tied: self.n_tied,
        }
    }
}

/// The order of finite scores, the highest first; both zeros are equal.
fn falling(a: f64, b: f64) -> Ordering {
    b.partial_cmp(&a).unwrap_or(Ordering::Equal)
}

/// The truth that a prediction takes: the most alike that is free, of equals the later; one that does not count only where
/// no other is.
fn best_truth(
    alike: &[f64],
    order: &[usize],
    is_ignored: &[bool],
    threshold: f64,
    is_taken: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mut best = threshold.min(1.0 - 1e-10);
    let mut taken: Option<usize> = None;
    for &truth in order {
        if is_taken(truth) {
            continue;
        }
        if taken.is_some_and(|taken| !is_ignored[taken]) && is_ignored[truth] {
            break;
        }
        if alike[truth] < best {
            continue;
        }
        best = alike[truth];
        taken = Some(truth);
    }
    taken
}

/// Precision and recall over all images, by threshold.
struct Accumulated {
    precision: [[f64; N_RECALLS]; N_THRESHOLDS],
    recall: [f64; N_THRESHOLDS],
}

impl Accumulated {
    fn new(outcomes: &[Outcome], order: &[usize], n_people: u64) -> Self {
        let mut precision = [[0.0; N_RECALLS]; N_THRESHOLDS];
        let mut recall = [0.0; N_THRESHOLDS];
        let mut precisions = Vec::with_capacity(order.len());
        let mut recalls = Vec::with_capacity(order.len());
        for threshold in 0..N_THRESHOLDS {
            let bit = 1 << threshold;
            let (mut right, mut wrong) = (0_u64, 0_u64);
            precisions.clear();
            recalls.clear();
            for &place in order {
                let outcome = outcomes[place];
                if outcome.ignored & bit == 0 {
                    let is_right = outcome.matched & bit != 0;
                    right += u64::from(is_right);
                    wrong += u64::from(!is_right);
                }
                recalls.push(right as f64 / n_people as f64);
                precisions.push(right as f64 / ((wrong + right) as f64 + f64::EPSILON));
            }
            for place in (1..precisions.len()).rev() {
                precisions[place - 1] = f64::max(precisions[place - 1], precisions[place]);
            }
            recall[threshold] = recalls.last().copied().unwrap_or(0.0);
            for (at, read) in precision[threshold].iter_mut().enumerate() {
                let first = recalls.partition_point(|recall| *recall < recall_of(at));
                *read = precisions.get(first).copied().unwrap_or(0.0);
            }
        }
        Self { precision, recall }
    }
}

/// The recalls at which precision is read: numpy's `linspace(0, 1, 101)`, of which ten are not `i / 100`.
pub fn recalls() -> [f64; N_RECALLS] {
    std::array::from_fn(recall_of)
}

fn recall_of(place: usize) -> f64 {
    if place == N_RECALLS - 1 {
        1.0
    } else {
        place as f64 * 0.01
    }
}

/// numpy's `linspace(.5, .95, 10)`: the ninth is 0.8999999999999999.
fn threshold_of(place: usize) -> f64 {
    if place == N_THRESHOLDS - 1 {
        0.95
    } else {
        0.5 + place as f64 * ((0.95 - 0.5) / 9.0)
    }
}

fn mean<const N: usize>(values: &[f64; N]) -> f64 {
    values.iter().sum::<f64>() / N as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(id: i64, image: i64, left: f64) -> Truth {
        Truth {
            id,
            image,
            pose: TruthPose {
                points: std::array::from_fn(|point| [left + 10.0 * point as f64, 7.0 * point as f64]),
                is_labelled: [true; 17],
                area: 20_000.0,
                bbox: [left, 0.0, 160.0, 112.0],
            },
            is_crowd: false,
            n_labelled: 17,
            row: id as u64,
        }
    }

    fn found(image: i64, left: f64, score: f64, row: u64) -> Detection {
        Detection {
            image,
            points: truth(0, image, left).pose.points,
            score,
            row,
        }
    }

    fn scores(truths: &[Truth], detections: &[Detection]) -> [f64; 10] {
        let mut evaluator = CocoKeypoints::default();
        for image in 1..=3 {
            evaluator.add_image(image);
        }
        for truth in truths {
            evaluator.add_truth(truth.clone()).unwrap();
        }
        for detection in detections {
            evaluator.add_detection(detection.clone()).unwrap();
        }
        evaluator.finish().unwrap().scores.as_pycocotools()
    }

    #[test]
    fn thresholds_and_recalls_are_those_of_linspace() {
        assert_eq!(threshold_of(8), 0.899_999_999_999_999_9);
        assert_eq!(threshold_of(9), 0.95);
        assert_eq!(recall_of(35), 0.350_000_000_000_000_03);
        assert_eq!(recalls()[100], 1.0);
    }

    #[test]
    fn exact_predictions_are_perfect_and_nobody_of_medium_size_is_undefined() {
        let (a, b) = (truth(1, 1, 0.0), truth(2, 2, 0.0));
        let numbers = scores(&[a, b], &[found(1, 0.0, 0.9, 0), found(2, 0.0, 0.8, 1)]);
        for (place, (id, _)) in SCORE_NAMES.iter().enumerate() {
            let expected = if id.ends_with("medium") { -1.0 } else { 1.0 };
            assert!(
                (numbers[place] - expected).abs() < 1e-12,
                "{id}: {}",
                numbers[place]
            );
        }
    }

    #[test]
    fn landmarks_have_coco_s_names() {
        use crate::keypoint_sets::KeypointSet;
        use crate::skeleton::LANDMARK_NAMES;
        let names = KeypointSet::Coco17.names().iter();
        for (name, landmark) in names.zip(BLAZEPOSE_LANDMARKS) {
            assert_eq!(LANDMARK_NAMES[landmark], *name);
        }
    }

    #[test]
    fn nobody_found_is_zero_and_an_id_of_zero_counts() {
        assert_eq!(scores(&[truth(1, 1, 0.0)], &[])[0], 0.0);
        let numbers = scores(&[truth(0, 1, 0.0)], &[found(1, 0.0, 0.5, 0)]);
        assert!((numbers[0] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_crowd_takes_many_and_counts_nothing() {
        let mut crowd = truth(2, 1, 400.0);
        crowd.is_crowd = true;
        let many: Vec<Detection> = (0..5).map(|row| found(1, 400.0, 0.9, row)).collect();
        let mut all = vec![found(1, 0.0, 0.5, 9)];
        all.extend(many);
        assert!((scores(&[truth(1, 1, 0.0), crowd], &all)[0] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut evaluator = CocoKeypoints::default();
        assert_eq!(evaluator.finish(), Err(MetricError::Empty { what: "images" }));
        evaluator.add_image(1);
        assert!(matches!(evaluator.finish(), Err(MetricError::Empty { .. })));
        evaluator.add_truth(truth(1, 1, 0.0)).unwrap();
        let twice = evaluator.add_truth(truth(1, 1, 0.0)).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "the annotation id 1 occurs twice; each may occur once"
        );
        for spoil in [
            |found: &mut Detection| found.score = f64::NAN,
            |found: &mut Detection| found.points[3][1] = f64::INFINITY,
        ] {
            let mut bad = found(1, 0.0, 0.5, 4);
            spoil(&mut bad);
            let error = evaluator.add_detection(bad).unwrap_err();
            assert!(matches!(error, MetricError::NotFinite { row: 5, .. }), "{error}");
        }
        evaluator.add_detection(found(7, 0.0, 0.5, 0)).unwrap();
        let error = evaluator.finish().unwrap_err().to_string();
        assert_eq!(
            error,
            "a prediction names an image that the truth does not list: image id 7"
        );
    }
}
