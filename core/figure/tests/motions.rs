//! Motions over time: continuous, labelled at every moment, starting and ending at ease.

use plumbline_figure::landmarks::{self as at, NAMES};
use plumbline_figure::{Body, Bout, Motion, Pose, Sequence, Skeleton, demo};

/// No joint of a person moves faster than this here, metres a second; a jump's hands come nearest.
const FASTEST_M_PER_SEC: f64 = 10.0;
const STEP_SECS: f64 = 1.0 / 240.0;

fn landmarks(body: &Body, pose: &Pose) -> [plumbline_figure::vector::Vec3<f64>; at::COUNT] {
    Skeleton::of(body, pose).landmarks()
}

fn assert_continuous(name: &str, body: &Body, sequence: &Sequence) {
    let steps = (sequence.duration_secs() / STEP_SECS).ceil() as usize;
    let mut before = landmarks(body, &sequence.at(body, 0.0).0);
    for step in 1..=steps {
        let secs = step as f64 * STEP_SECS;
        let now = landmarks(body, &sequence.at(body, secs).0);
        for index in 0..at::COUNT {
            let speed = (now[index] - before[index]).length() / STEP_SECS;
            assert!(
                speed < FASTEST_M_PER_SEC,
                "{name}: {} at {speed:.1} m/s, {secs:.3} s",
                NAMES[index]
            );
        }
        before = now;
    }
}

#[test]
fn every_motion_is_continuous_and_labelled() {
    let body = Body::default();
    for motion in Motion::ALL {
        assert_eq!(Motion::named(motion.name()), Some(motion));
        let bout = Bout::of(motion, 2);
        assert_continuous(motion.name(), &body, &Sequence::new(vec![bout]));
        for step in 0..=400 {
            let secs = bout.duration_secs() * f64::from(step) / 400.0;
            let (_, label) = bout.at(&body, secs);
            assert_eq!(label.motion, motion);
            assert!(!label.phase.is_empty());
            let working =
                secs >= motion.ready_secs() && secs < bout.duration_secs() - motion.ready_secs() - 1e-9;
            if working {
                let expected = ((secs - motion.ready_secs()) / bout.cycle_secs) as u32 + 1;
                assert_eq!(label.repetition, expected, "{} at {secs}", motion.name());
            }
        }
    }
}

#[test]
fn every_motion_starts_and_ends_standing_at_ease() {
    for body in [Body::default(), Body::of_height(1.5)] {
        let ease = landmarks(&body, &Pose::standing());
        for motion in Motion::ALL {
            let bout = Bout::of(motion, 1);
            for secs in [0.0, bout.duration_secs(), bout.duration_secs() + 5.0] {
                let here = landmarks(&body, &bout.at(&body, secs).0);
                for index in 0..at::COUNT {
                    let off = (here[index] - ease[index]).length();
                    assert!(off < 1e-6, "{} {} {off} at {secs}", motion.name(), NAMES[index]);
                }
            }
        }
    }
}

#[test]
fn motions_do_what_their_names_say() {
    let body = Body::default();
    let extreme = |motion: Motion, measure: &dyn Fn(&Skeleton) -> f64| {
        let bout = Bout::of(motion, 1);
        (0..200)
            .map(|i| {
                measure(&Skeleton::of(
                    &body,
                    &bout.at(&body, bout.duration_secs() * f64::from(i) / 199.0).0,
                ))
            })
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let ease = Skeleton::of(&body, &Pose::standing());
    let standing_y = ease.pelvis.y;
    assert!(extreme(Motion::Squat, &|s| standing_y - s.pelvis.y) > 0.30);
    assert!(extreme(Motion::SitToStand, &|s| standing_y - s.pelvis.y) > 0.30);
    assert!(
        extreme(Motion::ArmRaiseSide, &|s| s.arms[0].wrist.y
            - s.arms[0].shoulder.y)
            > 0.5
    );
    assert!(extreme(Motion::ArmRaiseSide, &|s| s.arms[0].wrist.x) > 0.6);
    assert!(extreme(Motion::ArmRaiseFront, &|s| s.arms[1].wrist.z) > 0.45);
    assert!(extreme(Motion::March, &|s| s.feet[0].ball.y) > 0.2);
    assert!(extreme(Motion::March, &|s| s.feet[1].ball.y) > 0.2);
    assert!(extreme(Motion::Walk, &|s| s.feet[1].ball.y) > 0.04);
    assert!(extreme(Motion::Lunge, &|s| s.feet[0].ball.z - s.feet[1].ball.z) > 0.6);
    assert!(extreme(Motion::Lunge, &|s| standing_y - s.pelvis.y) > 0.25);
    assert!(extreme(Motion::Wave, &|s| s.arms[1].wrist.y - s.arms[1].elbow.y) > 0.2);
    assert!(extreme(Motion::Jump, &|s| s.feet[0].ball.y.min(s.feet[1].ball.y)) > 0.10);
    assert!(extreme(Motion::SideBend, &|s| s.neck_base.x) > 0.2);
    assert!(extreme(Motion::SideBend, &|s| -s.neck_base.x) > 0.2);
    assert!(extreme(Motion::OneLegBalance, &|s| s.feet[1].ball.y) > 0.1);
    assert!(extreme(Motion::JumpingJack, &|s| s.feet[0].ball.x - s.feet[1].ball.x) > 0.5);
}

#[test]
fn planted_feet_stay_where_they_stand() {
    let body = Body::default();
    let ease = Skeleton::of(&body, &Pose::standing());
    // A raised heel rolls over the toes, which lifts the ball of the foot a little.
    for (motion, side, allowed) in [
        (Motion::OneLegBalance, 0, 0.004),
        (Motion::Lunge, 1, 0.018),
        (Motion::Squat, 0, 0.002),
        (Motion::SitToStand, 1, 0.002),
    ] {
        let bout = Bout::of(motion, 1);
        for step in 0..=300 {
            let secs = bout.duration_secs() * f64::from(step) / 300.0;
            let s = Skeleton::of(&body, &bout.at(&body, secs).0);
            let slid = (s.feet[side].ball - ease.feet[side].ball).length();
            assert!(slid < allowed, "{} {slid:.4} m at {secs:.2} s", motion.name());
        }
    }
}

#[test]
fn the_demo_plays_in_a_loop() {
    let clip = demo::clip();
    let (body, sequence) = (clip.body, &clip.sequence);
    assert_continuous("demo", &body, sequence);
    let (first, last) = (
        sequence.at(&body, 0.0).0,
        sequence.at(&body, sequence.duration_secs()).0,
    );
    for (a, b) in landmarks(&body, &first).iter().zip(landmarks(&body, &last)) {
        assert!((*a - b).length() < 1e-6);
    }
    assert!((6.0..=9.0).contains(&sequence.duration_secs()));
    let whole = sequence.duration_secs() * clip.frames_per_sec;
    assert!(
        (whole - clip.frame_count() as f64).abs() < 1e-9,
        "a whole number of frames, so that the loop is even"
    );
    for frame in 0..clip.frame_count() {
        for joint in clip.still(frame).truth().joints {
            assert!(
                joint.x_px > 4.0 && joint.x_px < clip.width_px as f64 - 4.0,
                "{frame} {}",
                joint.name
            );
            assert!(
                joint.y_px > 4.0 && joint.y_px < clip.height_px as f64 - 4.0,
                "{frame} {}",
                joint.name
            );
        }
    }
}
