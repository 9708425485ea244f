//! A frame becomes a pose: crop, detector where needed, crop, landmark model, decoding, tracking.
//!
//! All decisions are the tracker's ([`plumbline_core::tracker`]); here pixels are cut out, models run and stages are
//! timed. Frames are upright: frame pixels and image pixels are the same here.

use plumbline_core::anchors::ANCHOR_COUNT;
use plumbline_core::detection::VALUES_PER_BOX;
use plumbline_core::geometry::ImageSize;
use plumbline_core::heatmap::{HEATMAP_SIDE, Heatmap};
use plumbline_core::landmarks::{MODEL_LANDMARK_COUNT, VALUES_PER_LANDMARK};
use plumbline_core::mask::RegionMask;
use plumbline_core::pose::Pose;
use plumbline_core::preprocess::{DETECTOR_RANGE, DETECTOR_SIDE_PX, LANDMARK_RANGE, LANDMARK_SIDE_PX};
use plumbline_core::roi::RotatedRect;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::{DetectorOutputs, LandmarkOutputs, Mode, PoseTracker, Request};
use plumbline_engine::cpu::DeferredOutput;
use plumbline_engine::image::{Border, Frame, Sampling, sample_region};

use crate::error::PipelineError;
use crate::gpu::Model;
use crate::inference::Inference;
use crate::models::{DETECTOR_BOXES, DETECTOR_SCORES, HEATMAP, LANDMARKS, MASK, POSE_SCORE, WORLD};

/// A stopwatch: milliseconds since any origin.
pub type Clock = Box<dyn Fn() -> f64>;

/// How long the stages of a frame took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings {
    /// Cutting out the inputs of the models that ran.
    pub crop_millis: f64,
    /// The detector, until its outputs could be read; nothing when tracking made it unnecessary.
    pub detector_millis: Option<f64>,
    /// The landmark model, until its outputs could be read; nothing when there was nobody to look at.
    pub landmarks_millis: Option<f64>,
    /// Decoding, refinement, projection, smoothing.
    pub decode_millis: f64,
    /// From the call to its result.
    pub total_millis: f64,
}

/// What a frame gave.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameResult {
    /// The person, if there is one.
    pub pose: Option<Pose>,
    /// Which pixels of this very frame are the person, not smoothed
    /// ([`MaskSmoothing`](plumbline_core::mask::MaskSmoothing)). Nothing where nobody was found, and where the plan has
    /// no mask; that of [`crate::plan_landmarks_and_mask`] has.
    pub mask: Option<RegionMask>,
    /// How long it took.
    pub timings: Timings,
}

/// Finds a person in frames and follows them.
pub struct PosePipeline<I> {
    detector: I,
    landmarks: I,
    tracker: PoseTracker,
    clock: Clock,
}

/// The detector's name in errors.
pub(crate) const DETECTOR: &str = "detector";
/// The landmark model's name in errors.
pub(crate) const LANDMARK_MODEL: &str = "landmark model";

impl<I: Inference> PosePipeline<I> {
    /// A pipeline over two models, made from the plans of [`crate::plan_detector`] and [`crate::plan_landmarks`].
    ///
    /// # Errors
    /// [`PipelineError::WrongModel`] when a tensor is missing or has another size than BlazePose's.
    pub fn new(mut detector: I, mut landmarks: I, mode: Mode, clock: Clock) -> Result<Self, PipelineError> {
        check_input(DETECTOR, &mut detector, DETECTOR_SIDE_PX)?;
        check_input(LANDMARK_MODEL, &mut landmarks, LANDMARK_SIDE_PX)?;
        detector_outputs(&detector)?;
        landmark_outputs(&landmarks)?;
        mask_logits(&landmarks)?;
        Ok(Self {
            detector,
            landmarks,
            tracker: PoseTracker::new(mode),
            clock,
        })
    }

    /// Forgets the person, for instance when another clip begins.
    pub fn reset(&mut self) {
        self.tracker.reset();
    }

    /// Gives the models up and keeps whom they followed, for [`Self::follow_on`].
    pub fn into_tracker(self) -> PoseTracker {
        self.tracker
    }

    /// Follows on whom another pipeline followed: for models that are planned anew in the middle of a clip.
    pub fn follow_on(&mut self, tracker: PoseTracker) {
        self.tracker = tracker;
    }

