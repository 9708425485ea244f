//! Messages as objects that can be posted: `kind` says which, the other members are its fields.
//!
//! People cross as two `Float32Array`s, five numbers a landmark (x, y, z, visibility, presence), the world first
//! three in metres and after each person seven numbers for region, score and number. Nothing is turned into text.

use js_sys::{Array, Float32Array, Float64Array, Object, Reflect};
use plumbline_core::geometry::Point2;
use plumbline_core::people::{Person, PersonId};
use plumbline_core::pose::{Landmark, Pose, WorldLandmark};
use plumbline_core::roi::RotatedRect;
use plumbline_core::skeleton::LANDMARK_COUNT;
use plumbline_pipeline::{Timings, Variant};
use wasm_bindgen::{JsCast, JsValue};

use super::protocol::{CutReport, FrameStamp, FromEngine, Measurement, ToEngine};
use crate::live::backend::{Adapter, Backend, BackendChoice, BackendWish};
use crate::live::background::{Background, BackgroundKind, MaskModel, MaskSource};
use crate::live::options::ModelName;
use crate::live::workers::WorkersWish;
use crate::platform::picture::Picture;

const VALUES_PER_LANDMARK: usize = 5;
/// Of a person in the image, and in the world.
pub(super) const IMAGE_LEN: usize = LANDMARK_COUNT * VALUES_PER_LANDMARK;
pub(super) const WORLD_LEN: usize = IMAGE_LEN + 7;

/// An object under construction.
pub struct Fields(Object);

impl Fields {
    /// With nothing but its kind.
    pub fn of_kind(kind: &str) -> Self {
        Self(Object::new()).with("kind", kind)
    }

    /// With another member.
    pub fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        Reflect::set(&self.0, &name.into(), &value.into()).expect("a new object takes any member");
        self
    }

    fn with_frame(self, frame: &FrameStamp) -> Self {
        self.with("index", frame.index)
            .with("timeSecs", frame.time_secs)
            .with("isFirst", frame.is_first)
    }

    /// The object.
    pub fn into_js(self) -> JsValue {
        self.0.into()
    }
}

/// Encodes a request; what changes owner is added to `transfer`.
pub fn encode_request(message: &ToEngine, transfer: &Array) -> JsValue {
    let fields = match message {
        ToEngine::Begin { model, wish } => Fields::of_kind("begin")
            .with("model", model.id())
            .with("backend", wish.id()),
        ToEngine::Prepare {
            attempt,
            wish,
            copies_frames,
            workers,
            model,
        } => Fields::of_kind("prepare")
            .with("attempt", *attempt)
            .with("wish", wish.id())
            .with("copiesFrames", *copies_frames)
            .with("workers", workers.id())
            .with("model", model.id()),
        ToEngine::Cancel => Fields::of_kind("cancel"),
        ToEngine::Measure {
            frame,
            compare,
            people,
            picture,
        } => {
            transfer.push(picture.as_js());
            Fields::of_kind("measure")
                .with_frame(frame)
                .with("compare", compare.map(Backend::id))
                .with("people", *people)
                .with("picture", picture.as_js().clone())
        }
        ToEngine::PrepareGpu { variant } => Fields::of_kind("prepareGpu").with("variant", variant.id()),
        ToEngine::Settle { backend } => Fields::of_kind("settle").with("backend", backend.id()),
        ToEngine::SetBackground { background, behind } => Fields::of_kind("setBackground")
            .with("background", background.kind.id())
            .with("colour", background.colour_text())
            .with("softnessPx", background.softness_px)
            .with("mask", background.mask.id())
            // Copied, not transferred.
            .with("behind", behind.as_ref().map(|picture| picture.as_js().clone())),
        ToEngine::Watch { port } => match port {
            None => Fields::of_kind("watch"),
            Some(port) => {
                transfer.push(port);
                Fields::of_kind("watch").with("port", port.clone())
            }
        },
    };
    fields.0.into()
}

