//! Finds the models that `models/manifest.toml` names, and checks that they are the ones that were tested.
//!
//! The folder is the one in the environment variable `PLUMBLINE_MODELS`, or else `models` in the current folder or the
//! nearest folder above it. Weights lie where `npm ci` puts them, below `node_modules`.

use std::fs;
use std::path::{Path, PathBuf};

use plumbline_core::metrics::card::About;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::Outcome;

/// Names another folder for the manifest and the weights.
pub const FOLDER_VARIABLE: &str = "PLUMBLINE_MODELS";

/// The manifest, as far as reading a model needs it. The head of the file explains every key.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(rename = "model")]
    models: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    package: String,
    version: Option<String>,
    licence: Option<String>,
    file: String,
    byte_range: Option<[usize; 2]>,
    sha256: String,
}

/// The bytes of a model that the manifest names.
pub fn read_model(name: &str) -> Outcome<Vec<u8>> {
    read_model_in(&find_folder()?, name)
}

/// The hash of a model that the manifest names, without reading its weights.
pub fn sha256_of(name: &str) -> Outcome<String> {
    Ok(entry_in(&find_folder()?, name)?.sha256)
}

/// The bytes of a model, given as a name in the manifest or as the path of a file.
pub fn read_model_or_file(model: &str) -> Outcome<Vec<u8>> {
    let path = Path::new(model);
    let looks_like_a_path = path.components().count() > 1 || path.extension().is_some();
    if looks_like_a_path || path.is_file() {
        return fs::read(path).map_err(|error| format!("cannot read the model ({error}): {model}"));
    }
    read_model(model)
}

/// What a card says of a model that the manifest names.
pub fn about(name: &str) -> Option<About> {
    let text = fs::read_to_string(find_folder().ok()?.join("manifest.toml")).ok()?;
    let manifest: Manifest = toml::from_str(&text).ok()?;
    let entry = manifest.models.into_iter().find(|entry| entry.name == name)?;
    let version = entry
        .version
        .map_or_else(String::new, |version| format!(" {version}"));
    Some(About {
        name: entry.name,
        licence: entry.licence,
        sha256: Some(entry.sha256),
        source: Some(format!("npm package {}{version}, {}", entry.package, entry.file)),
    })
}

fn find_folder() -> Outcome<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        return Ok(PathBuf::from(folder));
    }
    let here =
        std::env::current_dir().map_err(|error| format!("the current folder is unreadable: {error}"))?;
    here.ancestors()
        .map(|folder| folder.join("models"))
        .find(|folder| folder.join("manifest.toml").is_file())
        .ok_or_else(|| {
            format!(
                "there is no models/manifest.toml here or above; run plumb inside the workspace or set \
                 {FOLDER_VARIABLE}"
            )
        })
}

/// What the manifest of `folder` says of a model.
fn entry_in(folder: &Path, name: &str) -> Outcome<Entry> {
    let path = folder.join("manifest.toml");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read the model manifest ({error}): {}", path.display()))?;
    let manifest: Manifest = toml::from_str(&text).map_err(|error| {
        format!(
            "the model manifest is not as expected ({error}): {}",
            path.display()
        )
    })?;
    let known: Vec<String> = manifest.models.iter().map(|entry| entry.name.clone()).collect();
    let mut models = manifest.models.into_iter();
    models.find(|entry| entry.name == name).ok_or_else(|| {
        format!(
            "there is no file and no model named '{name}'; models are {}",
            known.join(", ")
        )
    })
}

/// Reads a model below `folder`, which holds `manifest.toml` and `node_modules`.
fn read_model_in(folder: &Path, name: &str) -> Outcome<Vec<u8>> {
    let entry = entry_in(folder, name)?;
    let path = folder.join("node_modules").join(&entry.package).join(&entry.file);
    let mut bytes = fs::read(&path).map_err(|error| {
        format!(
            "cannot read the weights of '{name}' ({error}); `cargo xtask models` fetches them: {}",
            path.display()
        )
    })?;
    if let Some([start, end]) = entry.byte_range {
        bytes = bytes.get(start..end).map(<[u8]>::to_vec).ok_or_else(|| {
            format!(
                "'{name}' should be bytes {start} to {end} of a file that has only {}; `cargo xtask models` fetches \
                 it again: {}",
                bytes.len(),
                path.display()
            )
        })?;
    }
    let found = hex(&Sha256::digest(&bytes));
    if found != entry.sha256 {
        return Err(format!(
            "the weights of '{name}' have SHA-256 {found}, the manifest says {}; `cargo xtask models` fetches them \
             again: {}",
            entry.sha256,
            path.display()
        ));
    }
    Ok(bytes)
}

/// Two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `abc`, from FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn folder_with(name: &str, weights: &[u8], entry: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("plumb-manifest-{}-{name}", std::process::id()));
        let package = folder.join("node_modules/p");
        fs::create_dir_all(&package).expect("the temporary folder can be written");
        fs::write(package.join("w.bin"), weights).expect("the temporary folder can be written");
        let manifest = format!("[[model]]\nname = \"m\"\npackage = \"p\"\nfile = \"w.bin\"\n{entry}\n");
        fs::write(folder.join("manifest.toml"), manifest).expect("the temporary folder can be written");
        folder
    }

    #[test]
    fn models_are_cut_out_and_compared_with_their_hash() {
        let good = format!("sha256 = \"{ABC}\"");
        let cut = format!("sha256 = \"{ABC}\"\nbyte_range = [2, 5]");
        type Case<'a> = (&'a str, &'a [u8], &'a str, Result<&'a [u8], &'a str>);
        let cases: [Case; 6] = [
            ("whole", b"abc", &good, Ok(b"abc")),
            ("cut", b"xyabcz", &cut, Ok(b"abc")),
            ("changed", b"abd", &good, Err("have SHA-256")),
            ("short", b"xyab", &cut, Err("has only 4")),
            ("keys", b"abc", "sha = 1", Err("not as expected")),
            (
                "backwards",
                b"abc",
                &format!("{good}\nbyte_range = [3, 1]"),
                Err("should be bytes 3 to 1"),
            ),
        ];
        for (name, weights, entry, expected) in cases {
            let folder = folder_with(name, weights, entry);
            match (read_model_in(&folder, "m"), expected) {
                (Ok(bytes), Ok(expected)) => assert_eq!(bytes, expected, "{name}"),
                (Err(message), Err(expected)) => assert!(message.contains(expected), "{name}: {message}"),
                (found, _) => panic!("{name}: {found:?}"),
            }
            fs::remove_dir_all(folder).expect("the temporary folder can be removed");
        }
    }

    #[test]
    fn unknown_names_list_the_known_ones() {
        let folder = folder_with("unknown", b"abc", &format!("sha256 = \"{ABC}\""));
        let message = read_model_in(&folder, "tiny").expect_err("there is no such model");
        assert!(message.contains("'tiny'; models are m"), "{message}");
        fs::remove_dir_all(folder).expect("the temporary folder can be removed");
    }
}
