//! Tensors of an ONNX file, with their contents.
//!
//! Goes in: a `TensorProto` that [`super::wire`] let through. Comes out: a [`Tensor`], or why there is none. A file has
//! the elements either as bytes, little-endian (`raw_data`), or as numbers in the field for their type; then short
//! integers, booleans and the bit patterns of short floats stand in `int32_data`. Their number must be that of the shape.
//!
//! Source: the comments of `TensorProto` in `onnx.proto`.

use std::sync::Arc;

use rten_onnx::onnx::{DataLocation, DataType, TensorProto};

use crate::element::FileType;
use crate::error::ModelError;
use crate::graph::{Shape, bounded_element_count};
use crate::half::f32_from_f16;
use crate::tensor::{Data, Tensor};

/// The type of elements that a number in the file stands for. `place` names their owner in an error.
///
/// # Errors
/// *Unsupported* for types that this engine does not compute with, *invalid* where the file names none.
pub fn file_type(data_type: DataType, place: &str) -> Result<FileType, ModelError> {
    Ok(match data_type {
        DataType::FLOAT => FileType::F32,
        DataType::FLOAT16 => FileType::F16,
        DataType::BFLOAT16 => FileType::BF16,
        DataType::DOUBLE => FileType::F64,
        DataType::INT64 => FileType::I64,
        DataType::INT32 => FileType::I32,
        DataType::INT16 => FileType::I16,
        DataType::INT8 => FileType::I8,
        DataType::UINT64 => FileType::U64,
        DataType::UINT32 => FileType::U32,
        DataType::UINT16 => FileType::U16,
        DataType::UINT8 => FileType::U8,
        DataType::BOOL => FileType::Bool,
        DataType(0) => {
            return Err(ModelError::invalid(
                place,
                "the type of its elements is not given",
            ));
        }
        other => {
            let message = format!("its elements are of type {other}, which is not computed with");
            return Err(ModelError::unsupported(place, message));
        }
    })
}

/// Reads a tensor. `place` names it in an error.
///
/// # Errors
/// *Unsupported* for elements in another file, types that are not read, too many elements and integers beyond `i64`;
/// *invalid* when shape and elements contradict each other.
pub fn read(tensor: TensorProto, place: &str) -> Result<Tensor, ModelError> {
    let invalid = |message: String| ModelError::invalid(place, message);
    let unsupported = |message: String| ModelError::unsupported(place, message);
    if tensor.data_location == Some(DataLocation::EXTERNAL) || !tensor.external_data.is_empty() {
        let is_location = |key: &Option<String>| key.as_deref() == Some("location");
        let entry = tensor.external_data.iter().find(|entry| is_location(&entry.key));
        let location = entry.and_then(|entry| entry.value.as_deref());
        return Err(unsupported(format!(
            "its elements are in another file ({}); export the model with its weights inside",
            location.unwrap_or("which one is not said")
        )));
    }
    let file_type = file_type(tensor.data_type.unwrap_or(DataType(0)), place)?;
    let shape: Result<Shape, _> = tensor.dims.iter().map(|&size| usize::try_from(size)).collect();
    let shape = shape.map_err(|_| invalid(format!("its shape {:?} has a size below zero", tensor.dims)))?;
    let len = bounded_element_count(&shape).ok_or_else(|| {
        unsupported(format!(
            "its shape {shape:?} has more elements than this engine keeps in a tensor"
        ))
    })?;

    let typed = [
        ("float_data", tensor.float_data.len()),
        ("int32_data", tensor.int32_data.len()),
        ("int64_data", tensor.int64_data.len()),
        ("double_data", tensor.double_data.len()),
    ];
    let bytes = tensor
        .raw_data
        .map(|bytes| bytes.into_inner())
        .unwrap_or_default();
    let home = typed_field(file_type).filter(|_| bytes.is_empty());
    let filled: Vec<&str> = typed
        .iter()
        .filter(|(_, len)| *len > 0)
        .map(|(field, _)| *field)
        .collect();
    if let Some(stray) = filled.iter().find(|&&field| Some(field) != home) {
        return Err(invalid(format!(
            "{stray} has numbers, but its elements of type {file_type} are in {}",
            home.unwrap_or("raw_data")
        )));
    }
    let data = if filled.is_empty() {
        let size = file_size(file_type);
        if bytes.len() != size * len {
            return Err(invalid(format!(
                "it has {} bytes; shape {shape:?} of {file_type} takes {}",
                bytes.len(),
                size * len
            )));
        }
        from_bytes(file_type, &bytes)
    } else {
        match file_type {
            FileType::F32 => Some(Data::Float(tensor.float_data.into())),
            FileType::F64 => Some(floats(tensor.double_data.iter().map(|&value| value as f32))),
            FileType::I64 => Some(Data::Int(tensor.int64_data.into())),
            _ => from_words(file_type, &tensor.int32_data),
        }
    };
    let data = data.ok_or_else(|| match file_type {
        FileType::U64 => unsupported(format!("an element is larger than {}", i64::MAX)),
        _ => invalid(format!("an element is no bit pattern of a {file_type}")),
    })?;
    Tensor::new(file_type, shape, data).map_err(invalid)
}

