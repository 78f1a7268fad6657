//! The command line: which client, which scenarios, what to leave behind.

mod diff;
mod host;
mod places;
mod schema;

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use conformance::clause;
use conformance::client::Client;
use conformance::coverage::{Coverage, Standing};
use conformance::driver::subprocess;
use conformance::host::Host;
use conformance::real_time::today;
use conformance::record::{Mode, Records};
use conformance::report::{Tally, json, terminal};
use conformance::results::{FOLDER_VARIABLE, Results};
use conformance::run::Limits;
use conformance::suite::{Keep, Plan, Suite, run_all};
use places::{Places, chosen, client_of, load, names_in, places};

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

/// How long a step waits if nobody says otherwise: nothing on this machine takes seconds.
const TIMEOUT_MS: NonZeroU64 = NonZeroU64::new(5_000).expect("it is not 0");

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
    /// Runs scenarios on two clients and shows where they differ: frames, their order, fields, verdicts
    Diff(diff::DiffArgs),
    /// Prints the JSON Schema of the driver's lines, of scenarios, client files or reports
    Schema(schema::SchemaArgs),
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
    jobs: Option<NonZeroUsize>,
    /// Take the wire as it is now for the record
    #[arg(long)]
    accept: bool,
    /// Show for each clause which scenarios evaluate it and what each client does there: this one is run, of the others
    /// it is what their last runs showed. Fails when a clause has no scenario that this client passes
    #[arg(long, conflicts_with_all = ["filter", "command", "scenarios", "accept"])]
    coverage: bool,
    /// Write what became of each scenario to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// How long an expected event, or a world that should become quiet, is waited for
    #[arg(long, value_name = "MS", default_value_t = TIMEOUT_MS)]
    timeout_ms: NonZeroU64,
    /// The folder of the scenarios, instead of fixtures/scenarios of the repository; nothing is recorded then
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
    /// Use the mock-server that is already running there, instead of one of our own
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// A shim that no file describes, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

