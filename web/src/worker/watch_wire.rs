//! What is said around the worker that watches a session (`web/watch`): by the engine, which hands it every frame that it
//! measures while it is watched, and by the page, which starts it. In the form of [`super::wire`], but
//! for the many messages: a frame's is a row of numbers ([`super::watch_row`]).

use js_sys::{Array, Float64Array};
use plumbline_core::monitor::probe::ImageProbe;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MessagePort;

use super::protocol::Measurement;
use super::watch_row;
use super::wire::{Fields, member, number, text};
use crate::live::options::ModelName;
use crate::platform::picture::Picture;

/// From the engine to the watcher, through a port of their own.
#[derive(Clone, Debug)]
pub enum FromWatched {
    /// A frame was measured; sent once the page has its answer.
    Measured {
        /// The result, as the page got it.
        measurement: Box<Measurement>,
        /// What its picture looks like, where its pixels were read anyway: on the CPU.
        probe: Option<ImageProbe>,
        /// What watching the frame before cost this thread.
        cost_millis: f64,
    },
    /// The picture that was asked for; the answer of the same frame follows. Whoever gets it closes it.
    Picture {
        /// Of the frame.
        index: u32,
        /// A copy of the browser's.
        picture: Picture,
    },
    /// Spoil this picture and send it back; nothing is measured until then. Whoever gets it closes it.
    Break {
        /// Of the frame.
        index: u32,
        /// A copy of the browser's.
        picture: Picture,
    },
    /// It came back too late: the frame was measured as it is, and so are those that follow.
    BrokenTooLate,
}

/// From the watcher to the engine.
#[derive(Clone, Debug)]
pub enum ToWatched {
    /// Send the next frame's picture.
    Look,
    /// Have every picture spoiled before it is measured, or no longer.
    Break(bool),
    /// A picture that was spoiled; nothing where that failed.
    Broken {
        /// As it was sent with.
        index: u32,
        /// Transferred.
        picture: Option<Picture>,
    },
}

/// From the page to the watcher.
#[derive(Clone, Debug)]
pub enum ToWatch {
    /// What the address asks for, with its question mark, and whether numbers are kept on this device.
    Begin {
        /// As `?watch=on&block=0.5`.
        query: String,
        /// Whether the person has said so.
        keeps_numbers: bool,
    },
    /// The line to an engine; one before it is dead.
    Engine {
        /// Transferred. Carries [`FromWatched`] and [`ToWatched`].
        port: MessagePort,
    },
    /// The line to an interface that was opened; one before it is closed.
    Interface {
        /// Transferred.
        port: MessagePort,
    },
    /// What measures from now on.
    Model {
        /// The landmark model.
        model: ModelName,
        /// SHA-256 of the files of the detector and of the landmark model.
        weights: [String; 2],
    },
}

/// From the watcher to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromWatch {
    /// It listens.
    Started,
    /// How the session stands: `learning`, `ok`, `watch`, `suspect`, `degraded` or `broken`, and a sentence.
    State {
        /// As in `data-watch`.
        id: String,
        /// What a person reads.
        sentence: String,
    },
    /// Measure with another model from now on: it was promoted, or the one that runs must not.
    UseModel(ModelName),
    /// Whether numbers are kept on this device from now on.
    KeepNumbers(bool),
    /// It is gone; a sentence. Made by the page's end of the line.
    Ended(String),
}

/// Encodes what the engine says. Nothing changes owner: whoever is sent a picture gets a reference or a copy of their own,
/// and this one is still to be measured.
pub fn encode_from_watched(message: &FromWatched) -> JsValue {
    let of_picture = |kind, index: &u32, picture: &Picture| {
        Fields::of_kind(kind)
            .with("index", *index)
            .with("picture", picture.as_js().clone())
    };
    let fields = match message {
        FromWatched::Measured {
            measurement,
            probe,
            cost_millis,
        } => return encode_measured(measurement, probe.as_ref(), *cost_millis),
        FromWatched::Picture { index, picture } => of_picture("picture", index, picture),
        FromWatched::Break { index, picture } => of_picture("break", index, picture),
        FromWatched::BrokenTooLate => Fields::of_kind("brokenTooLate"),
    };
    fields.into_js()
}

/// The same of a measurement that is not to be copied for it.
pub fn encode_measured(measurement: &Measurement, probe: Option<&ImageProbe>, cost_millis: f64) -> JsValue {
    Float64Array::from(&watch_row::encode(measurement, probe, cost_millis)[..]).into()
}

