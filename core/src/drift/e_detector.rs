//! An e-detector for shares: Shin, Ramdas and Rinaldo, *E-detectors: a nonparametric framework for sequential change
//! detection*, New England Journal of Statistics in Data Science 2 (2024).
//!
//! Bets against "the mean is at most `high`" (and, mirrored, "at least `low`") grow by a factor `1 + lambda (x - high)`,
//! whose mean under that claim is at most 1. Summed over all times at which the bet may have begun,
//! `M_t = (M_{t-1} + 1)(1 + lambda (x_t - high))` (Shiryaev and Roberts), and averaged over eight sizes of bets and both
//! sides, they pass 1/alpha no sooner than after 1/alpha values on average: without a law, and without independence, as
//! long as the mean *given what came before* stays between `low` and `high`. Block means that remember leave that range a
//! little; with `margin` 0 the count is a careful second opinion, and the theorem holds with a margin of 1.

use super::settings::Given;
use super::sieve::Reference;
use super::{Detector, DriftError, Signal, demand, finite};
use crate::statistics::distributions::normal_quantile;
use serde::{Deserialize, Serialize};

const NAME: &str = "e-detector";
/// Sizes of bets, each the best one for a shift of so many sd.
const BETS: [f64; 8] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0];

/// Settings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EDetectorSettings {
    /// The least mean that is no change.
    pub low: f64,
    /// The greatest mean that is no change.
    pub high: f64,
    /// The scatter of values, by which bets are sized. A wrong one costs time and no promise.
    pub sd: f64,
    /// One false alarm in 1/alpha values, or fewer.
    pub alpha: f64,
}

impl Default for EDetectorSettings {
    fn default() -> Self {
        Self {
            low: 0.5,
            high: 0.5,
            sd: 0.5,
            alpha: 1.0 / 480.0,
        }
    }
}

impl EDetectorSettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let found = Self {
            low: given.number("low", default.low)?,
            high: given.number("high", default.high)?,
            sd: given.number("sd", default.sd)?,
            alpha: given.number("alpha", default.alpha)?,
        };
        given.finish()?;
        Ok(found)
    }

    /// For block means of shares like a reference's: its mean may be off by the 90 % interval of what was estimated, and,
    /// times `margin`, by what a block of two sd tells of the next one.
    #[must_use]
    pub fn of(reference: &Reference, alpha: f64, margin: f64) -> Self {
        let r = reference.correlation();
        let z = normal_quantile(0.95).unwrap_or(0.0);
        let unsure = z * reference.mean_sd() + margin * 2.0 * r * reference.sd();
        // Bets are bounded by the distance to 0 and 1.
        let inside = |x: f64| x.clamp(0.001, 0.999);
        Self {
            low: inside(reference.mean() - unsure),
            high: inside(reference.mean() + unsure),
            sd: reference.sd(),
            alpha,
        }
    }
}

/// What all bets have become, to both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EDetector {
    settings: EDetectorSettings,
    up: [f64; BETS.len()],
    down: [f64; BETS.len()],
    is_over: bool,
}

impl EDetector {
    /// Without bets.
    ///
    /// # Errors
    /// A setting is out of its range.
    pub fn new(settings: EDetectorSettings) -> Result<Self, DriftError> {
        let EDetectorSettings { low, high, sd, alpha } = settings;
        demand(low > 0.0 && low < 1.0, NAME, "low", low, "between 0 and 1")?;
        demand(
            high >= low && high < 1.0,
            NAME,
            "high",
            high,
            "at least low and below 1",
        )?;
        demand(sd > 0.0 && sd.is_finite(), NAME, "sd", sd, "more than 0")?;
        demand(
            (1e-9..1.0).contains(&alpha),
            NAME,
            "alpha",
            alpha,
            "at least 1e-9 and below 1",
        )?;
        Ok(Self {
            settings,
            up: [0.0; BETS.len()],
            down: [0.0; BETS.len()],
            is_over: false,
        })
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &EDetectorSettings {
        &self.settings
    }

    /// The evidence so far: above 1/alpha is an alarm.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        (self.up.iter().sum::<f64>() + self.down.iter().sum::<f64>()) / (2 * BETS.len()) as f64
    }

