//! Durations in buckets of 2 %: percentiles within 1 % in three kilobytes, however many there were.
//!
//! Goes in: milliseconds. Comes out: counts of 707 buckets from 0.05 ms to 60 s, whose percentiles are named by the
//! bucket's geometric middle. Counts are integers, so two histograms join in any order to the same bits. The same idea as
//! DDSketch (Masson, Rim, Lee, VLDB 2019) with its range fixed.

use crate::monitor::snapshot::Percentiles;

/// Shortest duration that is told apart, milliseconds.
const SHORTEST_MILLIS: f64 = 0.05;
/// From bucket to bucket.
const GROWTH: f64 = 1.02;
/// The last one ends at a minute.
const BUCKETS: usize = 707;

/// How long things took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyHistogram {
    counts: Box<[u32; BUCKETS]>,
    n: u64,
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            n: 0,
        }
    }
}

impl LatencyHistogram {
    /// Counts a duration. Shorter and longer ones than it can tell apart go to the ends; what is no duration is left out.
    pub fn add(&mut self, millis: f64) {
        if !(millis.is_finite() && millis >= 0.0) {
            return;
        }
        let place = (millis.max(SHORTEST_MILLIS) / SHORTEST_MILLIS).ln() / GROWTH.ln();
        let bucket = (place as usize).min(BUCKETS - 1);
        self.counts[bucket] = self.counts[bucket].saturating_add(1);
        self.n += 1;
    }

    /// Adds the durations of another.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
            *count = count.saturating_add(*more);
        }
        self.n += other.n;
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.n = 0;
    }

    /// Durations counted.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The duration that a share `p` of all does not exceed, by nearest rank. None of none.
    pub fn percentile_millis(&self, p: f64) -> Option<f64> {
        let rank = ((p.clamp(0.0, 1.0) * self.n as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|&count| {
            seen += u64::from(count);
            seen >= rank
        })?;
        Some(SHORTEST_MILLIS * GROWTH.powf(bucket as f64 + 0.5))
    }

    /// Median, 95th and 99th percentile. None of none.
    pub fn percentiles(&self) -> Option<Percentiles> {
        Some(Percentiles {
            p50_millis: self.percentile_millis(0.5)?,
            p95_millis: self.percentile_millis(0.95)?,
            p99_millis: self.percentile_millis(0.99)?,
            n: self.n,
        })
    }

    /// Memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.counts.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    #[test]
    fn percentiles_are_within_a_hundredth() {
        let mut random = Random::new(5);
        let mut durations: Vec<f64> = (0..5_000).map(|_| (3.0 + random.normal()).exp()).collect();
        let mut histogram = LatencyHistogram::default();
        durations.iter().for_each(|&millis| histogram.add(millis));
        durations.sort_unstable_by(f64::total_cmp);
        for p in [0.01, 0.5, 0.95, 0.99, 1.0] {
            let exact = durations[((p * 5_000.0_f64).ceil() as usize).max(1) - 1];
            let found = histogram.percentile_millis(p).expect("there are durations");
            assert!(
                (found / exact - 1.0).abs() <= 0.01,
                "{p}: {found}, exactly {exact}"
            );
        }
        let found = histogram.percentiles().expect("there are durations");
        assert!(found.p50_millis < found.p95_millis && found.p95_millis < found.p99_millis);
    }

    #[test]
    fn histograms_join_in_any_order() {
        let part = |seed: u64| {
            let mut random = Random::new(seed);
            let mut histogram = LatencyHistogram::default();
            (0..100).for_each(|_| histogram.add(40.0 * random.uniform()));
            histogram
        };
        let joined = |seeds: [u64; 3]| {
            let mut whole = LatencyHistogram::default();
            seeds.into_iter().for_each(|seed| whole.merge(&part(seed)));
            whole
        };
        assert_eq!(joined([1, 2, 3]), joined([3, 1, 2]));
        assert_eq!(joined([1, 2, 3]).n(), 300);
    }

    #[test]
    fn what_is_no_duration_is_left_out_and_extremes_go_to_the_ends() {
        let mut histogram = LatencyHistogram::default();
        for millis in [f64::NAN, f64::INFINITY, -1.0] {
            histogram.add(millis);
        }
        assert_eq!(histogram.percentiles(), None);
        histogram.add(0.0);
        histogram.add(1e9);
        assert!(histogram.percentile_millis(0.0).is_some_and(|low| low < 0.052));
        assert!(
            histogram
                .percentile_millis(1.0)
                .is_some_and(|high| high > 59_000.0)
        );
        assert!(histogram.bytes() < 3 * 1024);
    }
}
