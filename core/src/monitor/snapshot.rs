//! Everything that a monitor shows at one moment: plain data with names, units and no sentences.
//!
//! Goes in: nothing. Comes out: what `plumb drift --reference` prints as JSON and what the page shows. A snapshot is made
//! once a block; lines of history are as long as was asked for, so that a reader who keeps them asks for one block.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::monitor::features::Family;
use crate::monitor::verdict::{Alarm, Direction, Proxy, Verdict};

/// Of [`Snapshot`]: rises when a field changes its meaning.
pub const SNAPSHOT_SCHEMA: u32 = 1;

/// What a monitor shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`SNAPSHOT_SCHEMA`].
    pub schema: u32,
    /// The sentence of state, as data.
    pub status: Status,
    /// Newest first.
    pub alarms: Vec<Alarm>,
    /// Latency, throughput, memory.
    pub numbers: Numbers,
    /// In the order of [`super::features::FEATURES`].
    pub features: Vec<FeatureView>,
    /// Estimates of accuracy that need no labels.
    pub accuracy: Vec<AccuracyView>,
    /// Accuracy by circumstances, worst first.
    pub slices: Vec<SliceView>,
    /// Certainty against truth, from drawn pictures or labels.
    pub calibration: Option<CalibrationView>,
    /// What is compared with.
    pub reference: Option<ReferenceView>,
    /// The session as it could become a reference.
    pub learning: LearningView,
    /// Models and what they may do.
    pub registry: RegistryView,
    /// What is kept.
    pub record: RecordView,
}

/// The sentence of state, as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// How far watching has come.
    pub phase: Phase,
    /// State, reasons, proposal.
    pub verdict: Verdict,
    /// Blocks so far.
    pub blocks: u64,
    /// Length of a block, seconds.
    pub block_secs: f64,
    /// How long the state has lasted, seconds.
    pub since_secs: f64,
    /// How often chance alone raises *watch*, mean seconds between; none without charts.
    pub false_watch_secs: Option<f64>,
    /// Whether that figure goes beyond what was simulated.
    pub is_extrapolated: bool,
    /// The last change of the model that nobody asked for.
    pub rolled_back: Option<RolledBack>,
}

/// How far watching has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Phase {
    /// No frames for some time.
    NotWatching {
        /// For how long, seconds.
        silent_secs: f64,
    },
    /// Numbers are counted; there is nothing to compare with.
    NoReference,
    /// A draft is compared with by its means: too few blocks for charts.
    Means {
        /// Blocks of the draft.
        blocks: u64,
        /// Blocks of this session that were compared so far.
        compared: u64,
        /// From how many blocks on there are charts.
        needed: u64,
    },
    /// A draft has charts, and can raise no more than *watch*.
    Draft {
        /// Its blocks.
        blocks: u64,
        /// Its sessions.
        sessions: u64,
    },
    /// A frozen reference.
    Reference,
}

/// A roll back that happened by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolledBack {
    /// Name of the model that was left.
    pub from: String,
    /// Name of the model that runs again.
    pub to: String,
    /// Its hash.
    pub to_sha256: String,
    /// Why.
    pub cause: RollBackCause,
}

/// Why a model was left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RollBackCause {
    /// Frames whose answer is known were answered wrongly.
    Golden {
        /// How many.
        failed: u32,
        /// Of how many.
        of: u32,
    },
    /// Numbers that are none.
    Undefined {
        /// In how many frames.
        frames: u32,
    },
    /// Too slow for several blocks.
    Latency {
        /// p95 of the last block, milliseconds.
        p95_millis: f64,
        /// What was allowed.
        limit_millis: f64,
    },
    /// It was promoted on the GPU and has fallen back to the CPU.
    Backend,
    /// A person asked for it.
    Asked,
}

