//! One suite for every backend: small graphs drawn at random, and the naive interpreter's word on each.
//!
//! A case is a graph with its inputs. A backend's test file runs the same cases and hands its outputs to
//! [`Case::check`]; a new kernel gets its cases here and is tested on both backends.

use plumbline_engine::element::Element;
use plumbline_engine::encoding::Precision;
use plumbline_engine::fusion::Level;
use plumbline_engine::graph::{
    Activation, Bilinear, Constant, Conv2d, Graph, Node, Op, Padding, Pool2d, Residual, ValueId,
    element_count,
};
use plumbline_engine::ops::{TensorOp, Type};
use plumbline_engine::plan::{Options, Plan};
use plumbline_engine::tensor::Tensor;
use plumbline_engine::{reference, validate};

use super::random::Random;

/// The reference sums in f64; the backends sum up to 330 products of up to 4 in f32, whose rounding can reach
/// 330 * 4 * 2^-24.
const TOLERANCE: f32 = 8e-5;
/// Each of the two values between three layers loses 2^-12 of itself at most, and the layers add up to 25 of them.
const HALF_TOLERANCE: f32 = 1e-2;

/// A graph and what goes in.
pub struct Case {
    /// Its outputs are named `result N`.
    pub graph: Graph,
    /// One tensor a graph input; of what is no f32, the words.
    pub inputs: Vec<Vec<f32>>,
    /// How far it is fused.
    pub level: Level,
    /// How values between nodes are kept.
    pub precision: Precision,
    /// The range of the picture that goes in, where one does.
    pub picture: Option<[f32; 2]>,
    /// Largest allowed difference of values between nodes that are kept in f32, beside 1 plus the value.
    pub tolerance: f32,
}

impl Case {
    /// Plans the graph.
    pub fn plan(&self) -> Plan {
        let options = Options {
            level: self.level,
            precision: self.precision,
            picture: self.picture,
            deferred: &[],
        };
        Plan::with(self.graph.clone(), &options).expect("the suite's graphs can be planned")
    }

    /// Compares a backend's outputs with the naive interpreter's: f32 within a tolerance, everything else exactly.
    /// `note` is printed with a difference.
    pub fn check<'o>(&self, note: &str, output: impl Fn(&str) -> Option<&'o [u32]>) {
        let inputs = self.graph.inputs.iter().zip(&self.inputs).map(|(&id, words)| {
            let expected = self.graph.type_of(id);
            let words: Vec<u32> = words.iter().map(|word| word.to_bits()).collect();
            Tensor::from_words(expected.element.file_type(), expected.shape, &words).expect("a tensor")
        });
        let expected =
            reference::run(&self.graph, &inputs.collect::<Vec<_>>()).expect("the reference runs it");
        let tolerance = match self.precision {
            Precision::Single => self.tolerance,
            Precision::Half => HALF_TOLERANCE,
        };
        for id in &self.graph.outputs {
            let name = &self.graph.value(*id).name;
            let actual = output(name).expect("the backend has every output");
            assert_eq!(actual.len(), expected[id].len(), "{name}");
            let Some(expected) = expected[id].floats() else {
                let expected: Vec<u32> = match expected[id].clone().into_constant(name) {
                    Ok((_, Constant::I32(words))) => words.iter().map(|&word| word as u32).collect(),
                    Ok((_, Constant::U32(words))) => words.to_vec(),
                    other => panic!("{name} is no tensor of 32-bit integers: {other:?}"),
                };
                assert_eq!(actual, expected, "{name} of {:?}\n{note}", self.graph.nodes);
                continue;
            };
            for (index, (&actual, &expected)) in actual.iter().zip(expected.iter()).enumerate() {
                let actual = f32::from_bits(actual);
                let error = (actual - expected).abs();
                let same = actual == expected || (actual.is_nan() && expected.is_nan());
                assert!(
                    same || error <= tolerance * (1.0 + expected.abs()),
                    "element {index} of {name}: {actual} instead of {expected}\n{:?}\n{:?}\n{note}",
                    self.graph.nodes.iter().map(|node| &node.op).collect::<Vec<_>>(),
                    self.graph
                        .values
                        .iter()
                        .map(|value| &value.shape)
                        .collect::<Vec<_>>()
                );
            }
        }
    }
}

