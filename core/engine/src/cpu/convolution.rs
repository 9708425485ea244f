//! Convolution over all channels, as a matrix product with packed weights and packed pixels.
//!
//! Weights are packed once, into panels of eight output channels; pixels are packed block by block, into tiles of
//! four whose values of one channel are neighbours. A register tile is four pixels by eight channels: eight
//! accumulators, two weights and one broadcast fit the sixteen vector registers of x86-64, where larger tiles spill.
//! Both operands are then read in one straight line each, which is what a browser's compiler makes the best of: with
//! the four pixels in lines of their own it computes an address for every load. Packing costs one pass over the
//! input and is paid back by every panel. It takes any kernel, stride and padding: a patch is gathered while its
//! pixels are packed, and zeros beyond the border are read from a line of zeros.

use super::epilogue::{Block, Epilogue, Finish};
use super::instructions::Four;
use super::residual::Enlarged;
use super::simd::{LANES, Quad, f32x4, quads, quads_mut, transpose};
use crate::graph::Conv2d;

/// Output channels in a panel.
const PANEL: usize = 2 * LANES;
/// Pixels in a register tile, the lanes of one packed quad.
const TILE: usize = LANES;
/// Steps of the inner loop that are written out, so that its counter and addresses cost little.
const UNROLL: usize = 8;
/// Input values that one block of pixels should hold: 16 KiB, half of a small first-level cache.
const BLOCK_VALUES: usize = 4096;
/// Pixels that a block has at least, so that weights which do not fit a cache are not read for too few of them.
const MIN_BLOCK_PIXELS: usize = 16;

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

/// Memory that kernels share while they run.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Packed pixels of one block.
    pub packed: Vec<Quad>,
    /// Patches of some pixels.
    pub patches: Vec<f32>,
    /// A block of a residual.
    pub enlarged: Enlarged,
}

/// Shapes of one convolution.
#[derive(Debug)]
pub struct Geometry {
    pub(super) conv: Conv2d,
    pub(super) in_size: [usize; 2],
    pub(super) out_size: [usize; 2],
    pub(super) channels: usize,
    pub(super) kernel: [usize; 2],
    /// Stands for a row of a patch beyond the border.
    pub(super) zeros: Vec<f32>,
}

impl Geometry {
    /// From the shapes of the input, the weights `[outputs, kernel_h, kernel_w, channels]` and the output.
    pub fn new(conv: Conv2d, input: &[usize], kernel: &[usize], out: &[usize]) -> Self {
        Self {
            conv,
            in_size: [input[1], input[2]],
            out_size: [out[1], out[2]],
            channels: input[3],
            kernel: [kernel[1], kernel[2]],
            zeros: vec![0.0; kernel[2] * input[3]],
        }
    }

    /// Input values under one output.
    pub fn patch_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.channels
    }

    /// Output pixels.
    pub fn pixels(&self) -> usize {
        self.out_size[0] * self.out_size[1]
    }

    /// Whether the patches of neighbouring outputs are just neighbouring pixels of the input.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.conv.stride == [1, 1] && self.conv.padding == Default::default()
    }

    /// Packs the patches of the pixels from `first` on, tile by tile. The last tile is filled up with copies of the
    /// last pixel.
    #[inline(never)]
    fn pack(&self, x: &[f32], first: usize, tiles: &mut [Quad]) {
        let last = self.pixels() - 1;
        let depth = self.patch_len();
        for (index, tile) in tiles.chunks_exact_mut(depth).enumerate() {
            let pixels = [0, 1, 2, 3].map(|lane| (first + TILE * index + lane).min(last));
            if self.is_pointwise() {
                transpose(pixels.map(|pixel| &x[pixel * depth..][..depth]), tile);
            } else {
                self.pack_patches(
                    x,
                    pixels.map(|p| (p / self.out_size[1], p % self.out_size[1])),
                    tile,
                );
            }
        }
    }

    /// Packs four patches. Where all lie between the left and the right border, a kernel row is one run of memory.
    fn pack_patches(&self, x: &[f32], pixels: [(usize, usize); TILE], tile: &mut [Quad]) {
        let [width, run] = [self.kernel[1], self.kernel[1] * self.channels];
        let column = |out_x: usize, kx: usize| self.conv.input_at(1, out_x, kx, self.in_size[1]);
        let inside = self.conv.dilation[1] == 1
            && pixels
                .iter()
                .all(|&(_, out_x)| column(out_x, 0).is_some() && column(out_x, width - 1).is_some());
        for (ky, tile) in tile.chunks_exact_mut(run).enumerate() {
            let rows = pixels.map(|(out_y, _)| self.conv.input_at(0, out_y, ky, self.in_size[0]));
            let line = |lane: usize, kx: usize, len: usize| match (rows[lane], column(pixels[lane].1, kx)) {
                (Some(row), Some(column)) => &x[(row * self.in_size[1] + column) * self.channels..][..len],
                _ => &self.zeros[..len],
            };
            if inside {
                transpose([0, 1, 2, 3].map(|lane| line(lane, 0, run)), tile);
            } else {
                for (kx, tile) in tile.chunks_exact_mut(self.channels).enumerate() {
                    transpose([0, 1, 2, 3].map(|lane| line(lane, kx, self.channels)), tile);
                }
            }
        }
    }
}