/// Latency, throughput, memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// From frame to result, over the session.
    pub latency: Option<Percentiles>,
    /// On the GPU, over the session.
    pub gpu: Option<Percentiles>,
    /// Frames measured.
    pub frames: u64,
    /// Frames dropped.
    pub dropped: u64,
    /// Of frames measured and dropped.
    pub dropped_share: Option<f64>,
    /// Pictures that equalled the one before.
    pub repeated: u64,
    /// Frames for which the person was searched anew.
    pub detector_runs: u64,
    /// Frames measured a second in the last block.
    pub frames_per_sec: Option<f64>,
    /// Memory of the programs that measure, where it is known.
    pub memory_bytes: Option<u64>,
    /// Memory of what watches.
    pub monitor_bytes: u64,
    /// What watching costs a frame, in the engine and beside it; set by whoever has a clock.
    pub cost: Option<Cost>,
}

/// Percentiles of a duration, each within 1 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Median, milliseconds.
    pub p50_millis: f64,
    /// 95th percentile.
    pub p95_millis: f64,
    /// 99th percentile.
    pub p99_millis: f64,
    /// Durations.
    pub n: u64,
}

/// What watching costs a frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// In the engine's worker, 95th percentile, milliseconds.
    pub engine_p95_millis: f64,
    /// In the worker that watches.
    pub watch_p95_millis: f64,
}

/// A feature with its history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureView {
    /// As in files.
    pub name: String,
    /// As in a sentence.
    pub label: String,
    /// Its family.
    pub family: Family,
    /// Of all values here.
    pub unit: String,
    /// Mean of the last block; none where too few frames had it.
    pub value: Option<f64>,
    /// Frames of the last block that had it.
    pub n: u32,
    /// Correlation time as this session shows it, seconds.
    pub tau_secs: Option<f64>,
    /// What it was in the reference.
    pub band: Option<Band>,
    /// Its chart.
    pub chart: Option<ChartView>,
    /// Means of the last blocks, oldest first.
    pub history: Vec<Option<f32>>,
}

/// Where block means lie in the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Mean.
    pub mean: f64,
    /// Mean less two standard deviations of block means.
    pub low: f64,
    /// Mean and two standard deviations.
    pub high: f64,
}

/// Where a chart stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartView {
    /// Sum towards higher values, block standard deviations.
    pub up: f64,
    /// Sum towards lower values.
    pub down: f64,
    /// Over this is an alarm.
    pub threshold: f64,
    /// To which side it is over, if it is.
    pub over: Option<Direction>,
    /// For how many blocks it has been.
    pub blocks_over: u64,
}

/// An estimate of accuracy that needs no labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccuracyView {
    /// Which.
    pub proxy: Proxy,
    /// Estimate of the last block.
    pub estimate: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// What it was in the reference.
    pub reference: Option<f64>,
    /// Whether it disagrees with the other estimate by more than .1.
    pub disagrees: bool,
    /// Of the last blocks, oldest first.
    pub history: Vec<Option<f32>>,
}

/// Accuracy under one circumstance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceView {
    /// By what: a feature's name or a tag.
    pub by: String,
    /// Which values.
    pub label: String,
    /// Blocks in it.
    pub n: u64,
    /// Mean agreement with the mirrored picture.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Below the mean of all.
    pub gap: f64,
    /// Whether there are enough blocks to say anything.
    pub is_enough: bool,
}

/// Certainty against truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationView {
    /// What the truth is: drawn people or labels.
    pub truth: String,
    /// Which model, by hash.
    pub model_sha256: String,
    /// Cells of certainty.
    pub bins: Vec<ReliabilityBin>,
    /// Expected calibration error as the model says it.
    pub ece_raw: f64,
    /// After calibration, cross-validated.
    pub ece_calibrated: Option<f64>,
}

/// A cell of certainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower edge, not in it.
    pub low: f64,
    /// Upper edge, in it.
    pub high: f64,
    /// Predictions.
    pub n: u64,
    /// Their mean certainty.
    pub certainty: f64,
    /// Share that was right.
    pub right: f64,
}

