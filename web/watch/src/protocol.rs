//! What `/monitor` and the worker that watches a session say to each other, over a port of their own.
//!
//! Messages cross as JSON text ([`plumbline_web::platform::message`]), because there is one a block; an evidence pack rides
//! along as bytes. Everything that a person can ask of the monitor stands here.

use std::collections::BTreeMap;

use plumbline_core::monitor::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToMonitor {
    /// Somebody looks: a snapshot now, and one after each block.
    Open,
    /// Nobody looks any more.
    Close,
    /// A person has understood an alarm.
    Acknowledge {
        /// Its number.
        alarm: u64,
    },
    /// Spoil the picture so, from the next frame on. Nothing in it ends the spoiling.
    Break {
        /// Severities of 1 to 5 by the corruption's id.
        severities: BTreeMap<String, u8>,
    },
    /// Compare with this session from now on, as a draft.
    UseAsReference,
    /// Compare with nothing.
    ForgetReference,
    /// Answers of the datasheet, by the question's id.
    Describe {
        /// All of them.
        answers: BTreeMap<String, String>,
    },
    /// Freeze the draft. Answered by [`FromMonitor::Refused`] where something is missing.
    Freeze,
    /// The reference as a file. Answered by [`FromMonitor::File`].
    Export,
    /// Compare with the reference in this text.
    Import {
        /// A profile as JSON.
        text: String,
    },
    /// Everything that is recorded, as a zip. Answered by [`FromMonitor::File`].
    Evidence,
    /// Keep the feature log and the audit log on this device.
    Keep {
        /// Or no longer.
        is_on: bool,
    },
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromMonitor {
    /// What there is to see.
    Snapshot {
        /// As the monitor gives it.
        snapshot: Box<Snapshot>,
        /// How far the search for the charts' thresholds is, 0 to 1; none where there is none.
        search: Option<f64>,
    },
    /// A file to hand to the person; its bytes ride along.
    File {
        /// Its name.
        name: String,
    },
    /// It was not done.
    Refused {
        /// Why, and what to do.
        sentence: String,
    },
    /// The picture is no longer spoiled.
    Spared {
        /// Why.
        sentence: String,
    },
    /// It was done, and is nothing that a snapshot shows.
    Done {
        /// What.
        sentence: String,
    },
}
