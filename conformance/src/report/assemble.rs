//! A [`Report`] made of what suites have shown. From there on nothing else is needed to tell of a run.

use crate::clause::Clause;
use crate::driver::{DriverError, Hello};
use crate::scenario::Scenario;
use crate::selection::Selection;
use crate::suite::{Evaluated, Suite};
use crate::verdict::{Mismatch, Place, Verdict};

use super::model::{
    ClauseReport, ClientReport, FORMAT, FindingReport, MismatchReport, PlaceWord, Report, ScenarioReport,
    ScenarioText, Tally, VerdictWord,
};

/// What only the command line knows of a run.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// When it began, in ms since 1970.
    pub started_ms: u64,
    /// How long it took.
    pub ms: u64,
    /// See [`Report::program`].
    pub program: &'a str,
    /// What was meant.
    pub selection: &'a Selection,
    /// It was ended before everything had run.
    pub interrupted: bool,
    /// See [`Report::nasty`].
    pub nasty: Option<u64>,
}

/// What is known of a client beside what its suite shows.
#[derive(Clone, Debug)]
pub struct ClientTold {
    /// The name of its file; `command` for a client of the command line.
    pub name: String,
    /// Its file, as failures name it; `None` for a client of the command line.
    pub file: Option<String>,
    /// See [`ClientReport::stale`].
    pub stale: Vec<String>,
    /// See [`ClientReport::mend`].
    pub mend: Option<String>,
    /// See [`ClientReport::unexplained`].
    pub unexplained: Vec<String>,
    /// See [`ClientReport::again`].
    pub again: String,
}

impl Report {
    /// Of all clients. `scenarios` are those that were to be run, in any order.
    pub fn of(
        told: Told<'_>,
        clauses: &[Clause],
        scenarios: &[&Scenario],
        clients: Vec<ClientReport>,
    ) -> Self {
        let clause = |clause: &Clause| ClauseReport {
            id: clause.id.clone(),
            level: clause.level,
            statement: clause.statement.clone(),
        };
        let text = |scenario: &&Scenario| ScenarioText {
            name: scenario.name.clone(),
            path: scenario.path.display().to_string().replace(std::path::MAIN_SEPARATOR, "/"),
            why: scenario.why.clone(),
            clauses: scenario.clauses.clone(),
            source: scenario.source.clone(),
        };
        let mut scenarios: Vec<ScenarioText> = scenarios.iter().map(text).collect();
        scenarios.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            format: FORMAT,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            program: told.program.to_owned(),
            started_ms: told.started_ms,
            ms: told.ms,
            seed: told.selection.seed,
            nasty: told.nasty,
            shard: told.selection.shard.map(|shard| shard.to_string()),
            interrupted: told.interrupted,
            clauses: clauses.iter().map(clause).collect(),
            scenarios,
            clients,
        }
    }
}

impl ClientReport {
    /// Of a client that was run.
    pub fn of(suite: Suite<'_>, told: ClientTold) -> Self {
        let Suite { hello, evaluated, not_run, server_fault: _ } = suite;
        let mut scenarios: Vec<ScenarioReport> = evaluated.into_iter().map(ScenarioReport::from).collect();
        scenarios.extend(not_run.iter().map(|one| ScenarioReport::not_run(&one.name)));
        Self::new(Some(&hello), None, told, scenarios)
    }

    /// Of a client that could not be started.
    pub fn not_started(error: &DriverError, told: ClientTold, scenarios: &[&Scenario]) -> Self {
        let scenarios = scenarios.iter().map(|one| ScenarioReport::not_run(&one.name)).collect();
        Self::new(None, Some(error.to_string()), told, scenarios)
    }

    /// Of a client whose turn never came.
    pub fn not_run(told: ClientTold, scenarios: &[&Scenario]) -> Self {
        let scenarios = scenarios.iter().map(|one| ScenarioReport::not_run(&one.name)).collect();
        Self::new(None, None, told, scenarios)
    }

