//! Scenario files: the ones of this repository are read, and a wrong one says where and what would be right.

use std::collections::BTreeSet;
use std::path::Path;

use conformance::scenario::{Action, Scenario, ScenarioError, load};
use rstest::rstest;

fn parse(source: &str) -> Result<Scenario, ScenarioError> {
    let clauses = BTreeSet::from(["send.text.single".to_owned()]);
    Scenario::parse(source, "send/x", Path::new("send/x.json"), &clauses)
}

#[test]
fn what_is_given_beside_users_is_read() {
    let member = r#""given": {"online": ["alice", "Bob"], "own_upload": true, "files": {"big.bin": 10485761},
      "groups": {"g1": ["alice", "Bob"]}, "admins": {"g1": ["bob"]}, "contacts": {"alice": ["bob"]},
      "emoji": {"path": "faces/", "map": {"[):]": "smile.png"}},
      "webhook": {"answer": {"status": 200, "body": {"valid": false}}, "kinds": ["text"], "on_timeout": "refuse"},
      "stored": [{"from": "alice", "to": "g1", "text": "hi"}]}"#;
    let steps = r#"{"tell": {"user": "alice", "command": {"send_file": {"handle": "m1", "to": "bob", "chat": "single", "file": "big.bin", "filename": "a", "media_type": "b"}}}},
      {"tell": {"user": "alice", "command": {"fetch_history": {"handle": "h", "with": "bob", "chat": "single", "count": "10"}}}}"#;
    let source = with_member(member).replace("\"steps\": []", &format!("\"steps\": [{steps}]"));
    let scenario = parse(&source).unwrap_or_else(|error| panic!("{error}"));
    let webhook = scenario.given.webhook.expect("a webhook").rule("http://127.0.0.1:1/".to_owned());
    // An endpoint that answers is given more than the 200 ms of the service: the machine may be busy.
    assert_eq!((webhook.timeout_ms, webhook.report_error), (5_000, true));
    assert_eq!(webhook.on_timeout, mock_server::control::Verdict::Refuse);
    assert_eq!(webhook.kinds, [mock_server::control::MessageKind::Text]);
}

/// A file with these steps, the first on line 4.
fn with_steps(steps: &str) -> String {
    format!(
        "{{ \"why\": \"A test.\", \"clauses\": [\"send.text.single\"],\n  \"given\": {{\"online\": [\"alice\", \"bob/phone\"]}},\n  \"steps\": [\n{steps}] }}"
    )
}

/// A file with this member besides those that every file has.
fn with_member(member: &str) -> String {
    format!("{{ \"why\": \"A test.\", \"clauses\": [\"send.text.single\"],\n  {member},\n  \"steps\": [] }}")
}

