//! What a monitor's snapshot says in words: the sentence of state, reasons, alarms, and why a model was left.
//!
//! Goes in: plain data of `plumbline_core::monitor`. Comes out: sentences. None says more than the data does: an estimate is
//! called one, a draft a draft, and nothing here speaks of health.

use plumbline_core::monitor::features::Feature;
use plumbline_core::monitor::snapshot::{
    AccuracyView, LearningView, Phase, RollBackCause, RolledBack, Snapshot, Status,
};
use plumbline_core::monitor::verdict::{Direction, Proposal, Proxy, Reason, State};

use crate::charts::number::{counted, fixed, percent, short};

/// Beside every estimate of accuracy.
pub const ESTIMATE_LIMIT: &str = "Estimated from the model’s own answers, without labels. It cannot see errors that the model is sure about.";

/// Beside the switch that mirrors the picture.
pub const MIRROR_LIMIT: &str =
    "A mirrored picture of somebody who stands straight cannot be told from the real one.";

/// How a state looks: an icon's shape and a word, and only then a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing can be said yet.
    Quiet,
    /// As in the reference.
    Good,
    /// Look closer.
    Caution,
    /// Not to be relied upon.
    Bad,
}

impl Tone {
    /// Its mark, for who sees no colours.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Quiet => "○",
            Self::Good => "✓",
            Self::Caution => "△",
            Self::Bad => "✕",
        }
    }

    /// In the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Quiet => "is-quiet",
            Self::Good => "is-good",
            Self::Caution => "is-caution",
            Self::Bad => "is-bad",
        }
    }
}

/// The state in a word and in a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// How it looks.
    pub tone: Tone,
    /// The state in a word or two.
    pub word: &'static str,
    /// What is the case, and what to do.
    pub sentence: String,
}

/// What a snapshot says, while the search for the charts' thresholds is so far, 0 to 1.
pub fn state_while(search: Option<f64>, snapshot: &Snapshot) -> Said {
    let is_calm = snapshot.status.verdict.state == State::Ok;
    match (search, &snapshot.status.phase) {
        (Some(share), Phase::Draft { .. } | Phase::Reference) if is_calm => Said {
            tone: Tone::Quiet,
            word: "Getting ready",
            sentence: format!(
                "Getting ready: thresholds for this reference are computed ({}). Alarms begin after that.",
                percent(share)
            ),
        },
        _ => state(snapshot),
    }
}

/// What a snapshot says.
pub fn state(snapshot: &Snapshot) -> Said {
    let status = &snapshot.status;
    let verdict = &status.verdict;
    let (tone, word) = match (&status.phase, verdict.state) {
        (_, State::Degraded) => (Tone::Bad, "Do not rely on it"),
        (Phase::NotWatching { .. }, _) => (Tone::Quiet, "Not watching"),
        (_, State::Suspect) => (Tone::Bad, "May be wrong"),
        (_, State::Watch) => (Tone::Caution, "Look closer"),
        (Phase::NoReference, _) => (Tone::Quiet, "Nothing to compare with"),
        (Phase::Means { .. } | Phase::Draft { .. }, State::Ok) => (Tone::Good, "As in the draft"),
        (Phase::Reference, State::Ok) => (Tone::Good, "As in the reference"),
    };
    let mut sentence = match (&status.phase, verdict.state) {
        (_, State::Degraded) => degraded(&verdict.reasons),
        (Phase::NotWatching { silent_secs }, _) => {
            format!("Not watching: no frames for {}.", duration(*silent_secs))
        }
        (_, State::Suspect) if verdict.silent_decay => silent_decay(&verdict.reasons),
        (_, State::Suspect) => suspect(&verdict.reasons),
        (_, State::Watch) => watch(&verdict.reasons),
        (Phase::NoReference, _) => no_reference(status, &snapshot.learning),
        (
            Phase::Means {
                blocks,
                compared,
                needed,
            },
            _,
        ) => format!(
            "Compared with a draft by its means only: {} against {}. From {needed} blocks on, smaller changes are seen.",
            counted(*compared, "block", "blocks"),
            counted(*blocks, "block", "blocks")
        ),
        (Phase::Draft { blocks, sessions }, _) => format!(
            "As in a draft of {} from {}: large changes are seen. {} blocks from {} sessions make a reference.",
            counted(*blocks, "block", "blocks"),
            counted(*sessions, "session", "sessions"),
            snapshot.learning.for_freezing,
            snapshot.learning.sessions_for_freezing
        ),
        (Phase::Reference, _) => format!(
            "As in the reference for {}.{}",
            duration(status.since_secs),
            false_alarms(status)
        ),
    };
    if let Some(back) = &status.rolled_back {
        sentence = format!("{} {sentence}", rolled_back(back));
    }
    if let Some(proposal) = verdict.proposal {
        sentence.push(' ');
        sentence.push_str(match proposal {
            Proposal::Recalibrate => "Poses agree, certainties do not: consider calibrating anew.",
            Proposal::Retrain => "Consider another model, or training this one anew.",
        });
    }
    Said { tone, word, sentence }
}

