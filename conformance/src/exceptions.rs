//! Which exceptions of a client's file hold for the client as it is now, and, after a run, which of them nothing needs
//! any more.
//!
//! What is not needed is told only as far as it is known: of a run of some scenarios, the entries all of whose
//! scenarios ran. It changes no file; [`crate::amend`] does.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::{Client, Day, KnownFailure, KnownFinding, KnownOutcome, UNEXPLAINED};
use crate::judge::Finding;
use crate::pattern::is_match;
use crate::suite::Evaluated;
use crate::verdict::{Mismatch, Verdict};

/// How many names are told for one that is mistyped.
const NEAREST_MAX: usize = 3;
/// How alike two names must be for one to be told for the other, of 1: `send/txet` and `send/text` are at 0.9.
const ALIKE_MIN: f64 = 0.6;

/// The exceptions of a client, as far as they hold for its version.
#[derive(Clone, Debug)]
pub struct Exceptions<'a> {
    client: &'a Client,
    version: &'a str,
    /// The indexes of the known failures that are made for another version.
    of_others: BTreeSet<usize>,
}

/// What a run has shown of one scenario.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its name.
    pub scenario: &'a str,
    /// The judgement.
    pub verdict: &'a Verdict,
    /// What the client did wrong on the wire, known or not, and how often.
    pub findings: &'a [(Finding, usize)],
}

/// What a run has shown of all that it ran.
#[derive(Clone, Debug)]
pub struct Sight<'a> {
    pub(crate) seen: BTreeMap<&'a str, Seen<'a>>,
    /// All names that there are; `None`: the scenarios are not those that the file is about.
    pub(crate) all: Option<&'a BTreeSet<&'a str>>,
}

/// Which entry of a client's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// The known failure of this index.
    Failure(usize),
    /// The known finding of this index.
    Finding(usize),
    /// This word of `unsupported`.
    Unsupported(String),
}

/// An entry that fails the run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Which.
    pub entry: Entry,
    /// Why.
    pub why: Why,
    /// What is wrong with it and what to do, in a line.
    pub message: String,
}

/// Why an entry fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing needs it.
    Unneeded,
    /// Its pattern names no scenario at all.
    NamesNothing,
    /// Its last day is over.
    Expired,
    /// It is made for some versions, and the client does not tell its own.
    NoVersion,
}

impl<'a> Exceptions<'a> {
    /// Those that hold for a client that says in its hello that it is of this version.
    pub fn of(client: &'a Client, version: &'a str) -> Self {
        let is_of_others = |known: &KnownFailure| {
            known.versions.as_ref().is_some_and(|range| range.hold(version) == Some(false))
        };
        let failures = client.known_failures.iter().enumerate();
        let of_others = failures.filter(|(_, known)| is_of_others(known)).map(|(index, _)| index).collect();
        Self { client, version, of_others }
    }

    /// The client.
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// The known failures of a scenario, by index.
    pub fn failures(&self, scenario: &str) -> impl Iterator<Item = (usize, &'a KnownFailure)> {
        self.all_failures().filter(move |(_, known)| is_match(&known.scenario, scenario))
    }

    /// The known failures of all scenarios, by index.
    pub(crate) fn all_failures(&self) -> impl Iterator<Item = (usize, &'a KnownFailure)> {
        self.client.known_failures.iter().enumerate().filter(|(index, _)| !self.of_others.contains(index))
    }

    /// The index of the entry that knows a finding.
    pub fn finding(&self, scenario: &str, finding: &Finding) -> Option<usize> {
        let knows = |known: &KnownFinding| {
            known.clause == finding.clause
                && finding.text.contains(&known.text)
                && known.scenario.as_deref().is_none_or(|pattern| is_match(pattern, scenario))
        };
        self.client.known_findings.iter().position(knows)
    }

    /// The entries that fail the run, in the order of the file.
    pub fn stale(&self, sight: &Sight<'_>, today: Day) -> Vec<Stale> {
        let mut stale: Vec<Stale> = self
            .all_failures()
            .filter_map(|(index, known)| self.stale_failure(index, known, sight, today))
            .collect();
        stale.extend(self.stale_findings(sight));
        stale.extend(self.stale_words(sight));
        stale
    }

    /// The entries that the harness wrote down itself and nobody has explained yet, each in a line.
    pub fn unexplained(&self) -> Vec<String> {
        let failures =
            self.client.known_failures.iter().filter(|known| known.reason.starts_with(UNEXPLAINED));
        let words = self.client.unsupported.iter().filter(|(_, reason)| reason.starts_with(UNEXPLAINED));
        failures
            .map(|known| format!("known_failures: {:?} with message {:?}", known.scenario, known.message))
            .chain(words.map(|(what, _)| format!("unsupported: {what:?}")))
            .collect()
    }

    fn stale_failure(
        &self,
        index: usize,
        known: &KnownFailure,
        sight: &Sight<'_>,
        today: Day,
    ) -> Option<Stale> {
        let told = |why: Why, message: String| {
            let message = format!("known_failures: {:?} {message}", known.scenario);
            Some(Stale { entry: Entry::Failure(index), why, message })
        };
        let mend = self.client.mend_failure(index);
        if let Some(all) = sight.all.filter(|all| !all.iter().any(|name| is_match(&known.scenario, name))) {
            let nearest = nearest(&known.scenario, all.iter().copied());
            let meant = if nearest.is_empty() { String::new() } else { format!(", nearest: {nearest}") };
            return told(Why::NamesNothing, format!("names no scenario{meant}; correct it, or {mend}"));
        }
        if let Some(versions) = known.versions.as_ref().filter(|range| range.hold(self.version).is_none()) {
            return told(
                Why::NoVersion,
                format!(
                    "is for versions {versions}, and the client says in its hello that its version is {:?}; \
                     let it say one such as \"1.2.3\", or remove \"versions\"",
                    self.version
                ),
            );
        }
        if sight.is_unneeded(known) {
            return told(
                Why::Unneeded,
                format!("with message {:?} matches no failure; {mend}", known.message),
            );
        }
        let until = known.until.filter(|until| *until < today && sight.any(&known.scenario))?;
        told(
            Why::Expired,
            format!(
                "with message {:?} was good until {until}, and that is over; look at it again",
                known.message
            ),
        )
    }

