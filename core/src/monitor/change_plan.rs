//! The change plan: which changes of models are foreseen, what each must show, and how it is undone.
//!
//! Goes in: `models/change-plan.toml` and a report of an evaluation. Comes out: whether a model is a baseline, or a change that
//! the plan foresees and whose tests the report passes. The form follows the idea of a predetermined change control plan (FDA,
//! *Marketing Submission Recommendations for a Predetermined Change Control Plan*, 2024): what may change, how it is
//! shown to be good, how it is taken back. It is an engineering aid and no claim of conformity.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::monitor::canonical::is_sha256_hex;
use crate::monitor::snapshot::Criterion;

/// What kinds of change there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Other weights of the same network, or another network of the same task.
    Weights,
    /// The same weights in fewer bits.
    Quantisation,
    /// Another threshold.
    Threshold,
    /// Another backend.
    Backend,
    /// Another way from a picture to the model's input.
    Preprocessing,
}

/// What a change must show.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedTest {
    /// A figure's id in the report.
    pub metric: String,
    /// Its value must not be below.
    pub at_least: Option<f64>,
    /// Its value must not be above.
    pub at_most: Option<f64>,
    /// Which data: the name of a source of the report, its ending left out.
    pub on: String,
}

/// A change that is foreseen.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedChange {
    /// Names it.
    pub id: String,
    /// What kind it is.
    pub kind: ChangeKind,
    /// Which models it may bring, by name or hash.
    pub models: Vec<String>,
    /// What each must show.
    pub tests: Vec<PlannedTest>,
    /// How it is undone, a sentence.
    pub rollback: String,
}

/// A model that was there when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Its name.
    pub model: String,
    /// Its hash.
    pub sha256: String,
}

/// What the plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanHead {
    /// Counts from 1.
    pub version: u32,
    /// What models are used for.
    pub intended_use: String,
    /// Who answers for it.
    pub owner: String,
}

/// The plan.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePlan {
    /// What it is for.
    pub plan: PlanHead,
    /// Models of its beginning.
    #[serde(default)]
    pub baseline: Vec<Baseline>,
    /// What may change.
    #[serde(default)]
    pub change: Vec<PlannedChange>,
}

/// What the plan says of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Gate {
    /// It was there when the plan was made.
    Baseline,
    /// A change that is foreseen, with its tests.
    Planned {
        /// Which change.
        change: String,
        /// Its tests; `name` says metric and data.
        criteria: Vec<Criterion>,
    },
    /// Nothing of the plan covers it.
    Uncovered {
        /// What is in the way, a sentence.
        why: String,
    },
}

impl Gate {
    /// Whether the model may be used.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Baseline => true,
            Self::Planned { criteria, .. } => criteria.iter().all(|criterion| criterion.is_met),
            Self::Uncovered { .. } => false,
        }
    }
}

impl ChangePlan {
    /// Reads a plan.
    ///
    /// # Errors
    /// A sentence: what is no TOML, keys that no plan has, tests without a limit, hashes that are none, ids given twice.
    pub fn read(text: &str) -> Result<Self, String> {
        let plan: Self = toml::from_str(text)
            .map_err(|error| format!("the change plan cannot be read: {}", error.message()))?;
        for baseline in &plan.baseline {
            if !is_sha256_hex(&baseline.sha256) {
                return Err(format!(
                    "the change plan's baseline '{}' has no SHA-256",
                    baseline.model
                ));
            }
        }
        let mut ids = BTreeSet::new();
        for change in &plan.change {
            let id = &change.id;
            if !ids.insert(id) {
                return Err(format!("the change plan has two changes '{id}'"));
            }
            if change.tests.is_empty() || change.rollback.trim().is_empty() {
                return Err(format!("the change '{id}' needs tests, and a way to undo it"));
            }
            for test in &change.tests {
                let limits = [test.at_least, test.at_most];
                if limits.iter().flatten().count() == 0
                    || limits.iter().flatten().any(|limit| !limit.is_finite())
                {
                    return Err(format!(
                        "the test of '{}' in the change '{id}' needs 'at_least' or 'at_most', a number",
                        test.metric
                    ));
                }
            }
        }
        Ok(plan)
    }

    /// Whether the plan foresees a model at all, by name or hash.
    pub fn covers(&self, name: &str, sha256: &str) -> bool {
        self.is_baseline(name, sha256) || self.change_for(name, sha256).is_some()
    }

    fn is_baseline(&self, name: &str, sha256: &str) -> bool {
        self.baseline
            .iter()
            .any(|known| known.model == name && known.sha256 == sha256)
    }

    fn change_for(&self, name: &str, sha256: &str) -> Option<&PlannedChange> {
        let is_meant =
            |change: &&PlannedChange| change.models.iter().any(|model| model == name || model == sha256);
        self.change.iter().find(is_meant)
    }

