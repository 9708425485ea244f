//! ONNX models: what stands in a file, read so that no bytes can do harm.
//!
//! | stage | module | goes in | comes out |
//! |---|---|---|---|
//! | wire | [`wire`] | bytes of a file | the messages of `rten-onnx`, or what is wrong with the bytes |
//! | tensors | [`tensors`] | a tensor of the file | a [`Tensor`](crate::tensor::Tensor) |
//!
//! The module is behind the feature `onnx`.

pub mod tensors;
pub mod wire;
