//! The person's mask on the drawn person, whose joints are known, and on a photo against MediaPipe's.

use std::collections::BTreeMap;

use plumb::backend::{LandmarkModel, mask_pipeline, selfie_name, selfie_pipeline};
use plumb::picture::{self, Picture};
use plumbline_core::geometry::ImageSize;
use plumbline_core::mask::Mask;
use plumbline_core::selfie::SelfieModel;
use plumbline_core::skeleton::landmark_named;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_figure::stills;
use plumbline_pipeline::{CpuInference, PosePipeline};
use plumbline_tests::{data_folder, read, report, skip};
use serde::Deserialize;

const MODELS: [LandmarkModel; 3] = [LandmarkModel::Lite, LandmarkModel::Full, LandmarkModel::Heavy];

/// Joints that lie deep inside of the body in every posture of the grid.
const INNER_JOINTS: [&str; 6] = [
    "left_shoulder",
    "right_shoulder",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
];
/// The least part of them that a mask has to call the person, over all stills of a model.
const MIN_COVERED: f64 = 0.97;

/// How alike our mask and MediaPipe's must be, by Dice.
const MIN_DICE: f64 = 0.99;

/// A mask in `tasks_mask.json`, made by `tests/reference/tasks_mask.mjs`, or in `selfie_mask.json`, made by
/// `tests/reference/selfie_mask.mjs`.
#[derive(Deserialize)]
struct KnownMask {
    width_px: u32,
    height_px: u32,
    /// Lengths of runs of pixels, of the room first, then of the person, and so on.
    runs: Vec<usize>,
}

impl KnownMask {
    fn mask(&self) -> Mask {
        let shares = [0.0, 1.0].into_iter().cycle();
        let values = self
            .runs
            .iter()
            .zip(shares)
            .flat_map(|(&run, share)| std::iter::repeat_n(share, run));
        let size = ImageSize {
            width_px: self.width_px,
            height_px: self.height_px,
        };
        Mask::new(size, values.collect()).expect("a value for each pixel")
    }
}

fn open(model: LandmarkModel, mode: Mode) -> PosePipeline<CpuInference> {
    match mask_pipeline(model, mode) {
        Ok(pipeline) => pipeline,
        Err(sentence) => panic!("{sentence}"),
    }
}

fn mask_of(pipeline: &mut PosePipeline<CpuInference>, picture: &Picture, micros: i64) -> Option<Mask> {
    let frame = picture.frame().expect("the picture has pixels");
    assert!(pipeline.has_mask());
    let result = pollster::block_on(pipeline.process(&frame, Timestamp::from_micros(micros)));
    let mask = result.expect("the CPU runs BlazePose").mask?;
    Some(mask.in_image(ImageSize {
        width_px: picture.width_px as u32,
        height_px: picture.height_px as u32,
    }))
}

fn still(index: usize) -> (Picture, Vec<[f64; 2]>) {
    let still = &stills::grid()[index];
    let drawn = still.draw();
    let truth = still.truth();
    let joints = INNER_JOINTS.map(|name| {
        let joint = truth.joints[landmark_named(name).expect("a landmark of the skeleton")];
        [joint.x_px, joint.y_px]
    });
    let picture = Picture {
        width_px: drawn.width_px,
        height_px: drawn.height_px,
        rgb: drawn.rgb,
    };
    (picture, joints.to_vec())
}

fn at(mask: &Mask, [x_px, y_px]: [f64; 2]) -> f32 {
    mask.values()[y_px as usize * mask.size().width_px as usize + x_px as usize]
}

/// Each second still is enough; drawing takes longer than finding.
#[test]
fn the_mask_covers_the_drawn_person_and_not_the_room() {
    let mut pipelines = MODELS.map(|model| open(model, Mode::Static));
    let (mut covered, mut largest, mut joints_seen) = ([0_usize; 3], [0.0_f64; 3], 0);
    for index in (0..stills::grid().len()).step_by(2) {
        let (picture, joints) = still(index);
        let (right, bottom) = ((picture.width_px - 1) as f64, (picture.height_px - 1) as f64);
        joints_seen += joints.len();
        for (position, pipeline) in pipelines.iter_mut().enumerate() {
            let mask = mask_of(pipeline, &picture, 0).expect("somebody is drawn");
            covered[position] += joints.iter().filter(|&&joint| at(&mask, joint) > 0.5).count();
            for corner in [[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]] {
                let name = MODELS[position].name();
                assert!(at(&mask, corner) < 0.1, "{name}: still {index} at {corner:?}");
            }
            let sum: f64 = mask.values().iter().map(|&value| f64::from(value)).sum();
            largest[position] = largest[position].max(sum / mask.values().len() as f64);
        }
    }
    for ((model, covered), largest) in MODELS.into_iter().zip(covered).zip(largest) {
        let name = model.name();
        report(&format!(
            "{name}: {covered} of {joints_seen} inner joints in the mask; at most {:.0} % of a picture is the person",
            largest * 100.0
        ));
        let part = covered as f64 / joints_seen as f64;
        assert!(
            part >= MIN_COVERED,
            "{name}: only {covered} of {joints_seen} joints"
        );
        assert!(largest < 0.5, "{name}: {largest} of a picture");
    }
}

