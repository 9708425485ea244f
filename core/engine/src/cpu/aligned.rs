//! Memory that starts at a cache line, so that a vector of sixteen f32 never lies in two of them.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// A fixed number of f32 at a cache line's start.
#[derive(Debug)]
pub struct Aligned {
    /// Never grows, so that it stays where it is.
    memory: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// All zero.
    pub fn zeros(len: usize) -> Self {
        let memory = vec![0.0_f32; len + LINE_BYTES / size_of::<f32>()];
        // Where the offset is unknown, nothing is lost but speed.
        let start = memory.as_ptr().align_offset(LINE_BYTES).min(memory.len() - len);
        Self { memory, start, len }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..self.start + self.len]
    }
}
