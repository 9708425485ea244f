//! How many frames have the right label, with and without those of the background. Merges exactly: counts.
//!
//! In the literature of action segmentation: MoF, the mean over frames of all videos.

use super::{Evaluator, MetricError, agree, share};

/// Counts frames. Labels are numbers that the caller gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameAccuracy {
    background: Option<u32>,
    n: u64,
    right: u64,
    n_foreground: u64,
    right_foreground: u64,
}

/// Shares of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCounts {
    /// All frames.
    pub n: u64,
    /// Those whose label is right.
    pub right: u64,
    /// Frames whose truth is not the background.
    pub n_foreground: u64,
    /// Those of them whose label is right.
    pub right_foreground: u64,
}

impl FrameCounts {
    /// Of all frames, the share whose label is right.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.right, self.n)
    }

    /// The same without the background; none where there is nothing else.
    pub fn foreground_accuracy(&self) -> Option<f64> {
        share(self.right_foreground, self.n_foreground)
    }
}

impl FrameAccuracy {
    /// No frames; `background` is the label of frames in which nothing happens.
    pub fn new(background: Option<u32>) -> Self {
        Self {
            background,
            ..Self::default()
        }
    }

    /// Takes the frames of a video.
    ///
    /// # Errors
    /// Another number of predicted frames.
    pub fn observe(&mut self, truth: &[u32], predicted: &[u32]) -> Result<(), MetricError> {
        agree("number of predicted frames", truth.len(), predicted.len())?;
        for (truth, predicted) in truth.iter().zip(predicted) {
            let is_right = u64::from(truth == predicted);
            self.n += 1;
            self.right += is_right;
            if self.background != Some(*truth) {
                self.n_foreground += 1;
                self.right_foreground += is_right;
            }
        }
        Ok(())
    }
}

impl Evaluator for FrameAccuracy {
    type Result = FrameCounts;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.background != other.background {
            return Err(MetricError::Mismatch {
                what: "label of the background".to_owned(),
                expected: self.background.map_or(0, u64::from),
                found: other.background.map_or(0, u64::from),
            });
        }
        self.n += other.n;
        self.right += other.right;
        self.n_foreground += other.n_foreground;
        self.right_foreground += other.right_foreground;
        Ok(())
    }

    fn finish(&self) -> Result<FrameCounts, MetricError> {
        if self.n == 0 {
            return Err(MetricError::Empty { what: "frames" });
        }
        Ok(FrameCounts {
            n: self.n,
            right: self.right,
            n_foreground: self.n_foreground,
            right_foreground: self.right_foreground,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_background_can_be_left_out() {
        let mut frames = FrameAccuracy::new(Some(0));
        frames.observe(&[0, 0, 1, 2], &[0, 1, 1, 0]).unwrap();
        let counts = frames.finish().unwrap();
        assert_eq!(
            (counts.accuracy(), counts.foreground_accuracy()),
            (Some(0.5), Some(0.5))
        );
        let mut rest = FrameAccuracy::new(Some(0));
        rest.observe(&[0], &[0]).unwrap();
        assert_eq!(rest.finish().unwrap().foreground_accuracy(), None);
        assert!(frames.observe(&[0], &[]).is_err());
        assert!(frames.merge(&FrameAccuracy::new(None)).is_err());
        assert!(FrameAccuracy::new(None).finish().is_err());
    }
}
