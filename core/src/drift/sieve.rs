//! What a reference of block means says of chance: its mean, its scatter, how neighbours agree, and streams like it.
//!
//! Blocks of three correlation times still agree with their neighbours by about .22, and thresholds for independent blocks
//! alarm four times as often as they say. So chance is drawn from an AR(1) sieve: `d_t = r d_{t-1} + e_t`, with `e` drawn
//! from the reference's own residuals (Bühlmann, *Sieve bootstrap for time series*, Bernoulli 3, 1997). `r` is raised
//! by 1/n, the first-order bias of an estimated correlation (Marriott and Pope, Biometrika 41, 1954), and kept in 0 to .7:
//! below 0 a short reference would promise more than it knows.

use super::DriftError;
use crate::statistics::Random;
use crate::statistics::distributions::normal_quantile;
use serde::{Deserialize, Serialize};

/// Fewer blocks say nothing about scatter.
pub const LEAST_BLOCKS: usize = 8;
/// The largest correlation of neighbouring blocks that is believed.
const MAX_CORRELATION: f64 = 0.7;
/// Steps until a sieve has forgotten where it began.
const WARM_UP: usize = 10;
/// From so many sessions on their scatter is known well enough to count once.
const MANY_SESSIONS: usize = 6;

/// A block lasts at least so long.
pub const LEAST_BLOCK_SECS: f64 = 5.0;
/// And at least so many correlation times.
pub const CORRELATION_TIMES: f64 = 3.0;

/// How long a block lasts for a feature with this correlation time, unless it is one repetition of an exercise.
#[must_use]
pub fn block_secs(correlation_secs: Option<f64>) -> f64 {
    LEAST_BLOCK_SECS.max(CORRELATION_TIMES * correlation_secs.unwrap_or(0.0))
}

/// How many independent values a stretch of frames is worth: one in two correlation times, of which one is at least a
/// second. Never fewer than two, so that a scatter can be told.
#[must_use]
pub fn effective_n(seconds: f64, correlation_secs: Option<f64>) -> f64 {
    (seconds / (2.0 * correlation_secs.unwrap_or(0.0).max(1.0))).max(2.0)
}

/// A reference of block means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    n: usize,
    n_sessions: usize,
    mean: f64,
    sd: f64,
    correlation: f64,
    session_sd: f64,
    innovations: Vec<f64>,
}

impl Reference {
    /// Of the block means of one session. `floor` is the resolution of the feature: it scatters at least so much.
    ///
    /// # Errors
    /// There are fewer than [`LEAST_BLOCKS`], or one is not finite.
    pub fn of(blocks: &[f64], floor: f64) -> Result<Self, DriftError> {
        Self::of_sessions(&[blocks], floor)
    }

    /// Of the block means of several sessions. Scatter and correlation are those within sessions; how far sessions lie
    /// apart beyond what these explain is [`Self::session_sd`].
    ///
    /// # Errors
    /// There are fewer than [`LEAST_BLOCKS`] in all, fewer than two in each, or one is not finite.
    pub fn of_sessions(sessions: &[&[f64]], floor: f64) -> Result<Self, DriftError> {
        let sessions: Vec<&[f64]> = sessions
            .iter()
            .copied()
            .filter(|blocks| blocks.len() > 1)
            .collect();
        let n: usize = sessions.iter().map(|blocks| blocks.len()).sum();
        if n < LEAST_BLOCKS {
            return Err(DriftError::TooFew {
                what: "blocks of a reference",
                found: n,
                needed: LEAST_BLOCKS,
            });
        }
        if let Some(&value) = sessions.iter().copied().flatten().find(|x| !x.is_finite()) {
            return Err(DriftError::NotFinite { value });
        }
        let mean_of = |blocks: &[f64]| blocks.iter().sum::<f64>() / blocks.len() as f64;
        let means: Vec<f64> = sessions.iter().map(|blocks| mean_of(blocks)).collect();
        let mean = sessions.iter().copied().flatten().sum::<f64>() / n as f64;
        let (mut squares, mut products) = (0.0, 0.0);
        for (blocks, mean) in sessions.iter().zip(&means) {
            squares += blocks.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
            products += blocks
                .windows(2)
                .map(|pair| (pair[0] - mean) * (pair[1] - mean))
                .sum::<f64>();
        }
        let scatter = (squares / (n - sessions.len()) as f64).sqrt();
        let sd = scatter.max(floor).max(f64::MIN_POSITIVE);
        let n_sessions = sessions.len();
        let bias = n_sessions as f64 / n as f64;
        let raw = if squares > 0.0 {
            products / squares + bias
        } else {
            0.0
        };
        let correlation = raw.clamp(0.0, MAX_CORRELATION);
        let innovations = if scatter < sd {
            // It moves less than it can be measured, so chance is taken to move it by as much as that.
            normal_scores(64, sd * (1.0 - correlation * correlation).sqrt())
        } else {
            let residuals = residuals(&sessions, &means, correlation);
            scaled(residuals, sd * (1.0 - correlation * correlation).sqrt())
        };
        Ok(Self {
            n,
            n_sessions,
            mean,
            sd,
            correlation,
            session_sd: scatter_of_sessions(&sessions, &means, sd, correlation),
            innovations,
        })
    }

