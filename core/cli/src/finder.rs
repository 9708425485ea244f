//! Finds whoever is asked for in the frames of a picture or clip: one person on any backend, or several.

use plumbline_core::people::PersonId;
use plumbline_core::pose::Pose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::Frame;
use plumbline_pipeline::{FrameResult, PeopleResult, PipelineError, Timings};

use crate::Outcome;
use crate::backend::{AnyPeople, AnyPipeline, Device, LandmarkModel, people_pipeline, pose_pipeline};

/// Who was found in a frame.
pub struct Found {
    /// With their numbers, where several were asked for.
    pub people: Vec<(Option<PersonId>, Pose)>,
    /// How long it took.
    pub timings: Timings,
}

impl From<FrameResult> for Found {
    fn from(result: FrameResult) -> Self {
        Self {
            people: result.pose.map(|pose| (None, pose)).into_iter().collect(),
            timings: result.timings,
        }
    }
}

impl From<PeopleResult> for Found {
    fn from(result: PeopleResult) -> Self {
        let people = result.people.into_iter();
        Self {
            people: people.map(|person| (Some(person.id), person.pose)).collect(),
            timings: result.timings,
        }
    }
}

/// A pipeline over the manifest's models.
pub enum Finder {
    /// For one person.
    One(AnyPipeline),
    /// For several.
    Several(AnyPeople),
}

impl Finder {
    /// A finder of at most `limit` people.
    ///
    /// # Errors
    /// Weights that are missing or not the tested ones, models that the backend cannot run.
    pub fn new(device: &Device, model: LandmarkModel, mode: Mode, limit: usize) -> Outcome<Self> {
        match limit {
            1 => pose_pipeline(device, model, mode).map(Finder::One),
            limit => people_pipeline(device, model, mode, limit).map(Finder::Several),
        }
    }

    /// Who is in a frame that was taken at `time`.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when the backend fails.
    pub async fn find(&mut self, frame: &Frame<'_>, time: Timestamp) -> Result<Found, PipelineError> {
        match self {
            Finder::One(pipeline) => pipeline.process(frame, time).await.map(Found::from),
            Finder::Several(pipeline) => pipeline.process(frame, time).await.map(Found::from),
        }
    }
}
