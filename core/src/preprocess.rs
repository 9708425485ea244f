//! Which part of the image each model sees, and how its pixels become numbers.
//!
//! The detector sees the whole image, centred in the smallest square that holds it; what the square adds is black.
//! The landmark model sees a rotated square around the body; outside of the image the edge pixel repeats.
//! Sizes, ranges and borders as in MediaPipe's `pose_detection_cpu.pbtxt` and `pose_landmark_by_roi_cpu.pbtxt`.

use crate::geometry::{ImageSize, Point2};
use crate::roi::RotatedRect;

/// Side of the detector's input, px.
pub const DETECTOR_SIDE_PX: usize = 224;
/// What black and white become in the detector's input.
pub const DETECTOR_RANGE: [f32; 2] = [-1.0, 1.0];
/// Side of the landmark model's input, px.
pub const LANDMARK_SIDE_PX: usize = 256;
/// What black and white become in the landmark model's input.
pub const LANDMARK_RANGE: [f32; 2] = [0.0, 1.0];

/// The smallest upright square that holds the whole image, centred on it.
pub fn letterbox(image: ImageSize) -> RotatedRect {
    let side_px = image.width_px.max(image.height_px) as f32;
    RotatedRect {
        center: Point2::new(image.width_px as f32 / 2.0, image.height_px as f32 / 2.0),
        width_px: side_px,
        height_px: side_px,
        rotation: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 640x480 image fills the square's width; 80 px of black stand above and below.
    #[test]
    fn letterbox_pads_the_shorter_side() {
        let rect = letterbox(ImageSize {
            width_px: 640,
            height_px: 480,
        });
        let image_from_model = rect.image_from_model(DETECTOR_SIDE_PX as f32);
        for ((model_x, model_y), (image_x, image_y)) in [
            ((0.0, 0.0), (0.0, -80.0)),
            ((224.0, 224.0), (640.0, 560.0)),
            ((112.0, 28.0), (320.0, 0.0)),
            ((112.0, 112.0), (320.0, 240.0)),
        ] {
            let point_in_image = image_from_model.apply(Point2::new(model_x, model_y));
            assert!(
                point_in_image.distance(Point2::new(image_x, image_y)) < 1e-3,
                "{point_in_image:?}"
            );
        }
        let upright = letterbox(ImageSize {
            width_px: 480,
            height_px: 640,
        });
        assert_eq!(upright.corners()[0], Point2::new(-80.0, 0.0));
    }
}
