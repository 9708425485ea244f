//! A function of each element, whatever the shape.
//!
//! Definitions follow the ONNX operators of the same names, up to opset 22 (onnx.ai/onnx/operators).

mod cpu;
mod erf;
mod gpu;

use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Data, Scalar, Tensor};

/// A function of each element; inputs `[x]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Map {
    /// Which function.
    pub f: Unary,
}

/// A function of one number. Unless it says otherwise, from f32 to f32.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    /// |x|; of f32 or i32. The smallest i32 is its own.
    Abs,
    /// -x; of f32 or i32. The smallest i32 is its own.
    Neg,
    /// -1, 0 or 1; of f32 or i32.
    Sign,
    /// max(x, 0); of f32 or i32.
    Relu,
    /// The least integer that is not below x.
    Ceil,
    /// The greatest integer that is not above x.
    Floor,
    /// The nearest integer, of two the even one.
    Round,
    /// Square root.
    Sqrt,
    /// 1 / x
    Reciprocal,
    /// e^x
    Exp,
    /// Natural logarithm.
    Log,
    /// Sine of an angle in radians.
    Sin,
    /// Cosine of an angle in radians.
    Cos,
    /// Tangent of an angle in radians.
    Tan,
    /// Inverse of the sine.
    Asin,
    /// Inverse of the cosine.
    Acos,
    /// Inverse of the tangent.
    Atan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Hyperbolic tangent.
    Tanh,
    /// Inverse of the hyperbolic sine.
    Asinh,
    /// Inverse of the hyperbolic cosine.
    Acosh,
    /// Inverse of the hyperbolic tangent.
    Atanh,
    /// The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
    Erf,
    /// 1 / (1 + e^(-x))
    Sigmoid,
    /// log(1 + e^x)
    Softplus,
    /// x / (1 + |x|)
    Softsign,
    /// x * max(0, min(1, x / 6 + 1 / 2))
    HardSwish,
    /// x * tanh(softplus(x))
    Mish,
    /// x / 2 * (1 + erf(x / sqrt(2)))
    Gelu,
    /// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
    GeluTanh,
    /// x where it is not negative, else this times x.
    LeakyRelu(f32),
    /// x where it is not negative, else this times (e^x - 1).
    Elu(f32),
    /// x where it is positive, else a (e^(x / a) - 1).
    Celu(f32),
    /// `gamma` times: x where it is positive, else `alpha` (e^x - 1).
    Selu {
        /// What the exponential goes to for the smallest x, before the whole is scaled.
        alpha: f32,
        /// The scale of the whole.
        gamma: f32,
    },
    /// x where it is greater than this, else 0.
    ThresholdedRelu(f32),
    /// `alpha` x + `beta`, at least 0 and at most 1.
    HardSigmoid {
        /// Slope.
        alpha: f32,
        /// Value at 0.
        beta: f32,
    },
    /// x times the sigmoid of this times x.
    Swish(f32),
    /// x + `bias` below -`lambda`, x - `bias` above `lambda`, between them 0.
    Shrink {
        /// How far results move towards 0.
        bias: f32,
        /// Half of the width of what becomes 0.
        lambda: f32,
    },
    /// min(max(x, `low`), `high`); infinite where there is no such bound.
    Clip {
        /// Lower bound.
        low: f32,
        /// Upper bound; it wins over a lower one that is greater.
        high: f32,
    },
    /// Whether x is false; of bool.
    Not,
    /// Every bit the other way; of i32 or u32.
    BitNot,
    /// Whether x is not a number: from f32 to bool.
    IsNan,
    /// Whether x is infinite: from f32 to bool.
    IsInf {
        /// Whether negative infinity counts.
        negative: bool,
        /// Whether positive infinity counts.
        positive: bool,
    },
    /// The value as a file's type has it, from any element to the type's own. To an integer type, a fraction is cut off,
    /// floats beyond the type's ends become these ends, NaN becomes 0, and integers keep their lowest bits. To a short
    /// float it rounds.
    Cast(FileType),
}

