//! The metrics give what the field's packages give, on the vectors beside the project and on seeded cases that
//! `tests/reference/monitor_metrics.py` wrote; and an evaluator that saw a file in parts gives the whole.

use std::fmt::Debug;
use std::fs;

use plumbline_core::metrics::agreement::Agreement;
use plumbline_core::metrics::calibration::{Edges, EqualMass, Reliability};
use plumbline_core::metrics::coco::{CocoKeypoints, Detection, Truth};
use plumbline_core::metrics::confusion::Confusion;
use plumbline_core::metrics::detections::{Action, TemporalAp};
use plumbline_core::metrics::frames::FrameAccuracy;
use plumbline_core::metrics::isotonic::Isotonic;
use plumbline_core::metrics::joints::{Joint, JointErrors, Settings};
use plumbline_core::metrics::masks::MaskCounts;
use plumbline_core::metrics::oks::{SIGMAS_COCO, TruthPose, oks};
use plumbline_core::metrics::probability::Probabilities;
use plumbline_core::metrics::ranking::Ranking;
use plumbline_core::metrics::repetitions::RepetitionErrors;
use plumbline_core::metrics::segments::{DEFAULT_OVERLAPS, Segmental};
use plumbline_core::metrics::temperature::Temperature;
use plumbline_core::metrics::top_k::TopK;
use plumbline_core::metrics::{Evaluator, MetricError};
use plumbline_core::statistics::intervals::wilson;
use plumbline_core::statistics::multiplicity::benjamini_hochberg;
use plumbline_tests::{data_folder, read, skip};
use serde_json::Value;

/// The cases of one kind.
fn cases(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(&read("tests/fixtures/monitor_metrics.json")).expect("JSON");
    let cases = all[kind].as_array().expect("a list of cases").clone();
    assert!(cases.len() >= 10, "{kind}: {} cases", cases.len());
    cases
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))).expect("small")
}

fn counts<T: TryFrom<u64, Error: Debug>>(value: &Value) -> Vec<T> {
    let one = |value: &Value| T::try_from(value.as_u64().expect("a count")).expect("in range");
    list(value).iter().map(one).collect()
}

fn pair(value: &Value) -> [f64; 2] {
    [number(&value[0]), number(&value[1])]
}

/// A number within a tolerance, relative above 1.
fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    let distance = (found - expected).abs() / expected.abs().max(1.0);
    assert!(
        distance <= tolerance,
        "{what}: {found}, expected {expected}, off by {distance:e}"
    );
}

/// What a package answered, or that it gave none.
fn assert_answer(found: Option<f64>, answer: &Value, tolerance: f64, what: &str) {
    match (found, answer["is"].as_f64()) {
        (Some(found), Some(expected)) => assert_near(found, expected, tolerance, what),
        (None, None) => {}
        (found, expected) => panic!("{what}: {found:?}, expected {expected:?}"),
    }
}

/// Feeds three parts of the rows to an evaluator each, and joins them in all orders.
fn merged<E: Evaluator>(empty: &E, n_rows: usize, feed: impl Fn(&mut E, usize)) -> Vec<E::Result> {
    let part = |from: usize, to: usize| {
        let mut part = empty.clone();
        (from..to).for_each(|row| feed(&mut part, row));
        part
    };
    let (a, b) = (n_rows / 3, n_rows / 2);
    let parts = [part(0, a), part(a, b), part(b, n_rows)];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let join = |order: &[usize; 3]| {
        let mut whole = empty.clone();
        for place in order {
            whole.merge(&parts[*place]).expect("the same settings");
        }
        whole.finish().expect("there are rows")
    };
    orders.iter().map(join).collect()
}

