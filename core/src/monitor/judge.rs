//! One profile against another: is what was seen in the one like what was seen in the other?
//!
//! Goes in: a reference and the profile of a clip or of other sessions. Comes out: a [`Judgement`]. Charts run over the
//! blocks of each session in turn, states are those of the watching page. Where the reference has fewer than 24 blocks,
//! or the other fewer than six, means are compared instead ([`super::compare`]), which sees large changes only. Where both have
//! histograms in the same cells, their distances are listed with what chance makes of them; they are a report and raise no
//! alarm.

use serde::{Deserialize, Serialize};

use crate::drift::null::{BlockTest, Null};
use crate::monitor::charts::{Charts, PROXIES};
use crate::monitor::compare::{Comparison, between};
use crate::monitor::features::{FEATURE_COUNT, Family, Feature};
use crate::monitor::learning::CHART_BLOCKS;
use crate::monitor::profile::{Profile, proxy_name};
use crate::monitor::verdict::{Direction, Proxy};

/// Blocks of the other side that charts need.
const LEAST_BLOCKS: u64 = 6;
/// Probability of a false alarm of one distance.
const LEVEL: f64 = 0.01;

/// How two profiles were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Charts over blocks.
    Charts,
    /// Means of all frames.
    Means,
}

/// How far a chart went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartOutcome {
    /// The feature's name in files, or `accuracy:flip`, `accuracy:certainty`.
    pub feature: String,
    /// Its family.
    pub family: Family,
    /// Its highest sum, block standard deviations.
    pub highest: f64,
    /// Over this is an alarm.
    pub threshold: f64,
    /// Block in which it first was, counted from 1 over all sessions.
    pub first_block: Option<u64>,
    /// To which side.
    pub direction: Option<Direction>,
}

/// The distances of a feature's histograms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellOutcome {
    /// The feature's name in files.
    pub feature: String,
    /// Each distance with its threshold and probability.
    pub tests: Vec<BlockTest>,
}

/// What a comparison comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// How it was made.
    pub method: Method,
    /// Blocks of the reference.
    pub reference_blocks: u64,
    /// Blocks of the other.
    pub blocks: u64,
    /// Blocks between false alarms of one chart, where there were charts.
    pub arl0_blocks: Option<f64>,
    /// Names of what has changed, the furthest first.
    pub alarms: Vec<String>,
    /// All features by their means.
    pub means: Vec<Comparison>,
    /// All charts, where there were some.
    pub charts: Vec<ChartOutcome>,
    /// Histograms, where both sides have some.
    pub cells: Vec<CellOutcome>,
    /// What does not fit: another model, other preprocessing, other blocks. Sentences.
    pub notes: Vec<String>,
}

/// Compares a profile with a reference. `seed` is that of the distances' null.
pub fn judge(reference: &Profile, other: &Profile, seed: u64) -> Judgement {
    let means = between(reference, other);
    let has_charts =
        reference.are_charts_set() && other.blocks() >= LEAST_BLOCKS && reference.block == other.block;
    let (charts, alarms) = if has_charts {
        let outcomes = run(reference, other);
        let mut over: Vec<&ChartOutcome> = outcomes
            .iter()
            .filter(|outcome| outcome.first_block.is_some())
            .collect();
        over.sort_by(|a, b| (b.highest / b.threshold).total_cmp(&(a.highest / a.threshold)));
        let alarms = over.iter().map(|outcome| outcome.feature.clone()).collect();
        (outcomes, alarms)
    } else {
        let mut changed: Vec<&Comparison> = means.iter().filter(|one| one.changed.is_some()).collect();
        changed.sort_by(|a, b| b.statistic.abs().total_cmp(&a.statistic.abs()));
        (
            Vec::new(),
            changed.iter().map(|one| one.feature.clone()).collect(),
        )
    };
    Judgement {
        method: if has_charts { Method::Charts } else { Method::Means },
        reference_blocks: reference.blocks(),
        blocks: other.blocks(),
        arl0_blocks: has_charts.then_some(reference.charts.arl0_blocks),
        alarms,
        means,
        charts,
        cells: cells(reference, other, seed),
        notes: notes(reference, other, has_charts),
    }
}

