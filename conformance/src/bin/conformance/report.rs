//! `conformance report`: the reports of several runs put together, and every kind of report made of them again.

use std::path::PathBuf;

use clap::Args;
use conformance::exit::Exit;
use conformance::report::merge::{merge, read};

use crate::exit::{self, Flaky, Problem, usage};
use crate::output::{Stream, complain};
use crate::reports;

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance report shard-*/report.json --reports out           the shards of a run, put together
  conformance report core.json node.json --reports out           clients that were run apart, side by side
  conformance report out/report.json                             tells a run again";

#[derive(Args)]
pub(crate) struct ReportArgs {
    /// The report.json of each run
    #[arg(required = true, value_name = "REPORT.json")]
    reports_of_runs: Vec<PathBuf>,
    /// Write every kind of report into this folder
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    /// A flaky scenario does not count as failed
    #[arg(long)]
    allow_flaky: bool,
}

/// Ends as one run of all of it would have.
pub(crate) fn run(args: &ReportArgs) -> Result<Exit, Problem> {
    let reports = args.reports_of_runs.iter().map(|path| Ok((path.clone(), read(path)?)));
    let report = reports.collect::<Result<_, _>>().and_then(merge).map_err(usage)?;
    let mut unwritten = Vec::new();
    if let Some(folder) = &args.reports {
        match reports::prepare(folder) {
            Ok(()) => unwritten = reports::write(folder, &report),
            Err(problem) => unwritten.push(problem),
        }
    }
    unwritten.extend(reports::tell(&report, Stream::Out));
    let mut others = Vec::new();
    for Problem { exit, message } in unwritten {
        complain(message);
        others.push(exit);
    }
    let flaky = if args.allow_flaky { Flaky::Allowed } else { Flaky::Fails };
    Ok(exit::of_run(&report, flaky, &others))
}
