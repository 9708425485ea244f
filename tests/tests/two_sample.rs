//! Distributions, intervals, two-sample tests, kernel distances and estimates against scipy's and numpy's values in `monitor_twosample.json`, which
//! `tests/reference/monitor_twosample.py` writes.

use plumbline_core::drift::cbpe::{Expected, ExpectedCounts, expected_auroc};
use plumbline_core::drift::kernel::{Kernel, KernelSum};
use plumbline_core::drift::two_sample::{
    KsMethod, Mean, chi_square, jensen_shannon, kolmogorov_smirnov, population_stability, shares,
    wasserstein, welch,
};
use plumbline_core::metrics::isotonic::Isotonic;
use plumbline_core::statistics::{Moments, benjamini_hochberg, distributions, kolmogorov, quantile, wilson};
use plumbline_tests::{data_folder, read, skip};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    distributions: Distributions,
    intervals: Intervals,
    two_samples: TwoSamples,
    kernels: Vec<KernelCase>,
    estimates: Vec<EstimateCase>,
}

#[derive(Deserialize)]
struct KernelCase {
    seed: u64,
    inputs: usize,
    bandwidth: f64,
    n: usize,
    m: usize,
    squared_distance: f64,
}

#[derive(Deserialize)]
struct EstimateCase {
    seed: u64,
    n: usize,
    slope: f64,
    accuracy: f64,
    precision: f64,
    recall: f64,
    f1: f64,
    auroc: f64,
}

#[derive(Deserialize)]
struct TwoSamples {
    tests: Vec<SampleTest>,
    counts: Vec<Counts>,
}

#[derive(Deserialize)]
struct SampleTest {
    seed: u64,
    n: usize,
    m: usize,
    power: f64,
    steps: u32,
    ks: f64,
    p_exact: Option<f64>,
    p_asymptotic: f64,
    wasserstein: f64,
    welch: Option<(f64, f64)>,
}

