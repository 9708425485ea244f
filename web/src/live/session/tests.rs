//! The session, event by event: what it decides and what it asks for.

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
