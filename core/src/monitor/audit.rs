//! The audit log: every change of a model, alarm, export and upload, as lines that cannot be changed unseen.
//!
//! A line is JSON `{seq, at, kind, what, before, hash}` where `hash` is SHA-256 over `before`, which is the hash of the line
//! before, and the canonical JSON of the rest. A changed, lost or moved line breaks the chain at its place. Old lines may be
//! removed from the front: a line of the kind `trimmed` then carries the hash of the last one that was removed, so that
//! the rest still holds. It shows that something was changed, not who did it: whoever can write the file can write
//! all of it anew.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::monitor::canonical::{canonical, is_sha256_hex, sha256_hex};
use crate::monitor::snapshot::AuditView;

/// Before the first line.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Longest text of one record, bytes.
const MAX_WHAT_BYTES: usize = 2_000;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditKind {
    /// A model was added, refused or taken away.
    Model,
    /// A candidate became the current model.
    Promotion,
    /// The previous model runs again.
    RollBack,
    /// An alarm began, ended or was acknowledged.
    Alarm,
    /// The state changed.
    State,
    /// A reference was made, imported or replaced.
    Profile,
    /// A reference was frozen.
    Freeze,
    /// Something was written to a file that a person keeps.
    Export,
    /// Something was sent.
    Upload,
    /// Something was deleted.
    Delete,
    /// Settings of watching were changed.
    Settings,
    /// Lines before this one were removed because of their age.
    Trimmed,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Counts from 1, without gaps.
    pub seq: u64,
    /// When, seconds since 1970.
    pub at: u64,
    /// What it is about.
    pub kind: AuditKind,
    /// One sentence.
    pub what: String,
    /// Hash of the line before.
    pub before: String,
    /// Hash of this one.
    pub hash: String,
}

impl AuditRecord {
    fn expected_hash(&self) -> String {
        let rest = json!({"seq": self.seq, "at": self.at, "kind": self.kind, "what": self.what});
        sha256_hex(format!("{}{}", self.before, canonical(&rest)).as_bytes())
    }

    /// What the next line names as the one before it: a trimmed line stands for the last that was removed.
    fn link(&self) -> &str {
        match self.kind {
            AuditKind::Trimmed => &self.before,
            _ => &self.hash,
        }
    }

    /// As a line of the file, without its end.
    pub fn line(&self) -> String {
        let value = json!({
            "seq": self.seq, "at": self.at, "kind": self.kind, "what": self.what,
            "before": self.before, "hash": self.hash,
        });
        canonical(&value)
    }

    /// As a snapshot shows it.
    pub fn view(&self) -> AuditView {
        let kind = serde_json::to_value(self.kind).ok();
        AuditView {
            seq: self.seq,
            at_unix_secs: self.at,
            kind: kind
                .and_then(|kind| kind.as_str().map(str::to_owned))
                .unwrap_or_default(),
            what: self.what.clone(),
        }
    }
}

/// Where and how a log is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenAt {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub why: &'static str,
}

impl std::fmt::Display for BrokenAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the audit log is broken at line {}: {}; the lines before it hold, those from there on prove nothing",
            self.line, self.why
        )
    }
}

impl std::error::Error for BrokenAt {}

/// A log that grows at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLog {
    records: Vec<AuditRecord>,
}

impl AuditLog {
    /// Reads a log and checks every link.
    ///
    /// # Errors
    /// The first line that does not hold.
    pub fn read(text: &str) -> Result<Self, BrokenAt> {
        let mut log = Self::default();
        for (place, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let broken = |why| BrokenAt { line: place + 1, why };
            let record: AuditRecord =
                serde_json::from_str(line).map_err(|_| broken("it is no record in JSON"))?;
            let is_first = log.records.is_empty();
            let is_trimmed = is_first && record.kind == AuditKind::Trimmed;
            let before = log.records.last();
            if !is_sha256_hex(&record.before) {
                return Err(broken("the hash of the line before is no hash"));
            }
            if !is_trimmed && record.seq != before.map_or(1, |before| before.seq.saturating_add(1)) {
                return Err(broken("its number does not follow"));
            }
            if !is_trimmed && record.before != before.map_or(BEGINNING, AuditRecord::link) {
                return Err(broken("it does not follow the line before it"));
            }
            if record.hash != record.expected_hash() {
                return Err(broken("its text is not what was hashed"));
            }
            log.records.push(record);
        }
        Ok(log)
    }

    /// Writes a record.
    pub fn append(&mut self, at_unix_secs: u64, kind: AuditKind, what: &str) -> &AuditRecord {
        let before = self.records.last();
        let mut record = AuditRecord {
            seq: before.map_or(1, |before| before.seq + 1),
            at: at_unix_secs,
            kind,
            what: cut(what).to_owned(),
            before: before.map_or(BEGINNING, AuditRecord::link).to_owned(),
            hash: String::new(),
        };
        record.hash = record.expected_hash();
        self.records.push(record);
        &self.records[self.records.len() - 1]
    }

