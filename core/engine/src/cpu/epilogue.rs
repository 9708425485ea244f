//! What happens to a sum before it is written: clamp, or addition of a residual and a clamp.

use super::activation::Apart;
use super::instructions::Simd;
use super::residual::{Addend, Enlarged};
use super::simd::Clamp;

/// The end of a kernel. Kernels are compiled once for each kind, so that inner loops do not ask, and hold no more
/// constants in registers than they need.
pub trait Epilogue: Copy {
    /// Whether there is anything to add.
    const ADDS: bool;
    /// Finishes some channels of a pixel; `added` is what the residual has there.
    fn apply<S: Simd>(&self, simd: S, sum: S::Vector, added: S::Vector) -> S::Vector;
}

#[derive(Clone, Copy)]
struct Clamped(Clamp);

impl Epilogue for Clamped {
    const ADDS: bool = false;
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, sum: S::Vector, _added: S::Vector) -> S::Vector {
        self.0.apply(simd, sum)
    }
}

#[derive(Clone, Copy)]
struct AddedThenClamped(Clamp);

impl Epilogue for AddedThenClamped {
    const ADDS: bool = true;
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, sum: S::Vector, added: S::Vector) -> S::Vector {
        self.0.apply(simd, sum + added)
    }
}

#[derive(Clone, Copy)]
struct ClampedThenAdded(Clamp);

impl Epilogue for ClampedThenAdded {
    const ADDS: bool = true;
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, sum: S::Vector, added: S::Vector) -> S::Vector {
        self.0.apply(simd, sum) + added
    }
}

/// Whether a kernel clamps before or after it adds a residual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `clamp(sum) + residual`
    ClampFirst,
    /// `clamp(sum + residual)`
    ClampLast,
}

/// How a convolution ends.
#[derive(Clone, Copy, Debug)]
pub struct Finish<'a> {
    /// For every sum.
    pub clamp: Clamp,
    /// What is added, and when.
    pub residual: Option<(Order, Addend<'a>)>,
    /// For all values of a block once they are written.
    pub apart: Apart,
}

/// A kernel on one block of pixels, waiting for its end.
pub trait Block {
    /// Runs it; `added` has the shape of the block's output where the epilogue adds anything.
    fn run<E: Epilogue>(self, added: &[f32], epilogue: E);
}

impl Finish<'_> {
    /// Runs a kernel on the block of `pixels` pixels from `first` on.
    pub fn run_block(
        &self,
        first: usize,
        pixels: usize,
        channels: usize,
        memory: &mut Enlarged,
        block: impl Block,
    ) {
        let Some((order, addend)) = self.residual else {
            return block.run(&[], Clamped(self.clamp));
        };
        let added = addend.rows(first, pixels, channels, memory);
        match order {
            Order::ClampFirst => block.run(added, ClampedThenAdded(self.clamp)),
            Order::ClampLast => block.run(added, AddedThenClamped(self.clamp)),
        }
    }
}