/// How often chance alone says "look closer".
fn false_alarms(status: &Status) -> String {
    let Some(secs) = status.false_watch_secs else {
        return String::new();
    };
    let extrapolated = if status.is_extrapolated {
        ", by extrapolation"
    } else {
        ""
    };
    format!(
        " A false “look closer” is expected about once in {}{extrapolated}.",
        duration(secs)
    )
}

fn no_reference(status: &Status, learning: &LearningView) -> String {
    let nothing = "Numbers are counted, but there is nothing to compare them with.";
    let LearningView {
        blocks, for_charts, ..
    } = learning;
    let block = format!("a block is {} s here", fixed(status.block_secs, 1));
    if blocks < for_charts {
        format!(
            "{nothing} {blocks} of {for_charts} blocks are there that a draft needs to show large changes ({block}). Use this \
             session as reference when the picture is as it should be."
        )
    } else {
        format!(
            "{nothing} Use this session as reference when the picture is as it should be: it has {} ({block}).",
            counted(*blocks, "block", "blocks")
        )
    }
}

fn watch(reasons: &[Reason]) -> String {
    let Some(first) = reasons.first() else {
        return "Look closer: something has changed.".to_owned();
    };
    let rest = match reasons.len() - 1 {
        0 => String::new(),
        1 => " One more has changed.".to_owned(),
        n => format!(" {n} more have changed."),
    };
    format!("Look closer: {}.{rest} {}", reason(first), advice(first))
        .trim_end()
        .to_owned()
}

fn suspect(reasons: &[Reason]) -> String {
    let mut changed: Vec<&str> = Vec::new();
    for reason in reasons {
        if let Some(label) = label_of(reason).filter(|label| !changed.contains(label)) {
            changed.push(label);
        }
    }
    let changed = match changed.as_slice() {
        [] => None,
        [one] => Some(format!("{one} has changed")),
        [one, other] => Some(format!("{one} and {other} have both changed")),
        [one, other, rest @ ..] => Some(format!("{one}, {other} and {} more have changed", rest.len())),
    };
    let fell = reasons
        .iter()
        .find(|reason| matches!(reason, Reason::Accuracy { .. }))
        .map(reason);
    let parts: Vec<String> = changed.into_iter().chain(fell).collect();
    if parts.is_empty() {
        "Results may be wrong.".to_owned()
    } else {
        format!("Results may be wrong: {}.", parts.join(", and "))
    }
}

fn silent_decay(reasons: &[Reason]) -> String {
    let decay = reasons
        .iter()
        .find(|reason| matches!(reason, Reason::SilentDecay { .. }));
    let said = decay.map_or_else(|| "its accuracy falls by estimate".to_owned(), reason);
    format!("The picture looks as in the reference, but {said}. This estimate cannot see every error.")
}

fn degraded(reasons: &[Reason]) -> String {
    let why = reasons
        .first()
        .map_or_else(|| "the model fails what it must pass".to_owned(), reason);
    format!("Do not rely on these results: {why}.")
}

