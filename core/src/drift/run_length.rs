//! How often a calibrated chart really alarms by chance, and how soon it finds what was planted: an experiment on streams
//! whose law is known.
//!
//! A trial draws a reference, calibrates a chart on it as a monitor would, and runs that chart on new streams of the same
//! law: at rest, where every alarm is false, and shifted after some clean blocks, where the delay counts. Trials have seeds
//! of their own, so they may run in any order and on any number of threads.

use super::calibrate::{Calibration, CalibrationSettings};
use super::sieve::{Reference, block_secs};
use super::{AfterAlarm, Cusum, Detector, DriftError, demand};
use crate::statistics::{Interval, Moments, Random, bootstrap, quantile, wilson};
use serde::{Deserialize, Serialize};

/// Frames a second of the streams.
const FRAMES_PER_SEC: f64 = 30.0;
/// Blocks before a planted shift.
const CLEAN_BLOCKS: usize = 60;
/// A shift that is not found in so many blocks is missed.
const PATIENCE_BLOCKS: usize = 200;
/// Streams at rest, and of each shift, of a trial.
const STREAMS: usize = 12;
/// Blocks of a stream at rest.
const REST_BLOCKS: usize = 2400;
/// Draws of the interval over references.
const BOOTSTRAP_DRAWS: usize = 2000;

/// The law of a stream of frames.
#[derive(Debug, Clone, PartialEq)]
pub enum Law {
    /// Independent normal frames.
    Independent,
    /// Normal frames that remember: `x_t = phi x_{t-1} + e_t`, of sd 1.
    Autoregressive {
        /// How much of a frame is the one before it, in 0 to 1.
        phi: f64,
    },
    /// Shares that lean to 1, as certainties do: the logistic function of 1.5 + 1.2 times a remembering block.
    Confidence {
        /// As above.
        phi: f64,
    },
    /// A movement of about three seconds over and over, whose pace wanders, with a remembering part (phi .98) of half of
    /// its variance.
    Periodic,
    /// Block means that were measured, resampled in runs of ten so that they keep their memory.
    Measured {
        /// The block means.
        blocks: Vec<f64>,
    },
}

/// Neighbouring blocks of a resampled run.
const RUN_OF_BLOCKS: usize = 10;

impl Law {
    /// The integrated correlation time of its frames; none where it is not known.
    #[must_use]
    pub fn correlation_secs(&self) -> Option<f64> {
        match self {
            Self::Independent => Some(0.5 / FRAMES_PER_SEC),
            Self::Autoregressive { phi } | Self::Confidence { phi } => {
                Some((1.0 + phi) / (1.0 - phi) / 2.0 / FRAMES_PER_SEC)
            }
            Self::Periodic => Some(1.65),
            Self::Measured { .. } => None,
        }
    }

    /// Frames of a block of it.
    #[must_use]
    pub fn frames_per_block(&self) -> usize {
        (block_secs(self.correlation_secs()) * FRAMES_PER_SEC).ceil() as usize
    }

    /// Seconds of a block of it.
    #[must_use]
    pub fn block_secs(&self) -> f64 {
        self.frames_per_block() as f64 / FRAMES_PER_SEC
    }

    fn check(&self) -> Result<(), DriftError> {
        match self {
            Self::Autoregressive { phi } | Self::Confidence { phi } => demand(
                (0.0..=0.9999).contains(phi),
                "the stream",
                "phi",
                *phi,
                "from 0 to .9999",
            ),
            Self::Measured { blocks } => {
                let needed = 4 * RUN_OF_BLOCKS;
                if blocks.len() < needed {
                    return Err(DriftError::TooFew {
                        what: "measured blocks",
                        found: blocks.len(),
                        needed,
                    });
                }
                Reference::of(blocks, 0.0).map(|_| ())
            }
            Self::Independent | Self::Periodic => Ok(()),
        }
    }
}

/// Block means of a law, one by one. `shift` is in sd of frames, before anything that bends them.
struct Blocks<'a> {
    law: &'a Law,
    n_frames: usize,
    /// Of a remembering stream: the last frame, and the joint law of a block's mean and its last frame given it.
    last: f64,
    step: Option<BlockLaw>,
    phase: f64,
    pace: f64,
    /// Of measured blocks: where the run is, and how much of it is left.
    place: usize,
    left: usize,
}

