//! The worker's loop: takes requests one by one, gives signs of life while it works, and answers each once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Reflect, Uint8Array};
use plumbline_core::manifest::Manifest;
use plumbline_engine::cpu::Session;
use plumbline_engine::fusion::Level;
use plumbline_engine::graph::Graph;
use plumbline_engine::passes;
use plumbline_engine::plan::{Options, Plan};
use plumbline_pipeline::motion_jpeg;
use plumbline_web::platform::channel::Channel;
use plumbline_web::platform::failure::message_of;
use plumbline_web::platform::page::now_millis;
use plumbline_web::platform::picture::Picture;
use plumbline_web::platform::scope;
use plumbline_web::platform::weights::fetch_bytes;
use plumbline_web::worker::pixels::PixelReader;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, DedicatedWorkerGlobalScope};

use super::drawing::Drawer;
use super::gpu::{GpuModel, open_gpu};
use super::inflate::inflate;
use super::storage;
use super::trial::Trial;
use crate::archive;
use crate::examine::examine;
use crate::limits::refusal;
use crate::protocol::{
    Answers, Backend, Check, Findings, FromLab, Palette, Stage, TestReport, Timing, ToLab, Tried,
};
use crate::self_test::{Answer, agreement, finite, repeatable, sample, timing};
use crate::tried::tried;
use plumbline_web::platform::message;

/// Largest manifest that is read; the longest lists of labels have a third of it.
const MAX_MANIFEST_BYTES: f64 = (4 << 20) as f64;

/// The seed of the numbers that a model is tested with.
const SEED: u64 = 4;

/// A backend is timed for so many runs, or until so much time is gone, but always for three.
const TIMED_RUNS: usize = 20;
const TIMED_MILLIS: f64 = 2000.0;
const LEAST_RUNS: usize = 3;

/// What is asked of a model that there is not.
const NO_MODEL: &str = "There is no model that runs.";

/// Serves the page that started this worker.
pub fn serve() {
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else {
        return;
    };
    let channel: Channel = scope.unchecked_into();
    let last_words = channel.clone();
    std::panic::set_hook(Box::new(move |info| {
        console_error_panic_hook::hook(info);
        let died = FromLab::Died {
            what: info.to_string(),
        };
        // Nobody is left to hear that this failed.
        let _ = last_words.post(&message::encode(&died, None), &Array::new());
    }));
    let host = Rc::new(Host {
        channel: channel.clone(),
        waiting: RefCell::new(VecDeque::new()),
        lab: RefCell::new(Some(Lab::default())),
    });
    channel.on_message({
        let host = Rc::clone(&host);
        move |posted| host.hear(&posted)
    });
    host.answer(&FromLab::Started, None);
}

struct Host {
    channel: Channel,
    waiting: RefCell<VecDeque<(ToLab, JsValue)>>,
    /// Out of its place while a request is being worked on.
    lab: RefCell<Option<Lab>>,
}

/// What is open.
#[derive(Default)]
struct Lab {
    file: Option<ArrayBuffer>,
    sha256: Option<String>,
    graph: Option<Graph>,
    /// The graph, ready for pictures.
    trial: Option<Trial>,
    palette: Palette,
    reader: PixelReader,
    drawer: Drawer,
}

impl Host {
    fn hear(self: &Rc<Self>, posted: &JsValue) {
        match message::decode(posted) {
            Ok(request) => self.waiting.borrow_mut().push_back(request),
            Err(what) => {
                let sentence = format!("The page and its worker are of different builds ({what}).");
                self.answer(&FromLab::Failed { sentence }, None);
            }
        }
        let Some(mut lab) = self.lab.borrow_mut().take() else {
            return;
        };
        let host = Rc::clone(self);
        spawn_local(async move {
            loop {
                let next = host.waiting.borrow_mut().pop_front();
                let Some((request, load)) = next else { break };
                let answer = lab.perform(request, load, &host).await;
                let failed = |sentence| (FromLab::Failed { sentence }, None);
                let (answer, load) = answer.unwrap_or_else(failed);
                host.answer(&answer, load.as_ref());
            }
            *host.lab.borrow_mut() = Some(lab);
        });
    }

    fn answer(&self, answer: &FromLab, load: Option<&JsValue>) {
        let transfer: Array = load.into_iter().collect();
        // Texts and drawings can always be posted.
        let _ = self.channel.post(&message::encode(answer, load), &transfer);
    }

    fn sign(&self, stage: Stage, done: u64, total: u64) {
        self.answer(&FromLab::Sign { stage, done, total }, None);
    }
}

