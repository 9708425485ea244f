//! The walk over the nodes of a file, in its order.
//!
//! Each name stands for what is known or for a value of the graph. What is known is computed at once, so that constants
//! and the shapes made of them are there when a node asks for them, and no pass has to find them later.

use std::collections::BTreeMap;

use rten_onnx::onnx::{NodeProto, TensorProto};

use super::attributes::Attributes;
use super::call::{Call, place_of};
use super::header::Input;
use super::operators::{Lowered, Operator};
use super::tensors;
use crate::builder::{Builder, Symbol};
use crate::error::ModelError;
use crate::tensor::Tensor;

/// No model may have more nodes, those of graphs inside of nodes counted as often as they are read.
const MAX_NODES: usize = 1 << 16;

/// What loops and scans may read again, in bytes of the nodes inside of them.
const MAX_REPEATED_BYTES: usize = 256 << 20;

/// What is known of the names that have been read so far.
pub(super) struct Walk {
    pub opset: i64,
    pub builder: Builder,
    symbols: BTreeMap<String, Symbol>,
    /// In the order in which they were defined, with what they stood for before.
    names: Vec<(String, Option<Symbol>)>,
    /// Where the graph that is being read stands, for messages; empty for that of the model.
    inside: String,
    nodes_left: usize,
    repeated_left: usize,
}

impl Walk {
    pub fn new(opset: i64) -> Self {
        Self {
            opset,
            builder: Builder::default(),
            symbols: BTreeMap::new(),
            names: Vec::new(),
            inside: String::new(),
            nodes_left: MAX_NODES,
            repeated_left: MAX_REPEATED_BYTES,
        }
    }

    /// Lets a name stand for a value.
    ///
    /// # Errors
    /// *Invalid* when it stands for another one already.
    pub fn define(&mut self, name: String, symbol: Symbol, place: &str) -> Result<(), ModelError> {
        if self.symbols.contains_key(&name) {
            return Err(ModelError::invalid(place, "it has the name of another value"));
        }
        self.shadow(name, symbol);
        Ok(())
    }

    /// Lets a name stand for a value until what it stands in has been read. Exporters give inputs of a body the names of
    /// values around it.
    pub fn shadow(&mut self, name: String, symbol: Symbol) {
        let before = self.symbols.insert(name.clone(), symbol);
        self.names.push((name, before));
    }

    /// Runs `read` on what stands inside of a node, `inside` says where. The names that it defines are gone afterwards.
    pub fn within<T>(
        &mut self,
        inside: &str,
        read: impl FnOnce(&mut Self) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let outside = std::mem::replace(&mut self.inside, format!("{inside}, "));
        let n_names = self.names.len();
        let result = read(self);
        for (name, before) in self.names.drain(n_names..).rev() {
            match before {
                None => self.symbols.remove(&name),
                Some(before) => self.symbols.insert(name, before),
            };
        }
        self.inside = outside;
        result
    }

    /// Values that the file holds.
    ///
    /// # Errors
    /// Those of [`tensors::read`]; *invalid* for a name that is there already.
    pub fn initialisers(&mut self, initialisers: Vec<TensorProto>) -> Result<(), ModelError> {
        for tensor in initialisers {
            let name = tensor.name.clone().unwrap_or_default();
            let place = format!("{}initializer '{name}'", self.inside);
            let tensor = tensors::read(tensor, &place)?;
            self.define(name, Symbol::Known(tensor), &place)?;
        }
        Ok(())
    }

    /// Nodes, one after the other.
    ///
    /// # Errors
    /// *Unsupported* for what is not read, and for too many of them; *invalid* for what contradicts itself.
    pub fn nodes(&mut self, nodes: Vec<NodeProto>) -> Result<(), ModelError> {
        for (position, node) in nodes.into_iter().enumerate() {
            self.node(node, position)?;
        }
        Ok(())
    }

    /// Counts a node, or a time that a body is passed.
    fn count(&mut self, place: &str) -> Result<(), ModelError> {
        self.nodes_left = self.nodes_left.checked_sub(1).ok_or_else(|| {
            let message = format!("more than {MAX_NODES} nodes, each counted as often as it is read");
            ModelError::unsupported(place, message)
        })?;
        Ok(())
    }

