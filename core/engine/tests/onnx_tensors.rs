//! Tensors of ONNX files: every type in both ways of storing it, and contradictions that must be refused.
#![cfg(feature = "onnx")]

#[path = "support/onnx_writer.rs"]
#[allow(dead_code, reason = "whole models are for other tests")]
mod onnx_writer;

use onnx_writer::{Message, raw_tensor};
use plumbline_engine::element::FileType;
use plumbline_engine::onnx::{tensors, wire};
use plumbline_engine::tensor::{Data, Tensor};
use plumbline_engine::{ErrorKind, ModelError};

/// Reads a file that holds one tensor.
fn read(bytes: &[u8]) -> Result<Tensor, ModelError> {
    tensors::read(wire::read_tensor(bytes)?, "tensor x")
}

/// The bytes that a text in hexadecimal stands for.
fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

/// Three elements of shape `[3, 1]`, as onnx 1.23.2 wrote them: first `numpy_helper.from_array`, which stores bytes, then
/// `helper.make_tensor`, which stores numbers in the field for the type. 0.1 and 1/3 were rounded by NumPy.
#[test]
fn every_type_is_read_from_bytes_and_from_numbers() {
    let floats = |values: [f32; 3]| Data::Float(values.into());
    let ints = |values: [i64; 3]| Data::Int(values.into());
    let cases: [(FileType, Data, &str, &str); 13] = [
        (
            FileType::F32,
            floats([0.1, -2.5, f32::INFINITY]),
            "0803080110014a0ccdcccc3d000020c00000807f",
            "080308011001220ccdcccc3d000020c00000807f4200",
        ),
        (
            FileType::F16,
            floats([0.333_251_95, -65504.0, 5.960_464_5e-8]),
            "08030801100a4a065535fffb0100",
            "08030801100a2a06d56afff703014200",
        ),
        (
            FileType::BF16,
            floats([0.100_097_656, -3.004_055_3e38, 1.0]),
            "0803080110104a06cd3d62ff803f",
            "0803080110102a07cd7be2fe03807f4200",
        ),
        (
            FileType::F64,
            floats([0.1, -3.0, f32::INFINITY]),
            "08030801100b4a189a9999999999b93f00000000000008c09c7500883ce4377e",
            "08030801100b420052189a9999999999b93f00000000000008c09c7500883ce4377e",
        ),
        (
            FileType::I64,
            ints([i64::MIN, i64::MAX, -1]),
            "0803080110074a180000000000000080ffffffffffffff7fffffffffffffffff",
            "0803080110073a1d80808080808080808001ffffffffffffffff7fffffffffffffffffff014200",
        ),
        (
            FileType::I32,
            ints([i32::MIN.into(), i32::MAX.into(), -1]),
            "0803080110064a0c00000080ffffff7fffffffff",
            "0803080110062a1980808080f8ffffffff01ffffffff07ffffffffffffffffff014200",
        ),
        (
            FileType::I16,
            ints([-32768, 32767, -1]),
            "0803080110054a060080ff7fffff",
            "0803080110052a178080feffffffffffff01ffff01ffffffffffffffffff014200",
        ),
        (
            FileType::I8,
            ints([-128, 127, -1]),
            "0803080110034a03807fff",
            "0803080110032a1580ffffffffffffffff017fffffffffffffffffff014200",
        ),
        (
            FileType::U64,
            ints([0, i64::MAX, 1]),
            "08030801100d4a180000000000000000ffffffffffffff7f0100000000000000",
            "08030801100d42005a0b00ffffffffffffffff7f01",
        ),
        (
            FileType::U32,
            ints([0, u32::MAX.into(), 1]),
            "08030801100c4a0c00000000ffffffff01000000",
            "08030801100c42005a0700ffffffff0f01",
        ),
        (
            FileType::U16,
            ints([0, 65535, 1]),
            "0803080110044a060000ffff0100",
            "0803080110042a0500ffff03014200",
        ),
        (
            FileType::U8,
            ints([0, 255, 1]),
            "0803080110024a0300ff01",
            "0803080110022a0400ff01014200",
        ),
        (
            FileType::Bool,
            Data::Bool([true, false, true].into()),
            "0803080110094a03010001",
            "0803080110092a030100014200",
        ),
    ];
    for (file_type, data, bytes, numbers) in cases {
        let expected = Tensor::new(file_type, vec![3, 1], data).expect("three elements");
        assert_eq!(read(&unhex(bytes)).as_ref(), Ok(&expected), "{file_type}");
        let numbers = read(&unhex(numbers));
        if matches!(file_type, FileType::U32 | FileType::U64) {
            let error = numbers.expect_err("uint64_data is not read");
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        } else {
            assert_eq!(numbers.as_ref(), Ok(&expected), "{file_type}");
        }
    }
}

