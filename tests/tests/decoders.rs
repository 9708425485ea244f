//! Other people's models are read as their publishers read them: `tests/reference/decoders.py` wrote what their
//! formulas, OpenCV's suppression and COCO's similarity make of drawn outputs.

use plumbline_core::decoders::suppression::{self, Same};
use plumbline_core::decoders::{
    Found, Keypoint, KeypointPose, PixelScores, Tensor, classes, decode, embedding, mediapipe, simcc, yolo,
};
use plumbline_core::geometry::{ImageSize, Point2};
use plumbline_core::keypoint_sets::KeypointSet;
use plumbline_core::manifest::Manifest;
use plumbline_core::model_input::{Layout, Placement, Preprocessing, Resize};
use plumbline_core::task::{Role, Task};
use plumbline_tests::read;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
    points: Points,
}

#[derive(Deserialize)]
struct Case {
    decoder: String,
    picture: [u32; 2],
    size: [u32; 2],
    outputs: Vec<Output>,
    found: Value,
    form: Option<String>,
    #[serde(default)]
    innermost: bool,
}

#[derive(Deserialize)]
struct Output {
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct Points {
    area: f32,
    truth: Vec<[f32; 2]>,
    others: Vec<Vec<[f32; 2]>>,
    similarities: Vec<f32>,
}

#[derive(Deserialize)]
struct ExpectedPose {
    score: f32,
    points: Vec<[f32; 3]>,
    #[serde(rename = "box")]
    rect: Option<[f32; 4]>,
}

#[derive(Deserialize)]
struct ExpectedBox {
    score: f32,
    class: usize,
    #[serde(rename = "box")]
    rect: [f32; 4],
}

fn fixture() -> Fixture {
    serde_json::from_str(&read("tests/fixtures/decoders.json")).expect("the fixture is whole")
}

fn manifest(task: &str, [width_px, height_px]: [u32; 2]) -> Manifest {
    let outputs = match task {
        "simcc" => json!({ "simcc-x": "x", "simcc-y": "y" }),
        _ => json!({}),
    };
    let text = json!({
        "name": "m",
        "licence": "none",
        "task": task,
        "input": { "width_px": width_px, "height_px": height_px, "resize": "letterbox" },
        "outputs": outputs,
    });
    serde_json::from_value(text).expect("a manifest")
}

fn size([width_px, height_px]: [u32; 2]) -> ImageSize {
    ImageSize { width_px, height_px }
}

fn run(case: &Case, manifest: &Manifest, layout: Layout) -> Found {
    let placement = manifest
        .preprocessing
        .placement(size(case.picture))
        .expect("the picture fits");
    let tensors = case
        .outputs
        .iter()
        .map(|output| Tensor::new(&output.shape, &output.values).expect("as many values as elements"));
    let outputs: Vec<(Role, Tensor<'_>)> = manifest.task.needs().iter().copied().zip(tensors).collect();
    decode(manifest, layout, &placement, &outputs).unwrap_or_else(|error| panic!("{}: {error}", case.decoder))
}

fn close(found: f32, expected: f32, tolerance: f32, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found} is not {expected}"
    );
}

