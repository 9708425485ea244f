//! The plan: what runs, in which order, and where each tensor lives. Both backends execute the same plan.
//!
//! All intermediate tensors share one arena of 32-bit words. A tensor occupies its place from the node that writes it to the
//! last node that reads it; places are found greedily, largest tensor first, each at the lowest free offset
//! (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). Reshape costs nothing
//! because both sides share one place; a concatenation along the outermost varying axis costs nothing because its
//! inputs are written straight into it.
//!
//! Constants that are packed for a kernel have no place here. Those that are read as they are, by tensor operators and
//! by callers, lie side by side in the pool.

use std::ops::Range;

use crate::deferral::{Deferred, defer};
use crate::encoding::{self, Encoding, Precision};
use crate::error::ModelError;
use crate::fusion::{self, Level, Step};
use crate::graph::{Constant, Graph, Node, Op, ValueId, element_count};

/// Offsets are multiples of this many words (256 bytes), the alignment that WebGPU asks of buffer bindings. Inputs of
/// an elided concatenation are the exception: they start wherever their predecessor ends.
pub const ALIGNMENT: usize = 64;

/// Where a value lives while the plan runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Nothing reads it, or only the step that computes it.
    Unused,
    /// In the weights, as some kernel packs them.
    Constant,
    /// This range of [`Plan::pool`]. Kernels that pack the same constant have it in the weights as well.
    Pool(Range<usize>),
    /// This range of the arena, in words of four bytes: one element, or two of binary16.
    Arena(Range<usize>),
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// How far nodes are grouped into steps.
    pub level: Level,
    /// How values are kept that only kernels touch.
    pub precision: Precision,
    /// Keeps the input as a picture of 8-bit levels with this range, exact for what was cut out of a picture, in a
    /// third of the bytes. Whoever fills it writes [`Encoding::Levels`].
    pub picture: Option<[f32; 2]>,
    /// Outputs to leave to their reader, where [`defer`] can; the others stay outputs.
    pub deferred: &'a [&'a str],
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
    /// Bytes that steps read and write in the arena: each value once a step, residuals included. Pixels that tiles
    /// of a fused step read again around their edges are not counted.
    pub activation_bytes: u64,
    /// Steps that do work: GPU dispatches a frame.
    pub dispatches: u32,
}

/// A graph that is ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The graph after all passes.
    pub graph: Graph,
    /// What runs, in execution order; each step is one GPU dispatch.
    pub steps: Vec<Step>,
    /// By value index.
    pub placements: Vec<Placement>,
    /// By value index.
    pub encodings: Vec<Encoding>,
    /// Outputs that are left to their reader. Their sources are outputs of the graph.
    pub deferred: Vec<Deferred>,
    /// Size of the arena in words of four bytes.
    pub arena_len: usize,
    /// The contents of the constants that are read as they are, in words of four bytes.
    pub pool: Vec<u32>,
    /// What a frame costs.
    pub cost: PlanCost,
}

/// No arena, and no pool, may be larger than this (1 GiB of f32).
const MAX_ARENA_LEN: usize = 1 << 28;

impl Plan {
    /// Plans a graph that has been through the passes, one step for each node that does work.
    ///
    /// # Errors
    /// As [`Plan::fused`].
    pub fn new(graph: Graph) -> Result<Self, ModelError> {
        Self::fused(graph, Level::Folded)
    }

    /// Plans a graph that has been through the passes, with nodes grouped into steps up to a level, all values in f32.
    ///
    /// # Errors
    /// As [`Plan::with`].
    pub fn fused(graph: Graph, level: Level) -> Result<Self, ModelError> {
        Self::with(
            graph,
            &Options {
                level,
                ..Options::default()
            },
        )
    }

