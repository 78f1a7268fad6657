//! What a run of a scenario is worth, after the exceptions that a client's file makes.
//!
//! An exception has a reason and expires by itself: one that is no longer needed fails the run.

use crate::client::KnownOutcome;
use crate::exceptions::Exceptions;
use crate::judge::Finding;
use crate::run::Outcome;

/// The judgement on one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was as expected.
    Passed,
    /// Something was not.
    Failed(Vec<Mismatch>),
    /// Something was not, and when it was tried again everything was: what was wrong the first time.
    Flaky(Vec<Mismatch>),
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
        /// How.
        mismatches: Vec<Mismatch>,
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
    /// What the client lacks, where its file should say so.
    pub lacks: Option<String>,
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

/// What a run showed, before any exception. The record is compared last, so it is asked for.
pub fn verdict(
    exceptions: &Exceptions<'_>,
    scenario: &str,
    outcome: &Outcome,
    findings: &[(Finding, usize)],
    record: impl FnOnce() -> Option<String>,
) -> Verdict {
    let client = exceptions.client();
    let mut mismatches = Vec::new();
    match outcome {
        Outcome::Finished => {}
        Outcome::Failed(failure) => {
            let place = failure.step.map_or(Place::Around, |(number, line)| Place::Step(number, line));
            mismatches.push(Mismatch { place, message: failure.message.clone(), lacks: None });
        }
        Outcome::Unsupported(what) => {
            return match (client.unsupported.get(what), &client.file) {
                (Some(reason), _) => {
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
                    lacks: Some(what.clone()),
                }]),
            };
        }
    }
    for (finding, times) in findings {
        if exceptions.finding(scenario, finding).is_some() {
            continue;
        }
        let times = if *times == 1 { String::new() } else { format!(", {times} times") };
        mismatches.push(Mismatch {
            place: Place::Wire,
            message: format!(
                "{} sent what {} forbids{times}\n  {}",
                finding.user, finding.clause, finding.text
            ),
            lacks: None,
        });
    }
    if mismatches.is_empty() {
        mismatches.extend(record().map(|message| Mismatch { place: Place::Record, message, lacks: None }));
    }
    except(exceptions, scenario, mismatches)
}

/// The judgement on what a run showed, when the client's file has become another since.
pub fn again(exceptions: &Exceptions<'_>, scenario: &str, before: &Verdict) -> Verdict {
    match before {
        Verdict::Passed | Verdict::StaleKnownFailure(_) => except(exceptions, scenario, Vec::new()),
        Verdict::Failed(mismatches) | Verdict::KnownFailure { mismatches, .. } => {
            let lacks = mismatches.iter().find_map(|mismatch| mismatch.lacks.as_ref());
            match lacks.and_then(|what| Some((what, exceptions.client().unsupported.get(what)?))) {
                Some((what, reason)) => {
                    Verdict::Unsupported { what: what.clone(), reason: reason.clone(), declared: true }
                }
                None => except(exceptions, scenario, mismatches.clone()),
            }
        }
        Verdict::Flaky(_) | Verdict::Unsupported { .. } => before.clone(),
    }
}

fn except(exceptions: &Exceptions<'_>, scenario: &str, mismatches: Vec<Mismatch>) -> Verdict {
    let entries = || exceptions.failures(scenario);
    if mismatches.is_empty() {
        return match entries().find(|(_, known)| known.outcome == KnownOutcome::Fails) {
            None => Verdict::Passed,
            Some((index, known)) => Verdict::StaleKnownFailure(Mismatch {
                place: Place::ClientFile,
                message: format!(
                    "it passes, and \"known_failures\" says that it fails\n  \
                     {}: {}\n  {}, or narrow its pattern",
                    known.scenario,
                    known.message,
                    exceptions.client().mend_failure(index)
                ),
                lacks: None,
            }),
        };
    }
    let mut reasons: Vec<&str> = Vec::new();
    for mismatch in &mismatches {
        let Some((_, known)) = entries().find(|(_, known)| mismatch.message.contains(&known.message)) else {
            return Verdict::Failed(mismatches);
        };
        if !reasons.contains(&&*known.reason) {
            reasons.push(&known.reason);
        }
    }
    Verdict::KnownFailure { reason: reasons.join(" "), mismatches }
}
