//! What the Live page is doing, as a pure state machine: an event goes in, the state changes, effects come out.
//!
//! Nothing here touches the browser; the controller carries out the effects and reports back with events. Opening a
//! source and loading an engine both take time and may be overtaken by the person; each attempt carries a number, and
//! an answer with an old number is ignored.

use plumbline_pipeline::Variant;

use crate::live::autotune::{Autotune, Candidate, Order, Report};
use crate::live::backend::{Backend, BackendChoice, BackendWish};
use crate::live::frame_times::FrameTimes;
use crate::live::options::ModelName;
use crate::live::sentences;
use crate::live::source::SourceKind;

/// The number of an attempt to open a source or to load an engine.
pub type Attempt = u32;

/// The large states of the page, as in `data-state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageState {
    /// Nothing runs.
    Idle,
    /// The source opens, weights are downloaded, or the models are prepared.
    Loading,
    /// Frames are measured.
    Live,
    /// Picture and skeleton stand still.
    Paused,
    /// A picture is measured, or a clip has ended; the last result stands.
    Done,
    /// It went wrong; the notice says how.
    Error,
}

impl StageState {
    /// As in `data-state`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Loading => "loading",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Error => "error",
        }
    }
}

/// A source that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSource {
    /// What a person calls it: the camera's or the file's name.
    pub label: String,
    /// Width of a frame.
    pub width_px: u32,
    /// Height of a frame.
    pub height_px: u32,
}

/// Where the models are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Not loaded.
    Absent,
    /// The weights are on their way; `total` is 0 while unknown.
    Downloading {
        /// Bytes so far.
        received: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The weights are here; graph, passes and plan are being made.
    Preparing,
    /// Frames can be measured.
    Ready(BackendChoice),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The person wants this source.
    Start(SourceKind),
    /// The person wants it to stop.
    Stop,
    /// The person pauses or resumes.
    TogglePause,
    /// The person chose a model.
    ModelChosen(ModelName),
    /// The person chose a backend.
    BackendChosen(BackendWish),
    /// The source delivers.
    SourceOpened(Attempt, OpenedSource),
    /// The source does not deliver; a sentence.
    SourceFailed(Attempt, String),
    /// The source has no more frames.
    SourceEnded(Attempt),
    /// Bytes of weights arrived.
    Progress {
        /// Whose.
        attempt: Attempt,
        /// So far.
        received: u64,
        /// In all.
        total: u64,
    },
    /// All weights are here.
    WeightsReady(Attempt),
    /// The engine can measure; where the backend is free to choose, with the GPU that may be better.
    EngineReady(Attempt, BackendChoice, Option<Candidate>),
    /// The engine cannot; a sentence.
    EngineFailed(Attempt, String),
    /// The result of a frame was drawn.
    ResultDrawn {
        /// Whether it shows somebody who was followed, without the detector.
        follows: bool,
    },
    /// What the engine says of the GPU beside the CPU.
    Tuning(Attempt, Report),
    /// The person wants both backends to be timed again.
    TimeAgain,
    /// A frame could not be measured; a sentence.
    FrameFailed(String),
    /// The person offered something that cannot be a source; a sentence.
    Refused(String),
    /// The worker is gone; a sentence.
    Crashed(String),
}

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open the source that the person chose.
    OpenSource(SourceKind, Attempt),
    /// Close it: stop tracks, free pictures.
    CloseSource,
    /// Download what is missing, then prepare the models.
    LoadEngine {
        /// Number of the attempt.
        attempt: Attempt,
        /// Which landmark model.
        model: ModelName,
        /// On which backend.
        wish: BackendWish,
    },
    /// Stop a download.
    CancelDownload,
    /// Forget the tracked person, and let frames through to the engine.
    BeginFrames,
    /// Let no more frames through.
    HoldFrames,
    /// Freeze the picture.
    PausePicture,
    /// Let it move again.
    ResumePicture,
    /// Let the engine go; the next model to be loaded starts another.
    DropEngine,
    /// Make the models ready on the GPU too, in this way and in place of what it holds, while the CPU answers.
    PrepareGpu(Variant),
    /// Let this backend answer, and free the other.
    Settle(Backend),
    /// Keep what timing both gave.
    RememberTimes(FrameTimes),
    /// Forget what an earlier timing gave.
    ForgetTimes,
}

/// The state of the Live page.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The source that runs, or ran last.
    pub source: Option<SourceKind>,
    /// Filled while the source delivers.
    pub opened: Option<OpenedSource>,
    /// Where the models are.
    pub engine: Engine,
    /// The chosen landmark model.
    pub model: ModelName,
    /// The chosen backend.
    pub wish: BackendWish,
    /// What went wrong, as a sentence.
    pub notice: Option<String>,
    /// Which backend is better, where that is free to choose and there is a choice.
    pub tuning: Option<Autotune>,
    phase: Phase,
    attempts: Attempt,
    source_attempt: Attempt,
    engine_attempt: Attempt,
    has_restarted: bool,
    /// How often the GPU was taken away while the backend was free to choose.
    gpu_losses: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Running { paused: bool },
    Done,
    Failed,
}

