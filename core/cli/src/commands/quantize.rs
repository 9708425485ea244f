//! `plumb quantize`: a model with weights in fewer bytes, and what that costs, side by side.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use plumbline_core::preprocess::{DETECTOR_RANGE, LANDMARK_RANGE};
use plumbline_engine::cpu::Session;
use plumbline_engine::graph::{Graph, Value, ValueId};
use plumbline_engine::plan::{Options, Plan};
use plumbline_engine::quantize::{Format, Rounded, output_layers, quantize};
use plumbline_engine::{ModelError, graph_file, passes, read_model};
use plumbline_figure::stills;
use plumbline_pipeline::Target;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::bench::{millis, quantile};
use super::inspect::chosen_outputs;
use crate::Outcome;
use crate::manifest;

/// Every fourth of the 33 drawn stills: nearly all postures, the sides in turn.
const STILL_STRIDE: usize = 4;

/// Makes a model whose weights take fewer bytes, and compares it with the model as it is
#[derive(Args)]
pub struct Arguments {
    /// A .tflite, .onnx or graph file, or a name in the manifest: detector, lite, full, heavy,
    /// selfie, selfie-landscape
    model: String,
    /// How weights are stored: binary16, or 8 bits with a step for each channel
    #[arg(long, value_enum)]
    weights: Weights,
    /// Where the smaller model goes, as a graph file; without it nothing is written
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Frames of each that are timed
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// What a picture's black and white are to the model; -1,1 for the detector, otherwise 0,1
    #[arg(long, value_parser = parse_range, allow_hyphen_values = true, value_name = "LOW,HIGH")]
    range: Option<[f32; 2]>,
    /// A layer that writes an output keeps 16 bits where its 8 bits alone change that output by more than this share of
    /// its spread in the drawn pictures; 0 keeps them all
    #[arg(long, default_value_t = KEEP_ABOVE, value_parser = parse_share, value_name = "SHARE")]
    keep_above: f64,
    /// Weights that keep 16 bits as well, by their name; can be repeated
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Measure each tensor alone and print the ones that change an output most; takes a frame for each tensor and picture
    #[arg(long)]
    layers: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How much of its spread an output may change by one layer of 8 bits. The layer that writes the landmarks of BlazePose heavy
/// changes them by 13 % and exchanges left and right in some pictures; the other output layers of BlazePose change theirs by
/// less than 8 %.
pub const KEEP_ABOVE: f64 = 0.1;

/// Tensors that are listed of all that were measured.
const LISTED: usize = 12;

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1e3).contains(share));
    share.ok_or_else(|| "a share is a number from 0, such as 0.1".to_owned())
}

fn parse_range(text: &str) -> Result<[f32; 2], String> {
    let bound = |text: &str| text.trim().parse().ok().filter(|bound: &f32| bound.is_finite());
    text.split_once(',')
        .and_then(|(low, high)| Some([bound(low)?, bound(high)?]))
        .ok_or_else(|| "a range is two numbers, such as -1,1".to_owned())
}

/// What the user can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Weights {
    /// IEEE binary16.
    Fp16,
    /// Codes of 8 bits.
    Int8,
}

impl Weights {
    fn name(self) -> &'static str {
        match self {
            Weights::Fp16 => "fp16",
            Weights::Int8 => "int8",
        }
    }

    fn format(self) -> Format {
        match self {
            Weights::Fp16 => Format::Half,
            Weights::Int8 => Format::Byte,
        }
    }
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    model: String,
    pictures: usize,
    variants: [Variant; 2],
    /// Tensors that were rounded.
    tensors: usize,
    /// Of the tensor that suffered most.
    #[serde(skip_serializing_if = "Option::is_none")]
    worst_tensor: Option<TensorError>,
    /// Tensors that keep 16 bits.
    kept: Vec<String>,
    /// Of all tensors, each alone, those that change an output most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<TensorError>,
    outputs: Vec<OutputError>,
}

#[derive(Serialize)]
struct Variant {
    weights: &'static str,
    bytes: usize,
    median_ms: f64,
}

#[derive(Serialize)]
struct TensorError {
    name: String,
    relative_error: f64,
}

