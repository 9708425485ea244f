//! From a file to a graph: one walk over the nodes, in the order of the file.
//!
//! Each name stands for what is known or for a value of the graph. What is known is computed at once, so that constants
//! and the shapes made of them are there when a node asks for them, and no pass has to find them later.

use std::collections::BTreeMap;

use rten_onnx::onnx::NodeProto;

use super::attributes::Attributes;
use super::call::{Call, place_of};
use super::header::{Header, Input};
use super::operators::Operator;
use super::{tensors, wire};
use crate::builder::{Builder, Symbol};
use crate::error::ModelError;
use crate::graph::Graph;
use crate::tensor::Tensor;

/// The newest operator set whose operators were read when this was written.
pub const NEWEST_OPSET: i64 = 28;

/// No model may have more nodes.
const MAX_NODES: usize = 1 << 16;

/// What the caller adds to a file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Sizes that the file leaves open, by the name that [`Missing::Size`](crate::error::Missing::Size) gives them.
    pub sizes: BTreeMap<String, usize>,
    /// Inputs that are the same for every frame, by name. They are no inputs of the graph.
    pub known: BTreeMap<String, Tensor>,
}

/// Reads a model. Inputs and outputs of the graph are those of the file, in its order, without the inputs that
/// `options` knows; their axes are in the file's order.
///
/// # Errors
/// *Invalid* when the bytes are no model or contradict themselves; *unsupported*, by the node, for what is not read.
/// When the caller can give what is missing, the error names it ([`ModelError::missing`]).
pub fn import(bytes: &[u8], options: &Options) -> Result<Graph, ModelError> {
    let model = wire::read_model(bytes)?;
    let header = Header::read(&model, &options.sizes)?;
    if header.opset > NEWEST_OPSET {
        let message = format!(
            "operator set {}; this reader knows them up to {NEWEST_OPSET}",
            header.opset
        );
        return Err(ModelError::unsupported("opset_import", message));
    }
    let graph = model.graph.unwrap_or_default();
    if graph.node.len() > MAX_NODES {
        let message = format!("{} nodes; at most {MAX_NODES} are read", graph.node.len());
        return Err(ModelError::unsupported("graph", message));
    }
    let mut walk = Walk {
        opset: header.opset,
        builder: Builder::default(),
        symbols: BTreeMap::new(),
    };
    for tensor in graph.initializer {
        let name = tensor.name.clone().unwrap_or_default();
        let place = format!("initializer '{name}'");
        let tensor = tensors::read(tensor, &place)?;
        walk.define(name, Symbol::Known(tensor), &place)?;
    }
    for input in &header.inputs {
        walk.input(input, options.known.get(&input.name))?;
    }
    for (position, node) in graph.node.into_iter().enumerate() {
        walk.node(node, position)?;
    }
    for output in &header.outputs {
        let place = format!("output '{}'", output.name);
        let symbol = walk.symbol(&output.name, &place)?.clone();
        if symbol.file_type() != output.file_type {
            let message = format!(
                "it is declared as {}, but the nodes give {}",
                output.file_type,
                symbol.file_type()
            );
            return Err(ModelError::invalid(place, message));
        }
        walk.builder.output(&symbol, &output.name)?;
    }
    walk.builder.finish()
}

/// What is known of the names that have been read so far.
struct Walk {
    opset: i64,
    builder: Builder,
    symbols: BTreeMap<String, Symbol>,
}

impl Walk {
    fn define(&mut self, name: String, symbol: Symbol, place: &str) -> Result<(), ModelError> {
        match self.symbols.insert(name, symbol) {
            None => Ok(()),
            Some(_) => Err(ModelError::invalid(place, "it has the name of another value")),
        }
    }

    fn symbol(&self, name: &str, place: &str) -> Result<&Symbol, ModelError> {
        self.symbols.get(name).ok_or_else(|| {
            ModelError::invalid(
                place,
                format!("it reads '{name}', which nothing before it writes"),
            )
        })
    }

    fn input(&mut self, input: &Input, known: Option<&Tensor>) -> Result<(), ModelError> {
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
        let place = place_of(&node, position);
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
        let results = operator.lower(&mut call)?;
        let Call {
            place, attributes, ..
        } = call;
        attributes.finish()?;
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
