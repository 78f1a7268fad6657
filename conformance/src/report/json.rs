//! `report.json`: the same for a program. Fields are only ever added.

use serde::Serialize;

use crate::coverage::Coverage;
use crate::suite::Suite;
use crate::verdict::{Place, Verdict};

use super::Tally;

/// The version of this format.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    client: Client<'a>,
    passed: usize,
    failed: usize,
    known_failures: usize,
    unsupported: usize,
    /// Entries of the client's file, and records, that nothing needs any more.
    stale: &'a [String],
    scenarios: Vec<Scenario<'a>>,
    /// What each client does on each clause; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'a Coverage<'a>>,
}

#[derive(Serialize)]
struct Client<'a> {
    /// Of its file.
    name: &'a str,
    /// Of its hello.
    calls_itself: &'a str,
    version: &'a str,
    capabilities: Vec<&'static str>,
}

#[derive(Serialize)]
struct Scenario<'a> {
    name: &'a str,
    clauses: &'a [String],
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    mismatches: Vec<Mismatch<'a>>,
    findings: Vec<Finding<'a>>,
    ms: u128,
}

#[derive(Serialize)]
struct Mismatch<'a> {
    place: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    message: &'a str,
}

#[derive(Serialize)]
struct Finding<'a> {
    clause: &'a str,
    user: &'a str,
    text: &'a str,
    times: usize,
}

/// The report of a run.
pub fn report(suite: &Suite<'_>, client: &str, stale: &[String], coverage: Option<&Coverage<'_>>) -> String {
    let Tally { passed, failed, known_failures, unsupported } = Tally::of(suite);
    let hello = &suite.hello;
    let report = Report {
        format: FORMAT,
        client: Client {
            name: client,
            calls_itself: &hello.name,
            version: &hello.version,
            capabilities: hello.capabilities.iter().map(|one| one.as_str()).collect(),
        },
        passed,
        failed,
        known_failures,
        unsupported,
        stale,
        scenarios: suite.evaluated.iter().map(scenario).collect(),
        coverage,
    };
    serde_json::to_string_pretty(&report).expect("a report has only string keys")
}

fn scenario<'a>(one: &'a crate::suite::Evaluated<'_>) -> Scenario<'a> {
    let (verdict, reason, mismatches) = match &one.verdict {
        Verdict::Passed => ("passed", None, &[][..]),
        Verdict::Failed(mismatches) => ("failed", None, &mismatches[..]),
        Verdict::StaleKnownFailure(mismatch) => ("stale_known_failure", None, std::slice::from_ref(mismatch)),
        Verdict::KnownFailure { reason, mismatches: _ } => ("known_failure", Some(&**reason), &[][..]),
        Verdict::Unsupported { reason, .. } => ("unsupported", Some(&**reason), &[][..]),
    };
    Scenario {
        name: &one.scenario.name,
        clauses: &one.scenario.clauses,
        verdict,
        reason,
        mismatches: mismatches.iter().map(mismatch).collect(),
        findings: one
            .findings
            .iter()
            .map(|(found, times)| Finding {
                clause: &found.clause,
                user: &found.user,
                text: &found.text,
                times: *times,
            })
            .collect(),
        ms: one.took.as_millis(),
    }
}

fn mismatch(mismatch: &crate::verdict::Mismatch) -> Mismatch<'_> {
    let (place, step, line) = match mismatch.place {
        Place::Step(step, line) => ("step", Some(step), Some(line)),
        Place::Around => ("around", None, None),
        Place::Wire => ("wire", None, None),
        Place::Record => ("record", None, None),
        Place::ClientFile => ("client_file", None, None),
    };
    Mismatch { place, step, line, message: &mismatch.message }
}
