//! Where the first few elements of each line stand, in their order.
//!
//! Definition: the ONNX operator `TopK`, operator set 11 (onnx.ai/onnx/operators); the elements themselves are gathered.

mod cpu;
mod gpu;

use std::cmp::Ordering;

use super::arg_reduce::Lines;
use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::Shape;
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// The places of the greatest or least elements along an axis, the most extreme first and of equal ones the first; inputs
/// `[x]` of any kind but bool, to i32. What is not a number is greater than every number, as NumPy sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Whether the greatest come first, or the least.
    pub greatest: bool,
    /// Along which axis.
    pub axis: usize,
    /// How many there are to be.
    pub count: usize,
}

/// Words that have an order.
trait Ordered: Copy {
    fn order(self, other: Self) -> Ordering;
}

impl Ordered for f32 {
    fn order(self, other: Self) -> Ordering {
        let by_number = self.partial_cmp(&other);
        by_number.unwrap_or_else(|| self.is_nan().cmp(&other.is_nan()))
    }
}

impl Ordered for i64 {
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
}

impl Ordered for i32 {
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
}

impl Ordered for u32 {
    fn order(self, other: Self) -> Ordering {
        self.cmp(&other)
    }
}

impl Sort {
    /// Which of two elements comes first.
    fn order<T: Ordered>(self, a: (T, usize), b: (T, usize)) -> Ordering {
        let by_value = a.0.order(b.0);
        let by_value = if self.greatest {
            by_value.reverse()
        } else {
            by_value
        };
        by_value.then(a.1.cmp(&b.1))
    }

    fn shape(self, x: &[usize]) -> Result<Shape, String> {
        if x.get(self.axis).is_none_or(|&size| size < self.count) {
            return Err(format!("{} of shape {x:?} along {}", self.count, self.axis));
        }
        let mut shape = x.to_vec();
        shape[self.axis] = self.count;
        Ok(shape)
    }
}

impl Family for Sort {
    fn name(&self) -> &'static str {
        "TopK"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of TopK", operands.len()));
        };
        if x.element == Element::Bool {
            return Err("TopK of bool".to_owned());
        }
        Ok(Type {
            element: Element::I32,
            shape: self.shape(x.shape)?,
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(usize::from(self.greatest));
        file.number(self.axis);
        file.number(self.count);
    }
}

impl Definition for Sort {
    /// The result is of [`FileType::I64`], as in files.
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of TopK", operands.len()));
        };
        let shape = self.shape(x.shape())?;
        let (from, to) = (Lines::new(x.shape(), self.axis), Lines::new(&shape, self.axis));
        let mut results = vec![Scalar::Int(0); crate::graph::element_count(&shape)];
        for line in 0..to.count() {
            let at = |place: usize| from.start(line) + place * from.inner;
            let mut places: Vec<usize> = (0..from.size).collect();
            if let Some(floats) = x.floats() {
                places.sort_by(|&a, &b| self.order((floats[at(a)], a), (floats[at(b)], b)));
            } else if let Some(ints) = x.ints() {
                places.sort_by(|&a, &b| self.order((ints[at(a)], a), (ints[at(b)], b)));
            } else {
                return Err(format!("TopK of {}", x.file_type()));
            }
            for (step, &place) in places[..self.count].iter().enumerate() {
                results[to.start(line) + step * to.inner] = Scalar::Int(place as i64);
            }
        }
        Tensor::from_scalars(FileType::I64, shape, results.into_iter().map(Ok))
    }
}

impl Sort {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            greatest: file.flag(origin)?,
            axis: file.number(origin)?,
            count: file.number(origin)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Data;

    /// Results of NumPy 2.4: `numpy.argsort(x, axis, kind="stable")`, of `-x` for the greatest.
    #[test]
    fn places_are_those_of_numpy() {
        let of = |greatest: bool, axis: usize, count: usize, x: &Tensor| {
            let op = Sort {
                greatest,
                axis,
                count,
            };
            let result = op.evaluate(std::slice::from_ref(x)).expect("places");
            result.ints().expect("integers").into_owned()
        };
        let rows = [2.0, 5.0, 5.0, 1.0, 1.0, 7.0];
        let x = Tensor::new(FileType::F32, vec![2, 3], Data::Float(rows.into())).expect("a tensor");
        assert_eq!(of(true, 1, 2, &x), [1, 2, 2, 0]);
        assert_eq!(of(false, 1, 3, &x), [0, 1, 2, 0, 1, 2]);
        assert_eq!(of(true, 0, 1, &x), [0, 0, 1]);
        assert_eq!(of(false, 0, 2, &x), [1, 1, 0, 0, 0, 1]);
        let odd = [1.0, f32::NAN, 3.0, f32::NAN];
        let x = Tensor::new(FileType::F32, vec![4], Data::Float(odd.into())).expect("a tensor");
        assert_eq!([of(true, 0, 3, &x), of(false, 0, 3, &x)], [[1, 3, 2], [0, 2, 1]]);
        let x =
            Tensor::new(FileType::I64, vec![3], Data::Int([i64::MIN, 5, i64::MAX].into())).expect("a tensor");
        assert_eq!([of(true, 0, 2, &x), of(false, 0, 2, &x)], [[2, 1], [0, 1]]);
    }

    #[test]
    fn more_than_there_are_is_refused() {
        let of = |element: Element| TypeRef {
            element,
            shape: &[2, 3],
        };
        let op = |axis: usize, count: usize| Sort {
            greatest: true,
            axis,
            count,
        };
        assert!(op(1, 3).infer(&[of(Element::U32)]).is_ok() && op(0, 0).infer(&[of(Element::F32)]).is_ok());
        assert!(op(1, 4).infer(&[of(Element::F32)]).is_err() && op(2, 1).infer(&[of(Element::F32)]).is_err());
        assert!(op(1, 1).infer(&[of(Element::Bool)]).is_err() && op(1, 1).infer(&[]).is_err());
    }
}
