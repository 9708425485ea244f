//! Why a model cannot be used, said so that somebody can act on it.
//!
//! Two cases are never mixed: *Invalid* means that the file breaks its own format (truncated, corrupted, not a
//! model at all); *Unsupported* means that the file is fine and this engine has a gap. Both name the place.

use std::fmt;

/// Which side the fault is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The file contradicts its format.
    Invalid,
    /// The file is well formed, but uses something that this engine does not do.
    Unsupported,
}

/// What the file leaves open, and the caller can give so that the model can be used after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A size, by the name under which it is to be given.
    Size(String),
    /// The value of an input that decides what the graph is, by the input's name.
    Value(String),
}

/// An error about a model: the kind, the place inside the model and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    kind: ErrorKind,
    place: String,
    message: String,
    missing: Option<Missing>,
}

impl ModelError {
    /// The file breaks its own format at `place`.
    pub fn invalid(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Invalid,
            place: place.into(),
            message: message.into(),
            missing: None,
        }
    }

    /// The file is fine; the engine cannot run what stands at `place`.
    pub fn unsupported(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Unsupported,
            place: place.into(),
            message: message.into(),
            missing: None,
        }
    }

    /// The same error, for the lack of something that the caller can give.
    pub fn with_missing(self, missing: Missing) -> Self {
        Self {
            missing: Some(missing),
            ..self
        }
    }

    /// What the caller can give, when that is all that the model lacks.
    pub fn missing(&self) -> Option<&Missing> {
        self.missing.as_ref()
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where in the model: `operator 12 (CONV_2D)`, `tensor 7`, `header`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong there, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ErrorKind::Invalid => "invalid model",
            ErrorKind::Unsupported => "unsupported model",
        };
        write!(f, "{kind}: {}: {}", self.place, self.message)
    }
}

impl std::error::Error for ModelError {}
