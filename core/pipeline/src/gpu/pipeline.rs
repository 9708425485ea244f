//! Which frame runs what on the GPU, with up to two frames on their way.
//!
//! In: pictures, as they come. Out: results, in order, each as the CPU pipeline would give it. In between a frame is in
//! one of three stages:
//!
//! ```text
//! waiting ──(nobody is followed, and the frames before it have been read)──> detecting ──> measuring ──> result
//!    │                                                                           └──> nobody: result
//!    └──(somebody is followed)───────────────────────────────────────────────> measuring ──> result
//!    ^                                                                             │
//!    └──────────────(the frame before it lost the person: it was not seen)─────────┘
//! ```
//!
//! A frame that follows another is submitted with it, before anything has been read: the region passes from one to the
//! next on the GPU. Only the detector needs the CPU, which merges its boxes and sends the region back with the frame.

use std::collections::VecDeque;
use std::future::Future;

use plumbline_core::anchors::{ANCHOR_COUNT, anchors};
use plumbline_core::detection::VALUES_PER_BOX;
use plumbline_core::geometry::{ImageSize, Point2};
use plumbline_core::mask::RegionMask;
use plumbline_core::pose::Pose;
use plumbline_core::pose_smoothing::PoseSmoother;
use plumbline_core::preprocess::{DETECTOR_SIDE_PX, LANDMARK_SIDE_PX, letterbox};
use plumbline_core::roi::RotatedRect;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::{DetectorOutputs, Mode, person_region};

use super::exchange::{Answer, Parameters};
use super::layout::{ANSWER, status};
use super::program::MASK_WORDS;
use crate::error::PipelineError;
use crate::inference::InferenceError;
use crate::pose::{Clock, DETECTOR, FrameResult, LANDMARK_MODEL, Timings};

/// Frames that may be on their way, and pictures that are held: one that the GPU works on, one that is read.
pub const SLOTS: usize = 2;

/// The two models of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Finds a person in the whole picture ([`super::program::detector_program`]).
    Detector,
    /// Finds landmarks in a region ([`super::program::landmark_program`]).
    Landmarks,
}

/// A GPU that holds the pictures of up to [`SLOTS`] frames and runs both models on them.
pub trait FrameGpu {
    /// A frame as it comes from its source.
    type Picture<'a>;
    /// All that a run reads back, when the GPU has come so far. It borrows nothing, so that the next frame can be
    /// submitted while somebody waits for it. Dropped unread, it gives its memory back.
    type Reading: Future<Output = Result<Vec<f32>, InferenceError>>;

    /// Takes a picture into a slot, where it stays until the slot takes another; gives its size.
    ///
    /// # Errors
    /// What the GPU refuses; the slot is empty then.
    fn show(&mut self, slot: usize, picture: Self::Picture<'_>) -> Result<ImageSize, InferenceError>;

    /// Submits a model on the picture of a slot, with the words of [`Parameters`].
    ///
    /// # Errors
    /// What the GPU refuses.
    fn start(
        &mut self,
        model: Model,
        slot: usize,
        parameters: &[f32],
    ) -> Result<Self::Reading, InferenceError>;

    /// A slot's picture is not needed any more.
    fn release(&mut self, slot: usize);
}

/// Finds a person in frames and follows them, without waiting for a frame before the next one is sent.
pub struct GpuPosePipeline<G: FrameGpu> {
    gpu: G,
    mode: Mode,
    anchors: Vec<Point2>,
    smoother: PoseSmoother,
    clock: Clock,
    jobs: VecDeque<Job<G::Reading>>,
    /// Counts frames; a frame's slot is the remainder by [`SLOTS`].
    next: u32,
    /// Size of the last frame that came.
    image: Option<ImageSize>,
    /// The next frame that comes starts afresh.
    starts_anew: bool,
    /// As far as is known here, the GPU has a region for the next frame that is submitted.
    follows: bool,
    /// The GPU's filters must start afresh with the next region that is sent.
    forget: bool,
}

struct Job<R> {
    frame: u32,
    image: ImageSize,
    time: Timestamp,
    starts_anew: bool,
    stage: Stage<R>,
    start_millis: f64,
    submitted_millis: f64,
    timings: Timings,
}

/// The reading is out of its place while somebody waits for it.
enum Stage<R> {
    Waiting,
    Detecting(Option<R>),
    Measuring(Option<R>),
}

impl<R> Job<R> {
    fn slot(&self) -> usize {
        self.frame as usize % SLOTS
    }
}

impl<G: FrameGpu> GpuPosePipeline<G> {
    /// A pipeline over a GPU that has loaded both models.
    pub fn new(gpu: G, mode: Mode, clock: Clock) -> Self {
        Self {
            gpu,
            mode,
            anchors: anchors(),
            smoother: PoseSmoother::new(),
            clock,
            jobs: VecDeque::with_capacity(SLOTS),
            next: 0,
            image: None,
            starts_anew: true,
            follows: false,
            forget: true,
        }
    }

