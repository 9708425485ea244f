//! Each GPU kernel against the naive interpreter, on random shapes, paddings, strides and epilogues, through
//! wgpu.
//!
//! Mesa's lavapipe serves where there is no GPU (`mesa-vulkan-drivers`, `VK_DRIVER_FILES`); without any
//! adapter the tests say so and pass.
#![cfg(feature = "native")]

#[path = "support/random.rs"]
mod random;

use std::sync::OnceLock;

use plumbline_engine::gpu::native::{Gpu, GpuError, Replayer};
use plumbline_engine::graph::{
    Activation, Bilinear, Constant, Conv2d, Graph, Node, Op, Padding, Pool2d, Residual, ValueId,
    element_count,
};
use plumbline_engine::plan::Plan;
use plumbline_engine::{gpu, reference, validate};
use random::Random;

/// Rounds of each kernel; each draws its own shapes and compiles its own shader.
const ROUNDS: u64 = 40;

/// One device for all tests of this file; `None`, said once, when the machine has none.
fn device() -> Option<&'static Gpu> {
    static DEVICE: OnceLock<Option<Gpu>> = OnceLock::new();
    DEVICE
        .get_or_init(|| match Gpu::open() {
            Ok(gpu) => {
                eprintln!("GPU tests run on {}", gpu.adapter());
                Some(gpu)
            }
            Err(error) => {
                eprintln!("skipped: {error}");
                None
            }
        })
        .as_ref()
}

/// Runs a graph on both and compares all outputs.
fn compare(graph: &Graph, inputs: &[Vec<f32>]) {
    let Some(gpu) = device() else { return };
    validate::validate(graph).expect("the test builds valid graphs");
    let expected = reference::run(graph, inputs).expect("the reference runs it");
    let recording = gpu::record(&Plan::new(graph.clone()).expect("a plan")).expect("a recording");
    let texts: String = recording
        .shaders
        .iter()
        .map(|shader| shader.text.as_str())
        .collect();
    let mut replayer = Replayer::new(gpu, recording).unwrap_or_else(|error| panic!("{error}\n{texts}"));
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let outputs = replayer.run(&inputs).expect("a frame");
    for ((name, actual), id) in outputs.iter().zip(&graph.outputs) {
        assert_eq!(actual.len(), expected[id].len(), "{name}");
        for (index, (&actual, &expected)) in actual.iter().zip(&expected[id]).enumerate() {
            let error = (actual - expected).abs();
            assert!(
                error <= 2e-5 * (1.0 + expected.abs()),
                "element {index} of {name}: {actual} instead of {expected}\n{:?}\n{:?}\n{texts}",
                graph.nodes.iter().map(|node| &node.op).collect::<Vec<_>>(),
                graph.values.iter().map(|value| &value.shape).collect::<Vec<_>>()
            );
        }
    }
}

/// Builds graphs by hand.
#[derive(Default)]
struct Build {
    graph: Graph,
    inputs: Vec<Vec<f32>>,
}

impl Build {
    fn input(&mut self, random: &mut Random, shape: &[usize]) -> ValueId {
        let id = self.graph.add_value("input", shape.to_vec(), None);
        self.graph.inputs.push(id);
        self.inputs.push(
            random
                .tensor(element_count(shape))
                .into_iter()
                .map(|x| x * 4.0)
                .collect(),
        );
        id
    }

    /// A constant; with `half`, one that binary16 holds exactly.
    fn constant(&mut self, random: &mut Random, shape: &[usize], half: bool) -> ValueId {
        let mut data = random.tensor(element_count(shape));
        if half {
            data.iter_mut().for_each(|x| *x = (*x * 256.0).round() / 256.0);
        }
        self.graph
            .add_value("constant", shape.to_vec(), Some(Constant::F32(data.into())))
    }

    fn node(&mut self, op: Op, inputs: Vec<ValueId>, shape: Vec<usize>) -> ValueId {
        let output = self
            .graph
            .add_value(format!("result {}", self.graph.nodes.len()), shape, None);
        self.graph.nodes.push(Node {
            origin: format!("{op:?}"),
            op,
            inputs,
            output,
        });
        output
    }

    fn check(mut self, outputs: &[ValueId]) {
        self.graph.outputs = outputs.to_vec();
        compare(&self.graph, &self.inputs);
    }
}

