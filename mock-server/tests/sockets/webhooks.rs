//! Webhooks over HTTP: an app's own server is asked, by a real call, and its answer decides (rest.md B.9).

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use mock_server::control::{Control, SettingsPatch, Verdict, Webhook};
use mock_server::shell::MockServer;
use mock_server::tape::Door;
use rstest::rstest;
use serde_json::Value;

use crate::peer::{APP_KEY, Socket, start};

const LONG: Duration = Duration::from_secs(30);

/// An app's server that listens on a port of its own.
struct App(TcpListener);

impl App {
    fn new() -> Self {
        Self(TcpListener::bind(("127.0.0.1", 0)).expect("a free port"))
    }

    fn url(&self) -> String {
        format!("http://{}/hook?a=b", self.0.local_addr().expect("it is bound"))
    }

    /// Takes one call; gives its head and its body.
    fn asked(&self) -> (TcpStream, String, Value) {
        let (mut stream, _) = self.0.accept().expect("a call");
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).expect("a head");
            head.extend(byte);
        }
        let head = String::from_utf8(head).expect("a head is ASCII").to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.expect("a length").parse().expect("a number")];
        stream.read_exact(&mut body).expect("the whole body");
        (stream, head, serde_json::from_slice(&body).expect("JSON"))
    }
}

fn answer(mut stream: TcpStream, status: &str, body: &str) {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    // A caller that takes no such long answer may be gone.
    let _gone = stream.write_all(answer.as_bytes());
}

fn rule(server: &MockServer, url: String, timeout_ms: u64, on_timeout: Verdict) {
    let webhook = Webhook { url, secret: "s3".into(), timeout_ms, on_timeout, ..Webhook::default() };
    let patch = SettingsPatch { webhooks: Some(vec![webhook]), ..SettingsPatch::default() };
    server.control(APP_KEY, Control::Settings(patch)).expect("a good rule");
}

/// What alice's text is answered with.
fn sent(alice: &mut Socket) -> (Option<i32>, Option<String>) {
    let status = alice.sync().status.expect("a status");
    (status.error_code, status.reason)
}

#[test]
fn the_apps_server_is_asked_and_the_world_waits_for_it() {
    let (server, app) = (start(), App::new());
    rule(&server, app.url(), 30_000, Verdict::Refuse);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "hi");
    alice.send(&frame);
    let (stream, head, body) = app.asked();
    assert!(head.starts_with("post /hook?a=b http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    assert_eq!((&body["from"], &body["to"]), (&"alice".into(), &"bob".into()));
    assert!(server.quiet(APP_KEY, Duration::from_millis(1)).is_err(), "an open call");
    assert!(!server.rest(APP_KEY, Duration::from_millis(1)).reached, "the server itself waits");
    let mut carl = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "carl", "c");
    assert_eq!(carl.unread().unread, [], "others go on meanwhile");
    answer(stream, "200 OK", r#"{"valid":true}"#);
    assert_eq!(sent(&mut alice).0, Some(0));
    server.quiet(APP_KEY, LONG).expect("it is answered");
}

#[rstest]
#[case::refused("200 OK", r#"{"valid":false,"code":"rude"}"#.to_owned(), (Some(19), Some("rude".to_owned())))]
#[case::an_error("500 Oh", String::new(), (Some(19), Some("custom internal error".to_owned())))]
#[case::too_long("200 OK", " ".repeat(70_000), (Some(19), Some("custom internal error".to_owned())))]
fn its_answer_decides(
    #[case] status: &str,
    #[case] body: String,
    #[case] expected: (Option<i32>, Option<String>),
) {
    let (server, app) = (start(), App::new());
    rule(&server, app.url(), 30_000, Verdict::Refuse);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "hi");
    alice.send(&frame);
    answer(app.asked().0, status, &body);
    assert_eq!(sent(&mut alice), expected);
}

#[rstest]
#[case::pass(Verdict::Pass, Some(0))]
#[case::refuse(Verdict::Refuse, Some(19))]
fn one_that_is_silent_is_waited_for_only_so_long(#[case] verdict: Verdict, #[case] expected: Option<i32>) {
    let (server, app) = (start(), App::new());
    rule(&server, app.url(), 1, verdict);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "hi");
    alice.send(&frame);
    assert_eq!(sent(&mut alice).0, expected, "it was never answered");
    server.quiet(APP_KEY, LONG).expect("nobody is waited for");
}

#[test]
fn one_that_hangs_up_or_is_not_there_is_no_answer() {
    let (server, app) = (start(), App::new());
    rule(&server, app.url(), 30_000, Verdict::Refuse);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "hi");
    alice.send(&frame);
    app.asked().0.shutdown(Shutdown::Both).expect("an open stream");
    assert_eq!(sent(&mut alice).0, Some(19));
    drop(app);
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "hi again");
    alice.send(&frame);
    assert_eq!(sent(&mut alice).0, Some(19));
}

#[test]
fn a_world_that_is_forgotten_meanwhile_is_not_missed() {
    let (server, app) = (start(), App::new());
    rule(&server, app.url(), 30_000, Verdict::Refuse);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "hi");
    alice.send(&frame);
    let (stream, ..) = app.asked();
    server.drop_world(APP_KEY);
    answer(stream, "200 OK", r#"{"valid":true}"#);
    assert_eq!(server.quiet(APP_KEY, LONG).map(|quiet| quiet.mark), Ok(0));
}
