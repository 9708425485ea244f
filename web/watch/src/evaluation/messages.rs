//! What the page and the worker that evaluates say to each other: one request at a time, signs of life, one answer.
//!
//! Messages cross as JSON text; files ride along as the browser's objects.

use plumbline_core::metrics::report::Report;
use serde::{Deserialize, Serialize};

use super::recognise::Recognised;

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToEvaluator {
    /// Say what the files are that ride along. Answered by [`FromEvaluator::Looked`].
    Look,
    /// Evaluate the files that ride along, with what they are. Answered by [`FromEvaluator::Done`].
    Evaluate {
        /// As what: the task's id.
        task: String,
        /// One for each file, in their order.
        files: Vec<Recognised>,
    },
}

/// What the worker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Bytes come in from a file.
    Opening,
    /// Hashes are computed.
    Hashing,
    /// Text becomes rows.
    Reading,
    /// Rows become numbers.
    Counting,
}

impl Stage {
    /// As a person reads it.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Opening => "Opening the files",
            Self::Hashing => "Computing the files’ hashes",
            Self::Reading => "Reading rows",
            Self::Counting => "Computing metrics",
        }
    }
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromEvaluator {
    /// It is alive and at this.
    Sign {
        /// What it is at.
        stage: Stage,
        /// How far, of `total`; both 0 where nobody knows.
        done: u64,
        /// How far it has to go.
        total: u64,
    },
    /// What the files are, in their order.
    Looked(Vec<Recognised>),
    /// What the evaluation found.
    Done(Box<Report>),
    /// Its last words.
    Died {
        /// What it dies of.
        what: String,
    },
    /// The request came to nothing; the worker is well.
    Failed {
        /// What happened and what to do.
        sentence: String,
    },
}