    /// What runs the models.
    pub fn gpu(&self) -> &G {
        &self.gpu
    }

    /// The same, to lend it to [`GpuPeople`](super::GpuPeople) while no frame is on its way.
    pub fn gpu_mut(&mut self) -> &mut G {
        &mut self.gpu
    }

    /// Forgets the person with the next frame that comes, for instance when another clip begins. Frames on their way
    /// are not touched.
    pub fn reset(&mut self) {
        self.starts_anew = true;
    }

    /// Frames that were submitted and have no result yet.
    pub fn in_flight(&self) -> usize {
        self.jobs.len()
    }

    /// Whether another frame can be submitted.
    pub fn has_room(&self) -> bool {
        self.jobs.len() < SLOTS
    }

    /// Takes a frame that was taken at `time`, and returns at once.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when there is no room or the picture cannot be shown; the frame is not taken then.
    /// The same when the GPU refuses to run it; then it is forgotten with those on their way.
    pub fn submit(&mut self, picture: G::Picture<'_>, time: Timestamp) -> Result<(), PipelineError> {
        let start_millis = (self.clock)();
        if !self.has_room() {
            let message = format!("{SLOTS} frames are on their way already; receive one first");
            return Err(failed(LANDMARK_MODEL, InferenceError::new(message)));
        }
        let frame = self.next;
        let image = self
            .gpu
            .show(frame as usize % SLOTS, picture)
            .map_err(|source| failed(LANDMARK_MODEL, source))?;
        let another_size = self.image.replace(image) != Some(image);
        let is_alone = self.mode == Mode::Static;
        let now_millis = (self.clock)();
        self.jobs.push_back(Job {
            frame,
            image,
            time,
            starts_anew: std::mem::take(&mut self.starts_anew) || another_size || is_alone,
            stage: Stage::Waiting,
            start_millis,
            submitted_millis: now_millis,
            timings: Timings {
                crop_millis: now_millis - start_millis,
                ..Timings::default()
            },
        });
        self.next = self.next.wrapping_add(1);
        self.advance()
    }

    /// The read-back of the oldest frame: wait for it, then [`Self::accept`] it. Nothing when no frame is on its way, or
    /// its reading has been taken already.
    pub fn take_reading(&mut self) -> Option<G::Reading> {
        match &mut self.jobs.front_mut()?.stage {
            Stage::Waiting => None,
            Stage::Detecting(reading) | Stage::Measuring(reading) => reading.take(),
        }
    }

    /// Takes what the oldest frame has read back. Gives its result, or nothing when the frame goes on: then there is
    /// another reading to wait for.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when the GPU failed; all frames on their way are forgotten, and the next may be
    /// tried.
    pub fn accept(
        &mut self,
        read: Result<Vec<f32>, InferenceError>,
    ) -> Result<Option<FrameResult>, PipelineError> {
        let read_millis = (self.clock)();
        let Some(job) = self.jobs.front_mut() else {
            return Ok(None);
        };
        let is_detection = matches!(job.stage, Stage::Detecting(_));
        let took_millis = Some(read_millis - job.submitted_millis);
        let role = if is_detection {
            job.timings.detector_millis = took_millis;
            DETECTOR
        } else {
            job.timings.landmarks_millis = took_millis;
            LANDMARK_MODEL
        };
        let taken = match read {
            Ok(words) if is_detection => self.detected(&words),
            Ok(words) => self.measured(&words),
            Err(source) => Err(failed(role, source)),
        };
        let result = match taken {
            Ok(Outcome::GoesOn) => None,
            Ok(Outcome::Done(seen)) => self.finish(seen.map(|seen| *seen), read_millis),
            Err(error) => {
                self.abandon();
                return Err(error);
            }
        };
        self.advance()?;
        Ok(result)
    }

