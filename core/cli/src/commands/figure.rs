//! `plumb figure`: draws the person with known joints, as stills or clips, and writes the truth beside them.
//!
//! A clip is a Motion JPEG file: JPEG pictures one after the other, which the page can take apart without a video
//! decoder. Beside `person.mjpeg` lie `person.json`, which says how to play it ([`crate::clip::ClipFacts`]), and
//! `person.truth.json`: joints in pixels and metres, joint angles and labels of every frame.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use plumbline_figure::pose::degrees;
use plumbline_figure::{
    Appearance, Body, Bout, Camera, Clip, Motion, Picture, Quality, Sequence, demo, stills,
};

use crate::Outcome;
use crate::clip::ClipFacts;

/// Quality of the JPEG pictures of a clip, 1 to 100.
const JPEG_QUALITY: u8 = 65;

/// Draws a person with known joints, and writes the truth as JSON beside each picture or clip
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["demo", "stills", "clip"]))]
pub struct Arguments {
    /// Write the demo clip of the page
    #[arg(long, value_name = "OUT.mjpeg")]
    demo: Option<PathBuf>,
    /// Write the test grid, 33 PNG pictures: 11 postures from 3 sides
    #[arg(long, value_name = "FOLDER")]
    stills: Option<PathBuf>,
    /// Write a clip of one motion
    #[arg(long, value_name = "OUT.mjpeg", requires = "motion")]
    clip: Option<PathBuf>,
    /// What the person does in the clip
    #[arg(long, value_name = "NAME", value_parser = parse_motion, requires = "clip")]
    motion: Option<Motion>,
    /// How often
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000), requires = "clip")]
    repetitions: u32,
    /// Excursion of the motion relative to a healthy adult's
    #[arg(long, default_value_t = 1.0, value_parser = parse_positive, requires = "clip")]
    amplitude: f64,
    /// Where the camera stands, in degrees around the person: 0 in front, 90 at the person's left
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true, requires = "clip")]
    yaw: f64,
    /// Height of the person in metres
    #[arg(long, default_value_t = Body::default().height_m, value_parser = parse_positive, requires = "clip")]
    height_m: f64,
    /// Girth of trunk and limbs relative to the average
    #[arg(long, default_value_t = Body::default().build, value_parser = parse_positive, requires = "clip")]
    build: f64,
    /// Size of the pictures in pixels
    #[arg(long, default_value = "480x640", value_parser = parse_size, requires = "clip")]
    size: (usize, usize),
    /// Frames a second
    #[arg(long, default_value_t = 30.0, value_parser = parse_positive, requires = "clip")]
    fps: f64,
}

fn parse_motion(name: &str) -> Result<Motion, String> {
    Motion::named(name).ok_or_else(|| format!("motions are {}", Motion::ALL.map(Motion::name).join(", ")))
}

fn parse_positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("this must be a number above zero".to_owned()),
    }
}

fn parse_size(text: &str) -> Result<(usize, usize), String> {
    let parse = |side: &str| side.parse().ok().filter(|side| (1..=4096).contains(side));
    text.split_once('x')
        .and_then(|(width, height)| Some((parse(width)?, parse(height)?)))
        .ok_or_else(|| "a size reads like 480x640, at most 4096 a side".to_owned())
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    match (&arguments.demo, &arguments.stills, &arguments.clip) {
        (Some(path), _, _) => write_clip(path, &demo::clip()),
        (None, Some(folder), _) => write_stills(folder),
        (None, None, Some(path)) => write_clip(path, &chosen_clip(arguments)),
        (None, None, None) => Err("choose one of --demo, --stills, --clip".to_owned()),
    }
}

fn chosen_clip(arguments: &Arguments) -> Clip {
    let motion = arguments.motion.unwrap_or(Motion::Stand);
    let bout = Bout::of(motion, arguments.repetitions).scaled(arguments.amplitude);
    Clip {
        name: motion.name().to_owned(),
        body: Body {
            height_m: arguments.height_m,
            build: arguments.build,
            ..Body::default()
        },
        appearance: Appearance::default(),
        sequence: Sequence::new(vec![bout]),
        camera: Camera::default().at_yaw(degrees(arguments.yaw)),
        width_px: arguments.size.0,
        height_px: arguments.size.1,
        frames_per_sec: arguments.fps,
        quality: Quality::FULL,
    }
}

/// Writes the pictures of a clip one after the other into `path`, and the truth beside it.
fn write_clip(path: &Path, clip: &Clip) -> Outcome<()> {
    let failed = |error: std::io::Error| format!("the clip cannot be written ({error}): {}", path.display());
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    for frame in 0..clip.frame_count() {
        let jpeg = encode_jpeg(&clip.still(frame).draw())?;
        file.write_all(&jpeg).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    let facts = ClipFacts {
        fps: clip.frames_per_sec,
        width: clip.width_px,
        height: clip.height_px,
        frames: clip.frame_count(),
    };
    write_json(&path.with_extension("json"), &facts.to_json()?)?;
    write_json(&path.with_extension("truth.json"), &clip.truth_json())?;
    let bytes = fs::metadata(path).map_err(failed)?.len();
    println!(
        "{}: {} frames of {}x{} px, {:.1} s, {} kB",
        path.display(),
        clip.frame_count(),
        clip.width_px,
        clip.height_px,
        clip.time_secs(clip.frame_count()),
        bytes / 1000
    );
    Ok(())
}

/// Writes each picture of the test grid as PNG, and its truth beside it.
fn write_stills(folder: &Path) -> Outcome<()> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("the folder cannot be made ({error}): {}", folder.display()))?;
    let grid = stills::grid();
    for still in &grid {
        let picture = still.draw();
        let path = folder.join(format!("{}.png", still.name));
        let (width, height) = (picture.width_px as u32, picture.height_px as u32);
        image::save_buffer(&path, &picture.rgb, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| format!("the picture cannot be written ({error}): {}", path.display()))?;
        write_json(&path.with_extension("json"), &still.truth().to_json())?;
    }
    println!("{}: {} stills", folder.display(), grid.len());
    Ok(())
}

fn write_json(path: &Path, json: &str) -> Outcome<()> {
    fs::write(path, json).map_err(|error| format!("the file cannot be written ({error}): {}", path.display()))
}

fn encode_jpeg(picture: &Picture) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
        .write_image(
            &picture.rgb,
            picture.width_px as u32,
            picture.height_px as u32,
            ExtendedColorType::Rgb8,
        )
        .map_err(|error| format!("a frame cannot be encoded as JPEG ({error})"))?;
    Ok(bytes)
}
