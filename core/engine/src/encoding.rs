//! How values are kept in the arena, and which of them may be kept in fewer bits: decided when a plan is made.
//!
//! Goes in: a graph, its steps, and which values have memory of their own. Comes out: an [`Encoding`] for each value.

use crate::deferral::Deferred;
use crate::error::ModelError;
use crate::fusion::{Fusion, Step};
use crate::graph::{Graph, Node, Op, ValueId, element_count};

/// What a plan may do with values that only kernels read and write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// They are kept in f32.
    #[default]
    Single,
    /// Images are kept in binary16, half the bytes, for GPUs that wait for memory. Kernels compute in f32.
    Half,
}

/// How the elements of a value are kept in the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Encoding {
    /// f32.
    #[default]
    Single,
    /// binary16: values up to 65504, eleven bits of significand.
    Half,
    /// A pixel in a word, a byte a channel, the first in the lowest: the element is `level * scale + low`.
    Levels {
        /// What one level is worth.
        scale: f32,
        /// What level 0 is worth.
        low: f32,
    },
}

impl Encoding {
    /// Levels for pictures whose darkest and brightest values are these.
    pub fn levels([low, high]: [f32; 2]) -> Self {
        Self::Levels {
            scale: (high - low) / 255.0,
            low,
        }
    }

    /// Words of four bytes for a value of this shape.
    pub fn words(self, shape: &[usize]) -> usize {
        let elements = element_count(shape);
        match self {
            Encoding::Single => elements,
            Encoding::Half => elements.div_ceil(2),
            Encoding::Levels { .. } => elements / shape.last().copied().unwrap_or(1).max(1),
        }
    }
}

/// On maps of up to this many pixels, sums that go from block to block stay f32: each block would round them once more,
/// and the landmarks are read off them. It keeps the error of a deep network below a tenth of a pixel (BlazePose heavy:
/// 0.09 px at the 95th percentile instead of 0.13) and costs few bytes, because such maps are small.
const TRUNK_PIXELS: usize = 256;

/// binary16 for every image of whole vectors that nobody but kernels of single nodes and of blocks touches: callers
/// write and read f32, tails bind all their values at once, and operators that move memory see elements. Who goes on
/// from the source of a deferred output is a kernel too.
pub(crate) fn half_where_possible(
    graph: &Graph,
    steps: &[Step],
    is_alone: impl Fn(ValueId) -> bool,
    deferred: &[Deferred],
) -> Vec<Encoding> {
    let mut encodings: Vec<Encoding> = (0..graph.values.len())
        .map(|index| {
            let value = &graph.values[index];
            let id = ValueId(index as u32);
            let is_left = deferred.iter().any(|deferred| deferred.source == id);
            let own =
                !graph.inputs.contains(&id) && (is_left || !graph.outputs.contains(&id)) && is_alone(id);
            match *value.shape {
                [1, _, _, channels] if own && value.constant.is_none() && channels.is_multiple_of(4) => {
                    Encoding::Half
                }
                _ => Encoding::Single,
            }
        })
        .collect();
    for node in &graph.nodes {
        let summands = node.inputs.last().filter(|_| node.op.residual().is_some());
        for id in summands.into_iter().flat_map(|&added| [added, node.output]) {
            if matches!(*graph.shape(id), [1, height, width, _] if height * width <= TRUNK_PIXELS) {
                encodings[id.index()] = Encoding::Single;
            }
        }
    }
    for step in steps {
        for node in step.nodes.iter().map(|&position| &graph.nodes[position]) {
            if !sees_images(step, node) {
                for id in node.inputs.iter().chain([&node.output]) {
                    encodings[id.index()] = Encoding::Single;
                }
            }
        }
    }
    encodings
}

/// The graph's only input, if it is an image of at most four channels that only kernels read which see pixels.
pub(crate) fn picture_input(
    graph: &Graph,
    steps: &[Step],
    is_alone: impl Fn(ValueId) -> bool,
) -> Result<ValueId, ModelError> {
    let refused = |message: &str| Err(ModelError::unsupported("plan", message));
    let &[input] = graph.inputs.as_slice() else {
        return refused("a picture is wished for, and the model has not exactly one input");
    };
    let is_image = matches!(*graph.shape(input), [1, _, _, 1..=4]);
    let as_pixels = steps.iter().all(|step| {
        let nodes = || step.nodes.iter().map(|&position| &graph.nodes[position]);
        nodes().all(|node| !node.inputs.contains(&input) || sees_images(step, node))
    });
    if is_image && as_pixels && is_alone(input) && !graph.outputs.contains(&input) {
        Ok(input)
    } else {
        refused("the input cannot be kept as a picture; plan it without, or from level L1 on")
    }
}

/// Whether the kernel of the step reads and writes the node's values pixel by pixel, each through a binding of its own.
fn sees_images(step: &Step, node: &Node) -> bool {
    let moves_memory = match node.op {
        Op::Pad(_) | Op::Concat { .. } | Op::DepthToSpace { .. } | Op::Tensor(_) => true,
        Op::Dequantize
        | Op::Densify
        | Op::Conv2d(_)
        | Op::DepthwiseConv2d(_)
        | Op::Add(_)
        | Op::Activation(_)
        | Op::MaxPool2d(_)
        | Op::ResizeBilinear(_)
        | Op::GlobalAveragePool
        | Op::ScaleChannels
        | Op::Reshape => false,
    };
    step.fusion != Fusion::Tail && !(step.fusion == Fusion::Single && moves_memory)
}
