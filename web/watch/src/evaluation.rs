//! Evaluating files: what they are, what is still missing, and what page and worker say to each other about it.
//!
//! Goes in: files that a person chose, predictions and the truth. Comes out: a report of `plumbline_core::metrics`, the one
//! that `plumb evaluate` prints.

pub mod messages;
pub mod recognise;
pub mod run;
