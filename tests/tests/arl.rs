//! Charts keep what they promise: false alarms come as often as asked for on streams that remember, and planted shifts
//! are found soon. `plumb arl --references 200` prints the same with narrower intervals.

use plumbline_core::drift::run_length::{Achieved, Experiment, Law, Scale};
use plumbline_core::drift::{
    Calibration, CalibrationSettings, Cusum, CusumSettings, Detector, Reference, siegmund_run_length,
};
use plumbline_core::statistics::Random;
use plumbline_tests::report;

const REFERENCES: u64 = 60;

fn achieved(law: Law, guarantee: Option<f64>) -> Achieved {
    let settings = CalibrationSettings {
        guarantee,
        ..CalibrationSettings::default()
    };
    let experiment = Experiment::new(law, 240, settings).expect("settings in their range");
    // Trials have seeds of their own, so two halves on two threads are what one would do.
    let (first, second) = std::thread::scope(|scope| {
        let half = |range: std::ops::Range<u64>| -> Vec<_> {
            range
                .map(|index| experiment.trial(index).expect("a reference"))
                .collect()
        };
        let second = scope.spawn(move || half(REFERENCES / 2..REFERENCES));
        (
            half(0..REFERENCES / 2),
            second.join().expect("a thread that ends"),
        )
    });
    let trials = [first, second].concat();
    Achieved::of(&trials, &settings).expect("trials")
}

#[test]
fn alarms_come_as_often_as_said() {
    let streams = [
        ("iid", Law::Independent),
        ("ar:0.9", Law::Autoregressive { phi: 0.9 }),
        ("ar:0.98", Law::Autoregressive { phi: 0.98 }),
        ("ar:0.995", Law::Autoregressive { phi: 0.995 }),
        ("confidence:0.98", Law::Confidence { phi: 0.98 }),
    ];
    for (name, law) in streams {
        for guarantee in [None, Some(0.9)] {
            let found = achieved(law.clone(), guarantee);
            let interval = found.run_length_interval.expect("references");
            let shift = found
                .delays
                .iter()
                .find(|delay| delay.shift.sd == 1.0 && delay.shift.of == Scale::Frames);
            let shift = shift.expect("one sd of frames is planted");
            let mean_delay = shift.mean.expect("it is found");
            report(&format!(
                "{name}, guarantee {guarantee:?}: {:.0} blocks between false alarms [{:.0}, {:.0}], asked 480; kept by {:.2}; \
                 one sd found in {mean_delay:.1} blocks",
                found.run_length, interval.low, interval.high, found.kept
            ));
            assert!(
                mean_delay <= 10.0,
                "{name}, {guarantee:?}: one sd takes {mean_delay} blocks"
            );
            assert_eq!(shift.missed, Some(0.0), "{name}, {guarantee:?}");
            match guarantee {
                // Less two binomial sd at 60 references.
                Some(share) => assert!(found.kept >= share - 0.078, "{name}: kept by {}", found.kept),
                // Correlations below 0 are not believed, so independent frames alarm more rarely than asked for.
                None if law == Law::Independent => assert!(interval.high >= 480.0, "{name}: {interval:?}"),
                None => assert!(interval.holds(480.0), "{name}: {interval:?}"),
            }
        }
    }
}

/// Independent normal values whose law is known: the mean time to a false alarm at h = 5, k = .5 is 461 to 469.
#[test]
fn a_chart_of_a_known_law_has_the_published_run_length() {
    let mut random = Random::new(11);
    let mut chart = Cusum::new(CusumSettings {
        cut: 100.0,
        ..CusumSettings::default()
    })
    .expect("settings in their range");
    let n_runs = 20_000;
    let mut n_values = 0u64;
    for _ in 0..n_runs {
        chart.reset();
        n_values += 1;
        while !chart.update(random.normal()).expect("a number").drift {
            n_values += 1;
        }
    }
    let found = n_values as f64 / f64::from(n_runs);
    let siegmund = siegmund_run_length(0.5, 5.0).expect("a chart");
    report(&format!(
        "run length at h 5, k .5: {found:.1}; Siegmund's formula {siegmund:.1}"
    ));
    assert!((found / siegmund - 1.0).abs() < 0.03, "{found}");

    // What is calibrated on a long reference of such values for that run length is that threshold.
    let reference: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
    let settings = CalibrationSettings {
        run_length: found,
        guarantee: None,
        n_references: 20,
        ..CalibrationSettings::default()
    };
    let reference = Reference::of(&reference, 0.0).expect("a reference");
    let threshold = Calibration::new(reference, settings)
        .expect("settings in their range")
        .finish();
    assert!((threshold.h - 5.0).abs() < 0.25, "{threshold:?}");
}

/// Four times the run length costs about ln 4 times the same step, and what lies beyond is extrapolated along it.
#[test]
fn longer_promises_cost_thresholds_by_their_logarithm() {
    let mut random = Random::new(5);
    let mut x = 0.0;
    let blocks: Vec<f64> = (0..240)
        .map(|_| {
            x = 0.22 * x + random.normal();
            x
        })
        .collect();
    let reference = Reference::of(&blocks, 0.0).expect("a reference");
    for guarantee in [None, Some(0.9)] {
        let threshold = |run_length: f64| {
            let settings = CalibrationSettings {
                run_length,
                guarantee,
                ..CalibrationSettings::default()
            };
            let mut calibration =
                Calibration::new(reference.clone(), settings).expect("settings in their range");
            let mut last = calibration.progress();
            while calibration.step() {
                assert!(calibration.progress() > last);
                last = calibration.progress();
            }
            calibration.finish()
        };
        let [short, middle, long] = [480.0, 1920.0, 20_000.0].map(threshold);
        assert!(!short.is_extrapolated && !middle.is_extrapolated && long.is_extrapolated);
        assert!(
            short.h < middle.h && middle.h < long.h && !long.is_at_limit,
            "{short:?} {middle:?} {long:?}"
        );
        let (step, steps) = (middle.h - short.h, (20_000.0f64 / 480.0).ln() / 4.0f64.ln());
        let slope = (long.h - short.h) / steps;
        assert!((slope / step - 1.0).abs() < 0.35, "{slope} {step}");
    }
    let settings = CalibrationSettings::default();
    let again = |settings| {
        Calibration::new(reference.clone(), settings)
            .expect("settings in their range")
            .finish()
    };
    assert_eq!(again(settings), again(settings));
    for bad in [
        CalibrationSettings {
            run_length: 1.0,
            ..settings
        },
        CalibrationSettings {
            run_length: f64::NAN,
            ..settings
        },
        CalibrationSettings {
            guarantee: Some(1.0),
            ..settings
        },
        CalibrationSettings { k: -0.1, ..settings },
        CalibrationSettings {
            n_references: 0,
            ..settings
        },
    ] {
        assert!(Calibration::new(reference.clone(), bad).is_err(), "{bad:?}");
    }
}
