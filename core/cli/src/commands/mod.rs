//! The commands, one module each.

pub mod arl;
pub mod audit;
pub mod bench;
pub mod card;
pub mod classify;
pub mod compile;
pub mod drift;
pub mod drift_reference;
pub mod embed;
pub mod evaluate;
pub mod figure;
pub mod gate;
pub mod inspect;
pub mod mask;
pub mod operators;
pub mod pose;
mod pose_any;
pub mod profile;
pub mod quantize;
pub mod robustness;
