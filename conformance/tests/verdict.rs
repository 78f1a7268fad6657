//! What exceptions do, and how they end.

use conformance::client::Client;
use conformance::judge::Finding;
use conformance::run::{Failure, Outcome};
use conformance::verdict::{Used, Verdict, verdict};
use rstest::rstest;
use serde_json::json;

fn client(file: serde_json::Value) -> Client {
    let mut whole = json!({"name": "x", "command": ["x"]});
    whole.as_object_mut().expect("an object").extend(file.as_object().expect("an object").clone());
    let mut client: Client = serde_json::from_value(whole).expect("a client's file");
    client.file = Some("x.json".into());
    client
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed(Failure { step: Some((2, 9)), message: message.to_owned() })
}

fn finding(clause: &str, text: &str) -> (Finding, usize) {
    (Finding { clause: clause.to_owned(), user: "alice".to_owned(), text: text.to_owned() }, 1)
}

/// The verdict's name, and what was of no use.
fn judged(client: &Client, outcome: &Outcome, findings: &[(Finding, usize)]) -> (&'static str, Vec<String>) {
    let mut used = Used::default();
    let name = match verdict(client, "send/text", outcome, findings, || None, &mut used) {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::Unsupported { .. } => "unsupported",
        Verdict::KnownFailure { .. } => "known failure",
        Verdict::StaleKnownFailure(_) => "stale",
    };
    (name, used.unused(client))
}

#[rstest]
#[case::as_its_file_says(
    "send/text",
    "expected 605",
    failed("type: expected 605, got 1"),
    "known failure",
    0
)]
#[case::by_pattern("send/*", "expected 605", failed("type: expected 605, got 1"), "known failure", 0)]
#[case::for_another_reason("send/text", "expected 605", failed("bob showed nothing"), "failed", 1)]
#[case::in_another_scenario("send/cmd", "expected 605", failed("type: expected 605, got 1"), "failed", 1)]
#[case::not_any_more("send/text", "expected 605", Outcome::Finished, "stale", 0)]
#[case::never_meant("send/cmd", "expected 605", Outcome::Finished, "passed", 1)]
fn a_known_failure_is_known_by_scenario_and_message(
    #[case] scenario: &str,
    #[case] message: &str,
    #[case] outcome: Outcome,
    #[case] expected: &str,
    #[case] unused: usize,
) {
    let client = client(json!({"known_failures": [
        {"scenario": scenario, "message": message, "reason": "It does not know the code.", "outcome": "fails"}]}));
    let (name, useless) = judged(&client, &outcome, &[]);
    assert_eq!((name, useless.len()), (expected, unused), "{useless:?}");
}

#[test]
fn one_that_varies_may_pass() {
    let client = client(json!({"known_failures": [
        {"scenario": "send/text", "message": "x", "reason": "A race.", "outcome": "varies"}]}));
    assert_eq!(judged(&client, &Outcome::Finished, &[]), ("passed", vec![]));
    assert_eq!(judged(&client, &failed("x"), &[]), ("known failure", vec![]));
    assert_eq!(judged(&client, &failed("y"), &[]).0, "failed");
}

/// Where a race and a certain failure meet in one scenario, the race need not come each time.
#[test]
fn one_that_varies_is_of_use_where_another_failure_came() {
    let client = client(json!({"known_failures": [
        {"scenario": "send/text", "message": "x", "reason": "Always.", "outcome": "fails"},
        {"scenario": "send/text", "message": "y", "reason": "A race.", "outcome": "varies"},
        {"scenario": "send/other", "message": "z", "reason": "A race.", "outcome": "varies"}]}));
    let mut used = Used::default();
    let verdict = verdict(&client, "send/text", &failed("x"), &[], || None, &mut used);
    assert_eq!(verdict, Verdict::KnownFailure { reason: "Always.".to_owned() });
    let unused = used.unused(&client);
    assert_eq!(unused.len(), 1, "{unused:?}");
    assert!(unused[0].contains("send/other"), "{unused:?}");
}

#[test]
fn each_mismatch_needs_its_own_exception() {
    let client = client(json!({"known_failures": [
        {"scenario": "send/text", "message": "x", "reason": "A.", "outcome": "fails"}]}));
    assert_eq!(judged(&client, &failed("x"), &[finding("send.ids", "y")]).0, "failed");
}

#[test]
fn a_finding_fails_a_scenario_unless_it_is_known_there() {
    let known = |scenario: Option<&str>| {
        client(json!({"known_findings": [
            {"clause": "build.ext", "text": "doubleValue", "scenario": scenario, "reason": "undefined."}]}))
    };
    let found = [finding("build.ext", "expected doubleValue, got nothing")];
    assert_eq!(judged(&client(json!({})), &Outcome::Finished, &found).0, "failed");
    assert_eq!(judged(&known(None), &Outcome::Finished, &found), ("passed", vec![]));
    assert_eq!(judged(&known(Some("send/*")), &Outcome::Finished, &found), ("passed", vec![]));
    assert_eq!(judged(&known(Some("build/*")), &Outcome::Finished, &found).0, "failed");
    let other = [finding("build.kinds", "expected doubleValue, got nothing")];
    assert_eq!(judged(&known(None), &Outcome::Finished, &other).0, "failed");
    let (_, useless) = judged(&known(None), &Outcome::Finished, &[]);
    assert_eq!(
        useless,
        ["known_findings: build.ext with text \"doubleValue\" matches no finding; remove it"]
    );
}

