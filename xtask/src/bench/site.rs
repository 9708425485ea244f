//! Puts together the folder that the bench is served from: the page, Plumbline, the peers, models and pictures.
//!
//! What is missing of the peers is no error: `bench.json` says of each part why it is not there, and the page shows
//! that instead of a time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::peers;
use crate::workspace::{
    Workspace, files_below, make_folder, read, read_text, sha256_hex, sha256_of_sources, write,
};
use crate::{Outcome, models, node, plumb, process, tools};

/// Plumbline's side of the bench.
const PACKAGE: &str = "plumbline_bench";

/// Files and folders of the checkout that the page needs, and where they are served.
const OWN_FILES: [(&str, &str); 4] = [
    ("tests/bench/page", ""),
    ("static/styles", "styles"),
    ("static/icons", "icons"),
    ("web/src/platform/replayer.js", "replayer.js"),
];

/// The same below `tests/bench/node_modules`.
const PEER_FILES: [(&str, &str); 9] = [
    (
        "onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
        "ort/ort.wasm.bundle.min.mjs",
    ),
    (
        "onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
        "ort/ort.webgpu.bundle.min.mjs",
    ),
    (
        "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
        "ort/ort-wasm-simd-threaded.wasm",
    ),
    (
        "onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm",
        "ort/ort-wasm-simd-threaded.asyncify.wasm",
    ),
    ("@litertjs/core/wasm", "litert/wasm"),
    ("@litertjs/wasm-utils/dist/index.js", "litert/wasm-utils.js"),
    (
        "@mediapipe/tasks-vision/vision_bundle.mjs",
        "tasks/vision_bundle.mjs",
    ),
    ("@mediapipe/tasks-vision/wasm", "tasks/wasm"),
    ("@mediapipe/pose", "pose"),
];

/// The clip whose frames are followed: one squat, seen from half left, in the usual size of a camera.
const CLIP: [&str; 10] = [
    "--motion",
    "squat",
    "--repetitions",
    "1",
    "--yaw",
    "28",
    "--size",
    "480x640",
    "--fps",
    "15",
];

/// A photo of the data folder, an input beside the drawn person where it is there.
const PHOTO: &str = "tfjs-models/pose.jpg";

/// What the page can run: names of parts, and the reason why one is missing.
type Parts = BTreeMap<&'static str, Option<String>>;

/// Builds and gathers everything; returns the folder to serve.
pub fn assemble(workspace: &Workspace, folder: &Path) -> Outcome<PathBuf> {
    let site = folder.join("site");
    assemble_own(workspace, &site)?;
    let mut parts = Parts::from([("plumbline", None)]);
    let installed = node::install(workspace, "tests/bench", "the peers of the bench are there")
        .and_then(|()| place_peers(workspace, &site.join("peers")));
    parts.insert("peers", said(installed.clone()));
    let converted = installed.and_then(|()| {
        let onnx = peers::convert_models(workspace, folder)?;
        place(&onnx, &site.join("models"))
    });
    // Both come out of one conversion.
    parts.insert("onnx", said(converted.clone()));
    parts.insert("tasks", said(converted.clone()));
    for peer in peers::CRATES {
        let built = converted.clone().and_then(|()| {
            let built = peers::build_crate(workspace, folder, &peer)?;
            place(&built, &site.join("peers").join(peer.name))
        });
        parts.insert(peer.name, said(built));
    }
    finish(workspace, &site, &draw_clip(workspace, folder)?, &parts)?;
    Ok(site)
}

/// Builds and gathers what is Plumbline's own, with the demo's pictures; of all others the page says that they are not
/// there. For a test that the page works.
pub fn assemble_alone(workspace: &Workspace) -> Outcome<PathBuf> {
    let site = workspace.target.join("bench/site-alone");
    assemble_own(workspace, &site)?;
    let absent = || Some("it was left out of this run".to_owned());
    let mut parts = Parts::from([("plumbline", None)]);
    parts.extend(["peers", "onnx", "tasks"].map(|part| (part, absent())));
    parts.extend(peers::CRATES.iter().map(|peer| (peer.name, absent())));
    let clip = plumb::draw_demo(workspace)?.join("person.mjpeg");
    finish(workspace, &site, &clip, &parts)?;
    Ok(site)
}

