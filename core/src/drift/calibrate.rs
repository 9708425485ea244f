//! The threshold of a CUSUM whose false alarms come as rarely as asked, found from the reference that the chart uses.
//!
//! 1. Pseudo-references of as many blocks are drawn from the reference's sieve, each with a mean and sd of its own: that
//!    is how wrong a reference of this length may be.
//! 2. Streams from the *same* sieve are charted with each of them, at many thresholds at once, beginning anew after alarms.
//! 3. *On average*: the threshold where all streams together alarm once in `run_length` blocks. *Guaranteed* by a share q: a
//!    threshold that does so for a share q' = 1 - (1 - q)/2 of the pseudo-references; q' above q because the sieve itself
//!    is estimated.
//!
//! The idea is that of Gandy and Kvaløy, *Guaranteed conditional performance of control charts via bootstrap methods*,
//! Scand. J. Statist. 40 (2013), for independent data; carried to blocks that remember by the sieve. The guarantee is
//! asymptotic, and `plumb arl` prints what it achieves. Beyond [`SIMULATED_BLOCKS`] the logarithm of the run length is taken
//! to rise with the threshold as it does up to there (Lundberg, Siegmund), and the result says so.

use super::sieve::Reference;
use super::{AfterAlarm, CusumSettings, DriftError, demand};
use crate::statistics::{Random, quantile_of_sorted};
use serde::{Deserialize, Serialize};

const NAME: &str = "calibration";

/// Run lengths up to here are simulated, longer ones extrapolated.
pub const SIMULATED_BLOCKS: f64 = 2_000.0;
/// What is extrapolated leans on these two.
const EXTRAPOLATED_FROM: [f64; 2] = [480.0, 1_920.0];
/// Thresholds that are tried, each so much larger than the one before it.
const N_THRESHOLDS: usize = 24;
const LEAST_THRESHOLD: f64 = 2.5;
const THRESHOLD_RATIO: f64 = 1.13;
/// The last of them.
const GREATEST_THRESHOLD: f64 = 41.56;

fn threshold(place: usize) -> f64 {
    LEAST_THRESHOLD * THRESHOLD_RATIO.powi(place as i32)
}

/// To which side a chart looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Higher and lower.
    Both,
    /// Higher only.
    Up,
    /// Lower only.
    Down,
}

/// What a chart promises, and how it is found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationSettings {
    /// Blocks between false alarms (ARL0).
    pub run_length: f64,
    /// The share of references like this one that keep it; none: on average over them.
    pub guarantee: Option<f64>,
    /// The allowance in sd.
    pub k: f64,
    /// The largest distance in sd that a single block counts.
    pub cut: f64,
    /// To which side the chart looks.
    pub sides: Sides,
    /// Pseudo-references that are drawn.
    pub n_references: u32,
    /// Streams for each.
    pub n_streams: u32,
    /// The seed of all drawing.
    pub seed: u64,
}

impl Default for CalibrationSettings {
    fn default() -> Self {
        Self {
            run_length: 480.0,
            guarantee: Some(0.9),
            k: 0.5,
            cut: 6.0,
            sides: Sides::Both,
            n_references: 100,
            n_streams: 20,
            seed: 1,
        }
    }
}

impl CalibrationSettings {
    /// Whether the run length is longer than what is simulated.
    #[must_use]
    pub fn is_extrapolated(&self) -> bool {
        self.run_length > SIMULATED_BLOCKS
    }
}

/// A threshold with its promise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// In sd of the reference.
    pub h: f64,
    /// Blocks between false alarms that were asked for.
    pub run_length: f64,
    /// The share of references that keep it; none: on average.
    pub guarantee: Option<f64>,
    /// Whether the run length is longer than what was simulated.
    pub is_extrapolated: bool,
    /// Whether even the largest threshold that was tried alarms more often; then it is that one.
    pub is_at_limit: bool,
}

/// A calibration in small steps, so that whoever runs it can show progress, or stop.
#[derive(Debug, Clone)]
pub struct Calibration {
    reference: Reference,
    settings: CalibrationSettings,
    /// Blocks of each stream.
    horizon: u32,
    /// Alarms of each pseudo-reference at each threshold.
    alarms: Vec<[u32; N_THRESHOLDS]>,
}

