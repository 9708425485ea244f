//! A watched session from its first frame to its evidence: sessions of a drawn person become a reference, another session is
//! as they were or is not, and the states, alarms and records say so.

use std::process::Command;
use std::sync::OnceLock;

use plumbline_core::monitor::audit::AuditLog;
use plumbline_core::monitor::blocks::BlockLength;
use plumbline_core::monitor::evidence::EvidenceFile;
use plumbline_core::monitor::feature_log::{self, FeatureLog};
use plumbline_core::monitor::golden::GoldenRun;
use plumbline_core::monitor::profile::Profile;
use plumbline_core::monitor::registry::ModelEntry;
use plumbline_core::monitor::session::{CandidateBlock, Monitor, News, Settings};
use plumbline_core::monitor::snapshot::{Phase, RollBackCause, Snapshot};
use plumbline_core::monitor::verdict::{AlarmKind, Direction, Reason, State};
use plumbline_tests::drawn_session::{DrawnFrame, DrawnSession};
use plumbline_tests::report;

/// Frames a second of drawn sessions.
const RATE_HZ: f64 = 8.0;
/// When sessions begin, seconds since 1970.
const BEGAN: u64 = 1_795_305_600;

fn entry(name: &str) -> ModelEntry {
    ModelEntry {
        sha256: plumbline_core::monitor::canonical::sha256_hex(name.as_bytes()),
        name: name.to_owned(),
        source: "drawn".to_owned(),
        licence: "MIT".to_owned(),
    }
}

fn settings() -> Settings {
    Settings {
        block: BlockLength::Seconds(5.0),
        began_unix_secs: BEGAN,
        model: entry("full"),
        detector_sha256: None,
        preprocessing: "drawn".to_owned(),
        is_on_gpu: false,
        app_version: "0.1.0".to_owned(),
        seed: 1,
        is_logging: true,
    }
}

/// Shows a monitor so many blocks of a session, each frame changed by `change`.
fn show(
    monitor: &mut Monitor,
    session: &mut DrawnSession,
    blocks: u64,
    mut change: impl FnMut(&mut DrawnFrame),
) -> Vec<News> {
    let mut news = Vec::new();
    let mut ended = 0;
    while ended < blocks {
        let mut frame = session.next().expect("a session has no end");
        change(&mut frame);
        let new = monitor.observe(&frame.facts());
        ended += u64::from(new.block.is_some());
        if new != News::default() {
            news.push(new);
        }
    }
    news
}

/// A frozen reference of three sessions of 80 blocks.
fn reference() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut text: Option<String> = None;
        for seed in 1..=3 {
            let mut monitor = Monitor::new(settings());
            if let Some(text) = &text {
                monitor.import_profile(text, BEGAN).expect("the draft is one");
            }
            show(&mut monitor, &mut DrawnSession::new(seed, RATE_HZ), 80, |_| {});
            let at = BEGAN + 10_000 * seed;
            monitor
                .add_to_draft(&format!("session {seed}"), at)
                .expect("sessions are alike");
            if seed == 3 {
                while monitor.work() {}
                assert!(
                    monitor
                        .freeze(at)
                        .expect_err("no datasheet yet")
                        .contains("'consent'")
                );
                for question in plumbline_core::monitor::datasheet::QUESTIONS {
                    monitor.answer(question.key, "drawn").expect("it is a draft");
                }
                monitor.freeze(at).expect("nothing is missing");
            }
            text = Some(monitor.export_profile(at).expect("there is a reference"));
        }
        text.expect("three sessions")
    })
}

/// A monitor that compares with the reference.
fn watching() -> Monitor {
    let mut monitor = Monitor::new(settings());
    monitor
        .import_profile(reference(), BEGAN)
        .expect("the reference is one");
    monitor
}

#[test]
fn a_session_as_in_the_reference_is_left_alone() {
    let mut watches = 0;
    for seed in [11, 12] {
        let mut monitor = watching();
        let news = show(&mut monitor, &mut DrawnSession::new(seed, RATE_HZ), 200, |_| {});
        watches += news
            .iter()
            .filter(|news| news.state.is_some_and(|(_, to)| to > State::Ok))
            .count();
        assert!(monitor.verdict().state <= State::Watch);
        assert_eq!(monitor.snapshot(1).status.phase, Phase::Reference);
    }
    report(&format!("two sessions of 200 blocks: {watches} times 'watch'"));
    assert!(watches <= 1, "{watches} times 'watch' in 400 blocks");
}

