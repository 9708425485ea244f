//! People's points: COCO annotations and COCO results, or predictions that a model makes of the images.
//!
//! What can be sliced is how alike the people found are to those labelled, by tags of the image, or by what the labels say
//! of a person: `height_px`, `labelled_points`, and `view_deg`, an estimate of how far a person is turned away.

use super::{Role, Settings, Subject};
use crate::metrics::MetricError;
use crate::metrics::coco::{KeypointResult, MAX_DETECTIONS, PersonFound, SCORE_NAMES, Truth, recalls};
use crate::metrics::coco_json::{CocoSet, ResultCounts};
use crate::metrics::oks::TruthPose;
use crate::metrics::report::{Axis, Better, Figure, Group, Plot, Report, Series, SeriesKind};
use crate::metrics::slices::{Measure, Slicer, interval_of_rows};

/// Bytes of a JSON file that are read.
const MAX_BYTES: usize = 1 << 30;

/// How wide the shoulders of somebody seen from the front are, by the length of the trunk: 36 cm between the joints of a
/// trunk of 50 cm.
const SHOULDERS_BY_TRUNK: f64 = 0.72;

pub(super) struct Keypoints {
    settings: Settings,
    pending: Vec<u8>,
    set: Option<CocoSet>,
    results: ResultCounts,
}

impl Keypoints {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            pending: Vec::new(),
            set: None,
            results: ResultCounts::default(),
        }
    }
}

impl Subject for Keypoints {
    fn push(&mut self, _: Role, bytes: &[u8]) -> Result<(), MetricError> {
        if self.pending.len() + bytes.len() > MAX_BYTES {
            return Err(MetricError::TooMany {
                what: "bytes of JSON",
                limit: MAX_BYTES as u64,
            });
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self, role: Role, _: &str) -> Result<u64, MetricError> {
        let text = std::mem::take(&mut self.pending);
        match (&mut self.set, role) {
            (Some(set), Role::Predictions) => {
                self.results = set.add_results(&text)?;
                Ok(self.results.n + self.results.n_other_categories)
            }
            _ => {
                let set = CocoSet::from_json(&text, self.settings.category)?;
                let n = set.n_truths() + set.n_other_categories;
                self.set = Some(set);
                Ok(n)
            }
        }
    }

    fn category(&self) -> Option<i64> {
        self.set.as_ref().map(|set| set.category)
    }

    fn report(&self, report: &mut Report) -> Result<(), MetricError> {
        let set = self.set.as_ref().ok_or(MetricError::Empty {
            what: "labelled people",
        })?;
        let found = set.finish()?;
        report
            .settings
            .push(("category".to_owned(), set.category.to_string()));
        report.pycocotools = Some(found.scores.as_pycocotools());
        figures(&found, set, report);
        curves(&found, report);
        self.notes(&found, set, report);
        report.slices = self.slices(&found, set)?;
        Ok(())
    }
}

impl Keypoints {
    fn notes(&self, found: &KeypointResult, set: &CocoSet, report: &mut Report) {
        let counted = [
            (
                found.n_tied,
                "predictions have the score of another one of their image: the order of the file decides.",
            ),
            (
                found.n_silent_images,
                "images have labelled people and no prediction: everybody there counts as missed.",
            ),
            (
                set.n_other_categories,
                "annotations of other categories are left out.",
            ),
            (
                self.results.n_other_categories,
                "predictions of other categories are left out.",
            ),
            (
                set.n_counted_points,
                "annotations have no 'num_keypoints': their labelled points were counted.",
            ),
        ];
        for (n, sentence) in counted {
            if n > 0 {
                report.note(format!("{n} {sentence}"));
            }
        }
        if found.n_cut > 0 {
            report.note(format!(
                "{} predictions are beyond the {MAX_DETECTIONS} surest of their image and are left out, as COCO does.",
                found.n_cut
            ));
        }
        if found.n_detections == 0 {
            report.note("There are no predictions: everybody counts as missed.");
        }
        if set.people.truths().iter().any(|truth| truth.id == 0) {
            report
                .note("A label has the id 0: pycocotools 2.0.11 would count it as missed when it is found.");
        }
    }

