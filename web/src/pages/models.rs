//! `/models`: which models run here, and what runs that a person brings. Most visits never open it, so all of it but its
//! heading is a program of its own (`web/lab`), which is fetched when the page is opened and goes when it is left.

use leptos::prelude::*;
use leptos::reactive::spawn_local_scoped_with_cancellation;

use crate::components::notice::Notice;
use crate::platform::lab_door::{self, MountedLab};

/// The element that the lab draws into.
const PLACE: &str = "lab";

/// The page.
#[component]
pub fn ModelsPage() -> impl IntoView {
    let lab = StoredValue::new_local(None::<MountedLab>);
    let (is_loading, problem) = (RwSignal::new(true), RwSignal::new(None::<String>));
    Effect::new(move || {
        spawn_local_scoped_with_cancellation(async move {
            match lab_door::open(PLACE).await {
                Ok(mounted) => lab.set_value(Some(mounted)),
                Err(sentence) => problem.set(Some(sentence)),
            }
            is_loading.set(false);
        });
    });
    on_cleanup(move || lab.set_value(None));
    view! {
        <div class="page-text">
            <header class="page-head">
                <h1>"Models"</h1>
                <p class="panel-reason">"They run on this device. Nothing that you open here is sent anywhere."</p>
            </header>
            <p hidden=move || !is_loading.get()>"Loading…"</p>
            {move || problem.get().map(|sentence| view! { <Notice sentence is_error=true testid="notice"/> })}
            <div id=PLACE></div>
        </div>
    }
}
