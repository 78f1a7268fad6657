//! `conformance coverage`: for each clause its scenarios, and what each client does there. One client is run, of the
//! others it is what their last runs showed.

use std::path::PathBuf;

use clap::Args;
use conformance::clause::Clause;
use conformance::client::Client;
use conformance::coverage::{Coverage, Standing};
use conformance::exit::Exit;
use conformance::results::{FOLDER_VARIABLE, Results};
use conformance::scenario::Scenario;
use conformance::suite::Suite;

use crate::cli::PaceArgs;
use crate::exit::{Problem, harness, usage};
use crate::output::say;
use crate::places::Places;
use crate::run::{self, RunArgs};

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance coverage                          runs the reference client, and tells of all
  conformance coverage --client node-4.21.1     runs that one instead
  conformance coverage --json > coverage.json

Fails when a clause has no scenario that the client passes, or, where it lacks the calls, another client.";

#[derive(Args)]
pub(crate) struct CoverageArgs {
    /// The client to run: a name in conformance/clients, or the path of such a file; left out, `core`
    #[arg(long, value_name = "NAME|PATH.json")]
    client: Option<String>,
    /// The table as JSON
    #[arg(long)]
    json: bool,
    /// Write what became of each scenario to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    pace: PaceArgs,
}

/// In which form the table is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Text,
    Json,
}

pub(crate) fn run(args: CoverageArgs) -> Result<Exit, Problem> {
    let table = if args.json { Table::Json } else { Table::Text };
    let run = RunArgs::for_coverage(args.client.into_iter().collect(), args.pace, args.report);
    run::evaluate(&run, Some(table))
}

/// Prints the table. What it makes of the exit code.
pub(crate) fn tell(
    table: Table,
    clauses: &[Clause],
    scenarios: &[Scenario],
    results: Vec<Results>,
    places: &Places,
) -> Result<Exit, Problem> {
    let results = of_all_clients(results, places)?;
    let coverage = Coverage::new(clauses, scenarios, &results);
    match table {
        Table::Text => say(format_args!("{}\n", coverage.text())),
        Table::Json => {
            let text = serde_json::to_string_pretty(&coverage).expect("a table has only string keys");
            say(format_args!("{text}\n"));
        }
    }
    Ok(if coverage.unproven().is_empty() { Exit::AsExpected } else { Exit::Failures })
}

/// Keeps what a client with a file did, beside what earlier runs showed of it. Scenarios of another folder are
/// nobody's clauses.
pub(crate) fn keep(suite: &Suite<'_>, client: &Client, places: &Places) -> Result<Option<Results>, Problem> {
    if client.file.is_none() || !places.usual {
        return Ok(None);
    }
    let folder = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    let mut results = match &folder {
        Some(folder) => Results::load(folder, &client.name, &client.source),
        None => Results::new(&client.name, &client.source),
    };
    for one in &suite.evaluated {
        results.set(one.scenario, Standing::of(&one.verdict), &one.shown);
    }
    if let Some(folder) = folder {
        let failed = |error| harness(format!("{FOLDER_VARIABLE} {}: {error}", folder.display()));
        results.save(&folder).map_err(failed)?;
    }
    Ok(Some(results))
}

/// The results of this run, and those that are kept of every other client of the repository.
fn of_all_clients(mut all: Vec<Results>, places: &Places) -> Result<Vec<Results>, Problem> {
    let folder = places.clients_folder().unwrap_or_default();
    let kept = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    for name in places.client_names() {
        if all.iter().any(|one| one.client == name) {
            continue;
        }
        let client = Client::load(&folder.join(format!("{name}.json"))).map_err(usage)?;
        all.push(match &kept {
            Some(kept) => Results::load(kept, &name, &client.source),
            None => Results::new(&name, &client.source),
        });
    }
    Ok(all)
}