    /// Blocks.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Sessions.
    #[must_use]
    pub fn n_sessions(&self) -> usize {
        self.n_sessions
    }

    /// The mean of all blocks.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The scatter of blocks within sessions (n - 1), at least the feature's resolution.
    #[must_use]
    pub fn sd(&self) -> f64 {
        self.sd
    }

    /// The correlation of neighbouring blocks, in 0 to .7.
    #[must_use]
    pub fn correlation(&self) -> f64 {
        self.correlation
    }

    /// How far the mean may be off: `s sqrt((1 + r)/(1 - r)/n)`.
    #[must_use]
    pub fn mean_sd(&self) -> f64 {
        self.sd * ((1.0 + self.correlation) / (1.0 - self.correlation) / self.n as f64).sqrt()
    }

    /// How far the means of sessions scatter beyond what scatter and correlation within them explain; 0 of one session,
    /// which cannot know.
    #[must_use]
    pub fn session_sd(&self) -> f64 {
        self.session_sd
    }

    /// The allowance of a chart, widened for a scatter between sessions: `k + c s_b/s`, where c is 1.5 below six sessions
    /// and 1 from six on. Where sessions lie apart by .2 frame sd, an allowance that is not widened alarms in every second.
    #[must_use]
    pub fn allowance(&self, k: f64) -> f64 {
        let c = if self.n_sessions < MANY_SESSIONS { 1.5 } else { 1.0 };
        k + c * self.session_sd / self.sd
    }

    /// A stream of chance like this reference, as distances from its mean.
    pub(super) fn sieve(&self, random: &mut Random) -> Sieve<'_> {
        let mut sieve = Sieve {
            correlation: self.correlation,
            innovations: &self.innovations,
            distance: 0.0,
        };
        (0..WARM_UP).for_each(|_| {
            sieve.next(random);
        });
        sieve
    }
}

/// A stream of distances from a reference's mean.
pub(super) struct Sieve<'a> {
    correlation: f64,
    innovations: &'a [f64],
    distance: f64,
}

impl Sieve<'_> {
    pub(super) fn next(&mut self, random: &mut Random) -> f64 {
        let drawn = self.innovations[random.below(self.innovations.len())];
        self.distance = self.correlation * self.distance + drawn;
        self.distance
    }
}

/// What a block holds beyond what the one before it predicts.
fn residuals(sessions: &[&[f64]], means: &[f64], correlation: f64) -> Vec<f64> {
    let of_session = |(blocks, mean): (&&[f64], &f64)| {
        let distances: Vec<f64> = blocks.iter().map(|x| x - mean).collect();
        let pairs = distances.windows(2);
        pairs
            .map(|pair| pair[1] - correlation * pair[0])
            .collect::<Vec<f64>>()
    };
    sessions.iter().zip(means).flat_map(of_session).collect()
}

/// Around 0, with this scatter.
fn scaled(mut residuals: Vec<f64>, sd: f64) -> Vec<f64> {
    let n = residuals.len() as f64;
    let mean = residuals.iter().sum::<f64>() / n;
    let found = (residuals.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / n).sqrt();
    if found > 0.0 {
        residuals.iter_mut().for_each(|e| *e = (*e - mean) * sd / found);
        residuals
    } else {
        normal_scores(64, sd)
    }
}

/// Normal numbers that are none of chance: quantiles in equal steps.
fn normal_scores(n: usize, sd: f64) -> Vec<f64> {
    let share = |i: usize| (i as f64 + 0.5) / n as f64;
    (0..n)
        .filter_map(|i| Some(sd * normal_quantile(share(i))?))
        .collect()
}

