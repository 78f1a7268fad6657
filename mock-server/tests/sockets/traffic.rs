//! What is kept of a world, as it is asked for over HTTP: rows by what they are, rows as they come, and waiting for them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use mock_server::control_api::{NotInTime, WaitFor, Waited};
use mock_server::decoded::Kind;
use mock_server::journal::Entry;
use mock_server::replay::replay;
use mock_server::shell::{MockServer, Options};
use mock_server::tape::{Door, Row};
use mock_server::traffic::{Rows, Traffic};
use rstest::rstest;
use serde_json::{Value, json};

use crate::peer::{APP_KEY, Reply, Socket, await_here, connect, http, start, start_with};

fn get(server: &MockServer, path: &str) -> Reply {
    http(server.addr(), &format!("GET /_mock{path} HTTP/1.1"), b"")
}

fn traffic(server: &MockServer, query: &str) -> Traffic {
    let reply = get(server, &format!("/org/app/traffic{query}"));
    assert_eq!(reply.status, 200, "{query}: {:?}", reply.json());
    serde_json::from_slice(&reply.body).expect("the answer's own type")
}

fn numbers(server: &MockServer, query: &str) -> Vec<usize> {
    traffic(server, query).rows.iter().map(|row| row.n).collect()
}

fn post(server: &MockServer, path: &str, body: &Value) -> Reply {
    let head = format!("POST /_mock/org/app/{path} HTTP/1.1\r\nContent-Type: application/json");
    http(server.addr(), &head, body.to_string().as_bytes())
}

fn words(reply: &Reply) -> String {
    reply.json()["error_description"].as_str().unwrap_or_default().to_owned()
}

/// An event stream: what comes is read event by event.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(server: &MockServer, query: &str, headers: &str) -> Self {
        let mut stream = connect(server.addr());
        let head = format!("GET /_mock/org/app/events{query} HTTP/1.1\r\nHost: 127.0.0.1:1{headers}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("the server reads heads");
        let mut stream = Self(BufReader::new(stream));
        let status = stream.line();
        assert_eq!(status, "HTTP/1.1 200 OK");
        while !stream.line().is_empty() {}
        stream
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line comes");
        line.trim_end().to_owned()
    }

    /// The next event: its name, its id and its data; `None` at the end.
    fn event(&mut self) -> Option<(String, Option<usize>, Value)> {
        let (mut name, mut id, mut data) = (None, None, None);
        loop {
            let line = self.chunked_line()?;
            if let Some(text) = line.strip_prefix("event: ") {
                name = Some(text.to_owned());
            } else if let Some(text) = line.strip_prefix("id: ") {
                id = Some(text.parse().expect("a number"));
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(text).expect("JSON"));
            } else if line.is_empty()
                && let (Some(name), Some(data)) = (name.take(), data.take())
            {
                return Some((name, id, data));
            }
        }
    }

    /// A line of the body; chunks begin with a line of their own, and end with an empty one.
    fn chunked_line(&mut self) -> Option<String> {
        let line = self.line();
        let is_length = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_hexdigit());
        match &*line {
            "0" => None,
            _ if is_length => self.chunked_line(),
            _ => Some(line),
        }
    }
}

#[test]
fn rows_say_whose_they_are_and_what() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    alice.text(APP_KEY, "alice", "bob", "hi");
    let head = "GET /org/app/publicchatgroups?limit=2 HTTP/1.1\r\nAuthorization: Bearer t-alice";
    assert_eq!(http(server.addr(), head, b"").status, 200);
    let Traffic { rows_ever, first, last, rows } = traffic(&server, "");
    assert_eq!((first, last, rows_ever), (0, Some(rows.len() - 1), rows.len()));
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(
            (row.n, row.user.as_deref()),
            (index, Some("alice")),
            "also of what came before the login"
        );
    }
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.word()).collect();
    assert_eq!(kinds, ["opened", "provision", "logged_in", "provision", "text", "answer", "http"]);
    let lines: Vec<&str> = rows.iter().map(|row| &*row.line).collect();
    let taken = &rows[5].decoded.as_ref().expect("a frame is read")["payload"];
    let taken = [&taken["metaId"], &taken["serverId"]].map(|id| id.as_str().expect("64 bits are a string"));
    assert_eq!(
        lines,
        [
            "socket 1 opened (SockJS)",
            "alice → logs in as web",
            "alice logged in as web",
            "alice ← let in",
            "alice → bob: text “hi”",
            &format!("alice ← taken: {} is {}", taken[0], taken[1]),
            "GET /publicchatgroups?limit=2 → 200",
        ]
    );
    let request = rows.last().expect("there are rows");
    assert_eq!((request.kind, request.status), (Kind::Http, Some(200)));
    assert_eq!(request.path.as_deref(), Some("/publicchatgroups?limit=2"));
    assert!(request.response.as_ref().is_some_and(Value::is_object), "{request:?}");
    assert_eq!(rows[1].hex.as_ref().map(String::len), Some(2 * rows[1].bytes));
}

