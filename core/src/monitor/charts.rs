//! The charts of a running session: one for each feature of the reference, one for each estimate of accuracy.
//!
//! Goes in: block means. Comes out: which charts are over their thresholds, to which side, for how many blocks. Charts are
//! two-sided CUSUMs ([`Cusum`]) that saturate at twice their threshold, so that they come back by themselves when the
//! cause is gone; those of accuracy look downwards only. A block without a value holds a chart as it is.
//!
//! Shares and probabilities have a second opinion beside their chart, an [`EDetector`], which is slower and needs no shape
//! of distribution.

use crate::drift::{
    self, AfterAlarm, Cusum, CusumSettings, Detector, EDetector, EDetectorSettings, Reference,
};
use crate::monitor::features::{FEATURE_COUNT, Feature};
use crate::monitor::profile::{ChartLimits, Profile, proxy_name};
use crate::monitor::snapshot::ChartView;
use crate::monitor::verdict::{Direction, Proxy};

/// Block means further off than this many standard deviations count as this far: one odd block is no alarm.
pub(super) const CUT: f64 = 6.0;

/// A chart with how long it has been over its threshold.
#[derive(Clone, Debug)]
pub struct Chart {
    cusum: Cusum,
    is_one_sided: bool,
    blocks_over: u64,
}

impl Chart {
    /// A chart at zero; none where limits are no settings of a chart.
    fn new(reference: &Reference, limits: ChartLimits, is_one_sided: bool) -> Option<Self> {
        let settings = CusumSettings {
            mean: reference.mean(),
            sd: reference.sd(),
            k: limits.allowance.min(0.9 * CUT),
            h: limits.threshold,
            cut: CUT,
            after_alarm: AfterAlarm::Saturate,
        };
        Some(Self {
            cusum: Cusum::new(settings).ok()?,
            is_one_sided,
            blocks_over: 0,
        })
    }

    fn update(&mut self, mean: f64) {
        let is_over = self.cusum.update(mean).is_ok() && self.over().is_some();
        self.blocks_over = if is_over { self.blocks_over + 1 } else { 0 };
    }

    /// To which side it is over its threshold, if it is.
    pub fn over(&self) -> Option<Direction> {
        let threshold = self.cusum.settings().h;
        match self.cusum.direction()? {
            drift::Direction::Down if self.cusum.down() > threshold => Some(Direction::Down),
            drift::Direction::Up if self.cusum.up() > threshold && !self.is_one_sided => Some(Direction::Up),
            // Both sums can be positive after a jump; the larger one speaks.
            _ => (self.is_one_sided && self.cusum.down() > threshold).then_some(Direction::Down),
        }
    }

    /// How many blocks it has been over its threshold.
    pub fn blocks_over(&self) -> u64 {
        self.blocks_over
    }

    /// The sum that counts, as a part of the threshold.
    pub fn level(&self) -> f64 {
        if self.is_one_sided {
            self.cusum.down() / self.cusum.settings().h
        } else {
            self.cusum.level()
        }
    }

    /// What its values should be.
    pub fn expected(&self) -> f64 {
        self.cusum.settings().mean
    }

    /// Where it stands.
    pub fn view(&self) -> ChartView {
        ChartView {
            up: if self.is_one_sided { 0.0 } else { self.cusum.up() },
            down: self.cusum.down(),
            threshold: self.cusum.settings().h,
            over: self.over(),
            blocks_over: self.blocks_over,
        }
    }
}

/// All charts of a session.
#[derive(Clone, Debug)]
pub struct Charts {
    features: [Option<Chart>; FEATURE_COUNT],
    accuracy: [Option<Chart>; 2],
    careful: [Option<EDetector>; FEATURE_COUNT],
    /// Which of these ran full in the last block, and to which side.
    full: [Option<Direction>; FEATURE_COUNT],
}

/// An allowance this much wider than the setting says that sessions have levels of their own, which a careful count
/// knows nothing of.
pub(super) const WIDE: f64 = 0.25;

/// Both estimates, in the order of [`Charts`].
pub const PROXIES: [Proxy; 2] = [Proxy::Flip, Proxy::Certainty];

