//! COCO's files of keypoints as JSON text: annotations (`person_keypoints_*.json`) and results (a list of predictions).
//!
//! What pycocotools leaves to chance is an error here: two images with one id, a missing field, a list of points that is not
//! 17 long, a prediction of an image that the annotations do not list. `iscrowd` is 0 where it is absent, `num_keypoints` is
//! counted from the points. Categories other than the evaluated one are left out and counted.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::coco::{CocoKeypoints, Detection, Truth};
use super::csv::shortened;
use super::oks::TruthPose;
use super::{Evaluator, MetricError};

const N_NUMBERS: usize = 51;

#[derive(Deserialize)]
struct Annotations {
    images: Option<Vec<Image>>,
    annotations: Option<Vec<Annotation>>,
    categories: Option<Vec<Category>>,
}

#[derive(Deserialize)]
struct Image {
    id: Option<i64>,
    file_name: Option<String>,
}

#[derive(Deserialize)]
struct Category {
    id: Option<i64>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Annotation {
    id: Option<i64>,
    image_id: Option<i64>,
    category_id: Option<i64>,
    keypoints: Option<Vec<f64>>,
    num_keypoints: Option<u32>,
    area: Option<f64>,
    bbox: Option<Vec<f64>>,
    iscrowd: Option<u8>,
}

#[derive(Deserialize)]
struct Prediction {
    image_id: Option<i64>,
    category_id: Option<i64>,
    keypoints: Option<Vec<f64>>,
    score: Option<f64>,
}

/// A data set of labelled people, read from its annotations.
#[derive(Clone, Debug)]
pub struct CocoSet {
    /// Images and people; predictions are added to it.
    pub people: CocoKeypoints,
    /// File names by image id; empty where the file does not say.
    pub images: BTreeMap<i64, String>,
    /// The evaluated category.
    pub category: i64,
    /// Annotations of other categories, which were left out.
    pub n_other_categories: u64,
    /// Annotations without `num_keypoints`.
    pub n_counted_points: u64,
}

impl CocoSet {
    /// Reads annotations. The category is `category`, else the only one, else the one called `person`.
    ///
    /// # Errors
    /// What is no such JSON, at its line and column; what an entry lacks, by its place in the list, from 1.
    pub fn from_json(text: &[u8], category: Option<i64>) -> Result<Self, MetricError> {
        let file: Annotations = parsed(
            text,
            "COCO annotations: an object with images, annotations and categories",
        )?;
        let lists = "COCO annotations are an object with the lists 'images' and 'annotations'";
        let (Some(images), Some(annotations)) = (file.images, file.annotations) else {
            return Err(MetricError::Malformed {
                row: 0,
                reason: format!("one is missing: {lists}"),
            });
        };
        let category = match category {
            Some(category) => category,
            None => category_of(&file.categories.unwrap_or_default(), &annotations)?,
        };
        let mut set = Self {
            people: CocoKeypoints::default(),
            images: BTreeMap::new(),
            category,
            n_other_categories: 0,
            n_counted_points: 0,
        };
        for (place, image) in images.into_iter().enumerate() {
            let id = needed(image.id, "images", "id", place)?;
            if set
                .images
                .insert(id, image.file_name.unwrap_or_default())
                .is_some()
            {
                return Err(MetricError::Duplicate {
                    what: "image id",
                    id: id.to_string(),
                });
            }
            set.people.add_image(id);
        }
        for (place, annotation) in annotations.into_iter().enumerate() {
            set.add(annotation, place)?;
        }
        Ok(set)
    }

    fn add(&mut self, annotation: Annotation, place: usize) -> Result<(), MetricError> {
        let list = "annotations";
        let category = needed(annotation.category_id, list, "category_id", place)?;
        if category != self.category {
            self.n_other_categories += 1;
            return Ok(());
        }
        let id = needed(annotation.id, list, "id", place)?;
        let numbers = points_of(annotation.keypoints, list, place)?;
        let is_labelled: [bool; 17] = std::array::from_fn(|point| numbers[3 * point + 2] > 0.0);
        let counted = is_labelled.iter().filter(|is| **is).count() as u32;
        self.n_counted_points += u64::from(annotation.num_keypoints.is_none());
        let bbox = annotation.bbox.unwrap_or_default();
        let bbox = match <[f64; 4]>::try_from(bbox) {
            Ok(bbox) => bbox,
            // Only a person without labelled points is measured by the box.
            Err(bbox) if bbox.is_empty() && counted > 0 => [0.0; 4],
            Err(bbox) => {
                return Err(MetricError::Malformed {
                    row: 0,
                    reason: format!(
                        "annotations[{place}]: 'bbox' has {} numbers instead of 4",
                        bbox.len()
                    ),
                });
            }
        };
        self.people.add_truth(Truth {
            id,
            image: needed(annotation.image_id, list, "image_id", place)?,
            pose: TruthPose {
                points: places_of(&numbers),
                is_labelled,
                area: needed(annotation.area, list, "area", place)?,
                bbox,
            },
            is_crowd: annotation.iscrowd.unwrap_or(0) != 0,
            n_labelled: annotation.num_keypoints.unwrap_or(counted),
            row: place as u64,
        })
    }