    /// Plans a graph that has been through the passes. The CPU backend refuses plans that keep anything but f32.
    ///
    /// # Errors
    /// *Unsupported* when weights are not f32 constants, an operator on images is given a constant for an image, the input
    /// is no picture where one is wished for, or the tensors need more memory than a browser gives. *Invalid* when a
    /// constant has not the elements of its shape.
    pub fn with(mut graph: Graph, options: &Options<'_>) -> Result<Self, ModelError> {
        let deferred: Vec<Deferred> = options
            .deferred
            .iter()
            .filter_map(|name| defer(&mut graph, name))
            .collect();
        check_operands(&graph)?;
        let storage = Storage::of(&graph);
        let steps = fusion::steps(&graph, options.level, |node| !storage.is_elided(node));
        let lifetimes = lifetimes(&graph, &storage, &steps);
        let is_alone = |id: ValueId| storage.is_alone(id);
        let mut encodings = match options.precision {
            Precision::Single => vec![Encoding::Single; graph.values.len()],
            Precision::Half => encoding::half_where_possible(&graph, &steps, is_alone, &deferred),
        };
        if let Some(range) = options.picture {
            let picture = encoding::picture_input(&graph, &steps, is_alone)?;
            encodings[picture.index()] = Encoding::levels(range);
        }
        let (roots, arena_len) = place(&graph, &lifetimes, &encodings)?;
        let mut pool = pool(&graph)?;
        let placements = (0..graph.values.len())
            .map(|index| {
                let id = ValueId(index as u32);
                let (root, offset) = storage.resolve(id);
                match (&graph.value(id).constant, roots[root.index()]) {
                    (Some(_), _) => pool.ranges[index]
                        .take()
                        .map_or(Placement::Constant, Placement::Pool),
                    (None, None) => Placement::Unused,
                    (None, Some(start)) => {
                        let start = start + offset;
                        let words = encodings[index].words(graph.shape(id));
                        Placement::Arena(start..start + words)
                    }
                }
            })
            .collect();
        let cost = cost(&graph, &steps, &encodings);
        Ok(Self {
            graph,
            steps,
            placements,
            encodings,
            deferred,
            arena_len,
            pool: pool.contents,
            cost,
        })
    }

    /// Multiply-accumulates of each step, and the bytes that it reads and writes in the arena: the parts of
    /// [`Plan::cost`].
    pub fn step_costs(&self) -> Vec<(u64, u64)> {
        let of = |step| step_cost(&self.graph, step, &self.encodings);
        self.steps.iter().map(of).collect()
    }

    /// The place of a value in the arena. Only inputs, outputs and values that a step touches have one.
    pub fn arena_range(&self, id: ValueId) -> Option<Range<usize>> {
        match &self.placements[id.index()] {
            Placement::Arena(range) => Some(range.clone()),
            Placement::Unused | Placement::Constant | Placement::Pool(_) => None,
        }
    }
}

/// Weights and biases must be constants that are ready for use; other operands of operators on images must not be.
fn check_operands(graph: &Graph) -> Result<(), ModelError> {
    let is_f32 = |id: ValueId| {
        matches!(
            graph.value(id).constant,
            Some(Constant::F32(_) | Constant::Compact(_))
        )
    };
    for node in &graph.nodes {
        let weights = match node.op {
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) => 1..3,
            Op::Dequantize | Op::Densify => {
                return Err(ModelError::unsupported(
                    &node.origin,
                    "constants were not folded before planning",
                ));
            }
            Op::Pad(_)
            | Op::Add(_)
            | Op::Activation(_)
            | Op::MaxPool2d(_)
            | Op::ResizeBilinear(_)
            | Op::Reshape
            | Op::Concat { .. }
            | Op::DepthToSpace { .. }
            | Op::GlobalAveragePool
            | Op::ScaleChannels
            | Op::Tensor(_) => 0..0,
        };
        for (index, &input) in node.inputs.iter().enumerate() {
            let shape = graph.shape(input);
            if weights.contains(&index) && !is_f32(input) {
                return Err(ModelError::unsupported(
                    &node.origin,
                    "its weights are not constant f32 or f16 tensors",
                ));
            }
            let takes_constants = matches!(node.op, Op::Tensor(_)) || weights.contains(&index);
            if !takes_constants && graph.value(input).constant.is_some() {
                return Err(ModelError::unsupported(
                    &node.origin,
                    "a constant stands where frame data is expected",
                ));
            }
            if node.op.is_on_images() && !weights.contains(&index) && shape.len() > 1 && shape[0] != 1 {
                return Err(ModelError::unsupported(
                    &node.origin,
                    format!("a batch of {}", shape[0]),
                ));
            }
        }
    }
    Ok(())
}

/// The constants that tensor operators and callers read.
struct Pool {
    /// Where each lies, by value index.
    ranges: Vec<Option<Range<usize>>>,
    contents: Vec<u32>,
}

fn pool(graph: &Graph) -> Result<Pool, ModelError> {
    let (mut ranges, mut contents) = (vec![None; graph.values.len()], Vec::new());
    let on_tensors = graph.nodes.iter().filter(|node| matches!(node.op, Op::Tensor(_)));
    let read = on_tensors.flat_map(|node| node.inputs.iter().map(|&id| (id, node.origin.as_str())));
    let given = graph.outputs.iter().map(|&id| (id, "outputs"));
    for (id, place) in read.chain(given) {
        let value = graph.value(id);
        let Some(constant) = value.constant.as_ref().filter(|_| ranges[id.index()].is_none()) else {
            continue;
        };
        let words = constant.to_words().ok_or_else(|| {
            let message = format!("the constant {} was not folded before planning", value.name);
            ModelError::unsupported(place, message)
        })?;
        if words.len() != element_count(&value.shape) {
            let message = format!(
                "the constant {} holds {} elements for shape {:?}",
                value.name,
                words.len(),
                value.shape
            );
            return Err(ModelError::invalid(place, message));
        }
        let start = contents.len().next_multiple_of(ALIGNMENT);
        if start + words.len() > MAX_ARENA_LEN {
            let message = format!("its constants need more than {} MiB", MAX_ARENA_LEN >> 18);
            return Err(ModelError::unsupported("plan", message));
        }
        contents.resize(start, 0);
        contents.extend_from_slice(&words);
        ranges[id.index()] = Some(start..contents.len());
    }
    Ok(Pool { ranges, contents })
}

