//! Convolution to a single channel, as at the end of a mask: vectors hold pixels of a row.
//!
//! The other kernels compute several output channels at once and would throw all but one away. Here the input rows under
//! the kernel are turned, so that each of their channels is one line of pixels, and a run of outputs adds up shifted
//! lines. A row is turned once and serves all output rows that read it. Products are added in the order of the other
//! kernels; what lies beyond the border is left out or zero, so results are theirs bit for bit.

use super::convolution::{Geometry, Scratch, positive_zero};
use super::epilogue::{Block, Epilogue, Finish};
use super::instructions::{Instructions, Simd, with_instructions};
use super::simd::{LANES, Quad, transpose};

/// Vectors of outputs that are summed at once.
const RUN: usize = 8;

/// One convolution to one channel.
#[derive(Debug)]
pub struct Planar {
    /// `[kernel_h][kernel_w][channels]`
    weights: Vec<f32>,
    bias: f32,
    geometry: Geometry,
    instructions: Instructions,
}

impl Planar {
    /// Whether a convolution to `outputs` channels is one for this kernel.
    pub fn suits(geometry: &Geometry, outputs: usize) -> bool {
        outputs == 1
            && geometry.kernel != [1, 1]
            && geometry.conv.stride == [1, 1]
            && geometry.conv.dilation == [1, 1]
            && geometry.out_size[1] >= RUN * LANES
    }

    /// Takes `weights` `[1, kernel_h, kernel_w, channels]` and the bias.
    pub fn new(geometry: Geometry, weights: &[f32], bias: f32, instructions: Instructions) -> Self {
        Self {
            weights: weights.to_vec(),
            bias: positive_zero(bias),
            instructions: instructions.up_to(geometry.out_size[1] / RUN),
            geometry,
        }
    }

    /// Computes the output pixels from number `start` on, as many as `out` has room for; both are whole rows.
    pub fn run(&self, x: &[f32], start: usize, finish: Finish<'_>, scratch: &mut Scratch, out: &mut [f32]) {
        let Geometry {
            conv,
            in_size: [in_height, in_width],
            out_size: [_, width],
            channels,
            kernel: [kernel_h, kernel_w],
            ..
        } = self.geometry;
        let line_len = (width + kernel_w - 1).max(conv.padding.left + in_width);
        let Scratch {
            packed,
            enlarged,
            patches: lines,
        } = scratch;
        enlarged.reset();
        packed.resize(channels, [0.0; LANES]);
        // Turned rows take turns in as many places as the kernel has rows; borders of the lines stay zero.
        lines.clear();
        lines.resize(kernel_h * channels * line_len, 0.0);
        let row_lines = channels * line_len;
        let mut next = 0;
        for (out_y, out) in (start / width..).zip(out.chunks_exact_mut(width)) {
            let first = out_y.saturating_sub(conv.padding.top);
            let end = (out_y + kernel_h).saturating_sub(conv.padding.top).min(in_height);
            for row in next.max(first)..end {
                let values = &x[row * in_width * channels..][..in_width * channels];
                let lines = &mut lines[row % kernel_h * row_lines..][..row_lines];
                turn(values, channels, conv.padding.left, line_len, lines, packed);
            }
            next = next.max(end);
            let block = Row {
                kernel: self,
                lines,
                line_len,
                rows: first..end,
                skipped: first + conv.padding.top - out_y,
                out: &mut *out,
            };
            finish.run_block(out_y * width, width, 1, enlarged, block);
            finish.apart.apply(out);
        }
    }
}

/// Writes a row `[pixel][channel]` as `[channel][pixel]`, `left` behind the start of each line.
#[inline(never)]
fn turn(
    values: &[f32],
    channels: usize,
    left: usize,
    line_len: usize,
    lines: &mut [f32],
    turned: &mut [Quad],
) {
    for (tile, values) in values.chunks(LANES * channels).enumerate() {
        let pixels = values.len() / channels;
        transpose(
            [0, 1, 2, 3].map(|pixel: usize| &values[pixel.min(pixels - 1) * channels..][..channels]),
            turned,
        );
        let place = left + LANES * tile;
        for (line, quad) in lines.chunks_exact_mut(line_len).zip(turned.iter()) {
            line[place..place + pixels].copy_from_slice(&quad[..pixels]);
        }
    }
}

/// One row of outputs.
struct Row<'a> {
    kernel: &'a Planar,
    lines: &'a [f32],
    line_len: usize,
    /// Input rows under the kernel.
    rows: std::ops::Range<usize>,
    /// Rows of the kernel above the image.
    skipped: usize,
    out: &'a mut [f32],
}

impl Block for Row<'_> {
    #[inline(never)]
    fn run<E: Epilogue>(mut self, added: &[f32], epilogue: E) {
        with_instructions!(self.kernel.instructions, simd => simd.call(
            #[inline(always)]
            || self.runs(simd, added, epilogue),
        ));
    }
}

impl Row<'_> {
    #[inline(always)]
    fn runs<S: Simd, E: Epilogue>(&mut self, simd: S, added: &[f32], epilogue: E) {
        let width = self.out.len();
        let run = RUN * S::LANES;
        for first in (0..width).step_by(run) {
            // The last run ends at the last pixel and computes some a second time.
            let first = first.min(width - run);
            let sums = self.sum(simd, first);
            let out = S::chunks_mut(&mut self.out[first..first + run]);
            let added = S::chunks(if E::ADDS { &added[first..first + run] } else { &[] });
            for (index, (out, &sum)) in out.iter_mut().zip(&sums).enumerate() {
                let other = match added.get(index) {
                    Some(added) => simd.load(added),
                    None => simd.splat(0.0),
                };
                *out = simd.lanes(epilogue.apply(simd, sum, other));
            }
        }
    }

    #[inline(always)]
    fn sum<S: Simd>(&self, simd: S, first: usize) -> [S::Vector; RUN] {
        let Geometry {
            channels,
            kernel: [kernel_h, kernel_w],
            ..
        } = self.kernel.geometry;
        let mut sums = [simd.splat(self.kernel.bias); RUN];
        let weights = self
            .kernel
            .weights
            .chunks_exact(kernel_w * channels)
            .skip(self.skipped);
        for (row, weights) in self.rows.clone().zip(weights) {
            let lines = &self.lines[row % kernel_h * channels * self.line_len..][..channels * self.line_len];
            for (kx, weights) in weights.chunks_exact(channels).enumerate() {
                for (line, &weight) in lines.chunks_exact(self.line_len).zip(weights) {
                    let weight = simd.splat(weight);
                    let values = S::chunks(&line[first + kx..][..RUN * S::LANES]);
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum = *sum + simd.load(value) * weight;
                    }
                }
            }
        }
        sums
    }
}
