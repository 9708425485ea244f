//! A function of each element as WGSL: a thread takes one element, or four where both sides are f32 and their number
//! allows it.
//!
//! WGSL promises nothing about NaN and infinities (section 15.7.2), so what depends on them looks at bits. Results that
//! would overflow on their way to a finite value are clamped before.

use super::cpu::{GELU, word_range};
use super::{Map, Unary, erf};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::gpu::record::Recorder;
use crate::gpu::shader::{Bindings, Kernel, Operand, Order, Work, wgsl_type};
use crate::graph::element_count;
use crate::ops::{NodeView, OnGpu};

impl OnGpu for Map {
    fn record(&self, node: &NodeView<'_>, recorder: &mut Recorder<'_>) -> Result<Vec<Kernel>, ModelError> {
        let elements = element_count(node.result().shape);
        if elements == 0 {
            return Ok(Vec::new());
        }
        let (from, to) = (node.operand(0).element, node.result().element);
        let lanes = match (from, to) {
            (Element::F32, Element::F32) if elements.is_multiple_of(4) => 4,
            _ => 1,
        };
        // Whoever looks at bits is given bits: loading them as a float may already change them.
        let read = if self.sees_bits() { Element::U32 } else { from };
        let place = |id| recorder.place(node.node, id);
        let operands = vec![
            Operand::elements("x", place(node.node.inputs[0])?, read, lanes),
            Operand::elements("y", place(node.node.output)?, to, lanes).written(),
        ];
        let wgsl = |element: Element| wgsl_type(element, lanes);
        let parameter = if self.sees_bits() { "u32" } else { wgsl(from) };
        let functions = format!(
            "alias V = {};\n{}fn f(x: {parameter}) -> {} {{ {} }}\n",
            wgsl(Element::F32),
            self.called(lanes),
            wgsl(to),
            self.body(from)
        );
        Ok(vec![Kernel {
            label: format!("{} of {elements} x {from}, {lanes} a thread", self.f.name()),
            operands,
            bindings: Bindings::Separate,
            functions,
            body: "  put_y(item, f(get_x(item)));\n".into(),
            work: Work::Threads {
                count: [elements / lanes, 1],
                order: Order::BlocksFirst,
            },
        }])
    }
}

impl Map {
    /// Whether `f` is given the bits of a float in place of the float.
    fn sees_bits(&self) -> bool {
        match self.f {
            Unary::IsNan | Unary::IsInf { .. } => true,
            Unary::Cast(to) => to.element() == Some(Element::Bool),
            _ => false,
        }
    }

    /// Functions that the body calls.
    fn called(&self, lanes: usize) -> String {
        let bits = if lanes == 4 { "vec4<u32>" } else { "u32" };
        match self.f {
            Unary::Erf | Unary::Gelu => erf_function(),
            Unary::Softplus => ln_1p_function(),
            Unary::Tanh | Unary::GeluTanh => TANH.into(),
            Unary::Cast(FileType::F16) => format!("alias B = {bits};\n{ROUND_F16}"),
            Unary::Cast(FileType::BF16) => format!("alias B = {bits};\n{ROUND_BF16}"),
            _ => String::new(),
        }
    }

