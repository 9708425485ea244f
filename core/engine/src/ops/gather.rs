//! Elements at places that another tensor says.
//!
//! Definitions follow the ONNX operators `Gather` and `GatherElements`, up to opset 13 (onnx.ai/onnx/operators). What they
//! leave open, an index that is none, takes the nearest element that there is.

mod cpu;
mod gpu;

use super::strides::{Loop, Loops};
use super::{Definition, Family, Type, TypeRef};
use crate::element::Element;
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::Tensor;

/// Elements at places along an axis; inputs `[x, indices]`, the latter of i32. Indices below zero count from behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gather {
    /// The axis of x along which indices count.
    pub axis: usize,
    /// What an index names.
    pub names: Names,
}

/// What an index names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// All that x has at this place of the axis: the shape of the indices stands in the axis's place in that of the
    /// result.
    Slices,
    /// The element that has this place along the axis, and along the others that of the index itself: the result has the
    /// shape of the indices.
    Elements,
}

impl Names {
    /// Each of them; the places here are the numbers in graph files.
    const ALL: [Self; 2] = [Self::Slices, Self::Elements];
}

/// Which element an index names among `size`, of which there is one at least.
pub(super) fn place(index: i64, size: usize) -> usize {
    let size = size as i64;
    let from_front = if index < 0 {
        index.saturating_add(size)
    } else {
        index
    };
    from_front.clamp(0, size - 1) as usize
}

impl Gather {
    /// The shape of the result.
    fn shape(&self, x: &[usize], indices: &[usize]) -> Result<Shape, String> {
        let refused = || format!("{} of {x:?} at {indices:?} along axis {}", self.name(), self.axis);
        let size = *x.get(self.axis).ok_or_else(refused)?;
        let shape = match self.names {
            Names::Slices => [&x[..self.axis], indices, &x[self.axis + 1..]].concat(),
            Names::Elements => {
                let mut axes = x.iter().zip(indices).enumerate();
                let are_within = axes.all(|(axis, (x, index))| axis == self.axis || index <= x);
                if x.len() != indices.len() || !are_within {
                    return Err(refused());
                }
                indices.to_vec()
            }
        };
        match bounded_element_count(&shape) {
            Some(len) if size > 0 || len == 0 => Ok(shape),
            _ => Err(refused()),
        }
    }

    /// How many elements of x lie between neighbours along the axis.
    fn step(&self, x: &[usize]) -> usize {
        element_count(&x[self.axis + 1..])
    }

    /// Loops over the result, on the indices and on x as if all of them were 0.
    fn loops(&self, x: &[usize], indices: &[usize]) -> Loops<2> {
        let strides = |shape: &[usize]| -> Vec<isize> {
            (0..shape.len())
                .map(|axis| element_count(&shape[axis + 1..]) as isize)
                .collect()
        };
        let (of_x, of_indices) = (strides(x), strides(indices));
        let loops = |size: &usize, strides: [isize; 2]| Loop { size: *size, strides };
        let axes: Vec<Loop<2>> = match self.names {
            Names::Slices => {
                let along_x = |axis: usize| loops(&x[axis], [0, of_x[axis]]);
                let before = (0..self.axis).map(along_x);
                let along_indices = indices.iter().zip(&of_indices);
                let at = along_indices.map(|(size, &stride)| loops(size, [stride, 0]));
                before
                    .chain(at)
                    .chain((self.axis + 1..x.len()).map(along_x))
                    .collect()
            }
            Names::Elements => {
                let along = |axis: usize| if axis == self.axis { 0 } else { of_x[axis] };
                let axes = 0..indices.len();
                axes.map(|axis| loops(&indices[axis], [of_indices[axis], along(axis)]))
                    .collect()
            }
        };
        Loops::of_axes([0; 2], &axes)
    }

    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        Ok(Self {
            axis: file.number(origin)?,
            names: Names::ALL[file.below(Names::ALL.len(), origin)?],
        })
    }
}

impl Family for Gather {
    fn name(&self) -> &'static str {
        match self.names {
            Names::Slices => "Gather",
            Names::Elements => "GatherElements",
        }
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let &[x, indices] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        if indices.element != Element::I32 {
            return Err(format!("{} at places that are {}", self.name(), indices.element));
        }
        Ok(Type {
            element: x.element,
            shape: self.shape(x.shape, indices.shape)?,
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.axis);
        file.number(self.names as usize);
    }
}

