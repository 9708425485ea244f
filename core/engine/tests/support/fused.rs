//! The part of the suite that is about fusion: blocks around a depthwise convolution and ends of networks, drawn at
//! random, each of which the planner must turn into one step.

use plumbline_engine::fusion::{Fusion, Level};
use plumbline_engine::graph::{Activation, Conv2d, Op, Padding, Pool2d, Residual, ValueId, element_count};

use super::random::Random;
use super::suite::{self, Build, Case};

/// A convolution in the middle of a network: any window, and the padding that keeps the extent at stride 1.
struct Layer {
    depthwise: bool,
    window: usize,
    stride: usize,
    outputs: usize,
    activation: Activation,
    residual: Option<(Residual, ValueId)>,
}

impl Layer {
    fn pointwise(outputs: usize, activation: Activation) -> Self {
        Self {
            depthwise: false,
            window: 1,
            stride: 1,
            outputs,
            activation,
            residual: None,
        }
    }

    fn depthwise(window: usize, stride: usize, channels: usize, activation: Activation) -> Self {
        Self {
            depthwise: true,
            window,
            stride,
            ..Self::pointwise(channels, activation)
        }
    }

    fn extent(&self, size: usize) -> usize {
        (size - 1) / self.stride + 1
    }

    fn add(self, build: &mut Build, random: &mut Random, x: ValueId) -> ValueId {
        let &[_, height, width, channels] = build.graph.shape(x) else {
            panic!("layers work on images");
        };
        let Self {
            depthwise,
            window,
            stride,
            outputs,
            activation,
            residual,
        } = self;
        let out = vec![1, self.extent(height), self.extent(width), outputs];
        let around = window - 1;
        let conv = Conv2d {
            stride: [stride, stride],
            dilation: [1, 1],
            padding: Padding {
                top: around / 2,
                bottom: around - around / 2,
                left: around / 2,
                right: around - around / 2,
            },
            activation,
            residual: residual.map(|(sum, _)| sum),
        };
        let half = random.below(2) == 0;
        let shape = if depthwise {
            [1, window, window, channels]
        } else {
            [outputs, window, window, channels]
        };
        let weights = build.constant(random, &shape, half);
        // Chains of layers would otherwise grow until rounding hides mistakes.
        let terms = element_count(&shape[1..]) / if depthwise { channels } else { 1 };
        build.scale(weights, 1.0 / (terms as f32).sqrt(), half);
        let bias = build.constant(random, &[outputs], half);
        let mut inputs = vec![x, weights, bias];
        inputs.extend(residual.map(|(_, value)| value));
        let op = if depthwise {
            Op::DepthwiseConv2d(conv)
        } else {
            Op::Conv2d(conv)
        };
        build.node(op, inputs, out)
    }
}

/// A block around a depthwise convolution: with or without a depth-to-space or an expansion before it and a projection
/// after it, all strides and windows that are fused, any epilogue. Exactly one step, unless the map is so small that
/// the projection stays apart.
pub fn block(seed: u64) -> Case {
    let mut random = Random(seed);
    let mut build = Build::default();
    let window = random.pick(&[3, 5, 2]);
    let stride = random.pick(&[1, 2]);
    let size = random.pick(&[[20, 17], [9, 30], [8, 8], [33, 12], [7, 7], [16, 16]]);
    let before = random.pick(&["expand", "expand", "stem", "nothing", "spread"]);
    let channels = random.pick(&[3, 4, 8, 12, 16, 21, 40]);
    let (source, middle) = match before {
        "expand" => {
            let x = build.input(&mut random, &[1, size[0], size[1], channels]);
            let wide = random.pick(&[4, 6, 24, 40, 52]);
            let activation = suite::activation(&mut random);
            (
                x,
                Layer::pointwise(wide, activation).add(&mut build, &mut random, x),
            )
        }
        "stem" => {
            let x = build.input(&mut random, &[1, 2 * size[0] - 1, 2 * size[1], 3]);
            let stem = Layer {
                window: 3,
                stride: 2,
                ..Layer::pointwise(random.pick(&[8, 24]), suite::activation(&mut random))
            };
            (x, stem.add(&mut build, &mut random, x))
        }
        "spread" => {
            let deep = 4 * random.pick(&[4, 12, 16]);
            let x = build.input(&mut random, &[1, size[0], size[1], deep]);
            let spread = vec![1, 2 * size[0], 2 * size[1], deep / 4];
            let y = build.node(Op::DepthToSpace { block: 2 }, vec![x], spread);
            (x, y)
        }
        _ => {
            let x = build.input(&mut random, &[1, size[0], size[1], channels]);
            (x, x)
        }
    };
    let with_projection = middle == source || random.below(4) > 0;
    let channels = build.graph.shape(middle)[3];
    let mut depthwise = Layer::depthwise(window, stride, channels, suite::activation(&mut random));
    let [height, width] = [1, 2].map(|axis| depthwise.extent(build.graph.shape(middle)[axis]));
    let add_residual = |build: &mut Build, random: &mut Random, layer: &mut Layer| {
        let out = [1, height, width, layer.outputs];
        if build.graph.shape(source) == out && random.below(2) == 0 {
            // The skip connection of an inverted residual: the step reads one value twice.
            let activation = suite::activation(random);
            layer.residual = Some((
                Residual {
                    upsample: None,
                    inner: Activation::None,
                    activation,
                },
                source,
            ));
        } else if let Some((sum, shape)) = suite::residual(random, &out) {
            layer.residual = Some((sum, build.input(random, &shape)));
        }
    };
    let result = if with_projection {
        let filtered = depthwise.add(&mut build, &mut random, middle);
        let outputs = random.pick(&[channels, 4, 9, 16, 39, 96, build.graph.shape(source)[3]]);
        let mut projection = Layer::pointwise(outputs, suite::activation(&mut random));
        add_residual(&mut build, &mut random, &mut projection);
        projection.add(&mut build, &mut random, filtered)
    } else {
        add_residual(&mut build, &mut random, &mut depthwise);
        depthwise.add(&mut build, &mut random, middle)
    };
    let case = Case {
        level: Level::Blocks,
        ..build.case(&[result])
    };
    let plan = case.plan();
    let small = before != "nothing" && before != "spread" && size[0] * size[1] <= 64 && with_projection;
    assert_eq!(
        plan.steps.len(),
        if small { 2 } else { 1 },
        "{before}: {:?}",
        plan.steps
    );
    assert!(matches!(plan.steps[0].fusion, Fusion::Block(_)));
    case
}

