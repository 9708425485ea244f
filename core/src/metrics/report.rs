//! What an evaluation found, in the form that the command line prints and the page shows: figures by group, curves,
//! tables, slices, and what they rest on.
//!
//! Numbers are finite everywhere. A figure that is not defined has no value and says why.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Of the JSON form. A reader of a higher one would misunderstand it.
pub const SCHEMA: u32 = 1;

/// A number with what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Names it for programs; stable, lower case, unique in a report.
    pub id: String,
    /// Names it for people.
    pub name: String,
    /// None where it is not defined; `note` then says why.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// How many observations it rests on: rows, joints, images, pixels, as the group says.
    pub n: u64,
    /// What the number is counted in (`px`, `deg`, `%`); none for shares and scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Which direction is good; none where neither is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better: Option<Better>,
    /// A convention that this number rests on, or why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which direction of a figure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// As of accuracy.
    Higher,
    /// As of errors.
    Lower,
}

impl Figure {
    /// A figure with a value; one that is not finite becomes a figure without.
    pub fn new(id: &str, name: &str, value: f64, n: u64) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            value: value.is_finite().then_some(value),
            low: None,
            high: None,
            n,
            unit: None,
            better: None,
            note: (!value.is_finite()).then(|| "not defined for these rows".to_owned()),
        }
    }

    /// A figure that may not be defined; `why` says when it is not.
    pub fn maybe(id: &str, name: &str, value: Option<f64>, n: u64, why: &str) -> Self {
        match value {
            Some(value) => Self::new(id, name, value, n),
            None => Self {
                note: Some(why.to_owned()),
                ..Self::new(id, name, f64::NAN, n)
            },
        }
    }

    /// With its interval.
    #[must_use]
    pub fn between(mut self, low: f64, high: f64) -> Self {
        self.low = low.is_finite().then_some(low);
        self.high = high.is_finite().then_some(high);
        self
    }

    /// With what it is counted in.
    #[must_use]
    pub fn in_unit(mut self, unit: &str) -> Self {
        self.unit = Some(unit.to_owned());
        self
    }

    /// With the direction that is good.
    #[must_use]
    pub fn better(mut self, better: Better) -> Self {
        self.better = Some(better);
        self
    }

    /// With a note.
    #[must_use]
    pub fn noted(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }
}

/// Figures that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// A heading.
    pub name: String,
    /// What `n` counts.
    pub counted: String,
    /// In the order in which they are read.
    pub figures: Vec<Figure>,
}

/// A file or model that went in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `truth`, `predictions`, `rows`, `tags`, `model`.
    pub role: String,
    /// A file's name without its folders, or a model's name.
    pub name: String,
    /// Of its bytes, 64 hexadecimal digits, where they were hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How many entries it has.
    pub entries: u64,
}

/// Lines over axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// Names it for programs: `roc`, `precision_recall`, `reliability`, `bland_altman`.
    pub id: String,
    /// A heading.
    pub title: String,
    /// Horizontal.
    pub x: Axis,
    /// Vertical.
    pub y: Axis,
    /// Drawn in this order.
    pub series: Vec<Series>,
}

/// One axis of a plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What is on it, with its unit.
    pub label: String,
    /// Where it begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

impl Axis {
    /// An axis of shares, 0 to 1.
    pub fn share(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            low: 0.0,
            high: 1.0,
        }
    }
}

/// Points of a plot that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What they are.
    pub name: String,
    /// How they are drawn.
    pub kind: SeriesKind,
    /// Places on both axes, in drawing order.
    pub points: Vec<[f64; 2]>,
}

/// How points are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeriesKind {
    /// Joined.
    Line,
    /// Each for itself.
    Points,
    /// From zero up, as wide as the step between points.
    Bars,
    /// Joined and quiet: what would be perfect, or chance.
    Reference,
}

/// Which class was taken for which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionTable {
    /// Names of rows and columns.
    pub classes: Vec<String>,
    /// Rows are the truth, columns what was predicted.
    pub counts: Vec<Vec<u64>>,
}

/// A part of the rows, beside the whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The tag by which rows were parted.
    pub by: String,
    /// Which part: a text, a range, `not said`.
    pub label: String,
    /// The metric of the slice with its interval; `n` counts what was drawn: rows, or images and clips.
    pub figure: Figure,
    /// The metric of the slice less that of all other rows.
    pub gap: Option<f64>,
    /// How probable so large a gap would be if the tag said nothing; none for small slices.
    pub p: Option<f64>,
    /// The same after Benjamini and Hochberg over all slices of the report.
    pub q: Option<f64>,
    /// Whether there are enough rows to say anything.
    pub is_enough: bool,
}

