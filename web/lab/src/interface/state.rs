//! What the page knows, and what it asks of the worker.

use std::collections::BTreeMap;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use plumbline_core::manifest::Manifest;
use plumbline_web::live::format;
use plumbline_web::platform::model_store::{self, KeptModel};
use plumbline_web::platform::page;
use plumbline_web::platform::picture::Picture;
use plumbline_web::platform::source::file::PickedFile;

use super::following::Following;
use crate::limits::{self, SILENCE};
use crate::platform::drawing::Drawing;
use crate::platform::link::{Heard, LabLink};
use crate::protocol::{
    Answers, Backend, Findings, FromLab, Palette, Stage, TestReport, ToLab, Tried, Verdict,
};
use crate::record::{Card, Record};
use plumbline_web::platform::download;

/// The file that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// What the worker is at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Busy {
    /// The last that it said.
    pub stage: Option<Stage>,
    /// How far, between 0 and 1, where somebody knows.
    pub share: Option<f64>,
}

/// What a request was for, so that a stop can be followed by the right words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Read,
    Manifest,
    Try,
    Follow,
    Frame,
    Test,
    Keep,
}

/// The page's state. Copies are the same page.
#[derive(Clone, Copy)]
pub struct Lab {
    /// The file, once one was chosen.
    pub subject: RwSignal<Option<Subject>>,
    /// Set while the worker works.
    pub busy: RwSignal<Option<Busy>>,
    /// What the file is.
    pub findings: RwSignal<Option<Findings>>,
    /// How it runs.
    pub report: RwSignal<Option<TestReport>>,
    /// What it finds in a picture.
    pub tried: RwSignal<Option<Tried>>,
    /// Where models are tried.
    pub backend: RwSignal<Backend>,
    /// What is looked at frame by frame.
    pub following: Following,
    /// The picture with that.
    pub drawing: RwSignal<Option<Drawing>, LocalStorage>,
    /// What went wrong last.
    pub problem: RwSignal<Option<String>>,
    /// For screen readers.
    pub said: RwSignal<String>,
    /// What the person says of it.
    pub card: RwSignal<Card>,
    /// Which of the proposals is taken; none for something else.
    pub proposal: RwSignal<Option<usize>>,
    /// How pictures become its input and its outputs are read, where that is known or proposed.
    pub manifest: RwSignal<Option<Manifest>>,
    /// A manifest that the person gave, for the model that is open or the next one.
    pub given: RwSignal<Option<Manifest>>,
    /// What the file leaves open.
    pub answers: RwSignal<Answers>,
    /// Models in this browser's storage.
    pub kept: RwSignal<Vec<(KeptModel, Record)>>,
    /// Whether there is such a storage; none until that is known.
    pub can_keep: RwSignal<Option<bool>>,
    asked: RwSignal<Option<Asked>>,
    /// What is asked as soon as the file is read.
    next: RwSignal<Option<Asked>>,
    /// Whether the worker that lives has read the file.
    is_open: RwSignal<bool>,
    /// What a trial that waits for the file to be read is to look at.
    to_try: StoredValue<Option<(Option<PickedFile>, Palette)>, LocalStorage>,
    file: StoredValue<Option<PickedFile>, LocalStorage>,
    link: StoredValue<Option<LabLink>, LocalStorage>,
}

impl Lab {
    /// A page on which nothing has happened.
    pub fn begin() -> Self {
        let lab = Self {
            subject: RwSignal::new(None),
            busy: RwSignal::new(None),
            findings: RwSignal::new(None),
            report: RwSignal::new(None),
            tried: RwSignal::new(None),
            backend: RwSignal::new(Backend::default()),
            following: Following::new(),
            drawing: RwSignal::new_local(None),
            problem: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            card: RwSignal::new(Card::default()),
            proposal: RwSignal::new(None),
            manifest: RwSignal::new(None),
            given: RwSignal::new(None),
            answers: RwSignal::new(Answers::default()),
            kept: RwSignal::new(Vec::new()),
            can_keep: RwSignal::new(None),
            asked: RwSignal::new(None),
            next: RwSignal::new(None),
            is_open: RwSignal::new(false),
            to_try: StoredValue::new_local(None),
            file: StoredValue::new_local(None),
            link: StoredValue::new_local(None),
        };
        let link = LabLink::new(silence(&page::query()), move |heard| lab.heard(heard));
        lab.link.set_value(Some(link));
        lab.look_for_kept();
        lab
    }