/// Given the frame before, the mean of n frames and the last of them are normal: means `mean_of_last` and `last_of_last`
/// times that frame, covariance `L Lᵀ`.
#[derive(Clone, Copy)]
struct BlockLaw {
    mean_of_last: f64,
    last_of_last: f64,
    lower: [f64; 3],
}

impl BlockLaw {
    fn new(phi: f64, n_frames: usize) -> Self {
        let n = n_frames as f64;
        let fresh = 1.0 - phi * phi;
        let (mut mean_of_last, mut mean_mean, mut mean_last, mut last_last) = (0.0, 0.0, 0.0, 0.0);
        for j in 1..=n_frames {
            mean_of_last += phi.powi(j as i32) / n;
            let behind = (n_frames - j) as i32;
            // What the j-th fresh part adds to the mean and to the last frame.
            let to_mean = (1.0 - phi.powi(behind + 1)) / (1.0 - phi) / n;
            let to_last = phi.powi(behind);
            mean_mean += fresh * to_mean * to_mean;
            mean_last += fresh * to_mean * to_last;
            last_last += fresh * to_last * to_last;
        }
        let first = mean_mean.sqrt();
        let mixed = mean_last / first;
        Self {
            mean_of_last,
            last_of_last: phi.powi(n_frames as i32),
            lower: [first, mixed, (last_last - mixed * mixed).max(0.0).sqrt()],
        }
    }
}

impl<'a> Blocks<'a> {
    fn new(law: &'a Law, random: &mut Random) -> Self {
        let n_frames = law.frames_per_block();
        let phi = match law {
            Law::Autoregressive { phi } | Law::Confidence { phi } => Some(*phi),
            _ => None,
        };
        Self {
            law,
            n_frames,
            last: random.normal(),
            step: phi.map(|phi| BlockLaw::new(phi, n_frames)),
            phase: random.uniform() * std::f64::consts::TAU,
            pace: 1.0,
            place: 0,
            left: 0,
        }
    }

    fn next(&mut self, shift: f64, random: &mut Random) -> f64 {
        match self.law {
            Law::Independent => random.normal() / (self.n_frames as f64).sqrt() + shift,
            Law::Autoregressive { .. } => self.remembering(random) + shift,
            Law::Confidence { .. } => {
                let latent = self.remembering(random) + shift;
                1.0 / (1.0 + (-(1.5 + 1.2 * latent)).exp())
            }
            Law::Periodic => {
                let (phi, half) = (0.98f64, 0.5f64.sqrt());
                let fresh = (1.0 - phi * phi).sqrt();
                let mut sum = 0.0;
                for _ in 0..self.n_frames {
                    self.last = phi * self.last + fresh * random.normal();
                    self.pace = 1.0 + 0.995 * (self.pace - 1.0) + 0.01 * random.normal();
                    self.phase += std::f64::consts::TAU * self.pace / (3.0 * FRAMES_PER_SEC);
                    sum += half * (2.0f64.sqrt() * self.phase.sin() + self.last);
                }
                sum / self.n_frames as f64 + shift
            }
            Law::Measured { blocks } => {
                if self.left == 0 {
                    self.left = RUN_OF_BLOCKS;
                    self.place = random.below(blocks.len() - RUN_OF_BLOCKS + 1);
                }
                let block = blocks[self.place];
                self.place += 1;
                self.left -= 1;
                block + shift
            }
        }
    }

    fn remembering(&mut self, random: &mut Random) -> f64 {
        let Some(step) = self.step else {
            return 0.0;
        };
        let (a, b) = (random.normal(), random.normal());
        let mean = step.mean_of_last * self.last + step.lower[0] * a;
        self.last = step.last_of_last * self.last + step.lower[1] * a + step.lower[2] * b;
        mean
    }
}

/// A planted change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// How large, in sd.
    pub sd: f64,
    /// Of what.
    pub of: Scale,
}

/// Of what a shift is measured in sd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Of the frames, which is what a person would call the feature's scatter. Measured blocks know no frames: there
    /// it is the blocks' too.
    Frames,
    /// Of the block means.
    Blocks,
}

