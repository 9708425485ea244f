//! A running session that is watched: the one door to everything in this folder.
//!
//! ```text
//! observe(frame) -> News -> snapshot() -> page or terminal
//!                    ^ a block, a state, alarms, a roll back
//! commands: use_as_reference, answer, freeze, import_profile, acknowledge, add_model, try_out, promote, roll_back, evidence
//! ```
//!
//! Goes in: facts of frames in the order of their times, commands of a person with the time of day. Comes out: [`News`] after
//! each frame, a [`Snapshot`](crate::monitor::snapshot::Snapshot) whenever one is asked for, and bytes for whoever stores them. [`Monitor`] has no clock, no
//! chance and no storage: played again with the same facts and commands it says the same.
//!
//! Work that takes longer than a frame (thresholds of charts) is done by [`Monitor::work`], in steps of milliseconds.

mod models;
mod records;
mod reference;
mod view;

use std::collections::VecDeque;

use crate::monitor::audit::{AuditKind, AuditLog};
use crate::monitor::blocks::{Block, BlockLength};
use crate::monitor::change_plan::ChangePlan;
use crate::monitor::charts::{Charts, PROXIES};
use crate::monitor::compare::by_means;
use crate::monitor::feature_log::LogProvenance;
use crate::monitor::features::{FEATURE_COUNT, Feature, FrameFacts};
use crate::monitor::learning::flip_estimate;
use crate::monitor::online::Online;
use crate::monitor::profile::Profile;
use crate::monitor::registry::{ModelEntry, Registry};
use crate::monitor::shadow::Shadow;
use crate::monitor::slices::Slices;
use crate::monitor::snapshot::{Cost, RolledBack, StorageView};
use crate::monitor::states::{
    BlockSignals, Estimate, GoldenSignal, LabelledEstimate, Over, Rule, StateMachine,
};
use crate::monitor::thresholds::ThresholdSearch;
use crate::monitor::verdict::{Alarm, AlarmKind, Direction, Proxy, Reason, State, Verdict};

pub use models::CandidateBlock;

/// Blocks of history that are kept.
pub const HISTORY_BLOCKS: usize = 120;
/// Alarms that are kept.
const MAX_ALARMS: usize = 200;
/// Blocks over which an estimate of accuracy is a mean.
const ESTIMATE_BLOCKS: usize = 3;
/// After so long without a frame nobody is watching, seconds.
const SILENCE_SECS: f64 = 180.0;
/// 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// What a session begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How long blocks are.
    pub block: BlockLength,
    /// When it began, seconds since 1970; frames count from there.
    pub began_unix_secs: u64,
    /// The landmark model.
    pub model: ModelEntry,
    /// Hash of the detector.
    pub detector_sha256: Option<String>,
    /// How a picture becomes the models' input.
    pub preprocessing: String,
    /// Whether models run on the GPU.
    pub is_on_gpu: bool,
    /// Version of the program.
    pub app_version: String,
    /// Of everything that is drawn at random: thresholds.
    pub seed: u64,
    /// Whether rows of the feature log are made; [`Monitor::take_log`] hands them over.
    pub is_logging: bool,
}

/// What a frame brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// The number of the block that ended before it, if one did: then a snapshot has something new.
    pub block: Option<u64>,
    /// The state before and now, if it changed.
    pub state: Option<(State, State)>,
    /// Alarms that began.
    pub raised: Vec<Alarm>,
    /// The model was left: its successor must be loaded.
    pub rolled_back: Option<RolledBack>,
}

/// A watched session.
#[derive(Clone, Debug)]
pub struct Monitor {
    settings: Settings,
    online: Online,
    profile: Option<Profile>,
    charts: Option<Charts>,
    search: Option<ThresholdSearch>,
    machine: StateMachine,
    /// Blocks for which a feature has been another one than in a draft that has no charts.
    means_over: [u64; FEATURE_COUNT],
    registry: Registry,
    shadow: Option<Shadow>,
    plan: Option<ChangePlan>,
    golden: Option<GoldenSignal>,
    labels: Option<LabelledEstimate>,
    rolled_back: Option<RolledBack>,
    alarms: VecDeque<Alarm>,
    n_alarms: u64,
    blocks: u64,
    last_block: Option<Box<Block>>,
    history: VecDeque<[f32; FEATURE_COUNT]>,
    estimates: VecDeque<[Option<f64>; 2]>,
    slices: Slices,
    now_secs: f64,
    last_frame_secs: f64,
    state_since_secs: f64,
    audit: AuditLog,
    audit_taken: usize,
    log: Vec<u8>,
    log_rows: u64,
    provenances: Vec<LogProvenance>,
    cost: Option<Cost>,
    storage: Option<StorageView>,
}

