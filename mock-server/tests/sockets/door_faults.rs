//! Faults before a login: doors that are refused, open late or never, for the whole server or by one world's own path.

use std::io::Read as _;
use std::net::SocketAddr;

use mock_server::control::{Control, Fault};
use mock_server::shell::{MockServer, Options};
use mock_server::tape::Door;
use rstest::rstest;
use serde_json::{Value, json};

use crate::peer::{Arrival, Reply, connect, http, provision, reply, start};

const OWN: &str = "/w/org~app";
const HANDSHAKE: &str = "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://page.test\r\n\r\n";

fn call(server: &MockServer, method: &str, path: &str, body: &Value) -> Reply {
    let head = format!("{method} /_mock{path} HTTP/1.1\r\nContent-Type: application/json");
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    http(server.addr(), &head, &body)
}

fn arm(server: &MockServer, path: &str, faults: &Value) -> Value {
    let reply = call(server, "POST", path, faults);
    assert_eq!(reply.status, 200, "{:?}", reply.json());
    reply.json()
}

fn hits(server: &MockServer, path: &str) -> Vec<u64> {
    let list = call(server, "GET", path, &Value::Null).json();
    list["doors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|door| door["hits"].as_u64().expect("a count"))
        .collect()
}

/// A handshake at this path: what is answered, or how the connection ended.
fn shake(addr: SocketAddr, path: &str) -> Result<Reply, &'static str> {
    use std::io::Write as _;
    let mut stream = connect(addr);
    stream.write_all(format!("GET {path} HTTP/1.1\r\n{HANDSHAKE}").as_bytes()).expect("the server reads");
    let mut first = [0];
    match stream.peek(&mut first) {
        Ok(0) => Err("closed"),
        Ok(_) => Ok(reply(&mut stream)),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Err("reset"),
        Err(error) => panic!("nothing came: {error}"),
    }
}

fn info(addr: SocketAddr, prefix: &str) -> Reply {
    http(addr, &format!("GET {prefix}/ws/info?t=1 HTTP/1.1\r\nOrigin: http://page.test"), b"")
}

#[rstest]
#[case::of_the_server("/doors", "")]
#[case::of_the_server_by_an_own_path("/doors", OWN)]
#[case::of_a_world("/org/app/doors", OWN)]
fn so_many_connections_are_refused_and_the_next_is_not(
    #[case] faults: &str,
    #[case] prefix: &str,
    #[values("/websocket", "/ws/1/abc/websocket")] door: &str,
    #[values(("refuse next 2 connections", Err("closed")), ("refuse next 2 connections with reset", Err("reset")),
        ("refuse upgrade with 503 next 2", Ok(503)))]
    how: (&str, Result<u16, &'static str>),
) {
    let server = start();
    let (line, expected) = how;
    let list = arm(&server, faults, &json!(line));
    assert_eq!(list["doors"][0]["text"], line);
    let path = format!("{prefix}{door}");
    let tries = [(); 3].map(|()| shake(server.addr(), &path).map(|reply| reply.status));
    assert_eq!(tries, [expected, expected, Ok(101)]);
    assert_eq!(hits(&server, faults), [2]);
}

#[test]
fn a_status_comes_with_what_a_page_needs_to_read_it() {
    let server = start();
    arm(&server, "/doors", &json!(["refuse info with 503 next 1", "refuse connections with 429 next 1"]));
    let replies = [(); 3].map(|()| info(server.addr(), ""));
    assert_eq!(replies.each_ref().map(|reply| reply.status), [503, 429, 200]);
    for reply in &replies {
        assert_eq!(reply.header("access-control-allow-origin"), Some("http://page.test"));
        assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    }
    assert_eq!(String::from_utf8_lossy(&replies[0].body), "503, as a staged door fault wants it\n");
    assert_eq!(hits(&server, "/doors"), [1, 1]);
}

