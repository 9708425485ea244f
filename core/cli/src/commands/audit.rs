//! `plumb audit`: whether an audit log is whole, and what it says.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use plumbline_core::monitor::audit::AuditLog;

use crate::Outcome;
use crate::printing::print_json;

/// Checks the chain of an audit log (audit.jsonl of an evidence pack) and prints its records
#[derive(Args)]
pub struct Arguments {
    /// The log
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the records as one JSON array
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read, a chain that is broken, with the line.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let path = &arguments.file;
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the audit log ({error}): {}", path.display()))?;
    let log = AuditLog::read(&text).map_err(|broken| format!("{broken}: {}", path.display()))?;
    let views: Vec<_> = log.records().iter().map(|record| record.view()).collect();
    if arguments.json {
        return print_json(&mut std::io::stdout().lock(), &views);
    }
    for view in &views {
        println!(
            "{:>6}  {}  {:<10} {}",
            view.seq, view.at_unix_secs, view.kind, view.what
        );
    }
    println!("the chain of {} records holds", views.len());
    Ok(())
}
