//! From the detector's tensors to candidate people (MediaPipe: `TensorsToDetectionsCalculator` with the options of
//! `pose_detection.pbtxt`).

use crate::geometry::Point2;
use crate::preprocess::DETECTOR_SIDE_PX;

/// Numbers that the detector gives for each anchor: a box (x, y, width, height) and four points (x, y).
pub const VALUES_PER_BOX: usize = 12;
/// Candidates below this probability are dropped.
pub const MIN_DETECTION_SCORE: f32 = 0.5;
/// Scores are clipped to this magnitude before the sigmoid.
const SCORE_CLIP: f32 = 100.0;

/// Index of the keypoint between the hips: the region's centre.
pub const HIP_CENTER: usize = 0;
/// Index of the keypoint that gives the size and the rotation of the whole body.
pub const BODY_SCALE_POINT: usize = 1;

/// A person as the detector sees one, in fractions of the detector's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Probability.
    pub score: f32,
    /// Upper left corner of the face box.
    pub min: Point2,
    /// Lower right corner of the face box.
    pub max: Point2,
    /// Centre of the hips, scale point of the whole body, centre of the shoulders, scale point of the upper body.
    pub keypoints: [Point2; 4],
}

/// Decodes the detector's rows against their anchors and keeps those of sufficient score.
///
/// `boxes` holds [`VALUES_PER_BOX`] numbers and `scores` one logit for each anchor. Boxes are offsets from the anchor's
/// centre in px of the detector's input. Boxes of negative or undefined extent are dropped.
pub fn decode(boxes: &[f32], scores: &[f32], anchors: &[Point2]) -> Vec<Detection> {
    const SCALE: f32 = 1.0 / DETECTOR_SIDE_PX as f32;
    let mut detections = Vec::new();
    for ((row, &logit), anchor) in boxes.chunks_exact(VALUES_PER_BOX).zip(scores).zip(anchors) {
        let score = sigmoid(logit.clamp(-SCORE_CLIP, SCORE_CLIP));
        let point =
            |index: usize| Point2::new(row[index] * SCALE + anchor.x, row[index + 1] * SCALE + anchor.y);
        let (center, width, height) = (point(0), row[2] * SCALE, row[3] * SCALE);
        if score >= MIN_DETECTION_SCORE && width >= 0.0 && height >= 0.0 {
            detections.push(Detection {
                score,
                min: Point2::new(center.x - width / 2.0, center.y - height / 2.0),
                max: Point2::new(center.x + width / 2.0, center.y + height / 2.0),
                keypoints: [point(4), point(6), point(8), point(10)],
            });
        }
    }
    detections
}

/// The logistic function.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_offsets_from_their_anchor() {
        let anchors = [Point2::new(0.5, 0.25), Point2::new(0.125, 0.125)];
        let first = [
            22.4, -22.4, 44.8, 89.6, 0.0, 0.0, 0.0, -112.0, 11.2, 0.0, 0.0, 224.0,
        ];
        let second = [0.0; 12];
        let boxes = [first, second].concat();

        let detections = decode(&boxes, &[2.0, -0.1], &anchors);
        assert_eq!(detections.len(), 1, "the second row scores below one half");
        let found = detections[0];
        assert!((found.score - 0.880_797).abs() < 1e-6);
        let expected = [
            (found.min, 0.5, -0.05),
            (found.max, 0.7, 0.35),
            (found.keypoints[0], 0.5, 0.25),
            (found.keypoints[1], 0.5, -0.25),
            (found.keypoints[2], 0.55, 0.25),
            (found.keypoints[3], 0.5, 1.25),
        ];
        for (point, x, y) in expected {
            assert!(
                point.distance(Point2::new(x, y)) < 1e-6,
                "{point:?} is not ({x}, {y})"
            );
        }
    }

    #[test]
    fn broken_rows_are_dropped() {
        let anchors = [Point2::default(); 5];
        let row = |width: f32| {
            let mut row = [0.0; 12];
            row[2] = width;
            row
        };
        let boxes = [row(-1.0), row(f32::NAN), row(0.0), row(1.0), row(1.0)].concat();
        let detections = decode(&boxes, &[5.0, 5.0, 5.0, f32::NAN, 1e30], &anchors);
        let scores: Vec<f32> = detections.iter().map(|detection| detection.score).collect();
        assert_eq!(scores, [sigmoid(5.0), 1.0]);
    }
}
