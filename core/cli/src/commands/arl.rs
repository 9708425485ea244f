//! `plumb arl`: how often a calibrated chart really alarms by chance, and how soon it finds planted shifts.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use clap::Args;
use plumbline_core::drift::CalibrationSettings;
use plumbline_core::drift::run_length::{Achieved, Experiment, Law, Scale, Trial};
use plumbline_core::statistics::Interval;
use serde::Serialize;

use super::drift::each_number;
use crate::Outcome;
use crate::printing::{print_json, written};

/// Prints what charts achieve: blocks between false alarms, and the delay until planted shifts are found
///
/// Draws references of a stream whose law is known, calibrates a chart on each as a monitor does, and runs it on new
/// streams. The result depends on the seed only, not on how many processors there are.
#[derive(Args)]
pub struct Arguments {
    /// iid, ar:PHI and confidence:PHI (frames that remember, at 30 a second), periodic, or csv:FILE with a block mean a
    /// line, resampled; may be given several times
    #[arg(long = "stream", value_name = "STREAM", default_value = "ar:0.98")]
    streams: Vec<String>,
    /// Blocks between false alarms that are asked for
    #[arg(long, value_name = "BLOCKS", default_value_t = 480.0)]
    arl0: f64,
    /// Blocks of a reference
    #[arg(long, value_name = "BLOCKS", default_value_t = 240)]
    reference_blocks: usize,
    /// The share of references that keep the promise, or none: on average over them
    #[arg(long, value_name = "SHARE|none", default_value = "0.9", value_parser = guarantee)]
    guarantee: Guarantee,
    /// The allowance of the charts, in sd of blocks
    #[arg(long, value_name = "SD", default_value_t = 0.5)]
    k: f64,
    /// References that are tried
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    references: u32,
    /// The seed of everything
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print one JSON object for each stream
    #[arg(long)]
    json: bool,
}

/// A share, or none.
#[derive(Clone, Copy)]
struct Guarantee(Option<f64>);

fn guarantee(text: &str) -> Result<Guarantee, String> {
    if text == "none" {
        return Ok(Guarantee(None));
    }
    let share = text
        .parse()
        .map_err(|_| "a share such as 0.9, or none".to_owned())?;
    Ok(Guarantee(Some(share)))
}

/// What is printed of a stream with `--json`.
#[derive(Serialize)]
struct ArlJson<'a> {
    stream: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_secs: Option<f64>,
    reference_blocks: usize,
    arl0: f64,
    guarantee: Option<f64>,
    is_extrapolated: bool,
    #[serde(flatten)]
    achieved: &'a Achieved,
    seconds: f64,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let settings = CalibrationSettings {
        run_length: arguments.arl0,
        guarantee: arguments.guarantee.0,
        k: arguments.k,
        seed: arguments.seed,
        ..CalibrationSettings::default()
    };
    let mut out = io::stdout().lock();
    for stream in &arguments.streams {
        let law = law(stream)?;
        let block_secs = (!matches!(law, Law::Measured { .. })).then(|| law.block_secs());
        let experiment = Experiment::new(law, arguments.reference_blocks, settings)
            .map_err(|error| format!("{stream}: {error}"))?;
        let began = Instant::now();
        let trials = tried(&experiment, u64::from(arguments.references))?;
        let achieved = Achieved::of(&trials, &settings).ok_or("no reference was tried")?;
        let json = ArlJson {
            stream,
            block_secs,
            reference_blocks: arguments.reference_blocks,
            arl0: arguments.arl0,
            guarantee: arguments.guarantee.0,
            is_extrapolated: settings.is_extrapolated(),
            achieved: &achieved,
            seconds: began.elapsed().as_secs_f64(),
        };
        if arguments.json {
            print_json(&mut out, &json)?;
        } else {
            written(write_table(&mut out, &json))?;
        }
    }
    Ok(())
}

/// The law that a name stands for.
fn law(stream: &str) -> Outcome<Law> {
    let (kind, value) = stream.split_once(':').unwrap_or((stream, ""));
    let phi = || {
        let phi = value.parse::<f64>();
        phi.map_err(|_| format!("{stream}: there must be a number behind the colon, as in {kind}:0.98"))
    };
    match kind {
        "iid" if value.is_empty() => Ok(Law::Independent),
        "periodic" if value.is_empty() => Ok(Law::Periodic),
        "ar" => Ok(Law::Autoregressive { phi: phi()? }),
        "confidence" => Ok(Law::Confidence { phi: phi()? }),
        "csv" => {
            let mut blocks = Vec::new();
            each_number(Path::new(value), |_, x| {
                if !x.is_finite() {
                    return Err(format!("{x} is no finite number"));
                }
                blocks.push(x);
                Ok(())
            })?;
            Ok(Law::Measured { blocks })
        }
        _ => Err(format!(
            "there is no stream '{stream}'; there are iid, ar:PHI, confidence:PHI, periodic and csv:FILE"
        )),
    }
}

/// All trials in their order, on all processors.
fn tried(experiment: &Experiment, n_trials: u64) -> Outcome<Vec<Trial>> {
    let next = AtomicU64::new(0);
    let (sender, receiver) = mpsc::channel();
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody listens any more once a trial has failed.
                    if index >= n_trials || sender.send((index, experiment.trial(index))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut trials = Vec::new();
        for (index, trial) in receiver {
            trials.push((index, trial.map_err(|error| error.to_string())?));
        }
        trials.sort_unstable_by_key(|(index, _)| *index);
        Ok(trials.into_iter().map(|(_, trial)| trial).collect())
    })
}

fn write_table(out: &mut impl Write, json: &ArlJson) -> io::Result<()> {
    let achieved = json.achieved;
    let interval = |interval: Option<Interval>, digits: usize| {
        interval.map_or(String::new(), |Interval { low, high }| {
            format!(" [{low:.digits$}, {high:.digits$}]")
        })
    };
    write!(out, "{}", json.stream)?;
    if let Some(seconds) = json.block_secs {
        write!(out, ", blocks of {seconds:.1} s")?;
    }
    writeln!(
        out,
        ", {} references of {} blocks",
        achieved.n_references, json.reference_blocks
    )?;
    let promise = json
        .guarantee
        .map_or("on average over references".to_owned(), |share| {
            format!("for {share} of references")
        });
    let source = if json.is_extrapolated {
        ", extrapolated"
    } else {
        ""
    };
    writeln!(
        out,
        "  asked        {} blocks between false alarms, {promise}{source}",
        json.arl0
    )?;
    writeln!(
        out,
        "  achieved     {:.0}{}",
        achieved.run_length,
        interval(achieved.run_length_interval, 0)
    )?;
    writeln!(
        out,
        "  kept by      {:.3}{} of references",
        achieved.kept,
        interval(achieved.kept_interval, 3)
    )?;
    writeln!(out, "  threshold    {:.2} sd (median)", achieved.threshold)?;
    writeln!(
        out,
        "  blocks until a shift is found{:>9}{:>9}{:>9}{:>9}",
        "mean", "median", "p90", "missed"
    )?;
    for delay in &achieved.delays {
        let of = match delay.shift.of {
            Scale::Frames => "frames",
            Scale::Blocks => "blocks",
        };
        write!(out, "    {:>4} sd of {of:<17}", delay.shift.sd)?;
        for (value, digits) in [
            (delay.mean, 1),
            (delay.median, 0),
            (delay.p90, 0),
            (delay.missed, 3),
        ] {
            match value {
                Some(value) => write!(out, "{value:>9.digits$}")?,
                None => write!(out, "{:>9}", "-")?,
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "  took         {:.1} s", json.seconds)
}
