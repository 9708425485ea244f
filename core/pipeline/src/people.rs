//! A frame becomes several poses: the detector where needed, then the landmark model for one person after the other.
//!
//! All decisions are the tracker's ([`plumbline_core::people`]); pixels are cut out and models run as in [`crate::pose`].

use plumbline_core::mask::RegionMask;
use plumbline_core::people::{PeopleTracker, Person, PersonId};
use plumbline_core::preprocess::{DETECTOR_SIDE_PX, LANDMARK_SIDE_PX};
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::Frame;

use crate::error::PipelineError;
use crate::gpu::Model;
use crate::inference::Inference;
use crate::models::MASK;
use crate::pose::{
    Clock, DETECTOR, FrameResult, LANDMARK_MODEL, Timings, check_input, detector_outputs, image_size,
    landmark_outputs, look, mask_logits, rehearse,
};

/// What a frame gave.
#[derive(Clone, Debug, PartialEq)]
pub struct PeopleResult {
    /// In the order of their numbers.
    pub people: Vec<Person>,
    /// Which pixels of this very frame are whom, not smoothed, in the same order; empty where the plan has no mask.
    pub masks: Vec<(PersonId, RegionMask)>,
    /// How long it took; the landmark model's time is that of all people together.
    pub timings: Timings,
}

/// Of a pipeline that follows one person, whose number is 1.
impl From<FrameResult> for PeopleResult {
    fn from(result: FrameResult) -> Self {
        const ONLY: PersonId = PersonId(1);
        let person = |pose| Person { id: ONLY, pose };
        Self {
            people: result.pose.map(person).into_iter().collect(),
            masks: result.mask.map(|mask| (ONLY, mask)).into_iter().collect(),
            timings: result.timings,
        }
    }
}

/// Finds several people in frames and follows them. Asked for one, it gives what
/// [`PosePipeline`](crate::PosePipeline) does.
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
        mask_logits(&landmarks)?;
        Ok(Self {
            detector,
            landmarks,
            tracker: PeopleTracker::new(mode, limit),
            clock,
        })
    }

    /// Forgets everybody, for instance when another clip begins; numbers begin again.
    pub fn reset(&mut self) {
        self.tracker.reset();
    }

    /// Follows at most `limit` people from the next frame on ([`PeopleTracker::set_limit`]).
    pub fn set_limit(&mut self, limit: usize) {
        self.tracker.set_limit(limit);
    }

    /// Gives the models up and keeps whom they followed, for [`Self::follow_on`].
    pub fn into_tracker(self) -> PeopleTracker {
        self.tracker
    }

    /// Follows on whom another pipeline followed: for models that are planned anew in the middle of a clip.
    pub fn follow_on(&mut self, tracker: PeopleTracker) {
        self.tracker = tracker;
    }

    /// Whether frames have masks.
    pub fn has_mask(&self) -> bool {
        self.landmarks.output(MASK).is_some()
    }

    /// As [`PosePipeline::rehearse`](crate::PosePipeline::rehearse).
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when the backend fails.
    pub async fn rehearse(&mut self, model: Model) -> Result<(), PipelineError> {
        rehearse(&mut self.detector, &mut self.landmarks, model).await
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
        let mut masks = Vec::new();
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
            if self.tracker.advance(id, landmark_outputs(&self.landmarks)?, time)
                && let Some(logits) = mask_logits(&self.landmarks)?
            {
                let mask = RegionMask::from_logits(logits, LANDMARK_SIDE_PX, &region);
                masks.extend(mask.map(|mask| (id, mask)));
            }
            timings.decode_millis += (self.clock)() - ran;
        }
        let people = self.tracker.finish(time);
        masks.retain(|(id, _)| people.iter().any(|person| person.id == *id));
        timings.total_millis = (self.clock)() - start;
        Ok(PeopleResult {
            people,
            masks,
            timings,
        })
    }
}
