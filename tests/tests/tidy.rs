//! Holds the project to its own rules: what may depend on what, how files begin, how long they are, what they
//! may name, and that the documents stay true. Reads the files that git tracks; fails with every finding, not
//! the first.
//!
//! ARCHITECTURE.md names the test behind each of its invariants.

use plumbline_tests::{checkout, read, tracked_files};

/// Source lines of one file, tests not counted.
const MAX_LINES: usize = 600;

/// Files that may be longer, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// Bytes of one tracked file. Fixtures are small extracts; weights and media are never tracked.
const MAX_BYTES: u64 = 400_000;

/// Reports all findings at once.
fn assert_none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}

fn with_extension(extensions: &[&str]) -> Vec<String> {
    let mut files = tracked_files();
    files.retain(|file| {
        file.rsplit_once('.')
            .is_some_and(|(_, extension)| extensions.contains(&extension))
    });
    files
}

/// The part of a Rust source before its unit tests.
fn without_unit_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod ").map_or(text, |end| &text[..end])
}

/// A line of code without what follows `//`. Text in quotes is kept, so an address in a string loses its end;
/// no rule here minds.
fn without_comment(line: &str) -> &str {
    line.find("//").map_or(line, |start| &line[..start])
}

#[test]
fn every_source_file_opens_by_saying_what_it_is() {
    let mut findings = Vec::new();
    for file in with_extension(&["rs", "js", "mjs", "css", "wgsl", "py", "sh", "toml"]) {
        let text = read(&file);
        let (_, extension) = file.rsplit_once('.').expect("chosen by extension");
        let is_headed = match extension {
            "rs" => text.starts_with("//! "),
            "js" | "mjs" | "wgsl" => text.starts_with("//") || text.starts_with("/*"),
            "css" => text.starts_with("/*"),
            "py" => text.starts_with("\"\"\"") || text.starts_with("#"),
            "sh" => text.lines().nth(1).is_some_and(|line| line.starts_with("# ")),
            // Manifests are read by their keys; only our own formats need words.
            _ => file != "models/manifest.toml" || text.starts_with("# "),
        };
        if !is_headed {
            findings.push(file);
        }
    }
    assert_none(
        "these files do not open with a comment that says what they are",
        &findings,
    );
}

#[test]
fn files_stay_short_enough_to_read_in_one_sitting() {
    let mut findings = Vec::new();
    for file in with_extension(&["rs", "mjs", "js", "css", "wgsl"]) {
        if LONG_FILES.iter().any(|(name, _)| *name == file) || file.contains("/tests/") {
            continue;
        }
        let n_lines = without_unit_tests(&read(&file)).lines().count();
        if n_lines > MAX_LINES {
            findings.push(format!("{file}: {n_lines} lines without tests"));
        }
    }
    assert_none(
        &format!("these files have more than {MAX_LINES} lines; split them by subject"),
        &findings,
    );
}

#[test]
fn modules_are_named_by_their_subject() {
    let vague = [
        "utils", "util", "common", "helpers", "helper", "misc", "manager", "stuff",
    ];
    let mut findings = tracked_files();
    findings.retain(|file| {
        file.split('/')
            .any(|part| vague.contains(&part.split('.').next().unwrap_or_default()))
    });
    assert_none("these names do not say what is inside", &findings);
}

#[test]
fn nothing_is_left_to_do_in_comments() {
    let markers = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X:"].concat(),
    ];
    let mut findings = Vec::new();
    for file in with_extension(&["rs", "mjs", "js", "css", "wgsl", "html", "md", "py"]) {
        for (position, line) in read(&file).lines().enumerate() {
            if markers.iter().any(|marker| line.contains(marker.as_str())) {
                findings.push(format!("{file}:{}: {}", position + 1, line.trim()));
            }
        }
    }
    assert_none("unfinished work belongs into an issue", &findings);
}

#[test]
fn browser_names_stay_behind_their_doors() {
    let doors = [
        "web/src/platform",
        "web/src/worker",
        "web/lab/src/platform",
        "web/lab/src/worker",
        "web/watch/src/platform",
        "web/watch/src/worker",
        // What the page calls.
        "web/lab/src/main.rs",
        "web/watch/src/main.rs",
    ];
    let names = ["web_sys", "js_sys", "wasm_bindgen"];
    let mut findings = Vec::new();
    for file in with_extension(&["rs"]) {
        let is_page = ["web/src/", "web/lab/src/", "web/watch/src/"]
            .iter()
            .any(|folder| file.starts_with(folder));
        if !is_page || doors.iter().any(|door| file.starts_with(door)) {
            continue;
        }
        for (position, line) in without_unit_tests(&read(&file)).lines().enumerate() {
            if names.iter().any(|name| without_comment(line).contains(name)) {
                findings.push(format!("{file}:{}: {}", position + 1, line.trim()));
            }
        }
    }
    assert_none(
        "only the folders platform and worker of web, web/lab and web/watch may name the browser's interfaces",
        &findings,
    );
}

