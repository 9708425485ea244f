//! Graph files: what is read is what was written, and files that must be refused without a panic.

#[path = "support/families.rs"]
mod families;
#[path = "support/maps.rs"]
mod maps;
#[path = "support/random.rs"]
mod random;
#[allow(dead_code, reason = "graphs are written here, and not computed")]
#[path = "support/suite.rs"]
mod suite;
#[path = "support/tflite_writer.rs"]
mod tflite_writer;
#[path = "support/tiny_model.rs"]
mod tiny_model;
#[path = "support/zips.rs"]
mod zips;

use plumbline_engine::element::Element;
use plumbline_engine::graph::{Activation, Constant, Graph, Op};
use plumbline_engine::ops::{Map, TensorOp, Unary};
use plumbline_engine::plan::Plan;
use plumbline_engine::{ErrorKind, cpu, gpu, graph_file, passes, read_model, tflite, validate};
use random::Random;
use suite::Build;
use tiny_model::{SPARSE_DENSE, tiny_model};

const SOURCE: graph_file::SourceHash = [7; 32];

/// The tiny model with folded constants; `optimised` has all the fused operators too.
fn folded(optimised: bool) -> Graph {
    let mut graph = tflite::import(&tiny_model()).expect("a valid model");
    passes::fold_constants(&mut graph).expect("all weights are constants");
    passes::prune(&mut graph);
    if optimised {
        passes::optimise(&mut graph).expect("the passes take it");
    }
    graph
}

fn outputs(graph: Graph, input: &[f32]) -> Vec<u32> {
    let mut session = cpu::Session::new(Plan::new(graph).expect("a plan")).expect("a session");
    session.input_mut(0).copy_from_slice(input);
    session.run();
    let output = session.output("out").expect("the output");
    output.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn what_is_read_is_what_was_written() {
    for optimised in [false, true] {
        let graph = folded(optimised);
        let bytes = graph_file::write(&graph, &SOURCE).expect("it is folded");
        let (again, source) = graph_file::read(&bytes).expect("just written");
        assert_eq!(source, SOURCE);
        assert_eq!((&again.inputs, &again.outputs), (&graph.inputs, &graph.outputs));
        for (again, node) in again.nodes.iter().zip(&graph.nodes) {
            assert_eq!((&again.op, &again.origin), (&node.op, &node.origin));
            assert_eq!((&again.inputs, again.output), (&node.inputs, node.output));
        }
        assert_eq!(again.nodes.len(), graph.nodes.len());
        for (again, value) in again.values.iter().zip(&graph.values) {
            assert_eq!((&again.name, &again.shape), (&value.name, &value.shape));
            if again.name == "weights" {
                let constant = again.constant.as_ref().and_then(Constant::to_f32);
                assert_eq!(constant.as_deref(), Some(&SPARSE_DENSE[..]));
            }
        }
        let input = Random(7).tensor(144);
        let (mut again, mut graph) = (again, graph);
        passes::optimise(&mut again).expect("the passes take it");
        passes::optimise(&mut graph).expect("the passes take it");
        assert_eq!(outputs(again, &input), outputs(graph, &input));
    }
}

#[test]
fn squeezes_and_scales_are_read_as_they_were_written() {
    let graph = suite::squeezes_and_scales(0).graph;
    let bytes = graph_file::write(&graph, &SOURCE).expect("it is folded");
    let (again, _) = graph_file::read(&bytes).expect("just written");
    let operators = |graph: &Graph| graph.nodes.iter().map(|node| node.op.clone()).collect::<Vec<_>>();
    assert_eq!(operators(&again), operators(&graph));
}

#[test]
fn every_form_of_constant_keeps_its_bits() {
    let sparse: Vec<f32> = (0..37)
        .map(|i| if i % 9 == 4 { i as f32 / 8.0 } else { 0.0 })
        .collect();
    let mut minus_zero = sparse.clone();
    minus_zero[36] = -0.0;
    let cases: [(&str, Vec<f32>); 6] = [
        ("f32", vec![0.1, -1e-30, f32::MAX]),
        ("half", vec![0.5, -2.0, 65504.0, 5.960_464_5e-8]),
        ("infinite", vec![f32::INFINITY, f32::NEG_INFINITY, 1.0]),
        ("not a number", vec![f32::NAN, 1.0]),
        ("sparse", sparse),
        ("sparse with minus zero", minus_zero),
    ];
    for (what, data) in cases {
        let mut graph = Graph::default();
        let id = graph.add_value(what, vec![data.len()], Some(Constant::F32(data.clone().into())));
        graph.outputs.push(id);
        let bytes = graph_file::write(&graph, &SOURCE).expect("it is folded");
        let (again, _) = graph_file::read(&bytes).expect("just written");
        let again = again.values[0]
            .constant
            .as_ref()
            .and_then(Constant::to_f32)
            .expect("f32");
        let bits = |data: &[f32]| data.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&again), bits(&data), "{what}");
    }
}

