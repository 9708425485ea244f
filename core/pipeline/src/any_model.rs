//! Any model that takes a picture: a frame in, what its manifest's task finds out.
//!
//! ```text
//! graph -> propose -> a manifest, completed by a person
//! graph, manifest -> prepare -> plan and borders -> a backend's Inference -> AnyModel
//! frame           -> AnyModel::process(..).await -> poses, boxes, classes, a mask or an embedding
//! ```

use std::fmt;

use plumbline_core::decoders::{self, DecodeError, Found, Rect, Tensor};
use plumbline_core::geometry::{Affine2, Point2};
use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::{Layout, Placement, picture_input};
use plumbline_core::proposal::{Proposal, TensorFacts};
use plumbline_core::roi::RotatedRect;
use plumbline_core::task::{Role, Task};
use plumbline_engine::ModelError;
use plumbline_engine::element::Element;
use plumbline_engine::graph::{Activation, Graph, Op, ValueId};
use plumbline_engine::image::{Border, Frame};
use plumbline_engine::passes;
use plumbline_engine::plan::{Options, Plan};

use crate::inference::{Inference, InferenceError};
use crate::model_input::{InputError, write_input, write_region};
use crate::models::Target;
use crate::pose::Clock;

/// What a graph may be, the most probable first ([`plumbline_core::proposal::propose`]).
pub fn propose(graph: &Graph) -> Vec<Proposal> {
    let facts = |&id: &ValueId| {
        let value = graph.value(id);
        TensorFacts {
            name: &value.name,
            shape: &value.shape,
            is_integer: value.element != Element::F32,
            written_by: written_by(graph, id),
        }
    };
    let inputs: Vec<TensorFacts<'_>> = graph.inputs.iter().map(facts).collect();
    let outputs: Vec<TensorFacts<'_>> = graph.outputs.iter().map(facts).collect();
    plumbline_core::proposal::propose(&inputs, &outputs)
}

/// The operator that computes a value; what only renames it is looked through.
fn written_by(graph: &Graph, mut value: ValueId) -> Option<&'static str> {
    // Nodes are in execution order, so one walk backwards meets the writer of what each node reads.
    for node in graph.nodes.iter().rev().filter(|node| !node.inputs.is_empty()) {
        if node.output != value {
            continue;
        }
        match &node.op {
            Op::Reshape => value = node.inputs[0],
            Op::Activation(Activation::Sigmoid) => return Some("Sigmoid"),
            op => return Some(op.name()),
        }
    }
    None
}

/// How a model's numbers meet its manifest.
#[derive(Clone, Debug)]
pub struct Borders {
    layout: Layout,
    is_integer: bool,
    outputs: Vec<Output>,
}

#[derive(Clone, Debug)]
struct Output {
    role: Role,
    name: String,
    shape: Vec<usize>,
    element: Element,
}

/// Finds the tensors that a manifest names in a graph, keeps what they need, and plans it.
///
/// # Errors
/// [`AnyModelError::Mismatch`] where manifest and graph do not go together, [`AnyModelError::Model`] for what the engine
/// cannot plan.
pub fn prepare(
    mut graph: Graph,
    manifest: &Manifest,
    target: Target,
) -> Result<(Plan, Borders), AnyModelError> {
    let mismatch = |message: String| AnyModelError::Mismatch(message);
    let name_of = |graph: &Graph, id: ValueId| graph.value(id).name.clone();
    let &[input] = &graph.inputs[..] else {
        let names: Vec<String> = graph.inputs.iter().map(|&id| name_of(&graph, id)).collect();
        return Err(mismatch(format!(
            "the model has {} inputs ({}); a picture fills one",
            names.len(),
            names.join(", ")
        )));
    };
    if let Some(asked) = &manifest.input
        && *asked != graph.value(input).name
    {
        return Err(mismatch(format!(
            "input.tensor: there is no input {asked}; the model has {}",
            graph.value(input).name
        )));
    }
    let shape = graph.shape(input);
    let Some((layout, size)) = picture_input(shape) else {
        return Err(mismatch(format!(
            "the model's input is of shape {shape:?}; pictures go into [1, height, width, 3] or [1, 3, height, width]"
        )));
    };
    let asked = manifest.preprocessing.size;
    if size != asked {
        return Err(mismatch(format!(
            "input.width_px, input.height_px: the manifest says {}x{}, the model takes {}x{}",
            asked.width_px, asked.height_px, size.width_px, size.height_px
        )));
    }
    let outputs = roles(&graph, manifest)?;
    let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    let is_integer = graph.value(input).element != Element::F32;
    passes::select_outputs(&mut graph, &names).map_err(AnyModelError::Model)?;
    passes::optimise_to(&mut graph, target.level()).map_err(AnyModelError::Model)?;
    let options = Options {
        level: target.level(),
        ..Options::default()
    };
    let plan = Plan::with(graph, &options).map_err(AnyModelError::Model)?;
    Ok((
        plan,
        Borders {
            layout,
            is_integer,
            outputs,
        },
    ))
}

