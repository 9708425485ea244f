//! Dead-code removal, driven by the outputs that somebody reads.

use crate::error::ModelError;
use crate::graph::Graph;

/// Keeps only the named outputs, in the order of the names.
///
/// # Errors
/// *Invalid* for a name that the model does not have; the message lists those that it has.
pub fn select_outputs(graph: &mut Graph, names: &[&str]) -> Result<(), ModelError> {
    let mut outputs = Vec::with_capacity(names.len());
    for name in names {
        match graph.output_named(name) {
            Some(output) => outputs.push(output),
            None => {
                let known: Vec<&str> = graph
                    .outputs
                    .iter()
                    .map(|&id| graph.value(id).name.as_str())
                    .collect();
                let message = format!(
                    "there is no output named {name}; the model has {}",
                    known.join(", ")
                );
                return Err(ModelError::invalid("outputs", message));
            }
        }
    }
    graph.outputs = outputs;
    Ok(())
}

/// Removes nodes that no output depends on.
pub fn prune(graph: &mut Graph) {
    let mut needed = vec![false; graph.values.len()];
    for output in &graph.outputs {
        needed[output.index()] = true;
    }
    for node in graph.nodes.iter().rev() {
        if needed[node.output.index()] {
            for input in &node.inputs {
                needed[input.index()] = true;
            }
        }
    }
    graph.nodes.retain(|node| needed[node.output.index()]);
}
