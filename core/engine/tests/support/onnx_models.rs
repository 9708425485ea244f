//! Models of a few nodes, written field by field, and a frame of what is read of them.

use plumbline_engine::cpu::Session;
use plumbline_engine::element::FileType;
use plumbline_engine::graph::Graph;
use plumbline_engine::onnx::{Options, import};
use plumbline_engine::plan::Plan;
use plumbline_engine::tensor::{Data, Tensor};
use plumbline_engine::{ModelError, passes};

use super::onnx_writer::Message;

/// Numbers of types in files.
pub const F32: i64 = 1;
pub const U8: i64 = 2;
pub const I8: i64 = 3;
pub const I32: i64 = 6;
pub const I64: i64 = 7;
pub const BOOL: i64 = 9;
pub const U64: i64 = 13;

/// What a graph says of an input or output.
pub fn port(name: &str, data_type: i64, dims: &[i64]) -> Message {
    let shape = dims.iter().fold(Message::new(), |shape, &size| {
        shape.message(1, &Message::new().int(1, size))
    });
    let tensor = Message::new().int(1, data_type).message(2, &shape);
    Message::new()
        .text(1, name)
        .message(2, &Message::new().message(1, &tensor))
}

/// A node; its operands and results are separated by spaces.
pub fn node(operator: &str, operands: &str, results: &str, attributes: &[Message]) -> Message {
    let named = |node: Message, field: u64, names: &str| {
        let names = names.split(' ').filter(|name| !name.is_empty());
        names.fold(node, |node, name| {
            node.text(field, if name == "_" { "" } else { name })
        })
    };
    let node = named(named(Message::new(), 1, operands), 2, results);
    node.text(4, operator).messages(5, attributes)
}

/// An attribute that is a number.
pub fn float(name: &str, value: f32) -> Message {
    Message::new().text(1, name).float(2, value).int(20, 1)
}

/// An attribute that is an integer.
pub fn int(name: &str, value: i64) -> Message {
    Message::new().text(1, name).int(3, value).int(20, 2)
}

/// An attribute that is a list of integers.
pub fn ints(name: &str, values: &[i64]) -> Message {
    let attribute = Message::new().text(1, name);
    let attribute = values
        .iter()
        .fold(attribute, |attribute, &value| attribute.int(8, value));
    attribute.int(20, 7)
}

/// An attribute that is a list of numbers.
pub fn floats(name: &str, values: &[f32]) -> Message {
    let attribute = Message::new().text(1, name);
    let attribute = values
        .iter()
        .fold(attribute, |attribute, &value| attribute.float(7, value));
    attribute.int(20, 6)
}

/// An attribute that is a text.
pub fn text(name: &str, value: &str) -> Message {
    Message::new().text(1, name).text(4, value).int(20, 3)
}

/// A model of nodes, with what else its graph has, for an operator set.
pub fn model(opset: i64, nodes: &[Message], rest: &Message) -> Vec<u8> {
    let graph = Message::new().messages(1, nodes).raw(&rest.0);
    Message::new()
        .int(1, 9)
        .message(7, &graph)
        .message(8, &Message::new().text(1, "").int(2, opset))
        .0
}

/// One input `x` and one output `y`.
pub fn ports(x: Message, y: Message) -> Message {
    Message::new().message(11, &x).message(12, &y)
}

/// The output `y` of a frame with this input.
pub fn frame(graph: Graph, input: &Tensor, output: FileType) -> Tensor {
    let mut graph = graph;
    passes::optimise(&mut graph).expect("the passes take it");
    let shape = graph.shape(graph.outputs[0]).to_vec();
    let mut session = Session::new(Plan::new(graph).expect("a plan")).expect("a session");
    let words = input.to_words("x").expect("a frame's input");
    session.input_words_mut(0).copy_from_slice(&words);
    session.run();
    let words = session.output_words("y").expect("an output");
    Tensor::from_words(output, &shape, words).expect("a tensor of that type")
}

/// The names of a graph's operators.
pub fn operators(graph: &Graph) -> Vec<&'static str> {
    graph.nodes.iter().map(|node| node.op.name()).collect()
}

/// A model, with nothing said of it.
pub fn read(bytes: &[u8]) -> Result<Graph, ModelError> {
    import(bytes, &Options::default())
}

/// A known tensor.
pub fn tensor(file_type: FileType, shape: &[usize], data: Data) -> Tensor {
    Tensor::new(file_type, shape.to_vec(), data).expect("a tensor")
}

/// A known list of integers.
pub fn integers(file_type: FileType, values: &[i64]) -> Tensor {
    tensor(file_type, &[values.len()], Data::Int(values.into()))
}
