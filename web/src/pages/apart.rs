//! Pages that most visits never open: `/models`, `/monitor` and `/evaluate`. All of them but their headings are programs
//! of their own (`web/lab`, `web/watch`), which are fetched when a page is opened and go when it is left.

use leptos::prelude::*;
use leptos::reactive::spawn_local_scoped_with_cancellation;

use crate::components::notice::Notice;
use crate::platform::door::{self, Mounted};
use crate::router::Route;

/// The element that the program draws into.
const PLACE: &str = "apart";

/// The program of a page, and what the page says of itself.
fn program_of(route: Route) -> (&'static str, &'static str) {
    match route {
        Route::Monitor => (
            "watch",
            "Watched on this device. Nothing that is counted here is sent anywhere.",
        ),
        Route::Evaluate => (
            "watch",
            "Evaluated on this device. Nothing that you open here is sent anywhere.",
        ),
        _ => (
            "lab",
            "They run on this device. Nothing that you open here is sent anywhere.",
        ),
    }
}

/// The page.
#[component]
pub fn ApartPage(
    /// Which.
    route: Route,
) -> impl IntoView {
    let (program, promise) = program_of(route);
    let kept = StoredValue::new_local(None::<Mounted>);
    let (is_loading, problem) = (RwSignal::new(true), RwSignal::new(None::<String>));
    Effect::new(move || {
        spawn_local_scoped_with_cancellation(async move {
            match door::open(program, PLACE, route.name(), None).await {
                Ok(mounted) => kept.set_value(Some(mounted)),
                Err(sentence) => problem.set(Some(sentence)),
            }
            is_loading.set(false);
        });
    });
    on_cleanup(move || kept.set_value(None));
    view! {
        <div class="page-text">
            <header class="page-head">
                <h1>{route.title()}</h1>
                <p class="panel-reason">{promise}</p>
            </header>
            <p hidden=move || !is_loading.get()>"Loading…"</p>
            {move || problem.get().map(|sentence| view! { <Notice sentence is_error=true testid="notice"/> })}
            <div id=PLACE></div>
        </div>
    }
}