    /// Ends the worker, and lets the camera go.
    pub fn close(self) {
        self.rest();
        self.link
            .try_update_value(|link| link.take().map(|link| link.end()));
    }

    /// Whether the page was left while something was waited for; its signals are gone then.
    pub(super) fn is_left(self) -> bool {
        self.problem.is_disposed()
    }

    /// Looks at a file: a model, or a manifest that describes one.
    pub fn open(self, file: PickedFile) {
        self.stop();
        let name = file.name().to_lowercase();
        if name.ends_with(".toml") || name.ends_with(".json") {
            self.ask(Asked::Manifest, &ToLab::ReadManifest, Some(&file));
            return;
        }
        let subject = Subject {
            name: file.name(),
            bytes: file.bytes(),
        };
        self.card.set(Card::for_file(&subject.name));
        self.answers.set(Answers {
            sizes: self.given_sizes(),
            ..Answers::default()
        });
        self.findings.set(None);
        self.report.set(None);
        let refusal = limits::refusal(&subject.name, subject.bytes);
        self.subject.set(Some(subject));
        self.file.set_value(Some(file));
        match refusal {
            Some(sentence) => self.fail(sentence),
            None => self.read_whole(None),
        }
    }

    /// Looks at a model that is kept, with what was said of it.
    pub fn open_kept(self, model: KeptModel, record: Record) {
        spawn_local(async move {
            match model_store::open(&model.sha256).await {
                _ if self.is_left() => {}
                Ok(file) => {
                    self.stop();
                    self.findings.set(None);
                    self.report.set(None);
                    self.subject.set(Some(Subject {
                        name: record.file_name.clone(),
                        bytes: model.bytes,
                    }));
                    self.file.set_value(Some(PickedFile::new(file)));
                    self.answers.set(record.answers.clone());
                    self.card.set(record.card.clone());
                    self.given.set(
                        record
                            .manifest
                            .as_deref()
                            .and_then(|text| serde_json::from_str(text).ok()),
                    );
                    self.read_whole(record.entry);
                    page::focus("looked");
                }
                Err(sentence) => self.fail(sentence),
            }
        });
    }

    /// Reads the file from its beginning.
    pub fn read_whole(self, entry: Option<String>) {
        self.tried.set(None);
        let name = self
            .subject
            .with_untracked(|subject| subject.as_ref().map(|subject| subject.name.clone()));
        let request = ToLab::Open {
            name: name.unwrap_or_default(),
            entry,
            answers: self.answers.get_untracked(),
        };
        let file = self.file.get_value();
        self.ask(Asked::Read, &request, file.as_ref());
    }

    /// Reads it once more, with what was answered since, or another model of the archive.
    pub fn read_again(self, entry: Option<String>) {
        self.report.set(None);
        if self.is_open.get_untracked() {
            let answers = self.answers.get_untracked();
            self.ask(Asked::Read, &ToLab::Read { entry, answers }, None);
        } else {
            self.read_whole(entry);
        }
    }

    /// Tests it on both backends.
    pub fn test(self) {
        self.report.set(None);
        self.ask_of_file(Asked::Test);
    }

    /// Runs it on a picture, or on the drawn person.
    pub fn try_on(self, picture: Option<PickedFile>, palette: Palette) {
        self.rest();
        self.tried.set(None);
        self.following.pace.set(None);
        self.to_try.set_value(Some((picture, palette)));
        self.ask_of_file(Asked::Try);
    }

