//! What an ONNX file says of itself: every node is looked up as an import looks it up, and what is refused is noted.

use std::collections::BTreeSet;

use rten_onnx::onnx::{Dimension, GraphProto, NodeProto, ValueInfoProto};

use super::call::place_of;
use super::header::OLDEST_OPSET;
use super::import::NEWEST_OPSET;
use super::operators::Operator;
use super::{tensors, wire};
use crate::error::ModelError;
use crate::survey::{Format, Operators, Port, Size, Survey};

/// Reads what an ONNX file says of itself. Attributes and shapes are left to an import.
///
/// # Errors
/// Those of [`wire::read_model`].
pub fn survey(bytes: &[u8]) -> Result<Survey, ModelError> {
    let model = wire::read_model(bytes)?;
    let graph = model.graph.unwrap_or_default();
    let mut gaps = Vec::new();
    let own = model
        .opset_import
        .iter()
        .find(|set| is_own(set.domain.as_deref()));
    let version = own.and_then(|set| set.version);
    match version {
        Some(version) if !(OLDEST_OPSET..=NEWEST_OPSET).contains(&version) => {
            gaps.push(ModelError::unsupported(
                "opset_import",
                format!("operator set {version}; this reader knows {OLDEST_OPSET} to {NEWEST_OPSET}"),
            ))
        }
        _ => {}
    }
    let mut operators = Operators::default();
    look(&graph, "", Inside::Every, &mut operators, &mut gaps);
    let known: BTreeSet<Option<&str>> = graph
        .initializer
        .iter()
        .map(|tensor| tensor.name.as_deref())
        .collect();
    let inputs = graph.input.iter();
    let output = |value: &ValueInfoProto| {
        let name = value.name.as_deref().unwrap_or_default();
        let writes = |node: &&NodeProto| node.output.iter().any(|output| output == name);
        Port {
            written_by: graph
                .node
                .iter()
                .find(writes)
                .and_then(|node| node.op_type.clone()),
            ..port(value)
        }
    };
    Ok(Survey {
        format: Format::Onnx,
        version: version.map_or_else(String::new, |version| format!("operator set {version}")),
        inputs: inputs
            .filter(|input| !known.contains(&input.name.as_deref()))
            .map(port)
            .collect(),
        outputs: graph.output.iter().map(output).collect(),
        operators: operators.sorted(),
        gaps,
    })
}

/// Which of the gaps inside of a node are told.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Every,
    /// None: whether the graph is read at all is known to an import only.
    None,
}

/// Counts the operators of a graph and of those inside of its nodes.
fn look(
    graph: &GraphProto,
    place: &str,
    told: Inside,
    operators: &mut Operators,
    gaps: &mut Vec<ModelError>,
) {
    for (position, node) in graph.node.iter().enumerate() {
        let name = node.op_type.as_deref().unwrap_or_default();
        let domain = node.domain.as_deref();
        let message = if !is_own(domain) {
            let domain = domain.unwrap_or_default();
            Some(format!("operators of the domain '{domain}' are not read"))
        } else if Operator::named(name).is_none() {
            Some("this operator is not read".to_owned())
        } else {
            None
        };
        let shown = match domain {
            Some(domain) if !is_own(Some(domain)) => format!("{domain}.{name}"),
            _ => name.to_owned(),
        };
        let place = format!("{place}{}", place_of(node, position));
        operators.count(shown, message.is_some());
        let graphs = node
            .attribute
            .iter()
            .filter_map(|attribute| attribute.g.as_ref().map(|graph| (attribute, graph)));
        for (attribute, graph) in graphs {
            let told = if name == "If" { Inside::None } else { told };
            let place = format!("{place}, {}, ", attribute.name.as_deref().unwrap_or_default());
            look(graph, &place, told, operators, gaps);
        }
        if told == Inside::Every {
            gaps.extend(message.map(|message| ModelError::unsupported(place, message)));
        }
    }
}

fn is_own(domain: Option<&str>) -> bool {
    matches!(domain, None | Some("" | "ai.onnx"))
}

fn port(value: &ValueInfoProto) -> Port {
    let name = value.name.clone().unwrap_or_default();
    let tensor = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let element = match tensor.and_then(|tensor| tensor.elem_type) {
        None => "no tensor".to_owned(),
        Some(data_type) => tensors::file_type(data_type, &name).map_or_else(
            |_| "a type that is not read".to_owned(),
            |file_type| file_type.to_string(),
        ),
    };
    let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
    Port {
        name,
        element,
        shape: shape.map(|shape| shape.dim.iter().map(size).collect()),
        written_by: None,
    }
}

fn size(dimension: &Dimension) -> Size {
    let known = dimension.dim_value.and_then(|size| usize::try_from(size).ok());
    known.map_or_else(
        || Size::Open(dimension.dim_param.clone().unwrap_or_default()),
        Size::Known,
    )
}
