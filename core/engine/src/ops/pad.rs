//! A tensor with more elements around it.

mod cpu;
mod gpu;

use super::{Definition, Family, Type, TypeRef};
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count, element_count};
use crate::graph_file::{Reader, Writer};
use crate::tensor::Tensor;

/// More elements around a tensor; inputs `[x, value]` for [`Border::Value`], where `value` has one element, else `[x]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pad {
    /// What the elements are.
    pub border: Border,
    /// For each axis, how many come before and after.
    pub amounts: Vec<(usize, usize)>,
}

/// What stands around a tensor. Names and rules are those of `numpy.pad`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// One value.
    Value,
    /// The tensor mirrored at its first and last element, which are not repeated.
    Reflect,
    /// Its nearest element.
    Edge,
    /// The tensor again and again.
    Wrap,
}

impl Border {
    /// Every border; the places here are the numbers in graph files.
    pub const ALL: [Self; 4] = [Self::Value, Self::Reflect, Self::Edge, Self::Wrap];

    fn operands(self) -> usize {
        match self {
            Self::Value => 2,
            Self::Reflect | Self::Edge | Self::Wrap => 1,
        }
    }

    /// Which of `size` elements stands at a place, which may lie before or after them; `None` for the value.
    fn source(self, place: isize, size: usize) -> Option<usize> {
        let size = size as isize;
        let source = match self {
            Self::Value => place,
            Self::Edge => place.clamp(0, size - 1),
            Self::Wrap => place.rem_euclid(size),
            Self::Reflect if size == 1 => 0,
            Self::Reflect => {
                let there_and_back = 2 * (size - 1);
                let place = place.rem_euclid(there_and_back);
                place.min(there_and_back - place)
            }
        };
        (0..size).contains(&source).then_some(source.unsigned_abs())
    }
}

impl Pad {
    fn shape(&self, x: &[usize]) -> Result<Shape, String> {
        let refused = || format!("Pad of shape {x:?} by {:?}", self.amounts);
        if self.amounts.len() != x.len() {
            return Err(refused());
        }
        let sizes = x.iter().zip(&self.amounts).map(|(&size, &(before, after))| {
            // Of nothing, nothing can be repeated.
            let is_possible = size > 0 || self.border == Border::Value || (before, after) == (0, 0);
            size.checked_add(before)?
                .checked_add(after)
                .filter(|_| is_possible)
        });
        let shape: Option<Shape> = sizes.collect();
        shape
            .filter(|shape| bounded_element_count(shape).is_some())
            .ok_or_else(refused)
    }
}