/// Which values share memory: reshapes with their operand, operands of a concatenation with a part of its result.
struct Storage {
    /// The value that a value lives in, and at which offset in elements.
    parent: Vec<Option<(ValueId, usize)>>,
    /// Outputs of nodes that therefore have nothing to do.
    elided: Vec<bool>,
}

impl Storage {
    fn of(graph: &Graph) -> Self {
        let none = vec![None; graph.values.len()];
        let mut storage = Self {
            parent: none,
            elided: vec![false; graph.values.len()],
        };
        for node in &graph.nodes {
            match node.op {
                Op::Reshape => {
                    storage.parent[node.output.index()] = Some((node.inputs[0], 0));
                    storage.elided[node.output.index()] = true;
                }
                Op::Concat { axis } if storage.can_write_in_place(graph, node, axis) => {
                    let mut offset = 0;
                    for &input in &node.inputs {
                        let (root, _) = storage.resolve(input);
                        storage.parent[root.index()] = Some((node.output, offset));
                        offset += element_count(graph.shape(input));
                    }
                    storage.elided[node.output.index()] = true;
                }
                Op::Concat { .. }
                | Op::Dequantize
                | Op::Densify
                | Op::Conv2d(_)
                | Op::DepthwiseConv2d(_)
                | Op::Pad(_)
                | Op::Add(_)
                | Op::Activation(_)
                | Op::MaxPool2d(_)
                | Op::ResizeBilinear(_)
                | Op::DepthToSpace { .. }
                | Op::GlobalAveragePool
                | Op::ScaleChannels
                | Op::Tensor(_) => {}
            }
        }
        storage
    }

    /// Whether the operands of a concatenation can be written straight into its result: they are contiguous there,
    /// distinct, whole, and not the caller's input, whose place must not depend on who reads it.
    fn can_write_in_place(&self, graph: &Graph, node: &Node, axis: usize) -> bool {
        let contiguous = graph.shape(node.output)[..axis].iter().all(|&size| size == 1);
        let mut roots: Vec<ValueId> = Vec::with_capacity(node.inputs.len());
        contiguous
            && node.inputs.iter().all(|&input| {
                let (root, offset) = self.resolve(input);
                let whole =
                    offset == 0 && element_count(graph.shape(root)) == element_count(graph.shape(input));
                let fresh = !roots.contains(&root) && !graph.inputs.contains(&root);
                roots.push(root);
                whole && fresh
            })
    }

    /// The value that owns the memory of `id`, and the offset in it.
    fn resolve(&self, mut id: ValueId) -> (ValueId, usize) {
        let mut offset = 0;
        while let Some((parent, step)) = self.parent[id.index()] {
            id = parent;
            offset += step;
        }
        (id, offset)
    }

    /// Whether the value shares its memory with no other.
    fn is_alone(&self, id: ValueId) -> bool {
        let holds = |&(parent, _): &(ValueId, usize)| parent == id;
        self.parent[id.index()].is_none() && !self.parent.iter().flatten().any(holds)
    }

    fn is_elided(&self, node: &Node) -> bool {
        self.elided[node.output.index()]
    }
}

/// First and last step at which each memory-owning value holds data, `None` for values that nothing touches.
fn lifetimes(graph: &Graph, storage: &Storage, steps: &[Step]) -> Vec<Option<(usize, usize)>> {
    let mut lifetimes: Vec<Option<(usize, usize)>> = vec![None; graph.values.len()];
    let mut touch = |id: ValueId, step: usize| {
        if graph.value(id).constant.is_none() {
            let (root, _) = storage.resolve(id);
            let (first, last) = lifetimes[root.index()].get_or_insert((step, step));
            *first = step.min(*first);
            *last = step.max(*last);
        }
    };
    for &input in &graph.inputs {
        touch(input, 0);
    }
    for (index, step) in steps.iter().enumerate() {
        let interior: Vec<ValueId> = step.interior(graph).collect();
        for &position in &step.nodes {
            let node = &graph.nodes[position];
            for &value in node.inputs.iter().chain([&node.output]) {
                if !interior.contains(&value) {
                    touch(value, index);
                }
            }
        }
    }
    for &output in &graph.outputs {
        touch(output, steps.len());
    }
    lifetimes
}

