//! A function of each element on the CPU: one loop a function, so that the compiler makes vectors of those that can be.

use super::erf::erf;
use super::{Map, Unary};
use crate::cpu::activation::sigmoid;
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::half::{round_to_bf16, round_to_f16};
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, Words, WordsMut};

impl OnCpu for Map {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let from = node.operand(0).element;
        Ok(Box::new(Kernel { f: self.f, from }))
    }
}

#[derive(Debug)]
struct Kernel {
    f: Unary,
    from: Element,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let x = operands.words(0);
        match (self.f, self.from) {
            (Unary::Cast(to), from) => cast(x, from, to, out),
            (Unary::Not, _) => each(x.u32(), out.u32(), |x| 1 - x.min(1)),
            (Unary::BitNot, _) => each(x.u32(), out.u32(), |x| !x),
            (Unary::IsNan, _) => each(x.f32(), out.u32(), |x| x.is_nan().into()),
            (Unary::IsInf { negative, positive }, _) => each(x.f32(), out.u32(), |x| {
                ((x == f32::INFINITY && positive) || (x == f32::NEG_INFINITY && negative)).into()
            }),
            (f, Element::I32) => integers(f, x.i32(), out.i32()),
            (f, Element::F32 | Element::U32 | Element::Bool) => floats(f, x.f32(), out.f32()),
        }
    }
}

/// Writes f(x) for each element.
#[inline(always)]
fn each<T: Copy, U>(x: &[T], out: &mut [U], f: impl Fn(T) -> U) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = f(x);
    }
}

fn integers(f: Unary, x: &[i32], out: &mut [i32]) {
    match f {
        Unary::Abs => each(x, out, i32::wrapping_abs),
        Unary::Neg => each(x, out, i32::wrapping_neg),
        Unary::Sign => each(x, out, i32::signum),
        Unary::Relu => each(x, out, |x| x.max(0)),
        _ => unreachable!("`infer` takes no other function of integers"),
    }
}

fn floats(f: Unary, x: &[f32], out: &mut [f32]) {
    match f {
        Unary::Abs => each(x, out, f32::abs),
        Unary::Neg => each(x, out, |x| -x),
        // 0 and NaN are their own.
        Unary::Sign => each(x, out, |x| if x.abs() > 0.0 { 1.0f32.copysign(x) } else { x }),
        Unary::Relu => each(x, out, |x| above(x, 0.0)),
        Unary::Ceil => each(x, out, f32::ceil),
        Unary::Floor => each(x, out, f32::floor),
        Unary::Round => each(x, out, f32::round_ties_even),
        Unary::Sqrt => each(x, out, f32::sqrt),
        Unary::Reciprocal => each(x, out, |x| 1.0 / x),
        Unary::Exp => each(x, out, f32::exp),
        Unary::Log => each(x, out, f32::ln),
        Unary::Sin => each(x, out, f32::sin),
        Unary::Cos => each(x, out, f32::cos),
        Unary::Tan => each(x, out, f32::tan),
        Unary::Asin => each(x, out, f32::asin),
        Unary::Acos => each(x, out, f32::acos),
        Unary::Atan => each(x, out, f32::atan),
        Unary::Sinh => each(x, out, f32::sinh),
        Unary::Cosh => each(x, out, f32::cosh),
        Unary::Tanh => each(x, out, f32::tanh),
        Unary::Asinh => each(x, out, f32::asinh),
        Unary::Acosh => each(x, out, f32::acosh),
        Unary::Atanh => each(x, out, f32::atanh),
        Unary::Erf => each(x, out, erf),
        Unary::Sigmoid => each(x, out, sigmoid),
        Unary::Softplus => each(x, out, softplus),
        Unary::Softsign => each(x, out, |x| x / (1.0 + x.abs())),
        Unary::HardSwish => each(x, out, |x| x * below(above(x / 6.0 + 0.5, 0.0), 1.0)),
        Unary::Mish => each(x, out, |x| x * softplus(x).tanh()),
        Unary::Gelu => each(x, out, |x| {
            0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
        }),
        Unary::GeluTanh => each(x, out, |x| {
            0.5 * x * (1.0 + (GELU[0] * (x + GELU[1] * x * x * x)).tanh())
        }),
        Unary::LeakyRelu(slope) => each(x, out, |x| if x < 0.0 { x * slope } else { x }),
        Unary::Elu(alpha) => each(x, out, |x| if x < 0.0 { alpha * x.exp_m1() } else { x }),
        Unary::Celu(alpha) => each(x, out, |x| if x > 0.0 { x } else { alpha * (x / alpha).exp_m1() }),
        Unary::Selu { alpha, gamma } => {
            each(x, out, |x| gamma * if x > 0.0 { x } else { alpha * x.exp_m1() })
        }
        Unary::ThresholdedRelu(threshold) => each(x, out, |x| if x > threshold { x } else { 0.0 }),
        Unary::HardSigmoid { alpha, beta } => {
            each(x, out, |x| below(above(alpha * x + beta, 0.0), 1.0));
        }
        Unary::Swish(alpha) => each(x, out, |x| x * sigmoid(alpha * x)),
        Unary::Shrink { bias, lambda } => each(x, out, |x| {
            if x < -lambda {
                x + bias
            } else if x > lambda {
                x - bias
            } else {
                0.0
            }
        }),
        Unary::Clip { low, high } => each(x, out, |x| below(above(x, low), high)),
        Unary::Not | Unary::BitNot | Unary::IsNan | Unary::IsInf { .. } | Unary::Cast(_) => {
            unreachable!("`run` sends these elsewhere")
        }
    }
}