#[test]
fn rows_are_chosen() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    let mut bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    alice.unread();
    bob.unread();
    bob.send(&[0xff]);
    bob.sync();
    let all = traffic(&server, "").rows;
    let those = |which: &dyn Fn(&mock_server::traffic::TrafficRow) -> bool| -> Vec<usize> {
        all.iter().filter(|row| which(row)).map(|row| row.n).collect()
    };
    assert_eq!(numbers(&server, "?user=BOB"), those(&|row| row.user.as_deref() == Some("bob")));
    assert_eq!(numbers(&server, "?user=bob&device=other").len(), 0);
    assert_eq!(numbers(&server, "?kind=unread"), those(&|row| row.kind == Kind::Unread));
    assert_eq!(numbers(&server, "?kind=unread").len(), 4);
    assert_eq!(numbers(&server, "?kind=unread&direction=up&user=alice").len(), 1);
    assert_eq!(numbers(&server, "?text=logged+in"), those(&|row| row.kind == Kind::LoggedIn));
    let offending = traffic(&server, "?clause=recv.bad-frame").rows;
    assert_eq!((offending.len(), &*offending[0].clauses), (1, &["recv.bad-frame".to_owned()][..]));
    assert_eq!(offending[0].bytes, 1, "it is the very frame");
    let page = traffic(&server, "?after=2&limit=3");
    assert_eq!(page.rows.iter().map(|row| row.n).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(page.last, Some(5));
    let none = traffic(&server, &format!("?after={}", usize::MAX));
    assert_eq!((none.rows.len(), none.last), (0, None));
    let before = all[0].at_ms - 1;
    assert_eq!(numbers(&server, &format!("?until_ms={before}")).len(), 0);
    assert_eq!(numbers(&server, &format!("?since_ms={before}")).len(), all.len());
}

#[rstest]
#[case::parameter(
    "?usr=a",
    "\"usr\" is no parameter of this path; it has after, limit, user, device, kind, direction, clause, since_ms, until_ms, text, method, path, status, where"
)]
#[case::user("?user=alise", "there is no user \"alise\"; alice there is")]
#[case::kind("?kind=provisions", "there is no kind \"provisions\"; provision there is")]
#[case::clause("?clause=recv.badframe", "there is no clause \"recv.badframe\"; recv.bad-frame there is")]
#[case::direction("?direction=left", "there is no direction \"left\"; there are up, down")]
#[case::number("?after=-1", "after: a whole number is expected, not \"-1\"")]
#[case::status("?status=70000", "status: no answer has the status 70000")]
#[case::empty("?text=", "text is empty; leave it out instead")]
#[case::twice("?kind=http&kind=ack", "kind is there twice")]
#[case::many("?limit=2001", "limit: one answer holds at most 2000 rows, not 2001")]
#[case::no_time(
    "?since_ms=2&until_ms=1",
    "since_ms is 2, which is after until_ms, 1: no row is between them"
)]
#[case::no_text("?text=%ff", "text is not UTF-8")]
fn a_wrong_question_is_told_what_is_wrong(#[case] query: &str, #[case] expected: &str) {
    let server = start();
    let reply = get(&server, &format!("/org/app/traffic{query}"));
    assert_eq!((reply.status, &*words(&reply)), (400, expected));
    let reply = get(&server, &format!("/org/app/events{query}"));
    assert_eq!(reply.status, 400, "no stream either");
}