impl Lab {
    /// Works on a request; gives the answer, and what rides along.
    async fn perform(
        &mut self,
        request: ToLab,
        load: JsValue,
        host: &Host,
    ) -> Result<(FromLab, Option<JsValue>), String> {
        let number = match request {
            ToLab::Try {
                number,
                manifest,
                backend,
                moves,
                palette,
            } => {
                self.palette = palette;
                self.ready(&manifest, backend, moves, host).await?;
                number
            }
            ToLab::TryNext { number } => number,
            other => {
                let answer = self.answer(other, load, host).await;
                return answer.map(|answer| (answer, None));
            }
        };
        match self.try_on(load, host).await {
            Ok((tried, drawing)) => {
                let tried = Box::new(Tried { number, ..tried });
                Ok((FromLab::Tried(tried), Some(drawing)))
            }
            Err(sentence) => {
                // A device that is gone does not come back by itself.
                self.trial = None;
                Err(sentence)
            }
        }
    }

    async fn answer(&mut self, request: ToLab, load: JsValue, host: &Host) -> Result<FromLab, String> {
        match request {
            ToLab::Open { name, entry, answers } => {
                *self = Self::default();
                let file: Blob = load.dyn_into().map_err(|_| "No file came along.".to_owned())?;
                if let Some(sentence) = refusal(&name, file.size() as u64) {
                    return Err(sentence);
                }
                let bytes = read(&file, &name, |done| {
                    host.sign(Stage::Opening, done, file.size() as u64)
                })
                .await?;
                host.sign(Stage::Hashing, 0, 0);
                // Where the browser computes no hashes it stores nothing either.
                self.sha256 = scope::sha256(&bytes)
                    .await
                    .ok()
                    .map(|digest| scope::hexadecimal(&digest));
                self.file = Some(bytes);
                self.read(entry, &answers, host).await
            }
            ToLab::Read { entry, answers } => self.read(entry, &answers, host).await,
            ToLab::ReadManifest => {
                let file: Blob = load.dyn_into().map_err(|_| "No file came along.".to_owned())?;
                if file.size() > MAX_MANIFEST_BYTES {
                    return Err(
                        "The manifest has more than 4 MiB; nothing that describes a model has.".to_owned(),
                    );
                }
                let text = JsFuture::from(file.text()).await;
                let text =
                    text.map_err(|thrown| format!("The manifest cannot be read: {}.", message_of(&thrown)))?;
                let manifest = Manifest::from_text(&text.as_string().unwrap_or_default());
                let manifest = manifest.map_err(|error| format!("The manifest is not one: {error}."))?;
                Ok(FromLab::Manifest(Box::new(manifest)))
            }
            ToLab::Test | ToLab::Try { .. } | ToLab::TryNext { .. } => self.test(host).await,
            ToLab::Keep { record } => {
                let (Some(file), Some(sha256)) = (&self.file, &self.sha256) else {
                    return Err(storage::UNAVAILABLE.to_owned());
                };
                host.sign(Stage::Keeping, 0, 0);
                storage::keep(sha256, file, &record).await?;
                Ok(FromLab::Kept)
            }
        }
    }

    async fn read(
        &mut self,
        entry: Option<String>,
        answers: &Answers,
        host: &Host,
    ) -> Result<FromLab, String> {
        (self.graph, self.trial) = (None, None);
        let file = self.file.as_ref().ok_or("No file is open.")?;
        let whole = Uint8Array::new(file).to_vec();
        let entries = if archive::is_archive(&whole) {
            archive::models(&whole)?
        } else {
            Vec::new()
        };
        let chosen = match &entry {
            None => entries.first(),
            Some(name) => entries.iter().find(|entry| entry.name == *name),
        };
        let bytes = chosen.map_or(&whole[..], |entry| &whole[entry.range.clone()]);
        let inflated = match chosen.and_then(|entry| Some((entry, entry.inflates_to?))) {
            Some((entry, inflates_to)) => Some(inflate(&entry.name, bytes, inflates_to).await?),
            None => None,
        };
        let bytes = inflated.as_deref().unwrap_or(bytes);
        let examined = examine(bytes, answers, |stage| host.sign(stage, 0, 0))?;
        self.graph = examined.graph;
        Ok(FromLab::Read(Box::new(Findings {
            sha256: self.sha256.clone(),
            file_bytes: whole.len() as u64,
            entry: chosen.map(|entry| entry.name.clone()),
            entries: entries.into_iter().map(|entry| entry.name).collect(),
            ..examined.findings
        })))
    }

