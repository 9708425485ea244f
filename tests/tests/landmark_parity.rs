//! Landmark parity with MediaPipe: what the whole way from a picture to a pose gives, against MediaPipe 0.10.14 (its
//! Python solution on a CPU) on real photos and a real clip, and against the expectations in the peers' own tests.
//!
//! The photos, the clip and the reference numbers lie beside the checkout (`../shared/data`, or `PLUMBLINE_DATA`) and
//! are no part of the project; where they are absent, these tests say so and pass.
//!
//! How close is close: where both sides see the same pixels, landmarks agree to a hundredth of a pixel (the first
//! frame of the clip; FFmpeg decodes it for both). Photos differ more, because JPEG decoders round differently by one
//! grey level here and there, and a landmark that the model is unsure of turns such a level into pixels. In tracking
//! mode each frame's region comes from the frame before, which amplifies the last bits: two of this project's own
//! backends, equal to a hundred-thousandth on each frame, drift apart by as much as either does from MediaPipe.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plumb::backend::{AnyPipeline, Backend, Device, LandmarkModel, pose_pipeline};
use plumb::clip::Clip;
use plumb::picture::{self, Picture};
use plumbline_core::pose::Pose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_tests::{data_folder, report, skip};
use serde::Deserialize;

const MODELS: [LandmarkModel; 3] = [LandmarkModel::Lite, LandmarkModel::Full, LandmarkModel::Heavy];

/// The Python solution counts each frame as so many microseconds, whatever the clip says, and starts after one step.
const REFERENCE_STEP_MICROS: i64 = 33_333;

/// `reference_static.json`
#[derive(Deserialize)]
struct StaticReference {
    images: BTreeMap<String, PhotoReference>,
}

#[derive(Deserialize)]
struct PhotoReference {
    width: usize,
    height: usize,
    lite: PoseReference,
    full: PoseReference,
    heavy: PoseReference,
}

/// One pose: fractions of the image (x, y, z, visibility), and metres (x, y, z, visibility).
#[derive(Deserialize)]
struct PoseReference {
    landmarks: Vec<[f32; 4]>,
    world: Vec<[f32; 4]>,
}

/// `reference_video.json`
#[derive(Deserialize)]
struct VideoReference {
    clips: BTreeMap<String, ClipReference>,
}

#[derive(Deserialize)]
struct ClipReference {
    lite: TrackReference,
    full: TrackReference,
    heavy: TrackReference,
}

/// The poses of a clip frame by frame: px (x, y, z, visibility), and metres (x, y, z).
#[derive(Deserialize)]
struct TrackReference {
    landmarks_px: Vec<Vec<[f32; 4]>>,
    world: Vec<Vec<[f32; 3]>>,
}

/// `expected_by_peers.json`
#[derive(Deserialize)]
struct PeerExpectations {
    mediapipe_python_pose_test: PeerExpectation,
}

#[derive(Deserialize)]
struct PeerExpectation {
    landmarks_px: Vec<[f32; 2]>,
    landmarks_tol_px: f32,
    world_m: Vec<[f32; 3]>,
    world_tol_m: f32,
    video: PeerVideo,
}

#[derive(Deserialize)]
struct PeerVideo {
    file: String,
    tol_px: f32,
    world_tol_m: f32,
}

/// Distances of many points, and what a test says about them.
#[derive(Default)]
struct Errors(Vec<f32>);

impl Errors {
    /// The value below which a share of the distances lies, by linear interpolation as NumPy's default does it.
    fn percentile(&self, share: f32) -> f32 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f32::total_cmp);
        assert!(!sorted.is_empty(), "there is nothing to compare");
        let position = share * (sorted.len() - 1) as f32;
        let (low, high) = (position.floor() as usize, position.ceil() as usize);
        sorted[low] + (sorted[high] - sorted[low]) * position.fract()
    }

    fn summary(&self, unit: &str) -> String {
        let [p50, p95, max] = [0.5, 0.95, 1.0].map(|share| self.percentile(share));
        format!(
            "p50 {p50:.3}, p95 {p95:.3}, max {max:.3} {unit} over {} values",
            self.0.len()
        )
    }
}