/// Builds and gathers what runs vision networks of ONNX files: Plumbline as the worker of `/models` has it, and
/// onnxruntime-web. Returns the folder to serve, and the names of the networks that are asked for: all where none is.
pub fn assemble_networks(
    workspace: &Workspace,
    folder: &Path,
    wanted: &[String],
) -> Outcome<(PathBuf, Vec<String>)> {
    let site = folder.join("site-networks");
    place_page(workspace, &site)?;
    let absent = || Some("it was left out of this run".to_owned());
    let mut parts = Parts::from([("plumbline", None), ("networks", None)]);
    parts.extend(["onnx", "tasks"].map(|part| (part, absent())));
    parts.extend(peers::CRATES.iter().map(|peer| (peer.name, absent())));
    let installed = node::install(workspace, "tests/bench", "the peers of the bench are there")
        .and_then(|()| place_peers(workspace, &site.join("peers")));
    parts.insert("peers", said(installed));
    let mut networks = peers::make_networks(workspace, folder)?;
    if let Some(unknown) = wanted.iter().find(|name| !networks.contains(name)) {
        return Err(format!(
            "there is no network '{unknown}'; there are {}",
            networks.join(", ")
        ));
    }
    if !wanted.is_empty() {
        networks = wanted.to_vec();
    }
    for name in &networks {
        let file = format!("{name}.onnx");
        place(
            &folder.join("networks").join(&file),
            &site.join("models").join(&file),
        )?;
    }
    build_plumbline(workspace, &site.join("plumbline"), &["--features", "onnx"])?;
    let clip = plumb::draw_demo(workspace)?.join("person.mjpeg");
    finish(workspace, &site, &clip, &parts)?;
    Ok((site, networks))
}

/// The page itself.
fn place_page(workspace: &Workspace, site: &Path) -> Outcome<()> {
    make_folder(site)?;
    for (from, to) in OWN_FILES {
        place(&workspace.root.join(from), &site.join(to))?;
    }
    Ok(())
}

/// The page, the models and Plumbline.
fn assemble_own(workspace: &Workspace, site: &Path) -> Outcome<()> {
    place_page(workspace, site)?;
    let weights = workspace.target.join("models");
    let models = models::ensure(workspace, &weights)?;
    let graphs = plumb::compile_models(workspace, models.iter().map(|model| model.name.as_str()))?;
    for model in &models {
        let file = format!("{}.graph", model.name);
        place(&graphs.join(&file), &site.join("models").join(&file))?;
    }
    for path in files_below(&weights)? {
        if path.extension().is_some_and(|extension| extension == "tflite") {
            place(
                &path,
                &site.join("models").join(path.file_name().unwrap_or_default()),
            )?;
        }
    }
    build_plumbline(workspace, &site.join("plumbline"), &[])
}

/// Compiles Plumbline's side as the page's own engine is compiled, and joins it with JavaScript.
fn build_plumbline(workspace: &Workspace, to: &Path, features: &[&str]) -> Outcome<()> {
    tools::ensure_wasm_target()?;
    let tools = tools::ensure_wasm_bindgen(workspace)?;
    println!("Building Plumbline for the bench.");
    process::run(
        process::cargo()
            .args([
                "build",
                "--quiet",
                "--profile",
                "web",
                "--target",
                tools::WASM_TARGET,
                "--package",
                PACKAGE,
            ])
            .args(features)
            .current_dir(&workspace.root),
    )?;
    let module = workspace.target.join(tools::WASM_TARGET).join("web");
    join(&tools, &module.join(format!("{PACKAGE}.wasm")), to)
}

