//! A small attack without gradients: how far few, invisible changes can move a model's joints.
//!
//! Simple Black-box Adversarial Attacks (Guo, Gardner, You, Wilson and Weinberger, ICML 2019) in a basis of blocks of 8 by 8
//! pixels of one channel: one block after the other, in random order, is made lighter or darker by the whole budget, and
//! the change is kept where it moves the joints farther from where they were. What it finds is a lower bound of what an
//! attacker can do who knows the model, and is to be read as one.

use plumbline_core::pose::Pose;
use plumbline_core::statistics::random::Random;
use serde::Serialize;

use super::shown::{COCO_POINTS, Shown};
use crate::Outcome;

/// Pixels along a side of what is changed at once.
const BLOCK_PX: usize = 8;
/// Columns of the landmark model's picture: distances are told in its pixels.
const CROP_PX: f64 = 256.0;

/// What an attack on some pictures came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttackReport {
    /// Levels of 255 by which a pixel may change, at most.
    pub levels: u8,
    /// Runs of the model for each picture, at most.
    pub queries: u32,
    /// Pictures in which somebody was found before.
    pub pictures: usize,
    /// Pictures in which nobody was found any longer.
    pub lost: usize,
    /// How far joints were moved in the others, mean over joints and pictures, pixels of a crop of 256.
    pub moved_px_mean: Option<f64>,
    /// The same of the picture where it is most.
    pub moved_px_max: Option<f64>,
}

/// Attacks pictures. `find` runs the model.
///
/// # Errors
/// What `find` says.
pub fn attack(
    shown: &[Shown],
    levels: u8,
    queries: u32,
    seed: u64,
    find: &mut impl FnMut(&Shown) -> Outcome<Option<Pose>>,
) -> Outcome<AttackReport> {
    let mut moved = Vec::new();
    let (mut n_pictures, mut lost) = (0, 0);
    for (index, clean) in shown.iter().enumerate() {
        let Some(before) = find(clean)? else { continue };
        n_pictures += 1;
        let mut random = Random::of_part(seed, index as u64);
        match push(clean, &before, levels, queries, &mut random, find)? {
            Some(px) => moved.push(px),
            None => lost += 1,
        }
    }
    Ok(AttackReport {
        levels,
        queries,
        pictures: n_pictures,
        lost,
        moved_px_mean: (!moved.is_empty()).then(|| moved.iter().sum::<f64>() / moved.len() as f64),
        moved_px_max: moved.into_iter().reduce(f64::max),
    })
}

/// How far the joints of one picture can be moved; nothing where nobody is found any longer.
fn push(
    clean: &Shown,
    before: &Pose,
    levels: u8,
    queries: u32,
    random: &mut Random,
    find: &mut impl FnMut(&Shown) -> Outcome<Option<Pose>>,
) -> Outcome<Option<f64>> {
    let mut changes = changes_at(clean);
    random.shuffle(&mut changes);
    let mut current = clean.clone();
    let (mut farthest, mut asked) = (0.0, 0);
    for (left, top, channel) in changes {
        for is_lighter in [true, false] {
            if asked == queries {
                return Ok(Some(farthest));
            }
            asked += 1;
            let mut tried = current.clone();
            change(&mut tried, clean, [left, top, channel], levels, is_lighter);
            let Some(pose) = find(&tried)? else {
                return Ok(None);
            };
            let distance = moved_px(before, &pose);
            if distance > farthest {
                farthest = distance;
                current = tried;
                break;
            }
        }
    }
    Ok(Some(farthest))
}

/// Left, top and channel of every block that touches the person's box.
fn changes_at(shown: &Shown) -> Vec<(usize, usize, usize)> {
    let [left, top, width, height] = shown.truth.bbox;
    let range = |start: f64, length: f64, side: u32| {
        let first = start.max(0.0) as usize / BLOCK_PX;
        let last = (start + length).clamp(0.0, f64::from(side)) as usize;
        (first..last.div_ceil(BLOCK_PX))
            .map(|block| block * BLOCK_PX)
            .collect::<Vec<_>>()
    };
    let columns = range(left, width, shown.size.width_px);
    let rows = range(top, height, shown.size.height_px);
    let mut changes = Vec::new();
    for &top in &rows {
        for &left in &columns {
            changes.extend((0..3).map(|channel| (left, top, channel)));
        }
    }
    changes
}

