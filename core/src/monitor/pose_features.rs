//! From a frame's facts to its row of features.
//!
//! Goes in: facts of frames in the order of their times. Comes out: one number a feature, NaN where this frame says
//! nothing. Three things are remembered: the last two frames' joints (jitter, sides that swap), running means of bone
//! lengths, and the hash of the last picture. All of it is forgotten when the person is lost or time jumps.
//!
//! Angles of view come from the world landmarks: the mean direction from right to left of shoulders and hips, seen from
//! above; facing the camera is 0, and a mirrored picture changes the sign.

use crate::geometry::Point2;
use crate::monitor::features::{FEATURE_COUNT, Feature, FeatureRow, FrameFacts};
use crate::pose::{Pose, WorldLandmark};
use crate::skeleton::LANDMARK_COUNT;

/// Shoulders, elbows, wrists, hips, knees, ankles; left first.
pub const LARGE_JOINTS: [usize; 12] = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28];
/// Upper arms, forearms, thighs, shanks.
const LIMB_BONES: [(usize, usize); 8] = [
    (11, 13),
    (12, 14),
    (13, 15),
    (14, 16),
    (23, 25),
    (24, 26),
    (25, 27),
    (26, 28),
];
/// A joint of less visibility is hidden.
const HIDDEN: f32 = 0.3;
/// Time over which the running mean of a bone's length forgets, seconds.
const BONE_MEMORY_SECS: f64 = 5.0;
/// A pause after which nothing of before counts, seconds.
pub const GAP_SECS: f64 = 2.0;

/// Turns facts into rows.
#[derive(Clone, Debug, Default)]
pub struct Extractor {
    last_time_secs: Option<f64>,
    last_hash: Option<u32>,
    /// Newest first.
    world: [Option<[[f64; 3]; LARGE_JOINTS.len()]>; 2],
    image: Option<[Point2; LARGE_JOINTS.len()]>,
    bone_means_m: Option<[f64; LIMB_BONES.len()]>,
}

impl Extractor {
    /// Forgets everything: another source, model or backend begins.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The features of the next frame. Numbers that are not finite are not measured.
    pub fn row(&mut self, facts: &FrameFacts<'_>) -> FeatureRow {
        let interval_secs = self.last_time_secs.map(|last| facts.time_secs - last);
        if interval_secs.is_some_and(|secs| !(secs > 0.0 && secs <= GAP_SECS)) {
            self.reset();
        }
        let interval_secs = interval_secs.filter(|secs| *secs > 0.0 && *secs <= GAP_SECS);
        self.last_time_secs = Some(facts.time_secs);
        let mut values = Values([f32::NAN; FEATURE_COUNT]);
        self.see_picture(facts, &mut values);
        values.set(Feature::PersonShare, f64::from(u8::from(facts.pose.is_some())));
        match facts.pose {
            Some(pose) => self.see_pose(facts, pose, interval_secs, &mut values),
            None => {
                self.world = [None; 2];
                self.image = None;
                self.bone_means_m = None;
            }
        }
        for (feature, value) in [
            (Feature::FlipOks, facts.flip_oks),
            (Feature::ShadowOks, facts.shadow_oks),
            (Feature::OutlineDoubt, facts.outline_doubt.map(f64::from)),
        ] {
            values.set(feature, value.unwrap_or(f64::NAN));
        }
        values.set(Feature::DetectorShare, f64::from(u8::from(facts.ran_detector)));
        values.set(Feature::FrameMillis, ln_positive(facts.total_millis));
        let interval_millis = interval_secs.map_or(f64::NAN, |secs| ln_positive(secs * 1e3));
        values.set(Feature::IntervalMillis, interval_millis);
        let dropped = f64::from(facts.dropped_before);
        values.set(Feature::DroppedShare, dropped / (dropped + 1.0));
        FeatureRow {
            time_secs: facts.time_secs,
            values: values.0,
        }
    }

