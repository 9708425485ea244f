//! The program `plumb`: reads the arguments, runs one command, says in one sentence what went wrong.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use plumb::Outcome;
use plumb::commands::{
    arl, bench, card, classify, compile, drift, embed, evaluate, figure, inspect, mask, operators, pose,
    quantize,
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
}

fn main() -> ExitCode {
    let outcome: Outcome<()> = match Arguments::parse().command {
        Command::Pose(arguments) => pose::run(&arguments),
        Command::Mask(arguments) => mask::run(&arguments),
        Command::Classify(arguments) => classify::run(&arguments),
        Command::Embed(arguments) => embed::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Card(arguments) => card::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Figure(arguments) => figure::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Quantize(arguments) => quantize::run(&arguments),
        Command::Operators(arguments) => operators::run(&arguments),
        Command::Drift(arguments) => drift::run(&arguments),
        Command::Arl(arguments) => arl::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("plumb: {sentence}");
            ExitCode::FAILURE
        }
    }
}
