//! The error function, which neither the standard library nor WGSL has: exact, and for kernels.

/// erf(x), to 4e-15.
///
/// 2 / sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (1 3 5 .. (2n+1)): DLMF 7.6.2, whose terms all have one sign.
pub fn exact(x: f64) -> f64 {
    if x.abs() > 6.0 {
        // 1 - erf(6) is 2e-17.
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// Up to 1: the first terms of 2 / sqrt(pi) sum of (-1)^n x^(2n+1) / (n! (2n+1)) (DLMF 7.6.1), highest first; what is
/// left out is 2e-9 at 1.
pub const SERIES: [f32; 11] = [
    1.480_719_2e-8,
    -1.636_584_5e-7,
    1.646_211_4e-6,
    -1.492_565e-5,
    1.205_533_2e-4,
    -8.548_327e-4,
    5.223_977_6e-3,
    -2.686_617e-2,
    1.128_379_1e-1,
    -3.761_263_9e-1,
    std::f32::consts::FRAC_2_SQRT_PI,
];

/// Beyond 1: 1 - e^(-x^2) times this polynomial in t = 1 / (1 + p |x|), highest first and without its constant term, which
/// is 0; Abramowitz and Stegun 7.1.26, absolute error 1.5e-7.
pub const TAIL: [f32; 5] = [1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];
/// The p of [`TAIL`].
pub const TAIL_P: f32 = 0.327_591_1;

/// erf(x), to 2e-7.
pub fn erf(x: f32) -> f32 {
    let magnitude = x.abs();
    if magnitude < 1.0 {
        let square = x * x;
        return x * SERIES.iter().fold(0.0, |sum, &factor| sum * square + factor);
    }
    let t = 1.0 / (1.0 + TAIL_P * magnitude);
    let polynomial = TAIL.iter().fold(0.0, |sum, &factor| (sum + factor) * t);
    (1.0 - polynomial * (-x * x).exp()).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `math.erf` of Python 3.12, which is that of the C library.
    const KNOWN: [(f64, f64); 7] = [
        (0.0, 0.0),
        (1e-3, 0.001_128_378_790_969_237),
        (0.5, 0.520_499_877_813_046_5),
        (1.0, 0.842_700_792_949_714_9),
        (2.0, 0.995_322_265_018_952_7),
        (3.5, 0.999_999_256_901_627_6),
        (7.0, 1.0),
    ];

    #[test]
    fn gives_the_tables_values() {
        for (x, expected) in KNOWN {
            for sign in [1.0, -1.0] {
                let error = (exact(sign * x) - sign * expected).abs();
                assert!(error <= 4e-15, "erf({x}) is off by {error}");
                let error = (f64::from(erf((sign * x) as f32)) - sign * expected).abs();
                assert!(error <= 2.5e-7 * expected.max(1e-3), "erf({x}) is off by {error}");
            }
        }
        assert!(erf(f32::NAN).is_nan() && exact(f64::NAN).is_nan());
    }
}
