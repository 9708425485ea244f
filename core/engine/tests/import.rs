//! The TFLite reader: a small model that it must read right, and files that it must refuse without a panic.

#[path = "support/random.rs"]
mod random;
#[path = "support/tflite_writer.rs"]
mod tflite_writer;
#[path = "support/tiny_model.rs"]
mod tiny_model;

use plumbline_engine::element::FileType;
use plumbline_engine::graph::{Constant, Op};
use plumbline_engine::plan::Plan;
use plumbline_engine::tensor::{Data, Tensor};
use plumbline_engine::{ErrorKind, cpu, passes, reference, tflite};
use random::Random;
use tflite_writer::{Field, file};
use tiny_model::{SPARSE_DENSE, tiny_model};

#[test]
fn reads_every_kind_of_tensor() {
    let mut graph = tflite::import(&tiny_model()).expect("a valid model");
    assert_eq!(graph.nodes.len(), 11);
    passes::fold_constants(&mut graph).expect("all weights are constants");
    let constant = |name: &str| {
        let value = graph
            .values
            .iter()
            .find(|value| value.name == name)
            .expect("the tensor exists");
        value
            .constant
            .as_ref()
            .and_then(Constant::to_f32)
            .expect("it is folded")
            .to_vec()
    };
    assert_eq!(constant("weights"), SPARSE_DENSE);
    assert_eq!(constant("bias"), [1.0, 0.0, 0.0, -2.0]);
    assert_eq!(constant("kernel"), [0.25; 36]);
}

#[test]
fn passes_keep_the_result_and_shrink_the_graph() {
    let mut graph = tflite::import(&tiny_model()).expect("a valid model");
    let input = Random(7).tensor(144);
    passes::fold_constants(&mut graph).expect("constants");
    let picture = Data::Float(input.clone().into());
    let picture =
        Tensor::new(FileType::F32, graph.shape(graph.inputs[0]).to_vec(), picture).expect("it fits");
    let expected = reference::run(&graph, &[picture])
        .expect("runs")
        .remove(&graph.outputs[0])
        .expect("the output");

    let reports = passes::optimise(&mut graph).expect("the passes take it");
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.op.name()).collect();
    // The pointwise result has two readers, so the addition stays; padding and resize are gone.
    assert_eq!(names, ["Conv2d", "DepthwiseConv2d", "Add", "MaxPool2d", "Concat"]);
    assert_eq!(reports.last().map(|report| report.nodes), Some(5));

    let mut session = cpu::Session::new(Plan::new(graph).expect("a plan")).expect("a session");
    session.input_mut(0).copy_from_slice(&input);
    session.run();
    let actual = session.output("out").expect("the output");
    for (actual, expected) in actual.iter().zip(expected.floats().expect("f32").iter()) {
        assert!(
            (actual - expected).abs() <= 1e-5,
            "{actual} instead of {expected}"
        );
    }
}

#[test]
fn refuses_what_is_no_model() {
    let good = tiny_model();
    let mut wrong_magic = good.clone();
    wrong_magic[4..8].copy_from_slice(b"TFL2");
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("empty", vec![], "it is empty"),
        (
            "text",
            b"Dear reader, this is not a model at all.".to_vec(),
            "not a TFLite model",
        ),
        ("four bytes", good[..4].to_vec(), "not a TFLite model"),
        ("wrong magic", wrong_magic, "not a TFLite model"),
        ("header alone", good[..8].to_vec(), "truncated or damaged"),
        ("half", good[..good.len() / 2].to_vec(), "truncated or damaged"),
    ];
    for (what, bytes, message) in cases {
        let error = tflite::import(&bytes).expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{what}: {error}");
        assert!(error.to_string().contains(message), "{what}: {error}");
    }
}

