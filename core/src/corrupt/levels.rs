//! Light, contrast and colour: what maps each level to another, whichever pixel has it.

use super::level;

/// Multiplies red, green and blue.
pub fn multiply(rgba: &mut [u8], factors: [f32; 3]) {
    replace(rgba, factors.map(|factor| table(|value| value * factor)));
}

/// Adds to every channel.
pub fn brighten(rgba: &mut [u8], more: f32) {
    replace(rgba, [table(|value| value + more); 3]);
}

/// Draws every channel towards its mean over the picture.
pub fn flatten(rgba: &mut [u8], factor: f32) {
    let mut sums = [0_u64; 3];
    for pixel in rgba.chunks_exact(4) {
        for (sum, &value) in sums.iter_mut().zip(pixel) {
            *sum += u64::from(value);
        }
    }
    let pixels = (rgba.len() / 4).max(1) as f64;
    let means = sums.map(|sum| (sum as f64 / pixels) as f32);
    replace(
        rgba,
        means.map(|mean| table(|value| (value - mean) * factor + mean)),
    );
}

fn table(map: impl Fn(f32) -> f32) -> [u8; 256] {
    std::array::from_fn(|value| level(map(value as f32)))
}

fn replace(rgba: &mut [u8], tables: [[u8; 256]; 3]) {
    for pixel in rgba.chunks_exact_mut(4) {
        for (value, table) in pixel.iter_mut().zip(&tables) {
            *value = table[usize::from(*value)];
        }
    }
}
