//! Each GPU kernel against the naive interpreter, on random shapes, paddings, strides and epilogues, through
//! wgpu.
//!
//! Mesa's lavapipe serves where there is no GPU (`mesa-vulkan-drivers`, `VK_DRIVER_FILES`); without any
//! adapter the tests say so and pass.
#![cfg(feature = "native")]

#[path = "support/families.rs"]
mod families;
#[path = "support/fused.rs"]
mod fused;
#[path = "support/maps.rs"]
mod maps;
#[path = "support/random.rs"]
mod random;
#[path = "support/suite.rs"]
mod suite;
#[path = "support/zips.rs"]
mod zips;

use std::sync::OnceLock;

use plumbline_engine::encoding::{Encoding, Precision};
use plumbline_engine::fusion::Level;
use plumbline_engine::gpu::native::{Gpu, GpuError, Replayer};
use plumbline_engine::gpu::{self, ARENA, BINDING_ALIGNMENT, Recording, WEIGHTS, WeightLimits};
use plumbline_engine::graph::{Activation, Graph, Node, Op};
use plumbline_engine::ops::{Binary, Unary};
use plumbline_engine::plan::Plan;
use suite::{Case, Family};

/// Rounds of each kernel; each draws its own shapes and compiles its own shader.
const ROUNDS: u64 = 40;

/// One device for all tests of this file; `None`, said once, when the machine has none.
fn device() -> Option<&'static Gpu> {
    static DEVICE: OnceLock<Option<Gpu>> = OnceLock::new();
    DEVICE
        .get_or_init(|| match Gpu::open() {
            Ok(gpu) => {
                eprintln!("GPU tests run on {}", gpu.adapter());
                Some(gpu)
            }
            Err(error) => {
                eprintln!("skipped: {error}");
                None
            }
        })
        .as_ref()
}

/// Runs a case and compares all outputs.
fn check(case: &Case) {
    check_with(case, &case.inputs);
}

/// The same, with inputs as the plan keeps them.
fn check_with(case: &Case, inputs: &[Vec<f32>]) {
    let Some(gpu) = device() else { return };
    let recording = gpu::record(&case.plan()).expect("a recording");
    let texts: String = recording
        .shaders
        .iter()
        .map(|shader| shader.text.as_str())
        .collect();
    let mut replayer = Replayer::new(gpu, recording).unwrap_or_else(|error| panic!("{error}\n{texts}"));
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let outputs = replayer.run(&inputs).expect("a frame");
    case.check(&texts, |name| outputs.get_words(name));
}

fn convolutions(seeds: std::ops::Range<u64>, family: Family) {
    seeds
        .filter_map(|seed| suite::convolution(seed, family))
        .for_each(|case| check(&case));
}

#[test]
fn pointwise_convolutions() {
    convolutions(0..ROUNDS, Family::Pointwise);
}

#[test]
fn general_convolutions() {
    convolutions(1000..1000 + 2 * ROUNDS, Family::General);
}

#[test]
fn depthwise_convolutions() {
    convolutions(2000..2000 + 2 * ROUNDS, Family::Depthwise);
}

#[test]
fn blocks_around_a_depthwise_convolution() {
    (0..ROUNDS).for_each(|seed| check(&fused::block(7000 + seed)));
}

/// Node by node, so that the values between expansion, depthwise convolution and projection are stored.
#[test]
fn values_in_binary16() {
    for seed in 0..ROUNDS {
        let case = Case {
            level: Level::Folded,
            precision: Precision::Half,
            ..fused::block(9000 + seed)
        };
        check(&case);
    }
}