#[derive(Deserialize)]
struct Counts {
    a: Vec<u64>,
    b: Vec<u64>,
    chi_square: (f64, f64),
    jensen_shannon: f64,
    stability: f64,
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

fn moments_of(sample: &[f64]) -> Mean {
    let moments: Moments = sample.iter().copied().collect();
    Mean {
        mean: moments.mean().expect("a sample"),
        sd: moments.sd().expect("two values"),
        n: sample.len() as f64,
    }
}

#[test]
fn tests_of_two_samples_are_scipy_s() {
    let known = fixture().two_samples;
    for case in known.tests {
        let mut a = uniform(case.seed, case.n);
        let mut b = uniform(case.seed + 100, case.m);
        b.iter_mut().for_each(|x| *x *= 1.0 + (case.power - 1.0) * *x);
        if case.steps > 0 {
            let steps = f64::from(case.steps);
            a.iter_mut()
                .chain(&mut b)
                .for_each(|x| *x = (*x * steps).floor() / steps);
        }
        let what = format!("sample {}", case.seed);
        let asymptotic = kolmogorov_smirnov(&a, &b, KsMethod::Asymptotic).expect("samples");
        assert_near(asymptotic.statistic, case.ks, 1e-12, 1e-3, &what);
        assert_near(asymptotic.p, case.p_asymptotic, 1e-10, 1.0, &what);
        if let Some(p_exact) = case.p_exact {
            let exact = kolmogorov_smirnov(&a, &b, KsMethod::Exact).expect("samples");
            assert_near(exact.p, p_exact, 1e-9, 1e-9, &what);
            assert_eq!(kolmogorov_smirnov(&a, &b, KsMethod::Auto), Ok(exact), "{what}");
        }
        assert_near(
            wasserstein(&a, &b).expect("samples"),
            case.wasserstein,
            1e-12,
            1e-3,
            &what,
        );
        if let Some((t, p)) = case.welch {
            let found = welch(moments_of(&a), moments_of(&b)).expect("samples");
            assert_near(found.statistic, t, 1e-11, 1e-3, &what);
            assert_near(found.p, p, 1e-10, 1e-9, &what);
        }
    }
    for Counts {
        a,
        b,
        chi_square: (statistic, p),
        jensen_shannon: js,
        stability,
    } in known.counts
    {
        let found = chi_square(&a, &b).expect("counts");
        assert_near(found.statistic, statistic, 1e-12, 1e-3, "chi-square");
        assert_near(found.p, p, 1e-11, 1e-9, "p of chi-square");
        let (a, b) = (shares(&a).expect("counts"), shares(&b).expect("counts"));
        assert_near(
            jensen_shannon(&a, &b),
            js,
            1e-12,
            1e-3,
            "the distance of Jensen and Shannon",
        );
        assert_near(
            population_stability(&a, &b),
            stability,
            1e-12,
            1e-3,
            "the stability index",
        );
    }
}

/// The published vectors: shares of uniform numbers against their 1.2-th powers.
#[test]
fn tests_of_two_samples_are_those_of_the_published_vectors() {
    let Some(folder) = data_folder() else {
        return skip("the folder of reference data is absent");
    };
    let Ok(text) = std::fs::read_to_string(folder.join("monitoring_vectors.json")) else {
        return skip("monitoring_vectors.json is absent");
    };
    let vectors: serde_json::Value = serde_json::from_str(&text).expect("the vectors are JSON");
    let number = |path: &str| {
        vectors
            .pointer(path)
            .and_then(serde_json::Value::as_f64)
            .expect(path)
    };
    let reference = uniform(1, 500);
    let current: Vec<f64> = uniform(2, 400).into_iter().map(|u| u.powf(1.2)).collect();
    let asymptotic = kolmogorov_smirnov(&reference, &current, KsMethod::Asymptotic).expect("samples");
    assert_near(
        asymptotic.statistic,
        number("/ks_2samp/asymp/0"),
        1e-12,
        1e-3,
        "KS",
    );
    assert_near(asymptotic.p, number("/ks_2samp/asymp/1"), 1e-10, 1.0, "p of KS");
    let exact = kolmogorov_smirnov(&reference, &current, KsMethod::Exact).expect("samples");
    assert_near(exact.p, number("/ks_2samp/exact/1"), 1e-9, 1.0, "exact p of KS");
    let moved = wasserstein(&reference, &current).expect("samples");
    assert_near(moved, number("/wasserstein/raw"), 1e-12, 1e-3, "Wasserstein");
    let row =
        |name: &str| -> Vec<u64> { serde_json::from_value(vectors["hist10"][name].clone()).expect("counts") };
    let (a, b) = (row("ref"), row("cur"));
    let found = chi_square(&a, &b).expect("counts");
    assert_near(
        found.statistic,
        number("/hist10/chi2_contingency/0"),
        1e-12,
        1e-3,
        "chi-square",
    );
    assert_near(
        found.p,
        number("/hist10/chi2_contingency/1"),
        1e-10,
        1e-3,
        "p of chi-square",
    );
    let (p, q) = (shares(&a).expect("counts"), shares(&b).expect("counts"));
    assert_near(
        population_stability(&p, &q),
        number("/hist10/psi_natural_log"),
        1e-12,
        1e-3,
        "PSI",
    );
    let js = jensen_shannon(&p, &q);
    assert_near(
        js,
        number("/hist10/js_distance_base_2"),
        1e-12,
        1e-3,
        "JS, base 2",
    );
    let natural = js * std::f64::consts::LN_2.sqrt();
    assert_near(
        natural,
        number("/hist10/js_distance_base_e"),
        1e-12,
        1e-3,
        "JS, base e",
    );
    let threshold =
        distributions::chi_square_quantile(0.99, 9.0).expect("a share") * (1.0 / 500.0 + 1.0 / 400.0);
    assert_near(
        threshold,
        number("/hist10/psi_null_1pct_threshold_(1~1n+1~1m)chi2_.99,9"),
        1e-11,
        1e-3,
        "PSI's null",
    );
}

#[test]
fn distances_in_random_features_are_numpy_s() {
    for case in fixture().kernels {
        let kernel = Kernel::new(case.inputs, case.bandwidth, case.seed).expect("settings in their range");
        let sum = |seed: u64, n: usize, scale: f64| {
            let mut sum = KernelSum::default();
            for frame in uniform(seed, n * case.inputs).chunks(case.inputs) {
                let frame: Vec<f64> = frame.iter().map(|x| x * scale).collect();
                kernel.add(&frame, &mut sum).expect("finite values");
            }
            sum
        };
        let reference = sum(case.seed, case.n, 1.0).mean().expect("frames");
        let found = sum(case.seed + 100, case.m, 1.5)
            .squared_distance(&reference)
            .expect("frames");
        assert_near(
            found,
            case.squared_distance,
            1e-12,
            1.0,
            &format!("kernel {}", case.seed),
        );
    }
}

/// What is expected of predictions whose chances isotonic calibration gives, and the area under the curve.
fn estimated(raw: &[f64], outcomes: &[f64]) -> (Expected, f64) {
    let fit = Isotonic::fit(raw, outcomes, None).expect("outcomes");
    let chances: Vec<f64> = raw
        .iter()
        .map(|score| fit.predict(*score).expect("a number"))
        .collect();
    let mut counts = ExpectedCounts::default();
    for (raw, chance) in raw.iter().zip(&chances) {
        counts.add(*raw, *chance).expect("0 to 1");
    }
    let auroc = expected_auroc(raw, &chances)
        .expect("0 to 1")
        .expect("both classes");
    (counts.expected(), auroc)
}

#[track_caller]
fn assert_expected(found: &Expected, [accuracy, precision, recall, f1]: [f64; 4]) {
    let pairs = [
        ("accuracy", found.accuracy, accuracy),
        ("precision", found.precision, precision),
        ("recall", found.recall, recall),
        ("F1", found.f1, f1),
    ];
    for (name, found, expected) in pairs {
        assert_near(found.expect(name), expected, 1e-10, 1e-3, name);
    }
}

#[test]
fn estimates_without_labels_are_those_of_the_formulas() {
    for case in fixture().estimates {
        let raw = uniform(case.seed, case.n);
        let draws = uniform(case.seed + 100, case.n);
        let outcome = |(raw, draw): (&f64, &f64)| f64::from(u8::from(*draw < 0.5 + case.slope * (raw - 0.5)));
        let outcomes: Vec<f64> = raw.iter().zip(&draws).map(outcome).collect();
        let (expected, auroc) = estimated(&raw, &outcomes);
        assert_expected(&expected, [case.accuracy, case.precision, case.recall, case.f1]);
        assert_near(auroc, case.auroc, 1e-10, 1e-3, "AUROC");
    }
    // The published vector: NannyML's own functions give the same.
    let score = |u: f64| ((u * 300.0).round_ties_even() / 300.0).clamp(1.0 / 300.0, 299.0 / 300.0);
    let raw: Vec<f64> = uniform(3, 300).into_iter().map(score).collect();
    let draws = uniform(4, 300);
    let outcome = |(raw, draw): (&f64, &f64)| f64::from(u8::from(*draw < 0.5 + 0.55 * (raw - 0.5)));
    let outcomes: Vec<f64> = raw.iter().zip(&draws).map(outcome).collect();
    let published = [
        0.649_135_802_469_135_8,
        0.703_827_989_062_888_5,
        0.631_749_219_098_616_7,
        0.665_843_621_399_177_1,
    ];
    assert_expected(&estimated(&raw, &outcomes).0, published);
}
