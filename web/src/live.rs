//! What the Live page knows and decides. Everything except [`controller`] is pure and tested without a browser.

pub mod announcer;
pub mod autotune;
pub mod backend;
pub mod background;
pub mod controller;
pub mod format;
pub mod frame_times;
pub mod gate;
pub mod inspection;
pub mod meter;
pub mod options;
pub mod people;
pub mod quality;
pub mod sentences;
pub mod session;
pub mod skeleton_drawing;
pub mod source;
pub mod stages;
pub mod trial;
pub mod tuning_memory;
pub mod workers;
