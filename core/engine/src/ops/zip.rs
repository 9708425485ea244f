//! A function of two elements, of operands that stretch to a common shape as NumPy broadcasts them.
//!
//! Definitions follow the ONNX operators of the same names, up to opset 22 (onnx.ai/onnx/operators).

mod cpu;
mod gpu;

use super::map::wrapped;
use super::strides::{broadcast, source};
use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::element_count;
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Data, Scalar, Tensor};

/// A function of two elements; inputs `[a, b]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zip {
    /// Which function.
    pub f: Binary,
}

/// A function of two numbers of one kind. Of f32, i32 or u32, and to the same, unless it says otherwise. Results of
/// integers keep their lowest bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a * b
    Mul,
    /// a / b; of integers, without its fraction, and a where b is 0.
    Div,
    /// a to the power of b; of f32 or i32. Of integers without its fraction, and 0 where b is negative and a is 0.
    Pow,
    /// The greater one; NaN where either is.
    Max,
    /// The lesser one; NaN where either is.
    Min,
    /// What is left of a after division by b, with the sign of b; of integers, 0 where b is 0.
    Mod,
    /// What is left of a after division by b, with the sign of a; of integers, 0 where b is 0.
    Fmod,
    /// Whether a is b; of any kind, to bool.
    Equal,
    /// Whether a is less than b; to bool.
    Less,
    /// Whether a is not greater than b; to bool.
    LessOrEqual,
    /// Whether a is greater than b; to bool.
    Greater,
    /// Whether a is not less than b; to bool.
    GreaterOrEqual,
    /// Whether both are true; of bool.
    And,
    /// Whether one of them is true; of bool.
    Or,
    /// Whether exactly one of them is true; of bool.
    Xor,
    /// The bits that both have; of integers.
    BitAnd,
    /// The bits that one of them has; of integers.
    BitOr,
    /// The bits that exactly one of them has; of integers.
    BitXor,
    /// The bits of a moved up by b places; of integers, and 0 where b is negative or a word has no more places.
    ShiftLeft,
    /// The bits of a moved down by b places, its sign above them; of integers, and nothing but the sign where b is
    /// negative or a word has no more places.
    ShiftRight,
    /// a where it is not negative, else a * b; of f32.
    PRelu,
}