/// Ten standard deviations of the reference's blocks.
const LARGE_SHIFT_LEVELS: f32 = 25.0;

#[test]
fn a_large_shift_is_found_within_three_blocks_and_ends_when_it_is_gone() {
    let mut monitor = watching();
    let mut session = DrawnSession::new(21, RATE_HZ);
    show(&mut monitor, &mut session, 10, |_| {});
    assert_eq!(monitor.verdict().state, State::Ok);
    let news = show(&mut monitor, &mut session, 4, |frame| {
        frame.probe.luma_mean -= LARGE_SHIFT_LEVELS
    });
    let found = news
        .iter()
        .find(|news| news.state == Some((State::Ok, State::Watch)))
        .expect("a shift is found");
    assert!(found.block <= Some(13), "found with block {:?}", found.block);
    let alarm = &found.raised[0];
    let Reason::Feature {
        feature, direction, ..
    } = &alarm.reason
    else {
        panic!("{alarm:?}")
    };
    assert_eq!((feature.as_str(), *direction), ("luma_mean", Direction::Down));
    assert!(alarm.advice.contains("light") && alarm.kind == AlarmKind::Change);
    let news = show(&mut monitor, &mut session, 30, |_| {});
    assert!(
        news.iter()
            .any(|news| news.state == Some((State::Watch, State::Ok))),
        "it ends"
    );
    let ended = &monitor.snapshot(1).alarms;
    assert!(ended.iter().all(|alarm| alarm.ended_block.is_some()));
    monitor.acknowledge(alarm.id, BEGAN).expect("the alarm is there");
    assert!(monitor.acknowledge(9_999, BEGAN).is_err());
}

#[test]
fn one_odd_block_is_no_alarm() {
    for seed in [31, 32] {
        let mut monitor = watching();
        let mut session = DrawnSession::new(seed, RATE_HZ);
        show(&mut monitor, &mut session, 20, |_| {});
        let odd = show(&mut monitor, &mut session, 1, |frame| frame.probe.luma_mean = 3.0);
        let after = show(&mut monitor, &mut session, 20, |_| {});
        assert!(
            odd.iter().chain(&after).all(|news| news.state.is_none()),
            "seed {seed}"
        );
    }
}

/// Certainty and agreement fall while the picture stays as it was: an alarm of its own. A picture that goes dark while the
/// model stays sure is none.
#[test]
fn silent_decay_is_told_from_a_change_of_the_picture() {
    let mut monitor = watching();
    let mut session = DrawnSession::new(41, RATE_HZ);
    show(&mut monitor, &mut session, 5, |_| {});
    let news = show(&mut monitor, &mut session, 12, |frame| {
        frame.flip_oks = frame.flip_oks.map(|oks| oks - 0.25);
        for landmark in &mut frame.pose.landmarks {
            landmark.visibility -= 0.3;
        }
    });
    let raised: Vec<AlarmKind> = news
        .iter()
        .flat_map(|news| news.raised.iter().map(|alarm| alarm.kind))
        .collect();
    assert!(raised.contains(&AlarmKind::SilentDecay), "{raised:?}");
    assert_eq!(monitor.verdict().state, State::Suspect);
    assert!(monitor.verdict().silent_decay);

    let mut monitor = watching();
    let mut session = DrawnSession::new(42, RATE_HZ);
    let news = show(&mut monitor, &mut session, 12, |frame| {
        frame.probe.luma_mean *= 0.5
    });
    let kinds: Vec<AlarmKind> = news
        .iter()
        .flat_map(|news| news.raised.iter().map(|alarm| alarm.kind))
        .collect();
    assert!(
        kinds.contains(&AlarmKind::Change) && !kinds.contains(&AlarmKind::SilentDecay),
        "{kinds:?}"
    );
    assert_eq!(monitor.verdict().state, State::Watch);
}

