//! One operator of a file on its way into the graph: its options, its operands, and the nodes that it becomes.

use std::borrow::Cow;
use std::collections::HashMap;

use super::broken_at;
use super::flatbuffer::{Broken, Table};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::{
    Activation, Constant, Graph, Node, Op, Padding, Shape, ValueId, bounded_element_count, element_count,
};
use crate::half::f32_from_f16;
use crate::ops::{Map, TensorOp, Unary};
use crate::tensor::{Data, Tensor};

/// Strides, windows, dilations and paddings beyond this occur in no real model and would overflow index arithmetic.
pub const MAX_OPTION: usize = 4096;

/// Shapes and axes are computed while a file is read; what has more elements than this is left to the frame.
const MAX_FOLDED: usize = 4096;

/// One operator of the file.
pub struct Call<'g, 'a> {
    /// The graph so far.
    pub graph: &'g mut Graph,
    /// Values that become constants when these are folded, each with the constant that it is made of.
    pub folded: &'g mut HashMap<ValueId, ValueId>,
    /// For messages.
    pub origin: &'g str,
    /// Operands that are present.
    pub inputs: Vec<ValueId>,
    /// Results; there is one at least.
    pub outputs: Vec<ValueId>,
    /// The operator's option table.
    pub options: Option<Table<'a>>,
    /// Of an operator that is not in the schema, the name that its author gave it.
    pub custom_name: &'g str,
    /// And its options, as its author encoded them.
    pub custom_options: &'a [u8],
}

impl Call<'_, '_> {
    pub fn broken(&self, broken: Broken) -> ModelError {
        broken_at(self.origin, broken)
    }

    pub fn invalid(&self, message: impl Into<String>) -> ModelError {
        ModelError::invalid(self.origin, message)
    }

    pub fn unsupported(&self, message: impl Into<String>) -> ModelError {
        ModelError::unsupported(self.origin, message)
    }

    pub fn byte(&self, number: usize, what: &'static str) -> Result<u8, ModelError> {
        self.options
            .map_or(Ok(0), |options| options.u8(number, 0, what))
            .map_err(|broken| self.broken(broken))
    }

    pub fn flag(&self, number: usize, what: &'static str) -> Result<bool, ModelError> {
        Ok(self.byte(number, what)? != 0)
    }

    pub fn int(&self, number: usize, default: i32, what: &'static str) -> Result<i32, ModelError> {
        let value = self
            .options
            .map_or(Ok(default), |options| options.i32(number, default, what));
        value.map_err(|broken| self.broken(broken))
    }

    pub fn float(&self, number: usize, default: f32, what: &'static str) -> Result<f32, ModelError> {
        let bits = self.int(number, default.to_bits() as i32, what)?;
        Ok(f32::from_bits(bits as u32))
    }

    /// A positive option, such as a stride.
    pub fn count(&self, number: usize, default: i32, what: &'static str) -> Result<usize, ModelError> {
        let value = self.int(number, default, what)?;
        match usize::try_from(value) {
            Ok(count) if (1..=MAX_OPTION).contains(&count) => Ok(count),
            _ => Err(self.invalid(format!("{what} is {value}"))),
        }
    }

    /// What is applied to the result.
    pub fn activation(&self, number: usize) -> Result<Activation, ModelError> {
        match self.byte(number, "fused activation")? {
            0 => Ok(Activation::None),
            1 => Ok(Activation::Relu),
            3 => Ok(Activation::Relu6),
            code => {
                let names = ["RELU_N1_TO_1", "TANH", "SIGN_BIT"];
                let name = [2, 4, 5].iter().zip(names).find(|&(&known, _)| known == code);
                let name = name.map_or_else(|| format!("code {code}"), |(_, name)| name.to_owned());
                Err(self.unsupported(format!("fused activation {name}")))
            }
        }
    }

    pub fn operand(&self, index: usize) -> Result<ValueId, ModelError> {
        self.inputs
            .get(index)
            .copied()
            .ok_or_else(|| self.invalid(format!("operand {index} is missing")))
    }

    pub fn shape(&self, id: ValueId) -> &[usize] {
        self.graph.shape(id)
    }

