//! From fused steps to kernels: gathers the operands of a block or a tail.

use super::epilogue;
use super::kernels::block::Block as BlockKernel;
use super::kernels::convolution::Window;
use super::kernels::tail::{self, Image, Phase, TailNode};
use super::pack::{self, Packed};
use super::record::{Recorder, constant, weights_of};
use super::shader::{Form, Kernel, Operand, Place};
use crate::encoding::Encoding;
use crate::error::ModelError;
use crate::fusion::Block;
use crate::graph::{Activation, Conv2d, Node, Op, ValueId};

impl Recorder<'_> {
    /// One kernel for a block around a depthwise convolution.
    pub(super) fn block(&mut self, block: &Block) -> Result<Kernel, ModelError> {
        let plan = self.plan;
        let node = |position: usize| &plan.graph.nodes[position];
        let depthwise = node(block.depthwise);
        let spread = block.spread.map(node);
        let expand = block.expand.map(node);
        let project = block.project.map(node);
        let first = spread.or(expand).unwrap_or(depthwise);
        let last = project.unwrap_or(depthwise);

        let mut operands = vec![self.image_operand("x", first, first.inputs[0])?];
        let mut biases = Vec::new();
        let mut convolution = |name: &str, node: &Node, form: Form| -> Result<(Window, Conv2d), ModelError> {
            let conv = convolution_of(node)?;
            let [height, width, in_channels] = self.image(node, node.inputs[0])?;
            let [out_height, out_width, out_channels] = self.image(node, node.output)?;
            let (taps, weights) = weights_of(self.plan, node)?;
            let packed = match form {
                Form::Taps => pack::padded_rows(&weights, out_channels),
                Form::Tiles { .. } | Form::Image { .. } | Form::Flat { .. } | Form::Words(_) => {
                    pack::dense_tiles(&weights, out_channels, taps[0] * taps[1], in_channels)
                }
            };
            let bias = constant(self.plan, node, node.inputs[2])?;
            biases.extend(pack::padded_rows(&bias, bias.len()));
            operands.push(self.weight_operand(name, pack::pack(&packed), form));
            let window = Window {
                input: [height, width],
                output: [out_height, out_width],
                taps,
                conv,
            };
            Ok((window, conv))
        };
        let expand = expand
            .map(|node| convolution("e", node, Form::TILES))
            .transpose()?
            .map(|(window, conv)| (window, conv.activation));
        let (window, filter) = convolution("d", depthwise, Form::Taps)?;
        let projection = project
            .map(|node| convolution("p", node, Form::TILES))
            .transpose()?;
        let biases = pack::pack_f32(&biases);
        let bias_channels = biases.bytes.len() / 4;
        let biases = self.store(biases);
        operands.push(Operand::image("c", biases, bias_channels));
        operands.push(self.image_operand("y", last, last.output)?.written());

        let closing = projection.map_or(filter, |(_, conv)| conv);
        let mut residual = None;
        if let Some(sum) = closing.residual {
            residual = Some((sum, self.residual_extent(last, 3, sum)?));
            operands.push(self.image_operand("r", last, last.inputs[3])?);
        }
        let [_, _, in_channels] = self.image(first, first.inputs[0])?;
        let [_, _, channels] = self.image(depthwise, depthwise.output)?;
        let [out_height, out_width, out_channels] = self.image(last, last.output)?;
        let kernel = BlockKernel {
            spread: spread.and_then(|node| match node.op {
                Op::DepthToSpace { block } => Some(block),
                _ => None,
            }),
            expand,
            in_channels,
            depthwise: window,
            channels,
            project: projection.map(|_| (out_channels, filter.activation)),
        };
        let finish = epilogue::finish(closing.activation, residual, [out_height, out_width]);
        Ok(kernel.kernel(operands, finish))
    }

    /// One kernel for the end of the network.
    pub(super) fn tail(&mut self, positions: &[usize]) -> Result<Kernel, ModelError> {
        let plan = self.plan;
        let mut nodes = Vec::with_capacity(positions.len());
        let mut operands = Vec::new();
        let mut loaded: Vec<ValueId> = Vec::new();
        for (number, node) in positions
            .iter()
            .map(|&position| &plan.graph.nodes[position])
            .enumerate()
        {
            let mut load = |recorder: &Self, id: ValueId| -> Result<Image, ModelError> {
                let (image, operand) = recorder.tail_operand(node, id)?;
                if !loaded.contains(&id) {
                    loaded.push(id);
                    operands.push(operand);
                }
                Ok(image)
            };
            let x = load(self, node.inputs[0])?;
            let sum = node.op.residual();
            let residual = match (sum, node.inputs.last()) {
                (Some(_), Some(&id)) => Some(load(self, id)?),
                _ => None,
            };
            let (y, operand) = self.tail_operand(node, node.output)?;
            operands.push(operand.written());
            let phase = match &node.op {
                Op::Conv2d(conv) => Phase::Convolution {
                    conv: *conv,
                    taps: self.tail_weights(number, node, Form::TILES, &mut operands)?,
                },
                Op::DepthwiseConv2d(conv) => Phase::Depthwise {
                    conv: *conv,
                    taps: self.tail_weights(number, node, Form::Taps, &mut operands)?,
                },
                Op::MaxPool2d(pool) => Phase::MaxPool {
                    window: pool.window,
                    stride: pool.stride,
                    padding: pool.padding,
                    activation: pool.activation,
                },
                Op::Add(sum) => Phase::Identity {
                    activation: Activation::None,
                    residual: Some(*sum),
                },
                Op::Activation(activation) => Phase::Identity {
                    activation: *activation,
                    residual: None,
                },
                Op::Dequantize
                | Op::Densify
                | Op::Pad(_)
                | Op::ResizeBilinear(_)
                | Op::Reshape
                | Op::Concat { .. }
                | Op::DepthToSpace { .. }
                | Op::GlobalAveragePool
                | Op::ScaleChannels
                | Op::Tensor(_) => {
                    let message = format!("{} cannot be part of a tail", node.op.name());
                    return Err(ModelError::unsupported(&node.origin, message));
                }
            };
            nodes.push(TailNode {
                phase,
                x,
                residual,
                y,
            });
        }
        Ok(tail::kernel(&nodes, operands))
    }

    /// A value of a tail: whole vectors, also where the last pixel ends in the middle of one, since places in the arena
    /// are longer than that.
    fn tail_operand(&self, node: &Node, id: ValueId) -> Result<(Image, Operand), ModelError> {
        let [height, width, channels] = self.image(node, id)?;
        let (blocks, name) = (channels.div_ceil(4), format!("v{}", id.0));
        let start = self.arena_range(id, &node.origin)?.start;
        let place = Place::Arena {
            words: start..start + height * width * blocks * 4,
            encoding: Encoding::Single,
        };
        let image = Image {
            name: name.clone(),
            extent: [height, width],
            blocks,
        };
        Ok((image, Operand::image(&name, place, 4 * blocks)))
    }

    /// Operands `w` and `c` of a phase; gives the rows and columns of taps.
    fn tail_weights(
        &mut self,
        number: usize,
        node: &Node,
        form: Form,
        operands: &mut Vec<Operand>,
    ) -> Result<[usize; 2], ModelError> {
        let [_, _, in_channels] = self.image(node, node.inputs[0])?;
        let [_, _, out_channels] = self.image(node, node.output)?;
        let (taps, weights) = weights_of(self.plan, node)?;
        let packed = if form == Form::Taps {
            pack::pack_f32(&pack::padded_rows(&weights, out_channels))
        } else {
            pack::pack(&pack::dense_tiles(
                &weights,
                out_channels,
                taps[0] * taps[1],
                in_channels,
            ))
        };
        let bias = constant(self.plan, node, node.inputs[2])?;
        let bias = pack::pack_f32(&pack::padded_rows(&bias, bias.len()));
        operands.push(self.weight_operand(&format!("w{number}"), packed, form));
        let channels = bias.bytes.len() / 4;
        operands.push(self.weight_operand(&format!("c{number}"), bias, Form::Image { channels }));
        Ok(taps)
    }

    /// A packed constant in the form in which the kernel reads it.
    pub(super) fn weight_operand(&mut self, name: &str, packed: Packed, form: Form) -> Operand {
        let mut operand = Operand::image(name, self.store(packed), 4);
        operand.form = form;
        operand
    }
}

fn convolution_of(node: &Node) -> Result<Conv2d, ModelError> {
    match &node.op {
        Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => Ok(*conv),
        other => {
            let message = format!("{} stands where a block has a convolution", other.name());
            Err(ModelError::unsupported(&node.origin, message))
        }
    }
}
