//! The snapshot of a session.

use crate::drift::{block_secs, sieve::effective_n};
use crate::monitor::charts::{PROXIES, WIDE};
use crate::monitor::features::{FEATURES, Feature};
use crate::monitor::learning::CHART_BLOCKS;
use crate::monitor::profile::{CalibrationProfile, FREEZE_BLOCKS, FREEZE_SESSIONS, Labels, Profile};
use crate::monitor::session::{Monitor, SILENCE_SECS, Z};
use crate::monitor::shadow::Shadow;
use crate::monitor::snapshot::{
    AccuracyView, Band, CalibrationView, FeatureView, LearningView, Numbers, Phase, RecordView,
    ReferenceView, SNAPSHOT_SCHEMA, Snapshot, Status,
};
use crate::monitor::verdict::Proxy;

/// Records of the audit log in a snapshot.
const SHOWN_RECORDS: usize = 20;
/// Alarms in a snapshot.
const SHOWN_ALARMS: usize = 30;
/// Estimates that are further apart than this disagree.
const DISAGREEMENT: f64 = 0.1;
/// An area under the curve below this: certainty does not tell right from wrong, and is not shown as accuracy.
const LEAST_AUROC: f64 = 0.65;

impl Monitor {
    /// What there is to show, with the last `history_blocks` blocks of each line.
    pub fn snapshot(&self, history_blocks: usize) -> Snapshot {
        let profile = self.profile.as_ref();
        Snapshot {
            schema: SNAPSHOT_SCHEMA,
            status: self.status(),
            alarms: self.alarms.iter().take(SHOWN_ALARMS).cloned().collect(),
            numbers: Numbers {
                cost: self.cost,
                monitor_bytes: self.bytes() as u64,
                ..self.online.numbers()
            },
            features: Feature::ALL
                .map(|feature| self.feature(feature, history_blocks))
                .into(),
            accuracy: self.accuracy(history_blocks),
            slices: self.slices.views(),
            calibration: profile
                .and_then(|profile| profile.calibration.as_ref())
                .map(calibration),
            reference: profile.map(|profile| self.reference(profile)),
            learning: self.learning(),
            registry: self.registry.view(self.shadow.as_ref().map(Shadow::view)),
            record: RecordView {
                log_rows: self.log_rows,
                audit_records: self.audit.records().len() as u64,
                audit: self
                    .audit
                    .records()
                    .iter()
                    .rev()
                    .take(SHOWN_RECORDS)
                    .map(|record| record.view())
                    .collect(),
                // Every record of this log was checked when it was read, or made here.
                is_chain_whole: true,
                storage: self.storage.clone(),
            },
        }
    }

    fn status(&self) -> Status {
        let block_secs = match (&self.profile, &self.last_block) {
            (Some(profile), _) => profile.block_secs(),
            (None, Some(block)) => block.seconds,
            (None, None) => 0.0,
        };
        // Every chart alarms once in its run length, and alarms of several charts are at most as often as all together.
        let charts = self
            .charts
            .as_ref()
            .map(|charts| charts.count())
            .filter(|count| *count > 0);
        let false_watch_secs = charts
            .zip(self.profile.as_ref())
            .map(|(count, profile)| profile.charts.arl0_blocks * profile.block_secs() / count as f64);
        Status {
            phase: self.phase(),
            verdict: self.verdict().clone(),
            blocks: self.blocks,
            block_secs,
            since_secs: (self.now_secs - self.state_since_secs).max(0.0),
            false_watch_secs,
            is_extrapolated: self.profile.as_ref().is_some_and(|profile| {
                profile
                    .features
                    .values()
                    .any(|feature| feature.chart.is_some_and(|chart| chart.is_extrapolated))
            }),
            rolled_back: self.rolled_back.clone(),
        }
    }

    fn phase(&self) -> Phase {
        let silent_secs = self.now_secs - self.last_frame_secs;
        if silent_secs >= SILENCE_SECS {
            return Phase::NotWatching { silent_secs };
        }
        match &self.profile {
            None => Phase::NoReference,
            Some(profile) if !profile.has_charts() => Phase::Means {
                blocks: profile.blocks(),
                compared: self.online.learning().blocks(),
                needed: CHART_BLOCKS,
            },
            Some(profile) if !profile.is_frozen() => Phase::Draft {
                blocks: profile.blocks(),
                sessions: profile.sessions.len() as u64,
            },
            Some(_) => Phase::Reference,
        }
    }

