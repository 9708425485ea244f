//! The order of frames on a scripted GPU: what is submitted when, and that overlapping frames change no result.

use std::cell::{Cell, RefCell};
use std::future::{Ready, ready};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::super::layout::{ANSWER, LAYOUT_VERSION, PARAMETERS, REGION, flag};
use super::*;

const IMAGE: ImageSize = ImageSize {
    width_px: 640,
    height_px: 480,
};

/// What was started: model, frame, flags.
type Started = (Model, u32, u32);

/// A GPU whose models are sure of what the picture says: 0 nobody, 1 a person, 2 a person without a body to follow,
/// 3 a person who leaves, 9 a picture that breaks it. It computes at once, in the order of submission.
struct ScriptedGpu {
    shown: [u8; SLOTS],
    has_region: bool,
    started: Rc<RefCell<Vec<Started>>>,
    released: Rc<Cell<u32>>,
}

impl FrameGpu for ScriptedGpu {
    type Picture<'a> = u8;
    type Reading = Ready<Result<Vec<f32>, InferenceError>>;

    fn show(&mut self, slot: usize, picture: u8) -> Result<ImageSize, InferenceError> {
        self.shown[slot] = picture;
        Ok(IMAGE)
    }

    fn start(
        &mut self,
        model: Model,
        slot: usize,
        parameters: &[f32],
    ) -> Result<Self::Reading, InferenceError> {
        let word = |field: &str| parameters[PARAMETERS.at(field)].to_bits();
        self.started
            .borrow_mut()
            .push((model, word("frame"), word("flags")));
        let shown = self.shown[slot];
        if shown == 9 {
            return Err(InferenceError::new("device lost"));
        }
        Ok(ready(Ok(match model {
            Model::Detector => {
                let mut words = vec![0.0; ANCHOR_COUNT * (VALUES_PER_BOX + 1)];
                words[2..4].copy_from_slice(&[9.0, 9.0]);
                words[7] = -50.0;
                words[ANCHOR_COUNT * VALUES_PER_BOX..].fill(-9.0);
                words[ANCHOR_COUNT * VALUES_PER_BOX] = if shown == 0 { -9.0 } else { 9.0 };
                words
            }
            Model::Landmarks => {
                let looked = self.has_region || word("flags") & flag::SEED != 0;
                let bits = match (looked, shown) {
                    (false, _) => 0,
                    (true, 0) => status::LOOKED,
                    (true, 2) => status::LOOKED | status::PERSON,
                    (true, 3) => status::LOOKED | status::PERSON | status::FOLLOWED,
                    (true, _) => status::LOOKED | status::PERSON | status::FOLLOWED | status::HAS_NEXT,
                };
                self.has_region = bits & status::HAS_NEXT != 0;
                let mut words = vec![0.0; ANSWER.len()];
                words[ANSWER.at("version")] = f32::from_bits(LAYOUT_VERSION);
                words[ANSWER.at("frame")] = f32::from_bits(word("frame"));
                words[ANSWER.at("status")] = f32::from_bits(bits);
                words[ANSWER.at("body_px")] = 200.0;
                words[ANSWER.at("region") + REGION.at("cos_rotation")] = 1.0;
                words[ANSWER.at("landmarks")] = word("time_low") as f32 / 1000.0;
                words
            }
        })))
    }

    fn release(&mut self, _slot: usize) {
        self.released.set(self.released.get() + 1);
    }
}

type Pipeline = GpuPosePipeline<ScriptedGpu>;

fn pipeline(mode: Mode) -> (Pipeline, Rc<RefCell<Vec<Started>>>) {
    let started = Rc::new(RefCell::new(Vec::new()));
    let gpu = ScriptedGpu {
        shown: [0; SLOTS],
        has_region: false,
        started: started.clone(),
        released: Rc::default(),
    };
    let now = Cell::new(0.0);
    let clock = Box::new(move || now.replace(now.get() + 1.0));
    (GpuPosePipeline::new(gpu, mode, clock), started)
}

fn submit(pipeline: &mut Pipeline, picture: u8, millis: i64) -> Result<(), PipelineError> {
    pipeline.submit(picture, Timestamp::from_micros(millis * 1000))
}

fn receive(pipeline: &mut Pipeline) -> Result<FrameResult, PipelineError> {
    let mut future = std::pin::pin!(pipeline.receive());
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a scripted GPU answers at once"),
    }
}

/// Lets the oldest frame take one step.
fn step(pipeline: &mut Pipeline) -> Option<FrameResult> {
    let reading = pipeline.take_reading().expect("a frame is on its way");
    pipeline.accept(reading.into_inner()).expect("the GPU runs")
}

#[test]
fn a_followed_frame_is_submitted_before_the_one_before_it_is_read() {
    let (mut pipeline, started) = pipeline(Mode::Tracking);
    submit(&mut pipeline, 1, 0).expect("room");
    submit(&mut pipeline, 1, 33).expect("room");
    let (find, look) = (Model::Detector, Model::Landmarks);
    assert_eq!(
        started.borrow()[..],
        [(find, 0, flag::SEED)],
        "the second waits for a region"
    );
    assert!(submit(&mut pipeline, 1, 66).is_err(), "two are on their way");
    assert_eq!(step(&mut pipeline), None);
    // The first region goes with its frame; the second frame follows at once, unread.
    let seeded = (look, 0, flag::SEED | flag::FORGET);
    assert_eq!(started.borrow()[1..], [seeded, (look, 1, 0)]);
    assert!(step(&mut pipeline).is_some_and(|result| result.pose.is_some()));
    submit(&mut pipeline, 1, 66).expect("room");
    assert_eq!(
        started.borrow()[3..],
        [(look, 2, 0)],
        "the second frame is not read yet"
    );
    assert_eq!(pipeline.in_flight(), 2);
    assert!(step(&mut pipeline).is_some() && step(&mut pipeline).is_some());
    assert!(pipeline.take_reading().is_none());
    assert!(receive(&mut pipeline).is_err());
}