/// Functions without parameters; their places here are their numbers in graph files.
const PLAIN: [Unary; 34] = [
    Unary::Abs,
    Unary::Neg,
    Unary::Sign,
    Unary::Relu,
    Unary::Ceil,
    Unary::Floor,
    Unary::Round,
    Unary::Sqrt,
    Unary::Reciprocal,
    Unary::Exp,
    Unary::Log,
    Unary::Sin,
    Unary::Cos,
    Unary::Tan,
    Unary::Asin,
    Unary::Acos,
    Unary::Atan,
    Unary::Sinh,
    Unary::Cosh,
    Unary::Tanh,
    Unary::Asinh,
    Unary::Acosh,
    Unary::Atanh,
    Unary::Erf,
    Unary::Sigmoid,
    Unary::Softplus,
    Unary::Softsign,
    Unary::HardSwish,
    Unary::Mish,
    Unary::Gelu,
    Unary::GeluTanh,
    Unary::Not,
    Unary::BitNot,
    Unary::IsNan,
];

/// The numbers of the others begin here.
const WITH_PARAMETERS: usize = 64;

impl Unary {
    /// As tables and messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Unary::Abs => "Abs",
            Unary::Neg => "Neg",
            Unary::Sign => "Sign",
            Unary::Relu => "Relu",
            Unary::Ceil => "Ceil",
            Unary::Floor => "Floor",
            Unary::Round => "Round",
            Unary::Sqrt => "Sqrt",
            Unary::Reciprocal => "Reciprocal",
            Unary::Exp => "Exp",
            Unary::Log => "Log",
            Unary::Sin => "Sin",
            Unary::Cos => "Cos",
            Unary::Tan => "Tan",
            Unary::Asin => "Asin",
            Unary::Acos => "Acos",
            Unary::Atan => "Atan",
            Unary::Sinh => "Sinh",
            Unary::Cosh => "Cosh",
            Unary::Tanh => "Tanh",
            Unary::Asinh => "Asinh",
            Unary::Acosh => "Acosh",
            Unary::Atanh => "Atanh",
            Unary::Erf => "Erf",
            Unary::Sigmoid => "Sigmoid",
            Unary::Softplus => "Softplus",
            Unary::Softsign => "Softsign",
            Unary::HardSwish => "HardSwish",
            Unary::Mish => "Mish",
            Unary::Gelu => "Gelu",
            Unary::GeluTanh => "GeluTanh",
            Unary::LeakyRelu(_) => "LeakyRelu",
            Unary::Elu(_) => "Elu",
            Unary::Celu(_) => "Celu",
            Unary::Selu { .. } => "Selu",
            Unary::ThresholdedRelu(_) => "ThresholdedRelu",
            Unary::HardSigmoid { .. } => "HardSigmoid",
            Unary::Swish(_) => "Swish",
            Unary::Shrink { .. } => "Shrink",
            Unary::Clip { .. } => "Clip",
            Unary::Not => "Not",
            Unary::BitNot => "BitNot",
            Unary::IsNan => "IsNaN",
            Unary::IsInf { .. } => "IsInf",
            Unary::Cast(_) => "Cast",
        }
    }

    /// What the function gives for elements of a kind; `None` when it does not take them.
    fn result(self, from: Element) -> Option<Element> {
        match (self, from) {
            (Unary::Cast(to), _) => to.element(),
            (Unary::Not, Element::Bool) | (Unary::IsNan | Unary::IsInf { .. }, Element::F32) => {
                Some(Element::Bool)
            }
            (Unary::Not | Unary::IsNan | Unary::IsInf { .. }, _) => None,
            (Unary::BitNot, Element::I32 | Element::U32) => Some(from),
            (Unary::BitNot, _) => None,
            (Unary::Abs | Unary::Neg | Unary::Sign | Unary::Relu, Element::I32) => Some(from),
            (_, Element::F32) => Some(from),
            (_, Element::I32 | Element::U32 | Element::Bool) => None,
        }
    }

    /// Whether the parameters define a function: finite numbers, or bounds that are none.
    fn is_defined(self) -> bool {
        match self {
            Unary::Celu(a) => a.is_finite() && a != 0.0,
            Unary::LeakyRelu(a) | Unary::Elu(a) | Unary::ThresholdedRelu(a) | Unary::Swish(a) => {
                a.is_finite()
            }
            Unary::Selu { alpha: a, gamma: b }
            | Unary::HardSigmoid { alpha: a, beta: b }
            | Unary::Shrink { bias: a, lambda: b } => a.is_finite() && b.is_finite(),
            Unary::Clip { low, high } => low < f32::INFINITY && high > f32::NEG_INFINITY,
            _ => true,
        }
    }

    /// The function on real numbers, for those that are such functions.
    fn real(self, x: f64) -> Option<f64> {
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        Some(match self {
            Unary::Abs => x.abs(),
            Unary::Neg => -x,
            Unary::Sign if x == 0.0 || x.is_nan() => x,
            Unary::Sign => x.signum(),
            Unary::Relu => above(x, 0.0),
            Unary::Ceil => x.ceil(),
            Unary::Floor => x.floor(),
            Unary::Round => x.round_ties_even(),
            Unary::Sqrt => x.sqrt(),
            Unary::Reciprocal => x.recip(),
            Unary::Exp => x.exp(),
            Unary::Log => x.ln(),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
            Unary::Tan => x.tan(),
            Unary::Asin => x.asin(),
            Unary::Acos => x.acos(),
            Unary::Atan => x.atan(),
            Unary::Sinh => x.sinh(),
            Unary::Cosh => x.cosh(),
            Unary::Tanh => x.tanh(),
            Unary::Asinh => x.asinh(),
            Unary::Acosh => x.acosh(),
            Unary::Atanh => x.atanh(),
            Unary::Erf => erf::exact(x),
            Unary::Sigmoid => sigmoid(x),
            Unary::Softplus => softplus(x),
            Unary::Softsign => x / (1.0 + x.abs()),
            Unary::HardSwish => x * below(above(x / 6.0 + 0.5, 0.0), 1.0),
            Unary::Mish => x * softplus(x).tanh(),
            Unary::Gelu => 0.5 * x * (1.0 + erf::exact(x / std::f64::consts::SQRT_2)),
            Unary::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
                0.5 * x * (1.0 + inner.tanh())
            }
            Unary::LeakyRelu(slope) => {
                if x < 0.0 {
                    x * f64::from(slope)
                } else {
                    x
                }
            }
            Unary::Elu(alpha) => {
                if x < 0.0 {
                    f64::from(alpha) * x.exp_m1()
                } else {
                    x
                }
            }
            Unary::Celu(alpha) => {
                if x > 0.0 {
                    x
                } else {
                    f64::from(alpha) * (x / f64::from(alpha)).exp_m1()
                }
            }
            Unary::Selu { alpha, gamma } => {
                f64::from(gamma) * if x > 0.0 { x } else { f64::from(alpha) * x.exp_m1() }
            }
            Unary::ThresholdedRelu(threshold) => {
                if x > f64::from(threshold) {
                    x
                } else {
                    0.0
                }
            }
            Unary::HardSigmoid { alpha, beta } => {
                below(above(f64::from(alpha) * x + f64::from(beta), 0.0), 1.0)
            }
            Unary::Swish(alpha) => x * sigmoid(f64::from(alpha) * x),
            Unary::Shrink { bias, lambda } => match (f64::from(bias), f64::from(lambda)) {
                (bias, lambda) if x < -lambda => x + bias,
                (bias, lambda) if x > lambda => x - bias,
                _ => 0.0,
            },
            Unary::Clip { low, high } => below(above(x, low.into()), high.into()),
            Unary::Not | Unary::BitNot | Unary::IsNan | Unary::IsInf { .. } | Unary::Cast(_) => return None,
        })
    }

    /// The function on integers, exact, for those that are such functions.
    fn integer(self, x: i128) -> Option<i128> {
        match self {
            Unary::Abs => Some(x.abs()),
            Unary::Neg => Some(-x),
            Unary::Sign => Some(x.signum()),
            Unary::Relu => Some(x.max(0)),
            Unary::BitNot => Some(!x),
            _ => None,
        }
    }

    /// The value for one element of a known tensor, as an element of type `to`.
    fn apply(self, x: Scalar, to: FileType) -> Option<Scalar> {
        Some(match (self, x) {
            (Unary::Cast(_), x) => cast(x, to)?,
            (Unary::Not, Scalar::Bool(x)) => Scalar::Bool(!x),
            (Unary::IsNan, Scalar::Float(x)) => Scalar::Bool(x.is_nan()),
            (Unary::IsInf { negative, positive }, Scalar::Float(x)) => {
                Scalar::Bool(x.is_infinite() && if x < 0.0 { negative } else { positive })
            }
            (f, Scalar::Float(x)) => Scalar::Float(to.round(f.real(x.into())? as f32)),
            (f, Scalar::Int(x)) => Scalar::Int(wrapped(f.integer(x.into())?, to)?),
            (_, Scalar::Bool(_)) => return None,
        })
    }
}

