//! Four f32 at a time: `wide::f32x4`, which is simd128 in the browser and SSE or NEON natively, so that both run the
//! same code.

pub use wide::f32x4;

use super::instructions::Simd;

/// Lanes of a vector.
pub const LANES: usize = 4;

/// Four neighbouring values in memory.
pub type Quad = [f32; LANES];

/// Views a slice as vectors' worth of elements, without the ragged end.
pub fn quads(slice: &[f32]) -> &[Quad] {
    slice.as_chunks().0
}

/// Views a slice as vectors' worth of elements, without the ragged end.
pub fn quads_mut(slice: &mut [f32]) -> &mut [Quad] {
    slice.as_chunks_mut().0
}

/// Writes `rows[r][k]` to `out[k][r]`. All rows and `out` have one length.
#[inline(always)]
pub fn transpose(rows: [&[f32]; LANES], out: &mut [Quad]) {
    let (blocks, rest) = out.as_chunks_mut::<LANES>();
    let [a, b, c, d] = rows.map(quads);
    for ((((block, &a), &b), &c), &d) in blocks.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *block = f32x4::transpose([a, b, c, d].map(f32x4::new)).map(f32x4::to_array);
    }
    let done = LANES * blocks.len();
    for (k, quad) in rest.iter_mut().enumerate() {
        *quad = rows.map(|row| row[done + k]);
    }
}

/// The range into which an activation presses its values; ReLU and its kind are nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Clamp {
    low: f32,
    high: f32,
}

impl Clamp {
    /// Leaves values as they are.
    pub const NONE: Self = Self {
        low: f32::NEG_INFINITY,
        high: f32::INFINITY,
    };

    /// The clamp that equals an activation, `None` for those that are no clamp.
    pub fn of(activation: crate::graph::Activation) -> Option<Self> {
        use crate::graph::Activation;
        match activation {
            Activation::None => Some(Self::NONE),
            Activation::Relu => Some(Self {
                low: 0.0,
                ..Self::NONE
            }),
            Activation::Relu6 => Some(Self { low: 0.0, high: 6.0 }),
            Activation::Sigmoid | Activation::HardSwish | Activation::Swish => None,
        }
    }

    /// Presses values into the range.
    #[inline(always)]
    pub fn apply<S: Simd>(&self, simd: S, value: S::Vector) -> S::Vector {
        simd.min(simd.max(value, simd.splat(self.low)), simd.splat(self.high))
    }
}
