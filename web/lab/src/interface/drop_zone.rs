//! Where files are dropped, and the button that chooses one: with the keyboard, or where nothing can be dragged.

use leptos::prelude::*;
use plumbline_web::platform::source::file::PickedFile;

/// A place that takes a dropped file.
#[component]
pub fn DropZone(
    /// Its class in the style sheet.
    class: &'static str,
    /// For tests.
    testid: &'static str,
    /// Takes the first file.
    on_file: UnsyncCallback<PickedFile>,
    /// What stands in it.
    children: Children,
) -> impl IntoView {
    let is_dropping = RwSignal::new(false);
    view! {
        <div
            class=class
            class:is-dropping=is_dropping
            data-testid=testid
            on:dragover=move |event| {
                event.prevent_default();
                is_dropping.set(true);
            }
            on:dragleave=move |_| is_dropping.set(false)
            on:drop=move |event| {
                is_dropping.set(false);
                if let Some(file) = PickedFile::from_drop(&event) {
                    on_file.run(file);
                }
            }
        >
            {children()}
        </div>
    }
}

/// A button that chooses a file.
#[component]
pub fn FileButton(
    /// What stands on it.
    text: &'static str,
    /// Which files are offered, as `accept` lists them.
    accept: &'static str,
    /// For tests.
    testid: &'static str,
    /// Takes the file.
    on_file: UnsyncCallback<PickedFile>,
) -> impl IntoView {
    view! {
        <label class="button button-file">
            {text}
            <input
                type="file"
                accept=accept
                data-testid=testid
                on:change=move |event| {
                    if let Some(file) = PickedFile::from_input(&event) {
                        on_file.run(file);
                    }
                }
            />
        </label>
    }
}