/// The greater number; NaN where x is, as in ONNX and not as in `f64::max`.
fn above(x: f64, low: f64) -> f64 {
    if x < low { low } else { x }
}

/// The lesser number; NaN where x is.
fn below(x: f64, high: f64) -> f64 {
    if x > high { high } else { x }
}

/// As [`Unary::Cast`] defines it.
fn cast(x: Scalar, to: FileType) -> Option<Scalar> {
    let integer = match x {
        Scalar::Float(x) => match to.range() {
            // Saturates, and gives 0 for NaN.
            Some((low, high)) => return Some(Scalar::Int((x as i64).clamp(low, high))),
            None if to == FileType::Bool => return Some(Scalar::Bool(x != 0.0)),
            None => return Some(Scalar::Float(to.round(x))),
        },
        Scalar::Int(x) => x,
        Scalar::Bool(x) => x.into(),
    };
    Some(match to.range() {
        Some(_) => Scalar::Int(wrapped(integer.into(), to)?),
        None if to == FileType::Bool => Scalar::Bool(integer != 0),
        None => Scalar::Float(to.round(integer as f32)),
    })
}

/// The lowest bits of an integer that a type has room for; `None` where an i64 does not hold them, and for types that
/// are no integers.
pub(super) fn wrapped(value: i128, to: FileType) -> Option<i64> {
    let (low, high) = to.range()?;
    let (low, high) = (i128::from(low), i128::from(high));
    if to == FileType::U64 && !(low..=high).contains(&value) {
        return None;
    }
    i64::try_from(low + (value - low).rem_euclid(high - low + 1)).ok()
}

