//! wonnx as a peer of the bench page: an ONNX model from its bytes, then numbers in and numbers out.

use std::collections::HashMap;

use js_sys::{Array, Float32Array};
use wasm_bindgen::prelude::*;
use wonnx::utils::{InputTensor, OutputTensor};
use wonnx::Session;

/// A model on a GPU device of its own.
#[wasm_bindgen]
pub struct Model {
    session: Session,
    input: String,
}

#[wasm_bindgen]
impl Model {
    /// Reads an ONNX model whose input has this name, and compiles its shaders.
    ///
    /// # Errors
    /// What wonnx says of the bytes. Where there is no adapter, wonnx panics.
    pub async fn open(bytes: Vec<u8>, input: String) -> Result<Model, JsError> {
        let session = Session::from_bytes(&bytes).await?;
        Ok(Self { session, input })
    }

    /// One run: dense f32 in, one `Float32Array` for each output out.
    ///
    /// # Errors
    /// What wonnx says of the input or of the model.
    pub async fn run(&self, input: Float32Array) -> Result<Array, JsError> {
        let inputs = HashMap::from([(self.input.clone(), InputTensor::F32(input.to_vec().into()))]);
        let outputs = self.session.run(&inputs).await?;
        outputs
            .into_values()
            .map(|output| match output {
                OutputTensor::F32(values) => Ok(JsValue::from(Float32Array::from(&values[..]))),
                _ => Err(JsError::new("an output does not hold f32")),
            })
            .collect()
    }
}
