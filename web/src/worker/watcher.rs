//! The engine's end of the line to the worker that watches the session, while there is one.
//!
//! Goes in: every measurement, once the page has it, and the pixels that it was made of, where they were read. The engine
//! never waits for the watcher, with one exception: while pictures are spoiled on purpose, each goes there first, so that
//! models and stage see the same. Where that takes too long it ends.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use plumbline_core::monitor::probe::ImageProbe;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MessagePort;

use super::pixels::Pixels;
use super::protocol::{FromEngine, Measurement};
use super::watch_wire::{FromWatched, ToWatched, decode_to_watched, encode_from_watched, encode_measured};
use crate::live::backend::Backend;
use crate::platform::channel::Channel;
use crate::platform::page::now_millis;
use crate::platform::picture::Picture;
use crate::platform::scope::pause;

/// How long a spoiled picture may take.
const BREAK_LIMIT_MILLIS: u32 = 2000;

/// The line. It closes when this is dropped.
pub struct Watcher {
    port: MessagePort,
    heard: Rc<Heard>,
    cost_millis: f64,
}

/// What the watcher has said.
#[derive(Default)]
struct Heard {
    looks: Cell<bool>,
    breaks: Cell<bool>,
    /// What came back, until somebody takes it.
    broken: RefCell<Option<(u32, Option<Picture>)>>,
    waker: RefCell<Option<Waker>>,
}

impl Watcher {
    /// Listens.
    pub fn new(port: MessagePort) -> Self {
        let heard = Rc::new(Heard::default());
        channel(&port).on_message({
            let heard = Rc::clone(&heard);
            // Of another build: it is as if nothing was said.
            move |data| {
                if let Ok(message) = decode_to_watched(&data) {
                    heard.hear(message);
                }
            }
        });
        Self {
            port,
            heard,
            cost_millis: 0.0,
        }
    }

    /// Hands over what the page was told of frames. On the CPU their pixels were read last.
    pub fn answered(&mut self, answers: &[FromEngine], read: &Pixels) {
        for answer in answers {
            if let FromEngine::Measured { measurement, .. } = answer {
                let pixels = (measurement.backend == Backend::Cpu).then_some(read);
                self.measured(measurement, pixels);
            }
        }
    }

    fn measured(&mut self, measurement: &Measurement, pixels: Option<&Pixels>) {
        let start_millis = now_millis();
        let probe = pixels.and_then(|pixels| ImageProbe::of(&pixels.rgba, pixels.size(), 4));
        self.post(&encode_measured(measurement, probe.as_ref(), self.cost_millis));
        self.cost_millis = now_millis() - start_millis;
    }

    /// Sends a frame's picture if one was asked for.
    pub fn show(&self, index: u32, picture: &Picture) {
        if self.heard.looks.take() {
            let picture = picture.clone();
            self.say(&FromWatched::Picture { index, picture });
        }
    }

    /// The picture of a frame as it is to be measured, where pictures are spoiled.
    pub async fn broken(&self, index: u32, picture: &Picture) -> Option<Picture> {
        if !self.heard.breaks.get() {
            return None;
        }
        let copy = picture.clone();
        self.say(&FromWatched::Break { index, picture: copy });
        let mut limit = pin!(pause(BREAK_LIMIT_MILLIS));
        let answer = poll_fn(|context| {
            if let Some((of, picture)) = self.heard.broken.borrow_mut().take() {
                if of == index {
                    return Poll::Ready(Some(picture));
                }
                // Of a frame that was not waited for any longer.
                picture.inspect(Picture::close);
            }
            *self.heard.waker.borrow_mut() = Some(context.waker().clone());
            limit.as_mut().poll(context).map(|()| None)
        })
        .await;
        if answer.is_none() {
            self.heard.breaks.set(false);
            self.say(&FromWatched::BrokenTooLate);
        }
        answer.flatten()
    }

    fn say(&self, message: &FromWatched) {
        self.post(&encode_from_watched(message));
    }

    fn post(&self, message: &JsValue) {
        // Where a browser cannot copy a picture to another thread, the watcher does without.
        let _ = self.port.post_message(message);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.port.close();
    }
}

impl Heard {
    fn hear(&self, message: ToWatched) {
        match message {
            ToWatched::Look => self.looks.set(true),
            ToWatched::Break(on) => self.breaks.set(on),
            ToWatched::Broken { index, picture } => {
                if let Some((_, Some(before))) = self.broken.borrow_mut().replace((index, picture)) {
                    before.close();
                }
                if let Some(waker) = self.waker.borrow_mut().take() {
                    waker.wake();
                }
            }
        }
    }
}

fn channel(port: &MessagePort) -> &Channel {
    port.unchecked_ref()
}