#[test]
fn a_worlds_own_faults_are_for_its_own_path_alone() {
    let server = start();
    arm(&server, "/org/app/doors", &json!("refuse every connection with 503"));
    let status = |path: &str| shake(server.addr(), path).map(|reply| reply.status);
    assert_eq!(status(&format!("{OWN}/websocket")), Ok(503));
    assert_eq!(status("/websocket"), Ok(101));
    assert_eq!(status("/w/org~other/websocket"), Ok(101));
    assert_eq!(info(server.addr(), "/w/org~other").status, 200);
    assert_eq!(call(&server, "DELETE", "/org/app/doors", &Value::Null).json(), json!({ "doors": [] }));
    assert_eq!(status(&format!("{OWN}/websocket")), Ok(101));
    assert_eq!(call(&server, "GET", "/org/other/doors", &Value::Null).status, 404, "looking makes no world");
}

#[rstest]
#[case::of_the_server("/doors")]
#[case::of_a_world("/org/app/doors")]
fn one_fault_is_taken_away_and_the_others_keep_their_hits(#[case] faults: &str) {
    let server = start();
    arm(&server, faults, &json!(["refuse info with 503", "refuse upgrade with 401", "slow open 1ms"]));
    assert_eq!(info(server.addr(), OWN).status, 503);
    let left = call(&server, "DELETE", &format!("{faults}/2"), &Value::Null).json();
    let texts =
        left["doors"].as_array().expect("a list").iter().map(|door| &door["text"]).collect::<Vec<_>>();
    assert_eq!(texts, ["refuse info with 503", "slow open 1ms"]);
    assert_eq!(hits(&server, faults), [1, 0]);
    assert_eq!(shake(server.addr(), &format!("{OWN}/websocket")).map(|reply| reply.status), Ok(101));
    for (id, words) in [("2", "there is no door fault 2"), ("two", "a door fault's number is expected")] {
        let refused = call(&server, "DELETE", &format!("{faults}/{id}"), &Value::Null);
        assert_eq!(refused.status, 400);
        assert!(refused.json()["error_description"].to_string().contains(words), "{}", refused.json());
    }
    assert_eq!(hits(&server, faults), [1, 1]);
}

#[test]
fn a_door_that_never_opens_takes_a_connection_and_says_nothing() {
    let server = start();
    arm(&server, "/org/app/doors", &json!({ "never_open": {} }));
    let mut sockjs =
        crate::peer::Socket::upgraded_at(server.addr(), &format!("{OWN}/ws/1/abc"), Door::SockJs);
    sockjs.send(&provision("org#app", "alice", "a"));
    sockjs.send_message(tungstenite::Message::Close(None));
    let farewell = sockjs.farewell();
    assert!(matches!(farewell[..], [Arrival::Close(..)]), "neither `o` nor an answer: {farewell:?}");
    // The handshake of a plain WebSocket is never answered; the connection stays until the client goes.
    use std::io::Write as _;
    let mut stream = connect(server.addr());
    write!(stream, "GET {OWN}/websocket HTTP/1.1\r\n{HANDSHAKE}").expect("the server reads");
    while hits(&server, "/org/app/doors") != [2] {}
    call(&server, "DELETE", "/org/app/doors", &Value::Null);
    assert_eq!(shake(server.addr(), &format!("{OWN}/websocket")).map(|reply| reply.status), Ok(101));
    stream.set_nonblocking(true).expect("a socket");
    let nothing = stream.read(&mut [0]).expect_err("nothing came before, nor when the fault was taken away");
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
}

