//! YOLO of versions 8 and 11 and their successors: boxes, with points or without, for each cell of the input.
//!
//! Without suppression inside: `[1, 4 + classes + 3 K, cells]`, for each cell the box's centre, width and height in
//! pixels of the input, a probability for each class, then x, y and the probability of being visible for each point.
//! With suppression inside: `[1, N, 6 + 3 K]`, for each candidate two corners, score, class, and the points. Thresholds
//! are the defaults of Ultralytics' `predict`: confidence 0.25, overlap 0.7, 300 objects, of the 30,000 surest.

use super::View;
use super::pose::{DetectedBox, Keypoint, KeypointPose, Rect};
use super::suppression::{Same, suppress, suppress_poses};
use super::tensor::{DecodeError, Tensor};
use crate::geometry::{ImageSize, Point2};
use crate::keypoint_sets::KeypointSet;

/// When a candidate counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Candidates of less are dropped.
    pub min_score: f32,
    /// When two candidates are the same; of boxes only [`Same::Overlap`] is asked.
    pub same: Same,
    /// At most so many remain.
    pub limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_score: 0.25,
            same: Same::Overlap(0.7),
            limit: 300,
        }
    }
}

/// Candidates beyond the surest so many are not looked at.
const MAX_CANDIDATES: usize = 30_000;
/// No model has more points or classes.
const MAX_VALUES: usize = 1 << 14;

/// A candidate, in pixels of the input.
struct Candidate {
    min: Point2,
    max: Point2,
    class: usize,
    score: f32,
    /// Where in the tensor it stands.
    index: usize,
}

/// How many cells an input has at strides 8, 16 and 32; nothing for sides that are no multiples of 32.
pub(crate) fn cells_of(size: ImageSize) -> Option<usize> {
    let [width, height] = [size.width_px, size.height_px].map(|side| side as usize);
    (width.is_multiple_of(32) && height.is_multiple_of(32)).then(|| {
        [8, 16, 32]
            .into_iter()
            .map(|stride| (width / stride) * (height / stride))
            .sum()
    })
}

/// The two forms of the output.
#[derive(Clone, Copy)]
enum Form {
    /// `[1, values, cells]`.
    Cells { classes: usize, cells: usize },
    /// `[1, candidates, values]`.
    Finished { values: usize },
}

/// People with their points. `points` says how many there are; [`KeypointSet::Numbered`] takes all that is there behind
/// one class.
///
/// # Errors
/// [`DecodeError`] for other shapes and for what is no number.
pub fn poses(
    output: &Tensor<'_>,
    points: KeypointSet,
    view: &View<'_>,
    options: &Options,
) -> Result<Vec<KeypointPose>, DecodeError> {
    let unexpected = || {
        output.unexpected(
            "YOLO-pose",
            "[1, 5 + 3 points, cells] or, with suppression inside, [1, candidates, 6 + 3 points]",
        )
    };
    let &[1, first, second] = output.shape() else {
        return Err(unexpected());
    };
    let known = points.names().len();
    let count_in = |values: usize, others: usize| match known {
        0 => values
            .checked_sub(others)
            .filter(|rest| rest % 3 == 0)
            .map(|rest| rest / 3),
        known => (values >= others + 3 * known).then_some(known),
    };
    let finished = count_in(second, 6).filter(|count| second == 6 + 3 * count);
    let (form, count) = match finished {
        Some(count) if cells_of(view.size) != Some(second) && (known > 0 || first >= second) => {
            (Form::Finished { values: second }, count)
        }
        _ => {
            let count = count_in(first, 5).ok_or_else(unexpected)?;
            let classes = first - 4 - 3 * count;
            let cells = second;
            (Form::Cells { classes, cells }, count)
        }
    };
    if count == 0 || first.min(second) > MAX_VALUES {
        return Err(unexpected());
    }
    let values = output.finite()?;
    let keypoints = |candidate: &Candidate| -> Vec<Keypoint> {
        let value = |point: usize, part: usize| match form {
            Form::Cells { classes, cells } => {
                values[(4 + classes + 3 * point + part) * cells + candidate.index]
            }
            Form::Finished { values: len } => values[candidate.index * len + 6 + 3 * point + part],
        };
        (0..count)
            .map(|point| {
                let place = Point2::new(value(point, 0), value(point, 1));
                let place = view.placement.point_in_image(place);
                Keypoint {
                    x_px: place.x,
                    y_px: place.y,
                    z_px: None,
                    score: value(point, 2),
                }
            })
            .collect()
    };
    let poses = candidates(values, form, options.min_score)
        .iter()
        .map(|candidate| KeypointPose {
            keypoints: keypoints(candidate),
            bounds: Some(Rect::in_image(candidate.min, candidate.max, view)),
            score: candidate.score,
        })
        .collect();
    Ok(match form {
        Form::Cells { .. } => suppress_poses(poses, options.same, options.limit),
        Form::Finished { .. } => {
            let mut poses = poses;
            poses.truncate(options.limit);
            poses
        }
    })
}

