//! The check that stands before `rten-onnx`: whether bytes are whole messages of ONNX, in forms that it reads.
//!
//! Goes in: the bytes of a file. Comes out: the messages that `rten-onnx` reads from them, or an error with the byte
//! and the field at which they stop making sense.
//!
//! `rten-onnx` 0.27 trusts its files. It asks for as much memory as a length says before it looks whether there are so
//! many bytes; it adds lengths without a check; a varint of ten bytes that goes on keeps it busy for ever; it takes the
//! end of the bytes for the end of every message, so that a file cut in two is a smaller model; it reads what stands in
//! a group as if it stood in the message around it; and of two graphs it takes the second, where Protocol Buffers joins
//! them. So each file is walked once before it is read. Every length must end inside the message that it stands in,
//! every varint must be whole, every known field must have its wire type, strings must be UTF-8, messages may lie at most
//! [`MAX_DEPTH`] deep, and what the reader allocates beside the bytes themselves is bounded ([`MAX_OVERHEAD`]).
//!
//! Fields that change what a model means and that `rten-onnx` does not read are *unsupported*, not skipped. Fields that
//! neither knows are skipped.
//!
//! A file that ends between two fields of the outermost message is whole by its format, whatever was lost. What a model
//! cannot be without is asked for: a version, a graph, operator sets. Writers put fields in the order of their numbers,
//! so only metadata and functions can go missing behind these, and a call of a function that is not there is an unknown
//! operator.
//!
//! Sources: the encoding as Protocol Buffers documents it, the fields of `onnx.proto`.

use rten_onnx::onnx::{
    AttributeProto, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, TypeProtoSequence, TypeProtoTensor, ValueInfoProto,
};
use rten_onnx::protobuf::{DecodeMessage, OwnedValues, ValueReader};

use super::packed::{Edits, varint};
use crate::error::{ErrorKind, ModelError};

/// How many messages may lie inside each other. A graph inside an attribute is three below the graph around it, so
/// this is ten graphs deep.
pub const MAX_DEPTH: usize = 32;

/// What reading may take beside the bytes of the file: messages, strings and widened integers, in bytes. A vector that
/// grows takes up to three times its share for a moment.
pub const MAX_OVERHEAD: usize = 256 << 20;

/// Largest number of a field, by the encoding.
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;

/// Reads a model file (`ModelProto`), after it has been checked.
///
/// # Errors
/// *Invalid* when the bytes are no model or a damaged one, *unsupported* when they use a form that is not read.
pub fn read_model(bytes: &[u8]) -> Result<ModelProto, ModelError> {
    if bytes.is_empty() {
        return Err(ModelError::invalid("file", "it is empty"));
    }
    if !MODEL.can_begin_with(bytes) {
        return Err(ModelError::invalid(
            "file",
            "this is not an ONNX model: it does not begin with a field of one",
        ));
    }
    let model: ModelProto = read(bytes, &MODEL)?;
    let missing = if model.ir_version.is_none() {
        "the version of the format (ir_version)"
    } else if model.graph.is_none() {
        "the graph"
    } else if model.opset_import.is_empty() {
        "the operator sets (opset_import)"
    } else {
        return Ok(model);
    };
    Err(ModelError::invalid(
        "file",
        format!("{missing} is missing; the file is truncated, or this is not an ONNX model"),
    ))
}

/// Reads a file that holds one tensor (`TensorProto`), after it has been checked.
///
/// # Errors
/// *Invalid* when the bytes are no tensor or a damaged one, *unsupported* when they use a form that is not read.
pub fn read_tensor(bytes: &[u8]) -> Result<TensorProto, ModelError> {
    read(bytes, &TENSOR)
}

fn read<M: DecodeMessage<Types = OwnedValues>>(bytes: &[u8], message: &Message) -> Result<M, ModelError> {
    let mut walk = Walk {
        bytes,
        at: 0,
        overhead: message.memory,
        edits: Edits::default(),
    };
    walk.message(message, bytes.len(), MAX_DEPTH)
        .map_err(Fault::into_error)?;
    let bytes = walk.edits.apply(bytes);
    M::decode(ValueReader::from_buf(&bytes[..]))
        .map_err(|error| ModelError::invalid("file", error.to_string()))
}