fn activation(random: &mut Random) -> Activation {
    random.pick(&[
        Activation::None,
        Activation::Relu,
        Activation::Relu6,
        Activation::Sigmoid,
    ])
}

fn bilinear(random: &mut Random) -> Bilinear {
    random.pick(&[
        Bilinear {
            align_corners: false,
            half_pixel_centers: true,
        },
        Bilinear {
            align_corners: false,
            half_pixel_centers: false,
        },
        Bilinear {
            align_corners: true,
            half_pixel_centers: false,
        },
    ])
}

/// A residual for a result of shape `out`, and the shape of its operand.
fn residual(random: &mut Random, out: &[usize]) -> Option<(Residual, Vec<usize>)> {
    let small = vec![1, 1 + random.below(out[1]), 1 + random.below(out[2]), out[3]];
    let activation = activation(random);
    match random.below(3) {
        0 => None,
        1 => Some((
            Residual {
                upsample: None,
                activation,
            },
            out.to_vec(),
        )),
        _ => Some((
            Residual {
                upsample: Some(bilinear(random)),
                activation,
            },
            small,
        )),
    }
}

/// What a convolution is drawn from.
#[derive(Clone, Copy, PartialEq)]
enum Family {
    Pointwise,
    General,
    Depthwise,
}

fn convolution(seed: u64, family: Family) {
    let mut random = Random(seed);
    let depthwise = family == Family::Depthwise;
    let channels = random.pick(&[1, 2, 3, 4, 7, 8, 12, 16, 24, 33]);
    let outputs = if depthwise {
        channels
    } else {
        random.pick(&[1, 2, 4, 6, 8, 9, 16, 24, 39])
    };
    let kernel = match family {
        Family::Pointwise => [1, 1],
        Family::General => random.pick(&[[1, 1], [2, 2], [3, 3], [3, 1], [2, 5]]),
        Family::Depthwise => random.pick(&[[3, 3], [5, 5], [3, 5], [1, 2]]),
    };
    let free = family != Family::Pointwise;
    let stride = if free {
        random.pick(&[[1, 1], [2, 2], [2, 1], [3, 2]])
    } else {
        [1, 1]
    };
    let dilation = if free {
        random.pick(&[[1, 1], [1, 1], [2, 1], [1, 2]])
    } else {
        [1, 1]
    };
    let mut pad = || if free { random.below(4) } else { 0 };
    let padding = Padding {
        top: pad(),
        bottom: pad(),
        left: pad(),
        right: pad(),
    };
    // Some images are large enough for the wide tiles, some smaller than one tile.
    let size = if random.below(6) == 0 {
        [50, 43]
    } else {
        [1 + random.below(14), 1 + random.below(14)]
    };
    let extent = |axis: usize, around: usize| {
        let span = (kernel[axis] - 1) * dilation[axis] + 1;
        (size[axis] + around)
            .checked_sub(span)
            .map(|room| room / stride[axis] + 1)
    };
    let (Some(height), Some(width)) = (
        extent(0, padding.top + padding.bottom),
        extent(1, padding.left + padding.right),
    ) else {
        return;
    };
    let out = vec![1, height, width, outputs];
    let activation = activation(&mut random);
    let residual = residual(&mut random, &out);
    let conv = Conv2d {
        stride,
        dilation,
        padding,
        activation,
        residual: residual.as_ref().map(|r| r.0),
    };
    let half = random.below(2) == 0;
    let mut build = Build::default();
    let weights = [
        if depthwise { 1 } else { outputs },
        kernel[0],
        kernel[1],
        channels,
    ];
    let mut operands = vec![
        build.input(&mut random, &[1, size[0], size[1], channels]),
        build.constant(&mut random, &weights, half),
        build.constant(&mut random, &[outputs], half),
    ];
    if let Some((_, shape)) = &residual {
        operands.push(build.input(&mut random, shape));
    }
    let op = if depthwise {
        Op::DepthwiseConv2d(conv)
    } else {
        Op::Conv2d(conv)
    };
    let result = build.node(op, operands, out);
    build.check(&[result]);
}

#[test]
fn pointwise_convolutions() {
    (0..ROUNDS).for_each(|seed| convolution(seed, Family::Pointwise));
}

