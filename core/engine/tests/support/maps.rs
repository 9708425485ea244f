//! Cases for functions of each element: every function on scalars, ragged, whole and empty tensors of any rank; every
//! conversion; tensors without elements through reshapes.

use plumbline_engine::compact::Compact;
use plumbline_engine::element::{Element, FileType};
use plumbline_engine::graph::{
    Activation, Constant, Conv2d, Op, Padding, Pool2d, Residual, ValueId, element_count,
};
use plumbline_engine::ops::{Map, TensorOp, Unary};

use super::random::Random;
use super::suite::{Build, Case};

/// A function, and what it is given.
pub struct Function {
    /// Which one.
    pub f: Unary,
    /// What its operands hold.
    from: Element,
    /// Operands of f32 are drawn from here.
    range: [f32; 2],
}

/// Values that stand first in every operand of f32, where they lie in the range: ties, edges and zeros.
const SPECIAL: [f32; 12] = [0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 1.0, -1.0, 3.0, -3.0];

const SHAPES: [&[usize]; 5] = [&[], &[13], &[2, 0, 3], &[3, 1, 4, 2], &[2, 1, 3, 1, 2, 5]];

/// Every function of every kind of element that it takes, conversions apart; those with parameters with two sets.
pub fn functions() -> Vec<Function> {
    let reals = |range: [f32; 2], functions: &[Unary]| -> Vec<Function> {
        let of = |&f: &Unary| Function {
            f,
            from: Element::F32,
            range,
        };
        functions.iter().map(of).collect()
    };
    let others = |from: Element, functions: &[Unary]| -> Vec<Function> {
        let of = |&f: &Unary| Function {
            f,
            from,
            range: [0.0; 2],
        };
        functions.iter().map(of).collect()
    };
    use Unary::*;
    let clip = |low: f32, high: f32| Clip { low, high };
    let is_inf = |negative: bool, positive: bool| IsInf { negative, positive };
    let anywhere = [
        Abs, Neg, Sign, Relu, Ceil, Floor, Round, Exp, Sin, Cos, Atan, Sinh, Cosh, Tanh, Asinh, Erf, Sigmoid,
        Softplus, Softsign, HardSwish, Mish, Gelu, GeluTanh,
    ];
    let with_parameters = [
        LeakyRelu(0.01),
        LeakyRelu(-0.5),
        Elu(1.0),
        Elu(-2.0),
        Celu(0.5),
        Celu(2.0),
        Selu {
            alpha: 1.673_263_2,
            gamma: 1.050_701,
        },
        Selu {
            alpha: -1.0,
            gamma: -2.0,
        },
        ThresholdedRelu(1.0),
        ThresholdedRelu(-0.25),
        HardSigmoid {
            alpha: 0.2,
            beta: 0.5,
        },
        HardSigmoid {
            alpha: -1.0,
            beta: -0.5,
        },
        Swish(1.0),
        Swish(-0.75),
        Shrink {
            bias: 0.0,
            lambda: 0.5,
        },
        Shrink {
            bias: -1.5,
            lambda: 1.5,
        },
        clip(-1.0, 2.0),
        clip(2.0, -1.0),
        clip(f32::NEG_INFINITY, 0.5),
        clip(-0.5, f32::INFINITY),
        clip(f32::NEG_INFINITY, f32::INFINITY),
        IsNan,
        is_inf(true, true),
        is_inf(false, true),
        is_inf(true, false),
    ];
    [
        reals([-4.0, 4.0], &anywhere),
        reals([-4.0, 4.0], &with_parameters),
        reals(
            [-90.0, 90.0],
            &[
                Sigmoid,
                Tanh,
                Softplus,
                Mish,
                Erf,
                Gelu,
                GeluTanh,
                Swish(1.0),
                Elu(1.0),
            ],
        ),
        reals([0.01, 9.0], &[Sqrt, Log, Reciprocal]),
        reals([-1.25, 1.25], &[Tan]),
        reals([-0.99, 0.99], &[Asin, Acos, Atanh]),
        reals([1.01, 9.0], &[Acosh]),
        others(Element::I32, &[Abs, Neg, Sign, Relu, BitNot]),
        others(Element::U32, &[BitNot]),
        others(Element::Bool, &[Not]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The function on an input of each shape.
pub fn case(function: &Function) -> Case {
    let mut random = Random(13_000);
    let mut build = Build::default();
    let results: Vec<ValueId> = SHAPES
        .into_iter()
        .map(|shape| {
            let words = words(&mut random, function, element_count(shape));
            let x = build.words(function.from, shape, words);
            build.tensor(TensorOp::Map(Map { f: function.f }), vec![x])
        })
        .collect();
    build.case(&results)
}

fn words(random: &mut Random, function: &Function, len: usize) -> Vec<u32> {
    let [low, high] = function.range;
    let looks_at_bits = matches!(function.f, Unary::IsNan | Unary::IsInf { .. });
    let not_finite = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN, f32::MAX];
    let special: Vec<f32> = not_finite
        .into_iter()
        .filter(|_| looks_at_bits)
        .chain(SPECIAL.into_iter().filter(|x| (low..=high).contains(x)))
        .collect();
    (0..len)
        .map(|index| match function.from {
            Element::F32 => special
                .get(index)
                .copied()
                .unwrap_or_else(|| low + (high - low) * (0.5 + 0.5 * random.unit()))
                .to_bits(),
            Element::I32 | Element::U32 => integer(random, index),
            Element::Bool => random.below(2) as u32,
        })
        .collect()
}

/// The ends of the types first, then small and large numbers.
fn integer(random: &mut Random, index: usize) -> u32 {
    let ends = [
        0,
        1,
        u32::MAX,
        1 << 31,
        (1 << 31) - 1,
        127,
        128,
        255,
        256,
        32_768,
        65_535,
    ];
    match ends.get(index) {
        Some(&end) => end,
        None if random.below(2) == 0 => random.below(400) as u32,
        None => random.bits() as u32,
    }
}

/// From every element to every type that a frame can hold.
pub fn conversions() -> impl Iterator<Item = (Element, FileType)> {
    Element::ALL.into_iter().flat_map(|from| {
        let types = FileType::ALL.into_iter().filter(|to| to.element().is_some());
        // A u32 need not fit what a frame keeps of an i64.
        let types = types.filter(move |&to| (from, to) != (Element::U32, FileType::I64));
        types.map(move |to| (from, to))
    })
}

/// A conversion on an input of each shape. Floats are beyond the ends of most types, and of every magnitude.
pub fn conversion(from: Element, to: FileType) -> Case {
    let mut random = Random(14_000);
    let mut build = Build::default();
    let special = [
        0.0,
        -0.0,
        0.75,
        -0.75,
        1e10,
        -1e10,
        65_519.0,
        65_520.0,
        3e-8,
        -1e-7,
        255.5,
        2_147_483_520.0,
    ];
    let results: Vec<ValueId> = SHAPES
        .into_iter()
        .map(|shape| {
            let words = (0..element_count(shape))
                .map(|index| match from {
                    Element::F32 => {
                        let magnitude = 2.0f32.powi(random.below(40) as i32 - 20);
                        let drawn = magnitude * random.unit();
                        let x = special.get(index).copied().unwrap_or(drawn);
                        // What a frame keeps of an i64 ends where 32 bits do.
                        let end = if to == FileType::I64 { 2e9 } else { f32::MAX };
                        x.clamp(-end, end).to_bits()
                    }
                    Element::I32 | Element::U32 => integer(&mut random, index),
                    Element::Bool => random.below(2) as u32,
                })
                .collect();
            let x = build.words(from, shape, words);
            build.tensor(TensorOp::Map(Map { f: Unary::Cast(to) }), vec![x])
        })
        .collect();
    build.case(&results)
}

/// Constants as operands and as outputs: of every element and shape, one kept in fewer bytes, two that a convolution packs
/// as well.
pub fn constants() -> Case {
    let mut random = Random(18_000);
    let mut build = Build::default();
    let mut results = Vec::new();
    let functions = [
        (Element::F32, Unary::Softsign),
        (Element::F32, Unary::IsNan),
        (Element::I32, Unary::Abs),
        (Element::U32, Unary::BitNot),
        (Element::Bool, Unary::Not),
    ];
    let read = |build: &mut Build, f: Unary, x: ValueId| build.tensor(TensorOp::Map(Map { f }), vec![x]);
    for (from, f) in functions {
        let range = [-4.0, 4.0];
        for shape in SHAPES {
            let words = words(&mut random, &Function { f, from, range }, element_count(shape));
            let x = build.constant_words(from, shape, words);
            results.extend([read(&mut build, f, x), x]);
        }
    }
    let halves = [0x3c00u16, 0xc000, 0x0001].map(u16::to_le_bytes);
    let compact = Compact::sparse(9, &[0b1001_0000, 1], &halves).expect("it fits");
    let compact = Constant::Compact(compact);
    let compact = build.graph.add_value("compact", vec![3, 3], Some(compact));
    results.extend([read(&mut build, Unary::Neg, compact), compact]);

    let x = build.input(&mut random, &[1, 8, 6, 8]);
    let weights = build.constant(&mut random, &[8, 1, 1, 8], true);
    let bias = build.constant(&mut random, &[8], true);
    results.push(build.node(Op::Conv2d(POINTWISE), vec![x, weights, bias], vec![1, 8, 6, 8]));
    let negated = read(&mut build, Unary::Neg, weights);
    // Read twice, by a node and by the caller.
    let rounded = [Unary::Ceil, Unary::Floor].map(|f| read(&mut build, f, bias));
    results.extend([negated, rounded[0], rounded[1], bias]);
    build.case(&results)
}

/// A convolution of one tap, and nothing around it.
const POINTWISE: Conv2d = Conv2d {
    stride: [1, 1],
    dilation: [1, 1],
    padding: Padding {
        top: 0,
        bottom: 0,
        left: 0,
        right: 0,
    },
    activation: Activation::None,
    residual: None,
};

/// Between functions, shapes without elements and without axes, and a batch.
pub fn reshapes() -> Case {
    let mut random = Random(15_000);
    let mut build = Build::default();
    let negated = |build: &mut Build, x: ValueId| build.tensor(TensorOp::Map(Map { f: Unary::Neg }), vec![x]);
    let mut results = Vec::new();
    for (from, to) in [
        (&[2, 3, 4][..], &[4, 6][..]),
        (&[1, 1], &[]),
        (&[], &[1, 1, 1]),
        (&[0, 3], &[5, 0, 2]),
    ] {
        let words = random.tensor(element_count(from)).into_iter().map(f32::to_bits);
        let x = build.words(Element::F32, from, words.collect());
        let y = negated(&mut build, x);
        let reshaped = build.node(Op::Reshape, vec![y], to.to_vec());
        results.push(negated(&mut build, reshaped));
        results.push(reshaped);
    }
    build.case(&results)
}

/// Functions between operators on images, of which passes, fusion, bands and binary16 storage know only the latter.
pub fn between_images() -> Case {
    let mut random = Random(17_000);
    let mut build = Build::default();
    let function = |build: &mut Build, f: Unary, x: ValueId| build.tensor(TensorOp::Map(Map { f }), vec![x]);
    let convolution = |random: &mut Random, build: &mut Build, x: ValueId, height: usize| {
        let weights = build.constant(random, &[8, 1, 1, 8], true);
        let bias = build.constant(random, &[8], true);
        build.node(
            Op::Conv2d(POINTWISE),
            vec![x, weights, bias],
            vec![1, height, 6, 8],
        )
    };
    let x = build.input(&mut random, &[1, 8, 6, 8]);
    let first = convolution(&mut random, &mut build, x, 8);
    let bent = function(&mut build, Unary::Tanh, first);
    let second = convolution(&mut random, &mut build, bent, 8);
    let sum = Residual {
        upsample: None,
        inner: Activation::None,
        activation: Activation::Relu,
    };
    let sum = build.node(Op::Add(sum), vec![second, bent], vec![1, 8, 6, 8]);
    let pool = Pool2d {
        window: [4, 3],
        stride: [4, 3],
        padding: Padding::default(),
        activation: Activation::None,
    };
    let small = build.node(Op::MaxPool2d(pool), vec![sum], vec![1, 2, 2, 8]);
    let bent = function(&mut build, Unary::Softsign, small);
    let last = build.node(Op::Activation(Activation::Sigmoid), vec![bent], vec![1, 2, 2, 8]);
    build.case(&[last])
}
