//! Tensors whose contents are known before any frame arrives: what an importer computes with, what operators are
//! defined by, and what goes into and comes out of a model in the types of its file.
//!
//! Elements stand in row-major order. Integers are exact in 64 bits; floats are f32, whatever width the file gives them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::element::{Element, FileType};
use crate::error::ModelError;
use crate::graph::{Constant, Shape, bounded_element_count, element_count};

/// One element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// Of a float type.
    Float(f32),
    /// Of an integer type.
    Int(i64),
    /// Of [`FileType::Bool`].
    Bool(bool),
}

/// The elements of a tensor.
#[derive(Clone, Debug)]
pub enum Data {
    /// Of a float type.
    Float(Arc<[f32]>),
    /// Of an integer type.
    Int(Arc<[i64]>),
    /// Of [`FileType::Bool`].
    Bool(Arc<[bool]>),
    /// As often as the shape asks, the same element. Files of a few bytes describe large tensors so.
    Splat(Scalar),
}

/// A tensor of known contents. Its data always are of its type's class, within its type's range, and as many as its
/// shape has places.
#[derive(Clone, Debug)]
pub struct Tensor {
    file_type: FileType,
    shape: Shape,
    data: Data,
}

impl Tensor {
    /// A tensor of these elements, in row-major order.
    ///
    /// # Errors
    /// A sentence without a place, when the data are of another class than the type, an integer lies outside the
    /// type's range, their number is not that of the shape, or the shape has more than
    /// [`MAX_ELEMENTS`](crate::graph::MAX_ELEMENTS).
    pub fn new(file_type: FileType, shape: Shape, data: Data) -> Result<Self, String> {
        let len = bounded_element_count(&shape).ok_or_else(|| {
            format!("a tensor of shape {shape:?} is larger than any that this engine keeps")
        })?;
        let (class, given) = match &data {
            Data::Float(data) => (Scalar::Float(0.0), data.len()),
            Data::Int(data) => (Scalar::Int(0), data.len()),
            Data::Bool(data) => (Scalar::Bool(false), data.len()),
            Data::Splat(scalar) => (*scalar, len),
        };
        let fits = match class {
            Scalar::Float(_) => file_type.element() == Some(Element::F32),
            Scalar::Int(_) => file_type.range().is_some(),
            Scalar::Bool(_) => file_type == FileType::Bool,
        };
        if !fits {
            return Err(format!("the elements are not of type {file_type}"));
        }
        if given != len {
            return Err(format!("{given} elements for shape {shape:?}, which has {len}"));
        }
        if let Some((low, high)) = file_type.range() {
            let outside = match &data {
                Data::Int(data) => data.iter().find(|value| !(low..=high).contains(*value)),
                Data::Splat(Scalar::Int(value)) => Some(value).filter(|value| !(low..=high).contains(*value)),
                Data::Float(_) | Data::Bool(_) | Data::Splat(_) => None,
            };
            if let Some(value) = outside {
                return Err(format!("{value} is no {file_type}"));
            }
        }
        Ok(Self {
            file_type,
            shape,
            data,
        })
    }

    /// The tensor of these elements, one after the other in row-major order.
    ///
    /// # Errors
    /// The first that there is among the elements; else as [`Self::new`].
    pub(crate) fn from_scalars(
        file_type: FileType,
        shape: Shape,
        elements: impl Iterator<Item = Result<Scalar, String>>,
    ) -> Result<Self, String> {
        let refused = || format!("the elements are not of type {file_type}");
        let data = match file_type.element() {
            Some(Element::F32) => {
                let floats = elements.map(|element| match element? {
                    Scalar::Float(value) => Ok(value),
                    Scalar::Int(_) | Scalar::Bool(_) => Err(refused()),
                });
                Data::Float(floats.collect::<Result<_, _>>()?)
            }
            Some(Element::Bool) => {
                let bools = elements.map(|element| match element? {
                    Scalar::Bool(value) => Ok(value),
                    Scalar::Int(_) | Scalar::Float(_) => Err(refused()),
                });
                Data::Bool(bools.collect::<Result<_, _>>()?)
            }
            Some(Element::I32 | Element::U32) | None => {
                let ints = elements.map(|element| match element? {
                    Scalar::Int(value) => Ok(value),
                    Scalar::Float(_) | Scalar::Bool(_) => Err(refused()),
                });
                Data::Int(ints.collect::<Result<_, _>>()?)
            }
        };
        Self::new(file_type, shape, data)
    }

