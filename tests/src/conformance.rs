//! What holds the engine to the cases of `tests/reference/onnx_cases.py`.

pub mod case;
pub mod compare;
pub mod run;
pub mod unsupported;
pub mod worker;
