//! From files to a report, piece by piece: what the command line and the page both run.
//!
//! An [`Evaluation`] of a [`Task`] is given the bytes of its files in pieces of any size, so that a page can show progress
//! and stop; [`Evaluation::report`] says what was found. Every error names the file, and the row where there is one.
//!
//! | task | files |
//! |---|---|
//! | keypoints | truth: COCO annotations; predictions: COCO results |
//! | classes | rows: `label,CLASS…`, a probability a class |
//! | pck | rows: `joint,truth_x,truth_y,predicted_x,predicted_y,size` |
//! | repetitions, angles | rows: `truth,predicted` |
//! | segments | truth and predictions: a text file a video each, a label a frame and line |
//! | detections | truth: `video,label,start,end`; predictions: the same with `score` |
//!
//! ```
//! use plumbline_core::metrics::evaluation::{Evaluation, Role, Settings, Task};
//!
//! let mut evaluation = Evaluation::new(Task::Classes, Settings::default())?;
//! evaluation.begin(Role::Rows, "rows.csv")?;
//! for piece in [&b"label,cat,dog\ncat,0.9,"[..], b"0.1\ndog,0.2,0.8\ndog,0.6,0.4\n"] {
//!     evaluation.push(piece)?;
//! }
//! evaluation.end()?;
//! let report = evaluation.report()?;
//! let accuracy = report.figure("accuracy").expect("classes have an accuracy");
//! assert_eq!((accuracy.value, accuracy.n), (Some(2.0 / 3.0), 3));
//! # Ok::<(), plumbline_core::metrics::MetricError>(())
//! ```
//!
//! Masks of classes are pictures, which [`MaskEvaluation`] takes decoded.
//!
//! Rows may have a column `item`, the image or clip that they are of, and columns `tag:NAME`, by which they can be sliced.

mod classes;
mod detections;
#[cfg(feature = "metric_files")]
mod keypoints;
mod masks;
mod rows;
mod segments;
mod tags;

use std::str::FromStr;

use super::MetricError;
use super::calibrator::{Calibration, Method};
use super::report::{Report, Source};
use super::slices::SliceSpec;

pub use masks::{MaskEvaluation, MaskPicture};
pub use tags::Tags;

/// What is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// People's points by COCO's average precision.
    #[cfg(feature = "metric_files")]
    Keypoints,
    /// Probabilities of classes.
    Classes,
    /// Points by their distance in sizes of the person.
    Pck,
    /// Counts of repetitions.
    Repetitions,
    /// Two ways of measuring an angle, or anything else.
    Angles,
    /// Actions as labels of frames.
    Segments,
    /// Actions as intervals of time with scores.
    Detections,
}

impl Task {
    /// All tasks.
    pub const ALL: &'static [Self] = &[
        #[cfg(feature = "metric_files")]
        Self::Keypoints,
        Self::Classes,
        Self::Pck,
        Self::Repetitions,
        Self::Angles,
        Self::Segments,
        Self::Detections,
    ];

    /// As it is written after `--task`.
    pub fn id(self) -> &'static str {
        match self {
            #[cfg(feature = "metric_files")]
            Self::Keypoints => "keypoints",
            Self::Classes => "classes",
            Self::Pck => "pck",
            Self::Repetitions => "repetitions",
            Self::Angles => "angles",
            Self::Segments => "segments",
            Self::Detections => "detections",
        }
    }

    /// The files that it needs, in the order in which they are read.
    pub fn roles(self) -> &'static [Role] {
        match self {
            #[cfg(feature = "metric_files")]
            Self::Keypoints => &[Role::Truth, Role::Predictions],
            Self::Segments | Self::Detections => &[Role::Truth, Role::Predictions],
            Self::Classes | Self::Pck | Self::Repetitions | Self::Angles => &[Role::Rows],
        }
    }

    /// Whether each role is a folder of files rather than one.
    pub fn takes_folders(self) -> bool {
        self == Self::Segments
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|task| task.id() == id);
        known.copied().ok_or_else(|| {
            let ids: Vec<&str> = Self::ALL.iter().map(|task| task.id()).collect();
            format!("tasks are {}", ids.join(", "))
        })
    }
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What is so.
    Truth,
    /// What the model says.
    Predictions,
    /// Both, in one table.
    Rows,
}

impl Role {
    /// In a report.
    pub fn id(self) -> &'static str {
        match self {
            Self::Truth => "truth",
            Self::Predictions => "predictions",
            Self::Rows => "rows",
        }
    }
}

/// What can be chosen. Each task reads what is its own.
#[derive(Clone, Debug)]
pub struct Settings {
    /// By which tags to part the rows.
    pub slices: Vec<SliceSpec>,
    /// What is said of images, clips or videos by their names.
    pub tags: Tags,
    /// Classes: bins of reliability.
    pub bins: usize,
    /// Classes: whether the columns hold logits instead of probabilities.
    pub are_logits: bool,
    /// Classes: which calibration to fit.
    pub calibrate: Option<Method>,
    /// Classes: a calibration to apply before anything is counted.
    pub calibration: Option<Calibration>,
    /// Keypoints: the category's id.
    pub category: Option<i64>,
    /// Segments: the label of frames in which nothing happens.
    pub background: Option<String>,
    /// Segments: let the last segment end a frame early, as older forks of MS-TCN's code do.
    pub last_ends_early: bool,
    /// Segments and detections: overlaps, instead of the usual ones.
    pub overlaps: Option<Vec<f64>>,
    /// PCK: shares of a person's size, instead of the usual ones.
    pub shares: Option<Vec<f64>>,
    /// Angles: what the values are counted in.
    pub unit: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slices: Vec::new(),
            tags: Tags::default(),
            bins: super::calibration::DEFAULT_BINS,
            are_logits: false,
            calibrate: None,
            calibration: None,
            category: None,
            background: None,
            last_ends_early: false,
            overlaps: None,
            shares: None,
            unit: "deg".to_owned(),
        }
    }
}

