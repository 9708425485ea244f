//! Profiles as text: read whatever schema they have, checked, hashed.
//!
//! A schema picks its reader; readers are never removed, and `tests/fixtures/profile_v1.json` is never rewritten. What a
//! reader does not know is kept and written back. No text makes it panic: numbers that are none, lists of other lengths
//! and blocks beyond all bounds are refused by name.

use serde_json::Value;

use crate::monitor::canonical::{canonical, is_sha256_hex, sha256_hex, stored};
use crate::monitor::profile::{BlockRule, PROFILE_SCHEMA, Profile, ProfileError};

/// Largest text that is read, bytes.
const MAX_BYTES: usize = 64 << 20;
/// Means of blocks of one session that are believed.
const MAX_MEANS: usize = 10_000;

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// [`ProfileError::Invalid`] names what is wrong, [`ProfileError::Unsupported`] a later schema,
    /// [`ProfileError::Changed`] a text that is not what was hashed.
    pub fn read(text: &str) -> Result<Self, ProfileError> {
        let invalid = |why: String| ProfileError::Invalid(why);
        if text.len() > MAX_BYTES {
            return Err(invalid("it is larger than 64 MiB".to_owned()));
        }
        let value: Value =
            serde_json::from_str(text).map_err(|error| invalid(format!("it is no JSON ({error})")))?;
        let schema = value
            .get("schema")
            .and_then(Value::as_u64)
            .ok_or_else(|| invalid("it has no 'schema', a whole number".to_owned()))?;
        let profile = match schema {
            1 => read_v1(value)?,
            _ if schema > u64::from(PROFILE_SCHEMA) => return Err(ProfileError::Unsupported { schema }),
            _ => return Err(invalid(format!("there was never a schema {schema}"))),
        };
        if profile.id != profile.hash() {
            return Err(ProfileError::Changed);
        }
        Ok(profile)
    }

    /// The text, on one line with sorted keys.
    pub fn text(&self) -> String {
        canonical(&self.value())
    }

    /// SHA-256 of the text in which `id` is empty.
    pub fn hash(&self) -> String {
        let mut value = self.value();
        value["id"] = Value::from("");
        sha256_hex(canonical(&value).as_bytes())
    }

    pub(super) fn identified(mut self) -> Self {
        self.id = self.hash();
        self
    }

    /// Profiles have text keys and finite numbers only, so this does not fail. Numbers are rounded to what every reader
    /// reads back to the bit.
    fn value(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        round(&mut value);
        value
    }
}

fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().map(|x| stored(x, 12)).map(Value::from);
            *value = rounded.unwrap_or_default();
        }
        Value::Array(items) => items.iter_mut().for_each(round),
        Value::Object(entries) => entries.values_mut().for_each(round),
        _ => {}
    }
}

fn read_v1(value: Value) -> Result<Profile, ProfileError> {
    let profile: Profile =
        serde_json::from_value(value).map_err(|error| ProfileError::Invalid(error.to_string()))?;
    match wrong(&profile) {
        Some(why) => Err(ProfileError::Invalid(why)),
        None => Ok(profile),
    }
}

/// What no reader of numbers sees.
fn wrong(profile: &Profile) -> Option<String> {
    let is_length = match profile.block {
        BlockRule::Secs(secs) => (0.1..=3_600.0).contains(&secs),
        BlockRule::Frames(frames) => (1..=1_000_000).contains(&frames),
    };
    if !is_length {
        return Some("its block has no sensible length".to_owned());
    }
    if !is_sha256_hex(&profile.made.model_sha256) && !profile.made.model_sha256.is_empty() {
        return Some("the hash of its model is no SHA-256".to_owned());
    }
    let charts = &profile.charts;
    let is_set = charts.arl0_blocks >= 10.0
        && (0.0..=10.0).contains(&charts.k)
        && charts.guarantee.is_none_or(|share| (0.5..1.0).contains(&share));
    if !is_set {
        return Some("its charts have settings out of range".to_owned());
    }
    let trigger = &profile.trigger;
    if !(0.0..=1.0).contains(&trigger.floor_drop) || trigger.persist_blocks == 0 || trigger.calm_blocks == 0 {
        return Some("its trigger has settings out of range".to_owned());
    }
    for session in &profile.sessions {
        let label = &session.label;
        if !(session.seconds >= 0.0 && session.blocks <= MAX_MEANS as u64) {
            return Some(format!("session '{label}' has no sensible length"));
        }
        let of_features = session
            .features
            .iter()
            .map(|(name, of_it)| (name, &of_it.block_means));
        for (name, means) in of_features.chain(&session.accuracy) {
            let held = means.iter().flatten().count() as u64;
            if means.len() > MAX_MEANS || held > session.blocks {
                return Some(format!(
                    "session '{label}' has more means of '{name}' than blocks"
                ));
            }
        }
        for (name, of_it) in &session.features {
            if of_it.sd < 0.0 || of_it.tau_secs.is_some_and(|secs| secs < 0.0) {
                return Some(format!("session '{label}' has a scatter of '{name}' below zero"));
            }
        }
    }
    for (name, feature) in &profile.features {
        if feature.sums.as_ref().is_some_and(|_| feature.cells.is_none()) {
            return Some(format!("the histogram of '{name}' has other cells than it must"));
        }
        if feature
            .chart
            .is_some_and(|chart| !(chart.threshold > 0.0 && chart.allowance >= 0.0))
        {
            return Some(format!("the chart of '{name}' has no threshold above zero"));
        }
    }
    None
}
