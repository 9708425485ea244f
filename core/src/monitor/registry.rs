//! The models of a session by their hashes: which one runs, which one is tried, which one ran before, which must not run.
//!
//! Goes in: models, results of frames whose answer is known, trials, what the last block was like. Comes out: which model
//! runs, and why it changed. A candidate is promoted by a person and only if its trial allows it; the model before it stays
//! at hand for 60 blocks, and comes back by itself when the new one fails its known frames, gives numbers that are none
//! in three frames, is too slow for three blocks, or falls back to the CPU.

use crate::monitor::golden::GoldenRun;
use crate::monitor::snapshot::{ModelView, RegistryView, Role, RollBackCause, RolledBack, ShadowView};

/// Blocks for which the previous model is kept loaded.
pub const PROBATION_BLOCKS: u64 = 60;
/// Frames with numbers that are none, after which a model is left.
const UNDEFINED_FRAMES: u32 = 3;
/// How much slower than the model before a model may be, p95.
const LATENCY_FACTOR: f64 = 2.0;
/// For how many blocks it may be slower.
const SLOW_BLOCKS: u32 = 3;
/// Models of a registry.
const MAX_MODELS: usize = 20;

/// What is said of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// Its hash.
    pub sha256: String,
    /// As people call it.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// Its licence.
    pub licence: String,
}

/// Why a model was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistryError {
    /// No model of that hash.
    Unknown,
    /// It is in the registry already.
    Known,
    /// It failed before.
    Refused,
    /// There are too many.
    TooMany,
    /// It is the current one.
    Current,
    /// No candidate is being tried.
    NoCandidate,
    /// The candidate's trial does not allow it yet.
    NotReady,
    /// No model to go back to.
    NoPrevious,
}

impl std::fmt::Display for RegistryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "this model is not in the registry; add it first",
            Self::Known => "this model is in the registry already",
            Self::Refused => "this model failed before and is not run; choose another one",
            Self::TooMany => "the registry holds 20 models; begin a new session for more",
            Self::Current => "this model runs already",
            Self::NoCandidate => "no candidate is being tried; choose one first",
            Self::NotReady => "the candidate has not shown everything yet; its list says what is missing",
            Self::NoPrevious => "there is no model to go back to",
        })
    }
}

impl std::error::Error for RegistryError {}

#[derive(Clone, Debug)]
struct Model {
    entry: ModelEntry,
    role: Option<Role>,
    golden: Option<GoldenRun>,
    note: Option<String>,
}

/// What watches a model that was just promoted.
#[derive(Clone, Debug)]
struct Probation {
    blocks: u64,
    undefined_frames: u32,
    slow_blocks: u32,
    limit_millis: Option<f64>,
    was_on_gpu: bool,
}

/// The models of a session.
#[derive(Clone, Debug)]
pub struct Registry {
    models: Vec<Model>,
    probation: Option<Probation>,
    /// p95 of the last blocks of the current model, milliseconds.
    p95_millis: Option<f64>,
    is_on_gpu: bool,
}

impl Registry {
    /// With the model that runs.
    pub fn new(current: ModelEntry, is_on_gpu: bool) -> Self {
        Self {
            models: vec![Model {
                entry: current,
                role: Some(Role::Current),
                golden: None,
                note: None,
            }],
            probation: None,
            p95_millis: None,
            is_on_gpu,
        }
    }

    /// The model that runs.
    pub fn current(&self) -> &ModelEntry {
        // There is one from the beginning on, and roles only change places.
        let place = self.place_of(Role::Current).unwrap_or_default();
        &self.models[place].entry
    }

    /// The model that is tried.
    pub fn candidate(&self) -> Option<&ModelEntry> {
        Some(&self.models[self.place_of(Role::Candidate)?].entry)
    }

    /// The model that ran before, while it is kept.
    pub fn previous(&self) -> Option<&ModelEntry> {
        Some(&self.models[self.place_of(Role::Previous)?].entry)
    }

    /// What a model is called; its hash where it is not known.
    pub fn name_of<'a>(&'a self, sha256: &'a str) -> &'a str {
        self.find(sha256)
            .map_or(sha256, |place| &self.models[place].entry.name)
    }

    /// What a model last answered to known frames.
    pub fn golden_of(&self, sha256: &str) -> Option<GoldenRun> {
        self.models[self.find(sha256)?].golden
    }

    fn place_of(&self, role: Role) -> Option<usize> {
        self.models.iter().position(|model| model.role == Some(role))
    }

    fn find(&self, sha256: &str) -> Option<usize> {
        self.models.iter().position(|model| model.entry.sha256 == sha256)
    }