/// Reads a JSON file of the data folder, or says that the test is skipped.
fn load<T: for<'de> Deserialize<'de>>(name: &str) -> Option<(PathBuf, T)> {
    let Some(folder) = data_folder() else {
        skip(&format!(
            "{name} is not there; landmark parity needs the data folder (PLUMBLINE_DATA)"
        ));
        return None;
    };
    let text = match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => text,
        Err(error) => panic!("{name}: {error}"),
    };
    match serde_json::from_str(&text) {
        Ok(value) => Some((folder, value)),
        Err(error) => panic!("{name}: {error}"),
    }
}

fn pipeline(model: LandmarkModel, mode: Mode) -> AnyPipeline {
    match pose_pipeline(&Device::Cpu, model, mode) {
        Ok(pipeline) => pipeline,
        Err(sentence) => panic!("{sentence}"),
    }
}

fn pose_in(pipeline: &mut AnyPipeline, picture: &Picture, micros: i64) -> Option<Pose> {
    let frame = picture.frame().expect("a decoded picture has pixels");
    pollster::block_on(pipeline.process(&frame, Timestamp::from_micros(micros)))
        .expect("the CPU runs BlazePose")
        .pose
}

/// The poses of a clip in tracking mode, times as the reference counts them.
fn track(path: &Path, model: LandmarkModel) -> Vec<Option<Pose>> {
    let mut pipeline = pipeline(model, Mode::Tracking);
    let clip = Clip::open(path).expect("the clip is there and FFmpeg is installed");
    (1..)
        .zip(clip)
        .map(|(count, frame)| {
            let frame = frame.expect("the clip is sound");
            pose_in(&mut pipeline, &frame.picture, count * REFERENCE_STEP_MICROS)
        })
        .collect()
}

/// Distances in the image of the landmarks that the reference sees, times `scale`.
fn image_errors<'a>(
    pose: &'a Pose,
    expected_px: impl Iterator<Item = [f32; 3]> + 'a,
    scale: f32,
) -> impl Iterator<Item = f32> + 'a {
    pose.landmarks
        .iter()
        .zip(expected_px)
        .filter(|(_, [_, _, visibility])| *visibility > 0.5)
        .map(move |(found, [x, y, _])| (found.x_px - x).hypot(found.y_px - y) * scale)
}

/// How far the coordinates of all landmarks are off in space, metres; one value an axis, as the peers' tests count.
fn world_errors<'a>(
    pose: &'a Pose,
    expected_m: impl Iterator<Item = [f32; 3]> + 'a,
) -> impl Iterator<Item = f32> + 'a {
    pose.world.iter().zip(expected_m).flat_map(|(found, [x, y, z])| {
        [
            (found.x_m - x).abs(),
            (found.y_m - y).abs(),
            (found.z_m - z).abs(),
        ]
    })
}

/// Both photos, static mode. Bounds at a width of 1000 px; the project promises 3 px and 1 cm.
#[test]
fn photos_match_mediapipe() {
    let Some((folder, reference)) = load::<StaticReference>("reference_static.json") else {
        return;
    };
    for (model, p95_px, p95_m) in [
        (LandmarkModel::Lite, 3.0, 0.008),
        (LandmarkModel::Full, 2.0, 0.006),
        (LandmarkModel::Heavy, 2.0, 0.010),
    ] {
        let mut pipeline = pipeline(model, Mode::Static);
        let (mut image, mut world) = (Errors::default(), Errors::default());
        for (name, photo) in &reference.images {
            let picture = picture::read(&folder.join(name)).expect("the photo is sound");
            assert_eq!(
                (picture.width_px, picture.height_px),
                (photo.width, photo.height),
                "{name}"
            );
            let expected = match model {
                LandmarkModel::Lite => &photo.lite,
                LandmarkModel::Full => &photo.full,
                LandmarkModel::Heavy => &photo.heavy,
            };
            let pose = pose_in(&mut pipeline, &picture, 0).expect("there is a person in each photo");
            let (width, height) = (photo.width as f32, photo.height as f32);
            let in_px = expected
                .landmarks
                .iter()
                .map(|&[x, y, _, visibility]| [x * width, y * height, visibility]);
            image.0.extend(image_errors(&pose, in_px, 1000.0 / width));
            world.0.extend(world_errors(
                &pose,
                expected.world.iter().map(|&[x, y, z, _]| [x, y, z]),
            ));
        }
        let name = model.name();
        report(&format!(
            "photos, {name}: image at 1000 px width {}",
            image.summary("px")
        ));
        report(&format!("photos, {name}: world {}", world.summary("m")));
        assert!(
            image.percentile(0.95) <= p95_px,
            "{name}: image p95 above {p95_px} px"
        );
        assert!(
            world.percentile(0.95) <= p95_m,
            "{name}: world p95 above {p95_m} m"
        );
    }
}

