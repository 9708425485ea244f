//! rten as a peer of the bench page: an ONNX model from its bytes, then numbers in and numbers out.

use js_sys::{Array, Float32Array};
use rten::{Model as RtenModel, NodeId, Value};
use rten_tensor::prelude::*;
use rten_tensor::Tensor;
use wasm_bindgen::prelude::*;

/// A model that is ready to run on the calling thread.
#[wasm_bindgen]
pub struct Model {
    model: RtenModel,
    shape: Vec<usize>,
    outputs: Vec<NodeId>,
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
            outputs: model.output_ids().to_vec(),
            model,
            shape: shape.iter().map(|&n| n as usize).collect(),
        })
    }

    /// Names of the outputs, in the order in which [`Model::run`] returns them.
    #[wasm_bindgen(getter, js_name = outputNames)]
    pub fn output_names(&self) -> Vec<String> {
        let info = |&id: &NodeId| self.model.node_info(id).and_then(|info| info.name().map(str::to_owned));
        self.outputs.iter().map(|id| info(id).unwrap_or_default()).collect()
    }

    /// One run: dense f32 in, one `Float32Array` for each output out.
    ///
    /// # Errors
    /// What rten says of the input or of the model.
    pub fn run(&self, input: &Float32Array) -> Result<Array, JsError> {
        let input = Tensor::from_data(&self.shape[..], input.to_vec());
        let id = self.model.input_ids().first().copied().ok_or_else(|| JsError::new("the model has no input"))?;
        let values = self.model.run(vec![(id, input.view().into())], &self.outputs, None)?;
        values.into_iter().map(|value| numbers(value).map(JsValue::from)).collect()
    }
}

/// An output as an array of JavaScript.
fn numbers(value: Value) -> Result<Float32Array, JsError> {
    let tensor: Tensor<f32> = value.try_into()?;
    Ok(Float32Array::from(&tensor.to_contiguous().data()[..]))
}
