//! What a model is probably for: `plumbline_core`'s proposals, made of what a survey and a graph say.

use plumbline_core::proposal::{Proposal, Question, TensorFacts, propose};
use plumbline_engine::element::Element;
use plumbline_engine::graph::{Graph, Value, ValueId};
use plumbline_engine::survey::{Port, Survey};

use crate::protocol::{ProposalFacts, Unknown};

/// Proposals for a model, the most probable first.
pub fn proposals(survey: &Survey, graph: &Graph) -> Vec<ProposalFacts> {
    let (inputs, outputs) = (named(&graph.inputs, graph), named(&graph.outputs, graph));
    let proposed = propose(
        &tensors(&inputs, &survey.inputs),
        &tensors(&outputs, &survey.outputs),
    );
    proposed.iter().filter_map(facts_of).collect()
}

fn named<'a>(ids: &[ValueId], graph: &'a Graph) -> Vec<&'a Value> {
    ids.iter().map(|&id| graph.value(id)).collect()
}

fn tensors<'a>(values: &[&'a Value], ports: &'a [Port]) -> Vec<TensorFacts<'a>> {
    let facts = |value: &&'a Value| TensorFacts {
        name: &value.name,
        shape: &value.shape,
        is_integer: value.element != Element::F32,
        written_by: ports
            .iter()
            .find(|port| port.name == value.name)
            .and_then(|port| port.written_by.as_deref()),
    };
    values.iter().map(facts).collect()
}

/// A proposal for the person; none where it would be no manifest.
fn facts_of(proposal: &Proposal) -> Option<ProposalFacts> {
    // The person names both; a manifest without them is none.
    let manifest = proposal.manifest("model", "unknown", None);
    manifest.check().ok()?;
    let unknown = proposal.questions.iter().filter_map(|question| match *question {
        // The card asks for it, whatever the model is.
        Question::Licence => None,
        Question::Labels(count) => Some(Unknown::Labels(count)),
        Question::Values => Some(Unknown::Values),
        Question::Colours => Some(Unknown::Colours),
        Question::Resize => Some(Unknown::Resize),
        Question::Keypoints(count) => Some(Unknown::Keypoints(count)),
    });
    Some(ProposalFacts {
        confidence: proposal.confidence.to_string(),
        why: proposal.why.clone(),
        note: proposal.note.map(str::to_owned),
        unknown: unknown.collect(),
        manifest,
    })
}
