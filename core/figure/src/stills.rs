//! The test grid: 11 postures from the front, half left and the left side, 33 stills in all.

use crate::anthropometry::Body;
use crate::camera::Camera;
use crate::clip::Still;
use crate::motion::{seat_for, seated, squat};
use crate::pose::{Pose, degrees};

/// The views: name and camera yaw in degrees.
pub const VIEWS: [(&str, f64); 3] = [("front", 0.0), ("obl45", 45.0), ("side", 90.0)];

/// The postures: name, angles, and whether there is a seat.
pub fn postures(body: &Body) -> [(&'static str, Pose, bool); 11] {
    let standing = Pose::standing();
    let arms = |abduction: f64, flexion: f64| {
        let mut pose = standing;
        for arm in &mut pose.arms {
            (arm.abduction, arm.flexion) = (degrees(abduction), degrees(flexion));
            arm.elbow = degrees(4.0);
        }
        pose
    };
    let rising = seated(body, 0.68, degrees(40.0));
    [
        ("stand", standing, false),
        ("abd90", arms(90.0, 0.0), false),
        ("abd180", arms(172.0, 0.0), false),
        ("flex90", arms(2.0, 90.0), false),
        ("flex180", arms(2.0, 172.0), false),
        ("squat60", squat(body, degrees(60.0)), false),
        ("squat90", squat(body, degrees(90.0)), false),
        ("squat110", squat(body, degrees(110.0)), false),
        ("sit", seated(body, 1.0, degrees(6.0)), true),
        ("sts_lean", seated(body, 1.0, degrees(42.0)), true),
        ("sts_mid", rising, true),
    ]
}

/// All 33, named `posture-view`, of the default person at 480 x 640.
pub fn grid() -> Vec<Still> {
    let body = Body::default();
    let mut stills = Vec::new();
    for (posture, pose, sits) in postures(&body) {
        for (view, yaw) in VIEWS {
            stills.push(Still {
                name: format!("{posture}-{view}"),
                body,
                pose,
                seat: sits.then(|| seat_for(&body)),
                camera: Camera::default().at_yaw(degrees(yaw)),
                ..Still::default()
            });
        }
    }
    stills
}
