//! The engine's side of the page: it loads weights, receives frames, runs the pipeline, and answers with poses.
//!
//! It runs in a dedicated worker (or, where none can start, in the page) and knows nothing of the interface. What can
//! be said in either direction is [`protocol`]; how it crosses the border between threads is [`wire`].

pub mod answers;
pub mod compositor;
pub mod host;
pub mod loader;
pub mod masker;
pub mod measurer;
pub mod pixels;
pub mod protocol;
pub mod rival;
pub mod watch_row;
pub mod watch_wire;
pub mod watcher;
pub mod wire;
