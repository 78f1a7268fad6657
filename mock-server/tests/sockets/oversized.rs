//! Messages larger than the server reads: their sender learns why, and nobody else notices.

use std::time::Duration;

use fixtures::wire::sockjs;
use mock_server::tape::{Door, Event};
use rstest::rstest;
use tungstenite::Message;

use crate::peer::{APP_KEY, Arrival, Socket, start};

#[rstest]
fn a_message_over_the_limit_ends_one_socket(
    #[values(Door::SockJs, Door::WebSocket)] door: Door,
    #[values(1_048_577, 1_100_000, 2_000_000, 60_000_000)] bytes: usize,
    #[values(false, true)] after_login: bool,
) {
    let server = start();
    let mut bob = Socket::log_in(server.addr(), door, APP_KEY, "bob", "b");
    let mut alice = match after_login {
        true => Socket::log_in(server.addr(), door, APP_KEY, "alice", "a"),
        false => Socket::open(server.addr(), door),
    };
    alice.send_message(match door {
        Door::SockJs => Message::text("x".repeat(bytes)),
        Door::WebSocket => Message::binary(vec![0; bytes]),
    });
    let why = format!("a message of {bytes} bytes: at most 1048576 are read");
    let mut expected = vec![Arrival::Close(1009, why.clone())];
    if door == Door::SockJs {
        expected.insert(0, Arrival::Text(sockjs::close_text(1009, &why)));
    }
    assert_eq!(alice.farewell(), expected);
    assert_eq!(bob.unread().unread, []);
    let left = server.tape(APP_KEY).into_iter().any(|row| match row.event {
        Event::Closed { why: told, .. } => told == why,
        _ => false,
    });
    assert_eq!(left, after_login, "the world knows that the device is gone");
    server.quiet(APP_KEY, Duration::from_secs(30)).expect("nobody waits for alice");
}

#[test]
fn a_message_over_the_limit_behind_a_broken_one_does_no_more_harm() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    alice.send_message(Message::text("not for this door"));
    alice.send_message(Message::binary(vec![0; 2_000_000]));
    let farewell = alice.farewell();
    assert!(matches!(farewell[..], [Arrival::Close(1003, _)]), "{farewell:?}");
}
