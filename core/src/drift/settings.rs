//! Settings of detectors by name, as text: `--set delta=0.01`. Names are river's.

use super::DriftError;

/// The settings that were given for one detector, taken one by one; what nobody takes is unknown.
pub(super) struct Given<'a> {
    detector: &'static str,
    left: Vec<&'a (String, String)>,
    known: Vec<&'static str>,
}

impl<'a> Given<'a> {
    pub(super) fn new(detector: &'static str, settings: &'a [(String, String)]) -> Self {
        Self {
            detector,
            left: settings.iter().collect(),
            known: Vec::new(),
        }
    }

    /// The last value that was given for a name, which takes them all.
    fn take(&mut self, name: &'static str) -> Option<&'a str> {
        self.known.push(name);
        let last = self.left.iter().rev().find(|(given, _)| given == name);
        let value = last.map(|(_, value)| value.as_str());
        self.left.retain(|(given, _)| given != name);
        value
    }

    fn parsed<T: std::str::FromStr>(
        &mut self,
        name: &'static str,
        otherwise: T,
        must: &'static str,
    ) -> Result<T, DriftError> {
        let Some(value) = self.take(name) else {
            return Ok(otherwise);
        };
        value
            .parse()
            .map_err(|_| DriftError::setting(self.detector, name, value, must))
    }

    pub(super) fn number(&mut self, name: &'static str, otherwise: f64) -> Result<f64, DriftError> {
        self.parsed(name, otherwise, "a number")
    }

    pub(super) fn count(&mut self, name: &'static str, otherwise: u32) -> Result<u32, DriftError> {
        self.parsed(name, otherwise, "a whole number from 0 on")
    }

    /// `true`, `false`, or as Python writes them.
    pub(super) fn flag(&mut self, name: &'static str, otherwise: bool) -> Result<bool, DriftError> {
        match self.take(name) {
            None => Ok(otherwise),
            Some("true" | "True") => Ok(true),
            Some("false" | "False") => Ok(false),
            Some(value) => Err(DriftError::setting(self.detector, name, value, "true or false")),
        }
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        otherwise: T,
        words: &[(&str, T)],
        must: &'static str,
    ) -> Result<T, DriftError> {
        let Some(value) = self.take(name) else {
            return Ok(otherwise);
        };
        let found = words.iter().find(|(word, _)| *word == value);
        found
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| DriftError::setting(self.detector, name, value, must))
    }

    /// A number, or nothing where none is given or `none`.
    pub(super) fn optional_count(&mut self, name: &'static str) -> Result<Option<u32>, DriftError> {
        match self.take(name) {
            None | Some("none" | "None") => Ok(None),
            Some(value) => value
                .parse()
                .map(Some)
                .map_err(|_| DriftError::setting(self.detector, name, value, "a whole number, or none")),
        }
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), DriftError> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => Err(DriftError::UnknownSetting {
                detector: self.detector,
                name: name.clone(),
                known: self.known,
            }),
        }
    }
}
