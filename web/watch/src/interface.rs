//! What a person sees of it. `/monitor` and `/evaluate` mount the same module and say which of them they are.
//!
//! End-to-end tests hold on to the `data-testid` names in here.

pub mod chart_view;
pub mod evaluate;
pub mod monitor;

use leptos::prelude::*;
use plumbline_web::platform::place;

use self::evaluate::EvaluatePage;
use self::monitor::{Monitor, MonitorPage};
use crate::platform::monitor_link::MonitorLink;
use crate::platform::style;

/// The pages that load this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/monitor`: the session that runs, against its reference.
    Monitor,
    /// `/evaluate`: files with labels in, metrics out.
    Evaluate,
}

impl Page {
    /// The page of a name, as the app says it.
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "monitor" => Some(Self::Monitor),
            "evaluate" => Some(Self::Evaluate),
            _ => None,
        }
    }
}

/// Draws a page into the element with this id, in place of what was drawn before. The link leads to the worker that watches
/// the session, which only `/monitor` speaks to.
pub fn mount(id: &str, page: Page, link: Option<MonitorLink>) {
    style::adopt();
    place::mount(id, move || match page {
        Page::Monitor => {
            let monitor = Monitor::begin(link);
            on_cleanup(move || monitor.close());
            view! { <MonitorPage monitor/> }.into_any()
        }
        Page::Evaluate => view! { <EvaluatePage/> }.into_any(),
    });
}

/// Takes everything away that was drawn.
pub fn unmount() {
    place::unmount();
}
