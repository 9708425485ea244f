//! Actions as labels of frames: a text file a video on either side, a label a line. Files belong together by their names.

use std::collections::{BTreeMap, HashMap};

use super::{Role, Settings, Subject};
use crate::metrics::csv::shortened;
use crate::metrics::frames::FrameAccuracy;
use crate::metrics::report::{Better, Figure, Group, Report};
use crate::metrics::segments::{DEFAULT_OVERLAPS, Segmental};
use crate::metrics::slices::{Measure, Slicer};
use crate::metrics::{Evaluator, MAX_ROWS, MetricError};

/// Different labels of a data set.
const MAX_LABELS: usize = 100_000;

pub(super) struct Segments {
    settings: Settings,
    pending: Vec<u8>,
    labels: Vec<String>,
    places: HashMap<String, u32>,
    truth: BTreeMap<String, Vec<u32>>,
    predictions: BTreeMap<String, Vec<u32>>,
    n_frames: u64,
}

impl Segments {
    pub fn new(settings: Settings) -> Result<Self, MetricError> {
        let overlaps = settings.overlaps.as_deref().unwrap_or(&DEFAULT_OVERLAPS);
        Segmental::new(overlaps, None, settings.last_ends_early)?;
        let mut segments = Self {
            settings,
            pending: Vec::new(),
            labels: Vec::new(),
            places: HashMap::new(),
            truth: BTreeMap::new(),
            predictions: BTreeMap::new(),
            n_frames: 0,
        };
        if let Some(background) = segments.settings.background.clone() {
            // The first label of all.
            segments.place(&background)?;
        }
        Ok(segments)
    }

    fn place(&mut self, label: &str) -> Result<u32, MetricError> {
        if let Some(place) = self.places.get(label) {
            return Ok(*place);
        }
        if self.labels.len() == MAX_LABELS {
            return Err(MetricError::TooMany {
                what: "different labels",
                limit: MAX_LABELS as u64,
            });
        }
        let place = self.labels.len() as u32;
        self.labels.push(label.to_owned());
        self.places.insert(label.to_owned(), place);
        Ok(place)
    }

    /// The label of each frame; empty lines at the end are no frames.
    fn frames(&mut self, text: &str) -> Result<Vec<u32>, MetricError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end();
        if text.is_empty() {
            return Err(MetricError::Empty { what: "frames" });
        }
        let mut frames = Vec::new();
        for (line, label) in text.lines().enumerate() {
            let label = label.trim();
            if label.is_empty() || label.len() > 1000 {
                return Err(MetricError::Malformed {
                    row: line as u64 + 1,
                    reason: "there is no label on this line; each line is the label of one frame".to_owned(),
                });
            }
            frames.push(self.place(label)?);
        }
        self.n_frames += frames.len() as u64;
        if self.n_frames > 4 * MAX_ROWS {
            return Err(MetricError::TooMany {
                what: "frames",
                limit: 4 * MAX_ROWS,
            });
        }
        Ok(frames)
    }
}

