//! From a file to a graph: its header, then one walk over the nodes, then its outputs.

use std::collections::BTreeMap;

use super::header::Header;
use super::walk::Walk;
use super::wire;
use crate::error::ModelError;
use crate::graph::Graph;
use crate::tensor::Tensor;

/// The newest operator set whose operators were read when this was written.
pub const NEWEST_OPSET: i64 = 28;

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
    let mut walk = Walk::new(header.opset);
    walk.initialisers(graph.initializer)?;
    for input in &header.inputs {
        walk.input(input, options.known.get(&input.name))?;
    }
    walk.nodes(graph.node)?;
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