impl Monitor {
    /// A session that begins, without a reference.
    pub fn new(settings: Settings) -> Self {
        let mut monitor = Self {
            online: Online::new(settings.block),
            registry: Registry::new(settings.model.clone(), settings.is_on_gpu),
            settings,
            profile: None,
            charts: None,
            search: None,
            machine: StateMachine::default(),
            means_over: [0; FEATURE_COUNT],
            shadow: None,
            plan: None,
            golden: None,
            labels: None,
            rolled_back: None,
            alarms: VecDeque::new(),
            n_alarms: 0,
            blocks: 0,
            last_block: None,
            history: VecDeque::new(),
            estimates: VecDeque::new(),
            slices: Slices::default(),
            now_secs: 0.0,
            last_frame_secs: 0.0,
            state_since_secs: 0.0,
            audit: AuditLog::default(),
            audit_taken: 0,
            log: Vec::new(),
            log_rows: 0,
            provenances: Vec::new(),
            cost: None,
            storage: None,
        };
        let model = monitor.settings.model.clone();
        let what = format!("a session began with '{}' ({})", model.name, model.sha256);
        monitor.note(monitor.settings.began_unix_secs, AuditKind::Model, &what);
        monitor
    }

    /// Takes the next frame.
    pub fn observe(&mut self, facts: &FrameFacts<'_>) -> News {
        if facts.time_secs.is_finite() {
            self.now_secs = facts.time_secs;
            self.last_frame_secs = facts.time_secs;
        }
        let undefined_before = self.online.undefined_frames();
        let block = self.online.observe(facts);
        let undefined = self.online.undefined_frames() - undefined_before;
        let mut news = News::default();
        if let Some(block) = block {
            self.end_block(block, &mut news);
        }
        if undefined > 0 {
            let rolled_back = self.registry.take_undefined(undefined as u32);
            self.take_roll_back(rolled_back, &mut news);
        }
        news
    }

    /// Ends the block at the end of a clip.
    pub fn finish(&mut self) -> News {
        let mut news = News::default();
        if let Some(block) = self.online.finish() {
            self.end_block(block, &mut news);
        }
        news
    }

    /// Another source begins, or the person another movement: frames before and after are no neighbours.
    pub fn interrupt(&mut self) {
        self.online.interrupt();
    }

    /// Time goes on without frames, seconds in the time of the frames.
    pub fn tick(&mut self, now_secs: f64) {
        if now_secs.is_finite() {
            self.now_secs = self.now_secs.max(now_secs);
        }
    }

    /// The state after the last block.
    pub fn verdict(&self) -> &Verdict {
        self.machine.verdict()
    }

    /// A person has understood an alarm.
    ///
    /// # Errors
    /// A sentence, where there is no such alarm.
    pub fn acknowledge(&mut self, alarm_id: u64, at_unix_secs: u64) -> Result<(), String> {
        let alarm = self.alarms.iter_mut().find(|alarm| alarm.id == alarm_id);
        let alarm = alarm.ok_or_else(|| format!("there is no alarm {alarm_id} any more"))?;
        alarm.is_acknowledged = true;
        let what = format!("alarm {alarm_id} was understood");
        self.note(at_unix_secs, AuditKind::Alarm, &what);
        Ok(())
    }

    /// What people who labelled clips of this model found, corrected for the clips that nobody labelled.
    ///
    /// # Errors
    /// A sentence, where the numbers are no estimate.
    pub fn take_labels(&mut self, value: f64, low: f64, high: f64, clips: u64) -> Result<(), String> {
        let is_estimate = 0.0 <= low && low <= value && value <= high && high <= 1.0;
        if !is_estimate {
            return Err("an estimate of accuracy is a share between the ends of its interval".to_owned());
        }
        let floor = self
            .floor_of(Proxy::Certainty)
            .or(self.floor_of(Proxy::Flip))
            .unwrap_or_default();
        self.labels = Some(LabelledEstimate {
            value,
            low,
            high,
            clips,
            floor,
        });
        if high >= floor && self.golden.is_none() && self.verdict().state == State::Degraded {
            self.machine.act(self.blocks);
            self.state_since_secs = self.now_secs;
        }
        Ok(())
    }

