//! A second operand that is added to a result: as it is, or enlarged bilinearly block by block, so that the enlarged
//! tensor is never written as a whole.

use super::activation::apply_activation;
use super::instructions::Instructions;
use super::simd::{LANES, f32x4, quads, quads_mut};
use crate::graph::{Activation, Bilinear};

/// What is added to a result of the same number of channels.
#[derive(Clone, Copy, Debug)]
pub struct Addend<'a> {
    /// `[pixels, channels]` of the result, or of a smaller image.
    pub data: &'a [f32],
    /// Applied to it before it is added.
    pub activation: Activation,
    /// For a smaller image.
    pub table: Option<&'a UpsampleTable>,
    /// Which its activation uses.
    pub instructions: Instructions,
}

/// Memory for blocks of an enlarged operand.
#[derive(Debug, Default)]
pub struct Enlarged {
    block: Vec<f32>,
    /// One row of the enlarged image at the small image's width, and which row it is.
    row: Vec<f32>,
    row_index: Option<usize>,
}

impl Enlarged {
    /// Forgets what was read of an operand, before another one is read.
    pub fn reset(&mut self) {
        self.row_index = None;
    }
}

impl<'a> Addend<'a> {
    /// The values that belong to `pixels` pixels from `first` on.
    pub fn rows<'s>(
        &self,
        first: usize,
        pixels: usize,
        channels: usize,
        memory: &'s mut Enlarged,
    ) -> &'s [f32]
    where
        'a: 's,
    {
        if self.table.is_none() && self.activation == Activation::None {
            return &self.data[first * channels..][..pixels * channels];
        }
        let mut block = std::mem::take(&mut memory.block);
        block.resize(pixels * channels, 0.0);
        match self.table {
            Some(table) => table.enlarge(self.data, first, &mut block, memory),
            None => block.copy_from_slice(&self.data[first * channels..][..pixels * channels]),
        }
        apply_activation(self.activation, self.instructions, &mut block);
        memory.block = block;
        &memory.block
    }

    /// Adds to finished pixels, number `start` and those that follow it, in place, then activates: the way of the rare
    /// results that a kernel cannot finish while it computes them.
    pub fn add_to(
        &self,
        start: usize,
        out: &mut [f32],
        channels: usize,
        activation: Activation,
        memory: &mut Enlarged,
    ) {
        /// Pixels at a time.
        const BLOCK: usize = 64;
        memory.reset();
        for (block, out) in out.chunks_mut(BLOCK * channels).enumerate() {
            let other = self.rows(start + block * BLOCK, out.len() / channels, channels, memory);
            for (out, other) in out.iter_mut().zip(other) {
                *out += other;
            }
            apply_activation(activation, self.instructions, out);
        }
    }
}

/// Which input rows and columns each output row and column mixes, and how.
#[derive(Debug)]
pub struct UpsampleTable {
    rows: Vec<(usize, usize, f32)>,
    columns: Vec<(usize, usize, f32)>,
    in_width: usize,
    channels: usize,
}

impl UpsampleTable {
    /// The table for a resize of `[_, height, width, channels]` shapes.
    pub fn new(bilinear: Bilinear, from: &[usize], to: &[usize]) -> Self {
        let axis = |axis: usize| {
            (0..to[axis])
                .map(|out| bilinear.source(out, from[axis], to[axis]))
                .collect()
        };
        Self {
            rows: axis(1),
            columns: axis(2),
            in_width: from[2],
            channels: from[3],
        }
    }

    /// Writes the enlarged rows from number `start` on, as many as `out` has room for.
    pub fn resize(&self, x: &[f32], start: usize, out: &mut [f32], memory: &mut Enlarged) {
        memory.reset();
        self.enlarge(x, start * self.columns.len(), out, memory);
    }

    /// Writes the enlarged pixels from `first` on. Rows are mixed first, once for all pixels of an output row.
    fn enlarge(&self, x: &[f32], first: usize, out: &mut [f32], memory: &mut Enlarged) {
        let width = self.columns.len();
        let (mut y, mut column) = (first / width, first % width);
        for out in out.chunks_exact_mut(self.channels) {
            if memory.row_index != Some(y) {
                let len = self.in_width * self.channels;
                let (top, bottom, weight) = self.rows[y];
                memory.row.resize(len, 0.0);
                mix(
                    &x[top * len..][..len],
                    &x[bottom * len..][..len],
                    weight,
                    &mut memory.row,
                );
                memory.row_index = Some(y);
            }
            let (left, right, weight) = self.columns[column];
            let pixel = |column: usize| &memory.row[column * self.channels..][..self.channels];
            mix(pixel(left), pixel(right), weight, out);
            column += 1;
            if column == width {
                (y, column) = (y + 1, 0);
            }
        }
    }
}

/// `a + (b - a) * weight`, element by element.
#[inline(always)]
fn mix(a: &[f32], b: &[f32], weight: f32, out: &mut [f32]) {
    let whole = out.len() - out.len() % LANES;
    let vector = f32x4::splat(weight);
    for ((out, &a), &b) in quads_mut(out).iter_mut().zip(quads(a)).zip(quads(b)) {
        let (a, b) = (f32x4::new(a), f32x4::new(b));
        *out = (a + (b - a) * vector).to_array();
    }
    for ((out, a), b) in out[whole..].iter_mut().zip(&a[whole..]).zip(&b[whole..]) {
        *out = a + (b - a) * weight;
    }
}
