//! What the page knows, and what it asks of the worker.

use leptos::prelude::*;
use plumbline_core::metrics::evaluation::Task;
use plumbline_core::metrics::report::Report;
use plumbline_web::platform::source::file::PickedFile;

use crate::evaluation::messages::{FromEvaluator, Stage, ToEvaluator};
use crate::evaluation::recognise::{Kind, Plan, Recognised, plan};
use crate::platform::evaluator_link::EvaluatorLink;

/// What the worker is at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Busy {
    /// The last that it said.
    pub stage: Option<Stage>,
    /// How many of how many, where somebody knows.
    pub counts: Option<(u64, u64)>,
}

/// The page's state. Copies are the same page.
#[derive(Clone, Copy)]
pub struct Evaluation {
    /// What the files are that were chosen.
    pub files: RwSignal<Vec<Recognised>>,
    /// What they can be evaluated as.
    pub plan: Memo<Plan>,
    /// As what they are evaluated: the choice of a person where there is one.
    pub task: Memo<Option<Task>>,
    /// What a person has chosen, by its id.
    pub chosen: RwSignal<Option<String>>,
    /// Set while the worker works.
    pub busy: RwSignal<Option<Busy>>,
    /// What went wrong last.
    pub problem: RwSignal<Option<String>>,
    /// What was found.
    pub report: RwSignal<Option<Report>>,
    /// For screen readers.
    pub said: RwSignal<String>,
    /// The files themselves, in the order of what they are.
    picked: StoredValue<Vec<PickedFile>, LocalStorage>,
    link: StoredValue<Option<EvaluatorLink>, LocalStorage>,
}

impl Evaluation {
    /// A page on which nothing has happened.
    pub fn begin() -> Self {
        let files = RwSignal::new(Vec::new());
        let plan = Memo::new(move |_| files.with(|files: &Vec<Recognised>| plan(files)));
        let chosen = RwSignal::new(None::<String>);
        let task = Memo::new(move |_| {
            let tasks = plan.with(|plan| plan.tasks);
            let is_chosen = |task: &&Task| chosen.with(|chosen| chosen.as_deref() == Some(task.id()));
            tasks.iter().find(is_chosen).or(tasks.first()).copied()
        });
        let evaluation = Self {
            files,
            plan,
            task,
            chosen,
            busy: RwSignal::new(None),
            problem: RwSignal::new(None),
            report: RwSignal::new(None),
            said: RwSignal::new(String::new()),
            picked: StoredValue::new_local(Vec::new()),
            link: StoredValue::new_local(None),
        };
        let link = EvaluatorLink::new(move |heard| evaluation.heard(heard));
        evaluation.link.set_value(Some(link));
        evaluation
    }

    /// Ends the worker.
    pub fn close(self) {
        self.link
            .try_update_value(|link| link.take().map(|link| link.end()));
    }

    /// Takes more files. One of the same name takes the place of the one before: a person has mended it.
    pub fn add(self, files: Vec<PickedFile>) {
        if files.is_empty() {
            return;
        }
        self.picked.update_value(|picked| {
            picked.retain(|old| files.iter().all(|new| new.name() != old.name()));
            picked.extend(files);
        });
        self.look();
    }

    /// Lays a file aside.
    pub fn remove(self, name: &str) {
        self.picked
            .update_value(|picked| picked.retain(|file| file.name() != name));
        self.files.update(|files| files.retain(|file| file.name != name));
        self.report.set(None);
    }

    /// Evaluates what was chosen, if nothing is missing.
    pub fn run(self) {
        let Some(task) = self.task.get_untracked() else {
            return;
        };
        self.report.set(None);
        // What cannot be used stays on the list, and is not read.
        let (mut files, mut picked) = (self.files.get_untracked(), self.picked.get_value());
        picked.retain(|file| {
            files
                .iter()
                .any(|known| known.name == file.name() && known.kind != Kind::Unknown)
        });
        files.retain(|file| file.kind != Kind::Unknown);
        self.ask(
            &ToEvaluator::Evaluate {
                task: task.id().to_owned(),
                files,
            },
            &picked,
        );
    }

    /// Ends what the worker is at.
    pub fn cancel(self) {
        self.with_link(EvaluatorLink::end);
        self.busy.set(None);
        self.said.set("Cancelled.".to_owned());
    }

    fn look(self) {
        self.report.set(None);
        self.ask(&ToEvaluator::Look, &self.picked.get_value());
    }

    fn ask(self, request: &ToEvaluator, files: &[PickedFile]) {
        // What it is at is no longer wanted.
        if self.busy.with_untracked(Option::is_some) {
            self.with_link(EvaluatorLink::end);
        }
        self.problem.set(None);
        self.busy.set(Some(Busy::default()));
        self.with_link(|link| link.request(request, files));
    }

    fn with_link(self, act: impl FnOnce(&EvaluatorLink)) {
        self.link.with_value(|link| link.as_ref().map(act));
    }

    fn heard(self, heard: FromEvaluator) {
        match heard {
            // The link keeps it to itself.
            FromEvaluator::Died { .. } => {}
            FromEvaluator::Sign { stage, done, total } => {
                let counts = (total > 0).then_some((done, total));
                self.busy.set(Some(Busy {
                    stage: Some(stage),
                    counts,
                }));
            }
            FromEvaluator::Looked(files) => {
                self.busy.set(None);
                self.files.set(files);
                self.said.set(self.plan.get_untracked().sentence);
            }
            FromEvaluator::Done(report) => {
                self.busy.set(None);
                self.said.set("The report is below.".to_owned());
                self.report.set(Some(*report));
            }
            FromEvaluator::Failed { sentence } => {
                self.busy.set(None);
                self.problem.set(Some(sentence));
            }
        }
    }
}
