//! What the tests of this package share: the checkout and its files, the optional data folder, and how a test says
//! that it cannot run here or what it measured.
//!
//! The tests themselves are in `tests/tests`, one subject a file; the browser's are in `tests/e2e`.

pub mod drawn_session;
pub mod models;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the checkout.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package folder lies in the checkout")
}

/// All files that git tracks and that are there, relative to the checkout with `/` between parts, sorted.
///
/// # Panics
/// Where git cannot list them: then nothing about the files can be tested.
pub fn tracked_files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(checkout())
        .output()
        .expect("git is needed to list the project's files");
    assert!(
        output.status.success(),
        "git cannot list the files: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let listing = String::from_utf8(output.stdout).expect("file names are UTF-8");
    let mut files: Vec<String> = listing.split_terminator('\0').map(str::to_owned).collect();
    files.retain(|file| checkout().join(file).is_file());
    files.sort();
    files
}

/// A tracked file's text.
///
/// # Panics
/// Where the file cannot be read as UTF-8.
pub fn read(file: &str) -> String {
    match std::fs::read_to_string(checkout().join(file)) {
        Ok(text) => text,
        Err(error) => panic!("{file}: {error}"),
    }
}

/// The folder with photos, clips and reference numbers that are not part of the project: `PLUMBLINE_DATA`, or
/// `../shared/data` beside the checkout. None where it is absent.
pub fn data_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("PLUMBLINE_DATA").map(PathBuf::from);
    folder
        .unwrap_or_else(|| checkout().join("../shared/data"))
        .canonicalize()
        .ok()
}

/// Says that a test cannot run here. The test returns after it; `cargo xtask test` counts it as skipped.
pub fn skip(reason: &str) {
    say("skipped", reason);
}

/// Says what a test measured, so that a run's output holds the numbers and not only that they were small enough.
pub fn report(measurement: &str) {
    say("measured", measurement);
}

/// Writes past the test runner, which shows `println!` of failing tests only.
fn say(kind: &str, text: &str) {
    // Where standard error is closed, nobody is there to be told.
    let _ = writeln!(std::io::stderr().lock(), "{kind}: {text}");
}
