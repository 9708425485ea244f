//! Models that somebody brings: a file, what is said of it, and a pipeline over both.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use plumbline_core::decoders::Rect;
use plumbline_core::geometry::Point2;
use plumbline_core::manifest::Manifest;
use plumbline_core::proposal::Proposal;
use plumbline_core::task::Task;
use plumbline_core::time::Timestamp;
use plumbline_engine::graph::Graph;
use plumbline_engine::image::Frame;
use plumbline_engine::{ModelError, onnx};
use plumbline_pipeline::TopDownResult;
use plumbline_pipeline::any_model::{self, AnyModel, AnyResult};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Outcome;
use crate::backend::{Backend, Device, UserInference, stopwatch};
use crate::clip::{Clip, is_clip};
use crate::manifest::{hex, read_model_or_file};
use crate::picture::{self, Picture};
use crate::pose_json::Position;

/// What every command that runs such a model takes.
#[derive(Args)]
pub struct ModelArguments {
    /// What is said of the model, as TOML or JSON; without it what its shapes suggest
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// A size that the model leaves open, by the name that its error gives; can be repeated
    #[arg(long = "size", value_name = "NAME=N", value_parser = parse_size)]
    pub sizes: Vec<(String, usize)>,
    /// The part of the picture to look at: left, top, width and height in pixels
    #[arg(long, value_name = "X,Y,W,H", value_parser = parse_part)]
    pub part: Option<Rect>,
    /// What runs the model
    #[arg(long, value_enum, default_value = "cpu")]
    pub backend: Backend,
    /// Print JSON: one object for a picture, one a line for a clip
    #[arg(long)]
    pub json: bool,
}

/// `NAME=N`.
pub(crate) fn parse_size(text: &str) -> Result<(String, usize), String> {
    let pair = text.rsplit_once('=').filter(|(name, _)| !name.is_empty());
    match pair.map(|(name, size)| (name, size.parse::<usize>())) {
        Some((name, Ok(size))) if size > 0 => Ok((name.to_owned(), size)),
        _ => Err("a size is a name and a number above zero, as in height=224".to_owned()),
    }
}

fn parse_part(text: &str) -> Result<Rect, String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(str::parse::<f32>).collect();
    match numbers.as_deref() {
        Ok(&[x, y, width, height])
            if [x, y, width, height].iter().all(|number| number.is_finite())
                && width > 0.0
                && height > 0.0 =>
        {
            Ok(Rect {
                min: Point2::new(x, y),
                max: Point2::new(x + width, y + height),
            })
        }
        _ => Err("a part is four numbers: left, top, width and height in pixels".to_owned()),
    }
}

/// How the JSON of a picture or frame begins.
#[derive(Serialize)]
pub struct FrameHead<'a> {
    /// Number of the frame from 0; clips only.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<usize>,
    /// When the frame is shown; clips only.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_secs: Option<f64>,
    width_px: usize,
    height_px: usize,
    model: &'a str,
}

impl<'a> FrameHead<'a> {
    /// Of a picture, with its position in a clip, that a model has looked at.
    pub fn new(picture: &Picture, position: Option<Position>, model: &'a str) -> Self {
        Self {
            frame: position.map(|position| position.frame),
            time_secs: position.map(|position| position.time.secs()),
            width_px: picture.width_px,
            height_px: picture.height_px,
            model,
        }
    }
}

/// How long the stages took, in milliseconds.
#[derive(Serialize)]
pub struct TimingsJson {
    input: f64,
    /// Of models that look at one person, where people had to be looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    detector: Option<f64>,
    model: f64,
    decode: f64,
}

impl From<&AnyResult> for TimingsJson {
    fn from(result: &AnyResult) -> Self {
        Self {
            input: result.input_millis,
            detector: None,
            model: result.model_millis,
            decode: result.decode_millis,
        }
    }
}

impl From<&TopDownResult> for TimingsJson {
    fn from(result: &TopDownResult) -> Self {
        Self {
            input: result.input_millis,
            detector: result.detector_millis,
            model: result.model_millis,
            decode: result.decode_millis,
        }
    }
}