#[test]
fn a_frame_that_was_sent_too_early_goes_through_the_detector() {
    let (find, look) = (Model::Detector, Model::Landmarks);
    for (picture, has_pose, forget) in [(0, false, flag::FORGET), (2, true, flag::FORGET), (3, true, 0)] {
        let (mut pipeline, started) = pipeline(Mode::Tracking);
        submit(&mut pipeline, 1, 0).expect("room");
        receive(&mut pipeline).expect("a result");
        started.borrow_mut().clear();
        submit(&mut pipeline, picture, 33).expect("room");
        submit(&mut pipeline, 1, 66).expect("room");
        let lost = receive(&mut pipeline).expect("a result");
        assert_eq!(lost.pose.is_some(), has_pose, "picture {picture}");
        // At once: what it read back is not waited for.
        assert_eq!(
            started.borrow()[2..],
            [(find, 2, flag::SEED)],
            "picture {picture}"
        );
        let found = receive(&mut pipeline).expect("a result");
        assert!(found.pose.is_some() && found.timings.detector_millis.is_some());
        let expected = [
            (look, 1, 0),
            (look, 2, 0),
            (find, 2, flag::SEED),
            (look, 2, flag::SEED | forget),
        ];
        assert_eq!(started.borrow()[..], expected, "picture {picture}");
    }
}

/// However frames overlap, results are those of frames one by one.
#[test]
fn overlap_changes_no_result() {
    let mut seed = 7_u32;
    for round in 0..200 {
        let mut draw = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % below
        };
        let pictures: Vec<u8> = (0..20).map(|_| [1, 1, 1, 1, 0, 2, 3][draw(7) as usize]).collect();
        let run = |overlaps: &mut dyn FnMut() -> bool| {
            let (mut pipeline, _) = pipeline(Mode::Tracking);
            let mut poses = Vec::new();
            for (frame, &picture) in pictures.iter().enumerate() {
                if frame == 12 {
                    pipeline.reset();
                }
                submit(&mut pipeline, picture, 33 * frame as i64).expect("room");
                while !pipeline.has_room() || (pipeline.in_flight() > 0 && !overlaps()) {
                    poses.push(receive(&mut pipeline).expect("a result").pose);
                }
            }
            while pipeline.in_flight() > 0 {
                poses.push(receive(&mut pipeline).expect("a result").pose);
            }
            poses
        };
        let one_by_one = run(&mut || false);
        assert_eq!(run(&mut || true), one_by_one, "round {round}");
        assert_eq!(run(&mut || draw(2) == 0), one_by_one, "round {round}");
    }
}

#[test]
fn static_frames_stand_alone() {
    let (mut pipeline, started) = pipeline(Mode::Static);
    for frame in 0..3 {
        submit(&mut pipeline, 1, 33 * i64::from(frame)).expect("room");
        let result = receive(&mut pipeline).expect("a result");
        let pose = result.pose.expect("a person");
        assert_eq!(pose.landmarks[0].x_px, 33.0 * frame as f32, "nothing is smoothed");
    }
    let models: Vec<Model> = started.borrow().iter().map(|(model, ..)| *model).collect();
    assert_eq!(models, [Model::Detector, Model::Landmarks].repeat(3));
}

#[test]
fn tracking_smooths_what_is_shown() {
    let (mut pipeline, _) = pipeline(Mode::Tracking);
    let mut x_px = |picture, millis| {
        submit(&mut pipeline, picture, millis).expect("room");
        receive(&mut pipeline)
            .expect("a result")
            .pose
            .map(|pose| pose.landmarks[0].x_px)
    };
    assert_eq!(x_px(1, 0), Some(0.0));
    assert!(x_px(1, 40).is_some_and(|x| x > 0.0 && x < 40.0));
    assert_eq!(x_px(0, 80), None);
    assert_eq!(x_px(1, 120), Some(120.0), "a new person");
}

#[test]
fn a_failing_gpu_forgets_its_frames_and_may_be_tried_again() {
    let (mut pipeline, _) = pipeline(Mode::Tracking);
    let released = pipeline.gpu().released.clone();
    submit(&mut pipeline, 1, 0).expect("room");
    receive(&mut pipeline).expect("a result");
    submit(&mut pipeline, 1, 33).expect("room");
    let error = submit(&mut pipeline, 9, 66).expect_err("the GPU breaks");
    assert_eq!(error.to_string(), "the landmark model did not run: device lost");
    assert_eq!((pipeline.in_flight(), released.get()), (0, 3));
    submit(&mut pipeline, 1, 99).expect("room");
    assert!(receive(&mut pipeline).expect("a result").pose.is_some());

    submit(&mut pipeline, 1, 132).expect("room");
    assert!(
        pipeline.accept(Ok(vec![0.0; 3])).is_err(),
        "words of another layout"
    );
    assert_eq!(pipeline.in_flight(), 0);
    assert_eq!(pipeline.accept(Ok(Vec::new())), Ok(None), "nobody waits for it");
}
