//! The Rust side of `replayer.js`: a WebGPU device, and both models on it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::{Array, Float32Array, Object, Promise, Reflect, Uint8Array, Uint32Array};
use plumbline_core::geometry::ImageSize;
use plumbline_engine::gpu::Recording;
use plumbline_engine::plan::Plan;
use plumbline_pipeline::InferenceError;
use plumbline_pipeline::gpu::program::{detector_program, landmark_program};
use plumbline_pipeline::gpu::{FrameGpu, Model, SLOTS, View};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::failure::message_of;
use super::gpu_probe::describe;
use super::picture::Picture;
use crate::live::backend::GpuProbe;

/// What of a buffer's first contents is copied at once.
const UPLOAD_BYTES: usize = 32 << 20;

#[wasm_bindgen(module = "/src/platform/replayer.js")]
extern "C" {
    /// A device with everything that lives on it.
    #[derive(Clone)]
    pub type GpuDevice;

    #[wasm_bindgen(static_method_of = GpuDevice, js_name = open)]
    fn open_promise() -> Promise;

    #[wasm_bindgen(method, js_name = load)]
    fn load_promise(
        this: &GpuDevice,
        recording: &Object,
        contents_of: &dyn Fn(usize, usize) -> Uint8Array,
    ) -> Promise;

    #[wasm_bindgen(method, js_name = canImportFrames)]
    fn can_import_frames_promise(this: &GpuDevice) -> Promise;

    #[wasm_bindgen(method, js_name = createSlot)]
    fn create_slot(this: &GpuDevice, imports: bool) -> PictureSlot;

    #[wasm_bindgen(method, js_name = destroy)]
    fn destroy_device(this: &GpuDevice);

    /// One model on a device.
    pub type Replayer;

    #[wasm_bindgen(method, js_name = start)]
    fn start_promise(this: &Replayer, slot: &PictureSlot, input: &Float32Array) -> Promise;

    #[wasm_bindgen(method, variadic, js_name = run)]
    fn run_promise(this: &Replayer, inputs: &Array) -> Promise;

    /// A place for one picture on a device.
    type PictureSlot;

    #[wasm_bindgen(method, catch)]
    fn show(this: &PictureSlot, picture: &JsValue, width: u32, height: u32) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    fn release(this: &PictureSlot);
}

impl GpuDevice {
    /// Opens the fastest adapter.
    ///
    /// # Errors
    /// What the browser says.
    pub async fn open() -> Result<Self, String> {
        let device = JsFuture::from(Self::open_promise())
            .await
            .map_err(|thrown| message_of(&thrown))?;
        Ok(device.unchecked_into())
    }

    /// What the adapter behind it is.
    pub fn probe(&self) -> GpuProbe {
        describe(self.as_ref())
    }

    /// How frames can be looked at here: where the browser's decoder left them, or as copies.
    ///
    /// # Errors
    /// The device has not survived the question, as happens where graphics and WebGPU run on different drivers.
    pub async fn view_of_frames(&self) -> Result<View, String> {
        match JsFuture::from(self.can_import_frames_promise()).await {
            Ok(answer) if answer.is_truthy() => Ok(View::External),
            Ok(_) => Ok(View::Texture),
            Err(thrown) => Err(message_of(&thrown)),
        }
    }

    /// Hands a recording over; all of it is read before this returns.
    fn begin_to_load(&self, recording: &Recording) -> Promise {
        self.load_promise(&to_js(recording), &|buffer, from| {
            let contents = recording.buffers.get(buffer).map(|buffer| &*buffer.contents);
            let rest = contents
                .and_then(|contents| contents.get(from..))
                .unwrap_or_default();
            Uint8Array::from(&rest[..rest.len().min(UPLOAD_BYTES)])
        })
    }

    /// Gives the device back, and all models on it.
    pub fn close(&self) {
        self.destroy_device();
    }
}

/// Both models on a device, and the pictures of the frames on their way.
pub struct GpuFrames {
    detector: Replayer,
    landmarks: Replayer,
    slots: [PictureSlot; SLOTS],
}

impl GpuFrames {
    /// Loads both models onto a device, to look at frames as `view` says; all shaders compile in parallel.
    ///
    /// # Errors
    /// What the engine or the device refuses.
    pub async fn load(
        device: &GpuDevice,
        detector: &Plan,
        landmarks: &Plan,
        view: View,
    ) -> Result<Self, String> {
        let detector = detector_program(detector, view).map_err(|error| error.to_string())?;
        let landmarks = landmark_program(landmarks, view).map_err(|error| error.to_string())?;
        // Both are under way before either is waited for.
        let loading = [detector, landmarks].map(|recording| device.begin_to_load(&recording));
        let [detector, landmarks] = loading.map(JsFuture::from);
        let detector = detector.await.map_err(|thrown| message_of(&thrown))?;
        let landmarks = landmarks.await.map_err(|thrown| message_of(&thrown))?;
        Ok(Self {
            detector: detector.unchecked_into(),
            landmarks: landmarks.unchecked_into(),
            slots: std::array::from_fn(|_| device.create_slot(view == View::External)),
        })
    }
}