#[test]
fn classes_are_scikit_learn_s() {
    for (place, case) in cases("classes").iter().enumerate() {
        let (truth, predicted) = (
            counts::<usize>(&case["truth"]),
            counts::<usize>(&case["predicted"]),
        );
        let n_classes = count(&case["n_classes"]);
        let empty = Confusion::new(n_classes).unwrap();
        let results = merged(&empty, truth.len(), |part, row| {
            part.observe(truth[row], predicted[row]).unwrap();
        });
        let what = |name: &str| format!("case {place}, {name}");
        for found in &results {
            assert_eq!(found, &results[0], "counts merge exactly");
        }
        let found = &results[0];
        assert_answer(Some(found.accuracy), &case["accuracy"], 1e-12, &what("accuracy"));
        assert_answer(
            Some(found.balanced_accuracy),
            &case["balanced"],
            1e-12,
            &what("balanced"),
        );
        assert_answer(found.kappa, &case["kappa"], 1e-12, &what("kappa"));
        // scikit-learn says 0 where the correlation is not defined.
        assert_answer(Some(found.mcc.unwrap_or(0.0)), &case["mcc"], 1e-12, &what("mcc"));
        for (mean, name) in [
            (found.macro_mean, "macro"),
            (found.micro_mean, "micro"),
            (found.weighted_mean, "weighted"),
        ] {
            for (value, at) in [(mean.precision, 0), (mean.recall, 1), (mean.f1, 2)] {
                assert_answer(Some(value), &case[name][at], 1e-12, &what(name));
            }
        }
        for (class, figures) in found.classes.iter().enumerate() {
            for (value, at) in [(figures.precision, 0), (figures.recall, 1), (figures.f1, 2)] {
                let expected = number(&case["by_class"][at][class]);
                assert_near(value.unwrap_or(0.0), expected, 1e-12, &what("one class"));
            }
        }
    }
}

#[test]
fn probabilities_are_scikit_learn_s() {
    for (place, case) in cases("probabilities").iter().enumerate() {
        let rows: Vec<Vec<f64>> = list(&case["rows"]).iter().map(numbers).collect();
        let truth = counts::<usize>(&case["truth"]);
        let n_classes = rows[0].len();
        let what = |name: &str| format!("case {place}, {name}");
        for found in merged(
            &Probabilities::new(n_classes).unwrap(),
            rows.len(),
            |part, row| {
                part.observe(&rows[row], truth[row]).unwrap();
            },
        ) {
            assert_answer(Some(found.log_loss), &case["log_loss"], 1e-12, &what("log-loss"));
            assert_answer(Some(found.brier), &case["brier"], 1e-12, &what("Brier"));
        }
        for found in merged(&TopK::new(n_classes).unwrap(), rows.len(), |part, row| {
            part.observe(&rows[row], truth[row]).unwrap();
        }) {
            for (k, expected) in list(&case["top_k"]).iter().enumerate() {
                if !expected.is_null() {
                    assert_answer(found.share(k + 1), expected, 0.0, &what("top-k"));
                }
            }
        }
    }
}

#[test]
fn rankings_are_scikit_learn_s() {
    for (place, case) in cases("rankings").iter().enumerate() {
        let (truth, scores) = (counts::<u8>(&case["truth"]), numbers(&case["scores"]));
        let results = merged(&Ranking::default(), truth.len(), |part, row| {
            part.observe(scores[row], truth[row] == 1).unwrap();
        });
        let what = |name: &str| format!("case {place}, {name}");
        assert!(
            results.iter().all(|found| found == &results[0]),
            "kept rows merge exactly"
        );
        let found = &results[0];
        assert_answer(found.auroc().ok(), &case["auroc"], 1e-12, &what("AUROC"));
        // scikit-learn says 0 without positives.
        let average = found.average_precision().unwrap_or(0.0);
        assert_answer(Some(average), &case["average_precision"], 1e-12, &what("AP"));
        let roc = &case["roc"]["is"];
        assert_eq!(found.roc().is_err(), roc.is_null(), "{}", what("ROC"));
        for (at, [fpr, tpr]) in found.roc().unwrap_or_default().into_iter().enumerate() {
            assert_near(fpr, number(&roc[0][at]), 1e-12, &what("false positive rate"));
            assert_near(tpr, number(&roc[1][at]), 1e-12, &what("true positive rate"));
        }
        if let Some(curve) = found.precision_recall() {
            // There from the lowest score up.
            let mut expected = [
                numbers(&case["precision_recall"]["is"][0]),
                numbers(&case["precision_recall"]["is"][1]),
            ];
            expected.iter_mut().for_each(|values| values.reverse());
            assert_eq!(curve.len(), expected[0].len(), "{}", what("points"));
            for (at, [recall, precision]) in curve.into_iter().enumerate() {
                assert_near(precision, expected[0][at], 1e-12, &what("precision"));
                assert_near(recall, expected[1][at], 1e-12, &what("recall"));
            }
        }
    }
}