impl Session {
    /// Nothing runs yet.
    pub fn new(model: ModelName, wish: BackendWish) -> Self {
        Self {
            source: None,
            opened: None,
            engine: Engine::Absent,
            model,
            wish,
            notice: None,
            tuning: None,
            phase: Phase::Idle,
            attempts: 0,
            source_attempt: 0,
            engine_attempt: 0,
            has_restarted: false,
            gpu_losses: 0,
        }
    }

    /// The state as the stage shows it.
    pub fn state(&self) -> StageState {
        match self.phase {
            Phase::Idle => StageState::Idle,
            Phase::Done => StageState::Done,
            Phase::Failed => StageState::Error,
            Phase::Running { paused: true } => StageState::Paused,
            Phase::Running { paused: false } if self.is_ready() => StageState::Live,
            Phase::Running { paused: false } => StageState::Loading,
        }
    }

    /// Whether Stop stands where Start stood.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running { .. })
    }

    /// The backend and its reason, once known.
    pub fn choice(&self) -> Option<&BackendChoice> {
        match &self.engine {
            Engine::Ready(choice) => Some(choice),
            Engine::Absent | Engine::Downloading { .. } | Engine::Preparing => None,
        }
    }

    fn is_ready(&self) -> bool {
        self.opened.is_some() && matches!(self.engine, Engine::Ready(_))
    }

    fn next_attempt(&mut self) -> Attempt {
        self.attempts += 1;
        self.attempts
    }

    /// Takes an event and says what is to be done.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Start(kind) => self.start(kind),
            Event::Stop => self.stop(),
            Event::TogglePause => match self.phase {
                Phase::Running { paused: false } if self.is_ready() => {
                    self.phase = Phase::Running { paused: true };
                    vec![Effect::HoldFrames, Effect::PausePicture]
                }
                Phase::Running { paused: true } => {
                    self.phase = Phase::Running { paused: false };
                    let mut effects = vec![Effect::ResumePicture];
                    effects.extend(self.is_ready().then_some(Effect::BeginFrames));
                    effects
                }
                Phase::Running { .. } | Phase::Idle | Phase::Done | Phase::Failed => Vec::new(),
            },
            Event::ModelChosen(model) if model == self.model => Vec::new(),
            Event::ModelChosen(model) => {
                self.model = model;
                self.reload()
            }
            Event::BackendChosen(wish) if wish == self.wish => Vec::new(),
            Event::BackendChosen(wish) => {
                self.wish = wish;
                self.reload()
            }
            Event::SourceOpened(attempt, opened) => {
                if attempt != self.source_attempt || !self.is_running() {
                    return Vec::new();
                }
                self.opened = Some(opened);
                self.begin_if_ready()
            }
            Event::SourceFailed(attempt, sentence) => {
                if attempt != self.source_attempt || !self.is_running() {
                    return Vec::new();
                }
                self.fail(sentence)
            }
            Event::SourceEnded(attempt) => {
                if attempt == self.source_attempt && self.is_running() {
                    self.phase = Phase::Done;
                }
                Vec::new()
            }
            Event::Progress {
                attempt,
                received,
                total,
            } => {
                if attempt == self.engine_attempt && matches!(self.engine, Engine::Downloading { .. }) {
                    self.engine = Engine::Downloading { received, total };
                }
                Vec::new()
            }
            Event::WeightsReady(attempt) => {
                if attempt == self.engine_attempt && matches!(self.engine, Engine::Downloading { .. }) {
                    self.engine = Engine::Preparing;
                }
                Vec::new()
            }
            Event::EngineReady(attempt, choice, candidate) => {
                if attempt != self.engine_attempt || self.engine == Engine::Absent {
                    return Vec::new();
                }
                self.engine = Engine::Ready(choice);
                self.tuning = candidate.map(|candidate| Autotune::new(candidate, self.gpu_losses));
                self.say_what_runs();
                self.begin_if_ready()
            }
            Event::EngineFailed(attempt, sentence) => {
                if attempt != self.engine_attempt || self.engine == Engine::Absent {
                    return Vec::new();
                }
                self.engine = Engine::Absent;
                self.fail(sentence)
            }
            Event::ResultDrawn { follows } => {
                if self.source.is_some_and(SourceKind::moves) {
                    return self.tune(Report::Drawn { follows });
                }
                if self.is_running() {
                    self.phase = Phase::Done;
                }
                Vec::new()
            }
            Event::Tuning(attempt, report) if attempt == self.engine_attempt => self.tune(report),
            Event::Tuning(..) => Vec::new(),
            Event::TimeAgain => {
                self.gpu_losses = 0;
                let mut effects = vec![Effect::ForgetTimes];
                effects.extend(self.reload());
                effects
            }
            Event::FrameFailed(sentence) => self.frame_failed(sentence),
            Event::Refused(sentence) => self.fail(sentence),
            Event::Crashed(sentence) => self.crashed(sentence),
        }
    }

    fn start(&mut self, kind: SourceKind) -> Vec<Effect> {
        let mut effects = vec![Effect::HoldFrames, Effect::CloseSource];
        self.notice = None;
        self.opened = None;
        self.source = Some(kind);
        self.phase = Phase::Running { paused: false };
        self.source_attempt = self.next_attempt();
        effects.push(Effect::OpenSource(kind, self.source_attempt));
        if self.engine == Engine::Absent {
            effects.push(self.load_engine());
        }
        effects
    }

    fn stop(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::HoldFrames, Effect::CloseSource];
        effects.extend(self.cancel_download());
        self.opened = None;
        self.notice = None;
        self.phase = Phase::Idle;
        effects
    }

    /// Tells the machine that times both backends, if there is one, and passes its orders on.
    fn tune(&mut self, report: Report) -> Vec<Effect> {
        let order = self.tuning.as_mut().and_then(|tuning| tuning.update(report));
        self.say_what_runs();
        match order {
            None => Vec::new(),
            Some(Order::PrepareGpu(variant)) => vec![Effect::PrepareGpu(variant)],
            Some(Order::PrepareAndRemember(variant, times)) => {
                vec![Effect::PrepareGpu(variant), Effect::RememberTimes(times)]
            }
            Some(Order::Settle(backend)) => vec![Effect::Settle(backend)],
            Some(Order::SettleAndRemember(backend, times)) => {
                vec![Effect::Settle(backend), Effect::RememberTimes(times)]
            }
        }
    }

    fn say_what_runs(&mut self) {
        if let (Engine::Ready(choice), Some(tuning)) = (&mut self.engine, &self.tuning) {
            choice.backend = tuning.backend();
            choice.reason =
                sentences::backend_reason(choice.backend, &tuning.adapter.name, &tuning.standing());
        }
    }

    /// The model or the backend changed: what is loaded no longer fits.
    fn reload(&mut self) -> Vec<Effect> {
        let was_absent = self.engine == Engine::Absent;
        let mut effects: Vec<Effect> = self.cancel_download().into_iter().collect();
        self.engine = Engine::Absent;
        self.tuning = None;
        if self.is_running() {
            effects.push(Effect::HoldFrames);
            effects.push(self.load_engine());
        } else if !was_absent {
            effects.push(Effect::HoldFrames);
        }
        effects
    }

    /// A GPU can be taken away (sleep, a driver's restart); the engine is then loaded once more. Where the choice is free
    /// it begins on the CPU as always, and stays there once the GPU was taken away too often. Any other failure ends the
    /// session. With the GPU all its frames are lost; after the first of them the engine is being loaded, and the others
    /// are no news.
    fn frame_failed(&mut self, sentence: String) -> Vec<Effect> {
        if !self.is_running() || self.choice().is_none() {
            return Vec::new();
        }
        let was_on_gpu = self.choice().is_some_and(|choice| choice.backend == Backend::Gpu);
        if was_on_gpu && self.wish == BackendWish::Auto {
            self.gpu_losses += 1;
        } else if was_on_gpu && !self.has_restarted {
            self.has_restarted = true;
        } else {
            return self.fail(sentence);
        }
        vec![Effect::HoldFrames, self.load_engine()]
    }

    /// An engine that dies is replaced once in a session, and only where somebody waits for it: where none can start at
    /// all, the next one dies like the last, and at once.
    fn crashed(&mut self, sentence: String) -> Vec<Effect> {
        let mut effects = vec![Effect::HoldFrames];
        effects.extend(self.cancel_download());
        effects.push(Effect::DropEngine);
        self.engine = Engine::Absent;
        self.tuning = None;
        if !self.is_running() {
            return effects;
        }
        if self.has_restarted {
            effects.extend(self.fail(format!(
                "The models stopped twice: {sentence} Reload the page to try again."
            )));
        } else {
            self.has_restarted = true;
            effects.push(self.load_engine());
        }
        effects
    }

    fn fail(&mut self, sentence: String) -> Vec<Effect> {
        let mut effects = vec![Effect::HoldFrames, Effect::CloseSource];
        effects.extend(self.cancel_download());
        self.notice = Some(sentence);
        self.opened = None;
        self.phase = Phase::Failed;
        effects
    }

    fn load_engine(&mut self) -> Effect {
        self.tuning = None;
        self.engine = Engine::Downloading {
            received: 0,
            total: 0,
        };
        self.engine_attempt = self.next_attempt();
        Effect::LoadEngine {
            attempt: self.engine_attempt,
            model: self.model,
            wish: self.wish,
        }
    }

    fn cancel_download(&mut self) -> Option<Effect> {
        matches!(self.engine, Engine::Downloading { .. }).then(|| {
            self.engine = Engine::Absent;
            Effect::CancelDownload
        })
    }

    fn begin_if_ready(&mut self) -> Vec<Effect> {
        if self.state() == StageState::Live {
            vec![Effect::BeginFrames]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
