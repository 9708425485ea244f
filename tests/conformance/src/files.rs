//! The cases where `tests/reference/onnx_cases.py` wrote them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::case::Case;
use crate::compare::Tolerance;

/// A case that is still in its files.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As the suite calls it: `test_abs`.
    pub name: String,
    tolerance: Tolerance,
    folder: PathBuf,
}

/// The folder of the checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder that `cargo xtask conformance` lets the script write into.
pub fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    // An absolute path stays as it is.
    checkout().join(target).join("conformance")
}

/// The cases of a group, by name; none when the group was not written.
///
/// # Errors
/// A sentence when the index is not one of the script's.
pub fn group(folder: &Path, name: &str) -> Result<Vec<Entry>, String> {
    let folder = folder.join(name);
    let Ok(text) = fs::read_to_string(folder.join("index.json")) else {
        return Ok(Vec::new());
    };
    let index: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{}/index.json: {error}", folder.display()))?;
    let entries = index["cases"].as_array().into_iter().flatten();
    let cases = entries.map(|entry| {
        let name = entry["name"].as_str()?;
        Some(Entry {
            name: name.to_owned(),
            tolerance: Tolerance {
                rtol: entry["rtol"].as_f64()?,
                atol: entry["atol"].as_f64()?,
            },
            folder: folder.join(name),
        })
    });
    cases.collect::<Option<Vec<_>>>().ok_or_else(|| {
        format!(
            "{}/index.json: a case without name, rtol or atol",
            folder.display()
        )
    })
}

impl Entry {
    /// Reads its files.
    ///
    /// # Errors
    /// A sentence when one of them cannot be read.
    pub fn load(&self) -> Result<Case, String> {
        Ok(Case {
            name: self.name.clone(),
            tolerance: self.tolerance,
            model: read(&self.folder.join("model.onnx"))?,
            inputs: self.values("input")?,
            outputs: self.values("output")?,
        })
    }

    fn values(&self, side: &str) -> Result<Vec<Vec<u8>>, String> {
        let file = |index: usize| self.folder.join(format!("test_data_set_0/{side}_{index}.pb"));
        let files = (0..).map(file).take_while(|file| file.exists());
        files.map(|file| read(&file)).collect()
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}