/// sqrt(2 / pi), and the factor of the cube.
pub(super) const GELU: [f32; 2] = [0.797_884_6, 0.044_715];

/// The greater number; NaN where x is, as in ONNX and not as in `f32::max`.
fn above(x: f32, low: f32) -> f32 {
    if x < low { low } else { x }
}

/// The lesser number; NaN where x is.
fn below(x: f32, high: f32) -> f32 {
    if x > high { high } else { x }
}

fn softplus(x: f32) -> f32 {
    above(x, 0.0) + (-x.abs()).exp().ln_1p()
}

fn cast(x: Words<'_>, from: Element, to: FileType, out: WordsMut<'_>) {
    match (from, to.element()) {
        (Element::F32, Some(Element::F32)) => match to {
            FileType::F16 => each(x.f32(), out.f32(), round_to_f16),
            FileType::BF16 => each(x.f32(), out.f32(), round_to_bf16),
            _ => out.f32().copy_from_slice(x.f32()),
        },
        (Element::I32, Some(Element::F32)) => each(x.i32(), out.f32(), |x| to.round(x as f32)),
        (Element::U32 | Element::Bool, Some(Element::F32)) => {
            each(x.u32(), out.f32(), |x| to.round(x as f32));
        }
        (Element::F32, Some(Element::U32)) => each(x.f32(), out.u32(), |x| x as u32),
        (Element::F32, Some(Element::Bool)) => each(x.f32(), out.u32(), |x| u32::from(x != 0.0)),
        (Element::F32, Some(Element::I32)) => {
            let (low, high) = word_range(to);
            each(x.f32(), out.i32(), |x| (x as i32).clamp(low, high));
        }
        (_, Some(Element::Bool)) => each(x.u32(), out.u32(), |x| x.min(1)),
        (_, Some(Element::I32)) => match to {
            FileType::I16 => each(x.i32(), out.i32(), |x| (x as i16).into()),
            FileType::I8 => each(x.i32(), out.i32(), |x| (x as i8).into()),
            FileType::U16 => each(x.i32(), out.i32(), |x| (x as u16).into()),
            FileType::U8 => each(x.i32(), out.i32(), |x| (x as u8).into()),
            _ => out.i32().copy_from_slice(x.i32()),
        },
        (_, Some(Element::U32)) => out.u32().copy_from_slice(x.u32()),
        (_, None) => unreachable!("`infer` takes no such type"),
    }
}

/// Ends of an integer type that is kept in a word with a sign.
pub(super) fn word_range(to: FileType) -> (i32, i32) {
    let (low, high) = to.range().unwrap_or_default();
    let word = |end: i64| end.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    (word(low), word(high))
}
