//! The part of the panel that says how many people are followed, and who of them is measured.

use leptos::prelude::*;
use plumbline_core::people::PersonId;

use crate::components::choice::Choice;
use crate::live::controller::Live;
use crate::live::people::{InView, limit_from_id, limits};

/// Both choices, and what follows from them. The second is always there and hidden where one person is followed.
#[component]
pub fn PeopleChoice() -> impl IntoView {
    let live = expect_context::<Live>();
    let is_alone = move || live.people_limit.get() == 1;
    // Said aloud when it changes, and only then.
    let said = Memo::new(move |_| live.people_note());
    view! {
        <section class="panel-section screen-only" aria-labelledby="people">
            <h2 id="people">"People"</h2>
            <div class="panel-settings">
                <Choice
                    label="Followed at once"
                    options=Signal::stored(limits())
                    value=Signal::derive(move || live.people_limit.get().to_string())
                    on_choose=move |id: String| {
                        if let Some(limit) = limit_from_id(&id) {
                            live.choose_people_limit(limit);
                        }
                    }
                    testid="people"
                />
                <div hidden=is_alone>
                    <Choice
                        label="Measured"
                        options=Signal::derive(move || live.in_view.with(InView::options))
                        value=Signal::derive(move || {
                            live.in_view.with(|shown| shown.measured.map_or(0, |id| id.0)).to_string()
                        })
                        on_choose=move |id: String| {
                            if let Ok(number) = id.parse() {
                                live.choose_person(PersonId(number));
                            }
                        }
                        testid="measured"
                    />
                </div>
            </div>
            <p class="panel-reason" role="status" data-testid="people-note">{said}</p>
        </section>
    }
}
