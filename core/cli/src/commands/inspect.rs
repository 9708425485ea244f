//! `plumb inspect`: what the engine makes of a model, stage by stage, and what a frame of it costs.

use clap::Args;
use plumbline_core::manifest::Manifest;
use plumbline_core::preprocess::LANDMARK_RANGE;
use plumbline_core::proposal::{Proposal, Question};
use plumbline_engine::encoding::Precision;
use plumbline_engine::fusion::Level;
use plumbline_engine::gpu::{self, Shader};
use plumbline_engine::graph::Graph;
use plumbline_engine::plan::{Options, Plan};
use plumbline_engine::{ModelError, passes, read_model};
use plumbline_pipeline::models::{HEATMAP, LANDMARK_OUTPUTS, MASK};
use plumbline_pipeline::{Target, Variant, any_model, plan_model};
use serde::Serialize;

use crate::Outcome;
use crate::commands::compile::compile_sized;
use crate::manifest;
use crate::user_model::parse_size;

/// Shows how a model is imported, simplified and planned, and what it costs
#[derive(Args)]
pub struct Arguments {
    /// A .tflite, .onnx or graph file, or a name in the manifest: detector, lite, full, heavy,
    /// selfie, selfie-landscape
    model: String,
    /// Plan only what these outputs need; without it all, but of a landmark model not the mask
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    outputs: Vec<String>,
    /// A size that the model leaves open, by the name that its error gives; can be repeated
    #[arg(long = "size", value_name = "NAME=N", value_parser = parse_size)]
    sizes: Vec<(String, usize)>,
    /// Print the WGSL of the kernels that a GPU runs instead
    #[arg(long)]
    kernels: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    model: String,
    outputs: Vec<String>,
    stages: Vec<Stage>,
    ops_before: usize,
    ops_after: usize,
    macs: u64,
    parameters: u64,
    weight_bytes: u64,
    levels: Vec<LevelCost>,
    /// What the model may be, the most probable first.
    proposals: Vec<ProposalJson>,
}

/// What a model may be, by its shapes.
#[derive(Serialize)]
struct ProposalJson {
    /// As a manifest names it.
    task: &'static str,
    confidence: String,
    why: String,
    /// What only a person can know.
    questions: Vec<String>,
    note: Option<&'static str>,
    /// A manifest to complete.
    manifest: Manifest,
}

impl ProposalJson {
    fn new(proposal: &Proposal, arguments: &Arguments) -> Self {
        let manifest = Manifest {
            sizes: arguments.sizes.iter().cloned().collect(),
            ..proposal.manifest(&arguments.model, "unknown", None)
        };
        Self {
            task: proposal.task.id(),
            confidence: proposal.confidence.to_string(),
            why: proposal.why.clone(),
            questions: proposal.questions.iter().map(Question::to_string).collect(),
            note: proposal.note,
            manifest,
        }
    }
}

/// What a frame costs when fusion stops at a level.
#[derive(Serialize)]
struct LevelCost {
    level: &'static str,
    /// Who plans so.
    target: Option<&'static str>,
    dispatches: u32,
    activation_bytes: u64,
    /// The same with the input as a picture of 8-bit levels, as frames on a GPU have it.
    picture_activation_bytes: u64,
    /// And with values between the layers in binary16.
    half_activation_bytes: u64,
    arena_bytes: usize,
}

/// A step from the file to the plan.
#[derive(Serialize)]
struct Stage {
    name: &'static str,
    /// Operators in the graph after it.
    ops: usize,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Outcome<()> {
    let mut bytes = manifest::read_model_or_file(&arguments.model)?;
    let named = |error: ModelError| format!("{}: {error}", arguments.model);
    if !arguments.sizes.is_empty() {
        // Every stage reads the model anew; a graph file has the sizes in it.
        let sizes = arguments.sizes.iter().cloned().collect();
        bytes = compile_sized(&bytes, sizes).map_err(named)?;
    }
    if arguments.kernels {
        return print_kernels(arguments, &bytes).map_err(named)?;
    }
    let report = inspect(arguments, &bytes).map_err(named)?;
    if arguments.json {
        let text = serde_json::to_string(&report)
            .map_err(|error| format!("the report cannot be written as JSON ({error})"))?;
        println!("{text}");
    } else {
        print_table(&report);
        print_proposals(&report.proposals);
    }
    Ok(())
}

/// A kernel as text.
#[derive(Serialize)]
struct KernelText<'a> {
    label: &'a str,
    wgsl: &'a str,
}

/// Prints the distinct kernels of the plans for hardware, in every precision.
fn print_kernels(arguments: &Arguments, bytes: &[u8]) -> Result<Outcome<()>, ModelError> {
    let outputs = chosen_outputs(&read_model(bytes)?, &arguments.outputs);
    let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let mut shaders: Vec<Shader> = Vec::new();
    for precision in [Precision::Single, Precision::Half] {
        let plan = plan_on_gpu(bytes, &names, Variant::HARDWARE.level, precision)?;
        for shader in gpu::record(&plan)?.shaders {
            if !shaders.contains(&shader) {
                shaders.push(shader);
            }
        }
    }
    let kernels: Vec<KernelText<'_>> = shaders
        .iter()
        .map(|shader| KernelText {
            label: &shader.label,
            wgsl: &shader.text,
        })
        .collect();
    if arguments.json {
        let text = serde_json::to_string(&kernels);
        return Ok(text
            .map(|text| println!("{text}"))
            .map_err(|error| format!("the kernels cannot be written as JSON ({error})")));
    }
    for kernel in kernels {
        println!("{}", kernel.wgsl);
    }
    Ok(Ok(()))
}

