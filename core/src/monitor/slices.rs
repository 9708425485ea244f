//! Accuracy by circumstances: agreement with the mirrored picture by angle of view, size in the picture and light.
//!
//! Goes in: means of blocks. Comes out: for each circumstance the mean of its blocks with an interval, the surest bad one
//! first. There is no truth here: a slice says where the model contradicts itself most. Blocks of a session are not
//! independent, so the interval takes two neighbours for one.

use crate::monitor::features::{FEATURE_COUNT, Feature};
use crate::monitor::snapshot::SliceView;
use crate::statistics::Moments;
use crate::statistics::distributions::t_quantile;

/// Blocks of a slice below which nothing is said.
const ENOUGH: u64 = 30;

/// A circumstance: a feature, its edges, and what lies between them.
struct Circumstance {
    feature: Feature,
    edges: [f64; 3],
    labels: [&'static str; 4],
}

const CIRCUMSTANCES: [Circumstance; 3] = [
    Circumstance {
        feature: Feature::ViewYaw,
        edges: [-45.0, 0.0, 45.0],
        labels: [
            "right side to the camera",
            "front, a little right",
            "front, a little left",
            "left side to the camera",
        ],
    },
    Circumstance {
        feature: Feature::BodyHeight,
        edges: [0.3, 0.5, 0.8],
        labels: ["below .3", ".3 to .5", ".5 to .8", "above .8"],
    },
    Circumstance {
        feature: Feature::LumaMean,
        edges: [50.0, 100.0, 180.0],
        labels: [
            "dark (below 50)",
            "dim (50 to 100)",
            "bright (100 to 180)",
            "very bright (above 180)",
        ],
    },
];

/// Sums by circumstance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slices {
    all: Moments,
    cells: [[Moments; 4]; CIRCUMSTANCES.len()],
}

impl Slices {
    /// Takes a block.
    pub fn take_block(&mut self, means: &[Option<f64>; FEATURE_COUNT], accuracy: Option<f64>) {
        let Some(accuracy) = accuracy else { return };
        self.all.add(accuracy);
        for (circumstance, cells) in CIRCUMSTANCES.iter().zip(&mut self.cells) {
            if let Some(value) = means[circumstance.feature.index()] {
                cells[circumstance.edges.partition_point(|edge| *edge <= value)].add(accuracy);
            }
        }
    }

    /// Slices with enough blocks first, the surest bad one first; then the others.
    pub fn views(&self) -> Vec<SliceView> {
        let Some(mean) = self.all.mean() else {
            return Vec::new();
        };
        let mut views = Vec::new();
        for (circumstance, cells) in CIRCUMSTANCES.iter().zip(&self.cells) {
            for (label, moments) in circumstance.labels.iter().zip(cells) {
                let (Some(value), Some(sd)) = (moments.mean(), moments.sd()) else {
                    continue;
                };
                let n = (moments.n() as f64 / 2.0).max(2.0);
                let error = t_quantile(0.975, n - 1.0).unwrap_or_default() * sd / n.sqrt();
                views.push(SliceView {
                    by: circumstance.feature.spec().name.to_owned(),
                    label: (*label).to_owned(),
                    n: moments.n(),
                    value,
                    low: (value - error).max(0.0),
                    high: (value + error).min(1.0),
                    gap: mean - value,
                    is_enough: moments.n() >= ENOUGH,
                });
            }
        }
        views.sort_by(|a, b| b.is_enough.cmp(&a.is_enough).then(a.high.total_cmp(&b.high)));
        views
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    #[test]
    fn the_surest_bad_slice_comes_first() {
        let mut random = Random::new(2);
        let mut slices = Slices::default();
        for block in 0..200 {
            let mut means = [None; FEATURE_COUNT];
            let is_dark = block % 4 == 0;
            means[Feature::LumaMean.index()] = Some(if is_dark { 30.0 } else { 120.0 });
            means[Feature::ViewYaw.index()] = Some(if block < 5 { 80.0 } else { 10.0 });
            let accuracy = if is_dark { 0.7 } else { 0.9 } + 0.02 * random.normal();
            slices.take_block(&means, Some(accuracy));
            slices.take_block(&means, None);
        }
        let views = slices.views();
        assert_eq!((views[0].label.as_str(), views[0].n), ("dark (below 50)", 50));
        assert!((views[0].gap - 0.15).abs() < 0.01 && views[0].high < 0.72);
        let last = views.last().expect("there are slices");
        assert!(!last.is_enough && last.label == "left side to the camera");
        assert!(Slices::default().views().is_empty());
    }
}