#[test]
fn calibration_errors_are_those_of_each_edge_rule() {
    for (place, case) in cases("calibrations").iter().enumerate() {
        let (p, right) = (numbers(&case["p"]), counts::<u8>(&case["right"]));
        let n_bins = count(&case["n_bins"]);
        for (edges, name) in [
            (Edges::RightClosed, "right_closed"),
            (Edges::LeftClosed, "left_closed"),
        ] {
            let empty = Reliability::new(n_bins, edges).unwrap();
            for found in merged(&empty, p.len(), |part, row| {
                part.observe(p[row], right[row] == 1).unwrap()
            }) {
                assert_near(
                    found.ece(),
                    number(&case[name]),
                    1e-12,
                    &format!("case {place}, {name}"),
                );
                if edges == Edges::RightClosed {
                    let curve = &case["curve"]["is"];
                    assert_eq!(found.bins.len(), list(&curve[0]).len(), "case {place}");
                    for (at, bin) in found.bins.iter().enumerate() {
                        assert_near(
                            bin.accuracy(),
                            number(&curve[0][at]),
                            1e-12,
                            "share that is right",
                        );
                        assert_near(bin.confidence, number(&curve[1][at]), 1e-12, "mean confidence");
                    }
                }
            }
        }
        let results = merged(&EqualMass::new(n_bins).unwrap(), p.len(), |part, row| {
            part.observe(row as u64, p[row], right[row] == 1).unwrap();
        });
        assert!(
            results.iter().all(|found| found == &results[0]),
            "kept rows merge exactly"
        );
        assert_near(
            results[0].ece(),
            number(&case["equal_mass"]),
            1e-12,
            &format!("case {place}, equal mass"),
        );
    }
}

#[test]
fn isotonic_steps_are_scikit_learn_s() {
    for (place, case) in cases("isotonics").iter().enumerate() {
        let weights = case["weights"].is_array().then(|| numbers(&case["weights"]));
        let fit = Isotonic::fit(&numbers(&case["x"]), &numbers(&case["y"]), weights.as_deref()).unwrap();
        let (x, y) = fit.thresholds();
        assert_eq!(x, numbers(&case["thresholds"][0]), "case {place}");
        for (found, expected) in y.iter().zip(numbers(&case["thresholds"][1])) {
            assert_near(*found, expected, 1e-10, &format!("case {place}, outcome"));
        }
        for (at, expected) in numbers(&case["at"]).into_iter().zip(numbers(&case["predicted"])) {
            let found = fit.predict(at).expect("a number");
            assert_near(found, expected, 1e-10, &format!("case {place}, at {at}"));
        }
        let text = serde_json::to_string(&fit).unwrap();
        assert_eq!(
            serde_json::from_str::<Isotonic>(&text).unwrap(),
            fit,
            "its JSON reads back"
        );
    }
}

#[test]
fn temperatures_are_scipy_s() {
    for (place, case) in cases("temperatures").iter().enumerate() {
        let rows: Vec<Vec<f64>> = list(&case["logits"]).iter().map(numbers).collect();
        let truth = counts::<usize>(&case["truth"]);
        let fit = Temperature::fit(rows[0].len(), &rows.concat(), &truth).unwrap();
        assert_near(
            fit.nll,
            number(&case["nll"]),
            1e-10,
            &format!("case {place}, likelihood"),
        );
        // scipy's search stops a hair inside of its limits.
        let tolerance = if fit.at_limit { 1e-5 } else { 1e-6 };
        assert_near(
            fit.temperature.value(),
            number(&case["t"]),
            tolerance,
            &format!("case {place}"),
        );
    }
}

fn truth_of(annotation: &Value, row: u64) -> Truth {
    let points = numbers(&annotation["keypoints"]);
    let bbox = numbers(&annotation["bbox"]);
    Truth {
        id: annotation["id"].as_i64().expect("a valid case"),
        image: annotation["image_id"].as_i64().expect("a valid case"),
        pose: TruthPose {
            points: std::array::from_fn(|point| [points[3 * point], points[3 * point + 1]]),
            is_labelled: std::array::from_fn(|point| points[3 * point + 2] > 0.0),
            area: number(&annotation["area"]),
            bbox: std::array::from_fn(|place| bbox[place]),
        },
        is_crowd: annotation["iscrowd"].as_u64() == Some(1),
        n_labelled: u32::try_from(count(&annotation["num_keypoints"])).expect("a valid case"),
        row,
    }
}

