//! Every feature by family: a line of its last blocks with the band of the reference behind it.

use leptos::prelude::*;
use plumbline_core::monitor::features::Family;
use plumbline_core::monitor::snapshot::{FeatureView, Snapshot};

use super::Monitor;
use crate::charts::Chart;
use crate::charts::line::{Band, Line, LineChart, Side, line};
use crate::charts::number::short;
use crate::interface::chart_view::ChartView;
use crate::sentences::capitalised;

/// What a family is called.
fn words(family: Family) -> &'static str {
    match family {
        Family::Input => "Picture",
        Family::Framing => "Framing",
        Family::Confidence => "Certainty",
        Family::Consistency => "Consistency",
        Family::System => "System",
    }
}

/// All families.
#[component]
pub fn Features(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let families = Family::ALL.map(|family| view! { <FamilyView monitor family/> });
    view! {
        <section class="watch-section" aria-labelledby="features-heading">
            <h2 id="features-heading">"Features by family"</h2>
            <p class="watch-quiet">"Each point is the mean of a block. The band is where block means lie in the reference, give or take two standard deviations."</p>
            <div class="watch-families">{families.into_iter().collect_view()}</div>
        </section>
    }
}

/// A family. Its charts are drawn while it is open.
#[component]
fn FamilyView(
    /// What is watched.
    monitor: Monitor,
    /// Which.
    family: Family,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let counts = monitor.part(move |snapshot| {
        let of_it = || {
            snapshot
                .features
                .iter()
                .filter(move |feature| feature.family == family)
        };
        let measured = of_it()
            .filter(|feature| feature.history.iter().any(Option::is_some))
            .count();
        let over = of_it()
            .filter(|feature| feature.chart.is_some_and(|chart| chart.over.is_some()))
            .count();
        (measured, over)
    });
    let summary = move || match counts.get() {
        None | Some((0, _)) => format!("{}: nothing measured yet", words(family)),
        Some((n, 0)) => format!("{}: {n} measured", words(family)),
        Some((n, over)) => format!("{}: {n} measured, △ {over} over the threshold", words(family)),
    };
    // Which features there are changes seldom; their charts change with every block.
    let names = monitor.part(move |snapshot| {
        let of_it = snapshot
            .features
            .iter()
            .filter(|feature| feature.family == family);
        let measured = of_it.filter(|feature| feature.history.iter().any(Option::is_some));
        measured.map(|feature| feature.name.clone()).collect::<Vec<_>>()
    });
    let charts = move || {
        let names = if is_open.get() {
            names.get().unwrap_or_default()
        } else {
            Vec::new()
        };
        let charts = names.into_iter().map(|name| {
            let testid = format!("feature-{name}");
            let chart = Memo::new(move |_| {
                monitor
                    .snapshot
                    .with(|snapshot| feature_chart(snapshot.as_ref(), &name))
            });
            view! { <ChartView chart testid/> }
        });
        charts.collect_view()
    };
    view! {
        <details
            class="watch-family"
            data-testid=format!("family-{}", family.name())
            on:toggle=move |_| is_open.update(|is_open| *is_open = !*is_open)
        >
            <summary>{summary}</summary>
            <div class="figures">{charts}</div>
        </details>
    }
}

fn feature_chart(snapshot: Option<&Snapshot>, name: &str) -> Chart {
    let found = snapshot.and_then(|snapshot| {
        let feature = snapshot.features.iter().find(|feature| feature.name == name)?;
        Some((feature, snapshot.status.blocks))
    });
    found.map_or_else(Chart::default, |(feature, blocks)| chart_of(feature, blocks))
}

/// The chart of a feature whose newest value is of the block of this number.
fn chart_of(feature: &FeatureView, blocks: u64) -> Chart {
    let values: Vec<Option<f64>> = feature.history.iter().map(|value| value.map(f64::from)).collect();
    let first = (blocks + 1).saturating_sub(values.len() as u64).max(1);
    let lines = [Line {
        side: Side::Only,
        values,
    }];
    let mut chart = line(&LineChart {
        title: &capitalised(&feature.label),
        unit: &feature.unit,
        places: "blocks",
        first,
        lines: &lines,
        band: feature.band.map(|band| Band {
            low: band.low,
            high: band.high,
        }),
        limits: None,
    });
    if let Some(control) = feature.chart {
        let sum = control.up.max(control.down);
        chart.caption.push_str(&format!(
            " Its sum of deviations is {}, and {} raises “look closer”.",
            short(sum),
            short(control.threshold)
        ));
    }
    chart
}

#[cfg(test)]
mod tests {
    use plumbline_core::monitor::snapshot::{Band as ReferenceBand, ChartView as ControlChart};

    use super::*;

    #[test]
    fn a_feature_s_chart_numbers_its_blocks_and_says_where_its_sum_stands() {
        let feature = FeatureView {
            name: "luma_mean".into(),
            label: "light".into(),
            family: Family::Input,
            unit: "level".into(),
            value: Some(90.0),
            n: 30,
            tau_secs: None,
            band: Some(ReferenceBand {
                mean: 120.0,
                low: 110.0,
                high: 130.0,
            }),
            chart: Some(ControlChart {
                up: 0.0,
                down: 9.5,
                threshold: 7.25,
                over: None,
                blocks_over: 0,
            }),
            history: vec![Some(120.0), None, Some(90.0)],
        };
        let chart = chart_of(&feature, 10);
        assert_eq!(chart.title, "Light (level)");
        assert_eq!(
            chart.caption,
            "Light: 90 now, 90 to 120 in the last 2 blocks; the reference is 110 to 130, and 1 lies outside of it. Its sum of \
             deviations is 9.50, and 7.25 raises “look closer”."
        );
        assert_eq!(chart.table.rows.first().map(|row| row[0].as_str()), Some("8"));
        assert_eq!(
            chart_of(
                &FeatureView {
                    history: vec![],
                    ..feature
                },
                0
            )
            .table
            .rows
            .len(),
            0
        );
    }
}
