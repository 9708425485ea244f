//! The command-line tool `plumb`, as the tasks use it: to draw the demo clip, and as the native reference
//! that the end-to-end tests compare the page with.
//!
//! It is built in the development profile, where the engine and the figure are optimised anyway, so that
//! tests and tasks share one build of its dependencies.

use std::path::PathBuf;
use std::process::Command;

use crate::workspace::{Workspace, make_folder, read_text, sha256_of_sources, write};
use crate::{Outcome, process};

/// Compiles `plumb` and returns the path of its program.
pub fn build(workspace: &Workspace) -> Outcome<PathBuf> {
    process::run(
        process::cargo()
            .args(["build", "--quiet", "--package", "plumb"])
            .current_dir(&workspace.root),
    )?;
    Ok(workspace
        .target
        .join("debug")
        .join(format!("plumb{}", std::env::consts::EXE_SUFFIX)))
}

/// Draws the demo clip (`person.mjpeg` with `person.json`) into `target/demo` and returns that folder.
/// Nothing is drawn where the code that draws has not changed since the last time.
pub fn draw_demo(workspace: &Workspace) -> Outcome<PathBuf> {
    let folder = workspace.target.join("demo");
    let stamp = folder.join("drawn-by");
    let sources = sha256_of_sources(&[
        workspace.root.join("core/figure"),
        workspace.root.join("core/cli/src/commands/figure.rs"),
    ])?;
    if read_text(&stamp).is_ok_and(|seen| seen == sources) {
        return Ok(folder);
    }
    println!(
        "Drawing the demo clip: a person with known joints, so that the page can be tried without a camera."
    );
    make_folder(&folder)?;
    let plumb = build(workspace)?;
    process::run(
        Command::new(plumb)
            .args(["figure", "--demo"])
            .arg(folder.join("person.mjpeg")),
    )?;
    write(&stamp, sources.as_bytes())?;
    Ok(folder)
}