impl Convolution {
    /// Packs `weights` `[outputs, kernel_h, kernel_w, channels]` and `bias` `[outputs]`.
    pub fn new(geometry: Geometry, weights: &[f32], bias: &[f32]) -> Self {
        let (outputs, depth) = (bias.len(), geometry.patch_len());
        let mut panels = vec![[f32x4::ZERO; 2]; outputs.div_ceil(PANEL) * depth];
        let mut biases = Vec::with_capacity(outputs.div_ceil(PANEL));
        // Outputs beyond the last one have weights of zero.
        let zeros = vec![0.0; depth];
        for (first, panel) in (0..outputs).step_by(PANEL).zip(panels.chunks_exact_mut(depth)) {
            let bias_at = |output: usize| positive_zero(bias.get(output).copied().unwrap_or(0.0));
            let quad = |first: usize| f32x4::new([0, 1, 2, 3].map(|lane| bias_at(first + lane)));
            biases.push([quad(first), quad(first + LANES)]);
            let row = |output: usize| weights.get(output * depth..).and_then(|rest| rest.get(..depth));
            for half in [0, 1] {
                let first = first + half * LANES;
                let rows = [0, 1, 2, 3].map(|lane| row(first + lane).unwrap_or(&zeros));
                pack_half(rows, panel, half);
            }
        }
        let block_pixels = (BLOCK_VALUES / depth)
            .next_multiple_of(TILE)
            .max(MIN_BLOCK_PIXELS);
        Self {
            panels,
            bias: biases,
            outputs,
            geometry,
            block_pixels,
        }
    }

    /// Computes the output pixels from number `start` on, as many as `out` has room for.
    pub fn run(&self, x: &[f32], start: usize, finish: Finish<'_>, scratch: &mut Scratch, out: &mut [f32]) {
        let depth = self.geometry.patch_len();
        let Scratch { packed, enlarged, .. } = scratch;
        enlarged.reset();
        for (block, out) in out.chunks_mut(self.block_pixels * self.outputs).enumerate() {
            let first = start + block * self.block_pixels;
            let pixels = out.len() / self.outputs;
            packed.resize(pixels.div_ceil(TILE) * depth, [0.0; LANES]);
            self.geometry.pack(x, first, packed);
            let block = DenseBlock {
                kernel: self,
                packed,
                out: &mut *out,
            };
            finish.run_block(first, pixels, self.outputs, enlarged, block);
            finish.apart.apply(out);
        }
    }
}

/// Writes four rows of weights side by side into one vector of each pair of a panel. Apart, because a browser optimises
/// what is called often.
#[inline(never)]
fn pack_half(rows: [&[f32]; LANES], panel: &mut [[f32x4; 2]], half: usize) {
    let (blocks, rest) = panel.as_chunks_mut::<LANES>();
    let [a, b, c, d] = rows.map(quads);
    for ((((block, &a), &b), &c), &d) in blocks.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        let columns = f32x4::transpose([a, b, c, d].map(f32x4::new));
        for (pair, column) in block.iter_mut().zip(columns) {
            pair[half] = column;
        }
    }
    let done = LANES * blocks.len();
    for (k, pair) in rest.iter_mut().enumerate() {
        pair[half] = f32x4::new(rows.map(|row| row[done + k]));
    }
}

