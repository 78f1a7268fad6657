//! `conformance diff LEFT RIGHT`: the same scenarios on two clients.

use std::io::Write as _;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;
use conformance::clause;
use conformance::diff::Diff;
use conformance::driver::subprocess;
use conformance::suite::{Keep, Kept, Plan, run_all};

use super::places::{chosen, client_of, load, places};
use super::{AS_EXPECTED, NOT_STARTED, Problem, Report, TIMEOUT_MS, jobs, limits, server, usage};

#[derive(Args)]
pub(super) struct DiffArgs {
    /// A client: a name in conformance/clients, or the path of such a file
    left: String,
    /// The client to hold it against
    right: String,
    /// Which scenarios: a part of area/name, or a pattern with `*`; left out, all
    filter: Vec<String>,
    /// How many scenarios run at once; left out, as many as there are processors
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Write the differences to this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// How long an expected event, or a world that should become quiet, is waited for
    #[arg(long, value_name = "MS", default_value_t = TIMEOUT_MS)]
    timeout_ms: NonZeroU64,
}

/// That clients differ is no failure: the exit code is 0 once both have run.
pub(super) fn run(args: &DiffArgs) -> Result<u8, Problem> {
    let places = places(None)?;
    let (left, _) = client_of(&args.left, &places)?;
    let (right, _) = client_of(&args.right, &places)?;
    let all = load(&places, &clause::load(&places.clauses).map_err(usage)?)?;
    let scenarios = chosen(&all, &args.filter)?;
    let mut report = args.report.as_deref().map(Report::create).transpose()?;
    let server = server(None)?;
    let suite = |client| {
        let plan = Plan {
            client,
            scenarios: &scenarios,
            jobs: jobs(args.jobs),
            limits: limits(args.timeout_ms),
            process: subprocess::Limits::default(),
            records: None,
            keep: Keep { sent: Kept::All, ..Keep::default() },
        };
        let started = run_all(&*server, plan, |_, _| {});
        started.map_err(|error| Problem { code: NOT_STARTED, message: format!("{}: {error}", client.name) })
    };
    let (one, other) = (suite(&left)?, suite(&right)?);
    let diff = Diff::new((&left.name, &one), (&right.name, &other));
    if let Some(report) = &mut report {
        report.write(&diff.json())?;
    }
    // Whoever reads this may have seen enough before its end.
    let _ = std::io::stdout().lock().write_all(diff.text().as_bytes());
    Ok(AS_EXPECTED)
}
