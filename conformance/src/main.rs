//! The command line: which client, which scenarios, what to leave behind.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use conformance::client::Client;
use conformance::driver::subprocess;
use conformance::pattern::is_meant;
use conformance::record::{Mode, Records};
use conformance::report::{Tally, json, terminal};
use conformance::run::Limits;
use conformance::scenario::{self, Scenario};
use conformance::suite::{Plan, run_all};
use mock_server::control::Settings;
use mock_server::shell::{MockServer, Options};

/// Everything as expected.
const AS_EXPECTED: u8 = 0;
/// A scenario failed, or an exception has become stale.
const FAILURES: u8 = 1;
/// The command line, a scenario's or a client's file is wrong; clap exits so too.
const USAGE: u8 = 2;
/// The client could not be started.
const NOT_STARTED: u8 = 3;
/// No scenario was evaluated: none is meant by the filters, or the client supports none of them.
const NOTHING_RAN: u8 = 4;

/// How many rows of its tape a world keeps: the largest scenario needs some ten thousand.
const TAPE_ROWS_MAX: usize = 200_000;

/// Runs scenarios against a client core and judges it.
///
/// Exit codes: 0 as expected, 1 failures, 2 usage, 3 the client could not be started, 4 nothing ran.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand)]
enum Verb {
    /// Lists scenarios, the clauses that each evaluates, and why
    List {
        /// Parts or patterns of names
        filter: Vec<String>,
        /// The folder of the scenarios, instead of fixtures/scenarios of the repository
        #[arg(long, value_name = "DIR")]
        scenarios: Option<PathBuf>,
    },
}

