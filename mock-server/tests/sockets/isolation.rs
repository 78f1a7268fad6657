//! Worlds side by side on one server, each with another fault and another rule: what each sees is what it sees alone.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::thread;

use fixtures::wire::{MSync, m_sync};
use mock_server::control::{Control, Fault};
use mock_server::control_api::RuleRow;
use mock_server::machine::{ConnId, Millis};
use mock_server::shell::{MockServer, Options};
use mock_server::tape::{Direction, Door, Event};
use prost::Message as _;

use crate::peer::{Arrival, Socket, connect, msync, once_a_rule_has_struck, register, reply};

const WORLDS: usize = 64;
/// The faults of [`act`], and none.
const FAULTS: usize = 8;

/// Every verb that a rule has, both ways, on frames and on requests, each in two of the worlds; with the texts of alice
/// that bob gets.
const RULES: [(&str, &[&str]); WORLDS / 2] = [
    ("on next text from alice: drop", &[]),
    ("on next text from alice: delay 3s", &["ruled"]),
    ("on next text from alice: duplicate", &["ruled"]),
    ("on next text from alice: delay 3s, duplicate", &["ruled"]),
    ("on next text from alice: hold until next", &["next", "ruled"]),
    ("on next text from alice: truncate 7", &[]),
    ("on next text from alice: flip bit 3", &[]),
    ("on next text from alice: answer status 7 \"no\"", &[]),
    ("on next text from alice: close 4001", &[]),
    ("on next text from alice: cut", &[]),
    ("on next text from alice: reset", &[]),
    ("on next text from alice: go silent", &[]),
    ("on next answer to alice: drop", &["ruled"]),
    ("on next answer to alice: delay 3s", &["ruled"]),
    ("on next answer to alice: duplicate", &["ruled"]),
    ("on next answer to alice: hold until next", &["ruled", "next"]),
    ("on next answer to alice: truncate 7", &["ruled"]),
    ("on next answer to alice: flip bit 3", &["ruled"]),
    ("on next answer to alice: close 4001", &["ruled"]),
    ("on next answer to alice: cut", &["ruled"]),
    ("on next answer to alice: reset", &["ruled"]),
    ("on next answer to alice: go silent", &["ruled"]),
    ("on next GET /contacts from alice: drop", &[]),
    ("on next GET /contacts from alice: delay 3s", &[]),
    ("on next GET /contacts from alice: answer http 503 \"no\"", &[]),
    ("on next GET /contacts from alice: cut", &[]),
    ("on next GET /contacts from alice: reset", &[]),
    ("on next GET /contacts to alice: drop", &[]),
    ("on next GET /contacts to alice: delay 3s", &[]),
    ("on next GET /contacts to alice: answer http 503 \"no\"", &[]),
    ("on next GET /contacts to alice: cut", &[]),
    ("on next GET /contacts to alice: reset", &[]),
];

/// What is seen of a world.
#[derive(Debug, PartialEq)]
struct Seen {
    /// Each connection's frames, in their order: between connections it is chance.
    lanes: BTreeMap<ConnId, Vec<(Direction, Vec<u8>)>>,
    /// What became of the request that a rule was for.
    request: Option<String>,
    rules: Vec<RuleRow>,
}

/// Worlds that differ by number differ in their fault, in its parameter, in their rule or in their door.
fn act(server: &MockServer, number: usize) -> Seen {
    let app_key = &format!("org#app{number}");
    let door = if number.is_multiple_of(2) { Door::SockJs } else { Door::WebSocket };
    server.manual_clock(app_key, Millis(1_640_908_800_000)).expect("nobody has been in it");
    register(server, app_key, "alice");
    register(server, app_key, "bob");
    let mut alice = Socket::log_in(server.addr(), door, app_key, "alice", "web");
    let mut bob = Socket::log_in(server.addr(), door, app_key, "bob", "web");
    let arm = |fault| server.control(app_key, Control::Fault(fault)).expect("both are there");
    let told = |bob: &mut Socket, texts: &[&str]| {
        assert_eq!(bob.notice(), "alice", "{app_key}");
        assert_eq!(bob.texts(app_key, "alice"), texts, "{app_key}");
    };
    alice.text(app_key, "alice", "bob", "before");
    told(&mut bob, &["before"]);
    let (alices, bobs) = (|| "alice".to_owned(), || "bob".to_owned());
    let status = i32::try_from(1 + number / FAULTS).expect("it is small");
    let code = u16::try_from(4_000 + number).expect("it is small");
    match number / 2 % FAULTS {
        0 => {}
        1 => {
            arm(Fault::DropNextAnswer { user: alices() });
            let frame = alice.text_frame(app_key, "alice", "bob", "unanswered");
            alice.send(&frame);
            told(&mut bob, &["unanswered"]);
        }
        2 => {
            arm(Fault::CutInsteadOfAnswer { user: alices() });
            let frame = alice.text_frame(app_key, "alice", "bob", "cut");
            alice.send(&frame);
            assert_eq!(alice.farewell(), [Arrival::Gone], "{app_key}");
            told(&mut bob, &["cut"]);
            alice = Socket::log_in(server.addr(), door, app_key, "alice", "web");
            alice.send(&frame);
            assert!(alice.sync().server_id.is_some(), "{app_key}: it was taken");
            // The device goes on with ids that it has not used.
            for _ in 0..2 {
                alice.text_frame(app_key, "alice", "bob", "never sent");
            }
        }
        3 | 4 => {
            arm(Fault::AnswerStatus { user: alices(), code: status, reason: "as asked".into() });
            let frame = alice.text_frame(app_key, "alice", "bob", "refused");
            alice.send(&frame);
            let said = alice.sync().status.and_then(|status| status.error_code);
            assert_eq!(said, Some(status), "{app_key}");
        }
        5 => {
            arm(Fault::SendRaw { user: bobs(), hex: format!("ffff{number:02x}") });
            let raw = [0xff, 0xff, u8::try_from(number).expect("it is small")];
            assert_eq!(bob.next(), Arrival::Frame(raw.to_vec().into()), "{app_key}");
        }
        6 => {
            arm(Fault::Close { user: bobs(), device: None, code });
            let closed = bob.farewell();
            assert!(
                closed.iter().any(|one| matches!(one, Arrival::Close(with, _) if *with == code)),
                "{closed:?}"
            );
            bob = Socket::log_in(server.addr(), door, app_key, "bob", "web");
        }
        _ => {
            arm(Fault::Cut { user: bobs(), device: None });
            assert_eq!(bob.farewell(), [Arrival::Gone], "{app_key}");
            bob = Socket::log_in(server.addr(), door, app_key, "bob", "web");
        }
    }
    // The answer comes before the NOTICE, or the fault has struck another world's message.
    alice.text(app_key, "alice", "bob", "after");
    told(&mut bob, &["after"]);
    let (rule, texts) = RULES[number / 2];
    arm(Fault::Rule(Box::new(rule.parse().unwrap_or_else(|error| panic!("{error}")))));
    let answered = if rule.contains("GET") {
        Some(ask(server, app_key, rule))
    } else {
        let ended = say(server, app_key, rule, &mut alice);
        assert_eq!(heard(&mut bob, app_key), texts, "{app_key}: {rule}");
        if ended {
            // Its local ids are new.
            alice = Socket::log_in(server.addr(), door, app_key, "alice", "another");
        }
        None
    };
    alice.text(app_key, "alice", "bob", "behind the rule");
    told(&mut bob, &["behind the rule"]);
    let rules = server.rules(app_key);
    assert!(matches!(&rules[..], [RuleRow { hits: 1, armed: false, .. }]), "{app_key}: {rules:?}");
    let mut lanes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in server.tape(app_key) {
        if let Event::Frame { conn, direction, bytes } = row.event {
            lanes.entry(conn).or_default().push((direction, bytes.to_vec()));
        }
    }
    Seen { lanes, request: answered, rules }
}

