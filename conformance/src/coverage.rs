//! Which clause is evaluated by which scenario, and what each client does there.
//!
//! It counts what runs have shown, and never guesses: a scenario that a client was not run on since it, or the client's
//! file, was changed is `not run`.

use std::fmt::Write as _;

use serde::Serialize;

use crate::clause::{Clause, Level};
use crate::results::Results;
use crate::scenario::Scenario;
use crate::verdict::Verdict;

/// What a client does on a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// As the scenario says.
    Passes,
    /// Otherwise, and its file says so.
    KnownFailure,
    /// It lacks a call or an event.
    Unsupported,
    /// Otherwise.
    Fails,
    /// Nobody knows.
    NotRun,
}

/// A table of clauses, their scenarios and clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage<'a> {
    /// The clients, the reference first.
    clients: Vec<&'a str>,
    /// The clauses, in the order of their file.
    clauses: Vec<Row<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Row<'a> {
    id: &'a str,
    level: Level,
    statement: &'a str,
    scenarios: Vec<Cell<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Cell<'a> {
    name: &'a str,
    /// What each client does, in the order of the clients.
    clients: Vec<Standing>,
}

impl<'a> Coverage<'a> {
    /// Puts the table together; the first of `clients` is the reference.
    pub fn new(clauses: &'a [Clause], scenarios: &'a [Scenario], clients: &'a [Results]) -> Self {
        let cell = |scenario: &'a Scenario| Cell {
            name: &scenario.name,
            clients: clients.iter().map(|client| client.standing(scenario)).collect(),
        };
        let row = |clause: &'a Clause| Row {
            id: &clause.id,
            level: clause.level,
            statement: &clause.statement,
            scenarios: scenarios
                .iter()
                .filter(|scenario| scenario.clauses.contains(&clause.id))
                .map(cell)
                .collect(),
        };
        Self {
            clients: clients.iter().map(|client| &*client.client).collect(),
            clauses: clauses.iter().map(row).collect(),
        }
    }

    /// The clauses that nothing proves, as far as is known.
    pub fn unproven(&self) -> Vec<&'a str> {
        [self.ids(Proof::None), self.ids(Proof::NotRun)].concat()
    }

    fn ids(&self, wanted: Proof) -> Vec<&'a str> {
        self.clauses.iter().filter(|row| row.proof() == wanted).map(|row| row.id).collect()
    }

    /// The table for a person, a block a clause, and the count as the last lines.
    pub fn text(&self) -> String {
        let names = self.clauses.iter().flat_map(|row| row.scenarios.iter().map(|cell| cell.name.len() + 2));
        let ids = self.clauses.iter().map(|row| row.id.len());
        let first = names.chain(ids).max().unwrap_or_default();
        let widths: Vec<usize> =
            self.clients.iter().map(|client| client.len().max(Standing::KnownFailure.word().len())).collect();
        let mut text = String::new();
        let mut line = |label: &str, cells: &[String]| {
            let mut line = format!("{label:first$}");
            for (cell, width) in cells.iter().zip(&widths) {
                write!(line, "  {cell:width$}").expect("a String takes every write");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        };
        line(
            "clause / scenario",
            &self.clients.iter().map(|client| (*client).to_owned()).collect::<Vec<_>>(),
        );
        for row in &self.clauses {
            let whole: Vec<String> = (0..self.clients.len()).map(|at| summary(row, at)).collect();
            line(row.id, &whole);
            for cell in &row.scenarios {
                let words: Vec<String> = cell.clients.iter().map(|one| one.word().to_owned()).collect();
                line(&format!("  {}", cell.name), &words);
            }
        }
        let all = self.clauses.len();
        let reference = self.clients.first().copied().unwrap_or("no client");
        let by_reference = self.ids(Proof::Reference).len();
        writeln!(text, "\n{by_reference} of {all} clauses have a scenario that {reference} passes")
            .expect("a String takes every write");
        let by_others = self.ids(Proof::Other);
        if !by_others.is_empty() {
            writeln!(
                text,
                "{} more need what {reference} lacks, and another client passes one",
                by_others.len()
            )
            .expect("a String takes every write");
        }
        let without = self.ids(Proof::None);
        if !without.is_empty() {
            writeln!(text, "without one: {}", without.join(", ")).expect("a String takes every write");
        }
        let unknown = self.ids(Proof::NotRun);
        if !unknown.is_empty() {
            let ids = unknown.join(", ");
            writeln!(
                text,
                "not known, for {reference} lacks the calls and no other client was run on them: {ids}"
            )
            .expect("a String takes every write");
        }
        text
    }
}

/// Who shows that a clause can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// The reference passes a scenario of it.
    Reference,
    /// Every scenario of it needs something that the reference lacks, and another client passes one.
    Other,
    /// As [`Self::Other`], but that of some client nobody knows what it does there.
    NotRun,
    None,
}

impl Row<'_> {
    fn proof(&self) -> Proof {
        let reference = |cell: &Cell<'_>| cell.clients.first().copied().unwrap_or(Standing::NotRun);
        let lacking = self.scenarios.iter().all(|cell| reference(cell) == Standing::Unsupported);
        if self.scenarios.iter().any(|cell| reference(cell) == Standing::Passes) {
            Proof::Reference
        } else if lacking && self.scenarios.iter().any(|cell| cell.clients.contains(&Standing::Passes)) {
            Proof::Other
        } else if lacking && self.scenarios.iter().any(|cell| cell.clients.contains(&Standing::NotRun)) {
            Proof::NotRun
        } else {
            Proof::None
        }
    }
}

/// What a client does on all scenarios of a clause, in a few words.
fn summary(row: &Row<'_>, client: usize) -> String {
    let all = row.scenarios.len();
    let count =
        |standing: Standing| row.scenarios.iter().filter(|cell| cell.clients[client] == standing).count();
    if all == 0 {
        return "-".to_owned();
    }
    if count(Standing::Fails) > 0 {
        return Standing::Fails.word().to_owned();
    }
    let same = [Standing::Passes, Standing::KnownFailure, Standing::Unsupported, Standing::NotRun]
        .into_iter()
        .find(|standing| count(*standing) == all);
    match same {
        Some(standing) => standing.word().to_owned(),
        None => format!("{} of {all} pass", count(Standing::Passes)),
    }
}

impl Standing {
    /// What a verdict comes to.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Passed => Self::Passes,
            Verdict::Failed(_) | Verdict::Flaky(_) | Verdict::StaleKnownFailure(_) => Self::Fails,
            Verdict::KnownFailure { .. } => Self::KnownFailure,
            Verdict::Unsupported { .. } => Self::Unsupported,
        }
    }

    /// For a person.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::KnownFailure => "known failure",
            Self::Unsupported => "unsupported",
            Self::Fails => "FAILS",
            Self::NotRun => "not run",
        }
    }
}