/// What a package may depend on, tests and build tools aside. `None`: anything but what is forbidden to all.
const MAY_DEPEND_ON: [(&str, Option<&[&str]>); 13] = [
    // All but the first behind features: manifests of models that somebody brings are text, records are hashed text.
    ("core", Some(&["serde", "serde_json", "sha2", "toml"])),
    (
        "core/engine",
        Some(&[
            "bytemuck",
            "wide",
            "fearless_simd",
            "rten-onnx",
            "wgpu",
            "pollster",
        ]),
    ),
    ("core/pipeline", Some(&["plumbline_core", "plumbline_engine"])),
    ("core/figure", Some(&[])),
    ("core/cli", None),
    ("web", None),
    (
        "web/team",
        Some(&[
            "plumbline_engine",
            "plumbline_pipeline",
            "js-sys",
            "wasm-bindgen",
            "web-sys",
        ]),
    ),
    (
        "web/lab",
        Some(&[
            "plumbline_core",
            "plumbline_engine",
            "plumbline_pipeline",
            "plumbline_web",
            "console_error_panic_hook",
            "js-sys",
            "leptos",
            "serde",
            "serde_json",
            "wasm-bindgen",
            "wasm-bindgen-futures",
            "web-sys",
        ]),
    ),
    (
        "web/watch",
        Some(&[
            "plumbline_core",
            "plumbline_engine",
            "plumbline_pipeline",
            "plumbline_web",
            "console_error_panic_hook",
            "futures-util",
            "js-sys",
            "leptos",
            "serde",
            "serde_json",
            "wasm-bindgen",
            "wasm-bindgen-futures",
            "web-sys",
        ]),
    ),
    ("tests", None),
    ("tests/conformance", Some(&["plumbline_engine", "serde_json"])),
    ("tests/bench/plumbline", None),
    ("xtask", Some(&["serde", "serde_json", "sha2", "toml"])),
];

fn manifest(folder: &str) -> toml::Table {
    let file = format!("{folder}/Cargo.toml");
    read(&file)
        .parse()
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// All tables of dependencies of a manifest whose name is one of `kinds`, those for single targets included.
fn dependencies(manifest: &toml::Table, kinds: &[&str]) -> Vec<(String, toml::Value)> {
    let mut tables: Vec<&toml::Table> = vec![manifest];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        tables.extend(targets.values().filter_map(toml::Value::as_table));
    }
    let mut found = Vec::new();
    for table in tables {
        for kind in kinds {
            let entries = table
                .get(*kind)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten();
            found.extend(entries.map(|(name, value)| (name.clone(), value.clone())));
        }
    }
    found
}

#[test]
fn packages_depend_only_on_what_they_may_know() {
    let mut findings = Vec::new();
    for (folder, allowed) in MAY_DEPEND_ON {
        for (name, _) in dependencies(&manifest(folder), &["dependencies", "build-dependencies"]) {
            let is_allowed = allowed.is_none_or(|allowed| allowed.contains(&name.as_str()));
            if !is_allowed || name == "plumbline_tests" {
                findings.push(format!("{folder} -> {name}"));
            }
        }
    }
    assert_none(
        "these dependencies are not allowed (ARCHITECTURE.md says why)",
        &findings,
    );
}

#[test]
fn every_package_is_known_to_the_rules() {
    let root: toml::Table = read("Cargo.toml").parse().expect("the root manifest is TOML");
    let members = root["workspace"]["members"]
        .as_array()
        .expect("members is a list");
    let mut members: Vec<&str> = members.iter().filter_map(toml::Value::as_str).collect();
    let mut known: Vec<&str> = MAY_DEPEND_ON.iter().map(|(folder, _)| *folder).collect();
    members.sort_unstable();
    known.sort_unstable();
    assert_eq!(
        members, known,
        "a package was added or removed without a rule for what it may know"
    );
}

/// What the engine has behind a feature, and the page does without, with the libraries that it brings: wgpu, because the
/// browser has WebGPU itself, the ONNX reader, because workers start from graph files, and tensor operators, because
/// models that follow a person have none.
const BEHIND_FEATURES: [(&str, &[&str]); 3] = [
    ("native", &["wgpu", "pollster"]),
    ("onnx", &["rten-onnx"]),
    ("tensor_ops", &[]),
];

