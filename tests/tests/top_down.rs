//! A model that looks at one person, behind BlazePose's detector: where the drawn people are, and who is who.

use plumbline_core::decoders::KeypointPose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_figure::clip::{Clip, Still};
use plumbline_figure::{Appearance, Body, Bout, Camera, Motion, Quality, Sequence, stills};
use plumbline_pipeline::any_model::{AnyModel, prepare, propose};
use plumbline_pipeline::{CpuInference, PosePipeline, Target, TopDown, plan_detector, plan_landmarks};
use plumbline_tests::models::{bytes_of, load};

/// Stills that are looked at.
const EVERY: usize = 8;

/// Without the heatmaps, which refine BlazePose's own landmarks, points lie this near to them, as a share of the picture's
/// height: 8 px of 640.
const TOLERANCE: f32 = 0.0125;

const FRAMES_PER_SECOND: f64 = 5.0;

struct Picture {
    width_px: usize,
    height_px: usize,
    rgb: Vec<u8>,
}

impl Picture {
    fn of(still: &Still) -> Self {
        let drawn = still.draw();
        Self {
            width_px: drawn.width_px,
            height_px: drawn.height_px,
            rgb: drawn.rgb,
        }
    }

    fn frame(&self) -> Frame<'_> {
        Frame::packed(&self.rgb, self.width_px, self.height_px, PixelFormat::Rgb8).expect("it has pixels")
    }

    /// Both, side by side; they are of one size.
    fn beside(&self, other: &Self) -> Self {
        let rows = self.rgb.chunks_exact(3 * self.width_px);
        let others = other.rgb.chunks_exact(3 * other.width_px);
        Self {
            width_px: self.width_px + other.width_px,
            height_px: self.height_px,
            rgb: rows.zip(others).flat_map(|(a, b)| [a, b].concat()).collect(),
        }
    }
}

fn pictures() -> Vec<Picture> {
    let grid = stills::grid().into_iter().step_by(EVERY);
    grid.map(|still| Picture::of(&still)).collect()
}

fn detector() -> Option<CpuInference> {
    let plan = plan_detector(&bytes_of("detector")?, Target::Cpu).expect("a plan");
    Some(CpuInference::new(plan).expect("a session"))
}

/// BlazePose's smallest landmark model as somebody would bring it.
fn pipeline(mode: Mode, limit: usize) -> Option<TopDown<CpuInference, CpuInference>> {
    let graph = load("lite")?;
    let manifest = propose(&graph)[0].manifest("lite", "Apache-2.0", None);
    let (plan, borders) = prepare(graph, &manifest, Target::Cpu).expect("the proposal fits");
    let inference = CpuInference::new(plan).expect("a session");
    let model = AnyModel::new(inference, borders, manifest, Box::new(|| 0.0));
    Some(TopDown::new(detector()?, model, mode, limit, Box::new(|| 0.0)).expect("BlazePose's detector"))
}

fn people(
    pipeline: &mut TopDown<CpuInference, CpuInference>,
    picture: &Picture,
    millis: i64,
) -> Vec<(u32, KeypointPose)> {
    let time = Timestamp::from_micros(1000 * millis);
    let result = pollster::block_on(pipeline.process(&picture.frame(), time)).expect("the CPU runs it");
    result.people.into_iter().map(|(id, pose)| (id.0, pose)).collect()
}

fn hips_x(pose: &KeypointPose) -> f32 {
    (pose.keypoints[23].x_px + pose.keypoints[24].x_px) / 2.0
}

#[test]
fn points_are_those_of_blazepose_in_the_same_crop() {
    let Some(mut top_down) = pipeline(Mode::Static, 1) else {
        return;
    };
    let landmarks = plan_landmarks(&bytes_of("lite").expect("it is there"), Target::Cpu).expect("a plan");
    let mut own = PosePipeline::new(
        detector().expect("it is there"),
        CpuInference::new(landmarks).expect("a session"),
        Mode::Static,
        Box::new(|| 0.0),
    )
    .expect("the models fit together");
    for picture in pictures() {
        let expected = pollster::block_on(own.process(&picture.frame(), Timestamp::from_micros(0)));
        let expected = expected
            .expect("the CPU runs it")
            .pose
            .expect("somebody is drawn");
        let found = people(&mut top_down, &picture, 0);
        assert_eq!(found.len(), 1);
        let mut distances: Vec<f32> = found[0]
            .1
            .keypoints
            .iter()
            .zip(&expected.landmarks)
            .map(|(point, landmark)| (point.x_px - landmark.x_px).hypot(point.y_px - landmark.y_px))
            .collect();
        distances.sort_by(f32::total_cmp);
        let median = distances[distances.len() / 2];
        assert!(median <= TOLERANCE * picture.height_px as f32, "{median} px");
    }
}

#[test]
fn two_people_are_found_and_followed_by_their_own_points() {
    let Some(mut top_down) = pipeline(Mode::Tracking, 2) else {
        return;
    };
    // Of the one who was found first.
    let mut is_left = None;
    let clips = [(Motion::Squat, 1.7, 3), (Motion::March, 1.6, 21)].map(|(motion, height_m, seed)| Clip {
        name: motion.name().to_owned(),
        body: Body::of_height(height_m),
        appearance: Appearance::random(seed),
        sequence: Sequence::new(vec![Bout::of(motion, 3)]),
        camera: Camera::default(),
        width_px: 300,
        height_px: 480,
        frames_per_sec: FRAMES_PER_SECOND,
        quality: Quality::PLAIN,
    });
    for frame in 0..6 {
        let [left, right] = [0, 1].map(|part| Picture::of(&clips[part].still(frame)));
        let millis = (1e3 * frame as f64 / FRAMES_PER_SECOND) as i64;
        let found = people(&mut top_down, &left.beside(&right), millis);
        let parts: Vec<(u32, bool)> = found
            .iter()
            .map(|(id, pose)| (*id, hips_x(pose) < left.width_px as f32))
            .collect();
        assert_eq!(parts.len(), 2, "frame {frame}: {parts:?}");
        let first_is_left = parts[0].1;
        assert_eq!(
            parts,
            [(1, *is_left.get_or_insert(first_is_left)), (2, !first_is_left)],
            "frame {frame}"
        );
    }
}
