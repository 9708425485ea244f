//! MoveNet: 17 points of one person, or of up to six.
//!
//! Single: `[1, 1, 17, 3]` of y, x, score; several: `[1, 6, 56]` of 17 times y, x, score, then the box's upper, left,
//! lower and right edge and its score. Coordinates are fractions of the input. A person's score is the mean of the
//! points above 0.2, as in TensorFlow.js' pose-detection (`movenet/detector.ts`, `MIN_CROP_KEYPOINT_SCORE`); of several
//! people those above 0.25 count (`DEFAULT_MIN_POSE_SCORE`).

use super::View;
use super::pose::{Keypoint, KeypointPose, Rect};
use super::tensor::{DecodeError, Tensor};
use crate::geometry::Point2;

/// Points of a person.
const KEYPOINT_COUNT: usize = 17;
/// Numbers of one of several people.
const PERSON_LEN: usize = KEYPOINT_COUNT * 3 + 5;
/// Points below count for nothing in a person's score.
const MIN_KEYPOINT_SCORE: f32 = 0.2;
/// People below are nobody.
const MIN_PERSON_SCORE: f32 = 0.25;

/// The one person whom the model always gives, or nobody where no point is sure.
///
/// # Errors
/// [`DecodeError`] for other shapes and for what is no number.
pub fn single(output: &Tensor<'_>, view: &View<'_>) -> Result<Vec<KeypointPose>, DecodeError> {
    if output.shape() != [1, 1, KEYPOINT_COUNT, 3] {
        return Err(output.unexpected("MoveNet", "[1, 1, 17, 3]"));
    }
    let keypoints = keypoints(output.finite()?, view);
    let sure = || {
        let scores = keypoints.iter().map(|point| point.score);
        scores.filter(|&score| score > MIN_KEYPOINT_SCORE)
    };
    let count = sure().count();
    if count == 0 {
        return Ok(Vec::new());
    }
    let score = sure().sum::<f32>() / count as f32;
    Ok(vec![KeypointPose {
        keypoints,
        bounds: None,
        score,
    }])
}

/// Everybody whom the model is sure of, the surest first.
///
/// # Errors
/// As [`single`].
pub fn several(output: &Tensor<'_>, view: &View<'_>) -> Result<Vec<KeypointPose>, DecodeError> {
    let &[1, _, PERSON_LEN] = output.shape() else {
        return Err(output.unexpected("MoveNet MultiPose", "[1, 6, 56]"));
    };
    let mut people: Vec<KeypointPose> = output
        .finite()?
        .chunks_exact(PERSON_LEN)
        .filter(|row| row[PERSON_LEN - 1] >= MIN_PERSON_SCORE)
        .map(|row| {
            let (points, rect) = row.split_at(KEYPOINT_COUNT * 3);
            KeypointPose {
                keypoints: keypoints(points, view),
                bounds: Some(Rect::in_image(
                    in_model(rect[1], rect[0], view),
                    in_model(rect[3], rect[2], view),
                    view,
                )),
                score: rect[4],
            }
        })
        .collect();
    people.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(people)
}

fn in_model(x: f32, y: f32, view: &View<'_>) -> Point2 {
    Point2::new(x * view.size.width_px as f32, y * view.size.height_px as f32)
}

/// Rows of y, x, score.
fn keypoints(rows: &[f32], view: &View<'_>) -> Vec<Keypoint> {
    rows.chunks_exact(3)
        .map(|row| {
            let point = view.placement.point_in_image(in_model(row[1], row[0], view));
            Keypoint {
                x_px: point.x,
                y_px: point.y,
                z_px: None,
                score: row[2],
            }
        })
        .collect()
}
