//! One case, from its model's bytes to the comparison of its outputs.

use std::cell::Cell;

use plumbline_engine::cpu::Session;
use plumbline_engine::error::Missing;
#[cfg(feature = "native")]
use plumbline_engine::gpu::native::{Gpu, Replayer};
use plumbline_engine::graph::Graph;
use plumbline_engine::onnx::header::Header;
use plumbline_engine::onnx::{Options, import, wire};
use plumbline_engine::plan::Plan;
use plumbline_engine::tensor::Tensor;
use plumbline_engine::{ErrorKind, ModelError, passes};

use crate::case::Case;
use crate::compare::compare;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All outputs are as expected.
    Pass {
        /// How many of its inputs had to be given when the model was read.
        given: usize,
    },
    /// The engine says that it does not do this, and where.
    Unsupported(String),
    /// A wrong result, an error that blames the file, or none at all.
    Fail(String),
}

/// Why a case came to no comparison, or to a bad one.
enum Stop {
    Model(ModelError),
    Other(String),
}

impl From<ModelError> for Stop {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<String> for Stop {
    fn from(sentence: String) -> Self {
        Self::Other(sentence)
    }
}

/// Runs a case, on the GPU where one is given, else on the CPU.
#[cfg(feature = "native")]
pub fn judge(case: &Case, device: Option<&Gpu>) -> Verdict {
    match device {
        None => judge_on_cpu(case),
        Some(device) => judge_with(case, |plan, inputs, names| on_gpu(device, &plan, inputs, names)),
    }
}

/// Runs a case on the CPU.
pub fn judge_on_cpu(case: &Case) -> Verdict {
    judge_with(case, on_cpu)
}

/// What is run of a model that may be anything: multiply-accumulates, and words of its arena.
const SMALL: (u64, usize) = (1 << 24, 1 << 22);

/// Takes a case whose model may be anything as far as it goes: reads and plans it, writes it for a GPU and, where it is
/// small, runs it on the CPU. Errors are answers as well; what must not happen is a panic. Returns whether it has run.
pub fn survive(case: &Case) -> bool {
    let has_run = Cell::new(false);
    judge_with(case, |plan, inputs, names| {
        plumbline_engine::gpu::record(&plan)?;
        if plan.cost.macs > SMALL.0 || plan.arena_len > SMALL.1 {
            return Err(Stop::Other("it is large".to_owned()));
        }
        has_run.set(true);
        on_cpu(plan, inputs, names)
    });
    has_run.get()
}

/// Computes outputs by name, from inputs in their order.
type Backend<'a> = dyn Fn(Plan, &[Vec<u32>], &[&str]) -> Result<Vec<Words>, Stop> + 'a;

fn judge_with(
    case: &Case,
    backend: impl Fn(Plan, &[Vec<u32>], &[&str]) -> Result<Vec<Words>, Stop>,
) -> Verdict {
    match run(case, &backend) {
        Ok(given) => Verdict::Pass { given },
        Err(Stop::Model(error)) if error.kind() == ErrorKind::Unsupported => {
            Verdict::Unsupported(error.to_string())
        }
        Err(Stop::Model(error)) => Verdict::Fail(error.to_string()),
        Err(Stop::Other(sentence)) => Verdict::Fail(sentence),
    }
}

/// How many inputs were given when the model was read.
fn run(case: &Case, backend: &Backend<'_>) -> Result<usize, Stop> {
    let tensors = case
        .read_inputs()
        .and_then(|inputs| Ok((inputs, case.read_outputs()?)));
    let (inputs, expected) = match tensors {
        Ok(tensors) => tensors,
        // What is no tensor belongs to a model that says so, which is not read.
        Err(error) => {
            return Err(import(&case.model, &Options::default())
                .err()
                .unwrap_or(error)
                .into());
        }
    };
    let mut options = Options::default();
    let mut graph = read(&case.model, &mut options, &inputs)?;
    let header = Header::read(&wire::read_model(&case.model)?, &options.sizes)?;

    passes::optimise(&mut graph)?;
    let plan = Plan::new(graph)?;
    let live: Vec<(&str, &Tensor)> = header
        .inputs
        .iter()
        .map(|input| input.name.as_str())
        .zip(&inputs)
        .filter(|(name, _)| !options.known.contains_key(*name))
        .collect();
    let words = live.iter().map(|(name, tensor)| tensor.to_words(name));
    let words = words.collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = header.outputs.iter().map(|output| output.name.as_str()).collect();
    let results = backend(plan, &words, &names)?;
    if results.len() != expected.len() {
        return Err(Stop::Other(format!(
            "{} outputs instead of {}",
            results.len(),
            expected.len()
        )));
    }
    for ((output, words), expected) in header.outputs.iter().zip(&results).zip(&expected) {
        let actual = Tensor::from_words(output.file_type, &words.shape, &words.words)?;
        compare(&actual, expected, case.tolerance)
            .map_err(|difference| format!("output '{}': {difference}", output.name))?;
    }
    Ok(options.known.len())
}

/// Imports the model; what its reader asks for is taken from the case, and nothing else is.
fn read(bytes: &[u8], options: &mut Options, inputs: &[Tensor]) -> Result<Graph, Stop> {
    loop {
        let error = match import(bytes, options) {
            Ok(graph) => return Ok(graph),
            Err(error) => error,
        };
        let Some(Missing::Value(name)) = error.missing() else {
            return Err(Stop::Model(error));
        };
        let header = Header::read(&wire::read_model(bytes)?, &options.sizes)?;
        let position = header.inputs.iter().position(|input| input.name == *name);
        let value = position.and_then(|position| inputs.get(position)).cloned();
        match value.map(|value| options.known.insert(name.clone(), value)) {
            Some(None) => {}
            Some(Some(_)) => return Err(Stop::Other(format!("it asks twice for '{name}'"))),
            None => return Err(Stop::Other(format!("it asks for '{name}', which is no input"))),
        }
    }
}

/// An output as it lies in memory.
struct Words {
    shape: Vec<usize>,
    words: Vec<u32>,
}

fn on_cpu(plan: Plan, inputs: &[Vec<u32>], names: &[&str]) -> Result<Vec<Words>, Stop> {
    let mut session = Session::new(plan)?;
    for (index, words) in inputs.iter().enumerate() {
        let place = session.input_words_mut(index);
        // An input that nothing reads has no place.
        if !place.is_empty() {
            check_len(place.len(), words.len())?;
            place.copy_from_slice(words);
        }
    }
    session.run();
    let of = |name| outcome(session.plan(), name, session.output_words(name));
    names.iter().map(|name| of(name)).collect()
}

#[cfg(feature = "native")]
fn on_gpu(device: &Gpu, plan: &Plan, inputs: &[Vec<u32>], names: &[&str]) -> Result<Vec<Words>, Stop> {
    let recording = plumbline_engine::gpu::record(plan)?;
    let inputs: Vec<Vec<f32>> = inputs
        .iter()
        .map(|words| words.iter().map(|&word| f32::from_bits(word)).collect())
        .collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let outputs = Replayer::new(device, recording)
        .and_then(|mut replayer| replayer.run(&inputs))
        .map_err(|error| error.to_string())?;
    let of = |name| outcome(plan, name, outputs.get_words(name));
    names.iter().map(|name| of(name)).collect()
}

fn outcome(plan: &Plan, name: &str, words: Option<&[u32]>) -> Result<Words, Stop> {
    let id = plan.graph.output_named(name);
    let both = id.zip(words);
    let (id, words) = both.ok_or_else(|| format!("there is no output '{name}'"))?;
    Ok(Words {
        shape: plan.graph.shape(id).to_vec(),
        words: words.to_vec(),
    })
}

fn check_len(expected: usize, given: usize) -> Result<(), String> {
    if expected == given {
        Ok(())
    } else {
        Err(format!(
            "an input of {given} elements where the model takes {expected}"
        ))
    }
}
