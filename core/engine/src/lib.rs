//! From the bytes of a model to numbers: import, graph, passes, plan, run. The engine knows tensors, not people.
//!
//! | stage | module | goes in | comes out |
//! |---|---|---|---|
//! | import | [`tflite`] | bytes of a file | [`graph::Graph`] |
//! | import | `onnx`, behind the feature of that name | bytes of an ONNX file | [`graph::Graph`] |
//! | survey | [`survey`](mod@survey) | bytes of a file | its inputs, outputs and operators, and all that would be refused |
//! | store | [`graph_file`] | a graph with folded constants | bytes, read back without importing anything |
//! | passes | [`passes`] | a valid graph | a smaller valid graph |
//! | fusion | [`fusion`] | a graph | steps: which nodes one kernel computes |
//! | deferral | [`deferral`] | a graph | one output less to compute, and how its reader goes on |
//! | plan | [`plan`] | a graph | [`plan::Plan`]: order, places in the arena, cost |
//! | run | [`cpu`] | a plan and numbers | numbers |
//! | record | [`gpu`] | a plan | [`gpu::Recording`]: WGSL text, buffers, dispatches, replayed natively or in a browser |
//!
//! What is known before any frame arrives is a [`tensor::Tensor`], of one of the types in [`element`]. Images have
//! operators of their own; what works on any tensor stands in [`ops`].
//!
//! Each stage can be called on its own and its product printed; `plumb inspect` does so.

pub mod builder;
pub mod compact;
pub mod cpu;
pub mod deferral;
pub mod element;
pub mod encoding;
pub mod error;
pub mod fusion;
pub mod gpu;
pub mod graph;
pub mod graph_file;
pub mod half;
pub mod image;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod ops;
pub mod passes;
pub mod plan;
pub mod quantize;
pub mod reference;
pub mod survey;
pub mod tensor;
pub mod tflite;
pub mod validate;

pub use error::{ErrorKind, ModelError};

/// Reads a model, whichever kind of file it is: TFLite's, this engine's own, or, with the feature `onnx`, ONNX's.
///
/// # Errors
/// Those of [`tflite::import`], [`graph_file::read`] and `onnx::import`.
pub fn read_model(bytes: &[u8]) -> Result<graph::Graph, ModelError> {
    if graph_file::is_graph_file(bytes) {
        return graph_file::read(bytes).map(|(graph, _)| graph);
    }
    #[cfg(feature = "onnx")]
    if onnx::is_likely(bytes) {
        return onnx::import(bytes, &onnx::Options::default());
    }
    tflite::import(bytes)
}