/// The outputs by role; where the manifest names none, the only one.
fn roles(graph: &Graph, manifest: &Manifest) -> Result<Vec<Output>, AnyModelError> {
    let output = |role: Role, id: ValueId| Output {
        role,
        name: graph.value(id).name.clone(),
        shape: graph.shape(id).to_vec(),
        element: graph.value(id).element,
    };
    let known = || {
        let names = graph.outputs.iter().map(|&id| graph.value(id).name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    if manifest.outputs.is_empty() {
        return match (&graph.outputs[..], manifest.task.needs()) {
            (&[only], &[role]) => Ok(vec![output(role, only)]),
            _ => Err(AnyModelError::Mismatch(format!(
                "outputs: the model has {}; say which is which",
                known()
            ))),
        };
    }
    let named = manifest.outputs.iter().map(|(&role, name)| {
        let id = graph.output_named(name);
        id.map(|id| output(role, id)).ok_or_else(|| {
            AnyModelError::Mismatch(format!(
                "outputs.{}: there is no output {name}; the model has {}",
                role.id(),
                known()
            ))
        })
    });
    named.collect()
}

/// Makes a value inside a graph its only output: features, for an embedding.
///
/// # Errors
/// [`AnyModelError::Mismatch`] where there is no value of that name that is computed.
pub fn expose(graph: &mut Graph, name: &str) -> Result<(), AnyModelError> {
    let is_named = |id: &ValueId| graph.value(*id).name == name;
    match graph.nodes.iter().map(|node| node.output).find(is_named) {
        Some(id) => {
            graph.outputs = vec![id];
            Ok(())
        }
        None => Err(AnyModelError::Mismatch(format!(
            "no node of the model computes a value named {name}"
        ))),
    }
}

/// Why a model did not say what a frame shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyModelError {
    /// Manifest and model do not go together: which key, and what the model has.
    Mismatch(String),
    /// The engine cannot plan or pack the model.
    Model(ModelError),
    /// The frame does not become an input.
    Input(InputError),
    /// The backend failed.
    Inference(InferenceError),
    /// The outputs are not what the task has.
    Decode(DecodeError),
}

impl fmt::Display for AnyModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(message) => f.write_str(message),
            Self::Model(error) => error.fmt(f),
            Self::Input(error) => error.fmt(f),
            Self::Inference(error) => write!(f, "the model did not run: {error}"),
            Self::Decode(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AnyModelError {}

/// What a frame gave, and how long each stage took.
#[derive(Clone, Debug, PartialEq)]
pub struct AnyResult {
    /// In pixels of the frame.
    pub found: Found,
    /// Where the frame, or the part of it that was looked at, stood in the input.
    pub placement: Placement,
    /// Resizing and normalising.
    pub input_millis: f64,
    /// The model.
    pub model_millis: f64,
    /// Reading its outputs.
    pub decode_millis: f64,
}

/// A model that somebody brought, ready for frames.
pub struct AnyModel<I> {
    inference: I,
    borders: Borders,
    manifest: Manifest,
    clock: Clock,
}

impl<I: Inference> AnyModel<I> {
    /// A model over a backend that runs the plan of [`prepare`], with its borders and the same manifest.
    pub fn new(inference: I, borders: Borders, manifest: Manifest, clock: Clock) -> Self {
        Self {
            inference,
            borders,
            manifest,
            clock,
        }
    }

    /// What is said of the model.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Looks at a frame, or at a part of it: whole pixels around `part`, as far as the frame reaches. Findings are in
    /// pixels of the frame; masks are of the part.
    ///
    /// # Errors
    /// [`AnyModelError::Input`] for a part without pixels, [`AnyModelError::Inference`] when the backend fails,
    /// [`AnyModelError::Decode`] when the outputs are not those of the task; the next frame may be tried.
    pub async fn process(
        &mut self,
        frame: &Frame<'_>,
        part: Option<Rect>,
    ) -> Result<AnyResult, AnyModelError> {
        let start = (self.clock)();
        let (frame, left_px, top_px) = cut(frame, part);
        let preprocessing = &self.manifest.preprocessing;
        let input = self.inference.input_mut();
        let placement =
            write_input(&frame, preprocessing, self.borders.layout, input).map_err(AnyModelError::Input)?;
        let frame_from_part = Affine2 {
            x0: left_px,
            y0: top_px,
            ..IDENTITY
        };
        self.run(start, placement, &frame_from_part).await
    }

    /// Looks at a region of a frame, which may turn with a body and reach beyond the frame; the model's input is its
    /// corners to corners. Findings are in pixels of the frame; masks are of the region.
    ///
    /// # Errors
    /// As [`Self::process`].
    pub async fn look(
        &mut self,
        frame: &Frame<'_>,
        region: &RotatedRect,
        border: Border,
    ) -> Result<AnyResult, AnyModelError> {
        let start = (self.clock)();
        let preprocessing = &self.manifest.preprocessing;
        let size = preprocessing.size;
        let frame_from_input = region.image_from_input(size);
        let rows = frame_from_input.rows();
        let (layout, input) = (self.borders.layout, self.inference.input_mut());
        write_region(frame, rows, border, preprocessing, layout, input).map_err(AnyModelError::Input)?;
        let placement = Placement {
            image: size,
            scaled: size,
            left_px: 0,
            top_px: 0,
        };
        self.run(start, placement, &frame_from_input).await
    }

    /// Runs what is written, and reads it; `frame_from_picture` brings findings of the picture that was written to the
    /// frame.
    async fn run(
        &mut self,
        start: f64,
        placement: Placement,
        frame_from_picture: &Affine2,
    ) -> Result<AnyResult, AnyModelError> {
        if self.borders.is_integer {
            // A word of the input holds an integer's bits; copies of an f32 keep them.
            for value in self.inference.input_mut().iter_mut() {
                *value = f32::from_bits(value.round() as i32 as u32);
            }
        }
        let written = (self.clock)();
        self.inference.run().await.map_err(AnyModelError::Inference)?;
        let ran = (self.clock)();
        let mut found = self.decode(&placement)?;
        bring(&mut found, frame_from_picture);
        Ok(AnyResult {
            found,
            placement,
            input_millis: written - start,
            model_millis: ran - written,
            decode_millis: (self.clock)() - ran,
        })
    }

    fn decode(&self, placement: &Placement) -> Result<Found, AnyModelError> {
        let mut values = Vec::with_capacity(self.borders.outputs.len());
        for output in &self.borders.outputs {
            values.push(self.numbers(output)?);
        }
        let tensors = self.borders.outputs.iter().zip(&values).map(|(output, values)| {
            let tensor = Tensor::new(&output.shape, values)?;
            Ok((output.role, tensor))
        });
        let tensors = tensors
            .collect::<Result<Vec<_>, _>>()
            .map_err(AnyModelError::Decode)?;
        decoders::decode(&self.manifest, self.borders.layout, placement, &tensors)
            .map_err(AnyModelError::Decode)
    }

    /// An output as f32, whatever its words are.
    fn numbers(&self, output: &Output) -> Result<std::borrow::Cow<'_, [f32]>, AnyModelError> {
        let missing = || AnyModelError::Mismatch(format!("the backend has no output {}", output.name));
        if output.element == Element::F32 {
            let values = self.inference.output(&output.name).ok_or_else(missing)?;
            return Ok(values.into());
        }
        let words = self.inference.output_words(&output.name).ok_or_else(missing)?;
        let number = |&word: &u32| match output.element {
            Element::F32 => f32::from_bits(word),
            Element::I32 => word as i32 as f32,
            Element::U32 | Element::Bool => word as f32,
        };
        Ok(words.iter().map(number).collect::<Vec<f32>>().into())
    }
}

/// Whether a task looks at one person, hand or face that fills its input.
pub fn wants_a_crop(task: Task) -> bool {
    wants_a_person(task) || matches!(task, Task::MediapipeHand | Task::MediapipeFace)
}

/// Whether a task looks at one person who fills its input, whom BlazePose's detector can find for it.
pub fn wants_a_person(task: Task) -> bool {
    match task {
        Task::SimCc | Task::Heatmaps | Task::MediapipePose => true,
        Task::MediapipeHand
        | Task::MediapipeFace
        | Task::MoveNet
        | Task::MoveNetMultiPose
        | Task::YoloPose
        | Task::YoloDetect
        | Task::Classes
        | Task::Mask
        | Task::Embedding => false,
    }
}

/// The part of a frame as a frame, and where it begins. A part beyond the frame is the whole frame.
fn cut<'a>(frame: &Frame<'a>, part: Option<Rect>) -> (Frame<'a>, f32, f32) {
    let whole = (*frame, 0.0, 0.0);
    let Some(part) = part else { return whole };
    let along = |from: f32, to: f32, size: usize| {
        let from = from.floor().clamp(0.0, size as f32) as usize;
        let to = to.ceil().clamp(0.0, size as f32) as usize;
        (from, to.saturating_sub(from))
    };
    let (left, width) = along(part.min.x, part.max.x, frame.width_px());
    let (top, height) = along(part.min.y, part.max.y, frame.height_px());
    let start = top * frame.stride() + left * frame.format().bytes_per_pixel();
    let pixels = frame.pixels().get(start..).unwrap_or_default();
    match Frame::new(pixels, width, height, frame.stride(), frame.format()) {
        Ok(part) => (part, left as f32, top as f32),
        Err(_) => whole,
    }
}

