//! Non-maximum suppression: of candidates that are the same thing, the surest remains.
//!
//! Greedy, by descending score, of equal scores the earlier one first. *The same* is an overlap of boxes
//! (intersection over union), or a similarity of points (COCO's object keypoint similarity, `cocoeval.py`):
//! the mean over points of exp(-d^2 / (2 s^2 (2 sigma)^2)), with s^2 the area of the surer one's box.

use super::pose::{KeypointPose, Rect};
use crate::keypoint_sets::KeypointSet;

/// When two candidates are the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Same {
    /// Their boxes overlap by more than this.
    Overlap(f32),
    /// Their points are more similar than this; candidates without boxes have the smallest that holds their points.
    Points(f32, KeypointSet),
}

/// Indices of the candidates that remain, the surest first; at most `limit`. `is_same` is asked of a surer one that
/// remains and a less sure one.
pub fn suppress(scores: &[f32], limit: usize, mut is_same: impl FnMut(usize, usize) -> bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut kept: Vec<usize> = Vec::new();
    for candidate in order {
        if kept.len() >= limit {
            break;
        }
        if !kept.iter().any(|&surer| is_same(surer, candidate)) {
            kept.push(candidate);
        }
    }
    kept
}

/// Of people that are the same, the surest.
pub fn suppress_poses(poses: Vec<KeypointPose>, same: Same, limit: usize) -> Vec<KeypointPose> {
    let rects: Vec<Rect> = poses.iter().map(rect_of).collect();
    let scores: Vec<f32> = poses.iter().map(|pose| pose.score).collect();
    let kept = suppress(&scores, limit, |surer, other| match same {
        Same::Overlap(most) => rects[surer].overlap(&rects[other]) > most,
        Same::Points(most, set) => similarity(&poses[surer], &poses[other], rects[surer].area(), set) > most,
    });
    let mut poses: Vec<Option<KeypointPose>> = poses.into_iter().map(Some).collect();
    kept.into_iter().filter_map(|index| poses[index].take()).collect()
}

fn rect_of(pose: &KeypointPose) -> Rect {
    pose.bounds
        .or_else(|| pose.rect_around(f32::NEG_INFINITY))
        .unwrap_or_default()
}

/// Object keypoint similarity of two people, 0 to 1; `area` in square pixels is that of the first.
pub fn similarity(a: &KeypointPose, b: &KeypointPose, area: f32, set: KeypointSet) -> f32 {
    let count = a.keypoints.len().min(b.keypoints.len());
    if count == 0 || area <= 0.0 || area.is_nan() {
        return 0.0;
    }
    let pairs = a.keypoints.iter().zip(&b.keypoints);
    let sum: f32 = pairs
        .enumerate()
        .map(|(index, (a, b))| {
            let (dx, dy) = (a.x_px - b.x_px, a.y_px - b.y_px);
            let spread = 2.0 * set.sigma(index);
            (-(dx * dx + dy * dy) / (2.0 * area * spread * spread)).exp()
        })
        .sum();
    sum / count as f32
}