/// What an output became.
#[derive(Serialize)]
struct OutputError {
    name: String,
    /// Root of the mean square of the differences, as a share of the standard deviation of the output itself.
    relative_error: f64,
    /// The largest difference, in the output's own unit.
    largest: f64,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let named = |error: ModelError| format!("{}: {error}", arguments.model);
    let bytes = manifest::read_model_or_file(&arguments.model)?;
    let mut graph = read_model(&bytes).map_err(named)?;
    passes::fold_constants(&mut graph).map_err(named)?;
    passes::prune(&mut graph);
    let format = arguments.weights.format();
    let measuring = Measuring::new(&graph, range(arguments)).map_err(named)?;
    let mut kept = named_weights(&graph, &arguments.keep)?;
    if format == Format::Byte {
        kept.extend(measuring.kept(&graph, arguments.keep_above).map_err(named)?);
    }
    let layers = if arguments.layers {
        let all = (0..graph.values.len() as u32).map(ValueId).collect();
        let mut layers = measuring.each(&graph, format, &all).map_err(named)?;
        layers.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        layers.truncate(LISTED);
        layers
    } else {
        Vec::new()
    };
    let layers = layers.iter().map(|&(id, relative_error)| TensorError {
        name: graph.value(id).name.clone(),
        relative_error,
    });
    let layers = layers.collect();
    let mut rounded = graph.clone();
    let changes = quantize(&mut rounded, format, &kept);
    let source = Sha256::digest(&bytes).into();
    let whole = graph_file::write(&graph, &source).map_err(named)?;
    let smaller = graph_file::write(&rounded, &source).map_err(named)?;
    let kept_names = kept.iter().map(|&id| graph.value(id).name.clone()).collect();

    let mut sessions = [
        session(graph, &measuring.outputs).map_err(named)?,
        session(rounded, &measuring.outputs).map_err(named)?,
    ];
    let after = outputs_of(&mut sessions[1], &measuring.inputs, &measuring.outputs);
    let errors = compare(&measuring.outputs, &measuring.before, &after);
    let [before, after] = times(&mut sessions, arguments.rounds);
    let variant = |weights, bytes, median_ms| Variant {
        weights,
        bytes,
        median_ms,
    };
    let report = Report {
        model: arguments.model.clone(),
        pictures: measuring.inputs.len(),
        variants: [
            variant("as it is", whole.len(), before),
            variant(arguments.weights.name(), smaller.len(), after),
        ],
        tensors: changes.len(),
        worst_tensor: worst(&changes),
        kept: kept_names,
        layers,
        outputs: errors,
    };
    if let Some(out) = &arguments.out {
        fs::write(out, &smaller).map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    }
    if arguments.json {
        let text = serde_json::to_string(&report)
            .map_err(|error| format!("the report cannot be written as JSON ({error})"))?;
        println!("{text}");
    } else {
        print_table(&report, arguments);
    }
    Ok(())
}

fn session(mut graph: Graph, outputs: &[String]) -> Result<Session, ModelError> {
    let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
    passes::select_outputs(&mut graph, &names)?;
    passes::optimise_to(&mut graph, Target::Cpu.level())?;
    let options = Options {
        level: Target::Cpu.level(),
        ..Options::default()
    };
    Session::new(Plan::with(graph, &options)?)
}

fn range(arguments: &Arguments) -> [f32; 2] {
    arguments.range.unwrap_or(if arguments.model == "detector" {
        DETECTOR_RANGE
    } else {
        LANDMARK_RANGE
    })
}

/// What all inputs of the model are in turn: drawn people for an image of three channels, otherwise any numbers within
/// the range.
fn pictures(session: &Session, [low, high]: [f32; 2]) -> Vec<Vec<Vec<f32>>> {
    let graph = &session.plan().graph;
    let shapes: Vec<&[usize]> = graph.inputs.iter().map(|&id| graph.shape(id)).collect();
    let stills = stills::grid().into_iter().step_by(STILL_STRIDE);
    stills
        .enumerate()
        .map(|(round, still)| {
            let fill = |shape: &&[usize]| match **shape {
                [1, height_px, width_px, 3] => {
                    let mut still = still.clone();
                    (still.width_px, still.height_px) = (width_px, height_px);
                    let rgb = still.draw().rgb;
                    rgb.iter()
                        .map(|&level| low + (high - low) * f32::from(level) / 255.0)
                        .collect()
                }
                _ => noise(round, shape.iter().product(), low, high),
            };
            shapes.iter().map(fill).collect()
        })
        .collect()
}

