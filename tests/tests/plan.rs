//! What the planner promises, checked on all four models: tensors that live together never overlap, offsets are
//! aligned, and the costs are the ones that were counted from the model files by hand.

use plumbline_engine::fusion::Level;
use plumbline_engine::graph::ValueId;
use plumbline_engine::passes;
use plumbline_engine::plan::{ALIGNMENT, Plan, Precision};
use plumbline_pipeline::models::LANDMARK_OUTPUTS;
use plumbline_tests::blazepose::{MODELS, load};

fn plan(model: &str, outputs: Option<&[&str]>, level: Level) -> Option<Plan> {
    let mut graph = load(model)?;
    if let Some(outputs) = outputs {
        passes::select_outputs(&mut graph, outputs).expect("the outputs exist");
    }
    passes::optimise_to(&mut graph, level).expect("the passes take it");
    Some(Plan::fused(graph, level).expect("it can be planned"))
}

const ALL: Option<&[&str]> = None;
const LIVE: Option<&[&str]> = Some(&LANDMARK_OUTPUTS);

/// MACs of whole models, and without the mask, agree with an independent count over the files' operators; the
/// detector saves 43,352,064 of them by convolving before it enlarges (14x14x1152x192 and 28x28x192x96, to a quarter
/// each). Dispatches
/// and bytes are our own numbers, pinned at every level so that a pass that stops working is seen.
#[test]
fn costs() {
    use Level::{Blocks, Folded, Operators, Pairs, Tail};
    let cases = [
        ("detector", ALL, Operators, 429_859_360, 101, 83_854_520),
        ("detector", ALL, Folded, 386_507_296, 76, 58_584_792),
        ("detector", ALL, Pairs, 386_507_296, 46, 37_021_656),
        ("detector", ALL, Tail, 386_507_296, 33, 11_356_632),
        ("lite", ALL, Folded, 197_822_208, 92, 80_357_604),
        ("lite", ALL, Tail, 197_822_208, 35, 26_590_436),
        ("lite", LIVE, Operators, 166_364_928, 105, 59_651_916),
        ("lite", LIVE, Folded, 166_364_928, 77, 43_657_444),
        ("lite", LIVE, Pairs, 166_364_928, 50, 28_591_332),
        ("lite", LIVE, Blocks, 166_364_928, 37, 8_209_636),
        ("lite", LIVE, Tail, 166_364_928, 26, 8_240_356),
        ("full", ALL, Folded, 386_148_736, 99, 102_350_564),
        ("full", LIVE, Tail, 351_349_120, 26, 12_327_140),
        ("heavy", ALL, Folded, 1_927_318_656, 207, 231_590_628),
        ("heavy", LIVE, Folded, 1_890_290_816, 193, 192_531_172),
        ("heavy", LIVE, Tail, 1_890_290_816, 75, 42_166_500),
    ];
    for (model, outputs, level, macs, dispatches, activation_bytes) in cases {
        let Some(plan) = plan(model, outputs, level) else {
            return;
        };
        let cost = plan.cost;
        assert_eq!(
            (cost.macs, cost.dispatches, cost.activation_bytes),
            (macs, dispatches, activation_bytes),
            "{model} at {}",
            level.name()
        );
    }
}

/// What a frame on the GPU may cost at most, promised to whoever compares engines.
#[test]
fn a_frame_keeps_its_budget() {
    let cases = [
        ("detector", ALL, 37, None),
        ("lite", ALL, 36, None),
        ("lite", LIVE, 27, Some(8_400_000)),
        ("full", LIVE, 27, None),
        ("heavy", LIVE, 76, None),
    ];
    for (model, outputs, dispatches, activation_bytes) in cases {
        let Some(plan) = plan(model, outputs, Level::Tail) else {
            return;
        };
        assert!(plan.cost.dispatches <= dispatches, "{model}: {:?}", plan.cost);
        assert!(
            activation_bytes.is_none_or(|limit| plan.cost.activation_bytes <= limit),
            "{model}: {:?}",
            plan.cost
        );
    }
}

