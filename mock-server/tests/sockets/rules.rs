//! Rules over real sockets: how connections end, requests that are late or never answered, and what the control plane
//! tells of rules.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use mock_server::control::{Control, Fault};
use mock_server::control_api::WaitFor;
use mock_server::machine::Millis;
use mock_server::shell::MockServer;
use mock_server::tape::{Deed, Door, Event};
use rstest::rstest;
use serde_json::json;

use crate::peer::{APP_KEY, Arrival, Socket, await_here, connect, http, reply, start};

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(30);

fn arm(server: &MockServer, rule: &str) {
    let rule = Box::new(rule.parse().unwrap_or_else(|error| panic!("{error}")));
    server.control(APP_KEY, Control::Fault(Fault::Rule(rule))).expect("there is room for it");
}

#[rstest]
#[case::sockjs(Door::SockJs)]
#[case::binary(Door::WebSocket)]
fn a_connection_is_closed_cut_reset_or_falls_silent_in_place_of_an_answer(#[case] door: Door) {
    let server = start();
    for (action, code) in [("close 1011", Some(1011)), ("cut", None), ("reset", None), ("go silent", None)] {
        // A device of its own each time: the first local id of each is the same.
        let device = action.replace(' ', "-");
        let mut alice = Socket::log_in(server.addr(), door, APP_KEY, "alice", &device);
        arm(&server, &format!("on next answer to alice/{device}: {action}"));
        let frame = alice.text_frame(APP_KEY, "alice", "bob", action);
        alice.send(&frame);
        if action == "go silent" {
            alice.send(&frame);
            server.quiet(APP_KEY, LONG).expect("nobody waits for her");
            alice.fall_silent();
        }
        let end = alice.farewell().pop();
        assert_eq!(
            end,
            Some(code.map_or(Arrival::Gone, |code| Arrival::Close(code, String::new()))),
            "{action}"
        );
    }
    let mut bob = Socket::log_in(server.addr(), door, APP_KEY, "bob", "b");
    assert_eq!(bob.texts(APP_KEY, "alice"), ["close 1011", "cut", "reset", "go silent"]);
    let ended = server.tape(APP_KEY).into_iter();
    let ended = ended.filter(|row| matches!(row.event, Event::Fault { deed: Deed::Ended, .. })).count();
    assert_eq!(ended, 4);
}

#[test]
fn a_reset_is_one_on_the_wire() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    arm(&server, "on next text from alice: reset");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "x");
    alice.send(&frame);
    // A ping may be on its way before it.
    let error = alice.into_stream().read_to_end(&mut Vec::new()).expect_err("no end, but a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

const HEAD: &str = "GET /org/app/users/alice/contacts/users HTTP/1.1\r\nAuthorization: Bearer t-alice";

#[test]
fn a_lost_request_is_not_answered_and_its_world_is_quiet() {
    let server = start();
    arm(&server, "on next GET /contacts from alice: drop");
    let mut stream = connect(server.addr());
    write!(stream, "{HEAD}\r\nHost: h\r\n\r\n").expect("the server reads heads");
    // Served behind it, on another connection.
    assert_eq!(http(server.addr(), HEAD, b"").status, 200);
    server.quiet(APP_KEY, LONG).expect("nothing will come of it");
    stream.shutdown(Shutdown::Write).expect("an open stream");
    assert_eq!(stream.read(&mut [0]).expect("an end"), 0, "not a byte");
    server.quiet(APP_KEY, LONG).expect("whoever asked has gone");
    let rows = server.tape(APP_KEY);
    assert_eq!(rows.iter().filter(|row| matches!(row.event, Event::Http { .. })).count(), 1);
}

#[test]
fn a_late_request_is_answered_when_its_worlds_clock_says_so() {
    let server = start();
    server.manual_clock(APP_KEY, Millis(1_640_908_800_000)).expect("nobody has come yet");
    arm(&server, "on next GET /contacts to alice: delay 3s");
    let mut stream = connect(server.addr());
    write!(stream, "{HEAD}\r\nHost: h\r\n\r\n").expect("the server reads heads");
    delayed(&server, 1);
    server.advance(APP_KEY, 2_999);
    assert_eq!(http(server.addr(), HEAD, b"").status, 200, "only the first is late");
    server.advance(APP_KEY, 1);
    assert_eq!(reply(&mut stream).status, 200);
}

#[test]
fn a_world_whose_clock_runs_wakes_by_itself() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    arm(&server, "on next answer to alice: delay 20ms");
    alice.text(APP_KEY, "alice", "bob", "late, and answered");
}

