//! IEEE 754 binary16, as bit patterns, and rounding to the two short floats.

/// The f32 with the value of a binary16 bit pattern; exact for every input.
pub fn f32_from_f16(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10) & 0x1f;
    let fraction = u32::from(bits) & 0x3ff;
    let magnitude = match (exponent, fraction) {
        (0, 0) => 0,
        (0, fraction) => {
            // Subnormal: the value is fraction * 2^-24, which f32 holds exactly as a normal number.
            return f32::from_bits(sign | (fraction as f32 * 2.0f32.powi(-24)).to_bits());
        }
        (0x1f, fraction) => 0x7f80_0000 | (fraction << 13),
        (exponent, fraction) => ((exponent + 112) << 23) | (fraction << 13),
    };
    f32::from_bits(sign | magnitude)
}

/// The f32 values of little-endian binary16 patterns; exact for every input.
///
/// A pattern without its sign, moved to where f32 has exponent and fraction, is the value times 2^-112, subnormals
/// included; multiplying by 2^112 is exact. That has no branches, so compilers make vectors of it; infinities and NaN,
/// which weights are not, are put right afterwards.
pub fn widen(halves: &[[u8; 2]], wide: &mut [f32]) {
    for (halves, wide) in halves.chunks(BLOCK).zip(wide.chunks_mut(BLOCK)) {
        widen_block(halves, wide);
    }
}

/// Values that are widened at once: a browser optimises a function after many calls and never in the middle of one.
const BLOCK: usize = 1024;

#[inline(never)]
fn widen_block(halves: &[[u8; 2]], wide: &mut [f32]) {
    let scale = f32::from_bits((127 + 112) << 23);
    let mut largest = 0;
    for (value, &half) in wide.iter_mut().zip(halves) {
        let bits = u32::from(u16::from_le_bytes(half));
        largest = largest.max(bits & 0x7fff);
        let magnitude = f32::from_bits((bits & 0x7fff) << 13) * scale;
        *value = f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16);
    }
    if largest >= 0x7c00 {
        for (value, &half) in wide.iter_mut().zip(halves) {
            *value = f32_from_f16(u16::from_le_bytes(half));
        }
    }
}

/// The binary16 bit pattern of a value, when binary16 holds that value exactly.
pub fn f16_from_f32_exact(value: f32) -> Option<u16> {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let exponent = ((bits >> 23) & 0xff) as i32 - 127;
    let fraction = bits & 0x7f_ffff;
    let half = match exponent {
        -127 if fraction == 0 => 0,
        -14..=15 => (((exponent + 15) as u16) << 10) | (fraction >> 13) as u16,
        -24..=-15 => ((0x80_0000 | fraction) >> (-1 - exponent)) as u16,
        128 => 0x7c00 | (fraction >> 13) as u16,
        _ => return None,
    };
    let half = sign | half;
    let same = f32_from_f16(half).to_bits() == bits;
    same.then_some(half)
}

/// The binary16 value nearest to `value`, of two equally near ones that with an even pattern; infinite from 65520 on.
pub fn round_to_f16(value: f32) -> f32 {
    let magnitude = value.abs();
    let rounded = if magnitude >= 65520.0 {
        f32::INFINITY
    } else if magnitude < 2.0f32.powi(-14) {
        // Subnormal: multiples of 2^-24. Both products are exact.
        (magnitude * 2.0f32.powi(24)).round_ties_even() * 2.0f32.powi(-24)
    } else {
        round_bits(magnitude, 13)
    };
    // A comparison with NaN is false, and `round_bits` keeps it.
    rounded.copysign(value)
}

/// The bfloat16 value nearest to `value`, of two equally near ones that with an even pattern.
pub fn round_to_bf16(value: f32) -> f32 {
    round_bits(value, 16)
}