#[rstest]
#[case::sockjs("/ws/1/abc/websocket")]
#[case::plain("/websocket")]
fn a_door_opens_late_by_its_worlds_clock(#[case] door: &str) {
    use std::io::Write as _;
    let server = start();
    server.manual_clock("org#app", mock_server::machine::Millis(4_102_444_800_000)).expect("later than now");
    arm(&server, "/org/app/doors", &json!("slow open 2s"));
    let mut stream = connect(server.addr());
    write!(stream, "GET {OWN}{door} HTTP/1.1\r\n{HANDSHAKE}").expect("the server reads");
    while hits(&server, "/org/app/doors") != [1] {}
    let is_sockjs = door.starts_with("/ws/");
    if is_sockjs {
        assert_eq!(reply(&mut stream).status, 101, "of SockJS, only the `o` is late");
    }
    server.advance("org#app", 1_999);
    stream.set_nonblocking(true).expect("a socket");
    let early = stream.peek(&mut [0]).expect_err("it is too soon");
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).expect("a socket");
    server.advance("org#app", 1);
    if is_sockjs {
        let mut frame = [0; 3];
        stream.read_exact(&mut frame).expect("the `o`");
        assert_eq!(&frame, b"\x81\x01o");
    } else {
        assert_eq!(reply(&mut stream).status, 101);
    }
}

#[test]
fn a_door_opens_late_by_the_hosts_clock_where_the_fault_is_the_servers() {
    let server = start();
    arm(&server, "/doors", &json!("slow open 1ms next 1"));
    let mut socket = crate::peer::Socket::open(server.addr(), Door::SockJs);
    socket.send(&provision("org#app", "alice", "a"));
    assert_eq!(socket.provision().status.and_then(|status| status.error_code), Some(0));
    assert_eq!(hits(&server, "/doors"), [1]);
}

#[test]
fn a_worlds_own_path_leads_to_the_same_calls_and_names_itself_in_what_it_hands_out() {
    let server = start();
    let head = format!(
        "POST {OWN}/org/app/chatfiles HTTP/1.1\r\nAuthorization: Bearer t-alice\r\n\
         Content-Type: multipart/form-data; boundary=b"
    );
    let body =
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--b--\r\n";
    let uploaded = http(server.addr(), &head, body).json();
    let uri = uploaded["uri"].as_str().expect("a uri");
    assert_eq!(uri, "http://127.0.0.1:1/w/org~app/org/app/chatfiles", "as the client reached the server");
    let file = format!(
        "{}/{}",
        &uri["http://127.0.0.1:1".len()..],
        uploaded["entities"][0]["uuid"].as_str().expect("an id")
    );
    let reply = http(server.addr(), &format!("GET {file} HTTP/1.1\r\nAuthorization: Bearer t-alice"), b"");
    assert_eq!((reply.status, &*reply.body), (200, &b"hello"[..]));
}

#[test]
fn a_worlds_own_path_leads_to_no_other_world() {
    let server = start();
    let head = format!("GET {OWN}/org/other/users/alice HTTP/1.1\r\nAuthorization: Bearer t-alice");
    let refused = http(server.addr(), &head, b"");
    let why = refused.json()["error_description"].as_str().unwrap_or_default().to_owned();
    assert_eq!(refused.status, 404);
    assert!(why.contains("this address leads to org#app alone, and the request names org#other"), "{why}");
    let mut socket = crate::peer::Socket::upgraded_at(server.addr(), OWN, Door::WebSocket);
    socket.send(&provision("org#other", "alice", "a"));
    let farewell = socket.farewell();
    let why = "this address leads to org#app, and the login names org#other".to_owned();
    assert_eq!(farewell.last(), Some(&Arrival::Close(1008, why)));
    let mut own = crate::peer::Socket::upgraded_at(server.addr(), OWN, Door::WebSocket);
    own.send(&provision("org#app", "alice", "a"));
    assert_eq!(own.provision().status.and_then(|status| status.error_code), Some(0));
}