#[rstest]
#[case::reset("reset", Err(ErrorKind::ConnectionReset))]
#[case::cut("cut", Ok(0))]
fn a_request_ends_with_its_connection(#[case] action: &str, #[case] end: Result<usize, ErrorKind>) {
    let server = start();
    arm(&server, &format!("on next GET /contacts: {action}"));
    let mut stream = connect(server.addr());
    write!(stream, "{HEAD}\r\nHost: h\r\n\r\n").expect("the server reads heads");
    assert_eq!(stream.read(&mut [0]).map_err(|error| error.kind()), end);
}

#[test]
fn the_control_plane_arms_lists_and_takes_back() {
    let server = start();
    let post = |body: &str| {
        let head = "POST /_mock/org/app/control HTTP/1.1\r\nContent-Type: application/json";
        http(server.control_addr(), head, body.as_bytes())
    };
    let armed = post(r#"{"fault":{"rule":"on 2nd text from alice: DROP"}}"#);
    assert_eq!(armed.status, 200, "{}", armed.json());
    let object =
        r#"{"fault":{"rule":{"which":{"every":1},"what":"frame","to":{"user":"bob"},"do":["duplicate"]}}}"#;
    assert_eq!(post(object).status, 200);
    let refused = post(r#"{"fault":{"rule":"on 2nd text from alice: dorp"}}"#);
    assert_eq!(refused.status, 400);
    let why = refused.json()["error_description"].to_string();
    assert!(why.contains("column 25") && why.contains("did you mean drop?"), "{why}");
    let list = || http(server.control_addr(), "GET /_mock/org/app/rules HTTP/1.1", b"").json();
    let first =
        json!({"id": 1, "text": "on 2nd text from alice: drop", "hits": 0, "looked_at": 0, "armed": true});
    let second = json!({"id": 2, "text": "on every frame to bob: duplicate", "hits": 0, "looked_at": 0, "armed": true});
    assert_eq!(list(), json!({"rules": [first, second]}));
    let delete = |id: &str| {
        let head = format!("DELETE /_mock/org/app/rules/{id} HTTP/1.1");
        http(server.control_addr(), &head, b"")
    };
    assert_eq!(delete("1").status, 200);
    assert_eq!(list(), json!({"rules": [second]}));
    assert_eq!((delete("1").status, delete("x").status), (400, 400));
    assert_eq!(post(r#"{"clear_faults":{}}"#).status, 200);
    assert_eq!(list(), json!({"rules": []}));
}

/// What the machine did with rules of every sort is what another does with the same journal.
#[test]
fn a_journal_with_rules_replays_to_the_same_tape() {
    let server = start();
    server.manual_clock(APP_KEY, Millis(1_640_908_800_000)).expect("nobody has come yet");
    for rule in [
        "on next text from alice: delay 3s, duplicate",
        "on next GET /contacts: delay 1s",
        "on next NOTICE to bob: truncate 3",
    ] {
        arm(&server, rule);
    }
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    let _bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "late");
    alice.send(&frame);
    let mut stream = connect(server.addr());
    write!(stream, "{HEAD}\r\nHost: h\r\n\r\n").expect("the server reads heads");
    delayed(&server, 2);
    server.advance(APP_KEY, 5_000);
    assert_eq!(reply(&mut stream).status, 200);
    assert!(alice.sync().server_id.is_some());
    let journal = server.journal(APP_KEY).expect("a tape is kept");
    let replayed = mock_server::replay::replay(&journal).expect("a whole journal");
    assert_eq!(replayed.rows, server.tape(APP_KEY));
}

/// Waits until rules have delayed so many things.
fn delayed(server: &MockServer, count: usize) {
    let (kind, text) = (Some("fault".to_owned()), Some("delayed by".to_owned()));
    let wanted = WaitFor { kind, text, count, ..WaitFor::default() }.within(LONG);
    let world = server.world(APP_KEY).expect("an app key");
    await_here(world.wait(wanted)).unwrap_or_else(|error| panic!("{error}"));
}