    /// Adds a model; it is not run by that.
    ///
    /// # Errors
    /// [`RegistryError::Known`], [`RegistryError::TooMany`].
    pub fn add(&mut self, entry: ModelEntry) -> Result<(), RegistryError> {
        if self.find(&entry.sha256).is_some() {
            return Err(RegistryError::Known);
        }
        if self.models.len() >= MAX_MODELS {
            return Err(RegistryError::TooMany);
        }
        self.models.push(Model {
            entry,
            role: None,
            golden: None,
            note: None,
        });
        Ok(())
    }

    /// Tries a model in the shadow of the current one; a candidate of before is put back.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], [`RegistryError::Current`], [`RegistryError::Refused`].
    pub fn try_out(&mut self, sha256: &str) -> Result<(), RegistryError> {
        let place = self.find(sha256).ok_or(RegistryError::Unknown)?;
        match self.models[place].role {
            Some(Role::Current) => return Err(RegistryError::Current),
            Some(Role::Refused) => return Err(RegistryError::Refused),
            Some(Role::Candidate | Role::Previous) | None => {}
        }
        if let Some(before) = self.place_of(Role::Candidate) {
            self.models[before].role = None;
        }
        self.models[place].role = Some(Role::Candidate);
        Ok(())
    }

    /// Takes what a model answered to frames whose answer is known. A candidate that fails is refused; a current model that
    /// fails is left if there is one to go back to.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`].
    pub fn take_golden(&mut self, sha256: &str, run: GoldenRun) -> Result<Option<RolledBack>, RegistryError> {
        let place = self.find(sha256).ok_or(RegistryError::Unknown)?;
        self.models[place].golden = Some(run);
        if run.passes() {
            return Ok(None);
        }
        match self.models[place].role {
            Some(Role::Current) => {
                let cause = RollBackCause::Golden {
                    failed: run.failed,
                    of: run.frames,
                };
                Ok(self.leave_current(cause).ok())
            }
            _ => {
                self.models[place].role = Some(Role::Refused);
                self.models[place].note = Some(format!(
                    "it answered {} of {} known frames wrongly",
                    run.failed, run.frames
                ));
                Ok(None)
            }
        }
    }

    /// Runs the candidate from here on.
    ///
    /// # Errors
    /// [`RegistryError::NoCandidate`], [`RegistryError::NotReady`] where its trial does not allow it.
    pub fn promote(&mut self, trial: Option<&ShadowView>) -> Result<&ModelEntry, RegistryError> {
        let candidate = self.place_of(Role::Candidate).ok_or(RegistryError::NoCandidate)?;
        let is_ready = trial.is_some_and(|trial| {
            trial.may_be_promoted && trial.model_sha256 == self.models[candidate].entry.sha256
        });
        if !is_ready {
            return Err(RegistryError::NotReady);
        }
        if let Some(oldest) = self.place_of(Role::Previous) {
            self.models[oldest].role = None;
        }
        if let Some(current) = self.place_of(Role::Current) {
            self.models[current].role = Some(Role::Previous);
        }
        self.models[candidate].role = Some(Role::Current);
        self.probation = Some(Probation {
            blocks: 0,
            undefined_frames: 0,
            slow_blocks: 0,
            limit_millis: self.p95_millis.map(|p95| LATENCY_FACTOR * p95),
            was_on_gpu: self.is_on_gpu,
        });
        self.p95_millis = None;
        Ok(&self.models[candidate].entry)
    }

    /// Goes back because a person asked for it.
    ///
    /// # Errors
    /// [`RegistryError::NoPrevious`].
    pub fn roll_back(&mut self) -> Result<RolledBack, RegistryError> {
        self.leave_current(RollBackCause::Asked)
    }

    /// Frames whose result had numbers that are none. Three of them end a model that was just promoted.
    pub fn take_undefined(&mut self, frames: u32) -> Option<RolledBack> {
        let probation = self.probation.as_mut()?;
        probation.undefined_frames = probation.undefined_frames.saturating_add(frames);
        let frames = probation.undefined_frames;
        if frames < UNDEFINED_FRAMES {
            return None;
        }
        self.leave_current(RollBackCause::Undefined { frames }).ok()
    }