/// Alice writes, and listens until she is answered an UNREAD behind it; whether her connection ended instead.
fn say(server: &MockServer, app_key: &str, rule: &str, alice: &mut Socket) -> bool {
    let texts: &[&str] = if rule.contains("hold") { &["ruled", "next"] } else { &["ruled"] };
    for text in texts {
        let frame = alice.text_frame(app_key, "alice", "bob", text);
        alice.send(&frame);
    }
    if rule.contains("delay") {
        once_a_rule_has_struck(server, app_key);
        server.advance(app_key, 3_000);
    }
    if rule.contains("silent") {
        once_a_rule_has_struck(server, app_key);
        alice.fall_silent();
    }
    let ends = ["close", "cut", "reset", "silent"].iter().any(|word| rule.contains(word));
    if ends {
        let end = if rule.contains("close") { Arrival::Close(4001, String::new()) } else { Arrival::Gone };
        assert_eq!(alice.farewell().pop(), Some(end), "{app_key}: {rule}");
    } else {
        alice.send(&msync(m_sync::Command::Unread, Vec::new()));
        until_unread(alice);
    }
    ends
}

/// All that bob has been sent by alice, whether or not he was told of it.
fn heard(bob: &mut Socket, app_key: &str) -> Vec<String> {
    bob.send(&msync(m_sync::Command::Unread, Vec::new()));
    until_unread(bob);
    bob.texts(app_key, "alice")
}

fn until_unread(socket: &mut Socket) {
    let is_unread =
        |bytes| MSync::decode(bytes).is_ok_and(|msync| msync.command() == m_sync::Command::Unread);
    loop {
        match socket.next() {
            Arrival::Frame(bytes) if is_unread(bytes.clone()) => return,
            Arrival::Frame(_) => {}
            other => panic!("an UNREAD is answered, not {other:?}"),
        }
    }
}

/// What becomes of a request of alice's.
fn ask(server: &MockServer, app_key: &str, rule: &str) -> String {
    let head = format!(
        "GET /{}/users/alice/contacts/users HTTP/1.1\r\nAuthorization: Bearer t-alice\r\nHost: h\r\n\r\n",
        app_key.replace('#', "/")
    );
    let mut stream = connect(server.addr());
    stream.write_all(head.as_bytes()).expect("the server reads heads");
    if rule.contains("delay") {
        once_a_rule_has_struck(server, app_key);
        server.advance(app_key, 3_000);
    }
    if rule.contains("drop") {
        once_a_rule_has_struck(server, app_key);
        stream.shutdown(Shutdown::Write).expect("an open stream");
    }
    if rule.contains("delay") || rule.contains("http") {
        let reply = reply(&mut stream);
        return format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body));
    }
    match stream.read(&mut [0]) {
        Ok(bytes) => format!("{bytes} bytes"),
        Err(error) => error.kind().to_string(),
    }
}

fn server() -> MockServer {
    MockServer::start(Options { tape: true, ..Options::default() }).expect("a free port")
}

#[test]
fn sixty_four_worlds_side_by_side_see_what_each_sees_alone() {
    let together = server();
    let side_by_side: Vec<Seen> = thread::scope(|scope| {
        let acts: Vec<_> = (0..WORLDS)
            .map(|number| {
                scope.spawn({
                    let together = &together;
                    move || act(together, number)
                })
            })
            .collect();
        acts.into_iter().map(|act| act.join().expect("its world is as it should be")).collect()
    });
    for (number, seen) in side_by_side.iter().enumerate() {
        assert_eq!(*seen, act(&server(), number), "world {number}");
    }
}
