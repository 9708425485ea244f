//! Both models on wgpu, with pictures uploaded from memory (feature `native`): for tests and the command line.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use plumbline_core::geometry::ImageSize;
use plumbline_engine::gpu::native::{Gpu, GpuError, PictureTexture, Reading, Replayer};
use plumbline_engine::image::Frame;
use plumbline_engine::plan::Plan;

use super::pipeline::{FrameGpu, Model, SLOTS};
use super::program::{View, detector_program, landmark_program};
use crate::error::PipelineError;
use crate::inference::InferenceError;
use crate::pose::{DETECTOR, LANDMARK_MODEL};

/// A device with both models on it.
pub struct NativeFrames {
    gpu: Gpu,
    detector: Replayer,
    landmarks: Replayer,
    slots: [Option<PictureTexture>; SLOTS],
}

impl NativeFrames {
    /// Records both plans, uploads their weights and compiles their kernels.
    ///
    /// # Errors
    /// [`PipelineError::WrongModel`], and what the recorder does not support or the GPU refuses.
    pub fn new(gpu: &Gpu, detector: &Plan, landmarks: &Plan) -> Result<Self, PipelineError> {
        let load = |role, recording| {
            Replayer::new(gpu, recording).map_err(|error| PipelineError::Inference {
                role,
                source: said(error),
            })
        };
        Ok(Self {
            gpu: gpu.clone(),
            detector: load(DETECTOR, detector_program(detector, View::Texture)?)?,
            landmarks: load(LANDMARK_MODEL, landmark_program(landmarks, View::Texture)?)?,
            slots: Default::default(),
        })
    }

    /// The device.
    pub fn device(&self) -> &Gpu {
        &self.gpu
    }
}

impl FrameGpu for NativeFrames {
    type Picture<'a> = Frame<'a>;
    type Reading = NativeReading;

    fn show(&mut self, slot: usize, picture: Frame<'_>) -> Result<ImageSize, InferenceError> {
        let (width_px, height_px) = (picture.width_px(), picture.height_px());
        let kept = self.slots[slot].take();
        let mut texture = match kept.filter(|kept| kept.size_px() == (width_px, height_px)) {
            Some(kept) => kept,
            None => PictureTexture::new(&self.gpu, width_px, height_px).map_err(said)?,
        };
        texture.write(&picture).map_err(said)?;
        self.slots[slot] = Some(texture);
        Ok(ImageSize {
            width_px: width_px as u32,
            height_px: height_px as u32,
        })
    }

    fn start(
        &mut self,
        model: Model,
        slot: usize,
        parameters: &[f32],
    ) -> Result<Self::Reading, InferenceError> {
        let replayer = match model {
            Model::Detector => &mut self.detector,
            Model::Landmarks => &mut self.landmarks,
        };
        let reading = replayer
            .start(self.slots[slot].as_ref(), &[parameters])
            .map_err(said)?;
        Ok(NativeReading {
            reading: Some(reading),
        })
    }

    /// The texture stays for the next frame of the same size.
    fn release(&mut self, _slot: usize) {}
}

/// A read-back that blocks the thread that polls it.
pub struct NativeReading {
    reading: Option<Reading>,
}

impl Future for NativeReading {
    type Output = Result<Vec<f32>, InferenceError>;

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.reading.take() {
            Some(reading) => Poll::Ready(reading.wait_for_words().map_err(said)),
            None => Poll::Ready(Err(InferenceError::new("the frame has been read already"))),
        }
    }
}

fn said(error: GpuError) -> InferenceError {
    InferenceError::new(error.to_string())
}
