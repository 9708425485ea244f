//! Activations on many values in place, with the vectors of an instruction set.
//!
//! Functions are written for one value, without a branch, so that the compiler makes vectors of any length of them. What
//! becomes of a value depends neither on that length nor on the values beside it.

use super::instructions::{Four, Instructions, Simd, with_instructions};
use super::simd::{Clamp, LANES, f32x4, quads_mut};
use crate::graph::Activation;

/// An activation that a kernel cannot apply to its sums: values go through it block by block, as long as a cache holds
/// them.
#[derive(Clone, Copy, Debug)]
pub struct Apart {
    /// What it is; none where the kernel does all.
    pub activation: Activation,
    /// Whether the whole result is one value.
    pub is_score: bool,
    pub instructions: Instructions,
}

impl Apart {
    /// Changes nothing.
    #[cfg(test)]
    pub const NONE: Self = Self {
        activation: Activation::None,
        is_score: false,
        instructions: Instructions::BASELINE,
    };

    /// Applies it in place.
    pub fn apply(&self, values: &mut [f32]) {
        if self.is_score {
            // The definition itself: a vector is not worth its while.
            values
                .iter_mut()
                .for_each(|score| *score = self.activation.apply(*score));
        } else {
            apply_activation(self.activation, self.instructions, values);
        }
    }
}

/// Applies any activation in place.
pub fn apply_activation(activation: Activation, instructions: Instructions, values: &mut [f32]) {
    match activation {
        Activation::None => {}
        Activation::Relu | Activation::Relu6 => {
            let clamp = Clamp::of(activation).unwrap_or(Clamp::NONE);
            each_quad(values, |quad| clamp.apply(Four, quad));
        }
        Activation::Sigmoid => each(instructions, values, sigmoid),
        Activation::HardSwish => each(instructions, values, hard_swish),
        Activation::Swish => each(instructions, values, swish),
    }
}

/// Changes each value.
#[inline(always)]
fn each(instructions: Instructions, values: &mut [f32], f: impl Fn(f32) -> f32) {
    with_instructions!(instructions, simd => simd.call(
        #[inline(always)]
        || values.iter_mut().for_each(|value| *value = f(*value)),
    ));
}

#[inline(always)]
fn hard_swish(x: f32) -> f32 {
    x * (least(greatest(x + 3.0, 0.0), 6.0) * (1.0 / 6.0))
}

#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn swish(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// The greater number, NaN where x is.
#[inline(always)]
fn greatest(x: f32, low: f32) -> f32 {
    if x < low { low } else { x }
}

/// The lesser number, NaN where x is.
#[inline(always)]
fn least(x: f32, high: f32) -> f32 {
    if x > high { high } else { x }
}

/// e^x for x up to 88, and 0 where that is less than e^-86.
#[inline(always)]
pub(crate) fn exp_or_nothing(x: f32) -> f32 {
    let power = exp(x);
    if x < -86.0 { 0.0 } else { power }
}

/// e^x for x from -86 on; below it gives e^-86, which is nothing beside 1.
///
/// Cephes' way (S. Moshier, `expf.c`): x = r ln 2 + rest with a whole r, a polynomial of the rest, and r into the
/// exponent. Operations and their order are those of `wide::f32x4::exp`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// ln 2 in two parts, of which the first has few digits.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// 1.5 * 2^23: what is added to it is rounded to a whole number, of two the even one.
    const WHOLE: f32 = 12_582_912.0;
    let x = least(greatest(x, -86.0), 88.8);
    let r = (x * std::f32::consts::LOG2_E + WHOLE) - WHOLE;
    let rest = x - r * LN_2[0];
    let rest = rest - r * LN_2[1];
    let [p0, p1, p2, p3, p4, p5] = [2.0, 6.0, 24.0, 120.0, 720.0, 5040.0].map(|divisor: f32| 1.0 / divisor);
    let square = rest * rest;
    let fourth = square * square;
    let polynomial = (p3 * rest + p2) * square + ((p5 * rest + p4) * fourth + (p1 * rest + p0));
    let sum = polynomial * square + rest + 1.0;
    // 2^(r - 1) is a number where 2^r is one too many: its exponent is what stands in the lowest bits of this sum.
    let half = f32::from_bits((r + (8_388_608.0 + 126.0)).to_bits() << 23);
    sum * half * 2.0
}

/// Changes four values at a time. Fewer are filled up, so that they become what they would in the middle of many.
#[inline(always)]
fn each_quad(values: &mut [f32], change: impl Fn(f32x4) -> f32x4) {
    let whole = values.len() - values.len() % LANES;
    for quad in quads_mut(values) {
        *quad = change(f32x4::new(*quad)).to_array();
    }
    let rest = &mut values[whole..];
    if !rest.is_empty() {
        let mut quad = [0.0; LANES];
        quad[..rest.len()].copy_from_slice(rest);
        rest.copy_from_slice(&change(f32x4::new(quad)).to_array()[..rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A float of every 997th bit pattern, infinities and NaN among them.
    fn floats() -> impl Iterator<Item = f32> {
        let special = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        (0..=u32::MAX).step_by(997).map(f32::from_bits).chain(special)
    }

    #[test]
    fn sigmoid_has_the_bits_of_the_vector_library() {
        let one = f32x4::splat(1.0);
        for x in floats() {
            let expected = (one / (one + (-f32x4::splat(x)).exp())).to_array()[0];
            let actual = sigmoid(x);
            let same = actual.to_bits() == expected.to_bits() || (actual.is_nan() && expected.is_nan());
            assert!(same, "{x:e}: {actual:e} instead of {expected:e}");
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let values: Vec<f32> = floats().filter(|x| x.is_finite()).take(100_003).collect();
        for activation in [Activation::Sigmoid, Activation::HardSwish, Activation::Swish] {
            let mut expected = values.clone();
            apply_activation(activation, Instructions::BASELINE, &mut expected);
            for instructions in Instructions::available() {
                let mut actual = values.clone();
                apply_activation(activation, instructions, &mut actual);
                let same = actual
                    .iter()
                    .zip(&expected)
                    .all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{activation:?} with {}", instructions.name());
            }
        }
    }

    #[test]
    fn functions_are_their_definitions() {
        for step in -4000..=4000 {
            let x = step as f32 / 40.0;
            for activation in [
                Activation::Relu,
                Activation::Relu6,
                Activation::Sigmoid,
                Activation::HardSwish,
                Activation::Swish,
            ] {
                let mut value = [x; 5];
                apply_activation(activation, Instructions::BASELINE, &mut value);
                let expected = activation.apply(x);
                let error = (value[4] - expected).abs();
                assert!(error <= 3e-7 * expected.abs().max(1e-6), "{activation:?} of {x}");
            }
        }
    }
}
