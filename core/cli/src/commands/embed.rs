//! `plumb embed`: a picture, or each frame of a clip, as numbers to compare it by: what a model gives, or its features
//! inside, as a mean over the picture.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use plumbline_core::decoders::Found;
use plumbline_core::geometry::ImageSize;
use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::{Interpolation, Preprocessing, Resize};
use plumbline_core::preprocess::{DETECTOR_RANGE, DETECTOR_SIDE_PX};
use plumbline_core::task::Task;
use serde::Serialize;

use crate::Outcome;
use crate::printing::{print_json, written};
use crate::user_model::{FrameHead, ModelArguments, UserModel, each_frame, find};

/// Turns a picture (PNG, JPEG) or each frame of a clip into numbers to compare it by, with any TFLite or ONNX model
#[derive(Args)]
pub struct Arguments {
    /// The model: a .tflite, .onnx or graph file; `detector` is BlazePose's, whose features are taken where its heads
    /// begin
    #[arg(value_name = "MODEL")]
    model: String,
    /// The picture or clip
    #[arg(value_name = "IMAGE|CLIP")]
    source: PathBuf,
    /// The value to take, an output or one inside the model; of features the mean over the picture. Without it the
    /// model's own embedding
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    #[command(flatten)]
    of_model: ModelArguments,
}

/// What is printed of a picture or frame.
#[derive(Serialize)]
struct FrameJson<'a> {
    #[serde(flatten)]
    head: FrameHead<'a>,
    embedding: &'a [f32],
}

/// BlazePose's detector in the manifest.
const DETECTOR: &str = "detector";
/// Where the detector's features are narrowest, `[1, 7, 7, 192]`: the end of its last stage, before it goes back to finer
/// cells for its heads.
const DETECTOR_FEATURES: &str = "model_1/model/add_8/add";

/// The detector's own preprocessing, with the whole picture in view.
fn detector_manifest() -> Manifest {
    let side_px = DETECTOR_SIDE_PX as u32;
    let size = ImageSize {
        width_px: side_px,
        height_px: side_px,
    };
    Manifest {
        name: DETECTOR.to_owned(),
        licence: "Apache-2.0".to_owned(),
        sha256: None,
        task: Task::Embedding,
        keypoints: None,
        labels: Vec::new(),
        scores: None,
        sizes: Default::default(),
        input: None,
        preprocessing: Preprocessing {
            resize: Resize::Letterbox,
            interpolation: Interpolation::Warp,
            range: DETECTOR_RANGE,
            ..Preprocessing::plain(size)
        },
        outputs: Default::default(),
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let mut model = if arguments.model == DETECTOR && arguments.of_model.manifest.is_none() {
        let mut model = UserModel::with(&arguments.model, detector_manifest())?;
        model.expose(arguments.output.as_deref().unwrap_or(DETECTOR_FEATURES))?;
        model
    } else {
        let tasks: &[Task] = match arguments.output {
            // Whatever the model is for, its picture goes in the same way.
            Some(_) => &Task::ALL,
            None => &[Task::Embedding],
        };
        let mut model = UserModel::read(&arguments.model, &arguments.of_model, tasks)?;
        if let Some(name) = &arguments.output {
            model.expose(name)?;
        }
        model
    }
    .load(arguments.of_model.backend)?;
    let mut out = io::stdout().lock();
    each_frame(
        &arguments.source,
        |frame, _| find(&mut model, arguments.of_model.part, frame),
        |picture, position, result| {
            let Found::Embedding(embedding) = &result.found else {
                return Err("the model gave something else than an embedding".to_owned());
            };
            if arguments.of_model.json {
                let json = FrameJson {
                    head: FrameHead::new(picture, position, &arguments.model),
                    embedding,
                };
                return print_json(&mut out, &json);
            }
            if let Some(position) = position {
                written(write!(
                    out,
                    "frame {:>5}  {:>8.3} s  ",
                    position.frame,
                    position.time.secs()
                ))?;
            }
            let numbers: Vec<String> = embedding.iter().map(f32::to_string).collect();
            written(writeln!(out, "{}", numbers.join(" ")))
        },
    )
}
