//! The camera: where it stands, and the exact projection from metres to pixels.
//!
//! Camera space is x to the image's right, y down, z away from the camera, in metres. Pixel coordinates put (0, 0)
//! at the top left corner of the top left pixel.

use crate::portable;
use crate::vector::{Vec3, vec3};

/// A pinhole camera on a tripod, aimed at the person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Around the person in radians: 0 in front, positive towards the subject's left, pi/2 beside the left hand.
    pub yaw: f64,
    /// Horizontal distance from the person, metres.
    pub distance_m: f64,
    /// Lens above the floor, metres.
    pub height_m: f64,
    /// Height of the point aimed at, metres.
    pub target_height_m: f64,
    /// Focal length as a multiple of the image height.
    pub focal_heights: f64,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            yaw: 0.0,
            distance_m: 3.6,
            height_m: 1.05,
            target_height_m: 0.98,
            focal_heights: 1.42,
        }
    }
}

/// A camera with a sensor: everything needed to project.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Image width in pixels.
    pub width_px: usize,
    /// Image height in pixels.
    pub height_px: usize,
    /// The lens in body space, metres.
    pub eye: Vec3<f64>,
    /// The image's right in body space.
    pub right: Vec3<f64>,
    /// The image's up in body space.
    pub up: Vec3<f64>,
    /// The viewing direction in body space.
    pub forward: Vec3<f64>,
    /// Horizontal direction from the person to the camera.
    pub back: Vec3<f64>,
    /// Focal length in pixels.
    pub focal_px: f64,
}

/// A point seen by a camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projected {
    /// Across, pixels.
    pub x_px: f64,
    /// Down, pixels.
    pub y_px: f64,
    /// Camera space, metres.
    pub camera_m: Vec3<f64>,
}

impl Camera {
    /// This camera turned around the person; `yaw` in radians.
    pub fn at_yaw(self, yaw: f64) -> Self {
        Self { yaw, ..self }
    }

    /// The camera with a sensor of this size in pixels.
    pub fn view(&self, width_px: usize, height_px: usize) -> View {
        let (s, c) = portable::sin_cos(self.yaw);
        let back = vec3(s, 0.0, c);
        let eye = back * self.distance_m + Vec3::UP * self.height_m;
        let forward = (Vec3::UP * self.target_height_m - eye).unit();
        let right = forward.cross(Vec3::UP).unit();
        View {
            width_px,
            height_px,
            eye,
            right,
            up: right.cross(forward),
            forward,
            back,
            focal_px: self.focal_heights * height_px as f64,
        }
    }
}

impl View {
    /// Body space to pixels and camera space. Points behind the lens give pixels that mean nothing (`z` <= 0).
    pub fn project(&self, point: Vec3<f64>) -> Projected {
        let offset = point - self.eye;
        let camera_m = self.turn(offset);
        Projected {
            x_px: 0.5 * self.width_px as f64 + self.focal_px * camera_m.x / camera_m.z,
            y_px: 0.5 * self.height_px as f64 + self.focal_px * camera_m.y / camera_m.z,
            camera_m,
        }
    }

    /// A direction or offset of body space along the camera's axes.
    pub fn turn(&self, offset: Vec3<f64>) -> Vec3<f64> {
        vec3(
            offset.dot(self.right),
            -offset.dot(self.up),
            offset.dot(self.forward),
        )
    }

    /// The unit direction in body space that a pixel position looks along.
    pub fn ray(&self, x_px: f64, y_px: f64) -> Vec3<f64> {
        let across = (x_px - 0.5 * self.width_px as f64) / self.focal_px;
        let down = (y_px - 0.5 * self.height_px as f64) / self.focal_px;
        (self.forward + self.right * across - self.up * down).unit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projection_and_ray_are_inverse() {
        for yaw in [-2.0, -0.4, 0.0, 0.8, 1.6] {
            let view = Camera::default().at_yaw(yaw).view(480, 640);
            for point in [vec3(0.3, 1.5, -0.2), vec3(-0.4, 0.0, 0.3), vec3(0.0, 0.98, 0.0)] {
                let seen = view.project(point);
                let back = view.eye + view.ray(seen.x_px, seen.y_px) * (point - view.eye).length();
                assert!((back - point).length() < 1e-12, "{yaw} {point:?} {back:?}");
                assert!((seen.camera_m.length() - (point - view.eye).length()).abs() < 1e-12);
            }
            let centre = view.project(vec3(0.0, 0.98, 0.0));
            assert!((centre.x_px - 240.0).abs() < 1e-9 && (centre.y_px - 320.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_subjects_left_is_on_the_image_right_from_the_front() {
        let view = Camera::default().view(480, 640);
        assert!(view.project(vec3(0.2, 1.0, 0.0)).x_px > 240.0);
        assert!(view.project(vec3(0.0, 1.5, 0.0)).y_px < 320.0);
        let from_left = Camera::default()
            .at_yaw(std::f64::consts::FRAC_PI_2)
            .view(480, 640);
        assert!(
            from_left.project(vec3(0.2, 1.0, 0.0)).camera_m.z < 3.6,
            "the left side is the near one"
        );
        assert!(
            from_left.project(vec3(0.0, 1.0, 0.2)).x_px < 240.0,
            "and the front points to the image's left"
        );
    }
}