#[test]
fn a_world_without_a_tape_says_how_to_get_one() {
    let server = MockServer::start(Options::default()).expect("a server on a free port");
    assert_eq!(post(&server, "control", &json!({ "known": { "users": ["alice"] } })).status, 200);
    for reply in [
        get(&server, "/org/app/traffic"),
        get(&server, "/org/app/events"),
        post(&server, "wait", &json!({ "user": "alice" })),
    ] {
        assert_eq!((reply.status, reply.json()["error"].clone()), (404, json!("no_tape")));
        assert!(words(&reply).contains("POST {\"rows_max\":200000} to its …/tape"), "{}", words(&reply));
    }
    let reply = get(&server, "/org/app/journal").json();
    assert!(reply["why_not"].as_str().is_some_and(|why| why.starts_with("no tape is kept")), "{reply}");
}

#[test]
fn a_stream_tells_rows_as_they_come_and_ends_with_the_world() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    let (mut all, mut some) =
        (Stream::open(&server, "", ""), Stream::open(&server, "?kind=unread&direction=up", ""));
    for expected in ["opened", "provision", "logged_in", "provision"] {
        let (name, id, row) = all.event().expect("what was there already");
        assert_eq!((&*name, &row["n"], &row["kind"]), ("row", &json!(id), &json!(expected)));
    }
    alice.unread();
    assert_eq!(all.event().map(|(_, id, row)| (id, row["direction"].clone())), Some((Some(4), json!("up"))));
    assert_eq!(
        all.event().map(|(_, id, row)| (id, row["direction"].clone())),
        Some((Some(5), json!("down")))
    );
    assert_eq!(some.event().map(|(_, id, _)| id), Some(Some(4)), "as it was asked for");
    let mut again = Stream::open(&server, "?after=0", "\r\nLast-Event-ID: 4");
    assert_eq!(again.event().map(|(_, id, _)| id), Some(Some(5)), "where it was before");
    assert_eq!(post(&server, "clock", &json!({ "advance_ms": 1 })).status, 200);
    assert_eq!(all.event().map(|(name, id, _)| (name, id)), Some(("changed".into(), None)));
    assert_eq!(http(server.addr(), "DELETE /_mock/org/app/world HTTP/1.1", b"").status, 200);
    let mut names = Vec::new();
    while let Some((name, _, _)) = all.event() {
        names.push(name);
    }
    assert_eq!(names, ["ended"]);
}

#[test]
fn a_slow_reader_is_told_how_much_it_lost() {
    let server = start_with(Options { tape_rows_max: 4, ..Options::default() });
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    for _ in 0..10 {
        alice.unread();
    }
    let mut stream = Stream::open(&server, "", "\r\nLast-Event-ID: 3");
    assert_eq!(stream.event(), Some(("lost".into(), Some(19), json!({ "rows": 16, "first": 20 }))));
    assert_eq!(stream.event().map(|(name, id, _)| (name, id)), Some(("row".into(), Some(20))));
}

#[test]
fn streams_are_so_many_and_no_more() {
    let server = start();
    let mut open: Vec<Stream> = (0..64).map(|_| Stream::open(&server, "", "")).collect();
    let refused = get(&server, "/org/app/events");
    assert_eq!((refused.status, refused.json()["error"].clone()), (503, json!("too_many_streams")));
    let head = "POST /_mock/org/app/wait HTTP/1.1\r\nContent-Type: application/json";
    let refused = http(server.addr(), head, br#"{"kind": "text"}"#);
    assert_eq!((refused.status, refused.json()["error"].clone()), (503, json!("too_many_streams")));
    // One that goes makes room as soon as the server sees it go; until then it is told the same.
    drop(open.pop());
    while get_head(&server) != "HTTP/1.1 200 OK" {}
}

fn get_head(server: &MockServer) -> String {
    let mut stream = connect(server.addr());
    stream
        .write_all(b"GET /_mock/org/app/events HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")
        .expect("the server reads heads");
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).expect("a status line");
    line.trim_end().to_owned()
}

#[test]
fn who_waits_is_woken_by_the_row() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    let wanted =
        json!({ "user": "alice", "kind": "unread", "direction": "down", "count": 3, "within_ms": 20_000 });
    let reply = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| post(&server, "wait", &wanted));
        for _ in 0..3 {
            alice.unread();
        }
        waiting.join().expect("it does not panic")
    });
    assert_eq!(reply.status, 200);
    let Waited { rows, last } = serde_json::from_slice(&reply.body).expect("the answer's own type");
    assert_eq!(rows.iter().map(|row| row.n).collect::<Vec<_>>(), [5, 7, 9]);
    assert_eq!(last, 9);
    let more =
        post(&server, "wait", &json!({ "user": "alice", "kind": "unread", "after": last, "within_ms": 0 }));
    assert_eq!(more.status, 408, "those before count no more");
}

