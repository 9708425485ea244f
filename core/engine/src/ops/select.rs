//! One of two elements, by a third, of operands that stretch to a common shape as NumPy broadcasts them.
//!
//! The ONNX operator `Where` (onnx.ai/onnx/operators).

mod cpu;
mod gpu;

use super::strides::{broadcast, source};
use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::graph::{Shape, element_count};
use crate::graph_file::Writer;
use crate::tensor::{Data, Scalar, Tensor};

/// a where the condition holds, else b; inputs `[condition, a, b]`, of which the first is of bool and the others of one
/// kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Select;

/// The shape to which all stretch.
fn common(condition: &[usize], a: &[usize], b: &[usize]) -> Result<Shape, String> {
    broadcast(&broadcast(condition, a)?, b)
}

impl Family for Select {
    fn name(&self) -> &'static str {
        "Select"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[condition, a, b] = operands else {
            return Err(format!("{} operands of Select", operands.len()));
        };
        if condition.element != Element::Bool || a.element != b.element {
            let (condition, a, b) = (condition.element, a.element, b.element);
            return Err(format!("Select of {a} and {b} by {condition}"));
        }
        Ok(Type {
            element: a.element,
            shape: common(condition.shape, a.shape, b.shape)?,
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, _file: &mut Writer) {}
}

impl Definition for Select {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [condition, a, b] = operands else {
            return Err(format!("{} operands of Select", operands.len()));
        };
        let of = a.file_type();
        let refused = || {
            format!(
                "Select of {of} and {} by {}",
                b.file_type(),
                condition.file_type()
            )
        };
        if condition.file_type() != FileType::Bool || b.file_type() != of {
            return Err(refused());
        }
        let shape = common(condition.shape(), a.shape(), b.shape())?;
        let pick = |condition: Option<Scalar>, a: Option<Scalar>, b: Option<Scalar>| match condition {
            Some(Scalar::Bool(true)) => a.ok_or_else(refused),
            Some(Scalar::Bool(false)) => b.ok_or_else(refused),
            Some(Scalar::Float(_) | Scalar::Int(_)) | None => Err(refused()),
        };
        if let (&Data::Splat(condition), &Data::Splat(a), &Data::Splat(b)) =
            (condition.data(), a.data(), b.data())
        {
            return Tensor::new(of, shape, Data::Splat(pick(Some(condition), Some(a), Some(b))?));
        }
        let at = |tensor: &Tensor, index: usize| tensor.get(source(index, &shape, tensor.shape()));
        let results =
            (0..element_count(&shape)).map(|index| pick(at(condition, index), at(a, index), at(b, index)));
        Tensor::from_scalars(of, shape.clone(), results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(file_type: FileType, shape: &[usize], data: Data) -> Tensor {
        Tensor::new(file_type, shape.to_vec(), data).expect("a tensor")
    }

    /// The second example of NumPy's `where`, and a condition that stretches.
    #[test]
    fn elements_are_picked_as_numpys_where_does() {
        let x = tensor(FileType::I64, &[3, 1], Data::Int([0, 1, 2].into()));
        let y = tensor(FileType::I64, &[1, 4], Data::Int([10, 11, 12, 13].into()));
        let less = [
            true, true, true, true, false, true, true, true, false, false, true, true,
        ];
        let condition = tensor(FileType::Bool, &[3, 4], Data::Bool(less.into()));
        let picked = Select
            .evaluate(&[condition, x.clone(), y.clone()])
            .expect("one kind");
        assert_eq!(picked.shape(), [3, 4]);
        assert_eq!(
            picked.ints().as_deref(),
            Some(&[0, 0, 0, 0, 10, 1, 1, 1, 10, 11, 2, 2][..])
        );
        let planes = tensor(FileType::Bool, &[2, 1, 1], Data::Bool([false, true].into()));
        let picked = Select.evaluate(&[planes, x, y]).expect("one kind");
        assert_eq!(picked.shape(), [2, 3, 4]);
        let picked = picked.ints().expect("integers");
        assert_eq!((picked[0], picked[3], picked[12], picked[23]), (10, 13, 0, 2));
    }

    #[test]
    fn operands_of_several_kinds_are_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let truth = of(Element::Bool, &[2]);
        let cases = [
            ([of(Element::F32, &[2]); 3], "Select of f32 and f32 by f32"),
            (
                [truth, of(Element::F32, &[2]), of(Element::I32, &[2])],
                "Select of f32 and i32 by bool",
            ),
            (
                [truth, of(Element::F32, &[3]), of(Element::F32, &[1])],
                "no common one",
            ),
        ];
        for (operands, part) in cases {
            let message = Select.infer(&operands).expect_err(part);
            assert!(message.contains(part), "{message}");
        }
        let truth = tensor(FileType::Bool, &[], Data::Bool([true].into()));
        let one = tensor(FileType::F32, &[], Data::Float([1.0].into()));
        let half = tensor(FileType::F16, &[], Data::Float([1.0].into()));
        assert!(Select.infer(&[]).is_err() && Select.evaluate(&[]).is_err());
        assert!(Select.evaluate(&[truth, one.clone(), half]).is_err());
        assert!(Select.evaluate(&[one.clone(), one.clone(), one]).is_err());
    }
}
