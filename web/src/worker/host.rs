//! The engine's loop: takes messages from a channel one by one, and answers in their order.
//!
//! On the CPU a frame is answered before the next message is looked at. On the GPU the loop waits for two things at
//! once, the oldest frame's numbers and the next message, so that the GPU has the next frame before it has answered.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::Array;
use plumbline_pipeline::Timings;
use plumbline_pipeline::gpu::Model;
use plumbline_team::lead::Terms;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::answers::{Behind, Taken, after_gpu, answer, on_cpu, on_gpu};
use super::loader::{Loaded, Loader};
use super::measurer::{Measurer, Models, Read};
use super::pixels::PixelReader;
use super::protocol::{FrameStamp, FromEngine, ToEngine};
use super::rival::{Rival, compared, whole_frame};
use super::watcher::Watcher;
use super::wire;
use crate::live::backend::{Backend, BackendWish, GpuProbe, choose};
use crate::live::background::MaskModel;
use crate::live::workers::WorkersWish;
use crate::platform::channel::Channel;
use crate::platform::page::{mark, now_millis};
use crate::platform::picture::Picture;
use crate::platform::replayer::GpuReading;
use crate::platform::thread::processors;
use crate::platform::weights::{CancelHandle, WeightsError};
use crate::platform::{ahead, gpu_probe, scope};

/// How long nobody must have wanted anything before a model runs for practice: a source that starts at once is quicker
/// without it.
const QUIET_MILLIS: u32 = 250;

/// Serves the channel for the life of this worker or page.
pub fn serve(channel: Channel) {
    let host = Rc::new(Host {
        channel: channel.clone(),
        waiting: RefCell::new(VecDeque::new()),
        is_busy: Cell::new(false),
        waker: RefCell::new(None),
        cancel: RefCell::new(CancelHandle::new()),
        work: RefCell::new(Some(Work::default())),
    });
    channel.on_message({
        let host = Rc::clone(&host);
        move |data| host.hear(&data)
    });
    mark("plumbline:engine");
    host.answer(&FromEngine::Started);
    for data in ahead::heard().iter() {
        host.hear(&data);
    }
}

/// Tells the page, as its last words, what the engine dies of. Called from the panic hook.
pub fn report_panic(channel: &Channel, what: &str) {
    let message = FromEngine::Crashed {
        sentence: format!("The engine met an error of its own: {what}."),
    };
    // Nobody is left to hear that this failed.
    let _ = channel.post(&wire::encode_answer(&message, &Array::new()), &Array::new());
}

struct Host {
    channel: Channel,
    waiting: RefCell<VecDeque<ToEngine>>,
    is_busy: Cell<bool>,
    /// Wakes the loop where it waits for the GPU, because a message has come.
    waker: RefCell<Option<Waker>>,
    /// Stops the downloads of the model that is being loaded.
    cancel: RefCell<CancelHandle>,
    /// Out of its place while a message is being worked on.
    work: RefCell<Option<Work>>,
}

/// What the engine holds between messages.
#[derive(Default)]
struct Work {
    /// Of the models that are loaded.
    attempt: u32,
    loader: Loader,
    measurer: Option<Measurer>,
    /// What is still to be tried out on a CPU that is new.
    rehearsal: Option<Rehearsal>,
    /// The files of the models that are ready, to plan them anew with a mask or without.
    models: Option<Rc<Models>>,
    /// The terms of a second worker on the CPU, where there may be one.
    terms: Option<Terms>,
    /// Whether one is still to be started.
    lacks_mate: bool,
    /// The GPU beside the CPU, while it is open which of them is the better one.
    rival: Rival,
    /// A frame that the CPU has answered and that the GPU is still to run.
    to_compare: Option<ToCompare>,
    /// What stands behind the person.
    behind: Behind,
    reader: PixelReader,
    /// Frames on their way on the GPU, oldest first.
    submitted: VecDeque<Submitted>,
    /// What the oldest of them waits for.
    reading: Option<GpuReading>,
    /// The line to whoever watches the session.
    watcher: Option<Watcher>,
}

/// A model that is to run for practice, unless somebody wants something before.
struct Rehearsal {
    model: Model,
    pause: Pin<Box<dyn Future<Output = ()>>>,
}