impl Calibration {
    /// For charts of this reference.
    ///
    /// # Errors
    /// A setting is out of its range.
    pub fn new(reference: Reference, settings: CalibrationSettings) -> Result<Self, DriftError> {
        let CalibrationSettings {
            run_length,
            k,
            cut,
            n_references,
            n_streams,
            ..
        } = settings;
        demand(
            (10.0..=1e9).contains(&run_length),
            NAME,
            "run_length",
            run_length,
            "from 10 to 1,000,000,000 blocks",
        )?;
        demand(k >= 0.0 && k.is_finite(), NAME, "k", k, "0 or more")?;
        demand(
            cut > k && cut.is_finite(),
            NAME,
            "cut",
            cut,
            "finite and more than k",
        )?;
        if let Some(share) = settings.guarantee {
            demand(
                (0.5..=0.99).contains(&share),
                NAME,
                "guarantee",
                share,
                "from .5 to .99",
            )?;
        }
        let counts = [("n_references", n_references, 10), ("n_streams", n_streams, 1)];
        for (name, value, least) in counts {
            let is_fit = (least..=10_000).contains(&value);
            demand(
                is_fit,
                NAME,
                name,
                f64::from(value),
                "at least 10 references and 1 stream, at most 10,000",
            )?;
        }
        let horizon = if settings.is_extrapolated() {
            EXTRAPOLATED_FROM[1]
        } else {
            run_length.ceil()
        };
        Ok(Self {
            reference,
            settings,
            horizon: horizon as u32,
            alarms: Vec::with_capacity(n_references as usize),
        })
    }

    /// Draws and charts one more pseudo-reference. True while there are more.
    pub fn step(&mut self) -> bool {
        if !self.is_done() {
            let part = self.alarms.len() as u64;
            let alarms = self.alarms_of(&mut Random::of_part(self.settings.seed, part));
            self.alarms.push(alarms);
        }
        !self.is_done()
    }

    /// What is done of everything, 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.alarms.len() as f64 / f64::from(self.settings.n_references)
    }

    fn is_done(&self) -> bool {
        self.alarms.len() >= self.settings.n_references as usize
    }

    /// The threshold; the steps that are left are done first.
    #[must_use]
    pub fn finish(mut self) -> Threshold {
        while self.step() {}
        let CalibrationSettings {
            run_length,
            guarantee,
            ..
        } = self.settings;
        let is_extrapolated = self.settings.is_extrapolated();
        let (h, is_at_limit) = if is_extrapolated {
            self.extrapolated(run_length)
        } else {
            self.simulated(run_length)
        };
        Threshold {
            h,
            run_length,
            guarantee,
            is_extrapolated,
            is_at_limit,
        }
    }

    /// The threshold for a run length that was simulated, and whether it is the largest that was tried.
    fn simulated(&self, run_length: f64) -> (f64, bool) {
        let Some(share) = self.settings.guarantee else {
            return self.crossing(&self.alarms, run_length);
        };
        let mut each = self.each_crossing(run_length);
        each.sort_unstable_by(f64::total_cmp);
        let h = quantile_of_sorted(&each, 1.0 - (1.0 - share) / 2.0).unwrap_or(GREATEST_THRESHOLD);
        (h, h >= GREATEST_THRESHOLD)
    }

    /// From two run lengths that were simulated, along a straight line of threshold over logarithm. How steep it is is
    /// told by those who decide: everybody on average, or, for a guarantee, the fifth that needs the highest thresholds.
    fn extrapolated(&self, run_length: f64) -> (f64, bool) {
        let [near, far] = EXTRAPOLATED_FROM;
        let mut deciding = self.alarms.clone();
        if self.settings.guarantee.is_some() {
            let each = self.each_crossing(near);
            let mut order: Vec<usize> = (0..each.len()).collect();
            order.sort_by(|&a, &b| each[b].total_cmp(&each[a]));
            deciding = order
                .iter()
                .take(each.len().div_ceil(5))
                .map(|&place| self.alarms[place])
                .collect();
        }
        let (from, _) = self.crossing(&deciding, near);
        let (to, is_at_limit) = self.crossing(&deciding, far);
        let slope = (to - from) / (far / near).ln();
        (
            self.simulated(near).0 + slope * (run_length / near).ln(),
            is_at_limit,
        )
    }

    fn each_crossing(&self, run_length: f64) -> Vec<f64> {
        let one = |alarms: &[u32; N_THRESHOLDS]| self.crossing(std::slice::from_ref(alarms), run_length).0;
        self.alarms.iter().map(one).collect()
    }

    /// Where these pseudo-references together alarm once in `run_length` blocks: between two thresholds that were tried
    /// the logarithm of the rate is a straight line.
    fn crossing(&self, alarms: &[[u32; N_THRESHOLDS]], run_length: f64) -> (f64, bool) {
        let n_blocks = alarms.len() as f64 * f64::from(self.settings.n_streams) * f64::from(self.horizon);
        let rates: Vec<f64> = (0..N_THRESHOLDS)
            .map(|place| {
                f64::from(alarms.iter().map(|of_one| of_one[place]).sum::<u32>()) * run_length / n_blocks
            })
            .collect();
        let Some(below) = rates.iter().position(|rate| *rate <= 1.0) else {
            return (GREATEST_THRESHOLD, true);
        };
        let Some(above) = below.checked_sub(1) else {
            return (LEAST_THRESHOLD, false);
        };
        // Half an alarm stands for none.
        let none = 0.5 * run_length / n_blocks;
        let (high, low) = (rates[above].max(none).ln(), rates[below].max(none).ln());
        let part = if high > low { high / (high - low) } else { 0.0 };
        let (from, to) = (threshold(above), threshold(below));
        (from + part * (to - from), false)
    }

    /// Alarms at each threshold, of all streams of one pseudo-reference.
    fn alarms_of(&self, random: &mut Random) -> [u32; N_THRESHOLDS] {
        let CalibrationSettings {
            k,
            cut,
            sides,
            n_streams,
            ..
        } = self.settings;
        let mut sieve = self.reference.sieve(random);
        let pseudo = (0..self.reference.n())
            .map(|_| sieve.next(random))
            .collect::<crate::statistics::Moments>();
        let mean = pseudo.mean().unwrap_or(0.0);
        let sd = pseudo.sd().filter(|sd| *sd > 0.0).unwrap_or(self.reference.sd());
        let mut charts = Charts::new(sides, k);
        for _ in 0..n_streams {
            charts.begin();
            let mut sieve = self.reference.sieve(random);
            for _ in 0..self.horizon {
                let z = ((sieve.next(random) - mean) / sd).clamp(-cut, cut);
                charts.update(z);
            }
        }
        charts.alarms
    }
}

