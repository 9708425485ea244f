//! The only doorway to the browser, besides the worker: everything that names `web_sys`, `js_sys` or `wasm_bindgen`.
//!
//! What comes out of here is plain Rust: sentences instead of exceptions, structs instead of objects.

pub mod ahead;
pub mod channel;
pub mod door;
pub mod download;
pub mod engine_link;
pub mod failure;
pub mod gpu_probe;
pub mod links;
pub mod message;
pub mod model_store;
pub mod page;
pub mod painter;
pub mod picture;
pub mod place;
pub mod replayer;
pub mod scope;
pub mod source;
pub mod support;
pub mod thread;
pub mod tuning_store;
pub mod watch_link;
pub mod weights;