/// Makes a block of one channel lighter or darker than it is in the clean picture.
fn change(shown: &mut Shown, clean: &Shown, [left, top, channel]: [usize; 3], levels: u8, is_lighter: bool) {
    let [width, height] = [shown.size.width_px, shown.size.height_px].map(|side| side as usize);
    for y in top..(top + BLOCK_PX).min(height) {
        for x in left..(left + BLOCK_PX).min(width) {
            let at = 4 * (y * width + x) + channel;
            let value = clean.rgba[at];
            shown.rgba[at] = match is_lighter {
                true => value.saturating_add(levels),
                false => value.saturating_sub(levels),
            };
        }
    }
}

/// The mean distance of COCO's points, in pixels of the crop that the first pose was found in.
fn moved_px(before: &Pose, after: &Pose) -> f64 {
    let scale = CROP_PX / f64::from(before.region.width_px.max(1.0));
    let distances = COCO_POINTS.map(|joint| {
        let (one, other) = (
            before.landmarks[joint].point_in_image(),
            after.landmarks[joint].point_in_image(),
        );
        f64::from(one.distance(other))
    });
    scale * distances.iter().sum::<f64>() / distances.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use plumbline_core::geometry::{ImageSize, Point2};
    use plumbline_core::metrics::oks::TruthPose;
    use plumbline_core::pose::{Landmark, WorldLandmark};
    use plumbline_core::roi::RotatedRect;

    fn shown() -> Shown {
        Shown {
            rgba: vec![100; 4 * 40 * 24],
            size: ImageSize {
                width_px: 40,
                height_px: 24,
            },
            truth: TruthPose {
                points: [[8.0, 8.0]; 17],
                is_labelled: [true; 17],
                area: 64.0,
                bbox: [8.0, 8.0, 8.0, 8.0],
            },
            trunk_px: 4.0,
        }
    }

    /// Joints lie as far to the right as the picture's first block is light.
    fn found(shown: &Shown) -> Pose {
        let light = f32::from(shown.rgba[4 * (8 * 40 + 8)]);
        Pose {
            landmarks: [Landmark {
                x_px: light,
                ..Landmark::default()
            }; 33],
            world: [WorldLandmark::default(); 33],
            region: RotatedRect {
                center: Point2::new(0.0, 0.0),
                width_px: 128.0,
                height_px: 128.0,
                rotation: 0.0,
            },
            score: 1.0,
        }
    }

    #[test]
    fn what_moves_joints_is_kept_within_its_budget() {
        let report = attack(&[shown()], 4, 40, 1, &mut |shown| {
            let strayed = shown.rgba.iter().all(|value| value.abs_diff(100) <= 4);
            assert!(strayed, "no pixel changes by more than it may");
            Ok(Some(found(shown)))
        });
        let report = report.expect("the model runs");
        // Four levels, in a crop that is half as wide as 256.
        assert_eq!(
            (report.moved_px_max, report.lost, report.pictures),
            (Some(8.0), 0, 1)
        );
    }

    #[test]
    fn losing_somebody_is_counted_and_nobody_is_not() {
        let mut asked = 0;
        let report = attack(&[shown()], 8, 40, 1, &mut |shown| {
            asked += 1;
            Ok((asked < 3).then(|| found(shown)))
        });
        let report = report.expect("the model runs");
        assert_eq!((report.lost, report.moved_px_mean), (1, None));
        let report = attack(&[shown()], 8, 40, 1, &mut |_| Ok(None)).expect("the model runs");
        assert_eq!((report.pictures, report.lost), (0, 0));
    }
}
