//! How far a number may be from the truth: Wilson's interval of a share, and the percentile bootstrap of anything.

use super::distributions::normal_quantile;
use super::quantiles::quantile_of_sorted;
use super::random::Random;
use serde::{Deserialize, Serialize};

/// Both ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a number lies inside, both ends included.
    #[must_use]
    pub fn holds(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }
}

/// Wilson's interval of a share of which `n_right` of `n` were seen: Wilson, *Probable inference, the law of succession,
/// and statistical inference*, JASA 22 (1927), without a correction for continuity. None of none, or where `level` is
/// not between 0 and 1. Equals scipy's `binomtest(..).proportion_ci(level, "wilson")`.
#[must_use]
pub fn wilson(n_right: u64, n: u64, level: f64) -> Option<Interval> {
    if n == 0 || n_right > n || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let z = normal_quantile(0.5 + level / 2.0)?;
    let (total, share) = (n as f64, n_right as f64 / n as f64);
    let scale = 1.0 + z * z / total;
    let middle = (share + z * z / (2.0 * total)) / scale;
    let half = z / scale * (share * (1.0 - share) / total + z * z / (4.0 * total * total)).sqrt();
    Some(Interval {
        low: if n_right == 0 { 0.0 } else { middle - half },
        high: if n_right == n { 1.0 } else { middle + half },
    })
}

/// The percentile bootstrap: Efron, *Bootstrap methods: another look at the jackknife*, Ann. Statist. 7 (1979).
///
/// `n_units` are drawn with replacement as often as there are, `n_draws` times; `statistic` is asked about each draw of
/// indices. A unit is what is independent: a picture or a clip, never a frame of one. Draws of which the statistic says
/// nothing are left out; where they are more than a tenth, so is the interval.
pub fn bootstrap(
    n_units: usize,
    n_draws: usize,
    level: f64,
    random: &mut Random,
    mut statistic: impl FnMut(&[usize]) -> Option<f64>,
) -> Option<Interval> {
    if n_units == 0 || n_draws == 0 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let mut drawn = vec![0; n_units];
    let mut values = Vec::with_capacity(n_draws);
    for _ in 0..n_draws {
        for index in &mut drawn {
            *index = random.below(n_units);
        }
        values.extend(statistic(&drawn).filter(|value| value.is_finite()));
    }
    if values.len() * 10 < n_draws * 9 {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Some(Interval {
        low: quantile_of_sorted(&values, tail)?,
        high: quantile_of_sorted(&values, 1.0 - tail)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interval of a mean of normal numbers has to hold the true one about as often as it says.
    #[test]
    fn bootstrap_intervals_hold_the_truth_as_often_as_they_say() {
        let mut random = Random::new(3);
        let n_held = (0..400)
            .filter(|_| {
                let numbers: Vec<f64> = (0..60).map(|_| random.normal()).collect();
                let mean = |drawn: &[usize]| Some(drawn.iter().map(|&i| numbers[i]).sum::<f64>() / 60.0);
                let interval = bootstrap(60, 400, 0.9, &mut Random::new(1), mean);
                interval.expect("a mean is always there").holds(0.0)
            })
            .count();
        // 360 expected, less a little for the percentile method at 60 units; three binomial sd are 18.
        assert!((335..=378).contains(&n_held), "{n_held} of 400");
    }

    #[test]
    fn a_statistic_that_is_often_silent_has_no_interval() {
        let mut calls = 0;
        let mut every_fifth_is_silent = |_: &[usize]| {
            calls += 1;
            (calls % 5 != 0).then_some(1.0)
        };
        assert_eq!(
            bootstrap(3, 100, 0.9, &mut Random::new(1), &mut every_fifth_is_silent),
            None
        );
        assert_eq!(bootstrap(0, 100, 0.9, &mut Random::new(1), |_| Some(1.0)), None);
    }

    #[test]
    fn no_share_without_a_count() {
        assert_eq!(wilson(0, 0, 0.95), None);
        assert_eq!(wilson(3, 2, 0.95), None);
        assert_eq!(wilson(1, 2, 1.0), None);
    }
}
