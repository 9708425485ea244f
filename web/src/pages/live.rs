//! `/`: the Live page. A camera, a clip, a picture or the drawn person in; a skeleton on the stage and its numbers out.
//! `/monitor` is the same page with the session small and its monitor (`web/watch`) beside it, so that a session goes on while
//! somebody looks at how it stands.
//!
//! # The page's test contract
//! End-to-end tests hold on to these names only; everything else may change.
//!
//! Controls, by `data-testid`:
//!
//! | name | what |
//! |---|---|
//! | `start` | the one primary action: start the camera, or start the last source again |
//! | `stop` | stop; frees the camera; stands where `start` stood |
//! | `pause` | freezes or resumes picture and skeleton |
//! | `try-demo` | start the drawn person |
//! | `file` | `input type=file`, takes a clip or a picture |
//! | `camera`, `resolution`, `model`, `backend` | `select`; values: device id, height in pixels or `any`, `lite`/`full`/`heavy`, `auto`/`cpu`/`gpu` |
//! | `mirror` | checkbox, display only |
//! | `background` | `select`: `none`, `blur`, `colour`, `picture`, `cut-out` |
//! | `background-mask` | `select`: `skeleton`, `selfie`, `selfie-landscape`; hidden without a background |
//! | `background-colour`, `background-picture`, `background-softness` | inputs of type `color`, `file` and `range` (pixels); hidden where the background has none |
//! | `background-note`, `background-problem` | the sentence on how the person is cut out; the one on a picture that cannot stand there or a model that cannot be had (`role=alert`); empty where there is nothing to say |
//! | `people` | `select`: how many people are followed at most, `1` to `4` |
//! | `measured` | `select`: the numbers of the people in view, and of who is measured; hidden where one is followed, as is: |
//! | `people-note` | the sentence that says who is measured or waited for, and how to choose (`role=status`); empty where one is followed |
//! | `composed` | the canvas with the frame in front of that background, of the frame's size, or empty; covers the picture that is measured |
//! | `cancel` | stops the download of weights |
//! | `progress` | `progress` of that download, in bytes |
//! | `notice` | the sentence that says what went wrong (`role=alert`) |
//! | `missing` | the sentence that says what this browser lacks; absent where nothing is missing |
//! | `backend-reason`, `ms-per-frame`, `frames-per-second`, `dropped`, `quality` | `output` |
//! | `tuning` | `output`: what timing both backends has come to; absent where there is nothing to choose |
//! | `time-again` | times both backends again; absent where that makes no sense |
//! | `stages` | `details` with the time of each stage; its rows carry `data-stage`: `picture`, `crop`, `detector`, `landmarks`, `decode`, `mask`, `background`, `total` |
//! | `landmarks` | `details` with the table of the last result of a picture |
//! | `keep-watching` | checkbox: watch the session on every visit |
//! | `watch-sentence` | `output`: how the session stands; empty while nobody watches |
//!
//! The stage, `data-testid="stage"`, carries:
//!
//! | attribute | value |
//! |---|---|
//! | `data-state` | `idle`, `loading`, `live`, `paused`, `done` (a picture is measured, a clip has ended), `error` |
//! | `data-source` | `camera`, `clip`, `picture`, `demo`, or empty |
//! | `data-frames` | frames whose result was drawn since the start |
//! | `data-dropped` | frames that the source showed and nobody measured |
//! | `data-backend` | `cpu`, `gpu`, or empty |
//! | `data-workers` | workers that computed the last frame; on the GPU always 1 |
//! | `data-tuning` | `preparing`, `timing`, `timed`, `software`, `failed`, `lost`, `undecided`, or empty: how far timing both backends has come |
//! | `data-background` | what stands behind the person, as `background` |
//! | `data-people` | how many people are followed at most |
//! | `data-model` | `lite`, `full`, `heavy` |
//! | `data-watch` | `off`, `learning`, `ok`, `watch`, `suspect`, `degraded`, `broken`: how the session stands, while it is watched |
//! | `data-engine` | `worker`, `page` (no worker could start), or empty |
//! | `data-landmarks` | only with `inspect`: JSON of the last result, `{"frame":12,"time_secs":0.4,"width_px":480,"height_px":640,"score":0.98,"landmarks":[[x_px,y_px,visibility], 33 of them]}`; `landmarks` is `null` where who is measured was not found. Where several people are followed also `"measured":2,"people":[{"id":1,"score":0.98,"landmarks":[..]}, ..]` |
//!
//! Query parameters, for tests and for looking closely:
//!
//! | parameter | effect |
//! |---|---|
//! | `inspect` | fills `data-landmarks`, and keeps every result in `window.plumblineResults`, an array of the same JSON strings |
//! | `pace=every` | the drawn person waits for each result: every frame is measured once, in order, at its own time, and the source ends after the last frame instead of looping |
//! | `pace=loop` | the same, and it begins again at the end; frames and times count on |
//! | `watch=on` | watches the session, as after a look at `/monitor` |
//! | `block=0.5` | watching: length of a block in seconds, or `frames:6` |
//! | `sample=30` | watching: looks closer at every so many frames |
//! | `static` | each frame on its own: no tracking and no smoothing |
//! | `frames=copy` | on the GPU, copies frames into textures, as browsers do that cannot look at them where they lie |
//! | `model=lite`, `backend=cpu` | preselects, as if chosen by hand |
//! | `background=blur` | preselects, as if chosen by hand |
//! | `people=3` | preselects, as if chosen by hand |
//! | `workers=2` | on the CPU, two workers compute each frame, whatever is faster; `workers=1` never starts the second |
//! | `tune=software` | times a software adapter as if it were hardware |
//! | `source=demo` | starts at once, without a click |
//!
//! `frame` counts from 0 at the start of the source: for the drawn person it is the index of the frame in the clip
//! (going on upward when the clip loops), for a camera or a clip the running number of the frames that it showed.
//! The mark `plumbline:first-skeleton` (User Timing) is set when the first skeleton of the page's life is drawn.