/// A reason as a part of a sentence, without a full stop.
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Feature {
            feature,
            direction,
            secs,
            is_draft,
            ..
        } => format!(
            "{} has been {} than in the {} for {}",
            label(feature),
            direction_word(*direction),
            if *is_draft { "draft" } else { "reference" },
            duration(*secs)
        ),
        Reason::Joint { family, .. } => {
            format!(
                "several numbers of the family “{}” together are unlike the reference",
                family.name()
            )
        }
        Reason::Careful {
            feature, direction, ..
        } => {
            format!(
                "by a more careful count, {} has become {}",
                label(feature),
                direction_word(*direction)
            )
        }
        Reason::Accuracy {
            proxy,
            estimate,
            low,
            high,
            ..
        } => {
            format!(
                "{} fell to {}",
                proxy_words(*proxy),
                interval(*estimate, *low, *high)
            )
        }
        Reason::SilentDecay {
            proxy,
            estimate,
            reference,
            ..
        } => match proxy {
            Proxy::Certainty => format!(
                "the model’s certainty says that fewer joints are right (estimated {}, reference {})",
                percent(*estimate),
                percent(*reference)
            ),
            Proxy::Flip => format!(
                "the model agrees less with itself in the mirrored picture ({}, reference {})",
                percent(*estimate),
                percent(*reference)
            ),
        },
        Reason::GoldenFailed { failed, of, .. } => {
            format!("the model fails {failed} of {of} test frames whose answer is known")
        }
        Reason::Undefined { frames, .. } => {
            format!(
                "the model gave undefined numbers in {}",
                counted(u64::from(*frames), "frame", "frames")
            )
        }
        Reason::Labels {
            estimate,
            low,
            high,
            clips,
            floor,
        } => format!(
            "labels of {} say that {} of the joints are right, and {} are needed",
            counted(*clips, "clip", "clips"),
            interval(*estimate, *low, *high),
            percent(*floor)
        ),
    }
}

/// What to do about a reason; empty where the alarm itself says it.
pub fn advice(reason: &Reason) -> &'static str {
    match reason {
        Reason::Feature { feature, .. } | Reason::Careful { feature, .. } => {
            Feature::named(feature).map_or("", |feature| feature.spec().advice)
        }
        _ => "",
    }
}

/// Beside an estimate: what it is, and how far it can be believed.
pub fn accuracy(view: &AccuracyView) -> String {
    let reference = view
        .reference
        .map(|reference| format!(", in the reference {}", percent(reference)));
    let disagrees = if view.disagrees {
        " The two estimates disagree."
    } else {
        ""
    };
    format!(
        "{}: {}{}.{disagrees}",
        capitalised(proxy_words(view.proxy)),
        interval(view.estimate, view.low, view.high),
        reference.unwrap_or_default()
    )
}

/// Why a model was left.
pub fn rolled_back(back: &RolledBack) -> String {
    let RolledBack {
        from,
        to,
        to_sha256,
        cause,
    } = back;
    let hash: String = to_sha256.chars().take(4).collect();
    let why = match cause {
        RollBackCause::Golden { failed, of } => {
            format!("“{from}” failed {failed} of {of} test frames whose answer is known")
        }
        RollBackCause::Undefined { frames } => {
            format!(
                "“{from}” gave undefined numbers in {}",
                counted(u64::from(*frames), "frame", "frames")
            )
        }
        RollBackCause::Latency {
            p95_millis,
            limit_millis,
        } => format!(
            "“{from}” took {} ms for the slowest twentieth of frames, and {} are allowed",
            short(*p95_millis),
            short(*limit_millis)
        ),
        RollBackCause::Backend => format!("“{from}” no longer runs on the GPU"),
        RollBackCause::Asked => "you asked for it".to_owned(),
    };
    format!("Went back to “{to}” ({hash}…): {why}. The change is in the record.")
}

/// A duration as people say it.
pub fn duration(secs: f64) -> String {
    let n = |value: f64, one: &str, many: &str| counted(value.round().max(0.0) as u64, one, many);
    match secs {
        secs if !secs.is_finite() => "an unknown time".to_owned(),
        secs if secs < 89.5 => n(secs, "second", "seconds"),
        secs if secs < 89.5 * 60.0 => n(secs / 60.0, "minute", "minutes"),
        secs if secs < 47.5 * 3600.0 => n(secs / 3600.0, "hour", "hours"),
        secs => n(secs / 86_400.0, "day", "days"),
    }
}

fn label(feature: &str) -> &str {
    Feature::named(feature).map_or(feature, |feature| feature.spec().label)
}

fn label_of(reason: &Reason) -> Option<&str> {
    match reason {
        Reason::Feature { feature, .. } | Reason::Careful { feature, .. } => Some(label(feature)),
        Reason::Joint { family, .. } => Some(family.name()),
        _ => None,
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "higher",
        Direction::Down => "lower",
    }
}