fn main() -> ExitCode {
    let CommandLine { verb, run } = CommandLine::parse();
    // clap takes a `--` with nothing behind it for none at all, and the default client would be run.
    if verb.is_none() && run.command.is_empty() && std::env::args_os().any(|word| word == "--") {
        eprintln!("error: nothing behind `--`: write the shim's command there, such as `-- node shim.mjs`");
        return USAGE.into();
    }
    let code = match verb {
        Some(Verb::List { filter, scenarios }) => list(&filter, scenarios.as_deref()),
        Some(Verb::Diff(args)) => diff::run(&args),
        Some(Verb::Schema(args)) => schema::run(&args),
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
    let places = places(folder)?;
    let all = load(&places, &clause::load(&places.clauses).map_err(usage)?)?;
    let meant = chosen(&all, filter)?;
    let mut out = std::io::stdout().lock();
    for scenario in &meant {
        let line = format!("{}  [{}]  {}", scenario.name, scenario.clauses.join(" "), scenario.why);
        if writeln!(out, "{line}").is_err() {
            // Whoever read this has seen enough.
            break;
        }
    }
    Ok(AS_EXPECTED)
}

fn evaluate(args: &RunArgs) -> Result<u8, Problem> {
    let places = places(args.scenarios.as_deref())?;
    let (client, client_file) = client(args, &places)?;
    let clauses = clause::load(&places.clauses).map_err(usage)?;
    let all = load(&places, &clauses)?;
    let scenarios = chosen(&all, &args.filter)?;
    let names: BTreeSet<&str> = all.iter().map(|scenario| &*scenario.name).collect();
    let records = records(args, &places, &client)?;
    let server = server(args.server.as_deref())?;
    let mut report = args.report.as_deref().map(Report::create).transpose()?;
    let plan = Plan {
        client: &client,
        scenarios: &scenarios,
        jobs: jobs(args.jobs),
        limits: limits(args.timeout_ms),
        process: subprocess::Limits::default(),
        records: records.as_ref(),
        keep: Keep::default(),
    };
    let watched = std::io::stderr().is_terminal();
    let suite = run_all(&*server, plan, |one, left| {
        if watched {
            eprintln!("{}", terminal::progress(one, left));
        }
    })
    .map_err(|error| Problem { code: NOT_STARTED, message: format!("{}: {error}", client.name) })?;
    let stale = suite.stale(&client, records.as_ref(), places.usual.then_some(&names), today());
    let results = keep(&suite, &client, &places)?;
    let results = if args.coverage { of_all_clients(results, &places)? } else { Vec::new() };
    let coverage = args.coverage.then(|| Coverage::new(&clauses, &all, &results));
    if let Some(report) = &mut report {
        report.write(&json::report(&suite, &client.name, &stale, coverage.as_ref()))?;
    }
    let again = |name: &str| again(args, name);
    if let Some(coverage) = &coverage {
        println!("{}", coverage.text());
    }
    print!("{}", terminal::summary(&suite, &stale, &client_file, again));
    let tally = Tally::of(&suite);
    let unproven = coverage.is_some_and(|coverage| !coverage.unproven().is_empty());
    Ok(if tally.failed > 0 || !stale.is_empty() || unproven {
        FAILURES
    } else if tally.passed + tally.known_failures == 0 {
        NOTHING_RAN
    } else {
        AS_EXPECTED
    })
}

/// Keeps what a client with a file did, beside what earlier runs showed of it. Scenarios of another folder are
/// nobody's clauses.
fn keep(suite: &Suite<'_>, client: &Client, places: &Places) -> Result<Option<Results>, Problem> {
    if client.file.is_none() || !places.usual {
        return Ok(None);
    }
    let folder = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    let mut results = match &folder {
        Some(folder) => Results::load(folder, &client.name, &client.source),
        None => Results::new(&client.name, &client.source),
    };
    for one in &suite.evaluated {
        results.set(one.scenario, Standing::of(&one.verdict));
    }
    if let Some(folder) = folder {
        let failed = |error| usage(format!("{FOLDER_VARIABLE} {}: {error}", folder.display()));
        results.save(&folder).map_err(failed)?;
    }
    Ok(Some(results))
}

/// The results of this run, and those that are kept of every other client of the repository.
fn of_all_clients(this: Option<Results>, places: &Places) -> Result<Vec<Results>, Problem> {
    let mut all: Vec<Results> = this.into_iter().collect();
    let folder = places.root.as_ref().map(|root| root.join("conformance/clients")).unwrap_or_default();
    let kept = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    for name in names_in(&folder) {
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

/// The server that the scenarios run against.
fn server(url: Option<&str>) -> Result<Box<dyn Host>, Problem> {
    host::host(url).map_err(|no| Problem { code: no.exit.code(), message: no.message })
}

fn jobs(asked: Option<NonZeroUsize>) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or_else(processors, NonZeroUsize::get)
}

fn limits(timeout_ms: NonZeroU64) -> Limits {
    let within = Duration::from_millis(timeout_ms.get());
    Limits { expect: within, quiet: within }
}

/// The file of `--report`; that it can be written is known before the run, not after it.
struct Report<'p> {
    path: &'p Path,
    file: std::fs::File,
}

impl<'p> Report<'p> {
    fn create(path: &'p Path) -> Result<Self, Problem> {
        match std::fs::File::create(path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(usage(format!("--report {}: {error}", path.display()))),
        }
    }

    fn write(&mut self, text: &str) -> Result<(), Problem> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| usage(format!("--report {}: {error}", self.path.display())))
    }
}

/// The command line that runs one scenario again as it was run.
fn again(args: &RunArgs, name: &str) -> String {
    let mut words = vec!["cargo".to_owned(), "xtask".to_owned(), "conformance".to_owned()];
    if args.command.is_empty() {
        words.extend(["--client".to_owned(), args.client.clone()]);
    }
    if args.timeout_ms != TIMEOUT_MS {
        words.extend(["--timeout-ms".to_owned(), args.timeout_ms.to_string()]);
    }
    if let Some(folder) = &args.scenarios {
        words.extend(["--scenarios".to_owned(), folder.display().to_string()]);
    }
    words.push(name.to_owned());
    if !args.command.is_empty() {
        words.push("--".to_owned());
        words.extend(args.command.iter().cloned());
    }
    words.iter().map(|word| for_shell(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a POSIX shell takes it for itself.
fn for_shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,#".contains(c);
    if !word.is_empty() && !word.starts_with('#') && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn client(args: &RunArgs, places: &Places) -> Result<(Client, String), Problem> {
    if args.command.is_empty() {
        return client_of(&args.client, places);
    }
    let here = std::env::current_dir().map_err(|error| usage(format!("the working directory: {error}")))?;
    Ok((Client::of_command(args.command.clone(), &here), "the command line".to_owned()))
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
