//! What is known about a picture: joints in pixels and metres, angles, and the label; and its JSON.

use crate::angles;
use crate::camera::View;
use crate::landmarks as at;
use crate::motion::Label;
use crate::skeleton::Skeleton;
use crate::vector::Vec3;
use std::fmt::Write;

/// One joint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Joint {
    /// MediaPipe's name.
    pub name: &'static str,
    /// Across the image, pixels from the left edge.
    pub x_px: f64,
    /// Down the image, pixels from the top edge.
    pub y_px: f64,
    /// Camera space: x right, y down, z away from the camera, metres.
    pub camera_m: Vec3<f64>,
    /// The same axes with the origin in the middle of the hips, metres: comparable with world landmarks.
    pub world_m: Vec3<f64>,
}

/// Everything known about one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// The 33 joints in MediaPipe's order.
    pub joints: [Joint; at::COUNT],
    /// Name and value in radians.
    pub angles: [(&'static str, f64); angles::COUNT],
    /// What the person does, in a motion.
    pub label: Option<Label>,
}

impl Truth {
    /// What `view` sees of `skeleton`.
    pub fn of(skeleton: &Skeleton, view: &View, label: Option<Label>) -> Self {
        let points = skeleton.landmarks();
        let hips = view
            .project(points[at::HIP].mix(points[at::HIP + 1], 0.5))
            .camera_m;
        let joints = std::array::from_fn(|i| {
            let seen = view.project(points[i]);
            let world_m = seen.camera_m - hips;
            Joint {
                name: at::NAMES[i],
                x_px: seen.x_px,
                y_px: seen.y_px,
                camera_m: seen.camera_m,
                world_m,
            }
        });
        Self {
            joints,
            angles: angles::true_angles(&points),
            label,
        }
    }

    /// An angle by name, radians.
    pub fn angle(&self, name: &str) -> Option<f64> {
        self.angles
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }

    /// The members of a JSON object without its braces: `landmarks`, `angles_deg` (degrees) and, in a motion,
    /// `label`.
    fn members(&self) -> String {
        let triple = |v: Vec3<f64>| format!("[{:.5},{:.5},{:.5}]", v.x, v.y, v.z);
        let mut json = String::from("\"landmarks\":[");
        for (i, joint) in self.joints.iter().enumerate() {
            let _ = write!(
                json,
                "{}{{\"name\":\"{}\",\"x_px\":{:.3},\"y_px\":{:.3},\"camera_m\":{},\"world_m\":{}}}",
                if i > 0 { "," } else { "" },
                joint.name,
                joint.x_px,
                joint.y_px,
                triple(joint.camera_m),
                triple(joint.world_m),
            );
        }
        json.push_str("],\"angles_deg\":{");
        for (i, (name, value)) in self.angles.iter().enumerate() {
            let _ = write!(
                json,
                "{}\"{name}\":{:.4}",
                if i > 0 { "," } else { "" },
                value.to_degrees()
            );
        }
        json.push('}');
        if let Some(label) = self.label {
            let _ = write!(
                json,
                ",\"label\":{{\"motion\":\"{}\",\"phase\":\"{}\",\"repetition\":{}}}",
                label.motion.name(),
                label.phase,
                label.repetition,
            );
        }
        json
    }

    /// One picture as a JSON object: `{"landmarks": [{name, x_px, y_px, camera_m, world_m}], "angles_deg": {}}`.
    pub fn to_json(&self) -> String {
        format!("{{{}}}", self.members())
    }

    /// One frame of a clip as a JSON object: as [`Truth::to_json`], led by `frame` and `time_secs`.
    pub fn to_frame_json(&self, frame: usize, time_secs: f64) -> String {
        format!(
            "{{\"frame\":{frame},\"time_secs\":{time_secs:.6},{}}}",
            self.members()
        )
    }
}
