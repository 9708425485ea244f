//! Tensors one behind the other along an axis.

mod cpu;
mod gpu;

use super::{Definition, Family, Type, TypeRef};
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::Tensor;

/// Tensors one behind the other; inputs `[x, ..]`, equal in their elements and in all sizes but that along `axis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat {
    /// Along which axis.
    pub axis: usize,
}

impl Concat {
    fn shape<'a>(self, mut shapes: impl Iterator<Item = &'a [usize]>) -> Result<Shape, String> {
        let first = shapes.next().ok_or("Concat of nothing")?;
        let axis = self.axis;
        let mut shape = first.to_vec();
        if axis >= shape.len() {
            return Err(format!("Concat along axis {axis} of shape {first:?}"));
        }
        for other in shapes {
            let is_alike = other.len() == first.len()
                && (0..first.len()).all(|place| place == axis || other[place] == first[place]);
            let sum = other.get(axis).and_then(|&size| shape[axis].checked_add(size));
            shape[axis] = sum
                .filter(|_| is_alike)
                .ok_or_else(|| format!("Concat of shapes {first:?} and {other:?} along axis {axis}"))?;
        }
        bounded_element_count(&shape)
            .map(|_| shape)
            .ok_or_else(|| "Concat of more elements than this engine keeps in a tensor".to_owned())
    }
}

impl Family for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let shape = self.shape(operands.iter().map(|operand| operand.shape))?;
        let element = operands[0].element;
        match operands.iter().find(|operand| operand.element != element) {
            None => Ok(Type { element, shape }),
            Some(other) => Err(format!("Concat of {element} and {}", other.element)),
        }
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.axis);
    }
}

impl Definition for Concat {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let shape = self.shape(operands.iter().map(Tensor::shape))?;
        let file_type = operands.first().map_or(FileType::F32, Tensor::file_type);
        if let Some(other) = operands.iter().find(|operand| operand.file_type() != file_type) {
            return Err(format!("Concat of {file_type} and {}", other.file_type()));
        }
        let inner = element_count(&shape[self.axis + 1..]);
        let elements = (0..element_count(&shape)).map(|index| {
            let (outer, mut along, rest) = (
                index / (shape[self.axis] * inner),
                index / inner % shape[self.axis],
                index % inner,
            );
            for x in operands {
                let own = x.shape()[self.axis];
                if along < own {
                    let element = x.get((outer * own + along) * inner + rest);
                    return element.ok_or_else(|| "an operand is too short".to_owned());
                }
                along -= own;
            }
            Err("the operands are too short".to_owned())
        });
        Tensor::from_scalars(file_type, shape.clone(), elements)
    }
}

impl Concat {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let axis = file.number(origin)?;
        Ok(Self { axis })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::Element;
    use crate::tensor::{Data, Scalar};

    /// Results of NumPy 2.4 for arrays of [[1, 2], [3, 4]] and [[5, 6]], and of no rows.
    #[test]
    fn tensors_follow_one_another() {
        let ints = |shape: &[usize], data: &[i64]| {
            Tensor::new(FileType::I64, shape.to_vec(), Data::Int(data.into())).expect("a tensor")
        };
        let (square, row) = (ints(&[2, 2], &[1, 2, 3, 4]), ints(&[1, 2], &[5, 6]));
        let nothing = ints(&[0, 2], &[]);
        let result = Concat { axis: 0 }.evaluate(&[square.clone(), nothing, row.clone()]);
        assert_eq!(result, Ok(ints(&[3, 2], &[1, 2, 3, 4, 5, 6])));
        let column = row.reshaped(vec![2, 1]).expect("two elements");
        let result = Concat { axis: 1 }.evaluate(&[column, square.clone()]);
        assert_eq!(result, Ok(ints(&[2, 3], &[5, 1, 2, 6, 3, 4])));
        let truth = Tensor::new(FileType::Bool, vec![1, 2], Data::Splat(Scalar::Bool(true)));
        assert!(
            Concat { axis: 0 }
                .evaluate(&[square, truth.expect("a tensor")])
                .is_err()
        );
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let f32 = |shape: &'static [usize]| of(Element::F32, shape);
        for (axis, operands) in [
            (0, vec![]),
            (0, vec![f32(&[])]),
            (2, vec![f32(&[2, 2])]),
            (0, vec![f32(&[2, 2]), f32(&[2, 3])]),
            (0, vec![f32(&[2, 2]), f32(&[2])]),
            (1, vec![f32(&[2, 2]), of(Element::I32, &[2, 2])]),
            (0, vec![f32(&[1 << 27]), f32(&[1])]),
        ] {
            assert!(Concat { axis }.infer(&operands).is_err(), "{axis}, {operands:?}");
        }
        assert!(Concat { axis: 1 }.infer(&[f32(&[2, 2]), f32(&[2, 3])]).is_ok());
    }
}
