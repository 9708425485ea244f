//! What ONNX files say of themselves: operator sets, inputs and outputs, and sizes that they leave open.
#![cfg(feature = "onnx")]

#[path = "support/onnx_writer.rs"]
#[allow(dead_code, reason = "whole models are for other tests")]
mod onnx_writer;

use std::collections::BTreeMap;

use onnx_writer::{Message, model, raw_tensor, value_info};
use plumbline_engine::element::FileType;
use plumbline_engine::error::Missing;
use plumbline_engine::onnx::header::{Header, Input, Output};
use plumbline_engine::onnx::wire;
use plumbline_engine::{ErrorKind, ModelError};

fn read(model: &Message, sizes: &[(&str, usize)]) -> Result<Header, ModelError> {
    let sizes: BTreeMap<String, usize> = sizes
        .iter()
        .map(|&(name, size)| (name.to_owned(), size))
        .collect();
    Header::read(&wire::read_model(&model.0)?, &sizes)
}

/// A size: a number, a name, or nothing at all.
#[derive(Clone, Copy)]
enum Size {
    Number(i64),
    Name(&'static str),
    Open,
}

/// What a graph says of a tensor with these sizes.
fn tensor(name: &str, data_type: i64, sizes: &[Size]) -> Message {
    let shape = sizes.iter().fold(Message::new(), |shape, size| {
        let dimension = match size {
            Size::Number(number) => Message::new().int(1, *number),
            Size::Name(name) => Message::new().text(2, name),
            Size::Open => Message::new(),
        };
        shape.message(1, &dimension)
    });
    typed(
        name,
        &Message::new().message(1, &Message::new().int(1, data_type).message(2, &shape)),
    )
}

/// What a graph says of a value of this type.
fn typed(name: &str, kind: &Message) -> Message {
    Message::new().text(1, name).message(2, kind)
}

/// A model with these inputs.
fn with_inputs(inputs: &[Message]) -> Message {
    model(&Message::new().messages(11, inputs))
}

#[test]
fn a_model_says_what_goes_in_and_out() {
    // Old files name initialisers among the inputs.
    let graph = Message::new()
        .message(5, &raw_tensor("weights", &[2], &[1.0, 2.0]))
        .messages(
            11,
            &[value_info("weights", &[2]), value_info("image", &[-1, 3, 4, 4])],
        )
        .message(11, &tensor("flag", 9, &[]))
        .message(12, &tensor("best", 7, &[Size::Open]));
    let expected = Header {
        opset: 18,
        inputs: vec![
            Input {
                name: "image".to_owned(),
                file_type: FileType::F32,
                shape: vec![1, 3, 4, 4],
            },
            Input {
                name: "flag".to_owned(),
                file_type: FileType::Bool,
                shape: vec![],
            },
        ],
        outputs: vec![Output {
            name: "best".to_owned(),
            file_type: FileType::I64,
        }],
    };
    assert_eq!(read(&model(&graph), &[]), Ok(expected));
}

#[test]
fn open_sizes_are_one_given_or_asked_for() {
    use Size::{Name, Number, Open};
    let image = [Open, Number(3), Name("height"), Open];
    let steps = [Name("steps"), Number(8)];
    let memory = [Name("batch"), Name("steps"), Number(0)];
    type Case<'a> = (&'a [Size], &'a [(&'a str, usize)], Result<&'a [usize], &'a str>);
    let cases: [Case<'_>; 9] = [
        (&image, &[], Err("height")),
        (&image, &[("height", 20)], Err("x[3]")),
        (&image, &[("height", 20), ("x[3]", 10)], Ok(&[1, 3, 20, 10])),
        (
            &image,
            &[("height", 20), ("x[3]", 10), ("x[0]", 2)],
            Ok(&[2, 3, 20, 10]),
        ),
        (&[Number(-1), Number(-1)], &[("x[1]", 5)], Ok(&[1, 5])),
        (&[Name("")], &[], Ok(&[1])),
        (&steps, &[], Ok(&[1, 8])),
        (&memory, &[("steps", 6), ("batch", 3)], Ok(&[3, 6, 0])),
        (&[], &[("x[0]", 6)], Ok(&[])),
    ];
    for (sizes, given, expected) in cases {
        let header = read(&with_inputs(&[tensor("x", 1, sizes)]), given);
        match (header, expected) {
            (Ok(header), Ok(expected)) => assert_eq!(header.inputs[0].shape, expected),
            (Err(error), Err(name)) => {
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                assert_eq!(error.missing(), Some(&Missing::Size(name.to_owned())), "{error}");
                assert!(error.to_string().contains(&format!("'{name}'")), "{error}");
            }
            (header, expected) => panic!("{header:?} instead of {expected:?}"),
        }
    }
    // A size that stands first in one input and inside another is no batch of one.
    let both = with_inputs(&[tensor("x", 1, &steps), tensor("y", 1, &memory)]);
    let error = read(&both, &[]).expect_err("how many steps?");
    assert_eq!(error.missing(), Some(&Missing::Size("steps".to_owned())));
    let header = read(&both, &[("steps", 4)]).expect("both are known");
    assert_eq!(
        (&header.inputs[0].shape[..], &header.inputs[1].shape[..]),
        (&[4, 8][..], &[1, 4, 0][..])
    );
}