/// Numbers that are spread evenly (the fractional parts of multiples of the golden ratio).
fn noise(round: usize, len: usize, low: f32, high: f32) -> Vec<f32> {
    let number = |place: usize| ((round * len + place) as f64 * 0.618_033_988_749_894_9).fract() as f32;
    (0..len).map(|place| low + (high - low) * number(place)).collect()
}

/// What each output becomes on all inputs, one after the other.
fn outputs_of(session: &mut Session, inputs: &[Vec<Vec<f32>>], outputs: &[String]) -> Vec<Vec<f32>> {
    let mut seen: Vec<Vec<f32>> = vec![Vec::new(); outputs.len()];
    for input in inputs {
        for (index, input) in input.iter().enumerate() {
            session.input_mut(index).copy_from_slice(input);
        }
        session.run();
        for (output, seen) in outputs.iter().zip(&mut seen) {
            seen.extend(session.output(output).unwrap_or_default());
        }
    }
    seen
}

fn compare(outputs: &[String], before: &[Vec<f32>], after: &[Vec<f32>]) -> Vec<OutputError> {
    let pairs = outputs.iter().zip(before.iter().zip(after));
    let errors = pairs.map(|(name, (before, after))| OutputError {
        name: name.clone(),
        relative_error: relative_error(before, after),
        largest: before
            .iter()
            .zip(after)
            .fold(0.0, |largest, (a, b)| f64::from((a - b).abs()).max(largest)),
    });
    errors.collect()
}

/// A model on drawn pictures, to which rounded ones are compared.
pub struct Measuring {
    outputs: Vec<String>,
    inputs: Vec<Vec<Vec<f32>>>,
    /// What each output is, on all inputs, with the weights as they are.
    before: Vec<Vec<f32>>,
}

impl Measuring {
    /// Runs a graph whose constants are folded on pictures whose black and white are the numbers of `range`.
    ///
    /// # Errors
    /// A model that the engine cannot run.
    pub fn new(graph: &Graph, range: [f32; 2]) -> Result<Self, ModelError> {
        let outputs = chosen_outputs(graph, &[]);
        let mut session = session(graph.clone(), &outputs)?;
        let inputs = pictures(&session, range);
        let before = outputs_of(&mut session, &inputs, &outputs);
        Ok(Self {
            outputs,
            inputs,
            before,
        })
    }

    /// The weights of output layers that keep 16 bits where the others get 8: those that alone change an output by more
    /// than `keep_above` of its spread.
    ///
    /// # Errors
    /// A model that the engine cannot run.
    pub fn kept(&self, graph: &Graph, keep_above: f64) -> Result<BTreeSet<ValueId>, ModelError> {
        let errors = self.each(graph, Format::Byte, &output_layers(graph))?;
        let shows = |(id, error): (ValueId, f64)| (error > keep_above).then_some(id);
        Ok(errors.into_iter().filter_map(shows).collect())
    }

    /// By how much the output that suffers most changes when each of these tensors alone is rounded. Tensors that do not
    /// change are left out, and so are outputs of a single number: scores of pictures that all show somebody have no spread
    /// to speak of.
    fn each(
        &self,
        graph: &Graph,
        format: Format,
        tensors: &BTreeSet<ValueId>,
    ) -> Result<Vec<(ValueId, f64)>, ModelError> {
        let mut rounded = graph.clone();
        let changed = quantize(&mut rounded, format, &BTreeSet::new());
        let mut errors = Vec::new();
        for id in changed.iter().map(|tensor| tensor.value) {
            if !tensors.contains(&id) {
                continue;
            }
            let mut alone = graph.clone();
            alone.values[id.0 as usize].constant = rounded.value(id).constant.clone();
            let mut session = session(alone, &self.outputs)?;
            let after = outputs_of(&mut session, &self.inputs, &self.outputs);
            let pairs = self.before.iter().zip(&after);
            let worst = pairs
                .filter(|(before, _)| before.len() > self.inputs.len())
                .map(|(before, after)| relative_error(before, after));
            errors.push((id, worst.fold(0.0, f64::max)));
        }
        Ok(errors)
    }
}

