//! The control plane over HTTP, and what every new world starts with.

use mock_server::control::{Control, Settings};
use mock_server::shell::{MockServer, Options};
use mock_server::tape::Door;
use rstest::rstest;
use serde_json::{Value, json};

use crate::peer::{APP_KEY, Reply, Socket, http, start};

fn post(server: &MockServer, path: &str, body: &str) -> Reply {
    let head = format!("POST /_mock{path} HTTP/1.1\r\nContent-Type: application/json; charset=utf-8");
    http(server.addr(), &head, body.as_bytes())
}

fn look(server: &MockServer, app: &str) -> u16 {
    http(server.addr(), &format!("GET {app}/publicchatgroups HTTP/1.1"), b"").status
}

#[test]
fn a_world_is_staged_by_one_command_or_by_many() {
    let server = start();
    let one = json!({ "user": { "name": "dora", "password": "pw" } }).to_string();
    let reply = post(&server, "/new/app/control", &one);
    assert_eq!((reply.status, reply.json()), (200, json!({ "results": [{ "done": true }] })));
    let many = json!([
        { "user": { "name": "emil", "password": "pw" } },
        { "token": { "user": "emil", "token": "t-emil", "ttl_ms": 1000 } },
        { "group": { "id": "g1", "owner": "dora", "members": ["emil"] } },
        { "settings": { "recall": false } },
    ]);
    assert_eq!(post(&server, "/new/app/control", &many.to_string()).status, 200);
    let head = "GET /new/app/chatgroups/g1 HTTP/1.1\r\nAuthorization: Bearer t-emil";
    assert_eq!(http(server.addr(), head, b"").json()["data"][0]["owner"], "dora");
}

#[test]
fn what_is_refused_is_told_apart_from_what_was_done() {
    let server = start();
    let many = json!([
        { "group": { "id": "g1", "owner": "nobody", "members": [] } },
        { "group": { "id": "g2", "owner": "alice", "members": ["bob"] } },
        { "fault": { "cut": { "user": "alice" } } },
    ]);
    let reply = post(&server, "/org/app/control", &many.to_string());
    let answer = reply.json();
    assert_eq!(reply.status, 400);
    let done: Vec<&Value> =
        answer["results"].as_array().expect("one each").iter().map(|r| &r["done"]).collect();
    assert_eq!(done, [false, true, false]);
    let words = answer["results"][0]["error"].as_str().expect("why");
    assert!(words.contains("no user \"nobody\" in this world; make it first"), "{words}");
    let status = |id: &str| {
        let head = format!("GET /org/app/chatgroups/{id} HTTP/1.1\r\nAuthorization: Bearer t-alice");
        http(server.addr(), &head, b"").status
    };
    assert_eq!((status("g1"), status("g2")), (404, 200));
}

