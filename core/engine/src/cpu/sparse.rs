//! 1x1 convolution with weights of which most are zero: only the others are multiplied.
//!
//! The zeros of a pruned model lie anywhere, so a vector holds pixels and not channels: a block of pixels is turned
//! so that each input channel is one line of vectors, and an output channel adds up the lines of the inputs that it
//! uses. Its sums never leave the registers. Every product of the dense kernel with a weight that is not zero is
//! made here too, in the same order, so results are its results bit for bit: adding a zero to a sum changes it only where
//! the sum is -0, and sums start from no -0.
//! (Elsen et al., "Fast Sparse ConvNets", 2020, do the same on tensors that are stored channel by channel throughout.)

use super::convolution::{Geometry, Scratch, positive_zero};
use super::epilogue::{Block, Epilogue, Finish};
use super::instructions::Four;
use super::simd::{LANES, Quad, f32x4, quads, quads_mut};
use crate::compact::Compact;

/// The largest part of weights that may differ from zero for this kernel to be chosen; `benches/kernels.rs` measures
/// where it breaks even with the dense one.
const MAX_DENSITY: f64 = 0.5;
/// Smaller images do not fill a block.
const MIN_PIXELS: usize = 16;

/// One sparse 1x1 convolution.
#[derive(Debug)]
pub struct SparsePointwise {
    /// Output channel after output channel, inputs rising.
    weights: Vec<Weight>,
    /// For each output channel where its weights end.
    ends: Vec<usize>,
    bias: Vec<f32>,
    depth: usize,
    pixels: usize,
}

/// A weight that is not zero, and the input channel that it multiplies.
#[derive(Clone, Copy, Debug)]
struct Weight {
    input: u32,
    value: f32,
}

impl SparsePointwise {
    /// Collects the weights `[outputs, 1, 1, depth]` that are not zero; `None` where the dense kernel is the better
    /// choice.
    pub fn new(geometry: &Geometry, weights: &[f32], bias: &[f32]) -> Option<Self> {
        if !Self::is_possible(geometry) {
            return None;
        }
        let nonzero = weights.iter().filter(|&&weight| weight != 0.0).count();
        if nonzero as f64 > MAX_DENSITY * weights.len() as f64 {
            return None;
        }
        let depth = geometry.patch_len();
        let mut kept = Vec::with_capacity(nonzero);
        let mut ends = Vec::with_capacity(bias.len());
        for row in weights.chunks_exact(depth) {
            keep(row, &mut kept);
            ends.push(kept.len());
        }
        Some(Self::of(geometry, kept, ends, bias))
    }

    /// [`Self::new`] without writing the zeros down first. `None` also where a row of weights does not end with a byte of
    /// the mask.
    pub fn of_compact(geometry: &Geometry, weights: &Compact, bias: &[f32]) -> Option<Self> {
        let depth = geometry.patch_len();
        let suits =
            Self::is_possible(geometry) && weights.density() <= MAX_DENSITY && depth.is_multiple_of(8);
        let mask = weights.mask().filter(|_| suits)?;
        let values = weights.kept();
        let mut kept = Vec::with_capacity(values.len());
        let mut ends = Vec::with_capacity(bias.len());
        for row in mask.chunks_exact(depth / 8) {
            keep_masked(row, &values[kept.len()..], &mut kept);
            ends.push(kept.len());
        }
        Some(Self::of(geometry, kept, ends, bias))
    }

    fn is_possible(geometry: &Geometry) -> bool {
        geometry.is_pointwise() && geometry.pixels() >= MIN_PIXELS
    }

    fn of(geometry: &Geometry, weights: Vec<Weight>, ends: Vec<usize>, bias: &[f32]) -> Self {
        Self {
            weights,
            ends,
            bias: bias.iter().map(|&bias| positive_zero(bias)).collect(),
            depth: geometry.patch_len(),
            pixels: geometry.pixels(),
        }
    }

    /// Computes the output pixels from number `start` on, as many as `out` has room for.
    pub fn run(&self, x: &[f32], start: usize, finish: Finish<'_>, scratch: &mut Scratch, out: &mut [f32]) {
        // Maps of 7, 14 and 28 pixels a side divide into blocks of 28, those of 8, 16 and 32 into blocks of 32.
        let surplus = |quads: usize| self.pixels.next_multiple_of(quads * LANES) - self.pixels;
        if surplus(7) < surplus(8) {
            self.run_blocks::<7>(x, start, finish, scratch, out);
        } else {
            self.run_blocks::<8>(x, start, finish, scratch, out);
        }
    }

