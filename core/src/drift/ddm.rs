//! DDM: Gama, Medas, Castillo and Rodrigues, *Learning with drift detection*, SBIA 2004; as river 0.23.0 computes it.
//!
//! The share p of errors and its deviation s = sqrt(p(1 - p)/n) fall while a model learns; a warning and an alarm are
//! p + s above their lowest by two and three of the deviations there. Strictly above, although river's help says "at least".

use super::running_mean::RunningMean;
use super::settings::Given;
use super::{Detector, DriftError, Signal, binary, demand};
use serde::{Deserialize, Serialize};

const NAME: &str = "ddm";

/// Settings, by river's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DdmSettings {
    /// No alarm in the first so many values.
    pub warm_start: u32,
    /// Deviations above the lowest for a warning.
    pub warning_threshold: f64,
    /// Deviations above the lowest for an alarm.
    pub drift_threshold: f64,
}

impl Default for DdmSettings {
    fn default() -> Self {
        Self {
            warm_start: 30,
            warning_threshold: 2.0,
            drift_threshold: 3.0,
        }
    }
}

impl DdmSettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let found = Self {
            warm_start: given.count("warm_start", default.warm_start)?,
            warning_threshold: given.number("warning_threshold", default.warning_threshold)?,
            drift_threshold: given.number("drift_threshold", default.drift_threshold)?,
        };
        given.finish()?;
        Ok(found)
    }
}

/// The share of errors and where it was lowest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ddm {
    settings: DdmSettings,
    share: RunningMean,
    /// Share and deviation where their sum was lowest.
    lowest: Option<(f64, f64)>,
    signal: Signal,
}

impl Ddm {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// A threshold is not a number from 0 on.
    pub fn new(settings: DdmSettings) -> Result<Self, DriftError> {
        let thresholds = [
            ("warning_threshold", settings.warning_threshold),
            ("drift_threshold", settings.drift_threshold),
        ];
        for (name, value) in thresholds {
            demand(value.is_finite() && value >= 0.0, NAME, name, value, "0 or more")?;
        }
        Ok(Self {
            settings,
            share: RunningMean::default(),
            lowest: None,
            signal: Signal::default(),
        })
    }
}

impl Detector for Ddm {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let is_error = binary(NAME, x)?;
        if self.signal.drift {
            self.reset();
        }
        self.share.update(f64::from(u8::from(is_error)));
        let (p, n) = (self.share.mean, self.share.n);
        let s = (p * (1.0 - p) / n).sqrt();
        if n > f64::from(self.settings.warm_start) {
            let (lowest_p, lowest_s) = match self.lowest {
                Some((p_min, s_min)) if p + s > p_min + s_min => (p_min, s_min),
                _ => (p, s),
            };
            self.lowest = Some((lowest_p, lowest_s));
            self.signal.drift = p + s > lowest_p + self.settings.drift_threshold * lowest_s;
            let is_warning = p + s > lowest_p + self.settings.warning_threshold * lowest_s;
            self.signal.warning = is_warning && !self.signal.drift;
        }
        Ok(self.signal)
    }

    fn reset(&mut self) {
        self.share = RunningMean::default();
        self.lowest = None;
        self.signal = Signal::default();
    }
}
