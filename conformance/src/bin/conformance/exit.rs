//! Why the program ends before its work is done, and what of a run makes which exit code: the one place that decides.

use conformance::exit::Exit;
use conformance::report::model::{
    ClientReport, MismatchReport, PlaceWord, Report, ScenarioReport, VerdictWord,
};

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
    exit = exit.worse(of_clients(&report.clients, flaky));
    others.iter().fold(exit, |exit, other| exit.worse(*other))
}

/// What was not as expected with some clients.
pub(crate) fn of_clients(clients: &[ClientReport], flaky: Flaky) -> Exit {
    clients.iter().fold(Exit::AsExpected, |exit, client| exit.worse(of_client(client, flaky)))
}

/// As [`of_run`], of a run that killed its clients: a scenario may fail for that.
pub(crate) fn of_killed(report: &Report, others: &[Exit]) -> Exit {
    let scenarios = report.clients.iter().flat_map(|client| &client.scenarios);
    let wrong = scenarios.filter(|one| one.verdict == VerdictWord::Failed && !was_killed(one)).count();
    let exit = if wrong > 0 { Exit::Failures } else { Exit::AsExpected };
    let exit = if report.interrupted { exit.worse(Exit::Interrupted) } else { exit };
    let not_started = report.clients.iter().any(|client| client.not_started.is_some());
    let exit = if not_started { exit.worse(Exit::NotStarted) } else { exit };
    others.iter().fold(exit, |exit, other| exit.worse(*other))
}

/// Whether a scenario failed for its client's process was ended.
pub(crate) fn was_killed(one: &ScenarioReport) -> bool {
    let died = |mismatch: &MismatchReport| mismatch.message.contains("the client's process ended");
    one.verdict == VerdictWord::Failed && one.mismatches.iter().any(died)
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