    fn see_picture(&mut self, facts: &FrameFacts<'_>, values: &mut Values) {
        let Some(probe) = facts.probe else { return };
        for (feature, value) in [
            (Feature::LumaMean, probe.luma_mean),
            (Feature::LumaContrast, probe.luma_contrast),
            (Feature::Sharpness, probe.sharpness),
            (Feature::Noise, probe.noise),
            (Feature::DarkShare, probe.dark_share),
            (Feature::ClippedShare, probe.clipped_share),
            (Feature::RedShare, probe.red_share),
            (Feature::BlueShare, probe.blue_share),
        ] {
            values.set(feature, f64::from(value));
        }
        if let Some(last) = self.last_hash.replace(probe.hash) {
            values.set(Feature::RepeatedShare, f64::from(u8::from(last == probe.hash)));
        }
    }

    fn see_pose(
        &mut self,
        facts: &FrameFacts<'_>,
        pose: &Pose,
        interval_secs: Option<f64>,
        values: &mut Values,
    ) {
        frame_of(pose, facts, values);
        certainty_of(pose, values);
        let world = LARGE_JOINTS.map(|joint| metres(&pose.world[joint]));
        let image = LARGE_JOINTS.map(|joint| pose.landmarks[joint].point_in_image());
        let trunk_m = distance(
            middle(world[SHOULDERS.0], world[SHOULDERS.1]),
            middle(world[HIPS.0], world[HIPS.1]),
        );
        if let (Some(before), Some(earlier)) = (self.world[0], self.world[1]) {
            let bend = |joint: usize| {
                let mut squares = 0.0;
                for ((a, b), c) in world[joint].iter().zip(before[joint]).zip(earlier[joint]) {
                    squares += (a - 2.0 * b + c).powi(2);
                }
                squares.sqrt()
            };
            let sum: f64 = (0..LARGE_JOINTS.len()).map(bend).sum();
            values.set(Feature::Jitter, sum / LARGE_JOINTS.len() as f64 / trunk_m);
        }
        if let Some(before) = self.image {
            values.set(
                Feature::SwapShare,
                f64::from(u8::from(has_swapped(&before, &image))),
            );
        }
        self.world = [Some(world), self.world[0]];
        self.image = Some(image);
        self.see_bones(pose, interval_secs, values);
    }

    fn see_bones(&mut self, pose: &Pose, interval_secs: Option<f64>, values: &mut Values) {
        let lengths_m = LIMB_BONES.map(|(a, b)| distance(metres(&pose.world[a]), metres(&pose.world[b])));
        if !lengths_m.iter().all(|length| length.is_finite()) {
            return;
        }
        let Some(means_m) = &mut self.bone_means_m else {
            self.bone_means_m = Some(lengths_m);
            return;
        };
        let keep = (-interval_secs.unwrap_or_default() / BONE_MEMORY_SECS).exp();
        let mut change = 0.0;
        for (mean, length) in means_m.iter_mut().zip(lengths_m) {
            change += (length - *mean).abs() / *mean;
            *mean = keep * *mean + (1.0 - keep) * length;
        }
        values.set(Feature::BoneChange, change / LIMB_BONES.len() as f64);
    }
}

/// Places in [`LARGE_JOINTS`].
const SHOULDERS: (usize, usize) = (0, 1);
const HIPS: (usize, usize) = (6, 7);

/// A row that is being filled.
struct Values([f32; FEATURE_COUNT]);

impl Values {
    /// What is not finite stays "not measured".
    fn set(&mut self, feature: Feature, value: f64) {
        if value.is_finite() {
            self.0[feature.index()] = value as f32;
        }
    }
}

