//! What is kept of a session: rows of the feature log, the audit log, the evidence pack.

use crate::monitor::audit::{AuditKind, AuditLog};
use crate::monitor::blocks::Block;
use crate::monitor::canonical::canonical;
use crate::monitor::evidence::{EvidenceError, EvidenceFile, pack};
use crate::monitor::feature_log::{LogProvenance, LogRow, provenance_chunk, segment_chunk};
use crate::monitor::session::{HISTORY_BLOCKS, Monitor};

impl Monitor {
    /// Bytes for the end of today's file of the feature log ([`super::super::feature_log::header`] begins one). Whoever begins
    /// a new file asks with `is_new_file`, so that it says again what made the rows.
    pub fn take_log(&mut self, is_new_file: bool) -> Vec<u8> {
        let rows = std::mem::take(&mut self.log);
        if !is_new_file {
            return rows;
        }
        let mut bytes: Vec<u8> = self.provenances.iter().flat_map(provenance_chunk).collect();
        bytes.extend(without_provenances(&rows));
        bytes
    }

    pub(super) fn log_block(&mut self, block: &Block) {
        if !self.settings.is_logging {
            return;
        }
        let provenance = LogProvenance {
            model_sha256: self.registry.current().sha256.clone(),
            preprocessing: self.settings.preprocessing.clone(),
            backend: self.backend().to_owned(),
            app_version: self.settings.app_version.clone(),
        };
        let place = match self.provenances.iter().position(|known| *known == provenance) {
            Some(place) => place,
            None => {
                self.log.extend(provenance_chunk(&provenance));
                self.provenances.push(provenance);
                self.provenances.len() - 1
            }
        };
        let row = LogRow::of(block, self.unix_secs(block.start_secs), place as u16);
        self.log.extend(segment_chunk(&[row]));
        self.log_rows += 1;
    }

    /// The audit log.
    pub fn audit(&self) -> &AuditLog {
        &self.audit
    }

    /// Goes on with an audit log of before: this session's records follow its last one.
    pub fn continue_audit(&mut self, mut before: AuditLog) {
        for record in self.audit.records() {
            before.append(record.at, record.kind, &record.what);
        }
        self.audit_taken = before.records().len() - self.audit.records().len();
        self.audit = before;
    }

    /// Lines for the end of the audit log's file: what was written since the last call.
    pub fn take_audit(&mut self) -> String {
        let new = &self.audit.records()[self.audit_taken..];
        let lines = new.iter().map(|record| record.line() + "\n").collect();
        self.audit_taken = self.audit.records().len();
        lines
    }

    /// Something happened outside that belongs into the record: a file was deleted, a report exported.
    pub fn record(&mut self, at_unix_secs: u64, kind: AuditKind, what: &str) {
        self.note(at_unix_secs, kind, what);
    }

    /// Removes records of before a moment. True where the file must be written anew from [`Self::audit`].
    pub fn trim_audit(&mut self, before_unix_secs: u64) -> bool {
        let is_trimmed = self.audit.trim(before_unix_secs);
        if is_trimmed {
            self.audit_taken = self.audit.records().len();
        }
        is_trimmed
    }

    /// Everything that was recorded, as one zip: profile, alarms, state, audit log, and the files that are handed in (days of
    /// the feature log, cards, reports, the change plan).
    ///
    /// # Errors
    /// [`EvidenceError`].
    pub fn evidence(
        &mut self,
        files: Vec<EvidenceFile>,
        at_unix_secs: u64,
    ) -> Result<Vec<u8>, EvidenceError> {
        self.note(at_unix_secs, AuditKind::Export, "an evidence pack was made");
        let snapshot = self.snapshot(HISTORY_BLOCKS);
        let json = |value: &serde_json::Value| canonical(value).into_bytes();
        let value = |part: Result<serde_json::Value, serde_json::Error>| part.unwrap_or_default();
        let mut all = vec![
            EvidenceFile::new("snapshot.json", json(&value(serde_json::to_value(&snapshot)))),
            EvidenceFile::new(
                "alarms.json",
                json(&value(serde_json::to_value(&snapshot.alarms))),
            ),
            EvidenceFile::new(
                "models.json",
                json(&value(serde_json::to_value(&snapshot.registry))),
            ),
            EvidenceFile::new("audit.jsonl", self.audit.text()),
        ];
        if let Some(profile) = &self.profile {
            all.push(EvidenceFile::new("profile.json", profile.text()));
        }
        all.extend(files);
        pack(&all, &self.settings.app_version, at_unix_secs)
    }
}

/// Chunks of segments only: what made them is said before them.
fn without_provenances(chunks: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut rest = chunks;
    // Chunks of our own: kind, length, body, checksum.
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize + 12;
        let (chunk, after) = rest.split_at(length.min(rest.len()));
        if chunk.starts_with(b"PLBS") {
            kept.extend(chunk);
        }
        rest = after;
    }
    kept
}
