//! What all rows of classes say together, as figures, curves and tables.

use super::{LabelledRows, Layout, confidence_of, most_probable};
use crate::metrics::calibration::{Bin, Curve, Edges, EqualMass, Reliability};
use crate::metrics::confusion::{ClassFigures, Confusion, Mean};
use crate::metrics::csv::shortened;
use crate::metrics::evaluation::Settings;
use crate::metrics::probability::{Probabilities, ProbabilityScores};
use crate::metrics::ranking::{Ranked, Ranking};
use crate::metrics::report::{
    Axis, Better, ConfusionTable, Figure, Group, Plot, Report, Series, SeriesKind, thinned,
};
use crate::metrics::slices::interval_of_rows;
use crate::metrics::top_k::{TopK, TopKShares};
use crate::metrics::{Evaluator, MetricError};
use crate::statistics::intervals::{Interval, wilson};

/// Classes whose curves and confusions are listed.
const MAX_LISTED: usize = 64;

/// Classes whose curves are drawn.
const MAX_CURVES: usize = 8;

/// Steps of drawn curves.
const CURVE_STEPS: u32 = 200;

/// All evaluators over all rows.
pub(super) struct Found<'a> {
    classes: &'a [String],
    n: u64,
    accuracy_interval: Option<Interval>,
    has_items: bool,
    counts: ClassFigures,
    confusion: Confusion,
    top: TopKShares,
    ranked: Vec<Ranked>,
    scores: ProbabilityScores,
    right_closed: Curve,
    left_closed: Curve,
    equal_mass: Curve,
}

impl<'a> Found<'a> {
    pub fn new(layout: &'a Layout, rows: &LabelledRows, settings: &Settings) -> Result<Self, MetricError> {
        let n_classes = layout.classes.len();
        let (mut confusion, mut top) = (Confusion::new(n_classes)?, TopK::new(n_classes)?);
        let mut scores = Probabilities::new(n_classes)?;
        let mut right_closed = Reliability::new(settings.bins, Edges::RightClosed)?;
        let mut left_closed = Reliability::new(settings.bins, Edges::LeftClosed)?;
        let mut equal_mass = EqualMass::new(settings.bins)?;
        for (row, (own, &truth)) in rows.probabilities.chunks(n_classes).zip(&rows.truth).enumerate() {
            confusion.add(truth, most_probable(own));
            top.count(own, own[truth], truth);
            scores.add(own, truth);
            let (confidence, is_right) = confidence_of(own, truth);
            // Division by a sum may leave a hair more than 1.
            let confidence = confidence.clamp(0.0, 1.0);
            right_closed.observe(confidence, is_right)?;
            left_closed.observe(confidence, is_right)?;
            equal_mass.observe(row as u64, confidence, is_right)?;
        }
        // Of two classes, the second; of more, each against all others.
        let first = if n_classes == 2 { 1 } else { 0 };
        let mut ranked = Vec::with_capacity(n_classes - first);
        for class in first..n_classes {
            let mut ranking = Ranking::default();
            for (own, &truth) in rows.probabilities.chunks(n_classes).zip(&rows.truth) {
                ranking.observe(own[class], truth == class)?;
            }
            ranked.push(ranking.finish()?);
        }
        let counts = confusion.finish()?;
        Ok(Self {
            classes: &layout.classes,
            n: rows.truth.len() as u64,
            accuracy_interval: accuracy_interval(rows, &counts),
            has_items: layout.item.is_some(),
            counts,
            confusion,
            top: top.finish()?,
            ranked,
            scores: scores.finish()?,
            right_closed: right_closed.finish()?,
            left_closed: left_closed.finish()?,
            equal_mass: equal_mass.finish()?,
        })
    }

    fn figure(&self, id: &str, name: &str, value: f64) -> Figure {
        Figure::new(id, name, value, self.n).better(Better::Higher)
    }

