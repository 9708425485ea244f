//! Models of every operator with a few bytes changed: whatever comes of it is a result or an error, never a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use plumbline_conformance::files::{folder, group};
use plumbline_conformance::run::survive;

/// Changed models of each case.
const ROUNDS: u64 = 40;

/// Models of more bytes are mostly weights.
const MOST_BYTES: usize = 20_000;

/// Numbers without pattern, by Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % limit as u64) as usize
    }
}

/// Changes one to three bytes, mostly to what numbers in a model are: small, negative, or at a limit.
fn change(model: &mut [u8], random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        let at = random.below(model.len());
        model[at] = match random.below(4) {
            0 => model[at] ^ (1 << random.below(8)),
            1 => [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            2 => model[at].wrapping_add(1),
            _ => random.below(12) as u8,
        };
    }
}

#[test]
fn changed_models_of_every_operator_are_survived() {
    let groups = ["node", "fuzz"].map(|name| group(&folder(), name).expect("the script's own index"));
    let cases = groups.concat();
    if cases.is_empty() {
        eprintln!(
            "skipped: the ONNX suite is not in target/conformance; `cargo xtask conformance` writes it"
        );
        return;
    }
    let (mut n_models, mut n_run) = (0, 0);
    for (index, entry) in cases.iter().enumerate() {
        let case = entry.load().expect("the files of the case are there");
        if case.model.len() > MOST_BYTES {
            continue;
        }
        for round in 0..ROUNDS {
            let mut random = Random(index as u64 * ROUNDS + round);
            let mut changed = case.clone();
            change(&mut changed.model, &mut random);
            let outcome = catch_unwind(AssertUnwindSafe(|| survive(&changed)));
            n_models += 1;
            n_run += usize::from(outcome.unwrap_or_else(|_| panic!("{} in round {round}", case.name)));
        }
    }
    eprintln!("measured: {n_run} of {n_models} changed models have run");
    assert!(n_run * 10 > n_models, "{n_run} of {n_models} have run");
}
