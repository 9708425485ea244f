//! HDDM with weights: Frías-Blanco and others, *Online and non-parametric drift detection methods based on Hoeffding's
//! bounds*, IEEE TKDE 27 (2015); as river 0.23.0 computes it.
//!
//! Exponentially weighted means before and after a cut are compared by McDiarmid's bound, sqrt(Σ w² · ln(1/confidence)/2).
//! The quirk of river 0.23.0: its weighted mean takes the next value whole whenever it is exactly 0, so a stream that
//! begins with zeros jumps to 1 at the first error. Later versions have mended it; without it other indices come out.

use super::settings::Given;
use super::{Detector, DriftError, Signal, binary, demand, demand_share};
use serde::{Deserialize, Serialize};

const NAME: &str = "hddm-w";

/// Settings, by river's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HddmWSettings {
    /// The chance of an alarm where nothing changed.
    pub drift_confidence: f64,
    /// The chance of a warning where nothing changed.
    pub warning_confidence: f64,
    /// The weight of the newest value.
    pub lambda_val: f64,
    /// Whether falls of the mean are looked for as well.
    pub two_sided_test: bool,
}

impl Default for HddmWSettings {
    fn default() -> Self {
        Self {
            drift_confidence: 0.001,
            warning_confidence: 0.005,
            lambda_val: 0.05,
            two_sided_test: false,
        }
    }
}

impl HddmWSettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let found = Self {
            drift_confidence: given.number("drift_confidence", default.drift_confidence)?,
            warning_confidence: given.number("warning_confidence", default.warning_confidence)?,
            lambda_val: given.number("lambda_val", default.lambda_val)?,
            two_sided_test: given.flag("two_sided_test", default.two_sided_test)?,
        };
        given.finish()?;
        Ok(found)
    }
}

/// A weighted mean, and the sum of its squared weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Weighted {
    mean: f64,
    squared_weights: f64,
    is_begun: bool,
}

impl Weighted {
    const EMPTY: Self = Self {
        mean: 0.0,
        squared_weights: 1.0,
        is_begun: false,
    };

    fn update(&mut self, x: f64, lambda: f64) {
        self.mean = if self.mean == 0.0 {
            x
        } else {
            lambda * x + (1.0 - lambda) * self.mean
        };
        let kept = 1.0 - lambda;
        self.squared_weights = lambda * lambda + kept * kept * self.squared_weights;
        self.is_begun = true;
    }
}

/// What came before and after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Cut {
    before: Weighted,
    after: Weighted,
    /// How far the mean was from the cut's side, with its bound; none before the first value.
    bound: Option<f64>,
}

impl Cut {
    const NONE: Self = Self {
        before: Weighted::EMPTY,
        after: Weighted::EMPTY,
        bound: None,
    };

    /// Begins anew after everything so far. The value that moved the cut is on its old side.
    fn moves(&mut self, all: Weighted, bound: f64) {
        *self = Self {
            before: all,
            after: Weighted::EMPTY,
            bound: Some(bound),
        };
    }
}

/// The weighted mean of everything, and the cuts where it was surely lowest and highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HddmW {
    settings: HddmWSettings,
    all: Weighted,
    lowest: Cut,
    highest: Cut,
    signal: Signal,
}

impl HddmW {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// A confidence is not between 0 and 1, or the weight not in 0 to 1.
    pub fn new(settings: HddmWSettings) -> Result<Self, DriftError> {
        demand_share(NAME, "drift_confidence", settings.drift_confidence)?;
        demand_share(NAME, "warning_confidence", settings.warning_confidence)?;
        let lambda = settings.lambda_val;
        demand(
            lambda > 0.0 && lambda <= 1.0,
            NAME,
            "lambda_val",
            lambda,
            "more than 0 and at most 1",
        )?;
        Ok(Self {
            settings,
            all: Weighted::EMPTY,
            lowest: Cut::NONE,
            highest: Cut::NONE,
            signal: Signal::default(),
        })
    }
}

fn bound(squared_weights: f64, confidence: f64) -> f64 {
    (squared_weights * (1.0 / confidence).ln() / 2.0).sqrt()
}

/// Whether the second mean lies above the first by more than chance allows.
fn has_risen(from: &Weighted, to: &Weighted, confidence: f64) -> bool {
    let is_known = from.is_begun && to.is_begun;
    is_known && to.mean - from.mean > bound(from.squared_weights + to.squared_weights, confidence)
}

impl Detector for HddmW {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let x = f64::from(u8::from(binary(NAME, x)?));
        if self.signal.drift {
            self.reset();
        }
        let HddmWSettings {
            drift_confidence,
            warning_confidence,
            lambda_val,
            two_sided_test,
        } = self.settings;
        self.all.update(x, lambda_val);
        let reach = bound(self.all.squared_weights, drift_confidence);
        let above = self.all.mean + reach;
        if self.lowest.bound.is_none_or(|least| above < least) {
            self.lowest.moves(self.all, above);
        } else {
            self.lowest.after.update(x, lambda_val);
        }
        let below = self.all.mean - reach;
        if self.highest.bound.is_none_or(|most| below > most) {
            self.highest.moves(self.all, below);
        } else {
            self.highest.after.update(x, lambda_val);
        }
        let Cut { before, after, .. } = &self.lowest;
        self.signal.drift = has_risen(before, after, drift_confidence);
        self.signal.warning = !self.signal.drift && has_risen(before, after, warning_confidence);
        if two_sided_test {
            let Cut { before, after, .. } = &self.highest;
            if has_risen(after, before, drift_confidence) {
                self.signal.drift = true;
            } else if has_risen(after, before, warning_confidence) {
                self.signal.warning = true;
            }
        }
        Ok(self.signal)
    }

    fn reset(&mut self) {
        self.all = Weighted::EMPTY;
        (self.lowest, self.highest) = (Cut::NONE, Cut::NONE);
        self.signal = Signal::default();
    }
}
