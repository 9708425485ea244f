//! The four BlazePose models as the tests load them: from the npm package that `cargo xtask models` fetches.

use plumbline_engine::graph::Graph;
use plumbline_engine::tflite;

use crate::{checkout, skip};

/// Names and files, smallest first.
pub const MODELS: [(&str, &str); 4] = [
    ("detector", "pose_solution_packed_assets.data"),
    ("lite", "pose_landmark_lite.tflite"),
    ("full", "pose_landmark_full.tflite"),
    ("heavy", "pose_landmark_heavy.tflite"),
];

/// What the live page reads of a landmark model: everything but the mask.
pub const LIVE_OUTPUTS: [&str; 4] = ["Identity", "Identity_1", "Identity_3", "Identity_4"];

/// The graph of a model as its file holds it; `None`, said aloud, where the weights have not been fetched.
///
/// # Panics
/// For a name that is not in [`MODELS`], and when the engine refuses a model that it must know.
pub fn load(name: &str) -> Option<Graph> {
    let (_, file) = MODELS
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a model of this page");
    let path = checkout().join("models/node_modules/@mediapipe/pose").join(file);
    let Ok(bytes) = std::fs::read(path) else {
        skip(&format!("{file} is missing; run `cargo xtask models` first"));
        return None;
    };
    Some(tflite::import(&bytes).expect("BlazePose models are supported"))
}
