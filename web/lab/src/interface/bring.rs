//! Where a model is dropped or chosen, and what happens to it while the worker has it.

use leptos::prelude::*;
use plumbline_web::components::notice::Notice;
use plumbline_web::live::format;
use plumbline_web::platform::source::file::PickedFile;

use super::drop_zone::{DropZone, FileButton};
use super::findings::FindingsView;
use super::keep::KeepForm;
use super::purpose::Purpose;
use super::questions::Questions;
use super::state::{Lab, Subject};
use super::test_view::TestView;
use super::try_view::TryView;
use crate::limits::{MAX_FILE_BYTES, reading_bytes};
use crate::protocol::Verdict;
use crate::record::capitalised;

/// The place to drop a file.
#[component]
pub fn Bring(
    /// The page's state.
    lab: Lab,
) -> impl IntoView {
    let open: UnsyncCallback<PickedFile> = UnsyncCallback::new(move |file| lab.open(file));
    view! {
        <section class="lab-section" aria-labelledby="bring">
            <h2 id="bring">"Bring a model"</h2>
            <DropZone class="lab-drop" testid="lab-drop" on_file=open>
                <p>
                    "Drop an .onnx, .tflite or .task file here, or a manifest that describes one. It is read on this device, in a worker that is stopped when \
                    it takes too long, and it is not uploaded."
                </p>
                <FileButton text="Choose a file…" accept=".onnx,.tflite,.task,.graph,.toml,.json" testid="lab-file" on_file=open/>
                <p class="panel-reason">
                    {format!("Up to {} MiB, with its weights inside.", MAX_FILE_BYTES >> 20)}
                </p>
                {move || lab.given.get().map(|given| view! {
                    <p data-testid="lab-given">
                        {format!("The manifest of “{}” is read. Now choose the model that it describes.", given.name)}
                    </p>
                })}
                {move || {
                    let sentence = lab.problem.get().filter(|_| lab.subject.with(Option::is_none))?;
                    Some(view! { <Notice sentence is_error=true testid="lab-problem"/> })
                }}
            </DropZone>
        </section>
    }
}

/// The file that was chosen, and everything about it.
#[component]
pub fn Looked(
    /// The page's state.
    lab: Lab,
) -> impl IntoView {
    move || {
        let Subject { name, bytes } = lab.subject.get()?;
        Some(view! {
            <section class="lab-section card" aria-labelledby="looked" data-testid="lab-model">
                <h2 id="looked" tabindex="-1">{name}</h2>
                <p class="panel-reason" data-testid="lab-size">
                    {format!(
                        "{}; reading it takes up to {} of memory.",
                        format::bytes(bytes),
                        format::bytes(reading_bytes(bytes)),
                    )}
                </p>
                {move || lab.busy.get().map(|busy| {
                    let doing = busy.stage.map_or("Starting", |stage| stage.doing());
                    view! {
                        <div class="lab-busy" data-testid="lab-busy">
                            <p>{format!("{}…", capitalised(doing))}</p>
                            <progress aria-label=doing max="1" value=busy.share.map(|share| share.to_string())></progress>
                            <button class="button" type="button" data-testid="lab-cancel" on:click=move |_| lab.cancel()>
                                "Cancel"
                            </button>
                        </div>
                    }
                })}
                {move || lab.problem.get().map(|sentence| view! {
                    <Notice sentence is_error=true testid="lab-problem"/>
                    {move || (lab.findings.with(Option::is_none) && lab.busy.with(Option::is_none)).then(|| view! {
                        <button class="button" type="button" data-testid="lab-again" on:click=move |_| lab.read_whole(None)>
                            "Read it again"
                        </button>
                    })}
                })}
                {move || {
                    let findings = lab.findings.get()?;
                    let verdict = findings.verdict.clone();
                    let rest = match verdict {
                        Verdict::Runs(_) => {
                            let proposals = findings.proposals.clone();
                            view! {
                                <Purpose lab proposals/>
                                <TryPart lab/>
                                <TestView lab/>
                                <KeepForm lab/>
                            }
                            .into_any()
                        }
                        Verdict::Asks(questions) => view! { <Questions lab questions/> }.into_any(),
                        Verdict::Refused { .. } => ().into_any(),
                    };
                    Some(view! { <FindingsView lab findings/> {rest} })
                }}
            </section>
        })
    }
}

/// Trying it, where it is known how.
#[component]
fn TryPart(
    /// The page's state.
    lab: Lab,
) -> impl IntoView {
    let is_known = Memo::new(move |_| lab.manifest.with(Option::is_some));
    move || is_known.get().then(|| view! { <TryView lab/> })
}
