//! What the page shows, and what it asks of the worker that watches.

use std::collections::BTreeMap;

use leptos::prelude::*;
use plumbline_core::monitor::snapshot::Snapshot;
use plumbline_core::monitor::verdict::State;

use crate::platform::monitor_link::MonitorLink;
use crate::protocol::{FromMonitor, ToMonitor};
use crate::sentences::{Said, state_while};

/// The page's state. Copies are the same page.
#[derive(Clone, Copy)]
pub struct Monitor {
    /// What is shown: the last snapshot, or the one that is held.
    pub snapshot: RwSignal<Option<Snapshot>>,
    /// How far the search for the charts' thresholds is.
    pub search: RwSignal<Option<f64>>,
    /// Whether what is shown stays.
    pub is_held: RwSignal<bool>,
    /// Severities by the corruption's id, as the sliders stand.
    pub severities: RwSignal<BTreeMap<String, u8>>,
    /// What was refused or done last.
    pub answer: RwSignal<Option<(bool, String)>>,
    /// For screen readers, when the state changes.
    pub said: RwSignal<String>,
    /// The same, at once: results are not to be relied upon.
    pub cried: RwSignal<String>,
    last_state: StoredValue<Option<State>>,
    link: StoredValue<Option<MonitorLink>, LocalStorage>,
}

impl Monitor {
    /// A page that has seen nothing yet.
    pub fn begin(link: Option<MonitorLink>) -> Self {
        let monitor = Self {
            snapshot: RwSignal::new(None),
            search: RwSignal::new(None),
            is_held: RwSignal::new(false),
            severities: RwSignal::new(BTreeMap::new()),
            answer: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            cried: RwSignal::new(String::new()),
            last_state: StoredValue::new(None),
            link: StoredValue::new_local(None),
        };
        if let Some(link) = link {
            link.listen(move |heard| monitor.heard(heard));
            monitor.link.set_value(Some(link));
            monitor.ask(&ToMonitor::Open);
        }
        monitor
    }

    /// Nobody looks any more; watching goes on.
    pub fn close(self) {
        self.ask(&ToMonitor::Close);
        self.link
            .try_update_value(|link| link.take().map(|link| link.end()));
    }

    /// Says something to the worker.
    pub fn ask(self, request: &ToMonitor) {
        self.link
            .with_value(|link| link.as_ref().map(|link| link.post(request)));
    }

    /// Spoils the picture as the sliders stand.
    pub fn spoil(self, corruption: &str, severity: u8) {
        self.severities.update(|severities| {
            if severity == 0 {
                severities.remove(corruption);
            } else {
                severities.insert(corruption.to_owned(), severity);
            }
        });
        self.ask(&ToMonitor::Break {
            severities: self.severities.get_untracked(),
        });
    }

    /// Spoils nothing more.
    pub fn spare(self) {
        self.severities.set(BTreeMap::new());
        self.ask(&ToMonitor::Break {
            severities: BTreeMap::new(),
        });
    }

    /// A part of the snapshot that changes only when that part does.
    pub fn part<T: Clone + PartialEq + Send + Sync + 'static>(
        self,
        of: impl Fn(&Snapshot) -> T + Send + Sync + 'static,
    ) -> Memo<Option<T>> {
        Memo::new(move |_| self.snapshot.with(|snapshot| snapshot.as_ref().map(&of)))
    }

    fn heard(self, heard: FromMonitor) {
        match heard {
            FromMonitor::Snapshot { snapshot, search } => self.show(*snapshot, search),
            // The link has handed it to the person.
            FromMonitor::File { name } => self.answer.set(Some((true, format!("“{name}” was saved.")))),
            FromMonitor::Spared { sentence } => {
                self.severities.set(BTreeMap::new());
                self.answer.set(Some((false, sentence)));
            }
            FromMonitor::Refused { sentence } => self.answer.set(Some((false, sentence))),
            FromMonitor::Done { sentence } => self.answer.set(Some((true, sentence))),
        }
    }

    fn show(self, snapshot: Snapshot, search: Option<f64>) {
        let now = snapshot.status.verdict.state;
        let before = self.last_state.get_value();
        if before != Some(now) {
            self.last_state.set_value(Some(now));
            let Said { sentence, .. } = state_while(search, &snapshot);
            // Blocks are some seconds long, so this is never more than a message in that time.
            match now {
                State::Degraded => self.cried.set(sentence),
                _ if before.is_some() => self.said.set(sentence),
                _ => {}
            }
        }
        if !self.is_held.get_untracked() {
            self.search.set(search);
            self.snapshot.set(Some(snapshot));
        }
    }
}
