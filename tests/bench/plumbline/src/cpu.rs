//! One model on the CPU.

use js_sys::{Array, Float32Array};
use plumbline_pipeline::Inference;
use plumbline_team::lead::{Lead, ModelFile, State, Terms};
use plumbline_team::mate;
use plumbline_team::model::SharedModel;
use plumbline_web::platform::page::now_millis;
use wasm_bindgen::prelude::*;
use web_sys::DedicatedWorkerGlobalScope;

use crate::{plan, thrown};

/// A model with packed weights, ready to run on the calling thread, and on a mate's where one was started.
#[wasm_bindgen]
pub struct CpuModel {
    model: SharedModel,
    lead: Lead,
    outputs: Vec<String>,
}

/// In a worker that a model has started as its mate: serves it.
#[wasm_bindgen(js_name = serveAsMate)]
pub fn serve_as_mate(scope: &DedicatedWorkerGlobalScope) {
    mate::serve(scope);
}

#[wasm_bindgen]
impl CpuModel {
    /// Reads a TFLite model or a graph file, with the feature `onnx` an ONNX file too, and plans the named outputs; all of
    /// them where no name is given.
    ///
    /// # Errors
    /// What the engine says of the bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], outputs: Vec<String>) -> Result<CpuModel, JsError> {
        let (plan, outputs) = plan(bytes, &outputs).map_err(thrown)?;
        let lead = Lead::alone(Box::new(now_millis));
        Ok(Self {
            model: SharedModel::new(plan, lead.clone(), false).map_err(thrown)?,
            lead,
            outputs,
        })
    }

    /// Starts a mate from a script that calls `serveAsMate`; runs are shared once [`Self::is_shared`].
    #[wasm_bindgen(js_name = startMate)]
    pub fn start_mate(&self, address: &str, bytes: &[u8]) {
        let outputs: Vec<&str> = self.outputs.iter().map(String::as_str).collect();
        let file = ModelFile {
            bytes,
            outputs: &outputs,
            deferred: &[],
        };
        self.lead.start_mate(address, Terms::Always, &[file]);
    }

    /// Whether runs are shared with the mate by now.
    ///
    /// # Errors
    /// When they never will be.
    #[wasm_bindgen(getter, js_name = isShared)]
    pub fn is_shared(&self) -> Result<bool, JsError> {
        match self.lead.state() {
            State::Ready => Ok(true),
            State::Starting => Ok(false),
            State::Alone | State::NotWorthIt(_) => {
                Err(JsError::new("this page shares no memory with workers"))
            }
            State::Failed(what) => Err(JsError::new(&what)),
        }
    }

    /// Ends the mate.
    #[wasm_bindgen(js_name = dismissMate)]
    pub fn dismiss_mate(&self) {
        self.lead.dismiss();
    }

    /// One run: dense f32 in, images of ONNX files as the file has them, others NHWC; one `Float32Array` for each output out, in the order of the names.
    ///
    /// # Errors
    /// When the input has another length than the model's.
    pub fn run(&mut self, input: &Float32Array) -> Result<Array, JsError> {
        let place = self.model.input_mut();
        if input.length() as usize != place.len() {
            return Err(JsError::new(&format!(
                "the model takes {} numbers, {} were given",
                place.len(),
                input.length()
            )));
        }
        input.copy_to(place);
        self.model.run_now();
        let outputs = self.outputs.iter();
        Ok(outputs
            .map(|name| JsValue::from(Float32Array::from(self.model.output(name).unwrap_or_default())))
            .collect())
    }
}
