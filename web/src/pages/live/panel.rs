//! The panel beside the stage: what is measured now, and what can be chosen.

use leptos::prelude::*;

use super::background::BackgroundChoice;
use super::people::PeopleChoice;
use super::stage_times::StageTimes;
use crate::components::choice::Choice;
use crate::components::readout::Readout;
use crate::live::autotune::Autotune;
use crate::live::backend::BackendWish;
use crate::live::controller::Live;
use crate::live::format;
use crate::live::options::ModelName;
use crate::live::people::InView;
use crate::live::quality::Quality;
use crate::live::sentences;
use crate::live::session::Event;
use crate::platform::page;

/// Rows of a camera's frames that can be asked for; `any` is the camera's own choice.
const RESOLUTIONS: [(&str, &str); 4] = [
    ("any", "As the camera likes"),
    ("480", "480 rows"),
    ("720", "720 rows"),
    ("1080", "1080 rows"),
];

/// The panel.
#[component]
pub fn Panel() -> impl IntoView {
    view! {
        <aside class="panel" aria-label="Numbers and settings">
            <Numbers/>
            <PeopleChoice/>
            <BackgroundChoice/>
            <Settings/>
        </aside>
    }
}

#[component]
fn Numbers() -> impl IntoView {
    let live = expect_context::<Live>();
    let readout = live.readout;
    let quality_value = move || match readout.get().quality {
        Some(Quality::Person(share)) => format::percentage(share),
        Some(Quality::Nobody) | None => format::NO_NUMBER.to_owned(),
    };
    let quality_unit = move || match readout.get().quality {
        Some(quality @ Quality::Person(_)) => format!("percent, {}", quality.word()),
        Some(Quality::Nobody) => Quality::Nobody.word().to_owned(),
        None => "percent".to_owned(),
    };
    let advice = move || {
        let is_live = live.session.with(|session| session.opened.is_some());
        let quality = readout.get().quality.filter(|_| is_live)?;
        // Somebody may well be in the picture.
        let waits = live.people_limit.get() > 1 && live.in_view.with(InView::is_lost);
        if waits {
            return Some("Who is measured is out of view.");
        }
        quality.advice()
    };
    let size = move || {
        live.session
            .with(|session| session.opened.clone())
            .map_or(format::NO_NUMBER.to_owned(), |opened| {
                format!("{} × {} px", opened.width_px, opened.height_px)
            })
    };
    let backend = move || {
        live.session.with(|session| match session.choice() {
            None => format::NO_NUMBER.to_owned(),
            Some(choice) => {
                let workers = if live.workers.get() > 1 {
                    ", two workers"
                } else {
                    ""
                };
                format!("{}{workers}: {}", choice.backend.label(), choice.reason)
            }
        })
    };
    let tuning = Memo::new(move |_| {
        live.session.with(|session| {
            let tuning = session.tuning.as_ref()?;
            Some(sentences::tuning(&tuning.standing()))
        })
    });
    view! {
        <section class="panel-section" aria-labelledby="now">
            <h2 id="now">"Now"</h2>
            <div class="panel-numbers">
                <Readout
                    label="Frames"
                    value=Signal::derive(move || format::measure(readout.get().frames_per_second))
                    unit="per second"
                    testid="frames-per-second"
                />
                <Readout
                    label="Engine"
                    value=Signal::derive(move || format::measure(readout.get().frame_millis))
                    unit="ms a frame"
                    testid="ms-per-frame"
                />
                <Readout
                    label="Joints seen"
                    value=Signal::derive(quality_value)
                    unit=Signal::derive(quality_unit)
                    testid="quality"
                />
                <p class="panel-advice">{advice}</p>
            </div>
            <dl class="facts">
                <dt>"Dropped frames"</dt>
                <dd><output data-testid="dropped" aria-live="off">{move || readout.get().dropped}</output></dd>
                <dt>"Picture"</dt>
                <dd>{size}</dd>
                <dt>"Runs on"</dt>
                <dd><output data-testid="backend-reason">{backend}</output></dd>
                {move || tuning.get().map(|sentence| view! {
                    <dt>"Timed"</dt>
                    <dd><output data-testid="tuning" aria-live="off">{sentence}</output></dd>
                })}
            </dl>
            <StageTimes/>
        </section>
    }
}

#[component]
fn Settings() -> impl IntoView {
    let live = expect_context::<Live>();
    let cameras = Signal::derive(move || {
        let mut options = vec![(String::new(), "The browser's choice".to_owned())];
        options.extend(
            live.cameras
                .get()
                .into_iter()
                .map(|camera| (camera.id, camera.label)),
        );
        options
    });
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|&(id, text)| (id.to_owned(), text.to_owned()))
            .collect()
    };
    let may_time_again = Memo::new(move |_| {
        live.session.with(|session| {
            let tuning = session.tuning.as_ref().filter(|_| session.is_running());
            tuning.is_some_and(Autotune::may_be_repeated)
        })
    });
    let resolutions = pairs(&RESOLUTIONS);
    let models = pairs(&ModelName::ALL.map(|model| (model.id(), model.label())));
    let backends = pairs(&BackendWish::ALL.map(|wish| (wish.id(), wish.label())));
    view! {
        <section class="panel-section screen-only" aria-labelledby="settings">
            <h2 id="settings">"Settings"</h2>
            <div class="panel-settings">
                <Choice
                    label="Camera"
                    options=cameras
                    value=Signal::derive(move || live.camera_wish.get().id)
                    on_choose=move |id: String| live.choose_camera(|wish| wish.id = id)
                    testid="camera"
                />
                <Choice
                    label="Camera size"
                    options=Signal::stored(resolutions)
                    value=Signal::derive(move || {
                        live.camera_wish.get().height_px.map_or("any".to_owned(), |height| height.to_string())
                    })
                    on_choose=move |id: String| live.choose_camera(|wish| wish.height_px = id.parse().ok())
                    testid="resolution"
                />
                <Choice
                    label="Model"
                    options=Signal::stored(models)
                    value=Signal::derive(move || live.session.with(|session| session.model.id().to_owned()))
                    on_choose=move |id: String| {
                        if let Some(model) = ModelName::from_id(&id) {
                            live.choose_model(model);
                        }
                    }
                    testid="model"
                />
                <Choice
                    label="Backend"
                    options=Signal::stored(backends)
                    value=Signal::derive(move || live.session.with(|session| session.wish.id().to_owned()))
                    on_choose=move |id: String| {
                        if let Some(wish) = BackendWish::from_id(&id) {
                            live.choose_backend(wish);
                        }
                    }
                    testid="backend"
                />
            </div>
            <label class="tick">
                <input
                    type="checkbox"
                    prop:checked=live.always_watched
                    on:change=move |event| live.set_always_watched(event_target_checked(&event))
                    data-testid="keep-watching"
                />
                "Keep watching on every visit"
            </label>
            {move || may_time_again.get().then(|| view! {
                <button
                    class="button"
                    type="button"
                    data-testid="time-again"
                    on:click=move |_| live.dispatch(Event::TimeAgain)
                >
                    "Time CPU and GPU again"
                </button>
            })}
            <button class="button" type="button" on:click=move |_| page::print()>"Print this page…"</button>
        </section>
    }
}