#[test]
fn what_the_page_does_without_stays_out_of_it() {
    let engine = manifest("core/engine");
    let texts = |list: &toml::Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(toml::Value::as_str).map(str::to_owned).collect()
    };
    let features = engine
        .get("features")
        .and_then(toml::Value::as_table)
        .expect("the engine has features");
    // What is on by default, a package gets by asking for nothing.
    let with_defaults = |value: &toml::Value| {
        let switch = value.get("default-features").and_then(toml::Value::as_bool);
        switch != Some(false)
    };
    let root: toml::Table = read("Cargo.toml").parse().expect("the root manifest is TOML");
    let shared = &root["workspace"]["dependencies"]["plumbline_engine"];
    assert!(
        !with_defaults(shared),
        "Cargo.toml must leave the engine's default features to those who ask for them"
    );
    for (guard, libraries) in BEHIND_FEATURES {
        for (name, value) in dependencies(&engine, &["dependencies"]) {
            if libraries.contains(&name.as_str()) {
                let is_optional = value.get("optional").and_then(toml::Value::as_bool);
                assert_eq!(is_optional, Some(true), "{name} must be optional in core/engine");
            }
        }
        for (feature, enables) in features {
            // Readers need operators, and `default` is for those who do not say.
            let may = feature == guard
                || (guard == "tensor_ops" && ["default", "onnx"].contains(&feature.as_str()));
            let pulls = texts(enables)
                .iter()
                .any(|entry| entry == guard || libraries.iter().any(|library| entry.contains(library)));
            assert!(
                !pulls || may,
                "feature '{feature}' of core/engine pulls in {libraries:?}; only '{guard}' may"
            );
        }
        for folder in ["core/pipeline", "web", "web/team", "web/watch"] {
            for (name, value) in dependencies(&manifest(folder), &["dependencies"]) {
                assert!(
                    !libraries.contains(&name.as_str()),
                    "{folder} must not depend on {name}"
                );
                let asks = value.get("features").is_some_and(|list| {
                    texts(list)
                        .iter()
                        .any(|feature| feature == guard || feature == "default")
                });
                let inherits = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                assert!(
                    name != "plumbline_engine" || (!asks && (inherits || !with_defaults(&value))),
                    "{folder} must not ask for the engine's '{guard}'"
                );
            }
            // A package's own features ask for the engine's by its name.
            let own = manifest(folder);
            let own = own
                .get("features")
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten();
            for (feature, enables) in own {
                let asks = texts(enables)
                    .iter()
                    .any(|entry| entry.strip_prefix("plumbline_engine/") == Some(guard));
                assert!(
                    !asks || feature == guard,
                    "feature '{feature}' of {folder} asks for the engine's '{guard}'"
                );
            }
        }
    }
}

#[test]
fn text_formats_are_optional_in_the_core() {
    for (name, value) in dependencies(&manifest("core"), &["dependencies"]) {
        let is_optional = value.get("optional").and_then(toml::Value::as_bool) == Some(true);
        assert!(
            is_optional || name == "serde",
            "{name} must be optional in core: workers read no text"
        );
    }
}

#[test]
fn peers_of_the_bench_stay_out_of_the_product() {
    let peers = [
        "onnxruntime",
        "@litertjs/",
        "@mediapipe/tasks",
        "\nrten =",
        "\"rten\"",
        "\nwonnx =",
        "\"wonnx\"",
        "tensorflow",
    ];
    let mut findings = Vec::new();
    for file in tracked_files() {
        let name = file.rsplit('/').next().unwrap_or_default();
        let is_manifest = matches!(
            name,
            "Cargo.toml" | "Cargo.lock" | "package.json" | "package-lock.json" | "requirements.txt"
        );
        let may_ask = ["tests/bench/", "tests/reference/"];
        if !is_manifest || may_ask.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        let text = read(&file);
        let found = peers.iter().filter(|peer| text.contains(**peer));
        findings.extend(found.map(|peer| format!("{file}: {}", peer.trim())));
    }
    assert_none(
        "only the bench and the scripts for reference values may ask for other runtimes",
        &findings,
    );
}

#[test]
fn versions_and_lints_are_set_once_for_all() {
    let mut findings = Vec::new();
    for (folder, _) in MAY_DEPEND_ON {
        let manifest = manifest(folder);
        for (name, value) in dependencies(
            &manifest,
            &["dependencies", "dev-dependencies", "build-dependencies"],
        ) {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                findings.push(format!(
                    "{folder}: {name} does not take its version from the root manifest"
                ));
            }
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if lints.and_then(toml::Value::as_bool) != Some(true) {
            findings.push(format!("{folder} does not take the workspace's lints"));
        }
    }
    assert_none("the root manifest decides", &findings);
}

