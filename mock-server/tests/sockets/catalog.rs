//! The catalog over HTTP, and the program's commands that arm its entries in a server that runs.

use std::process::{Command, Output};

use mock_server::control::Control;
use mock_server::shell::MockServer;
use mock_server::tape::Door;
use rstest::rstest;
use serde_json::{Value, json};

use crate::peer::{APP_KEY, Reply, Socket, http, start};

fn stage(server: &MockServer, body: &Value) -> Reply {
    let head = "POST /_mock/org/app/stage HTTP/1.1\r\nContent-Type: application/json";
    http(server.addr(), head, body.to_string().as_bytes())
}

fn program(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mock-server")).args(args).output().expect("the program was built")
}

fn at(server: &MockServer, args: &[&str]) -> Output {
    program(&[args, &["--server", &format!("http://{}", server.addr())]].concat())
}

fn said(output: &Output) -> (bool, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// The status of the answer to a text to carl.
fn answer(socket: &mut Socket, from: &str) -> i32 {
    let frame = socket.text_frame(APP_KEY, from, "carl", "hi");
    socket.send(&frame);
    socket.sync().status.and_then(|status| status.error_code).unwrap_or_default()
}

#[test]
fn the_catalog_is_told_with_the_line_that_arms_each_error() {
    let server = start();
    let reply = http(server.addr(), "GET /_mock/catalog HTTP/1.1", b"");
    assert_eq!(reply.status, 200);
    let catalog = reply.json();
    let errors = catalog["errors"].as_array().expect("a list");
    let error = errors.iter().find(|error| error["name"] == "504").expect("504");
    assert_eq!(error["code"], 504);
    assert_eq!(error["clause"], "fail.504");
    assert_eq!(error["group"], "message");
    assert_eq!(error["command"], "mock-server errors 504 --arm --user alice");
    assert!(error["says"]["zh"].is_string() && error["then"]["en"].is_string(), "{error}");
}

#[test]
fn what_is_staged_happens_to_that_user_alone_and_once() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    let reply = stage(&server, &json!({"name": "501", "user": "Alice"}));
    assert_eq!((reply.status, reply.json()["armed"].as_array().map(Vec::len)), (200, Some(1)));
    let mut bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    assert_eq!(answer(&mut bob, "bob"), 0);
    assert_eq!(answer(&mut alice, "alice"), 7);
    assert_eq!(answer(&mut alice, "alice"), 0);
}

#[rstest]
#[case::no_such_name(json!({"name": "5O4", "user": "alice"}), "perhaps 504 or 54?")]
#[case::nobody(json!({"name": "504", "user": "dave"}), r#"no user "dave" in this world"#)]
#[case::not_there(json!({"name": "16", "user": "alice"}), "alice has no connected device")]
#[case::no_name(json!({"user": "alice"}), "missing field `name`")]
#[case::another_field(json!({"name": "504", "user": "alice", "count": 2}), "unknown field `count`")]
fn what_cannot_be_staged_is_refused_with_the_reason(#[case] body: Value, #[case] words: &str) {
    let reply = stage(&start(), &body);
    assert_eq!(reply.status, 400);
    let why = reply.json()["error_description"].to_string().replace("\\\"", "\"");
    assert!(why.contains(words), "{why}");
}

#[test]
fn a_command_arms_it_in_the_only_world_of_the_server() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    let (done, out, err) = said(&at(&server, &["errors", "501", "--arm", "--user", "alice"]));
    assert!(done, "{err}");
    assert_eq!(out, "org#app: 501 is armed for alice\nthe next message of alice is refused: send one\n");
    assert_eq!(answer(&mut alice, "alice"), 7);
    let zh = at(&server, &["errors", "501", "--arm", "--user", "alice", "--lang", "zh"]);
    assert!(said(&zh).1.contains("alice 的下一条消息会被拒绝"), "{zh:?}");
}

#[test]
fn of_several_worlds_one_has_to_be_named() {
    let server = start();
    let known = Control::Known { users: vec!["alice".into()] };
    server.control("other#app", known).expect("a good name");
    let (done, _, err) = said(&at(&server, &["errors", "501", "--arm", "--user", "alice"]));
    let expected =
        "mock-server: 2 worlds are there (org#app, other#app): say which, such as --world 'org#app'\n";
    assert_eq!((done, &*err), (false, expected));
    let named = ["errors", "501", "--arm", "--user", "alice", "--world", "other#app"];
    assert!(said(&at(&server, &named)).0);
}

#[rstest]
#[case::nobody(&["errors", "504", "--arm", "--user", "dave"], r#"mock-server: nothing was done: no user "dave" in this world; make it first"#)]
#[case::no_such_error(&["errors", "9999"], r#"mock-server: the catalog has no "9999""#)]
#[case::no_such_situation(&["stage", "zebra", "--user", "alice"], r#"mock-server: the catalog has no "zebra"; `mock-server errors`"#)]
fn a_command_that_fails_says_why(#[case] args: &[&str], #[case] words: &str) {
    let (done, out, err) = said(&at(&start(), args));
    assert!(!done && out.is_empty() && err.starts_with(words), "{out}{err}");
}

#[test]
fn a_command_says_where_nobody_listens() {
    let server = start();
    let url = format!("http://{}", server.addr());
    drop(server);
    let (done, _, err) = said(&program(&["errors", "504", "--arm", "--user", "alice", "--server", &url]));
    let words = format!("mock-server: nobody listens on {url} (");
    assert!(!done && err.starts_with(&words) && err.contains("start `mock-server`"), "{err}");
}

#[test]
fn a_command_says_that_something_else_listens() {
    use std::io::{Read as _, Write as _};
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", other.local_addr().expect("it is bound"));
    let web_server = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().expect("the command comes");
        let mut head = [0; 4096];
        let _read = stream.read(&mut head).expect("its request");
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno").expect("it waits");
    });
    let (done, _, err) = said(&program(&["errors", "504", "--arm", "--user", "alice", "--server", &url]));
    web_server.join().expect("it served");
    assert!(!done && err.contains("is no mock-server of this version: HTTP 404"), "{err}");
}

#[test]
fn the_list_has_every_group_and_one_entry_all_that_is_known_of_it() {
    let (done, list, _) = said(&program(&["errors"]));
    assert!(done);
    for words in
        ["Messages and recalls, every SDK", "\n  504 ", "Logins", "Connections that end", "\n  minus-1 "]
    {
        assert!(list.contains(words), "{words:?} in\n{list}");
    }
    let (_, detail, _) = said(&program(&["errors", "504"]));
    for words in ["504: recalled too late\n", "fail.504", "exceed recall time limit", "--arm --user alice"] {
        assert!(detail.contains(words), "{words:?} in\n{detail}");
    }
    let (_, json, _) = said(&program(&["errors", "-3", "--json"]));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(3), "{json}");
    assert!(said(&program(&["stage"])).0);
}
