//! What the elements of a tensor are: what a word of memory holds while a model runs, and what a file calls it.
//!
//! A running model knows four kinds of word, each of 32 bits, so that the arena is one list of words and a shader needs
//! no extension. A file knows many more types. Between the two stands this table: a type of a file is computed in the
//! kind of word that [`FileType::element`] names, and rounded to itself again where somebody reads it
//! ([`FileType::round`]).

use std::fmt;

use crate::half::{round_to_bf16, round_to_f16};

/// What a word of the arena holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Element {
    /// IEEE binary32.
    #[default]
    F32,
    /// Two's complement.
    I32,
    /// Without a sign.
    U32,
    /// 0 or 1, as an unsigned word.
    Bool,
}

impl Element {
    /// Every kind that there is; the places here are the numbers in graph files.
    pub const ALL: [Self; 4] = [Self::F32, Self::I32, Self::U32, Self::Bool];

    /// As tables and messages call it: `f32`, `i32`, `u32`, `bool`.
    pub fn name(self) -> &'static str {
        match self {
            Element::F32 => "f32",
            Element::I32 => "i32",
            Element::U32 => "u32",
            Element::Bool => "bool",
        }
    }

    /// The type of a file that has the same values.
    pub fn file_type(self) -> FileType {
        match self {
            Element::F32 => FileType::F32,
            Element::I32 => FileType::I32,
            Element::U32 => FileType::U32,
            Element::Bool => FileType::Bool,
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a model file says that the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    /// IEEE binary32.
    F32,
    /// IEEE binary16; computed in f32.
    F16,
    /// The upper half of an IEEE binary32; computed in f32.
    BF16,
    /// IEEE binary64; computed in f32, with the precision of f32.
    F64,
    /// Exact where it is known before a frame arrives. In a frame it is computed in 32 bits.
    I64,
    /// 32 bits with a sign.
    I32,
    /// Computed in 32 bits.
    I16,
    /// Computed in 32 bits.
    I8,
    /// Only in tensors that are known before a frame arrives, and only up to `i64::MAX`.
    U64,
    /// 32 bits without a sign.
    U32,
    /// Computed in 32 bits with a sign, which hold all its values.
    U16,
    /// Computed in 32 bits with a sign, which hold all its values.
    U8,
    /// True or false.
    Bool,
}

/// Integers of 64 bits that a caller may write into an input: room for one addition is left in 32 bits.
const I64_PORT: (i64, i64) = (-(1 << 30), (1 << 30) - 1);

impl FileType {
    /// Every type that there is.
    pub const ALL: [Self; 13] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::F64,
        Self::I64,
        Self::I32,
        Self::I16,
        Self::I8,
        Self::U64,
        Self::U32,
        Self::U16,
        Self::U8,
        Self::Bool,
    ];

    /// What a word holds when such a tensor takes part in a frame; `None` for [`FileType::U64`], which does not.
    pub fn element(self) -> Option<Element> {
        match self {
            Self::F32 | Self::F16 | Self::BF16 | Self::F64 => Some(Element::F32),
            Self::I64 | Self::I32 | Self::I16 | Self::I8 | Self::U16 | Self::U8 => Some(Element::I32),
            Self::U64 => None,
            Self::U32 => Some(Element::U32),
            Self::Bool => Some(Element::Bool),
        }
    }

    /// Smallest and largest value of an integer type, `None` for the others. That of [`FileType::U64`] ends where i64
    /// does.
    pub fn range(self) -> Option<(i64, i64)> {
        match self {
            Self::I64 => Some((i64::MIN, i64::MAX)),
            Self::I32 => Some((i32::MIN.into(), i32::MAX.into())),
            Self::I16 => Some((i16::MIN.into(), i16::MAX.into())),
            Self::I8 => Some((i8::MIN.into(), i8::MAX.into())),
            Self::U64 => Some((0, i64::MAX)),
            Self::U32 => Some((0, u32::MAX.into())),
            Self::U16 => Some((0, u16::MAX.into())),
            Self::U8 => Some((0, u8::MAX.into())),
            Self::F32 | Self::F16 | Self::BF16 | Self::F64 | Self::Bool => None,
        }
    }

    /// Smallest and largest integer that an input of this type takes: its [`range`](Self::range), or that of
    /// 31 bits for one of 64. `None` for types that are no integers or cannot be an input.
    pub fn port_range(self) -> Option<(i64, i64)> {
        match self {
            Self::I64 => Some(I64_PORT),
            Self::U64 => None,
            _ => self.range(),
        }
    }

    /// The value that this type has in place of `value`: the nearest one, of two equally near ones the even one.
    /// Values beyond the largest of a short float become infinite. Only [`FileType::F16`] and [`FileType::BF16`] change
    /// anything.
    pub fn round(self, value: f32) -> f32 {
        match self {
            Self::F16 => round_to_f16(value),
            Self::BF16 => round_to_bf16(value),
            _ => value,
        }
    }

    /// As ONNX and NumPy spell it: `float32`, `bfloat16`, `int64`, `bool`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::BF16 => "bfloat16",
            Self::F64 => "float64",
            Self::I64 => "int64",
            Self::I32 => "int32",
            Self::I16 => "int16",
            Self::I8 => "int8",
            Self::U64 => "uint64",
            Self::U32 => "uint32",
            Self::U16 => "uint16",
            Self::U8 => "uint8",
            Self::Bool => "bool",
        }
    }
}

impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_holds_every_value_of_a_type_but_those_of_64_bits() {
        for file_type in FileType::ALL {
            let word = match file_type.element() {
                Some(Element::I32) => (i32::MIN.into(), i32::MAX.into()),
                Some(Element::U32) => (0, u32::MAX.into()),
                Some(Element::F32 | Element::Bool) | None => continue,
            };
            let (low, high) = file_type.port_range().expect("an integer");
            assert!(word.0 <= low && high <= word.1, "{file_type}");
            assert_eq!(
                file_type.range() == file_type.port_range(),
                file_type != FileType::I64,
                "{file_type}"
            );
        }
    }

    #[test]
    fn integers_and_only_integers_have_a_range() {
        for file_type in FileType::ALL {
            let is_integer = file_type.name().contains("int");
            assert_eq!(file_type.range().is_some(), is_integer, "{file_type}");
        }
    }
}
