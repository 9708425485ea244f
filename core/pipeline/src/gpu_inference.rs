//! A model on the GPU of this machine, through the engine's native replayer (feature `native`).

use plumbline_engine::gpu::native::{Gpu, GpuError, Outputs, Replayer};
use plumbline_engine::gpu::record;
use plumbline_engine::plan::Plan;

use crate::inference::{Inference, InferenceError};

/// A model whose recording is replayed by wgpu; [`Inference::run`] blocks until the numbers have been read back.
pub struct GpuInference {
    replayer: Replayer,
    input: Vec<f32>,
    outputs: Outputs,
}

impl GpuInference {
    /// Records the plan, uploads its weights, compiles its kernels and runs it once on zeros, so that outputs have
    /// their lengths and the first frame is not slower than the others.
    ///
    /// # Errors
    /// What the recorder does not support or the GPU refuses.
    pub fn new(gpu: &Gpu, plan: &Plan) -> Result<Self, InferenceError> {
        let recording = record(plan).map_err(|error| InferenceError::new(error.to_string()))?;
        let [input] = recording.inputs.as_slice() else {
            return Err(InferenceError::new(format!(
                "the model has {} inputs, not one",
                recording.inputs.len()
            )));
        };
        let input = vec![0.0; input.len];
        let mut replayer = Replayer::new(gpu, recording).map_err(said)?;
        let outputs = replayer.run(&[&input]).map_err(said)?;
        Ok(Self {
            replayer,
            input,
            outputs,
        })
    }
}

impl Inference for GpuInference {
    fn input_mut(&mut self) -> &mut [f32] {
        &mut self.input
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        self.outputs = self.replayer.run(&[&self.input]).map_err(said)?;
        Ok(())
    }

    fn output(&self, name: &str) -> Option<&[f32]> {
        self.outputs.get(name)
    }
}

fn said(error: GpuError) -> InferenceError {
    InferenceError::new(error.to_string())
}
