//! BlazePose on the drawn person, whose joints are known: it must be found in every still of the test grid, and in
//! the side view the knee must bend as much as it does.

use plumb::backend::{Device, LandmarkModel, pose_pipeline};
use plumb::picture::Picture;
use plumbline_core::geometry::Point2;
use plumbline_core::skeleton::landmark_named;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_figure::stills;
use plumbline_tests::report;

/// How far the knee's angle in the picture may be from the true one, degrees.
const MAX_KNEE_ERROR_DEG: f64 = 8.0;

/// The flexion of a left knee as it appears in a picture from the left, degrees: 0 for a straight leg.
fn left_knee_flexion_deg(point: impl Fn(usize) -> Point2) -> f64 {
    let [hip, knee, ankle] = ["left_hip", "left_knee", "left_ankle"]
        .map(|name| point(landmark_named(name).expect("a landmark of the skeleton")));
    let direction = |from: Point2, to: Point2| f64::atan2((to.y - from.y).into(), (to.x - from.x).into());
    // She faces the picture's left, and a bending knee turns the shank away from there: against the clock.
    let turn = (direction(hip, knee) - direction(knee, ankle)).to_degrees();
    (turn + 540.0).rem_euclid(360.0) - 180.0
}

#[test]
fn blazepose_finds_the_drawn_person_and_her_knee() {
    let mut findings = Vec::new();
    let mut knee_errors_deg = Vec::new();
    let grid = stills::grid();
    let pictures: Vec<Picture> = grid
        .iter()
        .map(|still| {
            let drawn = still.draw();
            Picture {
                width_px: drawn.width_px,
                height_px: drawn.height_px,
                rgb: drawn.rgb,
            }
        })
        .collect();
    for model in [LandmarkModel::Lite, LandmarkModel::Full, LandmarkModel::Heavy] {
        let mut pipeline = match pose_pipeline(&Device::Cpu, model, Mode::Static) {
            Ok(pipeline) => pipeline,
            Err(sentence) => panic!("{sentence}"),
        };
        let mut found = 0;
        for (still, picture) in grid.iter().zip(&pictures) {
            let frame = picture.frame().expect("a drawn picture has pixels");
            let result = pollster::block_on(pipeline.process(&frame, Timestamp::from_micros(0)));
            let Some(pose) = result.expect("the CPU runs BlazePose").pose else {
                findings.push(format!("{}: nobody in {}", model.name(), still.name));
                continue;
            };
            found += 1;
            if model == LandmarkModel::Full && still.name.ends_with("-side") {
                let truth = still.truth();
                let drawn_deg = left_knee_flexion_deg(|index| {
                    let joint = truth.joints[index];
                    Point2::new(joint.x_px as f32, joint.y_px as f32)
                });
                let found_deg = left_knee_flexion_deg(|index| pose.landmarks[index].point_in_image());
                let error_deg = (found_deg - drawn_deg).abs();
                knee_errors_deg.push(error_deg);
                if error_deg > MAX_KNEE_ERROR_DEG {
                    findings.push(format!(
                        "{}: the knee bends by {drawn_deg:.1} degrees and is seen to by {found_deg:.1}",
                        still.name
                    ));
                }
            }
        }
        report(&format!(
            "drawn person, {}: found in {found} of {} stills",
            model.name(),
            grid.len()
        ));
    }
    let mean_deg = knee_errors_deg.iter().sum::<f64>() / knee_errors_deg.len() as f64;
    let max_deg = knee_errors_deg.iter().copied().fold(0.0, f64::max);
    report(&format!(
        "drawn person, full: left knee in the side view off by {mean_deg:.1} degrees on average, {max_deg:.1} at most"
    ));
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
