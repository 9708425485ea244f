//! A clip becomes upright RGB frames with their times.
//!
//! Motion JPEG files (`.mjpeg`: JPEG pictures one after the other, as `plumb figure` writes them) are read here; every
//! other format is decoded by FFmpeg's programs `ffprobe` and `ffmpeg` as child processes, through a pipe of raw pixels.

mod ffmpeg;
mod motion_jpeg;

use std::path::Path;

use plumbline_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::picture::{Picture, is_picture};

/// How to play a Motion JPEG file, which states no rate itself: a JSON file of the same name beside it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct ClipFacts {
    /// Frames a second.
    pub fps: f64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// How many.
    pub frames: usize,
}

impl ClipFacts {
    /// As the file holds it.
    ///
    /// # Errors
    /// A rate that is no number.
    pub fn to_json(&self) -> Outcome<String> {
        serde_json::to_string(self).map_err(|error| format!("the clip's facts cannot be written ({error})"))
    }
}

/// A frame of a clip.
pub struct ClipFrame {
    /// Its pixels.
    pub picture: Picture,
    /// When it is shown, counted from the first frame.
    pub time: Timestamp,
}

/// The frames of a clip, one after the other.
pub struct Clip {
    frames: Box<dyn Iterator<Item = Outcome<ClipFrame>>>,
}

impl Clip {
    /// Opens a clip.
    ///
    /// # Errors
    /// A file that cannot be read, that holds no video, or that needs FFmpeg where it is missing.
    pub fn open(path: &Path) -> Outcome<Self> {
        check_is_file(path)?;
        Ok(Self {
            frames: if is_motion_jpeg(path) {
                Box::new(motion_jpeg::read(path)?)
            } else {
                Box::new(ffmpeg::decode(path)?)
            },
        })
    }
}

/// Whether a file is read as a clip, and not as a picture.
///
/// # Errors
/// A file that is not there.
pub fn is_clip(path: &Path) -> Outcome<bool> {
    check_is_file(path)?;
    Ok(is_motion_jpeg(path) || !is_picture(path))
}

fn check_is_file(path: &Path) -> Outcome<()> {
    if path.is_file() {
        Ok(())
    } else {
        Err(format!("there is no such file: {}", path.display()))
    }
}

/// Whether the file's name says Motion JPEG. It starts like a single JPEG picture, so that only the name tells.
fn is_motion_jpeg(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("mjpeg") || extension.eq_ignore_ascii_case("mjpg")
    })
}

impl Iterator for Clip {
    type Item = Outcome<ClipFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        self.frames.next()
    }
}
