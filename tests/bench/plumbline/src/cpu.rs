//! One model on the CPU.

use js_sys::{Array, Float32Array};
use plumbline_engine::cpu::Session;
use wasm_bindgen::prelude::*;

use crate::{plan, thrown};

/// A model with packed weights, ready to run on the calling thread.
#[wasm_bindgen]
pub struct CpuModel {
    session: Session,
    outputs: Vec<String>,
}

#[wasm_bindgen]
impl CpuModel {
    /// Reads a TFLite model and plans the named outputs; all of them where no name is given.
    ///
    /// # Errors
    /// What the engine says of the bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], outputs: Vec<String>) -> Result<CpuModel, JsError> {
        let (plan, outputs) = plan(bytes, &outputs).map_err(thrown)?;
        Ok(Self {
            session: Session::new(plan).map_err(thrown)?,
            outputs,
        })
    }

    /// One run: dense NHWC f32 in, one `Float32Array` for each output out, in the order of the names.
    ///
    /// # Errors
    /// When the input has another length than the model's.
    pub fn run(&mut self, input: &Float32Array) -> Result<Array, JsError> {
        let place = self.session.input_mut(0);
        if input.length() as usize != place.len() {
            return Err(JsError::new(&format!(
                "the model takes {} numbers, {} were given",
                place.len(),
                input.length()
            )));
        }
        input.copy_to(place);
        self.session.run();
        let outputs = self.outputs.iter();
        Ok(outputs
            .map(|name| JsValue::from(Float32Array::from(self.session.output(name).unwrap_or_default())))
            .collect())
    }
}
