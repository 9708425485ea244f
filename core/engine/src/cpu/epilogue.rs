//! What happens to a result before it is written: clamp, residual, clamp.

use super::simd::{Clamp, f32x4, quads};
use crate::graph::{Activation, Bilinear};

/// Where a residual comes from. Kernels are compiled once for each kind, so that the inner loops do not ask.
pub trait ResidualSource: Copy {
    /// Whether there is anything to add.
    const PRESENT: bool = true;
    /// Four values of pixel `pixel` from channel `4 * quad` on.
    fn quad(&self, pixel: usize, quad: usize) -> f32x4;
    /// One value, for channels beyond the last multiple of four.
    fn scalar(&self, pixel: usize, channel: usize) -> f32;
}

/// No residual.
#[derive(Clone, Copy)]
pub struct NoResidual;

impl ResidualSource for NoResidual {
    const PRESENT: bool = false;

    #[inline(always)]
    fn quad(&self, _pixel: usize, _quad: usize) -> f32x4 {
        f32x4::ZERO
    }

    #[inline(always)]
    fn scalar(&self, _pixel: usize, _channel: usize) -> f32 {
        0.0
    }
}

/// A residual of the same shape.
#[derive(Clone, Copy)]
pub struct SameResidual<'a> {
    /// `[pixels, channels]`
    pub data: &'a [f32],
    /// Channels a pixel.
    pub channels: usize,
}

impl ResidualSource for SameResidual<'_> {
    #[inline(always)]
    fn quad(&self, pixel: usize, quad: usize) -> f32x4 {
        f32x4::new(quads(&self.data[pixel * self.channels..][..self.channels])[quad])
    }

    #[inline(always)]
    fn scalar(&self, pixel: usize, channel: usize) -> f32 {
        self.data[pixel * self.channels + channel]
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

    /// The four neighbours of an output pixel, as offsets of their first channel, and the two weights.
    #[inline(always)]
    fn neighbours(&self, pixel: usize) -> ([usize; 4], f32, f32) {
        let (top, bottom, fy) = self.rows[pixel / self.columns.len()];
        let (left, right, fx) = self.columns[pixel % self.columns.len()];
        let at = |row: usize, column: usize| (row * self.in_width + column) * self.channels;
        (
            [at(top, left), at(top, right), at(bottom, left), at(bottom, right)],
            fx,
            fy,
        )
    }

    /// Enlarges a whole tensor.
    pub fn resize(&self, x: &[f32], out: &mut [f32]) {
        for (pixel, out) in out.chunks_exact_mut(self.channels).enumerate() {
            let (offsets, fx, fy) = self.neighbours(pixel);
            let [a, b, c, d] = offsets.map(|offset| &x[offset..][..self.channels]);
            for ((((out, &a), &b), &c), &d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                let (upper, lower) = (a + (b - a) * fx, c + (d - c) * fx);
                *out = upper + (lower - upper) * fy;
            }
        }
    }
}

/// A smaller residual that is enlarged on the fly.
#[derive(Clone, Copy)]
pub struct UpsampledResidual<'a> {
    /// `[small pixels, channels]`
    pub data: &'a [f32],
    /// Built for this pair of shapes.
    pub table: &'a UpsampleTable,
}

impl ResidualSource for UpsampledResidual<'_> {
    #[inline(always)]
    fn quad(&self, pixel: usize, quad: usize) -> f32x4 {
        let (offsets, fx, fy) = self.table.neighbours(pixel);
        let [a, b, c, d] =
            offsets.map(|offset| f32x4::new(quads(&self.data[offset..][..self.table.channels])[quad]));
        let (fx, fy) = (f32x4::splat(fx), f32x4::splat(fy));
        let (upper, lower) = (a + (b - a) * fx, c + (d - c) * fx);
        upper + (lower - upper) * fy
    }

    #[inline(always)]
    fn scalar(&self, pixel: usize, channel: usize) -> f32 {
        let (offsets, fx, fy) = self.table.neighbours(pixel);
        let [a, b, c, d] = offsets.map(|offset| self.data[offset + channel]);
        let (upper, lower) = (a + (b - a) * fx, c + (d - c) * fx);
        upper + (lower - upper) * fy
    }
}

/// Clamp, residual, clamp: everything between a sum and memory.
#[derive(Clone, Copy)]
pub struct Epilogue<R> {
    /// Before the residual.
    pub inner: Clamp,
    /// What is added.
    pub residual: R,
    /// After the residual.
    pub outer: Clamp,
}

impl<R: ResidualSource> Epilogue<R> {
    /// Finishes four channels.
    #[inline(always)]
    pub fn quad(&self, pixel: usize, quad: usize, value: f32x4) -> f32x4 {
        let value = self.inner.apply(value);
        if R::PRESENT {
            self.outer.apply(value + self.residual.quad(pixel, quad))
        } else {
            value
        }
    }

    /// Finishes up to four channels that end a row whose length is no multiple of four.
    pub fn ragged(&self, pixel: usize, first_channel: usize, value: f32x4, out: &mut [f32]) {
        let mut values = self.inner.apply(value).to_array();
        if R::PRESENT {
            for (index, value) in values.iter_mut().enumerate().take(out.len()) {
                *value += self.residual.scalar(pixel, first_channel + index);
            }
            values = self.outer.apply(f32x4::new(values)).to_array();
        }
        out.copy_from_slice(&values[..out.len()]);
    }
}

/// Applies any activation in place: the slow way, for the few values that a sigmoid ends with.
pub fn apply_activation(activation: Activation, values: &mut [f32]) {
    if activation != Activation::None {
        for value in values {
            *value = activation.apply(*value);
        }
    }
}