    /// Whether frames have a mask.
    pub fn has_mask(&self) -> bool {
        self.landmarks.output(MASK).is_some()
    }

    /// Runs one model on whatever its input holds. No result changes by it: it is for machines that compile code when
    /// it first runs.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when the backend fails.
    pub async fn rehearse(&mut self, model: Model) -> Result<(), PipelineError> {
        rehearse(&mut self.detector, &mut self.landmarks, model).await
    }

    /// Finds the person in a frame that was taken at `time`.
    ///
    /// In tracking mode times should rise from frame to frame; a frame that is not later than the one before it is
    /// not smoothed.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when a backend fails; the next frame may be tried.
    pub async fn process(
        &mut self,
        frame: &Frame<'_>,
        time: Timestamp,
    ) -> Result<FrameResult, PipelineError> {
        let start = (self.clock)();
        let mut timings = Timings::default();
        let (mut pose, mut mask) = (None, None);
        if let Some(region) = self.locate(frame, &mut timings).await? {
            pose = self.landmarks_in(frame, &region, time, &mut timings).await?;
            if let (Some(_), Some(logits)) = (&pose, mask_logits(&self.landmarks)?) {
                let start = (self.clock)();
                mask = RegionMask::from_logits(logits, LANDMARK_SIDE_PX, &region);
                timings.decode_millis += (self.clock)() - start;
            }
        }
        timings.total_millis = (self.clock)() - start;
        Ok(FrameResult { pose, mask, timings })
    }

    /// Where the person is: known from the frame before, or found by the detector.
    async fn locate(
        &mut self,
        frame: &Frame<'_>,
        timings: &mut Timings,
    ) -> Result<Option<RotatedRect>, PipelineError> {
        let letterbox = match self.tracker.request(image_size(frame)) {
            Request::Landmarks(region) => return Ok(Some(region)),
            Request::Detect(letterbox) => letterbox,
        };
        let ran = look(
            Model::Detector,
            &mut self.detector,
            frame,
            &letterbox,
            &self.clock,
            timings,
        )
        .await?;
        let found = self.tracker.locate(&letterbox, detector_outputs(&self.detector)?);
        timings.decode_millis += (self.clock)() - ran;
        Ok(found)
    }

    /// The person's landmarks, and with them the region of the next frame.
    async fn landmarks_in(
        &mut self,
        frame: &Frame<'_>,
        region: &RotatedRect,
        time: Timestamp,
        timings: &mut Timings,
    ) -> Result<Option<Pose>, PipelineError> {
        let ran = look(
            Model::Landmarks,
            &mut self.landmarks,
            frame,
            region,
            &self.clock,
            timings,
        )
        .await?;
        let pose = self
            .tracker
            .advance(region, landmark_outputs(&self.landmarks)?, time);
        timings.decode_millis += (self.clock)() - ran;
        Ok(pose)
    }
}

/// Runs one of the models on whatever its input holds.
pub(crate) async fn rehearse<I: Inference>(
    detector: &mut I,
    landmarks: &mut I,
    model: Model,
) -> Result<(), PipelineError> {
    let (role, inference) = match model {
        Model::Detector => (DETECTOR, detector),
        Model::Landmarks => (LANDMARK_MODEL, landmarks),
    };
    let failed = |source| PipelineError::Inference { role, source };
    inference.run().await.map_err(failed)
}

/// Cuts a region out of a frame and runs a model on it; gives the moment at which it had run.
pub(crate) async fn look<I: Inference>(
    model: Model,
    inference: &mut I,
    frame: &Frame<'_>,
    region: &RotatedRect,
    clock: &Clock,
    timings: &mut Timings,
) -> Result<f64, PipelineError> {
    let (role, sampling, millis) = match model {
        Model::Detector => (
            DETECTOR,
            sampling(region, DETECTOR_SIDE_PX, DETECTOR_RANGE, Border::Zero),
            &mut timings.detector_millis,
        ),
        Model::Landmarks => (
            LANDMARK_MODEL,
            sampling(region, LANDMARK_SIDE_PX, LANDMARK_RANGE, Border::Replicate),
            &mut timings.landmarks_millis,
        ),
    };
    let start = clock();
    sample_region(frame, &sampling, inference.input_mut());
    let cropped = clock();
    let failed = |source| PipelineError::Inference { role, source };
    inference.run().await.map_err(failed)?;
    let ran = clock();
    *millis = Some(millis.unwrap_or_default() + ran - cropped);
    timings.crop_millis += cropped - start;
    Ok(ran)
}