/// Where the person stands in the picture, and how the camera sees them.
fn frame_of(pose: &Pose, facts: &FrameFacts<'_>, values: &mut Values) {
    let (width_px, height_px) = (f64::from(facts.image.width_px), f64::from(facts.image.height_px));
    let (mut top_px, mut bottom_px) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut outside = 0_u32;
    for landmark in &pose.landmarks {
        let (x_px, y_px) = (f64::from(landmark.x_px), f64::from(landmark.y_px));
        top_px = top_px.min(y_px);
        bottom_px = bottom_px.max(y_px);
        let is_inside = (0.0..width_px).contains(&x_px) && (0.0..height_px).contains(&y_px);
        outside += u32::from(!is_inside);
    }
    let at = |joint: usize| {
        let landmark = pose.landmarks[joint];
        [f64::from(landmark.x_px), f64::from(landmark.y_px), 0.0]
    };
    let (hips, shoulders) = (middle(at(23), at(24)), middle(at(11), at(12)));
    let tilt = f64::atan2(shoulders[0] - hips[0], hips[1] - shoulders[1]);
    values.set(Feature::BodyHeight, (bottom_px - top_px) / height_px);
    values.set(Feature::CentreX, hips[0] / width_px);
    values.set(Feature::CentreY, hips[1] / height_px);
    values.set(Feature::TrunkTilt, tilt.to_degrees());
    values.set(Feature::OutsideShare, f64::from(outside) / LANDMARK_COUNT as f64);
    let world = |joint: usize| metres(&pose.world[joint]);
    let across = |axis: usize| world(11)[axis] - world(12)[axis] + world(23)[axis] - world(24)[axis];
    values.set(Feature::ViewYaw, f64::atan2(across(2), across(0)).to_degrees());
}

/// How sure the model is.
fn certainty_of(pose: &Pose, values: &mut Values) {
    let n = LARGE_JOINTS.len();
    let mut visibilities = LARGE_JOINTS.map(|joint| f64::from(pose.landmarks[joint].visibility));
    let side = |first: usize| visibilities.iter().skip(first).step_by(2).sum::<f64>() / (n / 2) as f64;
    values.set(Feature::LeftRightVisibility, side(0) - side(1));
    values.set(
        Feature::VisibilityMean,
        visibilities.iter().sum::<f64>() / n as f64,
    );
    let hidden = visibilities
        .iter()
        .filter(|&&one| one < f64::from(HIDDEN))
        .count();
    values.set(Feature::HiddenShare, hidden as f64 / n as f64);
    visibilities.sort_unstable_by(f64::total_cmp);
    // Rank .1 (n - 1), between its neighbours, as NumPy's percentile.
    let rank = 0.1 * (n - 1) as f64;
    let (below, share) = (rank as usize, rank.fract());
    let low = visibilities[below] + share * (visibilities[below + 1] - visibilities[below]);
    values.set(Feature::VisibilityLow, low);
    let presence: f64 = LARGE_JOINTS
        .iter()
        .map(|&joint| f64::from(pose.landmarks[joint].presence))
        .sum();
    values.set(Feature::PresenceMean, presence / n as f64);
    values.set(Feature::PoseScore, f64::from(pose.score));
}

/// Whether shoulders, hips and knees lie nearer to where the other side's were than to their own.
fn has_swapped(before: &[Point2; LARGE_JOINTS.len()], now: &[Point2; LARGE_JOINTS.len()]) -> bool {
    let (mut straight, mut crossed) = (0.0, 0.0);
    for left in [0, 6, 8] {
        let right = left + 1;
        straight += now[left].distance(before[left]) + now[right].distance(before[right]);
        crossed += now[left].distance(before[right]) + now[right].distance(before[left]);
    }
    crossed < straight
}

fn metres(landmark: &WorldLandmark) -> [f64; 3] {
    [
        f64::from(landmark.x_m),
        f64::from(landmark.y_m),
        f64::from(landmark.z_m),
    ]
}

fn middle(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|axis| 0.5 * (a[axis] + b[axis]))
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
    squares.sqrt()
}

