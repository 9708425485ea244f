//! Which hardware runs the models.

use std::time::Instant;

use clap::ValueEnum;
use plumbline_core::selfie::SelfieModel;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::gpu::native::Gpu;
use plumbline_engine::image::Frame;
use plumbline_engine::plan::Plan;
use plumbline_pipeline::gpu::native::NativeFrames;
use plumbline_pipeline::gpu::{GpuPeople, GpuPosePipeline};
use plumbline_pipeline::{
    Clock, CpuInference, FrameResult, Inference, InferenceError, MaskPipeline, NativeInference,
    PeoplePipeline, PeopleResult, PipelineError, PosePipeline, Target, Variant, plan_detector,
    plan_landmarks, plan_landmarks_and_mask, plan_selfie,
};

use crate::Outcome;
use crate::manifest;

/// The detector's name in the manifest.
const DETECTOR: &str = "detector";

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

/// A model that somebody brings on whichever backend was chosen.
pub enum UserInference {
    /// On the calling thread.
    Cpu(Box<CpuInference>),
    /// On an adapter.
    Gpu(Box<NativeInference>),
}

impl UserInference {
    /// Loads a plan that was made for this device.
    ///
    /// # Errors
    /// What the engine or the device refuses.
    pub fn new(device: &Device, plan: Plan) -> Outcome<Self> {
        match device {
            Device::Cpu => CpuInference::new(plan)
                .map(|model| Self::Cpu(Box::new(model)))
                .map_err(|error| error.to_string()),
            Device::Gpu(gpu) => NativeInference::new(gpu, &plan)
                .map(|model| Self::Gpu(Box::new(model)))
                .map_err(|error| error.to_string()),
        }
    }
}

impl Inference for UserInference {
    fn input_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Cpu(model) => model.input_mut(),
            Self::Gpu(model) => model.input_mut(),
        }
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        match self {
            Self::Cpu(model) => model.run().await,
            Self::Gpu(model) => model.run().await,
        }
    }

    fn output(&self, name: &str) -> Option<&[f32]> {
        match self {
            Self::Cpu(model) => model.output(name),
            Self::Gpu(model) => model.output(name),
        }
    }

    fn output_words(&self, name: &str) -> Option<&[u32]> {
        match self {
            Self::Cpu(model) => model.output_words(name),
            Self::Gpu(model) => model.output_words(name),
        }
    }
}