/// A confident model that is wrong on one side: its certainty says nothing, its contradiction does.
#[test]
fn what_certainty_cannot_see_the_mirrored_picture_shows() {
    let mut monitor = watching();
    let mut session = DrawnSession::new(43, RATE_HZ);
    show(&mut monitor, &mut session, 12, |frame| {
        frame.flip_oks = frame.flip_oks.map(|oks| oks - 0.3)
    });
    let snapshot = monitor.snapshot(1);
    let visibility = snapshot
        .features
        .iter()
        .find(|view| view.name == "visibility_mean")
        .expect("it is in the table");
    assert!(visibility.chart.is_some_and(|chart| chart.over.is_none()));
    assert_eq!(snapshot.status.verdict.state, State::Suspect);
}

#[test]
fn a_draft_raises_no_more_than_watch() {
    let mut monitor = Monitor::new(settings());
    let mut session = DrawnSession::new(51, RATE_HZ);
    assert_eq!(monitor.snapshot(1).status.phase, Phase::NoReference);
    assert!(monitor.use_as_reference("empty", BEGAN).is_err());
    show(&mut monitor, &mut session, 6, |_| {});
    monitor
        .use_as_reference("short", BEGAN)
        .expect("there are blocks");
    assert!(matches!(
        monitor.snapshot(1).status.phase,
        Phase::Means {
            blocks: 6,
            needed: 24,
            ..
        }
    ));
    let news = show(&mut monitor, &mut session, 6, |frame| {
        frame.probe.sharpness -= 3.0;
        frame.flip_oks = frame.flip_oks.map(|oks| oks - 0.5);
        for landmark in &mut frame.pose.landmarks {
            landmark.visibility *= 0.4;
        }
    });
    assert!(news.iter().any(|news| news.raised.iter().any(|alarm| {
        matches!(&alarm.reason, Reason::Feature { feature, is_draft: true, .. } if feature == "sharpness")
    })));
    assert_eq!(monitor.verdict().state, State::Watch);
}

#[test]
fn a_draft_has_charts_from_24_blocks_on() {
    let mut monitor = Monitor::new(settings());
    let mut session = DrawnSession::new(52, RATE_HZ);
    show(&mut monitor, &mut session, 30, |_| {});
    monitor
        .use_as_reference("two minutes", BEGAN)
        .expect("there are blocks");
    assert!(monitor.work_progress().is_some_and(|done| done < 1.0));
    while monitor.work() {}
    let snapshot = monitor.snapshot(1);
    assert!(matches!(
        snapshot.status.phase,
        Phase::Draft {
            blocks: 30,
            sessions: 1
        }
    ));
    assert!(
        snapshot
            .status
            .false_watch_secs
            .is_some_and(|secs| secs > 1_800.0)
    );
    assert!(
        snapshot
            .features
            .iter()
            .filter(|view| view.chart.is_some())
            .count()
            > 25
    );
    let news = show(&mut monitor, &mut session, 20, |_| {});
    assert!(news.iter().all(|news| news.state.is_none()));
    show(&mut monitor, &mut session, 8, |frame| {
        frame.probe.luma_mean += LARGE_SHIFT_LEVELS
    });
    assert_eq!(monitor.verdict().state, State::Watch);
}

