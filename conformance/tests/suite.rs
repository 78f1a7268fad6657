//! Whole runs against real children and the real server: what a lost child costs, and what a run is told as.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use conformance::client::Client;
use conformance::driver::{DriverError, subprocess};
use conformance::report::{Tally, json, terminal};
use conformance::run::Limits;
use conformance::scenario::Scenario;
use conformance::suite::{Keep, Plan, Suite, run_all};
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
        client,
        scenarios,
        jobs: 1,
        limits: Limits { expect: within, quiet: within },
        process: subprocess::Limits { hello: within, answer },
        records: None,
        keep: Keep::default(),
    };
    run_all(&server(), plan, |_, _| {})
}

const PATIENT: Duration = Duration::from_secs(10);

#[test]
fn a_child_that_dies_fails_its_scenario_and_the_next_one_gets_a_new_child() {
    let client = client("dies when bob logs in");
    let scenarios = [scenario("a/alice", "alice"), scenario("b/bob", "bob"), scenario("c/carol", "carol")];
    let scenarios: Vec<&Scenario> = scenarios.iter().collect();
    let suite = run(&client, &scenarios, PATIENT).expect("it starts");
    assert_eq!(Tally::of(&suite), Tally { passed: 2, failed: 1, ..Tally::default() });
    let text = terminal::summary(&suite, &[], "the command line", |name| format!("conformance {name}"));
    assert!(
        text.starts_with("FAILED b/bob\n  some.json:3 (step 1)\n    the client's process ended: "),
        "{text}"
    );
    assert!(text.contains("\n  run it again: conformance b/bob\n"), "{text}");
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
    let text = terminal::summary(&suite, &[], "the command line", str::to_owned);
    assert!(text.contains("the client did not answer request 2 (login_password) within 300ms"), "{text}");
}

#[test]
fn what_the_client_lacks_is_a_failure_where_its_file_should_tell_it() {
    let mut client = client("unsupported");
    client.file = Some("clients/x.json".into());
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let suite = run(&client, &scenarios, PATIENT).expect("it starts");
    let text = terminal::summary(&suite, &[], "the command line", str::to_owned);
    assert!(text.contains("add \"unsupported\": {\"conn.open\": \"why\"} to clients/x.json\n"), "{text}");
    assert!(!text.contains("the wire"), "{text}");
}

#[test]
fn what_a_client_without_a_file_lacks_is_unsupported() {
    let client = client("unsupported");
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let suite = run(&client, &scenarios, PATIENT).expect("it starts");
    assert_eq!(Tally::of(&suite), Tally { unsupported: 1, ..Tally::default() });
    let text = terminal::summary(&suite, &[], "the command line", str::to_owned);
    assert!(text.starts_with("unsupported a/alice: conn.open\n"), "{text}");
}

#[test]
fn a_client_that_never_starts_is_no_failed_scenario() {
    let client = client("dies before hello");
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let error = run(&client, &scenarios, PATIENT).expect_err("it never starts");
    assert!(matches!(error, DriverError::Start(_)), "{error:?}");
}

#[test]
fn the_report_has_each_scenario_with_its_place_and_reason() {
    let client = client("refuses");
    let scenario = scenario("a/alice", "alice");
    let scenarios = [&scenario];
    let suite = run(&client, &scenarios, PATIENT).expect("it starts");
    let report: serde_json::Value =
        serde_json::from_str(&json::report(&suite, "x", &["unused".to_owned()], None)).expect("JSON");
    assert_eq!(report["failed"], 1);
    assert_eq!(report["stale"], serde_json::json!(["unused"]));
    assert_eq!(report["client"]["calls_itself"], "misbehaving");
    let mismatch = &report["scenarios"][0]["mismatches"][0];
    assert_eq!(mismatch["line"], 3);
    assert_eq!(mismatch["message"], "alice's login_password was refused: \"no such user\"");
}