#[test]
fn every_scenario_of_the_repository_is_read() {
    #[derive(serde::Deserialize)]
    struct Clause {
        id: String,
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let clauses = std::fs::read_to_string(fixtures.join("clauses.json")).expect("clauses.json");
    let clauses: Vec<Clause> = serde_json::from_str(&clauses).expect("clauses.json");
    let ids = clauses.into_iter().map(|clause| clause.id).collect();
    let scenarios = load(&fixtures.join("scenarios"), Path::new("fixtures/scenarios"), &ids)
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(scenarios.len() > 40, "{} scenarios", scenarios.len());
}

#[test]
fn a_scenario_is_read_with_the_line_of_each_step() {
    let source = with_steps(
        r##"    {"tell": {"user": "alice", "command": {"send_text": {"handle": "m#", "to": "bob", "chat": "single", "text": "#", "ext": null}}, "count": 3}},

    {"silent": {"user": "bob/phone"}}"##,
    );
    let scenario = parse(&source).expect("a scenario");
    let lines: Vec<usize> = scenario.steps.iter().map(|step| step.line).collect();
    assert_eq!(lines, [4, 6]);
    let Action::Tell { command, count: Some(3), refused: None, .. } = &scenario.steps[0].action else {
        panic!("{:?}", scenario.steps[0])
    };
    // A null that is written is a null that is sent.
    assert_eq!(serde_json::to_value(command).expect("JSON")["send_text"]["ext"], serde_json::Value::Null);
    assert!(serde_json::to_string(command).expect("JSON").contains(r#""ext":null"#));
}

#[rstest]
#[case(
    r#"    {"tel": {"user": "alice"}}"#,
    "send/x.json:4:10: unknown variant `tel`, expected one of `tell`, `expect`, `silent`, `advance`, `elapse`, `fault`, `control`"
)]
#[case(
    r#"    {"tell": {"user": "alice", "command": {"send_txt": {}}}}"#,
    "send/x.json:4:53: unknown variant `send_txt`, expected one of `create`, `login_password`"
)]
#[case(
    "    {\"tell\": {\"user\": \"alice\",\n      \"command\": {\"send_text\": {\"handle\": \"m1\", \"to\": \"bob\", \"chat\": \"single\", \"txt\": \"hi\"}}}}",
    "send/x.json:5:84: unknown field `txt`, expected one of `handle`, `to`, `chat`, `text`, `ext`"
)]
#[case(
    r#"    {"tell": {"user": "alice", "command": {"send_text": {"handle": "m1", "to": "bob", "chat": "users", "text": "hi"}}}}"#,
    "unknown variant `users`, expected one of `single`, `group`, `room`"
)]
#[case(
    r#"    {"tell": {"user": "alice", "command": {"create": {"app_key": "", "username": "", "device": "", "rest": "", "sockjs": "", "websocket": "", "reconnects": 0, "delivery": false, "own_upload": false, "emoji": null}}}}"#,
    "send/x.json:4:5: a device is created by itself when it is first told something"
)]
#[case(
    r#"    {"expect": {"user": "alice", "event": {"text": {"body": "hi"}}}}"#,
    "unknown field `body`, expected one of `id`, `from`, `to`, `chat`, `data`, `ext`, `time`"
)]
#[case(
    r#"    {"expect": {"user": "alice", "event": {"txt": {}}}}"#,
    "unknown variant `txt`, expected one of `opened`, `closed`, `error`"
)]
#[case(
    r#"    {"expect": {"user": "alice", "event": {"text": {}, "cmd": {}}}}"#,
    "a second event \"cmd\" beside \"text\""
)]
#[case(
    r#"    {"expect": {"user": "bob", "event": {"text": {}}}}"#,
    "send/x.json:4:1: bob is not in given.online, and no step before tells it anything"
)]
#[case(r#"    {"silent": {"user": "alice/web"}}"#, "the device \"alice/web\" is written \"alice\"")]
#[case(
    r#"    {"silent": {"user": "alice/a/b"}}"#,
    "\"alice/a/b\" names no device; write \"alice\" or \"alice/phone\""
)]
#[case(r#"    {"advance": {"ms": 500}}"#, "send/x.json:4:5: advance needs \"virtual_clock\" in \"needs\"")]
#[case(
    r#"    {"tell": {"user": "alice", "command": {"network": {"up": true}}}}"#,
    "network needs \"network\" in \"needs\""
)]
#[case(
    r#"    {"tell": {"user": "alice", "command": {"close": {}}, "count": 0}}"#,
    "\"count\" is 0; 1 to 10000"
)]
#[case(r#"    {"fault": {"cut": {"usr": "alice"}}}"#, "unknown field `usr`, expected `user` or `device`")]
#[case(
    r#"    {"tell": {"user": "alice", "command": {"send_file": {"handle": "m1", "to": "bob", "chat": "single", "file": "phto.png", "filename": "a", "media_type": "b"}}}}"#,
    "send/x.json:4:5: no file \"phto.png\" in fixtures/media or given.files; there are photo.png, photo.jpg"
)]
#[case(
    r#"    {"expect": {"user": "alice", "event": {"downloaded": {"sha256": "file:phto.png"}}}}"#,
    "send/x.json:4:5: no file \"phto.png\" in fixtures/media or given.files"
)]
#[case(
    r#"    {"expect": {"user": "alice", "event": {"upload_progress": {"handle": "m1"}}}}"#,
    "send/x.json:4:5: upload_progress is expected of every upload by itself"
)]
#[case(
    r#"    {"tell": {"user": "alice", "command": {"fetch_history": {"handle": "h", "with": "bob", "chat": "single", "count": "ten"}}}}"#,
    "send/x.json:4:5: \"count\" of fetch_history is \"ten\"; a whole number, or digits in a string"
)]
#[case(
    r#"    {"tell": {"user": "alice", "command": {"fetch_history": {"handle": "h", "with": "bob", "chat": "single", "count": -1}}}}"#,
    "\"count\" of fetch_history is -1"
)]
fn a_wrong_step_says_where_and_what_would_be_right(#[case] steps: &str, #[case] said: &str) {
    let error = parse(&with_steps(steps)).expect_err("a wrong step").to_string();
    assert!(error.contains(said), "{error}");
    assert!(error.starts_with("send/x.json:"), "{error}");
}