#[test]
fn messages_of_a_page_are_counted() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    let mut bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    for text in ["one", "two", "three"] {
        alice.text(APP_KEY, "alice", "bob", text);
    }
    assert_eq!(bob.notice(), "alice");
    assert_eq!(bob.texts(APP_KEY, "alice").len(), 3);
    let wanted =
        json!({ "user": "bob", "kind": "text", "direction": "down", "count": 3, "within_ms": 20_000 });
    let reply = post(&server, "wait", &wanted);
    assert_eq!(reply.status, 200, "{:?}", reply.json());
    let Waited { rows, .. } = serde_json::from_slice(&reply.body).expect("the answer's own type");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].line, "bob ← alice: 3 of text: “one”, “two”, “three”");
    assert_eq!(numbers(&server, "?kind=text&direction=down&text=TWO"), [rows[0].n]);
}

#[test]
fn what_did_not_come_is_told_with_what_came_nearest() {
    let server = start();
    server.manual_clock(APP_KEY, mock_server::machine::Millis(1_000)).expect("nobody has been in it");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    alice.unread();
    let reply =
        post(&server, "wait", &json!({ "user": "alice", "kind": "pull", "direction": "up", "within_ms": 1 }));
    assert_eq!(reply.status, 408);
    let NotInTime { error, error_description, rows, near } =
        serde_json::from_slice(&reply.body).expect("the answer's own type");
    assert_eq!((&*error, rows.len()), ("not_in_time", 0));
    assert_eq!(error_description, "of 1 0 came within 1 ms of real time");
    let near: Vec<_> = near.iter().map(|near| (near.row.n, near.holds, near.of, &*near.why)).collect();
    assert_eq!(
        near,
        [
            (4, 2, 3, "kind is unread, not pull"),
            (1, 2, 3, "kind is provision, not pull"),
            (5, 1, 3, "direction is down, not up; kind is unread, not pull"),
            (3, 1, 3, "direction is down, not up; kind is provision, not pull"),
            (2, 1, 3, "it has no direction, and up was asked for; kind is logged_in, not pull"),
        ]
    );
}

#[test]
fn conditions_of_rules_choose_rows_and_are_waited_for() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    alice.text(APP_KEY, "alice", "bob", "one");
    alice.text(APP_KEY, "alice", "carol", "two");
    let head = "GET /org/app/publicchatgroups?limit=2 HTTP/1.1\r\nAuthorization: Bearer t-alice";
    assert_eq!(http(server.addr(), head, b"").status, 200);
    let texts = numbers(&server, "?kind=text");
    assert_eq!(texts.len(), 2);
    let asked = |conditions: &str| {
        let words: String = conditions.bytes().map(|byte| format!("%{byte:02x}")).collect();
        numbers(&server, &format!("?where={words}"))
    };
    assert_eq!(asked("meta.ns == CHAT and meta.to.name == carol"), texts[1..]);
    let answered = asked("status.errorCode == OK and meta is absent").len();
    assert_eq!(answered, 3, "a login and two messages were answered");
    assert_eq!(asked("path contains \"publicchat\" and status < 300").len(), 1, "it is a request");
    let wanted =
        |conditions: &str| json!({ "kind": "text", "direction": "up", "where": conditions, "within_ms": 0 });
    let reply = post(&server, "wait", &wanted("meta.to.name == bob"));
    let Waited { rows, .. } = serde_json::from_slice(&reply.body).expect("the answer's own type");
    assert_eq!(rows.iter().map(|row| row.n).collect::<Vec<_>>(), texts[..1]);
    let reply = post(&server, "wait", &wanted("meta.ns == CHAT and meta.to.name == dora"));
    let missed: NotInTime = serde_json::from_slice(&reply.body).expect("the answer's own type");
    let near = &missed.near[0];
    assert_eq!(
        (near.row.n, near.holds, near.of, &*near.why),
        (texts[1], 3, 4, "meta.to.name is \"carol\", and meta.to.name == dora was asked for")
    );
}

