//! One number of many: sums, products, extremes and norms along some axes.
//!
//! Definitions follow the ONNX operators `ReduceSum` and so on, up to opset 20 (onnx.ai/onnx/operators).

mod cpu;
mod gpu;

pub(super) use self::cpu::LANES;
pub(super) use self::gpu::Wgsl;
use super::map::wrapped;
use super::strides::{Loop, Loops};
use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::{Shape, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// One number of all elements along some axes, which become axes of size 1; inputs `[x]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduce {
    /// Which number.
    pub f: Fold,
    /// Along which axes, ascending. Without any, it is the number of each element alone.
    pub axes: Vec<usize>,
}

/// A number of many, x. Of f32, and to the same, unless it says otherwise. Results of integers keep their lowest bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Sum of x; of f32 or i32.
    Sum,
    /// Sum of x, divided by how many there are. NaN of none.
    Mean,
    /// The greatest x; of any kind. Of none, the least that a word of the kind holds.
    Max,
    /// The least x; of any kind. Of none, the greatest that a word of the kind holds.
    Min,
    /// Product of x; of f32 or i32.
    Prod,
    /// Sum of |x|; of f32 or i32.
    L1,
    /// Square root of the sum of x^2.
    L2,
    /// Natural logarithm of the sum of x.
    LogSum,
    /// Natural logarithm of the sum of e^x.
    LogSumExp,
    /// Sum of x^2; of f32 or i32.
    SumSquare,
}

impl Fold {
    /// Every number; the places here are the numbers in graph files.
    pub const ALL: [Self; 10] = [
        Self::Sum,
        Self::Mean,
        Self::Max,
        Self::Min,
        Self::Prod,
        Self::L1,
        Self::L2,
        Self::LogSum,
        Self::LogSumExp,
        Self::SumSquare,
    ];

    /// As tables and messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "ReduceSum",
            Self::Mean => "ReduceMean",
            Self::Max => "ReduceMax",
            Self::Min => "ReduceMin",
            Self::Prod => "ReduceProd",
            Self::L1 => "ReduceL1",
            Self::L2 => "ReduceL2",
            Self::LogSum => "ReduceLogSum",
            Self::LogSumExp => "ReduceLogSumExp",
            Self::SumSquare => "ReduceSumSquare",
        }
    }

    /// Whether it takes elements of a kind, and gives one.
    pub fn takes(self, element: Element) -> bool {
        match self {
            Self::Max | Self::Min => true,
            Self::Sum | Self::Prod | Self::L1 | Self::SumSquare => {
                matches!(element, Element::F32 | Element::I32)
            }
            Self::Mean | Self::L2 | Self::LogSum | Self::LogSumExp => element == Element::F32,
        }
    }

    /// The number of real numbers.
    pub(super) fn real(self, x: &[f64]) -> f64 {
        let extreme = |is_beyond: fn(f64, f64) -> bool, start: f64| {
            x.iter().fold(
                start,
                |best, &x| {
                    if x.is_nan() || is_beyond(x, best) { x } else { best }
                },
            )
        };
        match self {
            Self::Sum => x.iter().sum(),
            Self::Mean => x.iter().sum::<f64>() / x.len() as f64,
            Self::Max => extreme(|x, best| x > best, f64::NEG_INFINITY),
            Self::Min => extreme(|x, best| x < best, f64::INFINITY),
            Self::Prod => x.iter().product(),
            Self::L1 => x.iter().map(|x| x.abs()).sum(),
            Self::L2 => x.iter().map(|x| x * x).sum::<f64>().sqrt(),
            Self::LogSum => x.iter().sum::<f64>().ln(),
            Self::LogSumExp => {
                let greatest = Self::Max.real(x);
                if greatest.is_infinite() {
                    return greatest;
                }
                greatest + x.iter().map(|x| (x - greatest).exp()).sum::<f64>().ln()
            }
            Self::SumSquare => x.iter().map(|x| x * x).sum(),
        }
    }

    /// The number of integers of a type, for those that give integers.
    fn integer(self, x: &[i64], of: FileType) -> Option<i64> {
        let (low, high) = of.range()?;
        let each = |start: i64, f: fn(i128, i128) -> i128| {
            x.iter()
                .try_fold(start, |sum, &x| wrapped(f(sum.into(), x.into()), of))
        };
        match self {
            Self::Sum => each(0, |sum, x| sum + x),
            Self::Prod => each(1, |product, x| product * x),
            Self::L1 => each(0, |sum, x| sum + x.abs()),
            Self::SumSquare => each(0, |sum, x| sum + x * x),
            Self::Max => Some(x.iter().copied().max().unwrap_or(low)),
            Self::Min => Some(x.iter().copied().min().unwrap_or(high)),
            Self::Mean | Self::L2 | Self::LogSum | Self::LogSumExp => None,
        }
    }

    /// The number of elements of a type.
    fn apply(self, x: &[Scalar], of: FileType) -> Option<Scalar> {
        Some(match of.element() {
            Some(Element::F32) => {
                let reals = x.iter().map(|&x| match x {
                    Scalar::Float(x) => Some(f64::from(x)),
                    Scalar::Int(_) | Scalar::Bool(_) => None,
                });
                let real = self.real(&reals.collect::<Option<Vec<_>>>()?);
                Scalar::Float(of.round(real as f32))
            }
            Some(Element::Bool) => {
                let mut truths = x.iter().map(|&x| x == Scalar::Bool(true));
                Scalar::Bool(match self {
                    Self::Max => truths.any(|x| x),
                    Self::Min => truths.all(|x| x),
                    _ => return None,
                })
            }
            Some(Element::I32 | Element::U32) | None => {
                let integers = x.iter().map(|&x| match x {
                    Scalar::Int(x) => Some(x),
                    Scalar::Float(_) | Scalar::Bool(_) => None,
                });
                Scalar::Int(self.integer(&integers.collect::<Option<Vec<_>>>()?, of)?)
            }
        })
    }
}