/// What is planted.
pub const SHIFTS: [Shift; 6] = [
    Shift {
        sd: 0.5,
        of: Scale::Frames,
    },
    Shift {
        sd: 1.0,
        of: Scale::Frames,
    },
    Shift {
        sd: 2.0,
        of: Scale::Frames,
    },
    Shift {
        sd: 0.5,
        of: Scale::Blocks,
    },
    Shift {
        sd: 1.0,
        of: Scale::Blocks,
    },
    Shift {
        sd: 2.0,
        of: Scale::Blocks,
    },
];

/// The experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    law: Law,
    n_reference: usize,
    settings: CalibrationSettings,
    /// The sd of block means, of a long stream.
    block_sd: f64,
}

/// What came out for one reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    threshold: f64,
    alarms: u32,
    blocks: u32,
    /// For each of [`SHIFTS`]: blocks until the alarm of each stream that was quiet before; none where it was missed.
    delays: Vec<Vec<Option<u32>>>,
}

impl Experiment {
    /// References of `n_reference` blocks of a law.
    ///
    /// # Errors
    /// The law or a setting is out of its range, or the reference too short.
    pub fn new(law: Law, n_reference: usize, settings: CalibrationSettings) -> Result<Self, DriftError> {
        law.check()?;
        let mut random = Random::of_part(settings.seed, u64::MAX);
        let mut blocks = Blocks::new(&law, &mut random);
        let long: Vec<f64> = (0..4000).map(|_| blocks.next(0.0, &mut random)).collect();
        let few: Vec<f64> = long.iter().copied().take(n_reference).collect();
        demand(
            n_reference <= 100_000,
            "the experiment",
            "reference blocks",
            n_reference as f64,
            "at most 100,000",
        )?;
        Calibration::new(Reference::of(&few, 0.0)?, settings)?;
        let block_sd = long.into_iter().collect::<Moments>().sd().unwrap_or(0.0);
        Ok(Self {
            law,
            n_reference,
            settings,
            block_sd,
        })
    }

    /// One reference, calibrated and tried.
    ///
    /// # Errors
    /// None that [`Self::new`] would not have found.
    pub fn trial(&self, index: u64) -> Result<Trial, DriftError> {
        let mut random = Random::of_part(self.settings.seed, index);
        let mut blocks = Blocks::new(&self.law, &mut random);
        let drawn: Vec<f64> = (0..self.n_reference)
            .map(|_| blocks.next(0.0, &mut random))
            .collect();
        let reference = Reference::of(&drawn, 0.0)?;
        let settings = CalibrationSettings {
            seed: random.bits(),
            ..self.settings
        };
        let threshold = Calibration::new(reference.clone(), settings)?.finish();
        let mut chart = Cusum::new(threshold.chart(&reference, &settings, AfterAlarm::Restart))?;
        let rest = ((REST_BLOCKS as f64).max(self.settings.run_length * 3.0) as usize).min(60_000);
        let mut alarms = 0;
        for _ in 0..STREAMS {
            chart.reset();
            let mut blocks = Blocks::new(&self.law, &mut random);
            for _ in 0..rest {
                alarms += u32::from(chart.update(blocks.next(0.0, &mut random))?.drift);
            }
        }
        let delays = SHIFTS
            .iter()
            .map(|shift| self.delays(*shift, &mut chart, &mut random));
        Ok(Trial {
            threshold: threshold.h,
            alarms,
            blocks: (STREAMS * rest) as u32,
            delays: delays.collect::<Result<_, _>>()?,
        })
    }

