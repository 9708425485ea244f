//! How well people are found in pictures whose people are known.

use plumbline_core::metrics::Evaluator;
use plumbline_core::metrics::MetricError;
use plumbline_core::metrics::calibration::{Edges, Reliability};
use plumbline_core::metrics::joints::{Joint, JointErrors, Settings};
use plumbline_core::metrics::oks::{SIGMAS_COCO, oks};
use plumbline_core::pose::Pose;
use serde::Serialize;

use super::shown::{COCO_POINTS, Shown};

/// A joint is right within this share of the trunk's length, where certainty is compared with it.
const RIGHT_WITHIN: f64 = 0.2;
/// Of the trunk's length, for PCK.
const PCK_SHARE: f64 = 0.1;
/// Bins of certainty.
const BINS: usize = 15;

/// The four numbers of a set of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Mean object keypoint similarity; 0 where nobody was found.
    pub oks: f64,
    /// Share of joints nearer than a tenth of the trunk; none of those of somebody who was not found.
    pub pck: f64,
    /// Share of pictures in which somebody was found.
    pub found: f64,
    /// Expected calibration error of visibility times presence, for being right within a fifth of the trunk.
    pub ece: f64,
    /// Pictures.
    pub pictures: u64,
}

impl Scores {
    /// How much worse these are than the clean ones: shares of the clean number for all but the calibration error, which
    /// rises by so much. None where the clean one is 0.
    pub fn drops(&self, clean: &Self) -> Drops {
        let relative = |value: f64, clean: f64| (clean > 0.0).then(|| (clean - value) / clean);
        Drops {
            oks: relative(self.oks, clean.oks),
            pck: relative(self.pck, clean.pck),
            found: relative(self.found, clean.found),
            ece_rise: self.ece - clean.ece,
        }
    }
}

/// What a corruption costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Drops {
    /// Share of the clean similarity that is lost.
    pub oks: Option<f64>,
    /// Share of the clean PCK that is lost.
    pub pck: Option<f64>,
    /// Share of the clean share of people found that is lost.
    pub found: Option<f64>,
    /// What the calibration error is higher by.
    pub ece_rise: f64,
}

/// Sums up picture after picture.
pub struct Scorer {
    similarity: f64,
    found: u64,
    pictures: u64,
    joints: JointErrors,
    certainty: Reliability,
}

impl Scorer {
    /// Of no picture.
    ///
    /// # Errors
    /// None that these settings have.
    pub fn new() -> Result<Self, MetricError> {
        let settings = Settings {
            shares: vec![PCK_SHARE],
            ..Settings::default()
        };
        Ok(Self {
            similarity: 0.0,
            found: 0,
            pictures: 0,
            joints: JointErrors::new(COCO_POINTS.len(), settings)?,
            certainty: Reliability::new(BINS, Edges::RightClosed)?,
        })
    }

    /// Takes what was found in a picture.
    ///
    /// # Errors
    /// Numbers that are none.
    pub fn observe(&mut self, shown: &Shown, pose: Option<&Pose>) -> Result<(), MetricError> {
        let truth = &shown.truth;
        self.pictures += 1;
        let place = |pose: &Pose, joint: usize| {
            let landmark = &pose.landmarks[joint];
            [f64::from(landmark.x_px), f64::from(landmark.y_px)]
        };
        if let Some(pose) = pose {
            self.found += 1;
            let predicted = COCO_POINTS.map(|joint| place(pose, joint));
            self.similarity += oks(&predicted, truth, &SIGMAS_COCO);
        }
        let labelled = (0..COCO_POINTS.len()).filter(|&point| truth.is_labelled[point]);
        for point in labelled {
            let [x, y] = truth.points[point];
            let landmark = pose.map(|pose| &pose.landmarks[COCO_POINTS[point]]);
            // Somebody who is not found is as far away as can be, and the model says so.
            let predicted = pose.map_or([x + 1e6, y], |pose| place(pose, COCO_POINTS[point]));
            let certainty =
                landmark.map_or(0.0, |landmark| f64::from(landmark.visibility * landmark.presence));
            self.joints.observe(&Joint {
                index: point,
                truth: [x, y],
                predicted,
                size: [shown.trunk_px; 2],
            })?;
            let is_right = (predicted[0] - x).hypot(predicted[1] - y) < RIGHT_WITHIN * shown.trunk_px;
            self.certainty.observe(certainty.clamp(0.0, 1.0), is_right)?;
        }
        Ok(())
    }

    /// The four numbers.
    ///
    /// # Errors
    /// No pictures.
    pub fn scores(&self) -> Result<Scores, MetricError> {
        let pictures = self.pictures as f64;
        let joints = self.joints.finish()?;
        let (near, all) = joints
            .within
            .first()
            .map_or((0, 1), |&(_, near, all)| (near, all));
        Ok(Scores {
            oks: self.similarity / pictures,
            pck: near as f64 / all as f64,
            found: self.found as f64 / pictures,
            ece: self.certainty.finish()?.ece(),
            pictures: self.pictures,
        })
    }
}