    /// What watching costs a frame, by somebody's clock.
    pub fn set_cost(&mut self, cost: Cost) {
        self.cost = Some(cost);
    }

    /// Where storage stands.
    pub fn set_storage(&mut self, storage: StorageView) {
        self.storage = Some(storage);
    }

    /// Whether rows of the feature log are made from here on.
    pub fn set_logging(&mut self, is_logging: bool) {
        self.settings.is_logging = is_logging;
    }

    /// Memory, texts of the records left out.
    pub fn bytes(&self) -> usize {
        let history = self.history.capacity() * size_of::<[f32; FEATURE_COUNT]>();
        size_of::<Self>() - size_of::<Online>() + self.online.bytes() + history
    }

    /// A moment of the session's time as seconds since 1970.
    fn unix_secs(&self, secs: f64) -> u64 {
        self.settings.began_unix_secs.saturating_add(secs.max(0.0) as u64)
    }

    fn note(&mut self, at_unix_secs: u64, kind: AuditKind, what: &str) {
        self.audit.append(at_unix_secs, kind, what);
    }

    fn end_block(&mut self, block: Block, news: &mut News) {
        self.blocks += 1;
        news.block = Some(self.blocks);
        let means = block.means();
        let estimates = [flip_estimate(&block), block.certainty.mean()];
        if self.history.len() == HISTORY_BLOCKS {
            self.history.pop_front();
            self.estimates.pop_front();
        }
        self.history
            .push_back(means.map(|mean| mean.map_or(f32::NAN, |mean| mean as f32)));
        self.estimates.push_back(estimates);
        self.slices.take_block(&means, estimates[0]);
        if let Some(charts) = &mut self.charts {
            charts.update(&means, estimates);
        }
        self.log_block(&block);
        let signals = self.signals(&block, &means);
        self.take_signals(&signals, news);
        let rolled_back = self.registry.take_block(block.p95_millis);
        self.last_block = Some(Box::new(block));
        self.take_roll_back(rolled_back, news);
    }

    fn take_signals(&mut self, signals: &BlockSignals, news: &mut News) {
        let before = self.verdict().state;
        let verdict = self.machine.step(signals).clone();
        if verdict.state != before {
            news.state = Some((before, verdict.state));
            self.state_since_secs = self.now_secs;
            let what = format!(
                "from {} to {} with block {}",
                before.name(),
                verdict.state.name(),
                self.blocks
            );
            self.note(self.unix_secs(self.now_secs), AuditKind::State, &what);
        }
        self.update_alarms(signals, &verdict, news);
    }

    /// All signals of a block.
    fn signals(&mut self, block: &Block, means: &[Option<f64>; FEATURE_COUNT]) -> BlockSignals {
        let is_draft = self.profile.as_ref().is_none_or(|profile| !profile.is_frozen());
        let over = match &self.charts {
            Some(charts) => over_by_charts(charts, means),
            None => self.over_by_means(),
        };
        let full = self.charts.iter().flat_map(Charts::full);
        let careful: Vec<_> = full
            .map(|(feature, side)| (feature.spec().name.to_owned(), feature.spec().family, side))
            .collect();
        let is_calm =
            over.is_empty() && careful.is_empty() && self.charts.as_ref().is_none_or(Charts::are_calm);
        BlockSignals {
            block: self.blocks,
            block_secs: block.seconds,
            over,
            joint: Vec::new(),
            careful,
            is_calm,
            is_draft,
            estimates: PROXIES
                .into_iter()
                .filter_map(|proxy| self.estimate(proxy))
                .collect(),
            golden: self.golden.clone(),
            model_sha256: self.registry.current().sha256.clone(),
            undefined_frames: block.undefined_frames,
            labels: self.labels,
        }
    }

