//! A report as a page: the figures with their intervals, the slices with the worst first, plots, the confusion of classes,
//! what was noted, and the files that it rests on.

use leptos::prelude::*;
use plumbline_core::metrics::card::{About, card};
use plumbline_core::metrics::report::{ConfusionTable, Figure, Group, Report, Slice, Source};
use plumbline_web::platform::download;

use crate::charts::Chart;
use crate::charts::bars::{Bar, BarChart, bars};
use crate::charts::number::{count, maybe, short};
use crate::charts::plot::plot;
use crate::interface::chart_view::ChartView;

/// Classes of a confusion table that are shown; the downloads have all of them.
const MOST_CLASSES: usize = 30;

/// The report.
#[component]
pub fn ReportView(
    /// What was found.
    report: Report,
) -> impl IntoView {
    let title = format!("Report: {}", report.task);
    let charts = group_charts(&report);
    let plots = report
        .plots
        .iter()
        .map(|found| (format!("plot-{}", found.id), plot(found)));
    let charts: Vec<_> = charts
        .into_iter()
        .chain(plots)
        .map(|(testid, chart)| view! { <ChartView chart=Signal::stored(chart) testid/> })
        .collect();
    let mut groups = report.groups.iter().map(group_view);
    let first = groups.next();
    let groups = groups.collect_view();
    let slices = slices_view(&report.slices);
    let confusion = report.confusion.as_ref().map(confusion_view);
    let notes = notes_view(&report.notes);
    let sources = sources_view(&report.sources, &report.settings);
    view! {
        <section class="watch-section" aria-labelledby="report" data-testid="evaluate-report">
            <h2 id="report" tabindex="-1">{title}</h2>
            <Downloads report/>
            {first}
            {slices}
            <div class="figures">{charts}</div>
            {confusion}
            {groups}
            {notes}
            {sources}
        </section>
    }
}

/// The report as files.
#[component]
fn Downloads(
    /// What was found.
    report: Report,
) -> impl IntoView {
    let report = StoredValue::new(report);
    let json = move |_| {
        let text = report.with_value(serde_json::to_string_pretty);
        // A report has texts as keys and finite numbers.
        if let Ok(text) = text {
            download::save_text("report.json", &format!("{text}\n"));
        }
    };
    let csv = move |_| download::save_text("report.csv", &report.with_value(Report::to_csv));
    let model = RwSignal::new(String::new());
    let save_card = move |_| {
        let about = About {
            name: match model.get_untracked().trim() {
                "" => "unnamed model".to_owned(),
                name => name.to_owned(),
            },
            ..About::default()
        };
        download::save_text("README.md", &report.with_value(|report| card(report, &about)));
    };
    view! {
        <div class="watch-buttons">
            <button class="button" type="button" data-testid="evaluate-json" on:click=json>"Download JSON"</button>
            <button class="button" type="button" data-testid="evaluate-csv" on:click=csv>"Download CSV"</button>
        </div>
        <div class="watch-buttons">
            <label class="visually-hidden" for="card-model">"Name of the model, for its card"</label>
            <input
                class="field watch-name"
                type="text"
                id="card-model"
                maxlength="200"
                placeholder="Name of the model"
                data-testid="evaluate-model"
                on:input=move |event| model.set(event_target_value(&event))
            />
            <button class="button" type="button" data-testid="evaluate-card" on:click=save_card>"Download model card"</button>
        </div>
    }
}

