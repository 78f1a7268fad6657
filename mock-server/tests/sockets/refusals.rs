//! Every call of the control plane, refused: what it says, and that nothing at all has changed. What each command says is in
//! [`refused_commands`](crate::refused_commands).

use mock_server::control::{Control, Fault};
use mock_server::control_api::Index;
use mock_server::machine::Millis;
use mock_server::shell::MockServer;
use mock_server::tape::Door;
use rstest::rstest;
use serde_json::{Value, json};

use crate::peer::{APP_KEY, Reply, Socket, http, start};

/// What everything is compared by; the world's clock stands still.
const LOOKS: [&str; 8] = [
    "/worlds",
    "/doors",
    "/state",
    "/org/app/overview",
    "/org/app/rules",
    "/org/app/doors",
    "/org/app/clock",
    "/org/app/findings",
];

/// alice and carl are away, bob is there, and there are a group of alice and bob, a rule and two door faults.
fn staged() -> (MockServer, Socket) {
    let server = start();
    server.manual_clock(APP_KEY, Millis(1_640_908_800_000)).expect("nobody has been there");
    let bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "web");
    let stage = vec![
        Control::Group { id: "g1".into(), owner: "alice".into(), members: vec!["bob".into()] },
        Control::Fault(Fault::Rule(Box::new("on 2nd text from alice: delay 3s".parse().expect("a rule")))),
        Control::Fault(Fault::Door("refuse next 1 connections".parse().expect("a door fault"))),
    ];
    server.control_all(APP_KEY, stage).expect("both are there");
    let all = ask(&server, "POST /doors", r#""slow open 1ms""#);
    assert_eq!(all.status, 200);
    (server, bob)
}

fn ask(server: &MockServer, request: &str, body: &str) -> Reply {
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let takes = matches!(method, "POST" | "PUT");
    let kind = if takes { "\r\nContent-Type: application/json" } else { "" };
    http(server.addr(), &format!("{method} /_mock{path} HTTP/1.1{kind}"), body.as_bytes())
}

fn look(server: &MockServer) -> Vec<Value> {
    LOOKS.map(|path| ask(server, &format!("GET {path}"), "").json()).to_vec()
}

/// In the place of what is too long to be written out, or is a state of the world as it is.
fn filled_in(server: &MockServer, body: &str) -> String {
    let state = || ask(server, "GET /org/app/state", "").json();
    match body {
        "STATE OF A GROUP WITHOUT ITS OWNER" => {
            let mut state = state();
            state["worlds"][0]["groups"][0]["owner"] = json!("dora");
            state.to_string()
        }
        "STATE OF org#other" => {
            let mut state = state();
            state["worlds"][0]["app_key"] = json!("org#other");
            state.to_string()
        }
        "101 DOOR FAULTS" => json!(vec!["slow open 1ms"; 101]).to_string(),
        _ => body.replace("4097 BYTES", &"t".repeat(4097)),
    }
}

/// What is said to a request that is refused, in one text. Before and after it everything is the same.
pub(crate) fn refused(request: &str, body: &str) -> String {
    let (server, mut bob) = staged();
    let before = look(&server);
    let reply = ask(&server, request, &filled_in(&server, body));
    let said = reply.json();
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(look(&server), before, "{request} {body}: {said}");
    // He was neither kicked nor told anything.
    assert_eq!(bob.unread().unread, []);
    format!("{} {}: {}", reply.status, text("error"), text("error_description"))
}