#[test]
fn general_convolutions() {
    (0..2 * ROUNDS).for_each(|seed| convolution(1000 + seed, Family::General));
}

#[test]
fn depthwise_convolutions() {
    (0..2 * ROUNDS).for_each(|seed| convolution(2000 + seed, Family::Depthwise));
}

#[test]
fn additions_resizes_and_activations() {
    for seed in 0..ROUNDS {
        let mut random = Random(3000 + seed);
        let shape = vec![1, 1 + random.below(9), 1 + random.below(9), 1 + random.below(13)];
        let mut build = Build::default();
        let x = build.input(&mut random, &shape);
        let mut results = Vec::new();
        if let Some((residual, small)) = residual(&mut random, &shape) {
            let b = build.input(&mut random, &small);
            results.push(build.node(Op::Add(residual), vec![x, b], shape.clone()));
        }
        let doubled = Residual {
            upsample: None,
            activation: activation(&mut random),
        };
        results.push(build.node(Op::Add(doubled), vec![x, x], shape.clone()));
        let larger = vec![1, 1 + random.below(20), 1 + random.below(20), shape[3]];
        let resize = Op::ResizeBilinear(bilinear(&mut random));
        results.push(build.node(resize, vec![x], larger));
        let activation = Op::Activation(activation(&mut random));
        results.push(build.node(activation, vec![x], shape));
        build.check(&results);
    }
}

#[test]
fn pools_pads_and_blocks() {
    for seed in 0..ROUNDS {
        let mut random = Random(4000 + seed);
        let shape = vec![1, 2 + random.below(9), 2 + random.below(9), 1 + random.below(13)];
        let mut build = Build::default();
        let x = build.input(&mut random, &shape);

        let window = random.pick(&[[2, 2], [3, 3], [3, 2]]);
        let stride = random.pick(&[[1, 1], [2, 2], [2, 1]]);
        // A border narrower than the window, or a window could lie outside.
        let padding = Padding {
            top: random.below(2),
            bottom: 1,
            left: random.below(2),
            right: 1,
        };
        let pool = Pool2d {
            window,
            stride,
            padding,
            activation: activation(&mut random),
        };
        let height = (shape[1] + padding.top + 1 - window[0]) / stride[0] + 1;
        let width = (shape[2] + padding.left + 1 - window[1]) / stride[1] + 1;
        let pooled = build.node(Op::MaxPool2d(pool), vec![x], vec![1, height, width, shape[3]]);

        let unit = random.pick(&[1, 4]);
        let around: Vec<(usize, usize)> = (0..4)
            .map(|axis| match axis {
                0 => (0, 0),
                3 => (unit * random.below(3), unit * random.below(3)),
                _ => (random.below(3), random.below(3)),
            })
            .collect();
        let padded = shape
            .iter()
            .zip(&around)
            .map(|(size, (before, after))| before + size + after)
            .collect();
        let padded = build.node(Op::Pad(around), vec![x], padded);

        let (edge, channels) = (random.pick(&[2, 3]), random.pick(&[1, 3, 4, 8]));
        let deep = build.input(&mut random, &[1, shape[1], shape[2], edge * edge * channels]);
        let wide = vec![1, shape[1] * edge, shape[2] * edge, channels];
        let moved = build.node(Op::DepthToSpace { block: edge }, vec![deep], wide);
        build.check(&[pooled, padded, moved]);
    }
}

#[test]
fn concatenations_along_every_axis() {
    for seed in 0..ROUNDS {
        let mut random = Random(5000 + seed);
        // More inputs than a shader has bindings, now and then.
        let count = random.pick(&[2, 3, 9]);
        let axis = 1 + random.below(3);
        let common = [
            1,
            1 + random.below(6),
            1 + random.below(6),
            random.pick(&[1, 3, 4, 8]),
        ];
        let unit = random.pick(&[1, 4]);
        let mut build = Build::default();
        let mut inputs = Vec::new();
        let mut total = common.to_vec();
        total[axis] = 0;
        for _ in 0..count {
            let mut shape = common;
            shape[axis] = unit * (1 + random.below(4));
            total[axis] += shape[axis];
            inputs.push(build.input(&mut random, &shape));
        }
        let joined = build.node(Op::Concat { axis }, inputs, total);
        build.check(&[joined]);
    }
}

