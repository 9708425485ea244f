//! What a model is, as far as that can be told without running it: its survey, the questions that it leaves open, and,
//! where it can be planned, what a frame of it costs.

use std::collections::BTreeMap;

use plumbline_engine::element::FileType;
use plumbline_engine::error::Missing;
use plumbline_engine::graph::Graph;
use plumbline_engine::onnx;
use plumbline_engine::plan::Plan;
use plumbline_engine::survey::{Format, Port, Size, Survey, survey};
use plumbline_engine::tensor::{Data, Tensor};
use plumbline_engine::{ModelError, passes, read_model};

use crate::limits::MAX_RUN_BYTES;
use crate::proposals::proposals;
use crate::protocol::{Answers, Cost, Findings, Gap, OperatorFacts, PortFacts, Question, Stage, Verdict};

/// Gaps that are listed; a model of another kind may have thousands.
const MAX_GAPS: usize = 100;

/// Open sizes that are asked for; a file with more is asked again.
const MAX_QUESTIONS: usize = 32;

/// What was found out.
pub struct Examined {
    /// For the person. The caller fills in what only the whole file tells.
    pub findings: Findings,
    /// The model, where it can be run.
    pub graph: Option<Graph>,
}

/// Looks at a model.
///
/// # Errors
/// A sentence, when the bytes are no model or a damaged one, or an answer cannot be what it answers.
pub fn examine(bytes: &[u8], answers: &Answers, on_stage: impl Fn(Stage)) -> Result<Examined, String> {
    on_stage(Stage::Surveying);
    let survey = survey(bytes).map_err(|error| unreadable(&error))?;
    on_stage(Stage::Reading);
    let read = if survey.format == Format::Onnx {
        read_onnx(bytes, &survey, answers)?
    } else {
        read_model(bytes).map_err(Halt::Error)
    };
    let planned = read.and_then(|graph| match cost(&graph, bytes.len()) {
        Ok(cost) => Ok((graph, cost)),
        Err(error) => Err(Halt::Error(error)),
    });
    let ports = |ports: &[Port], ids: Option<&[plumbline_engine::graph::ValueId]>, graph: Option<&Graph>| {
        ports
            .iter()
            .map(|port| {
                let ids = ids.unwrap_or_default();
                let value = graph.and_then(|graph| {
                    let named = ids.iter().map(|&id| graph.value(id));
                    named.into_iter().find(|value| value.name == port.name)
                });
                port_facts(port, value.map(|value| value.shape.as_slice()))
            })
            .collect()
    };
    let graph = planned.as_ref().ok().map(|(graph, _)| graph);
    let (inputs, outputs) = (
        ports(&survey.inputs, graph.map(|graph| graph.inputs.as_slice()), graph),
        ports(
            &survey.outputs,
            graph.map(|graph| graph.outputs.as_slice()),
            graph,
        ),
    );
    let proposed = graph.map_or_else(Vec::new, |graph| proposals(&survey, graph));
    let (verdict, graph) = match planned {
        Ok((graph, cost)) => (Verdict::Runs(cost), Some(graph)),
        // What nobody can answer is said first.
        Err(Halt::Questions(questions)) if survey.gaps.is_empty() => (Verdict::Asks(questions), None),
        Err(Halt::Questions(_)) => (refused(&survey.gaps), None),
        Err(Halt::Error(error)) if survey.gaps.is_empty() => (refused(&[error]), None),
        Err(Halt::Error(_)) => (refused(&survey.gaps), None),
    };
    let findings = Findings {
        sha256: None,
        file_bytes: bytes.len() as u64,
        entries: Vec::new(),
        entry: None,
        format: format!("{} {}", survey.format.name(), survey.version)
            .trim_end()
            .to_owned(),
        inputs,
        outputs,
        operators: survey
            .operators
            .into_iter()
            .map(|operator| OperatorFacts {
                name: operator.name,
                nodes: operator.nodes,
                refused: operator.refused,
            })
            .collect(),
        verdict,
        proposals: proposed,
    };
    Ok(Examined { findings, graph })
}

/// Why there is no graph.
enum Halt {
    Questions(Vec<Question>),
    Error(ModelError),
}

/// Reads an ONNX file. Open sizes are asked for all at once: while one is missing it is taken for 1, and nothing of the
/// graph that comes out is used.
///
/// # Errors
/// A sentence, when an answer is not what was asked for.
fn read_onnx(bytes: &[u8], survey: &Survey, answers: &Answers) -> Result<Result<Graph, Halt>, String> {
    let mut options = onnx::Options {
        sizes: answers.sizes.clone(),
        known: BTreeMap::new(),
    };
    for (input, text) in &answers.values {
        options
            .known
            .insert(input.clone(), value(input, text, survey, answers)?);
    }
    let mut questions = Vec::new();
    loop {
        let error = match onnx::import(bytes, &options) {
            Ok(graph) if questions.is_empty() => return Ok(Ok(graph)),
            Ok(_) => return Ok(Err(Halt::Questions(questions))),
            Err(error) => error,
        };
        match error.missing() {
            Some(Missing::Size(name)) if questions.len() < MAX_QUESTIONS => {
                options.sizes.insert(name.clone(), 1);
                questions.push(Question::Size { name: name.clone() });
            }
            // What a value would be is only known when the sizes are.
            Some(Missing::Value(input)) if questions.is_empty() => {
                let port = survey.inputs.iter().find(|port| port.name == *input);
                let facts = port.map(|port| port_facts(port, None));
                return Ok(Err(Halt::Questions(vec![Question::Value {
                    input: input.clone(),
                    element: facts
                        .as_ref()
                        .map_or_else(String::new, |facts| facts.element.clone()),
                    shape: facts.map_or_else(Vec::new, |facts| facts.shape),
                }])));
            }
            _ if questions.is_empty() => return Ok(Err(Halt::Error(error))),
            _ => return Ok(Err(Halt::Questions(questions))),
        }
    }
}

