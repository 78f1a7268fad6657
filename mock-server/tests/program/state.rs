//! The program with `--state`: it ends and begins again under its clients, and nothing that was acknowledged is lost.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;

use client_core::net::Connection;
use client_core::{AttachmentUrls, Chat, Config, Content, Door, EmojiTable, Event, IncomingContent, Message};
use serde_json::{Value, json};

use crate::running::{Program, command};

/// The program with this file, saved at these times.
fn start(listen: &str, state: &Path, save: &str) -> Program {
    let mut command = command();
    command.args(["--listen", listen, "--save", save, "--state"]).arg(state).stdin(Stdio::null());
    Program::start(&mut command, "listening on http://")
}

/// A request, and the status and JSON of its answer.
fn http(addr: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let mut stream = TcpStream::connect(addr).expect("the program listens");
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    stream.write_all(body.as_bytes()).expect("it reads");
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).expect("an answer");
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    loop {
        line.clear();
        reader.read_line(&mut line).expect("a head");
        let Some((name, value)) = line.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

fn token(addr: SocketAddr, user: &str) -> String {
    let grant = json!({ "grant_type": "password", "username": user, "password": "pw" });
    let (status, answer) = http(addr, "POST", "/org/app/token", Some(&grant));
    assert_eq!(status, 200, "{answer}");
    answer["access_token"].as_str().expect("a token").to_owned()
}

fn client(addr: SocketAddr, user: &str, token: &str) -> Connection {
    let mut client = Connection::new(Config {
        app_key: "org#app".into(),
        username: user.into(),
        device: "desk".into(),
        rest: format!("http://{addr}"),
        door: Door::WebSocket { url: format!("ws://{addr}/websocket") },
        reconnects: 50,
        delivery: false,
        attachment_urls: AttachmentUrls::Ours,
        emoji: EmojiTable::default(),
    });
    client.login_token(token).expect("a fresh client");
    client
}

fn write(client: &mut Connection, text: usize) {
    let message = Message::new(Chat::Single, "bob", Content::Text(text.to_string()));
    client.send(message).expect("a good message");
}

/// Waits for the server's word on so many messages.
async fn sent(client: &mut Connection, count: usize) {
    let mut taken = 0;
    while taken < count {
        match client.event().await {
            Event::Sent { .. } => taken += 1,
            Event::Failed { failure, .. } => panic!("{failure:?}"),
            _ => {}
        }
    }
}

/// The next texts, so many.
async fn read(client: &mut Connection, count: usize) -> Vec<usize> {
    let mut texts = Vec::new();
    while texts.len() < count {
        if let Event::Message(incoming) = client.event().await
            && let IncomingContent::Text(text) = incoming.content
        {
            texts.push(text.parse().expect("a number"));
        }
    }
    texts
}

/// What was written behind all others arrives last, so what has come before it is all that came.
#[cfg(unix)]
#[tokio::test]
async fn a_stop_and_a_start_under_clients_lose_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("worlds.json");
    let mut program = start("127.0.0.1:0", &state, "exit");
    let addr = program.addr;
    let tokens = [token(addr, "alice"), token(addr, "bob")];
    let [mut alice, mut bob] = [client(addr, "alice", &tokens[0]), client(addr, "bob", &tokens[1])];
    assert_eq!(alice.event().await, Event::Opened);
    assert_eq!(bob.event().await, Event::Opened);

    (0..60).for_each(|text| write(&mut alice, text));
    let mut texts = read_beside(&mut alice, &mut bob, 20).await;
    let said = program.terminate();
    assert!(said.contains("worlds.json is not there: the server begins empty, and makes it"), "{said}");

    let saved: Value = serde_json::from_slice(&fs::read(&state).expect("it was saved")).expect("JSON");
    assert_eq!(saved["saved"]["why"], "exit");
    let mut program = start(&addr.to_string(), &state, "exit");
    // Both come back by themselves, with the tokens that they had; what was not acknowledged goes out again.
    write(&mut alice, 60);
    let left = 61 - texts.len();
    texts.extend(read_beside(&mut alice, &mut bob, left).await);
    assert_eq!(texts, (0..=60).collect::<Vec<_>>(), "each once, in order");
    assert!(!program.terminate().contains("may be missing"));
}

