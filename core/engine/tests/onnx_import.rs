//! ONNX files as graphs: what nodes become, what is computed while a file is read, and what is refused and why.
#![cfg(feature = "onnx")]

#[path = "support/onnx_models.rs"]
mod onnx_models;
#[path = "support/onnx_writer.rs"]
#[allow(dead_code, reason = "whole models are for other tests")]
mod onnx_writer;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "only bytes are damaged here")]
mod random;

use onnx_models::*;
use onnx_writer::{Message, raw_tensor};
use plumbline_engine::element::FileType;
use plumbline_engine::error::Missing;
use plumbline_engine::graph::Op;
use plumbline_engine::onnx::{Options, import};
use plumbline_engine::plan::Plan;
use plumbline_engine::tensor::Data;
use plumbline_engine::{ErrorKind, passes};
use random::Random;

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

#[test]
fn shapes_change_without_work() {
    let nodes = [
        node("Squeeze", "x", "a", &[ints("axes", &[-2])]),
        node("Unsqueeze", "a", "b", &[ints("axes", &[3, 0])]),
        node("Flatten", "b", "c", &[int("axis", 2)]),
        node("Reshape", "c sizes", "y", &[]),
    ];
    let sizes = [0i64, -1, 2].iter().flat_map(|size| size.to_le_bytes());
    let sizes = Message::new()
        .int(1, 3)
        .int(2, I64)
        .text(8, "sizes")
        .bytes(9, &sizes.collect::<Vec<u8>>());
    let rest = ports(port("x", F32, &[2, 1, 6]), port("y", F32, &[2, 3, 2])).message(5, &sizes);
    let graph = read(&model(11, &nodes, &rest)).expect("a graph");
    let shapes: Vec<&[usize]> = graph.nodes.iter().map(|node| graph.shape(node.output)).collect();
    assert_eq!(shapes, [&[2, 6][..], &[1, 2, 6, 1], &[2, 6], &[2, 3, 2]]);
    assert!(graph.nodes.iter().all(|node| node.op == Op::Reshape));
    let values: Vec<f32> = (0..12).map(|value| value as f32).collect();
    let input = tensor(FileType::F32, &[2, 1, 6], Data::Float(values.into()));
    let expected = input.clone().reshaped(vec![2, 3, 2]);
    assert_eq!(Ok(frame(graph, &input, FileType::F32)), expected);
}