    pub fn counts(&self, report: &mut Report) {
        let counts = &self.counts;
        let mut accuracy = self.figure("accuracy", "Accuracy", counts.accuracy);
        if let Some(interval) = self.accuracy_interval {
            accuracy = accuracy.between(interval.low, interval.high);
        }
        if self.has_items {
            accuracy = accuracy.noted("the interval is that of items, whose rows are not independent");
        }
        let mut figures = vec![
            accuracy,
            self.figure("balanced_accuracy", "Balanced accuracy", counts.balanced_accuracy),
        ];
        let means: [(&str, &str, Mean); 3] = [
            ("macro", "mean over classes", counts.macro_mean),
            ("micro", "over rows", counts.micro_mean),
            ("weighted", "weighted by class", counts.weighted_mean),
        ];
        for (id, words, mean) in means {
            for (what, name, value) in [
                ("precision", "Precision", mean.precision),
                ("recall", "Recall", mean.recall),
                ("f1", "F1", mean.f1),
            ] {
                figures.push(self.figure(&format!("{id}_{what}"), &format!("{name}, {words}"), value));
            }
        }
        let why = "truth or prediction is one class only";
        figures.push(
            Figure::maybe("mcc", "Matthews correlation", counts.mcc, self.n, why).better(Better::Higher),
        );
        figures
            .push(Figure::maybe("kappa", "Cohen's kappa", counts.kappa, self.n, why).better(Better::Higher));
        for k in (2..=5).filter(|k| *k < self.classes.len()) {
            if let Some(share) = self.top.share(k) {
                figures.push(self.figure(
                    &format!("top_{k}"),
                    &format!("True class among the first {k}"),
                    share,
                ));
            }
        }
        report.groups.push(group("Classes", "rows", figures));
        let listed = self.classes.len() <= MAX_LISTED;
        let mut figures = Vec::new();
        let mut absent = Vec::new();
        for (name, class) in self.classes.iter().zip(&counts.classes) {
            if class.support + class.predicted == 0 {
                absent.push(name.as_str());
            }
            if !listed {
                continue;
            }
            for (what, title, value, n, why) in [
                (
                    "precision",
                    "Precision",
                    class.precision,
                    class.predicted,
                    "never predicted; 0 in means",
                ),
                (
                    "recall",
                    "Recall",
                    class.recall,
                    class.support,
                    "no examples; 0 in means",
                ),
                (
                    "f1",
                    "F1",
                    class.f1,
                    class.support,
                    "no examples and never predicted; in no mean",
                ),
            ] {
                let id = format!("{what}[{name}]");
                figures.push(
                    Figure::maybe(&id, &format!("{title}, {name}"), value, n, why).better(Better::Higher),
                );
            }
        }
        if listed {
            report.groups.push(group(
                "By class",
                "rows of the class, or predicted as it",
                figures,
            ));
            report.confusion = Some(ConfusionTable {
                classes: self.classes.to_vec(),
                counts: self.confusion.rows(),
            });
        } else {
            report.note(format!("There are more than {MAX_LISTED} classes: single ones and the confusion matrix are not listed."));
        }
        if !absent.is_empty() {
            report.note(format!(
                "No examples and no predictions of {}: in no mean.",
                shortened(&absent.join(", "))
            ));
        }
    }

