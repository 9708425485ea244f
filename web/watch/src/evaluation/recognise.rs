//! What a file is, from its name and how it begins, and what a set of files can be evaluated as.
//!
//! A person drops files in any order and under any name, so each is known by what is in it. Nothing is guessed from a name
//! but whether it is a table: `.csv`.

use plumbline_core::metrics::evaluation::{Role, Task};
use serde::{Deserialize, Serialize};

use crate::charts::number::counted;

/// How much of a file is looked at.
pub const HEAD_BYTES: u64 = 64 << 10;

/// Largest file that is read: text of numbers takes some four times its bytes while it is read.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// People with their keypoints as they are, in COCO's form.
    CocoTruth,
    /// What a model found, in the form of COCO's results.
    CocoResults,
    /// A label and a probability for each class, a row each.
    Classes,
    /// A joint's true and predicted place, a row each.
    Joints,
    /// A true and a predicted number, a row each.
    Pairs,
    /// Actions with their beginning and end, as they are.
    Actions,
    /// The same as a model found them, with scores.
    FoundActions,
    /// What is said of images or clips by their names.
    Tags,
    /// Something else.
    Unknown,
}

impl Kind {
    /// What a file of this kind is for; none for tags and what is unknown.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::CocoTruth | Self::Actions => Some(Role::Truth),
            Self::CocoResults | Self::FoundActions => Some(Role::Predictions),
            Self::Classes | Self::Joints | Self::Pairs => Some(Role::Rows),
            Self::Tags | Self::Unknown => None,
        }
    }

    /// What it can be evaluated as.
    fn tasks(self) -> &'static [Task] {
        match self {
            Self::CocoTruth | Self::CocoResults => &[Task::Keypoints],
            Self::Classes => &[Task::Classes],
            Self::Joints => &[Task::Pck],
            Self::Pairs => &[Task::Repetitions, Task::Angles],
            Self::Actions | Self::FoundActions => &[Task::Detections],
            Self::Tags | Self::Unknown => &[],
        }
    }
}

/// A file and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// What it holds.
    pub kind: Kind,
    /// That in words; of what is not known, why.
    pub words: String,
    /// By what its rows can be sliced.
    pub tags: Vec<String>,
}

/// What files can be evaluated as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What can be done with them: nothing as long as something is missing or too much; where there are several, a person
    /// chooses.
    pub tasks: &'static [Task],
    /// What was recognised and what is missing.
    pub sentence: String,
}

/// What a task is called.
pub fn words(task: Task) -> &'static str {
    match task {
        Task::Keypoints => "Keypoints, by COCO’s average precision",
        Task::Classes => "Classes",
        Task::Pck => "Keypoints, by their distance",
        Task::Repetitions => "Counts of repetitions",
        Task::Angles => "Angles, or another measure",
        Task::Segments => "Actions, frame by frame",
        Task::Detections => "Actions in time",
    }
}

/// Says what a file is.
pub fn recognise(name: &str, bytes: u64, head: &[u8]) -> Recognised {
    let (kind, words, tags) = judge(name, bytes, head);
    Recognised {
        name: name.to_owned(),
        bytes,
        kind,
        words,
        tags,
    }
}

type Judgement = (Kind, String, Vec<String>);

fn unknown(why: &str) -> Judgement {
    (Kind::Unknown, why.to_owned(), Vec::new())
}

fn known(kind: Kind, words: &str) -> Judgement {
    (kind, words.to_owned(), Vec::new())
}

fn judge(name: &str, bytes: u64, head: &[u8]) -> Judgement {
    if bytes == 0 {
        return unknown("it is empty");
    }
    if bytes > MAX_FILE_BYTES {
        return unknown("it has more than 256 MiB; `plumb evaluate` reads larger ones in a terminal");
    }
    if head.starts_with(b"PK\x03\x04") {
        return unknown("it is an archive; drop the files that are in it");
    }
    // A character that is cut in half at the end is no reason to refuse a text.
    let text = String::from_utf8_lossy(head);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_start();
    if text.contains('\0') {
        return unknown("it is not a text");
    }
    match text.chars().next() {
        None => unknown("there is nothing in it"),
        Some('[') => known(
            Kind::CocoResults,
            "predictions: keypoints in the form of COCO’s results",
        ),
        Some('{') if text.contains("\"groups\"") && text.contains("\"schema\"") => {
            unknown("it is a report of an evaluation, not what one is made of")
        }
        Some('{') => known(
            Kind::CocoTruth,
            "truth: people and their keypoints in COCO’s form",
        ),
        Some(_) => table(name, text),
    }
}

