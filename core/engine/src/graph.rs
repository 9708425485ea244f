//! The graph: a list of operators in execution order over values with static shapes.
//!
//! Images are NHWC, dense (no channel padding), batch 1; tensors that are no images have any rank, down to 0, and any
//! size, down to 0. Constants are values too. The operator set is one closed enum, and each stage matches it without a
//! catch-all arm, so that the compiler lists what a new operator needs.

use std::borrow::Cow;
use std::sync::Arc;

use crate::compact::Compact;
use crate::element::Element;
use crate::ops::{TensorOp, Type};

/// Index of a value in [`Graph::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

impl ValueId {
    /// As an index into [`Graph::values`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Sizes from the outermost axis to the innermost: `[1, height, width, channels]` for an image.
pub type Shape = Vec<usize>;

/// Number of elements of a shape.
pub fn element_count(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// No tensor may have more elements than this (512 MiB of f32): larger ones are a broken file or a model that no browser
/// could run.
pub const MAX_ELEMENTS: usize = 1 << 27;

/// Number of elements of a shape that nobody has checked; `None` when there are more than [`MAX_ELEMENTS`]. Sizes beside
/// a 0 count as well, so that no part of the shape overflows either.
pub fn bounded_element_count(shape: &[usize]) -> Option<usize> {
    let mut sizes = shape.iter().map(|&size| size.max(1));
    let bound = sizes.try_fold(1usize, usize::checked_mul)?;
    (bound <= MAX_ELEMENTS).then(|| element_count(shape))
}

/// A tensor of the graph: an input, a constant or the output of a node.
#[derive(Clone, Debug)]
pub struct Value {
    /// The name that the model file gives it, for messages and for picking outputs.
    pub name: String,
    /// Static shape.
    pub shape: Shape,
    /// What its elements are.
    pub element: Element,
    /// Contents, when they are known before any frame arrives.
    pub constant: Option<Constant>,
}

/// Contents of a constant, in the form in which the file stores it.
#[derive(Clone, Debug)]
pub enum Constant {
    /// Ready for use.
    F32(Arc<[f32]>),
    /// The same in fewer bytes, widened by whoever packs them.
    Compact(Compact),
    /// IEEE binary16 bit patterns; a `Dequantize` node widens them.
    F16(Arc<[u16]>),
    /// Shapes, paddings and sizes.
    I32(Arc<[i32]>),
    /// Integers without a sign, and truth values as 0 and 1.
    U32(Arc<[u32]>),
    /// Binary16 values of a tensor of which most elements are zero; a `Densify` node spreads them.
    SparseF16 {
        /// The stored elements.
        values: Arc<[u16]>,
        /// Position of each stored element in the dense tensor.
        positions: Arc<[u32]>,
    },
}

impl Constant {
    /// What its elements are; those of [`Constant::U32`] may be truth values instead.
    pub fn element(&self) -> Element {
        match self {
            Constant::F32(_) | Constant::Compact(_) | Constant::F16(_) | Constant::SparseF16 { .. } => {
                Element::F32
            }
            Constant::I32(_) => Element::I32,
            Constant::U32(_) => Element::U32,
        }
    }

    /// The elements, when they are f32 numbers.
    pub fn to_f32(&self) -> Option<Cow<'_, [f32]>> {
        match self {
            Constant::F32(data) => Some(Cow::Borrowed(data)),
            Constant::Compact(data) => Some(Cow::Owned(data.to_f32())),
            Constant::F16(_) | Constant::I32(_) | Constant::U32(_) | Constant::SparseF16 { .. } => None,
        }
    }

    /// The elements as the words that a frame computes with; `None` for forms that folding removes.
    pub fn to_words(&self) -> Option<Cow<'_, [u32]>> {
        match self {
            Constant::F32(data) => Some(Cow::Borrowed(bytemuck::cast_slice(data))),
            Constant::Compact(data) => {
                Some(Cow::Owned(data.to_f32().into_iter().map(f32::to_bits).collect()))
            }
            Constant::I32(data) => Some(Cow::Borrowed(bytemuck::cast_slice(data))),
            Constant::U32(data) => Some(Cow::Borrowed(data)),
            Constant::F16(_) | Constant::SparseF16 { .. } => None,
        }
    }

    /// The elements as i32, when they are stored so.
    pub fn as_i32(&self) -> Option<&[i32]> {
        match self {
            Constant::I32(data) => Some(data),
            Constant::F32(_)
            | Constant::Compact(_)
            | Constant::F16(_)
            | Constant::U32(_)
            | Constant::SparseF16 { .. } => None,
        }
    }
}

/// Element-wise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Activation {
    /// Identity.
    #[default]
    None,
    /// max(x, 0)
    Relu,
    /// min(max(x, 0), 6)
    Relu6,
    /// 1 / (1 + exp(-x))
    Sigmoid,
    /// x * min(max(x + 3, 0), 6) / 6
    HardSwish,
    /// x / (1 + exp(-x)), also called SiLU
    Swish,
}

