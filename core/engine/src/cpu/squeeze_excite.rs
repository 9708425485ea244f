//! The two halves of a squeeze-and-excitation that are no convolutions: the mean of all pixels of each channel, and each
//! channel multiplied by a number of its own. Both wait for memory, for which vectors of four are long enough.

use super::simd::{LANES, f32x4, quads, quads_mut};

/// Vectors of channels that are summed side by side, which hides how long a sum takes.
const VECTORS: usize = 4;
const BLOCK: usize = VECTORS * LANES;

/// Writes the mean of each channel of `x`, an image of the shape `from`. Rows are summed apart, so that sums of large
/// images keep their digits.
pub fn global_average(x: &[f32], from: &[usize], out: &mut [f32]) {
    let (width, channels) = (from[2], from[3]);
    let share = 1.0 / (x.len() / channels) as f32;
    let rows = || x.chunks_exact(width * channels);
    let Some(last) = channels.checked_sub(BLOCK) else {
        for (channel, mean) in out.iter_mut().enumerate() {
            let row = |row: &[f32]| row[channel..].iter().step_by(channels).sum::<f32>();
            *mean = rows().map(row).sum::<f32>() * share;
        }
        return;
    };
    // The last block overlaps with the one before it where channels are no multiple, and computes the same again.
    for first in (0..channels).step_by(BLOCK).map(|first| first.min(last)) {
        let mut totals = [f32x4::ZERO; VECTORS];
        for row in rows() {
            let mut sums = [f32x4::ZERO; VECTORS];
            for pixel in row.chunks_exact(channels) {
                for (sum, quad) in sums.iter_mut().zip(quads(&pixel[first..][..BLOCK])) {
                    *sum += f32x4::new(*quad);
                }
            }
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        for (mean, total) in quads_mut(&mut out[first..]).iter_mut().zip(totals) {
            *mean = (total * f32x4::splat(share)).to_array();
        }
    }
}

/// Writes `x` with each channel multiplied by its number of `scale`.
pub fn scale_channels(x: &[f32], scale: &[f32], out: &mut [f32]) {
    let channels = scale.len();
    let whole = channels - channels % LANES;
    for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
        for ((out, x), scale) in quads_mut(out).iter_mut().zip(quads(x)).zip(quads(scale)) {
            *out = (f32x4::new(*x) * f32x4::new(*scale)).to_array();
        }
        for ((out, x), scale) in out.iter_mut().zip(x).zip(scale).skip(whole) {
            *out = x * scale;
        }
    }
}
