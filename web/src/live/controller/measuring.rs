//! From a frame on the screen to a skeleton above it: through the gate, to the engine, and back.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Live, Readout};
use crate::live::autotune::{Autotune, Candidate, Report};
use crate::live::backend::{Adapter, Backend};
use crate::live::background::MaskModel;
use crate::live::quality::Quality;
use crate::live::session::{Event, StageState};
use crate::live::trial;
use crate::platform::engine_link::EngineLink;
use crate::platform::page;
use crate::platform::source::Source;
use crate::platform::tuning_store;
use crate::worker::protocol::{FrameStamp, FromEngine, Measurement, ToEngine};

/// How often the numbers change, at most: faster, nobody can read them.
const READOUT_PAUSE_MILLIS: f64 = 250.0;

/// How many frames the engine works on at once: on the GPU a frame is submitted before the one before it is read, where
/// one person is followed.
fn frames_at_once(backend: Backend, people_limit: u32) -> u32 {
    match (backend, people_limit) {
        (Backend::Gpu, 1) => 2,
        (Backend::Cpu | Backend::Gpu, _) => 1,
    }
}

impl Live {
    pub(super) fn engine_said(&self, message: FromEngine) {
        let controller = self.controller();
        match message {
            FromEngine::Awake => {}
            FromEngine::Progress {
                attempt,
                received,
                total,
            } => self.dispatch(Event::Progress {
                attempt,
                received,
                total,
            }),
            FromEngine::WeightsReady { attempt, weights } => {
                page::mark("plumbline:weights");
                *controller.weights.borrow_mut() = Some(weights);
                self.tell_watched_model();
                self.dispatch(Event::WeightsReady(attempt));
            }
            FromEngine::Started => {
                let place = controller.link.borrow().as_ref().map(EngineLink::place);
                self.place.set(place);
            }
            FromEngine::Prepared {
                attempt,
                choice,
                adapter,
            } => {
                page::mark("plumbline:prepared");
                self.set_frames_at_once(choice.backend);
                let candidate = adapter.map(|adapter| self.candidate(adapter));
                self.dispatch(Event::EngineReady(attempt, choice, candidate));
            }
            FromEngine::GpuReady { attempt } => self.dispatch(Event::Tuning(attempt, Report::Ready)),
            FromEngine::GpuFailed { attempt, what } => {
                self.dispatch(Event::Tuning(attempt, Report::Failed(what)))
            }
            FromEngine::Compared { attempt, cpu, gpu } => {
                self.dispatch(Event::Tuning(attempt, Report::Compared { cpu, gpu }))
            }
            FromEngine::Mask(model) => {
                let is_here = model == MaskModel::Here;
                self.mask_model.set(model);
                if is_here {
                    self.measure_again();
                }
            }
            FromEngine::PrepareFailed { attempt, sentence } => {
                self.dispatch(Event::EngineFailed(attempt, sentence))
            }
            FromEngine::Measured {
                measurement,
                composed,
            } => {
                let run = controller.runs_in_flight.borrow_mut().pop_front();
                if run == Some(controller.run.get()) {
                    // In one task, so that nobody sees the skeleton of one frame on the picture of another.
                    self.show_composed(composed.as_ref(), &measurement);
                    self.draw(*measurement);
                }
                if let Some(picture) = composed {
                    picture.close();
                }
                self.engine_is_free();
            }
            FromEngine::FrameFailed { sentence, .. } => {
                controller.runs_in_flight.borrow_mut().pop_front();
                // The session first: it may close the gate, so that no further frame follows the one that failed.
                self.dispatch(Event::FrameFailed(sentence));
                self.engine_is_free();
            }
            FromEngine::Crashed { sentence } => self.dispatch(Event::Crashed(sentence)),
        }
    }

    pub(super) fn set_frames_at_once(&self, backend: Backend) {
        let capacity = frames_at_once(backend, self.people_limit.get_untracked());
        self.controller().gate.borrow_mut().set_capacity(capacity);
    }

    /// The GPU that may be better than the CPU, with what an earlier visit knows of it.
    fn candidate(&self, adapter: Adapter) -> Candidate {
        let controller = self.controller();
        let model = self.session.with_untracked(|session| session.model);
        let weights = controller.weights.borrow().clone().unwrap_or_default();
        let key = tuning_store::key(model, &adapter.name, weights);
        let remembered = tuning_store::load(&key);
        *controller.tuning_key.borrow_mut() = Some(key);
        Candidate {
            adapter,
            remembered,
            times_software: controller.options.times_software,
        }
    }

    pub(super) fn frame_shown(&self, stamp: FrameStamp) {
        let controller = self.controller();
        if stamp.is_first {
            controller.starts_anew.set(true);
        }
        controller.last_shown.set(Some(stamp));
        let to_send = controller.gate.borrow_mut().shown(stamp);
        if let Some(stamp) = to_send {
            self.send(stamp);
        }
    }

