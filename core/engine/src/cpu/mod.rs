//! The CPU backend: runs a plan with vectors of four f32, the same code in the browser and natively.
//!
//! A [`Session`] owns the plan, its packed weights and one arena. Running a frame allocates nothing, but for a residual
//! behind a sigmoid, which no known model has. Tensors are dense NHWC f32.

mod convolution;
mod depthwise;
mod epilogue;
mod pool;
mod shuffle;
mod simd;

use std::ops::Range;

use self::convolution::Convolution;
use self::depthwise::Depthwise;
use self::epilogue::{
    Epilogue, NoResidual, ResidualSource, SameResidual, UpsampleTable, UpsampledResidual, apply_activation,
};
use self::simd::{Clamp, LANES, f32x4};
use crate::error::ModelError;
use crate::graph::{Activation, Constant, Node, Op, Residual, ValueId, element_count};
use crate::plan::{ALIGNMENT, Plan};

/// A plan that is ready to take frames.
#[derive(Debug)]
pub struct Session {
    plan: Plan,
    /// By value index: where it lives in `arena`. Values inside a step have a place behind the plan's arena.
    places: Vec<Range<usize>>,
    steps: Vec<Step>,
    arena: Vec<f32>,
    /// Patches of the block that a convolution is working on.
    scratch: Vec<f32>,
}

/// One step of the plan, prepared.
#[derive(Debug)]
struct Step {
    /// Position of the node in the plan's graph.
    node: usize,
    kernel: Kernel,
    addend: Addend,
}

/// Precomputed data of a step.
#[derive(Debug)]
enum Kernel {
    Convolution(Convolution),
    Depthwise(Depthwise),
    Resize(UpsampleTable),
    /// Everything that needs no preparation.
    Direct,
}

/// How a step finishes its results.
#[derive(Debug)]
struct Addend {
    /// `None` where an activation is no clamp: then the kernel leaves its sums as they are, and a second walk over
    /// the output finishes them.
    clamps: Option<(Clamp, Clamp)>,
    /// For a residual that is enlarged on the fly.
    table: Option<UpsampleTable>,
}

impl Session {
    /// Packs the weights of a plan.
    ///
    /// # Errors
    /// *Invalid* when a node's weights are not f32 constants; [`Plan::new`] lets no such plan pass.
    pub fn new(mut plan: Plan) -> Result<Self, ModelError> {
        let steps = plan
            .steps
            .iter()
            .flat_map(|step| &step.nodes)
            .map(|&node| prepare(&plan, node))
            .collect::<Result<Vec<_>, _>>()?;
        let (places, arena_len) = places(&plan);
        for value in &mut plan.graph.values {
            // The packed copies serve from here on.
            value.constant = value.constant.take().map(|_| Constant::F32([].into()));
        }
        let scratch_len = steps.iter().map(|step| match &step.kernel {
            Kernel::Convolution(convolution) => convolution.scratch_len(),
            Kernel::Depthwise(_) | Kernel::Resize(_) | Kernel::Direct => 0,
        });
        let scratch = vec![0.0; scratch_len.max().unwrap_or(0)];
        let arena = vec![0.0; arena_len];
        Ok(Self {
            plan,
            places,
            steps,
            arena,
            scratch,
        })
    }

    /// The plan that this session runs; its constants are emptied.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where to write input number `index`, dense NHWC. It is overwritten by [`Self::run`].
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

    /// Computes all outputs from the inputs written before.
    pub fn run(&mut self) {
        for step in &self.steps {
            step.run(&self.plan, &self.places, &mut self.arena, &mut self.scratch);
        }
    }

    /// The output with this name after the last [`Self::run`]; `None` when the plan has no such output.
    pub fn output(&self, name: &str) -> Option<&[f32]> {
        let id = self.plan.graph.output_named(name)?;
        self.plan.arena_range(id).map(|range| &self.arena[range])
    }
}

/// A place for every value: the plan's, and for values inside a step one behind the arena, where steps take turns.
/// Also the length of both together.
fn places(plan: &Plan) -> (Vec<Range<usize>>, usize) {
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
    (places, len)
}

