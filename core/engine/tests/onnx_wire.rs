//! The check before the ONNX reader: a model that it must let through unchanged, and bytes that it must refuse with the
//! place where they go wrong. Nothing that it lets through may harm the reader behind it.
#![cfg(feature = "onnx")]

#[path = "support/onnx_writer.rs"]
mod onnx_writer;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "tensors are for other tests")]
mod random;

use onnx_writer::{Message, model, raw_tensor, small_graph, value_info, varint};
use plumbline_engine::ErrorKind;
use plumbline_engine::onnx::wire;
use random::Random;
use rten_onnx::onnx::{AttributeType, DataLocation, DataType};

/// A graph with one node, which has this attribute.
fn with_attribute(attribute: &Message) -> Message {
    model(&Message::new().message(1, &Message::new().text(4, "Relu").message(5, attribute)))
}

/// A graph with this initialiser alone.
fn with_tensor(tensor: &Message) -> Message {
    model(&Message::new().message(5, tensor))
}

#[test]
fn reads_every_message_of_a_model() {
    let bytes = model(&small_graph()).0;
    let read = wire::read_model(&bytes).expect("a valid model");
    let graph = read.graph.as_ref().expect("a graph");
    assert_eq!(
        (graph.node.len(), graph.initializer.len(), graph.input.len()),
        (2, 2, 1)
    );
    assert_eq!(graph.node[0].attribute[0].ints, [1, 1, 0, -1]);
    assert_eq!(graph.node[1].attribute[0].f, Some(0.125));
    assert_eq!(graph.node[1].attribute[1].floats, [1.0, -2.5]);
    assert_eq!(graph.node[1].attribute[1].r#type, Some(AttributeType::FLOATS));
    let branch = graph.node[1].attribute[4].g.as_ref().expect("a branch");
    assert_eq!(branch.node[0].op_type.as_deref(), Some("Identity"));
    let typed = &graph.initializer[1];
    assert_eq!(typed.data_type, Some(DataType::FLOAT));
    assert_eq!(typed.float_data, [1.0, 2.0]);
    assert_eq!(typed.int32_data, [1, 2, 300]);
    assert_eq!(typed.int64_data, [3, -1]);
    assert_eq!(typed.double_data, [1.5]);
    assert_eq!(typed.data_location, Some(DataLocation::EXTERNAL));
    // A writer that is not the tests' own makes the same bytes of what was read.
    assert_eq!(read.write_buf().expect("it can be written"), bytes);
}

/// Packed and one by one mean the same, in any mixture and in messages of any length.
#[test]
fn packed_numbers_are_read_as_those_that_stand_one_by_one() {
    let floats = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    let pair = |packed: bool, count: i64, behind: &str| {
        let integers = |number: u64, values: &[i64]| match packed {
            true => {
                let bytes: Vec<u8> = values.iter().flat_map(|&value| varint(value as u64)).collect();
                Message::new().bytes(number, &bytes)
            }
            false => values
                .iter()
                .fold(Message::new(), |all, &value| all.int(number, value)),
        };
        let values: Vec<i64> = (0..count).map(|at| at * 97 - 3).collect();
        let numbers: Vec<f32> = (0..count).map(|at| at as f32 / 4.0).collect();
        let numbers = match packed {
            true => Message::new().bytes(7, &floats(&numbers)),
            false => numbers.iter().fold(Message::new(), |all, &x| all.float(7, x)),
        };
        let tensor = integers(1, &values).int(2, 1).text(8, behind);
        let attribute = Message::new()
            .text(1, "pads")
            .raw(&integers(8, &values).0)
            .raw(&numbers.0)
            .message(5, &tensor)
            .int(20, 7);
        let node = Message::new()
            .text(4, "Relu")
            .message(5, &attribute)
            .text(3, behind);
        let graph = Message::new()
            .message(1, &node)
            .message(5, &tensor)
            .message(11, &value_info(behind, &[1]));
        model(&graph).0
    };
    // Lengths on both sides of what one, two and three bytes of a length hold.
    for count in [0, 1, 2, 3, 60, 63, 127, 128, 300, 5000, 9000] {
        for behind in ["", "name", &"long".repeat(40)] {
            let expected = wire::read_model(&pair(false, count, behind)).expect("a valid model");
            let read = wire::read_model(&pair(true, count, behind)).expect("a valid model");
            assert_eq!(
                read.write_buf().expect("it can be written"),
                expected.write_buf().expect("it can be written"),
                "{count} numbers"
            );
        }
    }
    let tensor = raw_tensor("x", &[], &[1.0, 2.0]).bytes(1, &[2]).int(1, 1);
    assert_eq!(wire::read_tensor(&tensor.0).expect("a valid tensor").dims, [2, 1]);
}

#[test]
fn reads_a_tensor_of_its_own() {
    let tensor = wire::read_tensor(&raw_tensor("x", &[2, 1], &[1.0, 2.0]).0).expect("a valid tensor");
    assert_eq!(tensor.dims, [2, 1]);
    assert_eq!(tensor.raw_data.expect("bytes").into_inner().len(), 8);
}

#[test]
fn skips_what_it_does_not_know() {
    let unknown = Message::new()
        .int(100, -1)
        .float(101, 1.0)
        .bytes(102, &[0xff; 40])
        .raw(&[0xb9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]);
    let bytes = model(&small_graph().raw(&unknown.0)).raw(&unknown.0).0;
    let read = wire::read_model(&bytes).expect("a valid model");
    assert_eq!(
        read.write_buf().expect("it can be written"),
        model(&small_graph()).0
    );
}

#[test]
fn damage_is_refused_at_its_place() {
    let endless = [0xff; 12];
    let graph = |field: &[u8]| model(&Message::new().raw(field)).0;
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("nothing", vec![], "file", "it is empty"),
        (
            "text",
            b"Dear reader, this is no model.".to_vec(),
            "file",
            "not an ONNX model",
        ),
        (
            "a TFLite model",
            b"\x1c\0\0\0TFL3".to_vec(),
            "file",
            "not an ONNX model",
        ),
        ("a version alone", vec![8, 9], "file", "the graph is missing"),
        (
            "no version",
            Message::new().message(7, &small_graph()).0,
            "file",
            "the version of the format",
        ),
        (
            "no operator sets",
            Message::new().int(1, 9).message(7, &small_graph()).0,
            "file",
            "the operator sets",
        ),
        (
            "half of a version",
            vec![8, 0x80],
            "ir_version (byte 1)",
            "an integer does not end",
        ),
        (
            "an endless tag",
            model(&small_graph()).raw(&endless).0,
            "byte",
            "longer than 64 bits",
        ),
        (
            "an endless version",
            Message::new().raw(&[8]).raw(&endless).0,
            "ir_version (byte 1)",
            "longer than 64 bits",
        ),
        (
            "a version of 65 bits",
            Message::new()
                .raw(&[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2])
                .0,
            "ir_version (byte 1)",
            "longer than 64 bits",
        ),
        (
            "field 0",
            model(&small_graph()).raw(&[0, 0]).0,
            "byte",
            "there is no field 0",
        ),
        (
            "a far field",
            model(&small_graph()).raw(&varint(1 << 32)).raw(&[0]).0,
            "byte",
            "there is no field 536870912",
        ),
        (
            "wire type 6",
            model(&small_graph()).raw(&[0xa6, 0x06]).0,
            "byte",
            "no fields of wire type 6",
        ),
        (
            "a group",
            model(&small_graph()).group(100, &Message::new().int(1, 3)).0,
            "byte",
            "no fields of wire type 3",
        ),
        (
            "a group as graph",
            Message::new().int(1, 9).group(7, &small_graph()).0,
            "graph",
            "wire type 3",
        ),
        (
            "an integer as graph",
            Message::new().int(1, 9).int(7, 1).0,
            "graph (byte 3)",
            "cannot have wire type 0",
        ),
        (
            "a graph past the end",
            vec![8, 9, 0x3a, 40, 0],
            "graph (byte 3)",
            "its 40 bytes are more than the 1 that are left",
        ),
        (
            "a graph of all memory",
            Message::new().int(1, 9).raw(&[0x3a]).raw(&varint(u64::MAX)).0,
            "graph (byte 3)",
            "more than the 0 that are left",
        ),
        (
            "weights of half of all memory",
            Message::new().raw(&[0x4a]).raw(&varint(1 << 62)).0,
            "file",
            "not an ONNX model",
        ),
        // The node ends inside the file, but not inside its graph.
        (
            "a node past its graph",
            graph(&[0x0a, 5]),
            "graph.node[0]",
            "its 5 bytes are more than the 0",
        ),
        (
            "a skipped field past its graph",
            graph(&[0xa2, 0x06, 3, 1]),
            "graph (byte",
            "its 3 bytes are more than the 1",
        ),
        (
            "a number past its graph",
            graph(&[0xa5, 0x06, 1, 2]),
            "graph (byte",
            "a number reaches past the end",
        ),
        (
            "floats that do not fit",
            with_tensor(&Message::new().bytes(4, &[0; 6])).0,
            "graph.initializer[0].float_data[0]",
            "no multiple of 4",
        ),
        (
            "doubles that do not fit",
            with_tensor(&Message::new().bytes(10, &[0; 12])).0,
            "graph.initializer[0].double_data[0]",
            "no multiple of 8",
        ),
        (
            "half of an integer",
            with_tensor(&Message::new().bytes(7, &[1, 0x80])).0,
            "graph.initializer[0].int64_data[0]",
            "an integer does not end",
        ),
        (
            "a name that is no text",
            model(
                &Message::new()
                    .message(1, &Message::new().text(4, "Relu"))
                    .message(1, &Message::new().bytes(3, &[0xff])),
            )
            .0,
            "graph.node[1].name",
            "not UTF-8",
        ),
    ];
    for (what, bytes, place, message) in cases {
        let error = wire::read_model(&bytes)
            .err()
            .unwrap_or_else(|| panic!("{what} was read"));
        assert_eq!(error.kind(), ErrorKind::Invalid, "{what}: {error}");
        assert!(error.place().starts_with(place), "{what}: {error}");
        assert!(error.to_string().contains(message), "{what}: {error}");
    }
    let error = wire::read_tensor(&Message::new().raw(&[0x4a]).raw(&varint(1 << 62)).0).err();
    let error = error.expect("there are no such weights").to_string();
    assert!(
        error.contains("raw_data (byte 1): its 4611686018427387904 bytes are more"),
        "{error}"
    );
}

