//! The detectors on the vectors of the data folder, and what they say of bad values and settings. What holds them to
//! river on streams of every kind is `core/tests/river.rs`, which runs in a browser as well.

use plumbline_core::drift::{AnyDetector, DETECTORS, Detector, DriftError};
use plumbline_tests::{data_folder, skip};

/// The generator of the vectors.
fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut x = seed;
    move || {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (x >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn named(name: &str, settings: &[(&str, &str)]) -> Result<AnyDetector, DriftError> {
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    AnyDetector::named(name, &settings)
}

fn drifts(detector: &mut AnyDetector, values: &[f64]) -> Vec<usize> {
    let mut found = Vec::new();
    for (i, &x) in values.iter().enumerate() {
        if detector.update(x).expect("a value that it takes").drift {
            found.push(i);
        }
    }
    found
}

#[test]
fn detections_are_those_of_the_published_vectors() {
    let Some(folder) = data_folder() else {
        return skip("the folder of reference data is absent");
    };
    let Ok(text) = std::fs::read_to_string(folder.join("monitoring_vectors.json")) else {
        return skip("monitoring_vectors.json is absent");
    };
    let vectors: serde_json::Value = serde_json::from_str(&text).expect("the vectors are JSON");
    let mut u = uniform(42);
    let numbers: Vec<f64> = (0..4000)
        .map(|i| u() + if i < 2000 { 0.0 } else { 0.1 })
        .collect();
    let mut u = uniform(7);
    let wrong: Vec<f64> = (0..4000)
        .map(|i| f64::from(u8::from(u() < if i < 2000 { 0.1 } else { 0.25 })))
        .collect();
    let cases = [
        ("adwin_default", "adwin", vec![], &numbers),
        ("adwin_clock1", "adwin", vec![("clock", "1")], &numbers),
        (
            "page_hinkley_t10",
            "page-hinkley",
            vec![("threshold", "10")],
            &numbers,
        ),
        ("page_hinkley_default", "page-hinkley", vec![], &numbers),
        ("ddm_default", "ddm", vec![], &wrong),
        ("eddm_default", "eddm", vec![], &wrong),
        ("hddm_a_default", "hddm-a", vec![], &wrong),
        ("hddm_w_default", "hddm-w", vec![], &wrong),
        ("fhddm_default", "fhddm", vec![], &wrong),
    ];
    for (vector, name, settings, values) in cases {
        let mut detector = named(name, &settings).expect("known settings");
        let found = drifts(&mut detector, values);
        assert_eq!(
            serde_json::json!(found),
            vectors[vector]["detect_idx"],
            "{vector}"
        );
        if let (Some(window), Some(width)) = (detector.window(), vectors[vector]["width"].as_f64()) {
            assert_eq!(window.width as f64, width, "{vector}");
            let estimation = vectors[vector]["estimation"].as_f64().expect("a number");
            assert!((window.estimation - estimation).abs() <= 1e-12, "{vector}");
        }
    }
    let right: Vec<f64> = wrong.iter().map(|x| 1.0 - x).collect();
    assert_eq!(
        drifts(&mut named("fhddm", &[]).unwrap(), &right).first(),
        Some(&2074)
    );
    let sd = (1.0f64 / 12.0).sqrt().to_string();
    let mut chart = named("cusum", &[("mean", "0.5"), ("sd", &sd)]).expect("known settings");
    let found = drifts(&mut chart, &numbers);
    let expected = &vectors["cusum_k0.5_h5_two_sided"]["first_alarm_idx"];
    assert_eq!(
        found.first().map(|&i| serde_json::json!(i)).as_ref(),
        Some(expected)
    );
}

#[test]
fn bad_values_and_settings_are_refused_in_words() {
    for name in DETECTORS {
        let mut detector = named(name, &[]).expect("defaults");
        let fresh = detector.clone();
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(detector.update(x).is_err(), "{name} takes {x}");
        }
        let is_binary = detector.update(0.5).is_err();
        let expected = ["ddm", "eddm", "hddm-a", "hddm-w", "fhddm"].contains(&name);
        assert_eq!(is_binary, expected, "{name}");
        if is_binary {
            assert_eq!(detector, fresh, "{name}: a refused value changed the state");
        }
        let unknown = named(name, &[("no_such", "1")])
            .expect_err("an unknown setting")
            .to_string();
        assert!(unknown.contains("no_such") && unknown.contains(name), "{unknown}");
    }
    let bad = [
        ("adwin", "delta", "0"),
        ("adwin", "delta", "1"),
        ("adwin", "delta", "NaN"),
        ("adwin", "clock", "0"),
        ("adwin", "clock", "-1"),
        ("adwin", "max_buckets", "1"),
        ("adwin", "min_window_length", "0"),
        ("adwin", "grace_period", "0"),
        ("page-hinkley", "mode", "sideways"),
        ("page-hinkley", "threshold", "0"),
        ("page-hinkley", "alpha", "1.5"),
        ("page-hinkley", "delta", "inf"),
        ("ddm", "warm_start", "1.5"),
        ("ddm", "drift_threshold", "-1"),
        ("eddm", "alpha", "0.5"),
        ("eddm", "beta", "0"),
        ("hddm-a", "drift_confidence", "0"),
        ("hddm-a", "two_sided_test", "yes"),
        ("hddm-w", "lambda_val", "0"),
        ("hddm-w", "warning_confidence", "one"),
        ("fhddm", "sliding_window_size", "0"),
        ("fhddm", "sliding_window_size", "99999999"),
        ("fhddm", "short_window_size", "101"),
        ("cusum", "sd", "0"),
        ("cusum", "h", "0"),
        ("cusum", "cut", "0.1"),
        ("cusum", "mean", "inf"),
    ];
    for (name, setting, value) in bad {
        let error = named(name, &[(setting, value)]).expect_err(value).to_string();
        assert!(
            error.contains(setting) && error.contains(name),
            "{name} {setting}={value}: {error}"
        );
    }
    assert!(
        named("kswin", &[])
            .expect_err("no such detector")
            .to_string()
            .contains("page-hinkley")
    );
}
