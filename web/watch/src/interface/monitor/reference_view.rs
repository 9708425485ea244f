//! What the session is compared with: making a reference of this session, its datasheet, freezing it, and its way out to a
//! file and in from one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use plumbline_core::monitor::datasheet::QUESTIONS;
use plumbline_core::monitor::snapshot::{LearningView, ReferenceView};

use super::Monitor;
use crate::charts::number::counted;
use crate::platform::files;
use crate::protocol::ToMonitor;
use crate::sentences::duration;

/// The reference.
#[component]
pub fn Reference(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let reference = monitor.part(|snapshot| snapshot.reference.clone());
    let reference = Memo::new(move |_| reference.get().flatten());
    let learning = monitor.part(|snapshot| snapshot.learning.clone());
    let has_draft =
        Memo::new(move |_| reference.with(|found| found.as_ref().is_some_and(|found| !found.is_frozen)));
    let has_any = Memo::new(move |_| reference.with(Option::is_some));
    let blocks =
        Memo::new(move |_| learning.with(|learning| learning.as_ref().map_or(0, |learning| learning.blocks)));
    let import = move |event| {
        let Some(file) = files::from_input(&event).into_iter().next() else {
            return;
        };
        spawn_local(async move {
            match files::text_of(&file).await {
                Ok(text) => monitor.ask(&ToMonitor::Import { text }),
                Err(sentence) => monitor.answer.set(Some((false, sentence))),
            }
        });
    };
    view! {
        <section class="watch-section" aria-labelledby="reference-heading" data-testid="reference">
            <h2 id="reference-heading">"Reference"</h2>
            {move || match reference.get() {
                Some(reference) => facts_view(&reference),
                None => view! {
                    <p>"There is none. A reference says what numbers are like when everything is as it should be."</p>
                }
                .into_any(),
            }}
            <p class="watch-quiet">{move || learning.get().map(|learning| progress(&learning))}</p>
            <div class="watch-buttons">
                <button
                    class="button"
                    type="button"
                    data-testid="use-as-reference"
                    disabled=move || blocks.get() == 0
                    on:click=move |_| monitor.ask(&ToMonitor::UseAsReference)
                >
                    "Use this session as reference"
                </button>
                <label class="button button-file">
                    "Import a reference…"
                    <input type="file" accept=".json" data-testid="profile-file" on:change=import/>
                </label>
                {move || has_any.get().then(|| view! {
                    <button
                        class="button"
                        type="button"
                        data-testid="profile-export"
                        on:click=move |_| monitor.ask(&ToMonitor::Export)
                    >
                        "Export it"
                    </button>
                    <button
                        class="button"
                        type="button"
                        data-testid="forget-reference"
                        on:click=move |_| monitor.ask(&ToMonitor::ForgetReference)
                    >
                        "Compare with nothing"
                    </button>
                })}
            </div>
            {move || has_draft.get().then(|| view! { <Datasheet monitor reference/> })}
            <p role="status" data-testid="monitor-answer" class:is-refused=move || monitor.answer.with(|answer| matches!(answer, Some((false, _))))>
                {move || monitor.answer.get().map(|(_, sentence)| sentence)}
            </p>
        </section>
    }
}

/// What a reference is made of.
fn facts_view(reference: &ReferenceView) -> AnyView {
    let kind = if reference.is_frozen { "frozen" } else { "a draft" };
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let mut rows = vec![
        ("Version", format!("{}, {kind}", reference.version)),
        (
            "Made of",
            format!(
                "{} in {}",
                counted(reference.blocks, "block", "blocks"),
                counted(reference.sessions, "session", "sessions")
            ),
        ),
        (
            "Model",
            format!("{} ({}…)", reference.model, short(&reference.model_sha256)),
        ),
    ];
    if !reference.id.is_empty() {
        rows.push(("Its hash", format!("{}…", short(&reference.id))));
    }
    if let Some(replaced) = &reference.replaces {
        rows.push(("In place of", format!("{}…", short(replaced))));
    }
    let rows = rows
        .into_iter()
        .map(|(name, value)| view! { <dt>{name}</dt> <dd>{value}</dd> });
    let other_model = reference.is_of_another_model.then(|| {
        view! { <p>"It was made with another model than the one that runs: differences may be the model’s."</p> }
    });
    let wide = (!reference.wide.is_empty()).then(|| {
        let names = reference.wide.join(", ");
        view! { <p class="watch-quiet">{format!("Its sessions differ, so that only larger changes can be seen in: {names}.")}</p> }
    });
    view! { <dl class="facts" data-testid="reference-facts">{rows.collect_view()}</dl> {other_model} {wide} }
        .into_any()
}

/// How far this session is on the way to a reference.
fn progress(learning: &LearningView) -> String {
    let LearningView {
        blocks,
        for_charts,
        for_freezing,
        sessions_for_freezing,
        advised_block_secs,
        ..
    } = learning;
    let so_far = counted(*blocks, "block", "blocks");
    format!(
        "This session has {so_far}. A draft shows large changes from {for_charts} blocks on; freezing needs {for_freezing} blocks \
         from {sessions_for_freezing} sessions. Blocks of {} would do here.",
        duration(advised_block_secs.ceil())
    )
}

/// The questions that must be answered before a draft is frozen, and the button that freezes it.
#[component]
fn Datasheet(
    /// What is watched.
    monitor: Monitor,
    /// The draft.
    reference: Memo<Option<ReferenceView>>,
) -> impl IntoView {
    let begun = reference
        .with_untracked(|found| found.as_ref().map(|found| found.datasheet.clone()))
        .unwrap_or_default();
    let answers = StoredValue::new(begun.clone());
    let missing = Memo::new(move |_| {
        reference.with(|found| {
            found
                .as_ref()
                .map(|found| found.missing.clone())
                .unwrap_or_default()
        })
    });
    let fields = QUESTIONS.map(|question| {
        let id = format!("datasheet-{}", question.key);
        let given = begun.get(question.key).cloned().unwrap_or_default();
        let change = move |event| {
            answers.update_value(|answers| {
                answers.insert(question.key.to_owned(), event_target_value(&event));
            });
            monitor.ask(&ToMonitor::Describe { answers: answers.get_value() });
        };
        view! {
            <div class="choice">
                <label class="choice-label" for=id.clone()>{question.text}</label>
                <input class="field" type="text" maxlength="500" id=id.clone() data-testid=id value=given on:change=change/>
            </div>
        }
    });
    view! {
        <details class="watch-family" data-testid="datasheet">
            <summary>"Datasheet and freezing"</summary>
            <div class="datasheet">
                <p class="watch-quiet">
                    "A reference that nobody can account for is a draft, and a draft raises no more than “look closer”. Answers stay in the \
                    reference, also when it is exported."
                </p>
                {fields.into_iter().collect_view()}
                {move || {
                    let missing = missing.get();
                    (!missing.is_empty()).then(|| view! {
                        <p>"Before it can be frozen:"</p>
                        <ul class="report-notes" data-testid="missing-for-freezing">
                            {missing.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect_view()}
                        </ul>
                    })
                }}
                <button class="button" type="button" data-testid="freeze" on:click=move |_| monitor.ask(&ToMonitor::Freeze)>
                    "Freeze the reference"
                </button>
            </div>
        </details>
    }
}
