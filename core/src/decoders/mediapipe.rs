//! MediaPipe's landmark models of a body, a hand or a face, on a crop that holds one.
//!
//! Rows of x, y, z in pixels of the input (`TensorsToLandmarksCalculator`); a body's have a visibility and a presence
//! beside them, before the sigmoid. A body has 39 rows, of which 33 are landmarks; a hand 21; a face 468, or 478 with
//! irises. Whether the crop holds what is looked for comes as a number of its own: hands and bodies after the sigmoid,
//! faces before it, so a number outside of 0 to 1 is taken for one before it. Below 0.5 nobody is there, as where
//! MediaPipe's graphs follow a body, a hand or a face (`ThresholdingCalculator`).

use super::View;
use super::pose::{Keypoint, KeypointPose};
use super::tensor::{DecodeError, Tensor};
use crate::detection::sigmoid;
use crate::geometry::Point2;
use crate::landmarks::VALUES_PER_LANDMARK;
use crate::skeleton::LANDMARK_COUNT;

/// Which of the models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// BlazePose: 39 rows of five numbers.
    Pose,
    /// 21 rows of three numbers.
    Hand,
    /// 468 or 478 rows of three numbers.
    Face,
}

/// Below nobody is there.
const MIN_PRESENCE: f32 = 0.5;

/// The landmarks of the crop, or nobody. Points of hands and faces have the score of the whole, those of a body their visibility;
/// without a presence the score is the mean visibility of a body, and 1 for others.
///
/// # Errors
/// [`DecodeError`] for other shapes and for what is no number.
pub fn decode(
    family: Family,
    landmarks: &Tensor<'_>,
    presence: Option<&Tensor<'_>>,
    view: &View<'_>,
) -> Result<Vec<KeypointPose>, DecodeError> {
    let length = landmarks.row_length();
    let (row, count) = match (family, length) {
        (Family::Pose, Some(195)) => (VALUES_PER_LANDMARK, LANDMARK_COUNT),
        (Family::Hand, Some(63)) => (3, 21),
        (Family::Face, Some(1404)) => (3, 468),
        (Family::Face, Some(1434)) => (3, 478),
        (Family::Pose, _) => return Err(landmarks.unexpected("BlazePose", "[1, 195]")),
        (Family::Hand, _) => return Err(landmarks.unexpected("the hand model", "[1, 63]")),
        (Family::Face, _) => {
            return Err(landmarks.unexpected("the face mesh", "[1, 1, 1, 1404] or [1, 1, 1, 1434]"));
        }
    };
    let values = landmarks.finite()?;
    let presence = match presence {
        None => None,
        Some(tensor) => match *tensor.finite()? {
            [value] if (0.0..=1.0).contains(&value) => Some(value),
            [value] => Some(sigmoid(value)),
            _ => return Err(tensor.unexpected("a presence", "a single number")),
        },
    };
    if presence.is_some_and(|presence| presence < MIN_PRESENCE) {
        return Ok(Vec::new());
    }
    // Depth has the scale of x, as in MediaPipe's projection.
    let scale = view.placement.image_from_model().xx;
    let keypoints: Vec<Keypoint> = values
        .chunks_exact(row)
        .take(count)
        .map(|row| {
            let point = view.placement.point_in_image(Point2::new(row[0], row[1]));
            let visibility = row.get(3).map(|&logit| sigmoid(logit));
            Keypoint {
                x_px: point.x,
                y_px: point.y,
                z_px: Some(row[2] * scale),
                score: visibility.or(presence).unwrap_or(1.0),
            }
        })
        .collect();
    let mean = keypoints.iter().map(|point| point.score).sum::<f32>() / count as f32;
    Ok(vec![KeypointPose {
        score: presence.unwrap_or(mean),
        keypoints,
        bounds: None,
    }])
}
