//! Frames per second and milliseconds per frame over the last moments, calm enough to read.

use std::collections::VecDeque;

/// How far back the meter looks.
const WINDOW_MILLIS: f64 = 2_000.0;

/// Collects the moments and costs of drawn results.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// (when drawn, milliseconds that the engine took), oldest first.
    samples: VecDeque<(f64, f64)>,
}

impl Meter {
    /// Notes a result drawn at `now_millis` (any steady clock) that cost `frame_millis`.
    pub fn record(&mut self, now_millis: f64, frame_millis: f64) {
        self.samples.push_back((now_millis, frame_millis));
        while self
            .samples
            .front()
            .is_some_and(|&(at, _)| now_millis - at > WINDOW_MILLIS)
        {
            self.samples.pop_front();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.samples.clear();
    }

    /// Results per second in the window; nothing before the second result.
    pub fn frames_per_second(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?.0, self.samples.back()?.0);
        let elapsed_secs = (last - first) / 1_000.0;
        (elapsed_secs > 0.0).then(|| (self.samples.len() - 1) as f64 / elapsed_secs)
    }

    /// Median cost of a frame in the window, in milliseconds.
    pub fn frame_millis(&self) -> Option<f64> {
        let mut costs: Vec<f64> = self.samples.iter().map(|&(_, cost)| cost).collect();
        if costs.is_empty() {
            return None;
        }
        costs.sort_by(f64::total_cmp);
        let middle = costs.len() / 2;
        Some(if costs.len() % 2 == 1 {
            costs[middle]
        } else {
            (costs[middle - 1] + costs[middle]) / 2.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_claimed_from_one_frame() {
        let mut meter = Meter::default();
        assert_eq!(meter.frame_millis(), None);
        meter.record(100.0, 31.0);
        assert_eq!(meter.frames_per_second(), None);
        assert_eq!(meter.frame_millis(), Some(31.0));
    }

    #[test]
    fn a_steady_stream_reads_as_its_rate() {
        let mut meter = Meter::default();
        for frame in 0..200 {
            meter.record(f64::from(frame) * 40.0, if frame % 10 == 0 { 90.0 } else { 20.0 });
        }
        let rate = meter.frames_per_second().expect("two hundred frames");
        assert!((rate - 25.0).abs() < 1e-9, "{rate}");
        assert_eq!(
            meter.frame_millis(),
            Some(20.0),
            "the median ignores the odd slow frame"
        );
    }

    #[test]
    fn old_frames_leave_the_window() {
        let mut meter = Meter::default();
        meter.record(0.0, 500.0);
        meter.record(10_000.0, 10.0);
        assert_eq!(meter.frame_millis(), Some(10.0));
        assert_eq!(meter.frames_per_second(), None);
    }
}
