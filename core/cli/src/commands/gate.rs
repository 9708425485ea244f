//! `plumb gate`: whether a model may be used, by the change plan and reports of its evaluation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use plumbline_core::monitor::canonical::sha256_hex;
use plumbline_core::monitor::change_plan::{ChangePlan, Gate};
use serde::Serialize;
use serde_json::Value;

use crate::Outcome;
use crate::manifest;
use crate::printing::print_json;

/// Checks a model against the plan of what may change; ends with 0 if it may be used, with 1 if not
#[derive(Args)]
pub struct Arguments {
    /// The plan, TOML
    #[arg(long, value_name = "FILE", default_value = "models/change-plan.toml")]
    plan: PathBuf,
    /// A name of models/manifest.toml, or the file of a model
    #[arg(long, value_name = "NAME|FILE")]
    model: String,
    /// A report of `plumb evaluate --json` that names the model by its hash; may be given several times
    #[arg(long, value_name = "REPORT.json")]
    report: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct GateJson<'a> {
    model: &'a str,
    sha256: &'a str,
    is_open: bool,
    change: Option<&'a str>,
    why: Option<&'a str>,
    criteria: &'a [plumbline_core::monitor::snapshot::Criterion],
}

/// Runs the command.
///
/// # Errors
/// A plan or report that cannot be read, a model that is not there.
pub fn run(arguments: &Arguments) -> Outcome<ExitCode> {
    let plan = ChangePlan::read(&text_of(&arguments.plan, "the change plan")?)?;
    let reports = arguments.report.iter().map(|path| {
        let text = text_of(path, "the report")?;
        serde_json::from_str(&text)
            .map_err(|error| format!("the report is no JSON ({error}): {}", path.display()))
    });
    let reports = reports.collect::<Outcome<Vec<Value>>>()?;
    let model = arguments.model.as_str();
    let sha256 = match manifest::sha256_of(model) {
        Ok(known) => known,
        Err(_) => sha256_hex(&manifest::read_model_or_file(model)?),
    };
    let name = Path::new(model)
        .file_stem()
        .map_or_else(|| model.into(), |stem| stem.to_string_lossy());
    let gate = plan.judge(&name, &sha256, &reports);
    print(arguments, &name, &sha256, &gate)?;
    Ok(if gate.is_open() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(arguments: &Arguments, model: &str, sha256: &str, gate: &Gate) -> Outcome<()> {
    let (change, why, criteria) = match gate {
        Gate::Baseline => (None, None, &[][..]),
        Gate::Planned { change, criteria } => (Some(change.as_str()), None, &criteria[..]),
        Gate::Uncovered { why } => (None, Some(why.as_str()), &[][..]),
    };
    if arguments.json {
        let json = GateJson {
            model,
            sha256,
            is_open: gate.is_open(),
            change,
            why,
            criteria,
        };
        return print_json(&mut std::io::stdout().lock(), &json);
    }
    let verdict = if gate.is_open() {
        "may be used"
    } else {
        "may not be used"
    };
    match gate {
        Gate::Baseline => println!("{model} {verdict}: it is a baseline of the plan"),
        Gate::Planned { change, criteria } => {
            println!("{model} {verdict}: change '{change}'");
            for criterion in criteria {
                let value = criterion
                    .value
                    .map_or_else(|| "not reported".to_owned(), |value| format!("{value:.4}"));
                let met = if criterion.is_met { "met" } else { "not met" };
                println!("  {}: {value}, limit {}: {met}", criterion.name, criterion.limit);
            }
        }
        Gate::Uncovered { why } => println!("{model} {verdict}: {why}"),
    }
    Ok(())
}

fn text_of(path: &Path, what: &str) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {what} ({error}): {}", path.display()))
}
