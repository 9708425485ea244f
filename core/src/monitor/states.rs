//! From the signals of a block to a state: ok, watch, suspect, degraded.
//!
//! Goes in: what charts, estimates and tests of the model say after each block. Comes out: a [`Verdict`]. The machine has no
//! clock and no chance in it: the same signals give the same states, so a log can be played again.
//!
//! - *watch*: any chart is over its threshold.
//! - *suspect*: charts of two families have been for three blocks, **and** an estimate of accuracy is under its floor or
//!   its own chart is over; or silent decay: such a chart has been over for three blocks while picture and framing are as in
//!   the reference.
//! - *degraded*: the model fails frames whose answer is known, gives numbers that are none, or enough labels say so.
//!
//! Upwards at once, downwards when all charts have been calm for six blocks; *degraded* ends by an act only. A draft raises no
//! more than *watch*, whatever its charts say.

use serde::{Deserialize, Serialize};

use crate::monitor::features::Family;
use crate::monitor::verdict::{Direction, Proposal, Proxy, Reason, State, Verdict};

/// A chart over its threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Over {
    /// The feature's name in files.
    pub feature: String,
    /// Its family.
    pub family: Family,
    /// To which side.
    pub direction: Direction,
    /// For how many blocks.
    pub blocks: u64,
    /// Its sum, of its threshold.
    pub level: f64,
    /// Mean of the block.
    pub value: f64,
    /// Mean of the reference.
    pub reference: f64,
}

/// An estimate of accuracy after a block.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Which.
    pub proxy: Proxy,
    /// Over the last blocks.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// What it was in the reference.
    pub reference: f64,
    /// Below this a result is not good enough.
    pub floor: f64,
    /// For how many blocks its chart has been over its threshold.
    pub blocks_over: u64,
}

/// What labels say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelledEstimate {
    /// Prediction-powered.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Labelled clips.
    pub clips: u64,
    /// Below this a result is not good enough.
    pub floor: f64,
}

/// What a test of the model said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldenSignal {
    /// The model.
    pub model_sha256: String,
    /// Frames that it answered wrongly.
    pub failed: u32,
    /// Of how many.
    pub of: u32,
}

/// All signals of a block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockSignals {
    /// Its number, from 1.
    pub block: u64,
    /// Its length, seconds.
    pub block_secs: f64,
    /// Charts over their thresholds.
    pub over: Vec<Over>,
    /// Families whose features together are unlike the reference, and for how many blocks.
    pub joint: Vec<(Family, u64)>,
    /// Counts that promise their false alarms without assumptions, run full.
    pub careful: Vec<(String, Family, Direction)>,
    /// Whether all charts lie under half of their thresholds.
    pub is_calm: bool,
    /// Whether the reference is a draft.
    pub is_draft: bool,
    /// Estimates of accuracy.
    pub estimates: Vec<Estimate>,
    /// The last test of the model that runs, if it failed.
    pub golden: Option<GoldenSignal>,
    /// The model that runs.
    pub model_sha256: String,
    /// Frames of this block whose result had numbers that are none.
    pub undefined_frames: u32,
    /// What labels say, if there are any.
    pub labels: Option<LabelledEstimate>,
}

/// When a change asks for an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Blocks that charts must be over their thresholds.
    pub persist_blocks: u64,
    /// Families in which they must be.
    pub families: u64,
    /// Labelled clips that decide.
    pub min_labels: u64,
    /// Blocks for which charts must be calm before a state ends.
    pub calm_blocks: u64,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            persist_blocks: 3,
            families: 2,
            min_labels: 60,
            calm_blocks: 6,
        }
    }
}

/// The machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateMachine {
    rule: Rule,
    verdict: Verdict,
    calm_blocks: u64,
}