impl Binary {
    /// Every function; the places here are the numbers in graph files.
    pub const ALL: [Self; 23] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Pow,
        Self::Max,
        Self::Min,
        Self::Mod,
        Self::Fmod,
        Self::Equal,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::And,
        Self::Or,
        Self::Xor,
        Self::BitAnd,
        Self::BitOr,
        Self::BitXor,
        Self::ShiftLeft,
        Self::ShiftRight,
        Self::PRelu,
    ];

    /// As tables and messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Sub => "Sub",
            Self::Mul => "Mul",
            Self::Div => "Div",
            Self::Pow => "Pow",
            Self::Max => "Max",
            Self::Min => "Min",
            Self::Mod => "Mod",
            Self::Fmod => "Fmod",
            Self::Equal => "Equal",
            Self::Less => "Less",
            Self::LessOrEqual => "LessOrEqual",
            Self::Greater => "Greater",
            Self::GreaterOrEqual => "GreaterOrEqual",
            Self::And => "And",
            Self::Or => "Or",
            Self::Xor => "Xor",
            Self::BitAnd => "BitAnd",
            Self::BitOr => "BitOr",
            Self::BitXor => "BitXor",
            Self::ShiftLeft => "ShiftLeft",
            Self::ShiftRight => "ShiftRight",
            Self::PRelu => "PRelu",
        }
    }

    /// What the function gives for elements of a kind; `None` when it does not take them.
    pub fn result(self, from: Element) -> Option<Element> {
        let is_number = from != Element::Bool;
        match self {
            Self::Add
            | Self::Sub
            | Self::Mul
            | Self::Div
            | Self::Max
            | Self::Min
            | Self::Mod
            | Self::Fmod => is_number.then_some(from),
            Self::Pow => matches!(from, Element::F32 | Element::I32).then_some(from),
            Self::PRelu => (from == Element::F32).then_some(from),
            Self::BitAnd | Self::BitOr | Self::BitXor | Self::ShiftLeft | Self::ShiftRight => {
                matches!(from, Element::I32 | Element::U32).then_some(from)
            }
            Self::Equal => Some(Element::Bool),
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => {
                is_number.then_some(Element::Bool)
            }
            Self::And | Self::Or | Self::Xor => (from == Element::Bool).then_some(from),
        }
    }

    /// Whether it gives a truth value of numbers.
    pub(crate) fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }

    /// The function on real numbers, for those that give such numbers.
    fn real(self, a: f64, b: f64) -> Option<f64> {
        Some(match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Pow => a.powf(b),
            Self::Max if a.is_nan() || a > b => a,
            Self::Min if a.is_nan() || a < b => a,
            Self::Max | Self::Min => b,
            Self::Mod => {
                let rest = a % b;
                let is_off = rest != 0.0 && (rest < 0.0) != (b < 0.0);
                if is_off { rest + b } else { rest }
            }
            Self::Fmod => a % b,
            Self::PRelu if a < 0.0 => a * b,
            Self::PRelu => a,
            _ => return None,
        })
    }

    /// The function on integers, for those that give integers: exact, but for powers, of which it has the lowest 64
    /// bits.
    fn integer(self, a: i128, b: i128) -> Option<i128> {
        // How many places bits move; `None` beyond the longest integer.
        let places = u32::try_from(b).ok().filter(|&places| places < 64);
        Some(match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div if b == 0 => a,
            Self::Div => a / b,
            Self::Max => a.max(b),
            Self::Min => a.min(b),
            Self::Mod | Self::Fmod if b == 0 => 0,
            Self::Mod => (a % b + b) % b,
            Self::Fmod => a % b,
            Self::Pow => match (u64::try_from(b), a) {
                (Ok(exponent), _) => power(a as i64, exponent).into(),
                (Err(_), 1) => 1,
                (Err(_), -1) => 1 - 2 * (b & 1),
                (Err(_), _) => 0,
            },
            Self::BitAnd => a & b,
            Self::BitOr => a | b,
            Self::BitXor => a ^ b,
            Self::ShiftLeft => places.map_or(0, |places| a << places),
            Self::ShiftRight => a >> places.unwrap_or(127),
            _ => return None,
        })
    }

    /// The comparison, for those that are one.
    fn compare<T: PartialOrd>(self, a: T, b: T) -> Option<bool> {
        Some(match self {
            Self::Equal => a == b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
            _ => return None,
        })
    }

    fn logic(self, a: bool, b: bool) -> Option<bool> {
        match self {
            Self::Equal => Some(a == b),
            Self::And => Some(a && b),
            Self::Or => Some(a || b),
            Self::Xor => Some(a != b),
            _ => None,
        }
    }

    /// The value for one element of each of two known tensors of type `of`.
    fn apply(self, a: Scalar, b: Scalar, of: FileType) -> Option<Scalar> {
        Some(match (a, b) {
            (Scalar::Float(a), Scalar::Float(b)) => match self.compare(a, b) {
                Some(answer) => Scalar::Bool(answer),
                None => Scalar::Float(of.round(self.real(a.into(), b.into())? as f32)),
            },
            (Scalar::Int(a), Scalar::Int(b)) => match self.compare(a, b) {
                Some(answer) => Scalar::Bool(answer),
                None => Scalar::Int(wrapped(self.integer(a.into(), b.into())?, of)?),
            },
            (Scalar::Bool(a), Scalar::Bool(b)) => Scalar::Bool(self.logic(a, b)?),
            _ => return None,
        })
    }
}

/// The lowest 64 bits of a power.
fn power(base: i64, exponent: u64) -> i64 {
    let (mut square, mut rest, mut product) = (base, exponent, 1i64);
    while rest > 0 {
        if rest % 2 == 1 {
            product = product.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        rest /= 2;
    }
    product
}

impl Family for Zip {
    fn name(&self) -> &'static str {
        self.f.name()
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[a, b] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let refused = || format!("{} of {} and {}", self.name(), a.element, b.element);
        let element = self.f.result(a.element).filter(|_| a.element == b.element);
        Ok(Type {
            element: element.ok_or_else(refused)?,
            shape: broadcast(a.shape, b.shape)?,
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.f as usize);
    }
}

impl Definition for Zip {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [a, b] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let of = a.file_type();
        let refused = || format!("{} of {of} and {}", self.name(), b.file_type());
        if of != b.file_type() {
            return Err(refused());
        }
        let to = if self.f.is_comparison() {
            FileType::Bool
        } else {
            of
        };
        let shape = broadcast(a.shape(), b.shape())?;
        let apply = |a: Option<Scalar>, b: Option<Scalar>| {
            let result = a.zip(b).and_then(|(a, b)| self.f.apply(a, b, of));
            result.ok_or_else(refused)
        };
        if let (&Data::Splat(a), &Data::Splat(b)) = (a.data(), b.data()) {
            return Tensor::new(to, shape, Data::Splat(apply(Some(a), Some(b))?));
        }
        let at = |tensor: &Tensor, index: usize| tensor.get(source(index, &shape, tensor.shape()));
        let results = (0..element_count(&shape)).map(|index| apply(at(a, index), at(b, index)));
        Tensor::from_scalars(to, shape.clone(), results)
    }
}