/// The manifest's detector on the calling thread, which finds people for models that look at one.
///
/// # Errors
/// Weights that are missing or not the tested ones.
pub fn detector() -> Outcome<CpuInference> {
    CpuInference::new(read_detector(Target::Cpu)?).map_err(named(DETECTOR))
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

/// A pipeline for several people on whichever backend was chosen.
pub enum AnyPeople {
    /// On the calling thread.
    Cpu(Box<PeoplePipeline<CpuInference>>),
    /// On an adapter.
    Gpu(Box<(NativeFrames, GpuPeople)>),
}

impl AnyPeople {
    /// Finds the people in a frame that was taken at `time`.
    ///
    /// # Errors
    /// [`PipelineError::Inference`] when the backend fails.
    pub async fn process(
        &mut self,
        frame: &Frame<'_>,
        time: Timestamp,
    ) -> Result<PeopleResult, PipelineError> {
        match self {
            AnyPeople::Cpu(pipeline) => pipeline.process(frame, time).await,
            AnyPeople::Gpu(on_gpu) => {
                let (frames, people) = on_gpu.as_mut();
                people.process(frames, *frame, time).await
            }
        }
    }
}

/// A pose pipeline over the manifest's detector and one of its landmark models.
///
/// # Errors
/// Weights that are missing or not the tested ones, models that the backend cannot run.
pub fn pose_pipeline(device: &Device, model: LandmarkModel, mode: Mode) -> Outcome<AnyPipeline> {
    let target = device.target();
    let landmarks =
        plan_landmarks(&manifest::read_model(model.name())?, target).map_err(named(model.name()))?;
    match device {
        Device::Cpu => {
            cpu_pipeline(landmarks, model, mode).map(|pipeline| AnyPipeline::Cpu(Box::new(pipeline)))
        }
        Device::Gpu(gpu) => NativeFrames::new(gpu, &read_detector(target)?, &landmarks)
            .map(|frames| AnyPipeline::Gpu(Box::new(GpuPosePipeline::new(frames, mode, stopwatch()))))
            .map_err(|error| error.to_string()),
    }
}

/// A pipeline for at most `limit` people.
///
/// # Errors
/// As [`pose_pipeline`].
pub fn people_pipeline(
    device: &Device,
    model: LandmarkModel,
    mode: Mode,
    limit: usize,
) -> Outcome<AnyPeople> {
    let target = device.target();
    let landmarks =
        plan_landmarks(&manifest::read_model(model.name())?, target).map_err(named(model.name()))?;
    match device {
        Device::Cpu => {
            let (detector, landmarks) = cpu_models(landmarks, model)?;
            PeoplePipeline::new(detector, landmarks, mode, limit, stopwatch())
                .map(|pipeline| AnyPeople::Cpu(Box::new(pipeline)))
        }
        Device::Gpu(gpu) => NativeFrames::new(gpu, &read_detector(target)?, &landmarks).map(|frames| {
            let people = GpuPeople::new(mode, limit, stopwatch());
            AnyPeople::Gpu(Box::new((frames, people)))
        }),
    }
    .map_err(|error| error.to_string())
}

/// A pose pipeline on the calling thread that computes the person's mask as well.
///
/// # Errors
/// As [`pose_pipeline`].
pub fn mask_pipeline(model: LandmarkModel, mode: Mode) -> Outcome<PosePipeline<CpuInference>> {
    let landmarks = plan_landmarks_and_mask(&manifest::read_model(model.name())?, Target::Cpu)
        .map_err(named(model.name()))?;
    cpu_pipeline(landmarks, model, mode)
}

/// The name of a selfie segmentation model in the manifest.
pub fn selfie_name(model: SelfieModel) -> &'static str {
    match model {
        SelfieModel::General => "selfie",
        SelfieModel::Landscape => "selfie-landscape",
    }
}

/// A pipeline on the calling thread that says of each pixel whether it is a person.
///
/// # Errors
/// As [`pose_pipeline`].
pub fn selfie_pipeline(model: SelfieModel) -> Outcome<MaskPipeline<CpuInference>> {
    let name = selfie_name(model);
    let plan = plan_selfie(&manifest::read_model(name)?, model, Target::Cpu).map_err(named(name))?;
    let inference = CpuInference::new(plan).map_err(named(name))?;
    MaskPipeline::new(model, inference, stopwatch()).map_err(|error| error.to_string())
}

fn cpu_pipeline(landmarks: Plan, model: LandmarkModel, mode: Mode) -> Outcome<PosePipeline<CpuInference>> {
    let (detector, landmarks) = cpu_models(landmarks, model)?;
    PosePipeline::new(detector, landmarks, mode, stopwatch()).map_err(|error| error.to_string())
}

/// The detector, and the landmark model of a plan.
fn cpu_models(landmarks: Plan, model: LandmarkModel) -> Outcome<(CpuInference, CpuInference)> {
    let detector = detector()?;
    let landmarks = CpuInference::new(landmarks).map_err(named(model.name()))?;
    Ok((detector, landmarks))
}

fn read_detector(target: Target) -> Outcome<Plan> {
    plan_detector(&manifest::read_model(DETECTOR)?, target).map_err(named(DETECTOR))
}

/// An error, with the name of the model that it is about.
fn named<E: std::fmt::Display>(name: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{name}: {error}")
}

/// Milliseconds since now.
pub fn stopwatch() -> Clock {
    let start = Instant::now();
    Box::new(move || start.elapsed().as_secs_f64() * 1e3)
}
