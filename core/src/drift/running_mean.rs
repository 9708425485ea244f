//! River's running mean: `mean += (1/n)·(x - mean)`, with the rounding of the reciprocal, which dividing would not have.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RunningMean {
    pub(super) n: f64,
    pub(super) mean: f64,
}

impl RunningMean {
    pub(super) fn update(&mut self, x: f64) {
        self.n += 1.0;
        self.mean += (1.0 / self.n) * (x - self.mean);
    }
}
