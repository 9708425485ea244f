//! `cargo xtask conformance`: the operator cases of the ONNX backend test suite, on either backend.
//!
//! The program that runs them belongs to the tests, because it knows the engine and the tasks do not.

use crate::workspace::Workspace;
use crate::{Outcome, process};

/// Runs the command.
pub fn run(workspace: &Workspace, args: &[String]) -> Outcome<()> {
    process::run(
        process::cargo()
            .args(["run", "--quiet", "--package", "plumbline_tests"])
            .args(["--bin", "conformance", "--"])
            .args(args)
            .current_dir(&workspace.root),
    )
}
