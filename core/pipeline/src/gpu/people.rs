//! Several people in a frame on the GPU: the picture goes in once, and each person is a run of the landmark model.
//!
//! Whom to follow and where to look is decided on the CPU ([`PeopleTracker`]), as on a CPU alone: two that came to see
//! the same person, and who is back, only show when all people of a frame are known. So every run is told its region,
//! and what the GPU keeps of the run before is not used; the runs of a frame are submitted together, and the next frame
//! after they were read.

use plumbline_core::follower::Seen;
use plumbline_core::geometry::ImageSize;
use plumbline_core::mask::RegionMask;
use plumbline_core::people::{PeopleTracker, PersonId};
use plumbline_core::preprocess::{DETECTOR_SIDE_PX, LANDMARK_SIDE_PX};
use plumbline_core::roi::RotatedRect;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;

use super::exchange::Parameters;
use super::layout::status;
use super::pipeline::{FrameGpu, Model, detections, failed, read_answer, unpacked};
use crate::error::PipelineError;
use crate::people::PeopleResult;
use crate::pose::{Clock, DETECTOR, LANDMARK_MODEL, Timings};

/// Frames come one after the other, so one place for a picture is enough.
const SLOT: usize = 0;

/// Finds several people in frames and follows them, one frame after the other, on a GPU that is lent for each.
pub struct GpuPeople {
    tracker: PeopleTracker,
    clock: Clock,
    /// Counts runs of the landmark model, so that an answer is not taken for another's.
    run: u32,
}

impl GpuPeople {
    /// Nobody is followed yet; at most `limit` people will be ([`MAX_PEOPLE`](plumbline_core::people::MAX_PEOPLE)).
    pub fn new(mode: Mode, limit: usize, clock: Clock) -> Self {
        Self {
            tracker: PeopleTracker::new(mode, limit),
            clock,
            run: 0,
        }
    }

    /// Forgets everybody, for instance when another clip begins; numbers begin again.
    pub fn reset(&mut self) {
        self.tracker.reset();
    }

    /// Follows at most `limit` people from the next frame on ([`PeopleTracker::set_limit`]).
    pub fn set_limit(&mut self, limit: usize) {
        self.tracker.set_limit(limit);
    }

    /// Finds the people in a frame that was taken at `time`, on a GPU with no frame on its way. A pipeline that follows
    /// one person there ([`GpuPosePipeline`](super::GpuPosePipeline)) has to be reset afterwards.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when the GPU fails; the next frame may be tried.
    pub async fn process<G: FrameGpu>(
        &mut self,
        gpu: &mut G,
        picture: G::Picture<'_>,
        time: Timestamp,
    ) -> Result<PeopleResult, PipelineError> {
        let start_millis = (self.clock)();
        let shown = gpu.show(SLOT, picture);
        let image = shown.map_err(|source| failed(LANDMARK_MODEL, source))?;
        let crop_millis = (self.clock)() - start_millis;
        let found = self.find(gpu, image, time).await;
        gpu.release(SLOT);
        let mut result = found?;
        result.timings.crop_millis = crop_millis;
        result.timings.total_millis = (self.clock)() - start_millis;
        Ok(result)
    }

    /// The people in the picture that the GPU has been shown.
    async fn find<G: FrameGpu>(
        &mut self,
        gpu: &mut G,
        image: ImageSize,
        time: Timestamp,
    ) -> Result<PeopleResult, PipelineError> {
        let mut timings = Timings::default();
        if let Some(letterbox) = self.tracker.begin(image, time) {
            let start_millis = (self.clock)();
            let words = self.parameters(image, time, letterbox).words(DETECTOR_SIDE_PX);
            let detected = match gpu.start(Model::Detector, SLOT, &words) {
                Ok(reading) => reading.await,
                Err(refused) => Err(refused),
            };
            timings.detector_millis = Some((self.clock)() - start_millis);
            let detected = detected.map_err(|source| failed(DETECTOR, source))?;
            self.tracker.locate(&letterbox, detections(&detected)?);
        }
        let regions = self.tracker.regions();
        let start_millis = (self.clock)();
        let mut readings = Vec::with_capacity(regions.len());
        for &(id, region) in &regions {
            let parameters = self.parameters(image, time, region);
            let reading = gpu.start(Model::Landmarks, SLOT, &parameters.words(LANDMARK_SIDE_PX));
            let reading = reading.map_err(|source| failed(LANDMARK_MODEL, source))?;
            readings.push((id, parameters, region, reading));
        }
        let mut masks = Vec::new();
        for (id, Parameters { frame, .. }, region, reading) in readings {
            let read = reading.await.map_err(|source| failed(LANDMARK_MODEL, source))?;
            timings.landmarks_millis = Some((self.clock)() - start_millis);
            masks.extend(self.measured(id, frame, &region, &read, time)?);
        }
        let start_millis = (self.clock)();
        let people = self.tracker.finish(time);
        masks.retain(|(id, _)| people.iter().any(|person| person.id == *id));
        timings.decode_millis = (self.clock)() - start_millis;
        Ok(PeopleResult {
            people,
            masks,
            timings,
        })
    }

    /// Takes what the GPU has answered for a person; gives their mask, where the plan has one.
    fn measured(
        &mut self,
        id: PersonId,
        run: u32,
        region: &RotatedRect,
        words: &[f32],
        time: Timestamp,
    ) -> Result<Option<(PersonId, RegionMask)>, PipelineError> {
        let (answer, mask) = read_answer(words, run)?;
        let is_there = answer.says(status::LOOKED) && answer.says(status::PERSON);
        let seen = is_there.then(|| {
            let mut pose = answer.pose;
            // As it was sent, and not as it came back by way of sine and cosine.
            pose.region = *region;
            Seen {
                pose,
                alignment: answer.alignment,
            }
        });
        let is_seen = self.tracker.advance_decoded(id, seen, time);
        let mask = unpacked(mask, region).filter(|_| is_seen);
        Ok(mask.map(|mask| (id, mask)))
    }

    /// What the next run is told: the region, and to forget what the one before has seen.
    fn parameters(&mut self, image: ImageSize, time: Timestamp, region: RotatedRect) -> Parameters {
        self.run = self.run.wrapping_add(1);
        Parameters {
            frame: self.run,
            time,
            image,
            seed: Some(region),
            forget: true,
        }
    }
}