fn detection_of(prediction: &Value, row: u64) -> Detection {
    let points = numbers(&prediction["keypoints"]);
    Detection {
        image: prediction["image_id"].as_i64().expect("a valid case"),
        points: std::array::from_fn(|point| [points[3 * point], points[3 * point + 1]]),
        score: number(&prediction["score"]),
        row,
    }
}

fn assert_keypoints(annotations: &Value, predictions: &Value, n_images: i64, stats: &[f64], what: &str) {
    let (annotations, predictions) = (list(annotations), list(predictions));
    let mut empty = CocoKeypoints::default();
    (1..=n_images).for_each(|image| empty.add_image(image));
    let results = merged(&empty, annotations.len() + predictions.len(), |part, row| {
        if let Some(annotation) = annotations.get(row) {
            part.add_truth(truth_of(annotation, row as u64))
                .expect("a valid case");
        } else {
            let row = row - annotations.len();
            part.add_detection(detection_of(&predictions[row], row as u64))
                .expect("a valid case");
        }
    });
    assert!(
        results.iter().all(|found| found == &results[0]),
        "{what}: kept rows merge exactly"
    );
    for (place, (found, expected)) in results[0].scores.as_pycocotools().iter().zip(stats).enumerate() {
        assert!(
            (found - expected).abs() < 1e-9,
            "{what}, number {place}: {found}, pycocotools {expected}"
        );
    }
}

#[test]
fn keypoints_are_pycocotools_s() {
    for (place, case) in cases("keypoints").iter().enumerate() {
        let n_images = case["n_images"].as_i64().unwrap();
        let what = format!("case {place}");
        assert_keypoints(
            &case["annotations"],
            &case["predictions"],
            n_images,
            &numbers(&case["stats"]),
            &what,
        );
        assert_similarities(case, &case["similarities"], &what);
    }
}

/// pycocotools' similarities: predictions by falling score, 20 at most; truths in file order.
fn assert_similarities(case: &Value, expected: &Value, what: &str) {
    for (place, matrix) in list(expected).iter().enumerate() {
        let image = Some(place as i64 + 1);
        let of_image = |entries: &Value| -> Vec<Value> {
            let entries = list(entries)
                .iter()
                .filter(|entry| entry["image_id"].as_i64() == image);
            entries.cloned().collect()
        };
        let truths = of_image(&case["annotations"]);
        let mut found = of_image(&case["predictions"]);
        found.sort_by(|a, b| number(&b["score"]).total_cmp(&number(&a["score"])));
        for (row, prediction) in list(matrix).iter().zip(&found) {
            for (similarity, annotation) in list(row).iter().zip(&truths) {
                let found = oks(
                    &detection_of(prediction, 0).points,
                    &truth_of(annotation, 0).pose,
                    &SIGMAS_COCO,
                );
                assert_near(found, number(similarity), 1e-12, what);
            }
        }
    }
}

#[test]
fn joints_are_mmpose_s() {
    for (place, case) in cases("joints").iter().enumerate() {
        let truth = list(&case["truth"]);
        let n_joints = list(&truth[0]).len();
        let settings = Settings {
            shares: numbers(&case["shares"]),
            ..Settings::default()
        };
        let mut all = Vec::new();
        for person in 0..truth.len() {
            for joint in 0..n_joints {
                if case["mask"][person][joint].as_bool() == Some(true) {
                    all.push(Joint {
                        index: joint,
                        truth: pair(&truth[person][joint]),
                        predicted: pair(&case["found"][person][joint]),
                        size: pair(&case["size"][person]),
                    });
                }
            }
        }
        let empty = JointErrors::new(n_joints, settings).unwrap();
        if all.is_empty() {
            // mmpose gives zeros and a ValueError.
            assert!(matches!(empty.finish(), Err(MetricError::Empty { .. })));
            continue;
        }
        let what = |name: &str| format!("case {place}, {name}");
        for found in merged(&empty, all.len(), |part, row| part.observe(&all[row]).unwrap()) {
            for (found, expected) in found.mean_pck.iter().zip(numbers(&case["pck"])) {
                assert_near(*found, expected, 1e-6, &what("PCK"));
            }
            for joint in &found.joints {
                assert_near(
                    joint.pck[1],
                    number(&case["by_joint"][joint.index]),
                    1e-6,
                    &what("a joint"),
                );
            }
            assert_near(found.auc, number(&case["auc"]), 1e-6, &what("AUC"));
            assert_answer(Some(found.nme), &case["nme"], 1e-6, &what("NME"));
            assert_answer(Some(found.epe_px), &case["epe"], 1e-6, &what("EPE"));
        }
    }
}