#[test]
fn names_what_it_does_not_support() {
    let operator = vec![
        Field::Int(0),
        Field::Ints(vec![0]),
        Field::Ints(vec![1]),
        Field::Byte(0),
    ];
    let tensor = || {
        vec![
            Field::Ints(vec![1, 2]),
            Field::Byte(0),
            Field::Int(0),
            Field::text("t"),
        ]
    };
    let subgraph = vec![
        Field::Tables(vec![tensor(), tensor()]),
        Field::Ints(vec![0]),
        Field::Ints(vec![1]),
        Field::Tables(vec![operator]),
    ];
    let model = file(vec![
        Field::Int(3),
        Field::Tables(vec![vec![Field::Byte(16)]]),
        Field::Tables(vec![subgraph]),
        Field::Absent,
        Field::Tables(vec![vec![]]),
    ]);
    let error = tflite::import(&model).expect_err("recurrent operators are not implemented");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("operator 0 (LSTM)"), "{error}");
}

/// A model of one operator, whose two tensors have this element type.
fn of_elements(code: u8, custom: &str, element_type: u8) -> Vec<u8> {
    let tensor = || {
        vec![
            Field::Ints(vec![1, 2]),
            Field::Byte(element_type),
            Field::Int(0),
            Field::text("scores"),
        ]
    };
    let operator = vec![
        Field::Int(0),
        Field::Ints(vec![0]),
        Field::Ints(vec![1]),
        Field::Byte(0),
    ];
    let subgraph = vec![
        Field::Tables(vec![tensor(), tensor()]),
        Field::Ints(vec![0]),
        Field::Ints(vec![1]),
        Field::Tables(vec![operator]),
    ];
    file(vec![
        Field::Int(3),
        Field::Tables(vec![vec![Field::Byte(code), Field::text(custom)]]),
        Field::Tables(vec![subgraph]),
        Field::Absent,
        Field::Tables(vec![vec![]]),
    ])
}

#[test]
fn what_no_frame_computes_with_is_refused_by_name_and_with_what_to_do() {
    for (code, custom, element_type, expected) in [
        (
            14,
            "",
            9,
            "tensor 0 'scores': it holds int8: this is a quantised model",
        ),
        (
            14,
            "",
            3,
            "convert it without quantisation (float32, or weights of float16)",
        ),
        (14, "", 10, "elements of float64"),
        (14, "", 99, "element type code 99"),
        (14, "", 4, "64-bit integers that are not constant"),
        (
            32,
            "TFLite_Detection_PostProcess",
            0,
            "operator 0 (TFLite_Detection_PostProcess): an operator of its author's own",
        ),
        (
            32,
            "Convolution2DTransposeBias",
            0,
            "operator 0 (Convolution2DTransposeBias): 0 bytes of options",
        ),
    ] {
        let error = tflite::import(&of_elements(code, custom, element_type)).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// Imports, optimises and plans; anything but a panic is fine. Returns whether the reader took the file.
fn survive(bytes: &[u8]) -> bool {
    let Ok(mut graph) = tflite::import(bytes) else {
        return false;
    };
    if passes::optimise(&mut graph).is_ok() {
        let _ = Plan::new(graph);
    }
    true
}

#[test]
fn survives_every_truncation() {
    let good = tiny_model();
    for len in 0..good.len() {
        assert!(
            !survive(&good[..len]) || len + 4 > good.len(),
            "{len} of {} bytes",
            good.len()
        );
    }
}

#[test]
fn survives_a_million_mutations() {
    let good = tiny_model();
    let mut random = Random(2026);
    let mut accepted = 0;
    for _ in 0..1_000_000 {
        let mut bytes = good.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len());
            match random.below(5) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.bits() as u8,
                2 => bytes[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
                3 => {
                    let at = at & !3;
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
    // Mutations that only touch weights or names are still models; most others are not.
    assert!(
        (1_000..900_000).contains(&accepted),
        "{accepted} of a million were accepted"
    );
}

#[test]
fn selecting_an_unknown_output_lists_the_known_ones() {
    let mut graph = tflite::import(&tiny_model()).expect("a valid model");
    let error = passes::select_outputs(&mut graph, &["mask"]).expect_err("there is none");
    assert!(error.to_string().contains("the model has out"), "{error}");
    passes::select_outputs(&mut graph, &["out"]).expect("it exists");
    assert!(matches!(graph.nodes[0].op, Op::Densify));
}
