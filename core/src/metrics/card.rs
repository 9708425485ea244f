//! A model card with the numbers of a report, in the form that Hugging Face reads: YAML front matter with a `model-index`,
//! then the same in words (`huggingface_hub`'s `ModelCard`; `hub-docs`, modelcard.md).
//!
//! Only figures that have a value are metrics there; the others are named with their reason.

use std::fmt::Write as _;

use super::report::{Figure, Report};

/// What the card says of the model besides its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its name.
    pub name: String,
    /// As its publisher states it; none is said to be unknown.
    pub licence: Option<String>,
    /// Of its file, 64 hexadecimal digits.
    pub sha256: Option<String>,
    /// Where it comes from.
    pub source: Option<String>,
}

/// The card as Markdown.
pub fn card(report: &Report, about: &About) -> String {
    let mut text = String::from("---\n");
    // Writing to a string cannot fail.
    let _ = front_matter(&mut text, report, about);
    text.push_str("---\n\n");
    let _ = body(&mut text, report, about);
    text
}

/// The pipeline tag of the hub for a task, and its name in words.
fn task_of(report: &Report) -> (&'static str, &'static str) {
    match report.task.as_str() {
        "keypoints" | "pck" => ("keypoint-detection", "Keypoint detection"),
        "classes" => ("image-classification", "Classification"),
        "masks" => ("image-segmentation", "Segmentation"),
        "segments" | "detections" => ("video-classification", "Actions in time"),
        _ => ("other", "Measurement"),
    }
}

/// What was evaluated on: the file of the truth, or of the rows.
fn data_of(report: &Report) -> &str {
    let source = report
        .sources
        .iter()
        .find(|source| source.role == "truth" || source.role == "rows");
    source.map_or("not said", |source| source.name.as_str())
}

fn front_matter(out: &mut String, report: &Report, about: &About) -> std::fmt::Result {
    let (tag, task) = task_of(report);
    match &about.licence {
        Some(licence) => writeln!(out, "license: {}", quoted(&licence.to_lowercase()))?,
        None => writeln!(out, "license: unknown")?,
    }
    writeln!(out, "library_name: plumbline")?;
    if tag != "other" {
        writeln!(out, "pipeline_tag: {tag}")?;
    }
    writeln!(
        out,
        "tags:\n- human-movement\nmodel-index:\n- name: {}\n  results:",
        quoted(&about.name)
    )?;
    writeln!(out, "  - task:\n      type: {tag}\n      name: {}", quoted(task))?;
    let data = quoted(data_of(report));
    writeln!(
        out,
        "    dataset:\n      type: {data}\n      name: {data}\n    metrics:"
    )?;
    let mut n = 0;
    for (figure, value) in report
        .figures()
        .filter_map(|figure| figure.value.map(|value| (figure, value)))
    {
        writeln!(
            out,
            "    - type: {}\n      value: {value}\n      name: {}",
            quoted(&figure.id),
            quoted(&figure.name)
        )?;
        n += 1;
    }
    if n == 0 {
        // A list must not be empty there.
        writeln!(
            out,
            "    - type: none\n      value: 0\n      name: \"no figure is defined\""
        )?;
    }
    Ok(())
}

fn body(out: &mut String, report: &Report, about: &About) -> std::fmt::Result {
    let unknown = "not said";
    writeln!(out, "# {}\n", about.name)?;
    writeln!(out, "- Licence: {}", about.licence.as_deref().unwrap_or(unknown))?;
    writeln!(out, "- Source: {}", about.source.as_deref().unwrap_or(unknown))?;
    writeln!(out, "- SHA-256: {}", about.sha256.as_deref().unwrap_or(unknown))?;
    writeln!(out, "\n## Evaluation\n\nTask: {}. What went in:\n", report.task)?;
    for source in &report.sources {
        let hash = source
            .sha256
            .as_deref()
            .map_or_else(String::new, |hash| format!(", SHA-256 {hash}"));
        writeln!(
            out,
            "- {}: {}, {} entries{hash}",
            source.role, source.name, source.entries
        )?;
    }
    for (name, value) in &report.settings {
        writeln!(out, "- {name}: {value}")?;
    }
    for group in &report.groups {
        writeln!(out, "\n### {}\n\nn counts {}.\n", group.name, group.counted)?;
        writeln!(
            out,
            "| | value | 95 % interval | n | note |\n|---|---|---|---|---|"
        )?;
        for figure in &group.figures {
            writeln!(out, "{}", line(figure, &figure.name))?;
        }
    }
    if !report.slices.is_empty() {
        writeln!(out, "\n### Slices\n\nThe surest bad one first.\n")?;
        writeln!(
            out,
            "| | value | 95 % interval | n | note |\n|---|---|---|---|---|"
        )?;
        for slice in &report.slices {
            writeln!(
                out,
                "{}",
                line(&slice.figure, &format!("{} = {}", slice.by, slice.label))
            )?;
        }
    }
    if !report.notes.is_empty() {
        writeln!(out, "\n### Notes\n")?;
        for note in &report.notes {
            writeln!(out, "- {note}")?;
        }
    }
    writeln!(
        out,
        "\n## Limits\n\nThese numbers are of the data named above. They say nothing of other people, places or cameras.\nNot a medical device."
    )
}

fn line(figure: &Figure, name: &str) -> String {
    let unit = figure
        .unit
        .as_deref()
        .map_or_else(String::new, |unit| format!(" {unit}"));
    let value = figure
        .value
        .map_or_else(|| "not defined".to_owned(), |value| format!("{value:.4}{unit}"));
    let interval = match (figure.low, figure.high) {
        (Some(low), Some(high)) => format!("{low:.4} to {high:.4}"),
        _ => String::new(),
    };
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let note = figure.note.as_deref().unwrap_or_default();
    format!(
        "| {} | {value} | {interval} | {} | {} |",
        cell(name),
        figure.n,
        cell(note)
    )
}

/// A text in double quotes, as YAML and JSON both read it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::report::Group;

    #[test]
    fn only_what_is_defined_is_a_metric() {
        let mut report = Report::new("keypoints");
        report.groups.push(Group {
            name: "COCO keypoints".to_owned(),
            counted: "people".to_owned(),
            figures: vec![
                Figure::new("ap", "AP", 0.5, 10).between(0.4, 0.6),
                Figure::maybe(
                    "ap_medium",
                    "AP medium",
                    None,
                    0,
                    "nobody of that size is labelled",
                ),
            ],
        });
        let about = About {
            name: "a \"b\"\n: c".to_owned(),
            licence: Some("Apache-2.0".to_owned()),
            ..About::default()
        };
        let text = card(&report, &about);
        let (front, body) = text.strip_prefix("---\n").unwrap().split_once("---\n").unwrap();
        assert!(front.contains("license: \"apache-2.0\"\n"), "{front}");
        assert!(front.contains("- name: \"a \\\"b\\\"\\n: c\"\n"), "{front}");
        assert!(
            front.contains("    - type: \"ap\"\n      value: 0.5\n      name: \"AP\"\n"),
            "{front}"
        );
        assert!(!front.contains("ap_medium"), "{front}");
        assert!(
            body.contains("| AP | 0.5000 | 0.4000 to 0.6000 | 10 |  |"),
            "{body}"
        );
        assert!(
            body.contains("| AP medium | not defined |  | 0 | nobody of that size is labelled |"),
            "{body}"
        );
    }
}
