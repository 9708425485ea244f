//! Heatmaps: each point as a plane that says how probably it is at each place of the input.
//!
//! `[1, K, H, W]`, or `[1, H, W, K]` where the input has components innermost. A point is where its plane is greatest,
//! moved by a quarter of a cell towards the greater neighbour in each direction, times how much larger the input is; its
//! score is the maximum, and a point whose score is not above 0 is nowhere (MMPose, `get_heatmap_maximum`,
//! `refine_keypoints` and `MSRAHeatmap.decode`, which are SimpleBaseline's).

use super::View;
use super::pose::{Keypoint, KeypointPose};
use super::tensor::{DecodeError, Tensor};
use crate::geometry::Point2;
use crate::model_input::Layout;
use crate::proposal::planes;

/// No model has more points.
const MAX_KEYPOINTS: usize = 4096;

/// How far a point moves towards the greater neighbour, in cells.
const SHIFT: f32 = 0.25;

/// The person in the input. Its score is the mean of its points'.
///
/// # Errors
/// [`DecodeError`] for other shapes and for what is no number.
pub fn decode(output: &Tensor<'_>, layout: Layout, view: &View<'_>) -> Result<KeypointPose, DecodeError> {
    let unexpected = || output.unexpected("heatmaps", "a plane for each point");
    let (count, height, width) = planes(output.shape(), layout).ok_or_else(unexpected)?;
    if count == 0 || count > MAX_KEYPOINTS || width == 0 || height == 0 {
        return Err(unexpected());
    }
    let values = output.finite()?;
    let at = |point: usize, x: usize, y: usize| match layout {
        Layout::Nhwc => values[(y * width + x) * count + point],
        Layout::Nchw => values[(point * height + y) * width + x],
    };
    let scale = [
        view.size.width_px as f32 / width as f32,
        view.size.height_px as f32 / height as f32,
    ];
    let keypoints: Vec<Keypoint> = (0..count)
        .map(|point| {
            let (mut x, mut y) = (0, 0);
            for row in 0..height {
                for column in 0..width {
                    if at(point, column, row) > at(point, x, y) {
                        (x, y) = (column, row);
                    }
                }
            }
            let towards = |after: f32, before: f32| match after.partial_cmp(&before) {
                Some(std::cmp::Ordering::Greater) => SHIFT,
                Some(std::cmp::Ordering::Less) => -SHIFT,
                _ => 0.0,
            };
            let (mut place_x, mut place_y) = (x as f32, y as f32);
            // As published: not in the first two cells and the last of a direction, nor on the first line across it.
            if 1 < x && x + 1 < width && 0 < y {
                place_x += towards(at(point, x + 1, y), at(point, x - 1, y));
            }
            if 1 < y && y + 1 < height && 0 < x {
                place_y += towards(at(point, x, y + 1), at(point, x, y - 1));
            }
            let point_in_model = Point2::new(place_x * scale[0], place_y * scale[1]);
            let place = view.placement.point_in_image(point_in_model);
            Keypoint {
                x_px: place.x,
                y_px: place.y,
                z_px: None,
                score: at(point, x, y).max(0.0),
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