#[test]
fn a_program_that_is_to_end_with_its_stdin_does_and_saves() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("worlds.json");
    let mut command = command();
    command
        .args(["--listen", "127.0.0.1:0", "--end-with-stdin", "--state"])
        .arg(&state)
        .stdin(Stdio::piped());
    Program::start(&mut command, "listening on http://").close_stdin();
    let saved: Value = serde_json::from_slice(&fs::read(&state).expect("it was saved")).expect("JSON");
    assert_eq!(saved["saved"]["why"], "exit");
}

/// Runs both clients until the second one has been given so many texts.
#[cfg(unix)]
async fn read_beside(writer: &mut Connection, reader: &mut Connection, count: usize) -> Vec<usize> {
    let writes = async {
        loop {
            if let Event::Failed { failure, .. } = writer.event().await {
                panic!("{failure:?}");
            }
        }
    };
    tokio::select! {
        biased;
        texts = read(reader, count) => texts,
        () = writes => unreachable!("a client has no end"),
    }
}

#[tokio::test]
async fn after_a_kill_at_most_the_last_interval_is_missing_and_the_next_start_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("worlds.json");
    let mut program = start("127.0.0.1:0", &state, "100ms");
    let addr = program.addr;
    let tokens = [token(addr, "alice"), token(addr, "bob")];
    let mut alice = client(addr, "alice", &tokens[0]);
    assert_eq!(alice.event().await, Event::Opened);
    (0..5).for_each(|text| write(&mut alice, text));
    sent(&mut alice, 5).await;
    // Until these are on the disk; whatever comes from now on may be lost.
    while !fs::read_to_string(&state).unwrap_or_default().contains(r#""text": "4""#) {
        tokio::task::yield_now().await;
    }
    let next_id = counter(&state);
    drop(alice);
    program.kill();

    let mut program = start(&addr.to_string(), &state, "never");
    let mut bob = client(addr, "bob", &tokens[1]);
    assert_eq!(read(&mut bob, 5).await, [0, 1, 2, 3, 4]);
    let (status, now) = http(addr, "GET", "/_mock/org/app/state", None);
    assert_eq!(status, 200);
    let now: u64 = now["worlds"][0]["counters"]["next_id"].as_str().expect("digits").parse().expect("digits");
    assert!(now >= next_id, "no id is given out twice");
    let said = program.kill();
    assert!(said.contains("worlds.json was saved at "), "{said}");
    assert!(said.contains("was killed, or lost its power: up to 100 ms since then may be missing"), "{said}");
}

fn counter(state: &Path) -> u64 {
    let saved: Value = serde_json::from_slice(&fs::read(state).expect("it was saved")).expect("JSON");
    saved["worlds"][0]["counters"]["next_id"].as_str().expect("digits").parse().expect("digits")
}

#[test]
fn a_file_that_does_not_fit_ends_the_program_before_it_begins_and_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("worlds.json");
    for (text, expected) in [
        (
            r#"{"format": "mock-server state", "version": 2}"#,
            "at version: version 2 was written by a newer mock-server; this one reads version 1: take the newer program",
        ),
        (
            r#"{"format": "mock-server state", "version": 1, "worlds": [], "wordls": []}"#,
            "at wordls: unknown field `wordls`",
        ),
        (r#"{"users": []}"#, "at format: this is no state of a mock server"),
        ("", "the file as a whole: it breaks off at line 1 column 0: the file was cut short"),
    ] {
        fs::write(&state, text).expect("a file");
        let output = command()
            .args(["--listen", "127.0.0.1:0", "--state"])
            .arg(&state)
            .output()
            .expect("the program starts");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("worlds.json is not loaded"), "{said}");
        assert_eq!(fs::read_to_string(&state).expect("it is there"), text);
    }
}

#[test]
fn a_folder_that_takes_nothing_is_told_at_once_and_ends_nothing_and_is_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("missing/worlds.json");
    let mut program = start("127.0.0.1:0", &state, "100ms");
    token(program.addr, "alice");
    fs::create_dir(folder.path().join("missing")).expect("room");
    while !fs::read_to_string(&state).unwrap_or_default().contains(r#""name": "alice""#) {
        std::thread::yield_now();
    }
    let said = program.kill();
    assert!(said.contains("the worlds are not saved: cannot write "), "{said}");
}