/// Says what a table is, by its first line.
fn table(name: &str, text: &str) -> Judgement {
    let head = text.lines().next().unwrap_or_default();
    let columns: Vec<&str> = head
        .split(',')
        .map(|cell| cell.trim().trim_matches('"'))
        .collect();
    let has = |names: &[&str]| names.iter().all(|name| columns.contains(name));
    let sliced = || columns.iter().filter_map(|column| column.strip_prefix("tag:"));
    let tags: Vec<String> = sliced().map(str::to_owned).collect();
    let is_plain = |column: &&&str| !column.starts_with("tag:") && **column != "item" && **column != "label";
    let n_plain = columns.iter().filter(is_plain).count();
    if has(&["joint", "truth_x", "predicted_x"]) {
        return (Kind::Joints, "joints: true and predicted places".to_owned(), tags);
    }
    if has(&["video", "label", "start", "end", "score"]) {
        return known(
            Kind::FoundActions,
            "predictions: actions with their beginning, end and score",
        );
    }
    if has(&["video", "label", "start", "end"]) {
        return known(Kind::Actions, "truth: actions with their beginning and end");
    }
    if has(&["truth", "predicted"]) {
        return (
            Kind::Pairs,
            "pairs of numbers: truth and prediction".to_owned(),
            tags,
        );
    }
    if has(&["label"]) && n_plain > 0 {
        let classes = counted(n_plain as u64, "class", "classes");
        let words = format!("labels and predictions: a label, and probabilities of {classes}");
        return (Kind::Classes, words, tags);
    }
    if has(&["item"]) && columns.len() > 1 {
        let tags = columns
            .iter()
            .filter(|&&column| column != "item")
            .map(|&column| column.to_owned());
        return (
            Kind::Tags,
            "tags: what is said of images or clips by their names".to_owned(),
            tags.collect(),
        );
    }
    let is_table = name.to_lowercase().ends_with(".csv") || head.contains(',');
    unknown(if is_table {
        "its first line names no columns that are known here"
    } else {
        "it is neither JSON in COCO’s form nor a table whose first line names its columns"
    })
}

/// Says what files can be evaluated as.
pub fn plan(files: &[Recognised]) -> Plan {
    let of = |kind: Kind| -> Vec<&str> {
        files
            .iter()
            .filter(|file| file.kind == kind)
            .map(|file| file.name.as_str())
            .collect()
    };
    let mut kinds: Vec<Kind> = Vec::new();
    for file in files.iter().filter(|file| file.kind.role().is_some()) {
        if !kinds.contains(&file.kind) {
            kinds.push(file.kind);
        }
    }
    let tags = of(Kind::Tags);
    let mut sentences = Vec::new();
    let tasks: &[Task] = match kinds.as_slice() {
        [] if files.is_empty() => &[],
        [] => {
            sentences.push("Nothing here can be evaluated yet.".to_owned());
            &[]
        }
        [one] if one.role() == Some(Role::Rows) && of(*one).len() == 1 && tags.len() < 2 => {
            sentences.push(format!(
                "“{}” has the truth and the predictions, row by row.",
                of(*one)[0]
            ));
            one.tasks()
        }
        [one] if one.role() != Some(Role::Rows) && of(*one).len() == 1 => {
            sentences.push(missing(*one, of(*one)[0]));
            &[]
        }
        [one, other]
            if is_pair(*one, *other) && of(*one).len() == 1 && of(*other).len() == 1 && tags.len() < 2 =>
        {
            let (truth, found) = if one.role() == Some(Role::Truth) {
                (one, other)
            } else {
                (other, one)
            };
            sentences.push(format!(
                "“{}” is compared with the truth in “{}”.",
                of(*found)[0],
                of(*truth)[0]
            ));
            one.tasks()
        }
        _ => {
            let names = files
                .iter()
                .filter(|file| file.kind != Kind::Unknown)
                .map(|file| format!("“{}”", file.name));
            sentences.push(format!(
                "These are more files than one evaluation takes: {}. Remove what does not belong.",
                names.collect::<Vec<_>>().join(", ")
            ));
            &[]
        }
    };
    let sliced: Vec<&str> = files
        .iter()
        .flat_map(|file| file.tags.iter().map(String::as_str))
        .collect();
    if !tasks.is_empty() && !sliced.is_empty() {
        sentences.push(format!("It is sliced by {}.", sliced.join(", ")));
    }
    let left_out = files.iter().filter(|file| file.kind == Kind::Unknown);
    sentences.extend(left_out.map(|file| format!("“{}” cannot be used: {}.", file.name, file.words)));
    Plan {
        tasks,
        sentence: sentences.join(" "),
    }
}

fn is_pair(one: Kind, other: Kind) -> bool {
    let pairs = [
        (Kind::CocoTruth, Kind::CocoResults),
        (Kind::Actions, Kind::FoundActions),
    ];
    pairs.contains(&(one, other)) || pairs.contains(&(other, one))
}

