//! Latency, throughput, memory, and what watching itself costs.

use leptos::prelude::*;
use plumbline_core::monitor::snapshot::Numbers;
use plumbline_web::live::format;

use super::Monitor;
use crate::charts::Chart;
use crate::charts::bars::{Bar, BarChart, bars};
use crate::charts::number::{count, fixed, percent, short};
use crate::interface::chart_view::ChartView;

/// The numbers.
#[component]
pub fn NumbersView(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let numbers = monitor.part(|snapshot| snapshot.numbers.clone());
    let has_latency =
        Memo::new(move |_| numbers.with(|numbers| numbers.as_ref().is_some_and(|n| n.latency.is_some())));
    let chart = Signal::derive(move || latency_chart(&numbers.get().unwrap_or_default()));
    let rows = move || {
        let rows = facts(&numbers.get().unwrap_or_default()).into_iter();
        rows.map(|(name, value)| view! { <dt>{name}</dt> <dd>{value}</dd> })
            .collect_view()
    };
    view! {
        <section class="watch-section" aria-labelledby="numbers-heading">
            <h2 id="numbers-heading">"Numbers"</h2>
            {move || has_latency.get().then(|| view! {
                <div class="figures"><ChartView chart testid="latency"/></div>
            })}
            <dl class="facts" data-testid="numbers">{rows}</dl>
        </section>
    }
}

fn latency_chart(numbers: &Numbers) -> Chart {
    let (mut shown, mut sentences) = (Vec::new(), Vec::new());
    for (what, durations) in [("Whole frame", &numbers.latency), ("On the GPU", &numbers.gpu)] {
        let Some(found) = durations else { continue };
        let all = [
            ("50 %", found.p50_millis),
            ("95 %", found.p95_millis),
            ("99 %", found.p99_millis),
        ];
        shown.extend(all.map(|(share, value)| Bar {
            label: format!("{what}, {share} within"),
            value: Some(value),
            ..Bar::default()
        }));
        let [half, most, nearly_all] = all.map(|(_, value)| short(value));
        sentences.push(format!(
            "{what}: half take {half} ms at most, 95 % {most} ms, 99 % {nearly_all} ms ({} frames).",
            count(found.n)
        ));
    }
    let drawn = bars(&BarChart {
        title: "Time from frame to result",
        unit: "ms",
        of: "percentile",
        bars: &shown,
        mark: None,
        limit: None,
    });
    Chart {
        caption: sentences.join(" "),
        ..drawn
    }
}

/// Names and values; what is not known is left out.
fn facts(numbers: &Numbers) -> Vec<(&'static str, String)> {
    let dropped = numbers
        .dropped_share
        .map(|share| format!(" ({})", percent(share)))
        .unwrap_or_default();
    let mut facts = vec![
        ("Frames", count(numbers.frames)),
        ("Dropped", format!("{}{dropped}", count(numbers.dropped))),
        ("Repeated pictures", count(numbers.repeated)),
        ("Searches for the person", count(numbers.detector_runs)),
    ];
    if let Some(rate) = numbers.frames_per_sec {
        facts.push(("Frames a second", fixed(rate, 1)));
    }
    if let Some(bytes) = numbers.memory_bytes {
        facts.push(("Memory of the engine", format::bytes(bytes)));
    }
    if numbers.monitor_bytes > 0 {
        facts.push((
            "Memory of the monitor’s sums",
            format::bytes(numbers.monitor_bytes),
        ));
    }
    if let Some(cost) = numbers.cost {
        let text = format!(
            "{} ms in the engine, {} ms beside it (95 % of frames)",
            short(cost.engine_p95_millis),
            short(cost.watch_p95_millis)
        );
        facts.push(("Cost of watching a frame", text));
    }
    facts
}

#[cfg(test)]
mod tests {
    use plumbline_core::monitor::snapshot::Percentiles;

    use super::*;

    #[test]
    fn percentiles_become_bars_and_the_unknown_is_left_out() {
        let latency = Percentiles {
            p50_millis: 20.0,
            p95_millis: 31.0,
            p99_millis: 44.0,
            n: 300,
        };
        let numbers = Numbers {
            latency: Some(latency),
            frames: 300,
            ..Numbers::default()
        };
        let chart = latency_chart(&numbers);
        assert_eq!(chart.table.rows.len(), 3);
        assert_eq!(
            chart.caption,
            "Whole frame: half take 20 ms at most, 95 % 31 ms, 99 % 44 ms (300 frames)."
        );
        let names: Vec<&str> = facts(&numbers).into_iter().map(|(name, _)| name).collect();
        assert!(
            !names.contains(&"Frames a second") && names.contains(&"Frames"),
            "{names:?}"
        );
    }
}