/// Depthwise and 1x1 convolutions in turns, as in MobileNetV1: each 1x1 could close one block or open the next, and may
/// do only one of both.
pub fn chain(seed: u64) -> Case {
    let mut random = Random(seed);
    let mut build = Build::default();
    let channels = 4 * (1 + random.below(6));
    let mut x = build.input(&mut random, &[1, 12, 11, channels]);
    for _ in 0..2 + random.below(3) {
        let channels = build.graph.shape(x)[3];
        let activation = suite::activation(&mut random);
        let filtered = Layer::depthwise(3, 1, channels, activation).add(&mut build, &mut random, x);
        let outputs = 4 * (1 + random.below(6));
        let activation = suite::activation(&mut random);
        x = Layer::pointwise(outputs, activation).add(&mut build, &mut random, filtered);
    }
    let case = Case {
        level: Level::Blocks,
        ..build.case(&[x])
    };
    let nodes: Vec<usize> = case
        .plan()
        .steps
        .iter()
        .flat_map(|step| step.nodes.clone())
        .collect();
    let each_once: Vec<usize> = (0..case.graph.nodes.len()).collect();
    assert_eq!(nodes, each_once, "each convolution belongs to one block");
    case
}

/// The end of a network: residual layers on shrinking maps, pooled skip connections, heads of odd channel counts.
pub fn tail(seed: u64) -> Case {
    let mut random = Random(seed);
    let mut build = Build::default();
    let channels = random.pick(&[4, 12, 48, 136, 148]);
    let side = random.pick(&[4, 5, 8]);
    let mut x = build.input(&mut random, &[1, side, side, channels]);
    let sum = |random: &mut Random, value: ValueId| {
        let activation = suite::activation(random);
        Some((
            Residual {
                upsample: None,
                inner: Activation::None,
                activation,
            },
            value,
        ))
    };
    for _ in 0..1 + random.below(4) {
        let size = build.graph.shape(x)[1];
        let halved = size > 4 || (size > 1 && random.below(3) == 0);
        let skip = if halved {
            let out = (size - 2) / 2 + 1;
            let pool = Pool2d {
                window: [2, 2],
                stride: [2, 2],
                padding: Padding::default(),
                activation: suite::activation(&mut random),
            };
            Some((
                build.node(Op::MaxPool2d(pool), vec![x], vec![1, out, out, channels]),
                out,
            ))
        } else {
            None
        };
        let stride = if halved { 2 } else { 1 };
        let window = random.pick(&[3, 5]);
        let activation = suite::activation(&mut random);
        let filtered = Layer::depthwise(window, stride, channels, activation).add(&mut build, &mut random, x);
        let mut projection = Layer::pointwise(channels, suite::activation(&mut random));
        projection.residual = match skip {
            Some((pooled, out)) if build.graph.shape(filtered)[1] == out => sum(&mut random, pooled),
            Some((pooled, _)) => {
                // Nobody else reads the pool of an odd map; an activation of its own keeps it alive.
                let shape = build.graph.shape(pooled).to_vec();
                let kept = build.node(Op::Activation(Activation::Relu), vec![pooled], shape);
                build.graph.outputs.push(kept);
                None
            }
            None => sum(&mut random, x),
        };
        x = projection.add(&mut build, &mut random, filtered);
    }
    let size = build.graph.shape(x)[1];
    let mut results = build.graph.outputs.clone();
    for outputs in [1, 1 + random.below(60)] {
        let half = random.below(2) == 0;
        let weights = build.constant(&mut random, &[outputs, size, size, channels], half);
        build.scale(weights, 1.0 / ((size * size * channels) as f32).sqrt(), half);
        let bias = build.constant(&mut random, &[outputs], half);
        let conv = Conv2d {
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::default(),
            activation: suite::activation(&mut random),
            residual: None,
        };
        let head = build.node(Op::Conv2d(conv), vec![x, weights, bias], vec![1, 1, 1, outputs]);
        results.push(build.node(Op::Reshape, vec![head], vec![1, outputs]));
    }
    let case = Case {
        level: Level::Tail,
        ..build.case(&results)
    };
    let plan = case.plan();
    assert_eq!(plan.steps.len(), 1, "{:?}", plan.steps);
    assert_eq!(plan.steps[0].fusion, Fusion::Tail);
    case
}
