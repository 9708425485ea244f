//! Instruction sets: which one this machine has and a session uses, and vectors of either for kernels to be written in.
//!
//! A kernel is generic over [`Simd`] and compiled once for each set; the value that stands for a set can only be had
//! where the machine has it. Every set multiplies and adds in two instructions that round apart, never in one, so an
//! output is the same number whichever set computes it, as long as its products are added up in the same order.

use std::ops::{Add, Mul, Sub};

use super::simd::{LANES, Quad, f32x4};

/// The vector instructions that a session uses.
#[derive(Clone, Copy, Debug)]
pub struct Instructions(Option<Wide>);

impl Instructions {
    /// What every machine has that runs this program at all: SSE2, NEON or simd128, vectors of four.
    pub const BASELINE: Self = Self(None);

    /// All that this machine has, the widest last.
    pub fn available() -> Vec<Self> {
        let wide = Wide::available().into_iter().flatten();
        [Self::BASELINE]
            .into_iter()
            .chain(wide.map(|wide| Self(Some(wide))))
            .collect()
    }

    /// The widest that this machine has.
    pub fn best() -> Self {
        Self(Wide::available().into_iter().flatten().last())
    }

    /// For people to read and type: `baseline`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        self.0.map_or("baseline", Wide::name)
    }

    /// Values in a vector.
    pub fn lanes(self) -> usize {
        self.0.map_or(LANES, Wide::lanes)
    }

    /// The set with longer vectors than the baseline's, if it is one.
    pub(super) fn wide(self) -> Option<Wide> {
        self.0
    }

    /// The widest set up to this one whose vectors have at most `lanes` values.
    pub(super) fn up_to(self, lanes: usize) -> Self {
        let mut fitting = Wide::available()
            .into_iter()
            .flatten()
            .filter(|wide| wide.lanes() <= lanes.min(self.lanes()));
        Self(fitting.next_back())
    }
}

/// A set with longer vectors than four; there is none but on x86-64.
#[derive(Clone, Copy, Debug)]
pub enum Wide {
    /// Vectors of eight.
    #[cfg(target_arch = "x86_64")]
    Avx2(fearless_simd::x86::Avx2),
    /// Vectors of sixteen, and twice the registers.
    #[cfg(target_arch = "x86_64")]
    Avx512(fearless_simd::x86::Avx512),
}

impl Wide {
    #[cfg(target_arch = "x86_64")]
    fn available() -> [Option<Self>; 2] {
        let level = fearless_simd::Level::new();
        [
            level.as_avx2().map(Self::Avx2),
            level.as_avx512().map(Self::Avx512),
        ]
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn available() -> [Option<Self>; 0] {
        []
    }

    fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
        }
    }

    /// A set with vectors of eight; a machine with vectors of sixteen has it too.
    pub(super) fn at_most_eight(self) -> Self {
        let narrow = Self::available().into_iter().flatten().next();
        narrow.unwrap_or(self)
    }

    /// Values in a vector.
    pub(super) fn lanes(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => 8,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => 16,
        }
    }
}

/// Evaluates an expression with `$simd` bound to the set in `$wide`.
macro_rules! with_wide {
    ($wide:expr, $simd:ident => $work:expr) => {
        match $wide {
            #[cfg(target_arch = "x86_64")]
            $crate::cpu::instructions::Wide::Avx2($simd) => $work,
            #[cfg(target_arch = "x86_64")]
            $crate::cpu::instructions::Wide::Avx512($simd) => $work,
        }
    };
}
pub(super) use with_wide;

/// Evaluates an expression with `$simd` bound to the set in `$instructions`.
macro_rules! with_instructions {
    ($instructions:expr, $simd:ident => $work:expr) => {
        match $instructions.wide() {
            None => {
                let $simd = $crate::cpu::instructions::Four;
                $work
            }
            Some(wide) => $crate::cpu::instructions::with_wide!(wide, $simd => $work),
        }
    };
}
pub(super) use with_instructions;

/// An instruction set that this machine has.
///
/// What is compiled for it is the code inside [`Self::call`] and everything that is inlined there, so all functions on
/// the way to an inner loop are `#[inline(always)]`.
pub trait Simd: Copy {
    /// Some f32 at work.
    type Vector: Copy + Add<Output = Self::Vector> + Sub<Output = Self::Vector> + Mul<Output = Self::Vector>;
    /// As many f32 in memory.
    type Lanes: Copy + AsRef<[f32]> + AsMut<[f32]>;
    /// How many.
    const LANES: usize;