    fn delays(
        &self,
        shift: Shift,
        chart: &mut Cusum,
        random: &mut Random,
    ) -> Result<Vec<Option<u32>>, DriftError> {
        let unit = match (shift.of, &self.law) {
            (Scale::Frames, Law::Measured { .. }) | (Scale::Blocks, _) => self.block_sd,
            (Scale::Frames, _) => 1.0,
        };
        // A block sd of shares is told to the bent values; what is shifted is what is bent, so it is passed on there.
        let mut size = shift.sd * unit;
        if let (Scale::Blocks, Law::Confidence { phi }) = (shift.of, &self.law) {
            let plain = BlockLaw::new(*phi, self.law.frames_per_block());
            size =
                shift.sd * (plain.mean_of_last * plain.mean_of_last + plain.lower[0] * plain.lower[0]).sqrt();
        }
        // Shares that lean to 1 have room to fall.
        let planted = if matches!(self.law, Law::Confidence { .. }) {
            -size
        } else {
            size
        };
        let mut found = Vec::with_capacity(STREAMS);
        for _ in 0..STREAMS {
            chart.reset();
            let mut blocks = Blocks::new(&self.law, random);
            let mut is_quiet = true;
            for _ in 0..CLEAN_BLOCKS {
                is_quiet &= !chart.update(blocks.next(0.0, random))?.drift;
            }
            let mut delay = None;
            for waited in 1..=PATIENCE_BLOCKS {
                if chart.update(blocks.next(planted, random))?.drift {
                    delay = Some(waited as u32);
                    break;
                }
            }
            if is_quiet {
                found.push(delay);
            }
        }
        Ok(found)
    }
}

/// How soon a planted shift is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    /// What was planted.
    pub shift: Shift,
    /// Blocks on average, of those that were found.
    pub mean: Option<f64>,
    /// Half are found so soon.
    pub median: Option<f64>,
    /// Nine in ten are found so soon.
    pub p90: Option<f64>,
    /// The share that is not found in 200 blocks.
    pub missed: Option<f64>,
}

/// What the experiment shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Achieved {
    /// References that were tried.
    pub n_references: usize,
    /// The median of their thresholds, in sd.
    pub threshold: f64,
    /// Blocks between false alarms, over all references.
    pub run_length: f64,
    /// Its 95 % interval over references.
    pub run_length_interval: Option<Interval>,
    /// The share of references whose chart keeps the promise.
    pub kept: f64,
    /// Its 95 % interval.
    pub kept_interval: Option<Interval>,
    /// How soon shifts are found.
    pub delays: Vec<Delay>,
}

impl Achieved {
    /// Of all trials, in their order. None of none.
    #[must_use]
    pub fn of(trials: &[Trial], settings: &CalibrationSettings) -> Option<Self> {
        let rate = |trial: &Trial| f64::from(trial.alarms) / f64::from(trial.blocks);
        let pooled = |places: &[usize]| {
            let (alarms, blocks) = places.iter().fold((0.0, 0.0), |(alarms, blocks), &place| {
                let trial = &trials[place];
                (alarms + f64::from(trial.alarms), blocks + f64::from(trial.blocks))
            });
            // Half an alarm stands for none.
            Some(blocks / alarms.max(0.5))
        };
        let all: Vec<usize> = (0..trials.len()).collect();
        let thresholds: Vec<f64> = trials.iter().map(|trial| trial.threshold).collect();
        let n_kept = trials
            .iter()
            .filter(|trial| rate(trial) * settings.run_length <= 1.0)
            .count();
        let mut random = Random::of_part(settings.seed, u64::MAX - 1);
        let delay = |(place, shift): (usize, &Shift)| {
            let delays: Vec<Option<u32>> = trials
                .iter()
                .flat_map(|trial| trial.delays[place].iter().copied())
                .collect();
            let found: Vec<f64> = delays.iter().flatten().map(|&delay| f64::from(delay)).collect();
            let missed = (delays.len() - found.len()) as f64;
            Delay {
                shift: *shift,
                mean: found.iter().copied().collect::<Moments>().mean(),
                median: quantile(&found, 0.5),
                p90: quantile(&found, 0.9),
                missed: (!delays.is_empty()).then(|| missed / delays.len() as f64),
            }
        };
        Some(Self {
            n_references: trials.len(),
            threshold: quantile(&thresholds, 0.5)?,
            run_length: pooled(&all)?,
            run_length_interval: bootstrap(trials.len(), BOOTSTRAP_DRAWS, 0.95, &mut random, pooled),
            kept: n_kept as f64 / trials.len() as f64,
            kept_interval: wilson(n_kept as u64, trials.len() as u64, 0.95),
            delays: SHIFTS.iter().enumerate().map(delay).collect(),
        })
    }
}
