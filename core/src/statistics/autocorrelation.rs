//! How long a stream remembers: correlation of neighbours, and the correlation time without keeping the stream.
//!
//! The integrated correlation time is `tau = dt · (1/2 + Σ r_k)`: a mean over T seconds is worth T / (2 tau) independent
//! values. [`Dyadic`] finds it by blocking (Flyvbjerg and Petersen, *Error estimates on averages of correlated data*, J.
//! Chem. Phys. 91, 1989): means of 2^j neighbours have a variance of `2 tau / (2^j dt)` of the single values', once
//! they are longer than the memory.

use super::moments::Moments;
use serde::{Deserialize, Serialize};

/// The correlation of neighbours in a sample, `Σ d_t d_{t+1} / Σ d_t²`. None of fewer than three numbers or of equal ones.
#[must_use]
pub fn lag_one(numbers: &[f64]) -> Option<f64> {
    let mean = numbers.iter().copied().collect::<Moments>().mean()?;
    let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
    let products: f64 = numbers
        .windows(2)
        .map(|pair| (pair[0] - mean) * (pair[1] - mean))
        .sum();
    (numbers.len() > 2 && squares > 0.0).then(|| products / squares)
}

/// Levels of blocking: the longest means are of 2^13 values, 4.5 minutes at 30 a second.
const LEVELS: usize = 14;
/// A level with fewer means says nothing of their variance.
const LEAST_MEANS: u64 = 32;

/// Moments of means of 2^j neighbours, j = 0 to 13, and one value that waits for its neighbour at each level.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Dyadic {
    levels: [Level; LEVELS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Level {
    means: Moments,
    waiting: Option<f64>,
}

impl Dyadic {
    /// Takes the next value of the stream.
    pub fn add(&mut self, x: f64) {
        let mut mean = x;
        for level in &mut self.levels {
            level.means.add(mean);
            match level.waiting.take() {
                Some(before) => mean = (before + mean) / 2.0,
                None => {
                    level.waiting = Some(mean);
                    return;
                }
            }
        }
    }

    /// Begins anew behind a gap: what waits is dropped, what was counted stays.
    pub fn skip_gap(&mut self) {
        for level in &mut self.levels {
            level.waiting = None;
        }
    }

    /// Values taken.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.levels[0].means.n()
    }

    /// The integrated correlation time in seconds of a stream with a value each `dt_secs`, the largest that a level with
    /// at least 32 means gives; half a step where neighbours do not know of each other. None below 64 values, or where all are equal.
    ///
    /// Low for a memory that is long against the stream: for a true 6.65 s it finds 5.3 in 20 minutes, 4.2 in 10.
    #[must_use]
    pub fn correlation_secs(&self, dt_secs: f64) -> Option<f64> {
        let single = self.levels[0]
            .means
            .variance()
            .filter(|variance| *variance > 0.0)?;
        let largest = self
            .levels
            .iter()
            .zip(0..)
            .filter(|(level, _)| level.means.n() >= LEAST_MEANS)
            .filter_map(|(level, j)| Some(f64::from(1u32 << j) * level.means.variance()? / single))
            .reduce(f64::max)?;
        (self.n() >= 2 * LEAST_MEANS).then_some(largest * dt_secs / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::random::Random;

    #[test]
    fn neighbours_correlate_as_worked_out_by_hand() {
        // Distances from the mean 2: -1, 0, 1; products 0 + 0 over squares 2.
        assert_eq!(lag_one(&[1.0, 2.0, 3.0]), Some(0.0));
        // -1, 1, -1, 1: three products of -1 over four squares of 1.
        assert_eq!(lag_one(&[0.0, 2.0, 0.0, 2.0]), Some(-0.75));
        assert_eq!(lag_one(&[1.0, 1.0, 1.0]), None);
        assert_eq!(lag_one(&[1.0, 2.0]), None);
    }

    /// An AR(1) stream of coefficient phi has `tau = dt/2 · (1 + phi)/(1 - phi)`.
    #[test]
    fn correlation_times_of_known_streams_are_found() {
        let dt = 1.0 / 30.0;
        for (phi, low, high) in [(0.0, 0.9, 1.6), (0.9, 0.75, 1.5), (0.98, 0.65, 1.5)] {
            let mut random = Random::new(7);
            let mut dyadic = Dyadic::default();
            let mut x = 0.0;
            for _ in 0..36_000 {
                x = phi * x + (1.0f64 - phi * phi).sqrt() * random.normal();
                dyadic.add(x);
            }
            let truth = dt / 2.0 * (1.0 + phi) / (1.0 - phi);
            let ratio = dyadic.correlation_secs(dt).expect("36,000 values") / truth;
            assert!(low < ratio && ratio < high, "phi {phi}: {ratio} of the true time");
        }
    }

    #[test]
    fn short_and_constant_streams_have_no_correlation_time() {
        let mut dyadic = Dyadic::default();
        (0..63).for_each(|i| dyadic.add(f64::from(i % 5)));
        assert_eq!(dyadic.correlation_secs(1.0), None);
        dyadic.add(1.0);
        assert!(dyadic.correlation_secs(1.0).is_some());
        let mut constant = Dyadic::default();
        (0..1000).for_each(|_| constant.add(2.0));
        assert_eq!(constant.correlation_secs(1.0), None);
    }
}
