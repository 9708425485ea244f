//! Splits a Motion JPEG file into its pictures.

use std::fs;
use std::path::Path;

use plumbline_core::time::Timestamp;

use super::{ClipFacts, ClipFrame};
use crate::Outcome;
use crate::picture::{Picture, in_one_line};

/// The two bytes that open a picture.
const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
/// The two bytes that close a picture.
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Frames a second where no [`ClipFacts`] lie beside the file.
const DEFAULT_RATE_HZ: f64 = 30.0;

/// The pictures of a Motion JPEG file, at the rate that the facts beside it state.
pub fn read(path: &Path) -> Outcome<impl Iterator<Item = Outcome<ClipFrame>> + use<>> {
    let bytes =
        fs::read(path).map_err(|error| format!("cannot read the clip ({error}): {}", path.display()))?;
    let ranges = split(&bytes);
    if ranges.is_empty() {
        return Err(format!("the file holds no JPEG picture: {}", path.display()));
    }
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

/// Where each picture starts and ends. Inside of a picture 0xff is always followed by a stuffed zero or by another
/// marker, so the end marker cannot occur in its data; thumbnails in application segments are skipped with these.
fn split(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut position = 0;
    while let Some(start) = find(bytes, position, START_OF_IMAGE) {
        let Some(end) = end_of_picture(bytes, start + 2) else {
            break;
        };
        ranges.push(start..end);
        position = end;
    }
    ranges
}

/// Position after the end marker of a picture whose first segment starts at `position`.
fn end_of_picture(bytes: &[u8], mut position: usize) -> Option<usize> {
    loop {
        let marker = [*bytes.get(position)?, *bytes.get(position + 1)?];
        match marker {
            END_OF_IMAGE => return Some(position + 2),
            // Segments before the scan state their own length; the bytes of a scan do not.
            [0xff, kind] if (0xc0..=0xfe).contains(&kind) && !(0xd0..=0xd7).contains(&kind) => {
                let length = u16::from_be_bytes([*bytes.get(position + 2)?, *bytes.get(position + 3)?]);
                position += 2 + usize::from(length);
            }
            _ => position += 1,
        }
    }
}

fn find(bytes: &[u8], from: usize, pair: [u8; 2]) -> Option<usize> {
    let found = bytes.get(from..)?.windows(2).position(|window| window == pair)?;
    Some(from + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of one comment segment and some scan bytes.
    fn picture(comment: &[u8], scan: &[u8]) -> Vec<u8> {
        let length = (comment.len() + 2) as u16;
        [
            &START_OF_IMAGE[..],
            &[0xff, 0xfe],
            &length.to_be_bytes(),
            comment,
            scan,
            &END_OF_IMAGE,
        ]
        .concat()
    }

    #[test]
    fn pictures_are_found_one_after_the_other() {
        let plain = picture(b"", &[1, 2, 0xff, 0x00, 3]);
        let with_thumbnail = picture(&[0xff, 0xd8, 0xff, 0xd9], &[0xff, 0xd0, 9]);
        let bytes = [&plain[..], b"gap", &with_thumbnail, &[0xff, 0xd8, 1]].concat();
        let second = plain.len() + 3;
        assert_eq!(
            split(&bytes),
            [0..plain.len(), second..second + with_thumbnail.len()]
        );
        assert!(split(b"").is_empty() && split(b"\xff\xd8").is_empty() && split(b"text").is_empty());
    }
}
