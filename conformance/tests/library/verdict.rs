//! What exceptions do, and how they end.

use std::collections::BTreeSet;

use conformance::client::{Client, Day};
use conformance::exceptions::{Exceptions, Seen, Sight};
use conformance::judge::Finding;
use conformance::run::{Failure, Outcome};
use conformance::verdict::{Verdict, verdict};
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

/// Every scenario that there is.
const ALL: [&str; 4] = ["send/cmd", "send/new", "send/other", "send/text"];

fn run(client: &Client, outcome: &Outcome, findings: &[(Finding, usize)]) -> Verdict {
    verdict(&Exceptions::of(client, "4.21.1"), "send/text", outcome, findings, || None)
}

/// The verdict's name, and what was of no use: send/text did this, and all others passed or lacked something.
fn judged(client: &Client, outcome: &Outcome, findings: &[(Finding, usize)]) -> (&'static str, Vec<String>) {
    let verdict = run(client, outcome, findings);
    let name = match &verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "failed",
        Verdict::Unsupported { .. } => "unsupported",
        Verdict::KnownFailure { .. } => "known failure",
        Verdict::Flaky(_) => "flaky",
        Verdict::StaleKnownFailure(_) => "stale",
    };
    (name, stale(client, &verdict, findings, &ALL, "2026-11-23"))
}

/// What is told of the file after a run of these scenarios on this day.
fn stale(
    client: &Client,
    verdict: &Verdict,
    findings: &[(Finding, usize)],
    ran: &[&str],
    today: &str,
) -> Vec<String> {
    let seen = ran.iter().map(|name| match *name {
        "send/text" => Seen { scenario: name, verdict, findings },
        other => Seen { scenario: other, verdict: &Verdict::Passed, findings: &[] },
    });
    let all = BTreeSet::from(ALL);
    let today = Day::parse(today).expect("a day");
    let stale = Exceptions::of(client, "4.21.1").stale(&Sight::new(seen, Some(&all)), today);
    stale.into_iter().map(|stale| stale.message).collect()
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
    let verdict = run(&client, &failed("x"), &[]);
    assert!(matches!(&verdict, Verdict::KnownFailure { reason, .. } if reason == "Always."), "{verdict:?}");
    assert_eq!(stale(&client, &verdict, &[], &ALL, "2026-11-23"), Vec::<String>::new());
}

/// A mismatch that nobody knows does not make the entries of the others useless.
#[test]
fn an_entry_is_of_use_beside_a_failure_that_is_not_known() {
    let client = client(json!({"known_failures": [
        {"scenario": "send/text", "message": "doubleValue", "reason": "Always.", "outcome": "fails"}]}));
    let found = [finding("build.ext", "expected doubleValue, got nothing")];
    assert_eq!(judged(&client, &failed("unheard of"), &found), ("failed", vec![]));
}

/// `since` is its day, `ran` what a filter left.
#[rstest]
#[case::good_on_its_last_day(json!({"until": "2026-11-23"}), "2026-11-23", &ALL, "known failure", "")]
#[case::over_the_day_after(json!({"until": "2026-11-22"}), "2026-11-23", &ALL, "known failure",
    "known_failures: \"send/text\" with message \"605\" was good until 2026-11-22, and that is over; look at it again")]
#[case::not_told_where_it_did_not_run(json!({"until": "2026-11-22"}), "2026-11-23", &["send/cmd"], "known failure", "")]
#[case::for_this_version(json!({"versions": ">=4, <5"}), "2026-11-23", &ALL, "known failure", "")]
#[case::for_another(json!({"versions": "<4"}), "2026-11-23", &ALL, "failed", "")]
#[case::over_and_for_another(json!({"versions": "<4", "until": "2020-01-01"}), "2026-11-23", &ALL, "failed", "")]
fn a_known_failure_has_its_versions_and_its_time(
    #[case] limits: serde_json::Value,
    #[case] today: &str,
    #[case] ran: &[&str],
    #[case] expected: &str,
    #[case] said: &str,
) {
    let mut entry = json!({"scenario": "send/text", "message": "605", "reason": "It does not know the code.",
        "outcome": "fails", "link": "https://example.org/issues/7"});
    entry.as_object_mut().expect("an object").extend(limits.as_object().expect("an object").clone());
    let client = client(json!({"known_failures": [entry]}));
    let refused = failed("type: expected 605, got 1");
    assert_eq!(judged(&client, &refused, &[]).0, expected);
    let verdict = run(&client, &refused, &[]);
    assert_eq!(stale(&client, &verdict, &[], ran, today).join("\n"), said);
}

