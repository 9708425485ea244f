//! The squat clip against itself and against spoiled copies of itself, as `plumb drift --reference` judges them.
//!
//! The clip has 65 frames in 13 seconds: two blocks, a draft, compared by means. Thirteen seconds of neighbouring frames are
//! worth six values, so this is the least that a reference can be; what is found here is found anywhere.

use std::sync::OnceLock;
use std::thread;

use plumb::backend::{Backend, LandmarkModel};
use plumb::clip::{Clip, ClipFrame};
use plumb::picture::Picture;
use plumb::watched_clip::Eyes;
use plumbline_core::corrupt::{Corruption, Corruptor, Severity};
use plumbline_core::geometry::ImageSize;
use plumbline_core::monitor::blocks::BlockLength;
use plumbline_core::monitor::judge::{Judgement, judge};
use plumbline_core::monitor::profile::{Labels, Made, Profile};
use plumbline_core::time::Timestamp;
use plumbline_tests::{data_folder, report, skip};

const LENGTH: BlockLength = BlockLength::Seconds(5.0);

/// A frame that can be shown again.
struct Frame {
    picture: Picture,
    time: Timestamp,
}

/// The clip, half as wide and high: what is found does not hang on size, and a test need not wait for it.
fn clip() -> Option<&'static [Frame]> {
    static FRAMES: OnceLock<Option<Vec<Frame>>> = OnceLock::new();
    let frames = FRAMES.get_or_init(|| {
        let path = data_folder()?.join("tfjs-models/pose_squats.mp4");
        plumb::manifest::read_model("lite").ok()?;
        let frames = Clip::open(&path).ok()?.map(|frame| {
            let ClipFrame { picture, time } = frame.expect("the clip is whole");
            Frame {
                picture: halved(&picture),
                time,
            }
        });
        Some(frames.collect())
    });
    if frames.is_none() {
        skip("the squat clip, FFmpeg or the weights of lite are missing");
    }
    frames.as_deref()
}

/// Every second pixel of every second row.
fn halved(picture: &Picture) -> Picture {
    let (width_px, height_px) = (picture.width_px / 2, picture.height_px / 2);
    let pixels =
        (0..height_px).flat_map(|y| (0..width_px).map(move |x| 3 * (2 * y * picture.width_px + 2 * x)));
    Picture {
        width_px,
        height_px,
        rgb: pixels
            .flat_map(|at| [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]])
            .collect(),
    }
}

/// A draft of some frames, each changed by `change`; times count from the first.
fn draft(frames: &[Frame], mut change: impl FnMut(u32, &mut Picture)) -> Profile {
    let eyes = Eyes::open(LandmarkModel::Lite, Backend::Cpu, Some(1.0)).expect("the CPU is there");
    let start = frames[0].time;
    let shown = (0..).zip(frames).map(|(index, frame)| {
        let mut picture = frame.picture.clone();
        change(index, &mut picture);
        Ok(ClipFrame {
            picture,
            time: Timestamp::from_micros(frame.time.micros() - start.micros()),
        })
    });
    let learning = eyes.watch(shown, LENGTH, None).expect("frames are pictures");
    let made = Made {
        model: "lite".to_owned(),
        model_sha256: String::new(),
        detector_sha256: None,
        preprocessing: "blazepose".to_owned(),
        backend: "cpu".to_owned(),
        app_version: "0.1.0".to_owned(),
        at_unix_secs: 0,
        labels: Labels::None,
        more: serde_json::Map::new(),
    };
    let mut profile = Profile::draft(made, LENGTH);
    profile
        .add_session("squats", 0, &learning)
        .expect("thirteen seconds are two blocks");
    profile
}

fn reference(frames: &[Frame]) -> &'static Profile {
    static REFERENCE: OnceLock<Profile> = OnceLock::new();
    REFERENCE.get_or_init(|| draft(frames, |_, _| {}))
}