    /// What the file calls its elements.
    pub fn file_type(&self) -> FileType {
        self.file_type
    }

    /// Sizes from the outermost axis to the innermost; a scalar has none.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements, in the form in which they are kept.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        element_count(&self.shape)
    }

    /// Whether it has no elements: a size of its shape is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at a place in row-major order, `None` behind the last.
    pub fn get(&self, index: usize) -> Option<Scalar> {
        match &self.data {
            Data::Float(data) => data.get(index).copied().map(Scalar::Float),
            Data::Int(data) => data.get(index).copied().map(Scalar::Int),
            Data::Bool(data) => data.get(index).copied().map(Scalar::Bool),
            Data::Splat(scalar) => (index < self.len()).then_some(*scalar),
        }
    }

    /// The elements of a float type, all of them written out; `None` for other types.
    pub fn floats(&self) -> Option<Cow<'_, [f32]>> {
        match &self.data {
            Data::Float(data) => Some(Cow::Borrowed(data)),
            Data::Splat(Scalar::Float(value)) => Some(Cow::Owned(vec![*value; self.len()])),
            Data::Int(_) | Data::Bool(_) | Data::Splat(Scalar::Int(_) | Scalar::Bool(_)) => None,
        }
    }

    /// The elements of an integer type, all of them written out; `None` for other types.
    pub fn ints(&self) -> Option<Cow<'_, [i64]>> {
        match &self.data {
            Data::Int(data) => Some(Cow::Borrowed(data)),
            Data::Splat(Scalar::Int(value)) => Some(Cow::Owned(vec![*value; self.len()])),
            Data::Float(_) | Data::Bool(_) | Data::Splat(Scalar::Float(_) | Scalar::Bool(_)) => None,
        }
    }

    /// The elements of [`FileType::Bool`], all of them written out; `None` for other types.
    pub fn bools(&self) -> Option<Cow<'_, [bool]>> {
        match &self.data {
            Data::Bool(data) => Some(Cow::Borrowed(data)),
            Data::Splat(Scalar::Bool(value)) => Some(Cow::Owned(vec![*value; self.len()])),
            Data::Float(_) | Data::Int(_) | Data::Splat(Scalar::Float(_) | Scalar::Int(_)) => None,
        }
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// A sentence without a place, when the shape has another number of elements.
    pub fn reshaped(self, shape: Shape) -> Result<Self, String> {
        if bounded_element_count(&shape) == Some(self.len()) {
            Ok(Self { shape, ..self })
        } else {
            let from = &self.shape;
            Err(format!("a reshape cannot turn {from:?} into {shape:?}"))
        }
    }

    /// The tensor whose axis `k` is this one's axis `axes[k]`.
    ///
    /// # Errors
    /// A sentence without a place, when `axes` does not name every axis once.
    pub fn permuted(&self, axes: &[usize]) -> Result<Self, String> {
        let mut sorted = axes.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.shape.len()) {
            return Err(format!("{axes:?} does not order the axes of {:?}", self.shape));
        }
        // How far apart neighbours along each axis are, here and in the order of the result.
        let mut strides = vec![1; self.shape.len()];
        for axis in (1..self.shape.len()).rev() {
            strides[axis - 1] = strides[axis] * self.shape[axis];
        }
        let shape: Shape = axes.iter().map(|&axis| self.shape[axis]).collect();
        let strides: Vec<usize> = axes.iter().map(|&axis| strides[axis]).collect();
        let data = match &self.data {
            Data::Float(data) => Data::Float(gather(data, &shape, &strides)),
            Data::Int(data) => Data::Int(gather(data, &shape, &strides)),
            Data::Bool(data) => Data::Bool(gather(data, &shape, &strides)),
            Data::Splat(scalar) => Data::Splat(*scalar),
        };
        Ok(Self {
            file_type: self.file_type,
            shape,
            data,
        })
    }

    /// The tensor as a constant of a graph, and what its words hold there. `place` names it in an error.
    ///
    /// # Errors
    /// *Unsupported* for an integer that has no room in 32 bits, and for [`FileType::U64`].
    pub fn into_constant(self, place: &str) -> Result<(Element, Constant), ModelError> {
        let element = self.element(place)?;
        let word_range = match element {
            Element::F32 | Element::I32 | Element::Bool => FileType::I32.range(),
            Element::U32 => FileType::U32.range(),
        };
        let constant = match (&self.data, element) {
            (Data::Float(data), _) => Constant::F32(Arc::clone(data)),
            (_, Element::F32) => Constant::F32(self.floats().unwrap_or_default().into()),
            (_, Element::I32) => {
                let words = self.words(word_range, place)?;
                Constant::I32(words.into_iter().map(u32::cast_signed).collect())
            }
            (_, Element::U32 | Element::Bool) => Constant::U32(self.words(word_range, place)?.into()),
        };
        Ok((element, constant))
    }

    /// The tensor as words of the arena, to be written into an input. `place` names the input in an error.
    ///
    /// # Errors
    /// *Unsupported* for an integer outside [`FileType::port_range`], and for [`FileType::U64`].
    pub fn to_words(&self, place: &str) -> Result<Vec<u32>, ModelError> {
        self.element(place)?;
        self.words(self.file_type.port_range(), place)
    }

    /// The tensor that words of the arena stand for, when they were computed for this type: an output. Floats are
    /// rounded to the type.
    ///
    /// # Errors
    /// A sentence without a place: as [`Self::new`], and for [`FileType::U64`].
    pub fn from_words(file_type: FileType, shape: &[usize], words: &[u32]) -> Result<Self, String> {
        let data = match file_type.element() {
            Some(Element::F32) => Data::Float(
                words
                    .iter()
                    .map(|&word| file_type.round(f32::from_bits(word)))
                    .collect(),
            ),
            Some(Element::I32) => Data::Int(words.iter().map(|word| word.cast_signed().into()).collect()),
            Some(Element::U32) => Data::Int(words.iter().map(|&word| word.into()).collect()),
            Some(Element::Bool) => Data::Bool(words.iter().map(|&word| word != 0).collect()),
            None => return Err(format!("no word of a frame holds a {file_type}")),
        };
        Self::new(file_type, shape.to_vec(), data)
    }

    fn element(&self, place: &str) -> Result<Element, ModelError> {
        self.file_type.element().ok_or_else(|| {
            let message = format!(
                "a frame cannot compute with {}; only constants may be of that type",
                self.file_type
            );
            ModelError::unsupported(place, message)
        })
    }

    /// Each element in a word. Integers must lie in the range.
    fn words(&self, range: Option<(i64, i64)>, place: &str) -> Result<Vec<u32>, ModelError> {
        if let Some(floats) = self.floats() {
            return Ok(floats.iter().map(|value| value.to_bits()).collect());
        }
        if let Some(bools) = self.bools() {
            return Ok(bools.iter().map(|&value| u32::from(value)).collect());
        }
        let (low, high) = range.unwrap_or_default();
        let ints = self.ints().unwrap_or_default();
        let outside = |value: &&i64| !(low..=high).contains(*value);
        match ints.iter().find(outside) {
            // Within 32 bits, the lower half of an i64 is the same number.
            None => Ok(ints.iter().map(|&value| value as u32).collect()),
            Some(value) => {
                let message = format!("it holds {value}; a frame takes integers from {low} to {high} here");
                Err(ModelError::unsupported(place, message))
            }
        }
    }
}