    pub fn image_shape(&self, id: ValueId) -> Result<[usize; 4], ModelError> {
        let shape = self.graph.shape(id);
        <[usize; 4]>::try_from(shape)
            .map_err(|_| self.unsupported(format!("shape {shape:?} is not 4-dimensional")))
    }

    /// Whether operators on images take it: one image, or a row of numbers, that a frame brings.
    pub fn is_image(&self, id: ValueId) -> bool {
        let is_one = matches!(self.shape(id), [] | [_] | [1, _] | [1, _, _] | [1, _, _, _]);
        is_one && self.graph.value(id).element == Element::F32 && !self.is_known(id)
    }

    /// Whether it is a constant, or will be one as soon as constants are folded.
    pub fn is_known(&self, id: ValueId) -> bool {
        self.graph.value(id).constant.is_some() || self.folded.contains_key(&id)
    }

    /// The elements of weights that are f32, or were widened to them; `None` of anything else.
    pub fn weights(&self, id: ValueId) -> Option<Cow<'_, [f32]>> {
        let source = self.folded.get(&id).copied().unwrap_or(id);
        match self.graph.value(source).constant.as_ref()? {
            Constant::F16(halves) => Some(halves.iter().map(|&bits| f32_from_f16(bits)).collect()),
            constant => constant.to_f32(),
        }
    }

    pub fn constant_i32(&self, id: ValueId) -> Result<&[i32], ModelError> {
        let constant = self.graph.value(id).constant.as_ref().and_then(Constant::as_i32);
        constant.ok_or_else(|| {
            self.unsupported(
                "an operand that must be a constant int32 tensor is not; fix the model's input shape",
            )
        })
    }

    /// An axis, counted from behind where it is negative.
    pub fn axis_of(&self, axis: i32, rank: usize) -> Result<usize, ModelError> {
        let from_front = if axis < 0 {
            i64::from(axis) + rank as i64
        } else {
            i64::from(axis)
        };
        usize::try_from(from_front)
            .ok()
            .filter(|&axis| axis < rank)
            .ok_or_else(|| self.invalid(format!("axis {axis} of rank {rank}")))
    }

    /// Explicit padding of a window over this image: none for VALID, the split that TFLite uses for SAME.
    pub fn padding(
        &self,
        image: ValueId,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<Padding, ModelError> {
        let [_, height, width, _] = self.image_shape(image)?;
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

    /// A constant of f32.
    pub fn floats(&mut self, what: &str, shape: Shape, values: Vec<f32>) -> ValueId {
        debug_assert_eq!(element_count(&shape), values.len());
        let name = format!("{} {what}", self.origin);
        self.graph
            .add_value(name, shape, Some(Constant::F32(values.into())))
    }

    /// The node that the operator is.
    pub fn finish(&mut self, op: Op, inputs: Vec<ValueId>) {
        let output = self.outputs[0];
        self.push(op, inputs, output);
    }

    /// A node of operators on images between the operator's operands and its result, of this shape.
    pub fn image(&mut self, op: Op, inputs: Vec<ValueId>, shape: Shape) -> Result<ValueId, ModelError> {
        if bounded_element_count(&shape).is_none() {
            return Err(self.unsupported(format!("shape {shape:?} has too many elements")));
        }
        let output = self.graph.add_value(self.origin, shape, None);
        self.push(op, inputs, output);
        Ok(output)
    }

    /// The same elements in another shape.
    pub fn reshaped(&mut self, x: ValueId, shape: &[usize]) -> Result<ValueId, ModelError> {
        if self.shape(x) == shape {
            return Ok(x);
        }
        if bounded_element_count(shape) != Some(element_count(self.shape(x))) {
            return Err(self.invalid(format!("{:?} has no shape {shape:?}", self.shape(x))));
        }
        if let Some(constant) = self.graph.value(x).constant.clone() {
            return Ok(self.graph.add_value(self.origin, shape.to_vec(), Some(constant)));
        }
        let mut kind = self.graph.type_of(x).to_owned();
        kind.shape = shape.to_vec();
        let output = self.graph.add_typed_value(self.origin, kind, None);
        self.push(Op::Reshape, vec![x], output);
        Ok(output)
    }

    /// A node of tensor operators between the operator's operands and its result. Of known integers it is computed at
    /// once, so that shapes that a file computes are known.
    pub fn tensor(&mut self, op: TensorOp, inputs: Vec<ValueId>) -> Result<ValueId, ModelError> {
        let operands: Vec<_> = inputs.iter().map(|&id| self.graph.type_of(id)).collect();
        let result = op.infer(&operands).map_err(|message| self.unsupported(message))?;
        let known: Option<Vec<Tensor>> = inputs.iter().map(|&id| self.small_integers(id)).collect();
        if let Some(known) = known.filter(|_| element_count(&result.shape) <= MAX_FOLDED) {
            let folded = op.evaluate(&known).map_err(|message| self.unsupported(message))?;
            let shape = folded.shape().to_vec();
            let (_, constant) = folded.into_constant(self.origin)?;
            return Ok(self.graph.add_value(self.origin, shape, Some(constant)));
        }
        let output = self.graph.add_typed_value(self.origin, result, None);
        self.push(Op::Tensor(op), inputs, output);
        Ok(output)
    }

    fn small_integers(&self, id: ValueId) -> Option<Tensor> {
        let value = self.graph.value(id);
        let integers = value.constant.as_ref().and_then(Constant::as_i32)?;
        let integers: Vec<i64> = integers.iter().map(|&integer| i64::from(integer)).collect();
        let is_small = integers.len() <= MAX_FOLDED;
        is_small
            .then(|| Tensor::new(FileType::I32, value.shape.clone(), Data::Int(integers.into())).ok())
            .flatten()
    }

    /// A function of each element.
    pub fn map(&mut self, f: Unary, x: ValueId) -> Result<ValueId, ModelError> {
        self.tensor(TensorOp::Map(Map { f }), vec![x])
    }

    /// What the option with this number applies to a result.
    pub fn activated(&mut self, x: ValueId, number: usize) -> Result<ValueId, ModelError> {
        // Tensor operators have the ones that operators on images lack.
        match self.byte(number, "fused activation")? {
            0 => Ok(x),
            1 => self.map(Unary::Relu, x),
            2 => self.map(Unary::Clip { low: -1.0, high: 1.0 }, x),
            3 => self.map(Unary::Clip { low: 0.0, high: 6.0 }, x),
            4 => self.map(Unary::Tanh, x),
            _ => self.activation(number).map(|_| x),
        }
    }

    /// Says which value the operator's result number `index` is. The file's own shape of it holds.
    pub fn give(&mut self, index: usize, value: ValueId) -> Result<(), ModelError> {
        let Some(&output) = self.outputs.get(index) else {
            return Err(self.invalid(format!("result {index} is missing")));
        };
        let same_shape = self.shape(value) == self.shape(output);
        let is_last = value.index() + 1 == self.graph.values.len();
        if let Some(constant) = self.graph.value(value).constant.clone() {
            let kind = self.graph.type_of(value).to_owned();
            let slot = &mut self.graph.values[output.index()];
            if kind.element != slot.element || element_count(&kind.shape) != element_count(&slot.shape) {
                let message = format!("its result is {:?} of {}", kind.shape, kind.element);
                return Err(self.invalid(message));
            }
            slot.constant = Some(constant);
            return Ok(());
        }
        match self.graph.nodes.last_mut() {
            Some(last) if same_shape && is_last && last.output == value => {
                last.output = output;
                self.graph.values.pop();
            }
            _ => self.push(Op::Reshape, vec![value], output),
        }
        Ok(())
    }

    fn push(&mut self, op: Op, inputs: Vec<ValueId>, output: ValueId) {
        if let (Op::Dequantize | Op::Densify | Op::Reshape, [x]) = (&op, &*inputs)
            && self.is_known(*x)
        {
            let source = self.folded.get(x).copied().unwrap_or(*x);
            self.folded.insert(output, source);
        }
        self.graph.nodes.push(Node {
            origin: self.origin.to_owned(),
            op,
            inputs,
            output,
        });
    }
}