/// Every kernel that may come first, on a picture of one to four channels.
#[test]
fn pictures_of_levels() {
    let families = [Family::General, Family::Depthwise, Family::Pointwise];
    let convolutions = families
        .into_iter()
        .flat_map(|family| (0..2 * ROUNDS).filter_map(move |seed| suite::convolution(11_000 + seed, family)));
    let blocks = (0..4 * ROUNDS).map(|seed| fused::block(12_000 + seed));
    let mut tested = 0;
    for mut case in convolutions.chain(blocks) {
        let channels = *case.graph.shape(case.graph.inputs[0]).last().expect("an image");
        if channels > 4 || case.inputs.len() > 1 {
            continue;
        }
        let range = [-1.0, 2.0];
        let Encoding::Levels { scale, low } = Encoding::levels(range) else {
            panic!("pictures are kept as levels");
        };
        let mut words = Vec::new();
        for pixel in case.inputs[0].chunks_exact_mut(channels) {
            let mut levels = [0; 4];
            for (value, level) in pixel.iter_mut().zip(&mut levels) {
                *level = ((*value + 4.0) * 32.0) as u8;
                *value = f32::from(*level) * scale + low;
            }
            words.push(f32::from_bits(u32::from_le_bytes(levels)));
        }
        case.picture = Some(range);
        check_with(&case, &[words]);
        tested += 1;
    }
    assert!(tested >= 20, "{tested} cases had a picture");
}

#[test]
fn chains_of_blocks() {
    (0..ROUNDS / 4).for_each(|seed| check(&fused::chain(9500 + seed)));
}

#[test]
fn ends_of_networks() {
    (0..ROUNDS / 4).for_each(|seed| check(&fused::tail(8000 + seed)));
}

#[test]
fn additions_resizes_and_activations() {
    (0..ROUNDS).for_each(|seed| check(&suite::additions_resizes_and_activations(3000 + seed)));
}

#[test]
fn pools_pads_and_blocks() {
    (0..ROUNDS).for_each(|seed| check(&suite::pools_pads_and_blocks(4000 + seed)));
}

#[test]
fn squeezes_and_scales() {
    for seed in 0..ROUNDS {
        let mut case = suite::squeezes_and_scales(12_000 + seed);
        check(&case);
        case.precision = Precision::Half;
        check(&case);
    }
}

#[test]
fn concatenations_along_every_axis() {
    (0..ROUNDS).for_each(|seed| check(&suite::concatenation(5000 + seed)));
}

/// WGSL promises less than the suite asks for of these: an absolute error of 2^-11 of a sine, 4096 units in the last
/// place of an arc tangent (section 15.7.4), and all that follows from them.
const LOOSE: [Unary; 12] = [
    Unary::Sin,
    Unary::Cos,
    Unary::Tan,
    Unary::Asin,
    Unary::Acos,
    Unary::Atan,
    Unary::Sinh,
    Unary::Cosh,
    Unary::Tanh,
    Unary::Asinh,
    Unary::Acosh,
    Unary::Atanh,
];

#[test]
fn functions_of_each_element() {
    for function in maps::functions() {
        let mut case = maps::case(&function);
        if LOOSE.contains(&function.f) {
            case.tolerance = 1e-3;
        }
        check(&case);
    }
}

#[test]
fn conversions_between_elements() {
    maps::conversions().for_each(|(from, to)| check(&maps::conversion(from, to)));
}

/// WGSL computes a power from a logarithm and an exponential, each of whose errors it bounds (section 15.7.4).
#[test]
fn functions_of_two_elements() {
    for (f, from) in zips::functions() {
        let mut case = zips::case(f, from);
        if f == Binary::Pow {
            case.tolerance = 1e-3;
        }
        check(&case);
    }
}

/// Each thread of a group adds 64 at a time, and 244 such sums.
#[test]
fn long_sums_keep_their_digits() {
    for mut case in families::reductions::long_sums().chain([suite::long_mean()]) {
        case.tolerance = 5e-6;
        check(&case);
    }
}

#[test]
fn families_of_tensor_operators() {
    for (name, case) in families::cases() {
        eprintln!("{name}");
        check(&case);
    }
}

#[test]
fn constants_are_operands_and_outputs() {
    check(&maps::constants());
}

