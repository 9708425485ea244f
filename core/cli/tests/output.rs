//! What the commands print and write: the shape that scripts, the page and other tests rely on.

use std::fs;
use std::process::Command;

use plumb::clip::Clip;
use serde_json::Value;

fn plumb(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_plumb"))
        .args(arguments)
        .output()
        .expect("plumb was built for this test");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("plumb prints UTF-8")
}

fn weights_are_there() -> bool {
    let there = plumb::manifest::read_model("lite").is_ok();
    if !there {
        eprintln!("skipped: the weights are missing; `cargo xtask models` fetches them");
    }
    there
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("plumb prints JSON")
}

/// Keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// A clip is drawn, read back frame by frame, and each frame has the keys, the time and the person that it should.
#[test]
fn a_drawn_clip_becomes_one_object_a_line() {
    if !weights_are_there() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("plumb-output-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let path = folder.join("wave.mjpeg");
    let clip = path.display().to_string();
    plumb(&[
        "figure",
        "--clip",
        &clip,
        "--motion",
        "wave",
        "--repetitions",
        "1",
        "--size",
        "120x160",
        "--fps",
        "2",
    ]);

    let facts = json(&fs::read_to_string(folder.join("wave.json")).expect("facts lie beside the clip"));
    let truth =
        json(&fs::read_to_string(folder.join("wave.truth.json")).expect("the truth lies beside the clip"));
    let frames = facts["frames"].as_u64().expect("a count") as usize;
    assert_eq!(
        (&facts["width"], &facts["height"]),
        (&Value::from(120), &Value::from(160))
    );
    assert_eq!(truth["frames"].as_array().map(Vec::len), Some(frames));
    assert_eq!(Clip::open(&path).expect("a clip").count(), frames);

    let printed = plumb(&["pose", &clip, "--model", "lite", "--json"]);
    assert_eq!(printed.lines().count(), frames);
    for (index, line) in printed.lines().enumerate() {
        let frame = json(line);
        let expected = [
            "backend",
            "frame",
            "height_px",
            "model",
            "people",
            "time_secs",
            "timings_ms",
            "width_px",
        ];
        assert_eq!(keys(&frame), expected);
        assert_eq!(frame["frame"].as_u64(), Some(index as u64));
        assert_eq!(frame["time_secs"].as_f64(), Some(index as f64 / 2.0));
        let person = &frame["people"][0];
        assert_eq!(keys(person), ["landmarks", "roi", "score", "world"]);
        assert_eq!(
            person["landmarks"].as_array().map(Vec::len),
            Some(33),
            "frame {index} has a person"
        );
        assert_eq!(
            keys(&person["landmarks"][0]),
            ["name", "presence", "visibility", "x_px", "y_px", "z_px"]
        );
        assert_eq!(keys(&person["world"][32]), ["x_m", "y_m", "z_m"]);
        // The detector runs on the first frame; then tracking finds the person.
        assert_eq!(
            frame["timings_ms"]["detector"].is_null(),
            index > 0,
            "frame {index}"
        );
    }
    let at_other_times = plumb(&[
        "pose", &clip, "--model", "lite", "--json", "--fps", "50", "--static",
    ]);
    let second = json(at_other_times.lines().nth(1).expect("a second frame"));
    assert_eq!(second["time_secs"].as_f64(), Some(0.02));
    assert!(
        second["timings_ms"]["detector"].is_number(),
        "static mode detects on every frame"
    );
    assert!(plumb(&["pose", &clip, "--model", "lite"]).contains("33 of 33 landmarks visible"));
    fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
}

/// The live plan has neither the mask's output nor its cost.
#[test]
fn inspect_shows_what_the_mask_costs() {
    if !weights_are_there() {
        return;
    }
    let live = json(&plumb(&["inspect", "lite", "--json"]));
    let all = json(&plumb(&[
        "inspect",
        "lite",
        "--json",
        "--outputs",
        "Identity,Identity_1,Identity_2,Identity_3,Identity_4",
    ]));
    assert_eq!(live["outputs"].as_array().map(Vec::len), Some(4));
    let number = |report: &serde_json::Value, key: &str| report[key].as_u64().expect(key);
    for key in ["macs", "ops_after"] {
        assert!(number(&live, key) < number(&all, key), "{key}");
    }
    let levels = |report: &serde_json::Value| report["levels"].as_array().expect("a list").clone();
    assert_eq!((levels(&live).len(), levels(&all).len()), (5, 5));
    for (live, all) in levels(&live).iter().zip(&levels(&all)) {
        for key in ["dispatches", "activation_bytes"] {
            assert!(number(live, key) < number(all, key), "{key} at {}", live["level"]);
        }
        assert!(
            number(live, "arena_bytes") > 0,
            "arena_bytes at {}",
            live["level"]
        );
    }
    // Counted from the model file by an independent script.
    assert_eq!(live["ops_before"].as_u64(), Some(305));
    for key in ["parameters", "weight_bytes"] {
        assert!(live[key].as_u64() > Some(0), "{key}");
    }
    let stages: Vec<&str> = live["stages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|stage| stage["name"].as_str().expect("a name"))
        .collect();
    let last = "fuse residuals into convolutions";
    assert_eq!((stages.first(), stages.last()), (Some(&"import"), Some(&last)));
    assert!(plumb(&["inspect", "lite"]).contains("dispatches"));
}

/// A Relu of [1, 4], as `onnx` 1.23.2 writes it.
const RELU_ONNX: &[u8] = b"\x08\x08:;\n\x0c\n\x01x\x12\x01y\"\x04Relu\x12\x01gZ\x13\n\x01x\x12\x0e\n\x0c\x08\x01\x12\x08\n\x02\x08\x01\
\n\x02\x08\x04b\x13\n\x01y\x12\x0e\n\x0c\x08\x01\x12\x08\n\x02\x08\x01\n\x02\x08\x04B\x04\n\0\x10\r";

/// An ONNX file is inspected, timed and compiled like any other model.
#[test]
fn onnx_files_are_models_too() {
    let folder = std::env::temp_dir().join(format!("plumb-onnx-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let [model, graph] = ["relu.onnx", "relu.graph"].map(|name| folder.join(name).display().to_string());
    fs::write(&model, RELU_ONNX).expect("the temporary folder can be written");
    assert!(plumb(&["bench", &model, "--rounds", "1"]).contains("1 steps"));
    plumb(&["compile", &model, "--out", &graph]);
    for file in [&model, &graph] {
        let report = json(&plumb(&["inspect", file, "--json"]));
        assert_eq!(
            (&report["ops_after"], &report["outputs"][0]),
            (&Value::from(1), &Value::from("y"))
        );
    }
    fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
}

/// Of several people each has a number; of the only one that is looked for none is needed.
#[test]
fn people_have_numbers_where_several_are_asked_for() {
    if !weights_are_there() {
        return;
    }
    let clip = std::env::temp_dir().join(format!("plumb-people-{}.mjpeg", std::process::id()));
    let path = clip.display().to_string();
    let size = ["--size", "240x320", "--fps", "2", "--repetitions", "1"];
    plumb(&[&["figure", "--clip", &path, "--motion", "squat"], &size[..]].concat());
    let shown = plumb(&["pose", &path, "--model", "lite", "--people", "2", "--json"]);
    for line in shown.lines() {
        let people = &json(line)["people"];
        assert_eq!(people.as_array().map(Vec::len), Some(1), "{line}");
        assert_eq!(keys(&people[0]), ["id", "landmarks", "roi", "score", "world"]);
        assert_eq!(people[0]["id"], 1);
    }
    assert!(plumb(&["pose", &path, "--model", "lite", "--people", "2"]).contains("person 1: score"));
    fs::remove_file(&clip).expect("the clip can be removed");
}

/// The file that is written is the one that is described, and reads as a model.
#[test]
fn quantised_weights_are_written_and_compared() {
    if !weights_are_there() {
        return;
    }
    let file = std::env::temp_dir().join(format!("plumb-{}.graph", std::process::id()));
    let path = file.display().to_string();
    let options = ["--weights", "int8", "--rounds", "1", "--json", "--out", &path];
    let report = json(&plumb(&[&["quantize", "lite"], &options[..]].concat()));
    let top = [
        "kept",
        "model",
        "outputs",
        "pictures",
        "tensors",
        "variants",
        "worst_tensor",
    ];
    assert_eq!(keys(&report), top);
    let bytes = |variant: usize| report["variants"][variant]["bytes"].as_u64().expect("bytes");
    assert_eq!(bytes(1), fs::metadata(&file).expect("it was written").len());
    assert!(bytes(1) < bytes(0) * 6 / 10, "{report}");
    for output in report["outputs"].as_array().expect("outputs") {
        assert_eq!(keys(output), ["largest", "name", "relative_error"]);
        assert!(
            output["largest"].as_f64() > Some(0.0),
            "rounding is not free: {output}"
        );
    }
    let inspected = json(&plumb(&["inspect", &path, "--json"]));
    assert_eq!(
        inspected["ops_after"],
        json(&plumb(&["inspect", "lite", "--json"]))["ops_after"]
    );
    fs::remove_file(&file).expect("the file can be removed");
}

/// Each frame of a clip becomes a picture with an alpha channel, empty around the person.
#[test]
fn a_person_is_cut_out_of_every_frame() {
    if !weights_are_there() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("plumb-mask-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let (clip, frames) = (folder.join("wave.mjpeg"), folder.join("frames"));
    let [clip, frames] = [clip, frames].map(|path| path.display().to_string());
    let size = ["--size", "120x160", "--fps", "2", "--repetitions", "1"];
    plumb(&[&["figure", "--clip", &clip, "--motion", "wave"], &size[..]].concat());
    for model in ["lite", "selfie"] {
        cut_out(&clip, &frames, model);
    }
    fs::remove_dir_all(&folder).expect("the temporary folder can be removed");
}

/// Cuts the drawn person out of every frame of a clip, and looks at the frames.
fn cut_out(clip: &str, frames: &str, model: &str) {
    let said = plumb(&["mask", clip, "--output", frames, "--model", model]);
    let mut written: Vec<_> = fs::read_dir(frames)
        .expect("a folder was written")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    written.sort();
    assert!(
        said.contains(&format!("{} frames, 0 without a person", written.len())),
        "{said}"
    );
    for path in &written {
        let picture = image::open(path).expect("a picture").into_rgba8();
        assert_eq!(picture.dimensions(), (120, 160));
        let alpha = |x: u32, y: u32| picture.get_pixel(x, y)[3];
        assert!(
            alpha(0, 0) < 10 && alpha(119, 159) < 10,
            "the corners of {}",
            path.display()
        );
        let most = picture.pixels().map(|pixel| pixel[3]).max();
        assert!(most > Some(240), "{model}: nobody in {}", path.display());
    }
}
