//! The commands, one module each.

pub mod bench;
pub mod compile;
pub mod figure;
pub mod inspect;
pub mod mask;
pub mod operators;
pub mod pose;
pub mod quantize;