/// A message of `onnx.proto`: what the reader takes for one, and its fields.
struct Message {
    /// Size of the structure that it is read into, in bytes.
    memory: usize,
    fields: &'static [Field],
}

/// A field that is known. Others are skipped.
struct Field {
    number: u64,
    name: &'static str,
    is_repeated: bool,
    form: Form,
}

/// How the contents of a field are stored.
enum Form {
    Message(&'static Message),
    /// UTF-8, by the format.
    Text,
    /// Any bytes by the format, and UTF-8 for the reader.
    Label,
    Bytes,
    /// An integer; repeated ones may be packed, and are rewritten one by one for the reader.
    Varint,
    /// An f32; as integers.
    Float,
    /// Integers, one by one or packed; each takes this many bytes when it has been read.
    Varints(usize),
    /// Numbers of this many bytes, one by one or packed.
    Numbers(usize),
    /// The reader drops it, and the model would mean something else: what it is, for the message.
    Dropped(&'static str),
}

const fn one(number: u64, name: &'static str, form: Form) -> Field {
    Field {
        number,
        name,
        is_repeated: false,
        form,
    }
}

const fn many(number: u64, name: &'static str, form: Form) -> Field {
    Field {
        number,
        name,
        is_repeated: true,
        form,
    }
}

static MODEL: Message = Message {
    memory: size_of::<ModelProto>(),
    fields: &[
        one(1, "ir_version", Form::Varint),
        one(2, "producer_name", Form::Text),
        one(3, "producer_version", Form::Text),
        one(7, "graph", Form::Message(&GRAPH)),
        many(8, "opset_import", Form::Message(&OPERATOR_SET)),
        many(14, "metadata_props", Form::Message(&ENTRY)),
    ],
};

static OPERATOR_SET: Message = Message {
    memory: size_of::<OperatorSetIdProto>(),
    fields: &[one(1, "domain", Form::Text), one(2, "version", Form::Varint)],
};

static ENTRY: Message = Message {
    memory: size_of::<StringStringEntryProto>(),
    fields: &[one(1, "key", Form::Text), one(2, "value", Form::Text)],
};

static GRAPH: Message = Message {
    memory: size_of::<GraphProto>(),
    fields: &[
        many(1, "node", Form::Message(&NODE)),
        many(5, "initializer", Form::Message(&TENSOR)),
        many(11, "input", Form::Message(&VALUE_INFO)),
        many(12, "output", Form::Message(&VALUE_INFO)),
        many(13, "value_info", Form::Message(&VALUE_INFO)),
        many(15, "sparse_initializer", Form::Dropped("a sparse initialiser")),
    ],
};

static NODE: Message = Message {
    memory: size_of::<NodeProto>(),
    fields: &[
        many(1, "input", Form::Text),
        many(2, "output", Form::Text),
        one(3, "name", Form::Text),
        one(4, "op_type", Form::Text),
        many(5, "attribute", Form::Message(&ATTRIBUTE)),
        one(7, "domain", Form::Text),
    ],
};

static ATTRIBUTE: Message = Message {
    memory: size_of::<AttributeProto>(),
    fields: &[
        one(1, "name", Form::Text),
        one(2, "f", Form::Float),
        one(3, "i", Form::Varint),
        one(4, "s", Form::Label),
        one(5, "t", Form::Message(&TENSOR)),
        one(6, "g", Form::Message(&GRAPH)),
        many(7, "floats", Form::Float),
        many(8, "ints", Form::Varint),
        many(9, "strings", Form::Label),
        many(10, "tensors", Form::Dropped("an attribute of several tensors")),
        many(11, "graphs", Form::Dropped("an attribute of several graphs")),
        one(14, "tp", Form::Dropped("an attribute that is a type")),
        many(15, "type_protos", Form::Dropped("an attribute of several types")),
        one(20, "type", Form::Varint),
        one(
            21,
            "ref_attr_name",
            Form::Dropped("an attribute of a function's caller"),
        ),
        one(22, "sparse_tensor", Form::Dropped("a sparse tensor")),
        many(
            23,
            "sparse_tensors",
            Form::Dropped("an attribute of several sparse tensors"),
        ),
    ],
};

static TENSOR: Message = Message {
    memory: size_of::<TensorProto>(),
    fields: &[
        many(1, "dims", Form::Varint),
        one(2, "data_type", Form::Varint),
        one(3, "segment", Form::Dropped("a tensor in several segments")),
        many(4, "float_data", Form::Numbers(size_of::<f32>())),
        many(5, "int32_data", Form::Varints(size_of::<i32>())),
        many(6, "string_data", Form::Dropped("a tensor of strings")),
        many(7, "int64_data", Form::Varints(size_of::<i64>())),
        one(8, "name", Form::Text),
        one(9, "raw_data", Form::Bytes),
        many(10, "double_data", Form::Numbers(size_of::<f64>())),
        many(
            11,
            "uint64_data",
            Form::Dropped("a tensor that is not stored as raw_data"),
        ),
        many(13, "external_data", Form::Message(&ENTRY)),
        one(14, "data_location", Form::Varint),
    ],
};

static VALUE_INFO: Message = Message {
    memory: size_of::<ValueInfoProto>(),
    fields: &[one(1, "name", Form::Text), one(2, "type", Form::Message(&TYPE))],
};

static TYPE: Message = Message {
    memory: size_of::<TypeProto>(),
    fields: &[
        one(1, "tensor_type", Form::Message(&TENSOR_TYPE)),
        one(4, "sequence_type", Form::Message(&SEQUENCE_TYPE)),
    ],
};

static TENSOR_TYPE: Message = Message {
    memory: size_of::<TypeProtoTensor>(),
    fields: &[
        one(1, "elem_type", Form::Varint),
        one(2, "shape", Form::Message(&SHAPE)),
    ],
};

static SEQUENCE_TYPE: Message = Message {
    memory: size_of::<TypeProtoSequence>(),
    fields: &[one(1, "elem_type", Form::Message(&TYPE))],
};

static SHAPE: Message = Message {
    memory: size_of::<TensorShapeProto>(),
    fields: &[many(1, "dim", Form::Message(&DIMENSION))],
};

static DIMENSION: Message = Message {
    memory: size_of::<Dimension>(),
    fields: &[one(1, "dim_value", Form::Varint), one(2, "dim_param", Form::Text)],
};

impl Message {
    /// Whether the first byte is the tag of one of the fields, with its wire type.
    fn can_begin_with(&self, bytes: &[u8]) -> bool {
        let Some(&tag) = bytes.first() else {
            return false;
        };
        let field = self
            .fields
            .iter()
            .find(|field| field.number == u64::from(tag >> 3));
        field.is_some_and(|field| field.form.wire_type() == Some(u64::from(tag & 7)))
    }
}

/// Wire types, as the encoding numbers them. 3 and 4 begin and end a group.
mod wire_type {
    pub const VARINT: u64 = 0;
    pub const FIXED64: u64 = 1;
    pub const LEN: u64 = 2;
    pub const FIXED32: u64 = 5;
}

impl Form {
    /// The wire type of a single one, when there is one alone.
    fn wire_type(&self) -> Option<u64> {
        match self {
            Form::Message(_) | Form::Text | Form::Label | Form::Bytes => Some(wire_type::LEN),
            Form::Varint | Form::Varints(_) => Some(wire_type::VARINT),
            Form::Float | Form::Numbers(4) => Some(wire_type::FIXED32),
            Form::Numbers(_) => Some(wire_type::FIXED64),
            Form::Dropped(_) => None,
        }
    }
}

/// What is wrong, at which byte, and the way from there to the outermost message.
struct Fault {
    kind: ErrorKind,
    at: usize,
    /// Names of fields, the innermost first.
    path: Vec<String>,
    message: String,
}

impl Fault {
    fn into_error(mut self) -> ModelError {
        self.path.reverse();
        let place = match self.path.as_slice() {
            [] => format!("byte {}", self.at),
            path => format!("{} (byte {})", path.join("."), self.at),
        };
        match self.kind {
            ErrorKind::Invalid => ModelError::invalid(place, self.message),
            ErrorKind::Unsupported => ModelError::unsupported(place, self.message),
        }
    }
}

/// The bytes, how far they have been walked, what reading them would take, and what has to stand otherwise for that.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    overhead: usize,
    edits: Edits,
}

impl Walk<'_> {
    fn damaged(&self, at: usize, what: &str) -> Fault {
        Fault {
            kind: ErrorKind::Invalid,
            at,
            path: Vec::new(),
            message: format!("{what}; the file is truncated or damaged"),
        }
    }