    /// Looks at what is to be followed, as soon as the model is open.
    pub(super) fn ask_to_follow(self) {
        self.ask_of_file(Asked::Follow);
    }

    /// Hands a frame to the worker.
    pub(super) fn ask_of_frame(self, request: &ToLab, frame: &Picture) {
        self.asked.set(Some(Asked::Frame));
        self.with_link(|link| link.request_with_frame(request, frame));
    }

    /// Whether the worker has something to answer.
    pub(super) fn is_worker_busy(self) -> bool {
        self.link
            .with_value(|link| link.as_ref().is_some_and(LabLink::is_busy))
    }

    /// Keeps it, with what is known of it.
    pub fn keep(self) {
        self.ask_of_file(Asked::Keep);
    }

    /// Asks something of a file that has been read, or is read once more because the worker that knew it is gone.
    fn ask_of_file(self, asked: Asked) {
        if !self.is_open.get_untracked() {
            self.next.set(Some(asked));
            self.read_whole(
                self.findings
                    .with_untracked(|findings| findings.as_ref()?.entry.clone()),
            );
            return;
        }
        match asked {
            Asked::Read | Asked::Manifest | Asked::Frame => {}
            Asked::Follow => self.begin_following(),
            Asked::Try => {
                let waiting = self.to_try.try_update_value(Option::take).flatten();
                if let (Some((picture, palette)), Some(manifest)) = (waiting, self.complete_manifest()) {
                    let request = ToLab::Try {
                        number: self.following.next_number(),
                        manifest: Box::new(manifest),
                        backend: self.backend.get_untracked(),
                        moves: false,
                        palette,
                    };
                    self.ask(Asked::Try, &request, picture.as_ref());
                }
            }
            Asked::Test => self.ask(Asked::Test, &ToLab::Test, None),
            Asked::Keep => self.ask(
                Asked::Keep,
                &ToLab::Keep {
                    record: self.record().to_text(),
                },
                None,
            ),
        }
    }

