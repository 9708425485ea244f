//! A session that is watched: hears of every frame from the engine, looks closer at some, spoils pictures where a person
//! wants that, and says how the session stands.
//!
//! Everything that is heard is taken up one by one, so that a frame's picture is looked at before its result is counted. The
//! engine waits for nothing here but spoiled pictures. What the numbers mean is decided in `plumbline_core::monitor`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use plumbline_core::monitor::session::HISTORY_BLOCKS;
use plumbline_core::monitor::snapshot::{Phase, Snapshot};
use plumbline_web::platform::channel::Channel;
use plumbline_web::platform::message;
use plumbline_web::platform::scope::pause;
use plumbline_web::worker::watch_wire::{
    FromWatch, FromWatched, ToWatch, ToWatched, decode_from_watched, encode_from_watch, encode_to_watched,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::MessagePort;

use super::session::Session;
use super::spoiler::Spoiler;
use crate::protocol::{FromMonitor, ToMonitor};
use crate::sentences::{Tone, state_while};

/// How often time is looked at while no frames come.
const TICK_MILLIS: u32 = 10_000;

/// What is heard.
enum Heard {
    Page(ToWatch),
    Engine(Box<FromWatched>),
    Interface(ToMonitor),
    /// Time has gone by.
    Tick,
}

/// The watcher of one page.
#[derive(Clone)]
pub struct Watching(Rc<Inner>);

struct Inner {
    page: Channel,
    heard: RefCell<VecDeque<Heard>>,
    is_busy: Cell<bool>,
    engine: RefCell<Option<MessagePort>>,
    interface: RefCell<Option<MessagePort>>,
    /// Whether somebody looks at the interface.
    is_open: Cell<bool>,
    /// What the page was told last.
    told: RefCell<Option<(String, String)>>,
    is_ticking: Cell<bool>,
    /// Out of its place while it works.
    work: RefCell<Option<Work>>,
}

/// What is worked on.
#[derive(Default)]
struct Work {
    session: Session,
    spoiler: Spoiler,
}

impl Watching {
    /// Tells the page that somebody listens.
    pub fn new(page: Channel) -> Self {
        let watching = Self(Rc::new(Inner {
            page,
            heard: RefCell::default(),
            is_busy: Cell::new(false),
            engine: RefCell::default(),
            interface: RefCell::default(),
            is_open: Cell::new(false),
            told: RefCell::default(),
            is_ticking: Cell::new(false),
            work: RefCell::new(Some(Work::default())),
        }));
        watching.tell_page(&FromWatch::Started);
        watching
    }

    /// Takes what the page says.
    pub fn hear_page(&self, message: ToWatch) {
        self.hear(Heard::Page(message));
    }

    fn hear(&self, heard: Heard) {
        self.0.heard.borrow_mut().push_back(heard);
        if self.0.is_busy.replace(true) {
            return;
        }
        let watching = self.clone();
        spawn_local(async move {
            let Some(mut work) = watching.0.work.borrow_mut().take() else {
                return;
            };
            loop {
                let next = watching.0.heard.borrow_mut().pop_front();
                match next {
                    Some(heard) => watching.take(heard, &mut work).await,
                    // Thresholds of charts take seconds; frames come first.
                    None if work.session.work() => pause(0).await,
                    None => break,
                }
            }
            *watching.0.work.borrow_mut() = Some(work);
            watching.0.is_busy.set(false);
        });
    }

    async fn take(&self, heard: Heard, work: &mut Work) {
        match heard {
            Heard::Page(message) => self.take_from_page(message, work).await,
            Heard::Engine(message) => self.take_from_engine(*message, work).await,
            Heard::Interface(request) => self.take_from_interface(request, work).await,
            Heard::Tick => {
                work.session.tick();
                // Silence is news; anything else is told with the next block.
                let snapshot = work.session.snapshot(HISTORY_BLOCKS);
                if let Some(snapshot) =
                    snapshot.filter(|snapshot| matches!(snapshot.status.phase, Phase::NotWatching { .. }))
                {
                    self.tell_all(snapshot, work.session.work_progress());
                }
            }
        }
    }

    async fn take_from_page(&self, message: ToWatch, work: &mut Work) {
        match message {
            ToWatch::Begin { query, keeps_numbers } => {
                work.session.begin(&query);
                if keeps_numbers {
                    // Where nothing can be stored any more, the record's part of the page says so.
                    let _ = work.session.keep(true).await;
                }
                self.tick_from_now_on();
            }
            ToWatch::Engine { port } => {
                let watching = self.clone();
                channel(&port).on_message(move |data| {
                    // A message of another build is none.
                    if let Ok(message) = decode_from_watched(&data) {
                        watching.hear(Heard::Engine(Box::new(message)));
                    }
                });
                if let Some(before) = self.0.engine.borrow_mut().replace(port) {
                    before.close();
                }
                work.session.interrupt();
                if work.spoiler.is_on() {
                    self.tell_engine(&ToWatched::Break(true));
                }
            }
            ToWatch::Interface { port } => {
                let watching = self.clone();
                channel(&port).on_message(move |data| {
                    if let Ok((request, _)) = message::decode(&data) {
                        watching.hear(Heard::Interface(request));
                    }
                });
                if let Some(before) = self.0.interface.borrow_mut().replace(port) {
                    before.close();
                }
            }
            ToWatch::Model { model, weights } => work.session.use_model(model, weights),
        }
    }

    async fn take_from_engine(&self, message: FromWatched, work: &mut Work) {
        match message {
            FromWatched::Measured {
                measurement,
                probe,
                cost_millis,
            } => {
                let seen = work.session.observe(&measurement, probe, cost_millis);
                if work.session.wants_picture(&measurement) {
                    self.tell_engine(&ToWatched::Look);
                }
                if seen {
                    work.session.store_block().await;
                    if let Some(snapshot) = work.session.snapshot(HISTORY_BLOCKS) {
                        self.tell_all(snapshot, work.session.work_progress());
                    }
                }
            }
            FromWatched::Picture { index, picture } => {
                work.session.look(index, &picture).await;
                picture.close();
            }
            FromWatched::Break { index, picture } => {
                let spoiled = work.spoiler.spoil(index, &picture).await;
                picture.close();
                if let Err(sentence) = &spoiled {
                    self.stop_spoiling(work, sentence);
                }
                self.tell_engine(&ToWatched::Broken {
                    index,
                    picture: spoiled.ok(),
                });
            }
            FromWatched::BrokenTooLate => self.stop_spoiling(
                work,
                "The picture is no longer spoiled: that took more than two seconds a frame on this device.",
            ),
        }
    }

    async fn take_from_interface(&self, request: ToMonitor, work: &mut Work) {
        let session = &mut work.session;
        let answer = match request {
            ToMonitor::Open => {
                self.0.is_open.set(true);
                Ok(None)
            }
            ToMonitor::Close => {
                self.0.is_open.set(false);
                // Nobody could switch it off.
                if work.spoiler.is_on() {
                    work.spoiler.set(&Default::default());
                    self.tell_engine(&ToWatched::Break(false));
                }
                return;
            }
            ToMonitor::Break { severities } => {
                let was_on = work.spoiler.is_on();
                work.spoiler.set(&severities);
                if work.spoiler.is_on() != was_on {
                    self.tell_engine(&ToWatched::Break(!was_on));
                }
                return;
            }
            ToMonitor::Acknowledge { alarm } => session.acknowledge(alarm).map(|()| None),
            ToMonitor::UseAsReference => session.use_as_reference().map(Some),
            ToMonitor::ForgetReference => session.forget_reference().map(Some),
            ToMonitor::Describe { answers } => session.describe(&answers).map(|()| None),
            ToMonitor::Freeze => session.freeze().map(Some),
            ToMonitor::Import { text } => session.import(&text).map(Some),
            ToMonitor::Export => session.export().map(|(name, text)| {
                self.hand_over(name, text.as_bytes());
                None
            }),
            ToMonitor::Evidence => session.evidence().await.map(|(name, bytes)| {
                self.hand_over(name, &bytes);
                None
            }),
            ToMonitor::Keep { is_on } => {
                let kept = session.keep(is_on).await;
                self.tell_page(&FromWatch::KeepNumbers(is_on && kept.is_ok()));
                kept.map(Some)
            }
        };
        match answer {
            Ok(None) => {}
            Ok(Some(sentence)) => self.tell_interface(&FromMonitor::Done { sentence }),
            Err(sentence) => self.tell_interface(&FromMonitor::Refused { sentence }),
        }
        session.store_records().await;
        if let Some(snapshot) = session.snapshot(HISTORY_BLOCKS) {
            self.tell_all(snapshot, session.work_progress());
        }
    }

    fn stop_spoiling(&self, work: &mut Work, sentence: &str) {
        work.spoiler.set(&Default::default());
        self.tell_engine(&ToWatched::Break(false));
        self.tell_interface(&FromMonitor::Spared {
            sentence: sentence.to_owned(),
        });
    }

    fn hand_over(&self, name: String, bytes: &[u8]) {
        let bytes = Uint8Array::from(bytes).buffer();
        self.post_to_interface(&FromMonitor::File { name }, Some(&bytes));
    }

    /// A snapshot to the interface, and its sentence to the page where it has changed.
    fn tell_all(&self, snapshot: Snapshot, search: Option<f64>) {
        let said = state_while(search, &snapshot);
        let id = match snapshot.status.phase {
            Phase::NotWatching { .. } | Phase::NoReference => "learning",
            _ if said.tone == Tone::Quiet => "learning",
            _ => snapshot.status.verdict.state.name(),
        };
        let told = (id.to_owned(), said.sentence);
        if self.0.told.borrow().as_ref() != Some(&told) {
            let (id, sentence) = told.clone();
            self.tell_page(&FromWatch::State { id, sentence });
            *self.0.told.borrow_mut() = Some(told);
        }
        if self.0.is_open.get() {
            self.tell_interface(&FromMonitor::Snapshot {
                snapshot: Box::new(snapshot),
                search,
            });
        }
    }

    fn tick_from_now_on(&self) {
        if self.0.is_ticking.replace(true) {
            return;
        }
        let watching = self.clone();
        spawn_local(async move {
            loop {
                pause(TICK_MILLIS).await;
                watching.hear(Heard::Tick);
            }
        });
    }

    // Texts and pictures can always be posted; a port whose other end is gone takes everything.

    fn tell_page(&self, message: &FromWatch) {
        let _ = self.0.page.post(&encode_from_watch(message), &Array::new());
    }

    fn tell_engine(&self, message: &ToWatched) {
        if let Some(port) = self.0.engine.borrow().as_ref() {
            let transfer = Array::new();
            let _ = channel(port).post(&encode_to_watched(message, &transfer), &transfer);
        }
    }

    fn tell_interface(&self, message: &FromMonitor) {
        self.post_to_interface(message, None);
    }

    fn post_to_interface(&self, message: &FromMonitor, load: Option<&JsValue>) {
        if let Some(port) = self.0.interface.borrow().as_ref() {
            let transfer: Array = load.into_iter().collect();
            let _ = channel(port).post(&message::encode(message, load), &transfer);
        }
    }
}

fn channel(port: &MessagePort) -> &Channel {
    port.unchecked_ref()
}
