//! Convolution over all channels for vectors longer than four: pixels are read where they lie.
//!
//! Only the weights are packed, into lines of sixteen output channels. A register tile is some pixels by one or two
//! lines; a pixel's value goes to all lanes of a vector by the load itself, so packing the pixels as
//! [`Convolution`](super::convolution::Convolution) does would only cost time here: at sixteen lanes it takes as long
//! as the multiplications of small layers. Where the output channels are no multiple of sixteen, the last line ends at
//! the last channel and computes some channels a second time.

use super::convolution::{Geometry, Scratch, positive_zero};
use super::epilogue::{Block, Epilogue, Finish};
use super::instructions::{Four, Simd, Wide, with_wide};

/// Output channels of a line.
const LINE: usize = 16;
/// Input and output values that one block of pixels should hold: 128 KiB, so that they stay in the second-level cache
/// while all weights pass by. The first-level cache keeps the weights of a group of lines.
const BLOCK_VALUES: usize = 32768;
/// Pixels that a block has at least, so that weights which do not fit a cache are not read for too few of them.
const MIN_BLOCK_PIXELS: usize = 64;

/// Input values of a pixel from which on tiles of eight pixels by two lines are faster than tiles of four.
const LONG: usize = 48;
/// Channels from which on patches that reach beyond the border are read tap by tap, and not copied first.
const LONG_TAP: usize = 32;

/// Weights of one input value for sixteen output channels, one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([f32; LINE]);

/// One convolution with its weights in the order in which the kernel reads them.
#[derive(Debug)]
pub struct Direct {
    /// For each group of lines a line of each for each input value of a patch.
    weights: Vec<Line>,
    bias: Vec<Line>,
    outputs: usize,
    geometry: Geometry,
    block_pixels: usize,
    wide: Wide,
}

/// Lines that are computed together.
fn group_lines(wide: Wide) -> usize {
    match wide.lanes() {
        // Two vectors of eight are one line.
        8 => 1,
        _ => 2,
    }
}

impl Direct {
    /// Packs `weights` `[outputs, kernel_h, kernel_w, channels]` and `bias` `[outputs]`.
    pub fn new(geometry: Geometry, weights: &[f32], bias: &[f32], wide: Wide) -> Self {
        let (outputs, depth) = (bias.len(), geometry.patch_len());
        let wide = if outputs <= 8 { wide.at_most_eight() } else { wide };
        let lines = outputs.div_ceil(LINE);
        let firsts: Vec<usize> = (0..lines).map(|line| first_channel(line, outputs)).collect();
        let line = |first: usize, value: &dyn Fn(usize) -> f32| {
            Line(std::array::from_fn(|lane| {
                if first + lane < outputs {
                    value(first + lane)
                } else {
                    0.0
                }
            }))
        };
        let mut packed = Vec::with_capacity(lines * depth);
        for group in firsts.chunks(group_lines(wide)) {
            for k in 0..depth {
                packed.extend(
                    group
                        .iter()
                        .map(|&first| line(first, &|output| weights[output * depth + k])),
                );
            }
        }
        Self {
            weights: packed,
            bias: firsts
                .iter()
                .map(|&first| line(first, &|output| positive_zero(bias[output])))
                .collect(),
            outputs,
            geometry,
            block_pixels: (BLOCK_VALUES / depth).next_multiple_of(8).max(MIN_BLOCK_PIXELS),
            wide,
        }
    }

    /// Computes the output pixels from number `start` on, as many as `out` has room for.
    pub fn run(&self, x: &[f32], start: usize, finish: Finish<'_>, scratch: &mut Scratch, out: &mut [f32]) {
        let Scratch {
            enlarged, patches, ..
        } = scratch;
        enlarged.reset();
        for (block, out) in out.chunks_mut(self.block_pixels * self.outputs).enumerate() {
            let first = start + block * self.block_pixels;
            let pixels = out.len() / self.outputs;
            let block = DirectBlock {
                kernel: self,
                x,
                first,
                pixels,
                patches,
                out: &mut *out,
            };
            finish.run_block(first, pixels, self.outputs, enlarged, block);
            finish.apart.apply(out);
        }
    }
}