impl Zip {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let f = Binary::ALL[file.below(Binary::ALL.len(), origin)?];
        Ok(Self { f })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [f32; 6] = [-2.5, -2.0, -0.25, 0.0, 1.5, 7.0];
    const B: [f32; 6] = [2.0, 3.0, -2.0, 0.5, -1.5, 2.5];
    const I: [i64; 6] = [-7, 7, -7, 7, -2_147_483_648, 5];
    const J: [i64; 6] = [3, -3, -3, 3, -1, 4];

    /// Results for [`A`] and [`B`] of NumPy 2.4.
    const OF_FLOATS: [(Binary, [f32; 6]); 10] = [
        (Binary::Add, [-0.5, 1.0, -2.25, 0.5, 0.0, 9.5]),
        (Binary::Sub, [-4.5, -5.0, 1.75, -0.5, 3.0, 4.5]),
        (Binary::Mul, [-5.0, -6.0, 0.5, 0.0, -2.25, 17.5]),
        (Binary::Div, [-1.25, -0.666_666_7, 0.125, 0.0, -1.0, 2.8]),
        (Binary::Pow, [6.25, -8.0, 16.0, 0.0, 0.544_331, 129.641_82]),
        (Binary::Max, [2.0, 3.0, -0.25, 0.5, 1.5, 7.0]),
        (Binary::Min, [-2.5, -2.0, -2.0, 0.0, -1.5, 2.5]),
        (Binary::Fmod, [-0.5, -2.0, -0.25, 0.0, 0.0, 2.0]),
        (Binary::Mod, [1.5, 1.0, -0.25, 0.0, 0.0, 2.0]),
        (Binary::PRelu, [-5.0, -6.0, 0.5, 0.0, 1.5, 7.0]),
    ];

    /// Results for [`I`] and [`J`] of NumPy 2.4, those of `Div` of its `trunc(i / j)` but for the last but one, which has
    /// no room in 32 bits.
    const OF_INTEGERS: [(Binary, [i64; 6]); 11] = [
        (Binary::Add, [-4, 4, -10, 10, 2_147_483_647, 9]),
        (Binary::Sub, [-10, 10, -4, 4, -2_147_483_647, 1]),
        (Binary::Mul, [-21, -21, 21, 21, -2_147_483_648, 20]),
        (Binary::Div, [-2, -2, 2, 2, -2_147_483_648, 1]),
        (Binary::Max, [3, 7, -3, 7, -1, 5]),
        (Binary::Min, [-7, -3, -7, 3, -2_147_483_648, 4]),
        (Binary::Mod, [2, -2, -1, 1, 0, 1]),
        (Binary::Fmod, [-1, 1, -1, 1, 0, 1]),
        (Binary::BitAnd, [1, 5, -7, 3, -2_147_483_648, 4]),
        (Binary::BitOr, [-5, -1, -3, 7, -1, 5]),
        (Binary::BitXor, [-6, -6, 4, 4, 2_147_483_647, 1]),
    ];

    /// Bases, exponents and powers of integers: NumPy's, in 32 bits; those with negative exponents, which it refuses, are
    /// the quotients without their fraction.
    const POWERS: [[i64; 3]; 9] = [
        [-3, 3, -27],
        [7, 0, 1],
        [0, 0, 1],
        [3, 21, 1_870_418_611],
        [-2, 31, -2_147_483_648],
        [2, 40, 0],
        [-1, -3, -1],
        [-1, -4, 1],
        [5, -1, 0],
    ];

    /// Words, places, and the words moved up and down: the cases of the ONNX suite for `BitShift`, and what its
    /// definition (opset 28) says of the ends.
    const SHIFTS: [[i64; 4]; 8] = [
        [16, 1, 32, 8],
        [-8, 1, -16, -4],
        [1_073_741_824, 1, -2_147_483_648, 536_870_912],
        [-2_147_483_648, 31, 0, -1],
        [-8, 32, 0, -1],
        [4, 33, 0, 0],
        [-8, -1, 0, -1],
        [4, -32, 0, 0],
    ];

    fn tensor(file_type: FileType, shape: &[usize], data: Data) -> Tensor {
        Tensor::new(file_type, shape.to_vec(), data).expect("a tensor")
    }