    /// Counts a time that a body with nodes of so many bytes is passed.
    ///
    /// # Errors
    /// *Unsupported* when bodies were passed too often: a file of few bytes can ask for many.
    pub fn repeat(&mut self, n_bytes: usize, place: &str) -> Result<(), ModelError> {
        self.count(place)?;
        self.repeated_left = self.repeated_left.checked_sub(n_bytes).ok_or_else(|| {
            let message = format!("what is repeated takes more than {MAX_REPEATED_BYTES} bytes");
            ModelError::unsupported(place, message)
        })?;
        Ok(())
    }

    /// What a name stands for.
    ///
    /// # Errors
    /// *Invalid* when nothing has defined it.
    pub fn symbol(&self, name: &str, place: &str) -> Result<&Symbol, ModelError> {
        self.symbols.get(name).ok_or_else(|| {
            ModelError::invalid(
                place,
                format!("it reads '{name}', which nothing before it writes"),
            )
        })
    }

    /// An input of the model; `known` is its value where it is the same for every frame.
    ///
    /// # Errors
    /// *Unsupported* for types that no frame computes with, and for a value of another type or shape.
    pub fn input(&mut self, input: &Input, known: Option<&Tensor>) -> Result<(), ModelError> {
        let place = format!("input '{}'", input.name);
        let symbol = match known {
            None => self.builder.input(&input.name, input.file_type, &input.shape)?,
            Some(tensor) if (tensor.file_type(), tensor.shape()) == (input.file_type, &*input.shape) => {
                Symbol::Known(tensor.clone())
            }
            Some(tensor) => {
                let message = format!(
                    "the value given for it is {} of shape {:?}; the model takes {} of shape {:?}",
                    tensor.file_type(),
                    tensor.shape(),
                    input.file_type,
                    input.shape
                );
                return Err(ModelError::unsupported(place, message));
            }
        };
        self.define(input.name.clone(), symbol, &place)
    }

    fn node(&mut self, node: NodeProto, position: usize) -> Result<(), ModelError> {
        let place = format!("{}{}", self.inside, place_of(&node, position));
        self.count(&place)?;
        let unsupported = |message: String| ModelError::unsupported(&place, message);
        let domain = node.domain.as_deref().unwrap_or_default();
        if !matches!(domain, "" | "ai.onnx") {
            return Err(unsupported(format!(
                "operators of the domain '{domain}' are not read"
            )));
        }
        let operator = Operator::named(node.op_type.as_deref().unwrap_or_default());
        let operator = operator.ok_or_else(|| unsupported("this operator is not read".to_owned()))?;
        if node.input.len() > operator.max_operands {
            let (given, most) = (node.input.len(), operator.max_operands);
            return Err(unsupported(format!("{given} operands; {most} are read")));
        }
        let operand = |name: &String| match name.as_str() {
            "" => Ok(None),
            name => self.symbol(name, &place).cloned().map(Some),
        };
        let operands = node.input.iter().map(operand).collect::<Result<_, _>>()?;
        let first_new = self.builder.len();
        let mut call = Call {
            attributes: Attributes::new(node.attribute, place.as_str())?,
            place,
            opset: self.opset,
            builder: &mut self.builder,
            operands,
            n_results: node.output.len(),
        };
        let lowered = operator.lower(&mut call)?;
        let Call {
            place, attributes, ..
        } = call;
        attributes.finish()?;
        let results = match lowered {
            Lowered::Results(results) => results,
            Lowered::Control(control) => control.run(self, &place)?,
        };
        for (index, name) in node.output.into_iter().enumerate() {
            if name.is_empty() {
                continue;
            }
            let symbol = results.get(index).ok_or_else(|| {
                ModelError::unsupported(&place, format!("its result {index} is not computed"))
            })?;
            self.builder.name(symbol, &name, first_new);
            self.define(name, symbol.clone(), &place)?;
        }
        Ok(())
    }
}
