//! The plan: what runs, in which order, and where each tensor lives. Both backends execute the same plan.
//!
//! All intermediate tensors share one arena of f32. A tensor occupies its place from the node that writes it to the
//! last node that reads it; places are found greedily, largest tensor first, each at the lowest free offset
//! (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). Reshape costs nothing
//! because both sides share one place; a concatenation along the outermost varying axis costs nothing because its
//! inputs are written straight into it.

use std::ops::Range;

use crate::graph::{Graph, ValueId};

/// Offsets are multiples of this many f32 (256 bytes), the alignment that WebGPU asks of buffer bindings. Inputs of
/// an elided concatenation are the exception: they start wherever their predecessor ends.
pub const ALIGNMENT: usize = 64;

/// Where a value lives while the plan runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Nothing reads it.
    Unused,
    /// In the weights.
    Constant,
    /// This range of the arena, in f32 elements.
    Arena(Range<usize>),
}

/// What a frame costs, counted from shapes: exact, and the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanCost {
    /// Multiply-accumulate operations.
    pub macs: u64,
    /// Stored weights and biases.
    pub parameters: u64,
    /// Bytes of weights as stored in f32.
    pub weight_bytes: u64,
    /// Bytes that steps read and write in the arena, residuals included.
    pub activation_bytes: u64,
    /// Steps that do work: GPU dispatches a frame.
    pub dispatches: u32,
}

/// A graph that is ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The graph after all passes.
    pub graph: Graph,
    /// Positions in `graph.nodes` of the nodes that do work, in execution order.
    pub steps: Vec<usize>,
    /// By value index.
    pub placements: Vec<Placement>,
    /// Size of the arena in f32 elements.
    pub arena_len: usize,
    /// What a frame costs.
    pub cost: PlanCost,
}

impl Plan {
    /// The place of a value in the arena. Only inputs, outputs and values that a step touches have one.
    pub fn arena_range(&self, id: ValueId) -> Option<Range<usize>> {
        match &self.placements[id.index()] {
            Placement::Arena(range) => Some(range.clone()),
            Placement::Unused | Placement::Constant => None,
        }
    }
}
