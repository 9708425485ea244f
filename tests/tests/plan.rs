//! What the planner promises, checked on all four models: tensors that live together never overlap, offsets are
//! aligned, and the costs are the ones that were counted from the model files by hand.

use plumbline_engine::graph::ValueId;
use plumbline_engine::passes;
use plumbline_engine::plan::{ALIGNMENT, Plan};
use plumbline_pipeline::models::LANDMARK_OUTPUTS;
use plumbline_tests::blazepose::{MODELS, load};

fn plan(model: &str, outputs: Option<&[&str]>) -> Option<Plan> {
    let mut graph = load(model)?;
    if let Some(outputs) = outputs {
        passes::select_outputs(&mut graph, outputs).expect("the outputs exist");
    }
    passes::optimise(&mut graph).expect("the passes take it");
    Some(Plan::new(graph).expect("it can be planned"))
}

/// MACs of whole models, and without the mask, agree with an independent count over the files' operators; dispatches
/// and bytes are our own numbers, pinned so that a pass that stops working is seen.
#[test]
fn costs() {
    let all: Option<&[&str]> = None;
    let live: Option<&[&str]> = Some(&LANDMARK_OUTPUTS);
    let cases = [
        ("detector", all, 429_859_360, 78, 62_272_728),
        ("lite", all, 197_822_208, 92, 80_357_604),
        ("lite", live, 166_364_928, 77, 43_657_444),
        ("full", all, 386_148_736, 99, 102_350_564),
        ("heavy", all, 1_927_318_656, 207, 231_590_628),
        ("heavy", live, 1_890_290_816, 193, 192_531_172),
    ];
    for (model, outputs, macs, dispatches, activation_bytes) in cases {
        let Some(plan) = plan(model, outputs) else { return };
        let cost = plan.cost;
        assert_eq!(
            (cost.macs, cost.dispatches, cost.activation_bytes),
            (macs, dispatches, activation_bytes),
            "{model}"
        );
    }
}

#[test]
fn values_that_live_together_never_overlap() {
    for model in MODELS {
        let Some(plan) = plan(model, None) else { return };
        let graph = &plan.graph;
        // Replays the plan and remembers which value wrote each element last: what a step reads must still be there.
        let mut owner: Vec<Option<ValueId>> = vec![None; plan.arena_len];
        let write = |owner: &mut Vec<Option<ValueId>>, id: ValueId| {
            let range = plan.arena_range(id).expect("written values have a place");
            owner[range].fill(Some(id));
        };
        graph.inputs.iter().for_each(|&input| write(&mut owner, input));
        let elided: Vec<usize> = (0..graph.nodes.len())
            .filter(|position| !plan.steps.contains(position))
            .collect();
        // An elided node renames memory: the values on both sides are the same elements.
        let same = |a: ValueId, b: ValueId| {
            let mut group = vec![a];
            for &position in elided.iter().chain(elided.iter().rev()) {
                let node = &graph.nodes[position];
                if group.contains(&node.output) {
                    group.extend(&node.inputs);
                }
                if node.inputs.iter().any(|input| group.contains(input)) {
                    group.push(node.output);
                }
            }
            group.contains(&b)
        };
        let intact = |owner: &[Option<ValueId>], id: ValueId| {
            let range = plan.arena_range(id).expect("read values have a place");
            let mut owners: Vec<ValueId> = owner[range]
                .iter()
                .map(|owner| owner.expect("written before"))
                .collect();
            owners.dedup();
            owners.into_iter().all(|owner| same(owner, id))
        };
        for &position in &plan.steps {
            let node = &graph.nodes[position];
            for &input in node
                .inputs
                .iter()
                .filter(|id| graph.value(**id).constant.is_none())
            {
                assert!(
                    intact(&owner, input),
                    "{model}: {} reads overwritten memory",
                    node.origin
                );
                let (read, written) = (
                    plan.arena_range(input).unwrap(),
                    plan.arena_range(node.output).unwrap(),
                );
                assert!(
                    read.end <= written.start || written.end <= read.start,
                    "{model}: {} overlaps",
                    node.origin
                );
            }
            write(&mut owner, node.output);
        }
        assert!(
            graph.outputs.iter().all(|&output| intact(&owner, output)),
            "{model}: an output was overwritten"
        );
        let concatenated = elided.iter().flat_map(|&position| &graph.nodes[position].inputs);
        let concatenated: Vec<&ValueId> = concatenated.collect();
        for id in plan.steps.iter().map(|&position| graph.nodes[position].output) {
            if !concatenated.contains(&&id) {
                assert_eq!(plan.arena_range(id).unwrap().start % ALIGNMENT, 0, "{model}");
            }
        }
    }
}
