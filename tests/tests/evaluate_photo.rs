//! `plumb evaluate --images` on a COCO photo: a model looks at it, and the ten numbers are those that pycocotools gives for
//! the same predictions.

use clap::Parser;
use plumb::commands::evaluate;
use plumbline_core::metrics::evaluation::{Evaluation, Role, Settings, Task};
use plumbline_tests::{data_folder, read, report, skip};
use serde_json::Value;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: evaluate::Arguments,
}

/// pycocotools adds 2^-52 to what it divides by, in another place than it rounds.
const TOLERANCE: f64 = 1e-9;

fn assert_stats(found: Option<[f64; 10]>, expected: &Value) {
    let found = found.expect("keypoints have ten numbers");
    for (place, found) in found.iter().enumerate() {
        let expected = expected[place].as_f64().expect("a number");
        assert!(
            (found - expected).abs() < TOLERANCE,
            "number {place}: {found}, pycocotools {expected}"
        );
    }
}

#[test]
fn a_photo_has_pycocotools_numbers() {
    let Some(folder) = data_folder()
        .map(|folder| folder.join("mmpose-coco"))
        .filter(|folder| folder.is_dir())
    else {
        skip("the folder with reference data has no mmpose-coco");
        return;
    };
    let truth = folder.join("test_coco.json");
    let fixture: Value = serde_json::from_str(&read("tests/fixtures/evaluate_photo.json")).expect("JSON");
    let kept = std::env::temp_dir().join(format!("plumb-evaluate-photo-{}.json", std::process::id()));
    let path = |path: &std::path::Path| path.display().to_string();
    let line = Line::parse_from([
        "plumb",
        "--task",
        "keypoints",
        "--model",
        "full",
        "--truth",
        &path(&truth),
        "--images",
        &path(&folder),
        "--keep-predictions",
        &path(&kept),
    ]);
    let found = evaluate::report(&line.arguments).expect("the photo is evaluated");
    assert_stats(found.pycocotools, &fixture["stats"]);
    let similarity = found
        .figure("found_similarity")
        .and_then(|figure| figure.value)
        .expect("somebody is found");
    report(&format!("full on the COCO photo: similarity {similarity:.4}"));
    assert!(similarity > 0.9, "{similarity}");

    // What was kept are the predictions that pycocotools saw.
    let predictions: Value = serde_json::from_slice(&std::fs::read(&kept).expect("kept")).expect("JSON");
    std::fs::remove_file(&kept).expect("the temporary folder can be written");
    for (place, expected) in fixture["predictions"][0]["keypoints"]
        .as_array()
        .expect("points")
        .iter()
        .enumerate()
    {
        let found = predictions[0]["keypoints"][place].as_f64().expect("a number");
        assert!(
            (found - expected.as_f64().expect("a number")).abs() < 0.5,
            "number {place}: {found}, kept {expected}"
        );
    }

    // And its very file, restricted to the photo, gives the same numbers.
    let mut file: Value = serde_json::from_slice(&std::fs::read(&truth).expect("readable")).expect("JSON");
    let image = fixture["predictions"][0]["image_id"].clone();
    for (list, key) in [("images", "id"), ("annotations", "image_id")] {
        file[list]
            .as_array_mut()
            .expect("a list")
            .retain(|entry| entry[key] == image);
    }
    let mut evaluation = Evaluation::new(Task::Keypoints, Settings::default()).expect("settings are good");
    let bytes = |value: &Value| serde_json::to_vec(value).expect("JSON");
    evaluation
        .read(Role::Truth, "test_coco.json", &bytes(&file))
        .expect("annotations");
    evaluation
        .read(Role::Predictions, "kept", &bytes(&fixture["predictions"]))
        .expect("results");
    assert_stats(
        evaluation.report().expect("a report").pycocotools,
        &fixture["stats"],
    );
}
