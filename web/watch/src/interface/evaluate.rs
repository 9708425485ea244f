//! `/evaluate`: files with predictions and the truth in, a report out. Files are read in a worker of their own, which
//! "Cancel" ends.

mod files_view;
mod report_view;
mod state;

use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;

use self::files_view::{BusyView, Files};
use self::report_view::ReportView;
use self::state::Evaluation;

/// The page.
#[component]
pub fn EvaluatePage() -> impl IntoView {
    let evaluation = Evaluation::begin();
    on_cleanup(move || evaluation.close());
    let parts: [AnyView; 2] = [
        view! { <Files evaluation/> }.into_any(),
        view! { <BusyView evaluation/> }.into_any(),
    ];
    view! {
        <div class="watch">
            {parts.into_iter().collect_view()}
            {move || evaluation.report.get().map(|report| view! { <ReportView report/> })}
            <div class="visually-hidden" role="status" aria-live="polite" data-testid="evaluate-status">
                {evaluation.said}
            </div>
        </div>
    }
}
