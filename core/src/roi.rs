//! The region of interest: a rotated square around the body, found from two alignment points.
//!
//! Both models name a body's centre (between the hips) and a second point such that the circle around the centre
//! through it holds the whole body. The square circumscribes that circle, stands along the line from the hips to the
//! second point, and is then enlarged by a margin (MediaPipe: `AlignmentPointsRectsCalculator`,
//! `RectTransformationCalculator` with `square_long` and scale 1.25).

use std::f32::consts::FRAC_PI_2;

use crate::geometry::{Affine2, ImageSize, Point2, wrap_angle};

/// How much larger than the body's circle the landmark model's region is.
pub const REGION_MARGIN: f32 = 1.25;

/// A rectangle that may stand at an angle, in image pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RotatedRect {
    /// Centre, px.
    pub center: Point2,
    /// Extent along its own x axis, px.
    pub width_px: f32,
    /// Extent along its own y axis, px.
    pub height_px: f32,
    /// Angle from the image's x axis to its own, clockwise on the screen, radians.
    pub rotation: f32,
}

impl RotatedRect {
    /// The square around a body, without margin. Rotation 0 means that the scale point is straight above the centre.
    pub fn from_alignment_points(center: Point2, scale_point: Point2) -> Self {
        let side_px = 2.0 * center.distance(scale_point);
        let direction = f32::atan2(-(scale_point.y - center.y), scale_point.x - center.x);
        Self {
            center,
            width_px: side_px,
            height_px: side_px,
            rotation: wrap_angle(FRAC_PI_2 - direction),
        }
    }

    /// The same rectangle `factor` times as large.
    pub fn scaled(&self, factor: f32) -> Self {
        Self {
            width_px: self.width_px * factor,
            height_px: self.height_px * factor,
            ..*self
        }
    }

    /// From a square model input of `model_side_px` pixels a side to the image: the input's corners land on the
    /// rectangle's corners. With a side of 1 it maps fractions of the input.
    pub fn image_from_model(&self, model_side_px: f32) -> Affine2 {
        let (sin, cos) = self.rotation.sin_cos();
        let (scale_x, scale_y) = (self.width_px / model_side_px, self.height_px / model_side_px);
        let (xx, xy) = (cos * scale_x, -sin * scale_y);
        let (yx, yy) = (sin * scale_x, cos * scale_y);
        let half = model_side_px / 2.0;
        Affine2 {
            xx,
            xy,
            x0: self.center.x - (xx + xy) * half,
            yx,
            yy,
            y0: self.center.y - (yx + yy) * half,
        }
    }

    /// The same from a model input that need not be a square.
    pub fn image_from_input(&self, input: ImageSize) -> Affine2 {
        let [width, height] = [input.width_px, input.height_px].map(|side| side as f32);
        if width == height {
            return self.image_from_model(width);
        }
        let image_from_unit = self.image_from_model(1.0);
        Affine2 {
            xx: image_from_unit.xx / width,
            xy: image_from_unit.xy / height,
            yx: image_from_unit.yx / width,
            yy: image_from_unit.yy / height,
            ..image_from_unit
        }
    }

    /// Whether it can be cut out of an image: finite, and not empty.
    pub fn is_usable(&self) -> bool {
        let finite = self.center.x.is_finite() && self.center.y.is_finite() && self.rotation.is_finite();
        let sides = [self.width_px, self.height_px];
        finite && sides.iter().all(|side| side.is_finite() && *side >= 1.0)
    }

    /// The four corners in the image: upper left, upper right, lower right, lower left of the upright content.
    pub fn corners(&self) -> [Point2; 4] {
        let image_from_unit = self.image_from_model(1.0);
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
            .map(|(x, y)| image_from_unit.apply(Point2::new(x, y)))
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use super::*;

    /// Centre, scale point -> side and rotation, worked out by hand.
    #[test]
    fn alignment_points_give_the_square() {
        let center = Point2::new(100.0, 200.0);
        for (scale_point, side_px, rotation) in [
            ((100.0, 150.0), 100.0, 0.0),
            ((150.0, 200.0), 100.0, FRAC_PI_2),
            ((50.0, 200.0), 100.0, -FRAC_PI_2),
            ((100.0, 210.0), 20.0, -PI),
            ((130.0, 160.0), 100.0, (30.0_f32 / 40.0).atan()),
        ] {
            let rect = RotatedRect::from_alignment_points(center, Point2::new(scale_point.0, scale_point.1));
            assert_eq!(rect.center, center);
            assert!(
                (rect.width_px - side_px).abs() < 1e-4,
                "{scale_point:?}: {rect:?}"
            );
            assert_eq!(rect.width_px, rect.height_px);
            assert!(
                (rect.rotation - rotation).abs() < 1e-5,
                "{scale_point:?}: {rect:?}"
            );
        }
    }

    /// The scale point always lies on the middle of the square's upper edge.
    #[test]
    fn the_scale_point_is_up_in_the_model() {
        let center = Point2::new(320.0, 240.0);
        for degrees in (0..360).step_by(15) {
            let angle = (degrees as f32).to_radians();
            let scale_point = Point2::new(center.x + 80.0 * angle.cos(), center.y + 80.0 * angle.sin());
            let rect = RotatedRect::from_alignment_points(center, scale_point);
            let image_from_model = rect.image_from_model(256.0);
            assert!(
                image_from_model
                    .apply(Point2::new(128.0, 0.0))
                    .distance(scale_point)
                    < 1e-2
            );
            assert!(image_from_model.apply(Point2::new(128.0, 128.0)).distance(center) < 1e-2);
        }
    }

    #[test]
    fn a_quarter_turn_moves_the_corners_on() {
        let rect = RotatedRect {
            center: Point2::new(10.0, 10.0),
            width_px: 4.0,
            height_px: 4.0,
            rotation: FRAC_PI_2,
        };
        let expected = [(12.0, 8.0), (12.0, 12.0), (8.0, 12.0), (8.0, 8.0)];
        for (corner, (x, y)) in rect.corners().iter().zip(expected) {
            assert!(corner.distance(Point2::new(x, y)) < 1e-4, "{corner:?}");
        }
    }

    #[test]
    fn the_margin_keeps_centre_and_angle() {
        let rect = RotatedRect::from_alignment_points(Point2::new(5.0, 6.0), Point2::new(25.0, 6.0));
        let larger = rect.scaled(REGION_MARGIN);
        assert_eq!((larger.center, larger.rotation), (rect.center, rect.rotation));
        assert_eq!((larger.width_px, larger.height_px), (50.0, 50.0));
    }

    #[test]
    fn empty_and_broken_rectangles_are_unusable() {
        let good = RotatedRect {
            center: Point2::new(1.0, 1.0),
            width_px: 10.0,
            height_px: 10.0,
            rotation: 0.0,
        };
        assert!(good.is_usable());
        for broken in [
            RotatedRect {
                width_px: 0.0,
                ..good
            },
            RotatedRect {
                height_px: f32::INFINITY,
                ..good
            },
            RotatedRect {
                rotation: f32::NAN,
                ..good
            },
            RotatedRect {
                center: Point2::new(f32::NAN, 0.0),
                ..good
            },
        ] {
            assert!(!broken.is_usable(), "{broken:?}");
        }
    }
}
