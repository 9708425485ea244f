//! One node of a plan, prepared: packed weights, tables, and how its results are finished.

use std::ops::Range;

use super::activation::Apart;
use super::convolution::{Convolution, Geometry, Scratch};
use super::depthwise::Depthwise;
use super::direct::Direct;
use super::epilogue::{Finish, Order};
use super::instructions::Instructions;
use super::planar::Planar;
use super::residual::{Addend, UpsampleTable};
use super::rows::elements_of_rows;
use super::simd::Clamp;
use super::sparse::SparsePointwise;
use super::{pool, shuffle, squeeze_excite};
use crate::error::ModelError;
use crate::graph::{Activation, Constant, Graph, Node, Op, Residual, ValueId, element_count};
use crate::ops::{CpuKernel, NodeView, Operands, Words, WordsMut};

/// One node, prepared.
#[derive(Debug)]
pub struct Step {
    /// Position of the node in the plan's graph.
    pub node: usize,
    kernel: Kernel,
    ending: Ending,
}

/// Precomputed data of a step.
#[derive(Debug)]
enum Kernel {
    Convolution(Convolution),
    Direct(Direct),
    Planar(Planar),
    Sparse(SparsePointwise),
    Depthwise(Depthwise),
    Resize(UpsampleTable),
    /// A tensor operator, whose family knows the rest.
    Tensor(Box<dyn CpuKernel>),
    /// Everything that needs no preparation.
    Plain,
}

/// How a step finishes its results:
/// `residual.activation(activation(sum) + residual.inner(residual))`.
#[derive(Debug)]
struct Ending {
    /// What the kernel applies before it writes.
    clamp: Clamp,
    /// How the kernel adds the residual. It can wherever at most one activation stands before or after the addition
    /// and is a clamp, which is everywhere in the known models; other cases take a second walk over the output.
    order: Option<Order>,
    /// An activation before the residual that is no clamp, or that of an operator which is nothing else.
    apart: Apart,
    residual: Option<Residual>,
    /// For a residual that is enlarged on the fly.
    table: Option<UpsampleTable>,
}

impl Ending {
    fn of(graph: &Graph, node: &Node, instructions: Instructions) -> Self {
        let (activation, residual, can_add) = match &node.op {
            Op::Conv2d(conv) => (conv.activation, conv.residual, true),
            Op::DepthwiseConv2d(conv) => (conv.activation, conv.residual, false),
            Op::Add(residual) => (Activation::None, Some(*residual), false),
            Op::Activation(activation) => (*activation, None, false),
            Op::MaxPool2d(pool) => (pool.activation, None, false),
            Op::Dequantize
            | Op::Densify
            | Op::Pad(_)
            | Op::ResizeBilinear(_)
            | Op::Reshape
            | Op::Concat { .. }
            | Op::DepthToSpace { .. }
            | Op::GlobalAveragePool
            | Op::ScaleChannels
            | Op::Tensor(_) => (Activation::None, None, false),
        };
        let table = residual
            .and_then(|residual| residual.upsample)
            .and_then(|bilinear| {
                let small = *node.inputs.last()?;
                let (from, to) = (graph.shape(small), graph.shape(node.output));
                Some(UpsampleTable::new(bilinear, from, to))
            });
        let inner = Clamp::of(activation);
        let outer = residual.and_then(|residual| Clamp::of(residual.activation));
        let (clamp, order) = match (inner, outer, residual) {
            (_, Some(outer), _) if can_add && activation == Activation::None => {
                (outer, Some(Order::ClampLast))
            }
            (Some(inner), _, Some(residual)) if can_add && residual.activation == Activation::None => {
                (inner, Some(Order::ClampFirst))
            }
            (inner, _, _) => (inner.unwrap_or(Clamp::NONE), None),
        };
        Self {
            clamp,
            order,
            apart: Apart {
                activation: if inner.is_some() && !matches!(node.op, Op::Activation(_) | Op::MaxPool2d(_)) {
                    Activation::None
                } else {
                    activation
                },
                is_score: element_count(graph.shape(node.output)) == 1,
                instructions,
            },
            residual,
            table,
        }
    }