#[test]
fn outputs_mean_what_their_publishers_say() {
    for case in fixture().cases {
        let manifest = manifest(&case.decoder, case.size);
        let name = &case.decoder;
        let layout = if case.innermost {
            Layout::Nhwc
        } else {
            Layout::Nchw
        };
        match run(&case, &manifest, layout) {
            Found::Poses(poses) => {
                let expected: Vec<ExpectedPose> =
                    serde_json::from_value(case.found).expect("poses are expected");
                assert_eq!(poses.len(), expected.len(), "{name}");
                for (pose, expected) in poses.iter().zip(expected) {
                    close(pose.score, expected.score, 1e-4, name);
                    assert_eq!(pose.keypoints.len(), expected.points.len(), "{name}");
                    for (point, [x, y, score]) in pose.keypoints.iter().zip(expected.points) {
                        close(point.x_px, x, 2e-3, name);
                        close(point.y_px, y, 2e-3, name);
                        close(point.score, score, 1e-4, name);
                    }
                    assert_eq!(pose.bounds.is_some(), expected.rect.is_some(), "{name}");
                    if let (Some(rect), Some(expected)) = (pose.bounds, expected.rect) {
                        for (found, expected) in [rect.min.x, rect.min.y, rect.max.x, rect.max.y]
                            .into_iter()
                            .zip(expected)
                        {
                            close(found, expected, 2e-3, name);
                        }
                    }
                }
            }
            Found::Boxes(boxes) => {
                let expected: Vec<ExpectedBox> =
                    serde_json::from_value(case.found).expect("boxes are expected");
                assert_eq!(boxes.len(), expected.len(), "{name}");
                for (found, expected) in boxes.iter().zip(expected) {
                    assert_eq!(found.class, expected.class, "{name}");
                    close(found.score, expected.score, 1e-5, name);
                    let rect = found.rect;
                    for (found, expected) in [rect.min.x, rect.min.y, rect.max.x, rect.max.y]
                        .into_iter()
                        .zip(expected.rect)
                    {
                        close(found, expected, 2e-3, name);
                    }
                }
            }
            Found::Classes(scores) => {
                assert_eq!(Some(scores.form.id()), case.form.as_deref(), "{name}");
                assert_values(&scores.probabilities, case.found, name);
            }
            Found::Mask(scores) => {
                assert_eq!(Some(scores.form.id()), case.form.as_deref(), "{name}");
                assert_eq!(scores.size, size(case.size));
                assert_values(&scores.probabilities, case.found, name);
                let sum: f32 = scores.shares().iter().sum();
                assert!(scores.classes == 1 || (sum - 1.0).abs() < 1e-5, "{sum}");
            }
            Found::Embedding(_) => panic!("{name} is no embedding"),
        }
    }
}

fn assert_values(found: &[f32], expected: Value, name: &str) {
    let expected: Vec<f32> = serde_json::from_value(expected).expect("numbers are expected");
    assert_eq!(found.len(), expected.len(), "{name}");
    for (&found, expected) in found.iter().zip(expected) {
        close(found, expected, 2e-6, name);
    }
}

fn person(points: &[[f32; 2]], score: f32) -> KeypointPose {
    let keypoint = |&[x_px, y_px]: &[f32; 2]| Keypoint {
        x_px,
        y_px,
        z_px: None,
        score: 1.0,
    };
    KeypointPose {
        keypoints: points.iter().map(keypoint).collect(),
        bounds: None,
        score,
    }
}

#[test]
fn points_are_as_similar_as_coco_says() {
    let points = fixture().points;
    let truth = person(&points.truth, 0.9);
    for (other, expected) in points.others.iter().zip(points.similarities) {
        let other = person(other, 0.5);
        let found = suppression::similarity(&truth, &other, points.area, KeypointSet::Coco17);
        close(found, expected, 1e-5, "similarity");
        for (most, remain) in [(expected - 0.05, 1), (expected + 0.05, 2)] {
            // The box around the points is not COCO's area, so the surer one gets it as a box.
            let mut surer = truth.clone();
            surer.bounds = Some(plumbline_core::decoders::Rect {
                min: Point2::new(0.0, 0.0),
                max: Point2::new(points.area, 1.0),
            });
            let kept = suppression::suppress_poses(
                vec![other.clone(), surer],
                Same::Points(most, KeypointSet::Coco17),
                9,
            );
            assert_eq!(kept.len(), remain, "{most} of {expected}");
            assert_eq!(kept[0].score, 0.9);
        }
    }
}

/// The vertex of sampled normal distributions' logarithms is their mean, wherever it lies between the bins.
#[test]
fn vertices_are_the_means_of_normal_distributions() {
    let placement = Placement {
        image: size([32, 32]),
        scaled: size([32, 32]),
        left_px: 0,
        top_px: 0,
    };
    let view = plumbline_core::decoders::View {
        size: size([32, 32]),
        placement: &placement,
    };
    for mean in [10.0_f32, 10.2, 10.49, 31.7, 50.1] {
        let logits: Vec<f32> = (0..64)
            .map(|bin| -(bin as f32 - mean).powi(2) / 18.0 + 3.0)
            .collect();
        let tensor = Tensor::new(&[1, 1, 64], &logits).expect("whole");
        let place = |place| {
            let pose = simcc::decode(&tensor, &tensor, &view, place).expect("it can be read");
            pose.keypoints[0].x_px
        };
        close(place(simcc::Place::Bin), mean.round() / 2.0, 1e-6, "bin");
        close(place(simcc::Place::Vertex), mean / 2.0, 1e-4, "vertex");
    }
    let edge: Vec<f32> = (0..64).map(|bin| bin as f32).collect();
    let tensor = Tensor::new(&[1, 1, 64], &edge).expect("whole");
    let pose = simcc::decode(&tensor, &tensor, &view, simcc::Place::Vertex).expect("it can be read");
    assert_eq!(pose.keypoints[0].x_px, 31.5);
}

