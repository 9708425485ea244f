//! The worker's side: reads a file, says what it is, runs it, keeps it.
//!
//! It answers one request after the other, and may never answer at all: whoever started it watches.

pub mod drawing;
pub mod gpu;
pub mod host;
pub mod inflate;
pub mod people;
pub mod storage;
pub mod trial;
