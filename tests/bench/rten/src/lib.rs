//! rten as a peer of the bench page: an ONNX model from its bytes, then numbers in and numbers out.

use js_sys::{Array, Float32Array};
use rten::{Model as RtenModel, Value};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;
use wasm_bindgen::prelude::*;

/// A model that is ready to run on the calling thread.
#[wasm_bindgen]
pub struct Model {
    model: RtenModel,
    shape: Vec<usize>,
}

#[wasm_bindgen]
impl Model {
    /// Reads an ONNX model with one input of this shape.
    ///
    /// # Errors
    /// What rten says of the bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>, shape: &[u32]) -> Result<Model, JsError> {
        let model = RtenModel::load(bytes)?;
        Ok(Self {
            model,
            shape: shape.iter().map(|&n| n as usize).collect(),
        })
    }

    /// One run: dense f32 in, one `Float32Array` for each output out, in the model's order.
    ///
    /// # Errors
    /// What rten says of the input or of the model.
    pub fn run(&self, input: &Float32Array) -> Result<Array, JsError> {
        let input = Tensor::from_data(&self.shape[..], input.to_vec());
        let id = self
            .model
            .input_ids()
            .first()
            .copied()
            .ok_or_else(|| JsError::new("the model has no input"))?;
        let values = self
            .model
            .run(vec![(id, input.view().into())], self.model.output_ids(), None)?;
        values
            .into_iter()
            .map(|value| numbers(value).map(JsValue::from))
            .collect()
    }
}

/// An output as an array of JavaScript.
fn numbers(value: Value) -> Result<Float32Array, JsError> {
    let tensor: Tensor<f32> = value.try_into()?;
    Ok(Float32Array::from(&tensor.to_contiguous().data()[..]))
}
