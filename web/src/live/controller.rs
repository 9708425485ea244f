//! Carries out what the session decides: opens sources, feeds frames to the engine, draws what comes back.
//!
//! [`Live`] is what components hold: signals to read and verbs to call. Behind it stands one [`Controller`] with
//! everything that is not shown.

mod background;
mod measuring;
mod opening;
mod people;
mod watching;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use leptos::prelude::*;
use plumbline_core::pose::Pose;

use crate::live::announcer::Announcer;
use crate::live::backend::BackendWish;
use crate::live::background::{Background, BackgroundKind, Cut, CutMeter, MaskModel};
use crate::live::gate::FrameGate;
use crate::live::meter::Meter;
use crate::live::options::{ModelName, PageOptions};
use crate::live::people::{Choice, InView};
use crate::live::quality::Quality;
use crate::live::session::{Effect, Event, Session, StageState};
use crate::live::skeleton_drawing::{Fit, marks, marks_of_people};
use crate::live::source::{SourceKind, classify_file};
use crate::live::stages::{StageMedians, StageMeter};
use crate::live::tuning_memory::TuningKey;
use crate::platform::engine_link::{EngineLink, Place};
use crate::platform::page;
use crate::platform::painter::Painter;
use crate::platform::picture::Picture;
use crate::platform::source::camera::{CameraInfo, CameraWish};
use crate::platform::source::file::PickedFile;
use crate::platform::source::{Screens, Source};
use crate::platform::support::support;
use crate::platform::tuning_store;
use crate::platform::watch_link::WatchLink;
use crate::worker::protocol::{FrameStamp, Measurement, ToEngine};

use self::watching::Watched;

/// The numbers beside the stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Readout {
    /// Results drawn per second.
    pub frames_per_second: Option<f64>,
    /// What a frame costs the engine.
    pub frame_millis: Option<f64>,
    /// And where.
    pub stages: StageMedians,
    /// Frames that nobody measured.
    pub dropped: u32,
    /// How well the person is seen.
    pub quality: Option<Quality>,
    /// How well the person is cut out, where another background stands behind.
    pub cut: Option<Cut>,
}

/// The Live page's state and verbs. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Live {
    /// What the page is doing.
    pub session: RwSignal<Session>,
    /// The numbers.
    pub readout: RwSignal<Readout>,
    /// Results drawn since the start.
    pub frames: RwSignal<u32>,
    /// Workers that computed the last one.
    pub workers: RwSignal<u32>,
    /// The last result as JSON, with `?inspect` only.
    pub inspected: RwSignal<Option<String>>,
    /// Who is measured in a picture, for its table; within, nothing where nobody is.
    pub picture_result: RwSignal<Option<Option<Pose>>>,
    /// The cameras of this device.
    pub cameras: RwSignal<Vec<CameraInfo>>,
    /// Which camera is wanted, and how large.
    pub camera_wish: RwSignal<CameraWish>,
    /// Whether the picture is shown as in a mirror.
    pub mirrored: RwSignal<bool>,
    /// How many people are followed at most.
    pub people_limit: RwSignal<u32>,
    /// Who they are, and who is measured.
    pub in_view: RwSignal<InView>,
    /// What stands behind the person.
    pub background: RwSignal<Background>,
    /// The name of the picture that may stand there.
    pub background_picture: RwSignal<Option<String>>,
    /// The model that makes masks, where one beside the skeleton's does.
    pub mask_model: RwSignal<MaskModel>,
    /// Why a picture cannot; a sentence.
    pub background_problem: RwSignal<Option<String>>,
    /// Whether the stage shows the picture as it was spoiled on purpose, and measured.
    pub is_broken: RwSignal<bool>,
    /// How the session stands, while it is watched.
    pub watched: RwSignal<Watched>,
    /// Whether every session is watched.
    pub always_watched: RwSignal<bool>,
    /// Where the engine runs.
    pub place: RwSignal<Option<Place>>,
    /// What a screen reader says next.
    pub announcement: RwSignal<String>,
    /// Date and time of the print that is being made.
    pub printed_on: RwSignal<String>,
    controller: StoredValue<Rc<Controller>, LocalStorage>,
}

