//! Gaussian noise whose every number follows from the seed and the frame's.

use crate::statistics::distributions::normal_quantile;
use crate::statistics::random::Random;

use super::level;

/// Values of the standard normal distribution, equally likely: the middles of so many cells.
const CELLS: usize = 4096;

/// Draws from a table, because a frame needs a million numbers.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    table: Vec<f32>,
}

impl Noise {
    /// Adds noise of this standard deviation in levels to red, green and blue.
    pub fn add(&mut self, rgba: &mut [u8], deviation: f32, seed: u64, frame_index: u32) {
        if self.table.is_empty() {
            let middle = |cell: usize| (cell as f64 + 0.5) / CELLS as f64;
            let quantile = |cell| normal_quantile(middle(cell)).unwrap_or(0.0);
            // Fewer digits than a logarithm may differ in between machines.
            let rounded = |cell| ((quantile(cell) * 65_536.0).round() / 65_536.0) as f32;
            self.table = (0..CELLS).map(rounded).collect();
        }
        let mut random = Random::of_part(seed, u64::from(frame_index));
        for pixel in rgba.chunks_exact_mut(4) {
            let mut bits = random.bits();
            for value in &mut pixel[..3] {
                let drawn = self.table[bits as usize % CELLS];
                bits >>= 16;
                *value = level(f32::from(*value) + drawn * deviation);
            }
        }
    }
}
