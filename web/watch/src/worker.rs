//! The worker's side: hears of every frame that is measured while a session is watched, and evaluates files.

pub mod evaluator;
pub mod host;
pub mod options;
pub mod record_store;
pub mod records;
pub mod session;
pub mod spoiler;
pub mod watching;