fn missing(kind: Kind, name: &str) -> String {
    match kind {
        Kind::CocoTruth => format!(
            "“{name}” is the truth of keypoints. What is missing is the predictions: a list in the form of COCO’s results."
        ),
        Kind::CocoResults => {
            format!(
                "“{name}” is predictions of keypoints. What is missing is the truth: annotations in COCO’s form."
            )
        }
        Kind::Actions => format!(
            "“{name}” is the truth. What is missing is the predictions: the same columns, and `score`."
        ),
        _ => format!(
            "“{name}” is predictions of actions. What is missing is the truth: the same columns without `score`."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, head: &str) -> Recognised {
        recognise(name, head.len() as u64, head.as_bytes())
    }

    #[test]
    fn files_are_known_by_what_is_in_them() {
        for (name, head, kind) in [
            ("a.json", "\u{feff}\n {\"images\": [", Kind::CocoTruth),
            ("a.txt", "[{\"image_id\": 1", Kind::CocoResults),
            ("a.json", "[]", Kind::CocoResults),
            ("a.csv", "label,squat,lunge\n0,.5,.5", Kind::Classes),
            ("a", "\"label\",\"a\"\r\n", Kind::Classes),
            ("a", "item,tag:light,label,a,b", Kind::Classes),
            ("a.csv", "label\n1", Kind::Unknown),
            ("a.csv", "label,item,tag:x\n1", Kind::Tags),
            (
                "a.csv",
                "joint,truth_x,truth_y,predicted_x,predicted_y,size",
                Kind::Joints,
            ),
            ("a.csv", "truth,predicted\n5,6", Kind::Pairs),
            ("a.csv", "video,label,start,end", Kind::Actions),
            ("a.csv", "video,label,start,end,score", Kind::FoundActions),
            ("a.csv", "item,light,clothing", Kind::Tags),
            ("a.csv", "x,y\n1,2", Kind::Unknown),
            ("a.json", "", Kind::Unknown),
            ("a.json", "  \n ", Kind::Unknown),
            ("a.zip", "PK\u{3}\u{4}", Kind::Unknown),
            ("a.json", "{\"schema\":1,\"groups\":[]}", Kind::Unknown),
            ("a.bin", "ab\0c", Kind::Unknown),
            ("a.txt", "hello", Kind::Unknown),
        ] {
            let found = file(name, head);
            assert_eq!(found.kind, kind, "{name} {head:?}: {}", found.words);
            assert!(!found.words.is_empty());
        }
        assert_eq!(recognise("a.json", MAX_FILE_BYTES + 1, b"{").kind, Kind::Unknown);
        assert_eq!(
            recognise("a.csv", 9, b"label,\xc3").kind,
            Kind::Classes,
            "cut in the middle of a character"
        );
        assert_eq!(file("a", "item,tag:light,label,a,b").tags, ["light"]);
    }

    #[test]
    fn what_is_missing_is_said() {
        let (truth, result, table, other) = (
            file("t.json", "{"),
            file("r.json", "["),
            file("c.csv", "label,a,tag:light"),
            file("o.txt", "x"),
        );
        let (pairs, tags) = (file("p.csv", "truth,predicted"), file("g.csv", "item,place"));
        let (actions, found) = (
            file("v.csv", "video,label,start,end"),
            file("f.csv", "video,label,start,end,score"),
        );
        let none: &[&Recognised] = &[];
        let nothing: &[Task] = &[];
        for (files, tasks, words) in [
            (none, nothing, ""),
            (
                &[&truth, &result],
                &[Task::Keypoints],
                "“r.json” is compared with the truth in “t.json”",
            ),
            (&[&result, &truth], &[Task::Keypoints], "“r.json” is compared"),
            (
                &[&result, &truth, &tags],
                &[Task::Keypoints],
                "It is sliced by place.",
            ),
            (&[&table], &[Task::Classes], "It is sliced by light."),
            (&[&pairs], &[Task::Repetitions, Task::Angles], "row by row"),
            (
                &[&found, &actions],
                &[Task::Detections],
                "“f.csv” is compared with the truth in “v.csv”",
            ),
            (&[&truth], nothing, "missing is the predictions"),
            (&[&result], nothing, "missing is the truth"),
            (&[&found], nothing, "missing is the truth"),
            (
                &[&truth, &table],
                nothing,
                "more files than one evaluation takes: “t.json”, “c.csv”",
            ),
            (
                &[&truth, &truth, &result],
                nothing,
                "more files than one evaluation takes",
            ),
            (&[&tags], nothing, "Nothing here can be evaluated yet."),
            (&[&other], nothing, "“o.txt” cannot be used: it is neither"),
            (&[&table, &other], &[Task::Classes], "“o.txt” cannot be used"),
        ] {
            let files: Vec<Recognised> = files.iter().map(|&file| file.clone()).collect();
            let plan = plan(&files);
            assert_eq!(plan.tasks, tasks, "{}", plan.sentence);
            assert!(plan.sentence.contains(words), "{words} in {}", plan.sentence);
            assert_eq!(words.is_empty(), plan.sentence.is_empty());
        }
    }
}
