//! Frames computed by several parties, each a thread with a session of its own, against one party alone.

#[path = "support/fused.rs"]
mod fused;
#[allow(dead_code, reason = "one graph of these is divided")]
#[path = "support/maps.rs"]
mod maps;
#[path = "support/random.rs"]
mod random;
#[path = "support/suite.rs"]
mod suite;

use std::sync::{Barrier, Condvar, Mutex};
use std::time::Duration;

use plumbline_engine::cpu::Session;
use plumbline_engine::cpu::bands::{Division, Exchange};
use plumbline_engine::fusion::Level;
use random::Random;
use suite::{Case, Family};

/// Rounds of each family; each draws its own shapes.
const ROUNDS: u64 = 100;
/// Frames of each case, so that rows of one frame are not taken for those of the next.
const FRAMES: usize = 2;

/// A place for every transfer, filled once a frame. The parties wait for each other between frames.
struct Board {
    slots: Vec<(Mutex<Option<Vec<f32>>>, Condvar)>,
    between_frames: Barrier,
}

impl Exchange for &Board {
    type Error = String;

    fn send(&mut self, transfer: usize, values: &[f32]) {
        let (slot, filled) = &self.slots[transfer];
        let before = slot.lock().expect("no party panicked").replace(values.to_vec());
        assert!(before.is_none(), "transfer {transfer} was sent twice in a frame");
        filled.notify_all();
    }

    fn receive(&mut self, transfer: usize, values: &mut [f32]) -> Result<(), String> {
        let (slot, filled) = &self.slots[transfer];
        let guard = slot.lock().expect("no party panicked");
        let (mut guard, waited) = filled
            .wait_timeout_while(guard, Duration::from_secs(20), |sent| sent.is_none())
            .expect("no party panicked");
        if waited.timed_out() {
            return Err(format!("transfer {transfer} does not come"));
        }
        values.copy_from_slice(&guard.take().expect("waited for it"));
        Ok(())
    }
}

/// Fills in a case's inputs.
fn write_inputs(session: &mut Session, inputs: &[Vec<f32>]) {
    for (index, data) in inputs.iter().enumerate() {
        session.input_mut(index).copy_from_slice(data);
    }
}

/// Runs a case with so many parties and compares every output, bit by bit, with one party's. Each party has run a frame
/// of other numbers before, so that reading what it was not sent shows.
fn check(mut case: Case, parties: usize) {
    case.level = Level::Folded;
    let plan = case.plan();
    let mut alone = Session::new(plan.clone()).expect("a session");
    write_inputs(&mut alone, &case.inputs);
    alone.run();
    let division = Division::new(&plan, parties).expect("one node a step");
    let slot = |_| (Mutex::new(None), Condvar::new());
    let board = Board {
        slots: (0..division.transfers().len()).map(slot).collect(),
        between_frames: Barrier::new(parties),
    };
    let mut random = Random(parties as u64);
    let others: Vec<Vec<f32>> = case.inputs.iter().map(|data| random.tensor(data.len())).collect();
    let run = |party: usize| {
        let mut session = Session::new(plan.clone()).expect("a session");
        let band = division.band(party);
        for _ in 0..FRAMES {
            write_inputs(&mut session, &others);
            session.run();
            if party == 0 {
                write_inputs(&mut session, &case.inputs);
            }
            session.run_band(&band, &mut &board).expect("all rows come");
            board.between_frames.wait();
        }
        session
    };
    let first = std::thread::scope(|scope| {
        for party in 1..parties {
            scope.spawn(move || run(party));
        }
        run(0)
    });
    let note = format!("{parties} parties");
    case.check(&note, |name| first.output_words(name));
    for &id in &plan.graph.outputs {
        let name = &plan.graph.value(id).name;
        let bits = |session: &Session| -> Vec<u32> {
            let values = session.output(name).expect("an output");
            values.iter().map(|value| value.to_bits()).collect()
        };
        let operators: Vec<_> = plan.graph.nodes.iter().map(|node| &node.op).collect();
        assert_eq!(
            bits(&first),
            bits(&alone),
            "{name}, {parties} parties: {operators:?}"
        );
    }
}

fn check_all(cases: impl Iterator<Item = Case>) {
    for (index, case) in cases.enumerate() {
        check(case, 2 + index % 2);
    }
}

#[test]
fn convolutions() {
    for (family, seed) in [
        (Family::Pointwise, 0),
        (Family::General, 1000),
        (Family::Depthwise, 2000),
    ] {
        check_all((seed..seed + ROUNDS).filter_map(|seed| suite::convolution(seed, family)));
    }
}

#[test]
fn additions_resizes_and_activations() {
    check_all((0..ROUNDS).map(|seed| suite::additions_resizes_and_activations(3000 + seed)));
}

#[test]
fn pools_pads_and_blocks() {
    check_all((0..ROUNDS).map(|seed| suite::pools_pads_and_blocks(4000 + seed)));
}

#[test]
fn squeezes_and_scales() {
    check_all((0..ROUNDS).map(|seed| suite::squeezes_and_scales(12_000 + seed)));
}

#[test]
fn concatenations() {
    check_all((0..ROUNDS).map(|seed| suite::concatenation(5000 + seed)));
    check_all(
        suite::ELIDED
            .iter()
            .map(|&(channels, rows)| suite::elided_concatenation(channels, rows)),
    );
}

#[test]
fn networks_in_bands() {
    check_all((0..ROUNDS).map(|seed| fused::block(7000 + seed)));
    check_all((0..ROUNDS).map(|seed| fused::chain(9500 + seed)));
    check_all((0..ROUNDS).map(|seed| fused::tail(8000 + seed)));
}

#[test]
fn tensor_operators_run_on_one_party() {
    check_all((0..2).map(|_| maps::between_images()));
}

#[test]
fn steps_of_several_nodes_are_refused() {
    let plan = fused::chain(9500).plan();
    let refused = Division::new(&plan, 2).expect_err("fused for a GPU");
    assert!(refused.to_string().contains("planned for a GPU"), "{refused}");
}
