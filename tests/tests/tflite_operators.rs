//! Every operator that the TFLite reader knows, in a model of its own, against LiteRT, on the CPU and on the GPU.
//!
//! Models and expected values stand in `tests/fixtures/tflite_operators.json`, written by
//! `tests/reference/tflite_operators.py` with the schema's own code and LiteRT's reference kernels.

use plumbline_engine::cpu::Session;
use plumbline_engine::element::Element;
use plumbline_engine::fusion::Level;
use plumbline_engine::gpu::native::{Gpu, Replayer};
use plumbline_engine::graph::Graph;
use plumbline_engine::plan::Plan;
use plumbline_engine::{ErrorKind, gpu, passes, tflite};
use plumbline_tests::{read, report, skip};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    /// Their shapes.
    inputs: Vec<Vec<usize>>,
    outputs: Vec<Vec<f64>>,
    /// Hexadecimal digits.
    model: String,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        let digits = self.model.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16);
        digits.map(|pair| byte(pair).expect("two digits")).collect()
    }

    fn graph(&self) -> Graph {
        tflite::import(&self.bytes()).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(&read("tests/fixtures/tflite_operators.json")).expect("valid JSON")
}

/// The twin of `pattern` in the script: exact in both languages.
fn pattern(elements: usize, element: Element, seed: usize) -> Vec<u32> {
    let number = |index: usize| ((index * 37 + 11 + 17 * seed) % 61) as i32 - 30;
    let word = |number: i32| match element {
        Element::F32 => (number as f32 / 8.0).to_bits(),
        Element::Bool => u32::from(number > 0),
        Element::I32 | Element::U32 => number as u32,
    };
    (0..elements).map(|index| word(number(index))).collect()
}

fn number(word: u32, element: Element) -> f64 {
    match element {
        Element::F32 => f64::from(f32::from_bits(word)),
        Element::I32 => f64::from(word as i32),
        Element::U32 | Element::Bool => f64::from(word),
    }
}

/// Runs each case with `run`, which is given a plan and the words of the inputs, and gives the words of the outputs.
fn check(what: &str, level: Level, run: impl Fn(Plan, &[Vec<u32>]) -> Vec<Vec<u32>>) {
    let (cases, mut worst) = (cases(), (0.0, String::new()));
    for case in &cases {
        let mut graph = case.graph();
        let inputs = graph.inputs.iter().zip(&case.inputs).enumerate();
        let inputs: Vec<Vec<u32>> = inputs
            .map(|(seed, (&id, shape))| {
                assert_eq!(graph.shape(id), shape, "{}", case.name);
                pattern(shape.iter().product(), graph.value(id).element, seed)
            })
            .collect();
        let elements: Vec<Element> = graph.outputs.iter().map(|&id| graph.value(id).element).collect();
        passes::optimise_to(&mut graph, level).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let plan = Plan::fused(graph, level).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let outputs = run(plan, &inputs);
        assert_eq!(outputs.len(), case.outputs.len(), "{}", case.name);
        for ((words, expected), element) in outputs.iter().zip(&case.outputs).zip(elements) {
            assert_eq!(words.len(), expected.len(), "{}", case.name);
            let size = expected.iter().fold(1.0_f64, |size, value| size.max(value.abs()));
            for (at, (&word, expected)) in words.iter().zip(expected).enumerate() {
                let actual = number(word, element);
                let difference = (actual - expected).abs() / size;
                assert!(
                    difference <= 2e-6,
                    "{what}: {}, element {at}: {actual} instead of {expected}",
                    case.name
                );
                if difference > worst.0 {
                    worst = (difference, case.name.clone());
                }
            }
        }
    }
    report(&format!(
        "{what}: {} models, worst {:.1e} of the largest element ({})",
        cases.len(),
        worst.0,
        worst.1
    ));
}

fn names(plan: &Plan) -> Vec<String> {
    let outputs = plan.graph.outputs.iter();
    outputs.map(|&id| plan.graph.value(id).name.clone()).collect()
}

#[test]
fn operators_are_litert_s_on_the_cpu() {
    for level in [Level::Operators, Level::Folded] {
        check(&format!("CPU, {}", level.name()), level, |plan, inputs| {
            let names = names(&plan);
            let mut session = Session::new(plan).expect("a session");
            for (index, words) in inputs.iter().enumerate() {
                session.input_words_mut(index).copy_from_slice(words);
            }
            session.run();
            let output = |name: &String| session.output_words(name).expect("an output").to_vec();
            names.iter().map(output).collect()
        });
    }
}

#[test]
fn operators_are_litert_s_on_the_gpu() {
    let gpu = match Gpu::open() {
        Ok(gpu) => gpu,
        Err(error) => return skip(&format!("operators on the GPU: {error}")),
    };
    let adapter = gpu.adapter().name.clone();
    check(&format!("GPU, {adapter}"), Level::Folded, |plan, inputs| {
        let recording = gpu::record(&plan).expect("a recording");
        let inputs: Vec<Vec<f32>> = inputs
            .iter()
            .map(|words| words.iter().map(|&word| f32::from_bits(word)).collect())
            .collect();
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let outputs = Replayer::new(&gpu, recording)
            .and_then(|mut replayer| replayer.run(&inputs))
            .expect("the adapter runs it");
        let output = |name: &String| outputs.get_words(name).expect("an output").to_vec();
        names(&plan).iter().map(output).collect()
    });
}

/// Whatever byte is changed: a graph, or an error of one of the two kinds.
#[test]
fn damaged_operators_are_refused_or_read() {
    let (mut read, mut refused) = (0, [0_u32; 2]);
    for case in cases() {
        let good = case.bytes();
        for at in 0..good.len() {
            for change in [|byte: u8| byte ^ 1, |byte: u8| byte ^ 0x80, |_| 0xff, |_| 0] {
                let mut bytes = good.clone();
                bytes[at] = change(bytes[at]);
                match tflite::import(&bytes) {
                    Ok(mut graph) => {
                        read += 1;
                        if passes::optimise(&mut graph).is_ok()
                            && let Ok(plan) = Plan::new(graph)
                            && plan.arena_len < 1 << 20
                        {
                            let _ = Session::new(plan);
                        }
                    }
                    Err(error) => refused[usize::from(error.kind() == ErrorKind::Unsupported)] += 1,
                }
            }
        }
    }
    report(&format!(
        "damaged operators: {read} read, {} invalid, {} unsupported",
        refused[0], refused[1]
    ));
    assert!(read > 1000 && refused.iter().all(|&count| count > 1000));
}
