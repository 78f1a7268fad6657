//! What the control plane tells of a world, and worlds that it makes anew: what a program in another process needs to
//! run its tests against this server.

use mock_server::control_api::{CONTROL_PROTOCOL, Findings, Hello, QuietAnswer, RestAnswer, TapePage};
use mock_server::shell::{MockServer, Options};
use mock_server::tape::{Door, Event, Row};
use rstest::rstest;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::peer::{APP_KEY, Arrival, Reply, Socket, http, start, start_with};

fn get(server: &MockServer, path: &str) -> Reply {
    http(server.addr(), &format!("GET /_mock{path} HTTP/1.1"), b"")
}

fn told<T: DeserializeOwned>(server: &MockServer, path: &str) -> T {
    let reply = get(server, path);
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.json());
    serde_json::from_slice(&reply.body).expect("the answer's own type")
}

fn post(server: &MockServer, path: &str, body: &Value) -> Reply {
    let head = format!("POST /_mock{path} HTTP/1.1\r\nContent-Type: application/json");
    http(server.addr(), &head, body.to_string().as_bytes())
}

#[test]
fn who_answers_is_told_first() {
    let strict = |server: &MockServer| told::<Hello>(server, "/").strict;
    let server = start();
    let hello: Hello = told(&server, "/");
    assert_eq!((&*hello.name, hello.control_protocol), ("mock-server", CONTROL_PROTOCOL));
    assert_eq!(hello.version, env!("CARGO_PKG_VERSION"));
    assert!(!strict(&server));
    let settings = mock_server::control::Settings { strict: true, ..Default::default() };
    assert!(strict(&start_with(Options { settings, ..Options::default() })));
}

#[test]
fn where_clients_go_is_told_where_they_are_not_looked_at() {
    let clients = |server: &MockServer| {
        let reply = http(server.control_addr(), "GET /_mock/ HTTP/1.1", b"");
        reply.json()["clients"].as_str().unwrap_or_default().to_owned()
    };
    let one = start();
    assert_eq!(clients(&one), "http://127.0.0.1:1", "the name by which it was asked");
    let two = start_with(Options {
        control: Some("127.0.0.1:0".parse().expect("it is one")),
        ..Options::default()
    });
    assert_eq!(clients(&two), format!("http://{}", two.addr()));
}

#[test]
fn a_tape_is_told_from_any_row_on_and_is_the_librarys() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    alice.unread();
    let head = "GET /org/app/publicchatgroups?limit=2 HTTP/1.1\r\nAuthorization: Bearer t-alice";
    assert_eq!(http(server.addr(), head, b"").status, 200);
    let whole: TapePage = told(&server, "/org/app/tape");
    assert_eq!((whole.from, whole.rows_ever), (0, whole.rows.len()));
    assert_eq!(whole.rows, server.tape(APP_KEY), "bytes come through as they were");
    let part: TapePage = told(&server, "/org/app/tape?from=2&rows=3");
    assert_eq!((part.from, &part.rows[..], part.rows_ever), (2, &whole.rows[2..5], whole.rows_ever));
    for query in ["from=1000", "rows=0", "rows=0&from=18446744073709551615"] {
        let none: TapePage = told(&server, &format!("/org/app/tape?{query}"));
        assert_eq!((none.rows.len(), none.rows_ever), (0, whole.rows_ever), "{query}");
    }
}

#[test]
fn of_rows_that_made_room_the_number_is_kept() {
    let server = start_with(Options { tape_rows_max: 5, ..Options::default() });
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    for _ in 0..10 {
        alice.unread();
    }
    let page: TapePage = told(&server, "/org/app/tape?from=1");
    assert_eq!((page.rows.len(), page.from + 5), (5, page.rows_ever), "{page:?}");
    let shorter = post(&server, "/org/app/tape", &json!({ "rows_max": 2 }));
    assert_eq!((shorter.status, shorter.json()), (200, json!({ "rows_max": 2 })));
    let page: TapePage = told(&server, "/org/app/tape");
    assert_eq!((page.rows.len(), page.from + 2), (2, page.rows_ever), "{page:?}");
}