#[test]
fn masks_are_scikit_learn_s_pixels() {
    for (place, case) in cases("masks").iter().enumerate() {
        let (truth, found) = (counts::<u8>(&case["truth"]), counts::<u8>(&case["found"]));
        let ignored = case["ignored"].as_u64().map(|class| u8::try_from(class).unwrap());
        let empty = MaskCounts::new(count(&case["n_classes"]), ignored).unwrap();
        let feed = |part: &mut MaskCounts, row: usize| {
            part.observe(&truth[row..=row], &found[row..=row]).unwrap();
        };
        if case["dice"].is_null() {
            let mut all = empty;
            feed(&mut all, 0);
            assert!(all.finish().is_err());
            continue;
        }
        let results = merged(&empty, truth.len(), feed);
        assert!(
            results.iter().all(|found| found == &results[0]),
            "counts merge exactly"
        );
        for (class, overlap) in results[0].classes.iter().enumerate() {
            let what = format!("case {place}, class {class}");
            assert_near(overlap.dice(), number(&case["dice"]["is"][class]), 1e-12, &what);
            assert_near(overlap.iou(), number(&case["iou"]["is"][class]), 1e-12, &what);
        }
    }
}

#[test]
fn segments_are_ms_tcn_s() {
    for (place, case) in cases("segments").iter().enumerate() {
        let videos = list(&case["videos"]);
        let of = |video: usize, side: &str| counts::<u32>(&videos[video][side]);
        let what = |name: &str| format!("case {place}, {name}");
        let frames = FrameAccuracy::new(Some(0));
        for found in merged(&frames, videos.len(), |part, video| {
            part.observe(&of(video, "truth"), &of(video, "found")).unwrap();
        }) {
            assert_eq!(found.accuracy(), case["frames"].as_f64(), "{}", what("frames"));
            assert_eq!(
                found.foreground_accuracy(),
                case["foreground"].as_f64(),
                "{}",
                what("foreground")
            );
        }
        let empty = Segmental::new(&DEFAULT_OVERLAPS, Some(0), false).unwrap();
        for found in merged(&empty, videos.len(), |part, video| {
            part.observe(&of(video, "truth"), &of(video, "found")).unwrap();
        }) {
            // Where the package fails or gives NaN for one video, ours goes on with the others.
            for (at, found) in found
                .by_overlap
                .iter()
                .enumerate()
                .filter(|_| !case["f1"].is_null())
            {
                // 0 there, where neither side has a segment.
                let expected = number(&case["f1"][at]);
                assert_near(found.f1_percent().unwrap_or(0.0), expected, 1e-9, &what("F1"));
            }
            if let Some(expected) = case["edit"].as_f64() {
                assert_near(
                    found.edit_percent.expect("there are segments"),
                    expected,
                    1e-9,
                    &what("edit"),
                );
            }
        }
    }
}

#[test]
fn actions_in_time_are_activitynet_s() {
    for (place, case) in cases("detections").iter().enumerate() {
        let (truth, found) = (list(&case["truth"]), list(&case["found"]));
        let action = |entry: &Value, row: usize| Action {
            video: entry[0].as_str().unwrap().to_owned(),
            label: entry[1].to_string(),
            start_secs: number(&entry[2]),
            end_secs: number(&entry[3]),
            row: row as u64,
        };
        let empty = TemporalAp::new(&numbers(&case["thresholds"])).unwrap();
        let results = merged(&empty, truth.len() + found.len(), |part, row| {
            if let Some(entry) = truth.get(row) {
                part.add_truth(action(entry, row)).unwrap();
            } else {
                let row = row - truth.len();
                part.add_prediction(action(&found[row], row), number(&found[row][4]))
                    .unwrap();
            }
        });
        assert!(
            results.iter().all(|found| found == &results[0]),
            "kept rows merge exactly"
        );
        for (class, found) in results[0].classes.iter().enumerate() {
            assert_eq!(found.label, case["labels"][class].to_string());
            for (at, found) in found.average_precision.iter().enumerate() {
                let what = format!("case {place}, class {class}");
                assert_near(*found, number(&case["exact"][class][at]), 1e-9, &what);
                assert_near(*found, number(&case["mmaction"][class][at]), 1e-6, &what);
            }
        }
    }
}

