//! Points, sizes, angles and affine maps of the plane.
//!
//! Image axes: x to the right, y down, pixels counted from the top left corner of the top left pixel. A map is named
//! after its two spaces, target first: `point_in_image = image_from_model.apply(point_in_model)`.

use std::f32::consts::PI;

/// A point of the plane; the space is part of the variable's name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point2 {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point2 {
    /// The point (x, y).
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Distance between two points of the same space.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// Size of a picture in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    /// Columns.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
}

/// The same angle in [-pi, pi).
pub fn wrap_angle(radians: f32) -> f32 {
    radians - 2.0 * PI * ((radians + PI) / (2.0 * PI)).floor()
}

/// An affine map: `x' = xx * x + xy * y + x0`, `y' = yx * x + yy * y + y0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine2 {
    /// Share of x in x'.
    pub xx: f32,
    /// Share of y in x'.
    pub xy: f32,
    /// Where the origin lands, x'.
    pub x0: f32,
    /// Share of x in y'.
    pub yx: f32,
    /// Share of y in y'.
    pub yy: f32,
    /// Where the origin lands, y'.
    pub y0: f32,
}

impl Affine2 {
    /// The image of a point.
    pub fn apply(&self, point: Point2) -> Point2 {
        Point2 {
            x: self.xx * point.x + self.xy * point.y + self.x0,
            y: self.yx * point.x + self.yy * point.y + self.y0,
        }
    }

    /// The map back, or nothing when this one squeezes the plane onto a line.
    pub fn inverse(&self) -> Option<Self> {
        let determinant = self.xx * self.yy - self.xy * self.yx;
        if determinant == 0.0 || !determinant.is_finite() {
            return None;
        }
        let (xx, xy) = (self.yy / determinant, -self.xy / determinant);
        let (yx, yy) = (-self.yx / determinant, self.xx / determinant);
        Some(Self {
            xx,
            xy,
            x0: -(xx * self.x0 + xy * self.y0),
            yx,
            yy,
            y0: -(yx * self.x0 + yy * self.y0),
        })
    }

    /// The six numbers row by row: `[xx, xy, x0, yx, yy, y0]`.
    pub fn rows(&self) -> [f32; 6] {
        [self.xx, self.xy, self.x0, self.yx, self.yy, self.y0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_wrap_into_one_turn() {
        for (angle, wrapped) in [
            (0.0, 0.0),
            (PI, -PI),
            (-PI, -PI),
            (1.5 * PI, -0.5 * PI),
            (-1.5 * PI, 0.5 * PI),
            (4.25 * PI, 0.25 * PI),
        ] {
            assert!(
                (wrap_angle(angle) - wrapped).abs() < 1e-5,
                "{angle} gave {}",
                wrap_angle(angle)
            );
        }
    }

    #[test]
    fn inverse_brings_points_back() {
        let map = Affine2 {
            xx: 0.6,
            xy: -0.8,
            x0: 100.0,
            yx: 0.8,
            yy: 0.6,
            y0: -20.0,
        };
        let back = map.inverse().expect("a rotation has an inverse");
        for point in [
            Point2::new(0.0, 0.0),
            Point2::new(256.0, 3.0),
            Point2::new(-7.5, 91.25),
        ] {
            assert!(back.apply(map.apply(point)).distance(point) < 1e-4);
        }
        assert_eq!(map.apply(Point2::new(10.0, 5.0)), Point2::new(102.0, -9.0));
        assert!(
            Affine2 {
                xx: 1.0,
                xy: 2.0,
                x0: 0.0,
                yx: 2.0,
                yy: 4.0,
                y0: 0.0
            }
            .inverse()
            .is_none()
        );
    }
}
