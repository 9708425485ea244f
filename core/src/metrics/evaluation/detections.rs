//! Actions as intervals of time: tables of `video,label,start,end`, predictions with `score`.

use super::{Role, Settings, Subject};
use crate::metrics::csv::{Columns, Row, Table};
use crate::metrics::detections::{ACTIVITYNET_OVERLAPS, Action, TemporalAp};
use crate::metrics::report::{Better, Figure, Group, Report};
use crate::metrics::{Evaluator, MetricError};

pub(super) struct Detections {
    truth: Table,
    predictions: Table,
    actions: TemporalAp,
}

impl Detections {
    pub fn new(settings: &Settings) -> Result<Self, MetricError> {
        if !settings.slices.is_empty() {
            return Err(MetricError::Malformed {
                row: 0,
                reason: "average precision of actions cannot be sliced; evaluate parts of the files"
                    .to_owned(),
            });
        }
        Ok(Self {
            truth: Table::default(),
            predictions: Table::default(),
            actions: TemporalAp::new(settings.overlaps.as_deref().unwrap_or(&ACTIVITYNET_OVERLAPS))?,
        })
    }
}

fn take(actions: &mut TemporalAp, role: Role, row: &Row<'_>) -> Result<(), MetricError> {
    let all = "video, label, start, end; and score for predictions";
    let columns = Columns(row.columns);
    let [video, label, start, end] = ["video", "label", "start", "end"].map(|name| columns.need(name, all));
    let action = Action {
        video: row.cell(video?).to_owned(),
        label: row.cell(label?).to_owned(),
        start_secs: row.number(start?)?,
        end_secs: row.number(end?)?,
        row: row.line,
    };
    if role == Role::Truth {
        return actions.add_truth(action);
    }
    let score = row.number(columns.need("score", all)?)?;
    actions.add_prediction(action, score)
}

impl Subject for Detections {
    fn push(&mut self, role: Role, bytes: &[u8]) -> Result<(), MetricError> {
        let actions = &mut self.actions;
        let table = if role == Role::Truth {
            &mut self.truth
        } else {
            &mut self.predictions
        };
        table.push(bytes, &mut |row| take(actions, role, row))
    }

    fn end(&mut self, role: Role, _: &str) -> Result<u64, MetricError> {
        let actions = &mut self.actions;
        let table = if role == Role::Truth {
            &mut self.truth
        } else {
            &mut self.predictions
        };
        table.end(&mut |row| take(actions, role, row))?;
        Ok(table.n_rows())
    }

    fn report(&self, report: &mut Report) -> Result<(), MetricError> {
        let found = self.actions.finish()?;
        let n: u64 = found.classes.iter().map(|class| class.n_truths).sum();
        let figure =
            |id: &str, name: &str, value: f64, n: u64| Figure::new(id, name, value, n).better(Better::Higher);
        let mut figures = vec![figure(
            "map",
            "Mean average precision over overlaps",
            found.mean_map,
            n,
        )];
        for (overlap, map) in found.overlaps.iter().zip(&found.map) {
            figures.push(figure(
                &format!("map@{overlap}"),
                &format!("Mean average precision at {overlap}"),
                *map,
                n,
            ));
        }
        report.groups.push(Group {
            name: "Actions".to_owned(),
            counted: "true actions".to_owned(),
            figures,
        });
        let by_class = found.classes.iter().map(|class| {
            let mean = class.average_precision.iter().sum::<f64>() / class.average_precision.len() as f64;
            let name = format!("Average precision, {}", class.label);
            figure(&format!("ap[{}]", class.label), &name, mean, class.n_truths)
        });
        report.groups.push(Group {
            name: "By class, mean over overlaps".to_owned(),
            counted: "true actions of the class".to_owned(),
            figures: by_class.collect(),
        });
        if self.predictions.n_rows() == 0 {
            report.note("There are no predictions: everything was missed.");
        }
        if found.n_other_classes > 0 {
            report.note(format!(
                "{} predictions are of classes that the truth does not have; no number here counts them.",
                found.n_other_classes
            ));
        }
        if found.n_tied > 0 {
            report.note(format!(
                "{} predictions have the score of another one of their class: the order of lines decides.",
                found.n_tied
            ));
        }
        Ok(())
    }
}