/// Runs wasm-bindgen over a module.
pub fn join(tools: &Path, module: &Path, to: &Path) -> Outcome<()> {
    process::run(
        Command::new(tools.join("wasm-bindgen"))
            .args(["--target", "web", "--no-typescript", "--out-dir"])
            .arg(to)
            .arg(module),
    )
}

fn place_peers(workspace: &Workspace, to: &Path) -> Outcome<()> {
    let packages = workspace.root.join("tests/bench/node_modules");
    for (from, name) in PEER_FILES {
        place(&packages.join(from), &to.join(name))?;
    }
    // Its one import names a package, which browsers cannot look up.
    let litert = read_text(&packages.join("@litertjs/core/dist/index.js"))?;
    let litert = litert.replace("\"@litertjs/wasm-utils\"", "\"./wasm-utils.js\"");
    write(&to.join("litert/index.js"), litert.as_bytes())
}

/// Pictures, task bundles and `bench.json`.
fn finish(workspace: &Workspace, site: &Path, clip: &Path, parts: &Parts) -> Outcome<()> {
    let mut prepare = node::node()?;
    prepare
        .arg(workspace.root.join("tests/bench/prepare.mjs"))
        .arg(site)
        .arg(clip);
    if let Some(photo) = workspace
        .data()
        .map(|data| data.join(PHOTO))
        .filter(|photo| photo.is_file())
    {
        prepare.arg(photo);
    }
    let parts =
        serde_json::to_string(parts).map_err(|error| format!("the parts have no JSON form: {error}"))?;
    process::run(prepare.env("PLUMBLINE_PARTS", parts))
}

/// Draws the clip, unless the code that draws is that of the last time.
fn draw_clip(workspace: &Workspace, folder: &Path) -> Outcome<PathBuf> {
    let clip = folder.join("clip.mjpeg");
    let stamp = folder.join("clip-drawn-by");
    let sources = [
        workspace.root.join("core/figure"),
        workspace.root.join("core/cli/src/commands/figure.rs"),
    ];
    let sources = sha256_of_sources(&sources)? + &CLIP.join(" ");
    if clip.is_file() && read_text(&stamp).is_ok_and(|seen| seen == sources) {
        return Ok(clip);
    }
    println!("Drawing the bench's clip: a person who squats.");
    let plumb = plumb::build(workspace)?;
    process::run(
        Command::new(plumb)
            .args(["figure", "--clip"])
            .arg(&clip)
            .args(CLIP),
    )?;
    write(&stamp, sources.as_bytes())?;
    Ok(clip)
}

/// Puts a file or everything below a folder at another place, by a hard link where that is possible.
fn place(from: &Path, to: &Path) -> Outcome<()> {
    if from.is_dir() {
        for file in files_below(from)? {
            let below = file
                .strip_prefix(from)
                .expect("the listing starts with its folder");
            place_file(&file, &to.join(below))?;
        }
        return Ok(());
    }
    place_file(from, to)
}

fn place_file(from: &Path, to: &Path) -> Outcome<()> {
    if fs::read_link(to).is_err() && same_contents(from, to)? {
        return Ok(());
    }
    make_folder(to.parent().unwrap_or(to))?;
    // The old file may be a link to something else, which must not be written through.
    let _ = fs::remove_file(to);
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)
        .map(|_| ())
        .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
}

/// Whether both files are there with the same contents; an unchanged file keeps its time, and so its place in caches.
fn same_contents(left: &Path, right: &Path) -> Outcome<bool> {
    let size = |path: &Path| fs::metadata(path).map(|metadata| metadata.len()).ok();
    if size(left).is_none() || size(left) != size(right) {
        return Ok(false);
    }
    Ok(sha256_hex(&read(left)?) == sha256_hex(&read(right)?))
}

/// The reason in an outcome.
fn said<T>(outcome: Outcome<T>) -> Option<String> {
    outcome.err()
}
