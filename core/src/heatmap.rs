//! Moves a landmark to the centre of mass of its heatmap's neighbourhood
//! (MediaPipe: `RefineLandmarksFromHeatmapCalculator` with its defaults, kernel 9 and confidence 0.5; its newer Tasks
//! graph sets kernel 7, which moves single landmarks by several pixels).

use crate::detection::sigmoid;
use crate::landmarks::{MODEL_LANDMARK_COUNT, ModelLandmark, USED_LANDMARKS};

/// Cells along a side of the heatmap.
pub const HEATMAP_SIDE: usize = 64;
/// Cells that count to each side of the landmark's own.
pub const REACH: isize = 4;
/// The neighbourhood counts only if one of its cells is at least this sure.
pub const MIN_CONFIDENCE: f32 = 0.5;

/// Cells along a side of a neighbourhood.
const SPAN: usize = 2 * REACH as usize + 1;

/// Where the logits come from: from a whole tensor, or from whoever computes those that are asked for.
pub trait Heatmap {
    /// Logits of one landmark in cells of the map, numbered row by row; one value for each cell.
    fn logits(&self, landmark: usize, cells: impl Iterator<Item = usize>, values: &mut [f32]);
}

/// The whole tensor `[64, 64, 39]`, landmarks innermost.
impl Heatmap for &[f32] {
    fn logits(&self, landmark: usize, cells: impl Iterator<Item = usize>, values: &mut [f32]) {
        for (value, cell) in values.iter_mut().zip(cells) {
            *value = self[cell * MODEL_LANDMARK_COUNT + landmark];
        }
    }
}

/// Refines x and y of each landmark that anybody uses in place; depth, visibility and presence stay.
///
/// A position is the index of a cell over the number of cells, without half a cell added, as in the reference. A
/// landmark to the left of, to the right of or above the input stays as it is; one that lies below it by no more than
/// the reach is still drawn in, because the reference compares the column twice and the row not at all.
pub fn refine(landmarks: &mut [ModelLandmark; MODEL_LANDMARK_COUNT], heatmap: &impl Heatmap) {
    const SIDE: isize = HEATMAP_SIDE as isize;
    for (index, landmark) in landmarks.iter_mut().enumerate().take(USED_LANDMARKS) {
        // The cast rounds towards zero, so that up to one cell to the left of the input still counts as inside.
        let column = (landmark.x * HEATMAP_SIDE as f32) as isize;
        let row = (landmark.y * HEATMAP_SIDE as f32) as isize;
        if !(0..SIDE).contains(&column) || !(0..SIDE + REACH).contains(&row) {
            continue;
        }
        let inside = |at: isize| (at - REACH).max(0)..(at + REACH + 1).min(SIDE);
        let cells = || inside(row).flat_map(|y| inside(column).map(move |x| (x, y)));
        let mut logits = [0.0; SPAN * SPAN];
        heatmap.logits(index, cells().map(|(x, y)| (y * SIDE + x) as usize), &mut logits);
        let (mut total, mut sum_x, mut sum_y, mut best) = (0.0, 0.0, 0.0, 0.0_f32);
        for ((x, y), &logit) in cells().zip(&logits) {
            let confidence = sigmoid(logit);
            total += confidence;
            sum_x += x as f32 * confidence;
            sum_y += y as f32 * confidence;
            best = best.max(confidence);
        }
        if best >= MIN_CONFIDENCE {
            landmark.x = sum_x / HEATMAP_SIDE as f32 / total;
            landmark.y = sum_y / HEATMAP_SIDE as f32 / total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: usize = 7;

    /// Cells with logits for one landmark (all others at -100), where the landmark starts, where it must end.
    #[test]
    fn landmarks_move_to_the_centre_of_mass() {
        let cell = 1.0 / 64.0;
        // sigmoid(0) = 0.5 and sigmoid(ln 3) = 0.75
        let ln3 = 3.0_f32.ln();
        type Case<'a> = (&'a str, &'a [(usize, usize, f32)], (f32, f32), (f32, f32));
        let cases: [Case; 8] = [
            (
                "one cell",
                &[(11, 9, 0.0)],
                (0.16, 0.16),
                (11.0 * cell, 9.0 * cell),
            ),
            (
                "two cells",
                &[(8, 8, 0.0), (12, 8, ln3)],
                (10.5 * cell, 8.5 * cell),
                (10.4 * cell, 8.0 * cell),
            ),
            ("not sure enough", &[(11, 9, -0.1)], (0.16, 0.16), (0.16, 0.16)),
            ("out of reach", &[(15, 10, 5.0)], (0.16, 0.16), (0.16, 0.16)),
            ("corner", &[(0, 0, 0.0)], (0.01, 0.02), (0.0, 0.0)),
            ("left of the input", &[(0, 10, 5.0)], (-0.02, 0.16), (-0.02, 0.16)),
            ("right of the input", &[(63, 10, 5.0)], (1.0, 0.16), (1.0, 0.16)),
            (
                "just below the input",
                &[(10, 63, 0.0)],
                (0.16, 1.02),
                (10.0 * cell, 63.0 * cell),
            ),
        ];
        for (name, cells, (x, y), (expected_x, expected_y)) in cases {
            let mut heatmap = vec![-100.0; HEATMAP_SIDE * HEATMAP_SIDE * MODEL_LANDMARK_COUNT];
            for &(column, row, logit) in cells {
                heatmap[(row * HEATMAP_SIDE + column) * MODEL_LANDMARK_COUNT + INDEX] = logit;
            }
            let mut landmarks = [ModelLandmark::default(); MODEL_LANDMARK_COUNT];
            landmarks[INDEX] = ModelLandmark {
                x,
                y,
                z: 0.3,
                visibility: 0.4,
                presence: 0.5,
            };
            refine(&mut landmarks, &heatmap.as_slice());
            let found = landmarks[INDEX];
            assert!((found.x - expected_x).abs() < 1e-6, "{name}: x is {}", found.x);
            assert!((found.y - expected_y).abs() < 1e-6, "{name}: y is {}", found.y);
            assert_eq!(
                (found.z, found.visibility, found.presence),
                (0.3, 0.4, 0.5),
                "{name}"
            );
        }
    }

    #[test]
    fn undefined_landmarks_do_no_harm() {
        let heatmap = vec![5.0; HEATMAP_SIDE * HEATMAP_SIDE * MODEL_LANDMARK_COUNT];
        let mut landmarks = [ModelLandmark {
            y: f32::INFINITY,
            ..ModelLandmark::default()
        }; MODEL_LANDMARK_COUNT];
        refine(&mut landmarks, &heatmap.as_slice());
        assert_eq!(landmarks[0].y, f32::INFINITY);
    }
}
