//! What the planner promises, checked on all four models: tensors that live together never overlap, offsets are
//! aligned, and the costs are the ones that were counted from the model files by hand.

use plumbline_engine::encoding::Precision;
use plumbline_engine::fusion::Level;
use plumbline_engine::graph::ValueId;
use plumbline_engine::passes;
use plumbline_engine::plan::{ALIGNMENT, Plan};
use plumbline_pipeline::models::LANDMARK_OUTPUTS;
use plumbline_pipeline::{Target, Variant, plan_detector, plan_landmarks};
use plumbline_tests::models::{MODELS, bytes_of, load};

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

/// The plan of a frame that stays on a GPU, or that a CPU runs.
fn live_plan(model: &str, target: Target) -> Option<Plan> {
    let bytes = bytes_of(model)?;
    let plan = if model == "detector" {
        plan_detector(&bytes, target)
    } else {
        plan_landmarks(&bytes, target)
    };
    Some(plan.expect("it can be planned"))
}

fn on_gpu(precision: Precision) -> Target {
    Target::Gpu(Variant {
        precision,
        ..Variant::HARDWARE
    })
}

/// What a frame on the GPU may cost at most, promised to whoever compares engines: dispatches, and bytes of activations
/// in f32 and in binary16. The crop and the decoding are two dispatches more; the decoding also computes those cells of
/// the heatmaps that the refinement looks at, which a dispatch did before.
#[test]
fn a_frame_keeps_its_budget() {
    for (model, dispatches, single, half) in [
        ("detector", 37, None, None),
        ("lite", 27, Some(8_400_000), Some(4_200_000)),
        ("full", 27, None, None),
        ("heavy", 76, None, None),
    ] {
        for (precision, limit) in [(Precision::Single, single), (Precision::Half, half)] {
            let Some(plan) = live_plan(model, on_gpu(precision)) else {
                return;
            };
            assert!(plan.cost.dispatches <= dispatches, "{model}: {:?}", plan.cost);
            assert!(
                limit.is_none_or(|limit| plan.cost.activation_bytes <= limit),
                "{model}, {precision:?}: {:?}",
                plan.cost
            );
        }
    }
    // With the mask and the whole heatmaps.
    let Some(plan) = plan("lite", ALL, Level::Tail) else {
        return;
    };
    assert!(plan.cost.dispatches <= 36, "{:?}", plan.cost);
}

/// Half the bytes where only kernels look, a third where the picture lies. What the tail of a network touches stays f32,
/// where one workgroup reads it from its cache, and so do sums that go from block to block on small maps.
#[test]
fn a_frame_moves_the_bytes_that_were_counted() {
    for (model, single, half) in [
        ("lite", 6_552_804, 4_070_628),
        ("full", 10_377_444, 6_432_996),
        ("heavy", 40_216_804, 26_867_940),
        ("detector", 10_955_224, 7_054_040),
    ] {
        let plans = [Precision::Single, Precision::Half].map(|precision| live_plan(model, on_gpu(precision)));
        let [Some(full), Some(halved)] = plans else {
            return;
        };
        assert_eq!(
            [full.cost.activation_bytes, halved.cost.activation_bytes],
            [single, half],
            "{model}"
        );
        assert!(halved.arena_len < full.arena_len);
    }
}

/// Without the last convolution of the heatmaps: 64 x 64 pixels, 39 landmarks, from 32 channels (lite) or 48.
#[test]
fn heatmaps_are_left_to_the_refinement() {
    for (model, macs) in [
        ("lite", 166_364_928 - 4096 * 39 * 32),
        ("full", 351_349_120 - 4096 * 39 * 48),
        ("heavy", 1_890_290_816 - 4096 * 39 * 48),
    ] {
        for target in [Target::Cpu, on_gpu(Precision::Single), on_gpu(Precision::Half)] {
            let Some(plan) = live_plan(model, target) else {
                return;
            };
            assert_eq!(plan.deferred.len(), 1, "{model}");
            assert_eq!(plan.deferred[0].shape, [1, 64, 64, 39], "{model}");
            assert_eq!(plan.cost.macs, macs, "{model}");
        }
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