    /// The body of `f`, for one element or for a vector of them; `V` is the type of the floats.
    fn body(&self, from: Element) -> String {
        let result = match self.f {
            Unary::Abs => "abs(x)".into(),
            Unary::Neg => "-x".into(),
            Unary::Sign => "sign(x)".into(),
            Unary::Relu if from == Element::I32 => "max(x, 0)".into(),
            Unary::Relu => "max(x, V(0.0))".into(),
            Unary::Ceil => "ceil(x)".into(),
            Unary::Floor => "floor(x)".into(),
            Unary::Round => "round(x)".into(),
            Unary::Sqrt => "sqrt(x)".into(),
            Unary::Reciprocal => "1.0 / x".into(),
            Unary::Exp => "exp(x)".into(),
            Unary::Log => "log(x)".into(),
            Unary::Sin => "sin(x)".into(),
            Unary::Cos => "cos(x)".into(),
            Unary::Tan => "tan(x)".into(),
            Unary::Asin => "asin(x)".into(),
            Unary::Acos => "acos(x)".into(),
            Unary::Atan => "atan(x)".into(),
            Unary::Sinh => "sinh(x)".into(),
            Unary::Cosh => "cosh(x)".into(),
            Unary::Tanh => tanh("x"),
            // The usual formula on the positive side: on the other one it subtracts what is nearly equal.
            Unary::Asinh => "sign(x) * log(abs(x) + sqrt(x * x + V(1.0)))".into(),
            Unary::Acosh => "acosh(x)".into(),
            Unary::Atanh => "atanh(x)".into(),
            Unary::Erf => "erf(x)".into(),
            Unary::Sigmoid => sigmoid("x"),
            Unary::Softplus => softplus("x"),
            Unary::Softsign => "x / (V(1.0) + abs(x))".into(),
            Unary::HardSwish => "x * clamp(x / 6.0 + V(0.5), V(0.0), V(1.0))".into(),
            Unary::Mish => mish("x"),
            Unary::Gelu => format!(
                "0.5 * x * (V(1.0) + erf(x * {:?}))",
                std::f32::consts::FRAC_1_SQRT_2
            ),
            Unary::GeluTanh => {
                let [outer, cube] = GELU;
                let inner = tanh(&format!("({outer:?} * (x + {cube:?} * x * x * x))"));
                format!("0.5 * x * (V(1.0) + {inner})")
            }
            Unary::LeakyRelu(slope) => format!("select(x, x * ({slope:?}), x < V(0.0))"),
            Unary::Elu(alpha) => format!("select(x, ({alpha:?}) * {}, x < V(0.0))", exp_m1("x")),
            Unary::Celu(alpha) => {
                let scaled = exp_m1(&format!("(x / ({alpha:?}))"));
                format!("select(({alpha:?}) * {scaled}, x, x > V(0.0))")
            }
            Unary::Selu { alpha, gamma } => {
                format!(
                    "({gamma:?}) * select(({alpha:?}) * {}, x, x > V(0.0))",
                    exp_m1("x")
                )
            }
            Unary::ThresholdedRelu(threshold) => format!("select(V(0.0), x, x > V({threshold:?}))"),
            Unary::HardSigmoid { alpha, beta } => {
                format!("clamp(x * ({alpha:?}) + V({beta:?}), V(0.0), V(1.0))")
            }
            Unary::Swish(alpha) => format!("x * {}", sigmoid(&format!("(x * ({alpha:?}))"))),
            Unary::Shrink { bias, lambda } => {
                let upper = format!("select(V(0.0), x - V({bias:?}), x > V({lambda:?}))");
                format!("select({upper}, x + V({bias:?}), x < V({:?}))", -lambda)
            }
            Unary::Clip { low, high } => {
                // An infinite bound is none, and no literal of WGSL either.
                let bound = |f: &str, x: String, bound: f32, none: f32| match bound {
                    bound if bound == none => x,
                    bound => format!("{f}({x}, V({bound:?}))"),
                };
                let lower = bound("max", "x".into(), low, f32::NEG_INFINITY);
                bound("min", lower, high, f32::INFINITY)
            }
            Unary::Not => "1u - min(x, 1u)".into(),
            Unary::BitNot => "~x".into(),
            Unary::IsNan => "select(0u, 1u, (x & 0x7fffffffu) > 0x7f800000u)".into(),
            Unary::IsInf { negative, positive } => format!(
                "select(0u, 1u, ({negative} && x == 0xff800000u) || ({positive} && x == 0x7f800000u))"
            ),
            Unary::Cast(to) => return cast(from, to),
        };
        format!("return {result};")
    }
}

fn tanh(x: &str) -> String {
    format!("tanh_of({x})")
}

/// Beyond 15 the result is 1 in f32, while what some drivers compute it from overflows; and next to 0 that keeps no
/// digits, so the series stands there, up to its term of x^9.
const TANH: &str = "fn tanh_of(x: V) -> V {
  let s = x * x;
  let series = x * (V(1.0) - s * (V(0.33333334) - s * (V(0.13333334) - s * (V(0.053968254) - s * 0.021869488))));
  return select(tanh(clamp(x, V(-15.0), V(15.0))), series, abs(x) < V(0.25));
}
";

/// exp(80) still fits an f32; shader compilers may assume that nothing overflows.
fn sigmoid(x: &str) -> String {
    format!("(V(1.0) / (V(1.0) + exp(-clamp({x}, V(-80.0), V(80.0)))))")
}

fn softplus(x: &str) -> String {
    format!("max({x}, V(0.0)) + ln_1p(exp(-abs({x})))")
}

/// log(1 + u) for u from 0 to 1: a logarithm of the sum would keep no digits of a small u. The series of
/// 2 artanh(u / (2 + u)), in which the first term left out is below 2^-29 of the sum.
fn ln_1p_function() -> String {
    let series = (0..8).rev().fold("V(0.0)".to_owned(), |sum, k| {
        format!("({sum} * t + V({:?}))", 1.0 / (2 * k + 1) as f32)
    });
    format!(
        "fn ln_1p(u: V) -> V {{\n  let s = u / (u + V(2.0));\n  let t = s * s;\n  return 2.0 * s * {series};\n}}\n"
    )
}

/// With e = e^x, tanh(softplus(x)) is e (e + 2) / (e (e + 2) + 2), which keeps its digits where e is next to nothing.
/// Beyond 20 it is 1 to the last digit, and e must not overflow.
fn mish(x: &str) -> String {
    let e = format!("exp(min({x}, V(20.0)))");
    let product = format!("({e} * ({e} + V(2.0)))");
    format!("{x} * ({product} / ({product} + V(2.0)))")
}