#[test]
fn forms_that_are_not_read_are_named() {
    let graph_inside = |graph: &Message| {
        let attribute = Message::new().text(1, "body").message(6, graph);
        Message::new().message(1, &Message::new().message(5, &attribute))
    };
    let deep = (0..11).fold(Message::new(), |graph, _| graph_inside(&graph));
    let crowded = [0x2a, 0].repeat(wire::MAX_OVERHEAD / 100);
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        (
            "a string of bytes",
            with_attribute(&Message::new().bytes(4, &[0xff])).0,
            "attribute[0].s",
            "no text",
        ),
        (
            "bytes among strings",
            with_attribute(&Message::new().text(9, "a").bytes(9, &[0xff])).0,
            "strings[1]",
            "no text",
        ),
        (
            "a type as attribute",
            with_attribute(&Message::new().message(14, &Message::new())).0,
            "tp",
            "that is a type",
        ),
        (
            "strings",
            with_tensor(&Message::new().text(6, "a")).0,
            "initializer[0].string_data[0]",
            "a tensor of strings",
        ),
        (
            "typed u64",
            with_tensor(&Message::new().bytes(11, &[1])).0,
            "uint64_data[0]",
            "not stored as raw_data",
        ),
        (
            "sparse weights",
            model(&Message::new().message(15, &Message::new())).0,
            "sparse_initializer[0]",
            "a sparse initialiser",
        ),
        (
            "two graphs",
            model(&small_graph()).message(7, &small_graph()).0,
            "graph (byte",
            "it is there twice",
        ),
        (
            "two names",
            with_tensor(&Message::new().text(8, "a").text(8, "b")).0,
            "initializer[0].name",
            "it is there twice",
        ),
        (
            "a deep model",
            model(&deep).0,
            "graph.node[0].attribute[0].g.node[0]",
            "more than 32 messages",
        ),
        (
            "empty attributes",
            model(&Message::new().bytes(1, &crowded)).0,
            "attribute[",
            "256 MiB",
        ),
    ];
    for (what, bytes, place, message) in cases {
        let error = wire::read_model(&bytes)
            .err()
            .unwrap_or_else(|| panic!("{what} were read"));
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}: {error}");
        assert!(error.place().contains(place), "{what}: {error}");
        assert!(error.to_string().contains(message), "{what}: {error}");
    }
    let deep = (0..10).fold(Message::new(), |graph, _| graph_inside(&graph));
    wire::read_model(&model(&deep).0).expect("ten graphs inside each other are read");
}

