//! The special functions that distributions are made of: logarithm of the gamma function, incomplete gamma and beta.
//!
//! Series and continued fractions as in DLMF (<https://dlmf.nist.gov>) 5.11, 8.7, 8.9 and 8.17; fractions are run by
//! Lentz's method (Thompson and Barnett, J. Comput. Phys. 64, 1986). Relative errors are a few 1e-15 for small
//! arguments and grow with them; against scipy they are held to 1e-12.

use std::f64::consts::PI;

/// Terms of a series or fraction at most; it ends by itself long before.
const MAX_TERMS: u32 = 100_000;
/// Stands for a zero in Lentz's method.
const TINY: f64 = 1e-300;

/// Lanczos' coefficients for g = 7 and nine terms (Godfrey, 2001).
const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

/// ln Γ(x) of a positive number.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        // Reflection (DLMF 5.5.3).
        return (PI / (PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let series = LANCZOS[1..]
        .iter()
        .zip(1..)
        .fold(LANCZOS[0], |sum, (coefficient, k)| {
            sum + coefficient / (x + f64::from(k))
        });
    let t = x + 7.5;
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// The regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), for positive `a` and `x` from 0 on.
#[must_use]
pub fn incomplete_gamma(a: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x.is_infinite() {
        return (1.0, 0.0);
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..MAX_TERMS {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        let lower = front * sum;
        (lower, 1.0 - lower)
    } else {
        let mut b = x + 1.0 - a;
        let mut c = 1.0 / TINY;
        let mut d = 1.0 / b;
        let mut fraction = d;
        for i in 1..MAX_TERMS {
            let i = f64::from(i);
            let numerator = -i * (i - a);
            b += 2.0;
            d = 1.0 / not_zero(numerator * d + b);
            c = not_zero(b + numerator / c);
            let step = d * c;
            fraction *= step;
            if (step - 1.0).abs() < 1e-16 {
                break;
            }
        }
        let upper = front * fraction;
        (1.0 - upper, upper)
    }
}

/// The regularised incomplete beta function I_x(a, b), for positive `a` and `b` and `x` in 0 to 1.
#[must_use]
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    // The fraction is quick on its own side of the mean only.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..MAX_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / not_zero(1.0 + numerator * d);
            c = not_zero(1.0 + numerator / c);
            step = d * c;
            fraction *= step;
        }
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

fn not_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}
