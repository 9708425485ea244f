//! How well areas agree: Dice and IoU by class, from pixels. Merges exactly: counts.
//!
//! Dice is `2·tp / (2·tp + fp + fn)`, IoU `tp / (tp + fp + fn)`, over all pixels of all pictures: scikit-learn's F1 and
//! Jaccard scores of pixels. Means go over classes that occur. A class that is in neither agrees by convention (1), is
//! said to be absent and is in no mean.

use super::{Evaluator, MetricError, agree, share};

/// Counts pixels by class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskCounts {
    ignored: Option<u8>,
    /// By class.
    overlaps: Vec<Overlap>,
}

/// The pixels of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// In both.
    pub both: u64,
    /// In the prediction only.
    pub predicted_only: u64,
    /// In the truth only.
    pub truth_only: u64,
}

impl Overlap {
    /// Whether the class is in the truth or in the prediction.
    pub fn is_present(&self) -> bool {
        self.both + self.predicted_only + self.truth_only > 0
    }

    /// Twice the shared area by the sum of both; 1 where both are empty.
    pub fn dice(&self) -> f64 {
        let both = 2 * self.both;
        share(both, both + self.predicted_only + self.truth_only).unwrap_or(1.0)
    }

    /// The shared area by that of either; 1 where both are empty.
    pub fn iou(&self) -> f64 {
        share(self.both, self.both + self.predicted_only + self.truth_only).unwrap_or(1.0)
    }

    fn add(&mut self, other: &Self) {
        self.both += other.both;
        self.predicted_only += other.predicted_only;
        self.truth_only += other.truth_only;
    }
}

/// What follows from the pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskFigures {
    /// By class.
    pub classes: Vec<Overlap>,
    /// Over classes that occur.
    pub mean_dice: f64,
    /// Over classes that occur.
    pub mean_iou: f64,
    /// Share of pixels whose class is right.
    pub accuracy: f64,
    /// How many pixels counted.
    pub pixels: u64,
}

impl MaskCounts {
    /// No pixels of `n_classes` classes; pixels whose truth is `ignored` do not count.
    ///
    /// # Errors
    /// [`MetricError::Empty`] without classes, [`MetricError::TooMany`] for more than a byte holds.
    pub fn new(n_classes: usize, ignored: Option<u8>) -> Result<Self, MetricError> {
        match n_classes {
            0 => Err(MetricError::Empty { what: "classes" }),
            1..=256 => Ok(Self {
                ignored,
                overlaps: vec![Overlap::default(); n_classes],
            }),
            _ => Err(MetricError::TooMany {
                what: "classes in a mask",
                limit: 256,
            }),
        }
    }

    /// Takes the pixels of a picture, a class each; both in the same order.
    ///
    /// # Errors
    /// Another number of pixels, classes that there are not; then nothing was taken.
    pub fn observe(&mut self, truth: &[u8], predicted: &[u8]) -> Result<(), MetricError> {
        agree(
            "number of pixels in the predicted mask",
            truth.len(),
            predicted.len(),
        )?;
        let mut pairs = vec![0_u64; 256 * 256];
        for (truth, predicted) in truth.iter().zip(predicted) {
            pairs[usize::from(*truth) * 256 + usize::from(*predicted)] += 1;
        }
        let n_classes = self.overlaps.len();
        let mut overlaps = vec![Overlap::default(); n_classes];
        for (pair, &n) in pairs.iter().enumerate().filter(|(_, n)| **n > 0) {
            let (truth, predicted) = (pair / 256, pair % 256);
            if self.ignored.is_some_and(|ignored| usize::from(ignored) == truth) {
                continue;
            }
            for (what, class) in [
                ("a pixel of the truth", truth),
                ("a pixel of the prediction", predicted),
            ] {
                if class >= n_classes {
                    return Err(MetricError::Unknown {
                        what: format!("{what} has a class that there is not ({n_classes} classes are known)"),
                        name: class.to_string(),
                    });
                }
            }
            if truth == predicted {
                overlaps[truth].both += n;
            } else {
                overlaps[truth].truth_only += n;
                overlaps[predicted].predicted_only += n;
            }
        }
        for (sum, overlap) in self.overlaps.iter_mut().zip(&overlaps) {
            sum.add(overlap);
        }
        Ok(())
    }
}

impl Evaluator for MaskCounts {
    type Result = MaskFigures;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if other.overlaps.len() != self.overlaps.len() || other.ignored != self.ignored {
            return Err(MetricError::Mismatch {
                what: "number of classes, or the ignored one".to_owned(),
                expected: self.overlaps.len() as u64,
                found: other.overlaps.len() as u64,
            });
        }
        for (sum, overlap) in self.overlaps.iter_mut().zip(&other.overlaps) {
            sum.add(overlap);
        }
        Ok(())
    }

    fn finish(&self) -> Result<MaskFigures, MetricError> {
        let pixels: u64 = self
            .overlaps
            .iter()
            .map(|class| class.both + class.truth_only)
            .sum();
        let right: u64 = self.overlaps.iter().map(|class| class.both).sum();
        let Some(accuracy) = share(right, pixels) else {
            return Err(MetricError::Empty {
                what: "pixels that are not ignored",
            });
        };
        let present: Vec<&Overlap> = self.overlaps.iter().filter(|class| class.is_present()).collect();
        let mean = |of: fn(&Overlap) -> f64| {
            present.iter().map(|class| of(class)).sum::<f64>() / present.len() as f64
        };
        Ok(MaskFigures {
            mean_dice: mean(Overlap::dice),
            mean_iou: mean(Overlap::iou),
            classes: self.overlaps.clone(),
            accuracy,
            pixels,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_classes_agree_and_are_in_no_mean() {
        let mut counts = MaskCounts::new(3, None).unwrap();
        counts.observe(&[0, 0, 1, 1], &[0, 1, 1, 1]).unwrap();
        let figures = counts.finish().unwrap();
        assert_eq!(
            (figures.classes[0].iou(), figures.classes[1].iou()),
            (0.5, 2.0 / 3.0)
        );
        assert_eq!(
            (figures.classes[0].dice(), figures.classes[1].dice()),
            (2.0 / 3.0, 0.8)
        );
        assert_eq!(
            (figures.classes[2].dice(), figures.classes[2].is_present()),
            (1.0, false)
        );
        assert!((figures.mean_iou - 3.5 / 6.0).abs() < 1e-15);
        assert_eq!((figures.accuracy, figures.pixels), (0.75, 4));
    }

    #[test]
    fn ignored_pixels_do_not_count_whatever_is_predicted_there() {
        let mut counts = MaskCounts::new(2, Some(255)).unwrap();
        counts.observe(&[0, 255, 255], &[0, 0, 99]).unwrap();
        assert_eq!(counts.finish().unwrap().pixels, 1);
        let mut all = MaskCounts::new(2, Some(255)).unwrap();
        all.observe(&[255], &[0]).unwrap();
        assert!(all.finish().is_err());
    }

    #[test]
    fn bad_masks_are_refused_whole() {
        let mut counts = MaskCounts::new(2, None).unwrap();
        assert!(counts.observe(&[0, 1], &[0]).is_err());
        assert!(counts.observe(&[0, 1], &[0, 2]).is_err());
        assert!(counts.observe(&[0, 7], &[0, 1]).is_err());
        assert!(counts.finish().is_err());
        assert!(counts.merge(&MaskCounts::new(3, None).unwrap()).is_err());
        assert!(MaskCounts::new(0, None).is_err() && MaskCounts::new(257, None).is_err());
    }
}