    /// Makes the model ready for pictures, unless it is.
    async fn ready(
        &mut self,
        manifest: &Manifest,
        backend: Backend,
        moves: bool,
        host: &Host,
    ) -> Result<(), String> {
        if self
            .trial
            .as_ref()
            .is_some_and(|trial| trial.suits(manifest, backend, moves))
        {
            return Ok(());
        }
        // One at a time: a model may take half of the memory.
        self.trial = None;
        let graph = self.graph.as_ref().ok_or(NO_MODEL)?;
        let begun = Trial::begin(graph, manifest, backend, moves, |stage| host.sign(stage, 0, 0)).await?;
        self.trial = Some(begun);
        Ok(())
    }

    /// Runs the model on what was posted, and draws what it finds.
    async fn try_on(&mut self, load: JsValue, host: &Host) -> Result<(Tried, JsValue), String> {
        let begin = now_millis();
        let trial = self.trial.as_mut().ok_or(NO_MODEL)?;
        let picture = match Picture::from_js(load.clone()) {
            Some(frame) => frame,
            None => {
                host.sign(Stage::Looking, 0, 0);
                decode(load.dyn_into::<Blob>().ok()).await?
            }
        };
        host.sign(trial.stage(), 0, 0);
        let tried = look(trial, &picture, &self.palette, &mut self.reader, &mut self.drawer).await;
        picture.close();
        let (tried, drawing) = tried?;
        let frame_millis = now_millis() - begin;
        Ok((
            Tried {
                frame_millis,
                ..tried
            },
            drawing,
        ))
    }

    async fn test(&self, host: &Host) -> Result<FromLab, String> {
        let graph = self.graph.as_ref().ok_or(NO_MODEL)?;
        host.sign(Stage::Packing, 0, 0);
        let mut session = Session::new(plan(graph, Level::Folded)?).map_err(|error| error.to_string())?;
        let inputs: Vec<Vec<u32>> = inputs(graph);
        host.sign(Stage::OnCpu, 0, 0);
        run(&mut session, &inputs);
        let first = answers(&session);
        host.sign(Stage::OnCpu, 0, 0);
        let mut times = vec![run(&mut session, &inputs)];
        let mut checks = vec![finite(&first), repeatable(&first, &answers(&session))];
        while wants_more(&times) {
            host.sign(Stage::OnCpu, times.len() as u64, TIMED_RUNS as u64);
            times.push(run(&mut session, &inputs));
        }
        let cpu = timing(times);
        drop(session);
        let unfinished = "it did not finish";
        let mut so_far = checks.clone();
        so_far.push(not_compared(unfinished));
        // A GPU, or a program in its place, may take for ever; what the CPU has shown stays.
        host.answer(
            &FromLab::TestedOnCpu(Box::new(TestReport {
                checks: so_far,
                cpu,
                gpu: Err(unfinished.to_owned()),
                adapter: None,
            })),
            None,
        );
        let (gpu, adapter) = test_on_gpu(graph, &inputs, &first, &mut checks, host).await;
        Ok(FromLab::Tested(Box::new(TestReport {
            checks,
            cpu,
            gpu,
            adapter,
        })))
    }
}

/// Runs a model on a picture, and draws what it finds.
async fn look(
    trial: &mut Trial,
    picture: &Picture,
    palette: &Palette,
    reader: &mut PixelReader,
    drawer: &mut Drawer,
) -> Result<(Tried, JsValue), String> {
    let result = trial.look(reader.read(picture).await?).await?;
    let manifest = trial.manifest();
    let drawing = drawer.draw(picture, &result.found, manifest, &result.placement, palette)?;
    let tried = Tried {
        model_millis: result.model_millis,
        place: trial.place.clone(),
        ..tried(&result.found, manifest)
    };
    Ok((tried, drawing))
}

/// Runs a model on the GPU and compares its answers with the CPU's; times, or why there are none.
async fn test_on_gpu(
    graph: &Graph,
    inputs: &[Vec<u32>],
    cpu: &[Answer],
    checks: &mut Vec<Check>,
    host: &Host,
) -> (Result<Timing, String>, Option<(String, bool)>) {
    host.sign(Stage::Compiling, 0, 0);
    let (device, adapter) = match open_gpu().await {
        Ok(opened) => opened,
        Err(sentence) => {
            checks.push(not_compared(&sentence));
            return (Err(sentence), None);
        }
    };
    let named = Some((adapter.name.clone(), adapter.is_software));
    // Fused kernels take a software adapter ten times as long.
    let level = if adapter.is_software {
        Level::Folded
    } else {
        Level::Tail
    };
    let timed = async {
        let plan = plan(graph, level)?;
        let model = GpuModel::load(&device, &plan).await?;
        host.sign(Stage::OnGpu, 0, 0);
        checks.push(agreement(cpu, &model.run(inputs).await?));
        let mut times = Vec::new();
        while wants_more(&times) {
            host.sign(Stage::OnGpu, times.len() as u64, TIMED_RUNS as u64);
            let begin = now_millis();
            model.run(inputs).await?;
            times.push(now_millis() - begin);
        }
        Ok::<_, String>(timing(times))
    };
    let timed = timed.await;
    if let Err(sentence) = &timed {
        checks.push(not_compared(sentence));
    }
    device.close();
    (timed, named)
}

