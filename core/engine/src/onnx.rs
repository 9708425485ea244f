//! ONNX models: what stands in a file, read so that no bytes can do harm.
//!
//! | stage | module | goes in | comes out |
//! |---|---|---|---|
//! | wire | [`wire`] | bytes of a file | the messages of `rten-onnx`, or what is wrong with the bytes |
//! | header | [`header`] | a model of the file | its operator set, inputs and outputs |
//! | attributes | [`attributes`] | a node of the file | its attributes, each handed out once |
//! | tensors | [`tensors`] | a tensor of the file | a [`Tensor`](crate::tensor::Tensor) |
//! | lowering | `call`, `operators`, `lower` | a node with its operands | calls of the [`Builder`](crate::builder::Builder) |
//! | import | [`import`](mod@import) | bytes of a file | a [`Graph`](crate::graph::Graph) |
//!
//! The module is behind the feature `onnx`.

pub mod attributes;
mod call;
pub mod header;
pub mod import;
mod lower;
mod operators;
pub mod tensors;
pub mod wire;

pub use import::{Options, import};
