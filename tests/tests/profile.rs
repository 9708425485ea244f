//! Reference profiles as files: old ones are read, what is not known is kept, drafts join in any order, freezing asks for what
//! makes a reference, and no text is taken for one that is not.

use std::sync::OnceLock;

use plumbline_core::monitor::blocks::BlockLength;
use plumbline_core::monitor::canonical::{canonical, sha256_hex};
use plumbline_core::monitor::datasheet::QUESTIONS;
use plumbline_core::monitor::features::Feature;
use plumbline_core::monitor::judge::{Method, judge};
use plumbline_core::monitor::learning::Learning;
use plumbline_core::monitor::online::Online;
use plumbline_core::monitor::profile::{Labels, Made, Profile, ProfileError};
use plumbline_core::monitor::thresholds::ThresholdSearch;
use plumbline_core::statistics::Random;
use plumbline_tests::drawn_session::DrawnSession;
use plumbline_tests::read;
use serde_json::{Value, json};

const LENGTH: BlockLength = BlockLength::Frames(8);

fn made() -> Made {
    Made {
        model: "full".to_owned(),
        model_sha256: sha256_hex(b"full"),
        detector_sha256: None,
        preprocessing: "drawn".to_owned(),
        backend: "cpu".to_owned(),
        app_version: "0.1.0".to_owned(),
        at_unix_secs: 1_795_305_600,
        labels: Labels::Drawn,
        more: serde_json::Map::new(),
    }
}

/// A session of so many blocks of a drawn person.
fn learned(seed: u64, blocks: usize, like: Option<&Profile>) -> Learning {
    let mut online = Online::new(LENGTH);
    if let Some(cells) = like.and_then(Profile::cells) {
        online.use_reference_cells(cells);
    }
    for frame in DrawnSession::new(seed, 8.0).take(8 * blocks + 1) {
        online.observe(&frame.facts());
    }
    assert_eq!(online.learning().blocks(), blocks as u64);
    online.learning().clone()
}

/// A draft of one session; in the cells of another where one is given.
fn draft(seed: u64, blocks: usize, like: Option<&Profile>) -> Profile {
    let mut profile = Profile::draft(made(), LENGTH);
    let added = profile.add_session(
        &format!("session {seed}"),
        1_000 + seed,
        &learned(seed, blocks, like),
    );
    added.expect("it has blocks");
    profile
}

/// A draft that could be frozen.
fn ready() -> &'static Profile {
    static READY: OnceLock<Profile> = OnceLock::new();
    READY.get_or_init(|| {
        let mut profile = draft(1, 60, None);
        for seed in [2, 3] {
            profile
                .join(&draft(seed, 60, Some(&draft(1, 60, None))))
                .expect("they are alike");
        }
        profile
            .change(|profile| {
                for question in QUESTIONS {
                    profile
                        .datasheet
                        .answer(question.key, "drawn")
                        .expect("it is a question");
                }
            })
            .expect("it is a draft");
        ThresholdSearch::new(&profile, 1)
            .finish(&mut profile)
            .expect("it is a draft");
        profile
    })
}

