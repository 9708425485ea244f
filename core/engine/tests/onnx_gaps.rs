//! ONNX files that are refused: what is not read, what is damaged, and what the error says of it.
#![cfg(feature = "onnx")]

#[path = "support/onnx_models.rs"]
#[allow(dead_code, reason = "what is refused has no results")]
mod onnx_models;
#[path = "support/onnx_writer.rs"]
#[allow(dead_code, reason = "whole models are for other tests")]
mod onnx_writer;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "only bytes are damaged here")]
mod random;

use onnx_models::*;
use onnx_writer::Message;
use plumbline_engine::plan::Plan;
use plumbline_engine::{ErrorKind, passes};
use random::Random;

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
