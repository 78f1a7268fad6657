//! Why the program ends before its work is done, and what of a run makes which exit code: the one place that decides.

use conformance::exit::Exit;
use conformance::report::model::{ClientReport, PlaceWord, Report, ScenarioReport, VerdictWord};

/// What went wrong, for the person at the command line.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

/// A flag, or a file that it names, is wrong.
pub(crate) fn usage(message: impl ToString) -> Problem {
    Problem { exit: Exit::Usage, message: message.to_string() }
}

/// Words that mean no scenario.
pub(crate) fn nothing_meant(message: impl ToString) -> Problem {
    Problem { exit: Exit::NothingRan, message: message.to_string() }
}

/// The program itself cannot do its part.
pub(crate) fn harness(message: impl ToString) -> Problem {
    Problem { exit: Exit::Harness, message: message.to_string() }
}

/// What a flaky scenario is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaky {
    Fails,
    Allowed,
}

/// What a run came to. `others` are what else was noticed, of which the gravest counts.
pub(crate) fn of_run(report: &Report, flaky: Flaky, others: &[Exit]) -> Exit {
    let mut exit = Exit::AsExpected;
    let evaluated =
        |one: &ClientReport| one.tally.passed + one.tally.failed + one.tally.flaky + one.tally.known_failures;
    if report.clients.iter().map(evaluated).sum::<usize>() == 0 {
        exit = exit.worse(Exit::NothingRan);
    }
    if report.interrupted {
        exit = exit.worse(Exit::Interrupted);
    }
    for client in &report.clients {
        exit = exit.worse(of_client(client, flaky));
    }
    others.iter().fold(exit, |exit, other| exit.worse(*other))
}

fn of_client(client: &ClientReport, flaky: Flaky) -> Exit {
    let failed: Vec<&ScenarioReport> = client
        .scenarios
        .iter()
        .filter(|one| match one.verdict {
            VerdictWord::Failed | VerdictWord::StaleKnownFailure => true,
            VerdictWord::Flaky => flaky == Flaky::Fails,
            VerdictWord::Passed
            | VerdictWord::KnownFailure
            | VerdictWord::Unsupported
            | VerdictWord::NotRun => false,
        })
        .collect();
    let is_record =
        |one: &&ScenarioReport| one.mismatches.iter().all(|mismatch| mismatch.place == PlaceWord::Record);
    if client.not_started.is_some() {
        Exit::NotStarted
    } else if !client.stale.is_empty() || !failed.iter().all(is_record) {
        Exit::Failures
    } else if !failed.is_empty() {
        Exit::SnapshotsPending
    } else {
        Exit::AsExpected
    }
}

/// For `--help`.
pub(crate) const TABLE: &str = "\
Exit codes:
    0  everything as expected
    1  a scenario failed or was flaky, or an exception in a client's file is stale or has expired
    2  the command line, or a scenario, client, report or bundle that it names, is wrong or cannot be read
    3  the client could not be started: no such program, no hello, another version of the protocol
    4  nothing ran: no scenario is meant, or the client supports none of them
    5  the harness is at fault: its server, a report that cannot be written, a panic
    6  nothing failed but records: `conformance review` shows them
  130  interrupted; reports tell of what ran until then
Of several the first of 130, 5, 3, 2, 1, 6, 4 is told.";
