//! Results on standard output, as lines or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::Outcome;

/// Prints an object on one line.
///
/// # Errors
/// Standard output cannot be written.
pub fn print_json(out: &mut impl Write, json: &impl Serialize) -> Outcome<()> {
    let text = serde_json::to_string(json)
        .map_err(|error| format!("the result cannot be written as JSON ({error})"))?;
    written(writeln!(out, "{text}"))
}

/// A reader that stops listening (`| head`) is no fault.
///
/// # Errors
/// Standard output cannot be written.
pub fn written(result: io::Result<()>) -> Outcome<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.map_err(|error| format!("the result cannot be printed ({error})")),
    }
}
