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
mod tests {
    use super::*;
    use crate::live::backend::Adapter;
    use crate::live::frame_times::VariantTime;
    use plumbline_pipeline::Timings;

    fn choice() -> BackendChoice {
        BackendChoice {
            backend: Backend::Cpu,
            reason: "a test".to_owned(),
        }
    }

    fn opened() -> OpenedSource {
        OpenedSource {
            label: "a camera".to_owned(),
            width_px: 640,
            height_px: 480,
        }
    }

    /// A session that measures, and the numbers of its two attempts.
    fn live(kind: SourceKind) -> (Session, Attempt, Attempt) {
        let mut session = Session::new(ModelName::Full, BackendWish::Auto);
        let effects = session.update(Event::Start(kind));
        let (source, engine) = attempts(&effects);
        session.update(Event::SourceOpened(source, opened()));
        session.update(Event::WeightsReady(engine));
        assert_eq!(
            session.update(Event::EngineReady(engine, choice(), None)),
            [Effect::BeginFrames]
        );
        (session, source, engine)
    }

    fn attempts(effects: &[Effect]) -> (Attempt, Attempt) {
        let mut found = (0, 0);
        for effect in effects {
            match effect {
                Effect::OpenSource(_, attempt) => found.0 = *attempt,
                Effect::LoadEngine { attempt, .. } => found.1 = *attempt,
                _ => {}
            }
        }
        found
    }

    #[test]
    fn source_and_engine_may_arrive_in_either_order() {
        for engine_first in [false, true] {
            let mut session = Session::new(ModelName::Lite, BackendWish::Auto);
            assert_eq!(session.state(), StageState::Idle);
            let (source, engine) = attempts(&session.update(Event::Start(SourceKind::Camera)));
            assert_eq!(session.state(), StageState::Loading);
            let mut events = [
                Event::SourceOpened(source, opened()),
                Event::EngineReady(engine, choice(), None),
            ];
            if engine_first {
                events.reverse();
            }
            let [first, second] = events;
            assert_eq!(session.update(first), []);
            assert_eq!(session.state(), StageState::Loading);
            assert_eq!(session.update(second), [Effect::BeginFrames]);
            assert_eq!(session.state(), StageState::Live);
        }
    }

    #[test]
    fn stop_closes_the_source_and_keeps_the_engine() {
        let (mut session, ..) = live(SourceKind::Camera);
        assert_eq!(
            session.update(Event::Stop),
            [Effect::HoldFrames, Effect::CloseSource]
        );
        assert_eq!(session.state(), StageState::Idle);
        let effects = session.update(Event::Start(SourceKind::Demo));
        assert!(
            effects
                .iter()
                .all(|effect| !matches!(effect, Effect::LoadEngine { .. })),
            "{effects:?}"
        );
    }

    #[test]
    fn stop_while_downloading_cancels() {
        let mut session = Session::new(ModelName::Full, BackendWish::Auto);
        let (source, engine) = attempts(&session.update(Event::Start(SourceKind::Camera)));
        session.update(Event::Progress {
            attempt: engine,
            received: 10,
            total: 100,
        });
        assert_eq!(
            session.engine,
            Engine::Downloading {
                received: 10,
                total: 100
            }
        );
        assert!(session.update(Event::Stop).contains(&Effect::CancelDownload));
        assert_eq!(
            session.update(Event::EngineReady(engine, choice(), None)),
            [],
            "too late"
        );
        assert_eq!(
            session.update(Event::SourceOpened(source, opened())),
            [],
            "too late"
        );
        assert_eq!(session.state(), StageState::Idle);
    }

    #[test]
    fn an_overtaken_source_is_ignored() {
        let (mut session, first, _) = live(SourceKind::Camera);
        let (second, _) = attempts(&session.update(Event::Start(SourceKind::Clip)));
        assert_eq!(session.update(Event::SourceFailed(first, "old".to_owned())), []);
        assert_eq!(session.state(), StageState::Loading);
        assert_eq!(
            session.update(Event::SourceOpened(second, opened())),
            [Effect::BeginFrames]
        );
    }

    #[test]
    fn another_model_is_loaded_while_the_source_stays() {
        let (mut session, ..) = live(SourceKind::Camera);
        let effects = session.update(Event::ModelChosen(ModelName::Heavy));
        assert!(!effects.contains(&Effect::CloseSource));
        let (_, engine) = attempts(&effects);
        assert_eq!(session.state(), StageState::Loading);
        assert_eq!(
            session.update(Event::EngineReady(engine, choice(), None)),
            [Effect::BeginFrames]
        );
        assert_eq!(
            session.update(Event::ModelChosen(ModelName::Heavy)),
            [],
            "chosen already"
        );
    }

