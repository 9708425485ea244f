//! The part of the panel that says what stands behind the person.

use leptos::prelude::*;

use crate::components::choice::Choice;
use crate::live::background::{BackgroundKind, MaskModel, MaskSource, SOFTEST_PX, note};
use crate::live::controller::Live;
use crate::platform::source::file::PickedFile;

/// The choice, and what belongs to the kind that is chosen. All of it is always there and hidden where it does not
/// belong: parts that come and go are the page's most expensive code.
#[component]
pub fn BackgroundChoice() -> impl IntoView {
    let live = expect_context::<Live>();
    let background = live.background;
    let kinds = BackgroundKind::ALL.map(|kind| (kind.id().to_owned(), kind.label().to_owned()));
    let kind = Memo::new(move |_| background.get().kind);
    let masks = MaskSource::ALL.map(|mask| (mask.id().to_owned(), mask.label().to_owned()));
    let mask = Memo::new(move |_| background.get().mask);
    let problem = move || match live.mask_model.get() {
        MaskModel::Missing(sentence) => sentence,
        MaskModel::Here | MaskModel::OnItsWay(_) => live.background_problem.get().unwrap_or_default(),
    };
    let said = Memo::new(move |_| {
        let has_picture = live.background_picture.with(Option::is_some);
        live.mask_model
            .with(|model| note(&background.get(), has_picture, live.readout.get().cut, model))
            .unwrap_or_default()
            .into_owned()
    });
    view! {
        <section class="panel-section screen-only" aria-labelledby="background">
            <h2 id="background">"Background"</h2>
            <div class="panel-settings">
                <Choice
                    label="Behind the person"
                    options=Signal::stored(kinds.to_vec())
                    value=Signal::derive(move || kind.get().id().to_owned())
                    on_choose=move |id: String| {
                        if let Some(kind) = BackgroundKind::from_id(&id) {
                            live.choose_background(kind);
                        }
                    }
                    testid="background"
                />
                <label class="choice" hidden=move || kind.get() != BackgroundKind::Colour>
                    <span class="choice-label">"Colour"</span>
                    <input
                        type="color"
                        data-testid="background-colour"
                        prop:value=move || background.get().colour_text()
                        on:input=move |event| live.choose_background_colour(&event_target_value(&event))
                    />
                </label>
                <div class="choice" hidden=move || kind.get() != BackgroundKind::Picture>
                    <span class="choice-label choice-file">
                        {move || live.background_picture.get().unwrap_or_else(|| "No picture yet".to_owned())}
                    </span>
                    <label class="button button-file">
                        "Choose a picture…"
                        <input
                            type="file"
                            accept="image/*"
                            data-testid="background-picture"
                            on:change=move |event| {
                                if let Some(file) = PickedFile::from_input(&event) {
                                    live.choose_background_picture(file);
                                }
                            }
                        />
                    </label>
                </div>
                <div hidden=move || kind.get() == BackgroundKind::AsItIs>
                    <Choice
                        label="Mask"
                        options=Signal::stored(masks.to_vec())
                        value=Signal::derive(move || mask.get().id().to_owned())
                        on_choose=move |id: String| {
                            if let Some(mask) = MaskSource::from_id(&id) {
                                live.choose_mask(mask);
                            }
                        }
                        testid="background-mask"
                    />
                </div>
                <label class="choice" hidden=move || kind.get() == BackgroundKind::AsItIs>
                    <span class="choice-label">
                        "Edge softness: "
                        <span class="number">{move || background.get().softness_px.to_string()}</span>
                        " px"
                    </span>
                    <input
                        type="range"
                        min="0"
                        max=SOFTEST_PX.to_string()
                        data-testid="background-softness"
                        prop:value=move || background.get().softness_px.to_string()
                        on:input=move |event| live.choose_background_softness(&event_target_value(&event))
                    />
                </label>
            </div>
            <p class="panel-problem" role="alert" data-testid="background-problem">
                {problem}
            </p>
            <p class="panel-reason" hidden=move || kind.get() == BackgroundKind::AsItIs>
                {move || mask.get().note()}
            </p>
            <p class="panel-reason" data-testid="background-note">{said}</p>
        </section>
    }
}