impl Rehearsal {
    fn after(millis: u32, model: Model) -> Self {
        Self {
            model,
            pause: Box::pin(scope::pause(millis)),
        }
    }
}

/// A frame on its way on the GPU.
struct Submitted {
    frame: FrameStamp,
    taken: Taken,
    start_millis: f64,
}

/// A frame that was answered and is run once more.
struct ToCompare {
    frame: FrameStamp,
    picture: Picture,
    cpu: Timings,
}

/// What the loop goes on with.
enum Event {
    Message(ToEngine),
    Rehearse(Model),
    Read(Read),
    Compare(ToCompare),
    RivalLoaded(Result<(), String>),
}

impl Host {
    fn hear(self: &Rc<Self>, data: &JsValue) {
        match wire::decode_request(data) {
            Ok(ToEngine::Cancel) => self.cancel(),
            Ok(message) => Rc::clone(self).receive(message),
            Err(what) => self.answer(&FromEngine::Crashed {
                sentence: format!("The page and the engine are of different builds ({what})."),
            }),
        }
    }

    /// Overtakes the messages that wait: the loop may be waiting for a download.
    fn cancel(&self) {
        self.waiting
            .borrow_mut()
            .retain(|message| !matches!(message, ToEngine::Prepare { .. }));
        self.cancel.replace(CancelHandle::new()).cancel();
    }

    fn receive(self: Rc<Self>, message: ToEngine) {
        self.waiting.borrow_mut().push_back(message);
        if self.is_busy.replace(true) {
            if let Some(waker) = self.waker.borrow_mut().take() {
                waker.wake();
            }
            return;
        }
        spawn_local(async move {
            let mut work = self.work.borrow_mut().take().unwrap_or_default();
            while let Some(event) = self.next_event(&mut work).await {
                let answers = match event {
                    Event::Message(message) => work.perform(message, &self).await,
                    Event::Rehearse(model) => work.rehearse(model).await,
                    Event::Read(read) => work.accept(read).await,
                    Event::Compare(frame) => work.compare(frame).await,
                    Event::RivalLoaded(loaded) => vec![work.rival_loaded(loaded)],
                };
                for answer in &answers {
                    self.answer(answer);
                }
                if let Some(watcher) = &mut work.watcher {
                    watcher.answered(&answers, work.reader.pixels());
                }
            }
            *self.work.borrow_mut() = Some(work);
            self.is_busy.set(false);
        });
    }