#[test]
fn scalars_and_empty_tensors_are_read() {
    let scalar = read(&raw_tensor("x", &[], &[2.5]).0).expect("a scalar");
    assert_eq!(
        (scalar.shape(), scalar.floats().as_deref()),
        (&[][..], Some(&[2.5][..]))
    );
    for empty in [
        raw_tensor("x", &[3, 0], &[]),
        Message::new().int(1, 3).int(1, 0).int(2, 7),
    ] {
        let empty = read(&empty.0).expect("a tensor without elements");
        assert_eq!((empty.shape(), empty.len()), (&[3, 0][..], 0));
    }
}

#[test]
fn contradictions_and_gaps_are_named() {
    use ErrorKind::{Invalid, Unsupported};
    let sized = |dims: &[i64], data_type: i64| {
        let tensor = dims
            .iter()
            .fold(Message::new(), |tensor, &size| tensor.int(1, size));
        tensor.int(2, data_type)
    };
    let outside = |key: &str| {
        let entry = Message::new().text(1, key).text(2, "weights.bin");
        sized(&[2], 1).message(13, &entry)
    };
    let cases = [
        (
            Unsupported,
            outside("location").int(14, 1),
            "in another file (weights.bin)",
        ),
        (Unsupported, outside("offset").int(14, 1), "which one is not said"),
        (Unsupported, outside("location"), "in another file"),
        (Unsupported, sized(&[2], 1).int(14, 1), "in another file"),
        (Unsupported, sized(&[1], 8), "of type STRING"),
        (Unsupported, sized(&[1], 17), "of type FLOAT8E4M3FN"),
        (Unsupported, sized(&[2], 22), "of type INT4"),
        (Unsupported, sized(&[1], 14), "of type COMPLEX64"),
        (Unsupported, sized(&[1], 77), "of type 77"),
        (Unsupported, sized(&[1 << 20, 1 << 20], 1), "more elements than"),
        (
            Unsupported,
            sized(&[i64::MAX, i64::MAX, 4], 1),
            "more elements than",
        ),
        (
            Unsupported,
            sized(&[1], 13).bytes(9, &[0xff; 8]),
            "larger than 9223372036854775807",
        ),
        (
            Invalid,
            Message::new().int(1, 1),
            "type of its elements is not given",
        ),
        (Invalid, sized(&[-1], 1), "a size below zero"),
        (
            Invalid,
            sized(&[2], 1).bytes(9, &[0; 7]),
            "7 bytes; shape [2] of float32 takes 8",
        ),
        (Invalid, sized(&[2], 11), "0 bytes; shape [2] of float64 takes 16"),
        (
            Invalid,
            sized(&[2], 1).bytes(4, &[0; 12]),
            "3 elements for shape [2]",
        ),
        (Invalid, sized(&[2], 7).bytes(7, &[1]), "1 elements for shape [2]"),
        (
            Invalid,
            sized(&[2], 7).bytes(5, &[1, 2]),
            "int32_data has numbers, but its elements of type int64 are in int64_data",
        ),
        (Invalid, sized(&[2], 12).bytes(5, &[1, 2]), "are in raw_data"),
        (
            Invalid,
            sized(&[1], 1).bytes(4, &[0; 4]).bytes(9, &[0; 4]),
            "float_data has numbers, but",
        ),
        (
            Invalid,
            sized(&[1], 1).bytes(4, &[0; 4]).bytes(5, &[0]),
            "int32_data has numbers, but",
        ),
        (
            Invalid,
            sized(&[1], 10).bytes(5, &[0x80, 0x80, 0x04]),
            "no bit pattern of a float16",
        ),
        (Invalid, sized(&[1], 2).bytes(5, &[0x80, 0x02]), "256 is no uint8"),
        (Invalid, sized(&[1], 3).bytes(5, &[0x80, 0x01]), "128 is no int8"),
    ];
    for (kind, tensor, message) in cases {
        let error = read(&tensor.0).expect_err(message);
        assert_eq!((error.kind(), error.place()), (kind, "tensor x"), "{error}");
        assert!(error.to_string().contains(message), "{message}: {error}");
    }
}
