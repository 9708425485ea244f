//! Depthwise convolution: each channel by its own kernel.
//!
//! Works on a vector of channels of a run of neighbouring outputs at once, so that a weight is loaded once for the run
//! and an input once for all taps of a row that use it. Where the channels are no multiple of the vector's length, the
//! last vector ends at the last channel and computes some channels a second time. Where a run reads beyond the border, looking up an input finds
//! nothing there, and nothing counts as zero: the check that safe code makes anyway is the padding.

use super::convolution::Scratch;
use super::instructions::{Four, Instructions, Simd, with_instructions};
use super::simd::{Clamp, LANES, Quad, f32x4, quads, quads_mut};
use crate::graph::Conv2d;

/// One depthwise convolution with its weights as vectors.
#[derive(Debug)]
pub struct Depthwise {
    /// Vector after vector of channels; in each, one for each tap. Channels that do not exist have zeros.
    weights: Vec<Quad>,
    bias: Vec<Quad>,
    instructions: Instructions,
    conv: Conv2d,
    in_size: [usize; 2],
    out_size: [usize; 2],
    channels: usize,
    kernel: [usize; 2],
    /// The same with more channels, where the kernels for runs take no such number.
    padded: Option<Box<Self>>,
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
        instructions: Instructions,
    ) -> Self {
        let channels = input[3];
        let mut packed = Self {
            weights: Vec::new(),
            bias: Vec::new(),
            instructions: Instructions::BASELINE,
            conv,
            in_size: [input[1], input[2]],
            out_size: [out[1], out[2]],
            channels,
            kernel: [kernel[1], kernel[2]],
            padded: None,
        };
        let whole = channels.next_multiple_of(LANES);
        if whole > channels && packed.is_of_runs() {
            let [_, height, width, _] = *input else {
                return packed;
            };
            let input = [1, height, width, whole];
            let [weights, bias] = [weights, bias].map(|numbers| padded(numbers, channels, whole));
            let padded = Self::new(conv, &input, &weights, kernel, &bias, out, instructions);
            packed.padded = Some(Box::new(padded));
            return packed;
        }
        if packed.has_runs() {
            packed.instructions = instructions.up_to(channels);
        }
        let quads = packed.instructions.lanes() / LANES;
        let count = channels.div_ceil(LANES);
        let quad = |row: &[f32], index: usize| {
            [0, 1, 2, 3].map(|lane| row.get(index * LANES + lane).copied().unwrap_or(0.0))
        };
        for group in 0..count.div_ceil(quads) {
            let first = (group * quads).min(count - quads);
            for tap in weights.chunks_exact(channels) {
                packed
                    .weights
                    .extend((first..first + quads).map(|index| quad(tap, index)));
            }
            packed
                .bias
                .extend((first..first + quads).map(|index| quad(bias, index)));
        }
        packed
    }

    /// Whether a kernel for runs exists.
    fn has_runs(&self) -> bool {
        self.channels.is_multiple_of(LANES) && self.is_of_runs()
    }

    /// Whether it does for some number of channels.
    fn is_of_runs(&self) -> bool {
        self.conv.dilation == [1, 1]
            && matches!(
                (self.kernel, self.conv.stride),
                ([3, 3] | [5, 5], [1, 1] | [2, 2])
            )
    }

    /// Computes the output rows from number `start` on, as many as `out` has room for.
    pub fn run(&self, x: &[f32], start: usize, clamp: Clamp, scratch: &mut Scratch, out: &mut [f32]) {
        if let Some(kernel) = &self.padded {
            kernel.run_padded(x, start, self.channels, clamp, scratch, out);
        } else if self.has_runs() {
            with_instructions!(self.instructions, simd => self.run_with(simd, x, start, clamp, out));
        } else if self.is_scale() {
            self.run_scale(x, start, clamp, out);
        } else {
            self.run_any(x, start, clamp, out);
        }
    }

    fn run_with<S: Simd>(&self, simd: S, x: &[f32], start: usize, clamp: Clamp, out: &mut [f32]) {
        // Maps of 7, 14 and 28 pixels a side divide into runs of 7.
        let sevens = self.out_size[1].is_multiple_of(7);
        match (self.kernel[0], self.conv.stride[0]) {
            (3, 1) if sevens => self.run_rows::<S, 3, 9, 1, 7, 9>(simd, x, start, clamp, out),
            (3, 1) => self.run_rows::<S, 3, 9, 1, 8, 10>(simd, x, start, clamp, out),
            (3, _) => self.run_rows::<S, 3, 9, 2, 4, 9>(simd, x, start, clamp, out),
            (_, 1) if sevens => self.run_rows::<S, 5, 25, 1, 7, 11>(simd, x, start, clamp, out),
            (_, 1) => self.run_rows::<S, 5, 25, 1, 8, 12>(simd, x, start, clamp, out),
            (_, _) => self.run_rows::<S, 5, 25, 2, 8, 19>(simd, x, start, clamp, out),
        }
    }

    /// `K` by `K` = `TAPS` taps at stride `STRIDE`, `RUN` outputs at a time, which read
    /// `SPAN` = (RUN - 1) * STRIDE + K columns.
    fn run_rows<
        S: Simd,
        const K: usize,
        const TAPS: usize,
        const STRIDE: usize,
        const RUN: usize,
        const SPAN: usize,
    >(
        &self,
        simd: S,
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
                (out_y * STRIDE + ky)
                    .checked_sub(self.conv.padding.top)
                    .and_then(|row| quads(x).get(row * row_len..(row + 1) * row_len))
                    .unwrap_or_default()
            });
            for (run, out) in out_row.chunks_mut(RUN * count).enumerate() {
                let columns = (run * RUN * STRIDE).checked_sub(self.conv.padding.left);
                let inside = columns.and_then(|first| {
                    let range = first * count..(first + SPAN) * count;
                    let rows = rows.map(|row| row.get(range.clone()).unwrap_or_default());
                    (out.len() == RUN * count && rows.iter().all(|row| !row.is_empty())).then_some(rows)
                });
                match inside {
                    Some(rows) => {
                        self.run_span::<S, K, TAPS, STRIDE, RUN, SPAN, false>(simd, rows, 0, clamp, out)
                    }
                    None => {
                        // Columns left of the image come out as indices beyond every length.
                        let first = (run * RUN * STRIDE * count).wrapping_sub(self.conv.padding.left * count);
                        self.run_span::<S, K, TAPS, STRIDE, RUN, SPAN, true>(simd, rows, first, clamp, out);
                    }
                }
            }
        }
    }

    /// One run of outputs from rows of inputs whose first column starts at `first`. With `EDGE` inputs may be missing
    /// and the run may be short.
    #[inline(never)]
    fn run_span<
        S: Simd,
        const K: usize,
        const TAPS: usize,
        const STRIDE: usize,
        const RUN: usize,
        const SPAN: usize,
        const EDGE: bool,
    >(
        &self,
        simd: S,
        rows: [&[Quad]; K],
        first: usize,
        clamp: Clamp,
        out: &mut [Quad],
    ) {
        simd.call(
            #[inline(always)]
            || {
                let count = self.channels / LANES;
                let weights = S::chunks(self.weights.as_flattened()).as_chunks::<TAPS>().0;
                let bias = S::chunks(self.bias.as_flattened());
                for (group, (weights, bias)) in weights.iter().zip(bias).enumerate() {
                    let quads = S::LANES / LANES;
                    let quad = if quads == 1 {
                        group
                    } else {
                        (group * quads).min(count - quads)
                    };
                    let mut sums = [simd.load(bias); RUN];
                    for (row, weights) in rows.iter().zip(weights.as_chunks::<K>().0) {
                        let mut inputs = [simd.splat(0.0); SPAN];
                        for (column, input) in inputs.iter_mut().enumerate() {
                            if EDGE {
                                let index = first.wrapping_add(column * count + quad);
                                *input = S::get(row, index).map_or(*input, |input| simd.load(input));
                            } else {
                                *input = simd.load(S::index(row, column * count + quad));
                            }
                        }
                        for (kx, weight) in weights.iter().enumerate() {
                            let weight = simd.load(weight);
                            for (index, sum) in sums.iter_mut().enumerate() {
                                *sum = *sum + inputs[index * STRIDE + kx] * weight;
                            }
                        }
                    }
                    for (index, sum) in sums.into_iter().enumerate() {
                        if let Some(out) = S::get_mut(out, index * count + quad) {
                            *out = simd.lanes(clamp.apply(simd, sum));
                        }
                    }
                }
            },
        );
    }

    /// For images with fewer channels: those that are missing are added before, and left out after. Two copies cost less
    /// than vectors that are not whole.
    fn run_padded(
        &self,
        x: &[f32],
        start: usize,
        channels: usize,
        clamp: Clamp,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let Scratch { packed, patches, .. } = scratch;
        let quads = self.channels / LANES;
        packed.resize(x.len() / channels * quads, [0.0; LANES]);
        let pixels = packed.as_flattened_mut().chunks_exact_mut(self.channels);
        for (padded, pixel) in pixels.zip(x.chunks_exact(channels)) {
            padded[..channels].copy_from_slice(pixel);
            padded[channels..].fill(0.0);
        }
        patches.resize(out.len() / channels * self.channels, 0.0);
        with_instructions!(self.instructions, simd => {
            self.run_with(simd, packed.as_flattened(), start, clamp, patches);
        });
        for (pixel, padded) in out
            .chunks_exact_mut(channels)
            .zip(patches.chunks_exact(self.channels))
        {
            pixel.copy_from_slice(&padded[..channels]);
        }
    }

    /// Whether each output is the input at its place, scaled and shifted.
    fn is_scale(&self) -> bool {
        self.kernel == [1, 1] && self.conv.stride == [1, 1] && self.conv.padding == Default::default()
    }

    /// The kernel for that.
    #[inline(never)]
    fn run_scale(&self, x: &[f32], start: usize, clamp: Clamp, out: &mut [f32]) {
        let first = start * self.out_size[1] * self.channels;
        let pixels = x[first..].chunks_exact(self.channels);
        for (x, out) in pixels.zip(out.chunks_exact_mut(self.channels)) {
            let ((x, rest_x), (out, rest)) = (x.as_chunks::<LANES>(), out.as_chunks_mut::<LANES>());
            let numbers = self.bias.iter().zip(&self.weights);
            for ((x, out), (bias, weight)) in x.iter().zip(out).zip(numbers) {
                let sum = f32x4::new(*bias) + f32x4::new(*x) * f32x4::new(*weight);
                *out = clamp.apply(Four, sum).to_array();
            }
            if let (false, Some(bias), Some(weight)) =
                (rest.is_empty(), self.bias.last(), self.weights.last())
            {
                let mut input = [0.0; LANES];
                input[..rest_x.len()].copy_from_slice(rest_x);
                let sum = f32x4::new(*bias) + f32x4::new(input) * f32x4::new(*weight);
                rest.copy_from_slice(&clamp.apply(Four, sum).to_array()[..rest.len()]);
            }
        }
    }

    /// Any kernel, stride, dilation and number of channels.
    fn run_any(&self, x: &[f32], start: usize, clamp: Clamp, out: &mut [f32]) {
        let (width, taps) = (self.out_size[1], self.kernel[0] * self.kernel[1]);
        for (pixel, out) in (start * width..).zip(out.chunks_exact_mut(self.channels)) {
            let (out_y, out_x) = (pixel / width, pixel % width);
            for (quad, out) in out.chunks_mut(LANES).enumerate() {
                let mut sum = f32x4::new(self.bias[quad]);
                for (tap, &weight) in self.weights[quad * taps..][..taps].iter().enumerate() {
                    let (ky, kx) = (tap / self.kernel[1], tap % self.kernel[1]);
                    let row = self.conv.input_at(0, out_y, ky, self.in_size[0]);
                    let column = self.conv.input_at(1, out_x, kx, self.in_size[1]);
                    let (Some(row), Some(column)) = (row, column) else {
                        continue;
                    };
                    let start = (row * self.in_size[1] + column) * self.channels + quad * LANES;
                    let mut input = [0.0; LANES];
                    input[..out.len()].copy_from_slice(&x[start..][..out.len()]);
                    sum += f32x4::new(input) * f32x4::new(weight);
                }
                out.copy_from_slice(&clamp.apply(Four, sum).to_array()[..out.len()]);
            }
        }
    }
}

/// Rows of `len` numbers with zeros behind them, so that they are `whole` long.
fn padded(numbers: &[f32], len: usize, whole: usize) -> Vec<f32> {
    let zeros = std::iter::repeat_n(&0.0, whole - len);
    let rows = numbers.chunks_exact(len);
    rows.flat_map(|row| row.iter().chain(zeros.clone()))
        .copied()
        .collect()
}
