//! A reference profile: what a model's pictures and answers were like when somebody looked and found them right.
//!
//! Goes in: sessions ([`Learning`]). Comes out: a document that is a *draft* while it grows and never changes once it is
//! *frozen*. It is a list of sessions with the means of their blocks, and sums of integers; everything else is computed from
//! these, so that drafts join in any order to the same bytes. It has a version for people and a hash for programs.
//!
//! Freezing asks for what makes a reference one: all questions of the [`Datasheet`] answered, at least 120 blocks from at
//! least 3 sessions, a model with a hash, and nothing that was labelled by a model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::drift::Reference;
use crate::monitor::blocks::BlockLength;
use crate::monitor::canonical::{is_sha256_hex, stored};
use crate::monitor::datasheet::Datasheet;
use crate::monitor::features::{FEATURE_COUNT, Feature};
use crate::monitor::learning::{CHART_BLOCKS, Learning};
use crate::monitor::profile_form::DIGITS;
pub use crate::monitor::profile_form::{
    BlockRule, CalibrationProfile, ChartLimits, ChartSettings, FeatureProfile, Labels, Made, ProfileState,
    Session, SessionFeature, TriggerSettings,
};
use crate::monitor::verdict::Proxy;
use crate::statistics::Cells;

/// Of profiles that are written.
pub const PROFILE_SCHEMA: u32 = 1;
/// Blocks that a frozen reference needs.
pub const FREEZE_BLOCKS: u64 = 120;
/// Sessions that a frozen reference needs.
pub const FREEZE_SESSIONS: u64 = 3;
/// Sessions of one profile.
const MAX_SESSIONS: usize = 60;
/// Digits of means of blocks, which keep files small.
const MEAN_DIGITS: usize = 6;

/// A reference profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// [`PROFILE_SCHEMA`].
    pub schema: u32,
    /// SHA-256 of the canonical text in which this is empty.
    pub id: String,
    /// Counts from 1.
    pub version: u32,
    /// The profile of which it is the next version.
    pub replaces: Option<String>,
    /// Whether it can still change.
    pub state: ProfileState,
    /// What it was made with.
    pub made: Made,
    /// Answers.
    pub datasheet: Datasheet,
    /// How blocks are cut.
    pub block: BlockRule,
    /// How charts are set.
    pub charts: ChartSettings,
    /// When a change asks for an act.
    pub trigger: TriggerSettings,
    /// Sorted by time, label and text.
    pub sessions: Vec<Session>,
    /// By name.
    pub features: BTreeMap<String, FeatureProfile>,
    /// Limits of the charts of estimated accuracy: `certainty` and `flip`.
    #[serde(default)]
    pub accuracy_charts: BTreeMap<String, ChartLimits>,
    /// How certainty is read.
    pub calibration: Option<CalibrationProfile>,
    /// What later versions say.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Why a profile cannot be had.
#[derive(Clone, Debug, PartialEq)]
pub enum ProfileError {
    /// The text is no profile.
    Invalid(String),
    /// A later schema than this program reads.
    Unsupported {
        /// What the text says.
        schema: u64,
    },
    /// The text is not what was hashed.
    Changed,
    /// It is frozen.
    Frozen,
    /// What is missing before it can be frozen.
    NotReady(Vec<String>),
    /// Two profiles cannot be joined.
    Unlike(String),
}

impl std::fmt::Display for ProfileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(why) => write!(f, "this is no reference profile: {why}"),
            Self::Unsupported { schema } => write!(
                f,
                "the reference profile has schema {schema}, this program reads up to {PROFILE_SCHEMA}; a newer version \
                 of Plumbline reads it"
            ),
            Self::Changed => f.write_str(
                "the reference profile was changed after it was hashed; take the file as it was exported",
            ),
            Self::Frozen => f.write_str(
                "a frozen reference does not change; make a draft of your own, which becomes its next version",
            ),
            Self::NotReady(missing) => write!(f, "the draft cannot be frozen yet: {}", missing.join("; ")),
            Self::Unlike(why) => write!(f, "these profiles cannot be joined: {why}"),
        }
    }
}