/// The same number, but 0 for -0: then a sum never is -0, and a kernel that skips products with zero gives the bits of
/// one that adds them.
pub fn positive_zero(value: f32) -> f32 {
    if value == 0.0 { 0.0 } else { value }
}

/// All panels over one block of packed pixels.
struct DenseBlock<'a> {
    kernel: &'a Convolution,
    packed: &'a [Quad],
    out: &'a mut [f32],
}

impl Block for DenseBlock<'_> {
    // Apart, here and wherever most of the time goes, because browsers optimise function by function, and run slow code
    // until that is done: a small function is done in milliseconds, a whole step takes sixty.
    #[inline(never)]
    fn run<E: Epilogue>(self, added: &[f32], epilogue: E) {
        let Convolution { panels, bias, .. } = self.kernel;
        let (depth, outputs) = (self.kernel.geometry.patch_len(), self.kernel.outputs);
        for (index, (panel, &bias)) in panels.chunks_exact(depth).zip(bias).enumerate() {
            let channel = index * PANEL;
            let width = PANEL.min(outputs - channel);
            let tiles = self
                .packed
                .chunks_exact(depth)
                .zip(self.out.chunks_mut(TILE * outputs));
            for (index, (tile, out)) in tiles.enumerate() {
                let sums = multiply(tile, panel, bias);
                let first = index * TILE * outputs + channel;
                if width < PANEL {
                    write_ragged(&sums, &mut out[channel..], outputs, width, &epilogue, |row| {
                        &added[first + row * outputs..][..width]
                    });
                    continue;
                }
                for (row, sum) in sums.into_iter().enumerate() {
                    let start = row * outputs + channel;
                    // The last tile may have fewer than four rows; surplus sums find no place.
                    let Some(out) = out.get_mut(start..start + PANEL) else {
                        break;
                    };
                    let mut other = [f32x4::ZERO; 2];
                    if E::ADDS {
                        let added = &quads(&added[first + row * outputs..][..PANEL])[..2];
                        other = [f32x4::new(added[0]), f32x4::new(added[1])];
                    }
                    let out = &mut quads_mut(out)[..2];
                    out[0] = epilogue.apply(Four, sum[0], other[0]).to_array();
                    out[1] = epilogue.apply(Four, sum[1], other[1]).to_array();
                }
            }
        }
    }
}

/// Finishes a tile of the last panel, where that has fewer than eight channels. `out` starts at the tile's first
/// channel of the panel.
#[inline(never)]
fn write_ragged<'a, E: Epilogue>(
    sums: &[[f32x4; 2]; TILE],
    out: &mut [f32],
    outputs: usize,
    width: usize,
    epilogue: &E,
    added: impl Fn(usize) -> &'a [f32],
) {
    for (row, (sum, out)) in sums.iter().zip(out.chunks_mut(outputs)).enumerate() {
        let mut other = [[0.0; LANES]; 2];
        if E::ADDS {
            other.as_flattened_mut()[..width].copy_from_slice(added(row));
        }
        let finished = [0, 1].map(|half| {
            epilogue
                .apply(Four, sum[half], f32x4::new(other[half]))
                .to_array()
        });
        out[..width].copy_from_slice(&finished.as_flattened()[..width]);
    }
}

/// One tile of packed pixels times one panel of weights.
#[inline(always)]
fn multiply(tile: &[Quad], panel: &[[f32x4; 2]], bias: [f32x4; 2]) -> [[f32x4; 2]; TILE] {
    #[inline(always)]
    fn step(sums: &mut [[f32x4; 2]; TILE], pixels: &Quad, &[low, high]: &[f32x4; 2]) {
        for (sum, &pixel) in sums.iter_mut().zip(pixels) {
            let pixel = f32x4::splat(pixel);
            sum[0] += pixel * low;
            sum[1] += pixel * high;
        }
    }
    let mut sums = [bias; TILE];
    let (pixels, rest_pixels) = tile.as_chunks::<UNROLL>();
    let (weights, rest_weights) = panel.as_chunks::<UNROLL>();
    for (pixels, weights) in pixels.iter().zip(weights) {
        for (pixels, weights) in pixels.iter().zip(weights) {
            step(&mut sums, pixels, weights);
        }
    }
    for (pixels, weights) in rest_pixels.iter().zip(rest_weights) {
        step(&mut sums, pixels, weights);
    }
    sums
}