    #[test]
    fn pause_holds_and_resume_begins() {
        let (mut session, ..) = live(SourceKind::Demo);
        assert_eq!(
            session.update(Event::TogglePause),
            [Effect::HoldFrames, Effect::PausePicture]
        );
        assert_eq!(session.state(), StageState::Paused);
        assert_eq!(
            session.update(Event::TogglePause),
            [Effect::ResumePicture, Effect::BeginFrames]
        );
        assert_eq!(session.state(), StageState::Live);
        session.update(Event::Stop);
        assert_eq!(session.update(Event::TogglePause), []);
    }

    #[test]
    fn a_picture_is_done_after_its_result_and_a_clip_at_its_end() {
        let (mut session, ..) = live(SourceKind::Picture);
        session.update(Event::ResultDrawn { follows: true });
        assert_eq!(session.state(), StageState::Done);
        let (mut session, source, _) = live(SourceKind::Clip);
        session.update(Event::ResultDrawn { follows: true });
        assert_eq!(session.state(), StageState::Live);
        session.update(Event::SourceEnded(source));
        assert_eq!(session.state(), StageState::Done);
    }

    #[test]
    fn failures_free_the_camera_and_say_why() {
        let (mut session, source, _) = live(SourceKind::Camera);
        let effects = session.update(Event::SourceFailed(source, "Unplugged.".to_owned()));
        assert!(effects.contains(&Effect::CloseSource));
        assert_eq!(
            (session.state(), session.notice.as_deref()),
            (StageState::Error, Some("Unplugged."))
        );
        session.update(Event::Start(SourceKind::Camera));
        assert_eq!(session.notice, None);
    }

    #[test]
    fn a_crash_is_survived_once() {
        let (mut session, ..) = live(SourceKind::Camera);
        let effects = session.update(Event::Crashed("Out of memory.".to_owned()));
        assert!(effects.contains(&Effect::DropEngine) && !effects.contains(&Effect::CloseSource));
        let (_, engine) = attempts(&effects);
        assert_eq!(
            session.update(Event::EngineReady(engine, choice(), None)),
            [Effect::BeginFrames]
        );
        session.update(Event::Crashed("Out of memory.".to_owned()));
        assert_eq!(session.state(), StageState::Error);
        assert!(session.notice.expect("a sentence").contains("Out of memory."));
    }

