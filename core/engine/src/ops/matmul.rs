//! Products of matrices.

mod cpu;
mod gpu;

use super::strides::{Loops, broadcast};
use super::{Definition, Family, Type, TypeRef};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// Products of matrices; inputs `[a, b]` of f32, of shapes `[.., m, k]` and `[.., k, n]`, to `[.., m, n]`. The axes before
/// stretch over each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatMul {
    /// Of each operand, whether its last two axes lie the other way.
    pub transposed: [bool; 2],
}

/// The sizes of a product.
#[derive(Clone, Debug)]
struct Sizes {
    /// Over the axes before the matrices: which matrix of each operand belongs to which of the result.
    batches: Loops<2>,
    n_batches: usize,
    m: usize,
    n: usize,
    k: usize,
}

/// A shape in front of its last two axes, and these.
fn split(shape: &[usize]) -> Option<(&[usize], [usize; 2])> {
    let (front, &[rows, columns]) = shape.split_last_chunk::<2>()?;
    Some((front, [rows, columns]))
}

impl MatMul {
    /// The shape of the result, and the sizes.
    fn sizes(self, a: &[usize], b: &[usize]) -> Result<(Shape, Sizes), String> {
        let refused = || {
            format!(
                "MatMul of shapes {a:?} and {b:?}, transposed {:?}",
                self.transposed
            )
        };
        let (front_a, mut of_a) = split(a).ok_or_else(refused)?;
        let (front_b, mut of_b) = split(b).ok_or_else(refused)?;
        for (sizes, is_transposed) in [&mut of_a, &mut of_b].into_iter().zip(self.transposed) {
            if is_transposed {
                sizes.reverse();
            }
        }
        let ([m, k], [other_k, n]) = (of_a, of_b);
        if k != other_k {
            return Err(refused());
        }
        let front = broadcast(front_a, front_b)?;
        let batches = Loops::new(&front, [front_a, front_b]);
        let n_batches = element_count(&front);
        let mut shape = front;
        shape.extend([m, n]);
        bounded_element_count(&shape).ok_or_else(refused)?;
        let sizes = Sizes {
            batches,
            n_batches,
            m,
            n,
            k,
        };
        Ok((shape, sizes))
    }

    /// How far neighbours along m and k of the first operand, and along k and n of the second, are apart.
    fn strides(self, sizes: &Sizes) -> [[usize; 2]; 2] {
        let Sizes { m, n, k, .. } = *sizes;
        let [a, b] = self.transposed;
        [if a { [1, m] } else { [k, 1] }, if b { [1, k] } else { [n, 1] }]
    }
}

impl Family for MatMul {
    fn name(&self) -> &'static str {
        "MatMul"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[a, b] = operands else {
            return Err(format!("{} operands of MatMul", operands.len()));
        };
        if (a.element, b.element) != (Element::F32, Element::F32) {
            return Err(format!("MatMul of {} and {}", a.element, b.element));
        }
        let (shape, _) = self.sizes(a.shape, b.shape)?;
        Ok(Type {
            element: Element::F32,
            shape,
        })
    }

    fn macs(&self, operands: &[TypeRef<'_>], result: &Type) -> u64 {
        let &[a, b] = operands else { return 0 };
        let k = self.sizes(a.shape, b.shape).map_or(0, |(_, sizes)| sizes.k);
        element_count(&result.shape) as u64 * k as u64
    }

    fn write(&self, file: &mut Writer) {
        let [a, b] = self.transposed;
        file.number(usize::from(a));
        file.number(usize::from(b));
    }
}

impl Definition for MatMul {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [a, b] = operands else {
            return Err(format!("{} operands of MatMul", operands.len()));
        };
        let of = a.file_type();
        let (shape, sizes) = self.sizes(a.shape(), b.shape())?;
        let floats = a.floats().zip(b.floats()).filter(|_| of == b.file_type());
        let (a, b) = floats.ok_or_else(|| format!("MatMul of {of} and {}", b.file_type()))?;
        let [[m_a, k_a], [k_b, n_b]] = self.strides(&sizes);
        let Sizes { m, n, k, .. } = sizes;
        let elements = (0..element_count(&shape)).map(|index| {
            let (batch, row, column) = (index / (m * n), index / n % m, index % n);
            let [in_a, in_b] = sizes.batches.at(batch);
            let (row, column) = (in_a * m * k + row * m_a, in_b * k * n + column * n_b);
            let products =
                (0..k).map(|step| f64::from(a[row + step * k_a]) * f64::from(b[column + step * k_b]));
            Ok(Scalar::Float(of.round(products.sum::<f64>() as f32)))
        });
        Tensor::from_scalars(of, shape.clone(), elements)
    }
}

impl MatMul {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            transposed: [file.flag(origin)?, file.flag(origin)?],
        })
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

    /// Results of NumPy 2.4 for [[1, 2, 3], [4, 5, 6]] and [[1, -1], [0, 2], [3, 1]].
    #[test]
    fn products_are_those_of_numpy() {
        let a = floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let b = floats(&[3, 2], &[1.0, -1.0, 0.0, 2.0, 3.0, 1.0]);
        let product = floats(&[2, 2], &[10.0, 6.0, 22.0, 12.0]);
        let [a_t, b_t] = [&a, &b].map(|x| x.permuted(&[1, 0]).expect("two axes"));
        for (transposed, a, b) in [
            ([false, false], &a, &b),
            ([true, false], &a_t, &b),
            ([false, true], &a, &b_t),
            ([true, true], &a_t, &b_t),
        ] {
            let result = MatMul { transposed }.evaluate(&[a.clone(), b.clone()]);
            assert_eq!(result, Ok(product.clone()), "{transposed:?}");
        }
        // numpy.array([[[[1, 2]]], [[[3, 4]]]]) @ numpy.array([[[1], [1]], [[1], [-1]]])
        let rows = floats(&[2, 1, 1, 2], &[1.0, 2.0, 3.0, 4.0]);
        let columns = floats(&[2, 2, 1], &[1.0, 1.0, 1.0, -1.0]);
        let op = MatMul {
            transposed: [false; 2],
        };
        let expected = floats(&[2, 2, 1, 1], &[3.0, -1.0, 7.0, -1.0]);
        assert_eq!(op.evaluate(&[rows, columns]), Ok(expected));
        let nothing = [floats(&[2, 0], &[]), floats(&[0, 1], &[])];
        assert_eq!(op.evaluate(&nothing), Ok(floats(&[2, 1], &[0.0, 0.0])));
    }

    #[test]
    fn what_has_no_product_is_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let f32 = |shape: &'static [usize]| of(Element::F32, shape);
        let op = MatMul {
            transposed: [false, true],
        };
        assert!(op.infer(&[f32(&[2, 3]), f32(&[4, 3])]).is_ok());
        for operands in [
            vec![f32(&[2, 3])],
            vec![f32(&[3]), f32(&[4, 3])],
            vec![f32(&[2, 3]), f32(&[3, 4])],
            vec![f32(&[2, 2, 3]), f32(&[3, 4, 3])],
            vec![f32(&[2, 3]), of(Element::I32, &[4, 3])],
            vec![f32(&[1 << 20, 1]), f32(&[1 << 20, 1])],
        ] {
            assert!(op.infer(&operands).is_err(), "{operands:?}");
        }
    }
}