    /// Judges a model by reports of evaluations, as `plumb evaluate --json` writes them. Baselines need none.
    ///
    /// A report counts for the model if one of its sources is the model with this hash, and for a test if one of its sources
    /// is the test's data.
    pub fn judge(&self, name: &str, sha256: &str, reports: &[Value]) -> Gate {
        if self.is_baseline(name, sha256) {
            return Gate::Baseline;
        }
        let Some(change) = self.change_for(name, sha256) else {
            let is_named = self.baseline.iter().any(|known| known.model == name);
            let why = if is_named {
                format!("'{name}' is a baseline with another hash, and no change of the plan brings {sha256}")
            } else {
                format!("no change of the plan brings '{name}' ({sha256})")
            };
            return Gate::Uncovered { why };
        };
        let of_model: Vec<&Value> = reports
            .iter()
            .filter(|report| is_of_model(report, sha256))
            .collect();
        let criteria = change
            .tests
            .iter()
            .flat_map(|test| {
                let report = of_model.iter().find(|report| is_on(report, &test.on));
                let value = report.and_then(|report| figure(report, &test.metric));
                let criterion = |limit: f64, is_met: bool| Criterion {
                    name: format!("{} on {}", test.metric, test.on),
                    value,
                    bound: None,
                    limit,
                    is_met,
                };
                let least = test
                    .at_least
                    .map(|limit| criterion(limit, value.is_some_and(|value| value >= limit)));
                let most = test
                    .at_most
                    .map(|limit| criterion(limit, value.is_some_and(|value| value <= limit)));
                [least, most].into_iter().flatten()
            })
            .collect();
        Gate::Planned {
            change: change.id.clone(),
            criteria,
        }
    }
}

fn sources(report: &Value) -> impl Iterator<Item = &Value> {
    report
        .get("sources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn is_of_model(report: &Value, sha256: &str) -> bool {
    sources(report).any(|source| source["role"] == "model" && source["sha256"] == sha256)
}

fn is_on(report: &Value, data: &str) -> bool {
    sources(report).any(|source| {
        let name = source["name"].as_str().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        source["role"] != "model" && (stem == data || name == data)
    })
}

/// A figure of a report by its id, wherever its group is; none where it has no value.
fn figure(report: &Value, id: &str) -> Option<f64> {
    let groups = report
        .get("groups")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let figures = groups.flat_map(|group| {
        group
            .get("figures")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    });
    let mut found = figures.filter(|figure| figure["id"] == id);
    found.next().and_then(|figure| figure["value"].as_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLAN: &str = r#"
        [plan]
        version = 1
        intended_use = "movement"
        owner = "the maintainers"
        [[baseline]]
        model = "lite"
        sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        [[change]]
        id = "eight-bits"
        kind = "quantisation"
        models = ["lite-q8"]
        rollback = "load lite"
        tests = [
            { metric = "ap", at_least = 0.5, on = "drawn" },
            { metric = "ece", at_most = 0.1, on = "drawn" },
        ]
    "#;

    fn hash(letter: &str) -> String {
        letter.repeat(64)
    }

    fn report(ap: f64, ece: f64) -> Value {
        json!({
            "sources": [
                {"role": "model", "name": "lite-q8", "sha256": hash("b")},
                {"role": "truth", "name": "drawn.json"},
            ],
            "groups": [{"name": "x", "figures": [{"id": "ap", "value": ap}, {"id": "ece", "value": ece}]}],
        })
    }

    #[test]
    fn the_plan_decides() {
        let plan = ChangePlan::read(PLAN).expect("it is a plan");
        assert!(plan.judge("lite", &hash("a"), &[]).is_open());
        assert!(plan.judge("lite-q8", &hash("b"), &[report(0.5, 0.1)]).is_open());
        for (what, gate) in [
            (
                "a figure too low",
                plan.judge("lite-q8", &hash("b"), &[report(0.49, 0.1)]),
            ),
            (
                "a figure too high",
                plan.judge("lite-q8", &hash("b"), &[report(0.5, 0.11)]),
            ),
            ("no report", plan.judge("lite-q8", &hash("b"), &[])),
            (
                "a report of another model",
                plan.judge("lite-q8", &hash("c"), &[report(0.9, 0.0)]),
            ),
            (
                "a baseline with another hash",
                plan.judge("lite", &hash("b"), &[report(0.9, 0.0)]),
            ),
            (
                "nothing of the plan",
                plan.judge("huge", &hash("b"), &[report(0.9, 0.0)]),
            ),
        ] {
            assert!(!gate.is_open(), "{what}");
        }
        let mut on_other_data = report(0.9, 0.0);
        on_other_data["sources"][1]["name"] = json!("photos.json");
        assert!(!plan.judge("lite-q8", &hash("b"), &[on_other_data]).is_open());
        assert!(
            plan.judge("lite-q8", &hash("b"), &[json!(3), report(0.9, 0.0)])
                .is_open()
        );
    }

    #[test]
    fn plans_that_are_none_are_refused_in_words() {
        for (change, part) in [
            (("version = 1", "version = \"x\""), "cannot be read"),
            (("at_least = 0.5, ", ""), "needs 'at_least' or 'at_most'"),
            (("at_least = 0.5", "at_last = 0.5"), "cannot be read"),
            (
                ("at_least = 0.5", "at_least = nan"),
                "needs 'at_least' or 'at_most'",
            ),
            (("aaaa", "AAAA"), "no SHA-256"),
            (("load lite", " "), "a way to undo it"),
            (("\"quantisation\"", "\"magic\""), "cannot be read"),
        ] {
            let text = PLAN.replacen(change.0, change.1, 1);
            let error = ChangePlan::read(&text).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
        let twice = PLAN.replace("[[change]]", "[[change]]\nid = \"eight-bits\"\nkind = \"backend\"\nmodels = []\nrollback = \"x\"\ntests = [{ metric = \"ap\", at_most = 1, on = \"x\" }]\n[[change]]");
        assert!(
            ChangePlan::read(&twice)
                .expect_err("an id twice")
                .contains("two changes")
        );
    }
}