/// Decodes what the engine says.
///
/// # Errors
/// The name of what is missing or unknown.
pub fn decode_from_watched(value: &JsValue) -> Result<FromWatched, String> {
    let picture = || Picture::from_js(member(value, "picture")?).ok_or_else(|| "picture".to_owned());
    let index = || number(value, "index").map(|index| index as u32);
    if let Some(row) = value.dyn_ref::<Float64Array>() {
        let (measurement, probe, cost_millis) = watch_row::decode(&row.to_vec())?;
        return Ok(FromWatched::Measured {
            measurement: Box::new(measurement),
            probe,
            cost_millis,
        });
    }
    match &*text(value, "kind")? {
        "picture" => Ok(FromWatched::Picture {
            index: index()?,
            picture: picture()?,
        }),
        "break" => Ok(FromWatched::Break {
            index: index()?,
            picture: picture()?,
        }),
        "brokenTooLate" => Ok(FromWatched::BrokenTooLate),
        other => Err(format!("kind {other}")),
    }
}

/// Encodes what the watcher says to the engine.
pub fn encode_to_watched(message: &ToWatched, transfer: &Array) -> JsValue {
    let fields = match message {
        ToWatched::Look => Fields::of_kind("look"),
        ToWatched::Break(on) => Fields::of_kind("break").with("on", *on),
        ToWatched::Broken { index, picture } => {
            let fields = Fields::of_kind("broken").with("index", *index);
            match picture {
                None => fields,
                Some(picture) => {
                    transfer.push(picture.as_js());
                    fields.with("picture", picture.as_js().clone())
                }
            }
        }
    };
    fields.into_js()
}

/// Decodes it.
///
/// # Errors
/// The name of what is missing or unknown.
pub fn decode_to_watched(value: &JsValue) -> Result<ToWatched, String> {
    match &*text(value, "kind")? {
        "look" => Ok(ToWatched::Look),
        "break" => Ok(ToWatched::Break(member(value, "on")?.is_truthy())),
        "broken" => Ok(ToWatched::Broken {
            index: number(value, "index")? as u32,
            picture: Picture::from_js(member(value, "picture")?),
        }),
        other => Err(format!("kind {other}")),
    }
}

/// Encodes what the page says; what changes owner is added to `transfer`.
pub fn encode_to_watch(message: &ToWatch, transfer: &Array) -> JsValue {
    let of_port = |kind, port: &MessagePort| {
        transfer.push(port);
        Fields::of_kind(kind).with("port", port.clone())
    };
    let fields = match message {
        ToWatch::Begin { query, keeps_numbers } => Fields::of_kind("begin")
            .with("query", query.as_str())
            .with("keepsNumbers", *keeps_numbers),
        ToWatch::Engine { port } => of_port("engine", port),
        ToWatch::Interface { port } => of_port("interface", port),
        ToWatch::Model { model, weights } => Fields::of_kind("model")
            .with("model", model.id())
            .with("detector", weights[0].as_str())
            .with("landmarks", weights[1].as_str()),
    };
    fields.into_js()
}

/// Decodes it.
///
/// # Errors
/// The name of what is missing or unknown.
pub fn decode_to_watch(value: &JsValue) -> Result<ToWatch, String> {
    let port = || member(value, "port")?.dyn_into().map_err(|_| "port".to_owned());
    match &*text(value, "kind")? {
        "begin" => Ok(ToWatch::Begin {
            query: text(value, "query")?,
            keeps_numbers: member(value, "keepsNumbers")?.is_truthy(),
        }),
        "engine" => Ok(ToWatch::Engine { port: port()? }),
        "interface" => Ok(ToWatch::Interface { port: port()? }),
        "model" => Ok(ToWatch::Model {
            model: model(value)?,
            weights: [text(value, "detector")?, text(value, "landmarks")?],
        }),
        other => Err(format!("kind {other}")),
    }
}

/// Encodes what the watcher says to the page.
pub fn encode_from_watch(message: &FromWatch) -> JsValue {
    let fields = match message {
        FromWatch::Started => Fields::of_kind("started"),
        FromWatch::State { id, sentence } => Fields::of_kind("state")
            .with("id", id.as_str())
            .with("sentence", sentence.as_str()),
        FromWatch::UseModel(model) => Fields::of_kind("useModel").with("model", model.id()),
        FromWatch::KeepNumbers(on) => Fields::of_kind("keepNumbers").with("on", *on),
        FromWatch::Ended(sentence) => Fields::of_kind("ended").with("sentence", sentence.as_str()),
    };
    fields.into_js()
}

/// Decodes it.
///
/// # Errors
/// The name of what is missing or unknown.
pub fn decode_from_watch(value: &JsValue) -> Result<FromWatch, String> {
    match &*text(value, "kind")? {
        "started" => Ok(FromWatch::Started),
        "state" => Ok(FromWatch::State {
            id: text(value, "id")?,
            sentence: text(value, "sentence")?,
        }),
        "useModel" => Ok(FromWatch::UseModel(model(value)?)),
        "keepNumbers" => Ok(FromWatch::KeepNumbers(member(value, "on")?.is_truthy())),
        "ended" => Ok(FromWatch::Ended(text(value, "sentence")?)),
        other => Err(format!("kind {other}")),
    }
}

fn model(value: &JsValue) -> Result<ModelName, String> {
    ModelName::from_id(&text(value, "model")?).ok_or_else(|| "model".to_owned())
}
