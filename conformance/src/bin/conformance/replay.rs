//! `conformance replay`: a bundle against this build's server, or against a client; or its state, for a person.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use conformance::bundle::Bundle;
use conformance::client::Client;
use conformance::driver::subprocess::{self, Subprocess};
use conformance::driver::{Driver as _, DriverError};
use conformance::exceptions::Exceptions;
use conformance::exit::Exit;
use conformance::record::{Mode, Records};
use conformance::replay::{Unplayable, client, hold, server, until};
use conformance::verdict::{Mismatch, Verdict};

use crate::cli::TIMEOUT;
use crate::exit::{Problem, harness, usage};
use crate::hold::wait;
use crate::interrupt;
use crate::output::tell_line;
use crate::places::Places;
use crate::within::Within;

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance replay FILE.bundle.json                          the recorded client against this build's server
  conformance replay FILE.bundle.json --until 3 --hold         the server as it was before step 3, to look at
  conformance replay FILE.bundle.json --against-client         the recorded server against the recorded client
  conformance replay FILE.bundle.json --against-client -- node shim.mjs
  curl -O -J http://127.0.0.1:8989/_mock/ORG/APP/bundle        what is kept of a running server's world, to replay";

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// The bundle, which `conformance run` writes beside a failure
    bundle: PathBuf,
    /// Stop just before this step, counted from 1
    #[arg(long, value_name = "STEP")]
    until: Option<usize>,
    /// Serve that state on a port of this machine until Enter, the end of stdin or Ctrl-C, and say how to reach it
    #[arg(long, conflicts_with = "against_client")]
    hold: bool,
    /// What the server sent, against a client: by default the one of the record
    #[arg(long, conflicts_with = "until")]
    against_client: bool,
    /// Another client: a name in conformance/clients, or the path of such a file
    #[arg(long, value_name = "NAME|PATH.json", requires = "against_client", conflicts_with = "command")]
    client: Option<String>,
    /// How long the client may do nothing: 5s, 500ms
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, requires = "against_client")]
    timeout: Within,
    /// A shim that no file describes, and its arguments
    #[arg(last = true, value_name = "COMMAND", requires = "against_client")]
    command: Vec<String>,
}

pub(crate) fn run(args: &ReplayArgs) -> Result<Exit, Problem> {
    let bundle = Bundle::read(&args.bundle).map_err(usage)?;
    // A bundle is played where it was sent, too: what a repository has to say of the client is welcome, not needed.
    let places = Places::around(None).ok();
    if args.against_client {
        return against_client(args, &bundle, places.as_ref());
    }
    if args.hold || args.until.is_some() {
        return held(args, &bundle);
    }
    against_server(&bundle, places.as_ref())
}

fn against_server(bundle: &Bundle, places: Option<&Places>) -> Result<Exit, Problem> {
    let tape_alone = bundle.is_tape_alone();
    let played = if tape_alone { server::read(bundle) } else { server::play(bundle).map_err(problem)? };
    let (frames, requests) = played.counts();
    let of = &bundle.scenario.name;
    tell_line!(
        "{of} on {} {}, recorded by conformance {}",
        bundle.client.name,
        bundle.client.hello.version,
        bundle.harness
    );
    let exit = match &played.difference {
        None if tape_alone => {
            tell_line!(
                "{frames} frames and {requests} requests; what the server was given is not in it, so they are read and not \
                 played"
            );
            Exit::AsExpected
        }
        None => {
            tell_line!("the server's side: {frames} frames and {requests} requests, all as recorded");
            Exit::AsExpected
        }
        Some(difference) => {
            tell_line!("the server's side is not as recorded, first {difference}");
            Exit::Failures
        }
    };
    let client = client_of(&bundle.client.name, bundle, places)?;
    let exceptions = Exceptions::of(&client, &bundle.client.hello.version);
    let records = places
        .and_then(|places| places.root.as_ref())
        .filter(|_| client.file.is_some())
        .map(|root| Records::new(root.join("conformance/tests/snapshots").join(&client.name), Mode::Check));
    let scenario = server::scenario(bundle);
    let verdict = played.verdict(bundle, scenario.as_ref(), &exceptions, records.as_ref());
    match (bundle.is_live(), &verdict) {
        (false, verdict) => tell_line!("the verdict would be: {}", words(verdict)),
        (true, Verdict::Passed) if tape_alone => {
            tell_line!("its clients did nothing wrong that this build's judge finds")
        }
        (true, verdict) if tape_alone => {
            tell_line!("its clients, as this build's judge finds: {}", words(verdict))
        }
        (true, Verdict::Passed) => {
            tell_line!("its clients did nothing wrong that this build's server and judge find")
        }
        (true, verdict) => {
            tell_line!("its clients, as this build's server and judge find: {}", words(verdict))
        }
    }
    Ok(exit)
}