/// What is not shown.
struct Controller {
    options: PageOptions,
    module_workers: bool,
    screens: RefCell<Option<Screens>>,
    painter: RefCell<Option<Painter>>,
    source: RefCell<Option<Source>>,
    file: RefCell<Option<PickedFile>>,
    link: RefCell<Option<EngineLink>>,
    gate: RefCell<FrameGate<FrameStamp>>,
    meter: RefCell<Meter>,
    stages: RefCell<StageMeter>,
    /// SHA-256 of the weights of the detector and of the landmark model that are loaded.
    weights: RefCell<Option<[String; 2]>>,
    /// What times of both backends hold for, where there are two.
    tuning_key: RefCell<Option<TuningKey>>,
    announcer: RefCell<Announcer>,
    watcher: RefCell<Option<WatchLink>>,
    last: RefCell<Option<Measurement>>,
    choice: RefCell<Choice>,
    /// The frame that the source shows.
    last_shown: Cell<Option<FrameStamp>>,
    /// The picture behind the person, kept for an engine that may follow.
    behind: RefCell<Option<Picture>>,
    cut: RefCell<CutMeter>,
    /// The kind of background that stood there last.
    background_before: Cell<BackgroundKind>,
    /// Counts sources, so that a result of the one before is not taken for one of this.
    run: Cell<u32>,
    /// Of which source each frame is that the engine holds, oldest first.
    runs_in_flight: RefCell<VecDeque<u32>>,
    /// The next frame that is sent starts tracking anew.
    starts_anew: Cell<bool>,
    readout_at_millis: Cell<f64>,
    has_drawn_skeleton: Cell<bool>,
    /// Cameras have not been looked for yet.
    lacks_cameras: Cell<bool>,
    /// The address asks for the drawn person, and has not got it yet.
    wants_demo: Cell<bool>,
}

impl Live {
    /// The state at the start: choices from the address first, then those remembered.
    pub fn new(options: PageOptions) -> Self {
        let remembered_model = page::remembered("plumbline.model").and_then(|id| ModelName::from_id(&id));
        let model = options.model.or(remembered_model).unwrap_or_default();
        let controller = Rc::new(Controller {
            options,
            module_workers: support().module_workers,
            screens: RefCell::default(),
            painter: RefCell::default(),
            source: RefCell::default(),
            file: RefCell::default(),
            link: RefCell::default(),
            gate: RefCell::default(),
            meter: RefCell::default(),
            stages: RefCell::default(),
            weights: RefCell::default(),
            tuning_key: RefCell::default(),
            announcer: RefCell::default(),
            watcher: RefCell::default(),
            last: RefCell::default(),
            choice: RefCell::default(),
            last_shown: Cell::default(),
            behind: RefCell::default(),
            cut: RefCell::default(),
            background_before: Cell::new(BackgroundKind::Blur),
            run: Cell::new(0),
            runs_in_flight: RefCell::default(),
            starts_anew: Cell::new(true),
            readout_at_millis: Cell::new(f64::NEG_INFINITY),
            has_drawn_skeleton: Cell::new(false),
            lacks_cameras: Cell::new(true),
            wants_demo: Cell::new(options.start_demo),
        });
        let live = Self {
            session: RwSignal::new(Session::new(model, options.backend.unwrap_or_default())),
            readout: RwSignal::default(),
            frames: RwSignal::new(0),
            workers: RwSignal::new(1),
            inspected: RwSignal::default(),
            picture_result: RwSignal::default(),
            cameras: RwSignal::default(),
            camera_wish: RwSignal::default(),
            mirrored: RwSignal::new(page::remembered("plumbline.mirror").is_none_or(|value| value != "off")),
            people_limit: RwSignal::new(people::limit_at_start(options.people)),
            in_view: RwSignal::default(),
            background: RwSignal::new(background::at_start(options.background)),
            background_picture: RwSignal::default(),
            mask_model: RwSignal::default(),
            background_problem: RwSignal::default(),
            is_broken: RwSignal::default(),
            watched: RwSignal::default(),
            always_watched: RwSignal::new(watching::is_always_watched()),
            place: RwSignal::default(),
            announcement: RwSignal::default(),
            printed_on: RwSignal::default(),
            controller: StoredValue::new_local(controller),
        };
        // A source that starts by itself goes first.
        if !options.start_demo {
            live.look_for_cameras();
        }
        live
    }

