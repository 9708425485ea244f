//! TFLite import: bytes of a `.tflite` file to a [`Graph`].
//!
//! The reader takes floating-point models: f32, f16 and integer tensors, sparse f16 weights, one subgraph, static
//! shapes. Everything else is refused by name. Field numbers follow the TFLite schema, version 3.

mod call;
mod codes;
mod elementwise;
mod flatbuffer;
mod images;
mod operators;
mod shapes;
mod sparse;
mod sums;
mod survey;

use std::collections::HashMap;
use std::sync::Arc;

use self::call::Call;
use self::codes::ElementType;
use self::flatbuffer::{Broken, Bytes, Read, Table};
pub use self::survey::survey;
use crate::error::ModelError;
use crate::graph::{Constant, Graph, MAX_ELEMENTS, Value, ValueId};
use crate::validate::validate;

/// Reads a model.
///
/// # Errors
/// *Invalid* for a file that is truncated, corrupted or no TFLite file at all; *Unsupported* for operators, types or
/// shapes outside this engine. Both name the place in the file. Never panics, whatever the bytes.
pub fn import(bytes: &[u8]) -> Result<Graph, ModelError> {
    let graph = read_model(&File::open(bytes)?)?;
    validate(&graph)?;
    Ok(graph)
}

fn broken_at(place: impl Into<String>, broken: Broken) -> ModelError {
    ModelError::invalid(
        place,
        format!(
            "{} cannot be read (byte {}); the file is truncated or damaged",
            broken.what, broken.offset
        ),
    )
}

/// The parts of a file that a graph is made of.
struct File<'a> {
    /// Code and own name of the operators that it uses, by the index under which nodes use them.
    codes: Vec<(i32, String)>,
    subgraph: Table<'a>,
    buffers: Vec<Table<'a>>,
}

/// Which operator a node uses.
struct Operator<'f> {
    code: i32,
    /// Its author's name for it, where the schema has none.
    custom: &'f str,
    /// For messages.
    name: String,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, ModelError> {
        if bytes.is_empty() {
            return Err(ModelError::invalid("file", "it is empty"));
        }
        if bytes.get(4..8) != Some(b"TFL3") {
            return Err(ModelError::invalid(
                "header",
                "this is not a TFLite model (bytes 4 to 8 should read TFL3); choose a .tflite file",
            ));
        }
        let header = |broken| broken_at("header", broken);
        let model = Bytes(bytes).root().map_err(header)?;
        let version = model.u32(0, 0, "version").map_err(header)?;
        if version != 3 {
            return Err(ModelError::unsupported(
                "header",
                format!("schema version {version}; this reader knows 3"),
            ));
        }
        let codes = model.table_vector(1, "operator codes").map_err(header)?;
        let codes = codes
            .iter()
            .map(read_operator_code)
            .collect::<Read<Vec<_>>>()
            .map_err(header)?;
        let subgraphs = model.table_vector(2, "subgraphs").map_err(header)?;
        let buffers = model.table_vector(4, "buffers").map_err(header)?;
        let [subgraph] = subgraphs.as_slice() else {
            return Err(ModelError::unsupported(
                "header",
                format!("{} subgraphs; one is expected", subgraphs.len()),
            ));
        };
        Ok(Self {
            codes,
            subgraph: *subgraph,
            buffers,
        })
    }

    /// What node number `index` uses.
    fn operator(&self, index: usize, node: &Table<'_>) -> Result<Operator<'_>, ModelError> {
        let code = node
            .u32(0, 0, "opcode_index")
            .map_err(|broken| broken_at("header", broken))?;
        let (code, custom) = self.codes.get(code as usize).ok_or_else(|| {
            ModelError::invalid(
                format!("operator {index}"),
                format!("operator code {code} does not exist"),
            )
        })?;
        let name = match *code {
            codes::CUSTOM => custom.clone(),
            code => codes::name(code),
        };
        Ok(Operator {
            code: *code,
            custom,
            name,
        })
    }
}