/// The map that leaves points where they are.
const IDENTITY: Affine2 = Affine2 {
    xx: 1.0,
    xy: 0.0,
    x0: 0.0,
    yx: 0.0,
    yy: 1.0,
    y0: 0.0,
};

/// Brings what was found in a picture to the frame that it was cut out of. A box that turned becomes the upright one around
/// it; depth has the scale of x.
fn bring(found: &mut Found, frame_from_picture: &Affine2) {
    let bring_rect = |rect: &mut Rect| {
        let (min, max) = (rect.min, rect.max);
        let corners = [min, max, Point2::new(min.x, max.y), Point2::new(max.x, min.y)];
        let corners = corners.map(|corner| frame_from_picture.apply(corner));
        let fold =
            |pick: fn(f32, f32) -> f32, of: fn(Point2) -> f32| corners.map(of).into_iter().reduce(pick);
        let bound = |pick| {
            Some(Point2::new(
                fold(pick, |point| point.x)?,
                fold(pick, |point| point.y)?,
            ))
        };
        if let (Some(least), Some(greatest)) = (bound(f32::min), bound(f32::max)) {
            (rect.min, rect.max) = (least, greatest);
        }
    };
    match found {
        Found::Poses(poses) => {
            let scale = frame_from_picture.xx.hypot(frame_from_picture.yx);
            for pose in poses {
                for point in &mut pose.keypoints {
                    let at = frame_from_picture.apply(Point2::new(point.x_px, point.y_px));
                    (point.x_px, point.y_px) = (at.x, at.y);
                    point.z_px = point.z_px.map(|z_px| z_px * scale);
                }
                pose.bounds.iter_mut().for_each(bring_rect);
            }
        }
        Found::Boxes(boxes) => boxes.iter_mut().for_each(|found| bring_rect(&mut found.rect)),
        Found::Classes(_) | Found::Mask(_) | Found::Embedding(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use plumbline_core::geometry::ImageSize;
    use plumbline_core::model_input::{Preprocessing, Resize};
    use plumbline_engine::graph::Node;
    use plumbline_engine::image::PixelFormat;

    use super::*;
    use crate::inference::CpuInference;

    /// A model that gives its own input: 17 points for each of so many pixels.
    fn graph(input: &[usize], output: &[usize]) -> Graph {
        let mut graph = Graph::default();
        let input = graph.add_value("picture", input.to_vec(), None);
        let named = graph.add_value("points", output.to_vec(), None);
        graph.inputs.push(input);
        graph.outputs.push(named);
        graph.nodes.push(Node {
            origin: "operator 0".to_owned(),
            op: Op::Reshape,
            inputs: vec![input],
            output: named,
        });
        graph
    }

    fn manifest(task: Task, width_px: u32, height_px: u32) -> Manifest {
        let size = ImageSize { width_px, height_px };
        Manifest {
            name: "m".to_owned(),
            licence: "none".to_owned(),
            sha256: None,
            task,
            keypoints: None,
            labels: Vec::new(),
            scores: None,
            sizes: Default::default(),
            input: None,
            preprocessing: Preprocessing {
                resize: Resize::Letterbox,
                ..Preprocessing::plain(size)
            },
            outputs: Default::default(),
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
        }
    }

    /// 17 pixels of one row are MoveNet's 17 points: x is a pixel's green, y its red, the score its blue.
    #[test]
    fn a_part_of_a_frame_is_found_where_it_stands() {
        let manifest = manifest(Task::MoveNet, 17, 1);
        let graph = graph(&[1, 1, 17, 3], &[1, 1, 17, 3]);
        let (plan, borders) = prepare(graph, &manifest, Target::Cpu).expect("they go together");
        let inference = CpuInference::new(plan).expect("it runs");
        let mut model = AnyModel::new(inference, borders, manifest, Box::new(|| 0.0));
        let pixels: Vec<u8> = (0..40 * 9).flat_map(|_| [255, 51, 204]).collect();
        let frame = Frame::packed(&pixels, 40, 9, PixelFormat::Rgb8).expect("whole");
        let part = Rect {
            min: Point2::new(3.2, 2.0),
            max: Point2::new(19.9, 2.5),
        };
        let result = block_on(model.process(&frame, Some(part))).expect("it can be read");
        let Found::Poses(poses) = result.found else {
            panic!("points are expected");
        };
        let point = poses[0].keypoints[16];
        let close = |found: f32, expected: f32| (found - expected).abs() < 1e-4;
        assert!(
            close(point.x_px, 3.0 + 17.0 * 0.2) && close(point.y_px, 3.0),
            "{point:?}"
        );
        assert!(close(poses[0].score, 0.8));
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        let fits = graph(&[1, 8, 8, 3], &[1, 192]);
        let cases: [(Graph, Manifest, &str); 5] = [
            (
                fits.clone(),
                manifest(Task::Classes, 8, 9),
                "the manifest says 8x9, the model takes 8x8",
            ),
            (
                graph(&[1, 8, 8, 4], &[1, 256]),
                manifest(Task::Classes, 8, 8),
                "input is of shape [1, 8, 8, 4]",
            ),
            (
                fits.clone(),
                manifest(Task::SimCc, 8, 8),
                "the model has points; say which is which",
            ),
            (
                fits.clone(),
                Manifest {
                    outputs: [(Role::Scores, "s".to_owned())].into(),
                    ..manifest(Task::Classes, 8, 8)
                },
                "outputs.scores: there is no output s; the model has points",
            ),
            (
                fits.clone(),
                Manifest {
                    input: Some("x".to_owned()),
                    ..manifest(Task::Classes, 8, 8)
                },
                "there is no input x; the model has picture",
            ),
        ];
        for (graph, manifest, expected) in cases {
            let error = prepare(graph, &manifest, Target::Cpu).expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
        }
        let mut graph = fits;
        assert!(expose(&mut graph, "points").is_ok());
        assert!(expose(&mut graph, "picture").is_err());
    }

    #[test]
    fn graphs_are_proposed_by_their_shapes() {
        let found = propose(&graph(&[1, 8, 8, 3], &[1, 192]));
        assert_eq!(found[0].task, Task::Embedding);
        assert_eq!(found[0].outputs[&Role::Embedding], "points");
    }
}
