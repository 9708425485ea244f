//! The two-sided CUSUM chart: Page, *Continuous inspection schemes*, Biometrika 41 (1954).
//!
//! `z = (x - mean)/sd`, cut to ±`cut`; `up = max(0, up + z - k)`, `down = max(0, down - z - k)`; an alarm is one of them above
//! `h`. The cut keeps one odd value from being an alarm: with 6 and thresholds above, a shift of any size needs two or more.
//! As a detector it begins anew after an alarm; as a chart it saturates at 2 h, and comes back when the cause is gone.

use super::settings::Given;
use super::{Detector, DriftError, Signal, demand, finite};
use serde::{Deserialize, Serialize};

const NAME: &str = "cusum";

/// What a chart does above its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterAlarm {
    /// Begins anew at the next value, as the detectors do.
    Restart,
    /// Rises to twice the threshold at most, and falls again.
    Saturate,
}

/// Settings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CusumSettings {
    /// What the values should be.
    pub mean: f64,
    /// How they scatter.
    pub sd: f64,
    /// The allowance in sd: half of the shift that matters.
    pub k: f64,
    /// The threshold in sd.
    pub h: f64,
    /// The largest distance in sd that a single value counts.
    pub cut: f64,
    /// What it does above its threshold.
    pub after_alarm: AfterAlarm,
}

impl Default for CusumSettings {
    fn default() -> Self {
        Self {
            mean: 0.0,
            sd: 1.0,
            k: 0.5,
            h: 5.0,
            cut: 6.0,
            after_alarm: AfterAlarm::Restart,
        }
    }
}

impl CusumSettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let ways = [
            ("restart", AfterAlarm::Restart),
            ("saturate", AfterAlarm::Saturate),
        ];
        let found = Self {
            mean: given.number("mean", default.mean)?,
            sd: given.number("sd", default.sd)?,
            k: given.number("k", default.k)?,
            h: given.number("h", default.h)?,
            cut: given.number("cut", default.cut)?,
            after_alarm: given.word("after_alarm", default.after_alarm, &ways, "restart or saturate")?,
        };
        given.finish()?;
        Ok(found)
    }
}

/// To which side a chart leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Values are higher than they should be.
    Up,
    /// Values are lower.
    Down,
}

/// Both sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    settings: CusumSettings,
    up: f64,
    down: f64,
    is_over: bool,
}

impl Cusum {
    /// A chart at zero.
    ///
    /// # Errors
    /// A setting is out of its range.
    pub fn new(settings: CusumSettings) -> Result<Self, DriftError> {
        let CusumSettings {
            mean, sd, k, h, cut, ..
        } = settings;
        demand(mean.is_finite(), NAME, "mean", mean, "a finite number")?;
        demand(sd.is_finite() && sd > 0.0, NAME, "sd", sd, "more than 0")?;
        demand(k.is_finite() && k >= 0.0, NAME, "k", k, "0 or more")?;
        demand(h.is_finite() && h > 0.0, NAME, "h", h, "more than 0")?;
        demand(
            cut > k && cut.is_finite(),
            NAME,
            "cut",
            cut,
            "finite and more than k",
        )?;
        Ok(Self {
            settings,
            up: 0.0,
            down: 0.0,
            is_over: false,
        })
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &CusumSettings {
        &self.settings
    }

    /// The sum for values that are higher, in sd.
    #[must_use]
    pub fn up(&self) -> f64 {
        self.up
    }

    /// The sum for values that are lower, in sd.
    #[must_use]
    pub fn down(&self) -> f64 {
        self.down
    }

    /// The larger sum as a part of the threshold: above 1 is an alarm.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.up.max(self.down) / self.settings.h
    }

    /// The side of the larger sum; none while both are 0.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        if self.up > self.down {
            Some(Direction::Up)
        } else {
            (self.down > 0.0).then_some(Direction::Down)
        }
    }
}

impl Detector for Cusum {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let x = finite(x)?;
        let CusumSettings {
            mean,
            sd,
            k,
            h,
            cut,
            after_alarm,
        } = self.settings;
        if self.is_over && after_alarm == AfterAlarm::Restart {
            self.reset();
        }
        let z = ((x - mean) / sd).clamp(-cut, cut);
        self.up = (self.up + z - k).max(0.0);
        self.down = (self.down - z - k).max(0.0);
        if after_alarm == AfterAlarm::Saturate {
            self.up = self.up.min(2.0 * h);
            self.down = self.down.min(2.0 * h);
        }
        self.is_over = self.up > h || self.down > h;
        Ok(Signal {
            drift: self.is_over,
            warning: false,
        })
    }

    fn reset(&mut self) {
        (self.up, self.down) = (0.0, 0.0);
        self.is_over = false;
    }
}

/// How many independent normal values of the expected mean pass on average until a two-sided chart alarms: Siegmund,
/// *Sequential Analysis* (1985), `(e^{2kb} - 2kb - 1)/(2k²)` for one side with `b = h + 1.166`, and half of it for two.
#[must_use]
pub fn siegmund_run_length(k: f64, h: f64) -> Option<f64> {
    let b = h + 1.166;
    let is_known = k.is_finite() && h.is_finite() && k >= 0.0 && h > 0.0;
    let one_side = if k == 0.0 {
        b * b
    } else {
        ((2.0 * k * b).exp_m1() - 2.0 * k * b) / (2.0 * k * k)
    };
    is_known.then_some(one_side / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_threshold_by_hand() {
        let mut chart = Cusum::new(CusumSettings {
            mean: 10.0,
            sd: 2.0,
            h: 2.0,
            ..CusumSettings::default()
        })
        .unwrap();
        // z: 1, -3, 2, 2; up: .5, 0, 1.5, 3; down: 0, 2.5 (alarm), then from zero 0, 0.
        let expected = [(12.0, false), (4.0, true), (14.0, false), (14.0, true)];
        for (x, alarm) in expected {
            assert_eq!(chart.update(x).unwrap().drift, alarm, "{x}");
        }
        assert_eq!((chart.up(), chart.down()), (3.0, 0.0));
        assert_eq!((chart.level(), chart.direction()), (1.5, Some(Direction::Up)));
    }

    #[test]
    fn a_saturating_chart_comes_back() {
        let settings = CusumSettings {
            h: 4.0,
            after_alarm: AfterAlarm::Saturate,
            ..CusumSettings::default()
        };
        let mut chart = Cusum::new(settings).unwrap();
        // One odd value is cut to 6 and stays 5.5 above; nothing of any size is more than twice the threshold.
        assert!(chart.update(1e9).unwrap().drift);
        (0..100).for_each(|_| assert!(chart.update(1e9).unwrap().drift));
        assert_eq!(chart.up(), 8.0);
        let n_back = (0..).take_while(|_| chart.update(0.0).unwrap().drift).count();
        assert_eq!(n_back, 7);
    }

    /// Values of the formula at k = .5 by a pocket calculator and by Python.
    #[test]
    fn siegmund_s_values() {
        for (h, expected, digits) in [(4.0, 169.0, 0.1), (5.0, 469.111_182_058_197_47, 1e-10)] {
            let found = siegmund_run_length(0.5, h).unwrap();
            assert!((found - expected).abs() < digits, "h {h}: {found}");
        }
        assert_eq!(siegmund_run_length(-1.0, 5.0), None);
    }
}