#[test]
fn onnx_files_survive_every_truncation() {
    let graph = small_graph();
    let whole = model(&graph).0;
    // Without the metadata the file is whole, and so is the model.
    let metadata = Message::new().message(14, &Message::new().text(1, "task").text(2, "test"));
    let without_metadata = whole.len() - metadata.0.len();
    for len in 0..whole.len() {
        let read = wire::read_model(&whole[..len]);
        assert_eq!(
            read.is_ok(),
            len == without_metadata,
            "{len} of {} bytes",
            whole.len()
        );
    }
    // A tensor is whole wherever one of its fields ends, but never with half of its numbers.
    let whole = raw_tensor("x", &[2], &[1.0, 2.0]).0;
    for len in 0..whole.len() {
        if let Ok(tensor) = wire::read_tensor(&whole[..len]) {
            assert!(tensor.raw_data.is_none(), "{len} of {} bytes", whole.len());
        }
    }
}

#[test]
fn onnx_files_survive_a_million_mutations() {
    let packed = Message::new()
        .text(1, "pads")
        .bytes(8, &[1, 1, 0, 0xac, 2])
        .int(20, 7);
    let packed = Message::new().text(4, "Conv").message(5, &packed);
    let packed = packed.message(5, &Message::new().text(1, "scales").bytes(7, &[0; 8]).int(20, 6));
    let good = model(&small_graph().message(1, &packed)).0;
    let mut random = Random(2026);
    let mut accepted = 0;
    for _ in 0..1_000_000 {
        let mut bytes = good.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len());
            match random.below(7) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.bits() as u8,
                2 => bytes[at] = random.pick(&[0, 1, 0x7f, 0x80, 0xff]),
                3 => {
                    let number = random.pick(&[0, 127, 1 << 14, 1 << 32, 1 << 63, u64::MAX]);
                    bytes.splice(at..at, varint(number));
                }
                4 => {
                    let end = (at + random.below(16)).min(bytes.len());
                    bytes.drain(at..end);
                }
                5 => {
                    let end = (at + random.below(64)).min(bytes.len());
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
                _ => bytes.truncate(at.max(8)),
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        accepted += usize::from(wire::read_model(&bytes).is_ok());
    }
    // Mutations of names and numbers are still models; most others are not.
    assert!(
        (1_000..900_000).contains(&accepted),
        "{accepted} of a million were accepted"
    );
}

#[test]
fn shapes_may_have_sizes_without_a_number() {
    let graph = Message::new().message(11, &value_info("x", &[-1, 3]));
    let read = wire::read_model(&model(&graph).0).expect("a valid model");
    let tensor = read
        .graph
        .and_then(|graph| graph.input[0].r#type.clone()?.tensor_type);
    let dims = tensor.and_then(|tensor| tensor.shape).expect("a shape").dim;
    assert_eq!(
        (dims[0].dim_value, dims[0].dim_param.as_deref()),
        (None, Some("N"))
    );
    assert_eq!((dims[1].dim_value, dims[1].dim_param.as_deref()), (Some(3), None));
}
