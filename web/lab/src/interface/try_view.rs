//! Trying a model: on a picture, or frame by frame on a camera, a clip or the drawn person.

use leptos::html::{Canvas, Video};
use leptos::prelude::*;
use plumbline_web::components::choice::Choice;
use plumbline_web::live::source::{SourceKind, classify_file};
use plumbline_web::platform::page;
use plumbline_web::platform::source::file::PickedFile;

use super::drop_zone::{DropZone, FileButton};
use super::following::{Pace, Wish};
use super::state::Lab;
use crate::platform::drawing::palette;
use crate::platform::screens::Screens;
use crate::protocol::{Backend, Tried};
use crate::record::millis;

/// Names and words of the backends in the menu.
const BACKENDS: [(&str, &str, Backend); 2] = [
    ("cpu", "CPU (WebAssembly)", Backend::Cpu),
    ("gpu", "GPU (WebGPU)", Backend::Gpu),
];

/// The section.
#[component]
pub fn TryView(
    /// The page's state.
    lab: Lab,
) -> impl IntoView {
    let (video, own, result) = (
        NodeRef::<Video>::new(),
        NodeRef::<Canvas>::new(),
        NodeRef::<Canvas>::new(),
    );
    Effect::new(move || {
        let (Some(drawing), Some(canvas)) = (lab.drawing.get(), result.get()) else {
            return;
        };
        // Without it the table says the same.
        let _ = drawing.show(&canvas);
    });
    let follow = move |kind: SourceKind, file: Option<PickedFile>| {
        let screens = || {
            Some(Screens {
                video: video.get_untracked()?,
                canvas: own.get_untracked()?,
                result: result.get_untracked()?,
            })
        };
        if let Some(screens) = screens() {
            lab.follow(Wish { kind, file, screens });
        }
    };
    let look = move |file: Option<PickedFile>| {
        if let Some(canvas) = result.get_untracked() {
            lab.try_on(file, palette(&canvas));
        }
    };
    let start: UnsyncCallback<PickedFile> = UnsyncCallback::new(move |file: PickedFile| match classify_file(
        &file.name(),
        &file.media_type(),
    ) {
        Ok(SourceKind::Clip) => follow(SourceKind::Clip, Some(file)),
        Ok(_) => look(Some(file)),
        Err(sentence) => lab.fail(sentence),
    });
    let is_busy = move || lab.busy.with(Option::is_some);
    let source = lab.following.source;
    let is_followed = move || source.with(Option::is_some);
    let shows_video = move || source.get().is_some_and(SourceKind::is_video);
    let is_empty = Memo::new(move |_| lab.tried.with(Option::is_none));
    let backend = move || {
        let chosen = BACKENDS
            .iter()
            .find(|(.., backend)| *backend == lab.backend.get());
        chosen.map_or("cpu", |(id, ..)| id).to_owned()
    };
    let choose_backend = move |id: String| {
        if let Some((.., backend)) = BACKENDS.iter().find(|(known, ..)| *known == id) {
            lab.backend.set(*backend);
        }
    };
    let backends: Vec<(String, String)> = BACKENDS
        .iter()
        .map(|(id, words, _)| ((*id).to_owned(), (*words).to_owned()))
        .collect();
    view! {
        <section class="lab-part" aria-labelledby="try">
            <h3 id="try" tabindex="-1">"Try it"</h3>
            <DropZone class="lab-try" testid="lab-try" on_file=start>
                <p class="panel-reason">
                    "Drop a picture or a clip here, or choose one. Of a clip or the camera it looks at one frame after the other, \
                    always the newest. Nothing that it sees is kept or sent. How sure it is, it says of itself."
                </p>
                <div class="lab-buttons">
                    <FileButton text="Choose a picture or clip…" accept="image/*,video/*" testid="lab-picture" on_file=start/>
                    <button class="button" type="button" data-testid="lab-camera" disabled=is_busy on:click=move |_| follow(SourceKind::Camera, None)>
                        "Use the camera"
                    </button>
                    <button class="button" type="button" data-testid="lab-drawn" disabled=is_busy on:click=move |_| look(None)>
                        "Use the drawn person"
                    </button>
                    <button class="button" type="button" data-testid="lab-moving" disabled=is_busy on:click=move |_| follow(SourceKind::Demo, None)>
                        "Let the drawn person move"
                    </button>
                    {move || is_followed().then(|| view! {
                        <button class="button is-primary" type="button" data-testid="lab-stop" on:click=move |_| {
                            lab.rest();
                            // The button goes; whoever uses the keyboard stays here.
                            page::focus("try");
                        }>
                            "Stop"
                        </button>
                    })}
                </div>
                <div class="lab-menus">
                    <Choice label="Run it on" options=backends value=Signal::derive(backend) on_choose=choose_backend testid="lab-backend"/>
                </div>
            </DropZone>
            <div class="lab-stage" hidden=move || is_empty.get() && !is_followed()>
                <video node_ref=video muted=true playsinline=true aria-hidden="true" hidden=move || !shows_video()></video>
                <canvas node_ref=own aria-hidden="true" hidden=move || source.get() != Some(SourceKind::Demo)></canvas>
                <canvas
                    class="lab-canvas"
                    node_ref=result
                    role="img"
                    aria-label="The picture with what the model found"
                    hidden=move || is_empty.get()
                ></canvas>
            </div>
            {move || lab.following.pace.get().filter(|_| !is_empty.get()).map(pace_view)}
            {move || lab.tried.get().map(|tried| found_view(tried, lab.following.pace.with(Option::is_none)))}
        </section>
    }
}

fn pace_view(pace: Pace) -> AnyView {
    let rate = match pace.frames_per_second {
        Some(rate) => format!("{rate:.1} frames a second"),
        None => "One frame so far".to_owned(),
    };
    let text = format!(
        "{rate}; {} ms a frame, of which the model takes {} ms; {} passed over.",
        millis(pace.frame_millis),
        millis(pace.model_millis),
        super::state::counted(pace.dropped as usize, "frame"),
    );
    view! { <p class="lab-pace" data-testid="lab-pace">{text}</p> }.into_any()
}

fn found_view(tried: Tried, is_single: bool) -> AnyView {
    let heads = tried
        .heads
        .into_iter()
        .map(|head| view! { <th scope="col">{head}</th> });
    let colours = tried.colours.into_iter().chain(std::iter::repeat(None));
    let rows = tried.rows.into_iter().zip(colours).map(|(cells, colour)| {
        let mut colour = colour;
        let cells = cells.into_iter().map(|cell| {
            let swatch = colour.take().map(|colour| {
                view! { <span class="lab-swatch" aria-hidden="true" style:background-color=colour></span> }
            });
            view! { <td>{swatch}{cell}</td> }
        });
        view! { <tr>{cells.collect_view()}</tr> }
    });
    let time = if is_single {
        format!(" One run took {} ms {}.", millis(tried.model_millis), tried.place)
    } else {
        format!(" It ran {}.", tried.place)
    };
    view! {
        <p data-testid="lab-summary"><strong>{tried.summary}</strong>{time}</p>
        <div class="table-scroll lab-rows" tabindex="0" role="region" aria-label="What it found">
            <table class="table lab-table" data-testid="lab-found">
                <caption>"What it found"</caption>
                <thead><tr>{heads.collect_view()}</tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
