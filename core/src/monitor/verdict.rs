//! What watching comes to: a state, why, what it asks for, and the alarms on the way.
//!
//! Goes in: nothing; these are the words that [`super::snapshot`], logs and pages share. Sentences are made of them by
//! whoever shows them.

use serde::{Deserialize, Serialize};

use crate::monitor::features::Family;

/// How far results can be relied upon, by what watching can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As in the reference.
    #[default]
    Ok,
    /// Something has changed: look closer.
    Watch,
    /// Results may be wrong.
    Suspect,
    /// Results are not to be relied upon.
    Degraded,
}

impl State {
    /// As it is called in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Watch => "watch",
            Self::Suspect => "suspect",
            Self::Degraded => "degraded",
        }
    }
}

/// To which side of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Higher.
    Up,
    /// Lower.
    Down,
}

/// Which estimate of accuracy, none of which needs labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proxy {
    /// Agreement with the mirrored picture.
    Flip,
    /// From the model's own calibrated certainty.
    Certainty,
}

/// One reason for a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// A feature's chart is over its threshold.
    Feature {
        /// The feature's name in files.
        feature: String,
        /// Its family.
        family: Family,
        /// To which side.
        direction: Direction,
        /// For how many blocks.
        blocks: u64,
        /// For how long, seconds.
        secs: f64,
        /// Mean of the last block.
        value: f64,
        /// Mean of the reference.
        reference: f64,
        /// Whether the reference was a draft.
        is_draft: bool,
    },
    /// Several features of a family together are unlike the reference, though none alone may be.
    Joint {
        /// Which family.
        family: Family,
        /// For how many blocks.
        blocks: u64,
    },
    /// The count that promises its false alarms without assumptions on the distribution has run full.
    Careful {
        /// The feature's name in files.
        feature: String,
        /// Its family.
        family: Family,
        /// To which side.
        direction: Direction,
    },
    /// An estimate of accuracy has fallen.
    Accuracy {
        /// Which estimate.
        proxy: Proxy,
        /// Estimated share of joints that are right, or similarity.
        estimate: f64,
        /// Lower end of its 95 % interval.
        low: f64,
        /// Upper end.
        high: f64,
        /// What it was in the reference.
        reference: f64,
        /// Below this a result is not good enough.
        floor: f64,
        /// For how many blocks.
        blocks: u64,
    },
    /// Accuracy falls by estimate while picture and framing are as in the reference.
    SilentDecay {
        /// Which estimate.
        proxy: Proxy,
        /// Estimated share of joints that are right, or similarity.
        estimate: f64,
        /// Lower end of its 95 % interval.
        low: f64,
        /// Upper end.
        high: f64,
        /// What it was in the reference.
        reference: f64,
    },
    /// The model fails frames whose answer is known.
    GoldenFailed {
        /// The model.
        model_sha256: String,
        /// How many of them.
        failed: u32,
        /// Of how many.
        of: u32,
    },
    /// The model gives numbers that are none.
    Undefined {
        /// The model.
        model_sha256: String,
        /// In how many frames.
        frames: u32,
    },
    /// Labels show that too many joints are wrong.
    Labels {
        /// Prediction-powered estimate.
        estimate: f64,
        /// Lower end of its 95 % interval.
        low: f64,
        /// Upper end.
        high: f64,
        /// Below this a result is not good enough.
        floor: f64,
        /// Labelled clips.
        clips: u64,
    },
}

/// What to do about a model, for a person to decide: nothing here acts by itself, and nothing uploaded is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proposal {
    /// Poses are right, probabilities are not: calibrate anew.
    Recalibrate,
    /// Train or choose another model.
    Retrain,
}

/// The state after a block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// The block with which it began.
    pub since_block: u64,
    /// Why, the most telling first.
    pub reasons: Vec<Reason>,
    /// Whether accuracy falls by estimate while picture and framing are as in the reference.
    pub silent_decay: bool,
    /// What should be considered.
    pub proposal: Option<Proposal>,
}

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// A feature or a family has changed.
    Change,
    /// Accuracy may have fallen.
    Accuracy,
    /// Accuracy falls while everything else looks as it was.
    SilentDecay,
    /// The model fails what it must pass.
    Model,
}

/// An alarm, from its beginning on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Counts from 1 in a session.
    pub id: u64,
    /// What it is about.
    pub kind: AlarmKind,
    /// The state that it brought about or confirmed.
    pub state: State,
    /// The block in which it began.
    pub began_block: u64,
    /// When that block ended, seconds in the session's time.
    pub began_secs: f64,
    /// The block in which it was over, if it is.
    pub ended_block: Option<u64>,
    /// Why.
    pub reason: Reason,
    /// What to do, one sentence.
    pub advice: String,
    /// Whether a person has said that they understood.
    pub is_acknowledged: bool,
}
