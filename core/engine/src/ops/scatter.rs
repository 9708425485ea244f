//! Rows of a tensor replaced, or combined with others, at listed places.
//!
//! The one kernel of the ONNX operators that scatter: a reader of models computes places out of their indices, so that no
//! kernel has to know how each of them names one.

mod cpu;
mod gpu;

use super::gather::place;
use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::element_count;
use crate::graph_file::{Reader, Writer};
use crate::ops::map::wrapped;
use crate::tensor::{Scalar, Tensor};

/// Rows combined with others; inputs `[x, places, updates]`: x of any kind of shape `[rows, ..]`, places of i32 of shape
/// `[n]`, updates like x of shape `[n, ..]`. A place that is none is the nearest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scatter {
    /// What becomes of a row and an update of it. Where several updates name the same row, one after the other, in their
    /// order; of those that replace it, on a GPU, any.
    pub f: Combine,
}

/// What becomes of an element and an update of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The update; of any kind.
    Replace,
    /// The sum; of f32 or i32.
    Add,
    /// The product; of f32 or i32.
    Mul,
    /// The greater one; of any kind but bool.
    Max,
    /// The lesser one; of any kind but bool.
    Min,
}

impl Combine {
    /// Every way; the places here are the numbers in graph files.
    pub const ALL: [Self; 5] = [Self::Replace, Self::Add, Self::Mul, Self::Max, Self::Min];

    fn takes(self, element: Element) -> bool {
        match self {
            Self::Replace => true,
            Self::Add | Self::Mul => matches!(element, Element::F32 | Element::I32),
            Self::Max | Self::Min => element != Element::Bool,
        }
    }

    fn apply(self, x: Scalar, update: Scalar, of: FileType) -> Option<Scalar> {
        Some(match (x, update) {
            _ if self == Self::Replace => update,
            (Scalar::Float(x), Scalar::Float(update)) => {
                let (x, update) = (f64::from(x), f64::from(update));
                let y = match self {
                    Self::Add => x + update,
                    Self::Mul => x * update,
                    _ if x.is_nan() || update.is_nan() => f64::NAN,
                    Self::Max => x.max(update),
                    Self::Min | Self::Replace => x.min(update),
                };
                Scalar::Float(of.round(y as f32))
            }
            (Scalar::Int(x), Scalar::Int(update)) => Scalar::Int(match self {
                Self::Add => wrapped(i128::from(x) + i128::from(update), of)?,
                Self::Mul => wrapped(i128::from(x) * i128::from(update), of)?,
                Self::Max => x.max(update),
                Self::Min | Self::Replace => x.min(update),
            }),
            _ => return None,
        })
    }
}

impl Scatter {
    fn check(self, x: &[usize], places: &[usize], updates: &[usize]) -> Result<(), String> {
        let refused = || format!("Scatter of {updates:?} at {places:?} into {x:?}");
        match (x, places, updates) {
            ([rows, x @ ..], [n], [m, updates @ ..]) if n == m && x == updates && (*rows > 0 || *n == 0) => {
                Ok(())
            }
            _ => Err(refused()),
        }
    }
}

impl Family for Scatter {
    fn name(&self) -> &'static str {
        "Scatter"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x, places, updates] = operands else {
            return Err(format!("{} operands of Scatter", operands.len()));
        };
        if places.element != Element::I32 || x.element != updates.element || !self.f.takes(x.element) {
            return Err(format!(
                "Scatter ({:?}) of {} into {} at {}",
                self.f, updates.element, x.element, places.element
            ));
        }
        self.check(x.shape, places.shape, updates.shape)?;
        Ok(x.to_owned())
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.f as usize);
    }
}

impl Definition for Scatter {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x, places, updates] = operands else {
            return Err(format!("{} operands of Scatter", operands.len()));
        };
        let of = x.file_type();
        let refused = || format!("Scatter ({:?}) of {} into {of}", self.f, updates.file_type());
        self.check(x.shape(), places.shape(), updates.shape())?;
        let places = places.ints().filter(|_| updates.file_type() == of);
        let places = places.ok_or_else(refused)?;
        let row = element_count(&x.shape()[1..]);
        let elements: Option<Vec<Scalar>> = (0..x.len()).map(|index| x.get(index)).collect();
        let mut elements = elements.ok_or_else(refused)?;
        for (update, &index) in places.iter().enumerate() {
            let start = place(index, x.shape()[0]) * row;
            for (step, element) in elements[start..start + row].iter_mut().enumerate() {
                let update = updates.get(update * row + step).ok_or_else(refused)?;
                *element = self.f.apply(*element, update, of).ok_or_else(refused)?;
            }
        }
        Tensor::from_scalars(of, x.shape().to_vec(), elements.into_iter().map(Ok))
    }
}

impl Scatter {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            f: Combine::ALL[file.below(Combine::ALL.len(), origin)?],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Data;

    /// Results of NumPy 2.4: `numpy.add.at(x, places, updates)` and its like, for
    /// `x = [[1, 2], [3, 4], [5, 6]]`, `places = [2, 0, -1]` and `updates = [[7, 1], [0, 9], [2, 2]]`.
    #[test]
    fn rows_are_those_of_numpy() {
        let ints = |shape: &[usize], data: &[i64]| {
            Tensor::new(FileType::I64, shape.to_vec(), Data::Int(data.into())).expect("a tensor")
        };
        let operands = [
            ints(&[3, 2], &[1, 2, 3, 4, 5, 6]),
            ints(&[3], &[2, 0, -1]),
            ints(&[3, 2], &[7, 1, 0, 9, 2, 2]),
        ];
        for (f, expected) in [
            (Combine::Replace, [0, 9, 3, 4, 2, 2]),
            (Combine::Add, [1, 11, 3, 4, 14, 9]),
            (Combine::Mul, [0, 18, 3, 4, 70, 12]),
            (Combine::Max, [1, 9, 3, 4, 7, 6]),
            (Combine::Min, [0, 2, 3, 4, 2, 1]),
        ] {
            assert_eq!(
                Scatter { f }.evaluate(&operands),
                Ok(ints(&[3, 2], &expected)),
                "{f:?}"
            );
        }
    }

    #[test]
    fn what_has_no_such_rows_is_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let (x, places, updates) = (
            of(Element::F32, &[4, 3]),
            of(Element::I32, &[2]),
            of(Element::F32, &[2, 3]),
        );
        let op = |f: Combine| Scatter { f };
        assert!(op(Combine::Add).infer(&[x, places, updates]).is_ok());
        let truths = of(Element::Bool, &[4]);
        assert!(
            op(Combine::Replace)
                .infer(&[truths, places, of(Element::Bool, &[2])])
                .is_ok()
        );
        assert!(
            op(Combine::Max)
                .infer(&[truths, places, of(Element::Bool, &[2])])
                .is_err()
        );
        for operands in [
            vec![x, places],
            vec![of(Element::I32, &[4, 3]), places, updates],
            vec![x, of(Element::F32, &[2]), updates],
            vec![x, of(Element::I32, &[3]), updates],
            vec![x, places, of(Element::F32, &[2, 4])],
            vec![of(Element::F32, &[0, 3]), places, updates],
            vec![of(Element::F32, &[]), places, of(Element::F32, &[])],
        ] {
            assert!(op(Combine::Add).infer(&operands).is_err(), "{operands:?}");
        }
    }
}
