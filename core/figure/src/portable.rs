//! Elementary functions that give the same bits on every platform.
//!
//! `f64::sin` and its kin go to the platform's own mathematics library, which may differ in the last bit between
//! a native build and WebAssembly; IEEE 754 fixes only `+ - * /` and the square root. The figure must come out
//! byte for byte the same everywhere, so all it needs beyond those is built from them here: Taylor series after
//! range reduction, within a few units in the last place over the range of joint angles.

use std::f64::consts::{FRAC_PI_2, PI};

/// The leading 33 bits of pi/2, of which a few thousand multiples are exact, and what they leave.
const HALF_PI_LEADING: f64 = 1.570_796_326_734_125_6;
const HALF_PI_REST: f64 = 6.077_100_506_506_192e-11;

/// Sine and cosine of an angle in radians; meant for |angle| below some thousands.
pub fn sin_cos(angle: f64) -> (f64, f64) {
    let quarters = (angle / FRAC_PI_2 + if angle < 0.0 { -0.5 } else { 0.5 }) as i64;
    let turns = quarters as f64;
    let r = (angle - turns * HALF_PI_LEADING) - turns * HALF_PI_REST;
    let sq = r * r;
    // Horner form of x - x^3/3! + x^5/5! ... and 1 - x^2/2! + x^4/4! ..., |x| <= pi/4.
    let (mut sin, mut cos) = (1.0, 1.0);
    for k in (1..=8).rev() {
        let n = f64::from(2 * k);
        sin = 1.0 - sq / (n * (n + 1.0)) * sin;
        cos = 1.0 - sq / (n * (n - 1.0)) * cos;
    }
    sin *= r;
    match quarters.rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// Sine of an angle in radians.
pub fn sin(angle: f64) -> f64 {
    sin_cos(angle).0
}

/// Cosine of an angle in radians.
pub fn cos(angle: f64) -> f64 {
    sin_cos(angle).1
}

/// Angle of the point (`x`, `y`) from the x axis, in radians in [-pi, pi]; 0 at the origin.
pub fn atan2(y: f64, x: f64) -> f64 {
    if x == 0.0 && y == 0.0 {
        return 0.0;
    }
    let (abs_x, abs_y) = (x.abs(), y.abs());
    let first_octant = arctangent(abs_x.min(abs_y) / abs_x.max(abs_y));
    let first_quadrant = if abs_y > abs_x {
        FRAC_PI_2 - first_octant
    } else {
        first_octant
    };
    let upper_half = if x < 0.0 {
        PI - first_quadrant
    } else {
        first_quadrant
    };
    if y < 0.0 { -upper_half } else { upper_half }
}

/// Arc cosine in radians; the argument is clamped to [-1, 1].
pub fn acos(cosine: f64) -> f64 {
    let c = cosine.clamp(-1.0, 1.0);
    atan2(((1.0 - c) * (1.0 + c)).sqrt(), c)
}

/// Arc tangent of a slope in [0, 1]: halved twice, then the series x - x^3/3 + x^5/5 ... for x <= 0.2.
fn arctangent(slope: f64) -> f64 {
    let half = |x: f64| x / (1.0 + (1.0 + x * x).sqrt());
    let x = half(half(slope));
    let sq = x * x;
    let series = (0..=12)
        .rev()
        .fold(0.0, |sum, k| 1.0 / f64::from(2 * k + 1) - sq * sum);
    4.0 * x * series
}

/// Linear light in [0, 1] to the sRGB transfer curve: its straight toe, then a fit by square roots alone
/// (I. Taylor), within 0.005 of the power law.
pub fn srgb_encode(linear: f32) -> f32 {
    let x = linear.clamp(0.0, 1.0);
    if x <= 0.003_130_8 {
        return 12.92 * x;
    }
    let s1 = x.sqrt();
    let s2 = s1.sqrt();
    let s3 = s2.sqrt();
    (0.585_122_4 * s1 + 0.783_140_36 * s2 - 0.368_262_74 * s3).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_platform_within_rounding() {
        for step in -4000..4000 {
            let angle = f64::from(step) * 0.0071;
            assert!((sin(angle) - angle.sin()).abs() < 4e-16, "sin {angle}");
            assert!((cos(angle) - angle.cos()).abs() < 4e-16, "cos {angle}");
            let (y, x) = (f64::from(step % 37) * 0.3, f64::from(step % 23) * 0.7);
            assert!((atan2(y, x) - y.atan2(x)).abs() < 2e-15, "atan2 {y} {x}");
            let c = f64::from(step) / 4000.0;
            assert!((acos(c) - c.acos()).abs() < 2e-15, "acos {c}");
        }
    }

    #[test]
    fn the_transfer_curve_is_srgb() {
        for step in 1..=1000 {
            let x = step as f32 / 1000.0;
            let exact = if x <= 0.003_130_8 {
                12.92 * x
            } else {
                1.055 * x.powf(1.0 / 2.4) - 0.055
            };
            assert!(
                (srgb_encode(x) - exact).abs() < 0.006,
                "{x}: {} not {exact}",
                srgb_encode(x)
            );
        }
    }
}
