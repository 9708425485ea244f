//! The page's end of the line to the engine: a worker, or, where none can start, the page itself.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessageChannel, Worker};

use super::ahead;
use super::channel::Channel;
use super::failure::message_of;
use crate::worker::protocol::{FromEngine, ToEngine};
use crate::worker::wire;

/// Where the engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a thread of its own.
    Worker,
    /// In the page.
    Page,
}

impl Place {
    /// As in `data-engine`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Page => "page",
        }
    }
}

/// A worker, and what hears of its errors.
type RunningWorker = (Worker, Closure<dyn Fn(web_sys::Event)>);

type Listener = Rc<dyn Fn(FromEngine)>;

/// A line to one engine.
#[derive(Clone)]
pub struct EngineLink {
    inner: Rc<Inner>,
}

struct Inner {
    listener: Listener,
    channel: RefCell<Option<Channel>>,
    worker: RefCell<Option<RunningWorker>>,
    place: Cell<Place>,
    /// Whether the engine has said that it listens; what is posted before that waits here.
    has_started: Cell<bool>,
    is_closed: Cell<bool>,
    waiting: RefCell<Vec<ToEngine>>,
}

impl EngineLink {
    /// Starts an engine. Everything that it says goes to `listener`; so does the news of its death.
    pub fn start(in_worker: bool, listener: impl Fn(FromEngine) + 'static) -> Self {
        let link = Self {
            inner: Rc::new(Inner {
                listener: Rc::new(listener),
                channel: RefCell::new(None),
                worker: RefCell::new(None),
                place: Cell::new(if in_worker { Place::Worker } else { Place::Page }),
                has_started: Cell::new(false),
                is_closed: Cell::new(false),
                waiting: RefCell::new(Vec::new()),
            }),
        };
        if !in_worker || link.start_worker().is_err() {
            link.start_in_page();
        }
        link
    }

    /// Where the engine runs.
    pub fn place(&self) -> Place {
        self.inner.place.get()
    }

    /// Sends a message, or keeps it until the engine listens.
    pub fn post(&self, message: ToEngine) {
        if !self.inner.has_started.get() {
            self.inner.waiting.borrow_mut().push(message);
            return;
        }
        if let Some(channel) = self.inner.channel.borrow().as_ref() {
            let transfer = Array::new();
            let value = wire::encode_request(&message, &transfer);
            if let Err(thrown) = channel.post(&value, &transfer) {
                let sentence = format!("A message to the engine was refused: {}.", message_of(&thrown));
                (self.inner.listener)(FromEngine::Crashed { sentence });
            }
        }
    }

    /// Ends the engine and frees its memory; nothing more is heard of it.
    pub fn close(&self) {
        self.inner.is_closed.set(true);
        self.inner.waiting.borrow_mut().clear();
        if let Some(channel) = self.inner.channel.borrow_mut().take() {
            channel.silence();
        }
        if let Some((worker, _on_error)) = self.inner.worker.borrow_mut().take() {
            worker.set_onerror(None);
            worker.terminate();
        }
    }

    fn start_worker(&self) -> Result<(), JsValue> {
        let (worker, said) = match ahead::engine() {
            Some(engine) => (engine.worker(), engine.said()),
            None => (ahead::start_worker()?, Array::new()),
        };
        let on_error = {
            let link = self.clone();
            Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| link.worker_failed(&event))
        };
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        let channel: Channel = worker.clone().unchecked_into();
        self.listen(channel);
        *self.inner.worker.borrow_mut() = Some((worker, on_error));
        for data in said.iter() {
            self.heard(&data);
        }
        Ok(())
    }

    /// An error before the engine listens means that workers do not work here; later it means that this one died.
    fn worker_failed(&self, event: &web_sys::Event) {
        if self.inner.is_closed.get() {
            return;
        }
        event.prevent_default();
        if self.inner.has_started.get() {
            let message = event
                .dyn_ref::<web_sys::ErrorEvent>()
                .map(web_sys::ErrorEvent::message);
            let sentence = match message {
                Some(message) if !message.is_empty() => format!("The engine stopped: {message}."),
                _ => "The engine stopped.".to_owned(),
            };
            (self.inner.listener)(FromEngine::Crashed { sentence });
            return;
        }
        if let Some((worker, on_error)) = self.inner.worker.borrow_mut().take() {
            worker.set_onerror(None);
            worker.terminate();
            // This very closure is running.
            on_error.forget();
        }
        self.start_in_page();
    }

    fn start_in_page(&self) {
        self.inner.place.set(Place::Page);
        let link = self.clone();
        spawn_local(async move {
            if let Err(thrown) = link.serve_in_page().await {
                let sentence = format!("The engine could not be loaded: {}.", message_of(&thrown));
                (link.inner.listener)(FromEngine::Crashed { sentence });
            }
        });
    }

    async fn serve_in_page(&self) -> Result<(), JsValue> {
        let ends = MessageChannel::new()?;
        self.listen(ends.port1().unchecked_into());
        ahead::start_in_page(&ends.port2()).await
    }

    fn listen(&self, channel: Channel) {
        let link = self.clone();
        channel.on_message(move |data| link.heard(&data));
        *self.inner.channel.borrow_mut() = Some(channel);
    }

    fn heard(&self, data: &JsValue) {
        if self.inner.is_closed.get() {
            return;
        }
        match wire::decode_answer(data) {
            // Of interest to `ahead.js` alone.
            Ok(FromEngine::Awake) => {}
            Ok(FromEngine::Started) => {
                self.inner.has_started.set(true);
                let waiting = std::mem::take(&mut *self.inner.waiting.borrow_mut());
                for message in waiting {
                    self.post(message);
                }
                (self.inner.listener)(FromEngine::Started);
            }
            Ok(message) => (self.inner.listener)(message),
            Err(what) => (self.inner.listener)(FromEngine::Crashed {
                sentence: format!("The engine and the page are of different builds ({what})."),
            }),
        }
    }
}