#[rstest]
#[case::field(
    json!({ "direction": "up", "where": "meta.ns == CHAT and mata.to exists" }),
    "where: column 21: no frame that goes this way has a field \"mata\" in its payload or its envelope; did you mean \
     meta?\n  meta.ns == CHAT and mata.to exists\n                      ^"
)]
#[case::sign(
    json!({ "where": "meta.ns = CHAT" }),
    "where: column 9: ==, !=, <, >, <=, >=, contains, exists or `is absent` is expected here; did you mean ==?\n  \
     meta.ns = CHAT\n          ^"
)]
#[case::end(
    json!({ "where": "meta exists or metas exists" }),
    "where: column 13: `and` and another condition, or the end, is expected here\n  meta exists or metas exists\n\
     \x20             ^"
)]
#[case::of_a_request(
    json!({ "kind": "http", "where": "meta.ns == CHAT" }),
    "where: column 1: a request has path, query, body.FIELD, and its answer status and answer.FIELD, but no \"meta\"\n  \
     meta.ns == CHAT\n  ^"
)]
fn conditions_that_cannot_be_are_shown_where(#[case] body: Value, #[case] expected: &str) {
    let server = start();
    let reply = post(&server, "wait", &body);
    assert_eq!((reply.status, &*words(&reply)), (400, expected));
}

#[test]
fn the_library_asks_and_waits_as_the_control_plane_does() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    alice.unread();
    let world = server.world(APP_KEY).expect("an app key");
    let waited = await_here(world.wait(WaitFor::rows("unread").count(2))).expect("it is there");
    assert_eq!(waited.rows.iter().map(|row| row.n).collect::<Vec<_>>(), [4, 5]);
    let told = await_here(world.traffic(Rows::of("unread"))).expect("there is a tape");
    assert_eq!(told, waited.rows);
    assert_eq!(told, traffic(&server, "?kind=unread").rows);
    let none = WaitFor { user: Some("alice".into()), within_ms: 1, ..WaitFor::rows("pull") };
    let words = await_here(world.wait(none)).expect_err("nobody pulls").to_string();
    assert!(
        words.starts_with(
            "of 1 0 came within 1 ms of real time\n  near: row 5, alice ← nothing unread\n        but kind is unread, not pull\n"
        ),
        "{words}"
    );
    let wrong = Rows { user: Some("alise".into()), ..Rows::default() };
    let words = await_here(world.traffic(wrong)).expect_err("nobody").to_string();
    assert_eq!(words, "there is no user \"alise\"; alice there is");
}

/// A world in which everything happened that leaves a secret.
fn secrets(server: &MockServer) {
    let grant = json!({ "grant_type": "password", "username": "alice", "password": "pw" }).to_string();
    assert_eq!(http(server.addr(), "POST /org/app/token HTTP/1.1", grant.as_bytes()).status, 200);
    let users =
        "GET /org/app/publicchatgroups?limit=2 HTTP/1.1\r\nAuthorization: Bearer a-token-of-elsewhere";
    assert_eq!(http(server.addr(), users, b"").status, 401, "it is nobody's");
    let token = json!({ "token": { "user": "bob", "token": "very-secret-token", "ttl_ms": 100_000 } });
    assert_eq!(post(server, "control", &token).status, 200);
    let users = "GET /org/app/publicchatgroups?limit=2 HTTP/1.1\r\nAuthorization: Bearer very-secret-token";
    assert_eq!(http(server.addr(), users, b"").status, 200);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    alice.text(APP_KEY, "alice", "bob", "my password is no secret of the protocol");
}

#[test]
fn a_bundle_plays_again_without_its_secrets() {
    let server = start();
    secrets(&server);
    let reply = get(&server, "/org/app/bundle");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-disposition"), Some("attachment; filename=\"org-app.bundle.json\""));
    let bundle = reply.json();
    let journal: Vec<Entry> = serde_json::from_value(bundle["journal"].clone()).expect("its own type");
    let tape: Vec<Row> = serde_json::from_value(bundle["tape"].clone()).expect("its own type");
    let again = replay(&journal).expect("it has its beginning");
    assert_eq!(again.rows, tape, "whoever plays it sees what is in it");
    assert_eq!(tape.len(), server.tape(APP_KEY).len());
    let told = format!("{tape:?}{journal:?}");
    for secret in ["\"pw\"", "a-token-of-elsewhere", "very-secret-token", "mock-client-secret", "\\\"pw\\\""]
    {
        assert!(!told.contains(secret), "{secret}");
    }
    assert!(told.contains("my password is no secret of the protocol"));
    let aliases: Vec<(&str, &str)> = bundle["redactions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (one["what"].as_str().unwrap_or_default(), one["alias"].as_str().unwrap_or_default()))
        .collect();
    assert!(aliases.iter().any(|(what, alias)| *what == "password" && told.contains(alias)), "{aliases:?}");
    assert!(aliases.iter().any(|(what, alias)| *what == "token" && told.contains(alias)), "{aliases:?}");
}