/// A model on a device that takes and gives tensors, each as words of 32 bits.
pub struct GpuTensors {
    replayer: Replayer,
    /// Where each output begins in what is read back, and how many words it has.
    outputs: Vec<(usize, usize)>,
}

impl GpuTensors {
    /// Loads a recording onto a device.
    ///
    /// # Errors
    /// What the device refuses.
    pub async fn load(device: &GpuDevice, recording: &Recording) -> Result<Self, String> {
        let loaded = JsFuture::from(device.begin_to_load(recording)).await;
        let outputs = recording.outputs.iter();
        Ok(Self {
            replayer: loaded.map_err(|thrown| message_of(&thrown))?.unchecked_into(),
            outputs: outputs
                .map(|port| (port.read_back_offset as usize / 4, port.len))
                .collect(),
        })
    }

    /// One run: the outputs, in the recording's order.
    ///
    /// # Errors
    /// What the device refuses.
    pub async fn run(&self, inputs: &[Vec<u32>]) -> Result<Vec<Vec<u32>>, String> {
        // The replayer copies words and does not look at them.
        let inputs = inputs.iter().map(|words| {
            let buffer = Uint32Array::from(&words[..]).buffer();
            JsValue::from(Float32Array::new(&buffer))
        });
        let read = JsFuture::from(self.replayer.run_promise(&inputs.collect())).await;
        let read: Float32Array = read.map_err(|thrown| message_of(&thrown))?.unchecked_into();
        let words = Uint32Array::new(&read.buffer()).to_vec();
        let outputs = self.outputs.iter();
        Ok(outputs
            .map(|&(start, len)| words.get(start..start + len).unwrap_or_default().to_vec())
            .collect())
    }
}

impl FrameGpu for GpuFrames {
    type Picture<'a> = &'a Picture;
    type Reading = GpuReading;

    fn show(&mut self, slot: usize, picture: &Picture) -> Result<ImageSize, InferenceError> {
        let image = picture.size();
        self.slots[slot]
            .show(picture.as_js(), image.width_px, image.height_px)
            .map_err(|thrown| InferenceError::new(message_of(&thrown)))?;
        Ok(image)
    }

    fn start(
        &mut self,
        model: Model,
        slot: usize,
        parameters: &[f32],
    ) -> Result<Self::Reading, InferenceError> {
        let replayer = match model {
            Model::Detector => &self.detector,
            Model::Landmarks => &self.landmarks,
        };
        let promise = replayer.start_promise(&self.slots[slot], &Float32Array::from(parameters));
        Ok(GpuReading(JsFuture::from(promise)))
    }

    fn release(&mut self, slot: usize) {
        self.slots[slot].release();
    }
}

/// What a run reads back, when the GPU has come so far.
pub struct GpuReading(JsFuture);

impl Future for GpuReading {
    type Output = Result<Vec<f32>, InferenceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|read| match read {
            Ok(words) => Ok(words.unchecked_into::<Float32Array>().to_vec()),
            Err(thrown) => Err(InferenceError::new(message_of(&thrown))),
        })
    }
}

/// The object that `GpuDevice.load` documents, without contents.
fn to_js(recording: &Recording) -> Object {
    let object = Object::new();
    let set = |name: &str, value: JsValue| {
        Reflect::set(&object, &name.into(), &value).expect("a new object takes any member");
    };
    let words = |words: Vec<u32>| JsValue::from(Uint32Array::from(&words[..]));
    set(
        "shaders",
        recording
            .shaders
            .iter()
            .map(|shader| JsValue::from_str(&shader.text))
            .collect::<Array>()
            .into(),
    );
    set(
        "labels",
        recording
            .shaders
            .iter()
            .map(|shader| JsValue::from_str(&shader.label))
            .collect::<Array>()
            .into(),
    );
    set("layouts", words(recording.layout_words()));
    set(
        "bufferBytes",
        words(
            recording
                .buffers
                .iter()
                .map(|buffer| buffer.bytes as u32)
                .collect(),
        ),
    );
    set("bindGroups", words(recording.bind_group_words()));
    set("commands", words(recording.commands()));
    set("inputs", words(recording.input_words()));
    set("outputs", words(recording.output_words()));
    set(
        "readBackBytes",
        JsValue::from_f64(recording.read_back_bytes as f64),
    );
    object
}
