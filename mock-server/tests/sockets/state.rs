//! States over HTTP: what PUT does to those who are connected, and that a state which does not fit does nothing at all.

use std::io::{Read as _, Write as _};

use mock_server::control::{Control, Fault, SettingsPatch};
use mock_server::machine::state::CONTENT_BYTES_MAX;
use mock_server::shell::MockServer;
use mock_server::tape::Door;
use rstest::rstest;
use serde_json::{Value, json};

use crate::attachments::{pattern, upload};
use crate::peer::{APP_KEY, Arrival, Reply, Socket, connect, http, once_a_rule_has_struck, register, start};

const ONE: &str = "/_mock/org/app/state";
const ALL: &str = "/_mock/state";

fn get(server: &MockServer, path: &str) -> Value {
    let reply = http(server.addr(), &format!("GET {path} HTTP/1.1"), b"");
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()
}

fn put(server: &MockServer, path: &str, body: &[u8]) -> Reply {
    http(server.addr(), &format!("PUT {path} HTTP/1.1\r\nContent-Type: application/json"), body)
}

fn put_json(server: &MockServer, path: &str, state: &Value) -> Value {
    let reply = put(server, path, state.to_string().as_bytes());
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

fn arm(server: &MockServer, rule: &str) {
    let rule = Box::new(rule.parse().unwrap_or_else(|error| panic!("{error}")));
    server.control(APP_KEY, Control::Fault(Fault::Rule(rule))).expect("there is room for it");
}

/// Stops the clock of the world, so that two states of it are equal unless something has happened.
fn stop_clock(server: &MockServer) {
    let head = "POST /_mock/org/app/clock HTTP/1.1\r\nContent-Type: application/json";
    let now =
        http(server.addr(), head, br#"{"advance_ms":0}"#).json()["now_ms"].as_u64().expect("ms") + 60_000;
    let reply = http(server.addr(), head, json!({ "set_ms": now }).to_string().as_bytes());
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn a_state_in_place_cuts_its_own_world_and_says_how_many_that_were() {
    let server = start();
    register(&server, "org#other", "dora");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    let mut dora = Socket::log_in(server.addr(), Door::SockJs, "org#other", "dora", "d");
    alice.text(APP_KEY, "alice", "carl", "before");
    let state = get(&server, ONE);
    alice.text(APP_KEY, "alice", "carl", "after");

    let told = put_json(&server, ONE, &state);
    let expected = json!({ "worlds": [{ "app_key": "org#app", "connections_cut": 2 }], "forgotten": [] });
    assert_eq!(told, expected);
    assert_eq!(alice.farewell().pop(), Some(Arrival::Gone));
    assert_eq!(bob.farewell().pop(), Some(Arrival::Gone));
    dora.unread();
    let mut carl = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "carl", "c");
    assert_eq!(carl.texts(APP_KEY, "alice"), ["before"], "what came since is no more");

    let state = get(&server, ALL);
    register(&server, "org#third", "emil");
    let told = put_json(&server, ALL, &state);
    let worlds = json!([
        { "app_key": "org#app", "connections_cut": 1 },
        { "app_key": "org#other", "connections_cut": 1 },
    ]);
    assert_eq!(told, json!({ "worlds": worlds, "forgotten": ["org#third"] }));
    assert_eq!(carl.farewell().pop(), Some(Arrival::Gone));
    assert_eq!(dora.farewell().pop(), Some(Arrival::Gone));
    drop(Socket::log_in(server.addr(), Door::SockJs, "org#other", "dora", "d"));
}

#[test]
fn whoever_waits_for_an_answer_of_the_world_that_went_is_cut() {
    let server = start();
    let state = get(&server, ONE);
    arm(&server, "on next GET /publicchatgroups: drop");
    let mut stream = connect(server.addr());
    let head = format!("GET /org/app/publicchatgroups HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr());
    stream.write_all(head.as_bytes()).expect("the server reads");
    once_a_rule_has_struck(&server, APP_KEY);
    put_json(&server, ONE, &state);
    let mut answer = Vec::new();
    assert!(matches!(stream.read_to_end(&mut answer), Ok(0)), "{answer:?}");
}

#[test]
fn rules_go_on_from_where_they_were() {
    let server = start();
    arm(&server, "on 2nd text from alice: answer status 7 \"no\"");
    arm(&server, "on every answer to nobody: drop");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    alice.text(APP_KEY, "alice", "bob", "1");
    let (rules, state) = (get(&server, "/_mock/org/app/rules"), get(&server, ONE));
    assert_eq!(rules["rules"][0]["looked_at"], json!(2), "{rules}");
    server.control(APP_KEY, Control::ClearFaults {}).expect("nothing is against it");
    put_json(&server, ONE, &state);
    assert_eq!(get(&server, "/_mock/org/app/rules"), rules);

    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "2");
    alice.send(&frame);
    let status = alice.sync().status.expect("an answer");
    assert_eq!((status.error_code, status.reason.as_deref()), (Some(7), Some("no")));
    arm(&server, "on next text from alice: drop");
    let ids: Vec<_> = get(&server, "/_mock/org/app/rules")["rules"].as_array().expect("a list").clone();
    let ids: Vec<_> = ids.iter().map(|rule| rule["id"].clone()).collect();
    assert_eq!(ids, [1, 2, 3], "no number is used twice");
}

#[test]
fn what_is_slow_and_who_is_turned_away_stay_so() {
    let server = start();
    let faults = [
        Fault::SlowUploads { user: "alice".into(), bytes_per_second: 1_000, count: 2 },
        Fault::Door("refuse next 2 connections with 503".parse().expect("a door fault")),
        Fault::Door("slow open 1ms".parse().expect("a door fault")),
    ];
    faults
        .into_iter()
        .for_each(|fault| server.control(APP_KEY, Control::Fault(fault)).expect("there is room"));
    let knock = || http(server.addr(), "GET /w/org~app/ws/info HTTP/1.1", b"").status;
    assert_eq!(knock(), 503);
    let (doors, state) = (get(&server, "/_mock/org/app/doors"), get(&server, ONE));
    let faults = &state["worlds"][0]["faults"];
    assert_eq!(faults["slow_uploads"], json!([{ "user": "alice", "bytes_per_second": 1000, "left": 2 }]));
    let expected = json!([
        { "id": 1, "text": "refuse next 2 connections with 503", "hits": 1 },
        { "id": 2, "text": "slow open 1ms" },
    ]);
    assert_eq!(faults["doors"], expected);
    assert_eq!(http(server.addr(), "DELETE /_mock/org/app/doors HTTP/1.1", b"").status, 200);

    put_json(&server, ONE, &state);
    assert_eq!(get(&server, ONE)["worlds"][0]["faults"], state["worlds"][0]["faults"]);
    assert_eq!(get(&server, "/_mock/org/app/doors"), doors);
    assert_eq!([knock(), knock()], [503, 200]);
}

/// Another value somewhere in a state.
fn with(state: &Value, pointer: &str, value: Value) -> Vec<u8> {
    let mut state = state.clone();
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    match state.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} is in the state")) {
        Value::Object(fields) => drop(fields.insert(last.to_owned(), value)),
        other => *other.pointer_mut(&format!("/{last}")).expect("it is in the state") = value,
    }
    state.to_string().into_bytes()
}

