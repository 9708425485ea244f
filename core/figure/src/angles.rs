//! True joint angles, defined on the joints so that any software given the same points can be held to them.
//!
//! Flexion of knee, elbow and hip is 180 degrees minus the angle enclosed at the joint (hip: shoulder, hip, knee);
//! shoulder elevation is the angle at the shoulder between elbow and hip; ankle dorsiflexion is 90 degrees minus
//! the angle at the ankle between the knee and the direction from heel to foot tip. Radians.

use crate::landmarks as at;
use crate::portable;
use crate::vector::{Vec3, vec3};
use std::f64::consts::{FRAC_PI_2, PI};

/// How many angles [`true_angles`] gives.
pub const COUNT: usize = 12;

/// Angle at `b` between the directions to `a` and to `c`, radians in [0, pi].
pub fn enclosed(a: Vec3<f64>, b: Vec3<f64>, c: Vec3<f64>) -> f64 {
    between(a - b, c - b)
}

/// Angle between two directions; the two-argument form keeps full precision near 0 and pi.
pub fn between(u: Vec3<f64>, v: Vec3<f64>) -> f64 {
    portable::atan2(u.cross(v).length(), u.dot(v))
}

/// Name and value in radians of every angle, from the 33 landmarks in body space (y up, x the subject's left).
pub fn true_angles(points: &[Vec3<f64>; at::COUNT]) -> [(&'static str, f64); COUNT] {
    let knee = |s: usize| PI - enclosed(points[at::HIP + s], points[at::KNEE + s], points[at::ANKLE + s]);
    let hip = |s: usize| {
        PI - enclosed(
            points[at::SHOULDER + s],
            points[at::HIP + s],
            points[at::KNEE + s],
        )
    };
    let shoulder = |s: usize| {
        enclosed(
            points[at::ELBOW + s],
            points[at::SHOULDER + s],
            points[at::HIP + s],
        )
    };
    let elbow = |s: usize| {
        PI - enclosed(
            points[at::SHOULDER + s],
            points[at::ELBOW + s],
            points[at::WRIST + s],
        )
    };
    let ankle = |s: usize| {
        let sole = points[at::FOOT_INDEX + s] - points[at::HEEL + s];
        FRAC_PI_2 - between(points[at::KNEE + s] - points[at::ANKLE + s], sole)
    };
    let middle = |first: usize| points[first].mix(points[first + 1], 0.5);
    let trunk = middle(at::SHOULDER) - middle(at::HIP);
    // The subject's own directions in the horizontal plane, from the line of the hips.
    let across = points[at::HIP] - points[at::HIP + 1];
    let left = vec3(across.x, 0.0, across.z).unit();
    let front = left.cross(Vec3::UP);
    [
        ("left_knee_flexion", knee(0)),
        ("right_knee_flexion", knee(1)),
        ("left_hip_flexion", hip(0)),
        ("right_hip_flexion", hip(1)),
        ("left_shoulder_elevation", shoulder(0)),
        ("right_shoulder_elevation", shoulder(1)),
        ("left_elbow_flexion", elbow(0)),
        ("right_elbow_flexion", elbow(1)),
        ("left_ankle_dorsiflexion", ankle(0)),
        ("right_ankle_dorsiflexion", ankle(1)),
        ("trunk_lean", portable::atan2(trunk.dot(front), trunk.y)),
        ("trunk_side_bend", portable::atan2(trunk.dot(left), trunk.y)),
    ]
}