/// The first channel of a line: the last line ends at the last channel, if there are enough for it.
fn first_channel(line: usize, outputs: usize) -> usize {
    (line * LINE).min(outputs.saturating_sub(LINE))
}

/// Patches where they lie.
impl Geometry {
    /// Where in the input the patch of an output pixel starts, if none of it lies beyond the border. Each of its kernel
    /// rows is then one run of memory, [`Self::row_step`] behind the one before.
    fn patch_start(&self, pixel: usize) -> Option<usize> {
        if self.is_pointwise() {
            return Some(pixel * self.channels);
        }
        let (out_y, out_x) = (pixel / self.out_size[1], pixel % self.out_size[1]);
        let row = (out_y * self.conv.stride[0]).checked_sub(self.conv.padding.top)?;
        let column = (out_x * self.conv.stride[1]).checked_sub(self.conv.padding.left)?;
        let inside = row + (self.kernel[0] - 1) * self.conv.dilation[0] < self.in_size[0]
            && column + self.kernel[1] <= self.in_size[1]
            && self.conv.dilation[1] == 1;
        inside.then_some((row * self.in_size[1] + column) * self.channels)
    }

    /// Elements from a kernel row of a patch to the next.
    fn row_step(&self) -> usize {
        self.conv.dilation[0] * self.in_size[1] * self.channels
    }

    /// Input values under one row of the kernel.
    fn row_len(&self) -> usize {
        self.kernel[1] * self.channels
    }

    /// Where in the input the tap `[ky, kx]` of an output pixel lies; `None` beyond the border.
    #[inline(always)]
    fn tap_start(&self, pixel: usize, [ky, kx]: [usize; 2]) -> Option<usize> {
        let (out_y, out_x) = (pixel / self.out_size[1], pixel % self.out_size[1]);
        let row = self.conv.input_at(0, out_y, ky, self.in_size[0])?;
        let column = self.conv.input_at(1, out_x, kx, self.in_size[1])?;
        Some((row * self.in_size[1] + column) * self.channels)
    }

    /// Writes the patch of an output pixel, with zeros for what lies beyond the border.
    fn copy_patch(&self, x: &[f32], pixel: usize, patch: &mut [f32]) {
        // Neighbouring taps that are neighbours in the input are one run.
        let [height, taps] = self.kernel;
        let runs = if self.conv.dilation[1] == 1 { 1 } else { taps };
        let taps = taps / runs;
        for (index, values) in patch.chunks_exact_mut(taps * self.channels).enumerate() {
            let (ky, kx) = (index / runs, index % runs);
            debug_assert!(ky < height, "a patch has as many rows as the kernel");
            let inside =
                (0..taps).filter_map(|tap| self.tap_start(pixel, [ky, kx + tap]).map(|at| (tap, at)));
            let (first, start, count) =
                inside.fold((0, 0, 0), |(first, start, count), (tap, at)| match count {
                    0 => (tap, at, 1),
                    _ => (first, start, count + 1),
                });
            let (before, rest) = values.split_at_mut(first * self.channels);
            let (run, after) = rest.split_at_mut(count * self.channels);
            before.fill(0.0);
            run.copy_from_slice(&x[start..][..run.len()]);
            after.fill(0.0);
        }
    }
}

/// All outputs of one block of pixels.
struct DirectBlock<'a> {
    kernel: &'a Direct,
    x: &'a [f32],
    first: usize,
    pixels: usize,
    patches: &'a mut Vec<f32>,
    out: &'a mut [f32],
}

impl Block for DirectBlock<'_> {
    fn run<E: Epilogue>(mut self, added: &[f32], epilogue: E) {
        with_wide!(self.kernel.wide, simd => simd.call(
            #[inline(always)]
            || self.groups(simd, added, epilogue),
        ));
    }
}

