//! A recorder between clients and a second server: clients see what that server does, and the files have it without
//! secrets.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use mock_server::control::{Control, Fault};
use mock_server::shell::record::{RecordOptions, Recorder, Texts};
use mock_server::shell::{MockServer, Options};
use mock_server::tape::{Direction, Door, Event, Row};
use rstest::rstest;
use serde_json::{Value as Json, json};

use crate::peer::{APP_KEY, Arrival, Socket, connect, http, register, request, start};

/// A recorder of what listens there, and where its files go.
struct Recording {
    recorder: Recorder,
    out: tempfile::TempDir,
}

/// What was written.
struct Written {
    rows: Vec<Row>,
    bundle: Json,
    notes: String,
    /// Null where nobody logged in.
    scenario: Json,
    /// All files as they are, and what base64 hides in them.
    everything: String,
}

fn record(upstream: SocketAddr) -> Recording {
    record_with(upstream, RecordOptions::default())
}

fn record_with(upstream: SocketAddr, options: RecordOptions) -> Recording {
    let out = tempfile::tempdir().expect("a folder");
    let options =
        RecordOptions { upstream: format!("http://{upstream}"), out: out.path().to_owned(), ..options };
    Recording { recorder: Recorder::start(options).expect("a free port"), out }
}

impl Recording {
    fn addr(&self) -> SocketAddr {
        self.recorder.addr()
    }

    fn written(self) -> Written {
        self.recorder.stop().expect("it can be written");
        read(self.out.path(), "org-app")
    }
}

fn read(folder: &Path, name: &str) -> Written {
    let text = |place: String| {
        std::fs::read_to_string(folder.join(&place)).unwrap_or_else(|e| panic!("{place}: {e}"))
    };
    let (bundle, notes) = (text(format!("{name}.bundle.json")), text(format!("{name}.notes.txt")));
    let scenario = folder.join(format!("scenarios/recorded/{name}.json"));
    let scenario = std::fs::read_to_string(scenario).unwrap_or_else(|_| "null".to_owned());
    let mut everything = format!("{bundle}{notes}{scenario}");
    let bundle: Json = serde_json::from_str(&bundle).expect("JSON");
    let rows: Vec<Row> = serde_json::from_value(bundle["tape"].clone()).expect("a tape");
    for row in &rows {
        match &row.event {
            Event::Frame { bytes, .. } => everything.push_str(&String::from_utf8_lossy(bytes)),
            Event::Http { body, answer, .. } => {
                everything.push_str(&String::from_utf8_lossy(body));
                everything.push_str(&String::from_utf8_lossy(answer));
            }
            _ => {}
        }
    }
    Written { rows, bundle, notes, scenario: serde_json::from_str(&scenario).expect("JSON"), everything }
}

fn steps(written: &Written) -> Vec<String> {
    let steps = written.scenario["steps"].as_array().expect("a list").iter();
    steps.map(ToString::to_string).collect()
}

#[rstest]
#[case::sockjs(Door::SockJs)]
#[case::websocket(Door::WebSocket)]
fn a_chat_passes_as_it_is_and_is_written_without_its_secrets(#[case] door: Door) {
    let upstream = start();
    let recording = record(upstream.addr());
    let mut alice = Socket::log_in(recording.addr(), door, APP_KEY, "alice", "web");
    let mut bob = Socket::log_in(recording.addr(), door, APP_KEY, "bob", "web");
    alice.text(APP_KEY, "alice", "bob", "hello, my token is t-alice");
    assert_eq!(bob.notice(), "alice");
    assert_eq!(bob.texts(APP_KEY, "alice"), ["hello, my token is t-alice"]);
    let head =
        "POST /org/app/token HTTP/1.1\r\nContent-Type: application/json\r\nCookie: sid=cookie-of-alice";
    let body = br#"{"grant_type":"password","username":"alice","password":"wrong-pass"}"#;
    assert_eq!(http(recording.addr(), head, body).status, 400);
    let head = "GET /org/app/users/alice?restToken=t-alice HTTP/1.1\r\nAuthorization: Bearer t-alice";
    http(recording.addr(), head, b"");
    drop((alice, bob));
    let written = recording.written();
    // What the upstream itself kept is what was recorded, but for the secrets.
    let kinds = |rows: &[Row]| {
        let of = |row: &Row| match &row.event {
            Event::Frame { direction, .. } => Some(format!("{direction:?}")),
            Event::Http { method, path, .. } => {
                Some(format!("{method} {}", path.split('?').next().unwrap_or_default()))
            }
            Event::LoggedIn { user, resource, .. } => Some(format!("{user}/{resource}")),
            _ => None,
        };
        let mut kinds: Vec<String> = rows.iter().filter_map(of).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(&written.rows), kinds(&upstream.tape(APP_KEY)));
    for secret in ["t-alice", "wrong-pass", "cookie-of-alice"] {
        assert!(!written.everything.contains(secret), "{secret}\n{}", written.notes);
    }
    let text = "hello, my token is <token 1>";
    let expected = [
        json!({ "tell": { "user": "alice", "command": { "send_text": { "handle": "m1", "to": "bob", "chat": "single", "text": text } } } }),
        json!({ "expect": { "user": "alice", "event": { "sent": { "handle": "m1", "id": "$m1" } } } }),
        json!({ "expect": { "user": "alice", "event": { "received": { "handle": "m1", "id": "$m1" } } } }),
        json!({ "expect": { "user": "bob", "event": { "text": { "id": "$m1", "from": "alice", "to": "bob", "chat": "single", "data": text } } } }),
    ];
    assert_eq!(steps(&written), expected.map(|step| step.to_string()));
    assert_eq!(written.scenario["given"], json!({ "online": ["alice", "bob"] }));
    assert_eq!(written.bundle["app_key"], "org#app");
    assert!(written.notes.contains("  <token 1>  "), "{}", written.notes);
}