/// Of the side on which it is asked for, x below 0; what it is on the other one must not overflow.
fn exp_m1(x: &str) -> String {
    format!("(exp(min({x}, V(0.0))) - V(1.0))")
}

/// As [`erf::erf`] computes it.
fn erf_function() -> String {
    let nested = |factors: &[f32], step: fn(String, f32) -> String| {
        let (first, rest) = factors.split_first().expect("constants of this program");
        rest.iter()
            .fold(format!("V({first:?})"), |sum, &factor| step(sum, factor))
    };
    let series = nested(&erf::SERIES, |sum, factor| format!("({sum} * s + V({factor:?}))"));
    let tail = nested(&erf::TAIL, |sum, factor| format!("({sum} * t + V({factor:?}))"));
    format!(
        "fn erf(x: V) -> V {{\n  let m = min(abs(x), V(6.0));\n  let s = m * m;\n  \
         let t = V(1.0) / (V(1.0) + {p:?} * m);\n  let tail = V(1.0) - {tail} * t * exp(-s);\n  \
         return sign(x) * select(tail, m * {series}, m < V(1.0));\n}}\n",
        p = erf::TAIL_P,
    )
}

/// The body of a conversion. `x` is the bits of a float where the result is a truth value.
fn cast(from: Element, to: FileType) -> String {
    match (from, to.element()) {
        (Element::F32, Some(Element::Bool)) => "return min(x & 0x7fffffffu, 1u);".into(),
        (_, Some(Element::Bool)) => "return min(x, 1u);".into(),
        (Element::F32, Some(Element::F32)) => format!("return {};", rounded("x", to)),
        (_, Some(Element::F32)) => format!("return {};", rounded("V(x)", to)),
        (Element::F32, Some(Element::U32)) => {
            saturated("u32", "0.0", "4294967040.0", "0u", "4294967295u", 4_294_967_295.0)
        }
        (Element::F32, Some(Element::I32)) => {
            let (low, high) = word_range(to);
            // The largest f32 below 2^31 is not its neighbour among integers.
            let largest = (high as f32).min(2_147_483_520.0);
            saturated(
                "i32",
                &format!("{:?}", low as f32),
                &format!("{largest:?}"),
                "0",
                &high.to_string(),
                high as f32,
            )
        }
        (_, Some(Element::I32)) => match to {
            FileType::I16 => "return (i32(x) << 16u) >> 16u;".into(),
            FileType::I8 => "return (i32(x) << 24u) >> 24u;".into(),
            FileType::U16 => "return i32(x) & 0xffff;".into(),
            FileType::U8 => "return i32(x) & 0xff;".into(),
            _ => "return i32(x);".into(),
        },
        (_, Some(Element::U32)) => "return u32(x);".into(),
        (_, None) => unreachable!("`infer` takes no such type"),
    }
}

/// A float as an integer: `last` from `end` on, `zero` for NaN, and between `low` and `high` what WGSL converts.
fn saturated(integer: &str, low: &str, high: &str, zero: &str, last: &str, end: f32) -> String {
    format!(
        "let n = {integer}(clamp(x, {low}, {high}));\n  \
         let is_nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;\n  \
         return select(select(n, {last}, x >= {end:?}), {zero}, is_nan);"
    )
}

/// To the nearest binary16, half to even, on the bits `B`: WGSL's own conversions may round either way.
const ROUND_F16: &str = "fn round_f16(x: V) -> V {
  let b = bitcast<B>(x);
  let m = b & B(0x7fffffffu);
  let normal = (m + B(0xfffu) + ((m >> B(13u)) & B(1u))) & B(0xffffe000u);
  let subnormal = bitcast<B>(round(min(abs(x), V(1.0)) * 16777216.0) * 5.9604644775390625e-8);
  let finite = select(normal, subnormal, m < B(0x38800000u));
  let bounded = select(finite, B(0x7f800000u), m >= B(0x477ff000u));
  return bitcast<V>(select(bounded, m, m > B(0x7f800000u)) | (b & B(0x80000000u)));
}
";

/// To the nearest bfloat16, half to even.
const ROUND_BF16: &str = "fn round_bf16(x: V) -> V {
  let b = bitcast<B>(x);
  let near = (b + B(0x7fffu) + ((b >> B(16u)) & B(1u))) & B(0xffff0000u);
  return bitcast<V>(select(near, b, (b & B(0x7fffffffu)) > B(0x7f800000u)));
}
";

/// An expression of type `V`, rounded to a short float.
fn rounded(x: &str, to: FileType) -> String {
    match to {
        FileType::F16 => format!("round_f16({x})"),
        FileType::BF16 => format!("round_bf16({x})"),
        _ => x.into(),
    }
}
