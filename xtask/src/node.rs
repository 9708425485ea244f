//! Node and npm: whether they are there, and packages installed exactly as a lock file says.

use std::path::Path;
use std::process::Command;

use crate::workspace::{Workspace, make_folder, read, read_text, sha256_hex, write};
use crate::{Outcome, process};

/// The oldest major version of Node whose test runner and zlib the tasks rely on.
const OLDEST_NODE: u32 = 20;

/// A command that runs Node, or a sentence that says how to get it.
pub fn node() -> Outcome<Command> {
    let version = process::version_of("node").ok_or_else(|| {
        format!("Node.js was not found; install Node {OLDEST_NODE} or newer with npm (nodejs.org)")
    })?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|word| word.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST_NODE => Ok(Command::new("node")),
        _ => Err(format!(
            "Node.js {version} is too old; install Node {OLDEST_NODE} or newer"
        )),
    }
}

/// Makes sure that `folder/node_modules` holds what `folder/package-lock.json` says. Where the same lock file
/// was installed before, nothing runs.
pub fn install(workspace: &Workspace, folder: &str, why: &str) -> Outcome<()> {
    let stamps = workspace.target.join("npm");
    let stamp = stamps.join(folder.replace('/', "-"));
    let path = workspace.root.join(folder);
    let lock = sha256_hex(&read(&path.join("package-lock.json"))?);
    if path.join("node_modules").is_dir() && read_text(&stamp).is_ok_and(|seen| seen == lock) {
        return Ok(());
    }
    node()?;
    println!("Installing the packages of {folder}/package-lock.json with npm: {why}.");
    npm_ci(&path)?;
    make_folder(&stamps)?;
    write(&stamp, lock.as_bytes())
}

fn npm_ci(folder: &Path) -> Outcome<()> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    process::run(
        Command::new(npm)
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder),
    )
}
