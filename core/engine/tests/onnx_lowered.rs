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

/// Numbers that start again after a few.
fn cycled(count: usize, factor: usize, cycle: usize, map: impl Fn(f32) -> f32) -> Vec<f32> {
    (0..count).map(|at| map((at * factor % cycle) as f32)).collect()
}

fn assert_near(result: &Tensor, expected: &[f32], what: &str) {
    let result = result.floats().expect("floats");
    assert_eq!(result.len(), expected.len(), "{what}");
    for (at, (&a, &b)) in result.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= 2e-5 * (1.0 + b.abs()),
            "{what}: {a}, not {b}, at {at}"
        );
    }
}

/// Results of onnxruntime 1.24 and of the ONNX reference, which agree, for regions of two images that reach beyond them.
#[test]
fn regions_are_those_of_onnxruntime() {
    let mean = [
        7.382_812_5,
        8.03125,
        9.882_812_5,
        10.53125,
        10.382_812_5,
        11.03125,
        12.882_812_5,
        13.53125,
        0.0,
        0.046_875,
        0.0,
        0.640_625,
        0.0,
        1.546_875,
        0.0,
        3.640_625,
        9.176_758,
        10.84375,
        3.559_570_3,
        5.09375,
        12.09375,
        5.775_390_6,
        6.34375,
        8.09375,
    ];
    let greatest = [
        5.25,
        5.837_890_6,
        9.625,
        10.007_812_5,
        7.875,
        8.339_844,
        12.25,
        12.509_766,
        0.0,
        0.1875,
        0.0,
        1.09375,
        0.0,
        3.0,
        0.0,
        3.0,
        7.734_375,
        6.617_187_5,
        4.875,
        4.8125,
        9.667_969,
        4.640_625,
        7.5,
        6.875,
    ];
    let unmoved = [
        10.34375,
        11.03125,
        10.320_312_5,
        9.28125,
        13.34375,
        14.03125,
        11.59375,
        12.28125,
        0.0,
        0.375,
        1.09375,
        2.5625,
        1.5,
        3.375,
        2.59375,
        5.5625,
        7.84375,
        9.5625,
        5.09375,
        6.8125,
        9.349_609,
        3.0,
        8.09375,
        9.8125,
    ];
    let x = floats(&[2, 2, 4, 5], &cycled(80, 1, 17, |x| x));
    let regions = [0.5, 1.0, 3.25, 3.0, -3.0, -2.5, 2.0, 2.0, 2.0, 1.0, 9.0, 8.0];
    for (opset, mode, expected) in [(16, "avg", &mean), (16, "max", &greatest), (10, "avg", &unmoved)] {
        let attributes = |samples| {
            [
                text("mode", mode),
                int("output_height", 2),
                int("output_width", 2),
                int("sampling_ratio", samples),
                float("spatial_scale", 0.5),
            ]
        };
        let bytes = |samples| {
            let nodes = [
                node("Constant", "", "images", &[ints("value_ints", &[1, 0, 1])]),
                node("RoiAlign", "x regions images", "y", &attributes(samples)),
            ];
            let rest = ports(port("x", F32, &[2, 2, 4, 5]), port("y", F32, &[3, 2, 2, 2]));
            model(
                opset,
                &nodes,
                &rest.message(5, &raw_tensor("regions", &[3, 4], &regions)),
            )
        };
        let graph = read(&bytes(2)).expect("a graph");
        assert_near(&frame(graph, &x, FileType::F32), expected, mode);
        let error = read(&bytes(0)).expect_err("as many samples as a region is large");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

/// Results of onnxruntime 1.24 and of the ONNX reference, which agree: two groups of channels, two of offsets.
#[test]
fn taps_that_wander_are_those_of_onnxruntime() {
    let expected = [
        -0.703_125,
        1.173_828_1,
        -0.429_687_5,
        -0.125,
        -0.859_375,
        -2.111_328_1,
        -0.328_125,
        -1.109_375,
        2.220_703_1,
        1.21875,
        -0.673_828_1,
        0.914_062_5,
        3.496_093_8,
        0.578_125,
        -1.193_359_4,
        -2.234_375,
        0.453_125,
        0.035_156_25,
        -1.65625,
        -0.074_218_75,
        -0.089_843_75,
        -0.6875,
        -0.406_25,
        -1.072_265_6,
        1.28125,
        -0.716_796_9,
        -0.75,
        0.710_937_5,
        -0.515_625,
        0.011_718_75,
        -0.093_75,
        0.429_687_5,
    ];
    let attributes = [
        int("group", 2),
        int("offset_group", 2),
        ints("strides", &[2, 2]),
        ints("pads", &[1, 0, 0, 1]),
        ints("kernel_shape", &[2, 2]),
    ];
    let nodes = [node("DeformConv", "x w offset b mask", "y", &attributes)];
    let rest = ports(port("x", F32, &[2, 4, 3, 4]), port("y", F32, &[2, 4, 2, 2]))
        .message(
            5,
            &raw_tensor("w", &[4, 2, 2, 2], &cycled(32, 1, 7, |x| (x - 3.0) / 2.0)),
        )
        .message(
            5,
            &raw_tensor("offset", &[2, 16, 2, 2], &cycled(128, 5, 11, |x| (x - 5.0) / 4.0)),
        )
        .message(5, &raw_tensor("b", &[4], &[0.5, -0.5, 1.0, 0.0]))
        .message(
            5,
            &raw_tensor("mask", &[2, 8, 2, 2], &cycled(64, 1, 5, |x| x / 4.0)),
        );
    let graph = read(&model(19, &nodes, &rest)).expect("a graph");
    let x = floats(&[2, 4, 3, 4], &cycled(96, 1, 13, |x| x / 4.0));
    assert_near(&frame(graph, &x, FileType::F32), &expected, "two groups");
}

/// Results of NumPy 2.4, `numpy.fft.fft` and its kin, for [1, -2, 3, 0.5].
#[test]
fn frequencies_are_those_of_numpy() {
    let x = [1.0, -2.0, 3.0, 0.5];
    let whole = [2.5, 0.0, -2.0, 2.5, 5.5, 0.0, -2.0, -2.5];
    let longer = [
        2.5,
        0.0,
        -2.449_593_5,
        0.432_649_9,
        3.699_593_5,
        3.553_211_8,
        3.699_593_5,
        -3.553_211_8,
        -2.449_593_5,
        -0.432_649_9,
    ];
    for (what, attributes, length, expected) in [
        ("all", vec![], None, &whole[..]),
        ("up to half", vec![int("onesided", 1)], None, &whole[..6]),
        ("followed by a zero", vec![], Some(5), &longer[..]),
    ] {
        let mut nodes = Vec::new();
        let operands = match length {
            None => "x",
            Some(length) => {
                nodes.push(node("Constant", "", "length", &[int("value_int", length)]));
                "x length"
            }
        };
        nodes.push(node("DFT", operands, "y", &attributes));
        let count = expected.len() as i64 / 2;
        let rest = ports(port("x", F32, &[1, 4, 1]), port("y", F32, &[1, count, 2]));
        let graph = read(&model(17, &nodes, &rest)).expect("a graph");
        assert_near(
            &frame(graph, &floats(&[1, 4, 1], &x), FileType::F32),
            expected,
            what,
        );
    }
    let half = raw_tensor("half", &[1, 3, 2], &whole[..6]);
    let nodes = [
        node("Mul", "x half", "spectrum", &[]),
        node("DFT", "spectrum", "y", &[int("inverse", 1), int("onesided", 1)]),
    ];
    let rest = ports(port("x", F32, &[1]), port("y", F32, &[1, 4, 1])).message(5, &half);
    let graph = read(&model(17, &nodes, &rest)).expect("a graph");
    assert_near(
        &frame(graph, &floats(&[1], &[2.0]), FileType::F32),
        &[2.0, -4.0, 6.0, 1.0],
        "back",
    );
}