#[test]
fn repetitions_and_agreement_are_the_references() {
    for (place, case) in cases("repetitions").iter().enumerate() {
        let (truth, found) = (counts::<u64>(&case["truth"]), counts::<u64>(&case["found"]));
        for figures in merged(&RepetitionErrors::default(), truth.len(), |part, row| {
            part.observe(truth[row], found[row]).unwrap();
        }) {
            let what = format!("case {place}");
            assert_near(figures.mean_absolute, number(&case["mae"]), 1e-12, &what);
            assert_near(
                figures.off_by_one_share(),
                number(&case["off_by_one"]),
                1e-12,
                &what,
            );
            assert_eq!(
                figures.mean_relative.is_none(),
                case["relative"].is_null(),
                "{what}"
            );
            if let Some(relative) = figures.mean_relative {
                assert_near(relative, number(&case["relative"]), 1e-12, &what);
            }
        }
    }
    for (place, case) in cases("agreements").iter().enumerate() {
        let values: Vec<Vec<f64>> = list(&case["values"]).iter().map(numbers).collect();
        let results = merged(
            &Agreement::new(values[0].len()).unwrap(),
            values.len(),
            |part, row| {
                part.observe(&values[row]).unwrap();
            },
        );
        assert!(
            results.iter().all(|found| found == &results[0]),
            "kept rows merge exactly"
        );
        let what = |name: &str| format!("case {place}, {name}");
        let icc = results[0].icc.expect("values vary");
        assert_near(icc.value, number(&case["icc"]), 1e-10, &what("ICC"));
        for (found, expected) in icc
            .interval
            .expect("errors vary")
            .iter()
            .zip(numbers(&case["interval"]))
        {
            // pingouin rounds its interval to two digits.
            assert!(
                (found - expected).abs() <= 0.005 + 1e-9,
                "{}: {found}, {expected}",
                what("interval")
            );
        }
        if let Some(limits) = results[0].limits {
            let [low, high] = limits.bias_interval;
            let found = [limits.bias, limits.sd, limits.low, limits.high, low, high];
            for (found, expected) in found.iter().zip(numbers(&case["limits"])) {
                assert_near(*found, expected, 1e-10, &what("limits"));
            }
        }
    }
}

#[test]
fn intervals_of_slices_are_scipy_s() {
    for case in cases("slices") {
        let interval = wilson(count(&case["right"]) as u64, count(&case["n"]) as u64, 0.95).expect("a share");
        assert_near(interval.low, number(&case["wilson"][0]), 1e-12, "Wilson");
        assert_near(interval.high, number(&case["wilson"][1]), 1e-12, "Wilson");
        let adjusted = benjamini_hochberg(&numbers(&case["p"])).expect("p values");
        for (found, expected) in adjusted.iter().zip(numbers(&case["q"])) {
            assert_near(*found, expected, 1e-12, "Benjamini and Hochberg");
        }
    }
}

