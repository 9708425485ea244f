//! Frame after frame of a camera, a clip or the drawn person: one is with the worker at a time, and of those that come
//! meanwhile the newest is next.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use plumbline_core::manifest::Manifest;
use plumbline_web::live::gate::FrameGate;
use plumbline_web::live::meter::Meter;
use plumbline_web::live::source::SourceKind;
use plumbline_web::platform::page::now_millis;
use plumbline_web::platform::scope::pause;
use plumbline_web::platform::source::file::PickedFile;
use plumbline_web::platform::source::{Reports, Source, SourceEnd};
use plumbline_web::worker::protocol::FrameStamp;

use super::state::{Busy, Lab};
use crate::platform::drawing::{Drawing, palette};
use crate::platform::screens::Screens;
use crate::protocol::{Backend, ToLab, Tried};

/// How often numbers and lists change while frames go by; faster, nobody can read them.
const READABLE_MILLIS: f64 = 500.0;

/// A frame that is answered this soon after the end needs no words.
const GRACE_MILLIS: u32 = 300;

/// What is to be looked at.
#[derive(Clone)]
pub struct Wish {
    /// From where.
    pub kind: SourceKind,
    /// The clip.
    pub file: Option<PickedFile>,
    /// Where it is shown.
    pub screens: Screens,
}

/// How fast frames go by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// Results a second; none before the second one.
    pub frames_per_second: Option<f64>,
    /// Median time of a frame, from its arrival at the worker to the drawing.
    pub frame_millis: f64,
    /// Median time of the model alone.
    pub model_millis: f64,
    /// Frames that a newer one replaced.
    pub dropped: u32,
}

/// What is looked at frame by frame. Copies are the same.
#[derive(Clone, Copy)]
pub struct Following {
    /// From where; nothing while nothing is followed.
    pub source: RwSignal<Option<SourceKind>>,
    /// How fast.
    pub pace: RwSignal<Option<Pace>>,
    inner: StoredValue<Rc<Inner>, LocalStorage>,
}

#[derive(Default)]
struct Inner {
    wish: RefCell<Option<Wish>>,
    source: RefCell<Option<Source>>,
    gate: RefCell<FrameGate<FrameStamp>>,
    frames: RefCell<Meter>,
    model: RefCell<Meter>,
    /// Of the trial, counted on by each beginning and end.
    number: Cell<u32>,
    /// What the worker was told of the trial.
    told: RefCell<Option<(Manifest, Backend)>>,
    /// What was found last, where it is not shown yet.
    latest: RefCell<Option<Tried>>,
    shown_millis: Cell<f64>,
}

impl Following {
    /// Nothing is followed.
    pub fn new() -> Self {
        Self {
            source: RwSignal::new(None),
            pace: RwSignal::new(None),
            inner: StoredValue::new_local(Rc::default()),
        }
    }

    /// Begins another trial; its number.
    pub fn next_number(self) -> u32 {
        let number = self.number() + 1;
        self.inner.with_value(|inner| inner.number.set(number));
        number
    }

    fn number(self) -> u32 {
        self.inner.with_value(|inner| inner.number.get())
    }

    fn inner(self) -> Rc<Inner> {
        self.inner.with_value(Rc::clone)
    }

    fn is_on(self) -> bool {
        self.source.with_untracked(Option::is_some)
    }
}

impl Default for Following {
    fn default() -> Self {
        Self::new()
    }
}

impl Lab {
    /// Looks at a source, frame after frame, until it ends or somebody stops it.
    pub fn follow(self, wish: Wish) {
        self.rest();
        self.problem.set(None);
        self.tried.set(None);
        *self.following.inner().wish.borrow_mut() = Some(wish);
        self.ask_to_follow();
    }

    /// The model is open: the source is opened.
    pub(super) fn begin_following(self) {
        let inner = self.following.inner();
        let Some(wish) = inner.wish.borrow().clone() else {
            return;
        };
        let number = self.following.next_number();
        *inner.gate.borrow_mut() = FrameGate::default();
        inner.frames.borrow_mut().clear();
        inner.model.borrow_mut().clear();
        inner.told.borrow_mut().take();
        inner.latest.borrow_mut().take();
        inner.shown_millis.set(f64::NEG_INFINITY);
        self.following.pace.set(None);
        self.following.source.set(Some(wish.kind));
        let reports = Reports {
            shown: Rc::new(move |stamp| self.frame_shown(number, stamp)),
            ended: Rc::new(move |end| self.source_ended(number, end)),
        };
        spawn_local(async move {
            let opened = wish.screens.open(wish.kind, wish.file.as_ref(), reports).await;
            if self.is_other(number) {
                // Overtaken: what was opened is dropped here, and with it freed.
                return;
            }
            match opened {
                Ok(source) => {
                    self.said.set(format!("Looking at {}.", source.describe().label));
                    inner.gate.borrow_mut().open();
                    // A source may report its first frame at once.
                    *inner.source.borrow_mut() = Some(source);
                    if let Some(source) = inner.source.borrow().as_ref() {
                        source.begin();
                    }
                }
                Err(sentence) => self.source_ended(number, SourceEnd::Lost(sentence)),
            }
        });
    }

