//! Where along an axis the greatest or least element stands.

mod cpu;
mod gpu;

use super::{Definition, Family, Type, TypeRef};
use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::element_count;
use crate::graph_file::{Reader, Writer};
use crate::tensor::{Scalar, Tensor};

/// The place of an extreme along an axis, which becomes an axis of size 1; inputs `[x]` of any kind but bool, to i32. What
/// is not a number is beyond every number, as in NumPy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgReduce {
    /// Whether the greatest is looked for, or the least.
    pub greatest: bool,
    /// Along which axis.
    pub axis: usize,
    /// Whether, of equal ones, the last is meant.
    pub last: bool,
}

/// How a tensor falls apart at one of its axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// Places before the axis.
    pub outer: usize,
    /// Places along it.
    pub size: usize,
    /// Places behind it, which is how far neighbours along it are apart.
    pub inner: usize,
}

impl Lines {
    /// The lines of a shape along an axis, which it has.
    pub fn new(shape: &[usize], axis: usize) -> Self {
        Self {
            outer: element_count(&shape[..axis]),
            size: shape[axis],
            inner: element_count(&shape[axis + 1..]),
        }
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.outer * self.inner
    }

    /// Where line number `line` begins.
    pub fn start(self, line: usize) -> usize {
        line / self.inner * self.size * self.inner + line % self.inner
    }
}

impl ArgReduce {
    /// Whether an element takes the place of the best one before it.
    fn is_better<T: PartialOrd>(self, x: T, best: T) -> bool {
        #[expect(clippy::eq_op, reason = "what is not a number is not equal to itself")]
        let (is_number, was_number) = (x == x, best == best);
        match (is_number, was_number) {
            (false, was_number) => was_number || self.last,
            (true, false) => false,
            (true, true) if x == best => self.last,
            (true, true) => (x > best) == self.greatest,
        }
    }
}

impl Family for ArgReduce {
    fn name(&self) -> &'static str {
        if self.greatest { "ArgMax" } else { "ArgMin" }
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let size = x.shape.get(self.axis).copied();
        if size.is_none_or(|size| size == 0) || x.element == Element::Bool {
            return Err(format!("{} of {} of shape {:?}", self.name(), x.element, x.shape));
        }
        let mut shape = x.shape.to_vec();
        shape[self.axis] = 1;
        Ok(Type {
            element: Element::I32,
            shape,
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(usize::from(self.greatest));
        file.number(self.axis);
        file.number(usize::from(self.last));
    }
}

impl Definition for ArgReduce {
    /// The result is of [`FileType::I64`], as in files.
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let of = TypeRef {
            element: x.file_type().element().unwrap_or(Element::I32),
            shape: x.shape(),
        };
        let shape = self.infer(&[of])?.shape;
        let lines = Lines::new(x.shape(), self.axis);
        let is_better = |a: Option<Scalar>, b: Option<Scalar>| match (a, b) {
            (Some(Scalar::Float(a)), Some(Scalar::Float(b))) => self.is_better(a, b),
            (Some(Scalar::Int(a)), Some(Scalar::Int(b))) => self.is_better(a, b),
            _ => false,
        };
        let places = (0..lines.count()).map(|line| {
            let at = |place: usize| x.get(lines.start(line) + place * lines.inner);
            let best = (1..lines.size).fold(0, |best, place| {
                if is_better(at(place), at(best)) {
                    place
                } else {
                    best
                }
            });
            Ok(Scalar::Int(best as i64))
        });
        Tensor::from_scalars(FileType::I64, shape, places)
    }
}

impl ArgReduce {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            greatest: file.flag(origin)?,
            axis: file.number(origin)?,
            last: file.flag(origin)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Data;

    /// Results of NumPy 2.4; those of the last ones are of the array turned around.
    #[test]
    fn places_are_those_of_numpy() {
        let of = |greatest: bool, axis: usize, last: bool, x: &Tensor| {
            let op = ArgReduce { greatest, axis, last };
            let result = op.evaluate(std::slice::from_ref(x)).expect("places");
            (result.shape().to_vec(), result.ints().expect("integers").to_vec())
        };
        let rows = [2.0, 5.0, 5.0, 1.0, 1.0, 7.0];
        let x = Tensor::new(FileType::F32, vec![2, 3], Data::Float(rows.into())).expect("a tensor");
        assert_eq!(of(true, 1, false, &x), (vec![2, 1], vec![1, 2]));
        assert_eq!(of(true, 1, true, &x), (vec![2, 1], vec![2, 2]));
        assert_eq!(of(false, 1, false, &x), (vec![2, 1], vec![0, 0]));
        assert_eq!(of(false, 1, true, &x), (vec![2, 1], vec![0, 1]));
        assert_eq!(of(true, 0, false, &x), (vec![1, 3], vec![0, 0, 1]));
        let odd = [1.0, f32::NAN, 3.0, f32::NAN];
        let x = Tensor::new(FileType::F32, vec![4], Data::Float(odd.into())).expect("a tensor");
        assert_eq!([of(true, 0, false, &x).1, of(false, 0, false, &x).1], [[1], [1]]);
        assert_eq!(of(true, 0, true, &x).1, [3]);
        let integers = [i64::MIN, i64::MAX, 0];
        let x = Tensor::new(FileType::I64, vec![3], Data::Int(integers.into())).expect("a tensor");
        assert_eq!([of(true, 0, false, &x).1, of(false, 0, false, &x).1], [[1], [0]]);
    }

    #[test]
    fn nothing_has_no_place() {
        let of = |shape: &'static [usize]| TypeRef {
            element: Element::F32,
            shape,
        };
        let op = |axis: usize| ArgReduce {
            greatest: true,
            axis,
            last: false,
        };
        assert!(op(0).infer(&[of(&[0])]).is_err() && op(1).infer(&[of(&[2])]).is_err());
        assert!(op(0).infer(&[of(&[])]).is_err() && op(0).infer(&[]).is_err());
        assert!(op(1).infer(&[of(&[0, 2])]).is_ok());
    }
}