fn not_compared(sentence: &str) -> Check {
    Check {
        what: "GPU and CPU agree".to_owned(),
        passed: None,
        detail: sentence.to_owned(),
    }
}

fn wants_more(times: &[f64]) -> bool {
    let spent: f64 = times.iter().sum();
    times.len() < LEAST_RUNS || (times.len() < TIMED_RUNS && spent < TIMED_MILLIS)
}

fn plan(graph: &Graph, level: Level) -> Result<Plan, String> {
    let mut graph = graph.clone();
    let options = Options {
        level,
        ..Options::default()
    };
    let planned = passes::optimise_to(&mut graph, level).and_then(|_| Plan::with(graph, &options));
    planned.map_err(|error| error.to_string())
}

/// What a graph is tested with.
fn inputs(graph: &Graph) -> Vec<Vec<u32>> {
    let inputs = graph.inputs.iter().enumerate();
    inputs
        .map(|(index, &id)| {
            let value = graph.value(id);
            sample(value.element, value.shape.iter().product(), SEED + index as u64)
        })
        .collect()
}

/// One run on the CPU; its milliseconds.
fn run(session: &mut Session, inputs: &[Vec<u32>]) -> f64 {
    for (index, input) in inputs.iter().enumerate() {
        session.input_words_mut(index).copy_from_slice(input);
    }
    let begin = now_millis();
    session.run();
    now_millis() - begin
}

/// The first frame of the drawn person's clip.
async fn drawn_person() -> Result<Blob, String> {
    let clip = fetch_bytes("demo/person.mjpeg").await?;
    let frames = motion_jpeg::split(&clip)?;
    let first = frames.first().and_then(|range| clip.get(range.clone()));
    let first = Uint8Array::from(first.ok_or("The drawn person's clip is empty.")?);
    Blob::new_with_u8_array_sequence(&Array::of1(&first))
        .map_err(|thrown| format!("The drawn person cannot be read: {}.", message_of(&thrown)))
}

/// A picture, upright: that of a file, or the drawn person.
async fn decode(file: Option<Blob>) -> Result<Picture, String> {
    let file = match file {
        Some(file) => file,
        None => drawn_person().await?,
    };
    let refused = |_: JsValue| {
        "This file is no picture that this browser can read. Choose a JPEG, PNG or WebP picture.".to_owned()
    };
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    let decoding = scope.create_image_bitmap_with_blob(&file).map_err(refused)?;
    let bitmap = JsFuture::from(decoding).await.map_err(refused)?;
    Ok(Picture::Bitmap(bitmap.unchecked_into()))
}

/// All outputs after a run.
fn answers(session: &Session) -> Vec<Answer> {
    let graph = &session.plan().graph;
    let outputs = graph.outputs.iter().map(|&id| graph.value(id));
    outputs
        .map(|value| Answer {
            name: value.name.clone(),
            element: value.element,
            words: session.output_words(&value.name).unwrap_or_default().to_vec(),
        })
        .collect()
}

/// Reads a file whole, telling of the bytes so far.
async fn read(file: &Blob, name: &str, on_progress: impl Fn(u64)) -> Result<ArrayBuffer, String> {
    let failed = |thrown: JsValue| {
        format!(
            "“{name}” cannot be read: {}. It may have been moved or deleted; choose it again.",
            message_of(&thrown)
        )
    };
    let whole = Uint8Array::new_with_length(file.size() as u32);
    let reader: web_sys::ReadableStreamDefaultReader = file.stream().get_reader().unchecked_into();
    let mut received = 0_u32;
    loop {
        let step = JsFuture::from(reader.read()).await.map_err(failed)?;
        if Reflect::get(&step, &"done".into()).map_err(failed)?.is_truthy() {
            break;
        }
        let chunk: Uint8Array = Reflect::get(&step, &"value".into())
            .map_err(failed)?
            .unchecked_into();
        if received + chunk.length() > whole.length() {
            return Err(format!(
                "“{name}” has changed while it was read; choose it again."
            ));
        }
        whole.set(&chunk, received);
        received += chunk.length();
        on_progress(u64::from(received));
    }
    Ok(whole.buffer().unchecked_into())
}
