//! Trying a model on a picture: one that is dropped, or the drawn person.

use leptos::html::Canvas;
use leptos::prelude::*;
use plumbline_web::platform::source::file::PickedFile;

use super::state::Lab;
use crate::platform::drawing::palette;
use crate::record::millis;

/// The section.
#[component]
pub fn TryView(
    /// The page's state.
    lab: Lab,
) -> impl IntoView {
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move || {
        let (Some(drawing), Some(canvas)) = (lab.drawing.get(), canvas.get()) else {
            return;
        };
        // Without it the table says the same.
        let _ = drawing.show(&canvas);
    });
    let start = move |file: Option<PickedFile>| {
        if let Some(canvas) = canvas.get_untracked() {
            lab.try_on(file, palette(&canvas));
        }
    };
    let is_busy = move || lab.busy.with(Option::is_some);
    let is_dropping = RwSignal::new(false);
    view! {
        <section
            class="lab-part lab-try"
            class:is-dropping=is_dropping
            aria-labelledby="try"
            data-testid="lab-try"
            on:dragover=move |event| {
                event.prevent_default();
                is_dropping.set(true);
            }
            on:dragleave=move |_| is_dropping.set(false)
            on:drop=move |event| {
                is_dropping.set(false);
                if let Some(file) = PickedFile::from_drop(&event) {
                    start(Some(file));
                }
            }
        >
            <h3 id="try">"Try it on a picture"</h3>
            <p class="panel-reason">"Drop a picture here, or choose one. The model runs once, on the CPU, and the picture is not kept. How sure it is, it says of itself."</p>
            <div class="lab-buttons">
                <label class="button button-file">
                    "Choose a picture…"
                    <input
                        type="file"
                        accept="image/*"
                        data-testid="lab-picture"
                        on:change=move |event| {
                            if let Some(file) = PickedFile::from_input(&event) {
                                start(Some(file));
                            }
                        }
                    />
                </label>
                <button class="button" type="button" data-testid="lab-drawn" disabled=is_busy on:click=move |_| start(None)>
                    "Use the drawn person"
                </button>
            </div>
            <canvas
                class="lab-canvas"
                node_ref=canvas
                role="img"
                aria-label="The picture with what the model found"
                hidden=move || lab.tried.with(Option::is_none)
            ></canvas>
            {move || lab.tried.get().map(|tried| {
                let heads = tried.heads.into_iter().map(|head| view! { <th scope="col">{head}</th> });
                let rows = tried.rows.into_iter().map(|cells| {
                    let cells = cells.into_iter().map(|cell| view! { <td>{cell}</td> });
                    view! { <tr>{cells.collect_view()}</tr> }
                });
                view! {
                    <p data-testid="lab-summary">
                        <strong>{tried.summary}</strong>
                        {format!(" One run took {} ms.", millis(tried.millis))}
                    </p>
                    <div class="table-scroll lab-rows" tabindex="0" role="region" aria-label="What it found">
                        <table class="table lab-table" data-testid="lab-found">
                            <caption>"What it found"</caption>
                            <thead><tr>{heads.collect_view()}</tr></thead>
                            <tbody>{rows.collect_view()}</tbody>
                        </table>
                    </div>
                }
            })}
        </section>
    }
}