    /// A block has ended. The first blocks after a promotion decide whether the model before it is still kept.
    pub fn take_block(&mut self, p95_millis: Option<f64>) -> Option<RolledBack> {
        self.p95_millis = p95_millis.or(self.p95_millis);
        let probation = self.probation.as_mut()?;
        probation.blocks += 1;
        if let (Some(p95_millis), Some(limit_millis)) = (p95_millis, probation.limit_millis) {
            probation.slow_blocks = if p95_millis > limit_millis {
                probation.slow_blocks + 1
            } else {
                0
            };
            if probation.slow_blocks >= SLOW_BLOCKS {
                let cause = RollBackCause::Latency {
                    p95_millis,
                    limit_millis,
                };
                return self.leave_current(cause).ok();
            }
        }
        if probation.blocks >= PROBATION_BLOCKS {
            self.probation = None;
            if let Some(previous) = self.place_of(Role::Previous) {
                self.models[previous].role = None;
            }
        }
        None
    }

    /// Which backend runs the model. A model that was promoted on the GPU and cannot stay there is left.
    pub fn take_backend(&mut self, is_on_gpu: bool) -> Option<RolledBack> {
        self.is_on_gpu = is_on_gpu;
        let was_on_gpu = self
            .probation
            .as_ref()
            .is_some_and(|probation| probation.was_on_gpu);
        (was_on_gpu && !is_on_gpu)
            .then(|| self.leave_current(RollBackCause::Backend).ok())
            .flatten()
    }

    fn leave_current(&mut self, cause: RollBackCause) -> Result<RolledBack, RegistryError> {
        let previous = self.place_of(Role::Previous).ok_or(RegistryError::NoPrevious)?;
        let current = self.place_of(Role::Current).ok_or(RegistryError::NoPrevious)?;
        self.probation = None;
        self.p95_millis = None;
        let is_asked = cause == RollBackCause::Asked;
        self.models[current].role = (!is_asked).then_some(Role::Refused);
        self.models[current].note = (!is_asked).then(|| note_of(cause));
        self.models[previous].role = Some(Role::Current);
        Ok(RolledBack {
            from: self.models[current].entry.name.clone(),
            to: self.models[previous].entry.name.clone(),
            to_sha256: self.models[previous].entry.sha256.clone(),
            cause,
        })
    }

    /// As a snapshot shows it.
    pub fn view(&self, shadow: Option<ShadowView>) -> RegistryView {
        let view = |model: &Model| ModelView {
            sha256: model.entry.sha256.clone(),
            name: model.entry.name.clone(),
            source: model.entry.source.clone(),
            licence: model.entry.licence.clone(),
            role: model.role,
            golden: model.golden.as_ref().map(GoldenRun::view),
            note: model.note.clone(),
        };
        RegistryView {
            models: self.models.iter().map(view).collect(),
            shadow,
            can_roll_back: self.previous().is_some(),
        }
    }
}

/// What is said of a model that was left.
pub fn note_of(cause: RollBackCause) -> String {
    match cause {
        RollBackCause::Golden { failed, of } => format!("it answered {failed} of {of} known frames wrongly"),
        RollBackCause::Undefined { frames } => format!("it gave undefined numbers in {frames} frames"),
        RollBackCause::Latency {
            p95_millis,
            limit_millis,
        } => {
            format!(
                "one frame in twenty took {p95_millis:.0} ms and more for three blocks, {limit_millis:.0} ms are allowed"
            )
        }
        RollBackCause::Backend => "it fell back to the CPU".to_owned(),
        RollBackCause::Asked => "a person asked for it".to_owned(),
    }
}

