//! Joins the engine and the pose logic: a frame in, a skeleton out, by the same code natively and in the browser.
//!
//! ```text
//! bytes of two models -> plan_detector, plan_landmarks -> a backend's Inference for each -> PosePipeline
//! frame, time         -> PosePipeline::process(..).await -> pose and timings
//! ```
//!
//! [`PeoplePipeline`] does the same for several people, and [`MaskPipeline`] says of each pixel whether it is a person.
//!
//! [`AnyModel`] runs a model that somebody brings, as its manifest says.
//!
//! On a GPU that takes pictures, [`gpu::GpuPosePipeline`] does the same without the frame's numbers ever leaving it.
//!
//! The pipeline is generic over [`Inference`], because a CPU answers at once and a GPU when its numbers have been read
//! back. Time comes from outside twice: the moment of a frame as an argument, the stopwatch as a [`pose::Clock`].

pub mod any_model;
pub mod error;
pub mod gpu;
pub mod inference;
pub mod mask;
pub mod mirrored;
pub mod model_input;
pub mod models;
pub mod motion_jpeg;
#[cfg(feature = "native")]
pub mod native_inference;
pub mod people;
pub mod pose;
pub mod top_down;

pub use any_model::{AnyModel, AnyModelError, AnyResult};
pub use error::PipelineError;
pub use inference::{CpuInference, Inference, InferenceError};
pub use mask::{MaskPipeline, MaskResult};
pub use models::{
    Target, Variant, plan_detector, plan_landmarks, plan_landmarks_and_mask, plan_model, plan_selfie,
};
#[cfg(feature = "native")]
pub use native_inference::NativeInference;
pub use people::{PeoplePipeline, PeopleResult};
pub use pose::{Clock, FrameResult, PosePipeline, Timings};
pub use top_down::{TopDown, TopDownError, TopDownResult};