impl Definition for Gather {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x, indices] = operands else {
            return Err(format!("{} operands of {}", operands.len(), self.name()));
        };
        let places = indices.ints();
        let places =
            places.ok_or_else(|| format!("{} at places that are {}", self.name(), indices.file_type()))?;
        let shape = self.shape(x.shape(), indices.shape())?;
        let (size, step) = (x.shape()[self.axis], self.step(x.shape()));
        let source = |index: usize| match self.names {
            Names::Slices => {
                // The result is blocks of as many slices as there are indices.
                let (slice, within) = (index / step, index % step);
                let (block, which) = (slice / places.len(), slice % places.len());
                (block * size + place(places[which], size)) * step + within
            }
            Names::Elements => {
                let (mut rest, mut at) = (index, 0);
                let mut of_x = 1;
                for axis in (0..shape.len()).rev() {
                    let coordinate = rest % shape[axis];
                    rest /= shape[axis];
                    let along = if axis == self.axis {
                        place(places[index], size)
                    } else {
                        coordinate
                    };
                    at += along * of_x;
                    of_x *= x.shape()[axis];
                }
                at
            }
        };
        let elements = (0..element_count(&shape)).map(|index| {
            let element = x.get(source(index));
            element.ok_or_else(|| format!("{} beyond its end", self.name()))
        });
        Tensor::from_scalars(x.file_type(), shape.clone(), elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::FileType;
    use crate::tensor::Data;

    fn tensor(shape: &[usize], values: &[i64]) -> Tensor {
        Tensor::new(FileType::I64, shape.to_vec(), Data::Int(values.into())).expect("a tensor")
    }

    /// The examples in the definitions of the two operators.
    #[test]
    fn elements_are_found_where_the_definitions_say() {
        let tenths = tensor(&[3, 2], &[10, 12, 23, 34, 45, 57]);
        let thirds = tensor(&[3, 3], &[10, 12, 19, 23, 34, 39, 45, 57, 59]);
        let nine = tensor(&[3, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        type Case = (Names, usize, Tensor, Tensor, &'static [usize], &'static [i64]);
        let cases: [Case; 5] = [
            (
                Names::Slices,
                0,
                tenths.clone(),
                tensor(&[2, 2], &[0, 1, 1, 2]),
                &[2, 2, 2],
                &[10, 12, 23, 34, 23, 34, 45, 57],
            ),
            (
                Names::Slices,
                1,
                thirds,
                tensor(&[1, 2], &[0, 2]),
                &[3, 1, 2],
                &[10, 19, 23, 39, 45, 59],
            ),
            (Names::Slices, 0, tenths, tensor(&[], &[-1]), &[2], &[45, 57]),
            (
                Names::Elements,
                1,
                tensor(&[2, 2], &[1, 2, 3, 4]),
                tensor(&[2, 2], &[0, 0, 1, 0]),
                &[2, 2],
                &[1, 1, 4, 3],
            ),
            (
                Names::Elements,
                0,
                nine,
                tensor(&[2, 3], &[-2, -1, -3, -1, -3, -3]),
                &[2, 3],
                &[4, 8, 3, 7, 2, 3],
            ),
        ];
        for (names, axis, x, indices, shape, expected) in cases {
            let result = Gather { axis, names }.evaluate(&[x, indices]).expect("indices");
            assert_eq!(result.shape(), shape);
            assert_eq!(result.ints().as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_has_no_such_places_is_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let (slices, elements) = (Names::Slices, Names::Elements);
        let cases = [
            (
                slices,
                2,
                of(Element::F32, &[2, 3]),
                of(Element::I32, &[1]),
                "along axis 2",
            ),
            (
                slices,
                0,
                of(Element::F32, &[2]),
                of(Element::F32, &[1]),
                "places that are f32",
            ),
            (
                slices,
                0,
                of(Element::F32, &[0, 2]),
                of(Element::I32, &[1]),
                "of [0, 2]",
            ),
            (
                elements,
                0,
                of(Element::F32, &[2, 3]),
                of(Element::I32, &[2]),
                "at [2]",
            ),
            (
                elements,
                0,
                of(Element::F32, &[2, 3]),
                of(Element::I32, &[2, 4]),
                "at [2, 4]",
            ),
            (
                slices,
                0,
                of(Element::F32, &[2, 1 << 20]),
                of(Element::I32, &[1 << 10]),
                "[1024]",
            ),
        ];
        for (names, axis, x, indices, part) in cases {
            let message = Gather { axis, names }.infer(&[x, indices]).expect_err(part);
            assert!(message.contains(part), "{message}");
        }
        let op = Gather {
            axis: 0,
            names: slices,
        };
        assert!(op.infer(&[]).is_err() && op.evaluate(&[]).is_err());
        let none = op.infer(&[of(Element::Bool, &[0, 2]), of(Element::I32, &[0])]);
        assert_eq!(none.map(|none| none.shape), Ok(vec![0, 2]));
    }
}
