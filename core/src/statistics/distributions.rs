//! Tails and quantiles of the normal, chi-square and Student's t distribution, against scipy to 1e-12.
//!
//! Tails are computed as tails, so small ones keep their digits. A quantile outside of 0 to 1, or degrees of freedom that
//! are not positive, give `None`.

use super::special::{incomplete_beta, incomplete_gamma};

/// The share of the standard normal distribution above `z`.
#[must_use]
pub fn normal_tail(z: f64) -> f64 {
    let (below, above) = incomplete_gamma(0.5, z * z / 2.0);
    if z < 0.0 { 0.5 + below / 2.0 } else { above / 2.0 }
}

/// The share of the standard normal distribution up to `z`.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    normal_tail(-z)
}

/// Where the standard normal distribution has a share of `p` below it: Wichura, *Algorithm AS 241: the percentage points
/// of the normal distribution*, Applied Statistics 37 (1988), about 1e-16 relative. Infinite at 0 and 1.
#[must_use]
pub fn normal_quantile(p: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&p) {
        return None;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return Some(q * polynomial(&MIDDLE.0, r) / polynomial(&MIDDLE.1, r));
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return Some(q.signum() * f64::INFINITY);
    }
    let r = (-tail.ln()).sqrt();
    let z = if r <= 5.0 {
        polynomial(&TAIL.0, r - 1.6) / polynomial(&TAIL.1, r - 1.6)
    } else {
        polynomial(&FAR_TAIL.0, r - 5.0) / polynomial(&FAR_TAIL.1, r - 5.0)
    };
    Some(q.signum() * z)
}

/// Horner's rule, the coefficient of the highest power last.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// A numerator and a denominator.
type Rational = ([f64; 8], [f64; 8]);

/// AS 241's coefficients for shares of .075 to .925.
const MIDDLE: Rational = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);
/// For tails down to e^-25.
const TAIL: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);
/// For smaller ones.
const FAR_TAIL: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

/// The share of the chi-square distribution above `x`.
#[must_use]
pub fn chi_square_tail(x: f64, degrees: f64) -> Option<f64> {
    (degrees > 0.0).then(|| incomplete_gamma(degrees / 2.0, x / 2.0).1)
}

/// Where the chi-square distribution has a share of `p` below it.
#[must_use]
pub fn chi_square_quantile(p: f64, degrees: f64) -> Option<f64> {
    if !((0.0..1.0).contains(&p) && degrees > 0.0 && degrees.is_finite()) {
        return None;
    }
    let mut high = degrees + 10.0;
    while incomplete_gamma(degrees / 2.0, high / 2.0).0 < p && high < f64::MAX / 4.0 {
        high *= 2.0;
    }
    Some(crossing(0.0, high, |x| {
        let (below, above) = incomplete_gamma(degrees / 2.0, x / 2.0);
        // The smaller of the two has the digits.
        if p < 0.5 { below < p } else { above > 1.0 - p }
    }))
}

/// The share of Student's t distribution above `t`; `degrees` need not be whole.
#[must_use]
pub fn t_tail(t: f64, degrees: f64) -> Option<f64> {
    (degrees > 0.0).then(|| {
        let half = incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t)) / 2.0;
        if t < 0.0 { 1.0 - half } else { half }
    })
}

/// Where Student's t distribution has a share of `p` below it.
#[must_use]
pub fn t_quantile(p: f64, degrees: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0 && degrees > 0.0 && degrees.is_finite()) {
        return None;
    }
    let tail = p.min(1.0 - p);
    let mut high = 1.0;
    while t_tail(high, degrees)? > tail && high < 1e150 {
        high *= 2.0;
    }
    let t = crossing(0.0, high, |t| {
        t_tail(t, degrees).is_some_and(|above| above > tail)
    });
    Some(if p < 0.5 { -t } else { t })
}

/// Where a condition that holds at `low` and no longer at `high` ends, to the last digit.
fn crossing(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_tails_undo_each_other() {
        for p in [1e-12, 0.001, 0.075, 0.3, 0.5, 0.925, 0.99999] {
            let z = normal_quantile(p).expect("a share");
            assert!((normal_cdf(z) - p).abs() < 2e-14 * p, "{p}: {z}");
            for degrees in [1.0, 2.5, 30.0] {
                let x = chi_square_quantile(p, degrees).expect("a share");
                let above = chi_square_tail(x, degrees).expect("positive degrees");
                assert!((1.0 - above - p).abs() < 1e-12, "{p}, {degrees}: {x}");
                let t = t_quantile(p, degrees).expect("a share");
                let above = t_tail(t, degrees).expect("positive degrees");
                assert!((1.0 - above - p).abs() < 1e-12, "{p}, {degrees}: {t}");
            }
        }
    }

    #[test]
    fn what_is_no_share_has_no_quantile() {
        for p in [-0.1, 1.1, f64::NAN] {
            assert_eq!(normal_quantile(p), None);
            assert_eq!(chi_square_quantile(p, 3.0), None);
            assert_eq!(t_quantile(p, 3.0), None);
        }
        assert_eq!(chi_square_quantile(0.5, 0.0), None);
        assert_eq!(t_tail(1.0, f64::NAN), None);
        assert_eq!(normal_quantile(0.0), Some(f64::NEG_INFINITY));
        assert_eq!(normal_quantile(1.0), Some(f64::INFINITY));
    }
}