/// The kept file of the first schema. It is never rewritten: what was a reference once is one for ever.
#[test]
fn profiles_of_every_schema_are_read() {
    let text = read("tests/fixtures/profile_v1.json");
    let profile = match Profile::read(text.trim_end()) {
        Ok(profile) => profile,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(
        (profile.schema, profile.version, profile.is_frozen()),
        (1, 2, true)
    );
    assert_eq!((profile.blocks(), profile.sessions.len()), (120, 3));
    assert_eq!(profile.text(), text.trim_end(), "it is written back byte by byte");
    let reference = profile.reference(Feature::LumaMean).expect("it has blocks");
    assert!((reference.mean() - 120.0).abs() < 3.0 && reference.sd() > 0.9);
    assert!(
        profile
            .limits(Feature::LumaMean)
            .is_some_and(|limits| limits.threshold > 5.0)
    );
    // A later program wrote keys that this one does not know.
    assert_eq!(
        profile.more["written_by_a_later_version"],
        json!({"kept": [1, 2.5, "x"]})
    );
    assert!(profile.sessions[0].more.contains_key("weather") && profile.charts.more.contains_key("colour"));
}

#[test]
fn unknown_keys_are_kept_wherever_they_are() {
    let mut value: Value = serde_json::from_str(&draft(1, 4, None).text()).expect("profiles are JSON");
    let places = ["", "/made", "/charts", "/trigger", "/sessions/0"];
    for place in places {
        value.pointer_mut(place).expect("profiles have it")["later"] = json!({"a": [1, 2]});
    }
    let profile = Profile::read(&rehashed(value)).expect("unknown keys are no fault");
    let again: Value = serde_json::from_str(&profile.text()).expect("profiles are JSON");
    for place in places {
        assert_eq!(
            again.pointer(place).expect("profiles have it")["later"],
            json!({"a": [1, 2]}),
            "{place}"
        );
    }
}

/// The same document with the hash that belongs to it.
fn rehashed(mut value: Value) -> String {
    value["id"] = json!("");
    value["id"] = json!(sha256_hex(canonical(&value).as_bytes()));
    canonical(&value)
}

#[test]
fn summaries_merge_in_any_order() {
    let first = draft(1, 40, None);
    let parts = [&first, &draft(2, 30, Some(&first)), &draft(3, 50, Some(&first))];
    let joined = |order: [usize; 3]| {
        let mut whole = parts[order[0]].clone();
        whole.join(parts[order[1]]).expect("they are alike");
        whole.join(parts[order[2]]).expect("they are alike");
        whole
    };
    let whole = joined([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(joined(order).text(), whole.text(), "{order:?}");
    }
    let mut nested = parts[1].clone();
    nested.join(parts[2]).expect("they are alike");
    let mut other = parts[0].clone();
    other.join(&nested).expect("they are alike");
    assert_eq!(other.text(), whole.text());
    assert_eq!(whole.blocks(), 120);
    let sums = whole.features["luma_mean"]
        .sums
        .as_ref()
        .expect("sessions were long enough");
    // The first session says where the cells are in its first 24 blocks.
    assert_eq!(sums.n_blocks(), 40 - 24 + 30 + 50);
    assert_eq!(Profile::read(&whole.text()).as_ref(), Ok(&whole));
}

#[test]
fn what_is_not_alike_does_not_join() {
    let first = draft(1, 30, None);
    let refused = |other: &Profile, part: &str| {
        let mut whole = first.clone();
        let error = whole.join(other).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(whole, first, "{part}: nothing is changed");
    };
    refused(&first, "count twice");
    refused(&draft(2, 30, None), "other cells");
    let mut of_another_model = draft(2, 30, Some(&first));
    of_another_model.made.model_sha256 = sha256_hex(b"lite");
    refused(&of_another_model, "other models");
    let mut of_other_blocks = draft(2, 30, Some(&first));
    of_other_blocks.block = BlockLength::Seconds(5.0).into();
    refused(&of_other_blocks, "other lengths");
    let mut frozen = ready().clone();
    frozen.freeze(5).expect("it is ready");
    assert_eq!(
        frozen.join(&draft(9, 30, Some(&frozen))),
        Err(ProfileError::Frozen)
    );
    let empty = Online::new(LENGTH);
    assert!(
        Profile::draft(made(), LENGTH)
            .add_session("empty", 0, empty.learning())
            .is_err()
    );
}

#[test]
fn freezing_asks_for_what_makes_a_reference() {
    let refused = |profile: &mut Profile, part: &str| {
        let before = profile.clone();
        let error = profile.freeze(7).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(*profile, before, "{part}: nothing is changed");
    };
    for question in QUESTIONS {
        let mut profile = ready().clone();
        profile
            .datasheet
            .answer(question.key, "")
            .expect("it is a question");
        refused(&mut profile, &format!("'{}'", question.key));
    }
    let mut short = ready().clone();
    short.sessions[0].blocks = 10;
    short.sessions[1].blocks = 10;
    refused(&mut short, "80 blocks of 120");
    let mut lonely = ready().clone();
    lonely.sessions.truncate(2);
    refused(&mut lonely, "2 sessions of 3");
    let mut of_a_model = ready().clone();
    of_a_model.made.labels = Labels::Model;
    refused(&mut of_a_model, "judge itself");
    let mut unknown = ready().clone();
    unknown.made.model_sha256 = String::new();
    refused(&mut unknown, "hash of its model");
    let mut without_charts = ready().clone();
    without_charts
        .features
        .values_mut()
        .for_each(|feature| feature.chart = None);
    refused(&mut without_charts, "no thresholds");

    let mut frozen = ready().clone();
    frozen.freeze(7).expect("nothing is missing");
    let text = frozen.text();
    assert_eq!(frozen.freeze(8), Err(ProfileError::Frozen));
    assert_eq!(
        frozen.change(|profile| profile.version = 9),
        Err(ProfileError::Frozen)
    );
    assert_eq!(frozen.replace(ready()), Err(ProfileError::Frozen));
    assert_eq!(frozen.text(), text);
    let mut next = ready().clone();
    next.replace(&frozen).expect("it is a draft");
    assert_eq!(
        (next.version, next.replaces.as_deref()),
        (2, Some(frozen.id.as_str()))
    );
}

#[test]
fn a_changed_profile_is_not_believed() {
    let text = ready().text();
    let changed = text.replacen("\"blocks\":60", "\"blocks\":61", 1);
    assert_ne!(changed, text);
    assert_eq!(Profile::read(&changed), Err(ProfileError::Changed));
    for (what, change, part) in [
        ("no JSON", "{", "no JSON"),
        ("no schema", "{}", "no 'schema'"),
        ("schema 0", "{\"schema\":0}", "never a schema 0"),
        ("nothing else", "{\"schema\":1}", "missing field"),
    ] {
        let error = Profile::read(change).expect_err(what).to_string();
        assert!(error.contains(part), "{what}: {error}");
    }
    assert_eq!(
        Profile::read("{\"schema\":2}"),
        Err(ProfileError::Unsupported { schema: 2 })
    );
    let value = || -> Value { serde_json::from_str(&text).expect("profiles are JSON") };
    for (place, wrong, part) in [
        ("/block", json!({"secs": 0.0}), "no sensible length"),
        ("/block", json!({"frames": 0}), "no sensible length"),
        ("/made/model_sha256", json!("abc"), "no SHA-256"),
        ("/charts/arl0_blocks", json!(0.0), "settings out of range"),
        ("/charts/guarantee", json!(1.0), "settings out of range"),
        ("/trigger/floor_drop", json!(2.0), "settings out of range"),
        ("/sessions/0/seconds", json!(-1.0), "no sensible length"),
        ("/sessions/0/blocks", json!(3), "more means of"),
        ("/sessions/0/features/jitter/sd", json!(-1.0), "below zero"),
        ("/features/jitter/cells", json!(null), "other cells"),
        ("/features/jitter/sums/sum", json!([1, 2]), "18 cells"),
        ("/features/jitter/sums/n_blocks", json!(99), "add up"),
        (
            "/features/jitter/chart/threshold",
            json!(0.0),
            "no threshold above zero",
        ),
        ("/features/jitter/cells/edges/3", json!(99.0), "must rise"),
    ] {
        let mut document = value();
        *document
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("profiles have {place}")) = wrong;
        let error = Profile::read(&rehashed(document)).expect_err(place).to_string();
        assert!(error.contains(part), "{place}: {error}");
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    let text = draft(1, 26, None).text().into_bytes();
    let mut random = Random::new(23);
    let mut read = 0;
    for _ in 0..150 {
        let mut changed = text.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(changed.len());
            match random.below(4) {
                0 => changed[at] = random.bits() as u8,
                1 => changed[at] = b"0123456789-.eE[]{},:\"n"[random.below(22)],
                2 => changed.truncate(at.max(1)),
                _ => {
                    changed.remove(at);
                }
            }
        }
        let Ok(text) = String::from_utf8(changed) else {
            continue;
        };
        // With a hash that fits, so that every check is reached.
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            assert!(Profile::read(&text).is_err());
            continue;
        };
        if !value.is_object() {
            continue;
        }
        if let Ok(profile) = Profile::read(&rehashed(value)) {
            read += 1;
            judge(ready(), &profile, 1);
            judge(&profile, ready(), 1);
            let mut whole = profile.clone();
            let _ = whole.join(&draft(2, 26, Some(&profile)));
        }
    }
    assert!(read > 0, "some changes leave a profile");
}

