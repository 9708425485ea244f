//! SimCC: each point as two distributions, one over the columns and one over the rows of the input.
//!
//! `[1, K, width * split]` and `[1, K, height * split]`. A point is where each is greatest, divided by the split; its
//! score is the lesser of the two maxima, and a point whose score is not above 0 is nowhere (MMPose,
//! `get_simcc_maximum` and `SimCCLabel.decode`). RTMPose's exports give the numbers before the softmax, and that is what
//! the score is of; values around 0.3 to 1 are usual.

use super::View;
use super::pose::{Keypoint, KeypointPose};
use super::tensor::{DecodeError, Tensor};
use crate::geometry::Point2;

/// How exactly a maximum is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Place {
    /// At the bin, as published: half a pixel of the input at the usual split of 2.
    #[default]
    Bin,
    /// At the vertex of the parabola through the bin and its two neighbours, which is the mean of a distribution whose
    /// logarithm was given (models are trained with normal distributions). At most half a bin away from it.
    Vertex,
}

/// No model has more points.
const MAX_KEYPOINTS: usize = 4096;

/// The person in the input. Its score is the mean of its points'.
///
/// # Errors
/// [`DecodeError`] for other shapes and for what is no number.
pub fn decode(
    x: &Tensor<'_>,
    y: &Tensor<'_>,
    view: &View<'_>,
    place: Place,
) -> Result<KeypointPose, DecodeError> {
    let unexpected = |tensor: &Tensor<'_>| {
        tensor.unexpected(
            "SimCC",
            "[1, points, bins] with as many points for columns as for rows",
        )
    };
    let &[1, count, columns] = x.shape() else {
        return Err(unexpected(x));
    };
    let &[1, count_y, rows] = y.shape() else {
        return Err(unexpected(y));
    };
    if count != count_y || count == 0 || count > MAX_KEYPOINTS {
        return Err(unexpected(y));
    }
    let (width, height) = (view.size.width_px as usize, view.size.height_px as usize);
    let splits = [(columns, width), (rows, height)].map(|(bins, side)| {
        (side > 0 && bins > 0 && bins.is_multiple_of(side)).then_some(bins as f32 / side as f32)
    });
    let [Some(split_x), Some(split_y)] = splits else {
        return Err(DecodeError::new(format!(
            "{columns} bins for {width} columns and {rows} for {height} rows are no whole number a pixel; is the \
             input's size right, and are simcc-x and simcc-y the right way round?"
        )));
    };
    let (x, y) = (x.finite()?, y.finite()?);
    let keypoints: Vec<Keypoint> = x
        .chunks_exact(columns)
        .zip(y.chunks_exact(rows))
        .map(|(x, y)| {
            let (x_bin, x_score) = greatest(x, place);
            let (y_bin, y_score) = greatest(y, place);
            let point_in_model = Point2::new(x_bin / split_x, y_bin / split_y);
            let point = view.placement.point_in_image(point_in_model);
            Keypoint {
                x_px: point.x,
                y_px: point.y,
                z_px: None,
                score: x_score.min(y_score).max(0.0),
            }
        })
        .collect();
    let score = keypoints.iter().map(|point| point.score).sum::<f32>() / count as f32;
    Ok(KeypointPose {
        keypoints,
        bounds: None,
        score,
    })
}

/// Where a distribution is greatest, the first of equals, and how great.
fn greatest(bins: &[f32], place: Place) -> (f32, f32) {
    let mut best = 0;
    for (index, &value) in bins.iter().enumerate() {
        if value > bins[best] {
            best = index;
        }
    }
    let value = bins[best];
    let neighbours = best
        .checked_sub(1)
        .and_then(|left| bins.get(left))
        .zip(bins.get(best + 1));
    let offset = match (place, neighbours) {
        (Place::Vertex, Some((left, right))) => {
            let curvature = left + right - 2.0 * value;
            let offset = 0.5 * (left - right) / curvature;
            if curvature < 0.0 && offset.is_finite() {
                offset.clamp(-0.5, 0.5)
            } else {
                0.0
            }
        }
        _ => 0.0,
    };
    (best as f32 + offset, value)
}
