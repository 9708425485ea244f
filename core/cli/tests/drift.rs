//! `plumb drift` on streams: what it prints, and what it refuses.

#[path = "support/terminal.rs"]
mod terminal;

use terminal::{Scratch, assert_refused, plumb};

/// The stream of the published vector: uniform numbers that rise by a tenth after 2,000.
fn stream() -> String {
    let mut x: u64 = 42;
    let line = |i: usize| {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let u = (x >> 11) as f64 / (1u64 << 53) as f64;
        format!("{}\n", u + if i < 2000 { 0.0 } else { 0.1 })
    };
    (0..4000).map(line).collect()
}

#[test]
fn drift_prints_the_indices_of_a_stream() {
    let folder = Scratch::new("drift-prints");
    let file = folder.file("stream.txt", stream().as_bytes());
    let printed = |arguments: &[&str]| {
        let output = plumb(&[&["drift"], arguments, &[file.as_str()]].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("plumb prints UTF-8")
    };
    // River's, from the published vectors.
    assert_eq!(printed(&["--detector", "adwin"]), "2239\n");
    assert_eq!(printed(&["--detector", "adwin", "--set", "clock=1"]), "2230\n");
    assert_eq!(
        printed(&["--detector", "page-hinkley", "--set", "threshold=10"]),
        "2125\n2984\n3257\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&printed(&["--detector", "adwin", "--json"])).expect("JSON");
    assert_eq!(json["drifts"], serde_json::json!([2239]));
    assert_eq!(
        (json["n"].as_u64(), json["width"].as_u64()),
        (Some(4000), Some(1760))
    );
    assert!((json["estimation"].as_f64().expect("a number") - 0.598_373_489_431_749_3).abs() < 1e-12);
}

#[test]
fn drift_says_what_is_wrong_with_its_input() {
    let folder = Scratch::new("drift-refuses");
    let refused = |detector: &str, text: &str, expected: &str| {
        let file = folder.file("stream.txt", text.as_bytes());
        assert_refused(&["drift", "--detector", detector, &file], expected);
    };
    refused("adwin", "", "holds no numbers");
    refused("adwin", "\n\n", "holds no numbers");
    refused("adwin", "1\n2\nthree\n", "line 3: 'three' is not a number");
    refused("adwin", "1\n\n3\n", "line 2 is empty");
    refused("adwin", "1\nNaN\n", "line 2: NaN is no finite number");
    refused("cusum", "1\n-inf\n", "line 2: -inf is no finite number");
    refused("ddm", "1\n0\n0.5\n", "line 3: ddm takes 0 and 1 only");
    refused("kswin", "1\n", "there is no detector 'kswin'");
    let file = folder.file("stream.txt", b"1\n2\n");
    let set = |setting: &str, expected: &str| {
        assert_refused(
            &["drift", "--detector", "adwin", "--set", setting, &file],
            expected,
        );
    };
    set("delta=2", "delta of adwin must be between 0 and 1");
    set("deltas=0.1", "adwin has no setting 'deltas'; it has delta, clock");
    assert_refused(
        &["drift", "--detector", "adwin", "nowhere.txt"],
        "nowhere.txt cannot be read",
    );
}

#[test]
fn arl_prints_what_charts_achieve() {
    let run = |arguments: &[&str]| {
        let output = plumb(&[&["arl", "--references", "4"], arguments].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("plumb prints UTF-8")
    };
    let folder = Scratch::new("arl");
    let blocks: String = (0..90)
        .map(|i: u32| format!("{}\n", f64::from(i * 7919 % 101) / 101.0))
        .collect();
    let file = folder.file("blocks.csv", blocks.as_bytes());
    let csv = format!("csv:{file}");
    let printed = run(&[
        "--json",
        "--guarantee",
        "none",
        "--stream",
        "ar:0.9",
        "--stream",
        &csv,
    ]);
    let reports: Vec<serde_json::Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    assert_eq!(reports.len(), 2);
    assert_eq!(reports[0]["block_secs"], 5.0);
    for report in &reports {
        assert_eq!(report["n_references"], 4);
        assert!(
            report["run_length"].as_f64().expect("a number") > 100.0,
            "{report}"
        );
        assert_eq!(report["delays"].as_array().expect("a list").len(), 6);
    }
    // The same seed gives the same, whatever the threads do.
    let without_time = |text: &str| text.split(",\"seconds\"").next().unwrap_or_default().to_owned();
    let again = run(&["--json", "--guarantee", "none", "--stream", "ar:0.9"]);
    assert_eq!(without_time(&again), without_time(&printed));
    let table = run(&["--stream", "iid", "--reference-blocks", "60"]);
    assert!(
        table.contains("1 sd of frames") && table.contains("for 0.9 of references"),
        "{table}"
    );

    let refused = |arguments: &[&str], expected: &str| {
        assert_refused(&[&["arl", "--references", "4"], arguments].concat(), expected);
    };
    refused(&["--stream", "walk"], "there is no stream 'walk'");
    refused(&["--stream", "ar:x"], "there must be a number behind the colon");
    refused(&["--stream", "ar:1"], "phi of the stream must be from 0 to .9999");
    refused(&["--arl0", "1"], "run_length of calibration must be from 10");
    refused(
        &["--reference-blocks", "3"],
        "3 blocks of a reference are too few",
    );
    let short = folder.file("short.csv", b"1\n2\n3\n");
    refused(
        &["--stream", &format!("csv:{short}")],
        "3 measured blocks are too few; at least 40",
    );
    let bad = folder.file("bad.csv", b"1\nNaN\n3\n");
    refused(
        &["--stream", &format!("csv:{bad}")],
        "line 2: NaN is no finite number",
    );
}
