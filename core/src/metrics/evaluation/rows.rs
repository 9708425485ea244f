//! Tables with truth and prediction in one row: joints (PCK), repetitions, angles.

use std::collections::HashMap;

use super::{Role, Settings, Subject};
use crate::metrics::agreement::Agreement;
use crate::metrics::csv::{Columns, Row, Table, shortened};
use crate::metrics::joints::{DEFAULT_SHARES, Joint, JointErrors, Settings as JointSettings};
use crate::metrics::repetitions::RepetitionErrors;
use crate::metrics::report::{Axis, Better, Figure, Group, Plot, Report, Series, SeriesKind};
use crate::metrics::slices::{Measure, Slicer};
use crate::metrics::{Evaluator, MetricError};
use crate::statistics::intervals::wilson;

/// Joints that are told apart.
const MAX_JOINTS: usize = 256;

/// Points of a plot of differences.
const MAX_POINTS: usize = 1_000;

pub(super) struct Rows {
    table: Table,
    body: Body,
}

struct Body {
    kind: Kind,
    layout: Option<Layout>,
    settings: Settings,
    slicer: Slicer,
}

enum Kind {
    Pck {
        errors: Box<JointErrors>,
        names: Vec<String>,
        places: HashMap<String, usize>,
        n_unlabelled: u64,
    },
    Repetitions(RepetitionErrors),
    Angles(Agreement),
}

/// Where the columns of a kind stand, and those of tags.
struct Layout {
    needed: Vec<usize>,
    size_y: Option<usize>,
    labelled: Option<usize>,
    item: Option<usize>,
    tags: HashMap<String, usize>,
}

impl Kind {
    fn columns(&self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Pck { .. } => (
                &[
                    "joint",
                    "truth_x",
                    "truth_y",
                    "predicted_x",
                    "predicted_y",
                    "size",
                ],
                "joint, truth_x, truth_y, predicted_x, predicted_y, size; and size_y, labelled, item, tag:NAME where they are wanted",
            ),
            Self::Repetitions(_) | Self::Angles(_) => (
                &["truth", "predicted"],
                "truth, predicted; and item, tag:NAME where they are wanted",
            ),
        }
    }
}

impl Rows {
    pub fn pck(settings: &Settings) -> Result<Self, MetricError> {
        let shares = settings.shares.clone().unwrap_or_else(|| DEFAULT_SHARES.to_vec());
        let middle = shares.get(shares.len() / 2).copied().unwrap_or_default();
        let errors = JointErrors::new(
            MAX_JOINTS,
            JointSettings {
                shares,
                ..JointSettings::default()
            },
        )?;
        let kind = Kind::Pck {
            errors: Box::new(errors),
            names: Vec::new(),
            places: HashMap::new(),
            n_unlabelled: 0,
        };
        let name = format!("PCK at {middle}");
        Ok(Self::new(kind, settings, "pck", &name, Better::Higher))
    }

    pub fn repetitions(settings: &Settings) -> Self {
        let kind = Kind::Repetitions(RepetitionErrors::default());
        Self::new(
            kind,
            settings,
            "mean_absolute_error",
            "Mean absolute error",
            Better::Lower,
        )
    }

    pub fn angles(settings: &Settings) -> Result<Self, MetricError> {
        let kind = Kind::Angles(Agreement::new(2)?);
        Ok(Self::new(
            kind,
            settings,
            "mean_absolute_error",
            "Mean absolute difference",
            Better::Lower,
        ))
    }

    fn new(kind: Kind, settings: &Settings, id: &str, name: &str, better: Better) -> Self {
        let measure = Measure {
            id: id.to_owned(),
            name: name.to_owned(),
            better,
            is_share: better == Better::Higher,
            scale: 1.0,
        };
        Self {
            table: Table::default(),
            body: Body {
                kind,
                layout: None,
                settings: settings.clone(),
                slicer: Slicer::new(measure, &settings.slices),
            },
        }
    }
}

