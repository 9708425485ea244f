//! Whether the session is watched, and what is said of it: starts the worker that watches, gives it a line to the engine
//! and one to the interface of `/monitor`, and does what it decides about models.
//!
//! Watching begins with the first look at `/monitor`, or with the session where the person wants it on every visit, and
//! ends with the session.

use leptos::prelude::*;

use super::Live;
use crate::platform::page;
use crate::platform::watch_link::{self, WatchLink};
use crate::platform::{door, door::Mounted};
use crate::worker::protocol::ToEngine;
use crate::worker::watch_wire::{FromWatch, ToWatch};

/// Whether every session is watched.
const ALWAYS: &str = "plumbline.watch";
/// Whether numbers of watched sessions are kept.
const KEEPS: &str = "plumbline.watch-numbers";

/// As in `data-watch`, while nobody watches.
const OFF: &str = "off";

/// How the session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// As in `data-watch`.
    pub id: String,
    /// What a person reads.
    pub sentence: String,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            id: OFF.to_owned(),
            sentence: String::new(),
        }
    }
}

/// Whether every session is watched, as remembered.
pub(super) fn is_always_watched() -> bool {
    page::remembered(ALWAYS).is_some_and(|value| value == "on")
}

impl Live {
    /// Watches every session from now on, or none but those that are looked at.
    pub fn set_always_watched(&self, on: bool) {
        page::remember(ALWAYS, if on { "on" } else { "off" });
        self.always_watched.set(on);
        if on {
            self.watch();
        } else {
            self.stop_watching();
        }
    }

    /// Watches this session, if nobody does.
    pub fn watch(&self) {
        let controller = self.controller();
        if controller.watcher.borrow().is_some() {
            return;
        }
        let live = *self;
        match WatchLink::start(move |message| live.watcher_said(message)) {
            Ok(link) => {
                link.post(ToWatch::Begin {
                    query: page::query(),
                    keeps_numbers: page::remembered(KEEPS).is_some_and(|value| value == "on"),
                });
                *controller.watcher.borrow_mut() = Some(link);
                self.set_watched("learning", "Watching begins with the next frames.");
                self.tell_watched_model();
                self.connect_watcher();
            }
            Err(sentence) => self.set_watched(OFF, &sentence),
        }
    }

    /// Nobody watches any longer.
    pub(super) fn stop_watching(&self) {
        if self.controller().watcher.take().is_some() {
            self.tell_engine(ToEngine::Watch { port: None });
            self.set_watched(OFF, "");
            self.is_broken.set(false);
        }
    }

    /// Gives the engine that runs and the worker that watches a line of their own.
    pub(super) fn connect_watcher(&self) {
        let controller = self.controller();
        let watcher = controller.watcher.borrow();
        if let (Some(watcher), true, Some([port, other])) = (
            watcher.as_ref(),
            controller.link.borrow().is_some(),
            watch_link::line(),
        ) {
            watcher.post(ToWatch::Engine { port });
            self.tell_engine(ToEngine::Watch { port: Some(other) });
        }
    }

    /// Says what measures.
    pub(super) fn tell_watched_model(&self) {
        let controller = self.controller();
        let weights = controller.weights.borrow().clone();
        if let (Some(watcher), Some(weights)) = (controller.watcher.borrow().as_ref(), weights) {
            let model = self.session.with_untracked(|session| session.model);
            watcher.post(ToWatch::Model { model, weights });
        }
    }

    /// Loads the interface of `/monitor` and has it draw into an element.
    ///
    /// # Errors
    /// A sentence, when it cannot be loaded.
    pub async fn open_monitor(self, id: &'static str) -> Result<Mounted, String> {
        self.watch();
        let line = watch_link::line();
        let controller = self.controller();
        let port = match (controller.watcher.borrow().as_ref(), line) {
            (Some(watcher), Some([port, other])) => {
                watcher.post(ToWatch::Interface { port });
                Some(other)
            }
            _ => None,
        };
        door::open("watch", id, "monitor", port).await
    }

    fn watcher_said(&self, message: FromWatch) {
        match message {
            FromWatch::Started => {}
            FromWatch::State { id, sentence } => self.set_watched(&id, &sentence),
            FromWatch::UseModel(model) => self.choose_model(model),
            FromWatch::KeepNumbers(on) => page::remember(KEEPS, if on { "on" } else { "off" }),
            FromWatch::Ended(sentence) => {
                self.stop_watching();
                self.set_watched(OFF, &sentence);
            }
        }
    }

    fn set_watched(&self, id: &str, sentence: &str) {
        self.watched.set(Watched {
            id: id.to_owned(),
            sentence: sentence.to_owned(),
        });
    }
}