impl std::error::Error for ProfileError {}

impl Profile {
    /// A draft without sessions.
    pub fn draft(made: Made, length: BlockLength) -> Self {
        Self {
            schema: PROFILE_SCHEMA,
            id: String::new(),
            version: 1,
            replaces: None,
            state: ProfileState::Draft,
            made,
            datasheet: Datasheet::default(),
            block: length.into(),
            charts: ChartSettings::default(),
            trigger: TriggerSettings::default(),
            sessions: Vec::new(),
            features: BTreeMap::new(),
            accuracy_charts: BTreeMap::new(),
            calibration: None,
            more: Map::new(),
        }
        .identified()
    }

    /// Adds a session.
    ///
    /// # Errors
    /// A frozen profile, a session without blocks, one that was counted in other cells or is in it already, too many.
    pub fn add_session(
        &mut self,
        label: &str,
        at_unix_secs: u64,
        learning: &Learning,
    ) -> Result<(), ProfileError> {
        if learning.blocks() == 0 {
            return Err(ProfileError::Unlike(
                "the session has no block yet; a block needs frames for most of its length".to_owned(),
            ));
        }
        let mut other = Self {
            sessions: vec![session(label, at_unix_secs, learning)],
            ..Self::draft(self.made.clone(), self.block.into())
        };
        if let Some(cells) = learning.cells() {
            for (feature, cells) in Feature::ALL.into_iter().zip(cells) {
                let profile = FeatureProfile {
                    cells: Some(stored_cells(cells)),
                    sums: Some(learning.sums(feature)),
                    ..FeatureProfile::default()
                };
                other.features.insert(feature.spec().name.to_owned(), profile);
            }
        }
        self.join(&other)
    }