/// A candidate that gives the same is promoted after its trial; once it gives numbers that are none, the one before it runs
/// again, within three frames.
#[test]
fn a_model_is_promoted_and_left_again() {
    let mut monitor = watching();
    let mut session = DrawnSession::new(61, RATE_HZ);
    let lite = entry("lite");
    monitor.add_model(lite.clone(), BEGAN).expect("it is new");
    let plan = format!(
        "[plan]\nversion = 1\nintended_use = \"x\"\nowner = \"x\"\n[[baseline]]\nmodel = \"lite\"\nsha256 = \"{}\"\n",
        lite.sha256
    );
    monitor.use_change_plan(&plan).expect("it is a plan");
    monitor.try_out(&lite.sha256, BEGAN).expect("it is there");
    let golden = GoldenRun {
        frames: 12,
        failed: 0,
        worst_px: 0.1,
        tolerance_px: 0.5,
    };
    monitor
        .take_golden(&lite.sha256, golden, BEGAN)
        .expect("it is there");
    monitor.take_candidate_ece(0.0);
    assert!(monitor.promote(BEGAN).is_err());
    for _ in 0..200 {
        let mut flip = (0.0, 0.0);
        while !session
            .next()
            .map(|mut frame| {
                frame.total_millis = 20.0;
                if let Some(oks) = frame.flip_oks {
                    flip = (flip.0 + oks, flip.1 + 1.0);
                }
                let mut facts = frame.facts();
                facts.shadow_oks = frame.flip_oks.map(|_| 0.95);
                monitor.observe(&facts).block.is_some()
            })
            .expect("a session has no end")
        {}
        monitor.take_candidate(CandidateBlock {
            flip_oks: Some(flip.0 / flip.1),
            certainty: None,
            p95_millis: Some(18.0),
            current_p95_millis: Some(20.0),
        });
    }
    let trial = monitor.snapshot(1).registry.shadow.expect("the trial runs");
    assert!(trial.may_be_promoted, "{trial:?}");
    assert_eq!(
        monitor.promote(BEGAN).map(|model| model.name),
        Ok("lite".to_owned())
    );
    let mut frames = 0;
    let rolled_back = loop {
        let mut frame = session.next().expect("a session has no end");
        frame.pose.landmarks[12].x_px = f32::NAN;
        frames += 1;
        if let Some(rolled_back) = monitor.observe(&frame.facts()).rolled_back {
            break rolled_back;
        }
    };
    assert_eq!((frames, rolled_back.to.as_str()), (3, "full"));
    assert_eq!(rolled_back.cause, RollBackCause::Undefined { frames: 3 });
    assert_eq!(monitor.current_model().name, "full");
    let said = monitor.audit().records().iter().any(|record| {
        record.what.starts_with("Went back to *full*")
            && record.what.contains("undefined numbers in 3 frames")
    });
    assert!(said);
    assert!(
        monitor.try_out(&lite.sha256, BEGAN).is_err(),
        "a model that failed is not tried again"
    );
}

/// A session that is not watched any more says so.
#[test]
fn silence_is_told() {
    let mut monitor = watching();
    show(&mut monitor, &mut DrawnSession::new(71, RATE_HZ), 2, |_| {});
    let secs = monitor.snapshot(1).status.since_secs;
    monitor.tick(secs + 100_000.0);
    assert!(
        matches!(monitor.snapshot(1).status.phase, Phase::NotWatching { silent_secs } if silent_secs >= 180.0)
    );
}

/// Everything that is kept, searched for whatever could be a person's movement: names, long lists, pictures.
#[test]
fn records_hold_numbers_of_blocks_only() {
    let mut monitor = watching();
    let mut session = DrawnSession::new(81, RATE_HZ);
    show(&mut monitor, &mut session, 70, |frame| {
        frame.probe.luma_mean += LARGE_SHIFT_LEVELS
    });
    let mut log = feature_log::header();
    log.extend(monitor.take_log(true));
    let rows = FeatureLog::read(&log);
    assert_eq!((rows.rows.len(), rows.left_out), (70, 0));
    assert_eq!(rows.rows[0].start_unix_secs as u64 / 1_000_000, BEGAN / 1_000_000);
    // 334 bytes a block and chunk, whatever was in the frames.
    assert!(log.len() < 70 * 400 + 2_000, "{} bytes", log.len());
    // What was handed over is not handed over again; a new file says anew what made its rows.
    assert!(monitor.take_log(false).is_empty());
    show(&mut monitor, &mut session, 3, |_| {});
    let mut next = feature_log::header();
    next.extend(monitor.take_log(true));
    assert_eq!(FeatureLog::read(&next).rows.len(), 3);

    let pack = monitor
        .evidence(
            vec![EvidenceFile::new("log/2026-11-22.plb", log.clone())],
            BEGAN + 999,
        )
        .expect("names are plain");
    let texts = [
        monitor.export_profile(BEGAN).expect("there is a reference"),
        monitor.audit().text(),
        serde_json::to_string(&monitor.snapshot(120)).expect("snapshots are data"),
        String::from_utf8_lossy(&pack).into_owned(),
    ];
    for text in &texts {
        for word in [
            "landmark",
            "x_px",
            "y_px",
            "world",
            "rgba",
            "keypoint",
            "JFIF",
            "PNG\r",
            "data:image",
            "hash_of_picture",
        ] {
            assert!(!text.contains(word), "'{word}' is in a record");
        }
    }
    // A session of a profile holds a mean a block and feature, and no list that grows with frames.
    let profile = Profile::read(&texts[0]).expect("it was exported");
    for session in &profile.sessions {
        assert!(
            session
                .features
                .values()
                .all(|feature| feature.block_means.len() as u64 <= session.blocks + 1)
        );
    }
    let audit = monitor.take_audit();
    assert_eq!(
        AuditLog::read(&audit).map(|log| log.text()),
        Ok(monitor.audit().text())
    );
    assert!(monitor.take_audit().is_empty());
}