    /// Reads results for these images, and says how many were of other categories and left out.
    ///
    /// # Errors
    /// As [`Self::from_json`]; predictions of images that the annotations do not list.
    pub fn add_results(&mut self, text: &[u8]) -> Result<ResultCounts, MetricError> {
        let file: Vec<Prediction> = parsed(text, "COCO results: a list of predictions")?;
        let list = "predictions";
        let mut counts = ResultCounts::default();
        for (place, prediction) in file.into_iter().enumerate() {
            if needed(prediction.category_id, list, "category_id", place)? != self.category {
                counts.n_other_categories += 1;
                continue;
            }
            let image = needed(prediction.image_id, list, "image_id", place)?;
            if !self.images.contains_key(&image) {
                return Err(MetricError::Unknown {
                    what: format!("predictions[{place}] is of an image that the truth does not list"),
                    name: format!("image id {image}"),
                });
            }
            let numbers = points_of(prediction.keypoints, list, place)?;
            self.people.add_detection(Detection {
                image,
                points: places_of(&numbers),
                score: needed(prediction.score, list, "score", place)?,
                row: place as u64,
            })?;
            counts.n += 1;
        }
        Ok(counts)
    }

    /// How many annotations of the category there are.
    pub fn n_truths(&self) -> u64 {
        self.people.truths().len() as u64
    }

    /// The result of people and predictions so far.
    ///
    /// # Errors
    /// As [`CocoKeypoints::finish`].
    pub fn finish(&self) -> Result<super::coco::KeypointResult, MetricError> {
        self.people.finish()
    }
}

/// What a file of results held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResultCounts {
    /// Predictions that were taken.
    pub n: u64,
    /// Predictions of other categories, left out.
    pub n_other_categories: u64,
}

fn category_of(categories: &[Category], annotations: &[Annotation]) -> Result<i64, MetricError> {
    if let [only] = categories
        && let Some(id) = only.id
    {
        return Ok(id);
    }
    let person = categories
        .iter()
        .find(|category| category.name.as_deref() == Some("person"));
    if let Some(id) = person.and_then(|person| person.id) {
        return Ok(id);
    }
    // Without a list, the annotations themselves may leave no choice.
    let mut ids = annotations.iter().filter_map(|annotation| annotation.category_id);
    match ids.next() {
        Some(first) if categories.is_empty() && ids.all(|id| id == first) => Ok(first),
        _ => Err(MetricError::Malformed {
            row: 0,
            reason: "there are several categories and none is called 'person'; name one by its id".to_owned(),
        }),
    }
}

fn needed<T>(value: Option<T>, list: &str, field: &str, place: usize) -> Result<T, MetricError> {
    value.ok_or_else(|| MetricError::Malformed {
        row: 0,
        reason: format!("{list}[{place}] has no '{field}'"),
    })
}

fn points_of(points: Option<Vec<f64>>, list: &str, place: usize) -> Result<Vec<f64>, MetricError> {
    let points = needed(points, list, "keypoints", place)?;
    if points.len() == N_NUMBERS {
        return Ok(points);
    }
    Err(MetricError::Mismatch {
        what: format!("{list}[{place}]: numbers in 'keypoints' (17 points of x, y and visibility)"),
        expected: N_NUMBERS as u64,
        found: points.len() as u64,
    })
}

fn places_of(numbers: &[f64]) -> [[f64; 2]; 17] {
    std::array::from_fn(|point| [numbers[3 * point], numbers[3 * point + 1]])
}

