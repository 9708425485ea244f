//! Writes Protocol Buffers messages field by field, well-formed or not: what a reader must take, and what it must
//! refuse. Written from the documentation of the encoding.

/// A message in the making: fields in the order in which they were added.
#[derive(Clone, Default)]
pub struct Message(pub Vec<u8>);

/// An integer in base 128.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

impl Message {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    fn tag(mut self, number: u64, wire_type: u64) -> Self {
        self.0.extend(varint(number << 3 | wire_type));
        self
    }

    /// Bytes as they are, whether they are a field or not.
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// An integer or a member of an enumeration.
    pub fn int(self, number: u64, value: i64) -> Self {
        self.tag(number, 0).raw(&varint(value as u64))
    }

    /// An f32.
    pub fn float(self, number: u64, value: f32) -> Self {
        self.tag(number, 5).raw(&value.to_le_bytes())
    }

    /// Bytes, a string, or numbers that are packed.
    pub fn bytes(self, number: u64, bytes: &[u8]) -> Self {
        self.tag(number, 2).raw(&varint(bytes.len() as u64)).raw(bytes)
    }

    /// A string.
    pub fn text(self, number: u64, text: &str) -> Self {
        self.bytes(number, text.as_bytes())
    }

    /// A message inside this one.
    pub fn message(self, number: u64, message: &Message) -> Self {
        self.bytes(number, &message.0)
    }

    /// The message again in each of the pieces, one after the other.
    pub fn messages(self, number: u64, messages: &[Message]) -> Self {
        messages
            .iter()
            .fold(self, |whole, message| whole.message(number, message))
    }

    /// A group of fields, a form that ONNX does not use.
    pub fn group(self, number: u64, message: &Message) -> Self {
        self.tag(number, 3).raw(&message.0).tag(number, 4)
    }
}

/// A tensor of f32 that stores its numbers one after the other in bytes.
pub fn raw_tensor(name: &str, dims: &[i64], values: &[f32]) -> Message {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let tensor = dims
        .iter()
        .fold(Message::new(), |tensor, &size| tensor.int(1, size));
    tensor.int(2, 1).text(8, name).bytes(9, &bytes)
}

/// What a graph says of an input or output: its name, and a type of f32 with this shape. A size below zero is unknown
/// and has the name `N`.
pub fn value_info(name: &str, dims: &[i64]) -> Message {
    let shape = dims.iter().fold(Message::new(), |shape, &size| {
        shape.message(
            1,
            &if size < 0 {
                Message::new().text(2, "N")
            } else {
                Message::new().int(1, size)
            },
        )
    });
    let tensor = Message::new().int(1, 1).message(2, &shape);
    Message::new()
        .text(1, name)
        .message(2, &Message::new().message(1, &tensor))
}

/// A model around a graph: version, producer, operator set 18, and a line of metadata behind it.
pub fn model(graph: &Message) -> Message {
    Message::new()
        .int(1, 9)
        .text(2, "plumbline")
        .text(3, "1")
        .message(7, graph)
        .message(8, &Message::new().text(1, "").int(2, 18))
        .message(14, &Message::new().text(1, "task").text(2, "test"))
}

/// A graph with every message and every form of field that models are made of.
pub fn small_graph() -> Message {
    let branch = Message::new()
        .message(
            1,
            &Message::new()
                .text(1, "clipped")
                .text(2, "taken")
                .text(4, "Identity"),
        )
        .message(12, &value_info("taken", &[]));
    let attribute =
        |name: &str, kind: i64, fields: Message| Message::new().text(1, name).raw(&fields.0).int(20, kind);
    let convolution = Message::new()
        .text(1, "image")
        .text(1, "weights")
        .text(2, "filtered")
        .text(3, "first")
        .text(4, "Conv")
        .messages(
            5,
            &[
                attribute("pads", 7, Message::new().int(8, 1).int(8, 1).int(8, 0).int(8, -1)),
                attribute("group", 2, Message::new().int(3, 1)),
                attribute("auto_pad", 3, Message::new().text(4, "NOTSET")),
            ],
        )
        .text(7, "");
    let clip = Message::new()
        .text(1, "filtered")
        .text(2, "clipped")
        .text(4, "LeakyRelu")
        .messages(
            5,
            &[
                attribute("alpha", 1, Message::new().float(2, 0.125)),
                attribute("scales", 6, Message::new().float(7, 1.0).float(7, -2.5)),
                attribute("names", 8, Message::new().text(9, "a").text(9, "b")),
                attribute(
                    "value",
                    4,
                    Message::new().message(5, &raw_tensor("", &[1], &[3.0])),
                ),
                attribute("body", 5, Message::new().message(6, &branch)),
            ],
        );
    let typed = Message::new()
        .int(1, 2)
        .int(2, 1)
        .bytes(4, &[0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
        .bytes(5, &[1, 2, 0xac, 0x02])
        .bytes(
            7,
            &[3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        )
        .text(8, "typed")
        .bytes(10, &1.5f64.to_le_bytes())
        .message(13, &Message::new().text(1, "location").text(2, "weights.bin"))
        .int(14, 1);
    let sequence = Message::new().message(
        4,
        &Message::new().message(1, &Message::new().message(1, &Message::new().int(1, 7))),
    );
    Message::new()
        .messages(1, &[convolution, clip])
        .messages(5, &[raw_tensor("weights", &[1, 1, 1, 2], &[0.5, -1.0]), typed])
        .message(11, &value_info("image", &[-1, 1, 4, 4]))
        .message(12, &value_info("clipped", &[-1, 1, 5, 3]))
        .message(13, &Message::new().text(1, "list").message(2, &sequence))
}