/// Decodes a request.
///
/// # Errors
/// The name of what is missing or unknown.
pub fn decode_request(value: &JsValue) -> Result<ToEngine, String> {
    match &*text(value, "kind")? {
        // What the address asks for and nobody knows is ignored, here as in the app.
        "begin" => Ok(ToEngine::Begin {
            model: ModelName::from_id(&text(value, "model")?).unwrap_or_default(),
            wish: BackendWish::from_id(&text(value, "backend")?).unwrap_or_default(),
        }),
        "prepare" => Ok(ToEngine::Prepare {
            attempt: number(value, "attempt")? as u32,
            wish: BackendWish::from_id(&text(value, "wish")?).ok_or("wish")?,
            copies_frames: member(value, "copiesFrames")?.is_truthy(),
            workers: WorkersWish::from_id(&text(value, "workers")?).ok_or("workers")?,
            model: ModelName::from_id(&text(value, "model")?).ok_or("model")?,
        }),
        "cancel" => Ok(ToEngine::Cancel),
        "measure" => Ok(ToEngine::Measure {
            frame: frame(value)?,
            compare: match member(value, "compare")? {
                none if none.is_undefined() => None,
                _ => Some(backend(value, "compare")?),
            },
            people: number(value, "people")? as u32,
            picture: Picture::from_js(member(value, "picture")?).ok_or("picture")?,
        }),
        "prepareGpu" => Ok(ToEngine::PrepareGpu {
            variant: Variant::from_id(&text(value, "variant")?).ok_or("variant")?,
        }),
        "settle" => Ok(ToEngine::Settle {
            backend: backend(value, "backend")?,
        }),
        "setBackground" => Ok(ToEngine::SetBackground {
            background: background(value)?,
            behind: Picture::from_js(member(value, "behind")?),
        }),
        "watch" => Ok(ToEngine::Watch {
            port: member(value, "port")?.dyn_into().ok(),
        }),
        other => Err(format!("kind {other}")),
    }
}

/// Encodes an answer; what changes owner is added to `transfer`.
pub fn encode_answer(message: &FromEngine, transfer: &Array) -> JsValue {
    let fields = match message {
        FromEngine::Awake => Fields::of_kind("awake"),
        FromEngine::Started => Fields::of_kind("started"),
        FromEngine::Progress {
            attempt,
            received,
            total,
        } => Fields::of_kind("progress")
            .with("attempt", *attempt)
            .with("received", *received as f64)
            .with("total", *total as f64),
        FromEngine::WeightsReady { attempt, weights } => Fields::of_kind("weightsReady")
            .with("attempt", *attempt)
            .with("detector", weights[0].as_str())
            .with("landmarks", weights[1].as_str()),
        FromEngine::Prepared {
            attempt,
            choice,
            adapter,
        } => {
            let fields = Fields::of_kind("prepared")
                .with("attempt", *attempt)
                .with("backend", choice.backend.id())
                .with("reason", choice.reason.as_str());
            match adapter {
                None => fields,
                Some(Adapter { name, is_software }) => fields
                    .with("adapter", name.as_str())
                    .with("isSoftware", *is_software),
            }
        }
        FromEngine::GpuReady { attempt } => Fields::of_kind("gpuReady").with("attempt", *attempt),
        FromEngine::GpuFailed { attempt, what } => Fields::of_kind("gpuFailed")
            .with("attempt", *attempt)
            .with("what", what.as_str()),
        FromEngine::Compared { attempt, cpu, gpu } => Fields::of_kind("compared")
            .with("attempt", *attempt)
            .with("cpu", encode_timings(cpu))
            .with("gpu", encode_timings(gpu)),
        FromEngine::Mask(model) => {
            let fields = Fields::of_kind("mask");
            match model {
                MaskModel::Here => fields,
                MaskModel::OnItsWay(hundredths) => fields.with("hundredths", *hundredths),
                MaskModel::Missing(sentence) => fields.with("sentence", sentence.as_str()),
            }
        }
        FromEngine::PrepareFailed { attempt, sentence } => Fields::of_kind("prepareFailed")
            .with("attempt", *attempt)
            .with("sentence", sentence.as_str()),
        FromEngine::Measured {
            measurement,
            composed,
        } => {
            let fields = encode_measurement(measurement, transfer);
            match composed {
                None => fields,
                Some(picture) => {
                    transfer.push(picture.as_js());
                    fields.with("composed", picture.as_js().clone())
                }
            }
        }
        FromEngine::FrameFailed { frame, sentence } => Fields::of_kind("frameFailed")
            .with_frame(frame)
            .with("sentence", sentence.as_str()),
        FromEngine::Crashed { sentence } => Fields::of_kind("crashed").with("sentence", sentence.as_str()),
    };
    fields.0.into()
}

fn encode_measurement(measurement: &Measurement, transfer: &Array) -> Fields {
    let fields = Fields::of_kind("measured")
        .with_frame(&measurement.frame)
        .with("widthPx", measurement.width_px)
        .with("heightPx", measurement.height_px)
        .with("backend", measurement.backend.id())
        .with("workers", measurement.workers)
        .with("pixelsMillis", measurement.pixels_millis)
        .with("timings", encode_timings(&measurement.timings))
        .with("totalMillis", measurement.total_millis);
    let fields = match measurement.cut {
        None => fields,
        Some(CutReport {
            millis,
            mask_millis,
            doubt,
        }) => fields
            .with("cutMillis", millis)
            .with("maskMillis", mask_millis)
            .with("doubt", doubt),
    };
    if measurement.people.is_empty() {
        return fields;
    }
    let (mut image, mut world) = (Vec::new(), Vec::new());
    for person in &measurement.people {
        image.extend(image_numbers(person));
        world.extend(world_numbers(person));
    }
    let (image, world) = (Float32Array::from(&image[..]), Float32Array::from(&world[..]));
    transfer.push(&image.buffer());
    transfer.push(&world.buffer());
    fields.with("image", image).with("world", world)
}

