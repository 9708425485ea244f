//! Where the time of a frame goes, step by step, on the CPU backend: natively and, compiled for wasm32-wasip1, in a
//! browser (`tests/bench/kernels/run.mjs`).
//!
//! In: the bytes of a TFLite model on standard input; the arguments `ROUNDS OUTPUT,OUTPUT,..`. Out: a line
//! `frame MILLIS` for each round, then a line `step NUMBER MILLIS MACS BYTES OPERATOR|SHAPE` for each step, where
//! MILLIS is the median over the rounds.

use std::io::{Read, Write};
use std::time::Instant;

use plumbline_engine::cpu::Session;
use plumbline_engine::plan::Plan;
use plumbline_engine::{passes, tflite};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench` of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [rounds, outputs] = arguments.as_slice() else {
        // `cargo bench` without arguments runs every benchmark; this one needs a model.
        println!("skipped: layers needs ROUNDS and OUTPUTS, and a model on standard input");
        return Ok(());
    };
    let rounds: usize = rounds.parse()?;
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    let mut graph = tflite::import(&bytes)?;
    passes::select_outputs(&mut graph, &outputs.split(',').collect::<Vec<_>>())?;
    passes::optimise(&mut graph)?;
    let mut session = Session::new(Plan::new(graph)?)?;
    for (index, value) in session.input_mut(0).iter_mut().enumerate() {
        *value = (index * 2_654_435_761 % 256) as f32 / 255.0;
    }

    let mut out = std::io::stdout().lock();
    for _ in 0..3 {
        session.run();
    }
    for _ in 0..rounds {
        let start = Instant::now();
        session.run();
        writeln!(out, "frame {}", start.elapsed().as_secs_f64() * 1e3)?;
    }
    let facts = session.step_facts();
    let mut times = vec![Vec::with_capacity(rounds); facts.len()];
    for _ in 0..rounds {
        let mut last = Instant::now();
        session.run_observed(|step| {
            let now = Instant::now();
            times[step].push((now - last).as_secs_f64() * 1e3);
            last = now;
        });
    }
    for (index, (facts, times)) in facts.iter().zip(&mut times).enumerate() {
        times.sort_by(f64::total_cmp);
        // A browser's clock is coarse, so the middle half is averaged instead of taking one value of it.
        let middle = &times[times.len() / 4..(3 * times.len()).div_ceil(4)];
        let millis = middle.iter().sum::<f64>() / middle.len() as f64;
        let (macs, bytes) = (facts.macs, facts.bytes);
        writeln!(
            out,
            "step {index} {millis} {macs} {bytes} {}|{}",
            facts.operator, facts.shape
        )?;
    }
    Ok(())
}