    /// Runs `work`, compiled for this set.
    fn call<R>(self, work: impl FnOnce() -> R) -> R;
    /// One value in all lanes.
    fn splat(self, value: f32) -> Self::Vector;
    /// From memory.
    fn load(self, from: &Self::Lanes) -> Self::Vector;
    /// To memory.
    fn lanes(self, vector: Self::Vector) -> Self::Lanes;
    /// The greater of two values, lane by lane; neither is NaN.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The lesser of two values, lane by lane; neither is NaN.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// A slice in vectors, without the ragged end.
    fn chunks(slice: &[f32]) -> &[Self::Lanes];
    /// A slice in vectors, without the ragged end.
    fn chunks_mut(slice: &mut [f32]) -> &mut [Self::Lanes];
    /// The vector that starts at number `index` of a row of quads; `None` beyond its end.
    fn get(row: &[Quad], index: usize) -> Option<&Self::Lanes>;
    /// The same, where it is known to be there.
    fn index(row: &[Quad], index: usize) -> &Self::Lanes;
    /// The vector that starts at number `index` of a row of quads; `None` beyond its end.
    fn get_mut(row: &mut [Quad], index: usize) -> Option<&mut Self::Lanes>;
}

/// The baseline: four lanes of whatever every machine of this kind has.
#[derive(Clone, Copy, Debug)]
pub struct Four;

impl Simd for Four {
    type Vector = f32x4;
    type Lanes = Quad;
    const LANES: usize = LANES;

    #[inline(always)]
    fn call<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }
    #[inline(always)]
    fn splat(self, value: f32) -> f32x4 {
        f32x4::splat(value)
    }
    #[inline(always)]
    fn load(self, from: &Quad) -> f32x4 {
        f32x4::new(*from)
    }
    #[inline(always)]
    fn lanes(self, vector: f32x4) -> Quad {
        vector.to_array()
    }
    #[inline(always)]
    fn max(self, a: f32x4, b: f32x4) -> f32x4 {
        a.fast_max(b)
    }
    #[inline(always)]
    fn min(self, a: f32x4, b: f32x4) -> f32x4 {
        a.fast_min(b)
    }
    #[inline(always)]
    fn chunks(slice: &[f32]) -> &[Quad] {
        slice.as_chunks().0
    }
    #[inline(always)]
    fn chunks_mut(slice: &mut [f32]) -> &mut [Quad] {
        slice.as_chunks_mut().0
    }
    #[inline(always)]
    fn get(row: &[Quad], index: usize) -> Option<&Quad> {
        row.get(index)
    }
    #[inline(always)]
    fn index(row: &[Quad], index: usize) -> &Quad {
        &row[index]
    }
    #[inline(always)]
    fn get_mut(row: &mut [Quad], index: usize) -> Option<&mut Quad> {
        row.get_mut(index)
    }
}

/// Implements [`Simd`] for a set of x86-64 and its vector of `$lanes` f32.
#[cfg(target_arch = "x86_64")]
macro_rules! wide_simd {
    ($set:ty, $vector:ident, $lanes:literal) => {
        impl Simd for $set {
            type Vector = fearless_simd::$vector<Self>;
            type Lanes = [f32; $lanes];
            const LANES: usize = $lanes;

            #[inline(always)]
            fn call<R>(self, work: impl FnOnce() -> R) -> R {
                fearless_simd::Simd::vectorize(self, work)
            }
            #[inline(always)]
            fn splat(self, value: f32) -> Self::Vector {
                fearless_simd::SimdBase::splat(self, value)
            }
            #[inline(always)]
            fn load(self, from: &Self::Lanes) -> Self::Vector {
                fearless_simd::SimdFrom::simd_from(self, *from)
            }
            #[inline(always)]
            fn lanes(self, vector: Self::Vector) -> Self::Lanes {
                *vector
            }
            #[inline(always)]
            fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                <Self::Vector as fearless_simd::SimdBase<Self>>::max(a, b)
            }
            #[inline(always)]
            fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                <Self::Vector as fearless_simd::SimdBase<Self>>::min(a, b)
            }
            #[inline(always)]
            fn chunks(slice: &[f32]) -> &[Self::Lanes] {
                slice.as_chunks().0
            }
            #[inline(always)]
            fn chunks_mut(slice: &mut [f32]) -> &mut [Self::Lanes] {
                slice.as_chunks_mut().0
            }
            #[inline(always)]
            fn get(row: &[Quad], index: usize) -> Option<&Self::Lanes> {
                row.get(index..)?.as_flattened().first_chunk()
            }
            #[inline(always)]
            fn index(row: &[Quad], index: usize) -> &Self::Lanes {
                &row[index..index + $lanes / LANES]
                    .as_flattened()
                    .as_chunks()
                    .0[0]
            }
            #[inline(always)]
            fn get_mut(row: &mut [Quad], index: usize) -> Option<&mut Self::Lanes> {
                row.get_mut(index..)?.as_flattened_mut().first_chunk_mut()
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
wide_simd!(fearless_simd::x86::Avx2, f32x8, 8);
#[cfg(target_arch = "x86_64")]
wide_simd!(fearless_simd::x86::Avx512, f32x16, 16);