    /// Waits for the result of the oldest frame.
    ///
    /// # Errors
    /// Those of [`Self::accept`], and [`PipelineError::Inference`] when no frame is on its way.
    pub async fn receive(&mut self) -> Result<FrameResult, PipelineError> {
        loop {
            let Some(reading) = self.take_reading() else {
                let message = "no frame is on its way; submit one first";
                return Err(failed(LANDMARK_MODEL, InferenceError::new(message)));
            };
            let read = reading.await;
            if let Some(result) = self.accept(read)? {
                return Ok(result);
            }
        }
    }

    /// Submits what can be submitted, oldest frame first.
    fn advance(&mut self) -> Result<(), PipelineError> {
        for index in 0..self.jobs.len() {
            let job = &self.jobs[index];
            match job.stage {
                Stage::Measuring(_) => {}
                Stage::Detecting(_) => break,
                Stage::Waiting if self.follows && !job.starts_anew => self.measure(index, None)?,
                // The detector decides for this frame, and it must have the latest word on those before it.
                Stage::Waiting if index == 0 => {
                    if job.starts_anew {
                        self.forget_person();
                    }
                    self.detect()?;
                    break;
                }
                Stage::Waiting => break,
            }
        }
        Ok(())
    }

    /// Runs the detector on the oldest frame.
    fn detect(&mut self) -> Result<(), PipelineError> {
        let Some(job) = self.jobs.front_mut() else {
            return Ok(());
        };
        let parameters = Parameters {
            frame: job.frame,
            time: job.time,
            image: job.image,
            seed: Some(letterbox(job.image)),
            forget: false,
        };
        job.submitted_millis = (self.clock)();
        let words = parameters.words(DETECTOR_SIDE_PX);
        match self.gpu.start(Model::Detector, job.slot(), &words) {
            Ok(reading) => job.stage = Stage::Detecting(Some(reading)),
            Err(source) => {
                self.abandon();
                return Err(failed(DETECTOR, source));
            }
        }
        Ok(())
    }

    /// Runs the landmark model on a frame: in this region, or in the one that the GPU holds.
    fn measure(&mut self, index: usize, seed: Option<RotatedRect>) -> Result<(), PipelineError> {
        let job = &mut self.jobs[index];
        let parameters = Parameters {
            frame: job.frame,
            time: job.time,
            image: job.image,
            seed,
            forget: seed.is_some() && self.forget,
        };
        job.submitted_millis = (self.clock)();
        let words = parameters.words(LANDMARK_SIDE_PX);
        match self.gpu.start(Model::Landmarks, job.slot(), &words) {
            Ok(reading) => job.stage = Stage::Measuring(Some(reading)),
            Err(source) => {
                self.abandon();
                return Err(failed(LANDMARK_MODEL, source));
            }
        }
        if seed.is_some() {
            self.forget = false;
            self.follows = true;
        }
        Ok(())
    }

    /// The oldest frame's boxes and scores.
    fn detected(&mut self, words: &[f32]) -> Result<Outcome, PipelineError> {
        let outputs = detections(words)?;
        let Some(image) = self.jobs.front().map(|job| job.image) else {
            return Ok(Outcome::GoesOn);
        };
        match person_region(&letterbox(image), outputs, &self.anchors) {
            Some(region) => {
                self.measure(0, Some(region))?;
                Ok(Outcome::GoesOn)
            }
            None => {
                self.forget_person();
                Ok(Outcome::Done(None))
            }
        }
    }

