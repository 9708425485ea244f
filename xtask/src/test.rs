//! `cargo xtask test`: everything that must hold before a change lands.
//!
//! The stages run from the quickest to the slowest. A stage that fails does not stop the next ones, so that
//! one run tells everything. The last line counts the tests of all runners; a stage that failed without a
//! failed test of its own (format, lints, a build) counts as one failure. The exit code is zero only when
//! nothing failed.

mod counts;
mod stages;

use std::time::Instant;

use crate::Outcome;
use crate::workspace::Workspace;
use counts::Counts;

/// One stage: its name on the command line, what it proves, whether it runs without a browser, and what runs
/// it.
struct Stage {
    name: &'static str,
    title: &'static str,
    is_quick: bool,
    run: fn(&Workspace, &mut Counts) -> Outcome<()>,
}

/// In the order in which they run.
const STAGES: [Stage; 6] = [
    Stage {
        name: "format",
        title: "Format (rustfmt)",
        is_quick: true,
        run: stages::format,
    },
    Stage {
        name: "lints",
        title: "Lints (clippy, natively and for the browser)",
        is_quick: true,
        run: stages::lints,
    },
    Stage {
        name: "conformance",
        title: "Conformance to ONNX, on the CPU and the GPU",
        is_quick: false,
        run: stages::conformance,
    },
    Stage {
        name: "native",
        title: "Native tests",
        is_quick: true,
        run: stages::native,
    },
    Stage {
        name: "wasm",
        title: "WebAssembly tests in Chromium",
        is_quick: false,
        run: stages::wasm,
    },
    Stage {
        name: "e2e",
        title: "The built page in Chromium and Firefox",
        is_quick: false,
        run: stages::e2e,
    },
];

/// Runs the command.
pub fn run(workspace: &Workspace, args: &[String]) -> Outcome<()> {
    let chosen = choose(args)?;
    let begin = Instant::now();
    let mut counts = Counts::default();
    let mut ledger = Vec::new();
    for stage in chosen {
        println!("\n== {} ==", stage.title);
        let begin = Instant::now();
        let failed_before = counts.failed;
        let outcome = (stage.run)(workspace, &mut counts);
        if let Err(sentence) = &outcome {
            println!("error: {sentence}");
            if counts.failed == failed_before {
                counts.failed += 1;
            }
        }
        let verdict = if counts.failed == failed_before {
            "ok"
        } else {
            "FAILED"
        };
        ledger.push(format!(
            "{:<8} {:>6.1} s  {verdict}",
            stage.name,
            begin.elapsed().as_secs_f64()
        ));
    }
    println!("\n== Result ==");
    for line in &ledger {
        println!("{line}");
    }
    println!("{:<8} {:>6.1} s", "all", begin.elapsed().as_secs_f64());
    for reason in &counts.skip_reasons {
        println!("skipped: {reason}");
    }
    println!("{counts}");
    if counts.failed == 0 {
        Ok(())
    } else {
        Err("not everything holds; the stages above say what".to_owned())
    }
}

/// The stages that the arguments ask for, in the order of [`STAGES`].
fn choose(args: &[String]) -> Outcome<Vec<&'static Stage>> {
    let mut only: Vec<&str> = Vec::new();
    let mut is_quick = false;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--quick" => is_quick = true,
            "--only" => only.push(rest.next().ok_or("--only needs the name of a stage")?),
            other => {
                return Err(format!(
                    "`cargo xtask test` takes --quick and --only STAGE, not '{other}'"
                ));
            }
        }
    }
    if let Some(unknown) = only
        .iter()
        .find(|name| STAGES.iter().all(|stage| stage.name != **name))
    {
        let names = STAGES.map(|stage| stage.name).join(", ");
        return Err(format!("there is no stage '{unknown}'; the stages are {names}"));
    }
    let is_chosen =
        |stage: &&Stage| (only.is_empty() || only.contains(&stage.name)) && (!is_quick || stage.is_quick);
    Ok(STAGES.iter().filter(is_chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Outcome<Vec<&'static str>> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Ok(choose(&args)?.iter().map(|stage| stage.name).collect())
    }

    #[test]
    fn arguments_choose_stages_in_the_fixed_order() {
        assert_eq!(
            names(&[]).unwrap(),
            ["format", "lints", "conformance", "native", "wasm", "e2e"]
        );
        assert_eq!(names(&["--quick"]).unwrap(), ["format", "lints", "native"]);
        assert_eq!(
            names(&["--only", "e2e", "--only", "format"]).unwrap(),
            ["format", "e2e"]
        );
    }

    #[test]
    fn unknown_arguments_are_errors() {
        for args in [&["--only"][..], &["--only", "unit"], &["--fast"]] {
            assert!(names(args).is_err(), "{args:?}");
        }
    }
}
