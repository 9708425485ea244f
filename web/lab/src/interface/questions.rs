//! What the file leaves open, asked in one form.

use leptos::prelude::*;

use super::state::Lab;
use crate::protocol::Question;

/// The form.
#[component]
pub fn Questions(
    /// The page's state.
    lab: Lab,
    /// What to ask.
    questions: Vec<Question>,
) -> impl IntoView {
    // One signal a question, in their order.
    let fields: Vec<(Question, RwSignal<String>)> = questions
        .into_iter()
        .map(|question| (question, RwSignal::new(String::new())))
        .collect();
    let asked = fields.clone();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        lab.answers.update(|answers| {
            for (question, text) in &asked {
                let text = text.get_untracked();
                match question {
                    Question::Size { name } => {
                        if let Ok(size) = text.trim().parse() {
                            answers.sizes.insert(name.clone(), size);
                        }
                    }
                    Question::Value { input, .. } => {
                        answers.values.insert(input.clone(), text);
                    }
                }
            }
        });
        lab.read_again(
            lab.findings
                .with_untracked(|findings| findings.as_ref()?.entry.clone()),
        );
    };
    let rows = fields.into_iter().map(|(question, text)| {
        let is_size = matches!(question, Question::Size { .. });
        let label = match question {
            Question::Size { name } => format!("Size “{name}”"),
            Question::Value {
                input,
                element,
                shape,
            } => {
                format!(
                    "Value of the input “{input}”: {element}, {}, separated by spaces",
                    shape.join(" × ")
                )
            }
        };
        view! {
            <label class="choice">
                <span class="choice-label">{label}</span>
                <input
                    class="field"
                    type=if is_size { "number" } else { "text" }
                    min="1"
                    required=true
                    data-testid="lab-answer"
                    prop:value=text
                    on:input=move |event| text.set(event_target_value(&event))
                />
            </label>
        }
    });
    view! {
        <form class="lab-form" data-testid="lab-questions" on:submit=submit>
            {rows.collect_view()}
            <button class="button is-primary" type="submit">"Read it with these"</button>
        </form>
    }
}