/// The weights that a person names.
fn named_weights(graph: &Graph, names: &[String]) -> Outcome<BTreeSet<ValueId>> {
    let find = |name: &String| {
        let named = |value: &Value| value.constant.is_some() && value.name == *name;
        let index = graph.values.iter().position(named);
        index.map(|index| ValueId(index as u32)).ok_or_else(|| {
            format!("--keep {name}: the model has no weights of that name; --layers prints names")
        })
    };
    names.iter().map(find).collect()
}

fn relative_error(before: &[f32], after: &[f32]) -> f64 {
    let count = before.len().max(1) as f64;
    let mean = before.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let square = |value: f64| value * value;
    let variance: f64 = before.iter().map(|&value| square(f64::from(value) - mean)).sum();
    let differences = before.iter().zip(after);
    let noise: f64 = differences
        .map(|(&a, &b)| square(f64::from(a) - f64::from(b)))
        .sum();
    if variance > 0.0 {
        (noise / variance).sqrt()
    } else {
        noise.sqrt()
    }
}

/// Medians in milliseconds; one frame of each in turn, so that a clock that changes hits both.
fn times(sessions: &mut [Session; 2], rounds: u32) -> [f64; 2] {
    let mut times: [Vec<f64>; 2] = Default::default();
    for _ in 0..rounds {
        for (session, times) in sessions.iter_mut().zip(&mut times) {
            times.push(millis(|| session.run()));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        quantile(&times, 0.5)
    })
}

fn worst(changes: &[Rounded]) -> Option<TensorError> {
    let worst = changes
        .iter()
        .max_by(|a, b| a.relative_error.total_cmp(&b.relative_error))?;
    Some(TensorError {
        name: worst.name.clone(),
        relative_error: worst.relative_error,
    })
}

fn print_table(report: &Report, arguments: &Arguments) {
    println!(
        "{}, {} pictures of the drawn person, on the CPU\n",
        report.model, report.pictures
    );
    println!(
        "{:<12}{:>14}{:>10}{:>14}",
        "weights", "bytes", "share", "ms a frame"
    );
    let whole = report.variants[0].bytes;
    for variant in &report.variants {
        println!(
            "{:<12}{:>14}{:>10.2}{:>14.2}",
            variant.weights,
            variant.bytes,
            variant.bytes as f64 / whole as f64,
            variant.median_ms
        );
    }
    println!("\n{:<36}{:>14}{:>16}", "output", "error (rms)", "largest");
    for output in &report.outputs {
        println!(
            "{:<36}{:>12.2} %{:>16.4}",
            output.name,
            100.0 * output.relative_error,
            output.largest
        );
    }
    println!(
        "\nerror (rms): of the differences, as a share of the output's own standard deviation; largest: in its unit"
    );
    match &report.worst_tensor {
        Some(worst) => println!(
            "{} tensors rounded; most changed, by {:.2} %: {}",
            report.tensors,
            100.0 * worst.relative_error,
            worst.name
        ),
        None => println!("no weights changed: they are in that format already, or too few"),
    }
    for name in &report.kept {
        println!("kept at 16 bits: {name}");
    }
    if !report.layers.is_empty() {
        println!("\n{:<14}tensor, each alone", "error (rms)");
        for layer in &report.layers {
            println!("{:>9.2} %   {}", 100.0 * layer.relative_error, layer.name);
        }
    }
    if let Some(out) = &arguments.out {
        println!("written to {}", out.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_shares_of_the_spread() {
        let before = [1.0, 3.0, 1.0, 3.0];
        for (after, expected) in [
            ([1.0, 3.0, 1.0, 3.0], 0.0),
            ([1.5, 3.5, 1.5, 3.5], 0.5),
            ([3.0, 1.0, 3.0, 1.0], 2.0),
        ] {
            assert!((relative_error(&before, &after) - expected).abs() < 1e-12);
        }
        assert!((relative_error(&[2.0, 2.0], &[2.0, 2.0])).abs() < f64::EPSILON);
    }
}
