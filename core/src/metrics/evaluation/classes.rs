//! Probabilities of classes: `label,CLASS…`, one row an example.
//!
//! The label is a class's name or its place from 0. A single column of probabilities is that of being in its class, and the
//! label 1 or 0, or the name. The predicted class is the most probable, of equals the first.

mod found;

use std::collections::HashMap;

use found::Found;

use super::{Role, Settings, Subject};
use crate::metrics::calibration::{Edges, Reliability};
use crate::metrics::calibrator::{Calibration, Method};
use crate::metrics::csv::{Columns, Row, Table, shortened};
use crate::metrics::probability::{Probabilities, check_row};
use crate::metrics::report::{Better, Figure, Group, Report};
use crate::metrics::slices::{Measure, Slicer};
use crate::metrics::temperature::{self, Temperature};
use crate::metrics::{Evaluator, MAX_CLASSES, MetricError};

/// Numbers that are kept at most, 0.8 GB of them.
const MAX_NUMBERS: usize = 100_000_000;

/// Parts that a calibration is tried on: fitted to all others each time.
const N_FOLDS: usize = 5;

pub(super) struct Classes {
    table: Table,
    rows: LabelledRows,
    settings: Settings,
    /// What was fitted, and whether it ran to a limit of what is tried.
    fitted: Option<(Calibration, bool)>,
}

/// What was read.
struct LabelledRows {
    layout: Option<Layout>,
    truth: Vec<usize>,
    /// Places of items by their names, and the item of each row; empty without a column of items.
    items: HashMap<String, usize>,
    units: Vec<usize>,
    /// Rows one after the other.
    probabilities: Vec<f64>,
    n_tied: u64,
    n_rounded: u64,
    slicer: Slicer,
}

/// Which column is what.
struct Layout {
    label: usize,
    item: Option<usize>,
    /// Columns of tags by name.
    tags: HashMap<String, usize>,
    columns: Vec<usize>,
    classes: Vec<String>,
    places: HashMap<String, usize>,
    is_single: bool,
}

impl Layout {
    fn new(columns: &[String]) -> Result<Self, MetricError> {
        let all = "label, then a class each with its probability; item and tag:NAME where they are wanted";
        let label = Columns(columns).need("label", all)?;
        let item = Columns(columns).find("item");
        let tags = columns
            .iter()
            .enumerate()
            .filter_map(|(place, name)| name.strip_prefix("tag:").map(|tag| (tag.to_owned(), place)));
        let tags: HashMap<String, usize> = tags.collect();
        let is_class =
            |place: &usize| *place != label && Some(*place) != item && !columns[*place].starts_with("tag:");
        let of_classes: Vec<usize> = (0..columns.len()).filter(is_class).collect();
        let mut classes: Vec<String> = of_classes.iter().map(|&place| columns[place].clone()).collect();
        if classes.is_empty() {
            return Err(MetricError::Malformed {
                row: 1,
                reason: format!("there is no column of a class; the columns are {all}"),
            });
        }
        if classes.len() as u64 > MAX_CLASSES {
            return Err(MetricError::TooMany {
                what: "classes",
                limit: MAX_CLASSES,
            });
        }
        let is_single = classes.len() == 1;
        if is_single {
            classes.insert(0, format!("not {}", classes[0]));
        }
        Ok(Self {
            label,
            item,
            tags,
            columns: of_classes,
            places: classes
                .iter()
                .enumerate()
                .map(|(place, name)| (name.clone(), place))
                .collect(),
            classes,
            is_single,
        })
    }

    fn class(&self, label: &str, line: u64) -> Result<usize, MetricError> {
        let by_place = || label.parse().ok().filter(|place| *place < self.classes.len());
        self.places
            .get(label)
            .copied()
            .or_else(by_place)
            .ok_or_else(|| MetricError::Malformed {
                row: line,
                reason: format!(
                    "the label '{}' is no class of the header and no place from 0 to {}",
                    shortened(label),
                    self.classes.len() - 1
                ),
            })
    }
}

impl Classes {
    pub fn new(settings: Settings) -> Result<Self, MetricError> {
        Reliability::new(settings.bins, Edges::RightClosed)?;
        let measure = Measure {
            id: "accuracy".to_owned(),
            name: "Accuracy".to_owned(),
            better: Better::Higher,
            is_share: true,
            scale: 1.0,
        };
        Ok(Self {
            table: Table::default(),
            rows: LabelledRows {
                layout: None,
                truth: Vec::new(),
                items: HashMap::new(),
                units: Vec::new(),
                probabilities: Vec::new(),
                n_tied: 0,
                n_rounded: 0,
                slicer: Slicer::new(measure, &settings.slices),
            },
            settings,
            fitted: None,
        })
    }
}

