//! Depthwise convolution: each channel by its own kernel.
//!
//! Works on four channels of a run of neighbouring outputs at once, so that a weight is loaded once for the run and
//! an input once for all taps of a row that use it. Where a run reads beyond the border, looking up an input finds
//! nothing there, and nothing counts as zero: the check that safe code makes anyway is the padding.

use super::simd::{Clamp, LANES, Quad, f32x4, quads, quads_mut};
use crate::graph::Conv2d;

/// One depthwise convolution with its weights as vectors.
#[derive(Debug)]
pub struct Depthwise {
    /// `[channels / 4][kernel_h * kernel_w]`, the last channels padded with zeros.
    weights: Vec<f32x4>,
    bias: Vec<f32x4>,
    conv: Conv2d,
    in_size: [usize; 2],
    out_size: [usize; 2],
    channels: usize,
    kernel: [usize; 2],
}

impl Depthwise {
    /// Packs `weights` `[1, kernel_h, kernel_w, channels]` and `bias` `[channels]`.
    pub fn new(
        conv: Conv2d,
        input: &[usize],
        weights: &[f32],
        kernel: &[usize],
        bias: &[f32],
        out: &[usize],
    ) -> Self {
        let channels = input[3];
        let vector = |row: &[f32], quad: usize| {
            f32x4::new([0, 1, 2, 3].map(|lane| row.get(quad * LANES + lane).copied().unwrap_or(0.0)))
        };
        let count = channels.div_ceil(LANES);
        Self {
            weights: (0..count)
                .flat_map(|quad| weights.chunks_exact(channels).map(move |tap| vector(tap, quad)))
                .collect(),
            bias: (0..count).map(|quad| vector(bias, quad)).collect(),
            conv,
            in_size: [input[1], input[2]],
            out_size: [out[1], out[2]],
            channels,
            kernel: [kernel[1], kernel[2]],
        }
    }

    /// Computes the output rows from number `start` on, as many as `out` has room for.
    pub fn run(&self, x: &[f32], start: usize, clamp: Clamp, out: &mut [f32]) {
        let fits = self.channels.is_multiple_of(LANES) && self.conv.dilation == [1, 1];
        // Maps of 7, 14 and 28 pixels a side divide into runs of 7.
        let sevens = self.out_size[1].is_multiple_of(7);
        match (self.kernel, self.conv.stride, fits) {
            ([3, 3], [1, 1], true) if sevens => self.run_rows::<3, 9, 1, 7, 9>(x, start, clamp, out),
            ([3, 3], [1, 1], true) => self.run_rows::<3, 9, 1, 8, 10>(x, start, clamp, out),
            ([3, 3], [2, 2], true) => self.run_rows::<3, 9, 2, 4, 9>(x, start, clamp, out),
            ([5, 5], [1, 1], true) if sevens => self.run_rows::<5, 25, 1, 7, 11>(x, start, clamp, out),
            ([5, 5], [1, 1], true) => self.run_rows::<5, 25, 1, 8, 12>(x, start, clamp, out),
            ([5, 5], [2, 2], true) => self.run_rows::<5, 25, 2, 8, 19>(x, start, clamp, out),
            _ => self.run_any(x, start, clamp, out),
        }
    }

