//! The JSON Schemas: what is committed is what the types say, they take every file of the repository, and what the parsers
//! refuse they refuse too, where JSON Schema can say it.

use std::path::{Path, PathBuf};

use conformance::client::Client;
use conformance::driver::{Command, Event, Hello, ProcessCommand};
use conformance::report::model::Report;
use conformance::scenario::Scenario;
use conformance::schema::{MEND, Name};
use jsonschema::Validator;
use rstest::rstest;
use serde_json::{Value, json};
use strum::VariantArray as _;

#[test]
fn the_committed_schemas_are_what_the_types_say() {
    for name in Name::VARIANTS {
        let path = here().join("schemas").join(name.file());
        let committed = std::fs::read_to_string(&path).unwrap_or_default().replace('\r', "");
        assert!(committed == name.text(), "{} is not what the types say; mend it: {MEND}", path.display());
    }
    let mut kept = files(&here().join("schemas"));
    // Jenkins' own, by which ci reads what the harness writes for it.
    kept.retain(|path| !path.ends_with("junit.xsd"));
    assert_eq!(kept.len(), Name::VARIANTS.len(), "schemas/ has a file that nothing writes: {kept:?}");
}

#[test]
fn a_schema_is_one() {
    for name in Name::VARIANTS {
        jsonschema::draft202012::meta::validate(&name.schema())
            .unwrap_or_else(|error| panic!("{}: {error}", name.as_str()));
    }
}

#[test]
fn every_scenario_fits() {
    let validator = validator(Name::Scenario);
    let mut count = 0;
    for area in files(&here().join("../fixtures/scenarios")) {
        for path in files(&area) {
            assert_fits(&validator, &path);
            count += 1;
        }
    }
    assert!(count > 100, "only {count} scenarios were found");
}

#[test]
fn every_client_file_fits() {
    let validator = validator(Name::Client);
    let clients = files(&here().join("clients"));
    assert!(clients.len() > 5, "only {clients:?}");
    clients.iter().for_each(|path| assert_fits(&validator, path));
}

/// What has the least that it may have, and what has all, for the tables below to break.
fn scenario() -> Value {
    json!({
        "$schema": "../../../conformance/schemas/scenario.schema.json",
        "why": "It shows something.",
        "clauses": ["send.text.single"],
        "needs": ["virtual_clock", "network"],
        "given": {
            "users": ["carol"],
            "online": ["alice", "alice/phone", "bob"],
            "groups": {"1001": ["alice", "bob"]},
            "stored": [{"from": "bob", "to": "alice", "text": "hi"}],
            "files": {"big.bin": 10_485_761},
            "webhook": {"answer": {"status": 200, "body": {"valid": true}}},
            "tokens": {"t1": {"user": "alice", "ttl_ms": -1}},
            "settings": {"recall": false, "message_bytes_max": 100},
            "reconnects": 3
        },
        "ignore": ["received"],
        "record": false,
        "record_why": "Two devices race.",
        "steps": [
            {"tell": {"user": "alice", "command": {"send_text":
                {"handle": "m1", "to": "bob", "chat": "single", "text": "hi", "ext": null}}, "count": 3}},
            {"tell": {"user": "alice", "command": {"network": {"up": false}}}},
            {"tell": {"user": "alice", "command": {"fetch_history":
                {"handle": "h", "with": "bob", "chat": "single", "count": "20"}}}},
            {"expect": {"user": "bob", "event": {"text": {"id": "$m1", "data": "hi"}}}},
            {"silent": {"user": "bob"}},
            {"advance": {"ms": 30_000}},
            {"elapse": {"ms": 30_000}},
            {"fault": {"close": {"user": "alice", "code": 1011}}},
            {"control": {"mute_user": {"user": "alice", "ms": 60_000}}}
        ]
    })
}

#[test]
fn the_whole_scenario_of_these_tables_is_good() {
    assert_eq!(parse_scenario(&scenario()), Ok(()));
    assert_eq!(complaint(Name::Scenario, &scenario()), None);
}