    /// The stage is on the page; the engine is started in the background, so that the first skeleton comes sooner.
    pub fn attach(&self, screens: Screens, painter: Option<Painter>) {
        let controller = self.controller();
        *controller.screens.borrow_mut() = Some(screens);
        *controller.painter.borrow_mut() = painter;
        self.ensure_link();
        if controller.options.watches || self.always_watched.get_untracked() {
            self.watch();
        }
        if controller.wants_demo.replace(false) {
            self.start_demo();
        }
    }

    /// The stage leaves the page: everything stops.
    pub fn detach(&self) {
        self.dispatch(Event::Stop);
        self.stop_watching();
        let controller = self.controller();
        *controller.screens.borrow_mut() = None;
        *controller.painter.borrow_mut() = None;
    }

    /// Starts the camera, or the file or drawn person that ran last.
    pub fn start_again(&self) {
        let source = self
            .session
            .with_untracked(|session| session.source)
            .unwrap_or(SourceKind::Camera);
        self.dispatch(Event::Start(source));
    }

    /// Starts the camera.
    pub fn start_camera(&self) {
        self.dispatch(Event::Start(SourceKind::Camera));
    }

    /// Starts the drawn person.
    pub fn start_demo(&self) {
        self.dispatch(Event::Start(SourceKind::Demo));
    }

    /// Starts a file.
    pub fn start_file(&self, file: PickedFile) {
        match classify_file(&file.name(), &file.media_type()) {
            Ok(kind) => {
                *self.controller().file.borrow_mut() = Some(file);
                self.dispatch(Event::Start(kind));
            }
            Err(sentence) => self.dispatch(Event::Refused(sentence)),
        }
    }

    /// Another camera or size; a camera that runs is opened anew.
    pub fn choose_camera(&self, change: impl FnOnce(&mut CameraWish)) {
        self.camera_wish.update(change);
        if self
            .session
            .with_untracked(|session| session.is_running() && shows_camera(session))
        {
            self.start_camera();
        }
    }

    /// Another model.
    pub fn choose_model(&self, model: ModelName) {
        page::remember("plumbline.model", model.id());
        self.dispatch(Event::ModelChosen(model));
    }

    /// Another backend.
    pub fn choose_backend(&self, wish: BackendWish) {
        self.dispatch(Event::BackendChosen(wish));
    }

    /// Shows the picture as in a mirror, or as the camera sees it.
    pub fn set_mirrored(&self, mirrored: bool) {
        page::remember("plumbline.mirror", if mirrored { "on" } else { "off" });
        self.mirrored.set(mirrored);
        self.repaint();
    }

    /// Whether the picture is mirrored now: only a camera is looked at as a mirror.
    pub fn is_mirrored(&self) -> bool {
        self.mirrored.get() && self.session.with(shows_camera)
    }

    /// The same, outside of reactive code.
    pub fn is_mirrored_untracked(&self) -> bool {
        self.mirrored.get_untracked() && self.session.with_untracked(shows_camera)
    }

