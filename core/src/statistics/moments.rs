//! Mean and variance of numbers that come one by one, in three numbers of memory.
//!
//! Welford, *Note on a method for calculating corrected sums of squares and products*, Technometrics 4 (1962); joined
//! after Chan, Golub and LeVeque, *Updating formulae and a pairwise algorithm for computing sample variances* (1979).

use serde::{Deserialize, Serialize};

/// How many numbers there were, their mean, and the sum of squared distances from it. Joins to rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes a number.
    pub fn add(&mut self, x: f64) {
        self.n += 1;
        let from_old = x - self.mean;
        self.mean += from_old / self.n as f64;
        self.squares += from_old * (x - self.mean);
    }

    /// Takes all numbers of another.
    pub fn merge(&mut self, other: &Self) {
        if self.n == 0 {
            *self = *other;
        } else if other.n > 0 {
            let (n, m) = (self.n as f64, other.n as f64);
            let distance = other.mean - self.mean;
            self.mean += distance * (m / (n + m));
            self.squares += other.squares + distance * distance * (n * m / (n + m));
            self.n += other.n;
        }
    }

    /// How many numbers were taken.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Their mean; none of none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then_some(self.mean)
    }

    /// The variance of what they are a sample of (divided by n - 1); none of fewer than two.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.squares / (self.n - 1) as f64)
    }

    /// The variance of the numbers themselves (divided by n); none of none.
    #[must_use]
    pub fn population_variance(&self) -> Option<f64> {
        (self.n > 0).then(|| self.squares / self.n as f64)
    }

    /// The root of [`Self::variance`].
    #[must_use]
    pub fn sd(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        let mut moments = Self::default();
        for x in numbers {
            moments.add(x);
        }
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST's NumAcc4 (Statistical Reference Datasets): numbers whose variance a plain sum of squares loses.
    /// Certified: mean 10000000.2, sd 0.1.
    #[test]
    fn large_numbers_keep_their_small_scatter() {
        let mut numbers = vec![10_000_000.2];
        for _ in 0..500 {
            numbers.extend([10_000_000.1, 10_000_000.3]);
        }
        let whole: Moments = numbers.iter().copied().collect();
        let mut joined = Moments::default();
        for part in numbers.chunks(97) {
            joined.merge(&part.iter().copied().collect());
        }
        for moments in [whole, joined] {
            assert_eq!(moments.n(), 1001);
            assert!((moments.mean().unwrap() - 10_000_000.2).abs() < 1e-8);
            assert!((moments.sd().unwrap() - 0.1).abs() < 2e-9);
        }
    }

    #[test]
    fn what_cannot_be_said_is_none() {
        let mut moments = Moments::default();
        assert_eq!((moments.mean(), moments.variance()), (None, None));
        moments.add(3.0);
        assert_eq!((moments.mean(), moments.variance()), (Some(3.0), None));
        assert_eq!(moments.population_variance(), Some(0.0));
        moments.merge(&Moments::default());
        assert_eq!(moments.n(), 1);
    }
}