#[test]
fn the_requests_are_a_har() {
    let server = start();
    secrets(&server);
    let reply = get(&server, "/org/app/har");
    assert_eq!(reply.header("content-disposition"), Some("attachment; filename=\"org-app.har\""));
    let log = &reply.json()["log"];
    assert_eq!((&log["version"], &log["creator"]["name"]), (&json!("1.2"), &json!("mock-server")));
    let entries = log["entries"].as_array().expect("entries");
    assert_eq!(entries.len(), 3);
    // Every member that HAR 1.2 requires.
    for entry in entries {
        let has = |of: &Value, names: &[&str]| names.iter().all(|name| !of[*name].is_null());
        assert!(has(entry, &["startedDateTime", "time", "request", "response", "cache", "timings"]));
        let request =
            ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"];
        assert!(has(&entry["request"], &request), "{entry}");
        let response = [
            "status",
            "statusText",
            "httpVersion",
            "cookies",
            "headers",
            "content",
            "redirectURL",
            "headersSize",
            "bodySize",
        ];
        assert!(has(&entry["response"], &response), "{entry}");
        assert!(has(&entry["response"]["content"], &["size", "mimeType"]));
        assert!(has(&entry["timings"], &["send", "wait", "receive"]));
    }
    assert_eq!(entries[0]["request"]["url"], json!("http://127.0.0.1:1/org/app/token"));
    assert_eq!(entries[2]["request"]["queryString"], json!([{ "name": "limit", "value": "2" }]));
    let sent = entries[0]["request"]["postData"]["text"].as_str().unwrap_or_default();
    assert!(sent.contains("redacted-password-") && !sent.contains("pw"), "{sent}");
}

#[rstest]
#[case::field(json!({ "usr": "alice" }), "nothing was done: unknown field `usr`")]
#[case::user(json!({ "user": "alise" }), "there is no user \"alise\"; alice there is")]
#[case::kind(json!({ "kind": "txt" }), "there is no kind \"txt\"; text there is")]
#[case::none(json!({ "count": 0 }), "count: 1 to 2000 can be waited for, not 0")]
#[case::long(json!({ "within_ms": 60_001 }), "within_ms: one request waits at most 60000 ms, not 60001; ask again")]
fn a_wait_for_what_cannot_be_is_refused_at_once(#[case] body: Value, #[case] expected: &str) {
    let server = start();
    let reply = post(&server, "wait", &body);
    assert_eq!(reply.status, 400);
    assert!(words(&reply).starts_with(expected), "{}", words(&reply));
}

#[test]
fn a_journal_without_its_beginning_says_so() {
    let server = start_with(Options { tape_rows_max: 4, ..Options::default() });
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    alice.unread();
    let told = get(&server, "/org/app/journal").json();
    assert_eq!(told["entries"], Value::Null);
    assert_eq!(
        told["why_not"],
        json!(
            "the tape has forgotten its beginning, so what the world was given is not known as a whole; make the world \
             anew with a larger tape_rows_max, or start the server with more rows: --journal ROWS"
        )
    );
    assert_eq!(traffic(&server, "").first, 2, "it still answers");
}

#[test]
fn a_tape_that_begins_late_knows_who_is_behind_sockets_that_were_open() {
    let server = MockServer::start(Options::default()).expect("a server on a free port");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "web");
    assert_eq!(post(&server, "tape", &json!({ "rows_max": 10 })).status, 200);
    alice.unread();
    let rows = traffic(&server, "?user=alice&device=web").rows;
    assert_eq!(rows.iter().map(|row| row.kind.word()).collect::<Vec<_>>(), ["unread", "unread"]);
    let reply = get(&server, "/org/app/journal").json();
    assert!(
        reply["why_not"].as_str().is_some_and(|why| why.contains("begun when the world was there already")),
        "{reply}"
    );
}