impl DirectBlock<'_> {
    #[inline(always)]
    fn groups<S: Simd, E: Epilogue>(&mut self, simd: S, added: &[f32], epilogue: E) {
        let depth = self.kernel.geometry.patch_len();
        let per_group = group_lines(self.kernel.wide);
        let mut weights = self.kernel.weights.as_slice();
        for (index, bias) in self.kernel.bias.chunks(per_group).enumerate() {
            let (group, rest) = weights.split_at(depth * bias.len());
            weights = rest;
            let firsts = |line: usize| first_channel(index * per_group + line, self.kernel.outputs);
            match (S::LANES, bias) {
                (8, [bias]) if self.kernel.outputs <= 8 => {
                    self.tiles::<S, E, 8, 1, 1>(simd, group, [bias], [firsts(0)], added, epilogue);
                }
                (8, [bias]) => {
                    self.tiles::<S, E, 4, 1, 2>(simd, group, [bias], [firsts(0)], added, epilogue);
                }
                (_, [bias]) => {
                    self.tiles::<S, E, 8, 1, 1>(simd, group, [bias], [firsts(0)], added, epilogue);
                }
                (_, [low, high]) if depth < LONG && self.kernel.geometry.is_pointwise() => {
                    let firsts = [firsts(0), firsts(1)];
                    self.tiles::<S, E, 4, 2, 2>(simd, group, [low, high], firsts, added, epilogue);
                }
                (_, [low, high]) => {
                    let firsts = [firsts(0), firsts(1)];
                    self.tiles::<S, E, 8, 2, 2>(simd, group, [low, high], firsts, added, epilogue);
                }
                _ => {}
            }
        }
    }

    /// `L` lines, which are `V` vectors, of all pixels, `P` at a time.
    #[inline(always)]
    fn tiles<S: Simd, E: Epilogue, const P: usize, const L: usize, const V: usize>(
        &mut self,
        simd: S,
        weights: &[Line],
        bias: [&Line; L],
        firsts: [usize; L],
        added: &[f32],
        epilogue: E,
    ) {
        let weights = weights.as_chunks::<L>().0;
        let mut start = [simd.splat(0.0); V];
        for (index, start) in start.iter_mut().enumerate() {
            let at = index * S::LANES;
            *start = simd.load(&S::chunks(&bias[at / LINE].0[at % LINE..])[0]);
        }
        let mut pixel = 0;
        if self.pixels == 1 {
            let sums = self.sum::<S, 1, L, V>(simd, start, pixel, weights);
            return self.write(simd, &sums, pixel, firsts, added, epilogue);
        }
        while pixel < self.pixels {
            if P > 4 && pixel + 4 >= self.pixels {
                let sums = self.sum::<S, 4, L, V>(simd, start, pixel, weights);
                self.write(simd, &sums, pixel, firsts, added, epilogue);
                pixel += 4;
            } else {
                let sums = self.sum::<S, P, L, V>(simd, start, pixel, weights);
                self.write(simd, &sums, pixel, firsts, added, epilogue);
                pixel += P;
            }
        }
    }

    /// Adds up `P` pixels from number `pixel` of the block on; surplus ones are copies of the last.
    #[inline(always)]
    fn sum<S: Simd, const P: usize, const L: usize, const V: usize>(
        &mut self,
        simd: S,
        start: [S::Vector; V],
        pixel: usize,
        weights: &[[Line; L]],
    ) -> [[S::Vector; V]; P] {
        let mut sums = [start; P];
        let geometry = &self.kernel.geometry;
        let depth = weights.len();
        let mut rows: [&[f32]; P] = [&[]; P];
        let number = |row: usize| self.first + (pixel + row).min(self.pixels - 1);
        if geometry.is_pointwise() {
            for (row, values) in rows.iter_mut().enumerate() {
                *values = &self.x[number(row) * depth..][..depth];
            }
            return accumulate(simd, sums, rows, weights);
        }
        let mut starts = [0; P];
        let mut inside = true;
        for (row, start) in starts.iter_mut().enumerate() {
            match geometry.patch_start(number(row)) {
                Some(found) => *start = found,
                None => inside = false,
            }
        }
        if inside {
            let run = geometry.row_len();
            for (ky, weights) in weights.chunks_exact(run).enumerate() {
                let skipped = ky * geometry.row_step();
                for (row, start) in rows.iter_mut().zip(&starts) {
                    *row = &self.x[start + skipped..][..run];
                }
                sums = accumulate(simd, sums, rows, weights);
            }
            sums
        } else if geometry.channels >= LONG_TAP {
            let zeros = &geometry.zeros[..geometry.channels];
            for (tap, weights) in weights.chunks_exact(geometry.channels).enumerate() {
                let tap = [tap / geometry.kernel[1], tap % geometry.kernel[1]];
                for (index, row) in rows.iter_mut().enumerate() {
                    *row = match geometry.tap_start(number(index), tap) {
                        Some(start) => &self.x[start..][..geometry.channels],
                        None => zeros,
                    };
                }
                sums = accumulate(simd, sums, rows, weights);
            }
            sums
        } else {
            self.patches.resize(P * depth, 0.0);
            for (row, patch) in self.patches.chunks_exact_mut(depth).enumerate() {
                geometry.copy_patch(self.x, number(row), patch);
            }
            for (row, patch) in rows.iter_mut().zip(self.patches.chunks_exact(depth)) {
                *row = patch;
            }
            accumulate(simd, sums, rows, weights)
        }
    }

    /// Finishes and writes sums; surplus pixels find no place.
    #[inline(always)]
    fn write<S: Simd, E: Epilogue, const P: usize, const L: usize, const V: usize>(
        &mut self,
        simd: S,
        sums: &[[S::Vector; V]; P],
        pixel: usize,
        firsts: [usize; L],
        added: &[f32],
        epilogue: E,
    ) {
        let outputs = self.kernel.outputs;
        for (row, sums) in sums.iter().enumerate() {
            for (index, &sum) in sums.iter().enumerate() {
                let at = index * S::LANES;
                let place = (pixel + row) * outputs + firsts[at / LINE] + at % LINE;
                let range = place..place + S::LANES;
                // As many channels as the vectors of a line have lanes.
                if outputs >= V / L * S::LANES {
                    let Some([out]) = self.out.get_mut(range.clone()).map(S::chunks_mut) else {
                        continue;
                    };
                    let other = match added.get(range).map(S::chunks) {
                        Some([added]) if E::ADDS => simd.load(added),
                        _ => simd.splat(0.0),
                    };
                    *out = simd.lanes(epilogue.apply(simd, sum, other));
                } else {
                    let end = ((pixel + row + 1) * outputs).min(place + S::LANES);
                    let Some(out) = self.out.get_mut(place..end) else {
                        continue;
                    };
                    let added = if E::ADDS { &added[place..end] } else { &[] };
                    write_ragged(simd.lanes(sum).as_ref(), out, added, epilogue);
                }
            }
        }
    }
}

