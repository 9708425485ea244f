//! `plumb bench`: how long a model takes on a backend of this machine, and where the time goes.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use plumbline_engine::cpu::{Instructions, Session, StepFacts};
use plumbline_engine::fusion::Level;
use plumbline_engine::gpu::native::{Gpu, Replayer};
use plumbline_engine::gpu::{self, Recording};
use plumbline_engine::plan::{Options, Plan};
use plumbline_engine::{ModelError, read_model};
use plumbline_pipeline::plan_model;
use serde::Serialize;

use super::inspect::chosen_outputs;
use crate::Outcome;
use crate::backend::{Backend, Device};
use crate::manifest;

/// Characters for the shape in a table.
const SHAPE_WIDTH: usize = 62;
/// Frames that run before any is timed: caches fill, clocks rise, drivers finish what they put off.
const WARM_UP: usize = 5;

/// Times a model: median and 95th percentile of a frame, and what each kernel takes
#[derive(Args)]
pub struct Arguments {
    /// A .tflite, .onnx or graph file, or a name in the manifest: detector, lite, full, heavy,
    /// selfie, selfie-landscape
    model: String,
    /// What runs it
    #[arg(long, value_enum, default_value = "cpu")]
    backend: Backend,
    /// Frames to time
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Compute only what these outputs need; without it all, but of a landmark model not the mask
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    outputs: Vec<String>,
    /// Print a line for each step as well; on the GPU by the device's clock, one step at a time
    #[arg(long)]
    kernels: bool,
    /// Where fusion stops: L0 to L4; without it where the backend is best
    #[arg(long, value_parser = level_named)]
    level: Option<Level>,
    /// Vector instructions of the CPU backend: baseline, avx2 or avx512; without it the widest that this machine has
    #[arg(long, value_parser = instructions_named)]
    instructions: Option<Instructions>,
    /// Write what the CPU backend computes of the picture into this folder: NAME.f32, little endian
    #[arg(long, value_name = "FOLDER")]
    save_outputs: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    model: String,
    backend: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'static str>,
    level: &'static str,
    dispatches: u32,
    rounds: u32,
    median_ms: f64,
    p95_ms: f64,
    least_ms: f64,
    macs: u64,
    gflop_per_sec: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kernels: Vec<Kernel>,
}

/// One step of the plan, by its median.
#[derive(Serialize)]
struct Kernel {
    operator: String,
    shape: String,
    macs: u64,
    bytes: u64,
    median_ms: f64,
    gflop_per_sec: f64,
    gb_per_sec: f64,
    share: f64,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let named = |error: ModelError| format!("{}: {error}", arguments.model);
    let bytes = manifest::read_model_or_file(&arguments.model)?;
    let graph = read_model(&bytes).map_err(named)?;
    let outputs = chosen_outputs(&graph, &arguments.outputs);
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let device = Device::open(arguments.backend)?;
    let level = arguments.level.unwrap_or(device.target().level());
    let options = Options {
        level,
        ..Options::default()
    };
    let plan = plan_model(&bytes, &outputs, &options).map_err(named)?;
    let instructions = arguments.instructions.unwrap_or_else(Instructions::best);
    let (macs, dispatches) = (plan.cost.macs, plan.cost.dispatches);
    let (mut frames, kernels) = match &device {
        Device::Cpu => time_on_cpu(arguments, plan, instructions)?,
        Device::Gpu(gpu) => time_on_gpu(arguments, gpu, &plan)?,
    };
    frames.sort_by(f64::total_cmp);
    let report = Report {
        model: arguments.model.clone(),
        backend: device.description(),
        instructions: matches!(device, Device::Cpu).then(|| instructions.name()),
        level: level.name(),
        dispatches,
        rounds: arguments.rounds,
        median_ms: quantile(&frames, 0.5),
        p95_ms: quantile(&frames, 0.95),
        least_ms: quantile(&frames, 0.0),
        macs,
        gflop_per_sec: billions_per_sec(2 * macs, quantile(&frames, 0.5)),
        kernels,
    };
    if arguments.json {
        let text = serde_json::to_string(&report)
            .map_err(|error| format!("the report cannot be written as JSON ({error})"))?;
        println!("{text}");
    } else {
        print_table(&report);
    }
    Ok(())
}

fn level_named(name: &str) -> Result<Level, String> {
    let known = Level::ALL
        .into_iter()
        .find(|level| level.name().eq_ignore_ascii_case(name));
    known.ok_or_else(|| "the levels are L0, L1, L2, L3 and L4".to_owned())
}

