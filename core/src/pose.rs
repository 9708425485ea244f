//! A person in one frame. These types cannot be serialised, so that no code path can upload them by accident.

use crate::geometry::Point2;
use crate::roi::RotatedRect;
use crate::skeleton::LANDMARK_COUNT;

/// A landmark in the image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Landmark {
    /// Pixels from the left edge; may lie outside of the image.
    pub x_px: f32,
    /// Pixels from the upper edge; may lie outside of the image.
    pub y_px: f32,
    /// Depth relative to the hips in the scale of `x_px`, smaller is nearer to the camera.
    pub z_px: f32,
    /// Probability that the point is in the picture and not hidden.
    pub visibility: f32,
    /// Probability that the point is in the picture.
    pub presence: f32,
}

impl Landmark {
    /// Its place in the image, without the depth.
    pub fn point_in_image(&self) -> Point2 {
        Point2::new(self.x_px, self.y_px)
    }
}

/// A landmark in space: metres, the origin between the hips, x to the image's right, y down, z away from the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorldLandmark {
    /// To the image's right.
    pub x_m: f32,
    /// Down.
    pub y_m: f32,
    /// Away from the camera.
    pub z_m: f32,
    /// As in [`Landmark`].
    pub visibility: f32,
    /// As in [`Landmark`].
    pub presence: f32,
}

/// One person in one frame, landmarks in the order of [`crate::skeleton`].
#[derive(Clone, Debug, PartialEq)]
pub struct Pose {
    /// In the image.
    pub landmarks: [Landmark; LANDMARK_COUNT],
    /// In space.
    pub world: [WorldLandmark; LANDMARK_COUNT],
    /// The part of the image that the landmark model saw.
    pub region: RotatedRect,
    /// Probability that the region holds a person.
    pub score: f32,
}
