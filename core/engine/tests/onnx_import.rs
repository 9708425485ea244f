//! ONNX files as graphs: what nodes become, and what is computed while a file is read.
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
use plumbline_engine::error::Missing;
use plumbline_engine::onnx::{Options, import};
use plumbline_engine::tensor::Data;

/// min(max(alpha |x| + beta, 0), 1) by the definition of HardSigmoid, in numbers that binary fractions hold.
#[test]
fn functions_with_their_attributes() {
    let nodes = [
        node("Abs", "x", "a", &[]),
        node(
            "HardSigmoid",
            "a",
            "h",
            &[float("alpha", 0.25), float("beta", 0.125)],
        ),
        node("Identity", "h", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[2, 2]), port("y", F32, &[2, 2]));
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    let input = tensor(FileType::F32, &[2, 2], Data::Float([-1.0, 0.5, 2.0, -8.0].into()));
    let expected = tensor(
        FileType::F32,
        &[2, 2],
        Data::Float([0.375, 0.25, 0.625, 1.0].into()),
    );
    assert_eq!(frame(graph, &input, FileType::F32), expected);
}

/// A bound that is computed from a constant is known when its node is read, and takes no node.
#[test]
fn what_is_known_is_computed_at_once() {
    let constant = Message::new()
        .text(1, "value")
        .message(5, &raw_tensor("", &[], &[1.5]));
    let nodes = [
        node("Constant", "", "high", &[constant.int(20, 4)]),
        node("Neg", "high", "low", &[]),
        node("Clip", "x low high", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[3]), port("y", F32, &[3]));
    let graph = read(&model(13, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["Clip"]);
    let input = tensor(FileType::F32, &[3], Data::Float([-7.0, 1.25, 2.0].into()));
    let expected = tensor(FileType::F32, &[3], Data::Float([-1.5, 1.25, 1.5].into()));
    assert_eq!(frame(graph, &input, FileType::F32), expected);
}

/// What depends on shapes alone is known, whatever a frame brings.
#[test]
fn shapes_are_known() {
    let nodes = [
        node("Shape", "x", "sizes", &[int("start", -2), int("end", 9)]),
        node("ConstantOfShape", "sizes", "zeros", &[]),
        node("Size", "zeros", "n", &[]),
        node("Constant", "", "list", &[ints("value_ints", &[1])]),
        node("Reshape", "n list", "wanted", &[]),
        node("Reshape", "x wanted", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[1, 2, 3]), port("y", F32, &[6]));
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["Reshape"]);
    assert_eq!(graph.shape(graph.outputs[0]), [6]);
}

/// Results as NumPy has them for arrays of these types.
#[test]
fn short_integers_wrap_around() {
    let cases = [
        (
            "Neg",
            I8,
            FileType::I8,
            [-128, -1, 127],
            [-128, 1, -127],
            &["Neg", "Cast"][..],
        ),
        (
            "Abs",
            I8,
            FileType::I8,
            [-128, -1, 127],
            [-128, 1, 127],
            &["Abs", "Cast"],
        ),
        (
            "BitwiseNot",
            U8,
            FileType::U8,
            [0, 5, 255],
            [255, 250, 0],
            &["BitNot", "Cast"],
        ),
        ("Sign", I8, FileType::I8, [-128, 0, 127], [-1, 0, 1], &["Sign"]),
        (
            "Neg",
            I32,
            FileType::I32,
            [i32::MIN.into(), 0, 7],
            [i32::MIN.into(), 0, -7],
            &["Neg"],
        ),
    ];
    for (operator, number, file_type, input, expected, nodes) in cases {
        let rest = ports(port("x", number, &[3]), port("y", number, &[3]));
        let graph = read(&model(18, &[node(operator, "x", "y", &[])], &rest)).expect("a graph");
        assert_eq!(operators(&graph), nodes, "{operator} of {file_type}");
        let result = frame(graph, &integers(file_type, &input), file_type);
        assert_eq!(
            result,
            integers(file_type, &expected),
            "{operator} of {file_type}"
        );
    }
}

