//! Break it: sliders that spoil the picture before the model sees it, so that one can watch what the model and its monitor
//! make of that.

use leptos::prelude::*;
use plumbline_core::corrupt::Corruption;

use super::Monitor;
use crate::sentences::MIRROR_LIMIT;

/// What is done to the picture, in words.
fn words(corruption: Corruption) -> &'static str {
    match corruption {
        Corruption::Blur => "Blur",
        Corruption::Noise => "Noise",
        Corruption::Dark => "Dark",
        Corruption::Bright => "Bright",
        Corruption::Contrast => "Little contrast",
        Corruption::Jpeg => "JPEG",
        Corruption::Occlusion => "Something in front",
        Corruption::Rotation => "Turned camera",
        Corruption::Scale => "Far away",
        Corruption::LowFrameRate => "Few frames",
        Corruption::Mirrored => "Mirrored",
        Corruption::ColourCast => "Colour cast",
    }
}

/// The sliders.
#[component]
pub fn BreakIt(
    /// What is watched.
    monitor: Monitor,
) -> impl IntoView {
    let severity = move |corruption: Corruption| {
        monitor
            .severities
            .with(|severities| severities.get(corruption.id()).copied().unwrap_or(0))
    };
    let sliders = Corruption::ALL.into_iter().filter(|corruption| corruption.has_severities()).map(|corruption| {
        let id = format!("break-{}", corruption.id());
        let described = id.clone();
        view! {
            <div class="break-row">
                <label for=id.clone()>{format!("{}, 0 to 5", words(corruption))}</label>
                <input
                    type="range"
                    id=id.clone()
                    data-testid=described
                    min="0"
                    max="5"
                    step="1"
                    prop:value=move || severity(corruption).to_string()
                    on:input=move |event| monitor.spoil(corruption.id(), event_target_value(&event).parse().unwrap_or(0))
                />
                <output for=id>{move || severity(corruption)}</output>
            </div>
        }
    });
    let is_mirrored = move || severity(Corruption::Mirrored) > 0;
    let mirrored =
        move |event| monitor.spoil(Corruption::Mirrored.id(), u8::from(event_target_checked(&event)));
    view! {
        <section class="watch-section" aria-labelledby="break-heading">
            <h2 id="break-heading">"Break it"</h2>
            <p>
                "Spoils the picture on this device before the model sees it, to show what the model and its monitor make of it. What the \
                stage shows is what was measured."
            </p>
            <fieldset class="break" data-testid="break">
                <legend class="visually-hidden">"What is done to the picture"</legend>
                {sliders.collect_view()}
                <label class="tick">
                    <input
                        type="checkbox"
                        data-testid="break-mirrored"
                        prop:checked=is_mirrored
                        on:change=mirrored
                    />
                    {words(Corruption::Mirrored)}
                </label>
            </fieldset>
            <p class="watch-quiet">{MIRROR_LIMIT}</p>
            <div class="watch-buttons">
                <button class="button" type="button" data-testid="break-off" on:click=move |_| monitor.spare()>"All off"</button>
            </div>
        </section>
    }
}