impl Body {
    fn layout(&mut self, columns: &[String]) -> Result<(), MetricError> {
        let (needed, all) = self.kind.columns();
        let found = Columns(columns);
        let tags = columns
            .iter()
            .enumerate()
            .filter_map(|(place, name)| name.strip_prefix("tag:").map(|tag| (tag.to_owned(), place)));
        self.layout = Some(Layout {
            needed: needed
                .iter()
                .map(|name| found.need(name, all))
                .collect::<Result<_, _>>()?,
            size_y: found.find("size_y"),
            labelled: found.find("labelled"),
            item: found.find("item"),
            tags: tags.collect(),
        });
        Ok(())
    }

    fn take(&mut self, row: &Row<'_>) -> Result<(), MetricError> {
        if self.layout.is_none() {
            self.layout(row.columns)?;
        }
        let Some(layout) = &self.layout else {
            return Ok(());
        };
        let error = match &mut self.kind {
            Kind::Pck {
                errors,
                names,
                places,
                n_unlabelled,
            } => {
                if let Some(column) = layout.labelled
                    && row.number(column)? <= 0.0
                {
                    *n_unlabelled += 1;
                    return Ok(());
                }
                let name = row.cell(layout.needed[0]);
                let index = match places.get(name) {
                    Some(index) => *index,
                    None if names.len() == MAX_JOINTS => {
                        return Err(MetricError::TooMany {
                            what: "kinds of joints",
                            limit: MAX_JOINTS as u64,
                        });
                    }
                    None => {
                        places.insert(name.to_owned(), names.len());
                        names.push(name.to_owned());
                        names.len() - 1
                    }
                };
                let number = |place: usize| row.number(layout.needed[place]);
                let size = number(5)?;
                let joint = Joint {
                    index,
                    truth: [number(1)?, number(2)?],
                    predicted: [number(3)?, number(4)?],
                    size: [size, layout.size_y.map_or(Ok(size), |column| row.number(column))?],
                };
                let distance = errors.observe_at(&joint, row.line)?;
                let shares = &errors.settings().shares;
                f64::from(u8::from(distance < shares[shares.len() / 2]))
            }
            Kind::Repetitions(errors) => {
                let truth = count(row, layout.needed[0])?;
                let predicted = count(row, layout.needed[1])?;
                errors.observe(truth, predicted)?;
                truth.abs_diff(predicted) as f64
            }
            Kind::Angles(agreement) => {
                let pair = [row.number(layout.needed[0])?, row.number(layout.needed[1])?];
                agreement.observe(&pair)?;
                (pair[1] - pair[0]).abs()
            }
        };
        let item = layout.item.map(|column| row.cell(column));
        self.slicer
            .observe(item, error, 1.0, |tag| match layout.tags.get(tag) {
                Some(column) => Some(row.cell(*column)),
                None => self.settings.tags.get(item?, tag),
            });
        Ok(())
    }
}

/// A count of repetitions.
fn count(row: &Row<'_>, column: usize) -> Result<u64, MetricError> {
    row.cell(column).parse().map_err(|_| MetricError::Malformed {
        row: row.line,
        reason: format!(
            "'{}' is '{}', which is not a whole number from 0 up",
            row.columns[column],
            shortened(row.cell(column))
        ),
    })
}

impl Subject for Rows {
    fn push(&mut self, _: Role, bytes: &[u8]) -> Result<(), MetricError> {
        let body = &mut self.body;
        self.table.push(bytes, &mut |row| body.take(row))
    }

    fn end(&mut self, _: Role, _: &str) -> Result<u64, MetricError> {
        let body = &mut self.body;
        self.table.end(&mut |row| body.take(row))?;
        // A header alone is read too, so that what it lacks is said.
        let columns = self.table.columns().to_vec();
        self.body.layout(&columns)?;
        if self.table.n_rows() == 0 {
            return Err(MetricError::Empty { what: "rows" });
        }
        Ok(self.table.n_rows())
    }

