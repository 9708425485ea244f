//! A model of the lead's: run by the team where there is one, alone otherwise.

use plumbline_engine::ModelError;
use plumbline_engine::cpu::{DeferredOutput, Session};
use plumbline_engine::plan::Plan;
use plumbline_pipeline::{Inference, InferenceError};

use super::lead::Lead;

/// A model on the CPU of this thread, and of the mate's while there is one.
pub struct SharedModel {
    session: Session,
    lead: Lead,
    index: usize,
    counts: bool,
    /// The input as it was written, for shared frames: a session overwrites its own while it runs, and a frame whose
    /// mate was lost is run again. Empty before the first of them.
    input: Vec<f32>,
    /// Whether the next frame's input was written there.
    is_kept: bool,
}

impl SharedModel {
    /// Packs a plan's weights, and makes the model known to the lead. `counts` says whether its runs decide if the team
    /// is worth it, which those of the model that runs most should.
    ///
    /// # Errors
    /// Those of [`Session::new`], and *unsupported* for plans that cannot be divided.
    pub fn new(plan: Plan, lead: Lead, counts: bool) -> Result<Self, ModelError> {
        let index = lead.add(&plan)?;
        Ok(Self {
            session: Session::new(plan)?,
            lead,
            index,
            counts,
            input: Vec::new(),
            is_kept: false,
        })
    }

    /// Runs the model on the present input, on this thread until its outputs are there.
    pub fn run_now(&mut self) {
        let (lead, index, counts) = (self.lead.clone(), self.index, self.counts);
        if lead.run(index, counts, self.start()).is_err() {
            // Alone from here on.
            self.start().run();
        }
    }

    /// The session with its input written.
    fn start(&mut self) -> &mut Session {
        if self.is_kept {
            self.session.input_mut(0).copy_from_slice(&self.input);
        }
        &mut self.session
    }
}

impl Inference for SharedModel {
    fn input_mut(&mut self) -> &mut [f32] {
        self.is_kept = self.lead.is_shared();
        let own = self.session.input_mut(0);
        if self.is_kept {
            self.lead.announce(self.index);
            self.input.resize(own.len(), 0.0);
            &mut self.input
        } else {
            own
        }
    }

    async fn run(&mut self) -> Result<(), InferenceError> {
        self.run_now();
        Ok(())
    }

    fn output(&self, name: &str) -> Option<&[f32]> {
        self.session.output(name)
    }

    fn deferred(&self, name: &str) -> Option<DeferredOutput<'_>> {
        self.session.deferred(name)
    }
}
