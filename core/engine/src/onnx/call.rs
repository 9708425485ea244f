//! A node while it becomes part of a graph: its operands, its attributes and where it stands.

use rten_onnx::onnx::NodeProto;

use super::attributes::Attributes;
use crate::builder::{Builder, Symbol};
use crate::error::{Missing, ModelError};
use crate::ops::{Binary, Unary};
use crate::tensor::Tensor;

/// A node, its operands looked up.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// Where it stands, for messages: `node 3 (Abs)`.
    pub place: String,
    /// Version of the operators of `ai.onnx`.
    pub opset: i64,
    /// What has not been asked for yet.
    pub attributes: Attributes,
    pub builder: &'a mut Builder,
    /// `None` where the node leaves an operand out.
    pub operands: Vec<Option<Symbol>>,
    /// How many results the node names.
    pub n_results: usize,
}

/// How messages name the node at a position: by its operator, and by its own name if it has one.
pub(super) fn place_of(node: &NodeProto, position: usize) -> String {
    let operator = node.op_type.as_deref().unwrap_or_default();
    match node.name.as_deref() {
        None | Some("") => format!("node {position} ({operator})"),
        Some(name) => format!("node {position} ({operator}, '{name}')"),
    }
}

/// The axis among `rank` that a number stands for; numbers below zero count from behind.
///
/// # Errors
/// *Invalid* when there is no such axis.
pub(super) fn axis_among(number: i64, rank: usize, place: &str) -> Result<usize, ModelError> {
    let from_front = if number < 0 {
        number.checked_add(rank as i64)
    } else {
        Some(number)
    };
    from_front
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|&axis| axis < rank)
        .ok_or_else(|| ModelError::invalid(place, format!("there is no axis {number} among {rank}")))
}

impl Call<'_> {
    /// Operand number `index`; `None` when the node leaves it out.
    pub fn optional(&self, index: usize) -> Option<Symbol> {
        self.operands.get(index).cloned().flatten()
    }

    /// Operand number `index`.
    ///
    /// # Errors
    /// *Invalid* when the node leaves it out.
    pub fn operand(&self, index: usize) -> Result<Symbol, ModelError> {
        self.optional(index)
            .ok_or_else(|| self.invalid(format!("operand {index} is missing")))
    }

    /// Operand number `index`, which decides what the graph is; `None` when the node leaves it out.
    ///
    /// # Errors
    /// *Unsupported* when it depends on the frame.
    pub fn known(&self, index: usize) -> Result<Option<Tensor>, ModelError> {
        let symbol = match self.optional(index) {
            None => return Ok(None),
            Some(Symbol::Known(tensor)) => return Ok(Some(tensor)),
            Some(symbol) => symbol,
        };
        let message = format!("operand {index} depends on the frame; here it has to be known");
        let error = self.unsupported(message);
        Err(match self.builder.input_name(&symbol) {
            Some(name) => error.with_missing(Missing::Value(name.to_owned())),
            None => error,
        })
    }

    /// The integers of operand number `index`, which decide what the graph is; `None` when the node leaves it out.
    ///
    /// # Errors
    /// As [`Self::known`]; *invalid* when its elements are no integers.
    pub fn known_ints(&self, index: usize) -> Result<Option<Vec<i64>>, ModelError> {
        let Some(tensor) = self.known(index)? else {
            return Ok(None);
        };
        match tensor.ints() {
            Some(ints) => Ok(Some(ints.into_owned())),
            None => Err(self.invalid(format!("operand {index} is {}", tensor.file_type()))),
        }
    }

    /// The one number of operand number `index`, which decides what the graph is; `None` when the node leaves it out.
    ///
    /// # Errors
    /// As [`Self::known`]; *invalid* when it is not one element, *unsupported* when it is no float.
    pub fn known_float(&self, index: usize) -> Result<Option<f32>, ModelError> {
        let Some(tensor) = self.known(index)? else {
            return Ok(None);
        };
        let floats = tensor
            .floats()
            .ok_or_else(|| self.unsupported(format!("operand {index} is {}", tensor.file_type())))?;
        match *floats {
            [value] => Ok(Some(value)),
            _ => Err(self.invalid(format!("operand {index} has {} elements", floats.len()))),
        }
    }

    /// As [`axis_among`].
    ///
    /// # Errors
    /// *Invalid* when there is no such axis.
    pub fn axis(&self, number: i64, rank: usize) -> Result<usize, ModelError> {
        axis_among(number, rank, &self.place)
    }

    /// The axes among `rank` that numbers stand for, as [`Self::axis`], in the order of the numbers.
    ///
    /// # Errors
    /// *Invalid* when there is no such axis, or one is named twice.
    pub fn axes(&self, numbers: &[i64], rank: usize) -> Result<Vec<usize>, ModelError> {
        let found = numbers.iter().map(|&number| self.axis(number, rank));
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let mut sorted = found.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(self.invalid(format!("axes {numbers:?} name one twice")));
        }
        Ok(found)
    }

    /// An attribute that is a number, or what stands for it where the node has none.
    ///
    /// # Errors
    /// As [`Attributes::float`].
    pub fn float_or(&mut self, name: &str, default: f32) -> Result<f32, ModelError> {
        Ok(self.attributes.float(name)?.unwrap_or(default))
    }

    /// A function of each element of the first operand: all that the node computes.
    ///
    /// # Errors
    /// As [`Builder::map`]; *invalid* when the operand is missing.
    pub fn map(&mut self, f: Unary) -> Result<Vec<Symbol>, ModelError> {
        let x = self.operand(0)?;
        Ok(vec![self.builder.map(f, &x, &self.place)?])
    }

    /// A function of two elements, of the first two operands: all that the node computes.
    ///
    /// # Errors
    /// As [`Builder::zip`]; *invalid* when an operand is missing.
    pub fn zip(&mut self, f: Binary) -> Result<Vec<Symbol>, ModelError> {
        let (a, b) = (self.operand(0)?, self.operand(1)?);
        Ok(vec![self.builder.zip(f, &a, &b, &self.place)?])
    }

    /// The function of the first two operands, of that and the third, and so on: all that the node computes. Of one
    /// operand, that one.
    ///
    /// # Errors
    /// As [`Self::zip`].
    pub fn chain(&mut self, f: Binary) -> Result<Vec<Symbol>, ModelError> {
        let mut result = self.operand(0)?;
        for index in 1..self.operands.len() {
            let next = self.operand(index)?;
            result = self.builder.zip(f, &result, &next, &self.place)?;
        }
        Ok(vec![result])
    }

    pub fn invalid(&self, message: impl Into<String>) -> ModelError {
        ModelError::invalid(&self.place, message)
    }

    pub fn unsupported(&self, message: impl Into<String>) -> ModelError {
        ModelError::unsupported(&self.place, message)
    }
}
