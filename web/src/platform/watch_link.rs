//! The page's end of the line to the worker that watches the session.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{Event, MessageChannel, MessagePort, Worker};

use super::ahead;
use super::channel::Channel;
use super::failure::message_of;
use crate::worker::watch_wire::{FromWatch, ToWatch, decode_from_watch, encode_to_watch};

/// The worker. It ends when this is dropped.
pub struct WatchLink {
    worker: Worker,
    _on_error: Closure<dyn Fn(Event)>,
    line: Rc<Line>,
}

struct Line {
    channel: Channel,
    has_started: Cell<bool>,
    /// What is said before it listens.
    waiting: RefCell<Vec<ToWatch>>,
}

impl WatchLink {
    /// Starts the worker. Everything that it says goes to `listener`, and so does the news of its death.
    ///
    /// # Errors
    /// A sentence.
    pub fn start(listener: impl Fn(FromWatch) + 'static) -> Result<Self, String> {
        let worker = ahead::start_worker_of("watch_worker").map_err(|thrown| ended(&message_of(&thrown)))?;
        let listener = Rc::new(listener);
        let on_error = Closure::<dyn Fn(Event)>::new({
            let listener = Rc::clone(&listener);
            move |event: Event| {
                event.prevent_default();
                listener(FromWatch::Ended(ended("its program stopped")));
            }
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        let line = Rc::new(Line {
            channel: worker.clone().unchecked_into(),
            has_started: Cell::new(false),
            waiting: RefCell::default(),
        });
        line.channel.on_message({
            let line = Rc::downgrade(&line);
            move |data| match (decode_from_watch(&data), line.upgrade()) {
                (Ok(FromWatch::Started), Some(line)) => line.begin(),
                (Ok(message), Some(_)) => listener(message),
                (Err(what), Some(_)) => {
                    listener(FromWatch::Ended(ended(&format!(
                        "it is of another build ({what})"
                    ))));
                }
                (_, None) => {}
            }
        });
        Ok(Self {
            worker,
            _on_error: on_error,
            line,
        })
    }

    /// Says something, or keeps it until the worker listens.
    pub fn post(&self, message: ToWatch) {
        if self.line.has_started.get() {
            self.line.post(&message);
        } else {
            self.line.waiting.borrow_mut().push(message);
        }
    }
}

impl Line {
    fn begin(&self) {
        self.has_started.set(true);
        for message in self.waiting.take() {
            self.post(&message);
        }
    }

    fn post(&self, message: &ToWatch) {
        let transfer = Array::new();
        let value = encode_to_watch(message, &transfer);
        // Texts and ports that nobody has used can always be posted.
        let _ = self.channel.post(&value, &transfer);
    }
}

impl Drop for WatchLink {
    fn drop(&mut self) {
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// Both ends of a new line.
pub fn line() -> Option<[MessagePort; 2]> {
    let ends = MessageChannel::new().ok()?;
    Some([ends.port1(), ends.port2()])
}

fn ended(why: &str) -> String {
    format!("Not watching: {why}. Measuring goes on; load the page again to watch.")
}