    /// The next message that there is room for, or what the GPU has read back; nothing when there is nothing to do and
    /// nothing to wait for.
    async fn next_event(&self, work: &mut Work) -> Option<Event> {
        work.watch_oldest();
        if let Some(frame) = work.to_compare.take() {
            return Some(Event::Compare(frame));
        }
        poll_fn(|context| {
            if let Some(reading) = &mut work.reading
                && let Poll::Ready(read) = Pin::new(reading).poll(context)
            {
                work.reading = None;
                return Poll::Ready(Some(Event::Read(read)));
            }
            if let Poll::Ready(loaded) = work.rival.poll_loaded(context) {
                return Poll::Ready(Some(Event::RivalLoaded(loaded)));
            }
            let mut waiting = self.waiting.borrow_mut();
            if waiting.front().is_some_and(|message| work.has_room_for(message)) {
                return Poll::Ready(waiting.pop_front().map(Event::Message));
            }
            if let Some(rehearsal) = &mut work.rehearsal
                && rehearsal.pause.as_mut().poll(context).is_ready()
            {
                let model = rehearsal.model;
                work.rehearsal = None;
                return Poll::Ready(Some(Event::Rehearse(model)));
            }
            if work.reading.is_none() && !work.rival.is_loading() && work.rehearsal.is_none() {
                return Poll::Ready(None);
            }
            *self.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn answer(&self, message: &FromEngine) {
        let transfer = Array::new();
        let value = wire::encode_answer(message, &transfer);
        // Fresh arrays and plain values can always be posted.
        let _ = self.channel.post(&value, &transfer);
    }
}

impl Work {
    /// Whether a message can be worked on now. Models are not replaced under frames that run on them.
    fn has_room_for(&self, message: &ToEngine) -> bool {
        match (message, &self.measurer) {
            // Nor are they planned anew under them.
            (ToEngine::Measure { .. }, Some(measurer)) if self.must_replan(measurer) => {
                self.submitted.is_empty()
            }
            (ToEngine::Measure { people: 1, .. }, Some(Measurer::Gpu(gpu))) => gpu.has_room(),
            (ToEngine::Measure { .. }, Some(Measurer::Gpu(_))) => self.submitted.is_empty(),
            (ToEngine::Measure { .. }, Some(Measurer::Cpu(_)) | None) => true,
            (ToEngine::Prepare { .. } | ToEngine::Settle { .. }, _) => self.submitted.is_empty(),
            // What is on its way gets the background that it was sent with.
            (ToEngine::SetBackground { .. }, _) => self.submitted.is_empty(),
            (
                ToEngine::PrepareGpu { .. }
                | ToEngine::Begin { .. }
                | ToEngine::Cancel
                | ToEngine::Watch { .. },
                _,
            ) => true,
        }
    }

    /// Whether the mask is wanted and not computed, or computed and not wanted.
    fn must_replan(&self, measurer: &Measurer) -> bool {
        measurer.has_mask() != self.behind.compositor.takes_mask_of_skeleton()
    }

    /// Plans the models anew where the mask is wanted and not computed, or computed and not wanted.
    async fn fit_to_background(&mut self) -> Result<(), String> {
        let Some(models) = self.models.clone() else {
            return Ok(());
        };
        let has_mask = self.behind.compositor.takes_mask_of_skeleton();
        let before = self.measurer.take_if(|measurer| measurer.has_mask() != has_mask);
        if let Some(before) = before {
            self.measurer = Some(before.replanned(&models, has_mask).await?);
            self.lacks_mate = self.terms.is_some();
            mark("plumbline:replanned");
        }
        Ok(())
    }

    fn watch_oldest(&mut self) {
        if self.reading.is_none()
            && let Some(Measurer::Gpu(gpu)) = &mut self.measurer
        {
            self.reading = gpu.take_reading();
        }
    }

    /// Works on a message; gives the answers that are ready.
    async fn perform(&mut self, message: ToEngine, host: &Rc<Host>) -> Vec<FromEngine> {
        match message {
            ToEngine::Begin { model, wish } => {
                if wish != BackendWish::Forced(Backend::Gpu) {
                    self.loader.begin(model).await;
                    self.rehearsal = Some(Rehearsal::after(QUIET_MILLIS, Model::Detector));
                }
                Vec::new()
            }
            ToEngine::Prepare {
                attempt,
                wish,
                copies_frames,
                workers,
                model,
            } => {
                mark("plumbline:prepare");
                // The models before go first: two heavy ones together would need half a gigabyte.
                self.measurer = None;
                self.models = None;
                self.rival = Rival::Absent;
                self.attempt = attempt;
                let cancel = host.cancel.borrow().clone();
                let said = |received, total| {
                    host.answer(&FromEngine::Progress {
                        attempt,
                        received,
                        total,
                    });
                };
                let mut loaded = match self.loader.load(model, &cancel, said).await {
                    Ok(loaded) => loaded,
                    // The person knows.
                    Err(WeightsError::Cancelled) => return Vec::new(),
                    Err(WeightsError::Failed(sentence)) => {
                        return vec![FromEngine::PrepareFailed { attempt, sentence }];
                    }
                };
                mark("plumbline:weights");
                host.answer(&FromEngine::WeightsReady {
                    attempt,
                    weights: loaded.weights.clone(),
                });
                loaded.models.copies_frames = copies_frames;
                self.prepare(attempt, wish, workers, loaded).await
            }
            // Overtook this queue.
            ToEngine::Cancel => Vec::new(),
            ToEngine::PrepareGpu { variant } => {
                self.rival
                    .load(variant, self.behind.compositor.takes_mask_of_skeleton());
                Vec::new()
            }
            ToEngine::SetBackground { background, behind } => {
                self.behind.compositor.set(background, behind);
                let host = Rc::clone(host);
                let said = move |model| host.answer(&FromEngine::Mask(model));
                let wanted = match background.selfie() {
                    None => None,
                    Some(model) => match self.loader.entry(background.mask.id()).await {
                        Ok(entry) => Some((model, entry)),
                        Err(sentence) => {
                            said(MaskModel::Missing(sentence));
                            return Vec::new();
                        }
                    },
                };
                self.behind.masker.want(wanted, said);
                Vec::new()
            }
            ToEngine::Watch { port } => {
                self.watcher = port.map(Watcher::new);
                Vec::new()
            }
            ToEngine::Settle { backend } => {
                if let (Backend::Gpu, Some(gpu)) = (backend, self.rival.take()) {
                    self.measurer = Some(Measurer::Gpu(gpu));
                }
                Vec::new()
            }
            ToEngine::Measure {
                frame,
                compare,
                people,
                picture,
            } => {
                if let Err(sentence) = self.fit_to_background().await {
                    picture.close();
                    return vec![FromEngine::FrameFailed { frame, sentence }];
                }
                let taken = Taken::of(self.watcher.as_ref(), &frame, picture).await;
                self.measure(frame, compare.filter(|_| !taken.is_broken), people, taken)
                    .await
            }
        }
    }

    /// Measures a frame, or submits it; gives the answers that are ready.
    async fn measure(
        &mut self,
        frame: FrameStamp,
        compare: Option<Backend>,
        people: u32,
        taken: Taken,
    ) -> Vec<FromEngine> {
        let picture = &taken.picture;
        match &mut self.measurer {
            Some(Measurer::Cpu(cpu)) => {
                self.rehearsal = None;
                let gpu = match compare {
                    Some(Backend::Gpu) => self.rival.time(picture, &frame).await,
                    Some(Backend::Cpu) | None => None,
                };
                if frame.index == 0 {
                    mark("plumbline:frame");
                } else if let (true, Some(terms), Some(models)) = (self.lacks_mate, self.terms, &self.models)
                {
                    // Not before the first frame was answered, which nothing may delay.
                    self.lacks_mate = false;
                    cpu.recruit(terms, models);
                }
                let mut measured =
                    on_cpu(&mut self.reader, cpu, &mut self.behind, frame, people, picture).await;
                if frame.index == 0 {
                    mark("plumbline:result");
                }
                let mut answers = Vec::new();
                match &measured {
                    Ok((measurement, _)) if compare == Some(Backend::Cpu) => {
                        // The answer goes out before the GPU begins.
                        self.to_compare = Some(ToCompare {
                            frame,
                            picture: taken.picture,
                            cpu: whole_frame(measurement),
                        });
                    }
                    Ok((measurement, _)) => {
                        let cpu = whole_frame(measurement);
                        answers.extend(gpu.map(|gpu| compared(self.attempt, cpu, gpu)));
                        taken.settle(&mut measured);
                    }
                    Err(_) => taken.settle(&mut measured),
                }
                answers.push(answer(frame, measured));
                answers
            }
            Some(Measurer::Gpu(gpu)) if people > 1 => {
                let (reader, behind) = (&mut self.reader, &mut self.behind);
                let mut measured = on_gpu(reader, gpu, behind, frame, people, picture).await;
                taken.settle(&mut measured);
                vec![answer(frame, measured)]
            }
            Some(Measurer::Gpu(gpu)) => {
                let start_millis = now_millis();
                let submitted = gpu.submit(picture, &frame);
                self.submitted.push_back(Submitted {
                    frame,
                    taken,
                    start_millis,
                });
                match submitted {
                    Ok(()) => Vec::new(),
                    Err(sentence) => self.fail_lost(&sentence),
                }
            }
            None => {
                taken.picture.close();
                let sentence = "A frame came before the models were ready.".to_owned();
                vec![FromEngine::FrameFailed { frame, sentence }]
            }
        }
    }

    /// Makes loaded models ready on the backend that answers first. Where the choice is free, the adapter comes too: it
    /// may be asked for later.
    async fn prepare(
        &mut self,
        attempt: u32,
        wish: BackendWish,
        workers: WorkersWish,
        mut loaded: Loaded,
    ) -> Vec<FromEngine> {
        let prepared = async {
            let probe = match wish {
                // Asking for an adapter starts the browser's GPU process; the choice is made without.
                BackendWish::Forced(Backend::Cpu) => GpuProbe::NoWebGpu,
                BackendWish::Forced(Backend::Gpu) | BackendWish::Auto => gpu_probe::probe().await,
            };
            let choice = choose(wish, &probe)?;
            let adapter = probe.adapter().filter(|_| wish == BackendWish::Auto);
            let has_mask = self.behind.compositor.takes_mask_of_skeleton();
            let measurer = match (choice.backend, loaded.on_cpu.take()) {
                (Backend::Cpu, Some(ready)) if ready.has_mask() == has_mask => ready,
                (backend, _) => {
                    self.rehearsal =
                        (backend == Backend::Cpu).then(|| Rehearsal::after(QUIET_MILLIS, Model::Detector));
                    Measurer::prepare(backend, &loaded.models, has_mask).await?
                }
            };
            Ok((measurer, choice, adapter))
        };
        match prepared.await {
            Ok((measurer, choice, adapter)) => {
                self.measurer = Some(measurer);
                let models = Rc::new(loaded.models);
                self.terms = workers.terms(processors());
                self.lacks_mate = choice.backend == Backend::Cpu && self.terms.is_some();
                self.models = Some(Rc::clone(&models));
                if adapter.is_some() {
                    self.rival = Rival::Possible(models);
                }
                vec![FromEngine::Prepared {
                    attempt,
                    choice,
                    adapter,
                }]
            }
            Err(sentence) => vec![FromEngine::PrepareFailed { attempt, sentence }],
        }
    }

    /// Runs a model of a CPU that is new while nobody waits for it: browsers optimise code only once it has run.
    async fn rehearse(&mut self, model: Model) -> Vec<FromEngine> {
        let measurer = self.measurer.as_mut().or_else(|| self.loader.early_on_cpu());
        if let Some(Measurer::Cpu(cpu)) = measurer {
            cpu.rehearse(model).await;
            mark("plumbline:rehearsed");
            self.rehearsal = (model == Model::Detector).then(|| Rehearsal::after(0, Model::Landmarks));
        }
        Vec::new()
    }

    /// Runs a frame on the GPU that the CPU has answered.
    async fn compare(&mut self, frame: ToCompare) -> Vec<FromEngine> {
        let timed = self.rival.time(&frame.picture, &frame.frame).await;
        frame.picture.close();
        timed
            .map(|gpu| compared(self.attempt, frame.cpu, gpu))
            .into_iter()
            .collect()
    }

    fn rival_loaded(&self, loaded: Result<(), String>) -> FromEngine {
        let attempt = self.attempt;
        match loaded {
            Ok(()) => FromEngine::GpuReady { attempt },
            Err(what) => FromEngine::GpuFailed { attempt, what },
        }
    }

    /// Goes on with the oldest frame on the GPU.
    async fn accept(&mut self, read: Read) -> Vec<FromEngine> {
        let Some(Measurer::Gpu(gpu)) = &mut self.measurer else {
            return Vec::new();
        };
        match gpu.accept(read) {
            Ok(None) => Vec::new(),
            Ok(Some(result)) => {
                let Some(Submitted {
                    frame,
                    taken,
                    start_millis,
                }) = self.submitted.pop_front()
                else {
                    return Vec::new();
                };
                let (reader, behind) = (&mut self.reader, &mut self.behind);
                let mut measured =
                    after_gpu(reader, behind, frame, &taken.picture, start_millis, result).await;
                taken.settle(&mut measured);
                vec![answer(frame, measured)]
            }
            Err(sentence) => self.fail_lost(&sentence),
        }
    }

    /// Answers for the frames that the GPU has lost: the pipeline forgets all or the newest.
    fn fail_lost(&mut self, sentence: &str) -> Vec<FromEngine> {
        let left = match &self.measurer {
            Some(Measurer::Gpu(gpu)) => gpu.in_flight(),
            Some(Measurer::Cpu(_)) | None => 0,
        };
        let lost = self.submitted.split_off(left.min(self.submitted.len()));
        lost.into_iter()
            .map(|submitted| {
                submitted.taken.picture.close();
                FromEngine::FrameFailed {
                    frame: submitted.frame,
                    sentence: sentence.to_owned(),
                }
            })
            .collect()
    }
}
