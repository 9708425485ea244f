//! A model on a GPU of this machine, through the engine's native replayer: numbers go in, numbers are read back.

use plumbline_engine::gpu::native::{Gpu, Outputs, Replayer};
use plumbline_engine::gpu::record;
use plumbline_engine::plan::Plan;

use crate::inference::{Inference, InferenceError};

/// A model on a GPU; [`Inference::run`] waits for it.
pub struct NativeInference {
    replayer: Replayer,
    input: Vec<f32>,
    /// Of the last run.
    outputs: Option<Outputs>,
}

impl NativeInference {
    /// Records a plan, compiles its shaders and loads its weights.
    ///
    /// # Errors
    /// What the engine or the device refuses.
    pub fn new(gpu: &Gpu, plan: &Plan) -> Result<Self, InferenceError> {
        let refused = |error: &dyn std::fmt::Display| InferenceError::new(error.to_string());
        let recording = record(plan).map_err(|error| refused(&error))?;
        let input = plan.graph.inputs.first();
        Ok(Self {
            replayer: Replayer::new(gpu, recording).map_err(|error| refused(&error))?,
            input: vec![0.0; input.map_or(0, |&id| plan.graph.shape(id).iter().product())],
            outputs: None,
        })
    }
}

impl Inference for NativeInference {
    fn input_mut(&mut self) -> &mut [f32] {
        &mut self.input
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        let outputs = self.replayer.run(&[&self.input]);
        self.outputs = Some(outputs.map_err(|error| InferenceError::new(error.to_string()))?);
        Ok(())
    }

    fn output(&self, name: &str) -> Option<&[f32]> {
        self.outputs.as_ref()?.get(name)
    }

    fn output_words(&self, name: &str) -> Option<&[u32]> {
        self.outputs.as_ref()?.get_words(name)
    }
}
