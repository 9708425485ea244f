//! EDDM: Baena-García and others, *Early drift detection method*, Fourth International Workshop on Knowledge Discovery
//! from Data Streams (2006); as river 0.23.0 computes it.
//!
//! The distance between errors grows while a model learns; a warning and an alarm are mean + 2 sd of it below alpha and
//! beta of its largest. A warning stays until an error that is none: river clears it nowhere else.

use super::running_mean::RunningMean;
use super::settings::Given;
use super::{Detector, DriftError, Signal, binary, demand};
use serde::{Deserialize, Serialize};

const NAME: &str = "eddm";

/// Settings, by river's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EddmSettings {
    /// No alarm in the first so many values, nor in the first so many errors.
    pub warm_start: u32,
    /// Below this part of the largest is a warning.
    pub alpha: f64,
    /// Below this part of the largest is an alarm.
    pub beta: f64,
}

impl Default for EddmSettings {
    fn default() -> Self {
        Self {
            warm_start: 30,
            alpha: 0.95,
            beta: 0.9,
        }
    }
}

impl EddmSettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let found = Self {
            warm_start: given.count("warm_start", default.warm_start)?,
            alpha: given.number("alpha", default.alpha)?,
            beta: given.number("beta", default.beta)?,
        };
        given.finish()?;
        Ok(found)
    }
}

/// Mean and scatter of the distances between errors, and their largest sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eddm {
    settings: EddmSettings,
    distances: RunningMean,
    squares: f64,
    n: u64,
    last_error: u64,
    n_errors: u64,
    largest: f64,
    signal: Signal,
}

impl Eddm {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// `alpha` or `beta` are no parts, or `alpha` is below `beta`.
    pub fn new(settings: EddmSettings) -> Result<Self, DriftError> {
        let EddmSettings { alpha, beta, .. } = settings;
        demand(
            beta > 0.0 && beta <= 1.0,
            NAME,
            "beta",
            beta,
            "more than 0 and at most 1",
        )?;
        demand(
            alpha >= beta && alpha <= 1.0,
            NAME,
            "alpha",
            alpha,
            "at least beta and at most 1",
        )?;
        Ok(Self {
            settings,
            distances: RunningMean::default(),
            squares: 0.0,
            n: 0,
            last_error: 0,
            n_errors: 0,
            largest: -1.0,
            signal: Signal::default(),
        })
    }

    fn take_error(&mut self) {
        self.n_errors += 1;
        let distance = (self.n - self.last_error) as f64;
        self.last_error = self.n;
        let before = self.distances.mean;
        self.distances.update(distance);
        self.squares += (distance - before) * (distance - self.distances.mean);
        let warm_start = u64::from(self.settings.warm_start);
        if self.n <= warm_start {
            return;
        }
        let n = self.distances.n;
        let variance = if n > 1.0 { self.squares / (n - 1.0) } else { 0.0 };
        let reach = self.distances.mean + 2.0 * variance.sqrt();
        if reach > self.largest {
            self.largest = reach;
        } else if self.n_errors > warm_start {
            let level = reach / self.largest;
            if level < self.settings.beta {
                self.signal.drift = true;
            } else {
                self.signal.warning = level < self.settings.alpha;
            }
        }
    }
}

impl Detector for Eddm {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let is_error = binary(NAME, x)?;
        if self.signal.drift {
            self.reset();
        }
        self.n += 1;
        if is_error {
            self.take_error();
        }
        Ok(self.signal)
    }

    fn reset(&mut self) {
        self.distances = RunningMean::default();
        self.squares = 0.0;
        (self.n, self.last_error, self.n_errors) = (0, 0, 0);
        self.largest = -1.0;
        self.signal = Signal::default();
    }
}