    fn unsupported(&self, at: usize, message: impl Into<String>) -> Fault {
        Fault {
            kind: ErrorKind::Unsupported,
            at,
            path: Vec::new(),
            message: message.into(),
        }
    }

    /// A message that ends at `end`, and all messages in it. Gives by how many bytes it grows for the reader.
    fn message(&mut self, message: &Message, end: usize, depth: usize) -> Result<isize, Fault> {
        if depth == 0 {
            return Err(self.unsupported(
                self.at,
                format!("more than {MAX_DEPTH} messages lie inside each other"),
            ));
        }
        let mut growth = 0;
        let mut seen = vec![0usize; message.fields.len()];
        while self.at < end {
            let begin = self.at;
            let tag = self.varint(end)?;
            let (number, wire_type) = (tag >> 3, tag & 7);
            if !(1..=MAX_FIELD_NUMBER).contains(&number) {
                return Err(self.damaged(begin, &format!("there is no field {number}")));
            }
            let Some(position) = message.fields.iter().position(|field| field.number == number) else {
                self.skip(wire_type, end)?;
                continue;
            };
            let (field, count) = (&message.fields[position], seen[position]);
            seen[position] += 1;
            let outcome = if count > 0 && !field.is_repeated {
                Err(self.unsupported(begin, "it is there twice; Protocol Buffers would join the two"))
            } else {
                self.field(field, begin, wire_type, end, depth)
            };
            growth += outcome.map_err(|mut fault| {
                let index = if field.is_repeated {
                    format!("[{count}]")
                } else {
                    String::new()
                };
                fault.path.push(format!("{}{index}", field.name));
                fault
            })?;
        }
        Ok(growth)
    }

