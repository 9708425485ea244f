//! `plumb pose`: finds the person, or several, in a picture or a clip and prints the landmarks, as a table or as JSON.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use plumbline_core::people::{MAX_PEOPLE, PersonId};
use plumbline_core::pose::Pose;
use plumbline_core::skeleton::LANDMARK_NAMES;
use plumbline_core::task::Task;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;

use crate::Outcome;
use crate::backend::{Device, LandmarkModel};
use crate::clip::{Clip, is_clip};
use crate::commands::pose_any;
use crate::finder::{Finder, Found};
use crate::picture::{self, Picture};
use crate::pose_json::{FrameJson, Position};
use crate::printing::{self, written};
use crate::user_model::ModelArguments;

/// Finds the person in a picture (PNG, JPEG) or in each frame of a clip (Motion JPEG, or whatever FFmpeg decodes)
#[derive(Args)]
pub struct Arguments {
    /// The picture or clip
    #[arg(value_name = "IMAGE|CLIP")]
    source: PathBuf,
    /// The landmark model, from fast to accurate: lite, full or heavy; or a .tflite, .onnx or graph file of another one
    #[arg(long, default_value = "full", value_name = "NAME|FILE")]
    model: String,
    /// What a model file without a manifest is: movenet, movenet-multipose, simcc, heatmaps, yolo-pose,
    /// mediapipe-pose, mediapipe-hand, mediapipe-face
    #[arg(long = "as", value_name = "TASK", value_parser = parse_task)]
    task: Option<Task>,
    #[command(flatten)]
    of_model: ModelArguments,
    /// Treat each frame of a clip as a picture of its own: detect always, smooth nothing
    #[arg(long = "static")]
    is_static: bool,
    /// Find up to so many people, each with a number that stays theirs from frame to frame; on the CPU
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=MAX_PEOPLE as i64))]
    people: u8,
    /// Take the frames of a clip as so many a second, instead of at the times that the clip states
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    fps: Option<f64>,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("a rate is a number above zero".to_owned()),
    }
}

fn parse_task(text: &str) -> Result<Task, String> {
    let gives_points = |task: &Task| task.gives_points();
    Task::from_id(text).filter(gives_points).ok_or_else(|| {
        let known: Vec<&str> = Task::ALL
            .iter()
            .filter(|task| task.gives_points())
            .map(|task| task.id())
            .collect();
        format!("tasks that give points are {}", known.join(", "))
    })
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let Ok(model) = LandmarkModel::from_str(&arguments.model, false) else {
        return run_file(arguments);
    };
    let of_model = &arguments.of_model;
    if arguments.task.is_some()
        || of_model.manifest.is_some()
        || of_model.part.is_some()
        || !of_model.sizes.is_empty()
    {
        return Err(format!(
            "--as, --manifest, --size and --part are for model files; {} is known",
            model.name()
        ));
    }
    if is_clip(&arguments.source)? {
        run_clip(arguments, model)
    } else {
        run_picture(arguments, model)
    }
}

/// A model of somebody else.
fn run_file(arguments: &Arguments) -> Outcome<()> {
    if arguments.fps.is_some() {
        return Err("--fps is for lite, full and heavy".to_owned());
    }
    let wish = pose_any::Wish {
        source: &arguments.source,
        model: &arguments.model,
        task: arguments.task,
        mode: mode(arguments),
        people: usize::from(arguments.people),
    };
    pose_any::run(&wish, &arguments.of_model)
}

fn mode(arguments: &Arguments) -> Mode {
    if arguments.is_static {
        Mode::Static
    } else {
        Mode::Tracking
    }
}

fn run_picture(arguments: &Arguments, model: LandmarkModel) -> Outcome<()> {
    let picture = picture::read(&arguments.source)?;
    let device = Device::open(arguments.of_model.backend)?;
    let limit = usize::from(arguments.people);
    let mut finder = Finder::new(&device, model, Mode::Static, limit)?;
    let result = find(&mut finder, &picture, Timestamp::from_micros(0))?;
    let mut out = io::stdout().lock();
    if arguments.of_model.json {
        print_json(&mut out, arguments, &picture, None, &result)
    } else {
        written(
            write_header(&mut out, arguments, &device)
                .and_then(|()| write_table(&mut out, &picture, &result)),
        )
    }
}

