//! What the program `plumb` is made of: pictures, clips and models from files, backends, and one module a command.
//!
//! It is a library besides, so that tests read pictures, clips and models exactly as the program does.

pub mod backend;
pub mod clip;
pub mod commands;
pub mod finder;
pub mod manifest;
pub mod picture;
pub mod pose_json;
pub mod printing;
pub mod user_model;
pub mod watched_clip;

/// The result of something that a person asked for; the error is a sentence for that person: what, where, what to do.
pub type Outcome<T> = Result<T, String>;
