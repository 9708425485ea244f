//! Shared memory: rows that cross between parties, and the signals that say what to do.
//!
//! Numbers are written plainly and then announced by an atomic store; who has seen the announcement by an atomic load
//! sees the numbers too (ECMAScript's memory model: sequentially consistent atomics synchronise).

use std::fmt;

use js_sys::{Float32Array, Int32Array, SharedArrayBuffer};
use plumbline_engine::cpu::bands::{Division, Exchange};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Atomics, js_name = load)]
    fn atomic_load(array: &Int32Array, index: u32) -> i32;

    #[wasm_bindgen(js_namespace = Atomics, js_name = store)]
    fn atomic_store(array: &Int32Array, index: u32, value: i32) -> i32;

    #[wasm_bindgen(js_namespace = Atomics, js_name = notify)]
    fn atomic_notify(array: &Int32Array, index: u32) -> u32;

    /// Throws where the thread must not sleep, which is a page's own.
    #[wasm_bindgen(js_namespace = Atomics, js_name = wait, catch)]
    fn atomic_wait(array: &Int32Array, index: u32, value: i32, millis: f64) -> Result<JsString, JsValue>;

    /// Which answer it was, "ok", "not-equal" or "timed-out", is seen by loading again.
    type JsString;

    /// A clock that never goes back.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn now_millis() -> f64;
}

/// How often a word is looked at before the thread sleeps: less than a tenth of a millisecond. Parties that have a core
/// each lag behind each other by less; where they share one, each keeps the other from running while it looks.
const SPINS: u32 = 4000;
/// How often it is looked at between two looks at the clock.
const SPINS_A_LOOK: u32 = 1000;

/// Rows or a signal did not come within the time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other worker of the team does not answer")
    }
}

impl std::error::Error for Stalled {}

/// Words that are announced and waited for.
#[derive(Clone, Debug)]
pub struct Words(Int32Array);

impl Words {
    /// Over shared memory.
    pub fn new(buffer: &SharedArrayBuffer, byte_offset: u32, len: u32) -> Self {
        Self(Int32Array::new_with_byte_offset_and_length(
            buffer,
            byte_offset,
            len,
        ))
    }

    /// The present value.
    pub fn load(&self, index: u32) -> i32 {
        atomic_load(&self.0, index)
    }

    /// Announces a value and wakes who waits for it.
    pub fn announce(&self, index: u32, value: i32) {
        atomic_store(&self.0, index, value);
        atomic_notify(&self.0, index);
    }

    /// Sleeps until the word is no longer `value`.
    pub fn sleep_while(&self, index: u32, value: i32) {
        while self.load(index) == value && atomic_wait(&self.0, index, value, f64::INFINITY).is_ok() {}
    }

    /// Waits until the word is `value`: looks for a while, then sleeps where this thread may.
    ///
    /// # Errors
    /// When `limit_millis` pass before.
    pub fn wait_for(&self, index: u32, value: i32, limit_millis: f64) -> Result<(), Stalled> {
        for _ in 0..SPINS {
            if self.load(index) == value {
                return Ok(());
            }
            std::hint::spin_loop();
        }
        let begin = now_millis();
        let mut may_sleep = true;
        loop {
            let seen = self.load(index);
            if seen == value {
                return Ok(());
            }
            let left = limit_millis - (now_millis() - begin);
            if left <= 0.0 {
                return Err(Stalled);
            }
            if may_sleep {
                may_sleep = atomic_wait(&self.0, index, seen, left).is_ok();
            } else if (0..SPINS_A_LOOK).any(|_| self.load(index) == value) {
                return Ok(());
            }
        }
    }
}

/// Where the transfers of one model go: a word for each, then the rows.
pub struct SharedRows {
    announced: Words,
    /// By transfer.
    places: Vec<Float32Array>,
    /// Of the frame that is being computed; a word holds the frame whose rows are there.
    frame: i32,
    limit_millis: f64,
}

impl SharedRows {
    /// Bytes that a division's transfers need.
    pub fn byte_len(division: &Division) -> u32 {
        4 * (division.transfers().len() + division.exchange_len()) as u32
    }

    /// Over memory of [`Self::byte_len`] bytes, zeros at first.
    pub fn new(buffer: &SharedArrayBuffer, division: &Division, limit_millis: f64) -> Self {
        let words = division.transfers().len() as u32;
        let place = |range: &std::ops::Range<usize>| {
            let offset = 4 * (words + range.start as u32);
            Float32Array::new_with_byte_offset_and_length(buffer, offset, range.len() as u32)
        };
        Self {
            announced: Words::new(buffer, 0, words),
            places: division
                .transfers()
                .iter()
                .map(|transfer| place(&transfer.place))
                .collect(),
            frame: 0,
            limit_millis,
        }
    }

    /// Begins a frame; numbers differ from frame to frame and are never 0.
    pub fn begin(&mut self, frame: i32) {
        self.frame = frame;
    }
}

impl Exchange for SharedRows {
    type Error = Stalled;

    fn send(&mut self, transfer: usize, values: &[f32]) {
        self.places[transfer].copy_from(values);
        self.announced.announce(transfer as u32, self.frame);
    }

    fn receive(&mut self, transfer: usize, values: &mut [f32]) -> Result<(), Stalled> {
        self.announced
            .wait_for(transfer as u32, self.frame, self.limit_millis)?;
        self.places[transfer].copy_to(values);
        Ok(())
    }
}
