//! The two models, planned and ready on a backend, with the tracker that joins them.

use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_pipeline::{CpuInference, FrameResult, Inference, PosePipeline, plan_detector, plan_landmarks};

use super::pixels::Pixels;
use super::protocol::FrameStamp;
use crate::live::backend::Backend;
use crate::platform::page::now_millis;
use crate::platform::replayer::{GpuDevice, GpuInference};

/// Measures frames on one backend.
pub enum Measurer {
    /// WebAssembly.
    Cpu(Box<PosePipeline<CpuInference>>),
    /// WebGPU. The device is given back when the measurer goes.
    Gpu(Box<PosePipeline<GpuInference>>, OpenDevice),
}

/// A device that closes itself.
pub struct OpenDevice(GpuDevice);

impl Drop for OpenDevice {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Measurer {
    /// Makes both models ready.
    ///
    /// # Errors
    /// A sentence: the bytes are not the models that the pipeline needs, or the GPU refuses them.
    pub async fn prepare(backend: Backend, detector: &[u8], landmarks: &[u8]) -> Result<Self, String> {
        let detector = plan_detector(detector).map_err(|error| unusable(&error.to_string()))?;
        let landmarks = plan_landmarks(landmarks).map_err(|error| unusable(&error.to_string()))?;
        match backend {
            Backend::Cpu => {
                let detector = CpuInference::new(detector).map_err(|error| unusable(&error.to_string()))?;
                let landmarks = CpuInference::new(landmarks).map_err(|error| unusable(&error.to_string()))?;
                Ok(Self::Cpu(pipeline(detector, landmarks)?))
            }
            Backend::Gpu => {
                let device = OpenDevice(GpuDevice::open().await.map_err(|what| no_gpu(&what))?);
                let detector = GpuInference::load(&device.0, &detector)
                    .await
                    .map_err(|what| no_gpu(&what))?;
                let landmarks = GpuInference::load(&device.0, &landmarks)
                    .await
                    .map_err(|what| no_gpu(&what))?;
                Ok(Self::Gpu(pipeline(detector, landmarks)?, device))
            }
        }
    }

    /// Finds the person in a frame.
    ///
    /// # Errors
    /// A sentence.
    pub async fn measure(&mut self, pixels: &Pixels, stamp: &FrameStamp) -> Result<FrameResult, String> {
        let frame = Frame::packed(
            &pixels.rgba,
            pixels.width_px,
            pixels.height_px,
            PixelFormat::Rgba8,
        )
        .map_err(|error| format!("This frame cannot be measured: {error}."))?;
        match self {
            Self::Cpu(pipeline) => process(pipeline, &frame, stamp).await,
            Self::Gpu(pipeline, _) => process(pipeline, &frame, stamp).await,
        }
    }
}

fn pipeline<I: Inference>(detector: I, landmarks: I) -> Result<Box<PosePipeline<I>>, String> {
    PosePipeline::new(detector, landmarks, Mode::Tracking, Box::new(now_millis))
        .map(Box::new)
        .map_err(|error| unusable(&error.to_string()))
}

async fn process<I: Inference>(
    pipeline: &mut PosePipeline<I>,
    frame: &Frame<'_>,
    stamp: &FrameStamp,
) -> Result<FrameResult, String> {
    // On the first frame after a reset the smoothing passes its input on, so a single picture is measured as in
    // static mode.
    if stamp.is_first {
        pipeline.reset();
    }
    pipeline
        .process(frame, Timestamp::from_secs(stamp.time_secs))
        .await
        .map_err(|error| format!("The models failed on this frame: {error}."))
}

fn unusable(what: &str) -> String {
    format!("The models cannot be used: {what}.")
}

fn no_gpu(what: &str) -> String {
    format!(
        "The GPU cannot run the models: {}. Choose the CPU under Backend.",
        what.trim_end_matches('.')
    )
}
