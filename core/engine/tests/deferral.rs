//! Outputs that a plan leaves to their reader: the CPU gives every element the bits that it has in the whole output, and
//! outputs that are anything else than a last 1x1 convolution stay outputs.
//!
//! Runs natively and in a browser.

#[path = "support/random.rs"]
mod random;
#[path = "support/suite.rs"]
#[allow(dead_code, reason = "it serves other tests too")]
mod suite;

use plumbline_engine::cpu::Session;
use plumbline_engine::graph::{Activation, Op, element_count};
use plumbline_engine::plan::{Options, Plan};
use suite::{Case, Family};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

const ROUNDS: u64 = 400;

fn ran(case: &Case, options: &Options<'_>) -> Session {
    let plan = Plan::with(case.graph.clone(), options).expect("a plan");
    let mut session = Session::new(plan).expect("a session");
    for (index, data) in case.inputs.iter().enumerate() {
        session.input_mut(index).copy_from_slice(data);
    }
    session.run();
    session
}

#[test]
fn a_deferred_element_has_the_bits_of_the_whole_output() {
    let (mut deferred, mut kept) = (0, 0);
    for case in (0..ROUNDS).filter_map(|seed| suite::convolution(seed, Family::Pointwise)) {
        let output = case.graph.outputs[0];
        let name = case.graph.value(output).name.clone();
        let whole = ran(&case, &Options::default());
        let whole = whole.output(&name).expect("an output");
        let names = [name.as_str()];
        let session = ran(
            &case,
            &Options {
                deferred: &names,
                ..Options::default()
            },
        );
        let is_plain = match &case.graph.nodes[0].op {
            Op::Conv2d(conv) => conv.activation == Activation::None && conv.residual.is_none(),
            _ => false,
        };
        let Some(reader) = session.deferred(&name) else {
            assert!(!is_plain, "nothing stands in the way");
            assert_eq!(session.output(&name), Some(whole), "it is computed as ever");
            kept += 1;
            continue;
        };
        assert!(is_plain, "what follows the sum would be lost");
        assert_eq!(session.output(&name), None);
        assert_eq!(reader.shape(), case.graph.shape(output));
        let channels = reader.shape()[3];
        let pixels = element_count(reader.shape()) / channels;
        for channel in 0..channels {
            // Backwards, so that no pixel stands where it stood.
            let mut values = vec![f32::NAN; pixels];
            reader.read(channel, (0..pixels).rev(), &mut values);
            for (value, pixel) in values.iter().zip((0..pixels).rev()) {
                let expected = whole[pixel * channels + channel];
                assert_eq!(
                    value.to_bits(),
                    expected.to_bits(),
                    "channel {channel}, pixel {pixel}"
                );
            }
        }
        deferred += 1;
    }
    assert!(deferred > 20 && kept > 20, "{deferred} deferred, {kept} kept");
}

/// What somebody else reads, and what is no 1x1 convolution.
#[test]
fn other_outputs_stay_outputs() {
    for (seed, family) in (0..40).flat_map(|seed| [(seed, Family::General), (seed, Family::Depthwise)]) {
        let Some(case) = suite::convolution(5000 + seed, family) else {
            continue;
        };
        let output = case.graph.outputs[0];
        let window = case.graph.shape(case.graph.nodes[0].inputs[1]);
        if family == Family::General && window[1..3] == [1, 1] {
            continue;
        }
        let name = case.graph.value(output).name.clone();
        let options = Options {
            deferred: &[&name],
            ..Options::default()
        };
        let session = ran(&case, &options);
        assert!(session.deferred(&name).is_none() && session.output(&name).is_some());
        case.check("", |name| session.output_words(name));
    }
}

/// A name that the model does not have defers nothing, and is no error: plans are made for several models.
#[test]
fn unknown_names_change_nothing() {
    let case = (0..).find_map(|seed| suite::convolution(seed, Family::Pointwise));
    let case = case.expect("the suite draws some");
    let options = Options {
        deferred: &["Elbow"],
        ..Options::default()
    };
    let session = ran(&case, &options);
    assert!(session.deferred("Elbow").is_none());
    case.check("", |name| session.output_words(name));
}
