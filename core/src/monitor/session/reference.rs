//! Commands on the reference: this session as one, more sessions, answers, freezing, files.

use crate::monitor::audit::AuditKind;
use crate::monitor::blocks::BlockLength;
use crate::monitor::charts::Charts;
use crate::monitor::features::FEATURE_COUNT;
use crate::monitor::online::CertaintyMap;
use crate::monitor::profile::{
    BlockRule, CalibrationProfile, ChartSettings, Labels, Made, Profile, ProfileError, TriggerSettings,
};
use crate::monitor::session::Monitor;
use crate::monitor::states::StateMachine;
use crate::monitor::thresholds::ThresholdSearch;

impl Monitor {
    /// The reference that is compared with.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Makes a draft of what this session has seen so far, and compares with it from here on. A reference of before becomes
    /// the version before it.
    ///
    /// # Errors
    /// [`ProfileError::Unlike`] where no block has ended yet.
    pub fn use_as_reference(&mut self, label: &str, at_unix_secs: u64) -> Result<(), ProfileError> {
        let mut profile = Profile::draft(self.made(at_unix_secs), self.online.block_length());
        profile.add_session(label, self.settings.began_unix_secs, self.online.learning())?;
        if let Some(before) = &self.profile {
            profile.replace(before)?;
            let settings = (
                before.charts.clone(),
                before.trigger.clone(),
                before.calibration.clone(),
            );
            profile.change(|profile| (profile.charts, profile.trigger, profile.calibration) = settings)?;
        }
        let what = format!("this session became a draft of {} blocks", profile.blocks());
        self.note(at_unix_secs, AuditKind::Profile, &what);
        self.compare_with(profile);
        Ok(())
    }

    /// Adds what was seen since to the draft, as a session of its own.
    ///
    /// # Errors
    /// [`ProfileError::Frozen`], [`ProfileError::Unlike`]; a sentence where there is no draft.
    pub fn add_to_draft(&mut self, label: &str, at_unix_secs: u64) -> Result<(), ProfileError> {
        let Some(mut profile) = self.profile.clone() else {
            return self.use_as_reference(label, at_unix_secs);
        };
        profile.add_session(label, at_unix_secs, self.online.learning())?;
        let what = format!(
            "a session was added to the draft, which has {} blocks now",
            profile.blocks()
        );
        self.note(at_unix_secs, AuditKind::Profile, &what);
        self.compare_with(profile);
        Ok(())
    }

    /// Answers a question of the datasheet.
    ///
    /// # Errors
    /// A sentence: no reference, a frozen one, no such question.
    pub fn answer(&mut self, key: &str, answer: &str) -> Result<(), String> {
        let profile = self.profile.as_mut().ok_or(NO_REFERENCE)?;
        let mut sheet = profile.datasheet.clone();
        sheet.answer(key, answer)?;
        profile
            .change(|profile| profile.datasheet = sheet)
            .map_err(|error| error.to_string())
    }

    /// Changes how charts are set and when a change asks for an act. Thresholds are sought anew.
    ///
    /// # Errors
    /// A sentence: no reference, a frozen one, settings out of range.
    pub fn set_rules(
        &mut self,
        charts: ChartSettings,
        trigger: TriggerSettings,
        at_unix_secs: u64,
    ) -> Result<(), String> {
        let mut profile = self.profile.clone().ok_or(NO_REFERENCE)?;
        let change = profile.change(|profile| {
            profile.charts = charts;
            profile.trigger = trigger;
            profile
                .features
                .values_mut()
                .for_each(|feature| feature.chart = None);
            profile.accuracy_charts.clear();
        });
        change.map_err(|error| error.to_string())?;
        // The reader knows what settings may be.
        let profile = Profile::read(&profile.text()).map_err(|error| error.to_string())?;
        self.note(
            at_unix_secs,
            AuditKind::Settings,
            "settings of charts and trigger were changed",
        );
        self.compare_with(profile);
        Ok(())
    }

    /// How certainty is to be read, made on pictures with truth. It belongs to the reference while that is a draft.
    pub fn calibrate(&mut self, calibration: CalibrationProfile, at_unix_secs: u64) {
        self.online.use_certainty_map(CertaintyMap {
            joint: calibration.joint.clone(),
            flip: calibration.flip.clone(),
        });
        self.note(
            at_unix_secs,
            AuditKind::Profile,
            "the model's certainty was calibrated on pictures with truth",
        );
        if let Some(profile) = &mut self.profile {
            // A frozen reference keeps its own; the session is read by the newer one.
            let _ = profile.change(|profile| profile.calibration = Some(calibration));
        }
    }

