//! `plumb compile`: a model as a graph file, which starts without being imported. The page is served these.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use plumbline_engine::{ModelError, graph_file, passes};
use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::manifest;
use crate::user_model::{parse_size, read_sized};

/// Turns a model into a graph file: constants folded, weights as binary16 where that is exact
#[derive(Args)]
pub struct Arguments {
    /// A .tflite or .onnx file, or a name in the manifest: detector, lite, full, heavy,
    /// selfie, selfie-landscape
    model: String,
    /// A size that the model leaves open, by the name that its error gives; can be repeated
    #[arg(long = "size", value_name = "NAME=N", value_parser = parse_size)]
    sizes: Vec<(String, usize)>,
    /// Where the graph file goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let bytes = manifest::read_model_or_file(&arguments.model)?;
    let sizes = arguments.sizes.iter().cloned().collect();
    let file = compile_sized(&bytes, sizes).map_err(|error| format!("{}: {error}", arguments.model))?;
    let out = arguments.out.display();
    fs::write(&arguments.out, &file).map_err(|error| format!("cannot write {out}: {error}"))?;
    println!(
        "{}: {} bytes from {}, in {out}",
        arguments.model,
        file.len(),
        bytes.len()
    );
    Ok(())
}

/// The graph file of a model. All outputs stay: which of them are computed is decided by who runs the graph.
///
/// # Errors
/// Those of the engine's reader.
pub fn compile(bytes: &[u8]) -> Result<Vec<u8>, ModelError> {
    compile_sized(bytes, BTreeMap::new())
}

/// [`compile`] with the sizes that the model leaves open.
///
/// # Errors
/// As [`compile`].
pub fn compile_sized(bytes: &[u8], sizes: BTreeMap<String, usize>) -> Result<Vec<u8>, ModelError> {
    let mut graph = read_sized(bytes, sizes)?;
    passes::fold_constants(&mut graph)?;
    passes::prune(&mut graph);
    graph_file::write(&graph, &Sha256::digest(bytes).into())
}