/// All that an evaluation says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`] of the program that wrote it.
    pub schema: u32,
    /// As after `--task`.
    pub task: String,
    /// What went in.
    pub sources: Vec<Source>,
    /// What was chosen, as name and value, in the order in which it is read.
    pub settings: Vec<(String, String)>,
    /// The figures; the first of the first group is the one to read first.
    pub groups: Vec<Group>,
    /// Conventions that apply to these rows, and what is odd about them, a sentence each.
    pub notes: Vec<String>,
    /// Curves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plots: Vec<Plot>,
    /// Of classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<ConfusionTable>,
    /// The surest bad slice first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<Slice>,
    /// For keypoints: the ten numbers in pycocotools' order, -1 where one is not defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pycocotools: Option<[f64; 10]>,
}

impl Report {
    /// A report without findings.
    pub fn new(task: &str) -> Self {
        Self {
            schema: SCHEMA,
            task: task.to_owned(),
            sources: Vec::new(),
            settings: Vec::new(),
            groups: Vec::new(),
            notes: Vec::new(),
            plots: Vec::new(),
            confusion: None,
            slices: Vec::new(),
            pycocotools: None,
        }
    }

    /// All figures of all groups.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.groups.iter().flat_map(|group| &group.figures)
    }

    /// A figure by its id.
    pub fn figure(&self, id: &str) -> Option<&Figure> {
        self.figures().find(|figure| figure.id == id)
    }

    /// Notes a convention or oddity, once.
    pub fn note(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.notes.contains(&sentence) {
            self.notes.push(sentence);
        }
    }

    /// The figures and slices as a table for spreadsheets: a header, then one a line; undefined values are empty.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("group,id,name,value,low,high,n,unit,p,q,note\n");
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let mut line = |group: &str, figure: &Figure, p: Option<f64>, q: Option<f64>| {
            let cells = [
                quoted(group),
                quoted(&figure.id),
                quoted(&figure.name),
                number(figure.value),
                number(figure.low),
                number(figure.high),
                figure.n.to_string(),
                quoted(figure.unit.as_deref().unwrap_or_default()),
                number(p),
                number(q),
                quoted(figure.note.as_deref().unwrap_or_default()),
            ];
            let _ = writeln!(text, "{}", cells.join(","));
        };
        for group in &self.groups {
            for figure in &group.figures {
                line(&group.name, figure, None, None);
            }
        }
        for slice in &self.slices {
            line(
                &format!("{} = {}", slice.by, slice.label),
                &slice.figure,
                slice.p,
                slice.q,
            );
        }
        text
    }
}

/// A cell of a CSV file, in quotes where it needs them.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// At most about `2 · steps` points of a curve inside the unit square: the first, the last, and each that lies a step from
/// the one before in either direction. Curves of a million rows are drawn and sent, so they are thinned; figures are not.
pub fn thinned(points: impl IntoIterator<Item = [f64; 2]>, steps: u32) -> Vec<[f64; 2]> {
    let step = 1.0 / f64::from(steps);
    let mut kept: Vec<[f64; 2]> = Vec::new();
    let mut last = None;
    for point in points {
        let is_far =
            |from: &[f64; 2]| (point[0] - from[0]).abs() >= step || (point[1] - from[1]).abs() >= step;
        if kept.last().is_none_or(is_far) {
            kept.push(point);
        }
        last = Some(point);
    }
    if let Some(last) = last
        && kept.last() != Some(&last)
    {
        kept.push(last);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_values_are_no_numbers() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let figure = Figure::new("id", "name", value, 3).between(value, 1.0);
            assert_eq!((figure.value, figure.low, figure.high), (None, None, Some(1.0)));
            assert!(figure.note.is_some());
        }
        let figure = Figure::maybe("id", "name", None, 0, "no rows");
        assert_eq!(figure.note.as_deref(), Some("no rows"));
    }

    #[test]
    fn a_table_for_spreadsheets_quotes_what_it_must() {
        let mut report = Report::new("classes");
        report.groups.push(Group {
            name: "a, \"b\"".to_owned(),
            counted: "rows".to_owned(),
            figures: vec![
                Figure::new("x", "X", 0.1 + 0.2, 4).noted("one\ntwo"),
                Figure::maybe("y", "Y", None, 0, "none"),
            ],
        });
        assert_eq!(
            report.to_csv(),
            "group,id,name,value,low,high,n,unit,p,q,note\n\
             \"a, \"\"b\"\"\",x,X,0.30000000000000004,,,4,,,,\"one\ntwo\"\n\
             \"a, \"\"b\"\"\",y,Y,,,,0,,,,none\n"
        );
    }

    #[test]
    fn curves_keep_their_ends() {
        let curve = (0..=100_000).map(|i| [f64::from(i) / 1e5, 1.0]);
        let thin = thinned(curve, 100);
        assert!(thin.len() <= 202, "{}", thin.len());
        assert_eq!((thin[0], thin[thin.len() - 1]), ([0.0, 1.0], [1.0, 1.0]));
        assert!(thinned([], 10).is_empty());
        assert_eq!(thinned([[0.5, 0.5]], 10), [[0.5, 0.5]]);
    }
}
