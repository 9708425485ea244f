//! The state in a word and a sentence, since when, and the button that holds the page still.

use leptos::prelude::*;

use super::Monitor;
use crate::charts::number::counted;
use crate::sentences::{Said, Tone, capitalised, duration, state_while};

/// The state.
#[component]
pub fn StateView(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let said = monitor.part(move |snapshot| state_while(monitor.search.get(), snapshot));
    let said = move || {
        said.get().unwrap_or_else(|| Said {
            tone: Tone::Quiet,
            word: "Waiting",
            sentence: "Nothing has been measured yet. Start a camera, a clip or the drawn person.".to_owned(),
        })
    };
    let name = monitor.part(|snapshot| snapshot.status.verdict.state.name());
    let since = monitor.part(|snapshot| {
        let status = &snapshot.status;
        format!(
            "For {}; {} so far.",
            duration(status.since_secs),
            counted(status.blocks, "block", "blocks")
        )
    });
    let hold = move || {
        let is_held = !monitor.is_held.get_untracked();
        monitor.is_held.set(is_held);
    };
    view! {
        <section class="watch-section" aria-labelledby="state-heading">
            <h2 id="state-heading">"State"</h2>
            <div
                class=move || format!("monitor-state {}", said().tone.class())
                data-testid="state"
                data-state=move || name.get().unwrap_or("waiting")
            >
                <p class="monitor-word">
                    <span class="monitor-mark" aria-hidden="true">{move || said().tone.mark()}</span>
                    " "
                    {move || said().word}
                </p>
                <p data-testid="state-sentence">{move || after_its_word(said())}</p>
                <p class="watch-quiet">{move || since.get()}</p>
            </div>
            <div class="watch-buttons">
                <button
                    class="button"
                    type="button"
                    data-testid="hold"
                    aria-pressed=move || monitor.is_held.get().to_string()
                    on:click=move |_| hold()
                >
                    "Hold this page"
                </button>
                <p class="watch-quiet" hidden=move || !monitor.is_held.get()>"Watching goes on; the page shows one moment."</p>
            </div>
            <div class="visually-hidden" role="status" aria-live="polite" data-testid="monitor-status">{monitor.said}</div>
            <div class="visually-hidden" role="alert">{monitor.cried}</div>
        </section>
    }
}

/// The sentence without the word that stands above it.
fn after_its_word(Said { word, sentence, .. }: Said) -> String {
    sentence
        .strip_prefix(word)
        .and_then(|rest| rest.strip_prefix(": "))
        .map_or(sentence.clone(), capitalised)
}
