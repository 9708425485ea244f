//! Golden frames: pictures whose answer is stored, which every model must give again before and while it is used.
//!
//! Goes in: the stored answers of a model and what it answers now. Comes out: how many frames are further off than the
//! backend's arithmetic explains. Distances are in pixels of the landmark model's input, so that a large person is not
//! judged more strictly than a small one. A model is judged against itself, not against the truth: this finds damaged weights,
//! broken kernels and wrong preprocessing, and says nothing about how good the model is.

use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::GoldenView;
use crate::skeleton::LANDMARK_COUNT;

/// Of stored answers.
pub const GOLDEN_SCHEMA: u32 = 1;
/// How far a landmark may be off on the CPU, pixels of a 256-px input.
pub const CPU_TOLERANCE_PX: f64 = 0.5;
/// And on a GPU, whose arithmetic may be of 16 bits.
pub const GPU_TOLERANCE_PX: f64 = 2.0;

/// The stored answers of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoldenSet {
    /// [`GOLDEN_SCHEMA`].
    pub schema: u32,
    /// Name of the model.
    pub model: String,
    /// Its hash.
    pub model_sha256: String,
    /// In the order in which they are shown to it.
    pub frames: Vec<GoldenFrame>,
}

/// A frame with its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoldenFrame {
    /// How the picture is made: a seed of the drawn person.
    pub seed: u64,
    /// x and y of the landmarks in pixels of a 256-px input; none where nobody is to be found.
    pub points_px: Option<Vec<[f32; 2]>>,
}

/// What a model answered to all frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoldenRun {
    /// Frames.
    pub frames: u32,
    /// Frames whose answer was too far off, or not a number, or of nobody.
    pub failed: u32,
    /// Largest distance of a landmark in frames that have one, pixels.
    pub worst_px: f64,
    /// What was allowed.
    pub tolerance_px: f64,
}

impl GoldenRun {
    /// Whether every frame was answered as stored. No frames prove nothing.
    pub fn passes(&self) -> bool {
        self.frames > 0 && self.failed == 0
    }

    /// As a snapshot shows it.
    pub fn view(&self) -> GoldenView {
        GoldenView {
            frames: self.frames,
            failed: self.failed,
            worst_px: self.worst_px,
            tolerance_px: self.tolerance_px,
        }
    }
}

impl GoldenSet {
    /// Compares answers, in the order of the frames; answers that are missing at the end have failed.
    pub fn judge(&self, answers: &[Option<Vec<[f32; 2]>>], is_on_gpu: bool) -> GoldenRun {
        let tolerance_px = if is_on_gpu {
            GPU_TOLERANCE_PX
        } else {
            CPU_TOLERANCE_PX
        };
        let mut run = GoldenRun {
            frames: u32::try_from(self.frames.len()).unwrap_or(u32::MAX),
            failed: 0,
            worst_px: 0.0,
            tolerance_px,
        };
        for (place, frame) in self.frames.iter().enumerate() {
            let answer = answers.get(place);
            let distance_px = match (&frame.points_px, answer) {
                (None, Some(None)) => Some(0.0),
                (Some(expected), Some(Some(found))) => farthest_px(expected, found),
                _ => None,
            };
            run.worst_px = distance_px.map_or(run.worst_px, |distance| run.worst_px.max(distance));
            run.failed += u32::from(distance_px.is_none_or(|distance| distance > tolerance_px));
        }
        run
    }
}

/// The largest distance of a landmark; none where there are not as many or one is no number.
fn farthest_px(expected: &[[f32; 2]], found: &[[f32; 2]]) -> Option<f64> {
    if expected.len() != LANDMARK_COUNT || found.len() != LANDMARK_COUNT {
        return None;
    }
    let distances = expected.iter().zip(found).map(|(a, b)| {
        let (x, y) = (
            f64::from(a[0]) - f64::from(b[0]),
            f64::from(a[1]) - f64::from(b[1]),
        );
        x.hypot(y)
    });
    let mut farthest = 0.0_f64;
    for distance in distances {
        if !distance.is_finite() {
            return None;
        }
        farthest = farthest.max(distance);
    }
    Some(farthest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(offset: f32) -> Option<Vec<[f32; 2]>> {
        Some(vec![[100.0 + offset, 50.0]; LANDMARK_COUNT])
    }

    #[test]
    fn golden_frames_decide() {
        let set = GoldenSet {
            schema: GOLDEN_SCHEMA,
            model: "lite".to_owned(),
            model_sha256: String::new(),
            frames: [points(0.0), points(0.0), None]
                .into_iter()
                .zip(1..)
                .map(|(points_px, seed)| GoldenFrame { seed, points_px })
                .collect(),
        };
        for (answers, failed_on_cpu, failed_on_gpu) in [
            (vec![points(0.0), points(0.4), None], 0, 0),
            (vec![points(0.0), points(0.6), None], 1, 0),
            (vec![points(0.0), points(2.1), None], 1, 1),
            (vec![points(0.0), None, None], 1, 1),
            (vec![points(0.0), points(0.0), points(0.0)], 1, 1),
            (vec![points(f32::NAN), points(0.0), None], 1, 1),
            (vec![points(0.0)], 2, 2),
            (vec![Some(vec![[0.0; 2]; 3]), points(0.0), None], 1, 1),
        ] {
            assert_eq!(set.judge(&answers, false).failed, failed_on_cpu, "{answers:?}");
            assert_eq!(set.judge(&answers, true).failed, failed_on_gpu, "{answers:?}");
        }
        let empty = GoldenSet {
            frames: Vec::new(),
            ..set
        };
        assert!(!empty.judge(&[], false).passes());
    }
}