impl Family for Map {
    fn name(&self) -> &'static str {
        self.f.name()
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        if !self.f.is_defined() {
            return Err(format!("{:?} has a parameter that is no number for it", self.f));
        }
        if let (Unary::Cast(FileType::I64), Element::U32) = (self.f, x.element) {
            return Err("a uint32 has no room in the 32 bits that a frame keeps of an int64".to_owned());
        }
        let element = self.f.result(x.element);
        let element = element.ok_or_else(|| match self.f {
            Unary::Cast(to) => format!("no word of a frame holds a {to}"),
            f => format!("{} of {}", f.name(), x.element),
        })?;
        Ok(Type {
            element,
            shape: x.shape.to_vec(),
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        let mut with = |number: usize, parameters: &[f32]| {
            file.number(WITH_PARAMETERS + number);
            parameters.iter().for_each(|&parameter| file.float(parameter));
        };
        match self.f {
            Unary::LeakyRelu(a) => with(0, &[a]),
            Unary::Elu(a) => with(1, &[a]),
            Unary::Celu(a) => with(2, &[a]),
            Unary::Selu { alpha, gamma } => with(3, &[alpha, gamma]),
            Unary::ThresholdedRelu(a) => with(4, &[a]),
            Unary::HardSigmoid { alpha, beta } => with(5, &[alpha, beta]),
            Unary::Swish(a) => with(6, &[a]),
            Unary::Shrink { bias, lambda } => with(7, &[bias, lambda]),
            Unary::Clip { low, high } => with(8, &[low, high]),
            Unary::IsInf { negative, positive } => {
                with(9, &[]);
                file.number(usize::from(negative));
                file.number(usize::from(positive));
            }
            Unary::Cast(to) => {
                with(10, &[]);
                file.number(
                    FileType::ALL
                        .iter()
                        .position(|&known| known == to)
                        .unwrap_or_default(),
                );
            }
            plain => file.number(PLAIN.iter().position(|&known| known == plain).unwrap_or_default()),
        }
    }
}

impl Definition for Map {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        if !self.f.is_defined() {
            return Err(format!("{:?} has a parameter that is no number for it", self.f));
        }
        let to = match self.f {
            Unary::Cast(to) => to,
            Unary::Not | Unary::IsNan | Unary::IsInf { .. } => FileType::Bool,
            _ => x.file_type(),
        };
        let refused = || format!("{} of {} to {to}", self.name(), x.file_type());
        let apply = |x: Scalar| self.f.apply(x, to).ok_or_else(refused);
        let shape = x.shape().to_vec();
        if let &Data::Splat(x) = x.data() {
            return Tensor::new(to, shape, Data::Splat(apply(x)?));
        }
        let elements = (0..x.len()).filter_map(|index| x.get(index));
        Tensor::from_scalars(to, shape, elements.map(apply))
    }
}

