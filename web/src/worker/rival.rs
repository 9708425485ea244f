//! The GPU beside the CPU that answers: its models are made ready behind, it is timed on frames that the CPU answers
//! too, and then it takes the CPU's place or goes. When and how often is decided by the page
//! ([`crate::live::autotune`]).

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use plumbline_pipeline::{Timings, Variant};

use super::measurer::{GpuMeasurer, Models};
use super::protocol::{FrameStamp, FromEngine, Measurement};
use crate::platform::page::now_millis;
use crate::platform::picture::Picture;

/// What [`GpuMeasurer::prepare`] will give.
type Loading = Pin<Box<dyn Future<Output = Result<GpuMeasurer, String>>>>;

/// The GPU that may take the CPU's place. The files are kept until it does or goes, because it may be timed in several
/// ways; what was compiled for one of them is dropped before the next.
#[derive(Default)]
pub enum Rival {
    /// None, or not any more.
    #[default]
    Absent,
    /// Nothing has been asked of it yet, or it has failed.
    Possible(Rc<Models>),
    /// It compiles.
    Loading(Rc<Models>, Loading),
    /// It can be timed.
    Ready(Rc<Models>, Box<GpuMeasurer>),
}

impl Rival {
    /// Begins to make the models ready, to run in this way and with the mask that the CPU computes or without, in place
    /// of what was loaded; [`Self::poll_loaded`] says when they are.
    pub fn load(&mut self, variant: Variant, has_mask: bool) {
        let models = match std::mem::take(self) {
            Self::Absent => return,
            Self::Possible(models) | Self::Loading(models, _) | Self::Ready(models, _) => models,
        };
        let files = Rc::clone(&models);
        let loading = Box::pin(async move { GpuMeasurer::prepare(&files, Some(variant), has_mask).await });
        *self = Self::Loading(models, loading);
    }

    /// Whether [`Self::poll_loaded`] is worth waiting for.
    pub fn is_loading(&self) -> bool {
        matches!(self, Self::Loading(..))
    }

    /// Whether the models are ready; what the GPU says where it refuses them.
    pub fn poll_loaded(&mut self, context: &mut Context<'_>) -> Poll<Result<(), String>> {
        let Self::Loading(models, loading) = self else {
            return Poll::Pending;
        };
        let loaded = std::task::ready!(loading.as_mut().poll(context));
        let models = Rc::clone(models);
        Poll::Ready(match loaded {
            Ok(gpu) => {
                *self = Self::Ready(models, Box::new(gpu));
                Ok(())
            }
            Err(what) => {
                *self = Self::Possible(models);
                Err(what)
            }
        })
    }

    /// Runs a frame on the GPU, from the picture to the result, which is not looked at. Nothing where the GPU is not
    /// ready; what it says where it fails.
    pub async fn time(&mut self, picture: &Picture, frame: &FrameStamp) -> Option<Result<Timings, String>> {
        let Self::Ready(models, gpu) = self else {
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
                *self = Self::Possible(Rc::clone(models));
                Err(what)
            }
        })
    }

    /// Hands the GPU over, if it is ready; there is no rival any more.
    pub fn take(&mut self) -> Option<GpuMeasurer> {
        match std::mem::take(self) {
            Self::Ready(_, gpu) => Some(*gpu),
            Self::Absent | Self::Possible(_) | Self::Loading(..) => None,
        }
    }
}

/// The stages of a frame with its time from the picture to the skeleton, to be compared with [`Rival::time`].
pub fn whole_frame(measurement: &Measurement) -> Timings {
    // What stands behind the person is the same work beside either.
    let behind = measurement
        .cut
        .map(|cut| cut.millis + cut.mask_millis.unwrap_or(0.0));
    Timings {
        total_millis: measurement.total_millis - behind.unwrap_or(0.0),
        ..measurement.timings
    }
}

/// What comparing the backends on a frame has given.
pub fn compared(attempt: u32, cpu: Timings, gpu: Result<Timings, String>) -> FromEngine {
    match gpu {
        Ok(gpu) => FromEngine::Compared { attempt, cpu, gpu },
        Err(what) => FromEngine::GpuFailed { attempt, what },
    }
}