    /// The oldest frame's answer.
    fn measured(&mut self, words: &[f32]) -> Result<Outcome, PipelineError> {
        let Some(job) = self.jobs.front_mut() else {
            return Ok(Outcome::GoesOn);
        };
        let (answer, mask) = read_answer(words, job.frame)?;
        if !answer.says(status::LOOKED) {
            job.stage = Stage::Waiting;
            self.lose();
            return Ok(Outcome::GoesOn);
        }
        let time = job.time;
        if !answer.says(status::HAS_NEXT) {
            self.lose();
        }
        if !answer.says(status::FOLLOWED) {
            self.forget_person();
        }
        if !answer.says(status::PERSON) {
            return Ok(Outcome::Done(None));
        }
        let is_smoothed = answer.says(status::FOLLOWED) && self.mode == Mode::Tracking;
        let mut pose = answer.pose;
        if is_smoothed {
            let bodies_per_px = 1.0 / f64::from(answer.body_px);
            self.smoother.apply(&mut pose, bodies_per_px, time);
        }
        let mask = unpacked(mask, &pose.region);
        Ok(Outcome::Done(Some(Box::new(Seen { pose, mask }))))
    }

    /// The GPU has no region any more. Frames that were sent after this one were not seen: they wait again.
    fn lose(&mut self) {
        self.follows = false;
        for job in self.jobs.iter_mut().skip(1) {
            job.stage = Stage::Waiting;
        }
    }

    /// Nobody is followed, and nothing is smoothed with what came before.
    fn forget_person(&mut self) {
        self.lose();
        self.smoother.reset();
        self.forget = true;
    }

    /// The oldest frame's result.
    fn finish(&mut self, seen: Option<Seen>, read_millis: f64) -> Option<FrameResult> {
        let job = self.drop_oldest()?;
        let now_millis = (self.clock)();
        let timings = Timings {
            decode_millis: now_millis - read_millis,
            total_millis: now_millis - job.start_millis,
            ..job.timings
        };
        let (pose, mask) = seen.map_or((None, None), |seen| (Some(seen.pose), seen.mask));
        Some(FrameResult { pose, mask, timings })
    }

    fn drop_oldest(&mut self) -> Option<Job<G::Reading>> {
        let job = self.jobs.pop_front()?;
        self.gpu.release(job.slot());
        Some(job)
    }

    /// Forgets all frames on their way, and the person.
    fn abandon(&mut self) {
        self.forget_person();
        while self.drop_oldest().is_some() {}
    }
}

/// What becomes of a frame whose reading was accepted.
enum Outcome {
    GoesOn,
    Done(Option<Box<Seen>>),
}

/// A person in a frame.
struct Seen {
    pose: Pose,
    mask: Option<RegionMask>,
}

/// The detector's tensors in what it has read back.
pub(super) fn detections(words: &[f32]) -> Result<DetectorOutputs<'_>, PipelineError> {
    const BOXES: usize = ANCHOR_COUNT * VALUES_PER_BOX;
    if words.len() != BOXES + ANCHOR_COUNT {
        return Err(failed(DETECTOR, unreadable(words.len())));
    }
    let (boxes, scores) = words.split_at(BOXES);
    Ok(DetectorOutputs { boxes, scores })
}

/// What the landmark model has read back for this frame, and the mask's words behind it, where the plan has one.
pub(super) fn read_answer(words: &[f32], frame: u32) -> Result<(Answer, &[f32]), PipelineError> {
    let (words, mask) = words.split_at(ANSWER.len().min(words.len()));
    let answer = Answer::from_words(words).filter(|_| mask.is_empty() || mask.len() == MASK_WORDS);
    let answer = answer.ok_or_else(|| failed(LANDMARK_MODEL, unreadable(words.len() + mask.len())))?;
    if answer.frame == frame {
        return Ok((answer, mask));
    }
    let message = format!("the GPU answered for frame {} instead of {frame}", answer.frame);
    Err(failed(LANDMARK_MODEL, InferenceError::new(message)))
}

/// The mask of an input that was cut out at `region`, from its bytes; nothing where there are none.
pub(super) fn unpacked(words: &[f32], region: &RotatedRect) -> Option<RegionMask> {
    let levels = words.iter().flat_map(|word| word.to_bits().to_le_bytes());
    let shares = levels.map(|level| f32::from(level) / 255.0).collect();
    RegionMask::new(shares, LANDMARK_SIDE_PX, region)
}

pub(super) fn failed(role: &'static str, source: InferenceError) -> PipelineError {
    PipelineError::Inference { role, source }
}

fn unreadable(len: usize) -> InferenceError {
    InferenceError::new(format!("the GPU answered {len} words of another layout"))
}

#[cfg(test)]
mod tests;