impl Case {
    /// Compares two sessions' outputs bit for bit.
    #[allow(dead_code, reason = "not every test that shares this file has two sessions")]
    pub fn check_bits<'o>(
        &self,
        note: &str,
        expected: impl Fn(&str) -> Option<&'o [u32]>,
        actual: impl Fn(&str) -> Option<&'o [u32]>,
    ) {
        for id in &self.graph.outputs {
            let name = &self.graph.value(*id).name;
            let (actual, expected) = (actual(name), expected(name));
            assert!(actual.is_some(), "the backend has every output");
            assert_eq!(actual, expected, "{name}, {note}");
        }
    }
}

/// Builds graphs by hand.
#[derive(Default)]
pub struct Build {
    /// What has been built so far.
    pub graph: Graph,
    inputs: Vec<Vec<f32>>,
}

impl Build {
    /// A graph input with random contents.
    pub fn input(&mut self, random: &mut Random, shape: &[usize]) -> ValueId {
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

    /// A graph input of these words.
    #[allow(
        dead_code,
        reason = "not every test that shares this file has tensor operators"
    )]
    pub fn words(&mut self, element: Element, shape: &[usize], words: Vec<u32>) -> ValueId {
        let shape = shape.to_vec();
        let name = format!("input {}", self.inputs.len());
        let id = self.graph.add_typed_value(name, Type { element, shape }, None);
        self.graph.inputs.push(id);
        self.inputs.push(words.into_iter().map(f32::from_bits).collect());
        id
    }

    /// A tensor operator; its result has the type that its family infers.
    #[allow(
        dead_code,
        reason = "not every test that shares this file has tensor operators"
    )]
    pub fn tensor(&mut self, op: TensorOp, inputs: Vec<ValueId>) -> ValueId {
        let operands: Vec<_> = inputs.iter().map(|&id| self.graph.type_of(id)).collect();
        let result = op.infer(&operands).expect("the suite's operands fit");
        let element = result.element;
        let id = self.node(Op::Tensor(op), inputs, result.shape);
        self.graph.values[id.index()].element = element;
        id
    }

    /// A constant of these words.
    #[allow(
        dead_code,
        reason = "not every test that shares this file has tensor operators"
    )]
    pub fn constant_words(&mut self, element: Element, shape: &[usize], words: Vec<u32>) -> ValueId {
        let constant = match element {
            Element::F32 => Constant::F32(words.into_iter().map(f32::from_bits).collect()),
            Element::I32 => Constant::I32(words.into_iter().map(u32::cast_signed).collect()),
            Element::U32 | Element::Bool => Constant::U32(words.into()),
        };
        let shape = shape.to_vec();
        // Some are outputs, which are told apart by their names.
        let name = format!("constant {}", self.graph.values.len());
        self.graph
            .add_typed_value(name, Type { element, shape }, Some(constant))
    }

    /// A constant; with `half`, one that binary16 holds exactly.
    pub fn constant(&mut self, random: &mut Random, shape: &[usize], half: bool) -> ValueId {
        let mut data = random.tensor(element_count(shape));
        if half {
            data.iter_mut().for_each(|x| *x = (*x * 256.0).round() / 256.0);
        }
        self.graph
            .add_value("constant", shape.to_vec(), Some(Constant::F32(data.into())))
    }

    /// Makes three quarters of a constant zero.
    pub fn prune(&mut self, random: &mut Random, constant: ValueId) {
        let value = &mut self.graph.values[constant.index()];
        if let Some(Constant::F32(data)) = &value.constant {
            let kept = |x: &f32| if random.below(4) == 0 { *x } else { 0.0 };
            value.constant = Some(Constant::F32(data.iter().map(kept).collect()));
        }
    }

    /// Multiplies a constant, and keeps it exact in binary16 where it was.
    pub fn scale(&mut self, constant: ValueId, factor: f32, half: bool) {
        let value = &mut self.graph.values[constant.index()];
        if let Some(Constant::F32(data)) = &value.constant {
            let scaled = data.iter().map(|x| x * factor);
            let scaled = scaled.map(|x| if half { (x * 256.0).round() / 256.0 } else { x });
            value.constant = Some(Constant::F32(scaled.collect()));
        }
    }

    /// One operator application; its result is named by its position.
    pub fn node(&mut self, op: Op, inputs: Vec<ValueId>, shape: Vec<usize>) -> ValueId {
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

    /// The finished graph.
    pub fn case(mut self, outputs: &[ValueId]) -> Case {
        self.graph.outputs = outputs.to_vec();
        validate::validate(&self.graph).expect("the suite builds valid graphs");
        Case {
            graph: self.graph,
            inputs: self.inputs,
            level: Level::Folded,
            precision: Precision::Single,
            picture: None,
            tolerance: TOLERANCE,
        }
    }
}

