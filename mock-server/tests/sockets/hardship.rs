//! Peers that do not read, do not speak, or go without a word; and a server that stops.

use std::net::TcpStream;
use std::time::Duration;

use fixtures::wire::m_sync;
use mock_server::control::{Control, Fault};
use mock_server::shell::Options;
use mock_server::tape::{Door, Event};
use rstest::rstest;

use crate::peer::{APP_KEY, Arrival, Socket, connect, msync, start, start_with};

const LONG: Duration = Duration::from_secs(30);

#[rstest]
#[case::sockjs(Door::SockJs)]
#[case::binary(Door::WebSocket)]
fn a_socket_that_never_says_who_it_is_is_closed(#[case] door: Door) {
    let server = start_with(Options { first_frame_within: Duration::from_millis(20), ..Options::default() });
    let mut silent = Socket::open(server.addr(), door);
    let farewell = silent.farewell();
    assert_eq!(farewell.last(), Some(&Arrival::Close(1008, "no PROVISION came".into())));
}

#[test]
fn half_open_sockets_are_in_nobodys_way() {
    let server = start();
    let _tcp_only = connect(server.addr());
    let _no_login = Socket::open(server.addr(), Door::SockJs);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    alice.text(APP_KEY, "alice", "bob", "hi");
    assert_eq!(bob.notice(), "alice");
    assert_eq!(bob.texts(APP_KEY, "alice"), ["hi"]);
    server.quiet(APP_KEY, LONG).expect("nothing is left to do");
}

#[test]
fn a_socket_that_goes_without_a_word_is_missed() {
    let server = start();
    let alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    alice.cut();
    // Its going is read before what bob sends after it.
    while !server.tape(APP_KEY).iter().any(|row| matches!(row.event, Event::Closed { .. })) {
        bob.unread();
    }
    bob.text(APP_KEY, "bob", "alice", "hi");
    server.quiet(APP_KEY, LONG).expect("nobody waits for alice");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    assert_eq!(alice.texts(APP_KEY, "bob"), ["hi"]);
}

#[test]
fn who_does_not_read_is_cut_and_harms_nobody() {
    let server = start();
    let mut deaf = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "carl", "c");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    // Far more than a kernel's buffers and the server's own hold together.
    let (frame, frames) = (256 * 1024, 256);
    let hex = "00".repeat(frame);
    let mut sent = 0;
    loop {
        let text = sent.to_string();
        alice.text(APP_KEY, "alice", "bob", &text);
        assert_eq!(bob.notice(), "alice");
        assert_eq!(bob.texts(APP_KEY, "alice"), [text]);
        let raw = Control::Fault(Fault::SendRaw { user: "carl".into(), hex: hex.clone() });
        if server.control(APP_KEY, raw).is_err() {
            break;
        }
        sent += 1;
        assert!(sent < frames, "a server that keeps everything for it ends badly");
    }
    let mut read = 0;
    loop {
        match deaf.next() {
            Arrival::Frame(got) if got.len() == frame => read += 1,
            Arrival::Gone => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(read < sent, "not everything was kept for it");
    server.quiet(APP_KEY, LONG).expect("nobody waits for it");
}

#[rstest]
#[case::sockjs(Door::SockJs)]
#[case::binary(Door::WebSocket)]
fn a_mute_server_reads_on_and_writes_nothing(#[case] door: Door) {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), door, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), door, APP_KEY, "bob", "b");
    server.control(APP_KEY, Control::Fault(Fault::Mute { user: "alice".into() })).expect("alice is there");
    bob.text(APP_KEY, "bob", "alice", "hi");
    // More than the kernel holds: the server does read it.
    for _ in 0..64 {
        alice.send(&[0; 256 * 1024]);
    }
    alice.send_message(tungstenite::Message::Ping("are you there".into()));
    alice.send_message(tungstenite::Message::Close(None));
    server.quiet(APP_KEY, LONG).expect("nobody waits for alice");
    let mut again = Socket::log_in(server.addr(), door, APP_KEY, "alice", "a");
    assert_eq!(again.texts(APP_KEY, "bob"), ["hi"]);
    assert!(
        !server.tape(APP_KEY).iter().any(|row| matches!(row.event, Event::Closed { .. })),
        "she holds on"
    );
    alice.fall_silent();
    assert_eq!(alice.farewell(), [Arrival::Gone]);
    server.control(APP_KEY, Control::Fault(Fault::Mute { user: "alice".into() })).expect("alice is there");
    server.drop_world(APP_KEY);
    assert_eq!(again.farewell(), [Arrival::Gone], "a world that goes takes mute sockets along");
}

#[test]
fn who_asks_much_and_reads_late_gets_every_answer_in_order() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let count = 2_000;
    for number in 0..count {
        let frame = alice.text_frame(APP_KEY, "alice", "bob", &number.to_string());
        alice.send(&frame);
    }
    let ids: Vec<Option<u64>> = (0..count).map(|_| alice.sync().server_id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    let mut bob = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "bob", "b");
    let texts = bob.texts(APP_KEY, "alice");
    assert_eq!(texts, (0..count).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_server_that_is_dropped_is_gone() {
    let server = start();
    let addr = server.addr();
    let mut alice = Socket::log_in(addr, Door::SockJs, APP_KEY, "alice", "a");
    let mut silent = Socket::open(addr, Door::WebSocket);
    // Returns when its thread has ended.
    drop(server);
    assert_eq!(alice.next(), Arrival::Gone);
    assert_eq!(silent.next(), Arrival::Gone);
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = start();
    let taken = Options { listen: server.addr(), ..Options::default() };
    assert!(mock_server::shell::MockServer::start(taken).is_err());
}

#[test]
fn bad_frames_over_a_socket_cost_an_answer_and_no_more() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    for _ in 0..3 {
        alice.send(&[0xff, 0xff]);
        assert_eq!(alice.sync().status.and_then(|status| status.error_code), Some(10));
    }
    alice.send(&msync(m_sync::Command::Notice, Vec::new()));
    alice.text(APP_KEY, "alice", "bob", "still here");
    assert_eq!(server.findings(APP_KEY).len(), 4);
}
