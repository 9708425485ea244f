//! The stages of `cargo xtask test`: each prepares what it needs, runs its runner, and counts.
//!
//! WebAssembly tests are served by `wasm-bindgen-test-runner` in its interactive mode and opened in a browser by
//! `tests/e2e/wasm-tests.mjs`. Its other mode needs a chromedriver of exactly the browser's release, which few
//! machines have; the browser itself is enough this way.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::counts::Counts;
use crate::server::Server;
use crate::workspace::{Workspace, files_below, make_folder};
use crate::{Outcome, bench, browser, conformance, models, node, page, plumb, process, tools};

/// The package that only makes sense in a browser.
const WEB_PACKAGE: &str = "plumbline_web";

/// It, and what single pages load apart.
const BROWSER_PACKAGES: [&str; 3] = [WEB_PACKAGE, "plumbline_lab", "plumbline_watch"];

/// Packages with tests that run in a browser.
const WASM_TESTED_PACKAGES: [&str; 5] = [
    "plumbline_core",
    "plumbline_engine",
    "plumbline_figure",
    conformance::PACKAGE,
    WEB_PACKAGE,
];

/// How long a test server may take to come up.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Whether every file is formatted as rustfmt.toml says.
pub fn format(workspace: &Workspace, _counts: &mut Counts) -> Outcome<()> {
    process::run(
        process::cargo()
            .args(["fmt", "--all", "--check"])
            .current_dir(&workspace.root),
    )
    .map_err(|_| "some files are not formatted; run `cargo fmt --all`".to_owned())
}

/// Whether clippy is silent: everything but the page natively, the page for the browser.
pub fn lints(workspace: &Workspace, _counts: &mut Counts) -> Outcome<()> {
    let deny = ["--", "--deny", "warnings"];
    let of_browsers = |flag: &'static str| BROWSER_PACKAGES.iter().flat_map(move |package| [flag, package]);
    process::run(
        process::cargo()
            .args(["clippy", "--workspace", "--all-targets"])
            .args(of_browsers("--exclude"))
            .args(deny)
            .current_dir(&workspace.root),
    )?;
    process::run(
        process::cargo()
            .arg("clippy")
            .args(of_browsers("--package"))
            .args(["--all-targets", "--target", tools::WASM_TARGET])
            .args(deny)
            .current_dir(&workspace.root),
    )
}

/// All tests that need no browser, GPU tests on software Vulkan included.
pub fn native(workspace: &Workspace, counts: &mut Counts) -> Outcome<()> {
    models::ensure(workspace, &workspace.target.join("models"))?;
    if browser::ffmpeg().is_none() {
        println!("ffmpeg was not found: tests that decode clips are skipped.");
        counts.note_skip("ffmpeg is missing, so no clip is decoded");
    }
    let mut tests = process::cargo();
    // The page's own logic is tested natively too: it names no browser.
    tests
        .args(["test", "--workspace", "--no-fail-fast", "--", "--nocapture"])
        .current_dir(&workspace.root);
    use_software_gpu(&mut tests, workspace);
    succeed(
        process::watch(&mut tests, |line| counts.read(line))?,
        "native tests failed",
    )
}

/// Gives a command the software driver, with the same results on every machine; a real GPU is measured by hand.
fn use_software_gpu(command: &mut Command, workspace: &Workspace) {
    let Some(driver) = browser::lavapipe() else {
        println!(
            "Mesa's lavapipe was not found: GPU tests run on the adapter that there is, or are skipped."
        );
        return;
    };
    command.env("VK_DRIVER_FILES", driver);
    // The driver complains on every start where there is no such folder, and draws to no window here.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", &workspace.target);
    }
}

/// Operators, random graphs and known networks in ONNX, on both backends. Each backend counts as one test.
pub fn conformance(workspace: &Workspace, counts: &mut Counts) -> Outcome<()> {
    if let Err(reason) = conformance::ensure_cases(workspace)? {
        counts.note_skip(&reason);
        counts.skipped += 2;
        return Ok(());
    }
    let mut all_passed = true;
    for backend in ["cpu", "gpu"] {
        let mut runner = conformance::runner(workspace, &["--backend".to_owned(), backend.to_owned()]);
        use_software_gpu(&mut runner, workspace);
        let mut reason = None;
        let passed = process::watch(&mut runner, |line| {
            if let Some(sentence) = line.strip_prefix("skipped: ") {
                reason = Some(sentence.to_owned());
            }
        })?;
        match reason {
            Some(reason) => {
                counts.note_skip(&reason);
                counts.skipped += 1;
            }
            None if passed => counts.passed += 1,
            None => counts.failed += 1,
        }
        all_passed &= passed;
    }
    succeed(
        all_passed,
        "the engine and ONNX differ; `cargo xtask conformance` says where",
    )
}

/// The tests that run as WebAssembly in a browser.
pub fn wasm(workspace: &Workspace, counts: &mut Counts) -> Outcome<()> {
    let chrome = browser::chromium()?;
    tools::ensure_wasm_target()?;
    let runner = tools::ensure(workspace)?.join("wasm-bindgen-test-runner");
    node::install(workspace, "tests/e2e", "the browser driver of the tests is there")?;
    // What tests fetch lies here.
    let served = workspace.target.join("conformance/served");
    make_folder(&served)?;
    let cases = conformance::ensure_cases(workspace)?;
    match &cases {
        Ok(()) => conformance::write_pack(workspace, &served.join("cases.pack"))?,
        Err(reason) => {
            counts.note_skip(reason);
            counts.skipped += 1;
        }
    }
    let mut all_passed = true;
    for package in WASM_TESTED_PACKAGES {
        if package == conformance::PACKAGE && cases.is_err() {
            continue;
        }
        for program in wasm_test_programs(workspace, package)? {
            all_passed &= run_wasm_tests(&served, &runner, &program, &chrome, counts, workspace)?;
        }
    }
    succeed(all_passed, "WebAssembly tests failed")
}