impl StateMachine {
    /// At *ok*.
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            ..Self::default()
        }
    }

    /// The state after the last block.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Takes the signals of the next block.
    pub fn step(&mut self, signals: &BlockSignals) -> &Verdict {
        let mut reasons = failures(signals, self.rule);
        let is_degraded = !reasons.is_empty();
        let proposal = signals
            .labels
            .filter(|_| has_failed_labels(signals, self.rule))
            .map(|_| {
                let flip_holds = signals
                    .estimates
                    .iter()
                    .any(|one| one.proxy == Proxy::Flip && one.low >= one.floor);
                if flip_holds {
                    Proposal::Recalibrate
                } else {
                    Proposal::Retrain
                }
            });
        let silent = silent_decay(signals, self.rule);
        let fallen: Vec<Reason> = signals.estimates.iter().filter_map(fallen).collect();
        let is_changed = changed_families(signals, self.rule) >= self.rule.families;
        let silent_decay = silent.is_some();
        let is_suspect = silent_decay || (is_changed && !fallen.is_empty());
        reasons.extend(silent);
        reasons.extend(fallen);
        reasons.extend(changes(signals));
        let has_change = !signals.over.is_empty() || !signals.joint.is_empty() || !signals.careful.is_empty();
        let found = if is_degraded {
            State::Degraded
        } else if is_suspect && !signals.is_draft {
            State::Suspect
        } else if has_change || is_suspect {
            State::Watch
        } else {
            State::Ok
        };
        self.calm_blocks = if signals.is_calm && found == State::Ok {
            self.calm_blocks + 1
        } else {
            0
        };
        let is_over = self.calm_blocks >= self.rule.calm_blocks && self.verdict.state < State::Degraded;
        let state = if is_over {
            State::Ok
        } else {
            found.max(self.verdict.state)
        };
        if state != self.verdict.state {
            self.verdict.since_block = signals.block;
        }
        // A state that is only held keeps the reasons for which it began.
        if found == state || !reasons.is_empty() {
            self.verdict.reasons = reasons;
        }
        self.verdict.state = state;
        self.verdict.silent_decay = silent_decay;
        self.verdict.proposal = proposal.or(self.verdict.proposal.filter(|_| state == State::Degraded));
        &self.verdict
    }

    /// Another model runs, or labels say that this one is right: *degraded* is over, and everything begins anew.
    pub fn act(&mut self, block: u64) {
        self.verdict = Verdict {
            since_block: block,
            ..Verdict::default()
        };
        self.calm_blocks = 0;
    }
}

/// Why results are not to be relied upon.
fn failures(signals: &BlockSignals, rule: Rule) -> Vec<Reason> {
    let golden = signals.golden.as_ref().map(|golden| Reason::GoldenFailed {
        model_sha256: golden.model_sha256.clone(),
        failed: golden.failed,
        of: golden.of,
    });
    let undefined = (signals.undefined_frames > 0).then(|| Reason::Undefined {
        model_sha256: signals.model_sha256.clone(),
        frames: signals.undefined_frames,
    });
    let labels = signals
        .labels
        .filter(|_| has_failed_labels(signals, rule))
        .map(|labels| Reason::Labels {
            estimate: labels.value,
            low: labels.low,
            high: labels.high,
            floor: labels.floor,
            clips: labels.clips,
        });
    [golden, undefined, labels].into_iter().flatten().collect()
}

fn has_failed_labels(signals: &BlockSignals, rule: Rule) -> bool {
    signals
        .labels
        .is_some_and(|labels| labels.clips >= rule.min_labels && labels.high < labels.floor)
}

/// An estimate of accuracy that is under its floor or whose chart is over.
fn fallen(estimate: &Estimate) -> Option<Reason> {
    (estimate.low < estimate.floor || estimate.blocks_over > 0).then_some(Reason::Accuracy {
        proxy: estimate.proxy,
        estimate: estimate.value,
        low: estimate.low,
        high: estimate.high,
        reference: estimate.reference,
        floor: estimate.floor,
        blocks: estimate.blocks_over,
    })
}

/// The estimate whose chart has been over for long enough while picture and framing are as they were.
fn silent_decay(signals: &BlockSignals, rule: Rule) -> Option<Reason> {
    let is_seen = signals
        .over
        .iter()
        .any(|over| matches!(over.family, Family::Input | Family::Framing));
    let decayed = signals
        .estimates
        .iter()
        .find(|one| one.blocks_over >= rule.persist_blocks)?;
    (!is_seen).then_some(Reason::SilentDecay {
        proxy: decayed.proxy,
        estimate: decayed.value,
        low: decayed.low,
        high: decayed.high,
        reference: decayed.reference,
    })
}

/// Families in which a chart has been over for long enough.
fn changed_families(signals: &BlockSignals, rule: Rule) -> u64 {
    let is_changed = |family: &&Family| {
        signals
            .over
            .iter()
            .any(|over| over.family == **family && over.blocks >= rule.persist_blocks)
    };
    Family::ALL.iter().filter(is_changed).count() as u64
}