/// A threshold, found in one go.
///
/// # Errors
/// A setting is out of its range.
pub fn calibrate(reference: &Reference, settings: CalibrationSettings) -> Result<Threshold, DriftError> {
    Ok(Calibration::new(reference.clone(), settings)?.finish())
}

impl Threshold {
    /// The chart of a reference: its mean and sd, its allowance widened for sessions that lie apart, this threshold.
    #[must_use]
    pub fn chart(
        &self,
        reference: &Reference,
        settings: &CalibrationSettings,
        after_alarm: AfterAlarm,
    ) -> CusumSettings {
        let k = reference.allowance(settings.k);
        CusumSettings {
            mean: reference.mean(),
            sd: reference.sd(),
            k,
            h: self.h,
            cut: settings.cut.max(2.0 * k),
            after_alarm,
        }
    }
}

/// One stream under charts with all thresholds at once. f32, so that four charts are one instruction.
struct Charts {
    thresholds: [f32; N_THRESHOLDS],
    k: f32,
    /// 0 where a side is not looked at: its sum never rises.
    weights: [f32; 2],
    up: [f32; N_THRESHOLDS],
    down: [f32; N_THRESHOLDS],
    alarms: [u32; N_THRESHOLDS],
}

impl Charts {
    fn new(sides: Sides, k: f64) -> Self {
        Self {
            thresholds: std::array::from_fn(|place| threshold(place) as f32),
            k: k as f32,
            weights: match sides {
                Sides::Both => [1.0, 1.0],
                Sides::Up => [1.0, 0.0],
                Sides::Down => [0.0, 1.0],
            },
            up: [0.0; N_THRESHOLDS],
            down: [0.0; N_THRESHOLDS],
            alarms: [0; N_THRESHOLDS],
        }
    }

    fn begin(&mut self) {
        self.up = [0.0; N_THRESHOLDS];
        self.down = [0.0; N_THRESHOLDS];
    }

    fn update(&mut self, z: f64) {
        let up_step = self.weights[0] * z as f32 - self.k;
        let down_step = -self.weights[1] * z as f32 - self.k;
        for place in 0..N_THRESHOLDS {
            let up = (self.up[place] + up_step).max(0.0);
            let down = (self.down[place] + down_step).max(0.0);
            let is_over = up.max(down) > self.thresholds[place];
            self.alarms[place] += u32::from(is_over);
            self.up[place] = if is_over { 0.0 } else { up };
            self.down[place] = if is_over { 0.0 } else { down };
        }
    }
}
