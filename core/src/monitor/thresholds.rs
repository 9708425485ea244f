//! The limits of a profile's charts, found in steps that take milliseconds, so that a page goes on while they are sought.
//!
//! Goes in: a profile with at least 24 blocks. Comes out: for each feature and estimate of accuracy a threshold whose false
//! alarms come as rarely as the profile's settings say ([`Calibration`]), and an allowance that is wider where sessions
//! have levels of their own.

use crate::drift::{Calibration, CalibrationSettings, Reference, Sides};
use crate::monitor::charts::{CUT, PROXIES};
use crate::monitor::features::Feature;
use crate::monitor::learning::CHART_BLOCKS;
use crate::monitor::profile::{ChartLimits, Profile, ProfileError, proxy_name};
use crate::monitor::verdict::Proxy;

/// What a chart is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Feature(Feature),
    Accuracy(Proxy),
}

/// A search for limits.
#[derive(Clone, Debug)]
pub struct ThresholdSearch {
    left: Vec<(Target, Reference)>,
    running: Option<(Target, f64, Calibration)>,
    found: Vec<(Target, ChartLimits)>,
    settings: CalibrationSettings,
    total: usize,
}

impl ThresholdSearch {
    /// For all charts of a profile; nothing to do where it has too few blocks. Equal seeds find equal limits.
    pub fn new(profile: &Profile, seed: u64) -> Self {
        let features = Feature::ALL
            .into_iter()
            .filter_map(|feature| Some((Target::Feature(feature), profile.reference(feature)?)));
        let accuracy = PROXIES
            .into_iter()
            .filter_map(|proxy| Some((Target::Accuracy(proxy), profile.accuracy(proxy)?)));
        let left: Vec<(Target, Reference)> = features
            .chain(accuracy)
            .filter(|(_, reference)| profile.has_charts() && reference.n() as u64 >= CHART_BLOCKS)
            .collect();
        Self {
            total: left.len(),
            left,
            running: None,
            found: Vec::new(),
            settings: CalibrationSettings {
                run_length: profile.charts.arl0_blocks,
                guarantee: profile.charts.guarantee,
                k: profile.charts.k,
                cut: CUT,
                seed,
                ..CalibrationSettings::default()
            },
        }
    }

    /// A step of the search; true while there are more.
    pub fn step(&mut self) -> bool {
        let Some((target, allowance, mut calibration)) = self.running.take().or_else(|| self.next()) else {
            return false;
        };
        if calibration.step() {
            self.running = Some((target, allowance, calibration));
        } else {
            let threshold = calibration.finish();
            let limits = ChartLimits {
                threshold: threshold.h,
                allowance,
                is_extrapolated: threshold.is_extrapolated,
            };
            self.found.push((target, limits));
        }
        self.found.len() < self.total
    }

    /// The next chart. One whose settings no calibration takes has no limits, and is not counted.
    fn next(&mut self) -> Option<(Target, f64, Calibration)> {
        while let Some((target, reference)) = self.left.pop() {
            let sides = match target {
                Target::Feature(_) => Sides::Both,
                Target::Accuracy(_) => Sides::Down,
            };
            let allowance = reference.allowance(self.settings.k);
            let settings = CalibrationSettings {
                sides,
                ..self.settings
            };
            match Calibration::new(reference, settings) {
                Ok(calibration) => return Some((target, allowance, calibration)),
                Err(_) => self.total -= 1,
            }
        }
        None
    }

    /// What is done of everything, 0 to 1.
    pub fn progress(&self) -> f64 {
        let running = self
            .running
            .as_ref()
            .map_or(0.0, |(_, _, calibration)| calibration.progress());
        (self.found.len() as f64 + running) / self.total.max(1) as f64
    }

    /// Writes what was found into the profile; the steps that are left are done first.
    ///
    /// # Errors
    /// [`ProfileError::Frozen`].
    pub fn finish(mut self, profile: &mut Profile) -> Result<(), ProfileError> {
        while self.step() {}
        profile.change(|profile| {
            for (target, limits) in self.found {
                match target {
                    Target::Feature(feature) => {
                        let name = feature.spec().name.to_owned();
                        profile.features.entry(name).or_default().chart = Some(limits);
                    }
                    Target::Accuracy(proxy) => {
                        profile
                            .accuracy_charts
                            .insert(proxy_name(proxy).to_owned(), limits);
                    }
                }
            }
        })
    }
}
