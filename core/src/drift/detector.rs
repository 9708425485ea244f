//! What all detectors share: a value goes in, a signal comes out, the state can be stored and goes on identically.

use super::{
    Adwin, AdwinSettings, Cusum, CusumSettings, Ddm, DdmSettings, DriftError, EDetector, EDetectorSettings,
    Eddm, EddmSettings, Fhddm, FhddmSettings, HddmA, HddmASettings, HddmW, HddmWSettings, PageHinkley,
    PageHinkleySettings,
};
use serde::{Deserialize, Serialize};

/// What a detector says after a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Something has changed.
    pub drift: bool,
    /// Something may be changing. Only some detectors warn.
    pub warning: bool,
}

/// Values that a detector looks back on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// How many.
    pub width: u64,
    /// Their mean; 0 of none, as river says.
    pub estimation: f64,
}

/// Watches a stream. It forgets what it saw at the update *after* a drift, as river's do, so its state at a drift can
/// still be read.
pub trait Detector {
    /// Takes the next value.
    ///
    /// # Errors
    /// The value is not one that this detector takes. The state is as before.
    fn update(&mut self, x: f64) -> Result<Signal, DriftError>;

    /// Forgets everything but its settings.
    fn reset(&mut self);
}

/// Any of the detectors, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnyDetector {
    /// Adaptive windowing, of numbers.
    Adwin(Adwin),
    /// Of numbers.
    PageHinkley(PageHinkley),
    /// Of errors.
    Ddm(Ddm),
    /// Of errors.
    Eddm(Eddm),
    /// Of errors.
    HddmA(HddmA),
    /// Of errors.
    HddmW(HddmW),
    /// Of right answers: it looks for a fall of the share of ones.
    Fhddm(Fhddm),
    /// Of numbers whose mean and sd are known.
    Cusum(Cusum),
    /// Of shares, 0 to 1, whose mean is known to lie in a range.
    EDetector(EDetector),
}

/// The names that [`AnyDetector::named`] knows.
pub const DETECTORS: [&str; 9] = [
    "adwin",
    "page-hinkley",
    "ddm",
    "eddm",
    "hddm-a",
    "hddm-w",
    "fhddm",
    "cusum",
    "e-detector",
];

impl AnyDetector {
    /// A detector by its name, with settings by river's names; what is not given has river's default.
    ///
    /// # Errors
    /// There is no such detector or setting, or a value is out of its range.
    pub fn named(name: &str, settings: &[(String, String)]) -> Result<Self, DriftError> {
        Ok(match name {
            "adwin" => Self::Adwin(Adwin::new(AdwinSettings::named(settings)?)?),
            "page-hinkley" => Self::PageHinkley(PageHinkley::new(PageHinkleySettings::named(settings)?)?),
            "ddm" => Self::Ddm(Ddm::new(DdmSettings::named(settings)?)?),
            "eddm" => Self::Eddm(Eddm::new(EddmSettings::named(settings)?)?),
            "hddm-a" => Self::HddmA(HddmA::new(HddmASettings::named(settings)?)?),
            "hddm-w" => Self::HddmW(HddmW::new(HddmWSettings::named(settings)?)?),
            "fhddm" => Self::Fhddm(Fhddm::new(FhddmSettings::named(settings)?)?),
            "cusum" => Self::Cusum(Cusum::new(CusumSettings::named(settings)?)?),
            "e-detector" => Self::EDetector(EDetector::new(EDetectorSettings::named(settings)?)?),
            _ => {
                return Err(DriftError::UnknownDetector {
                    name: name.to_owned(),
                });
            }
        })
    }

    /// What it looks back on; only adaptive windowing has such a window.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        match self {
            Self::Adwin(adwin) => Some(adwin.window()),
            _ => None,
        }
    }

    fn inner(&mut self) -> &mut dyn Detector {
        match self {
            Self::Adwin(detector) => detector,
            Self::PageHinkley(detector) => detector,
            Self::Ddm(detector) => detector,
            Self::Eddm(detector) => detector,
            Self::HddmA(detector) => detector,
            Self::HddmW(detector) => detector,
            Self::Fhddm(detector) => detector,
            Self::Cusum(detector) => detector,
            Self::EDetector(detector) => detector,
        }
    }
}

impl Detector for AnyDetector {
    fn update(&mut self, x: f64) -> Result<Signal, DriftError> {
        self.inner().update(x)
    }

    fn reset(&mut self) {
        self.inner().reset();
    }
}

/// A detector as it is stored, with the version of the form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    schema: u32,
    detector: AnyDetector,
}

impl State {
    /// The version that is written.
    pub const SCHEMA: u32 = 1;

    /// A detector to store.
    #[must_use]
    pub fn of(detector: AnyDetector) -> Self {
        Self {
            schema: Self::SCHEMA,
            detector,
        }
    }

    /// The detector that was stored.
    ///
    /// # Errors
    /// It was stored in a form that this version does not read.
    pub fn into_detector(self) -> Result<AnyDetector, DriftError> {
        if self.schema == Self::SCHEMA {
            Ok(self.detector)
        } else {
            Err(DriftError::Schema {
                found: self.schema,
                expected: Self::SCHEMA,
            })
        }
    }
}