    fn report(&self, report: &mut Report) -> Result<(), MetricError> {
        match &self.body.kind {
            Kind::Pck {
                errors,
                names,
                n_unlabelled,
                ..
            } => joints(errors, names, *n_unlabelled, report)?,
            Kind::Repetitions(errors) => repetitions(errors, report)?,
            Kind::Angles(agreement) => angles(agreement, &self.body.settings.unit, report)?,
        }
        report.slices = self.body.slicer.finish()?;
        Ok(())
    }
}

fn joints(
    errors: &JointErrors,
    names: &[String],
    n_unlabelled: u64,
    report: &mut Report,
) -> Result<(), MetricError> {
    let found = errors.finish()?;
    let shares = &errors.settings().shares;
    report.settings.push((
        "nearer than a share of the size".to_owned(),
        "strictly".to_owned(),
    ));
    let mut figures = Vec::new();
    for (share, mean) in shares.iter().zip(&found.mean_pck) {
        let name = format!("PCK at {share}, mean over joints");
        figures.push(Figure::new(&format!("pck@{share}"), &name, *mean, found.n).better(Better::Higher));
    }
    for (share, within, n) in &found.within {
        let name = format!("PCK at {share}, all joints as one");
        let id = format!("pck_pooled@{share}");
        let value = *within as f64 / *n as f64;
        figures.push(Figure::new(&id, &name, value, *n).better(Better::Higher));
    }
    figures.extend([
        Figure::new("pck_auc", "Area under PCK, shares 0 to 0.95", found.auc, found.n).better(Better::Higher),
        Figure::new("nme", "Mean error in sizes", found.nme, found.n).better(Better::Lower),
        Figure::new("epe", "Mean error", found.epe_px, found.n)
            .better(Better::Lower)
            .in_unit("px"),
    ]);
    report.groups.push(Group {
        name: "Joints".to_owned(),
        counted: "labelled joints".to_owned(),
        figures,
    });
    let mut figures = Vec::new();
    for joint in &found.joints {
        let name = &names[joint.index];
        for (share, value) in shares.iter().zip(&joint.pck) {
            let id = format!("pck@{share}[{name}]");
            let title = format!("PCK at {share}, {name}");
            let mut figure = Figure::new(&id, &title, *value, joint.n).better(Better::Higher);
            if let Some(interval) = wilson((value * joint.n as f64).round() as u64, joint.n, 0.95) {
                figure = figure.between(interval.low, interval.high);
            }
            figures.push(figure);
        }
        let id = format!("epe[{name}]");
        figures.push(
            Figure::new(&id, &format!("Mean error, {name}"), joint.epe_px, joint.n)
                .better(Better::Lower)
                .in_unit("px"),
        );
    }
    report.groups.push(Group {
        name: "By joint".to_owned(),
        counted: "people with the joint labelled".to_owned(),
        figures,
    });
    if n_unlabelled > 0 {
        report.note(format!("{n_unlabelled} joints are not labelled and left out."));
    }
    Ok(())
}

fn repetitions(errors: &RepetitionErrors, report: &mut Report) -> Result<(), MetricError> {
    let found = errors.finish()?;
    let mut off = Figure::new(
        "off_by_one",
        "Sets off by one at most",
        found.off_by_one_share(),
        found.n,
    );
    if let Some(interval) = wilson(found.off_by_one, found.n, 0.95) {
        off = off.between(interval.low, interval.high);
    }
    let relative = Figure::maybe(
        "mean_relative_error",
        "Mean error by the true count",
        found.mean_relative,
        found.n_relative,
        "no set has a repetition",
    );
    report.groups.push(Group {
        name: "Repetitions".to_owned(),
        counted: "sets".to_owned(),
        figures: vec![
            Figure::new(
                "mean_absolute_error",
                "Mean absolute error",
                found.mean_absolute,
                found.n,
            )
            .better(Better::Lower)
            .in_unit("repetitions"),
            off.better(Better::Higher),
            relative.better(Better::Lower),
            Figure::new(
                "mean_surplus",
                "Mean of counted less true",
                found.mean_surplus,
                found.n,
            )
            .in_unit("repetitions"),
        ],
    });
    if found.n_relative < found.n {
        report.note(format!(
            "{} sets have no repetition: they have no relative error and are not in its mean.",
            found.n - found.n_relative
        ));
    }
    Ok(())
}