/// What each task does with its files.
trait Subject {
    /// The next bytes of a file.
    fn push(&mut self, role: Role, bytes: &[u8]) -> Result<(), MetricError>;

    /// The end of a file called `name`; gives how many entries it had.
    fn end(&mut self, role: Role, name: &str) -> Result<u64, MetricError>;

    /// Adds what was found.
    fn report(&self, report: &mut Report) -> Result<(), MetricError>;

    /// What was fitted.
    fn calibration(&self) -> Option<&Calibration> {
        None
    }

    /// The category of keypoints, once the truth was read.
    fn category(&self) -> Option<i64> {
        None
    }
}

/// An evaluation that takes its files in pieces.
pub struct Evaluation {
    task: Task,
    subject: Box<dyn Subject>,
    open: Option<(Role, String)>,
    sources: Vec<Source>,
}

impl Evaluation {
    /// Begins.
    ///
    /// # Errors
    /// Settings that cannot be.
    pub fn new(task: Task, settings: Settings) -> Result<Self, MetricError> {
        let subject: Box<dyn Subject> = match task {
            #[cfg(feature = "metric_files")]
            Task::Keypoints => Box::new(keypoints::Keypoints::new(settings)),
            Task::Classes => Box::new(classes::Classes::new(settings)?),
            Task::Pck => Box::new(rows::Rows::pck(&settings)?),
            Task::Repetitions => Box::new(rows::Rows::repetitions(&settings)),
            Task::Angles => Box::new(rows::Rows::angles(&settings)?),
            Task::Segments => Box::new(segments::Segments::new(settings)?),
            Task::Detections => Box::new(detections::Detections::new(&settings)?),
        };
        Ok(Self {
            task,
            subject,
            open: None,
            sources: Vec::new(),
        })
    }

    /// Opens the next file; its name is what errors and the report call it.
    ///
    /// # Errors
    /// A file that the task has no use for, or comes before the one that it is compared with; a second one where there is
    /// one only.
    pub fn begin(&mut self, role: Role, name: &str) -> Result<(), MetricError> {
        let roles = self.task.roles();
        let reason = if !roles.contains(&role) {
            let roles: Vec<&str> = roles.iter().map(|role| role.id()).collect();
            format!(
                "the task {} takes {}, no {}",
                self.task.id(),
                roles.join(" and "),
                role.id()
            )
        } else if !self.task.takes_folders() && self.sources.iter().any(|source| source.role == role.id()) {
            format!("there is a file of {} already", role.id())
        } else if role == Role::Predictions
            && !self.sources.iter().any(|source| source.role == Role::Truth.id())
        {
            "the truth must be read before the predictions".to_owned()
        } else {
            self.open = Some((role, name.to_owned()));
            return Ok(());
        };
        Err(MetricError::Malformed { row: 0, reason }.in_source(name))
    }

    /// Takes the next bytes of the open file.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), MetricError> {
        let Some((role, name)) = &self.open else {
            return Err(no_file());
        };
        self.subject
            .push(*role, bytes)
            .map_err(|error| error.in_source(name))
    }

    /// Ends the open file.
    ///
    /// # Errors
    /// What is wrong with the file as a whole.
    pub fn end(&mut self) -> Result<(), MetricError> {
        let (role, name) = self.open.take().ok_or_else(no_file)?;
        let entries = self
            .subject
            .end(role, &name)
            .map_err(|error| error.in_source(&name))?;
        self.sources.push(Source {
            role: role.id().to_owned(),
            name,
            sha256: None,
            entries,
        });
        Ok(())
    }

    /// All of a file that is there as a whole.
    ///
    /// # Errors
    /// As the three steps.
    pub fn read(&mut self, role: Role, name: &str, bytes: &[u8]) -> Result<(), MetricError> {
        self.begin(role, name)?;
        self.push(bytes)?;
        self.end()
    }

    /// What all files say together.
    ///
    /// # Errors
    /// Missing files; what cannot be evaluated.
    pub fn report(&self) -> Result<Report, MetricError> {
        for role in self.task.roles() {
            if !self.sources.iter().any(|source| source.role == role.id()) {
                return Err(MetricError::Malformed {
                    row: 0,
                    reason: format!("the task {} needs a file of {}", self.task.id(), role.id()),
                });
            }
        }
        let mut report = Report::new(self.task.id());
        report.sources.clone_from(&self.sources);
        self.subject.report(&mut report)?;
        Ok(report)
    }

    /// The calibration that was asked for, after a report.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.subject.calibration()
    }

    /// The id of the category whose keypoints are evaluated, once the truth was read.
    pub fn category(&self) -> Option<i64> {
        self.subject.category()
    }
}

fn no_file() -> MetricError {
    MetricError::Malformed {
        row: 0,
        reason: "no file was begun".to_owned(),
    }
}