    /// Looks at nothing more. What was found last stays.
    pub fn rest(self) {
        if self.is_left() || !self.following.is_on() {
            return;
        }
        let inner = self.following.inner();
        self.following.next_number();
        self.following.source.set(None);
        drop(inner.source.borrow_mut().take());
        inner.wish.borrow_mut().take();
        if let Some(tried) = inner.latest.borrow_mut().take() {
            self.tried.set(Some(tried));
        }
        let summary = self
            .tried
            .with_untracked(|tried| tried.as_ref().map(|tried| tried.summary.clone()));
        self.said.set(
            format!("Stopped. {}", summary.unwrap_or_default())
                .trim_end()
                .to_owned(),
        );
        // The last frame may take long, or for ever; then there is something to cancel.
        spawn_local(async move {
            pause(GRACE_MILLIS).await;
            if !self.is_left() && self.has_late_frame() {
                self.busy.set(Some(Busy::default()));
            }
        });
    }

    fn has_late_frame(self) -> bool {
        !self.following.is_on() && self.busy.with_untracked(Option::is_none) && self.is_worker_busy()
    }

    fn is_other(self, number: u32) -> bool {
        self.is_left() || self.following.number() != number
    }

    fn source_ended(self, number: u32, end: SourceEnd) {
        if self.is_other(number) {
            return;
        }
        self.rest();
        if let SourceEnd::Lost(sentence) = end {
            self.fail(sentence);
        }
    }

    fn frame_shown(self, number: u32, stamp: FrameStamp) {
        if self.is_other(number) {
            return;
        }
        let next = self.following.inner().gate.borrow_mut().shown(stamp);
        if let Some(stamp) = next {
            self.send(number, stamp);
        }
    }

    fn send(self, number: u32, stamp: FrameStamp) {
        let inner = self.following.inner();
        let screen = inner.source.borrow().as_ref().map(Source::screen);
        let Some(screen) = screen else {
            inner.gate.borrow_mut().not_captured();
            return;
        };
        spawn_local(async move {
            let captured = screen.capture(stamp.time_secs).await;
            if self.is_other(number) {
                if let Ok(frame) = captured {
                    frame.close();
                }
                return;
            }
            let frame = match captured {
                Ok(frame) => frame,
                Err(sentence) => {
                    self.source_ended(number, SourceEnd::Lost(sentence));
                    return;
                }
            };
            let Some(manifest) = self.complete_manifest() else {
                frame.close();
                self.rest();
                return;
            };
            let wanted = (manifest, self.backend.get_untracked());
            let request = if inner.told.borrow().as_ref() == Some(&wanted) {
                ToLab::TryNext { number }
            } else {
                let (manifest, backend) = wanted.clone();
                *inner.told.borrow_mut() = Some(wanted);
                let wish = inner.wish.borrow();
                ToLab::Try {
                    number,
                    manifest: Box::new(manifest),
                    backend,
                    moves: true,
                    palette: wish
                        .as_ref()
                        .map(|wish| palette(&wish.screens.result))
                        .unwrap_or_default(),
                }
            };
            self.ask_of_frame(&request, &frame);
        });
    }

    /// Something was found in a picture or a frame; or in one that nobody waits for any more.
    pub(super) fn drawn(self, tried: Tried, drawing: Drawing) {
        if self.is_other(tried.number) {
            drawing.discard();
            if !self.is_worker_busy() {
                self.busy.set(None);
            }
            return;
        }
        if !self.following.is_on() {
            self.busy.set(None);
            self.said.set(tried.summary.clone());
            self.tried.set(Some(tried));
            self.drawing.set(Some(drawing));
            return;
        }
        let (inner, number) = (self.following.inner(), tried.number);
        if let Some(wish) = inner.wish.borrow().as_ref() {
            // Without it the table says the same.
            let _ = drawing.show(&wish.screens.result);
        }
        let now = now_millis();
        inner.frames.borrow_mut().record(now, tried.frame_millis);
        inner.model.borrow_mut().record(now, tried.model_millis);
        if now - inner.shown_millis.get() < READABLE_MILLIS {
            *inner.latest.borrow_mut() = Some(tried);
        } else {
            inner.shown_millis.set(now);
            inner.latest.borrow_mut().take();
            self.tried.set(Some(tried));
            self.following.pace.set(Some(Pace {
                frames_per_second: inner.frames.borrow().frames_per_second(),
                frame_millis: inner.frames.borrow().frame_millis().unwrap_or_default(),
                model_millis: inner.model.borrow().frame_millis().unwrap_or_default(),
                dropped: inner.gate.borrow().dropped(),
            }));
        }
        if let Some(source) = inner.source.borrow().as_ref() {
            source.result_drawn();
        }
        let next = inner.gate.borrow_mut().answered();
        if let Some(stamp) = next {
            self.send(number, stamp);
        }
    }
}
