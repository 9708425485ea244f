//! Maximum over a window.

use super::instructions::{Instructions, Simd, with_instructions};
use super::simd::LANES;
use crate::graph::Pool2d;

/// Computes the output rows from number `start` on, as many as `out` has room for, but for the activation; windows are
/// clipped to the image, as in TFLite.
pub fn max_pool(
    x: &[f32],
    from: &[usize],
    pool: &Pool2d,
    start: usize,
    instructions: Instructions,
    out: &mut [f32],
    to: &[usize],
) {
    let (height, width, channels) = (from[1], from[2], from[3]);
    let instructions = instructions.up_to(channels);
    let mut window = Vec::new();
    for (pixel, out) in (start * to[2]..).zip(out.chunks_exact_mut(channels)) {
        let (out_y, out_x) = (pixel / to[2], pixel % to[2]);
        let columns = clipped(out_x * pool.stride[1], pool.window[1], pool.padding.left, width);
        window.clear();
        for row in clipped(out_y * pool.stride[0], pool.window[0], pool.padding.top, height) {
            window.extend(columns.clone().map(|column| (row * width + column) * channels));
        }
        if channels >= LANES {
            with_instructions!(instructions, simd => greatest(simd, x, &window, out));
        } else {
            for (channel, out) in out.iter_mut().enumerate() {
                let values = window.iter().map(|start| x[start + channel]);
                *out = values.fold(f32::NEG_INFINITY, f32::max);
            }
        }
    }
}

/// The greatest of the pixels that start at these places, of at least as many channels as a vector has lanes. The last
/// vector ends at the last channel and computes some channels a second time.
#[inline(never)]
fn greatest<S: Simd>(simd: S, x: &[f32], window: &[usize], out: &mut [f32]) {
    simd.call(
        #[inline(always)]
        || {
            let channels = out.len();
            for first in (0..channels).step_by(S::LANES) {
                let first = first.min(channels - S::LANES);
                let mut best = simd.splat(f32::NEG_INFINITY);
                for start in window {
                    let values = &S::chunks(&x[start + first..][..S::LANES])[0];
                    best = simd.max(best, simd.load(values));
                }
                S::chunks_mut(&mut out[first..][..S::LANES])[0] = simd.lanes(best);
            }
        },
    );
}

/// The part of a window that lies inside the image.
fn clipped(start: usize, size: usize, before: usize, limit: usize) -> std::ops::Range<usize> {
    start.saturating_sub(before)..(start + size).saturating_sub(before).min(limit)
}
