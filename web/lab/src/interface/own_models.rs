//! The models that come with the page: where they are from, and what they cannot do.
//!
//! Name, licence, size and hash come from the manifest that is served with the weights; the text is the model's card in
//! `models/cards`, compiled in.

use leptos::prelude::*;
use plumbline_web::components::notice::Notice;
use plumbline_web::live::format;
use plumbline_web::platform::weights::{self, ModelEntry};

use super::card_text::CardText;

/// The cards by model name.
pub const CARDS: [(&str, &str); 6] = [
    ("detector", include_str!("../../../../models/cards/detector.md")),
    ("lite", include_str!("../../../../models/cards/lite.md")),
    ("full", include_str!("../../../../models/cards/full.md")),
    ("heavy", include_str!("../../../../models/cards/heavy.md")),
    ("selfie", include_str!("../../../../models/cards/selfie.md")),
    (
        "selfie-landscape",
        include_str!("../../../../models/cards/selfie-landscape.md"),
    ),
];

/// The section.
#[component]
pub fn OwnModels() -> impl IntoView {
    let manifest = LocalResource::new(weights::manifest);
    view! {
        <section class="lab-section" aria-labelledby="own">
            <h2 id="own">"Models of this page"</h2>
            <p class="panel-reason">"Their weights are checked against these hashes before use."</p>
            <div class="cards">
                {move || match manifest.get() {
                    None => view! { <p>"Reading the list of models…"</p> }.into_any(),
                    Some(Err(sentence)) => view! { <Notice sentence is_error=true testid="notice"/> }.into_any(),
                    Some(Ok(models)) => models.into_iter().map(|model| view! { <ModelCard model/> }).collect_view().into_any(),
                }}
            </div>
        </section>
    }
}

#[component]
fn ModelCard(
    /// As the manifest lists it.
    model: ModelEntry,
) -> impl IntoView {
    let card = CARDS
        .iter()
        .find(|(name, _)| *name == model.name)
        .map(|(_, text)| *text);
    let heading = format!("model-{}", model.name);
    view! {
        <article class="card" aria-labelledby=heading data-testid="model-card">
            <h3 id=heading.clone()>{format::landmark_name(&model.name)}</h3>
            <dl class="facts">
                <dt>"Task"</dt><dd>{model.task.replace('-', " ")}</dd>
                <dt>"Source"</dt><dd>{format!("npm package {} {}", model.package, model.version)}</dd>
                <dt>"Licence"</dt><dd>{model.licence}</dd>
                <dt>"Size"</dt><dd>{format::bytes(model.bytes)}</dd>
                <dt>"SHA-256"</dt><dd><code>{model.source_sha256}</code></dd>
            </dl>
            {card.map(|text| view! {
                <details>
                    <summary>"What it is for, how good it is, and what it cannot do"</summary>
                    <CardText markdown=text/>
                </details>
            })}
        </article>
    }
}
