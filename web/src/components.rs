//! Parts that more than one place uses, made of native elements.

pub mod icon;
pub mod notice;
pub mod readout;
pub mod choice;
