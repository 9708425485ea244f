//! Smooths a whole pose over time: 33 landmarks in the image, the same in the world, and their visibilities.
//!
//! This is what a person sees and what measurements are made from. The region of the next frame does not depend on it,
//! so it may run later than the tracking itself: on a CPU, for a frame that a GPU has decoded. Settings and order as in
//! MediaPipe's `pose_landmark_filtering.pbtxt`.

use crate::pose::Pose;
use crate::skeleton::LANDMARK_COUNT;
use crate::smoothing::{IMAGE_SMOOTHING, PointSmoother, VisibilitySmoother, WORLD_SMOOTHING};
use crate::time::Timestamp;

/// The filters of one person's pose.
#[derive(Clone, Debug)]
pub struct PoseSmoother {
    image: PointSmoother<LANDMARK_COUNT>,
    world: PointSmoother<LANDMARK_COUNT>,
    visibility: VisibilitySmoother<LANDMARK_COUNT>,
}

impl PoseSmoother {
    /// Filters that have seen nothing yet.
    pub fn new() -> Self {
        Self {
            image: PointSmoother::new(IMAGE_SMOOTHING),
            world: PointSmoother::new(WORLD_SMOOTHING),
            visibility: VisibilitySmoother::new(),
        }
    }

    /// Forgets everything: the next pose starts afresh.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Smooths a pose in place. `bodies_per_px` is one over the body's size in the image, in px.
    pub fn apply(&mut self, pose: &mut Pose, bodies_per_px: f64, time: Timestamp) {
        for (index, (landmark, world)) in pose.landmarks.iter_mut().zip(&mut pose.world).enumerate() {
            let raw = [landmark.x_px, landmark.y_px, landmark.z_px];
            [landmark.x_px, landmark.y_px, landmark.z_px] = self.image.apply(index, raw, bodies_per_px, time);
            // Metres are body-sized already.
            let raw = [world.x_m, world.y_m, world.z_m];
            [world.x_m, world.y_m, world.z_m] = self.world.apply(index, raw, 1.0, time);
            landmark.visibility = self.visibility.apply(index, landmark.visibility);
            world.visibility = landmark.visibility;
        }
    }
}

impl Default for PoseSmoother {
    fn default() -> Self {
        Self::new()
    }
}
