//! ONNX models: what stands in a file, read so that no bytes can do harm.
//!
//! | stage | module | goes in | comes out |
//! |---|---|---|---|
//! | wire | [`wire`] | bytes of a file | the messages of `rten-onnx`, or what is wrong with the bytes |
//! | header | [`header`] | a model of the file | its operator set, inputs and outputs |
//! | attributes | [`attributes`] | a node of the file | its attributes, each handed out once |
//! | tensors | [`tensors`] | a tensor of the file | a [`Tensor`](crate::tensor::Tensor) |
//!
//! The module is behind the feature `onnx`.

pub mod attributes;
pub mod header;
pub mod tensors;
pub mod wire;
