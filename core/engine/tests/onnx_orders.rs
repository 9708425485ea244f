//! ONNX files as graphs: in which order elements lie, and when they move.
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
use plumbline_engine::graph::Op;
use plumbline_engine::onnx::{Options, import};
use plumbline_engine::tensor::Data;

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
