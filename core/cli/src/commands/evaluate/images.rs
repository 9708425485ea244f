//! Pictures that annotations name, and the chosen model looks at: its 33 landmarks become COCO's 17 points, its own score
//! says how sure it is.

use std::collections::BTreeSet;
use std::path::Path;

use plumbline_core::metrics::coco::BLAZEPOSE_LANDMARKS;
use plumbline_core::metrics::evaluation::{Evaluation, Role};
use plumbline_core::pose::Pose;
use plumbline_core::time::Timestamp;
use plumbline_core::tracker::Mode;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Arguments, Progress, name_of, path_of, whole};
use crate::Outcome;
use crate::backend::{Backend, Device};
use crate::finder::Finder;
use crate::manifest::hex;
use crate::picture;

/// A person in COCO's results.
#[derive(Serialize)]
struct Prediction {
    image_id: i64,
    category_id: i64,
    keypoints: Vec<f32>,
    score: f32,
}

/// Reads the annotations of the pictures that are there, and what the model says of these. Gives both files' hashes.
pub(super) fn read(arguments: &Arguments, evaluation: &mut Evaluation) -> Outcome<[String; 2]> {
    let folder = arguments.images.as_deref().ok_or("--images is missing")?;
    let path = path_of(arguments, Role::Truth)?;
    let bytes = whole(path)?;
    let Pictures { truth, files } =
        of_pictures(&bytes, folder).map_err(|reason| format!("{}: {reason}", name_of(path)))?;
    let in_words = |error: plumbline_core::metrics::MetricError| error.to_string();
    evaluation
        .read(Role::Truth, &name_of(path), &truth)
        .map_err(in_words)?;
    let category_id = evaluation.category().unwrap_or(1);
    let device = Device::open(Backend::Cpu)?;
    let mut progress = Progress::new("pictures", files.len() as u64);
    let mut predictions = Vec::new();
    for (image_id, file) in &files {
        // A finder for each, so that no picture is looked for where the last one had somebody.
        let mut finder = Finder::new(
            &device,
            arguments.model,
            Mode::Static,
            usize::from(arguments.people),
        )?;
        let picture = picture::read(&folder.join(file))?;
        let frame = picture.frame().map_err(|error| error.to_string())?;
        let found = pollster::block_on(finder.find(&frame, Timestamp::from_micros(0)))
            .map_err(|error| error.to_string())?;
        predictions.extend(found.people.iter().map(|(_, pose)| Prediction {
            image_id: *image_id,
            category_id,
            keypoints: points_of(pose),
            score: pose.score,
        }));
        progress.add(1);
    }
    let text = serde_json::to_vec(&predictions).map_err(|error| error.to_string())?;
    if let Some(path) = &arguments.keep_predictions {
        std::fs::write(path, &text)
            .map_err(|error| format!("cannot write the predictions ({error}): {}", path.display()))?;
    }
    let name = format!("{} on {} pictures", arguments.model.name(), files.len());
    evaluation
        .read(Role::Predictions, &name, &text)
        .map_err(in_words)?;
    Ok([&bytes, &text].map(|bytes| hex(&Sha256::digest(bytes))))
}

/// Seventeen points of x, y in pixels and 1.
fn points_of(pose: &Pose) -> Vec<f32> {
    let points = BLAZEPOSE_LANDMARKS.map(|landmark| &pose.landmarks[landmark]);
    points
        .iter()
        .flat_map(|point| [point.x_px, point.y_px, 1.0])
        .collect()
}

/// What of a data set lies in a folder.
struct Pictures {
    /// The annotations of these pictures, as JSON.
    truth: Vec<u8>,
    /// Image ids and file names.
    files: Vec<(i64, String)>,
}

/// The part of annotations whose pictures lie in the folder.
fn of_pictures(bytes: &[u8], folder: &Path) -> Outcome<Pictures> {
    let mut file: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("these are no COCO annotations ({error})"))?;
    let list = |name: &str| format!("there is no list '{name}'; these are no COCO annotations");
    let images = file
        .get_mut("images")
        .and_then(Value::as_array_mut)
        .ok_or_else(|| list("images"))?;
    let n_images = images.len();
    let of_image = |image: &Value| {
        let file = image.get("file_name")?.as_str()?.to_owned();
        Some((image.get("id")?.as_i64()?, file))
    };
    // A name is looked up in the folder itself, whatever folders it names.
    let plain = |file: &str| file.rsplit(['/', '\\']).next().unwrap_or(file).to_owned();
    images.retain(|image| of_image(image).is_some_and(|(_, file)| folder.join(plain(&file)).is_file()));
    let found: Vec<(i64, String)> = images
        .iter()
        .filter_map(of_image)
        .map(|(id, file)| (id, plain(&file)))
        .collect();
    if found.is_empty() {
        return Err(format!(
            "none of its {n_images} images lies in {}",
            folder.display()
        ));
    }
    if found.len() < n_images {
        eprintln!(
            "{} of {n_images} images lie in {}; the others are left out",
            found.len(),
            folder.display()
        );
    }
    let ids: BTreeSet<i64> = found.iter().map(|(id, _)| *id).collect();
    let annotations = file
        .get_mut("annotations")
        .and_then(Value::as_array_mut)
        .ok_or_else(|| list("annotations"))?;
    annotations.retain(|annotation| {
        let image = annotation.get("image_id").and_then(Value::as_i64);
        image.is_none_or(|image| ids.contains(&image))
    });
    let truth = serde_json::to_vec(&file).map_err(|error| error.to_string())?;
    Ok(Pictures { truth, files: found })
}
