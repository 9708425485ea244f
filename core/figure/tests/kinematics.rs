//! The skeleton against what must hold exactly: lengths, mirror symmetry, hinges, the floor, balance.

use plumbline_figure::angles::true_angles;
use plumbline_figure::landmarks::{self as at, NAMES, mirrored};
use plumbline_figure::motion::{Bout, Motion, seat_for, seated, squat};
use plumbline_figure::pose::{LEFT, Leg, RIGHT, degrees};
use plumbline_figure::vector::{Vec3, vec3};
use plumbline_figure::{Body, Pose, Skeleton, stills};

fn bodies() -> [Body; 3] {
    [
        Body::default(),
        Body {
            build: 1.3,
            ..Body::of_height(1.55)
        },
        Body {
            build: 0.85,
            ..Body::of_height(1.96)
        },
    ]
}

/// Moments from every motion.
fn moments(body: &Body) -> Vec<Pose> {
    let mut poses = Vec::new();
    for motion in Motion::ALL {
        let bout = Bout::of(motion, 1);
        poses.extend((0..25).map(|i| bout.at(body, bout.duration_secs() * f64::from(i) / 24.0).0));
    }
    poses
}

/// Lowest point of both soles: under heel and toe as thick as the shoe, and under the ball.
fn lowest_sole_m(skeleton: &Skeleton) -> f64 {
    let scale = skeleton.body.scale();
    skeleton
        .feet
        .iter()
        .flat_map(|f| {
            [
                (f.heel - f.rear.y * (0.035 * scale)).y,
                f.ball.y,
                (f.toe - f.toes.y * (0.025 * scale)).y,
            ]
        })
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn segments_keep_their_lengths_and_soles_the_floor() {
    for body in bodies() {
        for pose in moments(&body) {
            let s = Skeleton::of(&body, &pose);
            let p = s.landmarks();
            for side in [LEFT, RIGHT] {
                for (from, to, length) in [
                    (at::HIP, at::KNEE, body.thigh_m()),
                    (at::KNEE, at::ANKLE, body.shank_m()),
                    (at::SHOULDER, at::ELBOW, body.upper_arm_m()),
                    (at::ELBOW, at::WRIST, body.forearm_m()),
                ] {
                    let measured = (p[from + side] - p[to + side]).length();
                    assert!(
                        (measured - length).abs() < 1e-9,
                        "{} {measured} {length}",
                        NAMES[from + side]
                    );
                }
            }
            assert!(((p[at::HIP] - p[at::HIP + 1]).length() - 2.0 * body.hip_half_m()).abs() < 1e-9);
            assert!((lowest_sole_m(&s) - pose.airborne_m).abs() < 1e-9);
        }
    }
}

#[test]
fn a_mirrored_posture_gives_the_mirrored_person() {
    let body = Body::default();
    for pose in moments(&body) {
        let here = Skeleton::of(&body, &pose).landmarks();
        let there = Skeleton::of(&body, &pose.mirrored()).landmarks();
        for index in 0..at::COUNT {
            let expected = vec3(-here[index].x, here[index].y, here[index].z);
            assert!(
                (there[mirrored(index)] - expected).length() < 1e-12,
                "{}",
                NAMES[index]
            );
        }
    }
}

#[test]
fn the_angle_put_into_a_hinge_comes_out_of_the_joints() {
    let body = Body::default();
    let angle = |points: &[Vec3<f64>; at::COUNT], name: &str| {
        true_angles(points)
            .into_iter()
            .find(|(n, _)| *n == name)
            .expect("a known angle")
            .1
    };
    for flexion in [0.0, 1.0, 30.0, 60.0, 90.0, 110.0, 135.0] {
        let mut pose = Pose::standing();
        for (leg, arm) in pose.legs.iter_mut().zip(&mut pose.arms) {
            (leg.knee, leg.raise, leg.spread, leg.turn_out) = (
                degrees(flexion),
                degrees(0.6 * flexion),
                degrees(7.0),
                degrees(15.0),
            );
            (arm.elbow, arm.abduction, arm.rotation) = (degrees(flexion), degrees(40.0), degrees(-20.0));
        }
        pose.lean = degrees(25.0);
        let points = Skeleton::of(&body, &pose).landmarks();
        for name in [
            "left_knee_flexion",
            "right_knee_flexion",
            "left_elbow_flexion",
            "right_elbow_flexion",
        ] {
            let measured = angle(&points, name);
            assert!(
                (measured - degrees(flexion)).abs() < 1e-9,
                "{name} {flexion}: {}",
                measured.to_degrees()
            );
        }
        assert!((angle(&points, "trunk_lean") - degrees(25.0)).abs() < 1e-9);
    }
    // In the sagittal plane, hip flexion is thigh raise plus trunk lean, up to how the shoulders lie outside the
    // hips.
    let mut pose = Pose {
        lean: degrees(20.0),
        ..Pose::standing()
    };
    for leg in &mut pose.legs {
        (leg.raise, leg.knee, leg.spread, leg.turn_out) = (degrees(50.0), degrees(80.0), 0.0, 0.0);
    }
    let narrow = Body {
        shoulder_half_fraction: body.hip_half_fraction,
        ..body
    };
    let points = Skeleton::of(&narrow, &pose).landmarks();
    assert!((angle(&points, "left_hip_flexion") - degrees(70.0)).abs() < 1e-9);
    // And with a shank leaning forward by 30 degrees over a flat foot, the ankle is dorsiflexed by 30 and the
    // slope from heel to toe.
    let slope = {
        let sole = points[at::FOOT_INDEX] - points[at::HEEL];
        sole.y.atan2(sole.z)
    };
    assert!((angle(&points, "left_ankle_dorsiflexion") - degrees(30.0) - slope).abs() < 1e-9);
}

#[test]
fn left_is_left_and_front_is_front() {
    let points = Skeleton::of(&Body::default(), &Pose::standing()).landmarks();
    for (index, name) in NAMES.iter().enumerate() {
        if name.contains("left") {
            assert!(points[index].x > points[mirrored(index)].x, "{name}");
        }
    }
    assert!(points[at::NOSE].z > points[at::EAR].z && points[at::FOOT_INDEX].z > points[at::HEEL].z);
    assert!(points[at::NOSE].y > points[at::SHOULDER].y && points[at::KNEE].y > points[at::ANKLE].y);
    let standing = Body::default();
    assert!(
        (points[at::EYES + 1].y - 0.936 * standing.height_m).abs() < 0.005,
        "eyes at Winter's height"
    );
    assert!(
        (points[at::SHOULDER].y - 0.818 * standing.height_m).abs() < 0.005,
        "shoulders too"
    );
}

#[test]
fn a_leg_reaches_where_it_is_sent() {
    for body in bodies() {
        for side in [LEFT, RIGHT] {
            for (x, y, z, rise) in [
                (0.05, -0.8, 0.1, 0.0),
                (-0.02, -0.6, 0.35, 10.0),
                (0.12, -0.7, -0.2, 45.0),
            ] {
                let target = vec3(x, y * body.scale(), z * body.scale());
                let leg = Leg::reaching(&body, side, target, degrees(12.0), degrees(rise));
                let [thigh, shank, foot] = leg.frames(side);
                let reached = -thigh.y * body.thigh_m() - shank.y * body.shank_m()
                    + foot.outward(Skeleton::ankle_to_ball(&body));
                assert!((reached - target).length() < 1e-9, "{reached:?} {target:?}");
                assert!(leg.knee >= 0.0);
            }
        }
    }
}

#[test]
fn squats_are_balanced_and_seats_are_sat_on() {
    for body in bodies() {
        for knee in [30.0, 60.0, 90.0, 110.0] {
            let s = Skeleton::of(&body, &squat(&body, degrees(knee)));
            let (mass, feet) = (s.centre_of_mass(), s.middle_of_feet());
            assert!((mass.z - feet.z).abs() < 0.005, "{knee}: {mass:?} {feet:?}");
        }
        let seat = seat_for(&body);
        let pelvis = Skeleton::of(&body, &seated(&body, 1.0, degrees(6.0))).pelvis;
        assert!((pelvis.z - seat.z_m).abs() < 0.10);
        let above = pelvis.y - seat.height_m;
        assert!(
            (0.07..0.14).contains(&(above / body.scale() / body.build.sqrt())),
            "hips {above} above the seat"
        );
    }
}

#[test]
fn the_grid_is_eleven_postures_in_three_views() {
    let grid = stills::grid();
    assert_eq!(grid.len(), 33);
    let names: std::collections::BTreeSet<_> = grid.iter().map(|still| still.name.clone()).collect();
    assert_eq!(names.len(), 33);
    for still in &grid {
        let truth = still.truth();
        for joint in &truth.joints {
            assert!(
                (5.0..still.width_px as f64 - 5.0).contains(&joint.x_px)
                    && (5.0..still.height_px as f64 - 5.0).contains(&joint.y_px),
                "{} leaves the picture of {}",
                joint.name,
                still.name
            );
        }
        let knee = truth
            .angle("left_knee_flexion")
            .expect("a known angle")
            .to_degrees();
        let expected = match still.name.split('-').next().expect("a name has a first part") {
            "squat60" => 60.0,
            "squat90" => 90.0,
            "squat110" => 110.0,
            "sit" | "sts_lean" => 90.0,
            "sts_mid" => 62.0,
            _ => 1.0,
        };
        assert!((knee - expected).abs() < 6.0, "{}: knee {knee}", still.name);
    }
}
