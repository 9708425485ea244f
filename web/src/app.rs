//! The shell around all pages: the rail, the page, the keys, the theme, and the panel for the worst case.

use leptos::either::EitherOf4;
use leptos::prelude::*;

use crate::components::icon::{Icon, IconName};
use crate::live::controller::Live;
use crate::live::options::PageOptions;
use crate::pages::apart::ApartPage;
use crate::pages::live::LivePage;
use crate::pages::not_found::NotFoundPage;
use crate::pages::privacy::PrivacyPage;
use crate::platform::page;
use crate::router::{self, Route};
use crate::shortcuts::{self, ShortcutsDialog};

/// Mounts the app over the static page.
pub fn start() {
    page::mark("plumbline:app");
    page::on_panic(|message| page::show_fatal(&message));
    page::remove_boot_panel();
    mount_to_body(App);
}

/// The whole app.
#[component]
fn App() -> impl IntoView {
    let route = router::current();
    let live = Live::new(PageOptions::from_query(&page::query()));
    provide_context(live);
    shortcuts::listen(live, route);
    // Who looks at the monitor of a session stays in it.
    let place = Memo::new(move |_| match route.get() {
        Route::Monitor => Route::Live,
        route => route,
    });
    view! {
        <a class="skip-link" href="#page">"Skip to the page"</a>
        <div class="shell">
            <Rail route/>
            <main class="page" id="page" tabindex="-1">
                {move || match place.get() {
                    Route::Live | Route::Monitor => EitherOf4::A(view! { <LivePage route/> }),
                    route @ (Route::Models | Route::Evaluate) => EitherOf4::B(view! { <ApartPage route/> }),
                    Route::Privacy => EitherOf4::C(view! { <PrivacyPage/> }),
                    Route::NotFound => EitherOf4::D(view! { <NotFoundPage/> }),
                }}
            </main>
        </div>
        <ShortcutsDialog/>
        <div class="visually-hidden" role="status" aria-live="polite">{live.announcement}</div>
        <div class="fatal" id="fatal" hidden role="alert">
            <div class="notice is-bad">
                <span class="notice-word">"Error"</span>
                <p>
                    "This page met an error of its own and has stopped. Nothing was sent anywhere. "
                    <code data-message=""></code>
                </p>
                <a class="button" href="">"Reload"</a>
            </div>
        </div>
    }
}

/// The navigation, at the side or, on narrow screens, at the bottom.
#[component]
fn Rail(
    /// The page that is shown.
    route: RwSignal<Route>,
) -> impl IntoView {
    let base = page::base_path();
    let links = Route::LINKED.map(|linked| {
        let icon = match linked {
            Route::Live | Route::NotFound => IconName::Live,
            Route::Monitor => IconName::Monitor,
            Route::Models => IconName::Models,
            Route::Evaluate => IconName::Evaluate,
            Route::Privacy => IconName::Privacy,
        };
        let is_current = move || (route.get() == linked).then_some("page");
        view! {
            <li>
                <a class="rail-item" href=linked.path(&base) aria-current=is_current>
                    <Icon name=icon/>
                    {linked.title()}
                </a>
            </li>
        }
    });
    view! {
        <header class="rail">
            <div class="rail-mark" title="Plumbline"><Icon name=IconName::Mark/></div>
            <nav aria-label="Pages">
                <ul class="rail-links" role="list">{links.collect_view()}</ul>
            </nav>
            <div class="rail-foot">
                <ThemeButton/>
                <button class="rail-item" type="button" on:click=move |_| shortcuts::open()>
                    <Icon name=IconName::Keys/>
                    "Keys"
                </button>
            </div>
        </header>
    }
}

/// Goes round system, light, dark; the choice is remembered.
#[component]
fn ThemeButton() -> impl IntoView {
    const THEMES: [(&str, &str); 3] = [("auto", "Auto"), ("light", "Light"), ("dark", "Dark")];
    let remembered = page::remembered("plumbline.theme").unwrap_or_default();
    let start = THEMES.iter().position(|(id, _)| *id == remembered).unwrap_or(0);
    let chosen = RwSignal::new(start);
    let go_on = move |_| {
        chosen.update(|chosen| *chosen = (*chosen + 1) % THEMES.len());
        let (id, _) = THEMES[chosen.get_untracked()];
        page::set_theme(id);
        page::remember("plumbline.theme", id);
    };
    view! {
        <button class="rail-item" type="button" on:click=go_on data-testid="theme">
            <Icon name=IconName::Theme/>
            <span><span class="visually-hidden">"Theme: "</span>{move || THEMES[chosen.get()].1}</span>
        </button>
    }
}
