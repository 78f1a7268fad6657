//! `conformance run`: scenarios on clients, and what is left behind of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use conformance::client::Client;
use conformance::command_line::for_shell;
use conformance::driver::DriverError;
use conformance::exceptions::Exceptions;
use conformance::exit::Exit;
use conformance::hold::Holder;
use conformance::real_time::{Stopwatch, today, unix_ms};
use conformance::record::{Mode, Records};
use conformance::report::model::{ClientReport, Report, VerdictWord};
use conformance::report::{ClientTold, Told, json};
use conformance::suite::{Bundles, BundlesOf, Keep, Kept, OnFailure, Plan, run_all};

use crate::cli::{ClientArgs, PaceArgs, SelectionArgs, TIMEOUT};
use crate::coverage::{self, Table};
use crate::exit::{self, Flaky, Problem, nothing_meant, usage};
use crate::hold::{Holding, Stays};
use crate::host::host;
use crate::interrupt;
use crate::output::{Output, Stream, complain, say};
use crate::places::{Places, Shelf, is_ci};
use crate::progress::Progress;
use crate::{reports, update};

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance run                                        the reference client, every scenario
  conformance run send/text-to-user -- node shim.mjs     one scenario, a shim that no file describes
  conformance run --client node-4.21.1 'v4/*' --jobs 1
  conformance run --all-clients --clause recall --reports out
  conformance run --shard 2/4 --seed 7 --retries 1 --allow-flaky";

#[derive(Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    clients: ClientArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    failures: FailureArgs,
    #[command(flatten)]
    left: LeftArgs,
}

/// What a failure brings about.
#[derive(Args, Default)]
#[command(next_help_heading = "Failures")]
struct FailureArgs {
    /// Try a scenario that failed again, at most so often; one that passes then is FLAKY, which fails the run too
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    retries: u32,
    /// A flaky scenario does not fail the run
    #[arg(long)]
    allow_flaky: bool,
    /// Begin no scenario any more after the first failure
    #[arg(long)]
    fail_fast: bool,
    /// After the first failure let its world stay, for a person to look at: says where it is, who is in it, and the curl
    /// lines that stage it; as --fail-fast --jobs 1. With --server the world stays there, else until Enter or Ctrl-C
    #[arg(long, conflicts_with_all = ["retries", "accept"])]
    hold: bool,
    /// Take the wire as it is now for the record
    #[arg(long)]
    accept: bool,
    /// Write the client's file as this run says that it should be: what fails is known from now on, what passes is not
    #[arg(long)]
    update_known_failures: bool,
    /// End each client's process at a moment of each scenario that the seed draws; what failed for that is as expected.
    /// For tests of the harness itself
    #[arg(long, hide = true, conflicts_with_all = ["accept", "coverage", "retries"])]
    kill_clients: bool,
}

/// What is left behind.
#[derive(Args, Default)]
#[command(next_help_heading = "Reports")]
struct LeftArgs {
    /// Write every kind of report into this folder
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    /// Write report.json alone, to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Of which scenarios to keep a bundle, for `conformance replay`
    #[arg(long, value_name = "WHICH", default_value = "failures")]
    bundles: Which,
    /// The folder of the bundles; left out, `bundles` in that of --reports, or without one in target/conformance in the
    /// repository, conformance-out elsewhere
    #[arg(long, value_name = "DIR")]
    bundle_dir: Option<PathBuf>,
    /// As the verb `coverage`
    #[arg(long, hide = true, conflicts_with_all = ["filter", "clause", "area", "shard", "command", "scenarios", "accept"])]
    coverage: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Which {
    #[default]
    Failures,
    All,
    None,
}

impl LeftArgs {
    /// Beside the reports, so that whoever keeps those keeps these.
    fn bundle_dir(&self, places: &Places) -> PathBuf {
        let beside = || self.reports.clone().unwrap_or_else(|| places.out()).join("bundles");
        self.bundle_dir.clone().unwrap_or_else(beside)
    }
}

impl RunArgs {
    /// Every scenario, on this client.
    pub(crate) fn for_coverage(client: Vec<String>, pace: PaceArgs, report: Option<PathBuf>) -> Self {
        Self {
            selection: SelectionArgs::default(),
            clients: ClientArgs { client, ..ClientArgs::default() },
            pace,
            failures: FailureArgs::default(),
            left: LeftArgs { report, ..LeftArgs::default() },
        }
    }

    /// How the command line names a client.
    fn named<'c>(&'c self, client: &'c Client) -> &'c str {
        let is_it = |named: &&String| Path::new(named).file_stem().is_some_and(|stem| *stem == *client.name);
        let path = self.clients.client.iter().filter(|named| named.ends_with(".json")).find(is_it);
        path.map_or(&*client.name, String::as_str)
    }

