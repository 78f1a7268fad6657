//! Reports of several runs put together.

use std::path::{Path, PathBuf};

use conformance::report::json;
use conformance::report::merge::{merge, parse, read};
use conformance::report::model::{Report, ScenarioReport, Tally, VerdictWord};
use rstest::rstest;

use super::sample;

/// One client of the sample.
fn of(client: usize) -> Report {
    let mut report = sample::report();
    report.clients = vec![report.clients.swap_remove(client)];
    report
}

/// A shard of it: the scenarios that are in it.
fn shard(mut report: Report, shard: &str, keep: fn(usize) -> bool) -> Report {
    report.shard = Some(shard.to_owned());
    let client = &mut report.clients[0];
    let mut index = 0;
    client.scenarios.retain(|_| {
        index += 1;
        keep(index)
    });
    let names: Vec<String> = client.scenarios.iter().map(|one| one.name.clone()).collect();
    report.scenarios.retain(|text| names.contains(&text.name));
    report
}

fn named(reports: impl IntoIterator<Item = Report>) -> Vec<(PathBuf, Report)> {
    let named = reports.into_iter().enumerate();
    named.map(|(index, report)| (PathBuf::from(format!("{index}.json")), report)).collect()
}

#[test]
fn clients_of_two_runs_stand_side_by_side() {
    let mut later = of(1);
    (later.started_ms, later.ms, later.interrupted) = (later.started_ms + 10_000, 250, true);
    let merged = merge(named([of(0), later])).expect("merged");
    let expected = Report { ms: 10_250, interrupted: true, ..sample::report() };
    assert_eq!(merged, expected);
}

#[test]
fn the_shards_of_a_client_are_added_up_by_scenario() {
    let odd = shard(of(0), "1/2", |index| index % 2 == 1);
    let even = shard(of(0), "2/2", |index| index % 2 == 0);
    assert_eq!(merge(named([odd.clone(), even.clone()])).expect("merged"), of(0));
    assert_eq!(merge(named([even.clone(), odd.clone()])).expect("merged"), of(0));
    let one = merge(named([odd])).expect("one is enough");
    assert_eq!(one.shard.as_deref(), Some("1/2"));
    let without_the_third = Report { shard: Some("1/3".to_owned()), ..even.clone() };
    let two = merge(named([without_the_third, Report { shard: Some("3/3".to_owned()), ..even }]));
    assert_eq!(two.expect("merged").shard.as_deref(), Some("1/3 3/3"));
}

#[test]
fn what_one_run_did_not_come_to_the_other_may_have() {
    let mut first = of(1);
    for one in &mut first.clients[0].scenarios {
        one.verdict = VerdictWord::NotRun;
    }
    for reports in [[first.clone(), of(1)], [of(1), first]] {
        let merged = merge(named(reports)).expect("merged");
        assert_eq!(merged.clients[0].tally, of(1).clients[0].tally);
    }
}

#[test]
fn a_report_may_be_given_twice() {
    let whole = sample::report();
    assert_eq!(merge(named([whole.clone(), whole.clone()])).expect("merged"), whole);
}

fn other_harness(report: &mut Report) {
    "0.2.0".clone_into(&mut report.harness);
}
fn other_version(report: &mut Report) {
    "5.0.0".clone_into(&mut report.clients[0].version);
}
fn other_text(report: &mut Report) {
    report.scenarios[2].source.push(' ');
}
fn other_clause(report: &mut Report) {
    "Something else.".clone_into(&mut report.clauses[0].statement);
}
fn other_verdict(report: &mut Report) {
    report.clients[0].scenarios[2].verdict = VerdictWord::Passed;
}

#[rstest]
#[case::harness(other_harness, "one is of version 0.1.0 of the harness, the other of 0.2.0")]
#[case::version(
    other_version,
    "node-4.21.1 is \"a client 4.21.1\" in the one and \"a client 5.0.0\" in the other"
)]
#[case::text(
    other_text,
    "they have different texts of the scenario send/text: were the runs of one checkout?"
)]
#[case::clause(
    other_clause,
    "they have different statements of the clause send.text.single: were the runs of one checkout?"
)]
#[case::verdict(
    other_verdict,
    "send/text of node-4.21.1 is Failed in the one and Passed in the other: each scenario of a client is to be in one of them"
)]
fn what_contradicts_itself_is_refused(#[case] change: fn(&mut Report), #[case] what: &str) {
    let mut other = sample::report();
    change(&mut other);
    let error = merge(named([sample::report(), other])).expect_err("it contradicts the first");
    assert_eq!(error.to_string(), format!("0.json and 1.json cannot be put together: {what}"));
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let report = sample::report();
    let text = json::text(&report);
    assert_eq!(parse(text.as_bytes(), Path::new("report.json")), Ok(report));
}

#[rstest]
#[case::nothing("", "not a report.json of this harness: EOF while parsing a value at line 1 column 0")]
#[case::another_json(
    "{\"tests\": 7}",
    "not a report.json of this harness: missing field `format` at line 1 column 12"
)]
#[case::no_json("<testsuites/>", "not a report.json of this harness: expected value at line 1 column 1")]
#[case::older(
    "{\"format\": 1, \"client\": {}}",
    "a report of format 1, and this harness reads format 2: run that client again with this one"
)]
#[case::newer(
    "{\"format\": 3}",
    "a report of format 3, and this harness reads format 2: put the reports together with the conformance that wrote them"
)]
#[case::half(
    "{\"format\": 2}",
    "not a report.json of this harness: missing field `harness` at line 1 column 13"
)]
fn a_file_that_is_no_report_is_told(#[case] text: &str, #[case] said: &str) {
    let error = parse(text.as_bytes(), Path::new("out/report.json")).expect_err("no report");
    assert_eq!(error.to_string(), format!("out/report.json: {said}"));
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("none.json");
    let error = read(&path).expect_err("it is not there").to_string();
    assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
}

#[test]
fn tallies_are_those_of_the_scenarios() {
    let mut report = of(0);
    let one: ScenarioReport = report.clients[0].scenarios[0].clone();
    report.clients[0].scenarios = vec![one];
    let merged = merge(named([report.clone(), report])).expect("merged");
    assert_eq!(merged.clients[0].tally, Tally { failed: 1, ..Tally::default() });
}
