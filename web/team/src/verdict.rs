//! Whether two are faster than one on this machine: counted, not assumed.
//!
//! A second core may be busy with the page, with decoding, with other programs; then waiting for it costs more than it
//! gives. So runs of the model that is run most are timed alone first and then together, and the faster way is kept.

/// Runs of each kind that are compared. The first runs of a kind meet cold caches and are left out.
const RUNS: usize = 8;
const LEFT_OUT: usize = 3;
/// Together must take at most this part of the time alone, or it is not worth the second core.
const WORTH_IT: f64 = 0.85;

/// What is known so far.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    alone: Timed,
    together: Timed,
}

#[derive(Clone, Debug, Default)]
struct Timed {
    seen: usize,
    millis: Vec<f64>,
}

impl Timed {
    fn record(&mut self, millis: f64) {
        self.seen += 1;
        if self.seen > LEFT_OUT && self.millis.len() < RUNS {
            self.millis.push(millis);
        }
    }

    fn median(&self) -> Option<f64> {
        if self.millis.len() < RUNS {
            return None;
        }
        let mut sorted = self.millis.clone();
        sorted.sort_by(f64::total_cmp);
        Some((sorted[(RUNS - 1) / 2] + sorted[RUNS / 2]) / 2.0)
    }
}

impl Verdict {
    /// Records a run by one.
    pub fn ran_alone(&mut self, millis: f64) {
        self.alone.record(millis);
    }

    /// Records a run by all.
    pub fn ran_together(&mut self, millis: f64) {
        self.together.record(millis);
    }

    /// Whether enough runs by one are known, so that the others may join.
    pub fn knows_alone(&self) -> bool {
        self.alone.median().is_some()
    }

    /// Time together as a part of the time alone; nothing before enough runs of both.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.together.median()? / self.alone.median()?)
    }

    /// Whether the team goes on: it does until it is known to be no gain.
    pub fn goes_on(&self) -> bool {
        self.ratio().is_none_or(|ratio| ratio <= WORTH_IT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(alone: f64, together: f64, runs: usize) -> Verdict {
        let mut verdict = Verdict::default();
        (0..LEFT_OUT).for_each(|_| verdict.ran_alone(1000.0));
        (0..runs).for_each(|_| verdict.ran_alone(alone));
        (0..LEFT_OUT).for_each(|_| verdict.ran_together(1000.0));
        (0..runs).for_each(|_| verdict.ran_together(together));
        verdict
    }

    #[test]
    fn a_gain_is_kept_and_a_loss_is_not() {
        let gain = after(10.0, 5.5, RUNS);
        assert_eq!(gain.ratio(), Some(0.55));
        assert!(gain.goes_on());
        let loss = after(10.0, 9.0, RUNS);
        assert_eq!(loss.ratio(), Some(0.9));
        assert!(!loss.goes_on());
    }

    #[test]
    fn nothing_is_decided_before_enough_runs_of_both() {
        let early = after(10.0, 90.0, RUNS - 1);
        assert_eq!(early.ratio(), None);
        assert!(early.goes_on());
        assert!(!early.knows_alone());
    }
}