#[test]
fn the_next_request_is_answered_as_it_was_staged_whether_in_json_or_not() {
    let server = start();
    let answers = [("application/json", r#"{"error":"x"}"#), ("text/plain; charset=utf-8", "<html>")];
    let staged = answers.map(|(_, body)| {
        json!({ "fault": { "answer_http": { "path": "/publicchatgroups", "status": 502, "body": body } } })
    });
    assert_eq!(post(&server, "/org/app/control", &json!(staged).to_string()).status, 200);
    for (media_type, body) in answers {
        let reply = http(server.addr(), "GET /org/app/publicchatgroups HTTP/1.1", b"");
        assert_eq!((reply.status, reply.header("content-type")), (502, Some(media_type)));
        assert_eq!(reply.body, body.as_bytes());
    }
    assert_eq!(look(&server, "/org/app"), 401, "once");
}

#[test]
fn a_clock_is_stopped_and_moved() {
    let server = start();
    let at = |reply: Reply| reply.json()["now_ms"].as_u64().expect("a time");
    assert_eq!(at(post(&server, "/org/app/clock", r#"{"set_ms":1640908800000}"#)), 1_640_908_800_000);
    assert_eq!(at(post(&server, "/org/app/clock", r#"{"advance_ms":5}"#)), 1_640_908_800_005);
    let control = json!({ "token": { "user": "alice", "token": "t-alice", "ttl_ms": 10 } });
    assert_eq!(post(&server, "/org/app/control", &control.to_string()).status, 200);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    assert_eq!(alice.unread().timestamp, Some(1_640_908_800_005));
}

#[rstest]
#[case::no_json("/new/app/control", "{", "json")]
#[case::empty("/new/app/control", "", "json")]
#[case::unknown_command("/new/app/control", r#"{"dance":{}}"#, "json")]
#[case::unknown_field("/new/app/control", r#"{"user":{"name":"a","password":"b","age":1}}"#, "json")]
#[case::one_of_many_is_bad("/new/app/control", r#"[{"known":{"users":["a"]}},{"user":{}}]"#, "json")]
#[case::too_many("/new/app/control", &format!("[{}]", vec![r#"{"known":{"users":[]}}"#; 10_001].join(",")), "too_many")]
#[case::too_large("/new/app/control", &" ".repeat(2_000_000), "body")]
#[case::no_move("/new/app/clock", "{}", "json")]
#[case::two_moves("/new/app/clock", r#"{"advance_ms":1,"set_ms":1}"#, "json")]
#[case::backwards("/new/app/clock", r#"{"advance_ms":-1}"#, "json")]
#[case::no_app("/new/%23/control", "{}", "no_app_key")]
fn a_bad_body_does_nothing_and_makes_no_world(#[case] path: &str, #[case] body: &str, #[case] error: &str) {
    let server = start();
    let reply = post(&server, path, body);
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!(error)), "{:?}", reply.json());
    assert!(reply.json()["error_description"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(look(&server, "/new/app"), 404);
}

#[rstest]
#[case::unknown("POST /_mock/new/app/dance", "\r\nContent-Type: application/json", 404)]
#[case::too_long("POST /_mock/new/app/control/more", "\r\nContent-Type: application/json", 404)]
#[case::too_short("POST /_mock/new", "\r\nContent-Type: application/json", 404)]
#[case::method("GET /_mock/new/app/control", "", 405)]
#[case::method_of_the_index("POST /_mock/", "\r\nContent-Type: application/json", 405)]
#[case::as_a_form_would("POST /_mock/new/app/control", "\r\nContent-Type: text/plain", 415)]
#[case::without_a_type("POST /_mock/new/app/control", "", 415)]
#[case::a_page(
    "POST /_mock/new/app/control",
    "\r\nContent-Type: application/json\r\nOrigin: http://page.test",
    403
)]
#[case::a_page_of_ours(
    "POST /_mock/new/app/control",
    "\r\nContent-Type: application/json\r\nOrigin: http://127.0.0.1:1",
    403
)]
#[case::a_page_that_looks("GET /_mock/", "\r\nOrigin: http://page.test", 403)]
#[case::preflight("OPTIONS /_mock/new/app/control", "\r\nAccess-Control-Request-Method: POST", 405)]
#[case::preflight_of_a_page("OPTIONS /_mock/new/app/control", "\r\nOrigin: http://page.test", 403)]
fn what_is_not_for_everybody_says_so(#[case] line: &str, #[case] headers: &str, #[case] status: u16) {
    let server = start();
    let body = br#"{"known":{"users":["a"]}}"#;
    let reply = http(server.addr(), &format!("{line} HTTP/1.1{headers}"), body);
    assert_eq!(reply.status, status);
    assert!(reply.json()["error_description"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(reply.header("access-control-allow-origin"), None, "no page is told anything");
    assert_eq!(look(&server, "/new/app"), 404);
}

#[test]
fn the_index_says_what_there_is_and_its_examples_hold() {
    let server = start();
    let index = http(server.addr(), "GET /_mock HTTP/1.1", b"").json();
    let commands = index["POST /_mock/{org}/{app}/control"]["example"].as_array().expect("commands").clone();
    let reply = post(&server, "/new/app/control", &Value::Array(commands.clone()).to_string());
    let results = reply.json()["results"].clone();
    let done = results.as_array().expect("one each").iter().filter(|result| result["done"] == true).count();
    assert_eq!(done, commands.len() - 1, "nobody is there to be cut: {results}");
    for to in index["POST /_mock/{org}/{app}/clock"]["example"].as_array().expect("moves") {
        assert_eq!(post(&server, "/new/app/clock", &to.to_string()).status, 200, "{to}");
    }
    let page = http(server.addr(), "GET /_mock/ HTTP/1.1\r\nAccept: text/html,*/*", b"");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
}

#[test]
fn every_new_world_starts_with_the_stage() {
    let users = vec!["alice".to_owned(), "bob".to_owned()];
    let stage = vec![
        Control::Known { users },
        Control::Group { id: "g1".into(), owner: "alice".into(), members: vec!["bob".into()] },
    ];
    let options = Options { stage, settings: Settings::default(), ..Options::default() };
    let server = MockServer::start(options).expect("a server on a free port");
    for app in ["one", "two"] {
        let grant = json!({ "grant_type": "password", "username": "bob", "password": "his own" }).to_string();
        let path = format!("POST /any/{app}/token HTTP/1.1");
        let answer = http(server.addr(), &path, grant.as_bytes()).json();
        let token = answer["access_token"].as_str().expect("any password will do");
        let head =
            format!("GET /any/{app}/users/bob/joined_chatgroups HTTP/1.1\r\nAuthorization: Bearer {token}");
        assert_eq!(http(server.addr(), &head, b"").json()["data"][0]["groupid"], "g1");
    }
}