impl Charts {
    /// The charts that a profile has limits for, at zero.
    pub fn of(profile: &Profile) -> Self {
        Self {
            features: Feature::ALL.map(|feature| {
                let reference = profile.reference(feature)?;
                Chart::new(&reference, profile.limits(feature)?, false)
            }),
            accuracy: PROXIES.map(|proxy| {
                let reference = profile.accuracy(proxy)?;
                Chart::new(&reference, *profile.accuracy_charts.get(proxy_name(proxy))?, true)
            }),
            careful: Feature::ALL.map(|feature| {
                let is_wide = profile.limits(feature)?.allowance > profile.charts.k + WIDE;
                let reference = profile.reference(feature).filter(|_| !is_wide)?;
                let settings = EDetectorSettings::of(&reference, 1.0 / profile.charts.arl0_blocks, 0.0);
                let is_share = feature.spec().range == [0.0, 1.0];
                is_share.then(|| EDetector::new(settings).ok()).flatten()
            }),
            full: [None; FEATURE_COUNT],
        }
    }

    /// Takes the means of a block.
    pub fn update(&mut self, means: &[Option<f64>; FEATURE_COUNT], estimates: [Option<f64>; 2]) {
        let charts = self.features.iter_mut().chain(&mut self.accuracy);
        for (chart, mean) in charts.zip(means.iter().chain(&estimates)) {
            if let (Some(chart), Some(mean)) = (chart, mean) {
                chart.update(*mean);
            }
        }
        for (place, careful) in self.careful.iter_mut().enumerate() {
            self.full[place] = None;
            if let (Some(careful), Some(mean)) = (careful, means[place])
                && careful.update(mean).is_ok_and(|signal| signal.drift)
            {
                let settings = careful.settings();
                let is_up = mean > 0.5 * (settings.low + settings.high);
                self.full[place] = Some(if is_up { Direction::Up } else { Direction::Down });
            }
        }
    }

    /// Features whose careful count ran full in the last block, and to which side.
    pub fn full(&self) -> impl Iterator<Item = (Feature, Direction)> + '_ {
        Feature::ALL
            .into_iter()
            .zip(self.full)
            .filter_map(|(feature, side)| Some((feature, side?)))
    }

    /// The chart of a feature.
    pub fn of_feature(&self, feature: Feature) -> Option<&Chart> {
        self.features[feature.index()].as_ref()
    }

    /// The chart of an estimate.
    pub fn of_accuracy(&self, proxy: Proxy) -> Option<&Chart> {
        let place = PROXIES.iter().position(|&known| known == proxy)?;
        self.accuracy[place].as_ref()
    }

    /// How many there are, careful counts included.
    pub fn count(&self) -> usize {
        let charts = self.features.iter().chain(&self.accuracy).flatten().count();
        charts + self.careful.iter().flatten().count()
    }

    /// Whether all lie under half of their thresholds.
    pub fn are_calm(&self) -> bool {
        let mut charts = self.features.iter().chain(&self.accuracy).flatten();
        charts.all(|chart| chart.level() < 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> ChartLimits {
        ChartLimits {
            threshold: 10.0,
            allowance: 0.5,
            is_extrapolated: false,
        }
    }

    fn reference() -> Reference {
        let blocks: Vec<f64> = (0..40).map(|block| 5.0 + f64::from(block % 2)).collect();
        Reference::of(&blocks, 0.1).expect("there are blocks")
    }

    /// One odd block adds 5.5 at most, whatever it was; two in a row are over, and the chart comes back by itself.
    #[test]
    fn charts_need_two_blocks_and_come_back() {
        let mut chart = Chart::new(&reference(), limits(), false).expect("limits are settings");
        chart.update(1e9);
        assert_eq!((chart.over(), chart.view().up), (None, 5.5));
        chart.update(1e9);
        assert_eq!((chart.over(), chart.blocks_over()), (Some(Direction::Up), 1));
        for _ in 0..50 {
            chart.update(1e9);
        }
        assert_eq!((chart.view().up, chart.blocks_over()), (20.0, 51));
        for _ in 0..60 {
            chart.update(chart.expected());
        }
        assert_eq!((chart.over(), chart.level(), chart.blocks_over()), (None, 0.0, 0));
        chart.update(f64::NAN);
        assert_eq!(chart.level(), 0.0);
    }

    #[test]
    fn charts_of_accuracy_look_down_only() {
        let mut chart = Chart::new(&reference(), limits(), true).expect("limits are settings");
        for _ in 0..9 {
            chart.update(1e9);
        }
        assert_eq!((chart.over(), chart.level()), (None, 0.0));
        for _ in 0..9 {
            chart.update(-1e9);
        }
        assert_eq!(chart.over(), Some(Direction::Down));
    }
}