    /// In blocks of `N` vectors of pixels.
    fn run_blocks<const N: usize>(
        &self,
        x: &[f32],
        start: usize,
        finish: Finish<'_>,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let outputs = self.bias.len();
        let Scratch { packed, enlarged, .. } = scratch;
        enlarged.reset();
        packed.resize(self.depth * N, [0.0; LANES]);
        let size = N * LANES;
        let x = &x[start * self.depth..][..out.len() / outputs * self.depth];
        let blocks = x.chunks(size * self.depth).zip(out.chunks_mut(size * outputs));
        for (index, (x, out)) in blocks.enumerate() {
            let lines = packed.as_chunks_mut::<N>().0;
            turn(x, self.depth, lines);
            let pixels = out.len() / outputs;
            let block = SparseBlock {
                kernel: self,
                lines,
                out: &mut *out,
            };
            finish.run_block(start + index * size, pixels, outputs, enlarged, block);
            finish.apart.apply(out);
        }
    }
}

/// Appends the weights of one output channel that are not zero. Apart, because a browser optimises what is called often.
#[inline(never)]
fn keep(row: &[f32], kept: &mut Vec<Weight>) {
    let stored = row.iter().enumerate().filter(|(_, value)| **value != 0.0);
    kept.extend(stored.map(|(input, &value)| Weight {
        input: input as u32,
        value,
    }));
}

/// The same from a mask of the row and the weights that it names.
#[inline(never)]
fn keep_masked(mask: &[u8], values: &[f32], kept: &mut Vec<Weight>) {
    let mut values = values.iter();
    for (byte, &bits) in mask.iter().enumerate() {
        let mut bits = u32::from(bits);
        while bits != 0 {
            let input = 8 * byte as u32 + bits.trailing_zeros();
            kept.extend(values.next().map(|&value| Weight { input, value }));
            bits &= bits - 1;
        }
    }
}

/// All output channels of one block of turned pixels.
struct SparseBlock<'a, const N: usize> {
    kernel: &'a SparsePointwise,
    lines: &'a [[Quad; N]],
    out: &'a mut [f32],
}

impl<const N: usize> Block for SparseBlock<'_, N> {
    #[inline(never)]
    fn run<E: Epilogue>(self, added: &[f32], epilogue: E) {
        let SparsePointwise {
            weights, ends, bias, ..
        } = self.kernel;
        let outputs = bias.len();
        let mut start = 0;
        for (quad, (ends, bias)) in ends.chunks(LANES).zip(bias.chunks(LANES)).enumerate() {
            let mut sums = [[f32x4::ZERO; N]; LANES];
            for ((sums, &end), &bias) in sums.iter_mut().zip(ends).zip(bias) {
                *sums = sum_lines(self.lines, &weights[start..end], bias);
                start = end;
            }
            // Back to pixels whose channels are neighbours.
            for (tile, out) in self.out.chunks_mut(LANES * outputs).enumerate() {
                let rows = f32x4::transpose([0, 1, 2, 3].map(|channel: usize| sums[channel][tile]));
                for (row, (sum, out)) in rows.into_iter().zip(out.chunks_mut(outputs)).enumerate() {
                    let place = (tile * LANES + row) * outputs + quad * LANES;
                    if let Some(out) = quads_mut(out).get_mut(quad) {
                        let added = match quads(if E::ADDS { &added[place..][..LANES] } else { &[] }) {
                            [added] => f32x4::new(*added),
                            _ => f32x4::ZERO,
                        };
                        *out = epilogue.apply(Four, sum, added).to_array();
                    } else {
                        let out = &mut out[quad * LANES..];
                        let mut other = [0.0; LANES];
                        if E::ADDS {
                            other[..out.len()].copy_from_slice(&added[place..][..out.len()]);
                        }
                        let finished = epilogue.apply(Four, sum, f32x4::new(other)).to_array();
                        out.copy_from_slice(&finished[..out.len()]);
                    }
                }
            }
        }
    }
}

/// One output channel of a block.
#[inline(always)]
fn sum_lines<const N: usize>(lines: &[[Quad; N]], weights: &[Weight], bias: f32) -> [f32x4; N] {
    let mut sums = [f32x4::splat(bias); N];
    for weight in weights {
        let value = f32x4::splat(weight.value);
        for (sum, &x) in sums.iter_mut().zip(&lines[weight.input as usize]) {
            *sum += f32x4::new(x) * value;
        }
    }
    sums
}