#[test]
fn functions_between_images() {
    for level in Level::ALL {
        for precision in [Precision::Single, Precision::Half] {
            check(&Case {
                level,
                precision,
                ..maps::between_images()
            });
        }
    }
}

#[test]
fn scalars_and_empty_tensors_pass_through_reshapes() {
    check(&maps::reshapes());
}

#[test]
fn parts_of_an_elided_concatenation_share_a_binding() {
    for (channels, rows) in suite::ELIDED {
        check(&suite::elided_concatenation(channels, rows));
    }
}

/// A replayer of the smallest model: max(x, 0), from `input` to `y`.
fn rectifier(gpu: &Gpu, input: &str, shape: &[usize]) -> Replayer {
    let mut graph = Graph::default();
    let x = graph.add_value(input, shape.to_vec(), None);
    let y = graph.add_value("y", shape.to_vec(), None);
    graph.inputs = vec![x];
    graph.outputs = vec![y];
    graph.nodes.push(Node {
        origin: "operator 0".into(),
        op: Op::Activation(Activation::Relu),
        inputs: vec![x],
        output: y,
    });
    let recording = gpu::record(&Plan::new(graph).expect("a plan")).expect("a recording");
    Replayer::new(gpu, recording).expect("a replayer")
}

#[test]
fn frames_may_overlap_and_come_back_in_order() {
    let Some(gpu) = device() else { return };
    let mut replayer = rectifier(gpu, "x", &[1, 2, 2, 3]);
    let frame = |value: f32| vec![value; 12];
    assert!(matches!(replayer.receive(), Err(GpuError::OutOfTurn(_))));
    for round in 0..3 {
        let values = [1.0, 2.0, 3.0].map(|value| value + 10.0 * round as f32);
        for value in values {
            replayer.submit(&[&frame(value)]).expect("room in the ring");
        }
        assert!(matches!(
            replayer.submit(&[&frame(0.0)]),
            Err(GpuError::OutOfTurn(_))
        ));
        for value in values {
            let outputs = replayer.receive().expect("a frame");
            assert_eq!(outputs.get("y"), Some(frame(value).as_slice()));
            assert_eq!(outputs.get("z"), None);
        }
    }
}

#[test]
fn wrong_inputs_are_named() {
    let Some(gpu) = device() else { return };
    let mut replayer = rectifier(gpu, "camera", &[1, 4]);
    for (inputs, given) in [(&[][..], 0), (&[&[1.0f32][..]][..], 1)] {
        let error = replayer.run(inputs).expect_err("too few numbers");
        assert_eq!(
            error,
            GpuError::WrongInput {
                name: "camera".into(),
                expected: 4,
                given
            }
        );
    }
    assert!(
        replayer.run(&[&[0.0; 4]]).is_ok(),
        "the replayer survives its caller's mistakes"
    );
}

#[test]
fn each_dispatch_is_timed() {
    let Some(gpu) = device() else { return };
    let case = fused::block(7001);
    let recording = gpu::record(&case.plan()).expect("a recording");
    let dispatches = recording.dispatches.len();
    let mut replayer = Replayer::new(gpu, recording).expect("a replayer");
    let inputs: Vec<&[f32]> = case.inputs.iter().map(Vec::as_slice).collect();
    match replayer.profile(&inputs) {
        Ok(nanos) => {
            assert_eq!(nanos.len(), dispatches);
            assert!(
                nanos.iter().all(|&nanos| nanos > 0.0 && nanos < 1e10),
                "no kernel takes no time: {nanos:?}"
            );
        }
        Err(error) => eprintln!("skipped: {error}"),
    }
    let outputs = replayer.run(&inputs).expect("a frame after a timed one");
    case.check("", |name| outputs.get_words(name));
}

