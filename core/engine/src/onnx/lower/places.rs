//! Indices of several axes, or of one among several, as places in a flat list: what gathering and scattering are made of.

use crate::builder::{Part, Symbol};
use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{Shape, element_count};
use crate::onnx::call::Call;
use crate::ops::{Binary, Fold, Unary};
use crate::tensor::{Data, Scalar, Tensor};

/// A known tensor of integers.
pub fn integers(call: &Call<'_>, shape: Shape, values: Vec<i64>) -> Result<Symbol, ModelError> {
    let tensor = Tensor::new(FileType::I64, shape, Data::Int(values.into()));
    tensor.map(Symbol::Known).map_err(|message| call.invalid(message))
}

/// A known integer.
pub fn integer(call: &Call<'_>, value: i64) -> Result<Symbol, ModelError> {
    number(call, FileType::I64, Scalar::Int(value))
}

/// A known number of a type.
pub fn number(call: &Call<'_>, file_type: FileType, value: Scalar) -> Result<Symbol, ModelError> {
    let tensor = Tensor::new(file_type, vec![], Data::Splat(value));
    tensor
        .map(Symbol::Known)
        .map_err(|message| call.unsupported(message))
}

/// Where a part of an axis of `size` elements lies for each index, counted from the axis's first: those below zero count
/// from behind. Of a frame, an index that is none takes the nearest element.
fn from_front(call: &mut Call<'_>, indices: &Symbol, size: usize) -> Result<Symbol, ModelError> {
    let size = i64::try_from(size).map_err(|_| call.unsupported(format!("an axis of {size}")))?;
    let indices = call
        .builder
        .map(Unary::Cast(FileType::I64), indices, &call.place)?;
    if let Some(known) = indices.known().and_then(Tensor::ints) {
        if let Some(index) = known.iter().find(|index| !(-size..size).contains(index)) {
            return Err(call.invalid(format!("index {index} along an axis of {size}")));
        }
        let places = known
            .iter()
            .map(|&index| if index < 0 { index + size } else { index });
        return integers(call, indices.shape().to_vec(), places.collect());
    }
    if size == 0 {
        return Err(call.unsupported("indices of a frame into an axis without elements"));
    }
    let [first, end, last, zero] = [-size, size, size - 1, 0].map(|value| integer(call, value));
    let (first, end, last, zero) = (first?, end?, last?, zero?);
    let place = &call.place;
    let low = call.builder.zip(Binary::Max, &indices, &first, place)?;
    let within = call.builder.zip(Binary::Min, &low, &last, place)?;
    let is_from_behind = call.builder.zip(Binary::Less, &within, &zero, place)?;
    let moved = call.builder.zip(Binary::Add, &within, &end, place)?;
    call.builder.select(&is_from_behind, &moved, &within, place)
}

/// For each index along an axis the place of the element in a flat list of neighbours `step` apart.
pub fn along(call: &mut Call<'_>, indices: &Symbol, size: usize, step: usize) -> Result<Symbol, ModelError> {
    let places = from_front(call, indices, size)?;
    let step = integer(call, step as i64)?;
    call.builder.zip(Binary::Mul, &places, &step, &call.place)
}

/// The places that indices `[.., n]` into the first n axes of these sizes name among all places of those axes.
pub fn flat(call: &mut Call<'_>, indices: &Symbol, sizes: &[usize]) -> Result<Symbol, ModelError> {
    let (shape, n) = match indices.shape() {
        [shape @ .., n] if *n == sizes.len() => (shape.to_vec(), *n),
        other => return Err(call.invalid(format!("indices of shape {other:?} into axes {sizes:?}"))),
    };
    let mut sum = None;
    for axis in 0..n {
        let mut parts: Vec<Part> = shape.iter().map(|&size| Part::of(0, size)).collect();
        parts.push(Part::of(axis, 1));
        let own = call.builder.slice(indices, &parts, &call.place)?;
        let own = call.builder.reshape(&own, shape.clone(), &call.place)?;
        let places = along(call, &own, sizes[axis], element_count(&sizes[axis + 1..]))?;
        sum = Some(match sum {
            None => places,
            Some(sum) => call.builder.zip(Binary::Add, &sum, &places, &call.place)?,
        });
    }
    match sum {
        Some(sum) => Ok(sum),
        // Without an axis, each names the whole.
        None => {
            let zeros = Tensor::new(FileType::I64, shape, Data::Splat(Scalar::Int(0)));
            Ok(Symbol::Known(zeros.map_err(|message| call.invalid(message))?))
        }
    }
}

/// The sum of all elements along axes, which are dropped.
pub fn summed(call: &mut Call<'_>, x: &Symbol, axes: &[usize]) -> Result<Symbol, ModelError> {
    let sum = call.builder.reduce(Fold::Sum, x, axes, &call.place)?;
    let left = (0..x.shape().len()).filter(|axis| !axes.contains(axis));
    let shape = left.map(|axis| x.shape()[axis]).collect();
    call.builder.reshape(&sum, shape, &call.place)
}