    /// What the kernel leaves to do.
    fn finish(
        &self,
        addend: Option<Addend<'_>>,
        first_pixel: usize,
        channels: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        if let (Some(residual), Some(addend), false) = (self.residual, addend, self.order.is_some()) {
            let memory = &mut scratch.enlarged;
            addend.add_to(first_pixel, out, channels, residual.activation, memory);
        }
    }
}

impl Step {
    /// Packs the weights of the node at `position` and builds its tables.
    pub fn prepare(graph: &Graph, position: usize, instructions: Instructions) -> Result<Self, ModelError> {
        let node = &graph.nodes[position];
        let constant = |index: usize| graph.value(node.inputs[index]).constant.as_ref();
        let weights = |index: usize| {
            let constant = constant(index).and_then(Constant::to_f32);
            constant.ok_or_else(|| ModelError::invalid(&node.origin, "its weights are not f32 constants"))
        };
        let (from, to) = (graph.shape(node.inputs[0]), graph.shape(node.output));
        let kernel = match &node.op {
            Op::Conv2d(conv) => {
                let geometry = Geometry::new(*conv, from, graph.shape(node.inputs[1]), to);
                // Sixteen lanes multiply with the zeros in less time than four lanes take without them.
                let skips_zeros = instructions.lanes() <= 8;
                let bias = &weights(2)?;
                if Planar::suits(&geometry, bias.len()) {
                    Kernel::Planar(Planar::new(geometry, &weights(1)?, bias[0], instructions))
                } else if skips_zeros
                    && let Some(Constant::Compact(compact)) = constant(1)
                    && let Some(kernel) = SparsePointwise::of_compact(&geometry, compact, bias)
                {
                    Kernel::Sparse(kernel)
                } else {
                    let weights = &weights(1)?;
                    let sparse = skips_zeros
                        .then(|| SparsePointwise::new(&geometry, weights, bias))
                        .flatten();
                    match (sparse, instructions.wide()) {
                        (Some(kernel), _) => Kernel::Sparse(kernel),
                        (None, Some(wide)) => Kernel::Direct(Direct::new(geometry, weights, bias, wide)),
                        (None, None) => Kernel::Convolution(Convolution::new(geometry, weights, bias)),
                    }
                }
            }
            Op::DepthwiseConv2d(conv) => {
                let shape = graph.shape(node.inputs[1]);
                let (weights, bias) = (&weights(1)?, &weights(2)?);
                Kernel::Depthwise(Depthwise::new(
                    *conv,
                    from,
                    weights,
                    shape,
                    bias,
                    to,
                    instructions,
                ))
            }
            Op::ResizeBilinear(bilinear) => Kernel::Resize(UpsampleTable::new(*bilinear, from, to)),
            Op::Tensor(op) => Kernel::Tensor(op.family().prepare(&NodeView::new(graph, node))?),
            Op::Dequantize
            | Op::Densify
            | Op::Pad(_)
            | Op::Add(_)
            | Op::Activation(_)
            | Op::MaxPool2d(_)
            | Op::Reshape
            | Op::Concat { .. }
            | Op::DepthToSpace { .. }
            | Op::GlobalAveragePool
            | Op::ScaleChannels => Kernel::Plain,
        };
        Ok(Self {
            node: position,
            kernel,
            ending: Ending::of(graph, node, instructions),
        })
    }