fn inspect(arguments: &Arguments, bytes: &[u8]) -> Result<Report, ModelError> {
    let mut graph = read_model(bytes)?;
    let proposals = any_model::propose(&graph);
    let ops_before = graph.nodes.len();
    let mut stages = vec![Stage {
        name: "import",
        ops: ops_before,
    }];
    let outputs = chosen_outputs(&graph, &arguments.outputs);
    let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
    passes::select_outputs(&mut graph, &names)?;
    let passes = passes::optimise(&mut graph)?;
    stages.extend(passes.into_iter().map(|pass| Stage {
        name: pass.name,
        ops: pass.nodes,
    }));
    let ops_after = graph.nodes.len();
    let options = Options {
        deferred: left_to_readers(&names),
        ..Options::default()
    };
    let plan = Plan::with(graph, &options)?;
    let levels = Level::ALL
        .into_iter()
        .map(|level| level_cost(bytes, &names, level))
        .collect::<Result<_, _>>()?;
    Ok(Report {
        model: arguments.model.clone(),
        outputs,
        stages,
        ops_before,
        ops_after,
        macs: plan.cost.macs,
        parameters: plan.cost.parameters,
        weight_bytes: plan.cost.weight_bytes,
        levels,
        proposals: proposals
            .iter()
            .map(|proposal| ProposalJson::new(proposal, arguments))
            .collect(),
    })
}

fn level_cost(bytes: &[u8], outputs: &[&str], level: Level) -> Result<LevelCost, ModelError> {
    let options = Options {
        level,
        deferred: left_to_readers(outputs),
        ..Options::default()
    };
    let plan = plan_model(bytes, outputs, &options)?;
    let [single, half] =
        [Precision::Single, Precision::Half].map(|precision| plan_on_gpu(bytes, outputs, level, precision));
    let targets = [
        (Target::Cpu, "CPU, software GPU"),
        (Target::Gpu(Variant::HARDWARE), "GPU"),
    ];
    Ok(LevelCost {
        level: level.name(),
        target: targets
            .into_iter()
            .find(|(target, _)| target.level() == level)
            .map(|(_, name)| name),
        dispatches: plan.cost.dispatches,
        activation_bytes: plan.cost.activation_bytes,
        picture_activation_bytes: single?.cost.activation_bytes,
        half_activation_bytes: half?.cost.activation_bytes,
        arena_bytes: plan.arena_len * size_of::<f32>(),
    })
}

/// The plan of a model whose input is cut out of a picture on the GPU, where the model has such an input.
fn plan_on_gpu(
    bytes: &[u8],
    outputs: &[&str],
    level: Level,
    precision: Precision,
) -> Result<Plan, ModelError> {
    let options = Options {
        level,
        precision,
        picture: Some(LANDMARK_RANGE),
        deferred: left_to_readers(outputs),
    };
    plan_model(bytes, outputs, &options).or_else(|_| {
        let picture = None;
        plan_model(bytes, outputs, &Options { picture, ..options })
    })
}

/// What the pipeline leaves to the refinement, where these are its outputs.
fn left_to_readers(outputs: &[&str]) -> &'static [&'static str] {
    if outputs == LANDMARK_OUTPUTS {
        &[HEATMAP]
    } else {
        &[]
    }
}

/// What the caller asked for, or else all outputs; a BlazePose landmark model is planned as the live page runs it.
pub(super) fn chosen_outputs(graph: &Graph, asked: &[String]) -> Vec<String> {
    if !asked.is_empty() {
        return asked.to_vec();
    }
    let has_mask = graph
        .output_named(MASK)
        .is_some_and(|mask| graph.shape(mask) == [1, 256, 256, 1]);
    if has_mask
        && LANDMARK_OUTPUTS
            .iter()
            .all(|name| graph.output_named(name).is_some())
    {
        return LANDMARK_OUTPUTS.map(str::to_owned).to_vec();
    }
    graph
        .outputs
        .iter()
        .map(|&id| graph.value(id).name.clone())
        .collect()
}

/// What the model may be, and what a manifest has to say of it.
fn print_proposals(proposals: &[ProposalJson]) {
    if proposals.is_empty() {
        println!("\nits shapes suggest no task; a manifest can say what it is for");
    }
    for proposal in proposals {
        println!("\n{}, {}: {}", proposal.confidence, proposal.task, proposal.why);
        for question in &proposal.questions {
            println!("  not known: {question}");
        }
        if let Some(note) = proposal.note {
            println!("  note: {note}");
        }
    }
}

fn print_table(report: &Report) {
    println!("{}, outputs {}\n", report.model, report.outputs.join(", "));
    println!("{:<36}{:>6}", "stage", "ops");
    for stage in &report.stages {
        println!("{:<36}{:>6}", stage.name, stage.ops);
    }
    let mega = |count: u64| count as f64 / 1e6;
    println!();
    println!(
        "{:<36}{:>9.1} M",
        "multiply-accumulates a frame",
        mega(report.macs)
    );
    println!("{:<36}{:>9.2} M", "parameters", mega(report.parameters));
    println!("{:<36}{:>9.2} MB", "weights as f32", mega(report.weight_bytes));
    println!(
        "\n{:<8}{:>12}{:>22}{:>16}{:>16}{:>12}  planned for",
        "level", "dispatches", "activations moved", "from a picture", "in binary16", "arena"
    );
    for cost in &report.levels {
        println!(
            "{:<8}{:>12}{:>19.2} MB{:>13.2} MB{:>13.2} MB{:>9.2} MB  {}",
            cost.level,
            cost.dispatches,
            mega(cost.activation_bytes),
            mega(cost.picture_activation_bytes),
            mega(cost.half_activation_bytes),
            mega(cost.arena_bytes as u64),
            cost.target.unwrap_or_default()
        );
    }
}
