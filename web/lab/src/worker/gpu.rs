//! A model of any kind on WebGPU.

use plumbline_engine::element::Element;
use plumbline_engine::gpu::record;
use plumbline_engine::plan::Plan;
use plumbline_web::live::backend::Adapter;
use plumbline_web::platform::replayer::{GpuDevice, GpuTensors};

use crate::self_test::Answer;

/// Opens the fastest adapter, and says what it is.
///
/// # Errors
/// A sentence.
pub async fn open_gpu() -> Result<(GpuDevice, Adapter), String> {
    let device = GpuDevice::open().await?;
    let adapter = device.probe().adapter().ok_or("WebGPU offers no adapter here.")?;
    Ok((device, adapter))
}

/// A model on a device.
pub struct GpuModel {
    tensors: GpuTensors,
    /// Name and element of each output.
    outputs: Vec<(String, Element)>,
}

impl GpuModel {
    /// Records a plan and loads it.
    ///
    /// # Errors
    /// What the engine or the device refuses.
    pub async fn load(device: &GpuDevice, plan: &Plan) -> Result<Self, String> {
        let recording = record(plan).map_err(|error| error.to_string())?;
        let outputs = plan.graph.outputs.iter().map(|&id| plan.graph.value(id));
        Ok(Self {
            tensors: GpuTensors::load(device, &recording).await?,
            outputs: outputs.map(|value| (value.name.clone(), value.element)).collect(),
        })
    }

    /// One run.
    ///
    /// # Errors
    /// What the device refuses.
    pub async fn run(&self, inputs: &[Vec<u32>]) -> Result<Vec<Answer>, String> {
        let words = self.tensors.run(inputs).await?;
        let outputs = self.outputs.iter().zip(words);
        Ok(outputs
            .map(|((name, element), words)| Answer {
                name: name.clone(),
                element: *element,
                words,
            })
            .collect())
    }
}