pub(crate) fn image_size(frame: &Frame<'_>) -> ImageSize {
    ImageSize {
        width_px: frame.width_px() as u32,
        height_px: frame.height_px() as u32,
    }
}

/// How a region of the image becomes a square input.
fn sampling(region: &RotatedRect, side_px: usize, range: [f32; 2], border: Border) -> Sampling {
    Sampling {
        frame_from_output: region.image_from_model(side_px as f32).rows(),
        width_px: side_px,
        height_px: side_px,
        range,
        border,
    }
}

/// The detector's tensors by meaning.
pub(crate) fn detector_outputs<I: Inference>(model: &I) -> Result<DetectorOutputs<'_>, PipelineError> {
    Ok(DetectorOutputs {
        boxes: output(DETECTOR, model, DETECTOR_BOXES, ANCHOR_COUNT * VALUES_PER_BOX)?,
        scores: output(DETECTOR, model, DETECTOR_SCORES, ANCHOR_COUNT)?,
    })
}

/// The heatmaps of a frame: computed, or left to be computed where the refinement looks.
#[derive(Clone, Copy)]
pub(crate) enum Heat<'a> {
    Whole(&'a [f32]),
    Deferred(DeferredOutput<'a>),
}

impl Heatmap for Heat<'_> {
    fn logits(&self, landmark: usize, cells: impl Iterator<Item = usize>, values: &mut [f32]) {
        match self {
            Heat::Whole(tensor) => tensor.logits(landmark, cells, values),
            Heat::Deferred(output) => output.read(landmark, cells, values),
        }
    }
}

/// The landmark model's outputs by meaning.
pub(crate) fn landmark_outputs<I: Inference>(
    model: &I,
) -> Result<LandmarkOutputs<'_, Heat<'_>>, PipelineError> {
    const HEATMAP_SHAPE: [usize; 4] = [1, HEATMAP_SIDE, HEATMAP_SIDE, MODEL_LANDMARK_COUNT];
    const HEATMAP_LEN: usize = HEATMAP_SIDE * HEATMAP_SIDE * MODEL_LANDMARK_COUNT;
    let deferred = model.deferred(HEATMAP);
    Ok(LandmarkOutputs {
        landmarks: output(
            LANDMARK_MODEL,
            model,
            LANDMARKS,
            MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK,
        )?,
        score: output(LANDMARK_MODEL, model, POSE_SCORE, 1)?[0],
        heatmap: match deferred.filter(|output| output.shape() == HEATMAP_SHAPE) {
            Some(output) => Heat::Deferred(output),
            None => Heat::Whole(output(LANDMARK_MODEL, model, HEATMAP, HEATMAP_LEN)?),
        },
        world: output(LANDMARK_MODEL, model, WORLD, MODEL_LANDMARK_COUNT * 3)?,
    })
}

/// The person's mask, where the plan has one.
pub(crate) fn mask_logits<I: Inference>(model: &I) -> Result<Option<&[f32]>, PipelineError> {
    const LEN: usize = LANDMARK_SIDE_PX * LANDMARK_SIDE_PX;
    match model.output(MASK) {
        None => Ok(None),
        Some(_) => output(LANDMARK_MODEL, model, MASK, LEN).map(Some),
    }
}

fn output<'a, I: Inference>(
    role: &'static str,
    model: &'a I,
    tensor: &'static str,
    expected: usize,
) -> Result<&'a [f32], PipelineError> {
    match model.output(tensor) {
        Some(values) if values.len() == expected => Ok(values),
        other => Err(PipelineError::WrongModel {
            role,
            tensor,
            expected,
            found: other.map(<[f32]>::len),
        }),
    }
}

