//! What a person sees of it: a place to drop a model, what was found out about it, its test, its card, the models that are
//! kept in this browser, and those that come with the page.
//!
//! End-to-end tests hold on to the `data-testid` names in here.

pub mod bring;
pub mod card_text;
pub mod drop_zone;
pub mod findings;
pub mod following;
pub mod keep;
pub mod own_models;
pub mod purpose;
pub mod questions;
pub mod state;
pub mod test_view;
pub mod try_view;

use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;
use plumbline_web::platform::place;

use self::bring::{Bring, Looked};
use self::keep::KeptModels;
use self::own_models::OwnModels;
use self::state::Lab;

/// Draws into the element with this id, once.
pub fn mount(id: &str) {
    place::mount(id, LabPage);
}

/// Takes everything away that was drawn.
pub fn unmount() {
    place::unmount();
}

/// The page.
#[component]
pub fn LabPage() -> impl IntoView {
    let lab = Lab::begin();
    on_cleanup(move || lab.close());
    let parts: [AnyView; 4] = [
        view! { <Bring lab/> }.into_any(),
        view! { <Looked lab/> }.into_any(),
        view! { <KeptModels lab/> }.into_any(),
        view! { <OwnModels/> }.into_any(),
    ];
    view! {
        <div class="lab">
            {parts.into_iter().collect_view()}
            <div class="visually-hidden" role="status" aria-live="polite" data-testid="lab-status">{lab.said}</div>
        </div>
    }
}