    /// Computes these rows of the node's output in the arena; `places` says where each value lives, by value index.
    /// Nodes that [`rows::is_divisible`](super::rows::is_divisible) does not name are given all their rows.
    pub fn run(
        &self,
        graph: &Graph,
        places: &[Range<usize>],
        rows: Range<usize>,
        arena: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let node = &graph.nodes[self.node];
        let place = |id: ValueId| places[id.index()].clone();
        if let Kernel::Tensor(kernel) = &self.kernel {
            // No channels, and maybe no elements: none of what follows.
            let (around, out) = Around::split(arena, place(node.output));
            let operands = NodeOperands { around, node, places };
            return kernel.run(&operands, WordsMut(out));
        }
        let to = graph.shape(node.output);
        // Where the rows lie in the output, and in operands of its shape.
        let part = elements_of_rows(to, rows.clone());
        let whole = place(node.output);
        let (around, out) = Around::split(arena, whole.start + part.start..whole.start + part.end);
        let operand = |index: usize| around.read(place(node.inputs[index]));
        let shape = |index: usize| graph.shape(node.inputs[index]);
        let channels = to[to.len() - 1];
        let (first_row, first_pixel) = (rows.start, part.start / channels);
        let x = operand(0);
        let (ending, clamp) = (&self.ending, self.ending.clamp);
        // The residual is the last operand.
        let addend = ending.residual.map(|residual| Addend {
            data: operand(node.inputs.len() - 1),
            activation: residual.inner,
            table: ending.table.as_ref(),
            instructions: ending.apart.instructions,
        });
        let finish = Finish {
            clamp,
            residual: ending.order.zip(addend),
            apart: ending.apart,
        };
        match (&node.op, &self.kernel) {
            (Op::Conv2d(_), Kernel::Convolution(kernel)) => kernel.run(x, first_pixel, finish, scratch, out),
            (Op::Conv2d(_), Kernel::Direct(kernel)) => kernel.run(x, first_pixel, finish, scratch, out),
            (Op::Conv2d(_), Kernel::Planar(kernel)) => kernel.run(x, first_pixel, finish, scratch, out),
            (Op::Conv2d(_), Kernel::Sparse(kernel)) => kernel.run(x, first_pixel, finish, scratch, out),
            (Op::DepthwiseConv2d(_), Kernel::Depthwise(kernel)) => {
                kernel.run(x, first_row, clamp, scratch, out);
                ending.apart.apply(out);
            }
            (Op::ResizeBilinear(_), Kernel::Resize(table)) => {
                table.resize(x, first_row, out, &mut scratch.enlarged);
            }
            // Its activation is how it ends.
            (Op::Activation(_) | Op::Add(_), _) => {
                out.copy_from_slice(&x[part]);
                ending.apart.apply(out);
            }
            (Op::MaxPool2d(pool), _) => {
                pool::max_pool(x, shape(0), pool, first_row, ending.apart.instructions, out, to);
                ending.apart.apply(out);
            }
            (Op::Pad(amounts), _) => shuffle::pad(x, shape(0), amounts, out, to),
            (Op::Concat { axis }, _) => {
                let mut offset = 0;
                for index in 0..node.inputs.len() {
                    shuffle::concat_operand(operand(index), shape(index), *axis, offset, out, to);
                    offset += shape(index)[*axis];
                }
            }
            (Op::GlobalAveragePool, _) => squeeze_excite::global_average(x, shape(0), out),
            (Op::ScaleChannels, _) => squeeze_excite::scale_channels(&x[part], operand(1), out),
            (Op::DepthToSpace { block }, _) => shuffle::depth_to_space(x, shape(0), *block, out, to),
            (
                Op::Dequantize
                | Op::Densify
                | Op::Reshape
                | Op::Conv2d(_)
                | Op::DepthwiseConv2d(_)
                | Op::ResizeBilinear(_)
                | Op::Tensor(_),
                _,
            ) => unreachable!("`prepare` pairs each operator with its kernel, and plans hold no other steps"),
        }
        // Nothing, where the kernel has done it all.
        ending.finish(addend, first_pixel, channels, scratch, out);
    }
}

/// The operands of a tensor operator, beside its result.
struct NodeOperands<'a> {
    around: Around<'a>,
    node: &'a Node,
    places: &'a [Range<usize>],
}

impl Operands for NodeOperands<'_> {
    fn words(&self, index: usize) -> Words<'_> {
        let range = self.places[self.node.inputs[index].index()].clone();
        Words(self.around.read(range))
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