    /// `K` by `K` = `TAPS` taps at stride `S`, `RUN` outputs at a time, which read `SPAN` = (RUN - 1) * S + K columns.
    fn run_rows<const K: usize, const TAPS: usize, const S: usize, const RUN: usize, const SPAN: usize>(
        &self,
        x: &[f32],
        start: usize,
        clamp: Clamp,
        out: &mut [f32],
    ) {
        let count = self.channels / LANES;
        let row_len = self.in_size[1] * count;
        let out_rows = quads_mut(out).chunks_exact_mut(self.out_size[1] * count);
        for (out_y, out_row) in (start..).zip(out_rows) {
            // A row beyond the border is empty.
            let rows: [&[Quad]; K] = std::array::from_fn(|ky| {
                (out_y * S + ky)
                    .checked_sub(self.conv.padding.top)
                    .and_then(|row| quads(x).get(row * row_len..(row + 1) * row_len))
                    .unwrap_or_default()
            });
            for (run, out) in out_row.chunks_mut(RUN * count).enumerate() {
                let columns = (run * RUN * S).checked_sub(self.conv.padding.left);
                let inside = columns.and_then(|first| {
                    let range = first * count..(first + SPAN) * count;
                    let rows = rows.map(|row| row.get(range.clone()).unwrap_or_default());
                    (out.len() == RUN * count && rows.iter().all(|row| !row.is_empty())).then_some(rows)
                });
                match inside {
                    Some(rows) => self.run_span::<K, TAPS, S, RUN, SPAN, false>(rows, 0, clamp, out),
                    None => {
                        // Columns left of the image come out as indices beyond every length.
                        let first = (run * RUN * S * count).wrapping_sub(self.conv.padding.left * count);
                        self.run_span::<K, TAPS, S, RUN, SPAN, true>(rows, first, clamp, out);
                    }
                }
            }
        }
    }

    /// One run of outputs from rows of inputs whose first column starts at `first`. With `EDGE` inputs may be missing
    /// and the run may be short.
    #[inline(never)]
    fn run_span<
        const K: usize,
        const TAPS: usize,
        const S: usize,
        const RUN: usize,
        const SPAN: usize,
        const EDGE: bool,
    >(
        &self,
        rows: [&[Quad]; K],
        first: usize,
        clamp: Clamp,
        out: &mut [Quad],
    ) {
        let count = self.channels / LANES;
        let weights = self.weights.as_chunks::<TAPS>().0;
        for (quad, (weights, &bias)) in weights.iter().zip(&self.bias).enumerate() {
            let mut sums = [bias; RUN];
            for (row, weights) in rows.iter().zip(weights.as_chunks::<K>().0) {
                let inputs: [f32x4; SPAN] = std::array::from_fn(|column| {
                    if EDGE {
                        let index = first.wrapping_add(column * count + quad);
                        row.get(index).map_or(f32x4::ZERO, |&input| f32x4::new(input))
                    } else {
                        f32x4::new(row[column * count + quad])
                    }
                });
                for (kx, &weight) in weights.iter().enumerate() {
                    for (index, sum) in sums.iter_mut().enumerate() {
                        *sum += inputs[index * S + kx] * weight;
                    }
                }
            }
            for (index, sum) in sums.into_iter().enumerate() {
                if let Some(out) = out.get_mut(index * count + quad) {
                    *out = clamp.apply(sum).to_array();
                }
            }
        }
    }

    /// Any kernel, stride, dilation and number of channels.
    fn run_any(&self, x: &[f32], start: usize, clamp: Clamp, out: &mut [f32]) {
        let (width, taps) = (self.out_size[1], self.kernel[0] * self.kernel[1]);
        for (pixel, out) in (start * width..).zip(out.chunks_exact_mut(self.channels)) {
            let (out_y, out_x) = (pixel / width, pixel % width);
            for (quad, out) in out.chunks_mut(LANES).enumerate() {
                let mut sum = self.bias[quad];
                for (tap, &weight) in self.weights[quad * taps..][..taps].iter().enumerate() {
                    let (ky, kx) = (tap / self.kernel[1], tap % self.kernel[1]);
                    let row = (out_y * self.conv.stride[0] + ky * self.conv.dilation[0])
                        .checked_sub(self.conv.padding.top)
                        .filter(|&row| row < self.in_size[0]);
                    let column = (out_x * self.conv.stride[1] + kx * self.conv.dilation[1])
                        .checked_sub(self.conv.padding.left)
                        .filter(|&column| column < self.in_size[1]);
                    let (Some(row), Some(column)) = (row, column) else {
                        continue;
                    };
                    let start = (row * self.in_size[1] + column) * self.channels + quad * LANES;
                    let mut input = [0.0; LANES];
                    input[..out.len()].copy_from_slice(&x[start..][..out.len()]);
                    sum += f32x4::new(input) * weight;
                }
                out.copy_from_slice(&clamp.apply(sum).to_array()[..out.len()]);
            }
        }
    }
}
