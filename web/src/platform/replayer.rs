//! The Rust side of `replayer.js`: a WebGPU device, and one model on it.

use js_sys::{Array, Float32Array, Object, Promise, Reflect, Uint8Array, Uint32Array};
use plumbline_engine::gpu::{Recording, record};
use plumbline_engine::plan::Plan;
use plumbline_pipeline::{Inference, InferenceError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::failure::message_of;

#[wasm_bindgen(module = "/src/platform/replayer.js")]
extern "C" {
    /// A device with everything that lives on it.
    #[derive(Clone)]
    pub type GpuDevice;

    #[wasm_bindgen(static_method_of = GpuDevice, js_name = open)]
    fn open_promise() -> Promise;

    #[wasm_bindgen(method, js_name = load)]
    fn load_promise(this: &GpuDevice, recording: &Object) -> Promise;

    #[wasm_bindgen(method, js_name = destroy)]
    fn destroy_device(this: &GpuDevice);

    /// One model on a device.
    pub type Replayer;

    #[wasm_bindgen(method, js_name = run)]
    fn run_promise(this: &Replayer, input: &Float32Array) -> Promise;
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

    /// Gives the device back, and all models on it.
    pub fn close(&self) {
        self.destroy_device();
    }
}

/// A model on the GPU. Its input lies in WebAssembly's memory until a run writes it to the GPU.
pub struct GpuInference {
    replayer: Replayer,
    input: Vec<f32>,
    /// All outputs of the last run, as the recording lays them out.
    outputs: Vec<f32>,
    /// Name, start and length of each output.
    places: Vec<(String, usize, usize)>,
}

impl GpuInference {
    /// Records a plan and loads it onto a device; shaders compile in parallel.
    ///
    /// # Errors
    /// What the engine or the device refuses.
    pub async fn load(device: &GpuDevice, plan: &Plan) -> Result<Self, String> {
        let recording = record(plan).map_err(|error| error.to_string())?;
        let loaded = JsFuture::from(device.load_promise(&to_js(&recording))).await;
        let replayer = loaded.map_err(|thrown| message_of(&thrown))?.unchecked_into();
        let input_len = recording.inputs.first().map_or(0, |port| port.len);
        let floats = size_of::<f32>();
        let places = recording.outputs.iter().map(|port| {
            (
                port.name.clone(),
                port.read_back_offset as usize / floats,
                port.len,
            )
        });
        Ok(Self {
            replayer,
            input: vec![0.0; input_len],
            outputs: vec![0.0; recording.read_back_bytes as usize / floats],
            places: places.collect(),
        })
    }
}

impl Inference for GpuInference {
    fn input_mut(&mut self) -> &mut [f32] {
        &mut self.input
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        let promise = self.replayer.run_promise(&Float32Array::from(&self.input[..]));
        let outputs = JsFuture::from(promise)
            .await
            .map_err(|thrown| InferenceError::new(message_of(&thrown)))?;
        let outputs: Float32Array = outputs.unchecked_into();
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

/// The object that `GpuDevice.load` documents.
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
    let contents = recording
        .buffers
        .iter()
        .map(|buffer| JsValue::from(Uint8Array::from(&buffer.contents[..])));
    set("contents", contents.collect::<Array>().into());
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