/// What has changed, the furthest first.
fn changes(signals: &BlockSignals) -> Vec<Reason> {
    let mut over: Vec<&Over> = signals.over.iter().collect();
    over.sort_by(|a, b| b.level.total_cmp(&a.level));
    let features = over.into_iter().map(|over| Reason::Feature {
        feature: over.feature.clone(),
        family: over.family,
        direction: over.direction,
        blocks: over.blocks,
        secs: over.blocks as f64 * signals.block_secs,
        value: over.value,
        reference: over.reference,
        is_draft: signals.is_draft,
    });
    let joint = signals
        .joint
        .iter()
        .map(|&(family, blocks)| Reason::Joint { family, blocks });
    let careful = signals
        .careful
        .iter()
        .map(|(feature, family, direction)| Reason::Careful {
            feature: feature.clone(),
            family: *family,
            direction: *direction,
        });
    features.chain(joint).chain(careful).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(family: Family, blocks: u64) -> Over {
        Over {
            feature: "sharpness".to_owned(),
            family,
            direction: Direction::Down,
            blocks,
            level: 1.5,
            value: 1.0,
            reference: 2.0,
        }
    }

    fn estimate(low: f64, blocks_over: u64) -> Estimate {
        Estimate {
            proxy: Proxy::Certainty,
            value: low + 0.05,
            low,
            high: low + 0.1,
            reference: 0.9,
            floor: 0.8,
            blocks_over,
        }
    }

    fn states(blocks: impl IntoIterator<Item = BlockSignals>) -> Vec<State> {
        let mut machine = StateMachine::default();
        (1..)
            .zip(blocks)
            .map(|(block, signals)| {
                machine
                    .step(&BlockSignals {
                        block,
                        block_secs: 5.0,
                        ..signals
                    })
                    .state
            })
            .collect()
    }

    fn calm() -> BlockSignals {
        BlockSignals {
            is_calm: true,
            ..BlockSignals::default()
        }
    }

    #[test]
    fn each_rule_gives_its_state() {
        let both = |blocks| vec![over(Family::Input, blocks), over(Family::Confidence, blocks)];
        for (what, signals, state) in [
            ("nothing", calm(), State::Ok),
            (
                "one chart",
                BlockSignals {
                    over: vec![over(Family::Input, 9)],
                    ..calm()
                },
                State::Watch,
            ),
            (
                "a family",
                BlockSignals {
                    joint: vec![(Family::Framing, 1)],
                    ..calm()
                },
                State::Watch,
            ),
            (
                "a careful count",
                BlockSignals {
                    careful: vec![("dark_share".to_owned(), Family::Input, Direction::Up)],
                    ..calm()
                },
                State::Watch,
            ),
            (
                "two families without an estimate",
                BlockSignals {
                    over: both(9),
                    ..calm()
                },
                State::Watch,
            ),
            (
                "two families and a fallen estimate",
                BlockSignals {
                    over: both(3),
                    estimates: vec![estimate(0.7, 0)],
                    ..calm()
                },
                State::Suspect,
            ),
            (
                "not for long enough",
                BlockSignals {
                    over: both(2),
                    estimates: vec![estimate(0.7, 0)],
                    ..calm()
                },
                State::Watch,
            ),
            (
                "an estimate that holds",
                BlockSignals {
                    over: both(3),
                    estimates: vec![estimate(0.81, 0)],
                    ..calm()
                },
                State::Watch,
            ),
            (
                "one family and a fallen estimate",
                BlockSignals {
                    over: vec![over(Family::Input, 9)],
                    estimates: vec![estimate(0.7, 9)],
                    ..calm()
                },
                State::Watch,
            ),
            (
                "silent decay",
                BlockSignals {
                    estimates: vec![estimate(0.85, 3)],
                    ..calm()
                },
                State::Suspect,
            ),
            (
                "certainty itself may fall with it",
                BlockSignals {
                    over: vec![over(Family::Confidence, 3)],
                    estimates: vec![estimate(0.85, 3)],
                    ..calm()
                },
                State::Suspect,
            ),
            (
                "numbers that are none",
                BlockSignals {
                    undefined_frames: 1,
                    ..calm()
                },
                State::Degraded,
            ),
            (
                "labels",
                BlockSignals {
                    labels: Some(LabelledEstimate {
                        value: 0.7,
                        low: 0.6,
                        high: 0.79,
                        clips: 60,
                        floor: 0.8,
                    }),
                    ..calm()
                },
                State::Degraded,
            ),
            (
                "too few labels",
                BlockSignals {
                    labels: Some(LabelledEstimate {
                        value: 0.7,
                        low: 0.6,
                        high: 0.79,
                        clips: 59,
                        floor: 0.8,
                    }),
                    ..calm()
                },
                State::Ok,
            ),
            (
                "a failed test",
                BlockSignals {
                    golden: Some(GoldenSignal {
                        model_sha256: String::new(),
                        failed: 1,
                        of: 12,
                    }),
                    ..calm()
                },
                State::Degraded,
            ),
        ] {
            assert_eq!(states([signals.clone()]), [state], "{what}");
            let of_draft = BlockSignals {
                is_draft: true,
                ..signals
            };
            let most = if state == State::Degraded {
                state
            } else {
                state.min(State::Watch)
            };
            assert_eq!(states([of_draft]), [most], "{what}, of a draft");
        }
    }

    /// A dark picture in which certainty is kept is no silent decay, and certainty that falls in a picture as it was is.
    #[test]
    fn silent_decay_is_an_alarm_of_its_own_both_ways() {
        let mut machine = StateMachine::default();
        let falling = BlockSignals {
            estimates: vec![estimate(0.7, 4)],
            ..calm()
        };
        let verdict = machine.step(&falling);
        assert!(verdict.silent_decay && verdict.state == State::Suspect);
        assert!(matches!(verdict.reasons[0], Reason::SilentDecay { .. }));
        for (over_family, is_silent) in [
            (Family::Input, false),
            (Family::Framing, false),
            (Family::Consistency, true),
            (Family::System, true),
        ] {
            let signals = BlockSignals {
                over: vec![over(over_family, 1)],
                ..falling.clone()
            };
            assert_eq!(
                StateMachine::default().step(&signals).silent_decay,
                is_silent,
                "{over_family:?}"
            );
        }
        let dark = BlockSignals {
            over: vec![over(Family::Input, 9)],
            estimates: vec![estimate(0.85, 0)],
            ..calm()
        };
        assert!(!StateMachine::default().step(&dark).silent_decay);
    }

    #[test]
    fn states_end_when_charts_have_been_calm() {
        let changed = BlockSignals {
            over: vec![over(Family::Input, 1)],
            ..BlockSignals::default()
        };
        let mut blocks = vec![changed.clone()];
        blocks.extend(vec![calm(); 5]);
        blocks.push(BlockSignals::default());
        blocks.extend(vec![calm(); 6]);
        blocks.push(changed);
        let found = states(blocks);
        assert_eq!(found[..12], [State::Watch; 12]);
        assert_eq!(found[12..], [State::Ok, State::Watch]);
    }

    #[test]
    fn degraded_ends_by_an_act_only() {
        let mut machine = StateMachine::default();
        machine.step(&BlockSignals {
            undefined_frames: 2,
            model_sha256: "ab".to_owned(),
            block: 1,
            ..calm()
        });
        for block in 2..30 {
            assert_eq!(
                machine.step(&BlockSignals { block, ..calm() }).state,
                State::Degraded
            );
        }
        assert!(matches!(
            machine.verdict().reasons[..],
            [Reason::Undefined { frames: 2, .. }]
        ));
        machine.act(30);
        assert_eq!(
            (machine.verdict().state, machine.verdict().since_block),
            (State::Ok, 30)
        );
        assert_eq!(
            machine.step(&BlockSignals { block: 31, ..calm() }).state,
            State::Ok
        );
    }

    #[test]
    fn labels_propose_and_nothing_else_does() {
        let labels = Some(LabelledEstimate {
            value: 0.7,
            low: 0.6,
            high: 0.75,
            clips: 80,
            floor: 0.8,
        });
        let flip = Estimate {
            proxy: Proxy::Flip,
            ..estimate(0.85, 0)
        };
        for (estimates, proposal) in [
            (vec![flip], Proposal::Recalibrate),
            (vec![Estimate { low: 0.7, ..flip }], Proposal::Retrain),
            (vec![], Proposal::Retrain),
        ] {
            let signals = BlockSignals {
                labels,
                estimates: estimates.clone(),
                ..calm()
            };
            assert_eq!(StateMachine::default().step(&signals).proposal, Some(proposal));
            let without = BlockSignals {
                estimates,
                undefined_frames: 9,
                ..calm()
            };
            assert_eq!(StateMachine::default().step(&without).proposal, None);
        }
    }

    /// What a log holds is enough to see the same states again.
    #[cfg(feature = "records")]
    #[test]
    fn states_are_replayed_from_what_was_written() {
        let blocks: Vec<BlockSignals> = (0..40)
            .map(|block| BlockSignals {
                over: if block % 11 < 4 {
                    vec![over(Family::Input, block % 11 + 1)]
                } else {
                    vec![]
                },
                is_calm: block % 11 > 4,
                estimates: vec![estimate(0.9 - 0.01 * block as f64, block / 10)],
                ..BlockSignals::default()
            })
            .collect();
        let text = serde_json::to_string(&blocks).expect("signals are data");
        let read: Vec<BlockSignals> = serde_json::from_str(&text).expect("signals are data");
        assert_eq!(states(read), states(blocks));
    }
}
