//! The one front door: `cargo xtask serve | test | conformance | bench | dist | models`.
//!
//! In: a command and its options. Out: what the command says about itself on standard output, errors as one
//! sentence on standard error, and an exit code that is zero only when everything asked for was done.
//!
//! Each command is one file; the other modules are what the commands share, named by what they deal with.

mod bench;
mod browser;
mod conformance;
mod dist;
mod models;
mod node;
mod page;
mod plumb;
mod process;
mod python;
mod serve;
mod server;
mod test;
mod texts;
mod tools;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

/// What a task answers: a value, or a sentence that says what went wrong and what to do.
type Outcome<T> = Result<T, String>;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  serve [--port N]             build the page in release and serve it on 127.0.0.1 (port 8080)
  test [--quick] [--only STAGE]...
                               format, lints, native tests, browser tests, end-to-end tests
                               --quick stops before the stages that need a browser
                               --only runs the named stages: format, lints, conformance, native,
                               wasm, e2e
  conformance [--backend cpu|gpu] [--group node|fuzz|families|random|light]... [--filter TEXT] [--accept]
                               run the ONNX backend test suite, 500 random graphs and networks of all kinds; prints what
                               fails and what is unsupported, and how that differs from tests/fixtures/unsupported_*
                               --accept writes that list anew
  bench [--browser NAME] [--models LIST] [--gpu-models LIST] [--runtimes LIST] [--against RUNTIME]
        [--rounds N] [--gpu-rounds N] [--cold N] [--json PATH] [--start N] [--keep-open]
                               time Plumbline beside other runtimes in one page; prints a table and writes
                               target/bench/results.json, or PATH
                               --browser chromium or firefox
                               --models detector,lite,full,heavy,encoder; --gpu-models those that run on a GPU too
                               --runtimes by their names in the table; --against the one that ratios are to
                               --rounds of two runs each (20; 0 times nothing); --gpu-rounds on a software
                               adapter (2); --cold starts of each (3)
                               --start N instead times N cold and warm starts of the built page and of its peers
                               --keep-open goes on serving the page, for use by hand
  dist                         build the page into dist/ and print the size of every served file
  models                       fetch the model weights and compare them with models/manifest.toml
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.split_first() {
        Some((command, rest)) => run(command, rest),
        None => Err(format!("no command was given\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, rest: &[String]) -> Outcome<()> {
    let workspace = Workspace::locate()?;
    match command {
        "serve" => serve::run(&workspace, rest),
        "test" => test::run(&workspace, rest),
        "conformance" => conformance::run(&workspace, rest),
        "bench" => bench::run(&workspace, rest),
        "dist" => dist::run(&workspace, rest),
        "models" => models::run(&workspace, rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(format!("there is no command '{other}'\n\n{USAGE}")),
    }
}
