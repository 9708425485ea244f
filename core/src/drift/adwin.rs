//! ADWIN: Bifet and Gavaldà, *Learning from time-changing data with adaptive windowing*, SIAM Data Mining 2007; as river
//! 0.23.0 computes it.
//!
//! The window is kept as buckets of 2^i values with their total and their sum of squared distances. Where two halves of
//! it have means further apart than chance allows, its oldest bucket goes, until none such are left. As river does, the
//! whole window is forgotten at the update after a detection, although the cut has kept the half that is still valid.

use super::settings::Given;
use super::{Detector, DriftError, Signal, Window, demand, demand_share, finite};
use serde::{Deserialize, Serialize};

const NAME: &str = "adwin";

/// Settings, by river's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdwinSettings {
    /// The chance of a cut where nothing changed.
    pub delta: f64,
    /// Cuts are looked for every so many values.
    pub clock: u32,
    /// Buckets of one size before two are joined.
    pub max_buckets: u32,
    /// The shortest part of the window that is compared.
    pub min_window_length: u32,
    /// No cut before so many values.
    pub grace_period: u32,
}

impl Default for AdwinSettings {
    fn default() -> Self {
        Self {
            delta: 0.002,
            clock: 32,
            max_buckets: 5,
            min_window_length: 5,
            grace_period: 10,
        }
    }
}

impl AdwinSettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let found = Self {
            delta: given.number("delta", default.delta)?,
            clock: given.count("clock", default.clock)?,
            max_buckets: given.count("max_buckets", default.max_buckets)?,
            min_window_length: given.count("min_window_length", default.min_window_length)?,
            grace_period: given.count("grace_period", default.grace_period)?,
        };
        given.finish()?;
        Ok(found)
    }
}

/// A bucket of 2^i values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bucket {
    total: f64,
    squares: f64,
}

/// ADWIN's window. At most 2^40 values are 40 rows of buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adwin {
    settings: AdwinSettings,
    /// Row i holds buckets of 2^i values, the oldest first.
    rows: Vec<Vec<Bucket>>,
    total: f64,
    squares: f64,
    width: f64,
    tick: u64,
    is_over: bool,
}

impl Adwin {
    /// A detector with an empty window.
    ///
    /// # Errors
    /// A setting is out of its range.
    pub fn new(settings: AdwinSettings) -> Result<Self, DriftError> {
        demand_share(NAME, "delta", settings.delta)?;
        let counts = [
            ("clock", settings.clock, 1, "at least 1"),
            // With one bucket a size, rows in between would run empty.
            ("max_buckets", settings.max_buckets, 2, "at least 2"),
            ("min_window_length", settings.min_window_length, 1, "at least 1"),
            ("grace_period", settings.grace_period, 1, "at least 1"),
        ];
        for (name, value, least, must) in counts {
            demand(value >= least, NAME, name, f64::from(value), must)?;
        }
        Ok(Self {
            settings,
            rows: vec![Vec::new()],
            total: 0.0,
            squares: 0.0,
            width: 0.0,
            tick: 0,
            is_over: false,
        })
    }

    /// The values that it looks back on, and their mean.
    #[must_use]
    pub fn window(&self) -> Window {
        Window {
            width: self.width as u64,
            estimation: if self.width > 0.0 {
                self.total / self.width
            } else {
                0.0
            },
        }
    }

    fn insert(&mut self, x: f64) {
        self.rows[0].push(Bucket {
            total: x,
            squares: 0.0,
        });
        self.width += 1.0;
        if self.width > 1.0 {
            let from_mean = x - self.total / (self.width - 1.0);
            self.squares += (self.width - 1.0) * from_mean * from_mean / self.width;
        }
        self.total += x;
        self.compress();
    }

    /// Joins the two oldest buckets of each row that has one too many.
    fn compress(&mut self) {
        let max = self.settings.max_buckets as usize;
        let mut n = 1.0;
        for row in 0.. {
            if self.rows[row].len() <= max {
                break;
            }
            if row + 1 == self.rows.len() {
                self.rows.push(Vec::with_capacity(max + 1));
            }
            let (a, b) = (self.rows[row][0], self.rows[row][1]);
            let apart = a.total / n - b.total / n;
            self.rows[row + 1].push(Bucket {
                total: a.total + b.total,
                squares: a.squares + b.squares + n * n * apart * apart / (n + n),
            });
            self.rows[row].drain(..2);
            n *= 2.0;
        }
    }

    /// Looks at every place between two buckets, from the oldest on; true where the means on both sides differ too much.
    fn has_cut(&self) -> bool {
        let (mut n0, mut u0) = (0.0, 0.0);
        let (mut n1, mut u1) = (self.width, self.total);
        let least = f64::from(self.settings.min_window_length);
        for (row, buckets) in self.rows.iter().enumerate().rev() {
            let size = (1u64 << row) as f64;
            for (place, bucket) in buckets.iter().enumerate() {
                n0 += size;
                n1 -= size;
                u0 += bucket.total;
                u1 -= bucket.total;
                if row == 0 && place + 1 == buckets.len() {
                    return false;
                }
                if n1 >= least && n0 >= least && self.is_apart(n0, n1, u0 / n0 - u1 / n1, least) {
                    return true;
                }
            }
        }
        false
    }

    fn is_apart(&self, n0: f64, n1: f64, between: f64, least: f64) -> bool {
        let d = (2.0 * self.width.ln() / self.settings.delta).ln();
        let m = 1.0 / (n0 - least + 1.0) + 1.0 / (n1 - least + 1.0);
        let bound = (2.0 * m * (self.squares / self.width) * d).sqrt() + 2.0 / 3.0 * d * m;
        between.abs() > bound
    }

    fn drop_oldest(&mut self) {
        let n = (1u64 << (self.rows.len() - 1)) as f64;
        let Some(last) = self.rows.last_mut().filter(|row| !row.is_empty()) else {
            return;
        };
        let bucket = last.remove(0);
        if last.is_empty() && self.rows.len() > 1 {
            self.rows.pop();
        }
        self.width -= n;
        self.total -= bucket.total;
        let apart = bucket.total / n - self.total / self.width;
        self.squares -= bucket.squares + n * self.width * apart * apart / (n + self.width);
    }
}

impl Detector for Adwin {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let x = finite(x)?;
        if self.is_over {
            self.reset();
        }
        self.insert(x);
        self.tick += 1;
        let is_time = self.tick.is_multiple_of(u64::from(self.settings.clock));
        if is_time && self.width > f64::from(self.settings.grace_period) {
            while self.has_cut() {
                self.is_over = true;
                self.drop_oldest();
            }
        }
        Ok(Signal {
            drift: self.is_over,
            warning: false,
        })
    }

    fn reset(&mut self) {
        self.rows.truncate(1);
        self.rows[0].clear();
        (self.total, self.squares, self.width) = (0.0, 0.0, 0.0);
        self.tick = 0;
        self.is_over = false;
    }
}
