//! The two doors: SockJS for 3.x, binary WebSocket for 4.x, and what neither lets in.

use std::io::Write as _;

use fixtures::wire::{m_sync, sockjs};
use mock_server::control::{Control, Fault};
use mock_server::tape::Door;
use rstest::rstest;
use tungstenite::Message;

use crate::peer::{APP_KEY, Arrival, Socket, connect, msync, provision, start, text_of};

#[rstest]
#[case::old_to_new(Door::SockJs, Door::WebSocket)]
#[case::new_to_old(Door::WebSocket, Door::SockJs)]
#[case::old_to_old(Door::SockJs, Door::SockJs)]
#[case::new_to_new(Door::WebSocket, Door::WebSocket)]
fn a_message_goes_from_door_to_door(#[case] from: Door, #[case] to: Door) {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), from, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), to, APP_KEY, "bob", "b");
    let id = alice.text(APP_KEY, "alice", "bob", "hi");
    assert_eq!(bob.notice(), "alice");
    let page = bob.pull(APP_KEY, "alice", None);
    assert_eq!(page.metas.iter().map(|meta| meta.id).collect::<Vec<_>>(), [Some(id)]);
    assert_eq!(page.metas.iter().map(text_of).collect::<Vec<_>>(), ["hi"]);
    let end = bob.pull(APP_KEY, "alice", page.next_key);
    assert_eq!((end.metas.len(), end.is_last), (0, Some(true)));
    assert_eq!(server.findings(APP_KEY), []);
}

#[test]
fn several_frames_may_share_a_sockjs_message() {
    let server = start();
    let mut alice = Socket::open(server.addr(), Door::SockJs);
    let mut frames = vec![provision(APP_KEY, "alice", "a")];
    frames.extend(["1", "2", "3"].map(|text| alice.text_frame(APP_KEY, "alice", "bob", text)));
    let encoded: Vec<String> = frames
        .iter()
        .map(|frame| {
            let one = sockjs::client_text(frame);
            one[1..one.len() - 1].to_owned()
        })
        .collect();
    alice.send_message(Message::text(format!("[{}]", encoded.join(","))));
    assert_eq!(alice.provision().status.and_then(|status| status.error_code), Some(0));
    for _ in 0..3 {
        assert_eq!(alice.sync().status.and_then(|status| status.error_code), Some(0));
    }
    let mut bob = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "bob", "b");
    assert_eq!(bob.texts(APP_KEY, "alice"), ["1", "2", "3"]);
}

#[test]
fn a_sockjs_message_of_nothing_is_nothing() {
    let server = start();
    let mut alice = Socket::open(server.addr(), Door::SockJs);
    alice.send_message(Message::text("[]"));
    alice.send_message(Message::text(""));
    alice.send(&provision(APP_KEY, "alice", "a"));
    assert_eq!(alice.provision().status.and_then(|status| status.error_code), Some(0));
    alice.send_message(Message::text("[]"));
    assert_eq!(alice.unread().unread, []);
}

#[rstest]
#[case::text_on_the_binary_door(Door::WebSocket, Message::text("hi"), 1003)]
#[case::binary_on_the_sockjs_door(Door::SockJs, Message::binary(vec![1, 2]), 1003)]
#[case::no_sockjs(Door::SockJs, Message::text("hello"), 1007)]
#[case::no_array(Door::SockJs, Message::text("{}"), 1007)]
#[case::no_strings(Door::SockJs, Message::text("[1]"), 1007)]
#[case::no_base64(Door::SockJs, Message::text(r#"["!!"]"#), 1007)]
#[case::no_padding(Door::SockJs, Message::text(r#"["CABAAVg"]"#), 1007)]
fn broken_framing_ends_one_socket(
    #[case] door: Door,
    #[case] message: Message,
    #[case] code: u16,
    #[values(false, true)] after_login: bool,
) {
    let server = start();
    let mut bob = Socket::log_in(server.addr(), door, APP_KEY, "bob", "b");
    let mut broken = match after_login {
        true => Socket::log_in(server.addr(), door, APP_KEY, "alice", "a"),
        false => Socket::open(server.addr(), door),
    };
    broken.send_message(message);
    let farewell = broken.farewell();
    let Some(Arrival::Close(got, why)) = farewell.last() else { panic!("{farewell:?}") };
    assert_eq!(*got, code, "{why}");
    assert!(!why.is_empty(), "whoever wrote the client wants to know why");
    if door == Door::SockJs {
        assert_eq!(
            farewell[0],
            Arrival::Text(sockjs::close_text(code, why)),
            "SockJS says it in its own way"
        );
    }
    assert_eq!(bob.unread().unread, []);
}

