//! One model on one backend: fill the input, run, read the outputs.

use std::fmt;
use std::future::Future;

use plumbline_engine::ModelError;
use plumbline_engine::cpu::{DeferredOutput, Session};
use plumbline_engine::plan::Plan;

/// A model that is ready to run.
///
/// The future of [`Inference::run`] need not be `Send`: in the browser everything stays in one worker.
pub trait Inference {
    /// The first input, dense NHWC f32. What is written here goes into the next run.
    fn input_mut(&mut self) -> &mut [f32];

    /// Runs the model on the present input; the outputs are valid once the future has resolved.
    fn run(&mut self) -> impl Future<Output = Result<(), InferenceError>>;

    /// The output of this name. Its length is right from the start, its contents after a run.
    fn output(&self, name: &str) -> Option<&[f32]>;

    /// The output of this name as words of 32 bits, for outputs that are no f32; where a backend gives only f32, nothing.
    fn output_words(&self, _name: &str) -> Option<&[u32]> {
        None
    }

    /// The output of this name, if the plan has left it to its reader; its contents are those of the last run.
    fn deferred(&self, _name: &str) -> Option<DeferredOutput<'_>> {
        None
    }
}

/// Why a backend did not run a model, as the backend says it: device lost, out of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferenceError {
    message: String,
}

impl InferenceError {
    /// An error of these words.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for InferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InferenceError {}

/// A model on the CPU of the calling thread; [`Inference::run`] resolves at once.
pub struct CpuInference {
    session: Session,
}

impl CpuInference {
    /// Packs the plan's weights for the CPU.
    ///
    /// # Errors
    /// Those of [`Session::new`].
    pub fn new(plan: Plan) -> Result<Self, ModelError> {
        Ok(Self {
            session: Session::new(plan)?,
        })
    }
}

impl Inference for CpuInference {
    fn input_mut(&mut self) -> &mut [f32] {
        self.session.input_mut(0)
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        self.session.run();
        Ok(())
    }

    fn output(&self, name: &str) -> Option<&[f32]> {
        self.session.output(name)
    }

    fn output_words(&self, name: &str) -> Option<&[u32]> {
        self.session.output_words(name)
    }

    fn deferred(&self, name: &str) -> Option<DeferredOutput<'_>> {
        self.session.deferred(name)
    }
}
