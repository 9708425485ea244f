//! Whatever files an evaluation is given, it says in words what is wrong with them, or states by which convention it goes
//! on: no number comes out of what is not defined, and nothing panics.

use std::fs;

use clap::Parser;
use plumb::commands::evaluate;
use plumbline_core::metrics::calibrator::{Calibration, Method};
use plumbline_core::metrics::evaluation::{Evaluation, Role, Settings, Tags, Task};
use plumbline_core::metrics::report::{Figure, Report};
use plumbline_core::metrics::slices::SliceSpec;
use plumbline_core::statistics::random::Random;

/// Files in the order in which they are read.
type Files = Vec<(Role, &'static str, Vec<u8>)>;

fn evaluated(task: Task, settings: Settings, files: &Files) -> Result<Report, String> {
    in_pieces(task, settings, files, usize::MAX)
}

fn in_pieces(task: Task, settings: Settings, files: &Files, n_bytes: usize) -> Result<Report, String> {
    let run = || {
        let mut evaluation = Evaluation::new(task, settings)?;
        for (role, name, bytes) in files {
            evaluation.begin(*role, name)?;
            for piece in bytes.chunks(n_bytes.min(bytes.len().max(1))) {
                evaluation.push(piece)?;
            }
            evaluation.end()?;
        }
        evaluation.report()
    };
    run().map_err(|error: plumbline_core::metrics::MetricError| error.to_string())
}

/// Every number of a report is one, and every figure without a value says why.
fn assert_defined(report: &Report, what: &str) {
    let is_finite = |number: Option<f64>| number.is_none_or(f64::is_finite);
    let assert_figure = |figure: &Figure| {
        assert!(
            is_finite(figure.value) && is_finite(figure.low) && is_finite(figure.high),
            "{what}: {figure:?}"
        );
        assert!(
            figure.value.is_some() || figure.note.is_some(),
            "{what}: {figure:?} does not say why"
        );
        if let (Some(low), Some(high)) = (figure.low, figure.high) {
            assert!(low <= high, "{what}: {figure:?}");
        }
    };
    report.figures().for_each(assert_figure);
    for slice in &report.slices {
        assert_figure(&slice.figure);
        for number in [slice.gap, slice.p, slice.q] {
            assert!(is_finite(number), "{what}: {slice:?}");
        }
    }
    for plot in &report.plots {
        assert!(
            plot.x.low < plot.x.high && plot.y.low < plot.y.high,
            "{what}: {}",
            plot.id
        );
        let points = plot
            .series
            .iter()
            .flat_map(|series| series.points.iter().flatten());
        assert!(
            points.into_iter().all(|number| number.is_finite()),
            "{what}: {}",
            plot.id
        );
    }
    let text = serde_json::to_string(report).expect("a report is JSON");
    let again: Report = serde_json::from_str(&text).expect("a report reads back");
    assert_eq!(&again, report, "{what}: its JSON reads back");
}

fn rows(text: &str) -> Files {
    vec![(Role::Rows, "rows.csv", text.as_bytes().to_vec())]
}

fn both(truth: &str, predictions: &str) -> Files {
    vec![
        (Role::Truth, "truth", truth.as_bytes().to_vec()),
        (Role::Predictions, "predictions", predictions.as_bytes().to_vec()),
    ]
}

/// The labels of a video's frames on either side: files belong together by their names.
fn videos(truth: &str, predictions: &str) -> Files {
    let named = |(role, _, bytes)| (role, "video.txt", bytes);
    both(truth, predictions).into_iter().map(named).collect()
}

/// People of COCO: image, id, left edge in pixels, whether points are labelled.
fn truth(people: &[(i64, i64, f64, bool)]) -> String {
    let annotations: Vec<String> = people
        .iter()
        .map(|&(image, id, left, is_labelled)| {
            let points = points(left, if is_labelled { 2 } else { 0 });
            format!(
                r#"{{"id":{id},"image_id":{image},"category_id":1,"keypoints":[{points}],"num_keypoints":{},"area":20000,"bbox":[{left},0,160,112],"iscrowd":0}}"#,
                if is_labelled { 17 } else { 0 }
            )
        })
        .collect();
    format!(
        r#"{{"images":[{{"id":1,"file_name":"a.jpg"}},{{"id":2,"file_name":"b.jpg"}}],"categories":[{{"id":1,"name":"person"}}],"annotations":[{}]}}"#,
        annotations.join(",")
    )
}

fn points(left: f64, visibility: u8) -> String {
    let points =
        (0..17).map(|point| format!("{},{},{visibility}", left + 10.0 * f64::from(point), 7 * point));
    points.collect::<Vec<_>>().join(",")
}

fn results(people: &[(i64, f64, &str)]) -> String {
    let results = people.iter().map(|&(image, left, score)| {
        format!(
            r#"{{"image_id":{image},"category_id":1,"keypoints":[{}],"score":{score}}}"#,
            points(left, 1)
        )
    });
    format!("[{}]", results.collect::<Vec<_>>().join(","))
}

/// What an evaluation must say: an error that holds a text, or a report in which figures have no value, and a note.
enum Says {
    Error(&'static str),
    Undefined(&'static [&'static str]),
    Note(&'static str),
}
use Says::{Error, Note, Undefined};

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn nothing_undefined_is_a_number() {
    let one = [(1, 1, 0.0, true)];
    let settings = Settings::default;
    let with_background = || Settings {
        background: Some("rest".to_owned()),
        ..settings()
    };
    let cases: Vec<(Task, Settings, Files, Says)> = vec![
        // Keypoints.
        (
            Task::Keypoints,
            settings(),
            both("", "[]"),
            Error("truth: the file ends in the middle"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&[]), "[]"),
            Error("no labelled people"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&one), "[]"),
            Note("everybody counts as missed"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&one), "[]"),
            Undefined(&["ap_medium", "ar_medium"]),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&[(1, 1, 0.0, false)]), &results(&[(1, 0.0, "0.5")])),
            Undefined(&["ap", "ap50", "ar", "found_share", "found_similarity"]),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&one), &results(&[(1, 0.0, "NaN")])),
            Error("predictions: line 1"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&one), &results(&[(1, 0.0, "1e999")])),
            Error("predictions: "),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&one), &results(&[(9, 0.0, "0.5")])),
            Error("predictions[0] is of an image that the truth does not list: image id 9"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&[(1, 1, 0.0, true), (2, 1, 0.0, true)]), "[]"),
            Error("truth: the annotation id 1 occurs twice"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&[(3, 1, 0.0, true)]), "[]"),
            Error("an annotation names an image that the truth does not list: image id 3"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&[(1, 0, 0.0, true)]), &results(&[(1, 0.0, "0.5")])),
            Note("A label has the id 0"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(
                &truth(&[(1, 1, 0.0, true), (2, 2, 0.0, true)]),
                &results(&[(1, 0.0, "0.5")]),
            ),
            Note("1 images have labelled people and no prediction"),
        ),
        (
            Task::Keypoints,
            settings(),
            both(&truth(&one), &results(&[(1, 0.0, "0.5"), (1, 9.0, "0.5")])),
            Note("the order of the file decides"),
        ),
        (
            Task::Keypoints,
            Settings {
                category: Some(7),
                ..settings()
            },
            both(&truth(&one), "[]"),
            Error("no labelled people"),
        ),
        (
            Task::Keypoints,
            Settings {
                slices: vec![SliceSpec::by("coat")],
                ..settings()
            },
            both(&truth(&one), "[]"),
            Error("no row has the tag that slices are asked by: coat"),
        ),
        // Classes.
        (
            Task::Classes,
            settings(),
            rows(""),
            Error("rows.csv: the file is empty"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\n"),
            Error("rows.csv: there are no rows"),
        ),
        (
            Task::Classes,
            settings(),
            rows("a,b\n1,2\n"),
            Error("there is no column 'label'"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label\n1\n"),
            Error("there is no column of a class"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\na,.6,.4\nb,nan,.5\n"),
            Error("row 3: 'a' is not a finite number"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\na,.6,x\n"),
            Error("row 2: 'b' is 'x'"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\na,.6,.6\n"),
            Error("row 2: the sum of the probabilities is 1.2"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\na,1.5,-.5\n"),
            Error("row 2: a probability is 1.5"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\nc,.6,.4\n"),
            Error("row 2: the label 'c' is no class"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\n2,.6,.4\n"),
            Error("row 2: the label '2' is no class"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\na,.6\n"),
            Error("row 2: there are 2 cells"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,a\na,.6,.4\n"),
            Error("two columns are called 'a'"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\na,.6,.4\na,.7,.3\n"),
            Undefined(&["auroc", "mcc", "kappa", "average_precision"]),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\nb,.6,.4\nb,.3,.7\n"),
            Undefined(&["auroc", "mcc"]),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b,c\na,.6,.4,0\nb,.3,.7,0\n"),
            Undefined(&[
                "auroc[c]",
                "average_precision[c]",
                "f1[c]",
                "precision[c]",
                "recall[c]",
            ]),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b,c\na,.6,.4,0\nb,.3,.7,0\n"),
            Note("No examples and no predictions of c"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\na,.5,.5\nb,.4,.6\n"),
            Note("the first of them counts as predicted"),
        ),
        (
            Task::Classes,
            settings(),
            rows("label,a,b\na,.5004,.5\nb,.4,.6\n"),
            Note("only within 0.001"),
        ),
        (
            Task::Classes,
            Settings {
                calibrate: Some(Method::Temperature),
                ..settings()
            },
            rows("label,a,b\na,.6,.4\nb,.4,.6\n"),
            Note("The best temperature lies at or beyond the limits"),
        ),
        (
            Task::Classes,
            Settings {
                bins: 0,
                ..settings()
            },
            rows("label,a\n1,.5\n"),
            Error("no bins"),
        ),
        (
            Task::Classes,
            Settings {
                calibration: calibration_of(&["x", "y"]),
                ..settings()
            },
            rows("label,a,b\na,.6,.4\n"),
            Error("the calibration was made for other classes"),
        ),
        // PCK.
        (
            Task::Pck,
            settings(),
            rows("joint,truth_x\n"),
            Error("there is no column 'truth_y'"),
        ),
        (
            Task::Pck,
            settings(),
            rows("joint,truth_x,truth_y,predicted_x,predicted_y,size\nknee,1,2,3,nan,5\n"),
            Error("row 2: 'predicted_y' is not a finite number"),
        ),
        (
            Task::Pck,
            settings(),
            rows("joint,truth_x,truth_y,predicted_x,predicted_y,size\nknee,1,2,3,4,0\n"),
            Error("row 2: the person's size is 0"),
        ),
        (
            Task::Pck,
            settings(),
            rows("joint,truth_x,truth_y,predicted_x,predicted_y,size,labelled\nknee,1,2,3,4,5,0\n"),
            Error("no labelled joints"),
        ),
        // Repetitions and angles.
        (
            Task::Repetitions,
            settings(),
            rows("truth,predicted\n"),
            Error("no rows"),
        ),
        (
            Task::Repetitions,
            settings(),
            rows("truth,predicted\n3,2.5\n"),
            Error("row 2: 'predicted' is '2.5'"),
        ),
        (
            Task::Repetitions,
            settings(),
            rows("truth,predicted\n3,-1\n"),
            Error("row 2: 'predicted' is '-1'"),
        ),
        (
            Task::Repetitions,
            settings(),
            rows("truth,predicted\n0,1\n"),
            Undefined(&["mean_relative_error"]),
        ),
        (
            Task::Angles,
            settings(),
            rows("truth,predicted\n1,2\n3,4\n"),
            Error("expected 3, found 2"),
        ),
        (
            Task::Angles,
            settings(),
            rows("truth,predicted\n1,2\n3,inf\n3,4\n"),
            Error("row 3: 'predicted' is not"),
        ),
        (
            Task::Angles,
            settings(),
            rows("truth,predicted\n1,1\n1,1\n1,1\n"),
            Undefined(&["icc"]),
        ),
        // Actions.
        (
            Task::Segments,
            settings(),
            videos("a\nb\n", "a\n"),
            Error("expected 2, found 1"),
        ),
        (
            Task::Segments,
            settings(),
            videos("", "a\n"),
            Error("video.txt: there are no frames"),
        ),
        (
            Task::Segments,
            settings(),
            videos("a\n\nb", "a\na\na"),
            Error("video.txt: row 2: there is no label"),
        ),
        (
            Task::Segments,
            with_background(),
            videos("rest\nrest", "rest\nrest"),
            Undefined(&["f1@10", "edit", "frame_accuracy_foreground"]),
        ),
        (
            Task::Segments,
            with_background(),
            videos("a\nb", "a\nb"),
            Note("No frame has the background's label"),
        ),
        (
            Task::Segments,
            Settings {
                overlaps: Some(vec![0.0]),
                ..settings()
            },
            videos("a", "a"),
            Error("an overlap is 0"),
        ),
        (
            Task::Detections,
            settings(),
            both("video,label,start,end\n", "video,label,start,end,score\n"),
            Error("no true actions"),
        ),
        (
            Task::Detections,
            settings(),
            both(
                "video,label,start,end\na,x,3,3\n",
                "video,label,start,end,score\n",
            ),
            Error("truth: row 2: the end is 3"),
        ),
        (
            Task::Detections,
            settings(),
            both(
                "video,label,start,end\na,x,0,3\n",
                "video,label,start,end\na,x,0,3\n",
            ),
            Error("predictions: row 1: there is no column 'score'"),
        ),
        (
            Task::Detections,
            settings(),
            both(
                "video,label,start,end\na,x,0,3\n",
                "video,label,start,end,score\na,x,0,3,nan\n",
            ),
            Error("predictions: row 2: 'score' is not a finite number"),
        ),
        (
            Task::Detections,
            settings(),
            both(
                "video,label,start,end\na,x,0,3\n",
                "video,label,start,end,score\n",
            ),
            Note("everything was missed"),
        ),
        // Files of no use, missing and twice.
        (
            Task::Classes,
            settings(),
            both("", ""),
            Error("takes rows, no truth"),
        ),
        (
            Task::Keypoints,
            settings(),
            Vec::new(),
            Error("needs a file of truth"),
        ),
        (
            Task::Classes,
            settings(),
            [rows("label,a\n1,.5\n"), rows("label,a\n1,.5\n")].concat(),
            Error("there is a file of rows already"),
        ),
    ];
    for (place, (task, settings, files, says)) in cases.into_iter().enumerate() {
        let what = format!("case {place}, {}", task.id());
        match (evaluated(task, settings, &files), says) {
            (Err(found), Error(expected)) => assert!(found.contains(expected), "{what}: {found}"),
            (Ok(report), Undefined(ids)) => {
                assert_defined(&report, &what);
                for id in ids {
                    let figure = report
                        .figure(id)
                        .unwrap_or_else(|| panic!("{what}: no figure {id}"));
                    assert_eq!(figure.value, None, "{what}: {id}");
                }
            }
            (Ok(report), Note(expected)) => {
                assert_defined(&report, &what);
                assert!(
                    report.notes.iter().any(|note| note.contains(expected)),
                    "{what}: {:?}",
                    report.notes
                );
            }
            (Ok(report), Error(expected)) => panic!("{what}: no error '{expected}' but {:?}", report.groups),
            (Err(found), _) => panic!("{what}: {found}"),
        }
    }
}

fn calibration_of(classes: &[&str]) -> Option<Calibration> {
    let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
    let fit = Calibration::fit(Method::Isotonic, &classes, &[0.4, 0.6, 0.6, 0.4], &[1, 0]);
    fit.ok().map(|(calibration, _)| calibration)
}

/// Valid files of each task.
fn valid() -> Vec<(Task, Settings, Files)> {
    let mut random = Random::new(7);
    let mut classes = String::from("label,a,b,c,item,tag:light\n");
    for row in 0..60 {
        let p = [random.uniform(), random.uniform(), random.uniform()];
        let sum: f64 = p.iter().sum();
        let [a, b] = [p[0] / sum, p[1] / sum];
        let label = ["a", "b", "\"c\""][random.below(3)];
        classes.push_str(&format!(
            "{label},{a},{b},{},i{},{}\n",
            1.0 - a - b,
            row / 2,
            ["day", "night"][row % 2]
        ));
    }
    let mut joints = String::from("item,joint,truth_x,truth_y,predicted_x,predicted_y,size,labelled\n");
    let mut angles = String::from("item,truth,predicted\r\n");
    let mut counts = String::from("truth,predicted,tag:who\n");
    for row in 0..40 {
        let numbers: Vec<String> = (0..4).map(|_| (random.uniform() * 100.0).to_string()).collect();
        joints.push_str(&format!(
            "p{row},{},{},50,1\n",
            ["knee", "hip"][row % 2],
            numbers.join(",")
        ));
        angles.push_str(&format!("p{row},{},{}\r\n", numbers[0], numbers[1]));
        counts.push_str(&format!(
            "{},{},{}\n",
            random.below(12),
            random.below(12),
            row % 3
        ));
    }
    let frames = |random: &mut Random| {
        (0..60)
            .map(|_| ["rest\n", "squat\n", "walk\n"][random.below(3)])
            .collect::<String>()
    };
    let sliced = |by: &str| Settings {
        slices: vec![SliceSpec {
            min_n: 2,
            ..SliceSpec::by(by)
        }],
        ..Settings::default()
    };
    let actions = "video,label,start,end\na,x,0,3\na,x,5,8\nb,y,1.5,2\n";
    let found = "video,label,start,end,score\na,x,0,3.5,.5\na,x,5.2,8,.6\nb,y,1,2,.7\nb,x,1,2,.7\n";
    vec![
        (
            Task::Keypoints,
            sliced("height_px"),
            both(
                &truth(&[
                    (1, 1, 0.0, true),
                    (1, 2, 300.0, true),
                    (2, 3, 0.0, false),
                    (2, 4, 50.0, true),
                ]),
                &results(&[(1, 1.0, "0.9"), (1, 310.0, "0.8"), (2, 60.0, "0.7")]),
            ),
        ),
        (
            Task::Classes,
            Settings {
                calibrate: Some(Method::Isotonic),
                ..sliced("light")
            },
            rows(&classes),
        ),
        (Task::Pck, sliced("light"), rows(&joints)),
        (Task::Repetitions, sliced("who"), rows(&counts)),
        (Task::Angles, sliced("light"), rows(&angles)),
        (
            Task::Segments,
            Settings {
                background: Some("rest".to_owned()),
                ..Settings::default()
            },
            videos(&frames(&mut random), &frames(&mut random)),
        ),
        (Task::Detections, Settings::default(), both(actions, found)),
    ]
    .into_iter()
    .map(|(task, mut settings, files)| {
        let items = (0..40).map(|row| format!("p{row},{}\n", ["day", "night"][row % 2]));
        let table = format!("item,light\na.jpg,day\n{}", items.collect::<String>());
        settings.tags = Tags::from_csv(table.as_bytes()).expect("a table of tags");
        (task, settings, files)
    })
    .collect()
}

#[test]
fn pieces_of_any_size_give_the_report_of_the_whole() {
    for (task, settings, files) in valid() {
        let whole = evaluated(task, settings.clone(), &files)
            .unwrap_or_else(|error| panic!("{}: {error}", task.id()));
        assert_defined(&whole, task.id());
        for n_bytes in [1, 7, 64, 4096] {
            let found = in_pieces(task, settings.clone(), &files, n_bytes).expect("the whole was read");
            assert_eq!(found, whole, "{} in pieces of {n_bytes}", task.id());
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read() {
    let mut random = Random::new(11);
    let (mut n_read, mut n_refused) = (0, 0);
    let mut check =
        |task: Task, settings: &Settings, files: &Files| match evaluated(task, settings.clone(), files) {
            Ok(report) => {
                n_read += 1;
                assert_defined(&report, task.id());
            }
            Err(sentence) => {
                n_refused += 1;
                assert!(
                    !sentence.is_empty() && sentence.len() < 600,
                    "{}: {sentence}",
                    task.id()
                );
            }
        };
    for (task, mut settings, files) in valid() {
        // Draws take time and see nothing of the files.
        settings.slices.clear();
        for damaged in 0..files.len() {
            let bytes = &files[damaged].2;
            for cut in (0..bytes.len()).step_by(1 + bytes.len() / 150) {
                let mut files = files.clone();
                files[damaged].2.truncate(cut);
                check(task, &settings, &files);
            }
            for _ in 0..400 {
                let mut files = files.clone();
                for _ in 0..=random.below(3) {
                    mutate(&mut files[damaged].2, &mut random);
                }
                check(task, &settings, &files);
            }
        }
    }
    assert!(
        n_read > 100 && n_refused > 1000,
        "{n_read} read, {n_refused} refused"
    );
}

/// Changes, removes, doubles or inserts a few bytes.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const WORDS: [&[u8]; 12] = [
        b"NaN",
        b"-1",
        b"1e999",
        b",",
        b"\n",
        b"\"",
        b"0",
        b"null",
        b"{",
        b"]",
        b"\xff\xfe",
        b"99999999999999999999",
    ];
    if bytes.is_empty() {
        return;
    }
    let place = random.below(bytes.len());
    let end = (place + 1 + random.below(6)).min(bytes.len());
    match random.below(4) {
        0 => bytes[place] ^= 1 << random.below(8),
        1 => drop(bytes.drain(place..end)),
        2 => {
            let again = bytes[place..end].to_vec();
            bytes.splice(place..place, again);
        }
        _ => {
            bytes.splice(place..end, WORDS[random.below(WORDS.len())].iter().copied());
        }
    }
}

#[test]
fn a_million_rows_are_read() {
    let mut random = Random::new(13);
    let mut text = String::from("label,no,yes\n");
    for _ in 0..1_000_000 {
        let p = random.below(1001) as f64 / 1000.0;
        let label = if random.uniform() < p { "yes" } else { "no" };
        text.push_str(&format!("{label},{},{p}\n", 1.0 - p));
    }
    let report = in_pieces(Task::Classes, Settings::default(), &rows(&text), 1 << 20).expect("rows are good");
    assert_defined(&report, "a million rows");
    let value = |id: &str| {
        report
            .figure(id)
            .and_then(|figure| figure.value)
            .expect("it is defined")
    };
    assert_eq!(report.figure("accuracy").map(|figure| figure.n), Some(1_000_000));
    // Of scores that are the chances themselves: p(1-p) by the Brier score, and calibrated.
    assert!((value("brier") - 1.0 / 6.0).abs() < 1e-3, "{}", value("brier"));
    assert!((value("auroc") - 5.0 / 6.0).abs() < 1e-3, "{}", value("auroc"));
    assert!(value("ece") < 2e-3, "{}", value("ece"));
    assert!(
        report
            .plots
            .iter()
            .all(|plot| plot.series.iter().all(|series| series.points.len() < 1000))
    );
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: evaluate::Arguments,
}

fn terminal(arguments: &[&str]) -> Result<Report, String> {
    let line = Line::try_parse_from([&["plumb"], arguments].concat()).map_err(|error| error.to_string())?;
    evaluate::report(&line.arguments)
}

#[test]
fn the_command_names_what_is_missing() {
    let folder = std::env::temp_dir().join(format!("plumb-evaluate-{}", std::process::id()));
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the temporary folder can be written");
        fs::write(&path, text).expect("the temporary folder can be written");
        path.display().to_string()
    };
    let table = file("rows.csv", "label,a,b\na,.6,.4\nb,.3,.7\n");
    file("truth/one.txt", "a\nb\n");
    file("truth/two.txt", "a\nb\n");
    file("found/one.txt", "a\na\n");
    file("found/three.txt", "a\na\n");
    let (truth, found) = (
        folder.join("truth").display().to_string(),
        folder.join("found").display().to_string(),
    );
    let nowhere = folder.join("nowhere.csv").display().to_string();
    for (arguments, expected) in [
        (vec!["--task", "classes"], "--predictions is missing"),
        (
            vec!["--task", "classes", "--predictions", &nowhere],
            "cannot read the file",
        ),
        (
            vec!["--task", "classes", "--truth", &table, "--predictions", &table],
            "in one table",
        ),
        (
            vec![
                "--task",
                "classes",
                "--predictions",
                &table,
                "--calibration",
                &table,
            ],
            "is no calibration",
        ),
        (
            vec!["--task", "classes", "--predictions", &table, "--tags", &table],
            "there is no column 'item'",
        ),
        (
            vec!["--task", "classes", "--predictions", &table, "--slice", "light"],
            "a slice is by=TAG",
        ),
        (
            vec![
                "--task",
                "pck",
                "--predictions",
                &table,
                "--calibrate",
                "temperature",
            ],
            "for the task classes",
        ),
        (
            vec!["--task", "angels", "--predictions", &table],
            "tasks are keypoints, classes, pck",
        ),
        (
            vec!["--task", "keypoints", "--truth", &table, "--predictions", &table],
            "rows.csv: it is not COCO annotations",
        ),
        (
            vec!["--task", "keypoints", "--truth", &table, "--images", &truth],
            "rows.csv: these are no COCO annotations",
        ),
        (
            vec!["--task", "segments", "--truth", &truth, "--predictions", &found],
            "there are no predictions for 1 of 2 videos: two",
        ),
        (
            vec!["--task", "masks", "--truth", &truth, "--predictions", &found],
            "there are no .png files",
        ),
    ] {
        let said = terminal(&arguments).expect_err("it is refused");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    let report = terminal(&["--task", "classes", "--predictions", &table]).expect("the table is good");
    let hash = report.sources[0].sha256.as_deref().expect("files are hashed");
    assert_eq!(hash.len(), 64);
    fs::remove_dir_all(folder).expect("the temporary folder can be removed");
}