/// Runs a case as its whole recording says and as the other does, and compares every bit.
fn check_same(case: &Case, whole: Recording, other: Recording) {
    let Some(gpu) = device() else { return };
    let inputs: Vec<&[f32]> = case.inputs.iter().map(Vec::as_slice).collect();
    let [expected, actual] = [whole, other].map(|recording| {
        let texts: Vec<String> = recording
            .shaders
            .iter()
            .map(|shader| shader.text.clone())
            .collect();
        let replayer = Replayer::new(gpu, recording);
        let mut replayer = replayer.unwrap_or_else(|error| panic!("{error}\n{}", texts.concat()));
        replayer.run(&inputs).expect("a frame")
    });
    case.check("", |name| expected.get_words(name));
    case.check_bits("", |name| expected.get_words(name), |name| actual.get_words(name));
}

/// The largest binding of weights.
fn largest_weights(recording: &Recording) -> u64 {
    let bindings = recording.bind_groups.iter().flat_map(|group| &group.bindings);
    let weights = bindings.filter(|binding| binding.buffer != ARENA);
    weights.map(|binding| binding.bytes).max().unwrap_or(0)
}

/// What a thread computes, and how, is the same in every part: sums are in the same order, so results are the same bits.
#[test]
fn weights_in_parts_give_the_same_bits() {
    for (seed, (image, taps, channels)) in [
        ([1, 1], [1, 1], [64, 64]),
        ([1, 1], [1, 1], [33, 70]),
        ([1, 3], [1, 1], [16, 37]),
        ([1, 5], [1, 1], [20, 200]),
        // Enough threads for two blocks of channels each, without and with a rest of pixels.
        ([8, 8], [1, 1], [32, 512]),
        ([6, 11], [1, 1], [32, 512]),
        ([3, 3], [2, 2], [16, 24]),
        ([2, 5], [2, 3], [5, 50]),
        ([9, 4], [3, 1], [64, 9]),
    ]
    .into_iter()
    .enumerate()
    {
        for is_half in [false, true] {
            let case = suite::dense(13_000 + seed as u64, image, taps, channels, is_half);
            let whole = gpu::record(&case.plan()).expect("a recording");
            let limits = WeightLimits {
                binding_bytes: 2 * largest_weights(&whole) / 5,
                buffer_bytes: largest_weights(&whole).next_multiple_of(BINDING_ALIGNMENT),
            };
            let divided = gpu::record_divided(&case.plan(), limits).expect("a recording in parts");
            assert!(divided.dispatches.len() > 2, "{:?}", whole.shaders[0].label);
            assert!(largest_weights(&divided) <= limits.binding_bytes);
            let weights = &divided.buffers[WEIGHTS..];
            assert!(weights.len() > 1 && weights.iter().all(|buffer| buffer.bytes <= limits.buffer_bytes));
            check_same(&case, whole, divided);
        }
    }
}

/// Kernels of all kinds, whose weights lie in several buffers.
#[test]
fn weights_in_several_buffers_give_the_same_bits() {
    let families = families::cases().map(|(_, case)| case);
    let drawn =
        |family, seed| (0..ROUNDS / 2).filter_map(move |round| suite::convolution(seed + round, family));
    let images = drawn(Family::General, 14_000).chain(drawn(Family::Depthwise, 15_000));
    let fused = (0..8).flat_map(|seed| [fused::chain(16_000 + seed), fused::tail(17_000 + seed)]);
    let mut tested = 0;
    for case in families.chain(images).chain(fused) {
        let whole = gpu::record(&case.plan()).expect("a recording");
        let most = largest_weights(&whole)
            .next_multiple_of(2 * BINDING_ALIGNMENT)
            .max(2 * BINDING_ALIGNMENT);
        // The end of a network binds all of its weights at once; each alone is smaller.
        let divided = [most / 2, most].into_iter().find_map(|bytes| {
            let limits = WeightLimits {
                binding_bytes: bytes,
                buffer_bytes: bytes,
            };
            gpu::record_divided(&case.plan(), limits).ok()
        });
        let divided = divided.expect("a recording");
        if divided.buffers.len() > whole.buffers.len() {
            tested += 1;
            check_same(&case, whole, divided);
        }
    }
    assert!(tested >= 60, "{tested} cases need several buffers");
}
