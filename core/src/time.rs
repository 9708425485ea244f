//! The time of a frame. It always comes from the source of the frames (camera, file, test), never from a clock here.

/// A moment in microseconds since an origin that the source of the frames chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    micros: i64,
}

impl Timestamp {
    /// A moment given in microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self { micros }
    }

    /// A moment given in seconds, rounded to a microsecond. Values that are not finite count as zero.
    pub fn from_secs(secs: f64) -> Self {
        Self {
            micros: (secs * 1e6).round() as i64,
        }
    }

    /// Microseconds since the origin.
    pub fn micros(self) -> i64 {
        self.micros
    }

    /// Seconds since the origin.
    pub fn secs(self) -> f64 {
        self.micros as f64 * 1e-6
    }

    /// Seconds from `earlier` to here; negative when `earlier` is in fact later.
    pub fn secs_since(self, earlier: Self) -> f64 {
        self.micros.saturating_sub(earlier.micros) as f64 * 1e-6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_microseconds_agree() {
        for (secs, micros) in [
            (0.0, 0),
            (1.0, 1_000_000),
            (0.033_333, 33_333),
            (-0.5, -500_000),
            (f64::NAN, 0),
        ] {
            assert_eq!(Timestamp::from_secs(secs).micros(), micros, "{secs}");
        }
        let (a, b) = (Timestamp::from_micros(250_000), Timestamp::from_micros(1_000_000));
        assert_eq!(b.secs_since(a), 0.75);
        assert_eq!(a.secs_since(b), -0.75);
    }
}