/// Bars of groups that compare parts with each other, as classes or sizes of people: those rest on different numbers of
/// examples. What is said of the same rows in many ways is a table.
fn group_charts(report: &Report) -> Vec<(String, Chart)> {
    let charts = report.groups.iter().enumerate().filter_map(|(at, group)| {
        let is_share = |figure: &Figure| {
            figure.unit.is_none() && figure.value.is_none_or(|value| (0.0..=1.0).contains(&value))
        };
        let shown: Vec<&Figure> = group.figures.iter().filter(|figure| is_share(figure)).collect();
        let is_of_parts = shown.windows(2).any(|pair| pair[0].n != pair[1].n) || report.pycocotools.is_some();
        (shown.len() > 1 && is_of_parts).then(|| {
            let shown: Vec<Bar> = shown.into_iter().map(bar).collect();
            let chart = BarChart {
                title: &group.name,
                unit: "",
                of: "figure",
                bars: &shown,
                mark: None,
                limit: Some(1.0),
            };
            (format!("group-{at}"), bars(&chart))
        })
    });
    charts.collect()
}

fn bar(figure: &Figure) -> Bar {
    Bar {
        label: figure.name.clone(),
        value: figure.value,
        interval: figure.low.zip(figure.high).map(|(low, high)| [low, high]),
        n: Some(figure.n),
        is_thin: false,
    }
}

fn group_view(group: &Group) -> AnyView {
    let has_intervals = group
        .figures
        .iter()
        .any(|figure| figure.low.is_some() || figure.high.is_some());
    let has_notes = group.figures.iter().any(|figure| figure.note.is_some());
    let rows = group.figures.iter().map(|figure| {
        let unit = figure
            .unit
            .as_ref()
            .map(|unit| format!(" {unit}"))
            .unwrap_or_default();
        view! {
            <tr data-figure=figure.id.clone()>
                <th scope="row">{figure.name.clone()}</th>
                <td class="is-number">{value_view(figure.value, &unit)}</td>
                {has_intervals.then(|| view! { <td class="is-number">{interval(figure)}</td> })}
                <td class="is-number">{count(figure.n)}</td>
                {has_notes.then(|| view! { <td class="is-note">{figure.note.clone()}</td> })}
            </tr>
        }
    });
    let label = format!("{} as a table", group.name);
    view! {
        <div class="watch-part">
            <h3>{group.name.clone()}</h3>
            <div class="table-scroll" tabindex="0" role="region" aria-label=label>
                <table class="table report-table">
                    <thead>
                        <tr>
                            <th scope="col">"Figure"</th>
                            <th scope="col" class="is-number">"Value"</th>
                            {has_intervals.then(|| view! { <th scope="col" class="is-number">"95 % interval"</th> })}
                            <th scope="col" class="is-number">{format!("n ({})", group.counted)}</th>
                            {has_notes.then(|| view! { <th scope="col">"Note"</th> })}
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </div>
    }
    .into_any()
}

/// A value as it is read, with all of its digits for whoever copies it.
fn value_view(value: Option<f64>, unit: &str) -> AnyView {
    match value {
        Some(value) => {
            view! { <data value=value.to_string()>{format!("{}{unit}", short(value))}</data> }.into_any()
        }
        None => "not defined".into_any(),
    }
}

fn interval(figure: &Figure) -> String {
    match (figure.low, figure.high) {
        (None, None) => "–".to_owned(),
        (low, high) => format!("{} to {}", maybe(low), maybe(high)),
    }
}