/// What lies in the file's order, transposed and back, is moved nowhere; what is read in another order, once.
#[test]
fn transposes_cost_nothing_until_somebody_reads_their_order() {
    let transpose = |from: &str, to: &str, axes: &[i64]| node("Transpose", from, to, &[ints("perm", axes)]);
    let there = transpose("x", "a", &[0, 2, 3, 1]);
    let nodes = [
        there.clone(),
        node("Abs", "a", "b", &[]),
        node("Unsqueeze", "b", "c", &[ints("axes", &[3])]),
        node("Squeeze", "c", "d", &[ints("axes", &[3])]),
        transpose("d", "y", &[0, 3, 1, 2]),
    ];
    let rest = ports(port("x", F32, &[2, 3, 4, 5]), port("y", F32, &[2, 3, 4, 5]));
    let graph = read(&model(11, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["Abs", "Reshape", "Reshape", "Reshape"]);

    let nodes = [
        there,
        node(
            "Slice",
            "a",
            "b",
            &[
                ints("starts", &[1, -3]),
                ints("ends", &[i64::MAX, 5]),
                ints("axes", &[3, 1]),
            ],
        ),
        node("Neg", "b", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[2, 3, 4, 5]), port("y", F32, &[2, 3, 5, 2]));
    let graph = read(&model(9, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["View", "Neg", "View"]);
    let values: Vec<f32> = (0..120).map(|value| value as f32).collect();
    let input = tensor(FileType::F32, &[2, 3, 4, 5], Data::Float(values.into()));
    // -x.transpose(0, 2, 3, 1)[:, 1:, :, 1:] of NumPy 2.4, its beginning and its end.
    let output = frame(graph, &input, FileType::F32);
    let floats = output.floats().expect("f32");
    assert_eq!(floats[..6], [-25.0, -45.0, -26.0, -46.0, -27.0, -47.0]);
    assert_eq!(floats[56..], [-98.0, -118.0, -99.0, -119.0]);
}

/// Parts of the axis [0, 1, 2, 3, 4], as NumPy takes them; ends beyond it stand for its own.
#[test]
fn slices_take_what_lies_between_their_ends() {
    let cases: [(i64, i64, i64, &[i64]); 11] = [
        (1, 4, 1, &[1, 2, 3]),
        (-3, i64::MAX, 1, &[2, 3, 4]),
        (i64::MIN, -1, 2, &[0, 2]),
        (9, i64::MIN, -1, &[4, 3, 2, 1, 0]),
        (-1, 0, -3, &[4, 1]),
        (3, -9, -2, &[3, 1]),
        (3, 3, 1, &[]),
        (4, 1, 1, &[]),
        (1, 4, -1, &[]),
        (0, 5, i64::MAX, &[0]),
        (4, i64::MIN, i64::MIN, &[4]),
    ];
    for (start, end, step, expected) in cases {
        let list = |name: &str, value: i64| node("Constant", "", name, &[ints("value_ints", &[value])]);
        let nodes = [
            list("start", start),
            list("end", end),
            list("step", step),
            node("Slice", "x start end _ step", "y", &[]),
        ];
        let rest = ports(port("x", I32, &[5]), port("y", I32, &[expected.len() as i64]));
        let graph = read(&model(18, &nodes, &rest)).expect("a graph");
        let result = frame(graph, &integers(FileType::I32, &[0, 1, 2, 3, 4]), FileType::I32);
        assert_eq!(result, integers(FileType::I32, expected), "{start}:{end}:{step}");
    }
    let nodes = [
        node("Constant", "", "zero", &[ints("value_ints", &[0])]),
        node("Slice", "x zero zero zero zero", "y", &[]),
    ];
    let rest = ports(port("x", I32, &[5]), port("y", I32, &[0]));
    let error = read(&model(18, &nodes, &rest)).expect_err("a step of nothing");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

/// Parts come back together in the order of the larger one, whichever way they went.
#[test]
fn what_is_split_turned_and_joined_lies_as_it_did() {
    let list = |name: &str, values: &[i64]| node("Constant", "", name, &[ints("value_ints", values)]);
    let nodes = [
        list("sizes", &[1, 2]),
        list("amounts", &[-1, 0, 1, 0, 1, -2]),
        node("Split", "x sizes", "a b", &[int("axis", 1)]),
        node("Transpose", "a", "c", &[ints("perm", &[2, 1, 0])]),
        node("Transpose", "c", "d", &[ints("perm", &[2, 1, 0])]),
        node("Concat", "b d", "e", &[int("axis", -2)]),
        node("Pad", "e amounts", "y", &[text("mode", "edge")]),
    ];
    let rest = ports(port("x", I32, &[2, 3, 4]), port("y", I32, &[1, 4, 3]));
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["View", "View", "Concat", "View", "Pad"]);
    let input = integers(FileType::I32, &(0..24).collect::<Vec<_>>());
    let input = input.reshaped(vec![2, 3, 4]).expect("24 elements");
    // numpy.pad(x[1:, [1, 2, 0], :2], [(0, 0), (0, 1), (1, 0)], "edge") of NumPy 2.4.
    let expected = integers(FileType::I32, &[16, 16, 17, 20, 20, 21, 12, 12, 13, 12, 12, 13]);
    let result = frame(graph, &input, FileType::I32);
    assert_eq!(Ok(result), expected.reshaped(vec![1, 4, 3]));
}

/// Of two that lie differently, one is moved, and the axis along which they are joined is that of the file.
#[test]
fn what_is_joined_lies_alike() {
    let nodes = [
        node("Transpose", "x", "a", &[]),
        node("Concat", "x a", "y", &[int("axis", 1)]),
    ];
    let rest = ports(port("x", I32, &[2, 2]), port("y", I32, &[2, 4]));
    let graph = read(&model(13, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["View", "Concat", "View"]);
    let input = integers(FileType::I32, &[1, 2, 3, 4]).reshaped(vec![2, 2]);
    let result = frame(graph, &input.expect("four elements"), FileType::I32);
    // numpy.concatenate([x, x.T], 1) of NumPy 2.4.
    let expected = integers(FileType::I32, &[1, 2, 1, 3, 3, 4, 2, 4]).reshaped(vec![2, 4]);
    assert_eq!(Ok(result), expected);
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

/// Axes are those of the file, wherever they lie; places of extremes are in bounds that a later node needs.
#[test]
fn axes_are_reduced_where_they_lie() {
    let transpose = |from: &str, to: &str| node("Transpose", from, to, &[ints("perm", &[1, 2, 0])]);
    let nodes = [
        transpose("x", "a"),
        node("ArgMax", "a", "b", &[int("axis", 1), int("keepdims", 0)]),
        node("Constant", "", "axis", &[int("value_int", -1)]),
        node("CumSum", "b axis", "y", &[int("reverse", 1)]),
    ];
    let rest = ports(port("x", F32, &[2, 2, 3]), port("y", I64, &[2, 2]));
    let graph = read(&model(14, &nodes, &rest)).expect("a graph");
    assert_eq!(operators(&graph), ["ArgMax", "Reshape", "CumSum", "View"]);
    let values = [1.0, 9.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 1.0, 0.0];
    let input = tensor(FileType::F32, &[2, 2, 3], Data::Float(values.into()));
    // numpy.cumsum(x.transpose(1, 2, 0).argmax(1)[:, ::-1], 1)[:, ::-1] of NumPy 2.4.
    let expected = integers(FileType::I64, &[3, 2, 2, 0]).reshaped(vec![2, 2]);
    assert_eq!(Ok(frame(graph, &input, FileType::I64)), expected);
}

/// Until operator set 12, softmax is taken of all axes together from the one that is named; then of that one alone.
#[test]
fn softmax_is_of_the_axes_that_its_set_means() {
    let x = tensor(
        FileType::F32,
        &[1, 2, 2],
        Data::Float([0.0, 0.0, 0.0, 1.5].into()),
    );
    // By the formula in f64 with NumPy 2.4.
    let of_all = [0.133_659_7, 0.133_659_7, 0.133_659_7, 0.599_021];
    let of_rows = [0.5, 0.5, 0.182_425_5, 0.817_574_5];
    let of_columns = [0.5, 0.182_425_5, 0.5, 0.817_574_5];
    for (opset, attributes, expected) in [
        (11, vec![], of_all),
        (11, vec![int("axis", 2)], of_rows),
        (13, vec![], of_rows),
        (13, vec![int("axis", 1)], of_columns),
    ] {
        let rest = ports(port("x", F32, &[1, 2, 2]), port("y", F32, &[1, 2, 2]));
        let graph = read(&model(opset, &[node("Softmax", "x", "y", &attributes)], &rest)).expect("a graph");
        let result = frame(graph, &x, FileType::F32);
        for (y, expected) in result.floats().expect("f32").iter().zip(expected) {
            assert!(
                (y - expected).abs() < 1e-6,
                "{opset}, {} attributes: {y} instead of {expected}",
                attributes.len()
            );
        }
    }
}

/// A transposed factor is read as it lies, and a factor of one axis leaves none.
#[test]
fn factors_are_read_as_they_lie() {
    let list = |name: &str, values: &[f32]| {
        let value = Message::new().text(1, "value");
        let value = value.message(5, &raw_tensor("", &[values.len() as i64], values));
        node("Constant", "", name, &[value.int(20, 4)])
    };
    let nodes = [
        list("row", &[1.0, -1.0]),
        list("c", &[0.5, 1.0]),
        node("Transpose", "x", "a", &[]),
        node("MatMul", "x a", "b", &[]),
        node(
            "Gemm",
            "x x c",
            "d",
            &[int("transB", 1), float("alpha", 2.0), float("beta", -2.0)],
        ),
        node("Sub", "b d", "e", &[]),
        node("MatMul", "row e", "f", &[]),
        node("MatMul", "f row", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[2, 3]), port("y", F32, &[]));
    let graph = read(&model(13, &nodes, &rest)).expect("a graph");
    let products = operators(&graph).into_iter().filter(|&name| name != "Reshape");
    let expected = ["MatMul", "MatMul", "Mul", "Add", "Sub", "MatMul", "MatMul"];
    assert_eq!(products.collect::<Vec<_>>(), expected);
    let input = tensor(
        FileType::F32,
        &[2, 3],
        Data::Float([1.0, 2.0, 0.0, -1.0, 3.0, 2.0].into()),
    );
    // r @ (x @ x.T - (2 * x @ x.T - 2 * c)) @ r of NumPy 2.4.
    let expected = tensor(FileType::F32, &[], Data::Float([-9.0].into()));
    assert_eq!(frame(graph, &input, FileType::F32), expected);
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

/// Results of NumPy 2.4 for x = [[-7, 5, 2], [0, 3, -1]] and constants that stretch to it, or to which it stretches.
#[test]
fn operands_stretch_over_each_other() {
    let x = [-7, 5, 2, 0, 3, -1];
    type Values = &'static [i64];
    let cases: [(&str, Values, Values, Values); 7] = [
        ("Sub", &[3], &[1, 2, 3], &[-8, 3, -1, -1, 1, -4]),
        ("Div", &[2, 1], &[2, -2], &[-3, 2, 1, 0, -1, 0]),
        ("Mod", &[], &[3], &[2, 2, 2, 0, 0, 2]),
        ("Max", &[1, 1, 1], &[1], &[1, 5, 2, 1, 3, 1]),
        ("Pow", &[], &[3], &[-343, 125, 8, 0, 27, -1]),
        ("BitwiseXor", &[3], &[1, 0, -1], &[-8, 5, -3, 1, 3, 0]),
        (
            "Min",
            &[2, 1, 1],
            &[0, 2],
            &[-7, 0, 0, 0, 0, -1, -7, 2, 2, 0, 2, -1],
        ),
    ];
    for (operator, shape, values, expected) in cases {
        let sizes: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
        let operand = tensor(FileType::I32, &sizes, Data::Int(values.into()));
        let result: &[i64] = match shape.len() {
            3 => &[shape[0], 2, 3],
            _ => &[2, 3],
        };
        let rest = ports(port("x", I32, &[2, 3]), port("y", I32, result)).message(11, &port("k", I32, shape));
        let mut options = Options::default();
        options.known.insert("k".to_owned(), operand);
        // An operand that repeats is one constant, and one that is known twice needs no node.
        let nodes = [
            node(operator, "x k", "a", &[]),
            node(operator, "k k", "folded", &[]),
            node(operator, "x k", "b", &[]),
            node("Max", "a b", "y", &[]),
        ];
        let graph = import(&model(18, &nodes, &rest), &options).expect("a graph");
        assert_eq!(graph.nodes.len(), 3, "{operator}");
        let constants = graph.values.iter().filter(|value| value.constant.is_some());
        assert_eq!(constants.count(), 1, "{operator}");
        let input = tensor(FileType::I32, &[2, 3], Data::Int(x.into()));
        let result = frame(graph, &input, FileType::I32);
        assert_eq!(result.ints().as_deref(), Some(expected), "{operator}");
    }
}

/// What a transpose has renamed meets values that lie as the file has them, constants, and operands of other ranks.
#[test]
fn operands_meet_in_one_order() {
    let nodes = [
        node("Transpose", "x", "a", &[ints("perm", &[1, 0])]),
        node("Constant", "", "row", &[floats("value_floats", &[10.0, 20.0])]),
        node("Add", "a row", "b", &[]),
        node("Constant", "", "sizes", &[ints("value_ints", &[3, 2])]),
        node("Reshape", "x sizes", "c", &[]),
        node("Constant", "", "signs", &[floats("value_floats", &[1.0, -1.0])]),
        node("Constant", "", "apart", &[ints("value_ints", &[2, 1, 1])]),
        node("Reshape", "signs apart", "planes", &[]),
        node("Mul", "b planes", "d", &[]),
        node("Sub", "d c", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[2, 3]), port("y", F32, &[2, 3, 2]));
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    let moved = operators(&graph).into_iter().filter(|&name| name == "View");
    // The smaller one of the difference, and the output, which the file wants in its own order.
    assert_eq!(moved.count(), 2, "{:?}", operators(&graph));
    let input = tensor(
        FileType::F32,
        &[2, 3],
        Data::Float([1.0, 2.0, 3.0, 4.0, 5.0, 6.0].into()),
    );
    let result = frame(graph, &input, FileType::F32);
    let expected = [
        [10.0, 22.0, 9.0, 21.0, 8.0, 20.0],
        [-12.0, -26.0, -15.0, -29.0, -18.0, -32.0],
    ];
    assert_eq!(result.floats().as_deref(), Some(expected.as_flattened()));
}

/// Constants that rules make: those of NumPy's `arange`, `eye` and `blackman`.
#[test]
fn patterns_are_made_while_a_file_is_read() {
    type Case = (&'static str, Vec<Message>, Vec<Message>, i64, &'static [f32]);
    let one = |name: &str, value: i64| node("Constant", "", name, &[int("value_int", value)]);
    let real = |name: &str, value: f32| node("Constant", "", name, &[float("value_float", value)]);
    let cases: [Case; 6] = [
        (
            "Range",
            vec![one("a", 5), one("b", -4), one("c", -3)],
            vec![],
            I64,
            &[5.0, 2.0, -1.0],
        ),
        (
            "Range",
            vec![one("a", 2), one("b", 2), one("c", 1)],
            vec![],
            I64,
            &[],
        ),
        (
            "Range",
            vec![real("a", 0.5), real("b", 2.0), real("c", 0.5)],
            vec![],
            F32,
            &[0.5, 1.0, 1.5],
        ),
        (
            "BlackmanWindow",
            vec![one("a", 5)],
            vec![int("periodic", 0)],
            F32,
            &[0.0, 0.34, 1.0, 0.34, 0.0],
        ),
        (
            "HannWindow",
            vec![one("a", 4)],
            vec![int("output_datatype", I32)],
            I32,
            &[0.0, 0.0, 1.0, 0.0],
        ),
        (
            "EyeLike",
            vec![node("Identity", "x", "a", &[])],
            vec![int("dtype", I64), int("k", -1)],
            I64,
            &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        ),
    ];
    for (operator, mut nodes, attributes, of, expected) in cases {
        let operands = ["a", "a", "a b", "a b c"][nodes.len()];
        nodes.push(node(operator, operands, "pattern", &attributes));
        let sizes = [expected.len() as i64];
        let flat = node("Constant", "", "flat", &[ints("value_ints", &sizes)]);
        nodes.extend([flat, node("Reshape", "pattern flat", "y", &[])]);
        let rest = ports(port("x", F32, &[4, 3]), port("y", of, &sizes));
        let graph = read(&model(20, &nodes, &rest)).expect("a graph");
        assert!(graph.nodes.is_empty(), "{operator}");
        let constant = graph
            .value(graph.outputs[0])
            .constant
            .as_ref()
            .expect("a constant");
        let words = constant.to_words().expect("words");
        let value = |&word: &u32| match of {
            F32 => f32::from_bits(word),
            _ => word.cast_signed() as f32,
        };
        let values: Vec<f32> = words.iter().map(value).collect();
        assert_eq!(values.len(), expected.len(), "{operator}");
        let near = |(value, expected): (&f32, &f32)| (value - expected).abs() < 1e-6;
        assert!(values.iter().zip(expected).all(near), "{operator}: {values:?}");
    }
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

/// What a transpose has renamed is read along the axis where it lies, at places that a frame brings.
#[test]
fn places_are_read_in_the_order_of_the_source() {
    let nodes = [
        node(
            "Constant",
            "",
            "table",
            &[ints("value_ints", &[10, 11, 12, 13, 14, 15])],
        ),
        node("Constant", "", "sizes", &[ints("value_ints", &[2, 3])]),
        node("Reshape", "table sizes", "rows", &[]),
        node("Constant", "", "last", &[int("value_int", -1)]),
        node("Gather", "rows last", "row", &[]),
        node("Transpose", "x", "transposed", &[ints("perm", &[1, 0])]),
        node("Constant", "", "swap", &[ints("value_ints", &[1, 0])]),
        node("Gather", "transposed swap", "turned", &[int("axis", 1)]),
        node("Gather", "row turned", "found", &[]),
        node("Gather", "found turned", "chosen", &[int("axis", 1)]),
        node("GatherElements", "chosen wanted", "y", &[int("axis", -1)]),
    ];
    let wanted = integers(FileType::I64, &[1, -2, 0, 1]);
    let wanted = wanted.reshaped(vec![2, 2, 1]).expect("four");
    let rest = ports(port("x", I64, &[2, 2]), port("y", I64, &[2, 2, 1]))
        .message(11, &port("wanted", I64, &[2, 2, 1]));
    let mut options = Options::default();
    options.known.insert("wanted".to_owned(), wanted);
    let graph = import(&model(18, &nodes, &rest), &options).expect("a graph");
    let input = tensor(FileType::I64, &[2, 2], Data::Int([0, 1, -1, 0].into()));
    // turned = [[-1, 0], [0, 1]] and found = [[15, 13], [13, 14]], whose columns it names in turn:
    // chosen = [[[13, 15], [15, 13]], [[14, 13], [13, 14]]].
    let result = frame(graph, &input, FileType::I64);
    assert_eq!(result.ints().as_deref(), Some(&[15, 15, 14, 14][..]));
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

#[test]
fn what_is_not_read_is_named_with_its_place() {
    let one = |node: Message| (18, vec![node]);
    let cases = [
        (
            one(node("NonZero", "x", "y", &[])),
            ErrorKind::Unsupported,
            "node 0 (NonZero): this operator is not read",
        ),
        (
            one(node("Abs", "x", "y", &[]).text(3, "first").text(7, "com.example")),
            ErrorKind::Unsupported,
            "node 0 (Abs, 'first'): operators of the domain 'com.example' are not read",
        ),
        (
            one(node("Abs", "x", "y", &[int("axis", 1)])),
            ErrorKind::Unsupported,
            "node 0 (Abs): attributes that are not read here: axis",
        ),
        (
            one(node("Abs", "x x", "y", &[])),
            ErrorKind::Unsupported,
            "2 operands; 1 are read",
        ),
        (
            one(node("Abs", "x", "y z", &[])),
            ErrorKind::Unsupported,
            "its result 1 is not computed",
        ),
        (
            one(node("Not", "x", "y", &[])),
            ErrorKind::Unsupported,
            "node 0 (Not): Not of f32",
        ),
        (
            one(node("Gelu", "x", "y", &[text("approximate", "sin")])),
            ErrorKind::Invalid,
            "no approximation 'sin'",
        ),
        (
            one(node("Abs", "_", "y", &[])),
            ErrorKind::Invalid,
            "operand 0 is missing",
        ),
        (
            one(node("Abs", "later", "y", &[])),
            ErrorKind::Invalid,
            "it reads 'later', which nothing before it writes",
        ),
        (
            (18, vec![node("Abs", "x", "y", &[]), node("Abs", "y", "x", &[])]),
            ErrorKind::Invalid,
            "node 1 (Abs): it has the name of another value",
        ),
        (
            one(node("Add", "x", "y", &[])),
            ErrorKind::Invalid,
            "operand 1 is missing",
        ),
        (
            (
                7,
                vec![node("Add", "x x", "y", &[int("axis", 0), int("broadcast", 1)])],
            ),
            ErrorKind::Unsupported,
            "node 0 (Add): attributes that are not read here: axis, broadcast",
        ),
        (
            one(node("And", "x x", "y", &[])),
            ErrorKind::Unsupported,
            "node 0 (And): And of f32 and f32",
        ),
        (
            (
                18,
                vec![node("Size", "x", "n", &[]), node("Add", "x n", "y", &[])],
            ),
            ErrorKind::Unsupported,
            "node 1 (Add): Add of float32 and int64",
        ),
        (
            (
                18,
                vec![
                    node("Constant", "", "four", &[floats("value_floats", &[0.5; 4])]),
                    node("Mul", "x four", "y", &[]),
                ],
            ),
            ErrorKind::Unsupported,
            "shapes [3] and [4] stretch to no common one",
        ),
        (
            (
                18,
                vec![
                    node("Constant", "", "n", &[int("value_int", 3)]),
                    node("Sub", "n n", "step", &[]),
                    node("Range", "n n step", "y", &[]),
                ],
            ),
            ErrorKind::Invalid,
            "there are no such ranges",
        ),
        (
            (
                18,
                vec![
                    node("Constant", "", "end", &[int("value_int", i64::MIN)]),
                    node("Constant", "", "step", &[int("value_int", -1)]),
                    node("Range", "step end step", "y", &[]),
                ],
            ),
            ErrorKind::Unsupported,
            "a range of more than",
        ),
        (
            one(node("Where", "x x x", "y", &[])),
            ErrorKind::Unsupported,
            "node 0 (Where): Select of f32 and f32 by f32",
        ),
        (
            one(node("Trilu", "x", "y", &[])),
            ErrorKind::Invalid,
            "[3] is the shape of no matrix",
        ),
        (
            (
                18,
                vec![
                    node("Constant", "", "far", &[int("value_int", 3)]),
                    node("Gather", "x far", "y", &[]),
                ],
            ),
            ErrorKind::Invalid,
            "node 1 (Gather): index 3 along an axis of 3",
        ),
        (
            one(node("GatherElements", "x x", "y", &[])),
            ErrorKind::Unsupported,
            "GatherElements at places that are f32",
        ),
        (
            one(node("Mod", "x x", "y", &[int("fmod", 2)])),
            ErrorKind::Invalid,
            "fmod is 2; it can be 0 or 1",
        ),
        (
            one(node("BitShift", "x x", "y", &[text("direction", "UP")])),
            ErrorKind::Invalid,
            "there is no direction 'UP'",
        ),
        (
            (
                18,
                vec![
                    node("Constant", "", "zero", &[ints("value_ints", &[0])]),
                    node("Unsqueeze", "x zero", "a", &[]),
                    node("PRelu", "x a", "y", &[]),
                ],
            ),
            ErrorKind::Invalid,
            "a slope of shape [1, 3] does not stretch to [3]",
        ),
        (
            one(node("IsNaN", "x", "y", &[])),
            ErrorKind::Invalid,
            "output 'y': it is declared as float32, but the nodes give bool",
        ),
        (
            one(node("Abs", "x", "other", &[])),
            ErrorKind::Invalid,
            "output 'y': it reads 'y', which nothing before it writes",
        ),
        (
            one(node("Cast", "x", "y", &[int("to", 17)])),
            ErrorKind::Unsupported,
            "node 0 (Cast): its elements are of type",
        ),
        (
            one(node("Flatten", "x", "y", &[int("axis", 2)])),
            ErrorKind::Invalid,
            "there is no axis 2 among 1",
        ),
        (
            (11, vec![node("Unsqueeze", "x", "y", &[ints("axes", &[0, -3])])]),
            ErrorKind::Invalid,
            "axes [0, -3] name one twice",
        ),
        (
            (11, vec![node("Squeeze", "x", "y", &[ints("axes", &[0])])]),
            ErrorKind::Invalid,
            "axis 0 of [3] is not of size 1",
        ),
        (
            (99, vec![node("Abs", "x", "y", &[])]),
            ErrorKind::Unsupported,
            "operator set 99",
        ),
    ];
    for ((opset, nodes), kind, message) in cases {
        let rest = ports(port("x", F32, &[3]), port("y", F32, &[3]));
        let error = read(&model(opset, &nodes, &rest)).expect_err(message);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// Numbers of a file that lead into a node, damaged in every place.
#[test]
fn damaged_models_are_refused_or_read() {
    let constant = Message::new()
        .text(1, "value_ints")
        .int(8, 0)
        .int(8, -1)
        .int(20, 7);
    let nodes = [
        node("Constant", "", "sizes", &[constant]),
        node("Flatten", "x", "a", &[int("axis", -1)]),
        node("Reshape", "a sizes", "b", &[int("allowzero", 0)]),
        node("Clip", "b", "c", &[]),
        node("Cast", "c", "d", &[int("to", U8)]),
        node("BitwiseNot", "d", "e", &[]),
        node("Transpose", "e", "f", &[ints("perm", &[1, 0])]),
        node("Split", "f", "g h", &[int("axis", -2), int("num_outputs", 2)]),
        node("Constant", "", "n", &[ints("value_ints", &[3, 1, 1])]),
        node("Expand", "g n", "_", &[]),
        node("Concat", "h g", "i", &[int("axis", 0)]),
        node("Constant", "", "amounts", &[ints("value_ints", &[1, -1, -1, 1])]),
        node("Constant", "", "twice", &[ints("value_ints", &[2, 1])]),
        node("Pad", "i amounts", "j", &[]),
        node("Tile", "j twice", "k", &[]),
        node("ReduceMax", "k", "l", &[int("keepdims", 0)]),
        node("ArgMin", "k", "_", &[int("axis", 1), int("select_last_index", 1)]),
        node("Constant", "", "one", &[int("value_int", 1)]),
        node("CumSum", "k one", "_", &[int("exclusive", 1)]),
        node("CastLike", "e x", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[2, 1, 3]), port("y", F32, &[2, 3]));
    let good = model(19, &nodes, &rest);
    assert_eq!(
        operators(&read(&good).expect("a graph"))[1..],
        [
            "Cast",
            "BitNot",
            "Cast",
            "View",
            "View",
            "View",
            "Concat",
            "View",
            "Pad",
            "View",
            "Reshape",
            "ReduceMax",
            "Reshape",
            "ArgMin",
            "CumSum",
            "Cast",
            "Cast"
        ]
    );
    let mut random = Random(2026);
    let mut accepted = 0;
    for _ in 0..50_000 {
        let mut bytes = good.clone();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.pick(&[0, 1, 2, 0x7f, 0x80, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x40]);
        }
        if let Ok(graph) = read(&bytes) {
            accepted += 1;
            let mut graph = graph;
            if passes::optimise(&mut graph).is_ok() {
                let _ = Plan::new(graph);
            }
        }
    }
    assert!((100..49_000).contains(&accepted), "{accepted} were accepted");
}
