//! Each element by those near it along an axis.
//!
//! Definition: the ONNX operator `LRN`, operator set 13 (onnx.ai/onnx/operators), after Krizhevsky et al., *ImageNet
//! classification with deep convolutional neural networks* (2012), section 3.3.

mod cpu;
mod gpu;

use super::arg_reduce::Lines;
use super::{Definition, Family, Type, TypeRef};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// x / (`bias` + `alpha` / `size` * sum of the squares of `size` neighbours along the axis) ^ `beta`; inputs `[x]` of f32.
/// x stands in the middle of its neighbours, of an even number before the middle; beyond the ends there are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalNorm {
    /// Along which axis.
    pub axis: usize,
    /// How many neighbours there are, x among them.
    pub size: usize,
    /// Scale of their mean.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// What is added before the power is taken; above 0.
    pub bias: f32,
}

impl LocalNorm {
    /// How far neighbours reach before and behind an element.
    fn reach(self) -> [usize; 2] {
        [(self.size - 1) / 2, self.size / 2]
    }

    /// What the sum of squares is scaled by.
    fn scale(self) -> f32 {
        self.alpha / self.size as f32
    }

    fn check(self, shape: &[usize]) -> Result<(), String> {
        let numbers = [self.alpha, self.beta, self.bias];
        let are_numbers = numbers.iter().all(|number| number.is_finite());
        if self.axis >= shape.len() || self.size == 0 || !are_numbers || self.bias <= 0.0 || self.alpha < 0.0
        {
            return Err(format!("{self:?} of shape {shape:?}"));
        }
        Ok(())
    }
}

impl Family for LocalNorm {
    fn name(&self) -> &'static str {
        "LocalNorm"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of LocalNorm", operands.len()));
        };
        if x.element != Element::F32 {
            return Err(format!("LocalNorm of {}", x.element));
        }
        self.check(x.shape)?;
        Ok(x.to_owned())
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.axis);
        file.number(self.size);
        file.float(self.alpha);
        file.float(self.beta);
        file.float(self.bias);
    }
}

impl Definition for LocalNorm {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of LocalNorm", operands.len()));
        };
        let of = x.file_type();
        self.check(x.shape())?;
        let floats = x.floats().ok_or_else(|| format!("LocalNorm of {of}"))?;
        let lines = Lines::new(x.shape(), self.axis);
        let [before, behind] = self.reach();
        let elements = (0..x.len()).map(|index| {
            let place = index / lines.inner % lines.size;
            let near = place.saturating_sub(before)..=place.saturating_add(behind).min(lines.size - 1);
            let squares = near.map(|other| {
                let x = f64::from(floats[index + other * lines.inner - place * lines.inner]);
                x * x
            });
            let mean = squares.sum::<f64>() / self.size as f64;
            let base = f64::from(self.bias) + f64::from(self.alpha) * mean;
            let y = f64::from(floats[index]) / base.powf(self.beta.into());
            Ok(Scalar::Float(of.round(y as f32)))
        });
        Tensor::from_scalars(of, x.shape().to_vec(), elements)
    }
}

impl LocalNorm {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            axis: file.number(origin)?,
            size: file.number(origin)?,
            alpha: file.float(origin)?,
            beta: file.float(origin)?,
            bias: file.float(origin)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::FileType;
    use crate::tensor::Data;

    /// Results of NumPy 2.4 by the formula of the operator, in f64, for five channels of one pixel; those of odd sizes are
    /// onnxruntime 1.31.1's too, which takes no other.
    #[test]
    fn elements_are_those_of_onnx() {
        let x = [1.0, -2.0, 3.0, 0.5, 4.0];
        let cases: [(usize, [f32; 3], [f32; 5]); 3] = [
            (
                3,
                [0.5, 0.75, 2.0],
                [0.457_906_4, -0.665_906_8, 1.021_030_4, 0.127_127_3, 1.251_438_7],
            ),
            (
                4,
                [1.0, 0.5, 1.0],
                [0.471_404_5, -0.936_329_2, 1.040_532, 0.184_900_1, 1.777_777_8],
            ),
            (
                9,
                [1.0, 1.3, 1.0],
                [0.147_408_9, -0.294_817_8, 0.442_226_7, 0.073_704_4, 0.589_635_6],
            ),
        ];
        for (size, [alpha, beta, bias], expected) in cases {
            for shape in [[5, 1], [1, 5]] {
                let norm = LocalNorm {
                    axis: usize::from(shape[0] == 1),
                    size,
                    alpha,
                    beta,
                    bias,
                };
                let x = Tensor::new(FileType::F32, shape.to_vec(), Data::Float(x.into())).expect("a tensor");
                let result = norm.evaluate(&[x]).expect("a measure");
                for (y, expected) in result.floats().expect("f32").iter().zip(expected) {
                    assert!(
                        (y - expected).abs() <= 1e-6,
                        "{norm:?}: {y} instead of {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_has_no_measure_is_refused() {
        let of = |element: Element| TypeRef {
            element,
            shape: &[2, 3],
        };
        let good = LocalNorm {
            axis: 1,
            size: 5,
            alpha: 1e-4,
            beta: 0.75,
            bias: 1.0,
        };
        assert!(good.infer(&[of(Element::F32)]).is_ok());
        assert!(good.infer(&[of(Element::I32)]).is_err() && good.infer(&[]).is_err());
        for wrong in [
            LocalNorm { axis: 2, ..good },
            LocalNorm { size: 0, ..good },
            LocalNorm { alpha: -1.0, ..good },
            LocalNorm {
                beta: f32::NAN,
                ..good
            },
            LocalNorm { bias: 0.0, ..good },
        ] {
            assert!(wrong.infer(&[of(Element::F32)]).is_err(), "{wrong:?}");
        }
    }
}
