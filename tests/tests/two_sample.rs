//! Distributions, intervals and two-sample tests against scipy's and numpy's values in `monitor_twosample.json`, which
//! `tests/reference/monitor_twosample.py` writes.

use plumbline_core::statistics::{Moments, benjamini_hochberg, distributions, kolmogorov, quantile, wilson};
use plumbline_tests::read;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    distributions: Distributions,
    intervals: Intervals,
}

#[derive(Deserialize)]
struct Distributions {
    tails: Vec<Tail>,
    quantiles: Vec<Quantile>,
    kolmogorov: Vec<Kolmogorov>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Law {
    Normal,
    ChiSquare,
    T,
}

#[derive(Deserialize)]
struct Tail {
    law: Law,
    degrees: Option<f64>,
    x: f64,
    tail: f64,
}

#[derive(Deserialize)]
struct Quantile {
    law: Law,
    degrees: Option<f64>,
    p: f64,
    x: f64,
}

#[derive(Deserialize)]
struct Kolmogorov {
    n: u64,
    distance: f64,
    tail: f64,
}

#[derive(Deserialize)]
struct Intervals {
    wilson: Vec<Wilson>,
    adjusted: Vec<Adjusted>,
    quantiles: Vec<SampleQuantile>,
    moments: Vec<SampleMoments>,
}

#[derive(Deserialize)]
struct Wilson {
    n_right: u64,
    n: u64,
    level: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Adjusted {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct SampleQuantile {
    seed: u64,
    n: usize,
    p: f64,
    x: f64,
}

#[derive(Deserialize)]
struct SampleMoments {
    seed: u64,
    n: usize,
    offset: f64,
    mean: f64,
    variance: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(&read("tests/fixtures/monitor_twosample.json")).expect("the fixture is JSON")
}

/// The generator of the fixtures.
fn uniform(seed: u64, n: usize) -> Vec<f64> {
    let mut x = seed;
    let mut next = || {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (x >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..n).map(|_| next()).collect()
}

/// Relative, or absolute where the expected value is smaller than `floor`.
#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64, floor: f64, what: &str) {
    let error = (found - expected).abs() / expected.abs().max(floor);
    assert!(
        error <= tolerance,
        "{what}: {found}, not {expected}; off by {error:e}"
    );
}

#[test]
fn distributions_are_scipy_s() {
    let known = fixture().distributions;
    assert!(known.tails.len() > 100 && known.quantiles.len() > 100 && known.kolmogorov.len() > 100);
    for Tail {
        law,
        degrees,
        x,
        tail,
    } in known.tails
    {
        let degrees = degrees.unwrap_or_default();
        let (name, found) = match law {
            Law::Normal => ("normal", Some(distributions::normal_tail(x))),
            Law::ChiSquare => ("chi-square", distributions::chi_square_tail(x, degrees)),
            Law::T => ("t", distributions::t_tail(x, degrees)),
        };
        let what = format!("the share of {name} ({degrees}) above {x}");
        assert_near(found.expect("positive degrees"), tail, 1e-12, 1e-300, &what);
    }
    for Quantile { law, degrees, p, x } in known.quantiles {
        let degrees = degrees.unwrap_or_default();
        let (name, found) = match law {
            Law::Normal => ("normal", distributions::normal_quantile(p)),
            Law::ChiSquare => ("chi-square", distributions::chi_square_quantile(p, degrees)),
            Law::T => ("t", distributions::t_quantile(p, degrees)),
        };
        let what = format!("the {p}-quantile of {name} ({degrees})");
        assert_near(found.expect("a share"), x, 1e-11, 1e-12, &what);
    }
    for Kolmogorov { n, distance, tail } in known.kolmogorov {
        let what = format!("a distance of {distance} at {n} values");
        assert_near(kolmogorov::one_sample_tail(n, distance), tail, 1e-10, 1.0, &what);
        assert_near(kolmogorov::one_sample_tail(n, distance), tail, 1e-6, 1e-12, &what);
    }
}

#[test]
fn intervals_and_moments_are_scipy_s() {
    let known = fixture().intervals;
    for Wilson {
        n_right,
        n,
        level,
        low,
        high,
    } in known.wilson
    {
        let found = wilson(n_right, n, level).expect("a share");
        let what = format!("Wilson's interval of {n_right} of {n} at {level}");
        assert_near(found.low, low, 1e-12, 1e-3, &what);
        assert_near(found.high, high, 1e-12, 1e-3, &what);
    }
    for Adjusted { p, adjusted } in known.adjusted {
        let found = benjamini_hochberg(&p).expect("all are in 0 to 1");
        for (found, expected) in found.iter().zip(&adjusted) {
            assert_near(*found, *expected, 1e-12, 1e-300, "an adjusted p value");
        }
    }
    assert_eq!(benjamini_hochberg(&[0.1, f64::NAN]), None);
    for SampleQuantile { seed, n, p, x } in known.quantiles {
        let found = quantile(&uniform(seed, n), p).expect("a sample");
        assert_near(
            found,
            x,
            1e-15,
            1.0,
            &format!("the {p}-quantile of sample {seed}"),
        );
    }
    for SampleMoments {
        seed,
        n,
        offset,
        mean,
        variance,
    } in known.moments
    {
        let moments: Moments = uniform(seed, n).iter().map(|u| u + offset).collect();
        assert_near(moments.mean().expect("a sample"), mean, 1e-14, 1.0, "a mean");
        // What adding the offset leaves of the digits.
        let digits = 1e-15 * offset.abs().max(1.0);
        assert_near(
            moments.variance().expect("a sample"),
            variance,
            digits.max(1e-12),
            1.0,
            "a variance",
        );
    }
}