fn run_clip(arguments: &Arguments, model: LandmarkModel) -> Outcome<()> {
    let frames = Clip::open(&arguments.source)?;
    let device = Device::open(arguments.of_model.backend)?;
    let mut finder = Finder::new(&device, model, mode(arguments), usize::from(arguments.people))?;
    let mut out = io::stdout().lock();
    if !arguments.of_model.json {
        written(write_header(&mut out, arguments, &device))?;
    }
    for (frame, clip_frame) in frames.enumerate() {
        let clip_frame = clip_frame?;
        let time = match arguments.fps {
            Some(rate_hz) => Timestamp::from_secs(frame as f64 / rate_hz),
            None => clip_frame.time,
        };
        let result = find(&mut finder, &clip_frame.picture, time)?;
        let position = Position { frame, time };
        if arguments.of_model.json {
            print_json(&mut out, arguments, &clip_frame.picture, Some(position), &result)?;
        } else {
            written(write_line(&mut out, position, &result))?;
        }
    }
    Ok(())
}

fn find(finder: &mut Finder, picture: &Picture, time: Timestamp) -> Outcome<Found> {
    let frame = picture.frame().map_err(|error| error.to_string())?;
    pollster::block_on(finder.find(&frame, time)).map_err(|error| error.to_string())
}

fn print_json(
    out: &mut impl Write,
    arguments: &Arguments,
    picture: &Picture,
    position: Option<Position>,
    result: &Found,
) -> Outcome<()> {
    let size_px = (picture.width_px, picture.height_px);
    let json = FrameJson::new(
        size_px,
        &arguments.model,
        arguments.of_model.backend.name(),
        position,
        result,
    );
    printing::print_json(out, &json)
}

fn write_header(out: &mut impl Write, arguments: &Arguments, device: &Device) -> io::Result<()> {
    writeln!(
        out,
        "{}, model {}, {}",
        arguments.source.display(),
        arguments.model,
        device.description()
    )
}

/// All landmarks of a picture.
fn write_table(out: &mut impl Write, picture: &Picture, result: &Found) -> io::Result<()> {
    writeln!(
        out,
        "{}x{} px, {:.1} ms",
        picture.width_px, picture.height_px, result.timings.total_millis
    )?;
    if result.people.is_empty() {
        return writeln!(out, "nobody was found");
    }
    for (id, pose) in &result.people {
        if let Some(PersonId(number)) = id {
            write!(out, "\nperson {number}: ")?;
        }
        write_landmarks(out, pose)?;
    }
    Ok(())
}

fn write_landmarks(out: &mut impl Write, pose: &Pose) -> io::Result<()> {
    writeln!(out, "score {:.3}\n", pose.score)?;
    writeln!(
        out,
        "{:<17}{:>8}{:>8}{:>8}{:>9}{:>8}{:>8}{:>8}",
        "landmark", "x px", "y px", "z px", "visible", "x m", "y m", "z m"
    )?;
    for (name, (landmark, world)) in LANDMARK_NAMES.iter().zip(pose.landmarks.iter().zip(&pose.world)) {
        writeln!(
            out,
            "{name:<17}{:>8.1}{:>8.1}{:>8.1}{:>9.3}{:>8.3}{:>8.3}{:>8.3}",
            landmark.x_px, landmark.y_px, landmark.z_px, landmark.visibility, world.x_m, world.y_m, world.z_m
        )?;
    }
    Ok(())
}

/// One line for a frame of a clip.
fn write_line(out: &mut impl Write, position: Position, result: &Found) -> io::Result<()> {
    let Position { frame, time } = position;
    write!(
        out,
        "frame {frame:>5}  {:>8.3} s  {:>6.1} ms  ",
        time.secs(),
        result.timings.total_millis
    )?;
    let person = |(id, pose): &(Option<PersonId>, Pose)| {
        let number = id
            .map(|PersonId(number)| format!("person {number}: "))
            .unwrap_or_default();
        format!(
            "{number}score {:.3}, {} of 33 landmarks visible",
            pose.score,
            visible(pose)
        )
    };
    match &result.people[..] {
        [] => writeln!(out, "nobody"),
        people => writeln!(
            out,
            "{}",
            people.iter().map(person).collect::<Vec<_>>().join("; ")
        ),
    }
}

fn visible(pose: &Pose) -> usize {
    pose.landmarks
        .iter()
        .filter(|landmark| landmark.visibility > 0.5)
        .count()
}
