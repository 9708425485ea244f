//! One large number with its name and unit. Its width does not change while it runs: figures are tabular.

use leptos::prelude::*;

/// A number. At most three stand large at once on a page.
#[component]
pub fn Readout(
    /// What is measured.
    label: &'static str,
    /// The number, or a dash.
    #[prop(into)]
    value: Signal<String>,
    /// Its unit, or a word that explains it.
    #[prop(into)]
    unit: Signal<String>,
    /// For tests.
    testid: &'static str,
) -> impl IntoView {
    view! {
        <div class="readout">
            <span class="readout-label">{label}</span>
            <output class="readout-value" data-testid=testid aria-live="off">{value}</output>
            <span class="readout-unit">{unit}</span>
        </div>
    }
}