/// What is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceView {
    /// Hash of its text.
    pub id: String,
    /// Counts from 1.
    pub version: u32,
    /// Which it took the place of.
    pub replaces: Option<String>,
    /// Whether it can still change.
    pub is_frozen: bool,
    /// Blocks.
    pub blocks: u64,
    /// Sessions.
    pub sessions: u64,
    /// When it was made, seconds since 1970.
    pub made_unix_secs: u64,
    /// Name of the model that it was made with.
    pub model: String,
    /// Its hash.
    pub model_sha256: String,
    /// Whether the model that runs is another one.
    pub is_of_another_model: bool,
    /// The datasheet's answers by question.
    pub datasheet: BTreeMap<String, String>,
    /// What is missing before it can be frozen, sentences.
    pub missing: Vec<String>,
    /// Features whose sessions differ so much that only larger changes can be seen.
    pub wide: Vec<String>,
}

/// The session as it could become a reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LearningView {
    /// Blocks so far.
    pub blocks: u64,
    /// From how many on large changes can be seen.
    pub for_charts: u64,
    /// How many a frozen reference needs.
    pub for_freezing: u64,
    /// How many sessions a frozen reference needs.
    pub sessions_for_freezing: u64,
    /// Longest correlation time of the watched features, seconds.
    pub tau_secs: Option<f64>,
    /// Blocks that it says would do, seconds: the longer of five seconds and three correlation times.
    pub advised_block_secs: f64,
}

/// Models and what they may do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegistryView {
    /// In the order in which they came.
    pub models: Vec<ModelView>,
    /// The candidate's trial.
    pub shadow: Option<ShadowView>,
    /// Whether there is a model to go back to.
    pub can_roll_back: bool,
}

/// What a model is to this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It runs.
    Current,
    /// It runs in the shadow, or is about to.
    Candidate,
    /// It ran before the current one.
    Previous,
    /// It failed and must not run.
    Refused,
}

/// A model of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelView {
    /// Its hash.
    pub sha256: String,
    /// As people call it.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// Its licence.
    pub licence: String,
    /// What it is to this page.
    pub role: Option<Role>,
    /// The last run of frames whose answer is known.
    pub golden: Option<GoldenView>,
    /// What a person must know, for instance why it was refused.
    pub note: Option<String>,
}

/// A run of frames whose answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoldenView {
    /// Frames.
    pub frames: u32,
    /// Frames whose answer was too far off.
    pub failed: u32,
    /// Largest distance of a landmark, pixels of the model's input.
    pub worst_px: f64,
    /// What was allowed.
    pub tolerance_px: f64,
}

/// A candidate's trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowView {
    /// The candidate.
    pub model_sha256: String,
    /// Blocks so far.
    pub blocks: u64,
    /// How many are needed.
    pub needed: u64,
    /// What it must show, each with where it stands.
    pub criteria: Vec<Criterion>,
    /// Whether all of it is met.
    pub may_be_promoted: bool,
}

/// Something that a candidate must show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// As in files: `oks_agreement`, `flip_oks`, `certainty`, `latency`, `ece`, `golden`, `change_plan`.
    pub name: String,
    /// Where it stands; none while too little is known.
    pub value: Option<f64>,
    /// The end of its 95 % interval that decides, where there is one.
    pub bound: Option<f64>,
    /// The limit.
    pub limit: f64,
    /// Whether it is met.
    pub is_met: bool,
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordView {
    /// Rows of the feature log that this session wrote.
    pub log_rows: u64,
    /// Records of the audit log.
    pub audit_records: u64,
    /// The last records of the audit log, newest first.
    pub audit: Vec<AuditView>,
    /// Whether the audit log's chain of hashes holds.
    pub is_chain_whole: bool,
    /// Where storage stands; set by whoever stores.
    pub storage: Option<StorageView>,
}

/// A record of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditView {
    /// Its number.
    pub seq: u64,
    /// When, seconds since 1970.
    pub at_unix_secs: u64,
    /// What kind: `model`, `promotion`, `roll-back`, `alarm`, `state`, `profile`, `freeze`, `export`, `upload`, `delete`.
    pub kind: String,
    /// One sentence.
    pub what: String,
}

/// Where storage stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StorageView {
    /// Whether anything is stored, or kept in memory only.
    pub is_stored: bool,
    /// Bytes of the feature log.
    pub log_bytes: u64,
    /// Days that it holds.
    pub days: u32,
    /// Segments that were damaged and left out.
    pub damaged_segments: u64,
}