/// The generator of the vectors beside the project.
fn uniform(seed: u64, n: usize) -> Vec<f64> {
    let mut x = seed;
    let mut next = || {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (x >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn vectors_beside_the_project_are_met() {
    let Some(folder) = data_folder() else {
        skip("there is no folder with reference vectors");
        return;
    };
    let Ok(text) = fs::read_to_string(folder.join("monitoring_vectors.json")) else {
        skip("the folder with reference data has no monitoring_vectors.json");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).expect("JSON");
    let coco = &vectors["coco_keypoints"];
    let stats = numbers(&coco["stats[AP,AP50,AP75,APm,APl,AR,AR50,AR75,ARm,ARl]"]);
    assert_keypoints(&coco["gt"], &coco["dt"], 5, &stats, "vectors");

    let expected = &vectors["calibration"];
    let score = |u: &f64| ((u * 300.0).round_ties_even() / 300.0).clamp(1.0 / 300.0, 299.0 / 300.0);
    let scores: Vec<f64> = uniform(3, 300).iter().map(score).collect();
    let labels: Vec<bool> = uniform(4, 300)
        .iter()
        .zip(&scores)
        .map(|(u, score)| *u < 0.5 + 0.55 * (score - 0.5))
        .collect();
    let mut right_closed = Reliability::new(15, Edges::RightClosed).unwrap();
    let mut left_closed = Reliability::new(15, Edges::LeftClosed).unwrap();
    let mut equal_mass = EqualMass::new(15).unwrap();
    let mut probabilities = Probabilities::new(2).unwrap();
    let mut ranking = Ranking::default();
    let mut confusion = Confusion::new(2).unwrap();
    for (row, (&score, &label)) in scores.iter().zip(&labels).enumerate() {
        right_closed.observe(score, label).unwrap();
        left_closed.observe(score, label).unwrap();
        equal_mass.observe(row as u64, score, label).unwrap();
        probabilities
            .observe(&[1.0 - score, score], usize::from(label))
            .unwrap();
        ranking.observe(score, label).unwrap();
        confusion
            .observe(usize::from(label), usize::from(score >= 0.5))
            .unwrap();
    }
    let found = [
        ("ece15_right_closed_(a,b]", right_closed.finish().unwrap().ece()),
        ("ece15_left_closed_[a,b)", left_closed.finish().unwrap().ece()),
        (
            "adaptive_ece15_equal_mass_array_split",
            equal_mass.finish().unwrap().ece(),
        ),
        ("brier", probabilities.finish().unwrap().brier),
        ("log_loss", probabilities.finish().unwrap().log_loss),
        ("roc_auc", ranking.finish().unwrap().auroc().unwrap()),
        ("ap", ranking.finish().unwrap().average_precision().unwrap()),
        ("f1@.5", confusion.finish().unwrap().classes[1].f1.unwrap()),
    ];
    for (name, found) in found {
        assert_near(found, number(&expected[name]), 1e-12, name);
    }
    let outcomes: Vec<f64> = labels.iter().map(|&label| f64::from(u8::from(label))).collect();
    let isotonic = Isotonic::fit(&scores, &outcomes, None).unwrap();
    let at = numbers(&expected["isotonic_at_[.1,.3,.5,.7,.9]"]);
    for (score, expected) in [0.1, 0.3, 0.5, 0.7, 0.9].into_iter().zip(at) {
        assert_near(isotonic.predict(score).unwrap(), expected, 1e-10, "isotonic");
    }
    let logits: Vec<f64> = scores.iter().flat_map(|p| [0.0, (p / (1.0 - p)).ln()]).collect();
    let truth: Vec<usize> = labels.iter().map(|&label| usize::from(label)).collect();
    let fit = Temperature::fit(2, &logits, &truth).unwrap();
    let expected = &vectors["temperature_scaling_binary"];
    assert_near(
        fit.temperature.value(),
        number(&expected["T"]),
        1e-6,
        "temperature",
    );
    assert_near(fit.nll, number(&expected["nll"]), 1e-10, "likelihood");

    let runs = |runs: &[(u32, usize)]| -> Vec<u32> {
        runs.iter()
            .flat_map(|&(label, n)| std::iter::repeat_n(label, n))
            .collect()
    };
    let truth = runs(&[(0, 5), (1, 20), (2, 15), (1, 10), (0, 5)]);
    let found = runs(&[(0, 3), (1, 18), (2, 6), (1, 3), (2, 10), (1, 15)]);
    let expected = &vectors["action_segmentation_mstcn"];
    let mut segmental = Segmental::new(&DEFAULT_OVERLAPS, Some(0), false).unwrap();
    segmental.observe(&truth, &found).unwrap();
    let figures = segmental.finish().unwrap();
    assert_near(
        figures.edit_percent.unwrap(),
        number(&expected["edit"]),
        1e-9,
        "edit",
    );
    for (found, name) in figures.by_overlap.iter().zip(["f1@0.1", "f1@0.25", "f1@0.5"]) {
        assert_near(found.f1_percent().unwrap(), number(&expected[name]), 1e-9, name);
    }
    let mut frames = FrameAccuracy::new(Some(0));
    frames.observe(&truth, &found).unwrap();
    let share = frames.finish().unwrap().accuracy().unwrap();
    assert_near(share * 100.0, number(&expected["mof"]), 1e-9, "frames");
}
