//! TFLite import: bytes of a `.tflite` file to a [`Graph`].
//!
//! The reader takes what BlazePose and its relatives use: f32, f16 and i32 tensors, sparse f16 weights, one
//! subgraph, static shapes. Everything else is refused by name. Field numbers follow the TFLite schema, version 3.

mod flatbuffer;
mod operators;
mod sparse;

use std::sync::Arc;

use self::flatbuffer::{Broken, Bytes, Read, Table};
use crate::error::ModelError;
use crate::graph::{Constant, Graph, MAX_ELEMENTS, Node, Value, ValueId, element_count};
use crate::validate::validate;

/// Reads a model.
///
/// # Errors
/// *Invalid* for a file that is truncated, corrupted or no TFLite file at all; *Unsupported* for operators, types or
/// shapes outside this engine. Both name the place in the file. Never panics, whatever the bytes.
pub fn import(bytes: &[u8]) -> Result<Graph, ModelError> {
    if bytes.is_empty() {
        return Err(ModelError::invalid("file", "it is empty"));
    }
    if bytes.get(4..8) != Some(b"TFL3") {
        return Err(ModelError::invalid(
            "header",
            "this is not a TFLite model (bytes 4 to 8 should read TFL3); choose a .tflite file",
        ));
    }
    let model = Bytes(bytes)
        .root()
        .map_err(|broken| broken_at("header", broken))?;
    let graph = read_model(&model)?;
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

fn read_model(model: &Table<'_>) -> Result<Graph, ModelError> {
    let header = |broken| broken_at("header", broken);
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

    let mut graph = Graph::default();
    for (index, tensor) in subgraph
        .table_vector(0, "tensors")
        .map_err(header)?
        .iter()
        .enumerate()
    {
        graph.values.push(read_tensor(index, tensor, &buffers)?);
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

    for (index, operator) in subgraph
        .table_vector(3, "operators")
        .map_err(header)?
        .iter()
        .enumerate()
    {
        let code_index = operator.u32(0, 0, "opcode_index").map_err(header)? as usize;
        let code = *codes.get(code_index).ok_or_else(|| {
            ModelError::invalid(
                format!("operator {index}"),
                format!("operator code {code_index} does not exist"),
            )
        })?;
        let origin = format!("operator {index} ({})", operators::name(code));
        let node = read_operator(&mut graph, operator, code, origin)?;
        graph.nodes.push(node);
    }
    Ok(graph)
}

/// The newer 32-bit code and the older 8-bit one are both written; the larger is the true one.
fn read_operator_code(code: &Table<'_>) -> Read<i32> {
    let old = i32::from(code.u8(0, 0, "deprecated_builtin_code")?);
    let new = code.i32(3, 0, "builtin_code")?;
    Ok(old.max(new))
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
    let element_type = operators::element_type(kind)
        .ok_or_else(|| ModelError::unsupported(place(), format!("element type code {kind}")))?;
    let constant = match data {
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
    kind: operators::ElementType,
    data: &[u8],
    shape: &[usize],
    elements: usize,
    sparsity: Option<&Table<'_>>,
) -> Result<Constant, ModelError> {
    use operators::ElementType;
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
    operator: &Table<'_>,
    code: i32,
    origin: String,
) -> Result<Node, ModelError> {
    let broken = |broken| broken_at(origin.clone(), broken);
    let mut inputs = Vec::new();
    for index in operator.i32_vector(1, "operator inputs").map_err(broken)? {
        // -1 marks an optional operand that is left out; only trailing ones occur in the supported operators.
        if index != -1 {
            inputs.push(value_id(graph, index, &origin)?);
        }
    }
    let outputs = operator.i32_vector(2, "operator outputs").map_err(broken)?;
    let [output] = outputs.as_slice() else {
        return Err(ModelError::invalid(
            origin,
            format!("{} outputs; one is expected", outputs.len()),
        ));
    };
    let output = value_id(graph, *output, &origin)?;
    let options = operator.table(4, "operator options").map_err(broken)?;
    let call = operators::Call {
        graph,
        origin: &origin,
        inputs,
        options,
    };
    let (op, inputs) = operators::translate(code, call)?;
    debug_assert!(
        inputs
            .iter()
            .all(|id| element_count(graph.shape(*id)) <= MAX_ELEMENTS)
    );
    Ok(Node {
        origin,
        op,
        inputs,
        output,
    })
}
