//! Where the browser keeps what timing both backends gave: local storage, an entry for each model and adapter. The Privacy
//! page lists these entries with the other remembered choices, and deletes them.

use super::page::{forget, remember, remembered, window};
use crate::live::frame_times::FrameTimes;
use crate::live::options::ModelName;
use crate::live::tuning_memory::TuningKey;

/// What times hold for: these weights on this adapter, in this browser, by this build of the app.
pub fn key(model: ModelName, adapter: &str, weights: [String; 2]) -> TuningKey {
    TuningKey {
        model,
        adapter: adapter.to_owned(),
        // A browser that does not tell its version is asked again only when one of the other things changes.
        browser: window().navigator().user_agent().unwrap_or_default(),
        app: env!("CARGO_PKG_VERSION").to_owned(),
        weights,
    }
}

/// The times of an earlier visit. An entry that is damaged, or for something else, counts as none.
pub fn load(key: &TuningKey) -> Option<FrameTimes> {
    key.read(&remembered(&key.name())?)
}

/// Keeps them for the next visit.
pub fn store(key: &TuningKey, times: &FrameTimes) {
    remember(&key.name(), &key.write(times));
}

/// Forgets them.
pub fn clear(key: &TuningKey) {
    forget(&key.name());
}
