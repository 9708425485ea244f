//! What is remembered of timing both backends, as text: where it stands, and for what it holds.
//!
//! Times hold for one adapter, browser, app and pair of models. An entry stands under its model and adapter, so that
//! another adapter does not push it out; all the rest is part of the text. An entry is believed only when writing what
//! was read gives the very same text again: older, newer, foreign and damaged entries are all simply not there.

use plumbline_pipeline::Variant;

use crate::live::frame_times::{FrameTimes, VariantTime};
use crate::live::options::ModelName;

/// The form of the text; another form needs another name.
const FORM: &str = "frame times 2";

/// What the times of a frame depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TuningKey {
    /// Which landmark model.
    pub model: ModelName,
    /// Vendor, architecture and description of the GPU, as far as the browser tells.
    pub adapter: String,
    /// Name and version of the browser, as it writes them itself.
    pub browser: String,
    /// Version of this app.
    pub app: String,
    /// SHA-256 of the detector's and of the landmark model's weights, in hexadecimal.
    pub weights: [String; 2],
}

impl TuningKey {
    /// The name under which the entry stands.
    pub fn name(&self) -> String {
        format!("plumbline.tuning.{}.{}", self.model.id(), self.adapter)
    }

    /// The entry.
    pub fn write(&self, times: &FrameTimes) -> String {
        let mut entry = format!("{FORM}\ncpu_micros {}\n", micros(times.cpu_millis));
        for VariantTime { variant, millis } in &times.gpu {
            entry += &format!("gpu_micros {} {}\n", variant.id(), micros(*millis));
        }
        let [detector, landmarks] = &self.weights;
        entry
            + &format!(
                "app {}\nbrowser {}\ndetector {detector}\nlandmarks {landmarks}",
                self.app, self.browser
            )
    }

    /// The times of an entry, if it is whole and for this key.
    pub fn read(&self, entry: &str) -> Option<FrameTimes> {
        let mut lines = entry.lines().skip(1);
        let cpu_millis = millis(lines.next()?.strip_prefix("cpu_micros ")?)?;
        let gpu = lines
            .map_while(|line| line.strip_prefix("gpu_micros "))
            .map(|line| {
                let (id, micros) = line.split_once(' ')?;
                Some(VariantTime {
                    variant: Variant::from_id(id)?,
                    millis: millis(micros)?,
                })
            })
            .collect::<Option<Vec<_>>>()?;
        let times = FrameTimes { cpu_millis, gpu };
        (!times.gpu.is_empty() && self.write(&times) == entry).then_some(times)
    }
}

/// Milliseconds of whole microseconds; there is no time without any.
fn millis(micros: &str) -> Option<f64> {
    let micros: u32 = micros.parse().ok()?;
    (micros > 0).then_some(f64::from(micros) / 1_000.0)
}

/// Whole microseconds: reading decimal fractions would bring tens of kilobytes of tables into the page.
fn micros(millis: f64) -> u32 {
    (millis * 1_000.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times() -> FrameTimes {
        let way = |id, millis| VariantTime {
            variant: Variant::from_id(id).expect("a variant"),
            millis,
        };
        FrameTimes {
            cpu_millis: 11.234,
            gpu: vec![way("L4-32", 4.0), way("L4-16", 3.25)],
        }
    }

    fn key() -> TuningKey {
        TuningKey {
            model: ModelName::Lite,
            adapter: "nvidia ampere".to_owned(),
            browser: "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0".to_owned(),
            app: "0.1.0".to_owned(),
            weights: ["ab".repeat(32), "cd".repeat(32)],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(key().read(&key().write(&times())), Some(times()));
        assert_eq!(key().name(), "plumbline.tuning.lite.nvidia ampere");
    }

    #[test]
    fn anything_that_changes_the_times_makes_the_entry_old() {
        let entry = key().write(&times());
        let with = |change: fn(&mut TuningKey)| {
            let mut key = key();
            change(&mut key);
            key
        };
        for (what, changed) in [
            ("browser", with(|key| key.browser.push('1'))),
            ("app", with(|key| key.app = "0.2.0".to_owned())),
            ("detector", with(|key| key.weights[0].replace_range(..1, "0"))),
            ("landmarks", with(|key| key.weights[1].replace_range(..1, "0"))),
        ] {
            assert_eq!(changed.read(&entry), None, "{what}");
        }
        let other_adapter = with(|key| key.adapter = "intel gen-12lp".to_owned());
        let other_model = with(|key| key.model = ModelName::Heavy);
        assert_ne!(other_adapter.name(), key().name());
        assert_ne!(other_model.name(), key().name());
    }

    #[test]
    fn damaged_entries_are_not_there() {
        let entry = key().write(&times());
        for length in 0..entry.len() {
            assert_eq!(key().read(&entry[..length]), None, "cut to {length} bytes");
        }
        for (from, to) in [
            ("frame times 2", "frame times 1"),
            ("cpu_micros 11234", "cpu_micros NaN"),
            ("cpu_micros 11234", "cpu_micros -11234"),
            ("cpu_micros 11234", "cpu_micros +11234"),
            ("cpu_micros 11234", "cpu_micros 0"),
            ("cpu_micros 11234", "cpu_micros 99999999999"),
            ("cpu_micros 11234", "cpu_micros"),
            ("gpu_micros L4-32 4000", "gpu_micros L4-32 four"),
            ("gpu_micros L4-32 4000", "gpu_micros 4000"),
            ("gpu_micros L4-32 4000", "gpu_micros L9-32 4000"),
            ("gpu_micros L4-32 4000\ngpu_micros L4-16 3250\n", ""),
            ("gpu_micros L4-32 4000", "gpu_micros L4-32 4000\n"),
        ] {
            let damaged = entry.replacen(from, to, 1);
            assert_ne!(damaged, entry, "the case changes something: {from}");
            assert_eq!(key().read(&damaged), None, "{to}");
        }
        assert_eq!(key().read(&format!("{entry}\n")), None);
        assert_eq!(key().read("full"), None);
    }
}
