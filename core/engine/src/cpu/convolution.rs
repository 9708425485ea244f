//! Convolution over all channels, as a matrix product with packed weights.
//!
//! Weights are packed into panels of eight output channels; a register tile holds four pixels by eight channels
//! (eight accumulators, two weights and one broadcast fit the sixteen vector registers of x86-64, where larger tiles
//! spill). Pixels are taken in blocks whose input rows stay in the first-level cache while all panels pass over
//! them. A 1x1 convolution reads its rows straight from the input; any other kernel first gathers the patches of
//! one block, which is im2col without the memory.

use super::epilogue::{Epilogue, ResidualSource};
use super::simd::{LANES, f32x4, quads_mut};
use crate::graph::Conv2d;

/// Output channels in a panel.
const PANEL: usize = 2 * LANES;
/// Pixels in a register tile.
const TILE: usize = 4;
/// Input values that one block of pixels may hold: 16 KiB, half of a small first-level cache.
const BLOCK_VALUES: usize = 4096;

/// One convolution with its weights in the order in which the kernel reads them.
#[derive(Debug)]
pub struct Convolution {
    /// Panel after panel; in each, one pair of vectors for each input value of a patch.
    panels: Vec<[f32x4; 2]>,
    /// One pair for each panel.
    bias: Vec<[f32x4; 2]>,
    outputs: usize,
    geometry: Geometry,
    block_pixels: usize,
}

/// Shapes of one convolution.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    conv: Conv2d,
    in_size: [usize; 2],
    out_width: usize,
    channels: usize,
    kernel: [usize; 2],
}

impl Geometry {
    /// Input values under one output.
    fn patch_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.channels
    }

    /// Whether the patches of neighbouring outputs are just neighbouring pixels of the input.
    fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.conv.stride == [1, 1] && self.conv.padding == Default::default()
    }

    /// Copies the patch of one output pixel, zeros where it hangs over the border.
    fn gather(&self, x: &[f32], pixel: usize, patch: &mut [f32]) {
        let (out_y, out_x) = (pixel / self.out_width, pixel % self.out_width);
        for (ky, row) in patch.chunks_exact_mut(self.kernel[1] * self.channels).enumerate() {
            let y = (out_y * self.conv.stride[0] + ky * self.conv.dilation[0])
                .checked_sub(self.conv.padding.top)
                .filter(|&y| y < self.in_size[0]);
            for (kx, tap) in row.chunks_exact_mut(self.channels).enumerate() {
                let x_in = (out_x * self.conv.stride[1] + kx * self.conv.dilation[1])
                    .checked_sub(self.conv.padding.left)
                    .filter(|&x| x < self.in_size[1]);
                match (y, x_in) {
                    (Some(y), Some(x_in)) => {
                        let start = (y * self.in_size[1] + x_in) * self.channels;
                        tap.copy_from_slice(&x[start..][..self.channels]);
                    }
                    _ => tap.fill(0.0),
                }
            }
        }
    }
}

impl Convolution {
    /// Packs `weights` `[outputs, kernel_h, kernel_w, channels]` and `bias` `[outputs]`.
    pub fn new(
        conv: Conv2d,
        input: &[usize],
        weights: &[f32],
        kernel: &[usize],
        bias: &[f32],
        out: &[usize],
    ) -> Self {
        let geometry = Geometry {
            conv,
            in_size: [input[1], input[2]],
            out_width: out[2],
            channels: input[3],
            kernel: [kernel[1], kernel[2]],
        };
        let (outputs, depth) = (kernel[0], geometry.patch_len());
        let at = |output: usize, k: usize| {
            if output < outputs {
                weights[output * depth + k]
            } else {
                0.0
            }
        };
        let quad = |first: usize, value: &dyn Fn(usize) -> f32| {
            f32x4::new([0, 1, 2, 3].map(|lane| value(first + lane)))
        };
        let mut panels = Vec::with_capacity(outputs.div_ceil(PANEL) * depth);
        let mut biases = Vec::with_capacity(outputs.div_ceil(PANEL));
        for first in (0..outputs).step_by(PANEL) {
            let bias_at = |output: usize| bias.get(output).copied().unwrap_or(0.0);
            biases.push([quad(first, &bias_at), quad(first + LANES, &bias_at)]);
            for k in 0..depth {
                let column = |output| at(output, k);
                panels.push([quad(first, &column), quad(first + LANES, &column)]);
            }
        }
        let block_pixels = (BLOCK_VALUES / depth).next_multiple_of(TILE).max(TILE);
        Self {
            panels,
            bias: biases,
            outputs,
            geometry,
            block_pixels,
        }
    }