    /// The part of a distance that a bet risks: never more than half of what it has.
    fn stakes(&self) -> [f64; BETS.len()] {
        let EDetectorSettings { low, high, sd, .. } = self.settings;
        let most = 0.5 / high.max(1.0 - low);
        BETS.map(|shift| (shift / (sd * (1.0 + shift * shift))).min(most))
    }
}

impl Detector for EDetector {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let x = finite(x)?;
        if !(0.0..=1.0).contains(&x) {
            return Err(DriftError::OutOfRange {
                detector: NAME,
                value: x,
                must: "from 0 to 1",
            });
        }
        if self.is_over {
            self.reset();
        }
        let EDetectorSettings { low, high, alpha, .. } = self.settings;
        for (place, stake) in self.stakes().into_iter().enumerate() {
            self.up[place] = (self.up[place] + 1.0) * (1.0 + stake * (x - high));
            self.down[place] = (self.down[place] + 1.0) * (1.0 + stake * (low - x));
        }
        self.is_over = self.evidence() > 1.0 / alpha;
        Ok(Signal {
            drift: self.is_over,
            warning: false,
        })
    }

    fn reset(&mut self) {
        self.up = [0.0; BETS.len()];
        self.down = [0.0; BETS.len()];
        self.is_over = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    /// The sums over all beginnings, written out.
    #[test]
    fn evidence_is_the_sum_over_all_beginnings() {
        let settings = EDetectorSettings {
            low: 0.6,
            high: 0.7,
            sd: 0.1,
            alpha: 1e-6,
        };
        let mut detector = EDetector::new(settings).unwrap();
        let mut random = Random::new(4);
        let values: Vec<f64> = (0..60).map(|_| random.uniform()).collect();
        for (t, &x) in values.iter().enumerate() {
            detector.update(x).unwrap();
            let mut expected = 0.0;
            for shift in BETS {
                let stake = (shift / (0.1 * (1.0 + shift * shift))).min(0.5 / 0.7);
                for begin in 0..=t {
                    let run = &values[begin..=t];
                    expected += run.iter().map(|x| 1.0 + stake * (x - 0.7)).product::<f64>();
                    expected += run.iter().map(|x| 1.0 + stake * (0.6 - x)).product::<f64>();
                }
            }
            expected /= 16.0;
            assert!((detector.evidence() / expected - 1.0).abs() < 1e-12, "{t}");
        }
    }

    /// The theorem, on the hardest of laws: coins whose mean is exactly what is claimed.
    #[test]
    fn fair_coins_alarm_no_sooner_than_promised() {
        for (p, alpha) in [(0.5, 0.01), (0.9, 0.02)] {
            let settings = EDetectorSettings {
                low: p,
                high: p,
                sd: 0.3,
                alpha,
            };
            let mut detector = EDetector::new(settings).unwrap();
            let mut random = Random::new(6);
            let n_runs = 600;
            let mut n_values = 0u32;
            for _ in 0..n_runs {
                detector.reset();
                loop {
                    n_values += 1;
                    let x = if random.uniform() < p { 1.0 } else { 0.0 };
                    if detector.update(x).unwrap().drift {
                        break;
                    }
                }
            }
            let run_length = f64::from(n_values) / f64::from(n_runs);
            assert!(run_length > 1.0 / alpha, "p {p}: {run_length}");
        }
    }

    #[test]
    fn a_change_of_a_share_is_found() {
        let mut random = Random::new(8);
        let mut share = |mean: f64| (mean + 0.03 * random.normal()).clamp(0.0, 1.0);
        let blocks: Vec<f64> = (0..240).map(|_| share(0.9)).collect();
        let reference = Reference::of(&blocks, 0.01).unwrap();
        for margin in [0.0, 1.0] {
            let mut detector =
                EDetector::new(EDetectorSettings::of(&reference, 1.0 / 480.0, margin)).unwrap();
            assert!(
                (0..200).all(|_| !detector.update(share(0.9)).unwrap().drift),
                "margin {margin}"
            );
            let delay = (1..200).find(|_| detector.update(share(0.8)).unwrap().drift);
            assert!(
                delay.is_some_and(|delay| delay < 60),
                "margin {margin}: {delay:?}"
            );
        }
        let mut detector = EDetector::new(EDetectorSettings::default()).unwrap();
        assert!(detector.update(1.01).is_err() && detector.update(-0.01).is_err());
    }
}