    fn engine_is_free(&self) {
        let controller = self.controller();
        let next = controller.gate.borrow_mut().answered();
        if let Some(stamp) = next {
            self.send(stamp);
        }
    }

    /// Captures what the source shows now and transfers it.
    pub(super) fn send(&self, stamp: FrameStamp) {
        let controller = self.controller();
        let Some(screen) = controller.source.borrow().as_ref().map(Source::screen) else {
            controller.gate.borrow_mut().not_captured();
            return;
        };
        let run = controller.run.get();
        let is_first = controller.starts_anew.replace(false) || controller.options.each_frame_alone;
        let frame = FrameStamp { is_first, ..stamp };
        let live = *self;
        spawn_local(async move {
            match screen.capture(frame.time_secs).await {
                Ok(picture) if controller.run.get() == run => {
                    let people = live.people_limit.get_untracked();
                    let compare = live
                        .session
                        .with_untracked(|session| session.tuning.as_ref().and_then(Autotune::runs_both))
                        .filter(|_| people == 1);
                    if let Some(link) = controller.link.borrow().as_ref() {
                        controller.runs_in_flight.borrow_mut().push_back(run);
                        link.post(ToEngine::Measure {
                            frame,
                            compare,
                            people,
                            picture,
                        });
                    }
                }
                // The source was closed while its frame was captured.
                Ok(picture) => {
                    picture.close();
                    controller.gate.borrow_mut().not_captured();
                }
                Err(sentence) => {
                    controller.gate.borrow_mut().not_captured();
                    if controller.run.get() == run {
                        live.dispatch(Event::FrameFailed(sentence));
                    }
                }
            }
        });
    }

    fn draw(&self, measurement: Measurement) {
        let controller = self.controller();
        let now_millis = page::now_millis();
        controller
            .meter
            .borrow_mut()
            .record(now_millis, measurement.total_millis);
        controller.stages.borrow_mut().record(now_millis, &measurement);
        let is_alone = self.people_limit.get_untracked() == 1;
        let has_person = !measurement.people.is_empty();
        // Only frames of one person say which backend is the better one.
        let follows = is_alone && has_person && trial::follows(&measurement.timings);
        {
            let mut choice = controller.choice.borrow_mut();
            if measurement.frame.is_first && !controller.options.each_frame_alone {
                choice.begin();
            }
            let FrameStamp { time_secs, .. } = measurement.frame;
            choice.see(&measurement.people, self.people_limit.get_untracked(), time_secs);
        }
        if self.workers.get_untracked() != measurement.workers {
            self.workers.set(measurement.workers);
        }
        *controller.last.borrow_mut() = Some(measurement);
        self.show_choice();
        if controller.options.inspect {
            self.inspected
                .with_untracked(|json| page::keep_for_inspection(json.as_deref().unwrap_or_default()));
        }
        self.repaint();
        if has_person && !controller.has_drawn_skeleton.replace(true) {
            page::mark("plumbline:first-skeleton");
        }
        self.frames.update(|frames| *frames += 1);
        // What stands still has no later result to show.
        let stands = self
            .session
            .with_untracked(|session| session.state() != StageState::Live);
        self.update_readout(stands);
        self.look_for_cameras();
        // Of several, the panel's own sentence says who is measured.
        self.announce(match (is_alone, has_person) {
            (true, true) => "Person found.",
            (false, true) => "People found.",
            (_, false) => "Nobody in the picture.",
        });
        self.dispatch(Event::ResultDrawn { follows });
        if let Some(source) = controller.source.borrow().as_ref() {
            source.result_drawn();
        }
    }

    pub(super) fn update_readout(&self, at_once: bool) {
        let controller = self.controller();
        let now_millis = page::now_millis();
        if !at_once && now_millis - controller.readout_at_millis.get() < READOUT_PAUSE_MILLIS {
            return;
        }
        controller.readout_at_millis.set(now_millis);
        let (meter, last) = (controller.meter.borrow(), controller.last.borrow());
        self.readout.set(Readout {
            frames_per_second: meter.frames_per_second(),
            frame_millis: meter.frame_millis(),
            stages: controller.stages.borrow().medians(),
            dropped: controller.gate.borrow().dropped(),
            quality: last
                .as_ref()
                .map(|measurement| Quality::of(measurement.pose_of(controller.choice.borrow().measured()))),
            cut: controller.cut.borrow().cut(),
        });
    }

    pub(super) fn announce(&self, text: &str) {
        if self
            .controller()
            .announcer
            .borrow_mut()
            .may_say(page::now_millis(), text)
        {
            self.announcement.set(text.to_owned());
        }
    }
}