fn read_model(file: &File<'_>) -> Result<Graph, ModelError> {
    let header = |broken| broken_at("header", broken);
    let subgraph = &file.subgraph;
    let mut graph = Graph::default();
    for (index, tensor) in subgraph
        .table_vector(0, "tensors")
        .map_err(header)?
        .iter()
        .enumerate()
    {
        graph.values.push(read_tensor(index, tensor, &file.buffers)?);
    }
    let ids = |graph: &Graph, number, what| -> Result<Vec<ValueId>, ModelError> {
        let indices = subgraph.i32_vector(number, what).map_err(header)?;
        indices
            .into_iter()
            .map(|index| value_id(graph, index, what))
            .collect()
    };
    graph.inputs = ids(&graph, 1, "subgraph inputs")?;
    graph.outputs = ids(&graph, 2, "subgraph outputs")?;

    let mut folded = HashMap::new();
    for (index, operator) in subgraph
        .table_vector(3, "operators")
        .map_err(header)?
        .iter()
        .enumerate()
    {
        let Operator { code, custom, name } = file.operator(index, operator)?;
        let origin = format!("operator {index} ({name})");
        read_operator(&mut graph, &mut folded, operator, (code, custom), &origin)?;
    }
    Ok(graph)
}

/// The code of an operator, and the name of one that is not in the schema. The newer 32-bit code and the older 8-bit one
/// are both written; the larger is the true one.
fn read_operator_code(code: &Table<'_>) -> Read<(i32, String)> {
    let old = i32::from(code.u8(0, 0, "deprecated_builtin_code")?);
    let new = code.i32(3, 0, "builtin_code")?;
    Ok((old.max(new), code.string(1, "custom_code")?))
}

fn value_id(graph: &Graph, index: i32, place: &str) -> Result<ValueId, ModelError> {
    match u32::try_from(index) {
        Ok(id) if (id as usize) < graph.values.len() => Ok(ValueId(id)),
        _ => Err(ModelError::invalid(
            place,
            format!("tensor {index} does not exist"),
        )),
    }
}

fn read_tensor(index: usize, tensor: &Table<'_>, buffers: &[Table<'_>]) -> Result<Value, ModelError> {
    let place = || format!("tensor {index}");
    let broken = |broken| broken_at(place(), broken);
    let name = tensor.string(3, "tensor name").map_err(broken)?;
    let mut shape = Vec::new();
    for dim in tensor.i32_vector(0, "tensor shape").map_err(broken)? {
        match usize::try_from(dim) {
            Ok(size) if size > 0 => shape.push(size),
            _ => {
                return Err(ModelError::invalid(
                    place(),
                    format!("dimension {dim} in its shape"),
                ));
            }
        }
    }
    let elements = shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&elements| elements <= MAX_ELEMENTS)
        .ok_or_else(|| ModelError::unsupported(place(), format!("shape {shape:?} has too many elements")))?;

    let buffer_index = tensor.u32(2, 0, "tensor buffer").map_err(broken)? as usize;
    let buffer = buffers
        .get(buffer_index)
        .ok_or_else(|| ModelError::invalid(place(), format!("buffer {buffer_index} does not exist")))?;
    let data = buffer.byte_vector(0, "buffer data").map_err(broken)?;
    let sparsity = tensor.table(6, "tensor sparsity").map_err(broken)?;
    let kind = tensor.u8(1, 0, "tensor type").map_err(broken)?;
    let element_type = codes::element_type(kind)
        .map_err(|message| ModelError::unsupported(format!("tensor {index} '{name}'"), message))?;
    let constant = match data {
        [] if element_type == ElementType::I64 => {
            let message = "64-bit integers that are not constant";
            return Err(ModelError::unsupported(
                format!("tensor {index} '{name}'"),
                message,
            ));
        }
        [] => None,
        data => Some(read_constant(
            &place,
            element_type,
            data,
            &shape,
            elements,
            sparsity.as_ref(),
        )?),
    };
    Ok(Value {
        name,
        shape,
        element: element_type.element(),
        constant,
    })
}