    /// Draws the last skeleton again, after the stage changed its size.
    pub fn repaint(&self) {
        let controller = self.controller();
        let painter = controller.painter.borrow();
        let Some(painter) = painter.as_ref() else { return };
        let last = controller.last.borrow();
        let Some(measurement) = last.as_ref().filter(|last| !last.people.is_empty()) else {
            painter.clear();
            return;
        };
        let fit = self.fit(painter, measurement);
        let measured = controller.choice.borrow().measured();
        painter.paint(
            &match (self.people_limit.get_untracked(), measurement.pose_of(measured)) {
                (1, Some(pose)) => marks(pose, &fit),
                _ => marks_of_people(&measurement.people, measured, &fit),
            },
        );
    }

    /// How a frame lies in the stage.
    fn fit(&self, painter: &Painter, measurement: &Measurement) -> Fit {
        let picture = (measurement.width_px as f32, measurement.height_px as f32);
        Fit::contain(picture, painter.stage_size(), self.is_mirrored_untracked())
    }

    /// Tells the session, and carries out what it decides.
    pub fn dispatch(&self, event: Event) {
        let before = self.session.with_untracked(Session::state);
        let effects = self
            .session
            .try_update(|session| session.update(event))
            .unwrap_or_default();
        let after = self.session.with_untracked(Session::state);
        for effect in effects {
            self.perform(effect);
        }
        if before != after {
            self.update_readout(true);
            if matches!(after, StageState::Idle | StageState::Error) {
                self.look_for_cameras();
            }
            self.announce(match after.id() {
                "live" => "Measuring.",
                "paused" => "Paused.",
                "done" => "Done.",
                "idle" => "Stopped.",
                _ => return,
            });
        }
    }

    fn controller(&self) -> Rc<Controller> {
        self.controller.get_value()
    }

    fn tell_engine(&self, message: ToEngine) {
        if let Some(link) = self.controller().link.borrow().as_ref() {
            link.post(message);
        }
    }

    fn perform(&self, effect: Effect) {
        let controller = self.controller();
        match effect {
            Effect::OpenSource(kind, attempt) => self.open_source(kind, attempt),
            Effect::CloseSource => {
                controller.run.set(controller.run.get() + 1);
                // Dropping a source frees its camera.
                drop(controller.source.borrow_mut().take());
            }
            Effect::LoadEngine { attempt, model, wish } => self.load_engine(attempt, model, wish),
            Effect::PrepareGpu(variant) => self.tell_engine(ToEngine::PrepareGpu { variant }),
            Effect::Settle(backend) => {
                self.tell_engine(ToEngine::Settle { backend });
                self.set_frames_at_once(backend);
            }
            Effect::RememberTimes(times) => {
                if let Some(key) = controller.tuning_key.borrow().as_ref() {
                    tuning_store::store(key, &times);
                }
            }
            Effect::ForgetTimes => {
                if let Some(key) = controller.tuning_key.borrow().as_ref() {
                    tuning_store::clear(key);
                }
            }
            Effect::CancelDownload => self.tell_engine(ToEngine::Cancel),
            Effect::BeginFrames => {
                controller.starts_anew.set(true);
                controller.gate.borrow_mut().open();
                if let Some(source) = controller.source.borrow().as_ref() {
                    source.begin();
                }
            }
            Effect::HoldFrames => {
                controller.gate.borrow_mut().close();
                if let Some(source) = controller.source.borrow().as_ref() {
                    source.hold();
                }
            }
            Effect::PausePicture => {
                if let Some(source) = controller.source.borrow().as_ref() {
                    source.freeze();
                }
            }
            Effect::ResumePicture => {
                if let Some(source) = controller.source.borrow().as_ref() {
                    source.begin();
                }
            }
            Effect::DropEngine => {
                if let Some(link) = controller.link.borrow_mut().take() {
                    link.close();
                }
                controller.gate.borrow_mut().engine_gone();
                controller.runs_in_flight.borrow_mut().clear();
            }
        }
    }
}

fn shows_camera(session: &Session) -> bool {
    session.source == Some(SourceKind::Camera)
}
