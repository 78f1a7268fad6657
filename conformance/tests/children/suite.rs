//! Whole runs against real children and the real server: what a lost child costs, and what a run is told as.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use conformance::client::Client;
use conformance::driver::{DriverError, subprocess};
use conformance::report::model::{ClientReport, PlaceWord, Report, Tally, VerdictWord};
use conformance::report::{ClientTold, Told, terminal};
use conformance::run::Limits;
use conformance::scenario::Scenario;
use conformance::selection::Selection;
use conformance::suite::{OnFailure, Plan, Suite, run_all};
use mock_server::shell::{MockServer, Options};

fn server() -> MockServer {
    let options = Options { tape: true, tape_rows_max: 1_000, ..Options::default() };
    MockServer::start(options).expect("a free port")
}

fn client(wrong: &str) -> Client {
    let program = env!("CARGO_BIN_EXE_misbehaving-client").to_owned();
    Client::of_command(vec![program, wrong.to_owned()], Path::new("."))
}

fn scenario(name: &str, user: &str) -> Scenario {
    let source = format!(
        r#"{{ "why": "{user} logs in.", "clauses": ["conn.login-password"], "given": {{"users": ["{user}"]}},
              "steps": [
                {{"tell": {{"user": "{user}", "command": {{"login_password": {{"password": "pw"}}}}}}}},
                {{"expect": {{"user": "{user}", "event": {{"opened": {{}}}}}}}} ] }}"#
    );
    let clauses = BTreeSet::from(["conn.login-password".to_owned()]);
    Scenario::parse(&source, name, Path::new("some.json"), &clauses).expect("a scenario")
}

fn run<'a>(
    client: &'a Client,
    scenarios: &'a [&'a Scenario],
    answer: Duration,
) -> Result<Suite<'a>, DriverError> {
    let within = Duration::from_secs(10);
    let plan = Plan {
        limits: Limits { expect: within, quiet: within },
        process: subprocess::Limits { hello: within, answer },
        ..Plan::new(client, scenarios)
    };
    run_all(&server(), plan, |_, _| {})
}

const PATIENT: Duration = Duration::from_secs(10);

/// What is told of a suite, without colour.
fn told(suite: Suite<'_>, file: Option<&str>) -> (ClientReport, String) {
    let scenarios: Vec<&Scenario> = suite.evaluated.iter().map(|one| one.scenario).collect();
    let scenarios: Vec<&Scenario> = scenarios.into_iter().chain(suite.not_run.iter().copied()).collect();
    let told = ClientTold {
        name: "x".to_owned(),
        file: file.map(str::to_owned),
        stale: Vec::new(),
        mend: None,
        unexplained: Vec::new(),
        again: "{} -- shim".to_owned(),
    };
    let selection = Selection::default();
    let run = Told {
        started_ms: 0,
        ms: 0,
        program: "conformance",
        selection: &selection,
        interrupted: false,
        nasty: None,
    };
    let report = Report::of(run, &[], &scenarios, vec![ClientReport::of(suite, told)]);
    let text = anstream::adapter::strip_str(&terminal::text(&report)).to_string();
    let client = report.clients.into_iter().next().expect("one client");
    (client, text)
}

#[test]
fn a_child_that_dies_fails_its_scenario_and_the_next_one_gets_a_new_child() {
    let client = client("dies when bob logs in");
    let scenarios = [scenario("a/alice", "alice"), scenario("b/bob", "bob"), scenario("c/carol", "carol")];
    let scenarios: Vec<&Scenario> = scenarios.iter().collect();
    let suite = run(&client, &scenarios, PATIENT).expect("it starts");
    let (report, text) = told(suite, None);
    assert_eq!(report.tally, Tally { passed: 2, failed: 1, ..Tally::default() });
    let mismatch = &report.scenarios[1].mismatches[0];
    assert_eq!((mismatch.place, mismatch.step, mismatch.line), (PlaceWord::Step, Some(1), Some(3)));
    assert!(mismatch.message.starts_with("the client's process ended: "), "{}", mismatch.message);
    assert!(text.starts_with("FAILED b/bob"), "{text}");
    assert!(text.contains("conformance run b/bob -- shim\n"), "{text}");
    assert!(
        text.ends_with("\nclient: misbehaving 0\n2 passed, 1 failed, 0 known failures, 0 unsupported\n"),
        "{text}"
    );
}

