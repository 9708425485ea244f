//! A model with inputs and the outputs that are expected of them, as ONNX writes them.

use plumbline_engine::ModelError;
use plumbline_engine::onnx::{tensors, wire};
use plumbline_engine::tensor::Tensor;

use crate::compare::Tolerance;

/// A case, not yet read: each value is the bytes of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// As the suite calls it: `test_abs`.
    pub name: String,
    /// How far results may be off.
    pub tolerance: Tolerance,
    /// The model.
    pub model: Vec<u8>,
    /// The values of the graph's inputs that have none in the file, in their order.
    pub inputs: Vec<Vec<u8>>,
    /// What is expected of the graph's outputs, in their order.
    pub outputs: Vec<Vec<u8>>,
}

impl Case {
    /// The inputs as tensors.
    ///
    /// # Errors
    /// Why a value is no tensor of this engine.
    pub fn read_inputs(&self) -> Result<Vec<Tensor>, ModelError> {
        read(&self.inputs, "input")
    }

    /// The expected outputs as tensors.
    ///
    /// # Errors
    /// As [`Case::read_inputs`].
    pub fn read_outputs(&self) -> Result<Vec<Tensor>, ModelError> {
        read(&self.outputs, "output")
    }
}

fn read(values: &[Vec<u8>], side: &str) -> Result<Vec<Tensor>, ModelError> {
    let values = values.iter().enumerate();
    let tensors = values.map(|(index, bytes)| {
        wire::read_tensor(bytes).and_then(|tensor| tensors::read(tensor, &format!("{side} {index}")))
    });
    tensors.collect()
}