/// Two tensors are equal when their types, shapes and elements are, in whichever form they are kept.
impl PartialEq for Tensor {
    fn eq(&self, other: &Self) -> bool {
        self.file_type == other.file_type
            && self.shape == other.shape
            && (0..self.len()).all(|index| self.get(index) == other.get(index))
    }
}

/// Elements of `data` in the row-major order of `shape`, where neighbours along axis `k` are `strides[k]` apart.
fn gather<T: Copy>(data: &[T], shape: &[usize], strides: &[usize]) -> Arc<[T]> {
    let mut coordinates = vec![0; shape.len()];
    let mut place = 0;
    (0..data.len())
        .map(|_| {
            let element = data[place];
            for axis in (0..shape.len()).rev() {
                coordinates[axis] += 1;
                place += strides[axis];
                if coordinates[axis] < shape[axis] {
                    break;
                }
                place -= strides[axis] * shape[axis];
                coordinates[axis] = 0;
            }
            element
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(file_type: FileType, values: &[i64]) -> Tensor {
        Tensor::new(file_type, vec![values.len()], Data::Int(values.into())).expect("in range")
    }

    fn splat(file_type: FileType, shape: &[usize], scalar: Scalar) -> Tensor {
        Tensor::new(file_type, shape.to_vec(), Data::Splat(scalar)).expect("a tensor")
    }

    #[test]
    fn contradictions_are_refused() {
        let floats = |count: usize| Data::Float(vec![0.5; count].into());
        let cases = [
            (FileType::F32, vec![2, 3], floats(5), "5 elements"),
            (FileType::F32, vec![], floats(0), "0 elements"),
            (FileType::I32, vec![2], floats(2), "not of type int32"),
            (FileType::Bool, vec![1], Data::Int([1].into()), "not of type bool"),
            (
                FileType::I8,
                vec![2],
                Data::Int([127, 128].into()),
                "128 is no int8",
            ),
            (
                FileType::U64,
                vec![9],
                Data::Splat(Scalar::Int(-1)),
                "-1 is no uint64",
            ),
            (FileType::F16, vec![usize::MAX, 3], floats(1), "larger than any"),
            (
                FileType::F16,
                vec![usize::MAX, 3, 0],
                floats(0),
                "larger than any",
            ),
        ];
        for (file_type, shape, data, part) in cases {
            let message = Tensor::new(file_type, shape, data).expect_err(part);
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn scalars_and_empty_tensors_are_tensors() {
        let scalar = Tensor::new(FileType::F64, vec![], Data::Float([3.0].into())).expect("a scalar");
        assert_eq!(
            (scalar.len(), scalar.get(0), scalar.get(1)),
            (1, Some(Scalar::Float(3.0)), None)
        );
        assert_eq!(scalar.permuted(&[]).as_ref(), Ok(&scalar));
        let empty = Tensor::new(FileType::Bool, vec![2, 0, 3], Data::Bool([].into())).expect("no elements");
        assert!(empty.is_empty());
        let turned = empty.permuted(&[2, 0, 1]).expect("an order");
        assert_eq!(turned.shape(), [3, 2, 0]);
        assert_eq!(empty.to_words("x"), Ok(vec![]));
    }

    /// Element (i, j, k) of the result of `axes` is the element of the source whose coordinate along axis `axes[0]` is i.
    #[test]
    fn permuting_moves_every_element_to_its_place() {
        let (shape, len) = ([2, 3, 4], 24);
        let source: Vec<i64> = (0..len).collect();
        let tensor =
            Tensor::new(FileType::I64, shape.to_vec(), Data::Int(source.into())).expect("24 elements");
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for axes in orders {
            let turned = tensor.permuted(&axes).expect("an order");
            let mut expected = Vec::new();
            for i in 0..shape[axes[0]] {
                for j in 0..shape[axes[1]] {
                    for k in 0..shape[axes[2]] {
                        let mut at = [0; 3];
                        (at[axes[0]], at[axes[1]], at[axes[2]]) = (i, j, k);
                        expected.push((at[0] * 12 + at[1] * 4 + at[2]) as i64);
                    }
                }
            }
            assert_eq!(turned.shape(), axes.map(|axis| shape[axis]));
            assert_eq!(turned.ints().as_deref(), Some(expected.as_slice()), "{axes:?}");
        }
        for axes in [&[0, 1][..], &[0, 0, 1], &[1, 2, 3]] {
            assert!(tensor.permuted(axes).is_err(), "{axes:?}");
        }
    }

    #[test]
    fn the_same_element_everywhere_equals_the_elements_written_out() {
        let short = splat(FileType::I16, &[3], Scalar::Int(-7));
        assert_eq!(short, ints(FileType::I16, &[-7, -7, -7]));
        assert_ne!(short, ints(FileType::I32, &[-7, -7, -7]));
        assert_ne!(short, ints(FileType::I16, &[-7, -7, 7]));
        let (element, constant) = splat(FileType::F32, &[2, 2], Scalar::Float(0.02))
            .into_constant("w")
            .expect("a constant");
        assert_eq!(element, Element::F32);
        assert_eq!(constant.to_f32().as_deref(), Some(&[0.02; 4][..]));
        assert!(short.clone().reshaped(vec![3, 1, 1]).is_ok());
        assert!(short.reshaped(vec![2]).is_err());
    }

    #[test]
    fn constants_of_more_than_32_bits_are_named() {
        let largest = i64::from(i32::MAX);
        let (element, constant) = ints(FileType::I64, &[-1, largest])
            .into_constant("w")
            .expect("in range");
        assert_eq!(
            (element, constant.as_i32()),
            (Element::I32, Some(&[-1, i32::MAX][..]))
        );
        let error = ints(FileType::I64, &[0, largest + 1])
            .into_constant("node 4")
            .expect_err("too large");
        assert_eq!(error.place(), "node 4");
        assert!(error.to_string().contains("2147483648"), "{error}");
        let (_, constant) = ints(FileType::U32, &[u32::MAX.into()])
            .into_constant("w")
            .expect("in range");
        assert!(matches!(constant, Constant::U32(words) if words[..] == [u32::MAX]));
        assert!(ints(FileType::U64, &[1]).into_constant("w").is_err());
        let (element, constant) = splat(FileType::Bool, &[2], Scalar::Bool(true))
            .into_constant("w")
            .expect("a mask");
        assert_eq!(element, Element::Bool);
        assert!(matches!(constant, Constant::U32(words) if words[..] == [1, 1]));
    }

    #[test]
    fn inputs_and_outputs_pass_through_words() {
        for file_type in FileType::ALL {
            let tensor = match (file_type.element(), file_type.port_range()) {
                (Some(Element::F32), _) => splat(file_type, &[1, 2], Scalar::Float(-0.375)),
                (Some(Element::Bool), _) => splat(file_type, &[1, 2], Scalar::Bool(true)),
                (Some(_), Some((low, high))) => {
                    assert!(
                        file_type != FileType::I64 || ints(file_type, &[high + 1]).to_words("x").is_err()
                    );
                    ints(file_type, &[low, high])
                }
                _ => {
                    assert!(ints(file_type, &[1]).to_words("x").is_err());
                    assert!(Tensor::from_words(file_type, &[1], &[0]).is_err());
                    continue;
                }
            };
            let words = tensor.to_words("x").expect("in range");
            let again = Tensor::from_words(file_type, tensor.shape(), &words);
            assert_eq!(again.as_ref(), Ok(&tensor));
            assert!(Tensor::from_words(file_type, &[3], &words).is_err());
        }
        let third = Tensor::from_words(FileType::F16, &[], &[(1.0f32 / 3.0).to_bits()]).expect("a scalar");
        assert_eq!(third.get(0), Some(Scalar::Float(0.333_251_95)));
        assert!(Tensor::from_words(FileType::I8, &[1], &[200]).is_err());
    }
}
