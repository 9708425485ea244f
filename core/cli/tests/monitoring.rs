//! The commands on references, plans and records, as a terminal sees them: what they print, and what they end with.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use plumbline_core::monitor::audit::{AuditKind, AuditLog};
use serde_json::Value;

/// Runs `plumb` in the checkout: what it ended with, printed, and complained about.
fn plumb(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_plumb"))
        .args(arguments)
        .env("SOURCE_DATE_EPOCH", "1795305600")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .expect("plumb was built for this test");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A file of this test's own.
fn file(name: &str, text: &str) -> String {
    let folder = std::env::temp_dir().join(format!("plumb-monitoring-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let path: PathBuf = folder.join(name);
    if !text.is_empty() {
        fs::write(&path, text).expect("the temporary folder can be written");
    }
    path.display().to_string()
}

#[test]
fn the_gate_says_who_may_pass() {
    let (code, out, _) = plumb(&["gate", "--model", "lite"]);
    assert_eq!(
        (code, out.trim()),
        (0, "lite may be used: it is a baseline of the plan")
    );
    let (code, out, _) = plumb(&["gate", "--model", "Cargo.toml", "--json"]);
    assert_eq!(code, 1);
    let json: Value = serde_json::from_str(&out).expect("it prints JSON");
    assert_eq!(json["is_open"], false);
    for (arguments, part) in [
        (
            ["--model", "lite", "--plan", "Cargo.toml"],
            "the change plan cannot be read",
        ),
        (
            ["--model", "lite", "--plan", "nowhere.toml"],
            "cannot read the change plan",
        ),
        (
            ["--model", "lite", "--report", "Cargo.toml"],
            "the report is no JSON",
        ),
        (
            ["--model", "nobody", "--plan", "models/change-plan.toml"],
            "no model named 'nobody'",
        ),
    ] {
        let (code, _, error) = plumb(&[&["gate"], &arguments[..]].concat());
        assert!(code == 1 && error.contains(part), "{arguments:?}: {error}");
    }
}

#[test]
fn an_audit_log_is_checked() {
    let mut log = AuditLog::default();
    log.append(1, AuditKind::Model, "lite was added");
    log.append(2, AuditKind::Export, "a pack was made");
    let whole = file("audit.jsonl", &log.text());
    let (code, out, _) = plumb(&["audit", &whole]);
    assert!(
        code == 0 && out.ends_with("the chain of 2 records holds\n"),
        "{out}"
    );
    let (_, out, _) = plumb(&["audit", &whole, "--json"]);
    let json: Value = serde_json::from_str(&out).expect("it prints JSON");
    assert_eq!(json[1]["what"], "a pack was made");
    let broken = file("broken.jsonl", &log.text().replace("lite", "full"));
    let (code, _, error) = plumb(&["audit", &broken]);
    assert!(code == 1 && error.contains("broken at line 1"), "{error}");
    let (code, _, error) = plumb(&["audit", "nowhere.jsonl"]);
    assert!(
        code == 1 && error.contains("cannot read the audit log"),
        "{error}"
    );
}

#[test]
fn wishes_that_cannot_be_met_are_refused_in_words() {
    let no_profile = file("no-profile.json", "{}");
    for (arguments, part) in [
        (vec!["drift", "x.txt"], "--detector"),
        (
            vec!["drift", "--reference", &no_profile, "x.mp4"],
            "has no 'schema'",
        ),
        (
            vec!["drift", "--reference", "nowhere.json", "x.mp4"],
            "cannot read the profile",
        ),
        (
            vec!["drift", "--reference", &no_profile, "--detector", "adwin", "x"],
            "cannot be used with",
        ),
        (vec!["profile", "-o", "p.json"], "CLIP"),
        (vec!["profile", "nowhere.mp4", "-o", "p.json"], "nowhere.mp4"),
        (
            vec!["profile", "x.mp4", "-o", "p.json", "--block", "0"],
            ".1 to 3,600 seconds",
        ),
        (vec!["profile", "x.mp4", "-o", "p.json", "--arl0", "1"], "from 10"),
    ] {
        let (code, _, error) = plumb(&arguments);
        assert!(code != 0 && error.contains(part), "{arguments:?}: {error}");
    }
}

/// A drawn clip becomes a draft, byte for byte the same each time; it is like itself, and not like the same person from the
/// side.
#[test]
fn a_clip_becomes_a_profile_that_it_is_like() {
    if plumb::manifest::read_model("lite").is_err() {
        eprintln!("skipped: the weights are missing; `cargo xtask models` fetches them");
        return;
    }
    let clip = |name: &str, yaw: &str| {
        let path = file(name, "");
        let drawn = [
            "figure",
            "--clip",
            &path,
            "--motion",
            "squat",
            "--repetitions",
            "2",
            "--size",
            "240x320",
            "--fps",
            "10",
            "--yaw",
            yaw,
        ];
        let (code, _, error) = plumb(&drawn);
        assert_eq!(code, 0, "{error}");
        path
    };
    let (front, side) = (clip("front.mjpeg", "0"), clip("side.mjpeg", "70"));
    let (profile, again) = (file("p.json", ""), file("again.json", ""));
    for output in [&profile, &again] {
        let (code, out, error) = plumb(&[
            "profile",
            &front,
            "-o",
            output,
            "--model",
            "lite",
            "--block",
            "1",
            "--mirror-every",
            "2",
            "--json",
        ]);
        assert_eq!(code, 0, "{error}");
        let json: Value = serde_json::from_str(&out).expect("it prints JSON");
        assert_eq!(
            (&json["is_frozen"], &json["sessions"]),
            (&Value::from(false), &Value::from(1))
        );
        assert!(
            json["missing"]
                .as_array()
                .is_some_and(|missing| missing.len() > 9)
        );
    }
    assert_eq!(fs::read(&profile).ok(), fs::read(&again).ok());
    let judged = |clip: &str| {
        let (code, out, error) = plumb(&[
            "drift",
            "--reference",
            &profile,
            clip,
            "--model",
            "lite",
            "--mirror-every",
            "2",
            "--json",
        ]);
        let json: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{error}"));
        (code, json)
    };
    let (code, json) = judged(&front);
    assert_eq!((code, &json["alarms"]), (0, &serde_json::json!([])));
    let (code, json) = judged(&side);
    let alarms: Vec<&str> = json["alarms"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        code == 3 && alarms.contains(&"view_yaw_deg"),
        "{code}: {alarms:?}"
    );
    // Another model is said to be one.
    let (_, out, _) = plumb(&[
        "drift",
        "--reference",
        &profile,
        &front,
        "--model",
        "full",
        "--mirror-every",
        "0",
    ]);
    assert!(
        out.contains("made with the model 'lite', this with 'full'"),
        "{out}"
    );
    let refused = plumb(&[
        "profile",
        &front,
        "-o",
        &again,
        "--model",
        "lite",
        "--block",
        "1",
        "--freeze",
        "--mirror-every",
        "0",
    ]);
    assert!(
        refused.0 == 1 && refused.2.contains("cannot be frozen yet"),
        "{}",
        refused.2
    );
}
