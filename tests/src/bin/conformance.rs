//! Runs the operator cases of the ONNX backend test suite, and prints what came of them.
//!
//! Usage: `conformance [--backend cpu|gpu]`; `cargo xtask conformance` calls it. In: the cases that
//! `tests/reference/onnx_cases.py` wrote. Out: every case that fails, what is unsupported and how often, and the sums. The
//! exit code is zero only when nothing failed. Where the cases are absent it says so.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use plumbline_engine::gpu::native::Gpu;
use plumbline_tests::conformance::case::{Case, folder, group};
use plumbline_tests::conformance::run::{Verdict, judge};
use plumbline_tests::skip;

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

/// Whether nothing failed.
fn run(args: &[String]) -> Result<bool, String> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let is_gpu = match args[..] {
        [] | ["--backend", "cpu"] => false,
        ["--backend", "gpu"] => true,
        _ => return Err(format!("it takes --backend cpu or gpu, not '{}'", args.join(" "))),
    };
    let cases = group(&folder(), "node")?;
    if cases.is_empty() {
        skip("the ONNX suite is not in target/conformance; tests/reference/onnx_cases.py writes it");
        return Ok(true);
    }
    let device = match is_gpu.then(Gpu::open) {
        None => None,
        Some(Ok(device)) => Some(device),
        Some(Err(error)) => {
            skip(&error.to_string());
            return Ok(true);
        }
    };
    match &device {
        None => println!("{} cases on the CPU", cases.len()),
        Some(device) => println!("{} cases on {}", cases.len(), device.adapter()),
    }
    let (mut passed, mut given, mut failed) = (0, 0, 0);
    let mut unsupported: BTreeMap<String, usize> = BTreeMap::new();
    for case in &cases {
        match verdict(case, device.as_ref()) {
            Verdict::Pass { given: 0 } => passed += 1,
            Verdict::Pass { .. } => {
                passed += 1;
                given += 1;
            }
            Verdict::Unsupported(sentence) => *unsupported.entry(reason(&sentence)).or_default() += 1,
            Verdict::Fail(sentence) => {
                failed += 1;
                println!("fail {}: {sentence}", case.name);
            }
        }
    }
    let mut reasons: Vec<(String, usize)> = unsupported.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in &reasons {
        println!("{count:>6}  unsupported  {reason}");
    }
    let refused: usize = reasons.iter().map(|(_, count)| count).sum();
    println!("{passed:>6}  pass, {given} of them with inputs given when the model was read");
    println!("{refused:>6}  unsupported");
    println!("{failed:>6}  fail");
    Ok(failed == 0)
}

/// A panic is a failure of its case.
fn verdict(case: &Case, device: Option<&Gpu>) -> Verdict {
    catch_unwind(AssertUnwindSafe(|| judge(case, device)))
        .unwrap_or_else(|_| Verdict::Fail("it panics".to_owned()))
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
