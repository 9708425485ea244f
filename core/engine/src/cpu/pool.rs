//! Maximum over a window.

use super::simd::{LANES, f32x4, quads, quads_mut};
use crate::graph::Pool2d;

/// Computes the output rows from number `start` on, as many as `out` has room for, but for the activation; windows are
/// clipped to the image, as in TFLite.
pub fn max_pool(x: &[f32], from: &[usize], pool: &Pool2d, start: usize, out: &mut [f32], to: &[usize]) {
    let (height, width, channels) = (from[1], from[2], from[3]);
    let whole = channels - channels % LANES;
    for (pixel, out) in (start * to[2]..).zip(out.chunks_exact_mut(channels)) {
        let (out_y, out_x) = (pixel / to[2], pixel % to[2]);
        out.fill(f32::NEG_INFINITY);
        for row in clipped(out_y * pool.stride[0], pool.window[0], pool.padding.top, height) {
            for column in clipped(out_x * pool.stride[1], pool.window[1], pool.padding.left, width) {
                let input = &x[(row * width + column) * channels..][..channels];
                for (best, value) in quads_mut(out).iter_mut().zip(quads(input)) {
                    *best = f32x4::new(*best).fast_max(f32x4::new(*value)).to_array();
                }
                for (best, value) in out[whole..].iter_mut().zip(&input[whole..]) {
                    *best = best.max(*value);
                }
            }
        }
    }
}

/// The part of a window that lies inside the image.
fn clipped(start: usize, size: usize, before: usize, limit: usize) -> std::ops::Range<usize> {
    start.saturating_sub(before)..(start + size).saturating_sub(before).min(limit)
}
