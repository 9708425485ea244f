//! `plumb drift`: where a stream of numbers changes, by any detector; with `--reference`, whether a clip is as it was
//! ([`super::drift_reference`]).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use plumbline_core::drift::{AnyDetector, DETECTORS, Detector, Window};
use serde::Serialize;

use crate::Outcome;
use crate::commands::drift_reference;
use crate::commands::profile::{self, LookingArguments};
use crate::printing::{print_json, written};

/// Prints where a stream of numbers (one a line, - for standard input) changes, counted from 0, one index a line; or says
/// whether a clip is like a reference, and ends with 3 if it is not
#[derive(Args)]
pub struct Arguments {
    /// adwin, page-hinkley or cusum of numbers; e-detector of shares from 0 to 1; ddm, eddm, hddm-a or hddm-w of errors (1 is wrong); fhddm of right
    /// answers (1 is right: it watches for a fall of the share of ones)
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "reference",
        conflicts_with = "reference"
    )]
    detector: Option<String>,
    /// A profile of `plumb profile`; the file is then a clip, or the profile of other sessions
    #[arg(long, value_name = "PROFILE.json")]
    reference: Option<PathBuf>,
    /// Mean number of blocks until one chart alarms by chance, instead of the reference's
    #[arg(long, value_name = "N", requires = "reference", value_parser = profile::arl0)]
    arl0: Option<f64>,
    #[command(flatten)]
    looking: LookingArguments,
    /// A setting of the detector, by river's name (adwin: delta, clock, max_buckets, ...); may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting, conflicts_with = "reference")]
    settings: Vec<(String, String)>,
    /// One number a line; - reads standard input. With --reference a clip or a profile
    #[arg(value_name = "FILE")]
    source: PathBuf,
    /// Print one JSON object instead, with warnings and, for adwin, its window
    #[arg(long)]
    json: bool,
}

/// `name=value`.
fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// What is printed with `--json`.
#[derive(Serialize)]
struct DriftJson<'a> {
    detector: &'a str,
    n: u64,
    drifts: Vec<u64>,
    warnings: Vec<u64>,
    #[serde(flatten)]
    window: Option<Window>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<ExitCode> {
    match (&arguments.reference, &arguments.detector) {
        (Some(reference), _) => drift_reference::run(&drift_reference::Wish {
            reference,
            source: &arguments.source,
            arl0: arguments.arl0,
            looking: &arguments.looking,
            json: arguments.json,
        }),
        (None, Some(name)) => run_stream(arguments, name).map(|()| ExitCode::SUCCESS),
        (None, None) => Err("name a detector, or a reference to compare with".to_owned()),
    }
}

fn run_stream(arguments: &Arguments, name: &str) -> Outcome<()> {
    let mut detector = AnyDetector::named(name, &arguments.settings).map_err(|error| error.to_string())?;
    let mut out = io::stdout().lock();
    let (mut drifts, mut warnings) = (Vec::new(), Vec::new());
    let n = each_number(&arguments.source, |index, x| {
        let signal = detector.update(x).map_err(|error| error.to_string())?;
        if signal.drift {
            if !arguments.json {
                written(writeln!(out, "{index}").and_then(|()| out.flush()))?;
            }
            drifts.push(index);
        }
        if signal.warning {
            warnings.push(index);
        }
        Ok(())
    })?;
    if arguments.json {
        let window = detector.window();
        let json = DriftJson {
            detector: DETECTORS.into_iter().find(|known| *known == name).unwrap_or(name),
            n,
            drifts,
            warnings,
            window,
        };
        print_json(&mut out, &json)?;
    }
    Ok(())
}

/// Hands over the numbers of a file with their places from 0, and says how many there were. An error names the line.
///
/// # Errors
/// The file cannot be read, holds no number, or a line is none; what `take` says.
pub fn each_number(source: &Path, mut take: impl FnMut(u64, f64) -> Outcome<()>) -> Outcome<u64> {
    let name = source.display();
    let reader: Box<dyn BufRead> = if source == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(source).map_err(|error| format!("{name} cannot be read ({error})"))?;
        Box::new(BufReader::new(file))
    };
    let mut n = 0;
    let mut first_empty = None;
    for (line, text) in (1u64..).zip(reader.lines()) {
        let text = text.map_err(|error| format!("{name}, line {line}: {error}"))?;
        let text = text.trim();
        if text.is_empty() {
            first_empty.get_or_insert(line);
            continue;
        }
        // Empty lines may end a file; in the middle one would move every index behind it.
        if let Some(empty) = first_empty {
            return Err(format!(
                "{name}, line {empty} is empty; there must be one number a line"
            ));
        }
        let x: f64 = text.parse().map_err(|_| {
            format!("{name}, line {line}: '{text}' is not a number; there must be one number a line")
        })?;
        take(n, x).map_err(|sentence| format!("{name}, line {line}: {sentence}"))?;
        n += 1;
    }
    if n == 0 {
        return Err(format!("{name} holds no numbers; there must be one a line"));
    }
    Ok(n)
}
