//! A whole frame: pixels in, 33 landmarks out, tracking from the second frame on.

use js_sys::{Float32Array, Function, Promise, Uint8Array};
use plumbline_core::pose::Pose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_pipeline::{
    CpuInference, Inference, InferenceError, PosePipeline, Target, plan_detector, plan_landmarks,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::gpu::GpuModel;
use crate::thrown;

#[wasm_bindgen]
extern "C" {
    /// The stopwatch of page and worker alike.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn now_millis() -> f64;
}

/// The pipeline on the CPU.
#[wasm_bindgen]
pub struct CpuPose {
    tracking: Tracking<CpuInference>,
}

#[wasm_bindgen]
impl CpuPose {
    /// Plans both models.
    ///
    /// # Errors
    /// What the engine says of the bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(detector: &[u8], landmarks: &[u8]) -> Result<CpuPose, JsError> {
        let detector =
            CpuInference::new(plan_detector(detector, Target::Cpu).map_err(thrown)?).map_err(thrown)?;
        let landmarks =
            CpuInference::new(plan_landmarks(landmarks, Target::Cpu).map_err(thrown)?).map_err(thrown)?;
        Ok(Self {
            tracking: Tracking::new(detector, landmarks)?,
        })
    }

    /// Forgets the person.
    pub fn reset(&mut self) {
        self.tracking.pipeline.reset();
    }

    /// Landmarks of a frame as x_px, y_px, visibility; empty where nobody is seen.
    ///
    /// # Errors
    /// When the bytes are not a frame of this size.
    pub async fn measure(
        &mut self,
        rgba: &Uint8Array,
        width_px: usize,
        height_px: usize,
        time_secs: f64,
    ) -> Result<Float32Array, JsError> {
        self.tracking.measure(rgba, width_px, height_px, time_secs).await
    }
}

/// The pipeline on the GPU, through two replayers that JavaScript has loaded.
#[wasm_bindgen]
pub struct GpuPose {
    tracking: Tracking<Replayed>,
}

#[wasm_bindgen]
impl GpuPose {
    /// Joins two recordings with the functions that replay them: `Float32Array` in, a promise of all outputs out.
    ///
    /// # Errors
    /// When the models are not BlazePose's.
    #[wasm_bindgen(constructor)]
    pub fn new(
        detector: &GpuModel,
        run_detector: Function,
        landmarks: &GpuModel,
        run_landmarks: Function,
    ) -> Result<GpuPose, JsError> {
        Ok(Self {
            tracking: Tracking::new(
                Replayed::new(detector, run_detector),
                Replayed::new(landmarks, run_landmarks),
            )?,
        })
    }

    /// Forgets the person.
    pub fn reset(&mut self) {
        self.tracking.pipeline.reset();
    }

    /// As [`CpuPose::measure`].
    ///
    /// # Errors
    /// When the bytes are not a frame of this size, or the GPU refuses.
    pub async fn measure(
        &mut self,
        rgba: &Uint8Array,
        width_px: usize,
        height_px: usize,
        time_secs: f64,
    ) -> Result<Float32Array, JsError> {
        self.tracking.measure(rgba, width_px, height_px, time_secs).await
    }
}

/// A pipeline and the memory that frames are copied into.
struct Tracking<I> {
    pipeline: PosePipeline<I>,
    rgba: Vec<u8>,
}

impl<I: Inference> Tracking<I> {
    fn new(detector: I, landmarks: I) -> Result<Self, JsError> {
        let pipeline =
            PosePipeline::new(detector, landmarks, Mode::Tracking, Box::new(now_millis)).map_err(thrown)?;
        Ok(Self {
            pipeline,
            rgba: Vec::new(),
        })
    }

    async fn measure(
        &mut self,
        rgba: &Uint8Array,
        width_px: usize,
        height_px: usize,
        time_secs: f64,
    ) -> Result<Float32Array, JsError> {
        self.rgba.resize(rgba.length() as usize, 0);
        rgba.copy_to(&mut self.rgba);
        let frame = Frame::packed(&self.rgba, width_px, height_px, PixelFormat::Rgba8).map_err(thrown)?;
        let result = self
            .pipeline
            .process(&frame, Timestamp::from_secs(time_secs))
            .await
            .map_err(thrown)?;
        Ok(Float32Array::from(
            &result.pose.as_ref().map(points).unwrap_or_default()[..],
        ))
    }
}

/// Three numbers a landmark.
fn points(pose: &Pose) -> Vec<f32> {
    let landmarks = pose.landmarks.iter();
    landmarks
        .flat_map(|mark| [mark.x_px, mark.y_px, mark.visibility])
        .collect()
}

/// A recording on the other side of the border: JavaScript replays it.
struct Replayed {
    replay: Function,
    input: Vec<f32>,
    outputs: Vec<f32>,
    places: Vec<(String, usize, usize)>,
}

impl Replayed {
    fn new(model: &GpuModel, replay: Function) -> Self {
        Self {
            replay,
            input: vec![0.0; model.input_len()],
            outputs: vec![0.0; model.read_back_len()],
            places: model.named_places(),
        }
    }
}

impl Inference for Replayed {
    fn input_mut(&mut self) -> &mut [f32] {
        &mut self.input
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        let said = |thrown: JsValue| InferenceError::new(format!("{thrown:?}"));
        let input = Float32Array::from(&self.input[..]);
        let promise: Promise = self
            .replay
            .call1(&JsValue::NULL, &input)
            .map_err(said)?
            .unchecked_into();
        let outputs: Float32Array = JsFuture::from(promise).await.map_err(said)?.unchecked_into();
        if outputs.length() as usize != self.outputs.len() {
            return Err(InferenceError::new(
                "the GPU answered with another number of values than recorded",
            ));
        }
        outputs.copy_to(&mut self.outputs);
        Ok(())
    }

    fn output(&self, name: &str) -> Option<&[f32]> {
        let (_, start, len) = self.places.iter().find(|(known, ..)| known == name)?;
        self.outputs.get(*start..start + len)
    }
}