#[test]
fn a_message_at_the_limit_is_read() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    alice.send_message(Message::binary(vec![0; 1024 * 1024]));
    let answer = alice.sync();
    assert_eq!(
        answer.status.and_then(|status| status.error_code),
        Some(10),
        "it is no frame, but it was read"
    );
}

#[rstest]
#[case::sync_first(msync(m_sync::Command::Unread, Vec::new()), 2)]
#[case::no_app_key(provision("", "alice", "a"), 4)]
#[case::bad_app_key(provision("org", "alice", "a"), 4)]
#[case::rubbish(vec![0xff, 0xff], 10)]
fn a_socket_that_names_no_world_is_turned_away(
    #[case] first: Vec<u8>,
    #[case] code: i32,
    #[values(Door::SockJs, Door::WebSocket)] door: Door,
) {
    let server = start();
    let mut socket = Socket::open(server.addr(), door);
    socket.send(&first);
    let status = match code {
        4 => socket.provision().status,
        _ => socket.sync().status,
    };
    assert_eq!(status.and_then(|status| status.error_code), Some(code));
    let farewell = socket.farewell();
    assert!(matches!(farewell.last(), Some(Arrival::Close(1008, _))), "{farewell:?}");
}

#[rstest]
#[case::sockjs(Door::SockJs)]
#[case::binary(Door::WebSocket)]
fn a_cut_has_no_close_frame(#[case] door: Door) {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), door, APP_KEY, "alice", "a");
    let cut = Control::Fault(Fault::Cut { user: "alice".into(), device: None });
    server.control(APP_KEY, cut).expect("alice is there");
    assert_eq!(alice.farewell(), [Arrival::Gone]);
}

#[rstest]
#[case::sockjs(Door::SockJs)]
#[case::binary(Door::WebSocket)]
fn a_close_has_its_code(#[case] door: Door) {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), door, APP_KEY, "alice", "a");
    let close = Control::Fault(Fault::Close { user: "alice".into(), device: None, code: 4_321 });
    server.control(APP_KEY, close).expect("alice is there");
    let farewell = alice.farewell();
    assert_eq!(farewell.last(), Some(&Arrival::Close(4_321, String::new())));
    let sockjs = Arrival::Text(r#"c[4321,""]"#.into());
    assert_eq!(farewell.len() == 2 && farewell[0] == sockjs, door == Door::SockJs, "{farewell:?}");
}

#[test]
fn what_was_said_before_a_close_still_arrives() {
    let server = start();
    let mut devices: Vec<Socket> = (1..=4)
        .map(|n| Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", &format!("d{n}")))
        .collect();
    let _fifth = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "d5");
    let kick = devices[0].sync();
    assert_eq!(kick.metas.iter().map(|meta| meta.ns).collect::<Vec<_>>(), [Some(0)], "206 at the SDK");
    let farewell = devices[0].farewell();
    assert_eq!(farewell.last(), Some(&Arrival::Close(1008, String::new())));
}

#[test]
fn frames_that_follow_the_handshake_at_once_are_read() {
    let server = start();
    let mut stream = connect(server.addr());
    // The handshake and a masked binary frame with a login, in one write.
    let frame = provision(APP_KEY, "alice", "a");
    let mut whole = b"GET /websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec();
    whole.extend([0x82, 0x80 | u8::try_from(frame.len()).expect("a short login"), 0, 0, 0, 0]);
    whole.extend(frame);
    stream.write_all(&whole).expect("the server reads");
    let reply = crate::peer::reply(&mut stream);
    assert_eq!(
        (reply.status, reply.header("sec-websocket-accept")),
        (101, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    );
    let mut ws = tungstenite::WebSocket::from_raw_socket(stream, tungstenite::protocol::Role::Client, None);
    let answer = ws.read().expect("an answer");
    assert!(answer.is_binary() && !answer.is_empty());
}

#[test]
fn a_ping_is_answered() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    alice.send_message(Message::Ping("are you there".into()));
    assert_eq!(alice.next(), Arrival::Pong("are you there".into()));
    assert_eq!(alice.unread().unread, []);
}

#[test]
fn a_clients_own_close_is_answered() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    alice.send_message(Message::Close(None));
    let farewell = alice.farewell();
    assert!(matches!(farewell[..], [Arrival::Close(..)]), "{farewell:?}");
}