    pub fn rankings(&self, report: &mut Report) {
        let names: Vec<&String> = if self.ranked.len() == 1 {
            vec![&self.classes[1]]
        } else {
            self.classes.iter().collect()
        };
        let areas: Vec<Option<f64>> = self.ranked.iter().map(|ranked| ranked.auroc().ok()).collect();
        let averages: Vec<Option<f64>> = self.ranked.iter().map(Ranked::average_precision).collect();
        let mean = |values: &[Option<f64>]| {
            let known: Vec<f64> = values.iter().flatten().copied().collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        let of = if self.ranked.len() == 1 {
            format!(" of {}", names[0])
        } else {
            ", mean of each class against all others".to_owned()
        };
        let why = "all rows are of one class, and a ranking needs two";
        let mut figures = vec![
            Figure::maybe("auroc", &format!("AUROC{of}"), mean(&areas), self.n, why).better(Better::Higher),
            Figure::maybe(
                "average_precision",
                &format!("Average precision{of}"),
                mean(&averages),
                self.n,
                "there are no positive examples",
            )
            .better(Better::Higher),
        ];
        if self.ranked.len() > 1 && self.ranked.len() <= MAX_LISTED {
            for (place, name) in names.iter().enumerate() {
                let n = self.ranked[place].positives();
                let why = "no examples of the class, or of no other";
                let id = format!("auroc[{name}]");
                figures.push(
                    Figure::maybe(&id, &format!("AUROC, {name}"), areas[place], n, why)
                        .better(Better::Higher),
                );
                let id = format!("average_precision[{name}]");
                let title = format!("Average precision, {name}");
                figures.push(Figure::maybe(&id, &title, averages[place], n, why).better(Better::Higher));
            }
        }
        report.groups.push(group("Ranking", "rows", figures));
        let n_without = areas.iter().filter(|area| area.is_none()).count();
        if n_without > 0 && self.ranked.len() > 1 {
            report.note(format!(
                "{n_without} classes have no examples, or there are no others: not in the mean AUROC."
            ));
        }
        let (mut roc, mut recall) = (Vec::new(), Vec::new());
        for (ranked, name) in self.ranked.iter().zip(&names).take(MAX_CURVES) {
            if let Ok(points) = ranked.roc() {
                roc.push(series(name, SeriesKind::Line, thinned(points, CURVE_STEPS)));
            }
            if let Some(points) = ranked.precision_recall() {
                recall.push(series(name, SeriesKind::Line, thinned(points, CURVE_STEPS)));
            }
        }
        if !roc.is_empty() {
            roc.push(series(
                "by chance",
                SeriesKind::Reference,
                vec![[0.0; 2], [1.0; 2]],
            ));
            report.plots.push(plot(
                "roc",
                "ROC",
                ["False positive rate", "True positive rate"],
                roc,
            ));
        }
        if !recall.is_empty() {
            report.plots.push(plot(
                "precision_recall",
                "Precision and recall",
                ["Recall", "Precision"],
                recall,
            ));
        }
    }

    pub fn probabilities(&self, report: &mut Report) {
        let lower =
            |id: &str, name: &str, value: f64| Figure::new(id, name, value, self.n).better(Better::Lower);
        let halved = if self.classes.len() == 2 {
            "of the second class"
        } else {
            "summed over classes"
        };
        let of = if self.classes.len() == 2 {
            format!("confidence is the probability of {}", self.classes[1])
        } else {
            "confidence is the probability of the predicted class".to_owned()
        };
        let figures = vec![
            lower("log_loss", "Log-loss", self.scores.log_loss).in_unit("nats"),
            lower("brier", "Brier score", self.scores.brier).noted(halved),
            lower("ece", "Expected calibration error", self.right_closed.ece())
                .noted(&format!("bins (a, b]; {of}")),
            lower(
                "ece_left_closed",
                "Expected calibration error, bins [a, b)",
                self.left_closed.ece(),
            ),
            lower(
                "ece_equal_mass",
                "Expected calibration error, bins of equal mass",
                self.equal_mass.ece(),
            ),
            lower("mce", "Largest error of a bin", self.right_closed.mce()),
            Figure::maybe(
                "calibration_rms_debiased",
                "Root mean square of errors, without chance",
                self.right_closed.debiased_rms(),
                self.n,
                "no bin has two rows",
            )
            .better(Better::Lower),
        ];
        report.groups.push(group("Probabilities", "rows", figures));
        let point = |bin: &Bin| [bin.confidence, bin.accuracy()];
        let points = self.right_closed.bins.iter().map(point).collect();
        let masses = self.right_closed.bins.iter();
        let masses = masses
            .map(|bin| [f64::midpoint(bin.low, bin.high), bin.n as f64 / self.n as f64])
            .collect();
        report.plots.push(plot(
            "reliability",
            "Reliability",
            ["Confidence", "Share that is right"],
            vec![
                series("share of rows", SeriesKind::Bars, masses),
                series("calibrated", SeriesKind::Reference, vec![[0.0; 2], [1.0; 2]]),
                series("this model", SeriesKind::Line, points),
            ],
        ));
        if self.n < 1000 {
            report.note(format!(
                "With {} rows, calibration errors hold a part of chance; the debiased one is without it.",
                self.n
            ));
        }
    }
}

/// Wilson's where rows are independent, that of items drawn where they are not.
fn accuracy_interval(rows: &LabelledRows, counts: &ClassFigures) -> Option<Interval> {
    if rows.units.is_empty() {
        return wilson(counts.right, counts.n, 0.95);
    }
    let own = rows.probabilities.chunks(counts.classes.len()).zip(&rows.truth);
    let right = own.map(|(own, truth)| f64::from(u8::from(most_probable(own) == *truth)));
    let keyed: Vec<(i64, f64, f64)> = rows
        .units
        .iter()
        .zip(right)
        .map(|(&unit, right)| (unit as i64, right, 1.0))
        .collect();
    interval_of_rows(&keyed, 0.95, 1)
}

fn group(name: &str, counted: &str, figures: Vec<Figure>) -> Group {
    Group {
        name: name.to_owned(),
        counted: counted.to_owned(),
        figures,
    }
}

fn series(name: &str, kind: SeriesKind, points: Vec<[f64; 2]>) -> Series {
    Series {
        name: name.to_owned(),
        kind,
        points,
    }
}

fn plot(id: &str, title: &str, axes: [&str; 2], series: Vec<Series>) -> Plot {
    Plot {
        id: id.to_owned(),
        title: title.to_owned(),
        x: Axis::share(axes[0]),
        y: Axis::share(axes[1]),
        series,
    }
}
