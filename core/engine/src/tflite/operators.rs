//! TFLite operators to [`Op`]: option tables, paddings and constant operands.
//!
//! Operator codes, option fields and their defaults follow the TFLite schema.

use super::broken_at;
use super::flatbuffer::{Broken, Table};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{
    Activation, Bilinear, Constant, Conv2d, Graph, Op, Padding, Pool2d, Residual, ValueId, element_count,
};

const ADD: i32 = 0;
const CONCATENATION: i32 = 2;
const CONV_2D: i32 = 3;
const DEPTHWISE_CONV_2D: i32 = 4;
const DEPTH_TO_SPACE: i32 = 5;
const DEQUANTIZE: i32 = 6;
const LOGISTIC: i32 = 14;
const MAX_POOL_2D: i32 = 17;
const RELU: i32 = 19;
const RELU6: i32 = 21;
const RESHAPE: i32 = 22;
const RESIZE_BILINEAR: i32 = 23;
const PAD: i32 = 34;
const DENSIFY: i32 = 124;

/// Strides, windows, dilations and paddings beyond this occur in no real model and would overflow index arithmetic.
const MAX_OPTION: usize = 4096;

/// Schema names of the codes that are understood, and of common ones that are not, for messages.
const NAMES: &[(i32, &str)] = &[
    (ADD, "ADD"),
    (1, "AVERAGE_POOL_2D"),
    (CONCATENATION, "CONCATENATION"),
    (CONV_2D, "CONV_2D"),
    (DEPTHWISE_CONV_2D, "DEPTHWISE_CONV_2D"),
    (DEPTH_TO_SPACE, "DEPTH_TO_SPACE"),
    (DEQUANTIZE, "DEQUANTIZE"),
    (9, "FULLY_CONNECTED"),
    (LOGISTIC, "LOGISTIC"),
    (MAX_POOL_2D, "MAX_POOL_2D"),
    (18, "MUL"),
    (RELU, "RELU"),
    (RELU6, "RELU6"),
    (RESHAPE, "RESHAPE"),
    (RESIZE_BILINEAR, "RESIZE_BILINEAR"),
    (25, "SOFTMAX"),
    (28, "TANH"),
    (32, "CUSTOM"),
    (PAD, "PAD"),
    (36, "GATHER"),
    (39, "TRANSPOSE"),
    (40, "MEAN"),
    (41, "SUB"),
    (45, "STRIDED_SLICE"),
    (49, "SPLIT"),
    (53, "CAST"),
    (54, "PRELU"),
    (67, "TRANSPOSE_CONV"),
    (97, "RESIZE_NEAREST_NEIGHBOR"),
    (114, "QUANTIZE"),
    (117, "HARD_SWISH"),
    (DENSIFY, "DENSIFY"),
];

/// Name of an operator code.
pub fn name(code: i32) -> String {
    match NAMES.iter().find(|&&(known, _)| known == code) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("operator code {code}"),
    }
}

/// Element types that the reader takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    F32,
    F16,
    I32,
}

impl ElementType {
    /// Bytes an element.
    pub fn size(self) -> usize {
        match self {
            ElementType::F32 | ElementType::I32 => 4,
            ElementType::F16 => 2,
        }
    }

    /// What a word holds where such a tensor takes part in a frame.
    pub fn element(self) -> Element {
        match self {
            ElementType::F32 | ElementType::F16 => Element::F32,
            ElementType::I32 => Element::I32,
        }
    }

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            ElementType::F32 => "f32",
            ElementType::F16 => "f16",
            ElementType::I32 => "i32",
        }
    }
}

/// The element type behind a schema code, `None` for those outside this engine.
pub fn element_type(code: u8) -> Option<ElementType> {
    match code {
        0 => Some(ElementType::F32),
        1 => Some(ElementType::F16),
        2 => Some(ElementType::I32),
        _ => None,
    }
}

/// One operator of the file, on its way to a node.
pub struct Call<'g, 'a> {
    /// The graph so far; a missing bias is added to it.
    pub graph: &'g mut Graph,
    /// For messages.
    pub origin: &'g str,
    /// Operands that are present.
    pub inputs: Vec<ValueId>,
    /// The operator's option table.
    pub options: Option<Table<'a>>,
}

impl Call<'_, '_> {
    fn broken(&self, broken: Broken) -> ModelError {
        broken_at(self.origin, broken)
    }

    fn invalid(&self, message: impl Into<String>) -> ModelError {
        ModelError::invalid(self.origin, message)
    }

