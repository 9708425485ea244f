//! Operators that only move values: padding, concatenation, depth to space.

use crate::graph::element_count;

/// Copies `x` into the middle of zeros.
pub fn pad(x: &[f32], from: &[usize], amounts: &[(usize, usize)], out: &mut [f32], to: &[usize]) {
    out.fill(0.0);
    let Some((&run, outer)) = from.split_last() else {
        return;
    };
    // The innermost axis moves in one piece; the index over all outer axes is taken apart for each piece.
    for (index, row) in x.chunks_exact(run).enumerate() {
        let (mut rest, mut place, mut stride) = (index, 0, to[outer.len()]);
        for axis in (0..outer.len()).rev() {
            place += (rest % outer[axis] + amounts[axis].0) * stride;
            rest /= outer[axis];
            stride *= to[axis];
        }
        let start = place + amounts[outer.len()].0;
        out[start..start + run].copy_from_slice(row);
    }
}

/// Copies one operand of a concatenation to its place; `offset` is its start along the axis.
pub fn concat_operand(x: &[f32], from: &[usize], axis: usize, offset: usize, out: &mut [f32], to: &[usize]) {
    let inner = element_count(&to[axis + 1..]);
    let run = from[axis] * inner;
    for (row, out) in x.chunks_exact(run).zip(out.chunks_exact_mut(to[axis] * inner)) {
        out[offset * inner..][..run].copy_from_slice(row);
    }
}

/// Spreads blocks of channels over space (TFLite's order: block row, block column, channel).
pub fn depth_to_space(x: &[f32], from: &[usize], block: usize, out: &mut [f32], to: &[usize]) {
    let (width, channels) = (from[2], from[3]);
    let run = block * to[3];
    for (pixel, values) in x.chunks_exact(channels).enumerate() {
        let (y, x_in) = (pixel / width, pixel % width);
        for (row, values) in values.chunks_exact(run).enumerate() {
            let start = ((y * block + row) * to[2] + x_in * block) * to[3];
            out[start..start + run].copy_from_slice(values);
        }
    }
}
