//! The page's line to the worker that evaluates files. Whatever it is at, it can be ended; the next request starts another.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use plumbline_web::platform::channel::Channel;
use plumbline_web::platform::failure::message_of;
use plumbline_web::platform::source::file::PickedFile;
use plumbline_web::platform::{ahead, message};
use plumbline_web::worker::watch_wire::{FromWatch, decode_from_watch};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, Event, Worker};

use crate::evaluation::messages::{FromEvaluator, ToEvaluator};

/// The worker's program.
const PROGRAM: &str = "watch_worker";

type Listener = Rc<dyn Fn(FromEvaluator)>;
type OnError = Closure<dyn Fn(Event)>;

/// A line to one worker after the other. What ends a worker is heard as [`FromEvaluator::Failed`].
#[derive(Clone)]
pub struct EvaluatorLink(Rc<Inner>);

struct Inner {
    listener: Listener,
    worker: RefCell<Option<(Worker, OnError)>>,
    /// Whether it has said that it listens; requests wait until then.
    has_started: Cell<bool>,
    waiting: RefCell<Vec<JsValue>>,
}

impl EvaluatorLink {
    /// A line whose worker starts with the first request.
    pub fn new(listener: impl Fn(FromEvaluator) + 'static) -> Self {
        Self(Rc::new(Inner {
            listener: Rc::new(listener),
            worker: RefCell::new(None),
            has_started: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
        }))
    }

    /// Asks. Files ride along.
    pub fn request(&self, request: &ToEvaluator, files: &[PickedFile]) {
        let load: Array = files.iter().map(PickedFile::as_file).collect();
        let posted = message::encode(request, Some(&load));
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
    }

    /// Ends the worker, whatever it is at. Nothing more is heard of what it was asked.
    pub fn end(&self) {
        self.0.has_started.set(false);
        self.0.waiting.borrow_mut().clear();
        if let Some((worker, on_error)) = self.0.worker.borrow_mut().take() {
            worker.set_onerror(None);
            worker.terminate();
            // It may be running.
            on_error.forget();
        }
    }

    fn post(&self, posted: &JsValue) {
        let worker = self.0.worker.borrow();
        if let Some((worker, _)) = worker.as_ref() {
            // Texts and files can always be posted.
            let _ = worker.unchecked_ref::<Channel>().post(posted, &Array::new());
        }
    }

    fn start(&self) -> Result<(), JsValue> {
        let worker = ahead::start_worker_of(PROGRAM)?;
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
                "The worker that evaluates stopped ({what}). Mostly this means that the files need more memory than the browser \
                 gives; `plumb evaluate` reads larger ones in a terminal."
            ));
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        *self.0.worker.borrow_mut() = Some((worker, on_error));
        Ok(())
    }

    fn gone(&self, sentence: String) {
        self.end();
        (self.0.listener)(FromEvaluator::Failed { sentence });
    }

    fn heard(&self, posted: &JsValue) {
        // The first word is the same to whoever starts this program.
        if decode_from_watch(posted) == Ok(FromWatch::Started) {
            self.0.has_started.set(true);
            let waiting = std::mem::take(&mut *self.0.waiting.borrow_mut());
            waiting.iter().for_each(|posted| self.post(posted));
            return;
        }
        match message::decode::<FromEvaluator>(posted) {
            Ok((FromEvaluator::Died { what }, _)) => {
                self.gone(format!(
                    "The worker that evaluates met an error of its own: {what}."
                ));
            }
            Ok((message, _)) => (self.0.listener)(message),
            Err(what) => self.gone(format!(
                "The page and its worker are of different builds ({what})."
            )),
        }
    }
}