#[rstest]
#[case::a_field_that_is_none("/stepz", json!([]))]
#[case::no_steps("/steps", json!([]))]
#[case::no_clauses("/clauses", json!([]))]
#[case::an_empty_why("/why", json!("  "))]
#[case::a_clause_that_is_no_string("/clauses/0", json!(7))]
#[case::an_unknown_capability("/needs/0", json!("time_travel"))]
#[case::advance_without_its_capability("/needs", json!(["network"]))]
#[case::network_without_its_capability("/needs", json!(["virtual_clock"]))]
#[case::an_unknown_event_to_ignore("/ignore/0", json!("txt"))]
#[case::a_device_with_two_slashes("/given/online/1", json!("alice/phone/2"))]
#[case::the_unnamed_device_by_its_name("/given/online/1", json!("alice/web"))]
#[case::an_unknown_given("/given/onlin", json!([]))]
#[case::an_unknown_setting("/given/settings/recal", json!(true))]
#[case::a_setting_of_another_type("/given/settings/message_bytes_max", json!(-1))]
#[case::a_status_that_http_does_not_have("/given/webhook/answer/status", json!(99))]
#[case::two_answers("/given/webhook/answer/text", json!("no"))]
#[case::another_word_than_silence("/given/webhook/answer", json!("quiet"))]
#[case::record_false_without_its_reason("/record_why", Value::Null)]
#[case::a_reason_without_record_false("/record", json!(true))]
#[case::an_unknown_step("/steps/0", json!({"say": {"user": "alice"}}))]
#[case::two_steps_in_one("/steps/4/advance", json!({"ms": 1}))]
#[case::an_unknown_command("/steps/0/tell/command", json!({"send_txt": {}}))]
#[case::a_create("/steps/0/tell/command", json!({"create": {"app_key": "o#a", "username": "alice", "device": "web",
    "rest": "", "sockjs": "", "websocket": "", "reconnects": 3, "delivery": false, "own_upload": false, "emoji": null}}))]
#[case::a_command_that_lacks_a_field("/steps/0/tell/command/send_text", json!({"handle": "m1"}))]
#[case::a_command_with_another_field("/steps/0/tell/command/send_text/txt", json!("hi"))]
#[case::a_field_of_another_type("/steps/0/tell/command/send_text/text", json!(5))]
#[case::an_unknown_chat("/steps/0/tell/command/send_text/chat", json!("channel"))]
#[case::a_count_of_none("/steps/0/tell/count", json!(0))]
#[case::a_count_beyond_all("/steps/0/tell/count", json!(10_001))]
#[case::a_count_of_history_in_words("/steps/2/tell/command/fetch_history/count", json!("ten"))]
#[case::an_unknown_event("/steps/3/expect/event", json!({"txt": {}}))]
#[case::two_events("/steps/3/expect/event/sent", json!({}))]
#[case::an_unknown_field_of_an_event("/steps/3/expect/event/text/body", json!("hi"))]
#[case::years("/steps/5/advance/ms", json!(7_776_000_001_u64))]
#[case::a_fault_that_is_none("/steps/7/fault", json!({"burn": {"user": "alice"}}))]
#[case::a_close_code_beyond_16_bits("/steps/7/fault/close/code", json!(70_000))]
#[case::a_control_without_its_user("/steps/8/control/mute_user", json!({"ms": 1}))]
fn a_scenario_that_the_parser_refuses_does_not_fit(#[case] place: &str, #[case] value: Value) {
    let mut broken = scenario();
    put(&mut broken, place, value);
    assert!(parse_scenario(&broken).is_err(), "the parser takes it: {broken}");
    assert!(complaint(Name::Scenario, &broken).is_some(), "the schema takes it: {broken}");
}

fn client() -> Value {
    json!({
        "$schema": "../schemas/client.schema.json",
        "name": "some",
        "command": ["some-shim"],
        "records": ["send/*"],
        "unsupported": {"network": "it has no notion of it"},
        "known_failures": [
            {"scenario": "send/*", "message": "expected", "reason": "it does so", "outcome": "fails",
                "link": "https://example.org/7", "versions": ">=4.0, <4.22", "until": "2027-01-31"}
        ],
        "known_findings": [{"clause": "send.ids", "text": "meta", "reason": "it does so"}]
    })
}