    /// The words that run one scenario of a client again: `{}` stands for its name.
    fn again(&self, client: &str) -> String {
        let mut words = Vec::new();
        if self.clients.command.is_empty() {
            words.extend(["--client".to_owned(), client.to_owned()]);
        }
        if self.selection.seed != 0 {
            words.extend(["--seed".to_owned(), self.selection.seed.to_string()]);
        }
        if let Some(seed) = self.pace.nasty {
            words.extend(["--nasty".to_owned(), seed.to_string()]);
        }
        if self.pace.timeout() != TIMEOUT {
            words.extend(["--timeout".to_owned(), self.pace.timeout().to_string()]);
        }
        if let Some(url) = &self.pace.server {
            words.extend(["--server".to_owned(), url.clone()]);
        }
        // What is printed is kept in logs: who repeats it knows the token.
        if self.pace.token.is_some() {
            words.extend(["--token".to_owned(), "TOKEN".to_owned()]);
        }
        if let Some(folder) = &self.selection.scenarios {
            words.extend(["--scenarios".to_owned(), folder.display().to_string()]);
        }
        let mut words: Vec<String> = words.iter().map(|word| for_shell(word).into_owned()).collect();
        words.push("{}".to_owned());
        if !self.clients.command.is_empty() {
            words.push("--".to_owned());
            words.extend(self.clients.command.iter().map(|word| for_shell(word).into_owned()));
        }
        words.join(" ")
    }
}

pub(crate) fn run(args: &RunArgs) -> Result<Exit, Problem> {
    evaluate(args, args.left.coverage.then_some(Table::Text))
}

pub(crate) fn evaluate(args: &RunArgs, table: Option<Table>) -> Result<Exit, Problem> {
    let watch = (unix_ms(), Stopwatch::start());
    let places = Places::around(args.selection.scenarios.as_deref())?;
    let clients = places.clients(&args.clients)?;
    let Shelf { clauses, scenarios: all } = places.shelf()?;
    let selection = args.selection.selection();
    let scenarios = selection.choose(&all).map_err(nothing_meant)?;
    if args.failures.update_known_failures {
        update::may_write(clients.iter().map(|(client, _)| client))?;
    }
    let records = clients
        .iter()
        .map(|(client, _)| records(args, &places, client))
        .collect::<Result<Vec<_>, Problem>>()?;
    let mut report_file = args.left.report.as_deref().map(Output::create).transpose()?;
    args.left.reports.as_deref().map(reports::prepare).transpose()?;
    let host = host(&args.pace)?;
    let names: BTreeSet<&str> = all.iter().map(|scenario| &*scenario.name).collect();
    let bundle_dir = args.left.bundle_dir(&places);
    let interrupt = interrupt::listen(interrupt::RUN)?;
    let flaky = if args.failures.allow_flaky { Flaky::Allowed } else { Flaky::Fails };
    let stays = if args.pace.server.is_some() { Stays::Forever } else { Stays::UntilTold };
    let holding = args.failures.hold.then(|| Holding::new(stays, &interrupt));
    let mut told = Vec::new();
    let mut results = Vec::new();
    let mut others = Vec::new();
    for ((client, file), records) in clients.iter().zip(&records) {
        let plan = Plan {
            jobs: if args.failures.hold { 1 } else { args.pace.jobs() },
            limits: args.pace.limits(),
            records: records.as_ref(),
            keep: args.keep(&bundle_dir),
            retries: args.failures.retries,
            on_failure: if args.failures.fail_fast || args.failures.hold {
                OnFailure::Stop
            } else {
                OnFailure::GoOn
            },
            interrupt: Some(&interrupt),
            holder: holding.as_ref().map(|holding| holding as &dyn Holder),
            nasty: args.pace.nasty,
            kill_clients: args.failures.kill_clients.then_some(args.selection.seed),
            ..Plan::new(client, &scenarios)
        };
        let mut of_client = ClientTold {
            name: client.name.clone(),
            file: client.file.is_some().then(|| file.clone()),
            stale: Vec::new(),
            mend: None,
            unexplained: Vec::new(),
            again: args.again(args.named(client)),
        };
        let stopped = args.failures.fail_fast && exit::of_clients(&told, flaky) != Exit::AsExpected;
        if stopped || interrupt.is_raised() {
            told.push(ClientReport::not_run(of_client, &scenarios));
            continue;
        }
        let mut progress = Progress::new(&client.name, scenarios.len());
        let ran = run_all(&*host, plan, |one, left| {
            // Of killed clients most fail, which tells nobody anything.
            if !args.failures.kill_clients {
                progress.ended(one, left);
            }
        });
        progress.end();
        let mut suite = match ran {
            Ok(suite) => suite,
            Err(DriverError::Interrupted) => {
                told.push(ClientReport::not_run(of_client, &scenarios));
                continue;
            }
            Err(error) => {
                told.push(ClientReport::not_started(&error, of_client, &scenarios));
                continue;
            }
        };
        if let Some(fault) = &suite.server_fault {
            complain(fault);
            others.push(Exit::Harness);
        }
        if args.failures.kill_clients {
            told.push(ClientReport::of(suite, of_client));
            continue;
        }
        // One disk is full for all of them: the first says it.
        if let Some(why) = suite.evaluated.iter().find_map(|one| one.unwritten.as_ref()) {
            complain(format_args!("{why}; --bundles none writes none, --bundle-dir elsewhere"));
            others.push(Exit::Harness);
        }
        let all = places.usual.then_some(&names);
        // What a broken server showed is nobody's failure.
        let asked = args.failures.update_known_failures && suite.server_fault.is_none();
        let mut noted = |problem: Problem| {
            complain(problem.message);
            others.push(problem.exit);
        };
        // What cannot be written costs nobody the report of what ran.
        let updated =
            asked.then(|| update::update(&mut suite, client, all).map_err(&mut noted).ok()).flatten();
        let client = updated.as_ref().unwrap_or(client);
        of_client.stale = suite.stale(client, records.as_ref(), all, today());
        of_client.mend = update::mend(&suite, client, &of_client.stale).then(|| {
            format!(
                "{} run --client {} --update-known-failures",
                places.program(),
                for_shell(args.named(client))
            )
        });
        of_client.unexplained = Exceptions::of(client, &suite.hello.version).unexplained();
        results.extend(coverage::keep(&suite, client, &places).map_err(noted).ok().flatten());
        told.push(ClientReport::of(suite, of_client));
        if holding.as_ref().is_some_and(Holding::has_held) {
            break;
        }
    }
    if let Some(table) = table {
        others.push(coverage::tell(table, &clauses, &all, results, &places)?);
    }
    let report = Report::of(
        Told {
            started_ms: watch.0,
            ms: u64::try_from(watch.1.elapsed().as_millis()).unwrap_or(u64::MAX),
            program: places.program(),
            selection: &selection,
            interrupted: interrupt.is_raised(),
            nasty: args.pace.nasty,
        },
        &clauses,
        &scenarios,
        told,
    );
    let mut unwritten = if args.failures.kill_clients {
        say(format_args!("{}\n", killed(&report)));
        Vec::new()
    } else {
        // Of a table for a program nothing else stands in stdout.
        reports::tell(&report, if table == Some(Table::Json) { Stream::Err } else { Stream::Out })
    };
    if holding.is_some_and(|holding| !holding.has_held()) {
        Stream::Err.tell("--hold: nothing failed, so no world is held\n");
    }
    if let Some(file) = &mut report_file {
        unwritten.extend(file.write(&json::text(&report)).err());
    }
    if let Some(folder) = &args.left.reports {
        unwritten.extend(reports::write(folder, &report));
    }
    for Problem { exit, message } in unwritten {
        complain(message);
        others.push(exit);
    }
    if args.failures.kill_clients {
        return Ok(exit::of_killed(&report, &others));
    }
    Ok(exit::of_run(&report, flaky, &others))
}

/// The line of a run whose clients were killed.
fn killed(report: &Report) -> String {
    let all = report.clients.iter().flat_map(|client| &client.scenarios);
    let (killed, others): (Vec<_>, Vec<_>) = all.partition(|one| exit::was_killed(one));
    let failed = others.iter().filter(|one| one.verdict == VerdictWord::Failed);
    let failed: Vec<String> = failed
        .map(|one| {
            format!("FAILED {}: {}\n", one.name, one.mismatches.first().map_or("", |one| &*one.message))
        })
        .collect();
    format!(
        "{}{} ended with their client, {} lived to their end or were not run",
        failed.concat(),
        killed.len(),
        others.len()
    )
}

impl RunArgs {
    fn keep<'a>(&self, bundle_dir: &'a Path) -> Keep<'a> {
        let asked = self.left.report.is_some() || self.left.reports.is_some();
        let of = match self.left.bundles {
            // What a killed client leaves tells nothing.
            _ if self.failures.kill_clients => None,
            Which::Failures => Some(BundlesOf::Failures),
            Which::All => Some(BundlesOf::All),
            Which::None => None,
        };
        Keep {
            sent: Kept::Nothing,
            evidence: if asked { Kept::All } else { Kept::Failures },
            bundles: of.map(|of| Bundles { folder: bundle_dir, of, seed: self.selection.seed }),
        }
    }
}

/// A build server never writes: a record that appears there would be looked at by nobody.
fn records(args: &RunArgs, places: &Places, client: &Client) -> Result<Option<Records>, Problem> {
    if args.pace.nasty.is_some() {
        // A record shows the usual course of things.
        return if args.failures.accept || args.failures.update_known_failures {
            Err(usage("--nasty shows a server at its worst: leave out --accept and --update-known-failures"))
        } else {
            Ok(None)
        };
    }
    let mode = match (is_ci(), args.failures.accept) {
        (true, true) => return Err(usage("--accept writes records, and nothing is written where CI is set")),
        (true, false) => Mode::Check,
        (false, true) => Mode::Accept,
        (false, false) => Mode::Propose,
    };
    let kept =
        args.selection.scenarios.is_none() && args.clients.command.is_empty() && !args.failures.kill_clients;
    let root = places.root.as_ref().filter(|_| kept);
    Ok(root.map(|root| Records::new(root.join("conformance/tests/snapshots").join(&client.name), mode)))
}
