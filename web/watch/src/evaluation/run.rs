//! Evaluating: from the bytes of files to a report.

use plumbline_core::metrics::MetricError;
use plumbline_core::metrics::evaluation::{Evaluation, Settings, Tags, Task};
use plumbline_core::metrics::report::Report;
use plumbline_core::metrics::slices::SliceSpec;

use super::messages::Stage;
use super::recognise::{Kind, Recognised};

/// Bytes that are read between two signs of life.
const PIECE_BYTES: usize = 1 << 20;

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// What it is.
    pub known: Recognised,
    /// Of its bytes, in hexadecimal, where the browser computes it.
    pub sha256: Option<String>,
    /// All of them.
    pub bytes: Vec<u8>,
}

/// Evaluates files as a task of this id, sliced by every tag that they have; says on the way what it is at.
///
/// # Errors
/// A sentence with the file and the row.
pub fn run(task: &str, files: &[Contents], sign: &mut dyn FnMut(Stage, u64, u64)) -> Result<Report, String> {
    let task: Task = task.parse()?;
    evaluate(task, files, sign).map_err(|error| format!("{error}."))
}

fn evaluate(
    task: Task,
    files: &[Contents],
    sign: &mut dyn FnMut(Stage, u64, u64),
) -> Result<Report, MetricError> {
    let mut settings = Settings::default();
    if let Some(tags) = files.iter().find(|file| file.known.kind == Kind::Tags) {
        settings.tags = Tags::from_csv(&tags.bytes).map_err(|error| error.in_source(&tags.known.name))?;
    }
    let names = files.iter().flat_map(|file| &file.known.tags);
    settings.slices = names.map(|name| SliceSpec::by(name)).collect();
    let mut evaluation = Evaluation::new(task, settings)?;
    for &role in task.roles() {
        // What is missing is said by the report.
        let Some(file) = files.iter().find(|file| file.known.kind.role() == Some(role)) else {
            continue;
        };
        evaluation.begin(role, &file.known.name)?;
        let total = file.bytes.len() as u64;
        for (at, piece) in file.bytes.chunks(PIECE_BYTES).enumerate() {
            sign(Stage::Reading, (at * PIECE_BYTES) as u64, total);
            evaluation.push(piece)?;
        }
        evaluation.end()?;
    }
    sign(Stage::Counting, 0, 0);
    let mut report = evaluation.report()?;
    for source in &mut report.sources {
        let file = files.iter().find(|file| file.known.name == source.name);
        source.sha256 = file.and_then(|file| file.sha256.clone());
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::super::recognise::recognise;
    use super::*;

    fn contents(name: &str, text: &str) -> Contents {
        Contents {
            known: recognise(name, text.len() as u64, text.as_bytes()),
            sha256: Some("ab".to_owned()),
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_table_of_classes_becomes_a_report_with_slices() {
        let mut text = "label,a,b,tag:light\n".to_owned();
        for row in 0..80 {
            let (label, light) = (["a", "b"][row % 2], ["lamp", "window"][row / 40]);
            text.push_str(&format!("{label},0.{},0.{},{light}\n", 3 + row % 4, 7 - row % 4));
        }
        let mut signs = Vec::new();
        let report = run("classes", &[contents("c.csv", &text)], &mut |stage, _, _| {
            signs.push(stage)
        });
        let report = report.expect("the table is whole");
        assert_eq!(signs, [Stage::Reading, Stage::Counting]);
        assert_eq!(report.sources[0].sha256.as_deref(), Some("ab"));
        assert!(report.figure("accuracy").is_some(), "{:?}", report.groups);
        assert_eq!(report.slices.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_file_and_row() {
        let sentence = run(
            "classes",
            &[contents("c.csv", "label,a,b\na,0.5,x\n")],
            &mut |_, _, _| {},
        );
        let sentence = sentence.expect_err("x is no number");
        assert!(sentence.contains("c.csv") && sentence.contains('2'), "{sentence}");
        assert!(run("keypoints", &[], &mut |_, _, _| {}).is_err());
        assert!(run("guessing", &[], &mut |_, _, _| {}).is_err());
    }
}
