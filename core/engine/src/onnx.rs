//! ONNX models: what stands in a file, read so that no bytes can do harm.
//!
//! | stage | module | goes in | comes out |
//! |---|---|---|---|
//! | wire | [`wire`], `packed` | bytes of a file | the messages of `rten-onnx`, or what is wrong with the bytes |
//! | header | [`header`] | a model of the file | its operator set, inputs and outputs |
//! | attributes | [`attributes`] | a node of the file | its attributes, each handed out once |
//! | tensors | [`tensors`] | a tensor of the file | a [`Tensor`](crate::tensor::Tensor) |
//! | lowering | `call`, `operators`, `lower` | a node with its operands | calls of the [`Builder`](crate::builder::Builder) |
//! | control | `control` | a node that holds graphs | those that it needs, as often as it needs them |
//! | survey | `survey` | bytes of a file | inputs, outputs and operators, and all that an import would refuse |
//! | import | [`import`](mod@import) | bytes of a file | a [`Graph`](crate::graph::Graph) |
//!
//! The module is behind the feature `onnx`.

pub mod attributes;
mod call;
mod control;
pub mod header;
pub mod import;
mod lower;
mod operators;
mod packed;
mod survey;
pub mod tensors;
mod walk;
pub mod wire;

pub use import::{Options, import};
pub use survey::survey;

/// Whether bytes may be an ONNX file: they begin with a field of a model that files begin with, its version or a name,
/// and are no TFLite file. ONNX has no mark of its own.
pub fn is_likely(bytes: &[u8]) -> bool {
    // Field 1 as a number, or one of the texts 2 to 4 (producer's name and version, domain).
    let begins = bytes
        .first()
        .is_some_and(|key| [0x08, 0x12, 0x1a, 0x22].contains(key));
    begins && bytes.get(4..8) != Some(b"TFL3")
}

/// The names of the operators that are read, sorted.
pub fn operator_names() -> Vec<&'static str> {
    operators::names()
}
