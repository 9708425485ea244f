//! Peers that have to be made here: models in their format, and crates compiled to WebAssembly.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::site;
use crate::workspace::{Workspace, files_below, make_folder, read_text, sha256_of_sources, write};
use crate::{Outcome, process, python, tools};

/// Models that are converted.
const MODELS: [&str; 4] = ["detector", "lite", "full", "heavy"];

/// A crate in a workspace of its own below `tests/bench`, with a lock file of its own: what it depends on must not
/// decide what the product depends on.
pub struct PeerCrate {
    /// Its folder, and how the page calls it.
    pub name: &'static str,
    /// Its library.
    pub package: &'static str,
    /// Flags of the compiler.
    pub flags: &'static str,
}

/// All of them.
pub const CRATES: [PeerCrate; 2] = [
    PeerCrate {
        name: "rten",
        package: "rten_bench",
        flags: "-Ctarget-feature=+simd128",
    },
    PeerCrate {
        name: "wonnx",
        package: "wonnx_bench",
        flags: "--cfg=web_sys_unstable_apis",
    },
];

/// Converts the models to ONNX and returns the folder. Nothing runs where neither models nor converter have changed.
pub fn convert_models(workspace: &Workspace, folder: &Path) -> Outcome<PathBuf> {
    let out = folder.join("onnx");
    let stamp = folder.join("onnx-made-by");
    let weights = workspace.target.join("models");
    let script = workspace.root.join("tests/bench/convert.py");
    let requirements = workspace.root.join("tests/bench/requirements.txt");
    let mut sources = vec![script.clone(), requirements.clone()];
    sources.extend(MODELS.map(|name| weights.join(format!("{name}.tflite"))));
    let sources = sha256_of_sources(&sources)?;
    if read_text(&stamp).is_ok_and(|seen| seen == sources) {
        return Ok(out);
    }
    let notice = "Installing TensorFlow and tf2onnx into target/bench/venv: they convert the models to ONNX.\n\
                  This happens once and downloads some 300 MB.";
    let python = python::ensure(folder, &requirements, notice)?;
    println!("Converting the models to ONNX: some peers read nothing else.");
    make_folder(&out)?;
    process::run(
        Command::new(python)
            .arg(script)
            .args([&weights, &out])
            .args(MODELS)
            // TensorFlow reports on the processor otherwise.
            .env("TF_CPP_MIN_LOG_LEVEL", "3"),
    )?;
    write(&stamp, sources.as_bytes())?;
    Ok(out)
}

/// Makes the vision networks in `folder/networks` and returns their names. Nothing runs where what makes them has not
/// changed.
pub fn make_networks(workspace: &Workspace, folder: &Path) -> Outcome<Vec<String>> {
    let out = folder.join("networks");
    let stamp = folder.join("networks-made-by");
    let script = workspace.root.join("tests/bench/networks.py");
    let below = |name: &str| workspace.root.join("tests/reference").join(name);
    let requirements = below("requirements.txt");
    let sources = sha256_of_sources(&[
        script.clone(),
        requirements.clone(),
        below("onnx_families.py"),
        below("onnx_net.py"),
    ])?;
    if !read_text(&stamp).is_ok_and(|seen| seen == sources) {
        let notice = "Installing onnx and onnxruntime into target/conformance/venv: they write the networks.";
        // Those that write the cases of the conformance tests.
        let python = python::ensure(&workspace.target.join("conformance"), &requirements, notice)?;
        println!("Making networks with random weights.");
        make_folder(&out)?;
        process::run(Command::new(python).arg(script).arg(&out))?;
        write(&stamp, sources.as_bytes())?;
    }
    let files = files_below(&out)?;
    let names = files.iter().filter_map(|file| file.file_stem()?.to_str());
    Ok(names.map(str::to_owned).collect())
}

/// Compiles a peer and returns the folder with its WebAssembly and JavaScript.
pub fn build_crate(workspace: &Workspace, folder: &Path, peer: &PeerCrate) -> Outcome<PathBuf> {
    let tools = tools::ensure_wasm_bindgen(workspace)?;
    println!("Building {} for the bench.", peer.name);
    let target = folder.join(format!("build-{}", peer.name));
    process::run(
        process::cargo()
            .args([
                "build",
                "--quiet",
                "--release",
                "--locked",
                "--target",
                tools::WASM_TARGET,
                "--target-dir",
            ])
            .arg(&target)
            .env("RUSTFLAGS", peer.flags)
            .current_dir(workspace.root.join("tests/bench").join(peer.name)),
    )?;
    let module = target.join(tools::WASM_TARGET).join("release");
    let out = folder.join(peer.name);
    site::join(&tools, &module.join(format!("{}.wasm", peer.package)), &out)?;
    Ok(out)
}
