//! Models that look at one person who fills their input: SimCC and heatmaps.

use super::{Confidence, Model, Proposal, Question, planes};
use crate::keypoint_sets::KeypointSet;
use crate::model_input::{Interpolation, Preprocessing, Resize};
use crate::task::{Role, Task};

/// What has to be known of them.
pub(super) const NEEDS_ONE: &str =
    "it expects one person who fills its input; BlazePose's detector finds people for it";

impl Model<'_> {
    /// MMPose, `configs/body_2d_keypoint/rtmpose`: means and deviations of ImageNet in levels, red first.
    pub(super) fn simcc(&self) -> Option<Proposal> {
        let [first, second] = self.outputs else {
            return None;
        };
        let (&[1, count, columns], &[1, also, rows]) = (first.shape, second.shape) else {
            return None;
        };
        let (width, height) = (self.size.width_px as usize, self.size.height_px as usize);
        if count != also || count == 0 {
            return None;
        }
        // Bins for each pixel; 2 in everything that is published.
        let split = |bins: usize, side: usize| {
            bins.is_multiple_of(side)
                .then_some(bins / side)
                .filter(|&n| n > 0)
        };
        let in_order = split(columns, width).filter(|&n| split(rows, height) == Some(n));
        let swapped = split(rows, width).filter(|&n| split(columns, height) == Some(n));
        let (x, y, n_bins) = match (in_order, swapped) {
            (Some(n), None) => (first, second, n),
            (None, Some(n)) => (second, first, n),
            // Square inputs: the names decide, then the order.
            (Some(n), Some(_)) if second.name.ends_with('x') && first.name.ends_with('y') => {
                (second, first, n)
            }
            (Some(n), Some(_)) => (first, second, n),
            (None, None) => return None,
        };
        let keypoints = KeypointSet::of_count(count);
        let mut proposal = Proposal {
            preprocessing: self.warped_crop(),
            keypoints: Some(keypoints),
            note: Some(NEEDS_ONE),
            ..self.proposal(
                Task::SimCc,
                if n_bins == 2 {
                    Confidence::Certain
                } else {
                    Confidence::Likely
                },
                format!(
                    "{count} points as two distributions, {n_bins} bins a pixel of the input's width and height, as \
                     RTMPose gives them"
                ),
                &[(Role::SimccX, x), (Role::SimccY, y)],
            )
        };
        if keypoints == KeypointSet::Numbered {
            proposal.questions.push(Question::Keypoints(count));
        }
        Some(proposal)
    }

    /// As MMPose gives a person to its models: warped into the input's frame, levels by ImageNet's statistics.
    fn warped_crop(&self) -> Preprocessing {
        let (mean, std) = Preprocessing::IMAGENET;
        Preprocessing {
            resize: Resize::Letterbox,
            interpolation: Interpolation::Warp,
            range: [0.0, 255.0],
            mean: mean.map(|share| share * 255.0),
            std: std.map(|share| share * 255.0),
            ..Preprocessing::plain(self.size)
        }
    }

    /// MMPose, `configs/body_2d_keypoint/topdown_heatmap`, and ViTPose: an upright input, a plane of a quarter of its sides
    /// for each point of a body. Points are what tells it from masks, so others than bodies' are not proposed.
    pub(super) fn heatmaps(&self) -> Option<Proposal> {
        let output = self.sole_output()?;
        let (count, height, width) = planes(output.shape, self.layout)?;
        let keypoints = KeypointSet::of_count(count);
        let is_body = matches!(keypoints, KeypointSet::Coco17 | KeypointSet::Halpe26);
        let sides = [self.size.width_px as usize, self.size.height_px as usize];
        if !is_body || sides != [4 * width, 4 * height] {
            return None;
        }
        let upright = 4 * sides[0] == 3 * sides[1];
        Some(Proposal {
            preprocessing: self.warped_crop(),
            keypoints: Some(keypoints),
            note: Some(NEEDS_ONE),
            ..self.proposal(
                Task::Heatmaps,
                if upright {
                    Confidence::Likely
                } else {
                    Confidence::Possible
                },
                format!(
                    "a plane of a quarter of the input's sides for each of {count} points, as HRNet and ViTPose give \
                     them"
                ),
                &[(Role::Heatmaps, output)],
            )
        })
    }
}
