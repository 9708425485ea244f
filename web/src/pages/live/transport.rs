//! The row under the stage: the one primary action, and the other ways to begin.

use leptos::prelude::*;

use crate::live::controller::Live;
use crate::live::session::{Event, StageState};
use crate::live::source::SourceKind;
use crate::platform::source::file::PickedFile;

/// The row.
#[component]
pub fn Transport() -> impl IntoView {
    let live = expect_context::<Live>();
    let session = live.session;
    let is_running = Memo::new(move |_| session.with(|session| session.is_running()));
    let is_paused = Memo::new(move |_| session.with(|session| session.state() == StageState::Paused));
    let cannot_pause =
        move || session.with(|session| !matches!(session.state(), StageState::Live | StageState::Paused));
    let start_words = move || match session.with(|session| session.source) {
        None | Some(SourceKind::Camera) => "Start camera",
        Some(SourceKind::Clip) => "Play again",
        Some(SourceKind::Picture) => "Measure again",
        Some(SourceKind::Demo) => "Start again",
    };
    let other_than_camera = move || {
        !is_running.get()
            && session.with(|session| session.source.is_some_and(|kind| kind != SourceKind::Camera))
    };
    view! {
        <div class="transport">
            // One button with two meanings, so that it keeps the focus when it changes them.
            <button
                class="button is-primary transport-start"
                type="button"
                data-testid=move || if is_running.get() { "stop" } else { "start" }
                on:click=move |_| if is_running.get_untracked() {
                    live.dispatch(Event::Stop);
                } else {
                    live.start_again();
                }
            >
                {move || if is_running.get() { "Stop" } else { start_words() }}
            </button>
            <button
                class="button"
                type="button"
                data-testid="pause"
                disabled=cannot_pause
                on:click=move |_| live.dispatch(Event::TogglePause)
            >
                {move || if is_paused.get() { "Resume" } else { "Pause" }}
            </button>
            {move || other_than_camera().then(|| view! {
                <button class="button" type="button" data-testid="start-camera" on:click=move |_| live.start_camera()>
                    "Use the camera"
                </button>
            })}
            <label class="button button-file">
                "Open a file…"
                <input
                    type="file"
                    accept="video/*,image/*"
                    data-testid="file"
                    on:change=move |event| {
                        if let Some(file) = PickedFile::from_input(&event) {
                            live.start_file(file);
                        }
                    }
                />
            </label>
            <button
                class="button"
                type="button"
                data-testid="try-demo"
                on:click=move |_| live.start_demo()
            >
                "Try a drawn person"
            </button>
            <div class="transport-rest">
                <div class="legend">
                    <span class="legend-entry"><span class="legend-line"></span>"Left"</span>
                    <span class="legend-entry"><span class="legend-line is-right"></span>"Right"</span>
                </div>
                <label class="tick">
                    <input
                        type="checkbox"
                        data-testid="mirror"
                        prop:checked=live.mirrored
                        on:change=move |event| live.set_mirrored(event_target_checked(&event))
                    />
                    "Mirror camera"
                </label>
            </div>
        </div>
    }
}
