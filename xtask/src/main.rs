//! The project's own tasks, run as `cargo xtask TASK`.
//!
//! It calls cargo, npm, node and python and depends on no member of the workspace, so that it builds in seconds and
//! works while everything else is broken.

mod bench;
mod browser;
mod ci;
mod codegen;
mod conformance;
mod in_your_tests;
mod python;
mod reports;
mod running;
mod sdk;
mod tidy;
mod workspace;

use std::env;
use std::process::ExitCode;

use crate::workspace::{Failure, Workspace};

const HELP: &str = "\
cargo xtask TASK

  ci [--without PART]…    everything that must pass: format, schema, tidy, lints, docs, tests, conformance;
                          PART is `python`, `browser`, or `node`, which a browser's clients need, too
  conformance [ARGS…]     builds the harness and the reference client's shim, then runs conformance ARGS;
                          --coverage shows what each client does on each clause
  codegen [--check]       writes fixtures/src/wire/generated.rs from fixtures/proto/msync.proto, or compares them
  tidy                    the rules that no other tool holds: arrows, file heads and lengths, clauses, addresses
  sdk                     installs the vendor's SDKs under the target folder, for the node and chromium clients
  bench [--build] [ARGS…] measures the real server beside a bare relay; --build times a clean release build too;
                          --help shows the rest
";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(args: &[&str]) -> Result<(), Failure> {
    if let [] | ["help" | "--help" | "-h"] = args {
        print!("{HELP}");
        return Ok(());
    }
    let workspace = Workspace::find()?;
    match args {
        ["ci", without @ ..] => match ci::Without::parse(without) {
            Some(without) => ci::run(&workspace, &without),
            None => Err(Failure::Usage(format!("no such part of ci: {}\n\n{HELP}", without.join(" ")))),
        },
        ["conformance", args @ ..] => conformance::run(&workspace, args),
        ["codegen"] => workspace::succeed(codegen::command(&workspace, codegen::Mode::Write)),
        ["codegen", "--check"] => workspace::succeed(codegen::command(&workspace, codegen::Mode::Check)),
        ["tidy"] => tidy::run(&workspace),
        ["sdk"] => sdk::install(&workspace).map(|folder| println!("{}", folder.display())),
        ["bench", args @ ..] => bench::run(&workspace, args),
        _ => Err(Failure::Usage(format!("no such task: {}\n\n{HELP}", args.join(" ")))),
    }
}