    /// Values of scratch memory that [`Self::run`] needs.
    pub fn scratch_len(&self) -> usize {
        if self.geometry.is_pointwise() {
            0
        } else {
            self.block_pixels * self.geometry.patch_len()
        }
    }

    /// Computes all outputs.
    pub fn run<R: ResidualSource>(
        &self,
        x: &[f32],
        scratch: &mut [f32],
        out: &mut [f32],
        epilogue: &Epilogue<R>,
    ) {
        let depth = self.geometry.patch_len();
        for (block, out) in out.chunks_mut(self.block_pixels * self.outputs).enumerate() {
            let first = block * self.block_pixels;
            let pixels = out.len() / self.outputs;
            if self.geometry.is_pointwise() {
                self.run_block(&x[first * depth..][..pixels * depth], first, out, epilogue);
            } else {
                let patches = &mut scratch[..pixels * depth];
                for (index, patch) in patches.chunks_exact_mut(depth).enumerate() {
                    self.geometry.gather(x, first + index, patch);
                }
                self.run_block(patches, first, out, epilogue);
            }
        }
    }

    /// All panels over one block of patches.
    fn run_block<R: ResidualSource>(
        &self,
        patches: &[f32],
        first: usize,
        out: &mut [f32],
        epilogue: &Epilogue<R>,
    ) {
        let depth = self.geometry.patch_len();
        for (index, (panel, &bias)) in self.panels.chunks_exact(depth).zip(&self.bias).enumerate() {
            let channel = index * PANEL;
            let width = PANEL.min(self.outputs - channel);
            let tiles = patches
                .chunks(TILE * depth)
                .zip(out.chunks_mut(TILE * self.outputs))
                .enumerate();
            for (tile, (rows, out)) in tiles {
                let sums = multiply(rows, depth, panel, bias);
                for (row, (sum, out)) in sums.iter().zip(out.chunks_exact_mut(self.outputs)).enumerate() {
                    let pixel = first + tile * TILE + row;
                    let out = &mut out[channel..][..width];
                    if width == PANEL {
                        let [low, high] = quads_mut(out) else {
                            unreachable!("a full panel is two vectors")
                        };
                        *low = epilogue.quad(pixel, channel / LANES, sum[0]).to_array();
                        *high = epilogue.quad(pixel, channel / LANES + 1, sum[1]).to_array();
                    } else {
                        for (part, (sum, out)) in sum.iter().zip(out.chunks_mut(LANES)).enumerate() {
                            epilogue.ragged(pixel, channel + part * LANES, *sum, out);
                        }
                    }
                }
            }
        }
    }
}

/// Four rows of `depth` values times one panel. A tile with fewer rows repeats its last one; the caller drops the
/// surplus sums.
#[inline(always)]
fn multiply(rows: &[f32], depth: usize, panel: &[[f32x4; 2]], bias: [f32x4; 2]) -> [[f32x4; 2]; TILE] {
    let last = rows.len() / depth - 1;
    let [r0, r1, r2, r3] = [0, 1, 2, 3].map(|row: usize| &rows[row.min(last) * depth..][..depth]);
    let mut sums = [bias; TILE];
    for ((((&[low, high], &a0), &a1), &a2), &a3) in panel.iter().zip(r0).zip(r1).zip(r2).zip(r3) {
        for (sum, a) in sums.iter_mut().zip([a0, a1, a2, a3]) {
            let a = f32x4::splat(a);
            sum[0] += a * low;
            sum[1] += a * high;
        }
    }
    sums
}