fn proxy_words(proxy: Proxy) -> &'static str {
    match proxy {
        Proxy::Flip => "agreement with the mirrored picture",
        Proxy::Certainty => "the estimated share of correct joints",
    }
}

fn interval(estimate: f64, low: f64, high: f64) -> String {
    format!("{} ({} to {})", percent(estimate), percent(low), percent(high))
}

/// A sentence's beginning.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use plumbline_core::monitor::features::Family;
    use plumbline_core::monitor::snapshot::{Numbers, RecordView, RegistryView, SNAPSHOT_SCHEMA};
    use plumbline_core::monitor::verdict::Verdict;

    use super::*;

    fn snapshot(phase: Phase, state: State, reasons: Vec<Reason>) -> Snapshot {
        Snapshot {
            schema: SNAPSHOT_SCHEMA,
            status: Status {
                phase,
                verdict: Verdict {
                    state,
                    reasons,
                    ..Verdict::default()
                },
                blocks: 17,
                block_secs: 5.0,
                since_secs: 720.0,
                false_watch_secs: Some(7200.0),
                is_extrapolated: false,
                rolled_back: None,
            },
            alarms: vec![],
            numbers: Numbers::default(),
            features: vec![],
            accuracy: vec![],
            slices: vec![],
            calibration: None,
            reference: None,
            learning: LearningView {
                blocks: 17,
                for_charts: 24,
                for_freezing: 120,
                sessions_for_freezing: 3,
                ..LearningView::default()
            },
            registry: RegistryView::default(),
            record: RecordView::default(),
        }
    }

    fn changed(feature: &str, direction: Direction, family: Family) -> Reason {
        Reason::Feature {
            feature: feature.to_owned(),
            family,
            direction,
            blocks: 5,
            secs: 25.0,
            value: 1.0,
            reference: 2.0,
            is_draft: false,
        }
    }

    #[test]
    fn every_state_has_its_sentence() {
        let sharpness = || changed("sharpness", Direction::Down, Family::Input);
        let light = || changed("luma_mean", Direction::Down, Family::Input);
        let certainty = || changed("visibility_mean", Direction::Down, Family::Confidence);
        let fell = || Reason::Accuracy {
            proxy: Proxy::Certainty,
            estimate: 0.71,
            low: 0.64,
            high: 0.78,
            reference: 0.91,
            floor: 0.81,
            blocks: 3,
        };
        let golden = || Reason::GoldenFailed {
            model_sha256: "9f3c".into(),
            failed: 2,
            of: 12,
        };
        for (phase, state, reasons, tone, words) in [
            (
                Phase::NoReference,
                State::Ok,
                vec![],
                Tone::Quiet,
                "Numbers are counted, but there is nothing to compare them with. 17 of 24 blocks are there that a draft needs to \
                 show large changes (a block is 5.0 s here). Use this session as reference when the picture is as it should be.",
            ),
            (
                Phase::NotWatching { silent_secs: 180.0 },
                State::Watch,
                vec![light()],
                Tone::Quiet,
                "Not watching: no frames for 3 minutes.",
            ),
            (
                Phase::Means {
                    blocks: 2,
                    compared: 1,
                    needed: 24,
                },
                State::Ok,
                vec![],
                Tone::Good,
                "Compared with a draft by its means only: 1 block against 2 blocks. From 24 blocks on, smaller changes are seen.",
            ),
            (
                Phase::Draft {
                    blocks: 34,
                    sessions: 1,
                },
                State::Ok,
                vec![],
                Tone::Good,
                "As in a draft of 34 blocks from 1 session: large changes are seen. 120 blocks from 3 sessions make a reference.",
            ),
            (
                Phase::Reference,
                State::Ok,
                vec![],
                Tone::Good,
                "As in the reference for 12 minutes. A false “look closer” is expected about once in 2 hours.",
            ),
            (
                Phase::Reference,
                State::Watch,
                vec![sharpness()],
                Tone::Caution,
                "Look closer: sharpness has been lower than in the reference for 25 seconds. Wipe the lens, let the camera focus \
                 again, or move to better light.",
            ),
            (
                Phase::Reference,
                State::Watch,
                vec![],
                Tone::Caution,
                "Look closer: something has changed.",
            ),
            (
                Phase::Reference,
                State::Suspect,
                vec![light(), certainty(), fell()],
                Tone::Bad,
                "Results may be wrong: light and certainty of the joints have both changed, and the estimated share of correct \
                 joints fell to 71 % (64 % to 78 %).",
            ),
            (
                Phase::Reference,
                State::Suspect,
                vec![],
                Tone::Bad,
                "Results may be wrong.",
            ),
            (
                Phase::Reference,
                State::Degraded,
                vec![golden()],
                Tone::Bad,
                "Do not rely on these results: the model fails 2 of 12 test frames whose answer is known.",
            ),
            (
                Phase::NotWatching { silent_secs: 600.0 },
                State::Degraded,
                vec![golden()],
                Tone::Bad,
                "Do not rely on these results: the model fails 2 of 12 test frames whose answer is known.",
            ),
        ] {
            let said = super::state(&snapshot(phase, state, reasons));
            assert_eq!((said.tone, said.sentence.as_str()), (tone, words));
        }
    }

    #[test]
    fn nothing_is_as_in_the_reference_before_there_are_thresholds() {
        let draft = || Phase::Draft {
            blocks: 34,
            sessions: 1,
        };
        let calm = snapshot(draft(), State::Ok, vec![]);
        let said = state_while(Some(0.4), &calm);
        assert_eq!(
            (said.tone, said.sentence.as_str()),
            (
                Tone::Quiet,
                "Getting ready: thresholds for this reference are computed (40 %). Alarms begin after that."
            )
        );
        assert_eq!(state_while(None, &calm), super::state(&calm));
        let watch = snapshot(draft(), State::Watch, vec![]);
        assert_eq!(state_while(Some(0.4), &watch).tone, Tone::Caution);
    }

    #[test]
    fn silent_decay_has_words_of_its_own() {
        let decay = Reason::SilentDecay {
            proxy: Proxy::Certainty,
            estimate: 0.74,
            low: 0.7,
            high: 0.78,
            reference: 0.91,
        };
        let mut snapshot = snapshot(Phase::Reference, State::Suspect, vec![decay]);
        snapshot.status.verdict.silent_decay = true;
        snapshot.status.verdict.proposal = Some(Proposal::Retrain);
        assert_eq!(
            super::state(&snapshot).sentence,
            "The picture looks as in the reference, but the model’s certainty says that fewer joints are right (estimated 74 %, \
             reference 91 %). This estimate cannot see every error. Consider another model, or training this one anew."
        );
    }

    #[test]
    fn a_roll_back_says_why() {
        let back = |cause| RolledBack {
            from: "lite".into(),
            to: "full".into(),
            to_sha256: "9f3c77".into(),
            cause,
        };
        assert_eq!(
            rolled_back(&back(RollBackCause::Undefined { frames: 3 })),
            "Went back to “full” (9f3c…): “lite” gave undefined numbers in 3 frames. The change is in the record."
        );
        let mut snapshot = snapshot(Phase::Reference, State::Ok, vec![]);
        snapshot.status.rolled_back = Some(back(RollBackCause::Golden { failed: 1, of: 12 }));
        assert!(
            super::state(&snapshot)
                .sentence
                .starts_with("Went back to “full” (9f3c…): “lite” failed 1 of 12")
        );
    }

    #[test]
    fn durations_are_round() {
        for (secs, words) in [
            (1.0, "1 second"),
            (25.4, "25 seconds"),
            (89.0, "89 seconds"),
            (95.0, "2 minutes"),
            (7200.0, "2 hours"),
            (200_000.0, "2 days"),
            (f64::NAN, "an unknown time"),
        ] {
            assert_eq!(duration(secs), words);
        }
    }

    #[test]
    fn no_sentence_is_loud_or_promises() {
        let source = include_str!("sentences.rs");
        let (spoken, _) = source.split_once("#[cfg(test)]").expect("tests come last");
        for word in [
            "guarantee",
            "diagnos",
            "patient",
            "always",
            "certainly",
            "impossible",
        ] {
            let said = spoken.lines().filter(|line| !line.trim_start().starts_with("//"));
            assert!(
                said.filter(|line| line.contains('"'))
                    .all(|line| !line.contains(word)),
                "{word}"
            );
        }
    }
}