    fn new(
        hello: Option<&Hello>,
        not_started: Option<String>,
        told: ClientTold,
        mut scenarios: Vec<ScenarioReport>,
    ) -> Self {
        scenarios.sort_by(|one, other| one.name.cmp(&other.name));
        Self {
            name: told.name,
            calls_itself: hello.map(|hello| hello.name.clone()).unwrap_or_default(),
            version: hello.map(|hello| hello.version.clone()).unwrap_or_default(),
            capabilities: hello
                .iter()
                .flat_map(|hello| &hello.capabilities)
                .map(|one| one.as_str().to_owned())
                .collect(),
            not_started,
            tally: Tally::of(&scenarios),
            stale: told.stale,
            mend: told.mend,
            unexplained: told.unexplained,
            file: told.file,
            again: told.again,
            scenarios,
        }
    }
}

impl ScenarioReport {
    fn not_run(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            verdict: VerdictWord::NotRun,
            reason: None,
            mismatches: Vec::new(),
            findings: Vec::new(),
            ms: 0,
            tries: 0,
            bundle: None,
            evidence: None,
        }
    }
}

impl From<Evaluated<'_>> for ScenarioReport {
    fn from(one: Evaluated<'_>) -> Self {
        let verdict = VerdictWord::from(&one.verdict);
        let (reason, mismatches) = match one.verdict {
            Verdict::Passed => (None, Vec::new()),
            Verdict::Failed(mismatches) | Verdict::Flaky(mismatches) => (None, mismatches),
            Verdict::StaleKnownFailure(mismatch) => (None, vec![mismatch]),
            Verdict::KnownFailure { reason, mismatches } => (Some(reason), mismatches),
            Verdict::Unsupported { what, declared: false, .. } => (Some(what), Vec::new()),
            Verdict::Unsupported { what, reason, declared: true } => {
                (Some(format!("{what}: {reason}")), Vec::new())
            }
        };
        let finding = |(found, times): (crate::judge::Finding, usize)| FindingReport {
            clause: found.clause,
            user: found.user,
            text: found.text,
            times,
        };
        Self {
            name: one.scenario.name.clone(),
            verdict,
            reason,
            mismatches: mismatches.into_iter().map(MismatchReport::from).collect(),
            findings: one.findings.into_iter().map(finding).collect(),
            ms: u64::try_from(one.took.as_millis()).unwrap_or(u64::MAX),
            tries: one.tries,
            bundle: one.bundle.map(|path| path.display().to_string()),
            evidence: one.evidence,
        }
    }
}

impl From<&Verdict> for VerdictWord {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Passed => Self::Passed,
            Verdict::Failed(_) => Self::Failed,
            Verdict::Flaky(_) => Self::Flaky,
            Verdict::StaleKnownFailure(_) => Self::StaleKnownFailure,
            Verdict::KnownFailure { .. } => Self::KnownFailure,
            Verdict::Unsupported { .. } => Self::Unsupported,
        }
    }
}

impl From<Mismatch> for MismatchReport {
    fn from(mismatch: Mismatch) -> Self {
        let (place, step, line) = match mismatch.place {
            Place::Step(step, line) => (PlaceWord::Step, Some(step), Some(line)),
            Place::Around => (PlaceWord::Around, None, None),
            Place::Wire => (PlaceWord::Wire, None, None),
            Place::Record => (PlaceWord::Record, None, None),
            Place::ClientFile => (PlaceWord::ClientFile, None, None),
        };
        Self { place, step, line, message: mismatch.message }
    }
}

impl Tally {
    /// Counts.
    pub fn of(scenarios: &[ScenarioReport]) -> Self {
        let mut tally = Self::default();
        for one in scenarios {
            tally.count(one.verdict);
        }
        tally
    }

    /// One more.
    pub fn count(&mut self, verdict: VerdictWord) {
        match verdict {
            VerdictWord::Passed => self.passed += 1,
            VerdictWord::Failed | VerdictWord::StaleKnownFailure => self.failed += 1,
            VerdictWord::Flaky => self.flaky += 1,
            VerdictWord::KnownFailure => self.known_failures += 1,
            VerdictWord::Unsupported => self.unsupported += 1,
            VerdictWord::NotRun => self.not_run += 1,
        }
    }
}