/// [`IMAGE_LEN`] numbers of a person.
pub(super) fn image_numbers(person: &Person) -> impl Iterator<Item = f32> {
    let marks = person.pose.landmarks.iter();
    marks.flat_map(|mark| [mark.x_px, mark.y_px, mark.z_px, mark.visibility, mark.presence])
}

/// [`WORLD_LEN`] more.
pub(super) fn world_numbers(person: &Person) -> impl Iterator<Item = f32> {
    let Person { id, pose } = person;
    let marks = pose.world.iter();
    let region = &pose.region;
    marks
        .flat_map(|mark| [mark.x_m, mark.y_m, mark.z_m, mark.visibility, mark.presence])
        .chain([
            region.center.x,
            region.center.y,
            region.width_px,
            region.height_px,
            region.rotation,
            pose.score,
            // Exact far beyond all people that a session sees.
            id.0 as f32,
        ])
}

/// Decodes an answer.
///
/// # Errors
/// The name of what is missing or unknown.
pub fn decode_answer(value: &JsValue) -> Result<FromEngine, String> {
    match &*text(value, "kind")? {
        "awake" => Ok(FromEngine::Awake),
        "started" => Ok(FromEngine::Started),
        "progress" => Ok(FromEngine::Progress {
            attempt: number(value, "attempt")? as u32,
            received: number(value, "received")? as u64,
            total: number(value, "total")? as u64,
        }),
        "weightsReady" => Ok(FromEngine::WeightsReady {
            attempt: number(value, "attempt")? as u32,
            weights: [text(value, "detector")?, text(value, "landmarks")?],
        }),
        "prepared" => {
            let choice = BackendChoice {
                backend: backend(value, "backend")?,
                reason: text(value, "reason")?,
            };
            let adapter = match member(value, "adapter")? {
                none if none.is_undefined() => None,
                _ => Some(Adapter {
                    name: text(value, "adapter")?,
                    is_software: member(value, "isSoftware")?.is_truthy(),
                }),
            };
            Ok(FromEngine::Prepared {
                attempt: number(value, "attempt")? as u32,
                choice,
                adapter,
            })
        }
        "gpuReady" => Ok(FromEngine::GpuReady {
            attempt: number(value, "attempt")? as u32,
        }),
        "gpuFailed" => Ok(FromEngine::GpuFailed {
            attempt: number(value, "attempt")? as u32,
            what: text(value, "what")?,
        }),
        "compared" => Ok(FromEngine::Compared {
            attempt: number(value, "attempt")? as u32,
            cpu: decode_timings(&member(value, "cpu")?)?,
            gpu: decode_timings(&member(value, "gpu")?)?,
        }),
        "mask" => Ok(FromEngine::Mask(match text(value, "sentence") {
            Ok(sentence) => MaskModel::Missing(sentence),
            Err(_) => match number(value, "hundredths") {
                Ok(hundredths) => MaskModel::OnItsWay(hundredths as u8),
                Err(_) => MaskModel::Here,
            },
        })),
        "prepareFailed" => Ok(FromEngine::PrepareFailed {
            attempt: number(value, "attempt")? as u32,
            sentence: text(value, "sentence")?,
        }),
        "measured" => Ok(FromEngine::Measured {
            measurement: Box::new(Measurement {
                frame: frame(value)?,
                width_px: number(value, "widthPx")? as u32,
                height_px: number(value, "heightPx")? as u32,
                people: decode_people(value)?,
                backend: backend(value, "backend")?,
                workers: number(value, "workers")? as u32,
                pixels_millis: number(value, "pixelsMillis")?,
                timings: decode_timings(&member(value, "timings")?)?,
                cut: member(value, "cutMillis")?
                    .as_f64()
                    .map(|millis| {
                        Ok::<_, String>(CutReport {
                            millis,
                            mask_millis: member(value, "maskMillis")?.as_f64(),
                            doubt: member(value, "doubt")?.as_f64().map(|doubt| doubt as f32),
                        })
                    })
                    .transpose()?,
                total_millis: number(value, "totalMillis")?,
            }),
            composed: Picture::from_js(member(value, "composed")?),
        }),
        "frameFailed" => Ok(FromEngine::FrameFailed {
            frame: frame(value)?,
            sentence: text(value, "sentence")?,
        }),
        "crashed" => Ok(FromEngine::Crashed {
            sentence: text(value, "sentence")?,
        }),
        other => Err(format!("kind {other}")),
    }
}

