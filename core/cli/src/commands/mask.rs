//! `plumb mask`: cuts the person out of a picture or a clip, or puts something else behind them.
//!
//! The mask is the landmark model's own, of the one person whom it follows, or that of selfie segmentation, of all people
//! in view. It belongs to the very frame that it is applied to. In a clip it is calmed over time.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use image::ExtendedColorType;
use plumbline_core::backdrop::{Backdrop, Rgb, compose};
use plumbline_core::geometry::ImageSize;
use plumbline_core::mask::{Mask, MaskSmoothing, RegionMask};
use plumbline_core::selfie::SelfieModel;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use plumbline_pipeline::{CpuInference, MaskPipeline, PosePipeline};

use crate::Outcome;
use crate::backend::{LandmarkModel, mask_pipeline, selfie_pipeline};
use crate::clip::{Clip, is_clip};
use crate::picture::{self, Picture};

/// Cuts the person out of a picture or of each frame of a clip, or puts something else behind them
#[derive(Args)]
pub struct Arguments {
    /// The picture (PNG, JPEG) or clip (Motion JPEG, or whatever FFmpeg decodes)
    #[arg(value_name = "IMAGE|CLIP")]
    source: PathBuf,
    /// Where to write: a PNG file for a picture, a folder of PNG files for a clip
    #[arg(long, short, value_name = "PATH")]
    output: PathBuf,
    /// Whose mask it is
    #[arg(long, value_enum, default_value = "full")]
    model: MaskModel,
    /// What stands behind the person: `nothing` (transparent), `blur`, a colour as #rrggbb, or a picture's path
    #[arg(long, default_value = "nothing", value_name = "nothing|blur|#rrggbb|IMAGE")]
    behind: String,
    /// How strongly `blur` blurs: the standard deviation in pixels
    #[arg(long, value_name = "PX", default_value = "12", value_parser = parse_px)]
    blur: f32,
    /// Softens the mask's edges over about so many pixels
    #[arg(long, value_name = "PX", default_value = "0", value_parser = parse_px)]
    feather: f32,
    /// In a clip, leave the mask of each frame as the model gives it, instead of calming it with those before
    #[arg(long)]
    no_smoothing: bool,
    /// Write the mask itself, in grey, instead of the person
    #[arg(long, conflicts_with = "behind")]
    only: bool,
}

/// The models that give masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MaskModel {
    /// Of one person, from head to foot: the smallest landmark model.
    Lite,
    /// The same from the one in the middle.
    Full,
    /// The same from the most accurate one.
    Heavy,
    /// Of everybody within about two metres, a twentieth of the work: selfie segmentation.
    Selfie,
    /// The same for wide pictures.
    SelfieLandscape,
}

/// What finds the mask of a frame.
enum Finder {
    Pose(Box<PosePipeline<CpuInference>>),
    Selfie(Box<MaskPipeline<CpuInference>>),
}

impl Finder {
    fn open(model: MaskModel, mode: Mode) -> Outcome<Self> {
        let pose = |model| mask_pipeline(model, mode).map(|pipeline| Self::Pose(Box::new(pipeline)));
        let selfie = |model| selfie_pipeline(model).map(|pipeline| Self::Selfie(Box::new(pipeline)));
        match model {
            MaskModel::Lite => pose(LandmarkModel::Lite),
            MaskModel::Full => pose(LandmarkModel::Full),
            MaskModel::Heavy => pose(LandmarkModel::Heavy),
            MaskModel::Selfie => selfie(SelfieModel::General),
            MaskModel::SelfieLandscape => selfie(SelfieModel::Landscape),
        }
    }

    /// The mask of the frame that is given, of nobody else's.
    fn mask_of(&mut self, picture: &Picture, time: Timestamp) -> Outcome<Option<RegionMask>> {
        let frame = picture.frame().map_err(|error| error.to_string())?;
        let mask = pollster::block_on(async {
            match self {
                Self::Pose(pipeline) => pipeline.process(&frame, time).await.map(|result| result.mask),
                Self::Selfie(pipeline) => pipeline.process(&frame, time).await.map(|result| result.mask),
            }
        });
        mask.map_err(|error| error.to_string())
    }
}

fn parse_px(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(px) if px.is_finite() && (0.0..=1000.0).contains(&px) => Ok(px),
        _ => Err("a length is a number of pixels from 0 to 1000".to_owned()),
    }
}

/// What stands behind the person, with its pixels.
enum Behind {
    Nothing,
    Blur(f32),
    Colour([u8; 3]),
    Picture(Picture),
}

impl Behind {
    fn parse(arguments: &Arguments) -> Outcome<Self> {
        match arguments.behind.as_str() {
            "nothing" => Ok(Self::Nothing),
            "blur" => Ok(Self::Blur(arguments.blur)),
            text => match parse_colour(text) {
                Some(colour) => Ok(Self::Colour(colour)),
                None if text.starts_with('#') => Err(format!(
                    "{text} is no colour; write six hexadecimal digits, as in #1a2b3c"
                )),
                None => picture::read(Path::new(text))
                    .map(Self::Picture)
                    .map_err(|error| {
                        format!(
                            "--behind takes `nothing`, `blur`, a colour like #1a2b3c or a picture: {error}"
                        )
                    }),
            },
        }
    }