/// Rounds away the lowest bits of the fraction, half to even. A carry into the exponent is the next power of two, and
/// beyond the largest it is infinity.
fn round_bits(value: f32, dropped: u32) -> f32 {
    if value.is_nan() {
        return value;
    }
    let bits = value.to_bits();
    let half = (1 << (dropped - 1)) - 1 + (bits >> dropped & 1);
    f32::from_bits((bits + half) & !((1 << dropped) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values and patterns from the table in IEEE 754-2008 and Wikipedia, "Half-precision floating-point format".
    #[test]
    fn widens_known_patterns() {
        let cases: [(u16, f32); 9] = [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3bff, 0.999_511_7),
            (0x3c00, 1.0),
            (0x7bff, 65504.0),
            (0xc000, -2.0),
        ];
        for (bits, value) in cases {
            assert_eq!(f32_from_f16(bits), value, "{bits:#06x}");
        }
        assert_eq!(f32_from_f16(0x7c00), f32::INFINITY);
        assert!(f32_from_f16(0x7e00).is_nan());
    }

    #[test]
    fn widening_many_gives_what_widening_one_gives() {
        let bits_of = |patterns: &[u16]| -> Vec<u32> {
            let bytes: Vec<[u8; 2]> = patterns.iter().map(|pattern| pattern.to_le_bytes()).collect();
            let mut wide = vec![0.0; bytes.len()];
            widen(&bytes, &mut wide);
            wide.into_iter().map(f32::to_bits).collect()
        };
        let finite: Vec<u16> = (0..=u16::MAX).filter(|bits| bits & 0x7fff < 0x7c00).collect();
        let all: Vec<u16> = (0..=u16::MAX).collect();
        for patterns in [finite, all] {
            let expected: Vec<u32> = patterns
                .iter()
                .map(|&bits| f32_from_f16(bits).to_bits())
                .collect();
            assert_eq!(bits_of(&patterns), expected);
        }
    }

    #[test]
    fn every_pattern_that_is_no_nan_survives_a_round_trip() {
        for bits in 0..=u16::MAX {
            let value = f32_from_f16(bits);
            if !value.is_nan() {
                assert_eq!(f16_from_f32_exact(value), Some(bits), "{bits:#06x}");
            }
        }
        for inexact in [0.1f32, 65505.0, 1e-9, 1.0 + f32::EPSILON, 1e10] {
            assert_eq!(f16_from_f32_exact(inexact), None, "{inexact}");
        }
    }

    /// Every pair of neighbours: their middle goes to the even one, and what is nearer to one goes there.
    #[test]
    fn rounding_goes_to_the_nearest_and_of_two_to_the_even() {
        fn check(
            largest: u32,
            value: impl Fn(u32) -> f32,
            middle: impl Fn(f32, f32) -> f32,
            round: impl Fn(f32) -> f32,
        ) {
            for pattern in 0..largest {
                let (low, high) = (value(pattern), value(pattern + 1));
                let middle = middle(low, high);
                let even = if pattern % 2 == 0 { low } else { high };
                for (x, expected) in [
                    (low, low),
                    (middle.next_down(), low),
                    (middle, even),
                    (middle.next_up(), high),
                ] {
                    assert_eq!(round(x).to_bits(), expected.to_bits(), "{x} of {low} and {high}");
                    assert_eq!(round(-x).to_bits(), (-expected).to_bits(), "-{x}");
                }
            }
        }
        check(
            0x7bff,
            |pattern| f32_from_f16(pattern as u16),
            f32::midpoint,
            round_to_f16,
        );
        check(
            0x7f7f,
            |pattern| f32::from_bits(pattern << 16),
            // Exact also where the values are subnormal.
            |low, high| f32::from_bits(u32::midpoint(low.to_bits(), high.to_bits())),
            round_to_bf16,
        );
        for round in [round_to_f16, round_to_bf16] {
            assert!(round(f32::NAN).is_nan());
            assert_eq!(round(f32::NEG_INFINITY), f32::NEG_INFINITY);
            assert_eq!(round(f32::MAX), f32::INFINITY);
        }
        assert_eq!(round_to_f16(65519.0), 65504.0);
        assert_eq!(round_to_f16(-65520.0), f32::NEG_INFINITY);
    }
}