/// Parts of an elided concatenation start at any element, and one part may be computed from the part beside
/// it.
#[test]
fn parts_of_an_elided_concatenation_share_a_binding() {
    for (channels, rows) in [(3, 3), (1, 7), (4, 5), (6, 2), (8, 4)] {
        let mut random = Random(6000 + channels as u64);
        let mut build = Build::default();
        let shape = vec![1, rows, 5, channels];
        let x = build.input(&mut random, &shape);
        let first = build.node(Op::Activation(Activation::Relu6), vec![x], shape.clone());
        let conv = Conv2d {
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::default(),
            activation: Activation::Sigmoid,
            residual: Some(Residual {
                upsample: None,
                activation: Activation::None,
            }),
        };
        let weights = build.constant(&mut random, &[channels, 1, 1, channels], true);
        let bias = build.constant(&mut random, &[channels], false);
        let second = build.node(Op::Conv2d(conv), vec![first, weights, bias, x], shape.clone());
        let pad = Op::Pad(vec![(0, 0), (1, 0), (0, 0), (0, 0)]);
        let third = build.node(pad, vec![second], vec![1, rows + 1, 5, channels]);
        let total = vec![1, 3 * rows + 1, 5, channels];
        let joined = build.node(Op::Concat { axis: 1 }, vec![first, second, third], total);
        let plan = Plan::new({
            let mut graph = build.graph.clone();
            graph.outputs = vec![joined];
            graph
        })
        .expect("a plan");
        assert_eq!(plan.steps.len(), 3, "the concatenation costs nothing");
        build.check(&[joined]);
    }
}

#[test]
fn frames_may_overlap_and_come_back_in_order() {
    let Some(gpu) = device() else { return };
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 2, 2, 3], None);
    let y = graph.add_value("y", vec![1, 2, 2, 3], None);
    graph.inputs = vec![x];
    graph.outputs = vec![y];
    let op = Op::Activation(Activation::Relu);
    graph.nodes.push(Node {
        origin: "operator 0".into(),
        op,
        inputs: vec![x],
        output: y,
    });
    let recording = gpu::record(&Plan::new(graph).expect("a plan")).expect("a recording");
    let mut replayer = Replayer::new(gpu, recording).expect("a replayer");
    let frame = |value: f32| vec![value; 12];
    assert!(matches!(replayer.receive(), Err(GpuError::OutOfTurn(_))));
    for round in 0..3 {
        let values = [1.0, 2.0, 3.0].map(|value| value + 10.0 * round as f32);
        for value in values {
            replayer.submit(&[&frame(value)]).expect("room in the ring");
        }
        assert!(matches!(
            replayer.submit(&[&frame(0.0)]),
            Err(GpuError::OutOfTurn(_))
        ));
        for value in values {
            let outputs = replayer.receive().expect("a frame");
            assert_eq!(outputs.get("y"), Some(frame(value).as_slice()));
            assert_eq!(outputs.get("z"), None);
        }
    }
}

#[test]
fn wrong_inputs_are_named() {
    let Some(gpu) = device() else { return };
    let mut graph = Graph::default();
    let x = graph.add_value("camera", vec![1, 4], None);
    let y = graph.add_value("y", vec![1, 4], None);
    graph.inputs = vec![x];
    graph.outputs = vec![y];
    let op = Op::Activation(Activation::Relu);
    graph.nodes.push(Node {
        origin: "operator 0".into(),
        op,
        inputs: vec![x],
        output: y,
    });
    let recording = gpu::record(&Plan::new(graph).expect("a plan")).expect("a recording");
    let mut replayer = Replayer::new(gpu, recording).expect("a replayer");
    for (inputs, given) in [(&[][..], 0), (&[&[1.0f32][..]][..], 1)] {
        let error = replayer.run(inputs).expect_err("too few numbers");
        assert_eq!(
            error,
            GpuError::WrongInput {
                name: "camera".into(),
                expected: 4,
                given
            }
        );
    }
    assert!(
        replayer.run(&[&[0.0; 4]]).is_ok(),
        "the replayer survives its caller's mistakes"
    );
}