fn instructions_named(name: &str) -> Result<Instructions, String> {
    let available = Instructions::available();
    let names: Vec<&str> = available.iter().map(|set| set.name()).collect();
    let found = names.iter().position(|known| known.eq_ignore_ascii_case(name));
    found
        .map(|index| available[index])
        .ok_or_else(|| format!("this machine has {}", names.join(", ")))
}

/// Milliseconds of each frame, and where they go.
fn time_on_cpu(
    arguments: &Arguments,
    plan: Plan,
    instructions: Instructions,
) -> Outcome<(Vec<f64>, Vec<Kernel>)> {
    let mut session = Session::with_instructions(plan, instructions).map_err(|error| error.to_string())?;
    fill(session.input_mut(0));
    (0..WARM_UP).for_each(|_| session.run());
    let frames = (0..arguments.rounds).map(|_| millis(|| session.run())).collect();
    if let Some(folder) = &arguments.save_outputs {
        // Frames before have written over the picture.
        fill(session.input_mut(0));
        session.run();
        save_outputs(&session, folder)?;
    }
    if !arguments.kernels {
        return Ok((frames, Vec::new()));
    }
    let facts = session.step_facts();
    let mut times = vec![Vec::with_capacity(arguments.rounds as usize); facts.len()];
    for _ in 0..arguments.rounds {
        let mut last = Instant::now();
        session.run_observed(|step| {
            let now = Instant::now();
            times[step].push((now - last).as_secs_f64() * 1e3);
            last = now;
        });
    }
    Ok((frames, kernels(facts, times)))
}

/// Writes each output as a file of f32.
fn save_outputs(session: &Session, folder: &Path) -> Outcome<()> {
    let graph = &session.plan().graph;
    for id in &graph.outputs {
        let name = &graph.value(*id).name;
        let values = session.output(name).unwrap_or_default();
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let file = folder.join(format!("{name}.f32"));
        std::fs::write(&file, bytes)
            .map_err(|error| format!("{} cannot be written ({error})", file.display()))?;
    }
    Ok(())
}

/// Milliseconds of each frame, from the call until the outputs can be read, and what each step takes alone.
fn time_on_gpu(arguments: &Arguments, gpu: &Gpu, plan: &Plan) -> Outcome<(Vec<f64>, Vec<Kernel>)> {
    let recording = gpu::record(plan).map_err(|error| error.to_string())?;
    let mut inputs: Vec<Vec<f32>> = recording
        .inputs
        .iter()
        .map(|input| vec![0.0; input.len])
        .collect();
    inputs.iter_mut().for_each(|input| fill(input));
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let facts = step_facts(plan, &recording);
    let mut replayer = Replayer::new(gpu, recording).map_err(|error| error.to_string())?;
    let mut frames = Vec::with_capacity(arguments.rounds as usize);
    for round in 0..WARM_UP + arguments.rounds as usize {
        let mut result = Ok(());
        let time = millis(|| result = replayer.run(&inputs).map(|_| ()));
        result.map_err(|error| error.to_string())?;
        if round >= WARM_UP {
            frames.push(time);
        }
    }
    if !arguments.kernels {
        return Ok((frames, Vec::new()));
    }
    let facts =
        facts.ok_or("a step of this model takes several dispatches, so steps cannot be timed one by one")?;
    let mut times = vec![Vec::with_capacity(arguments.rounds as usize); facts.len()];
    for _ in 0..arguments.rounds {
        let nanos = replayer.profile(&inputs).map_err(|error| error.to_string())?;
        for (times, nanos) in times.iter_mut().zip(nanos) {
            times.push(nanos / 1e6);
        }
    }
    Ok((frames, kernels(facts, times)))
}

/// What each dispatch computes; `None` where steps and dispatches do not correspond one to one.
fn step_facts(plan: &Plan, recording: &Recording) -> Option<Vec<StepFacts>> {
    let costs = plan.step_costs();
    (costs.len() == recording.dispatches.len()).then(|| {
        let facts = recording.dispatches.iter().zip(costs);
        facts
            .map(|(dispatch, (macs, bytes))| {
                let label = &recording.shaders[dispatch.shader].label;
                let (operator, shape) = label.split_once(' ').unwrap_or((label, ""));
                StepFacts {
                    origin: dispatch.label.clone(),
                    operator: operator.to_owned(),
                    shape: shape.to_owned(),
                    macs,
                    bytes,
                }
            })
            .collect()
    })
}

