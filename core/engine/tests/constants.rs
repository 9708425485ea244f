//! Constants that are read as they are: what a plan refuses, where a recording has them, and that frames leave them alone.

use plumbline_engine::compact::Compact;
use plumbline_engine::element::Element;
use plumbline_engine::gpu::{self, BINDING_ALIGNMENT, WEIGHTS};
use plumbline_engine::graph::{Activation, Constant, Conv2d, Graph, Node, Op, Padding, ValueId};
use plumbline_engine::ops::{Map, TensorOp, Unary};
use plumbline_engine::plan::{Options, Placement, Plan};
use plumbline_engine::{ErrorKind, cpu};

/// An operator whose first operand is a constant of this shape; the others follow.
fn graph(op: Op, shape: &[usize], constant: Constant, others: &[&[usize]]) -> Graph {
    let mut graph = Graph::default();
    let mut inputs = vec![graph.add_value("c", shape.to_vec(), Some(constant))];
    for shape in others {
        let zeros = vec![0.0; shape.iter().product()];
        inputs.push(graph.add_value("weights", shape.to_vec(), Some(Constant::F32(zeros.into()))));
    }
    let output = graph.add_value("y", shape.to_vec(), None);
    graph.nodes.push(Node {
        origin: "operator 5".into(),
        op,
        inputs,
        output,
    });
    graph.outputs = vec![output];
    graph
}

fn negation() -> Op {
    Op::Tensor(TensorOp::Map(Map { f: Unary::Neg }))
}

/// A graph without nodes that gives this constant.
fn given(shape: &[usize], constant: Constant) -> Graph {
    let mut graph = Graph::default();
    let id = graph.add_value("c", shape.to_vec(), Some(constant));
    graph.outputs = vec![id];
    graph
}

#[test]
fn what_cannot_be_read_as_it_is_is_refused() {
    let floats = |len: usize| Constant::F32(vec![1.0; len].into());
    let halves = Constant::F16([0x3c00, 0].into());
    let compact = Constant::Compact(Compact::dense(&[[0, 0x3c]]));
    let rectifier = Op::Activation(Activation::Relu);
    let cases = [
        (
            "an image",
            graph(rectifier, &[1, 1, 1, 2], floats(2), &[]),
            ErrorKind::Unsupported,
            "operator 5",
            "frame data",
        ),
        (
            "binary16",
            graph(negation(), &[2], halves.clone(), &[]),
            ErrorKind::Unsupported,
            "operator 5",
            "constant c was not folded",
        ),
        (
            "binary16 for a caller",
            given(&[2], halves),
            ErrorKind::Unsupported,
            "outputs",
            "constant c was not folded",
        ),
        (
            "too short",
            graph(negation(), &[3], floats(2), &[]),
            ErrorKind::Invalid,
            "operator 5",
            "2 elements for shape [3]",
        ),
        (
            "too long",
            given(&[], floats(2)),
            ErrorKind::Invalid,
            "outputs",
            "2 elements for shape []",
        ),
        (
            "too short and compact",
            given(&[2], compact),
            ErrorKind::Invalid,
            "outputs",
            "1 elements",
        ),
    ];
    for (what, graph, kind, place, message) in cases {
        let error = Plan::new(graph).expect_err(what);
        assert_eq!((error.kind(), error.place()), (kind, place), "{what}: {error}");
        assert!(error.to_string().contains(message), "{what}: {error}");
    }
}

/// Whoever goes on from a deferred output finds its source in the arena.
#[test]
fn a_convolution_of_a_constant_is_not_deferred() {
    let convolution = Op::Conv2d(Conv2d {
        stride: [1, 1],
        dilation: [1, 1],
        padding: Padding::default(),
        activation: Activation::None,
        residual: None,
    });
    let image = Constant::F32(vec![1.0; 4].into());
    let graph = graph(convolution, &[1, 1, 1, 4], image, &[&[4, 1, 1, 4], &[4]]);
    let options = Options {
        deferred: &["y"],
        ..Options::default()
    };
    let error = Plan::with(graph, &options).expect_err("an image that is a constant");
    assert_eq!(error.place(), "operator 5");
}

#[test]
fn what_is_read_twice_is_kept_once_and_the_weights_begin_with_it() {
    let mut graph = graph(negation(), &[3], Constant::I32([1, -2, 3].into()), &[]);
    let (c, y) = (ValueId(0), graph.outputs[0]);
    graph.values[y.index()].element = Element::I32;
    let second = graph.add_value("d", vec![2], Some(Constant::U32([7, 8].into())));
    let unread = graph.add_value("e", vec![1], Some(Constant::F32([1.0].into())));
    graph.outputs.extend([c, second, c]);
    let plan = Plan::new(graph).expect("a plan");
    assert_eq!(plan.placements[c.index()], Placement::Pool(0..3));
    assert_eq!(plan.placements[second.index()], Placement::Pool(64..66));
    assert_eq!(plan.placements[unread.index()], Placement::Constant);
    assert_eq!(
        (plan.pool.len(), &plan.pool[..3]),
        (66, &[1, -2i32 as u32, 3][..])
    );

    let recording = gpu::record(&plan).expect("a recording");
    let words: Vec<u8> = plan.pool.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(recording.buffers[WEIGHTS].contents, words);
    let ports: Vec<_> = recording.outputs[1..]
        .iter()
        .map(|port| (port.buffer, port.offset, port.len))
        .collect();
    assert_eq!(
        ports,
        [(WEIGHTS, 0, 3), (WEIGHTS, BINDING_ALIGNMENT, 2), (WEIGHTS, 0, 3)]
    );

    let mut session = cpu::Session::new(plan).expect("a session");
    for _ in 0..2 {
        session.run();
        assert_eq!(session.output_words("c"), Some(&[1, -2i32 as u32, 3][..]));
        assert_eq!(session.output_words("d"), Some(&[7, 8][..]));
        assert_eq!(
            session.output_words("y"),
            Some(&[-1i32 as u32, 2, -3i32 as u32][..])
        );
        assert_eq!(session.output("d"), None, "no f32");
    }
}