    fn backdrop(&self) -> Outcome<Backdrop<'_>> {
        Ok(match self {
            Self::Nothing => Backdrop::Nothing,
            Self::Blur(deviation_px) => Backdrop::Blur(*deviation_px),
            Self::Colour(colour) => Backdrop::Colour(*colour),
            Self::Picture(picture) => Backdrop::Picture(rgb(picture)?),
        })
    }
}

/// `#rrggbb`.
fn parse_colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then_some(digits)?;
    let [_, r, g, b] = u32::from_str_radix(number, 16).ok()?.to_be_bytes();
    Some([r, g, b])
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let is_clip = is_clip(&arguments.source)?;
    let behind = Behind::parse(arguments)?;
    if is_clip {
        run_clip(arguments, &behind)
    } else {
        run_picture(arguments, &behind)
    }
}

fn run_picture(arguments: &Arguments, behind: &Behind) -> Outcome<()> {
    let picture = picture::read(&arguments.source)?;
    let mut finder = Finder::open(arguments.model, Mode::Static)?;
    let found = finder.mask_of(&picture, Timestamp::from_micros(0))?;
    let (width, height) = (picture.width_px, picture.height_px);
    let was_found = found.is_some();
    let mask = in_image(arguments, found, &picture);
    let share = was_found.then(|| share_of_person(&mask));
    write(arguments, behind, &picture, mask, &arguments.output)?;
    match share {
        Some(share) => println!(
            "{}: {width}x{height} px, {:.1} % of them the person",
            arguments.output.display(),
            share * 100.0
        ),
        None => println!(
            "{}: {width}x{height} px, nobody was found",
            arguments.output.display()
        ),
    }
    Ok(())
}

fn run_clip(arguments: &Arguments, behind: &Behind) -> Outcome<()> {
    let folder = &arguments.output;
    fs::create_dir_all(folder)
        .map_err(|error| format!("the folder cannot be made ({error}): {}", folder.display()))?;
    let mut finder = Finder::open(arguments.model, Mode::Tracking)?;
    let mut smoothing = MaskSmoothing::default();
    let (mut frames, mut without) = (0, 0_u32);
    for (index, frame) in Clip::open(&arguments.source)?.enumerate() {
        let frame = frame?;
        let mut found = finder.mask_of(&frame.picture, frame.time)?;
        without += u32::from(found.is_none());
        if !arguments.no_smoothing {
            found = smoothing.apply(found, frame.time);
        }
        let mask = in_image(arguments, found, &frame.picture);
        let path = folder.join(format!("frame-{index:06}.png"));
        write(arguments, behind, &frame.picture, mask, &path)?;
        frames += 1;
        if io::stderr().is_terminal() {
            eprint!("\rframe {frames}, at {:.1} s", frame.time.secs());
        }
    }
    if io::stderr().is_terminal() {
        eprintln!();
    }
    println!(
        "{}: {frames} frames, {without} without a person",
        folder.display()
    );
    Ok(())
}

/// For each pixel of the picture; nobody where nobody was found. The mask itself is written as the model gives it; where
/// something else is put behind the person, its outline is drawn in.
fn in_image(arguments: &Arguments, mask: Option<RegionMask>, picture: &Picture) -> Mask {
    let size = size_of(picture);
    let Some(mask) = mask else {
        return Mask::empty(size);
    };
    let mask = if arguments.only { mask } else { mask.drawn_in() };
    mask.in_image(size)
}

/// Writes the person, or their mask, as PNG.
fn write(arguments: &Arguments, behind: &Behind, picture: &Picture, mask: Mask, path: &Path) -> Outcome<()> {
    let mask = mask.feathered(arguments.feather);
    let (bytes, colours) = if arguments.only {
        let grey = mask.values().iter().map(|value| (value * 255.0).round() as u8);
        (grey.collect(), ExtendedColorType::L8)
    } else {
        let composed = compose(rgb(picture)?, &mask, behind.backdrop()?);
        let bytes = composed.ok_or("the mask is of another size than its picture")?;
        (bytes, ExtendedColorType::Rgba8)
    };
    let (width, height) = (picture.width_px as u32, picture.height_px as u32);
    image::save_buffer_with_format(path, &bytes, width, height, colours, image::ImageFormat::Png)
        .map_err(|error| format!("the picture cannot be written ({error}): {}", path.display()))
}

fn rgb(picture: &Picture) -> Outcome<Rgb<'_>> {
    Rgb::new(size_of(picture), &picture.rgb).ok_or_else(|| "the picture holds no pixel".to_owned())
}

fn size_of(picture: &Picture) -> ImageSize {
    ImageSize {
        width_px: picture.width_px as u32,
        height_px: picture.height_px as u32,
    }
}

fn share_of_person(mask: &Mask) -> f64 {
    let sum: f64 = mask.values().iter().map(|&value| f64::from(value)).sum();
    sum / mask.values().len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_six_digits() {
        for (text, expected) in [
            ("#1a2B3c", Some([0x1a, 0x2b, 0x3c])),
            ("#000000", Some([0; 3])),
            ("1a2b3c", None),
            ("#1a2b3", None),
            ("#1a2b3g", None),
            ("#+12345", None),
            ("#äöü", None),
        ] {
            assert_eq!(parse_colour(text), expected, "{text}");
        }
    }
}