/// How long something takes.
pub(super) fn millis(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

/// Any picture: the time does not depend on it.
fn fill(input: &mut [f32]) {
    for (index, value) in input.iter_mut().enumerate() {
        *value = (index * 31 % 256) as f32 / 255.0;
    }
}

fn kernels(facts: Vec<StepFacts>, mut times: Vec<Vec<f64>>) -> Vec<Kernel> {
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            quantile(times, 0.5)
        })
        .collect();
    let total: f64 = medians.iter().sum();
    facts
        .into_iter()
        .zip(medians)
        .map(|(facts, median_ms)| Kernel {
            gflop_per_sec: billions_per_sec(2 * facts.macs, median_ms),
            gb_per_sec: billions_per_sec(facts.bytes, median_ms),
            share: if total > 0.0 { median_ms / total } else { 0.0 },
            operator: facts.operator,
            shape: facts.shape,
            macs: facts.macs,
            bytes: facts.bytes,
            median_ms,
        })
        .collect()
}

/// The value below which `part` of the sorted values lie, between the two nearest ones in proportion.
pub(super) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let position = part * last as f64;
    let (low, high) = (
        sorted[position.floor() as usize],
        sorted[position.ceil() as usize],
    );
    low + (high - low) * position.fract()
}

/// Nothing where the clock was too coarse to see any time pass.
fn billions_per_sec(count: u64, millis: f64) -> f64 {
    if millis > 0.0 {
        count as f64 / millis / 1e6
    } else {
        0.0
    }
}

fn print_table(report: &Report) {
    println!(
        "{} on {}{}, {} ({} steps), {} frames: median {:.2} ms, p95 {:.2} ms, least {:.2} ms; {:.1} M multiply-accumulates, {:.1} GFLOP/s",
        report.model,
        report.backend,
        report
            .instructions
            .map(|name| format!(" with {name}"))
            .unwrap_or_default(),
        report.level,
        report.dispatches,
        report.rounds,
        report.median_ms,
        report.p95_ms,
        report.least_ms,
        report.macs as f64 / 1e6,
        report.gflop_per_sec
    );
    if report.kernels.is_empty() {
        return;
    }
    println!(
        "\n{:<18}{:<SHAPE_WIDTH$}{:>9}{:>10}{:>10}{:>8}{:>8}",
        "operator", "shape", "M MACs", "ms", "GFLOP/s", "GB/s", "share"
    );
    for kernel in &report.kernels {
        // Labels of fused kernels are long; the whole of them is in the JSON.
        let shape: String = kernel.shape.chars().take(SHAPE_WIDTH - 2).collect();
        println!(
            "{:<18}{:<SHAPE_WIDTH$}{:>9.2}{:>10.4}{:>10.1}{:>8.1}{:>7.1}%",
            kernel.operator,
            shape,
            kernel.macs as f64 / 1e6,
            kernel.median_ms,
            kernel.gflop_per_sec,
            kernel.gb_per_sec,
            100.0 * kernel.share
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sorted values, part, expected: the definition with linear interpolation (Hyndman and Fan's type 7).
    #[test]
    fn quantiles_lie_between_the_values() {
        for (values, part, expected) in [
            (&[][..], 0.5, 0.0),
            (&[3.0][..], 0.95, 3.0),
            (&[1.0, 2.0, 4.0][..], 0.5, 2.0),
            (&[1.0, 2.0, 4.0, 8.0][..], 0.5, 3.0),
            (&[0.0, 10.0, 20.0, 30.0, 40.0][..], 0.95, 38.0),
            (&[5.0, 9.0][..], 0.0, 5.0),
        ] {
            assert!(
                (quantile(values, part) - expected).abs() < 1e-9,
                "{values:?} at {part}"
            );
        }
    }

    #[test]
    fn shares_add_up_and_rates_follow_from_medians() {
        let facts = |macs, bytes| StepFacts {
            origin: "operator 0".to_owned(),
            operator: "Conv2d 1x1/1".to_owned(),
            shape: "1x1x1 > 1x1x1".to_owned(),
            macs,
            bytes,
        };
        let found = kernels(
            vec![facts(3_000_000, 8_000_000), facts(0, 0)],
            vec![vec![9.0, 2.0, 1.0], vec![6.0, 6.0, 6.0]],
        );
        assert_eq!(
            (found[0].median_ms, found[0].gflop_per_sec, found[0].gb_per_sec),
            (2.0, 3.0, 4.0)
        );
        assert_eq!((found[0].share, found[1].share), (0.25, 0.75));
    }
}
