//! What is kept beside a model: its card, what was answered, and how it was tested. And the card as a text to hand on.

use serde::{Deserialize, Serialize};

use crate::protocol::{Answers, TestReport, Timing};

/// What a person says of a model. Empty fields are questions that nobody answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// What it is called here.
    pub name: String,
    /// As the publisher states it, an SPDX identifier where there is one.
    pub licence: String,
    /// Where it is from.
    pub source: String,
    /// What it is for.
    pub purpose: String,
    /// What it cannot do, and for whom it was not made.
    pub limits: String,
}

impl Card {
    /// A card for a file that nobody has said anything of.
    pub fn for_file(name: &str) -> Self {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        Self {
            name: stem.replace(['_', '-'], " "),
            ..Self::default()
        }
    }
}

/// What is kept of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The file's name as it was chosen.
    pub file_name: String,
    /// Which model of an archive.
    pub entry: Option<String>,
    /// The format and its version.
    pub format: String,
    /// When it was kept, as the person writes dates.
    pub kept_at: String,
    /// Which version of this page kept it.
    pub app_version: String,
    /// What the file left open.
    pub answers: Answers,
    /// What the person says of it.
    pub card: Card,
    /// Its manifest, as JSON.
    pub manifest: Option<String>,
    /// The self-test on this device.
    pub report: Option<TestReport>,
}

impl Record {
    /// A record from its text; an empty one for a text that is none, so that a model is never lost for its record.
    pub fn from_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// As text.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The model card as Markdown, in the order of the project's own cards.
    pub fn markdown(&self, sha256: &str, bytes: u64) -> String {
        let said = |text: &str| {
            if text.trim().is_empty() {
                "not stated".to_owned()
            } else {
                text.trim().to_owned()
            }
        };
        let Card {
            name,
            licence,
            source,
            purpose,
            limits,
        } = &self.card;
        let mut text = format!(
            "# {}\n\n| | |\n|---|---|\n| File | {} |\n| Format | {} |\n| Size | {bytes} bytes |\n| SHA-256 | {sha256} |\n| \
             Licence | {} |\n| Source | {} |\n\n## What it is for\n{}\n\n## Limits\n{}\n",
            said(name),
            self.file_name,
            self.format,
            said(licence),
            said(source),
            said(purpose),
            said(limits)
        );
        if let Some(report) = &self.report {
            text.push_str("\n## Self-test\n");
            for check in &report.checks {
                let verdict = check
                    .passed
                    .map_or("not tested", |passed| if passed { "passed" } else { "failed" });
                text.push_str(&format!("- {}: {verdict} ({})\n", check.what, check.detail));
            }
            text.push_str(&format!("- CPU: {}\n", times(&report.cpu)));
            match &report.gpu {
                Ok(timing) => text.push_str(&format!("- GPU: {}\n", times(timing))),
                Err(why) => text.push_str(&format!("- GPU: not timed ({why})\n")),
            }
        }
        text
    }
}

/// Times as a person reads them.
pub fn times(timing: &Timing) -> String {
    format!(
        "median {} ms, half of {} runs between {} and {} ms",
        millis(timing.median_millis),
        timing.runs,
        millis(timing.low_millis),
        millis(timing.high_millis)
    )
}

/// A sentence's beginning in a capital.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next();
    first
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect()
}

/// Milliseconds with as many digits as mean something.
pub fn millis(millis: f64) -> String {
    match millis {
        0.0..10.0 => format!("{millis:.2}"),
        10.0..100.0 => format!("{millis:.1}"),
        _ => format!("{millis:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_the_way_through_text() {
        let record = Record {
            file_name: "a.onnx".to_owned(),
            card: Card::for_file("person_mask-v2.onnx"),
            report: Some(TestReport {
                checks: Vec::new(),
                cpu: Timing {
                    runs: 3,
                    median_millis: 1.0,
                    low_millis: 0.5,
                    high_millis: 12.34,
                },
                gpu: Err("none here".to_owned()),
                adapter: None,
            }),
            ..Record::default()
        };
        assert_eq!(record.card.name, "person mask v2");
        assert_eq!(Record::from_text(&record.to_text()), record);
        // Of another version, or damaged: what is there is used.
        assert_eq!(Record::from_text(r#"{"file_name":"b","more":1}"#).file_name, "b");
        assert_eq!(Record::from_text("{"), Record::default());
        let card = record.markdown("ab12", 7);
        for line in [
            "| SHA-256 | ab12 |",
            "| Licence | not stated |",
            "- GPU: not timed (none here)",
        ] {
            assert!(card.contains(line), "{card}");
        }
        assert!(
            card.contains("median 1.00 ms, half of 3 runs between 0.50 and 12.3 ms"),
            "{card}"
        );
    }
}
