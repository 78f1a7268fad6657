//! `junit.xml`, as build servers read it: a test suite a client, a test case a scenario.
//!
//! It keeps to `schemas/junit.xsd`, which is Jenkins'; others read the same. A scenario that ended as the client's file
//! says is skipped, with the reason: it is no pass.

use std::time::Duration;

use chrono::{DateTime, Utc};
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::failure::{Failure, plain};
use super::model::{ClientReport, Report, ScenarioReport, VerdictWord};

/// The text of the file.
pub fn text(report: &Report) -> String {
    let mut junit = quick_junit::Report::new("conformance");
    junit.set_time(Duration::from_millis(report.ms));
    for client in &report.clients {
        junit.add_test_suite(suite(report, client));
    }
    let text = junit.to_string().expect("a String takes every write, and an XmlString every text");
    // Jenkins' schema knows how many were skipped of a suite only.
    text.replacen(&format!(" skipped=\"{}\"", junit.skipped), "", 1)
}

fn suite(report: &Report, client: &ClientReport) -> TestSuite {
    let mut suite = TestSuite::new(xml(&client.name));
    let took: u64 = client.scenarios.iter().map(|one| one.ms).sum();
    suite.set_time(Duration::from_millis(took));
    let started = i64::try_from(report.started_ms).ok().and_then(DateTime::<Utc>::from_timestamp_millis);
    if let Some(started) = started {
        suite.set_timestamp(started);
    }
    let properties = [
        ("client", client.calls_itself.clone()),
        ("version", client.version.clone()),
        ("capabilities", client.capabilities.join(" ")),
        ("harness", report.harness.clone()),
        ("seed", report.seed.to_string()),
        ("shard", report.shard.clone().unwrap_or_else(|| "all".to_owned())),
    ];
    suite.add_properties(properties.map(|(name, value)| Property::new(name, xml(&value))));
    for scenario in &client.scenarios {
        suite.add_test_case(case(Failure { report, client, scenario }));
    }
    suite.add_test_cases(of_the_client(client));
    suite
}

fn case(of: Failure<'_>) -> TestCase {
    let one = of.scenario;
    let (area, name) = one.name.split_once('/').unwrap_or(("", &one.name));
    let mut case = TestCase::new(xml(name), status(of, one));
    case.set_classname(xml(area));
    case.set_time(Duration::from_millis(one.ms));
    match one.verdict {
        VerdictWord::Failed | VerdictWord::StaleKnownFailure | VerdictWord::Flaky => {
            let lines: Vec<String> =
                of.next_lines().iter().map(|(what, how)| format!("{what}: {how}")).collect();
            case.set_system_out(xml(&lines.join("\n")));
            if let Some(evidence) = one.evidence.as_ref().filter(|evidence| !evidence.stderr.is_empty()) {
                case.set_system_err(xml(&evidence.stderr));
            }
        }
        VerdictWord::Passed | VerdictWord::KnownFailure | VerdictWord::Unsupported | VerdictWord::NotRun => {}
    }
    case
}

fn status(of: Failure<'_>, one: &ScenarioReport) -> TestCaseStatus {
    let skipped = |ty: &str, why: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_type(ty).set_message(xml(why));
        status
    };
    let reason = one.reason.as_deref().unwrap_or_default();
    match one.verdict {
        VerdictWord::Passed => TestCaseStatus::success(),
        VerdictWord::Failed => failed("failed", of.sentence(), &plain(&of.text())),
        VerdictWord::StaleKnownFailure => failed("stale_known_failure", of.sentence(), &plain(&of.text())),
        VerdictWord::Flaky => {
            let mut status = TestCaseStatus::success();
            let mut rerun = TestRerun::new(NonSuccessKind::Failure);
            rerun.set_type("flaky").set_message(xml(of.sentence())).set_stack_trace(xml(&plain(&of.text())));
            status.add_rerun(rerun);
            status
        }
        VerdictWord::KnownFailure => skipped("known_failure", &format!("known failure: {reason}")),
        VerdictWord::Unsupported => skipped("unsupported", &format!("unsupported: {reason}")),
        VerdictWord::NotRun => skipped("not_run", "never begun: the run was ended before"),
    }
}

/// What fails a client and is no scenario: a build server that reads this file alone would not hear of it.
fn of_the_client(client: &ClientReport) -> Vec<TestCase> {
    let mut cases = Vec::new();
    if let Some(why) = &client.not_started {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("not_started").set_message(xml(why));
        cases.push(("starts", status));
    }
    if !client.stale.is_empty() {
        let mut lines = client.stale.clone();
        lines.extend(client.mend.iter().map(|mend| format!("mend it with: {mend}")));
        let file = client.file.as_deref().unwrap_or(&client.name);
        let sentence = format!("{} entries of {file} are of no use", client.stale.len());
        cases.push(("exceptions", failed("stale", &sentence, &lines.join("\n"))));
    }
    let named = cases.into_iter().map(|(name, status)| {
        let mut case = TestCase::new(name, status);
        case.set_classname("client");
        case
    });
    named.collect()
}

fn failed(ty: &str, sentence: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(ty).set_message(xml(sentence)).set_description(xml(text));
    status
}

/// A text without what XML 1.0 has no place for, and which quick-junit leaves in.
fn xml(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