/// The tensor that a person's numbers are.
fn value(input: &str, text: &str, survey: &Survey, answers: &Answers) -> Result<Tensor, String> {
    let refused = |what: String| format!("The value of “{input}”: {what}.");
    let port = survey.inputs.iter().find(|port| port.name == input);
    let port = port.ok_or_else(|| refused("the model has no such input".to_owned()))?;
    let file_type = FileType::ALL
        .into_iter()
        .find(|file_type| file_type.to_string() == port.element)
        .ok_or_else(|| refused(format!("its elements are {}", port.element)))?;
    let sizes = port.shape.as_deref().unwrap_or_default().iter().enumerate();
    let shape = sizes.map(|(axis, size)| match size {
        Size::Known(size) => Ok(*size),
        Size::Open(name) => {
            let unnamed = format!("{input}[{axis}]");
            let known = answers.sizes.get(name).or_else(|| answers.sizes.get(&unnamed));
            // An open first size is the batch, of which there is one.
            let known = known.copied().or_else(|| (axis == 0).then_some(1));
            known.ok_or_else(|| refused(format!("the size “{name}” is not known yet")))
        }
    });
    let words = text
        .split([' ', ',', '\n', '\t', ';', '[', ']'])
        .filter(|word| !word.is_empty());
    let number = |word: &str| refused(format!("“{word}” is no {file_type}"));
    let data = if file_type.range().is_some() {
        let ints = words.map(|word| word.parse::<i64>().map_err(|_| number(word)));
        Data::Int(ints.collect::<Result<_, _>>()?)
    } else if file_type == FileType::Bool {
        let bools = words.map(|word| match word {
            "0" | "false" => Ok(false),
            "1" | "true" => Ok(true),
            _ => Err(number(word)),
        });
        Data::Bool(bools.collect::<Result<_, _>>()?)
    } else {
        let floats = words.map(|word| word.parse::<f32>().map_err(|_| number(word)));
        Data::Float(floats.collect::<Result<_, _>>()?)
    };
    Tensor::new(file_type, shape.collect::<Result<_, _>>()?, data).map_err(refused)
}

/// What a frame of a graph costs on the CPU.
fn cost(graph: &Graph, file_bytes: usize) -> Result<Cost, ModelError> {
    let mut graph = graph.clone();
    passes::optimise(&mut graph)?;
    let plan = Plan::new(graph)?;
    // The file, its weights as read and as packed, the arena, and constants that are read as they are.
    let words = plan.arena_len as u64 + 2 * plan.pool.len() as u64;
    let memory_bytes = file_bytes as u64 + 2 * plan.cost.weight_bytes + 4 * words;
    if memory_bytes > MAX_RUN_BYTES {
        let message = format!(
            "running it takes {} MiB, and at most {} MiB are taken here",
            memory_bytes >> 20,
            MAX_RUN_BYTES >> 20
        );
        return Err(ModelError::unsupported("memory", message));
    }
    Ok(Cost {
        macs: plan.cost.macs,
        parameters: plan.cost.parameters,
        steps: plan.cost.dispatches,
        memory_bytes,
    })
}

fn refused(gaps: &[ModelError]) -> Verdict {
    let listed = gaps.iter().take(MAX_GAPS).map(|gap| Gap {
        place: gap.place().to_owned(),
        what: gap.message().to_owned(),
    });
    Verdict::Refused {
        gaps: listed.collect(),
        total: gaps.len(),
    }
}

fn port_facts(port: &Port, shape: Option<&[usize]>) -> PortFacts {
    let stated = port
        .shape
        .as_deref()
        .unwrap_or_default()
        .iter()
        .map(|size| match size {
            Size::Known(size) => size.to_string(),
            Size::Open(name) if name.is_empty() => "?".to_owned(),
            Size::Open(name) => name.clone(),
        });
    PortFacts {
        name: port.name.clone(),
        element: port.element.clone(),
        shape: shape.map_or_else(
            || stated.collect(),
            |shape| shape.iter().map(usize::to_string).collect(),
        ),
    }
}

fn unreadable(error: &ModelError) -> String {
    format!(
        "This file cannot be read ({}: {}).",
        error.place(),
        error.message()
    )
}