/// The squat clip, tracking mode, 720 px wide. The first frame shows the pipeline without amplification; the whole
/// clip shows that tracking follows. The project promises 6 px; what is asserted leaves room for the rounding of
/// another kernel, which tracking amplifies (the order of its sums alone moved full from 2.2 to 3.4 px and past 1.0 cm).
#[test]
fn the_squat_clip_matches_mediapipe() {
    let Some((folder, reference)) = load::<VideoReference>("reference_video.json") else {
        return;
    };
    for (name, clip) in &reference.clips {
        for (model, p95_px, p95_m) in [
            (LandmarkModel::Lite, 4.0, 0.015),
            (LandmarkModel::Full, 4.0, 0.015),
            (LandmarkModel::Heavy, 2.0, 0.010),
        ] {
            let expected = match model {
                LandmarkModel::Lite => &clip.lite,
                LandmarkModel::Full => &clip.full,
                LandmarkModel::Heavy => &clip.heavy,
            };
            let poses = track(&folder.join(name), model);
            assert_eq!(poses.len(), expected.landmarks_px.len(), "frames of {name}");
            let (mut image, mut world) = (Errors::default(), Errors::default());
            for (frame, pose) in poses.iter().enumerate() {
                let pose = pose.as_ref().expect("the person is in each frame");
                let in_px = expected.landmarks_px[frame]
                    .iter()
                    .map(|&[x, y, _, visibility]| [x, y, visibility]);
                image.0.extend(image_errors(pose, in_px, 1.0));
                world
                    .0
                    .extend(world_errors(pose, expected.world[frame].iter().copied()));
                if frame == 0 {
                    let (image_max, world_max) = (image.percentile(1.0), world.percentile(1.0));
                    report(&format!(
                        "clip, {}: first frame {image_max:.4} px, {world_max:.5} m at most",
                        model.name()
                    ));
                    assert!(image_max <= 0.05, "{}: first frame, {image_max} px", model.name());
                    // The reference states metres to four digits.
                    assert!(
                        world_max <= 0.0003,
                        "{}: first frame, {world_max} m",
                        model.name()
                    );
                }
            }
            report(&format!("clip, {}: image {}", model.name(), image.summary("px")));
            report(&format!("clip, {}: world {}", model.name(), world.summary("m")));
            assert!(
                image.percentile(0.95) <= p95_px,
                "{}: image p95 above {p95_px} px",
                model.name()
            );
            assert!(
                world.percentile(0.95) <= p95_m,
                "{}: world p95 above {p95_m} m",
                model.name()
            );
        }
    }
}

/// MediaPipe's and TensorFlow.js's own test: the photo, three frames in a row, both modes, all models; a coordinate
/// may be off by 15 px or 0.2 m.
#[test]
fn the_peers_expect_this_of_the_photo() {
    let Some((folder, peers)) = load::<PeerExpectations>("expected_by_peers.json") else {
        return;
    };
    let expected = peers.mediapipe_python_pose_test;
    let picture = picture::read(&folder.join("tfjs-models/pose.jpg")).expect("the photo is sound");
    for mode in [Mode::Static, Mode::Tracking] {
        for model in MODELS {
            let mut pipeline = pipeline(model, mode);
            for count in 1..=3 {
                let pose = pose_in(&mut pipeline, &picture, count * REFERENCE_STEP_MICROS).expect("a person");
                for (index, (found, [x, y])) in pose.landmarks.iter().zip(&expected.landmarks_px).enumerate()
                {
                    let off_px = (found.x_px - x).abs().max((found.y_px - y).abs());
                    assert!(
                        off_px < expected.landmarks_tol_px,
                        "{}, {mode:?}, frame {count}, landmark {index}: {off_px} px",
                        model.name()
                    );
                }
                for (index, (found, wanted)) in pose.world.iter().zip(&expected.world_m).enumerate() {
                    let found = [found.x_m, found.y_m, found.z_m];
                    let off_m = found
                        .iter()
                        .zip(wanted)
                        .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
                    assert!(
                        off_m < expected.world_tol_m,
                        "{}, {mode:?}, frame {count}, landmark {index}: {off_m} m",
                        model.name()
                    );
                }
            }
        }
    }
}