/// The pack is a zip for others, and its manifest is true: Python's own reader unpacks it and hashes what is in it.
#[test]
fn evidence_is_read_by_others() {
    const READER: &str = "
import hashlib, json, sys, zipfile
pack = zipfile.ZipFile(sys.argv[1])
assert pack.testzip() is None
manifest = json.loads(pack.read('manifest.json'))
assert manifest['schema'] == 1 and manifest['app_version'] == '0.1.0'
assert sorted(f['name'] for f in manifest['files']) + ['manifest.json'] == sorted(n for n in pack.namelist() if n != 'manifest.json') + ['manifest.json']
for file in manifest['files']:
    data = pack.read(file['name'])
    assert len(data) == file['bytes'] and hashlib.sha256(data).hexdigest() == file['sha256'], file['name']
assert pack.getinfo('manifest.json').date_time == (2026, 11, 22, 0, 0, 0), pack.getinfo('manifest.json').date_time
print(len(manifest['files']))
";
    let mut monitor = watching();
    show(&mut monitor, &mut DrawnSession::new(85, RATE_HZ), 2, |_| {});
    let files = vec![
        EvidenceFile::new("log/2026-11-22.csv", "a,b\n"),
        EvidenceFile::new("empty", ""),
    ];
    let pack = monitor.evidence(files, BEGAN).expect("names are plain");
    let path = std::env::temp_dir().join(format!("plumbline-evidence-{}.zip", std::process::id()));
    std::fs::write(&path, &pack).expect("the temporary folder can be written");
    let Ok(output) = Command::new("python3").arg("-c").arg(READER).arg(&path).output() else {
        plumbline_tests::skip("Python is missing");
        return;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "7");
}

#[test]
fn an_audit_log_goes_on_where_it_ended() {
    let mut first = Monitor::new(settings());
    let text = first.take_audit();
    let mut second = Monitor::new(settings());
    second.continue_audit(AuditLog::read(&text).expect("the chain holds"));
    let whole = text + &second.take_audit();
    let read = AuditLog::read(&whole).expect("the chain holds");
    assert_eq!((read.records().len(), read.records()[1].seq), (2, 2));
}

/// What a page is sent is small, and reads back.
#[test]
fn snapshots_are_small_and_plain() {
    let mut monitor = watching();
    show(&mut monitor, &mut DrawnSession::new(91, RATE_HZ), 130, |frame| {
        frame.probe.luma_mean += LARGE_SHIFT_LEVELS
    });
    let one = serde_json::to_string(&monitor.snapshot(1)).expect("snapshots are data");
    report(&format!(
        "a snapshot has {} bytes, with 120 blocks of history {}",
        one.len(),
        serde_json::to_string(&monitor.snapshot(120))
            .expect("snapshots are data")
            .len()
    ));
    assert!(one.len() < 24 * 1024, "{} bytes", one.len());
    let read: Snapshot = serde_json::from_str(&one).expect("snapshots are data");
    assert_eq!(read.features.len(), 32);
    assert!(
        monitor
            .snapshot(500)
            .features
            .iter()
            .all(|view| view.history.len() == 120)
    );
    assert!(monitor.bytes() <= 256 * 1024, "{} bytes", monitor.bytes());
}

/// Memory does not grow with frames, and is what was promised.
#[test]
fn online_numbers_fit_256_kib() {
    use plumbline_core::monitor::online::Online;
    let mut online = Online::new(BlockLength::Seconds(0.5));
    let mut most = 0;
    for frame in DrawnSession::new(101, RATE_HZ).take(20_000) {
        online.observe(&frame.facts());
        most = most.max(online.bytes());
    }
    report(&format!("online numbers use at most {most} bytes"));
    assert!(online.learning().is_full());
    assert!(most <= 256 * 1024, "{most} bytes");
}