    fn unsupported(&self, message: impl Into<String>) -> ModelError {
        ModelError::unsupported(self.origin, message)
    }

    fn byte(&self, number: usize, what: &'static str) -> Result<u8, ModelError> {
        self.options
            .map_or(Ok(0), |options| options.u8(number, 0, what))
            .map_err(|broken| self.broken(broken))
    }

    fn flag(&self, number: usize, what: &'static str) -> Result<bool, ModelError> {
        Ok(self.byte(number, what)? != 0)
    }

    fn int(&self, number: usize, default: i32, what: &'static str) -> Result<i32, ModelError> {
        let value = self
            .options
            .map_or(Ok(default), |options| options.i32(number, default, what));
        value.map_err(|broken| self.broken(broken))
    }

    /// A positive option, such as a stride.
    fn count(&self, number: usize, default: i32, what: &'static str) -> Result<usize, ModelError> {
        let value = self.int(number, default, what)?;
        match usize::try_from(value) {
            Ok(count) if (1..=MAX_OPTION).contains(&count) => Ok(count),
            _ => Err(self.invalid(format!("{what} is {value}"))),
        }
    }

    fn activation(&self, number: usize) -> Result<Activation, ModelError> {
        match self.byte(number, "fused activation")? {
            0 => Ok(Activation::None),
            1 => Ok(Activation::Relu),
            3 => Ok(Activation::Relu6),
            code => Err(self.unsupported(format!("fused activation code {code}"))),
        }
    }

    fn operand(&self, index: usize) -> Result<ValueId, ModelError> {
        self.inputs
            .get(index)
            .copied()
            .ok_or_else(|| self.invalid(format!("operand {index} is missing")))
    }

    fn image_shape(&self, id: ValueId) -> Result<[usize; 4], ModelError> {
        let shape = self.graph.shape(id);
        <[usize; 4]>::try_from(shape)
            .map_err(|_| self.unsupported(format!("shape {shape:?} is not 4-dimensional")))
    }

    fn constant_i32(&self, id: ValueId) -> Result<&[i32], ModelError> {
        let constant = self.graph.value(id).constant.as_ref().and_then(Constant::as_i32);
        constant.ok_or_else(|| self.unsupported("an operand that must be a constant i32 tensor is not"))
    }

