//! The datasheet of a reference: nine questions that must be answered before it can be frozen.
//!
//! After Gebru et al., "Datasheets for Datasets", Communications of the ACM 64 (2021), cut down to what a person who
//! makes a reference before a camera can answer. A reference that nobody can account for is a draft.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// As it is called in files.
    pub key: &'static str,
    /// As a person is asked.
    pub text: &'static str,
}

/// All of them, in the order in which they are asked.
pub const QUESTIONS: [Question; 9] = [
    Question {
        key: "who",
        text: "Who is in it, and how were they chosen?",
    },
    Question {
        key: "people",
        text: "How many people?",
    },
    Question {
        key: "consent",
        text: "Who agreed to it, and how?",
    },
    Question {
        key: "camera",
        text: "Which camera, at which size and rate, and where does it stand?",
    },
    Question {
        key: "light",
        text: "Which light?",
    },
    Question {
        key: "clothing",
        text: "Which clothing?",
    },
    Question {
        key: "views",
        text: "Which movements, seen from where?",
    },
    Question {
        key: "gaps",
        text: "Who or what is known to be missing?",
    },
    Question {
        key: "contact",
        text: "Who answers questions about it?",
    },
];

/// Longest answer, bytes.
const MAX_ANSWER_BYTES: usize = 2_000;

/// Answers by question. Keys that are no questions are kept: a later version may ask more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Datasheet {
    answers: BTreeMap<String, String>,
}

impl Datasheet {
    /// Answers in TOML: a key a question, text or a number.
    ///
    /// # Errors
    /// What is no TOML; keys that are no questions, which are most likely misspelt; answers that are tables or lists.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| format!("the datasheet is no TOML: {}", error.message()))?;
        let mut sheet = Self::default();
        for (key, value) in table {
            let answer = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                _ => return Err(format!("the datasheet's '{key}' must be text or a number")),
            };
            sheet.answer(&key, &answer)?;
        }
        Ok(sheet)
    }

    /// Answers a question; an empty answer takes it back.
    ///
    /// # Errors
    /// A key that is no question, an answer of more than 2,000 bytes.
    pub fn answer(&mut self, key: &str, answer: &str) -> Result<(), String> {
        if !QUESTIONS.iter().any(|question| question.key == key) {
            let keys: Vec<&str> = QUESTIONS.iter().map(|question| question.key).collect();
            return Err(format!(
                "the datasheet has no question '{key}'; it has {}",
                keys.join(", ")
            ));
        }
        if answer.len() > MAX_ANSWER_BYTES {
            return Err(format!(
                "the answer to '{key}' is longer than {MAX_ANSWER_BYTES} bytes"
            ));
        }
        match answer.trim() {
            "" => self.answers.remove(key),
            answer => self.answers.insert(key.to_owned(), answer.to_owned()),
        };
        Ok(())
    }

    /// All answers.
    pub fn answers(&self) -> &BTreeMap<String, String> {
        &self.answers
    }

    /// Questions without an answer.
    pub fn missing(&self) -> impl Iterator<Item = Question> + '_ {
        QUESTIONS.into_iter().filter(|question| {
            self.answers
                .get(question.key)
                .is_none_or(|answer| answer.trim().is_empty())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_from_toml() {
        let sheet = Datasheet::from_toml("who = \"a drawn person\"\npeople = 1\nlight = \" \"\n")
            .expect("it is TOML");
        assert_eq!(sheet.answers()["people"], "1");
        let missing: Vec<&str> = sheet.missing().map(|question| question.key).collect();
        assert_eq!(
            missing,
            [
                "consent", "camera", "light", "clothing", "views", "gaps", "contact"
            ]
        );
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for (text, part) in [
            ("who = ", "no TOML"),
            ("whom = \"x\"", "no question 'whom'"),
            ("who = [1]", "must be text"),
            ("[who]\na = 1", "must be text"),
        ] {
            let error = Datasheet::from_toml(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        let long = "x".repeat(MAX_ANSWER_BYTES + 1);
        assert!(Datasheet::default().answer("who", &long).is_err());
    }

    #[test]
    fn an_empty_answer_takes_one_back() {
        let mut sheet = Datasheet::default();
        assert_eq!(sheet.missing().count(), 9);
        sheet.answer("gaps", "children").expect("it is a question");
        assert_eq!(sheet.missing().count(), 8);
        sheet.answer("gaps", " ").expect("it is a question");
        assert_eq!(sheet, Datasheet::default());
    }
}
