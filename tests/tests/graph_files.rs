//! Graph files of the real models: what they compute is, bit for bit, what the models compute that they are made of.

use plumb::commands::compile::compile;
use plumb::manifest;
use plumbline_engine::plan::Plan;
use plumbline_engine::{cpu, passes, read_model};
use plumbline_tests::models::{MODELS, load};

/// All outputs of a file for the same made-up picture, as bits.
fn outputs(bytes: &[u8]) -> Vec<(String, Vec<u32>)> {
    let mut graph = read_model(bytes).expect("BlazePose models are supported");
    passes::optimise(&mut graph).expect("the passes take it");
    let names: Vec<String> = graph
        .outputs
        .iter()
        .map(|&id| graph.value(id).name.clone())
        .collect();
    let mut session = cpu::Session::new(Plan::new(graph).expect("a plan")).expect("a session");
    for (index, value) in session.input_mut(0).iter_mut().enumerate() {
        *value = (index * 37 % 256) as f32 / 255.0;
    }
    session.run();
    let read = |name: String| {
        let values = session.output(&name).expect("the output");
        let bits = values.iter().map(|value| value.to_bits()).collect();
        (name, bits)
    };
    names.into_iter().map(read).collect()
}

#[test]
fn a_graph_file_computes_the_same_bits_as_its_model() {
    for model in MODELS {
        if load(model).is_none() {
            return;
        }
        let weights = manifest::read_model(model).expect("it was just read");
        let file = compile(&weights).expect("BlazePose models are supported");
        println!("{model}: {} bytes from {}", file.len(), weights.len());
        assert!(
            file.len() < weights.len(),
            "{model}: a graph file is no larger than its model"
        );
        assert!(outputs(&file) == outputs(&weights), "{model}: outputs differ");
    }
}
