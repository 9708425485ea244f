//! Sums of many numbers that keep their digits.
//!
//! A plain sum of a million numbers in 0 to 1 is off by about 1e-8; this one by about one rounding. Neumaier,
//! *Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen*, ZAMM 54 (1974).

use serde::{Deserialize, Serialize};

/// A compensated sum. Joins to rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    /// Adds a number.
    pub fn add(&mut self, x: f64) {
        let total = self.total + x;
        // What the larger of the two still has and the rounded sum has not.
        self.lost += if self.total.abs() >= x.abs() {
            (self.total - total) + x
        } else {
            (x - total) + self.total
        };
        self.total = total;
    }

    /// Adds all numbers of another sum.
    pub fn merge(&mut self, other: &Self) {
        self.add(other.total);
        self.lost += other.lost;
    }

    /// The sum.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.total + self.lost
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        let mut sum = Self::default();
        for x in numbers {
            sum.add(x);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neumaier's own example, for which Kahan's sum gives 0.
    #[test]
    fn small_numbers_survive_large_ones() {
        let sum: Sum = [1.0, 1e100, 1.0, -1e100].into_iter().collect();
        assert_eq!(sum.value(), 2.0);
    }

    #[test]
    fn parts_give_the_whole() {
        let numbers: Vec<f64> = (1..=100_000).map(|i| 1.0 / f64::from(i)).collect();
        let whole: Sum = numbers.iter().copied().collect();
        let mut joined = Sum::default();
        for part in numbers.chunks(777) {
            joined.merge(&part.iter().copied().collect());
        }
        // The 100,000th harmonic number, by its asymptotic series.
        let expected = 1e5f64.ln() + 0.577_215_664_901_532_9 + 1.0 / 2e5 - 1.0 / (12.0 * 1e10);
        assert!((whole.value() - expected).abs() < 1e-13, "{}", whole.value());
        assert!((joined.value() - expected).abs() < 1e-13, "{}", joined.value());
    }
}
