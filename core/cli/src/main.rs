//! The program `plumb`: reads the arguments, runs one command, says in one sentence what went wrong.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use plumb::Outcome;
use plumb::commands::{
    arl, audit, bench, card, classify, compile, drift, embed, evaluate, figure, gate, inspect, mask,
    operators, pose, profile, quantize, robustness,
};

/// Measures human movement in pictures and clips, and looks into the models that do it.
#[derive(Parser)]
#[command(name = "plumb", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Pose(pose::Arguments),
    Mask(mask::Arguments),
    Classify(classify::Arguments),
    Embed(embed::Arguments),
    Evaluate(evaluate::Arguments),
    Card(card::Arguments),
    Inspect(inspect::Arguments),
    Bench(bench::Arguments),
    Figure(figure::Arguments),
    Compile(compile::Arguments),
    Quantize(quantize::Arguments),
    Operators(operators::Arguments),
    Drift(drift::Arguments),
    Arl(arl::Arguments),
    Profile(profile::Arguments),
    Gate(gate::Arguments),
    Audit(audit::Arguments),
    Robustness(robustness::Arguments),
}

fn main() -> ExitCode {
    let done = |outcome: Outcome<()>| outcome.map(|()| ExitCode::SUCCESS);
    let outcome: Outcome<ExitCode> = match Arguments::parse().command {
        Command::Pose(arguments) => done(pose::run(&arguments)),
        Command::Mask(arguments) => done(mask::run(&arguments)),
        Command::Classify(arguments) => done(classify::run(&arguments)),
        Command::Embed(arguments) => done(embed::run(&arguments)),
        Command::Evaluate(arguments) => done(evaluate::run(&arguments)),
        Command::Card(arguments) => done(card::run(&arguments)),
        Command::Inspect(arguments) => done(inspect::run(&arguments)),
        Command::Bench(arguments) => done(bench::run(&arguments)),
        Command::Figure(arguments) => done(figure::run(&arguments)),
        Command::Compile(arguments) => done(compile::run(&arguments)),
        Command::Quantize(arguments) => done(quantize::run(&arguments)),
        Command::Operators(arguments) => done(operators::run(&arguments)),
        Command::Drift(arguments) => drift::run(&arguments),
        Command::Arl(arguments) => done(arl::run(&arguments)),
        Command::Robustness(arguments) => done(robustness::run(&arguments)),
        Command::Profile(arguments) => done(profile::run(&arguments)),
        Command::Gate(arguments) => gate::run(&arguments),
        Command::Audit(arguments) => done(audit::run(&arguments)),
    };
    match outcome {
        Ok(code) => code,
        Err(sentence) => {
            eprintln!("plumb: {sentence}");
            ExitCode::FAILURE
        }
    }
}
