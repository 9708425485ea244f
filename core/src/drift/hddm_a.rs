//! HDDM with averages: Frías-Blanco and others, *Online and non-parametric drift detection methods based on Hoeffding's
//! bounds*, IEEE TKDE 27 (2015); as river 0.23.0 computes it.
//!
//! The mean up to the place where it was surely lowest is compared with the mean of everything: by Hoeffding's bound the
//! difference is at most sqrt(m/2 · ln(2/confidence)), m = (n - n_min)/(n_min · n). The two-sided test looks for falls as well.

use super::running_mean::RunningMean;
use super::settings::Given;
use super::{Detector, DriftError, Signal, binary, demand_share};
use serde::{Deserialize, Serialize};

const NAME: &str = "hddm-a";

/// Settings, by river's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HddmASettings {
    /// The chance of an alarm where nothing changed.
    pub drift_confidence: f64,
    /// The chance of a warning where nothing changed.
    pub warning_confidence: f64,
    /// Whether falls of the mean are looked for as well.
    pub two_sided_test: bool,
}

impl Default for HddmASettings {
    fn default() -> Self {
        Self {
            drift_confidence: 0.001,
            warning_confidence: 0.005,
            two_sided_test: false,
        }
    }
}

impl HddmASettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let found = Self {
            drift_confidence: given.number("drift_confidence", default.drift_confidence)?,
            warning_confidence: given.number("warning_confidence", default.warning_confidence)?,
            two_sided_test: given.flag("two_sided_test", default.two_sided_test)?,
        };
        given.finish()?;
        Ok(found)
    }
}

/// The mean of everything, and up to where it was lowest and highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HddmA {
    settings: HddmASettings,
    all: RunningMean,
    lowest: RunningMean,
    highest: RunningMean,
    signal: Signal,
}

impl HddmA {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// A confidence is not between 0 and 1.
    pub fn new(settings: HddmASettings) -> Result<Self, DriftError> {
        demand_share(NAME, "drift_confidence", settings.drift_confidence)?;
        demand_share(NAME, "warning_confidence", settings.warning_confidence)?;
        Ok(Self {
            settings,
            all: RunningMean::default(),
            lowest: RunningMean::default(),
            highest: RunningMean::default(),
            signal: Signal::default(),
        })
    }

    fn bound(&self, n: f64) -> f64 {
        (1.0 / (2.0 * n) * (1.0 / self.settings.drift_confidence).ln()).sqrt()
    }

    /// Whether `above - below` is more than chance allows between everything and a part of it of `n` values.
    fn is_apart(&self, n: f64, above: f64, below: f64, confidence: f64) -> bool {
        if n == self.all.n {
            return false;
        }
        let m = (self.all.n - n) / n * (1.0 / self.all.n);
        above - below >= (m / 2.0 * (2.0 / confidence).ln()).sqrt()
    }

    fn has_risen(&self, confidence: f64) -> bool {
        self.is_apart(self.lowest.n, self.all.mean, self.lowest.mean, confidence)
    }

    fn has_fallen(&self, confidence: f64) -> bool {
        self.is_apart(self.highest.n, self.highest.mean, self.all.mean, confidence)
    }
}

impl Detector for HddmA {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let is_error = binary(NAME, x)?;
        if self.signal.drift {
            self.reset();
        }
        self.all.update(f64::from(u8::from(is_error)));
        for part in [&mut self.lowest, &mut self.highest] {
            if part.n == 0.0 {
                *part = self.all;
            }
        }
        let bound = self.bound(self.all.n);
        if self.lowest.mean + self.bound(self.lowest.n) >= self.all.mean + bound {
            self.lowest = self.all;
        }
        if self.highest.mean - self.bound(self.highest.n) <= self.all.mean - bound {
            self.highest = self.all;
        }
        let HddmASettings {
            drift_confidence,
            warning_confidence,
            two_sided_test,
        } = self.settings;
        self.signal.drift = self.has_risen(drift_confidence);
        self.signal.warning = !self.signal.drift && self.has_risen(warning_confidence);
        if two_sided_test {
            if self.has_fallen(drift_confidence) {
                self.signal.drift = true;
            } else if self.has_fallen(warning_confidence) {
                self.signal.warning = true;
            }
        }
        Ok(self.signal)
    }

    fn reset(&mut self) {
        self.all = RunningMean::default();
        self.lowest = RunningMean::default();
        self.highest = RunningMean::default();
        self.signal = Signal::default();
    }
}
