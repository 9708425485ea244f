//! Why a frame did not become a result.

use std::fmt;

use crate::inference::InferenceError;

/// What went wrong between a frame and its pose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipelineError {
    /// A model does not have the tensor that the pipeline reads or fills.
    WrongModel {
        /// `detector`, `landmark model` or `mask model`.
        role: &'static str,
        /// The tensor.
        tensor: &'static str,
        /// Elements that the pipeline expects.
        expected: usize,
        /// Elements that the model has; nothing when it has no such tensor.
        found: Option<usize>,
    },
    /// A model did not run.
    Inference {
        /// `detector`, `landmark model` or `mask model`.
        role: &'static str,
        /// What the backend said.
        source: InferenceError,
    },
}

impl fmt::Display for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PipelineError::WrongModel {
                role,
                tensor,
                expected,
                found: Some(found),
            } => write!(
                f,
                "the {role} is not {}: {tensor} has {found} elements, {expected} are expected",
                known(role)
            ),
            PipelineError::WrongModel {
                role,
                tensor,
                found: None,
                ..
            } => {
                write!(f, "the {role} is not {}: it has no tensor {tensor}", known(role))
            }
            PipelineError::Inference { role, source } => write!(f, "the {role} did not run: {source}"),
        }
    }
}

/// What the model of a role should be.
fn known(role: &str) -> &'static str {
    if role == crate::mask::MASK_MODEL {
        "a selfie segmentation one"
    } else {
        "a BlazePose one"
    }
}

impl std::error::Error for PipelineError {}
