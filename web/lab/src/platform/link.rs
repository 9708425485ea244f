//! The interface's end of the line to its worker, and the watch over it.
//!
//! What the worker does depends on a stranger's file, so nothing is taken for granted: it answers, or gives signs of life,
//! or it is ended and another is started. Cancelling is the same.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::Array;
use plumbline_web::platform::ahead;
use plumbline_web::platform::channel::Channel;
use plumbline_web::platform::failure::message_of;
use plumbline_web::platform::page::now_millis;
use plumbline_web::platform::picture::Picture;
use plumbline_web::platform::scope::pause;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ErrorEvent, Event, File, Worker};

use super::drawing::Drawing;
use crate::protocol::{FromLab, Stage, ToLab, Tried};
use plumbline_web::platform::message;

/// What the interface hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// The worker says something.
    Message(FromLab),
    /// What it found in a picture, with the drawing.
    Drawn(Tried, Drawing),
    /// The worker is gone, with what it was asked; the next request finds another.
    Ended {
        /// Why.
        sentence: String,
    },
}

type Listener = Rc<dyn Fn(Heard)>;
type OnError = Closure<dyn Fn(Event)>;

/// A line to one worker after the other.
#[derive(Clone)]
pub struct LabLink(Rc<Inner>);

struct Inner {
    listener: Listener,
    silence: Duration,
    worker: RefCell<Option<(Worker, OnError)>>,
    /// Whether it has said that it listens; requests wait until then.
    has_started: Cell<bool>,
    waiting: RefCell<Vec<Posted>>,
    /// Requests that are unanswered.
    unanswered: Cell<u32>,
    /// When something was heard, asked or ended last.
    sign_millis: Cell<f64>,
    /// Whether somebody waits for the next sign.
    is_watched: Cell<bool>,
    stage: Cell<Option<Stage>>,
}

/// A message, and what changes owner with it.
struct Posted {
    message: JsValue,
    transfer: Array,
}

impl LabLink {
    /// A line whose worker starts with the first request. One that is silent for so long is ended.
    pub fn new(silence: Duration, listener: impl Fn(Heard) + 'static) -> Self {
        Self(Rc::new(Inner {
            listener: Rc::new(listener),
            silence,
            worker: RefCell::new(None),
            has_started: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
            unanswered: Cell::new(0),
            sign_millis: Cell::new(0.0),
            is_watched: Cell::new(false),
            stage: Cell::new(None),
        }))
    }

    /// Asks. A file may ride along.
    pub fn request(&self, request: &ToLab, file: Option<&File>) {
        self.ask(Posted {
            message: message::encode(request, file.map(AsRef::as_ref)),
            transfer: Array::new(),
        });
    }

    /// Asks with a frame, which is the worker's from then on.
    pub fn request_with_frame(&self, request: &ToLab, frame: &Picture) {
        self.ask(Posted {
            message: message::encode(request, Some(frame.as_js())),
            transfer: Array::of1(frame.as_js()),
        });
    }

    /// Whether something that was asked is unanswered.
    pub fn is_busy(&self) -> bool {
        self.0.unanswered.get() > 0
    }

    fn ask(&self, posted: Posted) {
        self.0.unanswered.set(self.0.unanswered.get() + 1);
        self.0.stage.set(None);
        self.note();
        if self.0.worker.borrow().is_none()
            && let Err(thrown) = self.start()
        {
            self.gone(format!("No worker could be started: {}.", message_of(&thrown)));
            return;
        }
        if self.0.has_started.get() {
            self.post(&posted);
        } else {
            self.0.waiting.borrow_mut().push(posted);
        }
        self.watch();
    }

    /// Ends the worker, whatever it is at. Nothing more is heard of what it was asked.
    pub fn end(&self) {
        self.0.unanswered.set(0);
        self.0.has_started.set(false);
        self.0.waiting.borrow_mut().clear();
        self.note();
        if let Some((worker, on_error)) = self.0.worker.borrow_mut().take() {
            worker.set_onerror(None);
            worker.terminate();
            // It may be running.
            on_error.forget();
        }
    }

    fn note(&self) {
        self.0.sign_millis.set(now_millis());
    }

    fn answered(&self) {
        self.0.unanswered.set(self.0.unanswered.get().saturating_sub(1));
    }

    fn post(&self, posted: &Posted) {
        let worker = self.0.worker.borrow();
        let Some((worker, _)) = worker.as_ref() else {
            return;
        };
        // Texts, files and frames can always be posted.
        let _ = worker
            .unchecked_ref::<Channel>()
            .post(&posted.message, &posted.transfer);
    }

    fn start(&self) -> Result<(), JsValue> {
        let worker = ahead::start_worker_of("lab_worker")?;
        let channel: Channel = worker.clone().unchecked_into();
        let link = self.clone();
        channel.on_message(move |posted| link.heard(&posted));
        let link = self.clone();
        let on_error = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            event.prevent_default();
            let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message);
            let what = message.filter(|message| !message.is_empty());
            let what = what.unwrap_or_else(|| "it could not be loaded".to_owned());
            link.gone(format!(
                "The worker that reads models stopped ({what}). Mostly this means that the model needs more memory than the \
                 browser gives."
            ));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        *self.0.worker.borrow_mut() = Some((worker, on_error));
        Ok(())
    }

    /// Ends the worker if it stays silent while something is unanswered.
    fn watch(&self) {
        if self.0.is_watched.replace(true) {
            return;
        }
        let link = self.clone();
        spawn_local(async move {
            while link.is_busy() {
                let silent_millis = now_millis() - link.0.sign_millis.get();
                let rest_millis = link.0.silence.as_millis() as f64 - silent_millis;
                if rest_millis > 0.0 {
                    pause(rest_millis.ceil() as u32).await;
                    continue;
                }
                let doing = link.0.stage.get().map_or("starting", Stage::doing);
                link.gone(format!(
                    "The model was stopped: it gave no sign of life for {} seconds while {doing}. This page is not affected.",
                    link.0.silence.as_secs()
                ));
            }
            link.0.is_watched.set(false);
        });
    }

    /// Ends the worker, says why, and starts another, so that the page is as it was.
    fn gone(&self, sentence: String) {
        let had_started = self.0.has_started.get();
        self.end();
        (self.0.listener)(Heard::Ended { sentence });
        // One that never listened would fail again.
        if had_started {
            // The next request tries again.
            let _ = self.start();
        }
    }

    fn heard(&self, posted: &JsValue) {
        self.note();
        match message::decode::<FromLab>(posted) {
            Ok((FromLab::Started, _)) => {
                self.0.has_started.set(true);
                let waiting = std::mem::take(&mut *self.0.waiting.borrow_mut());
                for posted in &waiting {
                    self.post(posted);
                }
            }
            Ok((FromLab::Died { what }, _)) => {
                self.gone(format!(
                    "The worker that reads models met an error of its own: {what}."
                ));
            }
            Ok((FromLab::Tried(tried), load)) => {
                self.answered();
                if let Some(drawing) = Drawing::from_js(load) {
                    (self.0.listener)(Heard::Drawn(*tried, drawing));
                }
            }
            Ok((message, _)) => {
                match &message {
                    FromLab::Sign { stage, .. } => self.0.stage.set(Some(*stage)),
                    FromLab::TestedOnCpu(_) => {}
                    _ => self.answered(),
                }
                (self.0.listener)(Heard::Message(message));
            }
            Err(what) => {
                self.gone(format!(
                    "The page and its worker are of different builds ({what})."
                ));
            }
        }
    }
}
