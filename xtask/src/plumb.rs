//! The command-line tool `plumb`, as the tasks use it: to draw the demo clip, to turn models into graph files,
//! and as the native reference that the end-to-end tests compare the page with.
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

/// Turns models of the manifest into graph files `NAME.graph` in `target/graphs` and returns that folder. Nothing is
/// compiled where neither the weights nor the code that reads and writes them have changed since the last time.
pub fn compile_models<'a>(
    workspace: &Workspace,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Outcome<PathBuf> {
    let folder = workspace.target.join("graphs");
    let stamp = folder.join("compiled-by");
    let sources = sha256_of_sources(&[
        workspace.root.join("models/manifest.toml"),
        workspace.root.join("core/engine/src"),
        workspace.root.join("core/cli/src/commands/compile.rs"),
    ])?;
    let is_there = |name: &str| folder.join(format!("{name}.graph")).is_file();
    if read_text(&stamp).is_ok_and(|seen| seen == sources) && names.clone().all(is_there) {
        return Ok(folder);
    }
    make_folder(&folder)?;
    let plumb = build(workspace)?;
    for name in names {
        process::run(
            Command::new(&plumb)
                .args(["compile", name, "--out"])
                .arg(folder.join(format!("{name}.graph")))
                .current_dir(&workspace.root),
        )?;
    }
    write(&stamp, sources.as_bytes())?;
    Ok(folder)
}
