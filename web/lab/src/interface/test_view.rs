//! The self-test: its button, its checks, and the times of both backends.

use leptos::prelude::*;

use super::findings::table;
use super::state::Lab;
use crate::protocol::{TestReport, Timing};
use crate::record::millis;

/// The section.
#[component]
pub fn TestView(
    /// The page's state.
    lab: Lab,
) -> impl IntoView {
    view! {
        <section class="lab-part" aria-labelledby="self-test">
            <h3 id="self-test">"Self-test"</h3>
            <p class="panel-reason">
                "Runs the model on made-up numbers: every output must be finite, the same numbers must give the same answer \
                twice, and GPU and CPU must agree. Then both are timed."
            </p>
            <button
                class="button"
                type="button"
                data-testid="lab-test"
                disabled=move || lab.busy.with(Option::is_some)
                on:click=move |_| lab.test()
            >
                "Run self-test"
            </button>
            {move || lab.report.get().map(|report| report_view(&report))}
        </section>
    }
}

fn report_view(report: &TestReport) -> AnyView {
    let checks = report.checks.iter().map(|check| {
        let word = check.passed.map_or(
            "– not tested",
            |passed| if passed { "✓ passed" } else { "✗ failed" },
        );
        [check.what.clone(), word.to_owned(), check.detail.clone()]
    });
    let row = |backend: &str, timing: &Timing| {
        [
            backend.to_owned(),
            millis(timing.median_millis),
            format!("{} to {}", millis(timing.low_millis), millis(timing.high_millis)),
            timing.runs.to_string(),
        ]
    };
    let adapter = report.adapter.as_ref().map(|(name, is_software)| {
        if *is_software {
            format!("GPU ({name}, software)")
        } else {
            format!("GPU ({name})")
        }
    });
    let mut times = vec![row("CPU (WebAssembly)", &report.cpu)];
    let note = match &report.gpu {
        Ok(timing) => {
            times.push(row(adapter.as_deref().unwrap_or("GPU"), timing));
            match &report.adapter {
                Some((_, true)) => Some(
                    "This adapter is a program on the processor, not a GPU: its time says nothing about hardware.".to_owned(),
                ),
                _ => None,
            }
        }
        Err(why) => Some(format!("The GPU was not timed: {}.", why.trim_end_matches('.'))),
    };
    view! {
        {table("Checks", "lab-checks", ["What", "Outcome", "Detail"], checks.collect())}
        {table("Time of a run, in milliseconds", "lab-times", ["Where", "Median", "Middle half", "Runs"], times)}
        {note.map(|note| view! { <p class="panel-reason" data-testid="lab-gpu-note">{note}</p> })}
    }
    .into_any()
}