/// The field for elements that are not bytes; `None` for types whose field is not read.
fn typed_field(file_type: FileType) -> Option<&'static str> {
    match file_type {
        FileType::F32 => Some("float_data"),
        FileType::F64 => Some("double_data"),
        FileType::I64 => Some("int64_data"),
        FileType::F16
        | FileType::BF16
        | FileType::I32
        | FileType::I16
        | FileType::I8
        | FileType::U16
        | FileType::U8
        | FileType::Bool => Some("int32_data"),
        FileType::U64 | FileType::U32 => None,
    }
}

/// Bytes of an element in the file.
fn file_size(file_type: FileType) -> usize {
    match file_type {
        FileType::F64 | FileType::I64 | FileType::U64 => 8,
        FileType::F32 | FileType::I32 | FileType::U32 => 4,
        FileType::F16 | FileType::BF16 | FileType::I16 | FileType::U16 => 2,
        FileType::I8 | FileType::U8 | FileType::Bool => 1,
    }
}

fn floats(values: impl Iterator<Item = f32>) -> Data {
    Data::Float(values.collect())
}

fn ints<T: Into<i64>>(values: impl Iterator<Item = T>) -> Data {
    Data::Int(values.map(Into::into).collect())
}

fn f32_from_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The elements that whole little-endian numbers stand for; `None` when one has no room in `i64`.
fn from_bytes(file_type: FileType, bytes: &[u8]) -> Option<Data> {
    let two = || bytes.as_chunks().0.iter().copied();
    let four = || bytes.as_chunks().0.iter().copied();
    let eight = || bytes.as_chunks().0.iter().copied();
    Some(match file_type {
        FileType::F32 => floats(four().map(f32::from_le_bytes)),
        FileType::F16 => floats(two().map(|bytes| f32_from_f16(u16::from_le_bytes(bytes)))),
        FileType::BF16 => floats(two().map(|bytes| f32_from_bf16(u16::from_le_bytes(bytes)))),
        FileType::F64 => floats(eight().map(|bytes| f64::from_le_bytes(bytes) as f32)),
        FileType::I64 => ints(eight().map(i64::from_le_bytes)),
        FileType::I32 => ints(four().map(i32::from_le_bytes)),
        FileType::I16 => ints(two().map(i16::from_le_bytes)),
        FileType::I8 => ints(bytes.iter().map(|byte| byte.cast_signed())),
        FileType::U64 => {
            let values: Option<Arc<[i64]>> = eight()
                .map(|bytes| i64::try_from(u64::from_le_bytes(bytes)).ok())
                .collect();
            Data::Int(values?)
        }
        FileType::U32 => ints(four().map(u32::from_le_bytes)),
        FileType::U16 => ints(two().map(u16::from_le_bytes)),
        FileType::U8 => ints(bytes.iter().copied()),
        FileType::Bool => Data::Bool(bytes.iter().map(|&byte| byte != 0).collect()),
    })
}

/// The elements that numbers of `int32_data` stand for; `None` when one is no bit pattern of a short float.
fn from_words(file_type: FileType, words: &[i32]) -> Option<Data> {
    let short_floats = |widen: fn(u16) -> f32| -> Option<Data> {
        let values: Option<Arc<[f32]>> = words
            .iter()
            .map(|&word| u16::try_from(word).ok().map(widen))
            .collect();
        values.map(Data::Float)
    };
    match file_type {
        FileType::F16 => short_floats(f32_from_f16),
        FileType::BF16 => short_floats(f32_from_bf16),
        FileType::Bool => Some(Data::Bool(words.iter().map(|&word| word != 0).collect())),
        _ => Some(ints(words.iter().copied())),
    }
}