/// One profile against another: itself is no change, a session that differs is one.
#[test]
fn profiles_are_judged_by_charts_and_short_ones_by_means() {
    let reference = ready();
    let like = judge(reference, &draft(41, 60, Some(reference)), 1);
    assert_eq!((like.method, &like.alarms[..]), (Method::Charts, &[][..]));
    assert!(like.cells.len() > 20);
    let mut online = Online::new(LENGTH);
    for mut frame in DrawnSession::new(42, 8.0).take(8 * 60 + 1) {
        frame.probe.sharpness -= 2.0;
        online.observe(&frame.facts());
    }
    let mut unlike = Profile::draft(made(), LENGTH);
    unlike
        .add_session("blurred", 0, online.learning())
        .expect("it has blocks");
    let found = judge(reference, &unlike, 1);
    assert_eq!(found.alarms, ["sharpness"]);
    let short = draft(1, 12, None);
    let by_means = judge(&short, &unlike, 1);
    assert_eq!(by_means.method, Method::Means);
    assert_eq!(by_means.alarms, ["sharpness"]);
    assert!(by_means.notes[0].contains("12 blocks"));
    let itself = judge(&short, &short, 1);
    assert!(itself.alarms.is_empty() && itself.means.iter().all(|one| one.statistic == 0.0));
}