/// The clip spoiled in one way, against the clip.
fn judged(frames: &[Frame], corruption: Corruption, level: u8) -> Judgement {
    let severity = Severity::new(level).expect("severities are 1 to 5");
    let mut corruptor = Corruptor::new(7);
    let spoiled = draft(frames, |index, picture| {
        let size = ImageSize {
            width_px: picture.width_px as u32,
            height_px: picture.height_px as u32,
        };
        let mut rgba: Vec<u8> = picture
            .rgb
            .chunks_exact(3)
            .flat_map(|p| [p[0], p[1], p[2], 255])
            .collect();
        corruptor
            .apply(corruption, severity, index, &mut rgba, size)
            .expect("it is four bytes a pixel");
        picture.rgb = rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    });
    judge(reference(frames), &spoiled, 1)
}

#[test]
fn the_clip_is_like_itself() {
    let Some(frames) = clip() else { return };
    let itself = judge(reference(frames), &draft(frames, |_, _| {}), 1);
    assert!(itself.alarms.is_empty(), "{:?}", itself.alarms);
    assert!(itself.means.iter().all(|one| one.statistic == 0.0));
    assert!(itself.means.len() > 25, "{} features", itself.means.len());
}

#[test]
fn its_halves_are_alike() {
    let Some(frames) = clip() else { return };
    let (first, second) = frames.split_at(frames.len() / 2);
    let halves = judge(&draft(first, |_, _| {}), &draft(second, |_, _| {}), 1);
    let mut smallest: Vec<String> = halves
        .means
        .iter()
        .map(|one| format!("{} p {:.3}", one.feature, one.p))
        .collect();
    smallest.sort_by_key(|text| text.rsplit(' ').next().map(str::to_owned));
    report(&format!(
        "halves of the squat clip, smallest p: {:?}",
        &smallest[..4]
    ));
    assert!(halves.alarms.is_empty(), "{:?}", halves.alarms);
}

/// For each way to spoil a picture, the features of which one must speak up at severity 3.
const EXPECTED: [(Corruption, &[&str]); 12] = [
    (Corruption::Blur, &["sharpness"]),
    (Corruption::Noise, &["noise"]),
    (Corruption::Dark, &["luma_mean"]),
    (Corruption::Bright, &["luma_mean"]),
    (Corruption::Contrast, &["luma_contrast"]),
    (
        Corruption::Jpeg,
        &["sharpness", "noise", "blue_share", "red_share"],
    ),
    (
        Corruption::Occlusion,
        &["visibility_mean", "visibility_low", "hidden_share", "blue_share"],
    ),
    (Corruption::Rotation, &["trunk_tilt_deg", "dark_share"]),
    (Corruption::Scale, &["body_height", "dark_share"]),
    (Corruption::LowFrameRate, &["repeated_share"]),
    (Corruption::ColourCast, &["red_share"]),
    // Because she stands at an angle: of somebody who stands straight, a mirrored picture shows nothing.
    (Corruption::Mirrored, &["view_yaw_deg", "left_right_visibility"]),
];

#[test]
fn every_corruption_is_answered_at_severity_3() {
    let Some(frames) = clip() else { return };
    reference(frames);
    let outcomes: Vec<(Corruption, [Judgement; 2])> = thread::scope(|scope| {
        let workers: Vec<_> = Corruption::ALL
            .chunks(Corruption::ALL.len() / 2)
            .map(|part| {
                scope.spawn(move || {
                    part.iter()
                        .map(|&corruption| {
                            (corruption, [1, 3].map(|level| judged(frames, corruption, level)))
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("the worker ends"))
            .collect()
    });
    let mut findings = Vec::new();
    for (corruption, judgements) in &outcomes {
        let [mild, hard] = judgements.each_ref().map(|judgement| judgement.alarms.join(", "));
        report(&format!(
            "{}: severity 1: {mild}; severity 3: {hard}",
            corruption.id()
        ));
        let (_, expected) = EXPECTED
            .iter()
            .find(|(known, _)| known == corruption)
            .expect("the table has all of them");
        let alarms = &judgements[1].alarms;
        if !alarms.iter().any(|alarm| expected.contains(&alarm.as_str())) {
            findings.push(format!("{}: none of {expected:?} in {alarms:?}", corruption.id()));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
