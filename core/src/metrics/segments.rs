//! How well actions are found as segments of time: F1 at overlaps, and the edit score of their order. F1 merges exactly
//! (counts), the edit score to rounding (a compensated sum over videos).
//!
//! A segment is a run of equal labels that are not the background. A predicted segment takes the truth of its label that
//! it overlaps most, by intersection over union, if that is at least the threshold and not taken yet. Source: `eval.py` of
//! MS-TCN (Abu Farha and Gall 2019), which counts over all videos before it divides; both scores are percentages. Where
//! neither side has a segment, it gives NaN or fails, and we have no value.

use super::{Evaluator, MetricError, agree};
use crate::statistics::sums::Sum;

/// Overlaps where nobody says others.
pub const DEFAULT_OVERLAPS: [f64; 3] = [0.10, 0.25, 0.50];

/// Segments of one video that are read; comparing their order takes the product of both numbers.
pub const MAX_SEGMENTS: usize = 20_000;

/// Frames of one action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which action.
    pub label: u32,
    /// The first frame.
    pub start: u64,
    /// The frame after the last.
    pub end: u64,
}

/// The segments of a video's labels. Older forks of the reference let the last segment end one frame early; so does
/// `last_ends_early`.
pub fn segments_of(labels: &[u32], background: Option<u32>, last_ends_early: bool) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut start = 0;
    for end in 1..=labels.len() {
        if end < labels.len() && labels[end] == labels[start] {
            continue;
        }
        if background != Some(labels[start]) {
            let is_early = last_ends_early && end == labels.len();
            segments.push(Segment {
                label: labels[start],
                start: start as u64,
                end: (end - usize::from(is_early)) as u64,
            });
        }
        start = end;
    }
    segments
}

/// Counts segments that were found, by overlap, and how alike the order of actions is.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmental {
    background: Option<u32>,
    last_ends_early: bool,
    by_overlap: Vec<Found>,
    edits: Sum,
    n_edits: u64,
    n_videos: u64,
}

/// Segments at one overlap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// How much of both must be shared.
    pub overlap: f64,
    /// Predicted segments that took a truth.
    pub right: u64,
    /// Those that took none.
    pub wrong: u64,
    /// Truths that nobody took.
    pub missed: u64,
}

impl Found {
    /// `2·tp / (2·tp + fp + fn)` in percent; none where neither side has a segment.
    pub fn f1_percent(&self) -> Option<f64> {
        super::share(2 * self.right, 2 * self.right + self.wrong + self.missed).map(|share| share * 100.0)
    }
}

/// What follows from all videos.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentFigures {
    /// By overlap, as they were given.
    pub by_overlap: Vec<Found>,
    /// The mean over videos of `1 - edits / longer list`, in percent; none where no video has a segment.
    pub edit_percent: Option<f64>,
    /// Videos with a segment on either side, which the edit score is of.
    pub n_edits: u64,
    /// All videos.
    pub n_videos: u64,
}

impl Segmental {
    /// No videos.
    ///
    /// # Errors
    /// No overlaps, or some that are not above 0 and at most 1.
    pub fn new(
        overlaps: &[f64],
        background: Option<u32>,
        last_ends_early: bool,
    ) -> Result<Self, MetricError> {
        if overlaps.is_empty() {
            return Err(MetricError::Empty { what: "overlaps" });
        }
        for (place, &overlap) in overlaps.iter().enumerate() {
            if !(overlap > 0.0 && overlap <= 1.0) {
                return Err(MetricError::OutOfRange {
                    what: "an overlap".to_owned(),
                    row: place as u64 + 1,
                    value: overlap,
                    range: "above 0 and at most 1",
                });
            }
        }
        let found = |&overlap| Found {
            overlap,
            right: 0,
            wrong: 0,
            missed: 0,
        };
        Ok(Self {
            background,
            last_ends_early,
            by_overlap: overlaps.iter().map(found).collect(),
            edits: Sum::default(),
            n_edits: 0,
            n_videos: 0,
        })
    }

    /// Takes the labels of a video's frames.
    ///
    /// # Errors
    /// Another number of predicted frames, no frames, too many segments.
    pub fn observe(&mut self, truth: &[u32], predicted: &[u32]) -> Result<(), MetricError> {
        agree("number of predicted frames", truth.len(), predicted.len())?;
        if truth.is_empty() {
            return Err(MetricError::Empty { what: "frames" });
        }
        let truth = segments_of(truth, self.background, self.last_ends_early);
        let predicted = segments_of(predicted, self.background, self.last_ends_early);
        if truth.len().max(predicted.len()) > MAX_SEGMENTS {
            return Err(MetricError::TooMany {
                what: "segments in one video",
                limit: MAX_SEGMENTS as u64,
            });
        }
        for found in &mut self.by_overlap {
            count(found, &truth, &predicted);
        }
        let longer = truth.len().max(predicted.len());
        if longer > 0 {
            let edits = edits(&predicted, &truth);
            self.edits.add((1.0 - edits as f64 / longer as f64) * 100.0);
            self.n_edits += 1;
        }
        self.n_videos += 1;
        Ok(())
    }
}