/// Gives each living value a start in the arena such that values that live together never overlap.
fn place(
    graph: &Graph,
    lifetimes: &[Option<(usize, usize)>],
    encodings: &[Encoding],
) -> Result<(Vec<Option<usize>>, usize), ModelError> {
    struct Placed {
        lifetime: (usize, usize),
        range: Range<usize>,
    }
    let aligned = |index: usize| {
        let words = encodings[index].words(&graph.values[index].shape);
        words.next_multiple_of(ALIGNMENT)
    };
    let mut order: Vec<(usize, (usize, usize))> = lifetimes
        .iter()
        .enumerate()
        .filter_map(|(index, lifetime)| Some((index, (*lifetime)?)))
        .collect();
    order.sort_by_key(|&(index, lifetime)| (std::cmp::Reverse(aligned(index)), lifetime, index));

    let mut starts = vec![None; graph.values.len()];
    let mut placed: Vec<Placed> = Vec::with_capacity(order.len());
    let mut arena_len = 0usize;
    for (index, lifetime) in order {
        let len = aligned(index);
        let mut start = 0;
        // `placed` is sorted by start, so the first gap that is wide enough is the lowest.
        for other in placed
            .iter()
            .filter(|o| o.lifetime.0 <= lifetime.1 && lifetime.0 <= o.lifetime.1)
        {
            if start + len <= other.range.start {
                break;
            }
            start = start.max(other.range.end);
        }
        let range = start..start + len;
        if range.end > MAX_ARENA_LEN {
            let message = format!("its tensors need more than {} MiB", MAX_ARENA_LEN >> 18);
            return Err(ModelError::unsupported("plan", message));
        }
        arena_len = arena_len.max(range.end);
        starts[index] = Some(start);
        let at = placed.partition_point(|other| other.range.start < range.start);
        placed.insert(at, Placed { lifetime, range });
    }
    Ok((starts, arena_len))
}

fn cost(graph: &Graph, steps: &[Step], encodings: &[Encoding]) -> PlanCost {
    let mut cost = PlanCost {
        dispatches: steps.len() as u32,
        ..PlanCost::default()
    };
    let mut counted = vec![false; graph.values.len()];
    for step in steps {
        let (macs, activation_bytes) = step_cost(graph, step, encodings);
        cost.macs += macs;
        cost.activation_bytes += activation_bytes;
        let inputs = step
            .nodes
            .iter()
            .flat_map(|&position| &graph.nodes[position].inputs);
        for &input in inputs.filter(|&&input| graph.value(input).constant.is_some()) {
            if !std::mem::replace(&mut counted[input.index()], true) {
                let elements = element_count(graph.shape(input)) as u64;
                cost.parameters += elements;
                cost.weight_bytes += 4 * elements;
            }
        }
    }
    cost
}

/// Multiply-accumulates of a step, and the bytes that it reads and writes in the arena. What it reads twice comes from
/// a cache the second time.
fn step_cost(graph: &Graph, step: &Step, encodings: &[Encoding]) -> (u64, u64) {
    let interior: Vec<ValueId> = step.interior(graph).collect();
    let bytes = |id: ValueId| 4 * encodings[id.index()].words(graph.shape(id)) as u64;
    let (mut macs_of_step, mut moved) = (0, 0);
    let mut read: Vec<ValueId> = Vec::new();
    for &position in &step.nodes {
        let node = &graph.nodes[position];
        macs_of_step += macs(graph, node);
        if !interior.contains(&node.output) {
            moved += bytes(node.output);
        }
        for &input in &node.inputs {
            let is_frame_data = graph.value(input).constant.is_none();
            if is_frame_data && !interior.contains(&input) && !read.contains(&input) {
                moved += bytes(input);
                read.push(input);
            }
        }
    }
    (macs_of_step, moved)
}

/// Multiply-accumulates of a node.
pub fn macs(graph: &Graph, node: &Node) -> u64 {
    let outputs = element_count(graph.shape(node.output)) as u64;
    match &node.op {
        Op::Conv2d(_) => {
            let weights = graph.shape(node.inputs[1]);
            outputs * element_count(&weights[1..]) as u64
        }
        Op::DepthwiseConv2d(_) => {
            let weights = graph.shape(node.inputs[1]);
            outputs * (weights[1] * weights[2]) as u64
        }
        Op::Dequantize
        | Op::Densify
        | Op::Pad(_)
        | Op::Add(_)
        | Op::Activation(_)
        | Op::MaxPool2d(_)
        | Op::ResizeBilinear(_)
        | Op::Reshape
        | Op::Concat { .. }
        | Op::DepthToSpace { .. }
        | Op::GlobalAveragePool
        | Op::ScaleChannels => 0,
        Op::Tensor(op) => {
            let result = graph.type_of(node.output).to_owned();
            op.family().macs(&graph.operand_types(node), &result)
        }
    }
}