    /// The contents of a known field; its tag, which begins at `tag`, has been read. Gives by how many bytes it grows for
    /// the reader.
    fn field(
        &mut self,
        field: &Field,
        tag: usize,
        wire_type: u64,
        end: usize,
        depth: usize,
    ) -> Result<isize, Fault> {
        let begin = self.at;
        let is_packed = wire_type == wire_type::LEN;
        match &field.form {
            Form::Dropped(what) => {
                return Err(self.unsupported(begin, format!("{what}; such fields are not read")));
            }
            Form::Varint | Form::Float if is_packed && field.is_repeated => {
                return self.unpack(field, tag, end);
            }
            Form::Varints(_) | Form::Numbers(_) if is_packed => {}
            form if form.wire_type() == Some(wire_type) => {}
            _ => return Err(self.damaged(begin, &format!("it cannot have wire type {wire_type}"))),
        }
        match &field.form {
            Form::Message(message) => {
                let end = self.length(end)?;
                let start = self.at;
                self.spend(message.memory)?;
                let growth = self.message(message, end, depth - 1)?;
                if growth == 0 {
                    return Ok(0);
                }
                self.spend(Edits::MEMORY)?;
                let length = (end - start).saturating_add_signed(growth);
                return Ok(growth + self.edits.put(begin..start, varint(length as u64)));
            }
            Form::Text | Form::Label => {
                self.spend(size_of::<String>())?;
                let end = self.length(end)?;
                let text = std::str::from_utf8(&self.bytes[self.at..end]);
                self.at = end;
                match (text, &field.form) {
                    (Ok(_), _) => {}
                    (Err(_), Form::Label) => {
                        return Err(self.unsupported(begin, "it holds bytes that are no text"));
                    }
                    (Err(_), _) => return Err(self.damaged(begin, "it is not UTF-8")),
                }
            }
            Form::Varints(memory) if is_packed => {
                let end = self.length(end)?;
                while self.at < end {
                    self.varint(end)?;
                    self.spend(*memory)?;
                }
            }
            Form::Numbers(size) if is_packed => {
                let end = self.length(end)?;
                if !(end - self.at).is_multiple_of(*size) {
                    return Err(self.damaged(begin, &format!("its length is no multiple of {size} bytes")));
                }
                self.at = end;
            }
            Form::Varint | Form::Varints(_) | Form::Float | Form::Numbers(_) => {
                self.spend(size_of::<u64>())?;
                self.skip(wire_type, end)?;
            }
            Form::Bytes | Form::Dropped(_) => self.skip(wire_type, end)?,
        }
        Ok(0)
    }