#[rstest]
#[case::of_a_future_version(
    "/version", json!(2),
    "at version: version 2 was written by a newer mock-server; this one reads version 1: take the newer program"
)]
#[case::another_format(
    "/format", json!("x"), "at format: \"x\" is another format; \"mock-server state\" is expected"
)]
#[case::an_unknown_field("/worlds/0/usres", json!([]), "at worlds[0].usres: unknown field `usres`, expected one of ")]
#[case::an_unknown_setting(
    "/worlds/0/settings/recal", json!(true), "at worlds[0].settings.recal: unknown field `recal`, expected one of "
)]
#[case::another_type(
    "/worlds/0/users/0/name", json!(7), "at worlds[0].users[0].name: invalid type: integer `7`, expected a string"
)]
#[case::nobodys_contact(
    "/worlds/0/users/0/contacts", json!([{ "user": "nobody", "mine": true }]),
    "at worlds[0].users[0].contacts[0]"
)]
#[case::a_message_of_an_unknown_group(
    "/worlds/0/messages/0/in", json!(["group:9"]),
    "at worlds[0].messages[0].in[0]: \"group:9\" is not among `conversations`"
)]
#[case::numbers_that_run_out(
    "/worlds/0/counters/next_id", json!(u64::MAX.to_string()),
    "at worlds[0].counters.next_id: at most 9000000000000000000, or numbers would run out"
)]
#[case::a_rule_that_is_none(
    "/worlds/0/faults/rules/0/text", json!("on next text from alice: dorp"),
    "at worlds[0].faults.rules[0].text: not a rule: column 26: "
)]
#[case::a_rule_whose_number_comes_again(
    "/worlds/0/faults/rules_ever", json!(0),
    "at worlds[0].faults.rules[0].id: 1 is above `rules_ever`, which is 0: it would be given to another rule, too"
)]
#[case::more_hits_than_frames(
    "/worlds/0/faults/rules/0/hits", json!(9),
    "at worlds[0].faults.rules[0].hits: 9 is more than `fitted`, which is 1"
)]
#[case::a_door_that_is_none(
    "/worlds/0/faults/doors", json!([{ "id": 1, "text": "refuse nobody" }]),
    "at worlds[0].faults.doors[0].text: "
)]
#[case::a_door_whose_number_comes_again(
    "/worlds/0/faults/doors", json!([{ "id": 1, "text": "never open" }]),
    "at worlds[0].faults.doors[0].id: 1 is above `doors_ever`, which is 0: it would be given to another one, too"
)]
#[case::slow_for_ever(
    "/worlds/0/faults/slow_uploads", json!([{ "user": "alice", "bytes_per_second": 0, "left": 1 }]),
    "at worlds[0].faults.slow_uploads[0].bytes_per_second: at least 1 is expected"
)]
#[case::the_same_world_twice(
    "/worlds/1",
    Value::Null,
    "at worlds[1].app_key: the world org#app is there twice"
)]
fn a_state_that_does_not_fit_leaves_every_world_as_it_was(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let server = start();
    arm(&server, "on next text from alice: delay 1ms");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "1");
    alice.send(&frame);
    alice.sync();
    stop_clock(&server);
    let before = get(&server, ALL);
    let bad = match value {
        Value::Null => {
            let twice = [before["worlds"][0].clone(), before["worlds"][0].clone()];
            with(&before, "/worlds", twice.into_iter().collect())
        }
        value => with(&before, pointer, value),
    };
    for path in [ONE, ALL] {
        let reply = put(&server, path, &bad);
        let answer = reply.json();
        assert_eq!((reply.status, &answer["error"]), (400, &json!("state")), "{answer}");
        let words = answer["error_description"].as_str().expect("why");
        assert!(words.starts_with(&format!("nothing was done: {expected}")), "{words}");
        assert_eq!(get(&server, ALL), before);
    }
    alice.unread();
}

