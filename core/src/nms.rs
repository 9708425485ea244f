//! Weighted non-maximum suppression: of detections that overlap, one remains, and it is their average.
//!
//! The average is taken over boxes and keypoints with the scores as weights; the score is that of the best. This keeps
//! the box from jumping between neighbouring anchors (MediaPipe: `NonMaxSuppressionCalculator`, algorithm WEIGHTED).

use crate::detection::Detection;
use crate::geometry::Point2;

/// Detections whose boxes overlap by more than this (intersection over union) are one person.
pub const MERGE_OVERLAP: f32 = 0.3;

/// One detection for each group of overlapping ones, best score first.
pub fn merge_overlapping(mut detections: Vec<Detection>, min_overlap: f32) -> Vec<Detection> {
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut merged = Vec::new();
    while let Some(&best) = detections.first() {
        let (group, rest): (Vec<_>, Vec<_>) = detections
            .iter()
            .partition(|other| overlap(&best, other) > min_overlap);
        if group.is_empty() {
            // A box without area does not even overlap with itself; nothing after it can be merged in its name.
            merged.push(best);
            detections.remove(0);
        } else {
            merged.push(average(&best, &group));
            detections = rest;
        }
    }
    merged
}

/// Intersection over union of two boxes, in 0 to 1.
fn overlap(a: &Detection, b: &Detection) -> f32 {
    let width = a.max.x.min(b.max.x) - a.min.x.max(b.min.x);
    let height = a.max.y.min(b.max.y) - a.min.y.max(b.min.y);
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let area = |d: &Detection| (d.max.x - d.min.x) * (d.max.y - d.min.y);
    let intersection = width * height;
    intersection / (area(a) + area(b) - intersection)
}

/// The group's mean box and keypoints, weighted by score.
fn average(best: &Detection, group: &[Detection]) -> Detection {
    let total: f32 = group.iter().map(|detection| detection.score).sum();
    let mean = |point: fn(&Detection, usize) -> Point2, index: usize| {
        let (x, y) = group.iter().fold((0.0, 0.0), |(x, y), detection| {
            let point = point(detection, index);
            (x + point.x * detection.score, y + point.y * detection.score)
        });
        Point2::new(x / total, y / total)
    };
    Detection {
        score: best.score,
        min: mean(|detection, _| detection.min, 0),
        max: mean(|detection, _| detection.max, 0),
        keypoints: std::array::from_fn(|index| mean(|detection, index| detection.keypoints[index], index)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(score: f32, x: f32, y: f32, side: f32) -> Detection {
        Detection {
            score,
            min: Point2::new(x, y),
            max: Point2::new(x + side, y + side),
            keypoints: [Point2::new(x, y); 4],
        }
    }

    /// Overlaps of squares of side 1, worked out by hand.
    #[test]
    fn overlap_is_intersection_over_union() {
        let square = detection(1.0, 0.0, 0.0, 1.0);
        for (x, y, expected) in [
            (0.0, 0.0, 1.0),
            (0.5, 0.0, 1.0 / 3.0),
            (0.5, 0.5, 1.0 / 7.0),
            (1.0, 0.0, 0.0),
            (3.0, 3.0, 0.0),
        ] {
            let other = detection(1.0, x, y, 1.0);
            assert!((overlap(&square, &other) - expected).abs() < 1e-6, "({x}, {y})");
        }
        assert_eq!(overlap(&square, &detection(1.0, 0.2, 0.2, 0.0)), 0.0);
    }

    #[test]
    fn overlapping_detections_become_their_weighted_mean() {
        let merged = merge_overlapping(
            vec![
                detection(0.6, 0.2, 0.0, 1.0),
                detection(0.5, 5.0, 5.0, 1.0),
                detection(0.9, 0.0, 0.0, 1.0),
            ],
            MERGE_OVERLAP,
        );
        assert_eq!(merged.len(), 2);
        // (0.9 * 0.0 + 0.6 * 0.2) / 1.5 = 0.08
        assert_eq!(merged[0].score, 0.9);
        assert!(merged[0].min.distance(Point2::new(0.08, 0.0)) < 1e-6);
        assert!(merged[0].max.distance(Point2::new(1.08, 1.0)) < 1e-6);
        assert!(merged[0].keypoints[3].distance(Point2::new(0.08, 0.0)) < 1e-6);
        assert!(merged[1].min.distance(Point2::new(5.0, 5.0)) < 1e-6);
        assert_eq!(merged[1].score, 0.5);
    }

    /// The third overlaps with the second, but not with the best, which decides.
    #[test]
    fn groups_form_around_the_best() {
        let merged = merge_overlapping(
            vec![
                detection(0.9, 0.0, 0.0, 1.0),
                detection(0.8, 0.4, 0.0, 1.0),
                detection(0.7, 0.8, 0.0, 1.0),
            ],
            MERGE_OVERLAP,
        );
        assert_eq!(merged.len(), 2);
        assert!((merged[0].min.x - 0.8 * 0.4 / 1.7).abs() < 1e-6);
        assert!((merged[1].min.x - 0.8).abs() < 1e-6);
    }

    #[test]
    fn nothing_and_empty_boxes_end() {
        assert!(merge_overlapping(Vec::new(), MERGE_OVERLAP).is_empty());
        let empty = detection(0.9, 0.0, 0.0, 0.0);
        assert_eq!(
            merge_overlapping(vec![empty, detection(0.8, 0.0, 0.0, 1.0)], MERGE_OVERLAP).len(),
            2
        );
    }
}