#[test]
fn texts_are_redacted_where_that_is_asked() {
    let upstream = start();
    let recording =
        record_with(upstream.addr(), RecordOptions { texts: Texts::Redacted, ..RecordOptions::default() });
    let mut alice = Socket::log_in(recording.addr(), Door::WebSocket, APP_KEY, "alice", "web");
    alice.text(APP_KEY, "alice", "bob", "meet me at nine");
    drop(alice);
    let written = recording.written();
    assert!(!written.everything.contains("meet me"));
    assert!(steps(&written)[0].contains("xxxx xx xx xxxx"), "{:?}", steps(&written));
}

#[test]
fn an_upload_and_a_download_pass_and_lead_to_the_recorder() {
    let upstream = start();
    let recording = record(upstream.addr());
    let addr = recording.addr();
    let file = vec![7_u8; 300_000];
    let mut body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n".to_vec();
    body.extend_from_slice(&file);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let head = format!(
        "POST /org/app/chatfiles HTTP/1.1\r\nHost: {addr}\r\nAuthorization: Bearer t-alice\r\nrestrict-access: true\r\nContent-Type: multipart/form-data; \
         boundary=b\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = connect(addr);
    stream.write_all(head.as_bytes()).expect("it is read");
    stream.write_all(&body).expect("it is read");
    let answer = crate::peer::reply(&mut stream).json();
    let uri = answer["uri"].as_str().expect("where it is");
    assert_eq!(uri, format!("http://{addr}/org/app/chatfiles"), "not the upstream's own address");
    let uuid = answer["entities"][0]["uuid"].as_str().expect("its name").to_owned();
    let secret = answer["entities"][0]["share-secret"].as_str().expect("its secret").to_owned();
    let head = format!(
        "GET /org/app/chatfiles/{uuid} HTTP/1.1\r\nAuthorization: Bearer t-alice\r\nshare-secret: {secret}"
    );
    assert_eq!(http(addr, &head, b"").body, file);
    let written = recording.written();
    assert!(!written.everything.contains(&secret));
    assert!(
        written.notes.contains("the upstream's own address was replaced by the recorder's"),
        "{}",
        written.notes
    );
    let told = |row: &Row| match &row.event {
        Event::Http { method, body, .. } if method == "POST" => {
            Some(String::from_utf8_lossy(body).into_owned())
        }
        _ => None,
    };
    let told: Vec<String> = written.rows.iter().filter_map(told).collect();
    assert!(told[0].contains("\"file\":\"a.bin\""), "{told:?}");
}

#[test]
fn http_dns_names_the_recorder() {
    let upstream = start();
    let recording = record(upstream.addr());
    let head = format!("GET /easemob/server.json HTTP/1.1\r\nHost: {}", recording.addr());
    let mut stream = connect(recording.addr());
    write!(stream, "{head}\r\nConnection: close\r\n\r\n").expect("it is read");
    let answer = crate::peer::reply(&mut stream).json();
    assert_eq!(answer["rest"]["hosts"][0]["port"], recording.addr().port(), "{answer}");
}

#[test]
fn the_client_sees_a_cut_and_a_close_as_they_are() {
    let upstream = start();
    let recording = record(upstream.addr());
    let mut alice = Socket::log_in(recording.addr(), Door::WebSocket, APP_KEY, "alice", "web");
    let mut bob = Socket::log_in(recording.addr(), Door::WebSocket, APP_KEY, "bob", "web");
    let arm = |fault| upstream.control(APP_KEY, Control::Fault(fault)).expect("she is there");
    arm(Fault::CutInsteadOfAnswer { user: "alice".into() });
    let frame = alice.text_frame(APP_KEY, "alice", "bob", "cut");
    alice.send(&frame);
    assert_eq!(alice.farewell(), [Arrival::Gone]);
    arm(Fault::Close { user: "bob".into(), device: None, code: 4_001 });
    assert_eq!(bob.farewell().pop(), Some(Arrival::Close(4_001, String::new())));
    drop((alice, bob));
    let written = recording.written();
    let ends: Vec<&str> = written
        .rows
        .iter()
        .filter_map(|row| if let Event::Closed { why, .. } = &row.event { Some(why.as_str()) } else { None })
        .collect();
    assert_eq!(ends, ["cut by the server", "closed by the server"]);
    assert!(written.notes.contains("its connection ended (cut by the server)"), "{}", written.notes);
}

/// An upstream that does one thing with its first connection, and no more.
fn odd_upstream(does: fn(std::net::TcpStream)) -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let thread = thread::spawn(move || does(listener.accept().expect("the recorder comes").0));
    (addr, thread)
}

