//! Graphs inside of nodes: which branch is read, how often a body is, and what ends that.
#![cfg(feature = "onnx")]

#[path = "support/onnx_models.rs"]
#[allow(dead_code, reason = "types and attributes of other tests")]
mod onnx_models;
#[path = "support/onnx_writer.rs"]
#[allow(dead_code, reason = "whole models are for other tests")]
mod onnx_writer;

use onnx_models::*;
use onnx_writer::{Message, raw_tensor};
use plumbline_engine::ErrorKind;
use plumbline_engine::element::FileType;
use plumbline_engine::survey::survey;
use plumbline_engine::tensor::Data;

/// An attribute that is a graph.
fn graph(name: &str, nodes: &[Message], inputs: &[&str], outputs: &[&str]) -> Message {
    let names = |graph: Message, field: u64, names: &[&str]| {
        let ports = names.iter().map(|name| Message::new().text(1, name));
        ports.fold(graph, |graph, port| graph.message(field, &port))
    };
    let graph = names(names(Message::new().messages(1, nodes), 11, inputs), 12, outputs);
    Message::new().text(1, name).message(6, &graph).int(20, 5)
}

/// A value of one element that the file holds.
fn scalar(name: &str, data_type: i64, bytes: &[u8]) -> Message {
    Message::new().int(2, data_type).text(8, name).bytes(9, bytes)
}

fn truth(name: &str, value: u8) -> Message {
    scalar(name, BOOL, &[value])
}

fn number(name: &str, value: i64) -> Message {
    scalar(name, I64, &value.to_le_bytes())
}

fn row(values: &[f32]) -> plumbline_engine::tensor::Tensor {
    tensor(FileType::F32, &[values.len()], Data::Float(values.into()))
}

/// `If` between a function of x and another one.
fn either(then_operator: &str, else_operator: &str) -> Message {
    let branch = |name, operator| graph(name, &[node(operator, "x", "r", &[])], &[], &["r"]);
    let branches = [
        branch("then_branch", then_operator),
        branch("else_branch", else_operator),
    ];
    node("If", "c", "y", &branches)
}

#[test]
fn a_known_condition_names_the_one_branch_that_is_read() {
    for (value, expected) in [(1, [1.0, 0.0]), (0, [-1.0, 2.0])] {
        let rest = ports(port("x", F32, &[2]), port("y", F32, &[2])).message(5, &truth("c", value));
        let known = read(&model(17, &[either("Relu", "Neg")], &rest)).expect("both are read");
        assert_eq!(known.nodes.len(), 1);
        let y = frame(known, &row(&[1.0, -2.0]), FileType::F32);
        assert_eq!(y.floats().as_deref(), Some(&expected[..]));
    }
    let rest = ports(port("x", F32, &[2]), port("y", F32, &[2])).message(5, &truth("c", 1));
    let file = model(17, &[either("Relu", "NoSuchOperator")], &rest);
    assert!(read(&file).is_ok(), "the other branch is not looked at");
    let survey = survey(&file).expect("a model");
    assert!(
        survey.gaps.is_empty(),
        "nobody knows yet whether it is read: {:?}",
        survey.gaps
    );
    let names: Vec<&str> = survey
        .operators
        .iter()
        .map(|operator| operator.name.as_str())
        .collect();
    assert_eq!(names, ["NoSuchOperator", "If", "Relu"]);
}

#[test]
fn a_condition_of_the_frame_selects_between_both_branches() {
    let nodes = [
        node("ReduceSum", "x", "sum", &[int("keepdims", 0)]),
        node("Less", "sum zero", "c", &[]),
        either("Abs", "Neg"),
    ];
    let rest = ports(port("x", F32, &[2]), port("y", F32, &[2]));
    let rest = rest.message(5, &raw_tensor("zero", &[], &[0.0]));
    let file = model(17, &nodes, &rest);
    for (x, expected) in [([1.0, -2.0], [1.0, 2.0]), ([3.0, -2.0], [-3.0, 2.0])] {
        let y = frame(read(&file).expect("it is read"), &row(&x), FileType::F32);
        assert_eq!(y.floats().as_deref(), Some(&expected[..]), "{x:?}");
    }
    let broken = [
        nodes[0].clone(),
        nodes[1].clone(),
        either("Abs", "NoSuchOperator"),
    ];
    let error = read(&model(17, &broken, &rest)).expect_err("a branch is not read");
    let expected = "node 2 (If), else_branch, node 0 (NoSuchOperator): this operator is not read";
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().ends_with(expected), "{error}");
}

