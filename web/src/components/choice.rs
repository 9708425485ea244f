//! A menu with its label above it.

use leptos::prelude::*;

/// A native `select`.
#[component]
pub fn Choice(
    /// What is chosen.
    label: &'static str,
    /// Value and text of each option.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// The value that is chosen.
    #[prop(into)]
    value: Signal<String>,
    /// Takes the new value. Boxed, so that all menus of the page are one function.
    #[prop(into)]
    on_choose: UnsyncCallback<String>,
    /// For tests.
    testid: &'static str,
) -> impl IntoView {
    view! {
        <label class="choice">
            <span class="choice-label">{label}</span>
            <select data-testid=testid on:change=move |event| on_choose.run(event_target_value(&event))>
                {move || {
                    let chosen = value.get();
                    options
                        .get()
                        .into_iter()
                        .map(|(id, text)| {
                            let is_chosen = id == chosen;
                            view! { <option value=id selected=is_chosen>{text}</option> }
                        })
                        .collect_view()
                }}
            </select>
        </label>
    }
}
