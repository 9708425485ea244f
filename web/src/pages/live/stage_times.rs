//! Where the time of a frame goes: a closed `details` with a small table, for those who want to know.

use leptos::prelude::*;

use crate::live::controller::Live;
use crate::live::format;
use crate::live::sentences;
use crate::live::stages::FrameStage;

/// The table. Its numbers are no live region: a screen reader reads them when it comes by.
#[component]
pub fn StageTimes() -> impl IntoView {
    let live = expect_context::<Live>();
    let rows = FrameStage::ALL.into_iter().enumerate().map(|(index, stage)| {
        let millis = Memo::new(move |_| format::column_measure(live.readout.get().stages[index]));
        view! {
            <tr class:is-sum=stage == FrameStage::Total data-stage=stage.id()>
                <th scope="row">{stage.label()}</th>
                <td class="is-number">{millis}</td>
            </tr>
        }
    });
    let backend = Memo::new(move |_| {
        live.session
            .with(|session| session.choice().map(|choice| choice.backend))
    });
    view! {
        <details class="stage-times" data-testid="stages">
            <summary>"Time per stage"</summary>
            <table class="table">
                <caption class="visually-hidden">"Milliseconds that a frame spends in each stage"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Stage"</th>
                        <th scope="col" class="is-number">"ms a frame"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            <p class="panel-reason">{move || sentences::stages_note(backend.get())}</p>
        </details>
    }
}