    fn stale_findings(&self, sight: &Sight<'_>) -> Vec<Stale> {
        let judged = sight.seen.values().filter(|seen| !matches!(seen.verdict, Verdict::Unsupported { .. }));
        let of_use: BTreeSet<usize> = judged
            .flat_map(|seen| seen.findings.iter().filter_map(|(found, _)| self.finding(seen.scenario, found)))
            .collect();
        let useless = self.client.known_findings.iter().enumerate().filter(|(index, known)| {
            !of_use.contains(index) && sight.all_ran(known.scenario.as_deref().unwrap_or("*"))
        });
        useless
            .map(|(index, known)| Stale {
                entry: Entry::Finding(index),
                why: Why::Unneeded,
                message: format!(
                    "known_findings: {} with text {:?} matches no finding; {}",
                    known.clause,
                    known.text,
                    self.client.mend_finding(index)
                ),
            })
            .collect()
    }

    fn stale_words(&self, sight: &Sight<'_>) -> Vec<Stale> {
        if !sight.all_ran("*") {
            return Vec::new();
        }
        let met: BTreeSet<&str> = sight.seen.values().filter_map(|seen| seen.lacks()).collect();
        let words = self.client.unsupported.keys().filter(|what| !met.contains(what.as_str()));
        words
            .map(|what| Stale {
                entry: Entry::Unsupported(what.clone()),
                why: Why::Unneeded,
                message: format!(
                    "unsupported: {what:?} was never met; {}",
                    self.client.mend_unsupported(what)
                ),
            })
            .collect()
    }
}

impl<'a> Seen<'a> {
    /// What was not as expected, known or not.
    pub(crate) fn mismatches(&self) -> &'a [Mismatch] {
        match self.verdict {
            Verdict::Failed(mismatches)
            | Verdict::Flaky(mismatches)
            | Verdict::KnownFailure { mismatches, .. } => mismatches,
            Verdict::Passed | Verdict::Unsupported { .. } | Verdict::StaleKnownFailure(_) => &[],
        }
    }

    /// The word for what the client lacks, if its file says so.
    fn lacks(&self) -> Option<&'a str> {
        match self.verdict {
            Verdict::Unsupported { what, .. } => Some(what),
            Verdict::Passed
            | Verdict::Failed(_)
            | Verdict::Flaky(_)
            | Verdict::KnownFailure { .. }
            | Verdict::StaleKnownFailure(_) => None,
        }
    }

    /// Whether a known failure is what happened.
    pub(crate) fn needs(&self, known: &KnownFailure) -> bool {
        self.mismatches().iter().any(|mismatch| mismatch.message.contains(&known.message))
    }

    /// Whether nothing was wrong.
    pub(crate) fn passed(&self) -> bool {
        matches!(self.verdict, Verdict::Passed | Verdict::StaleKnownFailure(_))
    }
}

impl<'a> From<&'a Evaluated<'_>> for Seen<'a> {
    fn from(one: &'a Evaluated<'_>) -> Self {
        Self { scenario: &one.scenario.name, verdict: &one.verdict, findings: &one.findings }
    }
}

impl<'a> Sight<'a> {
    /// What was seen of these; `all` are the names of all scenarios that there are, or `None` if those that ran are
    /// not the ones that the client's file is about.
    pub fn new(seen: impl IntoIterator<Item = Seen<'a>>, all: Option<&'a BTreeSet<&'a str>>) -> Self {
        Self { seen: seen.into_iter().map(|seen| (seen.scenario, seen)).collect(), all }
    }

    /// Those that a pattern means.
    pub(crate) fn of<'s>(&'s self, pattern: &'s str) -> impl Iterator<Item = &'s Seen<'a>> {
        self.seen.values().filter(move |seen| is_match(pattern, seen.scenario))
    }

    fn any(&self, pattern: &str) -> bool {
        self.of(pattern).next().is_some()
    }

    /// Whether everything that a pattern means has run.
    fn all_ran(&self, pattern: &str) -> bool {
        match self.all {
            Some(all) => {
                all.iter().filter(|name| is_match(pattern, name)).all(|name| self.seen.contains_key(name))
            }
            None => self.seen.contains_key(pattern),
        }
    }

    /// Whether it is known that a known failure is not what happens. One that passed fails its own scenario, and is
    /// not told again here; a race that did not come may still come.
    fn is_unneeded(&self, known: &KnownFailure) -> bool {
        let may_pass = known.outcome == KnownOutcome::Varies;
        let told = |seen: &Seen<'_>| matches!(seen.verdict, Verdict::StaleKnownFailure(_));
        !may_pass
            && self.any(&known.scenario)
            && self.all_ran(&known.scenario)
            && !self.of(&known.scenario).any(|seen| seen.needs(known) || told(seen))
    }
}

/// The names that look most like this one, for a message; empty if none does.
pub fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let mut alike: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(alike, _)| *alike >= ALIKE_MIN)
        .collect();
    alike.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
    alike.truncate(NEAREST_MAX);
    alike.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}
