//! A graph as a file of the engine's own: what a model is after import and constant folding, so that nobody who starts
//! has to spread and widen its weights again.
//!
//! Out of a graph whose constants are folded come bytes; out of these bytes comes the same graph, bit for bit. Weights
//! are kept as binary16 where that is exact, and of tensors with many zeros only the rest is kept. Passes, fusion and
//! plan are not in the file: they depend on who asks (which outputs, which level of fusion).
//!
//! All numbers are little-endian. The file is `PLMG`, the version as u32, the SHA-256 of the model that it was made
//! of; values, nodes, inputs and outputs, each list after its length as u32; then the contents of all constants in the
//! order of the values. Strings are a length and UTF-8. Weights that [`quantize`](crate::quantize) has made 8-bit codes
//! are written as such.

mod reader;
mod writer;

pub(crate) use self::reader::Reader;
pub(crate) use self::writer::Writer;
use crate::error::ModelError;
use crate::graph::{Graph, element_count};
use crate::validate::validate;

const MAGIC: &[u8; 4] = b"PLMG";

/// The version of the format. It is raised whenever the same bytes would be read as another graph.
pub const VERSION: u32 = 2;

/// The SHA-256 of a model file.
pub type SourceHash = [u8; 32];

/// How a constant is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    None,
    F32,
    F16,
    /// One bit for each element, lowest first; then, as binary16, the elements whose bit is set.
    SparseF16,
    I32,
    U32,
    /// The length of a run, the number of channels and a step for each as binary16 ([`Steps`](crate::compact::Steps));
    /// then the codes.
    Codes,
    /// The same with the mask of `SparseF16` before the codes.
    SparseCodes,
}

impl Storage {
    const ALL: [Self; 8] = [
        Self::None,
        Self::F32,
        Self::F16,
        Self::SparseF16,
        Self::I32,
        Self::U32,
        Self::Codes,
        Self::SparseCodes,
    ];
}

/// Whether bytes begin as such a file does.
pub fn is_graph_file(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Writes a graph that was made of the model with the hash `source`.
///
/// # Errors
/// *Unsupported* for a graph whose constants are not folded.
pub fn write(graph: &Graph, source: &SourceHash) -> Result<Vec<u8>, ModelError> {
    let mut writer = Writer(Vec::new());
    writer.0.extend_from_slice(MAGIC);
    writer.number(VERSION as usize);
    writer.0.extend_from_slice(source);
    // A constant that nobody reads any more was emptied by folding; it is no constant of this file.
    let mut read = vec![false; graph.values.len()];
    for &id in graph
        .nodes
        .iter()
        .flat_map(|node| &node.inputs)
        .chain(&graph.outputs)
    {
        read[id.index()] = true;
    }
    let mut contents = Writer(Vec::new());
    writer.number(graph.values.len());
    for (value, is_read) in graph.values.iter().zip(read) {
        writer.text(&value.name);
        writer.numbers(&value.shape);
        writer.number(value.element as usize);
        let storage = match value.constant.as_ref().filter(|_| is_read) {
            None => Storage::None,
            Some(constant) => contents.constant(constant).ok_or_else(|| {
                ModelError::unsupported(
                    &value.name,
                    "its constant was not folded before the graph was written",
                )
            })?,
        };
        writer.number(storage as usize);
    }
    writer.number(graph.nodes.len());
    for node in &graph.nodes {
        writer.text(&node.origin);
        writer.op(node)?;
        writer.ids(&node.inputs);
        writer.number(node.output.index());
    }
    writer.ids(&graph.inputs);
    writer.ids(&graph.outputs);
    writer.0.extend_from_slice(&contents.0);
    Ok(writer.0)
}

/// Reads a file that [`write`] has written; also the hash of the model that it was made of.
///
/// # Errors
/// *Invalid* for a file that is truncated, corrupted or none of these; *Unsupported* for one of another version. Never
/// panics, whatever the bytes.
pub fn read(bytes: &[u8]) -> Result<(Graph, SourceHash), ModelError> {
    if !is_graph_file(bytes) {
        return Err(ModelError::invalid(
            "header",
            "this is not a graph file (it should begin with PLMG); make one with `plumb compile`",
        ));
    }
    let mut reader = Reader {
        bytes,
        at: MAGIC.len(),
    };
    let version = reader.number("version")?;
    if version != VERSION as usize {
        let message =
            format!("version {version}; this reader knows {VERSION}, so the graph is to be made again");
        return Err(ModelError::unsupported("header", message));
    }
    let hash = reader.take(size_of::<SourceHash>(), "hash of the source")?;
    let mut source = SourceHash::default();
    source.copy_from_slice(hash);

    let mut graph = Graph::default();
    let mut storages = Vec::new();
    for _ in 0..reader.count("values")? {
        let (value, storage) = reader.value()?;
        graph.values.push(value);
        storages.push(storage);
    }
    let n_values = graph.values.len();
    for _ in 0..reader.count("nodes")? {
        graph.nodes.push(reader.node(n_values)?);
    }
    graph.inputs = reader.ids("inputs", n_values)?;
    graph.outputs = reader.ids("outputs", n_values)?;
    for (value, storage) in graph.values.iter_mut().zip(storages) {
        value.constant = reader.constant(element_count(&value.shape), storage)?;
    }
    if reader.at != bytes.len() {
        let message = format!("{} bytes follow the end", bytes.len() - reader.at);
        return Err(ModelError::invalid("file", message));
    }
    validate(&graph)?;
    Ok((graph, source))
}