    /// Explicit padding of a window operator: none for VALID, the split that TFLite uses for SAME.
    fn padding(
        &self,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<Padding, ModelError> {
        let [_, height, width, _] = self.image_shape(self.operand(0)?)?;
        match self.byte(0, "padding")? {
            0 => {
                let split = |size: usize, axis: usize| {
                    let span = (kernel[axis] - 1) * dilation[axis] + 1;
                    let outputs = size.div_ceil(stride[axis]);
                    let total = ((outputs - 1) * stride[axis] + span).saturating_sub(size);
                    (total / 2, total - total / 2)
                };
                let (top, bottom) = split(height, 0);
                let (left, right) = split(width, 1);
                Ok(Padding {
                    top,
                    bottom,
                    left,
                    right,
                })
            }
            1 => Ok(Padding::default()),
            code => Err(self.invalid(format!("padding code {code}"))),
        }
    }
}

/// What an operator of the file is in this engine, with its operands.
pub fn translate(code: i32, mut call: Call<'_, '_>) -> Result<(Op, Vec<ValueId>), ModelError> {
    let x = call.operand(0)?;
    match code {
        DEQUANTIZE => Ok((Op::Dequantize, vec![x])),
        DENSIFY => Ok((Op::Densify, vec![x])),
        RESHAPE => Ok((Op::Reshape, vec![x])),
        LOGISTIC => Ok((Op::Activation(Activation::Sigmoid), vec![x])),
        RELU => Ok((Op::Activation(Activation::Relu), vec![x])),
        RELU6 => Ok((Op::Activation(Activation::Relu6), vec![x])),
        ADD => {
            let residual = Residual {
                upsample: None,
                inner: Activation::None,
                activation: call.activation(0)?,
            };
            Ok((Op::Add(residual), vec![x, call.operand(1)?]))
        }
        CONV_2D => {
            let window = [call.count(2, 1, "stride_h")?, call.count(1, 1, "stride_w")?];
            let dilation = [call.count(5, 1, "dilation_h")?, call.count(4, 1, "dilation_w")?];
            convolution(&mut call, window, dilation, 3, Op::Conv2d)
        }
        DEPTHWISE_CONV_2D => {
            let window = [call.count(2, 1, "stride_h")?, call.count(1, 1, "stride_w")?];
            let dilation = [call.count(6, 1, "dilation_h")?, call.count(5, 1, "dilation_w")?];
            let [.., channels] = call.image_shape(x)?;
            let [.., outputs] = call.image_shape(call.operand(1)?)?;
            if channels != outputs {
                return Err(call.unsupported(format!(
                    "depth multiplier other than 1 ({channels} to {outputs} channels)"
                )));
            }
            convolution(&mut call, window, dilation, 4, Op::DepthwiseConv2d)
        }
        MAX_POOL_2D => {
            let stride = [call.count(2, 1, "stride_h")?, call.count(1, 1, "stride_w")?];
            let window = [
                call.count(4, 1, "filter_height")?,
                call.count(3, 1, "filter_width")?,
            ];
            let padding = call.padding(window, stride, [1, 1])?;
            let activation = call.activation(5)?;
            Ok((
                Op::MaxPool2d(Pool2d {
                    window,
                    stride,
                    padding,
                    activation,
                }),
                vec![x],
            ))
        }
        RESIZE_BILINEAR => {
            let bilinear = Bilinear {
                align_corners: call.flag(2, "align_corners")?,
                half_pixel_centers: call.flag(3, "half_pixel_centers")?,
            };
            if bilinear.align_corners && bilinear.half_pixel_centers {
                return Err(call.invalid("align_corners together with half_pixel_centers"));
            }
            Ok((Op::ResizeBilinear(bilinear), vec![x]))
        }
        DEPTH_TO_SPACE => Ok((
            Op::DepthToSpace {
                block: call.count(0, 0, "block_size")?,
            },
            vec![x],
        )),
        PAD => {
            let amounts = call.constant_i32(call.operand(1)?)?;
            let pairs = amounts.chunks_exact(2).map(|pair| {
                let amount = |n: i32| usize::try_from(n).ok().filter(|&n| n <= MAX_OPTION);
                Some((amount(pair[0])?, amount(pair[1])?))
            });
            let pairs: Option<Vec<_>> = pairs.collect();
            let pairs =
                pairs.ok_or_else(|| call.invalid("a padding amount is negative or absurdly large"))?;
            if amounts.len() != 2 * call.graph.shape(x).len() {
                return Err(call.invalid("the paddings do not match the rank of the input"));
            }
            Ok((Op::Pad(pairs), vec![x]))
        }
        CONCATENATION => {
            if call.activation(1)? != Activation::None {
                return Err(call.unsupported("fused activation"));
            }
            let rank = call.graph.shape(x).len();
            let axis = call.int(0, 0, "axis")?;
            let axis = if axis < 0 {
                i64::from(axis) + rank as i64
            } else {
                i64::from(axis)
            };
            match usize::try_from(axis) {
                Ok(axis) if axis < rank => Ok((Op::Concat { axis }, call.inputs)),
                _ => Err(call.invalid(format!("axis {axis} of rank {rank}"))),
            }
        }
        _ => Err(call.unsupported("this operator is not implemented")),
    }
}

fn convolution(
    call: &mut Call<'_, '_>,
    stride: [usize; 2],
    dilation: [usize; 2],
    activation_field: usize,
    op: fn(Conv2d) -> Op,
) -> Result<(Op, Vec<ValueId>), ModelError> {
    let weights = call.operand(1)?;
    let [outputs, kernel_h, kernel_w, channels] = call.image_shape(weights)?;
    if kernel_h > MAX_OPTION || kernel_w > MAX_OPTION {
        return Err(call.invalid(format!("a kernel of {kernel_h} x {kernel_w}")));
    }
    let padding = call.padding([kernel_h, kernel_w], stride, dilation)?;
    let conv = Conv2d {
        stride,
        dilation,
        padding,
        activation: call.activation(activation_field)?,
        residual: None,
    };
    let op = op(conv);
    let bias = match call.inputs.get(2) {
        Some(&bias) => bias,
        None => {
            let len = if matches!(op, Op::DepthwiseConv2d(_)) {
                channels
            } else {
                outputs
            };
            let zeros = Constant::F32(vec![0.0; len].into());
            call.graph
                .add_value(format!("{} zero bias", call.origin), vec![len], Some(zeros))
        }
    };
    debug_assert!(element_count(call.graph.shape(bias)) > 0);
    Ok((op, vec![call.operand(0)?, weights, bias]))
}
