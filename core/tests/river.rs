//! The seven detectors against river 0.23.0: `monitor_river.json`, which `tests/reference/monitor_river.py` writes.
//! Natively and as WebAssembly in a browser.

use plumbline_core::drift::{AnyDetector, Detector, DriftError, State};
use serde::Deserialize;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

const FIXTURE: &str = include_str!("../../tests/fixtures/monitor_river.json");

#[derive(Deserialize)]
struct Fixture {
    n_values: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    detector: String,
    settings: Vec<(String, String)>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    seed: u64,
    drifts: Vec<usize>,
    n_warnings: usize,
    width: Option<u64>,
    estimation: Option<f64>,
}

fn fixture() -> Fixture {
    serde_json::from_str(FIXTURE).expect("the fixture is JSON")
}

/// The generator of the fixtures.
fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut x = seed;
    move || {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (x >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn real(seed: u64, n: usize) -> Vec<f64> {
    let mut u = uniform(seed);
    let mut memory = 0.0;
    let mut value = |i: usize| {
        let shift = if i >= n / 2 { 1.0 } else { 0.0 };
        let bell = (0..12).fold(0.0, |sum, _| sum + u()) - 6.0;
        match seed % 5 {
            0 => bell + shift,
            1 => {
                memory = 0.9 * memory + bell;
                memory + shift
            }
            2 => u() * (0.6 + 0.4 * shift),
            3 => (u() * 6.0).floor() - 2.0 * shift,
            _ => bell + i as f64 * 0.001,
        }
    };
    (0..n).map(&mut value).collect()
}

fn errors(seed: u64, n: usize) -> Vec<f64> {
    let mut u = uniform(seed);
    let before = [0.02, 0.1, 0.3, 0.5][seed as usize % 4];
    let after = [0.05, 0.2, 0.6, 0.9, 0.02][seed as usize % 5];
    let chance = |i| if i < n / 2 { before } else { after };
    (0..n).map(|i| f64::from(u8::from(u() < chance(i)))).collect()
}

fn stream(detector: &str, seed: u64, n: usize) -> Vec<f64> {
    match detector {
        "adwin" | "page-hinkley" => real(seed, n),
        _ => errors(seed, n),
    }
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

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn detections_are_river_s() {
    let Fixture { n_values, cases } = fixture();
    assert_eq!(cases.len(), 21, "seven detectors with three settings");
    let mut n_drifts = 0;
    for Case {
        detector: name,
        settings,
        runs,
    } in cases
    {
        assert_eq!(runs.len(), 40);
        for run in runs {
            let what = format!("{name} with {settings:?} on stream {}", run.seed);
            let mut detector = AnyDetector::named(&name, &settings).expect("known settings");
            let mut found = Vec::new();
            let mut n_warnings = 0;
            for (i, x) in stream(&name, run.seed, n_values).into_iter().enumerate() {
                let signal = detector.update(x).expect("a value that it takes");
                if signal.drift {
                    found.push(i);
                }
                n_warnings += usize::from(signal.warning);
            }
            assert_eq!(found, run.drifts, "{what}");
            assert_eq!(n_warnings, run.n_warnings, "{what}: warnings");
            let window = detector.window();
            assert_eq!(window.map(|window| window.width), run.width, "{what}: width");
            if let (Some(window), Some(estimation)) = (window, run.estimation) {
                assert!(
                    (window.estimation - estimation).abs() <= 1e-12,
                    "{what}: estimation"
                );
            }
            n_drifts += found.len();
        }
    }
    assert!(n_drifts > 5000, "the streams hold {n_drifts} drifts only");
}

/// Stored in the middle, as JSON, and read again: the state goes on as if nothing had been.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_stored_detector_goes_on_identically() {
    let Fixture { n_values, cases } = fixture();
    for Case {
        detector: name,
        settings,
        runs,
    } in cases
    {
        for Run { seed, .. } in runs.into_iter().take(6) {
            let values = stream(&name, seed, n_values);
            let mut detector = AnyDetector::named(&name, &settings).expect("known settings");
            let middle = 1400 + (seed as usize * 37) % 200;
            drifts(&mut detector, &values[..middle]);
            let text = serde_json::to_string(&State::of(detector.clone())).expect("a state is JSON");
            let state: State = serde_json::from_str(&text).expect("the state is read");
            let mut again = state.into_detector().expect("of this version");
            assert_eq!(again, detector, "{name} {settings:?}, stream {seed}");
            assert_eq!(
                drifts(&mut again, &values[middle..]),
                drifts(&mut detector, &values[middle..]),
                "{name} {settings:?}, stream {seed}"
            );
            assert_eq!(again, detector);
        }
    }
    let newer = r#"{"schema":2,"detector":{"adwin":null}}"#;
    assert!(serde_json::from_str::<State>(newer).is_err());
    let text = serde_json::to_string(&State::of(AnyDetector::named("ddm", &[]).unwrap())).unwrap();
    let newer: State = serde_json::from_str(&text.replace("\"schema\":1", "\"schema\":9")).unwrap();
    assert_eq!(
        newer.into_detector(),
        Err(DriftError::Schema {
            found: 9,
            expected: 1
        })
    );
}
