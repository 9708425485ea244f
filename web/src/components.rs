//! Parts that more than one place uses, made of native elements.

pub mod choice;
pub mod icon;
pub mod notice;
pub mod readout;
