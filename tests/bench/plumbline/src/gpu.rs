//! One model as a GPU recording, in the form that `web/src/platform/replayer.js` documents.

use js_sys::{Array, Uint8Array, Uint32Array};
use plumbline_engine::gpu::{Port, Recording, record};
use wasm_bindgen::prelude::*;

use crate::{plan, thrown};

/// The recording of one model. The getters carry the names of the replayer's `Recording`, so an instance can be given
/// to `GpuDevice.load` as it is.
#[wasm_bindgen]
pub struct GpuModel {
    recording: Recording,
}

#[wasm_bindgen]
impl GpuModel {
    /// Reads a TFLite model and records the named outputs; all of them where no name is given.
    ///
    /// # Errors
    /// What the engine says of the bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], outputs: Vec<String>) -> Result<GpuModel, JsError> {
        let (plan, _) = plan(bytes, &outputs).map_err(thrown)?;
        Ok(Self {
            recording: record(&plan).map_err(thrown)?,
        })
    }

    /// Per output: where it starts among the numbers read back, and how many it has.
    #[wasm_bindgen(getter)]
    pub fn places(&self) -> Vec<u32> {
        let ports = self.recording.outputs.iter();
        ports.flat_map(|port| place(port).map(|n| n as u32)).collect()
    }

    /// WGSL texts.
    #[wasm_bindgen(getter)]
    pub fn shaders(&self) -> Vec<String> {
        let shaders = self.recording.shaders.iter();
        shaders.map(|shader| shader.text.clone()).collect()
    }

    /// One for each shader.
    #[wasm_bindgen(getter)]
    pub fn labels(&self) -> Vec<String> {
        let shaders = self.recording.shaders.iter();
        shaders.map(|shader| shader.label.clone()).collect()
    }

    /// Per shader: number of bindings, then four bits for the kind of each.
    #[wasm_bindgen(getter)]
    pub fn layouts(&self) -> Uint32Array {
        Uint32Array::from(&self.recording.layout_words()[..])
    }

    /// Size of each buffer.
    #[wasm_bindgen(getter, js_name = bufferBytes)]
    pub fn buffer_bytes(&self) -> Uint32Array {
        let sizes: Vec<u32> = self
            .recording
            .buffers
            .iter()
            .map(|buffer| buffer.bytes as u32)
            .collect();
        Uint32Array::from(&sizes[..])
    }

    /// What each buffer holds at first.
    #[wasm_bindgen(getter)]
    pub fn contents(&self) -> Array {
        let buffers = self.recording.buffers.iter();
        buffers
            .map(|buffer| JsValue::from(Uint8Array::from(&buffer.contents[..])))
            .collect()
    }

    /// Per group: shader, number of ranges, then buffer, offset and bytes of each.
    #[wasm_bindgen(getter, js_name = bindGroups)]
    pub fn bind_groups(&self) -> Uint32Array {
        Uint32Array::from(&self.recording.bind_group_words()[..])
    }

    /// Per dispatch: shader, bind group, workgroups along x, y, z.
    #[wasm_bindgen(getter)]
    pub fn commands(&self) -> Uint32Array {
        Uint32Array::from(&self.recording.commands()[..])
    }

    /// Per input: buffer, offset in it, number of f32.
    #[wasm_bindgen(getter)]
    pub fn inputs(&self) -> Uint32Array {
        Uint32Array::from(&self.recording.input_words()[..])
    }

    /// Per output: buffer, offset in it, offset in the read-back buffer, number of f32.
    #[wasm_bindgen(getter)]
    pub fn outputs(&self) -> Uint32Array {
        Uint32Array::from(&self.recording.output_words()[..])
    }

    /// Size of a read-back buffer.
    #[wasm_bindgen(getter, js_name = readBackBytes)]
    pub fn read_back_bytes(&self) -> f64 {
        self.recording.read_back_bytes as f64
    }
}

/// Start and length of an output among the numbers read back.
fn place(port: &Port) -> [usize; 2] {
    [port.read_back_offset as usize / size_of::<f32>(), port.len]
}