    /// Packed numbers of a field whose tag begins at `tag`: each gets a tag of its own.
    fn unpack(&mut self, field: &Field, tag: usize, end: usize) -> Result<isize, Fault> {
        let end = self.length(end)?;
        let wire_type = match field.form {
            Form::Float => wire_type::FIXED32,
            _ => wire_type::VARINT,
        };
        let own_tag = varint(field.number << 3 | wire_type);
        self.spend(Edits::MEMORY)?;
        let mut one_by_one = Vec::new();
        while self.at < end {
            let begin = self.at;
            self.skip(wire_type, end)?;
            // The number as the reader keeps it, and here.
            self.spend(2 * size_of::<u64>() + own_tag.len())?;
            one_by_one.extend_from_slice(&own_tag);
            one_by_one.extend_from_slice(&self.bytes[begin..self.at]);
        }
        Ok(self.edits.put(tag..end, one_by_one))
    }

    /// Goes over the contents of a field, whatever they are.
    fn skip(&mut self, wire_type: u64, end: usize) -> Result<(), Fault> {
        let begin = self.at;
        let size = match wire_type {
            wire_type::VARINT => return self.varint(end).map(|_| ()),
            wire_type::LEN => {
                self.at = self.length(end)?;
                return Ok(());
            }
            wire_type::FIXED64 => 8,
            wire_type::FIXED32 => 4,
            other => return Err(self.damaged(begin, &format!("ONNX has no fields of wire type {other}"))),
        };
        if end - self.at < size {
            return Err(self.damaged(begin, "a number reaches past the end of its message"));
        }
        self.at += size;
        Ok(())
    }

    /// Reads a length, and says where what follows it ends.
    fn length(&mut self, end: usize) -> Result<usize, Fault> {
        let begin = self.at;
        let length = self.varint(end)?;
        usize::try_from(length)
            .ok()
            .filter(|&length| length <= end - self.at)
            .map(|length| self.at + length)
            .ok_or_else(|| {
                let left = end - self.at;
                self.damaged(
                    begin,
                    &format!("its {length} bytes are more than the {left} that are left"),
                )
            })
    }

    /// An integer in base 128, the lowest seven bits first, of at most 64 bits.
    fn varint(&mut self, end: usize) -> Result<u64, Fault> {
        let mut value = 0;
        for (position, &byte) in self.bytes[self.at..end].iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * position);
            if byte < 0x80 {
                if position == 9 && byte > 1 {
                    break;
                }
                self.at += position + 1;
                return Ok(value);
            }
        }
        Err(self.damaged(
            self.at,
            "an integer does not end within its message or is longer than 64 bits",
        ))
    }

    /// Notes that reading takes so many bytes more than the file has.
    fn spend(&mut self, memory: usize) -> Result<(), Fault> {
        self.overhead += memory;
        if self.overhead > MAX_OVERHEAD {
            return Err(self.unsupported(
                self.at,
                format!(
                    "it consists of so many parts that reading it would take {} MiB beside the file; \
                     store large tensors as raw_data",
                    MAX_OVERHEAD >> 20
                ),
            ));
        }
        Ok(())
    }
}
