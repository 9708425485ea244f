//! Elements brought to a common measure along some axes: what softmax does, and what layers of normalisation begin with.
//!
//! Definitions follow the ONNX operators of the same names, up to opset 23 (onnx.ai/onnx/operators).

mod cpu;
mod gpu;

use super::reduce::{Fold, are_axes, lines};
use super::{Definition, Family, Type, TypeRef};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// Each element by the measure of all that share its place outside of some axes; inputs `[x]` of f32, to the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Norm {
    /// By which measure.
    pub f: Measure,
    /// Along which axes, ascending.
    pub axes: Vec<usize>,
}

/// What becomes of an element x among all elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// e^x, divided by the sum of all of them.
    Softmax,
    /// The natural logarithm of that.
    LogSoftmax,
    /// x less the mean, divided by the square root of the variance and this. The variance is that of the elements
    /// themselves: their number is what it is divided by.
    Standard(f32),
    /// x divided by the square root of the mean square and this.
    RootMeanSquare(f32),
    /// x divided by the sum of all |x|; 0 where that is 0.
    L1,
    /// x divided by the square root of the sum of all x^2; 0 where that is 0.
    L2,
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Softmax => "Softmax",
            Self::LogSoftmax => "LogSoftmax",
            Self::Standard(_) => "Standardize",
            Self::RootMeanSquare(_) => "RootMeanSquareNorm",
            Self::L1 => "L1Norm",
            Self::L2 => "L2Norm",
        }
    }

    /// Of all elements at once.
    fn apply(self, x: &[f64]) -> Vec<f64> {
        let each = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(x)).collect();
        let by = |size: f64| each(&|x| if size == 0.0 { 0.0 } else { x / size });
        let greatest = Fold::Max.real(x);
        let sum = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(x)).sum::<f64>();
        match self {
            Self::Softmax => {
                let all = sum(&|x| (x - greatest).exp());
                each(&|x| (x - greatest).exp() / all)
            }
            Self::LogSoftmax => {
                let all = sum(&|x| (x - greatest).exp()).ln();
                each(&|x| x - greatest - all)
            }
            Self::Standard(epsilon) => {
                let mean = Fold::Mean.real(x);
                let variance = sum(&|x| (x - mean) * (x - mean)) / x.len() as f64;
                let deviation = (variance + f64::from(epsilon)).sqrt();
                each(&|x| (x - mean) / deviation)
            }
            Self::RootMeanSquare(epsilon) => {
                let mean = sum(&|x| x * x) / x.len() as f64;
                let root = (mean + f64::from(epsilon)).sqrt();
                each(&|x| x / root)
            }
            Self::L1 => by(Fold::L1.real(x)),
            Self::L2 => by(Fold::L2.real(x)),
        }
    }
}

impl Family for Norm {
    fn name(&self) -> &'static str {
        self.f.name()
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        if x.element != Element::F32 {
            return Err(format!("{} of {}", self.name(), x.element));
        }
        let is_number = match self.f {
            Measure::Standard(epsilon) | Measure::RootMeanSquare(epsilon) => epsilon.is_finite(),
            _ => true,
        };
        if !is_number || !are_axes(x.shape, &self.axes) {
            return Err(format!(
                "{:?} of shape {:?} along {:?}",
                self.f, x.shape, self.axes
            ));
        }
        Ok(x.to_owned())
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        let (number, epsilon) = match self.f {
            Measure::Softmax => (0, None),
            Measure::LogSoftmax => (1, None),
            Measure::L1 => (2, None),
            Measure::L2 => (3, None),
            Measure::Standard(epsilon) => (4, Some(epsilon)),
            Measure::RootMeanSquare(epsilon) => (5, Some(epsilon)),
        };
        file.number(number);
        if let Some(epsilon) = epsilon {
            file.float(epsilon);
        }
        file.numbers(&self.axes);
    }
}

