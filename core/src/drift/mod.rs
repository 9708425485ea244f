//! Whether what comes now is still like what came before: detectors of one stream, charts and tests against a reference,
//! and how often they alarm by chance.
//!
//! ```text
//! numbers ------------------------------> detector (adwin … fhddm, cusum, e_detector) -> Signal
//! block means of a reference -> sieve -> calibrate -> threshold of a cusum
//! histograms of two times ----> two_sample, null -> p, q
//! certainties without labels -> cbpe -> how many joints are right
//! ```
//!
//! The seven detectors of river give the indices of river 0.23.0, quirks included ([`Detector`]). Nothing here takes
//! frames for independent: charts run on block means ([`block_secs`]), and what they count as chance is what their own
//! reference shows.

use std::fmt;

use crate::metrics::MetricError;

mod adwin;
pub mod calibrate;
pub mod cbpe;
mod cusum;
mod ddm;
mod detector;
mod e_detector;
mod eddm;
mod fhddm;
mod hddm_a;
mod hddm_w;
pub mod kernel;
pub mod null;
mod page_hinkley;
pub mod run_length;
mod running_mean;
mod settings;
pub mod sieve;
pub mod two_sample;

pub use adwin::{Adwin, AdwinSettings};
pub use calibrate::{Calibration, CalibrationSettings, Sides, Threshold, calibrate};
pub use cusum::{AfterAlarm, Cusum, CusumSettings, Direction, siegmund_run_length};
pub use ddm::{Ddm, DdmSettings};
pub use detector::{AnyDetector, DETECTORS, Detector, Signal, State, Window};
pub use e_detector::{EDetector, EDetectorSettings};
pub use eddm::{Eddm, EddmSettings};
pub use fhddm::{Fhddm, FhddmSettings};
pub use hddm_a::{HddmA, HddmASettings};
pub use hddm_w::{HddmW, HddmWSettings};
pub use page_hinkley::{PageHinkley, PageHinkleyMode, PageHinkleySettings};
pub use sieve::{Reference, block_secs};

/// Why nothing can be said of drift.
#[derive(Clone, Debug, PartialEq)]
pub enum DriftError {
    /// A value is NaN or infinite.
    NotFinite {
        /// The value.
        value: f64,
    },
    /// A detector of right and wrong was given another number.
    NotBinary {
        /// The detector.
        detector: &'static str,
        /// The number.
        value: f64,
    },
    /// A value lies outside of what its detector is for.
    OutOfRange {
        /// The detector.
        detector: &'static str,
        /// The value.
        value: f64,
        /// What it must be.
        must: &'static str,
    },
    /// There is no such detector.
    UnknownDetector {
        /// The name that was given.
        name: String,
    },
    /// A detector has no such setting.
    UnknownSetting {
        /// The detector.
        detector: &'static str,
        /// The name that was given.
        name: String,
        /// The names that it has.
        known: Vec<&'static str>,
    },
    /// A setting is not what it must be.
    Setting {
        /// The detector.
        detector: &'static str,
        /// The setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it must be.
        must: &'static str,
    },
    /// There is too little to say anything.
    TooFew {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// Two things do not fit together.
    Mismatch {
        /// What they are.
        what: &'static str,
    },
    /// A metric says why it cannot be computed.
    Metric(MetricError),
    /// A stored state is of another version.
    Schema {
        /// The version that it names.
        found: u32,
        /// The one that is read.
        expected: u32,
    },
}

impl DriftError {
    fn setting(
        detector: &'static str,
        name: &'static str,
        value: impl fmt::Display,
        must: &'static str,
    ) -> Self {
        Self::Setting {
            detector,
            name,
            value: value.to_string(),
            must,
        }
    }
}

impl fmt::Display for DriftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite { value } => write!(
                f,
                "{value} is no finite number; leave such values out, or say what stands for them"
            ),
            Self::NotBinary { detector, value } => {
                write!(
                    f,
                    "{detector} takes 0 and 1 only, and this is {value}; give it wrong (1) or right (0) by case"
                )
            }
            Self::OutOfRange {
                detector,
                value,
                must,
            } => write!(f, "{detector} takes values {must}, and this is {value}"),
            Self::UnknownDetector { name } => {
                write!(
                    f,
                    "there is no detector '{name}'; there are {}",
                    DETECTORS.join(", ")
                )
            }
            Self::UnknownSetting {
                detector,
                name,
                known,
            } => {
                write!(
                    f,
                    "{detector} has no setting '{name}'; it has {}",
                    known.join(", ")
                )
            }
            Self::Setting {
                detector,
                name,
                value,
                must,
            } => {
                write!(f, "{name} of {detector} must be {must}, and '{value}' was given")
            }
            Self::TooFew { what, found, needed } => {
                write!(f, "{found} {what} are too few; at least {needed} are needed")
            }
            Self::Mismatch { what } => write!(f, "{what} do not fit together"),
            Self::Metric(error) => error.fmt(f),
            Self::Schema { found, expected } => {
                write!(
                    f,
                    "the state was stored as version {found}, and version {expected} is read; begin anew"
                )
            }
        }
    }
}

impl std::error::Error for DriftError {}

impl From<MetricError> for DriftError {
    fn from(error: MetricError) -> Self {
        Self::Metric(error)
    }
}

/// Every value must be finite: one NaN would blind a detector for ever.
fn finite(x: f64) -> Result<f64, DriftError> {
    if x.is_finite() {
        Ok(x)
    } else {
        Err(DriftError::NotFinite { value: x })
    }
}

/// Right (0) or wrong (1).
fn binary(detector: &'static str, x: f64) -> Result<bool, DriftError> {
    if x == 0.0 || x == 1.0 {
        Ok(x == 1.0)
    } else {
        Err(DriftError::NotBinary { detector, value: x })
    }
}

/// A setting that must hold a condition. A NaN holds none.
fn demand(
    holds: bool,
    detector: &'static str,
    name: &'static str,
    value: f64,
    must: &'static str,
) -> Result<(), DriftError> {
    if holds {
        Ok(())
    } else {
        Err(DriftError::setting(detector, name, value, must))
    }
}

/// A setting that is a confidence or probability.
fn demand_share(detector: &'static str, name: &'static str, value: f64) -> Result<(), DriftError> {
    demand(
        value > 0.0 && value < 1.0,
        detector,
        name,
        value,
        "between 0 and 1",
    )
}
