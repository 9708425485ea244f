//! Pictures whose people are known: drawn ones, or photographs with COCO's labels.

use std::fs;
use std::path::Path;

use plumbline_core::corrupt::{Corruption, Corruptor, Severity};
use plumbline_core::geometry::{ImageSize, Point2};
use plumbline_core::metrics::coco_json::CocoSet;
use plumbline_core::metrics::oks::TruthPose;
use plumbline_figure::Still;

use crate::Outcome;
use crate::picture;

/// COCO's 17 points among BlazePose's 33.
pub const COCO_POINTS: [usize; 17] = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28];

/// Among the 17: shoulders and hips, left first.
const TRUNK: [usize; 4] = [5, 6, 11, 12];

/// The share of a person's box that is the person, where nobody has drawn the outline: mmpose takes the same for data
/// sets without one.
const OUTLINE_SHARE: f64 = 0.53;

/// A picture with one known person.
#[derive(Clone)]
pub struct Shown {
    /// Rows of four bytes a pixel, without gaps.
    pub rgba: Vec<u8>,
    /// Columns and rows.
    pub size: ImageSize,
    /// Where the person is.
    pub truth: TruthPose<17>,
    /// Length of the trunk in pixels; above 0.
    pub trunk_px: f64,
}

impl Shown {
    /// A drawn picture.
    pub fn drawn(still: &Still) -> Self {
        let picture = still.draw();
        let joints = still.truth().joints;
        let points = COCO_POINTS.map(|joint| [joints[joint].x_px, joints[joint].y_px]);
        let bbox = box_of(&joints.map(|joint| [joint.x_px, joint.y_px]));
        let truth = TruthPose {
            points,
            is_labelled: [true; 17],
            area: OUTLINE_SHARE * bbox[2] * bbox[3],
            bbox,
        };
        Self {
            rgba: with_alpha(&picture.rgb),
            size: size_of(picture.width_px, picture.height_px),
            trunk_px: trunk_of(&truth).unwrap_or(1.0),
            truth,
        }
    }

    /// The same, spoiled; the truth moves along.
    pub fn spoiled(
        &self,
        corruptor: &mut Corruptor,
        corruption: Corruption,
        severity: Severity,
        frame: u32,
    ) -> Self {
        let mut spoiled = self.clone();
        corruptor
            .apply(corruption, severity, frame, &mut spoiled.rgba, self.size)
            .expect("the picture has its size");
        let moved = |[x, y]: [f64; 2]| {
            let point = corruption.moves(severity, self.size, Point2::new(x as f32, y as f32));
            [f64::from(point.x), f64::from(point.y)]
        };
        let truth = &mut spoiled.truth;
        truth.points = truth.points.map(moved);
        if corruption.swaps_sides() {
            // Left and right follow each other from the eyes on.
            for left in (1..17).step_by(2) {
                truth.points.swap(left, left + 1);
                truth.is_labelled.swap(left, left + 1);
            }
        }
        let ([x, y], [other_x, other_y]) = (moved([0.0, 0.0]), moved([1.0, 0.0]));
        let scale = (other_x - x).hypot(other_y - y);
        truth.area *= scale * scale;
        let [left, top, width, height] = truth.bbox;
        let corners = [
            [left, top],
            [left + width, top],
            [left, top + height],
            [left + width, top + height],
        ];
        truth.bbox = box_of(&corners.map(moved));
        spoiled.trunk_px *= scale;
        spoiled
    }
}

/// Photographs with labels: of each the largest person whose shoulders and hips are labelled. Gives how many images have
/// none, too.
///
/// # Errors
/// Files that cannot be read, or are no such labels or pictures.
pub fn labelled(truth: &Path, images: &Path) -> Outcome<(Vec<Shown>, usize)> {
    let text = fs::read(truth).map_err(|error| format!("cannot read {} ({error})", truth.display()))?;
    let set = CocoSet::from_json(&text, None).map_err(|error| format!("{}: {error}", truth.display()))?;
    let mut shown = Vec::new();
    let mut n_left_out = 0;
    for (&image, name) in &set.images {
        let people = set
            .people
            .truths()
            .iter()
            .filter(|person| person.image == image && !person.is_crowd);
        let largest = people
            .filter_map(|person| Some((trunk_of(&person.pose)?, &person.pose)))
            .max_by(|(_, one), (_, other)| one.area.total_cmp(&other.area));
        let Some((trunk_px, pose)) = largest else {
            n_left_out += 1;
            continue;
        };
        let picture = picture::read(&images.join(name))?;
        shown.push(Shown {
            rgba: with_alpha(&picture.rgb),
            size: size_of(picture.width_px, picture.height_px),
            truth: pose.clone(),
            trunk_px,
        });
    }
    if shown.is_empty() {
        let sentence = "no image has somebody whose shoulders and hips are labelled";
        return Err(format!("{}: {sentence}", truth.display()));
    }
    Ok((shown, n_left_out))
}

/// From the middle of the shoulders to the middle of the hips, where they are labelled and apart.
fn trunk_of(truth: &TruthPose<17>) -> Option<f64> {
    let is_labelled = TRUNK.iter().all(|&point| truth.is_labelled[point]);
    let [shoulder, other_shoulder, hip, other_hip] = TRUNK.map(|point| truth.points[point]);
    let along = |axis: usize| (shoulder[axis] + other_shoulder[axis] - hip[axis] - other_hip[axis]) / 2.0;
    Some(along(0).hypot(along(1))).filter(|&length| is_labelled && length > 0.0)
}

/// Left, top, width and height.
fn box_of(points: &[[f64; 2]]) -> [f64; 4] {
    let low = |axis: usize| {
        points
            .iter()
            .map(|point| point[axis])
            .fold(f64::INFINITY, f64::min)
    };
    let high = |axis: usize| {
        points
            .iter()
            .map(|point| point[axis])
            .fold(f64::NEG_INFINITY, f64::max)
    };
    [low(0), low(1), high(0) - low(0), high(1) - low(1)]
}

fn size_of(width_px: usize, height_px: usize) -> ImageSize {
    ImageSize {
        width_px: width_px as u32,
        height_px: height_px as u32,
    }
}

fn with_alpha(rgb: &[u8]) -> Vec<u8> {
    rgb.chunks_exact(3)
        .flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_moves_with_the_picture() {
        let size = size_of(100, 80);
        let points = std::array::from_fn(|point| [20.0 + point as f64, 30.0 + point as f64]);
        let truth = TruthPose {
            points,
            is_labelled: [true; 17],
            area: 100.0,
            bbox: box_of(&points),
        };
        let shown = Shown {
            rgba: vec![0; 4 * 100 * 80],
            size,
            trunk_px: 8.0,
            truth,
        };
        let mut corruptor = Corruptor::new(0);
        let mirrored = shown.spoiled(&mut corruptor, Corruption::Mirrored, Severity::ALL[0], 0);
        assert_eq!(mirrored.truth.points[0], [80.0, 30.0]);
        assert_eq!(
            mirrored.truth.points[5],
            [100.0 - 26.0, 36.0],
            "the left shoulder was the right one"
        );
        assert_eq!((mirrored.truth.area, mirrored.trunk_px), (100.0, 8.0));
        let far = shown.spoiled(&mut corruptor, Corruption::Scale, Severity::ALL[4], 0);
        assert!((far.truth.area - 4.0).abs() < 1e-3 && (far.trunk_px - 1.6).abs() < 1e-4);
        assert_eq!(far.truth.points[0], [40.0 + 4.0, 32.0 + 6.0]);
    }
}