/// Integers of 64 bits pass through the 32 of a frame as long as they are sure to have room there.
#[test]
fn long_integers_have_room_or_are_refused() {
    let import_cast = |from: i64, nodes: &[Message], to: i64| {
        let rest = ports(port("x", from, &[2]), port("y", to, &[2]));
        read(&model(18, nodes, &rest))
    };
    let cast = |from: &str, to: &str, number: i64| node("Cast", from, to, &[int("to", number)]);

    let graph = import_cast(I64, &[node("Neg", "x", "a", &[]), cast("a", "y", I32)], I32).expect("a graph");
    assert_eq!(operators(&graph), ["Neg", "Reshape"]);
    let input = integers(FileType::I64, &[-(1 << 30), 3]);
    assert_eq!(
        frame(graph, &input, FileType::I32),
        integers(FileType::I32, &[1 << 30, -3])
    );

    let graph = import_cast(BOOL, &[cast("x", "y", I64)], I64).expect("a graph");
    let input = tensor(FileType::Bool, &[2], Data::Bool([true, false].into()));
    assert_eq!(
        frame(graph, &input, FileType::I64),
        integers(FileType::I64, &[1, 0])
    );

    // One addition has room, and comparisons need none.
    let twice = [node("Add", "x x", "a", &[]), node("Less", "a x", "y", &[])];
    let graph = import_cast(I64, &twice, BOOL).expect("a graph");
    let input = integers(FileType::I64, &[-(1 << 30), 3]);
    let expected = tensor(FileType::Bool, &[2], Data::Bool([true, false].into()));
    assert_eq!(frame(graph, &input, FileType::Bool), expected);

    // A float may be any integer, and so may the magnitude of the smallest, products and a second addition.
    for (from, nodes) in [
        (F32, vec![cast("x", "y", I64)]),
        (I64, vec![node("Mul", "x x", "y", &[])]),
        (I64, vec![node("Sum", "x x x", "y", &[])]),
        (I32, vec![cast("x", "a", I64), node("Neg", "a", "y", &[])]),
    ] {
        let error = import_cast(from, &nodes, I64).expect_err("no room");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("32 bits of a frame"), "{error}");
    }
}

/// The sum of integers has room in a frame, or is refused, or keeps its lowest bits, by its type.
#[test]
fn sums_of_integers_keep_their_type() {
    let sum = |number: i64, operator: &str, len: i64| {
        let rest = ports(port("x", number, &[len]), port("y", number, &[1]));
        read(&model(11, &[node(operator, "x", "y", &[])], &rest))
    };
    let graph = sum(I64, "ReduceSum", 2).expect("room for two");
    assert_eq!(operators(&graph), ["ReduceSum"]);
    let input = integers(FileType::I64, &[-(1 << 30), -(1 << 30)]);
    assert_eq!(
        frame(graph, &input, FileType::I64),
        integers(FileType::I64, &[-(1 << 31)])
    );
    for (operator, len) in [("ReduceSum", 3), ("ReduceSumSquare", 1), ("ReduceProd", 2)] {
        let error = sum(I64, operator, len).expect_err("no room");
        assert!(error.to_string().contains("32 bits of a frame"), "{error}");
    }
    let graph = sum(I32, "ReduceSum", 3).expect("bits of 32");
    let most = i64::from(i32::MAX);
    let input = integers(FileType::I32, &[most, 1, 1]);
    assert_eq!(
        frame(graph, &input, FileType::I32),
        integers(FileType::I32, &[-most])
    );
    let graph = sum(I8, "ReduceSum", 3).expect("bits of 8");
    assert_eq!(operators(&graph), ["ReduceSum", "Cast"]);
    let input = integers(FileType::I8, &[127, 1, 1]);
    assert_eq!(
        frame(graph, &input, FileType::I8),
        integers(FileType::I8, &[-127])
    );
}

/// An input that decides what the graph is can be given when the model is read, and is none afterwards.
/// No frame computes with 64 bits without a sign, but a constant may be of them.
#[test]
fn inputs_that_no_frame_has_may_be_known() {
    let rest = ports(port("x", U64, &[2]), port("y", BOOL, &[2]));
    let bytes = model(18, &[node("Less", "x x", "y", &[])], &rest);
    let error = read(&bytes).expect_err("no such words");
    assert_eq!(error.missing(), Some(&Missing::Value("x".to_owned())));
    let mut options = Options::default();
    options
        .known
        .insert("x".to_owned(), integers(FileType::U64, &[1, i64::MAX]));
    assert!(import(&bytes, &options).expect("a graph").nodes.is_empty());
}