#[test]
fn a_child_that_hangs_fails_its_scenario() {
    let client = client("says nothing");
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let suite = run(&client, &scenarios, Duration::from_millis(300)).expect("it starts");
    let (_, text) = told(suite, None);
    assert!(text.contains("the client did not answer request 2 (login_password) within 300ms"), "{text}");
}

#[test]
fn what_the_client_lacks_is_a_failure_where_its_file_should_tell_it() {
    let mut client = client("unsupported");
    client.file = Some("clients/x.json".into());
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let suite = run(&client, &scenarios, PATIENT).expect("it starts");
    let (_, text) = told(suite, Some("clients/x.json"));
    assert!(text.contains("add \"unsupported\": {\"conn.open\": \"why\"} to clients/x.json\n"), "{text}");
}

#[test]
fn what_a_client_without_a_file_lacks_is_unsupported() {
    let client = client("unsupported");
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let suite = run(&client, &scenarios, PATIENT).expect("it starts");
    let (report, text) = told(suite, None);
    assert_eq!(report.tally, Tally { unsupported: 1, ..Tally::default() });
    assert!(text.starts_with("unsupported a/alice: conn.open\n"), "{text}");
}

/// It dies the first time that bob logs in, and a new one does not.
#[test]
fn what_passes_when_it_is_tried_again_is_flaky() {
    let folder = tempfile::tempdir().expect("a folder");
    let marker = folder.path().join("died").display().to_string();
    let program = env!("CARGO_BIN_EXE_misbehaving-client").to_owned();
    let client = Client::of_command(vec![program, "dies once".to_owned(), marker], Path::new("."));
    let scenario = scenario("b/bob", "bob");
    let scenarios = [&scenario];
    let plan = Plan { retries: 2, ..Plan::new(&client, &scenarios) };
    let suite = run_all(&server(), plan, |_, _| {}).expect("it starts");
    let (report, text) = told(suite, None);
    assert_eq!(report.tally, Tally { flaky: 1, ..Tally::default() });
    let one = &report.scenarios[0];
    assert_eq!((one.verdict, one.tries), (VerdictWord::Flaky, 2));
    assert!(one.mismatches[0].message.starts_with("the client's process ended: "), "{one:?}");
    assert!(text.starts_with("FLAKY b/bob"), "{text}");
    assert!(text.ends_with("\n0 passed, 0 failed, 0 known failures, 0 unsupported, 1 flaky\n"), "{text}");
}

#[test]
fn what_fails_each_time_is_no_flaky_scenario() {
    let client = client("refuses");
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let plan = Plan { retries: 2, ..Plan::new(&client, &scenarios) };
    let (report, _) = told(run_all(&server(), plan, |_, _| {}).expect("it starts"), None);
    assert_eq!((report.scenarios[0].verdict, report.scenarios[0].tries), (VerdictWord::Failed, 3));
}

#[test]
fn after_a_failure_nothing_may_begin() {
    let client = client("dies when bob logs in");
    let scenarios = [scenario("a/alice", "alice"), scenario("b/bob", "bob"), scenario("c/carol", "carol")];
    let scenarios: Vec<&Scenario> = scenarios.iter().collect();
    let plan = Plan { on_failure: OnFailure::Stop, ..Plan::new(&client, &scenarios) };
    let suite = run_all(&server(), plan, |_, _| {}).expect("it starts");
    let names: Vec<&str> = suite.not_run.iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["c/carol"]);
    let (report, text) = told(suite, None);
    assert_eq!(report.tally, Tally { passed: 1, failed: 1, not_run: 1, ..Tally::default() });
    assert!(text.ends_with(" 0 unsupported, 1 not run\n"), "{text}");
}

#[test]
fn a_client_that_never_starts_is_no_failed_scenario() {
    let client = client("dies before hello");
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let error = run(&client, &scenarios, PATIENT).expect_err("it never starts");
    assert!(matches!(error, DriverError::Start(_)), "{error:?}");
}
