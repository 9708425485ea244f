//! How far predicted joints are from the truth: PCK, PCKh, its area under the curve, NME and EPE. Counts merge exactly,
//! mean distances to rounding.
//!
//! PCK: the share of labelled joints that lie nearer than a share of a person's size (Yang and Ramanan 2013). With 0.6 of
//! the diagonal of the head's box as size and a share of .5 it is MPII's PCKh ([`head_size`]). The area under the curve is
//! the mean of PCK at i/20 of a limit. Equal mmpose 1.3.2's `keypoint_pck_accuracy`, `keypoint_auc`, `keypoint_nme` and
//! `keypoint_epe`: distances count by axis and size, nearer is meant strictly, and the mean over joints leaves out joints
//! that nobody labelled.

use super::{Evaluator, MetricError, finite, share};
use crate::statistics::sums::Sum;

/// Steps of the area under the curve.
pub const AUC_STEPS: usize = 20;

/// Shares of a person's size where nobody says others.
pub const DEFAULT_SHARES: [f64; 4] = [0.05, 0.1, 0.2, 0.5];

/// What counts as right.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Shares of a person's size.
    pub shares: Vec<f64>,
    /// Whether a joint at exactly that distance is wrong, as in mmpose.
    pub is_strict: bool,
    /// The largest share of the area under the curve.
    pub auc_limit: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            shares: DEFAULT_SHARES.to_vec(),
            is_strict: true,
            auc_limit: 1.0,
        }
    }
}

/// A joint of a person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Joint {
    /// Which one.
    pub index: usize,
    /// Where it is, in pixels.
    pub truth: [f64; 2],
    /// Where the model says it is.
    pub predicted: [f64; 2],
    /// The person's size in pixels, by axis; above 0.
    pub size: [f64; 2],
}

/// MPII's size of a person from the diagonal of the head's box.
pub fn head_size(diagonal_px: f64) -> f64 {
    0.6 * diagonal_px
}

