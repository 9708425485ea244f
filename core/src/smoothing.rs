//! Smooths landmarks over time: a One-Euro filter for each coordinate, a low-pass filter for each visibility.
//!
//! The One-Euro filter (Casiez, Roussel and Vogel, CHI 2012) is a low-pass filter whose cutoff rises with speed: calm
//! when the body rests, prompt when it moves. As in MediaPipe's `OneEuroFilter`, the speed is taken against the previous
//! raw value, and it is measured in body sizes per second, so that one setting serves near and far subjects.

use std::f64::consts::TAU;

use crate::time::Timestamp;

/// Assumed until two frames tell the real rate, Hz.
const INITIAL_RATE_HZ: f64 = 30.0;
/// Weight of the new value in the low-pass filter of visibilities.
const VISIBILITY_ALPHA: f32 = 0.1;

/// How strongly coordinates are smoothed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneEuroSettings {
    /// Cutoff at rest, Hz.
    pub min_cutoff_hz: f64,
    /// How fast the cutoff rises with speed, in Hz per (body size per second).
    pub beta: f64,
    /// Cutoff of the speed's own filter, Hz.
    pub speed_cutoff_hz: f64,
}

/// For the 33 landmarks in the image (values of `pose_landmark_filtering.pbtxt`, as all settings here).
pub const IMAGE_SMOOTHING: OneEuroSettings = OneEuroSettings {
    min_cutoff_hz: 0.05,
    beta: 80.0,
    speed_cutoff_hz: 1.0,
};
/// For the two alignment points: heavier, so that the next region stays calm.
pub const ALIGNMENT_SMOOTHING: OneEuroSettings = OneEuroSettings {
    min_cutoff_hz: 0.01,
    beta: 10.0,
    speed_cutoff_hz: 1.0,
};
/// For the 33 landmarks in metres.
pub const WORLD_SMOOTHING: OneEuroSettings = OneEuroSettings {
    min_cutoff_hz: 0.1,
    beta: 40.0,
    speed_cutoff_hz: 1.0,
};

/// The filter of one coordinate.
#[derive(Clone, Copy, Debug)]
pub struct OneEuroFilter {
    settings: OneEuroSettings,
    rate_hz: f64,
    state: Option<OneEuroState>,
}

#[derive(Clone, Copy, Debug)]
struct OneEuroState {
    time: Timestamp,
    raw: f64,
    value: f64,
    speed: f64,
}

impl OneEuroFilter {
    /// A filter that has seen nothing yet.
    pub fn new(settings: OneEuroSettings) -> Self {
        Self {
            settings,
            rate_hz: INITIAL_RATE_HZ,
            state: None,
        }
    }

    /// The smoothed value. `values_per_body` converts the value's unit: its speed times this is in body sizes per
    /// second. A frame that is not later than the one before it comes back as it is and leaves no trace.
    pub fn apply(&mut self, raw: f64, values_per_body: f64, time: Timestamp) -> f64 {
        let Some(last) = self.state else {
            self.state = Some(OneEuroState {
                time,
                raw,
                value: raw,
                speed: 0.0,
            });
            return raw;
        };
        let elapsed_secs = time.secs_since(last.time);
        if elapsed_secs <= 0.0 {
            return raw;
        }
        self.rate_hz = 1.0 / elapsed_secs;
        let raw_speed = (raw - last.raw) * values_per_body * self.rate_hz;
        let speed = mix(raw_speed, last.speed, self.alpha(self.settings.speed_cutoff_hz));
        let cutoff_hz = self.settings.min_cutoff_hz + self.settings.beta * speed.abs();
        let value = mix(raw, last.value, self.alpha(cutoff_hz));
        self.state = Some(OneEuroState {
            time,
            raw,
            value,
            speed,
        });
        value
    }

    /// Weight of the new value in a low-pass filter of this cutoff at the present rate.
    fn alpha(&self, cutoff_hz: f64) -> f64 {
        1.0 / (1.0 + self.rate_hz / (TAU * cutoff_hz))
    }
}

/// `alpha` of the new value, the rest of the old one.
fn mix(new: f64, old: f64, alpha: f64) -> f64 {
    alpha * new + (1.0 - alpha) * old
}

/// The filters of `N` points in space.
#[derive(Clone, Debug)]
pub struct PointSmoother<const N: usize> {
    settings: OneEuroSettings,
    coordinates: [[OneEuroFilter; 3]; N],
}

impl<const N: usize> PointSmoother<N> {
    /// Filters that have seen nothing yet.
    pub fn new(settings: OneEuroSettings) -> Self {
        Self {
            settings,
            coordinates: [[OneEuroFilter::new(settings); 3]; N],
        }
    }

