//! What a model found in a picture, as rows for a person and as shapes for a drawing.

use plumbline_core::decoders::{Found, KeypointPose};
use plumbline_core::keypoint_sets::KeypointSet;
use plumbline_core::manifest::Manifest;

use crate::protocol::Tried;

/// Points below this score are drawn hollow, and not counted as seen.
pub const SURE: f32 = 0.5;

/// Classes that are listed.
const TOP_CLASSES: usize = 5;

/// Rows that are listed of people, objects and points.
const MAX_ROWS: usize = 200;

/// Colours of classes that share a picture: Okabe and Ito's, which people who see fewer colours tell apart too
/// (<https://jfly.uni-koeln.de/color/>), without black and grey.
const CLASS_COLOURS: [&str; 7] = [
    "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
];

/// The colour of a class in masks of several; none of the first, which is the background by custom.
pub fn class_colour(class: usize) -> Option<&'static str> {
    let index = class.checked_sub(1)?;
    Some(CLASS_COLOURS[index % CLASS_COLOURS.len()])
}

/// What a class is called.
pub fn label_of(manifest: &Manifest, class: usize) -> String {
    let label = manifest.labels.get(class).cloned();
    label.unwrap_or_else(|| format!("class {class}"))
}

/// The rows of a result, and a sentence that sums it up. Trial, times and place are for the caller to fill in.
pub fn tried(found: &Found, manifest: &Manifest) -> Tried {
    let label = |class: usize| label_of(manifest, class);
    let mut colours = Vec::new();
    let (summary, heads, mut rows): (String, [&str; 3], Vec<[String; 3]>) = match found {
        Found::Poses(poses) => (
            format!("It finds {}.", people(poses)),
            ["What", "How sure", "Where"],
            pose_rows(poses, manifest.keypoints),
        ),
        Found::Boxes(boxes) => {
            let rows = boxes.iter().map(|found| {
                let (min, max) = (found.rect.min, found.rect.max);
                let place = format!("{:.0}, {:.0} to {:.0}, {:.0} px", min.x, min.y, max.x, max.y);
                [label(found.class), percent(found.score), place]
            });
            let summary = match boxes.len() {
                0 => "It finds nothing that it is sure enough of.".to_owned(),
                1 => "It finds one object.".to_owned(),
                count => format!("It finds {count} objects."),
            };
            (summary, ["What", "How sure", "Where"], rows.collect())
        }
        Found::Classes(scores) => {
            let top = scores.top(TOP_CLASSES);
            let summary = top.first().map_or_else(
                || "It gives no classes.".to_owned(),
                |&(class, score)| format!("It says “{}”, and is {} sure.", label(class), percent(score)),
            );
            let rows = top.into_iter().map(|(class, score)| {
                [
                    label(class),
                    percent(score),
                    format!("class {class} of {}", scores.probabilities.len()),
                ]
            });
            (summary, ["What", "How sure", "Which"], rows.collect())
        }
        Found::Mask(mask) => {
            let shares = mask.shares();
            let shown = shares.iter().enumerate().filter(|(_, share)| **share > 0.0);
            let rows: Vec<[String; 3]> = shown
                .map(|(class, &share)| {
                    if mask.classes > 1 {
                        colours.push(class_colour(class).map(str::to_owned));
                    }
                    let plane = mask.plane(class);
                    // How sure it is where it says that it is this.
                    let sure = plane.iter().filter(|score| **score > SURE);
                    let (sum, count) = sure.fold((0.0_f64, 0_usize), |(sum, count), &score| {
                        (sum + f64::from(score), count + 1)
                    });
                    let mean = if count == 0 {
                        "–".to_owned()
                    } else {
                        percent((sum / count as f64) as f32)
                    };
                    let name = if mask.classes == 1 {
                        "what it looks for".to_owned()
                    } else {
                        label(class)
                    };
                    [name, mean, format!("{} of the picture", percent(share))]
                })
                .collect();
            let size = format!("{} × {}", mask.size.width_px, mask.size.height_px);
            let classes = if mask.classes == 1 {
                String::new()
            } else {
                format!(", in which {} of {} classes are there", rows.len(), mask.classes)
            };
            (
                format!("It gives a mask of {size} px{classes}."),
                ["What", "How sure, where it is", "How much"],
                rows,
            )
        }
        Found::Embedding(numbers) => {
            let length = numbers
                .iter()
                .map(|number| f64::from(*number).powi(2))
                .sum::<f64>()
                .sqrt();
            (
                format!("It describes the picture by {} numbers.", numbers.len()),
                ["What", "How many", "Length"],
                vec![[
                    "Embedding".to_owned(),
                    numbers.len().to_string(),
                    format!("{length:.3}"),
                ]],
            )
        }
    };
    rows.truncate(MAX_ROWS);
    colours.truncate(MAX_ROWS);
    Tried {
        summary,
        heads: heads.map(str::to_owned),
        rows,
        colours,
        ..Tried::default()
    }
}

