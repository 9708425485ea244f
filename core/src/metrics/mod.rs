//! How good a model is, from its predictions and the truth: the field's metrics, each agreeing with its reference package.
//!
//! ```text
//! rows of truth and prediction -> evaluator (one metric a file) -> result -> figures, curves, slices -> Report
//!                                  ^ merge: parts of a file, in any order
//! ```
//!
//! Everything is f64. What is not defined (a rank metric of one class, a mean of nothing) is an error or a figure without
//! a value and with a note, never a number. Evaluators merge in one of two ways, which each file's head names: *exactly*
//! (counts and kept rows: the same bits in any order) or *to rounding* (compensated sums: 1e-12).
//!
//! ```
//! use plumbline_core::metrics::{Evaluator, ranking::Ranking};
//!
//! let (mut morning, mut evening) = (Ranking::default(), Ranking::default());
//! morning.observe(0.8, true)?;
//! morning.observe(0.3, false)?;
//! evening.observe(0.5, true)?;
//! evening.observe(0.6, false)?;
//! morning.merge(&evening)?;
//! assert_eq!(morning.finish()?.auroc(), Ok(0.75));
//! # Ok::<(), plumbline_core::metrics::MetricError>(())
//! ```
//!
//! `tests/reference/monitor_metrics.py` writes what the reference packages give; `tests/tests/metrics.rs` holds us to it.

use std::fmt;

pub mod agreement;
pub mod calibration;
pub mod calibrator;
pub mod card;
pub mod coco;
#[cfg(feature = "metric_files")]
pub mod coco_json;
pub mod confusion;
pub mod csv;
pub mod detections;
pub mod evaluation;
pub mod frames;
pub mod isotonic;
pub mod joints;
pub mod masks;
pub mod oks;
pub mod probability;
pub mod ranking;
pub mod repetitions;
pub mod report;
pub mod segments;
pub mod slices;
pub mod temperature;
pub mod top_k;

pub use report::{Figure, Report};

/// Rows that one evaluator keeps at most, where it must keep rows.
pub const MAX_ROWS: u64 = 10_000_000;

/// Classes at most: the confusion matrix has the square of it.
pub const MAX_CLASSES: u64 = 4_096;

/// Takes observations one by one, can be joined with another of its kind, and gives a result.
pub trait Evaluator: Clone {
    /// What it finds.
    type Result;

    /// Takes over what `other` has seen, as if its observations had come here.
    ///
    /// # Errors
    /// [`MetricError::Mismatch`] where the two were not made with the same settings, [`MetricError::TooMany`].
    fn merge(&mut self, other: &Self) -> Result<(), MetricError>;

    /// The result of all observations so far.
    ///
    /// # Errors
    /// [`MetricError::Empty`] without observations; what else cannot be said of them.
    fn finish(&self) -> Result<Self::Result, MetricError>;
}

/// Why there is no number. Rows count from 1.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricError {
    /// Nothing to evaluate.
    Empty {
        /// What there is none of.
        what: &'static str,
    },
    /// A metric that ranks needs examples with and without the class.
    OneClass {
        /// The only class that there is.
        class: String,
    },
    /// A number is NaN or infinite.
    NotFinite {
        /// Which number.
        what: String,
        /// Where.
        row: u64,
    },
    /// A number is outside of what it can be.
    OutOfRange {
        /// Which number.
        what: String,
        /// Where.
        row: u64,
        /// What it is.
        value: f64,
        /// What it can be.
        range: &'static str,
    },
    /// Two things that must be equally many, large or long are not.
    Mismatch {
        /// Of what.
        what: String,
        /// How many there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// One side names what the other does not have.
    Unknown {
        /// What kind of thing.
        what: String,
        /// Its name.
        name: String,
    },
    /// A name that may occur once occurs twice.
    Duplicate {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// More than is read.
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many are read.
        limit: u64,
    },
    /// Text or JSON that is not of the expected form.
    Malformed {
        /// The line or entry, from 1; 0 where the whole is meant.
        row: u64,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// One of the above, in a file.
    In {
        /// The file's name.
        source: String,
        /// What is wrong there.
        error: Box<MetricError>,
    },
}

impl MetricError {
    /// The same, said of a file or stream.
    #[must_use]
    pub fn in_source(self, name: &str) -> Self {
        match self {
            Self::In { .. } => self,
            error => Self::In {
                source: name.to_owned(),
                error: Box::new(error),
            },
        }
    }

    /// The same number at another row: readers know the line of a file, evaluators only how many rows came before.
    #[must_use]
    pub fn at_row(mut self, line: u64) -> Self {
        if let Self::NotFinite { row, .. } | Self::OutOfRange { row, .. } = &mut self {
            *row = line;
        }
        self
    }
}

impl fmt::Display for MetricError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { what } => write!(out, "there are no {what} to evaluate"),
            Self::OneClass { class } => write!(
                out,
                "all examples are of class '{class}'; a ranking needs examples of another class too"
            ),
            Self::NotFinite { what, row } => {
                write!(
                    out,
                    "row {row}: {what} is not a finite number; mend or leave out the row"
                )
            }
            Self::OutOfRange {
                what,
                row,
                value,
                range,
            } => write!(out, "row {row}: {what} is {value}, and must be {range}"),
            Self::Mismatch {
                what,
                expected,
                found,
            } => write!(out, "{what}: expected {expected}, found {found}"),
            Self::Unknown { what, name } => write!(out, "{what}: {name}"),
            Self::Duplicate { what, id } => write!(out, "the {what} {id} occurs twice; each may occur once"),
            Self::TooMany { what, limit } => {
                write!(out, "there are more than {limit} {what}; evaluate them in parts")
            }
            Self::Malformed { row: 0, reason } => out.write_str(reason),
            Self::Malformed { row, reason } => write!(out, "row {row}: {reason}"),
            Self::In { source, error } => write!(out, "{source}: {error}"),
        }
    }
}

impl std::error::Error for MetricError {}

/// Nothing, if two sizes that must be the same are.
///
/// # Errors
/// [`MetricError::Mismatch`], which calls them `what`.
pub(crate) fn agree(what: &str, expected: usize, found: usize) -> Result<(), MetricError> {
    if expected == found {
        return Ok(());
    }
    Err(MetricError::Mismatch {
        what: what.to_owned(),
        expected: expected as u64,
        found: found as u64,
    })
}

/// `value`, if it is a finite number.
///
/// # Errors
/// [`MetricError::NotFinite`], which calls it `what`.
pub(crate) fn finite(value: f64, what: &str, row: u64) -> Result<f64, MetricError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(MetricError::NotFinite {
            what: what.to_owned(),
            row,
        })
    }
}

/// `part / whole`, or none where the whole is empty.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
