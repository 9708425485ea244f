//! Commands on models: the registry, known frames, trials, promotion, going back.

use crate::monitor::audit::AuditKind;
use crate::monitor::change_plan::ChangePlan;
use crate::monitor::features::Feature;
use crate::monitor::golden::GoldenRun;
use crate::monitor::registry::{ModelEntry, RegistryError, sentence_of};
use crate::monitor::session::{Monitor, News};
use crate::monitor::shadow::{Shadow, ShadowBlock};
use crate::monitor::snapshot::RolledBack;
use crate::monitor::states::GoldenSignal;

/// What a candidate gave beside the current model in a block, on the frames that both saw.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CandidateBlock {
    /// Agreement with the mirrored picture, mean.
    pub flip_oks: Option<f64>,
    /// Estimated share of right joints, mean.
    pub certainty: Option<f64>,
    /// 95th percentile of the time of its frames, milliseconds.
    pub p95_millis: Option<f64>,
    /// That of the current model on the same backend and frames.
    pub current_p95_millis: Option<f64>,
}

impl Monitor {
    /// The model that should run.
    pub fn current_model(&self) -> &ModelEntry {
        self.registry.current()
    }

    /// Adds a model that a person might try. The plan is asked when it is tried.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn add_model(&mut self, entry: ModelEntry, at_unix_secs: u64) -> Result<(), RegistryError> {
        let what = format!(
            "'{}' was added ({}, {}, {})",
            entry.name, entry.sha256, entry.source, entry.licence
        );
        self.registry.add(entry)?;
        self.note(at_unix_secs, AuditKind::Model, &what);
        Ok(())
    }

    /// The plan of what may change.
    ///
    /// # Errors
    /// A sentence of what is wrong with it.
    pub fn use_change_plan(&mut self, text: &str) -> Result<(), String> {
        self.plan = Some(ChangePlan::read(text)?);
        Ok(())
    }

    /// Runs a model in the shadow of the current one from here on.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn try_out(&mut self, sha256: &str, at_unix_secs: u64) -> Result<(), RegistryError> {
        self.registry.try_out(sha256)?;
        let mut shadow = Shadow::new(sha256);
        let name = self.registry.name_of(sha256).to_owned();
        if let Some(plan) = &self.plan {
            shadow.take_plan(plan.covers(&name, sha256));
        }
        if let Some(run) = self.registry.golden_of(sha256) {
            shadow.take_golden(run.passes());
        }
        self.shadow = Some(shadow);
        let what = format!("'{name}' is tried in the shadow ({sha256})");
        self.note(at_unix_secs, AuditKind::Model, &what);
        Ok(())
    }

    /// What the candidate gave since the last call. The current model's side of it comes from the block that ended last,
    /// so this is called after each block.
    pub fn take_candidate(&mut self, candidate: CandidateBlock) {
        let Some(block) = &self.last_block else { return };
        let difference = |candidate: Option<f64>, current: Option<f64>| Some(candidate? - current?);
        let taken = ShadowBlock {
            oks: block.mean(Feature::ShadowOks),
            flip_difference: difference(candidate.flip_oks, block.mean(Feature::FlipOks)),
            certainty_difference: difference(candidate.certainty, block.certainty.mean()),
            candidate_p95_millis: candidate.p95_millis,
            current_p95_millis: candidate.current_p95_millis,
        };
        if let Some(shadow) = &mut self.shadow {
            shadow.take_block(taken);
        }
    }

    /// Calibration error of the candidate on drawn pictures less that of the current model.
    pub fn take_candidate_ece(&mut self, difference: f64) {
        if let Some(shadow) = &mut self.shadow {
            shadow.take_ece(difference);
        }
    }

    /// What a model answered to frames whose answer is known. The current model is left, if there is one before it; if not,
    /// the state says so until another model runs.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`].
    pub fn take_golden(
        &mut self,
        sha256: &str,
        run: GoldenRun,
        at_unix_secs: u64,
    ) -> Result<News, RegistryError> {
        let mut news = News::default();
        let is_current = self.registry.current().sha256 == sha256;
        let rolled_back = self.registry.take_golden(sha256, run)?;
        let name = self.registry.name_of(sha256).to_owned();
        let what = format!(
            "'{name}' answered {} of {} known frames wrongly",
            run.failed, run.frames
        );
        self.note(at_unix_secs, AuditKind::Model, &what);
        if let Some(shadow) = self
            .shadow
            .as_mut()
            .filter(|shadow| shadow.model_sha256() == sha256)
        {
            shadow.take_golden(run.passes());
        }
        let has_left = rolled_back.is_some();
        self.take_roll_back(rolled_back, &mut news);
        if self.registry.candidate().is_none() {
            self.shadow = None;
        }
        if is_current && !has_left {
            let failed = (!run.passes()).then(|| GoldenSignal {
                model_sha256: sha256.to_owned(),
                failed: run.failed,
                of: run.frames,
            });
            if self.golden.is_some() && failed.is_none() {
                self.begin_states();
            }
            self.golden = failed;
        }
        Ok(news)
    }

    /// Runs the candidate from here on; the one before stays at hand for a while.
    ///
    /// # Errors
    /// [`RegistryError::NoCandidate`], [`RegistryError::NotReady`].
    pub fn promote(&mut self, at_unix_secs: u64) -> Result<ModelEntry, RegistryError> {
        let trial = self.shadow.as_ref().map(Shadow::view);
        let model = self.registry.promote(trial.as_ref())?.clone();
        let what = format!("'{}' was promoted ({})", model.name, model.sha256);
        self.note(at_unix_secs, AuditKind::Promotion, &what);
        self.shadow = None;
        self.rolled_back = None;
        self.model_changed();
        Ok(model)
    }

    /// Goes back to the model before because a person asks for it.
    ///
    /// # Errors
    /// [`RegistryError::NoPrevious`].
    pub fn roll_back(&mut self) -> Result<RolledBack, RegistryError> {
        let rolled_back = self.registry.roll_back()?;
        self.take_roll_back(Some(rolled_back.clone()), &mut News::default());
        Ok(rolled_back)
    }

    /// Models run on another backend from here on.
    pub fn set_backend(&mut self, is_on_gpu: bool) -> News {
        let mut news = News::default();
        if is_on_gpu != self.settings.is_on_gpu {
            self.settings.is_on_gpu = is_on_gpu;
            self.online.interrupt();
            let what = format!("models run on the {} from here on", self.backend());
            self.note(self.unix_secs(self.now_secs), AuditKind::Model, &what);
            let rolled_back = self.registry.take_backend(is_on_gpu);
            self.take_roll_back(rolled_back, &mut news);
        }
        news
    }

    pub(super) fn take_roll_back(&mut self, rolled_back: Option<RolledBack>, news: &mut News) {
        let Some(rolled_back) = rolled_back else { return };
        self.note(
            self.unix_secs(self.now_secs),
            AuditKind::RollBack,
            &sentence_of(&rolled_back),
        );
        self.shadow = None;
        self.rolled_back = Some(rolled_back.clone());
        news.rolled_back = Some(rolled_back);
        self.model_changed();
    }

    /// What was seen so far was seen by another model.
    fn model_changed(&mut self) {
        self.golden = None;
        self.labels = None;
        self.online.forget_session();
        self.begin_states();
    }
}
