//! The card of a model, keeping it in this browser, and the models that are kept.

use leptos::prelude::*;
use plumbline_web::live::format;
use plumbline_web::platform::model_store::KeptModel;

use super::state::Lab;
use crate::record::{Card, Record, times};
use plumbline_web::platform::download;

/// A field of the card: its label, a hint, its test name, and where it stands in a card.
type Field = (
    &'static str,
    &'static str,
    &'static str,
    fn(&mut Card) -> &mut String,
);

const FIELDS: [Field; 5] = [
    ("Name", "", "card-name", |card| &mut card.name),
    (
        "Licence",
        "As the publisher states it: Apache-2.0, MIT, CC-BY-4.0…",
        "card-licence",
        |card| &mut card.licence,
    ),
    ("Source", "Where you have it from", "card-source", |card| {
        &mut card.source
    }),
    ("What it is for", "", "card-purpose", |card| &mut card.purpose),
    (
        "Limits",
        "What it cannot do, and for whom it was not made",
        "card-limits",
        |card| &mut card.limits,
    ),
];

/// The form.
#[component]
pub fn KeepForm(
    /// The page's state.
    lab: Lab,
) -> impl IntoView {
    let fields = FIELDS.into_iter().map(|(label, hint, testid, part)| {
        let value = move || {
            lab.card.with(|card| {
                let mut card = card.clone();
                std::mem::take(part(&mut card))
            })
        };
        let write = move |event| lab.card.update(|card| *part(card) = event_target_value(&event));
        view! {
            <label class="choice">
                <span class="choice-label">{label}</span>
                <input class="field" type="text" placeholder=hint data-testid=testid prop:value=value on:input=write/>
            </label>
        }
    });
    let is_kept = move || {
        let sha256 = lab.findings.with(|findings| findings.as_ref()?.sha256.clone());
        lab.kept.with(|kept| {
            kept.iter()
                .any(|(model, _)| Some(&model.sha256) == sha256.as_ref())
        })
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        lab.keep();
    };
    let cannot_keep = move || lab.can_keep.get() == Some(false);
    view! {
        <section class="lab-part" aria-labelledby="keep">
            <h3 id="keep">"Model card"</h3>
            <form class="lab-form" on:submit=submit data-testid="lab-keep">
                {fields.collect_view()}
                <p class="panel-reason" data-testid="lab-storage">
                    {move || if cannot_keep() {
                        "This browser keeps no files for this page, as in private windows: the model stays until you leave it."
                    } else {
                        "The file and its card are kept in this browser, under its SHA-256, until you delete them. A kept model \
                        is opened from here without choosing the file again."
                    }}
                </p>
                <div class="lab-buttons">
                    <button
                        class="button is-primary"
                        type="submit"
                        data-testid="lab-store"
                        disabled=move || cannot_keep() || lab.busy.with(Option::is_some)
                    >
                        {move || if is_kept() { "Update what is kept" } else { "Keep in this browser" }}
                    </button>
                    <button class="button" type="button" data-testid="lab-card" on:click=move |_| {
                        let (sha256, bytes) = lab.findings.with_untracked(|findings| {
                            findings.as_ref().map(|findings| (findings.sha256.clone(), findings.file_bytes)).unwrap_or_default()
                        });
                        let record = lab.record();
                        let text = record.markdown(&sha256.unwrap_or_else(|| "not computed".to_owned()), bytes);
                        download::save_text(&format!("{}.md", record.file_name), &text);
                    }>
                        "Save the card as a file"
                    </button>
                </div>
            </form>
        </section>
    }
}

/// The models that are kept.
#[component]
pub fn KeptModels(
    /// The page's state.
    lab: Lab,
) -> impl IntoView {
    move || {
        let kept = lab.kept.get();
        (!kept.is_empty()).then(|| {
            let cards = kept
                .into_iter()
                .map(|(model, record)| kept_card(lab, model, record));
            view! {
                <section class="lab-section" aria-labelledby="kept">
                    <h2 id="kept">"Kept in this browser"</h2>
                    <div class="cards">{cards.collect_view()}</div>
                </section>
            }
        })
    }
}

fn kept_card(lab: Lab, model: KeptModel, record: Record) -> AnyView {
    let name = if record.card.name.is_empty() {
        record.file_name.clone()
    } else {
        record.card.name.clone()
    };
    let said = |text: &str| {
        if text.is_empty() {
            "not stated".to_owned()
        } else {
            text.to_owned()
        }
    };
    let tested = record.report.as_ref().map_or_else(
        || "not on this device".to_owned(),
        |report| {
            let failed = report
                .checks
                .iter()
                .filter(|check| check.passed == Some(false))
                .count();
            let outcome = if failed == 0 {
                "passed".to_owned()
            } else {
                format!("{failed} failed")
            };
            let gpu = report
                .gpu
                .as_ref()
                .map_or_else(|_| String::new(), |gpu| format!("; GPU {}", times(gpu)));
            format!("{outcome}; CPU {}{gpu}", times(&report.cpu))
        },
    );
    let heading = format!("kept-{}", &model.sha256.get(..12).unwrap_or_default());
    let facts = [
        (
            "File",
            format!("{}, {}", record.file_name, format::bytes(model.bytes)),
        ),
        ("Licence", said(&record.card.licence)),
        ("Source", said(&record.card.source)),
        ("For", said(&record.card.purpose)),
        ("Limits", said(&record.card.limits)),
        ("Self-test", tested),
        ("Kept", record.kept_at.clone()),
        ("SHA-256", model.sha256.clone()),
    ];
    let facts = facts
        .into_iter()
        .map(|(what, value)| view! { <dt>{what}</dt><dd>{value}</dd> });
    let (opened, saved, deleted) = (model.clone(), model.clone(), model);
    let (opened_record, saved_record) = (record.clone(), record);
    let button = |word: &'static str, testid: &'static str, act: Box<dyn Fn()>| {
        let label = format!("{word} {name}");
        view! { <button class="button" type="button" aria-label=label data-testid=testid on:click=move |_| act()>{word}</button> }
    };
    let buttons = [
        button(
            "Open",
            "kept-open",
            Box::new(move || lab.open_kept(opened.clone(), opened_record.clone())),
        ),
        button(
            "Save",
            "kept-save",
            Box::new(move || lab.save_kept(saved.clone(), &saved_record)),
        ),
        button(
            "Delete",
            "kept-delete",
            Box::new(move || lab.delete(deleted.sha256.clone())),
        ),
    ];
    view! {
        <article class="card" aria-labelledby=heading data-testid="kept-model">
            <h3 id=heading.clone()>{name}</h3>
            <dl class="facts">{facts.collect_view()}</dl>
            <div class="lab-buttons">{buttons.into_iter().collect_view()}</div>
        </article>
    }
    .into_any()
}