/// Compiles a package's tests for the browser and returns the modules.
fn wasm_test_programs(workspace: &Workspace, package: &str) -> Outcome<Vec<PathBuf>> {
    let messages = process::output(
        process::cargo()
            .args([
                "test",
                "--no-run",
                "--target",
                tools::WASM_TARGET,
                "--package",
                package,
            ])
            // Its default is what only a computer without a browser can do.
            .args((package == conformance::PACKAGE).then_some("--no-default-features"))
            .arg("--message-format=json-render-diagnostics")
            .current_dir(&workspace.root),
    )?;
    let parsed = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let programs = parsed.filter(|message| message["profile"]["test"] == true);
    Ok(programs
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect())
}

/// Serves one module of tests beside the files of a folder, opens it in Chromium, and counts. Returns whether all passed.
fn run_wasm_tests(
    served: &Path,
    runner: &Path,
    program: &Path,
    chrome: &Path,
    counts: &mut Counts,
    workspace: &Workspace,
) -> Outcome<bool> {
    let port = free_port()?;
    let server = Command::new(runner)
        .arg(program)
        .env("NO_HEADLESS", "1")
        .env("WASM_BINDGEN_TEST_ADDRESS", format!("127.0.0.1:{port}"))
        .current_dir(served)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{} cannot be started: {error}", runner.display()))?;
    let mut server = StoppedOnDrop(server);
    if !wait_for_port(port, &mut server.0)? {
        println!(
            "{} has no tests.",
            program.file_stem().unwrap_or_default().to_string_lossy()
        );
        return Ok(true);
    }
    let mut driver = node::node()?;
    driver
        .arg(workspace.root.join("tests/e2e/wasm-tests.mjs"))
        .arg(format!("http://127.0.0.1:{port}/"))
        .env("PLUMBLINE_CHROMIUM", chrome);
    process::watch(&mut driver, |line| counts.read(line))
}

/// The built page in real browsers, and the bench page with Plumbline alone.
pub fn e2e(workspace: &Workspace, counts: &mut Counts) -> Outcome<()> {
    let chrome = browser::chromium()?;
    node::install(workspace, "tests/e2e", "the browser driver of the tests is there")?;
    let dist = page::build(workspace)?;
    let plumb = plumb::build(workspace)?;
    let output = workspace.target.join("e2e");
    make_folder(&output)?;
    let server = Server::bind(0, dist)?;
    let address = server.address();
    std::thread::spawn(move || server.run());
    let bench = Server::bind(0, bench::site::assemble_alone(workspace)?)?.with_policy(bench::POLICY);
    let bench_address = bench.address();
    std::thread::spawn(move || bench.run());

    let mut files = files_below(&workspace.root.join("tests/e2e"))?;
    files.extend(files_below(&workspace.root.join("tests/bench"))?);
    files.retain(|path| path.to_string_lossy().ends_with(".test.mjs"));
    let mut tests = node::node()?;
    tests
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .args(files)
        .env("PLUMBLINE_ADDRESS", address)
        .env("PLUMBLINE_BENCH_ADDRESS", bench_address)
        .env("PLUMBLINE_CHROMIUM", chrome)
        .env("PLUMBLINE_PLUMB", plumb)
        .env("PLUMBLINE_OUTPUT", output)
        .env("PLUMBLINE_DIST", workspace.dist())
        .current_dir(&workspace.root);
    let optional = [
        ("PLUMBLINE_FIREFOX", browser::firefox()?),
        ("PLUMBLINE_LAVAPIPE", browser::lavapipe()),
        ("PLUMBLINE_FFMPEG", browser::ffmpeg()),
        ("PLUMBLINE_DATA", workspace.data()),
    ];
    for (name, path) in optional {
        // The tests skip what needs a missing one, and say so.
        match path {
            Some(path) => tests.env(name, path),
            None => tests.env_remove(name),
        };
    }
    succeed(
        process::watch(&mut tests, |line| counts.read(line))?,
        "end-to-end tests failed",
    )
}

fn succeed(is_good: bool, sentence: &str) -> Outcome<()> {
    if is_good { Ok(()) } else { Err(sentence.to_owned()) }
}

/// A port that was free a moment ago, for a program that cannot choose one itself.
fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|error| format!("no port can be opened: {error}"))
}

/// Waits until a program answers on a port. Returns false where it ended well without ever serving: it had
/// nothing to serve.
fn wait_for_port(port: u16, program: &mut Child) -> Outcome<bool> {
    let begin = Instant::now();
    while begin.elapsed() < START_LIMIT {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(true);
        }
        if let Some(status) = program.try_wait().map_err(|error| error.to_string())? {
            if status.success() {
                return Ok(false);
            }
            let text = program
                .stdout
                .take()
                .map(BufReader::new)
                .into_iter()
                .flat_map(BufRead::lines);
            let text: Vec<String> = text.map_while(Result::ok).collect();
            return Err(format!(
                "wasm-bindgen-test-runner ended ({status}): {}",
                text.join(" ")
            ));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("wasm-bindgen-test-runner did not start to serve".to_owned())
}

/// A child that is stopped when its owner is done with it, whatever the outcome.
struct StoppedOnDrop(Child);

impl Drop for StoppedOnDrop {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