/// Runs the charts over all blocks. A gap, and a new session, is a block without values.
fn run(reference: &Profile, other: &Profile) -> Vec<ChartOutcome> {
    let mut charts = Charts::of(reference);
    let outcome = |name: &str, family: Family, threshold: f64| ChartOutcome {
        feature: name.to_owned(),
        family,
        highest: 0.0,
        threshold,
        first_block: None,
        direction: None,
    };
    let mut of_features: Vec<(Feature, ChartOutcome)> = Feature::ALL
        .into_iter()
        .filter_map(|feature| {
            let view = charts.of_feature(feature)?.view();
            Some((
                feature,
                outcome(feature.spec().name, feature.spec().family, view.threshold),
            ))
        })
        .collect();
    let mut of_accuracy: Vec<(Proxy, ChartOutcome)> = PROXIES
        .into_iter()
        .filter_map(|proxy| {
            let view = charts.of_accuracy(proxy)?.view();
            let name = format!("accuracy:{}", proxy_name(proxy));
            Some((proxy, outcome(&name, Family::Consistency, view.threshold)))
        })
        .collect();
    let mut block = 0;
    for session in &other.sessions {
        let column = |name: &str| {
            session
                .features
                .get(name)
                .map(|of_it| &of_it.block_means[..])
                .unwrap_or_default()
        };
        let columns: [&[Option<f64>]; FEATURE_COUNT] =
            Feature::ALL.map(|feature| column(feature.spec().name));
        let estimates = PROXIES.map(|proxy| {
            session
                .accuracy
                .get(proxy_name(proxy))
                .map_or(&[][..], Vec::as_slice)
        });
        let rows = columns
            .iter()
            .chain(&estimates)
            .map(|column| column.len())
            .max()
            .unwrap_or_default();
        for row in 0..rows {
            let means = columns.map(|column| column.get(row).copied().flatten());
            let estimates = estimates.map(|column| column.get(row).copied().flatten());
            block += u64::from(means.iter().any(Option::is_some));
            charts.update(&means, estimates);
            let seen = of_features
                .iter_mut()
                .filter_map(|(feature, outcome)| Some((charts.of_feature(*feature)?, outcome)));
            let seen_accuracy = of_accuracy
                .iter_mut()
                .filter_map(|(proxy, outcome)| Some((charts.of_accuracy(*proxy)?, outcome)));
            for (chart, outcome) in seen.chain(seen_accuracy) {
                outcome.highest = outcome.highest.max(chart.level() * outcome.threshold);
                if let (Some(direction), None) = (chart.over(), outcome.first_block) {
                    outcome.first_block = Some(block);
                    outcome.direction = Some(direction);
                }
            }
        }
    }
    let features = of_features.into_iter().map(|(_, outcome)| outcome);
    features
        .chain(of_accuracy.into_iter().map(|(_, outcome)| outcome))
        .collect()
}

fn cells(reference: &Profile, other: &Profile, seed: u64) -> Vec<CellOutcome> {
    let of_feature = |feature: Feature| {
        let name = feature.spec().name;
        let (theirs, ours) = (reference.features.get(name)?, other.features.get(name)?);
        if theirs.cells != ours.cells {
            return None;
        }
        let sums = theirs
            .sums
            .as_ref()
            .filter(|sums| sums.n_blocks() >= CHART_BLOCKS)?;
        let found = ours
            .sums
            .as_ref()
            .filter(|sums| sums.n_blocks() >= LEAST_BLOCKS)?;
        let tests = Null::of(sums).ok()?.test(found, LEVEL, seed).ok()?;
        Some(CellOutcome {
            feature: name.to_owned(),
            tests,
        })
    };
    Feature::ALL.into_iter().filter_map(of_feature).collect()
}

fn notes(reference: &Profile, other: &Profile, has_charts: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !has_charts {
        let why = if reference.blocks() < CHART_BLOCKS {
            format!(
                "the reference has {} blocks, charts need {CHART_BLOCKS}",
                reference.blocks()
            )
        } else if other.blocks() < LEAST_BLOCKS {
            format!("{} blocks were seen, charts need {LEAST_BLOCKS}", other.blocks())
        } else if reference.block != other.block {
            "blocks have another length than in the reference".to_owned()
        } else {
            "the reference has no thresholds; make it anew".to_owned()
        };
        notes.push(format!(
            "compared by means only, which shows large changes: {why}"
        ));
    }
    if reference.made.model_sha256 != other.made.model_sha256 {
        notes.push(format!(
            "the reference was made with the model '{}', this with '{}'",
            reference.made.model, other.made.model
        ));
    }
    if reference.made.preprocessing != other.made.preprocessing {
        notes.push("pictures become the model's input in another way than in the reference".to_owned());
    }
    notes
}