#[rstest]
#[case::line(json!("refuse info with 200"), "column 18: expected `close`, `reset` or a status from 400 to 599, not `200`")]
#[case::one_of_many(json!(["never open", "never"]), "column 7: expected `open`, and the line ends here")]
#[case::object(json!({ "never_open": { "next": 0 } }), "next: 1 to 1000000 is expected, not 0")]
#[case::number(json!(3), "a line such as \"refuse next 3 connections\"")]
#[case::too_many(json!(vec!["never open"; 101]), "nothing was done: at most 100 door faults are armed at a time")]
fn what_is_no_door_fault_is_told_why_and_arms_nothing(#[case] body: Value, #[case] words: &str) {
    let server = start();
    for path in ["/doors", "/new/app/doors"] {
        let reply = call(&server, "POST", path, &body);
        let why = reply.json()["error_description"].as_str().unwrap_or_default().to_owned();
        assert_eq!(reply.status, 400);
        assert!(why.contains(words), "{why}");
    }
    assert_eq!(hits(&server, "/doors"), [0; 0]);
}

#[test]
fn a_command_arms_a_door_and_another_clears_it_with_all_faults() {
    let server = start();
    let fault = |line: &str| Control::Fault(Fault::Door(line.parse().expect("a good line")));
    let status = || shake(server.addr(), &format!("{OWN}/websocket")).map(|reply| reply.status);
    server.control("org#app", fault("refuse every connection with 503")).expect("there is room");
    assert_eq!(status(), Ok(503));
    // In an array, each follows the one before it, and one that is refused leaves all as it was.
    let nobody = Control::RemoveUser { user: "nobody".into() };
    let refused = server.control_all("org#app", vec![Control::ClearFaults {}, fault("never open"), nobody]);
    assert_eq!((refused.expect_err("nobody is there").index, status()), (2, Ok(503)));
    server
        .control_all("org#app", vec![Control::ClearFaults {}, fault("refuse upgrade with 401")])
        .expect("room");
    assert_eq!(status(), Ok(401));
    let lines: Vec<_> = server.doors("org#app").into_iter().map(|door| (door.text, door.hits)).collect();
    assert_eq!(lines, [("refuse upgrade with 401".to_owned(), 1)]);
    server.control("org#app", Control::ClearFaults {}).expect("nothing hinders it");
    assert_eq!((status(), server.doors("org#app").len()), (Ok(101), 0));
    let many = vec![fault("never open"); 101];
    let error = server.control_all("org#app", many).expect_err("too many").to_string();
    assert!(error.contains("more door faults are armed already than any test can mean"), "{error}");
    assert_eq!(status(), Ok(101));
}

#[test]
fn what_befell_somebody_at_the_door_is_on_the_tape_and_again_in_a_replay() {
    let server = start();
    let lines =
        ["refuse info with 503 next 1", "refuse next connection with reset", "refuse upgrade with 401"];
    arm(&server, "/org/app/doors", &json!(lines));
    let path = format!("{OWN}/websocket");
    assert_eq!(info(server.addr(), OWN).status, 503);
    let tries = [(); 2].map(|()| shake(server.addr(), &path).map(|reply| reply.status));
    assert_eq!(tries, [Err("reset"), Ok(401)]);
    let traffic = call(&server, "GET", "/org/app/traffic?kind=fault", &Value::Null).json();
    let told =
        traffic["rows"].as_array().expect("rows").iter().map(|row| row["line"].as_str().expect("a line"));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "door fault 1: /ws/info is answered 503: `refuse info with 503 next 1`",
            "door fault 2: a handshake is reset: `refuse next connection with reset`",
            "door fault 3: a handshake is answered 401: `refuse upgrade with 401`",
        ]
    );
    let journal = server.journal("org#app").expect("it is whole");
    let again = mock_server::replay::replay(&journal).expect("it begins at the beginning");
    assert_eq!(again.rows, server.tape("org#app"));
}

#[test]
fn a_world_that_is_forgotten_takes_its_faults_with_it() {
    let server = MockServer::start(Options::default()).expect("a free port");
    arm(&server, "/org/app/doors", &json!("never open"));
    server.drop_world("org#app");
    assert_eq!(shake(server.addr(), &format!("{OWN}/websocket")).map(|reply| reply.status), Ok(101));
}
