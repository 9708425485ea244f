//! Convolutions on the CPU: tiles of outputs stay in registers while weights pass by, which several pixels share.
//!
//! A tile is of pixels along the innermost axis that find something under the same taps: neighbours, or of a transposed
//! convolution those a stride apart. Where each channel has an output of its own, lanes are channels.

use super::{Convolve, MAX_AXES, Sizes};
use crate::error::ModelError;
use crate::ops::{CpuKernel, NodeView, OnCpu, Operands, WordsMut};

/// Pixels and outputs of a tile.
const PIXELS: usize = 4;
const OUTPUTS: usize = 16;

impl OnCpu for Convolve {
    fn prepare(&self, node: &NodeView<'_>) -> Result<Box<dyn CpuKernel>, ModelError> {
        let (_, sizes) = self
            .sizes(node.operand(0).shape, node.operand(1).shape)
            .map_err(|message| ModelError::unsupported(&node.node.origin, message))?;
        Ok(Box::new(Kernel {
            zeros: vec![0.0; sizes.channels],
            has_bias: node.node.inputs.len() > 2,
            sizes,
        }))
    }
}

#[derive(Debug)]
struct Kernel {
    sizes: Sizes,
    has_bias: bool,
    /// Stands for channels beyond the border.
    zeros: Vec<f32>,
}

/// What a frame brings.
#[derive(Clone, Copy)]
struct Frame<'a> {
    x: &'a [f32],
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
}

impl CpuKernel for Kernel {
    fn run(&self, operands: &dyn Operands, out: WordsMut<'_>) {
        let frame = Frame {
            x: operands.words(0).f32(),
            weights: operands.words(1).f32(),
            bias: self.has_bias.then(|| operands.words(2).f32()),
        };
        let [outer, middle, inner] = self.sizes.walks;
        let outputs = self.sizes.groups * self.sizes.outputs;
        let row = inner.axis.size * outputs;
        if row == 0 {
            return;
        }
        let step = if inner.transposed { inner.axis.stride } else { 1 };
        for (number, out) in out.f32().chunks_exact_mut(row).enumerate() {
            let (at, rest) = (number % middle.axis.size, number / middle.axis.size);
            let rows = [rest / outer.axis.size, rest % outer.axis.size, at];
            for phase in 0..step.min(inner.axis.size) {
                for first in (phase..inner.axis.size).step_by(step * PIXELS) {
                    let pixels: [usize; PIXELS] = std::array::from_fn(|lane| first + lane * step);
                    if self.sizes.channels == 1 && self.sizes.outputs == 1 {
                        self.apart(frame, rows, pixels, out);
                    } else {
                        self.together(frame, rows, pixels, out);
                    }
                }
            }
        }
    }
}

impl Kernel {
    /// Calls `body` with each tap under which one of the pixels finds something: its number, and for each pixel where in x
    /// that is, in channels. `rows` are image, and place along the outer axes.
    fn taps(
        &self,
        [image, outer_at, middle_at]: [usize; MAX_AXES],
        pixels: [usize; PIXELS],
        mut body: impl FnMut(usize, [Option<usize>; PIXELS]),
    ) {
        let [outer, middle, inner] = self.sizes.walks;
        let all = self.sizes.groups * self.sizes.channels;
        for outer_tap in 0..outer.taps {
            let Some(plane) = outer.source(outer_at, outer_tap) else {
                continue;
            };
            for middle_tap in 0..middle.taps {
                let Some(row) = middle.source(middle_at, middle_tap) else {
                    continue;
                };
                let row = ((image * outer.from + plane) * middle.from + row) * inner.from;
                for inner_tap in 0..inner.taps {
                    let sources = pixels.map(|pixel| {
                        let place = inner.source(pixel, inner_tap)?;
                        Some((row + place) * all)
                    });
                    if sources.iter().any(Option::is_some) {
                        let tap = (outer_tap * middle.taps + middle_tap) * inner.taps + inner_tap;
                        body(tap, sources);
                    }
                }
            }
        }
    }

    /// Outputs that are sums over the channels of their group.
    fn together(&self, frame: Frame<'_>, rows: [usize; MAX_AXES], pixels: [usize; PIXELS], out: &mut [f32]) {
        let Sizes {
            groups,
            channels,
            outputs,
            ..
        } = self.sizes;
        let all = groups * outputs;
        for group in 0..groups {
            for first in (0..outputs).step_by(OUTPUTS) {
                let (begin, width) = (group * outputs + first, (outputs - first).min(OUTPUTS));
                let mut sums = [self.begin(frame, begin, width); PIXELS];
                self.taps(rows, pixels, |tap, sources| {
                    let x = sources.map(|source| match source {
                        Some(source) => &frame.x[source + group * channels..][..channels],
                        None => &self.zeros,
                    });
                    let weights = &frame.weights[tap * channels * all + begin..];
                    if width == OUTPUTS {
                        for channel in 0..channels {
                            let Some(weights) = weights[channel * all..].first_chunk::<OUTPUTS>() else {
                                continue;
                            };
                            for (sums, x) in sums.iter_mut().zip(x) {
                                let x = x[channel];
                                sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += x * w);
                            }
                        }
                    } else {
                        for channel in 0..channels {
                            let weights = &weights[channel * all..][..width];
                            for (sums, x) in sums.iter_mut().zip(x) {
                                let x = x[channel];
                                sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += x * w);
                            }
                        }
                    }
                });
                put(out, all, pixels, begin, width, &sums);
            }
        }
    }

    /// Outputs that have a channel each.
    fn apart(&self, frame: Frame<'_>, rows: [usize; MAX_AXES], pixels: [usize; PIXELS], out: &mut [f32]) {
        let all = self.sizes.groups;
        for begin in (0..all).step_by(OUTPUTS) {
            let width = (all - begin).min(OUTPUTS);
            let mut sums = [self.begin(frame, begin, width); PIXELS];
            self.taps(rows, pixels, |tap, sources| {
                let weights = &frame.weights[tap * all + begin..][..width];
                for (sums, source) in sums.iter_mut().zip(sources) {
                    let Some(source) = source else { continue };
                    let x = &frame.x[source + begin..][..width];
                    let products = x.iter().zip(weights).map(|(x, w)| x * w);
                    sums.iter_mut()
                        .zip(products)
                        .for_each(|(sum, product)| *sum += product);
                }
            });
            put(out, all, pixels, begin, width, &sums);
        }
    }

    /// The bias of some outputs.
    fn begin(&self, frame: Frame<'_>, first: usize, width: usize) -> [f32; OUTPUTS] {
        let mut sums = [0.0; OUTPUTS];
        if let Some(bias) = frame.bias {
            sums[..width].copy_from_slice(&bias[first..first + width]);
        }
        sums
    }
}

/// Writes outputs of those pixels that are in the row.
fn put(
    row: &mut [f32],
    outputs: usize,
    pixels: [usize; PIXELS],
    begin: usize,
    width: usize,
    sums: &[[f32; OUTPUTS]; PIXELS],
) {
    for (pixel, sums) in pixels.into_iter().zip(sums) {
        if let Some(out) = row.get_mut(pixel * outputs..(pixel + 1) * outputs) {
            out[begin..begin + width].copy_from_slice(&sums[..width]);
        }
    }
}
