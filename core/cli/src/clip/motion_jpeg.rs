//! Decodes the pictures of a Motion JPEG file.

use std::fs;
use std::path::Path;

use plumbline_core::time::Timestamp;
use plumbline_pipeline::motion_jpeg;

use super::{ClipFacts, ClipFrame};
use crate::Outcome;
use crate::picture::{Picture, in_one_line};

/// Frames a second where no [`ClipFacts`] lie beside the file.
const DEFAULT_RATE_HZ: f64 = 30.0;

/// The pictures of a Motion JPEG file, at the rate that the facts beside it state.
pub fn read(path: &Path) -> Outcome<impl Iterator<Item = Outcome<ClipFrame>> + use<>> {
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read the clip ({error}): {}", path.display()))?;
    let ranges = motion_jpeg::split(&bytes)
        .map_err(|error| format!("{error} Choose a Motion JPEG file: {}", path.display()))?;
    let rate_hz = rate_hz(path)?;
    let path = path.display().to_string();
    Ok(ranges.into_iter().enumerate().map(move |(index, range)| {
        let decoded = image::load_from_memory_with_format(&bytes[range], image::ImageFormat::Jpeg)
            .map_err(|error| {
                format!(
                    "frame {index} cannot be decoded ({}): {path}",
                    in_one_line(&error)
                )
            })?
            .into_rgb8();
        Ok(ClipFrame {
            picture: Picture {
                width_px: decoded.width() as usize,
                height_px: decoded.height() as usize,
                rgb: decoded.into_raw(),
            },
            time: Timestamp::from_secs(index as f64 / rate_hz),
        })
    }))
}

/// The rate that the file beside the clip states.
fn rate_hz(clip: &Path) -> Outcome<f64> {
    let path = clip.with_extension("json");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(DEFAULT_RATE_HZ);
    };
    match serde_json::from_str::<ClipFacts>(&text) {
        Ok(facts) if facts.fps > 0.0 => Ok(facts.fps),
        Ok(facts) => Err(format!(
            "a clip cannot play at {} frames a second: {}",
            facts.fps,
            path.display()
        )),
        Err(error) => Err(format!(
            "the facts beside the clip are not as expected ({error}): {}",
            path.display()
        )),
    }
}