/// Whether these are axes of a shape, ascending.
pub(super) fn are_axes(shape: &[usize], axes: &[usize]) -> bool {
    let is_ascending = axes.windows(2).all(|pair| pair[0] < pair[1]);
    is_ascending && axes.last().is_none_or(|&axis| axis < shape.len())
}

/// The elements of a shape in lines along some axes: for each place outside of them, the places along them.
pub(super) fn lines(shape: &[usize], axes: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    // The places of what differs only along the axes, or only outside of them, from one that is given.
    let places = move |along: bool, start: usize| {
        let mut places = vec![start];
        let mut stride = element_count(shape);
        for (axis, &size) in shape.iter().enumerate() {
            stride /= size.max(1);
            if axes.contains(&axis) == along {
                let steps = |&place: &usize| (0..size).map(move |step| place + step * stride);
                places = places.iter().flat_map(steps).collect();
            }
        }
        places
    };
    places(false, 0).into_iter().map(move |start| places(true, start))
}

/// How the elements of a tensor are met: once for each element of the result, and below that along the axes.
#[derive(Clone, Debug)]
pub(super) struct Geometry {
    /// Over the result: where its elements begin in x.
    pub kept: Loops<1>,
    /// Along the axes.
    pub along: Loops<1>,
    /// How many elements of x one element of the result has.
    pub count: usize,
}

impl Geometry {
    pub fn new(shape: &[usize], axes: &[usize]) -> Self {
        let (mut kept, mut along) = (Vec::new(), Vec::new());
        let mut stride = 1;
        for (axis, &size) in shape.iter().enumerate().rev() {
            let of_axis = Loop {
                size,
                strides: [stride],
            };
            if axes.contains(&axis) {
                along.push(of_axis);
            } else {
                kept.push(of_axis);
            }
            // A tensor without elements is not walked.
            stride *= size.max(1) as isize;
        }
        kept.reverse();
        along.reverse();
        Self {
            kept: Loops::of_axes([0], &kept),
            count: along.iter().map(|axis| axis.size).product(),
            along: Loops::of_axes([0], &along),
        }
    }
}

impl Reduce {
    /// The shape of the result.
    fn shape(&self, x: &[usize]) -> Result<Shape, String> {
        if !are_axes(x, &self.axes) {
            return Err(format!("{} of shape {x:?} along {:?}", self.name(), self.axes));
        }
        let mut shape = x.to_vec();
        for &axis in &self.axes {
            shape[axis] = 1;
        }
        Ok(shape)
    }
}

impl Family for Reduce {
    fn name(&self) -> &'static str {
        self.f.name()
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        if !self.f.takes(x.element) {
            return Err(format!("{} of {}", self.name(), x.element));
        }
        Ok(Type {
            element: x.element,
            shape: self.shape(x.shape)?,
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.f as usize);
        file.numbers(&self.axes);
    }
}

impl Definition for Reduce {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let of = x.file_type();
        let shape = self.shape(x.shape())?;
        let elements = lines(x.shape(), &self.axes).map(|places| {
            let x: Option<Vec<Scalar>> = places.into_iter().map(|place| x.get(place)).collect();
            x.and_then(|x| self.f.apply(&x, of))
                .ok_or_else(|| format!("{} of {of}", self.name()))
        });
        Tensor::from_scalars(of, shape, elements)
    }
}

impl Reduce {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let f = Fold::ALL[file.below(Fold::ALL.len(), origin)?];
        let axes = file.numbers(origin)?;
        Ok(Self { f, axes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Data;

    fn floats(shape: &[usize], data: &[f32]) -> Tensor {
        Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.into())).expect("a tensor")
    }

    fn reduce(f: Fold, axes: &[usize]) -> Reduce {
        Reduce {
            f,
            axes: axes.to_vec(),
        }
    }

