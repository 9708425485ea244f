//! Sums and products of everything up to each element along an axis.

mod cpu;
mod gpu;

use super::arg_reduce::Lines;
use super::map::wrapped;
use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// For each element the sum or product of those up to it along an axis; inputs `[x]` of f32 or i32, to the same. Results
/// of integers keep their lowest bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Whether elements are multiplied, or added.
    pub product: bool,
    /// Along which axis.
    pub axis: usize,
    /// Whether the element itself is left out: the first result is that of nothing.
    pub exclusive: bool,
    /// Whether it begins at the last element.
    pub reverse: bool,
}

impl Family for Scan {
    fn name(&self) -> &'static str {
        if self.product { "CumProd" } else { "CumSum" }
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        if self.axis >= x.shape.len() || !matches!(x.element, Element::F32 | Element::I32) {
            return Err(format!(
                "{} of {} of shape {:?} along axis {}",
                self.name(),
                x.element,
                x.shape,
                self.axis
            ));
        }
        Ok(x.to_owned())
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(usize::from(self.product));
        file.number(self.axis);
        file.number(usize::from(self.exclusive));
        file.number(usize::from(self.reverse));
    }
}

impl Definition for Scan {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let of = x.file_type();
        let refused = || {
            format!(
                "{} of {of} of shape {:?} along axis {}",
                self.name(),
                x.shape(),
                self.axis
            )
        };
        if self.axis >= x.shape().len() {
            return Err(refused());
        }
        let lines = Lines::new(x.shape(), self.axis);
        let mut elements = vec![self.none(of); x.len()];
        for line in 0..lines.count() {
            let mut so_far = self.none(of);
            for step in 0..lines.size {
                let place = if self.reverse { lines.size - 1 - step } else { step };
                let index = lines.start(line) + place * lines.inner;
                let before = so_far;
                so_far = x
                    .get(index)
                    .and_then(|x| self.combine(so_far, x, of))
                    .ok_or_else(refused)?;
                elements[index] = if self.exclusive { before } else { so_far };
            }
        }
        let rounded = elements.into_iter().map(|element| match element {
            Running::Real(real) => Ok(Scalar::Float(of.round(real as f32))),
            Running::Integer(integer) => Ok(Scalar::Int(integer)),
        });
        Tensor::from_scalars(of, x.shape().to_vec(), rounded)
    }
}

/// A sum or product so far.
#[derive(Clone, Copy)]
enum Running {
    Real(f64),
    Integer(i64),
}

impl Scan {
    /// The sum or product of nothing.
    fn none(&self, of: FileType) -> Running {
        let none = u8::from(self.product);
        match of.element() {
            Some(Element::F32) => Running::Real(none.into()),
            _ => Running::Integer(none.into()),
        }
    }

    fn combine(&self, so_far: Running, x: Scalar, of: FileType) -> Option<Running> {
        Some(match (so_far, x) {
            (Running::Real(so_far), Scalar::Float(x)) if self.product => Running::Real(so_far * f64::from(x)),
            (Running::Real(so_far), Scalar::Float(x)) => Running::Real(so_far + f64::from(x)),
            (Running::Integer(so_far), Scalar::Int(x)) => {
                let (so_far, x) = (i128::from(so_far), i128::from(x));
                Running::Integer(wrapped(if self.product { so_far * x } else { so_far + x }, of)?)
            }
            _ => return None,
        })
    }
}

impl Scan {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            product: file.flag(origin)?,
            axis: file.number(origin)?,
            exclusive: file.flag(origin)?,
            reverse: file.flag(origin)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Data;

    /// Results of `numpy.cumsum` and `numpy.cumprod` of NumPy 2.4 for [2, 3, 4], turned around and shifted by hand.
    #[test]
    fn scans_are_those_of_numpy() {
        let x = Tensor::new(FileType::I64, vec![3], Data::Int([2, 3, 4].into())).expect("a tensor");
        for (product, exclusive, reverse, expected) in [
            (false, false, false, [2, 5, 9]),
            (false, true, false, [0, 2, 5]),
            (false, false, true, [9, 7, 4]),
            (false, true, true, [7, 4, 0]),
            (true, false, false, [2, 6, 24]),
            (true, true, false, [1, 2, 6]),
            (true, false, true, [24, 12, 4]),
            (true, true, true, [12, 4, 1]),
        ] {
            let scan = Scan {
                product,
                axis: 0,
                exclusive,
                reverse,
            };
            let result = scan.evaluate(std::slice::from_ref(&x)).expect("a scan");
            assert_eq!(result.ints().as_deref(), Some(&expected[..]), "{scan:?}");
        }
    }

    #[test]
    fn columns_are_scanned_as_rows_are() {
        let data = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let x = Tensor::new(FileType::F32, vec![3, 2], Data::Float(data.into())).expect("a tensor");
        for (axis, expected) in [
            (0, [1.0, 2.0, 4.0, 6.0, 9.0, 12.0]),
            (1, [1.0, 3.0, 3.0, 7.0, 5.0, 11.0]),
        ] {
            let scan = Scan {
                product: false,
                axis,
                exclusive: false,
                reverse: false,
            };
            let result = scan.evaluate(std::slice::from_ref(&x)).expect("a scan");
            assert_eq!(result.floats().as_deref(), Some(&expected[..]), "{axis}");
        }
    }

    #[test]
    fn what_cannot_be_added_up_is_refused() {
        let scan = Scan {
            product: false,
            axis: 1,
            exclusive: false,
            reverse: false,
        };
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        assert!(scan.infer(&[of(Element::F32, &[2])]).is_err() && scan.infer(&[]).is_err());
        assert!(scan.infer(&[of(Element::Bool, &[2, 2])]).is_err());
        assert!(scan.infer(&[of(Element::I32, &[2, 0])]).is_ok());
    }
}
