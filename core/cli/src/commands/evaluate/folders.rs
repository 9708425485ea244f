//! Folders whose files belong together by their names: labels of videos, masks of pictures.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::{ColorType, ImageReader};
use plumbline_core::metrics::evaluation::{MaskEvaluation, MaskPicture, Tags};
use plumbline_core::metrics::report::Report;

use super::{Arguments, Progress, name_of, whole};
use crate::Outcome;
use crate::picture::in_one_line;

/// Larger masks are refused.
const MAX_PIXELS: u64 = 64_000_000;

/// The files of a folder with an ending, by name; those that begin with a dot are none.
fn files(folder: &Path, ending: &str) -> Outcome<Vec<PathBuf>> {
    let unreadable = |error| format!("cannot read the folder ({error}): {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let has_ending = path
            .extension()
            .is_some_and(|found| found.eq_ignore_ascii_case(ending));
        if has_ending && path.is_file() && !name_of(&path).starts_with('.') {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(format!(
            "there are no .{ending} files in the folder {}",
            folder.display()
        ));
    }
    files.sort();
    Ok(files)
}

/// Label files of videos.
pub(super) fn text_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    files(folder, "txt")
}

/// Compares the masks of two folders.
pub(super) fn masks(arguments: &Arguments) -> Outcome<Report> {
    let missing = || "the task masks needs --truth DIR and --predictions DIR".to_owned();
    let truth = arguments.truth.as_deref().ok_or_else(missing)?;
    let predictions = arguments.predictions.as_deref().ok_or_else(missing)?;
    let by_name = |folder: &Path| -> Outcome<BTreeMap<String, PathBuf>> {
        Ok(files(folder, "png")?
            .into_iter()
            .map(|path| (name_of(&path), path))
            .collect())
    };
    let (truth, predictions) = (by_name(truth)?, by_name(predictions)?);
    for (side, other, what) in [
        (&truth, &predictions, "prediction"),
        (&predictions, &truth, "truth"),
    ] {
        let alone: Vec<&str> = side
            .keys()
            .filter(|name| !other.contains_key(*name))
            .map(String::as_str)
            .collect();
        if let Some(first) = alone.first() {
            return Err(format!(
                "{} masks have no {what} of the same name, {first} the first of them",
                alone.len()
            ));
        }
    }
    let tags = match &arguments.tags {
        Some(path) => {
            Tags::from_csv(&whole(path)?).map_err(|error| error.in_source(&name_of(path)).to_string())?
        }
        None => Tags::default(),
    };
    let mut evaluation =
        MaskEvaluation::new(arguments.ignore, &arguments.slices, tags).map_err(|error| error.to_string())?;
    let mut progress = Progress::new("masks", truth.len() as u64);
    for (name, path) in &truth {
        let predicted = decoded(&predictions[name])?;
        evaluation
            .add(name, &decoded(path)?, &predicted)
            .map_err(|error| error.to_string())?;
        progress.add(1);
    }
    evaluation.report().map_err(|error| error.to_string())
}

/// A grey picture by its levels, any other by its colours, which are those of the palette where there is one.
fn decoded(path: &Path) -> Outcome<MaskPicture> {
    let damaged = |error: &image::ImageError| {
        format!(
            "the mask cannot be decoded ({}): {}",
            in_one_line(error),
            path.display()
        )
    };
    let reader = || {
        ImageReader::open(path)
            .and_then(ImageReader::with_guessed_format)
            .map_err(|error| format!("cannot read the mask ({error}): {}", path.display()))
    };
    let (width, height) = reader()?.into_dimensions().map_err(|error| damaged(&error))?;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!(
            "the mask is {width}x{height} px, more than 64 megapixels: {}",
            path.display()
        ));
    }
    let picture = reader()?.decode().map_err(|error| damaged(&error))?;
    let values = match picture.color() {
        ColorType::L8 => picture
            .to_luma8()
            .pixels()
            .map(|pixel| u32::from(pixel.0[0]))
            .collect(),
        ColorType::Rgb8 | ColorType::Rgba8 => picture
            .to_rgb8()
            .pixels()
            .map(|pixel| MaskPicture::colour(pixel.0))
            .collect(),
        other => {
            return Err(format!(
                "a mask is grey, a palette or colours of 8 bits, and this one is {other:?}: {}",
                path.display()
            ));
        }
    };
    Ok(MaskPicture {
        width_px: width as usize,
        height_px: height as usize,
        values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_levels_and_colours_are_classes() {
        let folder = std::env::temp_dir().join(format!("plumb-masks-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let grey = folder.join("grey.png");
        image::GrayImage::from_raw(2, 1, vec![0, 7])
            .expect("two pixels")
            .save(&grey)
            .expect("written");
        assert_eq!(decoded(&grey).expect("a mask").values, [0, 7]);
        let colours = folder.join("colours.png");
        let pixels = vec![0, 0, 0, 128, 0, 64];
        image::RgbImage::from_raw(2, 1, pixels)
            .expect("two pixels")
            .save(&colours)
            .expect("written");
        let expected = [[0, 0, 0], [128, 0, 64]].map(MaskPicture::colour);
        assert_eq!(decoded(&colours).expect("a mask").values, expected);
        let deep = folder.join("deep.png");
        let pixels =
            image::ImageBuffer::<image::Luma<u16>, Vec<u16>>::from_raw(1, 1, vec![700]).expect("a pixel");
        pixels.save(&deep).expect("written");
        assert!(
            decoded(&deep)
                .expect_err("16 bits are no class")
                .contains("8 bits")
        );
        fs::write(&deep, b"no picture").expect("the temporary folder can be written");
        assert!(decoded(&deep).is_err() && decoded(&folder.join("nowhere.png")).is_err());
        fs::remove_dir_all(folder).expect("the temporary folder can be removed");
    }
}