/// By hand: a crop of 100 px that fills an input of 200, so that a pixel of the input is half of one of the crop.
#[test]
fn landmarks_of_a_crop_are_in_its_pixels() {
    let placement = Placement {
        image: size([100, 100]),
        scaled: size([200, 200]),
        left_px: 0,
        top_px: 0,
    };
    let view = plumbline_core::decoders::View {
        size: size([200, 200]),
        placement: &placement,
    };
    for (family, rows, len, count) in [
        (mediapipe::Family::Pose, 39, 5, 33),
        (mediapipe::Family::Hand, 21, 3, 21),
        (mediapipe::Family::Face, 468, 3, 468),
        (mediapipe::Family::Face, 478, 3, 478),
    ] {
        let row = [50.0, 120.0, -20.0, 0.0, 9.0];
        let values: Vec<f32> = (0..rows).flat_map(|_| row[..len].to_vec()).collect();
        let shape = [1, 1, 1, rows * len];
        let landmarks = Tensor::new(&shape, &values).expect("whole");
        // A probability, a number before the sigmoid, and nobody, said in both ways.
        for (presence, expected) in [
            (0.75, Some(0.75)),
            (1.098_612_3, Some(0.75)),
            (0.49, None),
            (-3.0, None),
        ] {
            let given = [presence];
            let presence = Tensor::new(&[1, 1], &given).expect("whole");
            let found =
                mediapipe::decode(family, &landmarks, Some(&presence), &view).expect("it can be read");
            assert_eq!(found.len(), usize::from(expected.is_some()), "{family:?}");
            let (Some(pose), Some(expected)) = (found.first(), expected) else {
                continue;
            };
            close(pose.score, expected, 1e-6, "presence");
            assert_eq!(pose.keypoints.len(), count);
            let point = pose.keypoints[count - 1];
            assert_eq!((point.x_px, point.y_px, point.z_px), (25.0, 60.0, Some(-10.0)));
            let score = if family == mediapipe::Family::Pose {
                0.5
            } else {
                expected
            };
            close(point.score, score, 1e-6, "a point's score");
        }
        let without = mediapipe::decode(family, &landmarks, None, &view).expect("it can be read");
        assert_eq!(without.len(), 1);
    }
}

#[test]
fn the_most_probable_come_first() {
    let values = [0.1, 0.6, 0.1, 0.2];
    let tensor = Tensor::new(&[1, 4], &values).expect("whole");
    let scores = classes::decode(&tensor, None).expect("it can be read");
    assert_eq!(scores.top(3), [(1, 0.6), (3, 0.2), (0, 0.1)]);
    assert_eq!(scores.top(99).len(), 4);
    let overruled = classes::decode(&tensor, Some(classes::ScoreForm::Logits)).expect("it can be read");
    close(overruled.probabilities[1], 0.346_815, 1e-6, "softmax");
}

#[test]
fn features_are_pooled_by_channel() {
    let values = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
    let tensor = Tensor::new(&[1, 1, 3, 2], &values).expect("whole");
    assert_eq!(embedding::decode(&tensor, Layout::Nhwc), Ok(vec![2.0, 20.0]));
    let tensor = Tensor::new(&[1, 2, 1, 3], &values).expect("whole");
    let planes = embedding::decode(&tensor, Layout::Nchw).expect("it can be read");
    close(planes[0], 13.0 / 3.0, 1e-6, "mean");
    let row = Tensor::new(&[1, 6], &values).expect("whole");
    assert_eq!(embedding::decode(&row, Layout::Nhwc), Ok(values.to_vec()));
    assert_eq!(
        embedding::similarity(&[1.0, 0.0], &[1.0, 1.0]).map(|cosine| (cosine * 1e4).round()),
        Some(7071.0)
    );
    assert_eq!(embedding::similarity(&[0.0], &[1.0]), None);
}

