//! What a model says of itself before its first node: its operator set, its inputs and its outputs.
//!
//! Shapes are static in this engine, and sizes in a file may be open. An open first axis of an input is taken for the
//! batch, of which there is one. Any other open size is asked for: the error names it ([`Missing::Size`]), and the
//! caller gives it under that name.

use std::collections::{BTreeMap, BTreeSet};

use rten_onnx::onnx::{Dimension, ModelProto, TypeProto, ValueInfoProto};

use super::tensors;
use crate::element::FileType;
use crate::error::{Missing, ModelError};
use crate::graph::{Shape, bounded_element_count};

/// The oldest operator set that is read. Operators of older ones broadcast in ways of their own.
pub const OLDEST_OPSET: i64 = 7;

/// An input of the graph, with the shape in which it will be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The name under which nodes read it.
    pub name: String,
    /// What its elements are.
    pub file_type: FileType,
    /// Sizes in the order of the file.
    pub shape: Shape,
}

/// An output of the graph. Its shape follows from the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The name under which a node or input writes it.
    pub name: String,
    /// What its elements are.
    pub file_type: FileType,
}

/// What a model says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the operators of the domain `ai.onnx`.
    pub opset: i64,
    /// Inputs without those that the file itself gives a value.
    pub inputs: Vec<Input>,
    /// Outputs in the order of the file.
    pub outputs: Vec<Output>,
}

impl Header {
    /// Reads a model's header. `sizes` has the open sizes that are known: by their name in the file, or, for those
    /// without a name, as `INPUT[AXIS]`.
    ///
    /// # Errors
    /// *Unsupported* for operator sets before [`OLDEST_OPSET`], for inputs and outputs that are no tensors of a type
    /// that is read, and for sizes that are not known; *invalid* when names or sizes are missing.
    pub fn read(model: &ModelProto, sizes: &BTreeMap<String, usize>) -> Result<Self, ModelError> {
        let graph = model
            .graph
            .as_ref()
            .ok_or_else(|| ModelError::invalid("file", "the graph is missing"))?;
        let known: BTreeSet<Option<&str>> = graph
            .initializer
            .iter()
            .map(|tensor| tensor.name.as_deref())
            .collect();
        let inputs = graph
            .input
            .iter()
            .filter(|input| !known.contains(&input.name.as_deref()));
        Ok(Self {
            opset: opset(model)?,
            inputs: inputs
                .map(|input| read_input(input, sizes))
                .collect::<Result<_, _>>()?,
            outputs: graph.output.iter().map(read_output).collect::<Result<_, _>>()?,
        })
    }
}

fn opset(model: &ModelProto) -> Result<i64, ModelError> {
    let mut versions = model.opset_import.iter().filter(|set| {
        let domain = set.domain.as_deref().unwrap_or_default();
        domain.is_empty() || domain == "ai.onnx"
    });
    let Some(set) = versions.next() else {
        return Err(ModelError::unsupported(
            "opset_import",
            "the model uses no operators of ai.onnx; those of other domains are not read",
        ));
    };
    if versions.next().is_some() {
        return Err(ModelError::invalid(
            "opset_import",
            "it names two versions of ai.onnx",
        ));
    }
    let version = set.version.unwrap_or_default();
    if version < OLDEST_OPSET {
        return Err(ModelError::unsupported(
            "opset_import",
            format!("operator set {version}; this reader knows {OLDEST_OPSET} and newer"),
        ));
    }
    Ok(version)
}

fn dimensions(value: &ValueInfoProto) -> &[Dimension] {
    let tensor = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
    shape.map_or(&[], |shape| &shape.dim)
}

fn name_of(value: &ValueInfoProto, side: &str) -> Result<String, ModelError> {
    let name = value.name.clone().filter(|name| !name.is_empty());
    name.ok_or_else(|| ModelError::invalid("graph", format!("an {side} has no name")))
}

fn file_type_of(kind: Option<&TypeProto>, place: &str) -> Result<FileType, ModelError> {
    match kind.and_then(|kind| kind.tensor_type.as_ref()?.elem_type) {
        Some(data_type) => tensors::file_type(data_type, place),
        None => Err(ModelError::unsupported(
            place,
            "it is no tensor; sequences, optional values and maps are not read",
        )),
    }
}

fn read_output(output: &ValueInfoProto) -> Result<Output, ModelError> {
    let name = name_of(output, "output")?;
    let file_type = file_type_of(output.r#type.as_ref(), &format!("output '{name}'"))?;
    Ok(Output { name, file_type })
}

fn read_input(input: &ValueInfoProto, sizes: &BTreeMap<String, usize>) -> Result<Input, ModelError> {
    let name = name_of(input, "input")?;
    let place = format!("input '{name}'");
    let file_type = file_type_of(input.r#type.as_ref(), &place)?;
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    if tensor.is_none_or(|tensor| tensor.shape.is_none()) {
        return Err(ModelError::unsupported(place, "its shape is not given"));
    }
    let mut shape = Shape::new();
    for (axis, dimension) in dimensions(input).iter().enumerate() {
        // Some writers mark an open size by one below zero.
        let fixed = dimension.dim_value.and_then(|size| usize::try_from(size).ok());
        let symbol = dimension.dim_param.as_deref().filter(|symbol| !symbol.is_empty());
        let key = symbol.map_or_else(|| format!("{name}[{axis}]"), str::to_owned);
        // A size that is also that of an inner axis is asked for there, and then given here.
        let batch = (axis == 0).then_some(1);
        let size = fixed.or_else(|| sizes.get(&key).copied()).or(batch);
        shape.push(size.ok_or_else(|| {
            ModelError::unsupported(
                &place,
                format!("the size '{key}' of axis {axis} is open; give a number for it"),
            )
            .with_missing(Missing::Size(key))
        })?);
    }
    if bounded_element_count(&shape).is_none() {
        let message = format!("its shape {shape:?} has more elements than this engine keeps in a tensor");
        return Err(ModelError::unsupported(place, message));
    }
    Ok(Input {
        name,
        file_type,
        shape,
    })
}
