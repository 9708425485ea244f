//! A sentence that needs attention: a word, then what happened and what to do.

use leptos::prelude::*;

/// A notice. Errors are announced at once (`role=alert`), the rest is only there to be read.
#[component]
pub fn Notice(
    /// The sentence.
    #[prop(into)]
    sentence: String,
    /// Something failed, as opposed to something being worth knowing.
    #[prop(optional)]
    is_error: bool,
    /// For tests.
    testid: &'static str,
) -> impl IntoView {
    let word = if is_error { "Stopped" } else { "Note" };
    view! {
        <div class="notice" class:is-bad=is_error role=is_error.then_some("alert") data-testid=testid>
            <span class="notice-word">{word}</span>
            // Without it, a screen reader runs the word into the sentence.
            " "
            <p>{sentence}</p>
        </div>
    }
}
