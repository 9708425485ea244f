//! Frames become inputs as OpenCV and Pillow make them: `tests/reference/model_input.py` wrote what these give.

use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::{Interpolation, Layout};
use plumbline_engine::image::{Frame, PixelFormat};
use plumbline_pipeline::model_input::write_input;
use plumbline_tests::{read, report};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    picture: [usize; 2],
    planes: bool,
    placement: [i64; 4],
    values: Vec<f32>,
}

/// As the script draws it.
fn picture([width, height]: [usize; 2], format: PixelFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            bytes.extend((0..3).map(|c| (x * 7 + y * 13 + c * 50 + (x * y) % 17 * 9) as u8));
            if format == PixelFormat::Rgba8 {
                bytes.push(99);
            }
        }
    }
    bytes
}

fn manifest(case: &Value) -> Manifest {
    let mut input = json!({ "width_px": case["size"][0], "height_px": case["size"][1] });
    for key in [
        "resize",
        "shorter_side_px",
        "border",
        "interpolation",
        "colours",
        "range",
        "mean",
        "std",
    ] {
        input[key] = case[key].clone();
    }
    let text = json!({ "name": "m", "licence": "none", "task": "classes", "input": input });
    serde_json::from_value(text).expect("the case is a manifest's input")
}

#[test]
fn frames_become_what_other_libraries_make_of_them() {
    let cases: Vec<Value> =
        serde_json::from_str(&read("tests/fixtures/model_input.json")).expect("the fixture is JSON");
    assert!(cases.len() > 10);
    for value in cases {
        let case: Case = serde_json::from_value(value.clone()).expect("the fixture's cases are whole");
        let preprocessing = manifest(&value).preprocessing;
        let name = format!(
            "{} {} of {:?}",
            value["resize"], value["interpolation"], case.picture
        );
        let layout = if case.planes { Layout::Nchw } else { Layout::Nhwc };
        for format in [PixelFormat::Rgb8, PixelFormat::Rgba8] {
            let pixels = picture(case.picture, format);
            let frame = Frame::packed(&pixels, case.picture[0], case.picture[1], format).expect("whole");
            let mut input = vec![f32::NAN; case.values.len()];
            let placement = write_input(&frame, &preprocessing, layout, &mut input).expect(&name);
            let found = [
                i64::from(placement.scaled.width_px),
                i64::from(placement.scaled.height_px),
                placement.left_px,
                placement.top_px,
            ];
            assert_eq!(found, case.placement, "{name}");
            // One level of the component with the smallest deviation.
            let [low, high] = preprocessing.range;
            let level = preprocessing
                .std
                .iter()
                .fold(0.0_f32, |most, std| most.max((high - low) / 255.0 / std));
            let far: Vec<f32> = input
                .iter()
                .zip(&case.values)
                .map(|(found, expected)| (found - expected).abs())
                .filter(|&difference| difference.is_nan() || difference > 0.05 * level)
                .collect();
            let worst = far.iter().copied().fold(0.0, f32::max) / level;
            if format == PixelFormat::Rgb8 {
                report(&format!(
                    "{name}: {} of {} values differ, by at most {worst:.2} levels",
                    far.len(),
                    input.len()
                ));
            }
            // OpenCV's vector code rounds bilinear sums in its own ways; all else is exact.
            let (most, share) = match preprocessing.interpolation {
                Interpolation::Bilinear => (1.01, 0.05),
                Interpolation::Antialiased | Interpolation::Nearest | Interpolation::Warp => (0.0, 0.0),
            };
            assert!(
                worst <= most && far.len() as f32 <= share * input.len() as f32,
                "{name}: {far:?}"
            );
        }
    }
}

#[test]
fn inputs_of_another_size_are_refused() {
    let pixels = [0; 12];
    let frame = Frame::packed(&pixels, 2, 2, PixelFormat::Rgb8).expect("whole");
    let text = json!({ "name": "m", "licence": "none", "task": "classes", "input": { "width_px": 4, "height_px": 4 } });
    let manifest: Manifest = serde_json::from_value(text).expect("a manifest");
    let error = write_input(&frame, &manifest.preprocessing, Layout::Nhwc, &mut [0.0; 47]);
    let sentence =
        "the model's input holds 47 values, the manifest's size asks for 48; correct width_px and height_px";
    assert_eq!(error.map_err(|error| error.to_string()), Err(sentence.to_owned()));
}