/// Half the bytes where only kernels look; the picture and the heatmaps, which others write and read, stay f32.
#[test]
fn binary16_halves_what_lies_between_the_layers() {
    for (model, outputs, single, half) in [
        ("lite", LIVE, 8_240_356, 4_996_324),
        ("full", LIVE, 12_327_140, 7_213_284),
        ("heavy", LIVE, 42_166_500, 23_269_604),
        ("detector", ALL, 11_356_632, 6_037_976),
    ] {
        let Some(plan) = plan(model, outputs, Level::Tail) else {
            return;
        };
        let graph = plan.graph.clone();
        let halved = Plan::with(graph, Level::Tail, Precision::Half).expect("it can be planned");
        assert_eq!(
            [plan.cost.activation_bytes, halved.cost.activation_bytes],
            [single, half],
            "{model}"
        );
        assert!(halved.arena_len < plan.arena_len);
    }
}

#[test]
fn values_that_live_together_never_overlap() {
    for (model, level) in MODELS
        .into_iter()
        .flat_map(|model| Level::ALL.map(|level| (model, level)))
    {
        let Some(plan) = plan(model, ALL, level) else {
            return;
        };
        let model = format!("{model} at {}", level.name());
        let graph = &plan.graph;
        // Replays the plan and remembers which value wrote each element last: what a step reads must still be there.
        let mut owner: Vec<Option<ValueId>> = vec![None; plan.arena_len];
        let write = |owner: &mut Vec<Option<ValueId>>, id: ValueId| {
            let range = plan.arena_range(id).expect("written values have a place");
            owner[range].fill(Some(id));
        };
        graph.inputs.iter().for_each(|&input| write(&mut owner, input));
        let elided: Vec<usize> = (0..graph.nodes.len())
            .filter(|position| plan.steps.iter().all(|step| !step.nodes.contains(position)))
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
        for step in &plan.steps {
            let hidden: Vec<ValueId> = step.interior(graph).collect();
            let nodes = step.nodes.iter().map(|&position| &graph.nodes[position]);
            let written: Vec<ValueId> = nodes
                .clone()
                .map(|node| node.output)
                .filter(|id| !hidden.contains(id))
                .collect();
            let read: Vec<ValueId> = nodes
                .flat_map(|node| node.inputs.iter().copied())
                .filter(|id| graph.value(*id).constant.is_none() && !hidden.contains(id))
                .collect();
            for &input in &read {
                let own = written.contains(&input);
                assert!(
                    own || intact(&owner, input),
                    "{model}: {step:?} reads overwritten memory"
                );
            }
            for &output in &written {
                // What a step reads it may read at any time, so nothing may be written over it.
                let range = plan.arena_range(output).expect("written values have a place");
                for other in read.iter().chain(&written).filter(|&&other| other != output) {
                    let other = plan.arena_range(*other).expect("read values have a place");
                    assert!(
                        other.end <= range.start || range.end <= other.start,
                        "{model}: {step:?} overlaps"
                    );
                }
                write(&mut owner, output);
            }
            for id in hidden {
                assert_eq!(
                    plan.arena_range(id),
                    None,
                    "{model}: {step:?} hides nothing in the arena"
                );
            }
        }
        assert!(
            graph.outputs.iter().all(|&output| intact(&owner, output)),
            "{model}: an output was overwritten"
        );
        let concatenated = elided.iter().flat_map(|&position| &graph.nodes[position].inputs);
        let concatenated: Vec<&ValueId> = concatenated.collect();
        for step in &plan.steps {
            let result = graph.nodes[*step.nodes.last().expect("no step is empty")].output;
            if !concatenated.contains(&&result) {
                assert_eq!(plan.arena_range(result).unwrap().start % ALIGNMENT, 0, "{model}");
            }
        }
    }
}
