//! What tests of the program share: a folder for what they write, a run of plumb, and a refusal.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder of its own for one test, removed when the test ends.
pub struct Scratch(pub PathBuf);

impl Scratch {
    /// For the test of this name.
    pub fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plumb-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Self(folder)
    }

    /// Writes a file into it; its path.
    pub fn file(&self, name: &str, contents: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, contents).expect("the temporary folder can be written");
        path.display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind lies in the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs plumb to its end.
pub fn plumb(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plumb"))
        .args(arguments)
        .output()
        .expect("plumb was built for this test")
}

/// Runs plumb and compares the last line of what it complains about.
pub fn assert_refused(arguments: &[&str], expected: &str) {
    let output = plumb(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?} said: {said}");
    assert!(
        said.lines().last().is_some_and(|line| line.contains(expected)),
        "{arguments:?} said: {said}"
    );
    assert!(output.stdout.is_empty(), "{arguments:?} printed a result");
}
