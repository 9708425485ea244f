//! What a person sees of it. `/monitor` and `/evaluate` mount the same module and say which of them they are.
//!
//! End-to-end tests hold on to the `data-testid` names in here.

use leptos::prelude::*;
use plumbline_web::platform::place;

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

/// Draws a page into the element with this id, in place of what was drawn before.
pub fn mount(id: &str, page: Page) {
    place::mount(id, move || match page {
        Page::Monitor => view! { <h2>"State"</h2> },
        Page::Evaluate => view! { <h2>"Files"</h2> },
    });
}

/// Takes everything away that was drawn.
pub fn unmount() {
    place::unmount();
}
