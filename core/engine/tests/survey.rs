//! What files say of themselves: the tiny TFLite model whole and damaged, and an ONNX model with gaps.
#![cfg(feature = "onnx")]

#[path = "support/onnx_writer.rs"]
#[allow(dead_code, reason = "whole models are for other tests")]
mod onnx_writer;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "only bytes are damaged here")]
mod random;
#[path = "support/tflite_writer.rs"]
mod tflite_writer;
#[path = "support/tiny_model.rs"]
#[allow(dead_code, reason = "its numbers are for other tests")]
mod tiny_model;

use onnx_writer::Message;
use plumbline_engine::survey::{Format, OperatorUse, Port, Size, survey};
use plumbline_engine::{ErrorKind, ModelError, tflite};
use random::Random;
use tiny_model::tiny_model;

fn operator(name: &str, nodes: usize, refused: usize) -> OperatorUse {
    OperatorUse {
        name: name.to_owned(),
        nodes,
        refused,
    }
}

#[test]
fn every_operator_of_an_onnx_file_that_is_not_read_is_named_with_its_node() {
    let node = |name: &str, operator: &str, domain: &str| {
        let node = Message::new().text(1, "x").text(2, "y").text(3, name);
        node.text(4, operator).text(7, domain)
    };
    let nodes = [
        node("", "Relu", ""),
        node("nms", "NonMaxSuppression", ""),
        node("", "Relu", "ai.onnx"),
        node("", "Relu", "com.example"),
        node("last", "NonMaxSuppression", ""),
    ];
    // [N, 3, "height", ?] of f32; a weight that is listed among the inputs is none.
    let dims = [
        Message::new().text(2, "N"),
        Message::new().int(1, 3),
        Message::new().text(2, "height"),
        Message::new(),
    ];
    let shape = Message::new().messages(1, &dims);
    let tensor = Message::new().int(1, 1).message(2, &shape);
    let input = Message::new()
        .text(1, "x")
        .message(2, &Message::new().message(1, &tensor));
    let weight = Message::new().text(1, "w");
    let graph = Message::new()
        .messages(1, &nodes)
        .message(5, &Message::new().int(2, 1).text(8, "w"))
        .message(11, &input)
        .message(11, &weight)
        .message(12, &Message::new().text(1, "y"));
    let file = Message::new()
        .int(1, 9)
        .message(7, &graph)
        .message(8, &Message::new().text(1, "").int(2, 17));
    let survey = survey(&file.0).expect("an ONNX file");
    assert_eq!(survey.format, Format::Onnx);
    assert_eq!(survey.version, "operator set 17");
    let sizes = [
        Size::Open("N".to_owned()),
        Size::Known(3),
        Size::Open("height".to_owned()),
        Size::Open(String::new()),
    ];
    let port = |name: &str, element: &str, shape: Option<&[Size]>, written_by: Option<&str>| Port {
        name: name.to_owned(),
        element: element.to_owned(),
        shape: shape.map(<[Size]>::to_vec),
        written_by: written_by.map(str::to_owned),
    };
    assert_eq!(survey.inputs, [port("x", "float32", Some(&sizes), None)]);
    assert_eq!(survey.outputs, [port("y", "no tensor", None, Some("Relu"))]);
    assert_eq!(
        survey.operators,
        [
            operator("NonMaxSuppression", 2, 2),
            operator("com.example.Relu", 1, 1),
            operator("Relu", 2, 0)
        ]
    );
    let places: Vec<&str> = survey.gaps.iter().map(ModelError::place).collect();
    assert_eq!(
        places,
        [
            "node 1 (NonMaxSuppression, 'nms')",
            "node 3 (Relu)",
            "node 4 (NonMaxSuppression, 'last')"
        ]
    );
    assert!(survey.gaps.iter().all(|gap| gap.kind() == ErrorKind::Unsupported));
}

#[test]
fn a_tflite_file_is_surveyed_as_it_is_imported() {
    let bytes = tiny_model();
    let found = survey(&bytes).expect("a TFLite file");
    let graph = tflite::import(&bytes).expect("it is read");
    assert_eq!(found.format, Format::Tflite);
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    let nodes: usize = found.operators.iter().map(|operator| operator.nodes).sum();
    assert_eq!(nodes, graph.nodes.len());
    let names = |ids: &[plumbline_engine::graph::ValueId]| -> Vec<String> {
        ids.iter().map(|&id| graph.value(id).name.clone()).collect()
    };
    let listed = |ports: &[Port]| -> Vec<String> { ports.iter().map(|port| port.name.clone()).collect() };
    assert_eq!(listed(&found.inputs), names(&graph.inputs));
    assert_eq!(listed(&found.outputs), names(&graph.outputs));
    let first = graph.shape(graph.inputs[0]).iter().copied().map(Size::Known);
    assert_eq!(found.inputs[0].shape, Some(first.collect()));
    assert_eq!(found.inputs[0].element, "float32");
    assert_eq!(found.inputs[0].written_by, None);
    assert_eq!(found.outputs[0].written_by.as_deref(), Some("CONCATENATION"));
}

#[test]
fn surveys_survive_damaged_files() {
    let whole = tiny_model();
    for end in 0..whole.len() {
        drop(survey(&whole[..end]));
    }
    let mut random = Random(11);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        let position = random.below(bytes.len());
        bytes[position] ^= 1 << random.below(8);
        drop(survey(&bytes));
    }
}
