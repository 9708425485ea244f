//! From a plan to a recording: one dispatch for each step, in order.
//!
//! Shaders whose texts are equal become one, so a network of repeated blocks compiles few pipelines: the text
//! holds shapes, not places, and places are ranges in the bind groups.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::deferred::DeferredPort;
use super::epilogue::{self, Extent};
use super::kernels::convolution::Window;
use super::kernels::pointwise::Pointwise;
use super::kernels::{
    concat, convolution, depth_to_space, depthwise, elementwise, pad, pool, resize, squeeze_excite,
};
use super::pack::{self, Packed};
use super::recording::{
    ARENA, BINDING_ALIGNMENT, BindGroup, Buffer, Dispatch, MAX_BINDING_BYTES, MAX_BINDINGS, MAX_BUFFER_BYTES,
    Port, Recording, Shader, WeightLimits,
};
use super::shader::{self, Form, Kernel, Operand, Place};
use super::weights::{self, Weights};
use crate::error::ModelError;
use crate::fusion::Fusion;
use crate::graph::{Activation, Constant, Conv2d, Node, Op, Residual, ValueId, element_count};
use crate::ops::NodeView;
use crate::plan::{Placement, Plan};

/// Inputs that one concatenation kernel takes: the result needs a binding too.
const MAX_CONCAT_INPUTS: usize = MAX_BINDINGS - 1;

/// Writes down what a GPU has to do for one frame.
///
/// # Errors
/// *Unsupported* when a tensor or the weights exceed what every WebGPU adapter guarantees, or a node has a
/// shape that no kernel covers (a batch, a residual of another number of channels).
pub fn record(plan: &Plan) -> Result<Recording, ModelError> {
    record_divided(plan, WeightLimits::GUARANTEED)
}

/// The same, with weights divided at other sizes: those above `limits` lie in several buffers, and what computes with
/// one that no binding takes is several dispatches, with the same results bit for bit.
///
/// # Errors
/// As [`record`].
pub fn record_divided(plan: &Plan, limits: WeightLimits) -> Result<Recording, ModelError> {
    let pool_starts = plan.placements.iter().filter_map(|placement| match placement {
        Placement::Pool(words) => Some(words.start),
        Placement::Arena(_) | Placement::Constant | Placement::Unused => None,
    });
    let mut recorder = Recorder {
        plan,
        weights: Weights::new(&plan.pool, pool_starts.collect(), limits),
        shaders: Vec::new(),
        by_text: HashMap::new(),
    };
    let (mut bind_groups, mut dispatches) = (Vec::new(), Vec::new());
    for step in &plan.steps {
        let Some(&last) = step.nodes.last() else { continue };
        let node = &plan.graph.nodes[last];
        let kernels = match &step.fusion {
            Fusion::Single => recorder.kernels(node)?,
            Fusion::Block(block) => vec![recorder.block(block)?],
            Fusion::Tail => vec![recorder.tail(&step.nodes)?],
        };
        for kernel in kernels {
            let (shader, bindings, workgroups) = recorder.shader(node, &kernel)?;
            let group = BindGroup { shader, bindings };
            let bind_group = bind_groups.iter().position(|g| *g == group).unwrap_or_else(|| {
                bind_groups.push(group);
                bind_groups.len() - 1
            });
            dispatches.push(Dispatch {
                label: node.origin.clone(),
                shader,
                bind_group,
                workgroups,
            });
        }
    }

    let mut read_back_bytes = 0;
    let mut port = |id: ValueId, is_output: bool| -> Result<Port, ModelError> {
        let value = plan.graph.value(id);
        let (buffer, range) = match &plan.placements[id.index()] {
            Placement::Pool(words) => recorder.weights.of_pool(words),
            Placement::Arena(_) | Placement::Constant | Placement::Unused => {
                let words = recorder.arena_range(id, &value.name)?;
                (ARENA, 4 * words.start..4 * words.end)
            }
        };
        let read_back_offset = if is_output { read_back_bytes } else { 0 };
        if is_output {
            read_back_bytes += range.len() as u64;
        }
        Ok(Port {
            name: value.name.clone(),
            shape: value.shape.clone(),
            buffer,
            offset: range.start as u64,
            read_back_offset,
            len: range.len() / 4,
        })
    };
    let inputs = plan
        .graph
        .inputs
        .iter()
        .map(|&id| port(id, false))
        .collect::<Result<_, _>>()?;
    let outputs: Vec<Port> = plan
        .graph
        .outputs
        .iter()
        .map(|&id| port(id, true))
        .collect::<Result<_, _>>()?;
    let mut deferred = Vec::with_capacity(plan.deferred.len());
    for left in &plan.deferred {
        let source = port(left.source, false)?;
        deferred.push((left, source));
    }
    let deferred = deferred
        .into_iter()
        .map(|(left, source)| DeferredPort::of(&mut recorder, left, source))
        .collect::<Result<_, _>>()?;

    let arena_bytes = (plan.arena_len as u64 * 4)
        .next_multiple_of(BINDING_ALIGNMENT)
        .max(BINDING_ALIGNMENT);
    let mut buffers = vec![Buffer {
        label: "arena",
        bytes: arena_bytes,
        contents: Vec::new(),
    }];
    buffers.extend(recorder.weights.into_buffers());
    for (number, buffer) in buffers.iter().enumerate() {
        let (what, most) = match number {
            ARENA => ("what a frame computes", MAX_BUFFER_BYTES),
            _ => ("a constant", limits.buffer_bytes),
        };
        if buffer.bytes > most {
            let message = format!(
                "{what} needs {} bytes; a WebGPU buffer holds {most}",
                buffer.bytes
            );
            return Err(ModelError::unsupported("plan", message));
        }
    }
    Ok(Recording {
        shaders: recorder.shaders,
        buffers,
        bind_groups,
        dispatches,
        inputs,
        outputs,
        deferred,
        // A buffer is never empty, though all outputs may be.
        read_back_bytes: read_back_bytes.max(4),
    })
}

