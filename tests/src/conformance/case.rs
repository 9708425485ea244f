//! The cases that `tests/reference/onnx_cases.py` wrote, where it wrote them.

use std::fs;
use std::path::{Path, PathBuf};

use plumbline_engine::ModelError;
use plumbline_engine::onnx::{tensors, wire};
use plumbline_engine::tensor::Tensor;

use super::compare::Tolerance;

/// A model with inputs and the outputs that are expected of them.
#[derive(Clone, Debug)]
pub struct Case {
    /// As the suite calls it: `test_abs`.
    pub name: String,
    /// How far results may be off.
    pub tolerance: Tolerance,
    folder: PathBuf,
}

/// The folder that the script writes into when it is called as its head says, below cargo's own.
pub fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    // An absolute path stays as it is.
    crate::checkout().join(target).join("conformance")
}

/// The cases of a group, by name; none when the group was not written.
///
/// # Errors
/// A sentence when the index is not one of the script's.
pub fn group(folder: &Path, name: &str) -> Result<Vec<Case>, String> {
    let folder = folder.join(name);
    let Ok(text) = fs::read_to_string(folder.join("index.json")) else {
        return Ok(Vec::new());
    };
    let index: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("{}/index.json: {error}", folder.display()))?;
    let entries = index["cases"].as_array().into_iter().flatten();
    let cases = entries.map(|entry| {
        let name = entry["name"].as_str()?;
        Some(Case {
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

impl Case {
    /// The bytes of the model.
    ///
    /// # Errors
    /// A sentence when the file cannot be read.
    pub fn model(&self) -> Result<Vec<u8>, String> {
        read(&self.folder.join("model.onnx"))
    }

    /// The values of the graph's inputs that have none in the file, in their order.
    ///
    /// # Errors
    /// Outside, a sentence when a file cannot be read; inside, why a value is no tensor of this engine.
    pub fn inputs(&self) -> Result<Result<Vec<Tensor>, ModelError>, String> {
        self.values("input")
    }

    /// What is expected of the graph's outputs, in their order.
    ///
    /// # Errors
    /// As [`Case::inputs`].
    pub fn outputs(&self) -> Result<Result<Vec<Tensor>, ModelError>, String> {
        self.values("output")
    }

    fn values(&self, side: &str) -> Result<Result<Vec<Tensor>, ModelError>, String> {
        let files = (0..).map(|index| {
            (
                index,
                self.folder.join(format!("test_data_set_0/{side}_{index}.pb")),
            )
        });
        let mut values = Vec::new();
        for (index, file) in files.take_while(|(_, file)| file.exists()) {
            let value = wire::read_tensor(&read(&file)?)
                .and_then(|tensor| tensors::read(tensor, &format!("{side} {index}")));
            match value {
                Ok(value) => values.push(value),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(values))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}
