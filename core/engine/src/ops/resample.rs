//! Weighted sums of elements at listed places along an axis: images in other sizes, an axis at a time.
//!
//! The places and weights are operands, tables that a reader of a model makes once: whichever rule of interpolation they
//! follow, the kernel is the same. Two axes at a time would save a tensor between them, and take the product of both
//! numbers of weights.

mod cpu;
mod gpu;

use super::arg_reduce::Lines;
use super::gather::place;
use super::{Definition, Family, Type, TypeRef};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// Weighted sums along an axis; inputs `[x, places, weights]`: x and the weights of f32, places of i32, and both tables
/// `[results, taps]`. Result r along the axis is the sum over its taps of the weight times the element at the place. A
/// place that is none is the nearest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resample {
    /// Along which axis.
    pub axis: usize,
}

impl Resample {
    fn shape(self, x: &[usize], places: &[usize], weights: &[usize]) -> Result<Shape, String> {
        let refused = || {
            format!(
                "Resample of shape {x:?} by {places:?} and {weights:?} along {}",
                self.axis
            )
        };
        let (&[results, taps], true) = (places, places == weights && self.axis < x.len()) else {
            return Err(refused());
        };
        let mut shape = x.to_vec();
        shape[self.axis] = results;
        // Of nothing there is no nearest place.
        let has_places = x[self.axis] > 0 || results == 0 || taps == 0;
        let len = bounded_element_count(&shape).filter(|_| has_places);
        len.map(|_| shape).ok_or_else(refused)
    }
}

impl Family for Resample {
    fn name(&self) -> &'static str {
        "Resample"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x, places, weights] = operands else {
            return Err(format!("{} operands of Resample", operands.len()));
        };
        let kinds = [x.element, places.element, weights.element];
        if kinds != [Element::F32, Element::I32, Element::F32] {
            return Err(format!("Resample of {}, {} and {}", kinds[0], kinds[1], kinds[2]));
        }
        Ok(Type {
            element: Element::F32,
            shape: self.shape(x.shape, places.shape, weights.shape)?,
        })
    }

    fn macs(&self, operands: &[TypeRef<'_>], result: &Type) -> u64 {
        let taps = operands.get(1).and_then(|places| places.shape.last());
        let sizes = result.shape.iter().chain(taps);
        sizes.fold(1u64, |product, &size| product.saturating_mul(size as u64))
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.axis);
    }
}

impl Definition for Resample {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x, places, weights] = operands else {
            return Err(format!("{} operands of Resample", operands.len()));
        };
        let shape = self.shape(x.shape(), places.shape(), weights.shape())?;
        let (Some(data), Some(places), Some(weights)) = (x.floats(), places.ints(), weights.floats()) else {
            return Err(format!("Resample of {}", x.file_type()));
        };
        let (from, to) = (Lines::new(x.shape(), self.axis), Lines::new(&shape, self.axis));
        let taps = places.len().checked_div(to.size).unwrap_or(0);
        let elements = (0..crate::graph::element_count(&shape)).map(|index| {
            let (result, line) = (
                index / to.inner % to.size,
                index / (to.inner * to.size) * from.inner + index % from.inner,
            );
            let sum = (result * taps..(result + 1) * taps).map(|tap| {
                let at = from.start(line) + place(places[tap], from.size) * from.inner;
                f64::from(weights[tap]) * f64::from(data[at])
            });
            let sum: f64 = sum.sum();
            Ok(Scalar::Float(x.file_type().round(sum as f32)))
        });
        Tensor::from_scalars(x.file_type(), shape.clone(), elements)
    }
}

impl Resample {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            axis: file.number(origin)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::FileType;
    use crate::tensor::Data;

    /// By hand.
    #[test]
    fn sums_are_along_the_axis() {
        let floats = |shape: &[usize], data: &[f32]| {
            Tensor::new(FileType::F32, shape.to_vec(), Data::Float(data.into())).expect("a tensor")
        };
        let places =
            Tensor::new(FileType::I64, vec![2, 2], Data::Int([0, 1, 9, -1].into())).expect("a tensor");
        let weights = floats(&[2, 2], &[0.25, 0.75, 1.0, 2.0]);
        let of = |axis: usize, x: Tensor| Resample { axis }.evaluate(&[x, places.clone(), weights.clone()]);
        let x = || floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(
            of(0, x()),
            Ok(floats(&[2, 3], &[3.25, 4.25, 5.25, 12.0, 15.0, 18.0]))
        );
        assert_eq!(of(1, x()), Ok(floats(&[2, 2], &[1.75, 9.0, 4.75, 18.0])));
        assert!(of(2, x()).is_err() && of(0, floats(&[0, 3], &[])).is_err());
        assert_eq!(of(0, floats(&[3, 0], &[])), Ok(floats(&[2, 0], &[])));
    }

    #[test]
    fn what_has_no_such_sums_is_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let (x, places, weights) = (
            of(Element::F32, &[4, 3]),
            of(Element::I32, &[5, 2]),
            of(Element::F32, &[5, 2]),
        );
        let op = Resample { axis: 1 };
        assert_eq!(op.infer(&[x, places, weights]).expect("sums").shape, [4, 5]);
        for operands in [
            vec![x, places],
            vec![of(Element::I32, &[4, 3]), places, weights],
            vec![x, weights, weights],
            vec![x, places, of(Element::F32, &[5, 3])],
            vec![x, of(Element::I32, &[5]), of(Element::F32, &[5])],
            vec![of(Element::F32, &[4]), places, weights],
        ] {
            assert!(op.infer(&operands).is_err(), "{operands:?}");
        }
    }
}
