//! ONNX models: what stands in a file, read so that no bytes can do harm.
//!
//! | stage | module | goes in | comes out |
//! |---|---|---|---|
//! | wire | [`wire`] | bytes of a file | the messages of `rten-onnx`, or what is wrong with the bytes |
//!
//! The module is behind the feature `onnx`.

pub mod wire;
