//! The instance that answers: it starts a mate, begins frames, and goes on alone when the mate is lost.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use js_sys::{Array, SharedArrayBuffer, Uint8Array};
use plumbline_engine::cpu::Session;
use plumbline_engine::cpu::bands::{Band, Division};
use plumbline_engine::plan::Plan;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use super::PARTIES;
use super::exchange::{SharedRows, Stalled, Words};
use super::mate::{self, Assignment, signal};
use super::verdict::Verdict;

/// How long the mate may take for rows, or to finish a frame, before it counts as lost. The heaviest model's longest
/// step takes tens of milliseconds on a slow processor.
const LIMIT_MILLIS: f64 = 2000.0;
/// The lead is party 0.
const PARTY: usize = 0;

/// What the mate needs to plan a model as the lead did: for the CPU.
#[derive(Clone, Copy, Debug)]
pub struct ModelFile<'a> {
    /// The model's file.
    pub bytes: &'a [u8],
    /// The names of its outputs.
    pub outputs: &'a [&'a str],
    /// Those that are left to their reader.
    pub deferred: &'a [&'a str],
}

/// How the team is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// There is no second worker, by choice or because this browser shares no memory with this page.
    Alone,
    /// The mate loads.
    Starting,
    /// The mate is ready.
    Ready,
    /// Two took this part of the time of one, which is not worth it, and the mate was sent away.
    NotWorthIt(f64),
    /// The mate could not start or was lost; what was said.
    Failed(String),
}

/// The lead's side of a team. Clones share it; with the last of them the mate goes.
#[derive(Clone)]
pub struct Lead {
    inner: Rc<RefCell<Inner>>,
}

/// Until when frames are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// As long as the mate lives.
    Always,
    /// As long as two are known, or not yet known not, to be faster than one.
    WhileFaster,
}

struct Inner {
    state: State,
    terms: Terms,
    /// By model.
    divisions: Vec<Division>,
    /// While there is a mate.
    mate: Option<Mate>,
    /// The one before: it may be one of its listeners that ends it, which must not be freed while it runs.
    ended: Option<Mate>,
    verdict: Verdict,
    clock: Box<dyn Fn() -> f64>,
}

struct Mate {
    worker: Worker,
    /// Hear what the worker says and how it fails, for as long as it lives.
    _listeners: [Closure<dyn Fn(JsValue)>; 2],
    signals: Words,
    frame: i32,
    /// The model whose frame was begun and whose input is being written.
    announced: Option<usize>,
    parts: Vec<Part>,
}

struct Part {
    band: Band,
    rows: SharedRows,
}

/// Whether this page or worker can share memory with a mate.
fn is_possible() -> bool {
    let isolated = js_sys::Reflect::get(&js_sys::global(), &"crossOriginIsolated".into());
    isolated.is_ok_and(|isolated| isolated.is_truthy())
}

impl Lead {
    /// A lead without anybody to lead. `clock` gives milliseconds.
    pub fn alone(clock: Box<dyn Fn() -> f64>) -> Self {
        Self {
            inner: Rc::new(RefCell::new(Inner {
                state: State::Alone,
                terms: Terms::Always,
                divisions: Vec::new(),
                mate: None,
                ended: None,
                verdict: Verdict::default(),
                clock,
            })),
        }
    }

    /// Makes a model known; returns its number.
    ///
    /// # Errors
    /// *Unsupported* for plans that cannot be divided.
    pub(crate) fn add(&self, plan: &Plan) -> Result<usize, plumbline_engine::ModelError> {
        let divisions = &mut self.inner.borrow_mut().divisions;
        divisions.push(Division::new(plan, PARTIES)?);
        Ok(divisions.len() - 1)
    }