fn slices_view(slices: &[Slice]) -> Option<AnyView> {
    if slices.is_empty() {
        return None;
    }
    let shown: Vec<Bar> = slices
        .iter()
        .map(|slice| Bar {
            label: format!("{}: {}", slice.by, slice.label),
            is_thin: !slice.is_enough,
            ..bar(&slice.figure)
        })
        .collect();
    let name = slices[0].figure.name.clone();
    let chart = bars(&BarChart {
        title: &format!("{name} by slice"),
        unit: "",
        of: "slice",
        bars: &shown,
        mark: None,
        limit: None,
    });
    let rows = slices.iter().map(|slice| {
        view! {
            <tr class:is-thin=!slice.is_enough>
                <th scope="row">{format!("{}: {}", slice.by, slice.label)}</th>
                <td class="is-number">{value_view(slice.figure.value, "")}</td>
                <td class="is-number">{interval(&slice.figure)}</td>
                <td class="is-number">{count(slice.figure.n)}</td>
                <td class="is-number">{slice.gap.map_or_else(|| "–".to_owned(), short)}</td>
                <td class="is-number">{slice.q.map_or_else(|| "–".to_owned(), short)}</td>
            </tr>
        }
    });
    let view = view! {
        <div class="watch-part" data-testid="evaluate-slices">
            <h3>"Slices, the surest bad one first"</h3>
            <p class="watch-quiet">
                "The gap is to all other rows. q is how probable so large a gap would be by chance, after a correction for looking at \
                many slices; slices with too few rows have none."
            </p>
            <div class="table-scroll" tabindex="0" role="region" aria-label="Slices">
                <table class="table report-table">
                    <thead>
                        <tr>
                            <th scope="col">"Slice"</th>
                            <th scope="col" class="is-number">{name}</th>
                            <th scope="col" class="is-number">"95 % interval"</th>
                            <th scope="col" class="is-number">"n"</th>
                            <th scope="col" class="is-number">"Gap"</th>
                            <th scope="col" class="is-number">"q"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            <div class="figures"><ChartView chart=Signal::stored(chart) testid="slices-chart"/></div>
        </div>
    };
    Some(view.into_any())
}

fn confusion_view(confusion: &ConfusionTable) -> AnyView {
    let n_shown = confusion.classes.len().min(MOST_CLASSES);
    let heads = confusion.classes[..n_shown].iter();
    let heads = heads
        .map(|name| view! { <th scope="col">{name.clone()}</th> })
        .collect_view();
    let rows = confusion
        .classes
        .iter()
        .zip(&confusion.counts)
        .enumerate()
        .take(n_shown);
    let rows = rows.map(|(row, (name, counts))| {
        let cells = counts.iter().take(n_shown).enumerate();
        let cells = cells.map(|(column, &n)| view! { <td class:is-right=row == column>{count(n)}</td> });
        view! { <tr><th scope="row">{name.clone()}</th>{cells.collect_view()}</tr> }
    });
    let rest = (confusion.classes.len() > n_shown).then(|| {
        format!(
            " The first {n_shown} of {} classes; the JSON has all.",
            confusion.classes.len()
        )
    });
    view! {
        <div class="watch-part" data-testid="evaluate-confusion">
            <h3>"Which class was taken for which"</h3>
            <p class="watch-quiet">"Rows are the truth, columns what was predicted." {rest}</p>
            <div class="table-scroll" tabindex="0" role="region" aria-label="Confusion of classes">
                <table class="table report-confusion">
                    <thead><tr><th scope="col">"Truth"</th>{heads}</tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </div>
    }
    .into_any()
}

fn notes_view(notes: &[String]) -> Option<AnyView> {
    if notes.is_empty() {
        return None;
    }
    let items = notes
        .iter()
        .map(|note| view! { <li>{note.clone()}</li> })
        .collect_view();
    let view = view! {
        <div class="watch-part" data-testid="evaluate-notes">
            <h3>"Notes"</h3>
            <ul class="report-notes">{items}</ul>
        </div>
    };
    Some(view.into_any())
}

fn sources_view(sources: &[Source], settings: &[(String, String)]) -> AnyView {
    let sources = sources.iter().map(|source| {
        let hash = source
            .sha256
            .clone()
            .map(|sha256| view! { " (SHA-256 " <code>{sha256}</code> ")" });
        view! {
            <dt>{source.role.clone()}</dt>
            <dd>{format!("{}, entries: {}", source.name, count(source.entries))} {hash}</dd>
        }
    });
    let settings = settings
        .iter()
        .map(|(name, value)| view! { <dt>{name.clone()}</dt> <dd>{value.clone()}</dd> });
    view! {
        <div class="watch-part">
            <h3>"What it rests on"</h3>
            <dl class="facts" data-testid="evaluate-sources">{sources.collect_view()} {settings.collect_view()}</dl>
        </div>
    }
    .into_any()
}
