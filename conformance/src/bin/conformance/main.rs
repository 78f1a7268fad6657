//! The program: reads the command line, has a verb do its work, and ends with the code that `--help` explains.

mod cli;
mod coverage;
mod diff;
mod doctor;
mod errors;
mod exit;
mod hold;
mod host;
mod interrupt;
mod list;
mod new;
mod output;
mod places;
mod progress;
mod replay;
mod report;
mod reports;
mod review;
mod run;
mod schema;
mod update;
mod watch;
mod within;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, Parser as _};
use cli::{CommandLine, Verb};
use conformance::exit::Exit;
use exit::{Problem, usage};

fn main() -> ExitCode {
    interrupt::tell_of_panics();
    let CommandLine { verb, run, color } = CommandLine::parse();
    match color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let ended = match verb {
        Some(Verb::Run(args)) => run::run(&args),
        Some(Verb::List(args)) => list::run(&args),
        Some(Verb::Diff(args)) => diff::run(&args),
        Some(Verb::Coverage(args)) => coverage::run(args),
        Some(Verb::Errors(args)) => errors::run(&args),
        Some(Verb::Doctor(args)) => doctor::run(&args),
        Some(Verb::Report(args)) => report::run(&args),
        Some(Verb::Replay(args)) => replay::run(&args),
        Some(Verb::Schema(args)) => schema::run(&args),
        Some(Verb::Review(args)) => review::review(&args),
        Some(Verb::Accept(args)) => review::accept(&args),
        Some(Verb::Watch(args)) => watch::run(&args),
        Some(Verb::New(args)) => new::run(&args),
        Some(Verb::Completions { shell }) => completions(shell),
        None => run::run(&run),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(Problem { exit, message }) => {
            output::complain(message);
            exit.into()
        }
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Problem> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "conformance", &mut text);
    let written = std::io::Write::write_all(&mut std::io::stdout().lock(), &text);
    written.map_err(|error| usage(format!("the completions could not be written: {error}")))?;
    Ok(Exit::AsExpected)
}