impl Definition for Norm {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let (of, floats) = (x.file_type(), x.floats());
        let floats = floats.filter(|_| are_axes(x.shape(), &self.axes));
        let floats = floats.ok_or_else(|| format!("{} of {of} of shape {:?}", self.name(), x.shape()))?;
        let mut results = vec![Scalar::Float(0.0); x.len()];
        for places in lines(x.shape(), &self.axes) {
            let line: Vec<f64> = places.iter().map(|&place| floats[place].into()).collect();
            for (&place, y) in places.iter().zip(self.f.apply(&line)) {
                results[place] = Scalar::Float(of.round(y as f32));
            }
        }
        Tensor::from_scalars(of, x.shape().to_vec(), results.into_iter().map(Ok))
    }
}

impl Norm {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let f = match file.below(6, origin)? {
            0 => Measure::Softmax,
            1 => Measure::LogSoftmax,
            2 => Measure::L1,
            3 => Measure::L2,
            4 => Measure::Standard(file.float(origin)?),
            _ => Measure::RootMeanSquare(file.float(origin)?),
        };
        let axes = file.numbers(origin)?;
        Ok(Self { f, axes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::FileType;
    use crate::tensor::Data;

    fn floats(shape: &[usize], data: &[f32]) -> Tensor {
        Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.into())).expect("a tensor")
    }

    /// Results of NumPy 2.4 in f64 by the formulas of the operators, for [1, -2, 2, 2].
    #[test]
    fn measures_are_those_of_their_formulas() {
        let cases: [(Measure, [f32; 4]); 6] = [
            (
                Measure::Softmax,
                [0.154_169_89, 0.007_675_67, 0.419_077_22, 0.419_077_22],
            ),
            (
                Measure::LogSoftmax,
                [-1.869_700_1, -4.869_7, -0.869_700_1, -0.869_700_1],
            ),
            (
                Measure::Standard(0.25),
                [0.145_865, -1.604_515, 0.729_324_96, 0.729_324_96],
            ),
            (Measure::RootMeanSquare(0.75), [0.5, -1.0, 1.0, 1.0]),
            (Measure::L1, [1.0 / 7.0, -2.0 / 7.0, 2.0 / 7.0, 2.0 / 7.0]),
            (Measure::L2, [0.277_350_1, -0.554_700_2, 0.554_700_2, 0.554_700_2]),
        ];
        let x = floats(&[4, 1], &[1.0, -2.0, 2.0, 2.0]);
        for (f, expected) in cases {
            let norm = Norm { f, axes: vec![0] };
            let result = norm.evaluate(std::slice::from_ref(&x)).expect("a measure");
            for (y, expected) in result.floats().expect("f32").iter().zip(expected) {
                assert!(
                    (y - expected).abs() <= 1e-6 * expected.abs(),
                    "{f:?}: {y} instead of {expected}"
                );
            }
        }
        let nothing = floats(&[3], &[0.0; 3]);
        for f in [Measure::L1, Measure::L2] {
            let norm = Norm { f, axes: vec![0] };
            assert_eq!(norm.evaluate(std::slice::from_ref(&nothing)), Ok(nothing.clone()));
        }
    }

    #[test]
    fn what_has_no_measure_is_refused() {
        let of = |element: Element| TypeRef {
            element,
            shape: &[2, 3],
        };
        let norm = |f: Measure, axes: &[usize]| Norm {
            f,
            axes: axes.to_vec(),
        };
        assert!(norm(Measure::Softmax, &[0, 1]).infer(&[of(Element::F32)]).is_ok());
        assert!(
            norm(Measure::Softmax, &[1, 0])
                .infer(&[of(Element::F32)])
                .is_err()
        );
        assert!(norm(Measure::Softmax, &[2]).infer(&[of(Element::F32)]).is_err());
        assert!(norm(Measure::Softmax, &[0]).infer(&[of(Element::I32)]).is_err());
        assert!(
            norm(Measure::Standard(f32::NAN), &[0])
                .infer(&[of(Element::F32)])
                .is_err()
        );
        assert!(norm(Measure::L1, &[0]).infer(&[]).is_err());
    }
}