    /// Results of NumPy 2.4 for the rows of [[-2, 0.5, 3], [1, 1, -4]], the logarithms but the last in f64.
    #[test]
    fn numbers_are_those_of_numpy() {
        let cases: [(Fold, [f32; 2]); 10] = [
            (Fold::Sum, [1.5, -2.0]),
            (Fold::Mean, [0.5, -0.666_666_7]),
            (Fold::Max, [3.0, 1.0]),
            (Fold::Min, [-2.0, -4.0]),
            (Fold::Prod, [-3.0, -4.0]),
            (Fold::L1, [5.5, 6.0]),
            (Fold::L2, [3.640_055, 4.242_640_5]),
            (Fold::LogSum, [0.405_465_1, f32::NAN]),
            (Fold::LogSumExp, [3.085_097_3, 1.696_510_5]),
            (Fold::SumSquare, [13.25, 18.0]),
        ];
        let x = floats(&[2, 3], &[-2.0, 0.5, 3.0, 1.0, 1.0, -4.0]);
        for (f, expected) in cases {
            let result = reduce(f, &[1])
                .evaluate(std::slice::from_ref(&x))
                .expect("a number");
            assert_eq!(result.shape(), [2, 1]);
            for (y, expected) in result.floats().expect("f32").iter().zip(expected) {
                let is_same = y.is_nan() && expected.is_nan();
                assert!(
                    is_same || (y - expected).abs() <= 2e-7 * expected.abs(),
                    "{f:?}: {y} instead of {expected}"
                );
            }
        }
    }

    #[test]
    fn axes_may_be_any_and_none() {
        let x = floats(&[2, 1, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, -6.0]);
        for (f, axes, shape, expected) in [
            (Fold::Sum, &[0][..], &[1, 1, 3][..], &[5.0, 7.0, -3.0][..]),
            (Fold::Sum, &[0, 1, 2], &[1, 1, 1], &[9.0]),
            (Fold::L1, &[], &[2, 1, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            (Fold::Max, &[1, 2], &[2, 1, 1], &[3.0, 5.0]),
        ] {
            let result = reduce(f, axes).evaluate(std::slice::from_ref(&x));
            assert_eq!(result, Ok(floats(shape, expected)), "{f:?} along {axes:?}");
        }
        // What `Reduce` of ONNX says of nothing.
        let nothing = floats(&[2, 0], &[]);
        for (f, expected) in [
            (Fold::Sum, 0.0),
            (Fold::Prod, 1.0),
            (Fold::Max, f32::NEG_INFINITY),
            (Fold::Min, f32::INFINITY),
            (Fold::LogSum, f32::NEG_INFINITY),
            (Fold::LogSumExp, f32::NEG_INFINITY),
        ] {
            let result = reduce(f, &[1]).evaluate(std::slice::from_ref(&nothing));
            assert_eq!(result, Ok(floats(&[2, 1], &[expected; 2])), "{f:?}");
        }
    }

    #[test]
    fn integers_keep_their_lowest_bits() {
        let of = |file_type, data: &[i64]| Tensor::new(file_type, vec![data.len()], Data::Int(data.into()));
        for (f, file_type, x, expected) in [
            (
                Fold::Sum,
                FileType::I32,
                [i32::MAX.into(), 1, 1],
                i64::from(i32::MIN) + 1,
            ),
            (
                Fold::Sum,
                FileType::I64,
                [i32::MAX.into(), 1, 1],
                i64::from(i32::MAX) + 2,
            ),
            (Fold::Prod, FileType::I32, [1 << 20, 1 << 11, 3], -(1 << 31)),
            (Fold::L1, FileType::I64, [-3, 4, 0], 7),
            (Fold::SumSquare, FileType::I64, [-3, 4, 0], 25),
            (Fold::Max, FileType::U8, [3, 200, 0], 200),
        ] {
            let x = of(file_type, &x).expect("a tensor");
            let result = reduce(f, &[0]).evaluate(&[x]).expect("a number");
            assert_eq!(
                result.ints().as_deref(),
                Some(&[expected][..]),
                "{f:?} of {file_type}"
            );
        }
        let truths =
            Tensor::new(FileType::Bool, vec![2], Data::Bool([true, false].into())).expect("a tensor");
        let of_truths = |f| reduce(f, &[0]).evaluate(std::slice::from_ref(&truths));
        assert_eq!(
            of_truths(Fold::Max).expect("a truth").get(0),
            Some(Scalar::Bool(true))
        );
        assert_eq!(
            of_truths(Fold::Min).expect("a truth").get(0),
            Some(Scalar::Bool(false))
        );
        assert!(of_truths(Fold::Sum).is_err());
    }

    #[test]
    fn what_is_no_number_of_its_operand_is_refused() {
        let of = |element: Element| TypeRef {
            element,
            shape: &[2, 3],
        };
        for (f, axes, element) in [
            (Fold::Mean, &[0][..], Element::I32),
            (Fold::Sum, &[0], Element::Bool),
            (Fold::Sum, &[2], Element::F32),
            (Fold::Sum, &[1, 0], Element::F32),
            (Fold::Sum, &[0, 0], Element::F32),
        ] {
            assert!(
                reduce(f, axes).infer(&[of(element)]).is_err(),
                "{f:?} along {axes:?} of {element}"
            );
        }
        assert!(reduce(Fold::Min, &[0, 1]).infer(&[of(Element::Bool)]).is_ok());
        assert!(reduce(Fold::Sum, &[0]).infer(&[]).is_err());
    }
}
