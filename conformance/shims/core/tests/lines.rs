//! The shim as a process: lines in, lines out, and a hand-made server on the other side. The test plays
//! harness and server in one thread, so what happens first is a fact.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use fixtures::wire::{
    CommNotice, CommSyncDl, CommUnreadDl, Jid, MSync, MessageBody, Meta, Provision, Status, message_body,
};
use prost::Message as _;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

struct Shim {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    last_id: u64,
}

impl Shim {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_shim-core"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the shim starts");
        let stdin = process.stdin.take();
        let stdout = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, stdin, stdout, last_id: 0 }
    }

    /// Past the hello.
    fn ready(arguments: &[&str]) -> Self {
        let mut shim = Self::start(arguments);
        assert_eq!(shim.line()["hello"]["name"], "core");
        shim
    }

    fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).expect("the shim reads");
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("stdout is readable");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn ask(&mut self, user: Option<&str>, command: Value) -> u64 {
        self.last_id += 1;
        let mut request = json!({"id": self.last_id, "command": command});
        if let Some(user) = user {
            request["user"] = user.into();
        }
        self.write(&format!("{request}\n"));
        self.last_id
    }

    /// Asks, and returns the answer with the events that came before it.
    fn call(&mut self, user: Option<&str>, command: Value) -> (Value, Vec<Value>) {
        let id = self.ask(user, command);
        let mut events = Vec::new();
        loop {
            let line = self.line();
            if line["id"] == id {
                return (line, events);
            }
            assert!(line["event"].is_object(), "{line}");
            events.push(line);
        }
    }

    fn ok(&mut self, user: &str, command: Value) {
        let (answer, events) = self.call(Some(user), command);
        assert_eq!((&answer["ok"], events), (&json!({}), vec![]), "{answer}");
    }

    fn sync(&mut self) -> Vec<Value> {
        self.call(None, json!({"sync": {}})).1
    }

    fn exit(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let status = self.process.wait().expect("it ends");
        let mut stderr = String::new();
        self.process.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
        (status.code(), stderr)
    }
}

impl Drop for Shim {
    fn drop(&mut self) {
        // It has ended by itself in every test that passes.
        drop(self.process.kill());
    }
}

/// A server at the other end of one listener.
struct Peer {
    listener: TcpListener,
}

/// Long enough for any machine; only a test that fails anyway waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

impl Peer {
    fn listen() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("a free port") }
    }

    fn create(&self, name: &str) -> Value {
        let address = self.listener.local_addr().expect("an address");
        json!({"create": {
            "app_key": "org#app", "username": name, "device": "web", "rest": format!("http://{address}"),
            "sockjs": format!("http://{address}/ws"), "websocket": format!("ws://{address}/websocket"),
            "reconnects": 3, "delivery": false, "own_upload": false, "emoji": null,
        }})
    }

    fn accept(&self) -> TcpStream {
        let (stream, _) = self.listener.accept().expect("the shim dials");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        stream
    }

    /// Takes a client in, up to its first UNREAD.
    fn let_in(&self) -> Socket {
        let mut socket = Socket(tungstenite::accept(Patient(self.accept())).expect("a WebSocket handshake"));
        assert_eq!(socket.read().command, Some(3));
        let payload = Provision { status: Some(Status::default()), ..Provision::default() };
        socket.send(3, payload.encode_to_vec());
        assert_eq!(socket.read().command, Some(1));
        socket
    }

    /// One HTTP request, and the stream to answer it on.
    fn request(&self) -> (String, TcpStream) {
        let mut stream = self.accept();
        let mut text = Vec::new();
        loop {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a whole request");
            text.push(byte[0]);
            let head = String::from_utf8_lossy(&text).to_lowercase();
            let Some((head, body)) = head.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                return (String::from_utf8(text).expect("UTF-8"), stream);
            }
        }
    }
}

fn answer_http(mut stream: TcpStream, body: &str) {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).expect("the shim reads");
}

/// A stream whose reads outlast a signal: with a timeout set, the system does not resume them by itself.
struct Patient(TcpStream);

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

struct Socket(WebSocket<Patient>);

impl Socket {
    fn read(&mut self) -> MSync {
        loop {
            if let Message::Binary(bytes) = self.0.read().expect("a frame") {
                return MSync::decode(bytes).expect("an MSync");
            }
        }
    }

