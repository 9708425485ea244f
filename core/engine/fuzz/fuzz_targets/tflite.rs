//! Whatever the bytes, the reader, the passes and the planner answer with a graph or an error, never with a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plumbline_engine::{passes, plan::Plan, tflite};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut graph) = tflite::import(bytes) else { return };
    if passes::optimise(&mut graph).is_ok() {
        let _ = Plan::new(graph);
    }
});