/// A float that a frame brings may be no integer, and nothing says what an integer to its power is.
#[test]
fn inputs_are_asked_for_by_name() {
    let rest = ports(port("x", I32, &[2]), port("y", I32, &[2])).message(11, &port("n", F32, &[]));
    let bytes = model(18, &[node("Pow", "x n", "y", &[])], &rest);
    let error = read(&bytes).expect_err("the exponent is not known");
    assert_eq!(
        (error.kind(), error.missing()),
        (ErrorKind::Unsupported, Some(&Missing::Value("n".to_owned())))
    );
    assert_eq!(error.place(), "node 0 (Pow)");

    let mut options = Options::default();
    let wrong = tensor(FileType::F32, &[1], Data::Float([3.0].into()));
    options.known.insert("n".to_owned(), wrong.clone());
    let error = import(&bytes, &options).expect_err("another shape");
    assert_eq!(error.place(), "input 'n'");

    let exponent = wrong.reshaped(vec![]).expect("one element");
    options.known.insert("n".to_owned(), exponent);
    let graph = import(&bytes, &options).expect("a graph");
    assert_eq!(graph.inputs.len(), 1);
    let input = integers(FileType::I32, &[-5, 2]);
    assert_eq!(
        frame(graph, &input, FileType::I32),
        integers(FileType::I32, &[-125, 8])
    );

    let half = tensor(FileType::F32, &[], Data::Float([0.5].into()));
    options.known.insert("n".to_owned(), half);
    let error = import(&bytes, &options).expect_err("a root");
    assert!(
        error.to_string().contains("int32 to the power of a float32"),
        "{error}"
    );
}

/// The upper triangle of each matrix, and what stands where a condition fails.
#[test]
fn elements_are_chosen() {
    let nodes = [
        node("Constant", "", "k", &[int("value_int", 1)]),
        node("Trilu", "x k", "upper", &[]),
        node("Constant", "", "half", &[float("value_float", 0.5)]),
        node("Greater", "x half", "is", &[]),
        node("Where", "is upper half", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[2, 2, 2]), port("y", F32, &[2, 2, 2]));
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["Select", "Greater", "Select"]);
    let input = [1.0, 2.0, 3.0, 4.0, 0.0, f32::INFINITY, 0.25, 8.0];
    let input = tensor(FileType::F32, &[2, 2, 2], Data::Float(input.into()));
    let result = frame(graph, &input, FileType::F32);
    let expected = [0.0, 2.0, 0.0, 0.0, 0.5, f32::INFINITY, 0.5, 0.0];
    assert_eq!(result.floats().as_deref(), Some(&expected[..]));
}

/// A sum by the number of its terms; a clip whose bounds a frame brings; a power has the type of its base.
#[test]
fn operators_of_several_functions() {
    let rest = ports(port("x", F32, &[2]), port("y", F32, &[2]));
    let nodes = [
        node("Constant", "", "two", &[int("value_int", 2)]),
        node("Pow", "x two", "square", &[]),
        node("Mean", "x square x", "mean", &[]),
        node("Neg", "x", "low", &[]),
        node("Sum", "mean", "sum", &[]),
        node("PRelu", "sum low", "y", &[]),
    ];
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["Pow", "Add", "Add", "Div", "Neg", "PRelu"]);
    let input = tensor(FileType::F32, &[2], Data::Float([-1.5, 3.0].into()));
    let result = frame(graph, &input, FileType::F32);
    // (-1.5 + 2.25 - 1.5) / 3 * 1.5 and (3 + 9 + 3) / 3.
    assert_eq!(result.floats().as_deref(), Some(&[-0.375, 5.0][..]));

    let nodes = [
        node("Constant", "", "high", &[int("value_int", 5)]),
        node("Cast", "high", "most", &[int("to", I8)]),
        node("Clip", "x _ most", "y", &[]),
    ];
    let rest = ports(port("x", I8, &[3]), port("y", I8, &[3]));
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["Min"]);
    let result = frame(graph, &integers(FileType::I8, &[-128, 4, 127]), FileType::I8);
    assert_eq!(result, integers(FileType::I8, &[-128, 4, 5]));
}