impl LabelledRows {
    fn take(&mut self, row: &Row<'_>, settings: &Settings) -> Result<(), MetricError> {
        let layout = match &mut self.layout {
            Some(layout) => layout,
            empty => {
                let layout = Layout::new(row.columns)?;
                if let Some(calibration) = &settings.calibration
                    && calibration.classes() != layout.classes
                {
                    return Err(MetricError::Unknown {
                        what: "the calibration was made for other classes than the header names".to_owned(),
                        name: shortened(&calibration.classes().join(", ")),
                    });
                }
                empty.insert(layout)
            }
        };
        let truth = layout.class(row.cell(layout.label), row.line)?;
        let start = self.probabilities.len();
        if start + layout.classes.len() > MAX_NUMBERS {
            return Err(MetricError::TooMany {
                what: "numbers",
                limit: MAX_NUMBERS as u64,
            });
        }
        if layout.is_single {
            let p = row.number(layout.columns[0])?;
            self.probabilities.extend(if settings.are_logits {
                [0.0, p]
            } else {
                [1.0 - p, p]
            });
        } else {
            for &column in &layout.columns {
                self.probabilities.push(row.number(column)?);
            }
        }
        let own = &mut self.probabilities[start..];
        if settings.are_logits {
            Temperature::ONE.apply(own);
        }
        check_row(own, row.line)?;
        self.n_rounded += u64::from((own.iter().sum::<f64>() - 1.0).abs() > 1e-6);
        if let Some(calibration) = &settings.calibration {
            calibration.apply(own)?;
        }
        let best = most_probable(own);
        let p = own[best];
        self.n_tied += u64::from(own[best + 1..].contains(&p));
        self.truth.push(truth);
        if let Some(column) = layout.item {
            let item = row.cell(column);
            let unit = match self.items.get(item) {
                Some(unit) => *unit,
                None => {
                    self.items.insert(item.to_owned(), self.items.len());
                    self.items.len() - 1
                }
            };
            self.units.push(unit);
        }
        if self.slicer.is_wanted() {
            let item = layout.item.map(|column| row.cell(column));
            let right = f64::from(u8::from(best == truth));
            self.slicer
                .observe(item, right, 1.0, |tag| match layout.tags.get(tag) {
                    Some(column) => Some(row.cell(*column)),
                    None => settings.tags.get(item?, tag),
                });
        }
        Ok(())
    }
}

/// The first of the most probable.
fn most_probable(row: &[f64]) -> usize {
    row.iter()
        .enumerate()
        .fold(0, |best, (class, p)| if *p > row[best] { class } else { best })
}

impl Subject for Classes {
    fn push(&mut self, _: Role, bytes: &[u8]) -> Result<(), MetricError> {
        let (rows, settings) = (&mut self.rows, &self.settings);
        self.table.push(bytes, &mut |row| rows.take(row, settings))
    }

    fn end(&mut self, _: Role, _: &str) -> Result<u64, MetricError> {
        let (rows, settings) = (&mut self.rows, &self.settings);
        self.table.end(&mut |row| rows.take(row, settings))?;
        let Some(layout) = &self.rows.layout else {
            Layout::new(self.table.columns())?;
            return Err(MetricError::Empty { what: "rows" });
        };
        if let Some(method) = self.settings.calibrate {
            let rows = &self.rows;
            let fit = Calibration::fit(method, &layout.classes, &rows.probabilities, &rows.truth)?;
            self.fitted = Some(fit);
        }
        Ok(self.table.n_rows())
    }

    fn calibration(&self) -> Option<&Calibration> {
        self.fitted.as_ref().map(|(calibration, _)| calibration)
    }

