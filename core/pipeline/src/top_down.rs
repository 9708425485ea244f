//! A frame becomes several poses by a model that looks at one person at a time: BlazePose's detector where needed, then
//! that model for one person after the other.
//!
//! All decisions are the tracker's ([`plumbline_core::crops`]).

use std::fmt;

use plumbline_core::crops::{Aim, CropTracker};
use plumbline_core::decoders::{Found, KeypointPose};
use plumbline_core::keypoint_sets::KeypointSet;
use plumbline_core::manifest::Manifest;
use plumbline_core::people::PersonId;
use plumbline_core::preprocess::DETECTOR_SIDE_PX;
use plumbline_core::task::Task;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::{Border, Frame};

use crate::any_model::{AnyModel, AnyModelError};
use crate::error::PipelineError;
use crate::gpu::Model;
use crate::inference::Inference;
use crate::pose::{Clock, DETECTOR, Timings, check_input, detector_outputs, image_size, look};

/// Why a frame gave nobody's pose.
#[derive(Clone, Debug, PartialEq)]
pub enum TopDownError {
    /// The detector is not BlazePose's, or did not run.
    Detector(PipelineError),
    /// The model did not run, or gave something else than points.
    Model(AnyModelError),
}

impl fmt::Display for TopDownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Detector(error) => error.fmt(f),
            Self::Model(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TopDownError {}

/// What a frame gave.
#[derive(Clone, Debug, PartialEq)]
pub struct TopDownResult {
    /// In the order of their numbers, with points in pixels of the frame.
    pub people: Vec<(PersonId, KeypointPose)>,
    /// Cutting out and normalising, for the detector too.
    pub input_millis: f64,
    /// The detector; nothing where nobody had to be looked for.
    pub detector_millis: Option<f64>,
    /// The model, for all people together.
    pub model_millis: f64,
    /// Reading outputs.
    pub decode_millis: f64,
}

/// Finds several people in frames for a model that looks at one, and follows them by its points.
pub struct TopDown<D, I> {
    detector: D,
    model: AnyModel<I>,
    tracker: CropTracker,
    border: Border,
    clock: Clock,
}

impl<D: Inference, I: Inference> TopDown<D, I> {
    /// A pipeline over a detector, made from the plan of [`crate::plan_detector`], and a model whose task
    /// [wants a person](crate::any_model::wants_a_person), for at most `limit` people
    /// ([`MAX_PEOPLE`](plumbline_core::people::MAX_PEOPLE)).
    ///
    /// # Errors
    /// [`PipelineError::WrongModel`] for another detector.
    pub fn new(
        mut detector: D,
        model: AnyModel<I>,
        mode: Mode,
        limit: usize,
        clock: Clock,
    ) -> Result<Self, PipelineError> {
        check_input(DETECTOR, &mut detector, DETECTOR_SIDE_PX)?;
        detector_outputs(&detector)?;
        let Manifest {
            task,
            keypoints,
            preprocessing,
            ..
        } = model.manifest();
        // BlazePose repeats the edge of the picture, OpenCV's `warpAffine` leaves what is beyond it black.
        let turns = *task == Task::MediapipePose;
        let aim = Aim {
            input: preprocessing.size,
            turns,
            keypoints: keypoints.unwrap_or(if turns {
                KeypointSet::Blazepose33
            } else {
                KeypointSet::Coco17
            }),
        };
        Ok(Self {
            detector,
            model,
            tracker: CropTracker::new(aim, mode, limit),
            border: if turns { Border::Replicate } else { Border::Zero },
            clock,
        })
    }

    /// What is said of the model.
    pub fn manifest(&self) -> &Manifest {
        self.model.manifest()
    }

    /// Forgets everybody, for instance when another clip begins.
    pub fn reset(&mut self) {
        self.tracker.reset();
    }

    /// Finds the people in a frame that was taken at `time`.
    ///
    /// # Errors
    /// [`TopDownError`]; the next frame may be tried.
    pub async fn process(
        &mut self,
        frame: &Frame<'_>,
        time: Timestamp,
    ) -> Result<TopDownResult, TopDownError> {
        let mut timings = Timings::default();
        if let Some(letterbox) = self.tracker.begin(image_size(frame), time) {
            let ran = look(
                Model::Detector,
                &mut self.detector,
                frame,
                &letterbox,
                &self.clock,
                &mut timings,
            )
            .await
            .map_err(TopDownError::Detector)?;
            let outputs = detector_outputs(&self.detector).map_err(TopDownError::Detector)?;
            self.tracker.locate(&letterbox, outputs);
            timings.decode_millis += (self.clock)() - ran;
        }
        let mut result = TopDownResult {
            people: Vec::new(),
            input_millis: timings.crop_millis,
            detector_millis: timings.detector_millis,
            model_millis: 0.0,
            decode_millis: timings.decode_millis,
        };
        for (id, region) in self.tracker.regions() {
            let seen = self.model.look(frame, &region, self.border).await;
            let seen = seen.map_err(TopDownError::Model)?;
            result.input_millis += seen.input_millis;
            result.model_millis += seen.model_millis;
            result.decode_millis += seen.decode_millis;
            let pose = match seen.found {
                Found::Poses(poses) => poses.into_iter().next(),
                _ => None,
            };
            self.tracker.advance(id, pose);
        }
        result.people = self.tracker.finish(time);
        Ok(result)
    }
}