#[test]
fn a_range_needs_a_client_that_tells_its_version() {
    let client = client(json!({"known_failures": [
        {"scenario": "send/text", "message": "605", "reason": "r", "outcome": "fails", "versions": ">=3"}]}));
    let exceptions = Exceptions::of(&client, "web");
    let all = BTreeSet::from(ALL);
    let stale = exceptions.stale(&Sight::new([], Some(&all)), Day::parse("2026-11-23").expect("a day"));
    insta::assert_snapshot!(stale[0].message, @r#"known_failures: "send/text" is for versions >=3, and the client says in its hello that its version is "web"; let it say one such as "1.2.3", or remove "versions""#);
}

/// What ran is what a filter left; an entry is told of if all that it is about ran.
#[rstest]
#[case::its_scenario_ran("send/text", &["send/text"], 1)]
#[case::it_did_not("send/text", &["send/cmd"], 0)]
#[case::some_of_its_scenarios_ran("send/*", &["send/text", "send/cmd"], 0)]
#[case::all_of_them_ran("send/*", &ALL, 1)]
fn a_filtered_run_tells_what_it_can_know(#[case] pattern: &str, #[case] ran: &[&str], #[case] told: usize) {
    let client = client(json!({"unsupported": {"conn.a": "It has none."}, "known_findings": [],
        "known_failures": [{"scenario": pattern, "message": "605", "reason": "r", "outcome": "fails"}]}));
    let failed = Verdict::Failed(Vec::new());
    let others: Vec<_> =
        ran.iter().map(|scenario| Seen { scenario, verdict: &failed, findings: &[] }).collect();
    let all = BTreeSet::from(ALL);
    let stale = Exceptions::of(&client, "1.0.0")
        .stale(&Sight::new(others, Some(&all)), Day::parse("2026-11-23").expect("a day"));
    let words = usize::from(ran.len() == ALL.len());
    assert_eq!(stale.len(), told + words, "{stale:?}");
}

#[rstest]
#[case("send/txet", "names no scenario, nearest: send/text")]
#[case("sned/*", "names no scenario, nearest: send/")]
#[case("quux", "names no scenario; correct it, or remove it")]
fn a_mistyped_pattern_is_told_with_what_it_may_mean(#[case] pattern: &str, #[case] said: &str) {
    let client = client(json!({"known_failures": [
        {"scenario": pattern, "message": "605", "reason": "r", "outcome": "varies"}]}));
    let told = stale(&client, &Verdict::Passed, &[], &["send/cmd"], "2026-11-23");
    assert!(told.len() == 1 && told[0].contains(said), "{told:?}");
}

#[test]
fn what_nobody_has_explained_is_told() {
    let client = client(json!({
        "unsupported": {"conn.a": "not yet explained; written by --update-known-failures on 2026-11-23", "conn.b": "It is old."},
        "known_failures": [
            {"scenario": "send/text", "message": "605", "reason": "not yet explained; who knows", "outcome": "fails"},
            {"scenario": "send/cmd", "message": "605", "reason": "It is old.", "outcome": "fails"}]}));
    assert_eq!(
        Exceptions::of(&client, "1.0.0").unexplained(),
        ["known_failures: \"send/text\" with message \"605\"", "unsupported: \"conn.a\""]
    );
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
        |outcome: &Outcome| verdict(&Exceptions::of(&client, "1"), "send/text", outcome, &[], differs);
    let pending = verdict_of(&Outcome::Finished);
    let Verdict::Failed(mismatches) = pending else { panic!("it differs") };
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
#[case(
    json!({"name": "x", "command": ["x"], "known_failures":
        [{"scenario": "a/b", "message": "m", "reason": "r", "outcome": "fails", "until": "soon"}]}),
    "x.json:1:113: \"soon\" is no day; write it as YYYY-MM-DD, such as \"2027-01-31\""
)]
#[case(
    json!({"name": "x", "command": ["x"], "known_failures":
        [{"scenario": "a/b", "message": "m", "reason": "r", "outcome": "fails", "link": "#7"}]}),
    ": \"#7\" is no link; write the whole address, such as \"https://example.org/issues/7\""
)]
#[case(
    json!({"name": "x", "command": ["x"], "known_failures":
        [{"scenario": "a/b", "message": "m", "reason": "r", "outcome": "fails", "versions": "3.x.y.z"}]}),
    ": \"3.x.y.z\" is no range of versions ("
)]
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

#[rstest]
#[case::itself("new", "\"like\": no client is like itself; name another, or leave it out")]
#[case::in_a_circle("other", "\"like\": other is itself like another client; name that one")]
fn likeness_ends_at_one_other(#[case] like: &str, #[case] said: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, like) in [("new", like), ("other", "new")] {
        let file = json!({"name": name, "command": ["x"], "like": {"client": like}});
        std::fs::write(folder.path().join(format!("{name}.json")), file.to_string()).expect("a file");
    }
    let error = Client::load(&folder.path().join("new.json")).expect_err("no such likeness");
    assert_eq!(error.message, said);
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