/// A model with a manifest that was given or proposed.
pub struct UserModel {
    /// As it was named by the user.
    pub model: String,
    /// What is said of it.
    pub manifest: Manifest,
    graph: Graph,
}

impl UserModel {
    /// Reads a model and what is said of it. Without a manifest it takes the likeliest proposal among `tasks`, and says
    /// so on standard error with what it could not know.
    ///
    /// # Errors
    /// A model that cannot be read, a manifest that is wrong, of another task or of another file, and shapes that
    /// suggest none of `tasks`.
    pub fn read(model: &str, arguments: &ModelArguments, tasks: &[Task]) -> Outcome<Self> {
        let (graph, sha256, given) = read_graph(model, arguments)?;
        let named = |what: String| format!("{model}: {what}");
        let ids = || tasks.iter().map(|task| task.id()).collect::<Vec<_>>().join(", ");
        let manifest = match given {
            Some(manifest) => {
                if !tasks.contains(&manifest.task) {
                    let task = manifest.task.id();
                    return Err(named(format!(
                        "its manifest's task is {task}; this command runs {}",
                        ids()
                    )));
                }
                manifest
            }
            None => {
                let proposals = any_model::propose(&graph);
                let Some(proposal) = proposals.iter().find(|found| tasks.contains(&found.task)) else {
                    return Err(named(format!(
                        "its shapes suggest none of {}: {}; write a manifest (--manifest) or look at `plumb inspect`",
                        ids(),
                        shapes(&graph)
                    )));
                };
                say(model, proposal);
                proposal.manifest(model, "unknown", Some(sha256))
            }
        };
        Ok(Self {
            model: model.to_owned(),
            manifest,
            graph,
        })
    }

    /// A model of which everything is known.
    ///
    /// # Errors
    /// A model that cannot be read.
    pub fn with(model: &str, manifest: Manifest) -> Outcome<Self> {
        let bytes = read_model_or_file(model)?;
        let sizes = manifest.sizes.clone();
        let graph = read_sized(&bytes, sizes).map_err(|error| format!("{model}: {error}"))?;
        Ok(Self {
            model: model.to_owned(),
            manifest,
            graph,
        })
    }

    /// Makes a value inside the model its only output, and an embedding of it.
    ///
    /// # Errors
    /// No value of that name.
    pub fn expose(&mut self, name: &str) -> Outcome<()> {
        self.manifest = Manifest {
            task: Task::Embedding,
            keypoints: None,
            scores: None,
            outputs: BTreeMap::new(),
            ..self.manifest.clone()
        };
        any_model::expose(&mut self.graph, name).map_err(|error| format!("{}: {error}", self.model))
    }

    /// Takes the labels of a file, one a line.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read_labels(&mut self, path: &Path) -> Outcome<()> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read the labels ({error}): {}", path.display()))?;
        self.manifest.labels = text.lines().map(|line| line.trim().to_owned()).collect();
        Ok(())
    }

    /// Plans the model for a backend and loads it.
    ///
    /// # Errors
    /// A manifest that does not go with the model, a model that the engine or the device cannot run, no usable GPU.
    pub fn load(self, backend: Backend) -> Outcome<AnyModel<UserInference>> {
        let device = Device::open(backend)?;
        let named = |what: String| format!("{}: {what}", self.model);
        let (plan, borders) = any_model::prepare(self.graph, &self.manifest, device.target())
            .map_err(|error| named(error.to_string()))?;
        let inference = UserInference::new(&device, plan).map_err(named)?;
        Ok(AnyModel::new(inference, borders, self.manifest, stopwatch()))
    }
}

