//! `plumb pose --model FILE`: people's points in a picture or clip by a model that somebody brings.

use std::io::{self, Write};
use std::path::Path;

use plumbline_core::decoders::{Found, Keypoint, KeypointPose, Rect};
use plumbline_core::keypoint_sets::KeypointSet;
use plumbline_core::people::PersonId;
use plumbline_core::task::Task;
use plumbline_core::tracker::Mode;
use plumbline_engine::image::Frame;
use plumbline_pipeline::TopDown;
use plumbline_pipeline::any_model::{wants_a_crop, wants_a_person};
use serde::Serialize;

use crate::Outcome;
use crate::backend::{detector, stopwatch};
use crate::picture::Picture;
use crate::pose_json::Position;
use crate::printing::{print_json, written};
use crate::user_model::{FrameHead, ModelArguments, TimingsJson, UserModel, each_frame, find};

/// What is printed of a picture or frame.
#[derive(Serialize)]
struct FrameJson<'a> {
    #[serde(flatten)]
    head: FrameHead<'a>,
    /// Whose decoder read it: `movenet`, `simcc`.
    task: &'static str,
    people: Vec<PersonJson>,
    timings_ms: TimingsJson,
}

#[derive(Serialize)]
struct PersonJson {
    /// The same from frame to frame; where several people were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    landmarks: Vec<LandmarkJson>,
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    bounds: Option<BoxJson>,
    score: f32,
}

#[derive(Serialize)]
struct LandmarkJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    x_px: f32,
    y_px: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    z_px: Option<f32>,
    score: f32,
}

#[derive(Serialize)]
struct BoxJson {
    x_px: f32,
    y_px: f32,
    width_px: f32,
    height_px: f32,
}

impl From<Rect> for BoxJson {
    fn from(rect: Rect) -> Self {
        Self {
            x_px: rect.min.x,
            y_px: rect.min.y,
            width_px: rect.max.x - rect.min.x,
            height_px: rect.max.y - rect.min.y,
        }
    }
}

/// How a model that somebody brings is run.
pub struct Wish<'a> {
    /// The picture or clip.
    pub source: &'a Path,
    /// The model's file.
    pub model: &'a str,
    /// Narrows what a model without a manifest may be.
    pub task: Option<Task>,
    /// Whether each frame stands for itself.
    pub mode: Mode,
    /// How many people are looked for.
    pub people: usize,
}

/// Runs a model on a picture or clip: one that looks at one person behind BlazePose's detector, unless it is said where
/// the person is.
///
/// # Errors
/// As [`UserModel::read`] and [`each_frame`].
pub fn run(wish: &Wish<'_>, arguments: &ModelArguments) -> Outcome<()> {
    let model = wish.model;
    let tasks: Vec<Task> = match wish.task {
        Some(task) => vec![task],
        None => Task::ALL.into_iter().filter(|task| task.gives_points()).collect(),
    };
    let user_model = UserModel::read(model, arguments, &tasks)?;
    let manifest = user_model.manifest.clone();
    let names = manifest.keypoints.unwrap_or(KeypointSet::Numbered).names();
    let task = manifest.task;
    let behind_detector = wants_a_person(task) && arguments.part.is_none();
    if wish.people != 1 && !behind_detector {
        return Err(format!(
            "--people is for lite, full and heavy, and for model files that look at one person at a time; {model} is \
             {}{}",
            task.id(),
            if arguments.part.is_some() {
                ", and --part says where to look"
            } else {
                ""
            }
        ));
    }
    if wants_a_crop(task) && !behind_detector && arguments.part.is_none() && !arguments.json {
        eprintln!("{model}: looks at one who fills the picture; --part says where that is");
    }
    let mut loaded = user_model.load(arguments.backend)?;
    let mut out = io::stdout().lock();
    let mut print = |picture: &Picture, position, people: &[Seen<'_>], timings| {
        if arguments.json {
            let json = FrameJson {
                head: FrameHead::new(picture, position, model),
                task: task.id(),
                people: people.iter().map(|seen| PersonJson::new(seen, names)).collect(),
                timings_ms: timings,
            };
            print_json(&mut out, &json)
        } else {
            written(write_table(&mut out, names, picture, position, people))
        }
    };
    if behind_detector {
        let is_numbered = wish.people > 1;
        let pipeline = TopDown::new(detector()?, loaded, wish.mode, wish.people, stopwatch());
        let mut pipeline = pipeline.map_err(|error| error.to_string())?;
        let look = |frame: &Frame<'_>, time| {
            pollster::block_on(pipeline.process(frame, time)).map_err(|error| error.to_string())
        };
        return each_frame(wish.source, look, |picture, position, result| {
            let people: Vec<Seen<'_>> = result
                .people
                .iter()
                .map(|(id, pose)| (is_numbered.then_some(*id), pose))
                .collect();
            print(picture, position, &people, TimingsJson::from(result))
        });
    }
    let look = |frame: &Frame<'_>, _| find(&mut loaded, arguments.part, frame);
    each_frame(wish.source, look, |picture, position, result| {
        let Found::Poses(poses) = &result.found else {
            return Err("the model gave something else than points".to_owned());
        };
        let people: Vec<Seen<'_>> = poses.iter().map(|pose| (None, pose)).collect();
        print(picture, position, &people, TimingsJson::from(result))
    })
}

/// Somebody, with their number where several were asked for.
type Seen<'a> = (Option<PersonId>, &'a KeypointPose);

impl PersonJson {
    fn new((id, pose): &Seen<'_>, names: &'static [&'static str]) -> Self {
        let landmark = |(index, point): (usize, &Keypoint)| LandmarkJson {
            name: names.get(index).copied(),
            x_px: point.x_px,
            y_px: point.y_px,
            z_px: point.z_px,
            score: point.score,
        };
        Self {
            id: id.map(|PersonId(number)| number),
            landmarks: pose.keypoints.iter().enumerate().map(landmark).collect(),
            bounds: pose.bounds.map(BoxJson::from),
            score: pose.score,
        }
    }
}

fn write_table(
    out: &mut impl Write,
    names: &[&str],
    picture: &Picture,
    position: Option<Position>,
    people: &[Seen<'_>],
) -> io::Result<()> {
    if let Some(Position { frame, time }) = position {
        let scores: Vec<String> = people
            .iter()
            .map(|(id, pose)| format!("{}score {:.3}", number(*id), pose.score))
            .collect();
        let people = if scores.is_empty() {
            "nobody".to_owned()
        } else {
            scores.join("; ")
        };
        return writeln!(out, "frame {frame:>5}  {:>8.3} s  {people}", time.secs());
    }
    writeln!(out, "{}x{} px", picture.width_px, picture.height_px)?;
    if people.is_empty() {
        return writeln!(out, "nobody was found");
    }
    for (id, pose) in people {
        writeln!(out, "\n{}score {:.3}\n", number(*id), pose.score)?;
        writeln!(out, "{:<17}{:>8}{:>8}{:>8}", "point", "x px", "y px", "score")?;
        for (index, point) in pose.keypoints.iter().enumerate() {
            let number = index.to_string();
            let name = names.get(index).copied().unwrap_or(&number);
            writeln!(
                out,
                "{name:<17}{:>8.1}{:>8.1}{:>8.3}",
                point.x_px, point.y_px, point.score
            )?;
        }
    }
    Ok(())
}

/// `person 2: `, where there is a number.
fn number(id: Option<PersonId>) -> String {
    id.map(|PersonId(number)| format!("person {number}: "))
        .unwrap_or_default()
}
