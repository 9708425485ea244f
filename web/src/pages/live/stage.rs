//! The stage: the picture, the skeleton above it, and what is said while there is neither.

use leptos::either::EitherOf5;
use leptos::html::{Canvas, Video};
use leptos::prelude::*;

use crate::components::notice::Notice;
use crate::live::background::BackgroundKind;
use crate::live::controller::Live;
use crate::live::format;
use crate::live::session::{Engine, Event, StageState};
use crate::platform::page;
use crate::platform::painter::{self, Painter};
use crate::platform::source::Screens;
use crate::platform::source::file::PickedFile;

/// The stage. It takes files that are dropped on it.
#[component]
pub fn Stage() -> impl IntoView {
    let live = expect_context::<Live>();
    let (video, picture, composed, skeleton, print) = (
        NodeRef::<Video>::new(),
        NodeRef::<Canvas>::new(),
        NodeRef::<Canvas>::new(),
        NodeRef::<Canvas>::new(),
        NodeRef::<Canvas>::new(),
    );
    Effect::new(move || {
        let (Some(video), Some(canvas), Some(composed), Some(overlay)) =
            (video.get(), picture.get(), composed.get(), skeleton.get())
        else {
            return;
        };
        page::on_resize(&overlay, move || live.repaint());
        let screens = Screens {
            video,
            canvas,
            composed,
        };
        live.attach(screens, Painter::new(overlay));
    });
    let printing = page::on_window_event("beforeprint", move |_| {
        live.printed_on.set(page::local_date_and_time());
        let (Some(print), Some(overlay)) = (print.get_untracked(), skeleton.get_untracked()) else {
            return;
        };
        let mirrored = live.is_mirrored_untracked();
        live.with_shown(|screen| painter::snapshot(&print, screen, &overlay, mirrored));
    });
    on_cleanup(move || {
        printing.remove();
        live.detach();
    });

    let session = live.session;
    let state = move || session.with(|session| session.state());
    let shows_video = move || session.with(|session| session.source.is_some_and(|kind| kind.is_video()));
    let is_empty = move || session.with(|session| session.opened.is_none());
    let is_dropping = RwSignal::new(false);
    let background = live.background;
    let ratio = move || {
        session.with(|session| {
            let opened = session.opened.as_ref()?;
            Some(format!("{} / {}", opened.width_px, opened.height_px))
        })
    };
    view! {
        <section
            class="stage"
            class:is-mirrored=move || live.is_mirrored()
            class:is-empty=is_empty
            class:is-dropping=is_dropping
            aria-label="Stage"
            data-testid="stage"
            data-state=move || state().id()
            data-source=move || session.with(|session| session.source.map_or("", |kind| kind.id()))
            data-frames=move || live.frames.get()
            data-dropped=move || live.readout.get().dropped
            data-backend=move || session.with(|session| session.choice().map_or("", |choice| choice.backend.id()))
            data-workers=move || live.workers.get()
            data-tuning=move || session.with(|session| {
                session.tuning.as_ref().map_or("", |tuning| tuning.standing().id())
            })
            data-background=move || background.get().kind.id()
            data-people=move || live.people_limit.get()
            data-model=move || session.with(|session| session.model.id())
            data-watch=move || live.watched.get().id
            data-engine=move || live.place.get().map_or("", |place| place.id())
            data-landmarks=move || live.inspected.get()
            on:dragover=move |event| {
                event.prevent_default();
                is_dropping.set(true);
            }
            on:dragleave=move |_| is_dropping.set(false)
            on:drop=move |event| {
                is_dropping.set(false);
                if let Some(file) = PickedFile::from_drop(&event) {
                    live.start_file(file);
                }
            }
        >
            <video
                class="stage-layer stage-picture"
                node_ref=video
                playsinline=true
                prop:muted=true
                hidden=move || !shows_video()
                aria-label="The picture that is measured"
            ></video>
            <canvas
                class="stage-layer stage-picture"
                node_ref=picture
                hidden=shows_video
                role="img"
                aria-label="The picture that is measured"
            ></canvas>
            <div class="stage-layer stage-cover" style:--ratio=ratio hidden=move || !background.get().is_on() && !live.is_broken.get()>
                <canvas
                    class="stage-picture stage-composed"
                    class:is-cut-out=move || background.get().kind == BackgroundKind::CutOut
                    node_ref=composed
                    role="img"
                    aria-label=move || match live.is_broken.get() {
                        true => "The picture as it is measured: spoiled on purpose",
                        false => "The person in front of another background",
                    }
                    data-testid="composed"
                ></canvas>
            </div>
            <canvas
                class="stage-layer stage-skeleton"
                class:is-choosable=move || live.people_limit.get() != 1
                node_ref=skeleton
                role="img"
                aria-label=move || described(&live)
                on:click=move |event| live.choose_person_at(event.offset_x(), event.offset_y())
            ></canvas>
            <canvas class="stage-layer stage-print" node_ref=print aria-hidden="true"></canvas>
            <Message/>
            {move || session.with(|session| session.opened.clone()).map(|opened| view! {
                <p class="stage-corner">
                    {opened.label}" · "
                    <span class="number">{opened.width_px}" × "{opened.height_px}</span>
                </p>
            })}
        </section>
    }
}