/// Writes the pixels `[pixel][channel]` as `[channel][pixel]`; what a short block leaves over keeps its old values.
#[inline(never)]
fn turn<const N: usize>(x: &[f32], depth: usize, lines: &mut [[Quad; N]]) {
    for (tile, x) in x.chunks(LANES * depth).enumerate() {
        let last = x.len() / depth - 1;
        let rows = [0, 1, 2, 3].map(|row: usize| &x[row.min(last) * depth..][..depth]);
        let (blocks, rest) = lines.as_chunks_mut::<LANES>();
        let [a, b, c, d] = rows.map(quads);
        for ((((lines, &a), &b), &c), &d) in blocks.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            let turned = f32x4::transpose([a, b, c, d].map(f32x4::new));
            for (line, turned) in lines.iter_mut().zip(turned) {
                line[tile] = turned.to_array();
            }
        }
        let done = depth - rest.len();
        for (k, line) in rest.iter_mut().enumerate() {
            line[tile] = rows.map(|row| row[done + k]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::activation::Apart;
    use crate::cpu::convolution::Convolution;
    use crate::cpu::epilogue::Order;
    use crate::cpu::instructions::Instructions;
    use crate::cpu::residual::Addend;
    use crate::cpu::simd::Clamp;
    use crate::graph::{Activation, Conv2d, Padding};
    use crate::half::f16_from_f32_exact;

    /// Image side, input and output channels: blocks of 28 and of 32, short last blocks, ragged channels.
    #[test]
    fn gives_what_the_dense_kernel_gives() {
        let conv = Conv2d {
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::default(),
            activation: Activation::Relu6,
            residual: None,
        };
        let clamp = Clamp::of(conv.activation).expect("a clamp");
        for (side, depth, outputs) in [(4, 8, 8), (7, 24, 16), (8, 5, 7), (14, 9, 33), (9, 16, 2)] {
            let value = |index: usize| (index * 2_654_435_761 % 1000) as f32 / 500.0 - 1.0;
            let x: Vec<f32> = (0..side * side * depth).map(value).collect();
            let added: Vec<f32> = (0..side * side * outputs).map(|index| value(index + 7)).collect();
            let bias: Vec<f32> = (0..outputs).map(value).collect();
            // Binary16 holds them too.
            let half = |index: usize| (64.0 * value(index + 3)).round() / 64.0;
            let kept = |index: usize| if index % 7 < 2 { half(index) } else { 0.0 };
            let weights: Vec<f32> = (0..outputs * depth).map(kept).collect();
            let (from, kernel, to) = (
                [1, side, side, depth],
                [outputs, 1, 1, depth],
                [1, side, side, outputs],
            );
            let geometry = || Geometry::new(conv, &from, &kernel, &to);
            let sparse = SparsePointwise::new(&geometry(), &weights, &bias).expect("sparse enough");
            let dense = Convolution::new(geometry(), &weights, &bias);
            let compact = SparsePointwise::of_compact(&geometry(), &compact(&weights), &bias);
            assert_eq!(compact.is_some(), depth % 8 == 0, "{depth} input channels");
            let mut scratch = Scratch::default();
            let addend = Addend {
                data: &added,
                activation: Activation::None,
                table: None,
                instructions: Instructions::BASELINE,
            };
            for residual in [
                None,
                Some((Order::ClampFirst, addend)),
                Some((Order::ClampLast, addend)),
            ] {
                let finish = Finish {
                    clamp,
                    residual,
                    apart: Apart::NONE,
                };
                let mut expected = vec![f32::NAN; added.len()];
                let mut actual = expected.clone();
                dense.run(&x, 0, finish, &mut scratch, &mut expected);
                sparse.run(&x, 0, finish, &mut scratch, &mut actual);
                assert_eq!(actual, expected, "{side} x {side}, {depth} to {outputs} channels");
                if let Some(compact) = &compact {
                    actual.fill(f32::NAN);
                    compact.run(&x, 0, finish, &mut scratch, &mut actual);
                    assert_eq!(actual, expected, "{depth} to {outputs} channels from a mask");
                }
            }
        }
    }

    /// As a graph file keeps them.
    fn compact(weights: &[f32]) -> Compact {
        let bit = |(place, &weight): (usize, &f32)| u8::from(weight != 0.0) << place;
        let mask: Vec<u8> = weights
            .chunks(8)
            .map(|eight| eight.iter().enumerate().map(bit).sum())
            .collect();
        let halves = weights.iter().filter(|&&weight| weight != 0.0);
        let halves = halves.map(|&weight| {
            f16_from_f32_exact(weight)
                .expect("binary16 holds it")
                .to_le_bytes()
        });
        Compact::sparse(weights.len(), &mask, &halves.collect::<Vec<_>>()).expect("it fits")
    }

    #[test]
    fn leaves_dense_weights_and_small_images_to_the_dense_kernel() {
        let conv = Conv2d {
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding::default(),
            activation: Activation::None,
            residual: None,
        };
        let geometry = |side| Geometry::new(conv, &[1, side, side, 4], &[1, 1, 1, 4], &[1, side, side, 1]);
        let bias = [0.0];
        for (side, weights, chosen) in [
            (4, [1.0, 0.0, 0.0, 0.0], true),
            (4, [1.0, 1.0, 0.0, 0.0], true),
            (4, [1.0, 1.0, 1.0, 0.0], false),
            (3, [1.0, 0.0, 0.0, 0.0], false),
        ] {
            let found = SparsePointwise::new(&geometry(side), &weights, &bias);
            assert_eq!(found.is_some(), chosen, "{side} x {side}, {weights:?}");
        }
    }
}