    /// Removes the records of before a moment, and says so in a line in their place. The others stay as they were written.
    /// True where something was removed.
    pub fn trim(&mut self, before_unix_secs: u64) -> bool {
        let old = self
            .records
            .iter()
            .take_while(|record| record.at < before_unix_secs)
            .count();
        // A log that was trimmed before and has nothing new to remove stays as it is.
        if old == 0 || (old == 1 && self.records[0].kind == AuditKind::Trimmed) {
            return false;
        }
        let last = &self.records[old - 1];
        let mut head = AuditRecord {
            seq: last.seq,
            at: last.at,
            kind: AuditKind::Trimmed,
            what: format!(
                "{} lines up to number {} were removed because of their age",
                old, last.seq
            ),
            before: last.link().to_owned(),
            hash: String::new(),
        };
        head.hash = head.expected_hash();
        self.records.splice(..old, [head]);
        true
    }

    /// All records, oldest first.
    pub fn records(&self) -> &[AuditRecord] {
        &self.records
    }

    /// The file.
    pub fn text(&self) -> String {
        self.records.iter().map(|record| record.line() + "\n").collect()
    }
}

/// The beginning of a text that is too long for a record.
fn cut(what: &str) -> &str {
    let mut end = what.len().min(MAX_WHAT_BYTES);
    while !what.is_char_boundary(end) {
        end -= 1;
    }
    &what[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> AuditLog {
        let mut log = AuditLog::default();
        for (at, kind, what) in [
            (100, AuditKind::Model, "lite was added"),
            (200, AuditKind::Alarm, "sharpness is lower than in the reference"),
            (300, AuditKind::Export, "evidence pack with \"quotes\" and\nlines"),
            (400, AuditKind::RollBack, "went back to full"),
        ] {
            log.append(at, kind, what);
        }
        log
    }

    #[test]
    fn a_log_is_read_as_it_was_written() {
        assert_eq!(AuditLog::read(&log().text()), Ok(log()));
        assert_eq!(AuditLog::read(""), Ok(AuditLog::default()));
        assert_eq!(log().records()[3].view().kind, "roll-back");
    }

    /// Every byte that is changed is seen; where one is harmless, the records are the same.
    #[test]
    fn every_change_is_seen() {
        let text = log().text();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            if let Ok(read) = AuditLog::read(&changed) {
                assert_eq!(read, log(), "byte {at}");
            }
        }
    }

    #[test]
    fn lines_cannot_be_lost_moved_or_put_in() {
        let text = log().text();
        let lines: Vec<&str> = text.lines().collect();
        for (order, line) in [
            (vec![0, 2, 3], 2),
            (vec![1, 2, 3], 1),
            (vec![0, 2, 1, 3], 2),
            (vec![0, 1, 1, 2, 3], 3),
        ] {
            let changed: Vec<&str> = order.iter().map(|&place| lines[place]).collect();
            let broken = AuditLog::read(&changed.join("\n")).expect_err("the chain is broken");
            assert_eq!(broken.line, line, "{order:?}");
        }
        assert!(AuditLog::read("{}").is_err() && AuditLog::read("no JSON").is_err());
        // The lines of another log have the right numbers, and another past.
        let mut other = AuditLog::default();
        for line in 0..4 {
            other.append(line, AuditKind::Model, "of another log");
        }
        let other = other.text();
        let spliced: Vec<&str> = lines[..2].iter().copied().chain(other.lines().skip(2)).collect();
        let broken = AuditLog::read(&spliced.join("\n")).expect_err("the chain is broken");
        assert_eq!(broken.line, 3);
    }

    #[test]
    fn old_lines_are_removed_and_the_rest_still_holds() {
        let mut trimmed = log();
        assert!(trimmed.trim(250));
        assert_eq!(trimmed.records().len(), 3);
        assert_eq!(trimmed.records()[0].kind, AuditKind::Trimmed);
        assert_eq!(trimmed.records()[0].before, log().records()[1].hash);
        assert_eq!(trimmed.records()[1..], log().records()[2..]);
        trimmed.append(500, AuditKind::Export, "again");
        let mut read = AuditLog::read(&trimmed.text()).expect("the chain holds");
        assert_eq!(read.records().last().map(|record| record.seq), Some(5));
        assert!(!read.trim(250));
        assert!(read.trim(350));
        assert!(AuditLog::read(&read.text()).is_ok());
        // In the middle, such a line heals nothing.
        let lines: Vec<String> = trimmed.text().lines().map(str::to_owned).collect();
        assert!(AuditLog::read(&[&lines[1], &lines[0]].map(String::as_str).join("\n")).is_err());
    }

    #[test]
    fn long_texts_are_cut_at_a_letter() {
        let mut log = AuditLog::default();
        log.append(0, AuditKind::Model, &"ä".repeat(1_500));
        assert_eq!(log.records()[0].what.len(), MAX_WHAT_BYTES);
        assert!(AuditLog::read(&log.text()).is_ok());
    }
}