fn read_constant(
    place: &dyn Fn() -> String,
    kind: ElementType,
    data: &[u8],
    shape: &[usize],
    elements: usize,
    sparsity: Option<&Table<'_>>,
) -> Result<Constant, ModelError> {
    let stored = data.len() / kind.size();
    if !data.len().is_multiple_of(kind.size()) || (sparsity.is_none() && stored != elements) {
        let message = format!(
            "{} bytes of data do not fit shape {shape:?} of {}",
            data.len(),
            kind.name()
        );
        return Err(ModelError::invalid(place(), message));
    }
    if let Some(sparsity) = sparsity {
        if kind != ElementType::F16 {
            return Err(ModelError::unsupported(
                place(),
                format!("sparse {} data", kind.name()),
            ));
        }
        let positions =
            sparse::positions(sparsity, shape, stored).map_err(|broken| broken_at(place(), broken))?;
        return Ok(Constant::SparseF16 {
            values: u16s(data),
            positions: positions.into(),
        });
    }
    Ok(match kind {
        ElementType::F32 => Constant::F32(words(data).map(f32::from_le_bytes).collect()),
        ElementType::I32 => Constant::I32(words(data).map(i32::from_le_bytes).collect()),
        ElementType::F16 => Constant::F16(u16s(data)),
        ElementType::Bool => Constant::U32(data.iter().map(|&byte| u32::from(byte != 0)).collect()),
        ElementType::I64 => {
            let (words, _) = data.as_chunks::<8>();
            let narrow = words.iter().map(|&word| i32::try_from(i64::from_le_bytes(word)));
            let narrow: Result<Arc<[i32]>, _> = narrow.collect();
            Constant::I32(narrow.map_err(|_| {
                ModelError::unsupported(place(), "integers of more than the 32 bits of a frame")
            })?)
        }
    })
}

fn words(data: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    data.chunks_exact(4)
        .map(|word| [word[0], word[1], word[2], word[3]])
}

fn u16s(data: &[u8]) -> Arc<[u16]> {
    data.chunks_exact(2)
        .map(|half| u16::from_le_bytes([half[0], half[1]]))
        .collect()
}

fn read_operator(
    graph: &mut Graph,
    folded: &mut HashMap<ValueId, ValueId>,
    operator: &Table<'_>,
    (code, custom_name): (i32, &str),
    origin: &str,
) -> Result<(), ModelError> {
    let broken = |broken| broken_at(origin, broken);
    let mut inputs = Vec::new();
    for index in operator.i32_vector(1, "operator inputs").map_err(broken)? {
        // -1 marks an optional operand that is left out; only trailing ones occur in the supported operators.
        if index != -1 {
            inputs.push(value_id(graph, index, origin)?);
        }
    }
    let outputs = operator.i32_vector(2, "operator outputs").map_err(broken)?;
    let outputs = outputs.into_iter().map(|index| value_id(graph, index, origin));
    let outputs: Vec<ValueId> = outputs.collect::<Result<_, _>>()?;
    let has_parts = matches!(code, codes::SPLIT | codes::SPLIT_V | codes::UNPACK);
    if outputs.is_empty() || (outputs.len() > 1 && !has_parts) {
        return Err(ModelError::invalid(
            origin,
            format!("{} outputs; one is expected", outputs.len()),
        ));
    }
    let options = operator.table(4, "operator options").map_err(broken)?;
    let custom_options = operator.byte_vector(5, "custom options").map_err(broken)?;
    let mut call = Call {
        graph,
        folded,
        origin,
        inputs,
        outputs,
        options,
        custom_name,
        custom_options,
    };
    operators::translate(code, &mut call)
}