#[test]
fn a_state_for_another_world_or_for_several_is_told_where_it_belongs() {
    let server = start();
    register(&server, "org#other", "dora");
    let refused = |path: &str, state: &Value| {
        let reply = put(&server, path, state.to_string().as_bytes());
        (reply.status, reply.json()["error_description"].as_str().expect("why").to_owned())
    };
    let other = get(&server, "/_mock/org/other/state");
    assert_eq!(
        refused(ONE, &other),
        (400, "nothing was done: this is the state of org#other, and the path names org#app".to_owned())
    );
    let both = get(&server, ALL);
    assert_eq!(
        refused(ONE, &both),
        (
            400,
            "nothing was done: a state of one world is expected, and this has 2; PUT /_mock/state takes them all"
                .to_owned()
        )
    );
    assert_eq!(get(&server, ALL)["worlds"].as_array().map(Vec::len), Some(2));
}

#[test]
fn attachments_that_no_state_holds_are_refused_rather_than_left_out() {
    let server = start();
    let large = CONTENT_BYTES_MAX + 1;
    let patch = SettingsPatch { attachment_bytes_max: Some(large), ..SettingsPatch::default() };
    server.control(APP_KEY, Control::Settings(patch)).expect("a setting");
    upload(&server, "small.bin", "image/png", &pattern(1_000), "");
    get(&server, ONE);
    let content = pattern(usize::try_from(large).expect("64 MiB"));
    upload(&server, "large.bin", "image/png", &content, "");
    for path in [ONE, ALL] {
        let reply = http(server.addr(), &format!("GET {path} HTTP/1.1"), b"");
        let answer = reply.json();
        assert_eq!((reply.status, &answer["error"]), (413, &json!("attachments_too_large")));
        assert_eq!(
            answer["error_description"],
            "1 attachments with 67108865 bytes do not fit: a state has at most 67108864 bytes of them; DELETE the \
             world, or begin it anew without the large ones"
        );
    }
}