    /// Features that are others than in a draft without charts. Twice in a row, as every block asks anew.
    fn over_by_means(&mut self) -> Vec<Over> {
        let Some(profile) = self.profile.as_ref().filter(|profile| !profile.has_charts()) else {
            return Vec::new();
        };
        let block_secs = profile.block_secs();
        let learning = self.online.learning();
        let mut over = Vec::new();
        let mut blocks_over = [0; FEATURE_COUNT];
        for comparison in by_means(profile, learning) {
            let (Some(direction), Some(feature)) = (comparison.changed, Feature::named(&comparison.feature))
            else {
                continue;
            };
            let blocks = self.means_over[feature.index()] + 1;
            blocks_over[feature.index()] = blocks;
            let is_first = learning.seconds() <= 1.5 * block_secs;
            if blocks > 1 || is_first {
                over.push(Over {
                    feature: comparison.feature,
                    family: comparison.family,
                    direction,
                    blocks,
                    level: comparison.statistic.abs(),
                    value: comparison.value,
                    reference: comparison.reference,
                });
            }
        }
        self.means_over = blocks_over;
        over
    }

    /// Below this an estimate is not good enough.
    fn floor_of(&self, proxy: Proxy) -> Option<f64> {
        let profile = self.profile.as_ref()?;
        Some(profile.accuracy(proxy)?.mean() - profile.trigger.floor_drop)
    }

    /// An estimate of accuracy over the last blocks, beside what it was in the reference.
    fn estimate(&self, proxy: Proxy) -> Option<Estimate> {
        let profile = self.profile.as_ref()?;
        let reference = profile.accuracy(proxy)?;
        let place = PROXIES.iter().position(|&known| known == proxy)?;
        // A block without an estimate has nothing to say, and neither has what came before it.
        self.estimates.back()?[place]?;
        let last: Vec<f64> = self
            .estimates
            .iter()
            .rev()
            .map_while(|estimates| estimates[place])
            .take(ESTIMATE_BLOCKS)
            .collect();
        let value = last.iter().sum::<f64>() / last.len() as f64;
        let r = reference.correlation();
        let error = reference.sd() * ((1.0 + r) / (1.0 - r) / last.len() as f64).sqrt();
        Some(Estimate {
            proxy,
            value,
            low: (value - Z * error).max(0.0),
            high: (value + Z * error).min(1.0),
            reference: reference.mean(),
            floor: reference.mean() - profile.trigger.floor_drop,
            blocks_over: self
                .charts
                .as_ref()
                .and_then(|charts| charts.of_accuracy(proxy))
                .map_or(0, |chart| chart.blocks_over()),
        })
    }

    /// Alarms begin with reasons and end with them.
    fn update_alarms(&mut self, signals: &BlockSignals, verdict: &Verdict, news: &mut News) {
        let is_current = verdict.state > State::Ok || !signals.is_calm;
        let now: Vec<&Reason> = verdict.reasons.iter().filter(|_| is_current).collect();
        for alarm in self.alarms.iter_mut().filter(|alarm| alarm.ended_block.is_none()) {
            match now.iter().find(|reason| is_same(reason, &alarm.reason)) {
                Some(reason) => alarm.reason = (*reason).clone(),
                None => alarm.ended_block = Some(self.blocks),
            }
        }
        for reason in now {
            let is_open = |alarm: &Alarm| alarm.ended_block.is_none() && is_same(reason, &alarm.reason);
            if self.alarms.iter().any(is_open) {
                continue;
            }
            self.n_alarms += 1;
            let alarm = Alarm {
                id: self.n_alarms,
                kind: kind_of(reason),
                state: verdict.state,
                began_block: self.blocks,
                began_secs: self.now_secs,
                ended_block: None,
                reason: reason.clone(),
                advice: advice_of(reason).to_owned(),
                is_acknowledged: false,
            };
            news.raised.push(alarm.clone());
            self.alarms.push_front(alarm);
            self.alarms.truncate(MAX_ALARMS);
        }
        for alarm in news.raised.clone() {
            let what = format!("alarm {} began: {}", alarm.id, subject_of(&alarm.reason));
            self.note(self.unix_secs(self.now_secs), AuditKind::Alarm, &what);
        }
    }

    /// The rule of the profile, where there is one.
    fn rule(&self) -> Rule {
        self.profile.as_ref().map_or_else(Rule::default, |profile| Rule {
            persist_blocks: profile.trigger.persist_blocks,
            families: profile.trigger.families,
            min_labels: profile.trigger.min_labels,
            calm_blocks: profile.trigger.calm_blocks,
        })
    }
}