    /// Forgets everything: the next frame starts afresh.
    pub fn reset(&mut self) {
        *self = Self::new(self.settings);
    }

    /// Smooths point `index`; `values_per_body` as in [`OneEuroFilter::apply`].
    pub fn apply(
        &mut self,
        index: usize,
        point: [f32; 3],
        values_per_body: f64,
        time: Timestamp,
    ) -> [f32; 3] {
        let filters = &mut self.coordinates[index];
        std::array::from_fn(|axis| filters[axis].apply(f64::from(point[axis]), values_per_body, time) as f32)
    }
}

/// The low-pass filters of `N` visibilities.
#[derive(Clone, Debug)]
pub struct VisibilitySmoother<const N: usize> {
    values: [Option<f32>; N],
}

impl<const N: usize> VisibilitySmoother<N> {
    /// Filters that have seen nothing yet.
    pub fn new() -> Self {
        Self { values: [None; N] }
    }

    /// Forgets everything: the next frame starts afresh.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// The smoothed visibility of point `index`.
    pub fn apply(&mut self, index: usize, visibility: f32) -> f32 {
        let smoothed = match self.values[index] {
            Some(old) => VISIBILITY_ALPHA * visibility + (1.0 - VISIBILITY_ALPHA) * old,
            None => visibility,
        };
        self.values[index] = Some(smoothed);
        smoothed
    }
}

impl<const N: usize> Default for VisibilitySmoother<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Microseconds and values; the fourth frame repeats the third's time.
    const SAMPLES: [(i64, f64); 7] = [
        (33_333, 100.0),
        (66_666, 101.0),
        (99_999, 103.0),
        (99_999, 150.0),
        (133_332, 103.5),
        (333_332, 90.0),
        (366_665, 90.0),
    ];

    /// Expected values come from a separate Python program written from the filter's equations.
    #[test]
    fn one_euro_matches_the_table() {
        let cases = [
            (
                IMAGE_SMOOTHING,
                1.0,
                1.0 / 400.0,
                [
                    100.0,
                    100.185_723,
                    101.268_799,
                    150.0,
                    102.129_401,
                    91.367_751,
                    90.655_659,
                ],
            ),
            (
                ALIGNMENT_SMOOTHING,
                1.0,
                1.0 / 400.0,
                [
                    100.0,
                    100.028_462,
                    100.245_995,
                    150.0,
                    100.485_003,
                    95.273_539,
                    94.639_977,
                ],
            ),
            (
                WORLD_SMOOTHING,
                0.01,
                1.0,
                [1.0, 1.003_133, 1.018_066, 1.5, 1.027_493, 0.907_618, 0.902_401],
            ),
        ];
        for (settings, unit, values_per_body, expected) in cases {
            let mut filter = OneEuroFilter::new(settings);
            for ((micros, value), expected) in SAMPLES.into_iter().zip(expected) {
                let smoothed = filter.apply(value * unit, values_per_body, Timestamp::from_micros(micros));
                assert!(
                    (smoothed - expected).abs() < 1e-5,
                    "{settings:?} at {micros}: {smoothed}"
                );
            }
        }
    }

    #[test]
    fn points_are_smoothed_one_by_one_until_reset() {
        let mut smoother = PointSmoother::<2>::new(IMAGE_SMOOTHING);
        let (first, second) = (Timestamp::from_micros(33_333), Timestamp::from_micros(66_666));
        assert_eq!(
            smoother.apply(0, [100.0, 0.0, -100.0], 1.0 / 400.0, first),
            [100.0, 0.0, -100.0]
        );
        let smoothed = smoother.apply(0, [101.0, 0.0, -101.0], 1.0 / 400.0, second);
        assert!((smoothed[0] - 100.185_72).abs() < 1e-4 && (smoothed[2] + 100.185_72).abs() < 1e-4);
        assert_eq!(smoother.apply(1, [7.0, 8.0, 9.0], 1.0, second), [7.0, 8.0, 9.0]);
        smoother.reset();
        assert_eq!(smoother.apply(0, [1.0, 2.0, 3.0], 1.0, second), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn visibility_follows_slowly() {
        let mut smoother = VisibilitySmoother::<1>::new();
        let smoothed = [1.0, 0.0, 0.0].map(|visibility| smoother.apply(0, visibility));
        for (value, expected) in smoothed.into_iter().zip([1.0, 0.9, 0.81]) {
            assert!((value - expected).abs() < 1e-6);
        }
        smoother.reset();
        assert_eq!(smoother.apply(0, 0.25), 0.25);
    }
}