fn people(poses: &[KeypointPose]) -> String {
    match poses {
        [] => "nobody".to_owned(),
        [pose] => {
            let seen = pose.keypoints.iter().filter(|point| point.score >= SURE).count();
            format!(
                "one, {} sure, with {seen} of {} points surer than {}",
                percent(pose.score),
                pose.keypoints.len(),
                percent(SURE)
            )
        }
        poses => format!("{}, the first {} sure", poses.len(), percent(poses[0].score)),
    }
}

fn pose_rows(poses: &[KeypointPose], set: Option<KeypointSet>) -> Vec<[String; 3]> {
    let mut rows = Vec::new();
    for (number, pose) in poses.iter().enumerate() {
        let set = set.unwrap_or_else(|| KeypointSet::of_count(pose.keypoints.len()));
        if poses.len() > 1 {
            rows.push([
                format!("Person {}", number + 1),
                percent(pose.score),
                String::new(),
            ]);
        }
        for (index, point) in pose.keypoints.iter().enumerate() {
            let name = set
                .names()
                .get(index)
                .map_or_else(|| format!("point {index}"), |name| name.replace('_', " "));
            rows.push([
                name,
                percent(point.score),
                format!("{:.0}, {:.0} px", point.x_px, point.y_px),
            ]);
        }
    }
    rows
}

/// `87.3 %`.
pub fn percent(share: f32) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use plumbline_core::decoders::{ClassScores, Keypoint, ScoreForm};
    use plumbline_core::task::Task;

    use super::*;

    fn manifest(task: Task, labels: &[&str]) -> Manifest {
        let labels: Vec<String> = labels.iter().map(|label| format!("{label:?}")).collect();
        let (task, labels) = (task.id(), labels.join(", "));
        let input = "width_px = 8\nheight_px = 8";
        let labels = if labels.is_empty() {
            labels
        } else {
            format!("labels = [{labels}]\n")
        };
        let text =
            format!("name = \"a\"\nlicence = \"unknown\"\ntask = \"{task}\"\n{labels}[input]\n{input}");
        Manifest::from_text(&text).expect("a manifest")
    }

    #[test]
    fn classes_are_named_where_they_have_names() {
        let found = Found::Classes(ClassScores {
            probabilities: vec![0.1, 0.7, 0.2],
            form: ScoreForm::Distribution,
        });
        let tried = tried(&found, &manifest(Task::Classes, &["cat", "dog"]));
        assert_eq!(tried.summary, "It says “dog”, and is 70.0 % sure.");
        let names: Vec<&str> = tried.rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(names, ["dog", "class 2", "cat"]);
    }

    #[test]
    fn people_are_counted_with_the_points_that_are_sure() {
        let point = |score| Keypoint {
            score,
            ..Keypoint::default()
        };
        let pose = KeypointPose {
            keypoints: (0..17)
                .map(|index| point(if index < 5 { 0.9 } else { 0.1 }))
                .collect(),
            bounds: None,
            score: 0.8,
        };
        let one = tried(&Found::Poses(vec![pose.clone()]), &manifest(Task::MoveNet, &[]));
        assert_eq!(
            one.summary,
            "It finds one, 80.0 % sure, with 5 of 17 points surer than 50.0 %."
        );
        assert_eq!((one.rows.len(), one.rows[0][0].as_str()), (17, "nose"));
        let two = tried(
            &Found::Poses(vec![pose.clone(), pose]),
            &manifest(Task::YoloPose, &[]),
        );
        assert_eq!((two.rows.len(), two.rows[18][0].as_str()), (36, "Person 2"));
        assert_eq!(
            tried(&Found::Poses(Vec::new()), &manifest(Task::YoloPose, &[])).summary,
            "It finds nobody."
        );
    }
}
