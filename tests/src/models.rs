//! The models as the tests load them: by their names in `models/manifest.toml`, hashes checked.

use plumb::manifest;
use plumbline_engine::graph::Graph;
use plumbline_engine::tflite;

use crate::{checkout, skip};

/// Names in the manifest: BlazePose's, smallest first, then those of selfie segmentation.
pub const MODELS: [&str; 6] = ["detector", "lite", "full", "heavy", "selfie", "selfie-landscape"];

/// The graph of a model as its file holds it; `None`, said aloud, where the weights have not been fetched.
///
/// # Panics
/// For weights that are there and not the ones of the manifest, and when the engine refuses them.
pub fn load(name: &str) -> Option<Graph> {
    Some(tflite::import(&bytes_of(name)?).expect("the models of the manifest are supported"))
}

/// The bytes of a model's file; `None`, said aloud, where the weights have not been fetched.
///
/// # Panics
/// For weights that are there and not the ones of the manifest.
pub fn bytes_of(name: &str) -> Option<Vec<u8>> {
    if !checkout().join("models/node_modules").is_dir() {
        skip(&format!(
            "the weights of {name} are missing; run `cargo xtask models` first"
        ));
        return None;
    }
    Some(manifest::read_model(name).unwrap_or_else(|error| panic!("{error}")))
}