#[rstest]
#[case::index_with_a_query(
    "GET /?page=2",
    "",
    r#"400 query: "page" is no parameter of this path; it has none"#
)]
#[case::openapi_with_a_query(
    "GET /openapi.json?page=2",
    "",
    r#"400 query: "page" is no parameter of this path; it has none"#
)]
#[case::worlds_with_a_query(
    "GET /worlds?page=2",
    "",
    r#"400 query: "page" is no parameter of this path; it has none"#
)]
#[case::catalog_with_a_query(
    "GET /catalog?page=2",
    "",
    r#"400 query: "page" is no parameter of this path; it has none"#
)]
#[case::states_with_a_query(
    "GET /state?page=2",
    "",
    r#"400 query: "page" is no parameter of this path; it has none"#
)]
#[case::doors_of_all_with_a_query(
    "GET /doors?page=2",
    "",
    r#"400 query: "page" is no parameter of this path; it has none"#
)]
#[case::doors_cleared_one_by_one(
    "DELETE /doors?id=1",
    "",
    r#"400 query: "id" is no parameter of this path; it has none"#
)]
#[case::door_that_is_none(
    "DELETE /doors/9",
    "",
    "400 id: there is no door fault 9 here; GET …/doors lists those that are armed"
)]
#[case::door_without_a_number(
    "DELETE /org/app/doors/first",
    "",
    r#"400 id: a door fault's number is expected, not "first""#
)]
#[case::door_of_no_world_cleared(
    "DELETE /none/such/doors/1",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::state_of_no_world(
    "GET /none/such/state",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::doors_of_no_world(
    "GET /none/such/doors",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::overview_of_no_world(
    "GET /none/such/overview",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::settings_of_no_world(
    "GET /none/such/settings",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::rules_of_no_world(
    "GET /none/such/rules",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::clock_of_no_world(
    "GET /none/such/clock",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::tape_of_no_world(
    "GET /none/such/tape",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::quiet_of_no_world(
    "GET /none/such/quiet",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::rest_of_no_world(
    "GET /none/such/rest",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::findings_of_no_world(
    "GET /none/such/findings",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::journal_of_no_world(
    "GET /none/such/journal",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::traffic_of_no_world(
    "GET /none/such/traffic",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::events_of_no_world(
    "GET /none/such/events",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::bundle_of_no_world(
    "GET /none/such/bundle",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::har_of_no_world(
    "GET /none/such/har",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::doors_cleared_of_no_world(
    "DELETE /none/such/doors",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::rule_cleared_of_no_world(
    "DELETE /none/such/rules/1",
    "",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::world_forgotten_in_part(
    "DELETE /org/app/world?users=1",
    "",
    r#"400 query: "users" is no parameter of this path; it has none"#
)]
#[case::reset_of_no_world(
    "POST /none/such/reset",
    "{}",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::wait_in_no_world(
    "POST /none/such/wait",
    "{}",
    "404 no_such_world: there is no world none#such; a login, a registration or a command makes one"
)]
#[case::no_app_key(
    "POST /org/%23/control",
    r#"{"known": {"users": ["a"]}}"#,
    "400 no_app_key: the path names no app key: /_mock/{org}/{app}/… with both halves"
)]
#[case::states_of_a_future_version(
    "PUT /state",
    r#"{"format": "mock-server state", "version": 2, "worlds": []}"#,
    "400 state: nothing was done: at version: version 2 was written by a newer mock-server; this one reads version 1: take the newer program"
)]
#[case::states_of_another_program(
    "PUT /state",
    r#"{"format": "x", "version": 1, "worlds": []}"#,
    r#"400 state: nothing was done: at format: "x" is another format; "mock-server state" is expected"#
)]
#[case::states_cut_short(
    "PUT /state",
    r#"{"format":"mock-server state","vers"#,
    "400 state: nothing was done: the file as a whole: it breaks off at line 1 column 35: the file was cut short"
)]
#[case::state_of_another_world(
    "PUT /org/app/state",
    "STATE OF org#other",
    "400 other_world: nothing was done: this is the state of org#other, and the path names org#app"
)]
#[case::state_of_nobody_spoken_of(
    "PUT /org/app/state",
    "STATE OF A GROUP WITHOUT ITS OWNER",
    r#"400 state: nothing was done: at worlds[0].groups[0].owner: "dora" is no user of this world"#
)]
#[case::state_of_none(
    "PUT /org/app/state",
    r#"{"format": "mock-server state", "version": 1, "worlds": []}"#,
    "400 not_one_world: nothing was done: a state of one world is expected, and this has 0; PUT /_mock/state takes them all"
)]
#[case::state_with_a_query(
    "PUT /org/app/state?merge=1",
    r#"{"format": "mock-server state", "version": 1, "worlds": []}"#,
    r#"400 query: "merge" is no parameter of this path; it has none"#
)]
#[case::door_unknown(
    "POST /doors",
    r#""refuse nobody""#,
    "400 json: nothing was done: column 8: expected `next`, `every`, `connections`, `info` or `upgrade`, not `nobody`\n  refuse nobody\n         ^ at line 1 column 15; GET /_mock/ shows what a body may be"
)]
#[case::door_of_a_world_unknown(
    "POST /org/app/doors",
    r#""refuse nobody""#,
    "400 json: nothing was done: column 8: expected `next`, `every`, `connections`, `info` or `upgrade`, not `nobody`\n  refuse nobody\n         ^ at line 1 column 15; GET /_mock/ shows what a body may be"
)]
#[case::door_of_a_new_world_unknown(
    "POST /none/such/doors",
    r#"["slow open 1s", "slow open soon"]"#,
    "400 json: nothing was done: [1]: column 11: expected a time of at most 1h, such as 250ms, 2s or 1m, not `soon`\n  slow open soon\n            ^ at line 1 column 33; GET /_mock/ shows what a body may be"
)]
#[case::doors_too_many(
    "POST /org/app/doors",
    "101 DOOR FAULTS",
    "400 too_many: nothing was done: at most 100 door faults are armed at a time"
)]
#[case::doors_of_all_too_many(
    "POST /doors",
    "101 DOOR FAULTS",
    "400 too_many: nothing was done: at most 100 door faults are armed at a time"
)]
#[case::world_anew_with_a_bad_webhook(
    "POST /org/app/world",
    r#"{"settings": {"webhooks": [{"url": "ftp://x"}]}}"#,
    r#"400 settings: nothing was done: webhooks "ftp://x": its url must begin with http://"#
)]
#[case::world_anew_too_late(
    "POST /org/app/world",
    r#"{"clock_ms": 253402300800000}"#,
    "400 clock: a clock goes to 253402300799999 ms, the end of the year 9999, and 253402300800000 ms is behind it"
)]
#[case::world_anew_without_rows(
    "POST /org/app/world",
    r#"{"tape_rows_max": 0}"#,
    "400 rows: a tape keeps 1 to 1000000 rows, not 0"
)]
#[case::world_anew_misspelt(
    "POST /org/app/world",
    r#"{"nastty": 7}"#,
    r#"400 json: nothing was done: unknown field `nastty`, expected one of `settings`, `clock_ms`, `tape_rows_max`, `nasty` at line 1 column 9; did you mean "nasty"?; GET /_mock/ shows what a body may be"#
)]
#[case::reset_in_part(
    "POST /org/app/reset",
    r#"{"users": true}"#,
    "400 json: nothing was done: unknown field `users`, there are no fields at line 1 column 8; GET /_mock/ shows what a body may be"
)]
#[case::clock_backwards(
    "POST /org/app/clock",
    r#"{"set_ms": 1640908799999}"#,
    "400 backwards: the world's clock is at 1640908800000 ms and cannot go back to 1640908799999 ms: time never goes backwards; a world made anew may begin at any time"
)]
#[case::clock_by_less_than_nothing(
    "POST /org/app/clock",
    r#"{"advance_ms": -1}"#,
    "400 json: nothing was done: advance_ms: invalid value: integer `-1`, expected u64 at line 1 column 17; GET /_mock/ shows what a body may be"
)]
#[case::clock_twice(
    "POST /org/app/clock",
    r#"{"advance_ms":1,"set_ms":1}"#,
    "400 json: nothing was done: one key alone makes a command, and another comes at line 1 column 15; GET /_mock/ shows what a body may be"
)]
#[case::clock_unknown(
    "POST /org/app/clock",
    r#"{"rewind": {}}"#,
    "400 json: nothing was done: unknown variant `rewind`, expected one of `advance_ms`, `set_ms`, `stop`, `run` at line 1 column 9; GET /_mock/ shows what a body may be"
)]
#[case::clock_too_far(
    "POST /org/app/clock",
    r#"{"advance_ms": 18446744073709551615}"#,
    "400 clock: a clock goes to 253402300799999 ms, the end of the year 9999, and 18446744073709551615 ms is behind it"
)]
#[case::clock_of_a_new_world_too_far(
    "POST /none/such/clock",
    r#"{"set_ms": 253402300800000}"#,
    "400 clock: a clock goes to 253402300799999 ms, the end of the year 9999, and 253402300800000 ms is behind it"
)]
#[case::tape_of_too_many_rows(
    "GET /org/app/tape?rows=2001",
    "",
    "400 query: rows: one answer holds at most 2000, not 2001"
)]
#[case::tape_from_no_number(
    "GET /org/app/tape?from=-1",
    "",
    r#"400 query: from: a whole number is expected, not "-1""#
)]
#[case::tape_of_no_rows(
    "POST /org/app/tape",
    r#"{"rows_max": 0}"#,
    "400 rows: a tape keeps 1 to 1000000 rows, not 0"
)]
#[case::tape_of_a_new_world_of_no_rows(
    "POST /none/such/tape",
    r#"{"rows_max": 1000001}"#,
    "400 rows: a tape keeps 1 to 1000000 rows, not 1000001"
)]
#[case::quiet_for_too_long(
    "GET /org/app/quiet?within_ms=60001",
    "",
    "400 query: within_ms: one request waits at most 60000 ms, not 60001; ask again"
)]
#[case::rest_for_too_long(
    "GET /org/app/rest?within_ms=60001",
    "",
    "400 query: within_ms: one request waits at most 60000 ms, not 60001; ask again"
)]
#[case::traffic_kind(
    "GET /org/app/traffic?kind=txet",
    "",
    r#"400 query: there is no kind "txet"; text there is"#
)]
#[case::traffic_user(
    "GET /org/app/traffic?user=alcie",
    "",
    r#"400 query: there is no user "alcie"; alice there is"#
)]
#[case::traffic_direction(
    "GET /org/app/traffic?direction=left",
    "",
    r#"400 query: there is no direction "left"; there are up, down"#
)]
#[case::traffic_clause(
    "GET /org/app/traffic?clause=recv.recieved",
    "",
    r#"400 query: there is no clause "recv.recieved"; recv.received there is"#
)]
#[case::traffic_where(
    "GET /org/app/traffic?where=meta.ns+%3D+CHAT",
    "",
    "400 query: where: column 9: ==, !=, <, >, <=, >=, contains, exists or `is absent` is expected here; did you mean ==?\n  meta.ns = CHAT\n          ^"
)]
#[case::traffic_limit(
    "GET /org/app/traffic?limit=2001",
    "",
    "400 query: limit: one answer holds at most 2000 rows, not 2001"
)]
#[case::traffic_status(
    "GET /org/app/traffic?status=99999",
    "",
    "400 query: status: no answer has the status 99999"
)]
#[case::traffic_twice("GET /org/app/traffic?kind=text&kind=image", "", "400 query: kind is there twice")]
#[case::traffic_parameter(
    "GET /org/app/traffic?kinds=text",
    "",
    r#"400 query: "kinds" is no parameter of this path; it has after, limit, user, device, kind, direction, clause, since_ms, until_ms, text, method, path, status, where"#
)]
#[case::traffic_empty("GET /org/app/traffic?user=", "", "400 query: user is empty; leave it out instead")]
#[case::traffic_number(
    "GET /org/app/traffic?after=x",
    "",
    r#"400 query: after: a whole number is expected, not "x""#
)]
#[case::events_of_an_unknown_kind(
    "GET /org/app/events?kind=txet",
    "",
    r#"400 query: there is no kind "txet"; text there is"#
)]
#[case::bundle_in_part(
    "GET /org/app/bundle?user=alice",
    "",
    r#"400 query: "user" is no parameter of this path; it has none"#
)]
#[case::har_in_part(
    "GET /org/app/har?user=alice",
    "",
    r#"400 query: "user" is no parameter of this path; it has none"#
)]
#[case::wait_for_nothing(
    "POST /org/app/wait",
    r#"{"count": 0}"#,
    "400 count: count: 1 to 2000 can be waited for, not 0"
)]
#[case::wait_for_too_many(
    "POST /org/app/wait",
    r#"{"count": 2001}"#,
    "400 count: count: 1 to 2000 can be waited for, not 2001"
)]
#[case::wait_for_too_long(
    "POST /org/app/wait",
    r#"{"within_ms": 60001}"#,
    "400 within_ms: within_ms: one request waits at most 60000 ms, not 60001; ask again"
)]
#[case::wait_for_unknown_kind(
    "POST /org/app/wait",
    r#"{"kind": "txet"}"#,
    r#"400 query: there is no kind "txet"; text there is"#
)]
#[case::wait_for_unknown_user(
    "POST /org/app/wait",
    r#"{"user": "alcie"}"#,
    r#"400 query: there is no user "alcie"; alice there is"#
)]
#[case::wait_for_unknown_field(
    "POST /org/app/wait",
    r#"{"knid": "text"}"#,
    r#"400 json: nothing was done: unknown field `knid`, expected one of `user`, `device`, `kind`, `direction`, `clause`, `since_ms`, `until_ms`, `text`, `method`, `path`, `status`, `where`, `count`, `after`, `within_ms` at line 1 column 7; did you mean "kind"?; GET /_mock/ shows what a body may be"#
)]
#[case::wait_for_contradiction(
    "POST /org/app/wait",
    r#"{"kind": "http", "where": "meta.ns == CHAT"}"#,
    "400 query: where: column 1: a request has path, query, body.FIELD, and its answer status and answer.FIELD, but no \"meta\"\n  meta.ns == CHAT\n  ^"
)]
#[case::rule_without_a_number(
    "DELETE /org/app/rules/first",
    "",
    r#"400 id: a rule's number is expected, not "first""#
)]
#[case::rule_that_is_none(
    "DELETE /org/app/rules/9",
    "",
    r#"400 id: id "9": no rule of this world has that number"#
)]
#[case::stage_nothing_of_that_name(
    "POST /org/app/stage",
    r#"{"name": "5O4", "user": "alice"}"#,
    r#"400 no_such_entry: the catalog has no "5O4"; perhaps 504 or 54? `mock-server errors` lists them all"#
)]
#[case::stage_nobody(
    "POST /org/app/stage",
    r#"{"name": "504", "user": "alcie"}"#,
    r#"400 refused: nothing was done: no user "alcie" in this world; make it first, or did you mean "alice"?"#
)]
#[case::stage_no_name_of_a_user(
    "POST /org/app/stage",
    r#"{"name": "504", "user": "a b"}"#,
    r#"400 user: "a b" is no user's name: 1 to 64 of a-z A-Z 0-9 _ . - are expected"#
)]
#[case::stage_misspelt(
    "POST /org/app/stage",
    r#"{"nam": "504", "user": "alice"}"#,
    r#"400 json: nothing was done: unknown field `nam`, expected `name` or `user` at line 1 column 6; did you mean "name"?; GET /_mock/ shows what a body may be"#
)]
#[case::stage_with_nobody_there(
    "POST /org/app/stage",
    r#"{"name": "16", "user": "alice"}"#,
    "400 refused: nothing was done: alice has no connected device that this could happen to"
)]
#[case::stage_whose_second_command_fails(
    "POST /org/app/stage",
    r#"{"name": "reconnects-refused", "user": "alice"}"#,
    "400 refused: nothing was done: alice has no connected device that this could happen to"
)]
#[case::stage_in_a_new_world(
    "POST /none/such/stage",
    r#"{"name": "504", "user": "alice"}"#,
    r#"400 refused: nothing was done: no user "alice" in this world; make it first"#
)]
#[case::call_control_in_a_new_world(
    "POST /none/such/control",
    r#"[{"known": {"users": ["dora"]}}, {"remove_user": {"user": "emil"}}]"#,
    r#"400 refused: nothing was done: command 2 of 2 was refused: no user "emil" in this world; make it first"#
)]
fn what_is_refused_changes_nothing(#[case] request: &str, #[case] body: &str, #[case] answer: &str) {
    assert_eq!(refused(request, body), answer);
}

/// The requests of the table above, as its source has them.
fn requests() -> Vec<&'static str> {
    let cases = include_str!("refusals.rs").split("#[case::").skip(1);
    cases.filter_map(|case| case.split('"').nth(1)).collect()
}

#[test]
fn every_call_of_the_control_plane_is_in_the_table() {
    let index: Index = serde_json::from_slice(&ask(&start(), "GET /", "").body).expect("its own type");
    let is_of = |call: &str, request: &str| {
        let path = request.split('?').next().unwrap_or_default().replacen(" /", " /_mock/", 1);
        let (call, path) = (call.split('/'), path.split('/').map(str::to_owned).collect::<Vec<_>>());
        let call: Vec<&str> = call.collect();
        call.len() == path.len()
            && call.iter().zip(&path).all(|(word, given)| word.starts_with('{') || word == given)
    };
    let lacks: Vec<&String> =
        index.calls.keys().filter(|call| !requests().iter().any(|request| is_of(call, request))).collect();
    assert!(lacks.is_empty(), "no case of the table is refused by {lacks:?}");
    assert!(index.calls.len() >= 35, "only {} calls are listed", index.calls.len());
}
