//! `plumb card`: a model card with the numbers of a report, as Hugging Face reads it.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;
use plumbline_core::metrics::card::{About, card};
use plumbline_core::metrics::report::{Report, SCHEMA};

use crate::Outcome;
use crate::manifest::about;
use crate::printing::written;

/// Writes a model card with the numbers of a report (plumb evaluate --json), in Hugging Face's form
#[derive(Args)]
pub struct Arguments {
    /// The report
    #[arg(value_name = "REPORT.json")]
    report: PathBuf,
    /// What the card calls the model; of one of the manifest, its licence, source and hash are added
    #[arg(long, value_name = "NAME")]
    model: String,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let path = &arguments.report;
    let text =
        fs::read(path).map_err(|error| format!("cannot read the report ({error}): {}", path.display()))?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| {
        format!(
            "this is no report of plumb evaluate --json ({error}): {}",
            path.display()
        )
    })?;
    if report.schema > SCHEMA {
        return Err(format!(
            "the report is of schema {}, and this plumb reads up to {SCHEMA}: {}",
            report.schema,
            path.display()
        ));
    }
    let about = about(&arguments.model).unwrap_or_else(|| About {
        name: arguments.model.clone(),
        ..About::default()
    });
    written(io::Write::write_all(
        &mut io::stdout().lock(),
        card(&report, &about).as_bytes(),
    ))
}