/// What a screen reader says of the skeleton.
fn described(live: &Live) -> String {
    match live.readout.get().quality {
        None => "No skeleton yet".to_owned(),
        Some(quality) => format!("Skeleton, tracking {}. {}", quality.word(), live.people_note()),
    }
}

/// The sentence in the middle: what to do, or what is being waited for.
#[component]
fn Message() -> impl IntoView {
    let live = expect_context::<Live>();
    // Downloads change the progress many times a second; only the bar follows, the words stay.
    let step = Memo::new(move |_| {
        live.session
            .with(|session| Step::of(session.state(), &session.engine))
    });
    let progress = move || {
        live.session.with(|session| match session.engine {
            Engine::Downloading { received, total } => (received, total),
            Engine::Absent | Engine::Preparing | Engine::Ready(_) => (0, 0),
        })
    };
    move || match step.get() {
        Step::Nothing => None,
        Step::Invite => Some(EitherOf5::A(view! {
            <div class="stage-message">
                <strong>"Start the camera, or drop a video or a photo here"</strong>
                <p>"Stand two to four metres away, in the picture from head to feet."</p>
            </div>
        })),
        Step::Failed => Some(EitherOf5::B(view! {
            <div class="stage-message">
                {move || live.session.with(|session| session.notice.clone()).map(|sentence| view! {
                    <Notice sentence is_error=true testid="notice"/>
                })}
            </div>
        })),
        Step::Download => Some(EitherOf5::C(view! {
            <div class="stage-message">
                <strong>"Getting the models"</strong>
                <progress
                    data-testid="progress"
                    max=move || progress().1.max(1)
                    prop:value=move || progress().0 as f64
                    aria-label="Download of the models"
                ></progress>
                <p class="number">
                    {move || {
                        let (received, total) = progress();
                        if total == 0 { "Asking for their size".to_owned() } else {
                            format!("{} of {}", format::bytes(received), format::bytes(total))
                        }
                    }}
                </p>
                <button
                    class="button"
                    type="button"
                    data-testid="cancel"
                    on:click=move |_| live.dispatch(Event::Stop)
                >
                    "Cancel"
                </button>
            </div>
        })),
        Step::Prepare => Some(EitherOf5::D(
            view! { <div class="stage-message"><strong>"Preparing the models…"</strong></div> },
        )),
        Step::Open => Some(EitherOf5::E(view! {
            <div class="stage-message">
                <strong>"Opening…"</strong>
                <p>"If the browser asks, allow the camera."</p>
            </div>
        })),
    }
}

/// Which sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Invite,
    Failed,
    Download,
    Prepare,
    Open,
}

impl Step {
    fn of(state: StageState, engine: &Engine) -> Self {
        match (state, engine) {
            (StageState::Idle, _) => Self::Invite,
            (StageState::Error, _) => Self::Failed,
            (StageState::Loading, Engine::Downloading { .. }) => Self::Download,
            (StageState::Loading, Engine::Preparing) => Self::Prepare,
            (StageState::Loading, Engine::Absent | Engine::Ready(_)) => Self::Open,
            (StageState::Live | StageState::Paused | StageState::Done, _) => Self::Nothing,
        }
    }
}
