//! ONNX operators that become several nodes: their results, and that they move no more than they have to.
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
use plumbline_engine::tensor::{Data, Tensor};

fn floats(shape: &[i64], data: &[f32]) -> Tensor {
    let shape: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
    tensor(FileType::F32, &shape, Data::Float(data.into()))
}

fn counted(shape: &[i64]) -> Vec<f32> {
    (0..shape.iter().product()).map(|at: i64| at as f32).collect()
}

/// A model of one equation; all operands but the first are in the file.
fn einsum(equation: &str, first: &[i64], others: &[(&[i64], &[f32])], result: &[i64]) -> Vec<u8> {
    let mut rest = ports(port("x", F32, first), port("y", F32, result));
    let mut operands = "x".to_owned();
    for (index, (shape, data)) in others.iter().enumerate() {
        let name = format!("w{index}");
        rest = rest.message(5, &raw_tensor(&name, shape, data));
        operands += &format!(" {name}");
    }
    let nodes = [node("Einsum", &operands, "y", &[text("equation", equation)])];
    model(18, &nodes, &rest)
}

/// Results of NumPy 2.4: `numpy.einsum(equation, x, ..)`, where x counts from 0.
#[test]
fn equations_are_those_of_numpy() {
    type Operand = (&'static [i64], &'static [f32]);
    type Row = (
        &'static str,
        &'static [i64],
        Vec<Operand>,
        &'static [i64],
        &'static [f32],
    );
    let joints: Operand = (&[3, 3], &[1.0, 0.0, 2.0, 0.0, -1.0, 1.0, 3.0, 1.0, 0.0]);
    let six: Operand = (&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let cases: [Row; 7] = [
        (
            "nctv,vw->nctw",
            &[1, 2, 2, 3],
            vec![joints],
            &[1, 2, 2, 3],
            &[6.0, 1.0, 1.0, 18.0, 1.0, 10.0, 30.0, 1.0, 19.0, 42.0, 1.0, 28.0],
        ),
        (
            "ij,j,ki->jk",
            &[2, 3],
            vec![(&[3], &[1.0, 2.0, -1.0]), (&[2, 2], &[1.0, 2.0, 3.0, 4.0])],
            &[3, 2],
            &[6.0, 12.0, 18.0, 38.0, -12.0, -26.0],
        ),
        (
            "ij, k",
            &[2, 3],
            vec![(&[2], &[2.0, 3.0])],
            &[2, 3, 2],
            &[0.0, 0.0, 2.0, 3.0, 4.0, 6.0, 6.0, 9.0, 8.0, 12.0, 10.0, 15.0],
        ),
        ("...ii->...", &[2, 2, 2], vec![], &[2], &[3.0, 11.0]),
        (
            "iij,j->ij",
            &[2, 2, 2],
            vec![(&[2], &[1.0, -1.0])],
            &[2, 2],
            &[0.0, -1.0, 6.0, -7.0],
        ),
        (
            "ab...,b...->a...",
            &[2, 3, 2],
            vec![six],
            &[2, 2],
            &[20.0, 35.0, 56.0, 89.0],
        ),
        (
            "bhqd,bhkd->bhqk",
            &[1, 2, 2, 2],
            vec![(&[1, 2, 1, 2], &[1.0; 4])],
            &[1, 2, 2, 1],
            &[1.0, 5.0, 9.0, 13.0],
        ),
    ];
    for (equation, first, others, shape, expected) in cases {
        let graph = read(&einsum(equation, first, &others, shape)).expect(equation);
        let x = floats(first, &counted(first));
        assert_eq!(
            frame(graph, &x, FileType::F32),
            floats(shape, expected),
            "{equation}"
        );
    }
    for (equation, first) in [
        ("ij->k", &[2, 3][..]),
        ("i->i", &[2, 3]),
        ("ii->i", &[2, 3]),
        ("ij,jk->ik", &[2, 3]),
        ("i.j->ij", &[2, 3]),
        ("ij->ii", &[2, 3]),
    ] {
        let error = read(&einsum(equation, first, &[], &[1])).expect_err(equation);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{equation}: {error}");
    }
}

/// A graph of joints, along which an image is multiplied whose channels lie last: one product.
#[test]
fn products_along_joints_move_no_image() {
    let joints = [1.0, 0.0, 2.0, 0.0, -1.0, 1.0, 3.0, 1.0, 0.0];
    let nodes = [
        node("Transpose", "x", "image", &[ints("perm", &[0, 3, 1, 2])]),
        node(
            "Einsum",
            "image w",
            "turned",
            &[text("equation", "nctv,vw->nctw")],
        ),
        node("Transpose", "turned", "y", &[ints("perm", &[0, 2, 3, 1])]),
    ];
    let rest = ports(port("x", F32, &[1, 2, 3, 4]), port("y", F32, &[1, 2, 3, 4]))
        .message(5, &raw_tensor("w", &[3, 3], &joints));
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    let names = operators(&graph);
    assert_eq!(
        names.iter().filter(|&&name| name != "Reshape").count(),
        1,
        "{names:?}"
    );
    let shape = [1, 2, 3, 4];
    let x = counted(&shape);
    let mut expected = Vec::new();
    for t in 0..2 {
        for w in 0..3 {
            for c in 0..4 {
                let joint = |v: usize| x[(t * 3 + v) * 4 + c] * joints[v * 3 + w];
                expected.push(joint(0) + joint(1) + joint(2));
            }
        }
    }
    let result = frame(graph, &floats(&shape, &x), FileType::F32);
    assert_eq!(result, floats(&shape, &expected));
}

/// Sums of products of 8-bit integers do not lose their last bits where they are longer than f32 holds: by hand, 300
/// times 255 times 255.
#[test]
fn products_of_integers_are_exact() {
    let nodes = [node("MatMulInteger", "x w", "y", &[])];
    let weights = Message::new()
        .int(1, 300)
        .int(1, 1)
        .int(2, U8)
        .text(8, "w")
        .bytes(9, &[255; 300]);
    let rest = ports(port("x", U8, &[1, 300]), port("y", I32, &[1, 1])).message(5, &weights);
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    let x = tensor(FileType::U8, &[1, 300], Data::Int(vec![255; 300].into()));
    let y = frame(graph, &x, FileType::I32);
    assert_eq!(y.ints().as_deref(), Some(&[300 * 255 * 255][..]));
}

/// Indices of a frame that name nothing take the nearest row, known ones are refused.
#[test]
fn rows_of_a_frame_are_found_and_those_of_a_file_are_checked() {
    let nodes = [node("GatherND", "rows x", "y", &[])];
    let rows = raw_tensor("rows", &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let rest = ports(port("x", I64, &[4, 1]), port("y", F32, &[4, 2])).message(5, &rows);
    let graph = read(&model(18, &nodes, &rest)).expect("a graph");
    let x = tensor(FileType::I64, &[4, 1], Data::Int([2, -3, 9, -9].into()));
    let expected = floats(&[4, 2], &[5.0, 6.0, 1.0, 2.0, 5.0, 6.0, 1.0, 2.0]);
    assert_eq!(frame(graph, &x, FileType::F32), expected);
    let nodes = [
        node("Constant", "", "at", &[ints("value_ints", &[3])]),
        node("GatherND", "x at", "y", &[]),
    ];
    let rest = ports(port("x", F32, &[3, 2]), port("y", F32, &[2]));
    let error = read(&model(18, &nodes, &rest)).expect_err("there are three");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("index 3 along an axis of 3"),
        "{error}"
    );
}