#[test]
fn an_answer_is_bounded_and_the_next_one_goes_on() {
    let server = start();
    for number in 0..6 {
        // Each of a megabyte, and kept on the tape with it.
        let body =
            format!("{{\"grant_type\":\"password\",\"username\":\"{number}{}\"}}", "x".repeat(1_000_000));
        http(server.addr(), "POST /org/app/token HTTP/1.1", body.as_bytes());
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut pages = 0;
    loop {
        let page: TapePage = told(&server, &format!("/org/app/tape?from={}", rows.len()));
        rows.extend(page.rows);
        pages += 1;
        if rows.len() == page.rows_ever {
            break;
        }
    }
    assert_eq!((rows.len(), pages), (6, 2));
    assert_eq!(rows, server.tape(APP_KEY));
}

#[test]
fn a_world_without_a_tape_says_how_to_get_one() {
    let server = MockServer::start(Options::default()).expect("a server on a free port");
    assert_eq!(post(&server, "/org/app/control", &json!({ "known": { "users": ["alice"] } })).status, 200);
    let reply = get(&server, "/org/app/tape");
    assert_eq!((reply.status, reply.json()["error"].clone()), (404, json!("no_tape")));
    let words = reply.json()["error_description"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        words,
        "no tape is kept of this world: POST {\"rows_max\":200000} to its …/tape and one is, from then on"
    );
    assert_eq!(post(&server, "/org/app/tape", &json!({ "rows_max": 200_000 })).status, 200);
    Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "alice", "a");
    let page: TapePage = told(&server, "/org/app/tape");
    assert!(matches!(page.rows[0].event, Event::Opened { .. }), "{page:?}");
}

#[test]
fn quiet_and_rest_tell_what_is_owed() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "bob", "b");
    alice.text(APP_KEY, "alice", "bob", "hi");
    let owed = vec!["bob/b has not pulled queue alice (1 waiting)".to_owned()];
    let quiet: QuietAnswer = told(&server, "/org/app/quiet?within_ms=1");
    assert_eq!((quiet.quiet, quiet.mark, &quiet.open), (false, None, &owed));
    let rest: RestAnswer = told(&server, "/org/app/rest?within_ms=20000");
    assert_eq!((rest.reached, &rest.open), (true, &owed));
    // Whoever waits is woken by the acknowledgement.
    let quiet: QuietAnswer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| told(&server, "/org/app/quiet?within_ms=20000"));
        assert_eq!(bob.notice(), "alice");
        let key = bob.pull(APP_KEY, "alice", None).next_key.expect("a page has a key");
        bob.pull(APP_KEY, "alice", Some(key));
        waiting.join().expect("it does not panic")
    });
    assert_eq!((quiet.quiet, quiet.open.len()), (true, 0));
    assert_eq!(
        quiet.mark,
        server.quiet(APP_KEY, std::time::Duration::from_secs(20)).ok().map(|quiet| quiet.mark)
    );
}

#[test]
fn findings_are_told() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    alice.send(&[0xff]);
    alice.sync();
    let Findings { findings } = told(&server, "/org/app/findings");
    let found = &server.findings(APP_KEY)[0];
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (&*findings[0].clause, &findings[0].user, &findings[0].text),
        (found.clause, &found.user, &found.text)
    );
}

#[test]
fn a_world_is_made_anew_without_what_the_flags_say() {
    let stage = vec![mock_server::control::Control::Known { users: vec!["zoe".into()] }];
    let settings = mock_server::control::Settings { recall: false, ..Default::default() };
    let server = start_with(Options { stage, settings, tape: true, ..Options::default() });
    let mut old = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let new =
        json!({ "settings": { "strict": true }, "clock_ms": 1_640_908_800_000_u64, "tape_rows_max": 3 });
    let reply = post(&server, "/org/app/world", &new);
    assert_eq!(
        (reply.status, reply.json()),
        (200, json!({ "now_ms": 1_640_908_800_000_u64, "runs": false }))
    );
    assert_eq!(old.next(), Arrival::Gone, "who was in the old one is not in the new one");
    assert_eq!(
        get(&server, "/org/app/clock").json(),
        json!({ "now_ms": 1_640_908_800_000_u64, "runs": false })
    );
    let login = |user: &str| {
        let grant = json!({ "grant_type": "password", "username": user, "password": "pw" }).to_string();
        http(server.addr(), "POST /org/app/token HTTP/1.1", grant.as_bytes()).status
    };
    assert_eq!((login("alice"), login("zoe")), (404, 404), "nobody is there, and nobody may come in");
    let page: TapePage = told(&server, "/org/app/tape");
    assert_eq!(page.rows_ever, 2, "and a tape is kept");
}