/// Reads JSON, and says in which words it is not that.
fn parsed<'a, T: Deserialize<'a>>(text: &'a [u8], what: &str) -> Result<T, MetricError> {
    serde_json::from_slice(text).map_err(|error| {
        let line = text
            .split(|byte| *byte == b'\n')
            .nth(error.line().saturating_sub(1))
            .unwrap_or_default();
        let near = line.get(error.column().saturating_sub(2)..).unwrap_or_default();
        let near = String::from_utf8_lossy(&near[..near.len().min(12)]).into_owned();
        let reason = if error.is_eof() {
            format!("the file ends in the middle; it should be {what}")
        } else if ["NaN", "Inf", "-Inf"].iter().any(|word| near.contains(word)) {
            format!(
                "line {}, column {}: NaN and Infinity are no numbers in JSON; mend or leave out the entry",
                error.line(),
                error.column()
            )
        } else {
            format!("it is not {what} ({})", shortened_error(&error))
        };
        MetricError::Malformed { row: 0, reason }
    })
}

fn shortened_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.len() > 160 {
        format!(
            "{} at line {}, column {}",
            shortened(&text),
            error.line(),
            error.column()
        )
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations(annotation: &str) -> String {
        format!(
            r#"{{"images": [{{"id": 1, "file_name": "a.jpg"}}, {{"id": 2}}], "categories": [{{"id": 1, "name": "person"}}],
            "annotations": [{annotation}]}}"#
        )
    }

    fn entry(rest: &str) -> String {
        let points = ["10,20,2"; 17].join(",");
        format!(r#"{{"image_id": 1, "category_id": 1, "keypoints": [{points}]{rest}}}"#)
    }

    #[test]
    fn annotations_and_results_are_read() {
        let truth = entry(r#", "id": 7, "area": 900.0, "bbox": [0, 0, 30, 30]"#);
        let mut set = CocoSet::from_json(annotations(&truth).as_bytes(), None).unwrap();
        assert_eq!((set.n_truths(), set.n_counted_points, set.category), (1, 1, 1));
        assert_eq!(set.images[&1], "a.jpg");
        let results = format!(
            "[{}, {}]",
            entry(r#", "score": 0.5"#),
            entry(r#", "score": 0.5"#).replace("_id\": 1, \"cat", "_id\": 2, \"cat")
        );
        let counts = set.add_results(results.as_bytes()).unwrap();
        assert_eq!((counts.n, counts.n_other_categories), (2, 0));
        assert!(set.finish().unwrap().scores.ap.is_some());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = entry(r#", "id": 7, "area": 900.0, "bbox": [0, 0, 30, 30]"#);
        for (text, expected) in [
            (String::new(), "the file ends in the middle"),
            ("[]".to_owned(), "it is not COCO annotations"),
            ("{}".to_owned(), "one is missing"),
            (annotations(&good).replace("900.0", "NaN"), "NaN and Infinity"),
            (
                annotations(&good.replace("\"id\": 7,", "")),
                "annotations[0] has no 'id'",
            ),
            (
                annotations(&good.replace("\"area\": 900.0,", "")),
                "annotations[0] has no 'area'",
            ),
            (
                annotations(&good.replacen("10,20,2,", "", 1)),
                "expected 51, found 48",
            ),
            (
                annotations(&format!("{good},{good}")),
                "the annotation id 7 occurs twice",
            ),
            (
                annotations(&good).replace("\"id\": 2}", "\"id\": 1}"),
                "the image id 1 occurs twice",
            ),
            (annotations(&good.replace("900.0", "-1")), "must be 0 or more"),
        ] {
            let error = CocoSet::from_json(text.as_bytes(), None).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let mut set = CocoSet::from_json(annotations(&good).as_bytes(), None).unwrap();
        for (text, expected) in [
            ("{}".to_owned(), "it is not COCO results"),
            (format!("[{}]", entry("")), "predictions[0] has no 'score'"),
            (format!("[{}]", entry(r#", "score": NaN"#)), "NaN and Infinity"),
            (
                format!(
                    "[{}]",
                    entry(r#", "score": 1"#).replace("_id\": 1, \"cat", "_id\": 9, \"cat")
                ),
                "image id 9",
            ),
        ] {
            let error = set.add_results(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let counts = set.add_results(
            format!(
                "[{}]",
                entry("").replace("\"category_id\": 1", "\"category_id\": 5")
            )
            .as_bytes(),
        );
        assert_eq!(counts.unwrap().n_other_categories, 1);
    }
}
