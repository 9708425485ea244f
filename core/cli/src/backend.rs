//! Which hardware runs the models.

use clap::ValueEnum;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::gpu::native::Gpu;
use plumbline_engine::image::Frame;
use plumbline_pipeline::gpu::GpuPosePipeline;
use plumbline_pipeline::gpu::native::NativeFrames;
use plumbline_pipeline::{
    CpuInference, FrameResult, PipelineError, PosePipeline, Target, Variant, plan_detector, plan_landmarks,
};

use crate::Outcome;
use crate::manifest;

/// What the user can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// One core, SIMD.
    Cpu,
    /// Vulkan, Metal or Direct3D through wgpu.
    Gpu,
}

impl Backend {
    /// As it is typed and printed.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Cpu => "cpu",
            Backend::Gpu => "gpu",
        }
    }
}

/// The landmark models, from fast to accurate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LandmarkModel {
    /// 0.2 G multiply-accumulates.
    Lite,
    /// 0.4 G multiply-accumulates.
    Full,
    /// 1.9 G multiply-accumulates.
    Heavy,
}

impl LandmarkModel {
    /// Its name in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            LandmarkModel::Lite => "lite",
            LandmarkModel::Full => "full",
            LandmarkModel::Heavy => "heavy",
        }
    }
}

/// An open backend, ready to take models.
pub enum Device {
    /// The calling thread.
    Cpu,
    /// An adapter of this machine.
    Gpu(Gpu),
}

impl Device {
    /// Opens a backend.
    ///
    /// # Errors
    /// No usable GPU.
    pub fn open(backend: Backend) -> Outcome<Self> {
        match backend {
            Backend::Cpu => Ok(Device::Cpu),
            Backend::Gpu => Gpu::open().map(Device::Gpu).map_err(|error| error.to_string()),
        }
    }

    /// What its plans are made for.
    pub fn target(&self) -> Target {
        match self {
            Device::Cpu => Target::Cpu,
            Device::Gpu(gpu) if gpu.adapter().is_software => Target::Gpu(Variant::SOFTWARE),
            Device::Gpu(_) => Target::Gpu(Variant::HARDWARE),
        }
    }

    /// For people to read: `cpu`, or the adapter's name and driver.
    pub fn description(&self) -> String {
        match self {
            Device::Cpu => "cpu".to_owned(),
            Device::Gpu(gpu) => format!("gpu: {}", gpu.adapter()),
        }
    }
}

/// A pose pipeline on whichever backend was chosen.
pub enum AnyPipeline {
    /// On the calling thread.
    Cpu(Box<PosePipeline<CpuInference>>),
    /// On an adapter.
    Gpu(Box<GpuPosePipeline<NativeFrames>>),
}

impl AnyPipeline {
    /// Finds the person in a frame that was taken at `time`, and waits for the result.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when the backend fails.
    pub async fn process(
        &mut self,
        frame: &Frame<'_>,
        time: Timestamp,
    ) -> Result<FrameResult, PipelineError> {
        match self {
            AnyPipeline::Cpu(pipeline) => pipeline.process(frame, time).await,
            AnyPipeline::Gpu(pipeline) => {
                pipeline.submit(*frame, time)?;
                pipeline.receive().await
            }
        }
    }
}

/// A pose pipeline over the manifest's detector and one of its landmark models.
///
/// # Errors
/// Weights that are missing or not the tested ones, models that the backend cannot run.
pub fn pose_pipeline(device: &Device, model: LandmarkModel, mode: Mode) -> Outcome<AnyPipeline> {
    let named = |name: &'static str| move |error| format!("{name}: {error}");
    let target = device.target();
    let detector = plan_detector(&manifest::read_model("detector")?, target).map_err(named("detector"))?;
    let landmarks =
        plan_landmarks(&manifest::read_model(model.name())?, target).map_err(named(model.name()))?;
    let start = std::time::Instant::now();
    let clock = Box::new(move || start.elapsed().as_secs_f64() * 1e3);
    match device {
        Device::Cpu => {
            let detector = CpuInference::new(detector).map_err(named("detector"))?;
            let landmarks = CpuInference::new(landmarks).map_err(named(model.name()))?;
            PosePipeline::new(detector, landmarks, mode, clock)
                .map(|pipeline| AnyPipeline::Cpu(Box::new(pipeline)))
                .map_err(|error| error.to_string())
        }
        Device::Gpu(gpu) => NativeFrames::new(gpu, &detector, &landmarks)
            .map(|frames| AnyPipeline::Gpu(Box::new(GpuPosePipeline::new(frames, mode, clock))))
            .map_err(|error| error.to_string()),
    }
}
