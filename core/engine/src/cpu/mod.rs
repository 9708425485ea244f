//! The CPU backend: runs a plan with vectors of four f32, the same code in the browser and natively.
//!
//! A [`Session`] owns the plan, its packed weights and one arena, in which the constants lie that are read as they are.
//! After the first frame, running allocates nothing.
//! Tensors are dense NHWC f32.

pub(crate) mod activation;
mod aligned;
pub mod bands;
mod convolution;
mod deferred;
mod depthwise;
// Vectors longer than four exist on x86-64 only; elsewhere nothing of it can be called.
#[cfg_attr(not(target_arch = "x86_64"), allow(unused))]
mod direct;
mod epilogue;
mod facts;
mod instructions;
mod planar;
mod pool;
mod residual;
mod rows;
mod shuffle;
pub(crate) mod simd;
mod sparse;
mod squeeze_excite;
mod step;

use std::ops::Range;

use self::aligned::Aligned;
use self::convolution::Scratch;
pub use self::deferred::DeferredOutput;
use self::deferred::Panels;
pub use self::facts::StepFacts;
pub use self::instructions::Instructions;
use self::rows::row_count;
use self::step::Step;
use crate::element::Element;
use crate::encoding::Encoding;
use crate::error::ModelError;
use crate::graph::{Constant, ValueId, element_count};
use crate::plan::{ALIGNMENT, Placement, Plan};

/// A plan that is ready to take frames.
#[derive(Debug)]
pub struct Session {
    plan: Plan,
    /// By value index: where it lives in `arena`. Behind the plan's arena are the values inside a step, then the pool of
    /// constants, which nothing writes.
    places: Vec<Range<usize>>,
    steps: Vec<Step>,
    deferred: Vec<Panels>,
    arena: Aligned,
    scratch: Scratch,
    instructions: Instructions,
}

impl Session {
    /// Packs the weights of a plan.
    ///
    /// # Errors
    /// *Invalid* when a node's weights are not f32 constants; [`Plan::new`] lets no such plan pass. *Unsupported* for
    /// values that are not in f32.
    pub fn new(plan: Plan) -> Result<Self, ModelError> {
        Self::with_instructions(plan, Instructions::best())
    }

    /// [`Self::new`] for an instruction set that need not be the widest that the machine has. Results are the same
    /// bit for bit.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_instructions(mut plan: Plan, instructions: Instructions) -> Result<Self, ModelError> {
        if plan
            .encodings
            .iter()
            .any(|&encoding| encoding != Encoding::Single)
        {
            let message =
                "it keeps values that are not f32, which only the GPU backend reads; plan it in f32";
            return Err(ModelError::unsupported("plan", message));
        }
        let steps = plan
            .steps
            .iter()
            .flat_map(|step| &step.nodes)
            .map(|&node| Step::prepare(&plan.graph, node, instructions))
            .collect::<Result<Vec<_>, _>>()?;
        let deferred = plan
            .deferred
            .iter()
            .map(|deferred| Panels::new(&plan, deferred, instructions))
            .collect::<Result<_, _>>()?;
        let (places, pool) = places(&plan);
        let mut arena = Aligned::zeros(pool.end);
        bytemuck::cast_slice_mut(&mut arena[pool]).copy_from_slice(&std::mem::take(&mut plan.pool));
        for value in &mut plan.graph.values {
            // The copies serve from here on.
            value.constant = value.constant.take().map(|_| Constant::F32([].into()));
        }
        Ok(Self {
            plan,
            places,
            steps,
            deferred,
            arena,
            scratch: Scratch::default(),
            instructions,
        })
    }

    /// The instruction set that its kernels use.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// The plan that this session runs; its constants and its pool are emptied.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where to write input number `index`, dense; images are NHWC. It is overwritten by [`Self::run`]. What is no f32 is
    /// written through [`Self::input_words_mut`].
    ///
    /// # Panics
    /// When the model has no such input.
    pub fn input_mut(&mut self, index: usize) -> &mut [f32] {
        let range = self
            .plan
            .arena_range(self.plan.graph.inputs[index])
            .unwrap_or(0..0);
        &mut self.arena[range]
    }

    /// [`Self::input_mut`] as words of 32 bits, whatever the input's [`Element`] makes of them.
    ///
    /// # Panics
    /// When the model has no such input.
    pub fn input_words_mut(&mut self, index: usize) -> &mut [u32] {
        bytemuck::cast_slice_mut(self.input_mut(index))
    }

    /// Computes all outputs from the inputs written before.
    pub fn run(&mut self) {
        self.run_observed(|_| {});
    }

    /// Computes all outputs, and calls `after` with the index in [`Self::step_facts`] of each node that has run.
    /// A caller with a stopwatch sees where the time of a frame goes; [`Self::run`] is the same code without one.
    pub fn run_observed(&mut self, mut after: impl FnMut(usize)) {
        for (index, step) in self.steps.iter().enumerate() {
            let graph = &self.plan.graph;
            let rows = 0..row_count(graph.shape(graph.nodes[step.node].output));
            step.run(graph, &self.places, rows, &mut self.arena, &mut self.scratch);
            after(index);
        }
    }

    /// What each node computes, in the order in which they run.
    pub fn step_facts(&self) -> Vec<StepFacts> {
        let facts = |step: &Step| StepFacts::of(&self.plan.graph, step.node);
        self.steps.iter().map(facts).collect()
    }

    /// The output with this name after the last [`Self::run`]; `None` when the plan has no such output, or its elements
    /// are no f32.
    pub fn output(&self, name: &str) -> Option<&[f32]> {
        let id = self.plan.graph.output_named(name)?;
        let is_f32 = self.plan.graph.value(id).element == Element::F32;
        is_f32.then(|| &self.arena[self.places[id.index()].clone()])
    }

    /// The output with this name as words of 32 bits, whatever its [`Element`] makes of them; `None` when the plan has no
    /// such output.
    pub fn output_words(&self, name: &str) -> Option<&[u32]> {
        let id = self.plan.graph.output_named(name)?;
        Some(bytemuck::cast_slice(&self.arena[self.places[id.index()].clone()]))
    }

    /// The output with this name that the plan has left to its reader, after the last [`Self::run`].
    pub fn deferred(&self, name: &str) -> Option<DeferredOutput<'_>> {
        let panels = self.deferred.iter().find(|panels| panels.name == name)?;
        let arena = &self.arena;
        Some(DeferredOutput { panels, arena })
    }
}

/// A place for every value: the plan's; for values inside a step one behind the plan's arena, where steps take turns;
/// for constants one behind those. Also where all the constants lie, which is the end of everything.
fn places(plan: &Plan) -> (Vec<Range<usize>>, Range<usize>) {
    let mut places: Vec<Range<usize>> = (0..plan.graph.values.len())
        .map(|index| plan.arena_range(ValueId(index as u32)).unwrap_or(0..0))
        .collect();
    let mut len = plan.arena_len;
    for step in &plan.steps {
        let mut end = plan.arena_len;
        for id in step.interior(&plan.graph) {
            let start = end.next_multiple_of(ALIGNMENT);
            end = start + element_count(plan.graph.shape(id));
            places[id.index()] = start..end;
        }
        len = len.max(end);
    }
    let start = len.next_multiple_of(ALIGNMENT);
    for (place, placement) in places.iter_mut().zip(&plan.placements) {
        if let Placement::Pool(range) = placement {
            *place = start + range.start..start + range.end;
        }
    }
    (places, start..start + plan.pool.len())
}
