//! A chart on a page: the drawing, the sentence about it, and its numbers as a table for who asks for them.

use std::sync::atomic::{AtomicU32, Ordering};

use leptos::prelude::*;

use crate::charts::table::Table;
use crate::charts::{Chart, WIDTH};

/// Numbers the charts of a page, so that each can be told by its sentence.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A chart. It changes when its numbers do, and does not move by itself.
#[component]
pub fn ChartView(
    /// What is drawn.
    #[prop(into)]
    chart: Signal<Chart>,
    /// For tests.
    #[prop(into)]
    testid: String,
) -> impl IntoView {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (caption_id, table_id) = (format!("chart-{number}-words"), format!("chart-{number}-table"));
    let is_open = RwSignal::new(false);
    let named = caption_id.clone();
    let controlled = table_id.clone();
    view! {
        <figure class="figure" data-testid=testid>
            <p class="figure-title">{move || chart.with(|chart| chart.title.clone())}</p>
            <svg
                class="chart"
                viewBox=move || chart.with(|chart| format!("0 0 {WIDTH} {}", chart.height))
                role="img"
                aria-labelledby=named
                inner_html=move || chart.with(|chart| chart.drawing.clone())
            ></svg>
            <figcaption id=caption_id>{move || chart.with(|chart| chart.caption.clone())}</figcaption>
            <button
                class="button is-small"
                type="button"
                aria-expanded=move || is_open.get().to_string()
                aria-controls=controlled
                on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
            >
                {move || if is_open.get() { "Hide the table" } else { "Show as table" }}
            </button>
            <div
                class="table-scroll"
                id=table_id
                hidden=move || !is_open.get()
                tabindex="0"
                role="region"
                aria-label=move || chart.with(|chart| format!("{} as a table", chart.title))
            >
                // The rows are made when somebody looks at them.
                {move || is_open.get().then(|| chart.with(|chart| table_view(&chart.table)))}
            </div>
        </figure>
    }
}

/// Rows and columns; the first cell of a row names it.
pub fn table_view(table: &Table) -> AnyView {
    let class = |at: usize| if at == 0 { "" } else { "is-number" };
    let heads = table.heads.iter().enumerate();
    let heads = heads
        .map(|(at, head)| view! { <th scope="col" class=class(at)>{head.clone()}</th> })
        .collect_view();
    let rows = table.rows.iter().map(|cells| {
        let cells = cells.iter().enumerate().map(|(at, cell)| {
            let cell = cell.clone();
            if at == 0 {
                view! { <th scope="row">{cell}</th> }.into_any()
            } else {
                view! { <td class="is-number">{cell}</td> }.into_any()
            }
        });
        view! { <tr>{cells.collect_view()}</tr> }
    });
    view! {
        <table class="table">
            <thead><tr>{heads}</tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}
