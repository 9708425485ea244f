//! A frame becomes several poses: the detector where needed, then the landmark model for one person after the other.
//!
//! All decisions are the tracker's ([`plumbline_core::people`]); pixels are cut out and models run as in [`crate::pose`].

use plumbline_core::people::{PeopleTracker, Person};
use plumbline_core::preprocess::{DETECTOR_SIDE_PX, LANDMARK_SIDE_PX};
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::Frame;

use crate::error::PipelineError;
use crate::gpu::Model;
use crate::inference::Inference;
use crate::pose::{
    Clock, DETECTOR, LANDMARK_MODEL, Timings, check_input, detector_outputs, image_size, landmark_outputs,
    look,
};

/// What a frame gave.
#[derive(Clone, Debug, PartialEq)]
pub struct PeopleResult {
    /// In the order of their numbers.
    pub people: Vec<Person>,
    /// How long it took; the landmark model's time is that of all people together.
    pub timings: Timings,
}

/// Finds several people in frames and follows them.
pub struct PeoplePipeline<I> {
    detector: I,
    landmarks: I,
    tracker: PeopleTracker,
    clock: Clock,
}

impl<I: Inference> PeoplePipeline<I> {
    /// A pipeline over two models, made from the plans of [`crate::plan_detector`] and [`crate::plan_landmarks`], for at
    /// most `limit` people ([`MAX_PEOPLE`](plumbline_core::people::MAX_PEOPLE)).
    ///
    /// # Errors
    /// [`PipelineError::WrongModel`] when a tensor is missing or has another size than BlazePose's.
    pub fn new(
        mut detector: I,
        mut landmarks: I,
        mode: Mode,
        limit: usize,
        clock: Clock,
    ) -> Result<Self, PipelineError> {
        check_input(DETECTOR, &mut detector, DETECTOR_SIDE_PX)?;
        check_input(LANDMARK_MODEL, &mut landmarks, LANDMARK_SIDE_PX)?;
        detector_outputs(&detector)?;
        landmark_outputs(&landmarks)?;
        Ok(Self {
            detector,
            landmarks,
            tracker: PeopleTracker::new(mode, limit),
            clock,
        })
    }

    /// Forgets everybody, for instance when another clip begins.
    pub fn reset(&mut self) {
        self.tracker.reset();
    }

    /// Finds the people in a frame that was taken at `time`.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when a backend fails; the next frame may be tried.
    pub async fn process(
        &mut self,
        frame: &Frame<'_>,
        time: Timestamp,
    ) -> Result<PeopleResult, PipelineError> {
        let start = (self.clock)();
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
            .await?;
            self.tracker.locate(&letterbox, detector_outputs(&self.detector)?);
            timings.decode_millis += (self.clock)() - ran;
        }
        for (id, region) in self.tracker.regions() {
            let ran = look(
                Model::Landmarks,
                &mut self.landmarks,
                frame,
                &region,
                &self.clock,
                &mut timings,
            )
            .await?;
            self.tracker.advance(id, landmark_outputs(&self.landmarks)?, time);
            timings.decode_millis += (self.clock)() - ran;
        }
        let people = self.tracker.finish(time);
        timings.total_millis = (self.clock)() - start;
        Ok(PeopleResult { people, timings })
    }
}