/// The sentence of a roll back.
pub fn sentence_of(rolled_back: &RolledBack) -> String {
    let RolledBack {
        from,
        to,
        to_sha256,
        cause,
    } = rolled_back;
    let hash: String = to_sha256.chars().take(4).collect();
    let why = match cause {
        RollBackCause::Asked => String::new(),
        cause => format!(": *{from}*: {}", note_of(*cause)),
    };
    format!("Went back to *{to}* ({hash}…){why}. The change is in the record.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> ModelEntry {
        ModelEntry {
            sha256: name.repeat(16),
            name: name.to_owned(),
            source: "npm".to_owned(),
            licence: "Apache-2.0".to_owned(),
        }
    }

    fn trial(may_be_promoted: bool) -> ShadowView {
        ShadowView {
            model_sha256: entry("lite").sha256,
            blocks: 200,
            needed: 200,
            criteria: Vec::new(),
            may_be_promoted,
        }
    }

    fn run(failed: u32) -> GoldenRun {
        GoldenRun {
            frames: 12,
            failed,
            worst_px: 3.0,
            tolerance_px: 0.5,
        }
    }

    /// *full* runs on the GPU, *lite* was just promoted.
    fn promoted() -> Registry {
        let mut registry = Registry::new(entry("full"), true);
        registry.add(entry("lite")).expect("it is new");
        registry.try_out(&entry("lite").sha256).expect("it is there");
        registry.take_block(Some(20.0));
        registry.promote(Some(&trial(true))).expect("its trial allows it");
        registry
    }

    #[test]
    fn a_candidate_is_promoted_when_its_trial_allows_it() {
        let mut registry = Registry::new(entry("full"), false);
        assert_eq!(registry.promote(None).err(), Some(RegistryError::NoCandidate));
        assert_eq!(registry.try_out("x").err(), Some(RegistryError::Unknown));
        registry.add(entry("lite")).expect("it is new");
        assert_eq!(registry.add(entry("lite")).err(), Some(RegistryError::Known));
        assert_eq!(
            registry.try_out(&entry("full").sha256).err(),
            Some(RegistryError::Current)
        );
        registry.try_out(&entry("lite").sha256).expect("it is there");
        for none in [None, Some(&trial(false))] {
            assert_eq!(registry.promote(none).err(), Some(RegistryError::NotReady));
        }
        let of_another = ShadowView {
            model_sha256: "x".to_owned(),
            ..trial(true)
        };
        assert_eq!(
            registry.promote(Some(&of_another)).err(),
            Some(RegistryError::NotReady)
        );
        assert_eq!(
            registry
                .promote(Some(&trial(true)))
                .map(|model| model.name.as_str()),
            Ok("lite")
        );
        assert_eq!(registry.previous().map(|model| model.name.as_str()), Some("full"));
    }

    #[test]
    fn a_promoted_model_that_fails_is_left() {
        let check = |what: &str, fail: &dyn Fn(&mut Registry) -> Option<RolledBack>| {
            let mut registry = promoted();
            let rolled_back = fail(&mut registry).unwrap_or_else(|| panic!("{what}: it stays"));
            assert_eq!(
                (rolled_back.from.as_str(), rolled_back.to.as_str()),
                ("lite", "full"),
                "{what}"
            );
            assert_eq!(registry.current().name, "full", "{what}");
            assert_eq!(
                registry.try_out(&entry("lite").sha256).err(),
                Some(RegistryError::Refused)
            );
            assert!(
                registry.take_undefined(9).is_none(),
                "{what}: there is nothing behind it"
            );
            sentence_of(&rolled_back)
        };
        let sentence = check("golden", &|registry| {
            registry
                .take_golden(&entry("lite").sha256, run(2))
                .expect("it is known")
        });
        assert_eq!(
            sentence,
            "Went back to *full* (full…): *lite*: it answered 2 of 12 known frames wrongly. The change is in the record."
        );
        check("undefined", &|registry| {
            assert!(registry.take_undefined(1).is_none() && registry.take_undefined(1).is_none());
            registry.take_undefined(1)
        });
        check("latency", &|registry| {
            for p95_millis in [41.0, 41.0, 39.0, 41.0, 41.0] {
                assert!(registry.take_block(Some(p95_millis)).is_none());
            }
            registry.take_block(Some(41.0))
        });
        check("backend", &|registry| registry.take_backend(false));
    }

    #[test]
    fn a_person_may_go_back_and_the_model_is_not_refused() {
        let mut registry = promoted();
        assert_eq!(
            registry.roll_back().map(|back| back.cause),
            Ok(RollBackCause::Asked)
        );
        assert!(registry.try_out(&entry("lite").sha256).is_ok());
        assert_eq!(registry.roll_back(), Err(RegistryError::NoPrevious));
    }

    #[test]
    fn after_its_trial_time_nothing_goes_back_by_itself() {
        let mut registry = promoted();
        for _ in 0..PROBATION_BLOCKS {
            assert!(registry.take_block(Some(20.0)).is_none());
        }
        assert!(registry.previous().is_none());
        assert!(registry.take_undefined(100).is_none() && registry.take_backend(false).is_none());
        assert_eq!(registry.take_golden(&entry("lite").sha256, run(1)), Ok(None));
        assert_eq!(registry.current().name, "lite");
    }

    #[test]
    fn a_candidate_that_fails_known_frames_is_refused() {
        let mut registry = Registry::new(entry("full"), false);
        registry.add(entry("lite")).expect("it is new");
        assert_eq!(registry.take_golden(&entry("lite").sha256, run(0)), Ok(None));
        registry.try_out(&entry("lite").sha256).expect("it passed");
        assert_eq!(registry.take_golden(&entry("lite").sha256, run(1)), Ok(None));
        assert!(registry.candidate().is_none());
        assert_eq!(registry.view(None).models[1].role, Some(Role::Refused));
        assert_eq!(registry.take_golden("x", run(0)), Err(RegistryError::Unknown));
    }
}