    /// Takes over all sessions of another draft. In any order of joins the profile is the same.
    ///
    /// # Errors
    /// [`ProfileError::Frozen`], [`ProfileError::Unlike`]; nothing is changed then.
    pub fn join(&mut self, other: &Self) -> Result<(), ProfileError> {
        if self.state == ProfileState::Frozen {
            return Err(ProfileError::Frozen);
        }
        let unlike = |why: &str| Err(ProfileError::Unlike(why.to_owned()));
        if self.block != other.block {
            return unlike("their blocks have other lengths");
        }
        if self.made.model_sha256 != other.made.model_sha256
            || self.made.preprocessing != other.made.preprocessing
        {
            return unlike("they were made with other models");
        }
        if self.sessions.len() + other.sessions.len() > MAX_SESSIONS {
            return unlike("together they have more than 60 sessions");
        }
        if other
            .sessions
            .iter()
            .any(|session| self.sessions.contains(session))
        {
            return unlike("a session is in both, and would count twice");
        }
        let mut features = self.features.clone();
        for (name, theirs) in &other.features {
            let mine = features.entry(name.clone()).or_default();
            match (&mut mine.sums, &theirs.sums) {
                _ if mine.cells.is_some() && theirs.cells.is_some() && mine.cells != theirs.cells => {
                    return unlike(&format!(
                        "the histograms of '{name}' have other cells; begin the second with those of the first"
                    ));
                }
                (Some(mine), Some(theirs)) => mine.merge(theirs),
                (mine @ None, theirs) => mine.clone_from(theirs),
                (Some(_), None) => {}
            }
            mine.cells = mine.cells.take().or_else(|| theirs.cells.clone());
            for (key, value) in &theirs.more {
                mine.more.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        // More blocks, other limits.
        features.values_mut().for_each(|feature| feature.chart = None);
        self.accuracy_charts.clear();
        self.features = features;
        self.sessions.extend(other.sessions.iter().cloned());
        self.sessions.sort_by_cached_key(|session| {
            let text = serde_json::to_string(session).unwrap_or_default();
            (session.at_unix_secs, session.label.clone(), text)
        });
        self.made.at_unix_secs = self.made.at_unix_secs.max(other.made.at_unix_secs);
        if other.made.labels == Labels::Model {
            self.made.labels = Labels::Model;
        }
        self.id = self.hash();
        Ok(())
    }

    /// Blocks of all sessions.
    pub fn blocks(&self) -> u64 {
        self.sessions
            .iter()
            .fold(0, |sum, session| sum.saturating_add(session.blocks))
    }

    /// Whether there are enough blocks for charts.
    pub fn has_charts(&self) -> bool {
        self.blocks() >= CHART_BLOCKS
    }

    /// Whether it can still change.
    pub fn is_frozen(&self) -> bool {
        self.state == ProfileState::Frozen
    }

    /// Length of a block, seconds; of blocks that are counted in frames, as long as they were.
    pub fn block_secs(&self) -> f64 {
        match self.block {
            BlockRule::Secs(secs) => secs,
            BlockRule::Frames(_) => {
                let seconds: f64 = self.sessions.iter().map(|session| session.seconds).sum();
                seconds / self.blocks().max(1) as f64
            }
        }
    }

    /// What is missing before it can be frozen, sentences.
    pub fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = self
            .datasheet
            .missing()
            .map(|question| format!("the datasheet does not say '{}': {}", question.key, question.text))
            .collect();
        let (blocks, sessions) = (self.blocks(), self.sessions.len() as u64);
        if blocks < FREEZE_BLOCKS {
            missing.push(format!("it has {blocks} blocks of {FREEZE_BLOCKS}"));
        }
        if sessions < FREEZE_SESSIONS {
            missing.push(format!("it has {sessions} sessions of {FREEZE_SESSIONS}"));
        }
        if !self.are_charts_set() {
            missing.push("its charts have no thresholds yet".to_owned());
        }
        if self.made.labels == Labels::Model {
            missing.push("a model labelled it, and would judge itself".to_owned());
        }
        if !is_sha256_hex(&self.made.model_sha256) {
            missing.push("the hash of its model is not known".to_owned());
        }
        missing
    }

    /// Whether every chart that it could have has its limits.
    pub fn are_charts_set(&self) -> bool {
        self.has_charts() && self.features.values().any(|feature| feature.chart.is_some())
    }

    /// Freezes it: from here on it never changes.
    ///
    /// # Errors
    /// [`ProfileError::Frozen`], [`ProfileError::NotReady`] with everything that is missing.
    pub fn freeze(&mut self, at_unix_secs: u64) -> Result<(), ProfileError> {
        if self.is_frozen() {
            return Err(ProfileError::Frozen);
        }
        let missing = self.missing();
        if !missing.is_empty() {
            return Err(ProfileError::NotReady(missing));
        }
        self.state = ProfileState::Frozen;
        self.made.at_unix_secs = at_unix_secs;
        self.id = self.hash();
        Ok(())
    }

    /// Makes it the next version of another.
    ///
    /// # Errors
    /// [`ProfileError::Frozen`].
    pub fn replace(&mut self, other: &Self) -> Result<(), ProfileError> {
        if self.is_frozen() {
            return Err(ProfileError::Frozen);
        }
        self.version = other.version.saturating_add(1);
        self.replaces = Some(other.id.clone());
        self.id = self.hash();
        Ok(())
    }

    /// Changes answers, settings or calibration of a draft.
    ///
    /// # Errors
    /// [`ProfileError::Frozen`].
    pub fn change(&mut self, change: impl FnOnce(&mut Self)) -> Result<(), ProfileError> {
        if self.is_frozen() {
            return Err(ProfileError::Frozen);
        }
        change(self);
        self.id = self.hash();
        Ok(())
    }

    /// What block means of a feature were like in it; none of too few blocks.
    pub fn reference(&self, feature: Feature) -> Option<Reference> {
        let sessions = self.sessions.iter().filter_map(|session| {
            session
                .features
                .get(feature.spec().name)
                .map(|of_it| &of_it.block_means)
        });
        reference(sessions, feature.spec().floor)
    }

    /// What an estimate of accuracy was like in it.
    pub fn accuracy(&self, proxy: Proxy) -> Option<Reference> {
        let sessions = self
            .sessions
            .iter()
            .filter_map(|session| session.accuracy.get(proxy_name(proxy)));
        reference(sessions, ACCURACY_FLOOR)
    }

    /// The cells of all features, where each has some.
    pub fn cells(&self) -> Option<Box<[Cells; FEATURE_COUNT]>> {
        let cells: Option<Vec<Cells>> = Feature::ALL
            .into_iter()
            .map(|feature| self.features.get(feature.spec().name)?.cells.clone())
            .collect();
        cells.and_then(|cells| cells.into_boxed_slice().try_into().ok())
    }

    /// The limits of a feature's chart.
    pub fn limits(&self, feature: Feature) -> Option<ChartLimits> {
        self.features.get(feature.spec().name)?.chart
    }
}

/// Differences of estimated accuracy below this mean nothing.
pub const ACCURACY_FLOOR: f64 = 0.01;

/// As estimates are called in files.
pub fn proxy_name(proxy: Proxy) -> &'static str {
    match proxy {
        Proxy::Flip => "flip",
        Proxy::Certainty => "certainty",
    }
}

