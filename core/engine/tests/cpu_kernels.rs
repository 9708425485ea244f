//! Each CPU kernel against the naive interpreter, on random shapes, paddings, strides and epilogues; and, compiled for
//! each instruction set that this machine has, against itself: results are the same bit for bit.
//!
//! Runs natively and in a browser, where it checks the simd128 code.

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

use plumbline_engine::cpu::{Instructions, Session};
use suite::{Case, Family};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Rounds of each kernel; each draws its own shapes.
const ROUNDS: u64 = 200;

/// Runs a case with every instruction set and compares all outputs.
fn check(case: &Case) {
    let mut baseline: Option<Session> = None;
    for instructions in Instructions::available() {
        let mut session = Session::with_instructions(case.plan(), instructions).expect("a session");
        for (index, data) in case.inputs.iter().enumerate() {
            session.input_mut(index).copy_from_slice(data);
        }
        session.run();
        case.check(instructions.name(), |name| session.output_words(name));
        if let Some(baseline) = &baseline {
            case.check_bits(
                instructions.name(),
                |name| baseline.output_words(name),
                |name| session.output_words(name),
            );
        } else {
            baseline = Some(session);
        }
    }
}

fn convolutions(seeds: std::ops::Range<u64>, family: Family) {
    seeds
        .filter_map(|seed| suite::convolution(seed, family))
        .for_each(|case| check(&case));
}

#[test]
fn the_baseline_is_always_there_and_the_best_is_the_widest() {
    let available = Instructions::available();
    assert_eq!(available[0].name(), "baseline");
    let lanes: Vec<usize> = available.iter().map(|set| set.lanes()).collect();
    assert!(lanes.is_sorted(), "{lanes:?}");
    assert_eq!(Some(&Instructions::best().lanes()), lanes.last());
}

#[test]
fn pointwise_convolutions() {
    convolutions(0..ROUNDS, Family::Pointwise);
}

#[test]
fn general_convolutions() {
    convolutions(1000..1000 + ROUNDS, Family::General);
}

#[test]
fn convolutions_to_one_channel() {
    convolutions(6000..6000 + ROUNDS, Family::Single);
}

#[test]
fn depthwise_convolutions() {
    convolutions(2000..2000 + 2 * ROUNDS, Family::Depthwise);
}

#[test]
fn blocks_around_a_depthwise_convolution() {
    (0..2 * ROUNDS).for_each(|seed| check(&fused::block(7000 + seed)));
}

#[test]
fn chains_of_blocks() {
    (0..ROUNDS).for_each(|seed| check(&fused::chain(9500 + seed)));
}

#[test]
fn ends_of_networks() {
    (0..ROUNDS).for_each(|seed| check(&fused::tail(8000 + seed)));
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
    (0..ROUNDS).for_each(|seed| check(&suite::squeezes_and_scales(12_000 + seed)));
}

#[test]
fn concatenations_along_every_axis() {
    (0..ROUNDS).for_each(|seed| check(&suite::concatenation(5000 + seed)));
}

#[test]
fn functions_of_each_element() {
    maps::functions()
        .iter()
        .for_each(|function| check(&maps::case(function)));
}

#[test]
fn conversions_between_elements() {
    maps::conversions().for_each(|(from, to)| check(&maps::conversion(from, to)));
}

#[test]
fn functions_of_two_elements() {
    zips::functions().for_each(|(f, from)| check(&zips::case(f, from)));
    check(&zips::not_a_number());
}

#[test]
fn long_sums_keep_their_digits() {
    families::reductions::long_sums().for_each(|case| check(&case));
    check(&suite::long_mean());
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
    check(&maps::between_images());
}

#[test]
fn scalars_and_empty_tensors_pass_through_reshapes() {
    check(&maps::reshapes());
}

#[test]
fn elided_concatenations() {
    for (channels, rows) in suite::ELIDED {
        check(&suite::elided_concatenation(channels, rows));
    }
}
