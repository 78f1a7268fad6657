//! `conformance watch`: runs what a saved scenario or shim touches, again and again, until Ctrl-C.
//!
//! Each round is this program again, as a child: what a round loses or leaves behind cannot touch the next. One round
//! runs at a time; what is saved meanwhile makes one more.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use clap::Args;
use conformance::client::Client;
use conformance::exit::Exit;
use conformance::pattern::is_meant;
use conformance::report::model::{Report, VerdictWord};
use conformance::watch::{Ground, OfClient, Round};
use notify::event::{EventKind, MetadataKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::exit::{Problem, usage};
use crate::output::{tell, tell_line};
use crate::places::Places;

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance watch send/text-to-user                    one scenario, on the reference client
  conformance watch --client clients/mine.json
  conformance watch --client clients/mine.json --build 'go build ./shim' --also shim";

/// An editor writes a file in several steps; what comes within so long of each other is one save.
const ONE_SAVE: Duration = Duration::from_millis(60);

#[derive(Args)]
pub(crate) struct WatchArgs {
    /// Which scenarios: a part of area/name, or a pattern with `*`; left out, all
    filter: Vec<String>,
    /// The client: a name in conformance/clients, or the path of such a file; may be repeated; left out, `core`
    #[arg(long, value_name = "NAME|PATH.json")]
    client: Vec<String>,
    /// How many scenarios run at once; left out, as many as there are processors
    #[arg(long, value_name = "N")]
    jobs: Option<String>,
    /// The folder of the scenarios, instead of fixtures/scenarios of the repository
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,
    /// What builds the shim, before each round; words between spaces
    #[arg(long, value_name = "COMMAND")]
    build: Option<String>,
    /// Another file or folder of the shim; may be repeated
    #[arg(long, value_name = "PATH")]
    also: Vec<PathBuf>,
}

pub(crate) fn run(args: &WatchArgs) -> Result<Exit, Problem> {
    let places = Places::around(args.scenarios.as_deref())?;
    let names = if args.client.is_empty() { vec!["core".to_owned()] } else { args.client.clone() };
    let ground = ground(args, &names, &places)?;
    let (heard, saved) = channel();
    let mut watcher = notify::recommended_watcher(heard).map_err(cannot_watch)?;
    listen(&mut watcher, &ground)?;
    let folder = tempfile::tempdir().map_err(usage)?;
    let mut rounds =
        Rounds { args, names: &names, report: folder.path().join("report.json"), failed: BTreeMap::new() };
    rounds.take(&Round::All)?;
    loop {
        match next(&saved, &ground)? {
            Round::Nothing => {}
            round => rounds.take(&round)?,
        }
    }
}

struct Rounds<'a> {
    args: &'a WatchArgs,
    names: &'a [String],
    report: PathBuf,
    /// What failed last, by the name of the client that the command line gives it.
    failed: BTreeMap<String, BTreeSet<String>>,
}

impl Rounds<'_> {
    fn take(&mut self, round: &Round) -> Result<(), Problem> {
        if std::io::stdout().is_terminal() {
            tell!("\x1b[2J\x1b[H");
        }
        let ended = if self.build()? { self.run(round)? } else { "the build failed".to_owned() };
        tell_line!("watching: {ended}; a save runs what it touches, Ctrl-C ends");
        Ok(())
    }

    /// What became of it, in words.
    fn run(&mut self, round: &Round) -> Result<String, Problem> {
        match round {
            Round::Nothing => Ok("nothing to run".to_owned()),
            Round::All => self.child(self.names, &self.args.filter.clone()),
            Round::Scenarios(scenarios) => {
                let (meant, others): (Vec<String>, Vec<String>) =
                    scenarios.iter().cloned().partition(|name| self.is_meant(name));
                if meant.is_empty() {
                    return Ok(format!("{} is not meant by the filter", others.join(", ")));
                }
                self.child(self.names, &meant)
            }
            Round::Clients(clients) => {
                let mut ended = String::new();
                for client in clients {
                    ended = self.of_client(client)?;
                }
                Ok(ended)
            }
        }
    }

    /// What failed last, and, once that passes, everything.
    fn of_client(&mut self, client: &String) -> Result<String, Problem> {
        let one = std::slice::from_ref(client);
        let failed: Vec<String> = self.failed.get(client).into_iter().flatten().cloned().collect();
        if !failed.is_empty() {
            let ended = self.child(one, &failed)?;
            if self.failed.get(client).is_some_and(|failed| !failed.is_empty()) {
                return Ok(ended);
            }
        }
        self.child(one, &self.args.filter.clone())
    }

    fn is_meant(&self, scenario: &str) -> bool {
        let filter = &self.args.filter;
        filter.is_empty() || filter.iter().any(|filter| is_meant(filter, scenario))
    }

    fn child(&mut self, clients: &[String], filter: &[String]) -> Result<String, Problem> {
        let program = std::env::current_exe().map_err(usage)?;
        let mut command = Command::new(program);
        command.arg("run");
        for client in clients {
            command.arg("--client").arg(client);
        }
        if let Some(jobs) = &self.args.jobs {
            command.arg("--jobs").arg(jobs);
        }
        if let Some(folder) = &self.args.scenarios {
            command.arg("--scenarios").arg(folder);
        }
        std::fs::remove_file(&self.report).ok();
        command.arg("--report").arg(&self.report).args(filter);
        let status =
            command.status().map_err(|error| usage(format!("a round could not be started: {error}")))?;
        self.learn(clients);
        Ok(ended(status))
    }

    /// A round that began none of its scenarios, such as where a file is broken, changes nothing of what is known.
    fn learn(&mut self, clients: &[String]) {
        let report = std::fs::read(&self.report).ok();
        let Some(report) = report.and_then(|bytes| serde_json::from_slice::<Report>(&bytes).ok()) else {
            return;
        };
        for (named, client) in clients.iter().zip(&report.clients) {
            let failed = self.failed.entry(named.clone()).or_default();
            for scenario in &client.scenarios {
                match scenario.verdict {
                    VerdictWord::Failed | VerdictWord::Flaky | VerdictWord::StaleKnownFailure => {
                        failed.insert(scenario.name.clone());
                    }
                    VerdictWord::Passed | VerdictWord::KnownFailure | VerdictWord::Unsupported => {
                        failed.remove(&scenario.name);
                    }
                    VerdictWord::NotRun => {}
                }
            }
        }
    }

    /// Whether there is something to run by now.
    fn build(&self) -> Result<bool, Problem> {
        let Some(build) = &self.args.build else { return Ok(true) };
        let mut words = build.split_whitespace();
        let Some(program) = words.next() else { return Err(usage("--build: names no program")) };
        let built = Command::new(program).args(words).status();
        built.map(|status| status.success()).map_err(|error| usage(format!("--build {program}: {error}")))
    }
}

