//! A session against a draft that is too short for charts: by its means.
//!
//! Goes in: a profile and what a session has left. Comes out: for each feature whether its mean is another one, by Welch's
//! t test (Biometrika 34, 1947) at as many values as frames are worth ([`effective_n`]): a stretch of frames holds one
//! independent value in two correlation times. Probabilities of all features are taken together (Benjamini and Hochberg). Thirteen
//! seconds are worth six values, so only large changes are found, and nothing is said about shapes of distributions.

use serde::{Deserialize, Serialize};

use crate::drift::sieve::effective_n;
use crate::monitor::features::{Family, Feature};
use crate::monitor::learning::Learning;
use crate::monitor::profile::Profile;
use crate::monitor::verdict::Direction;
use crate::statistics::benjamini_hochberg;
use crate::statistics::distributions::t_tail;

/// Features whose joint probability is below this have changed.
pub const LEVEL: f64 = 0.05;

/// A feature in a session and in a draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The feature's name in files.
    pub feature: String,
    /// Its family.
    pub family: Family,
    /// Mean of the session.
    pub value: f64,
    /// Mean of the draft.
    pub reference: f64,
    /// Values that the session's frames are worth.
    pub n_value: f64,
    /// Values that the draft's frames are worth.
    pub n_reference: f64,
    /// Welch's t.
    pub statistic: f64,
    /// How likely a difference of this size is by chance.
    pub p: f64,
    /// The same, all features taken together.
    pub q: f64,
    /// To which side it has changed, if it has.
    pub changed: Option<Direction>,
}

/// A shorter memory than a frame or two is not believed, seconds.
const LEAST_TAU_SECS: f64 = 0.05;

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
struct Side {
    mean: f64,
    sd: f64,
    seconds: f64,
    tau_secs: Option<f64>,
}

/// Compares all features that a session and a profile have, in the table's order.
pub fn by_means(profile: &Profile, session: &Learning) -> Vec<Comparison> {
    compared(|feature| Some((of_session(session, feature)?, of_profile(profile, feature)?)))
}

/// Compares all features that two profiles have.
pub fn between(reference: &Profile, other: &Profile) -> Vec<Comparison> {
    compared(|feature| Some((of_profile(other, feature)?, of_profile(reference, feature)?)))
}

fn compared(sides: impl Fn(Feature) -> Option<(Side, Side)>) -> Vec<Comparison> {
    let pairs: Vec<(Feature, Side, Side)> = Feature::ALL
        .into_iter()
        .filter_map(|feature| sides(feature).map(|(value, reference)| (feature, value, reference)))
        .collect();
    let mut found: Vec<Comparison> = pairs
        .into_iter()
        .map(|(feature, value, reference)| welch(feature, value, reference))
        .collect();
    let p_values: Vec<f64> = found.iter().map(|comparison| comparison.p).collect();
    let q_values = benjamini_hochberg(&p_values).unwrap_or(p_values);
    for (comparison, q) in found.iter_mut().zip(q_values) {
        comparison.q = q;
        let difference = comparison.value - comparison.reference;
        let floor = Feature::named(&comparison.feature).map_or(0.0, |feature| feature.spec().floor);
        comparison.changed = (q < LEVEL && difference.abs() > floor).then_some(if difference > 0.0 {
            Direction::Up
        } else {
            Direction::Down
        });
    }
    found
}

fn of_session(session: &Learning, feature: Feature) -> Option<Side> {
    let scatter = session.scatter(feature);
    Some(Side {
        mean: scatter.moments.mean()?,
        sd: scatter.moments.sd()?,
        seconds: session.seconds(),
        tau_secs: scatter.tau_secs,
    })
}

/// All sessions of a profile as one.
fn of_profile(profile: &Profile, feature: Feature) -> Option<Side> {
    let name = feature.spec().name;
    let sessions: Vec<_> = profile
        .sessions
        .iter()
        .filter_map(|session| Some((session.seconds, session.features.get(name)?)))
        .filter(|(_, of_it)| of_it.n > 0)
        .collect();
    let n: f64 = sessions.iter().map(|(_, of_it)| of_it.n as f64).sum();
    if n < 2.0 {
        return None;
    }
    let mean = sessions
        .iter()
        .map(|(_, of_it)| of_it.n as f64 * of_it.mean)
        .sum::<f64>()
        / n;
    let squares: f64 = sessions
        .iter()
        .map(|(_, of_it)| {
            (of_it.n as f64 - 1.0) * of_it.sd * of_it.sd + of_it.n as f64 * (of_it.mean - mean).powi(2)
        })
        .sum();
    Some(Side {
        mean,
        sd: (squares / (n - 1.0)).sqrt(),
        seconds: sessions.iter().map(|(seconds, _)| seconds).sum(),
        tau_secs: sessions
            .iter()
            .filter_map(|(_, of_it)| of_it.tau_secs)
            .reduce(f64::max),
    })
}

/// Values that a stretch of frames is worth. What people and light do has a memory of a second at least, however short a
/// stretch shows it; how frames arrive is the machine's, and has the memory that it shows.
fn worth(family: Family, seconds: f64, tau_secs: Option<f64>) -> f64 {
    match (family, tau_secs) {
        (Family::System, Some(tau_secs)) => (seconds / (2.0 * tau_secs.max(LEAST_TAU_SECS))).max(2.0),
        _ => effective_n(seconds, tau_secs),
    }
}

fn welch(feature: Feature, value: Side, reference: Side) -> Comparison {
    let spec = feature.spec();
    // The longer memory holds for both: short stretches find theirs too short.
    let tau_secs = match (value.tau_secs, reference.tau_secs) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    let n = [value, reference].map(|side| worth(spec.family, side.seconds, tau_secs));
    // A feature that does not move is known as well as it can be measured, and no better.
    let errors = [0, 1].map(|side| {
        let sd = [value.sd, reference.sd][side].max(spec.floor);
        sd * sd / n[side]
    });
    let error = errors[0] + errors[1];
    let degrees =
        error * error / (errors[0] * errors[0] / (n[0] - 1.0) + errors[1] * errors[1] / (n[1] - 1.0));
    let statistic = (value.mean - reference.mean) / error.sqrt();
    let p = t_tail(statistic.abs(), degrees).map_or(1.0, |tail| (2.0 * tail).min(1.0));
    Comparison {
        feature: spec.name.to_owned(),
        family: spec.family,
        value: value.mean,
        reference: reference.mean,
        n_value: n[0],
        n_reference: n[1],
        statistic,
        p,
        q: p,
        changed: None,
    }
}
