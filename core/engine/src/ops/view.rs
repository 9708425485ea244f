//! A tensor whose elements are read from another one at regular places: what is transposed, cut out, taken every so many
//! steps, turned around, repeated or stretched.
//!
//! Two ways were weighed: readers that all know such places, and one kernel that moves elements. The latter is what this
//! is; a reader of a model sees to it that a change that only renames axes needs no node at all
//! ([`Order`](crate::builder::order::Order)).

mod cpu;
mod gpu;

use super::strides::{Loop, Loops};
use super::{Definition, Family, Type, TypeRef};
use crate::error::ModelError;
use crate::graph::{MAX_ELEMENTS, Shape, bounded_element_count, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Data, Tensor};

/// Elements at regular places; inputs `[x]`. The element at coordinates c is element `offset` + sum of c times `strides`
/// of x, counted in row-major order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Sizes of the result.
    pub shape: Shape,
    /// Which element of x is the first of the result.
    pub offset: usize,
    /// For each axis of the result, how many elements of x a step moves; below zero backwards.
    pub strides: Vec<isize>,
}

impl View {
    fn loops(&self) -> Loops<1> {
        if self.shape.contains(&0) {
            let nothing = Loop {
                size: 0,
                strides: [0],
            };
            return Loops::of_axes([0], &[nothing]);
        }
        let axes = self.shape.iter().zip(&self.strides);
        let axes: Vec<Loop<1>> = axes
            .map(|(&size, &stride)| Loop {
                size,
                strides: [stride],
            })
            .collect();
        Loops::of_axes([self.offset], &axes)
    }

    /// The smallest and the largest place that is read, of a view that has elements; `None` when it lies outside of
    /// `len` elements.
    fn span(&self, len: usize) -> Option<[usize; 2]> {
        let mut span = [self.offset; 2];
        for (&size, &stride) in self.shape.iter().zip(&self.strides) {
            let reach = stride.unsigned_abs().checked_mul(size.checked_sub(1)?)?;
            if stride < 0 {
                span[0] = span[0].checked_sub(reach)?;
            } else {
                span[1] = span[1].checked_add(reach)?;
            }
        }
        (span[1] < len).then_some(span)
    }
}

impl Family for View {
    fn name(&self) -> &'static str {
        "View"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of View", operands.len()));
        };
        let len = element_count(x.shape);
        let outside = || {
            format!(
                "a view of shape {:?} from {} by {:?} over {len} elements",
                self.shape, self.offset, self.strides
            )
        };
        let elements = bounded_element_count(&self.shape).ok_or_else(outside)?;
        if self.shape.len() != self.strides.len() || (elements > 0 && self.span(len).is_none()) {
            return Err(outside());
        }
        Ok(Type {
            element: x.element,
            shape: self.shape.clone(),
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.shape.len());
        for (&size, &stride) in self.shape.iter().zip(&self.strides) {
            file.number(size);
            file.number(usize::from(stride < 0));
            file.number(stride.unsigned_abs());
        }
        file.number(self.offset);
    }
}

impl Definition for View {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of View", operands.len()));
        };
        // A view asks for no kind of element, and some of a file have none in a frame.
        let of = TypeRef {
            element: x.file_type().element().unwrap_or_default(),
            shape: x.shape(),
        };
        let shape = self.infer(&[of])?.shape;
        if let &Data::Splat(scalar) = x.data() {
            return Tensor::new(x.file_type(), shape, Data::Splat(scalar));
        }
        let elements = (0..element_count(&shape)).map(|index| {
            let (mut rest, mut place) = (index, self.offset);
            for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
                place = place.wrapping_add_signed((rest % size) as isize * stride);
                rest /= size;
            }
            x.get(place).ok_or_else(|| format!("there is no element {place}"))
        });
        Tensor::from_scalars(x.file_type(), shape.clone(), elements)
    }
}

impl View {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let rank = file.count(origin)?;
        let (mut shape, mut strides) = (Shape::new(), Vec::new());
        for _ in 0..rank {
            shape.push(file.number(origin)?);
            let is_backward = file.flag(origin)?;
            let distance = file.below(MAX_ELEMENTS + 1, origin)? as isize;
            strides.push(if is_backward { -distance } else { distance });
        }
        let offset = file.number(origin)?;
        Ok(Self {
            shape,
            offset,
            strides,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{Element, FileType};
    use crate::tensor::Scalar;

    fn view(shape: &[usize], offset: usize, strides: &[isize]) -> View {
        View {
            shape: shape.to_vec(),
            offset,
            strides: strides.to_vec(),
        }
    }

    /// Results of NumPy 2.4 for `x = numpy.arange(24).reshape(2, 3, 4)`.
    #[test]
    fn views_are_those_of_numpy() {
        let x = Tensor::new(FileType::I64, vec![2, 3, 4], Data::Int((0..24).collect())).expect("a tensor");
        let cases: [(&str, View, &[i64]); 7] = [
            (
                "x[1].T",
                view(&[4, 3], 12, &[1, 4]),
                &[12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23],
            ),
            (
                "x[:, ::-2, 3:0:-2]",
                view(&[2, 2, 2], 11, &[12, -8, -2]),
                &[11, 9, 3, 1, 23, 21, 15, 13],
            ),
            (
                "numpy.broadcast_to(x[:, :1, 2:3], (2, 2, 3))",
                view(&[2, 2, 3], 2, &[12, 0, 0]),
                &[2, 2, 2, 2, 2, 2, 14, 14, 14, 14, 14, 14],
            ),
            (
                "numpy.tile(x[0, 0, :2], 3)",
                view(&[3, 2], 0, &[0, 1]),
                &[0, 1, 0, 1, 0, 1],
            ),
            ("numpy.diagonal(x[0])", view(&[3], 0, &[5]), &[0, 5, 10]),
            ("x[1, 2, 3]", view(&[], 23, &[]), &[23]),
            ("x[:, 3:]", view(&[2, 0, 4], 99, &[12, 4, 1]), &[]),
        ];
        for (what, view, expected) in cases {
            let result = view.evaluate(std::slice::from_ref(&x)).expect(what);
            assert_eq!(
                (result.shape(), result.ints().as_deref()),
                (&*view.shape, Some(expected)),
                "{what}"
            );
        }
        let seven = Tensor::new(FileType::U64, vec![5], Data::Splat(Scalar::Int(7))).expect("a tensor");
        let result = view(&[2], 4, &[-1]).evaluate(&[seven]).expect("a view");
        assert_eq!(result.get(1), Some(Scalar::Int(7)));
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let x = TypeRef {
            element: Element::F32,
            shape: &[2, 3],
        };
        for wrong in [
            view(&[2, 4], 0, &[3, 1]),
            view(&[2], 0, &[-1]),
            view(&[7], 5, &[-1]),
            view(&[], 6, &[]),
            view(&[2], 0, &[]),
            view(&[2], usize::MAX, &[1]),
            view(&[3], 0, &[isize::MAX]),
            view(&[1 << 14, 1 << 14], 0, &[0, 0]),
        ] {
            assert!(wrong.infer(&[x]).is_err(), "{wrong:?}");
        }
        assert!(view(&[6], 5, &[-1]).infer(&[x]).is_ok());
        assert!(view(&[6], 5, &[-1]).infer(&[]).is_err());
    }
}
