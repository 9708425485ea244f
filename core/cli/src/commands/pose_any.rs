//! `plumb pose --model FILE`: people's points in a picture or clip by a model that somebody brings.

use std::io::{self, Write};
use std::path::Path;

use plumbline_core::decoders::{Found, KeypointPose, Rect};
use plumbline_core::keypoint_sets::KeypointSet;
use plumbline_core::task::Task;
use plumbline_pipeline::any_model::{AnyResult, wants_a_crop};
use serde::Serialize;

use crate::Outcome;
use crate::picture::Picture;
use crate::pose_json::Position;
use crate::printing::{print_json, written};
use crate::user_model::{FrameHead, ModelArguments, TimingsJson, UserModel, each_frame};

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

/// Runs `model` on `source`; `task` narrows what a model without a manifest may be.
///
/// # Errors
/// As [`UserModel::read`] and [`each_frame`].
pub fn run(source: &Path, model: &str, task: Option<Task>, arguments: &ModelArguments) -> Outcome<()> {
    let tasks: Vec<Task> = match task {
        Some(task) => vec![task],
        None => Task::ALL.into_iter().filter(|task| task.gives_points()).collect(),
    };
    let user_model = UserModel::read(model, arguments, &tasks)?;
    let manifest = user_model.manifest.clone();
    let names = manifest.keypoints.unwrap_or(KeypointSet::Numbered).names();
    if wants_a_crop(manifest.task) && arguments.part.is_none() && !arguments.json {
        eprintln!("{model}: looks at one who fills the picture; --part says where that is");
    }
    let mut user_model = user_model.load()?;
    let mut out = io::stdout().lock();
    each_frame(
        source,
        &mut user_model,
        arguments.part,
        |picture, position, result| {
            let Found::Poses(poses) = &result.found else {
                return Err("the model gave something else than points".to_owned());
            };
            if arguments.json {
                let json = frame_json(model, manifest.task, names, picture, position, poses, result);
                print_json(&mut out, &json)
            } else {
                written(write_table(&mut out, names, picture, position, poses))
            }
        },
    )
}

fn frame_json<'a>(
    model: &'a str,
    task: Task,
    names: &'static [&'static str],
    picture: &Picture,
    position: Option<Position>,
    poses: &[KeypointPose],
    result: &AnyResult,
) -> FrameJson<'a> {
    let person = |pose: &KeypointPose| PersonJson {
        landmarks: pose
            .keypoints
            .iter()
            .enumerate()
            .map(|(index, point)| LandmarkJson {
                name: names.get(index).copied(),
                x_px: point.x_px,
                y_px: point.y_px,
                z_px: point.z_px,
                score: point.score,
            })
            .collect(),
        bounds: pose.bounds.map(BoxJson::from),
        score: pose.score,
    };
    FrameJson {
        head: FrameHead::new(picture, position, model),
        task: task.id(),
        people: poses.iter().map(person).collect(),
        timings_ms: TimingsJson::from(result),
    }
}

fn write_table(
    out: &mut impl Write,
    names: &[&str],
    picture: &Picture,
    position: Option<Position>,
    poses: &[KeypointPose],
) -> io::Result<()> {
    if let Some(Position { frame, time }) = position {
        let scores: Vec<String> = poses
            .iter()
            .map(|pose| format!("score {:.3}", pose.score))
            .collect();
        let people = if scores.is_empty() {
            "nobody".to_owned()
        } else {
            scores.join("; ")
        };
        return writeln!(out, "frame {frame:>5}  {:>8.3} s  {people}", time.secs());
    }
    writeln!(out, "{}x{} px", picture.width_px, picture.height_px)?;
    if poses.is_empty() {
        return writeln!(out, "nobody was found");
    }
    for pose in poses {
        writeln!(out, "\nscore {:.3}\n", pose.score)?;
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
