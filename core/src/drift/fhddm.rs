//! FHDDM: Pesaranghader and Viktor, *Fast Hoeffding drift detection method for evolving data streams*, ECML PKDD 2016; as
//! river 0.23.0 computes it.
//!
//! Watches for a fall of the share of ones in a sliding window below its highest by more than Hoeffding's bound,
//! sqrt(ln(1/confidence)/(2 · window)). So 1 is *right* here, although river's help calls it an error: fed with errors, it
//! never sees them become more. After a full window was looked at its oldest value goes, so between updates one is missing.

use std::collections::VecDeque;

use super::settings::Given;
use super::{Detector, DriftError, Signal, binary, demand, demand_share};
use serde::{Deserialize, Serialize};

const NAME: &str = "fhddm";
/// The longest window.
const MAX_WINDOW: u32 = 1_000_000;

/// Settings, by river's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FhddmSettings {
    /// Values in the window.
    pub sliding_window_size: u32,
    /// The chance that the share falls so far where nothing changed.
    pub confidence_level: f64,
    /// Values in a second window that ends with the first.
    pub short_window_size: Option<u32>,
}

impl Default for FhddmSettings {
    fn default() -> Self {
        Self {
            sliding_window_size: 100,
            confidence_level: 0.000_001,
            short_window_size: None,
        }
    }
}

impl FhddmSettings {
    pub(super) fn named(settings: &[(String, String)]) -> Result<Self, DriftError> {
        let mut given = Given::new(NAME, settings);
        let default = Self::default();
        let found = Self {
            sliding_window_size: given.count("sliding_window_size", default.sliding_window_size)?,
            confidence_level: given.number("confidence_level", default.confidence_level)?,
            short_window_size: given.optional_count("short_window_size")?,
        };
        given.finish()?;
        Ok(found)
    }
}

/// The window, and the highest share that it had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fhddm {
    settings: FhddmSettings,
    window: VecDeque<bool>,
    n_ones: u32,
    highest: f64,
    highest_short: f64,
    is_over: bool,
}

impl Fhddm {
    /// A detector with an empty window.
    ///
    /// # Errors
    /// A window is empty or too long, or the confidence not between 0 and 1.
    pub fn new(settings: FhddmSettings) -> Result<Self, DriftError> {
        let long = settings.sliding_window_size;
        let is_window = (1..=MAX_WINDOW).contains(&long);
        demand(
            is_window,
            NAME,
            "sliding_window_size",
            f64::from(long),
            "from 1 to 1,000,000",
        )?;
        demand_share(NAME, "confidence_level", settings.confidence_level)?;
        if let Some(short) = settings.short_window_size {
            let is_part = (1..=long).contains(&short);
            demand(
                is_part,
                NAME,
                "short_window_size",
                f64::from(short),
                "at least 1 and no longer than the sliding window",
            )?;
        }
        Ok(Self {
            settings,
            window: VecDeque::new(),
            n_ones: 0,
            highest: 0.0,
            highest_short: 0.0,
            is_over: false,
        })
    }

    fn bound(&self, window: u32) -> f64 {
        ((1.0 / self.settings.confidence_level).ln() / f64::from(2 * window)).sqrt()
    }
}

impl Detector for Fhddm {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        let is_one = binary(NAME, x)?;
        if self.is_over {
            self.reset();
        }
        self.window.push_back(is_one);
        self.n_ones += u32::from(is_one);
        let long = self.settings.sliding_window_size;
        if self.window.len() == long as usize {
            let share = f64::from(self.n_ones) / f64::from(long);
            self.highest = self.highest.max(share);
            self.is_over = self.highest - share > self.bound(long);
            if let Some(short) = self.settings.short_window_size {
                let newest = self.window.iter().rev().take(short as usize);
                let share = newest.filter(|is_one| **is_one).count() as f64 / f64::from(short);
                self.highest_short = self.highest_short.max(share);
                self.is_over |= self.highest_short - share > self.bound(short);
            }
            let oldest = self.window.pop_front();
            self.n_ones -= u32::from(oldest == Some(true));
        }
        Ok(Signal {
            drift: self.is_over,
            warning: false,
        })
    }

    fn reset(&mut self) {
        self.window.clear();
        self.n_ones = 0;
        (self.highest, self.highest_short) = (0.0, 0.0);
        self.is_over = false;
    }
}