pub(crate) fn check_input<I: Inference>(
    role: &'static str,
    model: &mut I,
    side_px: usize,
) -> Result<(), PipelineError> {
    let (expected, found) = (side_px * side_px * 3, model.input_mut().len());
    if found == expected {
        Ok(())
    } else {
        Err(PipelineError::WrongModel {
            role,
            tensor: "input",
            expected,
            found: Some(found),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashMap;
    use std::future::Future;
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    use plumbline_engine::image::PixelFormat;

    use super::*;
    use crate::inference::InferenceError;

    /// A model that always answers the same, and lets its caller wait once.
    struct Scripted {
        input: Vec<f32>,
        outputs: HashMap<&'static str, Vec<f32>>,
        broken: bool,
        runs: Rc<Cell<u32>>,
    }

    impl Inference for Scripted {
        fn input_mut(&mut self) -> &mut [f32] {
            &mut self.input
        }

        async fn run(&mut self) -> Result<(), InferenceError> {
            let mut waited = false;
            std::future::poll_fn(|_| {
                if std::mem::replace(&mut waited, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            self.runs.set(self.runs.get() + 1);
            if self.broken {
                Err(InferenceError::new("device lost"))
            } else {
                Ok(())
            }
        }

        fn output(&self, name: &str) -> Option<&[f32]> {
            self.outputs.get(name).map(Vec::as_slice)
        }
    }

    fn detector(score: f32) -> Scripted {
        let mut boxes = vec![0.0; ANCHOR_COUNT * VALUES_PER_BOX];
        // Upright person: hips on the anchor, scale point 50 px of the input above.
        boxes[..VALUES_PER_BOX]
            .copy_from_slice(&[0.0, 0.0, 9.0, 9.0, 0.0, 0.0, 0.0, -50.0, 0.0, 0.0, 0.0, 0.0]);
        let mut scores = vec![-9.0; ANCHOR_COUNT];
        scores[0] = score;
        Scripted {
            input: vec![0.0; DETECTOR_SIDE_PX * DETECTOR_SIDE_PX * 3],
            outputs: HashMap::from([(DETECTOR_BOXES, boxes), (DETECTOR_SCORES, scores)]),
            broken: false,
            runs: Rc::default(),
        }
    }

    fn landmark_model(score: f32) -> Scripted {
        let mut landmarks = vec![128.0; MODEL_LANDMARK_COUNT * VALUES_PER_LANDMARK];
        landmarks[34 * VALUES_PER_LANDMARK + 1] = 20.0;
        Scripted {
            input: vec![0.0; LANDMARK_SIDE_PX * LANDMARK_SIDE_PX * 3],
            outputs: HashMap::from([
                (LANDMARKS, landmarks),
                (POSE_SCORE, vec![score]),
                (
                    HEATMAP,
                    vec![-50.0; HEATMAP_SIDE * HEATMAP_SIDE * MODEL_LANDMARK_COUNT],
                ),
                (WORLD, vec![0.0; MODEL_LANDMARK_COUNT * 3]),
            ]),
            broken: false,
            runs: Rc::default(),
        }
    }

    /// A clock that advances by a millisecond whenever somebody looks.
    fn ticking_clock() -> Clock {
        let now = Cell::new(0.0);
        Box::new(move || now.replace(now.get() + 1.0))
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
        }
    }

    fn process(pipeline: &mut PosePipeline<Scripted>, millis: i64) -> Result<FrameResult, PipelineError> {
        let pixels = [90; 64 * 48 * 4];
        let frame = Frame::packed(&pixels, 64, 48, PixelFormat::Rgba8).expect("a whole frame");
        block_on(pipeline.process(&frame, Timestamp::from_micros(millis * 1000)))
    }

    #[test]
    fn the_detector_runs_only_when_needed() {
        let (finder, reader) = (detector(3.0), landmark_model(0.9));
        let (finder_runs, reader_runs) = (finder.runs.clone(), reader.runs.clone());
        let mut pipeline = PosePipeline::new(finder, reader, Mode::Tracking, ticking_clock())
            .expect("models of the right sizes");
        for (millis, detections) in [(33, 1), (66, 1), (100, 1)] {
            let result = process(&mut pipeline, millis).expect("scripted models run");
            assert!(result.pose.is_some());
            assert_eq!(finder_runs.get(), detections, "at {millis} ms");
            assert_eq!(result.timings.detector_millis.is_some(), millis == 33);
        }
        assert_eq!(reader_runs.get(), 3);
        pipeline.reset();
        process(&mut pipeline, 133).expect("scripted models run");
        assert_eq!(finder_runs.get(), 2);
    }

    #[test]
    fn a_rehearsal_runs_one_model_and_changes_no_result() {
        let pipeline = || {
            PosePipeline::new(
                detector(3.0),
                landmark_model(0.9),
                Mode::Tracking,
                ticking_clock(),
            )
            .expect("models of the right sizes")
        };
        let (mut fresh, mut rehearsed) = (pipeline(), pipeline());
        let runs = [rehearsed.detector.runs.clone(), rehearsed.landmarks.runs.clone()];
        for (model, expected) in [(Model::Detector, [1, 0]), (Model::Landmarks, [1, 1])] {
            block_on(rehearsed.rehearse(model)).expect("scripted models run");
            assert_eq!([runs[0].get(), runs[1].get()], expected);
        }
        for millis in [33, 66] {
            let pose = |pipeline| process(pipeline, millis).expect("scripted models run").pose;
            assert_eq!(pose(&mut fresh), pose(&mut rehearsed));
        }
        rehearsed.landmarks.broken = true;
        assert!(block_on(rehearsed.rehearse(Model::Landmarks)).is_err());
    }

    #[test]
    fn nobody_there_skips_the_landmark_model() {
        let reader = landmark_model(0.9);
        let reader_runs = reader.runs.clone();
        let mut pipeline = PosePipeline::new(detector(-3.0), reader, Mode::Static, ticking_clock())
            .expect("models of the right sizes");
        let result = process(&mut pipeline, 0).expect("scripted models run");
        assert_eq!((result.pose, result.timings.landmarks_millis), (None, None));
        assert_eq!(reader_runs.get(), 0);
    }

    /// The clock is read at the start, four times in each of the two stages, and at the end.
    #[test]
    fn stages_are_timed() {
        let mut pipeline =
            PosePipeline::new(detector(3.0), landmark_model(0.9), Mode::Static, ticking_clock())
                .expect("models of the right sizes");
        let timings = process(&mut pipeline, 0).expect("scripted models run").timings;
        let expected = Timings {
            crop_millis: 2.0,
            detector_millis: Some(1.0),
            landmarks_millis: Some(1.0),
            decode_millis: 2.0,
            total_millis: 9.0,
        };
        assert_eq!(timings, expected);
    }

    #[test]
    fn pixels_arrive_in_each_models_range() {
        let mut pipeline =
            PosePipeline::new(detector(3.0), landmark_model(0.9), Mode::Static, ticking_clock())
                .expect("models of the right sizes");
        process(&mut pipeline, 0).expect("scripted models run");
        // The 64x48 frame stands in the middle of the letterbox; above it there is black.
        let grey = 90.0 / 255.0;
        let middle = (DETECTOR_SIDE_PX * DETECTOR_SIDE_PX / 2 + DETECTOR_SIDE_PX / 2) * 3;
        assert!((pipeline.detector.input[middle] - (2.0 * grey - 1.0)).abs() < 1e-6);
        assert_eq!(pipeline.detector.input[0], -1.0);
        assert!(
            pipeline
                .landmarks
                .input
                .iter()
                .all(|value| (value - grey).abs() < 1e-6)
        );
    }

    #[test]
    fn wrong_models_are_named() {
        let mut short = landmark_model(0.9);
        short.outputs.insert(WORLD, vec![0.0; 99]);
        let mut without_heatmap = landmark_model(0.9);
        without_heatmap.outputs.remove(HEATMAP);
        for (finder, reader, expected) in [
            (
                detector(0.0),
                detector(0.0),
                "the landmark model is not a BlazePose one: input has 150528 elements, 196608 are expected",
            ),
            (
                detector(0.0),
                short,
                "the landmark model is not a BlazePose one: Identity_4 has 99 elements, 117 are expected",
            ),
            (
                detector(0.0),
                without_heatmap,
                "the landmark model is not a BlazePose one: it has no tensor Identity_3",
            ),
            (
                landmark_model(0.0),
                landmark_model(0.0),
                "the detector is not a BlazePose one: input has 196608 elements, 150528 are expected",
            ),
        ] {
            let error = PosePipeline::new(finder, reader, Mode::Static, ticking_clock()).err();
            assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_failing_backend_is_reported() {
        let broken = Scripted {
            broken: true,
            ..landmark_model(0.9)
        };
        let mut pipeline = PosePipeline::new(detector(3.0), broken, Mode::Tracking, ticking_clock())
            .expect("models of the right sizes");
        let error = process(&mut pipeline, 0).expect_err("the landmark model fails");
        assert_eq!(error.to_string(), "the landmark model did not run: device lost");
    }
}