#[test]
fn a_mask_belongs_to_its_own_frame() {
    let mut pipeline = open(LandmarkModel::Lite, Mode::Tracking);
    let (first, _) = still(0);
    let before = mask_of(&mut pipeline, &first, 0).expect("somebody is drawn");
    let (second, joints) = still(1);
    let (mut alone, moved) = (open(LandmarkModel::Lite, Mode::Static), 33_333);
    let after = mask_of(&mut pipeline, &second, moved).expect("somebody is drawn");
    assert_ne!(before, after);
    assert!(joints.iter().all(|&joint| at(&after, joint) > 0.5));
    let likeness = after.dice(&mask_of(&mut alone, &second, 0).expect("somebody is drawn"));
    assert!(likeness.is_some_and(|dice| dice > 0.95), "{likeness:?}");
    let empty = Picture {
        rgb: vec![128; second.rgb.len()],
        ..second
    };
    // The tracker follows for a frame what it saw, and then sees that nobody is there.
    mask_of(&mut pipeline, &empty, 2 * moved);
    assert_eq!(mask_of(&mut pipeline, &empty, 3 * moved), None);
}

#[test]
fn masks_are_those_of_mediapipe() {
    let Some(data) = data_folder() else {
        skip("the folder with photos (../shared/data, or PLUMBLINE_DATA) is absent");
        return;
    };
    let photo = picture::read(&data.join("tfjs-models/pose.jpg")).expect("a photo");
    let expected: BTreeMap<String, KnownMask> =
        serde_json::from_str(&read("tests/fixtures/tasks_mask.json")).expect("masks of three models");
    for model in MODELS {
        let name = model.name();
        let mask = mask_of(&mut open(model, Mode::Static), &photo, 0).expect("somebody is in the photo");
        let dice = mask.dice(&expected[name].mask()).expect("masks of one size");
        report(&format!("{name}: Dice {dice:.4} with MediaPipe Tasks' mask"));
        assert!(dice >= MIN_DICE, "{name}: {dice:.4}");
    }
}

/// The mask of everybody in a picture.
fn selfie_mask_of(model: SelfieModel, picture: &Picture, micros: i64) -> Option<Mask> {
    let mut pipeline = selfie_pipeline(model).unwrap_or_else(|sentence| panic!("{sentence}"));
    let frame = picture.frame().expect("the picture has pixels");
    let time = Timestamp::from_micros(micros);
    let result = pollster::block_on(pipeline.process(&frame, time)).expect("the CPU runs it");
    assert_eq!(result.time, time);
    Some(result.mask?.in_image(ImageSize {
        width_px: picture.width_px as u32,
        height_px: picture.height_px as u32,
    }))
}

#[test]
fn selfie_masks_are_those_of_mediapipe() {
    let Some(data) = data_folder() else {
        skip("the folder with photos (../shared/data, or PLUMBLINE_DATA) is absent");
        return;
    };
    let photo = picture::read(&data.join("tfjs-models/pose.jpg")).expect("a photo");
    let expected: BTreeMap<String, KnownMask> =
        serde_json::from_str(&read("tests/fixtures/selfie_mask.json")).expect("masks of two models");
    for model in SelfieModel::ALL {
        let name = selfie_name(model);
        let mask = selfie_mask_of(model, &photo, 0).expect("somebody is in the photo");
        let dice = mask.dice(&expected[name].mask()).expect("masks of one size");
        report(&format!("{name}: Dice {dice:.4} with MediaPipe's own mask"));
        assert!(dice >= MIN_DICE, "{name}: {dice:.4}");
    }
}

/// The drawn person fills less of the picture than a selfie does; hips and shoulders are the person all the same.
#[test]
fn a_selfie_mask_belongs_to_its_own_frame_and_to_nobody_in_an_empty_room() {
    for model in SelfieModel::ALL {
        let name = selfie_name(model);
        let (mut covered, mut joints_seen, mut before) = (0, 0, None);
        for index in 0..4 {
            let (picture, joints) = still(index);
            let mask = selfie_mask_of(model, &picture, index as i64 * 33_333).expect("somebody is drawn");
            joints_seen += joints.len();
            covered += joints.iter().filter(|&&joint| at(&mask, joint) > 0.5).count();
            assert_ne!(before.as_ref(), Some(&mask));
            before = Some(mask);
        }
        report(&format!(
            "{name}: {covered} of {joints_seen} inner joints in the mask"
        ));
        assert!(
            covered * 10 >= joints_seen * 8,
            "{name}: only {covered} of {joints_seen}"
        );
        let (picture, _) = still(0);
        let empty = Picture {
            rgb: vec![128; picture.rgb.len()],
            ..picture
        };
        assert_eq!(selfie_mask_of(model, &empty, 0), None, "{name}");
    }
}