impl Activation {
    /// The function itself, for tests and cold paths.
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Activation::None => x,
            Activation::Relu => x.max(0.0),
            Activation::Relu6 => x.clamp(0.0, 6.0),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::HardSwish => x * ((x + 3.0).clamp(0.0, 6.0) * (1.0 / 6.0)),
            Activation::Swish => x / (1.0 + (-x).exp()),
        }
    }
}

/// Zero rows and columns around an image, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

/// How a bilinear resize maps an output coordinate to an input coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bilinear {
    /// Corner pixels coincide: `in = out * (in_size - 1) / (out_size - 1)`.
    pub align_corners: bool,
    /// Pixel centres lie at one half: `in = (out + 0.5) * in_size / out_size - 0.5`.
    pub half_pixel_centers: bool,
}

impl Bilinear {
    /// The two input coordinates between which an output coordinate lies, and the weight of the second.
    ///
    /// Follows TFLite's `RESIZE_BILINEAR`: coordinates before the first or after the last pixel take that pixel.
    pub fn source(self, out: usize, in_size: usize, out_size: usize) -> (usize, usize, f32) {
        let scale = if self.align_corners && out_size > 1 {
            (in_size - 1) as f32 / (out_size - 1) as f32
        } else {
            in_size as f32 / out_size as f32
        };
        let position = if self.half_pixel_centers {
            (out as f32 + 0.5) * scale - 0.5
        } else {
            out as f32 * scale
        };
        let position = position.max(0.0);
        let first = (position.floor() as usize).min(in_size - 1);
        let second = (first + 1).min(in_size - 1);
        (first, second, position - first as f32)
    }
}

/// A second operand that a node adds to its own result before it writes it.
///
/// The residual value is the last of the node's inputs. The whole epilogue reads
/// `residual.activation(activation(result + bias) + residual.inner(residual))`, where the residual is enlarged first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Residual {
    /// `Some` when the residual is smaller than the result and is enlarged on the fly; `None` when the shapes
    /// are equal.
    pub upsample: Option<Bilinear>,
    /// Applied to the residual itself, after it has been enlarged.
    pub inner: Activation,
    /// Applied after the addition.
    pub activation: Activation,
}

/// A convolution; inputs `[x, weights, bias]` and, with a residual, `[.., residual]`.
///
/// Weights of [`Op::Conv2d`] are `[out_channels, kernel_h, kernel_w, in_channels]`; weights of
/// [`Op::DepthwiseConv2d`] are `[1, kernel_h, kernel_w, channels]`. The bias is `[out_channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// Rows and columns between neighbouring outputs.
    pub stride: [usize; 2],
    /// Rows and columns between kernel taps.
    pub dilation: [usize; 2],
    /// Zeros around the input.
    pub padding: Padding,
    /// Applied to the sum of products and bias.
    pub activation: Activation,
    /// Added after the activation.
    pub residual: Option<Residual>,
}

impl Conv2d {
    /// The input row (axis 0) or column (axis 1) under a tap of the kernel, for this output row or column; `None` where
    /// that is beyond the border of an input of `size` rows or columns.
    #[inline(always)]
    pub fn input_at(&self, axis: usize, output: usize, tap: usize, size: usize) -> Option<usize> {
        let before = [self.padding.top, self.padding.left][axis];
        (output * self.stride[axis] + tap * self.dilation[axis])
            .checked_sub(before)
            .filter(|&index| index < size)
    }
}

/// A pooling window; input `[x]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool2d {
    /// Rows and columns of the window.
    pub window: [usize; 2],
    /// Rows and columns between neighbouring outputs.
    pub stride: [usize; 2],
    /// Border around the input; it never wins a maximum.
    pub padding: Padding,
    /// Applied to the result.
    pub activation: Activation,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// binary16 to f32; constants only, gone after folding. Inputs `[x]`.
    Dequantize,
    /// Sparse to dense; constants only, gone after folding. Inputs `[x]`.
    Densify,
    /// Convolution over all input channels.
    Conv2d(Conv2d),
    /// Convolution of each channel by its own kernel.
    DepthwiseConv2d(Conv2d),
    /// Zeros around any axis. Inputs `[x]`; one (before, after) pair an axis.
    Pad(Vec<(usize, usize)>),
    /// Sum of two values; inputs `[a, b]`, where `b` is the residual.
    Add(Residual),
    /// A non-linearity on its own; inputs `[x]`.
    Activation(Activation),
    /// Maximum over a window.
    MaxPool2d(Pool2d),
    /// Bilinear resize to the output's shape; inputs `[x]`.
    ResizeBilinear(Bilinear),
    /// Same elements, other shape; inputs `[x]`.
    Reshape,
    /// Joins its inputs along an axis.
    Concat {
        /// The axis along which the inputs differ.
        axis: usize,
    },
    /// Moves blocks of channels to space; inputs `[x]`.
    DepthToSpace {
        /// Edge of the square block.
        block: usize,
    },
    /// The mean of all rows and columns, for each channel: the *squeeze* of Hu et al., "Squeeze-and-Excitation
    /// Networks", 2018. Inputs `[x]`; the result is `[1, 1, 1, channels]`.
    GlobalAveragePool,
    /// Each channel multiplied by its own number, which the frame brings too: how an *excitation* is applied. Inputs
    /// `[x, scale]`, where the scale is `[1, 1, 1, channels]`.
    ScaleChannels,
    /// An operator on tensors of any rank; passes, fusion and the kernels for images leave it alone.
    Tensor(TensorOp),
}

