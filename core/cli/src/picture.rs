//! A picture file becomes upright RGB pixels.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use plumbline_engine::image::{Frame, FrameError, PixelFormat};

use crate::Outcome;

/// Larger pictures are refused before their pixels are decoded.
pub const MAX_MEGAPIXELS: u64 = 64;

/// Upright RGB pixels in memory, row by row without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width_px: usize,
    /// Rows.
    pub height_px: usize,
    /// Red, green, blue; a byte each.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The picture as the pipelines take it.
    ///
    /// # Errors
    /// As [`Frame::new`]: a picture without pixels.
    pub fn frame(&self) -> Result<Frame<'_>, FrameError> {
        Frame::packed(&self.rgb, self.width_px, self.height_px, PixelFormat::Rgb8)
    }
}

/// Whether the file starts like a picture of a format that [`read`] decodes.
pub fn is_picture(path: &Path) -> bool {
    ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .is_ok_and(|reader| {
            matches!(
                reader.format(),
                Some(image::ImageFormat::Png | image::ImageFormat::Jpeg)
            )
        })
}

/// Reads a PNG or JPEG file and turns it upright as its orientation tag says.
///
/// # Errors
/// An unreadable or damaged file, a picture without pixels, a picture of more than [`MAX_MEGAPIXELS`].
pub fn read(path: &Path) -> Outcome<Picture> {
    let reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| format!("cannot read the picture ({error}): {}", path.display()))?;
    decode(reader).map_err(|reason| format!("{reason}: {}", path.display()))
}

fn decode(mut reader: ImageReader<BufReader<File>>) -> Outcome<Picture> {
    reader.limits(Limits::no_limits());
    let damaged =
        |error: image::ImageError| format!("the picture cannot be decoded ({})", in_one_line(&error));
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width_px, height_px) = decoder.dimensions();
    check_size(width_px, height_px)?;
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    Ok(Picture {
        width_px: rgb.width() as usize,
        height_px: rgb.height() as usize,
        rgb: rgb.into_raw(),
    })
}

/// What a decoder says, without the line breaks of some.
pub(crate) fn in_one_line(error: &image::ImageError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Refuses sizes that hold no pixel or too many.
fn check_size(width_px: u32, height_px: u32) -> Outcome<()> {
    if width_px == 0 || height_px == 0 {
        return Err(format!(
            "the picture is {width_px}x{height_px} px and so holds no pixel"
        ));
    }
    let pixels = u64::from(width_px) * u64::from(height_px);
    if pixels > MAX_MEGAPIXELS * 1_000_000 {
        return Err(format!(
            "the picture is {width_px}x{height_px} px, {} megapixels; at most {MAX_MEGAPIXELS} are read, scale it down",
            pixels / 1_000_000
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked_before_decoding() {
        for (width_px, height_px, expected) in [
            (1, 1, None),
            (8000, 8000, None),
            (0, 10, Some("the picture is 0x10 px and so holds no pixel")),
            (
                12_000,
                9000,
                Some("the picture is 12000x9000 px, 108 megapixels; at most 64 are read, scale it down"),
            ),
            (u32::MAX, u32::MAX, Some("at most 64 are read")),
        ] {
            match (check_size(width_px, height_px), expected) {
                (Ok(()), None) => {}
                (Err(message), Some(part)) => assert!(message.contains(part), "{message}"),
                (found, _) => panic!("{width_px}x{height_px}: {found:?}"),
            }
        }
    }
}
