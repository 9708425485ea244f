//! The Page-Hinkley test: Page, *Continuous inspection schemes*, Biometrika 41 (1954); as river 0.23.0 computes it.
//!
//! The sum of distances from the running mean, less what is allowed, fades; an alarm is a rise of it by more than a
//! threshold above its lowest value, or a fall below its highest. (River's highest value starts at -1; the first value
//! lifts it to delta, so nothing hangs on that.)

use super::running_mean::RunningMean;
use super::settings::Given;
use super::{Detector, DriftError, Signal, demand, finite};
use serde::{Deserialize, Serialize};

const NAME: &str = "page-hinkley";

/// Which changes of the mean are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageHinkleyMode {
    /// Rises.
    Up,
    /// Falls.
    Down,
    /// Both.
    Both,
}

/// Settings, by river's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PageHinkleySettings {
    /// No alarm before so many values.
    pub min_instances: u32,
    /// A distance from the mean that is allowed, in units of the values.
    pub delta: f64,
    /// How far the sum must move, in units of the values.
    pub threshold: f64,
    /// The share of the sum that is kept at each value.
    pub alpha: f64,
    /// Which changes are looked for.
    pub mode: PageHinkleyMode,
}

impl Default for PageHinkleySettings {
    fn default() -> Self {
        Self {
            min_instances: 30,
            delta: 0.005,
            threshold: 50.0,
            alpha: 1.0 - 0.0001,
            mode: PageHinkleyMode::Both,
        }
    }
}

impl PageHinkleySettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let modes = [
            ("up", PageHinkleyMode::Up),
            ("down", PageHinkleyMode::Down),
            ("both", PageHinkleyMode::Both),
        ];
        let found = Self {
            min_instances: given.count("min_instances", default.min_instances)?,
            delta: given.number("delta", default.delta)?,
            threshold: given.number("threshold", default.threshold)?,
            alpha: given.number("alpha", default.alpha)?,
            mode: given.word("mode", default.mode, &modes, "up, down or both")?,
        };
        given.finish()?;
        Ok(found)
    }
}

/// Both fading sums and how far they have been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageHinkley {
    settings: PageHinkleySettings,
    mean: RunningMean,
    rise: f64,
    fall: f64,
    /// None before the first value.
    least_rise: Option<f64>,
    most_fall: f64,
    is_over: bool,
}

impl PageHinkley {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// A setting is out of its range.
    pub fn new(settings: PageHinkleySettings) -> Result<Self, DriftError> {
        let PageHinkleySettings {
            delta,
            threshold,
            alpha,
            ..
        } = settings;
        demand(
            delta.is_finite() && delta >= 0.0,
            NAME,
            "delta",
            delta,
            "0 or more",
        )?;
        demand(
            threshold.is_finite() && threshold > 0.0,
            NAME,
            "threshold",
            threshold,
            "more than 0",
        )?;
        demand(
            alpha > 0.0 && alpha <= 1.0,
            NAME,
            "alpha",
            alpha,
            "more than 0 and at most 1",
        )?;
        Ok(Self {
            settings,
            mean: RunningMean::default(),
            rise: 0.0,
            fall: 0.0,
            least_rise: None,
            most_fall: -1.0,
            is_over: false,
        })
    }
}

impl Detector for PageHinkley {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let x = finite(x)?;
        if self.is_over {
            self.reset();
        }
        let PageHinkleySettings {
            min_instances,
            delta,
            threshold,
            alpha,
            mode,
        } = self.settings;
        self.mean.update(x);
        let apart = x - self.mean.mean;
        self.rise = alpha * self.rise + apart - delta;
        self.fall = alpha * self.fall + apart + delta;
        let least = self.least_rise.map_or(self.rise, |least| least.min(self.rise));
        self.least_rise = Some(least);
        self.most_fall = self.most_fall.max(self.fall);
        if self.mean.n >= f64::from(min_instances) {
            let has_risen = self.rise - least > threshold;
            let has_fallen = self.most_fall - self.fall > threshold;
            self.is_over = match mode {
                PageHinkleyMode::Up => has_risen,
                PageHinkleyMode::Down => has_fallen,
                PageHinkleyMode::Both => has_risen || has_fallen,
            };
        }
        Ok(Signal {
            drift: self.is_over,
            warning: false,
        })
    }

    fn reset(&mut self) {
        self.mean = RunningMean::default();
        (self.rise, self.fall) = (0.0, 0.0);
        (self.least_rise, self.most_fall) = (None, -1.0);
        self.is_over = false;
    }
}