impl Op {
    /// What it adds to its own result; the operand is the last of the node's inputs.
    pub fn residual(&self) -> Option<Residual> {
        match self {
            Op::Conv2d(conv) | Op::DepthwiseConv2d(conv) => conv.residual,
            Op::Add(residual) => Some(*residual),
            Op::Dequantize
            | Op::Densify
            | Op::Pad(_)
            | Op::Activation(_)
            | Op::MaxPool2d(_)
            | Op::ResizeBilinear(_)
            | Op::Reshape
            | Op::Concat { .. }
            | Op::DepthToSpace { .. }
            | Op::GlobalAveragePool
            | Op::ScaleChannels
            | Op::Tensor(_) => None,
        }
    }

    /// Whether it works on images or rows of f32, or on weights, and on nothing else.
    pub fn is_on_images(&self) -> bool {
        match self {
            Op::Dequantize
            | Op::Densify
            | Op::Conv2d(_)
            | Op::DepthwiseConv2d(_)
            | Op::Pad(_)
            | Op::Add(_)
            | Op::Activation(_)
            | Op::MaxPool2d(_)
            | Op::ResizeBilinear(_)
            | Op::Concat { .. }
            | Op::DepthToSpace { .. }
            | Op::GlobalAveragePool
            | Op::ScaleChannels => true,
            Op::Reshape | Op::Tensor(_) => false,
        }
    }

    /// The name that tables and errors show.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Dequantize => "Dequantize",
            Op::Densify => "Densify",
            Op::Conv2d(_) => "Conv2d",
            Op::DepthwiseConv2d(_) => "DepthwiseConv2d",
            Op::Pad(_) => "Pad",
            Op::Add(_) => "Add",
            Op::Activation(_) => "Activation",
            Op::MaxPool2d(_) => "MaxPool2d",
            Op::ResizeBilinear(_) => "ResizeBilinear",
            Op::Reshape => "Reshape",
            Op::Concat { .. } => "Concat",
            Op::DepthToSpace { .. } => "DepthToSpace",
            Op::GlobalAveragePool => "GlobalAveragePool",
            Op::ScaleChannels => "ScaleChannels",
            Op::Tensor(op) => op.name(),
        }
    }
}

/// One operator application.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stood in the model file (`operator 12`), for messages.
    pub origin: String,
    /// What it computes.
    pub op: Op,
    /// Operands, in the order that the operator states.
    pub inputs: Vec<ValueId>,
    /// The one value that it writes.
    pub output: ValueId,
}

/// A model: values, nodes in execution order, inputs and outputs.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// All values, addressed by [`ValueId`].
    pub values: Vec<Value>,
    /// Nodes such that each reads only inputs, constants and outputs of earlier nodes.
    pub nodes: Vec<Node>,
    /// Values that the caller fills in.
    pub inputs: Vec<ValueId>,
    /// Values that the caller reads.
    pub outputs: Vec<ValueId>,
}

impl Graph {
    /// The value behind an id.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// Shape of a value.
    pub fn shape(&self, id: ValueId) -> &[usize] {
        &self.values[id.index()].shape
    }

    /// Adds a value and returns its id. Its elements are those of the constant, f32 where there is none.
    pub fn add_value(
        &mut self,
        name: impl Into<String>,
        shape: Shape,
        constant: Option<Constant>,
    ) -> ValueId {
        let element = constant.as_ref().map(Constant::element).unwrap_or_default();
        self.add_typed_value(name, Type { element, shape }, constant)
    }

    /// Adds a value whose elements need not be f32, and returns its id.
    pub fn add_typed_value(
        &mut self,
        name: impl Into<String>,
        Type { element, shape }: Type,
        constant: Option<Constant>,
    ) -> ValueId {
        let id = ValueId(self.values.len() as u32);
        self.values.push(Value {
            name: name.into(),
            shape,
            element,
            constant,
        });
        id
    }

    /// How many nodes read each value; graph outputs count as one reader more.
    pub fn reader_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.values.len()];
        for node in &self.nodes {
            for input in &node.inputs {
                counts[input.index()] += 1;
            }
        }
        for output in &self.outputs {
            counts[output.index()] += 1;
        }
        counts
    }

    /// Position of the node that writes each value.
    pub fn producers(&self) -> Vec<Option<usize>> {
        let mut producers = vec![None; self.values.len()];
        for (position, node) in self.nodes.iter().enumerate() {
            producers[node.output.index()] = Some(position);
        }
        producers
    }

    /// The output with this name.
    pub fn output_named(&self, name: &str) -> Option<ValueId> {
        self.outputs
            .iter()
            .copied()
            .find(|&id| self.value(id).name == name)
    }
}
