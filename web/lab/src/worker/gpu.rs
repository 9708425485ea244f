//! A model of any kind on WebGPU.

use plumbline_engine::element::Element;
use plumbline_engine::gpu::record;
use plumbline_engine::plan::Plan;
use plumbline_pipeline::{Inference, InferenceError};
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

/// A model on a device behind the pipeline's interface: pictures go in, outputs are read by name.
pub struct GpuInference {
    model: GpuModel,
    input: Vec<f32>,
    /// Of the last run.
    outputs: Vec<Output>,
}

struct Output {
    name: String,
    numbers: Numbers,
}

enum Numbers {
    Floats(Vec<f32>),
    Words(Vec<u32>),
}

impl GpuInference {
    /// Records a plan and loads it.
    ///
    /// # Errors
    /// What the engine or the device refuses.
    pub async fn load(device: &GpuDevice, plan: &Plan) -> Result<Self, String> {
        let input = plan.graph.inputs.first();
        let len = input.map_or(0, |&id| plan.graph.shape(id).iter().product());
        Ok(Self {
            model: GpuModel::load(device, plan).await?,
            input: vec![0.0; len],
            outputs: Vec::new(),
        })
    }

    fn numbers(&self, name: &str) -> Option<&Numbers> {
        let output = self.outputs.iter().find(|output| output.name == name);
        output.map(|output| &output.numbers)
    }
}

impl Inference for GpuInference {
    fn input_mut(&mut self) -> &mut [f32] {
        &mut self.input
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        let words = self.input.iter().map(|number| number.to_bits()).collect();
        let answers = self.model.run(&[words]).await.map_err(InferenceError::new)?;
        let outputs = answers.into_iter().map(|answer| Output {
            name: answer.name,
            numbers: match answer.element {
                Element::F32 => Numbers::Floats(answer.words.into_iter().map(f32::from_bits).collect()),
                Element::I32 | Element::U32 | Element::Bool => Numbers::Words(answer.words),
            },
        });
        self.outputs = outputs.collect();
        Ok(())
    }

    fn output(&self, name: &str) -> Option<&[f32]> {
        match self.numbers(name)? {
            Numbers::Floats(floats) => Some(floats),
            Numbers::Words(_) => None,
        }
    }

    fn output_words(&self, name: &str) -> Option<&[u32]> {
        match self.numbers(name)? {
            Numbers::Words(words) => Some(words),
            Numbers::Floats(_) => None,
        }
    }
}