fn angles(agreement: &Agreement, unit: &str, report: &mut Report) -> Result<(), MetricError> {
    let found = agreement.finish()?;
    let n = agreement.n() as u64;
    let why = "the values do not vary";
    let mut figures = Vec::new();
    if let Some(limits) = found.limits {
        let [low, high] = limits.bias_interval;
        figures.extend([
            Figure::new("bias", "Mean difference, predicted less true", limits.bias, n)
                .between(low, high)
                .in_unit(unit),
            Figure::new("limit_low", "Lower limit of agreement", limits.low, n)
                .in_unit(unit)
                .noted("mean less 1.96 sd"),
            Figure::new("limit_high", "Upper limit of agreement", limits.high, n)
                .in_unit(unit)
                .noted("mean plus 1.96 sd"),
            Figure::new("difference_sd", "Standard deviation of differences", limits.sd, n)
                .in_unit(unit)
                .better(Better::Lower),
            Figure::new(
                "mean_absolute_error",
                "Mean absolute difference",
                limits.mean_absolute,
                n,
            )
            .in_unit(unit)
            .better(Better::Lower),
        ]);
        report.plots.push(bland_altman(agreement, &limits, unit));
    }
    let mut icc = Figure::maybe(
        "icc",
        "ICC(2,1), absolute agreement",
        found.icc.map(|icc| icc.value),
        n,
        why,
    );
    if let Some([low, high]) = found.icc.and_then(|icc| icc.interval) {
        icc = icc.between(low, high);
    }
    figures.push(icc.better(Better::Higher));
    report.groups.push(Group {
        name: "Agreement".to_owned(),
        counted: "pairs".to_owned(),
        figures,
    });
    report.note("Limits of agreement and the correlation take rows as independent: give one row a person where that matters.");
    Ok(())
}

/// Differences over means, with bias and limits.
fn bland_altman(agreement: &Agreement, limits: &crate::metrics::agreement::Limits, unit: &str) -> Plot {
    let step = agreement.n().div_ceil(MAX_POINTS).max(1);
    let points: Vec<[f64; 2]> = agreement.differences().step_by(step).collect();
    let span = |axis: usize, more: &[f64]| {
        let values = points.iter().map(|point| point[axis]).chain(more.iter().copied());
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        // An axis without length cannot be drawn.
        if high > low {
            (low, high)
        } else {
            (low - 1.0, high + 1.0)
        }
    };
    let ((x_low, x_high), (y_low, y_high)) = (span(0, &[]), span(1, &[limits.low, limits.high]));
    let line = |name: &str, y: f64| Series {
        name: name.to_owned(),
        kind: SeriesKind::Reference,
        points: vec![[x_low, y], [x_high, y]],
    };
    Plot {
        id: "bland_altman".to_owned(),
        title: "Differences over means".to_owned(),
        x: Axis {
            label: format!("Mean of both, {unit}"),
            low: x_low,
            high: x_high,
        },
        y: Axis {
            label: format!("Predicted less true, {unit}"),
            low: y_low,
            high: y_high,
        },
        series: vec![
            line("mean difference", limits.bias),
            line("lower limit", limits.low),
            line("upper limit", limits.high),
            Series {
                name: "pairs".to_owned(),
                kind: SeriesKind::Points,
                points,
            },
        ],
    }
}