    #[test]
    fn an_engine_that_dies_unused_waits_until_somebody_starts() {
        let mut session = Session::new(ModelName::Lite, BackendWish::Auto);
        let crash = || Event::Crashed("It did not load.".to_owned());
        assert_eq!(session.update(crash()), [Effect::HoldFrames, Effect::DropEngine]);
        let effects = session.update(Event::Start(SourceKind::Camera));
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::LoadEngine { .. }))
        );
        for ends in [false, true] {
            session.update(crash());
            assert_eq!(session.state() == StageState::Error, ends);
        }
        assert!(session.notice.expect("a sentence").contains("It did not load."));
    }

    #[test]
    fn a_lost_gpu_that_was_chosen_by_hand_is_replaced_once() {
        let (mut session, ..) = live(SourceKind::Camera);
        let (_, engine) = attempts(&session.update(Event::BackendChosen(BackendWish::Forced(Backend::Gpu))));
        let on_gpu = BackendChoice {
            backend: Backend::Gpu,
            reason: "a test".to_owned(),
        };
        session.update(Event::EngineReady(engine, on_gpu.clone(), None));
        let effects = session.update(Event::FrameFailed("The GPU was lost.".to_owned()));
        assert!(!effects.contains(&Effect::CloseSource), "the camera stays on");
        let (_, engine) = attempts(&effects);
        assert_eq!(
            session.update(Event::EngineReady(engine, on_gpu, None)),
            [Effect::BeginFrames]
        );
        session.update(Event::FrameFailed("The GPU was lost.".to_owned()));
        assert_eq!(session.state(), StageState::Error);
    }

    fn candidate(remembered: Option<FrameTimes>) -> Option<Candidate> {
        Some(Candidate {
            adapter: Adapter {
                name: "nvidia ampere".to_owned(),
                is_software: false,
            },
            remembered,
            times_software: false,
        })
    }

    /// A camera on the GPU, because that was the faster one before; and the number of the engine's attempt.
    fn live_on_gpu(session: &mut Session, engine: Attempt) {
        let remembered = Some(FrameTimes {
            cpu_millis: 11.0,
            gpu: vec![VariantTime {
                variant: Variant::HARDWARE,
                millis: 4.0,
            }],
        });
        session.update(Event::EngineReady(engine, choice(), candidate(remembered)));
        assert_eq!(
            session.update(Event::ResultDrawn { follows: true }),
            [Effect::PrepareGpu(Variant::HARDWARE)]
        );
        assert_eq!(
            session.update(Event::Tuning(engine, Report::Ready)),
            [Effect::Settle(Backend::Gpu)]
        );
        assert_eq!(session.choice().map(|choice| choice.backend), Some(Backend::Gpu));
    }

    #[test]
    fn a_gpu_that_is_lost_twice_leaves_the_camera_on_the_cpu() {
        let (mut session, _, engine) = live(SourceKind::Camera);
        live_on_gpu(&mut session, engine);
        let (_, engine) = attempts(&session.update(Event::FrameFailed("The GPU was lost.".to_owned())));
        assert_eq!(
            session.update(Event::FrameFailed("The GPU was lost.".to_owned())),
            [],
            "the frame that was on its way beside it"
        );
        live_on_gpu(&mut session, engine);
        let effects = session.update(Event::FrameFailed("The GPU was lost.".to_owned()));
        assert!(!effects.contains(&Effect::CloseSource), "the camera stays on");
        let (_, engine) = attempts(&effects);
        assert_eq!(
            session.update(Event::EngineReady(engine, choice(), candidate(None))),
            [Effect::BeginFrames]
        );
        assert_eq!(session.update(Event::ResultDrawn { follows: true }), []);
        assert_eq!(session.state(), StageState::Live);
        let said = session.choice().expect("it is ready");
        assert_eq!(said.backend, Backend::Cpu);
        assert!(said.reason.contains("taken away"), "{}", said.reason);
    }

    #[test]
    fn timing_both_switches_once_and_is_remembered() {
        let (mut session, _, engine) = live(SourceKind::Camera);
        session.update(Event::EngineReady(engine, choice(), candidate(None)));
        session.update(Event::ResultDrawn { follows: true });
        session.update(Event::Tuning(engine, Report::Ready));
        let frame = |total_millis| Timings {
            landmarks_millis: Some(total_millis),
            total_millis,
            ..Timings::default()
        };
        let compared = Report::Compared {
            cpu: frame(11.0),
            gpu: frame(4.0),
        };
        assert_eq!(
            session.update(Event::Tuning(engine + 1, compared.clone())),
            [],
            "of another engine"
        );
        // All ways take the same: the first of them is loaded once more, and takes over.
        let effects: Vec<Effect> = (0..60)
            .flat_map(|_| {
                let report = |report| Event::Tuning(engine, report);
                let mut effects = session.update(report(compared.clone()));
                if matches!(effects.first(), Some(Effect::PrepareGpu(_))) {
                    effects.extend(session.update(report(Report::Ready)));
                }
                effects
            })
            .collect();
        let (last, others) = effects.split_last().expect("something happened");
        assert_eq!(last, &Effect::Settle(Backend::Gpu));
        let remembered = others.iter().filter_map(|effect| match effect {
            Effect::RememberTimes(times) => Some(times.gpu.len()),
            _ => None,
        });
        assert_eq!(remembered.collect::<Vec<_>>(), [3], "once, with all ways");
        assert!(!others.contains(&Effect::Settle(Backend::Gpu)));
        assert_eq!(session.choice().map(|choice| choice.backend), Some(Backend::Gpu));

        let effects = session.update(Event::TimeAgain);
        assert!(effects.contains(&Effect::ForgetTimes) && !effects.contains(&Effect::CloseSource));
        assert_eq!((session.choice(), &session.tuning), (None, &None));
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::LoadEngine { .. }))
        );
    }

    #[test]
    fn a_single_picture_asks_nothing_of_the_gpu() {
        let (mut session, _, engine) = live(SourceKind::Picture);
        session.update(Event::EngineReady(engine, choice(), candidate(None)));
        assert_eq!(session.update(Event::ResultDrawn { follows: true }), []);
        assert_eq!(session.state(), StageState::Done);
    }

    #[test]
    fn a_frame_that_fails_on_the_cpu_ends_the_session() {
        let (mut session, ..) = live(SourceKind::Camera);
        let effects = session.update(Event::FrameFailed("No.".to_owned()));
        assert!(effects.contains(&Effect::CloseSource));
        assert_eq!(session.notice.as_deref(), Some("No."));
    }
}