#[test]
fn what_a_client_lacks_is_never_a_pass() {
    let lacks = Outcome::Unsupported("conn.setCustom".to_owned());
    let declared = client(json!({"unsupported": {"conn.setCustom": "Came with 3.1."}}));
    assert_eq!(judged(&declared, &lacks, &[]), ("unsupported", vec![]));
    assert_eq!(judged(&client(json!({})), &lacks, &[]).0, "failed");
    let (_, useless) = judged(&declared, &Outcome::Finished, &[]);
    assert_eq!(useless, ["unsupported: \"conn.setCustom\" was never met; remove it"]);
}

#[test]
fn a_record_is_looked_at_only_when_all_else_is_well() {
    let client = client(json!({}));
    let differs = || Some("the wire is not as recorded".to_owned());
    let verdict_of =
        |outcome: &Outcome| verdict(&client, "send/text", outcome, &[], differs, &mut Used::default());
    let Verdict::Failed(mismatches) = verdict_of(&Outcome::Finished) else { panic!("it differs") };
    assert_eq!(mismatches.len(), 1);
    let Verdict::Failed(mismatches) = verdict_of(&failed("x")) else { panic!("it failed") };
    assert_eq!(mismatches[0].message, "x");
    assert_eq!(mismatches.len(), 1);
}

#[rstest]
#[case(json!({"name": "x", "command": []}), "\"command\" names no program")]
#[case(json!({"name": "y", "command": ["x"]}), "its \"name\" is \"y\"; the file is named otherwise")]
#[case(json!({"name": "x", "command": ["x"], "record": "all"}), "unknown field `record`")]
#[case(json!({"name": "x", "command": ["x"], "records": "some"}), "expected \"all\", or a list of scenario names")]
#[case(
    json!({"name": "x", "command": ["x"], "known_failures":
        [{"scenario": "*", "message": "", "reason": "r", "outcome": "fails"}]}),
    "the known failure of * needs a \"message\" and a \"reason\""
)]
#[case(json!({"name": "x", "command": ["x"], "unsupported": {"sync": ""}}), "\"sync\" needs its reason")]
fn a_wrong_client_file_says_what_would_be_right(#[case] file: serde_json::Value, #[case] said: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.json");
    std::fs::write(&path, file.to_string()).expect("a file");
    let error = Client::load(&path).expect_err("a wrong file").to_string();
    assert!(error.contains(said), "{error}");
}

/// Two files in one folder: `old`, and `new`, which is like it but for `but`.
fn alike(but: serde_json::Value) -> Result<Client, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let known = |scenario: &str| json!({"scenario": scenario, "message": "expected 605", "reason": "It is old.", "outcome": "fails"});
    let old = json!({"name": "old", "command": ["x"], "unsupported": {"conn.a": "It has none.", "conn.b": "Nor that."},
        "known_failures": [known("send/text"), known("send/cmd")]});
    let new = json!({"name": "new", "command": ["y"], "like": {"client": "old", "but": but},
        "known_failures": [known("send/new")]});
    for (name, file) in [("old", old), ("new", new)] {
        std::fs::write(folder.path().join(format!("{name}.json")), file.to_string()).expect("a file");
    }
    Client::load(&folder.path().join("new.json")).map_err(|error| error.message)
}

#[test]
fn a_client_may_be_like_another() {
    let client = alike(json!(["conn.b", "send/cmd"])).expect("two files");
    assert_eq!(client.command, ["y"]);
    assert_eq!(client.unsupported.keys().collect::<Vec<_>>(), ["conn.a"]);
    let refused = failed("type: expected 605, got 1");
    assert_eq!(judged(&client, &refused, &[]).0, "known failure");
    // What nothing needs is mended where it stands.
    assert_eq!(
        judged(&client, &Outcome::Unsupported("conn.b".to_owned()), &[]),
        (
            "failed",
            vec![
                "known_failures: \"send/new\" with message \"expected 605\" matches no failure; remove it".to_owned(),
                "known_failures: \"send/text\" with message \"expected 605\" matches no failure; \
                 add \"send/text\" to \"but\" of \"like\", for it comes from old"
                    .to_owned(),
                "unsupported: \"conn.a\" was never met; add \"conn.a\" to \"but\" of \"like\", for it comes from old"
                    .to_owned(),
            ]
        )
    );
    assert_eq!(
        alike(json!(["conn.c"])).expect_err("nothing of that name"),
        "\"but\": \"conn.c\" is no exception of old"
    );
}
