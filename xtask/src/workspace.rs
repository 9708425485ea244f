//! Where things are: the checkout, the build folder, and the optional data folder beside the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Outcome;

/// The folders that every task works in.
pub struct Workspace {
    /// The checkout: the folder of the root manifest.
    pub root: PathBuf,
    /// Cargo's build folder; everything that tasks make themselves lies in it too.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the checkout from this package's own place, so that a task may be started from any folder.
    pub fn locate() -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the package folder lies in the workspace folder")
            .to_path_buf();
        if !root.join("Cargo.toml").is_file() {
            return Err(format!(
                "the checkout has moved since this tool was built; build it again in {}",
                root.display()
            ));
        }
        // A relative CARGO_TARGET_DIR counts from where cargo was started, which is where this process
        // started.
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => {
                std::path::absolute(folder).map_err(|error| format!("CARGO_TARGET_DIR: {error}"))?
            }
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The built page, as served and as shipped.
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The folder with photos, clips and reference numbers that are not part of the project, where it exists:
    /// `PLUMBLINE_DATA`, or `../shared/data` beside the checkout.
    pub fn data(&self) -> Option<PathBuf> {
        let folder = match std::env::var_os("PLUMBLINE_DATA") {
            Some(folder) => PathBuf::from(folder),
            None => self.root.join("../shared/data"),
        };
        folder.canonicalize().ok()
    }
}

/// Creates a folder with its parents.
pub fn make_folder(folder: &Path) -> Outcome<()> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot create the folder {}: {error}", folder.display()))
}

/// Reads a whole file.
pub fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Reads a whole file as UTF-8.
pub fn read_text(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Writes a whole file.
pub fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// All files below a folder, sorted by path; hidden entries and `node_modules` are left out.
pub fn files_below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry
                .map_err(|error| format!("cannot list {}: {error}", folder.display()))?
                .path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name == "node_modules" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// One hash over the contents of files and of all files below folders: changes when any of them does.
pub fn sha256_of_sources(sources: &[PathBuf]) -> Outcome<String> {
    let mut hasher = Sha256::new();
    for source in sources {
        let files = if source.is_dir() {
            files_below(source)?
        } else {
            vec![source.clone()]
        };
        for file in files {
            hasher.update(file.file_name().unwrap_or_default().as_encoded_bytes());
            hasher.update(Sha256::digest(read(&file)?));
        }
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
