//! Counts tests over different runners by reading the closing lines that each of them prints.
//!
//! - cargo test and wasm-bindgen-test: `test result: ok. 3 passed; 0 failed; 1 ignored; ...`, once per program.
//! - Node's test runner, spec reporter: `ℹ pass 3`, `ℹ fail 0`, `ℹ cancelled 0`, `ℹ skipped 1`.
//! - A Rust test that cannot run here prints `skipped: REASON` and returns; its runner counts it as passed.

use std::fmt;

/// How many tests of all runners passed, failed and were skipped, and why they were skipped.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that ran and held.
    pub passed: u32,
    /// Tests that ran and did not hold, and stages that failed without a test.
    pub failed: u32,
    /// Tests that could not run on this machine.
    pub skipped: u32,
    /// What those said, each reason once.
    pub skip_reasons: Vec<String>,
    /// Rust tests that said so since the last closing line, which counts them as passed.
    n_pending: u32,
}

impl Counts {
    /// Takes note of a line of a runner's output, where it says something about tests.
    pub fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test result: ") {
            for part in rest.split(['.', ';']) {
                match part.trim().split_once(' ') {
                    Some((n, "passed")) => {
                        let n_passed: u32 = n.parse().unwrap_or(0);
                        self.passed += n_passed.saturating_sub(self.n_pending);
                        self.skipped += n_passed.min(self.n_pending);
                        self.n_pending = 0;
                    }
                    Some((n, "failed")) => self.failed += n.parse().unwrap_or(0),
                    Some((n, "ignored")) => self.skipped += n.parse().unwrap_or(0),
                    _ => {}
                }
            }
        } else if let Some((_, reason)) = line.split_once("skipped: ") {
            self.n_pending += 1;
            self.note_skip(reason);
        } else if let Some(rest) = line.strip_prefix("ℹ ") {
            match rest.split_once(' ') {
                Some(("pass", n)) => self.passed += n.parse().unwrap_or(0),
                Some(("fail" | "cancelled", n)) => self.failed += n.parse().unwrap_or(0),
                Some(("skipped" | "todo", n)) => self.skipped += n.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Keeps a reason why something was not tested.
    pub fn note_skip(&mut self, reason: &str) {
        if !self.skip_reasons.iter().any(|seen| seen == reason) {
            self.skip_reasons.push(reason.to_owned());
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Counts {
        let mut counts = Counts::default();
        text.lines().for_each(|line| counts.read(line));
        counts
    }

    #[test]
    fn closing_lines_of_all_runners_add_up() {
        let counts = read(
            "running 5 tests\n\
             test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 7 filtered out; finished in 0.01s\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             ℹ tests 6\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\nℹ duration_ms 12",
        );
        assert_eq!((counts.passed, counts.failed, counts.skipped), (7, 3, 3));
        assert_eq!(counts.to_string(), "7 passed, 3 failed, 3 skipped");
    }

    #[test]
    fn a_rust_test_that_says_it_was_skipped_is_not_counted_as_passed() {
        let counts = read(
            "skipped: no data folder\n\
             test parity::photos ... skipped: no data folder\n\
             test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        assert_eq!((counts.passed, counts.failed, counts.skipped), (7, 0, 2));
        assert_eq!(counts.skip_reasons, ["no data folder"]);
    }
}
