//! What holds the engine to the cases of `tests/reference/onnx_cases.py`: natively on both backends, and in a browser.
//!
//! A [`case::Case`] is a model with inputs and the outputs that are expected of them, as bytes. [`run`] judges one,
//! [`pack`] carries many to where there are no files. With the feature `native` they are read from files and judged in
//! processes of their own.

pub mod case;
pub mod compare;
#[cfg(feature = "native")]
pub mod files;
pub mod pack;
pub mod run;
#[cfg(feature = "native")]
pub mod unsupported;
#[cfg(feature = "native")]
pub mod worker;
