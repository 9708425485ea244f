//! `plumb classify`: what a picture, or each frame of a clip, shows, by any classifier.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use plumbline_core::decoders::{ClassScores, Found};
use plumbline_core::task::Task;
use serde::Serialize;

use crate::Outcome;
use crate::picture::Picture;
use crate::pose_json::Position;
use crate::printing::{print_json, written};
use crate::user_model::{FrameHead, ModelArguments, TimingsJson, UserModel, each_frame, find};

/// Says what a picture (PNG, JPEG) or each frame of a clip shows, by any TFLite or ONNX classifier
#[derive(Args)]
pub struct Arguments {
    /// The model: a .tflite, .onnx or graph file
    #[arg(value_name = "MODEL")]
    model: String,
    /// The picture or clip
    #[arg(value_name = "IMAGE|CLIP")]
    source: PathBuf,
    /// What the classes are called, one a line
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// How many classes to print, the most probable first
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    #[command(flatten)]
    of_model: ModelArguments,
}

/// What is printed of a picture or frame.
#[derive(Serialize)]
struct FrameJson<'a> {
    #[serde(flatten)]
    head: FrameHead<'a>,
    /// `logits` where a softmax was applied to what the model gave, else what it gave.
    scores: &'static str,
    classes: Vec<ClassJson<'a>>,
    timings_ms: TimingsJson,
}

#[derive(Serialize)]
struct ClassJson<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    score: f32,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let mut model = UserModel::read(&arguments.model, &arguments.of_model, &[Task::Classes])?;
    if let Some(path) = &arguments.labels {
        model.read_labels(path)?;
    }
    let labels = model.manifest.labels.clone();
    let mut model = model.load(arguments.of_model.backend)?;
    let mut out = io::stdout().lock();
    let top = usize::from(arguments.top);
    each_frame(
        &arguments.source,
        |frame, _| find(&mut model, arguments.of_model.part, frame),
        |picture, position, result| {
            let Found::Classes(scores) = &result.found else {
                return Err("the model gave something else than classes".to_owned());
            };
            check_labels(&labels, scores)?;
            if !arguments.of_model.json {
                return written(write_table(&mut out, picture, position, scores, &labels, top));
            }
            let classes = scores.top(top).into_iter().map(|(index, score)| ClassJson {
                index,
                label: labels.get(index).map(String::as_str),
                score,
            });
            let json = FrameJson {
                head: FrameHead::new(picture, position, &arguments.model),
                scores: scores.form.id(),
                classes: classes.collect(),
                timings_ms: TimingsJson::from(result),
            };
            print_json(&mut out, &json)
        },
    )
}

/// Labels of another list would give every class a wrong name.
fn check_labels(labels: &[String], scores: &ClassScores) -> Outcome<()> {
    let (n_labels, n_classes) = (labels.len(), scores.probabilities.len());
    if n_labels == 0 || n_labels == n_classes {
        return Ok(());
    }
    Err(format!(
        "there are {n_labels} labels, and the model gives {n_classes} classes; take the list that belongs to the model"
    ))
}

fn write_table(
    out: &mut impl Write,
    picture: &Picture,
    position: Option<Position>,
    scores: &ClassScores,
    labels: &[String],
    top: usize,
) -> io::Result<()> {
    let top = scores.top(top);
    let name = |index: usize| labels.get(index).map_or("", String::as_str);
    if let Some(Position { frame, time }) = position {
        write!(out, "frame {frame:>5}  {:>8.3} s", time.secs())?;
        for (index, score) in top {
            write!(out, "  {index} {} {score:.3}", name(index))?;
        }
        return writeln!(out);
    }
    writeln!(
        out,
        "{}x{} px, the model gives {}\n",
        picture.width_px,
        picture.height_px,
        scores.form.id()
    )?;
    writeln!(out, "{:>8}{:>10}  label", "class", "score")?;
    for (index, score) in top {
        writeln!(out, "{index:>8}{score:>10.5}  {}", name(index))?;
    }
    Ok(())
}
