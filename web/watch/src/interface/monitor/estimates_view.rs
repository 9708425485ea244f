//! Estimates of accuracy that need no labels, by circumstances, and how well the model knows its own certainty. Each part is
//! there once there is something in it.

use leptos::prelude::*;
use plumbline_core::metrics::report::{Axis, Plot, Series, SeriesKind};
use plumbline_core::monitor::snapshot::{AccuracyView, CalibrationView, SliceView};
use plumbline_core::monitor::verdict::Proxy;

use super::Monitor;
use crate::charts::Chart;
use crate::charts::bars::{Bar, BarChart, bars};
use crate::charts::line::{Band, Line, LineChart, Side, line};
use crate::charts::number::short;
use crate::charts::plot::plot;
use crate::interface::chart_view::ChartView;
use crate::sentences::{ESTIMATE_LIMIT, accuracy};

/// Estimates, slices, calibration.
#[component]
pub fn Estimates(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let views = monitor.part(|snapshot| snapshot.accuracy.clone());
    let blocks = monitor.part(|snapshot| snapshot.status.blocks);
    let slices = monitor.part(|snapshot| snapshot.slices.clone());
    let calibration = monitor.part(|snapshot| snapshot.calibration.clone());
    let estimates = move || {
        let views = views.get().filter(|views| !views.is_empty())?;
        let newest = blocks.get().unwrap_or_default();
        let figures = views.iter().map(|view| {
            let sentence = accuracy(view);
            let chart = Signal::stored(accuracy_chart(view, newest));
            view! { <p>{sentence}</p> <ChartView chart testid="accuracy"/> }
        });
        Some(view! {
            <section class="watch-section" aria-labelledby="estimates-heading" data-testid="estimates">
                <h2 id="estimates-heading">"Estimated accuracy"</h2>
                <p class="watch-quiet">{ESTIMATE_LIMIT}</p>
                <div class="watch-estimates">{figures.collect_view()}</div>
            </section>
        })
    };
    let sliced = move || {
        let slices = slices.get().filter(|slices| !slices.is_empty())?;
        let chart = Signal::stored(slice_chart(&slices));
        Some(view! {
            <section class="watch-section" aria-labelledby="slices-heading" data-testid="slices">
                <h2 id="slices-heading">"Slices"</h2>
                <p class="watch-quiet">"Agreement with the mirrored picture under each circumstance, the worst first. No truth is claimed."</p>
                <div class="figures"><ChartView chart testid="slices-chart"/></div>
            </section>
        })
    };
    let calibrated = move || {
        let view = calibration.get().flatten()?;
        let chart = Signal::stored(calibration_chart(&view));
        Some(view! {
            <section class="watch-section" aria-labelledby="calibration-heading" data-testid="calibration">
                <h2 id="calibration-heading">"Calibration"</h2>
                <p>{calibration_sentence(&view)}</p>
                <div class="figures"><ChartView chart testid="reliability"/></div>
            </section>
        })
    };
    view! { {estimates} {sliced} {calibrated} }
}

fn accuracy_chart(view: &AccuracyView, blocks: u64) -> Chart {
    let values: Vec<Option<f64>> = view.history.iter().map(|value| value.map(f64::from)).collect();
    let first = (blocks + 1).saturating_sub(values.len() as u64).max(1);
    line(&LineChart {
        title: match view.proxy {
            Proxy::Flip => "Agreement with the mirrored picture",
            Proxy::Certainty => "Estimated share of correct joints",
        },
        unit: "",
        places: "blocks",
        first,
        lines: &[Line {
            side: Side::Only,
            values,
        }],
        band: view.reference.map(|reference| Band {
            low: reference,
            high: reference,
        }),
        limits: Some([0.0, 1.0]),
    })
}

fn slice_chart(slices: &[SliceView]) -> Chart {
    let bar = |slice: &SliceView| Bar {
        label: format!("{}: {}", slice.by, slice.label),
        value: Some(slice.value),
        interval: Some([slice.low, slice.high]),
        n: Some(slice.n),
        is_thin: !slice.is_enough,
    };
    let shown: Vec<Bar> = slices.iter().map(bar).collect();
    bars(&BarChart {
        title: "Agreement with the mirrored picture",
        unit: "",
        of: "slice",
        bars: &shown,
        mark: None,
        limit: Some(1.0),
    })
}

fn calibration_chart(view: &CalibrationView) -> Chart {
    let bins = || view.bins.iter().filter(|bin| bin.n > 0);
    let series = |name: &str, kind, points: Vec<[f64; 2]>| Series {
        name: name.to_owned(),
        kind,
        points,
    };
    plot(&Plot {
        id: "reliability".to_owned(),
        title: "Certainty and truth".to_owned(),
        x: Axis::share("what the model says"),
        y: Axis::share("share right"),
        series: vec![
            series(
                "as it should be",
                SeriesKind::Reference,
                vec![[0.0, 0.0], [1.0, 1.0]],
            ),
            series(
                "bins",
                SeriesKind::Points,
                bins().map(|bin| [bin.certainty, bin.right]).collect(),
            ),
        ],
    })
}

fn calibration_sentence(view: &CalibrationView) -> String {
    let after = view
        .ece_calibrated
        .map(|after| format!(", after calibration {}", short(after)));
    format!(
        "Compared with {}: what the model says is off by {} on average{}.",
        view.truth,
        short(view.ece_raw),
        after.unwrap_or_default()
    )
}