fn head_of(stream: &mut std::net::TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
}

/// What a client reads until the end, of a request that may have no answer.
fn raw(addr: SocketAddr, path: &str) -> String {
    let mut stream = connect(addr);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").expect("it is read");
    let mut all = Vec::new();
    let _cut = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn an_upstream_that_is_down_gives_no_answer_and_the_recorder_goes_on() {
    let gone = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound");
    let recording = record(gone);
    assert_eq!(raw(recording.addr(), "/org/app/users/alice"), "", "no answer is none");
    let upstream = TcpListener::bind(gone).expect("it is free again");
    let answers = thread::spawn(move || {
        let (mut stream, _) = upstream.accept().expect("the recorder comes");
        head_of(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            .expect("it is read");
    });
    assert!(raw(recording.addr(), "/org/app/users/alice").ends_with("{}"));
    answers.join().expect("it answered");
    let notes = recording.written().notes;
    assert!(notes.contains("GET /org/app/users/alice: ") && notes.contains("cannot be reached"), "{notes}");
}

#[test]
fn an_upstream_that_breaks_off_ends_the_clients_answer_there() {
    let (addr, upstream) = odd_upstream(|mut stream| {
        head_of(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nhalf")
            .expect("it is read");
        stream.shutdown(Shutdown::Both).expect("it is open");
    });
    let recording = record(addr);
    let got = raw(recording.addr(), "/org/app/chatfiles/1");
    assert!(got.ends_with("\r\n\r\nhalf"), "{got}");
    upstream.join().expect("it did its part");
    let notes = recording.written().notes;
    assert!(notes.contains("the upstream broke off in its answer"), "{notes}");
}

#[test]
fn an_upstream_that_closes_without_an_answer_gives_none() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let upstream = thread::spawn(move || {
        head_of(&mut listener.accept().expect("the recorder comes").0);
        let (mut stream, _) = listener.accept().expect("the recorder comes again");
        head_of(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").expect("it is read");
    });
    let recording = record(addr);
    assert_eq!(raw(recording.addr(), "/org/app/users/alice"), "");
    assert!(raw(recording.addr(), "/org/app/users/bob").ends_with("ok"));
    upstream.join().expect("it did its part");
    let notes = recording.written().notes;
    assert!(
        notes.contains(&format!("GET /org/app/users/alice: {addr} broke off"))
            && notes.contains("the client got no answer"),
        "{notes}"
    );
}

/// Of an answer that comes in halves the client has the first when there is no second yet, and meanwhile another asks.
#[test]
fn an_upstream_that_is_slow_holds_up_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let upstream = listener.local_addr().expect("it is bound");
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let answers = thread::spawn(move || {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n";
        let (mut slow, _) = listener.accept().expect("the recorder comes");
        head_of(&mut slow);
        write!(slow, "{head}Content-Length: 10\r\n\r\nfirst").expect("it is read");
        let (mut other, _) = listener.accept().expect("the recorder comes again");
        head_of(&mut other);
        write!(other, "{head}Content-Length: 5\r\n\r\nother").expect("it is read");
        may_go_on.recv().expect("the test says when");
        slow.write_all(b" half").expect("it is read");
    });
    let recording = record(upstream);
    let mut stream = connect(recording.addr());
    write!(stream, "GET /org/app/chatfiles/1 HTTP/1.1\r\nHost: im.test\r\nConnection: close\r\n\r\n")
        .expect("it is read");
    head_of(&mut stream);
    let mut first = [0; 5];
    stream.read_exact(&mut first).expect("the first half is there");
    assert_eq!(&first, b"first");
    assert!(raw(recording.addr(), "/org/app/chatfiles/2").ends_with("other"));
    go_on.send(()).expect("the upstream waits");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the other half");
    assert_eq!(rest, " half");
    answers.join().expect("it answered");
}

#[test]
fn an_upgrade_that_is_refused_is_refused_to_the_client() {
    let (addr, upstream) = odd_upstream(|mut stream| {
        head_of(&mut stream);
        stream
            .write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
            .expect("it is read");
    });
    let recording = record(addr);
    let mut stream = connect(recording.addr());
    let head = "GET /websocket HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: \
                13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let answer = request(&mut stream, head, b"");
    assert_eq!((answer.status, answer.body), (503, b"busy".to_vec()));
    upstream.join().expect("it did its part");
}

#[test]
fn rubbish_on_a_socket_passes_and_is_noted() {
    let (addr, upstream) = odd_upstream(|mut stream| {
        head_of(&mut stream);
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: \
                      websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        stream.write_all(answer.as_bytes()).expect("it is read");
        stream.write_all(&[0xff; 40]).expect("it is read");
        stream.shutdown(Shutdown::Write).expect("it is open");
        let _rest = stream.read_to_end(&mut Vec::new());
    });
    let recording = record(addr);
    let mut stream = connect(recording.addr());
    let head = format!(
        "GET /websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: \
         13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        recording.addr()
    );
    stream.write_all(head.as_bytes()).expect("it is read");
    head_of(&mut stream);
    let mut got = Vec::new();
    stream.read_to_end(&mut got).expect("it ends as the upstream ended it");
    assert_eq!(got, [0xff; 40]);
    drop(stream);
    upstream.join().expect("it did its part");
}

#[test]
fn each_world_has_files_of_its_own_and_those_of_before_stay() {
    let upstream = MockServer::start(Options::default()).expect("a free port");
    let out = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let options = RecordOptions {
            upstream: format!("http://{}", upstream.addr()),
            out: out.path().to_owned(),
            ..RecordOptions::default()
        };
        let recorder = Recorder::start(options).expect("a free port");
        for app_key in ["org#app", "org#two"] {
            register(&upstream, app_key, "alice");
            drop(Socket::log_in(recorder.addr(), Door::WebSocket, app_key, "alice", "web"));
        }
        let files = recorder.stop().expect("it can be written");
        assert_eq!(files.len(), 6);
    }
    let names = ["org-app", "org-two", "org-app-2", "org-two-2"];
    for name in names {
        let written = read(out.path(), name);
        assert!(
            written
                .rows
                .iter()
                .any(|row| matches!(&row.event, Event::Frame { direction: Direction::Up, .. }))
        );
    }
}

#[test]
fn a_full_record_says_so_and_goes_on_forwarding() {
    let upstream = start();
    let recording = record_with(upstream.addr(), RecordOptions { rows_max: 3, ..RecordOptions::default() });
    let mut alice = Socket::log_in(recording.addr(), Door::WebSocket, APP_KEY, "alice", "web");
    alice.text(APP_KEY, "alice", "bob", "hello");
    drop(alice);
    let written = recording.written();
    assert_eq!(written.rows.len(), 3);
    assert!(written.notes.contains("the record is full (3 rows, 0 MB, 1 worlds)"), "{}", written.notes);
    assert!(written.notes.contains("rows at the end are left out: the record was full"), "{}", written.notes);
}

#[test]
fn the_control_plane_of_the_upstream_stays_where_it_is() {
    let upstream = start();
    let recording = record(upstream.addr());
    let answer = http(recording.addr(), "GET /_mock/worlds HTTP/1.1", b"");
    assert_eq!(answer.status, 404);
}

#[rstest]
#[case::no_url("im.test", "--upstream: expected http:// or https://")]
#[case::socket("ws://im.test", "--upstream: expected http:// or https://")]
fn an_upstream_that_is_none_is_refused(#[case] upstream: &str, #[case] words: &str) {
    let options = RecordOptions { upstream: upstream.into(), ..RecordOptions::default() };
    let why = Recorder::start(options).expect_err("it is none").to_string();
    assert!(why.starts_with(words), "{why}");
}