/// The graph, the file's SHA-256 and the manifest, where one was given.
fn read_graph(model: &str, arguments: &ModelArguments) -> Outcome<(Graph, String, Option<Manifest>)> {
    let given = arguments.manifest.as_deref().map(read_manifest).transpose()?;
    let bytes = read_model_or_file(model)?;
    let sha256 = hex(&Sha256::digest(&bytes));
    if let Some(expected) = given.as_ref().and_then(|manifest| manifest.sha256.as_ref())
        && *expected != sha256
    {
        return Err(format!(
            "{model}: the file has SHA-256 {sha256}, its manifest says {expected}; take the file that the manifest is of"
        ));
    }
    let mut sizes = given
        .as_ref()
        .map(|manifest| manifest.sizes.clone())
        .unwrap_or_default();
    sizes.extend(arguments.sizes.iter().cloned());
    let graph = read_sized(&bytes, sizes).map_err(|error| format!("{model}: {error}"))?;
    Ok((graph, sha256, given))
}

/// Reads a model of any kind; `sizes` are those that an ONNX file leaves open.
///
/// # Errors
/// Those of [`plumbline_engine::read_model`].
pub fn read_sized(bytes: &[u8], sizes: BTreeMap<String, usize>) -> Result<Graph, ModelError> {
    if onnx::is_likely(bytes) {
        let options = onnx::Options {
            sizes,
            ..onnx::Options::default()
        };
        return onnx::import(bytes, &options);
    }
    plumbline_engine::read_model(bytes)
}

fn read_manifest(path: &Path) -> Outcome<Manifest> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the manifest ({error}): {}", path.display()))?;
    Manifest::from_text(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// What was taken for granted, and what only a person can know.
fn say(model: &str, proposal: &Proposal) {
    eprintln!(
        "{model}: read as {} ({}): {}",
        proposal.task.id(),
        proposal.confidence,
        proposal.why
    );
    for question in &proposal.questions {
        eprintln!("  not known: {question}");
    }
    if let Some(note) = proposal.note {
        eprintln!("  note: {note}");
    }
}

/// Inputs and outputs with their shapes, for a sentence.
fn shapes(graph: &Graph) -> String {
    let list = |ids: &[plumbline_engine::graph::ValueId]| {
        let each = ids
            .iter()
            .map(|&id| format!("{} {:?}", graph.value(id).name, graph.shape(id)));
        each.collect::<Vec<_>>().join(", ")
    };
    format!("inputs {}; outputs {}", list(&graph.inputs), list(&graph.outputs))
}

/// What a model finds in the whole of a frame, or in a part.
///
/// # Errors
/// A frame that cannot be run.
pub fn find(
    model: &mut AnyModel<UserInference>,
    part: Option<Rect>,
    frame: &Frame<'_>,
) -> Outcome<AnyResult> {
    pollster::block_on(model.process(frame, part)).map_err(|error| error.to_string())
}

/// Looks at a picture or at each frame of a clip, and hands each result to `print`.
///
/// # Errors
/// Sources that cannot be read, frames that cannot be run, and what `print` says.
pub fn each_frame<R>(
    source: &Path,
    mut look: impl FnMut(&Frame<'_>, Timestamp) -> Outcome<R>,
    mut print: impl FnMut(&Picture, Option<Position>, &R) -> Outcome<()>,
) -> Outcome<()> {
    let mut one = |picture: &Picture, position: Option<Position>| {
        let frame = picture.frame().map_err(|error| error.to_string())?;
        let time = position.map_or(Timestamp::from_micros(0), |position| position.time);
        let result = look(&frame, time).map_err(|error| match position {
            Some(position) => format!("frame {}: {error}", position.frame),
            None => error,
        })?;
        print(picture, position, &result)
    };
    if !is_clip(source)? {
        return one(&picture::read(source)?, None);
    }
    for (frame, clip_frame) in Clip::open(source)?.enumerate() {
        let clip_frame = clip_frame?;
        let time: Timestamp = clip_frame.time;
        one(&clip_frame.picture, Some(Position { frame, time }))?;
        if io::stderr().is_terminal() && !io::stdout().is_terminal() {
            eprint!("\rframe {frame}, at {:.1} s", time.secs());
        }
    }
    Ok(())
}