    fn report(&self, report: &mut Report) -> Result<(), MetricError> {
        let rows = &self.rows;
        let layout = rows.layout.as_ref().ok_or(MetricError::Empty { what: "rows" })?;
        let found = Found::new(layout, rows, &self.settings)?;
        if self.settings.are_logits {
            report.settings.push((
                "scores".to_owned(),
                "logits, made probabilities by a softmax".to_owned(),
            ));
        }
        if let Some(calibration) = &self.settings.calibration {
            report
                .settings
                .push(("calibration".to_owned(), calibration.description()));
        }
        report
            .settings
            .push(("bins".to_owned(), self.settings.bins.to_string()));
        found.counts(report);
        found.rankings(report);
        found.probabilities(report);
        if let (Some(method), Some((fit, at_limit))) = (self.settings.calibrate, &self.fitted) {
            report
                .settings
                .push(("fitted calibration".to_owned(), fit.description()));
            if *at_limit {
                let [low, high] = temperature::LIMITS;
                report.note(format!(
                    "The best temperature lies at or beyond the limits of {low} to {high}: these rows are separable, or their scores say nothing. Do not use it."
                ));
            }
            self.try_calibration(method, layout, report)?;
        }
        if rows.n_tied > 0 {
            report.note(format!(
                "In {} rows several classes are equally probable: the first of them counts as predicted; among the first k, the last of equals goes first.",
                rows.n_tied
            ));
        }
        if rows.n_rounded > 0 {
            report.note(format!(
                "The probabilities of {} rows add up to 1 only within 0.001; they are taken as they are.",
                rows.n_rounded
            ));
        }
        report.slices = rows.slicer.finish()?;
        Ok(())
    }
}

impl Classes {
    /// What the calibration gives on rows that it was not fitted to, by cross-validation; rows of one item stay together.
    fn try_calibration(
        &self,
        method: Method,
        layout: &Layout,
        report: &mut Report,
    ) -> Result<(), MetricError> {
        let rows = &self.rows;
        let n_classes = layout.classes.len();
        if rows.truth.len() < 10 * N_FOLDS {
            report.note("The calibration was fitted to fewer than 50 rows, too few to try it on rows apart.");
            return Ok(());
        }
        let fold_of = |row: usize| rows.units.get(row).copied().unwrap_or(row) % N_FOLDS;
        let mut calibrated = rows.probabilities.clone();
        for fold in 0..N_FOLDS {
            let (mut probabilities, mut truth) = (Vec::new(), Vec::new());
            for (row, own) in rows.probabilities.chunks(n_classes).enumerate() {
                if fold_of(row) != fold {
                    probabilities.extend_from_slice(own);
                    truth.push(rows.truth[row]);
                }
            }
            if truth.is_empty() {
                report.note("The calibration was fitted to rows of one item, and cannot be tried on others.");
                return Ok(());
            }
            let (fit, _) = Calibration::fit(method, &layout.classes, &probabilities, &truth)?;
            for (row, own) in calibrated.chunks_mut(n_classes).enumerate() {
                if fold_of(row) == fold {
                    fit.apply(own)?;
                }
            }
        }
        let (mut scores, mut reliability) = (
            Probabilities::new(n_classes)?,
            Reliability::new(self.settings.bins, Edges::RightClosed)?,
        );
        for (own, &truth) in calibrated.chunks(n_classes).zip(&rows.truth) {
            scores.add(own, truth);
            let (confidence, is_right) = confidence_of(own, truth);
            reliability.observe(confidence.clamp(0.0, 1.0), is_right)?;
        }
        let (scores, curve) = (scores.finish()?, reliability.finish()?);
        let lower =
            |id: &str, name: &str, value: f64| Figure::new(id, name, value, scores.n).better(Better::Lower);
        report.groups.push(Group {
            name: "After calibration, on rows that it was not fitted to (5 parts)".to_owned(),
            counted: "rows".to_owned(),
            figures: vec![
                lower("calibrated_log_loss", "Log-loss", scores.log_loss).in_unit("nats"),
                lower("calibrated_brier", "Brier score", scores.brier),
                lower("calibrated_ece", "Expected calibration error", curve.ece()),
            ],
        });
        let before = report.figure("ece").and_then(|figure| figure.value);
        if before.is_some_and(|before| curve.ece() >= before) {
            report.note("On rows that it was not fitted to, this calibration does not lower the expected calibration error: better leave it.");
        }
        Ok(())
    }
}

/// How sure a row is, and whether rightly: of two classes, the probability of the second; of more, that of the predicted.
fn confidence_of(row: &[f64], truth: usize) -> (f64, bool) {
    if row.len() == 2 {
        return (row[1], truth == 1);
    }
    let best = most_probable(row);
    (row[best], best == truth)
}