/// The logarithm; of what is not positive, NaN.
fn ln_positive(value: f64) -> f64 {
    if value > 0.0 { value.ln() } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::ImageSize;
    use crate::pose::{Landmark, Pose};
    use crate::roi::RotatedRect;
    use crate::skeleton::MIRRORED_PAIRS;

    const IMAGE: ImageSize = ImageSize {
        width_px: 200,
        height_px: 400,
    };

    /// Somebody who stands upright before the camera; `yaw` turns them.
    fn standing(yaw: f32) -> Pose {
        let mut pose = Pose {
            landmarks: [Landmark {
                x_px: 100.0,
                y_px: 40.0,
                z_px: 0.0,
                visibility: 0.9,
                presence: 0.8,
            }; LANDMARK_COUNT],
            world: [WorldLandmark::default(); LANDMARK_COUNT],
            region: RotatedRect {
                center: Point2::new(100.0, 200.0),
                width_px: 300.0,
                height_px: 300.0,
                rotation: 0.0,
            },
            score: 0.97,
        };
        let rows = [
            (11, 0.2, -0.5),
            (13, 0.25, -0.2),
            (15, 0.25, 0.05),
            (23, 0.1, 0.0),
            (25, 0.1, 0.4),
            (27, 0.1, 0.8),
        ];
        for (left, x_m, y_m) in rows {
            for (joint, side) in [(left, 1.0), (left + 1, -1.0)] {
                let (x_m, z_m) = (side * x_m * yaw.cos(), side * x_m * yaw.sin());
                pose.world[joint] = WorldLandmark {
                    x_m,
                    y_m,
                    z_m,
                    ..WorldLandmark::default()
                };
                pose.landmarks[joint].x_px = 100.0 + 200.0 * x_m;
                pose.landmarks[joint].y_px = 200.0 + 200.0 * y_m;
            }
        }
        pose
    }

    fn facts(time_secs: f64, pose: Option<&Pose>) -> FrameFacts<'_> {
        FrameFacts {
            pose,
            ..FrameFacts::bare(time_secs, IMAGE, 10.0)
        }
    }

    fn value(row: &FeatureRow, feature: Feature) -> f32 {
        row.values[feature.index()]
    }

    #[test]
    fn somebody_who_stands_is_described_as_such() {
        let mut pose = standing(0.5);
        pose.landmarks[27].visibility = 0.2;
        pose.landmarks[0].x_px = -1.0;
        let row = Extractor::default().row(&facts(0.0, Some(&pose)));
        for (feature, expected) in [
            (Feature::PersonShare, 1.0),
            (Feature::BodyHeight, 320.0 / 400.0),
            (Feature::CentreX, 0.5),
            (Feature::CentreY, 0.5),
            (Feature::TrunkTilt, 0.0),
            (Feature::ViewYaw, 0.5_f32.to_degrees()),
            (Feature::OutsideShare, 1.0 / 33.0),
            (Feature::PoseScore, 0.97),
            (Feature::VisibilityMean, 0.9 - 0.7 / 12.0),
            (Feature::HiddenShare, 1.0 / 12.0),
            (Feature::VisibilityLow, 0.9),
            (Feature::PresenceMean, 0.8),
            (Feature::LeftRightVisibility, -0.7 / 6.0),
            (Feature::FrameMillis, 10.0_f32.ln()),
            (Feature::DroppedShare, 0.0),
        ] {
            let found = value(&row, feature);
            assert!(
                (found - expected).abs() < 2e-5,
                "{feature:?}: {found}, expected {expected}"
            );
        }
        for feature in [
            Feature::Jitter,
            Feature::LumaMean,
            Feature::FlipOks,
            Feature::IntervalMillis,
        ] {
            assert!(value(&row, feature).is_nan(), "{feature:?}");
        }
    }

    #[test]
    fn a_mirrored_picture_turns_the_view_round() {
        let pose = standing(0.4);
        let mut mirrored = pose.clone();
        for (left, right) in MIRRORED_PAIRS {
            mirrored.world.swap(left, right);
        }
        for landmark in &mut mirrored.world {
            landmark.x_m = -landmark.x_m;
        }
        let yaw = |pose: &Pose| {
            value(
                &Extractor::default().row(&facts(0.0, Some(pose))),
                Feature::ViewYaw,
            )
        };
        assert!((yaw(&pose) + yaw(&mirrored)).abs() < 1e-3 && yaw(&pose) > 20.0);
    }

    #[test]
    fn movement_of_even_pace_has_no_jitter_and_a_jerk_has() {
        let mut extractor = Extractor::default();
        let mut jitter = Vec::new();
        for frame in 0..6_u8 {
            let mut pose = standing(0.0);
            let along = 0.01 * f32::from(frame) + if frame == 4 { 0.05 } else { 0.0 };
            for landmark in &mut pose.world {
                landmark.x_m += along;
            }
            let row = extractor.row(&facts(f64::from(frame) * 0.04, Some(&pose)));
            jitter.push(value(&row, Feature::Jitter));
            if frame > 0 {
                assert!(value(&row, Feature::BoneChange) < 1e-6);
                assert!((value(&row, Feature::IntervalMillis) - 40.0_f32.ln()).abs() < 1e-5);
            }
        }
        assert!(jitter[0].is_nan() && jitter[1].is_nan());
        assert!(jitter[2] < 1e-6 && jitter[3] < 1e-6, "{jitter:?}");
        // .05 m forwards, then back: .05 and .1 m, of a trunk of .5 m.
        assert!(
            (jitter[4] - 0.1).abs() < 1e-5 && (jitter[5] - 0.2).abs() < 1e-5,
            "{jitter:?}"
        );
    }

    #[test]
    fn sides_that_swap_are_seen() {
        let mut extractor = Extractor::default();
        let pose = standing(0.2);
        let mut swapped = pose.clone();
        for (left, right) in MIRRORED_PAIRS {
            swapped.landmarks.swap(left, right);
        }
        let swaps = [&pose, &pose, &swapped, &swapped, &pose].map(|pose| {
            let time_secs = extractor.last_time_secs.map_or(0.0, |last| last + 0.1);
            value(&extractor.row(&facts(time_secs, Some(pose))), Feature::SwapShare)
        });
        assert!(swaps[0].is_nan());
        assert_eq!(swaps[1..], [0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn bones_that_grow_are_seen() {
        let mut extractor = Extractor::default();
        let pose = standing(0.0);
        extractor.row(&facts(0.0, Some(&pose)));
        let mut grown = pose.clone();
        for landmark in &mut grown.world {
            landmark.y_m *= 1.1;
            landmark.x_m *= 1.1;
        }
        let row = extractor.row(&facts(0.04, Some(&grown)));
        assert!((value(&row, Feature::BoneChange) - 0.1).abs() < 1e-5);
    }

    /// After a pause, or when nobody was seen, nothing of before is compared with.
    #[test]
    fn a_pause_forgets() {
        let pose = standing(0.0);
        for (times, poses) in [
            ([0.0, 0.1, 5.0], [true, true, true]),
            ([0.0, 0.1, 0.05], [true, true, true]),
            ([0.0, 0.1, 0.2], [true, false, true]),
        ] {
            let mut extractor = Extractor::default();
            let rows: Vec<FeatureRow> = times
                .into_iter()
                .zip(poses)
                .map(|(time, is_there)| extractor.row(&facts(time, is_there.then_some(&pose))))
                .collect();
            assert!(value(&rows[2], Feature::SwapShare).is_nan(), "{times:?}");
            assert!(value(&rows[2], Feature::BoneChange).is_nan(), "{times:?}");
        }
    }

    #[test]
    fn what_is_not_finite_is_not_measured() {
        let mut pose = standing(0.0);
        for landmark in &mut pose.landmarks {
            landmark.x_px = f32::NAN;
            landmark.visibility = f32::INFINITY;
        }
        pose.score = f32::NAN;
        let mut extractor = Extractor::default();
        for time in [0.0, f64::NAN, 0.1] {
            let row = extractor.row(&FrameFacts {
                total_millis: -1.0,
                flip_oks: Some(f64::NAN),
                ..facts(time, Some(&pose))
            });
            assert!(row.values.iter().all(|value| !value.is_infinite()));
            for feature in [
                Feature::CentreX,
                Feature::PoseScore,
                Feature::FrameMillis,
                Feature::FlipOks,
            ] {
                assert!(value(&row, feature).is_nan(), "{feature:?}");
            }
        }
    }
}