pub fn activation(random: &mut Random) -> Activation {
    random.pick(&[
        Activation::None,
        Activation::Relu,
        Activation::Relu6,
        Activation::Sigmoid,
        Activation::HardSwish,
        Activation::Swish,
    ])
}

pub fn bilinear(random: &mut Random) -> Bilinear {
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
pub fn residual(random: &mut Random, out: &[usize]) -> Option<(Residual, Vec<usize>)> {
    let small = vec![1, 1 + random.below(out[1]), 1 + random.below(out[2]), out[3]];
    let inner = activation(random);
    let activation = activation(random);
    match random.below(3) {
        0 => None,
        1 => Some((
            Residual {
                upsample: None,
                inner,
                activation,
            },
            out.to_vec(),
        )),
        _ => Some((
            Residual {
                upsample: Some(bilinear(random)),
                inner,
                activation,
            },
            small,
        )),
    }
}

/// What a convolution is drawn from.
#[derive(Clone, Copy, PartialEq)]
pub enum Family {
    /// 1x1, stride 1.
    Pointwise,
    /// Any kernel over all channels.
    General,
    /// Each channel by its own kernel.
    Depthwise,
    /// Over all channels to one, on wide images, stride 1.
    #[allow(dead_code, reason = "only the CPU backend has a kernel of its own for it")]
    Single,
}

/// A convolution with any epilogue; `None` where the kernel drawn does not fit the image drawn.
pub fn convolution(seed: u64, family: Family) -> Option<Case> {
    let mut random = Random(seed);
    let depthwise = family == Family::Depthwise;
    let channels = random.pick(&[1, 2, 3, 4, 7, 8, 12, 16, 24, 33]);
    let outputs = if depthwise {
        channels
    } else if family == Family::Single {
        1
    } else {
        random.pick(&[1, 2, 4, 6, 8, 9, 16, 24, 39])
    };
    let kernel = match family {
        Family::Pointwise => [1, 1],
        Family::General | Family::Single => random.pick(&[[1, 1], [2, 2], [3, 3], [3, 1], [2, 5]]),
        Family::Depthwise => random.pick(&[[3, 3], [5, 5], [3, 5], [1, 2]]),
    };
    let free = family != Family::Pointwise;
    let spread = free && family != Family::Single;
    let stride = if spread {
        random.pick(&[[1, 1], [2, 2], [2, 1], [3, 2]])
    } else {
        [1, 1]
    };
    let dilation = if spread {
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
    let size = if family == Family::Single {
        [1 + random.below(7), 30 + random.below(180)]
    } else if random.below(6) == 0 {
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
        return None;
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
    let prunes = random.below(3) == 0;
    let mut operands = vec![
        build.input(&mut random, &[1, size[0], size[1], channels]),
        build.constant(&mut random, &weights, half),
        build.constant(&mut random, &[outputs], half),
    ];
    if prunes {
        build.prune(&mut random, operands[1]);
    }
    if let Some((_, shape)) = &residual {
        operands.push(build.input(&mut random, shape));
    }
    let op = if depthwise {
        Op::DepthwiseConv2d(conv)
    } else {
        Op::Conv2d(conv)
    };
    let result = build.node(op, operands, out);
    Some(build.case(&[result]))
}

/// A convolution of this many rows and columns by this many taps, from and to this many channels, without a border.
#[allow(dead_code, reason = "only the GPU backend cuts weights into parts")]
pub fn dense(
    seed: u64,
    image: [usize; 2],
    taps: [usize; 2],
    [inputs, outputs]: [usize; 2],
    half: bool,
) -> Case {
    let mut random = Random(seed);
    let out = vec![1, image[0] - taps[0] + 1, image[1] - taps[1] + 1, outputs];
    let activation = activation(&mut random);
    let residual = residual(&mut random, &out);
    let conv = Conv2d {
        stride: [1, 1],
        dilation: [1, 1],
        padding: Padding::default(),
        activation,
        residual: residual.as_ref().map(|r| r.0),
    };
    let mut build = Build::default();
    let mut operands = vec![
        build.input(&mut random, &[1, image[0], image[1], inputs]),
        build.constant(&mut random, &[outputs, taps[0], taps[1], inputs], half),
        build.constant(&mut random, &[outputs], half),
    ];
    if let Some((_, shape)) = &residual {
        operands.push(build.input(&mut random, shape));
    }
    let result = build.node(Op::Conv2d(conv), operands, out);
    build.case(&[result])
}

/// Additions with and without residuals, of a value with itself, resizes and lone activations.
pub fn additions_resizes_and_activations(seed: u64) -> Case {
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
        inner: Activation::None,
        activation: activation(&mut random),
    };
    results.push(build.node(Op::Add(doubled), vec![x, x], shape.clone()));
    let larger = vec![1, 1 + random.below(20), 1 + random.below(20), shape[3]];
    let resize = Op::ResizeBilinear(bilinear(&mut random));
    results.push(build.node(resize, vec![x], larger));
    let activation = Op::Activation(activation(&mut random));
    results.push(build.node(activation, vec![x], shape));
    build.case(&results)
}

/// Pools with clipped windows, pads of every axis, blocks of channels moved to space.
pub fn pools_pads_and_blocks(seed: u64) -> Case {
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
    build.case(&[pooled, padded, moved])
}

/// Means of all pixels, and channels scaled by numbers of their own; also both behind each other, as networks have them.
pub fn squeezes_and_scales(seed: u64) -> Case {
    let mut random = Random(12_000 + seed);
    let channels = random.pick(&[1, 3, 4, 8, 16, 17, 24, 40]);
    let shape = vec![1, 1 + random.below(30), 1 + random.below(30), channels];
    let of_channels = vec![1, 1, 1, channels];
    let mut build = Build::default();
    let x = build.input(&mut random, &shape);
    let scale = build.input(&mut random, &of_channels);
    let mean = build.node(Op::GlobalAveragePool, vec![x], of_channels.clone());
    let scaled = build.node(Op::ScaleChannels, vec![x, scale], shape.clone());
    let squeezed = build.node(Op::GlobalAveragePool, vec![scaled], of_channels.clone());
    let gate = Op::Activation(activation(&mut random));
    let excitation = build.node(gate, vec![squeezed], of_channels);
    let excited = build.node(Op::ScaleChannels, vec![scaled, excitation], shape);
    build.case(&[mean, excited])
}

/// The mean of a million tenths, which are no f32: one after the other they would be 100958.34 instead of 100000.
#[allow(dead_code, reason = "not every test that shares this file is about digits")]
pub fn long_mean() -> Case {
    let mut build = Build::default();
    let x = build.words(
        Element::F32,
        &[1, 1000, 1000, 1],
        vec![0.1f32.to_bits(); 1_000_000],
    );
    let mean = build.node(Op::GlobalAveragePool, vec![x], vec![1, 1, 1, 1]);
    let mut case = build.case(&[mean]);
    case.tolerance = 2e-6;
    case
}

/// Concatenations along every axis.
pub fn concatenation(seed: u64) -> Case {
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
    build.case(&[joined])
}

/// A concatenation that costs nothing: its parts start at any element, and one part is computed from the part beside
/// it.
pub fn elided_concatenation(channels: usize, rows: usize) -> Case {
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
            inner: Activation::None,
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
    let case = build.case(&[joined]);
    assert_eq!(case.plan().steps.len(), 3, "the concatenation costs nothing");
    case
}

/// Channels and rows for [`elided_concatenation`].
pub const ELIDED: [(usize, usize); 5] = [(3, 3), (1, 7), (4, 5), (6, 2), (8, 4)];