/// Finishes fewer channels than a vector has lanes.
fn write_ragged<E: Epilogue>(sums: &[f32], out: &mut [f32], added: &[f32], epilogue: E) {
    for (index, (out, &sum)) in out.iter_mut().zip(sums).enumerate() {
        let added = added.get(index).copied().unwrap_or(0.0);
        *out = epilogue
            .apply(Four, Four.splat(sum), Four.splat(added))
            .to_array()[0];
    }
}

/// Adds the products of `P` runs of input values with their weights. Sums are handed over and back, because what lies
/// behind a reference is written in every turn of the loop.
#[inline(always)]
fn accumulate<S: Simd, const P: usize, const L: usize, const V: usize>(
    simd: S,
    mut sums: [[S::Vector; V]; P],
    rows: [&[f32]; P],
    weights: &[[Line; L]],
) -> [[S::Vector; V]; P] {
    let len = weights.len();
    let mut sized: [&[f32]; P] = [&[]; P];
    for (sized, row) in sized.iter_mut().zip(rows) {
        *sized = &row[..len];
    }
    for (k, lines) in weights.iter().enumerate() {
        let mut weights = [simd.splat(0.0); V];
        for (index, weight) in weights.iter_mut().enumerate() {
            let at = index * S::LANES;
            *weight = simd.load(&S::chunks(&lines[at / LINE].0[at % LINE..])[0]);
        }
        for (sums, row) in sums.iter_mut().zip(&sized) {
            let value = simd.splat(row[k]);
            for (sum, &weight) in sums.iter_mut().zip(&weights) {
                *sum = *sum + value * weight;
            }
        }
    }
    sums
}