fn over_by_charts(charts: &Charts, means: &[Option<f64>; FEATURE_COUNT]) -> Vec<Over> {
    let over = |feature: Feature| {
        let chart = charts.of_feature(feature)?;
        let direction = chart.over()?;
        Some(Over {
            feature: feature.spec().name.to_owned(),
            family: feature.spec().family,
            direction,
            blocks: chart.blocks_over(),
            level: chart.level(),
            value: means[feature.index()].unwrap_or(chart.expected()),
            reference: chart.expected(),
        })
    };
    Feature::ALL.into_iter().filter_map(over).collect()
}

/// Whether two reasons are of the same thing, however far it has come.
fn is_same(a: &Reason, b: &Reason) -> bool {
    match (a, b) {
        (
            Reason::Feature {
                feature: a,
                direction: to_a,
                ..
            }
            | Reason::Careful {
                feature: a,
                direction: to_a,
                ..
            },
            Reason::Feature {
                feature: b,
                direction: to_b,
                ..
            }
            | Reason::Careful {
                feature: b,
                direction: to_b,
                ..
            },
        ) => a == b && to_a == to_b,
        (Reason::Joint { family: a, .. }, Reason::Joint { family: b, .. }) => a == b,
        (Reason::Accuracy { proxy: a, .. }, Reason::Accuracy { proxy: b, .. })
        | (Reason::SilentDecay { proxy: a, .. }, Reason::SilentDecay { proxy: b, .. }) => a == b,
        (Reason::GoldenFailed { model_sha256: a, .. }, Reason::GoldenFailed { model_sha256: b, .. })
        | (Reason::Undefined { model_sha256: a, .. }, Reason::Undefined { model_sha256: b, .. }) => a == b,
        (Reason::Labels { .. }, Reason::Labels { .. }) => true,
        _ => false,
    }
}

fn kind_of(reason: &Reason) -> AlarmKind {
    match reason {
        Reason::Feature { .. } | Reason::Joint { .. } | Reason::Careful { .. } => AlarmKind::Change,
        Reason::Accuracy { .. } | Reason::Labels { .. } => AlarmKind::Accuracy,
        Reason::SilentDecay { .. } => AlarmKind::SilentDecay,
        Reason::GoldenFailed { .. } | Reason::Undefined { .. } => AlarmKind::Model,
    }
}

/// What to do about a reason.
pub fn advice_of(reason: &Reason) -> &'static str {
    match reason {
        Reason::Feature { feature, .. } | Reason::Careful { feature, .. } => Feature::named(feature)
            .map_or("Look at the picture and at the skeleton.", |feature| {
                feature.spec().advice
            }),
        Reason::Joint { .. } => {
            "Look at the picture and at the skeleton: several things have changed a little."
        }
        Reason::Accuracy { .. } => "Look at the skeleton before trusting angles.",
        Reason::SilentDecay { .. } => {
            "Look at the skeleton before trusting angles, and label some clips: the picture does not show why."
        }
        Reason::GoldenFailed { .. } => "Load the page anew; if it stays, use another model.",
        Reason::Undefined { .. } => "Go back to the model before, or use another backend.",
        Reason::Labels { .. } => "Choose, calibrate or train another model.",
    }
}

/// What a reason is about, for the record.
fn subject_of(reason: &Reason) -> String {
    let side = |direction: &Direction| match direction {
        Direction::Up => "higher",
        Direction::Down => "lower",
    };
    match reason {
        Reason::Feature {
            feature, direction, ..
        }
        | Reason::Careful {
            feature, direction, ..
        } => {
            format!("{feature} is {} than in the reference", side(direction))
        }
        Reason::Joint { family, .. } => format!("{} together is unlike the reference", family.name()),
        Reason::Accuracy { proxy, .. } => format!("estimated accuracy by {proxy:?} has fallen"),
        Reason::SilentDecay { proxy, .. } => {
            format!("estimated accuracy by {proxy:?} falls while the picture is as in the reference")
        }
        Reason::GoldenFailed { failed, of, .. } => format!("the model fails {failed} of {of} known frames"),
        Reason::Undefined { frames, .. } => format!("undefined numbers in {frames} frames"),
        Reason::Labels { clips, .. } => format!("{clips} labelled clips say that too many joints are wrong"),
    }
}