fn held(args: &ReplayArgs, bundle: &Bundle) -> Result<Exit, Problem> {
    let place = until(bundle, args.until).map_err(problem)?;
    if !args.hold {
        let (step, line) = place.step.expect("--until names a step");
        tell_line!(
            "step {step} (line {line}) begins after {} things that the server was given; --hold serves that state",
            place.entries
        );
        return Ok(Exit::AsExpected);
    }
    let held = hold::hold(bundle, &place).map_err(problem)?;
    // That is how it is meant to end, so nothing is said then.
    let interrupt = interrupt::listen("")?;
    tell_line!("{}\nEnter or Ctrl-C ends it.", held.told);
    std::io::stdout().flush().ok();
    wait(&interrupt);
    Ok(Exit::AsExpected)
}

fn against_client(args: &ReplayArgs, bundle: &Bundle, places: Option<&Places>) -> Result<Exit, Problem> {
    let client = if args.command.is_empty() {
        client_of(args.client.as_deref().unwrap_or(&bundle.client.name), bundle, places)?
    } else {
        Client::of_command(args.command.clone(), Path::new("."))
    };
    client::playable(bundle).map_err(problem)?;
    let interrupt = interrupt::listen("interrupted: the client is ended; once more ends it at once")?;
    let limits = subprocess::Limits::default();
    let started = Subprocess::start_watched(&client.program(), limits, |child| interrupt.watch(child));
    let mut driver = match started {
        Ok(driver) => driver,
        Err(DriverError::Interrupted) => return Ok(Exit::Interrupted),
        Err(error) => {
            return Err(Problem { exit: Exit::NotStarted, message: format!("{}: {error}", client.name) });
        }
    };
    let within: Duration = args.timeout.duration();
    let played = client::play(bundle, &mut driver, within).map_err(problem)?;
    if interrupt.is_raised() {
        return Ok(Exit::Interrupted);
    }
    tell_line!(
        "{} as recorded on {}, played to {} {}",
        bundle.scenario.name,
        bundle.client.name,
        client.name,
        driver.hello().version
    );
    let (lines, events) = (played.lines, played.events);
    if played.differences.is_empty() {
        tell_line!("the client's side: {lines} lines asked, {events} events shown, all as recorded");
        return Ok(Exit::AsExpected);
    }
    tell_line!("the client's side is not as recorded ({lines} lines asked, {events} events shown):");
    for difference in &played.differences {
        tell_line!("- {}", difference.replace('\n', "\n  "));
    }
    Ok(Exit::Failures)
}

/// The client of this name, if it has a file here; else as it was started then.
fn client_of(name: &str, bundle: &Bundle, places: Option<&Places>) -> Result<Client, Problem> {
    let is_the_recorded_one = name == bundle.client.name;
    match places {
        Some(places) if !is_the_recorded_one || places.client_names().iter().any(|one| one == name) => {
            Ok(places.client(name)?.0)
        }
        None if !is_the_recorded_one => Ok(Client::load(Path::new(name)).map_err(usage)?),
        Some(_) | None => Ok(Client::of_command(bundle.client.command.clone(), Path::new("."))),
    }
}

fn words(verdict: &Verdict) -> String {
    let told = |mismatches: &[Mismatch]| -> String {
        mismatches.iter().map(|mismatch| format!("\n  {}", mismatch.message.replace('\n', "\n  "))).collect()
    };
    match verdict {
        Verdict::Passed => "passed".to_owned(),
        Verdict::Failed(mismatches) => format!("failed{}", told(mismatches)),
        Verdict::Flaky(mismatches) => format!("flaky{}", told(mismatches)),
        Verdict::Unsupported { what, reason, .. } => format!("unsupported, {what}: {reason}"),
        Verdict::KnownFailure { reason, .. } => format!("a known failure: {reason}"),
        Verdict::StaleKnownFailure(mismatch) => format!("stale{}", told(std::slice::from_ref(mismatch))),
    }
}

fn problem(error: Unplayable) -> Problem {
    match error {
        Unplayable::NoJournal
        | Unplayable::Journal(_)
        | Unplayable::NoSuchStep { .. }
        | Unplayable::NothingAsked => usage(error),
        Unplayable::Harness(_) => harness(error),
    }
}
