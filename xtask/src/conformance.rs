//! `cargo xtask conformance`: the engine against the ONNX backend test suite, known networks and random graphs.
//!
//! The cases are written by `tests/reference/onnx_cases.py` into `target/conformance` when they are not there or the script
//! has changed. What runs them is the package [`PACKAGE`]: this one does not know the engine.

use std::path::Path;
use std::process::Command;

use crate::workspace::{Workspace, read_text, sha256_of_sources, write};
use crate::{Outcome, process, python};

/// The package that judges cases.
pub const PACKAGE: &str = "plumbline_conformance";

/// What writes the cases.
const SCRIPTS: [&str; 8] = [
    "onnx_cases.py",
    "requirements.txt",
    "onnx_families.py",
    "onnx_fuzz.py",
    "onnx_fuzz_steps.py",
    "onnx_net.py",
    "onnx_published.py",
    "published.txt",
];

/// Runs the command.
pub fn run(workspace: &Workspace, args: &[String]) -> Outcome<()> {
    match ensure_cases(workspace)? {
        Ok(()) => process::run(&mut runner(workspace, args)),
        Err(reason) => {
            println!("skipped: {reason}");
            Ok(())
        }
    }
}

/// The program with these arguments.
pub fn runner(workspace: &Workspace, args: &[String]) -> Command {
    let mut command = process::cargo();
    command
        .args(["run", "--quiet", "--package", PACKAGE])
        .args(["--bin", "conformance", "--"])
        .args(args)
        .current_dir(&workspace.root);
    command
}

/// Writes the cases that a browser can run into one file.
pub fn write_pack(workspace: &Workspace, file: &Path) -> Outcome<()> {
    process::run(&mut runner(
        workspace,
        &["--pack".to_owned(), file.to_string_lossy().into_owned()],
    ))
}

/// Writes the cases where they are missing or old. Inside, the reason why they cannot be had on this machine.
pub fn ensure_cases(workspace: &Workspace) -> Outcome<Result<(), String>> {
    let folder = workspace.target.join("conformance");
    let stamp = folder.join("made-by");
    let scripts = SCRIPTS.map(|name| workspace.root.join("tests/reference").join(name));
    let sources = sha256_of_sources(&scripts)?;
    if read_text(&stamp).is_ok_and(|seen| seen == sources) {
        return Ok(Ok(()));
    }
    let [script, requirements, ..] = &scripts;
    let notice = "Installing onnx and onnxruntime into target/conformance/venv: they write the cases.";
    let python = match python::ensure(&folder, requirements, notice) {
        Ok(python) => python,
        Err(sentence) => {
            return Ok(Err(format!("the ONNX cases cannot be written here: {sentence}")));
        }
    };
    process::run(Command::new(python).arg(script).arg(&folder))?;
    write(&stamp, sources.as_bytes())?;
    Ok(Ok(()))
}
