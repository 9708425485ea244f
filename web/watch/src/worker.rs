//! The worker's side: hears of every frame that is measured while a session is watched, and evaluates files.

pub mod host;