impl Family for Pad {
    fn name(&self) -> &'static str {
        "Pad"
    }

    fn infer(&self, operands: &[TypeRef<'_>]) -> Result<Type, String> {
        let [x, values @ ..] = operands else {
            return Err("Pad of nothing".to_owned());
        };
        let is_one = |value: &TypeRef<'_>| value.element == x.element && element_count(value.shape) == 1;
        if operands.len() != self.border.operands() || !values.iter().all(is_one) {
            return Err(format!("Pad of {operands:?} by {:?}", self.border));
        }
        Ok(Type {
            element: x.element,
            shape: self.shape(x.shape)?,
        })
    }

    fn macs(&self, _operands: &[TypeRef<'_>], _result: &Type) -> u64 {
        0
    }

    fn write(&self, file: &mut Writer) {
        file.number(self.border as usize);
        file.number(self.amounts.len());
        for &(before, after) in &self.amounts {
            file.number(before);
            file.number(after);
        }
    }
}

impl Definition for Pad {
    fn evaluate(&self, operands: &[Tensor]) -> Result<Tensor, String> {
        let [x, values @ ..] = operands else {
            return Err("Pad of nothing".to_owned());
        };
        let is_one = |value: &Tensor| value.file_type() == x.file_type() && value.len() == 1;
        if operands.len() != self.border.operands() || !values.iter().all(is_one) {
            return Err(format!("Pad by {:?} of {} operands", self.border, operands.len()));
        }
        let shape = self.shape(x.shape())?;
        let elements = (0..element_count(&shape)).map(|index| {
            let (mut rest, mut place, mut step) = (index, Some(0), 1);
            for (axis, &size) in shape.iter().enumerate().rev() {
                let own = x.shape()[axis];
                let from_first = (rest % size) as isize - self.amounts[axis].0 as isize;
                let source = self.border.source(from_first, own);
                place = place.zip(source).map(|(place, source)| place + source * step);
                step *= own;
                rest /= size;
            }
            let element = match place {
                Some(place) => x.get(place),
                None => values.first().and_then(|value| value.get(0)),
            };
            element.ok_or_else(|| "there is no such element".to_owned())
        });
        Tensor::from_scalars(x.file_type(), shape.clone(), elements)
    }
}

impl Pad {
    /// Reads what [`Family::write`] has written.
    pub(super) fn read(file: &mut Reader<'_>, origin: &str) -> Result<Self, ModelError> {
        let border = Border::ALL[file.below(Border::ALL.len(), origin)?];
        let rank = file.count(origin)?;
        let amounts = (0..rank).map(|_| Ok((file.number(origin)?, file.number(origin)?)));
        let amounts = amounts.collect::<Result<_, ModelError>>()?;
        Ok(Self { border, amounts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::{Element, FileType};
    use crate::tensor::Data;

    fn ints(shape: &[usize], data: &[i64]) -> Tensor {
        Tensor::new(FileType::I64, shape.to_vec(), Data::Int(data.into())).expect("a tensor")
    }

    /// Results of `numpy.pad` of NumPy 2.4 for [1, 2, 3] by (4, 6) and for [7] by (1, 2).
    #[test]
    fn borders_are_those_of_numpy() {
        let cases: [(Border, [i64; 13], [i64; 4]); 4] = [
            (
                Border::Value,
                [9, 9, 9, 9, 1, 2, 3, 9, 9, 9, 9, 9, 9],
                [9, 7, 9, 9],
            ),
            (Border::Reflect, [1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2, 1], [7; 4]),
            (Border::Edge, [1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3], [7; 4]),
            (Border::Wrap, [3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3], [7; 4]),
        ];
        for (border, of_three, of_one) in cases {
            for (x, amounts, expected) in [
                (ints(&[3], &[1, 2, 3]), (4, 6), &of_three[..]),
                (ints(&[1], &[7]), (1, 2), &of_one),
            ] {
                let pad = Pad {
                    border,
                    amounts: vec![amounts],
                };
                let mut operands = vec![x, ints(&[], &[9])];
                operands.truncate(border.operands());
                let result = pad.evaluate(&operands).expect("a border");
                assert_eq!(result.ints().as_deref(), Some(expected), "{border:?}");
            }
        }
        let pad = Pad {
            border: Border::Reflect,
            amounts: vec![(1, 0), (0, 1)],
        };
        let result = pad.evaluate(&[ints(&[2, 2], &[1, 2, 3, 4])]);
        assert_eq!(result, Ok(ints(&[3, 3], &[3, 4, 3, 1, 2, 1, 3, 4, 3])));
    }

    #[test]
    fn what_has_no_such_border_is_refused() {
        let of = |element: Element, shape: &'static [usize]| TypeRef { element, shape };
        let x = of(Element::F32, &[2, 0]);
        let pad = |border: Border, amounts: &[(usize, usize)]| Pad {
            border,
            amounts: amounts.to_vec(),
        };
        let value = of(Element::F32, &[1]);
        let columns = [(0, 0), (1, 1)];
        assert!(pad(Border::Value, &columns).infer(&[x, value]).is_ok());
        assert!(pad(Border::Edge, &[(1, 1), (0, 0)]).infer(&[x]).is_ok());
        for (wrong, operands) in [
            (pad(Border::Edge, &columns), vec![x]),
            (pad(Border::Value, &columns), vec![x]),
            (pad(Border::Value, &columns), vec![]),
            (pad(Border::Value, &columns), vec![x, of(Element::F32, &[2])]),
            (pad(Border::Value, &columns), vec![x, of(Element::I32, &[1])]),
            (pad(Border::Value, &columns[..1]), vec![x, value]),
            (pad(Border::Value, &[(0, usize::MAX), (0, 0)]), vec![x, value]),
            (pad(Border::Value, &[(0, 1 << 27), (0, 1)]), vec![x, value]),
        ] {
            assert!(wrong.infer(&operands).is_err(), "{wrong:?}");
        }
    }
}