#[test]
fn a_world_can_be_forgotten() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let delete = || http(server.addr(), "DELETE /_mock/org/app/world HTTP/1.1", b"").status;
    assert_eq!(delete(), 200);
    assert_eq!(alice.next(), Arrival::Gone);
    assert_eq!(get(&server, "/org/app/findings").status, 404);
    assert_eq!(delete(), 200, "it is not there, as was wanted");
}

#[rstest]
#[case::no_number("/org/app/tape?from=x", 400, "from: a whole number is expected, not \"x\"")]
#[case::signed("/org/app/tape?from=+1", 400, "from: a whole number is expected, not \"+1\"")]
#[case::too_large(
    "/org/app/tape?from=18446744073709551616",
    400,
    "from: a whole number is expected, not \"18446744073709551616\""
)]
#[case::nothing("/org/app/quiet?within_ms", 400, "within_ms: a whole number is expected, not \"\"")]
#[case::twice("/org/app/tape?rows=1&rows=2", 400, "rows is there twice")]
#[case::too_many("/org/app/tape?rows=2001", 400, "rows: one answer holds at most 2000, not 2001")]
#[case::too_long(
    "/org/app/quiet?within_ms=60001",
    400,
    "within_ms: one request waits at most 60000 ms, not 60001; ask again"
)]
#[case::unknown("/org/app/rest?within=5", 400, "\"within\" is no parameter of this path; it has within_ms")]
#[case::none("/org/app/findings?a=1", 400, "\"a\" is no parameter of this path; it has none")]
#[case::no_world(
    "/new/app/tape",
    404,
    "there is no world new#app; a login, a registration or a command makes one"
)]
#[case::no_world_quiet(
    "/new/app/quiet",
    404,
    "there is no world new#app; a login, a registration or a command makes one"
)]
#[case::method("/org/app/control", 405, "this path takes POST")]
#[case::method_of_a_world("/org/app/world", 405, "this path takes POST and DELETE")]
fn a_wrong_question_is_told_what_is_wrong(#[case] path: &str, #[case] status: u16, #[case] words: &str) {
    let server = start();
    let reply = get(&server, path);
    assert_eq!((reply.status, reply.json()["error_description"].clone()), (status, json!(words)));
    assert_eq!(get(&server, "/new/app/clock").status, 404, "looking makes no world");
}

#[rstest]
#[case::of_a_tape("/org/app/tape", json!({ "rows_max": 0 }), "a tape keeps 1 to 1000000 rows, not 0")]
#[case::of_a_world("/org/app/world", json!({ "tape_rows_max": 1_000_001 }), "a tape keeps 1 to 1000000 rows, not 1000001")]
#[case::a_rule("/org/app/world", json!({ "settings": { "webhooks": [{ "url": "ftp://x" }] } }), "nothing was done: ")]
#[case::a_word("/org/app/world", json!({ "clock": 1 }), "nothing was done: unknown field `clock`")]
fn a_wrong_order_changes_nothing(#[case] path: &str, #[case] body: Value, #[case] words: &str) {
    let server = start();
    let reply = post(&server, path, &body);
    let said = reply.json()["error_description"].as_str().unwrap_or_default().to_owned();
    assert_eq!(reply.status, 400);
    assert!(said.starts_with(words), "{said}");
    Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
}

#[rstest]
#[case::tape("GET /_mock/org/app/tape", "\r\nOrigin: http://page.test", 403)]
#[case::own_page("GET /_mock/org/app/tape", "\r\nSec-Fetch-Site: same-origin", 200)]
#[case::embedded("GET /_mock/org/app/quiet", "\r\nSec-Fetch-Site: cross-site", 403)]
#[case::typed_by_a_person("GET /_mock/org/app/tape", "\r\nSec-Fetch-Site: none", 200)]
#[case::forgotten_by_a_page("DELETE /_mock/org/app/world", "\r\nOrigin: http://page.test", 403)]
#[case::made_by_a_form("POST /_mock/org/app/world", "\r\nContent-Type: text/plain", 415)]
fn another_page_is_told_nothing(#[case] line: &str, #[case] headers: &str, #[case] status: u16) {
    let server = start();
    let reply = http(server.addr(), &format!("{line} HTTP/1.1{headers}"), b"{}");
    assert_eq!(reply.status, status);
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(get(&server, "/org/app/clock").status, 200, "the world is there as it was");
}
