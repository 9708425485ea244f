//! Depthwise convolution: each channel by its own kernel.
//!
//! Works on four channels of a run of neighbouring outputs at once, so that a weight is loaded once for the run and
//! an input once for all taps of a row that use it. Taps beyond the border read a row of zeros.

use super::epilogue::{Epilogue, ResidualSource};
use super::simd::{LANES, f32x4, quads, quads_mut};
use crate::graph::Conv2d;

/// One depthwise convolution with its weights as vectors.
#[derive(Debug)]
pub struct Depthwise {
    /// `[kernel_h * kernel_w][channels / 4]`, the last vector of a tap padded with zeros.
    weights: Vec<f32x4>,
    bias: Vec<f32x4>,
    conv: Conv2d,
    in_size: [usize; 2],
    out_size: [usize; 2],
    channels: usize,
    kernel: [usize; 2],
    zeros: Vec<f32>,
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
        let vectors = |row: &[f32]| -> Vec<f32x4> {
            row.chunks(LANES)
                .map(|part| f32x4::new([0, 1, 2, 3].map(|lane| part.get(lane).copied().unwrap_or(0.0))))
                .collect()
        };
        Self {
            weights: weights.chunks(channels).flat_map(vectors).collect(),
            bias: vectors(bias),
            conv,
            in_size: [input[1], input[2]],
            out_size: [out[1], out[2]],
            channels,
            kernel: [kernel[1], kernel[2]],
            zeros: vec![0.0; channels],
        }
    }

    /// Computes all outputs.
    pub fn run<R: ResidualSource>(&self, x: &[f32], out: &mut [f32], epilogue: &Epilogue<R>) {
        // Runs of 4 or 2 outputs keep accumulators, inputs and a weight within sixteen registers.
        let fits = self.channels.is_multiple_of(LANES) && self.conv.dilation == [1, 1];
        match (self.kernel, self.conv.stride, fits) {
            ([3, 3], [1, 1], true) => self.run_rows::<R, 3, 1, 4, 6>(x, out, epilogue),
            ([3, 3], [2, 2], true) => self.run_rows::<R, 3, 2, 2, 5>(x, out, epilogue),
            ([5, 5], [1, 1], true) => self.run_rows::<R, 5, 1, 4, 8>(x, out, epilogue),
            ([5, 5], [2, 2], true) => self.run_rows::<R, 5, 2, 2, 7>(x, out, epilogue),
            _ => self.run_any(x, out, epilogue),
        }
    }

    /// The channels of one input pixel, zeros outside the image.
    #[inline(always)]
    fn pixel<'a>(&'a self, x: &'a [f32], row: Option<usize>, column: Option<usize>) -> &'a [f32] {
        match (row, column) {
            (Some(row), Some(column)) if row < self.in_size[0] && column < self.in_size[1] => {
                &x[(row * self.in_size[1] + column) * self.channels..][..self.channels]
            }
            _ => &self.zeros,
        }
    }

    /// `K` by `K` taps at stride `S`, `RUN` outputs at a time, which read `SPAN` = (RUN - 1) * S + K columns.
    fn run_rows<R: ResidualSource, const K: usize, const S: usize, const RUN: usize, const SPAN: usize>(
        &self,
        x: &[f32],
        out: &mut [f32],
        epilogue: &Epilogue<R>,
    ) {
        let (width, count) = (self.out_size[1], self.channels / LANES);
        for (out_y, out_row) in out.chunks_exact_mut(width * self.channels).enumerate() {
            for (run, out_run) in out_row.chunks_mut(RUN * self.channels).enumerate() {
                let out_x = run * RUN;
                let taps: [[&[[f32; LANES]]; SPAN]; K] = std::array::from_fn(|ky| {
                    std::array::from_fn(|column| {
                        let row = (out_y * S + ky).checked_sub(self.conv.padding.top);
                        let column = (out_x * S + column).checked_sub(self.conv.padding.left);
                        &quads(self.pixel(x, row, column))[..count]
                    })
                });
                let first_pixel = out_y * width + out_x;
                for quad in 0..count {
                    let mut sums = [self.bias[quad]; RUN];
                    for (ky, row) in taps.iter().enumerate() {
                        let inputs: [f32x4; SPAN] =
                            std::array::from_fn(|column| f32x4::new(row[column][quad]));
                        for kx in 0..K {
                            let weight = self.weights[(ky * K + kx) * count + quad];
                            for (index, sum) in sums.iter_mut().enumerate() {
                                *sum += inputs[index * S + kx] * weight;
                            }
                        }
                    }
                    for (index, (sum, out)) in sums
                        .into_iter()
                        .zip(out_run.chunks_exact_mut(self.channels))
                        .enumerate()
                    {
                        quads_mut(out)[quad] = epilogue.quad(first_pixel + index, quad, sum).to_array();
                    }
                }
            }
        }
    }

    /// Any kernel, stride, dilation and number of channels.
    fn run_any<R: ResidualSource>(&self, x: &[f32], out: &mut [f32], epilogue: &Epilogue<R>) {
        let (width, count) = (self.out_size[1], self.channels.div_ceil(LANES));
        for (pixel, out) in out.chunks_exact_mut(self.channels).enumerate() {
            let (out_y, out_x) = (pixel / width, pixel % width);
            for (quad, out) in out.chunks_mut(LANES).enumerate() {
                let mut sum = self.bias[quad];
                for ky in 0..self.kernel[0] {
                    for kx in 0..self.kernel[1] {
                        let row = (out_y * self.conv.stride[0] + ky * self.conv.dilation[0])
                            .checked_sub(self.conv.padding.top);
                        let column = (out_x * self.conv.stride[1] + kx * self.conv.dilation[1])
                            .checked_sub(self.conv.padding.left);
                        let input = &self.pixel(x, row, column)[quad * LANES..];
                        let input = [0, 1, 2, 3].map(|lane| input.get(lane).copied().unwrap_or(0.0));
                        sum += f32x4::new(input) * self.weights[(ky * self.kernel[1] + kx) * count + quad];
                    }
                }
                epilogue.ragged(pixel, quad * LANES, sum, out);
            }
        }
    }
}