/// Waits for saves and says what they ask for. What has come meanwhile is taken together.
fn next(saved: &Receiver<notify::Result<notify::Event>>, ground: &Ground) -> Result<Round, Problem> {
    let first = saved.recv().map_err(|_| usage("nobody tells of saved files any more"))?;
    let mut paths = BTreeSet::new();
    let mut take = |event: notify::Result<notify::Event>| -> Result<(), Problem> {
        let event = event.map_err(cannot_watch)?;
        if is_a_save(event.kind) {
            paths.extend(event.paths);
        }
        Ok(())
    };
    take(first)?;
    while let Ok(event) = saved.recv_timeout(ONE_SAVE) {
        take(event)?;
    }
    Ok(ground.round(paths.iter().map(PathBuf::as_path)))
}

/// A round reads the very files that are watched.
fn is_a_save(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any | EventKind::Other => true,
        EventKind::Modify(ModifyKind::Metadata(of)) => of == MetadataKind::WriteTime,
        EventKind::Modify(_) => true,
        EventKind::Access(_) => false,
    }
}

fn listen(watcher: &mut RecommendedWatcher, ground: &Ground) -> Result<(), Problem> {
    let of_clients = ground.clients.iter().flat_map(|client| &client.files);
    let mut folders: BTreeMap<PathBuf, RecursiveMode> = BTreeMap::new();
    folders.insert(ground.scenarios.clone(), RecursiveMode::Recursive);
    for place in ground.shared.iter().chain(of_clients) {
        // A file is often saved by another that takes its place; only its folder hears of that.
        if place.is_dir() {
            folders.insert(place.clone(), RecursiveMode::Recursive);
        } else if let Some(folder) = place.parent().filter(|folder| folder.is_dir()) {
            folders.entry(folder.to_owned()).or_insert(RecursiveMode::NonRecursive);
        }
    }
    for (folder, mode) in &folders {
        watcher.watch(folder, *mode).map_err(cannot_watch)?;
    }
    Ok(())
}

fn ground(args: &WatchArgs, names: &[String], places: &Places) -> Result<Ground, Problem> {
    let whole = |path: &Path| {
        std::fs::canonicalize(path).map_err(|error| usage(format!("{}: {error}", path.display())))
    };
    let also = args.also.iter().map(|path| whole(path)).collect::<Result<Vec<_>, _>>()?;
    let mut clients = Vec::new();
    for name in names {
        let (client, _) = places.client(name)?;
        let mut files: Vec<PathBuf> = client.files().iter().filter_map(|path| whole(path).ok()).collect();
        // A program that is built here before each round is no reason for another.
        files.extend(shim(&client, args.build.is_none()).iter().filter_map(|path| whole(path).ok()));
        files.extend(also.iter().cloned());
        clients.push(OfClient { name: name.clone(), files });
    }
    let clauses = places.clauses()?;
    let media = clauses.with_file_name("media");
    let shared = [&clauses, &media].into_iter().filter_map(|path| whole(path).ok()).collect();
    Ok(Ground { scenarios: whole(&places.scenarios()?.0)?, shared, clients })
}

/// The program of a shim, and the folders of the files that its command line names.
fn shim(client: &Client, with_program: bool) -> Vec<PathBuf> {
    let program = client.program();
    let of_args = program.args.iter().map(|arg| program.folder.join(arg)).filter(|path| path.exists());
    let folders =
        of_args.filter_map(|path| if path.is_dir() { Some(path) } else { path.parent().map(Path::to_owned) });
    let itself = Path::new(&program.program);
    let itself = (with_program && itself.is_file()).then(|| itself.to_owned());
    folders.chain(itself).collect()
}

fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(0) => "as expected".to_owned(),
        Some(code) => format!("ended with {code}"),
        None => "was ended by a signal".to_owned(),
    }
}

fn cannot_watch(error: notify::Error) -> Problem {
    let paths: Vec<String> = error.paths.iter().map(|path| path.display().to_string()).collect();
    usage(format!("files cannot be watched: {}: {}", paths.join(", "), error))
}
