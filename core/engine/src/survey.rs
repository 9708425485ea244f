//! What a model file says of itself, read without making a graph of it: its inputs, its outputs and its operators, and
//! every one of these that an import would refuse.
//!
//! An import stops at the first gap; a person who brings a model wants to know of all of them.

use std::collections::BTreeMap;

use crate::error::ModelError;
use crate::graph_file;
#[cfg(feature = "onnx")]
use crate::onnx;
use crate::tflite;

/// Which kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A FlatBuffers file of TensorFlow Lite.
    Tflite,
    /// An ONNX file.
    Onnx,
    /// A graph of this engine.
    GraphFile,
}

impl Format {
    /// As the format calls itself.
    pub fn name(self) -> &'static str {
        match self {
            Format::Tflite => "TensorFlow Lite",
            Format::Onnx => "ONNX",
            Format::GraphFile => "Plumbline graph",
        }
    }
}

/// A size of an input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// The file fixes it.
    Known(usize),
    /// The file leaves it open, under this name; empty where it has none.
    Open(String),
}

/// An input or output of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in the file.
    pub name: String,
    /// What its elements are, as the format says it.
    pub element: String,
    /// Sizes in the order of the file; none where the file says nothing.
    pub shape: Option<Vec<Size>>,
    /// For outputs, the operator that writes it, as the format calls it.
    pub written_by: Option<String>,
}

/// An operator, and how often the file uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorUse {
    /// As the format calls it.
    pub name: String,
    /// Nodes that use it.
    pub nodes: usize,
    /// Nodes of it that this engine refuses.
    pub refused: usize,
}

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Which kind of file it is.
    pub format: Format,
    /// The version that it was written for, in the format's words.
    pub version: String,
    /// Inputs that a frame fills in.
    pub inputs: Vec<Port>,
    /// Outputs.
    pub outputs: Vec<Port>,
    /// Operators, those that are refused first, then by name.
    pub operators: Vec<OperatorUse>,
    /// Why this engine refuses it, each with its place, in the order of the file. An import may find more: it knows
    /// shapes.
    pub gaps: Vec<ModelError>,
}

/// Reads what a model file says of itself.
///
/// # Errors
/// *Invalid* when the bytes are no model, or a damaged one; *unsupported* when not even that much can be read.
pub fn survey(bytes: &[u8]) -> Result<Survey, ModelError> {
    if graph_file::is_graph_file(bytes) {
        return graph_file::read(bytes).map(|(graph, _)| of_graph(&graph));
    }
    #[cfg(feature = "onnx")]
    if onnx::is_likely(bytes) {
        return onnx::survey(bytes);
    }
    tflite::survey(bytes)
}

/// A graph file has been an import already, so nothing of it is refused.
fn of_graph(graph: &crate::graph::Graph) -> Survey {
    let producers = graph.producers();
    let port = |&id: &crate::graph::ValueId| {
        let value = graph.value(id);
        Port {
            name: value.name.clone(),
            element: value.element.file_type().to_string(),
            shape: Some(value.shape.iter().copied().map(Size::Known).collect()),
            written_by: producers[id.index()].map(|node| graph.nodes[node].op.name().to_owned()),
        }
    };
    let mut operators = Operators::default();
    for node in &graph.nodes {
        operators.count(node.op.name().to_owned(), false);
    }
    Survey {
        format: Format::GraphFile,
        version: String::new(),
        inputs: graph.inputs.iter().map(port).collect(),
        outputs: graph.outputs.iter().map(port).collect(),
        operators: operators.sorted(),
        gaps: Vec::new(),
    }
}

/// Counts operators by name.
#[derive(Default)]
pub(crate) struct Operators(BTreeMap<String, (usize, usize)>);

impl Operators {
    pub fn count(&mut self, name: String, is_refused: bool) {
        let (nodes, refused) = self.0.entry(name).or_default();
        *nodes += 1;
        *refused += usize::from(is_refused);
    }

    pub fn sorted(self) -> Vec<OperatorUse> {
        let uses = self
            .0
            .into_iter()
            .map(|(name, (nodes, refused))| OperatorUse { name, nodes, refused });
        let mut uses: Vec<OperatorUse> = uses.collect();
        uses.sort_by_key(|operator| operator.refused == 0);
        uses
    }
}
