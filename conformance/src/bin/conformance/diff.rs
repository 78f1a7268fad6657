//! `conformance diff LEFT RIGHT`: the same scenarios on two clients.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use conformance::diff::Diff;
use conformance::exit::Exit;
use conformance::suite::{Keep, Kept, Plan, run_all};

use crate::cli::{PaceArgs, SelectionArgs};
use crate::exit::{Problem, nothing_meant};
use crate::host::host;
use crate::interrupt;
use crate::output::Output;
use crate::places::{Places, Shelf};

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance diff node-3.6.3 node-4.21.1                    an upgrade, frame by frame
  conformance diff core node-4.21.1 send --report diff.json";

#[derive(Args)]
pub(crate) struct DiffArgs {
    /// A client: a name in conformance/clients, or the path of such a file
    left: String,
    /// The client to hold it against
    right: String,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    pace: PaceArgs,
    /// Write the differences to this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// That clients differ is no failure: the exit code is 0 once both have run.
pub(crate) fn run(args: &DiffArgs) -> Result<Exit, Problem> {
    let places = Places::around(args.selection.scenarios.as_deref())?;
    let (left, _) = places.client(&args.left)?;
    let (right, _) = places.client(&args.right)?;
    let Shelf { scenarios: all, .. } = places.shelf()?;
    let scenarios = args.selection.selection().choose(&all).map_err(nothing_meant)?;
    let mut report = args.report.as_deref().map(Output::create).transpose()?;
    let host = host(&args.pace)?;
    let interrupt = interrupt::listen(interrupt::RUN)?;
    let suite = |client| {
        let plan = Plan {
            jobs: args.pace.jobs(),
            limits: args.pace.limits(),
            keep: Keep { sent: Kept::All, ..Keep::default() },
            interrupt: Some(&interrupt),
            ..Plan::new(client, &scenarios)
        };
        let started = run_all(&*host, plan, |_, _| {});
        let not_started =
            |error| Problem { exit: Exit::NotStarted, message: format!("{}: {error}", client.name) };
        match started {
            // Half of a run differs from a whole one in what was not run.
            _ if interrupt.is_raised() => Err(Problem {
                exit: Exit::Interrupted,
                message: "interrupted, so nothing is compared".to_owned(),
            }),
            started => started.map_err(not_started),
        }
    };
    let (one, other) = (suite(&left)?, suite(&right)?);
    let diff = Diff::new((&left.name, &one), (&right.name, &other));
    if let Some(report) = &mut report {
        report.write(&diff.json())?;
    }
    // Whoever reads this may have seen enough before its end.
    let _ = std::io::stdout().lock().write_all(diff.text().as_bytes());
    Ok(Exit::AsExpected)
}
