//! Cases in a process of their own: what hangs, runs out of stack or memory, or takes the driver with it is a failure of
//! its case and of no other.
//!
//! The parent writes a line `GROUP NAME` for each case and waits for the answer, one line as well: `pass N`, `unsupported
//! SENTENCE` or `fail SENTENCE`. A worker that says nothing for too long is ended, as is one that dies, and the next case
//! gets a new one.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use plumbline_engine::gpu::native::Gpu;

use crate::files::{Entry, group};
use crate::run::{Verdict, judge};

/// What a worker does: answers for the cases that it is asked for until nobody asks any more.
///
/// # Errors
/// A sentence when it is asked for what is not there, or when nobody listens.
pub fn serve(
    folder: &Path,
    device: Option<&Gpu>,
    questions: impl BufRead,
    mut answers: impl Write,
) -> Result<(), String> {
    let mut groups: HashMap<String, HashMap<String, Entry>> = HashMap::new();
    for question in questions.lines() {
        let question = question.map_err(|error| error.to_string())?;
        let (group_name, name) = question
            .split_once(' ')
            .ok_or_else(|| format!("'{question}' is no group and name of a case"))?;
        if !groups.contains_key(group_name) {
            let cases = group(folder, group_name)?.into_iter();
            groups.insert(
                group_name.to_owned(),
                cases.map(|case| (case.name.clone(), case)).collect(),
            );
        }
        let case = groups[group_name]
            .get(name)
            .ok_or_else(|| format!("there is no case '{name}' in the group {group_name}"))?
            .load()?;
        let verdict = catch_unwind(AssertUnwindSafe(|| judge(&case, device)))
            .unwrap_or_else(|_| Verdict::Fail("it panics".to_owned()));
        writeln!(answers, "{}", to_line(&verdict))
            .and_then(|()| answers.flush())
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn to_line(verdict: &Verdict) -> String {
    let line = match verdict {
        Verdict::Pass { given } => format!("pass {given}"),
        Verdict::Unsupported(sentence) => format!("unsupported {sentence}"),
        Verdict::Fail(sentence) => format!("fail {sentence}"),
    };
    line.replace(['\n', '\r'], " ")
}

fn from_line(line: &str) -> Verdict {
    match line.split_once(' ') {
        Some(("pass", given)) if given.parse::<usize>().is_ok() => Verdict::Pass {
            given: given.parse().unwrap_or_default(),
        },
        Some(("unsupported", sentence)) => Verdict::Unsupported(sentence.to_owned()),
        Some(("fail", sentence)) => Verdict::Fail(sentence.to_owned()),
        _ => Verdict::Fail(format!("its worker answers '{line}'")),
    }
}

/// The parent's side: a worker that is there when it is needed.
#[derive(Debug)]
pub struct Workers<F> {
    /// The program that [`serve`]s.
    command: F,
    limit: Duration,
    current: Option<Worker>,
}

#[derive(Debug)]
struct Worker {
    process: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

impl<F: Fn() -> Command> Workers<F> {
    /// Workers that are started with `command` and may take `limit` for a case.
    pub fn new(command: F, limit: Duration) -> Self {
        Self {
            command,
            limit,
            current: None,
        }
    }

    /// What comes of a case.
    ///
    /// # Errors
    /// A sentence when no worker can be started.
    pub fn ask(&mut self, group: &str, name: &str) -> Result<Verdict, String> {
        let mut worker = match self.current.take() {
            Some(worker) => worker,
            None => Worker::start((self.command)())?,
        };
        // A worker that is gone cannot be written to, and then it does not answer either.
        let _ = writeln!(worker.questions, "{group} {name}");
        match worker.answers.recv_timeout(self.limit) {
            Ok(line) => {
                self.current = Some(worker);
                Ok(from_line(&line))
            }
            Err(RecvTimeoutError::Timeout) => {
                Ok(Verdict::Fail(format!("it takes more than {:?}", self.limit)))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = worker.process.wait().map_err(|error| error.to_string())?;
                Ok(Verdict::Fail(format!("its process ends ({status})")))
            }
        }
    }
}

impl Worker {
    fn start(mut command: Command) -> Result<Self, String> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("a worker cannot be started: {error}"))?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (questions, output) = pipes.ok_or("a worker has no pipes")?;
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            process,
            questions,
            answers,
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_come_back_as_they_were() {
        for verdict in [
            Verdict::Pass { given: 2 },
            Verdict::Unsupported("node 'a': two words".to_owned()),
            Verdict::Fail("output 'y': 1 of 2 elements are off".to_owned()),
        ] {
            assert_eq!(from_line(&to_line(&verdict)), verdict);
        }
        assert!(matches!(from_line("pass many"), Verdict::Fail(_)));
        let broken = Verdict::Fail("first\nsecond".to_owned());
        assert_eq!(to_line(&broken), "fail first second");
    }

    #[cfg(unix)]
    fn shell(script: &'static str) -> impl Fn() -> Command {
        move || {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        }
    }

    /// Three workers that the shell plays: one answers, one ends without a word, one never answers.
    #[cfg(unix)]
    #[test]
    fn a_worker_that_dies_or_hangs_fails_its_case_alone() {
        let long = Duration::from_secs(20);
        let mut good = Workers::new(
            shell("while read group name; do echo unsupported $group/$name; done"),
            long,
        );
        for name in ["a", "b"] {
            let expected = Verdict::Unsupported(format!("node/{name}"));
            assert_eq!(good.ask("node", name), Ok(expected));
        }
        let mut mortal = Workers::new(shell("read line; echo pass 0; read line; exit 3"), long);
        assert_eq!(mortal.ask("node", "a"), Ok(Verdict::Pass { given: 0 }));
        let Ok(Verdict::Fail(sentence)) = mortal.ask("node", "b") else {
            panic!("it has ended");
        };
        assert!(sentence.contains("exit status: 3"), "{sentence}");
        assert_eq!(mortal.ask("node", "c"), Ok(Verdict::Pass { given: 0 }));

        let mut silent = Workers::new(shell("exec sleep 100"), Duration::from_millis(200));
        assert_eq!(
            silent.ask("node", "a"),
            Ok(Verdict::Fail("it takes more than 200ms".to_owned()))
        );
        assert!(silent.current.is_none(), "it was ended");
        let mut absent = Workers::new(|| Command::new("no-such-program"), long);
        assert!(absent.ask("node", "a").is_err());
    }
}