/// Scatter and memory of block means, session by session. Blocks on both sides of a gap count as neighbours, which are few.
fn reference<'a>(sessions: impl Iterator<Item = &'a Vec<Option<f64>>>, floor: f64) -> Option<Reference> {
    let means: Vec<Vec<f64>> = sessions
        .map(|means| means.iter().flatten().copied().collect())
        .collect();
    let sessions: Vec<&[f64]> = means.iter().map(Vec::as_slice).collect();
    Reference::of_sessions(&sessions, floor).ok()
}

/// Numbers of a session, rounded to what is stored.
fn session(label: &str, at_unix_secs: u64, learning: &Learning) -> Session {
    let rounded = |means: &mut dyn Iterator<Item = Option<f32>>| -> Vec<Option<f64>> {
        means
            .map(|mean| mean.map(|mean| stored(f64::from(mean), MEAN_DIGITS)))
            .collect()
    };
    let of_feature = |feature: Feature| {
        let scatter = learning.scatter(feature);
        let of_it = SessionFeature {
            n: scatter.moments.n(),
            mean: stored(scatter.moments.mean()?, DIGITS),
            sd: stored(scatter.moments.sd().unwrap_or_default(), DIGITS),
            tau_secs: scatter.tau_secs.map(|secs| stored(secs, DIGITS)),
            block_means: rounded(&mut learning.means(feature)),
        };
        Some((feature.spec().name.to_owned(), of_it))
    };
    let accuracy = [Proxy::Certainty, Proxy::Flip].map(|proxy| {
        let means = rounded(&mut learning.accuracy(proxy));
        (proxy_name(proxy).to_owned(), means)
    });
    Session {
        label: label.chars().take(100).collect(),
        at_unix_secs,
        seconds: stored(learning.seconds(), DIGITS),
        frames: learning.frames(),
        blocks: learning.blocks(),
        features: Feature::ALL.into_iter().filter_map(of_feature).collect(),
        accuracy: accuracy
            .into_iter()
            .filter(|(_, means)| means.iter().any(Option::is_some))
            .collect(),
        more: Map::new(),
    }
}

/// Cells whose edges are read back to the bit. Rounding keeps their order; where it would leave the range, they stay.
fn stored_cells(cells: &Cells) -> Cells {
    let [low, high] = cells.range();
    let edges = cells.inner().map(|edge| stored(edge, DIGITS).clamp(low, high));
    Cells::new(cells.range(), edges).unwrap_or_else(|| cells.clone())
}