fn prepare(plan: &Plan, position: usize) -> Result<Step, ModelError> {
    let graph = &plan.graph;
    let node = &graph.nodes[position];
    let weights = |index: usize| {
        let constant = graph
            .value(node.inputs[index])
            .constant
            .as_ref()
            .and_then(Constant::as_f32);
        constant.ok_or_else(|| ModelError::invalid(&node.origin, "its weights are not f32 constants"))
    };
    let (from, to) = (graph.shape(node.inputs[0]), graph.shape(node.output));
    let (kernel, addend) = match &node.op {
        Op::Conv2d(conv) => {
            let shape = graph.shape(node.inputs[1]);
            let kernel = Convolution::new(*conv, from, weights(1)?, shape, weights(2)?, to);
            (
                Kernel::Convolution(kernel),
                addend(plan, node, conv.activation, conv.residual),
            )
        }
        Op::DepthwiseConv2d(conv) => {
            let shape = graph.shape(node.inputs[1]);
            let kernel = Depthwise::new(*conv, from, weights(1)?, shape, weights(2)?, to);
            (
                Kernel::Depthwise(kernel),
                addend(plan, node, conv.activation, conv.residual),
            )
        }
        Op::Add(residual) => (
            Kernel::Direct,
            addend(plan, node, Activation::None, Some(*residual)),
        ),
        Op::ResizeBilinear(bilinear) => (
            Kernel::Resize(UpsampleTable::new(*bilinear, from, to)),
            addend(plan, node, Activation::None, None),
        ),
        Op::Dequantize
        | Op::Densify
        | Op::Pad(_)
        | Op::Activation(_)
        | Op::MaxPool2d(_)
        | Op::Reshape
        | Op::Concat { .. }
        | Op::DepthToSpace { .. } => (Kernel::Direct, addend(plan, node, Activation::None, None)),
    };
    Ok(Step {
        node: position,
        kernel,
        addend,
    })
}

fn addend(plan: &Plan, node: &Node, activation: Activation, residual: Option<Residual>) -> Addend {
    let outer = residual.map_or(Activation::None, |residual| residual.activation);
    let table = residual
        .and_then(|residual| residual.upsample)
        .and_then(|bilinear| {
            let small = *node.inputs.last()?;
            Some(UpsampleTable::new(
                bilinear,
                plan.graph.shape(small),
                plan.graph.shape(node.output),
            ))
        });
    Addend {
        clamps: Clamp::of(activation).zip(Clamp::of(outer)),
        table,
    }
}

/// The arena around the range that a step writes: everything else can be read meanwhile.
struct Around<'a> {
    before: &'a [f32],
    after: &'a [f32],
    after_start: usize,
}

impl<'a> Around<'a> {
    fn split(arena: &'a mut [f32], written: Range<usize>) -> (Self, &'a mut [f32]) {
        let (before, rest) = arena.split_at_mut(written.start);
        let (out, after) = rest.split_at_mut(written.len());
        (
            Self {
                before,
                after,
                after_start: written.end,
            },
            out,
        )
    }

    fn read(&self, range: Range<usize>) -> &'a [f32] {
        if range.end <= self.before.len() {
            &self.before[range]
        } else {
            &self.after[range.start - self.after_start..range.end - self.after_start]
        }
    }
}

impl Step {
    fn run(&self, plan: &Plan, places: &[Range<usize>], arena: &mut [f32], scratch: &mut [f32]) {
        let graph = &plan.graph;
        let node = &graph.nodes[self.node];
        let place = |id: ValueId| places[id.index()].clone();
        let (around, out) = Around::split(arena, place(node.output));
        let operand = |index: usize| around.read(place(node.inputs[index]));
        let shape = |index: usize| graph.shape(node.inputs[index]);
        let to = graph.shape(node.output);
        let x = operand(0);
        match (&node.op, &self.kernel) {
            (Op::Conv2d(conv), Kernel::Convolution(kernel)) => {
                let source = conv.residual.map(|residual| (residual, operand(3)));
                let run = Run::Convolution { kernel, x, scratch };
                self.addend.finish(run, conv.activation, source, to, out);
            }
            (Op::DepthwiseConv2d(conv), Kernel::Depthwise(kernel)) => {
                let source = conv.residual.map(|residual| (residual, operand(3)));
                self.addend
                    .finish(Run::Depthwise { kernel, x }, conv.activation, source, to, out);
            }
            (Op::Add(residual), _) => {
                let source = Some((*residual, operand(1)));
                self.addend.finish(
                    Run::Copy {
                        x,
                        channels: to[to.len() - 1],
                    },
                    Activation::None,
                    source,
                    to,
                    out,
                );
            }
            (Op::ResizeBilinear(_), Kernel::Resize(table)) => table.resize(x, out),
            (Op::Activation(activation), _) => {
                out.copy_from_slice(x);
                apply_activation(*activation, out);
            }
            (Op::MaxPool2d(pool), _) => pool::max_pool(x, shape(0), pool, out, to),
            (Op::Pad(amounts), _) => shuffle::pad(x, shape(0), amounts, out, to),
            (Op::Concat { axis }, _) => {
                let mut offset = 0;
                for index in 0..node.inputs.len() {
                    shuffle::concat_operand(operand(index), shape(index), *axis, offset, out, to);
                    offset += shape(index)[*axis];
                }
            }
            (Op::DepthToSpace { block }, _) => shuffle::depth_to_space(x, shape(0), *block, out, to),
            (
                Op::Dequantize
                | Op::Densify
                | Op::Reshape
                | Op::Conv2d(_)
                | Op::DepthwiseConv2d(_)
                | Op::ResizeBilinear(_),
                _,
            ) => unreachable!("`prepare` pairs each operator with its kernel, and plans hold no other steps"),
        }
    }
}

