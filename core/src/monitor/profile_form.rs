//! What a reference profile is made of: plain data, as its text holds it.
//!
//! Goes in: nothing. Comes out: the parts of a [`super::profile::Profile`]. Keys that a later version adds are kept in `more` and
//! written back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::drift::null::BlockSums;
use crate::metrics::isotonic::Isotonic;
use crate::monitor::blocks::BlockLength;
use crate::monitor::canonical::stored;
use crate::monitor::snapshot::ReliabilityBin;
use crate::statistics::Cells;

/// Digits of numbers that are not means of blocks.
pub(super) const DIGITS: usize = 9;

/// Whether a profile can still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileState {
    /// It grows.
    Draft,
    /// It does not change any more.
    Frozen,
}

/// Who says what is right in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// Nobody: it describes pictures and answers.
    #[default]
    None,
    /// People.
    Human,
    /// The pictures were drawn, so the truth is known.
    Drawn,
    /// A model: such a profile cannot be frozen, as a model would judge itself.
    Model,
}

/// What a profile was made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Name of the landmark model.
    pub model: String,
    /// Its hash.
    pub model_sha256: String,
    /// Hash of the detector, where there was one.
    pub detector_sha256: Option<String>,
    /// How a picture becomes the models' input.
    pub preprocessing: String,
    /// `cpu` or `gpu`.
    pub backend: String,
    /// Of the program.
    pub app_version: String,
    /// When, seconds since 1970.
    pub at_unix_secs: u64,
    /// Who says what is right in it.
    pub labels: Labels,
    /// What later versions say.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// How blocks are cut.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockRule {
    /// Seconds.
    Secs(f64),
    /// Frames.
    Frames(u32),
}

impl From<BlockLength> for BlockRule {
    fn from(length: BlockLength) -> Self {
        match length {
            BlockLength::Seconds(secs) => Self::Secs(stored(secs, DIGITS)),
            BlockLength::Frames(frames) => Self::Frames(frames),
        }
    }
}

impl From<BlockRule> for BlockLength {
    fn from(rule: BlockRule) -> Self {
        match rule {
            BlockRule::Secs(secs) => Self::Seconds(secs),
            BlockRule::Frames(frames) => Self::Frames(frames),
        }
    }
}

/// How charts are set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartSettings {
    /// Mean number of blocks until one chart alarms by chance.
    pub arl0_blocks: f64,
    /// The allowance, block standard deviations.
    pub k: f64,
    /// Share of references of this length that keep the promise; none promises for the mean reference only.
    pub guarantee: Option<f64>,
    /// What later versions say.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Default for ChartSettings {
    fn default() -> Self {
        Self {
            arl0_blocks: 20_000.0,
            k: 0.5,
            guarantee: Some(0.9),
            more: Map::new(),
        }
    }
}

/// When a change asks for an act. These are conventions, not results: they stand in the profile so that they are seen, and
/// changing them is a record of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerSettings {
    /// For how many blocks charts must be over their thresholds.
    pub persist_blocks: u64,
    /// In how many families.
    pub families: u64,
    /// How many labelled clips say that a model is degraded.
    pub min_labels: u64,
    /// How far accuracy may fall below the reference.
    pub floor_drop: f64,
    /// For how many blocks charts must be calm before a state ends.
    pub calm_blocks: u64,
    /// What later versions say.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Default for TriggerSettings {
    fn default() -> Self {
        Self {
            persist_blocks: 3,
            families: 2,
            min_labels: 60,
            floor_drop: 0.10,
            calm_blocks: 6,
            more: Map::new(),
        }
    }
}

/// A feature in a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionFeature {
    /// Frames that had it.
    pub n: u64,
    /// Mean of these frames.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// Correlation time, seconds.
    pub tau_secs: Option<f64>,
    /// Means of blocks; null where too few frames had it and where time was lost.
    pub block_means: Vec<Option<f64>>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// What people call it; never a path.
    pub label: String,
    /// When it began, seconds since 1970.
    pub at_unix_secs: u64,
    /// Time that its blocks cover.
    pub seconds: f64,
    /// Frames.
    pub frames: u64,
    /// Blocks.
    pub blocks: u64,
    /// By name.
    pub features: BTreeMap<String, SessionFeature>,
    /// Estimated accuracy by block: `certainty` and `flip`.
    pub accuracy: BTreeMap<String, Vec<Option<f64>>>,
    /// What later versions say.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// What of a feature is joined over sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureProfile {
    /// Where the cells of its histogram lie; none where no session was long enough.
    pub cells: Option<Cells>,
    /// How blocks spread over them.
    pub sums: Option<BlockSums>,
    /// The chart's threshold and allowance; none below 24 blocks.
    pub chart: Option<ChartLimits>,
    /// What later versions say.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Limits of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartLimits {
    /// Over this is an alarm, block standard deviations.
    pub threshold: f64,
    /// The allowance: larger where sessions have levels of their own.
    pub allowance: f64,
    /// Whether the run length goes beyond what was simulated.
    pub is_extrapolated: bool,
}

/// How a model's certainty is read, made on pictures with truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationProfile {
    /// Of which model.
    pub model_sha256: String,
    /// Who said what is right.
    pub truth: Labels,
    /// From visibility times presence to the chance that a joint is right.
    pub joint: Option<Isotonic>,
    /// From agreement with the mirrored picture to the similarity to the truth.
    pub flip: Option<Isotonic>,
    /// How well certainty tells right from wrong joints.
    pub auroc: Option<f64>,
    /// Certainty against truth, before calibration.
    pub bins: Vec<ReliabilityBin>,
    /// Expected calibration error before.
    pub ece_raw: f64,
    /// And after, cross-validated.
    pub ece_calibrated: Option<f64>,
    /// What later versions say.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}