#[test]
fn what_is_no_tensor_or_too_old_is_refused() {
    use ErrorKind::{Invalid, Unsupported};
    let sets = |sets: &[Message]| {
        let whole = Message::new().int(1, 9).message(7, &Message::new());
        whole.messages(8, sets)
    };
    let set = |domain: &str, version: i64| Message::new().text(1, domain).int(2, version);
    let sequence = Message::new().message(4, &Message::new());
    let shapeless = Message::new().message(1, &Message::new().int(1, 1));
    let too_large = [Size::Number(1 << 40), Size::Number(0)];
    let cases = [
        (
            Unsupported,
            sets(&[set("", 6)]),
            "operator set 6; this reader knows 7 and newer",
        ),
        (Unsupported, sets(&[Message::new().text(1, "")]), "operator set 0"),
        (
            Unsupported,
            sets(&[set("com.example", 18)]),
            "no operators of ai.onnx",
        ),
        (
            Invalid,
            sets(&[set("", 18), set("ai.onnx", 17)]),
            "two versions of ai.onnx",
        ),
        (
            Unsupported,
            with_inputs(&[typed("x", &sequence)]),
            "input 'x': it is no tensor",
        ),
        (
            Unsupported,
            with_inputs(&[Message::new().text(1, "x")]),
            "input 'x': it is no tensor",
        ),
        (
            Unsupported,
            with_inputs(&[typed("x", &shapeless)]),
            "input 'x': its shape is not given",
        ),
        (
            Unsupported,
            with_inputs(&[tensor("x", 8, &[])]),
            "input 'x': its elements are of type STRING",
        ),
        (
            Unsupported,
            with_inputs(&[tensor("x", 1, &too_large)]),
            "more elements than this engine keeps",
        ),
        (
            Invalid,
            with_inputs(&[tensor("", 1, &[])]),
            "an input has no name",
        ),
        (
            Invalid,
            with_inputs(&[tensor("x", 0, &[])]),
            "the type of its elements is not given",
        ),
        (
            Unsupported,
            model(&Message::new().message(12, &typed("y", &sequence))),
            "output 'y': it is no tensor",
        ),
    ];
    for (kind, model, message) in cases {
        let error = read(&model, &[]).expect_err(message);
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.missing(), None, "{error}");
        assert!(error.to_string().contains(message), "{message}: {error}");
    }
    let header = read(&sets(&[set("ai.onnx", 21), set("ai.onnx.ml", 3)]), &[]).expect("a valid header");
    assert_eq!(header.opset, 21);
}
