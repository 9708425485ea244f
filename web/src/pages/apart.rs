//! Pages that most visits never open: `/models` and `/evaluate`, and what `/monitor` has beside the session. All of them but
//! their headings are programs of their own (`web/lab`, `web/watch`), which are fetched when a page is opened and go when
//! it is left.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::reactive::spawn_local_scoped_with_cancellation;

use crate::components::notice::Notice;
use crate::platform::door::{self, Mounted};
use crate::router::Route;

/// The element that the program draws into.
pub const PLACE: &str = "apart";

/// The page.
#[component]
pub fn ApartPage(
    /// Which.
    route: Route,
) -> impl IntoView {
    let (program, promise) = match route {
        Route::Evaluate => (
            "watch",
            "Evaluated on this device. Nothing that you open here is sent anywhere.",
        ),
        _ => (
            "lab",
            "They run on this device. Nothing that you open here is sent anywhere.",
        ),
    };
    view! {
        <div class="page-text">
            <header class="page-head">
                <h1>{route.title()}</h1>
                <p class="panel-reason">{promise}</p>
            </header>
            {part(Box::pin(door::open(program, PLACE, route.name(), None)))}
        </div>
    }
}

/// A program on its way.
type Opening = Pin<Box<dyn Future<Output = Result<Mounted, String>>>>;

/// The element that a program draws into once it is here, and what is said until then.
pub fn part(opening: Opening) -> impl IntoView {
    let kept = StoredValue::new_local(None::<Mounted>);
    let (is_loading, problem) = (RwSignal::new(true), RwSignal::new(None::<String>));
    let opening = StoredValue::new_local(Some(opening));
    // The element is on the page by then.
    Effect::new(move || {
        let Some(opening) = opening.try_update_value(Option::take).flatten() else {
            return;
        };
        spawn_local_scoped_with_cancellation(async move {
            match opening.await {
                Ok(mounted) => kept.set_value(Some(mounted)),
                Err(sentence) => problem.set(Some(sentence)),
            }
            is_loading.set(false);
        });
    });
    on_cleanup(move || kept.set_value(None));
    view! {
        <p hidden=move || !is_loading.get()>"Loading…"</p>
        {move || problem.get().map(|sentence| view! { <Notice sentence is_error=true testid="notice"/> })}
        <div id=PLACE></div>
    }
}
