//! Convolutions of ONNX files: what their attributes mean, with weights that are known and that a frame brings, and that
//! networks of them move elements nowhere but at their borders.
#![cfg(feature = "onnx")]

#[path = "support/onnx_models.rs"]
#[allow(dead_code, reason = "other tests have other attributes")]
mod onnx_models;
#[path = "support/onnx_writer.rs"]
#[allow(dead_code, reason = "whole models are for other tests")]
mod onnx_writer;

use onnx_models::{F32, int, ints, model, node, port, text};
use onnx_writer::Message;
use plumbline_engine::cpu::Session;
use plumbline_engine::element::FileType;
use plumbline_engine::onnx::{Options, import};
use plumbline_engine::passes;
use plumbline_engine::plan::Plan;
use plumbline_engine::tensor::{Data, Tensor};

fn floats(shape: &[i64], data: &[f32]) -> Tensor {
    let shape = shape.iter().map(|&size| size as usize).collect();
    Tensor::new(FileType::F32, shape, Data::Float(data.into())).expect("a tensor")
}

/// The output of a node of `x` and `w`. The weights are known when the file is read, or come with the frame.
fn convolved(operator: &str, x: &Tensor, w: &Tensor, attributes: &[Message], is_known: bool) -> Vec<f32> {
    let dims = |tensor: &Tensor| -> Vec<i64> { tensor.shape().iter().map(|&size| size as i64).collect() };
    let rest = Message::new()
        .message(11, &port("x", F32, &dims(x)))
        .message(11, &port("w", F32, &dims(w)))
        .message(12, &port("y", F32, &[]));
    let bytes = model(13, &[node(operator, "x w", "y", attributes)], &rest);
    let mut options = Options::default();
    if is_known {
        options.known.insert("w".to_owned(), w.clone());
    }
    let mut graph = import(&bytes, &options).expect("a graph");
    passes::optimise(&mut graph).expect("the passes take it");
    let mut session = Session::new(Plan::new(graph).expect("a plan")).expect("a session");
    for (index, tensor) in [x, w].into_iter().enumerate().take(2 - usize::from(is_known)) {
        session
            .input_mut(index)
            .copy_from_slice(&tensor.floats().expect("f32"));
    }
    session.run();
    session.output("y").expect("an output").to_vec()
}

/// Results of onnxruntime 1.31 for rows that count from 1.
#[test]
fn attributes_mean_what_they_mean_elsewhere() {
    type Case = (&'static str, i64, &'static [f32], Vec<Message>, &'static [f32]);
    let auto = |way: &str| text("auto_pad", way);
    let strides = |stride: i64| ints("strides", &[stride]);
    let pads = |before: i64, after: i64| ints("pads", &[before, after]);
    let (two, three) = (&[1.0, 10.0][..], &[1.0, 10.0, 100.0][..]);
    let cases: Vec<Case> = vec![
        ("Conv", 4, two, vec![auto("SAME_UPPER")], &[21.0, 32.0, 43.0, 4.0]),
        (
            "Conv",
            4,
            two,
            vec![auto("SAME_LOWER")],
            &[10.0, 21.0, 32.0, 43.0],
        ),
        (
            "Conv",
            5,
            three,
            vec![auto("SAME_UPPER"), strides(2)],
            &[210.0, 432.0, 54.0],
        ),
        (
            "Conv",
            4,
            two,
            vec![auto("SAME_LOWER"), strides(3)],
            &[10.0, 43.0],
        ),
        ("Conv", 4, three, vec![auto("VALID")], &[321.0, 432.0]),
        ("Conv", 4, three, vec![pads(2, 0), strides(2)], &[100.0, 321.0]),
        (
            "Conv",
            4,
            three,
            vec![pads(2, 2), ints("dilations", &[2])],
            &[310.0, 420.0, 31.0, 42.0],
        ),
        (
            "ConvTranspose",
            4,
            three,
            vec![],
            &[1.0, 12.0, 123.0, 234.0, 340.0, 400.0],
        ),
        (
            "ConvTranspose",
            4,
            three,
            vec![pads(2, 1)],
            &[123.0, 234.0, 340.0],
        ),
        (
            "ConvTranspose",
            3,
            two,
            vec![strides(2)],
            &[1.0, 10.0, 2.0, 20.0, 3.0, 30.0],
        ),
        (
            "ConvTranspose",
            3,
            three,
            vec![strides(2), auto("SAME_UPPER")],
            &[1.0, 10.0, 102.0, 20.0, 203.0, 30.0],
        ),
        (
            "ConvTranspose",
            3,
            three,
            vec![strides(2), auto("SAME_LOWER")],
            &[10.0, 102.0, 20.0, 203.0, 30.0, 300.0],
        ),
        (
            "ConvTranspose",
            3,
            three,
            vec![strides(2), pads(1, 1), ints("output_padding", &[1])],
            &[10.0, 102.0, 20.0, 203.0, 30.0, 300.0],
        ),
        (
            "ConvTranspose",
            3,
            three,
            vec![strides(3), ints("output_padding", &[2])],
            &[1.0, 10.0, 100.0, 2.0, 20.0, 200.0, 3.0, 30.0, 300.0, 0.0, 0.0],
        ),
        (
            "ConvTranspose",
            3,
            three,
            vec![strides(2), ints("output_shape", &[4])],
            &[102.0, 20.0, 203.0, 30.0],
        ),
        (
            "ConvTranspose",
            3,
            three,
            vec![strides(2), ints("output_shape", &[4]), auto("SAME_UPPER")],
            &[10.0, 102.0, 20.0, 203.0],
        ),
        (
            "ConvTranspose",
            3,
            three,
            vec![strides(2), ints("output_shape", &[8])],
            &[1.0, 10.0, 102.0, 20.0, 203.0, 30.0, 300.0, 0.0],
        ),
        (
            "ConvTranspose",
            4,
            three,
            vec![pads(2, 2), ints("dilations", &[2])],
            &[13.0, 24.0, 130.0, 240.0],
        ),
    ];
    for (operator, n, taps, attributes, expected) in cases {
        let x = floats(&[1, 1, n], &(1..=n).map(|value| value as f32).collect::<Vec<_>>());
        let w = floats(&[1, 1, taps.len() as i64], taps);
        for is_known in [false, true] {
            let result = convolved(operator, &x, &w, &attributes, is_known);
            assert_eq!(
                result, expected,
                "{operator} of {n} elements, weights known: {is_known}"
            );
        }
    }
}

/// Results of onnxruntime 1.31.
#[test]
fn channels_belong_to_their_group() {
    let x = floats(&[1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let weights = [1.0, 10.0, 100.0, 1000.0];
    let apart = [1.0, 2.0, 10.0, 20.0, 300.0, 400.0, 3000.0, 4000.0];
    let cases: [(&str, &[i64], i64, &[f32]); 3] = [
        ("Conv", &[4, 1, 1], 2, &apart),
        ("ConvTranspose", &[2, 2, 1], 2, &apart),
        ("ConvTranspose", &[2, 2, 1], 1, &[301.0, 402.0, 3010.0, 4020.0]),
    ];
    for (operator, shape, groups, expected) in cases {
        for is_known in [false, true] {
            let w = floats(shape, &weights);
            let result = convolved(operator, &x, &w, &[int("group", groups)], is_known);
            assert_eq!(
                result, expected,
                "{operator} in {groups} groups, weights known: {is_known}"
            );
        }
    }
}