#[rstest]
#[case(
    r#""givn": {}"#,
    "send/x.json:2:8: unknown field `givn`, expected one of `$schema`, `why`, `clauses`, `needs`, `given`, `ignore`, `record`, `record_why`, `steps`"
)]
#[case(
    r#""needs": ["clock"]"#,
    "unknown variant `clock`, expected one of `virtual_clock`, `network`, `integers_64`"
)]
#[case(r#""record": false"#, "send/x.json:2:3: \"record\": false needs its reason in \"record_why\"")]
#[case(r#""record_why": "chance""#, "send/x.json:2:3: \"record_why\" is the reason of \"record\": false")]
#[case(
    r#""given": {"groups": {"g1": ["alice"]}}"#,
    "send/x.json:2:31: given.groups.g1: \"alice\" is in neither given.users nor given.online"
)]
#[case(r#""given": {"rooms": {"r1": []}}"#, "given.rooms: \"r1\" needs an owner, the first member")]
#[case(r#""given": {"online": ["alice", "alice"]}"#, "given.online: alice is there twice")]
#[case(r#""given": {"users": ["a"], "groups": {"g": ["a"], "g": ["a"]}}"#, "\"g\" is there twice")]
#[case(
    r#""given": {"settings": {"stict": true}}"#,
    "unknown field `stict`, expected one of `strict`, `one_device`"
)]
#[case(
    r#""given": {"stored": [{"from": "a", "to": "b", "text": "hi"}]}"#,
    "given.stored: \"a\" is in neither given.users nor given.online"
)]
#[case(
    r#""given": {"users": ["a", "b"], "groups": {"g": ["a"]}, "admins": {"g": ["b"]}}"#,
    "given.admins: \"b\" is no member of \"g\""
)]
#[case(
    r#""given": {"users": ["a"], "admins": {"r1": ["a"]}}"#,
    "send/x.json:2:40: given.admins: \"r1\" is in neither given.groups nor given.rooms"
)]
#[case(
    r#""given": {"users": ["a"], "contacts": {"a": ["b"]}}"#,
    "send/x.json:2:48: given.contacts: \"b\" is in neither given.users nor given.online"
)]
#[case(r#""given": {"files": {"a/b": 1}}"#, "send/x.json:2:23: given.files: \"a/b\" is no plain file name")]
#[case(
    r#""given": {"webhook": {"answer": "quiet"}}"#,
    "send/x.json:2:41: invalid value: string \"quiet\", expected \"silence\", {\"status\": 200, \"body\": {…}} or"
)]
#[case(r#""given": {"webhook": {"answer": {"status": 200}}}"#, "an answer has one of \"body\" and \"text\"")]
#[case(
    r#""given": {"webhook": {"answer": {"status": 9, "text": ""}}}"#,
    "\"status\" is 9, which HTTP does not have"
)]
#[case(
    r#""given": {"webhook": {"answer": {"status": 200, "txt": ""}}}"#,
    "unknown field `txt`, expected one of"
)]
#[case(
    r#""given": {"webhook": {"answer": "silence"}, "settings": {"webhooks": []}}"#,
    "given.webhook sets settings.webhooks: one of the two is enough"
)]
#[case(r#""ignore": ["presnce"]"#, "unknown variant `presnce`")]
fn a_wrong_member_says_where_and_what_would_be_right(#[case] member: &str, #[case] said: &str) {
    let error = parse(&with_member(member)).expect_err("a wrong member").to_string();
    assert!(error.contains(said), "{error}");
}

#[rstest]
#[case(
    r#"{ "why": " ", "clauses": ["send.text.single"], "steps": [] }"#,
    "send/x.json:1:3: \"why\" says in a sentence what the scenario shows"
)]
#[case(
    r#"{ "why": "A test.", "clauses": [], "steps": [] }"#,
    "send/x.json:1:21: a scenario evaluates at least one clause"
)]
#[case(
    r#"{ "why": "A test.", "clauses": ["send.txt"], "steps": [] }"#,
    "send/x.json:1:33: no clause \"send.txt\" in fixtures/clauses.json"
)]
#[case(r#"{ "why": "A test." }"#, "missing field `clauses`")]
#[case("{", "send/x.json:1:1: EOF while parsing an object")]
fn a_wrong_head_says_where_and_what_would_be_right(#[case] source: &str, #[case] said: &str) {
    let error = parse(source).expect_err("a wrong head").to_string();
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_folder_holds_areas_and_areas_hold_scenarios() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = || load(folder.path(), Path::new("scenarios"), &BTreeSet::new()).map(|all| all.len());
    assert_eq!(load(), Ok(0));
    std::fs::write(folder.path().join("text.json"), "{}").expect("a file");
    let said = load().expect_err("a scenario outside an area").to_string().replace('\\', "/");
    assert_eq!(
        said,
        "scenarios/text.json: a scenario lies in the folder of its area, such as send/text-single.json"
    );
    std::fs::remove_file(folder.path().join("text.json")).expect("the file");
    std::fs::create_dir(folder.path().join("send")).expect("an area");
    std::fs::write(folder.path().join("send/.notes"), "").expect("what an editor leaves");
    assert_eq!(load(), Ok(0));
    std::fs::write(folder.path().join("send/notes.txt"), "").expect("a file");
    let said = load().expect_err("no scenario").to_string().replace('\\', "/");
    assert_eq!(said, "scenarios/send/notes.txt: a scenario is a .json file");
}