#[rstest]
#[case::as_it_is("/name", json!("some"), true)]
#[case::all_records("/records", json!("all"), true)]
#[case::another_word_than_all("/records", json!("some"), false)]
#[case::no_command("/command", json!([]), false)]
#[case::a_field_that_is_none("/known_failure", json!([]), false)]
#[case::an_empty_reason("/unsupported/network", json!(" "), false)]
#[case::a_failure_without_words("/known_failures/0/message", json!(""), false)]
#[case::an_outcome_that_is_none("/known_failures/0/outcome", json!("maybe"), false)]
#[case::a_day_that_is_none("/known_failures/0/until", json!("31.1.2027"), false)]
#[case::a_link_that_is_none("/known_failures/0/link", json!("example.org"), false)]
#[case::versions_that_are_none("/known_failures/0/versions", json!("4.x or so!"), false)]
#[case::a_failure_of_nothing("/known_failures/0", json!({"scenario": "a/b"}), false)]
#[case::a_finding_without_words("/known_findings/0/text", json!(""), false)]
fn a_client_file_fits_if_it_is_read(#[case] place: &str, #[case] value: Value, #[case] good: bool) {
    let mut file = client();
    put(&mut file, place, value);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("some.json");
    std::fs::write(&path, file.to_string()).expect("it is written");
    let read = Client::load(&path).map(drop);
    assert_eq!(read.is_ok(), good, "{read:?}");
    assert_eq!(complaint(Name::Client, &file).is_none(), good, "{:?}", complaint(Name::Client, &file));
}

#[rstest]
#[case::hello(json!({"hello": {"protocol": 1, "name": "x", "version": "1", "capabilities": ["page"]}}), true)]
#[case::hello_without_version(json!({"hello": {"protocol": 1, "name": "x", "capabilities": []}}), false)]
#[case::hello_with_more(json!({"hello": {"protocol": 1, "name": "x", "version": "1", "capabilities": [], "os": "x"}}), false)]
#[case::hello_of_another_world(json!({"hello": {"protocol": 1, "name": "x", "version": "1", "capabilities": ["fly"]}}), false)]
#[case::hello_with_a_version_in_words(json!({"hello": {"protocol": "1", "name": "x", "version": "1", "capabilities": []}}), false)]
#[case::ok(json!({"id": 1, "ok": {}}), true)]
#[case::next_due(json!({"id": 1, "ok": {"next_due_ms": null}}), true)]
#[case::ok_that_is_no_object(json!({"id": 1, "ok": true}), false)]
#[case::unsupported(json!({"id": 1, "unsupported": "conn.setCustom"}), true)]
#[case::error(json!({"id": 1, "error": "no"}), true)]
#[case::two_outcomes(json!({"id": 1, "ok": {}, "error": "no"}), false)]
#[case::no_outcome(json!({"id": 1}), false)]
#[case::an_id_that_is_a_string(json!({"id": "1", "ok": {}}), false)]
#[case::event(json!({"user": "alice/phone", "event": {"opened": {}}}), true)]
#[case::event_of_nobody(json!({"event": {"opened": {}}}), false)]
#[case::event_of_a_name_that_is_none(json!({"user": "/phone", "event": {"opened": {}}}), false)]
#[case::event_with_another_field(json!({"user": "alice", "event": {"opened": {"at": 1}}}), false)]
#[case::two_events(json!({"user": "alice", "event": {"opened": {}, "closed": {}}}), false)]
#[case::event_without_fields(json!({"user": "alice", "event": {"opened": null}}), false)]
#[case::something_else(json!({"level": "info"}), false)]
#[case::a_call(json!({"id": 1, "user": "alice", "command": {"close": {}}}), true)]
#[case::a_call_of_nobody(json!({"id": 1, "command": {"close": {}}}), false)]
#[case::sync(json!({"id": 1, "command": {"sync": {}}}), true)]
#[case::sync_of_somebody(json!({"id": 1, "user": "alice", "command": {"sync": {}}}), false)]
#[case::an_unknown_command(json!({"id": 1, "user": "alice", "command": {"open": {}}}), false)]
#[case::a_command_without_a_field(json!({"id": 1, "user": "alice", "command": {"login_token": {}}}), false)]
#[case::a_command_of_a_wrong_type(json!({"id": 1, "user": "alice", "command": {"login_token": {"token": 7}}}), false)]
fn a_line_fits_if_it_is_one(#[case] line: Value, #[case] good: bool) {
    let complaint = complaint(Name::Driver, &line);
    assert_eq!(complaint.is_none(), good, "{complaint:?}");
    // The same of the parsers behind it, where a line has one of its own.
    let parsed = if let Some(hello) = line.get("hello") {
        serde_json::from_value::<Hello>(hello.clone()).is_ok()
    } else if let (Some(event), Some(_)) = (line.get("event"), line.get("user")) {
        let user: Result<conformance::driver::Device, _> = serde_json::from_value(line["user"].clone());
        serde_json::from_value::<Event>(event.clone()).is_ok() && user.is_ok()
    } else if let Some(command) = line.get("command") {
        match line.get("user") {
            Some(_) => serde_json::from_value::<Command>(command.clone()).is_ok(),
            None => serde_json::from_value::<ProcessCommand>(command.clone()).is_ok(),
        }
    } else {
        return;
    };
    assert_eq!(parsed, good, "the parser says otherwise");
}

