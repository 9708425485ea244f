//! What a TFLite file says of itself: every operator is read as an import reads it, and what is refused is noted.

use std::collections::HashMap;

use super::flatbuffer::Table;
use super::{File, Operator, broken_at, codes, read_operator, read_tensor};
use crate::error::{ErrorKind, ModelError};
use crate::graph::{Graph, Value};
use crate::survey::{Format, Operators, Port, Size, Survey};

/// Reads what a TFLite file says of itself.
///
/// # Errors
/// *Invalid* when the bytes are no TFLite file, or a damaged one; *unsupported* when they are of another version, or more
/// than one graph.
pub fn survey(bytes: &[u8]) -> Result<Survey, ModelError> {
    let file = File::open(bytes)?;
    let broken = |broken| broken_at("header", broken);
    let mut gaps = Vec::new();
    let tensors = file.subgraph.table_vector(0, "tensors").map_err(broken)?;
    let mut graph = Graph::default();
    for (index, tensor) in tensors.iter().enumerate() {
        let value = match read_tensor(index, tensor, &file.buffers) {
            Ok(value) => value,
            Err(error) if error.kind() == ErrorKind::Invalid => return Err(error),
            // Operators refuse it again; the gap is the tensor's.
            Err(error) => {
                gaps.push(error);
                Value {
                    name: tensor.string(3, "tensor name").map_err(broken)?,
                    shape: Vec::new(),
                    element: crate::element::Element::F32,
                    constant: None,
                }
            }
        };
        graph.values.push(value);
    }
    let has_all_tensors = gaps.is_empty();
    let (mut uses, mut folded) = (Operators::default(), HashMap::new());
    let mut writers = vec![None; tensors.len()];
    let nodes = file.subgraph.table_vector(3, "operators").map_err(broken)?;
    for (index, operator) in nodes.iter().enumerate() {
        let Operator { code, custom, name } = file.operator(index, operator)?;
        let origin = format!("operator {index} ({name})");
        for tensor in operator.i32_vector(2, "operator outputs").map_err(broken)? {
            if let Some(writer) = usize::try_from(tensor)
                .ok()
                .and_then(|tensor| writers.get_mut(tensor))
            {
                *writer = Some(name.clone());
            }
        }
        let refused = match read_operator(&mut graph, &mut folded, operator, (code, custom), &origin) {
            Ok(()) => None,
            // What was refused before leaves its mark on what comes after.
            Err(error) if error.kind() == ErrorKind::Invalid && gaps.is_empty() => return Err(error),
            Err(error) => Some(error),
        };
        uses.count(name, refused.is_some());
        // Where tensors are missing, operators fail for them.
        gaps.extend(refused.filter(|_| has_all_tensors));
    }
    let ports = |number, what| -> Result<Vec<Port>, ModelError> {
        let indices = file.subgraph.i32_vector(number, what).map_err(broken)?;
        let ports = indices.into_iter().map(|index| {
            // Biases that operators lack are values of the graph, and no tensors of the file.
            let place = usize::try_from(index).ok().filter(|&place| place < tensors.len());
            let place =
                place.ok_or_else(|| ModelError::invalid(what, format!("tensor {index} does not exist")))?;
            port(&tensors[place], writers[place].clone())
        });
        ports.collect()
    };
    Ok(Survey {
        format: Format::Tflite,
        version: "schema 3".to_owned(),
        inputs: ports(1, "subgraph inputs")?,
        outputs: ports(2, "subgraph outputs")?,
        operators: uses.sorted(),
        gaps,
    })
}

fn port(tensor: &Table<'_>, written_by: Option<String>) -> Result<Port, ModelError> {
    let broken = |broken| broken_at("header", broken);
    let sizes = tensor.i32_vector(0, "tensor shape").map_err(broken)?;
    let shape = sizes.into_iter().map(|size| match usize::try_from(size) {
        Ok(size) => Size::Known(size),
        Err(_) => Size::Open(String::new()),
    });
    Ok(Port {
        name: tensor.string(3, "tensor name").map_err(broken)?,
        element: codes::element_name(tensor.u8(1, 0, "tensor type").map_err(broken)?).to_owned(),
        shape: Some(shape.collect()),
        written_by,
    })
}