    /// What the socket holds now, without waiting.
    fn read_now(&mut self) -> Vec<MSync> {
        self.0.get_ref().0.set_nonblocking(true).expect("a socket option");
        let mut frames = Vec::new();
        let end = loop {
            match self.0.read() {
                Ok(Message::Binary(bytes)) => frames.push(MSync::decode(bytes).expect("an MSync")),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        match end {
            tungstenite::Error::Io(error) if error.kind() == ErrorKind::WouldBlock => {}
            tungstenite::Error::ConnectionClosed => {}
            other => panic!("{other}"),
        }
        self.0.get_ref().0.set_nonblocking(false).expect("a socket option");
        frames
    }

    fn send(&mut self, command: i32, payload: Vec<u8>) {
        let frame = MSync { command: Some(command), payload: Some(payload.into()), ..MSync::default() };
        self.0.send(Message::binary(frame.encode_to_vec())).expect("the shim reads");
    }

    /// A page of one text, to be acknowledged with its key.
    fn send_page(&mut self, id: u64) {
        self.send_long_page(id, "");
    }

    fn send_long_page(&mut self, id: u64, filler: &str) {
        let text = Some(format!("{id}{filler}"));
        let content = message_body::Content { r#type: Some(0), text, ..Default::default() };
        let body = MessageBody { r#type: Some(1), contents: vec![content], ..MessageBody::default() };
        let meta =
            Meta { id: Some(id), ns: Some(1), payload: Some(body.encode_to_vec().into()), ..Meta::default() };
        let queue = Jid { name: Some("bob".to_owned()), ..Jid::default() };
        let page = CommSyncDl {
            status: Some(Status::default()),
            metas: vec![meta],
            next_key: Some(id),
            queue: Some(queue),
            ..CommSyncDl::default()
        };
        self.send(0, page.encode_to_vec());
    }
}

fn event(line: &Value) -> &str {
    line["event"].as_object().and_then(|event| event.keys().next()).map_or("", String::as_str)
}

#[test]
fn hello_says_who_it_is_and_what_it_can() {
    let mut shim = Shim::start(&[]);
    assert_eq!(
        shim.line(),
        json!({"hello": {"protocol": 1, "name": "core", "version": "0.1.0", "capabilities": ["virtual_clock", "network", "integers_64"]}})
    );
    assert_eq!(shim.exit(), (Some(0), String::new()));
}

/// How many pages alice gets: as texts they fill any pipe, so the shim stands still until its lines are read.
const LONG_PAGES: u64 = 40;
/// How many pages bob gets.
const PAGES: u64 = 700;

/// Alice and bob logged in, and the shim caught in the middle of what alice gets, which is all that it knows
/// of: bob's pages lie in a socket at which nobody has looked since it was empty. One event of alice's has
/// been read.
fn crowd(peer: &Peer, shim: &mut Shim) -> [Socket; 2] {
    let mut sockets = ["alice", "bob"].map(|user| {
        shim.ok(user, peer.create(user));
        shim.ok(user, json!({"login_token": {"token": "t"}}));
        let socket = peer.let_in();
        assert_eq!(shim.sync(), [json!({"user": user, "event": {"opened": {}}})]);
        socket
    });
    let filler = "x".repeat(4096);
    (1..=LONG_PAGES).for_each(|id| sockets[0].send_long_page(id, &filler));
    assert_eq!(event(&shim.line()), "text");
    (1..=PAGES).for_each(|id| sockets[1].send_page(id));
    sockets
}

#[test]
fn when_sync_is_answered_all_that_was_there_is_told_and_answered() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    let [mut alice, mut bob] = crowd(&peer, &mut shim);
    let told = shim.sync();
    let texts: Vec<&str> = told
        .iter()
        .filter(|line| line["user"] == "bob")
        .filter_map(|line| line["event"]["text"]["data"].as_str())
        .collect();
    assert_eq!(texts, (1..=PAGES).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(told.len() as u64, PAGES + LONG_PAGES - 1);
    let acknowledged = [alice.read_now().len() as u64, bob.read_now().len() as u64];
    assert_eq!(acknowledged, [LONG_PAGES, PAGES], "each page is acknowledged in the socket");
    assert_eq!(shim.sync(), Vec::<Value>::new());
    assert_eq!(shim.exit().0, Some(0));
}

#[test]
fn the_clock_moves_only_when_all_that_was_there_is_heard() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    let _sockets = crowd(&peer, &mut shim);
    let (answer, events) = shim.call(None, json!({"advance": {"ms": 4_000}}));
    assert_eq!(events.len() as u64, PAGES + LONG_PAGES - 1);
    // An acknowledgement waits 10 s for its answer: the last was sent before the clock moved.
    assert_eq!(answer["ok"], json!({"next_due_ms": 6_000}));
}

#[test]
fn sync_hears_http_answers_too() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    shim.ok("alice", peer.create("alice"));
    shim.ok("alice", json!({"login_password": {"password": "pw"}}));
    let (request, stream) = peer.request();
    assert!(request.starts_with("POST /org/app/token HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(r#""username":"alice","password":"pw""#), "{request}");
    answer_http(stream, r#"{"access_token":"YW"}"#);
    let _socket = peer.let_in();
    shim.sync();

    shim.ok("alice", json!({"create_group": {"name": "g", "members": ["bob"]}}));
    let (request, stream) = peer.request();
    assert!(request.to_lowercase().contains("authorization: bearer yw\r\n"), "{request}");
    answer_http(stream, r#"{"data":{"groupid":"93734273351681"}}"#);
    let told = shim.sync();
    assert_eq!(told, [json!({"user": "alice", "event": {"create_group": {"group": "93734273351681"}}})]);
}

#[test]
fn the_clock_stands_still_until_it_is_moved() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    let (answer, _) = shim.call(None, json!({"advance": {"ms": 5}}));
    assert_eq!(answer["ok"], json!({"next_due_ms": null}));
    shim.ok("alice", peer.create("alice"));
    shim.ok("alice", json!({"login_token": {"token": "t"}}));
    let mut socket = peer.let_in();
    shim.sync();

    let (answer, _) = shim.call(None, json!({"advance": {"ms": 29_999}}));
    assert_eq!((&answer["ok"], socket.read_now().len()), (&json!({"next_due_ms": 1}), 0));
    let (answer, _) = shim.call(None, json!({"advance": {"ms": 1}}));
    assert_eq!(
        (&answer["ok"], socket.read_now().len()),
        (&json!({"next_due_ms": 15_000}), 1),
        "the heartbeat is out"
    );
    socket.send(1, CommUnreadDl::default().encode_to_vec());
    let (answer, _) = shim.call(None, json!({"advance": {"ms": 0}}));
    assert_eq!(answer["ok"], json!({"next_due_ms": 30_000}), "what was there before is heard first");

    let (answer, events) = shim.call(None, json!({"advance": {"ms": 45_000}}));
    assert_eq!(answer["ok"]["next_due_ms"], 10_000, "the dial is under way");
    assert_eq!(events.iter().map(event).collect::<Vec<_>>(), ["error"]);
    let _socket = peer.let_in();
    assert_eq!(shim.sync().iter().map(event).collect::<Vec<_>>(), ["opened"]);
}

#[test]
fn a_message_keeps_the_harnesss_name_through_all_its_events() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    shim.ok("alice/web", peer.create("alice"));
    shim.ok("alice/web", json!({"login_token": {"token": "t"}}));
    let mut socket = peer.let_in();
    shim.sync();
    shim.ok(
        "alice/web",
        json!({"send_text": {"handle": "m1", "to": "bob", "chat": "single", "text": "hi", "ext": {"k": 1}}}),
    );
    let sent = socket.read();
    let uplink = fixtures::wire::CommSyncUl::decode(sent.payload.expect("a payload")).expect("an uplink");
    let answer = CommSyncDl {
        status: Some(Status::default()),
        meta_id: uplink.meta.and_then(|meta| meta.id),
        server_id: Some(1_160_000_000_000_000_001),
        ..CommSyncDl::default()
    };
    socket.send(0, answer.encode_to_vec());
    let told: Vec<Value> = shim.sync().into_iter().map(|mut line| line["event"].take()).collect();
    assert_eq!(
        told,
        [
            json!({"sent": {"handle": "m1", "id": "1160000000000000001"}}),
            json!({"received": {"handle": "m1", "id": "1160000000000000001"}}),
        ]
    );
    shim.ok("alice/web", json!({"send_cmd": {"handle": "m2", "to": "g", "chat": "group", "action": "a"}}));
    let (answer, _) = shim.call(Some("alice/web"), json!({"close": {}}));
    assert_eq!(answer["ok"], json!({}));
    let told: Vec<Value> = shim.sync().into_iter().map(|mut line| line["event"].take()).collect();
    assert_eq!(told[0]["failed"]["handle"], "m2");
    assert_eq!(told[1..], [json!({"closed": {}})]);
}

#[test]
fn a_cut_link_is_taken_up_again_in_real_time() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    shim.ok("alice", peer.create("alice"));
    shim.ok("alice", json!({"login_token": {"token": "t"}}));
    let socket = peer.let_in();
    shim.sync();
    drop(socket);
    let mut socket = peer.let_in();
    assert_eq!(shim.sync().iter().map(event).collect::<Vec<_>>(), ["error", "opened"]);
    let queue = Jid { name: Some("bob".to_owned()), ..Jid::default() };
    socket.send(2, CommNotice { queue: Some(queue) }.encode_to_vec());
    shim.sync();
    assert_eq!(socket.read_now().len(), 1, "the pull");
}

#[test]
fn the_sockjs_door_asks_info_first() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&["--door", "sockjs"]);
    shim.ok("alice", peer.create("alice"));
    shim.ok("alice", json!({"login_token": {"token": "t"}}));
    let (request, stream) = peer.request();
    assert!(request.starts_with("GET /ws/info?t="), "{request}");
    answer_http(stream, r#"{"websocket":true}"#);
    let mut socket = tungstenite::accept(Patient(peer.accept())).expect("a WebSocket handshake");
    socket.send(Message::text("o")).expect("the shim reads");
    let hello = socket.read().expect("a message");
    let frames =
        fixtures::wire::sockjs::parse_client(hello.to_text().expect("text")).expect("SockJS framing");
    assert_eq!(MSync::decode(frames[0].clone()).expect("an MSync").command, Some(3));
}

#[test]
fn reset_forgets_every_device_and_starts_the_clock_again() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    let mut ids = Vec::new();
    for _ in 0..2 {
        shim.ok("alice", peer.create("alice"));
        shim.ok("alice", json!({"login_token": {"token": "t"}}));
        let mut socket = peer.let_in();
        shim.sync();
        ids.push(shim.call(Some("alice"), json!({"unique_ids": {"count": 2}})).0["ok"]["ids"].clone());
        shim.call(None, json!({"advance": {"ms": 1000}}));
        assert_eq!(shim.call(None, json!({"reset": {}})), (json!({"id": shim.last_id, "ok": {}}), vec![]));
        assert!(matches!(socket.0.read(), Ok(Message::Close(_))), "a farewell");
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], json!(["375926400000", "375926400001"]));
    let (answer, _) = shim.call(Some("alice"), json!({"close": {}}));
    assert_eq!(answer["error"], r#"there is no device "alice": create it first"#);
}

/// A file is read from where the harness put it, goes up with its progress told, and what comes down is told by
/// size and digest; of the mini-program's way the client sees only the end.
#[test]
fn files_go_up_from_their_path_and_come_down_as_a_digest() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    shim.ok("alice", peer.create("alice"));
    shim.ok("alice", json!({"login_token": {"token": "t"}}));
    let mut socket = peer.let_in();
    shim.sync();
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fixtures/media/notes.txt");
    let file = std::fs::read_to_string(photo).expect("one of the project's own");
    let send = |handle: &str| json!({"handle": handle, "to": "bob", "chat": "single", "file": photo, "filename": "notes.txt", "media_type": "text/plain", "width": 1, "height": 2});
    for (command, restricted) in [("send_image", true), ("send_image_two_step", false)] {
        shim.ok("alice", json!({command: send(command)}));
        let (request, stream) = peer.request();
        assert!(request.starts_with("POST /org/app/chatfiles ") && request.contains(&file), "{request}");
        assert_eq!(request.contains("restrict-access: true"), restricted);
        answer_http(stream, r#"{"uri":"http://h/c","entities":[{"uuid":"u"}]}"#);
        let mut told: Vec<Value> = Vec::new();
        while told.last().is_none_or(|last| last["uploaded"].is_null()) {
            told.push(shim.line()["event"].take());
        }
        assert_eq!(told.pop(), Some(json!({"uploaded": {"handle": command, "uuid": "u", "secret": null}})));
        let last = told.pop().map(|mut progress| progress["upload_progress"].take());
        assert_eq!(last.is_some(), restricted);
        assert!(last.is_none_or(|last| last["loaded"] == last["total"] && last["handle"] == command));
        assert_eq!(socket.read().command, Some(0), "the message");
    }

    let url = peer.create("alice")["create"]["rest"].as_str().expect("an address").to_owned() + "/org/app/f";
    shim.ok("alice", json!({"download": {"handle": "d1", "url": url, "secret": "s"}}));
    let (_, mut stream) = peer.request();
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nabc";
    stream.write_all(answer.as_bytes()).expect("the shim reads");
    assert_eq!(
        shim.line()["event"],
        json!({"downloaded": {"handle": "d1", "media_type": "text/plain", "bytes": 3,
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}})
    );
    shim.ok("alice", json!({"list_sessions": {"handle": "s1"}}));
    let (request, stream) = peer.request();
    assert!(request.starts_with("GET /org/app/users/alice/user_channels "), "{request}");
    answer_http(
        stream,
        r#"{"data":{"channel_infos":[{"channel_id":"org#app_bob@easemob.com","unread_num":2}]}}"#,
    );
    assert_eq!(
        shim.line()["event"],
        json!({"sessions": {"handle": "s1", "channels": ["bob@easemob.com"], "unread": [2], "last_ids": [null], "last_texts": [null]}})
    );
}

#[test]
fn calls_that_cannot_be_made_say_why() {
    let peer = Peer::listen();
    let mut shim = Shim::ready(&[]);
    shim.ok("alice", peer.create("alice"));
    let text = json!({"handle": "m1", "to": "bob", "chat": "single", "text": "hi"});
    let with = |key: &str, value: Value| {
        let mut text = text.clone();
        text[key] = value;
        json!({"send_text": text})
    };
    let custom = json!({"send_custom": {"handle": "m1", "to": "bob", "chat": "single", "event": "e", "exts": {"n": 5}}});
    let mut emoji = peer.create("bob");
    emoji["create"]["emoji"] = json!({"path": "faces/", "map": {"": "x.png"}});
    let file = json!({"handle": "m1", "to": "bob", "chat": "single", "file": "/nowhere/x.png", "filename": "x.png", "media_type": "image/png", "width": 1, "height": 1});
    for (user, command, kind, words) in [
        (Some("alice"), with("ext", Value::Null), "error", "ext must not be null"),
        (Some("alice"), with("chat", json!("crowd")), "error", "send_text: unknown variant `crowd`"),
        (Some("alice"), with("font", json!("x")), "error", "send_text: unknown field `font`"),
        (Some("alice"), custom, "error", "customExts.n must be a string, not a number"),
        (
            Some("alice"),
            json!({"send_cmd": {"handle": "m", "to": "bob", "chat": "single"}}),
            "error",
            "needs an action",
        ),
        (Some("alice"), json!({"join_group": {"group": "1"}}), "error", "join_group: not logged in"),
        (Some("alice"), json!({"fly": {}}), "unsupported", "fly"),
        (Some("alice"), json!({"sync": {}}), "error", "leave `user` out"),
        (Some("alice"), json!({}), "error", "exactly one"),
        (Some("alice"), peer.create("alice"), "error", "exists already"),
        (Some("alice"), json!({"unique_ids": {"count": 50_001}}), "error", "at most 50000"),
        (Some("bob"), emoji, "error", "the key of an emoji cannot be empty"),
        (Some("alice"), json!({"send_image": file}), "error", "cannot read /nowhere/x.png"),
        (Some("alice"), with("ask_receipts", json!(true)), "error", "only a message to a group"),
        (
            Some("alice"),
            json!({"recall": {"handle": "r", "id": "seven", "to": "bob", "chat": "single"}}),
            "error",
            "the id \"seven\"",
        ),
        (
            Some("alice"),
            json!({"fetch_history": {"handle": "h", "with": "bob", "chat": "single", "count": "ten"}}),
            "error",
            "a whole number or its digits",
        ),
        (
            Some("alice"),
            json!({"ban_all": {"chat": "single", "id": "bob"}}),
            "error",
            "chat must be group or room",
        ),
        (None, json!({"close": {}}), "error", "`user` is missing"),
        (None, json!({"advance": {}}), "error", "advance: missing field `ms`"),
    ] {
        let (answer, events) = shim.call(user, command.clone());
        let said = answer[kind].as_str().unwrap_or_default();
        assert!(said.contains(words), "{command} → {answer}");
        assert_eq!(events, Vec::<Value>::new());
    }
    let (answer, _) = shim.call(Some("alice"), with("text", json!("x")));
    assert_eq!(answer["ok"], json!({}));
    assert_eq!(
        shim.line()["event"]["failed"],
        json!({"handle": "m1", "type": 32, "reason": "Not logged in"})
    );
}

#[test]
fn lines_that_are_no_requests_end_the_process_with_a_word() {
    for (text, words) in [
        ("hello\n".to_owned(), "not a request"),
        ("{\"id\":1}\n".to_owned(), "missing field `command`"),
        ("{\"id\":1,\"command\":{\"sync\":{}},\"colour\":1}\n".to_owned(), "unknown field `colour`"),
        ("x".repeat(1024 * 1024), "longer than 1048576 bytes"),
    ] {
        let mut shim = Shim::ready(&[]);
        shim.write(&text);
        let (code, stderr) = shim.exit();
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}

#[test]
fn arguments_that_are_not_known_end_the_process_with_a_word() {
    for arguments in [&["--door"][..], &["--door", "window"], &["--fast"]] {
        let (code, stderr) = Shim::start(arguments).exit();
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains("usage: shim-core"), "{stderr}");
    }
}
