//! `/monitor`: whether what the model sees and says is still as in the reference, and what to do where it is not.
//!
//! The page shows snapshots of the worker that watches the session, one a block; nothing here computes but sentences and
//! drawings. "Hold" stops it from changing, for who wants to read.

mod alarms_view;
mod break_view;
mod estimates_view;
mod features_view;
mod numbers_view;
mod record_view;
mod reference_view;
mod state;
mod state_view;

use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;

use self::alarms_view::Alarms;
use self::break_view::BreakIt;
use self::estimates_view::Estimates;
use self::features_view::Features;
use self::numbers_view::NumbersView;
use self::record_view::Record;
use self::reference_view::Reference;
pub use self::state::Monitor;
use self::state_view::StateView;

/// The page.
#[component]
pub fn MonitorPage(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let parts: [AnyView; 8] = [
        view! { <StateView monitor/> }.into_any(),
        view! { <Alarms monitor/> }.into_any(),
        view! { <BreakIt monitor/> }.into_any(),
        view! { <NumbersView monitor/> }.into_any(),
        view! { <Features monitor/> }.into_any(),
        view! { <Estimates monitor/> }.into_any(),
        view! { <Reference monitor/> }.into_any(),
        view! { <Record monitor/> }.into_any(),
    ];
    view! { <div class="watch" data-testid="monitor">{parts.into_iter().collect_view()}</div> }
}
