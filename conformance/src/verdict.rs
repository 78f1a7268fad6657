//! What a run of a scenario is worth, after the exceptions that a client's file makes.
//!
//! An exception has a reason and expires by itself: one that is no longer needed fails the run.

use std::collections::BTreeSet;

use crate::client::{Client, KnownOutcome};
use crate::judge::Finding;
use crate::pattern::is_match;
use crate::run::Outcome;

/// The judgement on one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was as expected.
    Passed,
    /// Something was not.
    Failed(Vec<Mismatch>),
    /// The client has no such call or event, and its file says so, or it has no file.
    Unsupported {
        /// What it lacks.
        what: String,
        /// Why.
        reason: String,
        /// Whether its file says so.
        declared: bool,
    },
    /// It failed as its file says.
    KnownFailure {
        /// Why, one sentence for each entry that applies.
        reason: String,
    },
    /// It passed, and its file says that it fails.
    StaleKnownFailure(Mismatch),
}

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where it was noticed.
    pub place: Place,
    /// What was expected and what came: a sentence, then a line for each field.
    pub message: String,
}

/// Where a mismatch was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a step: its number from 1, and its line.
    Step(usize, usize),
    /// Before the first step or after the last.
    Around,
    /// In a frame of the client.
    Wire,
    /// In the record.
    Record,
    /// In the client's file.
    ClientFile,
}

/// The entries of a client's file that were of use, by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    failures: BTreeSet<usize>,
    findings: BTreeSet<usize>,
    unsupported: BTreeSet<String>,
}

/// What a run showed, before any exception. The record is compared last, so it is asked for.
pub fn verdict(
    client: &Client,
    scenario: &str,
    outcome: &Outcome,
    findings: &[(Finding, usize)],
    record: impl FnOnce() -> Option<String>,
    used: &mut Used,
) -> Verdict {
    let mut mismatches = Vec::new();
    match outcome {
        Outcome::Finished => {}
        Outcome::Failed(failure) => {
            let place = failure.step.map_or(Place::Around, |(number, line)| Place::Step(number, line));
            mismatches.push(Mismatch { place, message: failure.message.clone() });
        }
        Outcome::Unsupported(what) => {
            return match (client.unsupported.get(what), &client.file) {
                (Some(reason), _) => {
                    used.unsupported.insert(what.clone());
                    Verdict::Unsupported { what: what.clone(), reason: reason.clone(), declared: true }
                }
                // Nothing is kept for a client of the command line, so nothing could become stale.
                (None, None) => {
                    let reason = "The shim says so, and no file describes the client.".to_owned();
                    Verdict::Unsupported { what: what.clone(), reason, declared: false }
                }
                (None, Some(path)) => Verdict::Failed(vec![Mismatch {
                    place: Place::ClientFile,
                    message: format!(
                        "the client has no {what}, and its file does not say so\n  \
                         add \"unsupported\": {{{what:?}: \"why\"}} to {}",
                        path.display()
                    ),
                }]),
            };
        }
    }
    for (finding, times) in findings {
        let known = client.known_findings.iter().position(|known| {
            known.clause == finding.clause
                && finding.text.contains(&known.text)
                && known.scenario.as_deref().is_none_or(|pattern| is_match(pattern, scenario))
        });
        if let Some(index) = known {
            used.findings.insert(index);
            continue;
        }
        let times = if *times == 1 { String::new() } else { format!(", {times} times") };
        mismatches.push(Mismatch {
            place: Place::Wire,
            message: format!(
                "{} sent what {} forbids{times}\n  {}",
                finding.user, finding.clause, finding.text
            ),
        });
    }
    if mismatches.is_empty() {
        mismatches.extend(record().map(|message| Mismatch { place: Place::Record, message }));
    }
    except(client, scenario, mismatches, used)
}

fn except(client: &Client, scenario: &str, mismatches: Vec<Mismatch>, used: &mut Used) -> Verdict {
    let entries =
        || client.known_failures.iter().enumerate().filter(|(_, known)| is_match(&known.scenario, scenario));
    // One that may pass is of use wherever it is meant for: also where another failure came this time.
    used.failures
        .extend(entries().filter(|(_, known)| known.outcome == KnownOutcome::Varies).map(|(index, _)| index));
    if mismatches.is_empty() {
        return match entries().find(|(_, known)| known.outcome == KnownOutcome::Fails) {
            None => Verdict::Passed,
            Some((index, known)) => {
                used.failures.insert(index);
                Verdict::StaleKnownFailure(Mismatch {
                    place: Place::ClientFile,
                    message: format!(
                        "it passes, and \"known_failures\" says that it fails\n  \
                         {}: {}\n  {}, or narrow its pattern",
                        known.scenario,
                        known.message,
                        client.mend_failure(index)
                    ),
                })
            }
        };
    }
    let mut reasons: Vec<&str> = Vec::new();
    for mismatch in &mismatches {
        let Some((index, known)) = entries().find(|(_, known)| mismatch.message.contains(&known.message))
        else {
            return Verdict::Failed(mismatches);
        };
        used.failures.insert(index);
        if !reasons.contains(&&*known.reason) {
            reasons.push(&known.reason);
        }
    }
    Verdict::KnownFailure { reason: reasons.join(" ") }
}

impl Used {
    /// Takes over what another worker used.
    pub fn merge(&mut self, other: Self) {
        self.failures.extend(other.failures);
        self.findings.extend(other.findings);
        self.unsupported.extend(other.unsupported);
    }

    /// After a run of every scenario: the entries that were of no use, and what to do about them.
    pub fn unused(&self, client: &Client) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, known) in client.known_failures.iter().enumerate() {
            if !self.failures.contains(&index) {
                lines.push(format!(
                    "known_failures: {:?} with message {:?} matches no failure; {}",
                    known.scenario,
                    known.message,
                    client.mend_failure(index)
                ));
            }
        }
        for (index, known) in client.known_findings.iter().enumerate() {
            if !self.findings.contains(&index) {
                lines.push(format!(
                    "known_findings: {} with text {:?} matches no finding; {}",
                    known.clause,
                    known.text,
                    client.mend_finding(index)
                ));
            }
        }
        for what in client.unsupported.keys() {
            if !self.unsupported.contains(what) {
                lines.push(format!("unsupported: {what:?} was never met; {}", client.mend_unsupported(what)));
            }
        }
        lines
    }
}