#[test]
fn a_report_fits_if_it_is_read() {
    let report = least(&Name::Report.schema());
    let good: Result<Report, _> = serde_json::from_value(report.clone());
    let written = serde_json::to_value(good.expect("it is read")).expect("it is written");
    assert_eq!(complaint(Name::Report, &written), None);
    for (place, value) in
        [("/more", json!(1)), ("/seed", json!(-1)), ("/clients", json!([{}])), ("/interrupted", json!("no"))]
    {
        let mut broken = report.clone();
        put(&mut broken, place, value);
        assert!(complaint(Name::Report, &broken).is_some(), "{place}");
        assert!(serde_json::from_value::<Report>(broken).is_err(), "{place}");
    }
}

/// An object with the least that its schema asks for.
fn least(schema: &Value) -> Value {
    let required = schema["required"].as_array().expect("an object has fields").iter();
    let fields = required.map(|name| {
        let name = name.as_str().expect("a name");
        let value = match schema["properties"][name]["type"].as_str() {
            Some("integer") => json!(0),
            Some("string") => json!(""),
            Some("boolean") => json!(false),
            Some("array") => json!([]),
            other => panic!("{name} is {other:?}: tell here what the least of it is"),
        };
        (name.to_owned(), value)
    });
    Value::Object(fields.collect())
}

fn parse_scenario(value: &Value) -> Result<(), String> {
    let clauses = ["send.text.single".to_owned()].into();
    Scenario::parse(&value.to_string(), "area/name", Path::new("name.json"), &clauses)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Sets what a JSON pointer names; the last part may be new.
fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let parent = value.pointer_mut(parent).expect("the parent is there");
    match parent {
        Value::Object(object) => {
            object.insert(last.to_owned(), new);
        }
        Value::Array(list) => list[last.parse::<usize>().expect("an index")] = new,
        other => panic!("{other} has no parts"),
    }
}

fn complaint(name: Name, value: &Value) -> Option<String> {
    validator(name).validate(value).err().map(|error| error.to_string())
}

fn validator(name: Name) -> Validator {
    jsonschema::draft202012::new(&name.schema()).expect("a schema")
}

fn assert_fits(validator: &Validator, path: &Path) {
    let text = std::fs::read_to_string(path).expect("it is read");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(
        errors.is_empty(),
        "{}: {}",
        path.display(),
        errors.join("\n").chars().take(2_000).collect::<String>()
    );
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it is read").path()).collect();
    paths.sort();
    paths
}

fn here() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}
