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
use onnx_writer::{Message, raw_tensor};
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

/// A tensor of a file whose elements count on, as multiples of a sixteenth.
fn counting(name: &str, dims: &[i64], start: i64) -> Message {
    let count: i64 = dims.iter().product();
    let values: Vec<f32> = (start..start + count)
        .map(|value| (value * 37 % 64 - 32) as f32 / 16.0)
        .collect();
    raw_tensor(name, dims, &values)
}

/// What is left of a model once it is planned, and what it computes of elements that count on.
fn planned(nodes: &[Message], weights: &[(&str, &[i64])], x: &[i64]) -> (Vec<&'static str>, Vec<f32>) {
    let mut rest = Message::new()
        .message(11, &port("x", F32, x))
        .message(12, &port("y", F32, &[]));
    for (index, (name, dims)) in weights.iter().enumerate() {
        rest = rest.message(5, &counting(name, dims, index as i64 * 11));
    }
    let mut graph = import(&model(13, nodes, &rest), &Options::default()).expect("a graph");
    passes::optimise(&mut graph).expect("the passes take it");
    let names = graph.nodes.iter().map(|node| node.op.name());
    let names = names.filter(|&name| name != "Reshape").collect();
    let mut session = Session::new(Plan::new(graph).expect("a plan")).expect("a session");
    let input = session.input_mut(0);
    for (index, x) in input.iter_mut().enumerate() {
        *x = (index * 29 % 64) as f32 / 32.0 - 1.0;
    }
    session.run();
    (names, session.output("y").expect("an output").to_vec())
}

/// Blocks of residual networks, with normalisations, activations, additions, joined branches and a last product: what
/// moves elements stands at the input alone, and everything else is part of a convolution. The numbers are those of
/// onnxruntime 1.31 for the same files.
#[test]
fn networks_move_elements_at_their_borders_only() {
    let pads = || ints("pads", &[1, 1, 1, 1]);
    let nodes = [
        node("Abs", "v0", "v", &[]),
        node("Conv", "x w0", "a", &[pads(), ints("strides", &[2, 2])]),
        node("BatchNormalization", "a s b m v", "a1", &[]),
        node("Relu", "a1", "a2", &[]),
        node("Conv", "a2 w1 c1", "b1", &[pads()]),
        node("Add", "b1 a2", "b2", &[]),
        node("Relu", "b2", "b3", &[]),
        node("Conv", "b3 w2", "c2", &[]),
        node("Conv", "b3 w3", "c3", &[pads(), int("group", 4)]),
        node("Clip", "c3 zero six", "c4", &[]),
        node("Concat", "c2 c4", "d", &[int("axis", 1)]),
        node("GlobalAveragePool", "d", "e", &[]),
        node("Flatten", "e", "f", &[]),
        node("Gemm", "f w4 c4b", "y", &[int("transB", 1)]),
    ];
    let weights: [(&str, &[i64]); 11] = [
        ("w0", &[4, 3, 3, 3]),
        ("s", &[4]),
        ("b", &[4]),
        ("m", &[4]),
        ("v0", &[4]),
        ("w1", &[4, 4, 3, 3]),
        ("c1", &[4]),
        ("w2", &[2, 4, 1, 1]),
        ("w3", &[4, 1, 3, 3]),
        ("w4", &[5, 6]),
        ("c4b", &[5]),
    ];
    let list = |name: &str, value: f32| {
        let value = Message::new()
            .text(1, "value")
            .message(5, &raw_tensor("", &[], &[value]));
        node("Constant", "", name, &[value.int(20, 4)])
    };
    let nodes: Vec<Message> = [list("zero", 0.0), list("six", 6.0)]
        .into_iter()
        .chain(nodes)
        .collect();
    let (operators, y) = planned(&nodes, &weights, &[1, 3, 6, 6]);
    assert_eq!(
        operators,
        [
            "View",
            "Conv2d",
            "Conv2d",
            "Conv2d",
            "DepthwiseConv2d",
            "Concat",
            "ReduceMean",
            "Conv2d"
        ]
    );
    let expected: [f32; 5] = [54.1459, -39.9944, 52.2637, -34.1164, 50.3815];
    for (y, expected) in y.iter().zip(expected) {
        assert!(
            (y - expected).abs() < 1e-4 * (1.0 + expected.abs()),
            "{y} instead of {expected}"
        );
    }
}

/// Each form of a convolution by known weights gives what the general form gives of the same.
#[test]
fn images_give_what_tensors_give() {
    let two = |name: &str, size: i64| ints(name, &[size, size]);
    type Case = (&'static str, [i64; 3], &'static [i64], Vec<Message>);
    let cases: Vec<Case> = vec![
        (
            "Conv",
            [4, 7, 5],
            &[3, 4, 3, 2],
            vec![two("dilations", 2), ints("pads", &[2, 0, 1, 3])],
        ),
        (
            "Conv",
            [4, 7, 5],
            &[6, 2, 3, 3],
            vec![int("group", 2), two("strides", 2)],
        ),
        (
            "Conv",
            [4, 6, 6],
            &[4, 1, 3, 3],
            vec![int("group", 4), text("auto_pad", "SAME_LOWER")],
        ),
        ("Conv", [4, 6, 6], &[8, 1, 3, 3], vec![int("group", 4)]),
        (
            "Conv",
            [4, 6, 6],
            &[2, 4, 2, 2],
            vec![ints("pads", &[-1, 0, 0, -1])],
        ),
        ("ConvTranspose", [3, 4, 5], &[3, 2, 2, 2], vec![two("strides", 2)]),
        (
            "ConvTranspose",
            [3, 4, 5],
            &[3, 2, 4, 4],
            vec![two("strides", 2), ints("pads", &[1, 1, 1, 1])],
        ),
        (
            "ConvTranspose",
            [4, 4, 5],
            &[4, 3, 3, 3],
            vec![
                two("strides", 2),
                ints("pads", &[1, 0, 0, 1]),
                two("output_padding", 1),
                int("group", 2),
            ],
        ),
        (
            "ConvTranspose",
            [3, 4, 5],
            &[3, 2, 3, 3],
            vec![two("strides", 1), ints("pads", &[1, 1, 1, 1])],
        ),
        ("ConvTranspose", [3, 4, 5], &[3, 2, 2, 3], vec![two("strides", 3)]),
        (
            "ConvTranspose",
            [3, 4, 5],
            &[3, 2, 3, 3],
            vec![ints("strides", &[1, 2])],
        ),
    ];
    for (operator, [channels, rows, columns], shape, attributes) in cases {
        let x_shape = [1, channels, rows, columns];
        let numbers = |dims: &[i64], step: i64| {
            let count: i64 = dims.iter().product();
            let data: Vec<f32> = (0..count)
                .map(|value| (value * step % 32 - 16) as f32 / 8.0)
                .collect();
            floats(dims, &data)
        };
        let (x, w) = (numbers(&x_shape, 13), numbers(shape, 7));
        let [general, image] =
            [false, true].map(|is_known| convolved(operator, &x, &w, &attributes, is_known));
        assert_eq!(general.len(), image.len(), "{operator} by {shape:?}");
        for (image, general) in image.iter().zip(&general) {
            assert!(
                (image - general).abs() < 1e-4,
                "{operator} by {shape:?}: {image} instead of {general}"
            );
        }
    }
}