/// x, doubled `times` times, and what it was after each of these.
fn doubling(times: i64) -> Vec<u8> {
    let nodes = [
        node("Identity", "going", "still", &[]),
        node("Constant", "", "two", &[float("value_float", 2.0)]),
        // The name of a value around the loop.
        node("Mul", "x two", "doubled", &[]),
        node("Identity", "doubled", "seen", &[]),
    ];
    let body = graph(
        "body",
        &nodes,
        &["time", "going", "x"],
        &["still", "doubled", "seen"],
    );
    let rest = ports(port("x", F32, &[2]), port("y", F32, &[3, 2])).message(5, &number("times", times));
    model(17, &[node("Loop", "times _ x", "last y", &[body])], &rest)
}

#[test]
fn a_loop_is_written_out() {
    let graph = read(&doubling(3)).expect("it ends");
    let y = frame(graph, &row(&[1.0, -0.5]), FileType::F32);
    assert_eq!(
        y.floats().as_deref(),
        Some(&[2.0, -1.0, 4.0, -2.0, 8.0, -4.0][..])
    );
}

#[test]
fn what_does_not_end_in_reason_is_refused() {
    for (times, message) in [
        (
            0,
            "it is never passed, so nothing says of which sizes its results are",
        ),
        (
            i64::MAX,
            "more than 65536 nodes, each counted as often as it is read",
        ),
    ] {
        let error = read(&doubling(times)).expect_err(message);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(message), "{error}");
    }
    // Each time a megabyte is copied.
    let heavy = vec![0.0; 1 << 18];
    let filled = Message::new()
        .text(1, "value")
        .message(5, &raw_tensor("", &[1 << 18], &heavy))
        .int(20, 4);
    let nodes = [
        node("Identity", "going", "still", &[]),
        node("NoSuchOperator", "", "v", &[filled]),
    ];
    let never = [
        graph("then_branch", &nodes[1..], &[], &[]),
        graph("else_branch", &[], &[], &[]),
    ];
    let nodes = [nodes[0].clone(), node("If", "no", "", &never)];
    let body = graph("body", &nodes, &["time", "going"], &["still"]);
    let rest = ports(port("x", F32, &[2]), port("x", F32, &[2]));
    let rest = rest
        .message(5, &number("times", 1000))
        .message(5, &truth("no", 0));
    let error = read(&model(17, &[node("Loop", "times _", "", &[body])], &rest)).expect_err("too much");
    assert!(
        error.to_string().contains("takes more than 268435456 bytes"),
        "{error}"
    );
}

#[test]
fn a_loop_whose_end_the_frame_decides_is_refused() {
    let nodes = [
        node("ReduceSum", "x", "sum", &[int("keepdims", 0)]),
        node("Cast", "sum", "still", &[int("to", BOOL)]),
    ];
    let body = graph("body", &nodes, &["time", "going"], &["still", "sum"]);
    let rest = ports(port("x", F32, &[2]), port("y", F32, &[2])).message(5, &number("times", 4));
    let error = read(&model(17, &[node("Loop", "times _", "y", &[body])], &rest)).expect_err("nobody knows");
    assert_eq!(
        error.to_string(),
        "unsupported model: node 0 (Loop), body: whether it goes on depends on the frame; loops are read whose end is known"
    );
}

#[test]
fn a_scan_goes_along_its_axis_in_either_direction() {
    let nodes = [
        node("Add", "before now", "sum", &[]),
        node("Identity", "sum", "seen", &[]),
    ];
    let body = graph("body", &nodes, &["before", "now"], &["sum", "seen"]);
    let backwards = [
        body,
        int("num_scan_inputs", 1),
        ints("scan_input_axes", &[-1]),
        ints("scan_input_directions", &[1]),
        ints("scan_output_axes", &[1]),
        ints("scan_output_directions", &[1]),
    ];
    let nothing = raw_tensor("nothing", &[2], &[0.0; 2]);
    let rest = ports(port("x", F32, &[2, 3]), port("y", F32, &[2, 3])).message(5, &nothing);
    let graph = read(&model(
        17,
        &[node("Scan", "nothing x", "last y", &backwards)],
        &rest,
    ))
    .expect("a size");
    let x = tensor(
        FileType::F32,
        &[2, 3],
        Data::Float([1.0, 2.0, 3.0, 10.0, 20.0, 30.0].into()),
    );
    let y = frame(graph, &x, FileType::F32);
    // Sums from behind, each at the place of what came last.
    assert_eq!(
        y.floats().as_deref(),
        Some(&[6.0, 5.0, 3.0, 60.0, 50.0, 30.0][..])
    );
}