    /// What is known of the model.
    pub fn record(self) -> Record {
        let findings = self.findings.get_untracked();
        Record {
            file_name: self
                .subject
                .get_untracked()
                .map(|subject| subject.name)
                .unwrap_or_default(),
            entry: findings.as_ref().and_then(|findings| findings.entry.clone()),
            format: findings.map(|findings| findings.format).unwrap_or_default(),
            kept_at: page::local_date_and_time(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            answers: self.answers.get_untracked(),
            card: self.card.get_untracked(),
            manifest: self
                .complete_manifest()
                .and_then(|manifest| manifest.to_json().ok()),
            report: self.report.get_untracked(),
        }
    }

    /// The manifest with what the card says; none where nothing is known or proposed.
    pub fn complete_manifest(self) -> Option<Manifest> {
        let (manifest, card) = (self.manifest.get_untracked()?, self.card.get_untracked());
        let said = |text: &str, otherwise: &str| {
            if text.trim().is_empty() {
                otherwise.to_owned()
            } else {
                text.trim().to_owned()
            }
        };
        Some(Manifest {
            name: said(&card.name, "model"),
            licence: said(&card.licence, "unknown"),
            sha256: self
                .findings
                .with_untracked(|findings| findings.as_ref()?.sha256.clone()),
            sizes: self.answers.with_untracked(|answers| answers.sizes.clone()),
            ..manifest
        })
    }

    /// What the manifest that was given says of sizes that the file leaves open.
    fn given_sizes(self) -> BTreeMap<String, usize> {
        self.given
            .with_untracked(|given| given.as_ref().map(|given| given.sizes.clone()))
            .unwrap_or_default()
    }

    /// Takes the manifest that was given, where it is of the file that is open; otherwise says so.
    fn take_given(self) {
        let Some(given) = self.given.get_untracked() else {
            return;
        };
        let sha256 = self
            .findings
            .with_untracked(|findings| findings.as_ref()?.sha256.clone());
        if let (Some(wanted), Some(sha256)) = (&given.sha256, &sha256)
            && !wanted.eq_ignore_ascii_case(sha256)
        {
            self.problem.set(Some(format!(
                "The manifest of “{}” is of another file: it names the SHA-256 {wanted}. It is not used.",
                given.name
            )));
            return;
        }
        self.card.update(|card| {
            card.name = given.name.clone();
            card.licence = given.licence.clone();
        });
        let proposals = self.findings.with_untracked(|findings| {
            let proposals = findings.as_ref()?.proposals.iter();
            proposals
                .enumerate()
                .find(|(_, proposal)| proposal.manifest.task == given.task)
                .map(|(index, _)| index)
        });
        self.proposal.set(proposals);
        self.manifest.set(Some(given));
        self.given.set(None);
    }

    /// Hands the file of a kept model, and its record, to the person.
    pub fn save_kept(self, model: KeptModel, record: &Record) {
        let record = record.clone();
        spawn_local(async move {
            match model_store::open(&model.sha256).await {
                _ if self.is_left() => {}
                Ok(file) => {
                    download::save(&record.file_name, &file);
                    let card = record.markdown(&model.sha256, model.bytes);
                    download::save_text(&format!("{}.md", record.file_name), &card);
                }
                Err(sentence) => self.fail(sentence),
            }
        });
    }

    /// Forgets a model.
    pub fn delete(self, sha256: String) {
        spawn_local(async move {
            match model_store::remove(&sha256).await {
                _ if self.is_left() => return,
                Ok(()) => self.said.set("Deleted.".to_owned()),
                Err(sentence) => self.fail(sentence),
            }
            self.look_for_kept();
        });
    }

    /// Ends what the worker is at.
    pub fn cancel(self) {
        self.stop();
        self.problem.set(Some("You cancelled it.".to_owned()));
        self.said.set("Cancelled.".to_owned());
    }

    /// Ends whatever the worker does, if it does something.
    fn stop(self) {
        self.rest();
        if self.busy.get_untracked().is_some() || self.is_worker_busy() {
            self.with_link(LabLink::end);
            self.is_open.set(false);
        }
        self.next.set(None);
        self.busy.set(None);
        self.problem.set(None);
    }

    fn with_link(self, act: impl FnOnce(&LabLink)) {
        self.link.with_value(|link| link.as_ref().map(act));
    }

    fn ask(self, asked: Asked, request: &ToLab, file: Option<&PickedFile>) {
        self.rest();
        self.problem.set(None);
        self.asked.set(Some(asked));
        self.busy.set(Some(Busy::default()));
        self.with_link(|link| link.request(request, file.map(PickedFile::as_file)));
    }

    pub(super) fn fail(self, sentence: String) {
        self.busy.set(None);
        self.problem.set(Some(sentence));
    }

    fn heard(self, heard: Heard) {
        match heard {
            Heard::Message(FromLab::Sign { stage, done, total }) => {
                // Of a frame only what takes long is told.
                if self.busy.with_untracked(Option::is_some) {
                    self.busy.set(Some(Busy {
                        stage: Some(stage),
                        share: (total > 0).then(|| done as f64 / total as f64),
                    }));
                }
            }
            Heard::Message(FromLab::Read(findings)) => {
                self.busy.set(None);
                self.is_open.set(true);
                self.said.set(summary(&findings));
                // Read once more for another worker, it keeps what was answered.
                let is_known = self.findings.with_untracked(|known| {
                    let of = |findings: &Findings| {
                        (
                            findings.sha256.clone(),
                            findings.entry.clone(),
                            findings.inputs.clone(),
                        )
                    };
                    known.as_ref().map(of) == Some(of(&findings))
                });
                if !is_known {
                    let first = findings
                        .proposals
                        .first()
                        .map(|proposal| proposal.manifest.clone());
                    self.proposal.set(first.as_ref().map(|_| 0));
                    self.manifest.set(first);
                }
                self.findings.set(Some(*findings));
                self.take_given();
                if let Some(next) = self.next.get_untracked() {
                    self.next.set(None);
                    self.ask_of_file(next);
                }
            }
            Heard::Message(FromLab::Manifest(manifest)) => {
                self.busy.set(None);
                let name = manifest.name.clone();
                self.given.set(Some(*manifest));
                if self.findings.with_untracked(Option::is_some) {
                    self.said.set(format!("The manifest of “{name}” is read."));
                    let sizes = self.given_sizes();
                    let known = self.answers.with_untracked(|answers| answers.sizes.clone());
                    if sizes.iter().all(|(name, size)| known.get(name) == Some(size)) {
                        self.take_given();
                    } else {
                        // With other sizes it is another graph.
                        self.answers.update(|answers| answers.sizes.extend(sizes));
                        let findings = self.findings.get_untracked();
                        self.read_again(findings.and_then(|findings| findings.entry));
                    }
                } else {
                    self.said.set(format!(
                        "The manifest of “{name}” is read. Now choose the model that it describes."
                    ));
                }
            }
            Heard::Message(FromLab::TestedOnCpu(report)) => self.report.set(Some(*report)),
            Heard::Message(FromLab::Tested(report)) => {
                self.busy.set(None);
                self.said.set("The self-test is done.".to_owned());
                self.report.set(Some(*report));
            }
            Heard::Message(FromLab::Kept) => {
                self.busy.set(None);
                self.said.set("Kept in this browser.".to_owned());
                self.look_for_kept();
            }
            Heard::Message(FromLab::Failed { sentence }) => {
                self.rest();
                self.fail(sentence);
            }
            Heard::Drawn(tried, drawing) => self.drawn(tried, drawing),
            // The link keeps these to itself.
            Heard::Message(FromLab::Started | FromLab::Died { .. } | FromLab::Tried(_)) => {}
            Heard::Ended { sentence } => {
                self.rest();
                self.is_open.set(false);
                self.next.set(None);
                if self.asked.get_untracked() == Some(Asked::Read) {
                    self.findings.set(None);
                }
                self.fail(sentence);
            }
        }
    }

    fn look_for_kept(self) {
        spawn_local(async move {
            let kept = model_store::list().await;
            let records = kept.into_iter().map(|model| {
                let record = Record::from_text(&model.record);
                (model, record)
            });
            self.kept.try_set(records.collect());
            let can_keep = model_store::is_available().await;
            self.can_keep.try_set(Some(can_keep));
        });
    }
}

/// How long the worker may be silent: as the address says (`silence`, in seconds, for tests), or as always.
fn silence(query: &str) -> Duration {
    let pairs = query.trim_start_matches('?').split('&');
    let said = pairs.filter_map(|pair| pair.strip_prefix("silence=")).next();
    said.and_then(|secs| secs.parse().ok())
        .map_or(SILENCE, Duration::from_secs)
}

/// What was found out, in a sentence.
fn summary(findings: &Findings) -> String {
    let what = match &findings.verdict {
        Verdict::Runs(cost) => format!(
            "It runs here and needs {} of memory.",
            format::bytes(cost.memory_bytes)
        ),
        Verdict::Asks(questions) => format!(
            "{} to answer before it can run.",
            counted(questions.len(), "question")
        ),
        Verdict::Refused { total, .. } => format!("It does not run here: {}.", counted(*total, "reason")),
    };
    format!("{}. {what}", findings.format)
}

/// `1 node`, `2 nodes`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_may_shorten_the_patience() {
        assert_eq!(silence(""), SILENCE);
        assert_eq!(silence("?a=b&silence=2"), Duration::from_secs(2));
        assert_eq!(silence("?silence=long"), SILENCE);
    }
}