    fn slices(
        &self,
        found: &KeypointResult,
        set: &CocoSet,
    ) -> Result<Vec<crate::metrics::report::Slice>, MetricError> {
        let measure = Measure {
            id: "found_similarity".to_owned(),
            name: "Similarity of people found, 0 for missed".to_owned(),
            better: Better::Higher,
            is_share: true,
            scale: 1.0,
        };
        let mut slicer = Slicer::new(measure, &self.settings.slices);
        if slicer.is_wanted() {
            let by_id: std::collections::BTreeMap<i64, &Truth> = set
                .people
                .truths()
                .iter()
                .map(|truth| (truth.id, truth))
                .collect();
            for person in &found.people {
                let image = person.image.to_string();
                let name = set.images.get(&person.image).map_or("", String::as_str);
                let own: Vec<(&str, String)> = by_id
                    .get(&person.id)
                    .map(|truth| said_of(&truth.pose))
                    .unwrap_or_default();
                slicer.observe(Some(&image), person.similarity, 1.0, |tag| {
                    let tags = &self.settings.tags;
                    let of_image = tags.get(name, tag).or_else(|| tags.get(&image, tag));
                    of_image.or_else(|| {
                        own.iter()
                            .find(|(name, _)| *name == tag)
                            .map(|(_, value)| value.as_str())
                    })
                });
            }
        }
        slicer.finish()
    }
}

/// What the labels themselves say of a person.
fn said_of(pose: &TruthPose<17>) -> Vec<(&'static str, String)> {
    let mut said = vec![("labelled_points", pose.labelled().to_string())];
    if pose.bbox[3] > 0.0 {
        said.push(("height_px", format!("{:.3}", pose.bbox[3])));
    }
    if let Some(view) = view_deg(pose) {
        said.push(("view_deg", format!("{view:.1}")));
    }
    said
}

/// How far somebody is turned away from the camera, 0 to 90 degrees, from how narrow the shoulders look for the trunk.
fn view_deg(pose: &TruthPose<17>) -> Option<f64> {
    let [left, right, left_hip, right_hip] =
        [5, 6, 11, 12].map(|point| pose.is_labelled[point].then_some(pose.points[point]));
    let (left, right, left_hip, right_hip) = (left?, right?, left_hip?, right_hip?);
    let middle = |a: [f64; 2], b: [f64; 2]| [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])];
    let distance = |a: [f64; 2], b: [f64; 2]| ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
    let trunk = distance(middle(left, right), middle(left_hip, right_hip));
    (trunk > 0.0).then(|| {
        (distance(left, right) / (SHOULDERS_BY_TRUNK * trunk))
            .min(1.0)
            .acos()
            .to_degrees()
    })
}

fn figures(found: &KeypointResult, set: &CocoSet, report: &mut Report) {
    let n = found.people.len() as u64;
    let ten = SCORE_NAMES
        .iter()
        .zip(found.scores.in_order())
        .map(|((id, name), score)| {
            let why = "nobody of that size is labelled";
            Figure::maybe(id, name, score, n, why).better(Better::Higher)
        });
    report.groups.push(Group {
        name: "COCO keypoints".to_owned(),
        counted: "labelled people of all sizes".to_owned(),
        figures: ten.collect(),
    });
    let mean = |of: &dyn Fn(&PersonFound) -> f64| {
        let rows: Vec<(i64, f64, f64)> = found
            .people
            .iter()
            .map(|person| (person.image, of(person), 1.0))
            .collect();
        let value = (n > 0).then(|| rows.iter().map(|row| row.1).sum::<f64>() / n as f64);
        (value, interval_of_rows(&rows, 0.95, 1))
    };
    let figure = |id: &str, name: &str, of: &dyn Fn(&PersonFound) -> f64| {
        let (value, interval) = mean(of);
        let figure = Figure::maybe(id, name, value, n, "nobody is labelled").better(Better::Higher);
        interval.map_or(figure.clone(), |interval| {
            figure.between(interval.low, interval.high)
        })
    };
    report.groups.push(Group {
        name: "People".to_owned(),
        counted: "labelled people".to_owned(),
        figures: vec![
            figure("found_share", "People found, similarity .50 or more", &|person| {
                f64::from(u8::from(person.similarity > 0.0))
            }),
            figure(
                "found_similarity",
                "Similarity of people found, 0 for missed",
                &|person| person.similarity,
            ),
            Figure::new(
                "predictions",
                "Predictions",
                found.n_detections as f64,
                set.images.len() as u64,
            ),
        ],
    });
}

fn curves(found: &KeypointResult, report: &mut Report) {
    let Some(curves) = &found.curves else {
        return;
    };
    let names = ["similarity .50", "similarity .75", "mean over .50 to .95"];
    let series = names.iter().zip(curves).map(|(name, precision)| Series {
        name: (*name).to_owned(),
        kind: SeriesKind::Line,
        points: recalls()
            .iter()
            .zip(precision)
            .map(|(recall, precision)| [*recall, *precision])
            .collect(),
    });
    report.plots.push(Plot {
        id: "precision_recall".to_owned(),
        title: "Precision and recall".to_owned(),
        x: Axis::share("Recall"),
        y: Axis::share("Precision"),
        series: series.collect(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_shoulders_are_a_view_from_the_side() {
        let mut pose = TruthPose {
            points: [[0.0; 2]; 17],
            is_labelled: [true; 17],
            area: 1.0,
            bbox: [0.0; 4],
        };
        pose.points[11] = [45.0, 150.0];
        pose.points[12] = [55.0, 150.0];
        for (half_width, expected) in [(36.0, 0.0), (18.0, 60.0), (0.0, 90.0), (50.0, 0.0)] {
            pose.points[5] = [50.0 + half_width, 50.0];
            pose.points[6] = [50.0 - half_width, 50.0];
            assert!((view_deg(&pose).unwrap() - expected).abs() < 1e-6, "{half_width}");
        }
        pose.is_labelled[11] = false;
        assert_eq!(view_deg(&pose), None);
    }
}