    /// Freezes the draft.
    ///
    /// # Errors
    /// A sentence with everything that is missing.
    pub fn freeze(&mut self, at_unix_secs: u64) -> Result<(), String> {
        let profile = self.profile.as_mut().ok_or(NO_REFERENCE)?;
        profile.freeze(at_unix_secs).map_err(|error| error.to_string())?;
        let what = format!(
            "reference version {} was frozen ({})",
            profile.version, profile.id
        );
        self.note(at_unix_secs, AuditKind::Freeze, &what);
        Ok(())
    }

    /// Compares with a profile of a file from here on.
    ///
    /// # Errors
    /// [`ProfileError`]; the reference of before stays then.
    pub fn import_profile(&mut self, text: &str, at_unix_secs: u64) -> Result<(), ProfileError> {
        let profile = Profile::read(text)?;
        if BlockLength::from(profile.block) != self.online.block_length() {
            let length = match profile.block {
                BlockRule::Secs(secs) => format!("{secs} seconds"),
                BlockRule::Frames(frames) => format!("{frames} frames"),
            };
            return Err(ProfileError::Unlike(format!(
                "the reference has blocks of {length}; begin a session with such blocks"
            )));
        }
        let what = format!(
            "reference version {} was imported ({})",
            profile.version, profile.id
        );
        self.note(at_unix_secs, AuditKind::Profile, &what);
        self.compare_with(profile);
        Ok(())
    }

    /// The reference as a file.
    ///
    /// # Errors
    /// A sentence, where there is none.
    pub fn export_profile(&mut self, at_unix_secs: u64) -> Result<String, String> {
        let profile = self.profile.as_ref().ok_or(NO_REFERENCE)?;
        let (text, what) = (
            profile.text(),
            format!("the reference was exported ({})", profile.id),
        );
        self.note(at_unix_secs, AuditKind::Export, &what);
        Ok(text)
    }

    /// Compares with nothing from here on.
    pub fn drop_reference(&mut self, at_unix_secs: u64) {
        if let Some(profile) = self.profile.take() {
            let what = format!("the reference is not compared with any more ({})", profile.id);
            self.note(at_unix_secs, AuditKind::Profile, &what);
            self.charts = None;
            self.search = None;
            self.begin_states();
        }
    }

    /// Work that takes longer than a frame: a step of it, some milliseconds. True while there is more. Charts begin when
    /// their thresholds are found.
    pub fn work(&mut self) -> bool {
        let Some(search) = &mut self.search else {
            return false;
        };
        if search.step() {
            return true;
        }
        if let (Some(search), Some(profile)) = (self.search.take(), &mut self.profile) {
            // Searches are for drafts only.
            if search.finish(profile).is_ok() {
                self.charts = Some(Charts::of(profile));
            }
        }
        false
    }

    /// How far that work is, 0 to 1; none where there is none.
    pub fn work_progress(&self) -> Option<f64> {
        self.search.as_ref().map(ThresholdSearch::progress)
    }

    fn compare_with(&mut self, profile: Profile) {
        if let Some(calibration) = &profile.calibration {
            self.online.use_certainty_map(CertaintyMap {
                joint: calibration.joint.clone(),
                flip: calibration.flip.clone(),
            });
        }
        if let Some(cells) = profile.cells() {
            self.online.use_reference_cells(cells);
        }
        self.online.forget_session();
        let is_set = profile.are_charts_set();
        self.charts = is_set.then(|| Charts::of(&profile));
        let needs_search = profile.has_charts() && !is_set && !profile.is_frozen();
        self.search = needs_search.then(|| ThresholdSearch::new(&profile, self.settings.seed));
        self.profile = Some(profile);
        self.begin_states();
    }

    /// Charts and states begin anew; alarms that were open end. What the model itself has done wrong stays.
    pub(super) fn begin_states(&mut self) {
        self.machine = StateMachine::new(self.rule());
        self.means_over = [0; FEATURE_COUNT];
        self.state_since_secs = self.now_secs;
        self.machine.act(self.blocks);
        for alarm in self.alarms.iter_mut().filter(|alarm| alarm.ended_block.is_none()) {
            alarm.ended_block = Some(self.blocks);
        }
    }

    fn made(&self, at_unix_secs: u64) -> Made {
        let model = self.registry.current();
        Made {
            model: model.name.clone(),
            model_sha256: model.sha256.clone(),
            detector_sha256: self.settings.detector_sha256.clone(),
            preprocessing: self.settings.preprocessing.clone(),
            backend: self.backend().to_owned(),
            app_version: self.settings.app_version.clone(),
            at_unix_secs,
            labels: Labels::None,
            more: serde_json::Map::new(),
        }
    }

    pub(super) fn backend(&self) -> &'static str {
        if self.settings.is_on_gpu { "gpu" } else { "cpu" }
    }
}

const NO_REFERENCE: &str = "there is no reference yet; use this session as one, or import a file";