#[test]
fn integers_keep_their_bits() {
    let mut graph = Graph::default();
    let signed = Constant::I32([i32::MIN, -1, 7].into());
    let unsigned = Constant::U32([u32::MAX, 0].into());
    for (name, len, constant) in [("signed", 3, signed), ("unsigned", 2, unsigned)] {
        let id = graph.add_value(name, vec![len], Some(constant));
        graph.outputs.push(id);
    }
    let bytes = graph_file::write(&graph, &SOURCE).expect("it is folded");
    let (again, _) = graph_file::read(&bytes).expect("just written");
    for (again, value) in again.values.iter().zip(&graph.values) {
        match (&again.constant, &value.constant) {
            (Some(Constant::I32(again)), Some(Constant::I32(data))) => assert_eq!(again, data),
            (Some(Constant::U32(again)), Some(Constant::U32(data))) => assert_eq!(again, data),
            (again, _) => panic!("{} came back as {again:?}", value.name),
        }
    }
}

#[test]
fn tensor_operators_keep_their_parameters() {
    let functions = maps::functions()
        .into_iter()
        .map(|function| maps::case(&function));
    let conversions = maps::conversions().map(|(from, to)| maps::conversion(from, to));
    let others = [maps::reshapes(), maps::between_images(), maps::constants()];
    let zips = zips::functions().map(|(f, from)| zips::case(f, from));
    let cases = functions.chain(conversions).chain(others).chain(zips);
    for case in cases.chain(families::cases().map(|(_, case)| case)) {
        let bytes = graph_file::write(&case.graph, &SOURCE).expect("it is folded");
        let (again, _) = graph_file::read(&bytes).expect("just written");
        for (again, node) in again.nodes.iter().zip(&case.graph.nodes) {
            assert_eq!(again.op, node.op);
        }
        for (again, value) in again.values.iter().zip(&case.graph.values) {
            assert_eq!((again.element, &again.shape), (value.element, &value.shape));
        }
    }
    // A parameter that is no number, and an operator on images that would divide by a size of 0.
    let broken = |op: Op, shape: &[usize]| {
        let mut build = Build::default();
        let x = build.words(Element::F32, shape, vec![0; shape.iter().product()]);
        let y = build.node(op, vec![x], shape.to_vec());
        build.graph.outputs.push(y);
        let bytes = graph_file::write(&build.graph, &SOURCE).expect("it is folded");
        graph_file::read(&bytes).expect_err("no graph").to_string()
    };
    let swish = Op::Tensor(TensorOp::Map(Map {
        f: Unary::Swish(f32::NAN),
    }));
    assert!(broken(swish, &[2]).contains("no number"));
    assert!(broken(Op::Activation(Activation::Relu), &[1, 2, 0]).contains("[1, 2, 0]"));
    let mut integers = Build::default();
    let x = integers.words(Element::I32, &[3], vec![1, 2, 3]);
    let y = integers.node(Op::Activation(Activation::Relu), vec![x], vec![3]);
    integers.graph.outputs.push(y);
    let error = validate::validate(&integers.graph).expect_err("images are f32");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("Activation of i32"), "{error}");
}