/// Milliseconds in the order of the struct; a stage that did not run is not a number.
fn encode_timings(timings: &Timings) -> Float64Array {
    Float64Array::from(
        &[
            timings.crop_millis,
            timings.detector_millis.unwrap_or(f64::NAN),
            timings.landmarks_millis.unwrap_or(f64::NAN),
            timings.decode_millis,
            timings.total_millis,
        ][..],
    )
}

fn decode_timings(value: &JsValue) -> Result<Timings, String> {
    let millis = value.dyn_ref::<Float64Array>().ok_or("timings")?.to_vec();
    let [crop, detector, landmarks, decode, total] = millis[..] else {
        return Err("timings".to_owned());
    };
    let if_run = |millis: f64| Some(millis).filter(|millis| !millis.is_nan());
    Ok(Timings {
        crop_millis: crop,
        detector_millis: if_run(detector),
        landmarks_millis: if_run(landmarks),
        decode_millis: decode,
        total_millis: total,
    })
}

fn decode_people(value: &JsValue) -> Result<Vec<Person>, String> {
    let image = member(value, "image")?;
    if image.is_undefined() {
        return Ok(Vec::new());
    }
    let numbers = |value: JsValue, name: &'static str| {
        let numbers = value.dyn_into::<Float32Array>().map_err(|_| name)?;
        Ok::<_, String>(numbers.to_vec())
    };
    let (image, world) = (
        numbers(image, "image")?,
        numbers(member(value, "world")?, "world")?,
    );
    if image.len() % IMAGE_LEN != 0 || image.len() / IMAGE_LEN * WORLD_LEN != world.len() {
        return Err("world".to_owned());
    }
    let people = image.chunks_exact(IMAGE_LEN).zip(world.chunks_exact(WORLD_LEN));
    Ok(people.map(|(image, world)| decode_person(image, world)).collect())
}

/// From [`IMAGE_LEN`] and [`WORLD_LEN`] numbers.
pub(super) fn decode_person(image: &[f32], world: &[f32]) -> Person {
    let five = |values: &[f32], index: usize| -> [f32; VALUES_PER_LANDMARK] {
        std::array::from_fn(|part| values[index * VALUES_PER_LANDMARK + part])
    };
    let tail = &world[IMAGE_LEN..];
    let pose = Pose {
        landmarks: std::array::from_fn(|index| {
            let [x_px, y_px, z_px, visibility, presence] = five(image, index);
            Landmark {
                x_px,
                y_px,
                z_px,
                visibility,
                presence,
            }
        }),
        world: std::array::from_fn(|index| {
            let [x_m, y_m, z_m, visibility, presence] = five(world, index);
            WorldLandmark {
                x_m,
                y_m,
                z_m,
                visibility,
                presence,
            }
        }),
        region: RotatedRect {
            center: Point2::new(tail[0], tail[1]),
            width_px: tail[2],
            height_px: tail[3],
            rotation: tail[4],
        },
        score: tail[5],
    };
    let id = PersonId(tail[6] as u32);
    Person { id, pose }
}

fn frame(value: &JsValue) -> Result<FrameStamp, String> {
    Ok(FrameStamp {
        index: number(value, "index")? as u32,
        time_secs: number(value, "timeSecs")?,
        is_first: member(value, "isFirst")?.is_truthy(),
    })
}

fn background(value: &JsValue) -> Result<Background, String> {
    let kind = BackgroundKind::from_id(&text(value, "background")?).ok_or("background")?;
    let background = Background {
        kind,
        softness_px: number(value, "softnessPx")? as u32,
        mask: MaskSource::from_id(&text(value, "mask")?).ok_or("mask")?,
        ..Background::default()
    };
    let colour = text(value, "colour")?;
    Ok(background.with_colour_text(&colour).ok_or("colour")?)
}

fn backend(value: &JsValue, name: &str) -> Result<Backend, String> {
    match BackendWish::from_id(&text(value, name)?) {
        Some(BackendWish::Forced(backend)) => Ok(backend),
        Some(BackendWish::Auto) | None => Err(name.to_owned()),
    }
}

pub(super) fn member(value: &JsValue, name: &str) -> Result<JsValue, String> {
    Reflect::get(value, &name.into()).map_err(|_| name.to_owned())
}

pub(super) fn text(value: &JsValue, name: &str) -> Result<String, String> {
    member(value, name)?.as_string().ok_or_else(|| name.to_owned())
}

pub(super) fn number(value: &JsValue, name: &str) -> Result<f64, String> {
    member(value, name)?.as_f64().ok_or_else(|| name.to_owned())
}
