//! From the landmark model's tensors to landmarks, and from the model's space to the image and to the world
//! (MediaPipe: `TensorsToLandmarksCalculator`, `LandmarkProjectionCalculator`, `WorldLandmarkProjectionCalculator`,
//! `VisibilityCopyCalculator`).

use crate::detection::sigmoid;
use crate::geometry::Point2;
use crate::pose::{Landmark, WorldLandmark};
use crate::preprocess::LANDMARK_SIDE_PX;
use crate::roi::RotatedRect;

/// Landmarks that the model gives: 33 of the body, two alignment points, four that nothing uses.
pub const MODEL_LANDMARK_COUNT: usize = 39;
/// Of them, those that anybody uses; they come first.
pub const USED_LANDMARKS: usize = ALIGNMENT_SCALE_POINT + 1;
/// Numbers for each of them: x, y, z, visibility logit, presence logit.
pub const VALUES_PER_LANDMARK: usize = 5;
/// Index of the alignment point between the hips.
pub const ALIGNMENT_CENTER: usize = 33;
/// Index of the alignment point that gives the body's size and rotation.
pub const ALIGNMENT_SCALE_POINT: usize = 34;

/// A landmark as the model gives it, in fractions of the model's input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ModelLandmark {
    /// 0 is the left edge of the input, 1 the right one.
    pub x: f32,
    /// 0 is the upper edge of the input, 1 the lower one.
    pub y: f32,
    /// Depth relative to the hips, in the scale of x.
    pub z: f32,
    /// Probability that the point is in the picture and not hidden.
    pub visibility: f32,
    /// Probability that the point is in the picture.
    pub presence: f32,
}

/// Decodes the `[1, 195]` tensor, px and logits, into fractions and probabilities.
pub fn decode(tensor: &[f32]) -> [ModelLandmark; MODEL_LANDMARK_COUNT] {
    const SCALE: f32 = 1.0 / LANDMARK_SIDE_PX as f32;
    let mut landmarks = [ModelLandmark::default(); MODEL_LANDMARK_COUNT];
    for (landmark, row) in landmarks.iter_mut().zip(tensor.chunks_exact(VALUES_PER_LANDMARK)) {
        *landmark = ModelLandmark {
            x: row[0] * SCALE,
            y: row[1] * SCALE,
            z: row[2] * SCALE,
            visibility: sigmoid(row[3]),
            presence: sigmoid(row[4]),
        };
    }
    landmarks
}

/// Places a landmark of the region's crop in the image; depth takes the scale of the region's width.
pub fn project_to_image(landmark: &ModelLandmark, region: &RotatedRect) -> Landmark {
    let point_in_image = region
        .image_from_model(1.0)
        .apply(Point2::new(landmark.x, landmark.y));
    Landmark {
        x_px: point_in_image.x,
        y_px: point_in_image.y,
        z_px: landmark.z * region.width_px,
        visibility: landmark.visibility,
        presence: landmark.presence,
    }
}

/// Turns a row (x, y, z) of the `[1, 117]` tensor, metres in the axes of the crop, into the axes of the image, and
/// lends it the visibility of its counterpart.
pub fn project_to_world(row: [f32; 3], counterpart: &ModelLandmark, region: &RotatedRect) -> WorldLandmark {
    let (sin, cos) = region.rotation.sin_cos();
    let [x, y, z] = row;
    WorldLandmark {
        x_m: cos * x - sin * y,
        y_m: sin * x + cos * y,
        z_m: z,
        visibility: counterpart.visibility,
        presence: counterpart.presence,
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_2;

    use super::*;

    #[test]
    fn decoding_scales_and_squashes() {
        let mut tensor = vec![0.0; MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK];
        tensor[5..10].copy_from_slice(&[64.0, 192.0, -256.0, 0.0, 3.0]);
        let landmarks = decode(&tensor);
        let found = landmarks[1];
        assert_eq!(
            (found.x, found.y, found.z, found.visibility),
            (0.25, 0.75, -1.0, 0.5)
        );
        assert!((found.presence - 0.952_574).abs() < 1e-5);
        assert_eq!(landmarks[38].visibility, 0.5);
    }

    /// Region, landmark -> image, by hand.
    #[test]
    fn projection_follows_the_region() {
        let upright = RotatedRect {
            center: Point2::new(300.0, 200.0),
            width_px: 100.0,
            height_px: 100.0,
            rotation: 0.0,
        };
        let turned = RotatedRect {
            rotation: FRAC_PI_2,
            ..upright
        };
        for (region, (x, y), (x_px, y_px)) in [
            (upright, (0.5, 0.5), (300.0, 200.0)),
            (upright, (0.0, 0.0), (250.0, 150.0)),
            (upright, (1.1, 0.5), (360.0, 200.0)),
            (turned, (0.5, 0.5), (300.0, 200.0)),
            (turned, (0.5, 0.0), (350.0, 200.0)),
            (turned, (1.0, 0.5), (300.0, 250.0)),
        ] {
            let landmark = ModelLandmark {
                x,
                y,
                z: 0.5,
                visibility: 0.25,
                presence: 0.75,
            };
            let projected = project_to_image(&landmark, &region);
            assert!((projected.x_px - x_px).abs() < 1e-3 && (projected.y_px - y_px).abs() < 1e-3);
            assert_eq!(
                (projected.z_px, projected.visibility, projected.presence),
                (50.0, 0.25, 0.75)
            );
        }
    }

    /// What is cut out at a point of the image is found again at that point.
    #[test]
    fn projection_undoes_the_crop() {
        let region = RotatedRect::from_alignment_points(Point2::new(310.0, 222.0), Point2::new(350.0, 90.0))
            .scaled(1.25);
        let model_from_image = region
            .image_from_model(LANDMARK_SIDE_PX as f32)
            .inverse()
            .expect("the region is not empty");
        for point in [
            Point2::new(300.0, 200.0),
            Point2::new(10.0, 20.0),
            Point2::new(350.0, 90.0),
        ] {
            let in_model = model_from_image.apply(point);
            let mut tensor = vec![0.0; MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK];
            tensor[..2].copy_from_slice(&[in_model.x, in_model.y]);
            let projected = project_to_image(&decode(&tensor)[0], &region);
            assert!(projected.point_in_image().distance(point) < 1e-2, "{projected:?}");
        }
    }

    #[test]
    fn the_world_turns_with_the_region() {
        let region = RotatedRect {
            center: Point2::default(),
            width_px: 9.0,
            height_px: 9.0,
            rotation: FRAC_PI_2,
        };
        let counterpart = ModelLandmark {
            visibility: 0.3,
            presence: 0.6,
            ..ModelLandmark::default()
        };
        let world = project_to_world([0.1, -0.5, 0.2], &counterpart, &region);
        assert!((world.x_m - 0.5).abs() < 1e-6 && (world.y_m - 0.1).abs() < 1e-6);
        assert_eq!((world.z_m, world.visibility, world.presence), (0.2, 0.3, 0.6));
    }
}
