//! The demo clip: the one definition that the page, the fake camera and the end-to-end tests share.

use crate::anthropometry::Body;
use crate::appearance::Appearance;
use crate::camera::Camera;
use crate::clip::Clip;
use crate::motion::{Bout, Motion};
use crate::pose::degrees;
use crate::sequence::Sequence;
use crate::shading::Quality;

/// Two squats, an arm raise and two steps of a march from half left, to be played in a loop: 7 seconds, 84 frames,
/// about 700 KB as JPEG frames of quality 80. Half left is where BlazePose errs least on this figure.
pub fn clip() -> Clip {
    let sequence = Sequence::new(vec![
        Bout::of(Motion::Squat, 2).every(1.9),
        Bout::of(Motion::ArmRaiseSide, 1).every(1.8),
        Bout::of(Motion::March, 1),
    ]);
    Clip {
        name: String::from("demo"),
        body: Body::default(),
        appearance: Appearance::default(),
        sequence,
        camera: Camera {
            yaw: degrees(28.0),
            target_height_m: 1.03,
            ..Camera::default()
        },
        width_px: 320,
        height_px: 432,
        frames_per_sec: 12.0,
        quality: Quality::PLAIN,
    }
}