    fn feature(&self, feature: Feature, history_blocks: usize) -> FeatureView {
        let spec = &FEATURES[feature.index()];
        let reference = self
            .profile
            .as_ref()
            .and_then(|profile| profile.reference(feature));
        let chart = self.charts.as_ref().and_then(|charts| charts.of_feature(feature));
        let skipped = self.history.len().saturating_sub(history_blocks);
        let history = self
            .history
            .iter()
            .skip(skipped)
            .map(|means| means[feature.index()]);
        FeatureView {
            name: spec.name.to_owned(),
            label: spec.label.to_owned(),
            family: spec.family,
            unit: spec.unit.to_owned(),
            value: self.last_block.as_ref().and_then(|block| block.mean(feature)),
            n: self
                .last_block
                .as_ref()
                .map_or(0, |block| block.moments[feature.index()].n() as u32),
            tau_secs: self.online.learning().scatter(feature).tau_secs,
            band: reference.map(|reference| Band {
                mean: reference.mean(),
                low: reference.mean() - 2.0 * reference.sd(),
                high: reference.mean() + 2.0 * reference.sd(),
            }),
            chart: chart.map(|chart| chart.view()),
            history: history
                .map(|mean| Some(mean).filter(|mean| !mean.is_nan()))
                .collect(),
        }
    }

    fn accuracy(&self, history_blocks: usize) -> Vec<AccuracyView> {
        let calibration = self
            .profile
            .as_ref()
            .and_then(|profile| profile.calibration.as_ref());
        let is_blind = calibration
            .and_then(|calibration| calibration.auroc)
            .is_some_and(|area| area < LEAST_AUROC);
        let skipped = self.estimates.len().saturating_sub(history_blocks);
        let mut views: Vec<AccuracyView> = PROXIES
            .into_iter()
            .enumerate()
            .filter(|(_, proxy)| !(is_blind && *proxy == Proxy::Certainty))
            .filter_map(|(place, proxy)| {
                let (estimate, low, high, reference) = match self.estimate(proxy) {
                    Some(found) => (found.value, found.low, found.high, Some(found.reference)),
                    None => {
                        let (value, error) = self.bare_estimate(proxy)?;
                        (
                            value,
                            (value - Z * error).max(0.0),
                            (value + Z * error).min(1.0),
                            None,
                        )
                    }
                };
                let history = self.estimates.iter().skip(skipped);
                Some(AccuracyView {
                    proxy,
                    estimate,
                    low,
                    high,
                    reference,
                    disagrees: false,
                    history: history
                        .map(|estimates| estimates[place].map(|estimate| estimate as f32))
                        .collect(),
                })
            })
            .collect();
        let calibrated = calibration.is_some_and(|calibration| calibration.flip.is_some());
        if let [a, b] = &mut views[..] {
            // Without its calibration, agreement with the mirrored picture is no share of right joints.
            let disagree = calibrated && (a.estimate - b.estimate).abs() > DISAGREEMENT;
            (a.disagrees, b.disagrees) = (disagree, disagree);
        }
        views
    }

    /// The estimate of the last block and its standard error, where there is no reference.
    fn bare_estimate(&self, proxy: Proxy) -> Option<(f64, f64)> {
        let block = self.last_block.as_ref()?;
        let moments = match proxy {
            Proxy::Certainty => block.certainty,
            Proxy::Flip if block.flip_accuracy.n() > 0 => block.flip_accuracy,
            Proxy::Flip => block.moments[Feature::FlipOks.index()],
        };
        let n = effective_n(block.seconds, None).min(moments.n() as f64);
        Some((moments.mean()?, moments.sd()? / n.sqrt()))
    }

    fn reference(&self, profile: &Profile) -> ReferenceView {
        let wide = Feature::ALL.into_iter().filter(|feature| {
            profile
                .limits(*feature)
                .is_some_and(|limits| limits.allowance > profile.charts.k + WIDE)
        });
        ReferenceView {
            id: profile.id.clone(),
            version: profile.version,
            replaces: profile.replaces.clone(),
            is_frozen: profile.is_frozen(),
            blocks: profile.blocks(),
            sessions: profile.sessions.len() as u64,
            made_unix_secs: profile.made.at_unix_secs,
            model: profile.made.model.clone(),
            model_sha256: profile.made.model_sha256.clone(),
            is_of_another_model: profile.made.model_sha256 != self.registry.current().sha256,
            datasheet: profile.datasheet.answers().clone(),
            missing: if profile.is_frozen() {
                Vec::new()
            } else {
                profile.missing()
            },
            wide: wide.map(|feature| feature.spec().name.to_owned()).collect(),
        }
    }

    fn learning(&self) -> LearningView {
        let learning = self.online.learning();
        LearningView {
            blocks: learning.blocks(),
            for_charts: CHART_BLOCKS,
            for_freezing: FREEZE_BLOCKS,
            sessions_for_freezing: FREEZE_SESSIONS,
            tau_secs: learning.tau_secs(),
            advised_block_secs: block_secs(learning.tau_secs()),
        }
    }
}

fn calibration(of: &CalibrationProfile) -> CalibrationView {
    CalibrationView {
        truth: match of.truth {
            Labels::Human => "labels",
            Labels::Drawn => "drawn people",
            Labels::Model => "a model",
            Labels::None => "nobody",
        }
        .to_owned(),
        model_sha256: of.model_sha256.clone(),
        bins: of.bins.clone(),
        ece_raw: of.ece_raw,
        ece_calibrated: of.ece_calibrated,
    }
}