/// Objects of any class; those of different classes never suppress each other.
///
/// # Errors
/// As [`poses`].
pub fn boxes(
    output: &Tensor<'_>,
    view: &View<'_>,
    options: &Options,
) -> Result<Vec<DetectedBox>, DecodeError> {
    let form = match *output.shape() {
        [1, _, 6] => Form::Finished { values: 6 },
        [1, values @ 5..=MAX_VALUES, cells] => Form::Cells {
            classes: values - 4,
            cells,
        },
        _ => {
            let expected = "[1, 4 + classes, cells] or, with suppression inside, [1, candidates, 6]";
            return Err(output.unexpected("YOLO", expected));
        }
    };
    let boxes: Vec<DetectedBox> = candidates(output.finite()?, form, options.min_score)
        .iter()
        .map(|candidate| DetectedBox {
            rect: Rect::in_image(candidate.min, candidate.max, view),
            class: candidate.class,
            score: candidate.score,
        })
        .collect();
    let most = match (form, options.same) {
        (Form::Cells { .. }, Same::Overlap(most)) => most,
        // What is finished overlaps as it may.
        _ => f32::INFINITY,
    };
    let scores: Vec<f32> = boxes.iter().map(|found| found.score).collect();
    let kept = suppress(&scores, options.limit, |surer, other| {
        let (surer, other) = (&boxes[surer], &boxes[other]);
        surer.class == other.class && surer.rect.overlap(&other.rect) > most
    });
    Ok(kept.into_iter().map(|index| boxes[index]).collect())
}

/// Those that are sure enough, the surest first.
fn candidates(values: &[f32], form: Form, min_score: f32) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = match form {
        Form::Cells { classes, cells } => (0..cells)
            .filter_map(|cell| {
                let at = |row: usize| values[row * cells + cell];
                let mut class = 0;
                for other in 1..classes {
                    if at(4 + other) > at(4 + class) {
                        class = other;
                    }
                }
                let score = at(4 + class);
                let (x, y, half_width, half_height) = (at(0), at(1), at(2) / 2.0, at(3) / 2.0);
                (score > min_score).then_some(Candidate {
                    min: Point2::new(x - half_width, y - half_height),
                    max: Point2::new(x + half_width, y + half_height),
                    class,
                    score,
                    index: cell,
                })
            })
            .collect(),
        Form::Finished { values: len } => values
            .chunks_exact(len)
            .enumerate()
            .filter(|(_, row)| row[4] > min_score)
            .map(|(index, row)| Candidate {
                min: Point2::new(row[0], row[1]),
                max: Point2::new(row[2], row[3]),
                class: row[5].max(0.0) as usize,
                score: row[4],
                index,
            })
            .collect(),
    };
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MAX_CANDIDATES);
    found
}