/// The same peers on the squat clip, full model. Their tolerances hold for 99 of 100 coordinates, as they do for
/// MediaPipe 0.10.14 itself: the numbers were written down for another release, and it leaves them by up to 18 px.
#[test]
fn the_peers_expect_this_of_the_clip() {
    let Some((folder, peers)) = load::<PeerExpectations>("expected_by_peers.json") else {
        return;
    };
    let video = peers.mediapipe_python_pose_test.video;
    let clip = folder.join("tfjs-models").join(&video.file);
    let Some((_, expected_px)) = load::<Vec<Vec<[f32; 3]>>>("tfjs-models/pose_squats.full.json") else {
        return;
    };
    let Some((_, expected_m)) = load::<Vec<Vec<[f32; 3]>>>("tfjs-models/pose_squats_3d.full.json") else {
        return;
    };
    let (mut image, mut world) = (Errors::default(), Errors::default());
    for (frame, pose) in track(&clip, LandmarkModel::Full).iter().enumerate() {
        let pose = pose.as_ref().expect("the person is in each frame");
        for (found, [x, y, _]) in pose.landmarks.iter().zip(&expected_px[frame]) {
            image.0.extend([(found.x_px - x).abs(), (found.y_px - y).abs()]);
        }
        world
            .0
            .extend(world_errors(pose, expected_m[frame].iter().copied()));
    }
    report(&format!(
        "clip against the peers' numbers: image {}",
        image.summary("px")
    ));
    report(&format!(
        "clip against the peers' numbers: world {}",
        world.summary("m")
    ));
    let (image_p99, world_p99) = (image.percentile(0.99), world.percentile(0.99));
    assert!(image_p99 < video.tol_px, "image p99 is {image_p99} px");
    assert!(world_p99 < video.world_tol_m, "world p99 is {world_p99} m");
}

/// The peers' third expectation, which needs no data: nobody in a white picture of 100x100 px.
#[test]
fn a_blank_picture_holds_nobody() {
    let blank = Picture {
        width_px: 100,
        height_px: 100,
        rgb: vec![255; 100 * 100 * 3],
    };
    for mode in [Mode::Static, Mode::Tracking] {
        let mut pipeline = pipeline(LandmarkModel::Full, mode);
        for count in 1..=3 {
            assert!(
                pose_in(&mut pipeline, &blank, count * REFERENCE_STEP_MICROS).is_none(),
                "{mode:?}"
            );
        }
    }
}

/// The GPU backend gives the CPU's landmarks, on the drawn person standing at ease.
#[test]
fn both_backends_agree_on_the_drawn_person() {
    let device = match Device::open(Backend::Gpu) {
        Ok(device) => device,
        Err(sentence) => return skip(&sentence),
    };
    let drawn = plumbline_figure::Still::default().draw();
    let picture = Picture {
        width_px: drawn.width_px,
        height_px: drawn.height_px,
        rgb: drawn.rgb,
    };
    for model in MODELS {
        let mut on_gpu = pose_pipeline(&device, model, Mode::Static).expect("the GPU takes BlazePose");
        let on_gpu = pose_in(&mut on_gpu, &picture, 0).expect("the drawn person is found");
        let on_cpu =
            pose_in(&mut pipeline(model, Mode::Static), &picture, 0).expect("the drawn person is found");
        let expected = on_cpu
            .landmarks
            .iter()
            .map(|landmark| [landmark.x_px, landmark.y_px, 1.0]);
        let errors = Errors(image_errors(&on_gpu, expected, 1.0).collect());
        report(&format!(
            "{}, {}: {}",
            device.description(),
            model.name(),
            errors.summary("px from the CPU")
        ));
        assert!(
            errors.percentile(1.0) <= 0.1,
            "{}: backends differ by {} px",
            model.name(),
            errors.percentile(1.0)
        );
    }
}