impl Evaluator for Segmental {
    type Result = SegmentFigures;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        let settings = |of: &Self| {
            let overlaps: Vec<f64> = of.by_overlap.iter().map(|found| found.overlap).collect();
            (overlaps, of.background, of.last_ends_early)
        };
        if settings(self) != settings(other) {
            return Err(MetricError::Mismatch {
                what: "overlaps, background or ends of segments".to_owned(),
                expected: self.by_overlap.len() as u64,
                found: other.by_overlap.len() as u64,
            });
        }
        for (sum, found) in self.by_overlap.iter_mut().zip(&other.by_overlap) {
            sum.right += found.right;
            sum.wrong += found.wrong;
            sum.missed += found.missed;
        }
        self.edits.merge(&other.edits);
        self.n_edits += other.n_edits;
        self.n_videos += other.n_videos;
        Ok(())
    }

    fn finish(&self) -> Result<SegmentFigures, MetricError> {
        if self.n_videos == 0 {
            return Err(MetricError::Empty { what: "videos" });
        }
        Ok(SegmentFigures {
            by_overlap: self.by_overlap.clone(),
            edit_percent: (self.n_edits > 0).then(|| self.edits.value() / self.n_edits as f64),
            n_edits: self.n_edits,
            n_videos: self.n_videos,
        })
    }
}

/// Adds the segments of one video at one overlap.
fn count(found: &mut Found, truth: &[Segment], predicted: &[Segment]) {
    let mut is_taken = vec![false; truth.len()];
    for segment in predicted {
        let mut best = (0.0, None);
        // Segments are in order of time, so those that can overlap stand together.
        let first = truth.partition_point(|other| other.end <= segment.start);
        let reachable = truth.iter().enumerate().skip(first);
        for (place, other) in reachable.take_while(|(_, other)| other.start < segment.end) {
            let shared = segment
                .end
                .min(other.end)
                .saturating_sub(segment.start.max(other.start));
            let either = segment.end.max(other.end) - segment.start.min(other.start);
            let overlap = shared as f64 / either as f64;
            // Of equals, the first.
            if other.label == segment.label && overlap > best.0 {
                best = (overlap, Some(place));
            }
        }
        match best {
            (overlap, Some(place)) if overlap >= found.overlap && !is_taken[place] => {
                is_taken[place] = true;
                found.right += 1;
            }
            _ => found.wrong += 1,
        }
    }
    found.missed += is_taken.iter().filter(|is| !**is).count() as u64;
}

/// Levenshtein's distance of the orders of actions.
fn edits(a: &[Segment], b: &[Segment]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (place, segment) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = place + 1;
        for (column, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(segment.label != other.label);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(runs: &[(u32, usize)]) -> Vec<u32> {
        runs.iter()
            .flat_map(|&(label, n)| std::iter::repeat_n(label, n))
            .collect()
    }

    #[test]
    fn runs_of_labels_are_segments() {
        let labels = runs(&[(0, 2), (1, 3), (2, 1), (2, 1)]);
        let segment = |label, start, end| Segment { label, start, end };
        assert_eq!(
            segments_of(&labels, Some(0), false),
            [segment(1, 2, 5), segment(2, 5, 7)]
        );
        assert_eq!(
            segments_of(&labels, Some(0), true),
            [segment(1, 2, 5), segment(2, 5, 6)]
        );
        assert_eq!(segments_of(&labels, None, false)[0], segment(0, 0, 2));
        assert!(segments_of(&[], None, false).is_empty());
    }

    /// Half of the truth is the least overlap that counts at .5; one frame less is not enough.
    #[test]
    fn an_overlap_that_is_exactly_the_threshold_counts() {
        for (n_found, expected) in [(10, Some(100.0)), (9, Some(0.0))] {
            let mut segmental = Segmental::new(&[0.5], Some(0), false).unwrap();
            let truth = runs(&[(1, 20)]);
            segmental
                .observe(&truth, &runs(&[(1, n_found), (0, 20 - n_found)]))
                .unwrap();
            assert_eq!(segmental.finish().unwrap().by_overlap[0].f1_percent(), expected);
        }
    }

    #[test]
    fn nothing_but_background_has_no_score() {
        let mut segmental = Segmental::new(&DEFAULT_OVERLAPS, Some(0), false).unwrap();
        assert!(segmental.finish().is_err());
        segmental.observe(&[0; 5], &[0; 5]).unwrap();
        let figures = segmental.finish().unwrap();
        assert_eq!(
            (figures.edit_percent, figures.by_overlap[0].f1_percent()),
            (None, None)
        );
        // Something predicted where there is nothing: the reference fails here.
        segmental.observe(&[0; 5], &[1; 5]).unwrap();
        let figures = segmental.finish().unwrap();
        assert_eq!(
            (figures.edit_percent, figures.by_overlap[0].f1_percent()),
            (Some(0.0), Some(0.0))
        );
    }

    #[test]
    fn bad_videos_and_settings_are_refused() {
        let mut segmental = Segmental::new(&[0.5], None, false).unwrap();
        assert!(segmental.observe(&[1], &[1, 1]).is_err());
        assert!(segmental.observe(&[], &[]).is_err());
        let jumping: Vec<u32> = (0..=MAX_SEGMENTS as u32).collect();
        assert!(segmental.observe(&jumping, &jumping).is_err());
        for bad in [0.0, 1.1, f64::NAN] {
            assert!(Segmental::new(&[bad], None, false).is_err());
        }
        assert!(
            segmental
                .merge(&Segmental::new(&[0.6], None, false).unwrap())
                .is_err()
        );
    }
}
