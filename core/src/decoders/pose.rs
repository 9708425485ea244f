//! Points and boxes in a picture, of any model. Like [`crate::pose::Pose`] these types cannot be serialised.

use crate::geometry::Point2;

use super::View;

/// A point that a model found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Keypoint {
    /// Pixels from the picture's left edge; may lie outside of it.
    pub x_px: f32,
    /// Pixels from the picture's upper edge; may lie outside of it.
    pub y_px: f32,
    /// Depth in the scale of `x_px`, smaller is nearer to the camera; models that give depth.
    pub z_px: Option<f32>,
    /// How sure the model is; most families give 0 to 1.
    pub score: f32,
}

/// An upright rectangle of the picture, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Upper left corner.
    pub min: Point2,
    /// Lower right corner.
    pub max: Point2,
}

impl Rect {
    /// Pixels covered; 0 where the corners are the wrong way round.
    pub fn area(&self) -> f32 {
        (self.max.x - self.min.x).max(0.0) * (self.max.y - self.min.y).max(0.0)
    }

    /// Intersection over union with another, 0 to 1.
    pub fn overlap(&self, other: &Self) -> f32 {
        let intersection = Self {
            min: Point2::new(self.min.x.max(other.min.x), self.min.y.max(other.min.y)),
            max: Point2::new(self.max.x.min(other.max.x), self.max.y.min(other.max.y)),
        }
        .area();
        let union = self.area() + other.area() - intersection;
        if union > 0.0 { intersection / union } else { 0.0 }
    }

    /// From corners in pixels of the input.
    pub(super) fn in_image(min: Point2, max: Point2, view: &View<'_>) -> Self {
        Self {
            min: view.placement.point_in_image(min),
            max: view.placement.point_in_image(max),
        }
    }
}

/// A person, a hand or a face of any model.
#[derive(Clone, Debug, PartialEq)]
pub struct KeypointPose {
    /// In the order of the model's [`KeypointSet`](crate::keypoint_sets::KeypointSet).
    pub keypoints: Vec<Keypoint>,
    /// Where the model drew a box, that box.
    pub bounds: Option<Rect>,
    /// How sure the model is of the whole.
    pub score: f32,
}

impl KeypointPose {
    /// The smallest rectangle around the points of at least `min_score`; `None` where there are none.
    pub fn rect_around(&self, min_score: f32) -> Option<Rect> {
        let mut sure = self.keypoints.iter().filter(|point| point.score >= min_score);
        let first = sure.next()?;
        let corner = Point2::new(first.x_px, first.y_px);
        let start = Rect {
            min: corner,
            max: corner,
        };
        Some(sure.fold(start, |rect, point| Rect {
            min: Point2::new(rect.min.x.min(point.x_px), rect.min.y.min(point.y_px)),
            max: Point2::new(rect.max.x.max(point.x_px), rect.max.y.max(point.y_px)),
        }))
    }
}

/// An object of any detector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectedBox {
    /// Where.
    pub rect: Rect,
    /// Which class, an index of the manifest's labels.
    pub class: usize,
    /// How sure the model is, 0 to 1.
    pub score: f32,
}