fn scatter_of_sessions(sessions: &[&[f64]], means: &[f64], sd: f64, correlation: f64) -> f64 {
    let count = means.len() as f64;
    if means.len() < 2 {
        return 0.0;
    }
    let mean = means.iter().sum::<f64>() / count;
    let found = means.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (count - 1.0);
    let inverse_length = sessions
        .iter()
        .map(|blocks| 1.0 / blocks.len() as f64)
        .sum::<f64>()
        / count;
    let explained = sd * sd * (1.0 + correlation) / (1.0 - correlation) * inverse_length;
    (found - explained).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(seed: u64, n: usize, correlation: f64) -> Vec<f64> {
        let mut random = Random::new(seed);
        let mut x = random.normal();
        let fresh = (1.0 - correlation * correlation).sqrt();
        (0..n)
            .map(|_| {
                x = correlation * x + fresh * random.normal();
                5.0 + 2.0 * x
            })
            .collect()
    }

    #[test]
    fn a_reference_knows_its_law() {
        let reference = Reference::of(&stream(1, 4000, 0.4), 0.0).unwrap();
        assert!((reference.mean() - 5.0).abs() < 0.2, "{}", reference.mean());
        assert!((reference.sd() - 2.0).abs() < 0.1, "{}", reference.sd());
        assert!(
            (reference.correlation() - 0.4).abs() < 0.05,
            "{}",
            reference.correlation()
        );
        // Its streams have it too.
        let mut random = Random::new(2);
        let mut sieve = reference.sieve(&mut random);
        let drawn: Vec<f64> = (0..20_000).map(|_| sieve.next(&mut random)).collect();
        let again = Reference::of(&drawn, 0.0).unwrap();
        assert!(again.mean().abs() < 0.15 && (again.sd() - reference.sd()).abs() < 0.08);
        assert!((again.correlation() - reference.correlation()).abs() < 0.03);
    }

    #[test]
    fn sessions_that_lie_apart_widen_the_allowance() {
        let session =
            |seed: u64, level: f64| -> Vec<f64> { stream(seed, 80, 0.2).iter().map(|x| x + level).collect() };
        let alike: Vec<Vec<f64>> = (10..18).map(|seed| session(seed, 0.0)).collect();
        let apart: Vec<Vec<f64>> = (10..18)
            .map(|seed| session(seed, if seed % 2 == 0 { 3.0 } else { -3.0 }))
            .collect();
        let of = |sessions: &[Vec<f64>]| {
            let sessions: Vec<&[f64]> = sessions.iter().map(Vec::as_slice).collect();
            Reference::of_sessions(&sessions, 0.0).unwrap()
        };
        let (alike, apart) = (of(&alike), of(&apart));
        assert!(alike.allowance(0.5) < 0.6, "{}", alike.allowance(0.5));
        // Levels of 3 and -3 in eight sessions scatter by 3.2, which is 1.6 of the sd within.
        assert!((apart.session_sd() - 3.2).abs() < 0.3, "{}", apart.session_sd());
        assert!(
            (apart.allowance(0.5) - 2.1).abs() < 0.2,
            "{}",
            apart.allowance(0.5)
        );
        assert!(
            (apart.sd() - alike.sd()).abs() < 1e-9,
            "levels are no scatter within"
        );
        let few = Reference::of_sessions(&[&session(1, 3.0), &session(2, -3.0)], 0.0).unwrap();
        assert!(few.allowance(0.5) > 0.5 + 1.2 * few.session_sd() / few.sd());
    }

    #[test]
    fn what_never_moves_scatters_by_its_resolution() {
        let reference = Reference::of(&[3.0; 40], 0.25).unwrap();
        assert_eq!(
            (reference.mean(), reference.sd(), reference.correlation()),
            (3.0, 0.25, 0.0)
        );
        let mut random = Random::new(1);
        let mut sieve = reference.sieve(&mut random);
        let drawn: Vec<f64> = (0..4000).map(|_| sieve.next(&mut random)).collect();
        assert!((Reference::of(&drawn, 0.0).unwrap().sd() - 0.25).abs() < 0.02);
        assert!(Reference::of(&[3.0; 40], 0.0).unwrap().sd() > 0.0);
    }

    #[test]
    fn too_little_and_undefined_references_are_refused() {
        assert!(matches!(
            Reference::of(&[1.0; 7], 0.1),
            Err(DriftError::TooFew { found: 7, .. })
        ));
        assert!(matches!(Reference::of(&[], 0.1), Err(DriftError::TooFew { .. })));
        let mut blocks = stream(1, 30, 0.0);
        blocks[4] = f64::NAN;
        assert!(matches!(
            Reference::of(&blocks, 0.1),
            Err(DriftError::NotFinite { .. })
        ));
    }

    #[test]
    fn blocks_are_as_long_as_the_memory_asks() {
        assert_eq!(block_secs(None), 5.0);
        assert_eq!(block_secs(Some(1.0)), 5.0);
        assert_eq!(block_secs(Some(4.0)), 12.0);
        assert_eq!(effective_n(13.0, Some(0.2)), 6.5);
        assert_eq!(effective_n(60.0, Some(3.0)), 10.0);
        assert_eq!(effective_n(1.0, None), 2.0);
    }
}