pub(crate) struct Recorder<'a> {
    pub(super) plan: &'a Plan,
    /// The plan's pool, then what kernels pack.
    weights: Weights,
    shaders: Vec<Shader>,
    by_text: HashMap<String, usize>,
}

impl Recorder<'_> {
    /// The kernels of a node: one, but for a concatenation of more inputs than a shader has bindings, a convolution by
    /// more weights than a binding takes, and some tensor operators.
    fn kernels(&mut self, node: &Node) -> Result<Vec<Kernel>, ModelError> {
        let kernel = match &node.op {
            Op::Conv2d(conv) => return self.convolution(node, *conv),
            Op::DepthwiseConv2d(conv) => self.depthwise(node, *conv)?,
            Op::Add(residual) => {
                let (mut operands, [height, width, channels]) = self.one_to_one(node)?;
                let extent = self.residual_extent(node, 1, *residual)?;
                operands.push(self.image_operand("r", node, node.inputs[1])?);
                let finish = epilogue::finish(Activation::None, Some((*residual, extent)), [height, width]);
                elementwise::kernel("add", height * width, channels, operands, finish)
            }
            Op::Activation(activation) => {
                let (operands, [height, width, channels]) = self.one_to_one(node)?;
                let finish = epilogue::finish(*activation, None, [height, width]);
                elementwise::kernel("activation", height * width, channels, operands, finish)
            }
            Op::MaxPool2d(window) => {
                let (operands, [out_height, out_width, channels]) = self.one_to_one(node)?;
                let [height, width, _] = self.image(node, node.inputs[0])?;
                pool::kernel(
                    *window,
                    [height, width],
                    [out_height, out_width],
                    channels,
                    operands,
                )
            }
            Op::ResizeBilinear(bilinear) => {
                let (operands, [out_height, out_width, channels]) = self.one_to_one(node)?;
                let [height, width, _] = self.image(node, node.inputs[0])?;
                resize::kernel(
                    *bilinear,
                    [height, width],
                    [out_height, out_width],
                    channels,
                    operands,
                )
            }
            Op::Pad(padding) => self.pad(node, padding)?,
            Op::Concat { axis } => return self.concat(node, *axis),
            Op::DepthToSpace { block } => {
                let [height, width, _] = self.image(node, node.inputs[0])?;
                let [_, _, channels] = self.image(node, node.output)?;
                let lanes = lanes_for(&[channels]);
                let operands = self.flat_pair(node, lanes)?;
                depth_to_space::kernel(*block, [height, width], channels / lanes, operands)
            }
            Op::GlobalAveragePool => {
                let (operands, [_, _, channels]) = self.one_to_one(node)?;
                let [height, width, _] = self.image(node, node.inputs[0])?;
                squeeze_excite::average(height * width, channels, operands)
            }
            Op::ScaleChannels => {
                let (mut operands, [height, width, channels]) = self.one_to_one(node)?;
                operands.push(self.image_operand("scale", node, node.inputs[1])?);
                squeeze_excite::scale(height * width, channels, operands)
            }
            Op::Tensor(op) => {
                let plan = self.plan;
                return op.family().record(&NodeView::new(&plan.graph, node), self);
            }
            Op::Dequantize | Op::Densify | Op::Reshape => {
                let message = format!(
                    "{} is no work for a frame; run the passes and plan again",
                    node.op.name()
                );
                return Err(ModelError::unsupported(&node.origin, message));
            }
        };
        Ok(vec![kernel])
    }

    /// Several kernels where no binding takes all weights: each computes a run of the output channels, whose sums are
    /// what they would be, from a part of the weights.
    fn convolution(&mut self, node: &Node, conv: Conv2d) -> Result<Vec<Kernel>, ModelError> {
        let [height, width, in_channels] = self.image(node, node.inputs[0])?;
        let [out_height, out_width, out_channels] = self.image(node, node.output)?;
        let plan = self.plan;
        let (taps, weights) = weights_of(plan, node)?;
        let parts = self.dense_weights(node, &weights, [out_channels, taps[0] * taps[1], in_channels])?;
        let output = [out_height, out_width];
        let (operands, finish) = self.weighted(node, conv, output, parts[0].1.clone(), Form::TILES)?;
        let window = Window {
            input: [height, width],
            output,
            taps,
            conv,
        };
        // One tap that meets every pixel once: the image is a plain list of pixels.
        let pointwise = taps == [1, 1] && conv.stride == [1, 1] && window.input == output;
        let kernel = if pointwise {
            let pixels = height * width;
            Pointwise {
                pixels,
                in_channels,
                out_channels,
            }
            .kernel(operands, finish)
        } else {
            convolution::kernel(window, in_channels, out_channels, operands, finish)
        };
        if parts.len() == 1 {
            return Ok(vec![kernel]);
        }
        let (blocks, tiles) = (
            out_channels.div_ceil(4),
            taps[0] * taps[1] * in_channels.div_ceil(4),
        );
        let parts = parts.into_iter();
        Ok(parts
            .map(|(run, place)| kernel.part(run, blocks, tiles, place))
            .collect())
    }

    /// Stores dense weights `[outputs, taps, inputs]`: runs of blocks of four outputs that a binding takes, and the place
    /// of each.
    fn dense_weights(
        &mut self,
        node: &Node,
        weights: &[f32],
        [outputs, taps, inputs]: [usize; 3],
    ) -> Result<Vec<(Range<usize>, Place)>, ModelError> {
        let (blocks, tiles) = (outputs.div_ceil(4), taps * inputs.div_ceil(4));
        // A thread computes one block or two.
        let step = if blocks.is_multiple_of(2) { 2 } else { 1 };
        let limits = self.weights.limits();
        // A tile has sixteen elements.
        if blocks as u64 * tiles as u64 * 64 <= limits.binding_bytes {
            let packed = pack::pack(&pack::dense_tiles(weights, outputs, taps, inputs));
            return Ok(vec![(0..blocks, self.store(packed))]);
        }
        let is_half = pack::is_half(weights);
        let block_bytes = tiles as u64 * if is_half { 32 } else { 64 };
        let runs = weights::parts(blocks, block_bytes, step, limits).ok_or_else(|| {
            let (bytes, most) = (step as u64 * block_bytes, limits.binding_bytes);
            let message =
                format!("{bytes} bytes of weights for each of its outputs; WebGPU binds at most {most}");
            ModelError::unsupported(&node.origin, message)
        })?;
        let row = taps * inputs;
        let mut store = |run: Range<usize>| {
            let outputs = 4 * run.start..outputs.min(4 * run.end);
            let rows = &weights[outputs.start * row..outputs.end * row];
            let tiles = pack::dense_tiles(rows, outputs.len(), taps, inputs);
            (run, self.store(pack::pack_as(&tiles, is_half)))
        };
        // One after the other, so that only one is there twice.
        Ok(runs.into_iter().map(&mut store).collect())
    }

    fn depthwise(&mut self, node: &Node, conv: Conv2d) -> Result<Kernel, ModelError> {
        let [height, width, in_channels] = self.image(node, node.inputs[0])?;
        let [out_height, out_width, channels] = self.image(node, node.output)?;
        if in_channels != channels {
            let message = format!("a depthwise convolution from {in_channels} to {channels} channels");
            return Err(ModelError::unsupported(&node.origin, message));
        }
        let (taps, weights) = weights_of(self.plan, node)?;
        let rows = self.store(pack::pack(&pack::padded_rows(&weights, channels)));
        let output = [out_height, out_width];
        let (operands, finish) = self.weighted(node, conv, output, rows, Form::Taps)?;
        let window = Window {
            input: [height, width],
            output,
            taps,
            conv,
        };
        Ok(depthwise::kernel(window, channels, operands, finish))
    }

    /// Operands `x`, `w`, `c`, `y` and maybe `r` of a convolution, and its epilogue.
    fn weighted(
        &mut self,
        node: &Node,
        conv: Conv2d,
        output: Extent,
        weights: Place,
        form: Form,
    ) -> Result<(Vec<Operand>, String), ModelError> {
        let bias = constant(self.plan, node, node.inputs[2])?;
        let bias = pack::pack_f32(&pack::padded_rows(&bias, bias.len()));
        let bias_channels = bias.bytes.len() / 4;
        let mut w = Operand::image("w", weights, 4);
        w.form = form;
        let mut operands = vec![
            self.image_operand("x", node, node.inputs[0])?,
            w,
            Operand::image("c", self.store(bias), bias_channels),
            self.image_operand("y", node, node.output)?.written(),
        ];
        let mut residual = None;
        if let Some(sum) = conv.residual {
            residual = Some((sum, self.residual_extent(node, 3, sum)?));
            operands.push(self.image_operand("r", node, node.inputs[3])?);
        }
        Ok((operands, epilogue::finish(conv.activation, residual, output)))
    }

    fn pad(&mut self, node: &Node, padding: &[(usize, usize)]) -> Result<Kernel, ModelError> {
        let mut sizes = self.plan.graph.shape(node.inputs[0]).to_vec();
        let mut padding = padding.to_vec();
        let (Some(size), Some(pair)) = (sizes.last_mut(), padding.last_mut()) else {
            return Err(ModelError::unsupported(&node.origin, "padding of a scalar"));
        };
        let lanes = lanes_for(&[*size, pair.0, pair.1]);
        *size /= lanes;
        *pair = (pair.0 / lanes, pair.1 / lanes);
        Ok(pad::kernel(&sizes, &padding, lanes, self.flat_pair(node, lanes)?))
    }

    fn concat(&mut self, node: &Node, axis: usize) -> Result<Vec<Kernel>, ModelError> {
        let shape = |id: ValueId| self.plan.graph.shape(id);
        let pieces: Vec<usize> = node
            .inputs
            .iter()
            .map(|&id| element_count(&shape(id)[axis..]))
            .collect();
        let rows = element_count(&shape(node.output)[..axis]);
        let row: usize = pieces.iter().sum();
        let lanes = lanes_for(&pieces);
        let mut start = 0;
        let mut kernels = Vec::new();
        for (inputs, pieces) in node
            .inputs
            .chunks(MAX_CONCAT_INPUTS)
            .zip(pieces.chunks(MAX_CONCAT_INPUTS))
        {
            let mut operands = Vec::new();
            for (i, &input) in inputs.iter().enumerate() {
                operands.push(Operand::flat(&format!("x{i}"), self.place(node, input)?, lanes));
            }
            operands.push(Operand::flat("y", self.place(node, node.output)?, lanes).written());
            let units: Vec<usize> = pieces.iter().map(|piece| piece / lanes).collect();
            kernels.push(concat::kernel(rows, row / lanes, start, &units, operands));
            start += units.iter().sum::<usize>();
        }
        Ok(kernels)
    }

    /// Operands `x` and `y` of a node with one image in and one of as many channels out, and the shape of the
    /// result.
    fn one_to_one(&self, node: &Node) -> Result<(Vec<Operand>, [usize; 3]), ModelError> {
        let operands = vec![
            self.image_operand("x", node, node.inputs[0])?,
            self.image_operand("y", node, node.output)?.written(),
        ];
        Ok((operands, self.image(node, node.output)?))
    }

    /// Operands `x` and `y` in memory order.
    fn flat_pair(&self, node: &Node, lanes: usize) -> Result<Vec<Operand>, ModelError> {
        Ok(vec![
            Operand::flat("x", self.place(node, node.inputs[0])?, lanes),
            Operand::flat("y", self.place(node, node.output)?, lanes).written(),
        ])
    }

    pub(super) fn image_operand(&self, name: &str, node: &Node, id: ValueId) -> Result<Operand, ModelError> {
        let [_, _, channels] = self.image(node, id)?;
        Ok(Operand::image(name, self.place(node, id)?, channels))
    }

    /// Extent of the residual at input `index`, checked against the result.
    pub(super) fn residual_extent(
        &self,
        node: &Node,
        index: usize,
        residual: Residual,
    ) -> Result<Extent, ModelError> {
        let from = self.image(node, node.inputs[index])?;
        let to = self.image(node, node.output)?;
        if from[2] != to[2] || (residual.upsample.is_none() && from != to) {
            let message = format!("a residual of shape {from:?} for a result of shape {to:?}");
            return Err(ModelError::unsupported(&node.origin, message));
        }
        Ok([from[0], from[1]])
    }

    /// Height, width and channels of a value. Values of fewer axes are images of fewer rows or columns.
    pub(super) fn image(&self, node: &Node, id: ValueId) -> Result<[usize; 3], ModelError> {
        match *self.plan.graph.shape(id) {
            [1, height, width, channels] => Ok([height, width, channels]),
            [height, width, channels] => Ok([height, width, channels]),
            [width, channels] => Ok([1, width, channels]),
            [channels] => Ok([1, 1, channels]),
            ref shape => Err(ModelError::unsupported(
                &node.origin,
                format!("{} on shape {shape:?}", node.op.name()),
            )),
        }
    }

    /// Where a kernel finds a value: in the arena, or a constant in the pool.
    pub(crate) fn place(&self, node: &Node, id: ValueId) -> Result<Place, ModelError> {
        if let Placement::Pool(words) = &self.plan.placements[id.index()] {
            let (buffer, bytes) = self.weights.of_pool(words);
            return Ok(Place::Weights {
                buffer,
                bytes,
                half: false,
            });
        }
        Ok(Place::Arena {
            words: self.arena_range(id, &node.origin)?,
            encoding: self.plan.encodings[id.index()],
        })
    }

    pub(super) fn arena_range(&self, id: ValueId, place: &str) -> Result<Range<usize>, ModelError> {
        self.plan.arena_range(id).ok_or_else(|| {
            let name = &self.plan.graph.value(id).name;
            ModelError::unsupported(place, format!("{name} has no place in the plan"))
        })
    }

    /// Appends a packed constant to the weights.
    pub(super) fn store(&mut self, packed: Packed) -> Place {
        self.weights.push(&packed)
    }

    /// The shader of a kernel (an old one, if the text is known), its bindings and its workgroups.
    fn shader(
        &mut self,
        node: &Node,
        kernel: &Kernel,
    ) -> Result<(usize, Vec<super::recording::Binding>, [u32; 3]), ModelError> {
        let too_large = |what: String| ModelError::unsupported(&node.origin, what);
        let assembled = shader::assemble(kernel).ok_or_else(|| {
            too_large(format!(
                "{} needs more workgroups than a dispatch has",
                kernel.label
            ))
        })?;
        for binding in &assembled.bindings {
            let most = match binding.buffer {
                ARENA => MAX_BINDING_BYTES,
                _ => self.weights.limits().binding_bytes,
            };
            if binding.bytes > most {
                let message = format!("a tensor of {} bytes; WebGPU binds at most {most}", binding.bytes);
                return Err(too_large(message));
            }
        }
        if assembled.bindings.len() > MAX_BINDINGS {
            let message = format!(
                "{} bindings; a WebGPU shader has at most {MAX_BINDINGS}",
                assembled.bindings.len()
            );
            return Err(too_large(message));
        }
        let index = *self.by_text.entry(assembled.text).or_insert_with_key(|text| {
            let (label, text) = (kernel.label.clone(), text.clone());
            self.shaders.push(Shader {
                label,
                text,
                bindings: assembled.accesses,
            });
            self.shaders.len() - 1
        });
        Ok((index, assembled.bindings, assembled.workgroups))
    }
}

/// Rows and columns of taps, and the weights themselves.
pub(super) fn weights_of<'a>(plan: &'a Plan, node: &Node) -> Result<(Extent, Cow<'a, [f32]>), ModelError> {
    match *plan.graph.shape(node.inputs[1]) {
        [_, taps_y, taps_x, _] => Ok(([taps_y, taps_x], constant(plan, node, node.inputs[1])?)),
        ref shape => Err(ModelError::unsupported(
            &node.origin,
            format!("weights of shape {shape:?}"),
        )),
    }
}

pub(super) fn constant<'a>(plan: &'a Plan, node: &Node, id: ValueId) -> Result<Cow<'a, [f32]>, ModelError> {
    let value = plan.graph.value(id);
    value
        .constant
        .as_ref()
        .and_then(Constant::to_f32)
        .ok_or_else(|| ModelError::unsupported(&node.origin, format!("{} is no f32 constant", value.name)))
}

/// Elements of a unit that divides all of these sizes: four or one.
fn lanes_for(sizes: &[usize]) -> usize {
    if sizes.iter().all(|size| size.is_multiple_of(4)) {
        4
    } else {
        1
    }
}