/// A file's name without folders and ending.
fn stem(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

impl Subject for Segments {
    fn push(&mut self, _: Role, bytes: &[u8]) -> Result<(), MetricError> {
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self, role: Role, name: &str) -> Result<u64, MetricError> {
        let pending = std::mem::take(&mut self.pending);
        let text = std::str::from_utf8(&pending).map_err(|_| MetricError::Malformed {
            row: 0,
            reason: "the file is not UTF-8 text with a label a line".to_owned(),
        })?;
        let frames = self.frames(text)?;
        let n = frames.len() as u64;
        let side = if role == Role::Truth {
            &mut self.truth
        } else {
            &mut self.predictions
        };
        if side.insert(stem(name).to_owned(), frames).is_some() {
            return Err(MetricError::Duplicate {
                what: "video",
                id: stem(name).to_owned(),
            });
        }
        Ok(n)
    }

    fn report(&self, report: &mut Report) -> Result<(), MetricError> {
        for (side, other, what) in [
            (&self.truth, &self.predictions, "there are no predictions for"),
            (&self.predictions, &self.truth, "there is no truth for"),
        ] {
            let alone: Vec<&str> = side
                .keys()
                .filter(|name| !other.contains_key(*name))
                .map(String::as_str)
                .collect();
            if !alone.is_empty() {
                return Err(MetricError::Unknown {
                    what: format!("{what} {} of {} videos", alone.len(), side.len()),
                    name: shortened(&alone.join(", ")),
                });
            }
        }
        let background = self.settings.background.as_ref().map(|_| 0);
        let overlaps = self.settings.overlaps.as_deref().unwrap_or(&DEFAULT_OVERLAPS);
        let mut segmental = Segmental::new(overlaps, background, self.settings.last_ends_early)?;
        let mut frames = FrameAccuracy::new(background);
        let measure = Measure {
            id: "frame_accuracy".to_owned(),
            name: "Frames with the right label".to_owned(),
            better: Better::Higher,
            is_share: true,
            scale: 1.0,
        };
        let mut slicer = Slicer::new(measure, &self.settings.slices);
        for (name, truth) in &self.truth {
            let predicted = self.predictions.get(name).map(Vec::as_slice).unwrap_or_default();
            let in_video = |error: MetricError| error.in_source(name);
            frames.observe(truth, predicted).map_err(in_video)?;
            segmental.observe(truth, predicted).map_err(in_video)?;
            let right = truth
                .iter()
                .zip(predicted)
                .filter(|(truth, predicted)| truth == predicted)
                .count();
            slicer.observe(Some(name), right as f64, truth.len() as f64, |tag| {
                self.settings.tags.get(name, tag)
            });
        }
        let (frames, found) = (frames.finish()?, segmental.finish()?);
        let higher = |figure: Figure| figure.better(Better::Higher);
        let mut figures = Vec::new();
        for at in &found.by_overlap {
            let percent = at.overlap * 100.0;
            let n = at.right + at.missed;
            let why = "neither side has a segment";
            let name = format!("Segmental F1 at {percent:.0} % overlap");
            figures.push(
                higher(Figure::maybe(
                    &format!("f1@{percent:.0}"),
                    &name,
                    at.f1_percent(),
                    n,
                    why,
                ))
                .in_unit("%"),
            );
        }
        report.groups.push(Group {
            name: "Segments".to_owned(),
            counted: "true segments".to_owned(),
            figures,
        });
        let why = "no video has a segment";
        report.groups.push(Group {
            name: "Order of actions".to_owned(),
            counted: "videos with a segment".to_owned(),
            figures: vec![
                higher(Figure::maybe(
                    "edit",
                    "Edit score",
                    found.edit_percent,
                    found.n_edits,
                    why,
                ))
                .in_unit("%"),
            ],
        });
        report.groups.push(Group {
            name: "Frames".to_owned(),
            counted: "frames".to_owned(),
            figures: vec![
                higher(Figure::maybe(
                    "frame_accuracy",
                    "Frames with the right label",
                    frames.accuracy(),
                    frames.n,
                    "no frames",
                )),
                higher(Figure::maybe(
                    "frame_accuracy_foreground",
                    "The same without the background",
                    frames.foreground_accuracy(),
                    frames.n_foreground,
                    "all frames are background",
                )),
            ],
        });
        match &self.settings.background {
            None => report.note("No background was named: every label is an action."),
            Some(background) => {
                report
                    .settings
                    .push(("background".to_owned(), background.clone()));
                let is_there = self
                    .truth
                    .values()
                    .chain(self.predictions.values())
                    .any(|frames| frames.contains(&0));
                if !is_there {
                    report.note(format!(
                        "No frame has the background's label '{}'.",
                        shortened(background)
                    ));
                }
            }
        }
        if self.settings.last_ends_early {
            report
                .settings
                .push(("last segment".to_owned(), "ends a frame early".to_owned()));
        }
        if found.n_edits < found.n_videos {
            report.note(format!(
                "{} videos have no segment on either side and are not in the edit score.",
                found.n_videos - found.n_edits
            ));
        }
        report.slices = slicer.finish()?;
        Ok(())
    }
}
