//! What a session leaves on this device, where a person has asked for that: block means by day, the audit log, references.

use plumbline_core::monitor::audit::AuditLog;
use plumbline_core::monitor::evidence::EvidenceFile;
use plumbline_core::monitor::feature_log::{FeatureLog, KEPT_DAYS, file_name, header, is_expired};
use plumbline_core::monitor::profile::Profile;
use plumbline_core::monitor::session::Monitor;
use plumbline_core::monitor::snapshot::StorageView;

use super::record_store::RecordStore;
use crate::platform::clock;

const LOG_FOLDER: &str = "log";
const AUDIT: &str = "audit.jsonl";
const DAY_SECS: u64 = 86_400;

/// The records of a page.
#[derive(Default)]
pub struct Records {
    store: Option<RecordStore>,
    /// Today's file of the feature log, once something was written to it.
    today: Option<String>,
    view: StorageView,
    /// What went wrong last; nothing is written after that.
    problem: Option<String>,
    /// What a monitor leaves to the one that follows it.
    left: Option<(AuditLog, Option<Profile>)>,
}

impl Records {
    /// Whether anything is written.
    pub fn is_on(&self) -> bool {
        self.store.is_some() && self.problem.is_none()
    }

    /// Where storage stands.
    pub fn view(&self) -> StorageView {
        self.view.clone()
    }

    /// Begins to write, or ends it. What was written stays.
    ///
    /// # Errors
    /// A sentence, where nothing can be stored.
    pub async fn keep(&mut self, is_on: bool) -> Result<String, String> {
        self.store = None;
        self.problem = None;
        self.today = None;
        self.view.is_stored = false;
        if !is_on {
            return Ok(
                "Nothing more is kept on this device. What was kept can be deleted under Privacy.".to_owned(),
            );
        }
        let store = RecordStore::open().await.ok_or(
            "This browser keeps nothing for pages here, as in private windows: numbers are in memory only.",
        )?;
        self.tidy(&store).await;
        self.store = Some(store);
        self.view.is_stored = true;
        Ok("Block means and the audit log are kept on this device for 30 days.".to_owned())
    }

    /// Has a monitor go on where the record on this device ends.
    pub async fn begin(&mut self, monitor: &mut Monitor) {
        monitor.set_logging(self.is_on());
        let Some(store) = self.store.as_ref().filter(|_| self.problem.is_none()) else {
            return;
        };
        let text = store.read(AUDIT).await.unwrap_or_default();
        // A log that was changed from outside is left as evidence of that, and another begins.
        match AuditLog::read(&String::from_utf8_lossy(&text)) {
            Ok(before) => monitor.continue_audit(before),
            Err(_) => {
                let _ = store
                    .write(&format!("audit-broken-{}.jsonl", clock::unix_secs()), &text)
                    .await;
                store.remove(AUDIT).await;
            }
        }
        self.store(monitor).await;
    }

    /// Writes what a monitor has to write.
    pub async fn store(&mut self, monitor: &mut Monitor) {
        if !self.is_on() {
            return;
        }
        if let Err(sentence) = self.write(monitor).await {
            self.problem = Some(sentence);
            self.view.is_stored = false;
            monitor.set_logging(false);
        }
    }

    async fn write(&mut self, monitor: &mut Monitor) -> Result<(), String> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let lines = monitor.take_audit();
        if !lines.is_empty() {
            store.append(AUDIT, lines.as_bytes()).await?;
        }
        let name = file_name(clock::unix_secs());
        let is_new_file = self.today.as_ref() != Some(&name);
        let rows = monitor.take_log(is_new_file);
        if rows.is_empty() {
            return Ok(());
        }
        let path = format!("{LOG_FOLDER}/{name}");
        let mut bytes = Vec::new();
        if is_new_file && store.read(&path).await.is_none() {
            bytes = header();
            self.view.days += 1;
        }
        bytes.extend(rows);
        store.append(&path, &bytes).await?;
        self.view.log_bytes += bytes.len() as u64;
        self.today = Some(name);
        Ok(())
    }

    /// The files of the feature log, for the evidence pack: as they are, and as a table.
    pub async fn days(&self) -> Vec<EvidenceFile> {
        let mut files = Vec::new();
        let Some(store) = &self.store else {
            return files;
        };
        for file in store.list(LOG_FOLDER).await {
            let Some(bytes) = store.read(&format!("{LOG_FOLDER}/{}", file.name)).await else {
                continue;
            };
            let table = FeatureLog::read(&bytes).to_csv();
            let stem = file.name.trim_end_matches(".plb");
            files.push(EvidenceFile::new(&format!("log/{stem}.csv"), table));
            files.push(EvidenceFile::new(&format!("log/{}", file.name), bytes));
        }
        files
    }

    /// What a monitor leaves that another one follows.
    pub fn remember(&mut self, before: Monitor) {
        self.left = Some((before.audit().clone(), before.profile().cloned()));
    }

    /// A monitor that goes on with what was left.
    pub fn resume(&mut self, mut monitor: Monitor) -> Monitor {
        if let Some((audit, profile)) = self.left.take() {
            monitor.continue_audit(audit);
            if let Some(profile) = profile {
                // It was read once already.
                let _ = monitor.import_profile(&profile.text(), clock::unix_secs());
            }
        }
        monitor
    }

    /// Deletes what is too old, folds rows together, and counts what is there.
    async fn tidy(&mut self, store: &RecordStore) {
        let now = clock::unix_secs();
        self.view = StorageView::default();
        for file in store.list(LOG_FOLDER).await {
            let path = format!("{LOG_FOLDER}/{}", file.name);
            if is_expired(&file.name, now) {
                store.remove(&path).await;
                continue;
            }
            let Some(bytes) = store.read(&path).await else {
                continue;
            };
            let log = FeatureLog::read(&bytes);
            let folded = log.to_bytes();
            let is_worth_it = folded.len() < bytes.len();
            if is_worth_it && store.write(&path, &folded).await.is_err() {
                continue;
            }
            self.view.days += 1;
            self.view.log_bytes += if is_worth_it { folded.len() } else { bytes.len() } as u64;
            self.view.damaged_segments += log.left_out;
        }
        let text = store.read(AUDIT).await.unwrap_or_default();
        if let Ok(mut log) = AuditLog::read(&String::from_utf8_lossy(&text))
            && log.trim(now.saturating_sub(KEPT_DAYS * DAY_SECS))
        {
            // What could not be written is trimmed the next time.
            let _ = store.write(AUDIT, log.text().as_bytes()).await;
        }
    }
}
