//! Four f32 at a time: `wide::f32x4`, which is simd128 in the browser and SSE or NEON natively, so that both run the
//! same code.

pub use wide::f32x4;

/// Lanes of a vector.
pub const LANES: usize = 4;

/// Views a slice as vectors' worth of elements, without the ragged end.
pub fn quads(slice: &[f32]) -> &[[f32; LANES]] {
    slice.as_chunks().0
}

/// Views a slice as vectors' worth of elements, without the ragged end.
pub fn quads_mut(slice: &mut [f32]) -> &mut [[f32; LANES]] {
    slice.as_chunks_mut().0
}

/// The range into which an activation presses its values; every supported activation but the sigmoid is one.
#[derive(Clone, Copy, Debug)]
pub struct Clamp {
    low: f32x4,
    high: f32x4,
}

impl Clamp {
    /// The clamp that equals an activation, `None` for those that are no clamp.
    pub fn of(activation: crate::graph::Activation) -> Option<Self> {
        use crate::graph::Activation;
        let (low, high) = match activation {
            Activation::None => (f32::NEG_INFINITY, f32::INFINITY),
            Activation::Relu => (0.0, f32::INFINITY),
            Activation::Relu6 => (0.0, 6.0),
            Activation::Sigmoid => return None,
        };
        Some(Self {
            low: f32x4::splat(low),
            high: f32x4::splat(high),
        })
    }

    /// Presses four values into the range.
    #[inline(always)]
    pub fn apply(&self, value: f32x4) -> f32x4 {
        value.fast_max(self.low).fast_min(self.high)
    }
}