    /// Starts a mate from the script at `address`, a module worker that calls [`mate::serve`] where its name is
    /// [`mate::WORKER_NAME`], with the files of the models in the order in which they were made known. Returns at once;
    /// frames are run alone until the mate is ready. Does nothing where memory cannot be shared, or when a mate was
    /// started before.
    pub fn start_mate(&self, address: &str, terms: Terms, files: &[ModelFile<'_>]) {
        if self.state() != State::Alone || !is_possible() {
            return;
        }
        let mut parts = Vec::with_capacity(files.len());
        let mut assignments = Vec::with_capacity(files.len());
        for (division, file) in self.inner.borrow().divisions.iter().zip(files) {
            let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            let rows = SharedArrayBuffer::new(SharedRows::byte_len(division));
            parts.push(Part {
                band: division.band(PARTY),
                rows: SharedRows::new(&rows, division, LIMIT_MILLIS),
            });
            assignments.push(Assignment {
                bytes: Uint8Array::from(file.bytes),
                outputs: names(file.outputs),
                deferred: names(file.deferred),
                rows,
            });
        }
        let signals = SharedArrayBuffer::new(4 * signal::COUNT);
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(mate::WORKER_NAME);
        let worker = match Worker::new_with_options(address, &options) {
            Ok(worker) => worker,
            Err(thrown) => {
                self.give_up(format!("{thrown:?}"));
                return;
            }
        };
        let message = mate::encode(&signals, &assignments);
        let transfer: Array = assignments.iter().map(|model| model.bytes.buffer()).collect();
        let heard = {
            let (lead, worker) = (Rc::downgrade(&self.inner), worker.clone());
            Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| {
                let Some(lead) = Self::of(&lead) else { return };
                let said = event.unchecked_ref::<MessageEvent>().data();
                match (said.as_bool(), said.as_string()) {
                    // It listens; it is sent the models once.
                    (Some(false), _) => {
                        if let Err(thrown) = worker.post_message_with_transfer(&message, &transfer) {
                            lead.give_up(format!("{thrown:?}"));
                        }
                    }
                    (Some(true), _) => lead.mate_is_ready(),
                    (None, Some(what)) => lead.give_up(what),
                    // Its script says that it runs, which is not for this lead.
                    (None, None) => {}
                }
            })
        };
        let failed = {
            let lead = Rc::downgrade(&self.inner);
            Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| {
                let Some(lead) = Self::of(&lead) else { return };
                let event: &web_sys::Event = event.unchecked_ref();
                event.prevent_default();
                let error = event.dyn_ref::<web_sys::ErrorEvent>();
                let message = error.map(web_sys::ErrorEvent::message).unwrap_or_default();
                lead.give_up(format!("the mate stopped: {message}"));
            })
        };
        worker.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        worker.set_onerror(Some(failed.as_ref().unchecked_ref()));
        let mut inner = self.inner.borrow_mut();
        inner.state = State::Starting;
        inner.terms = terms;
        inner.mate = Some(Mate {
            worker,
            _listeners: [heard, failed],
            signals: Words::new(&signals, 0, signal::COUNT),
            frame: 0,
            announced: None,
            parts,
        });
    }

    /// How the team is doing.
    pub fn state(&self) -> State {
        self.inner.borrow().state.clone()
    }

    /// Whether frames are shared at present.
    pub fn is_shared(&self) -> bool {
        self.inner.borrow().is_shared()
    }

    /// Ends the mate. Frames are run alone from here on.
    pub fn dismiss(&self) {
        self.end(State::Alone);
    }

    /// Tells the mate that an input of model number `index` is being written. It takes a while to wake up.
    pub fn announce(&self, index: usize) {
        let mut inner = self.inner.borrow_mut();
        let is_shared = inner.is_shared();
        if let Some(mate) = inner.mate.as_mut().filter(|_| is_shared) {
            mate.announce(index);
        }
    }

    /// Runs model number `index` of those that the mate was started with, on what stands in its input: shared where
    /// the mate is ready, alone otherwise.
    ///
    /// `counts` says whether its time tells which of both is faster.
    ///
    /// # Errors
    /// When the mate was lost in the middle: the input must be written again, and the next run is alone.
    pub fn run(&self, index: usize, counts: bool, session: &mut Session) -> Result<(), Stalled> {
        let mut inner = self.inner.borrow_mut();
        let begin = (inner.clock)();
        let is_shared = inner.is_shared();
        let result = match &mut inner.mate {
            Some(mate) if is_shared => mate.run(index, session),
            _ => {
                session.run();
                Ok(())
            }
        };
        let millis = (inner.clock)() - begin;
        if counts && is_shared {
            inner.verdict.ran_together(millis);
        } else if counts {
            inner.verdict.ran_alone(millis);
        }
        let is_worth_it = inner.terms == Terms::Always || inner.verdict.goes_on();
        let ratio = inner.verdict.ratio();
        drop(inner);
        match (result, ratio) {
            (Err(stalled), _) => {
                self.give_up(stalled.to_string());
                Err(stalled)
            }
            (Ok(()), Some(ratio)) if !is_worth_it && is_shared => {
                self.end(State::NotWorthIt(ratio));
                Ok(())
            }
            (Ok(()), _) => Ok(()),
        }
    }

    fn mate_is_ready(&self) {
        let mut inner = self.inner.borrow_mut();
        if inner.state == State::Starting {
            inner.state = State::Ready;
        }
    }

    fn give_up(&self, what: String) {
        self.end(State::Failed(what));
    }

    fn end(&self, state: State) {
        let mut inner = self.inner.borrow_mut();
        inner.state = state;
        if let Some(mate) = inner.mate.take() {
            mate.end();
            inner.ended = Some(mate);
        }
    }

    /// The lead that a listener speaks to, while there is one.
    fn of(inner: &Weak<RefCell<Inner>>) -> Option<Self> {
        inner.upgrade().map(|inner| Self { inner })
    }
}

impl Drop for Mate {
    fn drop(&mut self) {
        self.end();
    }
}

impl Inner {
    fn is_shared(&self) -> bool {
        self.state == State::Ready && (self.terms == Terms::Always || self.verdict.knows_alone())
    }
}

impl Mate {
    fn end(&self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }

    /// Begins a frame, unless it has begun.
    fn announce(&mut self, index: usize) {
        if self.announced.is_none() {
            self.frame = self.frame.wrapping_add(1).max(1);
            self.signals.announce(signal::MODEL, index as i32);
            self.signals.announce(signal::FRAME, self.frame);
            self.announced = Some(index);
        }
    }

    fn run(&mut self, index: usize, session: &mut Session) -> Result<(), Stalled> {
        self.announce(index);
        if self.announced.take() != Some(index) {
            // The mate has begun another model and waits for an input that will not come.
            return Err(Stalled);
        }
        let Part { band, rows } = &mut self.parts[index];
        rows.begin(self.frame);
        session.run_band(band, rows)?;
        // It may still read rows of this frame, which the next one overwrites.
        self.signals.wait_for(signal::DONE, self.frame, LIMIT_MILLIS)
    }
}