/// A disc in the letterbox of a wide picture stands in the picture where it was drawn.
#[test]
fn masks_come_back_to_the_picture() {
    let input = size([32, 32]);
    let preprocessing = Preprocessing {
        resize: Resize::Letterbox,
        ..Preprocessing::plain(input)
    };
    let placement = preprocessing.placement(size([64, 32])).expect("it fits");
    // The output has half of the input's pixels a side; rows 4 to 12 of 16 show the picture.
    let scores = PixelScores {
        size: size([16, 16]),
        classes: 1,
        probabilities: (0..256)
            .map(|index| {
                let (x, y) = ((index % 16) as f32 + 0.5, (index / 16) as f32 + 0.5);
                f32::from((x - 10.0).hypot(y - 8.0) < 3.0)
            })
            .collect(),
        form: classes::ScoreForm::Independent,
    };
    let mask = scores.in_image(0, input, &placement);
    assert_eq!(mask.len(), 64 * 32);
    for (x, y, expected) in [
        (40, 16, 1.0),
        (40, 8, 1.0),
        (40, 1, 0.0),
        (10, 16, 0.0),
        (49, 16, 1.0),
        (58, 16, 0.0),
    ] {
        assert_eq!(mask[y * 64 + x], expected, "({x}, {y})");
    }
}

#[test]
fn hostile_outputs_are_refused() {
    let placement = Placement {
        image: size([64, 64]),
        scaled: size([64, 64]),
        left_px: 0,
        top_px: 0,
    };
    let shapes: [&[usize]; 14] = [
        &[],
        &[0],
        &[1],
        &[1, 0],
        &[1, 0, 0],
        &[1, 1, 1],
        &[1, 1, 17, 3],
        &[1, 6, 56],
        &[1, 20, 84],
        &[1, 84, 20],
        &[1, 195],
        &[1, 7, 0],
        &[1, 0, 4, 4],
        &[2, 3, 4, 5],
    ];
    for task in Task::ALL {
        let manifest = manifest(task.id(), [64, 64]);
        for shape in shapes {
            for fill in [
                f32::NAN,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::MAX,
                -1.0,
                0.0,
                0.9,
                1e9,
            ] {
                let values = vec![fill; shape.iter().product()];
                let tensor = Tensor::new(shape, &values).expect("whole");
                let outputs: Vec<(Role, Tensor<'_>)> =
                    task.needs().iter().map(|&role| (role, tensor)).collect();
                for layout in [Layout::Nhwc, Layout::Nchw] {
                    let found = decode(&manifest, layout, &placement, &outputs);
                    assert!(
                        found.is_err() || values.is_empty() || fill.is_finite(),
                        "{} of {shape:?} filled with {fill}: {found:?}",
                        task.id()
                    );
                }
            }
        }
        let nothing = decode(&manifest, Layout::Nhwc, &placement, &[]).expect_err("no output is there");
        assert!(nothing.to_string().contains("no output is named as"), "{nothing}");
    }
}

/// Every cell is sure and they are all apart: the limit ends it before each is compared with each.
#[test]
fn many_candidates_end_at_the_limit() {
    let cells = 100_000;
    let mut values = vec![0.0; 5 * cells];
    for cell in 0..cells {
        values[cell] = 10.0 * cell as f32;
        values[2 * cells + cell] = 5.0;
        values[3 * cells + cell] = 5.0;
        values[4 * cells + cell] = 0.9;
    }
    let placement = Placement {
        image: size([64, 64]),
        scaled: size([64, 64]),
        left_px: 0,
        top_px: 0,
    };
    let view = plumbline_core::decoders::View {
        size: size([64, 64]),
        placement: &placement,
    };
    let shape = [1, 5, cells];
    let tensor = Tensor::new(&shape, &values).expect("whole");
    let found = yolo::boxes(&tensor, &view, &yolo::Options::default()).expect("it can be read");
    assert_eq!(found.len(), 300);
}