impl Map {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let number = file.number(origin)?;
        if let Some(&f) = PLAIN.get(number) {
            return Ok(Self { f });
        }
        let f = match number.checked_sub(WITH_PARAMETERS) {
            Some(0) => Unary::LeakyRelu(file.float(origin)?),
            Some(1) => Unary::Elu(file.float(origin)?),
            Some(2) => Unary::Celu(file.float(origin)?),
            Some(3) => Unary::Selu {
                alpha: file.float(origin)?,
                gamma: file.float(origin)?,
            },
            Some(4) => Unary::ThresholdedRelu(file.float(origin)?),
            Some(5) => Unary::HardSigmoid {
                alpha: file.float(origin)?,
                beta: file.float(origin)?,
            },
            Some(6) => Unary::Swish(file.float(origin)?),
            Some(7) => Unary::Shrink {
                bias: file.float(origin)?,
                lambda: file.float(origin)?,
            },
            Some(8) => Unary::Clip {
                low: file.float(origin)?,
                high: file.float(origin)?,
            },
            Some(9) => Unary::IsInf {
                negative: file.flag(origin)?,
                positive: file.flag(origin)?,
            },
            Some(10) => Unary::Cast(FileType::ALL[file.below(FileType::ALL.len(), origin)?]),
            _ => return Err(file.broken(origin)),
        };
        Ok(Self { f })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f32; 7] = [-2.5, -1.0, -0.25, 0.0, 0.5, 1.5, 3.0];

    /// Results for [`X`] of `onnx.reference.ReferenceEvaluator`, onnx 1.23.2, opset 22.
    #[rustfmt::skip]
    const KNOWN: [(Unary, [f32; 7]); 21] = [
        (Unary::Sign, [-1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0]),
        (Unary::Round, [-2.0, -1.0, 0.0, 0.0, 0.0, 2.0, 3.0]),
        (Unary::Erf, [-0.999_593, -0.842_700_8, -0.276_326_4, 0.0, 0.520_499_9, 0.966_105_16, 0.999_977_9]),
        (Unary::Sigmoid, [0.075_858_18, 0.268_941_4, 0.437_823_47, 0.5, 0.622_459_35, 0.817_574_5, 0.952_574_13]),
        (Unary::Softplus, [0.078_889_735, 0.313_261_7, 0.575_939_4, std::f32::consts::LN_2, 0.974_077, 1.701_413_3, 3.048_587_3]),
        (Unary::Softsign, [-0.714_285_73, -0.5, -0.2, 0.0, 0.333_333_34, 0.6, 0.75]),
        (Unary::HardSwish, [-0.208_333_28, -0.333_333_3, -0.114_583_336, 0.0, 0.291_666_66, 1.125, 3.0]),
        (Unary::Mish, [-0.196_816_2, -0.303_401_47, -0.129_926_96, 0.0, 0.375_245_18, 1.403_378_2, 2.986_535]),
        (Unary::Gelu, [-0.015_524_179, -0.158_655_26, -0.100_323_42, 0.0, 0.345_731_23, 1.399_789_3, 2.995_950_2]),
        (Unary::GeluTanh, [-0.015_084_222, -0.158_808, -0.100_324_646, 0.0, 0.345_714, 1.399_571_5, 2.996_362_7]),
        (Unary::LeakyRelu(0.1), [-0.25, -0.1, -0.025, 0.0, 0.5, 1.5, 3.0]),
        (Unary::Elu(2.0), [-1.835_830_1, -1.264_241_1, -0.442_398_43, 0.0, 0.5, 1.5, 3.0]),
        (Unary::Celu(2.0), [-1.426_990_4, -0.786_938_67, -0.235_006_2, 0.0, 0.5, 1.5, 3.0]),
        (Unary::Selu { alpha: 1.673_263_2, gamma: 1.050_701 },
            [-1.613_785_9, -1.111_330_7, -0.388_890_18, 0.0, 0.525_350_5, 1.576_051_5, 3.152_103]),
        (Unary::ThresholdedRelu(1.0), [0.0, 0.0, 0.0, 0.0, 0.0, 1.5, 3.0]),
        (Unary::HardSigmoid { alpha: 0.2, beta: 0.5 }, [0.0, 0.3, 0.45, 0.5, 0.6, 0.8, 1.0]),
        (Unary::Shrink { bias: 0.5, lambda: 1.0 }, [-2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.5]),
        (Unary::Asinh, [-1.647_231_1, -0.881_373_6, -0.247_466_46, 0.0, 0.481_211_8, 1.194_763_2, 1.818_446_5]),
        (Unary::Tanh, [-0.986_614_3, -0.761_594_2, -0.244_918_66, 0.0, 0.462_117_2, 0.905_148_2, 0.995_054_8]),
        (Unary::Cosh, [6.132_29, 1.543_080_7, 1.031_413_2, 1.0, 1.127_626, 2.352_409_6, 10.067_661]),
        (Unary::Reciprocal, [-0.4, -1.0, -4.0, f32::INFINITY, 2.0, 0.666_666_7, 0.333_333_34]),
    ];

    fn tensor(file_type: FileType, data: Data, len: usize) -> Tensor {
        Tensor::new(file_type, vec![len], data).expect("a tensor")
    }

    #[test]
    fn functions_mean_what_onnx_means() {
        for (f, expected) in KNOWN {
            let x = tensor(FileType::F32, Data::Float(X.into()), 7);
            let y = Map { f }.evaluate(&[x]).expect("a function of f32");
            for ((&y, expected), x) in y.floats().expect("f32").iter().zip(expected).zip(X) {
                let same = y == expected || (y - expected).abs() <= 3e-7 * expected.abs().max(1.0);
                assert!(same, "{f:?} of {x}: {y} instead of {expected}");
            }
        }
    }

    /// As NumPy converts (`astype`), where that is defined.
    #[test]
    fn known_integers_are_converted_exactly() {
        let cast = |x: &Tensor, to: FileType| Map { f: Unary::Cast(to) }.evaluate(std::slice::from_ref(x));
        let large = tensor(FileType::I64, Data::Int([1 << 40, -1, 300, -129].into()), 4);
        let ints = |to: FileType| {
            cast(&large, to)
                .expect("integers")
                .ints()
                .map(|ints| ints.into_owned())
        };
        assert_eq!(ints(FileType::I64), Some(vec![1 << 40, -1, 300, -129]));
        assert_eq!(ints(FileType::I32), Some(vec![0, -1, 300, -129]));
        assert_eq!(ints(FileType::U8), Some(vec![0, 255, 44, 127]));
        assert_eq!(ints(FileType::I8), Some(vec![0, -1, 44, 127]));
        assert_eq!(
            ints(FileType::U32),
            Some(vec![0, 4_294_967_295, 300, 4_294_967_167])
        );
        assert!(
            cast(&large, FileType::U64).is_err(),
            "2^64 - 1 has no room in an i64"
        );
        let floats = tensor(FileType::F64, Data::Float([-2.75, 1e20, f32::NAN].into()), 3);
        let ends = cast(&floats, FileType::I64).expect("integers");
        assert_eq!(ends.ints().as_deref(), Some(&[-2, i64::MAX, 0][..]));
        let splat = tensor(FileType::F32, Data::Splat(Scalar::Float(0.1)), 1000);
        let half = cast(&splat, FileType::F16).expect("floats");
        assert!(matches!(half.data(), Data::Splat(Scalar::Float(x)) if *x == 0.099_975_586));
    }

    #[test]
    fn what_is_no_function_of_its_operand_is_refused() {
        let cases = [
            (Unary::Exp, Element::I32, "Exp of i32"),
            (Unary::Not, Element::F32, "Not of f32"),
            (Unary::IsNan, Element::Bool, "IsNaN of bool"),
            (Unary::BitNot, Element::F32, "BitNot of f32"),
            (Unary::Neg, Element::U32, "Neg of u32"),
            (
                Unary::Cast(FileType::U64),
                Element::I32,
                "no word of a frame holds a uint64",
            ),
            (Unary::Cast(FileType::I64), Element::U32, "no room"),
            (Unary::Elu(f32::NAN), Element::F32, "parameter"),
            (Unary::Celu(0.0), Element::F32, "parameter"),
            (
                Unary::Clip {
                    low: f32::NAN,
                    high: 1.0,
                },
                Element::F32,
                "parameter",
            ),
            (
                Unary::Clip {
                    low: f32::INFINITY,
                    high: 1.0,
                },
                Element::F32,
                "parameter",
            ),
        ];
        for (f, element, part) in cases {
            let operand = TypeRef { element, shape: &[2] };
            let message = Map { f }.infer(&[operand]).expect_err(part);
            assert!(message.contains(part), "{message}");
        }
        let f = Map { f: Unary::Abs };
        assert!(f.infer(&[]).is_err() && f.evaluate(&[]).is_err());
    }
}
