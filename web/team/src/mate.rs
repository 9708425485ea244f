//! The mate: plans the models that it is sent, then computes its band of each frame until it is ended.
//!
//! Between frames it sleeps on a word of shared memory, so it hears no messages after the first. Whoever started it
//! ends it by `Worker.terminate`, which needs no answer.

use js_sys::{Array, Reflect, SharedArrayBuffer, Uint8Array};
use plumbline_engine::cpu::Session;
use plumbline_engine::cpu::bands::{Band, Division};
use plumbline_engine::fusion::Level;
use plumbline_engine::plan::Options;
use plumbline_pipeline::plan_model;
use wasm_bindgen::prelude::*;
use web_sys::DedicatedWorkerGlobalScope;

use super::PARTIES;
use super::exchange::{SharedRows, Words};

/// The name of a worker that is to call [`serve`].
pub const WORKER_NAME: &str = "plumbline-mate";

/// The mate is party 1; the lead is party 0.
const PARTY: usize = 1;
/// How long rows of the lead may take. A lead that is gone ends its mate.
const LIMIT_MILLIS: f64 = 30_000.0;

/// Words of the signal buffer.
pub mod signal {
    /// Which frame the lead has begun; rises by one.
    pub const FRAME: u32 = 0;
    /// Of which model it is.
    pub const MODEL: u32 = 1;
    /// Which frame the mate has finished.
    pub const DONE: u32 = 2;
    /// How many there are.
    pub const COUNT: u32 = 3;
}

/// A model in the first message: an array of its file, the names of its outputs, of those that are left to their reader,
/// and its shared rows.
pub struct Assignment {
    /// The model's file.
    pub bytes: Uint8Array,
    /// Which outputs the lead reads.
    pub outputs: Vec<String>,
    /// Which of them are left to their reader.
    pub deferred: Vec<String>,
    /// Memory of [`SharedRows`].
    pub rows: SharedArrayBuffer,
}

/// The first message: what [`serve`] reads.
pub fn encode(signals: &SharedArrayBuffer, models: &[Assignment]) -> JsValue {
    let names = |names: &[String]| -> Array { names.iter().map(|name| JsValue::from_str(name)).collect() };
    let encoded = models.iter().map(|model| {
        let (outputs, deferred) = (names(&model.outputs), names(&model.deferred));
        Array::of4(&model.bytes, &outputs, &deferred, &model.rows)
    });
    Array::of2(signals, &encoded.collect::<Array>()).into()
}

fn decode(message: &JsValue) -> Option<(SharedArrayBuffer, Vec<Assignment>)> {
    let message: &Array = message.dyn_ref()?;
    let models: Array = message.get(1).dyn_into().ok()?;
    let names = |encoded: JsValue| -> Option<Vec<String>> {
        let names: Array = encoded.dyn_into().ok()?;
        names.iter().map(|name| name.as_string()).collect()
    };
    let model = |encoded: JsValue| -> Option<Assignment> {
        let encoded: Array = encoded.dyn_into().ok()?;
        Some(Assignment {
            bytes: encoded.get(0).dyn_into().ok()?,
            outputs: names(encoded.get(1))?,
            deferred: names(encoded.get(2))?,
            rows: encoded.get(3).dyn_into().ok()?,
        })
    };
    let models = models.iter().map(model).collect::<Option<_>>()?;
    Some((message.get(0).dyn_into().ok()?, models))
}

/// Whether this worker was started to be a mate.
pub fn is_wanted(scope: &DedicatedWorkerGlobalScope) -> bool {
    scope.name() == WORKER_NAME
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// Waits for the models, answers `true` when they are ready or a sentence when they cannot be, and serves frames.
pub fn serve(scope: &DedicatedWorkerGlobalScope) {
    let answering = scope.clone();
    let on_message = Closure::once_into_js(move |event: web_sys::MessageEvent| {
        let (answer, team) = match prepare(&event.data()) {
            Ok(team) => (JsValue::TRUE, Some(team)),
            Err(what) => (JsValue::from_str(&what), None),
        };
        // Fresh plain values can always be posted.
        let _ = answering.post_message(&answer);
        if let Some(mut team) = team {
            team.serve();
        }
    });
    // A property of the scope, so that the loop may hold this thread for ever.
    let _ = Reflect::set(scope, &"onmessage".into(), &on_message);
    // The lead sends the models when it hears that there is somebody to read them.
    let _ = scope.post_message(&JsValue::FALSE);
}

struct Team {
    signals: Words,
    models: Vec<Part>,
}

/// The mate's part of one model.
struct Part {
    session: Session,
    band: Band,
    rows: SharedRows,
}

fn prepare(message: &JsValue) -> Result<Team, String> {
    let (signals, models) = decode(message).ok_or("the message is of another build")?;
    let models = models
        .into_iter()
        .map(|model| {
            let options = Options {
                level: Level::Folded,
                deferred: &borrowed(&model.deferred),
                ..Options::default()
            };
            let plan = plan_model(&model.bytes.to_vec(), &borrowed(&model.outputs), &options)
                .map_err(|error| error.to_string())?;
            let division = Division::new(&plan, PARTIES).map_err(|error| error.to_string())?;
            if model.rows.byte_length() != SharedRows::byte_len(&division) {
                return Err("it divides a model in another way".to_owned());
            }
            Ok(Part {
                rows: SharedRows::new(&model.rows, &division, LIMIT_MILLIS),
                band: division.band(PARTY),
                session: Session::new(plan).map_err(|error| error.to_string())?,
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Team {
        signals: Words::new(&signals, 0, signal::COUNT),
        models,
    })
}

impl Team {
    /// Computes frames for as long as this worker lives.
    fn serve(&mut self) {
        let mut frame = 0;
        loop {
            self.signals.sleep_while(signal::FRAME, frame);
            frame = self.signals.load(signal::FRAME);
            let model = self.signals.load(signal::MODEL) as usize;
            if let Some(Part { session, band, rows }) = self.models.get_mut(model) {
                rows.begin(frame);
                if session.run_band(band, rows).is_err() {
                    // The lead has given this frame up and will not ask again.
                    return;
                }
            }
            self.signals.announce(signal::DONE, frame);
        }
    }
}
