//! IEEE 754 binary16, as bit patterns.

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
}