/// A kernel with its operands, waiting for an epilogue.
enum Run<'a> {
    Convolution {
        kernel: &'a Convolution,
        x: &'a [f32],
        scratch: &'a mut [f32],
    },
    Depthwise {
        kernel: &'a Depthwise,
        x: &'a [f32],
    },
    /// An addition on its own: the "kernel" only reads.
    Copy {
        x: &'a [f32],
        channels: usize,
    },
}

impl Run<'_> {
    fn with<R: ResidualSource>(self, out: &mut [f32], epilogue: &Epilogue<R>) {
        match self {
            Run::Convolution { kernel, x, scratch } => kernel.run(x, scratch, out, epilogue),
            Run::Depthwise { kernel, x } => kernel.run(x, out, epilogue),
            Run::Copy { x, channels } => {
                for (pixel, (out, x)) in out
                    .chunks_exact_mut(channels)
                    .zip(x.chunks_exact(channels))
                    .enumerate()
                {
                    for (quad, (out, x)) in out.chunks_mut(LANES).zip(x.chunks(LANES)).enumerate() {
                        match <[f32; LANES]>::try_from(x) {
                            Ok(x) => {
                                out.copy_from_slice(&epilogue.quad(pixel, quad, f32x4::new(x)).to_array())
                            }
                            Err(_) => {
                                let x = [0, 1, 2, 3].map(|lane| x.get(lane).copied().unwrap_or(0.0));
                                epilogue.ragged(pixel, quad * LANES, f32x4::new(x), out);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Addend {
    fn finish(
        &self,
        run: Run<'_>,
        activation: Activation,
        residual: Option<(Residual, &[f32])>,
        shape: &[usize],
        out: &mut [f32],
    ) {
        let channels = shape[shape.len() - 1];
        let Some((inner, outer)) = self.clamps else {
            let identity = Clamp::of(Activation::None).expect("the identity is a clamp");
            run.with(
                out,
                &Epilogue {
                    inner: identity,
                    residual: NoResidual,
                    outer: identity,
                },
            );
            apply_activation(activation, out);
            if let Some((residual, data)) = residual {
                let sums = out.to_vec();
                let copy = Run::Copy { x: &sums, channels };
                self.add(copy, identity, identity, Some(data), channels, out);
                apply_activation(residual.activation, out);
            }
            return;
        };
        self.add(run, inner, outer, residual.map(|(_, data)| data), channels, out);
    }

    fn add(
        &self,
        run: Run<'_>,
        inner: Clamp,
        outer: Clamp,
        data: Option<&[f32]>,
        channels: usize,
        out: &mut [f32],
    ) {
        match (data, &self.table) {
            (None, _) => run.with(
                out,
                &Epilogue {
                    inner,
                    residual: NoResidual,
                    outer,
                },
            ),
            (Some(data), None) => {
                run.with(
                    out,
                    &Epilogue {
                        inner,
                        residual: SameResidual { data, channels },
                        outer,
                    },
                );
            }
            (Some(data), Some(table)) => {
                run.with(
                    out,
                    &Epilogue {
                        inner,
                        residual: UpsampledResidual { data, table },
                        outer,
                    },
                );
            }
        }
    }
}
