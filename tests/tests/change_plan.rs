//! The plan of what may change about the models, as it is kept: it covers every model that is shipped, and nothing else.

use plumbline_core::monitor::canonical::sha256_hex;
use plumbline_core::monitor::change_plan::{ChangePlan, Gate};
use plumbline_core::statistics::Random;
use plumbline_tests::read;
use serde_json::json;

fn plan() -> ChangePlan {
    match ChangePlan::read(&read("models/change-plan.toml")) {
        Ok(plan) => plan,
        Err(sentence) => panic!("{sentence}"),
    }
}

/// Names and hashes of the manifest.
fn models() -> Vec<(String, String)> {
    let manifest: toml::Table = read("models/manifest.toml")
        .parse()
        .expect("the manifest is TOML");
    let models = manifest["model"].as_array().expect("models are a list");
    let text = |model: &toml::Value, key: &str| model[key].as_str().expect("keys are text").to_owned();
    models
        .iter()
        .map(|model| (text(model, "name"), text(model, "sha256")))
        .collect()
}

#[test]
fn every_model_of_the_manifest_is_a_baseline_or_a_planned_change() {
    let plan = plan();
    let missing: Vec<String> = models()
        .into_iter()
        .filter(|(name, sha256)| !plan.covers(name, sha256))
        .map(|(name, sha256)| format!("{name} ({sha256})"))
        .collect();
    assert!(missing.is_empty(), "the plan does not cover {missing:?}");
}

#[test]
fn a_model_that_no_change_covers_is_refused() {
    let plan = plan();
    let other = sha256_hex(b"other weights");
    let (name, _) = &models()[0];
    let report = json!({"sources": [{"role": "model", "sha256": other}], "groups": []});
    for name in [name, "unheard-of"] {
        let gate = plan.judge(name, &other, std::slice::from_ref(&report));
        assert!(matches!(gate, Gate::Uncovered { .. }), "{name}");
    }
}

/// Every planned change has a test that a report can fail.
#[test]
fn a_planned_change_needs_its_report() {
    let plan = plan();
    for change in &plan.change {
        for model in &change.models {
            let sha256 = sha256_hex(model.as_bytes());
            assert!(!plan.judge(model, &sha256, &[]).is_open(), "{model}");
            let figures: Vec<_> = change
                .tests
                .iter()
                .map(|test| json!({"id": test.metric, "value": test.at_least.or(test.at_most)}))
                .collect();
            let mut sources = vec![json!({"role": "model", "sha256": sha256})];
            sources.extend(
                change
                    .tests
                    .iter()
                    .map(|test| json!({"role": "truth", "name": test.on})),
            );
            let report = json!({"sources": sources, "groups": [{"figures": figures}]});
            assert!(plan.judge(model, &sha256, &[report]).is_open(), "{model}");
        }
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    let text = read("models/change-plan.toml").into_bytes();
    let mut random = Random::new(17);
    for _ in 0..400 {
        let mut changed = text.clone();
        for _ in 0..1 + random.below(6) {
            let at = random.below(changed.len());
            match random.below(3) {
                0 => changed[at] = random.bits() as u8,
                1 => {
                    changed.remove(at);
                }
                _ => changed.insert(at, b"[]{}\"=,\n"[random.below(8)]),
            }
        }
        if let Ok(text) = String::from_utf8(changed) {
            let _ = ChangePlan::read(&text);
        }
    }
}