/// Counts joints by how far they are off.
#[derive(Clone, Debug, PartialEq)]
pub struct JointErrors {
    settings: Settings,
    joints: Vec<Counted>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Counted {
    n: u64,
    /// By share.
    within: Vec<u64>,
    /// By step of the area under the curve.
    within_steps: [u64; AUC_STEPS],
    normalised: Sum,
    pixels: Sum,
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub struct JointFigures {
    /// Joints that are labelled somewhere.
    pub joints: Vec<JointFigure>,
    /// By share of size: labelled joints that are near enough, and all.
    pub within: Vec<(f64, u64, u64)>,
    /// By share of size, the mean over joints.
    pub mean_pck: Vec<f64>,
    /// The mean over joints and over [`AUC_STEPS`] shares from 0 on.
    pub auc: f64,
    /// Mean distance in sizes.
    pub nme: f64,
    /// Mean distance in pixels.
    pub epe_px: f64,
    /// Labelled joints.
    pub n: u64,
}

/// One joint of all people.
#[derive(Clone, Debug, PartialEq)]
pub struct JointFigure {
    /// Which one.
    pub index: usize,
    /// How many people it is labelled of.
    pub n: u64,
    /// By share of size, the share that is near enough.
    pub pck: Vec<f64>,
    /// Mean distance in pixels.
    pub epe_px: f64,
}

impl JointErrors {
    /// No people of so many joints.
    ///
    /// # Errors
    /// No joints, no shares, shares or a limit that are not above 0.
    pub fn new(n_joints: usize, settings: Settings) -> Result<Self, MetricError> {
        if n_joints == 0 || settings.shares.is_empty() {
            return Err(MetricError::Empty {
                what: "joints or shares",
            });
        }
        if n_joints > 10_000 {
            return Err(MetricError::TooMany {
                what: "joints of a person",
                limit: 10_000,
            });
        }
        for &share in settings.shares.iter().chain([&settings.auc_limit]) {
            if !(share > 0.0 && share.is_finite()) {
                return Err(MetricError::OutOfRange {
                    what: "a share of the person's size".to_owned(),
                    row: 0,
                    value: share,
                    range: "above 0",
                });
            }
        }
        let counted = Counted {
            within: vec![0; settings.shares.len()],
            ..Counted::default()
        };
        Ok(Self {
            settings,
            joints: vec![counted; n_joints],
        })
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes a labelled joint; joints that nobody labelled are left out by the caller.
    ///
    /// # Errors
    /// Numbers that are not finite, a size that is not above 0, a joint that there is not.
    pub fn observe(&mut self, joint: &Joint) -> Result<(), MetricError> {
        let row = self.joints.iter().map(|joint| joint.n).sum::<u64>() + 1;
        self.observe_at(joint, row).map(|_| ())
    }

    /// The same at a row of a file; gives the distance in sizes.
    pub(crate) fn observe_at(&mut self, joint: &Joint, row: u64) -> Result<f64, MetricError> {
        for axis in 0..2 {
            finite(joint.truth[axis], "the true place", row)?;
            finite(joint.predicted[axis], "the predicted place", row)?;
            if finite(joint.size[axis], "the person's size", row)? <= 0.0 {
                return Err(MetricError::OutOfRange {
                    what: "the person's size".to_owned(),
                    row,
                    value: joint.size[axis],
                    range: "above 0 px",
                });
            }
        }
        let n_joints = self.joints.len();
        let Some(counted) = self.joints.get_mut(joint.index) else {
            return Err(MetricError::OutOfRange {
                what: "the joint's number".to_owned(),
                row,
                value: joint.index as f64,
                range: if n_joints == 1 {
                    "0"
                } else {
                    "below the number of joints"
                },
            });
        };
        let [dx, dy] = [0, 1].map(|axis| joint.predicted[axis] - joint.truth[axis]);
        let [nx, ny] = [dx / joint.size[0], dy / joint.size[1]];
        let distance = (nx * nx + ny * ny).sqrt();
        let is_strict = self.settings.is_strict;
        let is_within = |limit: f64| distance < limit || (!is_strict && distance == limit);
        counted.n += 1;
        counted.normalised.add(distance);
        counted.pixels.add((dx * dx + dy * dy).sqrt());
        for (within, share) in counted.within.iter_mut().zip(&self.settings.shares) {
            *within += u64::from(is_within(*share));
        }
        for (step, within) in counted.within_steps.iter_mut().enumerate() {
            *within += u64::from(is_within(
                step as f64 / AUC_STEPS as f64 * self.settings.auc_limit,
            ));
        }
        Ok(distance)
    }
}

impl Evaluator for JointErrors {
    type Result = JointFigures;

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if other.settings != self.settings || other.joints.len() != self.joints.len() {
            return Err(MetricError::Mismatch {
                what: "number of joints, or other shares".to_owned(),
                expected: self.joints.len() as u64,
                found: other.joints.len() as u64,
            });
        }
        for (sum, joint) in self.joints.iter_mut().zip(&other.joints) {
            sum.n += joint.n;
            sum.normalised.merge(&joint.normalised);
            sum.pixels.merge(&joint.pixels);
            for (sum, within) in sum.within.iter_mut().zip(&joint.within) {
                *sum += within;
            }
            for (sum, within) in sum.within_steps.iter_mut().zip(&joint.within_steps) {
                *sum += within;
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<JointFigures, MetricError> {
        let labelled: Vec<(usize, &Counted)> = self
            .joints
            .iter()
            .enumerate()
            .filter(|(_, joint)| joint.n > 0)
            .collect();
        let n: u64 = labelled.iter().map(|(_, joint)| joint.n).sum();
        if n == 0 {
            return Err(MetricError::Empty {
                what: "labelled joints",
            });
        }
        let over_joints = |of: &dyn Fn(&Counted) -> f64| {
            labelled.iter().map(|(_, joint)| of(joint)).sum::<f64>() / labelled.len() as f64
        };
        let part = |within: u64, joint: &Counted| share(within, joint.n).unwrap_or(0.0);
        let shares = self.settings.shares.iter().enumerate();
        let auc_steps =
            (0..AUC_STEPS).map(|step| over_joints(&|joint| part(joint.within_steps[step], joint)));
        let mean = |of: fn(&Counted) -> &Sum| {
            let mut sum = Sum::default();
            for (_, joint) in &labelled {
                sum.merge(of(joint));
            }
            sum.value() / n as f64
        };
        Ok(JointFigures {
            within: shares
                .clone()
                .map(|(place, share)| {
                    (
                        *share,
                        labelled.iter().map(|(_, joint)| joint.within[place]).sum(),
                        n,
                    )
                })
                .collect(),
            mean_pck: shares
                .map(|(place, _)| over_joints(&|joint| part(joint.within[place], joint)))
                .collect(),
            auc: auc_steps.sum::<f64>() / AUC_STEPS as f64,
            nme: mean(|joint| &joint.normalised),
            epe_px: mean(|joint| &joint.pixels),
            joints: labelled
                .iter()
                .map(|(index, joint)| JointFigure {
                    index: *index,
                    n: joint.n,
                    pck: joint.within.iter().map(|within| part(*within, joint)).collect(),
                    epe_px: joint.pixels.value() / joint.n as f64,
                })
                .collect(),
            n,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joint(index: usize, off: [f64; 2], size: f64) -> Joint {
        Joint {
            index,
            truth: [10.0, 20.0],
            predicted: [10.0 + off[0], 20.0 + off[1]],
            size: [size; 2],
        }
    }

    #[test]
    fn exactly_the_limit_is_wrong_unless_it_may_be_right() {
        for (is_strict, expected) in [(true, 0.0), (false, 1.0)] {
            let settings = Settings {
                shares: vec![0.5],
                is_strict,
                auc_limit: 1.0,
            };
            let mut errors = JointErrors::new(1, settings).unwrap();
            errors.observe(&joint(0, [3.0, 4.0], 10.0)).unwrap();
            let figures = errors.finish().unwrap();
            assert_eq!(
                (figures.mean_pck[0], figures.nme, figures.epe_px),
                (expected, 0.5, 5.0)
            );
            // Shares .55 to .95, and .5 itself.
            assert_eq!(figures.auc, (9.0 + expected) / 20.0);
        }
    }

    #[test]
    fn joints_that_nobody_labelled_are_in_no_mean() {
        let mut errors = JointErrors::new(3, Settings::default()).unwrap();
        assert!(errors.finish().is_err());
        errors.observe(&joint(0, [0.0, 0.0], 1.0)).unwrap();
        errors.observe(&joint(2, [9.0, 0.0], 1.0)).unwrap();
        errors.observe(&joint(2, [9.0, 0.0], 1.0)).unwrap();
        let figures = errors.finish().unwrap();
        assert_eq!(figures.mean_pck[3], 0.5);
        assert_eq!(figures.within[3], (0.5, 1, 3));
        assert_eq!(figures.joints.len(), 2);
    }

    #[test]
    fn bad_joints_are_refused() {
        let mut errors = JointErrors::new(1, Settings::default()).unwrap();
        for bad in [
            joint(0, [f64::NAN, 0.0], 1.0),
            joint(0, [0.0; 2], 0.0),
            joint(0, [0.0; 2], f64::NAN),
            joint(1, [0.0; 2], 1.0),
        ] {
            assert!(errors.observe(&bad).is_err(), "{bad:?}");
        }
        assert!(JointErrors::new(0, Settings::default()).is_err());
    }
}