#[test]
fn tensor_operators_survive_mutations() {
    let written: Vec<Vec<u8>> = maps::functions()
        .iter()
        .map(maps::case)
        .chain(maps::conversions().map(|(from, to)| maps::conversion(from, to)))
        .chain([maps::reshapes(), maps::constants()])
        .chain(zips::functions().map(|(f, from)| zips::case(f, from)))
        .chain(families::cases().map(|(_, case)| case))
        .map(|case| graph_file::write(&case.graph, &SOURCE).expect("it is folded"))
        .collect();
    let mut random = Random(16_000);
    let mut ran = 0;
    for round in 0..100_000 {
        let mut bytes = written[round % written.len()].clone();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.bits() as u8;
        }
        let plan = graph_file::read(&bytes).and_then(|(graph, _)| Plan::new(graph));
        // Whoever asks for a large arena is given one; here it would take the time.
        if let Ok(plan) = plan
            && plan.arena_len < 1 << 12
        {
            let _ = gpu::record(&plan);
            if let Ok(mut session) = cpu::Session::new(plan) {
                session.run();
                ran += 1;
            }
        }
    }
    assert!(ran > 1000, "only {ran} mutated files were run");
}

#[test]
fn a_model_is_read_whichever_file_it_is_in() {
    let graph = folded(false);
    let bytes = graph_file::write(&graph, &SOURCE).expect("it is folded");
    let read = read_model(&bytes).expect("a graph file");
    assert_eq!(read.nodes.len(), graph.nodes.len());
    assert_eq!(read_model(&tiny_model()).expect("a TFLite file").nodes.len(), 11);
}

#[test]
fn what_is_not_folded_is_not_written() {
    let graph = tflite::import(&tiny_model()).expect("a valid model");
    let error = graph_file::write(&graph, &SOURCE).expect_err("weights are f16");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("not folded"), "{error}");
}

#[test]
fn refuses_what_is_no_graph_file() {
    let good = graph_file::write(&folded(true), &SOURCE).expect("it is folded");
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let mut long = good.clone();
    long.push(0);
    let cases: [(&str, Vec<u8>, ErrorKind, &str); 5] = [
        ("empty", vec![], ErrorKind::Invalid, "not a graph file"),
        (
            "wrong magic",
            with(0, b'Q'),
            ErrorKind::Invalid,
            "not a graph file",
        ),
        (
            "another version",
            with(4, 99),
            ErrorKind::Unsupported,
            "version 99",
        ),
        (
            "half",
            good[..good.len() / 2].to_vec(),
            ErrorKind::Invalid,
            "truncated or damaged",
        ),
        ("longer", long, ErrorKind::Invalid, "1 bytes follow the end"),
    ];
    for (what, bytes, kind, message) in cases {
        let error = graph_file::read(&bytes).expect_err(what);
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.to_string().contains(message), "{what}: {error}");
    }
}

/// Reads, optimises and plans; anything but a panic is fine. Returns whether the reader took the file.
fn survive(bytes: &[u8]) -> bool {
    let Ok((mut graph, _)) = graph_file::read(bytes) else {
        return false;
    };
    if passes::optimise(&mut graph).is_ok() {
        let _ = Plan::new(graph);
    }
    true
}

#[test]
fn graph_files_survive_every_truncation() {
    let good = graph_file::write(&folded(true), &SOURCE).expect("it is folded");
    for len in 0..good.len() {
        assert!(!survive(&good[..len]), "{len} of {} bytes", good.len());
    }
}

#[test]
fn graph_files_survive_a_million_mutations() {
    let good = [false, true].map(|optimised| graph_file::write(&folded(optimised), &SOURCE).expect("folded"));
    let mut random = Random(2027);
    let mut accepted = 0;
    for _ in 0..1_000_000 {
        let mut bytes = good[random.below(2)].clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len());
            match random.below(5) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.bits() as u8,
                2 => bytes[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
                3 => {
                    let word = random.pick(&[0, 1, -1, i32::MAX, i32::MIN, bytes.len() as i32, 1 << 20]);
                    if let Some(slot) = bytes.get_mut(at..at + 4) {
                        slot.copy_from_slice(&word.to_le_bytes());
                    }
                }
                _ => bytes.truncate(at.max(8)),
            }
        }
        accepted += usize::from(survive(&bytes));
    }
    // Mutations that only touch weights, names or the hash are still graphs; most others are not.
    assert!(
        (1_000..900_000).contains(&accepted),
        "{accepted} of a million were accepted"
    );
}
