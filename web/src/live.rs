//! What the Live page knows and decides. Everything except [`controller`] is pure and tested without a browser.

pub mod options;
pub mod source;
pub mod backend;
pub mod session;
pub mod gate;
pub mod meter;
pub mod quality;
pub mod skeleton_drawing;
pub mod announcer;
pub mod inspection;
pub mod mjpeg;
pub mod format;
pub mod sentences;
pub mod controller;