mod background;
mod landmark_table;
mod panel;
mod people;
mod stage;
mod stage_times;
mod transport;

use leptos::prelude::*;

use crate::components::notice::Notice;
use crate::live::controller::Live;
use crate::live::sentences;
use crate::pages::apart;
use crate::platform::engine_link::Place;
use crate::platform::support::support;
use crate::router::Route;

/// The page, on its own or with the monitor.
#[component]
pub fn LivePage(
    /// Which of the two is looked at.
    route: RwSignal<Route>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let is_monitor = Memo::new(move |_| route.get() == Route::Monitor);
    let missing = sentences::missing(&support());
    let expects_worker = support().module_workers;
    let in_page = move || expects_worker && live.place.get() == Some(Place::Page);
    view! {
        <header class="page-head">
            <h1>{move || if is_monitor.get() { Route::Monitor } else { Route::Live }.title()}</h1>
            <p class="panel-reason">"Measured on this device. No picture leaves it."</p>
        </header>
        <div class="live" class:is-monitored=is_monitor>
            <div class="live-main">
                <stage::Stage/>
                <transport::Transport/>
                <output class="watch-sentence" data-testid="watch-sentence">
                    {move || live.watched.get().sentence}
                </output>
                {missing.map(|sentence| view! { <Notice sentence testid="missing"/> })}
                {move || in_page().then(|| view! {
                    <Notice
                        sentence="The models run in the page itself, because no worker could be started: the page may stutter."
                        testid="in-page"
                    />
                })}
                <landmark_table::LandmarkTable/>
            </div>
            <panel::Panel/>
        </div>
        {move || is_monitor.get().then(|| apart::part(Box::pin(live.open_monitor(apart::PLACE))))}
        <p class="print-only">
            {format!("Plumbline {}, ", env!("CARGO_PKG_VERSION"))}
            {move || live.session.with(|session| format!("BlazePose {}, ", session.model.id()))}
            "printed "{live.printed_on}". Measured on this device. Not a medical device, not a diagnosis."
        </p>
    }
}