#[derive(Args)]
struct RunArgs {
    /// The client: a name in conformance/clients, or the path of such a file
    #[arg(long, value_name = "NAME|PATH.json", default_value = "core", conflicts_with = "command")]
    client: String,
    /// Which scenarios: a part of area/name, or a pattern with `*`; left out, all
    filter: Vec<String>,
    /// How many scenarios run at once; left out, as many as there are processors
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Take the wire as it is now for the record
    #[arg(long)]
    accept: bool,
    /// Write what became of each scenario to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// How long an expected event, or a world that should become quiet, is waited for
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    timeout_ms: u64,
    /// The folder of the scenarios, instead of fixtures/scenarios of the repository; nothing is recorded then
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
    /// A shim that no file describes, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

fn main() -> ExitCode {
    let CommandLine { verb, run } = CommandLine::parse();
    let code = match verb {
        Some(Verb::List { filter, scenarios }) => list(&filter, scenarios.as_deref()),
        None => evaluate(&run),
    };
    match code {
        Ok(code) => code.into(),
        Err(Problem { code, message }) => {
            eprintln!("error: {message}");
            code.into()
        }
    }
}

struct Problem {
    code: u8,
    message: String,
}

fn usage(message: impl ToString) -> Problem {
    Problem { code: USAGE, message: message.to_string() }
}

fn list(filter: &[String], folder: Option<&Path>) -> Result<u8, Problem> {
    let all = load(&places(folder)?)?;
    let meant = chosen(&all, filter);
    let mut out = std::io::stdout().lock();
    for scenario in &meant {
        let line = format!("{}  [{}]  {}", scenario.name, scenario.clauses.join(" "), scenario.why);
        if writeln!(out, "{line}").is_err() {
            // Whoever read this has seen enough.
            break;
        }
    }
    Ok(if meant.is_empty() { NOTHING_RAN } else { AS_EXPECTED })
}

fn evaluate(args: &RunArgs) -> Result<u8, Problem> {
    let places = places(args.scenarios.as_deref())?;
    let (client, client_file) = client(args, &places)?;
    let all = load(&places)?;
    let scenarios = chosen(&all, &args.filter);
    if scenarios.is_empty() {
        let message = format!("no scenario is meant by {:?}; `conformance list` names them", args.filter);
        return Err(Problem { code: NOTHING_RAN, message });
    }
    let whole = scenarios.len() == all.len();
    let records = records(args, &places, &client)?;
    let options = Options {
        tape: true,
        tape_rows_max: TAPE_ROWS_MAX,
        // A client that names another app key must not find a world there that lets anybody in.
        settings: Settings { strict: true, ..Settings::default() },
        ..Options::default()
    };
    let server = MockServer::start(options)
        .map_err(|error| Problem { code: NOT_STARTED, message: format!("the mock server: {error}") })?;
    let within = Duration::from_millis(args.timeout_ms);
    let plan = Plan {
        client: &client,
        scenarios: &scenarios,
        jobs: args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        limits: Limits { expect: within, quiet: within },
        process: subprocess::Limits::default(),
        records: records.as_ref(),
    };
    let watched = std::io::stderr().is_terminal();
    let suite = run_all(&server, plan, |one, left| {
        if watched {
            eprintln!("{}", terminal::progress(one, left));
        }
    })
    .map_err(|error| Problem { code: NOT_STARTED, message: format!("{}: {error}", client.name) })?;
    let stale = if whole { suite.stale(&client, records.as_ref()) } else { Vec::new() };
    if let Some(path) = &args.report {
        std::fs::write(path, json::report(&suite, &client.name, &stale))
            .map_err(|error| usage(format!("{}: {error}", path.display())))?;
    }
    let which = match &args.command[..] {
        [] => (format!(" --client {}", args.client), String::new()),
        command => (String::new(), format!(" -- {}", command.join(" "))),
    };
    let again = |name: &str| format!("cargo xtask conformance{} {name}{}", which.0, which.1);
    print!("{}", terminal::summary(&suite, &stale, &client_file, again));
    let tally = Tally::of(&suite);
    Ok(if tally.failed > 0 || !stale.is_empty() {
        FAILURES
    } else if tally.passed + tally.known_failures == 0 {
        NOTHING_RAN
    } else {
        AS_EXPECTED
    })
}

/// Where things are.
struct Places {
    /// The repository; `None` when there is none around.
    root: Option<PathBuf>,
    scenarios: PathBuf,
    /// How failures name that folder.
    shown_as: PathBuf,
    clauses: PathBuf,
}

fn places(folder: Option<&Path>) -> Result<Places, Problem> {
    let here = std::env::current_dir().map_err(|error| usage(format!("the working directory: {error}")))?;
    let root = here.ancestors().find(|folder| folder.join("fixtures/scenarios").is_dir()).map(Path::to_owned);
    match (folder, &root) {
        (Some(folder), Some(root)) => Ok(Places {
            scenarios: folder.to_owned(),
            shown_as: folder.to_owned(),
            clauses: root.join("fixtures/clauses.json"),
            root: Some(root.clone()),
        }),
        (None, Some(root)) => Ok(Places {
            scenarios: root.join("fixtures/scenarios"),
            shown_as: "fixtures/scenarios".into(),
            clauses: root.join("fixtures/clauses.json"),
            root: Some(root.clone()),
        }),
        (_, None) => Err(usage("no fixtures/scenarios here or in a folder above; run it in the repository")),
    }
}

fn load(places: &Places) -> Result<Vec<Scenario>, Problem> {
    #[derive(serde::Deserialize)]
    struct Clause {
        id: String,
    }
    let path = places.clauses.display();
    let text = std::fs::read_to_string(&places.clauses).map_err(|error| usage(format!("{path}: {error}")))?;
    let clauses: Vec<Clause> =
        serde_json::from_str(&text).map_err(|error| usage(format!("{path}: {error}")))?;
    let ids: BTreeSet<String> = clauses.into_iter().map(|clause| clause.id).collect();
    scenario::load(&places.scenarios, &places.shown_as, &ids).map_err(usage)
}

fn chosen<'a>(all: &'a [Scenario], filter: &[String]) -> Vec<&'a Scenario> {
    let meant = |name: &str| filter.is_empty() || filter.iter().any(|filter| is_meant(filter, name));
    all.iter().filter(|scenario| meant(&scenario.name)).collect()
}

fn client(args: &RunArgs, places: &Places) -> Result<(Client, String), Problem> {
    if !args.command.is_empty() {
        let here =
            std::env::current_dir().map_err(|error| usage(format!("the working directory: {error}")))?;
        return Ok((Client::of_command(args.command.clone(), &here), "the command line".to_owned()));
    }
    if Path::new(&args.client).extension().is_some_and(|extension| extension == "json") {
        let client = Client::load(Path::new(&args.client)).map_err(usage)?;
        return Ok((client, args.client.clone()));
    }
    let folder = places.root.as_ref().map(|root| root.join("conformance/clients"));
    let folder = folder.ok_or_else(|| usage("no repository around: name the client by its file"))?;
    let file = format!("{}.json", args.client);
    let client = Client::load(&folder.join(&file)).map_err(usage)?;
    Ok((client, format!("conformance/clients/{file}")))
}

/// A build server never writes: a record that appears there would be looked at by nobody.
fn records(args: &RunArgs, places: &Places, client: &Client) -> Result<Option<Records>, Problem> {
    let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    let mode = match (ci, args.accept) {
        (true, true) => return Err(usage("--accept writes records, and nothing is written where CI is set")),
        (true, false) => Mode::Check,
        (false, true) => Mode::Accept,
        (false, false) => Mode::Propose,
    };
    let root = places.root.as_ref().filter(|_| args.scenarios.is_none() && args.command.is_empty());
    Ok(root.map(|root| Records::new(root.join("conformance/tests/snapshots").join(&client.name), mode)))
}