    #[test]
    fn functions_mean_what_numpy_means() {
        for (f, expected) in OF_FLOATS {
            let operands = [A, B].map(|data| tensor(FileType::F32, &[6], Data::Float(data.into())));
            let result = Zip { f }.evaluate(&operands).expect("a function of f32");
            for (&y, expected) in result.floats().expect("f32").iter().zip(expected) {
                assert!(
                    (y - expected).abs() <= 2e-7 * expected.abs(),
                    "{f:?}: {y} instead of {expected}"
                );
            }
        }
        for (f, expected) in OF_INTEGERS {
            let operands = [I, J].map(|data| tensor(FileType::I32, &[6], Data::Int(data.into())));
            let result = Zip { f }.evaluate(&operands).expect("a function of i32");
            assert_eq!(result.ints().as_deref(), Some(&expected[..]), "{f:?}");
        }
        let of = |f: Binary, file_type: FileType, a: i64, b: i64| {
            let one = |value: i64| tensor(file_type, &[], Data::Int([value].into()));
            let result = Zip { f }
                .evaluate(&[one(a), one(b)])
                .expect("a function of integers");
            result.ints().map(|values| values[0])
        };
        for [a, b, expected] in POWERS {
            assert_eq!(of(Binary::Pow, FileType::I32, a, b), Some(expected), "{a}, {b}");
        }
        for [a, b, up, down] in SHIFTS {
            assert_eq!(of(Binary::ShiftLeft, FileType::I32, a, b), Some(up), "{a}, {b}");
            assert_eq!(
                of(Binary::ShiftRight, FileType::I32, a, b),
                Some(down),
                "{a}, {b}"
            );
        }
        // Without a sign there is none to fill with.
        assert_eq!(of(Binary::ShiftRight, FileType::U32, 4_294_967_295, 28), Some(15));
        assert_eq!(of(Binary::ShiftLeft, FileType::I8, 64, 1), Some(-128));
        assert_eq!(of(Binary::Sub, FileType::U32, 1, 2), Some(4_294_967_295));
    }

    #[test]
    fn rows_and_columns_stretch_over_each_other() {
        let row = tensor(FileType::I64, &[3], Data::Int([1, 2, 3].into()));
        let column = tensor(FileType::I64, &[2, 1], Data::Int([10, 20].into()));
        let difference = Zip { f: Binary::Sub }.evaluate(&[column, row.clone()]);
        let difference = difference.expect("shapes that stretch");
        assert_eq!(difference.shape(), [2, 3]);
        assert_eq!(difference.ints().as_deref(), Some(&[9, 8, 7, 19, 18, 17][..]));
        let zeros = tensor(FileType::I64, &[2, 2, 1], Data::Splat(Scalar::Int(2)));
        let less = Zip { f: Binary::Less }
            .evaluate(&[row, zeros])
            .expect("shapes that stretch");
        assert_eq!((less.shape(), less.file_type()), (&[2, 2, 3][..], FileType::Bool));
        assert_eq!(less.bools().as_deref(), Some(&[true, false, false].repeat(4)[..]));
    }

    #[test]
    fn what_is_no_function_of_its_operands_is_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let cases = [
            (
                Binary::Add,
                of(Element::F32, &[2]),
                of(Element::I32, &[2]),
                "Add of f32 and i32",
            ),
            (
                Binary::Add,
                of(Element::Bool, &[2]),
                of(Element::Bool, &[2]),
                "Add of bool and bool",
            ),
            (
                Binary::Pow,
                of(Element::U32, &[2]),
                of(Element::U32, &[2]),
                "Pow of u32 and u32",
            ),
            (
                Binary::BitAnd,
                of(Element::F32, &[2]),
                of(Element::F32, &[2]),
                "BitAnd of f32 and f32",
            ),
            (
                Binary::Less,
                of(Element::Bool, &[2]),
                of(Element::Bool, &[2]),
                "Less of bool and bool",
            ),
            (
                Binary::And,
                of(Element::U32, &[2]),
                of(Element::U32, &[2]),
                "And of u32 and u32",
            ),
            (
                Binary::Mul,
                of(Element::F32, &[2]),
                of(Element::F32, &[3]),
                "no common one",
            ),
        ];
        for (f, a, b, part) in cases {
            let message = Zip { f }.infer(&[a, b]).expect_err(part);
            assert!(message.contains(part), "{message}");
        }
        let one = tensor(FileType::F32, &[], Data::Float([1.0].into()));
        let truth = tensor(FileType::Bool, &[], Data::Bool([true].into()));
        let zip = Zip { f: Binary::Or };
        assert!(zip.infer(&[]).is_err() && zip.evaluate(&[]).is_err());
        assert!(zip.evaluate(&[one.clone(), truth]).is_err() && zip.evaluate(&[one.clone(), one]).is_err());
    }
}