#[test]
fn no_file_names_a_place_of_this_machine() {
    let root = checkout().canonicalize().expect("the checkout is there");
    let mut places = vec![root.parent().unwrap_or(&root).to_path_buf(), std::env::temp_dir()];
    places.extend(std::env::home_dir());
    let mut marks: Vec<String> = places
        .iter()
        .map(|place| format!("{}/", place.display().to_string().trim_end_matches('/')))
        .collect();
    // A checkout directly under the root folder has a parent that every absolute path starts with.
    marks.retain(|mark| mark.len() > 2);
    marks.extend(["registry.", "index."].map(|host| format!("https://{host}")));
    let mut findings = Vec::new();
    for file in tracked_files() {
        let Ok(text) = std::fs::read_to_string(checkout().join(&file)) else {
            continue;
        };
        for (position, line) in text.lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(mark.as_str())) {
                findings.push(format!("{file}:{}: contains '{mark}'", position + 1));
            }
        }
    }
    assert_none(
        "a clone on another machine has other places and another registry mirror",
        &findings,
    );
}

#[test]
fn lock_files_pin_contents_and_not_addresses() {
    let mut n_seen = 0;
    for file in tracked_files() {
        if file.ends_with("package-lock.json") {
            n_seen += 1;
            let text = read(&file);
            assert!(
                !text.contains("\"resolved\""),
                "{file} names download addresses; is its .npmrc in place?"
            );
            assert!(
                text.contains("\"integrity\": \"sha512-"),
                "{file} pins no contents"
            );
        }
    }
    assert!(
        n_seen >= 2,
        "the lock files of models/ and tests/e2e/ are tracked"
    );
    assert!(
        tracked_files().contains(&"Cargo.lock".to_owned()),
        "Cargo.lock is tracked"
    );
}

#[test]
fn the_build_tools_agree_on_one_wasm_bindgen() {
    let lock: toml::Table = read("Cargo.lock").parse().expect("Cargo.lock is TOML");
    let packages = lock["package"].as_array().expect("Cargo.lock lists packages");
    let of_name = |package: &&toml::Value| package["name"].as_str() == Some("wasm-bindgen");
    let locked = packages
        .iter()
        .find(of_name)
        .map(|package| package["version"].clone());
    let trunk: toml::Table = read("web/Trunk.toml").parse().expect("Trunk.toml is TOML");
    let asked = trunk.get("tools").and_then(|tools| tools.get("wasm_bindgen"));
    assert!(
        asked.is_none() || asked == locked.as_ref(),
        "web/Trunk.toml asks for {asked:?}, Cargo.lock for {locked:?}"
    );
}

#[test]
fn weights_media_and_built_files_are_not_tracked() {
    let kinds = [
        "tflite",
        "onnx",
        "task",
        "pt",
        "safetensors",
        "wasm",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "mp4",
        "webm",
        "mjpeg",
        "avi",
        "mov",
        "wav",
        "zip",
        "gz",
        "br",
    ];
    let mut findings = with_extension(&kinds);
    for file in tracked_files() {
        let n_bytes = std::fs::metadata(checkout().join(&file)).map_or(0, |metadata| metadata.len());
        if n_bytes > MAX_BYTES {
            findings.push(format!("{file}: {n_bytes} bytes"));
        }
    }
    assert_none("these are fetched, drawn or built, never committed", &findings);
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut findings = Vec::new();
    for file in with_extension(&["md"]) {
        let folder = checkout()
            .join(&file)
            .parent()
            .expect("a file lies in a folder")
            .to_path_buf();
        let text = read(&file);
        for rest in text.split("](").skip(1) {
            let Some(target) = rest.split([')', ' ']).next() else {
                continue;
            };
            let path = target.split('#').next().unwrap_or_default();
            let is_elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
            if !is_elsewhere && !folder.join(path).exists() {
                findings.push(format!("{file} -> {target}"));
            }
        }
    }
    assert_none("these links are broken", &findings);
}

#[test]
fn each_invariant_names_the_test_that_holds_it() {
    let text = read("ARCHITECTURE.md");
    let tests: String = with_extension(&["rs", "mjs"])
        .iter()
        .map(|file| read(file))
        .collect();
    let mut findings = Vec::new();
    let mut n_invariants = 0;
    for line in text.lines().filter(|line| line.contains("**Invariant:**")) {
        n_invariants += 1;
        // The last words in backquotes of the line, after "Held by".
        let holders = line.split_once("Held by ").map_or("", |(_, holders)| holders);
        let named: Vec<&str> = holders.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            findings.push(format!("no test is named: {line}"));
        }
        for name in named {
            if !tests.contains(&format!("fn {name}(")) && !tests.contains(&format!("test('{name}'")) {
                findings.push(format!("there is no test '{name}': {line}"));
            }
        }
    }
    assert!(n_invariants > 0, "ARCHITECTURE.md states its invariants");
    assert_none("invariants that nothing holds drift", &findings);
}
