//! The GPU beside the CPU that answers: its models are made ready behind, it is timed on frames that the CPU answers
//! too, and then it takes the CPU's place or goes. When and how often is decided by the page
//! ([`crate::live::autotune`]).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use plumbline_pipeline::Timings;

use super::measurer::{GpuMeasurer, Models};
use super::protocol::{FrameStamp, Measurement};
use crate::platform::page::now_millis;
use crate::platform::picture::Picture;

/// What [`GpuMeasurer::prepare`] will give. It holds the files until then.
type Loading = Pin<Box<dyn Future<Output = Result<GpuMeasurer, String>>>>;

/// The GPU that may take the CPU's place.
#[derive(Default)]
pub enum Rival {
    /// None, or not any more.
    #[default]
    Absent,
    /// Nothing has been asked of it yet; the files are kept for that.
    Possible(Models),
    /// It compiles.
    Loading(Loading),
    /// It can be timed.
    Ready(Box<GpuMeasurer>),
}

impl Rival {
    /// Begins to make the models ready; [`Self::poll_loaded`] says when they are.
    pub fn load(&mut self) {
        *self = match std::mem::take(self) {
            Self::Possible(models) => {
                Self::Loading(Box::pin(async move { GpuMeasurer::prepare(&models).await }))
            }
            other => other,
        };
    }

    /// Whether [`Self::poll_loaded`] is worth waiting for.
    pub fn is_loading(&self) -> bool {
        matches!(self, Self::Loading(_))
    }

    /// Whether the models are ready; what the GPU says where it refuses them, and then there is no rival any more.
    pub fn poll_loaded(&mut self, context: &mut Context<'_>) -> Poll<Result<(), String>> {
        let Self::Loading(loading) = self else {
            return Poll::Pending;
        };
        let loaded = std::task::ready!(loading.as_mut().poll(context));
        Poll::Ready(match loaded {
            Ok(gpu) => {
                *self = Self::Ready(Box::new(gpu));
                Ok(())
            }
            Err(what) => {
                *self = Self::Absent;
                Err(what)
            }
        })
    }

    /// Runs a frame on the GPU, from the picture to the result, which is not looked at. Nothing where the GPU is not
    /// ready; what it says where it fails, and then there is no rival any more.
    pub async fn time(&mut self, picture: &Picture, frame: &FrameStamp) -> Option<Result<Timings, String>> {
        let Self::Ready(gpu) = self else {
            return None;
        };
        let start_millis = now_millis();
        let measured = gpu.measure(picture, frame).await;
        let total_millis = now_millis() - start_millis;
        Some(match measured {
            Ok(result) => Ok(Timings {
                total_millis,
                ..result.timings
            }),
            Err(what) => {
                *self = Self::Absent;
                Err(what)
            }
        })
    }

    /// Hands the GPU over, if it is ready.
    pub fn take(&mut self) -> Option<GpuMeasurer> {
        match std::mem::take(self) {
            Self::Ready(gpu) => Some(*gpu),
            Self::Absent | Self::Possible(_) | Self::Loading(_) => None,
        }
    }
}

/// The stages of a frame with its time from the picture on, to be compared with [`Rival::time`].
pub fn whole_frame(measurement: &Measurement) -> Timings {
    Timings {
        total_millis: measurement.total_millis,
        ..measurement.timings
    }
}
