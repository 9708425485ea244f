//! Runs the cases that `tests/reference/onnx_cases.py` wrote, and prints what came of them.
//!
//! Usage: `conformance [--backend cpu|gpu] [--group NAME]... [--filter TEXT] [--accept]`, or `conformance --pack FILE`, which
//! writes what the CPU supports of operators and random graphs into one file; `cargo xtask conformance` calls it. Out: every case that fails, what is unsupported and how often, a row for each group, and how the run differs from
//! the list of what is known to be unsupported, which `--accept` writes anew. The exit code is zero only when nothing
//! failed and nothing was lost. Where the cases are absent it says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use plumbline_conformance::files::{folder, group};
use plumbline_conformance::pack;
use plumbline_conformance::run::Verdict;
use plumbline_conformance::unsupported::{Unsupported, key};
use plumbline_conformance::worker::{Workers, serve};
use plumbline_engine::gpu::native::Gpu;

/// As the script calls them, from the smallest cases to the largest.
const GROUPS: [&str; 6] = ["node", "fuzz", "families", "published", "random", "light"];

/// For one case. The largest network takes some ten seconds on a software adapter.
const LIMIT: Duration = Duration::from_secs(300);

/// What the command line says.
#[derive(Default)]
struct Options {
    is_gpu: bool,
    is_worker: bool,
    accepts: bool,
    pack: Option<PathBuf>,
    groups: Vec<String>,
    filter: String,
}

/// How many cases came to what.
#[derive(Default)]
struct Sums {
    passed: usize,
    given: usize,
    unsupported: usize,
    failed: usize,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing failed and nothing was lost.
fn run(args: &[String]) -> Result<bool, String> {
    let options = read(args)?;
    if let Some(file) = &options.pack {
        return write_pack(file).map(|()| true);
    }
    let device = match options.is_gpu.then(Gpu::open) {
        None => None,
        Some(Ok(device)) => Some(device),
        Some(Err(error)) => {
            skip(&error.to_string());
            return Ok(true);
        }
    };
    if options.is_worker {
        return serve(&folder(), device.as_ref(), stdin().lock(), stdout().lock()).map(|()| true);
    }
    match &device {
        None => println!("on the CPU"),
        Some(device) => println!("on {}", device.adapter()),
    }
    // The workers open it anew, each for itself.
    drop(device);
    compare(&options)
}

/// Says that something cannot run here; `cargo xtask test` counts it as skipped.
fn skip(reason: &str) {
    println!("skipped: {reason}");
}

fn read(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        match (arg, arg.starts_with("--").then(|| args.clone().next()).flatten()) {
            ("--worker", _) => options.is_worker = true,
            ("--accept", _) => options.accepts = true,
            ("--backend", Some("cpu")) => options.is_gpu = false,
            ("--backend", Some("gpu")) => options.is_gpu = true,
            ("--group", Some(group)) if GROUPS.contains(&group) => options.groups.push(group.to_owned()),
            ("--pack", Some(file)) => options.pack = Some(file.into()),
            ("--filter", Some(filter)) => filter.clone_into(&mut options.filter),
            _ => {
                let groups = GROUPS.join("|");
                return Err(format!(
                    "it takes --backend cpu|gpu, --group {groups}, --filter TEXT, --accept and --pack FILE, and stopped at '{arg}'"
                ));
            }
        }
        if !matches!(arg, "--worker" | "--accept") {
            args.next();
        }
    }
    Ok(options)
}

/// Networks are left out: a browser would have to fetch a hundred megabytes.
fn write_pack(file: &Path) -> Result<(), String> {
    let unsupported = Unsupported::of_backend("cpu");
    let mut bytes = Vec::new();
    for name in ["node", "fuzz", "families"] {
        for entry in group(&folder(), name)? {
            if !unsupported.contains(&key(name, &entry.name)) {
                pack::push(&mut bytes, &entry.load()?);
            }
        }
    }
    fs::write(file, bytes).map_err(|error| format!("{}: {error}", file.display()))
}

/// The command that runs a worker for the same backend.
fn worker(is_gpu: bool) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| "conformance".into()));
    command.args(["--worker", "--backend", if is_gpu { "gpu" } else { "cpu" }]);
    command
}

fn compare(options: &Options) -> Result<bool, String> {
    let mut workers = Workers::new(|| worker(options.is_gpu), LIMIT);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let (mut asked, mut refused) = (BTreeSet::new(), BTreeSet::new());
    let mut table = Vec::new();
    for name in GROUPS {
        if !options.groups.is_empty() && !options.groups.iter().any(|chosen| chosen == name) {
            continue;
        }
        let mut sums = Sums::default();
        for case in group(&folder(), name)? {
            if !case.name.contains(&options.filter) {
                continue;
            }
            asked.insert(key(name, &case.name));
            match workers.ask(name, &case.name)? {
                Verdict::Pass { given } => {
                    sums.passed += 1;
                    sums.given += usize::from(given > 0);
                }
                Verdict::Unsupported(sentence) => {
                    sums.unsupported += 1;
                    *reasons.entry(reason(&sentence)).or_default() += 1;
                    refused.insert(key(name, &case.name));
                }
                Verdict::Fail(sentence) => {
                    sums.failed += 1;
                    println!("fail {name} {}: {sentence}", case.name);
                }
            }
        }
        table.push((name, sums));
    }
    if asked.is_empty() {
        skip("the ONNX cases are not in target/conformance; `cargo xtask conformance` writes them");
        return Ok(true);
    }
    let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in &reasons {
        println!("{count:>6}  unsupported  {reason}");
    }
    println!("  pass (given)  unsupported  fail   inputs are given when the model is read");
    for (name, sums) in &table {
        let Sums {
            passed,
            given,
            unsupported,
            failed,
        } = sums;
        println!("{passed:>6} {given:>7}  {unsupported:>11}  {failed:>4}   {name}");
    }
    let backend = if options.is_gpu { "gpu" } else { "cpu" };
    let list = Unsupported::of_backend(backend);
    let has_failed = table.iter().any(|(_, sums)| sums.failed > 0);
    if options.accepts {
        list.accept(&asked, &refused)?;
        return Ok(!has_failed);
    }
    let change = list.change(&asked, &refused);
    for key in &change.lost {
        println!("lost: {key} is unsupported and not on the list");
    }
    if !change.gained.is_empty() {
        println!(
            "{} more are supported; `--accept` takes them off the list",
            change.gained.len()
        );
    }
    Ok(!has_failed && change.lost.is_empty())
}

/// The sentence without what differs between models: positions and names.
fn reason(sentence: &str) -> String {
    let mut reason = String::new();
    let mut is_name = false;
    for letter in sentence.chars() {
        if letter == '\'' {
            is_name = !is_name;
        } else if is_name {
            continue;
        }
        // A number stands behind a space; digits behind a letter belong to the name of a type or an operator.
        match (letter.is_ascii_digit(), reason.chars().last()) {
            (true, Some(' ')) => reason.push('N'),
            (true, Some('N')) => {}
            _ => reason.push(letter),
        }
    }
    reason
}
