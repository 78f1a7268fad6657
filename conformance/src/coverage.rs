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

    /// The clauses without a scenario that the reference passes.
    pub fn unproven(&self) -> Vec<&'a str> {
        let proven =
            |row: &Row<'a>| row.scenarios.iter().any(|cell| cell.clients.first() == Some(&Standing::Passes));
        self.clauses.iter().filter(|row| !proven(row)).map(|row| row.id).collect()
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
        let (all, unproven) = (self.clauses.len(), self.unproven());
        let reference = self.clients.first().copied().unwrap_or("no client");
        writeln!(text, "\n{} of {all} clauses have a scenario that {reference} passes", all - unproven.len())
            .expect("a String takes every write");
        if !unproven.is_empty() {
            writeln!(text, "without one: {}", unproven.join(", ")).expect("a String takes every write");
        }
        text
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
            Verdict::Failed(_) | Verdict::StaleKnownFailure(_) => Self::Fails,
            Verdict::KnownFailure { .. } => Self::KnownFailure,
            Verdict::Unsupported { .. } => Self::Unsupported,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::KnownFailure => "known failure",
            Self::Unsupported => "unsupported",
            Self::Fails => "FAILS",
            Self::NotRun => "not run",
        }
    }
}
