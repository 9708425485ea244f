//! What is known to be unsupported: a case that has passed once does not become unsupported unseen.
//!
//! `tests/fixtures/unsupported_BACKEND.txt` holds `GROUP NAME`, one a line, sorted. `cargo xtask conformance --accept`
//! writes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::files::checkout;

/// Cases that are known to be unsupported on a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    file: PathBuf,
    known: BTreeSet<String>,
}

/// How a run differs from what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Unsupported, and not known to be.
    pub lost: Vec<String>,
    /// No longer unsupported.
    pub gained: Vec<String>,
}

/// How a case is called in the list.
pub fn key(group: &str, name: &str) -> String {
    format!("{group} {name}")
}

impl Unsupported {
    /// The list of a backend, which is empty where there is none yet.
    pub fn of_backend(backend: &str) -> Self {
        let file = checkout().join(format!("tests/fixtures/unsupported_{backend}.txt"));
        let text = fs::read_to_string(&file).unwrap_or_default();
        Self {
            file,
            known: text.lines().map(str::to_owned).collect(),
        }
    }

    /// Whether a case is in the list.
    pub fn contains(&self, key: &str) -> bool {
        self.known.contains(key)
    }

    /// Compares it with a run of some cases: `asked` are all of them, `seen` those that were unsupported.
    pub fn change(&self, asked: &BTreeSet<String>, seen: &BTreeSet<String>) -> Change {
        let known = &self.known;
        Change {
            lost: seen.difference(known).cloned().collect(),
            gained: asked
                .intersection(known)
                .filter(|key| !seen.contains(*key))
                .cloned()
                .collect(),
        }
    }

    /// Writes the list with what a run of some cases says of them.
    ///
    /// # Errors
    /// A sentence when the file cannot be written.
    pub fn accept(mut self, asked: &BTreeSet<String>, seen: &BTreeSet<String>) -> Result<(), String> {
        self.known.retain(|key| !asked.contains(key));
        self.known.extend(seen.iter().cloned());
        let text: String = self.known.iter().flat_map(|key| [key, "\n"]).collect();
        fs::write(&self.file, text).map_err(|error| format!("{}: {error}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|&key| key.to_owned()).collect()
    }

    #[test]
    fn only_what_was_asked_for_changes() {
        let folder = std::env::temp_dir().join(format!("unsupported-{}", std::process::id()));
        let file = folder.with_extension("txt");
        let list = Unsupported {
            file: file.clone(),
            known: set(&["fuzz a", "node b", "node c"]),
        };
        let (asked, seen) = (set(&["node a", "node b", "node c"]), set(&["node a", "node c"]));
        let change = list.change(&asked, &seen);
        assert_eq!(change.lost, ["node a"]);
        assert_eq!(change.gained, ["node b"]);
        list.accept(&asked, &seen).expect("a folder for passing files");
        let text = fs::read_to_string(&file).expect("it was written");
        assert_eq!(text, "fuzz a\nnode a\nnode c\n");
        fs::remove_file(file).expect("it is there");
    }
}
