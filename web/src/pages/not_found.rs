//! Any other address.

use leptos::prelude::*;

use crate::platform::page;

/// Says that there is nothing here, and leads back.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <div class="page-text">
            <header class="page-head"><h1>"Nothing here"</h1></header>
            <p>"There is no page at this address. " <a href=page::base_path()>"Go to Live"</a> "."</p>
        </div>
    }
}
